//! Fixtures of passes: `fixtures/<pass>/events.ndjson` is what a parser would have set, one event a line;
//! `expected.ndjson` what all passes together make of the fields that this pass writes. `assets.csv`, where there is
//! one, is the inventory. `BLESS=1 cargo test -p enrichers` rewrites the expectations; read the diff.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use enrichers::{Geo, Options, PASSES, Tables, enrich, read_csv};
use schemas::{Column, Field, FlowBatch, Place, key};
use serde_json::{Map, Value};

const RECEIVED_US: i64 = 1_767_600_000_000_000;

fn batch_of(events: &str) -> FlowBatch {
    let block = Arc::new(events.as_bytes().to_vec());
    let mut batch = FlowBatch::new(16);
    batch.reset(block.clone(), Arc::from("fixture"), 0);
    for (at, line) in events.lines().enumerate() {
        let event: Map<String, Value> = serde_json::from_str(line).unwrap_or_else(|e| panic!("line {}: {e}", at + 1));
        let mut row = batch.begin(Place { offset: at as u64 + 1, received_us: RECEIVED_US }, &block[..0]);
        for (name, value) in &event {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if name == "time" {
                row.set(key::TIME, text.parse::<jiff::Timestamp>().unwrap().as_microsecond());
                continue;
            }
            let field = Field::ALL.iter().find(|field| field.name() == name).unwrap_or_else(|| panic!("{name}"));
            row.put(*field, text.as_bytes()).unwrap();
        }
        row.commit();
    }
    batch
}

fn written(batch: &FlowBatch, row: usize, fields: &[Field]) -> Value {
    let mut out = Map::new();
    for field in fields.iter().filter(|field| batch.has(row, **field)) {
        let value = match batch.any_column(*field) {
            Column::Time(values) => values[row].into(),
            Column::Long(values) => values[row].into(),
            Column::Ip(values) => values[row].to_string().into(),
            Column::Port(values) => values[row].into(),
            Column::Percent(values) => values[row].into(),
            Column::Word(values, words) => words[usize::from(values[row])].into(),
            Column::Text(texts) | Column::List(texts) => String::from_utf8_lossy(texts.get(row)).into_owned().into(),
        };
        out.insert(field.name().to_owned(), value);
    }
    Value::Object(out)
}

#[test]
fn every_fixture_comes_out_as_expected() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut seen = 0;
    for pass in PASSES {
        let folder = root.join(pass.name);
        let events = fs::read_to_string(folder.join("events.ndjson")).unwrap_or_else(|e| panic!("{folder:?}: {e}"));
        let assets = fs::read(folder.join("assets.csv")).map(|csv| read_csv(&csv).unwrap()).unwrap_or_default();
        let mut batch = batch_of(&events);
        enrich(&Tables::new(assets, Geo::none(), &Options::default()), &mut batch);
        let mut got = String::new();
        for row in 0..batch.len() {
            got.push_str(&format!("{}\n", written(&batch, row, pass.writes)));
        }
        let expected = folder.join("expected.ndjson");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&expected, &got).unwrap();
        }
        let want = fs::read_to_string(&expected).unwrap_or_default();
        for (at, (got, want)) in got.lines().zip(want.lines()).enumerate() {
            assert_eq!(got, want, "{}/events.ndjson:{}: {}", pass.name, at + 1, events.lines().nth(at).unwrap());
        }
        assert_eq!(got.lines().count(), want.lines().count(), "{}", pass.name);
        seen += batch.len();
    }
    assert!(seen > 0);
}

#[test]
fn every_field_that_a_pass_reads_is_written_by_a_parser_or_an_earlier_pass() {
    for (at, pass) in PASSES.iter().enumerate() {
        for field in pass.reads {
            if let Some(writer) = PASSES.iter().position(|other| other.writes.contains(field)) {
                assert!(
                    writer < at,
                    "{} reads {} before {} has written it",
                    pass.name,
                    field.name(),
                    PASSES[writer].name
                );
            }
        }
        for field in pass.writes {
            let writers: Vec<_> = PASSES.iter().filter(|other| other.writes.contains(field)).map(|p| p.name).collect();
            assert_eq!(writers, [pass.name], "{} is written once", field.name());
            assert!(!pass.reads.contains(field), "{} reads what it writes: {}", pass.name, field.name());
        }
    }
}

#[test]
fn a_pass_touches_no_field_that_it_does_not_declare_and_running_twice_changes_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let all: Vec<Field> = Field::ALL.to_vec();
    for folder in PASSES.iter().map(|pass| root.join(pass.name)) {
        let events = fs::read_to_string(folder.join("events.ndjson")).unwrap();
        let tables = Tables::builtin();
        let mut batch = batch_of(&events);
        for pass in PASSES {
            let others: Vec<Field> = all.iter().copied().filter(|field| !pass.writes.contains(field)).collect();
            let before: Vec<Value> = (0..batch.len()).map(|row| written(&batch, row, &others)).collect();
            (pass.run)(&tables, &mut batch);
            let after: Vec<Value> = (0..batch.len()).map(|row| written(&batch, row, &others)).collect();
            assert_eq!(before, after, "{}", pass.name);
            let once: Vec<Value> = (0..batch.len()).map(|row| written(&batch, row, &all)).collect();
            (pass.run)(&tables, &mut batch);
            let twice: Vec<Value> = (0..batch.len()).map(|row| written(&batch, row, &all)).collect();
            assert_eq!(once, twice, "{}", pass.name);
        }
    }
}
