//! Runs adapters: the only place with wasmtime.
