// What all views show alike: tables, states, times, refusals, questions.

import { h, id, replace } from "./dom.js";
import { Refused } from "./api.js";

const said = () => document.getElementById("said");

/** Tells it to whoever looks and to whoever listens. */
export function say(text) {
  const line = h("p", {}, text);
  said().replaceChildren(line);
  setTimeout(() => line.remove(), 8_000);
}

const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const short = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

export function time(at) {
  return at ? h("time", { datetime: at }, clock.format(new Date(at))) : "–";
}

export function minute(at) {
  return short.format(new Date(at));
}

/** The beginning of a digest is enough to tell modules apart; the whole stands beside it. */
export function digest(whole) {
  if (!whole) return "–";
  const bare = whole.replace(/^sha256:/, "");
  return h("code", { title: whole, class: "digest" }, bare.slice(0, 12));
}

export function number(value) {
  return value === undefined || value === null ? "–" : value.toLocaleString();
}

export function ms(value) {
  if (value === undefined || value === null) return "–";
  return value < 1_000 ? `${value} ms` : `${(value / 1_000).toLocaleString(undefined, { maximumFractionDigits: 1 })} s`;
}

export function bytes(value) {
  if (value === undefined || value === null) return "–";
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  while (value >= 1_024 && unit < units.length - 1) {
    value /= 1_024;
    unit += 1;
  }
  return `${value.toLocaleString(undefined, { maximumFractionDigits: 1 })} ${units[unit]}`;
}

const GOOD = ["ready", "active", "done", "alive", "matches", "serving", "passed", "admitted", "current", "applied", "received", "stands"];
const BAD = ["not-ready", "damaged", "failed", "refused", "revoked", "dead", "degraded", "gone", "outcome-unknown", "given-up", "unreadable", "rejected", "conflict"];

/** A state as a word; its colour says nothing that the word does not. */
export function state(word) {
  const kind = GOOD.includes(word) ? "good" : BAD.includes(word) ? "bad" : "plain";
  return h("span", { class: `state ${kind}` }, String(word ?? "–").replaceAll("-", " "));
}

/**
 * A table. `columns`: { head, cell(row), number }. The first column names its row. On small screens
 * rows are shown as cards; the roles keep it a table for who listens.
 */
export function table(caption, columns, { none = "Nothing here.", hideCaption = false } = {}) {
  const body = h("tbody", { role: "rowgroup" });
  const title = id("table");
  const element = h("table", { role: "table", "aria-labelledby": title },
    h("caption", { id: title, class: hideCaption ? "hidden" : null }, caption),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, columns.map((column) =>
      h("th", { role: "columnheader", scope: "col", class: column.number ? "number" : null }, column.head)))),
    body);
  const known = new Map();
  const fill = (rows, key = (_, index) => index) => {
    const kept = new Set();
    const lines = rows.map((row, index) => {
      const name = key(row, index);
      const text = JSON.stringify(row);
      kept.add(name);
      // A row that says what it said stays: whoever is on it stays there.
      if (known.get(name)?.text !== text) known.set(name, { text, line: line(columns, row) });
      return known.get(name).line;
    });
    for (const name of [...known.keys()]) if (!kept.has(name)) known.delete(name);
    const empty = h("tr", { role: "row" }, h("td", { role: "cell", class: "none", colspan: columns.length }, none));
    const wanted = lines.length > 0 ? lines : [empty];
    if (wanted.length !== body.children.length || wanted.some((one, index) => one !== body.children[index])) {
      replace(body, ...wanted);
    }
  };
  return { element, fill };
}

function line(columns, row) {
  return h("tr", { role: "row" }, columns.map((column, index) => {
    const name = index === 0 ? "th" : "td";
    const attributes = index === 0 ? { scope: "row", role: "rowheader" } : { role: "cell" };
    return h(name, { ...attributes, "data-label": column.head, class: column.number ? "number" : null }, column.cell(row));
  }));
}

