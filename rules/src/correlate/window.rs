//! The contents of one window, kept so that looking at the next t costs what has changed and not what is in it.
//!
//! All are fed in the order of time (the correlator sees to that), so that expiry is only ever at the front:
//!
//! * [`Times`]: the newest event times. A count of at least N needs the newest N and no more, whatever the rate.
//! * [`Distinct`]: distinct values in the order in which each was *last* seen. Needs memory for values, not for events,
//!   and never rebuilds a set: an old value leaves at the front, a repeated one moves to the back.
//! * [`Numbers`]: the numbers of a metric, with their exact sum.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::collections::VecDeque;
use std::hash::BuildHasher;

/// The newest event times of a window, oldest first, at most a given number.
#[derive(Clone, Debug, Default)]
pub struct Times(pub(super) VecDeque<i64>);

impl Times {
    /// Adds `count` events of time `t_us`, forgets what is at or before `from_us` or beyond the newest `max`.
    pub fn add(&mut self, t_us: i64, count: u64, from_us: i64, max: usize) {
        self.expire(from_us);
        for _ in 0..count.min(max as u64) {
            if self.0.len() == max {
                self.0.pop_front();
            } else if self.0.capacity() == 0 {
                self.0.reserve_exact(1);
            }
            self.0.push_back(t_us);
        }
    }

    /// Forgets what is at or before `from_us`.
    pub fn expire(&mut self, from_us: i64) {
        while self.0.front().is_some_and(|&front| front <= from_us) {
            self.0.pop_front();
        }
    }

    /// Number of events after `from_us` (among those kept).
    pub fn after(&self, from_us: i64) -> usize {
        self.0.len() - self.0.partition_point(|&time| time <= from_us)
    }

    /// The oldest.
    pub fn first(&self) -> Option<i64> {
        self.0.front().copied()
    }

    /// Number of events kept.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

const NONE: u32 = u32::MAX;
/// Up to here a search over all is quicker than hashing.
const LINEAR_MAX: usize = 8;

#[derive(Clone, Debug)]
struct Value {
    bytes: Box<[u8]>,
    last_us: i64,
    older: u32,
    newer: u32,
}

#[derive(Clone, Debug, Default)]
struct Index {
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

/// The distinct values of a window.
#[derive(Clone, Debug)]
pub struct Distinct {
    values: Vec<Value>,
    index: Option<Box<Index>>,
    oldest: u32,
    newest: u32,
    text_bytes: usize,
}

impl Default for Distinct {
    fn default() -> Distinct {
        Distinct { values: Vec::new(), index: None, oldest: NONE, newest: NONE, text_bytes: 0 }
    }
}

impl Distinct {
    /// Notes that a value was seen at `t_us`, which is not before any time seen so far; keeps the newest `max` values.
    pub fn see(&mut self, bytes: &[u8], t_us: i64, max: usize) {
        if let Some(at) = self.find(bytes) {
            self.values[at as usize].last_us = t_us;
            if at != self.newest {
                self.unlink(at);
                self.link_newest(at);
            }
            return;
        }
        if self.values.len() >= max.max(1) {
            self.remove_oldest();
        }
        let at = self.values.len() as u32;
        self.text_bytes += bytes.len();
        self.values.push(Value { bytes: bytes.into(), last_us: t_us, older: NONE, newer: NONE });
        self.link_newest(at);
        self.index_new(at);
    }

