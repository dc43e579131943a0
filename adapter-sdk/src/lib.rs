#![doc = include_str!("../README.md")]

#[doc(hidden)]
pub mod bindings;

pub mod ability;
pub mod call;
pub mod codes;
pub mod compare;
pub mod dates;
mod export;
pub mod failure;
pub mod http;
pub mod ids;
mod lent;
pub mod log;
pub mod model;
pub mod names;
pub mod reports;
pub mod settings;
pub mod signing;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
pub mod writes;

pub use ability::{About, Answer, Find, FindHousehold, Search, Verify};
pub use model::{Failure, Opaque, Pending, PendingAnswer};
pub use reports::{Events, Trace};
pub use writes::{Create, Enrol, Link, Update};
