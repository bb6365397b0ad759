//! What integration tests share: real brokers, and the programs that `cargo xtask test` sets up.
//!
//! Each test program compiles this for itself and uses a part of it.
#![allow(dead_code)]

pub mod broker;
pub mod incident;
pub mod kafka;

use std::io::Write;

/// The value of an environment variable that `cargo xtask test` sets. `None` after saying, past the capture of
/// the test harness, that this test was skipped: `cargo xtask test` counts those lines.
pub fn need(test: &str, variable: &str) -> Option<String> {
    let value = std::env::var(variable).ok();
    if value.is_none() {
        // Not `eprintln!`, which the harness keeps to itself when a test passes.
        let line = format!("SKIPPED {test}: {variable} is not set; `cargo xtask test` sets it up\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    value
}
