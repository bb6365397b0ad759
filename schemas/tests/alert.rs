//! The alert document in its three forms, as others read them.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow_array::cast::AsArray;
use schemas::{Alert, AlertId, AlertState, AlertStatus, AlertValue, Attack, Entity, EntityKind, Evidence, Level};
use serde_json::{Value, json};

fn alert() -> Alert {
    Alert {
        alert_id: AlertId([0x1f; 16]),
        revision: 2,
        status: AlertStatus::Closed,
        supersedes: vec![AlertId([0xa0; 16])],
        rule_id: Arc::from("0b6f3b5e-0000-4000-8000-000000000001"),
        rule_version: Arc::from("3"),
        title: Arc::from("Failed logins and a spike to RDP"),
        level: Level::High,
        risk: 80,
        confidence: 90,
        tenant: Arc::from(""),
        group: vec![("dst_asset".into(), "ts01".into()), ("src_ip".into(), "198.51.100.7".into())],
        first_seen: 1_700_000_000_000_000,
        last_seen: 1_700_000_300_000_000,
        triggered_at: 1_700_000_200_000_000,
        count: 42,
        values: vec![
            ("failed_logins".into(), AlertValue::Integer(31)),
            ("ratio".into(), AlertValue::Float(0.5)),
            ("user".into(), AlertValue::List(vec!["alice".into(), "bob".into()])),
        ],
        entities: vec![
            Entity { kind: EntityKind::Ip, field: "src_ip".into(), value: "198.51.100.7".into(), detail: vec![] },
            Entity { kind: EntityKind::Ip, field: "dst_ip".into(), value: "192.0.2.10".into(), detail: vec![] },
            Entity { kind: EntityKind::Port, field: "dst_port".into(), value: "3389".into(), detail: vec![] },
            Entity {
                kind: EntityKind::Host,
                field: "dst_asset".into(),
                value: "ts01".into(),
                detail: vec![("role".into(), "terminal-server".into()), ("criticality".into(), "high".into())],
            },
            Entity { kind: EntityKind::User, field: "user".into(), value: "alice".into(), detail: vec![] },
            Entity { kind: EntityKind::User, field: "user".into(), value: "bob".into(), detail: vec![] },
        ],
        attack: Arc::from([Attack {
            tactic_id: "TA0006".into(),
            tactic: "Credential Access".into(),
            technique_id: "T1110.003".into(),
            technique: "Brute Force: Password Spraying".into(),
        }]),
        state: AlertState::Exact,
        evidence: vec![Evidence {
            source: Arc::from("fw.log"),
            partition: 0,
            offset: 7,
            sub: 0,
            time: 1_700_000_000_000_000,
            raw: Some(b"deny \"x\"".to_vec()),
        }],
        evidence_total: 42,
        message: "31 failed logins and 11 connections to 3389".into(),
        context: vec![("condition".into(), AlertValue::Text("gte 30".into()))],
    }
}

#[test]
fn the_canonical_document_has_the_stable_names_in_order() {
    let mut out = Vec::new();
    alert().write_json(&mut out);
    let read: Value = serde_json::from_slice(&out).unwrap();
    let names: Vec<&str> = read.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names.join(" "),
        "alert_id revision status supersedes rule_id rule_version title level risk confidence tenant group \
         first_seen last_seen triggered_at count values entities attack state evidence evidence_total message context"
    );
    assert_eq!(read["alert_id"], "1f".repeat(16));
    assert_eq!(read["supersedes"], json!(["a0".repeat(16)]));
    assert_eq!(read["group"], json!({"dst_asset": "ts01", "src_ip": "198.51.100.7"}));
    assert_eq!(read["values"], json!({"failed_logins": 31, "ratio": 0.5, "user": ["alice", "bob"]}));
    assert_eq!(read["triggered_at"], "2023-11-14T22:16:40.000000Z");
    assert_eq!(read["entities"][3]["criticality"], "high");
    assert_eq!(
        read["evidence"],
        json!([{"source": "fw.log", "partition": 0, "offset": 7, "time": "2023-11-14T22:13:20.000000Z", "raw": "deny \"x\""}])
    );
}

