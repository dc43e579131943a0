//! Links: made where the registry's record agrees, found by either side, ended and not forgotten.

mod feed;
mod operations;
mod refused;

use gateway_tests::ask::Answer;
use gateway_tests::components;
use gateway_tests::gateway::{RegistryText, TestGateway, identifiers};
use registry_gateway::model::{Ability, Role};
use serde_json::{Value, json};

/// Somebody as `civil` has them.
struct Known {
    uin: String,
    born: String,
    family: String,
}

async fn known(gateway: &TestGateway, index: u64) -> Known {
    let uin = gateway.person(index).uin;
    let found = gateway.find("civil", &uin).send().await.ok();
    let person = &found.json["person"];
    Known {
        born: person["birthDate"]["value"].as_str().unwrap().to_owned(),
        family: person["names"][0]["family"].as_str().unwrap().to_owned(),
        uin,
    }
}

/// People of whom the registry knows a whole birth date and a family name.
async fn several(gateway: &TestGateway, count: usize) -> Vec<Known> {
    let mut several: Vec<Known> = Vec::new();
    for index in 0..100 {
        if several.len() == count {
            break;
        }
        let uin = gateway.person(index).uin;
        let found = gateway.find("civil", &uin).send().await;
        let person = &found.json["person"];
        let whole = person["birthDate"]["value"]
            .as_str()
            .is_some_and(|it| it.len() == 10)
            && person["birthDate"]["estimated"] != true
            && person["names"][0]["family"].is_string();
        if whole {
            several.push(known(gateway, index).await);
        }
    }
    assert_eq!(several.len(), count);
    several
}

fn body(registry: &str, subject: &str, uin: &str, claimed: Value) -> Value {
    json!({
        "subject": subject, "registry": registry, "identifiers": identifiers(uin), "claimed": claimed,
    })
}

async fn link(gateway: &TestGateway, body: &Value) -> Answer {
    gateway.post("/v1/links", body).send().await
}

async fn search(gateway: &TestGateway, body: Value) -> Vec<Value> {
    let found = gateway.post("/v1/links/search", &body).send().await.ok();
    found.json["links"].as_array().unwrap().clone()
}

async fn end(gateway: &TestGateway, id: &str, reason: &str) -> Answer {
    let ask = gateway.ask(reqwest::Method::DELETE, &format!("/v1/links/{id}"));
    ask.json(&json!({ "reason": reason })).send().await
}

fn ids(links: &[Value]) -> Vec<&str> {
    links
        .iter()
        .map(|link| link["id"].as_str().unwrap())
        .collect()
}

