//! What an adapter is lent: the store's data, and the host's side of each lent interface.

mod call;
mod http;
mod log;
mod settings;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use super::bindings::{types, vital, writing};
use super::ends::{EndCounters, HttpEnds};
use super::fault::{Fault, Stop};
use super::mask;
use super::meter::Meter;
use super::output::Output;
use super::progress::Progress;
use crate::config::limits::CallLimits;
use crate::egress::{Endpoints, ProblemKind, SendError, Sent};
use crate::model::Call;

/// The most random bytes in one request.
const MAX_RANDOM_BYTES: u64 = 64 << 10;

/// What one call is lent.
#[derive(Clone)]
pub struct Lent {
    /// What the adapter may know of the call.
    pub call: Arc<Call>,
    /// The registry's settings, a JSON object.
    pub settings: Arc<serde_json::Map<String, serde_json::Value>>,
    /// The registry's endpoints. None while a module describes itself: every lent function ends
    /// it then.
    pub endpoints: Option<Arc<Endpoints>>,
    counters: Arc<Counters>,
}

/// What became of one attempt's requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trail {
    /// One did not reach the registry for want of a connection.
    pub not_sent: bool,
    /// One may have reached it, and got no answer.
    pub unclear: bool,
    /// One was refused on this side: the next attempt's would be too.
    pub refused: bool,
    /// One that may change something may have reached it, whatever came of that.
    pub reached: bool,
    /// One of those got no answer.
    pub unanswered: bool,
}

impl Lent {
    /// For a call.
    pub fn new(
        call: Arc<Call>,
        settings: Arc<serde_json::Map<String, serde_json::Value>>,
        endpoints: Arc<Endpoints>,
    ) -> Self {
        Self {
            call,
            settings,
            endpoints: Some(endpoints),
            counters: Arc::default(),
        }
    }

    /// Nothing: for a module that describes itself.
    pub(super) fn nothing() -> Self {
        Self {
            call: Arc::default(),
            settings: Arc::default(),
            endpoints: None,
            counters: Arc::default(),
        }
    }

    /// What became of the requests since the attempt began.
    pub fn trail(&self) -> Trail {
        self.counters.trail.look()
    }

    /// Begins another attempt, with what is left of the call's limits.
    pub fn again(&mut self) {
        Arc::make_mut(&mut self.call).attempt += 1;
        self.counters.trail.clear();
    }

    /// What the caller handed over, and who it is: masked in whatever the guest logs.
    pub(super) fn words(&self) -> Bytes {
        let Call {
            asker,
            consent,
            proof,
            ..
        } = &*self.call;
        let proof = proof.iter().flat_map(|proof| {
            let parameters = proof.parameters.values();
            std::iter::once(&proof.value).chain(parameters)
        });
        let words: serde_json::Value = asker
            .user
            .iter()
            .chain(consent.iter().map(|consent| &consent.reference))
            .chain(proof)
            .map(String::as_str)
            .collect();
        mask::words_of(&words)
    }

    pub(super) fn counters(&self) -> Arc<Counters> {
        self.counters.clone()
    }
}

/// What a call has used of its grants, readable while it runs.
#[derive(Debug, Default)]
pub(super) struct Counters {
    calls: AtomicU32,
    wait_ns: AtomicU64,
    bytes_out: AtomicU64,
    bytes_in: AtomicU64,
    ends: EndCounters,
    trail: Footprints,
}

/// A [`Trail`] in the making.
#[derive(Debug, Default)]
struct Footprints {
    not_sent: AtomicBool,
    unclear: AtomicBool,
    refused: AtomicBool,
    /// Requests that may change something: on their way or gone out, and of those the ones that were
    /// not answered. Whoever is cut off while one is under way leaves it counted.
    reached: AtomicU32,
    unanswered: AtomicU32,
}

impl Footprints {
    /// One that may change something goes out.
    fn leaves(&self) {
        self.reached.fetch_add(1, Relaxed);
        self.unanswered.fetch_add(1, Relaxed);
    }

    /// It came to that.
    fn came_to(&self, sent: Result<(), Sent>) {
        match sent {
            Ok(()) => drop(self.unanswered.fetch_sub(1, Relaxed)),
            Err(Sent::SentNoAnswer) => {}
            Err(Sent::NotSent) => {
                self.unanswered.fetch_sub(1, Relaxed);
                self.reached.fetch_sub(1, Relaxed);
            }
        }
    }

    fn add(&self, error: &SendError) {
        let kind = match (error.sent, &error.kind) {
            (_, ProblemKind::LimitReached) => &self.refused,
            (Sent::SentNoAnswer, _) => &self.unclear,
            (
                Sent::NotSent,
                ProblemKind::Dns | ProblemKind::Connect | ProblemKind::Tls | ProblemKind::TimedOut,
            ) => &self.not_sent,
            (Sent::NotSent, _) => &self.refused,
        };
        kind.store(true, Relaxed);
    }

    fn look(&self) -> Trail {
        Trail {
            not_sent: self.not_sent.load(Relaxed),
            unclear: self.unclear.load(Relaxed),
            refused: self.refused.load(Relaxed),
            reached: self.reached.load(Relaxed) > 0,
            unanswered: self.unanswered.load(Relaxed) > 0,
        }
    }

    fn clear(&self) {
        for one in [&self.not_sent, &self.unclear, &self.refused] {
            one.store(false, Relaxed);
        }
        self.reached.store(0, Relaxed);
        self.unanswered.store(0, Relaxed);
    }
}

impl Counters {
    pub(super) fn calls(&self) -> u32 {
        self.calls.load(Relaxed)
    }

    pub(super) fn wait(&self) -> Duration {
        Duration::from_nanos(self.wait_ns.load(Relaxed))
    }

    pub(super) fn ends(&self) -> HttpEnds {
        self.ends.so_far()
    }
}

/// The data of one call's store.
pub(super) struct State {
    lent: Lent,
    limits: HttpLimits,
    deadline: Instant,
    output: Output,
    progress: Arc<Progress>,
    pub(super) meter: Meter,
    wasi: WasiCtx,
    table: ResourceTable,
}

#[derive(Clone, Copy)]
struct HttpLimits {
    calls: u32,
    bytes_out: u64,
    bytes_in: u64,
}

impl State {
    pub(super) fn new(
        lent: Lent,
        limits: &CallLimits,
        deadline: Instant,
        output: Output,
        progress: Arc<Progress>,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(usize::try_from(limits.handles).unwrap_or(usize::MAX));
        // No arguments, environment, preopened files or network: WASI links and says no.
        let wasi = WasiCtxBuilder::new()
            .stdout(output.clone())
            .stderr(output.clone())
            .max_random_size(MAX_RANDOM_BYTES)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .build();
        Self {
            lent,
            limits: HttpLimits {
                calls: limits.http_calls,
                bytes_out: limits.http_bytes_out,
                bytes_in: limits.http_bytes_in,
            },
            deadline,
            output,
            progress,
            meter: Meter::new(limits),
            wasi,
            table,
        }
    }

    /// Ends the guest where nothing is lent.
    fn lent(&self) -> wasmtime::Result<&Lent> {
        if self.lent.endpoints.is_some() {
            Ok(&self.lent)
        } else {
            Err(Stop(Fault::CalledOut).into())
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl types::Host for State {}
impl vital::Host for State {}
impl writing::Host for State {}
