use super::*;
use crate::config::read::toml_text;

fn said(name: &str, lines: &str) -> Result<Issuer, String> {
    let mut given = String::new();
    for (field, value) in [
        ("issuer", "'https://id.example.org/realms/health'"),
        ("audiences", "['registry-gateway']"),
        ("roles_claim", "'roles'"),
    ] {
        if !lines.starts_with(&format!("{field} ")) {
            given += &format!("{field} = {value}\n");
        }
    }
    let text = format!("{given}{lines}\n");
    let config: IssuerConfig = toml_text(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    Issuer::new(name, &config, &Egress::new(), &Secrets::new(None))
}

#[test]
fn what_cannot_be_meant_is_refused_by_its_field() {
    said("keycloak", "").map(drop).unwrap();
    said("keycloak", "clock_leeway_s = 600").map(drop).unwrap();
    for (lines, begins) in [
        ("issuer = ''", "issuer: is empty"),
        ("issuer = 'health'", "issuer: is no URL"),
        (
            "issuer = 'http://id.example.org'",
            "issuer: begins with https://",
        ),
        (
            "jwks_url = 'http://id.example.org/keys'",
            "jwks_url: begins with https://",
        ),
        ("audiences = []", "audiences: is empty"),
        ("algorithms = []", "algorithms: is empty"),
        ("timeout_ms = 0", "timeout_ms: is a number from 1"),
        (
            "max_document_bytes = 0",
            "max_document_bytes: is a number from 1",
        ),
        ("refresh_after_s = 0", "refresh_after_s: is a number from 1"),
        ("refresh_least_s = 0", "refresh_least_s: is a number from 1"),
        ("keep_keys_s = 0", "keep_keys_s: is a number from 1"),
        ("clock_leeway_s = 601", "clock_leeway_s: is at most 600"),
        (
            "mapping.clerk = { roles = ['client'], grants = [{ fields = ['name'] }] }",
            "mapping.clerk.grants.0.fields.0: is none of a person's",
        ),
    ] {
        let problem = said("keycloak", lines).err().unwrap_or_default();
        assert!(problem.starts_with(begins), "{lines}: {problem}");
    }
    for name in ["Keycloak", "a_b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] {
        assert!(said(name, "").is_err(), "{name}");
    }
}

#[test]
fn what_both_sides_have_the_key_of_is_no_algorithm() {
    for (word, taken) in [
        ("ES384", true),
        ("HS256", false),
        ("none", false),
        ("rs256", false),
    ] {
        let text = format!(
            "issuer = 'https://a.example'\naudiences = ['a']\n\
             roles_claim = 'r'\nalgorithms = ['{word}']"
        );
        assert_eq!(toml_text::<IssuerConfig>(&text).is_ok(), taken, "{word}");
    }
}
