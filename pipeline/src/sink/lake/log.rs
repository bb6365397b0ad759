//! One table's Delta log: made, extended, committed to, read for recovery, checkpointed.
//!
//! The newest state that this process knows is kept as the kernel's snapshot, so that a commit reads nothing:
//! whether it was the newest is decided by the put-if-absent of the next version, and only a refused put
//! reads the log again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::builder::{MapBuilder, MapFieldNames, StringBuilder};
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::{Field, Schema, SchemaRef};
use delta_kernel::committer::FileSystemCommitter;
use delta_kernel::engine::arrow_data::{ArrowEngineData, EngineDataArrowExt};
use delta_kernel::transaction::create_table::create_table;
use delta_kernel::transaction::data_layout::DataLayout;
use delta_kernel::transaction::{CommitResult, UpdateTableOperation};
use delta_kernel::{KernelError, Snapshot, SnapshotRef};
use delta_kernel_default_engine::executor::tokio::TokioMultiThreadExecutor;
use delta_kernel_default_engine::{DefaultEngine, DefaultEngineBuilder};

use super::encode::Layout;
use super::error::{CommitError, LakeError, of_any, of_kernel};
use super::store::Store;
use super::{DataFile, PARTITION_COLUMN, Table, stats, types};

/// Who made a commit, in the log's `commitInfo`.
const ENGINE_INFO: &str = concat!("portolan/", env!("CARGO_PKG_VERSION"));

/// Commits after which the log is summed up in a checkpoint, so that a reader opens one file instead of a
/// hundred. Measured by the kernel's authors and by us: a checkpoint takes 0.2 s after 500 commits.
const COMMITS_PER_CHECKPOINT: u64 = 100;

/// How often a commit is tried again when other processes keep taking the version. Each try means that one of
/// them got through, so that this bounds the wait, not the progress.
const CONFLICTS_MAX: usize = 100;

/// Columns whose statistics the log keeps, as far as a table has them: those that people filter by. All of
/// them would make an `add` of a hundred columns 10 KB of JSON that every reader must parse. Of texts, the files
/// have statistics of these only, too.
pub(super) const STATS_COLUMNS: &[&str] = &[
    "time",
    "received",
    "kind",
    "family",
    "host",
    "src_ip",
    "src_port",
    "dst_ip",
    "dst_port",
    "transport",
    "action",
    "outcome",
    "event_code",
    "user",
    "src_user",
    "src_host",
    "dst_host",
    "client_ip",
    "server_ip",
    "server_port",
    "service",
    "exposure",
    "dns_query",
    "bytes_total",
    "source",
    "partition",
    "offset",
    "line",
    "alert_id",
    "revision",
    "status",
    "rule_id",
    "level",
    "risk",
    "tenant",
    "first_seen",
    "last_seen",
    "triggered_at",
    "count",
    "reason",
];

/// A version of a table, counted from 0 (its creation).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommitVersion(pub u64);

/// A table's log, opened.
pub(super) struct TableLog {
    table: Table,
    store: Arc<Store>,
    /// The table's folder or URL, for people.
    display: String,
    engine: Arc<DefaultEngine<TokioMultiThreadExecutor>>,
    /// The columns of the data files.
    schema: SchemaRef,
    /// How they lie in the files.
    layout: Arc<Layout>,
    /// Of these, the ones whose statistics the log keeps.
    stats_fields: Vec<Field>,
    state: Mutex<State>,
}

/// What this process knows of the table.
struct State {
    snapshot: SnapshotRef,
    /// Versions of application ids as of `snapshot`, as far as they were asked for.
    txns: HashMap<String, Option<i64>>,
}

