//! A module called by itself, by whoever writes it, on their own machine: no gateway, no store, no
//! audit. It runs in the real sandbox, against a recording or against a registry as a file configures
//! it, and all that was exchanged is told, with what of it the mapping makes no use of.
//!
//! What is told here holds people. It is for the terminal of who asked: nothing of it is logged or kept.

mod ask;
mod change;
mod question;
mod unused;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value};
use tokio::time::Instant;
use uuid::Uuid;

pub(super) use ask::{Came, End, Pace, ask};
pub(super) use question::Question;
pub use unused::{Field, NotLookedAt, Unused};

use super::admission::{PACE, Recorded, loaded, problems, recorded_call};
use super::registries::Checks;
use super::roster::{chain, endpoints};
use super::{Fault, Finding};
use crate::config::limits::CallLimits;
use crate::config::registry::RegistryConfig;
use crate::config::secret::Secrets;
use crate::egress::{Egress, Endpoints, Exchanged, Tape};
use crate::model::{Ability, Asker, Call, Failure};
use crate::package::Recording;
use crate::sandbox::{Description, Lent, Module, Sandbox, Usage, Work};

/// What a registry is told for a user, an entity, a purpose and a legal basis.
const PURPOSE: &str = "adapter-call";
/// As a gateway's: see `lookups/waiting`.
const LIVE: Pace = Pace::Real { steps: 100 };

/// What modules are called with.
pub struct Alone {
    sandbox: Sandbox,
    secrets: Secrets,
}

/// A module that can be called.
pub struct LoadedAlone {
    module: Module,
}

/// A question to a registry as a file configures it.
pub struct LiveQuestion<'a> {
    /// The registry's name.
    pub registry: &'a str,
    /// Its configuration. The module that it names is not looked at.
    pub config: &'a RegistryConfig,
    /// What is called.
    pub ability: Ability,
    /// As a request to the gateway has it.
    pub question: &'a Value,
}

/// What came of a call. It holds people: it is for whoever asked.
pub struct Called {
    /// All that was asked and answered.
    pub exchanges: Vec<Exchanged>,
    /// How it ended.
    pub outcome: Outcome,
    /// Of all steps.
    pub usage: Usage,
    /// From the beginning to the end, what was waited between steps included.
    pub took: Duration,
    /// How many there were.
    pub steps: u32,
    /// What the adapter logged, masked as in a gateway's log: level and text.
    pub logged: Vec<(&'static str, String)>,
    /// Whether a recording says what is right.
    pub compared: bool,
    /// Of a recording: where the module did otherwise.
    pub otherwise: Vec<Finding>,
    /// Which of the registry's fields make no difference. None: there is no answer and no failure
    /// for which they could.
    pub unused: Option<Unused>,
}

/// How a call ended.
pub enum Outcome {
    /// As the gateway answers, before a policy hides anything.
    Answer(Value),
    /// The registry says no.
    Failure(Failure),
    /// The adapter broke.
    Fault(Fault),
    /// The registry answers later than the call's time allows.
    Pending,
    /// The registry answers by a callback, and only a gateway receives those.
    ByCallback,
}

impl Called {
    /// Whether nothing is to be mended: it is as recorded; or else the registry has answered, perhaps
    /// that it knows nobody.
    pub fn works(&self) -> bool {
        let answered = match &self.outcome {
            // Of a write: nobody knows.
            Outcome::Answer(answer) => answer.get("unclear").is_none(),
            Outcome::Failure(failure) => matches!(failure, Failure::NotFound),
            _ => false,
        };
        self.otherwise.is_empty() && (self.compared || answered)
    }
}

impl LoadedAlone {
    /// What it says it is.
    pub fn description(&self) -> &Description {
        self.module.description()
    }

    /// `sha256:` and 64 hexadecimal digits of its bytes.
    pub fn digest(&self) -> &str {
        self.module.digest()
    }
}

impl Alone {
    /// With the sandbox that a gateway would have.
    pub fn new(sandbox: Sandbox, secrets: Secrets) -> Self {
        Self { sandbox, secrets }
    }

    /// Loads a package or a bare component. Nothing of it is kept.
    ///
    /// # Errors
    /// All that keeps it from being loaded, as the admission says it.
    pub async fn load(&self, bytes: Bytes) -> Result<LoadedAlone, Vec<Finding>> {
        let module = loaded(&self.sandbox, bytes).await?;
        Ok(LoadedAlone { module })
    }

