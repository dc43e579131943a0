use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::time::Duration;

use bytes::Bytes;
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::cache::Cache;
use super::compiler::Compiler;
use super::lent::State;
use super::load_error::LoadError;
use super::loaded::Loaded;
use super::room::Room;
use super::tail::{Following, Tail};
use super::turn::BusyThreads;
use super::{bindings, convert, module};
use crate::config::limits::CallLimits;
use crate::config::sandbox::SandboxConfig;
use crate::model::Ability;

/// How often a computing guest is looked at.
const TICK: Duration = Duration::from_millis(1);
/// So many ticks without a call, and the ticker sleeps until the next one.
const IDLE_TICKS: u32 = 1_000;
/// Core instances and tables per live component: what a call's limits give by default is also the
/// most that they can give.
const CORE_INSTANCES_EACH: u32 = CallLimits::INSTANCES;
/// One for the adapter, one for a WASI preview 1 shim.
const MEMORIES_EACH: u32 = 2;
/// Kept of a slot for the next instance, reset to zero or the module's own image: less to map anew.
const KEEP_RESIDENT: usize = 1 << 20;
/// So many slots stay as their last module left them, beyond those that are in use. Each is up to a
/// megabyte: without a bound 200 modules would keep one each from the day they were loaded.
const WARM_SLOTS: u32 = 64;
/// Enough for deep recursion in a mapping, small enough for 512 of them.
const GUEST_STACK: usize = 1 << 20;
/// Room for host functions above the guest's own stack.
const ASYNC_STACK: usize = 2 << 20;

/// One engine for all modules: they are never mixed between engines.
#[derive(Clone)]
pub struct Sandbox {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) engine: Engine,
    pub(super) linker: Linker<State>,
    pub(super) cache: Cache,
    pub(super) compiler: Compiler,
    pub(super) busy: BusyThreads,
    pub(super) loaded: Loaded,
    pub(super) tail: Tail,
    room: Room,
    pub(super) max_module_bytes: u64,
    pub(super) max_memory_bytes: u64,
    max_instances: u32,
    ready_versions: u32,
    shadow_calls: u32,
    pub(super) ticker: Arc<Ticker>,
}

/// How much of what all modules share is in use, and how modules came to be loaded so far.
#[derive(Clone, Copy, Debug)]
pub struct Occupancy {
    /// Live instances.
    pub instances: usize,
    /// Threads that compute for busy guests at this moment.
    pub busy_threads: usize,
    /// Modules that were taken from the cache.
    pub cache_hits: u64,
    /// Modules that were compiled.
    pub compiled: u64,
}

