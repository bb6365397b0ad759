//! The Kafka client as all parts of a run use it: one configuration, one producer with acknowledgements, plain messages.

use std::sync::Mutex;
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};

/// Passes on what librdkafka says of itself, at its own level.
pub fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
            tracing::warn!(facility, "kafka: {message}");
        }
        RDKafkaLogLevel::Warning | RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
            tracing::info!(facility, "kafka: {message}")
        }
        RDKafkaLogLevel::Debug => tracing::debug!(facility, "kafka: {message}"),
    }
}

/// The first thing that went wrong with a message that was handed over.
#[derive(Default)]
pub struct Deliveries {
    failed: Mutex<Option<(KafkaError, String)>>,
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "kafka");
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, message)) = result {
            let mut failed = self.failed.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            failed.get_or_insert_with(|| (error.clone(), message.topic().to_owned()));
        }
    }
}

/// A message that could not be delivered.
#[derive(Debug)]
pub struct DeliveryError {
    /// Topic that it was for.
    pub topic: String,
    /// What the client says.
    pub error: KafkaError,
}

impl std::fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "cannot write to topic `{}`: {}; check that it exists, that this user may write to it and that its brokers are up",
            self.topic, self.error
        )
    }
}

impl std::error::Error for DeliveryError {}

/// A producer whose messages are known to have arrived once [`Producer::flush`] has returned.
pub struct Producer {
    inner: ThreadedProducer<Deliveries>,
}

/// How long a flush waits before it calls the brokers unreachable.
const FLUSH_WAIT: Duration = Duration::from_secs(60);

impl Producer {
    /// An idempotent producer: no message twice and none out of order, as long as it lives.
    ///
    /// # Errors
    /// What the client says of its configuration.
    pub fn new(config: &ClientConfig) -> Result<Producer, KafkaError> {
        let inner = config
            .clone()
            .set("enable.idempotence", "true")
            .set("partitioner", "murmur2_random")
            .set("linger.ms", "5")
            .set("compression.codec", "lz4")
            .set("queue.buffering.max.messages", "200000")
            .set("message.max.bytes", "16000000")
            .create_with_context(Deliveries::default())?;
        Ok(Producer { inner })
    }

    /// Hands a message over; waits while the queue is full.
    ///
    /// # Errors
    /// The client refuses it (too large, unknown topic), or an earlier one has failed.
    pub fn send(&self, topic: &str, partition: Option<i32>, key: &[u8], payload: &[u8]) -> Result<(), DeliveryError> {
        let mut record = BaseRecord::to(topic).key(key).payload(payload);
        if let Some(partition) = partition {
            record = record.partition(partition);
        }
        loop {
            match self.inner.send(record) {
                Ok(()) => return self.check(),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    record = back;
                    self.inner.poll(Duration::from_millis(10));
                    self.check()?;
                }
                Err((error, _)) => return Err(DeliveryError { topic: topic.to_owned(), error }),
            }
        }
    }

    /// Waits until all that was handed over has arrived.
    ///
    /// # Errors
    /// Something has not.
    pub fn flush(&self) -> Result<(), DeliveryError> {
        let flushed = self.inner.flush(FLUSH_WAIT);
        self.check()?;
        flushed.map_err(|error| DeliveryError { topic: "(any)".to_owned(), error })
    }

    fn check(&self) -> Result<(), DeliveryError> {
        let failed = self.inner.context().failed.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match failed.as_ref() {
            None => Ok(()),
            Some((error, topic)) => Err(DeliveryError { topic: topic.clone(), error: error.clone() }),
        }
    }
}
