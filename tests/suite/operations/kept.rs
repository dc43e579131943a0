//! What is kept of people with operations: for how long, and by which key.

use gateway_tests::ask::{Ask, identifiers};
use gateway_tests::components;
use gateway_tests::gateway::{RegistryText, TestGateway};
use gateway_tests::wait::until;
use registry_gateway::config::Config;
use registry_gateway::config::webhooks::HostPattern;
use registry_gateway::model::{Ability, Role};
use registry_gateway::serve;
use registry_gateway::store::{SealedRow, Store};
use serde_json::json;
use uuid::Uuid;

use super::{Writing, id, quick, states};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_asked_goes_and_where_it_stood_stays() {
    let writing = Writing::of(|builder| {
        builder.config(|config| {
            quick(config);
            config.operations.keep_bodies_days = 2.try_into().unwrap();
        })
    });
    let writing = writing.await;
    let body = writing.body("p-1", "male");
    let old = id(&writing.send("k-1", &body).await.json);
    writing.reaches(&old, &["applied"]).await;
    let young = id(&writing.write("k-2", "female", &["applied"]).await);
    let mut outside = writing.gateway.outside().await;
    for (id, days) in [(&old, 3_i64), (&young, 1)] {
        let ago = days * 24 * 60 * 60 * 1_000_000;
        let older =
            format!("UPDATE operations SET changed_at = changed_at - {ago} WHERE id = '{id}'");
        assert_eq!(outside.run(&older).await, 1);
    }
    let gateway = &writing.gateway.serving.gateway;
    assert_eq!(gateway.purge_operations().await.unwrap(), 1);
    assert_eq!(gateway.purge_operations().await.unwrap(), 0);
    let purged = writing.shown(&old).await;
    assert!(purged.get("receipt").is_none(), "{purged:#}");
    assert_eq!(states(&purged), ["accepted", "delivering", "applied"]);
    assert!(writing.shown(&young).await["receipt"].is_object());
    // It is still the same write.
    let again = writing.send("k-1", &body).await;
    assert_eq!((again.status, id(&again.json)), (200, old));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_key_takes_the_place_of_the_old() {
    let writing = Writing::start().await;
    let done = id(&writing.write("k-1", "male", &["applied"]).await);
    let gateway = &writing.gateway;
    let old = std::fs::read_to_string(gateway.data_dir().join("bodies.key")).unwrap();
    gateway.put_secret("bodies-1.key", &old);
    gateway.put_secret(
        "bodies-2.key",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
    );
    let with = |text: &str| {
        let mut config = gateway.config.clone();
        config.bodies = toml::from_str(text).unwrap();
        config
    };
    let alone = with("key = 'file:bodies-2.key'");
    let both = with("key = 'file:bodies-2.key'\nprevious_keys = ['file:bodies-1.key']");
    let report = serve::check(&alone).await;
    assert!(
        report
            .problems
            .iter()
            .any(|it| it.starts_with("bodies.key")),
        "{report:?}"
    );
    let report = serve::check(&both).await;
    assert_eq!(report.problems, [""; 0]);

    let rotated = serve::start(&both).await.unwrap();
    let receipt = async |address| {
        let url = format!("http://{address}/v1/operations/{done}");
        let shown = Ask::get(url).key(&gateway.key).send().await.ok();
        shown.json["receipt"]["outcome"].clone()
    };
    assert_eq!(receipt(rotated.address).await, json!("applied"));
    // By then it can be read without the old one.
    until("it is sealed anew", async || {
        serve::start(&alone).await.is_ok()
    })
    .await;
    let alone = serve::start(&alone).await.unwrap();
    assert_eq!(receipt(alone.address).await, json!("applied"));
}

/// A link, a webhook's secret and a registry's cursor: none of them goes by its age.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_for_good_is_sealed_by_the_new_key_too() {
    let telling = components::component("telling-guest");
    let vital = |_| RegistryText::bare(telling).set("events.poll_ms", 1_000);
    let webhooks = |config: &mut Config| {
        let host = HostPattern::try_from("imis.example.org".to_owned());
        config.webhooks.allow_hosts = vec![host.unwrap()];
    };
    let builder = TestGateway::builder().config(webhooks);
    let gateway = builder.registry("vital", vital).start().await;
    let reader = gateway.caller("imis", &["vital"], &[Ability::Events]);
    let reader = reader.await;
    let uin = gateway.person(3).uin;
    let found = gateway.find("civil", &uin).send().await.ok().json;
    let body = json!({
        "subject": "p-1", "registry": "civil", "identifiers": identifiers(&uin),
        "claimed": {
            "names": found["person"]["names"], "birthDate": found["person"]["birthDate"]["value"],
        },
    });
    gateway.post("/v1/links", &body).send().await.ok();
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    let body = json!({
        "name": "imis", "caller": "imis", "url": "https://imis.example.org/", "purpose": "claims",
    });
    let added = gateway.post("/admin/v1/webhooks", &body).key(&admin);
    let added = added.send().await;
    assert_eq!(added.status, 201, "{}", added.text);
    until("all changes", async || {
        let read = gateway.get("/v1/events").key(&reader).send().await.ok();
        read.json["events"].as_array().map(Vec::len) == Some(5)
    })
    .await;

    let old = std::fs::read_to_string(gateway.data_dir().join("bodies.key")).unwrap();
    gateway.put_secret("bodies-1.key", &old);
    gateway.put_secret(
        "bodies-2.key",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
    );
    let store = gateway.store().await;
    let before = sealed(&store).await;
    assert_eq!(before.len(), 3, "{before:?}");
    // The first byte is the form, and the next four say which key it was.
    let key_of = |sealed: &SealedRow| sealed.sealed[1..5].to_vec();
    let old = key_of(&before[0]);
    assert!(before.iter().all(|row| key_of(row) == old));
    let mut config = gateway.config.clone();
    let keys = "key = 'file:bodies-2.key'\nprevious_keys = ['file:bodies-1.key']";
    config.bodies = toml::from_str(keys).unwrap();
    let rotated = serve::start(&config).await.unwrap();
    until("all is sealed anew", async || {
        sealed(&store).await.iter().all(|row| key_of(row) != old)
    })
    .await;
    let after = sealed(&store).await;
    let places = |rows: &[SealedRow]| rows.iter().map(|row| row.place.clone()).collect::<Vec<_>>();
    assert_eq!(places(&before), places(&after));
    store.close().await;
    // They say what they said.
    let url = format!("http://{}/v1/links/search", rotated.address);
    let search = Ask::post(url).json(&json!({ "subject": "p-1" }));
    let search = search.key(&gateway.key).header("registry-purpose", "suite");
    let found = search.send().await.ok();
    assert_eq!(found.json["links"][0]["value"], json!(uin));
    assert_eq!(rotated.gateway.reseal_rows().await.unwrap(), 0);
}

async fn sealed(store: &Store) -> Vec<SealedRow> {
    let rows = store.sealed_rows();
    let mut all = rows.few().await.unwrap();
    all.extend(rows.links(Uuid::nil(), 10).await.unwrap());
    all
}
