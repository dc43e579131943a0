//! Writes and life events through the sandbox, without a gateway around it: the compiled adapter of
//! the tests on one side, the stand-in registry's records on the other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use gateway_tests::components;
use registry_gateway::config::endpoint::EndpointConfig;
use registry_gateway::config::limits::CallLimits;
use registry_gateway::egress::{Egress, Endpoints};
use registry_gateway::model::{
    Ability, Call, Callback, CreateRequest, EnrolmentRequest, EventKind, Failure, Fate, FindQuery,
    LinkRequest, Receipt, TraceQuery, UpdateRequest, WriteOutcome, WriteRequest, Written,
};
use registry_gateway::sandbox::{Answer, Lent, Module, Pending, PendingAnswer, Ran, Sandbox, Work};
use serde_json::{Value, json};
use stand_in::records::{Happening, Mishap};
use stand_in::{Options, StandIn};

use crate::bench;

struct Wire {
    registry: StandIn,
    module: Module,
    endpoints: Arc<Endpoints>,
    /// Its compiler goes with it.
    _sandbox: Sandbox,
}

impl Wire {
    async fn start() -> Self {
        let options = Options {
            people: 20,
            ..Options::default()
        };
        let registry = StandIn::start(options).await;
        let sandbox = bench::sandbox(&bench::config());
        let module = sandbox.load(&components::bytes("registrar-guest")).await;
        let config: EndpointConfig = toml::from_str(&format!(
            "base_url = \"{}\"\nallow_networks = [\"127.0.0.0/8\"]",
            registry.url()
        ))
        .unwrap();
        let endpoints = Endpoints::build(
            &Egress::new(),
            "records",
            &BTreeMap::from([("registry".into(), config)]),
            &BTreeMap::new(),
            &BTreeMap::new(),
        );
        Self {
            registry,
            module: module.expect("the adapter is admitted"),
            endpoints: Arc::new(endpoints.unwrap()),
            _sandbox: sandbox,
        }
    }

    fn work(&self, key: &str) -> Work {
        let call = Call {
            registry: "records".into(),
            request_id: "request-1".into(),
            operation_key: Some(key.to_owned()),
            attempt: 1,
            ..Call::default()
        };
        Work {
            lent: Lent::new(Arc::new(call), Arc::default(), self.endpoints.clone()),
            limits: Arc::new(CallLimits {
                cpu_ms: 60_000,
                wall_ms: 600_000,
                ..CallLimits::default()
            }),
            deadline: tokio::time::Instant::now() + Duration::from_secs(600),
        }
    }

    async fn update(&self, key: &str, update: Value) -> Result<Answer<Written>, Failure> {
        let update: UpdateRequest = serde_json::from_value(update).unwrap();
        said(self.module.update(self.work(key), &update).await)
    }

    async fn trace(&self, key: &str, request: Value) -> Result<Answer<Fate>, Failure> {
        let query = TraceQuery {
            operation_key: key.to_owned(),
            request: serde_json::from_value::<WriteRequest>(request).unwrap(),
            attempted_at: "2026-05-01T10:00:00Z".into(),
            state: None,
        };
        said(self.module.trace(self.work(key), &query, None).await)
    }

    async fn receive(&self, body: &Value) -> registry_gateway::model::Reception {
        let callback = Callback {
            method: "POST".into(),
            path: "/told".into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
            extra: Vec::new(),
        };
        match said(self.module.receive(self.work("none"), &callback).await) {
            Ok(Answer::Done(reception)) => reception,
            other => panic!("no reception: {other:?}"),
        }
    }

    fn kinds(&self) -> Vec<String> {
        let ledger = self.registry.records().ledger();
        let kinds = ledger.effects().iter().map(|effect| effect.kind.clone());
        kinds.collect()
    }

    fn somebody(&self) -> String {
        let content = json!({ "names": [{ "family": "Lima", "given": ["Ana"] }], "sex": "F" });
        self.registry.records().put(&content)
    }
}

fn said<T: std::fmt::Debug>(ran: Ran<T>) -> Result<Answer<T>, Failure> {
    ran.result.expect("the adapter does not break")
}

fn receipt(answer: Result<Answer<Written>, Failure>) -> Receipt {
    match answer {
        Ok(Answer::Done(Written::Done(receipt))) => receipt,
        other => panic!("not done: {other:?}"),
    }
}

