use super::*;

fn put(name: &str, digest: &str) -> RegistryChange {
    RegistryChange::Put {
        name: name.to_owned(),
        module_digest: digest.to_owned(),
        configuration: r#"{"endpoints":{}}"#.to_owned(),
        enabled: true,
    }
}

async fn all(store: &Store) -> Vec<Caller> {
    let all = store.callers().list().await.unwrap();
    all.into_iter().map(Result::unwrap).collect()
}

async fn active(store: &Store) -> Vec<Caller> {
    let active = store.callers().active().await.unwrap();
    active.into_iter().map(Result::unwrap).collect()
}

async fn the_schema_is_brought_up_to_date_once_by_however_many(home: Home) {
    let stores = futures_util::future::join_all((0..4).map(|_| home.open())).await;
    stores[0].audit().begin(begin_row("r-1")).await.unwrap();
    assert_eq!(stores[3].audit().recent(10).await.unwrap().len(), 1);
}

async fn a_schema_of_a_later_gateway_is_refused(home: Home) {
    home.open().await.close().await;
    let mut conn = home.connect().await;
    run(
        &mut conn,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'later', TRUE, '', 0)",
    )
    .await
    .unwrap();
    let error = Store::open(&home.config, None).await.unwrap_err();
    assert!(matches!(error, StoreError::Migrate(_)), "{error:?}");
}

async fn modules_are_stored_once_and_checked_when_read(home: Home) {
    let store = home.open().await;
    let first = store.modules().put(a_module(b"wasm")).await.unwrap();
    assert_eq!(
        first.digest,
        "sha256:336154bf67f765f8f75d16a0accee61b5ee5f6a75b2a2905703df913bd550f3e"
    );
    assert_eq!(first.size_bytes, 4);
    let mut again = a_module(b"wasm");
    again.version = "9".to_owned();
    assert_eq!(store.modules().put(again).await.unwrap(), first);
    assert_eq!(store.modules().list().await.unwrap(), vec![first.clone()]);
    assert_eq!(store.revision().await.unwrap(), 0);

    let module = store.modules().get(&first.digest).await.unwrap().unwrap();
    assert_eq!(module.bytes, Bytes::from_static(b"wasm"));
    assert!(store.modules().get("sha256:00").await.unwrap().is_none());

    let mut conn = home.connect().await;
    let statement = "UPDATE modules SET bytes = key_hash FROM caller_keys";
    store.callers().add(a_caller("openimis", 1)).await.unwrap();
    assert_eq!(run(&mut conn, statement).await.unwrap(), 1);
    let error = store.modules().get(&first.digest).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged { what: "module" }));
    // Uploading it again mends it.
    assert_eq!(store.modules().put(a_module(b"wasm")).await.unwrap(), first);
    let mended = store.modules().get(&first.digest).await.unwrap().unwrap();
    assert_eq!(mended.bytes, module.bytes);
}

async fn changes_of_registries_are_made_together_or_not_at_all(home: Home) {
    let store = home.open().await;
    let digest = store.modules().put(a_module(b"wasm")).await.unwrap().digest;
    let registries = store.registries();
    let revision = registries
        .apply(vec![put("crvs", &digest), put("social", &digest)])
        .await
        .unwrap();
    assert_eq!(revision, 1);

    let half = vec![
        RegistryChange::Delete {
            name: "crvs".to_owned(),
        },
        put("other", "sha256:none"),
    ];
    let error = registries.apply(half).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no module sha256:none");
    let absent = RegistryChange::Enable {
        name: "none".to_owned(),
        enabled: true,
    };
    let error = registries.apply(vec![absent]).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no registry none");
    assert_eq!(store.revision().await.unwrap(), 1);
    assert!(registries.get("crvs").await.unwrap().is_some());

    let changes = vec![
        RegistryChange::Enable {
            name: "crvs".to_owned(),
            enabled: false,
        },
        RegistryChange::Delete {
            name: "social".to_owned(),
        },
    ];
    assert_eq!(registries.apply(changes).await.unwrap(), 2);
    let left: Vec<_> = registries
        .list()
        .await
        .unwrap()
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(left.len(), 1);
    assert_eq!((left[0].name.as_str(), left[0].enabled), ("crvs", false));
    assert_eq!(left[0].configuration, r#"{"endpoints":{}}"#);
}

async fn another_process_sees_the_revision_move(home: Home) {
    let (gateway, cli) = (home.open().await, home.open().await);
    assert_eq!(gateway.revision().await.unwrap(), 0);
    let caller = cli.callers().add(a_caller("openimis", 1)).await.unwrap();
    assert_eq!(gateway.revision().await.unwrap(), 1);
    assert_eq!(active(&gateway).await, vec![caller.clone()]);
    cli.callers().revoke(&caller.name).await.unwrap();
    assert_eq!(gateway.revision().await.unwrap(), 2);
    assert!(active(&gateway).await.is_empty());
    assert!(all(&gateway).await[0].revoked_at.is_some());
}

async fn callers_keep_their_grants_and_their_names(home: Home) {
    let store = home.open().await;
    let mut new = a_caller("openimis", 1);
    new.settings.grants.push(Grant::everything());
    let caller = store.callers().add(new.clone()).await.unwrap();
    store.callers().revoke(&caller.name).await.unwrap();
    let first = all(&store).await;
    assert_eq!(first[0].settings, new.settings);

    let error = store
        .callers()
        .add(a_caller("openimis", 2))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "caller.name is taken already: openimis");
    let error = store.callers().add(a_caller("other", 1)).await.unwrap_err();
    assert_eq!(error.to_string(), "caller.key is taken already: (hidden)");
    let error = store.callers().add(a_caller("", 3)).await.unwrap_err();
    assert_eq!(error.to_string(), "caller.name is empty");
    let error = store.callers().revoke("nobody").await.unwrap_err();
    assert!(matches!(error, StoreError::Unknown { what: "caller", .. }));

    store.callers().revoke(&caller.name).await.unwrap();
    let second = all(&store).await;
    assert_eq!(second[0].revoked_at, first[0].revoked_at);
}

