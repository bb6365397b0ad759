//! What a correlator tells, and when: opening, closing, late events, pressure on memory.
#![allow(clippy::unwrap_used)]

use rules::correlate::{Correlator, Settings, Share, correlate};
use rules::hit::{EventId, HitBatch, HitParts, ValueRef, content_hash};
use rules::plan::*;
use schemas::{Alert, AlertState, AlertStatus};
use std::sync::Arc;

const SECOND: i64 = 1_000_000;

fn brute_force(count: u64) -> Arc<Plan> {
    let leaf = Leaf { name: "failed".into(), title: "Failed login".into(), noun: Some("failed logins".into()) };
    let node = Node {
        name: "many".into(),
        title: "Many failed logins".into(),
        timespan_us: 60 * SECOND,
        inner_key: None,
        kind: NodeKind::EventCount { members: vec![Member::Leaf(0)], condition: Condition::at_least(count) },
    };
    let rule = RuleText {
        id: "rule-1".into(),
        version: "v1".into(),
        title: "Many failed logins on one host".into(),
        level: Level::High,
        tags: vec!["attack.credential-access".into(), "attack.t1110.001".into()],
        ..RuleText::default()
    };
    let tree = Tree {
        rule,
        group_by: vec!["dst_ip".into()],
        context: vec!["src_ip".into(), "user".into()],
        leaves: vec![leaf],
        nodes: vec![node],
        ..Tree::default()
    };
    Arc::new(Plan { trees: vec![tree] })
}

fn hits(events: &[(i64, &str)]) -> HitBatch {
    let mut batch = HitBatch::new();
    let source = batch.source_index(&Arc::from("topic")).unwrap();
    for (offset, (seconds, host)) in events.iter().enumerate() {
        let (mut key, mut context) = (Vec::new(), Vec::new());
        ValueRef::Text(host.as_bytes()).write(&mut key);
        ValueRef::V4([203, 0, 113, 9]).write(&mut context);
        ValueRef::Text(b"alice").write(&mut context);
        let line = format!("line {offset}");
        let hit = HitParts {
            tree: 0,
            leaves: 1,
            time_us: seconds * SECOND,
            event: EventId { source, partition: 0, offset: offset as u64, sub: 0 },
            content: content_hash(line.as_bytes()),
            key: &key,
            slots: &[],
            inner: &[],
            context: &context,
            raw: Some(line.as_bytes()),
        };
        batch.push(hit).unwrap();
    }
    batch
}

fn told(alerts: &[Alert]) -> Vec<String> {
    alerts
        .iter()
        .map(|alert| {
            let taken_over = if alert.supersedes.is_empty() { "" } else { ", instead of another" };
            let (begin, first, last) =
                (alert.triggered_at / SECOND, alert.first_seen / SECOND, alert.last_seen / SECOND);
            format!("{:?} at {begin} r{}: {} in {first}..{last}{taken_over}", alert.status, alert.revision, alert.count)
        })
        .collect()
}

#[test]
fn an_alert_is_told_when_it_holds_and_again_when_it_is_over() {
    let mut correlator = Correlator::new(brute_force(3), Settings::default()).unwrap();
    let mut out = Vec::new();
    correlator.push(&hits(&[(10, "a"), (20, "a")]), &mut out);
    assert_eq!(told(&out), Vec::<String>::new());
    correlator.push(&hits(&[(30, "a"), (31, "b")]), &mut out);
    assert_eq!(told(&out), ["Open at 30 r1: 3 in 10..30"], "before any watermark");
    correlator.push(&hits(&[(40, "a")]), &mut out);
    correlator.advance(99 * SECOND, &mut out);
    assert_eq!(out.len(), 1, "a hold at 100 would continue it");
    correlator.advance(100 * SECOND, &mut out);
    assert_eq!(told(&out[1..]), ["Closed at 30 r2: 4 in 10..40"]);
    assert_eq!(out[0].alert_id, out[1].alert_id);
    correlator.finish(&mut out);
    assert_eq!(out.len(), 2, "the other host has too few");
}

#[test]
fn an_event_exactly_the_timespan_older_is_outside() {
    let mut correlator = Correlator::new(brute_force(2), Settings::default()).unwrap();
    let mut out = Vec::new();
    correlator.push(&hits(&[(0, "a"), (60, "a"), (60, "b"), (119, "b")]), &mut out);
    correlator.finish(&mut out);
    assert_eq!(told(&out), ["Open at 119 r1: 2 in 60..119", "Closed at 119 r2: 2 in 60..119"]);
}

#[test]
fn a_late_event_that_moves_the_beginning_takes_over_the_alert() {
    let mut correlator = Correlator::new(brute_force(3), Settings::default()).unwrap();
    let mut out = Vec::new();
    correlator.push(&hits(&[(10, "a"), (20, "a"), (30, "a")]), &mut out);
    correlator.push(&hits(&[(15, "a")]), &mut out);
    assert_eq!(told(&out), ["Open at 30 r1: 3 in 10..30"]);
    let wrong = out[0].alert_id;
    correlator.advance(50 * SECOND, &mut out);
    assert_eq!(told(&out[1..]), ["Superseded at 30 r2: 4 in 10..30", "Open at 20 r1: 4 in 10..30, instead of another"]);
    assert_eq!((out[1].alert_id, &out[2].supersedes[..]), (wrong, &[wrong][..]));
    correlator.finish(&mut out);
    assert_eq!(told(&out[3..]), ["Closed at 20 r2: 4 in 10..30"]);
    assert!(out[3].supersedes.is_empty(), "the last revision is the same in any order of arrival");
}

