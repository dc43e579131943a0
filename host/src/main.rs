//! The registry gateway's command.

fn main() {}
