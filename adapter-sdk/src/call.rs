//! Who asks, and why.

pub use crate::bindings::lent::openimis::registry::call::{
    ConsentStatement, PresentedProof, ProofKind,
};
use crate::lent;

/// One function per word of the call, as the gateway answers it.
macro_rules! accessors {
    ($($(#[$doc:meta])* $name:ident -> $result:ty;)*) => {$(
        $(#[$doc])*
        pub fn $name() -> $result {
            lent::call::$name()
        }
    )*};
}

accessors! {
    /// The gateway's number of this request, for the registry's own log.
    request_id -> String;
    /// The registry's name in the gateway's configuration.
    registry -> String;
    /// Why the person is looked up.
    purpose -> Option<String>;
    /// On what legal basis.
    legal_basis -> Option<String>;
    /// The caller's user, an opaque name.
    user -> Option<String>;
    /// The organisation for which the user acts.
    entity -> Option<String>;
    /// The person's agreement, where the registry asks for it.
    consent -> Option<ConsentStatement>;
    /// What the person hands over to show that they are there.
    proof -> Option<PresentedProof>;
    /// The fields of the model that the caller wants; empty: all that it may see.
    wanted_fields -> Vec<String>;
    /// BCP 47, best first.
    languages -> Vec<String>;
    /// The same for every attempt at one operation; none in reads.
    operation_key -> Option<String>;
    /// 1 for the first attempt.
    attempt -> u32;
    /// Wall-clock time that is left for this call.
    remaining_ms -> u32;
}

/// What a later minor or this gateway's configuration adds, as JSON text.
pub fn get(key: &str) -> Option<String> {
    lent::call::get(key)
}
