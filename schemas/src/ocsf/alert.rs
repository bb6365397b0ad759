//! An alert as a Detection Finding (class 2004).

use super::VERSION;
use crate::alert::{Alert, Entity, EntityKind};
use crate::object::{Object, object};
use crate::words::{AlertStatus, Level, Word};

const CLASS_UID: i64 = 2_004;

fn severity(level: Level) -> i64 {
    match level {
        Level::Informational => 1,
        Level::Low => 2,
        Level::Medium => 3,
        Level::High => 4,
        Level::Critical => 5,
    }
}

/// 1 Create, 2 Update, 3 Close.
fn activity(alert: &Alert) -> i64 {
    match (alert.status, alert.revision) {
        (AlertStatus::Open, 0 | 1) => 1,
        (AlertStatus::Open, _) => 2,
        (AlertStatus::Closed | AlertStatus::Superseded, _) => 3,
    }
}

fn milliseconds(us: i64) -> i64 {
    us.div_euclid(1_000)
}

/// Appends an alert as an OCSF Detection Finding, without a line end.
pub fn write_alert(alert: &Alert, out: &mut Vec<u8>) {
    object(out, |o| {
        o.number("category_uid", CLASS_UID / 1_000);
        o.number("class_uid", CLASS_UID);
        o.number("activity_id", activity(alert));
        o.number("type_uid", CLASS_UID * 100 + activity(alert));
        o.number("severity_id", severity(alert.level));
        // New until an analyst says otherwise, also when the episode has ended; archived once another takes its place.
        o.number("status_id", if alert.status == AlertStatus::Superseded { 5 } else { 1 });
        o.number("time", milliseconds(alert.triggered_at));
        o.number("start_time", milliseconds(alert.first_seen));
        o.number("end_time", milliseconds(alert.last_seen));
        o.count("count", alert.count);
        o.flag("is_alert", true);
        o.number("confidence_score", alert.confidence);
        o.number(
            "confidence_id",
            match alert.confidence {
                0..=33 => 1,
                34..=66 => 2,
                _ => 3,
            },
        );
        o.number("risk_score", alert.risk);
        o.number("risk_level_id", severity(alert.level) - 1);
        o.text("message", &alert.message);
        o.object("metadata", |o| metadata(alert, o));
        o.object("finding_info", |o| finding_info(alert, o));
        evidences(alert, o);
        resources(alert, o);
        observables(alert, o);
        o.object("unmapped", |o| {
            o.number("revision", alert.revision);
            o.text("status", alert.status.as_str());
            o.text("state", alert.state.as_str());
            o.texts("supersedes", alert.supersedes.iter().map(ToString::to_string));
            alert.write_group(o.member("group"));
            alert.write_values(o.member("values"));
            alert.write_entities(o.member("entities"));
            o.count("evidence_total", alert.evidence_total);
            alert.write_context(o.member("context"));
        });
    });
}

fn metadata(alert: &Alert, o: &mut Object<'_>) {
    o.text("version", VERSION);
    o.text("uid", format!("{}-{}", alert.alert_id, alert.revision));
    o.object("product", |o| {
        o.text("name", "Portolan");
        o.text("vendor_name", "Portolan");
        o.text("version", env!("CARGO_PKG_VERSION"));
    });
    o.texts("profiles", std::iter::empty::<&str>());
    o.text_if("tenant_uid", &*alert.tenant);
}

fn finding_info(alert: &Alert, o: &mut Object<'_>) {
    o.text("uid", alert.alert_id.to_string());
    o.text("title", &*alert.title);
    o.text("desc", &alert.message);
    o.object("analytic", |o| {
        o.number("type_id", 1);
        o.text("uid", &*alert.rule_id);
        o.text("name", &*alert.title);
        o.text("version", &*alert.rule_version);
    });
    if !alert.attack.is_empty() {
        o.objects("attacks", alert.attack.iter(), |o, attack| {
            let pair = |o: &mut Object<'_>, name: &str, uid: &str, text: &str| {
                if !uid.is_empty() || !text.is_empty() {
                    o.object(name, |o| {
                        o.text_if("uid", uid);
                        o.text_if("name", text);
                    });
                }
            };
            let (technique, sub) = attack.technique_parts();
            pair(o, "tactic", &attack.tactic_id, &attack.tactic);
            pair(o, "technique", technique.0, technique.1);
            if let Some(sub) = sub {
                pair(o, "sub_technique", sub.0, sub.1);
            }
        });
    }
    o.number("first_seen_time", milliseconds(alert.first_seen));
    o.number("last_seen_time", milliseconds(alert.last_seen));
    o.count("related_events_count", alert.evidence_total);
    o.objects("related_events", &alert.evidence, |o, evidence| {
        o.text("uid", format!("{}/{}/{}", evidence.source, evidence.partition, evidence.offset));
        o.number("first_seen_time", milliseconds(evidence.time));
    });
}

