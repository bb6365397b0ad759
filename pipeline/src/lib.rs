//! Moves records from source to sink and commits what has safely left.
//!
//! The only crate with async, files, sockets, clocks and exit codes.

pub mod batch;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod correlate;
pub mod counts;
pub mod demo;
pub mod error;
pub mod evidence;
pub mod forms;
pub mod load;
pub mod mappings;
pub mod out;
pub mod quarantine;
pub mod report;
pub mod rule_tests;
pub mod run;
pub mod sink;
pub mod source;
pub mod stages;
pub mod text;
pub mod times;
pub mod watch;
pub mod yaml;
