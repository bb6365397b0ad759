//! From documents to plans: names become columns, items predicates, references trees.

pub mod link;
pub mod names;
pub mod predicate;
pub mod program;
pub mod read;
pub mod shape;
pub mod tree;
mod words;
