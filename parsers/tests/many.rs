//! Many records in one line: each becomes what it is alone, and a refused one loses no other.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::{Outcome, fixtures, run};
use parsers::{Accepts, FAMILIES, Format, Parsed};
use serde_json::{Value, json};

const EVE: &str = r#"{"timestamp":"2026-01-05T10:00:00.000001+0000","flow_id":1,"event_type":"flow","src_ip":"192.0.2.1","src_port":40000,"dest_ip":"198.51.100.7","dest_port":22,"proto":"TCP"}"#;
const BAD: &str = r#"{"timestamp":"2026-01-05T10:00:00.000001+0000","flow_id":1,"event_type":"flow","src_ip":"192.0.2.1","src_port":"x","dest_ip":"198.51.100.7","dest_port":22,"proto":"TCP"}"#;
const DROP: &str =
    "Jan  5 10:00:00 fw1 kernel: IN=eth0 OUT= SRC=192.0.2.1 DST=198.51.100.7 PROTO=TCP SPT=4 DPT=22 LEN=40";

fn auto(line: &str) -> Outcome {
    run(Format::Auto, line.as_bytes(), 1).remove(0)
}

fn is_refusal(row: &str) -> bool {
    row.starts_with("{\"raw\":") || row.starts_with("{\"reject\":")
}

fn rows(line: &str) -> Vec<Value> {
    let (parsed, rows) = auto(line).unwrap_or_else(|reject| panic!("{line}: {reject}"));
    assert_eq!(parsed, Parsed::Events, "{line}");
    rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect()
}

#[test]
fn each_record_of_a_wrapper_an_array_or_a_sequence_is_what_it_is_alone() {
    for (index, family) in FAMILIES.iter().enumerate().filter(|(_, family)| family.accepts() != Accepts::Lines) {
        let text = fs::read_to_string(fixtures().join(family.name()).join("lines.log")).unwrap();
        let is_object = |line: &&str| serde_json::from_str::<Value>(line).is_ok_and(|value| value.is_object());
        // one of which a part is refused says so behind all events
        let is_whole = |line: &&str| {
            let outcome = run(Format::Family(index), line.as_bytes(), 1).remove(0);
            outcome.is_ok_and(|(_, rows)| !rows.iter().any(|row| is_refusal(row)))
        };
        let objects: Vec<&str> = text.lines().filter(is_object).filter(is_whole).collect();
        for format in [Format::Family(index), Format::Auto] {
            let alone: Vec<String> = run(format, objects.join("\n").as_bytes(), 1000)
                .into_iter()
                .flat_map(|outcome| outcome.unwrap().1)
                .collect();
            for (from, to) in [("{\"records\":[", "]}"), ("[", "]"), (" , [ ", ""), ("", "")] {
                let line = format!("{from}{}{to}", objects.join(","));
                // without brackets others are seen behind a comma if they begin alike
                let line = if from.is_empty() { objects.join("") } else { line };
                let outcome = run(format, line.trim_start_matches([' ', ',']).as_bytes(), 1).remove(0);
                assert_eq!(outcome.unwrap().1, alone, "{} as {} in {from}…{to}", family.name(), format.name());
            }
        }
    }
}

#[test]
fn a_refused_record_is_noted_with_its_place_and_the_others_stay() {
    let line = format!("{{\"records\":[{EVE},{BAD},{EVE}]}}");
    let found = rows(&line);
    assert_eq!(found.len(), 3);
    assert_eq!((&found[0]["dst_port"], &found[1]["dst_port"]), (&json!(22), &json!(22)));
    let at = line.find("\"x\"").unwrap() + 1;
    let said = found[2]["reject"].as_str().unwrap();
    assert!(said.starts_with(&format!("suricata, byte {at}: src_port is `x`")), "{said}");
    assert_eq!(found[2]["raw"], BAD);
}