/** Names and values. */
export function facts(pairs) {
  return h("dl", { class: "facts" }, pairs.filter(([, value]) => value !== undefined && value !== null && value !== "")
    .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/** Why something was not done, with each finding. */
export function refusal(error, heading = "This was refused") {
  const title = id("refused");
  const findings = error instanceof Refused ? error.findings : [];
  const field = error instanceof Refused && error.field ? h("p", {}, "It is about ", h("code", {}, error.field), ".") : null;
  const code = error instanceof Refused && error.code ? h("p", { class: "code" }, "Code ", h("code", {}, error.code)) : null;
  return h("section", { class: "refusal", role: "alert", "aria-labelledby": title },
    h("h3", { id: title }, heading),
    h("p", {}, plain(error)),
    field,
    findings.length > 0 && h("dl", { class: "findings" }, findings.map((finding) =>
      h("div", {}, h("dt", {}, h("code", {}, finding.place)), h("dd", {}, finding.problem)))),
    code);
}

/** An error in a sentence. */
export function plain(error) {
  if (error instanceof Refused) return sentence(error.message);
  if (error instanceof TypeError) return "The gateway cannot be reached. Is it running, and the network up?";
  return "This page made a mistake. Load it again.";
}

function sentence(text) {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

/** A labelled field. Gives the input too. */
export function field(label, attributes = {}, hint) {
  const name = id("field");
  const about = hint ? id("hint") : null;
  const kind = attributes.kind ?? "input";
  const { kind: _, options, ...rest } = attributes;
  const input = h(kind, { id: name, "aria-describedby": about, ...rest },
    (options ?? []).map(([value, text]) => h("option", { value }, text ?? value)));
  const element = h("div", { class: "field" },
    h("label", { for: name }, label),
    hint && h("p", { id: about, class: "hint" }, hint),
    input);
  return { element, input };
}

/** Several boxes to tick under one name. */
export function choices(legend, names, ticked = []) {
  const boxes = names.map(([value, text]) => {
    const name = id("box");
    const box = h("input", { type: "checkbox", id: name, value, checked: ticked.includes(value) });
    return { box, element: h("div", { class: "choice" }, box, h("label", { for: name }, text)) };
  });
  return {
    element: h("fieldset", {}, h("legend", {}, legend), boxes.map(({ element }) => element)),
    chosen: () => boxes.filter(({ box }) => box.checked).map(({ box }) => box.value),
  };
}

/**
 * Asks before something is done. Gives true where it is to be done. `doing` may hold fields to
 * fill in; the dialog gives them as they are.
 */
export function ask({ title, text, doing, danger = false, content = [] }) {
  const heading = id("ask");
  const about = id("about");
  const dialog = h("dialog", { "aria-labelledby": heading, "aria-describedby": about },
    h("form", { method: "dialog" },
      h("h2", { id: heading }, title),
      h("p", { id: about }, text),
      content,
      h("div", { class: "buttons" },
        h("button", { type: "submit", value: "yes", class: danger ? "danger" : "primary" }, doing),
        h("button", { type: "button", onclick: () => dialog.close("no"), autofocus: danger }, "Cancel"))));
  return shown(dialog).then((value) => value === "yes");
}

/** A word for why: a sentence could tell of a person. */
export function why(label, example) {
  return field(label, { required: true, maxlength: 64, pattern: "[a-z0-9\\-]+", autocomplete: "off", spellcheck: "false", title: "lower-case letters, digits and hyphens" },
    `In a word of lower-case letters, digits and hyphens, such as ${example}. It is in the audit.`);
}

/** Shows a dialog until it is closed. It closes with its view. */
export function shown(dialog) {
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Runs it with the button out of use, and shows a refusal in `place`. Gives whether it was done. */
export async function attempt(button, place, doing) {
  button.disabled = true;
  place.replaceChildren();
  try {
    await doing();
    return true;
  } catch (error) {
    if (error.name !== "AbortError") place.replaceChildren(refusal(error, "This was not done"));
    return false;
  } finally {
    button.disabled = false;
  }
}

/** Asks again and again while the view is there. What fails is shown once and tried again. */
export function every(ms, signal, place, look) {
  const turn = async () => {
    if (signal.aborted) return;
    try {
      if (!document.hidden) await look();
      place.replaceChildren();
    } catch (error) {
      if (signal.aborted || error.name === "AbortError") return;
      if (!place.hasChildNodes()) place.replaceChildren(refusal(error, "This could not be looked at"));
    }
    if (!signal.aborted) setTimeout(turn, typeof ms === "function" ? ms() : ms);
  };
  return turn();
}
