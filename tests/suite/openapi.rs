//! `openapi.json` is true: it is the code's, it has the router's routes, and live answers are what
//! it says.

use std::collections::BTreeSet;

use gateway_tests::components::workspace;
use gateway_tests::gateway::{TestGateway, identifiers};
use gateway_tests::schema::Schemas;
use serde_json::{Value, json};

fn document() -> Value {
    serde_json::from_str(&registry_gateway::api::document()).unwrap()
}

#[test]
fn what_is_checked_in_is_the_codes() {
    let file = workspace().join("host/openapi.json");
    let checked_in = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        checked_in == registry_gateway::api::document(),
        "the API has changed: cargo run -- openapi > host/openapi.json"
    );
}

const METHODS: [&str; 4] = ["get", "post", "put", "delete"];

/// The router has no list of its routes to ask for, so that its source is read.
fn routes() -> BTreeSet<(String, String)> {
    let source = std::fs::read_to_string(workspace().join("host/src/api.rs")).unwrap();
    let source: String = source.split_whitespace().collect();
    let mut routes = BTreeSet::new();
    for route in source.split(".route(\"").skip(1) {
        let (path, handlers) = route.split_once("\",").expect("a path and a handler");
        // By any method: a document has no word for it.
        if path.starts_with("/hooks/") {
            assert!(handlers.starts_with("any("), "{path}");
            continue;
        }
        // `get(admin::callers::list).post(admin::callers::add))`
        let calls = handlers.split(".fallback").next().unwrap_or_default();
        let calls: Vec<&str> = calls.split(").").collect();
        for call in calls {
            let Some((method, _)) = call.split_once('(') else {
                continue;
            };
            assert!(METHODS.contains(&method), "{method} {path}");
            routes.insert((path.to_owned(), method.to_owned()));
        }
    }
    routes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_routes_are_the_routers() {
    let document = document();
    let mut told = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            told.insert((path.clone(), method.clone()));
        }
    }
    let hook = ("/hooks/{registry}/{path}".to_owned(), "post".to_owned());
    assert!(told.remove(&hook));
    assert_eq!(told, routes());

    let gateway = TestGateway::start().await;
    for (path, method) in told {
        let path = path.replace("{registry}", "civil").replace(['{', '}'], "");
        let real = gateway.ask(method.to_uppercase().parse().unwrap(), &path);
        let real = real.send().await;
        assert!(
            !["no-such-route", "no-such-method"].contains(&real.code()),
            "{path}"
        );
        let other = gateway.ask(reqwest::Method::PATCH, &path).send().await;
        assert_eq!(
            (other.status, other.code()),
            (405, "no-such-method"),
            "{path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_answers_are_what_it_says() {
    let gateway = TestGateway::start().await;
    let document = document();
    let schemas = Schemas::new(&document);
    let of_path = |path: &str, method: &str, status: &str| {
        let escaped = path.replace('/', "~1");
        let response = format!("/paths/{escaped}/{method}/responses/{status}/content");
        let content = document
            .pointer(&response)
            .unwrap_or_else(|| panic!("{response}"));
        let (_, media) = content.as_object().unwrap().iter().next().unwrap();
        media["schema"].clone()
    };
    let mut seen = 0;
    for index in 0..40 {
        let person = gateway.person(index);
        let identifiers = identifiers(&person.uin);
        for registry in ["civil", "social"] {
            for (ability, body) in [
                ("find", json!({ "identifiers": identifiers })),
                ("household", json!({ "identifiers": identifiers })),
                (
                    "search",
                    json!({ "pageSize": 3, "criteria": [
                        { "field": "name.family", "equals": person.name.surname },
                    ]}),
                ),
                (
                    "verify",
                    json!({ "identifiers": identifiers, "claimed": {
                        "birthDate": person.birth.to_string(), "sex": "female",
                    }}),
                ),
            ] {
                let answer = gateway.lookup(registry, ability, &body).send().await.ok();
                let schema = of_path(
                    &format!("/v1/registries/{{registry}}/{ability}"),
                    "post",
                    "200",
                );
                schemas
                    .check(&schema, &answer.json)
                    .unwrap_or_else(|wrong| {
                        panic!("{registry} {ability}: {wrong}\n{}", answer.text)
                    });
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 320);
    for path in ["/v1/registries", "/v1/registries/{registry}"] {
        let answer = gateway
            .get(&path.replace("{registry}", "civil"))
            .send()
            .await
            .ok();
        schemas
            .check(&of_path(path, "get", "200"), &answer.json)
            .unwrap();
    }
    let problem = gateway.find("civil", "1000000000").send().await;
    let schema = of_path("/v1/registries/{registry}/find", "post", "4XX");
    schemas.check(&schema, &problem.json).unwrap();
}

/// The check itself can fail.
#[test]
fn an_answer_of_another_shape_is_found() {
    let document = document();
    let schemas = Schemas::new(&document);
    let schema = json!({ "$ref": "#/components/schemas/FindResponse" });
    let good =
        json!({ "person": { "sex": "female" }, "source": { "registry": "r", "module": "m" } });
    schemas.check(&schema, &good).unwrap();
    for (path, value) in [
        ("/person", json!(3)),
        ("/person/sex", json!(["female"])),
        ("/source/module", Value::Null),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(path).unwrap() = value;
        let wrong = schemas.check(&schema, &bad).unwrap_err();
        assert!(wrong.starts_with(path), "{wrong}");
    }
    for (at, name, path) in [("", "source", ""), ("/source", "module", "/source")] {
        let mut bad = good.clone();
        let object = bad.pointer_mut(at).unwrap().as_object_mut().unwrap();
        object.remove(name);
        let wrong = schemas.check(&schema, &bad).unwrap_err();
        assert!(wrong.starts_with(path) && wrong.contains(name), "{wrong}");
    }
    let mut more = good.clone();
    more["person"]["colour"] = json!("red");
    assert!(
        schemas
            .check(&schema, &more)
            .unwrap_err()
            .contains("colour")
    );
}
