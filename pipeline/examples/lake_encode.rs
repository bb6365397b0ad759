//! What a row of the lake costs: microseconds and bytes, on one core, for a table as wide and as sparse as a
//! mixed load makes it.
//!
//! `cargo run --release -p pipeline --example lake_encode [-- FOLDER [ROWS]]`; without a folder the files go to
//! a temporary one. The rows are made up of four kinds of event that fill different columns, interleaved as a
//! mixed stream would have them.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Instant;

use arrow_array::builder::{BooleanBuilder, Int32Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use pipeline::sink::lake::{Lake, Table};

const BATCH_ROWS: usize = 8_192;
const FULL_TEXT: [&str; 8] = ["family", "kind", "transport", "action", "service", "src_zone", "dst_zone", "source"];
const FULL_IP: [&str; 4] = ["src_ip", "dst_ip", "client_ip", "server_ip"];
const FULL_INT: [&str; 3] = ["src_port", "dst_port", "server_port"];
const FULL_LONG: [&str; 2] = ["offset", "partition"];
/// Columns that one kind of event in four fills.
const QUARTER_TEXT: usize = 16;
const QUARTER_LONG: usize = 8;
/// Columns that nobody fills.
const EMPTY_TEXT: usize = 40;
const EMPTY_LONG: usize = 15;

struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

fn schema() -> SchemaRef {
    let time = || DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let mut fields = vec![Field::new("time", time(), true), Field::new("received", time(), true)];
    fields.extend(FULL_IP.iter().chain(&FULL_TEXT).map(|name| Field::new(*name, DataType::Utf8, true)));
    fields.extend(FULL_INT.iter().map(|name| Field::new(*name, DataType::Int32, true)));
    fields.extend(FULL_LONG.iter().map(|name| Field::new(*name, DataType::Int64, true)));
    fields.push(Field::new("src_internal", DataType::Boolean, true));
    fields.push(Field::new("extras", DataType::Utf8, true));
    fields.extend((0..QUARTER_TEXT).map(|n| Field::new(format!("text_{n}"), DataType::Utf8, true)));
    fields.extend((0..QUARTER_LONG).map(|n| Field::new(format!("long_{n}"), DataType::Int64, true)));
    fields.extend((0..EMPTY_TEXT).map(|n| Field::new(format!("no_text_{n}"), DataType::Utf8, true)));
    fields.extend((0..EMPTY_LONG).map(|n| Field::new(format!("no_long_{n}"), DataType::Int64, true)));
    Arc::new(Schema::new(fields))
}

fn batch(schema: &SchemaRef, random: &mut Random, first: u64) -> RecordBatch {
    let rows = BATCH_ROWS;
    let mut columns: Vec<ArrayRef> = Vec::new();
    let kinds: Vec<u64> = (0..rows).map(|_| random.below(4)).collect();
    let times: Vec<i64> = (0..rows)
        .map(|n| 20_458 * 86_400_000_000 + (first + n as u64) as i64 * 7_200 + random.below(2_000_000) as i64)
        .collect();
    for lag in [0, 150_000] {
        let mut builder = TimestampMicrosecondBuilder::new().with_timezone("UTC");
        times.iter().for_each(|time| builder.append_value(time + lag));
        columns.push(Arc::new(builder.finish()));
    }
    let ends: Vec<(String, String)> = (0..rows)
        .map(|_| {
            let inside = format!("10.{}.{}.{}", random.below(4), random.below(16), random.below(250));
            let outside = format!("198.51.{}.{}", random.below(250), random.below(250));
            if random.below(2) == 0 { (inside, outside) } else { (outside, inside) }
        })
        .collect();
    for at in 0..FULL_IP.len() {
        let mut builder = StringBuilder::new();
        ends.iter().for_each(|(one, two)| builder.append_value(if at % 2 == 0 { one } else { two }));
        columns.push(Arc::new(builder.finish()));
    }
    for at in 0..FULL_TEXT.len() as u64 {
        let mut builder = StringBuilder::new();
        kinds.iter().for_each(|kind| builder.append_value(format!("word-{}", (kind + at) % 4 + random.below(2))));
        columns.push(Arc::new(builder.finish()));
    }
    let well_known = [443, 53, 80, 22, 3389, 445, 123, 25, 8080, 389];
    let ports: Vec<i32> = (0..rows)
        .map(|_| {
            let known = well_known[random.below(10) as usize % (1 + random.below(10) as usize)];
            if random.below(20) == 0 { random.below(65_536) as i32 } else { known }
        })
        .collect();
    for at in 0..FULL_INT.len() {
        let mut builder = Int32Builder::new();
        for (port, kind) in ports.iter().zip(&kinds) {
            match (at, kind) {
                (_, 3) => builder.append_null(),
                (0, _) => builder.append_value(1_024 + random.below(64_000) as i32),
                (_, _) => builder.append_value(*port),
            }
        }
        columns.push(Arc::new(builder.finish()));
    }
    let mut offsets = Int64Builder::new();
    let mut partitions = Int64Builder::new();
    for n in 0..rows as u64 {
        offsets.append_value((first + n) as i64);
        partitions.append_value(random.below(3) as i64);
    }
    columns.push(Arc::new(offsets.finish()));
    columns.push(Arc::new(partitions.finish()));
    let mut internal = BooleanBuilder::new();
    ends.iter().for_each(|(one, _)| internal.append_value(one.starts_with("10.")));
    columns.push(Arc::new(internal.finish()));
    let mut extras = StringBuilder::new();
    for kind in &kinds {
        if *kind == 1 {
            extras.append_value(format!(r#"{{"session":"{}"}}"#, random.below(1 << 30)));
        } else {
            extras.append_null();
        }
    }
    columns.push(Arc::new(extras.finish()));
    for at in 0..QUARTER_TEXT as u64 {
        let mut builder = StringBuilder::new();
        for kind in &kinds {
            if *kind == at % 4 {
                builder.append_value(format!("host-{}.example.com", random.below(20 << (at / 4))));
            } else {
                builder.append_null();
            }
        }
        columns.push(Arc::new(builder.finish()));
    }
    for at in 0..QUARTER_LONG as u64 {
        let mut builder = Int64Builder::new();
        for kind in &kinds {
            if *kind == at % 4 { builder.append_value(random.below(100_000) as i64) } else { builder.append_null() }
        }
        columns.push(Arc::new(builder.finish()));
    }
    for field in &schema.fields()[columns.len()..] {
        columns.push(arrow_array::new_null_array(field.data_type(), rows));
    }
    RecordBatch::try_new(Arc::clone(schema), columns).unwrap()
}

/// Seconds that this thread was on a core: other work on the machine does not count. Linux only, else zero.
fn core_seconds() -> f64 {
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = schedule.split(' ').next().and_then(|first| first.parse::<f64>().ok());
    nanoseconds.unwrap_or_default() / 1e9
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let temporary = tempfile::tempdir().unwrap();
    let root = arguments.next().unwrap_or_else(|| temporary.path().to_str().unwrap().to_owned());
    let rows: usize = arguments.next().map_or(1_000_000, |text| text.parse().unwrap());
    let schema = schema();
    let mut random = Random(42);
    let batches: Vec<RecordBatch> =
        (0..rows.div_ceil(BATCH_ROWS)).map(|n| batch(&schema, &mut random, (n * BATCH_ROWS) as u64)).collect();
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let lake = Lake::open(&root, &[(Table::Flows, Arc::clone(&schema))]).unwrap();
    for version in 1..=3 {
        let started = core_seconds();
        let mut writer = lake.writer(Table::Flows);
        for batch in &batches {
            writer.write(batch).unwrap();
        }
        let files = writer.finish().unwrap();
        let seconds = core_seconds() - started;
        let bytes: u64 = files.iter().map(|file| file.size).sum();
        println!(
            "{} columns, {rows} rows, {} files: {:.3} us/row, {:.1} bytes/row",
            schema.fields().len(),
            files.len(),
            seconds * 1e6 / rows as f64,
            bytes as f64 / rows as f64,
        );
        let started = Instant::now();
        let txns = [("example".to_owned(), version)];
        if lake.read_txn(Table::Flows, "example").unwrap().is_none_or(|taken| taken < version) {
            lake.commit(Table::Flows, &files, &txns, &[]).unwrap();
            println!("commit: {:.1} ms", started.elapsed().as_secs_f64() * 1e3);
        }
    }
}
