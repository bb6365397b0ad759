//! The lake's promises: what is committed is there once, what is not committed is not there, a newer owner wins.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;

use arrow_array::{Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use pipeline::sink::lake::{CommitError, DataFile, Lake, LakeError, Table};

const DAY_US: i64 = 86_400_000_000;
/// 2026-01-05T00:00:00Z
const START_US: i64 = 20_458 * DAY_US;

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("time", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false),
        Field::new("src_ip", DataType::Utf8, true),
        Field::new("dst_port", DataType::Int32, true),
        Field::new("bytes", DataType::Int64, true),
    ]))
}

fn rows(times_us: &[i64]) -> RecordBatch {
    let ports = times_us.iter().map(|time| (time % 3 != 0).then_some((time % 500) as i32));
    RecordBatch::try_new(
        schema(),
        vec![
            Arc::new(TimestampMicrosecondArray::from(times_us.to_vec()).with_timezone("UTC")),
            Arc::new(times_us.iter().map(|time| Some(format!("192.0.2.{}", time % 250))).collect::<StringArray>()),
            Arc::new(ports.collect::<Int32Array>()),
            Arc::new(times_us.iter().map(|time| Some(*time)).collect::<Int64Array>()),
        ],
    )
    .unwrap()
}

fn open(root: &Path) -> Lake {
    Lake::open(root.to_str().unwrap(), &[(Table::Flows, schema())]).unwrap()
}

fn written(lake: &Lake, times_us: &[i64]) -> Vec<DataFile> {
    let mut writer = lake.writer(Table::Flows);
    writer.write(&rows(times_us)).unwrap();
    writer.finish().unwrap()
}

fn txn(version: i64) -> Vec<(String, i64)> {
    vec![("stage-1/0".to_owned(), version)]
}

