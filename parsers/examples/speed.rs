//! How fast a family reads a file of log lines: `speed FAMILY|auto FILE`, best of ten runs on one core.
//!
//! To steer by while a family is written; the benches crate has the statistical figures.

#![allow(clippy::print_stdout)]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use parsers::{Format, Session, Zone};
use schemas::{FlowBatch, Place};

const BATCH_ROWS: usize = 8_192;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, path] = arguments.as_slice() else {
        eprintln!("usage: speed FAMILY|auto FILE");
        return ExitCode::from(2);
    };
    let (Some(format), Ok(bytes)) = (Format::from_name(name), std::fs::read(path)) else {
        eprintln!("no family `{name}`, or {path} cannot be read");
        return ExitCode::from(2);
    };
    let block = Arc::new(bytes);
    let lines: Vec<&[u8]> = block.strip_suffix(b"\n").unwrap_or(&block).split(|byte| *byte == b'\n').collect();
    let mut batch = FlowBatch::new(BATCH_ROWS);
    let (mut best_s, mut refused) = (f64::MAX, 0);
    for _ in 0..10 {
        let mut session = Session::new(format, Zone::Utc);
        refused = 0;
        let start = Instant::now();
        for (at, chunk) in lines.chunks(BATCH_ROWS).enumerate() {
            batch.reset(Arc::clone(&block), Arc::from("file"), 0);
            for (offset, line) in (at * BATCH_ROWS + 1..).zip(chunk) {
                let place = Place { offset: offset as u64, received_us: 1_767_607_200_000_000 };
                refused += usize::from(session.parse_line(line, place, &mut batch).is_err());
            }
            batch.seal();
        }
        best_s = best_s.min(start.elapsed().as_secs_f64());
    }
    let nanos = best_s * 1e9 / lines.len() as f64;
    let bytes = block.len() / lines.len();
    println!(
        "{} lines of {bytes} bytes, {refused} refused: {nanos:.0} ns/line, {:.0} lines/s",
        lines.len(),
        1e9 / nanos
    );
    ExitCode::SUCCESS
}
