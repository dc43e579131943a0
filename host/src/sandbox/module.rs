//! An admitted module: checked, compiled, described, and ready to be called.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use wasmtime::component::{Component, Instance, InstancePre};
use wasmtime::{Engine, Store};

use super::bindings::abilities;
use super::cache::Source;
use super::compiler::NoCode;
use super::description::{self, Description};
use super::engine::{Inner, Sandbox};
use super::fault::Fault;
use super::inspect::Names;
use super::instance::{self, Work};
use super::lent::{Lent, State};
use super::load_error::{LoadError, refused};
use super::output::Output;
use super::progress::Progress;
use crate::config::limits::CallLimits;
use crate::model::Ability;

/// One uploaded `.wasm`, ready to be called. Cheap to clone.
#[derive(Clone)]
pub struct Module {
    inner: Arc<Admitted>,
}

pub(super) struct Admitted {
    sandbox: Arc<Inner>,
    digest: String,
    description: Description,
    exports: Exports,
}

/// Where the exports are in the component: found once, used in every instance.
#[derive(Clone)]
pub(super) struct Exports {
    pre: InstancePre<State>,
    about: abilities::about::GuestIndices,
    pub(super) find: Option<abilities::find::GuestIndices>,
    pub(super) household: Option<abilities::household::GuestIndices>,
    pub(super) search: Option<abilities::search::GuestIndices>,
    pub(super) verify: Option<abilities::verify::GuestIndices>,
    pub(super) create: Option<abilities::create::GuestIndices>,
    pub(super) update: Option<abilities::update::GuestIndices>,
    pub(super) link: Option<abilities::link::GuestIndices>,
    pub(super) enrolment: Option<abilities::enrolment::GuestIndices>,
    pub(super) trace: Option<abilities::trace::GuestIndices>,
    pub(super) events: Option<abilities::events::GuestIndices>,
}

/// Its compiled code is not kept.
pub(super) async fn load(sandbox: &Sandbox, bytes: Bytes) -> Result<Module, LoadError> {
    let inner = sandbox.inner.clone();
    let looking = {
        let (sandbox, bytes) = (sandbox.clone(), bytes.clone());
        // Off the event loop: megabytes take milliseconds.
        tokio::task::spawn_blocking(move || {
            let names = read_names(&sandbox, &bytes)?;
            Ok::<_, LoadError>((digest(&bytes), names))
        })
    };
    let looked = looking.await.map_err(|_| Fault::NoInstance)?;
    let (digest, names) = looked?;
    if let Some(admitted) = inner.loaded.get(&digest) {
        return Ok(Module { inner: admitted });
    }
    names.judge().map_err(LoadError::Refused)?;
    let component = compile(&inner, &digest, &bytes).await?;
    match admit(inner, digest, component).await {
        Err(LoadError::Link(error)) => Err(match names.newer() {
            Some(needs) => LoadError::Newer(needs),
            None => LoadError::Link(error),
        }),
        admitted => admitted,
    }
}

/// All that can be told of a module without compiling it.
pub(super) fn look(sandbox: &Sandbox, bytes: &[u8]) -> Result<Vec<Ability>, LoadError> {
    let names = read_names(sandbox, bytes)?;
    names.judge().map_err(LoadError::Refused)
}

fn read_names(sandbox: &Sandbox, bytes: &[u8]) -> Result<Names, LoadError> {
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let max = sandbox.inner.max_module_bytes;
    if size > max {
        return Err(LoadError::TooLarge { size, max });
    }
    if Engine::detect_precompiled(bytes).is_some() {
        return Err(LoadError::Precompiled);
    }
    Names::read(bytes).map_err(LoadError::NotAComponent)
}

pub(super) async fn known(sandbox: &Sandbox, digest: &str) -> Option<Module> {
    let inner = sandbox.inner.clone();
    if let Some(admitted) = inner.loaded.get(digest) {
        return Some(Module { inner: admitted });
    }
    let component = cached(&inner, digest).await?;
    // Whoever reads its bytes then is told what is wrong.
    admit(inner, digest.to_owned(), component).await.ok()
}

