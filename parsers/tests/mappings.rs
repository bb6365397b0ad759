//! Formats that a configuration describes, by each of the three forms, fixed and by their marks.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use parsers::mapping::{Form, Mapping, Mark, Spec, Target};
use parsers::{Format, Parsed, Session, Zone};
use schemas::{EventKind, FlowBatch, Place, json};

fn target(name: &str) -> Target {
    Target::of(name).unwrap_or_else(|| panic!("no field `{name}`"))
}

fn spec(name: &str, form: Form, fields: &[(&str, &str)]) -> Spec {
    Spec {
        name: name.to_owned(),
        form,
        fields: fields.iter().map(|(field, key)| (target(field), (*key).to_owned())).collect(),
        constants: Vec::new(),
        words: Vec::new(),
        time_format: None,
        kind: None,
        mark: None,
    }
}

/// What becomes of each line: its row without what is the same in all, `{}`, or why it is refused.
fn outcomes(mut session: Session, lines: &[&str]) -> Vec<String> {
    let block = Arc::new(lines.join("\n").into_bytes());
    let mut batch = FlowBatch::new(8);
    let mut out = Vec::new();
    for (at, line) in block.split(|byte| *byte == b'\n').enumerate() {
        batch.reset(block.clone(), Arc::from("test"), 0);
        let place = Place { offset: at as u64 + 1, received_us: 1_767_607_200_000_000 };
        out.push(match session.parse_line(line, place, &mut batch) {
            Ok(Parsed::Nothing) => "{}".to_owned(),
            Ok(Parsed::Events) => {
                let mut text = Vec::new();
                json::write_row_with(&batch, 0, json::Options::LINE, &mut text);
                String::from_utf8(text).unwrap().replace(r#""time_source":"record","#, "")
            }
            Err(reject) => reject.to_string(),
        });
    }
    out
}

fn fixed(spec: Spec) -> Session {
    Session::new(Format::Mapped(Mapping::leak(spec)), Zone::Utc)
}

#[test]
fn objects_are_read_by_dotted_paths() {
    let fields = [
        ("time", "when"),
        ("src_ip", "peer.addr"),
        ("dst_ip", "local"),
        ("dst_port", "port"),
        ("action", "verdict"),
        ("user", "who"),
        ("duration_ms", "ms"),
    ];
    let mut gateway = spec("gateway", Form::Json, &fields);
    gateway.words = vec![(target("action"), vec![("N".to_owned(), "deny".to_owned())])];
    gateway.constants = vec![(target("vendor"), "Example".to_owned())];
    let lines = [
        r#"{"when":1767607200,"peer":{"addr":"192.0.2.10"},"local":"198.51.100.20","port":22,"verdict":"N","ms":1.5,"note":"x"}"#,
        r#"{"when":1767607201,"peer.addr":"192.0.2.11:4000","local":"srv-1","port":"80","verdict":"allow","who":"EXAMPLE\\alice"}"#,
        r#"{"when":1767607202,"port":"none at all"}"#,
        r#"{"when":1767607203,"#,
        "no object",
    ];
    let found = outcomes(fixed(gateway), &lines);
    let flow = r#""kind":"flow","family":"gateway","vendor":"Example""#;
    assert_eq!(
        found,
        [
            format!(
                r#"{{"time":"2026-01-05T10:00:00.000000Z",{flow},"src_ip":"192.0.2.10","dst_ip":"198.51.100.20","dst_port":22,"action":"deny","event_action":"deny","duration":1500,"port_state":"filtered","extras":{{"note":"x"}}}}"#
            ),
            format!(
                r#"{{"time":"2026-01-05T10:00:01.000000Z",{flow},"src_ip":"192.0.2.11","src_port":4000,"dst_port":80,"dst_host":"srv-1","action":"allow","event_action":"allow","user":"alice","user_domain":"EXAMPLE"}}"#
            ),
            "gateway, byte 27: dst_port is `none at all`, expected digits 0..=65535".to_owned(),
            "gateway, byte 19: the JSON object never closes; was the line cut by a relay?".to_owned(),
            "gateway, byte 0: not a record of this family, expected a JSON object; check --format, or use auto"
                .to_owned(),
        ]
    );
}

#[test]
fn columns_have_names_and_a_line_of_them_is_a_header() {
    let columns = ["at", "who", "from", "ok", "why"].map(str::to_owned).to_vec();
    let fields = [("time", "at"), ("user", "who"), ("src_ip", "from"), ("outcome", "ok"), ("reason", "why")];
    let mut door = spec("door", Form::Csv { delimiter: b';', columns }, &fields);
    door.time_format = Some("yyyyMMddHHmmss".to_owned());
    door.kind = Some(EventKind::Auth);
    let lines = [
        "at;who;from;ok;why",
        r#"20260105100000;alice;192.0.2.12;failed;"a ""bad"" word; or two""#,
        "20260105100001;bob;2001:db8::5;success;",
        "20260105100002;bob",
        "soon;bob;192.0.2.12;success;",
    ];
    let auth = r#""kind":"auth","family":"door""#;
    assert_eq!(
        outcomes(fixed(door), &lines),
        [
            "{}".to_owned(),
            format!(
                r#"{{"time":"2026-01-05T10:00:00.000000Z",{auth},"src_ip":"192.0.2.12","outcome":"failure","reason":"a \"bad\" word; or two","user":"alice"}}"#
            ),
            format!(
                r#"{{"time":"2026-01-05T10:00:01.000000Z",{auth},"src_ip":"2001:db8::5","outcome":"success","user":"bob"}}"#
            ),
            "door, byte 0: number of columns is `2`, expected as many as the mapping names".to_owned(),
            "door, byte 0: time is `soon`, expected a time".to_owned(),
        ]
    );
}

#[test]
fn pairs_are_read_behind_a_header_and_inside_an_envelope() {
    let fields = [("src_ip", "s"), ("dst_ip", "d"), ("dst_port", "p"), ("message", "m"), ("src_port", "s_port")];
    let pairs = spec("pairs", Form::KeyValue { separator: None }, &fields);
    let lines = [
        r#"<134>Jan  5 10:00:01 app-1 box: s=192.0.2.13 d=198.51.100.23 p=25 m="two \"words\"" x=1 stray"#,
        r#"{"message":"s=192.0.2.14 d=198.51.100.24 p=26","@timestamp":"2026-01-05T10:00:02Z"}"#,
        r#"s=192.0.2.15 m="open"#,
        "nothing of the kind",
    ];
    assert_eq!(
        outcomes(fixed(pairs), &lines),
        [
            r#"{"time":"2026-01-05T10:00:01.000000Z","kind":"flow","family":"pairs","host":"app-1","src_ip":"192.0.2.13","dst_ip":"198.51.100.23","dst_port":25,"message":"two \"words\"","extras":{"x":"1","text":"stray"}}"#,
            r#"{"time":"2026-01-05T10:00:02.000000Z","kind":"flow","family":"pairs","src_ip":"192.0.2.14","dst_ip":"198.51.100.24","dst_port":26}"#,
            "pairs, byte 15: a quoted value never closes; was the line cut by a relay?",
            "pairs, byte 0: not a record of this family, expected key=value pairs, as the mapping says; check --format, or use auto",
        ]
    );
}

#[test]
fn marks_are_asked_before_any_family_and_everything_else_goes_its_way() {
    let mut own = spec("own", Form::KeyValue { separator: Some(b'|') }, &[("src_ip", "ip")]);
    own.mark = Some(Mark::Starts("APP|".to_owned()));
    let mut objects = spec("objects", Form::Json, &[("src_ip", "ip")]);
    objects.mark = Some(Mark::Keys(vec!["ip".to_owned(), "app".to_owned()]));
    let session = Session::new(Format::Auto, Zone::Utc).with_mappings(vec![Mapping::leak(own), Mapping::leak(objects)]);
    let lines = [
        "APP|ip=192.0.2.16",
        r#"{"app":"x","ip":"192.0.2.17"}"#,
        "CEF:0|Example|Wall|1|1|n|5|src=192.0.2.18",
        "nothing of the kind",
    ];
    let found = outcomes(session, &lines);
    let families: Vec<_> = ["own", "objects", "cef"].iter().map(|name| format!(r#""family":"{name}""#)).collect();
    for (line, family) in found.iter().zip(&families) {
        assert!(line.contains(family.as_str()), "{line}");
    }
    assert!(found[3].starts_with("auto, byte 0"), "{}", found[3]);
}

#[test]
fn a_mapping_may_set_what_a_log_can_say_and_nothing_else() {
    for name in ["time", "src_ip", "action", "vendor", "message", "duration_ms", "event_action", "rule_name"] {
        assert!(Target::of(name).is_some(), "{name}");
    }
    for name in ["received", "family", "kind", "client_ip", "src_asset", "service_confidence", "no_such_field"] {
        assert!(Target::of(name).is_none(), "{name}");
    }
    assert!(target("action").takes("deny").is_ok() && target("action").takes("nope").is_err());
    assert!(target("reason").takes("anything").is_ok());
}
