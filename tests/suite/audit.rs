//! No answer without its rows.

use gateway_tests::gateway::{TestGateway, identifiers};
use gateway_tests::stand_in::Fault;
use gateway_tests::wait::until;
use registry_gateway::store::AuditEntry;
use serde_json::json;

/// The rows of a request, read as another process would.
async fn rows(gateway: &TestGateway, request: &str) -> Vec<AuditEntry> {
    let store = gateway.store().await;
    let rows = store.audit().by_request(request).await.expect("rows");
    store.close().await;
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_answer_has_its_rows_before_it_leaves() {
    let gateway = TestGateway::start().await;
    let uin = gateway.person(2).uin;
    let asked = identifiers(&uin);
    let by_name = json!({ "criteria": [{ "field": "sex", "equals": "female" }], "pageSize": 3 });
    let claim = json!({ "identifiers": asked, "claimed": { "birthDate": "1990" } });
    let somebody = json!({ "identifiers": asked });
    let nobody = json!({ "identifiers": identifiers("1000000000") });
    let broken = json!({ "identifiers": identifiers(&Fault::uin("html").unwrap()) });
    // Ability, question, status, outcome, and whether somebody was told of.
    let table = [
        ("find", &somebody, 200, "done", true),
        ("household", &somebody, 200, "done", true),
        ("search", &by_name, 200, "done", true),
        ("verify", &claim, 200, "done", true),
        ("find", &nobody, 404, "not-found", false),
        ("find", &broken, 502, "unreadable", false),
    ];
    let mut hashes = Vec::new();
    for (at, (ability, body, status, outcome, told)) in table.into_iter().enumerate() {
        let id = format!("00000000-0000-4000-8000-{at:012}");
        let answer = gateway
            .lookup("civil", ability, body)
            .header("x-request-id", &id)
            .header("registry-user", "officer-7")
            .header("registry-entity", "district-3")
            .header("registry-legal-basis", "art-6")
            .send()
            .await;
        // Straight after the answer, from another handle: the rows are there already.
        let rows = rows(&gateway, &id).await;
        assert_eq!(answer.status, status, "{ability}: {}", answer.text);
        let [AuditEntry { begin, end }] = rows.as_slice() else {
            panic!("{ability}: {} rows", rows.len());
        };
        let end = end.as_ref().expect("an end");
        assert_eq!(end.outcome, outcome, "{ability}");
        assert!(end.registry_calls >= 1);
        assert_eq!(!end.disclosed.is_empty(), told, "{ability}");
        assert_eq!(begin.caller, "suite");
        assert_eq!(begin.registry, "civil");
        assert_eq!(begin.ability, ability);
        assert_eq!(begin.asked.len(), 1);
        let said = [
            &begin.purpose,
            &begin.user,
            &begin.entity,
            &begin.legal_basis,
        ];
        let said = said.map(|text| text.as_deref().unwrap_or_default());
        assert_eq!(said, ["suite", "officer-7", "district-3", "art-6"]);
        if status == 200 {
            assert_eq!(answer.json["source"]["module"], begin.module_digest);
        }
        if body == &somebody {
            assert!(
                end.disclosed.contains(&begin.asked[0]),
                "who was asked is told"
            );
            hashes.push(begin.asked[0]);
        }
    }
    // One person, one hash; with another gateway's key another.
    assert_eq!(hashes[0], hashes[1]);
    let other = TestGateway::start().await;
    let answer = other
        .find("civil", &uin)
        .header("x-request-id", "00000000-0000-4000-8001-000000000000");
    answer.send().await.ok();
    assert_ne!(
        rows(&other, "00000000-0000-4000-8001-000000000000").await[0]
            .begin
            .asked[0],
        hashes[0]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_first_row_nothing_is_asked() {
    let gateway = TestGateway::builder()
        .config(|config| config.store.busy_timeout_ms = 50)
        .start()
        .await;
    let uin = gateway.person(2).uin;
    let mut other = gateway.outside().await;
    other.lock().await;
    let answer = gateway.find("civil", &uin).send().await;
    assert_eq!((answer.status, answer.code()), (503, "audit-unavailable"));
    assert!(!answer.header("retry-after").is_empty());
    assert_eq!(gateway.get("/readyz").send().await.code(), "not-ready");
    assert_eq!(gateway.get("/healthz").send().await.status, 200);
    assert_eq!(gateway.stand_in.requests(), 0);
    other.unlock().await;
    gateway.find("civil", &uin).send().await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_last_row_nothing_is_told() {
    let gateway = TestGateway::start().await;
    let person = gateway.person(2);
    let mut other = gateway.outside().await;
    other.refuse_ends().await;
    let id = "00000000-0000-4000-8001-000000000001";
    let answer = gateway
        .find("civil", &person.uin)
        .header("x-request-id", id);
    let answer = answer.send().await;
    assert_eq!((answer.status, answer.code()), (503, "audit-unavailable"));
    assert!(
        !answer.text.contains(&person.name.surname),
        "{}",
        answer.text
    );
    assert_eq!(gateway.stand_in.requests(), 1);
    let rows = rows(&gateway, id).await;
    assert!(rows.len() == 1 && rows[0].end.is_none());
    other.take_ends().await;
    gateway.find("civil", &person.uin).send().await.ok();
}

/// The database is locked just when the end is to be written: nothing is told, and the row gets its
/// end once the lock is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_could_not_be_written_is_written_later() {
    let gateway = TestGateway::builder()
        .config(|config| config.store.busy_timeout_ms = 50)
        .start()
        .await;
    let slow = std::time::Duration::from_millis(700);
    gateway.stand_in.set_fault(Fault::Slow(slow));
    let id = "00000000-0000-4000-8001-000000000003";
    let ask = gateway.find("civil", &gateway.person(2).uin);
    let call = tokio::spawn(ask.header("x-request-id", id).send());
    until("it is asked", async || gateway.stand_in.requests() == 1).await;
    let mut other = gateway.outside().await;
    other.lock().await;
    let answer = call.await.expect("an answer");
    assert_eq!((answer.status, answer.code()), (503, "audit-unavailable"));
    let before = rows(&gateway, id).await;
    assert!(before.len() == 1 && before[0].end.is_none());
    other.unlock().await;
    until("its end", async || {
        let rows = rows(&gateway, id).await;
        rows.first().is_some_and(|row| row.end.is_some())
    })
    .await;
    let end = rows(&gateway, id).await.remove(0).end.unwrap();
    // Nobody was told of anybody.
    assert_eq!((&*end.outcome, end.disclosed.len()), ("not-told", 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_hangs_up_is_written_down_to_the_end() {
    let gateway = TestGateway::start().await;
    let slow = std::time::Duration::from_millis(700);
    gateway.stand_in.set_fault(Fault::Slow(slow));
    let id = "00000000-0000-4000-8001-000000000002";
    let ask = gateway.find("civil", &gateway.person(2).uin);
    let call = tokio::spawn(ask.header("x-request-id", id).send());
    until("it is asked", async || gateway.stand_in.requests() == 1).await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    until("its end", async || {
        let rows = rows(&gateway, id).await;
        rows.first().is_some_and(|row| row.end.is_some())
    })
    .await;
    let end = rows(&gateway, id).await.remove(0).end.unwrap();
    assert_eq!(end.outcome, "done");
}

/// What never reaches a registry is in the log and the metrics, not in the audit of people.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_at_the_door_has_no_rows() {
    let gateway = TestGateway::start().await;
    let uin = gateway.person(2).uin;
    let refused = [
        gateway.find("civil", &uin).key("rgw_x"),
        gateway.find("civil", &uin).without("registry-purpose"),
        gateway.find("nowhere", &uin),
        gateway.find("civil", " "),
    ];
    for ask in refused {
        assert!(ask.send().await.status >= 400);
    }
    let store = gateway.store().await;
    assert_eq!(store.audit().recent(10).await.unwrap(), []);
    gateway.find("civil", &uin).send().await.ok();
    assert_eq!(store.audit().recent(10).await.unwrap().len(), 1);
}
