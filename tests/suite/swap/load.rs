//! Swaps under load: nothing fails, and nothing is mixed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use gateway_tests::versions::saying;
use gateway_tests::wait::until;

use super::{Swapping, given, module};

const CALLERS: usize = 8;
const SWAPS: usize = 30;

/// Each answer tells of one version, names the module of that version, and so does its audit row.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swaps_under_load_fail_nothing_and_mix_nothing() {
    let it = Arc::new(Swapping::start().await);
    let (_, one) = it.answers().await;
    let two = it.admitted(&saying("two")).await;
    let named = BTreeMap::from([(one.clone(), "one"), (two.clone(), "two")]);
    let (stop, asked) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (it, named, stop, asked) = (it.clone(), named.clone(), stop.clone(), asked.clone());
            tokio::spawn(async move {
                let mut seen = Vec::new();
                while !stop.load(Relaxed) {
                    let answer = it.find("1").await;
                    assert_eq!(answer.status, 200, "{}", answer.text);
                    let module = module(&answer.json);
                    assert_eq!(given(&answer.json["person"]), named[&module]);
                    seen.push((answer.header("x-request-id").to_owned(), module));
                    asked.fetch_add(1, Relaxed);
                }
                seen
            })
        })
        .collect();
    for number in 0..SWAPS {
        let before = asked.load(Relaxed);
        let digest = if number % 2 == 0 { &two } else { &one };
        it.activate(digest).await.ok();
        // From here on nobody who asks is told by the other one.
        assert_eq!(it.answers().await.1, *digest);
        until("some were asked", async || asked.load(Relaxed) > before + 3).await;
    }
    stop.store(true, Relaxed);
    let mut seen = Vec::new();
    for caller in callers {
        seen.extend(caller.await.unwrap());
    }
    let of = |digest: &String| seen.iter().filter(|(_, module)| module == digest).count();
    assert!(
        of(&one) > SWAPS && of(&two) > SWAPS,
        "{} {}",
        of(&one),
        of(&two)
    );
    let store = it.gateway.store().await;
    for (request, module) in seen.iter().step_by(7) {
        let rows = store.audit().by_request(request).await.unwrap();
        let digests: Vec<_> = rows.iter().map(|row| &row.begin.module_digest).collect();
        assert_eq!(digests, [module]);
    }
    let rows = store.activations().of("changing", 1_000).await.unwrap();
    assert_eq!(rows.len(), 1 + SWAPS);
    store.close().await;
    until("all are on one", async || {
        it.get("swap").await.ok().json["draining"] == serde_json::json!([])
    })
    .await;
}
