//! What the scan hands to the correlator: a matched event, reduced to what correlating it needs.
//!
//! A [`HitBatch`] is one vector of fixed-size rows beside one arena of bytes, not a `Vec<Hit>` of boxed parts: a
//! mixed load makes 400,000 hits of a million rows, and each box would be an allocation on that path. Rows are kept
//! whole, not one vector a column, because the correlator visits them in the order of keys and then reads all of a row.
//!
//! Keys and values travel as *canonical bytes*: equal values have equal bytes, whichever log they came from, so that
//! grouping and counting are comparisons of bytes and no stage needs to know a type. The bytes say their own type and
//! length, so that an alert can print them again ([`ValueRef::read`]).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::fmt;
use std::sync::Arc;

mod codec;

pub use codec::DamagedHits;

/// Longest text (in bytes) that a canonical value holds. A longer one becomes its head and a hash of the whole, so
/// that different texts stay different and no event can make the state large with one long user name.
pub const TEXT_MAX: usize = 256;

/// Largest number of detection rules in one tree: [`HitParts::leaves`] has one bit for each.
pub const LEAVES_MAX: usize = 64;

/// One value, borrowed, as the canonical bytes have it.
///
/// The producer brings a value into the one form that all logs share before it writes it: addresses as `V4` where
/// they are v4-mapped, whole numbers as `Uint` unless negative, user and host names folded to lower case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRef<'a> {
    /// The event has no such field. Only in the context of a hit; a key or slot with an absent part is left out whole.
    Absent,
    /// An IPv4 address.
    V4([u8; 4]),
    /// An IPv6 address that is not v4-mapped.
    V6([u8; 16]),
    /// A whole number that is not negative: ports, counters, identifiers.
    Uint(u64),
    /// A negative whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text; usually UTF-8, never required to be.
    Text(&'a [u8]),
    /// A truth value.
    Bool(bool),
}

const TAG_ABSENT: u8 = 0;
const TAG_V4: u8 = 1;
const TAG_V6: u8 = 2;
const TAG_UINT: u8 = 3;
const TAG_INT: u8 = 4;
const TAG_FLOAT: u8 = 5;
const TAG_TEXT: u8 = 6;
const TAG_FALSE: u8 = 7;
const TAG_TRUE: u8 = 8;

impl<'a> ValueRef<'a> {
    /// The value of an address; a v4-mapped IPv6 address becomes the IPv4 address that it means.
    pub fn address(address: IpAddr) -> ValueRef<'static> {
        match address.to_canonical() {
            IpAddr::V4(v4) => ValueRef::V4(v4.octets()),
            IpAddr::V6(v6) => ValueRef::V6(v6.octets()),
        }
    }

    /// The value of a whole number: `Uint` where it is not negative, so that one number has one form.
    pub fn integer(number: i64) -> ValueRef<'static> {
        match u64::try_from(number) {
            Ok(number) => ValueRef::Uint(number),
            Err(_) => ValueRef::Int(number),
        }
    }

    /// Appends the canonical bytes: a tag, then the value (numbers big-endian, text after its length as `u16`).
    pub fn write(self, out: &mut Vec<u8>) {
        match self {
            ValueRef::Absent => out.push(TAG_ABSENT),
            ValueRef::V4(octets) => {
                out.push(TAG_V4);
                out.extend_from_slice(&octets);
            }
            ValueRef::V6(octets) => {
                out.push(TAG_V6);
                out.extend_from_slice(&octets);
            }
            ValueRef::Uint(number) => {
                out.push(TAG_UINT);
                out.extend_from_slice(&number.to_be_bytes());
            }
            ValueRef::Int(number) => {
                out.push(TAG_INT);
                out.extend_from_slice(&number.to_be_bytes());
            }
            ValueRef::Float(number) => {
                out.push(TAG_FLOAT);
                out.extend_from_slice(&number.to_bits().to_be_bytes());
            }
            ValueRef::Text(text) => write_text(text, out),
            ValueRef::Bool(false) => out.push(TAG_FALSE),
            ValueRef::Bool(true) => out.push(TAG_TRUE),
        }
    }

    /// Takes the first value off `bytes`. `None` at the end, or where the bytes are not canonical values (the rest is
    /// then worthless; `bytes` is left empty so that a loop over values always ends).
    pub fn read(bytes: &mut &'a [u8]) -> Option<ValueRef<'a>> {
        let value = read_value(bytes);
        if value.is_none() {
            *bytes = &[];
        }
        value
    }
}

