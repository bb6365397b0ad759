//! How many events there were when: a histogram over event time that needs no range beforehand.
//!
//! The width of its buckets doubles whenever it would need more than [`BUCKETS_MAX`] of them, so it is bounded for an hour of
//! logs and for ten years. Events come mostly in order of time, so a run in one bucket costs one comparison an event.

use std::collections::BTreeMap;

/// The most buckets that are kept.
pub const BUCKETS_MAX: usize = 512;
const SECOND: i64 = 1_000_000;

/// Counts of events over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    width_us: i64,
    buckets: BTreeMap<i64, u64>,
}

impl Default for Activity {
    fn default() -> Activity {
        Activity { width_us: SECOND, buckets: BTreeMap::new() }
    }
}

impl Activity {
    /// Counts events by their times, microseconds UTC.
    pub fn add(&mut self, times: &[i64]) {
        let mut times = times.iter().copied().peekable();
        while let Some(first) = times.next() {
            let bucket = first.div_euclid(self.width_us);
            let (from, to) =
                (bucket.saturating_mul(self.width_us), bucket.saturating_add(1).saturating_mul(self.width_us));
            let mut run = 1;
            while times.next_if(|time| (from..to).contains(time)).is_some() {
                run += 1;
            }
            *self.buckets.entry(bucket).or_default() += run;
            self.fit();
        }
    }

    /// Adds another histogram.
    pub fn merge(&mut self, other: &Activity) {
        while self.width_us < other.width_us {
            self.widen();
        }
        for (bucket, count) in &other.buckets {
            let bucket = bucket.saturating_mul(other.width_us).div_euclid(self.width_us);
            *self.buckets.entry(bucket).or_default() += count;
        }
        self.fit();
    }

    /// Width of a bucket, microseconds.
    pub fn width_us(&self) -> i64 {
        self.width_us
    }

    /// Beginning of each bucket that has events, microseconds UTC, with its count, in order of time.
    pub fn buckets(&self) -> impl Iterator<Item = (i64, u64)> {
        self.buckets.iter().map(|(bucket, count)| (bucket.saturating_mul(self.width_us), *count))
    }

    fn fit(&mut self) {
        while self.buckets.len() > BUCKETS_MAX {
            self.widen();
        }
    }

    fn widen(&mut self) {
        self.width_us = self.width_us.saturating_mul(2);
        for (bucket, count) in std::mem::take(&mut self.buckets) {
            *self.buckets.entry(bucket.div_euclid(2)).or_default() += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_event_is_lost_and_the_size_is_bounded_however_times_are_split(times in proptest::collection::vec(0i64..1i64 << 50, 0..3_000), cut in 0usize..3_000) {
            let (left, right) = times.split_at(cut.min(times.len()));
            let (mut one, mut other) = (Activity::default(), Activity::default());
            one.add(left);
            other.add(right);
            one.merge(&other);
            prop_assert_eq!(one.buckets().map(|(_, count)| count).sum::<u64>(), times.len() as u64);
            prop_assert!(one.buckets().count() <= BUCKETS_MAX);
        }
    }

    #[test]
    fn ten_years_fit_and_times_at_the_ends_of_the_world_do_no_harm() {
        let mut activity = Activity::default();
        activity.add(&[i64::MIN, 0, i64::MAX]);
        activity.add(&(0..10_000).map(|day| day * 86_400 * SECOND).collect::<Vec<_>>());
        assert_eq!(activity.buckets().map(|(_, count)| count).sum::<u64>(), 10_003);
    }
}
