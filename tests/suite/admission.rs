//! What is refused at the door, and what of it is told.

use gateway_tests::crafted::{Crafted, DESCRIBE, DESCRIBED};
use registry_gateway::model::Ability;
use registry_gateway::sandbox::{Fault, ImportRefusal, Limit, LoadError, Module};

use crate::bench::{config, sandbox};

/// Loads it, and a good module afterwards.
pub(crate) async fn load(bytes: &[u8]) -> Result<Module, LoadError> {
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
        LoadError::Refused(mut refusals) => refusals.remove(0),
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
async fn each_ability_of_the_contract_is_admitted_and_told() {
    for ability in Ability::ALL {
        let world = match ability {
            Ability::Find => "include ability-find;".to_owned(),
            other => format!("include ability-find; include ability-{other};"),
        };
        let crafted = Crafted::new(&world).body(DESCRIBE, DESCRIBED);
        let module = load(&crafted.build()).await.unwrap();
        for other in Ability::ALL {
            let has = other == ability || other == Ability::Find;
            assert_eq!(module.can(other), has, "{ability}: {other}");
        }
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
    let LoadError::Refused(refusals) = refused(crafted).await else {
        panic!("refused otherwise");
    };
    // Each interface that it names, by its name.
    assert_eq!(refusals.len(), 3, "{refusals:?}");
    for refusal in refusals {
        let ImportRefusal::Version(name) = &refusal else {
            panic!("{refusal:?}");
        };
        assert!(name.ends_with("@2.0.0"), "{name}");
        let words = "needs adapter interface 2.0, this gateway speaks 1.0";
        assert!(refusal.to_string().contains(words), "{refusal}");
    }
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
    let told = refused(newer).await.to_string();
    let words = "needs adapter interface 1.7, this gateway speaks 1.0";
    assert!(told.contains(words), "{told}");
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
