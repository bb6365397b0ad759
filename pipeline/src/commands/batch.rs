//! `portolan batch`: files in, a folder of results out.

use crate::evidence::RAW_MAX;
use rules::scan::RawSample;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use schemas::alert::Alert;
use schemas::arrow::RawLine;

use crate::batch::{Batch, Outcome};
use crate::cli::{BatchArgs, Cli};
use crate::config::Form;
use crate::counts::Progress;
use crate::error::Failure;
use crate::forms;
use crate::load::{self, Sources};
use crate::out::{Out, say};
use crate::report::html::Report;
use crate::report::summary::TimeRange;
use crate::report::{self, Detail, Style, Summary};
use crate::sink::lake::Lake;
use crate::text::Paint;
use crate::watch::{Total, Watch};

/// Runs it.
///
/// # Errors
/// Wrong arguments, rules or assets; files that can't be read or written; alerts of the level of `--fail-on`.
pub fn run(cli: &Cli, args: &BatchArgs) -> Result<(), Failure> {
    let reading = super::reading(&args.input.format, &args.input.times, &args.tenant, &args.input.mapping)?;
    let raw = if args.keep_raw { RawLine::Kept } else { RawLine::Dropped };
    let from_stdin = args.paths.iter().any(|path| path.as_os_str() == "-");
    let raw_in_hits = if from_stdin { RawSample::UpTo(RAW_MAX) } else { RawSample::None };
    let engine = Arc::new(load::engine(&sources(args), raw_in_hits)?);
    make_folder(&args.out)?;
    let lake = match args.no_lake {
        true => None,
        false => Some(Arc::new(Lake::open(&args.out.join("lake").to_string_lossy(), &load::tables(raw))?)),
    };
    let progress = Arc::new(Progress::default());
    let watch = Watch::begin(cli, progress.clone(), Total::Bytes(total_bytes(&args.paths)));
    let batch = Batch {
        engine,
        reading,
        paths: args.paths.clone(),
        lake,
        rejects: Some(Mutex::new(Box::new(create(&args.out.join("rejects.ndjson"))?))),
        workers: args.jobs.map_or_else(cores, usize::from),
        progress: progress.clone(),
    };
    let outcome = batch.run();
    watch.end();
    let outcome = outcome?;
    let summary = summary(&outcome, progress.look().bytes);
    write_alerts(&args.out.join("alerts.ndjson"), args.alerts, &outcome.alerts)?;
    write(&args.out.join("summary.json"), summary.json().as_bytes())?;
    let inputs: Vec<String> = args.paths.iter().map(|path| path.display().to_string()).collect();
    let told = Report { summary: &summary, alerts: &outcome.alerts, activity: &outcome.activity, inputs: &inputs };
    write(&args.out.join("report.html"), report::html::render(&told).as_bytes())?;
    let mut out = Out::stdout();
    let paint = Paint::for_stdout(cli.color);
    let style = Style { paint, detail: Detail::Brief, ..Style::default() };
    let shown = gravest(&outcome.alerts);
    out.write(report::alert_text::print(&shown, &style).as_bytes())?;
    out.flush()?;
    if outcome.alerts.len() > shown.len() {
        let more = outcome.alerts.len() - shown.len();
        say(&format!("... and {more} more, all of them in {}", args.out.join("alerts.ndjson").display()));
    }
    if !cli.quiet {
        say(&summary.text(Paint::for_stderr(cli.color)));
        say(&format!("Results: {} (report.html to read, alerts.ndjson, lake/ for queries)", args.out.display()));
    }
    fail_on(args, &outcome)
}

fn sources(args: &BatchArgs) -> Sources {
    Sources {
        rules: args.rules.clone(),
        assets: args.assets.clone(),
        country: args.input.geo_country.clone(),
        asn: args.input.geo_asn.clone(),
        own_networks: args.input.network.iter().filter_map(|net| load::network(*net)).collect(),
        tenant: Arc::from(args.tenant.as_str()),
    }
}

/// Alerts that are printed at most; a person reads no more in a terminal.
const PRINTED_MAX: usize = 30;

/// The gravest alerts, the earliest of each level first.
fn gravest(alerts: &[Alert]) -> Vec<Alert> {
    let mut order: Vec<&Alert> = alerts.iter().collect();
    order.sort_by_key(|alert| (std::cmp::Reverse(alert.level as u8), alert.triggered_at));
    order.into_iter().take(PRINTED_MAX).cloned().collect()
}

/// The counts as people and programs read them.
fn summary(outcome: &Outcome, bytes: u64) -> Summary {
    let counts = &outcome.counts;
    let reasons =
        counts.rejects_by_reason.iter().map(|((family, reason), count)| (format!("{family}: {reason}"), *count));
    let families = counts.events_by_family.iter().map(|(family, count)| ((*family).to_owned(), *count));
    let summary = Summary {
        lines: counts.records,
        bytes,
        lines_without_event: counts.empty,
        events: counts.events,
        rejects: counts.rejects,
        rejects_by_reason: reasons.collect(),
        events_by_family: families.collect(),
        time_range: TimeRange::new(counts.oldest_us, counts.newest_us),
        hits: counts.hits,
        ..Summary::default()
    };
    summary.with_alerts(&outcome.alerts).with_seconds(outcome.seconds)
}

/// Threads where nothing is said: one for each core.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Bytes on disk of all files, for the progress display; a guess where they are compressed.
fn total_bytes(paths: &[std::path::PathBuf]) -> u64 {
    let files = crate::source::file::list(paths).unwrap_or_default();
    files.iter().filter_map(|path| fs::metadata(path).ok()).map(|data| data.len()).sum()
}

fn make_folder(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(Failure::unwritable("results", path))
}

fn create(path: &Path) -> Result<BufWriter<File>, Failure> {
    File::create(path).map(BufWriter::new).map_err(Failure::unwritable("results", path))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes).map_err(Failure::unwritable("results", path))
}

/// Writes alerts as lines of JSON.
pub fn write_alerts(path: &Path, form: Form, alerts: &[Alert]) -> Result<(), Failure> {
    let mut file = create(path)?;
    let mut text = Vec::new();
    for alert in alerts {
        text.clear();
        forms::alert(form, alert, &mut text);
        text.push(b'\n');
        file.write_all(&text).map_err(Failure::unwritable("alerts", path))?;
    }
    file.flush().map_err(Failure::unwritable("alerts", path))
}

fn fail_on(args: &BatchArgs, outcome: &Outcome) -> Result<(), Failure> {
    let Some(level) = args.fail_on else { return Ok(()) };
    let found = outcome.alerts.iter().filter(|alert| alert.level as u8 >= level as u8).count();
    if found == 0 {
        return Ok(());
    }
    Err(Failure::Found { what: format!("{found} alerts of the level that --fail-on names, or a higher one") })
}
