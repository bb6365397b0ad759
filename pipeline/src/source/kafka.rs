//! A member of a Kafka consumer group, as the stages need it: messages, and which partitions it has.
//!
//! Rebalances are not answered in the client's callback but handed to the caller, who must first claim the partitions in
//! the lake's log and learn from it where to go on: the lake is the truth, the group's offsets are only for display.
//! The eager protocol is used, so that an assignment is always the whole of it.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::bindings::rd_kafka_resp_err_t as RespErr;
use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

/// A partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
}

/// What a poll gave.
pub enum Polled<'a> {
    /// A message.
    Message(BorrowedMessage<'a>),
    /// These partitions are this member's now; [`Member::assign`] must follow.
    Assigned(Vec<TopicPartition>),
    /// No partition is this member's any more; what was not committed is lost to it.
    Revoked,
    /// One partition of that number, of whichever topic, has been read to its end.
    End(i32),
    /// Nothing for now.
    Nothing,
}

enum Rebalance {
    Assign(Vec<TopicPartition>),
    Revoke,
}

/// What the client tells us beside messages.
#[derive(Default)]
pub struct MemberContext {
    rebalances: Mutex<VecDeque<Rebalance>>,
    closing: AtomicBool,
}

impl MemberContext {
    fn push(&self, rebalance: Rebalance) {
        // A poisoned lock only says that another thread died; the queue itself is whole.
        self.rebalances.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push_back(rebalance);
    }

    fn pop(&self) -> Option<Rebalance> {
        self.rebalances.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).pop_front()
    }
}

impl ClientContext for MemberContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        crate::run::client::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // The end of a partition is told here, too; it is no error.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::PartitionEOF) {
            tracing::warn!(%error, reason, "kafka");
        }
    }
}

impl ConsumerContext for MemberContext {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, error: RespErr, list: &mut TopicPartitionList) {
        match error {
            RespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS if !self.closing.load(Ordering::Relaxed) => {
                self.push(Rebalance::Assign(partitions(list)));
            }
            _ => {
                // Here and not later: a consumer that is being closed waits for it.
                if let Err(error) = consumer.unassign() {
                    tracing::warn!(%error, "kafka: giving partitions back");
                }
                self.push(Rebalance::Revoke);
            }
        }
    }
}

fn partitions(list: &TopicPartitionList) -> Vec<TopicPartition> {
    let elements = list.elements();
    elements.iter().map(|e| TopicPartition { topic: e.topic().to_owned(), partition: e.partition() }).collect()
}

/// A member of a consumer group.
pub struct Member {
    consumer: BaseConsumer<MemberContext>,
}

/// A consumer that is being closed waits for the answer to an assignment that nobody will give any more: this is it.
impl Drop for Member {
    fn drop(&mut self) {
        self.consumer.context().closing.store(true, Ordering::Relaxed);
        if let Err(error) = self.consumer.unassign() {
            tracing::debug!(%error, "kafka: giving partitions back at the end");
        }
    }
}

impl Member {
    /// Joins the group and asks for a share of the topics' partitions.
    ///
    /// # Errors
    /// What the client says of its configuration or of the topics' names.
    pub fn join(config: &ClientConfig, topics: &[&str]) -> Result<Member, KafkaError> {
        let consumer: BaseConsumer<MemberContext> = config
            .clone()
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "error")
            .set("enable.partition.eof", "true")
            .set("partition.assignment.strategy", "range,roundrobin")
            .create_with_context(MemberContext::default())?;
        consumer.subscribe(topics)?;
        Ok(Member { consumer })
    }

    /// Waits at most `wait` for the next message or change.
    ///
    /// # Errors
    /// Errors that the client does not recover from by itself.
    pub fn poll(&self, wait: Duration) -> Result<Polled<'_>, KafkaError> {
        if let Some(rebalance) = self.consumer.context().pop() {
            return self.rebalance(rebalance);
        }
        match self.consumer.poll(wait) {
            None => match self.consumer.context().pop() {
                Some(rebalance) => self.rebalance(rebalance),
                None => Ok(Polled::Nothing),
            },
            Some(Ok(message)) => Ok(Polled::Message(message)),
            Some(Err(KafkaError::PartitionEOF(partition))) => Ok(Polled::End(partition)),
            Some(Err(error)) if passing(&error) => {
                tracing::warn!(%error, "kafka");
                Ok(Polled::Nothing)
            }
            Some(Err(error)) => Err(error),
        }
    }

    fn rebalance(&self, rebalance: Rebalance) -> Result<Polled<'_>, KafkaError> {
        match rebalance {
            Rebalance::Assign(list) => Ok(Polled::Assigned(list)),
            Rebalance::Revoke => Ok(Polled::Revoked),
        }
    }

    /// Begins to read the assigned partitions at these offsets.
    ///
    /// # Errors
    /// What the client says.
    pub fn assign(&self, at: &[(TopicPartition, Offset)]) -> Result<(), KafkaError> {
        self.consumer.assign(&list(at)?)
    }

    /// Leaves the group and joins it again: all partitions are dealt out anew.
    ///
    /// # Errors
    /// What the client says.
    pub fn rejoin(&self, topics: &[&str]) -> Result<(), KafkaError> {
        self.consumer.unsubscribe();
        self.consumer.subscribe(topics)
    }

    /// Whether a rebalance waits to be handled.
    pub fn rebalancing(&self) -> bool {
        let queue = self.consumer.context().rebalances.lock();
        !queue.unwrap_or_else(|poisoned| poisoned.into_inner()).is_empty()
    }

    /// Records offsets in the group, for display by Kafka's own tools. A failure is only worth a warning.
    pub fn show_offsets(&self, at: &[(TopicPartition, Offset)]) {
        let done = list(at).and_then(|list| self.consumer.commit(&list, CommitMode::Async));
        if let Err(error) = done {
            tracing::warn!(%error, "the group's offsets could not be recorded; they are for display only");
        }
    }

    /// First offset and the one after the last of a partition.
    ///
    /// # Errors
    /// What the broker says.
    pub fn bounds(&self, of: &TopicPartition, wait: Duration) -> Result<(i64, i64), KafkaError> {
        self.consumer.fetch_watermarks(&of.topic, of.partition, wait)
    }

    /// Number of partitions of a topic; `None` if it does not exist.
    ///
    /// # Errors
    /// The brokers can't be reached within `wait`.
    pub fn partitions_of(&self, topic: &str, wait: Duration) -> Result<Option<usize>, KafkaError> {
        let metadata = self.consumer.fetch_metadata(Some(topic), wait)?;
        let found = metadata.topics().iter().find(|known| known.name() == topic && known.error().is_none());
        Ok(found.map(|topic| topic.partitions().len()).filter(|count| *count > 0))
    }
}

fn list(at: &[(TopicPartition, Offset)]) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::with_capacity(at.len());
    for (place, offset) in at {
        list.add_partition_offset(&place.topic, place.partition, *offset)?;
    }
    Ok(list)
}

/// Errors that the client goes on trying to mend by itself.
fn passing(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        Some(
            Code::BrokerTransportFailure
                | Code::AllBrokersDown
                | Code::Resolve
                | Code::OperationTimedOut
                | Code::RequestTimedOut
                | Code::NotCoordinator
                | Code::CoordinatorNotAvailable
                | Code::CoordinatorLoadInProgress
                | Code::RebalanceInProgress
                | Code::LeaderNotAvailable
                | Code::NotLeaderForPartition
                | Code::MessageTimedOut
        )
    )
}
