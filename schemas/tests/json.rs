//! The canonical JSON of a row, as others read it.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use schemas::{EventKind, Field, FieldType, Flag, FlowBatch, Ip, LogSource, Percent, Place, Transport, json, key};
use serde_json::{Value, json};

static SOURCE: LogSource = LogSource {
    family: "test",
    vendor: "Example",
    product: "Box",
    dataset: "t",
    categories: &[],
    products: &[],
    services: &[],
};

fn batch(text: &[u8]) -> FlowBatch {
    let mut batch = FlowBatch::new(4);
    batch.reset(Arc::new(text.to_vec()), Arc::from("logs/\"a\".log"), 3);
    batch
}

fn read(batch: &FlowBatch, row: usize, options: json::Options) -> Value {
    let mut out = Vec::new();
    json::write_row_with(batch, row, options, &mut out);
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn a_row_is_a_flat_object_in_the_tables_order() {
    let mut batch = batch(b"user=\xffmax");
    let block = batch.block().clone();
    let mut row = batch.begin(Place { offset: 9, received_us: 1_700_000_000_000_001 }, &block);
    row.set(key::DST_PORT, 443);
    row.set(key::SRC_IP, Ip::v4([192, 0, 2, 1]));
    row.set(key::DST_IP, Ip::parse(b"2001:db8::1").unwrap());
    row.set(key::TIME, 1_700_000_000_123_456);
    row.set(key::KIND, EventKind::Flow);
    row.set(key::TRANSPORT, Transport::TCP);
    row.set(key::DST_INTERNAL, Flag::True);
    row.set(key::SERVICE_CONFIDENCE, Percent::new(90));
    row.set(key::DURATION, 1_500_000);
    row.list(key::DNS_ANSWERS, ["192.0.2.7", "a \"b\""]);
    row.text(key::USER, &block[5..]);
    row.extra(b"policy id", b"7");
    row.extra(b"x", b"1");
    row.extra(b"policy id", b"8");
    row.log_source(&SOURCE);
    row.commit();
    let mut out = Vec::new();
    json::write_row(&batch, 0, &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        concat!(
            r#"{"time":"2023-11-14T22:13:20.123456Z","received":"2023-11-14T22:13:20.000001Z","kind":"flow","#,
            r#""family":"test","vendor":"Example","product":"Box","dataset":"t","src_ip":"192.0.2.1","#,
            r#""dst_ip":"2001:db8::1","dst_port":443,"transport":"tcp","user":""#,
            "\u{fffd}",
            r#"max","duration":1500000,"dns_answers":["192.0.2.7","a \"b\""],"service_confidence":90,"#,
            r#""dst_internal":true,"extras":{"policy id":["7","8"],"x":"1"},"#,
            r#""source":"logs/\"a\".log","partition":3,"offset":9}"#
        )
    );
}

#[test]
fn the_line_alone_has_neither_received_nor_provenance() {
    let mut batch = batch(b"abc");
    let block = batch.block().clone();
    let mut row = batch.begin(Place { offset: 1, received_us: 1_700_000_000_000_009 }, &block);
    row.set(key::TIME, 1_700_000_000_000_007);
    row.another().unwrap();
    row.commit();
    assert_eq!(read(&batch, 0, json::Options::LINE), json!({"time": "2023-11-14T22:13:20.000007Z", "kind": "other"}));
    let whole = read(&batch, 1, json::Options { raw: true, ..json::Options::EVENT });
    assert_eq!((&whole["sub"], &whole["raw"], &whole["time_source"]), (&json!(1), &json!("abc"), &json!("received")));
}

#[test]
fn every_type_of_field_is_written_as_valid_json() {
    let mut batch = batch(b"a\n\"b\x00");
    let block = batch.block().clone();
    let mut row = batch.begin(Place { offset: 1, received_us: 5 }, &block);
    for field in Field::ALL {
        let text: &[u8] = match field.field_type() {
            FieldType::Time => continue,
            FieldType::Long | FieldType::Port | FieldType::Percent => b"7",
            FieldType::Ip => b"192.0.2.1",
            FieldType::Word(words) => words[0].as_bytes(),
            FieldType::Text | FieldType::List => &block,
        };
        row.put(*field, text).unwrap();
    }
    row.commit();
    let read = read(&batch, 0, json::Options::EVENT);
    for field in Field::ALL.iter().filter(|field| field.field_type() != FieldType::Time) {
        assert!(!read[field.name()].is_null(), "{}", field.name());
    }
    assert_eq!(read["service_admin"], json!(false));
}

#[test]
fn many_extras_keep_their_order_and_group_repeats() {
    let mut batch = batch(b"");
    let mut row = batch.begin(Place { offset: 1, received_us: 5 }, b"");
    for at in 0..100 {
        row.extra(format!("n{}", at % 90).as_bytes(), at.to_string().as_bytes());
    }
    row.commit();
    let read = read(&batch, 0, json::Options::LINE);
    let extras = read["extras"].as_object().unwrap();
    assert_eq!(extras.len(), 90);
    assert_eq!(extras["n3"], json!(["3", "93"]));
    assert_eq!(extras["n50"], json!("50"));
    assert_eq!(extras.keys().next().unwrap(), "n0");
}
