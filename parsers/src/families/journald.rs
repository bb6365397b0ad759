//! The systemd journal as JSON: entries whose text no other family knows.
//!
//! An entry is an envelope. Its `MESSAGE` is a program's line, and the family of that program reads it, with time, host and program
//! of the entry; this family takes what remains, so that a service's messages are not lost, and entries without a text. A
//! field that occurs several times is an array, as is one that is no UTF-8 (numbers of its bytes).
//!
//! The unit of a socket-activated connection carries both ends in its name. Source: systemd, `systemd.journal-fields(7)`,
//! "Journal JSON format", `src/core/socket.c`.

use schemas::{EventKind, Field, Ip, LogSource, PortState, RejectKind, Row, Transport, key};

use crate::detect::Keys;
use crate::lex::json::{self, Extent, Value};
use crate::lex::keys::KeyMap;
use crate::lex::text::{Scratch, decimal, rsplit_once, split_once};
use crate::lex::time;
use crate::logins::{end, set_destination_end};
use crate::transport::bytes_of;
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, set_time};

/// The family.
pub struct Family;

static SOURCE: LogSource = LogSource {
    family: "journald",
    vendor: "systemd",
    product: "journald",
    dataset: "journald",
    categories: &[],
    products: &["linux"],
    services: &["journald", "syslog"],
};

#[derive(Clone, Copy)]
enum Put {
    Text(Field),
    Happened,
    Written,
    Program,
    Process,
    Priority,
    Unit,
    Message,
    Extra(&'static str),
    Leave,
}

#[rustfmt::skip]
static FIELDS: KeyMap<Put, 128> = KeyMap::new(&[
    ("_HOSTNAME", Put::Text(Field::Host)), ("_EXE", Put::Text(Field::ProcessPath)), ("_CMDLINE", Put::Text(Field::ProcessCommand)),
    ("_PID", Put::Process), ("SYSLOG_PID", Put::Process), ("_UID", Put::Text(Field::UserId)), ("MESSAGE_ID", Put::Text(Field::EventCode)),
    ("SESSION_ID", Put::Text(Field::SessionId)), ("_SOURCE_REALTIME_TIMESTAMP", Put::Happened), ("__REALTIME_TIMESTAMP", Put::Written),
    ("SYSLOG_IDENTIFIER", Put::Program), ("_COMM", Put::Program), ("PRIORITY", Put::Priority), ("_SYSTEMD_UNIT", Put::Unit), ("MESSAGE", Put::Message),
    ("USER_ID", Put::Text(Field::User)), ("_TRANSPORT", Put::Extra("transport")), ("SYSLOG_FACILITY", Put::Extra("facility")), ("UNIT", Put::Extra("about_unit")),
    ("_SYSTEMD_USER_UNIT", Put::Extra("user_unit")), ("LEADER", Put::Extra("leader")), ("_AUDIT_LOGINUID", Put::Extra("auid")), ("_AUDIT_SESSION", Put::Extra("audit_session")),
    ("CONTAINER_NAME", Put::Extra("container_name")), ("CONTAINER_ID", Put::Extra("container_id")), ("IMAGE_NAME", Put::Extra("image_name")),
    ("__CURSOR", Put::Leave), ("__MONOTONIC_TIMESTAMP", Put::Leave), ("_BOOT_ID", Put::Leave), ("_MACHINE_ID", Put::Leave), ("_GID", Put::Leave),
    ("_CAP_EFFECTIVE", Put::Leave), ("_SELINUX_CONTEXT", Put::Leave), ("_SYSTEMD_CGROUP", Put::Leave), ("_SYSTEMD_SLICE", Put::Leave),
    ("_SYSTEMD_INVOCATION_ID", Put::Leave), ("_STREAM_ID", Put::Leave), ("_SOURCE_MONOTONIC_TIMESTAMP", Put::Leave), ("_RUNTIME_SCOPE", Put::Leave),
    ("SYSLOG_TIMESTAMP", Put::Leave), ("_SYSTEMD_OWNER_UID", Put::Leave), ("_SYSTEMD_SESSION", Put::Leave), ("_SYSTEMD_USER_SLICE", Put::Leave),
    ("CODE_FILE", Put::Leave), ("CODE_LINE", Put::Leave), ("CODE_FUNC", Put::Leave), ("TID", Put::Leave), ("INVOCATION_ID", Put::Leave),
    ("__SEQNUM", Put::Leave), ("__SEQNUM_ID", Put::Leave), ("JOB_ID", Put::Extra("job_id")), ("JOB_TYPE", Put::Extra("job_type")), ("JOB_RESULT", Put::Extra("job_result")),
]);

impl Parser for Family {
    fn name(&self) -> &'static str {
        "journald"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["journal", "systemd_journal"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Objects
    }

    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        // least of all: whoever knows the text inside is to have it
        record.keys.has_any(Keys::JOURNAL_TIME.and(Keys::JOURNAL_CURSOR)).then_some(Confidence::Possible)
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut members = json::members(record.body)?;
        let (mut written, mut happened) = (None, None);
        for member in members.by_ref() {
            let member = member?;
            // of a field that occurs several times the first counts
            let value = match (member.key, member.value) {
                (key, Value::Array(array)) if key != b"MESSAGE" => {
                    json::elements(array)?.next().transpose()?.unwrap_or(Value::Null)
                }
                (_, value) => value,
            };
            match FIELDS.get(member.key) {
                Some(Put::Written) => written = time::epoch(value.scalar()),
                Some(Put::Happened) => happened = time::epoch(value.scalar()),
                Some(put) => self::put(put, value, row),
                None => value.with(|text| row.extra(member.key, text)),
            }
        }
        if members.extent() == Extent::Truncated {
            return Err(Refusal { at: record.body.len(), kind: RejectKind::Unclosed { what: "the JSON object" } });
        }
        let Some(us) = happened.or(written) else {
            return Err(record.not_this_family("`__REALTIME_TIMESTAMP` of an entry of the journal"));
        };
        set_time(row, us);
        row.log_source(&SOURCE);
        row.set(key::KIND, EventKind::Other);
        Ok(Parsed::Events)
    }
}

