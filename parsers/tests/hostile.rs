//! Lines from hell: none makes a parser panic, loop, or answer differently when the input is cut differently.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::{Random, fixture_lines, fixtures, lines, mutate, run};
use parsers::{FAMILIES, Format};

#[test]
fn ten_thousand_mutations_are_each_an_event_or_a_reject_whatever_the_splitting() {
    let originals = fixture_lines();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mutated: Vec<Vec<u8>> =
        (0..10_000).map(|_| mutate(&originals[random.below(originals.len())], &mut random)).collect();
    let text = mutated.join(&b'\n');
    let formats = (0..FAMILIES.len()).map(Format::Family).chain([Format::Auto]);
    for format in formats {
        let whole = run(format, &text, usize::MAX);
        assert_eq!(whole.len(), mutated.len(), "one outcome a line");
        let split = run(format, &text, 7);
        for (at, (whole, split)) in whole.iter().zip(&split).enumerate() {
            assert_eq!(whole, split, "{} line {at}: {}", format.name(), String::from_utf8_lossy(&mutated[at]));
            if let Err(reject) = whole {
                assert!(
                    reject.offset <= mutated[at].len(),
                    "{} line {at}: offset {} of {}",
                    format.name(),
                    reject.offset,
                    mutated[at].len()
                );
            }
        }
    }
}

#[test]
fn long_and_deep_lines_end_in_bounded_time() {
    let mut text: Vec<Vec<u8>> = vec![
        vec![b'a'; 1 << 20],
        vec![0; 1 << 20],
        vec![b'['; 1 << 20],
        vec![b'"'; 1 << 20],
        b"{\"a\":".repeat(1 << 17),
        b"{\"a\":[".repeat(1 << 17),
        b"\\\"".repeat(1 << 19),
        b"<134>".repeat(1 << 17),
        b"a=\"".repeat(1 << 18),
        b"a=b ".repeat(1 << 18),
        b"<a b='".repeat(1 << 17),
        b"<a>".repeat(1 << 18),
        b"\"x,".repeat(1 << 18),
        b"{,".repeat(1 << 19),
        b", User: ".repeat(1 << 17),
        b"%ASA-6-302013: Built ".repeat(1 << 15),
        [&b"{\"message\":\""[..], &b"\\\\".repeat(1 << 19), b"\"}"].concat(),
        [&b"<165>1 2026-01-05T10:00:00Z h a p m ["[..], &b"x y=\"z\" ".repeat(1 << 17)].concat(),
        [&b"1.0|WatchGuard|XTM|12|5|a=#2"[..], &b"#011b=#2".repeat(1 << 17)].concat(),
        // keys by which a document is searched for others, said again and again
        [
            &b"{\"@timestamp\":\"\",\"source\":{},\"destination\":{}"[..],
            &b",\"event\":{}".repeat(1 << 17),
            b",\"x\":[\"netflow\"]}",
        ]
        .concat(),
        // a long name that must be unescaped, with many values
        [
            &b"{\"kind\":\"admin#reports#activity\",\"id\":{\"time\":\"2026-01-05T10:00:00.000Z\",\"applicationName\":\"login\"},\"events\":[{\"name\":\"e\",\"parameters\":[{\"name\":\""[..],
            &b"\\\\".repeat(1 << 19),
            b"\",\"multiValue\":[\"\"",
            &b",\"v\"".repeat(1 << 16),
            b"]}]}]}",
        ]
        .concat(),
    ];
    let ended_by_none = |line: &[u8]| {
        // the beginning of a true line, with a tail that never ends
        let half = &line[..line.len() / 2];
        [
            [half, &b"(".repeat(1 << 14)].concat(),
            [half, &b" from a to b ".repeat(1 << 11)].concat(),
            [half, &b",\"".repeat(1 << 13)].concat(),
            [half, &b"=\\".repeat(1 << 13)].concat(),
        ]
    };
    text.extend(fixture_lines().iter().step_by(97).flat_map(|line| ended_by_none(line)));
    for format in (0..FAMILIES.len()).map(Format::Family).chain([Format::Auto]) {
        let mut text = text.clone();
        if let Format::Family(index) = format {
            let own = fs::read(fixtures().join(FAMILIES[index].name()).join("lines.log")).unwrap();
            text.extend(lines(&own).iter().step_by(2).flat_map(|line| ended_by_none(line)));
        }
        text.iter_mut().for_each(|line| line.retain(|&byte| byte != b'\n'));
        assert_eq!(run(format, &text.join(&b'\n'), usize::MAX).len(), text.len(), "{}", format.name());
    }
}