#[test]
fn where_no_record_is_an_event_the_line_is_refused_at_the_first_trouble() {
    let line = format!("[{BAD},{BAD}]");
    let reject = auto(&line).unwrap_err();
    assert_eq!((reject.family, reject.offset), ("suricata", line.find("\"x\"").unwrap() + 1));
    assert!(auto(r#"{"records":[{"of":"nobody"}]}"#).is_err());
    assert!(auto(r#"[1,2]"#).is_err());
}

#[test]
fn what_is_cut_off_or_broken_is_refused_behind_what_was_whole() {
    for (tail, why) in
        [(&EVE[..60], "never closes"), ("17", "an object"), ("} x", "expected a value"), ("\"what\"", "a known family")]
    {
        for (from, to) in [("[", ""), ("{\"value\":[", "]}")] {
            let found = rows(&format!("{from}{EVE},{EVE},{tail}{to}"));
            assert_eq!(found.len(), 3, "{tail}");
            let said = found[2]["reject"].as_str().unwrap();
            // what follows the cut one is inside it
            assert!(said.contains(why) || said.contains("never closes"), "{tail}: {said}");
        }
    }
    let found = rows(&format!("{EVE}{}", &EVE[..60]));
    assert!(found[1]["reject"].as_str().unwrap().contains("never closes"));
}

#[test]
fn brackets_and_commas_of_an_export_with_a_record_a_line_are_no_events() {
    let export = format!("[\n{EVE},\n{EVE}\n,{EVE}\n]\n{{\"records\":[\n{EVE},\n{EVE}]}}\n[{EVE},\n{EVE}],\n");
    let outcomes = run(Format::Auto, export.as_bytes(), 100);
    let events: Vec<usize> = outcomes.iter().map(|outcome| outcome.as_ref().unwrap().1.len()).collect();
    assert_eq!(events, [0, 1, 1, 1, 0, 0, 1, 1, 1, 1]);
}

#[test]
fn records_may_be_lines_and_envelopes_with_a_header_around_all() {
    let lines = json!({
        "messageType": "DATA_MESSAGE", "owner": "123456789012", "logGroup": "g", "logStream": "s",
        "logEvents": [
            {"id": "1", "timestamp": 1_767_607_200_000_i64, "message": DROP},
            {"id": "2", "timestamp": 1_767_607_200_000_i64, "message": EVE},
        ],
    });
    for line in [
        lines.to_string(),
        format!("<134>Jan  5 10:00:00 relay app: {lines}"),
        json!({ "message": lines.to_string() }).to_string(),
        json!({ "records": [DROP, EVE] }).to_string(),
        json!({ "status": "ok", "events": [{ "message": DROP }, serde_json::from_str::<Value>(EVE).unwrap()] })
            .to_string(),
    ] {
        let found = rows(&line);
        let families: Vec<_> = found.iter().map(|row| row["family"].as_str().unwrap_or_default()).collect();
        assert_eq!(families, ["iptables", "suricata"], "{line}");
        assert_eq!(found[0]["host"], "fw1");
    }
    let test =
        r#"{"messageType":"CONTROL_MESSAGE","logEvents":[{"id":"","message":"CWL CONTROL MESSAGE: Checking health"}]}"#;
    assert_eq!(auto(test), Ok((Parsed::Nothing, vec![])));
}

#[test]
fn records_in_records_and_records_without_end_are_bounded() {
    let mut line = EVE.to_string();
    for _ in 0..3 {
        line = format!("{{\"records\":[{line}]}}");
    }
    assert_eq!(rows(&line).len(), 1);
    for _ in 0..3 {
        line = format!("{{\"records\":[{line}]}}");
    }
    assert!(auto(&line).unwrap_err().to_string().contains("levels of records"));

    let line = format!("[{}]", [EVE].repeat(10_050).join(","));
    let (_, found) = run(Format::from_name("suricata").unwrap(), line.as_bytes(), 1).remove(0).unwrap();
    let (events, refused): (Vec<_>, Vec<_>) = found.iter().partition(|row| row.contains("family"));
    assert_eq!((events.len(), refused.len()), (9_999, 1));
    assert!(refused[0].contains("events in one record"));
    assert_eq!(refused[0].matches("flow_id").count(), 10_050 - 9_999, "the part that is refused is all the rest");
}

#[test]
fn lines_in_are_events_and_refusals_however_many_are_refused() {
    let all: Vec<Vec<u8>> = common::fixture_lines();
    let mut texts: Vec<String> = all.iter().filter_map(|line| String::from_utf8(line.clone()).ok()).collect();
    // an empty line at the end of a text is no line, while an empty element of a list is one
    texts.retain(|text| !text.is_empty());
    for chunk in texts.chunks(40) {
        let alone = run(Format::Auto, (chunk.join("\n") + "\n").as_bytes(), 1000);
        let array = serde_json::to_string(chunk).unwrap();
        let rows: Vec<&String> = alone.iter().flatten().flat_map(|(_, rows)| rows).collect();
        let parts = rows.iter().filter(|row| is_refusal(row)).count();
        let events = rows.len() - parts;
        let refused = parts + alone.iter().filter(|outcome| outcome.is_err()).count();
        match run(Format::Auto, format!("{{\"records\":{array}}}").as_bytes(), 1).remove(0) {
            Ok((_, rows)) => {
                let parts = rows.iter().filter(|row| is_refusal(row)).count();
                assert_eq!((rows.len() - parts, parts), (events, refused), "{chunk:#?}");
            }
            Err(_) => assert_eq!(events, 0),
        }
    }
}
