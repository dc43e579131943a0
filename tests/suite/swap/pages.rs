//! What callers hold of an adapter's own, across a swap.

use gateway_tests::versions::{saying, version};
use serde_json::{Value, json};

use super::{Swapping, given};

fn question(page: Option<&Value>) -> Value {
    let mut body = json!({ "criteria": [{ "field": "sex", "equals": "male" }] });
    if let Some(page) = page {
        body["page"] = page.clone();
    }
    body
}

impl Swapping {
    async fn page(&self, page: Option<&Value>) -> gateway_tests::gateway::Answer {
        let body = question(page);
        self.gateway
            .lookup("changing", "search", &body)
            .send()
            .await
    }
}

fn told(page: &Value) -> String {
    given(&page["candidates"][0]["person"])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_goes_on_with_a_module_that_reads_its_token() {
    let it = Swapping::start().await;
    let first = it.page(None).await.ok().json;
    let two = it
        .admitted(&version("version=2.0.0 says=two form=2 reads=1,2"))
        .await;
    it.activate(&two).await.ok();
    let second = it.page(Some(&first["next"])).await.ok().json;
    assert_eq!(told(&second), "one two", "each page is of one module");
    let third = it.page(Some(&second["next"])).await.ok().json;
    assert_eq!(
        (told(&third), &third["next"]),
        ("one two two".into(), &Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_module_that_cannot_read_open_tokens_is_refused_until_they_are_old() {
    let it = Swapping::with(|text| text.set("pages.lifetime_ms", 3_000), &saying("one")).await;
    let other = it
        .admitted(&version("version=2.0.0 says=two form=2 reads=2"))
        .await;
    // Nobody holds one: there is nothing in its way.
    it.activate(&other).await.ok();
    it.post("rollback", json!({})).await.ok();
    let first = it.page(None).await.ok().json;
    let refused = it.activate(&other).await;
    assert_eq!((refused.status, refused.code()), (409, "states-open"));
    let detail = refused.json["detail"].as_str().unwrap();
    assert!(
        detail.contains("page 1 until 20") && detail.contains("force"),
        "{detail}"
    );
    let open = it.get("swap").await.ok().json["open"].clone();
    assert_eq!(
        (&open[0]["kind"], &open[0]["form"]),
        (&json!("page"), &json!(1))
    );

    // Another gateway of the same database, and this one after a restart, know it too: the store has
    // it.
    let store = it.gateway.store().await;
    let known = store.open_states().of("changing").await.unwrap();
    store.close().await;
    assert_eq!((known.len(), known[0].form), (1, 1));

    gateway_tests::wait::until("they are too old", async || {
        it.activate(&other).await.status == 200
    })
    .await;
    let late = it.page(Some(&first["next"])).await;
    assert_eq!(
        (late.status, late.json["field"].as_str()),
        (400, Some("page"))
    );
    assert!(late.json["detail"].as_str().unwrap().contains("too old"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forced_the_open_tokens_are_refused_in_words() {
    let it = Swapping::start().await;
    let first = it.page(None).await.ok().json;
    let other = it
        .admitted(&version("version=2.0.0 says=two form=2 reads=2"))
        .await;
    let forced = json!({ "module": other, "force": true });
    it.post("activate", forced).await.ok();
    let refused = it.page(Some(&first["next"])).await;
    assert_eq!(refused.status, 400);
    let detail = refused.json["detail"].as_str().unwrap();
    assert!(detail.contains("adapter has changed"), "{detail}");
    // And back, where they are read again; those of the other one are in the way by then.
    let second = it.page(None).await.ok().json;
    let back = it.post("rollback", json!({})).await;
    assert_eq!((back.status, back.code()), (409, "states-open"));
    it.post("rollback", json!({ "force": true })).await.ok();
    assert_eq!(
        told(&it.page(Some(&first["next"])).await.ok().json),
        "one one"
    );
    assert_eq!(it.page(Some(&second["next"])).await.status, 400);
}

/// A write that goes on later goes on from what the adapter left with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_module_that_cannot_read_what_operations_go_on_from_is_refused() {
    let it = Swapping::start().await;
    let other = it
        .admitted(&version("version=2.0.0 says=two form=2 reads=2"))
        .await;
    let both = it
        .admitted(&version("version=3.0.0 says=three form=2 reads=1,2"))
        .await;
    let mut outside = it.gateway.outside().await;
    let waiting = "INSERT INTO operations (id, caller, registry, ability, idempotency_key, \
        request_hash, subject, bulk, state, accepted_at, changed_at, give_up_at, attempts, fence, \
        adapter_state, state_schema) VALUES ('0198c7a2-5b1e-7c3a-9f00-1f2e3d4c5b6a', 'writer', \
        'changing', 'update', 'k-1', 'hash', 'hash', FALSE, 'pending', 0, 0, 0, 1, 1, 'state', 1)";
    assert_eq!(outside.run(waiting).await, 1);
    for state in ["pending", "delivering", "outcome-unknown"] {
        let stands = format!("UPDATE operations SET state = '{state}'");
        assert_eq!(outside.run(&stands).await, 1);
        let refused = it.activate(&other).await;
        assert_eq!(
            (refused.status, refused.code()),
            (409, "states-open"),
            "{state}"
        );
        let detail = refused.json["detail"].as_str().unwrap();
        assert!(
            detail.contains("operation 1 until it has ended"),
            "{detail}"
        );
    }
    assert_eq!(it.answers().await.0, "one");
    // One that reads them goes on from them.
    it.activate(&both).await.ok();
    assert_eq!(it.activate(&other).await.code(), "states-open");
    assert_eq!(
        outside.run("UPDATE operations SET state = 'applied'").await,
        1
    );
    it.activate(&other).await.ok();
    assert_eq!(it.answers().await.0, "two");
}

/// To go back is no other thing: what waits since then goes on by what the module of now left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_is_refused_while_operations_go_on_from_what_it_cannot_read() {
    let it = Swapping::start().await;
    let newer = it
        .admitted(&version("version=2.0.0 says=two form=2 reads=1,2"))
        .await;
    it.activate(&newer).await.ok();
    let mut outside = it.gateway.outside().await;
    let waiting = "INSERT INTO operations (id, caller, registry, ability, idempotency_key, \
        request_hash, subject, bulk, state, accepted_at, changed_at, give_up_at, attempts, fence, \
        adapter_state, state_schema) VALUES ('0198c7a2-5b1e-7c3a-9f00-1f2e3d4c5b6b', 'writer', \
        'changing', 'update', 'k-1', 'hash', 'hash', FALSE, 'pending', 0, 0, 0, 1, 1, 'state', 2)";
    assert_eq!(outside.run(waiting).await, 1);
    for state in ["pending", "delivering", "outcome-unknown"] {
        let stands = format!("UPDATE operations SET state = '{state}'");
        assert_eq!(outside.run(&stands).await, 1);
        let refused = it.post("rollback", json!({})).await;
        let told = (refused.status, refused.code());
        assert_eq!(told, (409, "states-open"), "{state}");
        let detail = refused.json["detail"].as_str().unwrap();
        assert!(
            detail.contains("operation 2 until it has ended"),
            "{detail}"
        );
        assert_eq!(it.answers().await.0, "two", "nothing was changed");
    }
    for state in ["applied", "rejected", "conflict", "cancelled"] {
        let over = format!("UPDATE operations SET state = '{state}'");
        assert_eq!(outside.run(&over).await, 1);
        it.post("rollback", json!({})).await.ok();
        assert_eq!(it.answers().await.0, "one", "{state}");
        it.activate(&newer).await.ok();
    }
}

/// An answer that waits goes on with the module that it began with, in all its steps.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_goes_on_with_its_own_module_and_is_seen_to_end() {
    let it = Swapping::start().await;
    let (_, one) = it.answers().await;
    let other = it
        .admitted(&version("version=2.0.0 says=two form=2 reads=2"))
        .await;
    let waiting = tokio::spawn(it.gateway.find("changing", "pend").send());
    // It is under way once its row is begun.
    let store = it.gateway.store().await;
    gateway_tests::wait::until("it waits", async || {
        let rows = store.audit().recent(1).await.unwrap();
        rows.first().is_some_and(|row| row.end.is_none())
    })
    .await;
    store.close().await;
    let now = it.activate(&other).await.ok().json;
    let drain = &now["draining"][0];
    assert_eq!(
        (&drain["module"], &drain["calls"]),
        (&json!(one), &json!(1))
    );
    assert!(drain["until"].as_str().unwrap() > drain["since"].as_str().unwrap());
    let answer = waiting.await.unwrap().ok().json;
    assert_eq!(given(&answer["person"]), "one one");
    assert_eq!(super::module(&answer), one);
    gateway_tests::wait::until("it has ended", async || {
        it.get("swap").await.ok().json["draining"] == json!([])
    })
    .await;
    assert_eq!(it.answers().await.0, "two");
}

/// What a caller holds from one gateway stands in the way at another, and is read by all or none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_of_another_gateway_stands_in_the_way_too() {
    let it = Swapping::start().await;
    let beside = it.gateway.beside(&[], |_| {}).await;
    let first = beside.post("/v1/registries/changing/search", &question(None));
    let first = first.send().await.ok().json;
    let other = it
        .admitted(&version("version=2.0.0 says=two form=2 reads=2"))
        .await;
    let refused = it.activate(&other).await;
    assert_eq!((refused.status, refused.code()), (409, "states-open"));
    let forced = json!({ "module": other, "force": true });
    it.post("activate", forced).await.ok();
    let next = beside.post(
        "/v1/registries/changing/search",
        &question(Some(&first["next"])),
    );
    let refused = next.send().await;
    assert_eq!(refused.status, 400, "it serves there too");
    // Searches are not kept from beginning any more.
    let again = beside.post("/v1/registries/changing/search", &question(None));
    assert_eq!(told(&again.send().await.ok().json), "two");
}

/// A search that is under way there may get such a token yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn searches_end_or_wait_at_every_gateway() {
    let it = Swapping::start().await;
    let beside = it.gateway.beside(&[], |_| {}).await;
    let other = it
        .admitted(&version("version=2.0.0 says=two form=2 reads=2"))
        .await;
    let asking = (0..8).map(|_| {
        beside
            .post("/v1/registries/changing/search", &question(None))
            .send()
    });
    let asking = futures_util::future::join_all(asking);
    let (answers, swapped) = futures_util::future::join(asking, it.activate(&other)).await;
    // Whoever was first: there is no token of a form that the module which serves does not read.
    let serves_two = swapped.status == 200;
    assert!(
        serves_two || ["states-open", "not-agreed"].contains(&swapped.code()),
        "{}",
        swapped.text
    );
    for answer in answers {
        let said = told(&answer.ok().json);
        assert!(!serves_two || said == "two", "{said}");
    }
}

/// Nor is there a way around by a file: what is to be forced is said where it is forced.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_apply_does_not_take_open_tokens_away() {
    let it = Swapping::start().await;
    let first = it.page(None).await.ok().json;
    let other = it
        .admitted(&version("version=2.0.0 says=two form=2 reads=2"))
        .await;
    let export = it.gateway.get("/admin/v1/registries/export").key(&it.admin);
    let mut changing = export.send().await.ok().json["registries"]["changing"].take();
    let apply = async |registry: &Value| {
        let body = json!({ "registries": { "changing": registry } });
        let asked = it.gateway.post("/admin/v1/registries/apply", &body);
        asked.key(&it.admin).send().await
    };
    // The same module with something else changed is in nobody's way.
    changing["limits"]["cpu_ms"] = 900.into();
    assert_eq!(apply(&changing).await.ok().json["changed"], true);
    changing["module"] = other.clone().into();
    let refused = apply(&changing).await;
    assert_eq!(
        (refused.status, refused.code()),
        (422, "registries-refused")
    );
    let findings = refused.json["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{}", refused.text);
    assert_eq!(findings[0]["place"], "registries.changing.module");
    let problem = findings[0]["problem"].as_str().unwrap();
    assert!(
        problem.contains("page 1 until 20") && problem.contains("activate --force"),
        "{problem}"
    );
    let second = it.page(Some(&first["next"])).await.ok().json;
    assert_eq!(told(&second), "one one");

    let forced = json!({ "module": other, "force": true });
    it.post("activate", forced).await.ok();
    assert_eq!(apply(&changing).await.ok().json["changed"], false);
    assert_eq!(it.page(Some(&first["next"])).await.status, 400);
}
