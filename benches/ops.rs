//! Operations at 24 MP on the CPU.
fn main() {}
