//! A broker to run against: the client library's mock cluster, always; a real Apache Kafka where the test command has set one up.

use std::sync::atomic::{AtomicU32, Ordering};

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use super::kafka::{self, Client};
use super::need;

/// A broker to run against.
pub enum Broker {
    Mock(MockCluster<'static, DefaultProducerContext>),
    Real(Box<kafka::Broker>),
}

static NAMES: AtomicU32 = AtomicU32::new(0);

impl Broker {
    pub fn mock() -> Broker {
        Broker::Mock(MockCluster::new(1).unwrap())
    }

    /// A real one of its own; `None` where there is none to be had, which has been told as a skipped test.
    pub fn real(test: &str) -> Option<Broker> {
        need(test, "PORTOLAN_KAFKA_LIBS").map(|libs| Broker::Real(Box::new(kafka::Broker::start(&libs))))
    }

    /// A name for topics and groups that no other test of this process has.
    pub fn next_name(&self) -> String {
        format!("t{}", NAMES.fetch_add(1, Ordering::Relaxed))
    }

    pub fn client(&self) -> Client {
        match self {
            Broker::Mock(cluster) => Client::of(&cluster.bootstrap_servers()),
            Broker::Real(broker) => broker.client(),
        }
    }

    pub fn make_topic(&self, name: &str, partitions: i32) {
        match self {
            Broker::Mock(cluster) => cluster.create_topic(name, partitions, 1).unwrap(),
            Broker::Real(broker) => broker.client().make_topic(name, partitions),
        }
    }
}
