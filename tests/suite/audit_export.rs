//! The audit handed out, verified from what was handed out, and removed when it is old enough.

use gateway_tests::gateway::{TestGateway, identifiers};
use gateway_tests::wait::until;
use registry_gateway::gateway::{Kept, PublicKey, Verdict, verify_export};
use registry_gateway::model::Role;
use serde_json::{Value, json};

use crate::audit_reading::{ask, found, start};
use crate::following::stalled;

async fn export(gateway: &TestGateway, key: &str) -> String {
    let answer = gateway
        .get("/admin/v1/audit/export")
        .key(key)
        .send()
        .await
        .ok();
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    answer.text
}

fn verify(export: &str, key: &str, checkpoints: &[&Value]) -> Verdict {
    let checkpoints = checkpoints.iter();
    let kept = Kept {
        checkpoints: checkpoints
            .map(|it| serde_json::from_value((*it).clone()).unwrap())
            .collect(),
        keys: vec![PublicKey::parse(key).unwrap()],
    };
    verify_export(export.as_bytes(), &kept).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_handed_out_is_verified_without_the_database() {
    let (gateway, auditor) = start().await;
    for _ in 0..3 {
        ask(&gateway, 3, "one").await;
    }
    let made = gateway.post("/admin/v1/audit/checkpoints", &json!({}));
    let checkpoint = made.key(&auditor).send().await.json;
    let key = checkpoint["publicKey"].as_str().unwrap();
    let whole = export(&gateway, &auditor).await;
    let verdict = verify(&whole, key, &[&checkpoint]);
    assert_eq!((&*verdict.bad, verdict.last_checkpoint), (&[][..], 1));
    // Six of calls, two of the checkpoint's act, one of this.
    assert_eq!((verdict.rows, verdict.uncovered), (9, 2));
    assert!(!whole.contains(&gateway.person(3).uin));

    let lines: Vec<&str> = whole.lines().collect();
    let row = |number: i64| {
        let wanted = format!("\"row\":{number},");
        lines
            .iter()
            .position(|line| line.contains(&wanted))
            .unwrap()
    };
    let without = |at: usize| {
        let kept = lines.iter().enumerate().filter(|(index, _)| *index != at);
        kept.map(|(_, line)| format!("{line}\n"))
            .collect::<String>()
    };
    let place = |verdict: &Verdict| verdict.bad.first().map(|bad| (bad.chain, bad.seq));
    let changed = whole.replacen("\"purpose\":\"one\"", "\"purpose\":\"two\"", 1);
    assert_eq!(place(&verify(&changed, key, &[])), Some((Some(1), Some(1))));
    assert_eq!(
        place(&verify(&without(row(4)), key, &[])),
        Some((Some(1), Some(4)))
    );
    let mut swapped = lines.clone();
    swapped.swap(row(3), row(5));
    let swapped: String = swapped.iter().map(|line| format!("{line}\n")).collect();
    assert_eq!(place(&verify(&swapped, key, &[])), Some((Some(1), Some(3))));
    let cut: String = lines[..=row(5)]
        .iter()
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(place(&verify(&cut, key, &[])), Some((Some(1), Some(6))));
    let unfinished = without(lines.len() - 1);
    assert!(
        verify(&unfinished, key, &[]).bad[0]
            .problem
            .contains("not whole")
    );
    let unsealed = without(
        lines
            .iter()
            .position(|line| line.contains("\"checkpoint\""))
            .unwrap(),
    );
    assert_eq!(
        verify(&unsealed, key, &[&checkpoint]).bad[0].checkpoint,
        Some(1)
    );
    let other = PublicKey([9; 32]).to_string();
    assert_eq!(verify(&whole, &other, &[]).bad[0].checkpoint, Some(1));
    let kept = Kept::default();
    assert!(
        verify_export(whole.as_bytes(), &kept).is_err(),
        "a key is needed"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_old_enough_goes_and_the_rest_is_still_verified() {
    let (gateway, auditor) = start().await;
    let seal = async || {
        let made = gateway.post("/admin/v1/audit/checkpoints", &json!({}));
        made.key(&auditor).send().await.json
    };
    for _ in 0..3 {
        ask(&gateway, 3, "old").await;
    }
    let first = seal().await;
    let old = jiff::Timestamp::now();
    for _ in 0..2 {
        ask(&gateway, 3, "new").await;
    }
    let inner = gateway.serving.gateway.clone();
    // Nothing that no checkpoint of that age covers.
    let before = jiff::Timestamp::UNIX_EPOCH;
    assert_eq!(inner.prune_audit_before(before).await.unwrap(), 0);
    let path = "/admin/v1/audit/prune";
    let kept = gateway.post(path, &json!({})).key(&auditor).send().await;
    assert_eq!((kept.status, kept.code()), (409, "kept-for-ever"));

    let whole = export(&gateway, &auditor).await;
    // Six rows of calls. The beginning of the checkpoint's own act is covered too; it goes as well.
    assert_eq!(inner.prune_audit_before(old).await.unwrap(), 7);
    assert_eq!(inner.prune_audit_before(old).await.unwrap(), 0);
    let acts = gateway.get("/admin/v1/audit/acts?act=audit.prune");
    let acts = acts.key(&auditor).send().await.ok().json;
    let act = &acts["acts"][0];
    assert_eq!(
        act["caller"], "(local)",
        "nothing goes without a word: {acts}"
    );
    assert_eq!(act["detail"]["before"], old.to_string(), "{acts}");
    let kept = Kept {
        checkpoints: vec![serde_json::from_value(first).unwrap()],
        keys: Vec::new(),
    };
    let verdict = inner.verdict(&kept).await.unwrap();
    assert_eq!(verdict.bad, [], "from there on it is whole");
    let body = json!({ "identifiers": identifiers(&gateway.person(3).uin), "whole": true });
    let answer = found(&gateway, &auditor, &body).await;
    assert_eq!(answer["calls"].as_array().unwrap().len(), 2);
    let key = seal().await["publicKey"].as_str().unwrap().to_owned();
    let exported = export(&gateway, &auditor).await;
    assert_eq!(verify(&exported, &key, &[]).bad, []);
    forge(&exported, &whole, &key);

    // What is removed without being old enough is missed, and then nothing more is removed.
    let mut outside = gateway.outside().await;
    outside.disarm_audit().await;
    outside.run("DELETE FROM audit_end WHERE seq = 10").await;
    let verdict = inner.verdict(&Kept::default()).await.unwrap();
    assert_eq!(verdict.bad[0].seq, Some(10), "{:?}", verdict.bad);
    let now = jiff::Timestamp::now();
    let refused = inner.prune_audit_before(now).await.unwrap_err();
    assert!(
        refused.to_string().contains("nothing of it is removed"),
        "{refused}"
    );
}

/// Lines that were put into an export where rows were removed, and where none can be.
fn forge(exported: &str, whole: &str, key: &str) {
    let row = |number: i64| {
        let mut lines = whole
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        lines.find(|line: &Value| line["row"] == number).unwrap()
    };
    let with = |added: &[Value], before: &str| {
        let at = exported.find(before).unwrap();
        let (head, tail) = exported.split_at(at);
        let added: String = added.iter().map(|line| format!("{line}\n")).collect();
        let forged = format!("{head}{added}{tail}");
        let done = exported.lines().last().unwrap();
        let count: Value = serde_json::from_str(done).unwrap();
        let rows = count["rows"].as_i64().unwrap();
        let more = rows + added.lines().count() as i64;
        let forged = forged.replace(done, &json!({ "line": "done", "rows": more }).to_string());
        let bad = verify(&forged, key, &[]).bad;
        bad.into_iter()
            .map(|bad| (bad.chain, bad.seq, bad.problem))
            .collect::<Vec<_>>()
    };
    let chained = "{\"line\":\"unchained\"";
    // As they were, word for word: a beginning, its end; and an act.
    let ask = [row(3), row(4)];
    assert_eq!(
        (&ask[0]["line"], &ask[1]["line"]),
        (&json!("begin"), &json!("end"))
    );
    for (added, seq) in [
        (&ask[..], 4),
        (&ask[..1], 3),
        (&ask[1..], 4),
        (&[row(7)][..], 7),
    ] {
        let bad = with(added, chained);
        assert_eq!(bad.len(), 1, "{bad:?}");
        assert_eq!((bad[0].0, bad[0].1), (Some(1), Some(seq)), "{bad:?}");
        assert!(bad[0].2.contains("it should be gone"), "{bad:?}");
    }
    for (place, problem) in [(0, "has such a place"), (99, "did not write")] {
        let mut forged = row(3);
        forged["row"] = json!(place);
        let bad = with(&[forged], chained);
        assert_eq!((bad.len(), bad[0].1), (1, Some(place)), "{bad:?}");
        assert!(bad[0].2.contains(problem), "{bad:?}");
    }
    let mut forged = row(3);
    forged["chain"] = Value::Null;
    let bad = with(&[forged], "{\"line\":\"done\"");
    assert!(
        bad.iter().any(|bad| bad.2.contains("has such a place")),
        "{bad:?}"
    );
}

/// A place is lost with the connection, and that is cut when nothing of it was taken for long enough.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_that_nobody_reads_ends() {
    const PATH: &str = "/admin/v1/audit/export";
    let gateway = TestGateway::builder()
        .config(|config| {
            config.audit.checkpoint_interval_ms = std::num::NonZeroU64::MAX;
            config.api.write_timeout_ms = 3_000;
        })
        .start()
        .await;
    let auditor = gateway.staff("olga", &[Role::Auditor]).await;
    ask(&gateway, 3, "one").await;
    // More than what is on its way to somebody: rows from before the chains, each with much to say.
    let mut outside = gateway.outside().await;
    let much = "x".repeat(200 << 10);
    for row in 0..150 {
        let sql = format!(
            "INSERT INTO audit_begin (id, began_at, request_id, caller, purpose, registry, ability, \
             module_digest, asked) SELECT '00000000-0000-7000-8000-{row:012}', began_at, request_id, \
             caller, '{much}', registry, ability, module_digest, asked FROM audit_begin WHERE seq = 1"
        );
        assert_eq!(outside.run(&sql).await, 1);
    }
    let mut stuck = Vec::new();
    for _ in 0..4 {
        stuck.push(stalled(&gateway, PATH, &auditor).await);
    }
    // What is refused is in the audit too, with its reason.
    until("no place is left", async || {
        let acts = gateway.get("/admin/v1/audit/acts?act=audit.export");
        let acts = acts.key(&auditor).send().await.ok().json;
        acts["acts"].as_array().unwrap().len() == 4
    })
    .await;
    let fifth = gateway.get(PATH).key(&auditor).send().await;
    assert_eq!((fifth.status, fifth.code()), (429, "busy"));
    assert_eq!(fifth.header("retry-after"), "1");
    until("a place", async || {
        gateway.get(PATH).key(&auditor).send().await.status == 200
    })
    .await;
    drop(stuck);
    // Each try for a place is an act.
    let acts = gateway.get("/admin/v1/audit/acts?act=audit.export&limit=1000");
    let acts = acts.key(&auditor).send().await.ok().json;
    let acts = acts["acts"].as_array().unwrap().iter();
    let mut codes: Vec<_> = acts
        .map(|act| act["outcome"].as_str().unwrap_or(""))
        .collect();
    codes.sort_unstable();
    codes.dedup();
    assert!(
        codes.contains(&"busy") && codes.contains(&"not-read"),
        "{codes:?}"
    );
}
