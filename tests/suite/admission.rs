//! What is refused at the door, and what of it is told.

use gateway_tests::crafted::{Crafted, DESCRIBE, DESCRIBED, FIND};
use registry_gateway::config::limits::CallLimits;
use registry_gateway::config::sandbox::SandboxConfig;
use registry_gateway::model::Ability;
use registry_gateway::sandbox::{Fault, ImportRefusal, Limit, LoadError, Module};

use crate::bench::{Bench, config, sandbox};

async fn load(bytes: &[u8]) -> Result<Module, LoadError> {
    let sandbox = sandbox(&config());
    let loaded = sandbox.load(bytes).await;
    // Whatever was refused, the next module is admitted.
    let next = sandbox.load(&Crafted::adapter().build()).await;
    assert!(next.is_ok(), "{:?}", next.err());
    loaded
}

async fn refused(crafted: Crafted) -> LoadError {
    match load(&crafted.build()).await {
        Ok(_) => panic!("the module is admitted"),
        Err(error) => error,
    }
}

async fn refusal(crafted: Crafted) -> ImportRefusal {
    match refused(crafted).await {
        LoadError::Refused(refusal) => refusal,
        other => panic!("refused otherwise: {other:?}"),
    }
}

#[tokio::test]
async fn a_good_module_tells_what_it_is() {
    let module = load(&Crafted::adapter().build()).await.unwrap();
    let description = module.description();
    assert_eq!(description.name, "crafted");
    assert_eq!(description.version, "1.0.0");
    assert_eq!(description.abilities, [Ability::Find]);
    assert!(module.can(Ability::Find) && !module.can(Ability::Verify));
    assert!(module.digest().starts_with("sha256:"));
}

