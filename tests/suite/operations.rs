//! Writes: accepted, delivered once and in order, and what becomes of each.

mod answers;
mod ends;
mod held;
mod kept;
mod refused;

use std::time::{Duration, Instant};

use gateway_tests::components;
use gateway_tests::gateway::{Answer, Builder, RegistryText, TestGateway};
use registry_gateway::config::Config;
use registry_gateway::model::{Ability, Role};
use serde_json::{Value, json};
use stand_in::records::Mishap;

/// A gateway whose registry `records` can be written to, and a record there.
pub(crate) struct Writing {
    pub(crate) gateway: TestGateway,
    pub(crate) admin: String,
    pub(crate) record: String,
}

impl Writing {
    pub(crate) async fn start() -> Self {
        Self::with(|text| text).await
    }

    /// With another configuration of the registry.
    pub(crate) async fn with(change: impl FnOnce(RegistryText) -> RegistryText) -> Self {
        Self::of(|builder| builder.registry("records", change)).await
    }

    /// With another gateway or registry.
    pub(crate) async fn of(change: impl FnOnce(Builder) -> Builder) -> Self {
        let file = components::component("registrar-guest");
        let builder = TestGateway::builder()
            .registry("records", |_| RegistryText::bare(file))
            .config(quick);
        let mut gateway = change(builder).start().await;
        let admin = gateway.staff("ada", &[Role::Administrator]).await;
        // Nobody writes who is not granted it by name.
        let writes = gateway.caller("writer", &["records"], &Ability::WRITES);
        gateway.key = writes.await;
        let record = json!({ "names": [{ "family": "Devi" }], "sex": "F" });
        let record = gateway.stand_in.records().put(&record);
        Self {
            gateway,
            admin,
            record,
        }
    }

    /// The body of an update of the record.
    pub(crate) fn body(&self, subject: &str, sex: &str) -> Value {
        json!({ "subject": subject, "update": {
            "identifiers": [{ "scheme": "record-id", "value": self.record }],
            "person": { "sex": sex },
            "mask": ["sex"],
        }})
    }

    /// The body of a link of the record with a number.
    pub(crate) fn link(&self, subject: &str, record: &str, number: &str) -> Value {
        json!({ "subject": subject, "link": {
            "identifiers": [{ "scheme": "record-id", "value": record }],
            "change": "add",
            "linked": { "scheme": "national-id", "value": number },
        }})
    }

    pub(crate) async fn send(&self, key: &str, body: &Value) -> Answer {
        let asked = self.gateway.post("/v1/registries/records/operations", body);
        asked.header("idempotency-key", key).send().await
    }

    /// Sends an update, and waits for where it goes.
    pub(crate) async fn write(&self, key: &str, sex: &str, states: &[&str]) -> Value {
        let sent = self.send(key, &self.body("p-1", sex)).await;
        assert_eq!(sent.status, 202, "{}", sent.text);
        self.reaches(&id(&sent.json), states).await
    }

    pub(crate) async fn shown(&self, id: &str) -> Value {
        let path = format!("/v1/operations/{id}");
        self.gateway.get(&path).send().await.ok().json
    }

    /// The operation once it stands in one of these states.
    pub(crate) async fn reaches(&self, id: &str, states: &[&str]) -> Value {
        let began = Instant::now();
        loop {
            let shown = self.shown(id).await;
            if states.contains(&shown["state"].as_str().unwrap()) {
                return shown;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "{shown:#}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn act(&self, id: &str, act: &str, body: &Value) -> Answer {
        let path = format!("/admin/v1/operations/{id}/{act}");
        let asked = self.gateway.post(&path, body);
        asked.key(&self.admin).send().await
    }

    /// How often the registry did something of that operation.
    pub(crate) fn done(&self, id: &str) -> usize {
        let ledger = self.gateway.stand_in.records().ledger();
        let effects = ledger.effects().iter();
        effects
            .filter(|effect| effect.key.as_deref() == Some(id))
            .count()
    }

    pub(crate) fn inject(&self, mishap: Mishap) {
        self.gateway.stand_in.records().inject(mishap);
    }
}

/// Waits that a test can wait for.
pub(crate) fn quick(config: &mut Config) {
    config.operations.first_wait_ms = 50.try_into().unwrap();
    config.operations.max_wait_ms = 400.try_into().unwrap();
}

pub(crate) fn id(operation: &Value) -> String {
    operation["id"].as_str().unwrap().to_owned()
}

/// The states of an operation's history, in order.
pub(crate) fn states(operation: &Value) -> Vec<&str> {
    let history = operation["history"].as_array().unwrap().iter();
    history
        .map(|step| step["state"].as_str().unwrap())
        .collect()
}