fn records() -> RegistryText {
    RegistryText::bare(components::component("registrar-guest"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_is_linked_found_by_either_side_and_ended() {
    let gateway = TestGateway::start().await;
    let people = several(&gateway, 1).await;
    let Known { uin, born, .. } = &people[0];
    let asked = body("civil", "p-1", uin, json!({ "birthDate": born }));
    let linked = link(&gateway, &asked).await.ok();
    let first = linked.json["links"][0].clone();
    assert_eq!(
        (&first["subject"], &first["value"], &first["scheme"]),
        (&json!("p-1"), &json!(uin), &json!("national-id"))
    );
    assert_eq!(first["evidence"], json!({ "birth-date": "match" }));
    // The adapter compares by the registry's rules, where it can.
    assert_eq!(first["by"]["ability"], "verify");
    assert_eq!(first["by"]["module"], linked.json["source"]["module"]);
    assert_eq!(first["by"]["requestId"], linked.header("x-request-id"));
    let id = first["id"].as_str().unwrap();
    // The same again is the same link.
    let again = link(&gateway, &asked).await.ok();
    assert_eq!(again.json["links"][0]["id"], id);

    let by_subject = json!({ "subject": "p-1" });
    let number = &identifiers(uin)[0];
    let by_number = json!({ "registry": "civil", "identifier": number });
    assert_eq!(ids(&search(&gateway, by_subject.clone()).await), [id]);
    let found = search(&gateway, by_number.clone()).await;
    assert_eq!(
        (ids(&found), &found[0]["subject"]),
        (vec![id], &json!("p-1"))
    );
    let elsewhere = json!({ "registry": "social", "identifier": number });
    assert!(search(&gateway, elsewhere).await.is_empty());
    // Another caller's people are its own.
    let other = gateway.caller("other", &["civil"], &[Ability::Find]).await;
    let theirs = gateway.post("/v1/links/search", &by_number).key(&other);
    assert_eq!(theirs.send().await.ok().json["links"], json!([]));
    let ask = gateway.ask(reqwest::Method::DELETE, &format!("/v1/links/{id}"));
    let ask = ask.json(&json!({ "reason": "wrong-person" }));
    let gone = ask.key(&other).send().await;
    assert_eq!((gone.status, gone.code()), (404, "unknown-link"));

    for bad in ["", "Sita Devi", "Wrong", &"x".repeat(65)] {
        let refused = end(&gateway, id, bad).await;
        assert_eq!(
            (refused.status, &refused.json["field"]),
            (400, &json!("reason"))
        );
    }
    assert_eq!(
        end(&gateway, "no-such", "wrong").await.code(),
        "unknown-link"
    );
    assert_eq!(end(&gateway, id, "wrong-person").await.status, 204);
    let twice = end(&gateway, id, "again").await;
    assert_eq!((twice.status, twice.code()), (409, "link-ended"));
    assert!(search(&gateway, by_subject.clone()).await.is_empty());
    let mut all = by_subject;
    all["ended"] = json!(true);
    let ended = search(&gateway, all).await;
    assert_eq!(ids(&ended), [id]);
    let how = &ended[0]["ended"];
    assert_eq!(
        (&how["reason"], &how["by"]),
        (&json!("wrong-person"), &json!("suite"))
    );
    // The number is free for who it is.
    let right = body("civil", "p-2", uin, json!({ "birthDate": born }));
    link(&gateway, &right).await.ok();
    let mut history = by_number;
    history["ended"] = json!(true);
    let history = search(&gateway, history).await;
    let who: Vec<_> = history.iter().map(|it| it["subject"].clone()).collect();
    assert_eq!(who, ["p-1", "p-2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_an_adapter_that_only_finds_the_gateway_compares() {
    let gateway = TestGateway::builder()
        .registry("records", |_| records())
        .start()
        .await;
    let ana = json!({ "names": [{ "family": "Núñez", "given": ["Ana"] }], "born": "1985-05-20" });
    let ana = gateway.stand_in.records().put(&ana);
    let asked = |subject: &str, claimed: Value| {
        json!({
            "subject": subject, "registry": "records", "claimed": claimed,
            "identifiers": [{ "scheme": "record-id", "value": ana }],
        })
    };
    let wrong = json!({ "birthDate": "1985-05", "names": [{ "family": "Lima" }] });
    let refused = link(&gateway, &asked("p-1", wrong)).await;
    assert_eq!((refused.status, refused.code()), (409, "ambiguous"));
    let findings = refused.json["findings"].as_array().unwrap();
    let told: Vec<_> = findings
        .iter()
        .map(|it| {
            let problem = it["problem"].as_str().unwrap();
            let (word, _) = problem.split_once(':').unwrap();
            (it["place"].as_str().unwrap(), word)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("claimed.birthDate", "close"),
            ("claimed.names.0.family", "mismatch")
        ]
    );
    // What the registry has is not told.
    for word in ["Núñez", "1985", "Ana"] {
        assert!(!refused.text.contains(word), "{}", refused.text);
    }
    let right = json!({ "names": [{ "family": "Nunez" }] });
    let linked = link(&gateway, &asked("p-1", right)).await.ok();
    let first = &linked.json["links"][0];
    assert_eq!(first["by"]["ability"], "find");
    assert_eq!(first["evidence"], json!({ "name.family": "close" }));
    // A further number must be of the same record.
    let mut two = asked("p-1", json!({ "birthDate": "1985-05-20" }));
    let further = json!({ "scheme": "passport", "value": "P-7" });
    two["identifiers"].as_array_mut().unwrap().push(further);
    let refused = link(&gateway, &two).await;
    assert_eq!(refused.code(), "ambiguous");
    assert_eq!(refused.json["findings"][0]["place"], "identifiers.1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn administrators_see_where_and_when_and_nobody_in_it() {
    let gateway = TestGateway::start().await;
    let people = several(&gateway, 2).await;
    for (subject, known) in ["Secretsubject-1", "Secretsubject-2"]
        .into_iter()
        .zip(&people)
    {
        let claimed = json!({ "names": [{ "family": known.family }] });
        let asked = gateway.post("/v1/links", &body("civil", subject, &known.uin, claimed));
        let asked = asked.header("registry-user", "officer-7");
        asked.send().await.ok();
    }
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    let auditor = gateway.staff("olga", &[Role::Auditor]).await;
    let get = async |path: &str, key: &str| gateway.get(path).key(key).send().await;
    let listed = get("/admin/v1/links?caller=suite&registry=civil", &auditor)
        .await
        .ok();
    let links = listed.json["links"].as_array().unwrap();
    assert_eq!(links.len(), 2);
    assert_eq!(links[0]["by"]["user"], "officer-7");
    for known in &people {
        assert!(!listed.text.contains(&known.uin) && !listed.text.contains("Secretsubject"));
    }
    let first = get("/admin/v1/links?limit=1", &admin).await.ok();
    assert_eq!(first.json["links"][0]["id"], links[0]["id"]);
    let path = format!(
        "/admin/v1/links?limit=1&before={}",
        first.json["next"].as_str().unwrap()
    );
    assert_eq!(
        get(&path, &admin).await.ok().json["links"][0]["id"],
        links[1]["id"]
    );
    for (query, field) in [
        ("ended=maybe", "ended"),
        ("before=1", "before"),
        ("limit=0", "limit"),
    ] {
        let bad = get(&format!("/admin/v1/links?{query}"), &admin).await;
        assert_eq!(
            (bad.status, &bad.json["field"]),
            (400, &json!(field)),
            "{query}"
        );
    }
    let id = links[0]["id"].as_str().unwrap();
    let path = format!("/admin/v1/links/{id}/end");
    let ending = json!({ "reason": "merged" });
    let refused = gateway.post(&path, &ending).key(&auditor).send().await;
    assert_eq!((refused.status, refused.code()), (403, "not-allowed"));
    assert_eq!(
        gateway.post(&path, &ending).key(&admin).send().await.status,
        204
    );
    let shown = get(&format!("/admin/v1/links/{id}"), &auditor).await.ok();
    assert_eq!(
        (&shown.json["ended"]["by"], &shown.json["caller"]),
        (&json!("ada"), &json!("suite"))
    );
    let left = get("/admin/v1/links", &admin).await.ok();
    assert_eq!(left.json["links"].as_array().unwrap().len(), 1);
    let all = get("/admin/v1/links?ended=true", &admin).await.ok();
    assert_eq!(all.json["links"].as_array().unwrap().len(), 2);
    let none = get(
        "/admin/v1/links/0199c9a2-6c1e-7000-8000-000000000000",
        &admin,
    )
    .await;
    assert_eq!((none.status, none.code()), (404, "unknown"));

    // Every act is there before and after, and no one who was linked is in the clear.
    let acts = get("/admin/v1/audit/acts?act=link.end", &auditor)
        .await
        .ok();
    assert_eq!(
        acts.json["acts"].as_array().unwrap().len(),
        1,
        "{}",
        acts.text
    );
    assert!(acts.text.contains("merged") && acts.text.contains(id));
    for file in std::fs::read_dir(gateway.kept()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        for word in ["Secretsubject", &people[0].uin, &people[1].uin] {
            let found = bytes
                .windows(word.len())
                .any(|part| part == word.as_bytes());
            assert!(!found, "{word} is in {}", path.display());
        }
    }
}
