//! One column of a batch as one Arrow array, each in a single pass.
//!
//! Values of rows that lack the field are whatever the batch's reused memory holds (numbers) or empty (texts); the null
//! bitmap, which is the field's mask, hides them.

use std::sync::{Arc, LazyLock};

use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, Int32Array, Int64Array, StringArray, TimestampMicrosecondArray,
    new_null_array,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;

use super::{dictionary, timestamp};
use crate::batch::{FlowBatch, Span};
use crate::fields::{Field, FieldType};
use crate::kinds::Ip;
use crate::mask::Mask;
use crate::{json, write};

/// Longest text in a column, in bytes; what is longer is cut. Ten thousand events of one record may share a text that is
/// as long as the record, and a column of Arrow's 32-bit offsets holds 2 GiB.
pub const TEXT_MAX: usize = 1 << 16;

/// The column of a field; shared and all null where no row has it.
pub(super) fn of_field(batch: &FlowBatch, field: Field, data_type: &DataType) -> ArrayRef {
    let mask = batch.mask(field);
    if mask.is_empty() {
        return nulls(data_type, batch.len());
    }
    let (columns, slot, rows) = (&batch.columns, field.slot(), batch.len());
    match field.field_type() {
        FieldType::Time => {
            let values = ScalarBuffer::from(columns.times[slot][..rows].to_vec());
            Arc::new(TimestampMicrosecondArray::new(values, validity(mask)).with_timezone("UTC"))
        }
        FieldType::Long => {
            let values: Vec<i64> = columns.longs[slot][..rows].iter().map(|value| *value as i64).collect();
            Arc::new(Int64Array::new(values.into(), validity(mask)))
        }
        FieldType::Port => {
            let values: Vec<i32> = columns.ports[slot][..rows].iter().map(|port| i32::from(*port)).collect();
            Arc::new(Int32Array::new(values.into(), validity(mask)))
        }
        FieldType::Percent => {
            let values: Vec<i32> = columns.bytes[slot][..rows].iter().map(|value| i32::from(*value)).collect();
            Arc::new(Int32Array::new(values.into(), validity(mask)))
        }
        FieldType::Ip => addresses(&columns.ips[slot][..rows], mask),
        FieldType::Word(_) if data_type == &DataType::Boolean => {
            let bytes = &columns.bytes[slot][..rows];
            let values = BooleanBuffer::collect_bool(rows, |row| bytes[row] == 1);
            Arc::new(BooleanArray::new(values, validity(mask)))
        }
        FieldType::Word(words) => words_column(&columns.bytes[slot][..rows], words, mask),
        FieldType::Text if matches!(data_type, DataType::Dictionary(_, _)) => {
            kept_texts(batch, &columns.spans[slot][..rows], mask)
        }
        FieldType::Text => texts(mask, |row| batch.text_of(columns.spans[slot][row])),
        FieldType::List => lists(batch, &columns.spans[slot][..rows], mask),
    }
}

/// A column of nulls: a slice of one that all batches share.
fn nulls(data_type: &DataType, rows: usize) -> ArrayRef {
    const SHARED_ROWS: usize = 1 << 16;
    static SHARED: LazyLock<[ArrayRef; 6]> = LazyLock::new(|| {
        [timestamp(), DataType::Int64, DataType::Int32, DataType::Boolean, DataType::Utf8, dictionary()]
            .map(|data_type| new_null_array(&data_type, SHARED_ROWS))
    });
    match SHARED.iter().find(|shared| shared.data_type() == data_type) {
        Some(shared) if rows <= SHARED_ROWS => shared.slice(0, rows),
        Some(_) | None => new_null_array(data_type, rows),
    }
}

fn validity(mask: &Mask) -> Option<NullBuffer> {
    if mask.count() == mask.rows() {
        return None;
    }
    Some(NullBuffer::new(BooleanBuffer::new(Buffer::from(mask.words().to_vec()), 0, mask.rows())))
}

/// Values and offsets of a text column under construction.
struct Texts {
    values: Vec<u8>,
    offsets: Vec<i32>,
}

impl Texts {
    fn new(rows: usize, value_bytes: usize) -> Texts {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Texts { values: Vec::with_capacity(value_bytes), offsets }
    }

    /// Ends the value of `row`; rows that were left out are empty.
    #[inline]
    fn end(&mut self, row: usize) {
        let before = *self.offsets.last().expect("there is one from the beginning");
        if self.offsets.len() < row + 1 {
            self.offsets.resize(row + 1, before);
        }
        match i32::try_from(self.values.len()) {
            Ok(end) => self.offsets.push(end),
            // No block is so large that its texts, cut at TEXT_MAX, come to 2 GiB; an empty text beats a panic.
            Err(_) => self.values.truncate(before as usize),
        }
    }

    fn finish(mut self, rows: usize, nulls: Option<NullBuffer>) -> Result<StringArray, arrow_schema::ArrowError> {
        let before = *self.offsets.last().expect("there is one from the beginning");
        self.offsets.resize(rows + 1, before);
        StringArray::try_new(OffsetBuffer::new(self.offsets.into()), Buffer::from_vec(self.values), nulls)
    }
}

#[inline]
fn cut(text: &[u8]) -> &[u8] {
    &text[..text.len().min(TEXT_MAX)]
}

/// A column of texts, with one check of the whole for UTF-8.
fn texts<'b>(mask: &Mask, text_of: impl Fn(usize) -> &'b [u8]) -> ArrayRef {
    plain_texts(mask, |row| cut(text_of(row)))
}

