//! Whoever can change the database cannot change the audit unseen: the first bad row is named.

mod astray;
mod attacks;

use gateway_tests::database::Outside;
use gateway_tests::gateway::TestGateway;
use gateway_tests::wait::until;
use registry_gateway::gateway::{Bad, Kept, PublicKey, Verdict};
use registry_gateway::model::Role;
use registry_gateway::store::{chain_begins, chained};
use serde_json::{Value, json};

use attacks::{ATTACKS, COPY};

const VERIFY: &str = "/admin/v1/audit/verify";
const CHECKPOINTS: &str = "/admin/v1/audit/checkpoints";

/// A gateway of which some questions were asked, and its auditor's key.
async fn asked(questions: u64) -> (TestGateway, String) {
    let gateway = TestGateway::builder()
        // Checkpoints are made where a test says so.
        .config(|config| config.audit.checkpoint_interval_ms = std::num::NonZeroU64::MAX)
        .start()
        .await;
    let auditor = gateway.staff("olga", &[Role::Auditor]).await;
    for person in 1..=questions {
        let uin = gateway.person(person).uin;
        gateway.find("civil", &uin).send().await.ok();
    }
    (gateway, auditor)
}

async fn verify(gateway: &TestGateway, key: &str, body: &Value) -> Value {
    let answer = gateway.post(VERIFY, body).key(key).send().await.ok();
    answer.json
}

async fn checkpoint(gateway: &TestGateway, key: &str) -> Value {
    let made = gateway.post(CHECKPOINTS, &json!({})).key(key).send().await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json
}

