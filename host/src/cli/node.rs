use clap::Subcommand;
use serde::Deserialize;

use super::Failure;
use super::client::Client;

const NODES: &str = "/admin/v1/nodes";

#[derive(Debug, Subcommand)]
pub(super) enum NodeCommand {
    /// List the gateways that share the database.
    #[command(after_help = "\
Examples:
  registry-gateway node list
  registry-gateway node list --json")]
    List,
}

#[derive(Deserialize)]
struct Nodes {
    revision: i64,
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    name: String,
    state: String,
    behind: Vec<Behind>,
    version: String,
    listens: String,
    seen_at: String,
    revision: i64,
}

#[derive(Deserialize)]
struct Behind {
    registry: String,
    reason: String,
}

pub(super) async fn run(command: NodeCommand, client: &Client) -> Result<(), Failure> {
    match command {
        NodeCommand::List => client.get(NODES).await?.print(|listed: Nodes| {
            let lines = listed.nodes.iter().map(|node| node.lines(listed.revision));
            lines.collect()
        }),
    }
}

impl Node {
    fn lines(&self, committed: i64) -> String {
        let mut text = format!(
            "{:<20} {:<9} {:<22} {:<8} seen {}",
            self.name, self.state, self.listens, self.version, self.seen_at
        );
        if self.revision < committed && matches!(self.state.as_str(), "live" | "degraded") {
            let behind = committed - self.revision;
            text.push_str(&format!(", {behind} changes to take over"));
        }
        text.push('\n');
        for Behind { registry, reason } in &self.behind {
            text.push_str(&format!("    {registry}: {reason}\n"));
        }
        text
    }
}
