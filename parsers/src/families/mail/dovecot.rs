//! Dovecot's login processes and its authentication workers.
//!
//! `imap-login: Login: user=<U>, method=PLAIN, rip=A, lip=B, mpid=1, TLS, session=<S>`; failures name how many attempts a
//! connection made: `Disconnected (auth failed, 2 attempts in 4 secs): user=<U>, …`. What a user may write stands between
//! `<` and `>, `; the ends are looked for from the right. Passwords that a debug setting puts into the text are not kept.

use memchr::memmem;
use schemas::{Action, Outcome, PortState, Row, key};

use super::{DOVECOT, DOVECOT_LOGIN};
use crate::lex::text::{Cursor, contains, port, rsplit_once, split_once, split_once_str};
use crate::logins::{attempt, beside, set_destination, set_service, set_source, set_user};

/// Where accounts are looked up: a worker's line names one, with user and address in brackets.
const DATABASES: &[&[u8]] = &[
    b"pam(",
    b"sql(",
    b"ldap(",
    b"passwd-file(",
    b"passwd(",
    b"shadow(",
    b"static(",
    b"lua(",
    b"oauth2(",
    b"checkpassword(",
    b"dict(",
    b"bsdauth(",
    b"vpopmail(",
];

/// Reads a line. `None` if it is not known.
pub(super) fn message(app: &[u8], body: &[u8], row: &mut Row<'_>) -> Option<()> {
    let mut text = body;
    let mut service = app;
    if app == b"dovecot" || app.is_empty() {
        let (name, rest) = split_once_str(text, b": ")?;
        (service, text) = (name, rest);
    }
    row.text(key::PROCESS_NAME, service.split(|byte| *byte == b'(').next().unwrap_or(service));
    for level in [&b"Info: "[..], b"Debug: ", b"Warning: ", b"Error: "] {
        text = text.strip_prefix(level).unwrap_or(text);
    }
    if service.starts_with(b"auth") {
        return worker(text, row);
    }
    row.text(key::MESSAGE, text);
    let Some(name) = service.strip_suffix(b"-login") else { return session(service, text, row) };
    set_service(
        row,
        match name {
            b"imap" => "imap",
            b"pop3" => "pop3",
            b"managesieve" => "managesieve",
            b"submission" => "smtp",
            _ => return None,
        },
    );
    // what was said about the connection, and its fields
    let (said, fields) = match memmem::find(text, b"): ") {
        Some(at) if !text.starts_with(b"Login: ") => (&text[..at + 1], &text[at + 3..]),
        _ => split_once_str(text, b": ")?,
    };
    if said == b"Login" {
        attempt(row, &DOVECOT_LOGIN, Outcome::Success);
    } else if let Some((_, count)) = split_once_str(said, b"(auth failed, ") {
        attempt(row, &DOVECOT_LOGIN, Outcome::Failure);
        let count = Cursor::new(count).number();
        row.set_opt(key::REPEAT, count.filter(|count| *count > 1));
        row.text(key::REASON, said);
    } else if contains(said, b"disallowed plaintext auth") {
        beside(row, &DOVECOT, Some(Outcome::Failure));
        row.fixed(key::REASON, "plaintext authentication disallowed");
    } else {
        beside(row, &DOVECOT, None);
        row.text(key::REASON, said);
    }
    if said != b"Login" {
        row.set(key::ACTION, Action::End);
    }
    row.set(key::PORT_STATE, PortState::Open);
    ends(fields, row);
    Some(())
}

/// `user=<U>, method=M, rip=A, lip=B[, rport=, lport=][, mpid=][, TLS][, session=<S>]`.
fn ends(fields: &[u8], row: &mut Row<'_>) {
    let Some(at) = memmem::rfind(fields, b"rip=") else { return };
    let (before, rest) = fields.split_at(at);
    for field in rest.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
        match split_once(field, b'=') {
            Some((b"rip", address)) => set_source(row, address),
            Some((b"lip", address)) => set_destination(row, address),
            Some((b"rport", number)) => row.set_opt(key::SRC_PORT, port(number)),
            Some((b"lport", number)) => row.set_opt(key::DST_PORT, port(number)),
            Some((b"mpid", number)) => row.extra_fixed("mpid", number),
            Some((b"session", id)) => {
                row.text(key::SESSION_ID, id.strip_prefix(b"<").and_then(|id| id.strip_suffix(b">")).unwrap_or(id));
            }
            None if field.starts_with(b"TLS") => row.extra_fixed("tls", field),
            _ => {}
        }
    }
    let before = before.trim_ascii();
    let (before, method) = match memmem::rfind(before, b"method=") {
        Some(at) => (before[..at].trim_ascii(), before[at + 7..].strip_suffix(b",").unwrap_or(&before[at + 7..])),
        None => (before, &b""[..]),
    };
    row.text(key::AUTH_METHOD, method);
    if let Some(name) = before.strip_prefix(b"user=<").and_then(|rest| rest.strip_suffix(b">,")) {
        set_user(row, name);
    }
}

/// `[conn …: auth-worker<N>: ]DATABASE(USER,ADDRESS[,<SESSION>]): TEXT`: the same attempt again.
fn worker(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let text = match memmem::find(text, b"given password: ") {
        Some(at) => {
            let end = memmem::rfind(&text[..at], b" (").unwrap_or(at);
            &text[..end]
        }
        None => text,
    };
    row.text(key::MESSAGE, text);
    let mut at = 0;
    let inside = loop {
        let rest = &text[at..];
        if let Some(database) = DATABASES.iter().find(|database| rest.starts_with(database)) {
            row.extra_fixed("database", &database[..database.len() - 1]);
            break &rest[database.len()..];
        }
        at += memmem::find(rest, b": ")? + 2;
    };
    let (who, what) = split_once_str(inside, b"): ")?;
    let what = what.trim_ascii();
    let failed = what.starts_with(b"unknown user")
        || contains(what, b"assword mismatch")
        || contains(what, b" failed")
        || contains(what, b"invalid credentials");
    beside(row, &DOVECOT, failed.then_some(Outcome::Failure));
    if what.starts_with(b"unknown user") {
        row.fixed(key::REASON, "unknown user");
    } else {
        row.text(key::REASON, what);
    }
    // `USER,ADDRESS`, `USER,ADDRESS,<SESSION>`
    let who = match who.strip_suffix(b">").and_then(|who| memmem::rfind(who, b",<")) {
        Some(at) => {
            row.text(key::SESSION_ID, &who[at + 2..who.len() - 1]);
            &who[..at]
        }
        None => who,
    };
    match rsplit_once(who, b',') {
        Some((name, address)) => {
            set_user(row, name);
            set_source(row, address);
        }
        None => set_user(row, who),
    }
    Some(())
}

/// `imap(USER)<PID><SESSION>: Logged out in=1 out=2`.
fn session(service: &[u8], text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let (_, rest) = split_once(service, b'(')?;
    let (name, _) = rsplit_once(rest, b')')?;
    beside(row, &DOVECOT, None);
    set_user(row, name);
    let ended = [&b"Logged out"[..], b"Disconnected", b"Connection closed"];
    if ended.iter().any(|beginning| text.starts_with(beginning)) {
        row.set(key::ACTION, Action::End);
    }
    Some(())
}
