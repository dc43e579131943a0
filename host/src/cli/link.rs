use std::collections::BTreeMap;

use clap::Subcommand;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::client::Client;
use super::{Failure, confirm};

const LINKS: &str = "/admin/v1/links";

#[derive(Debug, Subcommand)]
pub(super) enum LinkCommand {
    /// List links, the newest first: whose, where and since when, and nobody in them.
    #[command(after_help = "\
Examples:
  registry-gateway link list
  registry-gateway link list --registry civil --caller openimis --ended")]
    List {
        /// Only of this registry.
        #[arg(long, value_name = "NAME")]
        registry: Option<String>,
        /// Only of this caller.
        #[arg(long, value_name = "NAME")]
        caller: Option<String>,
        /// Those too that stand no more.
        #[arg(long)]
        ended: bool,
        /// At most so many.
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// Only those before this one, which the end of a page shows.
        #[arg(long)]
        before: Option<Uuid>,
    },
    /// Show where a link comes from, and how it ended.
    #[command(after_help = "\
Examples:
  registry-gateway link show 0198c7a2-5b1e-7c3a-9f00-1f2e3d4c5b6a")]
    Show {
        /// Its id.
        id: Uuid,
    },
    /// End a link. Its caller may then link either side anew; what stood stays known.
    #[command(after_help = "\
Examples:
  registry-gateway link end 0198c7a2-5b1e-7c3a-9f00-1f2e3d4c5b6a --reason wrong-person")]
    End {
        /// Its id.
        id: Uuid,
        /// A word for why: lower-case letters, digits and hyphens. It is in the audit.
        #[arg(long, value_name = "WORD")]
        reason: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Deserialize)]
struct Links {
    links: Vec<Link>,
    next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Link {
    id: String,
    caller: String,
    registry: String,
    scheme: String,
    record: String,
    evidence: BTreeMap<String, String>,
    by: Provenance,
    linked_at: String,
    ended: Option<Ended>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Provenance {
    ability: String,
    module: String,
    request_id: String,
    operation: Option<String>,
    user: Option<String>,
}

#[derive(Deserialize)]
struct Ended {
    at: String,
    reason: String,
    by: String,
}

pub(super) async fn run(command: LinkCommand, client: &Client) -> Result<(), Failure> {
    match command {
        LinkCommand::List {
            registry,
            caller,
            ended,
            limit,
            before,
        } => {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.append_pair("limit", &limit.to_string());
            let before = before.map(|id| id.to_string());
            let ended = ended.then(|| "true".to_owned());
            for (name, value) in [
                ("registry", registry),
                ("caller", caller),
                ("ended", ended),
                ("before", before),
            ] {
                if let Some(value) = value {
                    query.append_pair(name, &value);
                }
            }
            let listed = client.get(&format!("{LINKS}?{}", query.finish())).await?;
            listed.print(|page: Links| {
                let mut text: String = page.links.iter().map(Link::line).collect();
                if let Some(next) = page.next {
                    text.push_str(&format!("more: --before {next}\n"));
                }
                text
            })
        }
        LinkCommand::Show { id } => {
            let shown = client.get(&format!("{LINKS}/{id}")).await?;
            shown.print(|link: Link| link.whole())
        }
        LinkCommand::End { id, reason, yes } => {
            confirm(&format!("End the link {id}?"), yes)?;
            let path = format!("{LINKS}/{id}/end");
            let done = client.post(&path, &json!({ "reason": reason })).await?;
            done.print_done(&format!("{id} stands no more\n"))
        }
    }
}

impl Link {
    fn line(&self) -> String {
        let ended = self.ended.as_ref();
        let ended = ended.map_or(String::new(), |it| {
            format!(", ended {}: {}", it.at, it.reason)
        });
        format!(
            "{}  {:<16} {:<16} {:<16} {} since {}{ended}\n",
            self.id, self.caller, self.registry, self.scheme, self.by.ability, self.linked_at
        )
    }

    fn whole(&self) -> String {
        let mut text = self.line();
        let Provenance {
            ability,
            module,
            request_id,
            operation,
            user,
        } = &self.by;
        text.push_str(&format!(
            "  by {ability} of {module}, request {request_id}\n"
        ));
        let of = [("operation", operation), ("user", user)];
        for (what, value) in of {
            if let Some(value) = value {
                text.push_str(&format!("  {what} {value}\n"));
            }
        }
        text.push_str(&format!("  record {}\n", self.record));
        for (path, agreement) in &self.evidence {
            text.push_str(&format!("  {path}: {agreement}\n"));
        }
        if let Some(Ended { at, reason, by }) = &self.ended {
            text.push_str(&format!("  ended {at} by {by}: {reason}\n"));
        }
        text
    }
}
