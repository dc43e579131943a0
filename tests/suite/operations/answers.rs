//! Answers that a registry calls back with: to what waits for them, or before it is known to wait.

use std::time::Duration;

use gateway_tests::gateway::{RegistryText, TestGateway};
use serde_json::json;
use stand_in::records::{Hook, Mishap, Order};

use super::{Writing, id, quick, states};

/// It is not asked: only a callback brings the answer.
fn calls_back(text: RegistryText) -> RegistryText {
    text.set("settings.calls_back", true)
}

fn hook(gateway: &TestGateway, address: std::net::SocketAddr) {
    let url = format!("http://{address}/hooks/records/told");
    gateway.stand_in.records().set_hook(Some(Hook {
        url: url.parse().unwrap(),
        secret: "of the stand-in".into(),
    }));
}

fn later(writing: &Writing, after: u64) {
    writing.inject(Mishap::Later {
        after: Duration::from_millis(after),
        calls_back: true,
    });
}

async fn left(writing: &Writing, id: &str) -> Option<Vec<u8>> {
    let gateway = &writing.gateway.serving.gateway;
    gateway.answer_to("records", id).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_by_a_callback_ends_what_waits_for_it() {
    let writing = Writing::with(calls_back).await;
    hook(&writing.gateway, writing.gateway.serving.address);
    let records = writing.gateway.stand_in.records();
    records.hold();
    later(&writing, 0);
    let pending = writing.write("k-1", "male", &["pending"]).await;
    // Done long ago, and nobody was told.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let pending = writing.shown(&id(&pending)).await;
    assert_eq!(
        (&pending["state"], &pending["attempts"]),
        (&json!("pending"), &json!(1))
    );
    // Each twice: the second is of no use, and does no harm.
    records.release(Order::AsIs, 2);
    let done = writing.reaches(&id(&pending), &["applied"]).await;
    assert_eq!(
        states(&done),
        ["accepted", "delivering", "pending", "delivering", "applied"]
    );
    assert_eq!(done["receipt"]["outcome"], "applied");
    assert_eq!(
        (&done["attempts"], writing.done(&id(&done))),
        (&json!(2), 1)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_may_come_at_any_time() {
    let writing = Writing::with(calls_back).await;
    hook(&writing.gateway, writing.gateway.serving.address);
    let mut all = Vec::new();
    // Before the attempt has ended, at its end, and after it.
    for number in 0..8 {
        later(&writing, 10 * (number % 4));
        let sex = ["male", "female"][usize::try_from(number % 2).unwrap()];
        let body = writing.body(&format!("p-{number}"), sex);
        let sent = writing.send(&format!("k-{number}"), &body).await;
        all.push(id(&sent.json));
    }
    for id in all {
        let done = writing.reaches(&id, &["applied"]).await;
        assert_eq!(writing.done(&id), 1, "{done:#}");
        assert_eq!(left(&writing, &id).await, None, "it is used up");
    }
}

/// The callback comes to another gateway than the one that delivers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_may_come_to_another_gateway() {
    let writing = Writing::with(calls_back).await;
    let beside = writing.gateway.beside(&[], quick).await;
    hook(&writing.gateway, beside.serving.address);
    for number in 0..4 {
        later(&writing, 100);
        let sex = ["male", "female"][number % 2];
        let done = writing
            .write(&format!("k-{number}"), sex, &["applied"])
            .await;
        assert_eq!(writing.done(&id(&done)), 1, "{done:#}");
        assert_eq!(done["attempts"], 2);
    }
}
