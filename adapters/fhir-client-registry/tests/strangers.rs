//! Who must not be told in the place of somebody, or as somebody's kin.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_sdk::model::{RelationRole, Unmapped};
use common::{IS_HEAD, RELATED, SEARCH, bundle, find, form, group, household, patient, registry};
use common::{related, relation, stage, who, with, with_group};
use serde_json::{Value, json};

const ELSEWHERE: &str = "https://other.example/fhir/Patient/7";
const HERE: &str = "https://cr.example.org/fhir";

fn replaced_by(reference: &str) -> Value {
    let link = json!([{ "other": { "reference": reference }, "type": "replaced-by" }]);
    with(patient("p1", "1"), json!({ "active": false, "link": link }))
}

/// An answer that says where it comes from.
fn from_here(mut answer: Value) -> Value {
    let url = format!("{HERE}/Patient/_search");
    answer["link"] = json!([{ "relation": "self", "url": url }]);
    answer
}

#[test]
fn a_reference_to_another_server_is_no_id_of_ours() {
    // Patient/7 of this server is a stranger.
    let answer = from_here(bundle(&json!([replaced_by(ELSEWHERE)])));
    let stage = stage(json!({}))
        .on_post(SEARCH, move |_| answer.clone())
        .on_get("/Patient/7", |_| patient("7", "stranger"));
    let found = find("1").unwrap();
    assert_eq!(found.replaced_by, []);
    assert_eq!(found.unmapped, [Unmapped::new("replaced-by", ELSEWHERE)]);
    assert_eq!(stage.requests().len(), 1);
}

#[test]
fn an_absolute_reference_to_the_server_itself_is_followed() {
    let to = format!("{HERE}/Patient/7");
    let answer = from_here(bundle(&json!([replaced_by(&to)])));
    let by_link = stage(json!({}))
        .on_post(SEARCH, move |_| answer.clone())
        .on_get("/Patient/7", |_| patient("7", "2"));
    assert_eq!(find("1").unwrap().replaced_by[0].value, "2");
    drop(by_link);
    // As the settings have it, where the answer does not say.
    let _stage = registry(json!({ "link_base": HERE }), json!([replaced_by(&to)]))
        .on_get("/Patient/7", |_| patient("7", "2"));
    assert_eq!(find("1").unwrap().replaced_by[0].value, "2");
}

#[test]
fn members_and_heads_of_other_servers_are_no_patients_of_this_one() {
    let url = "https://example.org/head";
    let elsewhere = json!({ "reference": ELSEWHERE });
    let more = json!({
        "member": [{ "entity": { "reference": "Patient/a" } }, { "entity": elsewhere }],
        "extension": [{ "url": url, "valueReference": elsewhere }],
    });
    let settings = json!({ "head": { "group_extension": url } });
    let people = json!([patient("a", "1"), patient("7", "stranger")]);
    let _stage = with_group(settings, group(&[], more), people);
    let found = household("household-id", "H1").unwrap();
    assert_eq!((found.people.len(), found.head), (1, None));
    assert_eq!(found.unmapped, [Unmapped::new("members", ELSEWHERE)]);
}

/// A registry that answers every search for Patients but that for the number with these.
fn that_answers(linked: Value, number: Value, of_child: Value) -> adapter_sdk::testing::Stage {
    stage(json!({ "household": "related-person", "head": { "patient_extension": IS_HEAD } }))
        .on_post(SEARCH, move |request| {
            match form(request).starts_with("link=") {
                true => linked.clone(),
                false => number.clone(),
            }
        })
        .on_post(RELATED, move |_| bundle(&of_child))
}

