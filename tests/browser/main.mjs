// `node main.mjs`, started by `cargo test --test browser`, which starts the gateway.

import { after, before } from "node:test";
import { find, given, post, start, stop } from "./driver.mjs";

before(async () => {
  await start();
  // Something to look at.
  for (const uin of given.uins) await find("civil", uin);
  await find("civil", "1000000000");
  await find("hostile", "good");
  await find("hostile", "panic");
  const person = { names: [{ family: "Rai" }], sex: "female" };
  await post("/v1/registries/records/operations", { subject: "p-1", create: { person } }, given.keys.writer, { "prefer": "wait=20" });
  await post("/v1/registries/away/operations", { subject: "p-2", create: { person } }, given.keys.writer);
  await post("/hooks/records/told", { nothing: "of ours" });
  await post("/admin/v1/webhooks", { name: "imis", caller: "writer", url: "http://127.0.0.1:1/", purpose: "test" }, given.keys.administrator);
});
after(stop);

await import("./session.mjs");
await import("./registries.mjs");
await import("./callers.mjs");
await import("./modules.mjs");
await import("./swap.mjs");
await import("./audit.mjs");
await import("./writes.mjs");
await import("./looks.mjs");
