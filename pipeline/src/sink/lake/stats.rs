//! Statistics for the log's `add` actions, read from the footer of the Parquet file.
//!
//! The writer has computed minimum, maximum and null count of every column chunk anyway. Adding them up over a
//! file's row groups costs microseconds; computing them from the batches, as the kernel's own writer does,
//! costs a pass over every value.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array, StringArray, StructArray,
    TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field, Fields, TimeUnit};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::statistics::Statistics;

use super::types::is_text;

/// A bound as the footer has it. Text may be cut, never the wrong way.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub enum Bound {
    /// Of a BOOLEAN.
    Boolean(bool),
    /// Of an INTEGER or a DATE.
    Int(i32),
    /// Of a LONG, or of a TIMESTAMP in microseconds.
    Long(i64),
    /// Of a DOUBLE.
    Double(f64),
    /// Of a STRING.
    Text(String),
}

/// Statistics of one column of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnStats {
    /// The column.
    pub name: String,
    /// Rows without a value; `None` if a row group did not say.
    pub null_count: Option<i64>,
    /// The smallest and the largest value; `None` if all are null, or a row group did not say.
    pub bounds: Option<(Bound, Bound)>,
}

/// Statistics of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct FileStats {
    /// Rows in the file.
    pub rows: u64,
    /// One entry for each column of a scalar type, in the order of the file.
    pub columns: Vec<ColumnStats>,
}

/// Adds up the footer's row groups.
pub(super) fn of_footer(footer: &ParquetMetaData) -> FileStats {
    let mut columns = Vec::new();
    for (index, column) in footer.file_metadata().schema_descr().columns().iter().enumerate() {
        let [name] = column.path().parts() else { continue };
        let mut null_count = Some(0);
        let mut bounds = None;
        let mut known = true;
        for group in footer.row_groups() {
            let statistics = group.column(index).statistics();
            let nulls = statistics.and_then(Statistics::null_count_opt).and_then(|nulls| i64::try_from(nulls).ok());
            null_count = null_count.zip(nulls).map(|(sum, nulls)| sum + nulls);
            if nulls == Some(group.num_rows()) {
                continue;
            }
            match statistics.and_then(bounds_of) {
                Some(more) => bounds = Some(widen(bounds, more)),
                None => known = false,
            }
        }
        columns.push(ColumnStats { name: name.clone(), null_count, bounds: bounds.filter(|_| known) });
    }
    FileStats { rows: u64::try_from(footer.file_metadata().num_rows()).unwrap_or(0), columns }
}

fn bounds_of(statistics: &Statistics) -> Option<(Bound, Bound)> {
    match statistics {
        Statistics::Boolean(s) => Some((Bound::Boolean(*s.min_opt()?), Bound::Boolean(*s.max_opt()?))),
        Statistics::Int32(s) => Some((Bound::Int(*s.min_opt()?), Bound::Int(*s.max_opt()?))),
        Statistics::Int64(s) => Some((Bound::Long(*s.min_opt()?), Bound::Long(*s.max_opt()?))),
        Statistics::Double(s) => Some((Bound::Double(*s.min_opt()?), Bound::Double(*s.max_opt()?))),
        Statistics::ByteArray(s) => {
            let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(|text| Bound::Text(text.to_owned()));
            Some((text(s.min_opt()?.data())?, text(s.max_opt()?.data())?))
        }
        Statistics::Int96(_) | Statistics::Float(_) | Statistics::FixedLenByteArray(_) => None,
    }
}

fn widen(so_far: Option<(Bound, Bound)>, (low, high): (Bound, Bound)) -> (Bound, Bound) {
    match so_far {
        None => (low, high),
        Some((min, max)) => (if low < min { low } else { min }, if high > max { high } else { max }),
    }
}

