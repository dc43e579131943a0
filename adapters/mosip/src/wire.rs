//! Their JSON: strict in what is sent, and in what is read no more than is needed.

pub mod esignet;
pub mod ida;
