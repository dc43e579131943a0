//! What is followed as it happens: how registries do, and what adapters log.

use std::time::Duration;

use futures_util::StreamExt;
use gateway_tests::components::component;
use gateway_tests::gateway::{TestGateway, client};
use gateway_tests::registries::RegistryText;
use gateway_tests::wait::until;
use registry_gateway::model::Role;
use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

const STAFF: [Role; 3] = [Role::Implementer, Role::Administrator, Role::Auditor];

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told_to_the_staff_alone() {
    let gateway = TestGateway::start().await;
    let key = gateway.staff("ida", &[Role::Implementer]).await;
    let uin = gateway.person(3).uin;
    gateway.find("civil", &uin).send().await.ok();
    gateway.find("civil", "1000000000").send().await;
    gateway
        .find("civil", &uin)
        .without("registry-purpose")
        .send()
        .await;
    let path = "/admin/v1/registries/civil/health";
    let health = gateway.get(path).key(&key).send().await.ok().json;
    let hour = &health["hour"];
    assert_eq!(
        (&hour["answered"], &hour["failed"]),
        (&json!(2), &json!(0)),
        "{hour}"
    );
    assert_eq!(hour["refused"], json!(1));
    assert!(hour["p50Ms"].as_u64().unwrap() >= 1);
    assert_eq!(health["minutes"].as_array().unwrap().len(), 60);
    let all = gateway
        .get("/admin/v1/health")
        .key(&key)
        .send()
        .await
        .ok()
        .json;
    assert_eq!(&all["registries"][0]["hour"], hour);
    assert_eq!(all["registries"][1]["hour"]["answered"], 0);
    assert_eq!(gateway.get(path).send().await.status, 403);
    let none = gateway.get("/admin/v1/registries/none/health");
    assert_eq!(none.key(&key).send().await.status, 404);
}

/// A reader of a registry's log, and what it has read.
struct Reader {
    stream: futures_util::stream::BoxStream<'static, String>,
    text: String,
}

impl Reader {
    async fn of(gateway: &TestGateway, key: &str) -> Result<Self, u16> {
        let url = format!(
            "http://{}/admin/v1/registries/hostile/logs",
            gateway.serving.address
        );
        let answer = client().get(url).bearer_auth(key).send().await.unwrap();
        if answer.status() != 200 {
            return Err(answer.status().as_u16());
        }
        let bytes = answer.bytes_stream();
        let texts =
            bytes.map(|part| String::from_utf8_lossy(&part.unwrap_or_default()).into_owned());
        Ok(Self {
            stream: texts.boxed(),
            text: String::new(),
        })
    }

    /// Reads until that is there, or to the end.
    async fn until(&mut self, word: &str) -> &str {
        let read = async {
            while !self.text.contains(word) {
                let Some(part) = self.stream.next().await else {
                    break;
                };
                self.text.push_str(&part);
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(20), read).await;
        assert!(in_time.is_ok(), "in vain: {word} in {}", self.text);
        &self.text
    }
}

async fn hostile(readers: u32) -> TestGateway {
    TestGateway::builder()
        .registry("hostile", |_| {
            RegistryText::bare(component("hostile-guest"))
        })
        .config(move |config| config.api.max_log_readers = readers)
        .start()
        .await
}

async fn say(gateway: &TestGateway, words: &[&str]) {
    let identifiers = words.iter();
    let identifiers: Vec<_> = identifiers
        .map(|word| json!({ "scheme": "national-id", "value": word }))
        .collect();
    let body = json!({ "identifiers": identifiers });
    gateway.lookup("hostile", "find", &body).send().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adapters_log_is_followed_masked_until_the_reader_may_no_longer() {
    let gateway = hostile(1).await;
    let key = gateway.staff("ada", &STAFF).await;
    say(&gateway, &["log_name", "Zwimbatosk"]).await;
    let mut reader = Reader::of(&gateway, &key).await.ok().unwrap();
    let before = reader.until("cannot map").await;
    assert!(
        before.contains("event: line") && before.contains("cannot map ***"),
        "{before}"
    );
    say(&gateway, &["print_name", "Zwimbatosk"]).await;
    let after = reader.until("printed").await;
    assert!(!after.contains("Zwimbatosk"), "{after}");

    // One too many waits for nobody.
    assert_eq!(Reader::of(&gateway, &key).await.err(), Some(429));
    assert_eq!(Reader::of(&gateway, &gateway.key).await.err(), Some(403));

    let other = gateway.staff("other", &STAFF).await;
    let revoked = gateway.ask(Method::DELETE, "/admin/v1/callers/ada");
    assert_eq!(revoked.key(&other).send().await.status, 204);
    reader.until("event: ended").await;
    until("a place", async || {
        Reader::of(&gateway, &other).await.is_ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_a_log_does_not_hold_up_the_end() {
    let gateway = hostile(4).await;
    let key = gateway.staff("ada", &STAFF).await;
    say(&gateway, &["log_name", "Zwimbatosk"]).await;
    let mut reader = Reader::of(&gateway, &key).await.ok().unwrap();
    reader.until("cannot map").await;
    gateway.serving.gateway.stopping();
    reader.until("event: ended").await;
}

/// A caller that asks, and takes nothing of the answer. Its window is small, so that not much is on its
/// way.
pub(crate) async fn stalled(gateway: &TestGateway, path: &str, key: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 << 10).unwrap();
    let mut stream = socket.connect(gateway.serving.address).await.unwrap();
    let ask = format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\r\n");
    stream.write_all(ask.as_bytes()).await.unwrap();
    stream
}

/// Little is logged: no write waits for who reads nothing, and its time is over nevertheless.
#[tokio::test(flavor = "multi_thread")]
async fn who_stops_reading_a_log_loses_the_place() {
    let gateway = TestGateway::builder()
        .registry("hostile", |_| {
            RegistryText::bare(component("hostile-guest"))
        })
        .config(|config| {
            config.api.max_log_readers = 1;
            config.api.log_reading_max_ms = 2_000;
        })
        .start()
        .await;
    let key = gateway.staff("ada", &STAFF).await;
    let _stalled = stalled(&gateway, "/admin/v1/registries/hostile/logs", &key).await;
    until("the place is taken", async || {
        Reader::of(&gateway, &key).await.err() == Some(429)
    })
    .await;
    let mut reader = None;
    until("the place is free", async || {
        reader = Reader::of(&gateway, &key).await.ok();
        reader.is_some()
    })
    .await;
    // Who reads is told that it is over, and may begin anew.
    reader.unwrap().until("event: ended").await;
    until("a place", async || Reader::of(&gateway, &key).await.is_ok()).await;
}