async fn two_gateways_change_at_once_and_none_is_lost(home: Home) {
    let stores = [home.open().await, home.open().await];
    let digest = stores[0]
        .modules()
        .put(a_module(b"wasm"))
        .await
        .unwrap()
        .digest;
    let mut changes = Vec::new();
    for number in 0..20 {
        let store = stores[number % 2].clone();
        let pair = ["civil", "social"].map(|name| put(name, &digest));
        changes.push(tokio::spawn(async move {
            store.registries().apply(pair.to_vec()).await.unwrap()
        }));
    }
    let mut revisions = Vec::new();
    for change in changes {
        revisions.push(change.await.unwrap());
    }
    revisions.sort_unstable();
    assert_eq!(revisions, (1..=20).collect::<Vec<i64>>());
    assert_eq!(stores[1].revision().await.unwrap(), 20);
}

async fn many_puts_are_made_in_order(home: Home) {
    let store = home.open().await;
    let one = store.modules().put(a_module(b"one")).await.unwrap().digest;
    let two = store.modules().put(a_module(b"two")).await.unwrap().digest;
    let names: Vec<String> = (0..150).map(|number| format!("r-{number:03}")).collect();
    let mut changes: Vec<_> = names.iter().map(|name| put(name, &one)).collect();
    // The same ones again, one that is taken away in between, and one that comes back.
    changes.extend(names.iter().map(|name| put(name, &two)));
    for name in ["r-000", "r-001"] {
        changes.push(RegistryChange::Delete { name: name.into() });
    }
    changes.push(put("r-001", &one));
    assert_eq!(store.registries().apply(changes).await.unwrap(), 1);
    let rows: Vec<_> = store.registries().list().await.unwrap();
    let rows: Vec<_> = rows.into_iter().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 149);
    assert_eq!((&*rows[0].name, &rows[0].module_digest), ("r-001", &one));
    assert!(rows[1..].iter().all(|row| row.module_digest == two));

    // All of many, or none.
    let mut changes: Vec<_> = names.iter().map(|name| put(name, &one)).collect();
    changes.push(put("last", "sha256:none"));
    let error = store.registries().apply(changes).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no module sha256:none");
    let after: Vec<_> = store.registries().list().await.unwrap();
    assert!(after.into_iter().map(Result::unwrap).eq(rows));
}

async fn a_registry_that_cannot_be_read_is_told_beside_the_others(home: Home) {
    let store = home.open().await;
    let digest = store.modules().put(a_module(b"wasm")).await.unwrap().digest;
    let both = vec![put("crvs", &digest), put("social", &digest)];
    store.registries().apply(both).await.unwrap();
    let statement = "UPDATE registries SET updated_at = 9000000000000000000 WHERE name = 'crvs'";
    run(&mut home.connect().await, statement).await.unwrap();
    let listed = store.registries().list().await.unwrap();
    let [Err(Unreadable { name, error }), Ok(other)] = &listed[..] else {
        panic!("{listed:?}");
    };
    assert_eq!((&**name, &*other.name), ("crvs", "social"));
    assert_eq!(error.to_string(), "the stored updated_at is damaged");
    store
        .registries()
        .apply(vec![put("crvs", &digest)])
        .await
        .unwrap();
    assert!(store.registries().list().await.unwrap()[0].is_ok());
}

on_both!(
    many_puts_are_made_in_order,
    a_registry_that_cannot_be_read_is_told_beside_the_others,
    the_schema_is_brought_up_to_date_once_by_however_many,
    a_schema_of_a_later_gateway_is_refused,
    modules_are_stored_once_and_checked_when_read,
    changes_of_registries_are_made_together_or_not_at_all,
    another_process_sees_the_revision_move,
    callers_keep_their_grants_and_their_names,
    two_gateways_change_at_once_and_none_is_lost,
);