/// The sandbox cannot be made: the machine or the configuration is to blame.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The engine refuses its configuration.
    #[error(
        "the WebAssembly engine could not be set up: check sandbox.max_instances and max_memory_bytes"
    )]
    Engine(#[source] wasmtime::Error),
    /// No thread could be started.
    #[error("a thread of the sandbox could not be started")]
    Thread(#[source] std::io::Error),
    /// The cache directory or its key cannot be used.
    #[error("the cache of compiled modules cannot be used: check sandbox.cache_dir")]
    Cache(#[source] std::io::Error),
}

impl Sandbox {
    /// Sets up the engine. `data_dir` is where a relative cache directory begins.
    ///
    /// # Errors
    /// [`SandboxError`]: see its variants.
    pub fn new(config: &SandboxConfig, data_dir: &Path) -> Result<Self, SandboxError> {
        let engine = Engine::new(&engine_config(config)).map_err(SandboxError::Engine)?;
        let linker = linker(&engine).map_err(SandboxError::Engine)?;
        let cache =
            Cache::open(&data_dir.join(&config.cache_dir), &engine).map_err(SandboxError::Cache)?;
        let ticker = Ticker::start(&engine).map_err(SandboxError::Thread)?;
        let max_instances = config.max_instances.max(1);
        Ok(Self {
            inner: Arc::new(Inner {
                engine,
                linker,
                cache,
                compiler: Compiler::new(config),
                busy: BusyThreads::new(config.busy_threads).map_err(SandboxError::Thread)?,
                loaded: Loaded::default(),
                tail: Tail::default(),
                room: Room::new(max_instances),
                max_module_bytes: config.max_module_bytes,
                max_memory_bytes: config.max_memory_bytes,
                max_instances,
                ready_versions: config.ready_versions,
                shadow_calls: config.shadow_calls,
                ticker,
            }),
        })
    }

    /// What the registry's adapter logged lately, and logs from now on.
    pub fn follow(&self, registry: &str) -> Following {
        self.inner.tail.follow(registry)
    }

    /// The most memory that any call's limits can allow.
    pub fn max_memory_bytes(&self) -> u64 {
        self.inner.max_memory_bytes
    }

    /// The largest module that is looked at.
    pub fn max_module_bytes(&self) -> u64 {
        self.inner.max_module_bytes
    }

    /// Live instances of all modules together.
    pub fn max_instances(&self) -> u32 {
        self.inner.max_instances
    }

    /// How many modules that served a registry before stay loaded for it.
    pub fn ready_versions(&self) -> usize {
        usize::try_from(self.inner.ready_versions).unwrap_or(usize::MAX)
    }

    /// Shadow calls of all registries at the same time.
    pub fn shadow_calls(&self) -> usize {
        usize::try_from(self.inner.shadow_calls).unwrap_or(usize::MAX)
    }

    /// How much is in use at this moment.
    pub fn occupancy(&self) -> Occupancy {
        let inner = &self.inner;
        let instances = inner.max_instances.saturating_sub(inner.room.free());
        let (cache_hits, compiled) = inner.cache.loads();
        Occupancy {
            instances: usize::try_from(instances).unwrap_or(usize::MAX),
            busy_threads: inner.busy.in_use(),
            cache_hits,
            compiled,
        }
    }

    /// The most elements that one table can have, whatever a call's limits allow.
    pub fn max_table_elements(&self) -> u64 {
        CallLimits::TABLE_ELEMENTS
    }

    /// The most core instances and tables that one call can have, whatever its limits allow.
    pub fn max_core_instances(&self) -> u32 {
        CORE_INSTANCES_EACH
    }

    /// Admits a module: checks it without running it, compiles it or takes the compiled code from
    /// the cache, starts it once, and asks it to describe itself. Its compiled code is kept.
    ///
    /// # Errors
    /// [`LoadError`]: what is wrong with the module, and the remedy.
    pub async fn load(&self, bytes: &[u8]) -> Result<module::Module, LoadError> {
        let module = self.try_load(Bytes::copy_from_slice(bytes)).await?;
        self.keep(&module).await;
        Ok(module)
    }

    /// The same of a module that nobody has stored yet: nothing of it stays on disk.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub async fn try_load(&self, bytes: Bytes) -> Result<module::Module, LoadError> {
        module::load(self, bytes).await
    }

    /// All that can be told of a module without compiling it: its abilities, or every reason why it
    /// cannot be loaded that shows so early.
    ///
    /// # Errors
    /// [`LoadError`].
    pub fn look(&self, bytes: &[u8]) -> Result<Vec<Ability>, LoadError> {
        module::look(self, bytes)
    }

    /// The module of that digest without its bytes: the one that is in memory, or else its compiled
    /// code from the cache. None where its bytes must be read, to compile it or to say what is wrong
    /// with it.
    pub async fn known(&self, digest: &str) -> Option<module::Module> {
        module::known(self, digest).await
    }

    /// How many modules are in memory. One of them serves all registries of its digest, and is gone
    /// with the last.
    pub fn modules(&self) -> usize {
        self.inner.loaded.count()
    }
}

impl Inner {
    /// Waits a moment for room in the pool; none when there is none. The room goes with the call,
    /// not with who waits for it: after a cancelled call it is free only when its instance is gone.
    pub(super) async fn admit<F: Future>(
        &self,
        registry: &str,
        call: F,
    ) -> Option<impl Future<Output = F::Output> + use<F>> {
        let place = self.room.enter(registry).await?;
        Some(async move {
            let output = call.await;
            drop(place);
            output
        })
    }
}

fn engine_config(config: &SandboxConfig) -> Config {
    let instances = config.max_instances.max(1);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(CORE_INSTANCES_EACH))
        .total_memories(instances.saturating_mul(MEMORIES_EACH))
        .total_tables(instances.saturating_mul(CORE_INSTANCES_EACH))
        .total_stacks(instances)
        // No component takes more of the pool than its share: others would find it empty.
        .max_core_instances_per_component(CORE_INSTANCES_EACH)
        .max_memories_per_component(MEMORIES_EACH)
        .max_tables_per_component(CORE_INSTANCES_EACH)
        .max_memory_size(usize::try_from(config.max_memory_bytes).unwrap_or(usize::MAX))
        .table_elements(convert::size(CallLimits::TABLE_ELEMENTS))
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(KEEP_RESIDENT)
        .max_unused_warm_slots(instances.min(WARM_SLOTS))
        // Off: by an open wasmtime issue (14357) pages that were swapped out while dirty are not
        // seen by the scan and reach the next instance.
        .pagemap_scan(Enabled::No);
    let mut engine = code_config();
    engine.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    engine
}