fn write_text(text: &[u8], out: &mut Vec<u8>) {
    out.push(TAG_TEXT);
    if text.len() <= TEXT_MAX {
        out.extend_from_slice(&(text.len() as u16).to_be_bytes());
        out.extend_from_slice(text);
        return;
    }
    // Head, a mark, and 16 hex digits; the head may end inside a character, which printing survives.
    let head = &text[..TEXT_MAX - 17];
    let hash = content_hash(text);
    out.extend_from_slice(&(TEXT_MAX as u16).to_be_bytes());
    out.extend_from_slice(head);
    out.push(b'~');
    for shift in (0..16).rev() {
        out.push(b"0123456789abcdef"[(hash >> (shift * 4)) as usize & 15]);
    }
}

fn read_value<'a>(bytes: &mut &'a [u8]) -> Option<ValueRef<'a>> {
    let (&tag, rest) = bytes.split_first()?;
    let (value, rest) = match tag {
        TAG_ABSENT => (ValueRef::Absent, rest),
        TAG_V4 => {
            let (octets, rest) = rest.split_first_chunk::<4>()?;
            (ValueRef::V4(*octets), rest)
        }
        TAG_V6 => {
            let (octets, rest) = rest.split_first_chunk::<16>()?;
            (ValueRef::V6(*octets), rest)
        }
        TAG_UINT => {
            let (number, rest) = rest.split_first_chunk::<8>()?;
            (ValueRef::Uint(u64::from_be_bytes(*number)), rest)
        }
        TAG_INT => {
            let (number, rest) = rest.split_first_chunk::<8>()?;
            (ValueRef::Int(i64::from_be_bytes(*number)), rest)
        }
        TAG_FLOAT => {
            let (number, rest) = rest.split_first_chunk::<8>()?;
            (ValueRef::Float(f64::from_bits(u64::from_be_bytes(*number))), rest)
        }
        TAG_TEXT => {
            let (len, rest) = rest.split_first_chunk::<2>()?;
            let (text, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
            (ValueRef::Text(text), rest)
        }
        TAG_FALSE => (ValueRef::Bool(false), rest),
        TAG_TRUE => (ValueRef::Bool(true), rest),
        _ => return None,
    };
    *bytes = rest;
    Some(value)
}

/// As a person reads it: an address in its canonical text, text with control characters escaped (an alert may be
/// printed on a terminal), an absent value as `-`.
impl fmt::Display for ValueRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValueRef::Absent => f.write_str("-"),
            ValueRef::V4(octets) => Ipv4Addr::from(*octets).fmt(f),
            ValueRef::V6(octets) => Ipv6Addr::from(*octets).fmt(f),
            ValueRef::Uint(number) => number.fmt(f),
            ValueRef::Int(number) => number.fmt(f),
            ValueRef::Float(number) => number.fmt(f),
            ValueRef::Text(text) => {
                for character in String::from_utf8_lossy(text).chars() {
                    if character.is_control() {
                        write!(f, "{}", character.escape_unicode())?;
                    } else {
                        fmt::Write::write_char(f, character)?;
                    }
                }
                Ok(())
            }
            ValueRef::Bool(truth) => truth.fmt(f),
        }
    }
}

/// All values in `bytes`, in order. Ends early at damage.
pub fn values(mut bytes: &[u8]) -> impl Iterator<Item = ValueRef<'_>> {
    std::iter::from_fn(move || ValueRef::read(&mut bytes))
}

