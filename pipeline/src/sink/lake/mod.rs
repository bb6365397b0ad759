//! The lake: Delta Lake tables of Parquet files, partitioned by `date`.
//!
//! Three steps, each its own type, so that what costs time runs on many cores and what decides runs once:
//! [`TableWriter`]s (one a thread, sharing nothing) sort and encode rows into data files; `finish` makes those
//! durable as [`DataFile`]s that no reader sees; [`Lake::commit`] makes them part of the table in one atomic
//! step, together with the application's own position (`txn`) and state (`domainMetadata`).
//!
//! The Delta kernel keeps the log and only the log. Its own Parquet writer takes one batch a file and default
//! encodings; ours chooses an encoding per column (`encode`), sorts (`window`), and reads the statistics for
//! the log from the footer it has just written (`stats`) instead of computing them a second time.

mod bits;
mod chunk;
mod columns;
mod encode;
mod error;
mod log;
mod state;
mod stats;
mod store;
mod types;
mod window;

use std::fmt;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

pub use self::error::{CommitError, LakeError};
pub use self::log::CommitVersion;
pub use self::stats::FileStats;
pub use self::window::TableWriter;

use self::log::TableLog;
use self::store::Store;

/// The partition column: the UTC day of the row's event time. It is in the path and in the log, not in the
/// files: Delta readers take it from the log, DuckDB from the folder's name.
pub const PARTITION_COLUMN: &str = "date";

/// One of the lake's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// Enriched events.
    Flows,
    /// Alerts with all their revisions.
    Alerts,
    /// Refused raw records with the reason.
    Rejects,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 3] = [Self::Flows, Self::Alerts, Self::Rejects];

    /// The name of the table and of its folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flows => "flows",
            Self::Alerts => "alerts",
            Self::Rejects => "rejects",
        }
    }

    /// The time column that decides the partition: the first of these that the table's schema has.
    fn time_columns(self) -> &'static [&'static str] {
        match self {
            Self::Flows => &["time"],
            Self::Alerts => &["triggered_at", "first_seen", "time"],
            Self::Rejects => &["received", "time"],
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A durable Parquet file that no table refers to yet.
#[derive(Clone, Debug, PartialEq)]
pub struct DataFile {
    /// Path relative to the table's folder, with `/`: `date=2026-01-05/part-….parquet`.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// When it was written, milliseconds since the epoch, by the store's clock.
    pub modified_ms: i64,
    /// The partition: days since 1970-01-01.
    pub date_days: i32,
    /// What the log tells readers so that they can skip the file.
    pub stats: FileStats,
}

impl DataFile {
    /// Rows in the file.
    pub fn rows(&self) -> u64 {
        self.stats.rows
    }
}

/// An open lake. Cheap to share behind an `Arc`; every method may be called from any thread.
///
/// It owns a small runtime for the object store and must therefore not be dropped inside an async task.
pub struct Lake {
    store: Arc<Store>,
    tables: Vec<Arc<TableLog>>,
}

impl Lake {
    /// Opens the lake at `root`, a folder or a URL (`file`, `s3`, `gs`, `az`, `abfss`), and makes the folder and
    /// the tables that are missing. A table that exists gets the columns that it lacks, as nullable ones.
    ///
    /// The `date` column is the writer's: a schema need not have it, and it is taken out where it has.
    ///
    /// # Errors
    /// [`LakeError::BadRoot`], [`LakeError::Schema`] where a column exists with another type or has a type that
    /// Delta lacks, [`LakeError::Log`] where the log there is damaged, and whatever the store refuses.
    pub fn open(root: &str, schemas: &[(Table, SchemaRef)]) -> Result<Self, LakeError> {
        let store = Arc::new(Store::open(root)?);
        let tables = schemas
            .iter()
            .map(|(table, schema)| TableLog::open(&store, *table, schema).map(Arc::new))
            .collect::<Result<_, _>>()?;
        Ok(Self { store, tables })
    }

    /// A writer for one thread.
    ///
    /// # Panics
    /// If the lake was opened without this table.
    pub fn writer(&self, table: Table) -> TableWriter {
        TableWriter::new(self.table(table))
    }

    /// Makes `files` part of the table, records each `(application id, version)` and each `(domain, JSON)`, all
    /// or nothing. Where another process has committed in between, it is tried again on the newer version,
    /// unless that process has moved one of our application ids.
    ///
    /// # Errors
    /// [`CommitError::Conflict`] if an application id already stands at its version or above.
    ///
    /// # Panics
    /// If the lake was opened without this table.
    pub fn commit(
        &self,
        table: Table,
        files: &[DataFile],
        txns: &[(String, i64)],
        domain_metadata: &[(String, String)],
    ) -> Result<CommitVersion, CommitError> {
        self.table(table).commit(files, txns, domain_metadata)
    }

    /// The version that an application id stands at in the newest state of the table; `None` if it never
    /// committed.
    ///
    /// # Errors
    /// Whatever the store refuses, or a damaged log.
    ///
    /// # Panics
    /// If the lake was opened without this table.
    pub fn read_txn(&self, table: Table, app_id: &str) -> Result<Option<i64>, LakeError> {
        self.table(table).read_txn(app_id)
    }

    /// The JSON last recorded for a domain in the newest state of the table.
    ///
    /// # Errors
    /// Whatever the store refuses, or a damaged log.
    ///
    /// # Panics
    /// If the lake was opened without this table.
    pub fn read_domain(&self, table: Table, domain: &str) -> Result<Option<String>, LakeError> {
        self.table(table).read_domain(domain)
    }

    /// Hands the rows of the newest state of a table to `take`, part by part: for tables that people look into, such as
    /// `rejects`. Its columns are those of the table, the partition among them.
    ///
    /// # Errors
    /// Whatever the store refuses, a damaged log or file, and what `take` says.
    ///
    /// # Panics
    /// If the lake was opened without this table.
    pub fn read<E: From<LakeError>>(
        &self,
        table: Table,
        take: &mut dyn FnMut(&RecordBatch) -> Result<(), E>,
    ) -> Result<(), E> {
        self.table(table).read(take)
    }

    /// Where a table lies, for messages: a path or a URL.
    ///
    /// # Panics
    /// If the lake was opened without this table.
    pub fn location(&self, table: Table) -> String {
        self.table(table).display().to_owned()
    }

    fn table(&self, table: Table) -> &Arc<TableLog> {
        let found = self.tables.iter().find(|log| log.table() == table);
        found.expect("callers use the tables that they opened the lake with")
    }
}
