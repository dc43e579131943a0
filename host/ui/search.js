// What is listed the newest first, page by page, by fields of which none is about a person.

import { h } from "./dom.js";
import { call } from "./api.js";
import { attempt, every, field, table } from "./show.js";

/**
 * A section with a form and a table. `fields`: [name, label, attributes]; `times`: since and before, too.
 * With `everyMs` the first page is looked at again by itself. Gives the element, and `look` that asks for
 * the first page.
 */
export function search(signal, { title, path, rows: rowsOf, columns, fields, times = false, key = (row) => row.id, everyMs = null, none = "None." }) {
  const inputs = fields.map(([name, label, attributes = {}]) =>
    ({ name, ...field(label, { autocomplete: "off", spellcheck: "false", ...attributes }) }));
  const spans = times
    ? [["since", "Since"], ["until", "Before"]].map(([name, label]) => ({ name, ...field(label, { type: "datetime-local" }) }))
    : [];
  const button = h("button", { type: "submit" }, "Search");
  const more = h("button", { type: "button", hidden: true }, "Show older ones");
  const problem = h("div", {});
  const away = h("div", {});
  const list = table(`${title}, the newest first`, columns, { none });
  list.element.hidden = true;
  let rows = [];
  let pages = 0;
  // What was searched for last: what is being typed is not searched for yet.
  let asked = new URLSearchParams();
  let turn = 0;
  const ask = async (before) => {
    turn += 1;
    const own = turn;
    const query = new URLSearchParams(asked);
    if (before) query.set("before", before);
    const page = await call("GET", `${path}?${query}`, undefined, { signal });
    // Another was asked for meanwhile: this one is no answer to it.
    if (own !== turn) return;
    rows = [...(before ? rows : []), ...rowsOf(page)];
    pages = before ? pages + 1 : 1;
    list.fill(rows, key);
    list.element.hidden = false;
    more.hidden = !page.next;
    more.onclick = () => attempt(more, problem, () => ask(page.next));
  };
  const look = () => attempt(button, problem, () => {
    asked = new URLSearchParams({ limit: "50" });
    for (const { name, input } of inputs) if (input.value.trim()) asked.set(name, input.value.trim());
    for (const { name, input } of spans) if (input.value) asked.set(name, new Date(input.value).toISOString());
    return ask(null);
  });
  // Whoever has gone to older ones stays there.
  if (everyMs !== null) every(everyMs, signal, away, async () => pages === 1 && ask(null));
  const form = h("form", {
    class: "search", "aria-label": title,
    onsubmit: async (event) => {
      event.preventDefault();
      await look();
    },
  }, [...inputs, ...spans].map(({ element }) => element), h("div", { class: "buttons" }, button));
  return { element: h("section", {}, h("h2", {}, title), form, problem, away, list.element, more), look };
}
