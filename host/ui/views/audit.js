// Who looked at whom, who did what, and whether the record is whole. What is typed here goes out in a
// body, never in an address, and is gone with the view.

import { h } from "../dom.js";
import { call } from "../api.js";
import { attempt, digest, field, number, state, table, time } from "../show.js";
import { search } from "../search.js";

const CALLS = [
  { head: "When", cell: (row) => time(row.beganAt) },
  { head: "Caller", cell: (row) => [row.caller, row.user && h("p", { class: "hint" }, `for ${row.user}`)] },
  { head: "Registry", cell: (row) => `${row.registry}: ${row.ability}` },
  { head: "Purpose", cell: (row) => [row.purpose ?? "–", row.legalBasis && h("p", { class: "hint" }, row.legalBasis)] },
  { head: "Outcome", cell: (row) => state(row.outcome ?? "no end") },
  { head: "Told of", number: true, cell: (row) => number(row.disclosed) },
  { head: "Module", cell: (row) => digest(row.module) },
];

export function audit({ signal }) {
  return { title: "Audit", content: h("div", {}, trail(signal), calls(signal), acts(signal), verify(signal)) };
}

/** Everybody who asked about a person, or was told of one. */
function trail(signal) {
  const scheme = field("Scheme", { required: true, autocomplete: "off", value: "national-id", spellcheck: "false" });
  const value = field("Identifier", { required: true, autocomplete: "off", spellcheck: "false" },
    "It is sent in the request’s body and stands nowhere: the audit has keyed hashes.");
  const whole = h("input", { type: "checkbox", id: "whole" });
  const button = h("button", { type: "submit", class: "primary" }, "Find who asked");
  const more = h("button", { type: "button", hidden: true }, "Show more");
  const problem = h("div", {});
  const sum = h("p", { role: "status" });
  const list = table("Calls about this person, the oldest first", [
    ...CALLS.slice(0, 5),
    { head: "Asked about", cell: (row) => (row.wasAsked ? "yes" : "no") },
    { head: "Told of", cell: (row) => (row.wasDisclosed ? "yes" : "no") },
    CALLS[6],
  ], { none: "Nobody." });
  list.element.hidden = true;
  let rows = [];
  const ask = async (after) => {
    const found = await call("POST", "/admin/v1/audit/find", {
      identifiers: [{ scheme: scheme.input.value.trim(), value: value.input.value.trim() }],
      whole: whole.checked, limit: 200, ...(after ? { after } : {}),
    }, { signal });
    rows = [...(after ? rows : []), ...found.calls.map(({ call, ...rest }) => ({ ...call, ...rest }))];
    list.fill(rows, (row) => row.id);
    list.element.hidden = false;
    sum.textContent = `${number(rows.length)}${found.next ? " and more" : ""} calls about this person.`
      + (found.unreadableRows > 0 ? ` ${number(found.unreadableRows)} rows cannot be read: somebody has changed them.` : "");
    more.hidden = !found.next;
    more.onclick = () => attempt(more, problem, () => ask(found.next));
  };
  const form = h("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      list.element.hidden = true;
      sum.textContent = "";
      await attempt(button, problem, () => ask(null));
    },
  }, scheme.element, value.element,
  h("div", { class: "choice" }, whole, h("label", { for: "whole" }, "Go through every row, and do not believe the index (slow)")),
  h("div", { class: "buttons" }, button), problem);
  return h("section", {}, h("h2", {}, "A person’s trail"), form, sum, list.element, more);
}

function calls(signal) {
  return search(signal, {
    title: "Calls", path: "/admin/v1/audit/calls", rows: (page) => page.calls, columns: CALLS,
    fields: [["caller", "Caller"], ["registry", "Registry"], ["purpose", "Purpose"]], times: true,
  }).element;
}

function acts(signal) {
  return search(signal, {
    title: "Acts of administration", path: "/admin/v1/audit/acts", rows: (page) => page.acts,
    columns: [
      { head: "When", cell: (row) => time(row.beganAt) },
      { head: "By", cell: (row) => row.caller },
      { head: "Act", cell: (row) => row.act },
      { head: "About", cell: (row) => [row.registry, row.subject].filter(Boolean).join(", ") || "–" },
      { head: "Module", cell: (row) => digest(row.module) },
      { head: "Outcome", cell: (row) => state(row.outcome ?? "no end") },
    ],
    fields: [["caller", "By"], ["registry", "Registry"], ["act", "Act"]], times: true,
  }).element;
}

function verify(signal) {
  const result = h("div", { role: "status" });
  const problem = h("div", {});
  const button = h("button", {
    type: "button",
    onclick: () => attempt(button, problem, async () => {
      result.replaceChildren("Going through every row …");
      let verdict;
      try {
        verdict = await call("POST", "/admin/v1/audit/verify", {}, { signal });
      } finally {
        result.replaceChildren();
      }
      result.append(h("p", {}, state(verdict.whole ? "done" : "failed"), " ", verdict.whole
        ? `All ${number(verdict.rows)} rows are what was written. ${number(verdict.uncoveredRows)} are not covered by a checkpoint yet.`
        : "The audit is not what was written."));
      result.append(h("dl", { class: "findings" }, verdict.bad.map((bad) =>
        h("div", {}, h("dt", {}, place(bad)), h("dd", {}, bad.problem)))));
    }),
  }, "Verify");
  return h("section", {}, h("h2", {}, "Is the record whole?"),
    h("p", {}, "Each row’s hash covers the one before it, and signed checkpoints cover the chains. The first row that is wrong is named. Checkpoints that were kept elsewhere are held against it by the command line: audit verify."),
    h("div", { class: "buttons" }, button), problem, result);
}

function place({ chain, row, checkpoint }) {
  return [chain != null && `Chain ${chain}`, row != null && `row ${row}`, checkpoint != null && `checkpoint ${checkpoint}`].filter(Boolean).join(", ");
}
