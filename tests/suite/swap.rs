//! One registry's module is swapped for another: who may, what stands in the way, what is seen of it.

mod load;
mod pages;
mod shadow;
mod ways;

use gateway_tests::gateway::{Answer, RegistryText, TestGateway};
use gateway_tests::versions;
use registry_gateway::model::Role;
use registry_gateway::store::NewModule;
use serde_json::{Value, json};

/// A gateway whose registry `changing` is served by the version that says `one`.
pub(crate) struct Swapping {
    pub(crate) gateway: TestGateway,
    pub(crate) admin: String,
}

impl Swapping {
    pub(crate) async fn start() -> Self {
        Self::with(|text| text, &versions::saying("one")).await
    }

    pub(crate) async fn with(change: impl Fn(RegistryText) -> RegistryText, module: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("one.wasm");
        std::fs::write(&file, module).unwrap();
        let text = move |_| change(RegistryText::bare(file.clone()));
        let gateway = TestGateway::builder().registry("changing", text).start();
        let gateway = gateway.await;
        let admin = gateway.staff("ada", &[Role::Administrator]).await;
        Self { gateway, admin }
    }

    /// Puts a module beside the others, as its admission does.
    pub(crate) async fn admitted(&self, bytes: &[u8]) -> String {
        let store = self.gateway.store().await;
        let module = NewModule {
            adapter: "changing".into(),
            version: "1.0.0".into(),
            bytes: bytes.to_vec().into(),
            facts: None,
        };
        let digest = store.modules().put(module).await.unwrap().digest;
        store.close().await;
        digest
    }

    pub(crate) async fn post(&self, what: &str, body: Value) -> Answer {
        let path = format!("/admin/v1/registries/changing/{what}");
        self.gateway
            .post(&path, &body)
            .key(&self.admin)
            .send()
            .await
    }

    pub(crate) async fn get(&self, what: &str) -> Answer {
        let path = format!("/admin/v1/registries/changing/{what}");
        self.gateway.get(&path).key(&self.admin).send().await
    }

    pub(crate) async fn activate(&self, digest: &str) -> Answer {
        self.post("activate", json!({ "module": digest })).await
    }

    pub(crate) async fn find(&self, value: &str) -> Answer {
        self.gateway.find("changing", value).send().await
    }

    /// The versions that an answer tells of, and the module that it names.
    pub(crate) async fn answers(&self) -> (String, String) {
        let answer = self.find("1").await.ok();
        (given(&answer.json["person"]), module(&answer.json))
    }
}

pub(crate) fn given(person: &Value) -> String {
    let given = person["names"][0]["given"].as_array().expect("names");
    let words: Vec<&str> = given.iter().filter_map(Value::as_str).collect();
    words.join(" ")
}

pub(crate) fn module(answer: &Value) -> String {
    answer["source"]["module"].as_str().unwrap().to_owned()
}
