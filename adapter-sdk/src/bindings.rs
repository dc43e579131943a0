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

/// The types that writes and events share, once for all of them.
pub mod words {
    wit_bindgen::generate!({
        inline: "
            package openimis:words;
            world words {
                import openimis:registry/vital@1.0.0;
                import openimis:registry/writing@1.0.0;
            }
        ",
        path: "../wit",
        generate_all,
        with: {
            "openimis:registry/types@1.0.0": crate::bindings::lent::openimis::registry::types,
        },
        additional_derives: [PartialEq],
    });
}

/// One world per ability, so that a component claims only what its adapter implements: the section
/// that names the export is emitted where `export!` is expanded. `with` names those of the shared
/// types that it uses.
macro_rules! ability {
    ($($module:ident $world:literal $macro_name:literal $bindings:literal
        with { $($interface:literal: $path:path),* };)*) => {$(
        pub mod $module {
            wit_bindgen::generate!({
                world: $world,
                path: "../wit",
                generate_all,
                with: {
                    "openimis:registry/types@1.0.0": crate::bindings::lent::openimis::registry::types,
                    $($interface: $path,)*
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
    about "ability-about" "export_about" "adapter_sdk::bindings::about" with {};
    find "ability-find" "export_find" "adapter_sdk::bindings::find" with {};
    household "ability-household" "export_household" "adapter_sdk::bindings::household" with {};
    search "ability-search" "export_search" "adapter_sdk::bindings::search" with {};
    verify "ability-verify" "export_verify" "adapter_sdk::bindings::verify" with {};
    create "ability-create" "export_create" "adapter_sdk::bindings::create" with {
        "openimis:registry/vital@1.0.0": crate::bindings::words::openimis::registry::vital,
        "openimis:registry/writing@1.0.0": crate::bindings::words::openimis::registry::writing
    };
    update "ability-update" "export_update" "adapter_sdk::bindings::update" with {
        "openimis:registry/vital@1.0.0": crate::bindings::words::openimis::registry::vital,
        "openimis:registry/writing@1.0.0": crate::bindings::words::openimis::registry::writing
    };
    link "ability-link" "export_link" "adapter_sdk::bindings::link" with {
        "openimis:registry/vital@1.0.0": crate::bindings::words::openimis::registry::vital,
        "openimis:registry/writing@1.0.0": crate::bindings::words::openimis::registry::writing
    };
    enrolment "ability-enrolment" "export_enrolment" "adapter_sdk::bindings::enrolment" with {
        "openimis:registry/vital@1.0.0": crate::bindings::words::openimis::registry::vital,
        "openimis:registry/writing@1.0.0": crate::bindings::words::openimis::registry::writing
    };
    trace "ability-trace" "export_trace" "adapter_sdk::bindings::trace" with {
        "openimis:registry/vital@1.0.0": crate::bindings::words::openimis::registry::vital,
        "openimis:registry/writing@1.0.0": crate::bindings::words::openimis::registry::writing
    };
    events "ability-events" "export_events" "adapter_sdk::bindings::events" with {
        "openimis:registry/vital@1.0.0": crate::bindings::words::openimis::registry::vital
    };
}
