use super::*;
use crate::config::registry::RegistryFile;
use crate::config::secret::Secrets;

#[test]
fn defaults_are_those_of_the_constants() {
    let config: EndpointConfig =
        toml::from_str("base_url = \"https://r.example/api\"").expect("parses");
    assert_eq!(config, EndpointConfig::new("https://r.example/api"));
}

#[test]
fn every_credential_is_read_and_unknown_keys_are_not() {
    for (text, expected) in [
        ("kind = 'none'", "None"),
        (
            "kind = 'basic'\nuser = 'u'\npassword = 'env:REGISTRY_SECRET_A'",
            "Basic",
        ),
        ("kind = 'bearer'\ntoken = 'env:REGISTRY_SECRET_A'", "Bearer"),
        (
            "kind = 'api-key'\nheader = 'x-key'\nvalue = 'env:REGISTRY_SECRET_A'",
            "ApiKey",
        ),
        (
            "kind = 'oauth2'\ntoken_url = 'https://a.example/t'\nclient_id = 'c'\n\
             client_secret = 'env:REGISTRY_SECRET_A'\nform = 'query'\nconnection = 'direct'",
            "OAuth2",
        ),
        (
            "kind = 'session'\nlogin = { url = '/l', form = { u = 'a', p = '${secret:p}' } }\n\
             token = { header = 'x-token' }\nsend_as = { header = 'x-token' }",
            "Session",
        ),
    ] {
        let config: CredentialConfig = toml::from_str(text).expect(text);
        let secrets = Secrets::with_environment(None, |_| Some("hunter2".into()));
        let credential = config.resolve("c", &secrets).expect(text);
        assert_eq!(format!("{credential:?}"), expected);
        toml::from_str::<CredentialConfig>(&format!("{text}\ncolour = 'red'"))
            .expect_err("unknown key");
    }
    toml::from_str::<EndpointConfig>("base_url = 'https://a.example'\ntimeout = 3")
        .expect_err("unknown key");
    toml::from_str::<CredentialConfig>("kind = 'bearer'\ntoken = 'hunter2'")
        .expect_err("a secret is not a source");
}

#[test]
fn a_missing_secret_names_its_field() {
    let config: CredentialConfig =
        toml::from_str("kind = 'bearer'\ntoken = 'env:REGISTRY_SECRET_A'").expect("parses");
    let secrets = Secrets::with_environment(None, |_| None);
    let error = config
        .resolve("registries.crvs.endpoints.search.credential", &secrets)
        .expect_err("not set");
    assert_eq!(
        error.to_string(),
        "registries.crvs.endpoints.search.credential.token: \
         set env:REGISTRY_SECRET_A in the gateway's environment"
    );
}

/// The blocks of TOML that begin with a registry and say where it is, without what comments put
/// before each line.
fn examples(text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .map(|line| line.trim_start_matches("/// ").trim_end_matches("///"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let blocks = text.split("```toml\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("```").next());
    let whole =
        blocks.filter(|block| block.starts_with("[registries.") && block.contains("base_url"));
    whole.map(str::to_owned).collect()
}

/// The examples of the documentation, as `registry apply` would read and the store would keep them.
#[test]
fn the_examples_parse() {
    for (source, count) in [
        (include_str!("../endpoint.rs"), 1),
        (include_str!("connection.rs"), 2),
        (include_str!("session.rs"), 2),
        (include_str!("../../../../README.md"), 2),
    ] {
        let examples = examples(source);
        assert_eq!(examples.len(), count);
        for text in examples {
            let file: RegistryFile = toml::from_str(&text).expect(&text);
            let registries = file.registries.values();
            for endpoint in registries.flat_map(|registry| registry.endpoints.values()) {
                let kept = serde_json::to_string(endpoint).expect("JSON");
                let read: EndpointConfig = serde_json::from_str(&kept).expect(&kept);
                assert_eq!(&read, endpoint, "{kept}");
            }
        }
    }
}

#[test]
fn parts_of_a_session_are_one_or_the_other() {
    for (text, wrong) in [
        ("token = { json = '/a', header = 'b' }", "two places"),
        ("token = { body = '/a' }", "no such place"),
        ("send_as = { header = 'a', cookie = 'b' }", "two places"),
        (
            "send_as = { cookie = 'b', prefix = 'c' }",
            "a cookie has no prefix",
        ),
        ("expires = { seconds = -1 }", "the past"),
        ("expires = { seconds = 1, at = '/exp' }", "two ends"),
        ("login = { url = '/l', method = 'DELETE' }", "no login"),
    ] {
        let key = text.split_once(' ').expect("a key").0;
        let good: String = [
            "login = { url = '/l' }",
            "token = { json = '/a' }",
            "kind = 'session'",
        ]
        .into_iter()
        .filter(|line| !line.starts_with(key))
        .map(|line| format!("{line}\n"))
        .collect();
        toml::from_str::<CredentialConfig>(&format!("{good}{text}")).expect_err(wrong);
    }
}

#[test]
fn every_place_is_read_and_named_where_it_cannot_be() {
    let config: EndpointConfig = toml::from_str(
        "base_url = 'https://r.example'\nca_file = 'env:REGISTRY_SECRET_CA'\n\
         client_certificate = { chain = 'env:REGISTRY_SECRET_CHAIN', key = 'env:REGISTRY_SECRET_KEY' }\n\
         proxy = { url = 'http://p', user = 'u', password = 'env:REGISTRY_SECRET_PROXY' }",
    )
    .expect("parses");
    let all = Secrets::with_environment(None, |name| Some(name.to_owned()));
    let read = config.resolve("e", &all).expect("all are there");
    assert!(
        read.ca.is_some() && read.client_certificate.is_some() && read.proxy_password.is_some()
    );
    assert!(!format!("{read:?}").contains("REGISTRY_SECRET"));
    for (missing, field) in [
        ("CA", "e.ca_file: "),
        ("CHAIN", "e.client_certificate.chain: "),
        ("KEY", "e.client_certificate.key: "),
        ("PROXY", "e.proxy.password: "),
    ] {
        let missing = format!("REGISTRY_SECRET_{missing}");
        let secrets =
            Secrets::with_environment(None, move |name| (name != missing).then(|| "x".into()));
        let error = config.resolve("e", &secrets).expect_err(field).to_string();
        assert!(error.starts_with(field), "{error}");
    }
}
