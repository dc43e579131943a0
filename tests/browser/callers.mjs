import assert from "node:assert/strict";
import { test } from "node:test";
import { given, goTo, logIn, open } from "./driver.mjs";

test("a caller is added, gets its key this once, and is revoked", async () => {
  const { page, done } = await open({ refused: [401, 409] });
  await logIn(page, given.keys.administrator);
  await goTo(page, "callers", "Callers");
  const add = async () => {
    await page.getByText("Add a caller", { exact: true }).click();
    await page.getByLabel("Name").fill("hospital");
    await page.getByLabel("Registries", { exact: true }).fill("civil");
    await page.getByRole("button", { name: "Add the caller" }).click();
  };
  await add();
  const dialog = page.getByRole("dialog", { name: "The key of hospital" });
  const key = await dialog.getByLabel("Key").inputValue();
  assert.match(key, /^rgw_/);
  await dialog.getByRole("button", { name: "I have it" }).click();
  assert.equal(await page.evaluate((key) => document.documentElement.outerHTML.includes(key), key), false);
  const row = page.getByRole("row", { name: /^hospital/ });
  await row.getByText("active").waitFor();
  const listed = () => fetch(`${given.base}/v1/registries`, { headers: { authorization: `Bearer ${key}` } });
  assert.equal((await listed()).status, 200);

  await add();
  await page.getByRole("alert").getByText("taken").first().waitFor();

  await row.getByRole("button", { name: "Revoke hospital" }).click();
  const sure = page.getByRole("dialog", { name: "Revoke hospital?" });
  await sure.getByRole("button", { name: "Cancel" }).click();
  assert.equal((await listed()).status, 200);
  await row.getByRole("button", { name: "Revoke hospital" }).click();
  await sure.getByRole("button", { name: "Revoke", exact: true }).click();
  await row.locator(".state", { hasText: "revoked" }).waitFor();
  assert.equal((await listed()).status, 401);
  await done();
});

test("who may not administer callers sees nothing of them", async () => {
  const { page, done } = await open({ refused: [401] });
  await logIn(page, given.keys.auditor);
  assert.equal(await page.getByRole("link", { name: "Callers" }).count(), 0);
  await goTo(page, "callers", "There is nothing here");
  await done();
});
