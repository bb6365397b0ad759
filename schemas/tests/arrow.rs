//! The record batch of a block of events says the same as its JSON, and has only types that Delta Lake has.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use proptest::prelude::*;
use schemas::arrow::{self, RawLine};
use schemas::{Field, FieldType, FlowBatch, Ip, LogSource, Place, Reject, RejectKind, RejectRecord, json, key};
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

/// A cell as the JSON value that `json::write_row` has for it.
fn cell(batch: &RecordBatch, name: &str, row: usize) -> Value {
    let array = batch.column_by_name(name).unwrap();
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Utf8 => json!(array.as_string::<i32>().value(row)),
        DataType::Dictionary(_, _) => {
            let array = array.as_dictionary::<Int32Type>();
            let values = array.values().as_string::<i32>();
            json!(values.value(array.keys().value(row) as usize))
        }
        DataType::Int32 => json!(array.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => json!(array.as_primitive::<Int64Type>().value(row)),
        DataType::Boolean => json!(array.as_boolean().value(row)),
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) => {
            assert_eq!(zone.as_ref(), "UTC");
            let mut text = Vec::new();
            schemas::write::time(array.as_primitive::<TimestampMicrosecondType>().value(row), &mut text);
            json!(String::from_utf8(text).unwrap())
        }
        other => panic!("{name}: {other} is not a type of the lake"),
    }
}

fn check(batch: &mut FlowBatch) {
    batch.seal();
    let converted = arrow::to_record_batch(batch, RawLine::Kept);
    assert_eq!(converted.num_rows(), batch.len());
    assert_eq!(converted.schema(), arrow::flows_schema(RawLine::Kept));
    for row in 0..batch.len() {
        let mut out = Vec::new();
        json::write_row_with(batch, row, json::Options { raw: true, ..json::Options::EVENT }, &mut out);
        let want: Value = serde_json::from_slice(&out).unwrap();
        for column in converted.schema().fields() {
            let name = column.name().as_str();
            let (got, want) = (cell(&converted, name, row), &want[name]);
            let want = match want {
                Value::Null if name == "sub" => json!(0),
                Value::Array(items) => {
                    json!(items.iter().map(|item| item.as_str().unwrap()).collect::<Vec<_>>().join(","))
                }
                Value::Object(_) => {
                    assert_eq!(&serde_json::from_str::<Value>(got.as_str().unwrap()).unwrap(), want);
                    continue;
                }
                other if name == "raw" && batch.subs()[row] > 0 => {
                    assert!(got.is_null() && !other.is_null());
                    continue;
                }
                other => other.clone(),
            };
            assert_eq!(got, want, "row {row}, column {name}");
        }
    }
}

/// Puts a value of each field's type, made from `seed`, into the row.
fn fill(row: &mut schemas::Row<'_>, field: Field, seed: u64, text: &[u8]) {
    let written: Vec<u8> = match field.field_type() {
        FieldType::Time => return row.set(key::END, seed as i64 >> 16),
        FieldType::Long => (seed >> 1).to_string().into(),
        FieldType::Port => (seed as u16).to_string().into(),
        FieldType::Percent => (seed % 101).to_string().into(),
        FieldType::Ip if seed.is_multiple_of(3) => Ip(u128::from(seed).to_be_bytes()).to_string().into(),
        FieldType::Ip => Ip::v4((seed as u32).to_be_bytes()).to_string().into(),
        FieldType::Word(words) => words[seed as usize % words.len()].into(),
        FieldType::Text | FieldType::List => text.into(),
    };
    row.put(field, &written).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_record_batch_says_the_same_as_the_json(
        rows in proptest::collection::vec(
            proptest::collection::vec((0..schemas::FIELD_COUNT, 0u64.., proptest::collection::vec(0u8.., 0..20)), 0..12),
            0..200,
        ),
    ) {
        let mut batch = FlowBatch::new(8);
        for _ in 0..2 {
            batch.reset(Arc::new(b"a line".to_vec()), Arc::from("topic"), 5);
            let block = batch.block().clone();
            for (at, fields) in rows.iter().enumerate() {
                let mut row = batch.begin(Place { offset: at as u64, received_us: 7 }, &block);
                if at % 3 > 0 {
                    row.log_source(&SOURCE);
                }
                for (field, seed, text) in fields {
                    fill(&mut row, Field::ALL[*field], *seed, text);
                    if seed.is_multiple_of(4) {
                        row.extra(text, b"value \"1\"");
                        row.fixed(key::SERVICE, ["ssh", "rdp"][at % 2]);
                    }
                    if seed % 16 == 1 {
                        row.another().unwrap();
                    }
                }
                row.commit();
            }
            check(&mut batch);
        }
    }
}

#[test]
fn texts_that_are_not_utf8_are_decoded_lossily_also_where_halves_meet() {
    let mut batch = FlowBatch::new(4);
    batch.reset(Arc::new("\u{e9}".as_bytes().to_vec()), Arc::from("f"), 0);
    let block = batch.block().clone();
    for half in [&block[..1], &block[1..], &block[..]] {
        let mut row = batch.begin(Place { offset: 1, received_us: 7 }, &block);
        row.text(key::MESSAGE, half);
        row.text(key::SERVICE, half);
        row.commit();
    }
    check(&mut batch);
}

#[test]
fn a_text_beyond_the_bound_is_cut() {
    let mut batch = FlowBatch::new(4);
    batch.reset(Arc::new(vec![b'x'; arrow::TEXT_MAX + 9]), Arc::from("f"), 0);
    let block = batch.block().clone();
    let mut row = batch.begin(Place { offset: 1, received_us: 7 }, &block);
    row.text(key::MESSAGE, &block);
    row.commit();
    batch.seal();
    let converted = arrow::to_record_batch(&batch, RawLine::Kept);
    assert_eq!(cell(&converted, "message", 0).as_str().unwrap().len(), arrow::TEXT_MAX);
    assert_eq!(cell(&converted, "raw", 0).as_str().unwrap().len(), block.len());
}

#[test]
fn a_column_that_no_row_has_is_shared_between_batches() {
    let convert = || {
        let mut batch = FlowBatch::new(4);
        batch.begin(Place { offset: 1, received_us: 7 }, b"").commit();
        batch.seal();
        arrow::to_record_batch(&batch, RawLine::Dropped)
    };
    let (one, two) = (convert(), convert());
    let at = |batch: &RecordBatch| batch.column_by_name("url").unwrap().as_string::<i32>().value_offsets().as_ptr();
    assert_eq!(at(&one), at(&two));
    assert_eq!(one.column_by_name("dst_port").unwrap().null_count(), 1);
}

#[test]
fn refused_records_keep_their_bytes() {
    let record = |raw: &[u8]| RejectRecord {
        reject: Reject { family: "auto", offset: 3, kind: RejectKind::Empty },
        source: Arc::from("f"),
        partition: 2,
        offset: 9,
        received_us: 1,
        raw: raw.to_vec(),
    };
    let converted = arrow::rejects_to_record_batch(&[record(b"plain"), record(b"a\xff")]);
    assert_eq!(cell(&converted, "raw", 0), "plain");
    assert_eq!(cell(&converted, "raw_base64", 0), Value::Null);
    assert_eq!(cell(&converted, "raw_base64", 1), "Yf8=");
    assert_eq!(cell(&converted, "reason", 0), "the line is empty");
    assert_eq!((cell(&converted, "byte", 0), cell(&converted, "offset", 1)), (json!(3), json!(9)));
}
