//! The gateway's credentials at a registry.

use gateway_tests::gateway::TestGateway;
use gateway_tests::leaks::Words;
use gateway_tests::registries::RegistryText;
use gateway_tests::stand_in::OauthClient;
use gateway_tests::wait::until;

const TOKEN: &str = "suite-token-4711";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bearer_token_comes_from_the_environment_or_a_file() {
    let bearer = |source| [("kind", "bearer"), ("token", source)];
    let gateway = TestGateway::builder()
        .stand_in(|options| options.bearer = Some(TOKEN.into()))
        .environment("REGISTRY_SECRET_SUITE", TOKEN)
        .secret_file("token", &format!("{TOKEN}\n"))
        .secret_file("wrong", "another")
        .registry("civil", |civil| {
            civil.credential(&bearer("env:REGISTRY_SECRET_SUITE"))
        })
        .registry("social", |social| social.credential(&bearer("file:token")))
        .registry("wrong", |wrong| wrong.credential(&bearer("file:wrong")))
        .registry("without", |without| without)
        .start()
        .await;
    let uin = gateway.person(3).uin;
    gateway.find("civil", &uin).send().await.ok();
    gateway.find("social", &uin).send().await.ok();
    for refused in ["wrong", "without"] {
        let answer = gateway.find(refused, &uin).send().await;
        assert_eq!((answer.status, answer.code()), (502, "denied"), "{refused}");
    }
    // The secret is nowhere in what the gateway keeps: only its place is.
    let kept = Words::new([TOKEN, "file:wrong"]).found_below(gateway.kept());
    assert!(
        kept.iter().any(|found| found.contains("file:wrong")),
        "{kept:?}"
    );
    assert!(!kept.iter().any(|found| found.contains(TOKEN)), "{kept:?}");
}

/// README: "`registry apply` with the same `registries.toml` makes a running gateway read it anew".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_has_changed_is_read_when_the_same_is_applied() {
    let civil = RegistryText::spdci("Civil").credential(&[("kind", "bearer"), ("token", "file:t")]);
    let gateway = TestGateway::builder()
        .stand_in(|options| options.bearer = Some(TOKEN.into()))
        .secret_file("t", "of-last-year")
        .registry("civil", |_| civil.clone())
        .start()
        .await;
    let uin = gateway.person(3).uin;
    assert_eq!(gateway.find("civil", &uin).send().await.code(), "denied");
    gateway.put_secret("t", TOKEN);
    gateway.apply(&[], &[("civil", civil)]).await;
    until("the new token", async || {
        gateway.find("civil", &uin).send().await.status == 200
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_credentials_are_exchanged_once_and_again_before_they_end() {
    let client = OauthClient {
        id: "openimis".into(),
        secret: "client-secret".into(),
    };
    let gateway = TestGateway::builder()
        .stand_in(|options| {
            options.oauth = Some(client);
            options.token_lifetime = std::time::Duration::from_secs(3);
        })
        .secret_file("client", "client-secret")
        .registry("civil", |civil| {
            civil.credential(&[
                ("kind", "oauth2"),
                ("token_url", "{stand-in}/oauth2/client/token"),
                ("client_id", "openimis"),
                ("client_secret", "file:client"),
            ])
        })
        .start()
        .await;
    let uin = gateway.person(3).uin;
    // Many at once share one token.
    let asked = (0..6).map(|_| gateway.find("civil", &uin).send());
    for answer in futures_util::future::join_all(asked).await {
        answer.ok();
    }
    assert_eq!(gateway.stand_in.tokens_issued(), 1);
    // A token is renewed before its end: no call meets one that has ended.
    until("a second token", async || {
        gateway.find("civil", &uin).send().await.ok();
        gateway.stand_in.tokens_issued() == 2
    })
    .await;
}

/// A login of the configuration's own, with the registry's named secret in its body; and a token
/// that the registry forgets: the lookup, which only reads, is sent again with another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_logged_in_and_a_forgotten_one_again() {
    let client = OauthClient {
        id: "openimis".into(),
        secret: "se\"cret&b=c".into(),
    };
    let gateway = TestGateway::builder()
        .stand_in(|options| options.oauth = Some(client))
        .secret_file("client", "se\"cret&b=c\n")
        .registry("civil", |civil| {
            let at = "endpoints.registry.credential";
            civil
                .set("secrets.login", "file:client")
                .set(&format!("{at}.kind"), "session")
                .set(&format!("{at}.login.url"), "{stand-in}/oauth2/client/token")
                .set(&format!("{at}.login.json.grant_type"), "client_credentials")
                .set(&format!("{at}.login.json.client_id"), "openimis")
                .set(&format!("{at}.login.json.client_secret"), "${secret:login}")
                .set(&format!("{at}.token.json"), "/access_token")
                .set(&format!("{at}.expires.after"), "/expires_in")
        })
        .start()
        .await;
    let uin = gateway.person(3).uin;
    gateway.find("civil", &uin).send().await.ok();
    gateway.find("civil", &uin).send().await.ok();
    assert_eq!(gateway.stand_in.tokens_issued(), 1);
    // A token younger than ten seconds would be kept: it is not its age that is refused.
    tokio::time::sleep(std::time::Duration::from_millis(10_100)).await;
    gateway.stand_in.revoke_tokens();
    gateway.find("civil", &uin).send().await.ok();
    assert_eq!(gateway.stand_in.tokens_issued(), 2);
    // The next is refused too soon.
    gateway.stand_in.revoke_tokens();
    let answer = gateway.find("civil", &uin).send().await;
    assert_eq!((answer.status, answer.code()), (502, "denied"));
    assert_eq!(gateway.stand_in.tokens_issued(), 2);
}
