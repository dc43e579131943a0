// One registry's module: staged, in shadow, active, drained, wanted back.

import { h } from "../dom.js";
import { call, may, part } from "../api.js";
import { ask, attempt, digest, every, facts, field, number, say, state, table, time } from "../show.js";

const DRAINING_MS = 400;
const IDLE_MS = 3_000;

export function swap(name, signal, changed) {
  const path = `/admin/v1/registries/${part(name)}`;
  const problem = h("div", {});
  const refused = h("div", {});
  const about = h("div", {});
  const notes = h("div", { role: "status" });
  const buttons = h("div", { class: "buttons" });
  const progress = h("p", { role: "status" });
  const drain = table("Calls that still end with what served before", [
    { head: "Module", cell: (row) => digest(row.module) },
    { head: "Calls", number: true, cell: (row) => number(row.calls) },
    { head: "No new ones since", cell: (row) => time(row.since) },
    { head: "Ends by", cell: (row) => time(row.until) },
  ]);
  const open = table("Answers that callers may still come back for", [
    { head: "Kind", cell: (row) => row.kind },
    { head: "Form", cell: (row) => row.form },
    { head: "Until", cell: (row) => time(row.until) },
  ]);

  let now = null;
  let pace = IDLE_MS;
  const look = async () => fill(await call("GET", `${path}/swap`, undefined, { signal }));

  function fill(view) {
    const was = now;
    now = view;
    pace = view.draining.length > 0 ? DRAINING_MS : IDLE_MS;
    const { active, candidate } = view;
    about.replaceChildren(facts([
      ["Serves", active ? [named(active)] : "nothing"],
      ["Since", view.since && time(view.since)],
      ["Candidate", candidate ? [digest(candidate.module), " ", state(candidate.state)] : "none"],
      ["Share of lookups in shadow", candidate?.sharePercent && `${candidate.sharePercent} %`],
      ["Staged by", candidate?.caller],
      ["The candidate does not load", candidate?.problem],
      ["Ready to go back to", view.ready.length > 0 && view.ready.map((one) => h("span", { class: "block" }, named(one)))],
    ]));
    drain.fill(view.draining, (row) => row.module);
    drain.element.hidden = view.draining.length === 0;
    open.fill(view.open);
    open.element.hidden = view.open.length === 0;
    const left = view.draining.reduce((sum, one) => sum + one.calls, 0);
    if (view.draining.length > 0) progress.textContent = `${number(left)} calls end with what served before.`;
    else if (was?.draining.length > 0) progress.textContent = "All calls are on the active module.";
    offer();
  }

  // Buttons are made anew only where others are to be had: a focus stays where it is.
  let offered = "";
  function offer() {
    const { candidate, active, ready } = now;
    const wanted = [
      may("implementer", "administrator") && ["Stage a module …", stage],
      may("administrator") && candidate && ["Try in shadow …", inShadow],
      may("administrator") && candidate && ["Activate …", activate],
      may("administrator") && candidate && ["Give the candidate up", unstage],
      may("administrator") && active && ready.length > 0 && ["Roll back …", rollBack],
    ].filter(Boolean);
    const names = wanted.map(([text]) => text).join();
    if (names === offered) return;
    offered = names;
    const held = buttons.contains(document.activeElement);
    buttons.replaceChildren(...wanted.map(([text, doing]) => {
      const button = h("button", { type: "button", class: text.startsWith("Activate") ? "primary" : null, onclick: () => doing(button) }, text);
      return button;
    }));
    if (held) buttons.querySelector("button")?.focus();
  }

  async function act(button, doing, done) {
    let answer = {};
    const fine = await attempt(button, refused, async () => {
      answer = await doing();
    });
    notes.replaceChildren();
    if (fine) {
      say(done);
      if (answer.findings?.length > 0) {
        notes.append(h("p", {}, "Look at this before the next step:"), h("dl", { class: "findings" }, answer.findings.map((one) =>
          h("div", {}, h("dt", {}, h("code", {}, one.place)), h("dd", {}, one.problem)))));
      }
    }
    await look();
    changed();
  }

  async function stage(button) {
    let modules = [];
    if (!await attempt(button, refused, async () => ({ modules } = await call("GET", "/admin/v1/modules", undefined, { signal })))) return;
    const others = modules.filter((one) => one.state !== "retired" && one.digest !== now.active?.digest)
      .sort((a, b) => (b.adapter === now.active?.adapter) - (a.adapter === now.active?.adapter) || b.createdAt.localeCompare(a.createdAt));
    if (others.length === 0) return say("There is no other module. Upload one first.");
    const choice = field("Module", {
      kind: "select",
      options: others.map((one) => [one.digest, `${one.adapter} ${one.version} · ${one.digest.slice(7, 19)}`]),
    });
    const sure = await ask({
      title: `Stage a module for ${name}`, text: "It is loaded beside the one that serves, and looked at. Nothing changes for callers.",
      doing: "Stage", content: [choice.element],
    });
    const module = choice.input.value;
    if (sure) await act(button, () => call("POST", `${path}/stage`, { module }), "The module is staged.");
  }

  async function inShadow(button) {
    const share = field("Share of lookups, in percent", { type: "number", min: 1, max: 100, value: now.candidate.sharePercent ?? 10, required: true });
    const sure = await ask({
      title: `Try the candidate of ${name} in shadow`,
      text: "It also answers a share of lookups. Its answers are compared with those that are given, field by field, and go to nobody. It sends nothing to the registry.",
      doing: "Try in shadow", content: [share.element],
    });
    if (sure) await act(button, () => call("POST", `${path}/shadow`, { sharePercent: Number(share.input.value) }), "The candidate answers in shadow.");
  }

  async function activate(button) {
    const { candidate, active } = now;
    const sure = await ask({
      title: `Activate the candidate of ${name}?`,
      text: "Calls from now on go to it. Calls under way end with the module that they began with. You can roll back.",
      doing: "Activate", content: [facts([["Serves now", active && named(active)], ["Is to serve", digest(candidate.module)]])],
    });
    if (sure) {
      await act(button, () => call("POST", `${path}/activate`, { module: candidate.module, ...(active ? { expected: active.digest } : {}) }),
        "The module serves.");
    }
  }

  async function rollBack(button) {
    const choice = field("Back to", {
      kind: "select", options: now.ready.map((one) => [one.digest, `${one.adapter} ${one.version} · ${one.digest.slice(7, 19)}`]),
    });
    const sure = await ask({
      title: `Roll ${name} back?`, text: "Calls from now on go to a module that served before. Calls under way end with the one that they began with.",
      doing: "Roll back", danger: true, content: [choice.element],
    });
    const module = choice.input.value;
    if (sure) await act(button, () => call("POST", `${path}/rollback`, { module }), "Rolled back.");
  }

  async function unstage(button) {
    const sure = await ask({ title: "Give the candidate up?", text: "What serves stays. The module stays admitted.", doing: "Give it up", danger: true });
    if (sure) await act(button, () => call("DELETE", `${path}/candidate`), "There is no candidate.");
  }

  every(() => pace, signal, problem, look);
  const element = h("div", {}, problem, about, progress, drain.element, open.element, buttons, notes, refused);
  return { element, inShadow: () => now?.candidate?.state === "shadow" };
}

function named(module) {
  return h("span", {}, `${module.adapter} ${module.version} `, digest(module.digest));
}
