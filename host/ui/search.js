// What is listed the newest first, page by page, by fields of which none is about a person.

import { h } from "./dom.js";
import { call } from "./api.js";
import { attempt, field, table } from "./show.js";

/**
 * A section with a form and a table. `fields`: [name, label, attributes]; `times`: since and before, too.
 * Gives the element, and `look` that asks for the first page.
 */
export function search(signal, { title, path, rows: rowsOf, columns, fields, times = false, key = (row) => row.id }) {
  const inputs = fields.map(([name, label, attributes = {}]) =>
    ({ name, ...field(label, { autocomplete: "off", spellcheck: "false", ...attributes }) }));
  const spans = times
    ? [["since", "Since"], ["until", "Before"]].map(([name, label]) => ({ name, ...field(label, { type: "datetime-local" }) }))
    : [];
  const button = h("button", { type: "submit" }, "Search");
  const more = h("button", { type: "button", hidden: true }, "Show older ones");
  const problem = h("div", {});
  const list = table(`${title}, the newest first`, columns, { none: "None." });
  list.element.hidden = true;
  let rows = [];
  const ask = async (before) => {
    const query = new URLSearchParams({ limit: "50" });
    for (const { name, input } of inputs) if (input.value.trim()) query.set(name, input.value.trim());
    for (const { name, input } of spans) if (input.value) query.set(name, new Date(input.value).toISOString());
    if (before) query.set("before", before);
    const page = await call("GET", `${path}?${query}`, undefined, { signal });
    rows = [...(before ? rows : []), ...rowsOf(page)];
    list.fill(rows, key);
    list.element.hidden = false;
    more.hidden = !page.next;
    more.onclick = () => attempt(more, problem, () => ask(page.next));
  };
  const look = () => attempt(button, problem, () => ask(null));
  const form = h("form", {
    class: "search", "aria-label": title,
    onsubmit: async (event) => {
      event.preventDefault();
      await look();
    },
  }, [...inputs, ...spans].map(({ element }) => element), h("div", { class: "buttons" }, button));
  return { element: h("section", {}, h("h2", {}, title), form, problem, list.element, more), look };
}
