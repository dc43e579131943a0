//! The verbs, without HTTP, SQL or WebAssembly.
