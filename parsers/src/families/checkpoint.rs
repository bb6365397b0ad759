//! Check Point gateways and management: `[action:"Accept"; origin:"10.0.0.1"; src:"…"; service:"443"; …]` and the same keys in
//! every other form of the Log Exporter, and of the tools before it.
//!
//! | form | read by |
//! |---|---|
//! | syslog, `[k:"v"; k:"v"]`; legacy `k: v; k: v` | [`forms::semicolons`] |
//! | CEF, LEEF | the shared lexers, their own names translated |
//! | Splunk and OPSEC LEA, `k=v\|k=v` | [`forms::bars`] |
//! | generic, `k="v" k="v"` | the shared pairs |
//! | JSON | the shared lexer |
//! | the log viewer's export, quoted columns | [`forms::columns`] |
//!
//! `service` is the destination's port. An Accept is written at the first packet: nothing is known of the port until counters of
//! the server come. Updates repeat the log with the same `loguid` and counters that grow; it is the session's id. The header's
//! host may be the management server, so the gateway is `origin`.
//!
//! Source: Check Point, "Log Exporter" (sk122323) and "Description of fields in Check Point logs" (sk144192).

mod forms;
mod judge;
mod keys;

use schemas::{Direction, Field, Ip, LogSource, RejectKind, Row, Transport, key};

use crate::detect::Keys;
use crate::lex::buffer::with_buffer;
use crate::lex::text::{contains, decimal, hexadecimal, present};
use crate::lex::{cef, json, kv, leef, time};
use crate::transport::Shape;
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, set_time};

use keys::{CEF_KEYS, KEYS, LEEF_KEYS, NOTES, Noted, What};

/// The family.
pub struct Family;

static TRAFFIC: LogSource = source("checkpoint.firewall", &["firewall"], &["firewall"]);
static THREAT: LogSource = source("checkpoint.threat", &["ids"], &["ips"]);
static LOGIN: LogSource = source("checkpoint.auth", &["authentication"], &["auth"]);
static REST: LogSource = source("checkpoint.system", &[], &["system"]);

const fn source(
    dataset: &'static str,
    categories: &'static [&'static str],
    services: &'static [&'static str],
) -> LogSource {
    LogSource {
        family: "checkpoint",
        vendor: "Check Point",
        product: "Check Point",
        dataset,
        categories,
        products: &["checkpoint", "check_point"],
        services,
    }
}

/// How a line carries its keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Semicolons,
    /// The same after the legacy tool's own words.
    Legacy,
    Cef,
    Leef,
    Bars,
    Pairs,
    Columns,
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "checkpoint"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["check_point"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Both
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        if record.shape == Shape::Object {
            return record.keys.has(Keys::LOGUID).then_some(Confidence::Certain);
        }
        form(record).map(|(_, confidence)| confidence)
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut line = Line { record, notes: [b""; NOTES], customs: cef::Customs::default(), by_name: false };
        if record.shape == Shape::Object {
            line.object(row)?;
        } else {
            match form(record) {
                Some((form, _)) => line.text(form, row)?,
                None => return Err(record.not_this_family("`[key:\"value\"; …]`, or another form of the Log Exporter")),
            }
        }
        if !line.any(row) {
            return Err(Refusal {
                at: 0,
                kind: RejectKind::Missing { what: "`action`, `product`, `origin` and `src`" },
            });
        }
        line.finish(row);
        Ok(Parsed::Events)
    }
}

/// The text that holds the keys: structured data of RFC 5424 is not the body.
#[inline]
fn keyed<'a>(record: &Record<'a>) -> &'a [u8] {
    if record.header.structured.is_empty() { record.body.trim_ascii() } else { record.header.structured }
}

