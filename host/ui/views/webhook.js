import { h } from "../dom.js";
import { call, may, part } from "../api.js";
import { ask, attempt, every, facts, field, ms, number, say, state, time } from "../show.js";
import { once } from "./key.js";
import { SECRET } from "./webhooks.js";

const EVERY_MS = 5_000;

export function webhook({ signal, names: [name] }) {
  const path = `/admin/v1/webhooks/${part(name)}`;
  const problem = h("div", {});
  const refused = h("div", {});
  const about = h("div", {});
  const told = h("p", { role: "status" });
  const buttons = h("div", { class: "buttons" });
  let shown = "";
  const look = async () => {
    const one = await call("GET", path, undefined, { signal });
    about.replaceChildren(facts([
      ["State", state(one.state)],
      ["Why", one.reason],
      ["Caller", one.caller],
      ["Address", h("code", {}, one.url)],
      ["Purpose", one.purpose],
      ["Legal basis", one.legalBasis],
      ["User", one.user],
      ["Entity", one.entity],
      ["Registries", one.registries.join(", ") || "all that its caller may read"],
      ["Kinds of events", one.kinds.join(", ") || "all"],
      ["Told up to", h("code", {}, one.cursor)],
      ["Behind", number(one.lag)],
      ["Last taken", time(one.deliveredAt)],
      ["Failures in a row", number(one.attempts)],
      ["Failing since", one.failingSince && time(one.failingSince)],
      ["Problem", one.problem],
      ["Signed with the secret before, too, until", one.previousUntil && time(one.previousUntil)],
      ["Added", time(one.createdAt)],
      ["Changed", time(one.changedAt)],
    ]));
    offer(one.state);
  };
  every(EVERY_MS, signal, problem, look);

  function offer(stands) {
    if (!may("administrator") || shown === stands) return;
    shown = stands;
    const held = buttons.contains(document.activeElement);
    buttons.replaceChildren(...[
      stands === "paused" ? ["Resume …", resume] : ["Pause …", pause],
      ["Replay …", replay],
      ["New secret …", rotate],
      ["Ping", ping],
      ["Remove …", remove],
    ].map(([word, doing]) => {
      const button = h("button", { type: "button", onclick: () => doing(button) }, word);
      return button;
    }));
    if (held) buttons.querySelector("button").focus();
  }

  /** Asks, does it, and looks again. Gives the answer, or null. */
  async function act(button, question, way, body, done) {
    if (question && !await ask(question)) return null;
    told.textContent = "";
    let answer = null;
    const fine = await attempt(button, refused, async () => {
      answer = await call("POST", `${path}/${way}`, body());
    });
    if (fine && done) say(done);
    await attempt(button, problem, look);
    return fine ? answer : null;
  }

  const pause = (button) => act(button, {
    title: `Pause ${name}?`, text: "No message goes until it is resumed. Nothing is lost: what is new is told then.", doing: "Pause", danger: true,
  }, "pause", () => ({}), `${name} is paused.`);

  const resume = (button) => act(button, {
    title: `Resume ${name}?`, text: "It goes on from where it stopped.", doing: "Resume",
  }, "resume", () => ({}), `${name} goes on.`);

  const replay = (button) => {
    const after = field("Behind this cursor", { required: true, autocomplete: "off", spellcheck: "false" },
      "A cursor of the feed or of a message, such as e1-1f4; e1-0 is before the first.");
    return act(button, {
      title: `Replay ${name}?`, text: "What is behind the cursor is sent, what was sent already too, under its old ids.",
      doing: "Replay", content: [after.element],
    }, "replay", () => ({ after: after.input.value.trim() }), `${name} goes on from there.`);
  };

  const rotate = async (button) => {
    const overlap = field("The one before", { kind: "select", options: [["86400", "goes on for a day"], ["604800", "goes on for a week"], ["3600", "goes on for an hour"], ["0", "ends now"]] },
      "For so long messages are signed with both.");
    const rotated = await act(button, {
      title: `Another secret for ${name}?`, text: "It is shown once.", doing: "Make the secret", content: [overlap.element],
    }, "secret", () => ({ overlapSeconds: Number(overlap.input.value) }), null);
    if (rotated) await once({ name, key: rotated.secret, what: "secret", about: SECRET });
  };

  const ping = async (button) => {
    const pinged = await act(button, null, "ping", () => ({}), null);
    if (!pinged) return;
    told.textContent = pinged.taken
      ? `A message that tells of nobody was taken: status ${pinged.status}, after ${ms(pinged.tookMs)}.`
      : `A message that tells of nobody was not taken: ${pinged.problem ?? `status ${pinged.status}`}, after ${ms(pinged.tookMs)}.`;
  };

  const remove = async (button) => {
    const sure = await ask({ title: `Remove ${name}?`, text: "Nothing is sent there any more, and its secrets are gone.", doing: "Remove", danger: true });
    if (!sure || !await attempt(button, refused, () => call("DELETE", path))) return;
    say(`${name} is removed.`);
    location.hash = "#/webhooks";
  };

  return {
    title: name,
    content: h("div", {}, h("p", {}, h("a", { href: "#/webhooks" }, "All webhooks")), problem, about, buttons, told, refused),
  };
}
