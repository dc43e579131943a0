//! The gateway seen from outside.

fn main() {}
