//! A caller reads the life events of people whom it has linked.

use gateway_tests::gateway::TestGateway;
use gateway_tests::wait::until;
use registry_gateway::model::{Ability, Grant};
use serde_json::{Value, json};
use stand_in::records::{Happening, What};

use super::{end, link, records};

async fn read(gateway: &TestGateway, key: &str, query: &str) -> Value {
    let path = format!("/v1/events?{query}");
    gateway.get(&path).key(key).send().await.ok().json
}

/// Whose events they are, by the number of the first who is in them.
fn whose(page: &Value) -> Vec<&str> {
    let events = page["events"].as_array().unwrap().iter();
    let number = "/event/participants/0/person/identifiers/0/value";
    events
        .map(|it| it.pointer(number).unwrap().as_str().unwrap())
        .collect()
}

async fn tell(gateway: &TestGateway, happening: &Happening) {
    let id = gateway.stand_in.records().register(happening).unwrap();
    let told = gateway.post("/hooks/records/told", &json!({ "id": id }));
    assert_eq!(told.send().await.status, 204);
}

fn corrected(record: &str) -> Happening {
    Happening {
        what: What::Correction {
            record: record.to_owned(),
            change: json!({ "sex": "F" }),
            amends: None,
        },
        occurred: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_of_linked_people() {
    let mut gateway = TestGateway::builder()
        .registry("records", |_| records())
        .start()
        .await;
    let abilities = [Ability::Find, Ability::Events];
    let all = gateway.caller("all", &["records"], &abilities).await;
    let mine = Grant::of(&["records"], &abilities);
    gateway.key = gateway.granted("imis", mine).await;
    let put = |family: &str| {
        let content = json!({ "names": [{ "family": family }] });
        gateway.stand_in.records().put(&content)
    };
    let (ana, sita) = (put("Lima"), put("Devi"));
    for record in [&sita, &ana, &sita] {
        tell(&gateway, &corrected(record)).await;
    }
    until("all are there", async || {
        read(&gateway, &all, "").await["events"]
            .as_array()
            .unwrap()
            .len()
            == 3
    })
    .await;
    assert_eq!(whose(&read(&gateway, &all, "").await), [&sita, &ana, &sita]);
    // Nobody is linked: the reading goes past all of them.
    let key = gateway.key.clone();
    let nothing = read(&gateway, &key, "").await;
    assert_eq!(
        (whose(&nothing).len(), &nothing["next"]),
        (0, &nothing["newest"])
    );

    let asked = json!({
        "subject": "p-1", "registry": "records", "claimed": { "names": [{ "family": "Lima" }] },
        "identifiers": [{ "scheme": "record-id", "value": ana }],
    });
    let linked = link(&gateway, &asked).await.ok();
    let page = read(&gateway, &key, "limit=1").await;
    assert_eq!(whose(&page), [&ana]);
    // What it went past does not come again, and what is new does.
    let after = format!("after={}", nothing["next"].as_str().unwrap());
    assert_eq!(whose(&read(&gateway, &key, &after).await), [""; 0]);
    let waiting = format!("{after}&wait=30");
    let (page, ()) = tokio::join!(read(&gateway, &key, &waiting), async {
        tell(&gateway, &corrected(&sita)).await;
        tell(&gateway, &corrected(&ana)).await;
    });
    assert_eq!(whose(&page), [&ana]);
    let page = read(&gateway, &key, "").await;
    assert_eq!(
        (whose(&page), &page["next"]),
        (vec![ana.as_str(), &ana], &page["newest"])
    );
    // One at a time, in order, and the end is told.
    let first = read(&gateway, &key, "limit=1").await;
    let after = format!("after={}&limit=1", first["next"].as_str().unwrap());
    let second = read(&gateway, &key, &after).await;
    assert_eq!(whose(&second), [&ana]);
    assert_ne!(
        first["events"][0]["event"]["id"],
        second["events"][0]["event"]["id"]
    );

    // Far behind what is looked through in one go.
    let mut outside = gateway.outside().await;
    for statement in [
        "UPDATE events SET position = position + 50000",
        "UPDATE event_sequence SET last = last + 50000",
    ] {
        assert!(outside.run(statement).await > 0);
    }
    let page = read(&gateway, &key, "").await;
    assert_eq!((whose(&page).len(), &page["next"]), (2, &page["newest"]));

    let id = linked.json["links"][0]["id"].as_str().unwrap();
    assert_eq!(end(&gateway, id, "moved-away").await.status, 204);
    let page = read(&gateway, &key, "").await;
    assert_eq!((whose(&page).len(), &page["next"]), (0, &page["newest"]));
    assert_eq!(whose(&read(&gateway, &all, "").await).len(), 5);
}
