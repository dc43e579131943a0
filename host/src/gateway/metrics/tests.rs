use super::*;
use crate::egress::{ProblemKind, SendError};
use crate::sandbox::{HttpEnds, Usage};

const ABILITIES: [Ability; 4] = Ability::READS;

fn of(registry: usize) -> RegistryLabels {
    RegistryLabels {
        // As long as such names are.
        registry: format!("civil-registry-{registry:04}"),
        adapter: "opencrvs".into(),
    }
}

/// A registry that was asked that, and answered.
fn asked(metrics: &Metrics, registry: usize, abilities: &[Ability]) {
    let of = of(registry);
    for ability in abilities {
        metrics.answered(&of, *ability, "done", Duration::from_millis(20));
    }
    let mut usage = Usage {
        cpu: Duration::from_micros(50),
        memory: 1 << 20,
        http_calls: 1,
        ..Usage::default()
    };
    usage.http_ends = HttpEnds::of(&Err(SendError::not_sent(ProblemKind::Dns, "")));
    metrics.used(
        &of,
        &Spent {
            usage,
            ..Spent::default()
        },
    );
}

/// README tells these figures.
#[test]
fn a_thousand_registries_are_a_few_megabytes() {
    let none = Metrics::new().text().len();
    let (one, all) = (Metrics::new(), Metrics::new());
    for registry in 0..1_000 {
        asked(&one, registry, &[Ability::Find]);
        asked(&all, registry, &ABILITIES);
    }
    let (one, all) = (one.text().len(), all.text().len());
    println!("nothing asked {none}, each asked one thing {one}, all four {all} bytes");
    assert!(none < 2_000, "{none}: series of nobody");
    let told = include_str!("../../../../README.md");
    for bytes in [one, all] {
        let told_as = format!("{:.1} MB", bytes as f64 / 1e6);
        assert!(told.contains(&told_as), "README does not say {told_as}");
    }
}

#[test]
fn the_high_water_mark_stays() {
    let metrics = Metrics::new();
    for memory in [10, 30, 20] {
        let usage = Usage {
            memory,
            ..Usage::default()
        };
        let turn_wait = Duration::from_millis(250);
        metrics.used(
            &of(1),
            &Spent {
                usage,
                turn_wait,
                ..Spent::default()
            },
        );
    }
    let text = metrics.text();
    let labels = "{registry=\"civil-registry-0001\",adapter=\"opencrvs\"}";
    for line in [
        format!("registry_gateway_guest_memory_peak_bytes{labels} 30"),
        format!("registry_gateway_turn_wait_seconds_total{labels} 0.75"),
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
}
