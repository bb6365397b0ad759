//! PostgreSQL: stderr log with any prefix, csvlog, jsonlog, syslog.
//!
//! `log_line_prefix` is the operator's choice, so a line is read from its severity on (`FATAL:  `, two blanks), and the prefix by
//! what its words look like: a time, `[PID]`, `USER@DATABASE`, `ADDRESS(PORT)`, `user=U,db=D,client=ADDRESS`. Names stand in double
//! quotes; of several the text's own last quote closes. Who connects is authorized once: that line counts; that his identity
//! was proved stands beside it. Source: postgresql `src/backend/libpq/auth.c`, `src/backend/utils/init/postinit.c`,
//! `src/backend/postmaster/postmaster.c`, `src/backend/utils/error/{elog,csvlog,jsonlog}.c`.

use memchr::memmem;
use schemas::{Action, EventKind, Field, Ip, LogSource, Outcome, PortState, RejectKind, Row, Transport, key};

use crate::detect::Keys;
use crate::document::{self, Notes, Paths, notes};
use crate::lex::csv::{Column, split};
use crate::lex::text::{Cursor, Scratch, contains, decimal, port, split_once, split_once_str};
use crate::lex::{kv, time};
use crate::logins::{attempt, beside, end, set_source};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, Shape, set_time};

/// The family.
pub struct Family;

const fn source(categories: &'static [&'static str]) -> LogSource {
    LogSource {
        family: "postgresql",
        vendor: "PostgreSQL",
        product: "PostgreSQL",
        dataset: "postgresql.log",
        categories,
        products: &["postgresql", "linux"],
        services: &["postgresql"],
    }
}

static LOGIN: LogSource = source(&["authentication"]);
static REST: LogSource = source(&[]);

/// Severities, and the labels of the lines that follow a message.
const SEVERITIES: &[&[u8]] = &[
    b"FATAL:  ",
    b"LOG:  ",
    b"ERROR:  ",
    b"WARNING:  ",
    b"NOTICE:  ",
    b"INFO:  ",
    b"PANIC:  ",
    b"DETAIL:  ",
    b"HINT:  ",
    b"STATEMENT:  ",
    b"CONTEXT:  ",
    b"DEBUG:  ",
];

/// How far a prefix may reach.
const PREFIX_MAX: usize = 256;

notes! { Timestamp, User, Database, RemoteHost, RemotePort, Severity, State, Text, Detail, Pid, Session }

#[rustfmt::skip]
static PATHS: Paths<Note, 64> = {
    use self::Note as N;
    document::paths! {
    "timestamp" Note(N::Timestamp), "user" Note(N::User), "dbname" Note(N::Database), "remote_host" Note(N::RemoteHost),
    "remote_port" Note(N::RemotePort), "error_severity" Note(N::Severity), "state_code" Note(N::State), "message" Note(N::Text),
    "detail" Note(N::Detail), "pid" Note(N::Pid), "session_id" Note(N::Session), "application_name" Extra, "backend_type" Extra, "ps" Extra,
    "line_num" Leave, "session_start" Leave, "vxid" Leave, "txid" Leave, "query_id" Leave, "hint" Extra, "statement" Extra,
    }
};

/// Severity, what stands before it, and the message. The severity stands at the start or behind a blank.
fn severity(line: &[u8]) -> Option<(&'static [u8], &[u8], &[u8])> {
    let head = &line[..line.len().min(PREFIX_MAX)];
    let mut from = 0;
    while let Some(at) = memmem::find(&head[from..], b":  ") {
        let at = from + at;
        let start = head[..at].iter().rposition(|byte| !byte.is_ascii_uppercase()).map_or(0, |at| at + 1);
        if let Some(known) = SEVERITIES.iter().find(|known| line[start..].starts_with(known)) {
            return Some((&known[..known.len() - 3], &line[..start], &line[at + 3..]));
        }
        from = at + 3;
    }
    None
}

/// csvlog: `TIME ZONE,"user",…`.
fn is_csv(line: &[u8]) -> bool {
    matches!(
        line,
        [
            b'2',
            _,
            _,
            _,
            b'-',
            _,
            _,
            b'-',
            _,
            _,
            b' ',
            _,
            _,
            b':',
            _,
            _,
            b':',
            _,
            _,
            b'.',
            _,
            _,
            _,
            b' ',
            b'A'..=b'Z' | b'+' | b'-',
            ..
        ]
    ) && line[23..line.len().min(32)].contains(&b',')
}

