//! Matched rows become hits: one for each tree and shape, with its key, values and context in canonical bytes.

use schemas::{FlowBatch, Mask, TimeSource, key};

use super::values;
use crate::compile::shape::{Extract, Lacking, Shape};
use crate::hit::{BatchFull, EventId, HitBatch, HitParts, ValueRef, content_hash, write_part};

/// How much of a raw record travels with a hit, as evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawSample {
    /// Nothing: it can be fetched by its provenance.
    None,
    /// At most so many bytes.
    UpTo(usize),
}

/// Buffers of emission, kept between batches.
#[derive(Debug, Default)]
pub struct Buffers {
    key: Vec<u8>,
    slots: Vec<u8>,
    inner: Vec<u8>,
    part: Vec<u8>,
    scratch: Vec<u8>,
    /// Contexts of the rows that had a hit, one after the other.
    contexts: Vec<u8>,
    /// For each row of the batch what is the same in all its hits.
    rows: Vec<OfRow>,
}

/// What all hits of a row share; made for the first of them, since an event often matters to several trees.
#[derive(Clone, Copy, Debug, Default)]
struct OfRow {
    /// Hash of its record; 0 until it was wanted.
    content: u64,
    /// Where its context lies.
    context: (u32, u32),
}

impl Buffers {
    /// Forgets the last batch.
    pub fn next_batch(&mut self) {
        self.rows.clear();
        self.contexts.clear();
    }
}

/// What emission of one shape did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Emitted {
    /// Hits written.
    pub hits: u64,
    /// Rows that matched but lack a part of the group key.
    pub lacking: u64,
}

/// Where a shape's hits go.
pub struct Target<'t> {
    /// The tree.
    pub tree: u32,
    /// The hits.
    pub out: &'t mut HitBatch,
    /// Index of the batch's source in it.
    pub source: u16,
    /// How much of the raw record to take along.
    pub raw: RawSample,
}

/// Writes a hit for each row that matched a leaf of a shape.
///
/// # Errors
/// [`BatchFull`] as [`HitBatch::push`].
pub fn emit(
    batch: &FlowBatch,
    shape: &Shape,
    rules: &[Mask],
    context: &[Extract],
    target: &mut Target<'_>,
    buffers: &mut Buffers,
    any: &Mask,
) -> Result<Emitted, BatchFull> {
    let mut emitted = Emitted::default();
    buffers.rows.resize(batch.len(), OfRow::default());
    for row in any.iter() {
        let Buffers { key, slots, inner, part, scratch, contexts, rows } = buffers;
        key.clear();
        if !group_key(batch, row, shape, scratch, key) {
            emitted.lacking += 1;
            continue;
        }
        let mut leaves = 0u64;
        for (leaf, rule) in &shape.leaves {
            leaves |= u64::from(rules[*rule].get(row)) << leaf;
        }
        slots.clear();
        parts(batch, row, &shape.slots, part, scratch, slots);
        inner.clear();
        parts(batch, row, &shape.inner, part, scratch, inner);
        let raw = batch.raw(row);
        let sub = batch.subs()[row];
        let of_row = &mut rows[row];
        if of_row.content == 0 {
            of_row.content = content_hash(raw).wrapping_add(u64::from(batch.sub_in_record(row)));
            let from = contexts.len() as u32;
            for extract in context {
                if !values::canonical(batch, row, extract, scratch, contexts) {
                    ValueRef::Absent.write(contexts);
                }
            }
            of_row.context = (from, contexts.len() as u32);
        }
        let (from, to) = of_row.context;
        target.out.push(HitParts {
            tree: target.tree,
            leaves,
            time_us: time_us(batch, row),
            event: EventId { source: target.source, partition: batch.partition(), offset: batch.offsets()[row], sub },
            content: of_row.content,
            key,
            slots,
            inner,
            context: &contexts[from as usize..to as usize],
            raw: match target.raw {
                RawSample::None => None,
                RawSample::UpTo(bytes) => Some(&raw[..raw.len().min(bytes)]),
            },
        })?;
        emitted.hits += 1;
    }
    Ok(emitted)
}

/// The event's own time; a log whose time is implausible is correlated by when it was received.
fn time_us(batch: &FlowBatch, row: usize) -> i64 {
    let implausible = batch.get(row, key::TIME_SOURCE) == Some(TimeSource::Implausible);
    let own = if implausible { None } else { batch.get(row, key::TIME) };
    own.or_else(|| batch.get(row, key::RECEIVED)).unwrap_or_default()
}

fn group_key(batch: &FlowBatch, row: usize, shape: &Shape, scratch: &mut Vec<u8>, key: &mut Vec<u8>) -> bool {
    for extract in &shape.key {
        if !values::canonical(batch, row, extract, scratch, key) {
            match shape.lacking {
                Lacking::Dropped => return false,
                Lacking::Kept => ValueRef::Absent.write(key),
            }
        }
    }
    true
}

/// Writes one part for each list; empty where a value is missing.
fn parts(
    batch: &FlowBatch,
    row: usize,
    lists: &[Option<Vec<Extract>>],
    part: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
    out: &mut Vec<u8>,
) {
    for list in lists {
        part.clear();
        let whole = list.as_ref().is_some_and(|extracts| {
            extracts.iter().all(|extract| values::canonical(batch, row, extract, scratch, part))
        });
        if !whole {
            part.clear();
        }
        write_part(part, out);
    }
}
