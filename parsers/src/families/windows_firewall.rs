//! Windows Firewall's `pfirewall.log`, a W3C extended log.
//!
//! Columns are those of the last `#Fields:` line, which may come again with others; without one they are those that
//! Windows has written since Vista. Times are local and the zone is nowhere in the file. One line is one packet that was
//! dropped, or one conversation that was allowed (then its size is 0 and not counted); XP wrote `OPEN` and `CLOSE`.
//! A dropped packet shows that the port is filtered only if it could have opened something.
//! Source: Microsoft, "Interpreting the Windows Firewall Log".

use std::sync::LazyLock;

use memchr::memmem::Finder;
use schemas::{Action, Direction, EventKind, Field, Initiator, LogSource, PortState, RejectKind, Row, Transport, key};

use crate::lex::text::{contains, decimal, present};
use crate::transport::set_time;
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

static SOURCE: LogSource = LogSource {
    family: "windows_firewall",
    vendor: "Microsoft",
    product: "Windows Firewall",
    dataset: "windows_firewall.log",
    categories: &["firewall"],
    products: &["windows"],
    services: &["firewall", "pfirewall"],
};

/// What a column is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Date,
    Time,
    Action,
    Size,
    Path,
    Info,
    Flags,
    To(Field),
    Maybe(Field),
    Extra(&'static str),
    Other,
}

/// The columns that Windows writes, in its order since Vista; Windows 11 added the last.
const USUAL: [What; 18] = [
    What::Date,
    What::Time,
    What::Action,
    What::Maybe(Field::Transport),
    What::To(Field::SrcIp),
    What::To(Field::DstIp),
    What::To(Field::SrcPort),
    What::To(Field::DstPort),
    What::Size,
    What::Flags,
    What::Extra("tcpsyn"),
    What::Extra("tcpack"),
    What::Extra("tcpwin"),
    What::Maybe(Field::IcmpType),
    What::Maybe(Field::IcmpCode),
    What::Info,
    What::Path,
    What::Maybe(Field::ProcessId),
];

const NAMES: [&[u8]; 18] = [
    b"date",
    b"time",
    b"action",
    b"protocol",
    b"src-ip",
    b"dst-ip",
    b"src-port",
    b"dst-port",
    b"size",
    b"tcpflags",
    b"tcpsyn",
    b"tcpack",
    b"tcpwin",
    b"icmptype",
    b"icmpcode",
    b"info",
    b"path",
    b"pid",
];

/// Most columns of a `#Fields:` line.
const COLUMNS_MAX: usize = 64;

/// The columns of the file that is being read.
#[derive(Default)]
struct Columns(Vec<What>);

const ACTIONS: &[(&[u8], Option<Action>)] = &[
    (b"DROP", Some(Action::Drop)),
    (b"ALLOW", Some(Action::Allow)),
    (b"OPEN", Some(Action::Start)),
    (b"OPEN-INBOUND", Some(Action::Start)),
    (b"CLOSE", Some(Action::Close)),
    (b"INFO-EVENTS-LOST", None),
];

impl Parser for Family {
    fn name(&self) -> &'static str {
        "windows_firewall"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["pfirewall"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, memory: &Memory) -> Option<Confidence> {
        let text = text_of(record);
        if text.first() == Some(&b'#') {
            let own = text.starts_with(b"#Software: Microsoft Windows Firewall")
                || text.starts_with(b"#Fields:") && contains(text, b" action") && contains(text, b" src-ip")
                || text.starts_with(b"#Time Format: Local");
            if own {
                return Some(Confidence::Certain);
            }
            return text.starts_with(b"#Version: 1.5").then_some(Confidence::Likely);
        }
        if !is_dated(text) {
            return None;
        }
        let action = text[20..].split(|byte| *byte == b' ').next()?;
        let usual = ACTIONS.iter().any(|(word, _)| *word == action);
        // with other columns the action may stand elsewhere
        let other = memory.peek::<Columns>().is_some() && text.is_ascii();
        if usual { Some(Confidence::Certain) } else { other.then_some(Confidence::Possible) }
    }

    fn remembers(&self) -> Option<fn(&[u8]) -> bool> {
        // behind a relay's header, too
        static FIELDS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"#Fields:"));
        Some(|line| FIELDS.find(&line[..line.len().min(256)]).is_some())
    }

    fn parse(&self, record: &Record<'_>, memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let text = text_of(record);
        if text.first() == Some(&b'#') {
            if let Some(names) = text.strip_prefix(b"#Fields:") {
                let names = names.split(|byte| *byte == b' ').filter(|name| !name.is_empty()).take(COLUMNS_MAX);
                memory.of::<Columns>().0 = names.map(column).collect();
            } else if text[1..].iter().take(40).all(|byte| *byte != b':') {
                return Err(record.not_this_family("`#Name: …`, or the columns of pfirewall.log"));
            }
            return Ok(Parsed::Nothing);
        }
        if record.line.first() == text.first() && std::ptr::eq(record.line, text) {
            // the action was taken for a host
            record.forget_host(row);
        }
        let columns = memory.peek::<Columns>().map_or(&USUAL[..], |columns| &columns.0);
        line(record, text, columns, row)?;
        Ok(Parsed::Events)
    }
}