/// The form by its first bytes, and how sure it is.
#[inline]
fn form(record: &Record<'_>) -> Option<(Form, Confidence)> {
    let text = keyed(record);
    let head = &text[..text.len().min(600)];
    match text.first()? {
        b'[' => {
            let ours = record.header.app == b"CheckPoint" || forms::opens(&text[1..]) && is_marked(text);
            ours.then_some((Form::Semicolons, Confidence::Certain))
        }
        b's' if text.starts_with(b"syslog[") && forms::opens(&text[7..]) => {
            Some((Form::Semicolons, Confidence::Certain))
        }
        b'C' | b'0' => {
            let mark = contains(&head[..head.len().min(24)], b"0|Check Point|");
            mark.then_some((Form::Cef, Confidence::Certain))
        }
        b'L' => {
            let mark = text.starts_with(b"LEEF:") && contains(&head[..head.len().min(24)], b"|Check Point|");
            mark.then_some((Form::Leef, Confidence::Certain))
        }
        b'"' => forms::columns(text).is_some().then_some((Form::Columns, Confidence::Likely)),
        b'a'..=b'z' => {
            // the first pair tells the separators; most lines of other families end at its key
            let end = head.iter().take(24).position(|b| matches!(b, b'=' | b' ' | b':' | b'['))?;
            if KEYS.get(&head[..end]).is_none() && !matches!(&head[..end], b"loc" | b"num" | b"hostname") {
                return None;
            }
            match head[end] {
                b'=' if head.get(end + 1) == Some(&b'"') => {
                    contains(head, b" loguid=\"{0x").then_some((Form::Pairs, Confidence::Certain))
                }
                b'=' => {
                    let bars = memchr::memchr(b'|', &head[..head.len().min(80)]).is_some();
                    let ours =
                        bars && [&b"|loguid={0x"[..], b"|i/f_dir=", b"|ifdir="].iter().any(|key| contains(head, key));
                    ours.then_some((Form::Bars, Confidence::Certain))
                }
                b':' if contains(head, b"; ") && contains(text, b"product: ") => {
                    Some((Form::Semicolons, Confidence::Likely))
                }
                _ => None,
            }
        }
        b'1'..=b'9' => forms::legacy(text).is_some().then_some((Form::Legacy, Confidence::Likely)),
        _ => None,
    }
}

/// Whether one of the keys stands in it that no other vendor writes so.
fn is_marked(text: &[u8]) -> bool {
    contains(text, b"loguid:\"") || contains(text, b"__policy_id_tag:\"") || contains(text, b"originsicname:\"")
}

