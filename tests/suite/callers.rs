//! Callers: several keys of one, what a grant shows, and how much may be asked.

mod loading;

use std::num::NonZeroU32;

use gateway_tests::ask::Answer;
use gateway_tests::gateway::{TestGateway, identifiers};
use gateway_tests::wait::until;
use registry_gateway::model::Role;
use reqwest::Method;
use serde_json::{Value, json};

/// An administrator at work.
struct Admin {
    gateway: TestGateway,
    key: String,
}

impl Admin {
    async fn start() -> Self {
        Self::on(TestGateway::start().await).await
    }

    async fn on(gateway: TestGateway) -> Self {
        let key = gateway.staff("ada", &[Role::Administrator]).await;
        Self { gateway, key }
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        let path = format!("/admin/v1/callers{path}");
        let ask = self.gateway.ask(method, &path).json(body).key(&self.key);
        ask.send().await
    }

    /// Adds one, and gives its key.
    async fn add(&self, body: &Value) -> String {
        let added = self.send(Method::POST, "", body).await;
        assert_eq!(added.status, 201, "{}", added.text);
        added.json["key"].as_str().unwrap().to_owned()
    }

    async fn show(&self, caller: &str) -> Value {
        let path = format!("/{caller}");
        self.send(Method::GET, &path, &Value::Null).await.ok().json
    }

    async fn find(&self, key: &str) -> Answer {
        let uin = self.gateway.person(3).uin;
        self.gateway.find("civil", &uin).key(key).send().await
    }

