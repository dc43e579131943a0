use super::*;
use crate::records::{Ledger, Mishap, Schedule};

mod callbacks;

struct Asked {
    registry: StandIn,
}

impl Asked {
    async fn start(records: RecordsOptions) -> Self {
        let options = Options {
            people: 20,
            records,
            ..Options::default()
        };
        Self {
            registry: StandIn::start(options).await,
        }
    }

    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().expect("a method");
        client().request(method, format!("{}{path}", self.registry.url()))
    }

    /// A write; `"METHOD /path"`. None: no answer came.
    async fn write(&self, key: &str, what: &str, body: &Value) -> Option<(u16, Value)> {
        self.guarded(key, "", what, body).await
    }

    async fn guarded(
        &self,
        key: &str,
        version: &str,
        what: &str,
        body: &Value,
    ) -> Option<(u16, Value)> {
        let (method, path) = what.split_once(' ').expect("METHOD /path");
        let mut request = self.request(method, path).header("idempotency-key", key);
        if !version.is_empty() {
            request = request.header("if-match", version);
        }
        if !body.is_null() {
            request = request.json(body);
        }
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        Some((status, response.json().await.unwrap_or_default()))
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let response = self.request("GET", path).send().await.expect("an answer");
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or_default())
    }

    fn kinds(&self) -> Vec<String> {
        let ledger = self.registry.records().ledger();
        ledger
            .effects()
            .iter()
            .map(|effect| effect.kind.clone())
            .collect()
    }
}

fn ana() -> Value {
    json!({ "names": [{ "family": "Lima", "given": ["Ana"] }], "sex": "F", "born": "1990-05-20" })
}

#[tokio::test]
async fn a_key_is_done_once_and_belongs_to_one_request() {
    let asked = Asked::start(RecordsOptions::default()).await;
    let first = asked
        .write("k1", "POST /records", &ana())
        .await
        .expect("an answer");
    assert_eq!(first.0, 201);
    assert_eq!(first.1["id"], "R000001");
    assert_eq!(
        asked.write("k1", "POST /records", &ana()).await,
        Some(first.clone())
    );
    let other = asked
        .write("k1", "POST /records", &json!({ "sex": "M" }))
        .await;
    assert_eq!(other, Some((409, json!({ "code": "key.reused" }))));
    assert_eq!(asked.kinds(), ["create"]);
    assert_eq!(asked.registry.records().arrivals("k1"), 3);
    let (_, told) = asked.get("/operations/k1").await;
    assert_eq!(
        told,
        json!({ "state": "done", "status": 201, "body": first.1 })
    );
    assert_eq!(asked.get("/operations/k2").await.0, 404);
    let nameless = client().post(format!("{}/records", asked.registry.url()));
    let nameless = nameless.json(&ana()).send().await.expect("an answer");
    assert_eq!(nameless.status(), 400);
}

#[tokio::test]
async fn without_keys_what_comes_twice_is_done_twice() {
    let options = RecordsOptions {
        forgets_keys: true,
        ..RecordsOptions::default()
    };
    let asked = Asked::start(options).await;
    for _ in 0..2 {
        asked
            .write("k1", "POST /records", &ana())
            .await
            .expect("an answer");
    }
    let ledger = asked.registry.records().ledger();
    assert_eq!(ledger.repeated(), ["k1"]);
    assert_eq!(asked.get("/operations/k1").await.0, 501);
}

#[tokio::test]
async fn a_record_that_moved_on_refuses_an_old_version() {
    let asked = Asked::start(RecordsOptions::default()).await;
    let id = asked.registry.records().put(&ana());
    let path = format!("PATCH /records/{id}");
    let change = json!({ "sex": "U", "born": null });
    let (status, receipt) = asked
        .guarded("k1", "\"1\"", &path, &change)
        .await
        .expect("one");
    assert_eq!((status, &receipt["version"]), (200, &json!(2)));
    let moved = asked
        .guarded("k2", "1", &path, &change)
        .await
        .expect("an answer");
    assert_eq!(
        moved,
        (412, json!({ "code": "version.moved", "version": 2 }))
    );
    let record = asked.registry.records().record(&id).expect("a record");
    assert_eq!((&record["sex"], record.get("born")), (&json!("U"), None));
    let (_, told) = asked.get("/operations/k2").await;
    assert_eq!(
        (&told["state"], &told["status"]),
        (&json!("refused"), &json!(412))
    );
    // A refusal changed nothing: the same key may be tried again.
    let again = asked
        .write("k3", &path, &json!({ "sex": "Z" }))
        .await
        .expect("an answer");
    assert_eq!(
        again,
        (422, json!({ "code": "value.invalid", "field": "sex" }))
    );
    assert_eq!(asked.kinds(), ["update"]);
}

