//! Callers with a token of an issuer, and all that is no such token.

mod authority;
mod documents;

use std::num::NonZeroU32;
use std::time::{SystemTime, UNIX_EPOCH};

use gateway_tests::ask::Answer;
use gateway_tests::gateway::TestGateway;
use gateway_tests::issuer::{Issuer, Signer, text, unsigned};
use registry_gateway::config::Config;
use registry_gateway::config::callers::IssuerConfig;
use registry_gateway::config::read::toml_text;
use serde_json::{Value, json};

fn config(issuer: &Issuer, more: &str) -> IssuerConfig {
    let text = format!(
        "[callers.issuers.idp]
         issuer = '{}'
         audiences = ['registry-gateway']
         roles_claim = 'realm_access.roles'
         allow_networks = ['127.0.0.1/32']
         {more}
         [callers.issuers.idp.mapping.clerk]
         roles = ['client']
         grants = [{{ registries = ['civil'], abilities = ['find'], fields = ['names'] }}]
         [callers.issuers.idp.mapping.boss]
         roles = ['administrator']",
        issuer.url
    );
    let mut config: Config = toml_text(&text).unwrap_or_else(|error| panic!("{error}"));
    config.callers.issuers.remove("idp").unwrap()
}

async fn gateway(issuer: &Issuer, more: &str) -> TestGateway {
    let config = config(issuer, more);
    TestGateway::builder()
        .config(move |all| {
            all.callers.issuers.insert("idp".into(), config);
            all.callers.failed_keys_per_minute = NonZeroU32::MAX;
        })
        .start()
        .await
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

fn claims(issuer: &Issuer) -> Value {
    json!({
        "iss": issuer.url, "aud": ["other", "registry-gateway"], "sub": "sita.devi@example.org",
        "azp": "openimis-1", "iat": now(), "nbf": now(), "exp": now() + 300,
        "realm_access": { "roles": ["clerk", "unheard-of"] },
    })
}

/// Claims with others in their place; null takes one away.
fn but(issuer: &Issuer, other: &Value) -> Value {
    let mut claims = claims(issuer);
    let all = claims.as_object_mut().unwrap();
    for (name, value) in other.as_object().unwrap() {
        match value {
            Value::Null => drop(all.remove(name)),
            value => drop(all.insert(name.clone(), value.clone())),
        }
    }
    claims
}

async fn find(gateway: &TestGateway, token: &str) -> Answer {
    let uin = gateway.person(3).uin;
    gateway.find("civil", &uin).key(token).send().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_of_each_kind_give_what_their_words_are_mapped_to() {
    let signers = [Signer::rsa(), Signer::ec(), Signer::ed()];
    let keys = signers.iter().map(|signer| signer.jwk(signer.algorithm()));
    let issuer = Issuer::start(keys.collect()).await;
    let gateway = gateway(&issuer, "").await;
    for signer in &signers {
        let token = signer.token(signer.algorithm(), &claims(&issuer));
        let found = find(&gateway, &token).await.ok();
        let person = found.json["person"].as_object().unwrap();
        assert_eq!(person.keys().collect::<Vec<_>>(), ["names"]);
        let refused = gateway.get("/admin/v1/callers").key(&token).send().await;
        assert_eq!((refused.status, refused.code()), (403, "not-allowed"));
    }
    assert_eq!(issuer.asked(), 1, "one reading gives all keys");

    // The same word as text, and another role.
    let boss = but(
        &issuer,
        &json!({ "realm_access": { "roles": "boss of-all" } }),
    );
    let boss = signers[1].token("ES256", &boss);
    let listed = gateway.get("/admin/v1/callers").key(&boss).send().await;
    assert_eq!(listed.status, 200);
    let refused = find(&gateway, &boss).await;
    assert_eq!((refused.status, refused.code()), (404, "unknown-registry"));
    // Known, and there for nothing.
    let nothing = but(
        &issuer,
        &json!({ "realm_access": { "roles": ["visitor"] } }),
    );
    let nothing = find(&gateway, &signers[1].token("ES256", &nothing)).await;
    assert_eq!((nothing.status, nothing.code()), (404, "unknown-registry"));
}

/// Nobody's name is in the audit, and each has one of its own there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_names_who_came_without_naming_the_person() {
    let signer = Signer::ec();
    let issuer = Issuer::start(vec![signer.jwk("k")]).await;
    let gateway = gateway(&issuer, "").await;
    for sub in ["sita.devi@example.org", "sita.devi@example.org", "ram"] {
        let claims = but(&issuer, &json!({ "sub": sub, "jti": sub }));
        find(&gateway, &signer.token("k", &claims)).await.ok();
    }
    let store = gateway.store().await;
    let rows = store.audit().recent(10).await.unwrap();
    store.close().await;
    let names: Vec<&str> = rows.iter().map(|row| &*row.begin.caller).collect();
    assert_eq!(names.len(), 3);
    assert!(
        names
            .iter()
            .all(|name| name.starts_with("idp:") && name.len() == 36)
    );
    assert!(names[1] == names[2] && names[0] != names[1], "{names:?}");
    assert!(!format!("{names:?}").contains("sita"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_programs_name_stands_in_the_audit_as_it_is() {
    let signer = Signer::ec();
    let issuer = Issuer::start(vec![signer.jwk("k")]).await;
    let gateway = gateway(&issuer, "name_claim = 'azp'\nname_in_clear = true").await;
    find(&gateway, &signer.token("k", &claims(&issuer)))
        .await
        .ok();
    let store = gateway.store().await;
    let rows = store.audit().recent(1).await.unwrap();
    assert_eq!(rows[0].begin.caller, "idp:openimis-1");
    store.close().await;
    for name in ["sita devi", "a@b", "", &"n".repeat(65)] {
        let odd = but(&issuer, &json!({ "azp": name }));
        assert_eq!(
            find(&gateway, &signer.token("k", &odd)).await.status,
            401,
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_token_of_the_issuer_for_the_gateway_is_refused() {
    let (rsa, ec, stranger) = (Signer::rsa(), Signer::ec(), Signer::ec());
    let mut encrypts = ec.jwk("enc");
    encrypts["use"] = json!("enc");
    let shared = json!({ "kty": "oct", "kid": "oct", "alg": "HS256", "k": text(b"shared") });
    let keys = vec![rsa.jwk("rsa"), ec.jwk("ec"), encrypts, shared];
    let issuer = Issuer::start(keys).await;
    let gateway = gateway(&issuer, "").await;
    let good = claims(&issuer);
    find(&gateway, &ec.token("ec", &good)).await.ok();
    let before = gateway.stand_in.requests();

    let head = |alg: &str, kid: &str| json!({ "alg": alg, "kid": kid });
    let mut with_jwk = head("ES256", "ec");
    with_jwk["jwk"] = stranger.jwk("ec");
    let mut elsewhere = head("ES256", "ec");
    elsewhere["jku"] = json!(format!("{}/keys", issuer.url));
    elsewhere["x5u"] = elsewhere["jku"].clone();
    let mut critical = head("ES256", "ec");
    critical["crit"] = json!(["exp"]);
    let modulus = rsa.jwk("rsa")["n"].as_str().unwrap().to_owned();
    let hmac = |key: &[u8], head: &Value| {
        let message = unsigned(head, &good);
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
        let tag = ring::hmac::sign(&key, message.as_bytes());
        format!("{message}.{}", text(tag.as_ref()))
    };
    let right = ec.token("ec", &good);
    let (body, signature) = right.rsplit_once('.').unwrap();
    let huge = but(&issuer, &json!({ "padding": "x".repeat(9_000) }));
    let of = |other: Value| ec.token("ec", &but(&issuer, &other));
    let tokens = [
        (
            "alg none",
            format!("{}.", unsigned(&head("none", "ec"), &good)),
        ),
        (
            "alg None",
            format!("{}.{signature}", unsigned(&head("None", "ec"), &good)),
        ),
        ("no signature", format!("{body}.")),
        (
            "HS256 with the modulus",
            hmac(modulus.as_bytes(), &head("HS256", "rsa")),
        ),
        (
            "HS256 with the shared key",
            hmac(b"shared", &head("HS256", "oct")),
        ),
        ("another's key", stranger.token("ec", &good)),
        ("a key of another kid", ec.token("rsa", &good)),
        ("a kid of nobody", ec.token("nobody", &good)),
        ("a key that encrypts", ec.token("enc", &good)),
        (
            "ES256 that says RS256",
            ec.sign(&head("RS256", "rsa"), &good),
        ),
        (
            "RS256 that says ES256",
            rsa.sign(&head("ES256", "ec"), &good),
        ),
        (
            "ES384, not configured",
            ec.sign(&head("ES384", "ec"), &good),
        ),
        ("its own key with it", stranger.sign(&with_jwk, &good)),
        ("a place for keys", stranger.sign(&elsewhere, &good)),
        ("critical", ec.sign(&critical, &good)),
        (
            "other claims",
            format!("{}.{signature}", unsigned(&head("ES256", "ec"), &huge)),
        ),
        ("huge", ec.token("ec", &huge)),
        (
            "another issuer",
            of(json!({ "iss": "https://elsewhere.example.org" })),
        ),
        ("no issuer", of(json!({ "iss": null }))),
        ("another audience", of(json!({ "aud": "openimis" }))),
        ("no audience", of(json!({ "aud": null }))),
        ("expired", of(json!({ "exp": now() - 120 }))),
        ("no end", of(json!({ "exp": null }))),
        ("an end that is none", of(json!({ "exp": "never" }))),
        ("not yet", of(json!({ "nbf": now() + 120 }))),
        ("no subject", of(json!({ "sub": null }))),
        ("a subject that is no text", of(json!({ "sub": 7 }))),
        ("three empty parts", "..".to_owned()),
        ("three odd parts", "a.b.c".to_owned()),
        ("five parts", format!("{right}.a.b")),
    ];
    for (what, token) in tokens {
        let answer = find(&gateway, &token).await;
        assert_eq!(
            (answer.status, answer.code()),
            (401, "unauthorized"),
            "{what}"
        );
        assert!(!answer.text.contains("sita"), "{what}");
    }
    // A head that names places for keys is as good as its signature.
    find(&gateway, &ec.sign(&elsewhere, &good)).await.ok();
    assert_eq!(gateway.stand_in.requests() - before, 1);
    // Within the leeway of clocks.
    find(
        &gateway,
        &of(json!({ "exp": now() - 20, "nbf": now() + 20 })),
    )
    .await
    .ok();
    assert!(issuer.asked() <= 2, "{}", issuer.asked());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_changed_while_the_gateway_runs_and_kept_while_the_issuer_is_away() {
    let (old, new) = (Signer::ec(), Signer::ed());
    let issuer = Issuer::start(vec![old.jwk("old")]).await;
    let gateway = gateway(&issuer, "refresh_least_s = 1").await;
    let pass = tokio::time::Duration::from_millis(1_100);
    issuer.set_away(true);
    let away = find(&gateway, &old.token("old", &claims(&issuer))).await;
    assert_eq!((away.status, away.code()), (503, "issuer-unavailable"));
    assert!(!away.header("retry-after").is_empty());
    issuer.set_away(false);
    tokio::time::sleep(pass).await;
    find(&gateway, &old.token("old", &claims(&issuer)))
        .await
        .ok();
    issuer.set_away(true);
    tokio::time::sleep(pass).await;
    // Its keys go on, and whose key is not known waits for nobody's sake.
    assert_eq!(
        find(&gateway, &new.token("new", &claims(&issuer)))
            .await
            .status,
        401
    );
    let again = but(&issuer, &json!({ "jti": "2" }));
    find(&gateway, &old.token("old", &again)).await.ok();

    issuer.set_away(false);
    issuer.set_keys(vec![new.jwk("new")]);
    tokio::time::sleep(pass).await;
    find(&gateway, &new.token("new", &claims(&issuer)))
        .await
        .ok();
    // One that was taken back is taken back here, for tokens that were known too.
    assert_eq!(
        find(&gateway, &old.token("old", &claims(&issuer)))
            .await
            .status,
        401
    );
    assert_eq!(find(&gateway, &old.token("old", &again)).await.status, 401);
}

/// A hundred tokens with keys of nobody are one question.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_keys_do_not_flood_the_issuer() {
    let signer = Signer::ec();
    let issuer = Issuer::start(vec![signer.jwk("k")]).await;
    let gateway = gateway(&issuer, "").await;
    for at in 0..100 {
        let token = signer.token(&format!("k-{at}"), &claims(&issuer));
        assert_eq!(find(&gateway, &token).await.status, 401);
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_nobody_made_are_guesses_and_late_ones_are_not() {
    let signer = Signer::ec();
    let issuer = Issuer::start(vec![signer.jwk("k")]).await;
    let config = config(&issuer, "refresh_after_s = 1\nrefresh_least_s = 1");
    let gateway = TestGateway::builder()
        .config(move |all| {
            all.callers.issuers.insert("idp".into(), config);
            all.callers.failed_keys_per_minute = NonZeroU32::new(3).unwrap();
        })
        .start()
        .await;
    let known = signer.token("k", &claims(&issuer));
    find(&gateway, &known).await.ok();
    for _ in 0..10 {
        let late = but(&issuer, &json!({ "exp": now() - 500 }));
        assert_eq!(find(&gateway, &signer.token("k", &late)).await.status, 401);
    }
    // The same keys, told again, take no token back.
    tokio::time::sleep(tokio::time::Duration::from_millis(1_100)).await;
    let another = but(&issuer, &json!({ "jti": "1" }));
    find(&gateway, &signer.token("k", &another)).await.ok();
    for _ in 0..100 {
        if issuer.asked() > 1 {
            break;
        }
        tokio::time::sleep(tokio::time::Duration::from_millis(20)).await;
    }
    assert!(issuer.asked() > 1, "old keys are read anew");
    for _ in 0..3 {
        let forged = Signer::ec().token("k", &claims(&issuer));
        assert_eq!(find(&gateway, &forged).await.status, 401);
    }
    let fresh = signer.token("k", &but(&issuer, &json!({ "jti": "2" })));
    let refused = find(&gateway, &fresh).await;
    assert_eq!(
        (refused.status, refused.code()),
        (429, "too-many-failed-keys")
    );
    find(&gateway, &known).await.ok();
}
