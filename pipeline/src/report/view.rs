//! An alert in the words and the order of a person who has to act on it.
//!
//! Group values, entities and evidence come from logs: each passes through [`neutral`] here, and nowhere else. What
//! the rule's author wrote passes through it too, since rules are downloaded.

use jiff::Timestamp;
use schemas::{Alert, AlertState, AlertStatus, AlertValue, Entity, EntityKind, Evidence, Level, Word};
use serde::Serialize;

use crate::text::{grouped, neutral, neutral_bytes, neutral_to};

/// The most characters of a raw line that a person is shown.
const RAW_MAX: usize = 600;
/// The most characters of a value.
const VALUE_MAX: usize = 120;
/// The most values of a list that are named.
const LIST_MAX: usize = 8;

/// An alert, ready to be shown. Every text is one harmless line.
#[derive(Clone, Debug, Serialize)]
pub struct AlertView {
    /// Identity, 32 hexadecimal digits.
    pub id: String,
    /// Level, lower case.
    pub level: &'static str,
    /// 4 for critical down to 0, for sorting.
    pub severity: u8,
    /// What the rule is called.
    pub title: String,
    /// What happened, one sentence.
    pub message: String,
    /// Whether it goes on.
    pub status: &'static str,
    /// When, as `2026-11-17 08:00:00 to 08:04:10 UTC (4m 10s)`.
    pub when: String,
    /// First event, microseconds UTC.
    pub first_us: i64,
    /// Last event.
    pub last_us: i64,
    /// Whom it concerns, one line each: `dst_host APP01 (server, critical, zone dmz)`.
    pub who: Vec<String>,
    /// Why it matters, from the rule's description. May be empty.
    pub why: String,
    /// How sure, with risk and what may be missing.
    pub sure: String,
    /// 0..=100.
    pub risk: u8,
    /// 0..=100.
    pub confidence: u8,
    /// The condition in words. May be empty.
    pub condition: String,
    /// The numbers that met it: name, value.
    pub met: Vec<(String, String)>,
    /// ATT&CK, one line each.
    pub attack: Vec<String>,
    /// The sample of records.
    pub evidence: Vec<EvidenceView>,
    /// How many records there are in all.
    pub evidence_total: u64,
    /// Other facts: name, value.
    pub facts: Vec<(String, String)>,
    /// What would make it a false positive.
    pub harmless_if: Vec<String>,
    /// What to look at next.
    pub next: Vec<String>,
    /// Where to read more.
    pub references: Vec<String>,
    /// Rule, version and revision.
    pub rule: String,
    /// Tenant; empty if there is just one.
    pub tenant: String,
}

/// A record on which an alert stands.
#[derive(Clone, Debug, Serialize)]
pub struct EvidenceView {
    /// Its time, `08:41:05.123`; with the date where the alert spans several days.
    pub time: String,
    /// Where it lies: `asa.log:1023`, or `firewall[3]@1023` for a topic.
    pub place: String,
    /// The record, harmless, perhaps cut. Empty if it is no longer at hand.
    pub raw: String,
}

impl AlertView {
    /// The view of an alert.
    pub fn of(alert: &Alert) -> AlertView {
        let several_days = day(alert.first_seen) != day(alert.last_seen);
        let context = |name: &str| alert.context.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        let list = |name: &str| context(name).map(texts).unwrap_or_default();
        let line = |name: &str| context(name).map(shown).unwrap_or_default();
        AlertView {
            id: alert.alert_id.to_string(),
            level: alert.level.as_str(),
            severity: alert.level.byte(),
            title: neutral(&alert.title).into_owned(),
            message: neutral(&alert.message).into_owned(),
            status: match alert.status {
                AlertStatus::Open => "going on",
                AlertStatus::Closed => "over",
                AlertStatus::Superseded => "replaced by a later telling",
            },
            when: when(alert.first_seen, alert.last_seen),
            first_us: alert.first_seen,
            last_us: alert.last_seen,
            who: who(&alert.entities),
            why: line("description"),
            sure: sure(alert),
            risk: alert.risk,
            confidence: alert.confidence,
            condition: line("condition"),
            met: alert
                .values
                .iter()
                .map(|(name, value)| (neutral_to(name, VALUE_MAX).into_owned(), shown(value)))
                .collect(),
            attack: alert.attack.iter().map(attack).collect(),
            evidence: alert.evidence.iter().map(|evidence| evidence_view(evidence, several_days)).collect(),
            evidence_total: alert.evidence_total,
            facts: facts(alert),
            harmless_if: list("falsepositives"),
            next: list("next"),
            references: list("references"),
            rule: format!(
                "{} version {}, revision {}",
                neutral(&alert.rule_id),
                neutral(&alert.rule_version),
                alert.revision
            ),
            tenant: neutral(&alert.tenant).into_owned(),
        }
    }
}

