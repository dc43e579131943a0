//! Their JSON: strict in what is sent ([`request`], [`message`]), lenient in what is read ([`answer`] for the
//! envelope, [`record`] for what is in it).

pub mod acknowledgement;
pub mod answer;
pub mod callback;
pub mod enrolment;
pub mod message;
pub mod record;
pub mod request;
pub mod subscription;
