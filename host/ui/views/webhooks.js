import { h } from "../dom.js";
import { call, may, part } from "../api.js";
import { ask, attempt, every, say, state, table, time } from "../show.js";

const EVERY_MS = 10_000;

export function webhooks({ signal }) {
  const problem = h("div", {});
  const refused = h("div", {});
  const list = table("Who is told of life events, and where", [
    { head: "Name", cell: (row) => row.name },
    { head: "State", cell: (row) => [state(row.state), row.reason && h("p", { class: "hint" }, row.reason)] },
    { head: "Caller", cell: (row) => row.caller },
    { head: "Address", cell: (row) => h("code", {}, row.url) },
    { head: "Has been told up to", cell: (row) => h("code", {}, row.cursor) },
    { head: "Last told", cell: (row) => time(row.deliveredAt) },
    { head: "Problem", cell: (row) => row.problem ?? "–" },
    { head: "Action", cell: (row) => (may("administrator") ? change(row) : "–") },
  ], { none: "Nobody." });
  const look = async () => {
    const { webhooks: rows } = await call("GET", "/admin/v1/webhooks", undefined, { signal });
    list.fill(rows, (row) => row.name);
  };
  every(EVERY_MS, signal, problem, look);

  function change(row) {
    const paused = row.state === "paused";
    const word = paused ? "Resume" : "Pause";
    const button = h("button", {
      type: "button", "data-focus": `change ${row.name}`, "aria-label": `${word} ${row.name}`,
      onclick: async () => {
        const sure = await ask(paused
          ? { title: `Resume ${row.name}?`, text: "It is told from where it had been told to.", doing: "Resume" }
          : { title: `Pause ${row.name}?`, text: "Nothing is lost: it is told later.", doing: "Pause", danger: true });
        if (!sure) return;
        const path = `/admin/v1/webhooks/${part(row.name)}/${word.toLowerCase()}`;
        if (await attempt(button, refused, () => call("POST", path, {}))) say(`${row.name}: done.`);
        await look();
      },
    }, word);
    return button;
  }

  return {
    title: "Webhooks",
    content: h("div", {}, h("p", {}, "They are added, and their secrets changed, by the command line: webhook add, webhook secret."),
      problem, refused, list.element),
  };
}
