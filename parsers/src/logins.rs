//! What the families of login servers share: how an attempt is counted, and how its ends are written.
//!
//! Beside `families/` and not in it, since a family knows no other; and not in `lex/`, which knows no columns.
//!
//! One attempt often leaves several lines. The one that is written once per attempt is of kind `auth`; the others keep
//! their outcome and their fields but are of kind `other`, so that counting logins counts attempts.

use schemas::{EventKind, Ip, LogSource, Outcome, Row, Transport, key};

use crate::lex::text::present;

pub use crate::lex::endpoint::end;

/// An attempt that is counted.
#[inline]
pub fn attempt(row: &mut Row<'_>, source: &'static LogSource, outcome: Outcome) {
    row.log_source(source);
    row.set(key::KIND, EventKind::Auth);
    row.set(key::OUTCOME, outcome);
}

/// A line beside the one that is counted.
#[inline]
pub fn beside(row: &mut Row<'_>, source: &'static LogSource, outcome: Option<Outcome>) {
    row.log_source(source);
    row.set(key::KIND, EventKind::Other);
    row.set_opt(key::OUTCOME, outcome);
}

/// A remote end as an address, else as a name; `UNKNOWN`, `?` and empty are absent.
#[inline]
pub fn set_source(row: &mut Row<'_>, text: &[u8]) {
    let text = text.trim_ascii();
    match Ip::parse(text) {
        Some(ip) => row.set(key::SRC_IP, ip),
        None => row.text(key::SRC_HOST, name(text)),
    }
}

/// The same for the end that was called.
#[inline]
pub fn set_destination(row: &mut Row<'_>, text: &[u8]) {
    let text = text.trim_ascii();
    match Ip::parse(text) {
        Some(ip) => row.set(key::DST_IP, ip),
        None => row.text(key::DST_HOST, name(text)),
    }
}

/// An end that was called, written as `ADDRESS:PORT` ([`end`]).
#[inline]
pub fn set_destination_end(row: &mut Row<'_>, text: &[u8]) {
    let (address, number) = end(text);
    set_destination(row, address);
    row.set_opt(key::DST_PORT, number);
}

/// The name of a host, unless it is one of the marks for none.
fn name(text: &[u8]) -> &[u8] {
    if text.eq_ignore_ascii_case(b"unknown") || text == b"?" { b"" } else { present(text).unwrap_or_default() }
}

/// A user's name; what stands in its place where the program hides it is absent.
#[inline]
pub fn set_user(row: &mut Row<'_>, name: &[u8]) {
    let name = name.trim_ascii();
    let hidden = name.starts_with(b"<invalid") || (!name.is_empty() && name.iter().all(|byte| *byte == b'*'));
    if !hidden {
        row.text(key::USER, name);
    }
}

/// The service that was called answered over TCP, in this application protocol.
#[inline]
pub fn set_service(row: &mut Row<'_>, protocol: &'static str) {
    row.set(key::TRANSPORT, Transport::TCP);
    row.fixed(key::APP_PROTO, protocol);
}
