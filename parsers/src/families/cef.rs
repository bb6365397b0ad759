//! ArcSight Common Event Format: `CEF:0|Vendor|Product|Version|SignatureId|Name|Severity|key=value …`, from any vendor.
//!
//! Vendors with a family of their own are that family's where detection sees both; this one reads whoever is left, and
//! every vendor if it is asked to. [`keys`] is the dictionary, [`vendors`] what senders make of it. Custom fields (`cs1` with
//! `cs1Label`) are kept under their labels, or become what a label names. The same members as JSON, and the columns that
//! Microsoft Sentinel makes of them, mean the same.
//!
//! Source: ArcSight, "Implementing ArcSight Common Event Format", revision 25.

mod keys;
mod vendors;

use schemas::{Field, RejectKind, Row, key};

use crate::detect::Keys;
use crate::generic::{Escapes, Event, Note, Put, Sources, Value, sources};
use crate::lex::json::{self, Extent};
use crate::lex::text::{contains, unquote};
use crate::lex::{cef, kv, time};
use crate::transport::{Shape, set_time};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

use vendors::Vendor;

/// The family.
pub struct Family;

static SOURCES: Sources = sources("cef");

/// How far into a body the mark is looked for where a sender has put words of its own before it.
const HEAD_MAX: usize = 300;

/// Most custom fields of one event: three times the dictionary's.
const CUSTOM_MAX: usize = 32;

impl Parser for Family {
    fn name(&self) -> &'static str {
        "cef"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["arcsight"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Both
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _: &Memory) -> Option<Confidence> {
        if record.shape == Shape::Object {
            let wanted = record.keys.has_any(Keys::DEVICE_VENDOR.and(Keys::SENTINEL_VENDOR));
            return wanted.then_some(Confidence::Likely);
        }
        match record.body {
            [b'C', b'E', b'F', b':', ..] => Some(Confidence::Likely),
            [b' ' | b'0' | b'1', ..] => {
                let body = record.body.trim_ascii_start();
                let bars = || body[..body.len().min(200)].iter().filter(|byte| **byte == b'|').take(7).count();
                (matches!(body, [b'0' | b'1', b'|', ..]) && bars() == 7 || body.starts_with(b"CEF:"))
                    .then_some(Confidence::Likely)
            }
            [b'"' | b'<', ..] => {
                let head = &record.body[..record.body.len().min(HEAD_MAX)];
                contains(head, b"CEF:").then_some(Confidence::Possible)
            }
            _ => None,
        }
    }

    fn parse(&self, record: &Record<'_>, _: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut line = Line { record, event: Event::default(), custom: [None; CUSTOM_MAX], vendor: Vendor::Other };
        match record.shape {
            Shape::Text => line.read_text(row)?,
            Shape::Object => line.read_object(row)?,
        }
        line.settle_custom(row)?;
        vendors::settle(line.vendor, &mut line.event, row);
        line.event.conclude(record, row, &SOURCES)?;
        Ok(Parsed::Events)
    }
}

#[derive(Clone, Copy)]
struct Slot<'a> {
    field: keys::Custom,
    /// The key under which its value stood, or its label if there is none yet.
    key: &'a [u8],
    value: Value<'a>,
    label: Value<'a>,
}

struct Line<'a, 'r> {
    record: &'r Record<'a>,
    event: Event<'a>,
    custom: [Option<Slot<'a>>; CUSTOM_MAX],
    vendor: Vendor,
}

impl<'a> Line<'a, '_> {
    fn read_text(&mut self, row: &mut Row<'_>) -> Result<(), Refusal> {
        let body = self.record.body;
        let (fields, extension) = match header(body) {
            Some(found) => found,
            None => return Err(self.record.not_this_family("`CEF:0|` with seven header fields")),
        };
        let [_, vendor, product, _, code, name, severity] = fields.map(trimmed);
        self.vendor = Vendor::of(vendor.raw, product.raw);
        vendor.with(|text| row.text(key::VENDOR, text));
        product.with(|text| row.text(key::PRODUCT, text));
        self.event.set_note(Note::Name, name);
        self.event.set_note(Note::Severity, severity);
        for pair in cef::pairs(extension) {
            let escapes = if pair.escaped { Escapes::Cef } else { Escapes::None };
            self.pair(pair.key, Value { raw: pair.value, escapes }, row)?;
        }
        if !row.has(Field::EventCode) {
            code.with(|text| row.text(key::EVENT_CODE, text));
        }
        if self.vendor == Vendor::Citrix {
            self.citrix(row);
        }
        Ok(())
    }

    fn read_object(&mut self, row: &mut Row<'_>) -> Result<(), Refusal> {
        let body = self.record.body;
        let text_of = |names: [&[u8]; 2]| {
            names.iter().find_map(|name| json::member(body, name)).map_or(&b""[..], json::Value::scalar)
        };
        let vendor = text_of([b"deviceVendor", b"DeviceVendor"]);
        if vendor.is_empty() {
            return Err(self.record.not_this_family("members of CEF: `deviceVendor`, or `DeviceVendor`"));
        }
        self.vendor = Vendor::of(vendor, text_of([b"deviceProduct", b"DeviceProduct"]));
        let mut members = json::members(body)?;
        for member in members.by_ref() {
            let member = member?;
            let value = Value::json(member.value);
            match member.key {
                b"AdditionalExtensions" if value.escapes == Escapes::None => {
                    for pair in kv::pairs_by(value.raw, b';') {
                        self.pair(pair.key, Value::plain(pair.value), row)?;
                    }
                }
                b"TimeGenerated" if self.event.note(Note::Noticed).raw.is_empty() => {
                    if let Some(us) = value.with(|text| self.record.time.any(text)) {
                        set_time(row, us);
                    }
                }
                name => self.pair(name, value, row)?,
            }
        }
        match members.extent() {
            Extent::Whole(_) => Ok(()),
            Extent::Truncated => {
                Err(Refusal { at: body.len(), kind: RejectKind::Unclosed { what: "the JSON object" } })
            }
        }
    }