fn pending(answer: Result<Answer<Written>, Failure>) -> Pending {
    match answer {
        Ok(Answer::Pending(pending)) => pending,
        other => panic!("does not wait: {other:?}"),
    }
}

fn own(record: &str) -> Value {
    json!([{ "scheme": "record-id", "value": record }])
}

fn sex(record: &str, version: &str) -> Value {
    json!({ "identifiers": own(record), "person": { "sex": "male" }, "mask": ["sex"], "version": version })
}

#[tokio::test]
async fn a_create_of_two_steps_is_done_once_and_found() {
    let wire = Wire::start().await;
    let written = Ability::WRITES.into_iter();
    for ability in written.chain([Ability::Find, Ability::Trace, Ability::Events]) {
        assert!(wire.module.can(ability), "{ability}");
    }
    let person = json!({ "person": {
        "names": [{ "family": "Lima", "given": ["Ana"], "use": "official" }],
        "birthDate": "1990-05-20", "addresses": [{ "city": "Pokhara" }],
    }});
    let request: CreateRequest = serde_json::from_value(person).unwrap();
    let first = pending(said(wire.module.create(wire.work("op-1"), &request).await));
    assert_eq!(first.retry_after_ms, Some(0));
    let mut receipts = Vec::new();
    // Twice from the same state, as after a crash.
    for _ in 0..2 {
        let resumed = wire
            .module
            .resume_create(wire.work("op-1"), &first.state, None)
            .await;
        receipts.push(receipt(said(resumed)));
    }
    assert_eq!(receipts[0], receipts[1]);
    assert_eq!(receipts[0].unwritten, ["names.0.use"]);
    assert_eq!(wire.kinds(), ["create", "addresses"]);
    let query = FindQuery {
        identifiers: receipts[0].identifiers.clone(),
    };
    let Ok(Answer::Done(found)) = said(wire.module.find(wire.work("op-2"), &query).await) else {
        panic!("nobody is found");
    };
    assert_eq!(found.addresses[0].city.as_deref(), Some("Pokhara"));
    assert_eq!(found.version.as_deref(), Some("2"));
}

#[tokio::test]
async fn an_update_is_done_or_meets_a_conflict() {
    let wire = Wire::start().await;
    let record = wire.somebody();
    let done = receipt(wire.update("op-1", sex(&record, "1")).await);
    assert_eq!(done.version.as_deref(), Some("2"));
    match wire.update("op-2", sex(&record, "1")).await {
        Err(Failure::Conflict(refusal)) => {
            assert_eq!(refusal.code.as_deref(), Some("version.moved"));
        }
        other => panic!("no conflict: {other:?}"),
    }
    assert_eq!(wire.kinds(), ["update"]);
}

#[tokio::test]
async fn a_lost_answer_is_unclear_and_traced() {
    let wire = Wire::start().await;
    let record = wire.somebody();
    for (key, mishap, applied) in [
        ("op-1", Mishap::LostAfter, true),
        ("op-2", Mishap::LostBefore, false),
        (
            "op-3",
            Mishap::Status {
                status: 504,
                applied: true,
                retry_after: None,
            },
            true,
        ),
    ] {
        let link = json!({
            "identifiers": own(&record), "change": "add",
            "linked": { "scheme": "openimis", "value": key },
        });
        wire.registry.records().inject(mishap);
        let request: LinkRequest = serde_json::from_value(link.clone()).unwrap();
        let unclear = said(wire.module.link(wire.work(key), &request).await);
        let is_unclear = matches!(unclear, Ok(Answer::Done(Written::Unclear(_))));
        assert!(is_unclear, "{key}: {unclear:?}");
        match wire.trace(key, json!({ "link": link })).await {
            Ok(Answer::Done(Fate::Applied(receipt))) if applied => {
                assert_eq!(receipt.outcome, WriteOutcome::Applied);
            }
            Ok(Answer::Done(Fate::Absent)) if !applied => {}
            other => panic!("{key}: {other:?}"),
        }
    }
    assert_eq!(wire.kinds(), ["link", "link"]);
}

