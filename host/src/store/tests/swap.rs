//! Which module serves, served, and may serve next.

use jiff::ToSpan;

use super::*;

async fn put(store: &Store, name: &str, digest: &str, enabled: bool) {
    let put = RegistryChange::Put {
        name: name.to_owned(),
        module_digest: digest.to_owned(),
        configuration: "{}".to_owned(),
        enabled,
    };
    let registries = store.registries().by("ada");
    registries.apply(vec![put]).await.unwrap();
}

async fn change(store: &Store, change: RegistryChange) -> Result<i64, StoreError> {
    store.registries().by("bea").apply(vec![change]).await
}

fn activate(name: &str, digest: &str, expected: Option<&str>) -> RegistryChange {
    RegistryChange::Activate {
        name: name.to_owned(),
        module_digest: digest.to_owned(),
        expected: expected.map(str::to_owned),
        why: Why::Activate,
    }
}

async fn two(store: &Store) -> [String; 2] {
    let one = store.modules().put(a_module(b"one")).await.unwrap();
    let two = store.modules().put(a_module(b"two")).await.unwrap();
    [one.digest, two.digest]
}

async fn the_history_has_every_way_in_which_what_serves_changes(home: Home) {
    let store = home.open().await;
    let [one, two] = two(&store).await;
    put(&store, "civil", &one, true).await;
    put(&store, "other", &one, true).await;
    // The same again changes nothing.
    put(&store, "civil", &one, true).await;
    change(&store, activate("civil", &two, Some(&one)))
        .await
        .unwrap();
    let between = now();
    let rollback = RegistryChange::Activate {
        name: "civil".to_owned(),
        module_digest: one.clone(),
        expected: None,
        why: Why::Rollback,
    };
    change(&store, rollback).await.unwrap();
    for enabled in [false, true] {
        let name = "civil".to_owned();
        change(&store, RegistryChange::Enable { name, enabled })
            .await
            .unwrap();
    }
    put(&store, "civil", &two, false).await;
    // Not enabled: nothing serves, whatever is activated.
    change(&store, activate("civil", &one, None)).await.unwrap();
    put(&store, "civil", &two, true).await;
    let name = "civil".to_owned();
    change(&store, RegistryChange::Delete { name })
        .await
        .unwrap();

    let rows = store.activations().of("civil", 100).await.unwrap();
    let told: Vec<_> = rows
        .iter()
        .rev()
        .map(|row| {
            (
                &*row.why,
                row.module_digest.as_deref(),
                row.previous.as_deref(),
                &*row.caller,
            )
        })
        .collect();
    let (one, two) = (Some(&*one), Some(&*two));
    let expected = [
        ("apply", one, None, "ada"),
        ("activate", two, one, "bea"),
        ("rollback", one, two, "bea"),
        ("disable", None, one, "bea"),
        ("enable", one, None, "bea"),
        ("apply", None, one, "ada"),
        ("apply", two, None, "ada"),
        ("delete", None, two, "bea"),
    ];
    assert_eq!(told, expected);
    let held = store.activations().at("civil", between).await.unwrap();
    assert_eq!(held.unwrap().module_digest.as_deref(), two);
    let before = rows.last().unwrap().at - 1.hour();
    let none = store.activations().at("civil", before).await.unwrap();
    assert_eq!(none, None);
    let served = store.activations().served(Some("civil")).await.unwrap();
    let served: Vec<_> = served.iter().map(|it| &*it.module_digest).collect();
    assert_eq!(served, [two.unwrap(), one.unwrap()]);
    assert_eq!(store.activations().served(None).await.unwrap().len(), 3);
}

