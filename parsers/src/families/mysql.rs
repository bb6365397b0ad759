//! MySQL and MariaDB: error log of all versions, general log, MariaDB's audit plugin, syslog.
//!
//! ```text
//! 2026-05-04T09:12:31.004217Z 113 [Note] [MY-010926] [Server] Access denied for user 'u'@'192.0.2.10' (using password: YES)
//! 2026-05-04  9:12:31 113 [Warning] Access denied …                        MariaDB; `260504  9:12:31` before 5.7
//! 2026-05-04T09:12:31.004217Z<TAB>   12 Connect<TAB>u@192.0.2.10 on db using TCP/IP
//! 20260504 09:12:31,host,u,192.0.2.10,12,0,FAILED_CONNECT,,,1045            audit plugin
//! ```
//! The name of the user is the client's: the host is what stands behind the last `'@'`. `using password: NO` is a try without
//! one. Sources: mysql-server `sql/auth/sql_authentication.cc`, `sql/log.cc`; MariaDB `plugin/server_audit/server_audit.c`.

use memchr::memmem;
use schemas::{Action, EventKind, Field, LogSource, Outcome, PortState, Row, Transport, key};

use crate::lex::csv::{Column, split};
use crate::lex::text::{Cursor, contains, decimal, port, rsplit_once, split_once, split_once_str};
use crate::lex::time::{self, Civil, Stamp};
use crate::logins::{attempt, beside, set_source};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, set_time};

/// The family.
pub struct Family;

