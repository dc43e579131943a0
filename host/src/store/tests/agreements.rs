//! Agreements of nodes: whoever dies, at whatever point, the registry is as it was or as it should
//! be, and nothing is stuck.

use std::time::Duration;

use super::*;

on_both!(
    all_prepare_and_it_is_changed_once,
    one_that_cannot_cancels_it_with_its_reason,
    one_that_dies_before_it_answers_holds_nobody_up,
    one_that_is_silent_cancels_it_when_the_time_is_over,
    a_leader_that_dies_before_the_decision_leaves_nothing_behind,
    a_leader_that_dies_after_the_decision_has_decided,
    of_many_who_decide_at_once_one_does,
    a_registry_that_is_changed_meanwhile_stays_so,
    one_that_joins_meanwhile_prepares_too,
    one_at_a_time_and_what_is_there_already,
);

const LONG: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(80);

/// A registry on one module, and another one to take its place.
struct Stage {
    store: Store,
    from: String,
    to: String,
}

impl Stage {
    async fn new(home: &Home) -> Self {
        let store = home.open().await;
        let from = store.modules().put(a_module(b"from")).await.unwrap().digest;
        let to = store.modules().put(a_module(b"to")).await.unwrap().digest;
        let put = RegistryChange::Put {
            name: "civil".into(),
            module_digest: from.clone(),
            configuration: "{}".into(),
            enabled: true,
        };
        store.registries().apply(vec![put]).await.unwrap();
        Self { store, from, to }
    }

    async fn node(&self, name: &str, alive_for: Duration) -> Uuid {
        let beat = Beat {
            id: Uuid::now_v7(),
            run: Uuid::now_v7(),
            name: name.to_owned(),
            version: "1".to_owned(),
            listens: "127.0.0.1:1".to_owned(),
            alive_for,
            revision: 0,
            share: 0,
            behind: Vec::new(),
        };
        let id = beat.id;
        self.store.nodes().join(beat).await.unwrap();
        id
    }

    async fn try_begin(&self, led_for: Duration, within: Duration) -> Begun {
        let new = NewAgreement {
            registry: "civil".into(),
            to: self.to.clone(),
            by_caller: "ada".into(),
            leader: "a".into(),
            led_for,
            decide_within: within,
        };
        self.store.agreements().begin(new).await.unwrap()
    }

    async fn begin(&self, led_for: Duration, within: Duration) -> Uuid {
        match self.try_begin(led_for, within).await {
            Begun::Asked(id) => id,
            other => panic!("{other:?}"),
        }
    }

    async fn prepared(&self, id: Uuid, node: Uuid) {
        let agreements = self.store.agreements();
        agreements.answer(id, node, Ok(())).await.unwrap();
    }

    /// As the leader.
    async fn decide(&self, id: Uuid) -> Decision {
        let asking = Asking::Leader(LONG);
        self.store.agreements().decide(id, asking).await.unwrap()
    }

    /// As anybody who finds it.
    async fn find(&self, id: Uuid) -> Decision {
        let asking = Asking::Anybody;
        self.store.agreements().decide(id, asking).await.unwrap()
    }

    async fn serves(&self) -> String {
        let row = self.store.registries().get("civil").await.unwrap();
        row.unwrap().module_digest
    }

    async fn is_untouched(&self, decision: Decision, words: &str) {
        let Decision::Cancelled(reason) = decision else {
            panic!("{decision:?}");
        };
        assert!(reason.contains(words), "{reason}");
        assert_eq!(self.serves().await, self.from);
        assert_eq!(self.store.agreements().under_way().await.unwrap(), []);
        // The next one is not in its way.
        let _ = self.begin(LONG, LONG).await;
    }
}

