import { h } from "../dom.js";
import { call, part } from "../api.js";
import { digest, every, table, time } from "../show.js";

const EVERY_MS = 10_000;

export function history(name, signal) {
  const problem = h("div", {});
  const list = table("The newest first", [
    { head: "From", cell: (row) => time(row.at) },
    { head: "Served", cell: (row) => (row.module ? digest(row.module) : "nothing") },
    { head: "Until then", cell: (row) => (row.previous ? digest(row.previous) : "nothing") },
    { head: "By", cell: (row) => row.caller },
    { head: "How", cell: (row) => row.why },
  ], { none: "Nothing has served yet." });
  const look = async () => {
    const { activations } = await call("GET", `/admin/v1/registries/${part(name)}/history?limit=50`, undefined, { signal });
    list.fill(activations, (row) => row.at);
  };
  every(EVERY_MS, signal, problem, look);
  return { element: h("div", {}, problem, list.element), look };
}
