// How the candidate's answers differ from those that were given: counted by field, never a value.

import { h } from "../dom.js";
import { call, part, Refused } from "../api.js";
import { every, number, table } from "../show.js";

const EVERY_MS = 3_000;

export function shadow(name, signal) {
  const problem = h("div", {});
  const sum = h("p", {});
  const list = h("div", {});
  let shown = "";
  every(EVERY_MS, signal, problem, async () => {
    let told = null;
    try {
      told = await call("GET", `/admin/v1/registries/${part(name)}/shadow`, undefined, { signal });
    } catch (error) {
      // No candidate has been in shadow.
      if (!(error instanceof Refused) || error.status !== 404) throw error;
    }
    const text = JSON.stringify(told);
    if (text === shown) return;
    shown = text;
    const counts = Object.entries(told ?? {}).filter(([, value]) => typeof value === "number");
    sum.textContent = told === null ? "No candidate answers in shadow." : counts.map(([what, value]) => `${words(what)}: ${number(value)}`).join(". ");
    const fields = told?.fields ?? [];
    list.replaceChildren();
    if (fields.length === 0) return;
    const columns = Object.keys(fields[0]).map((what, index) => ({
      head: words(what), number: index > 0, cell: (row) => (typeof row[what] === "number" ? number(row[what]) : String(row[what] ?? "–")),
    }));
    const differences = table("Differences by field, counted and without a value", columns);
    differences.fill(fields);
    list.append(differences.element);
  });
  return h("div", {}, problem, sum, list);
}

/** `onlyLive` as people write it. */
function words(name) {
  const apart = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return apart.charAt(0).toUpperCase() + apart.slice(1);
}
