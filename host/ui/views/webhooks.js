import { h } from "../dom.js";
import { call, may, part } from "../api.js";
import { attempt, every, field, number, state, table, time } from "../show.js";
import { once } from "./key.js";

const EVERY_MS = 10_000;
// What a webhook has: name, label, what is said of it. The second group is asked for by registries' policies.
const TEXTS = [
  ["name", "Name", "Letters, digits, hyphens, underscores and dots.", { required: true, maxlength: 64 }],
  ["caller", "Caller", "It is told what this caller may read of the feed, and no more.", { required: true }],
  ["url", "Address", "Messages go there. Its host is in the gateway’s configuration.", { required: true, type: "url" }],
  ["purpose", "Purpose", "What the caller states, as registries’ policies ask for it."],
  ["legalBasis", "Legal basis"],
  ["user", "User"],
  ["entity", "Entity"],
];
const LISTS = [
  ["registries", "Registries", "With commas. Empty: all that the caller may read."],
  ["kinds", "Kinds of events", "With commas, such as death, birth. Empty: all."],
];

export function webhooks({ signal }) {
  const problem = h("div", {});
  const refused = h("div", {});
  const list = table("Who is told of life events, and where", [
    { head: "Name", cell: (row) => h("a", { href: `#/webhooks/${part(row.name)}`, "data-focus": row.name }, row.name) },
    { head: "State", cell: (row) => [state(row.state), row.reason && h("p", { class: "hint" }, row.reason)] },
    { head: "Caller", cell: (row) => row.caller },
    { head: "Address", cell: (row) => h("code", {}, row.url) },
    { head: "Behind", number: true, cell: (row) => number(row.lag) },
    { head: "Last taken", cell: (row) => time(row.deliveredAt) },
    { head: "Failures in a row", number: true, cell: (row) => number(row.attempts) },
    { head: "Problem", cell: (row) => row.problem ?? "–" },
  ], { none: "Nobody." });
  const look = async () => {
    const { webhooks: rows } = await call("GET", "/admin/v1/webhooks", undefined, { signal });
    list.fill(rows, (row) => row.name);
  };
  every(EVERY_MS, signal, problem, look);
  return {
    title: "Webhooks",
    content: h("div", {}, may("administrator") && add(refused, look), problem, refused, list.element),
  };
}

function add(refused, look) {
  const inputs = [...TEXTS, ...LISTS].map(([name, label, hint, attributes = {}]) =>
    ({ name, ...field(label, { autocomplete: "off", spellcheck: "false", ...attributes }, hint) }));
  const after = field("Events behind this cursor", { autocomplete: "off", spellcheck: "false" },
    "A cursor of the feed; e1-0 is before the first. Empty: what is new from now on.");
  const button = h("button", { type: "submit", class: "primary" }, "Add the webhook");
  const form = h("form", {
    "aria-label": "Add a webhook",
    onsubmit: async (event) => {
      event.preventDefault();
      const body = {};
      for (const { name, input } of [...inputs, { name: "after", input: after.input }]) {
        const text = input.value.trim();
        if (!text) continue;
        body[name] = LISTS.some(([one]) => one === name) ? text.split(",").map((one) => one.trim()).filter(Boolean) : text;
      }
      let added = null;
      if (!await attempt(button, refused, async () => { added = await call("POST", "/admin/v1/webhooks", body); })) return;
      form.reset();
      form.parentElement.open = false;
      await once({ name: added.name, key: added.secret, what: "secret", about: SECRET });
      await look();
    },
  }, inputs.map(({ element }) => element), after.element, button);
  return h("details", { class: "adding" }, h("summary", {}, "Add a webhook"), form);
}

export const SECRET = "Its receiver verifies messages with it. It is shown this once: hand it over by a safe way.";
