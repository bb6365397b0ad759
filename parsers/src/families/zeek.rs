//! Zeek logs: tab-separated with a header, or one JSON object a line; every log type.
//!
//! Columns are found by name, never by position: versions and local scripts add and drop them. A column whose name means
//! one thing in every log goes straight into its field; those that mean different things (`host`, `client`, `service`,
//! `result`) are noted and concluded once the log's type is known (`zeek/types.rs`), which JSON often does not say
//! and then shows by its members. A tab-separated file says both in its header, which may come again with others
//! columns and is remembered from line to line.

mod columns;
mod event;
mod types;

use schemas::{RejectKind, Row};

use self::columns::{COLUMNS, Column, Put};
use self::event::Event;
use self::types::LogType;
use crate::detect::Keys;
use crate::lex::buffer::with_buffer;
use crate::lex::json::{self, Extent, JsonTrail, Kind, Scalar, Text};
use crate::lex::text::{decimal, hexadecimal, trim};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, Shape};

pub(super) struct Family;

/// Most columns of a header; the widest of Zeek's own logs has 41.
const COLUMNS_MAX: usize = 256;

/// A value as the log writes it; empty if there is none.
#[derive(Clone, Copy)]
struct Cell<'a> {
    raw: &'a [u8],
    coding: Coding,
}

/// What stands for bytes that would break the line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    Plain,
    Json,
    /// `\xHH`
    Tsv,
}

impl<'a> Cell<'a> {
    const ABSENT: Cell<'static> = Cell { raw: b"", coding: Coding::Plain };

    #[inline(always)]
    fn json(value: Scalar<'a>) -> Cell<'a> {
        let coding = if value.kind == Kind::Escaped { Coding::Json } else { Coding::Plain };
        Cell { raw: value.raw, coding }
    }

    fn tsv(raw: &'a [u8]) -> Cell<'a> {
        let coding = if memchr::memchr(b'\\', raw).is_some() { Coding::Tsv } else { Coding::Plain };
        Cell { raw, coding }
    }

    /// The bytes as they stand in the line, escapes not resolved.
    #[inline(always)]
    fn raw(self) -> &'a [u8] {
        self.raw
    }

    /// Hands the text with its escapes resolved to `use_it`.
    #[inline(always)]
    fn with<R>(self, use_it: impl FnOnce(&[u8]) -> R) -> R {
        match self.coding {
            Coding::Plain => use_it(self.raw),
            Coding::Json => Text { raw: self.raw, escaped: true }.with(use_it),
            Coding::Tsv => with_buffer(|out| {
                unescape(self.raw, out);
                use_it(out)
            }),
        }
    }

    fn flag(self) -> Option<bool> {
        match self.raw() {
            b"T" | b"true" => Some(true),
            b"F" | b"false" => Some(false),
            _ => None,
        }
    }
}

/// Resolves `\xHH` and `\\`, which Zeek writes for bytes that would break the line.
#[cold]
fn unescape(text: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while at < text.len() {
        match &text[at..] {
            [b'\\', b'x', high, low, ..] => match hexadecimal(&[*high, *low]) {
                Some(byte) => {
                    out.push(byte as u8);
                    at += 4;
                }
                None => {
                    out.push(b'\\');
                    at += 1;
                }
            },
            [b'\\', b'\\', ..] => {
                out.push(b'\\');
                at += 2;
            }
            [byte, ..] => {
                out.push(*byte);
                at += 1;
            }
            [] => break,
        }
    }
}

fn first_unescaped(text: &[u8]) -> Option<u8> {
    Cell::tsv(text).with(|text| text.first().copied())
}

/// What a tab-separated file has said of itself.
struct Header {
    separator: u8,
    set_separator: u8,
    unset: Vec<u8>,
    empty: Vec<u8>,
    path: Vec<u8>,
    columns: Vec<(Column, Vec<u8>)>,
    log_type: Option<&'static LogType>,
}

impl Default for Header {
    fn default() -> Header {
        Header {
            separator: b'\t',
            set_separator: b',',
            unset: b"-".to_vec(),
            empty: b"(empty)".to_vec(),
            path: Vec::new(),
            columns: Vec::new(),
            log_type: None,
        }
    }
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "zeek"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["zeek_json", "zeek_tsv", "bro"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Both
    }

    fn sees_sequences(&self) -> bool {
        true
    }

    fn detect(&self, record: &Record<'_>, memory: &Memory) -> Option<Confidence> {
        match record.shape {
            Shape::Object => detect_object(record.keys),
            Shape::Text => detect_line(record.line, memory),
        }
    }

    fn remembers(&self) -> Option<fn(&[u8]) -> bool> {
        Some(|line| line.first() == Some(&b'#') || is_bare_header(line))
    }

    fn parse(&self, record: &Record<'_>, memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        match record.shape {
            Shape::Object => parse_object(record, memory, row),
            Shape::Text => parse_line(record, memory, row),
        }
    }
}

