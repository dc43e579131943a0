//! What changed since: a registry without a feed is asked.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_fhir_client_registry::FhirClientRegistry;
use adapter_sdk::model::{ChangesPage, EventKind};
use adapter_sdk::testing::Stage;
use adapter_sdk::{Events, Failure, Opaque};
use common::{SEARCH, bundle, form, patient, stage, with};
use serde_json::{Value, json};

fn polled() -> Stage {
    stage(json!({ "poll": true, "resource_id_scheme": "cr-id" }))
}

fn changes(cursor: Option<Opaque>) -> Result<ChangesPage, Failure> {
    FhirClientRegistry::changes(cursor, 2)
}

/// A cursor at this instant.
fn since(text: &str) -> Option<Opaque> {
    Some(Opaque {
        schema: 2,
        data: json!(text).to_string().into_bytes(),
    })
}

fn record(id: &str, version: &str, updated: &str, more: Value) -> Value {
    let meta = json!({ "meta": { "versionId": version, "lastUpdated": updated } });
    with(with(patient(id, id), meta), more)
}

fn linked(mut page: Value, next: &str) -> Value {
    page["link"] = json!([
        { "relation": "self", "url": "https://cr.example.org/fhir/Patient?_count=2" },
        { "relation": "next", "url": format!("https://cr.example.org/fhir/Patient?{next}") },
    ]);
    page
}

#[test]
fn it_is_asked_only_where_the_setting_says_so() {
    let stage = stage(json!({}));
    assert_eq!(changes(None).unwrap_err().kind(), "unsupported");
    assert_eq!(stage.requests().len(), 0);
}

#[test]
fn the_first_poll_begins_now() {
    let stage = polled();
    let page = changes(None).unwrap();
    assert_eq!(
        (page.events.len(), page.more, page.cursor.schema),
        (0, false, 2)
    );
    assert_eq!(stage.requests().len(), 0);
}

#[test]
fn records_are_new_changed_merged_and_dead() {
    let link = json!([{ "other": { "reference": "Patient/p1" }, "type": "replaced-by" }]);
    let stage = polled().on_post(SEARCH, move |_| {
        bundle(&json!([
            record("p1", "1", "2026-03-04T10:00:00.100Z", json!({})),
            record(
                "p2",
                "7",
                "2026-03-04T10:00:01Z",
                json!({ "deceasedBoolean": true })
            ),
            record(
                "p3",
                "2",
                "2026-03-04T15:45:02+05:45",
                json!({ "active": false, "link": link })
            ),
        ]))
    });
    let page = changes(since("2026-03-04T09:00:00Z")).unwrap();
    let kinds: Vec<&EventKind> = page.events.iter().map(|it| &it.kind).collect();
    let expected = [
        EventKind::RecordCreated,
        EventKind::RecordChanged,
        EventKind::Death,
        EventKind::Merge,
    ];
    assert_eq!(kinds, expected.iter().collect::<Vec<_>>());
    assert_eq!(page.events[0].id, "Patient/p1/1");
    assert_eq!(page.events[1].version.as_deref(), Some("7"));
    // The newest instant, whatever its zone.
    assert_eq!(page.cursor, since("2026-03-04T15:45:02+05:45").unwrap());
    assert_eq!(
        form(&stage.requests()[0]),
        "_lastUpdated=ge2026-03-04T09%3A00%3A00Z&_sort=_lastUpdated&_count=2"
    );
}

