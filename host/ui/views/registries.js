import { h } from "../dom.js";
import { call, part } from "../api.js";
import { digest, every, field, ms, number, state, table } from "../show.js";

const EVERY_MS = 5_000;

export function registries({ signal }) {
  const problem = h("div", {});
  const filter = field("Show only names with", { type: "search", autocomplete: "off", oninput: () => fill() });
  const list = table("Registries, with their calls over the last hour on this node", [
    {
      head: "Registry",
      cell: (row) => [
        h("a", { href: `#/registries/${part(row.registry)}`, "data-focus": row.registry }, row.registry),
        row.summary && h("p", { class: "hint" }, row.summary),
      ],
    },
    { head: "State", cell: (row) => state(row.state) },
    { head: "Module", cell: (row) => digest(row.module) },
    { head: "Answered", number: true, cell: (row) => number(row.hour.answered) },
    { head: "Failed", number: true, cell: (row) => failed(row.hour) },
    { head: "Refused", number: true, cell: (row) => number(row.hour.refused) },
    { head: "Half within", number: true, cell: (row) => ms(row.hour.p50Ms) },
    { head: "95 % within", number: true, cell: (row) => ms(row.hour.p95Ms) },
  ], { none: "No registry. Apply a file of registries with the command line: registry apply -f." });
  let rows = [];
  const fill = () => {
    const wanted = filter.input.value.trim().toLowerCase();
    list.fill(rows.filter((row) => `${row.registry} ${row.summary}`.toLowerCase().includes(wanted)), (row) => row.registry);
    filter.element.hidden = rows.length < 8;
  };
  every(EVERY_MS, signal, problem, async () => {
    rows = (await call("GET", "/admin/v1/health", undefined, { signal })).registries;
    fill();
  });
  return { title: "Registries", content: h("div", {}, problem, filter.element, list.element) };
}

function failed(hour) {
  const asked = hour.answered + hour.failed;
  if (hour.failed === 0) return "0";
  return `${number(hour.failed)} (${((100 * hour.failed) / asked).toFixed(1)} %)`;
}