fn detect_object(keys: Keys) -> Option<Confidence> {
    if keys.has_any(Keys::ZEEK_PATH.and(Keys::ZEEK_ORIG)) || keys.has(Keys::UID.and(Keys::CONN_STATE)) {
        return Some(Confidence::Certain);
    }
    if keys.has(Keys::TS.and(Keys::UID)) {
        return Some(Confidence::Likely);
    }
    keys.has(Keys::TS).then_some(Confidence::Possible)
}

fn detect_line(line: &[u8], memory: &Memory) -> Option<Confidence> {
    if let Some(header) = memory.peek::<Header>()
        && !header.columns.is_empty()
        && memchr::memchr_iter(header.separator, line).count() + 1 == header.columns.len()
    {
        return Some(Confidence::Certain);
    }
    let header = line.starts_with(b"#separator ") || is_header_line(line) || is_bare_header(line);
    if header || headerless_log(line).is_some() { Some(Confidence::Certain) } else { None }
}

const HEADERS: &[&[u8]] = &[
    b"#separator",
    b"#set_separator",
    b"#empty_field",
    b"#unset_field",
    b"#path",
    b"#open",
    b"#close",
    b"#fields",
    b"#types",
];

/// `#fields`, `#path` and their like, whatever the separator after them.
fn is_header_line(line: &[u8]) -> bool {
    HEADERS.iter().any(|word| {
        line.strip_prefix(*word)
            .is_some_and(|rest| rest.first().is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'_'))
    })
}

/// The line of names that Zeek writes with `include_meta=F`.
fn is_bare_header(line: &[u8]) -> bool {
    line.starts_with(b"ts\t") && line.split(|byte| *byte == b'\t').all(|name| COLUMNS.get(name).is_some())
}

/// The default columns of the logs that are read without their header, behind those that all of them begin with. Marks in their
/// places tell them apart: two addresses with ports, and a state, a class, a method, a version that can be nothing else.
const HEADERLESS: &[(&str, &str)] = &[
    (
        "conn",
        "proto service duration orig_bytes resp_bytes conn_state local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents ip_proto",
    ),
    (
        "dns",
        "proto trans_id rtt query qclass qclass_name qtype qtype_name rcode rcode_name AA TC RD RA Z answers TTLs rejected opcode opcode_name",
    ),
    (
        "http",
        "trans_depth method host uri referrer version user_agent origin request_body_len response_body_len status_code status_msg info_code info_msg tags username password proxied orig_fuids orig_filenames orig_mime_types resp_fuids resp_filenames resp_mime_types",
    ),
    (
        "ssh",
        "version auth_success auth_attempts direction client server cipher_alg mac_alg compression_alg kex_alg host_key_alg host_key",
    ),
    (
        "kerberos",
        "request_type client service success error_msg from till cipher forwardable renewable client_cert_subject client_cert_fuid server_cert_subject server_cert_fuid",
    ),
];

const BEGIN: &str = "ts uid id.orig_h id.orig_p id.resp_h id.resp_p";

/// Which log a line without any header is of.
#[inline]
fn headerless_log(line: &[u8]) -> Option<&'static (&'static str, &'static str)> {
    // seconds, a point, and a tab: the rest is looked at only then
    let tab = line.iter().take(24).position(|byte| *byte == b'\t')?;
    if !line.first()?.is_ascii_digit() || !line[..tab].contains(&b'.') {
        return None;
    }
    let mut cells = [&b""[..]; 18];
    let mut count = 0;
    for cell in line.split(|byte| *byte == b'\t') {
        if let Some(slot) = cells.get_mut(count) {
            *slot = cell;
        }
        count += 1;
    }
    let is_ip = |at: usize| schemas::Ip::parse(cells[at]).is_some();
    let is_number = |at: usize| decimal(cells[at]).is_some();
    if !is_ip(2) || !is_number(3) || !is_ip(4) || !is_number(5) {
        return None;
    }
    let is_flag = |at: usize| matches!(cells[at], b"T" | b"F" | b"-");
    let name = match () {
        _ if (20..=22).contains(&count) && types::STATES.iter().any(|(name, _, _)| name.as_bytes() == cells[11]) => {
            "conn"
        }
        _ if (22..=26).contains(&count) && cells[11].starts_with(b"C_") && is_number(10) => "dns",
        _ if count == 30 && is_number(6) && cells[7].len() > 2 && cells[7].iter().all(u8::is_ascii_uppercase) => "http",
        _ if count == 18 && matches!(cells[6], b"1" | b"2") && is_flag(7) && is_number(8) => "ssh",
        _ if count == 20 && matches!(cells[6], b"AS" | b"TGS" | b"AP") && is_flag(9) => "kerberos",
        _ => return None,
    };
    HEADERLESS.iter().find(|(known, _)| *known == name)
}

