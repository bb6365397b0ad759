//! A block of events as columns.
//!
//! ```text
//!            block (received bytes, shared)          arena (unescaped or made text, owned)
//!               ^                                        ^
//!   spans   [ (start,len) (start,len) | arena bit  ... ] one Vec a text column
//!   ips     [ 16 bytes ... ]    ports [ u16 ... ]    longs/times [ 8 bytes ... ]    bytes [ words, flags ... ]
//!   present [ one bit a field, a row ]  --seal()-->  masks [ one bit a row, a field ]
//! ```
//!
//! Columns are dense and reused: a row writes only what it has and its presence bits, so that nothing is cleared
//! between batches and an absent value costs nothing. While rows are written, presence lies row by row (one place to
//! write to); [`FlowBatch::seal`] turns it into one mask a field, which is what the scan and the Arrow conversion need.
//! The alternative, writing masks column by column from the parser, touches a cache line for each value set.

use std::sync::Arc;

use crate::columns::{Columns, TEXTS};
use crate::fields::{FIELD_COUNT, Field, key};
use crate::followers::Followers;
use crate::kinds::{Ip, Key, Kind};
use crate::mask::Mask;
use crate::row::Row;
use crate::words::TimeSource;

pub(crate) const PRESENCE_WORDS: usize = 3;
pub(crate) type Presence = [u64; PRESENCE_WORDS];

/// A text of a batch: where it begins in the block or the arena, and its length in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    start: u32,
    len: u32,
}

const ARENA: u32 = 1 << 31;
/// Longest block and arena: offsets are 31 bits.
pub(crate) const BLOCK_MAX: usize = ARENA as usize - 1;

impl Span {
    pub(crate) fn block(start: usize, len: usize) -> Span {
        Span { start: start as u32, len: len as u32 }
    }
    pub(crate) fn arena(start: usize, len: usize) -> Span {
        Span { start: start as u32 | ARENA, len: len as u32 }
    }
    pub(crate) fn end_in_arena(self) -> usize {
        if self.start & ARENA == 0 { 0 } else { (self.start & !ARENA) as usize + self.len() }
    }
    /// For small memo tables: equal spans have equal hashes, and its low bits are mixed.
    #[inline]
    pub fn hash(self) -> usize {
        let mixed = (u64::from(self.start) << 32 | u64::from(self.len)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 40) as usize
    }
    /// Length in bytes.
    pub fn len(self) -> usize {
        self.len as usize
    }
    /// Whether it has no bytes.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }
    /// A part of it: `len` bytes from its byte `from` on. Texts that go together are kept in one piece and cut so.
    #[inline]
    pub fn part(self, from: usize, len: usize) -> Span {
        assert!(from + len <= self.len as usize, "a part lies inside");
        Span { start: self.start + from as u32, len: len as u32 }
    }
}

/// What a log says of its own origin, for a rule's `logsource`. One static value a stream of a family.
#[derive(Debug, PartialEq, Eq)]
pub struct LogSource {
    /// Family that parses it.
    pub family: &'static str,
    /// Vendor, as people write it.
    pub vendor: &'static str,
    /// Product, as people write it.
    pub product: &'static str,
    /// The stream inside the product.
    pub dataset: &'static str,
    /// Sigma categories that it belongs to: `firewall`, `network_connection`, `authentication`.
    pub categories: &'static [&'static str],
    /// Sigma products that it belongs to: `windows`, `fortigate`.
    pub products: &'static [&'static str],
    /// Sigma services that it belongs to: `security`, `sshd`, `traffic`.
    pub services: &'static [&'static str],
}

/// Where a record lies in its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Kafka offset, or line number from 1.
    pub offset: u64,
    /// When it was received, microseconds UTC.
    pub received_us: i64,
}

/// A vendor field that has no column.
#[derive(Clone, Copy, Debug)]
pub struct Extra<'b> {
    /// Its name, as the vendor writes it.
    pub name: &'b [u8],
    /// Its text.
    pub value: &'b [u8],
}

pub(crate) struct SourceEntry {
    pub(crate) source: &'static LogSource,
    /// family, vendor, product, dataset
    pub(crate) names: [Span; 4],
}