async fn what_changed_meanwhile_is_not_activated_over(home: Home) {
    let store = home.open().await;
    let [one, two] = two(&store).await;
    put(&store, "civil", &one, true).await;
    let revision = store.revision().await.unwrap();
    let error = change(&store, activate("civil", &one, Some(&two))).await;
    let error = error.unwrap_err();
    assert!(matches!(&error, StoreError::Moved { is, .. } if *is == one));
    for (bad, words) in [
        (
            activate("civil", "sha256:0", None),
            "there is no module sha256:0",
        ),
        (activate("none", &two, None), "there is no registry none"),
    ] {
        assert_eq!(change(&store, bad).await.unwrap_err().to_string(), words);
    }
    assert_eq!(store.revision().await.unwrap(), revision);
    assert_eq!(store.activations().of("civil", 9).await.unwrap().len(), 1);
}

async fn the_history_is_not_changed(home: Home) {
    let store = home.open().await;
    let [one, _] = two(&store).await;
    put(&store, "civil", &one, true).await;
    for statement in [
        "UPDATE activations SET caller = 'x'",
        "DELETE FROM activations",
    ] {
        let done = run(&mut home.connect().await, statement).await;
        assert!(done.is_err(), "{statement}");
    }
    assert_eq!(store.activations().of("civil", 9).await.unwrap().len(), 1);
}

async fn one_module_is_staged_until_it_serves(home: Home) {
    let store = home.open().await;
    let [one, two] = two(&store).await;
    put(&store, "civil", &one, true).await;
    let stage = |digest: &str, share_percent| RegistryChange::Stage {
        name: "civil".to_owned(),
        module_digest: digest.to_owned(),
        share_percent,
    };
    let unstage = || RegistryChange::Unstage {
        name: "civil".to_owned(),
    };
    assert!(change(&store, unstage()).await.is_err(), "there is none");
    assert!(change(&store, stage("sha256:0", None)).await.is_err());
    change(&store, stage(&two, None)).await.unwrap();
    change(&store, stage(&two, Some(20))).await.unwrap();
    let staged = store.candidates().get("civil").await.unwrap().unwrap();
    assert_eq!((staged.share_percent, &*staged.caller), (Some(20), "bea"));
    assert_eq!(store.candidates().list().await.unwrap(), [staged]);
    change(&store, unstage()).await.unwrap();
    assert_eq!(store.candidates().get("civil").await.unwrap(), None);

    change(&store, stage(&two, None)).await.unwrap();
    change(&store, activate("civil", &two, None)).await.unwrap();
    assert_eq!(store.candidates().get("civil").await.unwrap(), None);
    // Another module that is activated, or applied, leaves it; the registry takes it along.
    change(&store, stage(&one, None)).await.unwrap();
    put(&store, "civil", &two, false).await;
    assert!(store.candidates().get("civil").await.unwrap().is_some());
    put(&store, "civil", &one, true).await;
    assert_eq!(store.candidates().get("civil").await.unwrap(), None);
    change(&store, stage(&two, None)).await.unwrap();
    let name = "civil".to_owned();
    change(&store, RegistryChange::Delete { name })
        .await
        .unwrap();
    assert_eq!(store.candidates().list().await.unwrap(), []);
}

async fn what_is_open_stays_so_for_the_longest_time(home: Home) {
    let store = home.open().await;
    let state = |form, until| OpenState {
        registry: "civil".to_owned(),
        kind: "page".to_owned(),
        form,
        until,
    };
    let (soon, later) = (now() + 1.hour(), now() + 2.hours());
    for until in [soon, later, soon] {
        store.open_states().open(state(1, until)).await.unwrap();
    }
    let past = now() - 1.hour();
    store.open_states().open(state(2, past)).await.unwrap();
    let open = store.open_states().of("civil").await.unwrap();
    assert_eq!(open, [state(1, later)]);
    assert_eq!(store.open_states().of("other").await.unwrap(), []);
}

on_both!(
    the_history_has_every_way_in_which_what_serves_changes,
    what_changed_meanwhile_is_not_activated_over,
    the_history_is_not_changed,
    one_module_is_staged_until_it_serves,
    what_is_open_stays_so_for_the_longest_time,
);
