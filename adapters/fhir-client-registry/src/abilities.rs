//! The calls: settings, a question, the resources of its answer, their mapping.

mod create;
mod events;
mod find;
mod household;
mod link;
mod search;
mod trace;
mod update;
mod verify;
mod written;
