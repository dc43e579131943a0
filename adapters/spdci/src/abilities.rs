//! The calls: settings, a question, the records of its answer, their mapping.

mod find;
mod household;
mod search;
mod verify;
