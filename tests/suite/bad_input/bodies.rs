//! The rows of the table whose body is wrong.

use gateway_tests::gateway::identifiers;
use serde_json::{Value, json};

use super::{MARK, Table};

/// Bodies that are no JSON, or JSON of another shape.
pub(super) fn shapes(table: &mut Table) {
    let text = |text: String| table.find().body(text);
    let half = text(format!("{{\"identifiers\": [{{\"scheme\": \"{MARK}"));
    let more = text(format!("{{\"identifiers\": []}} {MARK}"));
    let list = text(format!("\"{MARK}\""));
    let bytes = table
        .find()
        .body(b"{\"identifiers\": \"\xff\xfe\"}".to_vec());
    table.add("wrong JSON", half, (400, "invalid-json", ""));
    table.add("more than JSON", more, (400, "invalid-json", ""));
    table.add(
        "JSON of another kind",
        list,
        (400, "invalid-request", "body"),
    );
    table.add("not UTF-8", bytes, (400, "invalid-json", ""));
    table.body(
        "unknown field",
        "find",
        json!({ "identifiers": [], "colour": MARK }),
        "unknown-field",
        "colour",
    );
    table.body(
        "unknown field below",
        "find",
        json!({ "identifiers": [{ "scheme": "a", "value": "b", "colour": MARK }] }),
        "unknown-field",
        "identifiers.0.colour",
    );
    table.body(
        "a field is missing",
        "find",
        json!({ "identifiers": [{ "scheme": MARK }] }),
        "missing-field",
        "identifiers.0.value",
    );
    table.body(
        "text for a list",
        "find",
        json!({ "identifiers": MARK }),
        "invalid-request",
        "identifiers",
    );
    table.body(
        "number for a text",
        "find",
        json!({ "identifiers": [{ "scheme": "a", "value": 98_765_432 }] }),
        "invalid-request",
        "identifiers.0.value",
    );
}

/// Values that the types cannot refuse, or that they must.
pub(super) fn values(table: &mut Table) {
    let one = |value: &str| json!({ "identifiers": identifiers(value) });
    let claim = |claimed: Value| json!({ "identifiers": identifiers(MARK), "claimed": claimed });
    table.body(
        "bad date",
        "verify",
        claim(json!({ "birthDate": format!("{MARK}-13-45") })),
        "invalid-request",
        "claimed.birthDate",
    );
    table.body(
        "no such day",
        "verify",
        claim(json!({ "birthDate": "1987-02-30" })),
        "invalid-request",
        "claimed.birthDate",
    );
    table.body(
        "unknown sex",
        "verify",
        claim(json!({ "sex": MARK })),
        "invalid-request",
        "claimed.sex",
    );
    table.body(
        "empty claim",
        "verify",
        claim(json!({})),
        "invalid-request",
        "claimed",
    );
    table.body(
        "no identifiers",
        "find",
        json!({ "identifiers": [], "languages": [MARK] }),
        "invalid-request",
        "identifiers",
    );
    table.body(
        "empty value",
        "find",
        one(" "),
        "invalid-request",
        "identifiers.0.value",
    );
    table.body(
        "too long",
        "find",
        one(&MARK.repeat(100)),
        "invalid-request",
        "identifiers.0.value",
    );
    table.body(
        "control characters",
        "find",
        one(&format!("{MARK}\u{1b}[2J\n")),
        "invalid-request",
        "identifiers.0.value",
    );
    table.body(
        "too many",
        "find",
        json!({ "identifiers": vec![identifiers(MARK)[0].clone(); 33] }),
        "invalid-request",
        "identifiers",
    );
    table.body(
        "no such wanted field",
        "find",
        json!({ "identifiers": identifiers(MARK), "fields": ["names", MARK] }),
        "invalid-request",
        "fields.1",
    );
}

/// What a search refuses.
pub(super) fn searches(table: &mut Table, foreign_page: &Value) {
    let named = || json!([{ "field": "name.family", "equals": MARK }]);
    let mut search = |what, body, field| table.body(what, "search", body, "invalid-request", field);
    search(
        "page size 0",
        json!({ "criteria": named(), "pageSize": 0 }),
        "pageSize",
    );
    search(
        "page size 101",
        json!({ "criteria": named(), "pageSize": 101 }),
        "pageSize",
    );
    search(
        "page size of words",
        json!({ "criteria": named(), "pageSize": MARK }),
        "pageSize",
    );
    search(
        "no criteria",
        json!({ "criteria": [], "languages": [MARK] }),
        "criteria",
    );
    search(
        "two tests",
        json!({ "criteria": [{ "field": "sex", "equals": MARK, "fuzzy": MARK }] }),
        "criteria.0",
    );
    search(
        "no test",
        json!({ "criteria": [{ "field": MARK }] }),
        "criteria.0",
    );
    search(
        "empty field",
        json!({ "criteria": [{ "field": "", "equals": MARK }] }),
        "criteria.0.field",
    );
    search(
        "empty range",
        json!({ "criteria": [{ "field": MARK, "range": {} }] }),
        "criteria.0.range",
    );
    search(
        "bad page",
        json!({ "criteria": named(), "page": MARK }),
        "page",
    );
    search(
        "another registry's page",
        json!({ "criteria": named(), "page": foreign_page }),
        "page",
    );
    search(
        "a page with more",
        json!({ "criteria": named(), "page": format!("{}{MARK}", foreign_page.as_str().unwrap()) }),
        "page",
    );
}
