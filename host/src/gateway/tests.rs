use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::*;
use crate::config::admission::AdmissionConfig;
use crate::config::audit::AuditConfig;
use crate::config::callers::CallersConfig;
use crate::config::sandbox::SandboxConfig;
use crate::config::store::StoreConfig;
use crate::store::AuditBegin;

/// A gateway without registries.
async fn gateway(directory: &Path) -> Gateway {
    let config = StoreConfig {
        path: directory.join("gateway.db"),
        ..StoreConfig::default()
    };
    let sandbox = SandboxConfig {
        max_instances: 1,
        ..SandboxConfig::default()
    };
    let store = Store::open(&config, None).await.unwrap();
    let sandbox = Sandbox::new(&sandbox, directory).unwrap();
    let (egress, secrets) = (Egress::new(), Secrets::new(None));
    let sections = Sections {
        data_dir: directory,
        admission: &AdmissionConfig::default(),
        audit: &AuditConfig::default(),
        callers: &CallersConfig::default(),
        events: &Default::default(),
        bodies: &Default::default(),
        webhooks: &WebhooksConfig::default(),
        lookups: &Default::default(),
        operations: &Default::default(),
    };
    let made = Gateway::new(store, sandbox, egress, secrets, sections);
    made.await.unwrap()
}

#[tokio::test]
async fn the_end_waits_for_the_calls_under_way() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = gateway(directory.path()).await;
    let done = Arc::new(AtomicBool::new(false));
    let (call, store) = (done.clone(), gateway.inner.store.clone());
    gateway.inner.tasks.spawn(async move {
        sleep(Duration::from_millis(300)).await;
        // The database is still open for its row.
        store.ready().await.unwrap();
        call.store(true, SeqCst);
    });
    let long = Instant::now() + Duration::from_secs(60);
    assert_eq!(gateway.close(long).await, 0);
    assert!(done.load(SeqCst), "it was not waited for");
    assert!(Instant::now() < long);
    assert!(gateway.inner.store.ready().await.is_err(), "it is closed");
}

#[tokio::test]
async fn the_end_waits_no_longer_than_its_bound() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = gateway(directory.path()).await;
    for _ in 0..2 {
        gateway.inner.tasks.spawn(std::future::pending::<()>());
    }
    let by = Instant::now() + Duration::from_millis(200);
    assert_eq!(gateway.close(by).await, 2);
    assert!(Instant::now() >= by);
    assert!(gateway.inner.store.ready().await.is_err(), "it is closed");
}

#[tokio::test]
async fn readiness_follows_the_stage() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = gateway(directory.path()).await;
    assert_eq!(gateway.ready().await, Err(NotReady::Starting));
    assert!(matches!(
        gateway.caller("x", None).await,
        Err(GatewayError::Starting)
    ));
    gateway.load().await.unwrap();
    assert_eq!(gateway.ready().await, Ok(()));
    assert!(matches!(
        gateway.caller("x", None).await,
        Err(GatewayError::UnknownCaller)
    ));
    gateway.stopping();
    assert_eq!(gateway.ready().await, Err(NotReady::Stopping));
    // Loaded after it was told to stop: it stays so.
    gateway.inner.phase.loaded();
    assert_eq!(gateway.ready().await, Err(NotReady::Stopping));
    gateway.close(Instant::now()).await;
}

#[tokio::test]
async fn a_key_is_made_before_the_first_row_only() {
    let directory = tempfile::tempdir().unwrap();
    let config = StoreConfig {
        path: directory.path().join("gateway.db"),
        ..StoreConfig::default()
    };
    let store = Store::open(&config, None).await.unwrap();
    let path = directory.path().join("audit.key");
    let made = fingerprint(&store, &path).await.unwrap();
    let row = AuditBegin {
        id: uuid::Uuid::now_v7(),
        at: jiff::Timestamp::now(),
        request_id: "request".into(),
        caller: "openimis".into(),
        user: None,
        entity: None,
        purpose: None,
        legal_basis: None,
        registry: "social".into(),
        ability: "find".into(),
        module_digest: "sha256:0".into(),
        asked: vec![made.of("national-id", "1")],
    };
    store.audit().begin(row).await.unwrap();
    assert!(fingerprint(&store, &path).await.is_ok());
    std::fs::remove_file(&path).unwrap();
    let lost = fingerprint(&store, &path).await.err().unwrap();
    assert!(matches!(lost, StartError::KeyLost), "{lost}");
    assert!(!path.exists());
    store.close().await;
}
