//! Stage 2 of a streaming run: hits of the hits topic become alerts.
//!
//! Each hits partition has a correlator of its own, whose keys no other partition has. Its watermark is the smallest of
//! all input partitions that are not idle; an input partition that has never been heard of holds it back, because its events
//! may be old. Once an epoch the alerts are acknowledged, then the correlators' state is written as a snapshot, then one commit to
//! the `alerts` table records all of it together with the offset in the hits topic: whoever owns the partition next goes on
//! from exactly there.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::message::Message;
use rdkafka::topic_partition_list::Offset;
use rules::correlate::Correlator;
use rules::hit::HitBatch;
use schemas::alert::Alert;
use serde_json::json;

use super::client::Producer;
use super::inputs::Inputs;
use super::settings::{Settings, Until};
use super::tasks::{self, Claim};
use super::wire::HitsMessage;
use crate::clock;
use crate::counts::Progress;
use crate::error::Failure;
use crate::forms;
use crate::sink::lake::{CommitError, Lake, Table, TableWriter};
use crate::source::kafka::{Member, Polled, TopicPartition};
use crate::stages::Engine;

/// How long a poll waits.
const WAIT: Duration = Duration::from_millis(50);
/// How long metadata may take.
const METADATA_WAIT: Duration = Duration::from_secs(20);

/// One hits partition that this process owns.
struct Task {
    claim: Claim,
    next_offset: i64,
    inputs: Inputs,
    correlator: Correlator,
    finished: bool,
}

/// The worker of stage 2.
pub struct Stage2 {
    settings: Arc<Settings>,
    engine: Arc<Engine>,
    lake: Arc<Lake>,
    progress: Arc<Progress>,
    member: Member,
    producer: Producer,
    tasks: HashMap<TopicPartition, Task>,
    alerts: TableWriter,
    /// Every input partition of the run.
    input_partitions: Arc<[TopicPartition]>,
    epoch_began: Instant,
    dirty: bool,
    /// Whether the group has said what is this member's. Between a revocation and the next assignment it has not, and then
    /// no partition at hand does not mean that nothing is left to do.
    assigned: bool,
}

impl Stage2 {
    /// Joins the group of the hits topic.
    ///
    /// # Errors
    /// What the client says of its configuration.
    pub fn new(
        settings: &Arc<Settings>,
        engine: &Arc<Engine>,
        lake: &Arc<Lake>,
        progress: &Arc<Progress>,
        input_partitions: &Arc<[TopicPartition]>,
    ) -> Result<Stage2, Failure> {
        let client = settings.client.clone().set("group.id", format!("{}-hits", settings.group)).to_owned();
        Ok(Stage2 {
            member: Member::join(&client, &[&settings.hits_topic])?,
            producer: Producer::new(&settings.client)?,
            tasks: HashMap::new(),
            alerts: lake.writer(Table::Alerts),
            input_partitions: input_partitions.clone(),
            epoch_began: clock::instant(),
            dirty: false,
            assigned: false,
            settings: settings.clone(),
            engine: engine.clone(),
            lake: lake.clone(),
            progress: progress.clone(),
        })
    }

    /// Works until `stop` is set, or until a draining run has come to its end.
    ///
    /// # Errors
    /// A broker, the lake or a topic fails for good.
    pub fn run(&mut self, stop: &AtomicBool, told: &dyn Fn(&[Alert])) -> Result<(), Failure> {
        while !stop.load(Ordering::Relaxed) {
            self.poll(told)?;
            if clock::instant().duration_since(self.epoch_began) >= self.settings.epoch {
                self.commit()?;
            }
            let drained =
                self.settings.until == Until::Drained && self.assigned && self.tasks.values().all(|task| task.finished);
            if drained {
                return self.commit();
            }
        }
        self.commit()
    }

    fn poll(&mut self, told: &dyn Fn(&[Alert])) -> Result<(), Failure> {
        match self.member.poll(WAIT)? {
            Polled::Nothing | Polled::End(_) => Ok(()),
            Polled::Assigned(places) => self.assigned(&places),
            Polled::Revoked => {
                self.drop_uncommitted();
                Ok(())
            }
            Polled::Message(message) => {
                let place = TopicPartition { topic: message.topic().to_owned(), partition: message.partition() };
                let Some(task) = self.tasks.get_mut(&place) else { return Ok(()) };
                if message.offset() < task.next_offset {
                    return Ok(());
                }
                task.next_offset = message.offset() + 1;
                self.dirty = true;
                let Some(payload) = message.payload() else { return Ok(()) };
                let mut alerts = Vec::new();
                match HitsMessage::decode(payload) {
                    Ok(hits) => {
                        tracing::debug!(input = hits.partition, next = hits.next_offset, state = ?hits.state, watermark = hits.watermark_us, to = place.partition, "hits");
                        task.take(&hits, &self.engine, &mut alerts)?;
                    }
                    Err(error) => {
                        tracing::error!(%error, partition = place.partition, offset = message.offset(), "hits topic: a message was left out")
                    }
                }
                told(&alerts);
                self.send(&alerts)
            }
        }
    }

