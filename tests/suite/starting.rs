//! Between listening and being ready.

use gateway_tests::ask::Ask;
use gateway_tests::gateway::{TestGateway, identifiers};
use registry_gateway::egress::Egress;
use registry_gateway::gateway::Gateway;
use registry_gateway::sandbox::Sandbox;
use registry_gateway::serve::Parts;
use registry_gateway::{api, serve};
use serde_json::json;

/// A second gateway on the first one's data, that has not loaded it yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_alive_before_it_is_ready() {
    let first = TestGateway::start().await;
    let Parts { store, secrets, .. } = serve::open(&first.config).await.unwrap();
    let sandbox = Sandbox::new(&first.config.sandbox, first.data_dir()).unwrap();
    let made = Gateway::new(
        store,
        sandbox,
        Egress::new(),
        secrets,
        serve::sections(&first.config),
    );
    let gateway = made.await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = api::router(gateway.clone(), &first.config.api);
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });

    let get = |path: &str| Ask::get(format!("{base}{path}"));
    let find = || {
        let body = json!({ "identifiers": identifiers(&first.person(3).uin) });
        Ask::post(format!("{base}/v1/registries/civil/find"))
            .json(&body)
            .key(&first.key)
            .header("registry-purpose", "suite")
    };
    assert_eq!(get("/healthz").send().await.status, 200);
    let not_yet = get("/readyz").send().await;
    assert_eq!((not_yet.status, not_yet.code()), (503, "not-ready"));
    assert!(not_yet.text.contains("being loaded"), "{}", not_yet.text);
    // A right key is not called wrong, and a registry that is there not unknown.
    let early = find().send().await;
    assert_eq!((early.status, early.code()), (503, "starting"));
    assert_eq!(early.header("retry-after"), "1");
    assert_eq!(first.stand_in.requests(), 0);
    let figures = get("/metrics").send().await.ok().text;
    assert!(figures.contains("registry_gateway_registries{state=\"ready\"} 0"));

    gateway.load().await.unwrap();
    assert_eq!(get("/readyz").send().await.status, 200);
    assert_eq!(find().send().await.status, 200);

    gateway.stopping();
    assert_eq!(get("/healthz").send().await.status, 200);
    let no_more = get("/readyz").send().await;
    assert!(no_more.status == 503 && no_more.text.contains("stopping"));
    assert_eq!(find().send().await.status, 200, "still answered");
    serving.abort();
}
