//! Every family against its fixtures: what it makes of each line, and why it refuses those that it must refuse.
//!
//! `BLESS=1 cargo test -p parsers --test golden` writes the expectations anew; then read the difference.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::fs;

use common::{Outcome, fixtures, lines, run};
use parsers::{FAMILIES, Format, Parsed};

fn one_line(outcome: &Outcome) -> String {
    match outcome {
        Ok((Parsed::Nothing, _)) => "{}".into(),
        Ok((Parsed::Events, rows)) if rows.len() == 1 => rows[0].clone(),
        Ok((Parsed::Events, rows)) => format!("[{}]", rows.join(",")),
        Err(reject) => format!("refused: {reject}"),
    }
}

/// Compares, or writes the file anew under `BLESS=1`.
fn check_file(path: &std::path::Path, found: &str) {
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, found).unwrap();
        return;
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    for (at, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "{}, line {}", path.display(), at + 1);
    }
    assert_eq!(
        found.lines().count(),
        expected.lines().count(),
        "{}: number of lines; BLESS=1 writes it anew",
        path.display()
    );
}

#[test]
fn families_and_fixture_folders_are_the_same_list() {
    let listed: BTreeSet<String> = FAMILIES.iter().map(|family| family.name().to_string()).collect();
    let folders: BTreeSet<String> =
        fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(listed, folders, "families! in families/mod.rs on the left, parsers/fixtures on the right");
}

#[test]
fn a_family_has_an_accept_case_a_reject_case_and_says_where_its_lines_come_from() {
    for family in FAMILIES {
        let folder = fixtures().join(family.name());
        for file in ["ABOUT.md", "lines.log", "rejects.log"] {
            let length = fs::metadata(folder.join(file)).map(|file| file.len()).unwrap_or(0);
            assert!(length > 0, "{}/{file} is missing or empty", family.name());
        }
    }
}

#[test]
fn each_line_gives_the_expected_rows() {
    for (index, family) in FAMILIES.iter().enumerate() {
        let folder = fixtures().join(family.name());
        let text = fs::read(folder.join("lines.log")).unwrap();
        let found: String =
            run(Format::Family(index), &text, 1000).iter().map(|outcome| one_line(outcome) + "\n").collect();
        for (at, line) in found.lines().enumerate() {
            assert!(!line.starts_with("refused"), "{}/lines.log, line {}: {line}", family.name(), at + 1);
        }
        check_file(&folder.join("expected.ndjson"), &found);
    }
}

#[test]
fn each_refused_line_says_where_and_why() {
    for (index, family) in FAMILIES.iter().enumerate() {
        let folder = fixtures().join(family.name());
        let text = fs::read(folder.join("rejects.log")).unwrap();
        let mut found = String::new();
        for (at, outcome) in run(Format::Family(index), &text, 1000).iter().enumerate() {
            match outcome {
                Err(reject) => found.push_str(&format!("line {}: {reject}\n", at + 1)),
                Ok(_) => panic!("{}/rejects.log, line {} was taken: {}", family.name(), at + 1, one_line(outcome)),
            }
        }
        check_file(&folder.join("rejects.expected.txt"), &found);
    }
}

#[test]
fn auto_reads_every_fixture_line_as_its_own_family_does() {
    for (index, family) in FAMILIES.iter().enumerate() {
        let text = fs::read(fixtures().join(family.name()).join("lines.log")).unwrap();
        let own = run(Format::Family(index), &text, 1000);
        let auto = run(Format::Auto, &text, 1000);
        for (at, (own, auto)) in own.iter().zip(&auto).enumerate() {
            let line = String::from_utf8_lossy(lines(&text)[at]).into_owned();
            assert_eq!(one_line(own), one_line(auto), "{}/lines.log, line {}: {line}", family.name(), at + 1);
        }
    }
}

#[test]
fn every_row_says_its_family_and_kind() {
    for (index, family) in FAMILIES.iter().enumerate() {
        let text = fs::read(fixtures().join(family.name()).join("lines.log")).unwrap();
        for (_, rows) in run(Format::Family(index), &text, 1000).into_iter().flatten() {
            for row in rows {
                let row: serde_json::Value = serde_json::from_str(&row).unwrap();
                if row["reject"].is_string() {
                    continue;
                }
                assert!(row["family"].is_string() && row["kind"].is_string(), "{}: {row}", family.name());
            }
        }
    }
}