/// The `stats` column of the kernel's add-file batch, one row a file, over the columns that the log keeps
/// statistics of.
pub(super) fn to_arrow(kept: &[Field], files: &[&FileStats]) -> StructArray {
    let of = |file: &FileStats, name: &str| file.columns.iter().find(|column| column.name == name).cloned();
    let mut null_counts: Vec<(Arc<Field>, ArrayRef)> = Vec::new();
    let mut minima: Vec<(Arc<Field>, ArrayRef)> = Vec::new();
    let mut maxima: Vec<(Arc<Field>, ArrayRef)> = Vec::new();
    for field in kept {
        let columns: Vec<_> = files.iter().map(|file| of(file, field.name())).collect();
        let nulls: Int64Array = columns.iter().map(|column| column.as_ref().and_then(|c| c.null_count)).collect();
        null_counts.push((Arc::new(Field::new(field.name(), DataType::Int64, true)), Arc::new(nulls)));
        let bounds: Vec<_> = columns.into_iter().map(|column| column.and_then(|c| c.bounds)).collect();
        let low = bound_array(field.data_type(), bounds.iter().map(|both| both.as_ref().map(|(low, _)| low)));
        let highest: Vec<_> = bounds.iter().map(|both| both.as_ref().map(|(_, high)| high_of(field, high))).collect();
        let high = bound_array(field.data_type(), highest.iter().map(Option::as_ref));
        if let Some((low, high)) = low.zip(high) {
            let field = Arc::new(Field::new(field.name(), low.data_type().clone(), true));
            minima.push((Arc::clone(&field), low));
            maxima.push((field, high));
        }
    }
    let rows: Int64Array = files.iter().map(|file| i64::try_from(file.rows).ok()).collect();
    let tight = BooleanArray::from(vec![true; files.len()]);
    let section = |parts: Vec<(Arc<Field>, ArrayRef)>| -> ArrayRef {
        if parts.is_empty() {
            return Arc::new(StructArray::new_empty_fields(files.len(), None));
        }
        let (fields, arrays): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        Arc::new(StructArray::new(Fields::from(fields), arrays, None))
    };
    let sections: Vec<(&str, ArrayRef)> = vec![
        ("numRecords", Arc::new(rows)),
        ("nullCount", section(null_counts)),
        ("minValues", section(minima)),
        ("maxValues", section(maxima)),
        ("tightBounds", Arc::new(tight)),
    ];
    let (fields, arrays): (Vec<_>, Vec<_>) = sections
        .into_iter()
        .map(|(name, array)| (Arc::new(Field::new(name, array.data_type().clone(), true)), array))
        .unzip();
    StructArray::new(Fields::from(fields), arrays, None)
}

/// The upper bound as the log can say it: times are cut to milliseconds there, so they are rounded up first, or
/// a reader that trusts them would skip the file's last millisecond.
fn high_of(field: &Field, high: &Bound) -> Bound {
    match (field.data_type(), high) {
        (DataType::Timestamp(_, _), Bound::Long(micros)) => {
            Bound::Long(micros.checked_add(999).map_or(*micros, |up| up.div_euclid(1_000) * 1_000))
        }
        _ => high.clone(),
    }
}

/// `None` for a type whose bounds the log does not keep.
fn bound_array<'a>(data_type: &DataType, bounds: impl Iterator<Item = Option<&'a Bound>>) -> Option<ArrayRef> {
    let int = |bound: Option<&Bound>| match bound {
        Some(Bound::Int(value)) => Some(*value),
        _ => None,
    };
    let long = |bound: Option<&Bound>| match bound {
        Some(Bound::Long(value)) => Some(*value),
        _ => None,
    };
    match data_type {
        DataType::Int32 => Some(Arc::new(bounds.map(int).collect::<Int32Array>())),
        DataType::Date32 => Some(Arc::new(bounds.map(int).collect::<Date32Array>())),
        DataType::Int64 => Some(Arc::new(bounds.map(long).collect::<Int64Array>())),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let times: TimestampMicrosecondArray = bounds.map(long).collect();
            Some(Arc::new(times.with_timezone_opt(zone.clone())))
        }
        DataType::Float64 => {
            let double = |bound: Option<&Bound>| match bound {
                Some(Bound::Double(value)) => Some(*value),
                _ => None,
            };
            Some(Arc::new(bounds.map(double).collect::<Float64Array>()))
        }
        text if is_text(text) => {
            let text = |bound: Option<&'a Bound>| match bound {
                Some(Bound::Text(value)) => Some(value.as_str()),
                _ => None,
            };
            Some(Arc::new(bounds.map(text).collect::<StringArray>()))
        }
        _ => None,
    }
}