fn parse_object(record: &Record<'_>, memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
    let mut event = Event::new();
    let trail: &mut JsonTrail<Option<&'static Column>> = memory.trail();
    let extent = json::walk_by(
        record.body,
        trail,
        |path| COLUMNS.find(path),
        |path, column, value| match column {
            Some(column) => event.take(record, column, Cell::json(value), row),
            None => {
                value.with(|text| row.extra(path.bytes(), text));
                Ok(())
            }
        },
    )?;
    if extent == Extent::Truncated {
        return Err(Refusal { at: record.body.len(), kind: RejectKind::Unclosed { what: "the JSON object" } });
    }
    let log_type = event.log_type();
    event.conclude(record, log_type, row)?;
    Ok(Parsed::Events)
}

fn parse_line(record: &Record<'_>, memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
    let header: &mut Header = memory.of();
    let line = record.line;
    if line.first() == Some(&b'#') {
        return match read_header(header, line) {
            true => Ok(Parsed::Nothing),
            false => Err(record.not_this_family("a header line of Zeek, such as `#fields`")),
        };
    }
    if is_bare_header(line) {
        set_columns(header, &line.split(|byte| *byte == b'\t').collect::<Vec<_>>());
        return Ok(Parsed::Nothing);
    }
    if header.columns.is_empty() {
        let Some((path, columns)) = headerless_log(line) else {
            return Err(Refusal { at: 0, kind: RejectKind::Missing { what: "the `#fields` header before this line" } });
        };
        let names = BEGIN.split(' ').chain(columns.split(' ')).map(str::as_bytes);
        let names: Vec<&[u8]> = names.take(line.split(|byte| *byte == b'\t').count()).collect();
        return parse_cells(record, &headerless(path, &names), row);
    }
    parse_cells(record, header, row)
}

fn headerless(path: &str, names: &[&[u8]]) -> Header {
    let mut header = Header { path: path.as_bytes().to_vec(), ..Header::default() };
    set_columns(&mut header, names);
    header
}

fn parse_cells(record: &Record<'_>, header: &Header, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
    let mut event = Event::new();
    let mut cells = record.line.split(|byte| *byte == header.separator);
    for (column, name) in &header.columns {
        let Some(cell) = cells.next() else {
            let kind = RejectKind::Missing { what: "a column of the `#fields` header" };
            return Err(Refusal { at: record.line.len(), kind });
        };
        if cell.is_empty() || cell == header.unset || cell == header.empty {
            continue;
        }
        match column.put {
            Put::Other => Cell::tsv(cell).with(|text| row.extra(name, text)),
            Put::Answers => {
                cell.split(|byte| *byte == header.set_separator).for_each(|answer| event.answer(Cell::tsv(answer)))
            }
            Put::First(_) => {
                let first = cell.split(|byte| *byte == header.set_separator).next().unwrap_or(cell);
                event.take(record, column, Cell::tsv(first), row)?;
            }
            Put::Field(_) | Put::Note(_) | Put::FirstNote(_) | Put::Extra | Put::NotZero | Put::IfTrue | Put::Leave => {
                event.take(record, column, Cell::tsv(cell), row)?;
            }
        }
    }
    if let Some(more) = cells.next() {
        return Err(record
            .refuse(more, RejectKind::bad_value("number of columns", more, "as many as the `#fields` header names")));
    }
    let log_type = header.log_type.or_else(|| event.log_type());
    event.conclude(record, log_type, row)?;
    Ok(Parsed::Events)
}

/// Takes a `#` line in. Gives whether it is one of Zeek's.
fn read_header(header: &mut Header, line: &[u8]) -> bool {
    if let Some(separator) = line.strip_prefix(b"#separator") {
        // The first line of a file: nothing of an earlier one holds any more.
        *header = Header::default();
        header.separator = first_unescaped(trim(separator)).unwrap_or(b'\t');
        return true;
    }
    let mut words = line.split(|byte| *byte == header.separator);
    let word = words.next().unwrap_or_default();
    let first = words.clone().next().unwrap_or_default();
    match word {
        b"#set_separator" => header.set_separator = first_unescaped(first).unwrap_or(b','),
        b"#empty_field" => header.empty = first.to_vec(),
        b"#unset_field" => header.unset = first.to_vec(),
        b"#path" => {
            header.path = first.to_vec();
            header.log_type = types::by_path(first);
        }
        b"#fields" => {
            let names: Vec<&[u8]> = words.take(COLUMNS_MAX).collect();
            set_columns(header, &names);
        }
        b"#types" | b"#open" | b"#close" => {}
        _ => return false,
    }
    true
}

fn set_columns(header: &mut Header, names: &[&[u8]]) {
    header.columns = names.iter().map(|name| (COLUMNS.get(name).unwrap_or(columns::OTHER), name.to_vec())).collect();
    header.log_type = types::by_path(&header.path);
}
