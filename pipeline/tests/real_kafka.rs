//! The broker of the tests itself: what was acknowledged is there after a crash, and nothing is left behind.
#![allow(clippy::unwrap_used)]

mod support;

use support::kafka::Broker;

#[test]
fn acknowledged_records_survive_a_kill_of_the_broker() {
    let Some(libs) = support::need("acknowledged_records_survive_a_kill_of_the_broker", "PORTOLAN_KAFKA_LIBS") else {
        return;
    };
    let mut broker = Broker::start(&libs);
    broker.client().make_topic("lines", 3);
    let lines: Vec<Vec<u8>> = (0..3_000).map(|n| format!("line {n}").into_bytes()).collect();
    broker.client().produce("lines", 3, lines.iter().map(Vec::as_slice));
    broker.kill();
    broker.start_again();
    broker.client().produce_to("lines", 2, [b"after the crash".as_slice()]);
    let records = broker.client().read_all("lines");
    assert_eq!(records.len(), 3_001);
    assert_eq!(records.last().unwrap().value, b"after the crash");
    assert!(records.iter().take(1_000).all(|record| record.partition == 0));
    assert_eq!(broker.client().committed("nobody", "lines", 3), [-1, -1, -1]);
    broker.stop();
    broker.start_again();
    assert_eq!(broker.client().read_all("lines").len(), 3_001);
}
