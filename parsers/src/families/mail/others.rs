//! Exim, Sendmail, Courier and Cyrus: their logins.

use memchr::memmem;
use schemas::{Action, Ip, Outcome, PortState, Row, key};

use super::{OTHER, OTHER_LOGIN, peer, set_client};
use crate::lex::text::{Cursor, port, split_once, split_once_str};
use crate::logins::{attempt, beside, set_service, set_source, set_user};

/// `NAME authenticator failed for [HOST ](HELO) [ADDRESS][:PORT] [I=[LOCAL]:PORT]: 535 TEXT (set_id=USER)`. Name and HELO are
/// the client's, so the ends are looked for from the right, before the answer.
pub(super) fn exim(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let (method, rest) = split_once_str(text, b" authenticator failed for ")?;
    let answer = memmem::rfind(rest, b": 5").or_else(|| memmem::rfind(rest, b": 4"))?;
    let (ends, answer) = (&rest[..answer], &rest[answer + 2..]);
    attempt(row, &OTHER_LOGIN, Outcome::Failure);
    row.text(key::MESSAGE, text);
    row.text(key::AUTH_METHOD, method);
    row.text(key::STATUS_CODE, Cursor::new(answer).word());
    match memmem::rfind(answer, b" (set_id=") {
        Some(at) => {
            set_user(row, answer[at + 9..].strip_suffix(b")").unwrap_or(&answer[at + 9..]));
            row.text(key::REASON, answer[..at].get(4..).unwrap_or_default());
        }
        None => row.text(key::REASON, answer.get(4..).unwrap_or_default()),
    }
    let (remote, local) = match memmem::rfind(ends, b" I=[") {
        Some(at) => (&ends[..at], &ends[at + 3..]),
        None => (ends, &b""[..]),
    };
    if let Some(local) = peer(local) {
        row.set(key::DST_IP, local.ip);
        row.set_opt(key::DST_PORT, local.port);
    }
    let at = memmem::rfind(remote, b"[")?;
    set_client(row, &peer(&remote[at..])?);
    set_service(row, "smtp");
    row.set(key::PORT_STATE, PortState::Open);
    Some(())
}

/// `[QUEUE-ID: ]AUTH failure (MECH): …, [user=U, ]relay=NAME [ADDRESS]`, `AUTH=server, relay=NAME [ADDRESS], authid=U, mech=M`.
pub(super) fn sendmail(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    row.text(key::MESSAGE, text);
    let (_, relay) = split_once_str(text, b"relay=")?;
    let failed = memmem::find(text, b"AUTH failure (");
    if let Some(at) = failed {
        attempt(row, &OTHER_LOGIN, Outcome::Failure);
        let (method, rest) = split_once(&text[at + b"AUTH failure (".len()..], b')')?;
        row.text(key::AUTH_METHOD, method);
        let rest = rest.strip_prefix(b": ").unwrap_or(rest);
        row.text(key::REASON, rest.split(|byte| matches!(byte, b'(' | b',')).next().unwrap_or_default().trim_ascii());
        if let Some((_, name)) = split_once_str(rest, b", user=") {
            set_user(row, name.split(|byte| *byte == b',').next().unwrap_or_default());
        }
    } else if text.starts_with(b"AUTH=server") {
        attempt(row, &OTHER_LOGIN, Outcome::Success);
        for (mark, field) in [(&b"authid="[..], key::USER), (b"mech=", key::AUTH_METHOD)] {
            if let Some((_, value)) = split_once_str(relay, mark) {
                row.text(field, value.split(|byte| *byte == b',').next().unwrap_or_default());
            }
        }
    } else {
        beside(row, &OTHER, None);
        return Some(());
    }
    // `NAME [ADDRESS]`, `[ADDRESS] (may be forged)`
    let relay = relay.split(|byte| *byte == b',').next().unwrap_or(relay);
    let (name, rest) = split_once(relay, b'[')?;
    row.set_opt(key::SRC_IP, Ip::parse(split_once(rest, b']')?.0));
    row.text(key::SRC_HOST, name.trim_ascii());
    set_service(row, "smtp");
    row.set(key::PORT_STATE, PortState::Open);
    Some(())
}

/// `LOGIN FAILED, [method=M, ]user=U, ip=[ADDRESS]`, `LOGIN, user=U, ip=[ADDRESS], port=[N], protocol=IMAP`, `LOGOUT, …`.
pub(super) fn courier(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    row.text(key::MESSAGE, text);
    let (said, fields) = split_once_str(text, b", ")?;
    match said {
        b"LOGIN FAILED" => attempt(row, &OTHER_LOGIN, Outcome::Failure),
        b"LOGIN" => attempt(row, &OTHER_LOGIN, Outcome::Success),
        b"LOGOUT" | b"TIMEOUT" | b"DISCONNECTED" => {
            beside(row, &OTHER, None);
            row.set(key::ACTION, Action::End);
        }
        _ => return None,
    }
    // a name may hold all but the brackets behind it
    let at = memmem::rfind(fields, b"ip=[")?;
    let (address, rest) = split_once(&fields[at + 4..], b']')?;
    set_source(row, address);
    if let Some((_, number)) = split_once_str(rest, b"port=[") {
        row.set_opt(key::SRC_PORT, port(split_once(number, b']')?.0));
    }
    let before = fields[..at].strip_suffix(b", ").unwrap_or(&fields[..at]);
    if let Some((_, name)) = split_once_str(before, b"user=") {
        set_user(row, name);
    }
    if let Some((_, method)) = split_once_str(before, b"method=") {
        row.text(key::AUTH_METHOD, method.split(|byte| *byte == b',').next().unwrap_or_default());
    }
    row.set(key::PORT_STATE, PortState::Open);
    Some(())
}

/// `badlogin: NAME [ADDRESS] MECH [USER ]SASL(-13): TEXT`, `login: NAME [ADDRESS] USER MECH[+TLS] User logged in`.
pub(super) fn cyrus(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    row.text(key::MESSAGE, text);
    let (said, rest) = split_once_str(text, b": ")?;
    let failed = match said {
        b"badlogin" => true,
        b"login" => false,
        _ => return None,
    };
    let (name, rest) = split_once(rest, b'[')?;
    let (address, rest) = split_once_str(rest, b"] ")?;
    attempt(row, &OTHER_LOGIN, if failed { Outcome::Failure } else { Outcome::Success });
    row.set_opt(key::SRC_IP, Ip::parse(address));
    row.text(key::SRC_HOST, name.trim_ascii());
    row.set(key::PORT_STATE, PortState::Open);
    let mut cursor = Cursor::new(rest);
    if failed {
        row.text(key::AUTH_METHOD, cursor.word());
        let at = memmem::rfind(cursor.rest(), b"SASL(").or_else(|| memmem::find(cursor.rest(), b"["));
        let (name, why) = cursor.rest().split_at(at.unwrap_or(cursor.rest().len()));
        set_user(row, name);
        row.text(key::REASON, split_once_str(why, b": ").map_or(why, |(_, why)| why));
    } else {
        set_user(row, cursor.word());
        row.text(key::AUTH_METHOD, cursor.word());
    }
    Some(())
}
