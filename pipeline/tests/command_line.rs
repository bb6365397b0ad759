//! The command as a user meets it: what it prints where, and its exit codes.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Runs the command in a folder; gives code, stdout and stderr.
fn portolan(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_portolan")).args(arguments).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

const RULE: &str = "\
title: Many refused logins
id: 5f5a3a3e-0a3c-4a26-9b0a-3f4f1d4c6a11
name: many_refused_logins
status: test
level: medium
correlation:
  type: event_count
  rules: [refused_login]
  group-by: [src_ip]
  timespan: 5m
  condition: {gte: 5}
---
title: Refused login
id: 0d6c2f0c-6b0f-4d43-8f0e-0b8fd5a3f0c2
name: refused_login
status: test
level: low
logsource: {product: linux}
detection:
  login: {kind: auth, outcome: failure}
  condition: login
";

const EVENTS: &str = "\
fire:
  - name: six guesses in a minute
    alerts: 1
    lines:
      - repeat: 6
        every: 10s
        line: '<86>${time %b %e %H:%M:%S} web01 sshd[${n+100}]: Failed password for root from 192.0.2.66 port ${n+40000} ssh2'
quiet:
  - name: two guesses
    lines:
      - repeat: 2
        every: 10s
        line: '<86>${time %b %e %H:%M:%S} web01 sshd[${n+100}]: Failed password for root from 192.0.2.66 port ${n+40000} ssh2'
";

fn rules_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("my")).unwrap();
    fs::write(folder.path().join("my/guesses.yaml"), RULE).unwrap();
    fs::write(folder.path().join("my/guesses.events.yaml"), EVENTS).unwrap();
    folder
}

#[test]
fn a_rule_with_right_events_passes_its_test() {
    let folder = rules_folder();
    let (code, out, err) = portolan(folder.path(), &["rules", "test", "my"]);
    assert_eq!((code, out.lines().count()), (0, 2), "{out}{err}");
    assert!(out.contains("ok    my/guesses.yaml: six guesses in a minute"), "{out}");
}

#[test]
fn a_rule_whose_events_say_otherwise_fails_with_code_1_and_says_what_it_got() {
    let folder = rules_folder();
    fs::write(folder.path().join("my/guesses.events.yaml"), EVENTS.replace("repeat: 6", "repeat: 4")).unwrap();
    let (code, out, err) = portolan(folder.path(), &["rules", "test", "my"]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("FAIL  my/guesses.yaml: six guesses in a minute\n        expected one alert, got 0"), "{out}");
    assert!(err.contains("1 cases passed, 1 failed"), "{err}");
}

#[test]
fn a_refused_line_and_missing_events_fail_a_rule_test() {
    let folder = rules_folder();
    let broken =
        EVENTS.replace("repeat: 2\n        every: 10s\n", "repeat: 2\n      - line: '{\"no\": '\n      - repeat: 2\n");
    fs::write(
        folder.path().join("my/guesses.events.yaml"),
        broken.replace("      - repeat: 2\n      - line", "      - line"),
    )
    .unwrap();
    let (code, out, _) = portolan(folder.path(), &["rules", "test", "my"]);
    assert!(code == 1 && out.contains("are refused, the first one: line 1"), "{out}");
    fs::remove_file(folder.path().join("my/guesses.events.yaml")).unwrap();
    let (code, out, _) = portolan(folder.path(), &["rules", "test", "my"]);
    assert!(code == 1 && out.contains("no events beside it"), "{out}");
}

#[test]
fn mistakes_in_rules_end_with_code_2_and_their_place() {
    let folder = rules_folder();
    fs::write(folder.path().join("my/guesses.yaml"), RULE.replace("condition: login", "condition: logon")).unwrap();
    for command in ["list", "lint", "test"] {
        let (code, _, err) = portolan(folder.path(), &["rules", command, "my"]);
        assert_eq!(code, 2, "{err}");
        assert!(err.contains("my/guesses.yaml:21:") && err.contains("logon"), "{err}");
    }
}

#[test]
fn the_library_is_listed_linted_and_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = portolan(folder.path(), &["rules", "list", "--json"]);
    assert_eq!(code, 0, "{err}");
    let alerting = out.lines().filter(|line| line.contains("\"alerts\":true")).count();
    assert!(alerting >= 12, "{alerting} rules alert");
    assert_eq!(portolan(folder.path(), &["rules", "lint"]).0, 0);
}

#[test]
fn every_rule_of_the_library_fires_on_its_events_and_is_quiet_on_the_others() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let (code, out, err) = portolan(root, &["rules", "test", "rules/library"]);
    assert_eq!(code, 0, "{out}{err}");
}

#[test]
fn validate_tells_the_mistakes_of_configuration_rules_and_assets_together() {
    let folder = rules_folder();
    fs::write(folder.path().join("my/guesses.yaml"), RULE.replace("condition: login", "condition: logon")).unwrap();
    fs::write(folder.path().join("assets.csv"), "address,colour\n10.0.0.1,red\n").unwrap();
    fs::write(
        folder.path().join("portolan.yaml"),
        "kafka: {brokers: [localhost]}\ninput: {topics: [logs]}\nlake: {pth: lake}\n",
    )
    .unwrap();
    let (code, out, err) =
        portolan(folder.path(), &["validate", "-c", "portolan.yaml", "--rules", "my", "--assets", "assets.csv"]);
    assert_eq!((code, out.as_str()), (2, ""));
    for part in [
        "portolan.yaml:1:19",
        "localhost:9092",
        "did you mean `path`?",
        "my/guesses.yaml:21:",
        "assets.csv:1:9: no column is called `colour`",
    ] {
        assert!(err.contains(part), "{part} is missing in\n{err}");
    }
}

