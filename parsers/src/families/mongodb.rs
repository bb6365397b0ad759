//! MongoDB: structured log (4.4 and later) and the text log before it.
//!
//! ```text
//! {"t":{"$date":"…"},"s":"I","c":"ACCESS","id":20249,"ctx":"conn5","msg":"Authentication failed","attr":{…,"remote":"192.0.2.10:50111"}}
//! 2026-05-04T09:12:31.004+0200 I ACCESS   [conn5] Failed to authenticate u@admin with mechanism SCRAM-SHA-1: AuthenticationFailed
//! ```
//! Messages are told apart by number, or by sentence in the old form. The context ties the lines of one connection (extra `ctx`);
//! old versions write the address only where it is accepted and where it ends. Source: mongo `src/mongo/db/auth/sasl_commands.cpp`,
//! `src/mongo/transport/*`, the manual's "Log messages".

use memchr::memmem;
use schemas::{Action, EventKind, LogSource, Outcome, PortState, RejectKind, Row, Transport, key};

use crate::document::{self, Notes, Paths, notes};
use crate::lex::text::{Cursor, decimal, port, rsplit_once, split_once, split_once_str};
use crate::lex::time;
use crate::logins::{attempt, beside, end, set_service, set_source};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, Shape, set_time};

/// The family.
pub struct Family;

const fn source(categories: &'static [&'static str]) -> LogSource {
    LogSource {
        family: "mongodb",
        vendor: "MongoDB",
        product: "MongoDB",
        dataset: "mongodb.log",
        categories,
        products: &["mongodb", "linux"],
        services: &["mongodb"],
    }
}

static LOGIN: LogSource = source(&["authentication"]);
static REST: LogSource = source(&[]);

notes! { Date, Severity, Component, Id, Context, Text, Principal, User, Database, Remote, Client, Mechanism, Error, Port, Result }

#[rustfmt::skip]
static PATHS: Paths<Note, 64> = {
    use self::Note as N;
    document::paths! {
    "t.$date" Note(N::Date), "s" Note(N::Severity), "c" Note(N::Component), "id" Note(N::Id), "ctx" Note(N::Context), "msg" Note(N::Text),
    "attr.principalName" Note(N::Principal), "attr.user" Note(N::User), "attr.user.user" Note(N::User), "attr.user.db" Note(N::Database),
    "attr.authenticationDatabase" Note(N::Database), "attr.db" Note(N::Database), "attr.remote" Note(N::Remote), "attr.client" Note(N::Client),
    "attr.mechanism" Note(N::Mechanism), "attr.error" Note(N::Error), "attr.result" Note(N::Result), "attr.port" Note(N::Port),
    "svc" Leave, "attr.speculative" Leave, "attr.isSpeculative" Leave, "attr.isClusterMember" Leave, "attr.extraInfo" Leave,
    "attr.metrics" Leave, "tags" Leave,
    }
};

/// Severity, component, context and text behind the old form's time.
fn parts(line: &[u8]) -> Option<([&[u8]; 4], usize)> {
    if line.get(10) != Some(&b'T') || !line[0].is_ascii_digit() {
        return None;
    }
    // 2.6 has no severity and component
    let (_, length) = time::iso(line)?;
    let mut cursor = Cursor::new(line);
    cursor.skip(length);
    cursor.expect(b" ")?;
    let severity = cursor.rest().first().filter(|byte| matches!(byte, b'D' | b'I' | b'W' | b'E' | b'F'));
    let (severity, component) = match severity {
        Some(_) if cursor.rest().get(1) == Some(&b' ') => (cursor.word(), cursor.word()),
        _ => (&b""[..], &b""[..]),
    };
    let known = !severity.is_empty()
        && component.iter().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'-' | b'2'));
    cursor.expect(b"[")?;
    let context = cursor.until(b']')?;
    if !known && !context.starts_with(b"conn") && context != b"initandlisten" {
        return None;
    }
    cursor.skip_blanks();
    Some(([severity, component, context, cursor.rest()], length))
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "mongodb"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["mongod", "mongo"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Both
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        match record.shape {
            Shape::Object => record.body.starts_with(b"{\"t\":{\"$date\"").then_some(Confidence::Certain),
            Shape::Text => {
                // `T` in the time, and a bracket behind severity and component
                let may = record.line.get(10) == Some(&b'T')
                    && record.line.iter().take(60).skip(20).any(|byte| *byte == b'[');
                may.then(|| parts(record.line)).flatten().map(|_| Confidence::Likely)
            }
        }
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        set_service(row, "mongodb");
        if record.shape == Shape::Object {
            return json(record, row);
        }
        let Some(([severity, component, context, text], length)) = parts(record.line) else {
            return Err(
                record.not_this_family("`TIME SEVERITY COMPONENT [CONTEXT] TEXT`, or JSON that begins with `t`")
            );
        };
        record.forget_host(row);
        if let Some(us) = record.time.iso(&record.line[..length]) {
            set_time(row, us);
        }
        row.text(key::LEVEL, severity);
        row.extra_fixed("component", component);
        row.extra_fixed("ctx", context);
        row.text(key::MESSAGE, text);
        if sentence(text, row).is_none() {
            beside(row, &REST, None);
        }
        Ok(Parsed::Events)
    }
}