fn put(put: Put, value: Value<'_>, row: &mut Row<'_>) {
    match put {
        Put::Text(field) => {
            value.with(|text| {
                // these are all texts, which take anything
                let _ = row.put(field, text);
            });
        }
        Put::Program if !row.has(Field::ProcessName) => value.with(|name| row.text(key::PROCESS_NAME, name)),
        Put::Process if !row.has(Field::ProcessId) => row.set_opt(key::PROCESS_ID, decimal(value.scalar())),
        Put::Priority => {
            if let Some(severity) = decimal(value.scalar()) {
                row.set(key::SEVERITY, severity);
            }
        }
        Put::Unit => value.with(|unit| {
            row.extra_fixed("unit", unit);
            ends(unit, row);
        }),
        Put::Message => match value {
            Value::Array(array) => {
                let mut bytes = Scratch::default();
                if bytes_of(array, |byte| bytes.push(byte)).is_some() {
                    row.text(key::MESSAGE, bytes.bytes());
                } else if let Some(Ok(first)) = json::elements(array).ok().and_then(|mut list| list.next()) {
                    first.with(|text| row.text(key::MESSAGE, text));
                }
            }
            value => value.with(|text| row.text(key::MESSAGE, text)),
        },
        Put::Extra(name) => value.with(|text| row.extra_fixed(name, text)),
        Put::Program | Put::Process | Put::Happened | Put::Written | Put::Leave => {}
    }
}

/// `ssh@12-198.51.100.20:22-192.0.2.10:4711.service`: number, own end, other end.
fn ends(unit: &[u8], row: &mut Row<'_>) {
    let Some((_, instance)) = split_once(unit, b'@') else { return };
    let Some(instance) = instance.strip_suffix(b".service") else { return };
    let Some((_, ends)) = split_once(instance, b'-') else { return };
    let Some((own, peer)) = rsplit_once(ends, b'-') else { return };
    let (address, number) = end(peer);
    if let (Some(ip), Some(number)) = (Ip::parse(address), number) {
        row.set(key::SRC_IP, ip);
        row.set(key::SRC_PORT, number);
        set_destination_end(row, own);
        row.set(key::TRANSPORT, Transport::TCP);
        row.set(key::PORT_STATE, PortState::Open);
    }
}
