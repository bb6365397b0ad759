//! The Linux audit log: records as auditd writes them, enriched or interpreted by its tools, through syslog, and Laurel's JSON.
//!
//! ```text
//! [node=HOST ]type=USER_LOGIN msg=audit(EPOCH.MS:SERIAL): pid=1 … msg='op=login acct="root" … res=failed'␝UID="root" …
//! audit: type=1112 audit(EPOCH.MS:SERIAL): …          kernel and journal, with the type's number or name
//! {"ID":"EPOCH.MS:SERIAL","SYSCALL":{…},"SOCKADDR":{…}}   Laurel: the records of one event in one object
//! ```
//! A record stands alone. Those of one event share a serial (extra `serial`), so a `SOCKADDR` does not know which call it
//! belongs to, and which end its address is: it goes to extras. Only Laurel joins them. One attempt at sshd makes several
//! records; `USER_LOGIN` is the one that counts where the program writes it, else `USER_AUTH`.
//!
//! Values without quotes that should have them are written in hexadecimal, because what they hold was chosen by the
//! attacker. Source: linux-audit, `lib/libaudit.h`, `auparse/interpret.c`; threathunters-io/laurel.

mod calls;
mod laurel;
mod sockaddr;
mod types;
mod value;

use schemas::{Action, EventKind, Ip, LogSource, Outcome, PortState, RejectKind, Row, Transport, key};

use self::types::Type;
use self::value::{Coding, Note, Notes, Value};
use crate::lex::text::{Cursor, contains, decimal, port, rsplit_once, split_once};
use crate::lex::{kv, time};
use crate::logins::{attempt, beside, set_service, set_source};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, Shape, set_time};

/// The family.
pub struct Family;

const fn source(categories: &'static [&'static str]) -> LogSource {
    LogSource {
        family: "auditd",
        vendor: "Linux",
        product: "auditd",
        dataset: "auditd.log",
        categories,
        products: &["linux"],
        services: &["auditd"],
    }
}

static LOGIN: LogSource = source(&["authentication"]);
static CONNECTION: LogSource = source(&["network_connection"]);
static PROCESS: LogSource = source(&["process_creation"]);
static REST: LogSource = source(&[]);

impl Parser for Family {
    fn name(&self) -> &'static str {
        "auditd"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["audit", "laurel", "auditd_manager"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Both
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        let body = record.body;
        match record.shape {
            Shape::Object => laurel::is_event(body).then_some(Confidence::Certain),
            Shape::Text => match body.first()? {
                b't' if body.starts_with(b"type=") => marked(body),
                b'n' if body.starts_with(b"node=") => marked(body),
                b'a' if body.starts_with(b"audit: type=") => marked(body),
                b'[' if record.header.app == b"kernel" => marked(body),
                b'A'..=b'Z' if record.header.app == b"audit" => Some(Confidence::Likely),
                _ => None,
            },
        }
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        if record.shape == Shape::Object {
            return laurel::event(record, row);
        }
        let head = head(record)?;
        if !head.node.is_empty() {
            row.text(key::HOST, head.node);
        }
        if let Some(us) = head.time_us {
            set_time(row, us);
        }
        row.extra_fixed("serial", head.serial);
        let mut notes = Notes::default();
        let (raw, enriched) = split_once(head.fields, 0x1d).unwrap_or((head.fields, b""));
        let coding = if head.interpreted { Coding::Plain } else { Coding::Hex };
        read(raw, coding, head.kind, &mut notes, row);
        for pair in kv::pairs(enriched) {
            take(pair.key, Value { raw: pair.value, coding: Coding::Plain }, head.kind, &mut notes, row);
        }
        row.text(key::MESSAGE, raw);
        conclude(head.kind, &notes, row);
        Ok(Parsed::Events)
    }
}

/// The stamp is near the beginning, whatever stands before it. Where it was lost, `msg=` still follows the type.
fn marked(body: &[u8]) -> Option<Confidence> {
    if contains(&body[..body.len().min(300)], b"audit(") {
        return Some(Confidence::Certain);
    }
    let cut = body.starts_with(b"type=") && contains(&body[..body.len().min(40)], b" msg=");
    cut.then_some(Confidence::Possible)
}

