//! The one macro that turns a type into a component.

/// Exports an adapter: `export!(MyAdapter: find, household, search, verify);`, once per crate.
///
/// The abilities: `find`, `household`, `search`, `verify` (see [`ability`](crate::ability)), `create`,
/// `update`, `link`, `enrolment` (see [`writes`](crate::writes)), `trace`, `events` (see
/// [`reports`](crate::reports)).
///
/// The type implements [`About`](crate::About), which is always exported, and the trait of each
/// ability named. A module claims only what is named here, so leave out what the registry cannot
/// do. On other targets than WebAssembly nothing is exported (the exported names would not link),
/// but the traits are checked all the same.
#[macro_export]
macro_rules! export {
    ($adapter:ident : $($ability:ident),+ $(,)?) => {
        const _: fn() = || {
            fn about<A: $crate::About>() {}
            about::<$adapter>();
            $( $crate::__ability!(check $adapter $ability); )+
        };
        #[cfg(target_arch = "wasm32")]
        #[allow(
            unsafe_code,
            reason = "the exported functions of a component take raw pointers"
        )]
        const _: () = {
            $crate::bindings::about::export_about!(
                $adapter with_types_in $crate::bindings::about
            );
            $( $crate::__ability!(export $adapter $ability); )+
        };
    };
}

/// The abilities that [`export!`](crate::export) knows.
#[doc(hidden)]
#[macro_export]
macro_rules! __ability {
    (check $adapter:ident find) => { $crate::__ability!(implements $adapter Find) };
    (check $adapter:ident household) => { $crate::__ability!(implements $adapter FindHousehold) };
    (check $adapter:ident search) => { $crate::__ability!(implements $adapter Search) };
    (check $adapter:ident verify) => { $crate::__ability!(implements $adapter Verify) };
    (check $adapter:ident create) => { $crate::__ability!(implements $adapter Create) };
    (check $adapter:ident update) => { $crate::__ability!(implements $adapter Update) };
    (check $adapter:ident link) => { $crate::__ability!(implements $adapter Link) };
    (check $adapter:ident enrolment) => { $crate::__ability!(implements $adapter Enrol) };
    (check $adapter:ident trace) => { $crate::__ability!(implements $adapter Trace) };
    (check $adapter:ident events) => { $crate::__ability!(implements $adapter Events) };
    (check $adapter:ident $other:ident) => {
        compile_error!(concat!(
            "unknown ability `", stringify!($other),
            "`: find, household, search, verify, create, update, link, enrolment, trace, events"
        ))
    };
    (implements $adapter:ident $ability:ident) => {{
        fn implements<A: $crate::$ability>() {}
        implements::<$adapter>()
    }};
    (export $adapter:ident find) => {
        $crate::bindings::find::export_find!($adapter with_types_in $crate::bindings::find);
    };
    (export $adapter:ident household) => {
        $crate::bindings::household::export_household!(
            $adapter with_types_in $crate::bindings::household
        );
    };
    (export $adapter:ident search) => {
        $crate::bindings::search::export_search!($adapter with_types_in $crate::bindings::search);
    };
    (export $adapter:ident verify) => {
        $crate::bindings::verify::export_verify!($adapter with_types_in $crate::bindings::verify);
    };
    (export $adapter:ident create) => {
        $crate::bindings::create::export_create!($adapter with_types_in $crate::bindings::create);
    };
    (export $adapter:ident update) => {
        $crate::bindings::update::export_update!($adapter with_types_in $crate::bindings::update);
    };
    (export $adapter:ident link) => {
        $crate::bindings::link::export_link!($adapter with_types_in $crate::bindings::link);
    };
    (export $adapter:ident enrolment) => {
        $crate::bindings::enrolment::export_enrolment!($adapter with_types_in $crate::bindings::enrolment);
    };
    (export $adapter:ident trace) => {
        $crate::bindings::trace::export_trace!($adapter with_types_in $crate::bindings::trace);
    };
    (export $adapter:ident events) => {
        $crate::bindings::events::export_events!($adapter with_types_in $crate::bindings::events);
    };
    (export $adapter:ident $other:ident) => {};
}
