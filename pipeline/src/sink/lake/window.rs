//! Rows gathered, sorted, cut by day, and handed to the files.
//!
//! A [`TableWriter`] belongs to one thread and shares nothing with another, so that encoding, the dearest step
//! of the whole path, scales with the cores. It keeps a window's rows as columns and sorts row numbers, not rows:
//! encoding reads each column in that order, and yields row groups that are cut by day and ordered by destination port,
//! and within a port by arrival, which is nearly time. So a filter by port skips most row groups, and one by
//! time skips files and windows.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::RecordBatch;
use schemas::{Field, FlowBatch};

use super::chunk::Encoder;
use super::columns::{self, Column, Store};
use super::encode::{FileWriter, Layout, ROW_GROUP_ROWS};
use super::error::LakeError;
use super::log::TableLog;
use super::types::data_fields;
use super::{DataFile, PARTITION_COLUMN};

/// Rows that are sorted together: the more, the better a port filter prunes, and the more memory a writer
/// holds (some 60 MB). Two row groups: four took 8 % more of a core, for the caches.
pub(super) const WINDOW_ROWS: usize = 2 * ROW_GROUP_ROWS;

/// Bytes of texts after which a window ends early: rows of long texts must not fill the memory.
const WINDOW_TEXT_BYTES: usize = 256 << 20;

/// Files that a writer keeps open, one a day. Events of more days at a time (a replay of mixed archives, or
/// devices with wild clocks) close the one that was used least recently: smaller files, bounded memory.
const OPEN_FILES_MAX: usize = 8;

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// 0001-01-01 and 9999-12-31: SQL's dates. A wilder time goes to the nearest of them, for no engine reads it.
const DATE_DAYS_MIN: i64 = -719_162;
const DATE_DAYS_MAX: i64 = 2_932_896;

/// The column that rows are sorted by, where a table has it.
const SORT_COLUMN: &str = "dst_port";

/// What of an event a column holds.
#[derive(Clone, Copy)]
enum Origin {
    Field(Field),
    Extras,
    Source,
    Partition,
    Offset,
    Sub,
    Raw,
}

impl Origin {
    fn of(column: &str) -> Option<Self> {
        Some(match column {
            "extras" => Self::Extras,
            "source" => Self::Source,
            "partition" => Self::Partition,
            "offset" => Self::Offset,
            "sub" => Self::Sub,
            "raw" => Self::Raw,
            name => Self::Field(*Field::ALL.iter().find(|field| field.name() == name)?),
        })
    }
}

/// Writes rows of one table from one thread.
///
/// Nothing is visible to readers, or durable, before [`TableWriter::finish`] and a commit of what it returns.
/// Dropped without it, the files under way are removed.
pub struct TableWriter {
    log: Arc<TableLog>,
    encoder: Encoder,
    /// What events put into each column; `None` for a column that events don't have.
    origins: Vec<Option<Origin>>,
    /// Position of the time column, if the table has one.
    time: Option<usize>,
    /// Position of the sort column, if the table has one.
    sort: Option<usize>,
    columns: Vec<Column>,
    rows: usize,
    /// Files under way, by day, with the number of the window that last used each.
    open: BTreeMap<i32, (FileWriter, u64)>,
    windows: u64,
    done: Vec<DataFile>,
}

impl TableWriter {
    pub(super) fn new(log: &Arc<TableLog>) -> Self {
        let schema = log.schema();
        let columns: Vec<Column> = data_fields(schema).map(Layout::column).collect();
        let position = |name: &str| data_fields(schema).position(|field| field.name() == name);
        let is_time = |at: &usize| matches!(columns[*at].values, Store::Longs(_));
        let is_port = |at: &usize| matches!(columns[*at].values, Store::Ints(_));
        Self {
            encoder: Encoder::new(),
            origins: data_fields(schema).map(|field| Origin::of(field.name())).collect(),
            time: log.table().time_columns().iter().find_map(|name| position(name)).filter(is_time),
            sort: position(SORT_COLUMN).filter(is_port),
            log: Arc::clone(log),
            columns,
            rows: 0,
            open: BTreeMap::new(),
            windows: 0,
            done: Vec::new(),
        }
    }

    /// Takes the rows of a sealed batch, for table `flows`: what [`schemas::arrow::to_record_batch`] has, without the
    /// detour over Arrow.
    ///
    /// # Errors
    /// Whatever the store refuses. After an error the writer's rows are incomplete: drop it and read the input again.
    pub fn write_events(&mut self, batch: &FlowBatch) -> Result<(), LakeError> {
        let first = self.rows;
        for (column, origin) in self.columns.iter_mut().zip(&self.origins) {
            match origin {
                Some(Origin::Field(field)) => column.field(first, batch, *field),
                Some(Origin::Extras) => {
                    column.texts(first, &columns::with_extras(batch), |row, out| columns::extras(batch, row, out));
                }
                Some(Origin::Raw) => {
                    column.texts(first, &batch.firsts(), |row, out| columns::raw(batch, row, out));
                }
                Some(Origin::Source) => column.constant(first, batch.len(), batch.source()),
                Some(Origin::Partition) => {
                    column.numbers(first, batch.offsets().iter().map(|_| i64::from(batch.partition())));
                }
                Some(Origin::Offset) => column.numbers(first, batch.offsets().iter().map(|offset| *offset as i64)),
                Some(Origin::Sub) => column.numbers(first, batch.subs().iter().map(|sub| i64::from(*sub))),
                None => {}
            }
        }
        self.took(batch.len())
    }