/// Context that has a place of its own in the view.
const TOLD_ELSEWHERE: [&str; 5] = ["description", "condition", "falsepositives", "next", "references"];

/// The rest of the context, without what entities and "how sure" have said already.
fn facts(alert: &Alert) -> Vec<(String, String)> {
    let told = |value: &AlertValue| match value {
        AlertValue::List(list) => list.iter().all(|text| alert.entities.iter().any(|entity| entity.value == *text)),
        AlertValue::Integer(_) | AlertValue::Float(_) | AlertValue::Text(_) => false,
    };
    let elsewhere = |name: &str| TOLD_ELSEWHERE.contains(&name) || ENDINGS.iter().any(|ending| name.ends_with(ending));
    let rest = alert.context.iter().filter(|(name, value)| !elsewhere(name) && !told(value));
    rest.map(|(name, value)| (neutral_to(name, VALUE_MAX).into_owned(), shown(value))).collect()
}

/// Endings of context fields that entities show as their details, or that went into the alert's own confidence.
const ENDINGS: [&str; 5] = ["_role", "_criticality", "_asset_zone", "_owner", "_confidence"];

/// One line for each field, its values together; what the inventory says of an end is said once.
fn who(entities: &[Entity]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut fields: Vec<&str> = Vec::new();
    let mut told: Vec<&[(String, String)]> = Vec::new();
    for first in entities {
        if fields.contains(&first.field.as_str()) {
            continue;
        }
        fields.push(&first.field);
        let same: Vec<&Entity> = entities.iter().filter(|entity| entity.field == first.field).collect();
        let mut values: Vec<_> =
            same.iter().take(LIST_MAX).map(|entity| neutral_to(&entity.value, VALUE_MAX)).collect();
        if same.len() > LIST_MAX {
            values.push(format!("{} more", same.len() - LIST_MAX).into());
        }
        let mut line = format!("{} {}", neutral_to(&first.field, VALUE_MAX), values.join(", "));
        let named = same.len() == 1 && !first.detail.is_empty() && !told.contains(&first.detail.as_slice());
        if named && matches!(first.kind, EntityKind::Ip | EntityKind::Host | EntityKind::User | EntityKind::Other) {
            told.push(&first.detail);
            let detail = |(name, value): &(String, String)| {
                format!("{} {}", neutral_to(name, VALUE_MAX), neutral_to(value, VALUE_MAX))
            };
            line.push_str(&format!(" ({})", first.detail.iter().map(detail).collect::<Vec<_>>().join(", ")));
        }
        lines.push(line);
    }
    lines
}

fn sure(alert: &Alert) -> String {
    let state = match alert.state {
        AlertState::Exact => "",
        AlertState::Degraded => "; state was dropped under pressure, so the counts are lower bounds",
    };
    format!("{} of 100; risk {} of 100{state}", alert.confidence, alert.risk)
}

fn attack(attack: &schemas::Attack) -> String {
    let parts = [&attack.technique_id, &attack.technique].map(|part| neutral_to(part, VALUE_MAX));
    let name = parts.iter().filter(|part| !part.is_empty()).map(AsRef::as_ref).collect::<Vec<_>>().join(" ");
    match (name.is_empty(), attack.tactic.is_empty()) {
        (true, _) => neutral_to(&attack.tactic, VALUE_MAX).into_owned(),
        (false, true) => name,
        (false, false) => format!("{name} ({})", neutral_to(&attack.tactic, VALUE_MAX)),
    }
}

