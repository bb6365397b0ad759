//! A value of a row as text, as address or as canonical bytes, whatever column it lies in.

use std::io::Write;

use schemas::{Column, FlowBatch, Ip};

use crate::compile::names::{Source, View, words_of};
use crate::compile::read::number_in;
use crate::compile::shape::{Extract, Form};
use crate::hit::ValueRef;

/// Appends a row's value as text; false if the row has none. Times are microseconds, views their first word.
pub fn text(batch: &FlowBatch, row: usize, source: &Source, out: &mut Vec<u8>) -> bool {
    let field = match source {
        Source::Extra(name) => {
            return batch.extra(row, name.as_bytes()).map(|text| out.extend_from_slice(text)).is_some();
        }
        Source::Raw => {
            out.extend_from_slice(batch.raw(row));
            return true;
        }
        Source::Field(field) => *field,
        Source::View(view) => view.field(),
    };
    if !batch.has(row, field) {
        return false;
    }
    match batch.any_column(field) {
        Column::Time(times) => number(times[row], out),
        Column::Long(longs) => number(longs[row], out),
        Column::Port(ports) => number(ports[row], out),
        Column::Percent(percents) => number(percents[row], out),
        Column::Ip(addresses) => number(addresses[row], out),
        Column::Word(bytes, _) => match words_of(source, bytes[row]).first() {
            Some(word) => out.extend_from_slice(word.as_bytes()),
            None => return false,
        },
        Column::Text(texts) | Column::List(texts) => out.extend_from_slice(texts.get(row)),
    }
    true
}

fn number(value: impl std::fmt::Display, out: &mut Vec<u8>) {
    // Writing into memory does not fail.
    let _ = write!(out, "{value}");
}

/// Appends a row's value in canonical bytes and in the form that the tree wants; false if the row has none.
pub fn canonical(batch: &FlowBatch, row: usize, extract: &Extract, scratch: &mut Vec<u8>, out: &mut Vec<u8>) -> bool {
    let field = match &extract.source {
        Source::Extra(name) => match batch.extra(row, name.as_bytes()) {
            Some(text) => {
                write_text(text, extract.form, scratch, out);
                return true;
            }
            None => return false,
        },
        Source::Raw => return false,
        Source::Field(field) => *field,
        Source::View(view) => view.field(),
    };
    if !batch.has(row, field) {
        return false;
    }
    let view: Option<View> = match extract.source {
        Source::View(view) => Some(view),
        Source::Field(_) | Source::Extra(_) | Source::Raw => None,
    };
    match batch.any_column(field) {
        Column::Time(times) => ValueRef::integer(times[row]).write(out),
        Column::Long(longs) => ValueRef::Uint(longs[row]).write(out),
        Column::Port(ports) => ValueRef::Uint(ports[row].into()).write(out),
        Column::Percent(percents) => ValueRef::Uint(percents[row].into()).write(out),
        Column::Ip(addresses) => address(addresses[row]).write(out),
        Column::Word(bytes, words) => match (view, words) {
            (None, ["false", "true"]) => ValueRef::Bool(bytes[row] == 1).write(out),
            _ => match words_of(&extract.source, bytes[row]).first() {
                Some(word) => ValueRef::Text(word.as_bytes()).write(out),
                None => return false,
            },
        },
        Column::Text(texts) | Column::List(texts) => write_text(texts.get(row), extract.form, scratch, out),
    }
    true
}

fn address(ip: Ip) -> ValueRef<'static> {
    match (ip.is_v4(), ip.0) {
        (true, [.., a, b, c, d]) => ValueRef::V4([a, b, c, d]),
        (false, octets) => ValueRef::V6(octets),
    }
}

fn write_text(text: &[u8], form: Form, scratch: &mut Vec<u8>, out: &mut Vec<u8>) {
    match form {
        Form::Own => ValueRef::Text(text).write(out),
        Form::Folded => {
            scratch.clear();
            if text.is_ascii() {
                scratch.extend(text.iter().map(u8::to_ascii_lowercase));
            } else {
                for chunk in text.utf8_chunks() {
                    for c in chunk.valid().chars().flat_map(char::to_lowercase) {
                        scratch.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                    scratch.extend_from_slice(chunk.invalid());
                }
            }
            ValueRef::Text(scratch).write(out);
        }
        Form::Address => match Ip::parse(text) {
            Some(ip) => address(ip).write(out),
            None => ValueRef::Text(text).write(out),
        },
        Form::Number => match number_in(text) {
            Some(whole) if whole.fract() == 0.0 && whole.abs() < 9e15 => ValueRef::integer(whole as i64).write(out),
            Some(other) => ValueRef::Float(other).write(out),
            None => ValueRef::Text(text).write(out),
        },
    }
}