async fn all_prepare_and_it_is_changed_once(home: Home) {
    let stage = Stage::new(&home).await;
    let (a, b) = (stage.node("a", LONG).await, stage.node("b", LONG).await);
    let before = stage.store.revision().await.unwrap();
    let id = stage.begin(LONG, LONG).await;
    let asked = stage.store.agreements().to_prepare(b).await.unwrap();
    let expected = ToPrepare {
        id,
        registry: "civil".into(),
        to: stage.to.clone(),
    };
    assert_eq!(asked, [expected]);
    let both = Decision::Preparing(vec!["a".into(), "b".into()]);
    assert_eq!(stage.decide(id).await, both);
    stage.prepared(id, a).await;
    assert_eq!(
        stage.decide(id).await,
        Decision::Preparing(vec!["b".into()])
    );
    assert_eq!(stage.serves().await, stage.from);
    stage.prepared(id, b).await;
    assert_eq!(stage.store.agreements().to_prepare(b).await.unwrap(), []);
    // While somebody leads it nobody else decides.
    assert_eq!(stage.find(id).await, Decision::Preparing(Vec::new()));
    let done = Decision::Committed(before + 1);
    assert_eq!(stage.decide(id).await, done);
    assert_eq!(stage.serves().await, stage.to);
    assert_eq!(stage.decide(id).await, done, "it stays so");
    assert_eq!(stage.store.revision().await.unwrap(), before + 1);
    // Too late.
    let agreements = stage.store.agreements();
    agreements.answer(id, a, Err("no".into())).await.unwrap();
    assert_eq!(agreements.cancel(id, "no").await.unwrap(), done);
}

async fn one_that_cannot_cancels_it_with_its_reason(home: Home) {
    let stage = Stage::new(&home).await;
    let (a, b) = (stage.node("a", LONG).await, stage.node("b", LONG).await);
    let id = stage.begin(LONG, LONG).await;
    let agreements = stage.store.agreements();
    let reason = "secrets.token: REGISTRY_SECRET_T is not set".to_owned();
    agreements.answer(id, b, Err(reason)).await.unwrap();
    stage.prepared(id, a).await;
    let decision = stage.decide(id).await;
    stage
        .is_untouched(decision, "b cannot: secrets.token: REGISTRY_SECRET_T")
        .await;
}

async fn one_that_dies_before_it_answers_holds_nobody_up(home: Home) {
    let stage = Stage::new(&home).await;
    let a = stage.node("a", LONG).await;
    stage.node("b", SHORT).await;
    let id = stage.begin(LONG, LONG).await;
    stage.prepared(id, a).await;
    tokio::time::sleep(SHORT).await;
    assert!(matches!(stage.decide(id).await, Decision::Committed(_)));
    assert_eq!(stage.serves().await, stage.to);
}

async fn one_that_is_silent_cancels_it_when_the_time_is_over(home: Home) {
    let stage = Stage::new(&home).await;
    let a = stage.node("a", LONG).await;
    stage.node("b", LONG).await;
    let id = stage.begin(LONG, SHORT).await;
    stage.prepared(id, a).await;
    tokio::time::sleep(2 * SHORT).await;
    let decision = stage.decide(id).await;
    stage
        .is_untouched(decision, "not prepared within node.prepare_ms: b")
        .await;
}

async fn a_leader_that_dies_before_the_decision_leaves_nothing_behind(home: Home) {
    let stage = Stage::new(&home).await;
    let a = stage.node("a", LONG).await;
    let id = stage.begin(SHORT, LONG).await;
    // All are prepared, and still: nobody waits for the answer.
    stage.prepared(id, a).await;
    tokio::time::sleep(2 * SHORT).await;
    let under_way = stage.store.agreements().under_way().await.unwrap();
    assert_eq!(under_way, [UnderWay { id, overdue: true }]);
    let decision = stage.find(id).await;
    // The leader was only slow: it learns what was decided.
    assert_eq!(stage.decide(id).await, decision);
    stage
        .is_untouched(decision, "a, which led it, was lost")
        .await;
}

async fn a_leader_that_dies_after_the_decision_has_decided(home: Home) {
    let stage = Stage::new(&home).await;
    let a = stage.node("a", LONG).await;
    let id = stage.begin(SHORT, LONG).await;
    stage.prepared(id, a).await;
    let done = stage
        .store
        .agreements()
        .decide(id, Asking::Leader(SHORT))
        .await;
    assert!(matches!(done.unwrap(), Decision::Committed(_)));
    tokio::time::sleep(2 * SHORT).await;
    assert_eq!(stage.store.agreements().under_way().await.unwrap(), []);
    assert!(matches!(stage.find(id).await, Decision::Committed(_)));
    assert_eq!(stage.serves().await, stage.to);
}

