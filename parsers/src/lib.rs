//! Turns one raw record into rows, or into one reject with a position.
//!
//! ```text
//! line ──transport──▶ Record { header, body } ──detect──▶ family ──▶ Row (columns of a FlowBatch)
//! ```
//! A family is one file under `families/`, one folder under `fixtures/` and one word in the list of
//! `families/mod.rs`. It maps a vendor's keys to fields and knows nothing of files, clocks or other families;
//! quoting, times and syslog damage live in `lex/`. What a line does not say stays absent, what is understood but
//! not mapped goes to the row's extras, and what is not of the family is a reject: no line makes a parser panic, loop
//! or allocate more than a small multiple of its own length.
//!
//! The pipeline uses one type, [`Session`], one per source: it takes lines in order and fills batches. Which rows come out
//! depends on the lines alone, never on how they were cut into batches.

pub mod detect;
mod document;
pub mod families;
pub mod framing;
mod gcp;
mod generic;
pub mod lex;
mod logins;
mod many;
pub mod mapping;
mod session;
pub mod transport;
mod windows;

pub use detect::Confidence;
pub use families::FAMILIES;
pub use lex::syslog::Header;
pub use lex::time::{TimeContext, Zone};
pub use session::{Format, Order, Parsed, Session};
pub use transport::{Accepts, Record, Shape, set_time};

use std::any::Any;

use schemas::{RejectKind, Row};

/// Why a family refuses a record, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Byte offset in [`Record::body`]; the session makes it one in the received line. Of a part of the header it is negative,
    /// wrapped around.
    pub at: usize,
    /// What is wrong there.
    pub kind: RejectKind,
}

impl From<RejectKind> for Refusal {
    #[cold]
    fn from(kind: RejectKind) -> Refusal {
        Refusal { at: 0, kind }
    }
}

/// Gives an error of [`schemas`] its place.
pub trait At<T> {
    /// The same with the byte offset in [`Record::body`] at which the trouble begins.
    ///
    /// # Errors
    /// The error itself, placed.
    fn at(self, offset: usize) -> Result<T, Refusal>;
}

impl<T> At<T> for Result<T, RejectKind> {
    #[inline]
    fn at(self, offset: usize) -> Result<T, Refusal> {
        self.map_err(|kind| Refusal { at: offset, kind })
    }
}

/// One family of logs.
pub trait Parser: Sync {
    /// Its name: that of its file, of its fixture folder and of `--format`.
    fn name(&self) -> &'static str;

    /// Other names that `--format` takes.
    fn aliases(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether it reads text lines or JSON objects. Of an envelope it gets the line inside, or the object itself.
    fn accepts(&self) -> Accepts;

    /// Whether a record looks like one of this family, by its structure alone. [`Confidence::Certain`] is for marks that no
    /// other family has; of two families that are certain the first in the list wins. `memory` is this family's.
    fn detect(&self, record: &Record<'_>, memory: &Memory) -> Option<Confidence>;

    /// Writes the record's rows. Time and host of the header have been set already ([`Record::stamp`]); a family sets
    /// what its body knows better. `memory` is empty at a source's first line.
    ///
    /// # Errors
    /// A [`Refusal`]: then none of the record's rows remains.
    fn parse(&self, record: &Record<'_>, memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal>;

    /// Whether the family refuses a record of several objects by itself, as [`json::walk`](lex::json::walk) does: then nobody looks for the second
    /// object before the first is read.
    fn sees_sequences(&self) -> bool {
        false
    }

    /// For a family with a memory: whether later lines of the source may be read by what this one says. It may be too careful,
    /// which costs order, but never too careless, which costs truth.
    fn remembers(&self) -> Option<fn(&[u8]) -> bool> {
        None
    }
}

/// What a family has to remember of a source from line to line: the `#fields` of a Zeek file, the previous line.
///
/// Only for formats that cannot be read without it; the pipeline reads such sources in order and from their beginning.
#[derive(Default)]
pub struct Memory {
    state: Option<Box<dyn Any + Send>>,
    trail: Option<Box<dyn Any + Send>>,
}

impl Memory {
    /// The family's own state, made by `Default` at the first use. A family uses one type.
    pub fn of<T: Any + Default + Send>(&mut self) -> &mut T {
        made(&mut self.state)
    }

    /// What the source's lines have looked like, by which the next is read sooner and not otherwise
    /// ([`Trail`](lex::trail::Trail)). A family uses one type.
    #[inline]
    pub fn trail<T: Any + Default + Send>(&mut self) -> &mut T {
        made(&mut self.trail)
    }

    /// The family's own state, if it was made already.
    pub fn peek<T: Any>(&self) -> Option<&T> {
        self.state.as_ref().and_then(|state| state.downcast_ref())
    }

    /// Whether the source's lines depend on earlier ones.
    pub fn is_used(&self) -> bool {
        self.state.is_some()
    }
}

#[inline]
fn made<T: Any + Default + Send>(slot: &mut Option<Box<dyn Any + Send>>) -> &mut T {
    slot.get_or_insert_with(|| Box::new(T::default())).downcast_mut().expect("a family uses one type")
}
