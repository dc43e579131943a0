//! Between their words and ours: pure functions. What has no place in the model goes to `extra` under
//! `x-mosip-<claim>`, and what cannot be read to `unmapped`.

mod address;
mod asked;
mod demographics;
mod names;
mod outcome;
mod person;
mod photo;
mod shape;

pub use asked::{Individual, check_asked, individual, known_schemes};
pub use demographics::{Demographics, demographics};
pub use outcome::{uncompared, verification};
pub use person::person;