struct Line<'a, 'r> {
    record: &'r Record<'a>,
    notes: [&'r [u8]; NOTES],
    customs: cef::Customs<'r>,
    /// In CEF the gateway's name is in its certificate, and its address is all that `origin` has.
    by_name: bool,
}

impl<'a: 'r, 'r> Line<'a, 'r> {
    #[inline]
    fn note(&self, note: Noted) -> &'r [u8] {
        self.notes[note as usize]
    }

    /// Whether anything was read that a log of this family has.
    fn any(&self, row: &Row<'_>) -> bool {
        [Noted::Action, Noted::Product, Noted::Origin].iter().any(|note| !self.note(*note).is_empty())
            || row.has(Field::SrcIp)
    }

    fn text(&mut self, form: Form, row: &mut Row<'_>) -> Result<(), Refusal> {
        let text = keyed(self.record);
        match form {
            Form::Semicolons => {
                let open = memchr::memchr(b'[', &text[..text.len().min(8)]).map_or(0, |at| at + 1);
                self.semicolons(&text[open..], open > 0, row)
            }
            Form::Legacy => {
                let Some(legacy) = forms::legacy(text) else { return Ok(()) };
                self.notes[Noted::Action as usize] = legacy.action;
                self.notes[Noted::Origin as usize] = legacy.origin;
                self.notes[Noted::Interface as usize] = legacy.interface;
                self.notes[Noted::InterfaceDirection as usize] = if legacy.inbound { b"inbound" } else { b"outbound" };
                if let Some(us) = legacy.stamp.and_then(|stamp| self.record.time.resolve(&stamp)) {
                    set_time(row, us);
                }
                self.semicolons(legacy.pairs, false, row)
            }
            Form::Cef => self.cef(row),
            Form::Leef => {
                let not_ours = || self.record.not_this_family("`LEEF:2.0|Check Point|…` with its header fields");
                let header = leef::header(text).ok_or_else(not_ours)?;
                self.notes[Noted::Product as usize] = header.product;
                for pair in leef::pairs(header.attributes, header.delimiter) {
                    let name = LEEF_KEYS.get(pair.key).map_or(pair.key, str::as_bytes);
                    self.pair(name, pair.value, row)?;
                }
                Ok(())
            }
            Form::Bars => {
                for (name, value) in forms::bars(text) {
                    self.pair(name, value, row)?;
                }
                Ok(())
            }
            Form::Pairs => {
                for pair in kv::pairs(text) {
                    if pair.unclosed {
                        return Err(self.record.refuse(pair.value, RejectKind::Unclosed { what: "a quoted value" }));
                    }
                    self.pair(pair.key, pair.value, row)?;
                }
                Ok(())
            }
            Form::Columns => {
                let Some(columns) = forms::columns(text) else { return Ok(()) };
                if let Some(us) = columns.stamp.and_then(|stamp| self.record.time.resolve(&stamp)) {
                    set_time(row, us);
                }
                for (name, value) in columns.pairs() {
                    self.pair(name, value, row)?;
                }
                self.semicolons(columns.information, false, row)
            }
        }
    }

    fn semicolons(&mut self, text: &'r [u8], bracketed: bool, row: &mut Row<'_>) -> Result<(), Refusal> {
        let mut pairs = forms::semicolons(text);
        for (name, value) in pairs.by_ref() {
            self.pair(name, value, row)?;
        }
        let whole = pairs.closed && (!bracketed || text.trim_ascii_end().ends_with(b"]"));
        if !whole || self.record.header.truncated {
            let at = self.record.refuse(text, RejectKind::Empty).at;
            return Err(Refusal { at, kind: RejectKind::Unclosed { what: "the list of keys, or a value in it" } });
        }
        Ok(())
    }

    fn object(&mut self, row: &mut Row<'_>) -> Result<(), Refusal> {
        let body = self.record.body;
        let mut members = json::members(body)?;
        for member in members.by_ref() {
            let member = member?;
            self.pair(member.key, member.value.scalar(), row)?;
        }
        match members.extent() {
            json::Extent::Whole(_) => Ok(()),
            json::Extent::Truncated => {
                Err(Refusal { at: body.len(), kind: RejectKind::Unclosed { what: "the JSON object" } })
            }
        }
    }

    fn cef(&mut self, row: &mut Row<'_>) -> Result<(), Refusal> {
        let body = self.record.body;
        let not_ours = || self.record.not_this_family("`CEF:0|Check Point|…` with seven header fields");
        let (fields, extension) = cef::header(body).ok_or_else(not_ours)?;
        self.by_name = true;
        self.notes[Noted::Product as usize] = fields[2];
        row.text(key::EVENT_CODE, fields[4]);
        row.extra_fixed("name", fields[5]);
        for pair in cef::pairs(extension) {
            if self.customs.take(&pair) {
                continue;
            }
            let name = CEF_KEYS.get(pair.key).map_or(pair.key, str::as_bytes);
            self.pair(name, pair.value, row)?;
        }
        for (label, value) in self.customs.labelled() {
            self.pair(CEF_KEYS.get(label).map_or(label, str::as_bytes), value, row)?;
        }
        // CEF counts nothing: it writes zeros
        for field in [Field::BytesIn, Field::BytesOut] {
            if row.get(key::BYTES_IN).unwrap_or(0) == 0 && row.get(key::BYTES_OUT).unwrap_or(0) == 0 {
                row.clear(field);
            }
        }
        Ok(())
    }

    #[inline]
    fn pair(&mut self, name: &'r [u8], value: &'r [u8], row: &mut Row<'_>) -> Result<(), Refusal> {
        let Some(value) = present(value.trim_ascii()) else { return Ok(()) };
        match KEYS.get(name) {
            // of several layers the first counts
            Some(What::To(field)) if row.has(field) => row.extra(name, value),
            Some(What::To(field)) => put_text(field, value, row).map_err(|kind| self.record.refuse(value, kind))?,
            Some(What::Maybe(field)) if row.has(field) || !row.put_if(field, value) => row.extra(name, value),
            Some(What::Maybe(_)) => {}
            Some(What::Address(ip, host)) => {
                if row.has(ip) {
                    row.extra(name, value);
                } else if !row.put_if(ip, value) && !row.has(host) {
                    if !value.first().is_some_and(u8::is_ascii_alphabetic) {
                        let kind = RejectKind::bad_value("address", value, "an address or a name");
                        return Err(self.record.refuse(value, kind));
                    }
                    return row.put(host, value).map_err(|kind| self.record.refuse(value, kind));
                }
            }
            Some(What::Translated(field)) => {
                if !matches!(value, b"0.0.0.0" | b"::" | b"0") && !row.put_if(field, value) {
                    row.extra(name, value);
                }
            }
            Some(What::TranslatedPort(field)) => {
                if value != b"0" && !row.put_if(field, value) {
                    row.extra(name, value);
                }
            }
            Some(What::Protocol) => match Transport::parse(value) {
                Some(transport) => row.set(key::TRANSPORT, transport),
                None => row.extra(name, value),
            },
            Some(What::Service) => match schemas::parse_port(value) {
                Some(port) => row.set(key::DST_PORT, port),
                None if decimal(value).is_some() => {
                    let kind = RejectKind::bad_value("service", value, "a port or a service's name");
                    return Err(self.record.refuse(value, kind));
                }
                None => row.extra(name, value),
            },
            Some(What::Start) => row.set_opt(key::START, time::epoch(value)),
            Some(What::Elapsed) => row.set_opt(key::DURATION, judge::elapsed(value)),
            Some(What::Direction) => match value {
                b"Incoming" => row.set(key::DIRECTION, Direction::Inbound),
                b"Outgoing" => row.set(key::DIRECTION, Direction::Outbound),
                b"Internal" => row.set(key::DIRECTION, Direction::Internal),
                _ => row.extra(name, value),
            },
            Some(What::User) => judge::user(name, value, row),
            Some(What::Note(note)) if self.note(note).is_empty() => self.notes[note as usize] = value,
            Some(What::Note(note)) if self.note(note) == value => {}
            Some(What::Note(_)) | None => row.extra(name, value),
            Some(What::Skip) => {}
        }
        Ok(())
    }

    /// What the keys mean together.
    fn finish(&self, row: &mut Row<'_>) {
        if let Some(us) = forms::time(self.note(Noted::Time), self.record.time) {
            set_time(row, us);
        }
        self.host(row);
        let interface =
            if self.note(Noted::InterfaceDirection) == b"outbound" { key::OUT_INTERFACE } else { key::IN_INTERFACE };
        row.text(interface, self.note(Noted::Interface));
        row.extra_fixed("interface_direction", self.note(Noted::InterfaceDirection));
        row.extra_fixed("product", self.note(Noted::Product));
        row.extra_fixed("operation", self.note(Noted::Operation));
        row.extra_fixed("auth_status", self.note(Noted::AuthStatus));
        self.judge(row);
    }

    fn host(&self, row: &mut Row<'_>) {
        let (origin, sic) = (self.note(Noted::Origin), self.note(Noted::SicName));
        let by_certificate = forms::common_name(sic).filter(|_| self.by_name || origin.is_empty());
        let host = by_certificate.unwrap_or(origin);
        row.extra_fixed("originsicname", sic);
        if host.is_empty() {
            return;
        }
        let header = self.record.header.host;
        if header != host {
            row.text(key::RELAY, header);
        }
        row.text(key::HOST, host);
        row.clear(Field::HostIp);
        // `7f000001`, as LEA writes it
        let hex = || hexadecimal(origin).filter(|_| origin.len() == 8).and_then(|bits| u32::try_from(bits).ok());
        row.set_opt(key::HOST_IP, Ip::parse(origin).or_else(|| hex().map(|bits| Ip::v4(bits.to_be_bytes()))));
    }
}

/// Sets a text without the backslashes of its form.
fn put_text(field: Field, value: &[u8], row: &mut Row<'_>) -> Result<(), RejectKind> {
    if memchr::memchr(b'\\', value).is_none() {
        return row.put(field, value);
    }
    with_buffer(|plain| {
        let mut bytes = value.iter();
        while let Some(byte) = bytes.next() {
            match (byte, bytes.as_slice().first()) {
                (b'\\', Some(next @ (b'"' | b'\\' | b']' | b'=' | b'|'))) => {
                    plain.push(*next);
                    bytes.next();
                }
                _ => plain.push(*byte),
            }
        }
        row.put(field, plain)
    })
}
