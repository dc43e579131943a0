//! One call: a fresh store and instance, its limits, and what came of it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::time::Instant;
use wasmtime::component::Instance;
use wasmtime::{Store, UpdateDeadline};

use super::convert::{self, Converted};
use super::ends::HttpEnds;
use super::engine::Inner;
use super::fault::Fault;
use super::lent::{Lent, State};
use super::module::Module;
use super::output::Output;
use super::progress::{Progress, Tick};
use super::slip;
use super::turn::LetGo;
use crate::config::limits::CallLimits;
use crate::model::{Failure, Opaque};

/// What a call is made with, besides its question.
#[derive(Clone)]
pub struct Work {
    /// What the adapter may know of the call, and what it is lent.
    pub lent: Lent,
    /// What it may use.
    pub limits: Arc<CallLimits>,
    /// When nobody waits for the answer any more.
    pub deadline: Instant,
}

/// An ability's answer: the thing, or a promise of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer<T> {
    /// The thing.
    Done(T),
    /// The registry answers later.
    Pending(Pending),
}

/// How a call goes on that has no answer yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Pending {
    /// By what the registry's callback will name it.
    pub reference: Option<String>,
    /// Handed to `resume`.
    pub state: Opaque,
    /// When to ask again, in milliseconds. None: only when the callback comes.
    pub retry_after_ms: Option<u32>,
}

/// What a callback brought for a pending reference.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingAnswer {
    /// The pending call's.
    pub reference: String,
    /// The adapter's own.
    pub data: Vec<u8>,
}

/// What came of a call, and what it used.
#[derive(Debug)]
pub struct Ran<T> {
    /// The types say who is to blame: the registry says no, or the adapter broke.
    pub result: Result<Result<Answer<T>, Failure>, Fault>,
    /// For metrics and audit.
    pub usage: Usage,
}

/// What a call used.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Processor time of the guest.
    pub cpu: Duration,
    /// From start to end.
    pub wall: Duration,
    /// The most linear memory, in bytes. 0 where the call was cut short.
    pub memory: usize,
    /// Requests to the registry.
    pub http_calls: u32,
    /// Waiting for them.
    pub http_wait: Duration,
    /// How they ended.
    pub http_ends: HttpEnds,
}

/// Runs one call in a fresh instance. `enter` calls the export and gives its converted answer.
/// `asked` are the words of the question, masked in whatever the guest logs; `who` those of them
/// that name somebody, which no failure tells.
pub(super) async fn run<T, F>(
    module: &Module,
    work: Work,
    mut asked: Vec<Bytes>,
    who: Bytes,
    enter: F,
) -> Ran<T>
where
    T: Send + 'static,
    F: for<'a> FnOnce(&'a mut Store<State>, Instance) -> BoxFuture<'a, Entered<T>> + Send + 'static,
{
    let began = Instant::now();
    let inner = module.sandbox();
    let progress = Progress::new(Duration::from_millis(work.limits.cpu_ms));
    let output = Output::new(&work.limits);
    let wall = began + Duration::from_millis(work.limits.wall_ms);
    let deadline = wall.min(work.deadline);
    let registry = work.lent.call.registry.clone();
    let request_id = work.lent.call.request_id.clone();
    let counters = work.lent.counters();
    asked.push(work.lent.words());

    let call = {
        let (inner, module) = (inner.clone(), module.clone());
        let (progress, output) = (progress.clone(), output.clone());
        async move {
            let _running = inner.ticker.begin();
            let mut store = store(&inner, work, deadline, output, progress);
            let result = match module.start(&mut store).await {
                Err(error) => Err(Fault::from_error(&error)),
                Ok(instance) => match enter(&mut store, instance).await {
                    Err(error) => Err(Fault::from_error(&error)),
                    Ok(converted) => converted,
                },
            };
            // The store goes here, on the thread that ran the guest: an instance is never used
            // again, whatever came of it.
            (result, store.data().meter.memory())
        }
    };
    let guarded = async {
        let call = inner.admit(&registry, call).await?;
        inner.busy.run(call, progress.clone()).await
    };
    let (mut result, memory) = match tokio::time::timeout_at(deadline, guarded).await {
        Err(_) => (Err(Fault::OutOfTime), 0),
        Ok(None) => (Err(Fault::NoInstance), 0),
        Ok(Some((Err(Fault::OutOfCpu), memory))) if !progress.budget_spent() => {
            (Err(Fault::OutOfTime), memory)
        }
        Ok(Some(done)) => done,
    };
    if let Ok(Err(failure)) = &mut result {
        slip::drop_names(failure, &who);
    }
    let told = output
        .tell(&registry, module.digest(), &request_id, asked)
        .await;
    told.into_iter()
        .for_each(|said| inner.tail.push(&registry, said));
    Ran {
        result,
        usage: Usage {
            cpu: progress.used(),
            wall: began.elapsed(),
            memory,
            http_calls: counters.calls(),
            http_wait: counters.wait(),
            http_ends: counters.ends(),
        },
    }
}

/// wasmtime's error, or the converted answer.
pub(super) type Entered<T> = wasmtime::Result<Converted<T>>;

/// A store with every limit set.
pub(super) fn store(
    inner: &Inner,
    work: Work,
    deadline: Instant,
    output: Output,
    progress: Arc<Progress>,
) -> Store<State> {
    let limits = work.limits.clone();
    let state = State::new(work.lent, &limits, deadline, output, progress.clone());
    let mut store = Store::new(&inner.engine, state);
    store.limiter(|state| &mut state.meter);
    store.set_hostcall_fuel(convert::size(limits.answer_bytes));
    store.set_max_component_handles(usize::try_from(limits.handles).unwrap_or(usize::MAX));
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        Ok(match progress.tick() {
            Tick::GoOn => UpdateDeadline::Continue(1),
            Tick::Move => UpdateDeadline::YieldCustom(1, Box::pin(LetGo::default())),
            Tick::Stop => UpdateDeadline::Interrupt,
        })
    });
    store
}
