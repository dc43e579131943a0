// How the candidate's answers differ from those that were given: counted by field, never a value.

import { h } from "../dom.js";
import { call, part, Refused } from "../api.js";
import { every, number, table } from "../show.js";

const EVERY_MS = 3_000;
/** No candidate is in shadow: not there, or not now. */
const NONE = [404, 409];

/** Asks only while `inShadow` says that there is something to ask for. */
export function shadow(name, signal, inShadow) {
  const problem = h("div", {});
  const sum = h("p", {});
  const fields = table("Differences by field", [
    { head: "Field", cell: (row) => h("code", {}, row.path) },
    { head: "Differs", number: true, cell: (row) => number(row.changed) },
    { head: "Missing in the candidate’s", number: true, cell: (row) => number(row.missing) },
    { head: "Only in the candidate’s", number: true, cell: (row) => number(row.added) },
    { head: "Requests, to look up in the audit", cell: (row) => requests(row.examples) },
  ], { none: "No field differs." });
  const outcomes = table("Where they ended otherwise", [
    { head: "What serves", cell: (row) => row.live },
    { head: "The candidate", cell: (row) => row.candidate },
    { head: "How often", number: true, cell: (row) => number(row.count) },
    { head: "Requests, to look up in the audit", cell: (row) => requests(row.examples) },
  ]);
  fields.element.hidden = outcomes.element.hidden = true;
  every(EVERY_MS, signal, problem, async () => {
    let told = null;
    try {
      if (inShadow()) told = await call("GET", `/admin/v1/registries/${part(name)}/shadow`, undefined, { signal });
    } catch (error) {
      if (!(error instanceof Refused) || !NONE.includes(error.status)) throw error;
    }
    sum.textContent = told === null ? "No candidate answers in shadow." : sentence(told);
    fields.element.hidden = told === null;
    fields.fill(told?.fields ?? [], (row) => row.path);
    outcomes.element.hidden = (told?.outcomes ?? []).length === 0;
    outcomes.fill(told?.outcomes ?? [], (row) => `${row.live} ${row.candidate}`);
  });
  return h("div", {}, problem, sum, fields.element, outcomes.element);
}

function sentence({ compared, same, dropped, askedOtherwise }) {
  const more = [
    dropped > 0 && `For ${number(dropped)} more there was no room.`,
    askedOtherwise > 0 && `In ${number(askedOtherwise)} it asked the registry something else, which was not sent: their differences say little.`,
  ].filter(Boolean);
  return [`${number(compared)} lookups were compared on this node, ${number(same)} of them are the same.`, ...more].join(" ");
}

function requests(examples) {
  return examples.length === 0 ? "–" : examples.map((one) => h("code", { class: "block" }, one));
}
