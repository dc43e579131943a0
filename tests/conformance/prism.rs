//! Requests against the official specifications: `prism mock` checks every one that the adapter
//! sends.

use serde_json::{Value, json};

use crate::fixtures;
use crate::gateway::{Registry, Served};
use crate::peer::Peer;
use crate::recorder::{Exchange, Recorder};

const SOCIAL: &str = "spec-openspp/social_api_v1.0.0.yaml";
const CIVIL: &str = "spec-openspp/crvs_api_v1.0.0.yaml";
const PATH: &str = "/registry/sync/search";

fn by(value: &str) -> Value {
    json!({ "identifiers": [{ "scheme": "national-id", "value": value }] })
}

fn claims(value: &str, birth_date: &str) -> Value {
    let mut question = by(value);
    question["claimed"] = json!({ "birthDate": birth_date });
    question
}

fn settings(registry_type: &str, identifier_type: &str, find: &str, search: &str) -> Value {
    json!({
        "registry_type": registry_type, "sender_id": "openimis.example.org",
        "sender_uri": "https://openimis.example.org/on-search", "receiver_id": "registry.example.org",
        "identifier_types": { "national-id": identifier_type },
        "find_query": find, "search_query": search,
    })
}

/// Everything that a search can say in SPDCI.
fn search() -> Value {
    json!({
        "criteria": [
            { "field": "name.family", "equals": "Smith" },
            { "field": "sex", "anyOf": ["female", "male"] },
            { "field": "birth-date", "range": { "from": "1980-01-01", "to": "1990-12-31" } },
        ],
        "sort": [{ "field": "birth-date", "descending": true }],
        "pageSize": 5,
    })
}

/// How a look-up can be written, and how a search beside it.
const QUERIES: [(&str, &str); 3] = [
    ("idtype-value", "predicate"),
    ("predicate", "predicate"),
    ("expression", "expression"),
];

/// Holds requests to the specification, and tells how many there were.
#[track_caller]
fn conforming(exchanges: &[Exchange], query_type: &str) -> usize {
    for exchange in exchanges {
        assert_eq!(
            exchange.violations,
            [] as [Value; 0],
            "{}",
            exchange.request
        );
        assert_eq!(exchange.status, 200);
        assert_eq!(exchange.criteria()["query_type"], query_type);
        assert_eq!(
            exchange.criteria()["consent"]["purpose"]["code"],
            "consent-1"
        );
        assert_eq!(exchange.criteria()["authorize"]["purpose"]["code"], "act-7");
    }
    exchanges.len()
}

/// The specification's example is a group of four, in which Bob's number is the only one that no
/// other member carries as well.
#[tokio::test(flavor = "multi_thread")]
async fn no_request_to_a_social_registry_violates_the_specification() {
    let Some(document) = fixtures::spdci(SOCIAL) else {
        return;
    };
    let prism = Peer::prism(&document);
    for (find, searching) in QUERIES {
        let recorder = Recorder::echoing(&prism.url).await;
        let gateway = Served::start(Registry {
            url: &recorder.url,
            settings: settings("Social", "NationalID", find, searching),
            with_token: true,
        })
        .await;

        let found = gateway.call("find", by("1234567890")).await;
        assert_eq!(conforming(&recorder.take(), find), 1);
        assert_eq!(found.status, 200, "{}", found.body);
        assert_eq!(found.body["person"]["names"][0]["given"], json!(["Bob"]));

        let household = gateway.call("household", by("G9876543210")).await;
        assert_eq!(conforming(&recorder.take(), find), 1);
        assert_eq!(household.status, 200, "{}", household.body);
        let members = &household.body["household"]["members"];
        assert_eq!(members.as_array().unwrap().len(), 4);

        let verified = gateway
            .call("verify", claims("1234567890", "1982-03-15"))
            .await;
        assert_eq!(conforming(&recorder.take(), find), 1);
        assert_eq!(verified.body["verification"]["overall"], "match");

        // The example answers with a group, which is nobody that a search is for.
        let searched = gateway.call("search", search()).await;
        assert_eq!(conforming(&recorder.take(), searching), 1);
        assert_eq!(
            searched.problem(),
            (502, "registry-unreadable", "answer.record_type")
        );
        gateway.stop().await;
    }
}

