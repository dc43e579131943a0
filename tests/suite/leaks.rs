//! Nothing of a person is in a log, a metric, a database file or an error, whatever goes wrong.

use gateway_tests::gateway::{RegistryText, TestGateway, identifiers};
use gateway_tests::leaks::{Log, Words};
use gateway_tests::stand_in::{Fault, Person, Population};
use gateway_tests::{components, leaks};
use serde_json::{Value, json};

const TOKEN: &str = "Suitetoken-90817263";
/// Logged on purpose: what does not find it finds nothing.
const CONTROL: &str = "Zwcontrolword";

/// What callers were told: of people, and of what went wrong.
#[derive(Default)]
struct Told {
    answers: String,
    errors: String,
}

impl Told {
    async fn ask(&mut self, ask: gateway_tests::ask::Ask) -> u16 {
        let answer = ask.send().await;
        let text = match answer.status {
            200 => &mut self.answers,
            _ => &mut self.errors,
        };
        text.push_str(&answer.text);
        text.push('\n');
        answer.status
    }
}

async fn look_up(gateway: &TestGateway, told: &mut Told, person: &Person) {
    for (registry, ability, body) in lookups(person) {
        let status = told.ask(gateway.lookup(registry, ability, &body)).await;
        assert_eq!(status, 200, "{registry} {ability}: {}", told.errors);
    }
}

/// All that can be asked about somebody.
fn lookups(person: &Person) -> Vec<(&'static str, &'static str, Value)> {
    let one = json!({ "identifiers": identifiers(&person.uin) });
    let claimed = json!({
        "names": [{ "family": person.name.surname }], "birthDate": person.birth.to_string(),
    });
    let claim = json!({ "identifiers": identifiers(&person.uin), "claimed": claimed });
    let named = json!({ "field": "name.family", "equals": person.name.surname });
    let named = json!({ "criteria": [named], "pageSize": 5 });
    ["civil", "social"]
        .into_iter()
        .flat_map(|registry| {
            [
                (registry, "find", one.clone()),
                (registry, "household", one.clone()),
                (registry, "search", named.clone()),
                (registry, "verify", claim.clone()),
            ]
        })
        .collect()
}

/// The registry's mistakes.
async fn meet_faults(gateway: &TestGateway, told: &mut Told, person: &Person) {
    for fault in Fault::words() {
        gateway.stand_in.set_fault(fault.parse().unwrap());
        told.ask(gateway.find("civil", &person.uin)).await;
    }
    // A registry that puts a name, or a number, where a code belongs.
    let named = format!("refuse:no-record-for-{}", person.name.surname);
    let numbered = format!("refuse:rjct.{}", person.uin);
    for fault in [named, numbered, "refuse".to_owned()] {
        gateway.stand_in.set_fault(fault.parse().unwrap());
        for (registry, ability, body) in lookups(person) {
            let ask = gateway.lookup(registry, ability, &body);
            assert_ne!(told.ask(ask).await, 200, "{registry} {ability}");
        }
    }
    gateway.stand_in.set_fault(Fault::None);
}

