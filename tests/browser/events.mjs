// What registries tell, what could not be read of it, and whom it is tied to.

import assert from "node:assert/strict";
import { test } from "node:test";
import { accessible, ask, callBack, given, goTo, logIn, nobody, open, PRIVATE, shot, until } from "./driver.mjs";

const key = given.keys.all;
const callbacks = async (state) =>
  (await ask("GET", `/admin/v1/callbacks?registry=vital&state=${state}`, { key })).json.callbacks;
const acts = async (act) => (await ask("GET", `/admin/v1/audit/acts?act=${act}`, { key })).json.acts;

/** A callback that cannot be read. Gives it as it is listed. */
async function unread(text) {
  const known = (await callbacks("unreadable")).map(({ id }) => id);
  assert.equal((await callBack(`challenge ${text}\nunreadable`)).status, 503);
  const [one] = (await callbacks("unreadable")).filter(({ id }) => !known.includes(id));
  return one;
}

test("life events and callbacks are seen, and nobody in them", async () => {
  const { page, done } = await open({ refused: [401] });
  const addresses = [];
  page.on("request", (request) => addresses.push(request.url()));
  await logIn(page, given.keys.auditor);
  await goTo(page, "events", "Events");
  const told = page.getByRole("table", { name: /^Life events/ });
  const death = told.getByRole("row").filter({ hasText: "death" }).first();
  await death.getByText("vital").waitFor();
  await death.getByText("a callback").waitFor();
  const events = page.getByRole("form", { name: "Life events" });
  await events.getByLabel("Registry").fill("records");
  await events.getByRole("button", { name: "Search" }).click();
  await told.getByText("None.").waitFor();

  const list = page.getByRole("table", { name: /^Callbacks/ });
  await list.getByRole("row").filter({ hasText: "unreadable: form.unknown" }).first().waitFor();
  const form = page.getByRole("form", { name: "Callbacks" });
  await form.getByLabel("State").selectOption("received");
  await form.getByRole("button", { name: "Search" }).click();
  await list.getByRole("row").filter({ hasText: "unreadable" }).first().waitFor({ state: "detached" });
  await list.getByRole("row").filter({ hasText: "received" }).first().waitFor();
  // Who audits does nothing to them.
  assert.equal(await list.getByRole("button").count(), 0);
  assert.equal(await page.getByRole("columnheader", { name: "Action" }).count(), 0);
  await nobody(page, addresses);
  await done();
});

test("what came is shown to who says why, and is gone with its dialog", async () => {
  const one = await unread(PRIVATE[2]);
  const before = (await acts("callback.raw")).length;
  const { page, done } = await open({ refused: [401] });
  const addresses = [];
  page.on("request", (request) => addresses.push(request.url()));
  await logIn(page, given.keys.administrator);
  await goTo(page, "events", "Events");
  const show = page.getByRole("button", { name: `Show callback ${one.number}`, exact: true });
  await show.click();
  const why = page.getByRole("dialog", { name: `Show what came with callback ${one.number}?` });
  await why.getByRole("button", { name: "Show it" }).click();
  assert.equal(await why.isVisible(), true);
  assert.equal((await acts("callback.raw")).length, before);
  await why.getByLabel("Why you look").fill("mend-the-adapter");
  await why.getByRole("button", { name: "Show it" }).click();
  const came = page.getByRole("dialog", { name: `What came with callback ${one.number}` });
  await came.getByText(`challenge ${PRIVATE[2]}`).waitFor();
  await came.getByText("POST /hooks/vital/on-event").waitFor();
  await accessible(page, "what came");
  await shot(page, "callback-light-wide");
  const after = await acts("callback.raw");
  assert.deepEqual([after.length, after[0].caller, after[0].subject, after[0].outcome], [before + 1, "administrator", one.id, "done"]);
  await came.getByRole("button", { name: "Close" }).click();
  await came.waitFor({ state: "detached" });
  await nobody(page, addresses);

  // Whoever leaves the view leaves nothing behind.
  await show.click();
  await why.getByLabel("Why you look").fill("mend-the-adapter");
  await why.getByRole("button", { name: "Show it" }).click();
  await came.waitFor();
  await page.evaluate(() => { location.hash = "#/registries"; });
  await page.getByRole("heading", { level: 1, name: "Registries" }).waitFor();
  assert.equal(await page.locator("dialog").count(), 0);
  await nobody(page, addresses);
  await done();
});

test("what could not be read is read again, and given up", async () => {
  const one = await unread("again");
  const { page, done } = await open({ refused: [401] });
  await logIn(page, given.keys.administrator);
  await goTo(page, "events", "Events");
  const decide = async (word, name, title, doing) => {
    await page.getByRole("button", { name: `${name} ${one.number}`, exact: true }).click();
    await page.getByRole("dialog", { name: title }).getByRole("button", { name: doing, exact: true }).click();
  };
  await decide("Read again …", "Read again callback", "Read it again?", "Read it again");
  // It is as unreadable as before; and it was tried.
  await until("it was tried again", () => callbacks("unreadable"),
    (list) => list.some(({ id, changedAt }) => id === one.id && changedAt !== one.changedAt));
  assert.equal((await acts("callback.replay")).some(({ subject }) => subject === one.id), true);
  await goTo(page, "operations", "Operations");
  await goTo(page, "events", "Events");
  const row = page.getByRole("row").filter({ hasText: one.id });
  await row.getByText("unreadable", { exact: true }).waitFor();
  await page.getByRole("button", { name: `Discard callback ${one.number}`, exact: true }).click();
  await page.getByRole("dialog", { name: "Discard it?" }).getByRole("button", { name: "Cancel" }).click();
  assert.equal((await callbacks("unreadable")).some(({ id }) => id === one.id), true);
  await decide("Discard …", "Discard callback", "Discard it?", "Discard it");
  await row.waitFor({ state: "detached" });
  assert.equal((await callbacks("unreadable")).some(({ id }) => id === one.id), false);
  assert.equal((await acts("callback.discard")).find(({ subject }) => subject === one.id).caller, "administrator");
  await done();
});

test("links are seen, and one is ended with a reason", async () => {
  const links = async (more) => (await ask("GET", `/admin/v1/links?caller=clinic${more}`, { key })).json.links;
  const [{ id }] = await links("");
  const { page, done } = await open({ refused: [401] });
  const addresses = [];
  page.on("request", (request) => addresses.push(request.url()));
  await logIn(page, given.keys.administrator);
  await goTo(page, "links", "Links");
  const row = page.getByRole("table", { name: /^Links/ }).getByRole("row").filter({ hasText: id });
  await row.getByText("stands").waitFor();
  await row.getByText("clinic").waitFor();
  await row.getByRole("button", { name: `End the link ${id}` }).click();
  const sure = page.getByRole("dialog", { name: "End this link?" });
  await sure.getByRole("button", { name: "End it" }).click();
  assert.equal((await links("")).length, 1);
  await sure.getByLabel("Why it ends").fill("wrong-person");
  await sure.getByRole("button", { name: "End it" }).click();
  await row.waitFor({ state: "detached" });
  assert.equal((await links("")).length, 0);
  const [ended] = await links("&ended=true");
  assert.deepEqual([ended.ended.reason, ended.ended.by], ["wrong-person", "administrator"]);
  const form = page.getByRole("form", { name: "Links" });
  await form.getByLabel("Which").selectOption("true");
  await form.getByRole("button", { name: "Search" }).click();
  await row.getByText("wrong-person, by administrator").waitFor();
  await nobody(page, addresses);
  await done();
});