#[test]
fn validate_is_content_with_what_is_right() {
    let folder = rules_folder();
    fs::write(
        folder.path().join("portolan.yaml"),
        "kafka: {brokers: [localhost:9092]}\ninput: {topics: [logs]}\nlake: {path: lake}\nrules: [my]\n",
    )
    .unwrap();
    let (code, _, err) = portolan(folder.path(), &["validate", "-c", "portolan.yaml"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("portolan.yaml: fine") && err.contains("2 documents, 1 of them alert"), "{err}");
}

#[test]
fn what_cannot_be_read_ends_with_code_3_and_what_is_not_understood_with_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, err) = portolan(folder.path(), &["run", "-c", "missing.yaml"]);
    assert!(code == 3 && err.contains("the configuration can't be read") && err.contains("missing.yaml"), "{err}");
    let (code, _, err) = portolan(folder.path(), &["parse", "missing.log"]);
    assert!(code == 3 && err.contains("missing.log"), "{err}");
    let (code, _, err) = portolan(folder.path(), &["parse", "--format", "cisco_asaa", "missing.log"]);
    assert!(code == 2 && err.contains("did you mean `cisco_asa`?"), "{err}");
    assert_eq!(portolan(folder.path(), &["parze"]).0, 2);
}

#[test]
fn a_source_may_mean_its_own_by_a_zones_name_and_have_its_own_range_of_believed_times() {
    let folder = tempfile::tempdir().unwrap();
    let line = "<190>46: r1: 000124: Jan  5 2026 11:00:01.250 CST: %SEC-6-IPACCESSLOGP: list 101 permitted udp 10.0.0.5(51000) -> 192.0.2.53(53), 12 packets\n";
    fs::write(folder.path().join("router.log"), line).unwrap();
    let parse = |options: &[&str]| {
        portolan(folder.path(), &[&["parse", "--format", "cisco_ios"], options, &["router.log"]].concat())
    };
    for (options, time) in
        [(&[][..], "2026-01-05T17:00:01.250000Z"), (&["--zone-name", "cst=+08:00"], "2026-01-05T03:00:01.250000Z")]
    {
        let (code, out, err) = parse(options);
        assert!(code == 0 && out.contains(time) && !out.contains("implausible"), "{out}{err}");
    }
    let (_, out, err) = parse(&["--earliest", "2026-01-06"]);
    assert!(out.contains("\"time_source\":\"implausible\""), "{out}{err}");
    for (options, advice) in [
        (["--zone-name", "CST=China"], "write hours and minutes east of Greenwich"),
        (["--earliest", "06.01.2026"], "write a day as `1980-01-01`"),
        (["--ahead", "1"], "write a number and a unit"),
    ] {
        let (code, _, err) = parse(&options);
        assert!(code == 2 && err.contains(advice), "{err}");
    }
}

#[test]
fn refused_lines_are_grouped_by_shape_and_come_back_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let line = |port: &str, host: u8| {
        format!(
            "date=2026-01-05 time=09:00:00 devname=\"fw{host}\" type=\"traffic\" srcip=10.0.0.{host} srcport={port}\n"
        )
    };
    let mut log: Vec<u8> = (1..=40).map(|host| line("99999999", host)).collect::<String>().into_bytes();
    log.extend_from_slice(b"what is \x1b[31m\xff this\n");
    fs::write(folder.path().join("in.log"), &log).unwrap();
    let (code, _, stderr) = portolan(folder.path(), &["batch", "in.log", "--format", "fortigate", "--out", "o", "-q"]);
    assert_eq!(code, 0, "{stderr}");

    for from in ["o", "o/rejects.ndjson", "o/lake"] {
        let (code, stdout, stderr) = portolan(folder.path(), &["rejects", from]);
        assert_eq!(code, 0, "{stderr}");
        assert!(stderr.contains("41 refused lines in 2 groups"), "{from}: {stderr}");
        let first = stdout.lines().nth(1).unwrap();
        assert!(
            first.trim_start().starts_with("1 ") && first.contains(" 40 ") && first.contains("fortigate"),
            "{stdout}"
        );
        assert!(!stdout.contains('\x1b'), "{stdout:?}");
    }
    let (_, detail, _) = portolan(folder.path(), &["rejects", "o", "--group", "1"]);
    assert!(detail.contains("in.log:1, byte ") && detail.contains("`99999999`"), "{detail}");
    let raw = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_portolan")).args(arguments).current_dir(folder.path()).output().unwrap().stdout
    };
    assert_eq!(raw(&["rejects", "o/rejects.ndjson", "--raw", "--group", "2"]), b"what is \x1b[31m\xff this\n");
    let mut all: Vec<Vec<u8>> =
        raw(&["rejects", "o", "--raw"]).split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let mut sent: Vec<Vec<u8>> = log.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    all.sort();
    sent.sort();
    assert_eq!(all, sent);

    let (code, _, stderr) = portolan(folder.path(), &["rejects", "in.log"]);
    assert_eq!(code, 3, "{stderr}");
    let (code, _, stderr) = portolan(folder.path(), &["rejects", "."]);
    assert!(code == 2 && stderr.contains("no refused records"), "{stderr}");
}
