// What is written: found, decided, and what came of it at the server.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, given, goTo, logIn, nobody, open, operation, reaches, write } from "./driver.mjs";

/** The rows of a table that hold that text. */
const rows = (page, caption, text) => page.getByRole("table", { name: caption }).getByRole("row").filter({ hasText: text });

const dialog = (page, name) => page.getByRole("dialog", { name });

test("operations are searched by registry, state and kind, and one is shown with its history", async () => {
  const done = (await write("records")).id;
  await reaches(done, "applied");
  const waits = (await write("away")).id;
  const { page, done: end } = await open({ refused: [401] });
  await logIn(page, given.keys.auditor);
  await goTo(page, "operations", "Operations");
  await rows(page, /^Operations/, done).getByText("applied").waitFor();
  await rows(page, /^Operations/, waits).waitFor();
  const form = page.getByRole("form", { name: "Operations" });
  const search = async (label, value) => {
    const input = form.getByLabel(label, { exact: true });
    await (label === "Registry" ? input.fill(value) : input.selectOption(value));
    await form.getByRole("button", { name: "Search" }).click();
  };
  await search("Registry", "records");
  await rows(page, /^Operations/, waits).waitFor({ state: "detached" });
  await rows(page, /^Operations/, done).waitFor();
  await search("State", "rejected");
  await page.getByRole("table", { name: /^Operations/ }).getByText("None.").waitFor();
  await search("State", "applied");
  await rows(page, /^Operations/, done).waitFor();
  await search("Kind", "update");
  await rows(page, /^Operations/, done).waitFor({ state: "detached" });
  await search("Kind", "create");
  await rows(page, /^Operations/, done).getByRole("link").click();

  const history = page.getByRole("table", { name: "History" });
  for (const state of ["accepted", "delivering", "applied"]) {
    const step = history.getByRole("row").filter({ has: page.getByText(state, { exact: true }) }).first();
    assert.match(await step.locator("time").getAttribute("datetime"), /^\d{4}-\d\d-\d\dT/);
  }
  // Who audits decides nothing.
  assert.equal(await page.getByRole("button", { name: /…/ }).count(), 0);
  await nobody(page);
  await end();
});

test("a dead letter is sent again, and taken back by the keyboard", async () => {
  const soon = new Date(Date.now() + 1_500).toISOString();
  const { id } = await write("away", { deadline: soon });
  await reaches(id, "given-up");
  const { page, done } = await open({ refused: [401] });
  await logIn(page, given.keys.administrator);
  await goTo(page, "operations", "Operations");
  const dead = rows(page, /^Dead letters/, id);
  await dead.getByText("given up").waitFor();
  await dead.getByRole("link").focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Send again …" }).click();
  // Who says no has done nothing.
  await dialog(page, "Send again?").getByRole("button", { name: "Cancel" }).click();
  assert.equal((await operation(id)).state, "given-up");
  await page.getByRole("button", { name: "Send again …" }).click();
  await dialog(page, "Send again?").getByRole("button", { name: "Send again", exact: true }).click();
  await reaches(id, "waiting");
  const back = page.getByRole("button", { name: "Take it back …" });
  await back.waitFor();
  await page.getByRole("button", { name: "Send again …" }).waitFor({ state: "detached" });
  await back.focus();
  await page.keyboard.press("Enter");
  const sure = dialog(page, "Take it back?");
  await sure.waitFor();
  // What is dangerous is not what Enter does by mistake.
  assert.equal(await sure.getByRole("button", { name: "Cancel" }).evaluate((one) => one === document.activeElement), true);
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
  const cancelled = await reaches(id, "cancelled");
  assert.equal(cancelled.history.at(-1).by, "administrator");
  await page.getByRole("table", { name: "History" }).getByText("cancelled", { exact: true }).waitFor();
  await back.waitFor({ state: "detached" });
  await goTo(page, "operations", "Operations");
  await rows(page, /^Operations/, id).waitFor();
  assert.equal(await rows(page, /^Dead letters/, id).count(), 0);
  await done();
});

test("an unknown outcome is settled with a reason, and not without", async () => {
  const { id } = await write("village");
  await reaches(id, "outcome-unknown");
  const { page, done } = await open({ refused: [401] });
  await logIn(page, given.keys.administrator);
  await goTo(page, `operations/${id}`, "Operation");
  const open_ = page.getByRole("button", { name: "It was done …" });
  await open_.click();
  const sure = dialog(page, "It was done?");
  const settle = sure.getByRole("button", { name: "It was done", exact: true });
  const reason = sure.getByLabel("How you know it");
  await settle.click();
  assert.equal(await sure.isVisible(), true);
  await reason.fill("Maya told me");
  await settle.click();
  assert.equal(await reason.evaluate((input) => input.validity.patternMismatch), true);
  assert.equal((await operation(id)).state, "outcome-unknown");
  await reason.fill("seen-at-the-registry");
  await settle.click();
  const settled = await reaches(id, "applied");
  assert.deepEqual([settled.history.at(-1).by, settled.history.at(-1).reason], ["administrator", "seen-at-the-registry"]);
  const history = page.getByRole("table", { name: "History" });
  await history.getByText("seen-at-the-registry").waitFor();
  await open_.waitFor({ state: "detached" });
  await nobody(page);
  await done();
});

test("who may not decide has no buttons, and is refused by the server", async () => {
  const { id } = await write("away");
  const { page, done } = await open({ refused: [401, 403] });
  await logIn(page, given.keys.implementer);
  await goTo(page, `operations/${id}`, "Operation");
  await page.getByRole("table", { name: "History" }).getByText("accepted", { exact: true }).waitFor();
  assert.equal(await page.getByRole("button", { name: /…/ }).count(), 0);
  const status = await page.evaluate(async (id) => {
    const session = await (await fetch("/admin/v1/session")).json();
    const headers = { "content-type": "application/json", "x-csrf-token": session.csrfToken };
    return (await fetch(`/admin/v1/operations/${id}/cancel`, { method: "POST", headers, body: "{}" })).status;
  }, id);
  assert.equal(status, 403);
  assert.notEqual((await operation(id)).state, "cancelled");
  await done();
});

test("what another decided meanwhile is told", async () => {
  const { id } = await write("away");
  await reaches(id, "waiting");
  const { page, done } = await open({ refused: [401, 409] });
  await logIn(page, given.keys.administrator);
  await goTo(page, `operations/${id}`, "Operation");
  await page.getByRole("button", { name: "Take it back …" }).click();
  const cancel = () => ask("POST", `/admin/v1/operations/${id}/cancel`, { key: given.keys.administrator, body: {} });
  for (let tries = 0; (await cancel()).status !== 204; tries += 1) assert.ok(tries < 50);
  await dialog(page, "Take it back?").getByRole("button", { name: "Take it back", exact: true }).click();
  await page.getByRole("alert").getByText("operation-state").waitFor();
  await page.getByRole("table", { name: "History" }).getByText("cancelled", { exact: true }).waitFor();
  await done();
});
