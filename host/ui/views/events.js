// What registries tell: life events and the callbacks that brought them, and nobody in either.

import { h } from "../dom.js";
import { call, may, part } from "../api.js";
import { ask, attempt, bytes, digest, number, say, state, time } from "../show.js";
import { search } from "../search.js";
import { came } from "./callback.js";

const EVERY_MS = 10_000;
const STATES = ["new", "received", "refused", "unreadable", "failed"];
/** A person must look at them. */
const UNREAD = ["unreadable", "failed"];

export function events({ signal }) {
  const refused = h("div", {});
  const callbacks = search(signal, {
    title: "Callbacks", path: "/admin/v1/callbacks", rows: (page) => page.callbacks, everyMs: EVERY_MS,
    columns: [
      { head: "Callback", cell: (row) => [number(row.number), h("code", { class: "hint block" }, row.id)] },
      { head: "Came", cell: (row) => time(row.receivedAt) },
      { head: "Registry", cell: (row) => row.registry },
      { head: "State", cell: (row) => [state(row.state), row.reason && h("p", { class: "hint" }, [row.reason, row.code].filter(Boolean).join(": "))] },
      { head: "Events", number: true, cell: (row) => number(row.events) },
      { head: "Answered", number: true, cell: (row) => row.status ?? "–" },
      { head: "Attempts", number: true, cell: (row) => number(row.attempts) },
      { head: "Size", number: true, cell: (row) => bytes(row.size) },
      { head: "Module", cell: (row) => digest(row.module) },
      ...(may("administrator") ? [{ head: "Action", cell: acts }] : []),
    ],
    fields: [
      ["registry", "Registry"],
      ["state", "State", { kind: "select", options: [["", "any"], ...STATES.map((one) => [one, one])] }],
    ],
  });
  const told = search(signal, {
    title: "Life events", path: "/admin/v1/events", rows: (page) => page.events, everyMs: EVERY_MS,
    columns: [
      { head: "Position", cell: (row) => number(row.position) },
      { head: "Registry", cell: (row) => row.registry },
      { head: "What happened", cell: (row) => row.kind.replaceAll("-", " ") },
      { head: "Recorded", cell: (row) => time(row.recordedAt) },
      { head: "Stored", cell: (row) => time(row.storedAt) },
      { head: "Came by", cell: (row) => (row.callback ? ["a callback", h("code", { class: "hint block" }, row.callback)] : "a question") },
      { head: "Module", cell: (row) => digest(row.module) },
      { head: "Kept", cell: (row) => (row.kept ? "yes" : "no") },
    ],
    fields: [["registry", "Registry"]],
    key: (row) => row.position,
  });
  told.look();
  callbacks.look();

  function acts(row) {
    if (!UNREAD.includes(row.state)) return "–";
    const act = (word, name, doing) => {
      const button = h("button", {
        type: "button", "data-focus": `${name} ${row.id}`, "aria-label": `${name} ${row.number}`, onclick: () => doing(button),
      }, word);
      return button;
    };
    return h("div", { class: "acts" },
      act("Show …", "Show callback", (button) => came(row, signal, button, refused)),
      act("Read again …", "Read again callback", (button) => decide(button, {
        title: "Read it again?", text: "The adapter that serves now is given it once more, within some seconds.",
        doing: "Read it again",
      }, `${row.id}/replay`, "It is read again.")),
      act("Discard …", "Discard callback", (button) => decide(button, {
        title: "Discard it?", text: "What came is gone for ever, and what it told is never read. Who did it is in the audit.",
        doing: "Discard it", danger: true,
      }, `${row.id}/discard`, "It is gone.")));
  }

  async function decide(button, question, path, done) {
    if (!await ask(question)) return;
    if (await attempt(button, refused, () => call("POST", `/admin/v1/callbacks/${path.split("/").map(part).join("/")}`, {}))) say(done);
    await callbacks.look();
  }

  return { title: "Events", content: h("div", {}, told.element, refused, callbacks.element) };
}
