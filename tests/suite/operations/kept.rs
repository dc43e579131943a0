//! What is kept of people with operations: for how long, and by which key.

use gateway_tests::ask::Ask;
use gateway_tests::wait::until;
use registry_gateway::serve;
use serde_json::json;

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
