//! Every bad input gets a problem with a stable code that names the field, repeats nothing of what
//! was sent, and reaches no registry.

use gateway_tests::ask::Ask;
use gateway_tests::crafted::Crafted;
use gateway_tests::gateway::{TestGateway, identifiers};
use serde_json::{Value, json};

/// Stands in each bad value.
const MARK: &str = "Qzmarkvalue";

struct Row {
    what: &'static str,
    ask: Ask,
    expected: (u16, &'static str, &'static str),
}

/// The table in the making.
struct Table {
    gateway: TestGateway,
    rows: Vec<Row>,
}

impl Table {
    fn add(&mut self, what: &'static str, ask: Ask, expected: (u16, &'static str, &'static str)) {
        self.rows.push(Row {
            what,
            ask,
            expected,
        });
    }

    /// A body that an ability refuses.
    fn body(&mut self, what: &'static str, ability: &str, body: Value, code: &'static str, field: &'static str) {
        let ask = self.gateway.lookup("civil", ability, &body);
        self.add(what, ask, (400, code, field));
    }

    fn find(&self) -> Ask {
        self.gateway.find("civil", MARK)
    }
}

/// Bodies that are no JSON, or JSON of another shape.
fn shapes(table: &mut Table) {
    let text = |text: String| table.find().body(text);
    let half = text(format!("{{\"identifiers\": [{{\"scheme\": \"{MARK}"));
    let more = text(format!("{{\"identifiers\": []}} {MARK}"));
    let list = text(format!("\"{MARK}\""));
    let bytes = table.find().body(b"{\"identifiers\": \"\xff\xfe\"}".to_vec());
    table.add("wrong JSON", half, (400, "invalid-json", ""));
    table.add("more than JSON", more, (400, "invalid-json", ""));
    table.add("JSON of another kind", list, (400, "invalid-request", "body"));
    table.add("not UTF-8", bytes, (400, "invalid-json", ""));
    table.body("unknown field", "find", json!({ "identifiers": [], "colour": MARK }), "unknown-field", "colour");
    table.body("unknown field below", "find", json!({ "identifiers": [{ "scheme": "a", "value": "b", "colour": MARK }] }), "unknown-field", "identifiers.0.colour");
    table.body("a field is missing", "find", json!({ "identifiers": [{ "scheme": MARK }] }), "missing-field", "identifiers.0.value");
    table.body("text for a list", "find", json!({ "identifiers": MARK }), "invalid-request", "identifiers");
    table.body("number for a text", "find", json!({ "identifiers": [{ "scheme": "a", "value": 98_765_432 }] }), "invalid-request", "identifiers.0.value");
}

/// Values that the types cannot refuse, or that they must.
fn values(table: &mut Table) {
    let one = |value: &str| json!({ "identifiers": identifiers(value) });
    let claim = |claimed: Value| json!({ "identifiers": identifiers(MARK), "claimed": claimed });
    table.body("bad date", "verify", claim(json!({ "birthDate": format!("{MARK}-13-45") })), "invalid-request", "claimed.birthDate");
    table.body("no such day", "verify", claim(json!({ "birthDate": "1987-02-30" })), "invalid-request", "claimed.birthDate");
    table.body("unknown sex", "verify", claim(json!({ "sex": MARK })), "invalid-request", "claimed.sex");
    table.body("empty claim", "verify", claim(json!({})), "invalid-request", "claimed");
    table.body("no identifiers", "find", json!({ "identifiers": [], "languages": [MARK] }), "invalid-request", "identifiers");
    table.body("empty value", "find", one(" "), "invalid-request", "identifiers.0.value");
    table.body("too long", "find", one(&MARK.repeat(100)), "invalid-request", "identifiers.0.value");
    table.body("control characters", "find", one(&format!("{MARK}\u{1b}[2J\n")), "invalid-request", "identifiers.0.value");
    table.body("too many", "find", json!({ "identifiers": vec![identifiers(MARK)[0].clone(); 33] }), "invalid-request", "identifiers");
    table.body("no such wanted field", "find", json!({ "identifiers": identifiers(MARK), "fields": ["names", MARK] }), "invalid-request", "fields.1");
}

/// What a search refuses.
fn searches(table: &mut Table, foreign_page: &Value) {
    let named = || json!([{ "field": "name.family", "equals": MARK }]);
    let mut search = |what, body, field| table.body(what, "search", body, "invalid-request", field);
    search("page size 0", json!({ "criteria": named(), "pageSize": 0 }), "pageSize");
    search("page size 101", json!({ "criteria": named(), "pageSize": 101 }), "pageSize");
    search("page size of words", json!({ "criteria": named(), "pageSize": MARK }), "pageSize");
    search("no criteria", json!({ "criteria": [], "languages": [MARK] }), "criteria");
    search("two tests", json!({ "criteria": [{ "field": "sex", "equals": MARK, "fuzzy": MARK }] }), "criteria.0");
    search("no test", json!({ "criteria": [{ "field": MARK }] }), "criteria.0");
    search("empty field", json!({ "criteria": [{ "field": "", "equals": MARK }] }), "criteria.0.field");
    search("empty range", json!({ "criteria": [{ "field": MARK, "range": {} }] }), "criteria.0.range");
    search("no such field", json!({ "criteria": [{ "field": MARK, "equals": MARK }] }), "criteria.0.field");
    search("bad page", json!({ "criteria": named(), "page": MARK }), "page");
    search("another registry's page", json!({ "criteria": named(), "page": foreign_page }), "page");
    search("a page with more", json!({ "criteria": named(), "page": format!("{}{MARK}", foreign_page.as_str().unwrap()) }), "page");
}

