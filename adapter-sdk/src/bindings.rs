//! What wit-bindgen makes of the contract. Hidden: the SDK's own modules re-export what an adapter
//! names, and `export!` uses the rest.
#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    clippy::all,
    clippy::restriction,
    reason = "generated code"
)]

pub mod lent {
    wit_bindgen::generate!({
        world: "lent",
        path: "../wit",
        generate_all,
        additional_derives: [PartialEq],
    });
}

/// One world per ability, so that a component claims only what its adapter implements: the section
/// that names the export is emitted where `export!` is expanded.
macro_rules! ability {
    ($($module:ident $world:literal $macro_name:literal $bindings:literal;)*) => {$(
        pub mod $module {
            wit_bindgen::generate!({
                world: $world,
                path: "../wit",
                generate_all,
                with: {
                    "openimis:registry/types@1.0.0": crate::bindings::lent::openimis::registry::types,
                },
                additional_derives: [PartialEq],
                pub_export_macro: true,
                export_macro_name: $macro_name,
                default_bindings_module: $bindings,
            });
        }
    )*};
}

ability! {
    about "ability-about" "export_about" "adapter_sdk::bindings::about";
    find "ability-find" "export_find" "adapter_sdk::bindings::find";
    household "ability-household" "export_household" "adapter_sdk::bindings::household";
    search "ability-search" "export_search" "adapter_sdk::bindings::search";
    verify "ability-verify" "export_verify" "adapter_sdk::bindings::verify";
}
