//! How many rows a second the writers of this crate reach: `cargo run --release -p schemas --example sinks`.
//!
//! A synthetic batch in the shape of an enriched firewall flow, 30 fields a row. A quick figure to steer by; the
//! benches crate has the statistical ones.
#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use schemas::arrow::{self, RawLine};
use schemas::{
    Action, EventKind, Flag, FlowBatch, Ip, LogSource, Percent, Place, ServiceEvidence, Transport, ecs, json, key, ocsf,
};

static SOURCE: LogSource = LogSource {
    family: "fortigate",
    vendor: "Example",
    product: "Wall",
    dataset: "traffic",
    categories: &["firewall"],
    products: &[],
    services: &[],
};

const ROWS: usize = 16_384;

fn batch() -> FlowBatch {
    let line = b"alice port1 port2 accept 98c1f3a0 allow-web-out dmz wan".as_slice();
    let mut batch = FlowBatch::new(ROWS);
    batch.reset(Arc::new(line.repeat(ROWS)), Arc::from("topic"), 0);
    let block = batch.block().clone();
    let asset = batch.keep(b"ts01.example.com");
    for at in 0..ROWS {
        let text = |from: usize, to: usize| &block[at * line.len() + from..at * line.len() + to];
        let mut row = batch.begin(Place { offset: at as u64, received_us: 1_700_000_000_000_000 }, text(0, line.len()));
        row.log_source(&SOURCE);
        row.set(key::TIME, 1_700_000_000_000_000 + at as i64 * 1_000);
        row.set(key::KIND, EventKind::Flow);
        row.set(key::SRC_IP, Ip::v4([10, 1, (at >> 8) as u8, at as u8]));
        row.set(key::DST_IP, Ip::v4([198, 51, 100, at as u8]));
        row.set(key::SRC_PORT, 40_000 + (at % 20_000) as u16);
        row.set(key::DST_PORT, 443);
        row.set(key::TRANSPORT, Transport::TCP);
        row.set(key::ACTION, Action::Allow);
        row.set(key::BYTES_IN, at as u64 * 37);
        row.set(key::BYTES_OUT, at as u64 * 11);
        row.set(key::DURATION, 1_000_000);
        row.text(key::USER, text(0, 5));
        row.text(key::IN_INTERFACE, text(6, 11));
        row.text(key::OUT_INTERFACE, text(12, 17));
        row.text(key::EVENT_ACTION, text(18, 24));
        row.text(key::SESSION_ID, text(25, 33));
        row.text(key::RULE_NAME, text(34, 47));
        row.fixed(key::SERVICE, "https");
        row.set(key::SERVICE_EVIDENCE, ServiceEvidence::Port);
        row.set(key::SERVICE_CONFIDENCE, Percent::new(30));
        row.set(key::SRC_INTERNAL, Flag::True);
        row.set(key::DST_INTERNAL, Flag::False);
        row.set(key::SRC_ASSET, asset);
        row.extra(b"policytype", text(6, 11));
        row.commit();
    }
    batch.seal();
    batch
}

fn measure(what: &str, batch: &FlowBatch, mut convert: impl FnMut(&FlowBatch) -> usize) {
    let mut best = f64::MAX;
    let mut size = 0;
    for _ in 0..20 {
        let start = Instant::now();
        size = black_box(convert(black_box(batch)));
        best = best.min(start.elapsed().as_secs_f64());
    }
    let nanos = best * 1e9 / batch.len() as f64;
    println!("{what:<14} {nanos:>7.0} ns/row {:>12.0} rows/s {:>7} bytes/row", 1e9 / nanos, size / batch.len());
}

fn main() {
    let batch = batch();
    measure("arrow", &batch, |batch| arrow::to_record_batch(batch, RawLine::Dropped).get_array_memory_size());
    measure("arrow and raw", &batch, |batch| arrow::to_record_batch(batch, RawLine::Kept).get_array_memory_size());
    let mut out = Vec::new();
    measure("json", &batch, |batch| {
        out.clear();
        (0..batch.len()).for_each(|row| json::write_row(batch, row, &mut out));
        out.len()
    });
    measure("ecs", &batch, |batch| {
        out.clear();
        (0..batch.len()).for_each(|row| ecs::write_row(batch, row, ecs::Original::Dropped, &mut out));
        out.len()
    });
    measure("ocsf", &batch, |batch| {
        out.clear();
        (0..batch.len()).for_each(|row| ocsf::write_row(batch, row, ocsf::RawData::Dropped, &mut out));
        out.len()
    });
}
