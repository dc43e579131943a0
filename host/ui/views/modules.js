import { h } from "../dom.js";
import { call, may, part, upload } from "../api.js";
import { ask, attempt, bytes, digest, every, facts, field, refusal, say, state, table, time } from "../show.js";

const EVERY_MS = 10_000;

export function modules({ signal }) {
  const problem = h("div", {});
  const refused = h("div", {});
  const list = table("Modules, by adapter", [
    { head: "Module", cell: (row) => [`${row.adapter} ${row.version}`, h("p", { class: "hint" }, digest(row.digest))] },
    { head: "State", cell: (row) => state(row.state) },
    { head: "Serves", cell: (row) => served(row.serves) },
    { head: "Next for", cell: (row) => served(row.candidateOf) },
    { head: "Signed by", cell: (row) => row.signedBy ?? "nobody" },
    { head: "Came by", cell: (row) => row.cameBy ?? "–" },
    { head: "Came", cell: (row) => time(row.createdAt) },
    { head: "Size", number: true, cell: (row) => bytes(row.sizeBytes) },
    { head: "Action", cell: (row) => (row.state === "admitted" && may("implementer", "administrator") ? retire(row) : "–") },
  ], { none: "No module yet." });
  const look = async () => {
    const { modules: rows } = await call("GET", "/admin/v1/modules", undefined, { signal });
    list.fill(rows, (row) => row.digest);
  };
  every(EVERY_MS, signal, problem, look);

  function retire(row) {
    const button = h("button", {
      type: "button", "data-focus": `retire ${row.digest}`, "aria-label": `Retire ${row.adapter} ${row.version}`,
      onclick: async () => {
        const sure = await ask({
          title: `Retire ${row.adapter} ${row.version}?`,
          text: "Its bytes are removed; it stays known by its digest. No registry needs it.", doing: "Retire", danger: true,
        });
        if (!sure) return;
        if (await attempt(button, refused, () => call("DELETE", `/admin/v1/modules/${part(row.digest)}`))) say("The module is retired.");
        await look();
      },
    }, "Retire");
    return button;
  }

  return {
    title: "Modules",
    content: h("div", {}, may("implementer", "administrator") && [bring(signal, look), pull(signal, look)], problem, refused, list.element),
  };
}

function served(names) {
  if (names.length === 0) return "–";
  return names.flatMap((name, index) => [index > 0 ? ", " : "", h("a", { href: `#/registries/${part(name)}` }, name)]);
}

/** Uploads a file: how far it is, and each finding where it is refused. */
function bring(signal, look) {
  const file = field("Module", { type: "file", accept: ".wasm,application/wasm", required: true },
    "A .wasm component. It is looked at from all sides before it is kept, and serves nothing by that.");
  const button = h("button", { type: "submit", class: "primary" }, "Upload");
  const bar = h("progress", { max: 1, "aria-label": "Upload", hidden: true });
  const status = h("p", { role: "status" });
  const result = h("div", {});
  const form = h("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      const [chosen] = file.input.files;
      if (!chosen) return;
      button.disabled = true;
      result.replaceChildren();
      bar.hidden = false;
      bar.value = 0;
      status.textContent = `Sending ${chosen.name}, ${bytes(chosen.size)} …`;
      try {
        const module = await upload("/admin/v1/modules", chosen, "application/wasm", {
          signal,
          progress: (part) => {
            if (part === null || part === 1) {
              bar.removeAttribute("value");
              status.textContent = "Sent. The gateway looks at it: imports, signature, abilities, recordings …";
            } else {
              bar.value = part;
            }
          },
        });
        status.textContent = "";
        result.replaceChildren(admitted(module));
        form.reset();
        await look();
      } catch (error) {
        status.textContent = "";
        if (error.name !== "AbortError") result.replaceChildren(refusal(error, `${chosen.name} is not admitted`));
      } finally {
        bar.hidden = true;
        button.disabled = false;
      }
    },
  }, file.element, button, bar, status, result);
  return h("section", {}, h("h2", {}, "Upload a module"), form);
}

function admitted(module) {
  return h("section", { class: "admitted", role: "status" },
    h("h3", {}, `${module.adapter} ${module.version} is admitted`),
    facts([
      ["Digest", h("code", {}, module.digest)],
      ["Signed by", module.signedBy ?? "nobody"],
      ["Abilities", module.description?.abilities.join(", ")],
      ["Endpoints", module.description?.endpoints.map((one) => one.name).join(", ")],
      ["Licence", module.description?.licence],
    ]),
    h("p", {}, "Stage it for a registry to have it serve."));
}

function pull(signal, look) {
  const reference = field("Reference", { required: true, autocomplete: "off", spellcheck: "false", placeholder: "oci://host/repository@sha256:…" });
  const button = h("button", { type: "submit" }, "Fetch");
  const result = h("div", {});
  const form = h("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      let module;
      const fine = await attempt(button, result, async () => {
        module = await call("POST", "/admin/v1/modules/pull", { reference: reference.input.value.trim() }, { signal });
      });
      if (!fine) return;
      result.replaceChildren(admitted(module));
      await look();
    },
  }, reference.element, button, result);
  return h("details", { class: "adding" }, h("summary", {}, "Fetch one from an OCI registry"), form);
}