#[test]
fn who_carries_no_such_link_is_no_kin() {
    // The server ignores the parameter, and answers with everybody.
    let all = bundle(&json!([
        patient("x", "8"),
        who("mother", "r1"),
        who("y", "r9")
    ]));
    let number = bundle(&json!([patient("child", "1")]));
    let _stage = that_answers(all, number, json!([related("r1", "child", "MTH")]));
    let kinship = household("national-id", "1").unwrap();
    assert_eq!(kinship.people.len(), 2);
    assert_eq!(kinship.people[1].identifier("national-id"), Some("mother"));
    assert_eq!(kinship.relations, [relation(0, 1, RelationRole::Mother)]);
}

#[test]
fn half_a_family_is_refused() {
    let mut page = bundle(&json!([who("mother", "r1")]));
    page["link"] = json!([{ "relation": "next", "url": format!("{HERE}/Patient?page=2") }]);
    let number = bundle(&json!([patient("child", "1")]));
    let _stage = that_answers(page, number.clone(), json!([related("r1", "child", "MTH")]));
    let failure = household("national-id", "1").unwrap_err();
    assert_eq!(
        failure.summary(),
        "unsupported: related.several-pages (relations)"
    );
    let many: Vec<Value> = (0..101).map(|at| who(&format!("m{at}"), "r1")).collect();
    let many = bundle(&Value::Array(many));
    let _stage = that_answers(many, number, json!([related("r1", "child", "MTH")]));
    let failure = household("national-id", "1").unwrap_err();
    assert_eq!(failure.summary(), "unsupported: household.size (members)");
}

#[test]
fn the_relatives_of_a_replaced_record_are_not_a_second_self() {
    let link = json!([{ "other": { "reference": "Patient/child" }, "type": "replaced-by" }]);
    let old = with(
        patient("old", "1"),
        json!({ "active": false, "link": link }),
    );
    let mut number = bundle(&json!([old, patient("child", "1")]));
    let along = json!({ "resource": related("r0", "old", "MTH"), "search": { "mode": "include" } });
    number["entry"].as_array_mut().unwrap().push(along);
    let _stage = that_answers(bundle(&json!([])), number, json!([]))
        .on_get("/Patient/old", move |_| old.clone());
    let kinship = household("national-id", "1").unwrap();
    assert_eq!((kinship.people.len(), kinship.relations.len()), (1, 0));
}

#[test]
fn a_relation_that_is_over_is_none() {
    let over = |more: Value| with(related("r2", "p1", "HUSB"), more);
    for (more, note) in [
        (
            json!({ "active": false }),
            Unmapped::new("related.active", "false"),
        ),
        (
            json!({ "period": { "start": "2001", "end": "2010-05-01" } }),
            Unmapped::new("related.period", "2010-05-01"),
        ),
    ] {
        // As a find tells it.
        let mut answer = bundle(&json!([patient("p1", "1")]));
        for resource in [related("r1", "p1", "MTH"), over(more.clone())] {
            let along = json!({ "resource": resource, "search": { "mode": "include" } });
            answer["entry"].as_array_mut().unwrap().push(along);
        }
        let _stage = stage(json!({})).on_post(SEARCH, move |_| answer.clone());
        let found = find("1").unwrap();
        assert_eq!(found.related.len(), 1);
        assert_eq!(found.related[0].role, RelationRole::Mother);
        assert_eq!(found.unmapped, std::slice::from_ref(&note));
        // As a kinship has it: whom nothing but that relation names is not there.
        let number = bundle(&json!([patient("p1", "1")]));
        let _stage = that_answers(bundle(&json!([])), number, json!([over(more)]));
        let kinship = household("national-id", "1").unwrap();
        assert_eq!((kinship.people.len(), kinship.relations.len()), (1, 0));
        assert_eq!(kinship.unmapped[0].value, note.value);
    }
    // One that ends in days to come stands.
    let number = bundle(&json!([patient("p1", "1")]));
    let stands = over(json!({ "active": true, "period": { "end": "2999-01-01" } }));
    let _stage = that_answers(bundle(&json!([])), number, json!([stands]));
    assert_eq!(household("national-id", "1").unwrap().relations.len(), 1);
}
