//! The HTTP API: one file per resource, one flat router.
