//! The report of a batch run as one HTML file: no script, no network, readable in ten years.
//!
//! The template escapes everything by itself, the texts have been made harmless before ([`super::view`]), and a content
//! security policy forbids scripts and requests in case both fail: the file is mailed around and opened by people in a hurry. The
//! timeline is a small SVG whose numbers are computed here; a charting library would be larger than the report.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use minijinja::value::Serde;
use minijinja::{Environment, Value, context};
use schemas::{Alert, EntityKind};
use serde::Serialize;

use super::activity::Activity;
use super::summary::{Summary, ranked};
use super::view::{self, moment, took};
use crate::text::{grouped, neutral, neutral_to};

/// The most alerts that are shown whole; the others are in `alerts.ndjson`.
pub const ALERTS_MAX: usize = 400;
/// The most rows of a table.
const ROWS_MAX: usize = 15;

/// Width and height of the timeline, in SVG units.
const WIDTH: f64 = 1_000.0;
const BARS: f64 = 90.0;
const LANE: f64 = 9.0;
/// The most lanes of alerts under the bars.
const LANES_MAX: usize = 24;

static TEMPLATE: &str = include_str!("report.html");

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.add_template("report.html", TEMPLATE).expect("the template is ours; a test renders it");
    environment
});

/// What the report tells.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The counts.
    pub summary: &'a Summary,
    /// The alerts, last revisions.
    pub alerts: &'a [Alert],
    /// Events over time; may be empty.
    pub activity: &'a Activity,
    /// What was read, for the heading: paths as given.
    pub inputs: &'a [String],
}

/// Makes the report.
pub fn render(report: &Report<'_>) -> String {
    let alerts = view::all(report.alerts);
    let summary = report.summary;
    let hidden = alerts.len().saturating_sub(ALERTS_MAX);
    let context = context! {
        inputs => report.inputs.iter().map(|input| neutral(input).into_owned()).collect::<Vec<_>>(),
        version => env!("CARGO_PKG_VERSION"),
        tiles => tiles(summary),
        levels => summary.alerts_by_level.iter().map(|(level, count)| (level.clone(), count.to_string())).collect::<Vec<_>>(),
        timeline => Value::from(Serde(Timeline::of(report))),
        rules => summary.alerts_by_rule.iter().map(|rule| {
            context! { title => neutral(&rule.title).into_owned(), level => rule.level, alerts => grouped(rule.alerts) }
        }).collect::<Vec<_>>(),
        alerts => Value::from(Serde(&alerts[..alerts.len() - hidden])),
        hidden => hidden,
        named => named(report.alerts),
        families => bars(&summary.events_by_family),
        rejects => bars(&summary.rejects_by_reason),
    };
    let template = ENVIRONMENT.get_template("report.html").expect("added when the environment was made");
    template.render(context).unwrap_or_else(|error| format!("<!doctype html><p>The report can't be shown: {error}"))
}

fn tiles(summary: &Summary) -> Vec<(String, &'static str)> {
    let mut tiles = vec![
        (grouped(summary.lines), "lines"),
        (grouped(summary.events), "events"),
        (grouped(summary.rejects), "refused"),
        (grouped(summary.alerts), "alerts"),
    ];
    if let Some(range) = &summary.time_range {
        let (first, last) = range.micros();
        tiles.push((took(last.saturating_sub(first)), "of logs"));
    }
    tiles.push((format!("{:.1} s", summary.seconds), "to read them"));
    tiles
}

/// A row of a table with a bar: name, count, percent of the largest.
fn bars(table: &BTreeMap<String, u64>) -> Vec<(String, String, u64)> {
    let most = table.values().max().copied().unwrap_or(0).max(1);
    let row = |(name, count): (&str, u64)| {
        (neutral_to(name, 100).into_owned(), grouped(count), count.saturating_mul(100) / most)
    };
    ranked(table).take(ROWS_MAX).map(row).collect()
}

