//! The HTTP API: one flat router, one file per resource. It alone has axum and status codes.

mod admin;
mod body;
mod check;
mod find;
mod health;
mod household;
mod openapi;
mod problem;
mod registries;
mod request;
mod search;
mod trace;
mod upload;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{delete, get, post};
use axum::{Extension, Router};
use tower_http::catch_panic::CatchPanicLayer;

pub use openapi::document;

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
        .route("/admin/v1/whoami", get(admin::whoami::whoami))
        .route(
            "/admin/v1/callers",
            get(admin::callers::list).post(admin::callers::add),
        )
        .route("/admin/v1/callers/{caller}", delete(admin::callers::revoke))
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
        .merge(admin::registries(config))
        .route(
            "/admin/v1/modules",
            get(admin::modules::list).post(admin::modules::add),
        )
        .route(
            "/admin/v1/modules/{digest}",
            get(admin::modules::one).delete(admin::modules::retire),
        )
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/openapi.json", get(openapi::serve))
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(Extension(body::MaxBody(config.max_body_bytes)))
        .layer(Extension(body::ReadTimeout(Duration::from_millis(
            config.read_timeout_ms,
        ))))
        .layer(Extension(upload::UploadTimeout(Duration::from_millis(
            config.upload_timeout_ms,
        ))))
        .layer(from_fn_with_state(gateway.clone(), trace::count))
        .layer(from_fn(trace::number))
        .with_state(gateway)
}
