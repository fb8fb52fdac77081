//! The one integration test binary.

#[cfg(test)]
mod golden;
mod lab;
mod support;
