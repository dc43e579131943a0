use super::*;
use crate::config::read::toml_text;

fn read(text: &str) -> Result<StoreConfig, String> {
    toml_text(text)
}

#[test]
fn an_empty_section_is_the_default() {
    let config = read("").unwrap();
    assert_eq!(config.path, PathBuf::from(DEFAULT_PATH));
    assert_eq!(config.batch_rows.get(), DEFAULT_BATCH_ROWS);
    assert_eq!(config.postgres, None);
}

#[test]
fn an_unknown_key_and_a_zero_are_errors() {
    let unknown = read("pth = 'x'").unwrap_err();
    assert!(unknown.ends_with("did you mean `path`?"), "{unknown}");
    let zero = read("queue_rows = 0").unwrap_err();
    assert!(zero.contains("nonzero"), "{zero}");
}

#[test]
fn a_url_is_a_postgresql() {
    let text = "url = 'postgres://gateway@db.example.org/registry'\n\
                password = 'env:REGISTRY_SECRET_DB'\nca_file = 'ca.pem'\nreaders = 9";
    let mut config = read(text).unwrap();
    config.based_in(Path::new("/etc/gateway"), Path::new("/data"));
    assert_eq!(config.readers.get(), 9);
    let secrets = Secrets::with_environment(None, |_| Some("hunter2".to_owned()));
    assert!(config.password(&secrets).unwrap().is_some());
    let secrets = Secrets::with_environment(None, |_| None);
    let error = config.password(&secrets).unwrap_err().to_string();
    assert!(error.starts_with("store.password: set "), "{error}");

    let postgres = config.postgres.unwrap();
    assert_eq!(postgres.sslmode, SslMode::VerifyFull);
    assert_eq!(postgres.ca_file, Some("/etc/gateway/ca.pem".into()));
    assert_eq!(postgres.url.user, "gateway");
    assert_eq!(
        postgres.url.to_string(),
        "postgres://db.example.org:5432/registry"
    );
}

#[test]
fn hosts_are_names_addresses_and_sockets() {
    for (text, expected) in [
        (
            "postgresql://g@127.0.0.1:6432/r",
            "postgres://127.0.0.1:6432/r",
        ),
        ("postgres://g@[::1]/r", "postgres://::1:5432/r"),
        (
            "postgres://g@%2Frun%2Fpostgresql/r",
            "postgres:/run/postgresql/.s.PGSQL.5432/r",
        ),
    ] {
        let url = DatabaseUrl::parse(text).unwrap();
        assert_eq!(url.to_string(), expected, "{text}");
    }
    let socket = read("url = 'postgres://g@%2Frun%2Fpostgresql/r'").unwrap();
    assert_eq!(socket.postgres.unwrap().sslmode, SslMode::Disable);
}

#[test]
fn a_password_in_the_url_is_refused_and_not_repeated() {
    for url in [
        "postgres://g:hunter2@db/r",
        "postgres://g@db/r?password=hunter2",
        "postgres://g@db/r?sslmode=disable&password=hunter2",
        "postgres://g:hunter2@db:notaport/r",
        "mysql://g:hunter2@db/r",
        "postgres://g@db/r#hunter2",
        "hunter2",
    ] {
        let error = read(&format!("url = '{url}'")).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }
    let error = DatabaseUrl::parse("postgres://g:hunter2@db/r").unwrap_err();
    assert_eq!(error, BadDatabaseUrl::Password);
    let error = DatabaseUrl::parse("postgres://g@db/r?sslmode=require").unwrap_err();
    assert_eq!(error, BadDatabaseUrl::Extra);
    for url in [
        "postgres://db/r",
        "postgres://g@db",
        "postgres://g@db/",
        "x",
    ] {
        assert_eq!(DatabaseUrl::parse(url), Err(BadDatabaseUrl::Form), "{url}");
    }
    let error = read("url = 'postgres://g@db/r'\npassword = 'hunter2'").unwrap_err();
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn keys_that_do_not_go_together_say_what_to_write() {
    let url = "url = 'postgres://g@db/r'";
    let socket = "url = 'postgres://g@%2Frun/r'";
    for (text, expected) in [
        (format!("{url}\npath = 'x'"), BadStore::Both),
        (
            "sslmode = 'require'".into(),
            BadStore::WithoutUrl("sslmode"),
        ),
        (
            format!("{url}\nsslmode = 'require'\nca_file = 'x'"),
            BadStore::CaUnused,
        ),
        (
            format!("{socket}\nsslmode = 'verify-full'"),
            BadStore::SocketTls,
        ),
        (format!("{socket}\nca_file = 'x'"), BadStore::SocketTls),
    ] {
        let error = read(&text).unwrap_err();
        assert!(error.contains(&expected.to_string()), "{error}");
    }
    let error = read(&format!("{url}\nsslmode = 'prefer'")).unwrap_err();
    assert!(error.contains("sslmode"), "{error}");
}
