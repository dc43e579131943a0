// `node main.mjs`, started by `cargo test --test browser`, which starts the gateway.

import { after, before } from "node:test";
import { find, given, start, stop } from "./driver.mjs";

before(async () => {
  await start();
  // Something to look at.
  for (const uin of given.uins) await find("civil", uin);
  await find("civil", "1000000000");
  await find("hostile", "good");
  await find("hostile", "panic");
});
after(stop);

await import("./session.mjs");
await import("./registries.mjs");
await import("./callers.mjs");
await import("./modules.mjs");
await import("./swap.mjs");
await import("./audit.mjs");
await import("./looks.mjs");