    #[inline]
    fn pair(&mut self, name: &'a [u8], value: Value<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let value = Value { raw: unquote_whole(value.raw), ..value };
        if value.is_absent() || value.raw == b"NA" && self.vendor == Vendor::SonicWall {
            return Ok(());
        }
        let (name, own) = vendors::own(self.vendor, name);
        // both follow the device's short name or address, and say more
        let host = match (self.vendor, name) {
            (Vendor::CheckPoint, b"originsicname") => vendors::check_point_host(value.raw),
            (Vendor::Bitdefender, b"BitdefenderGZComputerFQDN") => Some(value.raw),
            _ => None,
        };
        if let Some(host) = host {
            self.event.set_note(Note::Host, Value::plain(host));
            return Ok(());
        }
        match own.or_else(|| keys::DICTIONARY.get(name)) {
            Some(put) => self.event.take(self.record, put, name, value, row),
            None => {
                let noted = keys::custom(name).is_some_and(|field| self.note_custom(field, name, value));
                if !noted {
                    value.with(|text| row.extra(name, text));
                }
                Ok(())
            }
        }
    }

    /// Notes a custom field's value or label; they come in any order. `false` if there is no room, or there is one already.
    fn note_custom(&mut self, field: keys::Custom, name: &'a [u8], value: Value<'a>) -> bool {
        let same = |slot: &&mut Option<Slot<'a>>| {
            slot.as_ref().is_none_or(|slot| (slot.field.sort, slot.field.number) == (field.sort, field.number))
        };
        let Some(slot) = self.custom.iter_mut().find(same) else { return false };
        let slot = slot.get_or_insert(Slot { field, key: name, value: Value::default(), label: Value::default() });
        let place = if field.is_label { &mut slot.label } else { &mut slot.value };
        if !place.raw.is_empty() {
            return false;
        }
        *place = value;
        if !field.is_label {
            slot.key = name;
        }
        true
    }

    fn settle_custom(&mut self, row: &mut Row<'_>) -> Result<(), Refusal> {
        for slot in self.custom.iter().map_while(|slot| *slot) {
            if let Some(put) = vendors::label_alone(self.vendor, slot.field.number).filter(|_| slot.field.sort == 0) {
                self.event.take(self.record, put, b"label", slot.label, row)?;
                self.event.take(self.record, Put::Extra, slot.key, slot.value, row)?;
                continue;
            }
            let put = match slot.field.sort {
                keys::ADDRESS => address(slot.field.number, slot.label.raw),
                _ => slot.label.with(keys::labelled),
            };
            let name = if slot.label.raw.is_empty() { slot.key } else { slot.label.raw };
            self.event.take(self.record, put.unwrap_or(Put::Extra), name, slot.value, row)?;
        }
        Ok(())
    }

    /// NetScaler's application firewall has the year of its header's time in the fifth custom text.
    fn citrix(&self, row: &mut Row<'_>) {
        let year = self.custom.iter().flatten().find(|slot| slot.field.sort == 0 && slot.field.number == 5);
        let year =
            year.and_then(|slot| crate::lex::text::decimal(slot.value.raw)).filter(|year| (1990..2200).contains(year));
        let (Some(year), Some(us)) = (year, self.record.header.time_us) else { return };
        let day_us = 86_400_000_000;
        let (_, month, day) = time::civil_from_days(us.div_euclid(day_us));
        let days = time::days_from_civil(year as i32, month, day);
        set_time(row, days * day_us + us.rem_euclid(day_us));
    }
}

/// Which end an IPv6 address is of: by its label, else as the dictionary has it.
fn address(number: u8, label: &[u8]) -> Option<Put> {
    let says = |word: &[u8]| label.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
    match number {
        _ if says(b"source") || says(b"src") || says(b"attacker") => Some(Put::Note(Note::Src)),
        _ if says(b"dest") || says(b"dst") || says(b"victim") => Some(Put::Note(Note::Dst)),
        _ if says(b"device") => Some(Put::Note(Note::HostAddress)),
        _ if !label.is_empty() => None,
        1 => Some(Put::Note(Note::HostAddress)),
        2 => Some(Put::Note(Note::Src)),
        3 => Some(Put::Note(Note::Dst)),
        _ => None,
    }
}

/// The header's fields, wherever the mark stands; without it if a relay has eaten it.
fn header(body: &[u8]) -> Option<([&[u8]; 7], &[u8])> {
    let head = &body[..body.len().min(HEAD_MAX)];
    let start = match memchr::memmem::find(head, b"CEF:") {
        Some(at) => at,
        None if matches!(body.trim_ascii_start(), [b'0' | b'1', b'|', ..]) => 0,
        None => return None,
    };
    let (fields, extension) = cef::header(&body[start..])?;
    // what was quoted whole ends with its quote
    let quotes = body[..start].iter().rev().take_while(|byte| **byte == b'"').count();
    let closing = extension.iter().rev().take(quotes + 1).take_while(|byte| **byte == b'"').count();
    Some((fields, if quotes > 0 { &extension[..extension.len() - closing] } else { extension }))
}

fn trimmed(field: &[u8]) -> Value<'_> {
    Value { raw: field.trim_ascii(), escapes: Escapes::Cef }
}

/// Without the quotes around, if there are none inside.
fn unquote_whole(text: &[u8]) -> &[u8] {
    let inner = unquote(text);
    if inner.len() < text.len() && text[0] == b'"' && !contains(inner, b"\"") { inner } else { text }
}
