//! The binary on real files.
