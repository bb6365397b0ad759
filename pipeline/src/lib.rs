//! Moves records from source to sink and commits what has safely left.

pub mod cli;
pub mod config;
pub mod demo;
pub mod error;
pub mod out;
pub mod report;
pub mod rule_tests;
pub mod sink;
pub mod text;
pub mod yaml;