fn json(record: &Record<'_>, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
    let mut notes: Notes<'_, NOTES> = Notes::default();
    document::read(record, row, &PATHS, &[b"attr.doc."], |note, value, _| notes.take(note, value))?;
    if !notes.has(Note::Date) || !notes.has(Note::Id) {
        return Err(RejectKind::Missing { what: "t.$date or id" }.into());
    }
    document::time(record, row, "t.$date", notes.value(Note::Date))?;
    let id = notes.raw(Note::Id);
    row.text(key::EVENT_CODE, id);
    row.text(key::LEVEL, notes.raw(Note::Severity));
    document::text(row, key::EVENT_ACTION, notes.value(Note::Text));
    document::text(row, key::MESSAGE, notes.value(Note::Text));
    row.extra_fixed("component", notes.raw(Note::Component));
    row.extra_fixed("ctx", notes.raw(Note::Context));
    document::text(row, key::USER, notes.first([Note::Principal, Note::User]));
    document::extra(row, "database", notes.value(Note::Database));
    document::text(row, key::AUTH_METHOD, notes.value(Note::Mechanism));
    let from = notes.first([Note::Remote, Note::Client]).scalar();
    if !from.is_empty() {
        client(from, row);
    }
    match id {
        // what a client tries on the way is logged with a severity of debugging
        b"20249" | b"5286307" => {
            attempt(row, &LOGIN, Outcome::Failure);
            document::text(row, key::REASON, notes.value(Note::Error));
            document::text(row, key::STATUS_CODE, notes.value(Note::Result));
        }
        b"20250" | b"5286306" => attempt(row, &LOGIN, Outcome::Success),
        b"22943" => {
            beside(row, &REST, None);
            row.set(key::ACTION, Action::Start);
        }
        b"22944" => {
            beside(row, &REST, None);
            row.set(key::ACTION, Action::End);
        }
        b"23016" => listener(document::whole(notes.value(Note::Port)), row),
        _ => {
            beside(row, &REST, None);
            document::extra(row, "error", notes.value(Note::Error));
        }
    }
    Ok(Parsed::Events)
}

fn client(text: &[u8], row: &mut Row<'_>) {
    let (address, number) = end(text);
    set_source(row, address);
    row.set_opt(key::SRC_PORT, number);
    row.set(key::PORT_STATE, PortState::Open);
}

fn listener(number: &[u8], row: &mut Row<'_>) {
    row.log_source(&REST);
    row.set(key::KIND, EventKind::Listener);
    row.set(key::TRANSPORT, Transport::TCP);
    row.set_opt(key::DST_PORT, port(number));
    row.set(key::PORT_STATE, PortState::Open);
}

/// Reads a sentence of the old form. `None` if it says nothing about a login or an end.
fn sentence(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    if let Some(rest) = text.strip_prefix(b"Failed to authenticate ") {
        // `USER@DATABASE [from client A ]with mechanism M: WHY`
        let at = memmem::rfind(rest, b" with mechanism ")?;
        attempt(row, &LOGIN, Outcome::Failure);
        let (method, why) = split_once_str(&rest[at + b" with mechanism ".len()..], b": ")?;
        row.text(key::AUTH_METHOD, method);
        row.text(key::REASON, why);
        let who = from_client(&rest[..at], row);
        account(who, b'@', row);
        return Some(());
    }
    if let Some((method, rest)) = split_once_str(text, b" authentication failed for ") {
        // `SASL M authentication failed for USER on DATABASE from client A ; WHY`
        attempt(row, &LOGIN, Outcome::Failure);
        row.text(key::AUTH_METHOD, method.strip_prefix(b"SASL ").unwrap_or(method));
        let (rest, why) = split_once_str(rest, b" ; ").unwrap_or((rest, b""));
        row.text(key::REASON, why);
        let who = from_client(rest, row);
        let (name, database) = split_once_str(who, b" on ").unwrap_or((who, b""));
        row.text(key::USER, name);
        row.extra_fixed("database", database);
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"Successfully authenticated as principal ") {
        attempt(row, &LOGIN, Outcome::Success);
        let who = from_client(rest, row);
        let (name, database) = split_once_str(who, b" on ").unwrap_or((who, b""));
        row.text(key::USER, name);
        row.extra_fixed("database", database);
        return Some(());
    }
    let begun = text.strip_prefix(b"connection accepted from ");
    if let Some(rest) = begun.or_else(|| text.strip_prefix(b"end connection ")) {
        beside(row, &REST, None);
        row.set(key::ACTION, if begun.is_some() { Action::Start } else { Action::End });
        client(Cursor::new(rest).word(), row);
        return Some(());
    }
    let number = text.strip_prefix(b"waiting for connections on port ")?;
    decimal(number)?;
    listener(number, row);
    Some(())
}

/// Takes ` from client ADDRESS:PORT` off the end.
fn from_client<'a>(text: &'a [u8], row: &mut Row<'_>) -> &'a [u8] {
    match memmem::rfind(text, b" from client ") {
        Some(at) => {
            client(Cursor::new(&text[at + b" from client ".len()..]).word(), row);
            &text[..at]
        }
        None => text,
    }
}

fn account(who: &[u8], separator: u8, row: &mut Row<'_>) {
    let (name, database) = rsplit_once(who, separator).or_else(|| split_once(who, separator)).unwrap_or((who, b""));
    row.text(key::USER, name);
    row.extra_fixed("database", database);
}