/// What stands before a record's own fields.
struct Head<'a> {
    node: &'a [u8],
    kind: Type<'a>,
    time_us: Option<i64>,
    serial: &'a [u8],
    /// Whether a tool has decoded the values already.
    interpreted: bool,
    fields: &'a [u8],
}

fn head<'a>(record: &Record<'a>) -> Result<Head<'a>, Refusal> {
    let body = record.body;
    let strange = || record.not_this_family("`type=NAME msg=audit(TIME:SERIAL): `");
    let mut cursor = Cursor::new(body);
    cursor.skip_blanks();
    // the kernel's uptime
    if cursor.rest().starts_with(b"[") {
        cursor.until(b']').ok_or_else(strange)?;
        cursor.skip_blanks();
    }
    cursor.take_if(b"audit: ");
    let mut node: &[u8] = b"";
    if cursor.take_if(b"node=") {
        node = cursor.word();
    }
    if !cursor.take_if(b"type=") {
        // `audit[1]: USER_LOGIN pid=1 …`, as journald forwards it: the stamp is the header's
        let name = cursor.word();
        if record.header.app != b"audit" || !types::is_name(name) {
            return Err(strange());
        }
        return Ok(Head {
            node,
            kind: Type::of(name),
            time_us: None,
            serial: b"",
            interpreted: false,
            fields: cursor.rest(),
        });
    }
    let name = cursor.word();
    if name.is_empty() {
        return Err(strange());
    }
    let kind = Type::of(name);
    let with_msg = cursor.take_if(b"msg=");
    let at = cursor.at();
    if !cursor.take_if(b"audit(") {
        // the beginning of a record whose rest was lost
        let cut = with_msg && !contains(cursor.rest(), b"=");
        return if cut {
            Ok(Head { node, kind, time_us: None, serial: b"", interpreted: false, fields: b"" })
        } else {
            Err(Refusal { at, kind: RejectKind::Missing { what: "`audit(TIME:SERIAL)`" } })
        };
    }
    let inside = cursor.until(b')').ok_or(Refusal { at, kind: RejectKind::Unclosed { what: "`audit(`" } })?;
    let bad = || Refusal { at: at + 6, kind: RejectKind::bad_value("audit", inside, "seconds.milliseconds:serial") };
    let (stamp, serial) = rsplit_once(inside, b':').ok_or_else(bad)?;
    let time_us = Some(instant(record, stamp).ok_or_else(bad)?);
    cursor.skip_blanks();
    cursor.take_if(b":");
    let interpreted = stamp.contains(&b'/');
    Ok(Head { node, kind, time_us, serial, interpreted, fields: cursor.finish().trim_ascii() })
}

/// `1777885951.004`, or `05/04/2026 09:12:31.004` as `ausearch -i` writes it, in local time; the year may have two digits.
fn instant(record: &Record<'_>, stamp: &[u8]) -> Option<i64> {
    if !stamp.contains(&b'/') {
        return time::epoch(stamp);
    }
    if let [month_and_day @ .., b' ', _, _, b':', _, _, b':', _, _, b'.', _, _, _] = stamp
        && month_and_day.len() == 8
    {
        let mut whole = [0u8; 23];
        whole[..6].copy_from_slice(&stamp[..6]);
        whole[6..8].copy_from_slice(b"20");
        whole[8..].copy_from_slice(&stamp[6..]);
        return record.time.resolve(&time::us_date(&whole)?);
    }
    record.time.resolve(&time::us_date(stamp)?)
}

/// A record's pairs, and those inside `msg='…'`.
fn read<'a>(text: &'a [u8], bare: Coding, kind: Type<'a>, notes: &mut Notes<'a>, row: &mut Row<'_>) {
    let mut operation: Option<(usize, usize)> = None;
    for pair in kv::pairs(text) {
        match pair.key {
            b"msg" if pair.quoted => read(pair.value, bare, kind, notes, row),
            b"" => {
                // `op=adding group to /etc/group`: the words behind it are its own
                if let Some((from, to)) = operation
                    && text.get(to) == Some(&b' ')
                    && pair.offset == to + 1
                {
                    operation = Some((from, pair.offset + pair.value.len()));
                }
            }
            b"op" => {
                let from = pair.value_offset();
                operation = Some((from, from + pair.value.len()));
            }
            key => {
                let coding = if pair.quoted { Coding::Plain } else { bare };
                // `(hostname=?, addr=192.0.2.10, terminal=ssh res=failed)`, as old versions write it
                let (key, value) = match key.strip_prefix(b"(").unwrap_or(key) {
                    key @ (b"hostname" | b"addr" | b"terminal") => {
                        (key, pair.value.strip_suffix(b",").unwrap_or(pair.value))
                    }
                    key @ (b"res" | b"result") => (key, pair.value.strip_suffix(b")").unwrap_or(pair.value)),
                    _ => (key, pair.value),
                };
                take(key, Value { raw: value, coding }, kind, notes, row);
            }
        }
    }
    if let Some(text) = operation.and_then(|(from, to)| text.get(from..to)) {
        notes.set(Note::Op, Value { raw: text, coding: Coding::Plain });
    }
}

