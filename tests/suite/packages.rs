//! Packages: what they bring is believed only as far as it was checked.

use std::path::Path;

use gateway_tests::ask::Answer;
use gateway_tests::components;
use gateway_tests::crafted::{Crafted, FIND};
use gateway_tests::gateway::{Builder, TestGateway};
use gateway_tests::program::program;
use registry_gateway::model::Role;
use registry_gateway::package::{self, Manifest, Package, Recording, Signer, keygen};
use registry_gateway::sandbox::digest_of;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

/// The adapter of this repository as its own folder packages it, by the command.
fn spdci() -> Vec<u8> {
    let adapter = components::workspace().join("adapters/spdci");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("spdci.wasm");
    let done = std::process::Command::new(program())
        .args(["adapter", "package"])
        .arg(components::component("adapter-spdci"))
        .arg("--manifest")
        .arg(adapter.join("adapter.toml"))
        .arg("--recordings")
        .arg(adapter.join("recordings"))
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    std::fs::read(&out).unwrap()
}

fn parts(package: &[u8]) -> (Manifest, Vec<Recording>) {
    let read = Package::read(package).unwrap();
    (read.manifest.unwrap(), read.recordings)
}

/// The same package, changed.
fn changed(package: &[u8], change: impl FnOnce(&mut Manifest, &mut Vec<Recording>)) -> Vec<u8> {
    let (mut manifest, mut recordings) = parts(package);
    change(&mut manifest, &mut recordings);
    package::pack(package, &manifest, &recordings).unwrap()
}

async fn brought(gateway: &TestGateway, path: &str, bytes: &[u8]) -> Answer {
    static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let ida = gateway
        .staff(&format!("ida-{number}"), &[Role::Implementer])
        .await;
    let upload = gateway.ask(reqwest::Method::POST, path);
    let upload = upload.header("content-type", "application/wasm");
    upload.body(bytes).key(&ida).send().await
}

