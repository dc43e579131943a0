import { h } from "../dom.js";
import { call, part } from "../api.js";
import { ask, attempt, choices, every, field, say, shown, state, table, time } from "../show.js";

const EVERY_MS = 15_000;
const ROLES = [
  ["client", "client: asks registries"],
  ["implementer", "implementer: uploads and stages modules"],
  ["administrator", "administrator: decides what serves and who calls"],
  ["auditor", "auditor: reads the audit"],
];
const ABILITIES = ["find", "household", "search", "verify"];

export function callers({ signal }) {
  const problem = h("div", {});
  const refused = h("div", {});
  const list = table("Callers", [
    { head: "Name", cell: (row) => row.name },
    { head: "State", cell: (row) => state(row.state) },
    { head: "Roles", cell: (row) => row.roles.join(", ") || "–" },
    { head: "Registries", cell: (row) => granted(row.registries) },
    { head: "Abilities", cell: (row) => row.abilities.join(", ") || "–" },
    { head: "Added", cell: (row) => time(row.createdAt) },
    { head: "Revoked", cell: (row) => time(row.revokedAt) },
    { head: "Action", cell: (row) => (row.state === "revoked" ? "–" : revoke(row)) },
  ], { none: "Nobody may call." });

  const look = async () => {
    const { callers: rows } = await call("GET", "/admin/v1/callers", undefined, { signal });
    list.fill(rows, (row) => row.name);
  };
  every(EVERY_MS, signal, problem, look);

  function revoke(row) {
    const button = h("button", {
      type: "button", "data-focus": `revoke ${row.name}`, "aria-label": `Revoke ${row.name}`,
      onclick: async () => {
        const sure = await ask({
          title: `Revoke ${row.name}?`,
          text: "Its keys open nothing any more, from now on and for ever. Its name stays taken, so that the audit stays clear.",
          doing: "Revoke", danger: true,
        });
        if (!sure) return;
        const done = await attempt(button, refused, () => call("DELETE", `/admin/v1/callers/${part(row.name)}`));
        if (done) say(`${row.name} is revoked.`);
        await look();
      },
    }, "Revoke");
    return button;
  }

  return { title: "Callers", content: h("div", {}, add(refused, look), problem, refused, list.element) };
}

function granted(registries) {
  if (registries === null || registries === undefined) return "all";
  return registries.join(", ") || "none";
}

function add(refused, look) {
  const name = field("Name", { required: true, maxlength: 128, autocomplete: "off" }, "In the audit for ever, and never used again.");
  const roles = choices("Roles", ROLES, ["client"]);
  const registries = field("Registries", { autocomplete: "off" }, "By name, with commas. Empty: all of them.");
  const abilities = choices("Abilities", ABILITIES.map((one) => [one, one]), ABILITIES);
  const button = h("button", { type: "submit", class: "primary" }, "Add the caller");
  const form = h("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      const names = registries.input.value.split(",").map((one) => one.trim()).filter(Boolean);
      let added;
      const fine = await attempt(button, refused, async () => {
        added = await call("POST", "/admin/v1/callers", {
          name: name.input.value.trim(),
          roles: roles.chosen(),
          abilities: abilities.chosen(),
          ...(names.length > 0 ? { registries: names } : {}),
        });
      });
      if (!fine) return;
      form.reset();
      form.parentElement.open = false;
      await once(added);
      await look();
    },
  }, name.element, roles.element, registries.element, abilities.element, button);
  return h("details", { class: "adding" }, h("summary", {}, "Add a caller"), form);
}

/** A key is shown once, and is nowhere on the page afterwards. */
export async function once({ name, key }) {
  const value = h("input", { id: "new-key", readonly: true, value: key, spellcheck: "false", autocomplete: "off", autofocus: true });
  const copy = h("button", {
    type: "button",
    onclick: async () => {
      value.select();
      try {
        await navigator.clipboard.writeText(key);
        copy.textContent = "Copied";
      } catch {
        copy.textContent = "Selected: copy it";
      }
    },
  }, "Copy");
  const dialog = h("dialog", { "aria-labelledby": "key-title", "aria-describedby": "key-about" },
    h("form", { method: "dialog" },
      h("h2", { id: "key-title" }, `The key of ${name}`),
      h("p", { id: "key-about" }, "It is shown this once: the gateway keeps only a hash of it. Hand it over by a safe way."),
      h("div", { class: "field" }, h("label", { for: "new-key" }, "Key"), value),
      h("div", { class: "buttons" }, copy, h("button", { type: "submit", class: "primary" }, "I have it"))));
  await shown(dialog);
  value.value = "";
}
