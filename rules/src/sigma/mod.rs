//! Sigma documents: from YAML text to a tree that says what the author meant, or to all that is wrong with it.
//!
//! Nothing here knows a batch or a column. Field names stay as written until `compile` resolves them, because their
//! meaning hangs on the log source of the rule that uses them.

pub mod ast;
pub mod condition;
pub mod error;
pub mod modifiers;
pub mod parse;
pub mod pattern;
pub mod yaml;