/// A block of rows from one place (a file, or a partition of a topic), as columns.
pub struct FlowBatch {
    pub(crate) block: Arc<Vec<u8>>,
    pub(crate) arena: Vec<u8>,
    pub(crate) columns: Columns,
    pub(crate) capacity: usize,
    pub(crate) rows: usize,
    pub(crate) present: Vec<Presence>,
    pub(crate) offsets: Vec<u64>,
    pub(crate) subs: Vec<u16>,
    pub(crate) followers: Followers,
    pub(crate) lines: Vec<Span>,
    pub(crate) log_sources: Vec<u16>,
    pub(crate) sources: Vec<SourceEntry>,
    /// Places in `sources` by address, as far as they are known.
    pub(crate) source_slots: [u16; SOURCE_SLOTS],
    pub(crate) extras: Vec<(Span, Span)>,
    pub(crate) extras_end: Vec<u32>,
    pub(crate) fixed: Vec<(usize, Span)>,
    masks: Vec<Mask>,
    correlation_us: Vec<i64>,
    pub(crate) plausible: Plausible,
    sealed: bool,
    source: Arc<str>,
    partition: i32,
}

/// Which times of a device are believed. An event outside keeps its time, is flagged and is correlated by `received`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plausible {
    /// The earliest time, microseconds UTC. By default 1980: a clock that was never set says 1970.
    pub earliest_us: i64,
    /// How far ahead of `received` a clock may run, microseconds. By default a day, which covers a wrong zone.
    pub ahead_us: i64,
}

impl Default for Plausible {
    fn default() -> Plausible {
        Plausible { earliest_us: 315_532_800_000_000, ahead_us: 86_400_000_000 }
    }
}

/// Slots of the memo for log sources.
pub(crate) const SOURCE_SLOTS: usize = 64;

/// Slots of the memo for static texts: a power of two, a few times the number of names that families use.
const FIXED_SLOTS: usize = 256;

impl FlowBatch {
    /// An empty batch with room for `capacity` rows; it grows if a record holds more events than are left.
    pub fn new(capacity: usize) -> FlowBatch {
        FlowBatch {
            block: Arc::new(Vec::new()),
            arena: Vec::new(),
            columns: Columns::new(capacity),
            capacity,
            rows: 0,
            present: vec![[0; PRESENCE_WORDS]; capacity],
            offsets: vec![0; capacity],
            subs: vec![0; capacity],
            followers: Followers::default(),
            lines: vec![Span::default(); capacity],
            log_sources: vec![0; capacity],
            sources: Vec::new(),
            source_slots: [0; SOURCE_SLOTS],
            extras: Vec::new(),
            extras_end: vec![0; capacity],
            fixed: vec![(0, Span::default()); FIXED_SLOTS],
            masks: vec![Mask::default(); FIELD_COUNT],
            correlation_us: Vec::new(),
            plausible: Plausible::default(),
            sealed: false,
            source: Arc::from(""),
            partition: 0,
        }
    }

    /// Empties it for the rows of another block, keeping its memory.
    ///
    /// `block` holds the received bytes that the rows' texts will point into, at most 2 GiB; `source` is the topic's or
    /// file's name and `partition` the topic's partition (0 for a file).
    pub fn reset(&mut self, block: Arc<Vec<u8>>, source: Arc<str>, partition: i32) {
        assert!(block.len() <= BLOCK_MAX, "a block is at most 2 GiB");
        self.block = block;
        self.source = source;
        self.partition = partition;
        self.arena.clear();
        self.rows = 0;
        self.followers.clear();
        self.sources.clear();
        self.extras.clear();
        self.fixed.iter_mut().for_each(|entry| entry.0 = 0);
        self.sealed = false;
    }

    /// Says which times are believed from here on.
    pub fn set_plausible(&mut self, plausible: Plausible) {
        self.plausible = plausible;
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Rows that fit before it has to grow.
    pub fn room(&self) -> usize {
        self.capacity - self.rows
    }

    /// Bytes of its own that it holds for its rows beside their columns: copied and made texts, and the places of extras. What a
    /// record makes of this is bounded by its length.
    pub fn kept_bytes(&self) -> usize {
        self.arena.len() + self.extras.len() * size_of::<(Span, Span)>()
    }

    /// The received bytes.
    pub fn block(&self) -> &Arc<Vec<u8>> {
        &self.block
    }

    /// Begins the rows of one record. `line` is the record as received and must lie inside the block.
    #[inline(always)]
    pub fn begin(&mut self, place: Place, line: &[u8]) -> Row<'_> {
        debug_assert!(!self.sealed, "a sealed batch takes no rows");
        Row::begin(self, place, line)
    }