#[test]
fn an_envelope_gives_what_the_line_inside_gives() {
    for (index, family) in FAMILIES.iter().enumerate() {
        if family.accepts() != parsers::Accepts::Lines {
            continue;
        }
        let text = fs::read(fixtures().join(family.name()).join("lines.log")).unwrap();
        let plain = run(Format::Family(index), &text, 1000);
        let wrapped: Vec<String> = lines(&text)
            .iter()
            .filter_map(|line| std::str::from_utf8(line).ok())
            .map(|line| {
                if line.starts_with('{') {
                    line.to_string()
                } else {
                    serde_json::json!({ "message": line, "tags": [] }).to_string()
                }
            })
            .collect();
        let wrapped = run(Format::Family(index), wrapped.join("\n").as_bytes(), 1000);
        for (at, (plain, wrapped)) in plain.iter().zip(&wrapped).enumerate() {
            assert_eq!(plain.as_ref().ok(), wrapped.as_ref().ok(), "{} line {}", family.name(), at + 1);
        }
    }
}

/// What a record says of all its events is said by each: it is read once, and together they may say no more than a bound.
#[test]
fn events_that_share_a_long_head_are_bounded_in_time_and_text() {
    let google = |head: &str, events: usize| {
        let event = r#"{"type":"login","name":"login_success"}"#;
        format!(
            r#"{{"kind":"admin#reports#activity","id":{{"time":"2026-01-05T10:00:00.000Z","applicationName":"login"}},"actor":{{"email":"{head}"}},"ipAddress":"192.0.2.1","events":[{}]}}"#,
            [event].repeat(events).join(",")
        )
    };
    let osquery = |head: &str, events: usize| {
        format!(
            r#"{{"name":"q","hostIdentifier":"{head}","unixTime":1767607200,"decorations":{{{}"x":""}},"snapshot":[{}]}}"#,
            r#""a":"","#.repeat(head.len() / 8),
            [r#"{"name":"a"}"#].repeat(events).join(",")
        )
    };
    let azure = |head: &str, events: usize| {
        let tuple = r#""1767607200,192.0.2.1,198.51.100.7,40000,443,T,O,D""#;
        format!(
            r#"{{"time":"2026-01-05T10:00:00Z","systemId":"s","category":"NetworkSecurityGroupFlowEvent","resourceId":"/R/{head}","operationName":"NetworkSecurityGroupFlowEvents","properties":{{"Version":1,"flows":[{{"rule":"r","flows":[{{"mac":"000D3A000001","flowTuples":[{}]}}]}}]}}}}"#,
            [tuple].repeat(events).join(",")
        )
    };
    let otel = |head: &str, events: usize| {
        let value = |at: usize| format!(r#"{{"stringValue":"{at}"}}"#);
        let values: Vec<String> = (0..events).map(value).collect();
        format!(
            r#"{{"timeUnixNano":"1767607200000000000","severityNumber":9,"body":{{"stringValue":"x"}},"attributes":[{{"key":"k{head}","value":{{"arrayValue":{{"values":[{}]}}}}}}]}}"#,
            values.join(",")
        )
    };
    type Make<'a> = &'a dyn Fn(&str, usize) -> String;
    let makes: [(&str, Make<'_>); 4] =
        [("google_workspace", &google), ("osquery", &osquery), ("azure_nsg", &azure), ("otel", &otel)];
    for (name, make) in makes {
        let format = Format::from_name(name).unwrap();
        // what is usual is read whole
        let usual = run(format, make("h", 2_000).as_bytes(), 1).remove(0).unwrap().1;
        assert_eq!(usual.len(), if name == "otel" { 1 } else { 2_000 }, "{name}");
        assert!(usual.iter().all(|row| !row.contains("\"reject\"")), "{name}");
        // as it is, and out of an envelope, where texts must be copied
        let long = make(&"\\n".repeat(60_000), 4_000);
        let envelope = serde_json::json!({ "message": long }).to_string();
        for line in [long, envelope] {
            match run(format, line.as_bytes(), 1).remove(0) {
                Ok((_, rows)) => {
                    let written: usize = rows.iter().map(String::len).sum();
                    assert!(written < 200 * line.len(), "{name}: {written} bytes of {}", line.len());
                    let refused = |row: &String| row.contains("bytes of text in the events of one record");
                    assert!(name == "otel" || rows.last().is_some_and(refused), "{name}");
                }
                Err(reject) => {
                    let said = reject.to_string();
                    assert!(said.contains("bytes of text in the events of one record"), "{name}: {said}");
                }
            }
        }
    }
}
