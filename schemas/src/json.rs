//! The canonical JSON of an event: one flat object with canonical names, in the table's order.
//!
//! Times are RFC 3339 in UTC with six decimals, durations microseconds, addresses their canonical text, counters,
//! ports and percentages numbers, flags `true` and `false`, other words their text, lists arrays, texts lossy UTF-8.
//! After the fields stand `extras` (an object of the vendor's fields that have no column) and the provenance:
//! `source`, `partition`, `offset`, and `sub` if the record held several events.
//!
//! Written by hand and not by a serialiser: names and forms are a format that others read, so nothing in a Rust type
//! may change them, and a row is written without an allocation of its own.

use crate::batch::FlowBatch;
use crate::fields::{Field, FieldType, JSON_KEYS};
use crate::write;

/// What is written of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The field `received`.
    pub received: bool,
    /// `source`, `partition`, `offset`, `sub`.
    pub provenance: bool,
    /// The received line, as `raw`.
    pub raw: bool,
}

impl Options {
    /// Everything but the received line.
    pub const EVENT: Options = Options { received: true, provenance: true, raw: false };
    /// Only what the line itself says, for golden fixtures.
    pub const LINE: Options = Options { received: false, provenance: false, raw: false };
}

/// Appends a row as one JSON object, without a line end: everything but the received line.
pub fn write_row(batch: &FlowBatch, row: usize, out: &mut Vec<u8>) {
    write_row_with(batch, row, Options::EVENT, out);
}

/// Appends a row as one JSON object, without a line end.
pub fn write_row_with(batch: &FlowBatch, row: usize, options: Options, out: &mut Vec<u8>) {
    let start = out.len();
    for field in batch.fields(row) {
        if field == Field::Received && !options.received {
            continue;
        }
        out.extend_from_slice(JSON_KEYS[field.index()].as_bytes());
        write_value(batch, row, field, out);
    }
    if batch.extras(row).len() > 0 {
        out.extend_from_slice(b",\"extras\":");
        write_extras(batch, row, out);
    }
    if options.provenance {
        out.extend_from_slice(b",\"source\":");
        write::json_string(batch.source().as_bytes(), out);
        out.extend_from_slice(b",\"partition\":");
        write::signed(i64::from(batch.partition()), out);
        out.extend_from_slice(b",\"offset\":");
        write::decimal(batch.offsets()[row], out);
        if batch.subs()[row] > 0 {
            out.extend_from_slice(b",\"sub\":");
            write::decimal(u64::from(batch.subs()[row]), out);
        }
    }
    if options.raw {
        out.extend_from_slice(b",\"raw\":");
        write::json_string(batch.raw(row), out);
    }
    match out.get_mut(start) {
        Some(comma) => *comma = b'{',
        None => out.push(b'{'),
    }
    out.push(b'}');
}

/// Appends the first of some fields that a row has, as a JSON value; nothing if it has none.
pub(crate) fn write_first(batch: &FlowBatch, row: usize, fields: &[Field], out: &mut Vec<u8>) {
    if let Some(field) = fields.iter().find(|field| batch.has(row, **field)) {
        write_value(batch, row, *field, out);
    }
}

/// Appends a total as it is stated, else the sum of both directions.
pub(crate) fn write_total(batch: &FlowBatch, row: usize, keys: [crate::Key<crate::kinds::Long>; 3], out: &mut Vec<u8>) {
    let [total, one, other] = keys.map(|key| batch.get(row, key));
    let sum = one.unwrap_or(0).saturating_add(other.unwrap_or(0));
    write::decimal(total.unwrap_or(sum).min(i64::MAX as u64), out);
}

