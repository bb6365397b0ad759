//! Stage 1 of a streaming run: records of input partitions become events in the lake and hits in the hits topic.
//!
//! A worker is one thread with a consumer, a producer and lake writers of its own; nothing is shared with other workers but
//! the rules and tables, so threads and processes scale alike: Kafka's group deals out the partitions.
//!
//! ```text
//!  claim ──▶ read ──▶ parse, enrich, scan ──▶ hits to the hits topic, rows to Parquet   (repeated)
//!    ▲                                                  │ once an epoch
//!    └── rebalance ◀── offsets to the group ◀── Delta commit ◀── files durable ◀── hits acknowledged
//! ```
//! The commit to the `flows` table is the one place where it is decided how far a partition has come. A worker that loses
//! its partitions drops what it has not committed: the next owner begins at the committed offset and, the stage being
//! deterministic, does the same again. Hits that were sent already carry the claim's number and their offsets, so that
//! stage 2 knows them again.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::message::Message;
use rdkafka::topic_partition_list::Offset;
use rules::hit::HitBatch;
use serde_json::json;

use super::client::Producer;
use super::settings::{Input, Settings, Until};
use super::tasks::{self, Claim};
use super::wire::{HitsMessage, InputState};
use crate::clock;
use crate::config::Start;
use crate::counts::Progress;
use crate::error::Failure;
use crate::forms;
use crate::sink::lake::{CommitError, Lake, Table, TableWriter};
use crate::source::kafka::{Member, Polled, TopicPartition};
use crate::source::{Block, Received, message};
use crate::stages::{Engine, Worker};

/// Bytes after which a partition's records are worked off, even if more are there.
const BLOCK_BYTES: usize = 4 << 20;
/// Records after which they are.
const BLOCK_RECORDS: usize = 8_192;
/// How long a record waits at most until its block is worked off.
const SLICE: Duration = Duration::from_millis(100);
/// Rows after which an epoch ends before its time.
const EPOCH_ROWS: usize = 1 << 20;
/// How long metadata may take.
const METADATA_WAIT: Duration = Duration::from_secs(20);

/// One input partition that this worker owns.
struct Task {
    claim: Claim,
    input: usize,
    session: parsers::Session,
    /// Offset after the last record that has been taken into `pending`.
    taken: i64,
    /// Offset after the last record that has been worked off.
    done: i64,
    pending: Vec<u8>,
    records: Vec<Received>,
    newest_us: i64,
    state: InputState,
    last_record: Instant,
}

/// A worker of stage 1.
pub struct Stage1 {
    settings: Arc<Settings>,
    engine: Arc<Engine>,
    lake: Arc<Lake>,
    progress: Arc<Progress>,
    member: Member,
    producer: Producer,
    worker: Worker,
    tasks: HashMap<TopicPartition, Task>,
    flows: TableWriter,
    rejects: TableWriter,
    routed: Vec<HitBatch>,
    epoch_rows: usize,
    epoch_began: Instant,
}

impl Stage1 {
    /// Joins the group.
    ///
    /// # Errors
    /// What the client says of its configuration.
    pub fn new(
        settings: &Arc<Settings>,
        engine: &Arc<Engine>,
        lake: &Arc<Lake>,
        progress: &Arc<Progress>,
        hits_partitions: i32,
    ) -> Result<Stage1, Failure> {
        let topics: Vec<&str> = settings.inputs.iter().map(|input| input.topic.as_str()).collect();
        let client = settings.client.clone().set("group.id", &settings.group).to_owned();
        Ok(Stage1 {
            member: Member::join(&client, &topics)?,
            producer: Producer::new(&settings.client)?,
            worker: Worker::new(engine),
            tasks: HashMap::new(),
            flows: lake.writer(Table::Flows),
            rejects: lake.writer(Table::Rejects),
            routed: (0..hits_partitions).map(|_| HitBatch::new()).collect(),
            epoch_rows: 0,
            epoch_began: clock::instant(),
            settings: settings.clone(),
            engine: engine.clone(),
            lake: lake.clone(),
            progress: progress.clone(),
        })
    }