    /// Forgets values last seen at or before `from_us`.
    pub fn expire(&mut self, from_us: i64) {
        while self.oldest != NONE && self.values[self.oldest as usize].last_us <= from_us {
            self.remove_oldest();
        }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Values and when each was last seen, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = (&[u8], i64)> {
        let mut at = self.newest;
        std::iter::from_fn(move || {
            let value = self.values.get(at as usize)?;
            at = value.older;
            Some((&*value.bytes, value.last_us))
        })
    }

    /// Bytes of memory behind this.
    pub fn heap_bytes(&self) -> usize {
        let index = self.index.as_ref().map_or(0, |index| size_of::<Index>() + index.table.capacity() * 5);
        self.values.capacity() * size_of::<Value>() + self.text_bytes + self.values.len() * 16 + index
    }

    fn find(&self, bytes: &[u8]) -> Option<u32> {
        match &self.index {
            None => self.values.iter().position(|value| *value.bytes == *bytes).map(|at| at as u32),
            Some(index) => {
                let hash = index.hasher.hash_one(bytes);
                index.table.find(hash, |&at| *self.values[at as usize].bytes == *bytes).copied()
            }
        }
    }

    fn index_new(&mut self, at: u32) {
        let values = &self.values;
        match &mut self.index {
            None if values.len() <= LINEAR_MAX => {}
            None => {
                let mut index = Box::<Index>::default();
                let Index { table, hasher } = &mut *index;
                for (at, value) in values.iter().enumerate() {
                    let hash = hasher.hash_one(&*value.bytes);
                    table.insert_unique(hash, at as u32, |&at| hasher.hash_one(&*values[at as usize].bytes));
                }
                self.index = Some(index);
            }
            Some(index) => {
                let Index { table, hasher } = &mut **index;
                let hash = hasher.hash_one(&*values[at as usize].bytes);
                table.insert_unique(hash, at, |&at| hasher.hash_one(&*values[at as usize].bytes));
            }
        }
    }

    fn remove_oldest(&mut self) {
        let gone = self.oldest;
        self.unlink(gone);
        let last = (self.values.len() - 1) as u32;
        if let Some(index) = &mut self.index {
            let Index { table, hasher } = &mut **index;
            let hash = hasher.hash_one(&*self.values[gone as usize].bytes);
            if let Ok(entry) = table.find_entry(hash, |&at| at == gone) {
                entry.remove();
            }
            if gone != last {
                let hash = hasher.hash_one(&*self.values[last as usize].bytes);
                if let Some(at) = table.find_mut(hash, |&at| at == last) {
                    *at = gone;
                }
            }
        }
        let removed = self.values.swap_remove(gone as usize);
        self.text_bytes -= removed.bytes.len();
        if gone != last {
            // The value that was last now lives at `gone`: its neighbours must know.
            let Value { older, newer, .. } = self.values[gone as usize];
            match older {
                NONE => self.oldest = gone,
                older => self.values[older as usize].newer = gone,
            }
            match newer {
                NONE => self.newest = gone,
                newer => self.values[newer as usize].older = gone,
            }
        }
        if self.values.is_empty() {
            self.index = None;
        }
    }

    fn unlink(&mut self, at: u32) {
        let Value { older, newer, .. } = self.values[at as usize];
        match older {
            NONE => self.oldest = newer,
            older => self.values[older as usize].newer = newer,
        }
        match newer {
            NONE => self.newest = older,
            newer => self.values[newer as usize].older = older,
        }
    }

    fn link_newest(&mut self, at: u32) {
        let before = self.newest;
        self.values[at as usize].older = before;
        self.values[at as usize].newer = NONE;
        match before {
            NONE => self.oldest = at,
            before => self.values[before as usize].newer = at,
        }
        self.newest = at;
    }
}

/// Numbers are held in millionths, as whole numbers: sums are then exact and do not depend on an order.
pub const MILLION: f64 = 1e6;

/// The numbers of a window in the order of time, with their sum.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    entries: VecDeque<(i64, i128)>,
    sum: i128,
    /// In ascending order; only kept for a percentile.
    sorted: Option<Vec<i128>>,
    /// When a number was dropped because there were too many; the time of the newest such number.
    pub dropped_us: Option<i64>,
}

impl Numbers {
    /// Empty; `with_order` also keeps the numbers sorted.
    pub fn with_order() -> Numbers {
        Numbers { sorted: Some(Vec::new()), ..Numbers::default() }
    }

    /// Adds a number of millionths at `t_us`; keeps the newest `max`.
    pub fn add(&mut self, t_us: i64, number: i128, max: usize) {
        if self.entries.len() >= max {
            self.dropped_us = self.entries.front().map(|front| front.0);
            self.remove_front();
        }
        self.entries.push_back((t_us, number));
        self.sum += number;
        if let Some(sorted) = &mut self.sorted {
            let at = sorted.partition_point(|&other| other < number);
            sorted.insert(at, number);
        }
    }

    /// Forgets what is at or before `from_us`.
    pub fn expire(&mut self, from_us: i64) {
        while self.entries.front().is_some_and(|front| front.0 <= from_us) {
            self.remove_front();
        }
    }

    fn remove_front(&mut self) {
        if let Some((_, number)) = self.entries.pop_front() {
            self.sum -= number;
            if let Some(sorted) = &mut self.sorted {
                let at = sorted.partition_point(|&other| other < number);
                sorted.remove(at);
            }
        }
    }

    /// Number of numbers.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// All, in the order of time.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (i64, i128)> {
        self.entries.iter().copied()
    }

    /// Whether a sorted copy is kept.
    pub fn is_ordered(&self) -> bool {
        self.sorted.is_some()
    }

    /// Sum; `None` of nothing.
    pub fn sum(&self) -> Option<f64> {
        (!self.entries.is_empty()).then(|| self.sum as f64 / MILLION)
    }

    /// Arithmetic mean; `None` of nothing.
    pub fn mean(&self) -> Option<f64> {
        (!self.entries.is_empty()).then(|| self.sum as f64 / MILLION / self.entries.len() as f64)
    }

    /// Percentile with linear interpolation between closest ranks; `None` of nothing.
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        let sorted = self.sorted.as_deref()?;
        percentile(sorted, percent)
    }
}

/// Percentile of ascending millionths.
pub fn percentile(sorted: &[i128], percent: f64) -> Option<f64> {
    let rank = (percent / 100.0).clamp(0.0, 1.0) * (sorted.len().checked_sub(1)?) as f64;
    let low = *sorted.get(rank.floor() as usize)? as f64;
    let high = *sorted.get(rank.ceil() as usize)? as f64;
    Some((low + (high - low) * rank.fract()) / MILLION)
}

/// A canonical value as millionths: a number, or text that is one. `None` for everything else and for magnitudes beyond 10^18.
pub fn millionths(bytes: &[u8]) -> Option<i128> {
    use crate::hit::ValueRef;
    fn of_float(number: f64) -> Option<i128> {
        (number.abs() <= 1e18).then(|| (number * MILLION).round() as i128)
    }
    match ValueRef::read(&mut { bytes })? {
        ValueRef::Uint(number) => Some(i128::from(number) * 1_000_000),
        ValueRef::Int(number) => Some(i128::from(number) * 1_000_000),
        ValueRef::Float(number) => of_float(number),
        ValueRef::Text(text) => {
            let text = std::str::from_utf8(text).ok()?.trim();
            match text.parse::<i64>() {
                Ok(number) => Some(i128::from(number) * 1_000_000),
                Err(_) => of_float(text.parse().ok()?),
            }
        }
        ValueRef::Absent | ValueRef::V4(_) | ValueRef::V6(_) | ValueRef::Bool(_) => None,
    }
}
