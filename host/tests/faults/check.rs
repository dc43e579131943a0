//! What the API accepted and told, beside what the registry did.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::load::{Accepted, Client, Done, Entry, entries};
use crate::world::{Plan, World};
use gateway_tests::ask::Ask;
use serde_json::json;

/// The last leases, and the registry's own waits: as long as any ends, a slow machine has its time.
const PATIENCE: Duration = Duration::from_secs(240);

/// An operation, and where it stands in the end.
struct Ended<'a> {
    accepted: &'a Accepted,
    state: String,
}

/// Waits until nothing moves any more, and looks at all of it.
pub(crate) async fn all(world: &World, plan: &Plan, done: &mut Done) {
    world.stand_in.records().set_schedule(None);
    let client = Client::new(world, Arc::default());
    let (ended, unclear) = settled(world, plan, &client, &done.accepted).await;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for one in &ended {
        *counts.entry(&one.state).or_default() += 1;
    }
    println!("{counts:?}; {unclear} were unclear, and a person looked");
    effects(world, plan, &ended);
    order(world, &ended);
    events(world, &client, done).await;
    // That it cannot write is worth an error.
    if plan.megabytes.is_none() {
        let broken = world.errors();
        assert!(broken.is_empty(), "{broken:#?}");
    }
    world.run(&["audit", "verify"]);
}

/// Where each stands, once all have ended. What the gateway cannot know a person finds out, in the
/// ledger; only then what comes after it of the same subject goes on. Gives how many those were.
async fn settled<'a>(
    world: &World,
    plan: &Plan,
    client: &Client,
    accepted: &'a [Accepted],
) -> (Vec<Ended<'a>>, usize) {
    let (mut moved, mut left) = (Instant::now(), accepted.len());
    let mut resolved = BTreeSet::new();
    let mut ended: BTreeMap<&str, String> = BTreeMap::new();
    loop {
        let mut open = Vec::new();
        for one in accepted {
            if ended.contains_key(&*one.id) {
                continue;
            }
            let state = state_of(client, &one.id).await;
            match &*state {
                "applied" | "rejected" | "conflict" => drop(ended.insert(&one.id, state)),
                "outcome-unknown" if plan.forgets && resolved.insert(&one.id) => {
                    let ledger = world.stand_in.records().ledger();
                    let word = match ledger.of_key(&one.id).count() {
                        0 => "rejected",
                        _ => "applied",
                    };
                    let path = format!("/admin/v1/operations/{}/resolve", one.id);
                    let looked = client.ask_as(&world.admin, |base| {
                        Ask::post(format!("{base}{path}"))
                            .json(&json!({ "as": word, "reason": "ledger" }))
                    });
                    let looked = looked.await;
                    assert!((200..300).contains(&looked.status), "{}", looked.text);
                    open.push((&one.id, state));
                }
                _ => open.push((&one.id, state)),
            }
        }
        if open.is_empty() {
            break;
        }
        if open.len() < left {
            (moved, left) = (Instant::now(), open.len());
        }
        assert!(moved.elapsed() < PATIENCE, "these do not end: {open:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let ended = accepted.iter().map(|accepted| Ended {
        accepted,
        state: ended.remove(&*accepted.id).unwrap(),
    });
    (ended.collect(), resolved.len())
}

async fn state_of(client: &Client, id: &str) -> String {
    let shown = client
        .ask(|base| Ask::get(format!("{base}/v1/operations/{id}")))
        .await;
    // What was accepted is there: 404 would be a loss.
    shown.ok().json["state"].as_str().unwrap().to_owned()
}

/// What is said to be applied was done once, what is said to be refused never, and nothing else was.
fn effects(world: &World, plan: &Plan, ended: &[Ended<'_>]) {
    let ledger = world.stand_in.records().ledger();
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for effect in ledger.effects() {
        let Some(key) = effect.key.as_deref() else {
            continue;
        };
        let (id, step) = match key.strip_suffix(".addresses") {
            Some(id) => (id, 0),
            None => (key, 1),
        };
        *times.entry(id).or_default() += step;
    }
    assert_eq!(ledger.repeated(), [""; 0], "done twice");
    for Ended { accepted, state } in ended {
        let times = times.remove(&*accepted.id).unwrap_or_default();
        let kind = accepted.kind;
        match &**state {
            "applied" => assert_eq!(times, 1, "{kind} {} is applied", accepted.id),
            state => assert_eq!(times, 0, "{kind} {} is {state}", accepted.id),
        }
        if kind == "stale" && !plan.forgets {
            assert_eq!(state, "conflict");
        }
    }
    assert!(
        times.is_empty(),
        "nobody was told that these were taken: {times:?}"
    );
}

/// The registry did what was asked about one person in the order in which it was taken.
fn order(world: &World, ended: &[Ended<'_>]) {
    let ledger = world.stand_in.records().ledger();
    let place: BTreeMap<&str, u64> = ledger
        .effects()
        .iter()
        .filter_map(|effect| Some((effect.key.as_deref()?, effect.order)))
        .collect();
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    for Ended { accepted, .. } in ended {
        let Some(&order) = place.get(&*accepted.id) else {
            continue;
        };
        let before = last.insert(&accepted.subject, order).unwrap_or_default();
        assert!(
            before < order,
            "{} overtook what was before it",
            accepted.id
        );
    }
}

/// Every event that the registry told is in the feed once, and whoever read along has missed none.
async fn events(world: &World, client: &Client, done: &Done) {
    let told = world.stand_in.records().all_told();
    let told = told.iter().filter(|it| it["type"] == "event");
    let told: BTreeSet<&str> = told.map(|it| it["id"].as_str().unwrap()).collect();
    let began = Instant::now();
    let feed = loop {
        let feed = whole_feed(client).await;
        if feed.len() >= told.len() {
            break feed;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "{} of {}",
            feed.len(),
            told.len()
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    let ids: BTreeSet<&str> = feed.iter().map(|(_, id)| &**id).collect();
    assert_eq!(ids.len(), feed.len(), "an event stands in the feed twice");
    assert_eq!(ids, told);
    let (seen, all) = (done.read.len(), feed.len());
    let there = &feed[..seen.min(all)];
    assert_eq!(
        done.read, there,
        "what the reader saw, and what there was to see"
    );
    println!("{all} events, {seen} of them read along");
}

async fn whole_feed(client: &Client) -> Vec<Entry> {
    let (mut feed, mut after) = (Vec::new(), None);
    loop {
        let page = client.page(after.as_deref(), "limit=500").await;
        let before = feed.len();
        feed.extend(entries(&page));
        if feed.len() < before + 500 {
            return feed;
        }
        after = page["next"].as_str().map(str::to_owned);
    }
}