    /// Works until one of `stops` is set. What has not been committed by then is left to the next owner.
    ///
    /// # Errors
    /// A broker, the lake or a topic fails for good.
    pub fn run(&mut self, stops: &[&AtomicBool]) -> Result<(), Failure> {
        let mut slice_ends = clock::instant() + SLICE;
        while !stops.iter().any(|stop| stop.load(Ordering::Relaxed)) {
            let full = self.poll()?;
            let now = clock::instant();
            if full || now >= slice_ends {
                self.work_off()?;
                slice_ends = now + SLICE;
                self.tell_idle(now)?;
                let due = now.duration_since(self.epoch_began) >= self.settings.epoch || self.epoch_rows >= EPOCH_ROWS;
                if due {
                    self.commit()?;
                }
            }
        }
        self.work_off()?;
        self.commit()
    }

    /// Takes what the consumer has; tells whether a block is full.
    fn poll(&mut self) -> Result<bool, Failure> {
        match self.member.poll(SLICE / 2)? {
            Polled::Nothing => Ok(false),
            Polled::Assigned(places) => {
                self.assigned(places)?;
                Ok(false)
            }
            Polled::Revoked => {
                self.drop_uncommitted();
                Ok(false)
            }
            Polled::End(partition) => {
                self.at_end(partition)?;
                Ok(false)
            }
            Polled::Message(message) => {
                // A worker has a handful of tasks: looking at them costs less than a key made for each message.
                let is_its =
                    |place: &TopicPartition| place.partition == message.partition() && place.topic == message.topic();
                let Some((_, task)) = self.tasks.iter_mut().find(|(place, _)| is_its(place)) else {
                    return Ok(false);
                };
                let received_us =
                    message.timestamp().to_millis().map_or_else(clock::now_us, |ms| ms.saturating_mul(1_000));
                task.take(message.payload(), message.offset(), received_us);
                Ok(task.pending.len() >= BLOCK_BYTES || task.records.len() >= BLOCK_RECORDS)
            }
        }
    }

    /// Claims the partitions in the lake's log and goes on where it says.
    fn assigned(&mut self, places: Vec<TopicPartition>) -> Result<(), Failure> {
        self.drop_uncommitted();
        let names: Vec<String> =
            places.iter().map(|place| tasks::app_id(&self.settings.group, "flows", place)).collect();
        let claims = tasks::claim(&self.lake, Table::Flows, &names)?;
        let mut at = Vec::with_capacity(places.len());
        for (place, claim) in places.into_iter().zip(claims) {
            let offset = match claim.state["offset"].as_i64() {
                Some(offset) => offset,
                None => {
                    let (first, end) = self.member.bounds(&place, METADATA_WAIT)?;
                    match self.settings.start {
                        Start::Earliest => first,
                        Start::Latest => end,
                    }
                }
            };
            let newest_us = claim.state["newest_us"].as_i64().unwrap_or(i64::MIN);
            let input = self.settings.inputs.iter().position(|input| input.topic == place.topic);
            let input = input.ok_or_else(|| {
                let reason = "it is no input of this run; does another program use the same kafka.group?";
                Failure::kafka(format!("being assigned topic `{}`", place.topic), reason)
            })?;
            at.push((place.clone(), Offset::Offset(offset)));
            let session = self.engine.session(&self.settings.inputs[input].reading);
            tracing::info!(topic = %place.topic, partition = place.partition, offset, epoch = claim.epoch, "owns an input partition");
            let task = Task {
                claim,
                input,
                session,
                taken: offset,
                done: offset,
                pending: Vec::new(),
                records: Vec::new(),
                newest_us,
                state: InputState::Live,
                last_record: clock::instant(),
            };
            self.tasks.insert(place, task);
        }
        self.member.assign(&at)?;
        Ok(())
    }

    /// Forgets all that no commit covers: partitions have moved, or were taken over.
    fn drop_uncommitted(&mut self) {
        self.tasks.clear();
        self.flows = self.lake.writer(Table::Flows);
        self.rejects = self.lake.writer(Table::Rejects);
        self.epoch_rows = 0;
        self.epoch_began = clock::instant();
    }

