//! How fast a folder of rules is scanned: `scan_speed RULES FILE`, best of ten runs on one core over the events of a file of
//! log lines, parsing not counted.
//!
//! To steer by while the scan is changed; the benches crate has the statistical figures. `RULES` may be `N` for N
//! detections made up of ports, networks and texts.

#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use parsers::{Format, Session, Zone};
use rules::RuleSet;
use rules::hit::HitBatch;
use rules::scan::{RawSample, Scanner};
use schemas::{FlowBatch, Place};

const BATCH_ROWS: usize = 8_192;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [rules, path] = arguments.as_slice() else {
        eprintln!("usage: scan_speed RULES|N FILE");
        return ExitCode::from(2);
    };
    let files = match rules.parse::<usize>() {
        Ok(count) => vec![("made.yml".to_owned(), (0..count).map(made).collect::<String>())],
        Err(_) => {
            let mut files = Vec::new();
            collect(Path::new(rules), &mut files);
            files
        }
    };
    let set = match RuleSet::load(&files) {
        Ok(set) => Arc::new(set),
        Err(errors) => {
            errors.iter().for_each(|error| eprintln!("{error}"));
            return ExitCode::from(2);
        }
    };
    let Ok(bytes) = std::fs::read(path) else {
        eprintln!("{path} cannot be read");
        return ExitCode::from(3);
    };
    let block = Arc::new(bytes);
    let batches = parse(&block);
    let rows: usize = batches.iter().map(FlowBatch::len).sum();
    let mut scanner = Scanner::new(Arc::clone(&set), RawSample::None);
    let (mut match_s, mut scan_s, mut hits) = (f64::MAX, f64::MAX, 0);
    let mut out = HitBatch::new();
    for _ in 0..10 {
        let start = Instant::now();
        for batch in &batches {
            scanner.matches(batch);
        }
        match_s = match_s.min(start.elapsed().as_secs_f64());
        let start = Instant::now();
        hits = 0;
        for batch in &batches {
            out.clear();
            if let Ok(stats) = scanner.scan(batch, &mut out) {
                hits += stats.hits;
            }
        }
        scan_s = scan_s.min(start.elapsed().as_secs_f64());
    }
    let nanos = |seconds: f64| seconds * 1e9 / rows as f64;
    println!(
        "{} rules, {} predicates, {} trees, {rows} rows, {hits} hits: {:.0} ns/row to match, {:.0} ns/row with hits",
        set.program().rules.len(),
        set.program().predicates.len(),
        set.plan().trees.len(),
        nanos(match_s),
        nanos(scan_s),
    );
    ExitCode::SUCCESS
}

fn parse(block: &Arc<Vec<u8>>) -> Vec<FlowBatch> {
    let lines: Vec<&[u8]> = block.strip_suffix(b"\n").unwrap_or(block).split(|byte| *byte == b'\n').collect();
    let mut session = Session::new(Format::Auto, Zone::Utc);
    let mut batches = Vec::new();
    for (at, chunk) in lines.chunks(BATCH_ROWS).enumerate() {
        let mut batch = FlowBatch::new(BATCH_ROWS);
        batch.reset(Arc::clone(block), Arc::from("file"), 0);
        for (offset, line) in (at * BATCH_ROWS + 1..).zip(chunk) {
            let place = Place { offset: offset as u64, received_us: 1_795_262_400_000_000 };
            let _ = session.parse_line(line, place, &mut batch);
        }
        batch.seal();
        batches.push(batch);
    }
    batches
}

/// Detections of three kinds, so that a port, a network and a text are asked for by turns.
fn made(number: usize) -> String {
    let body = match number % 3 {
        0 => format!("dst_port: {}", 1_000 + number),
        1 => format!("src_ip|cidr: 203.0.{}.0/24", number % 256),
        _ => format!("message|contains: 'needle {number} in it'"),
    };
    format!(
        "title: Made {number}\nname: made_{number}\nlogsource: {{category: firewall}}\ndetection: {{s: {{{body}}}, condition: s}}\n---\n"
    )
}

fn collect(folder: &Path, files: &mut Vec<(String, String)>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.display().to_string();
        if path.is_dir() {
            collect(&path, files);
        } else if !name.contains(".events.")
            && path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml")
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            files.push((name, text));
        }
    }
}
