import { h } from "../dom.js";
import { call, part } from "../api.js";
import { ask, attempt, choices, every, field, say, state, table, time } from "../show.js";
import { once } from "./key.js";

const EVERY_MS = 15_000;
const ROLES = [
  ["client", "client: asks registries"],
  ["implementer", "implementer: uploads and stages modules"],
  ["administrator", "administrator: decides what serves and who calls"],
  ["auditor", "auditor: reads the audit"],
];
const READS = ["find", "household", "search", "verify"];
const ABILITIES = [...READS, "create", "update", "link", "enrolment", "events"];

export function callers({ signal }) {
  const problem = h("div", {});
  const refused = h("div", {});
  const list = table("Callers", [
    { head: "Name", cell: (row) => h("a", { href: `#/callers/${part(row.name)}`, "data-focus": row.name }, row.name) },
    { head: "State", cell: (row) => state(row.state) },
    { head: "Roles", cell: (row) => row.roles.join(", ") || "–" },
    { head: "May ask", cell: (row) => (row.grants.length === 0 ? "nothing" : row.grants.map((grant) => h("span", { class: "block" }, granted(grant)))) },
    { head: "Keys", number: true, cell: (row) => row.keys.filter((key) => key.state === "active").length },
    { head: "Added", cell: (row) => time(row.createdAt) },
    { head: "Action", cell: (row) => (row.state === "revoked" ? "revoked" : revoke(row)) },
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

/** A grant in words. */
export function granted({ registries, abilities, fields, events }) {
  const where = registries ? registries.join(", ") || "no registry" : "all registries";
  const reads = abilities.length === READS.length && READS.every((one) => abilities.includes(one));
  const what = reads ? "every lookup" : abilities.map((one) => (one === "events" && events === "all" ? "events of all" : one)).join(", ") || "nothing";
  return `${where}: ${what}${fields ? ` (${fields.join(", ") || "no field"})` : ""}`;
}

function add(refused, look) {
  const name = field("Name", { required: true, maxlength: 128, autocomplete: "off" }, "In the audit for ever, and never used again.");
  const roles = choices("Roles", ROLES, ["client"]);
  const registries = field("Registries", { autocomplete: "off" }, "For a client, by name and with commas. Empty: all of them.");
  const fields = field("Fields of a person", { autocomplete: "off" }, "For a client, with commas: name, birthDate. Empty: all that the registries’ policies show.");
  const abilities = choices("Abilities, for a client", ABILITIES.map((one) => [one, one]), READS);
  const button = h("button", { type: "submit", class: "primary" }, "Add the caller");
  const listed = (input) => input.value.split(",").map((one) => one.trim()).filter(Boolean);
  const grant = () => ({
    abilities: abilities.chosen(),
    ...(listed(registries.input).length > 0 ? { registries: listed(registries.input) } : {}),
    ...(listed(fields.input).length > 0 ? { fields: listed(fields.input) } : {}),
  });
  const form = h("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      let added;
      const fine = await attempt(button, refused, async () => {
        const chosen = roles.chosen();
        added = await call("POST", "/admin/v1/callers", {
          name: name.input.value.trim(), roles: chosen, ...(chosen.includes("client") ? { grants: [grant()] } : {}),
        });
      });
      if (!fine) return;
      form.reset();
      form.parentElement.open = false;
      await once(added);
      await look();
    },
  }, name.element, roles.element, registries.element, abilities.element, fields.element, button);
  return h("details", { class: "adding" }, h("summary", {}, "Add a caller"), form);
}
