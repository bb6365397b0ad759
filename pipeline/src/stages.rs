//! The wiring of stage 1, top to bottom: received block → parse → enrich → scan → rows for the lake, hits, rejects.
//!
//! ```text
//!   Block ──parsers──▶ FlowBatch ──enrichers──▶ FlowBatch ──seal, rules──▶ hits
//!            │                                      │
//!            └──▶ refused records                   └──▶ lake, JSON
//! ```
//! Batch and streaming runs use the same [`Worker`]; they differ in where blocks come from and what becomes of what is
//! [`Made`]. A worker is one thread's own: nothing in it is shared but the [`Engine`]'s rules and tables, which don't change.

use std::sync::Arc;

use enrichers::Tables;
use parsers::{Format, Parsed, Session};
use rules::RuleSet;
use rules::correlate::{Correlator, DamagedSnapshot, Settings};
use rules::hit::HitBatch;
use rules::plan::{Plan, UnfitTree};
use rules::scan::{RawSample, Scanner};
use schemas::{EVENTS_PER_MESSAGE_MAX, FlowBatch, Place, Reject, RejectKind, RejectRecord, key};

use crate::evidence::RAW_MAX;
use crate::mappings::Mappings;
use crate::source::{Block, Received};
use crate::times::Times;

/// Rows after which a batch goes on to the next stage: a batch's columns then fit the cache of one core.
const BATCH_ROWS: usize = 4_096;

/// How the records of a source are read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The family, or `auto`.
    pub format: Format,
    /// How its times are read.
    pub times: Times,
    /// Mappings whose marks are asked where the format is `auto`.
    pub mappings: Mappings,
    /// Whose network it is; empty where there is only one.
    pub tenant: Arc<str>,
}

/// Every line by its own shape.
impl Default for Reading {
    fn default() -> Reading {
        Reading { format: Format::Auto, times: Times::default(), mappings: Mappings::new(), tenant: Arc::from("") }
    }
}

impl Reading {
    /// A session for a source that is read so.
    pub fn session(&self) -> Session {
        let mut session = Session::new(self.format, self.times.zone.clone()).with_mappings(self.mappings.clone());
        session.set_zone_names(self.times.zone_names.clone());
        session
    }
}

/// Rules and tables of a run: what every worker shares.
pub struct Engine {
    /// The rules, compiled.
    pub rules: Arc<RuleSet>,
    /// What the rules say of time.
    pub plan: Arc<Plan>,
    /// What the enrichers look things up in.
    pub tables: Arc<Tables>,
    /// How much of the raw line hits carry: a sample where it can't be read again by its place.
    pub raw_in_hits: RawSample,
    /// What correlators are told.
    pub correlation: Settings,
}

impl Engine {
    /// An engine of rules and tables; `tenant` is part of each alert's id, empty where there is only one.
    pub fn new(rules: RuleSet, tables: Tables, tenant: Arc<str>, raw_in_hits: RawSample) -> Engine {
        let correlation = Settings { tenant, raw_bytes_max: RAW_MAX, ..Default::default() };
        let plan = Arc::new(rules.plan().clone());
        Engine { rules: Arc::new(rules), plan, tables: Arc::new(tables), raw_in_hits, correlation }
    }

    /// A correlator with a budget of state.
    ///
    /// # Errors
    /// The plan can't be evaluated.
    pub fn correlator(&self, state_bytes_max: usize) -> Result<Correlator, UnfitTree> {
        Correlator::new(self.plan.clone(), self.budgeted(state_bytes_max))
    }

    /// A correlator that goes on from a snapshot, and the number of keys that it left behind because their rules changed.
    ///
    /// # Errors
    /// The snapshot is damaged.
    pub fn restore(&self, state_bytes_max: usize, snapshot: &[u8]) -> Result<(Correlator, u64), DamagedSnapshot> {
        Correlator::restore(self.plan.clone(), self.budgeted(state_bytes_max), snapshot)
    }

    fn budgeted(&self, state_bytes_max: usize) -> Settings {
        Settings { state_bytes_max, ..self.correlation.clone() }
    }

    /// The file that a rule stands in; empty for a rule that is not here.
    pub fn file_of(&self, rule_id: &str) -> &str {
        self.rules.rules().iter().find(|rule| rule.id == rule_id).map_or("", |rule| &*rule.file)
    }

    /// A session for a source.
    pub fn session(&self, reading: &Reading) -> Session {
        reading.session()
    }
}

/// What a batch has become.
pub struct Made<'a> {
    /// The events, enriched and sealed.
    pub batch: &'a FlowBatch,
    /// What the rules found in them; may be taken.
    pub hits: &'a mut HitBatch,
    /// The records that were refused, and the refused parts of records of which other parts are events.
    pub rejects: &'a [RejectRecord],
    /// Records that this batch stands for: those of its events, those refused, and those that hold no event.
    pub records: u64,
    /// Of these, the ones that are understood but hold no event: header lines, comments.
    pub empty: u64,
    /// The latest time by which these events are correlated, microseconds UTC; `i64::MIN` without events.
    pub newest_us: i64,
    /// The earliest one; `i64::MAX` without events.
    pub oldest_us: i64,
}

