//! Decides which rows, alone or together, are hits, and which hits together are an alert.
//!
//! Rules come in as Sigma text and leave as a [`plan::Plan`]; the scan turns each batch of rows into
//! [`hit::HitBatch`]es; the correlator joins hits over event time. Nothing here reads a clock, a file or a vendor's
//! name: time is what events and watermarks say, so a replay gives the same answer.

pub mod compile;
pub mod correlate;
pub mod hit;
pub mod plan;
mod ruleset;
pub mod scan;
pub mod sigma;
mod varint;

pub use ruleset::{RuleKind, RuleSet, RuleSummary};
pub use sigma::error::{RuleError, RuleWarning};
pub use sigma::modifiers::Placeholders;
