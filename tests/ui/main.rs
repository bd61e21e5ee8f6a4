//! The real window, driven through AccessKit.
