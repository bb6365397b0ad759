//! Sophos UTM (Astaro): `2026:01:05-10:00:00 utm1 ulogd[4711]: id="2002" severity="info" sys="SecureNet" sub="packetfilter" …`.
//!
//! Its own header has colons in the date, so that the common syslog reading leaves it in the body. One packet a line, as
//! with netfilter, which it is made of.

use schemas::{Action, EventKind, Field, LogSource, Outcome, PortState, Row, Transport, key};

use super::Line;
use super::keys::Noted;
use crate::Record;
use crate::lex::syslog;
use crate::lex::text::{contains, decimal};
use crate::lex::time;

static PACKETS: LogSource = source("sophos_utm.packetfilter", &["firewall"], &["packetfilter"]);
static IPS: LogSource = source("sophos_utm.ips", &["ids"], &["ips"]);
static WEB: LogSource = source("sophos_utm.http", &["proxy"], &["http"]);
static LOGIN: LogSource = source("sophos_utm.auth", &["authentication"], &["auth"]);
static EVENT: LogSource = source("sophos_utm.event", &[], &["event"]);

const fn source(
    dataset: &'static str,
    categories: &'static [&'static str],
    services: &'static [&'static str],
) -> LogSource {
    LogSource { product: "UTM", products: &["sophos", "utm"], ..super::source(dataset, categories, services) }
}

/// Whether a line's beginning is one of UTM.
pub(super) fn is_utm(head: &[u8]) -> bool {
    let head = &head[..head.len().min(200)];
    contains(head, b"id=\"") && contains(head, b"\" severity=\"") && contains(head, b"\" sys=\"S")
}

/// Takes UTM's own header off, if there is one: the record behind it, and its time.
pub(super) fn without_header<'a>(record: &Record<'a>) -> (Record<'a>, Option<i64>) {
    let mut record = record.clone();
    let body = record.body;
    let Some(stamp) = body.get(..19).filter(|stamp| stamp[4] == b':' && stamp[7] == b':' && stamp[10] == b'-') else {
        return (record, None);
    };
    let mut text = [0; 19];
    text.copy_from_slice(stamp);
    (text[4], text[7], text[10]) = (b'-', b'-', b' ');
    let Some(us) = time::iso(&text).and_then(|(stamp, _)| record.time.resolve(&stamp)) else {
        return (record, None);
    };
    let rest = body[19..].trim_ascii_start();
    let length = rest.iter().take(255).position(|byte| *byte == b' ').unwrap_or(0);
    let (host, rest) = rest.split_at(length);
    record.header.host = host;
    // the tag: `ulogd[4711]:`
    let (tag, at) = syslog::header(rest.trim_ascii_start(), record.time);
    if !tag.app.is_empty() {
        (record.header.app, record.header.pid) = (tag.app, tag.pid);
        record.body = &rest.trim_ascii_start()[at..];
    }
    (record, Some(us))
}

pub(super) fn judge(line: &Line<'_, '_>, row: &mut Row<'_>) {
    row.text(key::HOST, line.record.header.host);
    row.text(key::EVENT_CODE, line.note(Noted::Id));
    row.text(key::EVENT_ACTION, line.note(Noted::Action));
    row.text(key::MESSAGE, line.note(Noted::Name));
    row.text(key::USER, line.note(Noted::User));
    let subsystem = line.note(Noted::Subsystem);
    row.extra_fixed("sub", subsystem);
    line.set_transport(row);
    let action = match line.note(Noted::Action) {
        b"accept" | b"pass" | b"log" => Some(Action::Allow),
        b"drop" => Some(Action::Drop),
        b"reject" => Some(Action::Reset),
        b"block" => Some(Action::Deny),
        b"alert" => Some(Action::Alert),
        _ => None,
    };
    row.set_opt(key::ACTION, action);
    match subsystem {
        b"packetfilter" => {
            row.log_source(&PACKETS);
            row.set(key::KIND, EventKind::Flow);
            if let Some(length) = decimal(line.note(Noted::Length)) {
                row.set(key::BYTES_OUT, length);
                row.set(key::PACKETS_OUT, 1);
            }
            let opens = match row.get(key::TRANSPORT) {
                Some(Transport::TCP) => row.get_text(key::TCP_FLAGS) == Some(b"SYN"),
                Some(Transport::UDP) => true,
                _ => false,
            };
            if opens && matches!(action, Some(Action::Drop | Action::Reset)) {
                row.set(key::PORT_STATE, PortState::Filtered);
            }
        }
        b"ips" => {
            row.log_source(&IPS);
            row.set(key::KIND, EventKind::Alert);
            if let Some(reason) = row.get(key::REASON) {
                row.set(key::SIGNATURE, reason);
            }
        }
        b"http" => {
            row.log_source(&WEB);
            row.set(key::KIND, EventKind::Flow);
        }
        b"auth" => {
            row.log_source(&LOGIN);
            row.set(key::KIND, EventKind::Auth);
            let name = line.note(Noted::Name);
            let outcome = if contains(name, b"successful") {
                Some(Outcome::Success)
            } else if contains(name, b"failed") {
                Some(Outcome::Failure)
            } else {
                None
            };
            row.set_opt(key::OUTCOME, outcome);
        }
        _ => {
            row.log_source(&EVENT);
            row.set(key::KIND, EventKind::Other);
        }
    }
    if subsystem != b"packetfilter" && !row.has(Field::BytesOut) {
        row.extra_fixed("length", line.note(Noted::Length));
    }
}
