//! The only error renderer: `application/problem+json` (RFC 9457) with a stable `code`. A problem
//! holds no value of the request and nothing of a person.

mod findings;
mod hooks;
mod limited;
mod links;
mod operations;
mod terms;

use std::any::Any;
use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
pub(super) use findings::FindingResponse;
use limited::limited;
pub(super) use links::LinkSide;
use serde::Serialize;
use utoipa::ToSchema;

use crate::gateway::{AdminError, Fault, GatewayError};
use crate::model::{Failure, Refusal};

/// How long a caller should wait where nothing better is known, in seconds.
const RETRY_AFTER: u32 = 1;

/// RFC 9457. `code` is stable; the texts are for people and may change.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Problem {
    /// `urn:registry-gateway:problem:` and the code.
    #[serde(rename = "type")]
    type_: String,
    /// `urn:uuid:` and the number of the request, which is in the log and the audit too.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    /// The HTTP status.
    status: u16,
    /// What programs look at.
    #[schema(example = "not-found")]
    code: &'static str,
    /// What happened, and what to do.
    detail: String,
    /// The field or header that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// The registry's own code, where the registry said no.
    #[serde(skip_serializing_if = "Option::is_none")]
    registry_code: Option<String>,
    /// What is wrong in each place, where something is refused as a whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<FindingResponse>,
    /// What stands and what was asked for, where two people cannot be tied.
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<Box<[LinkSide; 2]>>,
    #[serde(skip)]
    retry_after: Option<u32>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            type_: format!("urn:registry-gateway:problem:{code}"),
            instance: None,
            status: status.as_u16(),
            code,
            detail: detail.into(),
            field: None,
            registry_code: None,
            findings: Vec::new(),
            links: None,
            retry_after: None,
        }
    }

    pub(super) fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// With another name for the field, where there is one.
    pub(super) fn rename_field(mut self, other: impl FnOnce(&str) -> Option<String>) -> Self {
        if let Some(other) = self.field.as_deref().and_then(other) {
            self.field = Some(other);
        }
        self
    }

    pub(super) fn retry_after_ms(mut self, ms: Option<u32>) -> Self {
        self.retry_after = Some(ms.map_or(RETRY_AFTER, |ms| ms.div_ceil(1_000).max(1)));
        self
    }

    fn registry(mut self, why: Refusal) -> Self {
        self.registry_code = why.code;
        self.field = why.field;
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after;
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (status, kind, body).into_response();
        response.extensions_mut().insert(Arc::new(self));
        if let Some(seconds) = retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The same answer with the number of its request, which is known outside of all that makes problems.
pub(super) fn numbered(mut response: Response, id: &str) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Arc<Problem>>() else {
        return response;
    };
    let mut problem = Arc::unwrap_or_clone(problem);
    problem.instance = Some(format!("urn:uuid:{id}"));
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    *response.body_mut() = body.into();
    // Of the body before.
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response
}

impl From<GatewayError> for Problem {
    fn from(error: GatewayError) -> Self {
        use StatusCode as S;
        match error {
            GatewayError::Starting => Self::new(
                S::SERVICE_UNAVAILABLE,
                "starting",
                "the gateway is loading its registries; the same call succeeds when it is ready",
            )
            .retry_after_ms(None),
            GatewayError::UnknownCaller => Self::new(
                S::UNAUTHORIZED,
                "unauthorized",
                "send the key that `caller add` gave, or a valid token of a configured issuer, as `Authorization: Bearer <key>`",
            )
            .field("Authorization"),
            GatewayError::TooManyFailedKeys { retry_after_ms }
            | GatewayError::IssuerAway { retry_after_ms }
            | GatewayError::RateLimited { retry_after_ms }
            | GatewayError::QuotaSpent { retry_after_ms }
            | GatewayError::QuotaUnknown { retry_after_ms } => limited(error.word(), retry_after_ms),
            GatewayError::NotGranted => Self::new(
                S::FORBIDDEN,
                "not-granted",
                "this caller is not granted this ability of the registry",
            ),
            GatewayError::UnknownRegistry => Self::new(
                S::NOT_FOUND,
                "unknown-registry",
                "GET /v1/registries lists the registries that this caller may ask",
            )
            .field("registry"),
            GatewayError::Disabled => Self::new(
                S::SERVICE_UNAVAILABLE,
                "registry-disabled",
                "an administrator has disabled this registry",
            ),
            GatewayError::NotReady => Self::new(
                S::SERVICE_UNAVAILABLE,
                "registry-not-ready",
                "the registry's adapter or configuration does not load; the gateway's log says why",
            )
            .retry_after_ms(None),
            GatewayError::NoAbility(ability) => Self::new(
                S::NOT_IMPLEMENTED,
                "no-ability",
                format!("this registry's adapter has no ability `{ability}`"),
            ),
            GatewayError::Missing(requirement) => terms::missing(requirement),
            GatewayError::NotAccepted(requirement) => terms::not_accepted(requirement),
            GatewayError::Closed { retry_after_ms } => terms::closed(retry_after_ms),
            GatewayError::Invalid { field, problem } => {
                Self::new(S::BAD_REQUEST, "invalid-request", problem).field(field)
            }
            GatewayError::HiddenField(place) => Self::new(
                S::FORBIDDEN,
                "hidden-field",
                "the registry's policy, or this caller's grant, does not show what this asks for or about",
            )
            .field(place),
            GatewayError::Busy => Self::new(
                S::TOO_MANY_REQUESTS,
                "busy",
                "too many calls to this registry at the same time",
            )
            .retry_after_ms(None),
            GatewayError::StillPending { retry_after_ms } => Self::new(
                S::SERVICE_UNAVAILABLE,
                "registry-pending",
                "the registry answers later than this call can wait",
            )
            .retry_after_ms(retry_after_ms),
            GatewayError::Failure(failure) => failed(failure),
            GatewayError::Fault(fault) => broke(&fault),
            error @ (GatewayError::IdempotencyConflict
            | GatewayError::UnknownOperation
            | GatewayError::UnknownLink
            | GatewayError::CursorAhead
            | GatewayError::UnknownLookup
            | GatewayError::LookupOver
            | GatewayError::TooManyLookups
            | GatewayError::OperationState(_)) => operations::refused(&error),
            GatewayError::Audit(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "no audit row, no answer"
                );
                Self::new(
                    S::SERVICE_UNAVAILABLE,
                    "audit-unavailable",
                    "the call could not be recorded, so that it was not answered",
                )
                .retry_after_ms(None)
            }
            GatewayError::Kept(_) | GatewayError::Internal => internal(),
        }
    }
}

