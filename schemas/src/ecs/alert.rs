//! An alert as an ECS document: `event.kind: alert`, for a `logs-*` data stream.
//!
//! Not `signal`, and not into Elastic's own alert indices: those belong to its detection engine, whose rule "External
//! alerts" takes these documents up.

use super::VERSION;
use crate::alert::{Alert, AlertId, AlertValue, EntityKind};
use crate::object::{Object, object};
use crate::words::{Level, Word};
use crate::write;

/// Elastic's own pairing of levels and numbers, so that sorting agrees with its rules.
fn severity(level: Level) -> i64 {
    match level {
        Level::Informational => 5,
        Level::Low => 21,
        Level::Medium => 47,
        Level::High => 73,
        Level::Critical => 99,
    }
}

/// Appends an alert as an ECS document, without a line end.
pub fn write_alert(alert: &Alert, out: &mut Vec<u8>) {
    object(out, |o| {
        o.time("@timestamp", alert.triggered_at);
        o.object("ecs", |o| o.text("version", VERSION));
        o.object("event", |o| {
            o.text("kind", "alert");
            o.texts("category", ["intrusion_detection", "network"]);
            o.texts("type", ["info"]);
            o.text("action", &*alert.rule_id);
            o.number("severity", severity(alert.level));
            o.number("risk_score", alert.risk);
            o.text("id", format!("{}-{}", alert.alert_id, alert.revision));
            o.text("dataset", "portolan.alert");
            o.text("module", "portolan");
            o.text("provider", "portolan");
            o.time("start", alert.first_seen);
            o.time("end", alert.last_seen);
            o.text("reason", &alert.message);
        });
        o.object("rule", |o| {
            o.text("id", &*alert.rule_id);
            o.text("uuid", &*alert.rule_id);
            o.text("name", &*alert.title);
            o.text("ruleset", "portolan");
            o.text("version", &*alert.rule_version);
        });
        if !alert.attack.is_empty() {
            o.object("threat", |o| threat(alert, o));
        }
        ends(alert, o);
        o.object("related", |o| {
            o.texts("ip", of_kind(alert, &[EntityKind::Ip]));
            o.texts("user", of_kind(alert, &[EntityKind::User]));
            o.texts("hosts", of_kind(alert, &[EntityKind::Host]));
        });
        if !alert.tenant.is_empty() {
            o.object("organization", |o| o.text("id", &*alert.tenant));
        }
        o.text("message", &alert.message);
        o.texts("tags", ["sigma", "portolan"]);
        o.object("labels", |o| labels(alert, o));
        o.object("data_stream", |o| {
            o.text("type", "logs");
            o.text("dataset", "portolan.alert");
            o.text("namespace", "default");
        });
    });
}

fn threat(alert: &Alert, o: &mut Object<'_>) {
    o.text("framework", "MITRE ATT&CK");
    let attacks = || alert.attack.iter();
    o.object("tactic", |o| {
        o.texts("id", once(attacks().map(|attack| attack.tactic_id.as_str())));
        o.texts("name", once(attacks().map(|attack| attack.tactic.as_str())));
    });
    let techniques = || attacks().map(|attack| attack.technique_parts());
    o.object("technique", |o| {
        o.texts("id", once(techniques().map(|(technique, _)| technique.0)));
        o.texts("name", once(techniques().map(|(technique, _)| technique.1)));
        o.object("subtechnique", |o| {
            let subs = || techniques().filter_map(|(_, sub)| sub);
            o.texts("id", once(subs().map(|sub| sub.0)));
            o.texts("name", once(subs().map(|sub| sub.1)));
        });
    });
}

/// Each text once, in order, without empty ones.
fn once<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for text in texts.filter(|text| !text.is_empty()) {
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    seen
}

fn of_kind<'a>(alert: &'a Alert, kinds: &'a [EntityKind]) -> Vec<&'a str> {
    once(alert.entities.iter().filter(|entity| kinds.contains(&entity.kind)).map(|entity| entity.value.as_str()))
}

/// The value of a field if the alert speaks of only one.
fn single<'a>(alert: &'a Alert, field: &str) -> Option<&'a str> {
    let in_group = alert.group.iter().find(|(name, _)| name == field).map(|(_, value)| value.as_str());
    let values =
        || once(alert.entities.iter().filter(|entity| entity.field == field).map(|entity| entity.value.as_str()));
    in_group.or_else(|| match values().as_slice() {
        [only] => Some(*only),
        _ => None,
    })
}

/// Source, destination, user and host, where there is one of them. Only values of the right type: an address field
/// with a name in it would make Elasticsearch refuse the whole document.
fn ends(alert: &Alert, o: &mut Object<'_>) {
    for (object, ip, port) in [("source", "src_ip", "src_port"), ("destination", "dst_ip", "dst_port")] {
        let ip = single(alert, ip).filter(|ip| crate::Ip::parse(ip.as_bytes()).is_some());
        let port = single(alert, port).and_then(|port| crate::parse_port(port.as_bytes()));
        if ip.is_some() || port.is_some() {
            o.object(object, |o| {
                if let Some(ip) = ip {
                    o.text("ip", ip);
                    o.text("address", ip);
                }
                if let Some(port) = port {
                    o.number("port", port);
                }
            });
        }
    }
    if let Some(user) = single(alert, "user") {
        o.object("user", |o| o.text("name", user));
    }
    if let Some(host) =
        single(alert, "dst_asset").or_else(|| single(alert, "dst_host")).or_else(|| single(alert, "host"))
    {
        o.object("host", |o| o.text("name", host));
    }
}

/// What ECS has no field for, as flat keywords.
fn labels(alert: &Alert, o: &mut Object<'_>) {
    o.text("alert_id", alert.alert_id.to_string());
    o.text("revision", alert.revision.to_string());
    o.text("status", alert.status.as_str());
    o.text("state", alert.state.as_str());
    o.text("level", alert.level.as_str());
    o.text("confidence", alert.confidence.to_string());
    o.text("count", alert.count.to_string());
    o.text("evidence_total", alert.evidence_total.to_string());
    o.texts_if("supersedes", alert.supersedes.iter().map(AlertId::to_string));
    for (field, value) in &alert.group {
        o.text(&format!("group_{}", label(field)), value);
    }
    for (prefix, values) in [("value", &alert.values), ("context", &alert.context)] {
        for (name, value) in values {
            let name = format!("{prefix}_{}", label(name));
            match value {
                AlertValue::Integer(number) => o.text(&name, number.to_string()),
                AlertValue::Float(number) => o.text(&name, number.to_string()),
                AlertValue::Text(text) => o.text(&name, text),
                AlertValue::List(texts) => o.texts(&name, texts),
            }
        }
    }
    let places = alert.evidence.iter().map(|evidence| {
        let mut place = format!("{}/{}/{} ", evidence.source, evidence.partition, evidence.offset).into_bytes();
        write::time(evidence.time, &mut place);
        place
    });
    o.texts_if("evidence", places);
}

fn label(name: &str) -> String {
    name.chars().map(|c| if c == '.' || c.is_whitespace() { '_' } else { c }).collect()
}
