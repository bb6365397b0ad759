//! What a batch run counted: `summary.json` for programs, a few lines for people.

use std::collections::BTreeMap;
use std::fmt::Write;

use schemas::{Alert, Word};
use serde::Serialize;

use super::view::{by_level, when};
use crate::text::{Paint, Tone, grouped, neutral, neutral_to};

/// The counts of a run. Its members' names in JSON are stable.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// Lines read.
    pub lines: u64,
    /// Bytes read, after unpacking.
    pub bytes: u64,
    /// Lines that are understood but hold no event: headers, comments.
    pub lines_without_event: u64,
    /// Events made of the lines.
    pub events: u64,
    /// Lines refused.
    pub rejects: u64,
    /// Refused lines by `family: reason`.
    pub rejects_by_reason: BTreeMap<String, u64>,
    /// Events by family.
    pub events_by_family: BTreeMap<String, u64>,
    /// The earliest and the latest time of an event, RFC 3339; absent without events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_range: Option<TimeRange>,
    /// Hits of rules.
    pub hits: u64,
    /// Alerts in all.
    pub alerts: u64,
    /// Alerts by level, the gravest first.
    pub alerts_by_level: serde_json::Map<String, serde_json::Value>,
    /// Alerts by rule, the most first.
    pub alerts_by_rule: Vec<RuleCount>,
    /// Seconds in all.
    pub seconds: f64,
    /// Lines a second over the whole run.
    pub lines_per_second: u64,
}

/// From when to when the events are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TimeRange {
    /// The earliest, RFC 3339 in UTC.
    pub first: String,
    /// The latest.
    pub last: String,
    #[serde(skip)]
    first_us: i64,
    #[serde(skip)]
    last_us: i64,
}

impl TimeRange {
    /// From microseconds UTC; `None` if there was no event (first after last).
    pub fn new(first_us: i64, last_us: i64) -> Option<TimeRange> {
        let text = |us: i64| super::view::format(us, "%Y-%m-%dT%H:%M:%S%.6fZ");
        (first_us <= last_us).then(|| TimeRange { first: text(first_us), last: text(last_us), first_us, last_us })
    }

    /// Both ends, microseconds UTC.
    pub fn micros(&self) -> (i64, i64) {
        (self.first_us, self.last_us)
    }
}

/// How many alerts a rule gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleCount {
    /// Its id.
    pub rule_id: String,
    /// Its title.
    pub title: String,
    /// Its level.
    pub level: &'static str,
    /// Its alerts.
    pub alerts: u64,
}

impl Summary {
    /// Fills in what follows from the alerts.
    pub fn with_alerts(mut self, alerts: &[Alert]) -> Summary {
        let mut rules: BTreeMap<&str, RuleCount> = BTreeMap::new();
        for alert in alerts {
            let new = || RuleCount {
                rule_id: alert.rule_id.to_string(),
                title: alert.title.to_string(),
                level: alert.level.as_str(),
                alerts: 0,
            };
            rules.entry(&alert.rule_id).or_insert_with(new).alerts += 1;
        }
        self.alerts = alerts.len() as u64;
        self.alerts_by_rule = rules.into_values().collect();
        self.alerts_by_rule.sort_by(|a, b| b.alerts.cmp(&a.alerts).then_with(|| a.rule_id.cmp(&b.rule_id)));
        self.alerts_by_level =
            by_level(alerts).into_iter().map(|(level, count)| (level.to_owned(), count.into())).collect();
        self
    }

    /// Fills in the time that it took.
    pub fn with_seconds(mut self, seconds: f64) -> Summary {
        self.seconds = (seconds * 1_000.0).round() / 1_000.0;
        self.lines_per_second = if seconds > 0.0 { (self.lines as f64 / seconds).round() as u64 } else { 0 };
        self
    }

    /// The document, indented, with a line end.
    pub fn json(&self) -> String {
        // It holds texts and finite numbers only, with texts as keys: nothing in it can fail to be written.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// The lines for people.
    pub fn text(&self, paint: Paint) -> String {
        let mut out = String::new();
        let mut line = |name: &str, text: &str| {
            let _ = writeln!(out, "{} {text}", paint.tone(Tone::Faint, &format!("{name:>14}")));
        };
        let rate = grouped(self.lines_per_second);
        line("lines", &format!("{} in {:.1} s ({rate} a second)", grouped(self.lines), self.seconds));
        let families: Vec<String> =
            ranked(&self.events_by_family).map(|(name, count)| format!("{name} {}", grouped(count))).collect();
        line("events", &joined(&grouped(self.events), &families));
        if let Some(range) = &self.time_range {
            line("from", &when(range.first_us, range.last_us));
        }
        let reasons: Vec<String> = ranked(&self.rejects_by_reason)
            .map(|(name, count)| format!("{} {}", neutral_to(name, 80), grouped(count)))
            .collect();
        line("refused", &joined(&self.share_of_rejects(), &reasons));
        let levels: Vec<String> =
            self.alerts_by_level.iter().map(|(level, count)| format!("{count} {level}")).collect();
        line("alerts", &joined(&grouped(self.alerts), &levels));
        for rule in &self.alerts_by_rule {
            line("", &format!("{:>5}  {}", grouped(rule.alerts), neutral(&rule.title)));
        }
        out
    }

    fn share_of_rejects(&self) -> String {
        if self.rejects == 0 || self.lines == 0 {
            return "none".to_owned();
        }
        format!("{} ({:.2} %)", grouped(self.rejects), self.rejects as f64 * 100.0 / self.lines as f64)
    }
}

/// A number, with its parts in brackets if there are any; the smallest parts are left out of a long list.
fn joined(total: &str, parts: &[String]) -> String {
    const MOST: usize = 8;
    match parts.len() {
        0 => total.to_owned(),
        count if count > MOST => format!("{total}: {}, {} more", parts[..MOST].join(", "), count - MOST),
        _ => format!("{total}: {}", parts.join(", ")),
    }
}

/// A table's rows, the most first.
pub fn ranked(table: &BTreeMap<String, u64>) -> impl Iterator<Item = (&str, u64)> {
    let mut rows: Vec<(&str, u64)> = table.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    rows.into_iter()
}
