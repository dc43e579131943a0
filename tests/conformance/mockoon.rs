//! The official mock of a social registry. It has one answer to everything: the group of Alice, Bob,
//! Charlie and Daisy.

use serde_json::{Value, json};

use crate::fixtures;
use crate::gateway::{Registry, Served};
use crate::peer::Peer;
use crate::recorder::Recorder;

const DATA: &str = "mockoon/mockoon-sr.json";

fn by(scheme: &str, value: &str) -> Value {
    json!({ "identifiers": [{ "scheme": scheme, "value": value }] })
}

async fn serve(url: &str) -> Served {
    Served::start(Registry {
        url,
        settings: json!({
            "registry_type": "Social", "sender_id": "openimis", "path": "/sr/sync/search",
            "identifier_types": { "national-id": "NationalID", "uin": "UIN" },
        }),
        with_token: false,
    })
    .await
}

fn search() -> Value {
    json!({ "criteria": [{ "field": "name.family", "equals": "Smith" }] })
}

/// As it is, the mock answers a question that nobody asked: its `transaction_id` is 123456789.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_another_question_is_refused() {
    let Some(data) = fixtures::spdci(DATA) else {
        return;
    };
    let mock = Peer::mockoon(&data);
    let recorder = Recorder::before(&mock.url).await;
    let gateway = serve(&recorder.url).await;
    let mut claims = by("national-id", "1234567890");
    claims["claimed"] = json!({ "birthDate": "1982-03-15" });
    for (verb, question) in [
        ("find", by("national-id", "1234567890")),
        ("household", by("national-id", "G9876543210")),
        ("search", search()),
        ("verify", claims),
    ] {
        let answer = gateway.call(verb, question).await;
        assert_eq!(
            answer.problem(),
            (502, "registry-unreadable", "answer.mismatch"),
            "{verb}"
        );
        assert_eq!(recorder.take()[0].status, 200);
    }
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_mock_gives_people_a_household_or_a_typed_failure() {
    let Some(data) = fixtures::spdci(DATA) else {
        return;
    };
    let mock = Peer::mockoon(&data);
    let recorder = Recorder::echoing(&mock.url).await;
    let gateway = serve(&recorder.url).await;

    let found = gateway.call("find", by("national-id", "1234567890")).await;
    assert_eq!(found.status, 200, "{}", found.body);
    let person = &found.body["person"];
    assert_eq!(person["names"][0]["family"], "Smith");
    assert_eq!(person["names"][0]["given"], json!(["Bob"]));
    assert_eq!(person["sex"], "male");

    let household = gateway
        .call("household", by("national-id", "G9876543210"))
        .await;
    assert_eq!(household.status, 200, "{}", household.body);
    let household = &household.body["household"];
    assert_eq!(household["kind"], "household");
    assert_eq!(household["members"], json!([0, 1, 2, 3]));
    let given: Vec<&Value> = household["people"]
        .as_array()
        .unwrap()
        .iter()
        .map(|person| &person["names"][0]["given"][0])
        .collect();
    assert_eq!(given, ["Alice", "Bob", "Charlie", "Daisy"]);
    let head = usize::try_from(household["head"].as_u64().unwrap()).unwrap();
    assert_eq!(given[head], "Alice");

    // Alice's number stands in the record of Charlie as well, as his member number.
    let several = gateway.call("find", by("national-id", "9876543210")).await;
    assert_eq!(several.problem(), (409, "ambiguous", "answer.several"));

    let stranger = gateway.call("find", by("national-id", "847951632")).await;
    assert_eq!(
        stranger.problem(),
        (502, "registry-unreadable", "answer.mismatch")
    );

    // A group, where people were asked for.
    let searched = gateway.call("search", search()).await;
    assert_eq!(
        searched.problem(),
        (502, "registry-unreadable", "answer.record_type")
    );
    assert_eq!(recorder.take().len(), 5);
    gateway.stop().await;
}
