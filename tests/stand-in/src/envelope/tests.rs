use serde_json::json;

use super::*;

fn request() -> Value {
    json!({
        "header": {
            "version": "1.0.0", "message_id": "m1", "message_ts": "2026-03-01T10:00:00+05:45",
            "action": "search", "sender_id": "openimis", "total_count": 1,
        },
        "message": {
            "transaction_id": "t1",
            "search_request": [{
                "reference_id": "r1", "timestamp": "2026-03-01T10:00:00Z", "locale": "eng",
                "search_criteria": { "query_type": "idtype-value" },
            }],
        },
    })
}

/// The code that answers the request with the value at `path` replaced, or taken away.
fn code(path: &str, value: Option<Value>) -> String {
    let mut whole = request();
    let (parent, name) = path.rsplit_once('/').expect("a path");
    let parent = whole
        .pointer_mut(parent)
        .and_then(Value::as_object_mut)
        .expect("an object");
    match value {
        Some(value) => parent.insert(name.to_owned(), value),
        None => parent.remove(name),
    };
    match read(whole.to_string().as_bytes(), "search") {
        Err(Refusal::Bad(reject) | Refusal::Header { reject, .. }) => reject.code,
        Ok(envelope) => match &envelope.items[0].criteria {
            Err(reject) => reject.code.clone(),
            Ok(_) => "accepted".into(),
        },
    }
}

#[test]
fn a_request_in_order_is_accepted() {
    let envelope = read(request().to_string().as_bytes(), "search").expect("in order");
    assert_eq!(
        (
            envelope.sender_id.as_str(),
            envelope.transaction_id.as_str()
        ),
        ("openimis", "t1")
    );
    assert_eq!(envelope.items[0].reference_id, "r1");
    assert_eq!(code("/header/version", None), "accepted");
}

#[test]
fn each_field_out_of_order_has_its_code() {
    let long = "x".repeat(100);
    for (path, value, expected) in [
        (
            "/header/version",
            Some(json!("2.0.0")),
            "rjct.version.invalid",
        ),
        ("/header/message_id", None, "err.request.bad"),
        ("/header/message_ts", None, "rjct.message_ts.invalid"),
        (
            "/header/message_ts",
            Some(json!("2026-03-01")),
            "rjct.message_ts.invalid",
        ),
        (
            "/header/message_ts",
            Some(json!("2026-03-01T10:00:00")),
            "rjct.message_ts.invalid",
        ),
        (
            "/header/message_ts",
            Some(json!("2026-03-01 10:00:00Z")),
            "rjct.message_ts.invalid",
        ),
        ("/header/action", Some(json!("seek")), "rjct.action.invalid"),
        (
            "/header/action",
            Some(json!("subscribe")),
            "rjct.action.not_supported",
        ),
        ("/header/sender_id", None, "err.sender_id.invalid"),
        (
            "/header/sender_uri",
            Some(json!("")),
            "err.sender_uri.invalid",
        ),
        (
            "/header/sender_uri",
            Some(json!("https://a.example/b")),
            "accepted",
        ),
        (
            "/header/receiver_id",
            Some(json!(7)),
            "err.receiver_id.invalid",
        ),
        (
            "/header/total_count",
            Some(json!("1")),
            "rjct.total_count.invalid",
        ),
        (
            "/header/total_count",
            Some(json!(2)),
            "rjct.total_count.invalid",
        ),
        (
            "/header/is_msg_encrypted",
            Some(json!(true)),
            "err.encryption.invalid",
        ),
        ("/header/meta", Some(json!("")), "err.request.bad"),
        ("/signature", Some(json!({})), "err.request.bad"),
        ("/message/transaction_id", None, "err.request.bad"),
        (
            "/message/transaction_id",
            Some(json!(long)),
            "err.request.bad",
        ),
        (
            "/message/search_request",
            Some(json!({})),
            "err.request.bad",
        ),
        (
            "/message/search_request",
            Some(json!([])),
            "rjct.total_count.invalid",
        ),
        (
            "/message/search_request/0/reference_id",
            None,
            "rjct.reference_id.invalid",
        ),
        (
            "/message/search_request/0/timestamp",
            None,
            "rjct.timestamp.invalid",
        ),
        (
            "/message/search_request/0/locale",
            Some(json!("EN/GB")),
            "rjct.search_criteria.invalid",
        ),
        (
            "/message/search_request/0/search_criteria",
            None,
            "rjct.search_criteria.invalid",
        ),
    ] {
        assert_eq!(code(path, value.clone()), expected, "{path} {value:?}");
    }
}

#[test]
fn a_reference_used_twice_is_rejected_alone() {
    let mut whole = request();
    whole["header"]["total_count"] = json!(2);
    let first = whole["message"]["search_request"][0].clone();
    whole["message"]["search_request"] = json!([first, first]);
    let envelope = read(whole.to_string().as_bytes(), "search").expect("the first is in order");
    assert!(envelope.items[0].criteria.is_ok());
    let code = envelope.items[1]
        .criteria
        .as_ref()
        .map_err(|reject| reject.code.as_str());
    assert_eq!(code.err(), Some("rjct.reference_id.duplicate"));
}

#[test]
fn too_many_searches_and_no_json_are_refused() {
    let mut whole = request();
    let first = whole["message"]["search_request"][0].clone();
    whole["message"]["search_request"] = json!(vec![first; 101]);
    let refusal = read(whole.to_string().as_bytes(), "search").expect_err("too many");
    assert!(
        matches!(refusal, Refusal::Header { reject, .. } if reject.code.ends_with("limit_exceeded"))
    );
    assert!(matches!(read(b"{", "search"), Err(Refusal::Bad(_))));
    assert!(matches!(read(b"[]", "search"), Err(Refusal::Bad(_))));
}
