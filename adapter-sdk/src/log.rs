//! Lines for the developer of the mapping: `log::info!("{} records", count)`.
//!
//! The gateway masks words that stand in what was asked or answered, but a mapping does better
//! not to write them: log codes and counts, never names and numbers.

pub use crate::bindings::lent::openimis::registry::log::Level;
use crate::lent;

/// Writes one line. The macros of this module are shorter.
pub fn write(level: Level, message: &str) {
    lent::log::write(level, message);
}

/// A line that only somebody who looks for it wants.
#[macro_export]
#[doc(hidden)]
macro_rules! __log_debug {
    ($($part:tt)+) => { $crate::log::write($crate::log::Level::Debug, &format!($($part)+)) };
}

/// A line about what happens as it should.
#[macro_export]
#[doc(hidden)]
macro_rules! __log_info {
    ($($part:tt)+) => { $crate::log::write($crate::log::Level::Info, &format!($($part)+)) };
}

/// A line about what the registry does that it should not.
#[macro_export]
#[doc(hidden)]
macro_rules! __log_warn {
    ($($part:tt)+) => { $crate::log::write($crate::log::Level::Warn, &format!($($part)+)) };
}

/// A line about what ended the call.
#[macro_export]
#[doc(hidden)]
macro_rules! __log_error {
    ($($part:tt)+) => { $crate::log::write($crate::log::Level::Error, &format!($($part)+)) };
}

pub use crate::{
    __log_debug as debug, __log_error as error, __log_info as info, __log_warn as warn,
};
