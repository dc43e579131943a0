//! What callers do meanwhile: writes about some people, each in its order, and a reading of the feed.
//! And a registrar at the counter.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gateway_tests::ask::{Answer, Ask};
use gateway_tests::stand_in::records::{Happening, What};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::world::{Plan, World};

const WRITERS: usize = 6;
/// People whom one writer writes about.
const PEOPLE: usize = 4;
/// Longer than any start.
const PATIENCE: Duration = Duration::from_secs(60);

/// One write that was taken.
#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) kind: &'static str,
}

/// An event of the feed: its cursor, and the registry's own id.
pub(crate) type Entry = (String, String);

/// What came of it all.
pub(crate) struct Done {
    /// In the order in which each subject's were taken.
    pub(crate) accepted: Vec<Accepted>,
    /// What the feed's reader saw.
    pub(crate) read: Vec<Entry>,
    pub(crate) refusals: BTreeMap<u16, u64>,
}

/// The load, while it runs.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    tally: Arc<Tally>,
    writers: Vec<JoinHandle<Vec<Accepted>>>,
    reader: JoinHandle<Vec<Entry>>,
    registrar: JoinHandle<()>,
}

/// A client of gateways that come and go.
#[derive(Clone)]
pub(crate) struct Client {
    bases: Vec<String>,
    key: String,
    tally: Arc<Tally>,
}

/// What the clients have met so far.
#[derive(Default)]
pub(crate) struct Tally {
    accepted: AtomicUsize,
    /// By status, 0 where nobody answered: what made a request be sent again.
    refusals: Mutex<BTreeMap<u16, u64>>,
}

impl Tally {
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }

    fn refused(&self, status: u16) {
        *self.refusals.lock().unwrap().entry(status).or_default() += 1;
    }

    pub(crate) fn refusals(&self) -> BTreeMap<u16, u64> {
        self.refusals.lock().unwrap().clone()
    }
}

impl Load {
    pub(crate) fn start(world: &World, plan: &Plan) -> Self {
        let (stop, tally) = (Arc::<AtomicBool>::default(), Arc::<Tally>::default());
        let client = Client::new(world, tally.clone());
        let records = world.stand_in.records();
        let person = || records.put(&json!({ "names": [{ "family": "Devi" }], "sex": "F" }));
        let writers = (0..WRITERS).map(|number| {
            let writer = Writer {
                number,
                random: fastrand::Rng::with_seed(plan.seed.wrapping_add(1 + number as u64)),
                people: (0..PEOPLE).map(|_| person()).collect(),
                client: client.clone(),
                stop: stop.clone(),
            };
            tokio::spawn(writer.run())
        });
        let writers = writers.collect();
        let subjects: Vec<String> = (0..20).map(|_| person()).collect();
        let (stand_in, stopped) = (world.stand_in.clone(), stop.clone());
        let mut random = fastrand::Rng::with_seed(plan.seed ^ 0xfeed);
        let registrar = tokio::spawn(async move {
            while !stopped.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(random.u64(20..150))).await;
                let one = subjects[random.usize(0..subjects.len())].clone();
                let told = stand_in.records().register(&happening(one, &mut random));
                told.unwrap();
            }
        });
        Self {
            reader: tokio::spawn(follow(client, stop.clone())),
            stop,
            tally,
            writers,
            registrar,
        }
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Ends it, all of it having been answered.
    pub(crate) async fn stop(self) -> Done {
        self.stop.store(true, Ordering::Relaxed);
        self.registrar.await.unwrap();
        let mut accepted = Vec::new();
        for writer in self.writers {
            accepted.extend(writer.await.unwrap());
        }
        Done {
            accepted,
            read: self.reader.await.unwrap(),
            refusals: self.tally.refusals(),
        }
    }
}

impl Client {
    pub(crate) fn new(world: &World, tally: Arc<Tally>) -> Self {
        Self {
            bases: world.bases.clone(),
            key: world.key.clone(),
            tally,
        }
    }

    /// Asks one gateway after the other until one answers that is able to.
    pub(crate) async fn ask(&self, make: impl Fn(&str) -> Ask) -> Answer {
        self.ask_as(&self.key, make).await
    }

