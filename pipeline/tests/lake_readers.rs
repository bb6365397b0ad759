//! Engines that are not ours read the lake: all rows, the right types, and less than all where a filter allows it.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_schema::{DataType, SchemaRef};
use pipeline::sink::lake::{Lake, Table};
use schemas::arrow::RawLine;
use serde_json::{Value, json};

const DAY_US: i64 = 86_400_000_000;
/// 2026-01-05T00:00:00Z
const START_US: i64 = 20_458 * DAY_US;
const PORTS: [i32; 8] = [22, 53, 80, 443, 445, 1_433, 3_389, 8_080];
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/readers/check_lake.py");

/// Rows `first..first + rows` of a table of any schema, `step_us` apart: values that differ by row and by column,
/// every third one absent but for times and ports.
fn rows(schema: &SchemaRef, first: i64, rows: i64, step_us: i64) -> RecordBatch {
    let numbers = || first..first + rows;
    let arrays = schema.fields().iter().enumerate().map(|(at, field)| -> ArrayRef {
        let at = at as i64;
        let absent = |n: i64| (n + at) % 3 == 0;
        let text = |n: i64| (!absent(n)).then(|| format!("{} {}", field.name(), (n * 7 + at) % 1_000));
        match field.data_type() {
            DataType::Timestamp(_, _) => {
                let times: TimestampMicrosecondArray = numbers().map(|n| Some(START_US + n * step_us)).collect();
                Arc::new(times.with_timezone("UTC"))
            }
            DataType::Int32 if field.name() == "dst_port" => {
                Arc::new(numbers().map(|n| Some(PORTS[(n % 8) as usize])).collect::<Int32Array>())
            }
            DataType::Int32 => {
                Arc::new(numbers().map(|n| (!absent(n)).then_some((n % 90) as i32)).collect::<Int32Array>())
            }
            DataType::Int64 => Arc::new(numbers().map(|n| (!absent(n)).then_some(n * at)).collect::<Int64Array>()),
            DataType::Boolean => {
                Arc::new(numbers().map(|n| (!absent(n)).then_some(n % 2 == 0)).collect::<BooleanArray>())
            }
            DataType::Utf8 => Arc::new(numbers().map(text).collect::<StringArray>()),
            DataType::Dictionary(_, _) => {
                let texts: Vec<Option<String>> = numbers().map(text).collect();
                Arc::new(texts.iter().map(Option::as_deref).collect::<DictionaryArray<Int32Type>>())
            }
            other => panic!("a type that no table has had so far: {other}"),
        }
    });
    RecordBatch::try_new(Arc::clone(schema), arrays.collect()).unwrap()
}

/// Writes `batches` with a writer each, in one commit.
fn write(root: &Path, table: Table, schema: &SchemaRef, batches: &[RecordBatch]) {
    let lake = Lake::open(root.to_str().unwrap(), &[(table, Arc::clone(schema))]).unwrap();
    let mut files = Vec::new();
    for batch in batches {
        let mut writer = lake.writer(table);
        writer.write(batch).unwrap();
        files.extend(writer.finish().unwrap());
    }
    lake.commit(table, &files, &[("stage".to_owned(), 1)], &[("portolan.stage".to_owned(), "{}".to_owned())]).unwrap();
}

fn check(python: &str, root: &Path, arguments: [&str; 6]) -> Value {
    let output = Command::new(python).arg(SCRIPT).arg(root).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn delta_types(schema: &SchemaRef) -> Value {
    let name_of = |data_type: &DataType| match data_type {
        DataType::Timestamp(_, _) => "timestamp",
        DataType::Int32 => "integer",
        DataType::Int64 => "long",
        DataType::Boolean => "boolean",
        _ => "string",
    };
    let types = schema.fields().iter().map(|field| (field.name().clone(), name_of(field.data_type())));
    json!(types.chain([("date".to_owned(), "date")]).collect::<BTreeMap<_, _>>())
}

#[test]
fn flows_are_read_whole_and_a_filter_by_port_and_time_skips_files_and_row_groups() {
    let test = "flows_are_read_whole_and_a_filter_by_port_and_time_skips_files_and_row_groups";
    let Some(python) = support::need(test, "PORTOLAN_PYTHON") else { return };
    let root = tempfile::tempdir().unwrap();
    let schema = schemas::arrow::flows_schema(RawLine::Dropped);
    // Two files of the first day, then one that begins in the first and ends in the second day: four in all.
    let step_us = DAY_US / 400_000;
    let batches =
        [(0, 150_000), (150_000, 150_000), (300_000, 150_000)].map(|(n, many)| rows(&schema, n, many, step_us));
    write(root.path(), Table::Flows, &schema, &batches);
    let found = check(
        &python,
        root.path(),
        ["flows", "dst_port", "3389", "time", "2026-01-05 09:36:00+00", "2026-01-05 10:48:00+00"],
    );
    assert_eq!(found["protocol"], json!([3, 7]));
    assert_eq!(found["reader_features"], json!([]), "a reader needs no feature");
    assert_eq!(found["writer_features"], json!(["domainMetadata"]));
    let columns: BTreeMap<String, Value> = serde_json::from_value(found["columns"].clone()).unwrap();
    assert_eq!(json!(columns), delta_types(&schema));
    assert_eq!(found["partition_columns"], json!(["date"]));
    assert_eq!(found["rows_by_date"], json!({"2026-01-05": 400_000, "2026-01-06": 50_000}));
    assert_eq!(found["rows_by_glob"], 450_000);
    assert_eq!(found["checksum_by_delta"], found["checksum_by_glob"], "the same rows by the log and by the glob");
    // 09:36 to 10:48 is a twentieth of a day: 20,000 rows, of which each eighth has the port.
    assert_eq!(found["matches_by_delta"], 2_500);
    assert_eq!(found["matches_by_glob"], 2_500);
    assert_eq!((&found["files"], &found["files_kept_by_log"]), (&json!(4), &json!(1)));
    for engine in ["row_groups_scanned", "row_groups_kept"] {
        let [kept, all]: [u64; 2] = serde_json::from_value(found[engine].clone()).unwrap();
        assert!(kept <= 2 && all >= 3, "{engine}: {kept} of {all}");
    }
}

#[test]
fn alerts_are_read_whole() {
    let Some(python) = support::need("alerts_are_read_whole", "PORTOLAN_PYTHON") else { return };
    let root = tempfile::tempdir().unwrap();
    let schema = schemas::arrow::alerts_schema();
    write(root.path(), Table::Alerts, &schema, &[rows(&schema, 0, 1_000, DAY_US / 500)]);
    let found = check(
        &python,
        root.path(),
        ["alerts", "risk", "70", "triggered_at", "2026-01-05 00:00:00+00", "2026-01-06 00:00:00+00"],
    );
    let columns: BTreeMap<String, Value> = serde_json::from_value(found["columns"].clone()).unwrap();
    assert_eq!(json!(columns), delta_types(&schema));
    assert_eq!(found["rows_by_date"], json!({"2026-01-05": 500, "2026-01-06": 500}));
    assert_eq!(found["checksum_by_delta"], found["checksum_by_glob"]);
    assert_eq!(found["matches_by_delta"], found["matches_by_glob"]);
}
