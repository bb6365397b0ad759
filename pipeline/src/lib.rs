//! Moves records from source to sink and commits what has safely left.

pub mod demo;
pub mod sink;
