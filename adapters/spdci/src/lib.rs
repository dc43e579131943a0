//! Adapter for registries that speak SPDCI v1.0.0.
