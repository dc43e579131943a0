import assert from "node:assert/strict";
import { test } from "node:test";
import { given, goTo, logIn, open } from "./driver.mjs";

test("a wrong key and a client's key open nothing, and say so", async () => {
  const { page, done } = await open({ refused: [401, 403] });
  await page.goto(`${given.base}/ui/`);
  for (const [key, words] of [["rgw_wrong", "caller add"], [given.keys.client, "implementer or administrator or auditor"]]) {
    await page.getByLabel("Key").fill(key);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("alert").getByText(words).waitFor();
  }
  assert.equal(await page.getByRole("navigation", { name: "Main" }).count(), 0);
  await done();
});

test("a session lasts over a reload, is in no script's reach, and ends with the log-out", async () => {
  const { page, context, done } = await open({ refused: [401] });
  await logIn(page, given.keys.all);
  const [cookie, ...others] = await context.cookies();
  assert.deepEqual(others, []);
  assert.equal(cookie.httpOnly, true);
  assert.equal(cookie.sameSite, "Strict");
  assert.equal(await page.evaluate(() => document.cookie), "");
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  assert.equal(kept, "[{},{}]");
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "Registries" }).waitFor();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("heading", { level: 1, name: "Log in" }).waitFor();
  assert.deepEqual(await context.cookies(), []);
  await done();
});

test("who is revoked is out at once", async () => {
  const { page, done } = await open({ refused: [401] });
  const admin = { "authorization": `Bearer ${given.keys.all}`, "content-type": "application/json" };
  const added = await fetch(`${given.base}/admin/v1/callers`, {
    method: "POST", headers: admin, body: JSON.stringify({ name: "goes", roles: ["administrator"] }),
  });
  await logIn(page, (await added.json()).key);
  await fetch(`${given.base}/admin/v1/callers/goes`, { method: "DELETE", headers: admin });
  await page.getByText("Your session is over").waitFor();
  await done();
});

test("another site's page cannot act with the session", async () => {
  const { page, context, done } = await open({ refused: [401, 403] });
  await logIn(page, given.keys.all);
  const statuses = await page.evaluate(async () => {
    const send = async (headers) => (await fetch("/admin/v1/callers", {
      method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify({ name: "forged" }),
    })).status;
    return [await send({}), await send({ "x-csrf-token": "AAAA" })];
  });
  assert.deepEqual(statuses, [403, 403]);
  const [cookie] = await context.cookies();
  const forged = await fetch(`${given.base}/admin/v1/callers`, {
    headers: { "cookie": `${cookie.name}=${cookie.value}`, "origin": "https://elsewhere.example" },
  });
  assert.equal(forged.status, 403);
  await done();
});

test("markup in a name stays text", async () => {
  const { page, done } = await open({ refused: [401] });
  const name = "<img src=x onerror=alert><script>alert</script>";
  await fetch(`${given.base}/admin/v1/callers`, {
    method: "POST",
    headers: { "authorization": `Bearer ${given.keys.all}`, "content-type": "application/json" },
    body: JSON.stringify({ name }),
  });
  await logIn(page, given.keys.all);
  await goTo(page, "callers", "Callers");
  await page.getByRole("rowheader", { name }).waitFor();
  assert.equal(await page.locator("main img, main script").count(), 0);
  await done();
});