    async fn ask(&self, key: &str, ability: &str, body: &Value) -> Answer {
        let ask = self.gateway.lookup("civil", ability, body);
        ask.key(key).send().await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_rotated_with_an_overlap_and_one_is_revoked() {
    let admin = Admin::start().await;
    let old = admin.add(&json!({ "name": "clinic" })).await;
    let body = json!({ "overlapSeconds": 2 });
    let added = admin.send(Method::POST, "/clinic/keys", &body).await;
    assert_eq!(added.status, 201, "{}", added.text);
    let new = added.json["key"].as_str().unwrap();
    assert_eq!(admin.find(&old).await.status, 200);
    assert_eq!(admin.find(new).await.status, 200);
    // By the clock, without anybody's doing.
    until("the old one has ended", async || {
        admin.find(&old).await.status == 401
    })
    .await;
    assert_eq!(admin.find(new).await.status, 200);

    let shown = admin.show("clinic").await;
    let states: Vec<&str> = shown["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["expired", "active"]);
    let prefix = shown["keys"][1]["prefix"].as_str().unwrap();
    assert!(new.starts_with(prefix) && prefix.len() == 10, "{prefix}");
    assert!(!shown.to_string().contains(new));

    let key = format!("/clinic/keys/{}", added.json["keyId"].as_str().unwrap());
    for _ in 0..2 {
        let revoked = admin.send(Method::DELETE, &key, &Value::Null).await;
        assert_eq!(revoked.status, 204);
    }
    assert_eq!(admin.find(new).await.status, 401);
    let again = admin.send(Method::POST, "/clinic/keys", &json!({})).await;
    let again = again.json["key"].as_str().unwrap().to_owned();
    assert_eq!(admin.find(&again).await.status, 200);
    let revoked = admin.send(Method::DELETE, "/clinic", &Value::Null).await;
    assert_eq!(revoked.status, 204);
    assert_eq!(admin.find(&again).await.status, 401);
    let none = admin.send(Method::POST, "/clinic/keys", &json!({})).await;
    assert_eq!((none.status, none.code()), (404, "unknown"));
}

/// Unknown, revoked and expired ones cannot be told apart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_not_taken_says_nothing_of_why() {
    let admin = Admin::start().await;
    let revoked = admin.add(&json!({ "name": "revoked" })).await;
    admin.send(Method::DELETE, "/revoked", &Value::Null).await;
    let soon = "2100-01-01T00:00:00Z";
    let expired = json!({ "name": "expired", "keyExpiresAt": soon });
    let expired = admin.add(&expired).await;
    assert_eq!(admin.find(&expired).await.status, 200);
    let mut outside = admin.gateway.outside().await;
    let spoil = "UPDATE caller_keys SET expires_at = 1 WHERE expires_at IS NOT NULL";
    assert_eq!(outside.run(spoil).await, 1);
    outside.move_revision().await;
    until("it is expired", async || {
        admin.find(&expired).await.status == 401
    })
    .await;
    let id = "00000000-0000-4000-8002-000000000001";
    let mut told = Vec::new();
    for key in ["rgw_unknown", &revoked, &expired] {
        let uin = admin.gateway.person(3).uin;
        let ask = admin.gateway.find("civil", &uin).key(key);
        let answer = ask.header("x-request-id", id).send().await;
        told.push((answer.status, answer.text));
    }
    assert_eq!(told[0].0, 401);
    assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
}

/// Another process revokes; this one is not told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_revoked_elsewhere_is_refused_within_two_seconds() {
    let admin = Admin::start().await;
    let key = admin.add(&json!({ "name": "clinic" })).await;
    assert_eq!(admin.find(&key).await.status, 200);
    let store = admin.gateway.store().await;
    let began = std::time::Instant::now();
    store.callers().revoke("clinic").await.unwrap();
    until("it is refused", async || {
        admin.find(&key).await.status == 401
    })
    .await;
    let took = began.elapsed();
    assert!(took.as_millis() < 2_000, "{took:?}");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_masks_fields_of_answers_criteria_and_claims() {
    let admin = Admin::start().await;
    let body = json!({ "name": "clinic", "grants": [
        { "registries": ["civil"], "abilities": ["find"], "fields": ["names", "sex"] },
        { "registries": ["civil"], "abilities": ["find"], "fields": ["birthDate"] },
        { "registries": ["civil"], "abilities": ["search", "verify"], "fields": ["names"] },
        { "registries": ["social"], "abilities": ["find"] },
    ]});
    let key = admin.add(&body).await;

    let found = admin.find(&key).await.ok();
    let person = found.json["person"].as_object().unwrap();
    let mut fields: Vec<&str> = person.keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["birthDate", "names", "sex"]);
    // What another registry's grant shows is no matter.
    let uin = admin.gateway.person(3).uin;
    let social = admin.gateway.find("social", &uin).key(&key).send().await;
    assert!(social.ok().json["person"]["identifiers"].is_array());

    let wanted = json!({ "identifiers": identifiers(&uin), "fields": ["identifiers"] });
    let refused = admin.ask(&key, "find", &wanted).await;
    assert_eq!((refused.status, refused.code()), (403, "hidden-field"));
    assert_eq!(refused.json["field"], "fields.0");
    let before = admin.gateway.stand_in.requests();
    let narrowed = json!({ "criteria": [{ "field": "birth-date", "equals": "1990-01-01" }] });
    let refused = admin.ask(&key, "search", &narrowed).await;
    assert_eq!((refused.status, refused.code()), (403, "hidden-field"));
    let claimed = json!({ "identifiers": identifiers(&uin), "claimed": { "birthDate": "1990" } });
    let refused = admin.ask(&key, "verify", &claimed).await;
    assert_eq!((refused.status, refused.code()), (403, "hidden-field"));
    let household = json!({ "identifiers": identifiers(&uin) });
    let refused = admin.ask(&key, "household", &household).await;
    assert_eq!((refused.status, refused.code()), (403, "not-granted"));
    assert_eq!(admin.gateway.stand_in.requests(), before);

    let listed = admin
        .gateway
        .get("/v1/registries")
        .key(&key)
        .send()
        .await
        .ok();
    let of = |name: &str| {
        let mut all = listed.json["registries"].as_array().unwrap().iter();
        all.find(|one| one["name"] == name).unwrap()["abilities"].clone()
    };
    assert_eq!(of("civil"), json!(["find", "search", "verify"]));
    assert_eq!(of("social"), json!(["find"]));

    // Taken away at once.
    let settings = json!({ "roles": ["client"], "grants": [{ "registries": ["social"] }] });
    let set = admin.send(Method::PUT, "/clinic", &settings).await;
    assert_eq!(set.status, 204, "{}", set.text);
    let refused = admin.find(&key).await;
    assert_eq!((refused.status, refused.code()), (404, "unknown-registry"));
    let shown = admin.show("clinic").await;
    let all = json!(["find", "household", "search", "verify"]);
    assert_eq!(
        shown["grants"],
        json!([{ "registries": ["social"], "abilities": all }])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_asks_too_much_is_told_when_it_may_again() {
    let admin = Admin::start().await;
    let quick = json!({ "name": "quick", "limits": { "requestsPerSecond": 1, "burst": 2 } });
    let quick = admin.add(&quick).await;
    for _ in 0..2 {
        assert_eq!(admin.find(&quick).await.status, 200);
    }
    let before = admin.gateway.stand_in.requests();
    let refused = admin.find(&quick).await;
    assert_eq!((refused.status, refused.code()), (429, "rate-limited"));
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(admin.gateway.stand_in.requests(), before);

    let daily = json!({ "name": "daily", "limits": { "requestsPerDay": 2 } });
    let daily = admin.add(&daily).await;
    for _ in 0..2 {
        assert_eq!(admin.find(&daily).await.status, 200);
    }
    let spent = admin.find(&daily).await;
    assert_eq!((spent.status, spent.code()), (429, "quota-spent"));
    let seconds: u32 = spent.header("retry-after").parse().unwrap();
    assert!((1..=86_400).contains(&seconds), "{seconds}");
    // Of each registry by itself, and of each caller.
    let uin = admin.gateway.person(3).uin;
    let social = admin.gateway.find("social", &uin).key(&daily);
    assert_eq!(social.send().await.status, 200);
    let suite = admin.gateway.key.clone();
    assert_eq!(admin.find(&suite).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gateways_own_limits_hold_for_who_has_none() {
    let gateway = TestGateway::builder()
        .config(|config| {
            config.callers.requests_per_second = NonZeroU32::new(1);
            config.callers.burst = NonZeroU32::MIN;
        })
        .start()
        .await;
    let admin = Admin::on(gateway).await;
    let plain = admin.add(&json!({ "name": "plain" })).await;
    let own = json!({ "name": "own", "limits": { "requestsPerSecond": 1000, "burst": 1000 } });
    let own = admin.add(&own).await;
    let mut plain_codes = Vec::new();
    for _ in 0..3 {
        assert_eq!(admin.find(&own).await.status, 200);
        plain_codes.push(admin.find(&plain).await.status);
    }
    assert_eq!(plain_codes[0], 200);
    assert!(plain_codes.contains(&429), "{plain_codes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_caller_is_told_by_its_place() {
    let admin = Admin::start().await;
    for (more, field) in [
        (json!({ "roles": [] }), "roles"),
        (json!({ "roles": ["emperor"] }), "roles.0"),
        (
            json!({ "grants": [{ "fields": ["names", "shoeSize"] }] }),
            "grants.0.fields.1",
        ),
        (
            json!({ "grants": [{ "registries": ["*"] }] }),
            "grants.0.registries.0",
        ),
        (
            json!({ "grants": [{ "abilities": ["fly"] }] }),
            "grants.0.abilities.0",
        ),
        (json!({ "limits": { "burst": 0 } }), "limits.burst"),
        (
            json!({ "keyExpiresAt": "2001-01-01T00:00:00Z" }),
            "keyExpiresAt",
        ),
        (json!({ "name": "(local)" }), "name"),
        (json!({ "name": "idp:sub" }), "name"),
        (json!({ "name": "" }), "name"),
        (json!({ "name": "n".repeat(129) }), "name"),
    ] {
        let mut body = json!({ "name": "wrong" });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let refused = admin.send(Method::POST, "", &body).await;
        assert_eq!(
            (refused.status, refused.code()),
            (400, "invalid-request"),
            "{body}"
        );
        assert_eq!(refused.json["field"], field, "{body}");
    }
    let long = json!({ "overlapSeconds": 91 * 86_400 });
    let refused = admin.send(Method::POST, "/ada/keys", &long).await;
    assert_eq!(refused.json["field"], "overlapSeconds", "{}", refused.text);
    let long = format!("/{}", "n".repeat(500));
    for path in ["/nobody", "/nobody/keys/x", "/ada/keys/x", &long, "/%00"] {
        let unknown = admin.send(Method::DELETE, path, &Value::Null).await;
        assert_eq!((unknown.status, unknown.code()), (404, "unknown"), "{path}");
    }
    let whole = json!({ "roles": ["client"] });
    let refused = admin.send(Method::PUT, "/ada", &whole).await;
    assert_eq!((refused.status, refused.code()), (400, "missing-field"));
}

/// Who guesses is refused; who was known from the same address goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_is_slowed_down_by_address() {
    let gateway = TestGateway::builder()
        .config(|config| {
            config.callers.failed_keys_per_minute = NonZeroU32::new(5).unwrap();
            config.api.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        })
        .start()
        .await;
    let uin = gateway.person(3).uin;
    let known = gateway.key.clone();
    let fresh = gateway.staff("fresh", &[Role::Auditor]).await;
    let ask = |key: &str, from: &str| {
        let ask = gateway.find("civil", &uin).key(key);
        ask.header("x-forwarded-for", from).send()
    };
    assert_eq!(ask(&known, "192.0.2.1").await.status, 200);
    for guess in 0..5 {
        assert_eq!(ask(&format!("rgw_{guess}"), "192.0.2.1").await.status, 401);
    }
    // A right key and a wrong one are refused alike.
    for key in ["rgw_more", &fresh] {
        let refused = ask(key, "192.0.2.1").await;
        assert_eq!(refused.status, 429);
        assert_eq!(refused.code(), "too-many-failed-keys");
        assert!(!refused.header("retry-after").is_empty());
    }
    assert_eq!(ask(&known, "192.0.2.1").await.status, 200);
    assert_eq!(ask("rgw_more", "192.0.2.2").await.status, 401);
    assert_eq!(
        ask(&fresh, "192.0.2.2").await.status,
        404,
        "an auditor asks nothing"
    );
}
