//! The incident as lines, and its alerts by each way through the house.

use pipeline::evidence::RAW_MAX;
use rules::scan::RawSample;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use pipeline::batch::Batch;
use pipeline::config::{Form, Start};
use pipeline::counts::Progress;
use pipeline::demo::generate::{Line, generate};
use pipeline::load;
use pipeline::run::{self, Input, Settings, Until};
use pipeline::sink::lake::Lake;
use pipeline::stages::{Engine, Reading};
use schemas::alert::Alert;
use serde_json::Value;

use super::broker::Broker;

/// How late an event may come in these tests.
pub const LATENESS_US: u64 = 60_000_000;

/// Lines, and in how many files they lie for a batch.
#[derive(Clone)]
pub struct Scenario {
    pub lines: Arc<Vec<Line>>,
    pub files: usize,
}

impl Scenario {
    /// The shipped incident, in order of arrival.
    pub fn incident(lines: usize) -> Scenario {
        Scenario { lines: Arc::new(generate(42, lines).collect()), files: 1 }
    }

    /// The lines in another order, none more than the lateness behind the newest before it.
    pub fn shuffled_within_lateness(&self, seed: u64) -> Vec<Line> {
        let mut random = Random(seed);
        // Half of the lateness for the shuffle; the lines' own delay has the other half.
        let mut keyed: Vec<(u64, Line)> =
            self.lines.iter().map(|line| (line.event_time_us + random.below(LATENESS_US / 2), line.clone())).collect();
        keyed.sort_by_key(|(at, _)| *at);
        keyed.into_iter().map(|(_, line)| line).collect()
    }

    /// The same as messages of a few lines each, as collectors batch them.
    pub fn in_messages(lines: &[Line], seed: u64) -> Vec<Line> {
        let mut random = Random(seed);
        let mut messages: Vec<Line> = Vec::new();
        let mut room = 0;
        for line in lines {
            if room == 0 {
                room = 1 + random.below(8);
                messages.push(line.clone());
            } else if let Some(message) = messages.last_mut() {
                message.text.push(b'\n');
                message.text.extend_from_slice(&line.text);
            }
            room -= 1;
        }
        messages
    }

    /// The lines in any order at all.
    pub fn shuffled_wholly(&self, seed: u64) -> Vec<Line> {
        let mut random = Random(seed);
        let mut lines = self.lines.as_ref().clone();
        for at in (1..lines.len()).rev() {
            lines.swap(at, random.below(at as u64 + 1) as usize);
        }
        lines
    }
}

/// SplitMix64: small, seeded, the same everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ z >> 31) % bound
    }
}

/// Rules of the library and assets of the incident.
pub fn engine(raw: RawSample) -> Arc<Engine> {
    Arc::new(load::incident(raw).unwrap())
}

/// The final alerts by id, as documents without what may differ: revision, and where the evidence was read.
pub type Alerts = BTreeMap<String, Value>;

pub fn comparable(alert: &Alert) -> (String, Value) {
    let mut text = Vec::new();
    alert.write_json(&mut text);
    comparable_json(&serde_json::from_slice(&text).unwrap())
}

pub fn comparable_json(alert: &Value) -> (String, Value) {
    let mut alert = alert.clone();
    let object = alert.as_object_mut().unwrap();
    object.remove("revision");
    for evidence in object["evidence"].as_array_mut().unwrap() {
        for place in ["source", "partition", "offset", "sub"] {
            evidence.as_object_mut().unwrap().remove(place);
        }
    }
    (alert["alert_id"].as_str().unwrap().to_owned(), alert)
}

/// The scenario's alerts by a batch over files.
pub fn batch_alerts(scenario: &Scenario) -> Alerts {
    let folder = tempfile::tempdir().unwrap();
    let mut files: Vec<_> = (0..scenario.files)
        .map(|n| std::io::BufWriter::new(std::fs::File::create(folder.path().join(format!("{n}.log"))).unwrap()))
        .collect();
    for (n, line) in scenario.lines.iter().enumerate() {
        let file = &mut files[n % scenario.files];
        file.write_all(&line.text).unwrap();
        file.write_all(b"\n").unwrap();
    }
    files.into_iter().for_each(|mut file| file.flush().unwrap());
    let batch = Batch {
        engine: engine(RawSample::None),
        reading: Reading::default(),
        paths: vec![folder.path().to_owned()],
        lake: None,
        rejects: None,
        workers: 2,
        progress: Arc::new(Progress::default()),
    };
    let outcome = batch.run().unwrap();
    assert_eq!(outcome.counts.rejects, 0, "{:?}", outcome.counts.rejects_by_reason);
    outcome.alerts.iter().map(comparable).collect()
}

/// Settings of a draining run over topics of their own.
pub fn settings(broker: &Broker, name: &str, lines: &[Line], partitions: i32) -> Arc<Settings> {
    let (input, hits, alerts) = (format!("{name}-in"), format!("{name}-hits"), format!("{name}-alerts"));
    broker.make_topic(&input, partitions);
    broker.make_topic(&hits, 4);
    broker.make_topic(&alerts, 2);
    broker.client().produce(&input, partitions, lines.iter().map(|line| line.text.as_slice()));
    Arc::new(Settings {
        client: broker.client().config().set("session.timeout.ms", "6000").clone(),
        group: name.to_owned(),
        inputs: Arc::from(vec![Input { topic: input, reading: Reading::default() }]),
        start: Start::Earliest,
        lateness_us: LATENESS_US as i64,
        idle_after: Duration::from_secs(3600),
        hits_topic: hits,
        hits_partitions: 4,
        alerts_topic: alerts,
        alerts_form: Form::Canonical,
        events: None,
        epoch: Duration::from_millis(500),
        workers: 1,
        until: Until::Drained,
        state_budget_bytes: 1 << 30,
    })
}

/// The alerts of some messages by streaming runs of one group, each with clients of its own.
pub fn run_alerts(broker: &Broker, lines: &[Line], partitions: i32, members: usize) -> Alerts {
    let name = format!("same-{partitions}-{members}-{}", broker.next_name());
    let settings = settings(broker, &name, lines, partitions);
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_str().unwrap().to_owned();
    let stop = Arc::new(AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..members {
            scope.spawn(|| {
                let lake = Arc::new(Lake::open(&root, &load::tables(schemas::arrow::RawLine::Dropped)).unwrap());
                run::run(&settings, &engine(RawSample::UpTo(RAW_MAX)), &lake, &Arc::new(Progress::default()), &stop)
                    .unwrap();
            });
        }
    });
    let sent = broker.client().read_all(&settings.alerts_topic);
    last_revisions(sent.iter().map(|record| record.value.as_slice()))
}

/// The last revision of each alert that was sent, without those that were superseded.
pub fn last_revisions<'a>(documents: impl Iterator<Item = &'a [u8]>) -> Alerts {
    let mut last: BTreeMap<String, Value> = BTreeMap::new();
    for document in documents {
        let alert: Value = serde_json::from_slice(document).unwrap();
        let id = alert["alert_id"].as_str().unwrap().to_owned();
        let newer = last.get(&id).is_none_or(|known| known["revision"].as_u64() <= alert["revision"].as_u64());
        if newer {
            last.insert(id, alert);
        }
    }
    last.retain(|_, alert| alert["status"] != "superseded");
    last.values().map(comparable_json).collect()
}