impl TableLog {
    /// Opens the table, or makes it.
    pub(super) fn open(store: &Arc<Store>, table: Table, schema: &SchemaRef) -> Result<Self, LakeError> {
        let url = store.table_url(table.name())?;
        let display = store.display(table.name());
        let engine = DefaultEngineBuilder::new(Arc::clone(&store.objects))
            .with_task_executor(Arc::clone(&store.executor))
            .build();
        let fields: Vec<Field> = types::data_fields(schema).cloned().collect();
        let stats_fields: Vec<Field> =
            fields.iter().filter(|field| STATS_COLUMNS.contains(&field.name().as_str())).cloned().collect();
        let fail = |doing| move |error: KernelError| (doing, error);
        let opened = open_or_create(&engine, table, &url, schema, &stats_fields)
            .or_else(|problem| match problem {
                // Another process made the table at the same moment.
                Problem::Raced => newest(&engine, &url).map_err(fail("open the table")).map_err(Problem::Kernel),
                Problem::Kernel(_) | Problem::Lake(_) => Err(problem),
            })
            .and_then(|snapshot| add_missing_columns(&engine, table, snapshot, schema));
        let snapshot = opened.map_err(|problem| match problem {
            Problem::Lake(error) => error,
            Problem::Kernel((doing, error)) => of_kernel(doing, table, &display, &error),
            Problem::Raced => LakeError::Other {
                doing: "make the table",
                at: display.clone(),
                why: "other processes keep changing its columns; start one process first".to_owned(),
            },
        })?;
        let schema = Arc::new(Schema::new(fields));
        let layout = Layout::of(&schema).map_err(|error| of_any("lay out the files of the table", &display, &error))?;
        Ok(Self {
            table,
            store: Arc::clone(store),
            display,
            engine: Arc::new(engine),
            schema,
            layout: Arc::new(layout),
            stats_fields,
            state: Mutex::new(State { snapshot, txns: HashMap::new() }),
        })
    }

    /// How its columns lie in the data files.
    pub(super) fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    pub(super) fn table(&self) -> Table {
        self.table
    }

    pub(super) fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The table's folder for people.
    pub(super) fn display(&self) -> &str {
        &self.display
    }

    /// The columns of the data files.
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// See [`super::Lake::read_txn`].
    pub(super) fn read_txn(&self, app_id: &str) -> Result<Option<i64>, LakeError> {
        let mut state = self.lock();
        self.refresh(&mut state)?;
        self.txn(&mut state, app_id)
    }

    /// See [`super::Lake::read_domain`].
    pub(super) fn read_domain(&self, domain: &str) -> Result<Option<String>, LakeError> {
        let mut state = self.lock();
        self.refresh(&mut state)?;
        let read = state.snapshot.get_domain_metadata(domain, self.engine.as_ref());
        read.map_err(|error| of_kernel("read the table's state", self.table, &self.display, &error))
    }

    /// Hands the rows of the newest state of the table to `take`, part by part.
    pub(super) fn read<E: From<LakeError>>(
        &self,
        take: &mut dyn FnMut(&RecordBatch) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |error: KernelError| of_kernel("read the table", self.table, &self.display, &error);
        let snapshot = newest(&self.engine, &self.store.table_url(self.table.name())?).map_err(failed)?;
        let scan = snapshot.scan_builder().build().map_err(failed)?;
        for part in scan.execute(Arc::clone(&self.engine) as _).map_err(failed)? {
            take(&part.and_then(EngineDataArrowExt::try_into_record_batch).map_err(failed)?)?;
        }
        Ok(())
    }

    /// See [`super::Lake::commit`].
    pub(super) fn commit(
        &self,
        files: &[DataFile],
        txns: &[(String, i64)],
        domain_metadata: &[(String, String)],
    ) -> Result<CommitVersion, CommitError> {
        let mut state = self.lock();
        for _ in 0..CONFLICTS_MAX {
            self.check_ownership(&mut state, txns)?;
            if let Some(version) = self.try_commit(&mut state, files, txns, domain_metadata)? {
                return Ok(version);
            }
            self.refresh(&mut state)?;
        }
        Err(CommitError::Lake(LakeError::Other {
            doing: "commit",
            at: self.display.clone(),
            why: format!("other writers took the next version {CONFLICTS_MAX} times in a row; run fewer processes"),
        }))
    }

    /// Refuses to commit for an application id that a newer owner has moved on.
    fn check_ownership(&self, state: &mut State, txns: &[(String, i64)]) -> Result<(), CommitError> {
        let mut lost = Vec::new();
        for (app_id, version) in txns {
            match self.txn(state, app_id)? {
                Some(taken) if taken >= *version => lost.push((app_id.clone(), taken)),
                Some(_) | None => {}
            }
        }
        if lost.is_empty() { Ok(()) } else { Err(CommitError::Conflict { lost }) }
    }

