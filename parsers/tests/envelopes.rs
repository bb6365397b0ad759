//! Records that stores, collectors and shippers wrap: what is inside is read by the family that knows it.

#![allow(clippy::unwrap_used)]

mod common;

use common::run;
use parsers::Format;
use serde_json::{Value, json};

const CEF: &str = "CEF:0|Example|Wall|1.2|100|Connection denied|5|src=192.0.2.15 dst=198.51.100.22 dpt=22 act=deny";

/// The rows of one document, read by detection.
fn rows(document: &Value) -> Vec<Value> {
    let outcome = run(Format::Auto, document.to_string().as_bytes(), 10).remove(0);
    outcome.unwrap().1.iter().map(|row| serde_json::from_str(row).unwrap()).collect()
}

#[test]
fn the_body_of_a_log_record_may_be_a_line_of_another_family() {
    let record = |body: &str| json!({ "timeUnixNano": "1767607209000000000", "severityNumber": 9, "body": { "stringValue": body } });
    let document = json!({ "resourceLogs": [{
        "resource": { "attributes": [{ "key": "host.name", "value": { "stringValue": "collector-1" } }] },
        "scopeLogs": [{ "scope": {}, "logRecords": [record(CEF), record("hello")] }],
    }]});
    let rows = rows(&document);
    let facts: Vec<_> = rows.iter().map(|row| (&row["family"], &row["host"], &row["src_ip"], &row["time"])).collect();
    let (time, host) = (json!("2026-01-05T10:00:09.000000Z"), json!("collector-1"));
    assert_eq!(facts[0], (&json!("cef"), &host, &json!("192.0.2.15"), &time));
    assert_eq!(facts[1], (&json!("otel"), &host, &Value::Null, &time));
}

#[test]
fn a_message_of_graylog_may_be_a_line_of_another_family() {
    let line = "sshd[4711]: Failed password for root from 192.0.2.14 port 50115 ssh2";
    let message = json!({ "version": "1.1", "host": "srv-1", "short_message": line, "timestamp": 1767607205.5 });
    let rows = rows(&message);
    assert_eq!((&rows[0]["family"], &rows[0]["host"]), (&json!("linux_auth"), &json!("srv-1")));
    assert_eq!(rows[0]["time"], json!("2026-01-05T10:00:05.500000Z"));
}

#[test]
fn a_shippers_host_stands_in_for_one_that_the_line_lacks() {
    let line = "sshd[4711]: Failed password for root from 192.0.2.14 port 50115 ssh2";
    let own = format!("Jan  5 10:00:05 web-1 {line}");
    let hosts =
        [json!({ "host": { "name": "srv-1", "os": {} } }), json!({ "host.name": "srv-1" }), json!({ "host": "srv-1" })];
    for host in hosts {
        for (line, expected) in [(line, "srv-1"), (&own, "web-1")] {
            let mut document = host.clone();
            document["@timestamp"] = json!("2026-01-05T10:00:05.000Z");
            document["message"] = json!(line);
            let row = &rows(&document)[0];
            assert_eq!((&row["family"], &row["host"]), (&json!("linux_auth"), &json!(expected)), "{document}");
        }
    }
}

#[test]
fn a_hit_and_a_collectors_event_are_read_by_the_family_of_what_is_inside() {
    let class = json!({ "class_uid": 4001, "category_uid": 4, "metadata": {}, "src_endpoint": { "ip": "192.0.2.16" } });
    let hit = json!({ "_index": "logs", "_id": "1", "_score": 1.0, "_source": class });
    let sent = json!({ "time": 1767607206, "host": "pipe-1", "sourcetype": "x", "event": class });
    for document in [&hit, &sent] {
        assert_eq!(rows(document)[0]["family"], json!("ocsf_json"), "{document}");
    }
    assert_eq!(rows(&sent)[0]["time"], json!("2026-01-05T10:00:06.000000Z"));
    let fixed = run(Format::from_name("ocsf_json").unwrap(), hit.to_string().as_bytes(), 10).remove(0);
    assert!(fixed.unwrap().1[0].contains("192.0.2.16"));
}