/// What every module goes through, wherever its compiled code comes from.
async fn admit(
    inner: Arc<Inner>,
    digest: String,
    component: Component,
) -> Result<Module, LoadError> {
    let abilities = Names::of(&inner.engine, &component);
    let abilities = abilities.judge().map_err(LoadError::Refused)?;
    let exports = Exports::of(&inner, &component, &abilities).map_err(LoadError::Link)?;
    let description = describe(&inner, &digest, &exports, abilities).await?;
    let admitted = Arc::new(Admitted {
        sandbox: inner.clone(),
        digest,
        description,
        exports,
    });
    Ok(Module {
        inner: inner.loaded.keep(admitted),
    })
}

/// `sha256:` and 64 hexadecimal digits.
pub fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

async fn compile(inner: &Arc<Inner>, digest: &str, bytes: &[u8]) -> Result<Component, LoadError> {
    if let Some(component) = cached(inner, digest).await {
        return Ok(component);
    }
    let code = match inner.compiler.compile(bytes).await {
        Ok(code) => code,
        Err(NoCode::Refused(why)) => return Err(refused(wasmtime::Error::msg(why))),
        Err(NoCode::TooSlow) => return Err(LoadError::CompilesTooLong),
        Err(NoCode::TooLarge) => return Err(LoadError::CompilesTooLarge),
        Err(NoCode::NotRun(error)) => return Err(LoadError::NoCompiler(error)),
        Err(NoCode::Crashed(status)) => {
            tracing::warn!(module = digest, %status, "the compiler ended on a module");
            return Err(LoadError::CompilerBroke);
        }
    };
    inner.cache.count(Source::Compiler);
    let inner = inner.clone();
    let taken = move || inner.cache.take(&inner.engine, &code);
    match tokio::task::spawn_blocking(taken).await {
        Ok(component) => component.map_err(refused),
        Err(_) => Err(LoadError::Broken(Fault::NoInstance)),
    }
}

async fn cached(inner: &Arc<Inner>, digest: &str) -> Option<Component> {
    let (inner, digest) = (inner.clone(), digest.to_owned());
    let cached = tokio::task::spawn_blocking(move || {
        let component = inner.cache.get(&inner.engine, &digest)?;
        inner.cache.count(Source::Cache);
        Some(component)
    });
    cached.await.ok()?
}

async fn describe(
    inner: &Arc<Inner>,
    digest: &str,
    exports: &Exports,
    abilities: Vec<Ability>,
) -> Result<Description, LoadError> {
    // No registry has said yet how much memory it allows: what any may allow, for this once.
    let limits = Arc::new(CallLimits {
        memory_bytes: inner.max_memory_bytes,
        ..CallLimits::default()
    });
    let progress = Progress::new(std::time::Duration::from_millis(limits.cpu_ms));
    let output = Output::new(&limits);
    let deadline = Instant::now() + std::time::Duration::from_millis(limits.wall_ms);
    let work = Work {
        lent: Lent::nothing(),
        limits,
        deadline,
    };
    let call = {
        let (inner, exports) = (inner.clone(), exports.clone());
        let (progress, output) = (progress.clone(), output.clone());
        async move {
            let _running = inner.ticker.begin();
            let mut store = instance::store(&inner, work, deadline, output, progress);
            let instance = exports.pre.instantiate_async(&mut store).await?;
            // Every ability's types are checked here, not at the first request.
            exports.check(&mut store, &instance)?;
            let about = exports.about.load(&mut store, &instance)?;
            about.call_describe(&mut store).await
        }
    };
    let admitted = async {
        let call = inner.admit("", call).await?;
        inner.busy.run(call, progress.clone()).await
    };
    let described = tokio::time::timeout_at(deadline, admitted).await;
    output.tell("", digest, "", Vec::new()).await;
    let description = match described {
        Err(_) => return Err(Fault::OutOfTime.into()),
        Ok(None) => return Err(Fault::NoInstance.into()),
        Ok(Some(Err(error))) if is_type_error(&error) => return Err(LoadError::Link(error)),
        Ok(Some(Err(error))) => return Err(Fault::from_error(&error).into()),
        Ok(Some(Ok(description))) => description,
    };
    description::check(description, abilities)
}