    /// Takes rows. Their columns are those that the lake was opened with; a `date` column is left out.
    ///
    /// # Errors
    /// [`LakeError::Schema`] if the columns are others, and whatever the store refuses. After an error the
    /// writer's rows are incomplete: drop it and read the input again.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), LakeError> {
        let batch = self.without_partition(batch)?;
        // A large batch is cut, so that a window's size, and with it memory, does not depend on the caller.
        let mut at = 0;
        while at < batch.num_rows() {
            let part = batch.slice(at, (batch.num_rows() - at).min(WINDOW_ROWS - self.rows));
            for (column, array) in self.columns.iter_mut().zip(part.columns()) {
                column.array(self.rows, array.as_ref());
            }
            at += part.num_rows();
            self.took(part.num_rows())?;
        }
        Ok(())
    }

    fn took(&mut self, rows: usize) -> Result<(), LakeError> {
        self.rows += rows;
        let text_bytes = || self.columns.iter().map(Column::text_bytes).sum::<usize>();
        if self.rows >= WINDOW_ROWS || text_bytes() >= WINDOW_TEXT_BYTES {
            self.flush_window()?;
        }
        Ok(())
    }

    /// Encodes what is left and makes all files since the last call durable. The writer can go on afterwards,
    /// with new files.
    ///
    /// # Errors
    /// Whatever the store refuses.
    pub fn finish(&mut self) -> Result<Vec<DataFile>, LakeError> {
        self.flush_window()?;
        while let Some((_, (file, _))) = self.open.pop_first() {
            self.done.push(file.finish()?);
        }
        Ok(std::mem::take(&mut self.done))
    }

    fn without_partition(&self, batch: &RecordBatch) -> Result<RecordBatch, LakeError> {
        let mut batch = batch.clone();
        if let Ok(at) = batch.schema_ref().index_of(PARTITION_COLUMN) {
            batch.remove_column(at);
        }
        let ours = self.log.schema();
        let differs = |(a, b): (&Arc<arrow_schema::Field>, &Arc<arrow_schema::Field>)| {
            a.name() != b.name() || a.data_type() != b.data_type()
        };
        let fields = batch.schema_ref().fields();
        if fields.len() != ours.fields().len() || ours.fields().iter().zip(fields).any(differs) {
            let odd = ours.fields().iter().zip(fields).find(|(a, b)| differs((a, b)));
            return Err(LakeError::Schema {
                table: self.log.table(),
                column: odd.map_or_else(|| "*".to_owned(), |(a, _)| a.name().clone()),
                expected: odd
                    .map_or_else(|| format!("{} columns", ours.fields().len()), |(a, _)| a.data_type().to_string()),
                found: odd.map_or_else(
                    || format!("{} columns", fields.len()),
                    |(_, b)| format!("{} {}", b.name(), b.data_type()),
                ),
            });
        }
        Ok(batch)
    }

    fn flush_window(&mut self) -> Result<(), LakeError> {
        if self.rows == 0 {
            return Ok(());
        }
        self.windows += 1;
        let columns = std::mem::take(&mut self.columns);
        let result = self.write_window(&columns);
        self.columns = columns;
        self.columns.iter_mut().for_each(Column::clear);
        self.rows = 0;
        result
    }

    fn write_window(&mut self, columns: &[Column]) -> Result<(), LakeError> {
        let order = self.order(columns);
        let mut rows = Vec::with_capacity(ROW_GROUP_ROWS.min(order.len()));
        for day in order.chunk_by(|a, b| date_of(*a) == date_of(*b)) {
            let date_days = date_of(day[0]);
            for group in day.chunks(ROW_GROUP_ROWS) {
                rows.clear();
                rows.extend(group.iter().map(|key| arrival_of(*key)));
                let (file, encoder) = self.file_of(date_days)?;
                file.write(encoder, columns, &rows)?;
                self.close_if_full(date_days)?;
            }
        }
        Ok(())
    }

    /// The window's rows by (day, port, arrival), as keys that tell all three.
    fn order(&self, columns: &[Column]) -> Vec<u64> {
        let longs = |at: usize| match &columns[at].values {
            Store::Longs(values) => values.as_slice(),
            Store::Codes(_) | Store::Texts(_) | Store::Ints(_) | Store::Bools(_) => &[],
        };
        let ints = |at: usize| match &columns[at].values {
            Store::Ints(values) => values.as_slice(),
            Store::Codes(_) | Store::Texts(_) | Store::Longs(_) | Store::Bools(_) => &[],
        };
        let times = self.time.map(longs).unwrap_or_default();
        let ports = self.sort.map(|at| (&columns[at].valid, ints(at)));
        let mut order: Vec<u64> = (0..self.rows)
            .map(|row| {
                let time_us = times.get(row).copied().unwrap_or(0);
                let days = time_us.div_euclid(MICROS_PER_DAY).clamp(DATE_DAYS_MIN, DATE_DAYS_MAX) - DATE_DAYS_MIN;
                let port = match ports {
                    Some((valid, ports)) if valid.get(row) => u64::from(ports[row].clamp(0, 65_535).unsigned_abs()) + 1,
                    Some(_) | None => 0,
                };
                key(days.unsigned_abs(), port, row as u64)
            })
            .collect();
        order.sort_unstable();
        order
    }

    fn file_of(&mut self, date_days: i32) -> Result<(&mut FileWriter, &mut Encoder), LakeError> {
        if !self.open.contains_key(&date_days) {
            if self.open.len() >= OPEN_FILES_MAX {
                let oldest = self.open.iter().min_by_key(|(_, (_, used))| *used).map(|(date, _)| *date);
                if let Some((file, _)) = oldest.and_then(|date| self.open.remove(&date)) {
                    self.done.push(file.finish()?);
                }
            }
            let file = FileWriter::create(
                self.log.store(),
                self.log.table().name(),
                format!("{PARTITION_COLUMN}={}/{}.parquet", date_text(date_days), unique_name()),
                date_days,
                self.log.layout(),
            )?;
            self.open.insert(date_days, (file, self.windows));
        }
        let (file, used) = self.open.get_mut(&date_days).expect("it was there, or has just been inserted");
        *used = self.windows;
        Ok((file, &mut self.encoder))
    }

    fn close_if_full(&mut self, date_days: i32) -> Result<(), LakeError> {
        if self.open.get(&date_days).is_some_and(|(file, _)| file.is_full())
            && let Some((file, _)) = self.open.remove(&date_days)
        {
            self.done.push(file.finish()?);
        }
        Ok(())
    }
}

