//! Bytes of a hits message, for the topic between the two stages.
//!
//! A message holds many hits with one list of sources, because a broker's cost is per message. Integers are LEB128,
//! times and offsets are differences to the hit before (neighbours are close). Written by hand and not with a
//! serialisation crate: the layout must outlive a version of ours, and a damaged message must be refused, not trusted.
//!
//! ```text
//! "PH" version(u8) plan(u64 LE)  n_sources { len bytes }  n_hits { hit }
//! hit = tree leaves time(zigzag) source partition(zigzag) offset(zigzag) sub content(u64 LE)
//!       key_len slots_len inner_len context_len raw_len+1 (0 = none)  bytes
//! ```

use super::{BatchFull, EventId, HitBatch, HitParts, HitRef};
use crate::varint;
use std::fmt;
use std::sync::Arc;

const MAGIC: &[u8; 2] = b"PH";
const VERSION: u8 = 1;
/// No hit takes fewer bytes than this; bounds what a message can claim to hold.
const HIT_BYTES_MIN: usize = 16;

/// Why a hits message was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DamagedHits {
    /// It does not begin as a hits message does.
    NotHits,
    /// It was written by another version of the layout.
    Version {
        /// The version found.
        found: u8,
    },
    /// A number or length does not fit; `offset` is where in the message.
    Broken {
        /// Byte offset in the message.
        offset: usize,
    },
    /// It holds more than a batch can.
    TooLarge,
}

impl fmt::Display for DamagedHits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DamagedHits::NotHits => f.write_str("not a hits message; is another program writing to this topic?"),
            DamagedHits::Version { found } => {
                write!(
                    f,
                    "hits message of version {found}, expected {VERSION}; processes of one group must run one release"
                )
            }
            DamagedHits::Broken { offset } => write!(f, "hits message is damaged at byte {offset}"),
            DamagedHits::TooLarge => f.write_str("hits message holds more than a batch can"),
        }
    }
}

impl std::error::Error for DamagedHits {}

impl From<BatchFull> for DamagedHits {
    fn from(_: BatchFull) -> DamagedHits {
        DamagedHits::TooLarge
    }
}