    fn work_off(&mut self) -> Result<(), Failure> {
        let places: Vec<TopicPartition> =
            self.tasks.iter().filter(|(_, task)| !task.records.is_empty()).map(|(place, _)| place.clone()).collect();
        for place in places {
            self.work_off_one(&place)?;
        }
        Ok(())
    }

    fn work_off_one(&mut self, place: &TopicPartition) -> Result<(), Failure> {
        let Some(task) = self.tasks.get_mut(place) else { return Ok(()) };
        let input: &Input = &self.settings.inputs[task.input];
        let block = Block {
            source: Arc::from(place.topic.as_str()),
            partition: place.partition,
            bytes: Arc::new(std::mem::take(&mut task.pending)),
            records: std::mem::take(&mut task.records),
            damaged: Vec::new(),
        };
        let (flows, rejects, producer, routed) = (&mut self.flows, &mut self.rejects, &self.producer, &mut self.routed);
        let (settings, progress) = (&self.settings, &self.progress);
        let (mut newest_us, mut rows) = (task.newest_us, 0);
        let mut text = Vec::new();
        self.worker.work(&block, &input.reading, &mut task.session, |made| {
            rows += made.batch.len() + made.rejects.len();
            newest_us = newest_us.max(made.newest_us);
            if !made.batch.is_empty() {
                flows.write_events(made.batch)?;
            }
            if !made.rejects.is_empty() {
                rejects.write(&schemas::arrow::rejects_to_record_batch(made.rejects))?;
            }
            if let Some((topic, form)) = &settings.events {
                for row in 0..made.batch.len() {
                    text.clear();
                    forms::event(*form, made.batch, row, &mut text);
                    producer.send(topic, None, &[], &text)?;
                }
            }
            progress.made(&made);
            route(made.hits, routed)
        })?;
        task.newest_us = newest_us;
        task.done = task.taken;
        self.epoch_rows += rows;
        self.send_hits(place)
    }

    /// Sends each hits partition its share, and to all of them how far this input partition has come.
    fn send_hits(&mut self, place: &TopicPartition) -> Result<(), Failure> {
        let Some(task) = self.tasks.get(place) else { return Ok(()) };
        let plan = self.engine.plan.digest64();
        for (to, hits) in self.routed.iter_mut().enumerate() {
            let encoded = if hits.is_empty() { Vec::new() } else { hits.encode(hits.iter(), plan) };
            let message = HitsMessage {
                source: &place.topic,
                partition: place.partition,
                epoch: task.claim.epoch,
                next_offset: task.done,
                watermark_us: task.watermark_us(self.settings.lateness_us),
                state: task.state,
                hits: &encoded,
            };
            self.producer.send(&self.settings.hits_topic, Some(to as i32), &[], &message.encode())?;
            hits.clear();
        }
        Ok(())
    }

    /// A partition was read to its end: in a draining run that is the end of it.
    fn at_end(&mut self, partition: i32) -> Result<(), Failure> {
        if self.settings.until != Until::Drained {
            return Ok(());
        }
        self.work_off()?;
        let places: Vec<TopicPartition> =
            self.tasks.keys().filter(|place| place.partition == partition).cloned().collect();
        for place in places {
            let (_, end) = self.member.bounds(&place, METADATA_WAIT)?;
            tracing::debug!(topic = %place.topic, partition, end, "read to its end");
            if let Some(task) = self.tasks.get_mut(&place)
                && task.done >= end
                && task.state != InputState::Ended
            {
                task.state = InputState::Ended;
                self.send_hits(&place)?;
            }
        }
        self.commit()
    }

