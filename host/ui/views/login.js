import { h } from "../dom.js";
import { login as open } from "../api.js";
import { attempt, field } from "../show.js";

export function login(done, note) {
  const problem = h("div", {});
  const key = field("Key", {
    type: "password", name: "key", required: true, autocomplete: "current-password", spellcheck: "false", "data-first": true,
  }, "Of an implementer, administrator or auditor. It begins with rgw_.");
  const button = h("button", { type: "submit", class: "primary" }, "Log in");
  const form = h("form", {
    class: "login",
    onsubmit: async (event) => {
      event.preventDefault();
      let session = null;
      const fine = await attempt(button, problem, async () => {
        session = await open(key.input.value.trim());
      });
      if (fine && session === null) {
        problem.replaceChildren(refused());
      } else if (fine) {
        await done();
      } else {
        key.input.select();
        key.input.focus();
      }
    },
  }, key.element, button, problem);
  return h("div", {}, note && h("p", { class: "note", role: "alert" }, note), form);
}

/** The key is right and the browser keeps no cookie: most likely there is no TLS. */
function refused() {
  return h("section", { class: "refusal", role: "alert" },
    h("h3", {}, "The browser did not keep the session"),
    h("p", {}, isSecureContext
      ? "Allow cookies for this site."
      : "It does so over HTTPS only. Put a reverse proxy with TLS before the gateway, or use it on its own machine."));
}