const fn source(dataset: &'static str, categories: &'static [&'static str]) -> LogSource {
    LogSource {
        family: "mysql",
        vendor: "MySQL",
        product: "MySQL",
        dataset,
        categories,
        products: &["mysql", "linux"],
        services: &["mysql"],
    }
}

static LOGIN: LogSource = source("mysql.error", &["authentication"]);
static REST: LogSource = source("mysql.error", &[]);
static AUDIT_LOGIN: LogSource = source("mysql.audit", &["authentication"]);
static AUDIT: LogSource = source("mysql.audit", &[]);

fn is_program(app: &[u8]) -> bool {
    matches!(app, b"mysqld" | b"mariadbd" | b"mysqld_safe" | b"mysql" | b"mariadb")
}

/// The server's own time at the start of a line, and its length.
fn own_time(line: &[u8]) -> Option<(Stamp, usize)> {
    if !line.first()?.is_ascii_digit() {
        return None;
    }
    if let Some(found) = time::iso(line) {
        return Some(found);
    }
    // `2026-05-04  9:12:31`, `260504  9:12:31`, `20260504 09:12:31`
    let (date, at) = match line {
        [_, _, _, _, b'-', _, _, b'-', _, _, b' ', ..] => ((&line[..4], &line[5..7], &line[8..10]), 11),
        [_, _, _, _, _, _, b' ', ..] => ((&line[..2], &line[2..4], &line[4..6]), 7),
        [_, _, _, _, _, _, _, _, b' ', ..] => ((&line[..4], &line[4..6], &line[6..8]), 9),
        _ => return None,
    };
    let clock = line.get(at..at + 8)?;
    let hour = clock[..2].trim_ascii_start();
    if clock[2] != b':' || clock[5] != b':' {
        return None;
    }
    let small = |text: &[u8], max: u8| {
        decimal(text).and_then(|number| u8::try_from(number).ok()).filter(|number| *number <= max)
    };
    let year = i32::try_from(decimal(date.0)?).ok()?;
    let civil = Civil {
        year: Some(if year < 100 { 2000 + year } else { year }),
        month: small(date.1, 12).filter(|month| *month > 0)?,
        day: small(date.2, 31).filter(|day| *day > 0)?,
        hour: small(hour, 23)?,
        minute: small(&clock[3..5], 59)?,
        second: small(&clock[6..8], 60)?,
        micro: 0,
    };
    Some((Stamp { civil, offset: None }, at + 8))
}

/// Whether what follows a time looks like one of this server's lines: `[thread ][Level] `, or the general log's columns.
fn marked(rest: &[u8]) -> bool {
    let mut cursor = Cursor::new(rest);
    cursor.skip_blanks();
    cursor.take_while(|byte| byte.is_ascii_digit());
    cursor.skip_blanks();
    let rest = cursor.rest();
    let leveled = [&b"[Note] "[..], b"[Warning] ", b"[ERROR] ", b"[System] ", b"[Error] "];
    leveled.iter().any(|level| rest.starts_with(level))
        || rest.starts_with(b"Connect\t")
        || rest.starts_with(b"Quit\t")
        || rest == b"Quit"
        || rest.starts_with(b"Query\t")
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "mysql"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["mariadb", "mysqld"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        let app = record.header.app;
        if is_program(app) || app == b"mysql-server_auditing" {
            return Some(Confidence::Certain);
        }
        let line = record.line;
        if !line.first()?.is_ascii_digit() || line.len() < 20 {
            return None;
        }
        // the audit's time has nothing else behind it
        if matches!(line, [_, _, _, _, _, _, _, _, b' ', _, _, b':', _, _, b':', _, _, b',', ..]) {
            return own_time(line).map(|_| Confidence::Certain);
        }
        // the place where a level or a tab may stand: cheap to see before the time is read
        let head = &line[..line.len().min(64)];
        let may = contains(head, b" [") || head.contains(&b'\t');
        let (_, length) = may.then(|| own_time(line)).flatten()?;
        marked(&line[length..]).then_some(Confidence::Likely)
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let app = record.header.app;
        let strange = || {
            record.not_this_family(
                "a time and `[Note]`, `[Warning]` or `[ERROR]`, the general log, or the audit plugin's columns",
            )
        };
        row.fixed(key::APP_PROTO, "mysql");
        if app == b"mysql-server_auditing" {
            return audit(record.body.trim_ascii(), row).map(|()| Parsed::Events).ok_or_else(strange);
        }
        let mut text = record.body.trim_ascii();
        if is_program(app) {
            row.text(key::PROCESS_NAME, app);
            row.set_opt(key::PROCESS_ID, decimal(record.header.pid));
            // its own time inside syslog's line
            if let Some((stamp, length)) = own_time(text) {
                if let Some(us) = record.time.resolve(&stamp) {
                    set_time(row, us);
                }
                text = &text[length..];
            }
        } else {
            let (stamp, length) = own_time(record.line).ok_or_else(strange)?;
            record.forget_host(row);
            if let Some(us) = record.time.resolve(&stamp) {
                set_time(row, us);
            }
            text = &record.line[length..];
            if let Some(columns) = text.strip_prefix(b",") {
                return audit(columns.trim_ascii(), row).map(|()| Parsed::Events).ok_or_else(strange);
            }
            if !marked(text) {
                return Err(strange());
            }
        }
        let text = head(text.trim_ascii(), row);
        row.text(key::MESSAGE, text);
        if general(text, row).or_else(|| message(text, row)).is_none() {
            beside(row, &REST, None);
        }
        // a client on the machine itself may come through a socket of another kind
        if row.has(Field::SrcIp) {
            row.set(key::TRANSPORT, Transport::TCP);
        }
        Ok(Parsed::Events)
    }
}

/// `[thread ][Level] [MY-010926] [Server] `: sets what they say, gives what follows.
fn head<'a>(text: &'a [u8], row: &mut Row<'_>) -> &'a [u8] {
    let mut cursor = Cursor::new(text);
    let thread = cursor.take_while(|byte| byte.is_ascii_digit());
    cursor.skip_blanks();
    row.text(key::SESSION_ID, thread);
    for place in 0..3 {
        let Some((inside, rest)) = cursor.rest().strip_prefix(b"[").and_then(|rest| split_once_str(rest, b"] ")) else {
            break;
        };
        match place {
            0 => row.text(key::LEVEL, inside),
            1 => row.text(key::EVENT_CODE, inside),
            _ => row.extra_fixed("subsystem", inside),
        }
        let length = cursor.rest().len() - rest.len();
        cursor.skip(length);
        // older versions have the level only
        if place == 0 && !rest.starts_with(b"[MY-") {
            break;
        }
    }
    cursor.rest()
}

/// `Connect<TAB>u@host on db using TCP/IP`, `Connect<TAB>Access denied for user …`, `Quit<TAB>`.
fn general(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    // a line that ends with its command has lost the tab
    let (command, rest) = split_once(text, b'\t').or_else(|| (text == b"Quit").then_some((text, b"")))?;
    if !command.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b' ') {
        return None;
    }
    row.text(key::EVENT_ACTION, command);
    if command == b"Connect" && !rest.starts_with(b"Access denied ") {
        let (who, rest) = split_once_str(rest, b" on ").unwrap_or((rest.strip_suffix(b" on").unwrap_or(rest), b""));
        let (name, host) = rsplit_once(who, b'@')?;
        attempt(row, &LOGIN, Outcome::Success);
        row.text(key::USER, name);
        set_source(row, host);
        row.set(key::ACTION, Action::Start);
        row.set(key::PORT_STATE, PortState::Open);
        let (database, how) = split_once_str(rest, b" using ").unwrap_or((rest, b""));
        row.extra_fixed("database", database.trim_ascii());
        row.extra_fixed("connection", how);
        return Some(());
    }
    if command == b"Connect" {
        return message(rest, row);
    }
    beside(row, &REST, None);
    if command == b"Quit" {
        row.set(key::ACTION, Action::End);
    }
    Some(())
}

