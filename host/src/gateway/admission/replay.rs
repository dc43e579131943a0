//! A package's recordings, replayed: the module is called as any is, in the real sandbox, and who
//! answers its requests is the recording.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::difference::{differences, finding};
use super::peer::Peer;
use crate::config::limits::CallLimits;
use crate::egress::Endpoints;
use crate::gateway::{Finding, GatewayError, check_settings};
use crate::model::{
    Ability, Call, CreateRequest, Criterion, EnrolmentRequest, FindQuery, HouseholdQuery,
    Identifier, LinkRequest, Page, Person, SearchQuery, SortKey, UpdateRequest, VerifyQuery,
    Written,
};
use crate::package::Recording;
use crate::sandbox::{Answer, Lent, Module, Ran, Work};

/// As the API's.
const PAGE_SIZE: u32 = 20;
/// A recorded registry answers at once: more steps than this are no progress.
const MAX_STEPS: u32 = 20;
/// As many as a person mends at once.
const MOST: usize = 100;

/// All differences between what is recorded and what the module does.
pub(super) async fn replay(
    module: &Module,
    recordings: &[Recording],
    time: Duration,
) -> Vec<Finding> {
    let deadline = Instant::now() + time;
    let mut findings = Vec::new();
    for recording in recordings {
        let place = format!("recordings.{}", recording.name);
        if Instant::now() >= deadline {
            let problem = "there was no time left for it: admission.replay_timeout_ms is for all \
                           recordings together";
            findings.push(finding(place, problem));
            break;
        }
        let mut found = one(module, recording, deadline).await;
        for found in &mut found {
            found.place = match &*found.place {
                "" => place.clone(),
                inner => format!("{place}.{inner}"),
            };
        }
        findings.append(&mut found);
        if findings.len() > MOST {
            findings.truncate(MOST);
            break;
        }
    }
    findings
}

async fn one(module: &Module, recording: &Recording, deadline: Instant) -> Vec<Finding> {
    if !module.can(recording.ability) {
        let problem = "the module has no such ability: leave the recording out";
        return vec![finding("ability", problem)];
    }
    if let Some(schema) = &module.description().settings_schema {
        let wrong = check_settings(schema, &recording.settings);
        if !wrong.is_empty() {
            return wrong;
        }
    }
    let peer = Arc::new(Mutex::new(Peer::new(recording)));
    let answering = peer.clone();
    let endpoints = Endpoints::replayed(
        "recording",
        Arc::new(move |endpoint, request| {
            let mut peer = answering.lock().unwrap_or_else(PoisonError::into_inner);
            peer.answer(endpoint, request)
        }),
    );
    let call = Call {
        request_id: "admission".into(),
        registry: "recording".into(),
        operation_key: Some("recording".into()),
        attempt: 1,
        ..Call::default()
    };
    let settings = Arc::new(recording.settings.clone());
    let work = Work {
        lent: Lent::new(Arc::new(call), settings, Arc::new(endpoints)),
        limits: Arc::new(CallLimits::default()),
        deadline,
    };
    let came = ask(module, recording, work).await;
    let asked = peer
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .findings();
    // What was asked wrongly is not answered: what then comes of the call says nothing more.
    if !asked.is_empty() {
        return asked;
    }
    compare(recording, came)
}

/// What came of a call, as JSON.
enum Came {
    Answer(Value),
    Failure {
        kind: &'static str,
        code: Option<String>,
    },
    /// Neither: why, and where.
    Nothing(Finding),
}

