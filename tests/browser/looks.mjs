// Every view in light and dark, wide and small: an automated check of accessibility, and a picture.

import { test } from "node:test";
import { accessible, ask, find, given, goTo, logIn, LOOKS, open, shot } from "./driver.mjs";

const VIEWS = [
  ["registries", "Registries", (page) => page.getByRole("row", { name: /^civil/ }).waitFor()],
  ["registries/civil", "civil", (page) => page.getByText(/In the last hour/).waitFor()],
  ["registries/hostile", "hostile", async (page) => {
    await page.getByRole("button", { name: "Follow the log" }).click();
    await find("hostile", "log_name", ["Zwimbatosk"]);
    await page.getByRole("log").getByText("cannot map ***").first().waitFor();
  }],
  ["callers", "Callers", async (page) => {
    await page.getByText("Add a caller", { exact: true }).click();
    await page.getByRole("row", { name: /^clinic/ }).waitFor();
  }],
  ["callers/clinic", "clinic", (page) => page.getByRole("table", { name: /^Keys/ }).getByRole("row").nth(1).waitFor()],
  ["modules", "Modules", (page) => page.getByRole("row", { name: /spdci/ }).first().waitFor()],
  ["audit", "Audit", async (page) => {
    await page.getByLabel("Identifier").fill(given.uins[1]);
    await page.getByRole("button", { name: "Find who asked" }).click();
    await page.getByRole("table", { name: /Calls about this person/ }).getByRole("row").nth(1).waitFor();
  }],
  ["operations", "Operations", (page) => page.getByRole("table", { name: /^Dead/ }).getByText("outcome unknown").first().waitFor()],
  ["operations/unknown", "Operation", (page) => page.getByRole("button", { name: "It was done …" }).waitFor()],
  ["events", "Events", (page) => page.getByRole("button", { name: /^Discard/ }).first().waitFor()],
  ["links", "Links", async (page) => {
    await page.getByLabel("Which").selectOption("true");
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByRole("row").filter({ hasText: "clinic" }).waitFor();
  }],
  ["webhooks", "Webhooks", async (page) => {
    await page.getByText("Add a webhook", { exact: true }).click();
    await page.getByRole("row", { name: /^nowhere/ }).waitFor();
  }],
  ["webhooks/nowhere", "nowhere", (page) => page.getByRole("button", { name: "Ping" }).waitFor()],
  ["nodes", "Nodes", (page) => page.getByText("answers here").waitFor()],
];

for (const look of LOOKS) {
  test(`all views, ${look.name}`, async () => {
    const { page, done } = await open({ look, refused: [401] });
    await page.goto(`${given.base}/ui/`);
    await page.getByLabel("Key").waitFor();
    await accessible(page, "login");
    await shot(page, `login-${look.name}`);
    await logIn(page, given.keys.all);
    const listed = await ask("GET", "/admin/v1/operations?state=outcome-unknown", { key: given.keys.all });
    const unknown = listed.json.operations[0].id;
    for (const [hash, heading, there] of VIEWS) {
      await goTo(page, hash.replace(/unknown$/, unknown), heading);
      await there(page);
      await accessible(page, `${hash} ${look.name}`);
      await shot(page, `${hash.replaceAll("/", "-")}-${look.name}`);
    }
    await done();
  });
}
