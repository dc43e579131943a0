//! Their JSON: strict in what is sent ([`request`]), lenient in what is read ([`answer`] for the
//! envelope, [`record`] for what is in it).

pub mod answer;
pub mod record;
pub mod request;
