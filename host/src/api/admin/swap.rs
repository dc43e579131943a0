//! Which module serves a registry, and which is to.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Administrators, By, Implementers, Named, Staff, named};
use crate::api::body::Body;
use crate::api::problem::Problem;
use crate::gateway::{
    AdminError, Back, Drain, Finding, Gateway, LoadedModule, OpenState, SwapView, Swapped,
    ToActivate,
};

/// A module to stand ready.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct StageRequest {
    /// The digest of an admitted module.
    module: String,
}

/// A module to serve.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct ActivateRequest {
    /// Its digest. Named also where it is the candidate: another may have been staged since whoever
    /// decides has looked.
    module: String,
    /// The digest of what serves now; another is refused.
    #[serde(default)]
    expected: Option<String>,
    /// Also where somebody holds states that it does not read: they are then refused.
    #[serde(default)]
    force: bool,
}

/// Where to go back to. With neither: to what served before.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct RollbackRequest {
    /// The digest of a module that served once.
    #[serde(default)]
    module: Option<String>,
    /// What served at that time.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    /// As for activation.
    #[serde(default)]
    force: bool,
}

/// How a registry stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct SwapResponse {
    /// Its name.
    registry: String,
    /// What serves, on this gateway. Null: nothing does.
    active: Option<ServingModule>,
    /// Since when.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// What may serve next.
    candidate: Option<CandidateResponse>,
    /// What served before and stays loaded: the latest first.
    ready: Vec<ServingModule>,
    /// What served before and still has calls. Empty: all calls are on the active module.
    draining: Vec<DrainResponse>,
    /// States of adapters that callers hold, by form.
    open: Vec<OpenResponse>,
    /// What to look at before the next step. It did not stand in the way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<NoteResponse>,
}

/// A module.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ServingModule {
    /// What it is known by.
    digest: String,
    /// The adapter's name.
    adapter: String,
    /// The version that it states.
    version: String,
}

/// The module that may serve next.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CandidateResponse {
    /// Its digest.
    module: String,
    /// `staged`: loaded. `shadow`: it also answers a share of lookups, unseen.
    state: CandidateState,
    /// That share, in percent.
    share_percent: Option<u8>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Whose act it was.
    caller: String,
    /// Why it cannot be loaded, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum CandidateState {
    Staged,
    Shadow,
}

/// A module that still has calls.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DrainResponse {
    /// Its digest.
    module: String,
    /// Since when no new call goes to it.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// By then its last call has ended, by the call's own limits.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// How many go on with it.
    calls: usize,
}

/// States that callers hold.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OpenResponse {
    /// `page`: the token of a search.
    kind: String,
    /// The adapter's number for their form.
    form: u32,
    /// Until when somebody may come back with one.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

/// Something to look at.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct NoteResponse {
    /// Where.
    place: String,
    /// What.
    problem: String,
}

