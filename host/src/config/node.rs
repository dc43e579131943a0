//! The section `[node]`: this gateway among those that share its database.

use serde::Deserialize;

/// This gateway among those that share its database.
///
/// ```toml
/// [node]
/// name = "gateway-2"
/// heartbeat_ms = 500
/// dead_after_ms = 1500
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct NodeConfig {
    /// What the others call it. Default: the host's name.
    pub name: Option<String>,
    /// How often it shows that it is there, in milliseconds.
    pub heartbeat_ms: u32,
    /// It is taken for dead after so many milliseconds without showing it.
    pub dead_after_ms: u32,
    /// So long after it was last seen it is forgotten, in milliseconds.
    pub forget_after_ms: u64,
    /// A module that is to serve is prepared by all nodes within so many milliseconds, or none
    /// serves it.
    pub prepare_ms: u32,
}

/// Values that do not go together.
#[derive(Debug, thiserror::Error)]
pub enum BadNode {
    /// A busy loop.
    #[error("heartbeat_ms: write at least 50")]
    Heartbeat,
    /// One late beat would be a death.
    #[error("dead_after_ms: write at least twice heartbeat_ms, so that one late beat is no death")]
    DeadAfter,
    /// It would be forgotten while it is there.
    #[error("forget_after_ms: write at least dead_after_ms")]
    Forget,
    /// Nothing is prepared in no time.
    #[error("prepare_ms: write at least 1000")]
    Prepare,
    /// Not to be shown or stored.
    #[error("name: write 1 to 128 characters, none of them a control character")]
    Name,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    name: Option<String>,
    heartbeat_ms: u32,
    dead_after_ms: u32,
    forget_after_ms: u64,
    prepare_ms: u32,
}

impl NodeConfig {
    /// With the next, a node that is killed holds up the others for less than two seconds.
    pub const HEARTBEAT_MS: u32 = 500;
    /// Three beats. One that is wrongly taken for dead loses nothing but its share of a rate.
    pub const DEAD_AFTER_MS: u32 = 1_500;
    /// A day: who looks in the morning sees what died at night.
    pub const FORGET_AFTER_MS: u64 = 86_400_000;
    /// The largest components take half of it to compile on a slow machine.
    pub const PREPARE_MS: u32 = 60_000;
    const NAME_MAX: usize = 128;
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self {
            name: None,
            heartbeat_ms: Self::HEARTBEAT_MS,
            dead_after_ms: Self::DEAD_AFTER_MS,
            forget_after_ms: Self::FORGET_AFTER_MS,
            prepare_ms: Self::PREPARE_MS,
        }
    }
}

impl Default for Written {
    fn default() -> Self {
        let NodeConfig {
            name,
            heartbeat_ms,
            dead_after_ms,
            forget_after_ms,
            prepare_ms,
        } = NodeConfig::default();
        Self {
            name,
            heartbeat_ms,
            dead_after_ms,
            forget_after_ms,
            prepare_ms,
        }
    }
}

impl TryFrom<Written> for NodeConfig {
    type Error = BadNode;

    fn try_from(written: Written) -> Result<Self, BadNode> {
        if written.heartbeat_ms < 50 {
            return Err(BadNode::Heartbeat);
        }
        if written.dead_after_ms < written.heartbeat_ms.saturating_mul(2) {
            return Err(BadNode::DeadAfter);
        }
        if written.forget_after_ms < written.dead_after_ms.into() {
            return Err(BadNode::Forget);
        }
        if written.prepare_ms < 1_000 {
            return Err(BadNode::Prepare);
        }
        let plain = |name: &String| {
            !name.trim().is_empty()
                && name.len() <= NodeConfig::NAME_MAX
                && !name.chars().any(char::is_control)
        };
        if written.name.as_ref().is_some_and(|name| !plain(name)) {
            return Err(BadNode::Name);
        }
        Ok(Self {
            name: written.name,
            heartbeat_ms: written.heartbeat_ms,
            dead_after_ms: written.dead_after_ms,
            forget_after_ms: written.forget_after_ms,
            prepare_ms: written.prepare_ms,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::config::read::toml_text;

    #[test]
    fn values_without_sense_are_named() {
        for (text, told) in [
            ("heartbeat_ms = 10", "heartbeat_ms: write at least 50"),
            ("heartbeat_ms = 1000", "dead_after_ms: write at least twice"),
            ("forget_after_ms = 1", "forget_after_ms: write at least"),
            ("prepare_ms = 5", "prepare_ms: write at least 1000"),
            ("name = ''", "name: write 1 to 128"),
            ("name = \"a\\nb\"", "name: write 1 to 128"),
            ("heartbeat = 5", "did you mean `heartbeat_ms`?"),
        ] {
            let error = toml_text::<Config>(&format!("[node]\n{text}")).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
        let read = toml_text::<Config>("[node]\nname = 'b'\ndead_after_ms = 4000").unwrap();
        assert_eq!(read.node.heartbeat_ms, NodeConfig::HEARTBEAT_MS);
        assert_eq!(read.node.name.as_deref(), Some("b"));
    }
}
