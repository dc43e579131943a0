import assert from "node:assert/strict";
import { test } from "node:test";
import { find, given, goTo, logIn, open } from "./driver.mjs";

test("registries are shown with how they did over the last hour", async () => {
  const { page, done } = await open({ refused: [401] });
  await logIn(page, given.keys.implementer);
  const civil = page.getByRole("row", { name: /^civil/ });
  await civil.getByText("ready").waitFor();
  assert.match(await civil.innerText(), /\b\d+\s*ms/);
  await civil.getByRole("link").click();
  await page.getByRole("heading", { level: 1, name: "civil" }).waitFor();
  await page.getByText(/In the last hour on this node \d+ calls were answered, 0 failed/).waitFor();
  await page.getByText("The same as a table").click();
  await page.getByRole("table", { name: /Calls of civil/ }).getByRole("row").nth(1).waitFor();
  assert.notEqual(await page.locator("rect.answered").count(), 0);
  await done();
});

test("an adapter's log comes as it is logged, masked", async () => {
  const { page, done } = await open({ refused: [401] });
  await logIn(page, given.keys.auditor);
  await goTo(page, "registries/hostile", "hostile");
  await page.getByRole("button", { name: "Follow the log" }).click();
  await page.getByText("Following.").waitFor();
  assert.equal(await find("hostile", "log_name", ["Zwimbatosk"]), 200);
  await page.getByRole("log").getByText("cannot map ***").waitFor();
  assert.equal(await page.getByText("Zwimbatosk").count(), 0);
  await page.getByRole("button", { name: "Stop following" }).click();
  await page.getByText("Not followed.").waitFor();
  await done();
});