/// What was seen: the ends and the account in the first entry, then the records themselves.
fn evidences(alert: &Alert, o: &mut Object<'_>) {
    let end = |ip: &'static str, port: &'static str, hosts: [&'static str; 2]| {
        let ip = alert.value_of(ip).filter(|ip| crate::Ip::parse(ip.as_bytes()).is_some());
        let port = alert.value_of(port).and_then(|port| crate::parse_port(port.as_bytes()));
        (ip, port, hosts.into_iter().find_map(|host| alert.value_of(host)))
    };
    let ends = [
        ("src_endpoint", end("src_ip", "src_port", ["src_host", "src_asset"])),
        ("dst_endpoint", end("dst_ip", "dst_port", ["dst_host", "dst_asset"])),
    ];
    let user = alert.value_of("user");
    let known = user.is_some() || ends.iter().any(|(_, (ip, _, host))| ip.is_some() || host.is_some());
    let first = known.then_some(None);
    let entries = first.into_iter().chain(alert.evidence.iter().map(Some));
    o.objects("evidences", entries, |o, entry| match entry {
        None => {
            for (name, (ip, port, host)) in &ends {
                // A port alone names no end.
                if ip.is_some() || host.is_some() {
                    o.object(name, |o| {
                        if let Some(ip) = ip {
                            o.text("ip", ip);
                        }
                        if let Some(host) = host {
                            o.text("hostname", host);
                        }
                        if let Some(port) = port {
                            o.number("port", *port);
                        }
                    });
                }
            }
            if let Some(user) = user {
                o.object("user", |o| o.text("name", user));
            }
        }
        Some(evidence) => o.object("data", |o| {
            o.text("source", &*evidence.source);
            o.number("partition", evidence.partition);
            o.count("offset", evidence.offset);
            o.time("time", evidence.time);
            if let Some(raw) = &evidence.raw {
                o.text("raw", raw);
            }
        }),
    });
}

/// Hosts and addresses: the destination as target, the source as actor.
fn resources(alert: &Alert, o: &mut Object<'_>) {
    let is_resource = |entity: &&Entity| matches!(entity.kind, EntityKind::Ip | EntityKind::Host);
    o.objects("resources", alert.entities.iter().filter(is_resource), |o, entity| {
        o.text("name", &entity.value);
        match entity.kind {
            EntityKind::Ip => o.text("ip", &entity.value),
            _ => o.text("hostname", &entity.value),
        }
        o.text("type", entity.kind.as_str());
        o.number(
            "role_id",
            match () {
                _ if entity.field.starts_with("dst_") || entity.field.starts_with("server_") => 1,
                _ if entity.field.starts_with("src_") || entity.field.starts_with("client_") => 2,
                _ => 4,
            },
        );
        for (name, value) in &entity.detail {
            match name.as_str() {
                "criticality" => o.text("criticality", value),
                "zone" => o.text("zone", value),
                "owner" => o.object("owner", |o| o.text("name", value)),
                _ => {}
            }
        }
        let labels: Vec<String> = entity.detail.iter().map(|(name, value)| format!("{name}:{value}")).collect();
        o.texts_if("labels", labels);
    });
}

fn observables(alert: &Alert, o: &mut Object<'_>) {
    let observed = alert.entities.iter().enumerate().filter_map(|(at, entity)| {
        let type_id = match entity.kind {
            EntityKind::Ip => 2,
            EntityKind::Host | EntityKind::Domain => 1,
            EntityKind::User => 4,
            EntityKind::Process => 9,
            EntityKind::Port | EntityKind::Service | EntityKind::Other => return None,
        };
        Some((at, type_id, entity))
    });
    o.objects("observables", observed, |o, (at, type_id, entity)| {
        o.text("name", format!("unmapped.entities[{at}].value"));
        o.number("type_id", type_id);
        o.text("value", &entity.value);
    });
}
