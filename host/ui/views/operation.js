import { h } from "../dom.js";
import { call, may, part } from "../api.js";
import { ask, attempt, digest, every, facts, number, say, state, table, time } from "../show.js";

const EVERY_MS = 5_000;

// What a person may do where it stands.
const ACTS = [
  { word: "Take it back", path: "cancel", where: ["accepted", "waiting", "given-up"], danger: true,
    text: "It is not sent any more, and what comes after it of the same person goes on." },
  { word: "Send again", path: "replay", where: ["given-up", "outcome-unknown"],
    text: "It is sent once more. Where its end is unknown, find out first that the registry does not have it: else it is done twice." },
  { word: "It was done", path: "resolve", body: { as: "applied" }, where: ["outcome-unknown"],
    text: "You have found out at the registry that it has it. What comes after it goes on." },
  { word: "It was not done", path: "resolve", body: { as: "rejected" }, where: ["outcome-unknown"],
    text: "You have found out at the registry that it does not have it, and never will. What comes after it goes on." },
];

export function operation({ signal, names: [id] }) {
  const path = `/admin/v1/operations/${part(id)}`;
  const problem = h("div", {});
  const refused = h("div", {});
  const about = h("div", {});
  const buttons = h("div", { class: "buttons" });
  const history = table("History", [
    { head: "When", cell: (row) => time(row.at) },
    { head: "State", cell: (row) => state(row.state) },
    { head: "Attempt", number: true, cell: (row) => number(row.attempt) },
    { head: "Why", cell: (row) => [row.reason ?? "–", row.registryCode && h("p", { class: "hint" }, row.registryCode)] },
    { head: "By", cell: (row) => row.by ?? "–" },
  ]);
  let shown = "";
  const look = async () => {
    const one = await call("GET", path, undefined, { signal });
    about.replaceChildren(facts([
      ["State", state(one.state)],
      ["Why", one.reason],
      ["Registry’s code", one.registryCode],
      ["Field", one.field && h("code", {}, one.field)],
      ["Registry", h("a", { href: `#/registries/${part(one.registry)}` }, one.registry)],
      ["What", one.ability],
      ["Caller", one.caller],
      ["Accepted", time(one.acceptedAt)],
      ["Attempts", number(one.attempts)],
      ["Next attempt", one.nextAttemptAt && time(one.nextAttemptAt)],
      ["Deadline", time(one.deadline)],
      ["Module", one.module && digest(one.module)],
    ]));
    history.fill(one.history.map((step, index) => ({ ...step, index })), (step) => step.index);
    offer(one.state);
  };
  every(EVERY_MS, signal, problem, look);

  function offer(stands) {
    if (!may("administrator") || shown === stands) return;
    shown = stands;
    buttons.replaceChildren(...ACTS.filter(({ where }) => where.includes(stands)).map((act) => {
      const button = h("button", {
        type: "button",
        onclick: async () => {
          if (!await ask({ title: `${act.word}?`, text: act.text, doing: act.word, danger: act.danger })) return;
          if (await attempt(button, refused, () => call("POST", `${path}/${act.path}`, act.body ?? {}))) say("It is done.");
          await look();
        },
      }, `${act.word} …`);
      return button;
    }));
  }

  return {
    title: "Operation",
    content: h("div", {}, h("p", {}, h("a", { href: "#/operations" }, "All operations")),
      h("p", {}, h("code", {}, id)), problem, about, buttons, refused, history.element),
  };
}
