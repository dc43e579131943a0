//! The words of the contract as plain data.
