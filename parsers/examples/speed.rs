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

/// Rows to a batch: what stays in a second-level cache. With four times as many a row costs a seventh more.
const BATCH_ROWS: usize = 2_048;

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
    let mut lines: Vec<&[u8]> = Vec::with_capacity(block.len() / 64);
    let mut from = 0;
    for end in memchr::memchr_iter(b'\n', &block) {
        lines.push(&block[from..end]);
        from = end + 1;
    }
    let mut batch = FlowBatch::new(BATCH_ROWS);
    let (mut best_s, mut refused, mut events) = (f64::MAX, 0, 0);
    for _ in 0..runs {
        let mut session = Session::new(format, Zone::Utc);
        (refused, events) = (0, 0);
        let start = Instant::now();
        for (at, chunk) in lines.chunks(BATCH_ROWS).enumerate() {
            batch.reset(Arc::clone(&block), Arc::from("file"), 0);
            for (offset, line) in (at * BATCH_ROWS + 1..).zip(chunk) {
                let place = Place { offset: offset as u64, received_us: 1_767_607_200_000_000 };
                refused += usize::from(session.parse_line(line, place, &mut batch).is_err());
            }
            events += batch.len();
            batch.seal();
        }
        best_s = best_s.min(start.elapsed().as_secs_f64());
    }
    let nanos = best_s * 1e9 / lines.len() as f64;
    println!(
        "{name:20} {} lines of {} bytes, {events} events, {refused} refused: {nanos:.0} ns/line, {:.0} events/s, {:.0} MB/s",
        lines.len(),
        block.len() / lines.len(),
        events as f64 / best_s,
        block.len() as f64 / best_s / 1e6,
    );
}
