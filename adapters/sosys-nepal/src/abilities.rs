//! The calls: settings, a question, the resources of its answer, their mapping.

mod find;
mod household;
mod search;
mod verify;
