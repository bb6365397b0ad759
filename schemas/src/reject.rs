//! Why a record was refused, and where in it.
//!
//! A reject is a value, not an error of the program: the record goes to quarantine with it. It is built
//! in cold functions and holds at most 64 bytes of the text that it complains about, so that a hostile
//! line can't make the quarantine grow by more than a small multiple of its own length.

use std::fmt;

/// A refused record: who refused it, where in the line, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The family that was tried; `auto` if none was recognised.
    pub family: &'static str,
    /// Byte offset in the received line at which the trouble begins.
    pub offset: usize,
    /// What was wrong.
    pub kind: RejectKind,
}

/// A part of a record that was refused, while other parts of it are events: an element of an array, a tuple of a flow log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedPart {
    /// Why. Its offset is one in the whole record as it was received.
    pub reject: Reject,
    /// The part, as it was received.
    pub raw: Vec<u8>,
}

/// What was wrong with a record. The sentence is made in `Display`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RejectKind {
    /// A value does not have the form that its field needs.
    BadValue {
        /// The vendor's or the canonical name of the field.
        what: &'static str,
        /// The text found, at most 64 bytes of it, decoded lossily.
        found: String,
        /// What would have been right.
        expected: &'static str,
    },
    /// Something that a record of this family always has is not there.
    Missing {
        /// What is missing.
        what: &'static str,
    },
    /// The record is not of this family.
    NotThisFamily {
        /// What a record of this family begins with or contains.
        expected: &'static str,
    },
    /// A message of the family whose shape is not known.
    UnknownMessage {
        /// The message's number or name, at most 64 bytes.
        code: String,
    },
    /// A quote, bracket or tag that never closes.
    Unclosed {
        /// What was left open.
        what: &'static str,
    },
    /// More than a stated bound allows.
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// The line is empty or only blanks.
    Empty,
    /// A part of a binary file of which no record can be made.
    Damaged {
        /// The part.
        what: &'static str,
        /// What its decoder says, at most 160 bytes of it.
        why: String,
    },
}

impl RejectKind {
    /// A [`RejectKind::BadValue`] that keeps at most 64 bytes of what was found.
    #[cold]
    #[inline(never)]
    pub fn bad_value(what: &'static str, found: &[u8], expected: &'static str) -> RejectKind {
        RejectKind::BadValue { what, found: bounded(found), expected }
    }

    /// A [`RejectKind::UnknownMessage`] that keeps at most 64 bytes of the code.
    #[cold]
    #[inline(never)]
    pub fn unknown_message(code: &[u8]) -> RejectKind {
        RejectKind::UnknownMessage { code: bounded(code) }
    }

    /// A [`RejectKind::Damaged`] that keeps at most 160 bytes of what the decoder says.
    #[cold]
    #[inline(never)]
    pub fn damaged(what: &'static str, why: &[u8]) -> RejectKind {
        RejectKind::Damaged { what, why: escaped(&why[..why.len().min(160)]) }
    }

    /// A word for counting: the variant's name, from a closed set.
    pub fn label(&self) -> &'static str {
        match self {
            RejectKind::BadValue { .. } => "bad_value",
            RejectKind::Missing { .. } => "missing",
            RejectKind::NotThisFamily { .. } => "not_this_family",
            RejectKind::UnknownMessage { .. } => "unknown_message",
            RejectKind::Unclosed { .. } => "unclosed",
            RejectKind::TooMuch { .. } => "too_much",
            RejectKind::Empty => "empty",
            RejectKind::Damaged { .. } => "damaged",
        }
    }
}

/// At most 64 bytes of a hostile text: lossy UTF-8, control characters escaped.
fn bounded(text: &[u8]) -> String {
    escaped(&text[..text.len().min(64)])
}

fn escaped(text: &[u8]) -> String {
    String::from_utf8_lossy(text)
        .chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
        .collect()
}

impl fmt::Display for RejectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RejectKind::BadValue { what, found, expected } => write!(f, "{what} is `{found}`, expected {expected}"),
            RejectKind::Missing { what } => {
                write!(f, "{what} is missing; was the line cut, or is it switched off in the device's log format?")
            }
            RejectKind::NotThisFamily { expected } => {
                write!(f, "not a record of this family, expected {expected}; check --format, or use auto")
            }
            RejectKind::UnknownMessage { code } => {
                write!(f, "message `{code}` is not known; report its shape, or route it to another family")
            }
            RejectKind::Unclosed { what } => write!(f, "{what} never closes; was the line cut by a relay?"),
            RejectKind::TooMuch { what, limit } => {
                write!(f, "more than {limit} {what}; what is beyond is refused")
            }
            RejectKind::Empty => write!(f, "the line is empty"),
            RejectKind::Damaged { what, why } => write!(f, "the {what} is damaged: {why}"),
        }
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, byte {}: {}", self.family, self.offset, self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reject_says_family_byte_finding_and_expectation() {
        let reject = Reject {
            family: "fortigate",
            offset: 31,
            kind: RejectKind::bad_value("srcport", b"70000", "digits 0..=65535"),
        };
        assert_eq!(reject.to_string(), "fortigate, byte 31: srcport is `70000`, expected digits 0..=65535");
    }

    #[test]
    fn what_was_found_is_bounded_and_harmless() {
        let RejectKind::BadValue { found, .. } = RejectKind::bad_value("x", &[0x1b; 1000], "y") else { panic!() };
        assert!(found.len() < 64 * 8 && !found.contains('\u{1b}'));
    }
}
