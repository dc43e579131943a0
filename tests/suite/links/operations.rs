//! What a registry did of an operation ties its number to the operation's subject.

use gateway_tests::gateway::TestGateway;
use registry_gateway::model::{Ability, Role};
use serde_json::{Value, json};

use super::{records, search};

async fn written(gateway: &TestGateway, key: &str, body: &Value) -> Value {
    let ask = gateway.post("/v1/registries/records/operations", body);
    let ask = ask
        .header("idempotency-key", key)
        .header("prefer", "wait=30");
    let done = ask.send().await.ok();
    assert_eq!(done.json["state"], "applied", "{}", done.text);
    done.json
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_applied_is_linked() {
    let mut gateway = TestGateway::builder()
        .registry("records", |_| {
            records().set("policy.link_evidence", number_alone())
        })
        .start()
        .await;
    gateway.key = gateway.caller("imis", &["records"], &Ability::ALL).await;
    let create = json!({ "subject": "p-1", "create": { "person": {
        "names": [{ "family": "Lima", "given": ["Ana"] }], "birthDate": "1990-05-20",
    }}});
    let created = written(&gateway, "k-1", &create).await;
    let number = &created["receipt"]["identifiers"][0];
    let links = search(&gateway, json!({ "subject": "p-1" })).await;
    assert_eq!(links.len(), 1, "{links:?}");
    assert_eq!(
        (&links[0]["value"], &links[0]["scheme"]),
        (&number["value"], &json!("record-id"))
    );
    let by = &links[0]["by"];
    assert_eq!(
        (&by["ability"], &by["operation"]),
        (&json!("create"), &created["id"])
    );
    assert_eq!(by["module"], created["module"]);

    let tie = |subject: &str, record: &str| {
        json!({ "subject": subject, "link": {
            "identifiers": [{ "scheme": "record-id", "value": record }], "change": "add",
            "linked": { "scheme": "openimis", "value": subject },
        }})
    };
    let record = gateway
        .stand_in
        .records()
        .put(&json!({ "names": [{ "family": "Devi" }] }));
    let linked = written(&gateway, "k-2", &tie("p-2", &record)).await;
    let links = search(&gateway, json!({ "subject": "p-2" })).await;
    assert_eq!(links.len(), 1, "{links:?}");
    assert_eq!(
        (&links[0]["value"], &links[0]["by"]["operation"]),
        (&json!(record), &linked["id"])
    );

    // The registry did it; that the number is another's here is in the history.
    let other = written(&gateway, "k-3", &tie("p-3", &record)).await;
    let last = other["history"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["state"], &last["reason"]),
        (&json!("applied"), &json!("linked-otherwise"))
    );
    assert!(
        search(&gateway, json!({ "subject": "p-3" }))
            .await
            .is_empty()
    );
    let number = json!({ "scheme": "record-id", "value": record });
    let links = search(
        &gateway,
        json!({ "registry": "records", "identifier": number }),
    )
    .await;
    assert_eq!(links[0]["subject"], "p-2");
    // Nothing is tied by what only changes somebody.
    let update = json!({ "subject": "p-4", "update": {
        "identifiers": [{ "scheme": "record-id", "value": record }],
        "person": { "sex": "female" }, "mask": ["sex"],
    }});
    written(&gateway, "k-4", &update).await;
    assert!(
        search(&gateway, json!({ "subject": "p-4" }))
            .await
            .is_empty()
    );
}

fn number_alone() -> toml::Value {
    toml::Value::Array(vec![toml::Value::Array(Vec::new())])
}

/// Who knows a number and nothing else is tied to nobody by telling the registry another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_alone_ties_nobody() {
    let mut gateway = TestGateway::builder()
        .registry("records", |_| records())
        .start()
        .await;
    gateway.key = gateway.caller("imis", &["records"], &Ability::ALL).await;
    let person = json!({ "names": [{ "family": "Devi" }] });
    let record = gateway.stand_in.records().put(&person);
    let link = json!({ "subject": "p-1", "link": {
        "identifiers": [{ "scheme": "record-id", "value": record }], "change": "add",
        "linked": { "scheme": "openimis", "value": "p-1" },
    }});
    let linked = written(&gateway, "k-1", &link).await;
    assert_eq!(linked["state"], "applied");
    let links = search(&gateway, json!({ "subject": "p-1" })).await;
    assert!(links.is_empty(), "{links:?}");
}

/// What its policy hides of who is linked stays hidden when a registry is out of use.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_registry_shows_no_more_of_its_links() {
    for (fields, shows) in [(vec!["names"], false), (vec!["identifiers"], true)] {
        let mut gateway = TestGateway::builder()
            .registry("records", |_| {
                records()
                    .set("policy.link_evidence", number_alone())
                    .set("policy.fields", fields)
            })
            .start()
            .await;
        let ada = gateway.staff("ada", &[Role::Administrator]).await;
        gateway.key = gateway.caller("imis", &["records"], &Ability::ALL).await;
        let create = json!({ "subject": "p-1", "create": { "person": {
            "names": [{ "family": "Lima", "given": ["Ana"] }], "birthDate": "1990-05-20",
        }}});
        written(&gateway, "k-1", &create).await;
        let before = search(&gateway, json!({ "subject": "p-1" })).await;
        let path = "/admin/v1/registries/records/disable";
        let disabled = gateway.post(path, &json!({})).key(&ada).send().await;
        assert!(disabled.status < 300, "{}", disabled.text);
        let out_of_use = search(&gateway, json!({ "subject": "p-1" })).await;
        for links in [&before, &out_of_use] {
            assert_eq!(links.len(), 1, "{links:?}");
            assert_eq!(links[0]["value"].is_string(), shows, "{links:?}");
            assert_eq!(links[0]["subject"], "p-1");
        }
    }
}
