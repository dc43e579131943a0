//! Keys of callers, and callers of the schema before.

use jiff::{SignedDuration, Timestamp};
use sqlx::migrate::Migrator;

use super::*;
use crate::model::{Ability, CallerLimits};

async fn one(store: &Store, name: &str) -> Caller {
    let all = store.callers().list().await.unwrap();
    let mut all = all.into_iter().map(Result::unwrap);
    all.find(|caller| caller.name == name).unwrap()
}

async fn a_key_takes_the_place_of_others_and_one_is_revoked(home: Home) {
    let store = home.open().await;
    let callers = store.callers();
    let first = callers
        .add(a_caller("one", 1))
        .await
        .unwrap()
        .keys
        .remove(0);
    callers.add(a_caller("other", 9)).await.unwrap();
    let second = callers.add_key("one", a_key(2), None).await.unwrap();
    let now = Timestamp::now();
    let end = now + SignedDuration::from_hours(1);
    let soon = now + SignedDuration::from_mins(1);
    let short = NewKey {
        expires_at: Some(soon),
        ..a_key(3)
    };
    let third = callers.add_key("one", short, Some(end)).await.unwrap();
    let fourth = callers.add_key("one", a_key(4), Some(end)).await.unwrap();
    callers.revoke_key("one", second.id).await.unwrap();

    let keys = one(&store, "one").await.keys;
    let told: Vec<_> = keys
        .iter()
        .map(|key| (key.id, key.expires_at.map(|at| at <= soon), key.lives(now)))
        .collect();
    assert_eq!(
        told,
        [
            (first.id, Some(false), true),
            (second.id, Some(false), false),
            // It ended earlier, and still does.
            (third.id, Some(true), true),
            (fourth.id, None, true),
        ]
    );
    assert!(keys[0].lives(soon) && !keys[0].lives(end) && !keys[2].lives(soon));
    assert_eq!(one(&store, "other").await.keys[0].expires_at, None);

    // Another's key is none of its own.
    let error = callers.revoke_key("other", first.id).await.unwrap_err();
    assert!(matches!(error, StoreError::Unknown { what: "key", .. }));
    let error = callers.add_key("one", a_key(9), None).await.unwrap_err();
    assert_eq!(error.to_string(), "caller.key is taken already: (hidden)");
    callers.revoke("one").await.unwrap();
    assert!(
        one(&store, "one")
            .await
            .keys
            .iter()
            .all(|key| !key.lives(now))
    );
    for error in [
        callers.add_key("one", a_key(5), None).await.unwrap_err(),
        callers
            .set("one", CallerSettings::default())
            .await
            .unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::Unknown { what: "caller", .. }));
    }
}

async fn a_caller_has_so_many_keys_and_forgets_old_ones(home: Home) {
    let store = home.open().await;
    let callers = store.callers();
    callers.add(a_caller("one", 0)).await.unwrap();
    for key in 1..16 {
        callers.add_key("one", a_key(key), None).await.unwrap();
    }
    let error = callers.add_key("one", a_key(16), None).await.unwrap_err();
    assert!(
        error.to_string().starts_with("caller.keys are 16"),
        "{error}"
    );
    // One that ended long ago, one lately.
    let mut conn = home.connect().await;
    let now = Timestamp::now().as_microsecond();
    for (prefix, at) in [("rgw_0", 1), ("rgw_1", now)] {
        let statement =
            format!("UPDATE caller_keys SET expires_at = {at} WHERE prefix = '{prefix}'");
        run(&mut conn, statement).await.unwrap();
    }
    callers.add_key("one", a_key(16), None).await.unwrap();
    let keys = one(&store, "one").await.keys;
    assert_eq!((keys.len(), &*keys[0].prefix), (16, "rgw_1"));
}

