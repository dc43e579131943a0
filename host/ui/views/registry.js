import { h } from "../dom.js";
import { call, may, part } from "../api.js";
import { ask, attempt, digest, every, facts, say, state, time } from "../show.js";
import { chart } from "./chart.js";
import { history } from "./history.js";
import { logs } from "./logs.js";
import { shadow } from "./shadow.js";
import { swap } from "./swap.js";

const EVERY_MS = 5_000;

export function registry({ signal, names: [name] }) {
  const problem = h("div", {});
  const refused = h("div", {});
  const about = h("div", {});
  const buttons = h("div", { class: "buttons" });
  const hour = chart(name);
  const path = `/admin/v1/registries/${part(name)}`;

  const look = async () => {
    const [one, health] = await Promise.all([path, `${path}/health`].map((from) => call("GET", from, undefined, { signal })));
    about.replaceChildren(facts([
      ["State", state(one.state)],
      ["Why", one.reason],
      ["About", one.summary],
      ["Adapter", one.adapter && `${one.adapter} ${one.version}`],
      ["Module", one.module && digest(one.module)],
      ["Abilities", one.abilities.join(", ")],
      ["Last changed", one.updatedAt && time(one.updatedAt)],
    ]));
    hour.fill(health);
    switches(one.state === "disabled");
  };
  every(EVERY_MS, signal, problem, look);

  let shown = null;
  function switches(disabled) {
    if (!may("administrator") || shown === disabled) return;
    shown = disabled;
    const word = disabled ? "enable" : "disable";
    const button = h("button", {
      type: "button",
      onclick: async () => {
        const sure = await ask(disabled
          ? { title: `Enable ${name}?`, text: "It is asked again from now on.", doing: "Enable" }
          : { title: `Disable ${name}?`, text: "No call reaches it until it is enabled. Calls under way end.", doing: "Disable", danger: true });
        if (!sure) return;
        if (await attempt(button, refused, () => call("POST", `${path}/${word}`))) {
          say(`${name} is ${word}d.`);
          await look();
          buttons.querySelector("button")?.focus();
        }
      },
    }, disabled ? "Enable" : "Disable");
    buttons.replaceChildren(button);
  }

  const past = history(name, signal);
  const swapping = swap(name, signal, past.look);
  const content = h("div", {},
    h("p", {}, h("a", { href: "#/registries" }, "All registries")),
    problem, about, buttons, refused,
    section("What serves, and what may serve next", swapping.element),
    section("What the candidate would have answered", shadow(name, signal, swapping.inShadow)),
    section("The last hour", hour.element),
    section("What its adapter logs", logs(name, signal)),
    section("What served when", past.element));
  return { title: name, content };
}

function section(title, ...content) {
  return h("section", {}, h("h2", {}, title), content);
}
