//! Every event as ECS has the types that Elastic's mapping expects: one wrong type loses the whole document.
#![allow(clippy::unwrap_used)]

mod common;

use schemas::ecs::{self, Original};
use schemas::{FlowBatch, Ip};
use serde_json::Value;

/// Type by path, from ECS 9.4 `generated/csv/fields.csv`: d date, k keyword or text, l long, i ip; `+` an array.
const TYPES: &str = "
    @timestamp d, message k, ecs.version k, tags k+,
    event.kind k, event.category k+, event.type k+, event.outcome k, event.action k, event.code k, event.dataset k, event.module k,
    event.duration l, event.start d, event.end d, event.ingested d, event.original k, event.reason k, event.severity l,
    observer.name k, observer.ip i+, observer.type k, observer.vendor k, observer.product k,
    observer.ingress.zone k, observer.egress.zone k, observer.ingress.interface.name k, observer.egress.interface.name k,
    host.name k, host.ip i+, organization.id k, log.level k, error.code k,
    rule.name k, rule.id k, rule.category k,
    source.ip i, source.port l, source.address k, source.mac k, source.domain k, source.bytes l, source.packets l,
    source.nat.ip i, source.nat.port l, source.geo.country_iso_code k, source.as.number l, source.as.organization.name k,
    source.user.name k, source.user.domain k,
    destination.ip i, destination.port l, destination.address k, destination.mac k, destination.domain k, destination.bytes l,
    destination.packets l, destination.nat.ip i, destination.nat.port l, destination.geo.country_iso_code k,
    destination.as.number l, destination.as.organization.name k,
    client.ip i, client.port l, server.ip i, server.port l,
    network.transport k, network.iana_number k, network.protocol k, network.application k, network.type k, network.direction k,
    network.bytes l, network.packets l, network.community_id k, network.vlan.id k,
    user.name k, user.domain k, user.id k, user_agent.original k,
    url.domain k, url.original k, http.request.method k, http.response.status_code l,
    dns.question.name k, dns.question.type k, dns.response_code k, dns.answers.data k, dns.resolved_ip i+,
    tls.client.server_name k, tls.client.ja3 k, tls.version k, tls.server.subject k,
    process.name k, process.executable k, process.pid l, process.command_line k, process.parent.executable k,
    process.parent.command_line k, related.ip i+, related.user k+, related.hosts k+";

fn type_of(path: &str) -> &'static str {
    if path.strip_prefix("labels.").is_some_and(|name| !name.contains('.')) {
        return "label";
    }
    let known = TYPES.split(',').map(|entry| entry.trim().split_once(' ').unwrap());
    known.into_iter().find(|(name, _)| *name == path).unwrap_or_else(|| panic!("ECS has no field `{path}`")).1
}

fn check(path: &str, value: &Value) {
    match value {
        Value::Object(members) => {
            assert!(!members.is_empty(), "{path} is empty");
            for (name, value) in members {
                let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                check(&inner, value);
            }
        }
        Value::Array(items) if path == "dns.answers" => items.iter().for_each(|item| check(path, item)),
        Value::Array(items) => {
            let kind = type_of(path);
            assert!(kind == "label" || kind.ends_with('+'), "{path} is an array");
            items.iter().for_each(|item| scalar(path, kind.trim_end_matches('+'), item));
        }
        _ => {
            let kind = type_of(path);
            assert!(!kind.ends_with('+'), "{path} is no array");
            scalar(path, kind, value);
        }
    }
}

fn scalar(path: &str, kind: &str, value: &Value) {
    let right = match kind {
        "l" => value.is_u64() || value.is_i64(),
        "k" | "label" => value.is_string(),
        "d" => value.as_str().is_some_and(|text| text.len() == 27 && text.ends_with('Z')),
        "i" => value.as_str().is_some_and(|text| Ip::parse(text.as_bytes()).is_some()),
        _ => false,
    };
    assert!(right, "{path} is {value}, expected {kind}");
}

fn documents(batch: &FlowBatch, original: Original) -> Vec<Value> {
    let document = |row| {
        let mut out = Vec::new();
        ecs::write_row(batch, row, original, &mut out);
        serde_json::from_slice(&out).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&out)))
    };
    (0..batch.len()).map(document).collect()
}

#[test]
fn every_document_has_fields_of_ecs_with_their_types() {
    let batch = common::rows();
    for document in documents(&batch, Original::Kept) {
        check("", &document);
        for always in ["@timestamp", "ecs", "event"] {
            assert!(document.get(always).is_some(), "{always}");
        }
    }
}

#[test]
fn categories_types_and_outcomes_are_those_of_the_allowed_lists() {
    let batch = common::rows();
    for document in documents(&batch, Original::Dropped) {
        let event = &document["event"];
        let types: Vec<&str> = event["type"].as_array().unwrap().iter().map(|kind| kind.as_str().unwrap()).collect();
        let allowed: &[&str] = match event["category"][0].as_str() {
            Some("network") => &["access", "allowed", "connection", "denied", "end", "info", "protocol", "start"],
            Some("authentication") => &["start", "end", "info"],
            Some("intrusion_detection") => &["allowed", "denied", "info"],
            Some("process") => &["access", "change", "end", "info", "start"],
            Some("host") => &["access", "change", "end", "info", "start"],
            None => &["info"],
            Some(other) => panic!("category {other}"),
        };
        assert!(types.iter().all(|kind| allowed.contains(kind)), "{event}");
        assert!(matches!(event["outcome"].as_str(), None | Some("success" | "failure" | "unknown")));
        assert!(event.get("original").is_none());
    }
}

#[test]
fn units_spellings_and_roles_are_those_of_ecs() {
    let batch = common::rows();
    let all = documents(&batch, Original::Dropped);
    let flow = &all[0];
    assert_eq!(flow["source"]["mac"], "00-00-5E-00-53-AF");
    let duration = batch.get(0, schemas::key::DURATION).unwrap();
    assert_eq!(flow["event"]["duration"].as_u64().unwrap(), duration * 1_000, "nanoseconds");
    let host = batch.text(0, schemas::key::HOST).map(String::from_utf8_lossy).unwrap();
    assert_eq!(flow["observer"]["name"], *host, "a firewall observes");
    assert!(flow.get("host").is_none());
    let of_host = &all[5];
    assert!(of_host["host"]["name"].is_string() && of_host["observer"].get("name").is_none(), "a host logs for itself");
    assert_eq!(flow["labels"]["vendor_field"], serde_json::json!(["one", "two"]));
    assert_eq!(flow["labels"]["vendor_rule_name"], "not ours");
    assert_eq!(flow["dns"]["resolved_ip"], serde_json::json!(["203.0.113.7"]));
    let ips = flow["related"]["ip"].as_array().unwrap();
    assert!(ips.contains(&flow["source"]["ip"]) && ips.contains(&flow["destination"]["nat"]["ip"]));
}
