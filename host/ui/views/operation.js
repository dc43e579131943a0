import { h } from "../dom.js";
import { call, may, part } from "../api.js";
import { ask, attempt, digest, every, facts, number, say, state, table, time, why } from "../show.js";

const EVERY_MS = 5_000;

// What a person may do where it stands.
const ACTS = [
  { word: "Take it back", path: "cancel", where: ["accepted", "waiting", "given-up"], danger: true, done: "It is taken back.",
    text: "It is not sent any more, and what comes after it of the same person goes on." },
  { word: "Send again", path: "replay", where: ["given-up"], done: "It is sent again.",
    text: "It was not done. It is sent once more from the beginning, with a new deadline." },
  { word: "Send again", path: "replay", where: ["outcome-unknown"], danger: true, done: "It is sent again.",
    text: "Find out first that the registry does not have it: else it is done twice. It is sent once more from the beginning." },
  { word: "It was done", path: "resolve", as: "applied", where: ["outcome-unknown"], done: "It is settled.",
    text: "You have found out at the registry that it has it. What comes after it goes on." },
  { word: "It was not done", path: "resolve", as: "rejected", where: ["outcome-unknown"], danger: true, done: "It is settled.",
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
  history.element.hidden = true;
  let shown = "";
  const look = async () => {
    const one = await call("GET", path, undefined, { signal });
    about.replaceChildren(facts([
      ["State", state(one.state)],
      ["Why", one.reason],
      ["Registry’s code", one.registryCode],
      ["Field", one.field && h("code", {}, one.field)],
      ["Registry", h("a", { href: `#/registries/${part(one.registry)}`, "data-focus": "registry" }, one.registry)],
      ["Kind", one.ability],
      ["Caller", one.caller],
      ["Accepted", time(one.acceptedAt)],
      ["Attempts", number(one.attempts)],
      ["Next attempt", one.nextAttemptAt && time(one.nextAttemptAt)],
      ["Deadline", time(one.deadline)],
      ["Module", one.module && digest(one.module)],
    ]));
    history.fill(one.history.map((step, index) => ({ ...step, index })), (step) => step.index);
    history.element.hidden = false;
    offer(one.state);
  };
  every(EVERY_MS, signal, problem, look);

  function offer(stands) {
    if (!may("administrator") || shown === stands) return;
    shown = stands;
    const held = buttons.contains(document.activeElement);
    buttons.replaceChildren(...ACTS.filter(({ where }) => where.includes(stands)).map((act) => {
      const button = h("button", { type: "button", onclick: () => decide(button, act) }, `${act.word} …`);
      return button;
    }));
    // Who decided hears of it by what is said; where no button is left the heading is where they are.
    if (held) (buttons.querySelector("button") ?? document.querySelector("h1")).focus();
  }

  async function decide(button, { word, path: way, as, text, danger, done }) {
    const reason = as ? why("How you know it", "asked-the-registry") : null;
    const sure = await ask({ title: `${word}?`, text, doing: word, danger, content: reason ? [reason.element] : [] });
    if (!sure) return;
    const body = as ? { as, reason: reason.input.value.trim() } : {};
    if (await attempt(button, refused, () => call("POST", `${path}/${way}`, body))) say(done);
    await attempt(button, problem, look);
  }

  return {
    title: "Operation",
    content: h("div", {}, h("p", {}, h("a", { href: "#/operations" }, "All operations")),
      h("p", {}, h("code", {}, id)), problem, about, buttons, refused, history.element),
  };
}
