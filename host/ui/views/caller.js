import { h } from "../dom.js";
import { call, part } from "../api.js";
import { ask, attempt, every, facts, field, say, state, table, time } from "../show.js";
import { granted } from "./callers.js";
import { once } from "./key.js";

const EVERY_MS = 15_000;
const DAY_S = 86_400;

export function caller({ signal, names: [name] }) {
  const path = `/admin/v1/callers/${part(name)}`;
  const problem = h("div", {});
  const refused = h("div", {});
  const about = h("div", {});
  const list = table("Keys, the oldest first", [
    { head: "Begins with", cell: (row) => (row.prefix ? h("code", {}, `${row.prefix}…`) : "–") },
    { head: "State", cell: (row) => state(row.state) },
    { head: "Made", cell: (row) => time(row.createdAt) },
    { head: "Ends", cell: (row) => (row.expiresAt ? time(row.expiresAt) : "never") },
    { head: "Last used", cell: (row) => (row.lastUsedAt ? time(row.lastUsedAt) : "never") },
    { head: "Action", cell: (row) => (row.state === "active" ? revoke(row) : "–") },
  ], { none: "No key." });
  const look = async () => {
    const one = await call("GET", path, undefined, { signal });
    const { limits } = one;
    about.replaceChildren(facts([
      ["State", state(one.state)],
      ["Roles", one.roles.join(", ")],
      ["May ask", one.grants.map(granted).map((text) => h("span", { class: "block" }, text))],
      ["Per second", limits?.requestsPerSecond],
      ["Per day", limits?.requestsPerDay],
      ["Added", one.createdAt && time(one.createdAt)],
      ["Revoked", one.revokedAt && time(one.revokedAt)],
    ]));
    list.fill(one.keys, (row) => row.id);
  };
  every(EVERY_MS, signal, problem, look);

  function revoke(row) {
    const button = h("button", {
      type: "button", "data-focus": `revoke ${row.id}`, "aria-label": `Revoke the key ${row.prefix}`,
      onclick: async () => {
        const sure = await ask({ title: "Revoke this key?", text: `${row.prefix}… opens nothing any more, from now on.`, doing: "Revoke", danger: true });
        if (!sure) return;
        if (await attempt(button, refused, () => call("DELETE", `${path}/keys/${part(row.id)}`))) say("The key is revoked.");
        await look();
      },
    }, "Revoke");
    return button;
  }

  const button = h("button", {
    type: "button",
    onclick: async () => {
      const overlap = field("The other keys", {
        kind: "select",
        options: [["", "go on"], ["0", "end now"], [String(DAY_S), "end in a day"], [String(7 * DAY_S), "end in a week"], [String(30 * DAY_S), "end in 30 days"]],
      });
      const sure = await ask({ title: `Another key for ${name}`, text: "It is shown once.", doing: "Make the key", content: [overlap.element] });
      if (!sure) return;
      let added;
      const seconds = overlap.input.value;
      const fine = await attempt(button, refused, async () => {
        added = await call("POST", `${path}/keys`, seconds === "" ? {} : { overlapSeconds: Number(seconds) });
      });
      if (fine) await once(added);
      await look();
    },
  }, "Make another key …");
  return {
    title: name,
    content: h("div", {}, h("p", {}, h("a", { href: "#/callers" }, "All callers")), problem, about,
      h("div", { class: "buttons" }, button), refused, list.element),
  };
}
