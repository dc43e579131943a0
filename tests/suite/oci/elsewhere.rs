//! A registry of three hosts: its own, one that makes tokens, one that has the blobs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use gateway_tests::crafted::Crafted;
use gateway_tests::gateway::TestGateway;
use registry_gateway::config::admission::OciConfig;
use registry_gateway::config::endpoint::EndpointConfig;
use registry_gateway::sandbox::digest_of;
use serde_json::json;

use super::{MANIFEST, WASM, WASM_CONFIG, finding, pull};

/// `puller:open sesame`.
const LOGIN: &str = "Basic cHVsbGVyOm9wZW4gc2VzYW1l";
const TOKEN: &str = "Bearer a.good.token";
const SIGNED: &str = "X-Sig=a%2Fb%2Bc&X-At=1";

/// What the three hosts have and have seen.
#[derive(Default)]
struct Told {
    manifest: Vec<u8>,
    blob: Mutex<Vec<u8>>,
    hosts: Mutex<[String; 3]>,
    /// Where it sends for a token, and for blobs, where that is not what it should be.
    realm: Mutex<Option<String>>,
    place: Mutex<Option<String>>,
    seen: Mutex<Vec<String>>,
}

struct Hosts {
    told: Arc<Told>,
    reference: String,
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    host
}

impl Told {
    fn see(&self, who: &str, headers: &HeaderMap) {
        let shown = headers.get(header::AUTHORIZATION);
        let shown = shown.map_or("nothing", |value| value.to_str().unwrap());
        self.seen.lock().unwrap().push(format!("{who}: {shown}"));
    }

    fn host(&self, index: usize) -> String {
        self.hosts.lock().unwrap()[index].clone()
    }
}

async fn registry(State(told): State<Arc<Told>>, headers: HeaderMap, uri: Uri) -> Response {
    told.see("registry", &headers);
    if headers
        .get(header::AUTHORIZATION)
        .is_none_or(|it| it != TOKEN)
    {
        let realm = told.realm.lock().unwrap().clone();
        let realm = realm.unwrap_or_else(|| format!("http://{}/token?of=it", told.host(1)));
        let asks = format!("Bearer realm=\"{realm}\",service=\"r\",scope=\"registry:*:push\"");
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, asks)]).into_response();
    }
    if uri.path().contains("/manifests/") {
        return told.manifest.clone().into_response();
    }
    let place = told.place.lock().unwrap().clone();
    let place = place.unwrap_or_else(|| format!("http://{}/b/1?{SIGNED}", told.host(2)));
    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, place)]).into_response()
}

async fn token(State(told): State<Arc<Told>>, headers: HeaderMap, uri: Uri) -> Response {
    told.see("token", &headers);
    let asked = format!("http://token/?{}", uri.query().unwrap_or_default());
    let asked = reqwest::Url::parse(&asked).unwrap();
    let asked: BTreeMap<String, String> = asked.query_pairs().into_owned().collect();
    let expected = [
        ("of", "it"),
        ("service", "r"),
        ("scope", "repository:team/a:pull"),
    ];
    let right = expected.iter().all(|(name, value)| asked[*name] == *value) && asked.len() == 3;
    match right
        && headers
            .get(header::AUTHORIZATION)
            .is_some_and(|it| it == LOGIN)
    {
        true => json!({ "token": "a.good.token", "expires_in": 60 })
            .to_string()
            .into_response(),
        false => StatusCode::UNAUTHORIZED.into_response(),
    }
}

async fn blob(State(told): State<Arc<Told>>, headers: HeaderMap, uri: Uri) -> Response {
    told.see("blob", &headers);
    match uri.query() {
        Some(SIGNED) => told.blob.lock().unwrap().clone().into_response(),
        _ => StatusCode::FORBIDDEN.into_response(),
    }
}

