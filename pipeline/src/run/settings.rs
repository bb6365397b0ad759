//! What a streaming run is told, as typed values. The configuration file and the demo both make one.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::config::ClientConfig;

use crate::config::{Form, Start};
use crate::stages::Reading;

/// One input topic.
#[derive(Clone, Debug)]
pub struct Input {
    /// The topic.
    pub topic: String,
    /// How its records are read: family, zone, tenant.
    pub reading: Reading,
}

/// When a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// When it is told to.
    Stopped,
    /// When all that the input topics hold has been worked off.
    Drained,
}

/// A streaming run.
#[derive(Clone)]
pub struct Settings {
    /// Brokers, TLS, SASL and whatever else the client is told.
    pub client: ClientConfig,
    /// Name of the consumer group; also of the tasks in the lake's log.
    pub group: String,
    /// Input topics.
    pub inputs: Arc<[Input]>,
    /// Where a new group begins.
    pub start: Start,
    /// How much later than the newest event of its partition an event may come and still count, microseconds.
    pub lateness_us: i64,
    /// After how long without records a partition no longer holds the watermark back.
    pub idle_after: Duration,
    /// Topic of the hits, between the two stages.
    pub hits_topic: String,
    /// Its number of partitions, where it has to be made.
    pub hits_partitions: i32,
    /// Topic of the alerts.
    pub alerts_topic: String,
    /// Form of the alerts.
    pub alerts_form: Form,
    /// Topic of the enriched events and their form, if they are wanted there.
    pub events: Option<(String, Form)>,
    /// How often what has been done is committed.
    pub epoch: Duration,
    /// Threads of stage 1.
    pub workers: usize,
    /// When to end.
    pub until: Until,
    /// Bytes of state that the correlators of this process may use together.
    pub state_budget_bytes: usize,
}