/// Appends one part (a slot or an inner key) to a list of parts: its length as `u16`, then its canonical bytes.
///
/// A part of length 0 says that the event lacks one of the fields; the node that wants it does not count the event.
/// A part too long for its length (more than 65,535 bytes: some 250 long texts) is written as missing, too.
pub fn write_part(part: &[u8], out: &mut Vec<u8>) {
    match u16::try_from(part.len()) {
        Ok(len) => {
            out.extend_from_slice(&len.to_be_bytes());
            out.extend_from_slice(part);
        }
        Err(_) => out.extend_from_slice(&[0, 0]),
    }
}

/// Part number `index` of a list of parts; empty where it is missing.
pub fn part(mut parts: &[u8], index: usize) -> &[u8] {
    let mut left = index;
    while let Some((len, rest)) = parts.split_first_chunk::<2>() {
        let Some((found, rest)) = rest.split_at_checked(usize::from(u16::from_be_bytes(*len))) else {
            return &[];
        };
        if left == 0 {
            return found;
        }
        left -= 1;
        parts = rest;
    }
    &[]
}

/// A 64-bit hash of bytes that is the same in every build, process and machine. It is a tie-breaker and a table hash,
/// not a signature: who wants a collision finds one, and then two equal-looking events may swap places in a sample.
///
/// ```
/// assert_eq!(rules::hit::content_hash(b""), rules::hit::content_hash(b""));
/// assert_ne!(rules::hit::content_hash(b"a"), rules::hit::content_hash(b"a\0"));
/// ```
pub fn content_hash(bytes: &[u8]) -> u64 {
    // Folded multiplication of 16 bytes at a time, as wyhash does it; own code, because the value is stored in
    // snapshots and hits and so must never change with a dependency's version.
    fn fold(a: u64, b: u64) -> u64 {
        let product = u128::from(a) * u128::from(b);
        (product as u64) ^ ((product >> 64) as u64)
    }
    fn word(bytes: &[u8; 8]) -> u64 {
        u64::from_le_bytes(*bytes)
    }
    const A: u64 = 0xa076_1d64_78bd_642f;
    const B: u64 = 0xe703_7ed1_a0b4_28db;
    let mut state = A ^ bytes.len() as u64;
    let mut rest = bytes;
    while let Some((chunk, after)) = rest.split_first_chunk::<16>() {
        let (low, high) = chunk.split_at(8);
        let low = low.try_into().map(|low| word(&low)).unwrap_or(0);
        let high = high.try_into().map(|high| word(&high)).unwrap_or(0);
        state = fold(low ^ B, high ^ state);
        rest = after;
    }
    let mut tail = [0u8; 16];
    tail[..rest.len()].copy_from_slice(rest);
    let low = tail[..8].try_into().map(|low| word(&low)).unwrap_or(0);
    let high = tail[8..].try_into().map(|high| word(&high)).unwrap_or(0);
    fold(fold(low ^ B, high ^ state), A)
}

/// Where an event came from: the place of its raw record, and which of that record's events it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventId {
    /// Index into the sources of the batch ([`HitBatch::source`]): a topic or a file.
    pub source: u16,
    /// Kafka partition; 0 for files.
    pub partition: i32,
    /// Offset in the partition, or the line number (from 1) in a file.
    pub offset: u64,
    /// Number (from 0) of the event within its record; most records hold one.
    pub sub: u16,
}

