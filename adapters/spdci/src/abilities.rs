//! The calls: settings, a question, the records of its answer, their mapping.

mod enrolment;
mod events;
mod find;
mod household;
mod search;
mod subscriptions;
mod verify;
