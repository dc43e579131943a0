// Calls by the minute, as a picture, as a sentence and as a table.

import { h, s } from "../dom.js";
import { minute, ms, number, table } from "../show.js";

const WIDTH = 600;
const HEIGHT = 120;
const STEP = WIDTH / 60;

export function chart(name) {
  const calls = h("div", { class: "chart" });
  const took = h("div", { class: "chart" });
  const sum = h("p", {});
  const rows = table(`Calls of ${name} by the minute, newest first`, [
    { head: "Minute", cell: (row) => minute(row.at) },
    { head: "Answered", number: true, cell: (row) => number(row.answered) },
    { head: "Failed", number: true, cell: (row) => number(row.failed) },
    { head: "Refused", number: true, cell: (row) => number(row.refused) },
    { head: "Half within", number: true, cell: (row) => ms(row.p50Ms) },
    { head: "95 % within", number: true, cell: (row) => ms(row.p95Ms) },
    { head: "99 % within", number: true, cell: (row) => ms(row.p99Ms) },
  ], { none: "No calls in the last hour." });
  const element = h("div", {}, sum, h("div", { class: "charts" }, calls, took),
    h("details", {}, h("summary", {}, "The same as a table"), rows.element));
  const fill = (health) => {
    const { hour, minutes } = health;
    sum.textContent = hour.answered + hour.failed + hour.refused === 0
      ? "No calls in the last hour on this node."
      : `In the last hour on this node ${number(hour.answered)} calls were answered, ${number(hour.failed)} failed and `
        + `${number(hour.refused)} were refused. Half took up to ${ms(hour.p50Ms)}, 95 % up to ${ms(hour.p95Ms)}.`;
    calls.replaceChildren(...bars(minutes));
    took.replaceChildren(...times(minutes));
    rows.fill([...minutes].reverse().filter((one) => one.answered + one.failed + one.refused > 0), (row) => row.at);
  };
  return { element, fill };
}

function bars(minutes) {
  const most = Math.max(1, ...minutes.map((one) => one.answered + one.failed + one.refused));
  const picture = frame(`Calls per minute, at most ${number(most)}`);
  minutes.forEach((one, index) => {
    let from = HEIGHT;
    for (const kind of ["answered", "refused", "failed"]) {
      const height = (one[kind] / most) * HEIGHT;
      if (height === 0) continue;
      from -= height;
      picture.append(s("rect", { x: index * STEP + 1, y: from, width: STEP - 2, height, class: kind }));
    }
  });
  return [
    legend(`Calls per minute (top: ${number(most)})`, [["answered", "answered"], ["refused", "refused"], ["failed", "failed"]]),
    picture, axis(minutes),
  ];
}

function times(minutes) {
  const most = Math.max(1, ...minutes.map((one) => one.p95Ms ?? 0));
  const picture = frame(`Time of calls, at most ${ms(most)}`);
  for (const [kind, of] of [["p95", (one) => one.p95Ms], ["p50", (one) => one.p50Ms]]) {
    minutes.forEach((one, index) => {
      const value = of(one);
      if (value === undefined) return;
      const y = HEIGHT - (value / most) * (HEIGHT - 3);
      picture.append(s("rect", { x: index * STEP + 1, y: y - 3, width: STEP - 2, height: 3, class: kind }));
    });
  }
  return [legend(`Time of calls (top: ${ms(most)})`, [["p95", "95 % within"], ["p50", "half within"]]), picture, axis(minutes)];
}

function frame(label) {
  return s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": `${label}. The table below has the figures.` });
}

function legend(title, kinds) {
  return h("p", { class: "legend" }, h("b", {}, title), " ",
    kinds.map(([kind, text]) => [h("span", { class: `key ${kind}`, "aria-hidden": "true" }), `${text} `]));
}

function axis(minutes) {
  return h("p", { class: "axis", "aria-hidden": "true" },
    h("span", {}, minute(minutes[0].at)), h("span", {}, minute(minutes[30].at)), h("span", {}, "now"));
}