fn is_program(app: &[u8]) -> bool {
    matches!(app, b"postgres" | b"postmaster" | b"postgresql")
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "postgresql"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["postgres", "pgsql"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Both
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        if record.shape == Shape::Object {
            return record.keys.has(Keys::ERROR_SEVERITY.and(Keys::TIMESTAMP)).then_some(Confidence::Certain);
        }
        if is_program(record.header.app) {
            return Some(Confidence::Certain);
        }
        if is_csv(record.line) {
            return Some(Confidence::Likely);
        }
        let first = record.line.first()?;
        let may = matches!(
            first,
            b'0'..=b'9' | b'[' | b'F' | b'L' | b'E' | b'W' | b'N' | b'I' | b'P' | b'D' | b'H' | b'S' | b'C'
        );
        if !may || record.header.priority.is_some() || !record.header.pid.is_empty() {
            return None;
        }
        // two blanks behind a colon are rare elsewhere, so this is one search for most foreign lines
        let body = &record.line[..record.line.len().min(PREFIX_MAX)];
        let (_, before, _) = memmem::find(body, b":  ").and_then(|_| severity(record.line))?;
        let own = before.is_empty() || time::iso(before).is_some() || before.contains(&b'[');
        own.then_some(Confidence::Possible)
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        if record.shape == Shape::Object {
            return json(record, row);
        }
        let of_syslog = is_program(record.header.app);
        if !of_syslog && is_csv(record.line) {
            return csv(record, row);
        }
        let line = if of_syslog {
            row.text(key::PROCESS_NAME, record.header.app);
            row.set_opt(key::PROCESS_ID, decimal(record.header.pid));
            record.body
        } else {
            record.line
        };
        let Some((level, before, text)) = severity(line) else {
            if of_syslog {
                beside(row, &REST, None);
                row.text(key::MESSAGE, line);
                return Ok(Parsed::Events);
            }
            return Err(record.not_this_family("`FATAL:  `, `LOG:  ` or another severity behind the prefix"));
        };
        if !of_syslog && offset_of_host(record, before) {
            record.forget_host(row);
        }
        row.text(key::LEVEL, level);
        prefix(record, before, row);
        write(text.trim_ascii(), row);
        Ok(Parsed::Events)
    }
}

/// Whether the header's reading took a part of the prefix for a host.
fn offset_of_host(record: &Record<'_>, before: &[u8]) -> bool {
    crate::lex::text::offset_in(before, record.header.host).is_some()
}

/// What the words of a prefix look like.
fn prefix(record: &Record<'_>, before: &[u8], row: &mut Row<'_>) {
    let mut rest = before;
    if let Some((mut stamp, length)) = time::iso(before) {
        rest = before[length..].trim_ascii_start();
        let word = rest.split(|byte| *byte == b' ').next().unwrap_or_default();
        if stamp.offset.is_none()
            && let Some(offset) = time::zone(word)
        {
            stamp.offset = Some(offset);
            rest = &rest[word.len()..];
        }
        if let Some(us) = record.time.resolve(&stamp) {
            set_time(row, us);
        }
    }
    for word in rest.split(|byte| matches!(byte, b' ' | b',')) {
        let word = word.strip_suffix(b":").unwrap_or(word);
        if let Some(inside) = word.strip_prefix(b"[").and_then(|word| word.strip_suffix(b"]")) {
            if let Some(pid) = decimal(inside)
                && !row.has(Field::ProcessId)
            {
                row.set(key::PROCESS_ID, pid);
            }
        } else if let Some((name, value)) = split_once(word, b'=') {
            match name {
                b"user" | b"u" => set_user(value, row),
                b"db" | b"database" | b"d" => set_database(value, row),
                b"client" | b"host" | b"h" | b"remote" => remote(value, row),
                b"app" | b"a" => row.extra_fixed("application_name", value),
                _ => {}
            }
        } else if let Some((user, database)) = split_once(word, b'@') {
            set_user(user, row);
            set_database(database, row);
        } else if word.ends_with(b")") || Ip::parse(word).is_some() {
            remote(word, row);
        }
    }
}

/// `192.0.2.10(50111)`, `192.0.2.10`.
fn remote(text: &[u8], row: &mut Row<'_>) {
    let (address, number) = split_once(text, b'(').unwrap_or((text, b""));
    if let Some(ip) = Ip::parse(address) {
        row.set(key::SRC_IP, ip);
        row.set_opt(key::SRC_PORT, port(number.strip_suffix(b")").unwrap_or(number)));
    }
}

fn set_user(name: &[u8], row: &mut Row<'_>) {
    if name != b"[unknown]" {
        row.text(key::USER, name);
    }
}