/// wasmtime has no type for it; these are its words for an export of another type.
fn is_type_error(error: &wasmtime::Error) -> bool {
    let text = format!("{error:#}");
    text.contains("type mismatch") || text.contains("expected") && text.contains("found")
}

impl Exports {
    fn of(inner: &Inner, component: &Component, abilities: &[Ability]) -> wasmtime::Result<Self> {
        let pre = inner.linker.instantiate_pre(component)?;
        let has = |ability| abilities.contains(&ability).then_some(&pre);
        Ok(Self {
            about: abilities::about::GuestIndices::new(&pre)?,
            find: has(Ability::Find)
                .map(abilities::find::GuestIndices::new)
                .transpose()?,
            household: has(Ability::Household)
                .map(abilities::household::GuestIndices::new)
                .transpose()?,
            search: has(Ability::Search)
                .map(abilities::search::GuestIndices::new)
                .transpose()?,
            verify: has(Ability::Verify)
                .map(abilities::verify::GuestIndices::new)
                .transpose()?,
            create: has(Ability::Create)
                .map(abilities::create::GuestIndices::new)
                .transpose()?,
            update: has(Ability::Update)
                .map(abilities::update::GuestIndices::new)
                .transpose()?,
            link: has(Ability::Link)
                .map(abilities::link::GuestIndices::new)
                .transpose()?,
            enrolment: has(Ability::Enrolment)
                .map(abilities::enrolment::GuestIndices::new)
                .transpose()?,
            trace: has(Ability::Trace)
                .map(abilities::trace::GuestIndices::new)
                .transpose()?,
            events: has(Ability::Events)
                .map(abilities::events::GuestIndices::new)
                .transpose()?,
            pre: pre.clone(),
        })
    }

    fn check(&self, store: &mut Store<State>, instance: &Instance) -> wasmtime::Result<()> {
        if let Some(find) = &self.find {
            find.load(&mut *store, instance)?;
        }
        if let Some(household) = &self.household {
            household.load(&mut *store, instance)?;
        }
        if let Some(search) = &self.search {
            search.load(&mut *store, instance)?;
        }
        if let Some(verify) = &self.verify {
            verify.load(&mut *store, instance)?;
        }
        if let Some(create) = &self.create {
            create.load(&mut *store, instance)?;
        }
        if let Some(update) = &self.update {
            update.load(&mut *store, instance)?;
        }
        if let Some(link) = &self.link {
            link.load(&mut *store, instance)?;
        }
        if let Some(enrolment) = &self.enrolment {
            enrolment.load(&mut *store, instance)?;
        }
        if let Some(trace) = &self.trace {
            trace.load(&mut *store, instance)?;
        }
        if let Some(events) = &self.events {
            events.load(&mut *store, instance)?;
        }
        Ok(())
    }
}

impl Admitted {
    pub(super) fn digest(&self) -> &str {
        &self.digest
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.sandbox.loaded.forget(&self.digest);
    }
}

impl Module {
    /// `sha256:` and 64 hexadecimal digits of the uploaded bytes.
    pub fn digest(&self) -> &str {
        &self.inner.digest
    }

    /// What it says it is.
    pub fn description(&self) -> &Description {
        &self.inner.description
    }

    /// Whether it exports that ability.
    pub fn can(&self, ability: Ability) -> bool {
        self.inner.description.abilities.contains(&ability)
    }

    pub(super) fn exports(&self) -> &Exports {
        &self.inner.exports
    }

    pub(super) fn component(&self) -> &Component {
        self.inner.exports.pre.component()
    }

    pub(super) fn sandbox(&self) -> &Arc<Inner> {
        &self.inner.sandbox
    }

    pub(super) fn start<'a>(
        &'a self,
        store: &'a mut Store<State>,
    ) -> BoxFuture<'a, wasmtime::Result<Instance>> {
        Box::pin(self.inner.exports.pre.instantiate_async(store))
    }
}