/// One thread's share of stage 1.
pub struct Worker {
    engine: Arc<Engine>,
    scanner: Scanner,
    batch: FlowBatch,
    hits: HitBatch,
    rejects: Vec<RejectRecord>,
}

impl Worker {
    /// A worker with buffers of its own.
    pub fn new(engine: &Arc<Engine>) -> Worker {
        Worker {
            scanner: Scanner::new(engine.rules.clone(), engine.raw_in_hits),
            batch: FlowBatch::new(BATCH_ROWS + 64),
            hits: HitBatch::new(),
            rejects: Vec::new(),
            engine: engine.clone(),
        }
    }

    /// Works a block off, in batches, and hands each to `sink`, in order.
    ///
    /// # Errors
    /// Those of `sink`; what follows in the block is then not worked off.
    pub fn work<E>(
        &mut self,
        block: &Block,
        reading: &Reading,
        session: &mut Session,
        mut sink: impl FnMut(Made<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.batch.set_plausible(reading.times.plausible);
        let mut records = block.records.iter();
        // Records of one message have one offset; the events in it that come before the next record.
        let (mut message, mut before) = (None, 0);
        let mut damaged = block.damaged.as_slice();
        while !records.as_slice().is_empty() || !damaged.is_empty() {
            self.batch.reset(block.bytes.clone(), block.source.clone(), block.partition);
            self.rejects.clear();
            self.hits.clear();
            let (mut taken, mut empty) = (damaged.len() as u64, 0);
            self.rejects.extend(std::mem::take(&mut damaged).iter().map(|part| RejectRecord {
                reject: part.reject.clone(),
                source: block.source.clone(),
                partition: block.partition,
                offset: part.offset,
                received_us: part.received_us,
                raw: part.raw.clone(),
            }));
            while self.batch.len() < BATCH_ROWS {
                let Some(record) = records.next() else { break };
                taken += 1;
                let line = &block.bytes[record.start..record.start + record.len];
                let place = Place { offset: record.offset, received_us: record.received_us };
                if message != Some(record.offset) {
                    (message, before) = (Some(record.offset), 0);
                }
                if before > EVENTS_PER_MESSAGE_MAX {
                    self.rejects.push(too_many(block, record, reading));
                    continue;
                }
                let first = self.batch.len();
                match session.parse_line(line, place, &mut self.batch) {
                    Ok(Parsed::Events) => {}
                    Ok(Parsed::Nothing) => empty += 1,
                    Err(reject) => self.rejects.push(refused(block, record, reject)),
                }
                self.batch.follow(first, before as u16);
                before += self.batch.len() - first;
                self.rejects.extend(session.take_refused().map(|part| RejectRecord {
                    reject: part.reject,
                    source: block.source.clone(),
                    partition: block.partition,
                    offset: record.offset,
                    received_us: record.received_us,
                    raw: part.raw,
                }));
            }
            self.finish(reading);
            let (oldest_us, newest_us) = self.times();
            sink(Made {
                batch: &self.batch,
                hits: &mut self.hits,
                rejects: &self.rejects,
                records: taken,
                empty,
                newest_us,
                oldest_us,
            })?;
        }
        Ok(())
    }

    fn finish(&mut self, reading: &Reading) {
        if !reading.tenant.is_empty() {
            let tenant = self.batch.keep(reading.tenant.as_bytes());
            for row in 0..self.batch.len() {
                self.batch.set(row, key::TENANT, tenant);
            }
        }
        enrichers::enrich(&self.engine.tables, &mut self.batch);
        self.batch.seal();
        // The buffer is empty: a batch is far smaller than the 4 GiB that it can hold.
        let scanned = self.scanner.scan(&self.batch, &mut self.hits);
        scanned.expect("a batch's hits fit an empty buffer");
    }

    fn times(&self) -> (i64, i64) {
        let times = self.batch.correlation_times();
        times.iter().fold((i64::MAX, i64::MIN), |(low, high), time| (low.min(*time), high.max(*time)))
    }
}

fn refused(block: &Block, record: &Received, reject: Reject) -> RejectRecord {
    RejectRecord {
        reject,
        source: block.source.clone(),
        partition: block.partition,
        offset: record.offset,
        received_us: record.received_us,
        raw: block.bytes[record.start..record.start + record.len].to_vec(),
    }
}

/// A record of a message that has held as many events as can be told apart.
#[cold]
fn too_many(block: &Block, record: &Received, reading: &Reading) -> RejectRecord {
    let kind = RejectKind::TooMuch { what: "events in one message", limit: EVENTS_PER_MESSAGE_MAX };
    refused(block, record, Reject { family: reading.format.name(), offset: 0, kind })
}