#[test]
fn a_group_by_value_is_found_before_an_entity() {
    let alert = alert();
    assert_eq!(alert.value_of("src_ip"), Some("198.51.100.7"));
    assert_eq!(alert.value_of("dst_port"), Some("3389"));
    assert_eq!(alert.value_of("vlan"), None);
}

#[test]
fn a_row_of_the_lake_has_the_members_of_the_document() {
    let alert = alert();
    let batch = schemas::arrow::alerts_to_record_batch(&[alert.clone(), alert.clone()]);
    assert_eq!(batch.num_rows(), 2);
    let mut out = Vec::new();
    alert.write_json(&mut out);
    let read: Value = serde_json::from_slice(&out).unwrap();
    let members: Vec<_> = read.as_object().unwrap().keys().map(String::as_str).collect();
    let schema = batch.schema();
    assert_eq!(members, schema.fields().iter().map(|column| column.name().as_str()).collect::<Vec<_>>());
    let values = batch.column_by_name("values").unwrap().as_string::<i32>().value(1);
    assert_eq!(serde_json::from_str::<Value>(values).unwrap(), read["values"]);
}

#[test]
fn as_ecs_it_is_an_external_alert_with_what_dashboards_sort_by() {
    let mut out = Vec::new();
    schemas::ecs::write_alert(&alert(), &mut out);
    let read: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(read["@timestamp"], "2023-11-14T22:16:40.000000Z");
    assert_eq!(read["event"]["kind"], "alert");
    assert_eq!(read["event"]["severity"], 73);
    assert_eq!(read["rule"]["name"], "Failed logins and a spike to RDP");
    assert_eq!(read["threat"]["tactic"], json!({"id": ["TA0006"], "name": ["Credential Access"]}));
    assert_eq!(
        read["threat"]["technique"],
        json!({"id": ["T1110"], "name": ["Brute Force"],
               "subtechnique": {"id": ["T1110.003"], "name": ["Password Spraying"]}})
    );
    assert_eq!(read["source"], json!({"ip": "198.51.100.7", "address": "198.51.100.7"}));
    assert_eq!(read["destination"]["port"], 3389);
    assert_eq!(
        read["related"],
        json!({"ip": ["198.51.100.7", "192.0.2.10"], "user": ["alice", "bob"], "hosts": ["ts01"]})
    );
    assert!(read.get("user").is_none(), "two accounts are no single one");
    assert!(read["labels"].as_object().unwrap().values().all(|value| value.is_string() || value.is_array()));
}

#[test]
fn as_ocsf_it_is_a_detection_finding_of_the_right_arithmetic() {
    for (status, revision, activity) in [
        (AlertStatus::Open, 1, 1),
        (AlertStatus::Open, 2, 2),
        (AlertStatus::Closed, 3, 3),
        (AlertStatus::Superseded, 4, 3),
    ] {
        let mut out = Vec::new();
        schemas::ocsf::write_alert(&Alert { status, revision, ..alert() }, &mut out);
        let read: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((&read["class_uid"], &read["category_uid"]), (&json!(2004), &json!(2)));
        assert_eq!(read["type_uid"], 200_400 + activity);
        assert_eq!(read["severity_id"], 4);
        assert_eq!(read["time"], 1_700_000_200_000_u64);
        assert_eq!(read["finding_info"]["uid"], "1f".repeat(16));
        assert_eq!(read["finding_info"]["attacks"][0]["sub_technique"]["uid"], "T1110.003");
        assert_eq!(read["evidences"][0]["src_endpoint"]["ip"], "198.51.100.7");
        assert_eq!(read["evidences"][1]["data"]["raw"], "deny \"x\"");
        assert_eq!(read["resources"][1]["role_id"], 1);
        assert_eq!(read["metadata"]["version"], "1.8.0");
    }
}