impl Hosts {
    async fn start() -> Self {
        let bytes = Crafted::adapter().build();
        let layer = json!({ "mediaType": WASM, "digest": digest_of(&bytes), "size": bytes.len() });
        let config = json!({ "mediaType": WASM_CONFIG, "digest": digest_of(b"{}"), "size": 2 });
        let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config,
            "layers": [layer] });
        let told = Arc::new(Told {
            manifest: serde_json::to_vec(&manifest).unwrap(),
            blob: Mutex::new(bytes),
            ..Told::default()
        });
        let of = |router: Router<Arc<Told>>| serve(router.with_state(told.clone()));
        let hosts = [
            of(Router::new().fallback(registry)).await,
            of(Router::new().fallback(token)).await,
            of(Router::new().fallback(blob)).await,
        ];
        let digest = digest_of(&told.manifest);
        let reference = format!("oci://{}/team/a@{digest}", hosts[0]);
        *told.hosts.lock().unwrap() = hosts;
        Self { told, reference }
    }

    async fn gateway(&self, change: impl FnOnce(&mut OciConfig)) -> TestGateway {
        let host = self.told.host(0);
        let mut endpoint = EndpointConfig::new(format!("http://{host}/"));
        endpoint.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
        let basic = json!({ "kind": "basic", "user": "puller", "password": "file:oci" });
        endpoint.credential = serde_json::from_value(basic).unwrap();
        let mut config = OciConfig::from(endpoint);
        config.token_hosts = vec![self.told.host(1)];
        config.blob_hosts = vec![self.told.host(2)];
        change(&mut config);
        let builder = TestGateway::builder().secret_file("oci", "open sesame");
        builder
            .config(move |all| drop(all.admission.oci.insert(host, config)))
            .start()
            .await
    }

    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut *self.told.seen.lock().unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_fetched_from_one_host_and_the_blob_from_another() {
    let hosts = Hosts::start().await;
    let gateway = hosts.gateway(|_| {}).await;
    let pulled = pull(&gateway, "one", &hosts.reference).await;
    assert_eq!(pulled.status, 201, "{}", pulled.text);
    let blob = hosts.told.blob.lock().unwrap().clone();
    assert_eq!(pulled.json["digest"], digest_of(&blob));
    // The credential is for two of them, and the token for one.
    let expected = [
        format!("registry: {LOGIN}"),
        format!("token: {LOGIN}"),
        format!("registry: {TOKEN}"),
        format!("registry: {TOKEN}"),
        "blob: nothing".into(),
    ];
    assert_eq!(hosts.seen(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_who_is_not_named() {
    let hosts = Hosts::start().await;
    let [_, token, blob] = [0, 1, 2].map(|index| hosts.told.host(index));
    let gateway = hosts.gateway(|config| config.token_hosts.clear()).await;
    let refused = pull(&gateway, "one", &hosts.reference).await;
    let words = format!("sends to {token}, which is none of admission.oci.");
    assert!(finding(&refused).contains(&words), "{}", refused.text);
    assert!(finding(&refused).contains(".token_hosts: "));
    assert_eq!(hosts.seen(), [format!("registry: {LOGIN}")]);

    // One that may have blobs makes no tokens, and the other way round.
    let gateway = hosts
        .gateway(|config| config.blob_hosts = config.token_hosts.clone())
        .await;
    let refused = pull(&gateway, "two", &hosts.reference).await;
    let words = format!("sends to {blob}, which is none of admission.oci.");
    assert!(finding(&refused).contains(&words), "{}", refused.text);
    assert!(finding(&refused).contains(".blob_hosts: "));
    assert!(!hosts.seen().iter().any(|line| line.starts_with("blob")));

    let gateway = hosts.gateway(|_| {}).await;
    *hosts.told.realm.lock().unwrap() = Some(format!("http://{blob}/token"));
    let refused = pull(&gateway, "three", &hosts.reference).await;
    assert!(
        finding(&refused).contains(".token_hosts: "),
        "{}",
        refused.text
    );
    *hosts.told.realm.lock().unwrap() = Some(format!("http://me:you@{token}/token"));
    let refused = pull(&gateway, "four", &hosts.reference).await;
    assert!(
        finding(&refused).contains("a login in it"),
        "{}",
        refused.text
    );
    for line in hosts.seen() {
        assert!(line.starts_with("registry"), "{line}");
    }
}

/// Named or not, an address is one that may be asked.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_named_is_held_to_the_address_policy() {
    let hosts = Hosts::start().await;
    let gateway = hosts
        .gateway(|config| {
            config.token_hosts.push("169.254.169.254".into());
            config.blob_hosts.push("10.1.2.3".into());
        })
        .await;
    *hosts.told.place.lock().unwrap() = Some("http://10.1.2.3/b/1".into());
    let refused = pull(&gateway, "one", &hosts.reference).await;
    assert!(
        finding(&refused).contains("allow_networks"),
        "{}",
        refused.text
    );
    *hosts.told.realm.lock().unwrap() = Some("http://169.254.169.254/token".into());
    let refused = pull(&gateway, "two", &hosts.reference).await;
    assert!(
        finding(&refused).contains("allow_networks"),
        "{}",
        refused.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_from_elsewhere_has_its_digest_and_a_wrong_login_is_named() {
    let hosts = Hosts::start().await;
    let gateway = hosts.gateway(|_| {}).await;
    hosts.told.blob.lock().unwrap()[100] ^= 1;
    let refused = pull(&gateway, "one", &hosts.reference).await;
    assert!(
        finding(&refused).contains("another digest"),
        "{}",
        refused.text
    );
    let gateway = hosts
        .gateway(|config| config.endpoint.credential = Default::default())
        .await;
    let refused = pull(&gateway, "two", &hosts.reference).await;
    assert!(
        finding(&refused).contains(".credential"),
        "{}",
        refused.text
    );
}
