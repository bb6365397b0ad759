//! What of a source partition was already taken, so that hits sent twice count once.
//!
//! Stage 1 is deterministic and sends a partition's hits in the order of its offsets, so after a crash it sends the
//! same ones again, from some offset on. The highest place seen of each source partition therefore says everything;
//! a set of all places would say no more. One such record belongs to each hits partition.

use crate::hit::HitRef;
use std::collections::BTreeMap;

/// The highest place seen of each source partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    highest: BTreeMap<String, BTreeMap<i32, u64>>,
}

impl Delivered {
    /// Nothing seen.
    pub fn new() -> Delivered {
        Delivered::default()
    }

    /// Whether a hit's record lies beyond all that were taken before. All hits of one record have one offset, so
    /// [`Delivered::note`] the offsets of a message when all of it was asked for.
    pub fn is_new(&self, hit: &HitRef<'_>) -> bool {
        let event = hit.event();
        let highest = self.highest.get(hit.source()).and_then(|partitions| partitions.get(&event.partition));
        highest.is_none_or(|&highest| event.offset > highest)
    }

    /// Notes that everything of a source partition up to and with `offset` was taken. Going back is no effect.
    pub fn note(&mut self, source: &str, partition: i32, offset: u64) {
        let partitions = match self.highest.get_mut(source) {
            Some(partitions) => partitions,
            None => self.highest.entry(source.to_string()).or_default(),
        };
        let highest = partitions.entry(partition).or_insert(offset);
        *highest = (*highest).max(offset);
    }

    /// All (source, partition, highest offset), in order; to be stored, and noted again later.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i32, u64)> {
        self.highest.iter().flat_map(|(source, partitions)| {
            partitions.iter().map(move |(partition, offset)| (source.as_str(), *partition, *offset))
        })
    }
}
