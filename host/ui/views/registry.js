import { h } from "../dom.js";
import { call, part } from "../api.js";
import { digest, every, facts, state } from "../show.js";
import { chart } from "./chart.js";
import { logs } from "./logs.js";

const EVERY_MS = 5_000;

export function registry({ signal, names: [name] }) {
  const problem = h("div", {});
  const about = h("div", {});
  const hour = chart(name);
  every(EVERY_MS, signal, problem, async () => {
    const health = await call("GET", `/admin/v1/registries/${part(name)}/health`, undefined, { signal });
    about.replaceChildren(facts([
      ["State", state(health.state)],
      ["About", health.summary],
      ["Module", health.module && digest(health.module)],
    ]));
    hour.fill(health);
  });
  const content = h("div", {},
    h("p", {}, h("a", { href: "#/registries" }, "All registries")),
    problem, about,
    section("The last hour", hour.element),
    section("What its adapter logs", logs(name, signal)));
  return { title: name, content };
}

export function section(title, ...content) {
  return h("section", {}, h("h2", {}, title), content);
}
