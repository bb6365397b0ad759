//! A YAML document as a tree that remembers where everything stood, and readers that collect every mistake.
//!
//! Deserialising straight into structs stops at the first mistake; a person who writes a configuration
//! wants all of them at once. So the parser's events become a tree of spanned nodes ([`parse`]), a hand-written
//! reader asks the tree for what it needs ([`read`]) and notes what it doesn't find, and the notes are printed with the
//! offending text underlined ([`finding`]). The tree knows nothing of the configuration: rules of mapping
//! and asset files can be read the same way.

pub mod finding;
pub mod read;
pub mod tree;

pub use finding::{Finding, Findings, Severity};
pub use read::{At, Section};
pub use tree::{Entry, Node, Value, parse};
