// A callback as it came. It may tell of anybody: it is asked for with a reason, shown in a dialog, and gone
// with it.

import { h, id } from "../dom.js";
import { call, part } from "../api.js";
import { ask, attempt, facts, field, shown } from "../show.js";

export async function came(row, signal, button, refused) {
  const purpose = field("Why you look", { required: true, maxlength: 512, autocomplete: "off", spellcheck: "false" },
    "It is in the audit: nothing of a person belongs here.");
  const sure = await ask({
    title: `Show what came with callback ${row.number}?`,
    text: "It may tell of anybody. That you looked, and why, is in the audit before it is shown.",
    doing: "Show it", content: [purpose.element],
  });
  if (!sure) return;
  let raw = null;
  const fine = await attempt(button, refused, async () => {
    raw = await call("POST", `/admin/v1/callbacks/${part(row.id)}/raw`, { purpose: purpose.input.value.trim() }, { signal });
  });
  if (fine) await shown(seen(row, raw));
}

function seen(row, raw) {
  const title = id("came");
  const pairs = (heading, list) => list.length > 0
    && h("section", {}, h("h3", {}, heading), facts(list.map(({ name, value }) => [name, h("code", {}, value)])));
  const body = h("pre", { tabindex: "0", role: "region", "aria-label": "Body" }, raw.text ?? raw.body);
  return h("dialog", { class: "wide", "aria-labelledby": title },
    h("form", { method: "dialog" },
      h("h2", { id: title }, `What came with callback ${row.number}`),
      h("p", {}, h("code", {}, `${raw.method} /hooks/${row.registry}/${raw.path.replace(/^\//, "")}`)),
      pairs("Query", raw.query),
      pairs("Headers", raw.headers),
      h("section", {}, h("h3", {}, raw.text === null ? "Body, in Base64: it is no text" : "Body"),
        raw.body === "" ? h("p", {}, "It is empty.") : body),
      h("div", { class: "buttons" }, h("button", { type: "submit", class: "primary", autofocus: true }, "Close"))));
}
