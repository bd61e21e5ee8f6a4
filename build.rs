//! Build-time shader reflection.
fn main() {}
