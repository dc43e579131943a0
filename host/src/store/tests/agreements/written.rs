//! What an agreement leaves in the store, and what it is refused for.

use super::*;

on_both!(
    it_is_written_as_any_activation_is,
    what_is_expected_and_a_module_that_is_retired,
);

async fn it_is_written_as_any_activation_is(home: Home) {
    let stage = Stage::new(&home).await;
    let a = stage.node("a", LONG).await;
    let staged = RegistryChange::Stage {
        name: "civil".into(),
        module_digest: stage.to.clone(),
        share_percent: None,
    };
    stage.store.registries().apply(vec![staged]).await.unwrap();
    let new = NewAgreement {
        registry: "civil".into(),
        to: stage.to.clone(),
        expected: Some(stage.from.clone()),
        why: Why::Rollback,
        forced: false,
        by_caller: "ada".into(),
        leader: "a".into(),
        prepared: Some(a),
        led_for: SHORT,
        decide_within: SHORT,
    };
    let begun = stage.store.agreements().begin(new).await.unwrap();
    let Begun::Asked(id) = begun else {
        panic!("{begun:?}");
    };
    assert_eq!(stage.store.agreements().to_prepare(a).await.unwrap(), []);
    assert!(matches!(stage.decide(id).await, Decision::Committed(_)));
    let rows = stage.store.activations().of("civil", 9).await.unwrap();
    let row = &rows[0];
    assert_eq!((&*row.caller, &*row.why), ("ada", "rollback"));
    assert_eq!(row.module_digest.as_ref(), Some(&stage.to));
    assert_eq!(row.previous.as_ref(), Some(&stage.from));
    assert_eq!(rows.len(), 2);
    let candidate = stage.store.candidates().get("civil").await.unwrap();
    assert_eq!(candidate, None, "it serves");
}

async fn what_is_expected_and_a_module_that_is_retired(home: Home) {
    let mut stage = Stage::new(&home).await;
    let from = std::mem::replace(&mut stage.from, "sha256:other".into());
    let new = NewAgreement {
        registry: "civil".into(),
        to: stage.to.clone(),
        expected: Some(stage.from.clone()),
        why: Why::Activate,
        forced: false,
        by_caller: "ada".into(),
        leader: "a".into(),
        prepared: None,
        led_for: LONG,
        decide_within: LONG,
    };
    let error = stage.store.agreements().begin(new).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Moved { is, .. } if *is == from),
        "{error:?}"
    );
    stage.from = from;
    let id = stage.begin(LONG, LONG).await;
    stage.store.modules().retire(&stage.to).await.unwrap();
    let before = stage.store.revision().await.unwrap();
    let decision = stage.decide(id).await;
    assert!(
        matches!(&decision, Decision::Overtaken(why) if why.contains("retired")),
        "{decision:?}"
    );
    assert_eq!(stage.store.revision().await.unwrap(), before);
    assert_eq!(stage.serves().await, stage.from);
    assert_eq!(stage.store.agreements().under_way().await.unwrap(), []);
}