/// What is wrong around the body.
fn surroundings(table: &mut Table) {
    let find = table.find();
    let header = |name: &str| find.clone().header(name, &MARK.repeat(30));
    table.add("wrong key", find.clone().key(MARK), (401, "unauthorized", "Authorization"));
    table.add("no key", find.clone().without("authorization"), (401, "unauthorized", "Authorization"));
    table.add("missing purpose", find.clone().without("registry-purpose"), (400, "missing-statement", "Registry-Purpose"));
    table.add("empty purpose", find.clone().header("registry-purpose", " "), (400, "missing-statement", "Registry-Purpose"));
    table.add("long purpose", header("registry-purpose"), (400, "invalid-request", "Registry-Purpose"));
    table.add("long user", header("registry-user"), (400, "invalid-request", "Registry-User"));
    let bytes = [MARK.as_bytes(), b"\xff"].concat();
    table.add("header not UTF-8", find.clone().raw_header("registry-entity", &bytes), (400, "invalid-request", "Registry-Entity"));
    let kind = find.clone().header("content-type", &format!("text/{MARK}"));
    table.add("wrong content type", kind, (415, "not-json", "Content-Type"));
    table.add("no content type", find.clone().without("content-type"), (415, "not-json", "Content-Type"));
    let large = json!({ "identifiers": identifiers(&MARK.repeat(10 << 20 >> 3)) });
    table.add("10 MB", find.json(&large), (413, "body-too-large", ""));
    let (unknown, not_text) = (table.gateway.find(MARK, MARK), table.gateway.find("%ff", MARK));
    table.add("unknown registry", unknown, (404, "unknown-registry", "registry"));
    table.add("registry not UTF-8", not_text, (404, "unknown-registry", "registry"));
    let show = |name: &str| table.gateway.get(&format!("/v1/registries/{name}"));
    let (unknown, not_text) = (show(MARK), show("%ff"));
    table.add("unknown registry to show", unknown, (404, "unknown-registry", "registry"));
    table.add("registry not UTF-8 to show", not_text, (404, "unknown-registry", "registry"));
    let route = table.gateway.get(&format!("/v1/{MARK}?name={MARK}"));
    table.add("unknown route", route, (404, "no-such-route", ""));
    let method = table.gateway.get(&format!("/v1/registries/civil/find?name={MARK}"));
    table.add("wrong method", method, (405, "no-such-method", ""));
    let hidden = json!({ "identifiers": identifiers(MARK), "fields": ["extra"] });
    let hidden = table.gateway.lookup("civil", "find", &hidden);
    table.add("hidden field", hidden, (403, "hidden-field", "fields"));
    let body = json!({ "identifiers": identifiers(MARK) });
    let ability = table.gateway.lookup("only-find", "household", &body);
    table.add("ability not there", ability, (501, "no-ability", ""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_told_by_field_and_never_repeated() {
    let directory = tempfile::tempdir().unwrap();
    let only_find = directory.path().join("only-find.wasm");
    std::fs::write(&only_find, Crafted::adapter().build()).unwrap();
    let gateway = TestGateway::builder()
        .registry("only-find", |text| text.module(only_find))
        .start()
        .await;
    let page = json!({
        "criteria": [{ "field": "birth-date", "range": { "from": "1900" } }],
        "pageSize": 1,
    });
    let page = gateway.lookup("social", "search", &page).send().await.ok();
    let asked = gateway.stand_in.requests();

    let rows = Vec::new();
    let mut table = Table { gateway, rows };
    shapes(&mut table);
    values(&mut table);
    searches(&mut table, &page.json["next"]);
    surroundings(&mut table);
    let Table { gateway, rows } = table;

    let mut wrong = Vec::new();
    for (at, Row { what, ask, expected }) in rows.into_iter().enumerate() {
        let id = format!("suite-{at}");
        let answer = ask.header("x-request-id", &id).send().await;
        let field = answer.json["field"].as_str().unwrap_or_default();
        if (answer.status, answer.code(), field) != expected {
            wrong.push(format!("{what}: {expected:?}, not {}", answer.text));
        }
        let kind = answer.header("content-type");
        let type_ = format!("urn:registry-gateway:problem:{}", answer.code());
        let whole = kind == "application/problem+json"
            && answer.json["type"] == type_
            && answer.json["status"] == answer.status
            && answer.header("x-request-id") == id;
        if !whole {
            wrong.push(format!("{what}: no whole problem: {answer:?}"));
        }
        let repeated = [MARK, "98765432", "1987-02-30", "text/"];
        if repeated.iter().any(|value| answer.text.contains(value)) {
            wrong.push(format!("{what}: repeats a value: {}", answer.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(gateway.stand_in.requests(), asked, "none reached the registry");
}