    /// Bytes of all texts of a row, extras and their names among them.
    pub(crate) fn text_bytes(&self, row: usize) -> usize {
        let mut bytes = 0;
        for (at, word) in self.present[row].iter().enumerate() {
            let mut rest = word & TEXTS[at];
            while rest != 0 {
                let field = Field::ALL[at * 64 + rest.trailing_zeros() as usize];
                rest &= rest - 1;
                bytes += self.columns.spans[field.slot()][row].len();
            }
        }
        let extras = &self.extras[self.extras_from(row)..self.extras_end[row] as usize];
        extras.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() + bytes
    }

    /// Where the extras of a row begin.
    pub(crate) fn extras_from(&self, row: usize) -> usize {
        if row == 0 { 0 } else { self.extras_end[row - 1] as usize }
    }

    pub(crate) fn reserve_row(&mut self) {
        if self.rows >= self.capacity {
            self.grow();
        }
    }

    #[cold]
    fn grow(&mut self) {
        self.capacity = (self.capacity * 2).max(64);
        self.columns.grow(self.capacity);
        self.present.resize(self.capacity, [0; PRESENCE_WORDS]);
        self.offsets.resize(self.capacity, 0);
        self.subs.resize(self.capacity, 0);
        self.lines.resize(self.capacity, Span::default());
        self.log_sources.resize(self.capacity, 0);
        self.extras_end.resize(self.capacity, 0);
    }

    // ---- reading

    /// Topic or file that the rows come from.
    pub fn source(&self) -> &Arc<str> {
        &self.source
    }

    /// Partition of the topic; 0 for a file.
    pub fn partition(&self) -> i32 {
        self.partition
    }

    /// Offset or line number of each row's record.
    pub fn offsets(&self) -> &[u64] {
        &self.offsets[..self.rows]
    }

    /// Each row's number at its offset, 0 unless that holds several events: with source, partition and offset it is the event's place.
    pub fn subs(&self) -> &[u16] {
        &self.subs[..self.rows]
    }

    /// The record that a row was made from, as it was received.
    pub fn raw(&self, row: usize) -> &[u8] {
        self.text_of(self.lines[..self.rows][row])
    }

