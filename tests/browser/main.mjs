// `node main.mjs`, started by `cargo test --test browser`, which starts the gateway.

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { ask, callBack, find, given, PRIVATE, reaches, start, stop, write } from "./driver.mjs";

before(async () => {
  await start();
  // Something to look at.
  for (const uin of given.uins) await find("civil", uin);
  await find("civil", "1000000000");
  await find("hostile", "good");
  await find("hostile", "panic");
  await reaches((await write("records")).id, "applied");
  await reaches((await write("village")).id, "outcome-unknown");
  const soon = new Date(Date.now() + 2_000).toISOString();
  await reaches((await write("away", { deadline: soon })).id, "given-up");
  assert.equal((await callBack("challenge 4711-2026\nunreadable")).status, 503);
  assert.equal((await callBack("unreadable")).status, 503);
  await linked();
  const added = await ask("POST", "/admin/v1/webhooks", {
    key: given.keys.administrator, body: { name: "nowhere", caller: "writer", url: "http://127.0.0.1:1/", purpose: "test" },
  });
  assert.equal(added.status, 201, added.text);
  // It cannot be told of it.
  assert.equal((await callBack("death d-1 4711-2026 2026-01-02")).status, 202);
});
after(stop);

/** The client links somebody: of not everybody the registry knows enough. */
async function linked() {
  const key = given.keys.client;
  for (const uin of given.uins) {
    const identifiers = [{ scheme: "national-id", value: uin }];
    const { person } = (await ask("POST", "/v1/registries/civil/find", { key, body: { identifiers } })).json;
    const claimed = { birthDate: person.birthDate?.value, names: [{ family: person.names[0].family }] };
    const told = await ask("POST", "/v1/links", { key, body: { subject: PRIVATE[0], registry: "civil", identifiers, claimed } });
    if (told.status === 200) return;
  }
  assert.fail("nobody could be linked");
}

await import("./session.mjs");
await import("./registries.mjs");
await import("./callers.mjs");
await import("./modules.mjs");
await import("./swap.mjs");
await import("./audit.mjs");
await import("./operations.mjs");
await import("./events.mjs");
await import("./webhooks.mjs");
await import("./looks.mjs");
