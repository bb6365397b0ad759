//! Laurel's JSON: the records of one event as members of one object, fields decoded already.
//!
//! Fields keep auditd's names, so that one table serves both; of a field that several records have the first counts.
//! Source: threathunters-io/laurel, `README.md`.

use schemas::{RejectKind, Row, key};

use super::types::Type;
use super::value::{Coding, Note, Notes, Value};
use super::{calls, conclude, instant, take};
use crate::lex::json::{self, Extent};
use crate::lex::text::rsplit_once;
use crate::{Parsed, Record, Refusal, set_time};

/// Records that name the event, the first that occurs; one that has none of them is named by its first record.
const NAMING: &[&[u8]] = &[b"USER_LOGIN", b"USER_AUTH", b"EXECVE", b"SYSCALL", b"USER_CMD"];

/// Whether an object begins with an event's id: `{"ID":"1777885951.004:501"`.
pub(super) fn is_event(body: &[u8]) -> bool {
    let Some(rest) = body.strip_prefix(b"{\"ID\":\"") else { return false };
    rest.iter().take(24).any(|byte| *byte == b':') && rest.first().is_some_and(u8::is_ascii_digit)
}

/// One event.
pub(super) fn event(record: &Record<'_>, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
    let mut notes = Notes::default();
    let mut kind = Type { name: b"" };
    let (mut id, mut node) = (&b""[..], &b""[..]);
    let mut members = json::members(record.body)?;
    for member in members.by_ref() {
        let member = member?;
        match (member.key, member.value) {
            (b"ID", value) => id = value.scalar(),
            (b"NODE", value) => node = value.scalar(),
            (name, json::Value::Object(fields)) => {
                kind = better(kind, name);
                fields_of(fields, name, &mut notes, row)?;
            }
            (name, json::Value::Array(list)) => {
                kind = better(kind, name);
                for element in json::elements(list)? {
                    if let json::Value::Object(fields) = element? {
                        fields_of(fields, name, &mut notes, row)?;
                    }
                }
            }
            _ => {}
        }
    }
    if members.extent() == Extent::Truncated {
        return Err(Refusal { at: record.body.len(), kind: RejectKind::Unclosed { what: "the JSON object" } });
    }
    let stamp = rsplit_once(id, b':').and_then(|(stamp, serial)| Some((instant(record, stamp)?, serial)));
    let Some((us, serial)) = stamp.filter(|_| !kind.name.is_empty()) else {
        return Err(record.not_this_family("`\"ID\":\"SECONDS.MILLISECONDS:SERIAL\"` and a record"));
    };
    set_time(row, us);
    row.extra_fixed("serial", serial);
    row.text(key::HOST, node);
    conclude(kind, &notes, row);
    calls::joined(&notes, row);
    Ok(Parsed::Events)
}

/// An event is called by the record that says most about it.
fn better<'a>(known: Type<'a>, name: &'a [u8]) -> Type<'a> {
    let rank = |name: &[u8]| NAMING.iter().position(|known| *known == name).unwrap_or(NAMING.len());
    if known.name.is_empty() || rank(name) < rank(known.name) { Type { name } } else { known }
}

/// The fields of one record. Those of a nested object (`SADDR`, `PPID`) count as the record's own, unless they speak of
/// another process.
fn fields_of<'a>(object: &'a [u8], name: &[u8], notes: &mut Notes<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
    let kind = Type { name };
    for member in json::members(object)? {
        let member = member?;
        match member.value {
            json::Value::Object(inner) if member.key == b"SADDR" => fields_of(inner, name, notes, row)?,
            json::Value::Object(_) => {}
            json::Value::Array(list) if member.key == b"ARGV" => {
                for argument in json::elements(list)? {
                    let value = value_of(argument?);
                    if name == b"EXECVE" {
                        notes.argument(value);
                    }
                }
            }
            json::Value::Array(_) => {}
            value => {
                let value = value_of(value);
                if member.key == b"addr" && name == b"SOCKADDR" {
                    notes.set(Note::LocalAddress, value);
                } else {
                    take(member.key, value, kind, notes, row);
                }
            }
        }
    }
    Ok(())
}

fn value_of(value: json::Value<'_>) -> Value<'_> {
    let escaped = value.text().is_some_and(|text| text.escaped);
    Value { raw: value.scalar(), coding: if escaped { Coding::Json } else { Coding::Plain } }
}