fn set_database(name: &[u8], row: &mut Row<'_>) {
    if name != b"[unknown]" {
        row.extra_fixed("database", name);
    }
}

fn csv(record: &Record<'_>, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
    let mut columns = [Column::EMPTY; 15];
    let count = split(record.line, &mut columns);
    let [stamp, user, database, pid, from, session, _, _, _, _, _, level, state, text, detail] =
        columns.map(|column| column.value);
    let known = SEVERITIES.iter().any(|severity| severity.strip_suffix(b":  ") == Some(level));
    if count < 23 || !known {
        return Err(record.not_this_family("23 or more columns of csvlog, the twelfth a severity"));
    }
    record.forget_host(row);
    if let Some(us) = record.time.iso(stamp) {
        set_time(row, us);
    }
    set_user(user, row);
    set_database(database, row);
    row.set_opt(key::PROCESS_ID, decimal(pid));
    row.text(key::SESSION_ID, session);
    row.text(key::LEVEL, level);
    peer(from, row);
    row.extra_fixed("detail", detail);
    if columns[13].doubled {
        // between two quotes that stand side by side lies one of the text's own
        let mut whole = Scratch::default();
        let mut parts = text.split(|byte| *byte == b'"');
        whole.extend(parts.next().unwrap_or_default());
        while let Some(between) = parts.next() {
            whole.push(b'"');
            whole.extend(between);
            whole.extend(parts.next().unwrap_or_default());
        }
        write(whole.bytes(), row);
    } else {
        write(text, row);
    }
    code(state, row);
    Ok(Parsed::Events)
}

/// `192.0.2.10:50111`, `[local]`.
fn peer(text: &[u8], row: &mut Row<'_>) {
    if text != b"[local]" {
        let (address, number) = end(text);
        set_source(row, address);
        row.set_opt(key::SRC_PORT, number);
    }
}

/// SQLSTATE, unless it says that all is well.
fn code(state: &[u8], row: &mut Row<'_>) {
    if state != b"00000" {
        row.text(key::STATUS_CODE, state);
    }
}

fn json(record: &Record<'_>, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
    let mut notes: Notes<'_, NOTES> = Notes::default();
    document::read(record, row, &PATHS, &[], |note, value, _| notes.take(note, value))?;
    if !notes.has(Note::Severity) || !notes.has(Note::Timestamp) {
        return Err(RejectKind::Missing { what: "error_severity or timestamp" }.into());
    }
    let stamp = notes.raw(Note::Timestamp);
    let us = record.time.iso(stamp);
    let us =
        us.ok_or_else(|| record.refuse(stamp, RejectKind::bad_value("timestamp", stamp, "a time with its zone")))?;
    set_time(row, us);
    set_user(notes.raw(Note::User), row);
    set_database(notes.raw(Note::Database), row);
    row.set_opt(key::PROCESS_ID, decimal(notes.raw(Note::Pid)));
    row.text(key::SESSION_ID, notes.raw(Note::Session));
    row.text(key::LEVEL, notes.raw(Note::Severity));
    let host = notes.raw(Note::RemoteHost);
    if host != b"[local]" {
        set_source(row, host);
        row.set_opt(key::SRC_PORT, port(notes.raw(Note::RemotePort)));
    }
    document::extra(row, "detail", notes.value(Note::Detail));
    notes.value(Note::Text).with(|text| write(text, row));
    code(notes.raw(Note::State), row);
    Ok(Parsed::Events)
}

/// Writes what a message says.
fn write(text: &[u8], row: &mut Row<'_>) {
    row.text(key::MESSAGE, text);
    row.fixed(key::APP_PROTO, "postgresql");
    if message(text, row).is_none() {
        beside(row, &REST, None);
    }
    // a client on the machine itself comes through a socket of another kind
    if row.has(Field::SrcIp) {
        row.set(key::TRANSPORT, Transport::TCP);
        row.set(key::PORT_STATE, PortState::Open);
    }
}

/// What stands between the first quote of `text` and its last.
fn quoted(text: &[u8]) -> Option<&[u8]> {
    let (_, rest) = split_once(text, b'"')?;
    Some(&rest[..memchr::memrchr(b'"', rest)?])
}

