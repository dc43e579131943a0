use axum::http::header;
use axum::response::IntoResponse;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{
    admin, events, find, health, hooks, household, links, lookups, operations, registries, search,
    verify,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "openIMIS registry gateway",
        description = "One API for any national registry. Reads are POST, so that no personal \
            data is in a URL. Every lookup carries `Authorization: Bearer <key>` and, as the \
            registry's policy requires, `Registry-Purpose`, `Registry-Legal-Basis`, \
            `Registry-User` and `Registry-Entity`. A date of a request may be its text alone, \
            `\"1987-04-23\"`, where answers have an object. Errors are RFC 9457 problems with a stable \
            `code`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        registries::list,
        registries::one,
        find::find,
        search::search,
        household::household,
        verify::verify,
        lookups::one,
        lookups::forget,
        operations::accept,
        operations::one,
        operations::cancel,
        admin::operations::list,
        admin::operations::one,
        admin::operations::replay,
        admin::operations::cancel,
        admin::operations::resolve,
        links::add,
        links::search,
        links::end,
        admin::links::list,
        admin::links::one,
        admin::links::end,
        events::feed,
        hooks::below,
        admin::events::list,
        admin::events::callbacks,
        admin::events::replay,
        admin::events::discard,
        admin::callback_raw::raw,
        admin::webhooks::list,
        admin::webhooks::add,
        admin::webhooks::one,
        admin::webhooks::remove,
        admin::webhooks::pause,
        admin::webhooks::resume,
        admin::webhooks::replay,
        admin::webhooks::rotate,
        admin::webhooks::ping,
        admin::whoami::whoami,
        admin::callers::list,
        admin::callers::add,
        admin::callers::one,
        admin::callers::set,
        admin::callers::revoke,
        admin::session::current,
        admin::session::open,
        admin::session::close,
        admin::health::all,
        admin::health::one,
        admin::logs::follow,
        admin::audit_reading::calls,
        admin::audit_reading::acts,
        admin::audit_find::find,
        admin::audit_export::export,
        admin::audit_export::prune,
        admin::audit::verify,
        admin::audit::checkpoints,
        admin::audit::seal,
        admin::nodes::list,
        admin::swap::swap,
        admin::swap::stage,
        admin::swap::activate,
        admin::swap::roll_back,
        admin::swap::unstage,
        admin::history::history,
        admin::shadow::begin,
        admin::shadow::report,
        admin::registries::list,
        admin::registries::one,
        admin::registry_test::test,
        admin::registries::enable,
        admin::registries::disable,
        admin::registries::remove,
        admin::apply::apply,
        admin::apply::export,
        admin::modules::list,
        admin::modules::one,
        admin::modules::add,
        admin::modules::check,
        admin::modules::pull,
        admin::modules::retire,
        admin::caller_keys::add,
        admin::caller_keys::revoke,
        health::alive,
        health::ready,
        health::metrics,
        serve,
    ),
    modifiers(&Key),
)]
struct Document;

struct Key;

impl Modify for Key {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The key that `registry-gateway caller add` printed"))
            .build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("key", SecurityScheme::Http(scheme));
        let cookie = ApiKeyValue::with_description(
            "__Host-registry-gateway-session",
            "The admin page's session, with `X-CSRF-Token` for whatever is no `GET`. It stands for \
             the key that it was opened with, in the whole admin API",
        );
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

/// The OpenAPI 3.1 document, as checked in beside the code.
pub fn document() -> String {
    let mut text = Document::openapi().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "health",
    responses((status = 200, description = "OpenAPI 3.1", body = Object, content_type = "application/json")))]
pub(super) async fn serve() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], document())
}
