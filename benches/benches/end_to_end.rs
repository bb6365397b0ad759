//! The whole batch run over the incident as files, on all cores: with the lake and without.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::Arc;

use benches::{engine, folder};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pipeline::batch::Batch;
use pipeline::counts::Progress;
use pipeline::load;
use pipeline::sink::lake::Lake;
use pipeline::stages::Reading;
use schemas::arrow::RawLine;

const LINES: usize = 200_000;

fn end_to_end(criterion: &mut Criterion) {
    let logs = tempfile::tempdir().unwrap();
    folder(logs.path(), LINES);
    let engine = engine();
    let run = |lake: Option<Arc<Lake>>| {
        let batch = Batch {
            engine: engine.clone(),
            reading: Reading::default(),
            paths: vec![logs.path().to_owned()],
            lake,
            rejects: None,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            progress: Arc::new(Progress::default()),
        };
        batch.run().unwrap()
    };
    let mut group = criterion.benchmark_group("batch");
    group.sample_size(10);
    group.throughput(Throughput::Elements(LINES as u64));
    group.bench_function("without a lake", |bencher| bencher.iter(|| run(None)));
    group.bench_function("with a lake", |bencher| {
        bencher.iter_with_setup(
            || tempfile::tempdir().unwrap(),
            |folder| {
                let lake = Lake::open(folder.path().to_str().unwrap(), &load::tables(RawLine::Dropped)).unwrap();
                run(Some(Arc::new(lake)));
            },
        );
    });
    group.finish();
}

criterion_group!(benches, end_to_end);
criterion_main!(benches);
