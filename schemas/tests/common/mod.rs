//! Rows for the tests of the output forms.
#![allow(dead_code)]

use std::sync::Arc;

use schemas::{EventKind, Field, FieldType, FlowBatch, LogSource, Place, Row, key};

pub static FIREWALL: LogSource = LogSource {
    family: "test",
    vendor: "Example",
    product: "Box",
    dataset: "test.traffic",
    categories: &["firewall"],
    products: &[],
    services: &[],
};

pub static HOST_LOG: LogSource = LogSource {
    family: "test_host",
    vendor: "Example",
    product: "OS",
    dataset: "test.security",
    categories: &["authentication"],
    products: &["windows"],
    services: &["security"],
};

/// A value of the field's type as text; times are set apart.
pub fn value_of(field: Field, seed: usize) -> Vec<u8> {
    let address = |text: &str| text.as_bytes().to_vec();
    match field.field_type() {
        FieldType::Time => Vec::new(),
        FieldType::Long => (seed * 37 + 1).to_string().into(),
        FieldType::Port => (seed % 65_536).to_string().into(),
        FieldType::Percent => (seed % 101).to_string().into(),
        FieldType::Ip if seed % 3 == 2 => address("2001:db8::7"),
        FieldType::Ip => format!("192.0.2.{}", seed % 256).into(),
        FieldType::Word(words) => words[seed % words.len()].into(),
        FieldType::List => b"203.0.113.7\nedge.example.net".to_vec(),
        FieldType::Text if matches!(field, Field::SrcMac | Field::DstMac) => b"00:00:5e:00:53:af".to_vec(),
        FieldType::Text => format!("text {seed} \"q\"").into(),
    }
}

pub fn put(row: &mut Row<'_>, field: Field, seed: usize) {
    match field {
        Field::Kind | Field::Family | Field::Vendor | Field::Product | Field::Dataset => {}
        Field::Time => row.set(key::TIME, 1_700_000_000_123_456),
        Field::Received => {}
        Field::Start => row.set(key::START, 1_700_000_000_000_000),
        Field::End => row.set(key::END, 1_700_000_001_000_000),
        _ => row.put(field, &value_of(field, seed)).unwrap(),
    }
}

/// One row a kind of event and log source: with every field, and with every `step`th.
pub fn rows() -> FlowBatch {
    let mut batch = FlowBatch::new(64);
    batch.reset(Arc::new(b"the line".to_vec()), Arc::from("topic"), 3);
    let block = batch.block().clone();
    let mut offset = 0;
    for kind in EventKind::ALL {
        for source in [&FIREWALL, &HOST_LOG] {
            for step in [1, 2, 3, 7, 1_000] {
                offset += 1;
                let mut row = batch.begin(Place { offset, received_us: 1_700_000_002_000_000 }, &block);
                row.log_source(source);
                row.set(key::KIND, *kind);
                for (at, field) in Field::ALL.iter().enumerate() {
                    if (at + offset as usize).is_multiple_of(step) {
                        put(&mut row, *field, at + offset as usize);
                    }
                }
                row.extra(b"vendor.field", b"one");
                row.extra(b"vendor_field", b"two");
                row.extra(b"rule_name", b"not ours");
                row.commit();
            }
        }
    }
    batch.seal();
    batch
}
