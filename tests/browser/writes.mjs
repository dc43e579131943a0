// What is written, what registries tell, and who is told of it.

import { test } from "node:test";
import { given, goTo, logIn, open } from "./driver.mjs";

test("an operation is found with its history, and one that waits is cancelled", async () => {
  const { page, done } = await open({ refused: [401] });
  await logIn(page, given.keys.administrator);
  await goTo(page, "operations", "Operations");
  const list = page.getByRole("table", { name: /^Operations/ });
  const applied = list.getByRole("row").filter({ hasText: "records: create" });
  await applied.getByText("applied").waitFor();
  await applied.getByRole("link").click();
  const history = page.getByRole("table", { name: "History" });
  for (const state of ["accepted", "delivering", "applied"]) await history.getByText(state, { exact: true }).first().waitFor();

  await page.getByRole("link", { name: "All operations" }).click();
  const form = page.getByRole("form", { name: "Operations" });
  await form.getByLabel("Registry").fill("away");
  await form.getByRole("button", { name: "Search" }).click();
  await list.getByRole("row").filter({ hasText: "records: create" }).waitFor({ state: "detached" });
  await list.getByRole("row").filter({ hasText: "away: create" }).getByRole("link").click();
  await page.getByRole("button", { name: "Take it back …" }).click();
  await page.getByRole("dialog", { name: "Take it back?" }).getByRole("button", { name: "Take it back", exact: true }).click();
  await history.getByText("cancelled", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Take it back …" }).waitFor({ state: "detached" });
  await done();
});

test("life events and callbacks are seen, and nobody in them", async () => {
  const { page, done } = await open({ refused: [401] });
  await logIn(page, given.keys.auditor);
  await goTo(page, "events", "Events");
  const callbacks = page.getByRole("table", { name: /^Callbacks/ });
  await callbacks.getByRole("row").filter({ hasText: "records" }).getByText("refused").first().waitFor();
  await page.getByRole("table", { name: /^Life events/ }).waitFor();
  await done();
});

test("a webhook is paused and goes on", async () => {
  const { page, done } = await open({ refused: [401] });
  await logIn(page, given.keys.administrator);
  await goTo(page, "webhooks", "Webhooks");
  const row = page.getByRole("row", { name: /^imis/ });
  await row.getByText("active").waitFor();
  for (const [word, state] of [["Pause", "paused"], ["Resume", "active"]]) {
    await row.getByRole("button", { name: `${word} imis` }).click();
    await page.getByRole("dialog", { name: `${word} imis?` }).getByRole("button", { name: word, exact: true }).click();
    await row.getByText(state, { exact: true }).waitFor();
  }
  await done();
});
