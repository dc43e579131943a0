// The shell: who is logged in, where one is, and what is shown there.

import { h } from "./dom.js";
import { logout, may, onEnd, resume, session } from "./api.js";
import { plain, say } from "./show.js";
import { login } from "./views/login.js";
import { registries } from "./views/registries.js";
import { registry } from "./views/registry.js";
import { modules } from "./views/modules.js";
import { callers } from "./views/callers.js";
import { caller } from "./views/caller.js";
import { operations } from "./views/operations.js";
import { operation } from "./views/operation.js";
import { events } from "./views/events.js";
import { links } from "./views/links.js";
import { webhooks } from "./views/webhooks.js";
import { webhook } from "./views/webhook.js";
import { audit } from "./views/audit.js";
import { nodes } from "./views/nodes.js";

const STAFF = ["implementer", "administrator", "auditor"];

// Which buttons there are follows the roles; who may is decided by the gateway alone.
const VIEWS = [
  { path: /^registries$/, nav: "Registries", view: registries, roles: STAFF },
  { path: /^registries\/([^/]+)$/, within: "Registries", view: registry, roles: STAFF },
  { path: /^operations$/, nav: "Operations", view: operations, roles: STAFF },
  { path: /^operations\/([^/]+)$/, within: "Operations", view: operation, roles: STAFF },
  { path: /^events$/, nav: "Events", view: events, roles: STAFF },
  { path: /^links$/, nav: "Links", view: links, roles: STAFF },
  { path: /^webhooks$/, nav: "Webhooks", view: webhooks, roles: STAFF },
  { path: /^webhooks\/([^/]+)$/, within: "Webhooks", view: webhook, roles: STAFF },
  { path: /^modules$/, nav: "Modules", view: modules, roles: STAFF },
  { path: /^callers$/, nav: "Callers", view: callers, roles: ["administrator"] },
  { path: /^callers\/([^/]+)$/, within: "Callers", view: caller, roles: ["administrator"] },
  { path: /^audit$/, nav: "Audit", view: audit, roles: ["auditor"] },
  { path: /^nodes$/, nav: "Nodes", view: nodes, roles: STAFF },
];

const main = document.getElementById("main");
const nav = document.getElementById("nav");
const who = document.getElementById("who");
let leaving = new AbortController();

function shell() {
  nav.hidden = who.hidden = session === null;
  nav.replaceChildren();
  who.replaceChildren();
  if (session === null) return;
  const seen = VIEWS.filter((view) => view.nav && may(...view.roles));
  nav.append(h("ul", {}, seen.map((view) => {
    const to = view.path.source.replace(/[\^$]/g, "");
    return h("li", {}, h("a", { href: `#/${to}`, "data-nav": view.nav }, view.nav));
  })));
  who.append(
    h("p", {}, h("b", {}, session.name), " ", h("span", { class: "roles" }, session.roles.join(", "))),
    h("button", { type: "button", onclick: leave }, "Log out"));
}

async function leave() {
  try {
    await logout();
  } catch (error) {
    say(plain(error));
    return;
  }
  location.hash = "";
  shell();
  enter();
}

function enter(note) {
  leaving.abort();
  leaving = new AbortController();
  shell();
  show("Log in", login(async () => {
    shell();
    await route();
  }, note));
}

async function route() {
  if (session === null) return enter();
  leaving.abort();
  leaving = new AbortController();
  const path = location.hash.replace(/^#\//, "") || "registries";
  for (const { path: pattern, nav: own, within, view, roles } of VIEWS) {
    const found = pattern.exec(path);
    if (!found || !may(...roles)) continue;
    mark(own ?? within);
    const names = found.slice(1).map(decodeURIComponent);
    const { title, content } = view({ signal: leaving.signal, names });
    return show(title, content);
  }
  mark(null);
  show("There is nothing here", h("p", {}, "Go to ", h("a", { href: "#/registries" }, "the registries"), "."));
}

function mark(name) {
  for (const link of nav.querySelectorAll("a")) {
    if (link.dataset.nav === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

/** Whoever listens is taken to the heading, as whoever looks is. */
function show(title, content) {
  // What a dialog shows is of the view, and of the session, that is left.
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  const heading = h("h1", { tabindex: "-1" }, title);
  main.replaceChildren(heading, content);
  document.title = `${title} · Registry gateway`;
  scrollTo(0, 0);
  const wanted = content.querySelector?.("[data-first]");
  (wanted ?? heading).focus();
}

document.getElementById("skip").addEventListener("click", (event) => {
  // The hash says where one is: the link must not change it.
  event.preventDefault();
  main.focus();
});
addEventListener("hashchange", () => route());
onEnd(() => enter("Your session is over. Log in again."));

try {
  await resume();
  shell();
  await route();
} catch (error) {
  show("The gateway does not answer", h("p", {}, plain(error)));
}