#[tokio::test]
async fn what_breaks_in_describe_is_not_admitted() {
    let broken = |body| Crafted::new("include ability-find;").body(DESCRIBE, body);
    let cases = [
        ("unreachable", Fault::Trapped),
        ("(loop $l (br $l)) unreachable", Fault::OutOfCpu),
        (
            "(loop $l (drop (memory.grow (i32.const 100))) (br $l)) unreachable",
            Fault::OverLimit(Limit::Memory),
        ),
        // A pointer to nowhere.
        ("i32.const -4", Fault::Garbage("its encoding".into())),
    ];
    for (body, fault) in cases {
        match refused(broken(body)).await {
            LoadError::Broken(found) => assert_eq!(found, fault, "{body}"),
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn nothing_is_lent_in_describe() {
    let calls = Crafted::new("include ability-find; import call;")
        .body(DESCRIBE, "call $attempt drop i32.const 1024")
        .label("openimis:registry/call@1.0.0", "attempt", "$attempt");
    assert!(matches!(
        refused(calls).await,
        LoadError::Broken(Fault::CalledOut)
    ));
}

#[tokio::test]
async fn a_description_must_be_valid() {
    let no_name = Crafted::adapter().fields("(data (i32.const 1200) \"Crafted\")");
    let error = refused(no_name).await;
    assert!(error.to_string().contains("name: lower-case"), "{error}");
}

#[tokio::test]
async fn abilities_of_later_are_refused_by_name() {
    for (ability, interface) in [
        ("create", "create"),
        ("update", "update"),
        ("link", "link"),
        ("enrolment", "enrolment"),
        ("trace", "trace"),
        ("events", "events"),
    ] {
        let world = format!("include ability-find; include ability-{ability};");
        let refusal = refusal(Crafted::new(&world).body(DESCRIBE, DESCRIBED)).await;
        let name = format!("openimis:registry/{interface}@1.0.0");
        assert_eq!(refusal, ImportRefusal::NotYet(name));
        assert!(refusal.to_string().contains("does not implement yet"));
    }
}

#[tokio::test]
async fn signing_is_refused_by_name() {
    let crafted = Crafted::new("include ability-find; import signing;");
    assert_eq!(
        refusal(crafted).await,
        ImportRefusal::NotYet("openimis:registry/signing@1.0.0".into())
    );
}

#[tokio::test]
async fn imports_that_are_not_lent_are_refused_by_name() {
    let http = "package wasi:http@0.2.6; interface outgoing-handler { handle: func(); }";
    let later = "package wasi:http@0.3.0; interface handler { handle: func(); }";
    let other = "package evil:host@1.0.0; interface shell { run: func(command: string); }";
    for (folder, wit, name) in [
        ("http", http, "wasi:http/outgoing-handler@0.2.6"),
        ("later", later, "wasi:http/handler@0.3.0"),
        ("other", other, "evil:host/shell@1.0.0"),
    ] {
        let world = format!("include ability-find; import {name};");
        let refusal = refusal(Crafted::new(&world).foreign(folder, wit)).await;
        assert_eq!(refusal, ImportRefusal::NotLent(name.into()));
        assert!(refusal.to_string().contains(name));
    }
}

#[tokio::test]
async fn another_major_version_is_refused() {
    let crafted = Crafted::new("include ability-find;").edit("@1.0.0", "@2.0.0");
    let refusal = refusal(crafted).await;
    let ImportRefusal::Version(name) = &refusal else {
        panic!("{refusal:?}");
    };
    assert!(name.ends_with("@2.0.0"), "{name}");
    assert!(refusal.to_string().contains("this gateway speaks 1.0"));
}

/// Within the major version a module may be newer, as long as it uses nothing new.
#[tokio::test]
async fn a_newer_minor_version_is_admitted() {
    let newer = Crafted::new("include ability-find;")
        .edit("@1.0.0", "@1.7.0")
        .body("openimis:registry/about@1.7.0#describe", DESCRIBED);
    let module = load(&newer.build()).await.unwrap();
    assert_eq!(module.description().name, "crafted");
}

#[tokio::test]
async fn what_a_newer_minor_version_added_does_not_link() {
    let newer = Crafted::new("include ability-find; import call;")
        .edit("@1.0.0", "@1.7.0")
        .edit("attempt: func", "novelty: func() -> u32; attempt: func");
    assert!(matches!(refused(newer).await, LoadError::Link(_)));
}

#[tokio::test]
async fn other_types_than_the_contract_do_not_link() {
    for (from, to) in [
        // A field more in a record that is answered.
        (
            "replaced-by: list<identifier>,",
            "replaced-by: list<identifier>, shoe-size: u32,",
        ),
        // Another type of the query.
        ("find: func(query: find-query)", "find: func(query: string)"),
    ] {
        let crafted = Crafted::adapter().edit(from, to);
        let error = refused(crafted).await;
        assert!(matches!(error, LoadError::Link(_)), "{to}: {error:?}");
    }
}

#[tokio::test]
async fn a_module_must_describe_itself_and_do_something() {
    let mute = Crafted::bare("include ability-find;");
    assert_eq!(refusal(mute).await, ImportRefusal::NoAbout);
    let idle = Crafted::new("");
    assert_eq!(refusal(idle).await, ImportRefusal::NoAbility);
}

#[tokio::test]
async fn what_is_no_component_is_refused() {
    let good = Crafted::adapter().build();
    let cut: Vec<&[u8]> = (1..8).map(|part| &good[..good.len() * part / 8]).collect();
    let core = wat::parse_str("(module)").unwrap();
    let text = b"(component)";
    let noise: Vec<u8> = (0..4096_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let mut cases: Vec<&[u8]> = vec![b"", b"hello", text, &core, &noise, &good[..4]];
    cases.extend(cut);
    for bytes in cases {
        let loaded = load(bytes).await;
        let start = bytes.len().min(16);
        assert!(
            matches!(loaded, Err(LoadError::NotAComponent(_))),
            "{} bytes, {:?}: {:?}",
            bytes.len(),
            &bytes[..start],
            loaded.err()
        );
    }
}

/// Code that this very engine wrote: it would run.
#[tokio::test]
async fn precompiled_code_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let sandbox = crate::bench::sandbox_in(&config(), data.path());
    sandbox.load(&Crafted::adapter().build()).await.unwrap();
    let compiled = crate::cache::compiled(data.path());
    let code = std::fs::read(&compiled[0]).unwrap();
    // Behind the tag stands what wasmtime wrote: an ELF file.
    let elf = code
        .windows(4)
        .position(|window| window == b"\x7fELF")
        .unwrap();
    let loaded = sandbox.load(&code[elf..]).await;
    assert!(
        matches!(loaded, Err(LoadError::Precompiled)),
        "{:?}",
        loaded.err()
    );
}

#[tokio::test]
async fn a_large_module_is_not_looked_at() {
    let bytes = Crafted::adapter().build();
    let size = u64::try_from(bytes.len()).unwrap();
    let limited = |max_module_bytes| SandboxConfig {
        max_module_bytes,
        ..config()
    };
    let loaded = sandbox(&limited(size - 1)).load(&bytes).await;
    let Err(LoadError::TooLarge { size: told, max }) = loaded else {
        panic!("{:?}", loaded.err());
    };
    assert_eq!((told, max), (size, size - 1));
    assert!(sandbox(&limited(size)).load(&bytes).await.is_ok());
}

/// A component of many parts would empty the pool for everybody.
#[tokio::test]
async fn a_component_of_many_parts_is_refused() {
    let many = |part: &str, count: usize| {
        let module = format!("(core module $m {part})");
        let parts = "(core instance (instantiate $m))".repeat(count);
        wat::parse_str(format!("(component {module} {parts})")).unwrap()
    };
    for (part, count) in [
        ("", 21),
        ("(memory 1)", 3),
        ("(table 1 funcref)", 21),
        ("(memory 60000)", 1),
    ] {
        let loaded = load(&many(part, count)).await;
        assert!(
            matches!(loaded, Err(LoadError::TooDemanding(_))),
            "{part} {count}: {:?}",
            loaded.err()
        );
    }
}

/// Tables grow at run time too.
#[tokio::test]
async fn a_huge_table_ends_the_call() {
    let bench = Bench::new().await;
    let grower = Crafted::adapter().fields("(table $t 0 funcref)").body(
        FIND,
        "(loop $l (drop (table.grow $t (ref.null func) (i32.const 1000))) (br $l)) unreachable",
    );
    let module = bench.sandbox.load(&grower.build()).await.unwrap();
    let query = registry_gateway::model::FindQuery {
        identifiers: Vec::new(),
    };
    let limits = CallLimits {
        table_elements: 5_000,
        ..CallLimits::default()
    };
    let bench = bench.limits(|mine| mine.table_elements = limits.table_elements);
    let ran = module.find(bench.work(), &query).await;
    assert_eq!(ran.result.unwrap_err(), Fault::OverLimit(Limit::Table));
    bench.good().await;
}
