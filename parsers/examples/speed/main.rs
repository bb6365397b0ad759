//! How fast families read on one core: `speed FAMILY|auto FILE [RUNS]`, or `speed all` for each over its fixtures.
//!
//! To steer by while a family is written; the benches crate has the statistical figures. The best run counts: the others were
//! disturbed. Under callgrind one run is enough, and instructions a line are the figure that a busy machine does not change.

#![allow(clippy::print_stdout)]

mod load;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use load::{Load, Read};
use parsers::Format;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments == ["all"] {
        Load::of_families(Path::new(env!("CARGO_MANIFEST_DIR"))).for_each(|load| report(&load, 5));
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
    let (Some(format), Ok(text)) = (Format::from_name(name), std::fs::read(path)) else {
        eprintln!("no family `{name}`, or {path} cannot be read");
        return ExitCode::from(2);
    };
    report(&Load::new(name, format, text), runs);
    ExitCode::SUCCESS
}

fn report(load: &Load, runs: usize) {
    let mut batch = load::batch();
    let (mut best_s, mut read) = (f64::MAX, Read::default());
    for _ in 0..runs {
        let start = Instant::now();
        read = load.read(&mut batch);
        best_s = best_s.min(start.elapsed().as_secs_f64());
    }
    let (lines, bytes) = (load.lines(), load.bytes());
    println!(
        "{:20} {lines} lines of {} bytes, {} events, {} refused: {:.0} ns/line, {:.0} events/s, {:.0} MB/s",
        load.name,
        bytes / lines,
        read.events,
        read.refused,
        best_s * 1e9 / lines as f64,
        read.events as f64 / best_s,
        bytes as f64 / best_s / 1e6,
    );
}
