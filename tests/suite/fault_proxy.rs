//! A proxy between the gateway and the registry that breaks connections and answers. Every case ends
//! typed, bounded and recovered: the problem and its code are what the table says, so that a limit
//! that ends it is named; the gateway reads no more than it may; and the next call, with the one
//! turn that the registry has, is answered.

mod answers;
mod connections;
mod kept;
mod memory;
mod tls;

use std::time::{Duration, Instant};

use gateway_tests::fault_proxy::{AUTHORITY, FaultProxy, Mode, Step};
use gateway_tests::gateway::{RegistryText, TestGateway};

/// The endpoint's time. A good answer takes some milliseconds of it.
const TIMEOUT: Duration = Duration::from_millis(2_000);
/// The endpoint's bytes. A good answer has some thousand.
const MAX_RESPONSE: i64 = 256 << 10;
/// What the gateway may have read of one answer, with all buffers between it and the proxy.
const READ_AT_MOST: u64 = 16 << 20;
/// Instances of the whole gateway: fewer than cases, so that one that is not given back is missed; of
/// them one is kept for registries that hold none.
const INSTANCES: u32 = 9;
/// Longer than any case takes, on a machine that is busy with others.
const PATIENCE: Duration = Duration::from_secs(20);

/// A case: its name, what the proxy does, status, code, and the registry's or the adapter's code.
type Case = (&'static str, Mode, u16, &'static str, &'static str);

/// A gateway whose registry `civil` is behind the proxy, and takes one call at a time.
struct Behind {
    proxy: FaultProxy,
    gateway: TestGateway,
    uin: String,
}

impl Behind {
    async fn start() -> Self {
        Self::with("http", |civil| civil).await
    }

    async fn with(scheme: &str, change: impl FnOnce(RegistryText) -> RegistryText) -> Self {
        let proxy = FaultProxy::start().await;
        let url = proxy.url(scheme);
        let millis = i64::try_from(TIMEOUT.as_millis()).unwrap();
        let gateway = TestGateway::builder()
            .registry("civil", |civil| {
                let civil = civil
                    .set("endpoints.registry.base_url", url)
                    .set("endpoints.registry.timeout_ms", millis)
                    .set("endpoints.registry.connect_timeout_ms", millis)
                    .set("endpoints.registry.max_response_bytes", MAX_RESPONSE)
                    // Nothing but failures here: each is to be seen, not the rest after some.
                    .set("endpoints.registry.traffic.breaker.consecutive_failures", 0)
                    .set("endpoints.registry.traffic.breaker.failure_percent", 0)
                    .set("concurrency.max_calls", 1)
                    .set("concurrency.max_wait_ms", 1_000);
                change(civil)
            })
            .registry("social", |social| {
                social.set("concurrency.max_calls", i64::from(INSTANCES))
            })
            .config(|config| config.sandbox.max_instances = INSTANCES)
            .secret_file("authority.pem", AUTHORITY)
            .start()
            .await;
        proxy.forward_to(gateway.stand_in.address());
        let uin = gateway.person(3).uin;
        Self {
            proxy,
            gateway,
            uin,
        }
    }

    /// Status, code and the registry's code of one lookup.
    async fn find(&self) -> (u16, String, String) {
        let answer = self.gateway.find("civil", &self.uin).send().await;
        if answer.status != 200 {
            assert_eq!(answer.header("content-type"), "application/problem+json");
            assert!(!answer.text.contains(&self.uin), "{}", answer.text);
        }
        let code = answer.json["registryCode"].as_str().unwrap_or_default();
        (answer.status, answer.code().to_owned(), code.to_owned())
    }

    /// The next lookup is answered, by the registry, at once.
    async fn recovers(&self) {
        self.proxy.set(Mode::Pass).await;
        let asked = self.gateway.stand_in.requests();
        assert_eq!(self.find().await.0, 200);
        assert_eq!(self.gateway.stand_in.requests(), asked + 1);
    }

    /// Runs all cases, `requests` of which the proxy must see in each, and tells all that went wrong.
    async fn run(&self, cases: Vec<Case>, requests: u64) {
        let mut wrong = Vec::new();
        for (name, mode, status, code, registry_code) in cases {
            // From a fresh connection or a kept one: what was before has left one.
            self.recovers().await;
            let (seen, sent) = (self.proxy.requests(), self.proxy.bytes_out());
            self.proxy.set(mode).await;
            let began = Instant::now();
            let got = self.find().await;
            let took = began.elapsed();
            if got != (status, code.to_owned(), registry_code.to_owned()) {
                wrong.push(format!("{name}: {got:?}"));
            }
            if took > PATIENCE {
                wrong.push(format!("{name}: took {took:?}"));
            }
            let asked = self.proxy.requests() - seen;
            if asked != requests {
                wrong.push(format!("{name}: asked {asked} times"));
            }
            let read = self.proxy.bytes_out() - sent;
            if read > READ_AT_MOST {
                wrong.push(format!("{name}: {read} bytes read"));
            }
        }
        self.recovers().await;
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// A mode that answers with this text, and keeps the connection.
fn answers(text: impl Into<Vec<u8>>) -> Mode {
    Mode::Instead(vec![Step::Send(text.into())])
}

/// A mode that answers with this text, and goes on as the step says.
fn begins(text: impl Into<Vec<u8>>, then: Step) -> Mode {
    Mode::Instead(vec![Step::Send(text.into()), then])
}
