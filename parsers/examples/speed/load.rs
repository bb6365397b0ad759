//! What is read to measure how fast families are, and one pass over it.
//!
//! The example `speed` and the benches crate both include this file, so that they measure the same.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use parsers::{FAMILIES, Format, Session, Zone};
use schemas::{FlowBatch, Place};

/// Rows to a batch: what stays in a second-level cache. With eight times as many a row costs a seventh more.
const BATCH_ROWS: usize = 512;

/// Lines to which a fixture is repeated at least.
const FIXTURE_LINES: usize = 20_000;

/// When all lines are received: 2026-01-05 10:00:00 UTC.
const RECEIVED_US: i64 = 1_767_607_200_000_000;

/// A batch to read loads into.
pub fn batch() -> FlowBatch {
    FlowBatch::new(BATCH_ROWS)
}

/// Lines in memory and the format to read them by.
pub struct Load {
    /// What it is called: the family's name, where it is a family's fixture.
    pub name: String,
    format: Format,
    block: Arc<Vec<u8>>,
    lines: usize,
}

/// What came of one pass.
#[derive(Clone, Copy, Default)]
pub struct Read {
    /// Events; a line may hold many or none.
    pub events: usize,
    /// Lines that were refused.
    pub refused: usize,
}

impl Load {
    /// The lines of a text.
    pub fn new(name: &str, format: Format, text: Vec<u8>) -> Load {
        let lines = memchr::memchr_iter(b'\n', &text).count() + usize::from(!text.ends_with(b"\n"));
        Load { name: name.to_owned(), format, block: Arc::new(text), lines }
    }

    /// Each family over its own fixture, repeated; `parsers` is that crate's folder.
    pub fn of_families(parsers: &Path) -> impl Iterator<Item = Load> + use<> {
        let fixtures = parsers.join("fixtures");
        FAMILIES.iter().enumerate().filter_map(move |(index, family)| {
            let text = fs::read(fixtures.join(family.name()).join("lines.log")).ok()?;
            let count = text.iter().filter(|byte| **byte == b'\n').count().max(1);
            Some(Load::new(family.name(), Format::Family(index), text.repeat(FIXTURE_LINES.div_ceil(count))))
        })
    }

    /// How many lines it has.
    pub fn lines(&self) -> usize {
        self.lines
    }

    /// How many bytes, line ends included.
    pub fn bytes(&self) -> usize {
        self.block.len()
    }

    /// Reads all of it once, by a session of its own.
    pub fn read(&self, batch: &mut FlowBatch) -> Read {
        let mut session = Session::new(self.format, Zone::Utc);
        let mut read = Read::default();
        let (mut from, mut number) = (0, 0);
        while from < self.block.len() {
            batch.reset(Arc::clone(&self.block), Arc::from("file"), 0);
            // as the pipeline does: a line's end is found when its turn comes, so that it is read from memory once
            for _ in 0..BATCH_ROWS {
                let Some(rest) = self.block.get(from..).filter(|rest| !rest.is_empty()) else { break };
                let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                (from, number) = (from + end + 1, number + 1);
                let place = Place { offset: number, received_us: RECEIVED_US };
                read.refused += usize::from(session.parse_line(&rest[..end], place, batch).is_err());
            }
            read.events += batch.len();
            batch.seal();
        }
        read
    }
}