    /// Declares partitions idle from which nothing has come for a while.
    fn tell_idle(&mut self, now: Instant) -> Result<(), Failure> {
        let idle_after = self.settings.idle_after;
        let idle = |task: &Task| task.state == InputState::Live && now.duration_since(task.last_record) >= idle_after;
        let places: Vec<TopicPartition> =
            self.tasks.iter().filter(|(_, task)| idle(task)).map(|(place, _)| place.clone()).collect();
        for place in places {
            if let Some(task) = self.tasks.get_mut(&place) {
                task.state = InputState::Idle;
                tracing::debug!(topic = %place.topic, partition = place.partition, "idle: the watermark no longer waits for it");
            }
            self.send_hits(&place)?;
        }
        Ok(())
    }

    /// Ends the epoch: what has been done becomes part of the lake, all of it or nothing.
    fn commit(&mut self) -> Result<(), Failure> {
        self.epoch_began = clock::instant();
        let moved =
            self.tasks.values().any(|task| task.claim.committed(task.done) || task.claim.newest_us() != task.newest_us);
        if !moved {
            return Ok(());
        }
        self.epoch_rows = 0;
        self.producer.flush()?;
        let rejects = self.rejects.finish()?;
        let flows = self.flows.finish()?;
        let mut txns = Vec::with_capacity(self.tasks.len());
        let mut domains = Vec::with_capacity(self.tasks.len());
        for task in self.tasks.values() {
            txns.push((task.claim.name.clone(), task.claim.txn + 1));
            domains.push((task.claim.name.clone(), task.describe(&self.engine, self.settings.lateness_us)));
        }
        // Refused records first: a crash in between repeats them, it never loses them.
        if !rejects.is_empty() {
            self.lake.commit(Table::Rejects, &rejects, &[], &[])?;
        }
        match self.lake.commit(Table::Flows, &flows, &txns, &domains) {
            Ok(_) => {}
            Err(CommitError::Conflict { lost }) => {
                tracing::warn!(?lost, "another process has taken these partitions over; this one begins again");
                self.drop_uncommitted();
                self.member
                    .rejoin(&self.settings.inputs.iter().map(|input| input.topic.as_str()).collect::<Vec<_>>())?;
                return Ok(());
            }
            Err(CommitError::Lake(error)) => return Err(error.into()),
        }
        let mut shown = Vec::with_capacity(self.tasks.len());
        for (place, task) in &mut self.tasks {
            task.claim.txn += 1;
            task.claim.state = json!({"offset": task.done, "newest_us": task.newest_us});
            shown.push((place.clone(), Offset::Offset(task.done)));
        }
        self.progress.committed(flows.iter().map(|file| file.rows()).sum());
        self.member.show_offsets(&shown);
        Ok(())
    }
}

impl Task {
    fn take(&mut self, payload: Option<&[u8]>, offset: i64, received_us: i64) {
        if offset < self.taken {
            return;
        }
        self.taken = offset + 1;
        self.last_record = clock::instant();
        if self.state == InputState::Idle {
            self.state = InputState::Live;
        }
        let message = payload.unwrap_or_default();
        message::take(message, offset as u64, received_us, &mut self.pending, &mut self.records);
    }

    fn watermark_us(&self, lateness_us: i64) -> i64 {
        if self.newest_us == i64::MIN { i64::MIN } else { self.newest_us.saturating_sub(lateness_us) }
    }

    /// What the lake's log keeps of the task.
    fn describe(&self, engine: &Engine, lateness_us: i64) -> String {
        json!({
            "owner": tasks::owner(),
            "offset": self.done,
            "newest_us": self.newest_us,
            "watermark_us": self.watermark_us(lateness_us),
            "rules": engine.rules.digest(),
            "tables": engine.tables.digest(),
        })
        .to_string()
    }
}

/// Sorts hits by the partition of the hits topic that their key belongs to.
fn route(hits: &HitBatch, routed: &mut [HitBatch]) -> Result<(), Failure> {
    for hit in hits.iter() {
        let to = (hit.key_hash() % routed.len() as u64) as usize;
        let mut parts = hit.parts();
        if let Some(source) = hits.source(parts.event.source) {
            parts.event.source = routed[to].source_index(source)?;
        }
        routed[to].push(parts)?;
    }
    Ok(())
}