    /// The log source of a row. `None` if its family has set none.
    #[inline]
    pub fn log_source(&self, row: usize) -> Option<&'static LogSource> {
        self.sources.get(usize::from(self.log_sources[row]).wrapping_sub(1)).map(|entry| entry.source)
    }

    /// The distinct log sources of the batch; [`FlowBatch::log_source_ids`] points into it, from 1.
    pub fn log_sources(&self) -> impl ExactSizeIterator<Item = &'static LogSource> + '_ {
        self.sources.iter().map(|entry| entry.source)
    }

    /// For each row 0 for no log source, else 1 + its place in [`FlowBatch::log_sources`].
    pub fn log_source_ids(&self) -> &[u16] {
        &self.log_sources[..self.rows]
    }

    /// Whether a row has a field.
    #[inline]
    pub fn has(&self, row: usize, field: Field) -> bool {
        self.present[row][field.index() >> 6] >> (field.index() & 63) & 1 == 1
    }

    /// The fields that a row has, in the table's order.
    pub fn fields(&self, row: usize) -> impl Iterator<Item = Field> + '_ {
        self.present[row].iter().enumerate().flat_map(|(part, bits)| {
            let mut rest = *bits;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
                rest &= rest - 1;
                Some(Field::ALL[part * 64 + bit])
            })
        })
    }

    /// A row's value; for text see [`FlowBatch::text`].
    #[inline]
    pub fn get<K: Kind>(&self, row: usize, key: Key<K>) -> Option<K::Value> {
        debug_assert!(row < self.rows);
        self.has(row, key.field).then(|| K::load(K::columns(&self.columns)[key.slot][row]))
    }

    /// A column as it is stored: one value a row, meaningful only where the row has the field.
    #[inline]
    pub fn column<K: Kind>(&self, key: Key<K>) -> &[K::Stored] {
        &K::columns(&self.columns)[key.slot][..self.rows]
    }

    /// A row's text. `key` is of a text or list field.
    #[inline]
    pub fn text<K: Kind<Stored = Span>>(&self, row: usize, key: Key<K>) -> Option<&[u8]> {
        self.has(row, key.field).then(|| self.text_of(self.columns.spans[key.slot][row]))
    }

    /// The bytes of a span of this batch.
    #[inline]
    pub fn text_of(&self, span: Span) -> &[u8] {
        let (bytes, start) = if span.start & ARENA == 0 {
            (self.block.as_slice(), span.start)
        } else {
            (self.arena.as_slice(), span.start & !ARENA)
        };
        &bytes[start as usize..start as usize + span.len as usize]
    }

    /// A column whose field is known only at run time.
    pub fn any_column(&self, field: Field) -> Column<'_> {
        let slot = field.slot();
        match field.field_type() {
            crate::FieldType::Time => Column::Time(&self.columns.times[slot][..self.rows]),
            crate::FieldType::Long => Column::Long(&self.columns.longs[slot][..self.rows]),
            crate::FieldType::Ip => Column::Ip(&self.columns.ips[slot][..self.rows]),
            crate::FieldType::Port => Column::Port(&self.columns.ports[slot][..self.rows]),
            crate::FieldType::Percent => Column::Percent(&self.columns.bytes[slot][..self.rows]),
            crate::FieldType::Word(words) => Column::Word(&self.columns.bytes[slot][..self.rows], words),
            crate::FieldType::Text => {
                Column::Text(TextColumn { batch: self, spans: &self.columns.spans[slot][..self.rows] })
            }
            crate::FieldType::List => {
                Column::List(TextColumn { batch: self, spans: &self.columns.spans[slot][..self.rows] })
            }
        }
    }

    /// A row's vendor fields without a column, in the order of the line.
    pub fn extras(&self, row: usize) -> impl ExactSizeIterator<Item = Extra<'_>> + '_ {
        self.extras[self.extras_from(row)..self.extras_end[row] as usize]
            .iter()
            .map(|(name, value)| Extra { name: self.text_of(*name), value: self.text_of(*value) })
    }

    /// The first vendor field of that name, compared without ASCII case.
    pub fn extra(&self, row: usize, name: &[u8]) -> Option<&[u8]> {
        self.extras(row).find(|extra| extra.name.eq_ignore_ascii_case(name)).map(|extra| extra.value)
    }

    // ---- enriching

    /// Sets a row's value.
    #[inline]
    pub fn set<K: Kind>(&mut self, row: usize, key: Key<K>, value: K::Value) {
        debug_assert!(row < self.rows && !self.sealed);
        K::columns_mut(&mut self.columns)[key.slot][row] = K::store(value);
        self.present[row][key.field.index() >> 6] |= 1 << (key.field.index() & 63);
    }

    /// Keeps a text in the batch, to be set in any number of rows.
    pub fn keep(&mut self, text: &[u8]) -> Span {
        assert!(self.arena.len() + text.len() <= BLOCK_MAX, "a batch's arena is at most 2 GiB");
        let start = self.arena.len();
        self.arena.extend_from_slice(text);
        Span::arena(start, text.len())
    }

    /// The same, as much of it as there is room for.
    pub(crate) fn keep_some(&mut self, text: &[u8]) -> Span {
        let room = BLOCK_MAX - self.arena.len();
        self.keep(&text[..text.len().min(room)])
    }

    /// Keeps a static text; the same text is kept only once a batch.
    #[inline]
    pub fn keep_fixed(&mut self, text: &'static str) -> Span {
        let at = text.as_ptr() as usize;
        let slot = (at >> 2 ^ at >> 10 ^ text.len()) & (FIXED_SLOTS - 1);
        let (known, span) = self.fixed[slot];
        if known == at && span.len() == text.len() {
            return span;
        }
        let span = self.keep(text.as_bytes());
        self.fixed[slot] = (at, span);
        span
    }

    // ---- sealing

    /// Ends the writing: makes one mask a field. Rows can be read column by column from here on.
    pub fn seal(&mut self) {
        for mask in &mut self.masks {
            mask.reset(self.rows);
        }
        for (word_at, rows) in self.present[..self.rows].chunks(64).enumerate() {
            for part in 0..PRESENCE_WORDS {
                let mut square = [0u64; 64];
                let mut any = 0;
                for (bits, row) in square.iter_mut().zip(rows) {
                    *bits = row[part];
                    any |= row[part];
                }
                if any == 0 {
                    continue;
                }
                transpose(&mut square);
                let first = part * 64;
                for (mask, bits) in self.masks[first.min(FIELD_COUNT)..].iter_mut().take(64).zip(square) {
                    mask.words_mut()[word_at] = bits;
                }
            }
        }
        self.sealed = true;
        self.correlation_us.clear();
        let implausible = &self.masks[Field::TimeSource.index()];
        if !implausible.is_empty() {
            let mut times = std::mem::take(&mut self.correlation_us);
            times.extend_from_slice(self.column(key::TIME));
            for row in self.masks[Field::TimeSource.index()].iter() {
                if self.get(row, key::TIME_SOURCE) == Some(TimeSource::Implausible) {
                    times[row] = self.column(key::RECEIVED)[row];
                }
            }
            self.correlation_us = times;
        }
    }

    /// The time by which each row is correlated: its own, or `received` where its own is implausible. Only after
    /// [`FlowBatch::seal`].
    pub fn correlation_times(&self) -> &[i64] {
        assert!(self.sealed, "correlation times exist once the batch is sealed");
        if self.correlation_us.is_empty() { self.column(key::TIME) } else { &self.correlation_us }
    }

    /// The rows that have a field. Only after [`FlowBatch::seal`].
    pub fn mask(&self, field: Field) -> &Mask {
        assert!(self.sealed, "masks exist once the batch is sealed");
        &self.masks[field.index()]
    }

    /// Whether [`FlowBatch::seal`] has been called since the last reset.
    pub fn is_sealed(&self) -> bool {
        self.sealed
    }
}