/// One hit as the scan hands it over; all bytes are copied into the batch's arena.
#[derive(Clone, Copy, Debug)]
pub struct HitParts<'a> {
    /// Index of the tree in [`crate::plan::Plan::trees`].
    pub tree: u32,
    /// Bit i is set if detection rule i of [`crate::plan::Tree::leaves`] matched. Leaves that would give different keys, inner
    /// keys or slots (aliases) make hits of their own, with the same `event`.
    pub leaves: u64,
    /// Event time in microseconds since the Unix epoch, UTC.
    pub time_us: i64,
    /// Provenance.
    pub event: EventId,
    /// [`content_hash`] of the raw record, plus the event's number in it: puts simultaneous events in an order that does not depend on where they were read.
    pub content: u64,
    /// Canonical values of [`crate::plan::Tree::group_by`], in its order, none absent (an event that lacks one makes no hit).
    pub key: &'a [u8],
    /// One part ([`write_part`]) for each of [`crate::plan::Tree::slots`].
    pub slots: &'a [u8],
    /// One part ([`write_part`]) for each of [`crate::plan::Tree::inner_keys`].
    pub inner: &'a [u8],
    /// Canonical values of [`crate::plan::Tree::context`], in its order, absent ones as [`ValueRef::Absent`]. May be empty: nothing to tell.
    pub context: &'a [u8],
    /// A bounded sample of the raw record for the alert's evidence; `None` where the raw record can be fetched later by its provenance.
    pub raw: Option<&'a [u8]>,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    tree: u32,
    source: u16,
    sub: u16,
    leaves: u64,
    time_us: i64,
    offset: u64,
    content: u64,
    key_hash: u64,
    partition: i32,
    at: u32,
    key_len: u32,
    slots_len: u32,
    inner_len: u32,
    context_len: u32,
    raw_len: u32,
}

const NO_RAW: u32 = u32::MAX;

/// Hits of one or more scanned batches, in any order.
#[derive(Clone, Debug, Default)]
pub struct HitBatch {
    sources: Vec<Arc<str>>,
    rows: Vec<Row>,
    arena: Vec<u8>,
}

/// The batch has no room for another hit: 4 GiB of bytes or 65,535 sources. Send it on and start a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchFull;

impl fmt::Display for BatchFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the batch of hits is full; start another one")
    }
}

impl std::error::Error for BatchFull {}

impl HitBatch {
    /// An empty batch.
    pub fn new() -> HitBatch {
        HitBatch::default()
    }

    /// Index of a source name, for [`EventId::source`]; adds it where it is new.
    ///
    /// # Errors
    /// [`BatchFull`] at 65,535 sources.
    pub fn source_index(&mut self, name: &Arc<str>) -> Result<u16, BatchFull> {
        // From the back: a batch usually has one source, and the one in use is the newest.
        if let Some(index) = self.sources.iter().rposition(|known| known == name) {
            return Ok(index as u16);
        }
        if self.sources.len() >= usize::from(u16::MAX) {
            return Err(BatchFull);
        }
        self.sources.push(Arc::clone(name));
        Ok((self.sources.len() - 1) as u16)
    }

    /// Copies a hit into the batch.
    ///
    /// # Errors
    /// [`BatchFull`] where the arena would pass 4 GiB; the batch is unchanged.
    pub fn push(&mut self, hit: HitParts<'_>) -> Result<(), BatchFull> {
        let raw = hit.raw.unwrap_or(&[]);
        let grown =
            self.arena.len() + hit.key.len() + hit.slots.len() + hit.inner.len() + hit.context.len() + raw.len();
        if grown >= u32::MAX as usize {
            return Err(BatchFull);
        }
        self.rows.push(Row {
            tree: hit.tree,
            source: hit.event.source,
            sub: hit.event.sub,
            leaves: hit.leaves,
            time_us: hit.time_us,
            offset: hit.event.offset,
            content: hit.content,
            key_hash: content_hash(hit.key) ^ u64::from(hit.tree).wrapping_mul(0x9e37_79b9_7f4a_7c15),
            partition: hit.event.partition,
            at: self.arena.len() as u32,
            key_len: hit.key.len() as u32,
            slots_len: hit.slots.len() as u32,
            inner_len: hit.inner.len() as u32,
            context_len: hit.context.len() as u32,
            raw_len: hit.raw.map_or(NO_RAW, |raw| raw.len() as u32),
        });
        self.arena.extend_from_slice(hit.key);
        self.arena.extend_from_slice(hit.slots);
        self.arena.extend_from_slice(hit.inner);
        self.arena.extend_from_slice(hit.context);
        self.arena.extend_from_slice(raw);
        Ok(())
    }

    /// Number of hits.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no hit.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Forgets all hits and sources, keeps the memory.
    pub fn clear(&mut self) {
        self.sources.clear();
        self.rows.clear();
        self.arena.clear();
    }

