//! What becomes of callers while a module is being loaded.

use std::os::unix::fs::PermissionsExt;

use gateway_tests::components;
use gateway_tests::crafted::with_section;
use gateway_tests::gateway::TestGateway;
use gateway_tests::wait::until;
use registry_gateway::model::Ability;
use registry_gateway::store::{NewModule, RegistryChange};

/// Modules may take minutes to load: who is revoked meanwhile is refused meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_waits_for_no_module_that_is_being_loaded() {
    // The real compiler, which stops for as long as it is told to.
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (slow, begun, compiler) = (at("slow"), at("begun"), at("compiler"));
    let script = format!(
        "#!/bin/sh\nif [ -e {0} ]; then : > {1}; while [ -e {0} ]; do sleep 0.1; done; fi\nexec {2} \"$@\"\n",
        slow.display(),
        begun.display(),
        gateway_tests::program::program().display()
    );
    std::fs::write(&compiler, script).unwrap();
    std::fs::set_permissions(&compiler, PermissionsExt::from_mode(0o700)).unwrap();
    let gateway = TestGateway::builder()
        .config(|config| config.sandbox.compiler_program = compiler)
        .start()
        .await;
    let clinic = gateway.caller("clinic", &["civil"], &[Ability::Find]).await;
    let uin = gateway.person(3).uin;
    let module = async || {
        let found = gateway.find("civil", &uin).send().await.ok();
        found.json["source"]["module"].as_str().unwrap().to_owned()
    };
    let before = module().await;

    std::fs::write(&slow, "").unwrap();
    let store = gateway.store().await;
    // Another file each time: none is in the cache.
    let mark = uuid::Uuid::new_v4();
    let bytes = with_section(&components::bytes("adapter-spdci"), mark.as_bytes());
    let new = NewModule {
        adapter: "spdci".into(),
        version: "0.1.0".into(),
        bytes: bytes.into(),
        facts: None,
    };
    let next = store.modules().put(new).await.unwrap().digest;
    let row = store.registries().get("civil").await.unwrap().unwrap();
    let put = RegistryChange::Put {
        name: row.name,
        module_digest: next.clone(),
        configuration: row.configuration,
        enabled: true,
    };
    store.registries().apply(vec![put]).await.unwrap();
    until("it is compiled", async || begun.exists()).await;
    store.callers().revoke("clinic").await.unwrap();
    store.close().await;
    until("the key is refused", async || {
        let asked = gateway.find("civil", &uin).key(&clinic);
        asked.send().await.status == 401
    })
    .await;
    assert_eq!(module().await, before, "it is still being compiled");
    std::fs::remove_file(&slow).unwrap();
    until("it serves", async || module().await == next).await;
}
