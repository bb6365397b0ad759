//! Rows gathered, sorted, cut by day, and handed to the files.
//!
//! A [`TableWriter`] belongs to one thread and shares nothing with another, so that encoding, the dearest step
//! of the whole path, scales with the cores. It keeps the batches of a window as they came and sorts indices,
//! not rows: one gather per column then yields row groups that are cut by day and ordered by destination port,
//! and within a port by arrival, which is nearly time. So a filter by port skips most row groups, and one by
//! time skips files and windows. Columns that are null throughout are not gathered at all.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow_schema::DataType;
use delta_kernel::arrow::compute::interleave;
use parquet::file::properties::WriterProperties;

use super::encode::{self, FileWriter, ROW_GROUP_ROWS};
use super::error::{LakeError, of_any};
use super::log::TableLog;
use super::{DataFile, PARTITION_COLUMN};

/// Rows that are sorted together: the more, the better a port filter prunes, and the more memory a writer
/// holds (some 100 MB). Four row groups.
pub(super) const WINDOW_ROWS: usize = 4 * ROW_GROUP_ROWS;

/// Files that a writer keeps open, one a day. Events of more days at a time (a replay of mixed archives, or
/// devices with wild clocks) close the one that was used least recently: smaller files, bounded memory.
const OPEN_FILES_MAX: usize = 8;

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// 0001-01-01 and 9999-12-31: SQL's dates. A wilder time goes to the nearest of them, for no engine reads it.
const DATE_DAYS_MIN: i64 = -719_162;
const DATE_DAYS_MAX: i64 = 2_932_896;

/// The column that rows are sorted by, where a table has it.
const SORT_COLUMN: &str = "dst_port";

/// Writes rows of one table from one thread.
///
/// Nothing is visible to readers, or durable, before [`TableWriter::finish`] and a commit of what it returns.
/// Dropped without it, the files under way are removed.
pub struct TableWriter {
    log: Arc<TableLog>,
    properties: WriterProperties,
    /// Position of the time column, if the table has one.
    time: Option<usize>,
    /// Position of the sort column, if the table has one.
    sort: Option<usize>,
    window: Vec<RecordBatch>,
    window_rows: usize,
    /// Files under way, by day, with the number of the window that last used each.
    open: BTreeMap<i32, (FileWriter, u64)>,
    windows: u64,
    done: Vec<DataFile>,
}

impl TableWriter {
    pub(super) fn new(log: &Arc<TableLog>) -> Self {
        let schema = log.schema();
        let position = |name: &str| schema.index_of(name).ok();
        let is_time = |at: &usize| matches!(schema.field(*at).data_type(), DataType::Timestamp(_, _));
        let is_port = |at: &usize| schema.field(*at).data_type() == &DataType::Int32;
        Self {
            properties: encode::properties(schema),
            time: log.table().time_columns().iter().find_map(|name| position(name)).filter(is_time),
            sort: position(SORT_COLUMN).filter(is_port),
            log: Arc::clone(log),
            window: Vec::new(),
            window_rows: 0,
            open: BTreeMap::new(),
            windows: 0,
            done: Vec::new(),
        }
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
            let rows = (batch.num_rows() - at).min(WINDOW_ROWS - self.window_rows);
            self.window.push(batch.slice(at, rows));
            self.window_rows += rows;
            at += rows;
            if self.window_rows == WINDOW_ROWS {
                self.flush_window()?;
            }
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
        if self.window_rows == 0 {
            return Ok(());
        }
        self.windows += 1;
        let order = self.order();
        let mut group = Vec::with_capacity(ROW_GROUP_ROWS.min(order.len()));
        let mut rest = order.as_slice();
        while let Some(&(first, _, _)) = rest.first() {
            let date_days = date_of(first);
            let same_day =
                rest.iter().take(ROW_GROUP_ROWS).take_while(|(key, _, _)| date_of(*key) == date_days).count();
            let (now, later) = rest.split_at(same_day);
            group.clear();
            group.extend(now.iter().map(|&(_, batch, row)| (batch as usize, row as usize)));
            let rows = self.gather(&group)?;
            self.file_of(date_days)?.write(&rows)?;
            self.close_if_full(date_days)?;
            rest = later;
        }
        self.window.clear();
        self.window_rows = 0;
        Ok(())
    }

