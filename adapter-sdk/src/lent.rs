//! Where the lent functions come from: the gateway in a component, [`crate::testing`] elsewhere.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crate::testing::lent::{call, http, log, settings, signing};

#[cfg(target_arch = "wasm32")]
pub(crate) use crate::bindings::lent::openimis::registry::{call, http, log, settings, signing};
