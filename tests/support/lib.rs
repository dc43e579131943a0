//! What the suite and the examples share.

pub mod stand_in;
