use axum::Router;
use axum::routing::post;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;
use crate::records::{Happening, Hook, Order, What};

/// A listener that hands on each callback's signature and body, and answers with these statuses
/// first.
async fn listener(statuses: &[u16]) -> (Hook, UnboundedReceiver<(String, String)>) {
    let (sender, receiver) = unbounded_channel();
    let statuses = Arc::new(std::sync::Mutex::new(statuses.to_vec()));
    let take = move |headers: HeaderMap, body: String| {
        let signature = headers["x-signature"].to_str().expect("text").to_owned();
        sender.send((signature, body)).expect("the test listens");
        let mut statuses = statuses.lock().expect("a lock");
        let status = if statuses.is_empty() {
            200
        } else {
            statuses.remove(0)
        };
        async move { axum::http::StatusCode::from_u16(status).expect("a status") }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new().route("/hooks/records/told", post(take));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let hook = Hook {
        url: format!("http://{address}/hooks/records/told")
            .parse()
            .expect("a URL"),
        secret: "told-to-nobody".into(),
    };
    (hook, receiver)
}

#[tokio::test]
async fn a_later_answer_is_told_by_the_hook_and_to_who_asks() {
    let (hook, mut told) = listener(&[]).await;
    let options = RecordsOptions {
        hook: Some(hook),
        ..RecordsOptions::default()
    };
    let asked = Asked::start(options).await;
    asked.registry.records().inject(Mishap::Later {
        after: Duration::from_secs(2),
        calls_back: true,
    });
    let taken = asked
        .write("k1", "POST /records", &ana())
        .await
        .expect("an answer");
    assert_eq!(taken, (202, json!({ "reference": "k1" })));
    assert_eq!(asked.get("/operations/k1").await.1["state"], "underway");
    assert_eq!(
        asked.write("k1", "POST /records", &ana()).await,
        Some(taken)
    );
    let (_, echo) = told.recv().await.expect("the echo");
    let echo: Value = serde_json::from_str(&echo).expect("JSON");
    assert_eq!(
        (&echo["kind"], &echo["causedBy"]),
        (&json!("created"), &json!("k1"))
    );
    let (_, answer) = told.recv().await.expect("the answer");
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(
        (&answer["type"], &answer["reference"]),
        (&json!("answer"), &json!("k1"))
    );
    assert_eq!(answer["body"]["id"], "R000001");
    let path = format!("/events/{}", answer["id"].as_str().expect("an id"));
    assert_eq!(asked.get(&path).await, (200, answer));
    assert_eq!(asked.get("/operations/k1").await.1["state"], "done");
    assert_eq!(asked.kinds(), ["create"]);
}

#[tokio::test]
async fn callbacks_are_signed_and_sent_until_they_are_taken() {
    let (hook, mut told) = listener(&[503, 500]).await;
    let asked = Asked::start(RecordsOptions::default()).await;
    let records = asked.registry.records();
    let id = records.put(&ana());
    records.set_hook(Some(hook.clone()));
    let event = records
        .register(&Happening::death(&id, "2026-05-01"))
        .expect("a death");
    let mut bodies = Vec::new();
    for _ in 0..3 {
        let (signature, body) = told.recv().await.expect("a callback");
        // Another library than the one that signed it.
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, hook.secret.as_bytes());
        let hex = |text: &str| {
            let pair = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex");
            (0..text.len()).step_by(2).map(pair).collect::<Vec<_>>()
        };
        ring::hmac::verify(&key, body.as_bytes(), &hex(&signature)).expect("its signature");
        bodies.push(body);
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    let body: Value = serde_json::from_str(&bodies[0]).expect("JSON");
    assert_eq!(body["id"], json!(event));
    assert_eq!(body["people"][0]["person"]["died"], "2026-05-01");
    assert_eq!(asked.kinds(), ["death"]);
}

#[tokio::test]
async fn what_was_kept_back_comes_in_another_order_and_twice() {
    let (hook, mut told) = listener(&[]).await;
    let asked = Asked::start(RecordsOptions::default()).await;
    let records = asked.registry.records();
    records.set_hook(Some(hook));
    records.hold();
    let birth = Happening {
        what: What::Birth {
            child: ana(),
            mother: None,
            father: None,
        },
        occurred: Some("2026-04-01".into()),
    };
    let born = records.register(&birth).expect("a birth");
    let correction = Happening {
        what: What::Correction {
            record: "R000001".into(),
            change: json!({ "sex": "M" }),
            amends: Some(born.clone()),
        },
        occurred: None,
    };
    let corrected = records.register(&correction).expect("a correction");
    records.release(Order::Reversed, 2);
    let mut ids = Vec::new();
    for _ in 0..4 {
        let body: Value = serde_json::from_str(&told.recv().await.expect("one").1).expect("JSON");
        ids.push(body["id"].as_str().expect("an id").to_owned());
    }
    assert_eq!(ids, [corrected.as_str(), &corrected, &born, &born]);
    let (_, page) = asked.get("/changes?after=0&limit=1").await;
    assert_eq!(
        (&page["events"][0]["id"], &page["more"]),
        (&json!(born), &json!(true))
    );
    let (_, page) = asked.get("/changes?after=1&limit=9").await;
    assert_eq!(
        (&page["events"][0]["id"], &page["more"]),
        (&json!(corrected), &json!(false))
    );
    assert_eq!(page["next"], 2);
    assert_eq!(asked.get("/changes?after=x").await.0, 422);
}

#[tokio::test]
async fn the_counter_takes_what_a_registrar_enters_over_http() {
    let asked = Asked::start(RecordsOptions::default()).await;
    let records = asked.registry.records();
    let (ana, other) = (records.put(&ana()), records.put(&ana()));
    let post = async |body: Value| {
        let response = asked.request("POST", "/events").json(&body).send().await;
        let response = response.expect("an answer");
        (
            response.status().as_u16(),
            response.json::<Value>().await.expect("JSON"),
        )
    };
    let wedding = json!({ "kind": "marriage", "spouse": ana, "other": other, "occurred": "2026" });
    let (status, told) = post(wedding).await;
    assert_eq!(status, 201);
    let event = records
        .told(told["id"].as_str().expect("an id"))
        .expect("an event");
    assert_eq!(event["people"].as_array().map(Vec::len), Some(2));
    for (body, status, code) in [
        (json!({ "kind": "birthday" }), 422, "kind.unknown"),
        (json!({ "kind": "death" }), 422, "value.missing"),
        (
            json!({ "kind": "death", "record": "R9" }),
            404,
            "record.unknown",
        ),
        (
            json!({ "kind": "death", "record": ana, "occurred": "soon" }),
            422,
            "value.invalid",
        ),
    ] {
        let refused = post(body).await;
        assert_eq!((refused.0, &refused.1["code"]), (status, &json!(code)));
    }
    assert_eq!(asked.kinds(), ["marriage", "marriage"]);
}