    /// Asks what is recorded. Who answers is the recording.
    ///
    /// # Errors
    /// What keeps it from being asked, by its place in the recording.
    pub async fn recorded(
        &self,
        loaded: &LoadedAlone,
        recording: &Recording,
    ) -> Result<Called, Vec<Finding>> {
        let problems = problems(&loaded.module, recording);
        if !problems.is_empty() {
            return Err(problems);
        }
        let (question, wishes) =
            Question::read(recording.ability, &recording.question).map_err(|it| vec![it])?;
        let mut call = recorded_call();
        wishes.apply(&mut call);
        let recorded = Recorded::new(recording);
        let calling = Calling {
            module: &loaded.module,
            question,
            call: Arc::new(call),
            settings: Arc::new(recording.settings.clone()),
            limits: Arc::default(),
        };
        let (mut called, end) = self.call(&calling, &recorded.endpoints, PACE).await;
        called.compared = recording.answer.is_some() || recording.failure.is_some();
        called.otherwise = recorded.findings(recording, end);
        Ok(called)
    }

    /// Asks a registry, once: what fails is not tried again. A write really writes.
    ///
    /// # Errors
    /// What keeps it from being asked, by its place in the file or in the question.
    pub async fn live(
        &self,
        loaded: &LoadedAlone,
        asked: &LiveQuestion<'_>,
    ) -> Result<Called, Vec<Finding>> {
        let LiveQuestion {
            registry,
            config,
            ability,
            question,
        } = *asked;
        let module = &loaded.module;
        let checks = Checks {
            sandbox: &self.sandbox,
            secrets: &self.secrets,
            egress: Egress::new(),
        };
        let mut findings = checks.problems(registry, config, Some(module));
        if !module.can(ability) {
            let can = module.description().abilities.iter();
            let can: Vec<&str> = can.map(|it| it.as_str()).collect();
            findings.push(Finding {
                place: "ability".into(),
                problem: Some(format!("the module can {}", can.join(", "))),
            });
        }
        let read = Question::read(ability, question);
        let (question, wishes) = match read {
            Ok(read) if findings.is_empty() => read,
            Ok(_) => return Err(findings),
            Err(finding) => {
                findings.push(finding);
                return Err(findings);
            }
        };
        let egress = Egress::new();
        let endpoints = endpoints(&egress, registry, config, &self.secrets);
        let endpoints = endpoints.map_err(|error| {
            vec![Finding {
                place: format!("registries.{registry}"),
                problem: Some(chain(&error)),
            }]
        })?;
        let told = || Some(PURPOSE.to_owned());
        let writes = Ability::WRITES.contains(&ability);
        let mut call = Call {
            request_id: Uuid::now_v7().to_string(),
            registry: registry.to_owned(),
            asker: Asker {
                user: told(),
                entity: told(),
                purpose: told(),
                legal_basis: told(),
            },
            operation_key: writes.then(|| Uuid::now_v7().to_string()),
            attempt: 1,
            ..Call::default()
        };
        wishes.apply(&mut call);
        let calling = Calling {
            module,
            question,
            call: Arc::new(call),
            settings: Arc::new(config.settings.clone()),
            limits: Arc::new(config.limits.clone()),
        };
        Ok(self.call(&calling, &endpoints, LIVE).await.0)
    }

    async fn call(
        &self,
        calling: &Calling<'_>,
        endpoints: &Endpoints,
        pace: Pace,
    ) -> (Called, End) {
        let began = Instant::now();
        let tape = Arc::new(Tape::default());
        let came = calling.ask(endpoints.taped(tape.clone()), pace).await;
        let took = began.elapsed();
        let logged = self.sandbox.follow(&calling.call.registry).kept;
        let logged = logged.iter().map(|said| (said.level, said.text.clone()));
        let called = Called {
            exchanges: tape.exchanges(),
            outcome: came.end.clone().into(),
            usage: came.usage,
            took,
            steps: came.steps,
            logged: logged.collect(),
            compared: false,
            otherwise: Vec::new(),
            unused: unused::look(calling, endpoints, &tape, &came.end).await,
        };
        (called, came.end)
    }
}

/// All that a call is made with but its endpoints: it is made again.
struct Calling<'a> {
    module: &'a Module,
    question: Question,
    call: Arc<Call>,
    settings: Arc<Map<String, Value>>,
    limits: Arc<CallLimits>,
}

impl Calling<'_> {
    async fn ask(&self, endpoints: Endpoints, pace: Pace) -> Came {
        let endpoints = Arc::new(endpoints);
        let work = Work {
            lent: Lent::new(self.call.clone(), self.settings.clone(), endpoints),
            limits: self.limits.clone(),
            deadline: Instant::now() + Duration::from_millis(self.limits.wall_ms),
        };
        ask(self.module, &self.question, work, pace).await
    }
}

impl From<End> for Outcome {
    fn from(end: End) -> Self {
        match end {
            End::Answer(answer) => Self::Answer(answer),
            End::Failure(failure) => Self::Failure(failure),
            End::Fault(fault) => Self::Fault(fault),
            End::Pending { by_callback: false } => Self::Pending,
            End::Pending { by_callback: true } => Self::ByCallback,
        }
    }
}
