// A real Chromium, and what no page may do in it: complain, break its policy, ask anybody else.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

export const given = JSON.parse(process.env.GIVEN);
export const LOOKS = [
  { name: "light-wide", colorScheme: "light", viewport: { width: 1280, height: 800 } },
  { name: "light-small", colorScheme: "light", viewport: { width: 360, height: 740 } },
  { name: "dark-wide", colorScheme: "dark", viewport: { width: 1280, height: 800 } },
  { name: "dark-small", colorScheme: "dark", viewport: { width: 360, height: 740 } },
];

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
mkdirSync(given.screenshots, { recursive: true });

let browser;
export async function start() {
  browser = await chromium.launch({ executablePath: given.chromium });
}
export async function stop() {
  await browser.close();
}

/**
 * A page of a browser of its own. `refused` are statuses that the test brings about: Chromium
 * reports each as an error.
 */
export async function open({ look = LOOKS[0], refused = [] } = {}) {
  const context = await browser.newContext({ colorScheme: look.colorScheme, viewport: look.viewport, locale: "en-GB" });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const wrong = [];
  const fine = (text) => refused.some((status) => text.includes(`status of ${status} `));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !fine(message.text())) wrong.push(message.text());
  });
  page.on("pageerror", (error) => wrong.push(String(error.stack)));
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== given.base && protocol !== "data:") wrong.push(`asks ${request.url()}`);
  });
  const done = async () => {
    await context.close();
    assert.deepEqual(wrong, []);
  };
  return { page, context, done };
}

/** Logs in by the form. The page asks first whether there is a session: 401 says that there is none. */
export async function logIn(page, key) {
  await page.goto(`${given.base}/ui/`);
  await page.getByLabel("Key").fill(key);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("button", { name: "Log out" }).waitFor();
}

export async function goTo(page, hash, heading) {
  await page.goto(`${given.base}/ui/#/${hash}`);
  await page.getByRole("heading", { level: 1, name: heading }).waitFor();
}

/** What an automated check knows of accessibility, and that nothing is wider than the screen. */
export async function accessible(page, name) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`);
  assert.deepEqual(told, [], name);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(wide, 0, `${name} scrolls sideways`);
}

export async function shot(page, name) {
  await page.screenshot({ path: join(given.screenshots, `${name}.png`), fullPage: true });
}

/** Asks the gateway as openIMIS does. */
export async function find(registry, value, more = []) {
  const response = await fetch(`${given.base}/v1/registries/${registry}/find`, {
    method: "POST",
    headers: { "authorization": `Bearer ${given.keys.client}`, "content-type": "application/json", "registry-purpose": "test" },
    body: JSON.stringify({ identifiers: [value, ...more].map((one) => ({ scheme: "national-id", value: one })) }),
  });
  await response.text();
  return response.status;
}

/** Asks with a key, or none. Gives the status and the answer's JSON. */
export async function ask(method, path, { key, body, headers = {} } = {}) {
  const more = key ? { authorization: `Bearer ${key}` } : {};
  const text = typeof body === "string" || body === undefined ? body : JSON.stringify(body);
  const response = await fetch(`${given.base}${path}`, {
    method, body: text, headers: { "content-type": "application/json", "registry-purpose": "test", ...more, ...headers },
  });
  const told = await response.text();
  let json = null;
  try {
    json = JSON.parse(told);
  } catch { /* No JSON. */ }
  return { status: response.status, json, text: told };
}

/** What it gives once it is what is waited for. */
export async function until(what, look, is) {
  for (const began = Date.now(); Date.now() - began < 20_000;) {
    const seen = await look();
    if (is(seen)) return seen;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return assert.fail(`in vain: ${what}`);
}

const SUBJECT = "Person-Zwimbatosk-4711";
const FAMILY = "Qzuxvyn";
/** What is written and called back, and must stand nowhere on a page and in no address. */
export const PRIVATE = [SUBJECT, FAMILY, "4711-2026"];

let writes = 0;
/** Writes somebody new to a registry. Gives the operation as it was taken. */
export async function write(registry, more = {}) {
  writes += 1;
  const taken = await ask("POST", `/v1/registries/${registry}/operations`, {
    key: given.keys.writer, headers: { "idempotency-key": `write-${process.pid}-${writes}` },
    body: { subject: `${SUBJECT}-${writes}`, create: { person: { names: [{ family: FAMILY }], sex: "female" } }, ...more },
  });
  assert.equal(taken.status, 202, taken.text);
  return taken.json;
}

/** An operation, as the server has it. */
export async function operation(id) {
  const shown = await ask("GET", `/admin/v1/operations/${id}`, { key: given.keys.all });
  assert.equal(shown.status, 200, shown.text);
  return shown.json;
}

export const reaches = (id, state) => until(`${id} is ${state}`, () => operation(id), (it) => it.state === state);

/** The registry `vital` calls back. */
export function callBack(body) {
  return ask("POST", "/hooks/vital/on-event", { body, headers: { "x-token": "right", "content-type": "text/plain" } });
}

/** Nobody of whom was written or told is on the page, in its address, in one it asked, or kept by the browser. */
export async function nobody(page, addresses = []) {
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  assert.equal(kept, "[{},{}]");
  const everywhere = [await page.content(), page.url(), ...addresses].join(" ");
  assert.deepEqual([...PRIVATE, ...given.uins].filter((one) => everywhere.includes(one)), []);
}
