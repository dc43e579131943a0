use serde_json::json;

use super::*;

mod faults;
mod records;

fn client() -> reqwest::Client {
    // Plain HTTP, but a client isn't built without a provider for the other kind.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let plain = reqwest::Client::builder().no_proxy().no_gzip();
    plain
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client")
}

fn lookup(register: &str, record_type: &str, uin: &str) -> Value {
    json!({
        "header": {
            "version": "1.0.0", "message_id": "m-1", "message_ts": "2026-03-01T10:00:00Z",
            "action": "search", "sender_id": "gateway", "total_count": 1,
        },
        "message": {"transaction_id": "t-1", "search_request": [{
            "reference_id": "r-1", "timestamp": "2026-03-01T10:00:00Z",
            "search_criteria": {
                "reg_type": format!("ns:org:RegistryType:{register}"),
                "reg_record_type": record_type, "query_type": "idtype-value",
                "query": {"type": "UIN", "value": uin},
            },
        }]},
    })
}

async fn send(registry: &StandIn, body: &Value) -> reqwest::Result<reqwest::Response> {
    let url = format!("{}/registry/sync/search", registry.url());
    client().post(url).json(body).send().await
}

/// Looks up a UIN among civil records, and gives the status and the body.
async fn look_up(registry: &StandIn, uin: &str) -> (u16, reqwest::Result<Vec<u8>>) {
    let response = send(registry, &lookup("Civil", "Person", uin))
        .await
        .expect("an answer");
    (
        response.status().as_u16(),
        response.bytes().await.map(|body| body.to_vec()),
    )
}

async fn answer(registry: &StandIn, body: &Value) -> Value {
    send(registry, body)
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON")
}

fn records(answer: &Value) -> &Value {
    &answer["message"]["search_response"][0]["data"]["reg_records"]
}

#[tokio::test]
async fn a_person_is_looked_up_in_every_form() {
    let registry = StandIn::start(Options::default()).await;
    let person = registry.population().person(2);
    for (register, form, own) in [
        ("Civil", "Person", "/0/identifier/0/identifier_value"),
        ("Social", "Person", "/0/identifier/0/identifier_value"),
        (
            "Social",
            "Member",
            "/0/member_identifier/0/identifier_value",
        ),
        (
            "Social",
            "Group",
            "/0/member_list/2/member_identifier/0/identifier_value",
        ),
    ] {
        let answer = answer(&registry, &lookup(register, form, &person.uin)).await;
        assert_eq!(answer["header"]["status"], "succ");
        assert_eq!(answer["header"]["receiver_id"], "gateway");
        assert_eq!(answer["message"]["transaction_id"], "t-1");
        assert_eq!(
            answer["message"]["search_response"][0]["reference_id"],
            "r-1"
        );
        assert_eq!(
            records(&answer).pointer(own),
            Some(&json!(person.uin)),
            "{register} {form}"
        );
    }
    assert_eq!(registry.requests(), 4);
    let last = registry.last_request().expect("a request");
    assert_eq!(last.json()["header"]["message_id"], "m-1");
    assert_eq!(last.path, "/registry/sync/search");
}

#[tokio::test]
async fn a_credential_is_asked_for_and_given_out() {
    let oauth = OauthClient {
        id: "a".into(),
        secret: "b".into(),
    };
    let options = Options {
        oauth: Some(oauth),
        prefix: "/sr".into(),
        ..Options::default()
    };
    let registry = StandIn::start(options).await;
    let url = format!("{}/sr/registry/sync/search", registry.url());
    let body = lookup("Civil", "Person", "1");
    let refused = client()
        .post(&url)
        .json(&body)
        .send()
        .await
        .expect("an answer");
    assert_eq!(refused.status(), 401);
    let refused: Value = refused.json().await.expect("JSON");
    assert_eq!(
        refused["message"]["error"]["code"],
        "err.request.unauthorized"
    );
    let credentials = [
        ("grant_type", "client_credentials"),
        ("client_id", "a"),
        ("client_secret", "b"),
    ];
    let token = client().post(format!("{}/oauth2/client/token", registry.url()));
    let token: Value = token
        .form(&credentials)
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    let token = token["access_token"].as_str().expect("a token");
    let ask = || client().post(&url).bearer_auth(token).json(&body).send();
    assert_eq!(ask().await.expect("an answer").status(), 200);
    assert_eq!(registry.tokens_issued(), 1);
    registry.revoke_tokens();
    assert_eq!(ask().await.expect("an answer").status(), 401);
}

#[tokio::test]
async fn what_is_out_of_order_is_refused_with_its_code() {
    let registry = StandIn::start(Options {
        refuse_repeats: true,
        ..Options::default()
    })
    .await;
    let mut body = lookup("Civil", "Person", "1");
    body["header"]["total_count"] = json!("1");
    let refused = answer(&registry, &body).await;
    assert_eq!(
        refused["header"]["status_reason_code"],
        "rjct.total_count.invalid"
    );
    let broken = client().post(format!("{}/registry/sync/search", registry.url()));
    let broken = broken
        .header("content-type", "application/json")
        .body("{")
        .send()
        .await;
    let broken = broken.expect("an answer");
    assert_eq!(broken.status(), 400);
    let broken: Value = broken.json().await.expect("JSON");
    assert_eq!(broken["message"]["error"]["code"], "err.request.bad");
    let body = lookup("Civil", "Farmer", "1");
    let rejected = &answer(&registry, &body).await["message"]["search_response"][0];
    assert_eq!(
        rejected["status_reason_code"],
        "rjct.search_criteria.invalid"
    );
    let repeated = answer(&registry, &body).await;
    assert_eq!(
        repeated["header"]["status_reason_code"],
        "rjct.message_id.duplicate"
    );
}

#[tokio::test]
async fn a_transaction_is_never_known() {
    let registry = StandIn::start(Options::default()).await;
    let mut body = lookup("Civil", "Person", "1");
    body["header"]["action"] = json!("txn-status");
    let url = format!("{}/registry/sync/txn/status", registry.url());
    let answer = client()
        .post(url)
        .json(&body)
        .send()
        .await
        .expect("an answer");
    let answer: Value = answer.json().await.expect("JSON");
    assert_eq!(
        answer["header"]["status_reason_code"],
        "rjct.action.not_supported"
    );
}

#[tokio::test]
async fn a_dropped_registry_is_gone() {
    let registry = StandIn::start(Options::default()).await;
    let address = registry.address();
    drop(registry);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
