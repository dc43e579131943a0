//! The rules of the house: who may use whom, how long a file may be, and what no file holds.

mod source;

use std::fs;

use gateway_tests::components::workspace;

use source::{behind, code, dependencies, files, names, rust};

/// A room of `host/src`, the siblings that it may use, and which sections of the configuration:
/// none is all of them.
struct Room {
    name: &'static str,
    siblings: &'static [&'static str],
    sections: &'static [&'static str],
}

const ROOMS: &[Room] = &[
    room("model", &[], &[]),
    room("config", &["model"], &[]),
    room("store", &["model", "config"], &["store"]),
    // Endpoints are configured per registry; there is no section `egress`.
    room("egress", &["model", "config"], &["endpoint", "traffic"]),
    room(
        "sandbox",
        &["model", "config", "egress", "telemetry"],
        &["sandbox", "limits"],
    ),
    // It reads what the store keeps of a registry: its configuration and the places of its secrets.
    room(
        "gateway",
        &[
            "model",
            "config",
            "store",
            "egress",
            "sandbox",
            "telemetry",
            "package",
        ],
        // `store` and `sandbox` in its own tests alone: they open one.
        &[
            "audit",
            "admission",
            "callers",
            "endpoint",
            "bodies",
            "events",
            "lookups",
            "operations",
            "webhooks",
            "node",
            "registry",
            "retry",
            "limits",
            "secret",
            "read",
            "ConfigError",
            "store",
            "sandbox",
        ],
    ),
    // What a file holds, for whoever has one.
    room("package", &["model"], &[]),
    // Spans as plain words: whoever does something that takes time may say so.
    room("telemetry", &["model"], &[]),
    room(
        "api",
        &["model", "gateway", "telemetry", "config"],
        &["api"],
    ),
    // The composition root and the commands know everybody.
    room(
        "serve",
        &["config", "store", "egress", "sandbox", "gateway", "api"],
        &[],
    ),
    room(
        "cli",
        &[
            "config",
            "model",
            "store",
            "egress",
            "gateway",
            "api",
            "serve",
            "telemetry",
            "package",
        ],
        &[],
    ),
    room("lib", &[], &[]),
    room("main", &[], &[]),
];

/// Crates that belong to one room, or to a few. What no row names is anybody's but the model's.
const OWNED: &[(&str, &[&str])] = &[
    ("sqlx", &["store"]),
    ("reqwest", &["egress"]),
    // `egress` reads the client's errors; `serve` needs the time limit on a request's head, which
    // `axum::serve` does not have.
    ("hyper", &["egress", "serve"]),
    ("hyper_util", &["serve"]),
    ("wasmtime", &["sandbox"]),
    ("wasmtime_wasi", &["sandbox"]),
    // The router is served by the composition root: it owns the listener.
    ("axum", &["api", "serve"]),
    ("tower_http", &["api"]),
    ("utoipa", &["api", "model"]),
    ("clap", &["cli", "main"]),
    // It signs the audit and checks tokens; TLS is rustls' business.
    ("ring", &["gateway"]),
    ("jsonwebtoken", &["gateway"]),
    // `gateway` asks for the process's own time, `serve` bounds its sockets.
    ("rustix", &["sandbox", "gateway", "serve"]),
    ("prometheus_client", &["gateway"]),
    // `cli` sets the exporter up; the exporter sends by `egress`.
    ("opentelemetry", &["telemetry", "cli"]),
    ("opentelemetry_sdk", &["telemetry", "cli"]),
    ("opentelemetry_otlp", &["cli"]),
    ("opentelemetry_http", &["egress"]),
    ("sd_notify", &["cli"]),
    ("minisign", &["package"]),
    ("minisign_verify", &["package"]),
    ("boon", &["gateway"]),
    ("wasmparser", &["sandbox"]),
    ("tracing_subscriber", &["cli"]),
];

/// All that the model may use: plain data, its JSON, and its words in the API's document.
const MODELS: &[&str] = &["serde", "serde_json", "jiff", "utoipa", "thiserror"];

/// Words that belong to one room, or to a few.
const WORDS: &[(&str, &[&str])] = &[
    ("StatusCode", &["api", "egress"]),
    ("env::var", &["config"]),
    ("env::vars", &["config"]),
    ("env::set_var", &[]),
];

const LONGEST: usize = 400;

const fn room(
    name: &'static str,
    siblings: &'static [&'static str],
    sections: &'static [&'static str],
) -> Room {
    Room {
        name,
        siblings,
        sections,
    }
}

/// What a file of a room does that it may not.
fn violations(room: &Room, code: &str, crates: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for sibling in behind(code, "crate::") {
        let known = ROOMS.iter().any(|other| other.name == sibling);
        if known && sibling != room.name && !room.siblings.contains(&&*sibling) {
            found.push(format!("uses crate::{sibling}"));
        }
    }
    for section in behind(code, "crate::config::") {
        if !room.sections.is_empty() && !room.sections.contains(&&*section) {
            found.push(format!("uses crate::config::{section}"));
        }
    }
    for (krate, owners) in OWNED {
        if names(code, krate) && !owners.contains(&room.name) {
            found.push(format!("uses {krate}"));
        }
    }
    for (word, owners) in WORDS {
        if code.contains(word) && !owners.contains(&room.name) {
            found.push(format!("says {word}"));
        }
    }
    if room.name == "model" {
        let others = crates.iter().filter(|krate| !MODELS.contains(&&***krate));
        let used = others.filter(|krate| names(code, krate));
        found.extend(used.map(|krate| format!("uses {krate}")));
    }
    found
}

