// What a registry's adapter logs, as it comes.

import { h } from "../dom.js";
import { part, resume } from "../api.js";
import { digest, say, state, time } from "../show.js";

const MOST = 500;
const AGAIN_MS = 3_000;

export function logs(name, signal) {
  const list = h("div", { class: "log", tabindex: "0", role: "log", "aria-label": `Log of ${name}`, "aria-live": "off" });
  const status = h("p", { class: "hint", role: "status" }, "Not followed.");
  const button = h("button", { type: "button", "aria-pressed": "false", onclick: () => (source ? stop() : start()) }, "Follow the log");
  const clear = h("button", { type: "button", onclick: () => list.replaceChildren() }, "Clear");
  let source = null;
  let again = null;

  function start() {
    button.setAttribute("aria-pressed", "true");
    button.textContent = "Stop following";
    status.textContent = "Connecting …";
    // The last lines come again with each connection.
    list.replaceChildren();
    source = new EventSource(`/admin/v1/registries/${part(name)}/logs`);
    source.addEventListener("open", () => (status.textContent = "Following. Names and numbers of people are masked."));
    source.addEventListener("line", (event) => add(JSON.parse(event.data)));
    source.addEventListener("dropped", (event) => {
      note(`${JSON.parse(event.data).lines} lines are missing: this page was too slow.`);
      later();
    });
    source.addEventListener("ended", later);
    source.addEventListener("error", later);
  }

  function later() {
    source?.close();
    source = null;
    status.textContent = "Cut off. Trying again …";
    clearTimeout(again);
    again = setTimeout(async () => {
      try {
        // Without a session the page goes to the login by itself.
        if (!signal.aborted && (await resume()) !== null) start();
        else stop();
      } catch {
        later();
      }
    }, AGAIN_MS);
  }

  function stop() {
    clearTimeout(again);
    source?.close();
    source = null;
    button.setAttribute("aria-pressed", "false");
    button.textContent = "Follow the log";
    status.textContent = "Not followed.";
  }

  function add(line) {
    const end = list.scrollTop + list.clientHeight >= list.scrollHeight - 4;
    list.append(h("p", {}, time(line.at), " ", state(line.level), " ", digest(line.module), " ", h("span", { class: "text" }, line.text)));
    while (list.children.length > MOST) list.firstChild.remove();
    if (end) list.scrollTop = list.scrollHeight;
  }

  function note(text) {
    list.append(h("p", { class: "note" }, text));
    say(text);
  }

  signal.addEventListener("abort", stop);
  return h("div", {}, h("div", { class: "buttons" }, button, clear), status, list);
}
