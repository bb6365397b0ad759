//! What a row of the lake costs: microseconds and bytes, on one core, for the events of a log file.
//!
//! `cargo run --release -p pipeline --example lake_encode FILE [FOLDER]`; without a folder the files go to a
//! temporary one. The time is what this thread spent on a core, so that other work on the machine counts little.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::sync::Arc;

use enrichers::{Geo, Options, Tables, enrich, read_csv};
use parsers::{Format, Session, Zone};
use pipeline::sink::lake::{Lake, Table};
use schemas::arrow::{RawLine, flows_schema, to_record_batch};
use schemas::{FlowBatch, Place};

const BATCH_ROWS: usize = 8_192;
const ASSETS: &str = "address,host,role,zone,criticality\n10.0.0.0/8,,workstation,office,low\n";

/// Seconds that this thread was on a core. Linux only, else zero.
fn core_seconds() -> f64 {
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = schedule.split(' ').next().and_then(|first| first.parse::<f64>().ok());
    nanoseconds.unwrap_or_default() / 1e9
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().expect("usage: lake_encode FILE [FOLDER]");
    let temporary = tempfile::tempdir().unwrap();
    let root = arguments.next().unwrap_or_else(|| temporary.path().to_str().unwrap().to_owned());
    let block = Arc::new(std::fs::read(file).unwrap());
    let lines: Vec<&[u8]> = block.strip_suffix(b"\n").unwrap_or(&block).split(|byte| *byte == b'\n').collect();
    let tables = Tables::new(read_csv(ASSETS.as_bytes()).unwrap(), Geo::none(), &Options::default());
    let mut session = Session::new(Format::from_name("auto").unwrap(), Zone::Utc);
    let mut batch = FlowBatch::new(BATCH_ROWS);
    let mut batches = Vec::new();
    let mut converting_s = 0.0;
    for (at, chunk) in lines.chunks(BATCH_ROWS).enumerate() {
        batch.reset(Arc::clone(&block), Arc::from("file"), 0);
        for (offset, line) in (at * BATCH_ROWS + 1..).zip(chunk) {
            let place = Place { offset: offset as u64, received_us: 1_767_607_200_000_000 };
            let _ = session.parse_line(line, place, &mut batch);
        }
        batch.seal();
        enrich(&tables, &mut batch);
        let started = core_seconds();
        batches.push(to_record_batch(&batch, RawLine::Dropped));
        converting_s += core_seconds() - started;
    }
    let rows: usize = batches.iter().map(|batch| batch.num_rows()).sum();
    let micros = |seconds: f64| seconds * 1e6 / rows as f64;
    println!("{} lines, {rows} events, conversion to Arrow {:.3} us/row", lines.len(), micros(converting_s));
    let schema = flows_schema(RawLine::Dropped);
    let lake = Lake::open(&root, &[(Table::Flows, Arc::clone(&schema))]).unwrap();
    for _ in 0..3 {
        let started = core_seconds();
        let mut writer = lake.writer(Table::Flows);
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        let files = writer.finish().unwrap();
        let encoding_s = core_seconds() - started;
        let bytes: u64 = files.iter().map(|file| file.size).sum();
        println!(
            "{} columns, {} files, encoding {:.3} us/row, {:.1} bytes/row",
            schema.fields().len(),
            files.len(),
            micros(encoding_s),
            bytes as f64 / rows as f64,
        );
        lake.commit(Table::Flows, &files, &[], &[]).unwrap();
    }
}
