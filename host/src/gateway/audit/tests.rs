//! Clocks that are wrong, and prunings at the same time.

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use uuid::Uuid;

use super::prune::{Age, PruneError};
use super::seal::now;
use super::statement::{PrunedTo, Statement};
use super::verify::Kept;
use super::{Audit, SealError};
use crate::config::audit::AuditConfig;
use crate::config::secret::Secrets;
use crate::config::store::StoreConfig;
use crate::store::{AuditBegin, AuditCheckpoint, AuditEnd, NewCheckpoint, Seal, Store};

struct Audited {
    _directory: TempDir,
    store: Store,
    audit: Audit,
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

fn age(now: Timestamp, kept: i64) -> Age {
    Age {
        now,
        cutoff: now - days(kept),
    }
}

impl Audited {
    async fn open() -> Self {
        let directory = TempDir::new().unwrap();
        let config = StoreConfig {
            path: directory.path().join("gateway.db"),
            ..StoreConfig::default()
        };
        let store = Store::open(&config, None).await.unwrap();
        let (config, secrets) = (AuditConfig::default(), Secrets::new(None));
        let audit = Audit::open(&config, &store, &secrets, directory.path()).await;
        Self {
            audit: audit.unwrap(),
            store,
            _directory: directory,
        }
    }

    /// A call's two rows, written when the clock said so.
    async fn call(&self, at: Timestamp) {
        let id = self.begin(at).await;
        self.end(id, at).await;
    }

    async fn begin(&self, at: Timestamp) -> Uuid {
        let begin = AuditBegin {
            id: Uuid::now_v7(),
            at,
            request_id: "r-1".into(),
            caller: "openimis".into(),
            user: None,
            entity: None,
            purpose: None,
            legal_basis: None,
            registry: "crvs".into(),
            ability: "find".into(),
            module_digest: "sha256:00".into(),
            asked: Vec::new(),
        };
        let id = begin.id;
        self.store.audit().begin(begin).await.unwrap();
        id
    }

    async fn end(&self, id: Uuid, at: Timestamp) {
        let end = AuditEnd {
            id,
            at,
            outcome: "done".into(),
            code: None,
            disclosed: Vec::new(),
            registry_calls: 1,
            duration_us: 1,
        };
        self.store.audit().end(end).await.unwrap();
    }

    async fn seal(&self, at: Timestamp) -> Result<AuditCheckpoint, SealError> {
        let sealed = self.audit.seal_and_prune(&self.store, &[], &|| at).await?;
        Ok(sealed.unwrap())
    }

    /// One more, which needs a row.
    async fn seal_anew(&self, at: Timestamp) {
        self.call(at).await;
        self.seal(at).await.unwrap();
    }

    /// Keeps so many days. Asked for, or by itself.
    async fn prune(&self, asked: bool, now: Timestamp, kept: i64) -> u64 {
        let age = age(now, kept);
        let pruned = match asked {
            true => self.audit.prune(&self.store, age).await,
            false => self.audit.prune_by_clock(&self.store, age).await,
        };
        pruned.unwrap()
    }

    /// What a gateway would have signed that looked at nothing before.
    async fn sign(&self, at: Timestamp, prune: Option<PrunedTo>) {
        let last = self.store.audit().last_checkpoint().await.unwrap().unwrap();
        let before = self.audit.read(&last).unwrap();
        let mut next = Statement::new(before.number + 1, at, Some(&last.body));
        let head = self.store.audit().heads().await.unwrap()[0];
        next.chains = before.chains.clone();
        next.chains[0].seq = head.seq;
        next.chains[0].hash.0 = head.hash;
        next.pruned.extend(prune);
        let seals = vec![Seal {
            chain: head.chain,
            seq: head.seq,
        }];
        let new = NewCheckpoint {
            signed: self.audit.sign(&next),
            seals,
            pruned: Vec::new(),
        };
        self.store.audit().checkpoint(new).await.unwrap();
    }

    fn ends(&self, signed: &AuditCheckpoint) -> PrunedTo {
        let said = self.audit.read(signed).unwrap();
        PrunedTo {
            chain: said.chains[0].chain,
            seq: said.chains[0].seq,
            hash: said.chains[0].hash,
            sealed_by: said.number,
        }
    }

