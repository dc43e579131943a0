import assert from "node:assert/strict";
import { test } from "node:test";
import { find, given, goTo, logIn, open } from "./driver.mjs";

test("a person's trail is found, and the person stands in no address", async () => {
  const [uin] = given.uins;
  await find("civil", uin);
  const { page, done } = await open({ refused: [401] });
  const addresses = [];
  page.on("request", (request) => addresses.push(request.url()));
  await logIn(page, given.keys.auditor);
  await goTo(page, "audit", "Audit");
  await page.getByLabel("Identifier").fill(uin);
  await page.getByRole("button", { name: "Find who asked" }).click();
  const table = page.getByRole("table", { name: /Calls about this person/ });
  await table.getByRole("row").filter({ hasText: "clinic" }).first().waitFor();
  assert.ok(addresses.some((one) => one.endsWith("/admin/v1/audit/find")));
  assert.deepEqual(addresses.filter((one) => one.includes(uin)), []);
  assert.equal(page.url().includes(uin), false);
  // Gone with the view.
  await goTo(page, "registries", "Registries");
  await page.goBack();
  await page.getByRole("heading", { level: 1, name: "Audit" }).waitFor();
  assert.equal(await page.getByLabel("Identifier").inputValue(), "");
  await done();
});

test("calls and acts are searched, and the record is verified", async () => {
  const { page, done } = await open({ refused: [401] });
  await logIn(page, given.keys.auditor);
  await goTo(page, "audit", "Audit");
  const calls = page.getByRole("form", { name: "Calls", exact: true });
  await calls.getByLabel("Registry").fill("hostile");
  await calls.getByRole("button", { name: "Search" }).click();
  await page.getByRole("table", { name: "Calls, the newest first" }).getByText("hostile: find").first().waitFor();
  const acts = page.getByRole("form", { name: "Acts of administration" });
  await acts.getByLabel("Act", { exact: true }).fill("session.open");
  await acts.getByRole("button", { name: "Search" }).click();
  await page.getByRole("table", { name: /^Acts/ }).getByText("session.open").first().waitFor();
  await page.getByRole("button", { name: "Verify" }).click();
  await page.getByText(/All [\d,]+ rows are what was written/).waitFor();
  await done();
});
