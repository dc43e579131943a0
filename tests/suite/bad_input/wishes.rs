//! The rows of the table where something beside the question is wrong, or a claim.

use gateway_tests::gateway::identifiers;
use serde_json::{Value, json};

use super::{MARK, Table};

/// What is wrong with a consent, a proof or a language.
pub(super) fn wishes(table: &mut Table) {
    let mut wish = |what, name: &str, wish: Value, field| {
        let mut body = json!({ "identifiers": identifiers(MARK) });
        body[name] = wish;
        table.body(what, "find", body, "invalid-request", field);
    };
    let consent = |name: &str, value: &str| {
        let mut consent = json!({ "reference": "c-1" });
        consent[name] = value.into();
        consent
    };
    let proof = |name: &str, value: Value| {
        let mut proof = json!({ "kind": "token", "value": MARK });
        proof[name] = value;
        proof
    };
    for (what, value) in [
        ("empty consent", String::new()),
        ("long consent", MARK.repeat(100)),
        ("consent on two lines", format!("{MARK}\n{MARK}")),
    ] {
        wish(
            what,
            "consent",
            consent("reference", &value),
            "consent.reference",
        );
    }
    for (what, value) in [
        ("given at no time", MARK),
        ("given on a day", "2026-01-02"),
        ("given at a local time", "2026-01-02T03:04:05"),
    ] {
        wish(
            what,
            "consent",
            consent("givenAt", value),
            "consent.givenAt",
        );
    }
    for (what, value) in [("ends at no time", MARK), ("ended", "2001-02-03T04:05:06Z")] {
        wish(
            what,
            "consent",
            consent("expiresAt", value),
            "consent.expiresAt",
        );
    }
    for (what, value) in [
        ("empty proof", String::new()),
        ("long proof", MARK.repeat(7_000)),
        ("proof with control characters", format!("{MARK}\u{1b}")),
    ] {
        wish(what, "proof", proof("value", value.into()), "proof.value");
    }
    wish(
        "proof of an empty kind",
        "proof",
        proof("kind", "".into()),
        "proof.kind",
    );
    for (what, parameters) in [
        ("empty parameter", json!({ MARK: "" })),
        ("parameter without a name", json!({ "": MARK })),
        ("long parameter", json!({ MARK: MARK.repeat(100) })),
    ] {
        wish(
            what,
            "proof",
            proof("parameters", parameters),
            "proof.parameters",
        );
    }
    for (what, tag) in [
        ("empty language", String::new()),
        ("no language", MARK.to_owned()),
        ("long language", "en-x".repeat(100)),
        ("language with a line", format!("en\n{MARK}")),
    ] {
        wish(what, "languages", json!(["en", tag]), "languages.1");
    }
}

/// What can be claimed of nobody.
pub(super) fn claims(table: &mut Table) {
    let mut claim = |what, claimed: Value, field| {
        let body = json!({ "identifiers": identifiers(MARK), "claimed": claimed });
        table.body(what, "verify", body, "invalid-request", field);
    };
    let photo =
        |data: &str| json!({ "photo": { "content": { "mediaType": "image/jpeg", "data": data } } });
    let data = "claimed.photo.content.data";
    claim("photo not Base64", photo(&format!("{MARK}!")), data);
    claim("photo of nothing", photo(""), data);
    claim(
        "photo of no kind",
        json!({ "photo": { "content": { "mediaType": "", "data": "AAAA" } } }),
        "claimed.photo.content.mediaType",
    );
    for (what, latitude, longitude) in [
        ("beyond the pole", 98.765_432, 0.0),
        ("beyond the date line", 0.0, -198.765_432),
    ] {
        let point = json!({ "latitude": latitude, "longitude": longitude });
        claim(
            what,
            json!({ "addresses": [{ "city": MARK }, { "position": point }] }),
            "claimed.addresses.1.position",
        );
    }
    claim(
        "unmapped",
        json!({ "unmapped": [{ "field": MARK, "value": MARK }] }),
        "claimed.unmapped",
    );
}
