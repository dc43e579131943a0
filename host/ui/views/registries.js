import { h } from "../dom.js";
import { call, part } from "../api.js";
import { digest, every, field, ms, number, state, table } from "../show.js";

const EVERY_MS = 5_000;

export function registries({ signal }) {
  const problem = h("div", {});
  const filter = field("Show only names with", { type: "search", autocomplete: "off", oninput: () => fill() });
  const list = table("With their calls over the last hour on this node", [
    {
      head: "Registry",
      cell: (row) => [
        h("a", { href: `#/registries/${part(row.name)}`, "data-focus": row.name }, row.name),
        row.summary && h("p", { class: "hint" }, row.summary),
      ],
    },
    { head: "State", cell: (row) => [state(row.state), row.reason && h("p", { class: "hint" }, row.reason)] },
    { head: "Adapter", cell: (row) => (row.adapter ? `${row.adapter} ${row.version}` : digest(row.module)) },
    { head: "Answered", number: true, cell: (row) => number(row.hour?.answered) },
    { head: "Failed", number: true, cell: (row) => failed(row.hour) },
    { head: "Refused", number: true, cell: (row) => number(row.hour?.refused) },
    { head: "Half within", number: true, cell: (row) => ms(row.hour?.p50Ms) },
    { head: "95 % within", number: true, cell: (row) => ms(row.hour?.p95Ms) },
  ], { none: "No registry. Apply a file of registries with the command line: registry apply -f." });
  let rows = [];
  const fill = () => {
    const wanted = filter.input.value.trim().toLowerCase();
    list.fill(rows.filter((row) => `${row.name} ${row.summary}`.toLowerCase().includes(wanted)), (row) => row.name);
    filter.element.hidden = rows.length < 8;
  };
  every(EVERY_MS, signal, problem, async () => {
    const [listed, health] = await Promise.all(["registries", "health"].map((what) =>
      call("GET", `/admin/v1/${what}`, undefined, { signal })));
    const hours = new Map(health.registries.map((one) => [one.registry, one.hour]));
    rows = listed.registries.map((one) => ({ ...one, hour: hours.get(one.name) }));
    fill();
  });
  return { title: "Registries", content: h("div", {}, problem, filter.element, list.element) };
}

function failed(hour) {
  if (!hour || hour.failed === 0) return number(hour?.failed);
  return `${number(hour.failed)} (${((100 * hour.failed) / (hour.answered + hour.failed)).toFixed(1)} %)`;
}