fn compare(recording: &Recording, came: Came) -> Vec<Finding> {
    match (came, &recording.answer, &recording.failure) {
        (Came::Nothing(finding), ..) => vec![finding],
        (Came::Answer(answer), Some(expected), _) => differences("answer", expected, &answer),
        (Came::Failure { kind, .. }, Some(_), _) => {
            let problem = format!("the adapter says `{kind}`, where the recording has an answer");
            vec![finding("answer", problem)]
        }
        (Came::Failure { kind, code }, None, Some(expected)) => {
            let answered = json!({ "kind": kind, "code": code });
            let expected = json!({ "kind": expected.kind, "code": expected.code });
            differences("failure", &expected, &answered)
        }
        (Came::Answer(_), None, Some(_)) => {
            let problem = "the adapter answers, where the recording has a failure";
            vec![finding("failure", problem)]
        }
        // Reading the package has refused it.
        (_, None, None) => Vec::new(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    identifiers: Vec<Identifier>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Searched {
    criteria: Vec<Criterion>,
    #[serde(default)]
    sort: Vec<SortKey>,
    #[serde(default)]
    page_size: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Claimed {
    identifiers: Vec<Identifier>,
    claimed: Person,
}

/// Calls the ability, and goes on with it while it answers `pending`.
macro_rules! call {
    ($module:ident, $work:ident, $query:ident, $verb:ident, $resume:ident, $json:expr) => {{
        let mut ran = $module.$verb($work.clone(), &$query).await;
        let mut steps = 0;
        loop {
            let pending = match came(ran, $json) {
                Ok(came) => break came,
                Err(pending) => pending,
            };
            steps += 1;
            if pending.retry_after_ms.is_none() || steps > MAX_STEPS {
                let problem = "the adapter waits for what a recording does not bring: only calls \
                               that end by themselves can be recorded";
                break Came::Nothing(finding("", problem));
            }
            ran = $module.$resume($work.clone(), &pending.state, None).await;
        }
    }};
}

async fn ask(module: &Module, recording: &Recording, work: Work) -> Came {
    match recording.ability {
        Ability::Find => match question::<Asked>(recording) {
            Err(finding) => Came::Nothing(finding),
            Ok(Asked { identifiers }) => {
                let query = FindQuery { identifiers };
                call!(module, work, query, find, resume_find, to_json)
            }
        },
        Ability::Household => match question::<Asked>(recording) {
            Err(finding) => Came::Nothing(finding),
            Ok(Asked { identifiers }) => {
                let query = HouseholdQuery { identifiers };
                call!(module, work, query, household, resume_household, to_json)
            }
        },
        Ability::Search => match question::<Searched>(recording) {
            Err(finding) => Came::Nothing(finding),
            Ok(searched) => {
                let query = SearchQuery {
                    criteria: searched.criteria,
                    sort: searched.sort,
                    page_size: searched.page_size.unwrap_or(PAGE_SIZE).max(1),
                    page: None,
                };
                call!(module, work, query, search, resume_search, page)
            }
        },
        Ability::Verify => match question::<Claimed>(recording) {
            Err(finding) => Came::Nothing(finding),
            Ok(Claimed {
                identifiers,
                claimed,
            }) => {
                let query = VerifyQuery {
                    identifiers,
                    claimed,
                };
                call!(module, work, query, verify, resume_verify, to_json)
            }
        },
        Ability::Create => match question::<CreateRequest>(recording) {
            Err(finding) => Came::Nothing(finding),
            Ok(query) => call!(module, work, query, create, resume_create, written),
        },
        Ability::Update => match question::<UpdateRequest>(recording) {
            Err(finding) => Came::Nothing(finding),
            Ok(query) => call!(module, work, query, update, resume_update, written),
        },
        Ability::Link => match question::<LinkRequest>(recording) {
            Err(finding) => Came::Nothing(finding),
            Ok(query) => call!(module, work, query, link, resume_link, written),
        },
        Ability::Enrolment => match question::<EnrolmentRequest>(recording) {
            Err(finding) => Came::Nothing(finding),
            Ok(query) => call!(module, work, query, enrol, resume_enrol, written),
        },
        Ability::Trace | Ability::Events => Came::Nothing(finding(
            "ability",
            "only lookups and writes are replayed: leave this recording out",
        )),
    }
}

/// What the registry did, or that nobody knows.
fn written(written: Written) -> Value {
    match written {
        Written::Done(receipt) => json!({ "done": receipt }),
        Written::Unclear(why) => json!({ "unclear": { "code": why.code } }),
    }
}

fn question<T: DeserializeOwned>(recording: &Recording) -> Result<T, Finding> {
    serde_path_to_error::deserialize(recording.question.clone()).map_err(|error| {
        let path = error.path().to_string().replace('[', ".").replace(']', "");
        let place = format!("question.{path}");
        finding(
            place.trim_end_matches("..").trim_end_matches('.'),
            "is not as a request to the gateway has it: the API's document has the form",
        )
    })
}

fn came<T>(ran: Ran<T>, to_json: impl Fn(T) -> Value) -> Result<Came, crate::sandbox::Pending> {
    Ok(match ran.result {
        Err(fault) => Came::Nothing(finding("", fault.to_string())),
        Ok(Err(failure)) => {
            let error = GatewayError::Failure(failure);
            Came::Failure {
                kind: error.word(),
                code: error.code().map(str::to_owned),
            }
        }
        Ok(Ok(Answer::Done(answer))) => Came::Answer(to_json(answer)),
        Ok(Ok(Answer::Pending(pending))) => return Err(pending),
    })
}

fn to_json(answer: impl serde::Serialize) -> Value {
    serde_json::to_value(answer).unwrap_or_default()
}

/// Its token is the adapter's own: only whether there is one.
fn page(page: Page) -> Value {
    let mut json = json!({ "candidates": page.candidates, "more": page.next.is_some() });
    if let Some(object) = json.as_object_mut() {
        let mut put = |key: &str, value: Value| {
            if !value.is_null() && value != json!([]) {
                object.insert(key.to_owned(), value);
            }
        };
        put("total", to_json(page.total));
        put("extra", to_json(page.extra));
        put("unmapped", to_json(page.unmapped));
    }
    json
}
