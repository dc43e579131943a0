import { h } from "../dom.js";
import { call } from "../api.js";
import { digest, every, state, table, time } from "../show.js";

const EVERY_MS = 3_000;

export function nodes({ signal }) {
  const problem = h("div", {});
  const sum = h("p", {});
  const list = table("Gateways that share the database", [
    { head: "Node", cell: (row) => [row.name, row.here && h("p", { class: "hint" }, "answers here")] },
    { head: "State", cell: (row) => state(row.state) },
    {
      head: "Serves otherwise than committed",
      cell: (row) => (row.behind.length === 0 ? "nothing" : row.behind.map((one) =>
        h("p", {}, `${one.registry}: `, digest(one.serves), " in place of ", digest(one.committed), ` (${one.reason})`))),
    },
    { head: "Version", cell: (row) => row.version },
    { head: "Listens", cell: (row) => h("code", {}, row.listens) },
    { head: "Since", cell: (row) => time(row.startedAt) },
    { head: "Last seen", cell: (row) => time(row.seenAt) },
    { head: "Configuration", number: true, cell: (row) => row.revision },
  ]);
  every(EVERY_MS, signal, problem, async () => {
    const told = await call("GET", "/admin/v1/nodes", undefined, { signal });
    sum.textContent = `Committed configuration: ${told.revision}.`;
    list.fill(told.nodes, (row) => row.id);
  });
  return { title: "Nodes", content: h("div", {}, problem, sum, list.element) };
}
