//! Promise 2: the same logs give the same alerts, with the same ids, as files and through Kafka, in any partitioning, in any
//! arrival order within the lateness, and split over processes.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use support::broker::Broker;
use support::incident::{Scenario, batch_alerts, run_alerts};

/// Lines of the incident: enough for every planted step and all the noise around it.
const LINES: usize = 40_000;

fn check(broker: &Broker, partitions: i32, members: usize, seed: u64) {
    let scenario = Scenario::incident(LINES);
    let want = batch_alerts(&scenario);
    assert!(want.len() >= 4, "the incident raises alerts: {want:#?}");
    let lines = scenario.shuffled_within_lateness(seed);
    let got = run_alerts(broker, &lines, partitions, members);
    assert_eq!(got, want, "{partitions} partitions, {members} members, seed {seed}");
}

#[test]
fn files_in_any_order_and_number_give_the_same_alerts() {
    let scenario = Scenario::incident(LINES);
    let want = batch_alerts(&scenario);
    for seed in 0..3 {
        let mut other = scenario.clone();
        other.lines = Arc::new(scenario.shuffled_wholly(seed));
        other.files = 1 + seed as usize * 3;
        assert_eq!(batch_alerts(&other), want, "seed {seed}");
    }
}

#[test]
fn one_partition_gives_the_alerts_of_the_batch() {
    check(&Broker::mock(), 1, 1, 1);
}

#[test]
fn messages_of_several_lines_give_the_alerts_of_the_batch() {
    let scenario = Scenario::incident(LINES);
    let messages = Scenario::in_messages(&scenario.shuffled_within_lateness(7), 7);
    assert!(messages.len() < LINES / 3);
    assert_eq!(run_alerts(&Broker::mock(), &messages, 3, 1), batch_alerts(&scenario));
}

#[test]
fn three_partitions_give_the_alerts_of_the_batch() {
    check(&Broker::mock(), 3, 1, 2);
}

#[test]
fn eight_partitions_over_two_members_give_the_alerts_of_the_batch() {
    check(&Broker::mock(), 8, 2, 3);
}

#[test]
fn a_real_kafka_gives_the_alerts_of_the_batch() {
    let Some(broker) = Broker::real("a_real_kafka_gives_the_alerts_of_the_batch") else { return };
    for (partitions, members, seed) in [(1, 1, 4), (3, 2, 5), (8, 2, 6)] {
        check(&broker, partitions, members, seed);
    }
}
