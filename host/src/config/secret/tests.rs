use std::error::Error;
use std::fs;
use std::os::unix::fs::symlink;

use secrecy::ExposeSecret;

use super::*;

fn secrets(directory: &Path) -> Secrets {
    Secrets::with_environment(Some(directory.to_owned()), |name| match name {
        "REGISTRY_SECRET_CRVS" => Some("from-the-environment".to_owned()),
        "REGISTRY_SECRET_EMPTY" => Some(String::new()),
        _ => None,
    })
}

fn read(directory: &Path, source: &str) -> Result<String, String> {
    let source = SecretSource::parse(source).map_err(|e| e.to_string())?;
    secrets(directory)
        .resolve("registries.crvs.credential.token", &source)
        .map(|secret| secret.expose_secret().to_owned())
        .map_err(|e| format!("{e}; {}", e.source().expect("has a source")))
}

#[test]
fn only_two_places_are_known() {
    for text in [
        "env:REGISTRY_SECRET_A",
        "env:REGISTRY_SECRET_CRVS_2",
        "file:crvs",
        "file:crvs/client-secret.txt",
    ] {
        let source = SecretSource::parse(text).expect(text);
        assert_eq!(source.to_string(), text);
    }
    for text in [
        "",
        "hunter2",
        "env:",
        "env:HOME",
        "env:REGISTRY_SECRET_",
        "env:registry_secret_a",
        "env:REGISTRY_SECRET_a",
        "env:REGISTRY_SECRET_A B",
        "env:REGISTRY_SECRET_A=",
        "file:",
        "file:/etc/passwd",
        "file:../x",
        "file:a/../../x",
        "file:a//b",
        "file:./a",
        "file:a/",
        "file:.hidden",
        "file:a\\b",
        "file:a b",
        "file:a\0",
        "ENV:REGISTRY_SECRET_A",
        "vault:a",
        " env:REGISTRY_SECRET_A",
        "literal:hunter2",
    ] {
        assert_eq!(SecretSource::parse(text), Err(BadSecretSource), "{text:?}");
    }
}

#[test]
fn a_secret_written_in_place_of_its_source_is_not_repeated() {
    #[derive(Debug, Deserialize)]
    struct Holder {
        #[expect(dead_code, reason = "only its parsing is tested")]
        token: SecretSource,
    }
    let error = serde_json::from_str::<Holder>(r#"{"token":"hunter2"}"#).expect_err("refused");
    assert!(!error.to_string().contains("hunter2"), "{error}");
    assert!(error.to_string().contains("REGISTRY_SECRET_"), "{error}");
}

#[test]
fn reads_the_environment_and_files() {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path();
    fs::create_dir(path.join("sub")).expect("sub");
    for (name, content) in [
        ("plain", "s3cret"),
        ("newline", "s3cret\n"),
        ("dos", "s3cret\r\n"),
        ("two", "s3cret\n\n"),
        ("sub/deep", "deep"),
    ] {
        fs::write(path.join(name), content).expect("write");
    }
    symlink(path.join("plain"), path.join("link")).expect("link");
    let read = |source: &str| read(path, source);
    assert_eq!(
        read("env:REGISTRY_SECRET_CRVS"),
        Ok("from-the-environment".into())
    );
    assert_eq!(read("file:plain"), Ok("s3cret".into()));
    assert_eq!(read("file:newline"), Ok("s3cret".into()));
    assert_eq!(read("file:dos"), Ok("s3cret".into()));
    assert_eq!(read("file:two"), Ok("s3cret\n".into()), "one newline only");
    assert_eq!(read("file:sub/deep"), Ok("deep".into()));
    assert_eq!(
        read("file:link"),
        Ok("s3cret".into()),
        "a link inside stays inside"
    );
}

#[test]
fn refuses_with_the_field_and_the_remedy() {
    let outside = tempfile::tempdir().expect("directory");
    fs::write(outside.path().join("target"), "s3cret-outside").expect("write");
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path();
    symlink(outside.path().join("target"), path.join("escape")).expect("link");
    symlink(outside.path(), path.join("directory-escape")).expect("link");
    fs::create_dir(path.join("folder")).expect("folder");
    fs::write(path.join("empty"), "\n").expect("write");
    fs::write(path.join("binary"), [0xff, 0xfe]).expect("write");
    fs::write(
        path.join("large"),
        vec![b's'; MAX_SECRET_BYTES as usize + 1],
    )
    .expect("write");
    for (source, expected) in [
        (
            "env:REGISTRY_SECRET_OTHER",
            "environment variable is not set",
        ),
        ("env:REGISTRY_SECRET_EMPTY", "empty"),
        ("file:escape", "outside the secrets directory"),
        (
            "file:directory-escape/target",
            "outside the secrets directory",
        ),
        ("file:folder", "not a regular file"),
        ("file:absent", "cannot be read"),
        ("file:empty", "empty"),
        ("file:binary", "not UTF-8"),
        ("file:large", "larger"),
    ] {
        let error = read(path, source).expect_err(source);
        assert!(
            error.starts_with("registries.crvs.credential.token: "),
            "{error}"
        );
        assert!(error.contains(source), "{error}");
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
    let none = Secrets::with_environment(None, |_| None);
    let error = none
        .resolve("f", &SecretSource::File("a".into()))
        .expect_err("no directory");
    assert!(matches!(error.problem, SecretProblem::NoDirectory));
}

#[test]
fn a_witness_tells_whether_secrets_are_what_they_were() {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path();
    let secrets = Secrets::new(Some(path.to_owned()));
    let seen = |fields: &[(&str, &str)]| {
        let (witnessed, witness) = secrets.witnessed();
        for (field, name) in fields {
            let source = SecretSource::File((*name).to_owned());
            witnessed.resolve(field, &source).expect("a secret");
        }
        witness.hash()
    };
    fs::write(path.join("a"), "one").expect("write");
    fs::write(path.join("b"), "two").expect("write");
    let first = seen(&[("x", "a"), ("y", "b")]);
    assert_eq!(seen(&[("x", "a"), ("y", "b")]), first);
    assert_ne!(seen(&[("x", "a")]), first);
    assert_ne!(seen(&[("y", "a"), ("x", "b")]), first);
    fs::write(path.join("b"), "three").expect("write");
    assert_ne!(seen(&[("x", "a"), ("y", "b")]), first);
}
