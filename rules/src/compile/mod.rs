//! From documents to plans: names become columns, items predicates, references trees.

pub mod link;
pub mod names;
pub mod predicate;
pub mod program;
pub mod tree;
