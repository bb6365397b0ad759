//! Where results go: the lake's tables.
//!
//! A sink acknowledges by position and drops nothing: what it cannot write holds the source back.

pub mod lake;
