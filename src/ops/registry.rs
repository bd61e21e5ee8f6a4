//! Every operation, one line each, in menu order.

use super::Operation;

static ALL: &[&dyn Operation] = &[&super::invert::Invert];

/// Every operation, in menu order.
pub fn all() -> &'static [&'static dyn Operation] {
    ALL
}

/// The operation called `name`.
pub fn find(name: &str) -> Option<&'static dyn Operation> {
    ALL.iter().copied().find(|op| op.spec().name == name)
}
