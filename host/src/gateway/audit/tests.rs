//! Clocks that are wrong, and prunings at the same time.

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use uuid::Uuid;

use super::prune::PruneError;
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

    /// What a gateway would have signed that asked no clock but its own.
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
async fn nothing_is_sealed_by_a_clock_that_stands_before_the_last_checkpoint() {
    let audited = Audited::open().await;
    let right = now();
    audited.call(right).await;
    audited.seal(right).await.unwrap();
    audited.call(right).await;
    let refused = audited.seal(Timestamp::UNIX_EPOCH).await;
    assert!(
        matches!(refused, Err(SealError::ClockBehind { last }) if last == right),
        "{refused:?}"
    );
    let last = audited.store.audit().last_checkpoint().await.unwrap();
    assert_eq!(last.unwrap().number, 1);
    // Another gateway's clock is a little faster.
    let little = audited.seal(right - SignedDuration::from_secs(1)).await;
    let little = little.unwrap();
    assert_eq!((little.number, little.at), (2, right));
    audited.call(right).await;
    let later = right + SignedDuration::from_secs(1);
    assert_eq!(audited.seal(later).await.unwrap().at, later);
    assert_eq!(audited.problems().await, []);
}

#[tokio::test]
async fn a_checkpoint_of_a_wrong_clock_removes_no_young_row_and_is_named() {
    let audited = Audited::open().await;
    let right = now();
    audited.call(right).await;
    audited.seal(right).await.unwrap();
    audited.call(right).await;
    audited.sign(Timestamp::UNIX_EPOCH, None).await;
    let cutoff = right - days(1);
    let audit = audited.store.audit();
    assert_eq!(audit.checkpoint_before(cutoff).await.unwrap(), None);
    let pruned = audited.audit.prune(&audited.store, cutoff).await;
    assert_eq!(pruned.unwrap(), 0);
    let bad = audited.problems().await;
    assert_eq!(bad[0].0, Some(2), "{bad:?}");
    assert!(bad[0].1.contains("older than the checkpoint before"));
}

#[tokio::test]
async fn a_row_that_is_young_by_its_own_time_stays() {
    let audited = Audited::open().await;
    let right = now();
    audited.call(right - days(20)).await;
    audited.call(right).await;
    audited.seal(right - days(10)).await.unwrap();
    let prune = async |cutoff| audited.audit.prune(&audited.store, cutoff).await.unwrap();
    assert_eq!(prune(right - days(5)).await, 0);
    assert_eq!(prune(right).await, 4, "once it is old enough by both");
}

#[tokio::test]
async fn a_clock_that_leapt_removes_nothing_by_itself() {
    let audited = Audited::open().await;
    let right = now();
    let (then, cutoff) = (right - days(400), right - days(365));
    audited.call(then).await;
    audited.seal(then).await.unwrap();
    // What is written since it leapt does not make it right.
    audited.call(right).await;
    audited.seal(right).await.unwrap();
    let prune = async |now| {
        let pruned = audited.audit.prune_by_clock(&audited.store, cutoff, now);
        pruned.await
    };
    let refused = prune(right).await;
    assert!(
        matches!(refused, Err(PruneError::ClockAhead)),
        "{refused:?}"
    );
    assert!(matches!(
        prune(right + days(31)).await,
        Err(PruneError::ClockAhead)
    ));
    // It went on as clocks do.
    assert_eq!(prune(right + days(2)).await.unwrap(), 2);
    // Who asks for it does not wait.
    let pruned = audited.audit.prune(&audited.store, right).await;
    assert_eq!(pruned.unwrap(), 2);
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
    let pruned = audited.audit.prune(&audited.store, right - days(5)).await;
    assert_eq!(pruned.unwrap(), 2, "and not the beginning");
    assert_eq!(audited.problems().await, []);
}