    /// One attempt. `None` if another writer took the version.
    fn try_commit(
        &self,
        state: &mut State,
        files: &[DataFile],
        txns: &[(String, i64)],
        domain_metadata: &[(String, String)],
    ) -> Result<Option<CommitVersion>, LakeError> {
        let failed = |error: KernelError| of_kernel("commit", self.table, &self.display, &error);
        let builder =
            Arc::clone(&state.snapshot).update_table(UpdateTableOperation::StreamingUpdate, ENGINE_INFO, true);
        let mut transaction =
            builder.build(self.engine.as_ref(), Box::new(FileSystemCommitter::new())).map_err(failed)?;
        for (app_id, version) in txns {
            transaction = transaction.with_transaction_id(app_id.clone(), *version);
        }
        for (domain, json) in domain_metadata {
            transaction = transaction.with_domain_metadata(domain.clone(), json.clone());
        }
        if !files.is_empty() {
            let adds = self.add_batch(files)?;
            transaction.add_files(Box::new(ArrowEngineData::new(adds)));
        }
        match transaction.commit(self.engine.as_ref()).map_err(failed)? {
            CommitResult::Committed(done) => {
                let version = done.commit_version();
                for (app_id, version) in txns {
                    state.txns.insert(app_id.clone(), Some(*version));
                }
                match done.post_commit_snapshot() {
                    Some(snapshot) => state.snapshot = Arc::clone(snapshot),
                    None => self.refresh(state)?,
                }
                if done.post_commit_stats().commits_since_checkpoint >= COMMITS_PER_CHECKPOINT {
                    self.checkpoint(state);
                }
                Ok(Some(CommitVersion(version)))
            }
            CommitResult::Conflicted(_) => Ok(None),
            CommitResult::Retryable(retry) => Err(failed(retry.error)),
        }
    }

    /// Sums the log up. A failure costs readers time and nothing else, so the commit stands; the next commit
    /// tries again.
    fn checkpoint(&self, state: &mut State) {
        match state.snapshot.checkpoint(self.engine.as_ref(), None) {
            Ok((_, snapshot)) => state.snapshot = snapshot,
            Err(error) => {
                let error = of_kernel("write a checkpoint", self.table, &self.display, &error);
                tracing::warn!(%error, "the table's log grows until a checkpoint succeeds");
            }
        }
    }

    fn txn(&self, state: &mut State, app_id: &str) -> Result<Option<i64>, LakeError> {
        if let Some(known) = state.txns.get(app_id) {
            return Ok(*known);
        }
        let read = state.snapshot.get_app_id_version(app_id, self.engine.as_ref());
        let version = read.map_err(|error| of_kernel("read the table's state", self.table, &self.display, &error))?;
        state.txns.insert(app_id.to_owned(), version);
        Ok(version)
    }

    fn refresh(&self, state: &mut State) -> Result<(), LakeError> {
        let snapshot = Snapshot::builder_from(Arc::clone(&state.snapshot)).build(self.engine.as_ref());
        let snapshot =
            snapshot.map_err(|error| of_kernel("read the table's log", self.table, &self.display, &error))?;
        if snapshot.version() != state.snapshot.version() {
            state.txns.clear();
        }
        state.snapshot = snapshot;
        Ok(())
    }

    /// The kernel's add-file batch.
    fn add_batch(&self, files: &[DataFile]) -> Result<RecordBatch, LakeError> {
        let names = MapFieldNames { entry: "key_value".to_owned(), key: "key".to_owned(), value: "value".to_owned() };
        let mut partitions = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
        for file in files {
            partitions.keys().append_value(PARTITION_COLUMN);
            partitions.values().append_value(super::window::date_text(file.date_days));
            partitions.append(true).expect("one key and one value were just appended");
        }
        let long = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let file_stats: Vec<_> = files.iter().map(|file| &file.stats).collect();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("path", Arc::new(files.iter().map(|file| Some(file.path.as_str())).collect::<StringArray>())),
            ("partitionValues", Arc::new(partitions.finish())),
            ("size", Arc::new(files.iter().map(|file| Some(long(file.size))).collect::<Int64Array>())),
            ("modificationTime", Arc::new(files.iter().map(|file| Some(file.modified_ms)).collect::<Int64Array>())),
            ("stats", Arc::new(stats::to_arrow(&self.stats_fields, &file_stats))),
        ];
        let (fields, arrays): (Vec<_>, Vec<_>) = columns
            .into_iter()
            .map(|(name, array)| (Field::new(name, array.data_type().clone(), name == "stats"), array))
            .unzip();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
            .map_err(|error| of_any("describe the data files", &self.display, &error))
    }

    /// A panic of another thread while it held the lock leaves a state that is old at worst, and an old state
    /// is found out by the put-if-absent.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a table could not be opened, before its place is known.