/// A column whose field is known only at run time; values count only where the row has the field.
pub enum Column<'b> {
    /// Microseconds UTC.
    Time(&'b [i64]),
    /// Counters.
    Long(&'b [u64]),
    /// Addresses.
    Ip(&'b [Ip]),
    /// Ports.
    Port(&'b [u16]),
    /// Percentages.
    Percent(&'b [u8]),
    /// Words: the byte indexes the texts.
    Word(&'b [u8], &'static [&'static str]),
    /// Texts.
    Text(TextColumn<'b>),
    /// Lists of texts, separated by line feeds.
    List(TextColumn<'b>),
}

/// A column of texts.
#[derive(Clone, Copy)]
pub struct TextColumn<'b> {
    batch: &'b FlowBatch,
    spans: &'b [Span],
}

impl<'b> TextColumn<'b> {
    /// The text of a row; meaningful only where the row has the field.
    #[inline]
    pub fn get(&self, row: usize) -> &'b [u8] {
        self.batch.text_of(self.spans[row])
    }

    /// The span of a row. Equal spans are equal texts; unequal ones may be equal, too.
    #[inline]
    pub fn span(&self, row: usize) -> Span {
        self.spans[row]
    }
}

/// Turns a square of 64 x 64 bits: bit c of word r becomes bit r of word c. Source: Warren, Hacker's Delight, section 7-3.
fn transpose(square: &mut [u64; 64]) {
    let (mut width, mut low) = (32usize, 0x0000_0000_ffff_ffff_u64);
    while width != 0 {
        let mut at = 0;
        while at < 64 {
            let swap = (square[at] >> width ^ square[at + width]) & low;
            square[at] ^= swap << width;
            square[at + width] ^= swap;
            at = (at + width + 1) & !width;
        }
        width >>= 1;
        low ^= low << width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_transposed_square_has_row_and_column_exchanged(words in proptest::collection::vec(0u64.., 64)) {
            let mut square: [u64; 64] = words.clone().try_into().expect("64 words");
            transpose(&mut square);
            for (r, word) in words.iter().enumerate() {
                for (c, turned) in square.iter().enumerate() {
                    proptest::prop_assert_eq!(word >> c & 1, turned >> r & 1);
                }
            }
        }
    }
}