/// Shows what serves a registry, what may serve next, and which calls still end with what served
/// before.
#[utoipa::path(
    get,
    path = "/admin/v1/registries/{registry}/swap",
    tag = "swap",
    params(("registry" = String, Path, description = "The registry's name")),
    responses(
        (status = 200, description = "How it stands", body = SwapResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not answered", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn swap(
    State(gateway): State<Gateway>,
    _by: By<Staff>,
    registry: Named,
) -> Result<Json<SwapResponse>, Problem> {
    let view = gateway.swap(&named("registry", registry)?).await?;
    Ok(Json(SwapResponse::of(view)))
}

/// Loads an admitted module beside the one that serves, and looks whether it fits the registry.
#[utoipa::path(
    post,
    path = "/admin/v1/registries/{registry}/stage",
    tag = "swap",
    params(("registry" = String, Path, description = "The registry's name")),
    request_body = StageRequest,
    responses(
        (status = 200, description = "It stands ready", body = SwapResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn stage(
    State(gateway): State<Gateway>,
    By(acting, _): By<Implementers>,
    registry: Named,
    Body(request): Body<StageRequest>,
) -> Result<Json<SwapResponse>, Problem> {
    let name = named("registry", registry)?;
    let done = gateway.stage(&acting, &name, &request.module).await?;
    Ok(Json(done.into()))
}

/// Has a module serve the registry. Calls under way end with the one that they began with.
#[utoipa::path(
    post,
    path = "/admin/v1/registries/{registry}/activate",
    tag = "swap",
    params(("registry" = String, Path, description = "The registry's name")),
    request_body = ActivateRequest,
    responses(
        (status = 200, description = "It serves", body = SwapResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn activate(
    State(gateway): State<Gateway>,
    By(acting, _): By<Administrators>,
    registry: Named,
    Body(request): Body<ActivateRequest>,
) -> Result<Json<SwapResponse>, Problem> {
    let wanted = ToActivate {
        module: request.module,
        expected: request.expected,
        force: request.force,
    };
    let name = named("registry", registry)?;
    Ok(Json(gateway.activate(&acting, &name, wanted).await?.into()))
}

/// Has a module serve that served before.
#[utoipa::path(
    post,
    path = "/admin/v1/registries/{registry}/rollback",
    tag = "swap",
    params(("registry" = String, Path, description = "The registry's name")),
    request_body = RollbackRequest,
    responses(
        (status = 200, description = "It serves", body = SwapResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn roll_back(
    State(gateway): State<Gateway>,
    By(acting, _): By<Administrators>,
    registry: Named,
    Body(request): Body<RollbackRequest>,
) -> Result<Json<SwapResponse>, Problem> {
    let to = match (request.module, request.at) {
        (None, None) => Back::Previous,
        (Some(module), None) => Back::To(module),
        (None, Some(at)) => Back::At(at),
        (Some(_), Some(_)) => {
            return Err(AdminError::Invalid {
                field: "at".into(),
                problem: "say either `module` or `at`".into(),
            }
            .into());
        }
    };
    let name = named("registry", registry)?;
    let done = gateway
        .roll_back(&acting, &name, &to, request.force)
        .await?;
    Ok(Json(done.into()))
}

/// Has no module stand ready to serve next.
#[utoipa::path(
    delete,
    path = "/admin/v1/registries/{registry}/candidate",
    tag = "swap",
    params(("registry" = String, Path, description = "The registry's name")),
    responses(
        (status = 204, description = "There is none"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn unstage(
    State(gateway): State<Gateway>,
    By(acting, _): By<Administrators>,
    registry: Named,
) -> Result<StatusCode, Problem> {
    gateway
        .unstage(&acting, &named("registry", registry)?)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<Swapped> for SwapResponse {
    fn from(done: Swapped) -> Self {
        let notes = done.findings.into_iter().filter_map(|finding| {
            let Finding { place, problem } = finding;
            problem.map(|problem| NoteResponse { place, problem })
        });
        Self {
            findings: notes.collect(),
            ..Self::of(done.now)
        }
    }
}

impl SwapResponse {
    fn of(view: SwapView) -> Self {
        Self {
            registry: view.registry,
            active: view.active.map(Into::into),
            since: view.since,
            candidate: view.candidate.map(|candidate| CandidateResponse {
                module: candidate.module,
                state: candidate
                    .share_percent
                    .map_or(CandidateState::Staged, |_| CandidateState::Shadow),
                share_percent: candidate.share_percent,
                since: candidate.since,
                caller: candidate.caller,
                problem: candidate.problem,
            }),
            ready: view.ready.into_iter().map(Into::into).collect(),
            draining: view.draining.into_iter().map(Into::into).collect(),
            open: view.open.into_iter().map(Into::into).collect(),
            findings: Vec::new(),
        }
    }
}

impl From<LoadedModule> for ServingModule {
    fn from(module: LoadedModule) -> Self {
        Self {
            digest: module.digest,
            adapter: module.adapter,
            version: module.version,
        }
    }
}

impl From<Drain> for DrainResponse {
    fn from(drain: Drain) -> Self {
        Self {
            module: drain.module,
            since: drain.since,
            until: drain.until,
            calls: drain.calls,
        }
    }
}

impl From<OpenState> for OpenResponse {
    fn from(open: OpenState) -> Self {
        Self {
            kind: open.kind,
            form: open.form,
            until: open.until,
        }
    }
}