#[tokio::test]
async fn links_and_enrolments_stand_once() {
    let asked = Asked::start(RecordsOptions::default()).await;
    let (first, second) = (
        asked.registry.records().put(&ana()),
        asked.registry.records().put(&ana()),
    );
    let link =
        |method: &str, record: &str| format!("{method} /records/{record}/links/openimis/07%2F1");
    let none = Value::Null;
    let mut said = Vec::new();
    for (key, what) in [
        ("k1", link("PUT", &first)),
        ("k2", link("PUT", &first)),
        ("k3", link("PUT", &second)),
        ("k4", link("DELETE", &first)),
        ("k5", link("DELETE", &first)),
    ] {
        let (status, body) = asked.write(key, &what, &none).await.expect("an answer");
        let word = if status == 409 { "code" } else { "outcome" };
        said.push((status, body[word].as_str().expect("a word").to_owned()));
    }
    let said: Vec<_> = said
        .iter()
        .map(|(status, word)| (*status, word.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            (200, "applied"),
            (200, "unchanged"),
            (409, "link.elsewhere"),
            (200, "applied"),
            (200, "unchanged")
        ]
    );
    let enrolment = json!({ "programme": "cash", "record": first, "status": "enrolled" });
    let enrolled = asked
        .write("k6", "POST /enrolments", &enrolment)
        .await
        .expect("one");
    assert_eq!(
        (&enrolled.1["id"], &enrolled.1["version"]),
        (&json!("E000001"), &json!(1))
    );
    let again = asked
        .write("k7", "POST /enrolments", &enrolment)
        .await
        .expect("one");
    assert_eq!(again.1["outcome"], "unchanged");
    assert_eq!(asked.kinds(), ["link", "unlink", "enrolment"]);
}

#[tokio::test]
async fn each_mishap_does_what_it_says() {
    let asked = Asked::start(RecordsOptions::default()).await;
    let status = |status, applied, retry_after| Mishap::Status {
        status,
        applied,
        retry_after,
    };
    for (number, (mishap, answered, done)) in [
        (Mishap::LostBefore, None, false),
        (Mishap::LostAfter, None, true),
        (status(429, false, Some(3)), Some(429), false),
        (status(503, true, None), Some(503), true),
        (status(504, false, None), Some(504), false),
        (Mishap::Late(Duration::from_millis(50)), Some(201), true),
    ]
    .into_iter()
    .enumerate()
    {
        let key = format!("k{number}");
        asked.registry.records().inject(mishap.clone());
        let got = asked.write(&key, "POST /records", &ana()).await;
        assert_eq!(got.map(|(status, _)| status), answered, "{mishap:?}");
        let effects = asked.registry.records().ledger();
        assert_eq!(
            effects.of_key(&key).count(),
            usize::from(done),
            "{mishap:?}"
        );
        // Whatever came of it: another attempt ends well, and it was done once.
        let again = asked
            .write(&key, "POST /records", &ana())
            .await
            .expect("an answer");
        assert_eq!(again.0, 201, "{mishap:?}");
        assert_eq!(asked.registry.records().ledger().of_key(&key).count(), 1);
    }
}

#[tokio::test]
async fn the_ledger_is_appended_to_a_file_for_another_process() {
    let file = std::env::temp_dir().join(format!("stand-in-ledger-{}", std::process::id()));
    let options = RecordsOptions {
        ledger: Some(file.clone()),
        ..RecordsOptions::default()
    };
    let asked = Asked::start(options).await;
    for key in ["k1", "k2"] {
        asked
            .write(key, "POST /records", &ana())
            .await
            .expect("an answer");
    }
    let read = Ledger::read(&file);
    std::fs::remove_file(&file).expect("it was there");
    let read = read.expect("a ledger");
    assert_eq!(read.effects(), asked.registry.records().ledger().effects());
    assert_eq!(read.keys_of_record("R000002"), ["k2"]);
}

#[tokio::test]
async fn under_a_schedule_every_write_is_done_once_when_it_is_repeated() {
    let options = RecordsOptions {
        schedule: Some(Schedule::of_everything(3, 60)),
        ..RecordsOptions::default()
    };
    let asked = Asked::start(options).await;
    for number in 0..20 {
        let (key, body) = (
            format!("k{number}"),
            json!({ "names": [{ "text": format!("N {number}") }] }),
        );
        for _ in 0..200 {
            match asked.write(&key, "POST /records", &body).await {
                Some((201, _)) => break,
                _ => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }
    let ledger = asked.registry.records().ledger();
    assert_eq!(ledger.effects().len(), 20);
    assert!(ledger.repeated().is_empty());
}

#[tokio::test]
async fn the_records_are_behind_the_same_credential() {
    let options = Options {
        people: 20,
        bearer: Some("letmein".into()),
        ..Options::default()
    };
    let registry = StandIn::start(options).await;
    let url = format!("{}/changes", registry.url());
    let anonymous = client().get(&url).send().await.expect("an answer");
    assert_eq!(anonymous.status(), 401);
    let known = client().get(&url).bearer_auth("letmein").send().await;
    assert_eq!(known.expect("an answer").status(), 200);
}
