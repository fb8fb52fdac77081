//! The one integration test binary.

mod golden;
mod lab;
mod support;
