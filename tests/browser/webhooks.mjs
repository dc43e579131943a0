// Who is told of life events: added, stopped, sent again, and what its receiver has of it.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { ask, callBack, given, goTo, logIn, nobody, open, until } from "./driver.mjs";

const key = given.keys.all;
const webhook = async () => (await ask("GET", "/admin/v1/webhooks/imis", { key })).json;
const stands = (state) => until(`it is ${state}`, webhook, (it) => it.state === state);

// Who receives: which message came, and by how many secrets it was signed.
const messages = [];
const receiver = createServer((request, response) => {
  let body = "";
  request.on("data", (piece) => { body += piece; });
  request.on("end", () => {
    const { "webhook-id": id, "webhook-signature": signature } = request.headers;
    messages.push({ id, type: JSON.parse(body).type, signatures: signature.split(" ").length });
    response.writeHead(204).end();
  });
});
before(() => new Promise((resolve) => { receiver.listen(0, "127.0.0.1", resolve); }));
after(() => receiver.close());
const deaths = () => messages.filter(({ type }) => type === "event.death");

test("a webhook is added, its secret shown this once; it is paused, resumed, replayed, given another secret and removed", async () => {
  const { page, done } = await open({ refused: [401, 422, 400, 409] });
  await logIn(page, given.keys.administrator);
  await goTo(page, "webhooks", "Webhooks");
  await page.getByRole("row", { name: /^nowhere/ }).getByText("connect").waitFor();
  await page.getByText("Add a webhook", { exact: true }).click();
  const form = page.getByRole("form", { name: "Add a webhook" });
  for (const [label, value] of [
    ["Name", "imis"], ["Caller", "writer"], ["Address", "https://elsewhere.example/"], ["Purpose", "test"],
    ["Kinds of events", "death"], ["Registries", "vital"],
  ]) await form.getByLabel(label, { exact: true }).fill(value);
  await form.getByRole("button", { name: "Add the webhook" }).click();
  await page.getByRole("alert").getByText("url", { exact: true }).waitFor();
  await form.getByLabel("Address", { exact: true }).fill(`http://127.0.0.1:${receiver.address().port}/events`);
  await form.getByRole("button", { name: "Add the webhook" }).click();
  const secret = await shownOnce(page);

  await page.getByRole("row", { name: /^imis/ }).getByRole("link").click();
  await page.getByRole("heading", { level: 1, name: "imis" }).waitFor();
  const act = async (word, title, doing) => {
    await page.getByRole("button", { name: word, exact: true }).click();
    const sure = page.getByRole("dialog", { name: title });
    await sure.waitFor();
    return { sure, go: () => sure.getByRole("button", { name: doing, exact: true }).click() };
  };
  await page.getByRole("button", { name: "Ping", exact: true }).click();
  await page.getByText("was taken: status 204").waitFor();
  assert.deepEqual(messages.map(({ type }) => type), ["webhook.ping"]);

  await (await act("Pause …", "Pause imis?", "Pause")).go();
  await stands("paused");
  await page.getByText("by-an-administrator").waitFor();
  assert.equal((await callBack("death d-imis 4711-2026 2026-01-02")).status, 202);
  await page.locator(".facts").getByText("paused", { exact: true }).waitFor();
  assert.equal(deaths().length, 0);
  await (await act("Resume …", "Resume imis?", "Resume")).go();
  await stands("active");
  await until("it is told", async () => deaths().length, (count) => count === 1);

  const replaying = await act("Replay …", "Replay imis?", "Replay");
  await replaying.sure.getByLabel("Behind this cursor").fill("nonsense");
  await replaying.go();
  await page.getByRole("alert").getByText("after", { exact: true }).waitFor();
  const again = await act("Replay …", "Replay imis?", "Replay");
  await again.sure.getByLabel("Behind this cursor").fill("e1-0");
  await again.go();
  const [{ id }] = deaths();
  await until("it is told again", async () => deaths().filter((one) => one.id === id).length, (count) => count === 2);

  await (await act("New secret …", "Another secret for imis?", "Make the secret")).go();
  assert.notEqual(await shownOnce(page), secret);
  await page.getByRole("button", { name: "Ping", exact: true }).click();
  await until("signed with both", async () => messages.at(-1), ({ type, signatures }) => type === "webhook.ping" && signatures === 2);
  await nobody(page);

  await (await act("Remove …", "Remove imis?", "Remove")).go();
  await page.getByRole("heading", { level: 1, name: "Webhooks" }).waitFor();
  await page.getByRole("row", { name: /^nowhere/ }).waitFor();
  assert.equal(await page.getByRole("row", { name: /^imis/ }).count(), 0);
  assert.equal((await ask("GET", "/admin/v1/webhooks/imis", { key })).status, 404);
  await done();
});

/** Takes the secret from its dialog: it is nowhere afterwards. */
async function shownOnce(page) {
  const dialog = page.getByRole("dialog", { name: "The secret of imis" });
  const secret = await dialog.getByLabel("Secret").inputValue();
  assert.match(secret, /^whsec_/);
  await dialog.getByRole("button", { name: "I have it" }).click();
  assert.equal(await page.evaluate((secret) => document.documentElement.outerHTML.includes(secret), secret), false);
  return secret;
}

test("who does not administer sees webhooks and changes none", async () => {
  const { page, done } = await open({ refused: [401] });
  await logIn(page, given.keys.implementer);
  await goTo(page, "webhooks", "Webhooks");
  assert.equal(await page.getByText("Add a webhook").count(), 0);
  await page.getByRole("row", { name: /^nowhere/ }).getByRole("link").click();
  await page.locator(".facts").getByText("http://127.0.0.1:1/").waitFor();
  assert.equal(await page.locator("main").getByRole("button").count(), 0);
  await done();
});
