import { h } from "../dom.js";
import { shown } from "../show.js";

const KEY = "It is shown this once: the gateway keeps only a hash of it. Hand it over by a safe way.";

/** A key or a secret is shown once, and is nowhere on the page afterwards. */
export async function once({ name, key, what = "key", about = KEY }) {
  const value = h("input", { id: "new-key", readonly: true, spellcheck: "false", autocomplete: "off", autofocus: true });
  // As a property: an attribute would stand in the page's markup.
  value.value = key;
  const label = what.charAt(0).toUpperCase() + what.slice(1);
  const copy = h("button", {
    type: "button",
    onclick: async () => {
      value.select();
      try {
        await navigator.clipboard.writeText(key);
        copy.textContent = "Copied";
      } catch {
        copy.textContent = "Selected: copy it";
      }
    },
  }, "Copy");
  const dialog = h("dialog", { "aria-labelledby": "key-title", "aria-describedby": "key-about" },
    h("form", { method: "dialog" },
      h("h2", { id: "key-title" }, `The ${what} of ${name}`),
      h("p", { id: "key-about" }, about),
      h("div", { class: "field" }, h("label", { for: "new-key" }, label), value),
      h("div", { class: "buttons" }, copy, h("button", { type: "submit", class: "primary" }, "I have it"))));
  await shown(dialog);
  value.value = "";
}