/// What compiled code depends on: the process that compiles has no pool.
pub(super) fn code_config() -> Config {
    let mut engine = Config::new();
    engine
        // Of the two compilers Cranelift alone: Winch had a sandbox escape (GHSA-xx5w-cvp6-jv83).
        .strategy(wasmtime::Strategy::Cranelift)
        .epoch_interruption(true)
        // A call into a guest costs a quarter without it. Components that need it are refused.
        .concurrency_support(false)
        .max_wasm_stack(GUEST_STACK)
        .async_stack_size(ASYNC_STACK)
        .wasm_memory64(false)
        .wasm_multi_memory(true);
    engine
}

fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    use bindings::lent::{call, http, log, settings};
    let mut linker = Linker::new(engine);
    // Null, not absent: components from Python and JavaScript import files and sockets, which
    // link here and refuse when they are called. wasi:http is not linked at all.
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    bindings::types::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    bindings::vital::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    bindings::writing::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    http::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    settings::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    call::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    log::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    Ok(linker)
}

/// Moves the engine's epoch on while calls run.
pub(super) struct Ticker {
    calls: AtomicUsize,
    asleep: AtomicBool,
    thread: std::sync::OnceLock<std::thread::Thread>,
}

impl Ticker {
    fn start(engine: &Engine) -> std::io::Result<Arc<Self>> {
        let ticker = Arc::new(Self {
            calls: AtomicUsize::new(0),
            asleep: AtomicBool::new(false),
            thread: std::sync::OnceLock::new(),
        });
        let (weak_engine, weak_ticker) = (engine.weak(), Arc::downgrade(&ticker));
        let thread = std::thread::Builder::new()
            .name("adapter-ticker".into())
            .spawn(move || {
                let mut idle = 0;
                loop {
                    std::thread::sleep(TICK);
                    let (Some(engine), Some(ticker)) =
                        (weak_engine.upgrade(), weak_ticker.upgrade())
                    else {
                        return;
                    };
                    engine.increment_epoch();
                    idle = if ticker.calls.load(Relaxed) == 0 {
                        idle + 1
                    } else {
                        0
                    };
                    if idle > IDLE_TICKS {
                        idle = 0;
                        ticker.sleep(engine);
                    }
                }
            })?;
        // A fresh lock takes the first value.
        let _ = ticker.thread.set(thread.thread().clone());
        Ok(ticker)
    }

    /// Sleeps until a call begins. Looks at the engine now and then, so that the thread ends.
    fn sleep(self: Arc<Self>, engine: Engine) {
        drop(engine);
        self.asleep.store(true, SeqCst);
        while self.calls.load(SeqCst) == 0 && Arc::strong_count(&self) > 1 {
            std::thread::park_timeout(Duration::from_secs(1));
        }
        self.asleep.store(false, SeqCst);
    }

    /// A call begins; it ends when the guard is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Running {
        self.calls.fetch_add(1, SeqCst);
        if self.asleep.load(SeqCst)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
        Running(self.clone())
    }
}

/// Keeps the ticker awake.
pub(super) struct Running(Arc<Ticker>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, SeqCst);
    }
}
