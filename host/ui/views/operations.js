// Writes: where each stands, and nobody in it. Those that wait for a person are the dead letters.

import { h } from "../dom.js";
import { part } from "../api.js";
import { number, state, time } from "../show.js";
import { search } from "../search.js";

const STATES = ["accepted", "delivering", "waiting", "pending", "applied", "rejected", "conflict", "outcome-unknown",
  "given-up", "cancelled"];

export function operations({ signal }) {
  const list = search(signal, {
    title: "Operations", path: "/admin/v1/operations", rows: (page) => page.operations,
    columns: [
      { head: "Operation", cell: (row) => h("a", { href: `#/operations/${part(row.id)}` }, h("code", {}, row.id)) },
      { head: "State", cell: (row) => [state(row.state), row.reason && h("p", { class: "hint" }, row.reason)] },
      { head: "Registry", cell: (row) => `${row.registry}: ${row.ability}` },
      { head: "Caller", cell: (row) => row.caller },
      { head: "Attempts", number: true, cell: (row) => number(row.attempts) },
      { head: "Accepted", cell: (row) => time(row.acceptedAt) },
      { head: "Next attempt", cell: (row) => time(row.nextAttemptAt) },
    ],
    fields: [
      ["registry", "Registry"], ["caller", "Caller"],
      ["state", "State", { kind: "select", options: [["", "any"], ...STATES.map((one) => [one, one.replaceAll("-", " ")])] }],
    ],
  });
  list.look();
  return {
    title: "Operations",
    content: h("div", {},
      h("p", {}, "Where its end is unknown or it was given up, an operation holds back what comes after it of the same person until somebody decides."),
      list.element),
  };
}