impl HitBatch {
    /// The chosen hits of this batch as one message. `plan` is [`crate::plan::Plan::digest64`]: tree numbers mean nothing without it.
    pub fn encode<'a>(&'a self, hits: impl ExactSizeIterator<Item = HitRef<'a>>, plan: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity(32 + hits.len() * 64);
        out.extend_from_slice(MAGIC);
        out.push(VERSION);
        out.extend_from_slice(&plan.to_le_bytes());
        varint::put(self.sources.len() as u64, &mut out);
        for source in &self.sources {
            varint::put(source.len() as u64, &mut out);
            out.extend_from_slice(source.as_bytes());
        }
        varint::put(hits.len() as u64, &mut out);
        let (mut time_us, mut offset) = (0i64, 0u64);
        for hit in hits {
            let HitParts { tree, leaves, time_us: time, event, content, key, slots, inner, context, raw } = hit.parts();
            varint::put(u64::from(tree), &mut out);
            varint::put(leaves, &mut out);
            varint::put(varint::zigzag(time.wrapping_sub(time_us)), &mut out);
            varint::put(u64::from(event.source), &mut out);
            varint::put(varint::zigzag(i64::from(event.partition)), &mut out);
            varint::put(varint::zigzag(event.offset.wrapping_sub(offset) as i64), &mut out);
            varint::put(u64::from(event.sub), &mut out);
            out.extend_from_slice(&content.to_le_bytes());
            for part in [key, slots, inner, context] {
                varint::put(part.len() as u64, &mut out);
            }
            varint::put(raw.map_or(0, |raw| raw.len() as u64 + 1), &mut out);
            for part in [key, slots, inner, context, raw.unwrap_or(&[])] {
                out.extend_from_slice(part);
            }
            (time_us, offset) = (time, event.offset);
        }
        out
    }

    /// Reads a message back: the batch, and the plan's digest that its tree numbers belong to.
    ///
    /// # Errors
    /// [`DamagedHits`] for any bytes that [`HitBatch::encode`] did not write. Memory is bounded by the message's length.
    pub fn decode(message: &[u8]) -> Result<(HitBatch, u64), DamagedHits> {
        let mut reader = Reader { message, at: 0 };
        if reader.take(2).map_err(|_| DamagedHits::NotHits)? != MAGIC {
            return Err(DamagedHits::NotHits);
        }
        match reader.take(1)? {
            [VERSION] => {}
            found => {
                return Err(DamagedHits::Version { found: found.first().copied().unwrap_or(0) });
            }
        }
        let plan = reader.word()?;
        let mut batch = HitBatch::new();
        let n_sources = reader.count(1)?;
        for _ in 0..n_sources {
            let len = reader.count(1)?;
            let at = reader.at;
            let name = std::str::from_utf8(reader.take(len)?).map_err(|_| DamagedHits::Broken { offset: at })?;
            batch.sources.push(Arc::from(name));
        }
        if batch.sources.len() > usize::from(u16::MAX) {
            return Err(DamagedHits::TooLarge);
        }
        let n_hits = reader.count(HIT_BYTES_MIN)?;
        batch.rows.reserve(n_hits);
        let (mut time_us, mut offset) = (0i64, 0u64);
        for _ in 0..n_hits {
            let tree = reader.narrow()?;
            let leaves = reader.unsigned()?;
            time_us = time_us.wrapping_add(reader.signed()?);
            let at = reader.at;
            let source: u16 = reader.narrow()?;
            if usize::from(source) >= batch.sources.len() {
                return Err(DamagedHits::Broken { offset: at });
            }
            let partition = i32::try_from(reader.signed()?).map_err(|_| reader.broken())?;
            offset = offset.wrapping_add(reader.signed()? as u64);
            let sub = reader.narrow()?;
            let content = reader.word()?;
            let mut lens = [0usize; 5];
            for len in &mut lens {
                *len = reader.narrow::<u32>()? as usize;
            }
            let [key, slots, inner, context, raw] = lens;
            let (key, slots) = (reader.take(key)?, reader.take(slots)?);
            let (inner, context) = (reader.take(inner)?, reader.take(context)?);
            let raw = match raw {
                0 => None,
                len => Some(reader.take(len - 1)?),
            };
            let event = EventId { source, partition, offset, sub };
            batch.push(HitParts { tree, leaves, time_us, event, content, key, slots, inner, context, raw })?;
        }
        if reader.at != message.len() {
            return Err(reader.broken());
        }
        Ok((batch, plan))
    }
}

struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    #[cold]
    fn broken(&self) -> DamagedHits {
        DamagedHits::Broken { offset: self.at }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], DamagedHits> {
        let Some(taken) = self.at.checked_add(len).and_then(|end| self.message.get(self.at..end)) else {
            return Err(self.broken());
        };
        self.at += len;
        Ok(taken)
    }

    fn word(&mut self) -> Result<u64, DamagedHits> {
        let bytes = self.take(8)?;
        Ok(bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)))
    }

    fn unsigned(&mut self) -> Result<u64, DamagedHits> {
        let Some((number, length)) = varint::take(&self.message[self.at..]) else { return Err(self.broken()) };
        self.at += length;
        Ok(number)
    }

    fn signed(&mut self) -> Result<i64, DamagedHits> {
        self.unsigned().map(varint::unzigzag)
    }

    fn narrow<T: TryFrom<u64>>(&mut self) -> Result<T, DamagedHits> {
        let number = self.unsigned()?;
        T::try_from(number).map_err(|_| self.broken())
    }

    /// A count of things of at least `bytes_min` bytes each, which the rest of the message must have room for.
    fn count(&mut self, bytes_min: usize) -> Result<usize, DamagedHits> {
        let count: usize = self.narrow()?;
        if count > (self.message.len() - self.at) / bytes_min {
            return Err(self.broken());
        }
        Ok(count)
    }
}
