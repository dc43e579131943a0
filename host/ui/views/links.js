// Which of openIMIS's people are tied to which of a registry's: whose, where and since when, and nobody in them.

import { h } from "../dom.js";
import { call, may, part } from "../api.js";
import { ask, attempt, digest, say, state, time, why } from "../show.js";
import { search } from "../search.js";

const EVERY_MS = 15_000;

export function links({ signal }) {
  const refused = h("div", {});
  const list = search(signal, {
    title: "Links", path: "/admin/v1/links", rows: (page) => page.links, everyMs: EVERY_MS,
    columns: [
      { head: "Link", cell: (row) => h("code", {}, row.id) },
      { head: "State", cell: (row) => (row.ended
        ? [state("ended"), h("p", { class: "hint" }, `${row.ended.reason}, by ${row.ended.by}, `, time(row.ended.at))]
        : state("stands")) },
      { head: "Caller", cell: (row) => row.caller },
      { head: "Registry", cell: (row) => [row.registry, h("p", { class: "hint" }, row.scheme)] },
      { head: "Since", cell: (row) => time(row.linkedAt) },
      { head: "Evidence", cell: (row) => evidence(Object.entries(row.evidence)) },
      { head: "Known by", cell: (row) => [
        row.by.operation ? h("a", { href: `#/operations/${part(row.by.operation)}` }, row.by.ability) : row.by.ability,
        row.by.user && h("p", { class: "hint" }, `for ${row.by.user}`)] },
      { head: "Module", cell: (row) => digest(row.by.module) },
      ...(may("administrator") ? [{ head: "Action", cell: (row) => (row.ended ? "–" : end(row)) }] : []),
    ],
    fields: [
      ["registry", "Registry"], ["caller", "Caller"],
      ["ended", "Which", { kind: "select", options: [["", "those that stand"], ["true", "those that ended, too"]] }],
    ],
  });
  list.look();

  function end(row) {
    const button = h("button", {
      type: "button", "data-focus": `end ${row.id}`, "aria-label": `End the link ${row.id}`,
      onclick: async () => {
        const reason = why("Why it ends", "wrong-person");
        const sure = await ask({
          title: "End this link?", doing: "End it", danger: true, content: [reason.element],
          text: "Its caller is not told of this person’s life events by it any more, and may link either side anew. What stood stays known.",
        });
        if (!sure) return;
        const body = { reason: reason.input.value.trim() };
        if (await attempt(button, refused, () => call("POST", `/admin/v1/links/${part(row.id)}/end`, body))) say("The link has ended.");
        await list.look();
      },
    }, "End …");
    return button;
  }

  function evidence(compared) {
    return compared.length === 0 ? "–"
      : compared.map(([path, agreement]) => h("span", { class: "block" }, h("code", {}, path), ` ${agreement}`));
  }

  return {
    title: "Links",
    content: h("div", {}, h("p", {}, "By a person or a number they are found by their callers alone, who say why they ask."), refused, list.element),
  };
}
