//! How fast each family reads its fixture on one core, and how fast a mixed load is read; a table of it at the end.
//!
//! `cargo bench -p benches --bench parse` takes two minutes. `-- fortigate` measures the families with that in their names,
//! `PORTOLAN_MIXED=FILE` adds a file of which each line is read by its own shape, and `BLESS=1` writes the table into
//! `docs/performance.md`, in place of the one there.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

// Not a library's: it serves nobody but this bench and that crate's own example, which builds without the pipeline.
#[path = "../../parsers/examples/speed/load.rs"]
mod load;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use criterion::{Criterion, SamplingMode, Throughput};
use load::Load;
use parsers::Format;
use pipeline::text::grouped;

/// The name of the mixed load, the first row of the table; families follow by name.
const MIXED: &str = "mixed";

/// The lines of the page between which the table stands.
const MARKS: (&str, &str) = ("<!-- made by the bench `parse` -->\n", "<!-- end -->\n");

fn main() {
    let started = SystemTime::now();
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("criterion");
    let mut criterion = Criterion::default()
        .output_directory(&output)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1_000))
        .sample_size(10)
        .nresamples(5_000)
        .without_plots()
        .configure_from_args();
    let mut rows = Vec::new();
    let mut complete = true;
    for load in loads() {
        measure(&mut criterion, &load);
        let figures = output.join("parse").join(&load.name).join("new/estimates.json");
        match nanoseconds(&figures, started) {
            Some(nanoseconds) => rows.push((load.name != MIXED, row(&load, nanoseconds))),
            None => complete = false,
        }
    }
    criterion.final_summary();
    rows.sort();
    let rows: String = rows.into_iter().map(|(_, row)| row).collect();
    let table = format!("| load | bytes/line | ns/line | events/s | MB/s |\n|---|---|---|---|---|\n{rows}");
    println!("\n{table}");
    if std::env::var_os("BLESS").is_some() {
        assert!(complete, "not every load was measured: the page stays as it is");
        write(&table);
    }
}

/// All families, and the mixed file if there is one.
fn loads() -> impl Iterator<Item = Load> {
    let parsers = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("parsers");
    let mixed = std::env::var_os("PORTOLAN_MIXED").map(PathBuf::from).map(|path| {
        let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Load::new(MIXED, Format::Auto, text)
    });
    mixed.into_iter().chain(Load::of_families(&parsers))
}

fn measure(criterion: &mut Criterion, load: &Load) {
    let mut group = criterion.benchmark_group("parse");
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::BytesDecimal(load.bytes() as u64));
    let mut batch = load::batch();
    group.bench_function(&load.name, |bencher| bencher.iter(|| load.read(&mut batch)));
    group.finish();
}

/// What criterion found for one pass, if it was in this run.
fn nanoseconds(figures: &Path, started: SystemTime) -> Option<f64> {
    if fs::metadata(figures).ok()?.modified().ok()? < started {
        return None;
    }
    let figures: serde_json::Value = serde_json::from_slice(&fs::read(figures).ok()?).ok()?;
    figures["median"]["point_estimate"].as_f64()
}

fn row(load: &Load, nanoseconds: f64) -> String {
    let (name, lines, bytes) = (&load.name, load.lines(), load.bytes());
    let events = load.read(&mut load::batch()).events;
    let (a_line, megabytes_s) = (nanoseconds / lines as f64, bytes as f64 * 1e3 / nanoseconds);
    let events_s = grouped((events as f64 * 1e9 / nanoseconds).round() as u64);
    format!("| `{name}` | {} | {a_line:.0} | {events_s} | {megabytes_s:.0} |\n", bytes / lines)
}

fn write(table: &str) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("docs").join("performance.md");
    let text = fs::read_to_string(&page).unwrap();
    let (before, rest) = text.split_once(MARKS.0).expect("the page marks where the table begins");
    let (_, after) = rest.split_once(MARKS.1).expect("the page marks where the table ends");
    fs::write(&page, format!("{before}{}{table}{}{after}", MARKS.0, MARKS.1)).unwrap();
}
