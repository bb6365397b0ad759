//! Microsoft SQL Server's ERRORLOG.
//!
//! `2026-05-04 09:12:31.17 Logon       Login failed for user 'U'. Reason: TEXT [CLIENT: 192.0.2.10]`, with a line before it that
//! has the error's number and state only. The second counts. A name may hold quotes: what closes it is the sentence behind it.
//! Local time. Source: Microsoft, "MSSQLSERVER_18456", "View the SQL Server error log".

use memchr::memmem;
use schemas::{EventKind, LogSource, Outcome, PortState, Row, Transport, key};

use crate::lex::text::{Cursor, contains, port, split_once, split_once_str};
use crate::lex::time;
use crate::logins::{attempt, beside, set_service, set_source};
use crate::windows::account_text;
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, set_time};

/// The family.
pub struct Family;

const fn source(categories: &'static [&'static str]) -> LogSource {
    LogSource {
        family: "mssql",
        vendor: "Microsoft",
        product: "SQL Server",
        dataset: "mssql.errorlog",
        categories,
        products: &["mssql", "windows"],
        services: &["mssql"],
    }
}

static LOGIN: LogSource = source(&["authentication"]);
static REST: LogSource = source(&[]);

/// The source's word and the text behind the time; `None` if the line is none of this log.
fn parts(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let [b'2', _, _, _, b'-', _, _, b'-', _, _, b' ', _, _, b':', _, _, b':', _, _, b'.', _, _, b' ', rest @ ..] = line
    else {
        return None;
    };
    let (word, text) = split_once(rest, b' ')?;
    let known = matches!(word, b"Logon" | b"Server" | b"Backup")
        || word.strip_prefix(b"spid").is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit));
    known.then(|| (word, text.trim_ascii()))
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "mssql"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["sqlserver", "errorlog"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        parts(record.line).map(|_| Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let Some((word, text)) = parts(record.line) else {
            return Err(record.not_this_family("`YYYY-MM-DD HH:MM:SS.nn Logon       TEXT`"));
        };
        record.forget_host(row);
        if let Some(us) = time::iso(record.line).and_then(|(stamp, _)| record.time.resolve(&stamp)) {
            set_time(row, us);
        }
        row.extra_fixed("source", word);
        row.text(key::MESSAGE, text);
        set_service(row, "mssql");
        let text = client(text, row);
        if message(text, row).is_none() {
            beside(row, &REST, None);
        }
        Ok(Parsed::Events)
    }
}

/// Takes ` [CLIENT: ADDRESS]` off the end. `<local machine>` and pipes are no address.
fn client<'a>(text: &'a [u8], row: &mut Row<'_>) -> &'a [u8] {
    let Some(at) = memmem::rfind(text, b" [CLIENT: ") else { return text };
    let address = &text[at + b" [CLIENT: ".len()..];
    let address = address.strip_suffix(b"]").unwrap_or(address).trim_ascii();
    if !address.starts_with(b"<") {
        set_source(row, address);
        row.set(key::PORT_STATE, PortState::Open);
    }
    &text[..at]
}

/// Why a login failed, by the state. Source: Microsoft, "MSSQLSERVER_18456".
fn state_of(state: &[u8]) -> Option<&'static str> {
    let reason = match state {
        b"2" | b"5" => "unknown user",
        b"6" => "Windows account with SQL authentication",
        b"7" => "account disabled, wrong password",
        b"8" => "wrong password",
        b"9" => "invalid password",
        b"11" | b"12" => "no access to the server",
        b"18" => "password must change",
        b"38" | b"40" => "no access to the database",
        b"58" => "SQL authentication disabled",
        _ => return None,
    };
    Some(reason)
}

/// Reads a text. `None` if it says nothing about a login or an end.
fn message(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    if let Some(rest) = text.strip_prefix(b"Login failed for user '") {
        let (at, why) = match memmem::rfind(rest, b"'. Reason: ") {
            Some(at) => (at, &rest[at + b"'. Reason: ".len()..]),
            None => (memchr::memrchr(b'\'', rest)?, &b""[..]),
        };
        attempt(row, &LOGIN, Outcome::Failure);
        account_text(row, &rest[..at]);
        row.text(key::REASON, why.trim_ascii());
        row.fixed(key::EVENT_CODE, "18456");
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"Login succeeded for user '") {
        let at = memmem::rfind(rest, b"'. Connection").or_else(|| memchr::memrchr(b'\'', rest))?;
        attempt(row, &LOGIN, Outcome::Success);
        account_text(row, &rest[..at]);
        if let Some((_, method)) = split_once_str(&rest[at..], b"made using ") {
            row.text(key::AUTH_METHOD, method.strip_suffix(b".").unwrap_or(method));
        }
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"Error: ") {
        let (number, rest) = split_once(rest, b',')?;
        let (_, state) = split_once_str(rest, b"State: ")?;
        let state = state.split(|byte| matches!(byte, b'.' | b' ')).next()?;
        let login = number == b"18456";
        beside(row, &REST, login.then_some(Outcome::Failure));
        row.text(key::EVENT_CODE, number);
        row.text(key::STATUS_CODE, state);
        if login && let Some(reason) = state_of(state) {
            row.fixed(key::REASON, reason);
        }
        return Some(());
    }
    // `Server is listening on [ 'any' <ipv4> 1433] accept sockets 1.`
    let (_, rest) = split_once_str(text, b"erver is listening on [ ")?;
    let (inside, _) = split_once(rest, b']')?;
    let mut cursor = Cursor::new(inside);
    let address = cursor.word();
    if contains(inside, b"<") {
        cursor.word();
    }
    row.log_source(&REST);
    row.set(key::KIND, EventKind::Listener);
    row.set(key::TRANSPORT, Transport::TCP);
    row.set(key::DST_PORT, port(cursor.word())?);
    row.set(key::PORT_STATE, PortState::Open);
    row.extra_fixed("listen_address", crate::lex::text::unquote(address));
    Some(())
}