fn statement(checkpoint: &Value) -> Value {
    serde_json::from_str(checkpoint["statement"].as_str().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_is_whole() {
    let (gateway, auditor) = asked(3).await;
    let verdict = verify(&gateway, &auditor, &json!({})).await;
    // Six rows of calls, and the beginning of this act.
    assert_eq!(verdict["bad"], json!([]));
    assert_eq!(
        (&verdict["whole"], &verdict["rows"]),
        (&json!(true), &json!(7))
    );
    assert_eq!(verdict["uncoveredRows"], 7);
    let first = checkpoint(&gateway, &auditor).await;
    let second = checkpoint(&gateway, &auditor).await;
    assert_eq!(
        statement(&second)["number"].as_i64(),
        statement(&first)["number"].as_i64().map(|n| n + 1)
    );
    assert_ne!(statement(&second)["previous"], Value::Null);
    let body = json!({ "checkpoints": [first, second], "publicKeys": [first["publicKey"]] });
    let verdict = verify(&gateway, &auditor, &body).await;
    assert_eq!(verdict["bad"], json!([]));
    let listed = gateway.get(CHECKPOINTS).key(&auditor).send().await.ok();
    assert_eq!(listed.json["publicKey"], first["publicKey"]);
    let listed = listed.json["checkpoints"].as_array().unwrap().clone();
    assert_eq!(listed[listed.len() - 2..], [first, second]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_is_tampered_with_is_named() {
    let (gateway, auditor) = asked(4).await;
    checkpoint(&gateway, &auditor).await;
    let mut outside = gateway.outside().await;
    outside.disarm_audit().await;
    for (what, statements, row) in ATTACKS {
        for sql in *statements {
            let sql = match sql.strip_prefix("COPY ") {
                Some(seq) => COPY.replace("SEQ", seq),
                None => (*sql).to_owned(),
            };
            assert!(outside.run(&sql).await > 0, "{what}");
        }
        let verdict = verdict(&gateway, &Kept::default()).await;
        let bad = &verdict.bad[0];
        let expected = if *row == 0 { 11 } else { *row };
        assert_eq!(
            (bad.chain, bad.seq),
            (Some(1), Some(expected)),
            "{what}: {bad:?}"
        );
        assert!(bad.until.is_none(), "{what}: {bad:?}");
        outside.restore_audit().await;
    }
    // A row that claims to be older than the chains.
    let sql = COPY.replace("chain, SEQ, hash", "NULL, NULL, NULL");
    outside.run(&sql).await;
    let bad = verdict(&gateway, &Kept::default()).await.bad.remove(0);
    let id = "00000000-0000-7000-8000-000000000000";
    assert_eq!((bad.chain, bad.id.as_deref()), (None, Some(id)), "{bad:?}");
    outside.restore_audit().await;
    // What is told over the API.
    outside.run("DELETE FROM audit_end WHERE seq = 4").await;
    let told = verify(&gateway, &auditor, &json!({})).await;
    assert_eq!(told["whole"], false);
    assert_eq!(
        (&told["bad"][0]["chain"], &told["bad"][0]["row"]),
        (&json!(1), &json!(4))
    );
    assert_eq!(told["bad"][0]["checkpoint"], 1);
    outside.restore_audit().await;
    assert_eq!(
        verdict(&gateway, &Kept::default()).await.bad,
        [],
        "restored"
    );
}

/// Whoever owns the database can compute hashes: what is written anew from a row on is a chain as good
/// as the first. The checkpoints are not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_are_written_anew_are_seen_by_the_checkpoints() {
    let (gateway, auditor) = asked(2).await;
    // Rows 5 and 6 are the act of the first checkpoint, which covers up to 5.
    let first = checkpoint(&gateway, &auditor).await;
    let uin = gateway.person(3).uin;
    gateway.find("civil", &uin).send().await.ok();
    // Rows 9 and 10 are that of the second.
    let second = checkpoint(&gateway, &auditor).await;
    let mut outside = gateway.outside().await;
    outside.disarm_audit().await;

    outside
        .run("UPDATE audit_begin SET caller = 'nobody' WHERE seq = 7")
        .await;
    write_anew(&gateway, &mut outside, 7).await;
    let bad = verdict(&gateway, &Kept::default()).await.bad;
    let place = |bad: &Bad| (bad.chain, bad.seq, bad.until, bad.checkpoint);
    assert_eq!(
        place(&bad[0]),
        (Some(1), Some(6), Some(9), Some(2)),
        "{bad:?}"
    );

    // Without the checkpoints nothing is seen, except by who kept one.
    outside.run("DELETE FROM audit_seal").await;
    outside.run("DELETE FROM audit_checkpoint").await;
    assert_eq!(verdict(&gateway, &Kept::default()).await.bad, []);
    for (kept, rows) in [
        (&first, None),
        (&second, Some((Some(1), Some(1), Some(9), Some(2)))),
    ] {
        let kept = Kept {
            checkpoints: vec![serde_json::from_value(kept.clone()).unwrap()],
            keys: Vec::new(),
        };
        let bad = verdict(&gateway, &kept).await.bad;
        assert!(bad[0].problem.contains("missing here"), "{bad:?}");
        assert_eq!(bad.get(1).map(place), rows, "{bad:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_that_is_tampered_with_is_named() {
    let (gateway, auditor) = asked(1).await;
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(checkpoint(&gateway, &auditor).await);
    }
    let mut outside = gateway.outside().await;
    outside.disarm_audit().await;
    let other = "(SELECT X FROM kept_audit_checkpoint WHERE number = 1)";
    let other = |column: &str| {
        let other = other.replace('X', column);
        format!("UPDATE audit_checkpoint SET {column} = {other} WHERE number = 2")
    };
    for (what, sql, number) in [
        ("its words", "UPDATE audit_checkpoint SET body = REPLACE(body, '{', '{ ') WHERE number = 1".to_owned(), 1),
        ("its signature", other("signature"), 2),
        ("its key", "UPDATE audit_checkpoint SET public_key = (SELECT hash FROM audit_end WHERE seq = 2) WHERE number = 3".to_owned(), 3),
        ("its time", other("at"), 2),
        ("removed", "DELETE FROM audit_checkpoint WHERE number = 2".to_owned(), 3),
        ("the first removed", "DELETE FROM audit_checkpoint WHERE number = 1".to_owned(), 2),
    ] {
        outside.run("DELETE FROM audit_seal").await;
        assert_eq!(outside.run(&sql).await, 1, "{what}");
        let bad = verdict(&gateway, &Kept::default()).await.bad;
        assert_eq!((bad[0].chain, bad[0].checkpoint), (None, Some(number)), "{what}: {bad:?}");
        outside.restore_audit().await;
    }
    // A stranger's key signs well, and is not believed.
    let kept = Kept {
        checkpoints: Vec::new(),
        keys: vec![PublicKey([7; 32])],
    };
    assert_eq!(verdict(&gateway, &kept).await.bad[0].checkpoint, Some(1));
    let mut forged = made[2].clone();
    let words = forged["statement"]
        .as_str()
        .unwrap()
        .replace("\"number\":3", "\"number\":4");
    forged["statement"] = words.into();
    let told = verify(&gateway, &auditor, &json!({ "checkpoints": [forged] })).await;
    assert_eq!(told["bad"][0]["checkpoint"], 4, "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checkpoints_come_by_themselves_and_at_the_end() {
    let gateway = TestGateway::builder()
        .config(|config| {
            config.audit.checkpoint_interval_ms = std::num::NonZeroU64::new(100).unwrap();
        })
        .start()
        .await;
    let uin = gateway.person(1).uin;
    gateway.find("civil", &uin).send().await.ok();
    let store = gateway.store().await;
    let covered = async || store.audit().last_checkpoint().await.unwrap();
    until("a checkpoint", async || covered().await.is_some()).await;
    let first = covered().await.unwrap();
    // Nothing new, no new one.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    assert_eq!(covered().await.unwrap().number, first.number);
    gateway.find("civil", &uin).send().await.ok();
    let gateway = gateway.serving.gateway.clone();
    gateway.close(tokio::time::Instant::now()).await;
    let last = covered().await.unwrap();
    let head = store.audit().heads().await.unwrap()[0];
    let said: Value = serde_json::from_str(&last.body).unwrap();
    assert_eq!(said["chains"][0]["seq"], head.seq);
    store.close().await;
}

async fn verdict(gateway: &TestGateway, kept: &Kept) -> Verdict {
    gateway.serving.gateway.verdict(kept).await.unwrap()
}

/// Computes the hashes from a row on, as anybody can who has the rows.
async fn write_anew(gateway: &TestGateway, outside: &mut Outside, from: i64) {
    let store = gateway.store().await;
    let head = store.audit().heads().await.unwrap()[0];
    let mut last = chain_begins(head.chain, head.began_at);
    for row in store.audit().chained(head.chain, 0).await.unwrap() {
        last = chained(&last, head.chain, row.seq, &row.row.unwrap());
        if row.seq >= from {
            let table = format!("audit_{}", row.table.as_str());
            outside.set_hash(&table, "seq", row.seq, &last).await;
        }
    }
    outside
        .set_hash("audit_chain", "id", head.chain, &last)
        .await;
    store.close().await;
}