async fn refusals(gateway: &TestGateway, bytes: &[u8]) -> Vec<(String, String)> {
    let refused = brought(gateway, "/admin/v1/modules", bytes).await;
    assert_eq!(
        (refused.status, refused.code()),
        (422, "module-refused"),
        "{}",
        refused.text
    );
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let findings = refused.json["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| (text(&finding["place"]), text(&finding["problem"])))
        .collect()
}

fn places(refusals: &[(String, String)]) -> Vec<&str> {
    refusals.iter().map(|(place, _)| &**place).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_is_admitted_with_its_recordings() {
    let gateway = TestGateway::start().await;
    let package = spdci();
    let (manifest, recordings) = parts(&package);
    assert_eq!((&*manifest.name, recordings.len()), ("spdci", 5));
    assert!(manifest.settings_schema.is_some());
    let checked = brought(&gateway, "/admin/v1/modules/check", &package).await;
    assert_eq!(
        (checked.status, &checked.json["recordings"]),
        (200, &json!(5)),
        "{}",
        checked.text
    );
    let digest = checked.json["digest"].as_str().unwrap();
    // It was only looked at.
    let path = format!("/admin/v1/modules/{digest}");
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    assert_eq!(gateway.get(&path).key(&admin).send().await.status, 404);
    let added = brought(&gateway, "/admin/v1/modules", &package).await;
    assert_eq!((added.status, &added.json["digest"]), (201, &json!(digest)));
    assert_eq!(gateway.get(&path).key(&admin).send().await.status, 200);
    assert_eq!(digest_of(&package), digest);
}

/// What a registry answers with other names for its fields is what a mapping no longer reads.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_mapping_is_refused_by_its_fields() {
    let gateway = TestGateway::start().await;
    let package = spdci();
    let broken = changed(&package, |_, recordings| {
        for recording in recordings
            .iter_mut()
            .filter(|it| it.name == "find-by-national-id")
        {
            let record = recording.exchanges[0]
                .answer
                .body
                .pointer_mut("/message/search_response/0/data/reg_records/0");
            let record = record.unwrap().as_object_mut().unwrap();
            record["name"] = json!({ "surname": "Roy", "given_name": "Asha" });
            record.remove("birth_date");
        }
    });
    let refused = refusals(&gateway, &broken).await;
    assert_eq!(
        places(&refused),
        [
            "recordings.find-by-national-id.answer.birthDate",
            "recordings.find-by-national-id.answer.names.0.family",
        ]
    );
    assert!(refused.iter().all(|(_, problem)| !problem.contains("Roy")));

    // What it asks the registry is compared as well, and what it does not ask.
    let asks = changed(&package, |_, recordings| {
        for recording in recordings.iter_mut() {
            match &*recording.name {
                "find-nobody" => {
                    let body = recording.exchanges[0].request.body.as_mut().unwrap();
                    body["header"]["sender_id"] = json!("somebody");
                }
                "find-by-national-id" => {
                    let again = recording.exchanges[0].clone();
                    recording.exchanges.push(again);
                }
                "verify-a-birth-date" => recording.exchanges.clear(),
                "search-by-family-name" => {
                    recording.settings.insert("locale".into(), json!("english"));
                }
                _ => {}
            }
        }
    });
    let refused = refusals(&gateway, &asks).await;
    assert_eq!(
        places(&refused),
        [
            "recordings.find-by-national-id.exchanges.1",
            "recordings.find-nobody.exchanges.0.request.body.header.sender_id",
            "recordings.search-by-family-name.settings.locale",
            "recordings.verify-a-birth-date.exchanges",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_must_say_what_the_component_says() {
    let gateway = TestGateway::start().await;
    let package = changed(&spdci(), |manifest, _| {
        manifest.version = "9.0.0".into();
        manifest.abilities.pop();
        manifest.endpoints[0].required = false;
        manifest.readable_states.push(7);
    });
    let refused = refusals(&gateway, &package).await;
    let fields = ["version", "abilities", "endpoints", "readableStates"];
    let fields = fields.map(|field| format!("manifest.{field}"));
    assert_eq!(places(&refused), fields.each_ref().map(|field| &**field));
}

fn with_key(key: &str) -> Builder {
    let key = key.to_owned();
    TestGateway::builder().config(|config| config.admission.trusted_keys = vec![key])
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_a_trusted_key_signed_is_admitted() {
    let pair = || {
        let (secret, public) = keygen(None).unwrap();
        (Signer::open(secret.expose_secret(), None).unwrap(), public)
    };
    let ((ours, public), (theirs, _)) = (pair(), pair());
    let gateway = with_key(&public).start().await;
    let package = Crafted::adapter().build();
    let signed = package::sign(&package, &ours).unwrap();
    let added = brought(&gateway, "/admin/v1/modules", &signed).await;
    assert_eq!(
        (added.status, &added.json["signedBy"]),
        (201, &json!(ours.number()))
    );

    let mut cut = signed.clone();
    cut.truncate(signed.len() - 1);
    let foreign = package::sign(&package, &theirs).unwrap();
    let mut other = Crafted::adapter().body(FIND, "(nop) unreachable").build();
    other.extend_from_slice(&signed[package.len()..]);
    for (bytes, words) in [
        (&package, "it is not signed"),
        (&foreign, "not in admission.trusted_keys"),
        (&other, "changed after it was signed"),
    ] {
        let refused = refusals(&gateway, bytes).await;
        assert_eq!(places(&refused), ["signature"], "{words}");
        assert!(refused[0].1.contains(words), "{}", refused[0].1);
    }
    // What nobody trusted signed is not parsed: of its manifest nothing is said.
    let mut broken = signed.clone();
    broken.extend_from_slice(b"\0\x1b\x1aopenimis:registry/manifest");
    let refused = refusals(&gateway, &broken).await;
    assert_eq!(places(&refused), ["signature"]);
    assert_eq!(places(&refusals(&gateway, &cut).await), ["module"]);
}

/// All that can be told at once is: who mends one thing should not learn of the next one after it.
#[tokio::test(flavor = "multi_thread")]
async fn every_finding_is_told_at_once() {
    let (_, public) = keygen(None).unwrap();
    let gateway = with_key(&public).start().await;
    let http = "package wasi:http@0.2.6; interface outgoing-handler { handle: func(); }";
    let world = "include ability-find; import signing; import wasi:http/outgoing-handler@0.2.6;";
    let crafted = Crafted::new(world).foreign("http", http).build();
    let refused = refusals(&gateway, &crafted).await;
    let places = places(&refused);
    for place in [
        "signature",
        "imports.wasi:http/outgoing-handler@0.2.6",
        "interface.openimis:registry/signing@1.0.0",
    ] {
        assert!(places.contains(&place), "{places:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_interface_is_told_with_both_versions() {
    let gateway = TestGateway::start().await;
    let later = Crafted::new("include ability-find; import call;")
        .edit("@1.0.0", "@1.3.0")
        .edit("attempt: func", "novelty: func() -> u32; attempt: func");
    let refused = refusals(&gateway, &later.build()).await;
    assert_eq!(places(&refused), ["interface"]);
    let words = "needs adapter interface 1.3, this gateway speaks 1.0";
    assert!(refused[0].1.contains(words), "{}", refused[0].1);
}

/// `adapter keygen`, `sign` and `inspect` as a person calls them.
#[test]
fn keys_and_signatures_are_made_by_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("a.wasm"), Crafted::adapter().build()).unwrap();
    std::fs::write(at("password"), "correct horse\n").unwrap();
    let run = |args: &[&Path]| {
        let done = std::process::Command::new(program())
            .arg("adapter")
            .args(args)
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            done.status.success(),
            text(done.stdout) + &text(done.stderr),
        )
    };
    let password = ["--password-file".into(), at("password")];
    let [flag, file] = &password;
    let (made, told) = run(&["keygen".as_ref(), &at("key"), flag, file]);
    assert!(made, "{told}");
    let public = told.split('"').nth(1).unwrap();
    let trusted = [package::TrustedKey::parse(public).unwrap()];
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&at("key").metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    // Never written over.
    assert!(!run(&["keygen".as_ref(), &at("key")]).0);

    let key: &Path = "--secret-key".as_ref();
    let (signed, told) = run(&["sign".as_ref(), &at("a.wasm"), key, &at("key")]);
    assert!(!signed && told.contains("password"), "{told}");
    let (signed, told) = run(&["sign".as_ref(), &at("a.wasm"), key, &at("key"), flag, file]);
    assert!(signed, "{told}");
    let bytes = std::fs::read(at("a.wasm")).unwrap();
    assert_eq!(package::verify(&bytes, &trusted), Ok(trusted[0].number()));
    let (shown, told) = run(&["inspect".as_ref(), &at("a.wasm")]);
    assert!(
        shown && told.contains("a bare component") && told.contains("signed"),
        "{told}"
    );
}