    /// The window's rows by (day, port, arrival): the key, and where the row is.
    fn order(&self) -> Vec<(u64, u32, u32)> {
        let mut order = Vec::with_capacity(self.window_rows);
        let mut arrival = 0_u64;
        for (batch, rows) in (0_u32..).zip(&self.window) {
            let times = self.time.map(|at| rows.column(at).as_primitive::<TimestampMicrosecondType>());
            let ports = self.sort.map(|at| rows.column(at).as_primitive::<Int32Type>());
            for row in 0..rows.num_rows() {
                let time_us = times.map_or(0, |times| times.value(row));
                let days = time_us.div_euclid(MICROS_PER_DAY).clamp(DATE_DAYS_MIN, DATE_DAYS_MAX) - DATE_DAYS_MIN;
                let port = match ports {
                    Some(ports) if ports.is_valid(row) => {
                        u64::from(ports.value(row).clamp(0, 65_535).unsigned_abs()) + 1
                    }
                    Some(_) | None => 0,
                };
                order.push((key(days.unsigned_abs(), port, arrival), batch, u32::try_from(row).unwrap_or(u32::MAX)));
                arrival += 1;
            }
        }
        order.sort_unstable_by_key(|&(key, _, _)| key);
        order
    }

    /// Collects rows from the window's batches.
    fn gather(&self, rows: &[(usize, usize)]) -> Result<RecordBatch, LakeError> {
        let schema = Arc::clone(self.log.schema());
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
        for (at, field) in schema.fields().iter().enumerate() {
            let parts: Vec<&dyn Array> = self.window.iter().map(|batch| batch.column(at).as_ref()).collect();
            columns.push(if parts.iter().all(|part| part.null_count() == part.len()) {
                new_null_array(field.data_type(), rows.len())
            } else {
                interleave(&parts, rows).map_err(|error| of_any("sort rows", self.log.display(), &error))?
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        RecordBatch::try_new_with_options(schema, columns, &options)
            .map_err(|error| of_any("sort rows", self.log.display(), &error))
    }

    fn file_of(&mut self, date_days: i32) -> Result<&mut FileWriter, LakeError> {
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
                Arc::clone(self.log.schema()),
                self.properties.clone(),
            )?;
            self.open.insert(date_days, (file, self.windows));
        }
        let (file, used) = self.open.get_mut(&date_days).expect("it was there, or has just been inserted");
        *used = self.windows;
        Ok(file)
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
const _: () = assert!(WINDOW_ROWS <= 1 << ARRIVAL_BITS, "an arrival number fits its bits");
const _: () = assert!(65_536 < 1 << PORT_BITS, "a port plus one fits its bits");
const _: () = assert!(DATE_DAYS_MAX - DATE_DAYS_MIN < 1 << (64 - ARRIVAL_BITS - PORT_BITS), "a day fits the rest");

/// One number that sorts as (day, port, arrival): sorting plain numbers is several times faster than tuples.
fn key(days: u64, port: u64, arrival: u64) -> u64 {
    (days << (PORT_BITS + ARRIVAL_BITS)) | (port << ARRIVAL_BITS) | arrival
}

/// The day of a key, since 1970-01-01.
fn date_of(key: u64) -> i32 {
    let days = i64::try_from(key >> (PORT_BITS + ARRIVAL_BITS)).unwrap_or(0) + DATE_DAYS_MIN;
    i32::try_from(days).expect("days were clamped to SQL's dates when the key was made")
}

/// `YYYY-MM-DD` of a day since 1970-01-01, proleptic Gregorian. Source: Howard Hinnant, "chrono-Compatible
/// Low-Level Date Algorithms", `civil_from_days`.
pub(super) fn date_text(date_days: i32) -> String {
    let shifted = i64::from(date_days) + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
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