#[test]
fn a_page_of_one_instant_is_read_on_and_another_waits() {
    let now = "2026-03-04T10:00:00Z";
    let stage = polled().on_post(SEARCH, move |request| match form(request).as_str() {
        "page=2" => linked(
            bundle(&json!([record(
                "p2",
                "2",
                "2026-03-04T10:00:05Z",
                json!({})
            )])),
            "page=3",
        ),
        _ => linked(
            bundle(&json!([record("p1", "2", now, json!({}))])),
            "page=2",
        ),
    });
    let page = changes(since(now)).unwrap();
    let ids: Vec<&str> = page.events.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["Patient/p1/2", "Patient/p2/2"]);
    assert!(page.more);
    assert_eq!(page.cursor, since("2026-03-04T10:00:05Z").unwrap());
    assert_eq!(stage.requests().len(), 2);
    drop(stage);
    // An instant without end is told, and is no endless call.
    let stage = polled().on_post(SEARCH, move |_| {
        linked(
            bundle(&json!([record("p1", "2", now, json!({}))])),
            "page=2",
        )
    });
    assert_eq!(
        changes(since(now)).unwrap_err().summary(),
        "unsupported: changes.at-once (cursor)"
    );
    assert_eq!(stage.requests().len(), 11);
}

#[test]
fn nothing_new_keeps_the_cursor_and_a_foreign_one_is_refused() {
    let now = "2026-03-04T10:00:00Z";
    let _stage = polled().on_post(SEARCH, |_| bundle(&json!([])));
    let page = changes(since(now)).unwrap();
    assert_eq!((page.events.len(), page.cursor), (0, since(now).unwrap()));
    let foreign = Opaque {
        schema: 9,
        data: Vec::new(),
    };
    assert_eq!(
        changes(Some(foreign)).unwrap_err().summary(),
        "rejected: state.unreadable"
    );
}

#[test]
fn a_record_that_may_not_be_read_keeps_nobody_back() {
    let at = "2026-03-04T10:00:00Z";
    let modified = json!({ "modifierExtension": [{ "url": "urn:x", "valueBoolean": true }] });
    let modified = record("p1", "2", at, modified);
    let bare = with(patient("p2", "2"), json!({ "meta": { "lastUpdated": at } }));
    let whole = record("p3", "2", "2026-03-04T10:00:05Z", json!({}));
    let _stage = polled().on_post(SEARCH, move |_| bundle(&json!([modified, bare, whole])));
    let page = changes(since("2026-03-04T09:00:00Z")).unwrap();
    assert_eq!(page.events.len(), 3);
    assert_eq!(page.events[2].id, "Patient/p3/2");
    for (event, id) in page.events.iter().zip(["p1", "p2"]) {
        assert_eq!(event.kind, EventKind::RecordChanged);
        let person = &event.participants[0].person;
        assert_eq!((person.identifiers.len(), person.names.len()), (1, 0));
        assert_eq!(person.identifier("cr-id"), Some(id));
    }
    assert_ne!(page.events[0].id, page.events[1].id);
    assert_eq!(page.cursor, since("2026-03-04T10:00:05Z").unwrap());
}

#[test]
fn a_server_that_does_not_sort_is_not_followed() {
    let _stage = polled().on_post(SEARCH, |_| {
        let newest_first = json!([
            record("p2", "2", "2026-03-04T10:00:05Z", json!({})),
            record("p1", "2", "2026-03-04T10:00:00Z", json!({})),
        ]);
        linked(bundle(&newest_first), "page=2")
    });
    let failure = changes(since("2026-03-04T09:00:00Z")).unwrap_err();
    assert_eq!(failure.summary(), "unsupported: changes.sort (cursor)");
}

#[test]
fn a_golden_record_of_opencr_is_nobody() {
    let at = "2026-03-04T10:00:00Z";
    let tag = json!({ "versionId": "1", "lastUpdated": at,
        "tag": [{ "code": "5c827da5-4858-4f3d-a50c-62ece001efea" }] });
    let golden = with(patient("gold", "1"), json!({ "meta": tag }));
    let of = |server: &str| {
        let golden = golden.clone();
        let answer = move |_: &adapter_sdk::http::Request| bundle(&json!([golden]));
        let _stage = stage(json!({ "poll": true, "server": server }))
            .on_get("/Patient", answer.clone())
            .on_post(SEARCH, answer);
        changes(since("2026-03-04T09:00:00Z")).unwrap().events.len()
    };
    assert_eq!((of("opencr"), of("fhir")), (0, 1));
}