    /// Bytes of memory that the hits use.
    pub fn size_bytes(&self) -> usize {
        self.rows.len() * size_of::<Row>() + self.arena.len()
    }

    /// Name of a source.
    pub fn source(&self, index: u16) -> Option<&Arc<str>> {
        self.sources.get(usize::from(index))
    }

    /// Names of all sources, by their index.
    pub fn sources(&self) -> &[Arc<str>] {
        &self.sources
    }

    /// Hit number `index`; panics where there is none, as a slice does.
    pub fn get(&self, index: usize) -> HitRef<'_> {
        HitRef { batch: self, row: &self.rows[index] }
    }

    /// All hits, in the order in which they were pushed.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = HitRef<'_>> {
        self.rows.iter().map(|row| HitRef { batch: self, row })
    }

    /// Event time of hit number `index`, without touching the arena.
    pub fn time_us(&self, index: usize) -> i64 {
        self.rows[index].time_us
    }
}

/// A hit in its batch.
#[derive(Clone, Copy, Debug)]
pub struct HitRef<'a> {
    batch: &'a HitBatch,
    row: &'a Row,
}

impl<'a> HitRef<'a> {
    fn bytes(&self, skip: u32, len: u32) -> &'a [u8] {
        let start = self.row.at as usize + skip as usize;
        &self.batch.arena[start..start + len as usize]
    }

    /// Index of the tree.
    pub fn tree(&self) -> u32 {
        self.row.tree
    }

    /// Bit set of the detection rules that matched.
    pub fn leaves(&self) -> u64 {
        self.row.leaves
    }

    /// Event time in microseconds.
    pub fn time_us(&self) -> i64 {
        self.row.time_us
    }

    /// Provenance; the source index is the batch's.
    pub fn event(&self) -> EventId {
        EventId { source: self.row.source, partition: self.row.partition, offset: self.row.offset, sub: self.row.sub }
    }

    /// Name of the source; empty where the batch was built with an index that it does not have.
    pub fn source(&self) -> &'a str {
        self.batch.source(self.row.source).map_or("", |name| name)
    }

    /// See [`HitParts::content`].
    pub fn content(&self) -> u64 {
        self.row.content
    }

    /// Hash of tree and key, the same in every process: what hits are partitioned and grouped by.
    pub fn key_hash(&self) -> u64 {
        self.row.key_hash
    }

    /// Canonical bytes of the group key.
    pub fn key(&self) -> &'a [u8] {
        self.bytes(0, self.row.key_len)
    }

    /// List of the slots' parts; see [`part`].
    pub fn slots(&self) -> &'a [u8] {
        self.bytes(self.row.key_len, self.row.slots_len)
    }

    /// List of the inner keys' parts; see [`part`].
    pub fn inner(&self) -> &'a [u8] {
        self.bytes(self.row.key_len + self.row.slots_len, self.row.inner_len)
    }

    /// Canonical values of the tree's context fields.
    pub fn context(&self) -> &'a [u8] {
        self.bytes(self.row.key_len + self.row.slots_len + self.row.inner_len, self.row.context_len)
    }

    /// Sample of the raw record.
    pub fn raw(&self) -> Option<&'a [u8]> {
        let skip = self.row.key_len + self.row.slots_len + self.row.inner_len + self.row.context_len;
        (self.row.raw_len != NO_RAW).then(|| self.bytes(skip, self.row.raw_len))
    }

    /// Whether it carries nothing but its key.
    pub fn is_bare(&self) -> bool {
        self.row.slots_len == 0 && self.row.inner_len == 0 && self.row.context_len == 0 && self.row.raw_len == NO_RAW
    }

    /// The hit as parts, to push it into another batch (whose source index the caller sets).
    pub fn parts(&self) -> HitParts<'a> {
        HitParts {
            tree: self.tree(),
            leaves: self.leaves(),
            time_us: self.time_us(),
            event: self.event(),
            content: self.content(),
            key: self.key(),
            slots: self.slots(),
            inner: self.inner(),
            context: self.context(),
            raw: self.raw(),
        }
    }
}
