use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{By, Staff};
use crate::api::problem::Problem;
use crate::gateway::{Behind, Gateway, NodeView};

/// The gateways that share the database.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct NodesResponse {
    /// Of the configuration as it is committed. A node with a lower one has not taken it over yet.
    revision: i64,
    /// By name.
    nodes: Vec<NodeResponse>,
}

/// A gateway that serves.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct NodeResponse {
    /// Kept in its data directory.
    id: String,
    /// As configured, or the host's.
    name: String,
    /// Whether this is the one that answers.
    here: bool,
    /// `live`; `degraded`: live, but it does not serve all as committed: `behind` says what and why,
    /// or its `revision` is lower, since it has not seen the last change yet; `dead`: it
    /// has not been seen for `node.dead_after_ms`; `stopped`: it said goodbye.
    state: &'static str,
    /// What it does not serve as committed, and why.
    behind: Vec<BehindResponse>,
    /// The gateway's version.
    version: String,
    /// Its address.
    listens: String,
    /// When its process began.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// When it was last seen.
    #[schema(value_type = String, format = DateTime)]
    seen_at: Timestamp,
    /// Of the configuration that it serves.
    revision: i64,
    /// The part of each `requests_per_second` that it may use, from 0 to 1.
    share: f64,
}

/// A registry whose committed module a node does not serve.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct BehindResponse {
    /// Its name.
    registry: String,
    /// The digest of the module that serves there.
    serves: String,
    /// The digest of the module that should.
    committed: String,
    /// Why it does not.
    reason: String,
}

/// Lists the gateways that share the database.
#[utoipa::path(
    get,
    path = "/admin/v1/nodes",
    tag = "nodes",
    responses(
        (status = 200, description = "The nodes", body = NodesResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn list(
    State(gateway): State<Gateway>,
    _by: By<Staff>,
) -> Result<Json<NodesResponse>, Problem> {
    let view = gateway.nodes().await?;
    Ok(Json(NodesResponse {
        revision: view.revision,
        nodes: view.nodes.into_iter().map(NodeResponse::of).collect(),
    }))
}

impl NodeResponse {
    fn of(view: NodeView) -> Self {
        Self {
            id: view.id.to_string(),
            name: view.name,
            here: view.here,
            state: view.state,
            behind: view.behind.into_iter().map(BehindResponse::of).collect(),
            version: view.version,
            listens: view.listens,
            started_at: view.started_at,
            seen_at: view.seen_at,
            revision: view.revision,
            share: f64::from(view.share) / 1e6,
        }
    }
}

impl BehindResponse {
    fn of(behind: Behind) -> Self {
        Self {
            registry: behind.registry,
            serves: behind.serves,
            committed: behind.committed,
            reason: behind.reason,
        }
    }
}