/// The specification's example is Elena, with the numbers of two parents.
#[tokio::test(flavor = "multi_thread")]
async fn no_request_to_a_civil_registry_violates_the_specification() {
    let Some(document) = fixtures::spdci(CIVIL) else {
        return;
    };
    let prism = Peer::prism(&document);
    for (find, searching) in QUERIES {
        let recorder = Recorder::echoing(&prism.url).await;
        let gateway = Served::start(Registry {
            url: &recorder.url,
            settings: settings("Civil", "UIN", find, searching),
            with_token: true,
        })
        .await;

        let found = gateway.call("find", by("197382465")).await;
        assert_eq!(conforming(&recorder.take(), find), 1);
        assert_eq!(found.status, 200, "{}", found.body);
        assert_eq!(found.body["person"]["names"][0]["family"], "Martinez");

        // The person and both parents; the mock answers with the child where a parent is asked for.
        let household = gateway.call("household", by("197382465")).await;
        assert_eq!(conforming(&recorder.take(), find), 3);
        assert_eq!(
            household.problem(),
            (502, "registry-unreadable", "answer.mismatch")
        );

        let verified = gateway
            .call("verify", claims("197382465", "1980-03-23"))
            .await;
        assert_eq!(conforming(&recorder.take(), find), 1);
        assert_eq!(verified.body["verification"]["overall"], "match");

        let searched = gateway.call("search", search()).await;
        assert_eq!(conforming(&recorder.take(), searching), 1);
        assert_eq!(searched.status, 200, "{}", searched.body);
        assert_eq!(searched.body["candidates"].as_array().unwrap().len(), 1);
        gateway.stop().await;
    }
}

/// Prism's answer as it is: to another question. And the two ways in which a request can be wrong
/// are seen where the tests above look for them. Of the two specifications only the social one asks
/// for a credential.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_seen() {
    let Some(document) = fixtures::spdci(SOCIAL) else {
        return;
    };
    let prism = Peer::prism(&document);
    let recorder = Recorder::before(&prism.url).await;
    let registry = |with_token| Registry {
        url: &recorder.url,
        settings: settings("Social", "NationalID", "idtype-value", "predicate"),
        with_token,
    };
    let gateway = Served::start(registry(true)).await;
    let found = gateway.call("find", by("1234567890")).await;
    let sent = recorder.take();
    assert_eq!(conforming(&sent, "idtype-value"), 1);
    assert_eq!(
        found.problem(),
        (502, "registry-unreadable", "answer.mismatch")
    );
    gateway.stop().await;

    let mut broken = sent[0].request.clone();
    broken["header"].as_object_mut().unwrap().remove("action");
    broken["header"]["total_count"] = json!("1");
    let client = crate::gateway::client();
    let request = client.post(format!("{}{PATH}", recorder.url));
    let request = request.bearer_auth("any").json(&broken);
    assert_eq!(request.send().await.unwrap().status(), 422);
    let [seen] = recorder.take().try_into().expect("one request");
    assert_eq!(seen.status, 422);
    let codes: Vec<&Value> = seen.violations.iter().map(|one| &one["code"]).collect();
    assert_eq!(codes, ["required", "type"]);

    let gateway = Served::start(registry(false)).await;
    let refused = gateway.call("find", by("1234567890")).await;
    let [seen] = recorder.take().try_into().expect("one request");
    assert_eq!((seen.status, seen.violations.len()), (401, 1));
    assert_eq!(refused.problem().1, "denied");
    gateway.stop().await;
}
