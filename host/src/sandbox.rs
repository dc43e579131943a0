//! Runs adapters: the only place with wasmtime.
//!
//! A module is admitted once ([`Sandbox::load`]) and then called any number of times, each call in
//! a fresh instance with its own limits. What passes this door is plain data.
//!
//! The threat: a guest is hostile or broken. It may spin, sleep, grow, recurse, flood, return
//! garbage, or try what it was not granted. Whatever it does harms only its own call, and no call
//! sees what another left behind.

mod bindings;
mod cache;
mod compiler;
mod convert;
mod description;
mod ends;
mod engine;
mod fault;
mod inspect;
mod instance;
mod kept;
mod lent;
#[doc(hidden)]
pub mod live;
mod load_error;
mod loaded;
mod mask;
mod meter;
mod module;
mod output;
mod progress;
mod reports;
mod room;
mod slip;
mod spelling;
mod tail;
mod turn;
mod verbs;

pub(crate) use compiler::COMMAND as COMPILE_COMMAND;
#[doc(hidden)]
pub use compiler::compile_here;
pub use description::{Description, EndpointNeed};
pub use ends::HttpEnds;
pub use engine::{Occupancy, Sandbox, SandboxError};
pub use fault::{Fault, Limit};
pub use inspect::ImportRefusal;
pub use instance::{Answer, Pending, PendingAnswer, Ran, Usage, Work};
pub use lent::{Lent, Trail};
pub use load_error::LoadError;
pub use module::Module;
pub use module::digest as digest_of;
pub use tail::{Following, Said, TooSlow};