/// The line from its date on: the common reading takes that for a header.
#[inline]
fn text_of<'a>(record: &Record<'a>) -> &'a [u8] {
    if is_dated(record.line) || record.line.first() == Some(&b'#') { record.line } else { record.body }
}

/// `YYYY-MM-DD hh:mm:ss `.
#[inline]
fn is_dated(text: &[u8]) -> bool {
    matches!(text.get(..20), Some([_, _, _, _, b'-', _, _, b'-', _, _, b' ', _, _, b':', _, _, b':', _, _, b' ']))
        && text[0].is_ascii_digit()
}

fn column(name: &[u8]) -> What {
    match NAMES.iter().position(|known| known.eq_ignore_ascii_case(name)) {
        Some(at) => USUAL[at],
        None => What::Other,
    }
}

fn line(record: &Record<'_>, text: &[u8], columns: &[What], row: &mut Row<'_>) -> Result<(), Refusal> {
    let (mut date, mut clock, mut action, mut path, mut info) = (&b""[..], &b""[..], &b""[..], &b""[..], &b""[..]);
    let mut size = None;
    let mut count = 0;
    for (at, word) in text.split(|byte| *byte == b' ').enumerate() {
        if word.is_empty() && at >= columns.len() {
            break;
        }
        count = at + 1;
        let Some(value) = present(word) else { continue };
        match columns.get(at) {
            Some(What::Date) => date = value,
            Some(What::Time) => clock = value,
            Some(What::Action) => action = value,
            Some(What::Size) => size = decimal(value),
            Some(What::Path) => path = value,
            Some(What::Info) => info = value,
            Some(What::Flags) => {
                if value != b"0" {
                    row.text(key::TCP_FLAGS, value);
                }
            }
            Some(What::To(field)) => row.put(*field, value).map_err(|kind| record.refuse(value, kind))?,
            Some(What::Maybe(field)) => {
                if row.put(*field, value).is_err() {
                    row.extra_fixed(field.name(), value);
                }
            }
            Some(What::Extra(name)) if value != b"0" => row.extra_fixed(name, value),
            Some(What::Extra(_)) => {}
            Some(What::Other) | None => row.extra_fixed("more", value),
        }
    }
    let known = ACTIONS.iter().find(|(word, _)| *word == action);
    let Some((_, verdict)) = known else {
        return Err(record.not_this_family("`date time ALLOW|DROP|OPEN|CLOSE …`"));
    };
    // the last two columns are newer than the rest
    if count + 2 < columns.len() {
        return Err(record.refuse(&text[text.len()..], RejectKind::Missing { what: "columns of the `#Fields:` line" }));
    }
    let mut stamp = [b' '; 32];
    let total = date.len() + 1 + clock.len();
    let us = (total <= stamp.len()).then(|| {
        stamp[..date.len()].copy_from_slice(date);
        stamp[date.len() + 1..total].copy_from_slice(clock);
        record.time.iso(&stamp[..total])
    });
    let Some(us) = us.flatten() else {
        return Err(record.refuse(date, RejectKind::bad_value("date and time", date, "YYYY-MM-DD hh:mm:ss")));
    };
    set_time(row, us);
    row.log_source(&SOURCE);
    row.text(key::EVENT_ACTION, action);
    let Some(verdict) = *verdict else {
        // a mark that events were lost; how many
        row.set(key::KIND, EventKind::Other);
        row.extra_fixed("events_lost", info);
        return Ok(());
    };
    row.extra_fixed("info", info);
    row.set(key::KIND, EventKind::Flow);
    row.set(key::ACTION, verdict);
    if let Some(size) = size.filter(|size| *size > 0) {
        row.set(key::BYTES_OUT, size);
        row.set(key::PACKETS_OUT, 1);
    }
    row.extra_fixed("path", path);
    let direction = match (path, action) {
        (b"SEND", _) => Some(Direction::Outbound),
        (b"RECEIVE", _) | (_, b"OPEN-INBOUND") => Some(Direction::Inbound),
        _ => None,
    };
    row.set_opt(key::DIRECTION, direction);
    let opens = match row.get(key::TRANSPORT) {
        Some(Transport::UDP) => true,
        Some(Transport::TCP) => {
            let flags = row.get_text(key::TCP_FLAGS).unwrap_or_default();
            flags.contains(&b'S') && !flags.contains(&b'A')
        }
        _ => false,
    };
    match verdict {
        Action::Allow | Action::Start => row.set(key::INITIATOR, Initiator::Source),
        Action::Drop if opens && row.has(Field::TcpFlags) => row.set(key::INITIATOR, Initiator::Source),
        _ => {}
    }
    if verdict == Action::Drop && opens && path == b"RECEIVE" {
        row.set(key::PORT_STATE, PortState::Filtered);
    }
    Ok(())
}