fn evidence_view(evidence: &Evidence, several_days: bool) -> EvidenceView {
    let source = neutral_to(&evidence.source, VALUE_MAX);
    // A file has no partitions, and an offset in it is a line number: shown as editors and compilers do.
    let file = evidence.partition == 0 && evidence.source.contains(['/', '.', '\\']);
    let place = if file {
        format!("{source}:{}", evidence.offset)
    } else {
        format!("{source}[{}]@{}", evidence.partition, evidence.offset)
    };
    let time = format(evidence.time, if several_days { "%Y-%m-%d %H:%M:%S%.3f" } else { "%H:%M:%S%.3f" });
    let raw = evidence.raw.as_deref().map(|raw| neutral_bytes(raw, RAW_MAX)).unwrap_or_default();
    EvidenceView { time, place, raw }
}

/// A value as one harmless line.
fn shown(value: &AlertValue) -> String {
    match value {
        AlertValue::Integer(number) if *number >= 0 => grouped(number.unsigned_abs()),
        AlertValue::Integer(number) => number.to_string(),
        AlertValue::Float(number) => format!("{number:.2}"),
        AlertValue::Text(text) => neutral(text.trim()).into_owned(),
        AlertValue::List(_) => {
            let all = texts(value);
            let named = all.iter().take(LIST_MAX).cloned().collect::<Vec<_>>().join(", ");
            if all.len() > LIST_MAX { format!("{named} and {} more", all.len() - LIST_MAX) } else { named }
        }
    }
}

/// A value as harmless lines.
fn texts(value: &AlertValue) -> Vec<String> {
    match value {
        AlertValue::List(list) => list.iter().map(|text| neutral_to(text.trim(), 400).into_owned()).collect(),
        AlertValue::Integer(_) | AlertValue::Float(_) | AlertValue::Text(_) => vec![shown(value)],
    }
}

/// A time in UTC by a strftime pattern; a time that no calendar has is shown as its number.
pub fn format(time_us: i64, pattern: &str) -> String {
    Timestamp::from_microsecond(time_us).map_or(format!("{time_us}us"), |time| time.strftime(pattern).to_string())
}

/// A time as `2026-11-17 08:00:00`.
pub fn moment(time_us: i64) -> String {
    format(time_us, "%Y-%m-%d %H:%M:%S")
}

fn day(time_us: i64) -> i64 {
    time_us.div_euclid(86_400_000_000)
}

/// A range of time as a person says it.
pub fn when(first_us: i64, last_us: i64) -> String {
    let first = moment(first_us);
    if first == moment(last_us) {
        return format!("{first} UTC");
    }
    let last = if day(first_us) == day(last_us) { format(last_us, "%H:%M:%S") } else { moment(last_us) };
    format!("{first} to {last} UTC ({})", took(last_us.saturating_sub(first_us)))
}

/// A length of time in its two largest units.
pub fn took(us: i64) -> String {
    let seconds = us.max(0) / 1_000_000;
    let (days, hours, minutes, rest) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest}s"),
        (0, 0, _) => format!("{minutes}m {rest:02}s"),
        (0, _, _) => format!("{hours}h {minutes:02}m"),
        _ => format!("{days}d {hours:02}h"),
    }
}

/// The view of all alerts, the gravest first, then in the order of time.
pub fn all(alerts: &[Alert]) -> Vec<AlertView> {
    let mut views: Vec<AlertView> = alerts.iter().map(AlertView::of).collect();
    views.sort_by(|a, b| (b.severity, b.risk, a.first_us, &a.id).cmp(&(a.severity, a.risk, b.first_us, &b.id)));
    views
}

/// How many alerts each level has, the gravest first; levels without any are left out.
pub fn by_level(alerts: &[Alert]) -> Vec<(&'static str, usize)> {
    let count = |level: Level| alerts.iter().filter(|alert| alert.level == level).count();
    Level::ALL.iter().rev().map(|level| (level.as_str(), count(*level))).filter(|(_, count)| *count > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_said_as_people_say_it() {
        let start = 1_794_902_400_000_000;
        assert_eq!(when(start, start), "2026-11-17 08:00:00 UTC");
        assert_eq!(when(start, start + 250_000_000), "2026-11-17 08:00:00 to 08:04:10 UTC (4m 10s)");
        assert_eq!(when(start, start + 90_000_000_000), "2026-11-17 08:00:00 to 2026-11-18 09:00:00 UTC (1d 01h)");
    }

    #[test]
    fn a_time_that_no_calendar_has_is_shown_all_the_same() {
        assert_eq!(moment(i64::MAX), format!("{}us", i64::MAX));
    }
}
