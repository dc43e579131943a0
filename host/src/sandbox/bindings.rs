//! What wasmtime makes of the contract. Hidden: nothing generated leaves the sandbox.
#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    clippy::all,
    clippy::restriction,
    reason = "generated code"
)]

wasmtime::component::bindgen!({
    path: "../wit",
    world: "every-ability",
    imports: {
        "openimis:registry/http.send": async | trappable,
        "openimis:registry/http.send-all": async | trappable,
        default: trappable,
    },
    exports: { default: async },
});

pub mod lent {
    pub use super::openimis::registry::{call, http, log, settings};
}

pub use exports::openimis::registry as abilities;
pub use openimis::registry::{types, vital, writing};