    async fn problems(&self) -> Vec<(Option<i64>, String)> {
        let verdict = self.audit.verify(&self.store, &Kept::default()).await;
        let bad = verdict.unwrap().bad.into_iter();
        bad.map(|bad| (bad.checkpoint, bad.problem)).collect()
    }
}

#[tokio::test]
async fn sealing_goes_on_whatever_the_clock_said() {
    let audited = Audited::open().await;
    let right = now();
    for (number, at) in [
        (1, right),
        (2, right + days(70 * 365)),
        (3, right),
        (4, Timestamp::UNIX_EPOCH),
        (5, right),
    ] {
        audited.call(at).await;
        let made = audited.seal(at).await.unwrap();
        assert_eq!((made.number, made.at), (number, at));
    }
    assert_eq!(audited.problems().await, []);
}

#[tokio::test]
async fn a_checkpoint_of_a_clock_that_was_set_back_removes_no_young_row() {
    let audited = Audited::open().await;
    let right = now();
    audited.call(right).await;
    audited.seal(right).await.unwrap();
    for wrong in [Timestamp::UNIX_EPOCH, right - days(20)] {
        audited.call(wrong).await;
        audited.seal(wrong).await.unwrap();
    }
    for asked in [true, false] {
        assert_eq!(audited.prune(asked, right, 1).await, 0);
    }
    // As old as the one before them.
    let later = right + days(2);
    audited.call(later).await;
    audited.seal(later).await.unwrap();
    assert_eq!(audited.prune(true, later, 1).await, 6);
    assert_eq!(audited.problems().await, []);
}

/// A machine without a clock starts in 1970, and is set right a little later.
#[tokio::test]
async fn what_was_written_before_the_clock_was_set_is_as_old_as_the_first_right_checkpoint() {
    let audited = Audited::open().await;
    let right = now() - days(100);
    audited.call(Timestamp::UNIX_EPOCH).await;
    audited.seal(Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!(
        audited.prune(true, right, 30).await,
        0,
        "no right one at all"
    );
    audited.call(right).await;
    audited.seal(right).await.unwrap();
    for days_later in [0, 29] {
        let at = right + days(days_later);
        assert_eq!(audited.prune(true, at, 30).await, 0, "{days_later}");
    }
    assert_eq!(audited.prune(true, right + days(31), 30).await, 4);
    assert_eq!(audited.problems().await, []);
}

/// The clock leapt 70 years ahead, and was set right.
#[tokio::test]
async fn what_follows_a_checkpoint_of_the_future_goes_when_somebody_asks() {
    let audited = Audited::open().await;
    let right = now() - days(100);
    let at = async |at| {
        audited.call(at).await;
        audited.seal(at).await.unwrap();
    };
    at(right).await;
    at(right + days(70 * 365)).await;
    at(right + days(1)).await;
    // The clock may be wrong now: what was before it goes by itself, and nothing else.
    at(right + days(38)).await;
    let later = right + days(40);
    assert_eq!(audited.prune(false, later, 30).await, 2);
    assert_eq!(audited.prune(false, later, 30).await, 0);
    assert_eq!(
        audited.prune(true, later, 30).await,
        4,
        "the leap, and the one behind it"
    );
    // From then on it goes by itself again.
    let later = right + days(80);
    at(later - days(2)).await;
    assert_eq!(audited.prune(false, later, 30).await, 2);
    assert_eq!(audited.problems().await, []);
}

#[tokio::test]
async fn a_row_that_is_young_by_its_own_time_stays() {
    let audited = Audited::open().await;
    let right = now();
    audited.call(right - days(20)).await;
    audited.call(right).await;
    audited.seal(right - days(10)).await.unwrap();
    assert_eq!(audited.prune(true, right, 5).await, 0);
    assert_eq!(
        audited.prune(true, right, 0).await,
        4,
        "once it is old enough by both"
    );
}

#[tokio::test]
async fn a_clock_that_leapt_removes_nothing_by_itself() {
    let audited = Audited::open().await;
    let right = now();
    let then = right - days(200);
    audited.call(then).await;
    audited.seal(then).await.unwrap();
    // What is written since it leapt does not make it right.
    audited.call(right).await;
    audited.seal(right).await.unwrap();
    let prune = async |at: Timestamp| {
        let age = age(at, at.duration_since(right - days(165)).as_hours() / 24);
        audited.audit.prune_by_clock(&audited.store, age).await
    };
    for at in [right, right + days(31)] {
        let refused = prune(at).await;
        assert!(
            matches!(refused, Err(PruneError::ClockAhead)),
            "{refused:?}"
        );
    }
    // It was there before, and set back since.
    audited.seal_anew(right + days(11)).await;
    audited.seal_anew(then).await;
    audited.seal_anew(right + days(40)).await;
    assert!(matches!(
        prune(right + days(40)).await,
        Err(PruneError::ClockAhead)
    ));
    // It went on as clocks do.
    assert_eq!(prune(right + days(42)).await.unwrap(), 2);
    // Who asks for it does not wait.
    let pruned = audited.prune(true, right + days(42), 0).await;
    assert!(pruned >= 2, "{pruned}");
    assert_eq!(audited.problems().await, []);
}

#[tokio::test]
async fn what_is_said_to_be_removed_never_becomes_less() {
    let audited = Audited::open().await;
    let old = now() - days(10);
    audited.call(old).await;
    let less = audited.ends(&audited.seal(old).await.unwrap());
    audited.call(old).await;
    let more = audited.ends(&audited.seal(old).await.unwrap());
    let says = async |prune: &[PrunedTo]| {
        let made = audited
            .audit
            .seal_and_prune(&audited.store, prune, &now)
            .await;
        let made = made.unwrap().unwrap();
        (made.number, audited.audit.read(&made).unwrap().pruned)
    };
    assert_eq!(says(&[more]).await, (3, vec![more]));
    // Another saw less when it began, and comes later.
    assert_eq!(says(&[less]).await, (3, vec![more]), "nothing to do");
    assert_eq!(says(&[less, more]).await, (3, vec![more]));
    while audited.store.audit().prune_step().await.unwrap() > 0 {}
    assert_eq!(audited.problems().await, []);
    audited.sign(now(), Some(less)).await;
    let bad = audited.problems().await;
    assert_eq!(bad[0].0, Some(4), "{bad:?}");
    assert!(bad[0].1.contains("takes back"), "{bad:?}");
}

#[tokio::test]
async fn a_beginning_whose_end_is_kept_is_no_leftover() {
    let audited = Audited::open().await;
    let right = now();
    let old = right - days(10);
    audited.call(old).await;
    let id = audited.begin(old).await;
    audited.seal(old).await.unwrap();
    audited.end(id, right).await;
    let pruned = audited.prune(true, right, 5).await;
    assert_eq!(pruned, 2, "and not the beginning");
    assert_eq!(audited.problems().await, []);
}
