//! Each stage alone over the shipped incident, one core: parse, enrich, scan, to Arrow. Parsing by family is the bench `parse`.
#![allow(clippy::unwrap_used, missing_docs)]

use benches::{blocks, engine, lines};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use parsers::Session;
use pipeline::source::Block;
use pipeline::stages::Reading;
use rules::hit::HitBatch;
use rules::scan::Scanner;
use schemas::arrow::{RawLine, to_record_batch};
use schemas::{FlowBatch, Place};

const LINES: usize = 50_000;

fn parse(block: &Block, session: &mut Session, batch: &mut FlowBatch) {
    batch.reset(block.bytes.clone(), block.source.clone(), 0);
    for record in &block.records {
        let place = Place { offset: record.offset, received_us: record.received_us };
        let _ = session.parse_line(&block.bytes[record.start..record.start + record.len], place, batch);
    }
}

fn stages(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let text = lines(LINES);
    let block = &blocks(folder.path(), &text)[0];
    let engine = engine();
    let mut group = criterion.benchmark_group("mixed");
    group.throughput(Throughput::Elements(block.records.len() as u64));
    let mut batch = FlowBatch::new(block.records.len());
    let mut session = Reading::default().session();
    group.bench_function("parse", |bencher| bencher.iter(|| parse(block, &mut session, &mut batch)));
    group.bench_function("parse, enrich", |bencher| {
        bencher.iter(|| {
            parse(block, &mut session, &mut batch);
            enrichers::enrich(&engine.tables, &mut batch);
            batch.seal();
        });
    });
    let mut scanner = Scanner::new(engine.rules.clone(), engine.raw_in_hits);
    let mut hits = HitBatch::new();
    group.bench_function("scan", |bencher| {
        bencher.iter(|| {
            hits.clear();
            scanner.scan(&batch, &mut hits).unwrap();
        });
    });
    group.bench_function("to Arrow", |bencher| bencher.iter(|| to_record_batch(&batch, RawLine::Dropped)));
    group.finish();
}

criterion_group!(benches, stages);
criterion_main!(benches);
