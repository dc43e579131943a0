//! A package's recordings, replayed: the module is called as any is, in the real sandbox, and who
//! answers its requests is the recording.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::difference::{differences, finding};
use super::peer::Peer;
use crate::config::limits::CallLimits;
use crate::egress::Endpoints;
use crate::gateway::alone::{End, Pace, Question, ask};
use crate::gateway::{Finding, GatewayError, check_settings};
use crate::model::Call;
use crate::package::Recording;
use crate::sandbox::{Lent, Module, Work};

/// A recorded registry answers at once: more steps than this are no progress.
pub(in crate::gateway) const PACE: Pace = Pace::AtOnce { steps: 20 };
/// As many as a person mends at once.
const MOST: usize = 100;

/// The registry of a recording, as its endpoints.
pub(in crate::gateway) struct Recorded {
    peer: Arc<Mutex<Peer>>,
    pub(in crate::gateway) endpoints: Endpoints,
}

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
    let problems = problems(module, recording);
    if !problems.is_empty() {
        return problems;
    }
    let (question, wishes) = match Question::read(recording.ability, &recording.question) {
        Ok(read) => read,
        Err(finding) => return vec![finding],
    };
    let recorded = Recorded::new(recording);
    let mut call = call();
    wishes.apply(&mut call);
    let settings = Arc::new(recording.settings.clone());
    let endpoints = Arc::new(recorded.endpoints.clone());
    let work = Work {
        lent: Lent::new(Arc::new(call), settings, endpoints),
        limits: Arc::new(CallLimits::default()),
        deadline,
    };
    let came = ask(module, &question, work, PACE).await;
    recorded.findings(recording, came.end)
}

/// What keeps the recording from being replayed.
pub(in crate::gateway) fn problems(module: &Module, recording: &Recording) -> Vec<Finding> {
    if !module.can(recording.ability) {
        let problem = "the module has no such ability: leave the recording out";
        return vec![finding("ability", problem)];
    }
    let schema = module.description().settings_schema.as_ref();
    let wrong = schema.map(|schema| check_settings(schema, &recording.settings));
    wrong.unwrap_or_default()
}

/// What the adapter may know of the call.
pub(in crate::gateway) fn call() -> Call {
    Call {
        request_id: "admission".into(),
        registry: "recording".into(),
        operation_key: Some("recording".into()),
        attempt: 1,
        ..Call::default()
    }
}

impl Recorded {
    pub(in crate::gateway) fn new(recording: &Recording) -> Self {
        let peer = Arc::new(Mutex::new(Peer::new(recording)));
        let answering = peer.clone();
        let endpoints = Endpoints::replayed(
            "recording",
            Arc::new(move |endpoint, request| {
                let mut peer = answering.lock().unwrap_or_else(PoisonError::into_inner);
                peer.answer(endpoint, request)
            }),
        );
        Self { peer, endpoints }
    }

    /// Where the module did otherwise than recorded.
    pub(in crate::gateway) fn findings(&self, recording: &Recording, end: End) -> Vec<Finding> {
        let mut peer = self.peer.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = peer.findings();
        // What was asked wrongly is not answered: what then comes of the call says nothing more.
        if !asked.is_empty() {
            return asked;
        }
        compare(recording, end)
    }
}

fn compare(recording: &Recording, end: End) -> Vec<Finding> {
    match (end, &recording.answer, &recording.failure) {
        (End::Fault(fault), ..) => vec![finding("", fault.to_string())],
        (End::Pending { .. }, ..) => {
            let problem = "the adapter waits for what a recording does not bring: only calls that end \
                           by themselves can be recorded";
            vec![finding("", problem)]
        }
        (End::Answer(answer), Some(expected), _) => differences("answer", expected, &answer),
        (End::Failure(failure), Some(_), _) => {
            let kind = failure.word();
            let problem = format!("the adapter says `{kind}`, where the recording has an answer");
            vec![finding("answer", problem)]
        }
        (End::Failure(failure), None, Some(expected)) => {
            let error = GatewayError::Failure(failure);
            let answered = json!({ "kind": error.word(), "code": error.code() });
            let expected = json!({ "kind": expected.kind, "code": expected.code });
            differences("failure", &expected, &answered)
        }
        (End::Answer(_), None, Some(_)) => {
            let problem = "the adapter answers, where the recording has a failure";
            vec![finding("failure", problem)]
        }
        // Of a package reading it has refused that; whoever is still recording has neither yet.
        (_, None, None) => Vec::new(),
    }
}
