//! Which registry's person is which of a caller's people.

use super::*;

fn link(subject: u8, identifier: u8) -> Link {
    Link {
        id: Uuid::now_v7(),
        caller: "openimis".into(),
        registry: "crvs".into(),
        subject: [subject; 32],
        identifier: [identifier; 32],
        scheme: "national-id".into(),
        record: Uuid::now_v7(),
        evidence: r#"{"birth-date":"match"}"#.into(),
        ability: "verify".into(),
        module_digest: "sha256:00".into(),
        request_id: "request".into(),
        operation: None,
        by_user: Some("claims-officer-7".into()),
        linked_at: now(),
        unlinked: None,
        sealed: b"sealed".to_vec(),
    }
}

fn one_record(links: &[Link]) -> NewLinks {
    NewLinks {
        links: links.to_vec(),
        one_record: true,
    }
}

async fn add(store: &Store, links: &[Link]) -> Linked {
    store.links().add(one_record(links)).await.unwrap()
}

async fn a_person_is_one_person_on_either_side(home: Home) {
    let store = home.open().await;
    let (one, other) = (link(1, 1), link(1, 2));
    // Two identifiers of one record.
    let done = add(&store, &[one.clone(), other.clone()]).await;
    let Linked::Done(done) = done else {
        panic!("{done:?}")
    };
    assert_eq!(done.len(), 2);
    assert_eq!(done[0].record, done[1].record);
    // Once more, and with a third.
    let again = add(&store, &[link(1, 1), link(1, 3)]).await;
    let Linked::Done(again) = again else {
        panic!("{again:?}")
    };
    assert_eq!((again[0].id, again[1].record), (one.id, done[0].record));

    // The identifier is another person's of this caller: both are shown, and nothing is done.
    let refused = add(&store, &[link(2, 9), link(2, 2)]).await;
    let Linked::OtherSubject(theirs) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((theirs.id, theirs.subject), (other.id, [1; 32]));
    // The person is linked to another of the registry.
    let refused = add(&store, &[link(1, 8)]).await;
    assert!(
        matches!(&refused, Linked::OtherRecord(theirs) if theirs.id == one.id),
        "{refused:?}"
    );
    let links = store.links();
    assert!(
        links
            .of_identifier("openimis", "crvs", &[8; 32])
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        links
            .of_identifier("openimis", "crvs", &[9; 32])
            .await
            .unwrap()
            .is_empty()
    );
    // Another caller's people are its own.
    let theirs = Link {
        caller: "other".into(),
        ..link(7, 2)
    };
    assert!(matches!(add(&store, &[theirs]).await, Linked::Done(_)));
}

async fn what_stood_stays_known(home: Home) {
    let store = home.open().await;
    let first = link(1, 1);
    add(&store, std::slice::from_ref(&first)).await;
    let links = store.links();
    assert!(!links.end(Uuid::now_v7(), "wrong", "ada").await.unwrap());
    assert!(links.end(first.id, "wrong", "ada").await.unwrap());
    assert!(!links.end(first.id, "again", "eve").await.unwrap());
    let second = link(2, 1);
    assert!(matches!(
        add(&store, std::slice::from_ref(&second)).await,
        Linked::Done(_)
    ));
    let all = links
        .of_identifier("openimis", "crvs", &[1; 32])
        .await
        .unwrap();
    let stand: Vec<_> = all
        .iter()
        .map(|it| (it.id, it.unlinked.is_none()))
        .collect();
    assert_eq!(stand, [(first.id, false), (second.id, true)]);
    let ended = all[0].unlinked.as_ref().unwrap();
    assert_eq!((ended.why.as_str(), ended.by.as_str()), ("wrong", "ada"));
    assert_eq!(links.get(first.id).await.unwrap().as_ref(), Some(&all[0]));
    let of_first = links.of_subject("openimis", &[1; 32]).await.unwrap();
    assert_eq!(of_first.len(), 1);
    assert_eq!(of_first[0].evidence, first.evidence);
}

/// Many at once tie one identifier to people of their own: one of them has it.
async fn only_one_of_many_has_it(home: Home) {
    let store = [home.open().await, home.open().await];
    let tasks = (0..8).map(|subject| {
        let store = store[usize::from(subject % 2)].clone();
        tokio::spawn(async move {
            loop {
                match store.links().add(one_record(&[link(subject, 1)])).await {
                    Ok(linked) => return matches!(linked, Linked::Done(_)),
                    Err(StoreError::Busy) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        })
    });
    let tasks: Vec<_> = tasks.collect();
    let mut have = 0;
    for task in tasks {
        have += usize::from(task.await.unwrap());
    }
    assert_eq!(have, 1);
}

async fn by_policy_a_person_has_several_records(home: Home) {
    let store = home.open().await;
    let many = |links: &[Link]| NewLinks {
        one_record: false,
        ..one_record(links)
    };
    let (first, second) = (link(1, 1), link(1, 2));
    add(&store, std::slice::from_ref(&first)).await;
    let done = store
        .links()
        .add(many(std::slice::from_ref(&second)))
        .await
        .unwrap();
    assert_eq!(done, Linked::Done(vec![second.clone()]));
    assert_ne!(first.record, second.record);
    // One number twice in a request is one link.
    let again = [link(1, 3), link(1, 3)];
    let done = store.links().add(many(&again)).await.unwrap();
    assert_eq!(done, Linked::Done(vec![again[0].clone()]));
}

async fn they_are_listed_the_newest_first(home: Home) {
    let store = home.open().await;
    let mut made = [link(1, 1), link(2, 2), link(3, 3)];
    made[2].registry = "social".into();
    for one in &made {
        add(&store, std::slice::from_ref(one)).await;
    }
    let links = store.links();
    assert!(links.end(made[1].id, "wrong", "ada").await.unwrap());
    let listed = async |filter: LinkFilter| -> Vec<Uuid> {
        let limit = filter.limit.max(1);
        let all = links.list(&LinkFilter { limit, ..filter }).await.unwrap();
        all.iter().map(|link| link.id).collect()
    };
    let all = LinkFilter {
        limit: 10,
        ..LinkFilter::default()
    };
    assert_eq!(listed(all.clone()).await, [made[2].id, made[0].id]);
    let ended = LinkFilter {
        ended: true,
        registry: Some("crvs".into()),
        ..all.clone()
    };
    assert_eq!(listed(ended.clone()).await, [made[1].id, made[0].id]);
    let page = LinkFilter {
        before: Some(made[1].id),
        ..ended
    };
    assert_eq!(listed(page).await, [made[0].id]);
    let theirs = LinkFilter {
        caller: Some("other".into()),
        ..all
    };
    assert!(listed(theirs).await.is_empty());
}

on_both!(
    a_person_is_one_person_on_either_side,
    by_policy_a_person_has_several_records,
    they_are_listed_the_newest_first,
    what_stood_stays_known,
    only_one_of_many_has_it,
);
