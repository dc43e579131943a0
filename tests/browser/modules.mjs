import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { given, goTo, logIn, open } from "./driver.mjs";

const bytes = readFileSync(given.spdci);

/** The same component with one more section that says nothing: another digest. */
export function variant(text) {
  const body = Buffer.concat([Buffer.from([4]), Buffer.from("note"), Buffer.from(text)]);
  assert.ok(body.length < 128);
  return Buffer.concat([bytes, Buffer.from([0, body.length]), body]);
}

export async function upload(page, name, buffer) {
  await page.getByLabel("Module", { exact: true }).setInputFiles({ name, mimeType: "application/wasm", buffer });
  await page.getByRole("button", { name: "Upload" }).click();
}

test("a module is uploaded: one is refused with its findings, a good one is admitted", async () => {
  const { page, done } = await open({ refused: [401, 422] });
  await logIn(page, given.keys.implementer);
  await goTo(page, "modules", "Modules");
  await upload(page, "broken.wasm", bytes.subarray(0, bytes.length / 2));
  const refused = page.getByRole("alert", { name: "broken.wasm is not admitted" });
  await refused.waitFor();
  assert.ok((await refused.innerText()).length > 60, await refused.innerText());
  await upload(page, "good.wasm", variant("uploaded"));
  await page.getByRole("heading", { name: /spdci .* is admitted/ }).waitFor();
  assert.equal(await refused.count(), 0);
  await page.getByRole("row", { name: /spdci/ }).filter({ hasText: "admitted" }).first().waitFor();
  await done();
});

test("an auditor sees modules and brings none", async () => {
  const { page, done } = await open({ refused: [401] });
  await logIn(page, given.keys.auditor);
  await goTo(page, "modules", "Modules");
  await page.getByRole("row", { name: /spdci/ }).first().waitFor();
  assert.equal(await page.getByRole("button", { name: "Upload" }).count(), 0);
  await done();
});
