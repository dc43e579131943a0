// Writes: where each stands, and nobody in it. Those that wait for a person are the dead letters.

import { h } from "../dom.js";
import { call, part } from "../api.js";
import { every, number, state, table, time } from "../show.js";
import { search } from "../search.js";

const EVERY_MS = 10_000;
const MOST = 200;
const STATES = ["accepted", "delivering", "waiting", "pending", "applied", "rejected", "conflict", "outcome-unknown",
  "given-up", "cancelled"];
/** They go on only when somebody decides. */
const DEAD = ["outcome-unknown", "given-up"];
const KINDS = ["create", "update", "link", "enrolment"];

const COLUMNS = [
  { head: "Operation", cell: (row) => h("a", { href: `#/operations/${part(row.id)}`, "data-focus": row.id }, h("code", {}, row.id)) },
  { head: "State", cell: (row) => [state(row.state), row.reason && h("p", { class: "hint" }, row.reason)] },
  { head: "Registry", cell: (row) => row.registry },
  { head: "Kind", cell: (row) => row.ability },
  { head: "Caller", cell: (row) => row.caller },
  { head: "Attempts", number: true, cell: (row) => number(row.attempts) },
  { head: "Accepted", cell: (row) => time(row.acceptedAt) },
];

export function operations({ signal }) {
  const list = search(signal, {
    title: "Operations", path: "/admin/v1/operations", rows: (page) => page.operations, everyMs: EVERY_MS,
    columns: [...COLUMNS, { head: "Next attempt", cell: (row) => time(row.nextAttemptAt) }],
    fields: [
      ["registry", "Registry"], ["caller", "Caller"],
      ["state", "State", { kind: "select", options: [["", "any"], ...STATES.map((one) => [one, one.replaceAll("-", " ")])] }],
      ["ability", "Kind", { kind: "select", options: [["", "any"], ...KINDS.map((one) => [one, one])] }],
    ],
  });
  list.look();
  return { title: "Operations", content: h("div", {}, deadLetters(signal), list.element) };
}

function deadLetters(signal) {
  const problem = h("div", {});
  const sum = h("p", { role: "status" });
  const list = table("Dead letters, the newest first", [
    ...COLUMNS, { head: "Stands there since", cell: (row) => time(row.changedAt) },
  ], { none: "Nothing waits for a decision." });
  every(EVERY_MS, signal, problem, async () => {
    const pages = await Promise.all(DEAD.map((one) =>
      call("GET", `/admin/v1/operations?state=${one}&limit=${MOST}`, undefined, { signal })));
    const rows = pages.flatMap((page) => page.operations).sort((a, b) => b.acceptedAt.localeCompare(a.acceptedAt));
    list.fill(rows, (row) => row.id);
    const told = pages.some((page) => page.next)
      ? `There are more than these ${number(rows.length)}: search for the others by their state.` : "";
    if (sum.textContent !== told) sum.textContent = told;
  });
  return h("section", {}, h("h2", {}, "Dead letters"),
    h("p", {}, "Nobody knows their end, or they were given up. Each holds back what comes after it of the same person until somebody decides."),
    problem, list.element, sum);
}