    pub(crate) async fn ask_as(&self, key: &str, make: impl Fn(&str) -> Ask) -> Answer {
        let began = Instant::now();
        for base in self.bases.iter().cycle() {
            let asked = make(base).key(key).header("registry-purpose", "enrolment");
            let answer = asked.try_send().await;
            let status = answer.as_ref().map_or(0, |answer| answer.status);
            match answer {
                Some(answer) if !matches!(status, 429 | 500..=599) => return answer,
                Some(answer) => assert!(began.elapsed() < PATIENCE, "{}", answer.text),
                None => assert!(began.elapsed() < PATIENCE, "nobody answers"),
            }
            self.tally.refused(status);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        unreachable!("the circle has no end")
    }

    pub(crate) async fn page(&self, after: Option<&str>, query: &str) -> Value {
        let mut path = format!("/v1/events?{query}");
        if let Some(after) = after {
            path.push_str("&after=");
            path.push_str(after);
        }
        let page = self.ask(|base| Ask::get(format!("{base}{path}"))).await;
        page.ok().json
    }
}

struct Writer {
    number: usize,
    random: fastrand::Rng,
    /// Their records.
    people: Vec<String>,
    client: Client,
    stop: Arc<AtomicBool>,
}

impl Writer {
    async fn run(mut self) -> Vec<Accepted> {
        let mut accepted = Vec::new();
        for count in 0.. {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let person = self.random.usize(0..self.people.len());
            let (kind, mut body) = self.write(person);
            let subject = format!("{}-{person}", self.number);
            body["subject"] = json!(subject);
            let key = format!("{}-{count}", self.number);
            let id = self.send(&key, &body).await;
            if self.random.u8(0..100) < 10 {
                assert_eq!(self.send(&key, &body).await, id, "one key, two operations");
            }
            accepted.push(Accepted { id, subject, kind });
            self.client.tally.accepted.fetch_add(1, Ordering::Relaxed);
            let pause = Duration::from_millis(self.random.u64(5..60));
            tokio::time::sleep(pause).await;
        }
        accepted
    }

    async fn send(&self, key: &str, body: &Value) -> String {
        let answer = self.client.ask(|base| {
            let ask = Ask::post(format!("{base}/v1/registries/records/operations"));
            ask.json(body).header("idempotency-key", key)
        });
        let answer = answer.await;
        assert!([200, 202].contains(&answer.status), "{}", answer.text);
        answer.json["id"].as_str().unwrap().to_owned()
    }

    fn write(&mut self, person: usize) -> (&'static str, Value) {
        let own = json!([{ "scheme": "record-id", "value": self.people[person] }]);
        let number = self.random.u32(..);
        match self.random.u8(0..100) {
            0..60 => {
                let name = json!({ "names": [{ "family": format!("Devi {number}") }] });
                let update = json!({ "identifiers": own, "person": name, "mask": ["names"] });
                ("update", json!({ "update": update }))
            }
            // A version that nobody has any more.
            60..70 => {
                let update = json!({ "identifiers": own, "person": { "sex": "male" },
                    "mask": ["sex"], "version": "999999" });
                ("stale", json!({ "update": update }))
            }
            70..85 => {
                let person = json!({ "names": [{ "family": format!("Rai {number}") }],
                    "addresses": [{ "city": "Ilam" }] });
                ("create", json!({ "create": { "person": person } }))
            }
            85..93 => {
                let linked = json!({ "scheme": "imis", "value": format!("{number}") });
                (
                    "link",
                    json!({ "link": { "identifiers": own, "linked": linked,
                        "change": "add" } }),
                )
            }
            _ => {
                // Another one each time: what was so before leaves nothing in the ledger.
                let programme = format!("p-{number}");
                let programme =
                    json!({ "identifiers": [{ "scheme": "programme", "value": programme }] });
                let enrolment = json!({ "programme": programme,
                    "beneficiary": { "person": { "identifiers": own } }, "status": "active" });
                ("enrolment", json!({ "enrolment": enrolment }))
            }
        }
    }
}

/// Reads the feed as a careful caller does: from where it had read to.
async fn follow(client: Client, stop: Arc<AtomicBool>) -> Vec<Entry> {
    let (mut read, mut after) = (Vec::new(), None);
    while !stop.load(Ordering::Relaxed) {
        let page = client.page(after.as_deref(), "wait=1&limit=50").await;
        read.extend(entries(&page));
        after = page["next"].as_str().map(str::to_owned);
    }
    read
}

/// The events of a page.
pub(crate) fn entries(page: &Value) -> impl Iterator<Item = Entry> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let events = page["events"].as_array().unwrap().iter();
    events.map(move |event| (text(&event["cursor"]), text(&event["event"]["id"])))
}

fn happening(record: String, random: &mut fastrand::Rng) -> Happening {
    let what = match random.u8(0..3) {
        0 => What::Birth {
            child: json!({ "names": [{ "family": "Devi" }] }),
            mother: Some(record),
            father: None,
        },
        1 => What::Death { record },
        _ => What::Correction {
            record,
            change: json!({ "sex": "U" }),
            amends: None,
        },
    };
    Happening {
        what,
        occurred: Some("2026-01-02".into()),
    }
}