impl From<AdminError> for Problem {
    fn from(error: AdminError) -> Self {
        use StatusCode as S;
        match error {
            AdminError::Gateway(error) => error.into(),
            AdminError::NotAllowed(roles) => {
                let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
                let detail = format!("this needs the role {}", roles.join(" or "));
                Self::new(S::FORBIDDEN, "not-allowed", detail)
            }
            AdminError::Unknown { what, .. } => {
                let detail = format!("there is no {what} of that name");
                Self::new(S::NOT_FOUND, "unknown", detail).field(what)
            }
            AdminError::Invalid { field, problem } => {
                Self::new(S::BAD_REQUEST, "invalid-request", problem).field(field)
            }
            AdminError::Refused {
                code,
                detail,
                findings,
            } => Self::new(S::UNPROCESSABLE_ENTITY, code, detail).findings(findings),
            AdminError::Conflict { code, detail } => Self::new(S::CONFLICT, code, detail),
            AdminError::Busy(detail) => {
                Self::new(S::TOO_MANY_REQUESTS, "busy", detail).retry_after_ms(None)
            }
            AdminError::Audit(error) => GatewayError::Audit(error).into(),
            AdminError::Store(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "an act of administration is not done"
                );
                Self::new(
                    S::SERVICE_UNAVAILABLE,
                    "store-unavailable",
                    "the database does not answer; nothing was changed",
                )
                .retry_after_ms(None)
            }
            AdminError::Internal => internal(),
        }
    }
}

fn failed(failure: Failure) -> Problem {
    use StatusCode as S;
    match failure {
        Failure::NotFound => Problem::new(
            S::NOT_FOUND,
            "not-found",
            "the registry has nobody by that identifier",
        ),
        Failure::Ambiguous(why) => Problem::new(
            S::CONFLICT,
            "ambiguous",
            "the registry has more than one where one was asked for",
        )
        .registry(why),
        Failure::Rejected(why) => Problem::new(
            S::UNPROCESSABLE_ENTITY,
            "rejected",
            "the registry refuses the request as it is",
        )
        .registry(why),
        Failure::Denied(why) => Problem::new(
            S::BAD_GATEWAY,
            "denied",
            "the registry refuses the gateway: credential, consent or right",
        )
        .registry(why),
        Failure::Conflict(why) => Problem::new(
            S::CONFLICT,
            "conflict",
            "the record has changed in the registry since it was read",
        )
        .registry(why),
        Failure::Unsupported(why) => Problem::new(
            S::UNPROCESSABLE_ENTITY,
            "unsupported",
            "this registry cannot do what was asked",
        )
        .registry(why),
        Failure::Unavailable(why) => {
            let mut problem = Problem::new(
                S::SERVICE_UNAVAILABLE,
                "registry-unavailable",
                "the registry cannot answer now; the same call may succeed later",
            )
            .retry_after_ms(why.retry_after_ms);
            problem.registry_code = why.code;
            problem
        }
        Failure::Unreadable(why) => Problem::new(
            S::BAD_GATEWAY,
            "registry-unreadable",
            "the registry answered something that is not its protocol",
        )
        .registry(why),
        Failure::Misconfigured(why) => Problem::new(
            S::SERVICE_UNAVAILABLE,
            "registry-misconfigured",
            "the registry's settings here do not fit its adapter: an administrator must mend them",
        )
        .registry(why),
        Failure::Other(why) => {
            Problem::new(S::BAD_GATEWAY, "registry-failed", "the registry says no").registry(why)
        }
    }
}

fn broke(fault: &Fault) -> Problem {
    match fault {
        Fault::OutOfTime => Problem::new(
            StatusCode::GATEWAY_TIMEOUT,
            "out-of-time",
            "no answer within the registry's time limit",
        ),
        Fault::NoInstance => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "no-instance",
            "the gateway has no room for another call now",
        )
        .retry_after_ms(None),
        other => Problem::new(StatusCode::BAD_GATEWAY, "adapter-fault", other.to_string()),
    }
}

fn internal() -> Problem {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "the gateway made a mistake; its log has the request's id",
    )
}

pub(super) async fn no_such_route() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "no-such-route",
        "GET /openapi.json describes the API",
    )
}

pub(super) async fn no_such_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "no-such-method",
        "reads are POST, so that no personal data is in a URL; GET /openapi.json has the rest",
    )
}

/// A panic's message may hold anything: it is not told and not logged.
pub(super) fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    internal().into_response()
}