#[test]
fn an_event_behind_the_watermark_is_refused_and_counted() {
    let mut correlator = Correlator::new(brute_force(1), Settings::default()).unwrap();
    let mut out = Vec::new();
    correlator.advance(100 * SECOND, &mut out);
    correlator.push(&hits(&[(100, "a"), (99, "a"), (101, "b")]), &mut out);
    correlator.finish(&mut out);
    assert_eq!(correlator.counters().late, 2);
    assert_eq!(told(&out).len(), 2);
}

#[test]
fn an_alert_says_what_happened_to_whom_and_why_it_matters() {
    let mut alerts = Vec::new();
    let batches =
        [hits(&[(10, "rdp-01"), (20, "rdp-01"), (700, "rdp-01"), (710, "rdp-01"), (720, "rdp-01"), (721, "rdp-01")])];
    correlate(&brute_force(3), &Settings::default(), &batches, Share::ALL, &mut |alert| alerts.push(alert)).unwrap();
    let [alert] = &alerts[..] else { panic!("{alerts:?}") };
    assert_eq!(alert.message, "4 failed logins from 203.0.113.9 on rdp-01, in 21s");
    assert_eq!(alert.group, [("dst_ip".to_string(), "rdp-01".to_string())]);
    assert_eq!((alert.status, alert.state, alert.level), (AlertStatus::Closed, AlertState::Exact, Level::High));
    assert_eq!(alert.attack[0].technique, "Brute Force: Password Guessing");
    assert_eq!(alert.attack[0].tactic_id, "TA0006");
    let raw: Vec<_> =
        alert.evidence.iter().map(|evidence| String::from_utf8_lossy(evidence.raw.as_ref().unwrap())).collect();
    assert_eq!(raw, ["line 2", "line 3", "line 4", "line 5"], "what led to it and its end, not what was long before");
    let condition = alert.context.iter().find(|(name, _)| name == "condition").unwrap();
    assert_eq!(condition.1, schemas::AlertValue::Text("at least 3 failed logins within 1m".into()));
    let entities: Vec<_> = alert.entities.iter().map(|entity| (entity.field.as_str(), entity.value.as_str())).collect();
    assert_eq!(entities, [("dst_ip", "rdp-01"), ("src_ip", "203.0.113.9"), ("user", "alice")]);
}

#[test]
fn a_flood_of_keys_does_not_push_out_the_one_that_is_about_to_fire() {
    let settings = Settings { state_bytes_max: 200_000, ..Settings::default() };
    let mut correlator = Correlator::new(brute_force(10), settings).unwrap();
    let mut out = Vec::new();
    correlator.push(&hits(&[(1, "victim"); 9]), &mut out);
    for round in 0..50 {
        let names: Vec<String> = (0..200).map(|number| format!("invented-{round}-{number}")).collect();
        let events: Vec<(i64, &str)> = names.iter().map(|name| (2, name.as_str())).collect();
        correlator.push(&hits(&events), &mut out);
        assert!(correlator.counters().bytes <= 200_000);
    }
    assert!(correlator.counters().evicted > 5_000);
    correlator.push(&hits(&[(3, "victim"), (3, "new")]), &mut out);
    assert_eq!(told(&out), ["Open at 3 r1: 10 in 1..3"]);
    assert_eq!(out[0].state, AlertState::Exact, "nothing of it was lost");
    correlator.push(&hits(&[(4, "invented-0-0"); 10]), &mut out);
    assert_eq!(out[1].state, AlertState::Degraded, "its first event was lost");
    assert!(out[1].message.contains("counts may be too low"));
}

#[test]
fn a_key_of_one_event_is_small_and_leaves_when_its_time_is_over() {
    let mut correlator = Correlator::new(brute_force(10), Settings::default()).unwrap();
    let mut out = Vec::new();
    let names: Vec<String> = (0..1000).map(|number| format!("host-{number}")).collect();
    let events: Vec<(i64, &str)> = names.iter().map(|name| (2, name.as_str())).collect();
    correlator.push(&hits(&events), &mut out);
    correlator.advance(3 * SECOND, &mut out);
    let counters = correlator.counters();
    assert_eq!(counters.keys, 1000);
    // Its evidence (raw sample, context) comes on top of the hundred bytes that the state may take.
    let evidence = "line 999".len() + 5 + 8 + 8;
    let each = counters.bytes as usize / 1000;
    assert!(each <= 100 + evidence, "{each} bytes a key");
    correlator.advance(62 * SECOND, &mut out);
    assert_eq!((correlator.counters().keys, correlator.counters().bytes), (0, 0));
}