async fn what_a_caller_may_is_replaced_and_uses_move_no_revision(home: Home) {
    let store = home.open().await;
    let callers = store.callers();
    let key = callers.add(a_caller("one", 1)).await.unwrap().keys[0].id;
    let settings = CallerSettings {
        roles: vec![crate::model::Role::Auditor],
        grants: Vec::new(),
        limits: Some(CallerLimits {
            requests_per_day: Some(2_000),
            ..CallerLimits::default()
        }),
    };
    callers.set("one", settings.clone()).await.unwrap();
    assert_eq!(one(&store, "one").await.settings, settings);
    let revision = store.revision().await.unwrap();
    let at = |hour: i64| Timestamp::from_second(hour * 3_600).unwrap();
    for hour in [5, 4] {
        callers.used(vec![(key, at(hour))]).await.unwrap();
        assert_eq!(one(&store, "one").await.keys[0].last_used_at, Some(at(5)));
    }
    assert_eq!(store.revision().await.unwrap(), revision);
}

/// A database of the schema before, with one row that nobody can read.
async fn callers_of_the_schema_before_keep_key_and_grants(home: Home) {
    let mut conn = match home.is_postgres() {
        true => home.connect().await,
        false => {
            std::fs::create_dir_all(home.config.path.parent().unwrap()).unwrap();
            std::fs::File::create(&home.config.path).unwrap();
            home.connect().await
        }
    };
    let before =
        |steps: &Migrator| Migrator::with_migrations(steps.iter().take(2).cloned().collect());
    match &mut conn {
        Conn::Sqlite(conn) => before(&sqlite::MIGRATOR).run(conn).await.unwrap(),
        Conn::Postgres(client) => {
            let steps = before(&postgres::MIGRATOR);
            steps.run(&mut client.conn).await.unwrap();
        }
    }
    let bytes = if home.is_postgres() { "BYTEA" } else { "BLOB" };
    for (id, name, registries, abilities, revoked) in [
        (1, "all", "*", r#"["find","verify"]"#, "NULL"),
        (2, "some", r#"["civil","social"]"#, r#"["find"]"#, "NULL"),
        (3, "gone", "*", "[]", "7"),
        (4, "spoilt", "[", r#"["find"]"#, "NULL"),
    ] {
        let statement = format!(
            "INSERT INTO callers (id, name, key_hash, registries, abilities, created_at, revoked_at) \
             VALUES ('00000000-0000-7000-8000-00000000000{id}', '{name}', \
             CAST('{}' AS {bytes}), '{registries}', '{abilities}', 1, {revoked})",
            id.to_string().repeat(32)
        );
        run(&mut conn, statement).await.unwrap();
    }
    conn.close().await;

    let store = home.open().await;
    let mut listed = store.callers().list().await.unwrap();
    let spoilt = listed.pop().unwrap().unwrap_err();
    assert_eq!(
        (&*spoilt.name, spoilt.error.to_string()),
        ("spoilt", "the stored grants is damaged".into())
    );
    let listed: Vec<_> = listed.into_iter().map(Result::unwrap).collect();
    let names: Vec<_> = listed.iter().map(|caller| &*caller.name).collect();
    assert_eq!(names, ["all", "gone", "some"]);
    let mut all = Grant::everything();
    all.abilities = vec![Ability::Find, Ability::Verify];
    assert_eq!(listed[0].settings.grants, [all]);
    assert_eq!(listed[0].keys[0].hash, *b"11111111111111111111111111111111");
    assert!(listed[0].keys[0].lives(Timestamp::now()));
    assert!(!listed[1].keys[0].lives(Timestamp::now()));
    let some = Grant::of(&["civil", "social"], &[Ability::Find]);
    assert_eq!(listed[2].settings.grants, [some]);
}

on_both!(
    a_key_takes_the_place_of_others_and_one_is_revoked,
    a_caller_has_so_many_keys_and_forgets_old_ones,
    what_a_caller_may_is_replaced_and_uses_move_no_revision,
    callers_of_the_schema_before_keep_key_and_grants,
);
