//! Outbound HTTP: the only place with reqwest.
