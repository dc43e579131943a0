use crate::config::registry::{PagesConfig, RegistryConfig};
use crate::config::retry::RetryConfig;
use crate::sandbox::Sandbox;

/// A field below the registry, and what is wrong with it.
pub(super) type Problem = (String, String);

/// A limit that lets nothing through is a mistake, and one that the engine cannot give a surprise.
pub(super) fn problems(config: &RegistryConfig, sandbox: &Sandbox) -> Vec<Problem> {
    let limits = &config.limits;
    let positive = [
        ("limits.memory_bytes", limits.memory_bytes),
        ("limits.table_elements", limits.table_elements),
        ("limits.instances", limits.instances.into()),
        ("limits.cpu_ms", limits.cpu_ms),
        ("limits.wall_ms", limits.wall_ms),
        ("limits.answer_bytes", limits.answer_bytes),
        ("limits.handles", limits.handles.into()),
        ("concurrency.max_calls", config.concurrency.max_calls.into()),
        ("retry.max_attempts", config.retry.max_attempts.into()),
        ("pages.lifetime_ms", config.pages.lifetime_ms),
    ];
    let bounded = [
        (
            "limits.memory_bytes",
            limits.memory_bytes,
            sandbox.max_memory_bytes(),
            "; raise sandbox.max_memory_bytes for more",
        ),
        (
            "limits.table_elements",
            limits.table_elements,
            sandbox.max_table_elements(),
            "",
        ),
        (
            "limits.instances",
            limits.instances.into(),
            sandbox.max_core_instances().into(),
            "",
        ),
        (
            "concurrency.max_calls",
            config.concurrency.max_calls.into(),
            sandbox.max_instances().into(),
            "; raise sandbox.max_instances for more",
        ),
        (
            "retry.max_attempts",
            config.retry.max_attempts.into(),
            RetryConfig::MOST_ATTEMPTS.into(),
            "",
        ),
        (
            "pages.lifetime_ms",
            config.pages.lifetime_ms,
            PagesConfig::MOST_LIFETIME_MS,
            "",
        ),
        (
            "retry.first_wait_ms",
            config.retry.first_wait_ms,
            config.retry.max_wait_ms,
            "; raise retry.max_wait_ms for more",
        ),
    ];
    let nothing = positive.into_iter().filter(|(_, value)| *value == 0);
    let nothing = nothing.map(|(key, _)| {
        let remedy = "0 lets no call through; leave it out for the default";
        (key.to_owned(), remedy.to_owned())
    });
    let over = bounded
        .into_iter()
        .filter(|(_, value, most, _)| value > most);
    let over =
        over.map(|(key, _, most, remedy)| (key.to_owned(), format!("at most {most}{remedy}")));
    nothing.chain(over).collect()
}