async fn go_wrong(gateway: &TestGateway, told: &mut Told, person: &Person) {
    // The caller's own mistakes, each with a name in it.
    let word = &person.name.surname;
    let find = |body: Value| gateway.lookup("civil", "find", &body);
    let asks = [
        gateway.find("civil", word),
        find(json!({ "identifiers": [{ "scheme": word, "value": word }] })),
        find(json!({ "identifiers": word })),
        find(json!({ "identifiers": [{ "scheme": "a", "value": word, "colour": word }] })),
        find(json!({ "identifiers": identifiers(word), "fields": [word] })),
        find(json!({ "identifiers": identifiers(&format!("{word}\n")) })),
        gateway.find("civil", "1").body(format!("{{\"{word}")),
        gateway.find("civil", "1").key(&person.uin),
        gateway.get(&format!("/v1/{word}/{}", person.uin)),
        gateway.get(&format!("/v1/registries/{word}")),
        gateway.find(&person.uin, &person.uin),
        gateway.lookup(
            "civil",
            "search",
            &json!({ "criteria": [{ "field": word, "equals": word }] }),
        ),
        gateway.lookup(
            "civil",
            "search",
            &json!({ "criteria": [{ "field": "sex", "fuzzy": word }] }),
        ),
        gateway.lookup(
            "civil",
            "search",
            &json!({ "criteria": [{ "field": "sex", "equals": word }], "page": word }),
        ),
    ];
    for ask in asks {
        assert_ne!(told.ask(ask).await, 200);
    }
    // An adapter that tells its log what it should not, and dies of it.
    for behaviour in ["log_name", "print_name", "panic_with_name", "trap"] {
        let values = [behaviour, word, &person.uin]
            .map(|value| json!({ "scheme": "behaviour", "value": value }));
        let body = json!({ "identifiers": values });
        told.ask(gateway.lookup("hostile", "find", &body)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_person_is_where_it_should_not_be() {
    let log = Log::listen();
    let secret = [("kind", "bearer"), ("token", "env:REGISTRY_SECRET_SUITE")];
    // Two faults end with the call's time.
    let with_secret = |text: RegistryText| text.credential(&secret).set("limits.wall_ms", 2_000);
    let gateway = TestGateway::builder()
        .stand_in(|options| options.bearer = Some(TOKEN.into()))
        .environment("REGISTRY_SECRET_SUITE", TOKEN)
        .registry("civil", with_secret)
        .registry("social", with_secret)
        .registry("hostile", |text| {
            text.module(components::component("hostile-guest"))
        })
        .start()
        .await;
    let people: Vec<Person> = (0..200).step_by(7).map(|at| gateway.person(at)).collect();
    let mut told = Told::default();
    for person in &people {
        look_up(&gateway, &mut told, person).await;
    }
    meet_faults(&gateway, &mut told, &people[0]).await;
    for person in people.iter().step_by(4) {
        go_wrong(&gateway, &mut told, person).await;
    }
    let metrics = gateway.get("/metrics").send().await.ok().text;

    let uins = people.iter().map(|person| person.uin.clone());
    let planted = Population::planted_words().into_iter().map(str::to_owned);
    let personal = Words::new(uins.chain(planted));
    let secrets = Words::new([TOKEN, &gateway.key]);
    tracing::trace!(target: "registry_gateway::control", "{CONTROL}");
    let logged = log.bytes();

    // What is looked for was there to be found, and would be found.
    let known = personal.found_in(told.answers.as_bytes());
    assert!(
        known.len() > people.len(),
        "the answers hold identifiers and names: {known:?}"
    );
    assert_eq!(Words::new([CONTROL]).found_in(&logged), [CONTROL]);
    for level in ["INFO", "WARN"] {
        assert!(!Words::new([level]).found_in(&logged).is_empty(), "{level}");
    }
    assert!(
        metrics.contains("registry_gateway_calls_total"),
        "{metrics}"
    );
    assert!(told.errors.lines().count() > 100);

    for words in [&personal, &secrets] {
        for (where_, bytes) in [
            ("the log", logged.as_slice()),
            ("the metrics", metrics.as_bytes()),
            ("the errors", told.errors.as_bytes()),
        ] {
            let found = words.found_in(bytes);
            assert!(
                found.is_empty(),
                "{found:?} in {where_}: {}",
                lines(bytes, words)
            );
        }
        let found = words.found_below(gateway.kept());
        assert!(found.is_empty(), "{found:?}");
    }
}

/// The lines that hold one of the words, to see where they come from.
fn lines(bytes: &[u8], words: &Words) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines = text
        .lines()
        .filter(|line| !words.found_in(line.as_bytes()).is_empty());
    lines.take(5).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_spelling_and_file_is_seen() {
    let words = leaks::Words::new(["Müller", "सीता", "N1093847562"]);
    for text in [
        "a Müller",
        "müller",
        "MÜLLER",
        "M\\u00fcller",
        "M%C3%BCller",
    ] {
        assert_eq!(words.found_in(text.as_bytes()), ["Müller"], "{text}");
    }
    assert_eq!(words.found_in(format!("{:?}", "सीता").as_bytes()), ["सीता"]);
    assert!(words.found_in("Muller 109384756".as_bytes()).is_empty());
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("below");
    std::fs::create_dir(&below).unwrap();
    assert!(words.found_below(folder.path()).is_empty());
    std::fs::write(below.join("db-wal"), b"\x00\xffN1093847562\x00").unwrap();
    assert_eq!(words.found_below(folder.path()).len(), 1);
}
