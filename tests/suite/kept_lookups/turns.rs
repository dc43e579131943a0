//! A registry's turns, and a lookup whose answer is there: it is not lost because others have them.
#![expect(
    clippy::async_yields_async,
    reason = "the call beside it ends later than what makes it begin"
)]

use std::time::Duration;

use gateway_tests::gateway::{RegistryText, TestGateway};
use gateway_tests::stand_in::Fault;
use gateway_tests::wait::until;
use stand_in::records::Order;

use super::{holding, kept_find};

/// One turn, which nobody waits for.
fn narrow(text: RegistryText) -> RegistryText {
    text.set("concurrency.max_calls", 1)
        .set("concurrency.max_wait_ms", 50)
}

/// Has the turn for so long.
async fn occupied(gateway: &TestGateway, long: Duration) -> tokio::task::JoinHandle<u16> {
    gateway.stand_in.set_fault(Fault::Slow(long));
    let before = gateway.stand_in.requests();
    let asked = gateway.find("civil", &gateway.person(9).uin);
    let asked = asked.header("prefer", "respond-async").send();
    let asked = tokio::spawn(async move { asked.await.status });
    until("it is being asked", async || {
        gateway.stand_in.requests() > before
    })
    .await;
    gateway.stand_in.set_fault(Fault::None);
    asked
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lookup_that_was_answered_waits_for_its_turn() {
    let gateway = holding(|builder| builder, narrow).await;
    let person = gateway.person(3);
    let find = gateway.find("civil", &person.uin).send();
    let occupy = async {
        until("it is asked", async || gateway.stand_in.later().held() == 1).await;
        let other = occupied(&gateway, Duration::from_millis(1_500)).await;
        gateway.stand_in.release_callbacks(Order::AsIs, 1);
        gateway.stand_in.later().hold();
        // Who has not been asked yet is told at once, as ever.
        let refused = gateway.find("civil", &person.uin).send().await;
        assert_eq!((refused.status, refused.code()), (429, "busy"));
        other
    };
    let (found, other) = tokio::join!(find, occupy);
    let found = found.ok();
    assert!(found.text.contains(&person.uin), "{}", found.text);
    assert_eq!(other.await.unwrap(), 202);
}

/// Its own limit ends that too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_waits_no_longer_than_its_own_limit() {
    let change = |text| narrow(text).set("limits.wall_ms", 2_000);
    let gateway = holding(|builder| builder, change).await;
    let person = gateway.person(3);
    let find = gateway.find("civil", &person.uin).send();
    let occupy = async {
        until("it is asked", async || gateway.stand_in.later().held() == 1).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        let other = occupied(&gateway, Duration::from_millis(1_800)).await;
        gateway.stand_in.release_callbacks(Order::AsIs, 1);
        gateway.stand_in.later().hold();
        other
    };
    let (late, other) = tokio::join!(find, occupy);
    assert_eq!((late.status, late.code()), (429, "busy"), "{}", late.text);
    assert_eq!(other.await.unwrap(), 202);
}

/// One that is kept stays kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_kept_has_no_turn_and_loses_nothing() {
    let gateway = holding(|builder| builder, narrow).await;
    let person = gateway.person(3);
    let find = gateway.find("civil", &person.uin);
    let find = find.header("prefer", "respond-async, wait=2").send();
    let occupy = async {
        until("it is asked", async || gateway.stand_in.later().held() == 1).await;
        let other = occupied(&gateway, Duration::from_millis(3_000)).await;
        gateway.stand_in.release_callbacks(Order::AsIs, 1);
        gateway.stand_in.later().hold();
        other
    };
    let (asked, other) = tokio::join!(find, occupy);
    assert_eq!(asked.status, 202, "{}", asked.text);
    let told = gateway.get(asked.header("location")).send().await.ok();
    assert!(told.text.contains(&person.uin));
    assert_eq!(other.await.unwrap(), 202);
    // Nobody holds the turn that waits for its callback.
    kept_find(&gateway, &person.uin).await;
}
