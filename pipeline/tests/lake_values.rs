//! What is written to the lake is read back by the parquet crate, value for value, and events are the same rows whether
//! they come as columns of a batch or by way of Arrow.
#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parsers::{FAMILIES, Format, Session, Zone};
use pipeline::sink::lake::{Lake, Table, TableWriter};
use proptest::prelude::*;
use schemas::arrow::{RawLine, flows_schema, to_record_batch};
use schemas::{FlowBatch, Place};

/// 2026-01-05T00:00:00Z
const START_US: i64 = 20_458 * 86_400_000_000;

/// Writes one table with `write` and reads its files, in the order of their names.
fn through_the_lake(table: Table, schema: &SchemaRef, write: impl FnOnce(&mut TableWriter)) -> Vec<RecordBatch> {
    let root = tempfile::tempdir().unwrap();
    let lake = Lake::open(root.path().to_str().unwrap(), &[(table, Arc::clone(schema))]).unwrap();
    let mut writer = lake.writer(table);
    write(&mut writer);
    let mut files = writer.finish().unwrap();
    files.sort_by_key(|file| file.date_days);
    let read = |path: PathBuf| {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
        reader.with_batch_size(1 << 20).build().unwrap().map(Result::unwrap).collect::<Vec<_>>()
    };
    files.iter().flat_map(|file| read(root.path().join(table.name()).join(&file.path))).collect()
}

/// A column of a few shapes: without nulls, with some, in runs, throughout.
fn present(shape: u8, row: usize) -> bool {
    match shape % 5 {
        0 => true,
        1 => !row.is_multiple_of(3),
        2 => (row / 100).is_multiple_of(2),
        3 => row == 77,
        _ => false,
    }
}

fn rows(count: usize, shapes: &[u8], longs: &[i64], ints: &[i32], texts: &[String]) -> Vec<(&'static str, ArrayRef)> {
    fn pick<T: Clone>(values: &[T], shape: u8, row: usize) -> Option<T> {
        present(shape, row).then(|| values[row * row % 97 % values.len()].clone())
    }
    let times = (0..count).map(|row| START_US + row as i64);
    vec![
        ("time", Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))),
        ("longs", Arc::new((0..count).map(|row| pick(longs, shapes[0], row)).collect::<Int64Array>())),
        ("ints", Arc::new((0..count).map(|row| pick(ints, shapes[1], row)).collect::<Int32Array>())),
        (
            "flags",
            Arc::new((0..count).map(|row| pick(&[true, false, false], shapes[2], row)).collect::<BooleanArray>()),
        ),
        ("repeated", Arc::new((0..count).map(|row| pick(texts, shapes[3], row)).collect::<StringArray>())),
        ("message", Arc::new((0..count).map(|row| pick(texts, shapes[4], row)).collect::<StringArray>())),
        ("src_ip", Arc::new((0..count).map(|row| pick(texts, shapes[5], row)).collect::<StringArray>())),
        ("host", Arc::new((0..count).map(|row| pick(texts, shapes[0], row)).collect::<StringArray>())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn values_of_every_type_are_read_back(
        count in prop_oneof![1usize..300, Just(65_536), 65_530usize..70_000],
        shapes in proptest::collection::vec(0u8.., 6),
        longs in proptest::collection::vec(prop_oneof![any::<i64>(), 0i64..50, Just(i64::MIN), Just(i64::MAX)], 1..60),
        ints in proptest::collection::vec(prop_oneof![any::<i32>(), 0i32..70_000, Just(i32::MIN), Just(i32::MAX)], 1..60),
        texts in proptest::collection::vec("\\PC{0,120}", 1..60),
    ) {
        let columns = rows(count, &shapes, &longs, &ints, &texts);
        let fields: Vec<Field> = columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
        let schema = Arc::new(Schema::new(fields));
        let written = RecordBatch::try_new(Arc::clone(&schema), columns.into_iter().map(|(_, array)| array).collect()).unwrap();
        let read = through_the_lake(Table::Flows, &schema, |writer| writer.write(&written).unwrap());
        let mut at = 0;
        for part in &read {
            for (column, array) in part.columns().iter().enumerate() {
                prop_assert_eq!(array.to_data(), written.column(column).slice(at, part.num_rows()).to_data());
            }
            at += part.num_rows();
        }
        prop_assert_eq!(at, count);
    }
}

#[test]
fn texts_of_many_pages_are_read_back() {
    let schema = Arc::new(Schema::new(vec![
        Field::new("time", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
        Field::new("message", DataType::Utf8, true),
        Field::new("repeated", DataType::Utf8, true),
    ]));
    let text = |row: usize, every: usize| (!row.is_multiple_of(every)).then(|| format!("{row}-").repeat(row % 500));
    let times = TimestampMicrosecondArray::from_iter_values((0..20_000).map(|row| START_US + row)).with_timezone("UTC");
    let messages: StringArray = (0..20_000).map(|row| text(row, 7)).collect();
    let repeated: StringArray = (0..20_000).map(|row| text(row, 5)).collect();
    let written =
        RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(times), Arc::new(messages), Arc::new(repeated)])
            .unwrap();
    let read = through_the_lake(Table::Flows, &schema, |writer| writer.write(&written).unwrap());
    assert_eq!(read.len(), 1);
    for (read, written) in read[0].columns().iter().zip(written.columns()) {
        assert_eq!(read.to_data(), written.to_data());
    }
}

/// The lines of all fixtures, and some that no vendor writes.
fn events() -> Vec<FlowBatch> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../parsers/fixtures");
    let mut batches = Vec::new();
    for family in FAMILIES {
        let mut lines = fs::read(folder.join(family.name()).join("lines.log")).unwrap();
        lines.extend_from_slice(
            b"\n<38>Jan  5 09:00:00 h\xff\xfe sshd[7]: Failed password for b\xe9b\x1b[31m from 192.0.2.7 port 7 ssh2\n",
        );
        let block = Arc::new(lines);
        let mut batch = FlowBatch::new(256);
        batch.reset(Arc::clone(&block), Arc::from(family.name()), 3);
        let mut session = Session::new(Format::from_name(family.name()).unwrap(), Zone::Utc);
        let mut auto = Session::new(Format::Auto, Zone::Utc);
        for (offset, line) in (0..).zip(block.split(|byte| *byte == b'\n')) {
            let place = Place { offset, received_us: START_US };
            let _ = session.parse_line(line, place, &mut batch).or_else(|_| auto.parse_line(line, place, &mut batch));
        }
        batch.seal();
        batches.push(batch);
    }
    batches
}

#[test]
fn events_are_the_same_rows_as_by_way_of_arrow() {
    let batches = events();
    for raw in [RawLine::Dropped, RawLine::Kept] {
        let schema = flows_schema(raw);
        let direct = through_the_lake(Table::Flows, &schema, |writer| {
            batches.iter().for_each(|batch| writer.write_events(batch).unwrap());
        });
        let by_arrow = through_the_lake(Table::Flows, &schema, |writer| {
            batches.iter().for_each(|batch| writer.write(&to_record_batch(batch, raw)).unwrap());
        });
        let events: usize = batches.iter().map(FlowBatch::len).sum();
        assert_eq!(direct.iter().map(RecordBatch::num_rows).sum::<usize>(), events);
        assert_eq!(direct.len(), by_arrow.len());
        for (direct, by_arrow) in direct.iter().zip(&by_arrow) {
            for (at, field) in direct.schema().fields().iter().enumerate() {
                assert_eq!(direct.column(at).to_data(), by_arrow.column(at).to_data(), "{}", field.name());
            }
        }
    }
}