#[test]
fn each_room_uses_whom_it_may() {
    let crates = dependencies(&workspace().join("host/Cargo.toml"));
    let source = workspace().join("host/src");
    let mut found = Vec::new();
    for (file, text) in rust("host/src") {
        let inside = file.strip_prefix(&source).unwrap().with_extension("");
        let name = inside.iter().next().unwrap().to_string_lossy();
        let room = ROOMS.iter().find(|room| room.name == name);
        let room = room.unwrap_or_else(|| panic!("{name} is in no row of the table"));
        let code = code(&text);
        let wrong = violations(room, &code, &crates).into_iter();
        found.extend(wrong.map(|wrong| format!("{} {wrong}", inside.display())));
        // A way around the table: climbing to the top by `super`.
        let climbs = "super::".repeat(inside.iter().count() + 1);
        if code.contains(&climbs) {
            found.push(format!("{} climbs to the top", inside.display()));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Modules that are not admitted come in by it: for tests and benchmarks.
#[test]
fn nothing_but_tests_goes_past_the_admission() {
    let name = "apply_file";
    let own = ["host/src/gateway.rs", "host/src/gateway/registries"].map(|it| workspace().join(it));
    let mut seen = 0;
    for file in files(&workspace().join("host/src")) {
        let text = fs::read_to_string(&file).unwrap();
        let names = text.contains(name);
        let may =
            own.iter().any(|it| file.starts_with(it)) || file.ends_with("gateway/registries.rs");
        assert!(!names || may, "{} names {name}", file.display());
        seen += usize::from(names);
    }
    assert!(seen >= 2, "it has another name by now");
}

/// The generated bindings stay where they are made.
#[test]
fn bindings_do_not_leave_the_sandbox() {
    let source = fs::read_to_string(workspace().join("host/src/sandbox.rs")).unwrap();
    let code = code(&source);
    assert!(code.contains("mod bindings;"));
    for public in [
        "pub mod bindings",
        "pub(crate) mod bindings",
        "pub use bindings",
    ] {
        assert!(!code.contains(public), "{public}");
    }
}

#[test]
fn the_table_can_be_broken() {
    let crates = vec!["tokio".to_owned()];
    for (name, text, wrong) in [
        ("api", "use crate::store::Store;", "uses crate::store"),
        (
            "api",
            "use crate::{model, sandbox::Fault};",
            "uses crate::sandbox",
        ),
        (
            "api",
            "use crate::config::registry::Requirement;",
            "uses crate::config::registry",
        ),
        ("gateway", "fn f() -> axum::Json<()> {}", "uses axum"),
        ("gateway", "use http::StatusCode;", "says StatusCode"),
        ("model", "use tokio::fs;", "uses tokio"),
        ("store", "let x = std::env::var(\"X\");", "says env::var"),
    ] {
        let room = ROOMS.iter().find(|room| room.name == name).unwrap();
        assert_eq!(violations(room, &code(text), &crates), [wrong], "{text}");
    }
    let api = ROOMS.iter().find(|room| room.name == "api").unwrap();
    let fine = "// crate::store\nuse crate::{gateway::{Gateway, sandbox}, model::Person};";
    assert!(violations(api, &code(fine), &crates).is_empty());
}

/// Whoever has a gateway has a database, and there are two kinds.
#[test]
fn what_has_a_database_runs_on_both() {
    let on_postgres = fs::read_to_string(workspace().join("tests/suite/postgres.rs")).unwrap();
    let mut seen = 0;
    for (file, text) in rust("tests/suite") {
        let name = file.file_stem().unwrap().to_string_lossy();
        let here = file.parent().unwrap() == workspace().join("tests/suite");
        let has_gateway = text.contains("TestGateway");
        if !here || !has_gateway || name == "postgres" || name == "house" {
            continue;
        }
        let listed = on_postgres.contains(&format!("\nmod {name};\n"));
        assert!(listed, "{name} is not in tests/suite/postgres.rs");
        seen += 1;
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn no_file_is_too_long() {
    let folders = ["host", "adapter-sdk", "adapters", "tests"];
    let sources = folders.into_iter().flat_map(rust);
    let long = sources.filter(|(_, text)| text.lines().count() > LONGEST);
    let long: Vec<_> = long.map(|(file, _)| file).collect();
    assert!(long.is_empty(), "over {LONGEST} lines: {long:?}");
}

#[test]
fn adapters_know_the_sdk_alone() {
    let mut seen = 0;
    for adapter in fs::read_dir(workspace().join("adapters")).unwrap() {
        let adapter = adapter.unwrap().path();
        // Beside the folders is their README.
        if !adapter.is_dir() {
            continue;
        }
        let crates = dependencies(&adapter.join("Cargo.toml"));
        assert!(
            crates.iter().any(|name| name == "adapter_sdk"),
            "{}",
            adapter.display()
        );
        for no in ["wit_bindgen", "registry_gateway", "gateway_tests"] {
            assert!(
                !crates.iter().any(|name| name == no),
                "{}: {no}",
                adapter.display()
            );
        }
        for (file, text) in rust(&adapter.display().to_string()) {
            assert!(!code(&text).contains("wit_bindgen"), "{}", file.display());
        }
        seen += 1;
    }
    assert!(seen >= 1);
    let sdk = dependencies(&workspace().join("adapter-sdk/Cargo.toml"));
    assert!(!sdk.iter().any(|name| name == "registry_gateway"));
}

/// What only this machine, or that of whoever wrote it, has.
#[test]
fn no_file_names_a_place_on_a_machine() {
    let places = [
        ["/wo", "rk/"],
        ["/ho", "me/"],
        ["/Us", "ers/"],
        ["/ro", "ot/"],
    ];
    let places = places.map(|parts| parts.concat());
    let mut found = Vec::new();
    for file in files(workspace()) {
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        for place in places.iter().filter(|place| text.contains(&***place)) {
            found.push(format!("{}: {place}", file.display()));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
