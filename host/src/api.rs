//! The HTTP API: one flat router, one file per resource. It alone has axum and status codes.

mod admin;
mod body;
mod check;
mod events;
mod find;
mod health;
mod hooks;
mod household;
mod links;
mod lookups;
mod openapi;
mod operations;
mod peer;
mod prefer;
mod problem;
mod query;
mod registries;
mod request;
mod search;
mod trace;
mod ui;
mod upload;
mod verify;
mod writes;

use std::sync::Arc;
use std::time::Duration;

use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, delete, get, post};
use axum::{Extension, Router};
use tower_http::catch_panic::CatchPanicLayer;

pub use openapi::document;
pub use peer::Peer;

use crate::config::api::ApiConfig;
use crate::gateway::{Caller, Gateway};

/// The whole API for whoever holds the data of this machine: administration needs no key.
pub fn local(gateway: Gateway, config: &ApiConfig) -> Router {
    let local = admin::Local(Arc::new(Caller::local()));
    router(gateway, config).layer(Extension(local))
}

/// The whole API.
pub fn router(gateway: Gateway, config: &ApiConfig) -> Router {
    Router::new()
        .route("/v1/registries", get(registries::list))
        .route("/v1/registries/{registry}", get(registries::one))
        .route("/v1/registries/{registry}/find", post(find::find))
        .route("/v1/registries/{registry}/search", post(search::search))
        .route(
            "/v1/registries/{registry}/household",
            post(household::household),
        )
        .route("/v1/registries/{registry}/verify", post(verify::verify))
        .route(
            "/v1/registries/{registry}/operations",
            post(operations::accept),
        )
        .route(
            "/v1/lookups/{id}",
            get(lookups::one).delete(lookups::forget),
        )
        .route("/v1/operations/{id}", get(operations::one))
        .route("/v1/operations/{id}/cancel", post(operations::cancel))
        .route("/admin/v1/operations", get(admin::operations::list))
        .route("/admin/v1/operations/{id}", get(admin::operations::one))
        .route(
            "/admin/v1/operations/{id}/replay",
            post(admin::operations::replay),
        )
        .route(
            "/admin/v1/operations/{id}/cancel",
            post(admin::operations::cancel),
        )
        .route(
            "/admin/v1/operations/{id}/resolve",
            post(admin::operations::resolve),
        )
        .route("/v1/links", post(links::add))
        .route("/v1/links/search", post(links::search))
        .route("/v1/links/{id}", delete(links::end))
        .route("/admin/v1/links", get(admin::links::list))
        .route("/admin/v1/links/{id}", get(admin::links::one))
        .route("/admin/v1/links/{id}/end", post(admin::links::end))
        .route("/v1/events", get(events::feed))
        .route("/hooks/{registry}", any(hooks::top))
        .route("/hooks/{registry}/", any(hooks::top))
        .route("/hooks/{registry}/{*path}", any(hooks::below))
        .route("/admin/v1/events", get(admin::events::list))
        .route("/admin/v1/callbacks", get(admin::events::callbacks))
        .route(
            "/admin/v1/callbacks/{id}/replay",
            post(admin::events::replay),
        )
        .route(
            "/admin/v1/callbacks/{id}/discard",
            post(admin::events::discard),
        )
        .route(
            "/admin/v1/callbacks/{id}/raw",
            post(admin::callback_raw::raw),
        )
        .route(
            "/admin/v1/webhooks",
            get(admin::webhooks::list).post(admin::webhooks::add),
        )
        .route(
            "/admin/v1/webhooks/{webhook}",
            get(admin::webhooks::one).delete(admin::webhooks::remove),
        )
        .route(
            "/admin/v1/webhooks/{webhook}/pause",
            post(admin::webhooks::pause),
        )
        .route(
            "/admin/v1/webhooks/{webhook}/resume",
            post(admin::webhooks::resume),
        )
        .route(
            "/admin/v1/webhooks/{webhook}/replay",
            post(admin::webhooks::replay),
        )
        .route(
            "/admin/v1/webhooks/{webhook}/secret",
            post(admin::webhooks::rotate),
        )
        .route(
            "/admin/v1/webhooks/{webhook}/ping",
            post(admin::webhooks::ping),
        )
        .route("/admin/v1/whoami", get(admin::whoami::whoami))
        .route(
            "/admin/v1/callers",
            get(admin::callers::list).post(admin::callers::add),
        )
        .route(
            "/admin/v1/callers/{caller}",
            get(admin::callers::one)
                .put(admin::callers::set)
                .delete(admin::callers::revoke),
        )
        .route(
            "/admin/v1/callers/{caller}/keys",
            post(admin::caller_keys::add),
        )
        .route(
            "/admin/v1/callers/{caller}/keys/{key}",
            delete(admin::caller_keys::revoke),
        )
        .route("/admin/v1/audit/calls", get(admin::audit_reading::calls))
        .route("/admin/v1/audit/acts", get(admin::audit_reading::acts))
        .route("/admin/v1/audit/find", post(admin::audit_find::find))
        .route("/admin/v1/audit/export", get(admin::audit_export::export))
        .route("/admin/v1/audit/prune", post(admin::audit_export::prune))
        .route("/admin/v1/audit/verify", post(admin::audit::verify))
        .route(
            "/admin/v1/audit/checkpoints",
            get(admin::audit::checkpoints).post(admin::audit::seal),
        )
        .route("/admin/v1/registries", get(admin::registries::list))
        .route("/admin/v1/registries/apply", post(admin::apply::apply))
        .route("/admin/v1/registries/export", get(admin::apply::export))
        .route(
            "/admin/v1/registries/{registry}",
            get(admin::registries::one).delete(admin::registries::remove),
        )
        .route(
            "/admin/v1/registries/{registry}/test",
            post(admin::registry_test::test),
        )
        .route(
            "/admin/v1/registries/{registry}/enable",
            post(admin::registries::enable),
        )
        .route(
            "/admin/v1/registries/{registry}/disable",
            post(admin::registries::disable),
        )
        .route(
            "/admin/v1/session",
            get(admin::session::current)
                .post(admin::session::open)
                .delete(admin::session::close),
        )
        .route("/admin/v1/health", get(admin::health::all))
        .route(
            "/admin/v1/registries/{registry}/health",
            get(admin::health::one),
        )
        .route(
            "/admin/v1/registries/{registry}/logs",
            get(admin::logs::follow),
        )
        .route(
            "/admin/v1/registries/{registry}/swap",
            get(admin::swap::swap),
        )
        .route(
            "/admin/v1/registries/{registry}/stage",
            post(admin::swap::stage),
        )
        .route(
            "/admin/v1/registries/{registry}/shadow",
            get(admin::shadow::report).post(admin::shadow::begin),
        )
        .route(
            "/admin/v1/registries/{registry}/activate",
            post(admin::swap::activate),
        )
        .route(
            "/admin/v1/registries/{registry}/rollback",
            post(admin::swap::roll_back),
        )
        .route(
            "/admin/v1/registries/{registry}/candidate",
            delete(admin::swap::unstage),
        )
        .route(
            "/admin/v1/registries/{registry}/history",
            get(admin::history::history),
        )
        .route(
            "/admin/v1/modules",
            get(admin::modules::list).post(admin::modules::add),
        )
        .route("/admin/v1/modules/check", post(admin::modules::check))
        .route("/admin/v1/modules/pull", post(admin::modules::pull))
        .route(
            "/admin/v1/modules/{digest}",
            get(admin::modules::one).delete(admin::modules::retire),
        )
        .route("/admin/v1/nodes", get(admin::nodes::list))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/openapi.json", get(openapi::serve))
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method)
        .merge(ui::pages())
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(Extension(admin::session::Limits::of(config)))
        .layer(Extension(admin::logs::Readers::of(config)))
        .layer(Extension(peer::Trusted(
            config.trusted_proxies.clone().into(),
        )))
        .layer(Extension(body::MaxBody(config.max_body_bytes)))
        .layer(Extension(body::MaxConfiguration(
            config.max_configuration_bytes,
        )))
        .layer(Extension(body::ReadTimeout(Duration::from_millis(
            config.read_timeout_ms,
        ))))
        .layer(from_fn(ui::guarded))
        .layer(Extension(upload::UploadTimeout(Duration::from_millis(
            config.upload_timeout_ms,
        ))))
        .layer(from_fn_with_state(gateway.clone(), trace::count))
        .layer(from_fn(trace::number))
        .with_state(gateway)
}
