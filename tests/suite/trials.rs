//! `registry test`, and the terms on which callers may ask.

use gateway_tests::gateway::{Answer, TestGateway};
use registry_gateway::model::Role;
use serde_json::{Value, json};

const REGISTRIES: &str = "/admin/v1/registries";

async fn try_it(gateway: &TestGateway, admin: &str, body: &Value) -> Value {
    let path = format!("{REGISTRIES}/civil/test");
    let tried = gateway.post(&path, body).key(admin).send().await;
    tried.ok().json
}

/// The registry `civil`, changed.
async fn change(gateway: &TestGateway, admin: &str, change: impl FnOnce(&mut Value)) -> Answer {
    let exported = gateway.get(&format!("{REGISTRIES}/export")).key(admin);
    let mut civil = exported.send().await.ok().json["registries"]["civil"].take();
    change(&mut civil);
    let body = json!({ "registries": { "civil": civil } });
    let path = format!("{REGISTRIES}/apply");
    gateway.post(&path, &body).key(admin).send().await
}

/// `place step`, by how it ended.
fn ended<'a>(trial: &'a Value, state: &str) -> Vec<(String, &'a Value)> {
    let steps = trial["steps"].as_array().unwrap().iter();
    let steps = steps.filter(|step| step["state"] == state);
    steps
        .map(|step| {
            let place = step["place"].as_str().unwrap();
            let name = step["step"].as_str().unwrap_or_default();
            (format!("{place} {name}").trim().to_owned(), step)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_works_is_found_to() {
    let gateway = TestGateway::start().await;
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    let tried = try_it(&gateway, &admin, &json!({})).await;
    assert_eq!(tried["works"], true, "{tried}");
    let places: Vec<String> = ended(&tried, "works").into_iter().map(|it| it.0).collect();
    assert_eq!(
        places,
        [
            "configuration",
            "endpoints.registry name",
            "endpoints.registry address",
            "endpoints.registry connection",
            "endpoints.registry tls",
            "endpoints.registry credential",
            "endpoints.registry answer",
            "mapping",
        ]
    );

    let uin = gateway.person(3).uin;
    let body = json!({ "identifier": { "scheme": "national-id", "value": uin } });
    let tried = try_it(&gateway, &admin, &body).await;
    assert_eq!(tried["works"], true, "{tried}");
    let told = tried["steps"][7]["told"].as_str().unwrap();
    assert!(told.starts_with("a person was found; it has "), "{told}");
    assert!(
        told.contains("identifiers") && told.contains("names"),
        "{told}"
    );
    let found = gateway.find("civil", &uin).send().await.ok().json;
    let family = found["person"]["names"][0]["family"].as_str().unwrap();
    let all = tried.to_string();
    assert!(!all.contains(&uin) && !all.contains(family), "{all}");

    let nobody = json!({ "identifier": { "scheme": "national-id", "value": "0000000000" } });
    let tried = try_it(&gateway, &admin, &nobody).await;
    assert_eq!(tried["works"], true, "{tried}");

    let store = gateway.store().await;
    let rows = store.audit().recent(10).await.unwrap();
    let acts = store.audit().recent_acts(20).await.unwrap();
    store.close().await;
    let tests = rows.iter().filter(|row| row.begin.caller == "ada");
    let purposes: Vec<_> = tests.map(|row| row.begin.purpose.as_deref()).collect();
    assert_eq!(purposes, [Some("registry-test"); 2]);
    assert!(acts.iter().any(|act| act.act == "registry.test"));
    assert!(acts.iter().all(|act| act.detail.is_none()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_told_and_the_rest_is_not_reached() {
    let gateway = TestGateway::start().await;
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let applied = change(&gateway, &admin, |civil| {
        civil["endpoints"]["registry"]["base_url"] = closed.into();
    });
    applied.await.ok();
    let uin = gateway.person(3).uin;
    let body = json!({ "identifier": { "scheme": "national-id", "value": uin } });
    let tried = try_it(&gateway, &admin, &body).await;
    assert_eq!(tried["works"], false);
    let failed = ended(&tried, "fails");
    assert_eq!(failed.len(), 1, "{tried}");
    assert_eq!(failed[0].0, "endpoints.registry connection");
    assert!(failed[0].1["remedy"].as_str().unwrap().contains("firewall"));
    let reached: Vec<String> = ended(&tried, "not-reached")
        .into_iter()
        .map(|it| it.0)
        .collect();
    assert_eq!(reached.last().unwrap(), "mapping");
    assert_eq!(reached.len(), 4);

    let path = format!("{REGISTRIES}/nobody/test");
    let unknown = gateway.post(&path, &json!({})).key(&admin).send().await;
    assert_eq!((unknown.status, unknown.code()), (404, "unknown"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purpose_that_is_not_on_the_list_is_refused() {
    let gateway = TestGateway::start().await;
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    let applied = change(&gateway, &admin, |civil| {
        civil["policy"]["purposes"] = json!(["enrolment"]);
    });
    applied.await.ok();
    let uin = gateway.person(3).uin;
    let refused = gateway.find("civil", &uin).send().await;
    assert_eq!((refused.status, refused.code()), (403, "not-accepted"));
    assert_eq!(refused.json["field"], "Registry-Purpose");
    let stated = gateway
        .find("civil", &uin)
        .header("registry-purpose", "enrolment");
    stated.send().await.ok();

    let body = json!({ "identifier": { "scheme": "national-id", "value": uin } });
    let tried = try_it(&gateway, &admin, &body).await;
    let failed = ended(&tried, "fails");
    assert_eq!(failed[0].0, "mapping");
    assert!(
        failed[0].1["remedy"]
            .as_str()
            .unwrap()
            .contains("registry-test")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_its_hours_a_registry_is_closed() {
    let gateway = TestGateway::start().await;
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    // Three days from now, whenever that is.
    let today = jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC);
    let day = today.weekday().wrapping_add(3);
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let day = names[usize::try_from(day.to_monday_zero_offset()).unwrap()];
    let windows = |window: String| json!({ "zone": "UTC", "windows": [window] });
    let applied = change(&gateway, &admin, |civil| {
        civil["policy"]["hours"] = windows(format!("{day} 00:00-24:00"));
    });
    applied.await.ok();
    let uin = gateway.person(3).uin;
    let closed = gateway.find("civil", &uin).send().await;
    assert_eq!((closed.status, closed.code()), (503, "registry-closed"));
    let wait: u64 = closed.header("retry-after").parse().unwrap();
    assert!((86_400..4 * 86_400).contains(&wait), "{wait}");

    let wrong = change(&gateway, &admin, |civil| {
        civil["policy"]["hours"] = windows("monday".into());
    });
    let wrong = wrong.await;
    assert_eq!(wrong.status, 422);
    let place = wrong.json["findings"][0]["place"].as_str().unwrap();
    assert!(
        place.starts_with("registries.civil.policy.hours"),
        "{place}"
    );

    let applied = change(&gateway, &admin, |civil| {
        civil["policy"]["hours"] = windows("daily 00:00-24:00".into());
    });
    applied.await.ok();
    gateway.find("civil", &uin).send().await.ok();
}
