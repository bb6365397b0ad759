//! A run that is killed loses nothing: a million lines through a real Kafka, SIGKILL twice in between, and the lake has each event
//! once and the alerts topic every alert that a batch over the same lines finds.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::incident::{Scenario, batch_alerts, last_revisions};
use support::kafka::Broker;
use support::need;

const LINES: usize = 1_000_000;
const PATIENCE: Duration = Duration::from_secs(300);

#[test]
fn two_kills_lose_no_event_and_no_alert() {
    let Some(libs) = need("two_kills_lose_no_event_and_no_alert", "PORTOLAN_KAFKA_LIBS") else { return };
    let broker = Broker::start(&libs);
    let client = broker.client();
    for (topic, partitions) in [("logs", 3), ("hits", 4), ("alerts", 1)] {
        client.make_topic(topic, partitions);
    }
    let scenario = Scenario::incident(LINES);
    client.produce("logs", 3, scenario.lines.iter().map(|line| line.text.as_slice()));

    let folder = tempfile::tempdir().unwrap();
    let flows = folder.path().join("lake/flows/_delta_log");
    write_config(folder.path(), &broker.address());
    for until in [LINES / 6, LINES / 2] {
        let mut run = start(folder.path(), &[]);
        wait_until("events to be committed", || rows(&flows) >= until || run.try_wait().unwrap().is_some());
        assert!(run.try_wait().unwrap().is_none(), "the run ended by itself: {}", log(folder.path()));
        run.kill().unwrap();
        run.wait().unwrap();
        assert!(rows(&flows) < LINES, "the kill came too late to mean anything");
    }
    let mut run = start(folder.path(), &["--drain"]);
    wait_until("the rest to be worked off", || run.try_wait().unwrap().is_some());
    assert!(run.wait().unwrap().success(), "{}", log(folder.path()));

    assert_eq!(rows(&flows), LINES, "each event once");
    let sent = client.read_all("alerts");
    let got = last_revisions(sent.iter().map(|record| record.value.as_slice()));
    assert_eq!(got, batch_alerts(&scenario), "every alert, id for id");
}

fn write_config(folder: &Path, address: &str) {
    fs::write(folder.join("assets.csv"), pipeline::demo::estate::ASSETS_CSV).unwrap();
    let config = format!(
        "kafka:
  brokers: [{address}]
  group: killed
  properties:
    session.timeout.ms: 6000
input:
  topics: [logs]
  start: earliest
  lateness: 2m
  idle_after: 1h
topics:
  hits: hits
  alerts: alerts
lake:
  path: lake
  epoch: 1s
assets: [assets.csv]
workers: 2
"
    );
    fs::write(folder.join("portolan.yaml"), config).unwrap();
}

fn start(folder: &Path, more: &[&str]) -> Child {
    let stderr = fs::File::options().create(true).append(true).open(folder.join("log.txt")).unwrap();
    let mut run = Command::new(env!("CARGO_BIN_EXE_portolan"));
    run.current_dir(folder).args(["run", "-v", "-c", "portolan.yaml"]).args(more);
    run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr).spawn().unwrap()
}

/// Rows that the table's log speaks of.
fn rows(log: &Path) -> usize {
    let Ok(commits) = fs::read_dir(log) else { return 0 };
    let files =
        commits.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "json"));
    let texts: Vec<String> = files.filter_map(|path| fs::read_to_string(path).ok()).collect();
    let actions =
        texts.iter().flat_map(|text| text.lines()).filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let stats = actions.filter_map(|action| action["add"]["stats"].as_str().map(str::to_owned));
    stats.map(|stats| serde_json::from_str::<Value>(&stats).unwrap()["numRecords"].as_u64().unwrap() as usize).sum()
}

fn log(folder: &Path) -> String {
    let text = fs::read_to_string(folder.join("log.txt")).unwrap_or_default();
    text.lines().rev().take(30).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n")
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "still waiting for {what} after {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}
