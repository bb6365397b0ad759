//! Predicates on columns of fixed-size values: numbers, addresses, words.
//!
//! A few predicates on a column are compared one by one, 64 rows to a word, without branches. Many of them are joined
//! into an *index*: all their bounds sorted cut the line of values into cells, each with the list of predicates that
//! hold in it, so that a row costs one search however many rules ask (a thousand networks are eleven steps). Ports
//! and bytes have so few values that the search becomes a table.

use schemas::Mask;

/// Up to so many predicates on one column are compared one by one.
pub const DIRECT_MAX: usize = 3;

/// Answers one predicate for all rows that have the value.
#[inline]
pub fn compare<T: Copy>(column: &[T], present: &Mask, out: &mut Mask, holds: impl Fn(T) -> bool) {
    out.reset(present.rows());
    for ((bits, rows), present) in out.words_mut().iter_mut().zip(column.chunks(64)).zip(present.words()) {
        if *present == 0 {
            continue;
        }
        let mut found = 0u64;
        for (at, value) in rows.iter().enumerate() {
            found |= u64::from(holds(*value)) << at;
        }
        *bits = found & present;
    }
}

/// All predicates on one column, by value.
#[derive(Debug)]
pub struct Index<T> {
    /// Where each cell begins, ascending; the first begins at the least value.
    starts: Vec<T>,
    cells: Cells,
}

/// For each cell the predicates that hold in it.
#[derive(Debug, Default)]
struct Cells {
    lists: Vec<u32>,
    ends: Vec<u32>,
}

impl Cells {
    fn push(&mut self, list: impl IntoIterator<Item = u32>) {
        self.lists.extend(list);
        self.ends.push(self.lists.len() as u32);
    }
    #[inline]
    fn get(&self, cell: usize) -> &[u32] {
        let from = if cell == 0 { 0 } else { self.ends[cell - 1] as usize };
        &self.lists[from..self.ends[cell] as usize]
    }
}

/// A value that has a next one.
pub trait Step: Copy + Ord {
    /// The least value.
    const LEAST: Self;
    /// The next value, if there is one.
    fn next(self) -> Option<Self>;
}
impl Step for i64 {
    const LEAST: i64 = i64::MIN;
    fn next(self) -> Option<i64> {
        self.checked_add(1)
    }
}
impl Step for u128 {
    const LEAST: u128 = 0;
    fn next(self) -> Option<u128> {
        self.checked_add(1)
    }
}

impl<T: Step> Index<T> {
    /// Joins the ranges of several predicates.
    pub fn new(predicates: &[(u32, &[(T, T)])]) -> Index<T> {
        let mut starts = vec![T::LEAST];
        for (_, ranges) in predicates {
            for (low, high) in *ranges {
                starts.push(*low);
                starts.extend(high.next());
            }
        }
        starts.sort_unstable();
        starts.dedup();
        // Swept from the left, so that building costs the number of bounds and not cells times predicates.
        let mut bounds: Vec<(T, u32)> = Vec::new();
        for (predicate, ranges) in predicates {
            for (low, high) in *ranges {
                bounds.push((*low, *predicate));
                bounds.extend(high.next().map(|after| (after, *predicate)));
            }
        }
        bounds.sort_unstable();
        let mut cells = Cells::default();
        let mut holding: std::collections::BTreeSet<u32> = std::collections::BTreeSet::new();
        let mut bounds = bounds.into_iter().peekable();
        for start in &starts {
            while let Some((_, predicate)) = bounds.next_if(|(at, _)| at == start) {
                if !holding.remove(&predicate) {
                    holding.insert(predicate);
                }
            }
            cells.push(holding.iter().copied());
        }
        Index { starts, cells }
    }

    /// The predicates that hold for a value.
    #[inline]
    pub fn get(&self, value: T) -> &[u32] {
        let cell = self.starts.partition_point(|start| *start <= value) - 1;
        self.cells.get(cell)
    }

    /// The number of the cell that a value lies in.
    fn cell(&self, value: T) -> usize {
        self.starts.partition_point(|start| *start <= value) - 1
    }
}

/// All predicates on a column of small numbers, by value.
#[derive(Debug)]
pub struct Table {
    cell_of: Vec<u16>,
    cells: Cells,
}

impl Table {
    /// From an index, for values below `values`; `None` if it has too many cells for a table.
    pub fn of(index: Index<i64>, values: u32) -> Option<Table> {
        u16::try_from(index.starts.len()).ok()?;
        let cell_of = (0..values).map(|value| index.cell(i64::from(value)) as u16).collect();
        Some(Table { cell_of, cells: index.cells })
    }

    /// From sets of bytes.
    pub fn of_bytes(predicates: &[(u32, &[u64; 4])]) -> Table {
        let mut cells = Cells::default();
        for byte in 0..256usize {
            let holds = |bits: &[u64; 4]| bits[byte >> 6] >> (byte & 63) & 1 == 1;
            cells.push(predicates.iter().filter(|(_, bits)| holds(bits)).map(|(predicate, _)| *predicate));
        }
        Table { cell_of: (0..256).collect(), cells }
    }

    /// The predicates that hold for a value.
    #[inline]
    pub fn get(&self, value: usize) -> &[u32] {
        match self.cell_of.get(value) {
            Some(cell) => self.cells.get(usize::from(*cell)),
            None => &[],
        }
    }
}

/// Answers all predicates of a column: `lists` gives those that hold for a value.
#[inline]
pub fn spread<'i, T: Copy>(column: &[T], present: &Mask, masks: &mut [Mask], lists: impl Fn(T) -> &'i [u32]) {
    for row in present.iter() {
        for predicate in lists(column[row]) {
            masks[*predicate as usize].set(row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_index_agrees_with_asking_each_predicate(
            lists in proptest::collection::vec(proptest::collection::vec((0u128..40, 0u128..6), 0..4), 0..12),
            value in 0u128..50,
        ) {
            // Ranges of one predicate are sorted and apart, as the compiler makes them.
            let lists: Vec<Vec<(u128, u128)>> = lists.iter().map(|list| {
                let mut apart: Vec<(u128, u128)> = Vec::new();
                let mut sorted: Vec<_> = list.iter().map(|(low, len)| (*low, low + len)).collect();
                sorted.sort_unstable();
                for (low, high) in sorted {
                    if apart.last().is_none_or(|last| last.1 + 1 < low) {
                        apart.push((low, high));
                    }
                }
                apart
            }).collect();
            let predicates: Vec<(u32, &[(u128, u128)])> = lists.iter().enumerate().map(|(at, list)| (at as u32, list.as_slice())).collect();
            let slow: Vec<u32> = predicates.iter()
                .filter(|(_, ranges)| ranges.iter().any(|(low, high)| (*low..=*high).contains(&value)))
                .map(|(predicate, _)| *predicate).collect();
            let index = Index::new(&predicates);
            prop_assert_eq!(index.get(value), slow);
        }
    }

    #[test]
    fn the_last_value_of_a_type_belongs_to_its_range() {
        let all = [(0u128, u128::MAX)];
        let one = [(u128::MAX, u128::MAX)];
        let index = Index::new(&[(0, &all), (1, &one)]);
        assert_eq!((index.get(0), index.get(u128::MAX)), (&[0][..], &[0, 1][..]));
    }

    #[test]
    fn comparing_skips_rows_without_the_value() {
        let mut present = Mask::none(70);
        [0, 3, 69].iter().for_each(|row| present.set(*row));
        let mut out = Mask::default();
        compare(&[7u16; 70], &present, &mut out, |value| value == 7);
        assert_eq!(out, present);
    }
}