/// The addresses, hosts and users that most alerts speak of: where to begin.
fn named(alerts: &[Alert]) -> Vec<(String, String, u64)> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for alert in alerts {
        let mut seen: Vec<String> = Vec::new();
        for entity in &alert.entities {
            let kind = match entity.kind {
                EntityKind::Ip | EntityKind::Host | EntityKind::User => entity.kind.as_str(),
                EntityKind::Port
                | EntityKind::Service
                | EntityKind::Process
                | EntityKind::Domain
                | EntityKind::Other => continue,
            };
            let name = format!("{kind} {}", entity.value);
            if !seen.contains(&name) {
                *counts.entry(name.clone()).or_default() += 1;
                seen.push(name);
            }
        }
    }
    bars(&counts)
}

/// The drawing: bars of events above, one stroke for each alert below.
#[derive(Debug, Serialize)]
struct Timeline {
    width: f64,
    height: f64,
    baseline: f64,
    first: String,
    last: String,
    bucket: String,
    bars: Vec<Bar>,
    strokes: Vec<Stroke>,
    left_out: usize,
}

#[derive(Debug, Serialize)]
struct Bar {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    label: String,
}

#[derive(Debug, Serialize)]
struct Stroke {
    x: f64,
    y: f64,
    width: f64,
    level: &'static str,
    label: String,
    id: String,
}

impl Timeline {
    /// `None` if there is nothing to draw.
    fn of(report: &Report<'_>) -> Option<Timeline> {
        let ends = report.summary.time_range.as_ref().map(|range| range.micros());
        let first = report.alerts.iter().map(|alert| alert.first_seen).chain(ends.map(|ends| ends.0)).min()?;
        let last = report.alerts.iter().map(|alert| alert.last_seen).chain(ends.map(|ends| ends.1)).max()?;
        let span = (last as f64 - first as f64).max(1.0);
        let x = |us: i64| round((us as f64 - first as f64) / span * WIDTH);
        let most = report.activity.buckets().map(|(_, count)| count).max().unwrap_or(1) as f64;
        let bar_width = round((report.activity.width_us() as f64 / span * WIDTH).clamp(1.0, WIDTH));
        let bars = report.activity.buckets().map(|(start, count)| {
            let height = round((count as f64 / most * BARS).max(1.0));
            let label = format!("{}: {} events", moment(start), grouped(count));
            Bar { x: x(start).clamp(0.0, WIDTH), y: BARS - height, width: bar_width, height, label }
        });
        let (strokes, left_out, lanes) = strokes(report.alerts, x);
        Some(Timeline {
            width: WIDTH,
            height: BARS + 8.0 + lanes as f64 * LANE,
            baseline: BARS,
            first: moment(first),
            last: moment(last),
            bucket: took(report.activity.width_us()),
            bars: bars.collect(),
            strokes,
            left_out,
        })
    }
}

/// Places each alert in the first lane that is free at its time, the gravest first; what finds no lane is left out, and counted.
fn strokes(alerts: &[Alert], x: impl Fn(i64) -> f64) -> (Vec<Stroke>, usize, usize) {
    let mut lanes: Vec<Vec<(f64, f64)>> = Vec::new();
    let (mut strokes, mut left_out) = (Vec::new(), 0);
    for alert in view::all(alerts) {
        let (from, to) = (x(alert.first_us), x(alert.last_us));
        let width = (to - from).max(4.0);
        let range = (from - 1.0, from + width + 1.0);
        let free = |lane: &Vec<(f64, f64)>| lane.iter().all(|taken| taken.1 < range.0 || range.1 < taken.0);
        let lane = match lanes.iter().position(free) {
            Some(lane) => lane,
            None if lanes.len() < LANES_MAX => {
                lanes.push(Vec::new());
                lanes.len() - 1
            }
            None => {
                left_out += 1;
                continue;
            }
        };
        lanes[lane].push(range);
        let y = BARS + 6.0 + lane as f64 * LANE;
        let label = format!("{}: {}", alert.when, alert.title);
        strokes.push(Stroke { x: from, y, width: round(width), level: alert.level, label, id: alert.id });
    }
    (strokes, left_out, lanes.len())
}

/// Two digits after the point are finer than any screen, and keep the file small.
fn round(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}