async fn of_many_who_decide_at_once_one_does(home: Home) {
    let stage = Stage::new(&home).await;
    let a = stage.node("a", LONG).await;
    let before = stage.store.revision().await.unwrap();
    let id = stage.begin(SHORT, LONG).await;
    stage.prepared(id, a).await;
    tokio::time::sleep(2 * SHORT).await;
    let stores = [home.open().await, home.open().await, home.open().await];
    let all = (0..9_usize).map(|at| {
        let asking = match at % 2 {
            0 => Asking::Leader(LONG),
            _ => Asking::Anybody,
        };
        stores[at % 3].agreements().decide(id, asking)
    });
    let all = futures_util::future::join_all(all).await;
    let decisions: Vec<Decision> = all.into_iter().map(Result::unwrap).collect();
    assert!(
        decisions.iter().all(|one| *one == decisions[0]),
        "{decisions:?}"
    );
    let committed = matches!(decisions[0], Decision::Committed(_));
    assert_eq!(stage.serves().await == stage.to, committed);
    let after = stage.store.revision().await.unwrap();
    assert_eq!(after, before + i64::from(committed));
}

async fn a_registry_that_is_changed_meanwhile_stays_so(home: Home) {
    let stage = Stage::new(&home).await;
    let a = stage.node("a", LONG).await;
    let id = stage.begin(LONG, LONG).await;
    stage.prepared(id, a).await;
    let change = RegistryChange::Enable {
        name: "civil".into(),
        enabled: false,
    };
    stage.store.registries().apply(vec![change]).await.unwrap();
    let decision = stage.decide(id).await;
    stage.is_untouched(decision, "was changed meanwhile").await;
}

async fn one_that_joins_meanwhile_prepares_too(home: Home) {
    let stage = Stage::new(&home).await;
    let a = stage.node("a", LONG).await;
    let id = stage.begin(LONG, LONG).await;
    stage.prepared(id, a).await;
    let late = stage.node("late", LONG).await;
    assert_eq!(
        stage.decide(id).await,
        Decision::Preparing(vec!["late".into()])
    );
    assert_eq!(
        stage
            .store
            .agreements()
            .to_prepare(late)
            .await
            .unwrap()
            .len(),
        1
    );
    stage.prepared(id, late).await;
    assert!(matches!(stage.decide(id).await, Decision::Committed(_)));
}

async fn one_at_a_time_and_what_is_there_already(home: Home) {
    let mut stage = Stage::new(&home).await;
    let id = stage.begin(LONG, LONG).await;
    assert_eq!(stage.try_begin(LONG, LONG).await, Begun::UnderWay);
    // Nobody is there: nobody is asked.
    assert!(matches!(stage.decide(id).await, Decision::Committed(_)));
    assert_eq!(stage.try_begin(LONG, LONG).await, Begun::Already);
    tokio::time::sleep(SHORT).await;
    stage.store.nodes().forget(LONG).await.unwrap();
    assert!(matches!(stage.decide(id).await, Decision::Committed(_)));
    stage.store.nodes().forget(SHORT / 2).await.unwrap();
    let gone = stage.store.agreements().decide(id, Asking::Anybody).await;
    assert!(matches!(gone, Err(StoreError::Unknown { .. })), "{gone:?}");
    stage.to = "sha256:none".into();
    let new = NewAgreement {
        registry: "civil".into(),
        to: stage.to.clone(),
        by_caller: "ada".into(),
        leader: "a".into(),
        led_for: LONG,
        decide_within: LONG,
    };
    let error = stage
        .store
        .agreements()
        .begin(new.clone())
        .await
        .unwrap_err();
    assert!(
        matches!(error, StoreError::Unknown { what: "module", .. }),
        "{error:?}"
    );
    let registry = "none".into();
    let new = NewAgreement { registry, ..new };
    let error = stage.store.agreements().begin(new).await.unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Unknown {
                what: "registry",
                ..
            }
        ),
        "{error:?}"
    );
    let error = stage
        .store
        .agreements()
        .decide(Uuid::nil(), Asking::Anybody)
        .await;
    assert!(matches!(
        error,
        Err(StoreError::Unknown {
            what: "agreement",
            ..
        })
    ));
}