/// Where a field goes.
fn take<'a>(name: &[u8], value: Value<'a>, kind: Type<'_>, notes: &mut Notes<'a>, row: &mut Row<'_>) {
    if matches!(value.raw, b"" | b"?" | b"(null)" | b"(none)" | b"{" | b"}") {
        return;
    }
    match value::KEYS.get(name) {
        // of a change of the login id the second value is the new one
        Some(value::Put::Note(note)) => {
            if !notes.has(note) || kind.name == b"LOGIN" {
                notes.set(note, value);
            }
        }
        Some(value::Put::Text) => value.with(|text| row.extra(name, text)),
        Some(value::Put::Leave) => {}
        None if kind.name == b"EXECVE" && matches!(name, [b'a', b'0'..=b'9', ..]) => notes.argument(value),
        None => row.extra(name, value.raw),
    }
}

/// Writes the row, once every field is known.
fn conclude(kind: Type<'_>, notes: &Notes<'_>, row: &mut Row<'_>) {
    row.text(key::EVENT_ACTION, kind.name);
    let outcome = match notes.raw(Note::Result) {
        b"success" | b"1" | b"yes" => Some(Outcome::Success),
        b"failed" | b"0" | b"no" | b"fail" => Some(Outcome::Failure),
        _ => None,
    };
    let program = notes.raw(Note::Exe).rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let ssh = program.starts_with(b"sshd");
    match kind.name {
        b"USER_LOGIN" => attempt(row, &LOGIN, outcome.unwrap_or(Outcome::Unknown)),
        // these write a USER_LOGIN of their own
        b"USER_AUTH" if !ssh && program != b"login" => attempt(row, &LOGIN, outcome.unwrap_or(Outcome::Unknown)),
        b"USER_CMD" | b"EXECVE" => {
            beside(row, &PROCESS, outcome);
            row.set(key::KIND, EventKind::Process);
        }
        b"NETFILTER_PKT" => packet(notes, row),
        _ => beside(row, &REST, outcome),
    }
    match kind.name {
        b"USER_START" | b"SERVICE_START" | b"DAEMON_START" | b"SYSTEM_BOOT" => row.set(key::ACTION, Action::Start),
        b"USER_END" | b"USER_LOGOUT" | b"SERVICE_STOP" | b"DAEMON_END" | b"SYSTEM_SHUTDOWN" => {
            row.set(key::ACTION, Action::End)
        }
        b"RESP_ACCT_LOCK" | b"RESP_ACCT_LOCK_TIMED" | b"ACCT_LOCK" => row.fixed(key::REASON, "account locked"),
        b"ANOM_LOGIN_FAILURES" => row.fixed(key::REASON, "too many failed logins"),
        _ => {}
    }
    who(kind, notes, row);
    ends(ssh, notes, row);
    process(kind, notes, row);
    calls::call(notes, row);
    for (note, name) in [
        (Note::Op, "op"),
        (Note::Auid, "auid"),
        (Note::Uid, "uid"),
        (Note::Terminal, "terminal"),
        (Note::Syscall, "syscall"),
        (Note::Exit, "exit"),
        (Note::Arch, "arch"),
    ] {
        row.extra_fixed(name, notes.raw(note));
    }
    notes.get(Note::Proctitle).with(|text| row.extra_fixed("proctitle", text));
    if kind.name == b"SOCKADDR" || kind.name == b"CKADDR" {
        sockaddr::extras(notes.raw(Note::Saddr), notes, row);
    }
}

