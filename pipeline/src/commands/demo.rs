//! `portolan demo`: the main job on the shipped incident, and a check of its own result.
//!
//! The lines go through a broker that the Kafka client library embeds, so that this is the streaming path itself: producers,
//! consumer groups, both stages, the hits topic, the lake. Nothing leaves the process but the results.

use crate::evidence::RAW_MAX;
use rules::scan::RawSample;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use schemas::arrow::RawLine;
use schemas::{Alert, AlertStatus};

use crate::cli::{Cli, DemoArgs};
use crate::clock;
use crate::config::{Form, Start};
use crate::counts::Progress;
use crate::demo::generate::{Generator, write_files};
use crate::demo::generate::{planted, quiet};
use crate::error::Failure;
use crate::load;
use crate::out::{Out, say};
use crate::report::{self, Style};
use crate::run::{self, Input, Settings, Until};
use crate::sink::lake::Lake;
use crate::stages::{Engine, Reading};
use crate::text::{Paint, Tone, grouped};
use crate::watch::{Total, Watch};

const INPUT: &str = "raw-logs";
const HITS: &str = "portolan-hits";
const ALERTS: &str = "portolan-alerts";
const PARTITIONS: i32 = 8;
/// Events of the incident arrive at most this late.
const LATENESS_US: i64 = 120_000_000;

/// Runs it.
///
/// # Errors
/// The folder can't be written; or the planted attack was not found, or the noise was alerted on.
pub fn run(cli: &Cli, args: &DemoArgs) -> Result<(), Failure> {
    let lines = usize::try_from(args.lines).unwrap_or(usize::MAX);
    let raw_folder = args.out.join("raw");
    if args.out.join("lake").exists() {
        // Made anew: an older demo's tables would be counted in.
        fs::remove_dir_all(args.out.join("lake")).map_err(Failure::unwritable("demo's lake", &args.out))?;
    }
    fs::create_dir_all(&args.out).map_err(Failure::unwritable("demo's folder", &args.out))?;
    say(&format!(
        "Generating {} lines of two hours in a small company, with an attack in them (seed {}).",
        grouped(args.lines),
        args.seed
    ));
    write_files(&raw_folder, args.seed, lines).map_err(Failure::unwritable("raw lines", &raw_folder))?;
    let cluster = MockCluster::new(1).map_err(|error| Failure::kafka("starting the embedded broker", error))?;
    let settings = Arc::new(settings(&cluster, args)?);
    say("Sending them to the topic `raw-logs` of an embedded Kafka broker, 8 partitions.");
    produce(&settings.client, args.seed, lines)?;
    say(
        "Running both stages: parse, enrich, scan, correlate; events to the lake, alerts to the topic `portolan-alerts`.",
    );
    let engine = Arc::new(load::incident(RawSample::UpTo(RAW_MAX))?);
    let lake_root = args.out.join("lake");
    let lake = Arc::new(Lake::open(&lake_root.to_string_lossy(), &load::tables(RawLine::Kept))?);
    let progress = Arc::new(Progress::default());
    let watch = Watch::begin(cli, progress.clone(), Total::Records(args.lines));
    let began = clock::instant();
    let alerts: Arc<std::sync::Mutex<Vec<Alert>>> = Arc::default();
    let keep = alerts.clone();
    let done = run::run_with(
        &settings,
        &engine,
        &lake,
        &progress,
        &Arc::new(AtomicBool::new(false)),
        &move |told: &[Alert]| {
            keep.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).extend_from_slice(told);
        },
    );
    watch.end();
    done?;
    let seconds = began.elapsed().as_secs_f64();
    let told = std::mem::take(&mut *alerts.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
    let finals = last_revisions(told);
    super::batch::write_alerts(&args.out.join("alerts.ndjson"), Form::Canonical, &finals)?;

    let paint = Paint::for_stdout(cli.color);
    let mut out = Out::stdout();
    out.write(report::alert_text::print(&finals, &Style { paint, ..Style::default() }).as_bytes())?;
    let seen = progress.look();
    out.line(&format!(
        "\n{} lines became {} events ({} refused), {} hits and {} alerts in {seconds:.1} s.",
        grouped(seen.records),
        grouped(seen.events),
        grouped(seen.rejects),
        grouped(seen.hits),
        finals.len()
    ))?;
    let wrong = judge(&engine, &finals, paint, &mut out)?;
    out.line(&format!(
        "\nThe events:    {}/flows (Delta Lake; also plain Parquet)\nThe alerts:    {}\nThe raw lines: {}",
        lake_root.display(),
        args.out.join("alerts.ndjson").display(),
        raw_folder.display()
    ))?;
    out.line(&next(&args.out))?;
    out.flush()?;
    match wrong {
        0 => Ok(()),
        _ => Err(Failure::Found { what: format!("the demo's own check failed in {wrong} points, see above") }),
    }
}

