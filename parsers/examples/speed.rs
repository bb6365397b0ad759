//! How fast families read on one core: `speed FAMILY|auto FILE [RUNS]`, or `speed all` for each over its fixtures.
//!
//! To steer by while a family is written; the benches crate has the statistical figures. The best run counts: the others were
//! disturbed. Under callgrind one run is enough, and instructions a line are the figure that a busy machine does not change.

#![allow(clippy::print_stdout)]

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use parsers::{FAMILIES, Format, Session, Zone};
use schemas::{FlowBatch, Place};

/// Rows to a batch: what stays in a second-level cache. With eight times as many a row costs a seventh more.
const BATCH_ROWS: usize = 512;

/// Lines to which a fixture is repeated.
const FIXTURE_LINES: usize = 20_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments == ["all"] {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        for (index, family) in FAMILIES.iter().enumerate() {
            let path = fixtures.join(family.name()).join("lines.log");
            let Ok(text) = std::fs::read(&path) else { continue };
            let count = text.iter().filter(|byte| **byte == b'\n').count().max(1);
            let text = text.repeat(FIXTURE_LINES.div_ceil(count));
            report(family.name(), Format::Family(index), text, 5);
        }
        return ExitCode::SUCCESS;
    }
    let (name, path, runs) = match arguments.as_slice() {
        [name, path] => (name, path, 10),
        [name, path, runs] => (name, path, runs.parse().unwrap_or(1)),
        _ => {
            eprintln!("usage: speed FAMILY|auto FILE [RUNS], or speed all");
            return ExitCode::from(2);
        }
    };
    let (Some(format), Ok(bytes)) = (Format::from_name(name), std::fs::read(path)) else {
        eprintln!("no family `{name}`, or {path} cannot be read");
        return ExitCode::from(2);
    };
    report(name, format, bytes, runs);
    ExitCode::SUCCESS
}

fn report(name: &str, format: Format, bytes: Vec<u8>, runs: usize) {
    let block = Arc::new(bytes);
    let count = memchr::memchr_iter(b'\n', &block).count().max(1);
    let mut batch = FlowBatch::new(BATCH_ROWS);
    let (mut best_s, mut refused, mut events) = (f64::MAX, 0, 0);
    for _ in 0..runs {
        let mut session = Session::new(format, Zone::Utc);
        (refused, events) = (0, 0);
        let start = Instant::now();
        let (mut from, mut number) = (0, 0);
        while from < block.len() {
            batch.reset(Arc::clone(&block), Arc::from("file"), 0);
            // as the pipeline does: a line's end is found when its turn comes, so that it is read from memory once
            for _ in 0..BATCH_ROWS {
                let Some(rest) = block.get(from..).filter(|rest| !rest.is_empty()) else { break };
                let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                (from, number) = (from + end + 1, number + 1);
                let place = Place { offset: number, received_us: 1_767_607_200_000_000 };
                refused += usize::from(session.parse_line(&rest[..end], place, &mut batch).is_err());
            }
            events += batch.len();
            batch.seal();
        }
        best_s = best_s.min(start.elapsed().as_secs_f64());
    }
    let nanos = best_s * 1e9 / count as f64;
    println!(
        "{name:20} {} lines of {} bytes, {events} events, {refused} refused: {nanos:.0} ns/line, {:.0} events/s, {:.0} MB/s",
        count,
        block.len() / count,
        events as f64 / best_s,
        block.len() as f64 / best_s / 1e6,
    );
}