/// Appends a row's value of a field that it has, as a JSON value.
pub fn write_value(batch: &FlowBatch, row: usize, field: Field, out: &mut Vec<u8>) {
    let (columns, slot) = (&batch.columns, field.slot());
    match field.field_type() {
        FieldType::Time => {
            out.push(b'"');
            write::time(columns.times[slot][row], out);
            out.push(b'"');
        }
        FieldType::Long => write::decimal(columns.longs[slot][row], out),
        FieldType::Ip => {
            out.push(b'"');
            write::ip(columns.ips[slot][row], out);
            out.push(b'"');
        }
        FieldType::Port => write::decimal(u64::from(columns.ports[slot][row]), out),
        FieldType::Percent => write::decimal(u64::from(columns.bytes[slot][row]), out),
        kind @ FieldType::Word(words) => {
            let word = words[usize::from(columns.bytes[slot][row])].as_bytes();
            if kind.is_flag() {
                out.extend_from_slice(word);
            } else {
                write::json_string(word, out);
            }
        }
        FieldType::Text => write::json_string(batch.text_of(columns.spans[slot][row]), out),
        FieldType::List => {
            out.push(b'[');
            for (at, element) in batch.text_of(columns.spans[slot][row]).split(|byte| *byte == b'\n').enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write::json_string(element, out);
            }
            out.push(b']');
        }
    }
}

/// Appends a row's extras as one JSON object. A name that the record repeats gets an array of its values, because many
/// readers refuse an object with the same key twice.
pub fn write_extras(batch: &FlowBatch, row: usize, out: &mut Vec<u8>) {
    out.push(b'{');
    let mut first = true;
    each_extra(batch, row, std::convert::identity, |name, values| {
        if !first {
            out.push(b',');
        }
        first = false;
        write::json_string(name, out);
        out.push(b':');
        write_extra_values(values, out);
    });
    out.push(b'}');
}

/// The values of one extra: a string, or an array where there are several.
pub(crate) fn write_extra_values(values: &mut dyn Iterator<Item = &[u8]>, out: &mut Vec<u8>) {
    let start = out.len();
    let mut count = 0;
    for value in values {
        out.push(if count == 0 { b'[' } else { b',' });
        write::json_string(value, out);
        count += 1;
    }
    if count == 1 {
        out.remove(start);
    } else {
        out.push(b']');
    }
}

/// Extras of one row that are compared each with each; more than that are sorted first.
const EXTRAS_COMPARED: usize = 48;

/// Calls `each` once for every distinct name of a row's extras with all its values, in the order of the record. Names
/// are alike if they are so byte by byte after `spelling`.
pub(crate) fn each_extra<'b>(
    batch: &'b FlowBatch,
    row: usize,
    spelling: impl Fn(u8) -> u8 + Copy,
    mut each: impl FnMut(&'b [u8], &mut dyn Iterator<Item = &'b [u8]>),
) {
    let spelt = move |name: &'b [u8]| name.iter().map(move |byte| spelling(*byte));
    let count = batch.extras(row).len();
    if count <= EXTRAS_COMPARED {
        let same = |a: &'b [u8], b: &'b [u8]| a.len() == b.len() && spelt(a).eq(spelt(b));
        for (at, extra) in batch.extras(row).enumerate() {
            if batch.extras(row).take(at).any(|before| same(before.name, extra.name)) {
                continue;
            }
            let later =
                batch.extras(row).skip(at + 1).filter(|other| same(other.name, extra.name)).map(|other| other.value);
            each(extra.name, &mut std::iter::once(extra.value).chain(later));
        }
        return;
    }
    // Rare, and a hostile line must not cost its length squared.
    let mut sorted: Vec<_> = batch.extras(row).enumerate().collect();
    sorted.sort_unstable_by(|(i, a), (j, b)| spelt(a.name).cmp(spelt(b.name)).then(i.cmp(j)));
    let mut groups: Vec<_> = sorted.chunk_by(|(_, a), (_, b)| spelt(a.name).eq(spelt(b.name))).collect();
    groups.sort_unstable_by_key(|group| group[0].0);
    for group in groups {
        each(group[0].1.name, &mut group.iter().map(|(_, extra)| extra.value));
    }
}
