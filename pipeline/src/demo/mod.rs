//! The shipped incident: what the generator writes, what it planted, and what must stay quiet.
//!
//! It is generated and not stored, so that the repository carries no log file of 70 MB, and so that the benches get as
//! many lines as they ask for. One seed gives one sequence of bytes on every machine: the generator has its own small
//! random numbers and no clock.

pub mod estate;
pub mod generate;

pub use story::{Expectation, Quiet, planted, quiet};

mod daily;
mod logs;
mod story;
mod text;
