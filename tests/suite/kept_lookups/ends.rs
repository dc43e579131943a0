//! How a lookup that is kept ends: with the registry's no, by its time, or taken back; and how many
//! there may be.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use gateway_tests::gateway::{TestGateway, identifiers};
use gateway_tests::wait::until;
use registry_gateway::model::Ability;
use serde_json::json;

use super::{called_back, holding, kept_find, plain, rows};
use crate::spdci_async::{later, put};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_says_no_later_is_told_as_at_once() {
    let gateway = plain().await;
    let place = kept_find(&gateway, "1000000009").await;
    called_back(&gateway, 1).await;
    let requests = gateway.stand_in.requests();
    for _ in 0..2 {
        let nobody = gateway.get(&place).send().await;
        assert_eq!((nobody.status, nobody.code()), (404, "not-found"));
        let rows = rows(&gateway, &nobody).await;
        assert_eq!(rows[0].end.as_ref().unwrap().outcome, "not-found");
    }
    assert_eq!(gateway.stand_in.requests(), requests);
}

/// The callback is lost: the adapter asks for the status, once it is time and its caller comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_is_asked_when_its_caller_comes_back() {
    let gateway = holding(
        |builder| builder,
        |text| text.set("settings.status_after_ms", 400),
    )
    .await;
    let person = gateway.person(3);
    let place = kept_find(&gateway, &person.uin).await;
    let requests = gateway.stand_in.requests();
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(gateway.stand_in.requests(), requests, "nobody came back");
    let told = gateway.get(&place).send().await.ok();
    assert!(told.text.contains(&person.uin));
    assert_eq!(gateway.stand_in.requests(), requests + 1);
    // What it was answered is kept: it is not asked again.
    gateway.get(&place).send().await.ok();
    assert_eq!(gateway.stand_in.requests(), requests + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_over_when_its_time_is() {
    let gateway = holding(
        |builder| {
            builder.config(|config| {
                config.lookups.keep_ms = NonZeroU64::new(5_000).unwrap();
                config.lookups.answer_keep_ms = NonZeroU64::new(300).unwrap();
            })
        },
        |text| text,
    )
    .await;
    let person = gateway.person(3);
    gateway.stand_in.later().lose(1);
    let never = kept_find(&gateway, &person.uin).await;
    // Until it is lost.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let read = kept_find(&gateway, &person.uin).await;
    called_back(&gateway, 1).await;
    gateway.get(&read).send().await.ok();
    tokio::time::sleep(Duration::from_millis(400)).await;
    // An answer that was told has a time of its own.
    let over = gateway.get(&read).send().await;
    assert_eq!(
        (over.status, over.code()),
        (410, "lookup-over"),
        "{}",
        over.text
    );
    assert_eq!(gateway.get(&never).send().await.status, 202);
    tokio::time::sleep(Duration::from_millis(4_700)).await;
    assert_eq!(gateway.get(&never).send().await.code(), "lookup-over");
    let store = gateway.store().await;
    let id = never.rsplit('/').next().unwrap().parse().unwrap();
    // Its bodies go, and it is known to be over for as long again.
    gateway.serving.gateway.purge_lookups().await.unwrap();
    let lookup = store.lookups().get(id).await.unwrap().unwrap();
    assert_eq!(
        (lookup.question, lookup.pending, lookup.answer),
        (None, None, None)
    );
    assert_eq!(gateway.get(&never).send().await.code(), "lookup-over");
    tokio::time::sleep(Duration::from_millis(5_100)).await;
    gateway.serving.gateway.purge_lookups().await.unwrap();
    assert_eq!(store.lookups().get(id).await.unwrap(), None);
    assert_eq!(gateway.get(&never).send().await.code(), "unknown-lookup");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_are_kept_than_there_is_room_for() {
    let gateway = holding(
        |builder| {
            builder.config(|config| {
                config.lookups.max_per_caller = NonZeroU32::MIN;
                config.lookups.max_per_registry = NonZeroU32::new(2).unwrap();
            })
        },
        |text| text,
    )
    .await;
    let person = gateway.person(3);
    let refused = async |key: &str| {
        let requests = gateway.stand_in.requests();
        let asked = gateway.find("civil", &person.uin).key(key);
        let asked = asked.header("prefer", "respond-async").send().await;
        assert_eq!((asked.status, asked.code()), (429, "too-many-lookups"));
        assert!(!asked.header("retry-after").is_empty());
        assert_eq!(
            gateway.stand_in.requests(),
            requests,
            "nobody is asked in vain"
        );
    };
    let taken = async |key: &str| {
        let asked = gateway.find("civil", &person.uin).key(key);
        let asked = asked.header("prefer", "respond-async").send().await;
        assert_eq!(asked.status, 202, "{}", asked.text);
        asked.header("location").to_owned()
    };
    let first = taken(&gateway.key).await;
    refused(&gateway.key).await;
    let two = gateway.caller("two", &["civil"], &[Ability::Find]).await;
    let three = gateway.caller("three", &["civil"], &[Ability::Find]).await;
    let second = taken(&two).await;
    // Of the registry there are enough.
    refused(&three).await;
    // Who takes one back has room again, and the answer is not told any more.
    let forget = gateway.ask(reqwest::Method::DELETE, &first);
    assert_eq!(forget.send().await.status, 204);
    assert_eq!(gateway.get(&first).send().await.code(), "unknown-lookup");
    let forget = gateway.ask(reqwest::Method::DELETE, &first);
    assert_eq!(forget.send().await.code(), "unknown-lookup");
    taken(&three).await;
    refused(&gateway.key).await;
    called_back(&gateway, 3).await;
    gateway.get(&second).key(&two).send().await.ok();
    assert_eq!(gateway.get(&first).send().await.code(), "unknown-lookup");
}

/// What is kept of a person is sealed, and what a callback brought goes with its lookup.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_is_sealed_and_goes() {
    let gateway = plain().await;
    let person = gateway.person(3);
    let first = kept_find(&gateway, &person.uin).await;
    let second = kept_find(&gateway, &person.uin).await;
    called_back(&gateway, 2).await;
    let mut outside = gateway.outside().await;
    let waiting = "UPDATE pending_answers SET tried = FALSE";
    assert_eq!(outside.run(waiting).await, 2);
    gateway.get(&first).send().await.ok();
    assert_eq!(outside.run(waiting).await, 1, "it is used up");
    let forget = gateway.ask(reqwest::Method::DELETE, &second);
    assert_eq!(forget.send().await.status, 204);
    assert_eq!(outside.run(waiting).await, 0);
    let store = gateway.store().await;
    let id = first.rsplit('/').next().unwrap().parse().unwrap();
    let lookup = store.lookups().get(id).await.unwrap().unwrap();
    store.close().await;
    for body in [lookup.question, lookup.answer] {
        let body = body.unwrap();
        let words = [person.uin.as_bytes(), person.name.surname.as_bytes()];
        for word in words {
            assert!(!body.windows(word.len()).any(|part| part == word));
        }
    }
}

/// A busy registry that calls back would fill the room for its callbacks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_callbacks_brought_goes_once_it_is_told() {
    let gateway = TestGateway::start().await;
    put(&gateway, later(&gateway)).await;
    let registry = gateway.stand_in.later();
    registry.set_after(Duration::from_millis(300));
    let child = (0..200).map(|at| gateway.person(at));
    let child = child.into_iter().find(|it| it.parents.len() == 2).unwrap();
    let body = json!({ "identifiers": identifiers(&child.uin) });
    let mut outside = gateway.outside().await;
    let mut heard = 0;
    // Of a household there are several; who would come back is told at once here.
    for (ability, prefer) in [
        ("find", "wait=20"),
        ("household", "wait=20"),
        ("find", "respond-async, wait=20"),
    ] {
        let asked = gateway.lookup("civil", ability, &body);
        let told = asked.header("prefer", prefer).send().await.ok();
        assert!(told.text.contains(&child.uin), "{ability}");
        let before = std::mem::replace(&mut heard, registry.answered().len());
        assert!(heard > before, "{ability} was called back");
        until("nothing of it is kept", async || {
            let kept = outside
                .run("UPDATE pending_answers SET tried = FALSE")
                .await;
            kept == 0
        })
        .await;
    }
}

/// What an administrator looks at: how many are kept, and where they stand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_many_are_kept_is_counted() {
    let gateway = plain().await;
    let body = json!({ "identifiers": identifiers(&gateway.person(3).uin) });
    let first = super::kept(&gateway, "find", &body).await;
    called_back(&gateway, 1).await;
    gateway.stand_in.later().hold();
    super::kept(&gateway, "find", &body).await;
    gateway.get(&first).send().await.ok();
    until("they are counted", async || {
        let text = gateway.get("/metrics").send().await.text;
        ["pending", "answered"].iter().all(|state| {
            let line =
                format!("registry_gateway_lookups_kept{{registry=\"civil\",state=\"{state}\"}} 1");
            text.contains(&line)
        })
    })
    .await;
}