    /// Claims the partitions and loads what their last owners have left.
    fn assigned(&mut self, places: &[TopicPartition]) -> Result<(), Failure> {
        self.drop_uncommitted();
        let names: Vec<String> =
            places.iter().map(|place| tasks::app_id(&self.settings.group, "alerts", place)).collect();
        let claims = tasks::claim(&self.lake, Table::Alerts, &names)?;
        let budget = self.settings.state_budget_bytes / places.len().max(1);
        let mut at = Vec::with_capacity(places.len());
        for (place, claim) in places.iter().zip(claims) {
            let mut inputs = Inputs::new(&self.input_partitions);
            let correlator = match claim.state["snapshot"].as_str() {
                None => self.engine.correlator(budget)?,
                Some(path) => {
                    let bytes = self.lake.read_file(path)?;
                    let rest = inputs.restore(&bytes).ok_or_else(|| damaged(path))?;
                    let (correlator, left) = self.engine.restore(budget, rest).map_err(|_| damaged(path))?;
                    if left > 0 {
                        tracing::warn!(keys = left, "rules have changed: what the old ones had open ends here");
                    }
                    correlator
                }
            };
            let next_offset = match claim.state["offset"].as_i64() {
                Some(offset) => offset,
                None => self.member.bounds(place, METADATA_WAIT)?.0,
            };
            let finished = claim.state["finished"].as_bool() == Some(true)
                && self.settings.until == Until::Drained
                && inputs.all_ended();
            at.push((place.clone(), Offset::Offset(next_offset)));
            self.tasks.insert(place.clone(), Task { claim, next_offset, inputs, correlator, finished });
        }
        self.member.assign(&at)?;
        self.assigned = true;
        Ok(())
    }

    fn drop_uncommitted(&mut self) {
        self.tasks.clear();
        self.assigned = false;
        self.alerts = self.lake.writer(Table::Alerts);
        self.epoch_began = clock::instant();
        self.dirty = false;
    }

    fn send(&mut self, alerts: &[Alert]) -> Result<(), Failure> {
        if alerts.is_empty() {
            return Ok(());
        }
        let mut text = Vec::new();
        for alert in alerts {
            text.clear();
            forms::alert(self.settings.alerts_form, alert, &mut text);
            let mut key = alert.rule_id.as_bytes().to_vec();
            for (_, value) in &alert.group {
                key.push(b'|');
                key.extend_from_slice(value.as_bytes());
            }
            self.producer.send(&self.settings.alerts_topic, None, &key, &text)?;
        }
        self.alerts.write(&schemas::arrow::alerts_to_record_batch(alerts))?;
        self.progress.alerts(alerts.len() as u64);
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Failure> {
        self.epoch_began = clock::instant();
        if !self.dirty || self.tasks.is_empty() {
            return Ok(());
        }
        self.producer.flush()?;
        let files = self.alerts.finish()?;
        let (mut txns, mut domains, mut shown) = (Vec::new(), Vec::new(), Vec::new());
        let mut replaced = Vec::new();
        for (place, task) in &mut self.tasks {
            let txn = task.claim.txn + 1;
            let path = format!("_state/{}/{}-{txn}.snapshot", place.topic, place.partition);
            let mut bytes = task.inputs.snapshot();
            bytes.extend_from_slice(&task.correlator.snapshot());
            self.lake.write_file(&path, &bytes)?;
            let state = json!({
                "owner": tasks::owner(),
                "offset": task.next_offset,
                "snapshot": path,
                "watermark_us": task.inputs.watermark_us(),
                "finished": task.finished,
                "rules": self.engine.rules.digest(),
            });
            txns.push((task.claim.name.clone(), txn));
            domains.push((task.claim.name.clone(), state.to_string()));
            shown.push((place.clone(), Offset::Offset(task.next_offset)));
            replaced.extend(task.claim.state["snapshot"].as_str().map(str::to_owned));
            task.claim.state = state;
        }
        match self.lake.commit(Table::Alerts, &files, &txns, &domains) {
            Ok(_) => {}
            Err(CommitError::Conflict { lost }) => {
                tracing::warn!(?lost, "another process has taken these hits partitions over; this one begins again");
                self.drop_uncommitted();
                self.member.rejoin(&[&self.settings.hits_topic])?;
                return Ok(());
            }
            Err(CommitError::Lake(error)) => return Err(error.into()),
        }
        for task in self.tasks.values_mut() {
            task.claim.txn += 1;
        }
        self.dirty = false;
        // Nobody refers to the old snapshots any more; one that stays behind costs only its bytes.
        for path in replaced {
            if let Err(error) = self.lake.remove_file(&path) {
                tracing::debug!(%error, path, "an old snapshot stays behind");
            }
        }
        self.member.show_offsets(&shown);
        Ok(())
    }
}

impl Task {
    fn take(&mut self, message: &HitsMessage<'_>, engine: &Engine, alerts: &mut Vec<Alert>) -> Result<(), Failure> {
        let Some(seen) = self.inputs.take(message) else { return Ok(()) };
        if !message.hits.is_empty() {
            let (hits, plan) = HitBatch::decode(message.hits)?;
            if plan == engine.plan.digest64() {
                let new = hits.iter().filter(|hit| hit.event().offset as i64 >= seen);
                self.correlator.push_some(&hits, new, alerts);
            } else {
                tracing::warn!(
                    source = message.source,
                    partition = message.partition,
                    hits = hits.len(),
                    "hits of other rules were left out"
                );
            }
        }
        if self.inputs.all_ended() {
            if !self.finished {
                self.correlator.finish(alerts);
                self.finished = true;
            }
        } else if let Some(watermark_us) = self.inputs.watermark_us() {
            self.correlator.advance(watermark_us, alerts);
        }
        Ok(())
    }
}

/// A snapshot that can't be read.
fn damaged(path: &str) -> Failure {
    let reason = "the state's snapshot there is damaged; restore it, or begin again with another kafka.group";
    Failure::Lake { path: path.into(), reason: reason.to_owned(), full: false }
}