fn settings(cluster: &MockCluster<'_, DefaultProducerContext>, args: &DemoArgs) -> Result<Settings, Failure> {
    let made = |error| Failure::kafka("making the embedded broker's topics", error);
    for (topic, partitions) in [(INPUT, PARTITIONS), (HITS, PARTITIONS), (ALERTS, 1)] {
        cluster.create_topic(topic, partitions, 1).map_err(made)?;
    }
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", cluster.bootstrap_servers());
    Ok(Settings {
        client,
        group: format!("demo-{}", args.seed),
        inputs: Arc::from(vec![Input { topic: INPUT.to_owned(), reading: Reading::default() }]),
        start: Start::Earliest,
        lateness_us: LATENESS_US,
        idle_after: Duration::from_secs(3600),
        hits_topic: HITS.to_owned(),
        hits_partitions: PARTITIONS,
        alerts_topic: ALERTS.to_owned(),
        alerts_form: Form::Canonical,
        events: None,
        epoch: Duration::from_secs(2),
        workers: std::thread::available_parallelism().map_or(1, usize::from),
        until: Until::Drained,
        state_budget_bytes: 512 << 20,
    })
}

/// Sends the lines, dealt out over the partitions, each with its time of arrival as the record's time.
fn produce(client: &ClientConfig, seed: u64, lines: usize) -> Result<(), Failure> {
    let failed = |error| Failure::kafka("sending the lines to the embedded broker", error);
    let producer: ThreadedProducer<DefaultProducerContext> = client
        .clone()
        .set("linger.ms", "20")
        .set("compression.codec", "lz4")
        .set("queue.buffering.max.messages", "500000")
        .create()
        .map_err(failed)?;
    let mut generator = Generator::new(seed, lines);
    let (mut text, mut n) = (Vec::new(), 0);
    while let Some(mark) = generator.next_into(&mut text) {
        let mut record: BaseRecord<'_, (), [u8]> = BaseRecord::to(INPUT)
            .payload(text.as_slice())
            .partition(n % PARTITIONS)
            .timestamp((mark.arrival_us / 1_000) as i64);
        while let Err((_, back)) = producer.send(record) {
            record = back;
            producer.poll(Duration::from_millis(5));
        }
        text.clear();
        n += 1;
    }
    producer.flush(Duration::from_secs(60)).map_err(failed)
}

/// The last revision of each alert, without those that another supersedes, in the order of their beginnings.
fn last_revisions(told: Vec<Alert>) -> Vec<Alert> {
    let mut last: BTreeMap<_, Alert> = BTreeMap::new();
    for alert in told {
        let newer = last.get(&alert.alert_id).is_none_or(|known| known.revision <= alert.revision);
        if newer {
            last.insert(alert.alert_id, alert);
        }
    }
    let mut finals: Vec<Alert> = last.into_values().filter(|alert| alert.status != AlertStatus::Superseded).collect();
    finals.sort_by_key(|alert| (alert.triggered_at, alert.alert_id));
    finals
}

/// Compares the alerts with what was planted. Gives the number of points that are wrong.
fn judge(engine: &Engine, alerts: &[Alert], paint: Paint, out: &mut Out) -> Result<usize, Failure> {
    let holds = |alert: &Alert, value: &str| alert.group.iter().any(|(_, group)| group.eq_ignore_ascii_case(value));
    let mut wrong = 0;
    out.line("\nWas the planted attack found?")?;
    for step in planted() {
        let found = alerts.iter().any(|alert| {
            engine.file_of(&alert.rule_id).contains(step.rule) && step.group.iter().any(|value| holds(alert, value))
        });
        wrong += usize::from(!found);
        let mark = if found { paint.tone(Tone::Good, "found ") } else { paint.tone(Tone::Alarm, "MISSED") };
        out.line(&format!("  {mark}  {}", step.what))?;
    }
    out.line("Did the noise stay quiet?")?;
    for noise in quiet() {
        let told: Vec<&str> =
            alerts.iter().filter(|alert| holds(alert, noise.value)).map(|alert| &*alert.title).collect();
        wrong += usize::from(!told.is_empty());
        let mark = if told.is_empty() { paint.tone(Tone::Good, "quiet ") } else { paint.tone(Tone::Alarm, "ALERT ") };
        out.line(&format!("  {mark}  {}: {} {}", noise.value, noise.what, told.join(", ")))?;
    }
    Ok(wrong)
}

/// What to try next.
fn next(folder: &Path) -> String {
    let raw = folder.join("raw");
    format!(
        "\nTry next:\n  portolan batch {raw} --assets {raw}/assets.csv --out {out}    the same as files, with a report to read\n  \
         portolan batch YOUR-LOGS --out found                   your own logs; README.md has the ways in\n  \
         portolan rules list                                    what it looks for",
        raw = raw.display(),
        out = folder.join("batch").display()
    )
}