/// Reads a sentence. `None` if it says nothing about a login or an end.
fn message(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    if let Some(rest) = text.strip_prefix(b"Access denied for user '") {
        let suffix = memmem::rfind(rest, b"' (using password: ").or_else(|| memmem::rfind(rest, b"' to database '"));
        let (who, how) = match suffix {
            Some(at) => (&rest[..at], &rest[at + 2..]),
            None => (rest.strip_suffix(b"'").unwrap_or(rest), &b""[..]),
        };
        let at = memmem::rfind(who, b"'@'")?;
        attempt(row, &LOGIN, Outcome::Failure);
        row.text(key::USER, &who[..at]);
        set_source(row, &who[at + 3..]);
        row.set(key::PORT_STATE, PortState::Open);
        if contains(how, b"password: NO") {
            row.fixed(key::REASON, "no password");
        } else if let Some((_, database)) = split_once_str(how, b"to database '") {
            row.fixed(key::REASON, "no access to the database");
            row.extra_fixed("database", database.strip_suffix(b"'").unwrap_or(database));
        }
        return Some(());
    }
    if text.starts_with(b"Aborted connection ") {
        beside(row, &REST, None);
        row.set(key::ACTION, Action::End);
        let field = |name: &[u8]| {
            split_once_str(text, name)
                .and_then(|(_, rest)| split_once(rest, b'\''))
                .map_or(&b""[..], |(value, _)| value)
        };
        row.text(key::USER, field(b" user: '"));
        row.extra_fixed("database", field(b" db: '"));
        set_source(row, field(b" host: '"));
        row.text(
            key::REASON,
            rsplit_once(text, b'(').map_or(&b""[..], |(_, why)| why.split(|byte| *byte == b')').next().unwrap_or(why)),
        );
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"Host '").or_else(|| text.strip_prefix(b"IP address '")) {
        let (host, rest) = split_once(rest, b'\'')?;
        beside(row, &REST, None);
        set_source(row, host);
        if rest.starts_with(b" is blocked") || rest.starts_with(b" is not allowed") {
            row.set(key::ACTION, Action::Deny);
        }
        row.text(key::REASON, rest.trim_ascii());
        return Some(());
    }
    let (_, rest) = split_once_str(text, b"ready for connections")?;
    let (_, number) = split_once_str(rest, b"port: ")?;
    row.log_source(&REST);
    row.set(key::KIND, EventKind::Listener);
    row.set(key::TRANSPORT, Transport::TCP);
    row.set(key::DST_PORT, port(Cursor::new(number).word()).filter(|port| *port > 0)?);
    row.set(key::PORT_STATE, PortState::Open);
    Some(())
}

/// `HOST,USER,CLIENT,CONNECTION,QUERY,OPERATION,DATABASE,OBJECT,CODE`; a query may hold commas.
fn audit(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let mut columns = [Column::EMPTY; 7];
    if split(text, &mut columns) < 7 {
        return None;
    }
    let [host, user, client, connection, _, operation, database] = columns.map(|column| column.value);
    let code = rsplit_once(text, b',')?.1;
    if operation.is_empty()
        || !operation.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_')
        || decimal(code).is_none()
    {
        return None;
    }
    row.text(key::HOST, host);
    match operation {
        b"CONNECT" if code == b"0" => {
            attempt(row, &AUDIT_LOGIN, Outcome::Success);
            row.set(key::ACTION, Action::Start);
        }
        b"CONNECT" | b"FAILED_CONNECT" => attempt(row, &AUDIT_LOGIN, Outcome::Failure),
        b"DISCONNECT" => {
            beside(row, &AUDIT, None);
            row.set(key::ACTION, Action::End);
        }
        _ => beside(row, &AUDIT, Some(if code == b"0" { Outcome::Success } else { Outcome::Failure })),
    }
    row.text(key::EVENT_ACTION, operation);
    row.text(key::USER, user);
    set_source(row, client);
    if row.has(Field::SrcIp) {
        row.set(key::TRANSPORT, Transport::TCP);
    }
    row.text(key::SESSION_ID, connection);
    row.extra_fixed("database", database);
    if code != b"0" {
        row.text(key::STATUS_CODE, code);
    }
    Some(())
}
