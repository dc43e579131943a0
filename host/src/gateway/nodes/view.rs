use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use crate::gateway::{AdminError, Gateway};
use crate::store::{Behind, Life, Node};

/// The nodes, and what they should serve.
#[derive(Clone, Debug)]
pub struct NodesView {
    /// Of the configuration as it is committed.
    pub revision: i64,
    /// By name.
    pub nodes: Vec<NodeView>,
}

/// A node.
#[derive(Clone, Debug)]
pub struct NodeView {
    /// Kept in its data directory.
    pub id: Uuid,
    /// For people.
    pub name: String,
    /// Whether this is the node that answers.
    pub here: bool,
    /// `live`, `degraded`, `dead`, `stopped`.
    pub state: &'static str,
    /// What a live one does not serve as committed.
    pub behind: Vec<Behind>,
    /// The gateway's version.
    pub version: String,
    /// Its address.
    pub listens: String,
    /// When its process began.
    pub started_at: Timestamp,
    /// When it last showed itself.
    pub seen_at: Timestamp,
    /// Of the configuration that it serves.
    pub revision: i64,
    /// The part of each rate that it may use, in millionths.
    pub share: u32,
}

impl Gateway {
    /// What this gateway serves with an older module than it should.
    pub fn behind(&self) -> Arc<Vec<Behind>> {
        self.inner.roster.behind()
    }

    /// All nodes that are known.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn nodes(&self) -> Result<NodesView, AdminError> {
        let me = self.inner.nodes.me.get().map(|me| me.id());
        // Before the nodes: one that has taken over what came in between is not said to be late.
        let revision = self.inner.store.revision().await?;
        let nodes = self.inner.store.nodes().list().await?;
        let nodes = nodes.into_iter();
        Ok(NodesView {
            revision,
            nodes: nodes.map(|node| NodeView::of(node, me, revision)).collect(),
        })
    }
}

impl NodeView {
    fn of(node: Node, me: Option<Uuid>, committed: i64) -> Self {
        Self {
            id: node.id,
            here: me == Some(node.id),
            state: match node.life {
                Life::Live if node.behind.is_empty() && node.revision >= committed => "live",
                Life::Live => "degraded",
                Life::Dead => "dead",
                Life::Stopped => "stopped",
            },
            name: node.name,
            behind: node.behind,
            version: node.version,
            listens: node.listens,
            started_at: node.started_at,
            seen_at: node.seen_at,
            revision: node.revision,
            share: node.share,
        }
    }
}