#[tokio::test]
async fn a_registry_that_is_busy_or_gone_says_that_it_did_nothing() {
    let wire = Wire::start().await;
    let record = wire.somebody();
    wire.registry.records().inject(Mishap::Status {
        status: 429,
        applied: false,
        retry_after: Some(3),
    });
    match wire.update("op-1", sex(&record, "1")).await {
        Err(Failure::Unavailable(why)) => assert_eq!(why.retry_after_ms, Some(3_000)),
        other => panic!("not unavailable: {other:?}"),
    }
    // One that was never asked: the gateway lets the other one rest.
    let Wire {
        registry,
        module,
        endpoints,
        _sandbox,
    } = Wire::start().await;
    let address = registry.address();
    drop(registry);
    // Until the listener is closed, and the gateway's side knows that its connection is.
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let wire = Wire {
        registry: StandIn::start(Options {
            people: 20,
            ..Options::default()
        })
        .await,
        module,
        endpoints,
        _sandbox,
    };
    match wire.update("op-2", sex(&record, "1")).await {
        Err(Failure::Unavailable(why)) => {
            assert_eq!(why.code.as_deref(), Some("http.not-sent.connect"));
        }
        other => panic!("not unavailable: {other:?}"),
    }
}

#[tokio::test]
async fn a_later_answer_is_polled_for_or_brought_by_a_callback() {
    let wire = Wire::start().await;
    let record = wire.somebody();
    let records = wire.registry.records();
    // Callbacks are kept, so that this test hands them on itself.
    records.hold();
    records.inject(Mishap::Later {
        after: Duration::from_secs(1),
        calls_back: true,
    });
    let waiting = pending(wire.update("op-1", sex(&record, "1")).await);
    assert_eq!(waiting.reference.as_deref(), Some("op-1"));
    let resumed = wire
        .module
        .resume_update(wire.work("op-1"), &waiting.state, None)
        .await;
    let waiting = pending(said(resumed));
    while wire.kinds().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The echo is the first that the registry told, the answer the second.
    let answer = loop {
        let answer = records.all_told().into_iter().nth(1);
        match answer {
            Some(answer) => break answer,
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let reception = wire.receive(&answer).await;
    assert!(reception.events.is_empty());
    let (reference, data) = reception.answers[0].clone();
    assert_eq!(reference, "op-1");
    let brought = PendingAnswer { reference, data };
    let by_callback = wire
        .module
        .resume_update(wire.work("op-1"), &waiting.state, Some(brought));
    let by_callback = receipt(said(by_callback.await));
    let polled = wire
        .module
        .resume_update(wire.work("op-1"), &waiting.state, None)
        .await;
    assert_eq!(receipt(said(polled)), by_callback);
    assert_eq!(wire.kinds(), ["update"]);
}

#[tokio::test]
async fn an_enrolment_is_told() {
    let wire = Wire::start().await;
    let record = wire.somebody();
    let enrolment = json!({
        "programme": { "identifiers": [{ "scheme": "programme", "value": "cash" }] },
        "beneficiary": { "person": { "identifiers": own(&record) } },
        "status": "enrolled", "from": "2026-01",
        "benefits": [{ "type": "cash", "amount": "50.00" }],
    });
    let request: EnrolmentRequest = serde_json::from_value(enrolment).unwrap();
    let done = receipt(said(wire.module.enrol(wire.work("op-1"), &request).await));
    assert_eq!(done.unwritten, ["benefits"]);
    assert_eq!(wire.kinds(), ["enrolment"]);
}

#[tokio::test]
async fn events_are_received_when_the_registry_confirms_them_and_listed_by_cursor() {
    let wire = Wire::start().await;
    let record = wire.somebody();
    let records = wire.registry.records();
    let death = records
        .register(&Happening::death(&record, "2026-05-01"))
        .unwrap();
    let reception = wire.receive(&json!({ "id": death })).await;
    assert_eq!(reception.response.status, 204);
    assert_eq!(reception.events[0].kind, EventKind::Death);
    let forged = wire
        .receive(&json!({ "id": "c-99-00000000", "kind": "death" }))
        .await;
    assert_eq!((forged.response.status, forged.events.len()), (403, 0));
    receipt(wire.update("op-1", sex(&record, "2")).await);
    let mut cursor = None;
    let mut listed = Vec::new();
    loop {
        let page = wire
            .module
            .changes(wire.work("none"), cursor.as_ref(), 1)
            .await;
        let Ok(Answer::Done(page)) = said(page) else {
            panic!("no page");
        };
        listed.extend(page.events);
        cursor = Some(page.cursor);
        if !page.more {
            break;
        }
    }
    let told: Vec<_> = listed
        .iter()
        .map(|event| (&event.kind, event.caused_by.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            (&EventKind::Death, None),
            (&EventKind::RecordChanged, Some("op-1"))
        ]
    );
    assert_eq!(listed[0].id, death);
}
