//! The files of the admin page. `tests/suite/ui.rs` holds the list to the folder.

/// One of them.
pub(super) struct File {
    /// Below `/ui/`.
    pub(super) name: &'static str,
    /// Its media type.
    pub(super) kind: &'static str,
    pub(super) bytes: &'static [u8],
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

macro_rules! files {
    ($($name:literal: $kind:ident,)*) => {
        &[$(File {
            name: $name,
            kind: $kind,
            bytes: include_bytes!(concat!("../../../ui/", $name)),
        },)*]
    };
}

pub(super) const FILES: &[File] = files! {
    "index.html": HTML,
    "style.css": CSS,
    "icon.svg": PICTURE,
    "app.js": SCRIPT,
    "api.js": SCRIPT,
    "dom.js": SCRIPT,
    "show.js": SCRIPT,
    "search.js": SCRIPT,
    "views/login.js": SCRIPT,
    "views/registries.js": SCRIPT,
    "views/registry.js": SCRIPT,
    "views/chart.js": SCRIPT,
    "views/logs.js": SCRIPT,
    "views/swap.js": SCRIPT,
    "views/shadow.js": SCRIPT,
    "views/history.js": SCRIPT,
    "views/operations.js": SCRIPT,
    "views/operation.js": SCRIPT,
    "views/events.js": SCRIPT,
    "views/callback.js": SCRIPT,
    "views/links.js": SCRIPT,
    "views/webhooks.js": SCRIPT,
    "views/webhook.js": SCRIPT,
    "views/modules.js": SCRIPT,
    "views/callers.js": SCRIPT,
    "views/caller.js": SCRIPT,
    "views/key.js": SCRIPT,
    "views/audit.js": SCRIPT,
    "views/nodes.js": SCRIPT,
};