/// Reads a message. `None` if it says nothing about a login or an end.
fn message(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    if let Some((method, rest)) = split_once_str(text, b" authentication failed for user ") {
        attempt(row, &LOGIN, Outcome::Failure);
        row.text(key::AUTH_METHOD, method);
        row.text(key::USER, quoted(rest)?);
        return Some(());
    }
    if let Some((why, rest)) = split_once_str(text, b" for host \"")
        && contains(why, b"pg_hba.conf")
    {
        // `no pg_hba.conf entry for host "A", user "U", database "D", SSL off`
        attempt(row, &LOGIN, Outcome::Failure);
        row.fixed(key::REASON, "not allowed by pg_hba.conf");
        let (address, rest) = split_once(rest, b'"')?;
        set_source(row, address);
        let rest = rest.strip_prefix(b", user \"")?;
        let at = memmem::rfind(rest, b"\", database \"")?;
        row.text(key::USER, &rest[..at]);
        let database = &rest[at + b"\", database \"".len()..];
        row.extra_fixed("database", &database[..memchr::memrchr(b'"', database)?]);
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"role \"") {
        let at = memchr::memrchr(b'"', rest)?;
        let reason = match &rest[at + 1..] {
            b" does not exist" => "unknown user",
            b" is not permitted to log in" => "not permitted to log in",
            _ => return None,
        };
        attempt(row, &LOGIN, Outcome::Failure);
        row.text(key::USER, &rest[..at]);
        row.fixed(key::REASON, reason);
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"too many connections for role ") {
        attempt(row, &LOGIN, Outcome::Failure);
        row.text(key::USER, quoted(rest)?);
        row.fixed(key::REASON, "too many connections");
        return Some(());
    }
    if text.starts_with(b"database \"") && text.ends_with(b"\" does not exist") {
        attempt(row, &LOGIN, Outcome::Failure);
        row.fixed(key::REASON, "unknown database");
        row.extra_fixed("database", quoted(text)?);
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"connection received: ") {
        beside(row, &REST, None);
        row.set(key::ACTION, Action::Start);
        pairs(rest, row);
        return Some(());
    }
    if let Some(rest) = text
        .strip_prefix(b"connection authorized: ")
        .or_else(|| text.strip_prefix(b"replication connection authorized: "))
    {
        attempt(row, &LOGIN, Outcome::Success);
        row.set(key::ACTION, Action::Start);
        pairs(rest, row);
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"connection authenticated: ") {
        beside(row, &REST, Some(Outcome::Success));
        pairs(rest, row);
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"disconnection: ") {
        beside(row, &REST, None);
        row.set(key::ACTION, Action::End);
        if let Some(rest) = rest.strip_prefix(b"session time: ") {
            row.set_opt(key::DURATION, duration(Cursor::new(rest).word()));
        }
        pairs(rest, row);
        return Some(());
    }
    if let Some(rest) = text
        .strip_prefix(b"listening on IPv4 address \"")
        .or_else(|| text.strip_prefix(b"listening on IPv6 address \""))
    {
        let (address, rest) = split_once_str(rest, b"\", port ")?;
        row.log_source(&REST);
        row.set(key::KIND, EventKind::Listener);
        row.set(key::TRANSPORT, Transport::TCP);
        row.set(key::DST_PORT, port(Cursor::new(rest).word())?);
        row.set(key::PORT_STATE, PortState::Open);
        row.extra_fixed("listen_address", address);
        return Some(());
    }
    None
}

/// `user=U database=D host=A port=N identity="U" method=M …`.
fn pairs(text: &[u8], row: &mut Row<'_>) {
    // a prefix that knows the user knows the database, too
    let known = row.has(Field::User);
    for pair in kv::pairs(text) {
        match pair.key {
            b"user" | b"identity" => set_user(pair.value, row),
            b"database" if !known => set_database(pair.value, row),
            b"host" if pair.value != b"[local]" => set_source(row, pair.value),
            b"port" => row.set_opt(key::SRC_PORT, port(pair.value)),
            b"method" => row.text(key::AUTH_METHOD, pair.value),
            b"application_name" => row.extra_fixed("application_name", pair.value),
            b"protocol" | b"(protocol" => {
                row.text(key::TLS_VERSION, pair.value.strip_suffix(b",").unwrap_or(pair.value))
            }
            _ => {}
        }
    }
}

/// `0:00:00.003` in microseconds.
fn duration(text: &[u8]) -> Option<u64> {
    let (hours, rest) = split_once(text, b':')?;
    let (minutes, seconds) = split_once(rest, b':')?;
    let (seconds, fraction) = split_once(seconds, b'.').unwrap_or((seconds, b""));
    let millis = if fraction.is_empty() { 0 } else { decimal(fraction.get(..3)?)? };
    let seconds = decimal(hours)?
        .checked_mul(60)?
        .checked_add(decimal(minutes)?)?
        .checked_mul(60)?
        .checked_add(decimal(seconds)?)?;
    seconds.checked_mul(1_000_000)?.checked_add(millis * 1000)
}
