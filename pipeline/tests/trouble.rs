//! What goes wrong outside: a broker that is down, a topic that is not there, a full disk, a file that is not there. Each is a clear
//! message with its exit code, told by the program itself.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use pipeline::demo::generate::write_files;
use support::broker::Broker;

const PORTOLAN: &str = env!("CARGO_BIN_EXE_portolan");

fn run(folder: &Path, command: &mut Command) -> Output {
    command.current_dir(folder).output().unwrap()
}

fn check(output: &Output, code: i32, says: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    for text in says {
        assert!(stderr.contains(text), "`{text}` is not in: {stderr}");
    }
}

fn config(folder: &Path, address: &str) {
    let text = format!(
        "kafka:\n  brokers: [\"{address}\"]\n  group: g\ninput:\n  topics: [firewal]\ntopics:\n  alerts: alerts\nlake:\n  path: lake\n"
    );
    fs::write(folder.join("portolan.yaml"), text).unwrap();
}

#[test]
fn a_broker_that_is_down() {
    let folder = tempfile::tempdir().unwrap();
    // A port that was free a moment ago: nobody listens there.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    config(folder.path(), &address);
    let output = run(folder.path(), Command::new(PORTOLAN).args(["run", "-c", "portolan.yaml"]));
    check(&output, 3, &["no Kafka broker answers", &address, "what to do"]);
}

#[test]
fn a_topic_that_does_not_exist() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::mock();
    broker.make_topic("firewall", 1);
    config(folder.path(), broker.client().config().get("bootstrap.servers").unwrap());
    let output = run(folder.path(), Command::new(PORTOLAN).args(["run", "-c", "portolan.yaml"]));
    check(&output, 3, &["the topic `firewal` does not exist", "did you mean `firewall`?"]);
}

#[test]
fn a_file_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), Command::new(PORTOLAN).args(["batch", "missing.log", "--no-lake"]));
    check(&output, 3, &["the log file can't be read", "missing.log", "check the path"]);
}

#[test]
fn a_full_disk() {
    let folder = tempfile::tempdir().unwrap();
    write_files(&folder.path().join("logs"), 42, 20_000).unwrap();
    // A limit on the size of files refuses the write as a full disk does, and needs no rights.
    let limited = "trap '' XFSZ; ulimit -f 64; exec \"$0\" batch logs --out found";
    let output = run(folder.path(), Command::new("sh").args(["-c", limited, PORTOLAN]));
    check(&output, 3, &["the disk is full", "nothing that was committed is lost"]);
}