/// Names of all files under a folder whose name ends so.
fn files_under(root: &Path, suffix: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_str().unwrap().ends_with(suffix) {
                found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn rows_of_two_days_become_one_file_a_day_and_none_is_lost() {
    let root = tempfile::tempdir().unwrap();
    let lake = open(root.path());
    let times: Vec<i64> = (0..200_000).map(|n| START_US + n * (2 * DAY_US / 200_000)).collect();
    let files = written(&lake, &times);
    let days: Vec<_> = files.iter().map(|file| (file.date_days, file.rows())).collect();
    assert_eq!(days, [(20_458, 100_000), (20_459, 100_000)]);
    assert!(files[0].path.starts_with("date=2026-01-05/part-"), "{}", files[0].path);
    let version = lake.commit(Table::Flows, &files, &txn(1), &[]).unwrap();
    assert_eq!(version.0, 1);
}

#[test]
fn state_that_was_committed_is_read_back_by_the_next_process() {
    let root = tempfile::tempdir().unwrap();
    let first = open(root.path());
    assert_eq!(first.read_txn(Table::Flows, "stage-1/0").unwrap(), None);
    let domain = vec![("portolan.stage-1/0".to_owned(), r#"{"offset":17}"#.to_owned())];
    first.commit(Table::Flows, &written(&first, &[START_US]), &txn(4), &domain).unwrap();
    let second = open(root.path());
    assert_eq!(second.read_txn(Table::Flows, "stage-1/0").unwrap(), Some(4));
    assert_eq!(second.read_domain(Table::Flows, "portolan.stage-1/0").unwrap().as_deref(), Some(r#"{"offset":17}"#));
    assert_eq!(second.read_domain(Table::Flows, "portolan.stage-1/1").unwrap(), None);
}

#[test]
fn an_older_owner_is_fenced_by_the_claim_of_a_newer_one() {
    let root = tempfile::tempdir().unwrap();
    let older = open(root.path());
    older.commit(Table::Flows, &[], &txn(1), &[]).unwrap();
    let newer = open(root.path());
    newer.commit(Table::Flows, &[], &txn(2), &[]).unwrap();
    let files = written(&older, &[START_US]);
    match older.commit(Table::Flows, &files, &txn(2), &[]).unwrap_err() {
        CommitError::Conflict { lost } => assert_eq!(lost, txn(2)),
        CommitError::Lake(error) => panic!("{error}"),
    }
    assert_eq!(newer.read_txn(Table::Flows, "stage-1/0").unwrap(), Some(2));
}

#[test]
fn two_writers_of_different_tasks_both_get_through() {
    let root = tempfile::tempdir().unwrap();
    let (one, two) = (open(root.path()), open(root.path()));
    for version in 1..=5 {
        let task = |name: &str| vec![(name.to_owned(), version)];
        one.commit(Table::Flows, &written(&one, &[START_US]), &task("stage-1/0"), &[]).unwrap();
        two.commit(Table::Flows, &written(&two, &[START_US]), &task("stage-1/1"), &[]).unwrap();
    }
    assert_eq!(one.read_txn(Table::Flows, "stage-1/0").unwrap(), Some(5));
    assert_eq!(one.read_txn(Table::Flows, "stage-1/1").unwrap(), Some(5));
}

#[test]
fn the_log_is_summed_up_after_a_hundred_commits() {
    let root = tempfile::tempdir().unwrap();
    let lake = open(root.path());
    for version in 1..=101 {
        lake.commit(Table::Flows, &[], &txn(version), &[]).unwrap();
    }
    let checkpoints = files_under(root.path(), ".checkpoint.parquet");
    assert_eq!(checkpoints, ["flows/_delta_log/00000000000000000100.checkpoint.parquet"]);
    assert_eq!(open(root.path()).read_txn(Table::Flows, "stage-1/0").unwrap(), Some(101));
}

#[test]
fn a_writer_that_is_dropped_leaves_no_file() {
    let root = tempfile::tempdir().unwrap();
    let lake = open(root.path());
    let mut writer = lake.writer(Table::Flows);
    let times: Vec<i64> = (0..270_000).map(|n| START_US + n).collect();
    writer.write(&rows(&times)).unwrap();
    assert_eq!(files_under(root.path(), ".unfinished").len(), 1);
    drop(writer);
    assert!(files_under(&root.path().join("flows/date=2026-01-05"), "").is_empty());
}

#[test]
fn times_of_wild_clocks_go_to_the_ends_of_the_calendar_with_bounded_open_files() {
    let root = tempfile::tempdir().unwrap();
    let lake = open(root.path());
    let mut times = vec![i64::MIN, i64::MAX, 0];
    times.extend((0..40).map(|day| START_US + day * DAY_US));
    let files = written(&lake, &times);
    assert_eq!(files.len(), 43);
    assert_eq!(files.iter().map(DataFile::rows).sum::<u64>(), 43);
    assert!(files.iter().any(|file| file.path.starts_with("date=9999-12-31/")));
    assert!(files.iter().any(|file| file.path.starts_with("date=0001-01-01/")));
}

#[test]
fn a_column_that_is_new_is_added_and_one_of_another_type_is_refused() {
    let root = tempfile::tempdir().unwrap();
    drop(open(root.path()));
    let mut fields: Vec<Field> = schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    fields.push(Field::new("service", DataType::Utf8, true));
    let wider = Arc::new(Schema::new(fields.clone()));
    drop(Lake::open(root.path().to_str().unwrap(), &[(Table::Flows, wider)]).unwrap());
    fields[2] = Field::new("dst_port", DataType::Utf8, true);
    let other = Arc::new(Schema::new(fields));
    let error = Lake::open(root.path().to_str().unwrap(), &[(Table::Flows, other)]).err().unwrap();
    assert_eq!(
        error.to_string(),
        "table `flows`, column `dst_port`: expected string, found integer; \
         write to a new root, or move the old table away"
    );
}

#[test]
fn a_root_that_is_a_file_is_refused_with_what_to_give_instead() {
    let root = tempfile::NamedTempFile::new().unwrap();
    let path = root.path().to_str().unwrap();
    match Lake::open(path, &[]).err().unwrap() {
        LakeError::BadRoot { why, .. } => assert_eq!(why, "there is a file of that name"),
        error => panic!("{error}"),
    }
}

#[test]
fn a_batch_of_other_columns_is_refused_by_name() {
    let root = tempfile::tempdir().unwrap();
    let lake = open(root.path());
    let narrow = rows(&[START_US]).project(&[0, 2, 1, 3]).unwrap();
    let error = lake.writer(Table::Flows).write(&narrow).err().unwrap();
    assert_eq!(
        error.to_string(),
        "table `flows`, column `src_ip`: expected Utf8, found dst_port Int32; \
         write to a new root, or move the old table away"
    );
}

#[test]
fn processes_that_open_a_new_lake_at_the_same_moment_share_it_and_lose_no_commit() {
    for _ in 0..5 {
        let root = tempfile::tempdir().unwrap();
        let processes = 4;
        std::thread::scope(|scope| {
            for process in 0..processes {
                let root = root.path();
                scope.spawn(move || {
                    let lake = open(root);
                    for version in 1..=5 {
                        let files = written(&lake, &[START_US + version]);
                        lake.commit(Table::Flows, &files, &[(format!("task-{process}"), version)], &[]).unwrap();
                    }
                });
            }
        });
        let lake = open(root.path());
        for process in 0..processes {
            assert_eq!(lake.read_txn(Table::Flows, &format!("task-{process}")).unwrap(), Some(5));
        }
        let commits = files_under(&root.path().join("flows/_delta_log"), ".json");
        assert_eq!(commits.len(), 1 + 4 * 5);
    }
}
