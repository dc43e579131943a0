//! Modules pulled from an OCI registry: Debian's `docker-registry`, on loopback. Where it is not
//! installed this says so aloud, and under `CI=true` it fails.

mod elsewhere;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use gateway_tests::ask::Answer;
use gateway_tests::crafted::{Crafted, FIND};
use gateway_tests::gateway::{TestGateway, client};
use registry_gateway::config::endpoint::EndpointConfig;
use registry_gateway::model::Role;
use registry_gateway::sandbox::digest_of;
use serde_json::{Value, json};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const WASM: &str = "application/wasm";
const WASM_CONFIG: &str = "application/vnd.wasm.config.v0+json";
/// `puller`, whose password is `open sesame`.
const HTPASSWD: &str = "puller:$2y$05$1w6lTahxl1jK9tvWQfy12uYMWa4FvlKFr56sqxVO.K44bj1CFr3fq\n";

struct Registry {
    child: Child,
    host: String,
    _folder: tempfile::TempDir,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Registry {
    /// None where there is no such program.
    async fn start(auth: bool) -> Option<Self> {
        if Command::new("docker-registry")
            .arg("--version")
            .output()
            .is_err()
        {
            let ci = Command::new("sh")
                .args(["-c", "test \"$CI\" = true"])
                .status();
            assert!(
                !ci.unwrap().success(),
                "CI=true leaves nothing out: install docker-registry"
            );
            eprintln!("NOT TESTED: there is no docker-registry here (apt install docker-registry)");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let host = port.local_addr().unwrap().to_string();
        drop(port);
        std::fs::write(folder.path().join("htpasswd"), HTPASSWD).unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let auth = match auth {
            true => format!(
                "auth: {{htpasswd: {{realm: test, path: {}}}}}\n",
                at("htpasswd")
            ),
            false => String::new(),
        };
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\n\
             http: {{addr: \"{host}\", secret: x}}\n{auth}",
            at("data")
        );
        std::fs::write(folder.path().join("config.yml"), config).unwrap();
        let child = Command::new("docker-registry")
            .args(["serve", &at("config.yml")])
            .env_clear()
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let registry = Self {
            child,
            host,
            _folder: folder,
        };
        for _ in 0..500 {
            if client().get(registry.url("/v2/")).send().await.is_ok() {
                return Some(registry);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("docker-registry does not start");
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host)
    }

    async fn put_blob(&self, bytes: &[u8]) -> Value {
        let digest = digest_of(bytes);
        let begun = client().post(self.url("/v2/team/a/blobs/uploads/"));
        let begun = begun
            .basic_auth("puller", Some("open sesame"))
            .send()
            .await
            .unwrap();
        assert_eq!(begun.status(), 202);
        let place = begun.headers()["location"].to_str().unwrap().to_owned();
        let place = match place.starts_with('/') {
            true => self.url(&place),
            false => place,
        };
        let joint = if place.contains('?') { '&' } else { '?' };
        let put = client().put(format!("{place}{joint}digest={digest}"));
        let put = put
            .basic_auth("puller", Some("open sesame"))
            .body(bytes.to_vec());
        assert_eq!(put.send().await.unwrap().status(), 201);
        json!({ "digest": digest, "size": bytes.len() })
    }

    /// Gives the reference.
    async fn put_artifact(&self, layers: &[(&str, &[u8])]) -> String {
        let mut config = self.put_blob(b"{}").await;
        config["mediaType"] = json!(WASM_CONFIG);
        let mut list = Vec::new();
        for (kind, bytes) in layers {
            let mut layer = self.put_blob(bytes).await;
            layer["mediaType"] = json!(kind);
            list.push(layer);
        }
        let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config,
            "layers": list });
        let manifest = serde_json::to_vec(&manifest).unwrap();
        let digest = digest_of(&manifest);
        let put = client().put(self.url(&format!("/v2/team/a/manifests/{digest}")));
        let put = put.basic_auth("puller", Some("open sesame")).body(manifest);
        let put = put.header("content-type", MANIFEST).send().await.unwrap();
        assert_eq!(put.status(), 201, "{}", put.text().await.unwrap());
        format!("oci://{}/team/a@{digest}", self.host)
    }

    async fn gateway(&self, change: impl FnOnce(&mut EndpointConfig)) -> TestGateway {
        let mut endpoint = EndpointConfig::new(self.url("/"));
        endpoint.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
        change(&mut endpoint);
        let host = self.host.clone();
        let builder = TestGateway::builder().secret_file("oci", "open sesame");
        builder
            .config(move |config| drop(config.admission.oci.insert(host, endpoint.into())))
            .start()
            .await
    }
}

async fn pull(gateway: &TestGateway, name: &str, reference: &str) -> Answer {
    let key = gateway.staff(name, &[Role::Implementer]).await;
    let body = json!({ "reference": reference });
    let pull = gateway.post("/admin/v1/modules/pull", &body).key(&key);
    pull.send().await
}

fn finding(answer: &Answer) -> &str {
    assert_eq!(
        (answer.status, answer.code()),
        (422, "module-refused"),
        "{}",
        answer.text
    );
    answer.json["findings"][0]["problem"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_is_pulled_by_digest_once() {
    let Some(registry) = Registry::start(false).await else {
        return;
    };
    let gateway = registry.gateway(|_| {}).await;
    let bytes = Crafted::adapter().build();
    let reference = registry.put_artifact(&[(WASM, &bytes)]).await;
    let pulled = pull(&gateway, "one", &reference).await;
    assert_eq!(pulled.status, 201, "{}", pulled.text);
    assert_eq!(pulled.json["digest"], digest_of(&bytes));
    assert_eq!(pulled.json["cameBy"], *reference);
    let unknown = reference.replace(&reference[reference.len() - 8..], "00000000");
    assert!(finding(&pull(&gateway, "two", &unknown).await).contains("does not have it"));
    // From the database, with nobody to ask.
    drop(registry);
    let again = pull(&gateway, "three", &reference).await;
    assert_eq!((again.status, &again.json), (201, &pulled.json));
    assert!(finding(&pull(&gateway, "four", &unknown).await).contains("no answer (connect)"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_module_is_not_pulled() {
    let Some(registry) = Registry::start(false).await else {
        return;
    };
    let gateway = registry.gateway(|_| {}).await;
    let (one, two) = (
        Crafted::adapter().build(),
        Crafted::adapter().body(FIND, "nop unreachable"),
    );
    let two = two.build();
    for (index, layers) in [
        vec![(WASM, &*one), (WASM, &*two)],
        vec![("application/octet-stream", &*one)],
        vec![],
    ]
    .iter()
    .enumerate()
    {
        let reference = registry.put_artifact(layers).await;
        let refused = pull(&gateway, &format!("ida-{index}"), &reference).await;
        assert!(finding(&refused).contains("no module"), "{}", refused.text);
    }
    let text = registry.put_artifact(&[(WASM, b"hello")]).await;
    let refused = pull(&gateway, "text", &text).await;
    assert_eq!(
        refused.json["findings"][0]["place"], "module",
        "{}",
        refused.text
    );

    for (name, reference, words) in [
        (
            "tag",
            format!("oci://{}/team/a:latest", registry.host),
            "digest",
        ),
        (
            "host",
            text.replace(&registry.host, "elsewhere.example.org"),
            "admission.oci",
        ),
    ] {
        let refused = pull(&gateway, name, &reference).await;
        assert_eq!(
            (refused.status, &refused.json["field"]),
            (400, &json!("reference"))
        );
        let detail = refused.json["detail"].as_str().unwrap();
        assert!(detail.contains(words), "{detail}");
    }
    // What was changed in the registry's own files.
    let layer = digest_of(&one);
    let reference = registry.put_artifact(&[(WASM, &one)]).await;
    let hex = layer.trim_start_matches("sha256:");
    let blob = format!(
        "data/docker/registry/v2/blobs/sha256/{}/{hex}/data",
        &hex[..2]
    );
    let blob: &Path = &registry._folder.path().join(blob);
    let mut changed = one.clone();
    changed[100] ^= 1;
    std::fs::write(blob, changed).unwrap();
    let refused = pull(&gateway, "changed", &reference).await;
    assert!(
        finding(&refused).contains("another digest"),
        "{}",
        refused.text
    );
}

/// The address policy and the credential are those of any endpoint.
#[tokio::test(flavor = "multi_thread")]
async fn it_is_asked_by_the_rules_of_egress() {
    let Some(registry) = Registry::start(true).await else {
        return;
    };
    let bytes = Crafted::adapter().build();
    let reference = registry.put_artifact(&[(WASM, &bytes)]).await;
    let gateway = registry.gateway(|_| {}).await;
    assert!(finding(&pull(&gateway, "one", &reference).await).contains("credential"));
    let gateway = registry
        .gateway(|endpoint| {
            let basic = json!({ "kind": "basic", "user": "puller", "password": "file:oci" });
            endpoint.credential = serde_json::from_value(basic).unwrap();
        })
        .await;
    assert_eq!(pull(&gateway, "two", &reference).await.status, 201);
    let gateway = registry
        .gateway(|endpoint| endpoint.allow_networks = vec!["10.0.0.0/8".parse().unwrap()])
        .await;
    let refused = pull(&gateway, "three", &reference).await;
    assert!(
        finding(&refused).contains("allow_networks"),
        "{}",
        refused.text
    );
}
