//! Whose callbacks are believed: by a token, or by the number of a question where that is set.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_sdk::Events;
use adapter_sdk::model::Callback;
use adapter_sdk::testing;
use adapter_spdci::Spdci;
use common::record;
use serde_json::{Value, json};

fn hash_of(token: &str) -> String {
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::digest(token.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn settings() -> Value {
    json!({
        "registry_type": "Civil", "sender_id": "openimis", "callback_token_sha256": hash_of("right"),
    })
}

fn callback(path: &str, token: &str, body: &str) -> Callback {
    Callback {
        method: "POST".to_owned(),
        path: path.to_owned(),
        query: Vec::new(),
        headers: vec![("authorization".to_owned(), format!("Bearer {token}"))],
        body: body.as_bytes().to_vec(),
        extra: Vec::new(),
    }
}

fn death() -> Value {
    json!({
        "header": { "action": "notify", "status": "succ" },
        "message": { "transaction_id": "t", "notify_event": [{
            "reference_id": "r", "timestamp": "2026-01-02T03:04:05Z",
            "data": { "reg_event_type": "death", "reg_records": [record("1", "A", "F")] },
        }] },
    })
}

#[test]
fn who_is_believed() {
    let _stage = testing::stage().settings(settings());
    let body = death().to_string();
    for (path, token, status, events) in [
        ("registry/notify", "right", 200, 1),
        ("registry/notify", "wrong", 401, 0),
        // A registry that sets no header has the token in the address that it was given.
        ("right/registry/notify", "", 200, 1),
        ("/right/registry/notify", "", 200, 1),
        ("registry/right/notify", "", 401, 0),
    ] {
        let reception = Spdci::receive(callback(path, token, &body)).unwrap();
        let came = (reception.response.status, reception.events.len());
        assert_eq!(came, (status, events), "{path} {token}");
        let told: Value = serde_json::from_slice(&reception.response.body).unwrap();
        let ack = if status == 200 { "ACK" } else { "NACK" };
        assert_eq!(told["message"]["ack_status"], ack);
    }
    // Its hash is no token.
    let reception = Spdci::receive(callback("registry/notify", &hash_of("right"), &body)).unwrap();
    assert_eq!(reception.response.status, 401);
    // Nor is anything where the setting is no hash.
    let cut = hash_of("right").split_off(1);
    for hash in ["", cut.as_str(), "right"] {
        let settings = json!({
            "registry_type": "Civil", "sender_id": "a", "callback_token_sha256": hash,
        });
        let _stage = testing::stage().settings(settings);
        let reception = Spdci::receive(callback("registry/notify", "right", &body)).unwrap();
        assert_eq!(
            (reception.response.status, reception.events.len()),
            (401, 0)
        );
    }
}

/// What comes of this callback without a token: its status, and how many answers and events.
fn without_token(trust: Option<bool>, path: &str, body: &Value) -> (u16, usize, usize, usize) {
    let mut settings = json!({ "registry_type": "Civil", "sender_id": "openimis" });
    if let Some(trust) = trust {
        settings["trust_transaction_ids"] = json!(trust);
    }
    let stage = testing::stage().settings(settings);
    let reception = Spdci::receive(callback(path, "any", &body.to_string())).unwrap();
    (
        reception.response.status,
        reception.answers.len(),
        reception.events.len(),
        stage.logs().len(),
    )
}

#[test]
fn without_a_token_an_answer_is_taken_by_its_number_where_that_is_set_and_an_event_never() {
    let answer = json!({ "header": {}, "message": {
        "transaction_id": "t", "search_response": [{ "status": "succ" }],
    } });
    let status = json!({ "header": {}, "message": { "txnstatus_response": {
        "txn_status": answer["message"],
    } } });
    let death = death();
    let refused = json!({ "message": { "subscribe_response": [{
        "status": "rjct", "status_reason_code": "rjct.notify_types.invalid",
    }] } });
    for trust in [None, Some(false)] {
        for (path, body) in [
            ("on-search", &answer),
            ("on-status", &status),
            ("on-subscribe", &refused),
            ("notify", &death),
            (
                "",
                &json!({ "header": { "action": "on-search" }, "message": answer["message"] }),
            ),
        ] {
            // Refused, and told to an administrator.
            assert_eq!(without_token(trust, path, body), (401, 0, 0, 1), "{path}");
        }
    }
    let trust = Some(true);
    assert_eq!(without_token(trust, "on-search", &answer), (200, 1, 0, 0));
    assert_eq!(without_token(trust, "on-status", &status), (200, 1, 0, 0));
    assert_eq!(without_token(trust, "notify", &death), (401, 0, 0, 1));
    // Where there is a token, it alone counts.
    let mut settings = settings();
    settings["trust_transaction_ids"] = json!(true);
    let _stage = testing::stage().settings(settings);
    for (token, came) in [("wrong", (401, 0)), ("right", (200, 1))] {
        let received = Spdci::receive(callback("on-search", token, &answer.to_string())).unwrap();
        let told = (received.response.status, received.answers.len());
        assert_eq!(told, came, "{token}");
    }
}
