// The whole life of a module in one go, by the keyboard alone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { find, given, goTo, logIn, open } from "./driver.mjs";
import { upload, variant } from "./modules.mjs";

/** Walks by Tab to what has that role and name, as who has no mouse does, and presses Enter. */
async function press(page, role, name) {
  const wanted = page.getByRole(role, { name, exact: true }).first();
  await wanted.waitFor();
  for (let steps = 0; steps < 120; steps += 1) {
    if (await wanted.evaluate((one) => one === document.activeElement)) {
      await page.keyboard.press("Enter");
      return;
    }
    await page.keyboard.press("Tab");
  }
  assert.fail(`no way to ${name} by the keyboard`);
}

test("staged, in shadow, active, and rolled back", async () => {
  const { page, done } = await open({ refused: [401, 404] });
  await logIn(page, given.keys.all);
  await goTo(page, "modules", "Modules");
  await upload(page, "next.wasm", variant("next"));
  await page.getByRole("heading", { name: /is admitted/ }).waitFor();
  const digest = (await page.locator(".admitted code").first().innerText()).replace("sha256:", "").slice(0, 12);

  await press(page, "link", "Registries");
  await press(page, "link", "civil");
  await page.getByRole("heading", { level: 1, name: "civil" }).waitFor();
  const before = (await page.locator("code.digest").first().innerText()).trim();
  await press(page, "button", "Stage a module …");
  const staging = page.getByRole("dialog", { name: "Stage a module for civil" });
  await staging.getByLabel("Module").selectOption({ label: await staging.locator("option", { hasText: digest }).innerText() });
  await press(page, "button", "Stage");
  await page.getByText("staged", { exact: true }).waitFor();

  await press(page, "button", "Try in shadow …");
  await page.getByLabel("Share of lookups, in percent").fill("100");
  await press(page, "button", "Try in shadow");
  await page.getByText("shadow", { exact: true }).waitFor();
  for (const uin of given.uins) assert.equal(await find("civil", uin), 200);
  await page.getByText(/[1-9]\d* lookups were compared/).waitFor();

  await press(page, "button", "Activate …");
  await press(page, "button", "Activate");
  await page.getByRole("button", { name: "Roll back …" }).waitFor();
  await page.locator(".facts").getByText(digest).first().waitFor();
  assert.equal(await find("civil", given.uins[0]), 200);

  await press(page, "button", "Roll back …");
  await press(page, "button", "Roll back");
  await page.getByRole("table", { name: "The newest first" }).getByText("rollback").waitFor();
  await page.locator(".facts").getByText(before).first().waitFor();
  assert.equal(await find("civil", given.uins[0]), 200);
  await done();
});
