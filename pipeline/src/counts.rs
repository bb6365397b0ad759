//! What a run has counted: lines, events, rejects by reason, events by family, hits, alerts.
//!
//! Workers count a batch at a time into their own [`Counts`] and merge them at the end; what a progress display needs while
//! they run is in [`Progress`], a few atomic numbers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use schemas::key;

use crate::stages::Made;

/// Sums over a run or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Records received.
    pub records: u64,
    /// Records that are understood but hold no event.
    pub empty: u64,
    /// Events made of them.
    pub events: u64,
    /// Records refused.
    pub rejects: u64,
    /// Refused ones by family and reason word.
    pub rejects_by_reason: BTreeMap<(&'static str, &'static str), u64>,
    /// Events by family.
    pub events_by_family: BTreeMap<&'static str, u64>,
    /// Hits of rules.
    pub hits: u64,
    /// Earliest event time, microseconds UTC; `i64::MAX` without events.
    pub oldest_us: i64,
    /// Latest event time; `i64::MIN` without events.
    pub newest_us: i64,
}

impl Default for Counts {
    fn default() -> Counts {
        Counts {
            records: 0,
            empty: 0,
            events: 0,
            rejects: 0,
            rejects_by_reason: BTreeMap::new(),
            events_by_family: BTreeMap::new(),
            hits: 0,
            oldest_us: i64::MAX,
            newest_us: i64::MIN,
        }
    }
}

impl Counts {
    /// Adds what a batch has become.
    pub fn add(&mut self, made: &Made<'_>) {
        self.records += made.records;
        self.empty += made.empty;
        self.events += made.batch.len() as u64;
        self.rejects += made.rejects.len() as u64;
        for record in made.rejects {
            *self.rejects_by_reason.entry((record.reject.family, record.reject.kind.label())).or_default() += 1;
        }
        let mut by_source = vec![0u64; made.batch.log_sources().len() + 1];
        for id in made.batch.log_source_ids() {
            by_source[usize::from(*id)] += 1;
        }
        for (source, count) in made.batch.log_sources().zip(&by_source[1..]).filter(|(_, count)| **count > 0) {
            *self.events_by_family.entry(source.family).or_default() += count;
        }
        self.hits += made.hits.len() as u64;
        for time in made.batch.column(key::TIME) {
            self.oldest_us = self.oldest_us.min(*time);
            self.newest_us = self.newest_us.max(*time);
        }
    }

    /// Adds another part of the run.
    pub fn merge(&mut self, other: &Counts) {
        self.records += other.records;
        self.empty += other.empty;
        self.events += other.events;
        self.rejects += other.rejects;
        for (reason, count) in &other.rejects_by_reason {
            *self.rejects_by_reason.entry(*reason).or_default() += count;
        }
        for (family, count) in &other.events_by_family {
            *self.events_by_family.entry(family).or_default() += count;
        }
        self.hits += other.hits;
        self.oldest_us = self.oldest_us.min(other.oldest_us);
        self.newest_us = self.newest_us.max(other.newest_us);
    }
}

/// What can be seen of a run while it goes on.
#[derive(Default)]
pub struct Progress {
    records: AtomicU64,
    events: AtomicU64,
    rejects: AtomicU64,
    hits: AtomicU64,
    alerts: AtomicU64,
    committed: AtomicU64,
    bytes: AtomicU64,
}

impl Progress {
    /// A batch has been worked off.
    pub fn made(&self, made: &Made<'_>) {
        self.records.fetch_add(made.records, Ordering::Relaxed);
        self.events.fetch_add(made.batch.len() as u64, Ordering::Relaxed);
        self.rejects.fetch_add(made.rejects.len() as u64, Ordering::Relaxed);
        self.hits.fetch_add(made.hits.len() as u64, Ordering::Relaxed);
    }

    /// Alerts have been sent, revisions included.
    pub fn alerts(&self, sent: u64) {
        self.alerts.fetch_add(sent, Ordering::Relaxed);
    }

    /// Events have become part of the lake.
    pub fn committed(&self, events: u64) {
        self.committed.fetch_add(events, Ordering::Relaxed);
    }

    /// Bytes have been read.
    pub fn read(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The numbers of this moment.
    pub fn look(&self) -> Seen {
        let get = |number: &AtomicU64| number.load(Ordering::Relaxed);
        Seen {
            records: get(&self.records),
            events: get(&self.events),
            rejects: get(&self.rejects),
            hits: get(&self.hits),
            alerts: get(&self.alerts),
            committed: get(&self.committed),
            bytes: get(&self.bytes),
        }
    }
}

/// The numbers of a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Records worked off.
    pub records: u64,
    /// Events made of them.
    pub events: u64,
    /// Records refused.
    pub rejects: u64,
    /// Hits of rules.
    pub hits: u64,
    /// Alerts sent, revisions included.
    pub alerts: u64,
    /// Events that are part of the lake.
    pub committed: u64,
    /// Bytes read.
    pub bytes: u64,
}
