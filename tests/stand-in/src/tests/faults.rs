use std::time::Instant;

use super::*;

#[tokio::test]
async fn faults_that_answer_something_else() {
    let registry = StandIn::start(Options::default()).await;
    let uin = |word| Fault::uin(word).expect(word);
    for (word, status) in [
        ("unavailable", 503),
        ("rate-limited", 429),
        ("redirect", 307),
        ("unauthorized", 401),
    ] {
        assert_eq!(look_up(&registry, &uin(word)).await.0, status, "{word}");
    }
    let (status, page) = look_up(&registry, &uin("html")).await;
    assert_eq!(
        (status, page.expect("a page").starts_with(b"<!DOCTYPE")),
        (200, true)
    );
    assert_eq!(
        look_up(&registry, &uin("empty")).await.1.expect("a body"),
        b""
    );
    let broken = look_up(&registry, &uin("broken-json"))
        .await
        .1
        .expect("a body");
    assert!(serde_json::from_slice::<Value>(&broken).is_err());
}

#[tokio::test]
async fn faults_of_the_connection() {
    let registry = StandIn::start(Options::default()).await;
    let uin = |word| Fault::uin(word).expect(word);
    assert!(look_up(&registry, &uin("truncated")).await.1.is_err());
    assert!(
        send(&registry, &lookup("Civil", "Person", &uin("hang-up")))
            .await
            .is_err()
    );
    for word in ["silent", "drip", "endless"] {
        let waiting = async {
            let mut response = send(&registry, &lookup("Civil", "Person", &uin(word))).await?;
            while response.chunk().await?.is_some() {}
            Ok::<(), reqwest::Error>(())
        };
        let waited = tokio::time::timeout(Duration::from_millis(300), waiting).await;
        assert!(waited.is_err(), "{word}");
    }
}

#[tokio::test]
async fn faults_of_size() {
    let registry = StandIn::start(Options::default()).await;
    let (_, bomb) = look_up(&registry, &Fault::uin("gzip-bomb").expect("a UIN")).await;
    let bomb = bomb.expect("a body");
    assert!((1 << 20..8 << 20).contains(&bomb.len()), "{}", bomb.len());
    let mut unpacked = vec![0; 3 << 20];
    let mut gzip = flate2::read::GzDecoder::new(bomb.as_slice());
    std::io::Read::read_exact(&mut gzip, &mut unpacked).expect("it unpacks");
    assert!(unpacked.iter().all(|byte| *byte == b' '));
    let (_, huge) = look_up(&registry, &Fault::uin("huge").expect("a UIN")).await;
    let huge = huge.expect("a body");
    assert!(huge.len() > 64 << 20);
    assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&huge).is_ok());
}

#[tokio::test]
async fn faults_of_what_is_said() {
    let registry = StandIn::start(Options::default()).await;
    let person = registry.population().person(4);
    let body = lookup("Civil", "Person", &person.uin);
    let search = |answer: &Value| answer["message"]["search_response"][0].clone();
    registry.set_fault(Fault::OtherPerson);
    let other = answer(&registry, &body).await;
    let neighbour = registry.population().person(5);
    assert_eq!(
        records(&other)[0]["identifier"][0]["identifier_value"],
        neighbour.uin
    );
    registry.set_fault(Fault::OtherReference);
    assert_ne!(
        search(&answer(&registry, &body).await)["reference_id"],
        "r-1"
    );
    registry.set_fault(Fault::Refuse("rjct.filter.invalid".into()));
    let refused = search(&answer(&registry, &body).await);
    assert_eq!(refused["status_reason_code"], "rjct.filter.invalid");
    registry.set_fault(Fault::TwoAnswers);
    let two = answer(&registry, &body).await;
    for index in 0..2 {
        let uin = &records(&two)[index]["identifier"][0]["identifier_value"];
        assert_eq!(uin, &person.uin);
    }
    registry.set_fault(Fault::WrongShape);
    assert!(records(&answer(&registry, &body).await)[0]["identifier"].is_string());
    registry.set_fault(Fault::Slow(Duration::from_millis(120)));
    let begun = Instant::now();
    assert_eq!(
        records(&answer(&registry, &body).await)[0]["sex"],
        person.sex.code()
    );
    assert!(begun.elapsed() >= Duration::from_millis(120));
    registry.set_fault(Fault::None);
    assert!(begun.elapsed() < Duration::from_secs(60));
    assert_eq!(search(&answer(&registry, &body).await)["status"], "succ");
}

#[tokio::test]
async fn a_fault_can_be_in_every_third_request_only() {
    let options = Options {
        fault: Fault::Unavailable,
        fault_every: 3,
        ..Options::default()
    };
    let registry = StandIn::start(options).await;
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(look_up(&registry, "1").await.0);
    }
    assert_eq!(statuses, [200, 200, 503, 200, 200, 503]);
}
