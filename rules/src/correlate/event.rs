//! A hit as the state keeps it: what orders it, what it matched, and where its bytes are.
//!
//! A batch run has all hits in memory, so its events point at rows; a stream's events own their bytes until the
//! watermark has passed them, and as long as they are evidence. One type for both, so that both run the same steps.

use crate::hit::{HitBatch, HitRef, part};
use std::cmp::Ordering;
use std::sync::Arc;

/// Provenance, with the source as the correlator numbers it (not a batch's index).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    pub source: u32,
    pub partition: i32,
    pub offset: u64,
    pub sub: u16,
}

/// Where the bytes of an event are.
#[derive(Clone, Debug)]
pub enum Payload {
    /// It has none.
    Empty,
    /// In a batch that lives as long as the run.
    Row { batch: u32, row: u32 },
    /// Lengths of slots, inner keys and context as `u32`, 1 if raw follows, then the bytes.
    Owned(Arc<[u8]>),
}

/// One hit of a key.
#[derive(Clone, Debug)]
pub struct Event {
    pub leaves: u64,
    pub content: u64,
    pub origin: Origin,
    pub payload: Payload,
}

/// A hit that an alert may show.
#[derive(Clone, Debug)]
pub struct Evidence {
    pub time_us: i64,
    pub event: Event,
}

/// What [`Payload::Row`] points into.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rows<'a>(pub &'a [HitBatch]);

/// The parts of a payload.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parts<'a> {
    pub slots: &'a [u8],
    pub inner: &'a [u8],
    pub context: &'a [u8],
    pub raw: Option<&'a [u8]>,
}

impl<'a> Rows<'a> {
    /// The parts of a payload; empty ones where it has none.
    pub fn parts(self, payload: &'a Payload) -> Parts<'a> {
        match payload {
            Payload::Empty => Parts::default(),
            Payload::Row { batch, row } => {
                let hit = self.0[*batch as usize].get(*row as usize);
                Parts { slots: hit.slots(), inner: hit.inner(), context: hit.context(), raw: hit.raw() }
            }
            Payload::Owned(bytes) => owned_parts(bytes).unwrap_or_default(),
        }
    }

    /// Canonical bytes of one value slot; empty where the event lacks it.
    pub fn slot(self, payload: &'a Payload, index: usize) -> &'a [u8] {
        part(self.parts(payload).slots, index)
    }

    /// Canonical bytes of one inner key; empty where the event lacks it.
    pub fn inner(self, payload: &'a Payload, index: usize) -> &'a [u8] {
        part(self.parts(payload).inner, index)
    }
}

const HEADER: usize = 13;

fn owned_parts(bytes: &[u8]) -> Option<Parts<'_>> {
    let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
    let len = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]) as usize;
    let (slots, rest) = rest.split_at_checked(len(0))?;
    let (inner, rest) = rest.split_at_checked(len(4))?;
    let (context, rest) = rest.split_at_checked(len(8))?;
    Some(Parts { slots, inner, context, raw: (header[12] == 1).then_some(rest) })
}

impl Payload {
    /// Copies the parts of a hit; a raw sample longer than `raw_max` is cut.
    pub fn owned(hit: &HitRef<'_>, raw_max: usize) -> Payload {
        let raw = hit.raw().map(|raw| &raw[..raw.len().min(raw_max)]);
        Payload::from_parts(hit.slots(), hit.inner(), hit.context(), raw)
    }

    /// A payload of its own.
    pub fn from_parts(slots: &[u8], inner: &[u8], context: &[u8], raw: Option<&[u8]>) -> Payload {
        if slots.is_empty() && inner.is_empty() && context.is_empty() && raw.is_none() {
            return Payload::Empty;
        }
        let mut header = [0u8; HEADER];
        for (at, part) in [slots, inner, context].into_iter().enumerate() {
            header[at * 4..at * 4 + 4].copy_from_slice(&(part.len() as u32).to_le_bytes());
        }
        header[12] = u8::from(raw.is_some());
        let parts = [&header, slots, inner, context, raw.unwrap_or(&[])];
        let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
        parts.into_iter().for_each(|part| bytes.extend_from_slice(part));
        Payload::Owned(bytes.into())
    }

    /// Bytes of memory behind it.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Payload::Empty | Payload::Row { .. } => 0,
            Payload::Owned(bytes) => bytes.len() + 16,
        }
    }
}

impl Event {
    /// The order among simultaneous events: by what they say, and only then by where they were read.
    pub fn order(&self, other: &Event) -> Ordering {
        (self.content, self.origin, self.leaves).cmp(&(other.content, other.origin, other.leaves))
    }

    /// Whether both are one event (that gave two hits because two rules name its fields differently).
    pub fn is_same(&self, other: &Event) -> bool {
        self.origin == other.origin
    }
}
