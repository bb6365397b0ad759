//! One bit a row: which rows of a batch have a field, match a predicate, are still alive.

/// A bit mask over the rows of a batch. Bits past the last row are always 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mask {
    words: Vec<u64>,
    rows: usize,
}

impl Mask {
    /// No row is set.
    pub fn none(rows: usize) -> Mask {
        Mask { words: vec![0; rows.div_ceil(64)], rows }
    }

    /// Every row is set.
    pub fn all(rows: usize) -> Mask {
        let mut mask = Mask { words: vec![u64::MAX; rows.div_ceil(64)], rows };
        mask.trim();
        mask
    }

    /// Makes it a mask of `rows` rows with none set, keeping its memory.
    pub fn reset(&mut self, rows: usize) {
        self.words.clear();
        self.words.resize(rows.div_ceil(64), 0);
        self.rows = rows;
    }

    /// Number of rows that it speaks of.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The words, 64 rows each, lowest row in the lowest bit.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The words, to be written; the caller must keep the bits past the last row at 0.
    pub fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// Sets a row.
    #[inline]
    pub fn set(&mut self, row: usize) {
        debug_assert!(row < self.rows);
        self.words[row >> 6] |= 1 << (row & 63);
    }

    /// Whether a row is set; false for a row past the end.
    #[inline]
    pub fn get(&self, row: usize) -> bool {
        self.words.get(row >> 6).is_some_and(|word| word >> (row & 63) & 1 == 1)
    }

    /// Keeps the rows that are also in `other`.
    pub fn and(&mut self, other: &Mask) {
        assert_eq!(self.rows, other.rows, "masks of different batches");
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= b);
    }

    /// Adds the rows of `other`.
    pub fn or(&mut self, other: &Mask) {
        assert_eq!(self.rows, other.rows, "masks of different batches");
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a |= b);
    }

    /// Takes away the rows of `other`.
    pub fn and_not(&mut self, other: &Mask) {
        assert_eq!(self.rows, other.rows, "masks of different batches");
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= !b);
    }

    /// Turns every row round.
    pub fn not(&mut self) {
        self.words.iter_mut().for_each(|word| *word = !*word);
        self.trim();
    }

    /// Whether no row is set.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// How many rows are set.
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The rows that are set, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                if rest == 0 {
                    return None;
                }
                let bit = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                Some(at * 64 + bit)
            })
        })
    }

    fn trim(&mut self) {
        if let (Some(last), used @ 1..) = (self.words.last_mut(), self.rows & 63) {
            *last &= (1 << used) - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algebra_never_sets_a_row_past_the_end() {
        for rows in [0, 1, 63, 64, 65, 130] {
            let mut mask = Mask::none(rows);
            mask.not();
            assert_eq!(mask, Mask::all(rows));
            assert_eq!(mask.count(), rows);
            assert_eq!(mask.iter().collect::<Vec<_>>(), (0..rows).collect::<Vec<_>>());
            mask.and_not(&Mask::all(rows));
            assert!(mask.is_empty());
        }
    }
}
