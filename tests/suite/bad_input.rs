//! Every bad input gets a problem with a stable code that names the field, repeats nothing of what
//! was sent, and reaches no registry.

mod bodies;
mod wishes;

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
    fn body(
        &mut self,
        what: &'static str,
        ability: &str,
        body: Value,
        code: &'static str,
        field: &'static str,
    ) {
        let ask = self.gateway.lookup("civil", ability, &body);
        self.add(what, ask, (400, code, field));
    }

    fn find(&self) -> Ask {
        self.gateway.find("civil", MARK)
    }
}

/// What the adapter refuses, before it asks the registry.
fn refused_by_the_adapter(table: &mut Table) {
    let unknown = json!({ "criteria": [{ "field": MARK, "equals": MARK }] });
    let unknown = table.gateway.lookup("civil", "search", &unknown);
    table.add(
        "a field that is not in the model and not shown",
        unknown,
        (403, "hidden-field", "criteria.0.field"),
    );
    let scheme = json!({ "identifiers": [{ "scheme": MARK, "value": MARK }] });
    let scheme = table.gateway.lookup("civil", "find", &scheme);
    table.add(
        "a scheme that it does not know",
        scheme,
        (422, "rejected", "identifiers"),
    );
}

/// What is wrong around the body.
fn surroundings(table: &mut Table) {
    let find = table.find();
    let header = |name: &str| find.clone().header(name, &MARK.repeat(30));
    table.add(
        "wrong key",
        find.clone().key(MARK),
        (401, "unauthorized", "Authorization"),
    );
    table.add(
        "no key",
        find.clone().without("authorization"),
        (401, "unauthorized", "Authorization"),
    );
    table.add(
        "missing purpose",
        find.clone().without("registry-purpose"),
        (400, "missing-statement", "Registry-Purpose"),
    );
    table.add(
        "empty purpose",
        find.clone().header("registry-purpose", " "),
        (400, "missing-statement", "Registry-Purpose"),
    );
    table.add(
        "long purpose",
        header("registry-purpose"),
        (400, "invalid-request", "Registry-Purpose"),
    );
    table.add(
        "long user",
        header("registry-user"),
        (400, "invalid-request", "Registry-User"),
    );
    let bytes = [MARK.as_bytes(), b"\xff"].concat();
    table.add(
        "header not UTF-8",
        find.clone().raw_header("registry-entity", &bytes),
        (400, "invalid-request", "Registry-Entity"),
    );
    let kind = find.clone().header("content-type", &format!("text/{MARK}"));
    table.add(
        "wrong content type",
        kind,
        (415, "not-json", "Content-Type"),
    );
    table.add(
        "no content type",
        find.clone().without("content-type"),
        (415, "not-json", "Content-Type"),
    );
    let large = json!({ "identifiers": identifiers(&MARK.repeat(10 << 20 >> 3)) });
    table.add("10 MB", find.json(&large), (413, "body-too-large", ""));
    let (unknown, not_text) = (
        table.gateway.find(MARK, MARK),
        table.gateway.find("%ff", MARK),
    );
    table.add(
        "unknown registry",
        unknown,
        (404, "unknown-registry", "registry"),
    );
    table.add(
        "registry not UTF-8",
        not_text,
        (404, "unknown-registry", "registry"),
    );
    let show = |name: &str| table.gateway.get(&format!("/v1/registries/{name}"));
    let (unknown, not_text) = (show(MARK), show("%ff"));
    table.add(
        "unknown registry to show",
        unknown,
        (404, "unknown-registry", "registry"),
    );
    table.add(
        "registry not UTF-8 to show",
        not_text,
        (404, "unknown-registry", "registry"),
    );
    let route = table.gateway.get(&format!("/v1/{MARK}?name={MARK}"));
    table.add("unknown route", route, (404, "no-such-route", ""));
    let method = table
        .gateway
        .get(&format!("/v1/registries/civil/find?name={MARK}"));
    table.add("wrong method", method, (405, "no-such-method", ""));
    let hidden = json!({ "identifiers": identifiers(MARK), "fields": ["extra"] });
    let hidden = table.gateway.lookup("civil", "find", &hidden);
    table.add("hidden field", hidden, (403, "hidden-field", "fields.0"));
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
    bodies::shapes(&mut table);
    bodies::values(&mut table);
    wishes::wishes(&mut table);
    wishes::claims(&mut table);
    bodies::searches(&mut table, &page.json["next"]);
    refused_by_the_adapter(&mut table);
    surroundings(&mut table);
    let Table { gateway, rows } = table;

    let mut wrong = Vec::new();
    for (
        at,
        Row {
            what,
            ask,
            expected,
        },
    ) in rows.into_iter().enumerate()
    {
        let id = format!("00000000-0000-4000-8000-{at:012}");
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
    assert_eq!(
        gateway.stand_in.requests(),
        asked,
        "none reached the registry"
    );
}
