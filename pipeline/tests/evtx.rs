//! Windows event log files end to end. What can be read of a damaged one is the matter of the crate `eventlog` and its tests.
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

#[cfg(not(feature = "evtx"))]
#[test]
fn without_the_feature_the_message_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Security.evtx"), b"ElfFile\0").unwrap();
    let (code, _, err) = portolan(folder.path(), &["batch", "Security.evtx", "--no-lake"]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("Security.evtx") && err.contains("--features evtx") && err.contains("wevtutil"), "{err}");
}

#[cfg(feature = "evtx")]
#[path = "../../eventlog/tests/support/mod.rs"]
mod support;

#[cfg(feature = "evtx")]
mod with_the_feature {
    use std::fs::File;
    use std::io::Write;

    use serde_json::Value;

    use super::support::{CHUNK, HEAD, chunk, file};
    use super::*;

    /// The events and refusals of a file, in order, by `portolan parse`.
    fn parsed(bytes: &[u8]) -> Vec<Value> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("log.evtx"), bytes).unwrap();
        let (code, out, err) = portolan(folder.path(), &["parse", "--format", "auto", "log.evtx"]);
        assert_eq!(code, 0, "{err}");
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn each_record_is_the_event_that_windows_shows() {
        let events = parsed(&file(&[chunk(1..4), chunk(4..6)]));
        assert_eq!(events.len(), 5);
        for (at, event) in events.iter().enumerate() {
            let number = at as u64 + 1;
            assert_eq!(event["family"], "windows_security", "{event}");
            assert_eq!(event["time"], format!("2026-05-04T07:12:{number:02}.004217Z"), "{event}");
            assert_eq!(event["src_ip"], format!("192.0.2.{number}"));
            assert_eq!(event["src_port"], 50111);
            assert_eq!(event["user"], "j<doe>");
            assert_eq!(event["event_code"], "4625");
            assert_eq!(event["outcome"], "failure");
            assert_eq!(event["host"], "srv1.corp.example");
        }
    }

    #[test]
    fn a_batch_reads_plain_and_packed_files_and_keeps_what_is_damaged() {
        let mut damaged = file(&[chunk(1..20), chunk(20..40), chunk(40..60)]);
        damaged[HEAD + CHUNK] = b'x';
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.evtx"), &damaged).unwrap();
        let mut packer = flate2::write::GzEncoder::new(
            File::create(folder.path().join("b.evtx.gz")).unwrap(),
            flate2::Compression::fast(),
        );
        packer.write_all(&file(&[chunk(1..11)])).unwrap();
        packer.finish().unwrap();
        let (code, _, err) = portolan(folder.path(), &["batch", "a.evtx", "b.evtx.gz", "--no-lake", "--out", "out"]);
        assert_eq!(code, 0, "{err}");
        let summary: Value =
            serde_json::from_slice(&fs::read(folder.path().join("out/summary.json")).unwrap()).unwrap();
        assert_eq!(summary["events"], 19 + 20 + 10, "{summary}");
        assert_eq!(summary["rejects"], 1, "{summary}");
        assert_eq!(summary["lines"], 50, "{summary}");
        let rejects = fs::read_to_string(folder.path().join("out/rejects.ndjson")).unwrap();
        let reject: Value = serde_json::from_str(rejects.trim_end()).unwrap();
        assert_eq!(reject["source"], "a.evtx");
        assert_eq!(reject["offset"], (HEAD + CHUNK) as u64);
        assert_eq!((&reject["family"], &reject["label"]), (&"evtx".into(), &"damaged".into()));
    }
}
