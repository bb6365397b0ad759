//! The fuzz binary of every target: which one it is, its own name says.
//!
//! `cargo +nightly fuzz run lex_json`, `FUZZ_FAMILY=panw cargo +nightly fuzz run family`.

#![no_main]

#[path = "../targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::run(env!("CARGO_BIN_NAME"), data));
