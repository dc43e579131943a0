// What registries tell: life events and the callbacks that brought them, and nobody in either.

import { h } from "../dom.js";
import { call, may, part } from "../api.js";
import { ask, attempt, bytes, digest, number, say, state, time } from "../show.js";
import { search } from "../search.js";

const STATES = ["new", "received", "refused", "unreadable", "failed"];

export function events({ signal }) {
  const refused = h("div", {});
  const callbacks = search(signal, {
    title: "Callbacks", path: "/admin/v1/callbacks", rows: (page) => page.callbacks,
    columns: [
      { head: "Came", cell: (row) => time(row.receivedAt) },
      { head: "Registry", cell: (row) => row.registry },
      { head: "State", cell: (row) => [state(row.state), row.reason && h("p", { class: "hint" }, [row.reason, row.code].filter(Boolean).join(": "))] },
      { head: "Events", number: true, cell: (row) => number(row.events) },
      { head: "Answered", number: true, cell: (row) => row.status ?? "–" },
      { head: "Attempts", number: true, cell: (row) => number(row.attempts) },
      { head: "Size", number: true, cell: (row) => bytes(row.size) },
      { head: "Module", cell: (row) => digest(row.module) },
      { head: "Action", cell: (row) => (may("administrator") && ["unreadable", "failed"].includes(row.state) ? replay(row) : "–") },
    ],
    fields: [
      ["registry", "Registry"],
      ["state", "State", { kind: "select", options: [["", "any"], ...STATES.map((one) => [one, one])] }],
    ],
  });
  const told = search(signal, {
    title: "Life events", path: "/admin/v1/events", rows: (page) => page.events,
    columns: [
      { head: "Position", number: true, cell: (row) => number(row.position) },
      { head: "Registry", cell: (row) => row.registry },
      { head: "What happened", cell: (row) => row.kind.replaceAll("-", " ") },
      { head: "Recorded", cell: (row) => time(row.recordedAt) },
      { head: "Stored", cell: (row) => time(row.storedAt) },
      { head: "Came by", cell: (row) => (row.callback ? "a callback" : "a question") },
      { head: "Module", cell: (row) => digest(row.module) },
    ],
    fields: [["registry", "Registry"]],
    key: (row) => row.position,
  });
  told.look();
  callbacks.look();

  function replay(row) {
    const button = h("button", {
      type: "button", "aria-label": `Read the callback ${row.number} again`,
      onclick: async () => {
        const sure = await ask({
          title: "Read it again?", text: "The adapter that serves now is given it once more.", doing: "Read it again",
        });
        if (!sure) return;
        const done = await attempt(button, refused, () => call("POST", `/admin/v1/callbacks/${part(row.id)}/replay`, {}));
        if (done) say("It is read again.");
        await callbacks.look();
      },
    }, "Read again");
    return button;
  }

  return { title: "Events", content: h("div", {}, refused, told.element, callbacks.element) };
}