/// Accounts. `acct` is whom it is about; where only a number is known its name may stand in the enriched part.
fn who(kind: Type<'_>, notes: &Notes<'_>, row: &mut Row<'_>) {
    let session = notes.raw(Note::Session);
    if !is_unset(session) {
        row.text(key::SESSION_ID, session);
    }
    if kind.name == b"LOGIN" {
        row.text(key::USER, notes.raw(Note::AuidName));
        row.text(key::USER_ID, notes.raw(Note::Auid));
        return;
    }
    let account = notes.get(Note::Acct).or(notes.get(Note::User)).or(notes.get(Note::IdName));
    account.with(|name| match name {
        b"(unknown)" | b"(unknown user)" | b"(invalid user)" => row.fixed(key::REASON, "unknown user"),
        name => row.text(key::USER, name),
    });
    let actor = notes.raw(Note::AuidName);
    let actor = if is_unset(actor) { b"" } else { actor };
    if account.raw.is_empty() {
        row.text(key::USER, notes.raw(Note::UidName));
    }
    row.text(key::USER_ID, notes.raw(Note::Id));
    if !actor.is_empty() && row.get_text(key::USER) != Some(actor) {
        row.text(key::SRC_USER, actor);
    }
}

/// The number of no account and no session, and what tools write for it.
fn is_unset(text: &[u8]) -> bool {
    matches!(text, b"4294967295" | b"unset" | b"-1")
}

/// `addr` is the remote end, `laddr` the own one. Without an address `hostname` is the host itself.
fn ends(ssh: bool, notes: &Notes<'_>, row: &mut Row<'_>) {
    let address = notes.raw(Note::Address);
    if !address.is_empty() {
        set_source(row, address);
    }
    let name = notes.raw(Note::HostName);
    if !name.is_empty() && !address.is_empty() && name != address && Ip::parse(name).is_none() {
        row.text(key::SRC_HOST, name);
    }
    for (note, field) in [(Note::Src, key::SRC_IP), (Note::Dst, key::DST_IP)] {
        row.set_opt(field, Ip::parse(notes.raw(note)));
    }
    if !notes.has(Note::Saddr) && notes.has(Note::RemotePort) {
        row.set_opt(key::DST_IP, Ip::parse(notes.raw(Note::LocalAddress)));
        row.set_opt(key::DST_PORT, port(notes.raw(Note::LocalPort)));
        row.set_opt(key::SRC_PORT, port(notes.raw(Note::RemotePort)));
    }
    if ssh && !address.is_empty() {
        set_service(row, "ssh");
        row.set(key::PORT_STATE, PortState::Open);
    }
}

fn process(kind: Type<'_>, notes: &Notes<'_>, row: &mut Row<'_>) {
    row.set_opt(key::PROCESS_ID, decimal(notes.raw(Note::Pid)));
    row.extra_fixed("ppid", notes.raw(Note::ParentPid));
    notes.get(Note::Exe).with(|path| {
        row.text(key::PROCESS_PATH, path);
        if !notes.has(Note::Comm) {
            row.text(key::PROCESS_NAME, path.rsplit(|byte| *byte == b'/').next().unwrap_or(path));
        }
    });
    notes.get(Note::Comm).with(|name| row.text(key::PROCESS_NAME, name));
    match kind.name {
        b"EXECVE" => notes.with_arguments(|command| row.text(key::PROCESS_COMMAND, command)),
        _ => notes.get(Note::Command).with(|command| row.text(key::PROCESS_COMMAND, command)),
    }
}

/// A packet that a netfilter rule gave to the audit system.
fn packet(notes: &Notes<'_>, row: &mut Row<'_>) {
    row.log_source(&CONNECTION);
    row.set(key::KIND, EventKind::Flow);
    row.set_opt(key::SRC_IP, Ip::parse(notes.raw(Note::Saddr)));
    row.set_opt(key::DST_IP, Ip::parse(notes.raw(Note::Daddr)));
    row.set_opt(key::SRC_PORT, port(notes.raw(Note::SourcePort)));
    row.set_opt(key::DST_PORT, port(notes.raw(Note::DestinationPort)));
    row.set_opt(key::TRANSPORT, Transport::parse(notes.raw(Note::Protocol)));
}
