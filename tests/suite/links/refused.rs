//! Who is not linked, and who may not.

use gateway_tests::gateway::{TestGateway, identifiers};
use registry_gateway::model::{Ability, Role};
use serde_json::{Value, json};

use super::{body, ids, link, search, several};

fn places(answer: &gateway_tests::ask::Answer) -> Vec<&str> {
    let findings = answer.json["findings"].as_array().unwrap().iter();
    findings.map(|it| it["place"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_alone_is_not_enough() {
    let gateway = TestGateway::start().await;
    let people = several(&gateway, 1).await;
    let person = &people[0];
    let before = gateway.stand_in.requests();
    let alone = link(&gateway, &body("civil", "p-1", &person.uin, json!({}))).await;
    assert_eq!((alone.status, alone.code()), (409, "ambiguous"));
    assert_eq!(
        places(&alone),
        ["claimed.birthDate", "claimed.names.0.family"]
    );
    assert_eq!(gateway.stand_in.requests(), before, "nobody need be asked");

    let wrong = json!({ "birthDate": "1901-01-01", "names": [{ "family": "Nobodysname" }] });
    let wrong = link(&gateway, &body("civil", "p-1", &person.uin, wrong)).await;
    assert_eq!(wrong.code(), "ambiguous");
    assert_eq!(
        places(&wrong),
        ["claimed.birthDate", "claimed.names.0.family"]
    );
    let problem = wrong.json["findings"][0]["problem"].as_str().unwrap();
    assert!(problem.starts_with("mismatch"), "{problem}");
    for word in [&person.born, &person.family, &person.uin] {
        assert!(!wrong.text.contains(word), "{}", wrong.text);
    }
    assert!(
        search(&gateway, json!({ "subject": "p-1" }))
            .await
            .is_empty()
    );
    // One of the two is enough, and that the other disagreed is kept.
    let half = json!({ "birthDate": "1901-01-01", "names": [{ "family": person.family }] });
    let half = link(&gateway, &body("civil", "p-1", &person.uin, half))
        .await
        .ok();
    let evidence = &half.json["links"][0]["evidence"];
    assert_eq!(
        *evidence,
        json!({ "birth-date": "mismatch", "name.family": "match" })
    );

    let nobody = json!({ "birthDate": person.born });
    let nobody = link(&gateway, &body("civil", "p-9", "0000000000", nobody)).await;
    assert_eq!((nobody.status, nobody.code()), (404, "not-found"));

    // Each that was asked for is in the audit, with how it ended.
    let auditor = gateway.staff("olga", &[Role::Auditor]).await;
    let acts = gateway
        .get("/admin/v1/audit/acts?act=link.add")
        .key(&auditor);
    let acts = acts.send().await.ok();
    let ends: Vec<&str> = acts.json["acts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|act| act["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(ends, ["done", "ambiguous"], "{}", acts.text);
    let find = gateway.post(
        "/admin/v1/audit/find",
        &json!({ "identifiers": identifiers(&person.uin) }),
    );
    let found = find.key(&auditor).send().await.ok();
    let calls = found.json["calls"].as_array().unwrap();
    let verified = calls.iter().filter(|it| it["call"]["ability"] == "verify");
    assert_eq!(verified.count(), 2, "{}", found.text);
    let told = search(&gateway, json!({ "subject": "p-1" })).await;
    assert_eq!(told.len(), 1);
    let find = gateway.post(
        "/admin/v1/audit/find",
        &json!({ "identifiers": identifiers(&person.uin) }),
    );
    let found = find.key(&auditor).send().await.ok();
    let calls = found.json["calls"].as_array().unwrap();
    let told = calls
        .iter()
        .find(|it| it["call"]["ability"] == "links")
        .unwrap();
    assert_eq!(
        (&told["call"]["purpose"], &told["wasDisclosed"]),
        (&json!("suite"), &json!(true))
    );
}

/// A search of links is a call of the registry that it names, and of none where it names none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn searches_are_counted_as_calls_of_the_registry_that_is_named() {
    let gateway = TestGateway::start().await;
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    let daily = json!({
        "name": "daily", "limits": { "requestsPerDay": 2 },
        "grants": [{ "registries": ["civil", "social"], "abilities": ["find"] }],
    });
    let added = gateway.post("/admin/v1/callers", &daily).key(&admin);
    let added = added.send().await;
    assert_eq!(added.status, 201, "{}", added.text);
    let key = added.json["key"].as_str().unwrap().to_owned();
    let ask = async |body: Value| {
        let asked = gateway.post("/v1/links/search", &body).key(&key);
        asked.send().await
    };
    let number = json!({ "registry": "civil", "identifier": identifiers("12")[0] });
    let subject = json!({ "subject": "p-1", "registry": "civil" });
    assert_eq!(ask(number.clone()).await.status, 200);
    assert_eq!(ask(subject.clone()).await.status, 200);
    for body in [number, subject] {
        let spent = ask(body).await;
        assert_eq!((spent.status, spent.code()), (429, "quota-spent"));
    }
    let elsewhere = json!({ "subject": "p-1", "registry": "social" });
    assert_eq!(ask(elsewhere).await.status, 200);
    for _ in 0..3 {
        assert_eq!(ask(json!({ "subject": "p-1" })).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_cannot_both_be_linked_both_are_shown() {
    let gateway = TestGateway::start().await;
    let people = several(&gateway, 2).await;
    let asked = |subject: &str, at: usize| {
        let claimed = json!({ "birthDate": people[at].born });
        body("civil", subject, &people[at].uin, claimed)
    };
    let first = link(&gateway, &asked("p-1", 0)).await.ok();
    let first = &first.json["links"][0]["id"];

    let taken = link(&gateway, &asked("p-2", 0)).await;
    assert_eq!((taken.status, taken.code()), (409, "linked-otherwise"));
    assert_eq!(taken.json["field"], "identifiers");
    let number = json!([{ "scheme": "national-id", "value": people[0].uin }]);
    assert_eq!(
        taken.json["links"],
        json!([
            { "id": first, "subject": "p-1", "identifiers": number },
            { "subject": "p-2", "identifiers": number },
        ])
    );
    let detail = taken.json["detail"].as_str().unwrap();
    assert!(!detail.contains("p-1") && !detail.contains(&people[0].uin));

    let another = link(&gateway, &asked("p-1", 1)).await;
    assert_eq!(
        (another.code(), &another.json["field"]),
        ("linked-otherwise", &json!("subject"))
    );
    let shown = &another.json["links"];
    assert_eq!((&shown[0]["id"], &shown[1]["id"]), (first, &Value::Null));
    assert_eq!(shown[1]["identifiers"][0]["value"], json!(people[1].uin));
    // Of another registry, and of another caller, it is no question.
    let elsewhere = json!({ "birthDate": people[1].born });
    link(&gateway, &body("social", "p-1", &people[1].uin, elsewhere))
        .await
        .ok();
    let other = gateway
        .caller("other", &["civil"], &[Ability::Verify])
        .await;
    let theirs = gateway.post("/v1/links", &asked("q-7", 0)).key(&other);
    theirs.send().await.ok();
    assert_eq!(search(&gateway, json!({ "subject": "p-1" })).await.len(), 2);
    let in_civil = json!({ "subject": "p-1", "registry": "civil" });
    assert_eq!(
        ids(&search(&gateway, in_civil).await),
        [first.as_str().unwrap()]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_policy_says_what_is_enough() {
    let gateway = TestGateway::builder()
        .registry("civil", |text| {
            let both = vec![vec!["birth-date", "name.family"]];
            text.set("policy.link_evidence", both)
        })
        .registry("social", |text| {
            text.set("policy.link_evidence", vec![Vec::<&str>::new()])
                .set("policy.link_many_records", true)
        })
        .registry("masked", |text| text.set("policy.fields", vec!["names"]))
        .start()
        .await;
    let people = several(&gateway, 2).await;
    let person = &people[0];
    let date = json!({ "birthDate": person.born });
    let half = link(&gateway, &body("civil", "p-1", &person.uin, date.clone())).await;
    assert_eq!(
        (half.code(), places(&half)),
        ("ambiguous", vec!["claimed.names.0.family"])
    );
    let whole = json!({ "birthDate": person.born, "names": [{ "family": person.family }] });
    link(&gateway, &body("civil", "p-1", &person.uin, whole))
        .await
        .ok();
    // Here a number is enough, and one of the caller's people may be several of the registry's.
    for person in &people {
        let linked = link(&gateway, &body("social", "p-1", &person.uin, json!({})))
            .await
            .ok();
        assert_eq!(linked.json["links"][0]["by"]["ability"], "find");
    }
    // What a policy hides is not compared either, and the number is not shown.
    let hidden = link(&gateway, &body("masked", "p-1", &person.uin, date)).await;
    assert_eq!((hidden.status, hidden.code()), (403, "hidden-field"));
    assert_eq!(hidden.json["field"], "claimed.birthDate");
    let family = json!({ "names": [{ "family": person.family }] });
    let linked = link(&gateway, &body("masked", "p-1", &person.uin, family))
        .await
        .ok();
    assert!(
        linked.json["links"][0].get("value").is_none(),
        "{}",
        linked.text
    );
    assert!(!linked.text.contains(&person.uin));
    let shown = search(&gateway, json!({ "subject": "p-1", "registry": "masked" })).await;
    assert!(shown[0].get("value").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_look_may_not_link() {
    let gateway = TestGateway::start().await;
    let people = several(&gateway, 1).await;
    let asked = body(
        "civil",
        "p-1",
        &people[0].uin,
        json!({ "birthDate": people[0].born }),
    );
    let by_subject = json!({ "subject": "p-1", "registry": "civil" });
    let household = gateway.caller("h", &["civil"], &[Ability::Household]).await;
    let elsewhere = gateway.caller("e", &["social"], &Ability::ALL).await;
    for (key, status, code) in [
        (&household, 403, "not-granted"),
        (&elsewhere, 404, "unknown-registry"),
    ] {
        for (path, body) in [("/v1/links", &asked), ("/v1/links/search", &by_subject)] {
            let refused = gateway.post(path, body).key(key).send().await;
            assert_eq!((refused.status, refused.code()), (status, code), "{path}");
        }
    }
    for (path, body) in [("/v1/links", &asked), ("/v1/links/search", &by_subject)] {
        let silent = gateway
            .post(path, body)
            .without("registry-purpose")
            .send()
            .await;
        assert_eq!(silent.code(), "missing-statement", "{path}");
    }
    // By whichever ability it has.
    let finder = gateway.caller("f", &["civil"], &[Ability::Find]).await;
    let linked = gateway
        .post("/v1/links", &asked)
        .key(&finder)
        .send()
        .await
        .ok();
    assert_eq!(linked.json["links"][0]["by"]["ability"], "find");

    let changed = |field: &str, value: Value| {
        let mut body = asked.clone();
        body[field] = value;
        body
    };
    for (body, field) in [
        (changed("subject", json!("")), "subject"),
        (changed("identifiers", json!([])), "identifiers"),
        (
            changed(
                "claimed",
                json!({ "unmapped": [{ "field": "sex", "value": "?" }] }),
            ),
            "claimed.unmapped",
        ),
        (changed("registri", json!("civil")), "registri"),
    ] {
        let bad = link(&gateway, &body).await;
        assert_eq!(
            (bad.status, &bad.json["field"]),
            (400, &json!(field)),
            "{}",
            bad.text
        );
    }
    let number = &identifiers("1")[0];
    for (body, field) in [
        (json!({}), "body"),
        (
            json!({ "subject": "p", "identifier": number, "registry": "civil" }),
            "body",
        ),
        (json!({ "identifier": number }), "registry"),
        (json!({ "subject": " " }), "subject"),
    ] {
        let bad = gateway.post("/v1/links/search", &body).send().await;
        assert_eq!(
            (bad.status, &bad.json["field"]),
            (400, &json!(field)),
            "{body}"
        );
    }
}
