//! The small language of the sandbox's tests: a sandbox with the hostile module in it, and calls.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gateway_tests::components;
use gateway_tests::program::program;
use registry_gateway::config::limits::CallLimits;
use registry_gateway::config::sandbox::SandboxConfig;
use registry_gateway::egress::Endpoints;
use registry_gateway::model::{Call, FindQuery, Identifier, Person};
use registry_gateway::sandbox::{Answer, Fault, Lent, Module, Ran, Sandbox, Work};

use crate::peer;

/// Longer than any test takes: who waits so long hangs.
const LONG: Duration = Duration::from_secs(600);

/// A sandbox with the hostile module.
pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    pub(crate) module: Module,
    limits: CallLimits,
    endpoints: Arc<Endpoints>,
    call: Call,
}

/// A small sandbox: a test needs no 512 instances.
pub(crate) fn config() -> SandboxConfig {
    SandboxConfig {
        compiler_program: program().to_owned(),
        max_instances: 8,
        busy_threads: 8,
        max_memory_bytes: 512 << 20,
        ..SandboxConfig::default()
    }
}

/// A sandbox whose cache all tests share, so that a module is compiled once.
pub(crate) fn sandbox(config: &SandboxConfig) -> Sandbox {
    sandbox_in(config, Path::new(env!("CARGO_TARGET_TMPDIR")))
}

/// A sandbox with its data there.
pub(crate) fn sandbox_in(config: &SandboxConfig, data: &Path) -> Sandbox {
    let config = SandboxConfig {
        cache_dir: PathBuf::from("sandbox-cache"),
        ..config.clone()
    };
    Sandbox::new(&config, data).expect("a sandbox")
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::with(&config()).await
    }

    pub(crate) async fn with(config: &SandboxConfig) -> Self {
        let sandbox = sandbox(config);
        let module = sandbox
            .load(&components::bytes("hostile-guest"))
            .await
            .expect("the hostile module is admitted: it misbehaves later");
        // Generous where a test is not about it: unoptimised, on a busy machine.
        let limits = CallLimits {
            cpu_ms: 60_000,
            wall_ms: 600_000,
            ..CallLimits::default()
        };
        Self {
            sandbox,
            module,
            limits,
            endpoints: peer::nowhere(),
            call: Call {
                registry: "test".into(),
                request_id: "request-1".into(),
                ..Call::default()
            },
        }
    }

    pub(crate) fn limits(mut self, change: impl FnOnce(&mut CallLimits)) -> Self {
        change(&mut self.limits);
        self
    }

    pub(crate) fn called(mut self, change: impl FnOnce(&mut Call)) -> Self {
        change(&mut self.call);
        self
    }

    pub(crate) fn endpoints(mut self, endpoints: Arc<Endpoints>) -> Self {
        self.endpoints = endpoints;
        self
    }

    pub(crate) fn work(&self) -> Work {
        Work {
            lent: Lent::new(
                Arc::new(self.call.clone()),
                Arc::default(),
                self.endpoints.clone(),
            ),
            limits: Arc::new(self.limits.clone()),
            deadline: tokio::time::Instant::now() + LONG,
        }
    }

    /// Asks for a behaviour. The call is its own: it can be spawned.
    pub(crate) fn find(
        &self,
        behaviour: &str,
        arguments: &[&str],
    ) -> impl Future<Output = Ran<Person>> + Send + use<> {
        let (module, work) = (self.module.clone(), self.work());
        let values = std::iter::once(&behaviour).chain(arguments);
        let query = FindQuery {
            identifiers: values.map(|value| identifier(value)).collect(),
        };
        async move { module.find(work, &query).await }
    }

    /// The fault that a behaviour ends with. A good call afterwards goes well.
    pub(crate) async fn fault(&self, behaviour: &str) -> Fault {
        let ran = self.find(behaviour, &[]).await;
        self.good().await;
        ran.result.expect_err("the behaviour ends with a fault")
    }

    /// What a behaviour reports of its attempts. A good call afterwards goes well.
    pub(crate) async fn report(
        &self,
        behaviour: &str,
        arguments: &[&str],
    ) -> Vec<(String, String)> {
        let person = done(self.find(behaviour, arguments).await);
        self.good().await;
        let attempts = person.unmapped.into_iter();
        attempts.map(|end| (end.field, end.value)).collect()
    }

    /// A call that does nothing wrong.
    pub(crate) async fn good(&self) {
        let person = done(self.find("good", &[]).await);
        assert_eq!(person.names[0].text.as_deref(), Some("Somebody"));
    }
}

/// The person of a call that went well.
pub(crate) fn done(ran: Ran<Person>) -> Person {
    match ran.result {
        Ok(Ok(Answer::Done(person))) => person,
        other => panic!("no answer: {other:?}"),
    }
}

/// An identifier of the tests' own scheme.
pub(crate) fn identifier(value: &str) -> Identifier {
    Identifier {
        scheme: "behaviour".into(),
        value: value.into(),
        normalisation: None,
        extra: Vec::new(),
    }
}