enum Problem {
    Kernel((&'static str, KernelError)),
    Lake(LakeError),
    /// Another process did the same at the same moment.
    Raced,
}

fn newest(engine: &DefaultEngine<TokioMultiThreadExecutor>, url: &str) -> Result<SnapshotRef, KernelError> {
    Snapshot::builder_for(url).build(engine)
}

fn open_or_create(
    engine: &DefaultEngine<TokioMultiThreadExecutor>,
    table: Table,
    url: &str,
    schema: &Schema,
    stats_fields: &[Field],
) -> Result<SnapshotRef, Problem> {
    let delta_schema = Arc::new(types::delta_schema(table, schema).map_err(Problem::Lake)?);
    let kernel = |doing| move |error: KernelError| Problem::Kernel((doing, error));
    let stats_columns = stats_fields.iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(",");
    let creation = create_table(url, delta_schema, ENGINE_INFO, false)
        .with_table_properties([
            ("delta.feature.domainMetadata", "supported"),
            ("delta.dataSkippingStatsColumns", stats_columns.as_str()),
        ])
        .with_data_layout(DataLayout::partitioned([PARTITION_COLUMN]))
        .build(engine, Box::new(FileSystemCommitter::new()));
    match creation {
        Ok(creation) => match creation.commit(engine).map_err(kernel("make the table"))? {
            CommitResult::Committed(_) => newest(engine, url).map_err(kernel("open the table")),
            CommitResult::Conflicted(_) => Err(Problem::Raced),
            CommitResult::Retryable(retry) => Err(Problem::Kernel(("make the table", retry.error))),
        },
        Err(KernelError::TableAlreadyExistsAtPath(_)) => newest(engine, url).map_err(kernel("open the table")),
        Err(error) => Err(Problem::Kernel(("make the table", error))),
    }
}

/// Brings an older table up to our columns. Columns that only the table has stay: they are null in new files.
fn add_missing_columns(
    engine: &DefaultEngine<TokioMultiThreadExecutor>,
    table: Table,
    snapshot: SnapshotRef,
    schema: &Schema,
) -> Result<SnapshotRef, Problem> {
    let ours = types::delta_schema(table, schema).map_err(Problem::Lake)?;
    let theirs = snapshot.schema();
    let mut missing = Vec::new();
    for field in ours.fields() {
        match theirs.field(field.name()) {
            None => missing.push(field.clone()),
            Some(found) if found.data_type() == field.data_type() => {}
            Some(found) => {
                return Err(Problem::Lake(LakeError::Schema {
                    table,
                    column: field.name().clone(),
                    expected: field.data_type().to_string(),
                    found: found.data_type().to_string(),
                }));
            }
        }
    }
    if missing.is_empty() {
        return Ok(snapshot);
    }
    let kernel = |error: KernelError| Problem::Kernel(("add columns to the table", error));
    let mut alter = Arc::clone(&snapshot).update_table(UpdateTableOperation::AlterTable, ENGINE_INFO, false);
    for field in missing {
        alter = alter.add_column(field);
    }
    let alter = alter.build(engine, Box::new(FileSystemCommitter::new())).map_err(kernel)?;
    match alter.commit(engine).map_err(kernel)? {
        CommitResult::Committed(_) => Snapshot::builder_from(snapshot).build(engine).map_err(kernel),
        CommitResult::Conflicted(_) => Err(Problem::Raced),
        CommitResult::Retryable(retry) => Err(Problem::Kernel(("add columns to the table", retry.error))),
    }
}
