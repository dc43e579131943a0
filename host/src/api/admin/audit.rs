//! The audit as a whole: verified, and sealed.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Auditors, By};
use crate::api::body::Body;
use crate::api::problem::Problem;
use crate::api::query::{Parameters, invalid};
use crate::gateway::{Bad, Gateway, Kept, PublicKey, SignedCheckpoint, Verdict};

/// Most checkpoints and keys that one request holds the audit to.
const MAX_KEPT: usize = 1_000;

/// What the audit is held to. Empty: what the gateway itself has.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct VerifyRequest {
    /// Checkpoints that were exported and kept elsewhere.
    #[serde(default)]
    checkpoints: Vec<CheckpointBody>,
    /// The only keys whose checkpoints are believed. Left out: those that the gateway knows.
    #[serde(default)]
    public_keys: Vec<String>,
}

/// A checkpoint: what of the audit there was, signed.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct CheckpointBody {
    /// What is signed, word for word: a JSON object as text.
    statement: String,
    /// Whose signature it is: `ed25519:` and base64.
    public_key: String,
    /// The ed25519 signature of `registry-gateway audit checkpoint`, a line's end and the statement,
    /// in base64.
    signature: String,
}

/// Checkpoints.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct CheckpointsResponse {
    /// The key that signs here.
    public_key: String,
    /// In order, at most 1,000.
    checkpoints: Vec<CheckpointBody>,
}

/// What was found.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct VerdictResponse {
    /// Whether the audit is what was written.
    whole: bool,
    /// How many rows of chains were found to be so.
    rows: u64,
    /// How many rows no checkpoint covers yet.
    uncovered_rows: u64,
    /// How many rows were written before there were chains.
    unchained_rows: u64,
    /// How many chains there are: one for each gateway that wrote at the same time.
    chains: u64,
    /// The number of the last checkpoint; 0 where there is none.
    last_checkpoint: i64,
    /// The first that is wrong in each chain, and among the checkpoints.
    bad: Vec<BadResponse>,
}

/// What is wrong, and where.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct BadResponse {
    /// The chain; none for a row without one, and for a checkpoint.
    chain: Option<i64>,
    /// The number of the row in its chain.
    row: Option<i64>,
    /// Where it cannot be told which row it is: the last that it may be.
    until_row: Option<i64>,
    /// `begin`, `end` or `act`, where the row is there.
    kind: Option<&'static str>,
    /// The row's id, where it is there.
    id: Option<String>,
    /// The checkpoint that it is about, or that shows it.
    checkpoint: Option<i64>,
    /// What is wrong.
    problem: String,
}

/// What `checkpoints` reads of the URL, for the API's document alone.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "described here, read by `Parameters`")]
pub(in crate::api) struct CheckpointsQuery {
    /// Those behind this number. Left out: from the first.
    #[param(required = false, value_type = i64)]
    behind: Option<i64>,
}

/// Goes through the whole audit and names the first row that is not what was written.
#[utoipa::path(
    post,
    path = "/admin/v1/audit/verify",
    tag = "audit",
    request_body = VerifyRequest,
    responses(
        (status = 200, description = "What was found", body = VerdictResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn verify(
    State(gateway): State<Gateway>,
    By(acting, _): By<Auditors>,
    Body(request): Body<VerifyRequest>,
) -> Result<Json<VerdictResponse>, Problem> {
    for (field, length) in [
        ("checkpoints", request.checkpoints.len()),
        ("publicKeys", request.public_keys.len()),
    ] {
        if length > MAX_KEPT {
            return Err(invalid(field, format!("too many: at most {MAX_KEPT}")));
        }
    }
    let keys = request.public_keys.iter().enumerate();
    let keys = keys.map(|(at, key)| {
        PublicKey::parse(key).map_err(|bad| invalid(format!("publicKeys.{at}"), bad.to_string()))
    });
    let kept = Kept {
        keys: keys.collect::<Result<_, _>>()?,
        checkpoints: request.checkpoints.into_iter().map(Into::into).collect(),
    };
    let verdict = gateway.verify_audit(&acting, kept).await?;
    Ok(Json(verdict.into()))
}

/// Lists checkpoints, to be kept elsewhere.
#[utoipa::path(
    get,
    path = "/admin/v1/audit/checkpoints",
    tag = "audit",
    params(CheckpointsQuery),
    responses(
        (status = 200, description = "The checkpoints", body = CheckpointsResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn checkpoints(
    State(gateway): State<Gateway>,
    _by: By<Auditors>,
    uri: Uri,
) -> Result<Json<CheckpointsResponse>, Problem> {
    let behind = Parameters::of(&uri, &["behind"])?.number("behind")?;
    let checkpoints = gateway.checkpoints(behind.unwrap_or(0)).await?;
    Ok(Json(CheckpointsResponse {
        public_key: gateway.audit_key().to_string(),
        checkpoints: checkpoints.into_iter().map(Into::into).collect(),
    }))
}

/// Makes a checkpoint now, and gives it.
#[utoipa::path(
    post,
    path = "/admin/v1/audit/checkpoints",
    tag = "audit",
    responses(
        (status = 201, description = "The checkpoint", body = CheckpointBody),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn seal(
    State(gateway): State<Gateway>,
    By(acting, _): By<Auditors>,
) -> Result<(StatusCode, Json<CheckpointBody>), Problem> {
    let made = gateway.seal_audit(&acting).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

impl From<CheckpointBody> for SignedCheckpoint {
    fn from(body: CheckpointBody) -> Self {
        Self {
            statement: body.statement,
            public_key: body.public_key,
            signature: body.signature,
        }
    }
}

impl From<SignedCheckpoint> for CheckpointBody {
    fn from(signed: SignedCheckpoint) -> Self {
        Self {
            statement: signed.statement,
            public_key: signed.public_key,
            signature: signed.signature,
        }
    }
}

impl From<Verdict> for VerdictResponse {
    fn from(verdict: Verdict) -> Self {
        Self {
            whole: verdict.bad.is_empty(),
            rows: verdict.rows,
            uncovered_rows: verdict.uncovered,
            unchained_rows: verdict.unchained,
            chains: verdict.chains,
            last_checkpoint: verdict.last_checkpoint,
            bad: verdict.bad.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Bad> for BadResponse {
    fn from(bad: Bad) -> Self {
        Self {
            chain: bad.chain,
            row: bad.seq,
            until_row: bad.until,
            kind: bad.table.map(|table| table.as_str()),
            id: bad.id,
            checkpoint: bad.checkpoint,
            problem: bad.problem,
        }
    }
}