const ARRIVAL_BITS: u32 = 20;
const PORT_BITS: u32 = 17;
/// Most rows that a batch of events has: it is full, and then comes a record with as many events as there can be.
const BATCH_ROWS_MAX: usize = 1 << 18;
const _: () = assert!(WINDOW_ROWS + BATCH_ROWS_MAX <= 1 << ARRIVAL_BITS, "an arrival number fits its bits");
const _: () = assert!(65_536 < 1 << PORT_BITS, "a port plus one fits its bits");
const _: () = assert!(DATE_DAYS_MAX - DATE_DAYS_MIN < 1 << (64 - ARRIVAL_BITS - PORT_BITS), "a day fits the rest");

/// One number that sorts as (day, port, arrival): sorting plain numbers is several times faster than tuples.
fn key(days: u64, port: u64, arrival: u64) -> u64 {
    (days << (PORT_BITS + ARRIVAL_BITS)) | (port << ARRIVAL_BITS) | arrival
}

/// The row of a key.
fn arrival_of(key: u64) -> u32 {
    (key & ((1 << ARRIVAL_BITS) - 1)) as u32
}

/// The day of a key, since 1970-01-01.
fn date_of(key: u64) -> i32 {
    let days = i64::try_from(key >> (PORT_BITS + ARRIVAL_BITS)).unwrap_or(0) + DATE_DAYS_MIN;
    i32::try_from(days).expect("days were clamped to SQL's dates when the key was made")
}

/// `YYYY-MM-DD` of a day since 1970-01-01.
pub(super) fn date_text(date_days: i32) -> String {
    let (year, month, day) = schemas::write::civil(date_days.into());
    format!("{year:04}-{month:02}-{day:02}")
}

/// A file name that no other writer, thread or process chooses: 128 random bits of the hash keys that the
/// standard library draws from the operating system, and a counter.
fn unique_name() -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let random = RandomState::new();
    format!("part-{number:05}-{:016x}{:016x}", random.hash_one(std::process::id()), random.hash_one(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_as_sql_dates_up_to_both_ends() {
        let days = [0, 20_458, 11_016, -1, i32::try_from(DATE_DAYS_MIN).unwrap_or(0), 2_932_896];
        let texts: Vec<_> = days.into_iter().map(date_text).collect();
        assert_eq!(texts, ["1970-01-01", "2026-01-05", "2000-02-29", "1969-12-31", "0001-01-01", "9999-12-31"]);
    }

    #[test]
    fn keys_sort_by_day_then_port_then_arrival() {
        let mut keys = vec![key(1, 0, 0), key(0, 65_536, 1), key(0, 443, 3), key(0, 443, 2), key(0, 0, 4)];
        keys.sort_unstable();
        assert_eq!(keys, [key(0, 0, 4), key(0, 443, 2), key(0, 443, 3), key(0, 65_536, 1), key(1, 0, 0)]);
        assert_eq!(date_of(key(719_162, 7, 7)), 0);
    }
}
