//! A stand-in registry.