fn plain_texts<'b>(mask: &Mask, text_of: impl Fn(usize) -> &'b [u8]) -> ArrayRef {
    let mut column = Texts::new(mask.rows(), mask.rows() * 16);
    for row in mask.iter() {
        column.values.extend_from_slice(text_of(row));
        column.end(row);
    }
    match column.finish(mask.rows(), validity(mask)) {
        Ok(array) => Arc::new(array),
        Err(_) => lossy_texts(mask, text_of),
    }
}

#[cold]
fn lossy_texts<'b>(mask: &Mask, text_of: impl Fn(usize) -> &'b [u8]) -> ArrayRef {
    let mut column = Texts::new(mask.rows(), mask.rows() * 16);
    for row in mask.iter() {
        column.values.extend_from_slice(String::from_utf8_lossy(text_of(row)).as_bytes());
        column.end(row);
    }
    Arc::new(column.finish(mask.rows(), validity(mask)).expect("each text is UTF-8 now"))
}

fn lists(batch: &FlowBatch, spans: &[Span], mask: &Mask) -> ArrayRef {
    let mut joined = Vec::new();
    let mut ends = vec![0; mask.rows() + 1];
    for row in mask.iter() {
        ends[row] = joined.len();
        joined.extend(cut(batch.text_of(spans[row])).iter().map(|byte| if *byte == b'\n' { b',' } else { *byte }));
        ends[row + 1] = joined.len();
    }
    plain_texts(mask, |row| &joined[ends[row]..ends[row + 1]])
}

fn addresses(ips: &[Ip], mask: &Mask) -> ArrayRef {
    let mut column = Texts::new(mask.rows(), mask.rows() * 14);
    for row in mask.iter() {
        write::ip(ips[row], &mut column.values);
        column.end(row);
    }
    Arc::new(column.finish(mask.rows(), validity(mask)).expect("addresses are ASCII"))
}

fn dictionary_array(keys: Vec<i32>, values: StringArray, nulls: Option<NullBuffer>) -> ArrayRef {
    let keys = Int32Array::new(keys.into(), nulls);
    Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::new(values)).expect("every key was given a value"))
}

/// Words that occur get consecutive keys, so that a dictionary has only what its batch uses.
fn words_column(bytes: &[u8], words: &'static [&'static str], mask: &Mask) -> ArrayRef {
    let (mut key_of, mut used) = ([-1i32; 256], Vec::with_capacity(16));
    let mut keys = vec![0; bytes.len()];
    for row in mask.iter() {
        let byte = usize::from(bytes[row]);
        if key_of[byte] < 0 {
            key_of[byte] = used.len() as i32;
            used.push(words[byte]);
        }
        keys[row] = key_of[byte];
    }
    dictionary_array(keys, StringArray::from(used), validity(mask))
}

/// Slots of the memo from spans to keys: a power of two. A collision only makes a second entry for the same text.
const MEMO: usize = 256;

fn kept_texts(batch: &FlowBatch, spans: &[Span], mask: &Mask) -> ArrayRef {
    let mut memo = [(Span::default(), -1i32); MEMO];
    let mut keys = vec![0; spans.len()];
    let mut values = Texts::new(64, 1024);
    let (mut count, mut last, mut last_key) = (0, Span::default(), -1);
    for row in mask.iter() {
        let span = spans[row];
        if last_key >= 0 && span == last {
            keys[row] = last_key;
            continue;
        }
        let slot = span.hash() & (MEMO - 1);
        if memo[slot].1 < 0 || memo[slot].0 != span {
            values.values.extend_from_slice(cut(batch.text_of(span)));
            values.end(count);
            memo[slot] = (span, count as i32);
            count += 1;
        }
        (last, last_key) = memo[slot];
        keys[row] = last_key;
    }
    match values.finish(count, None) {
        Ok(values) => dictionary_array(keys, values, validity(mask)),
        Err(_) => lossy_kept_texts(batch, spans, mask),
    }
}

#[cold]
fn lossy_kept_texts(batch: &FlowBatch, spans: &[Span], mask: &Mask) -> ArrayRef {
    let mut keys = vec![0; spans.len()];
    let mut values = Vec::new();
    for row in mask.iter() {
        keys[row] = values.len() as i32;
        values.push(String::from_utf8_lossy(cut(batch.text_of(spans[row]))));
    }
    dictionary_array(keys, StringArray::from_iter_values(values), validity(mask))
}

/// The extras of each row as a JSON object; null where there are none.
pub(super) fn extras(batch: &FlowBatch) -> ArrayRef {
    let rows = batch.len();
    let mut mask = Mask::none(rows);
    (0..rows).filter(|row| batch.extras(*row).len() > 0).for_each(|row| mask.set(row));
    if mask.is_empty() {
        return nulls(&DataType::Utf8, rows);
    }
    let mut column = Texts::new(rows, rows * 64);
    for row in mask.iter() {
        json::write_extras(batch, row, &mut column.values);
        column.end(row);
    }
    Arc::new(column.finish(rows, validity(&mask)).expect("JSON is UTF-8"))
}

/// The received line of each record, at its first event.
pub(super) fn raw(batch: &FlowBatch) -> ArrayRef {
    plain_texts(&batch.firsts(), |row| batch.raw(row))
}

/// One text for all rows.
pub(super) fn constant(text: &str, rows: usize) -> ArrayRef {
    dictionary_array(vec![0; rows], StringArray::from_iter_values([text]), None)
}

/// A column of small numbers without nulls.
pub(super) fn integers(values: impl Iterator<Item = i32>) -> ArrayRef {
    Arc::new(Int32Array::from_iter_values(values))
}

/// A column of counters without nulls.
pub(super) fn longs(values: &[u64]) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values.iter().map(|value| *value as i64)))
}
