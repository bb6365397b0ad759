//! Which rows of a batch come from a record that followed others in one message.
//!
//! Their numbers go on from those of the records before, so that each event has a place of its own; what has to know an event's
//! number inside its record (its order among simultaneous ones must not depend on how a collector batched) takes the
//! difference. Only such rows cost anything.

use std::ops::Range;

use crate::batch::FlowBatch;
use crate::mask::Mask;

/// Rows, and how many events of the same message came before them; in the order of the rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Followers(Vec<(Range<usize>, u16)>);

impl Followers {
    /// Nothing is noted any more.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Notes rows that are behind all that have been noted.
    pub(crate) fn note(&mut self, rows: Range<usize>, before: u16) {
        if !rows.is_empty() {
            self.0.push((rows, before));
        }
    }

    /// How many events of the row's message came before its record.
    pub(crate) fn before(&self, row: usize) -> u16 {
        let at = self.0.partition_point(|(rows, _)| rows.end <= row);
        self.0.get(at).filter(|(rows, _)| rows.contains(&row)).map_or(0, |(_, before)| *before)
    }
}

impl FlowBatch {
    /// A row's number inside its record: that at its offset, unless the message that was received there held several records.
    pub fn sub_in_record(&self, row: usize) -> u16 {
        self.subs()[row] - self.followers.before(row)
    }

    /// The first row of each record.
    pub fn firsts(&self) -> Mask {
        let mut mask = Mask::none(self.rows);
        (0..self.rows).filter(|row| self.sub_in_record(*row) == 0).for_each(|row| mask.set(row));
        mask
    }

    /// Says of the rows from `first` on, the last record's, that `before` events of the same message came before them.
    #[inline]
    pub fn follow(&mut self, first: usize, before: u16) {
        if before == 0 {
            return;
        }
        self.subs[first..self.rows].iter_mut().for_each(|sub| *sub = sub.saturating_add(before));
        self.followers.note(first..self.rows, before);
    }
}
