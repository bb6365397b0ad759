//! Logins, logouts and what administrators do: `SEC_LOGIN`, `SSH`, `SYS`, `AAA`, `DMI`, `PARSER`, and access to ports
//! (`DOT1X`, `MAB`, `AUTHMGR`).
//!
//! One login by SSH leaves `SSH2_USERAUTH` and `LOGIN_SUCCESS`; both are its own, as the device says, and which of them is
//! switched on differs. A session or an authorisation is no login.

use schemas::{Action, EventKind, Ip, Outcome, PortState, Row, Transport, key};

use super::end;
use crate::lex::text::{Cursor, contains, present, split_once_str};

fn auth(row: &mut Row<'_>, outcome: Outcome) {
    row.set(key::KIND, EventKind::Auth);
    row.set(key::OUTCOME, outcome);
}

/// The value of the last `[name: value]`: the device's own fields stand behind the name that somebody typed, which may
/// hold the same words.
fn bracketed<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let value = &text[memchr::memmem::rfind(text, name)? + name.len()..];
    Some(value[..memchr::memchr(b']', value)?].trim_ascii())
}

/// `[user: U] [Source: A] [localport: P] [Reason: R]`.
fn fields(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let (_, name) = split_once_str(text, b"[user: ")?;
    row.text(key::USER, name[..memchr::memmem::rfind(name, b"] [Source: ")?].trim_ascii());
    let address = bracketed(text, b"[Source: ")?;
    match Ip::parse(address) {
        Some(ip) => row.set(key::SRC_IP, ip),
        // the console
        None if address == b"LOCAL" => {}
        None => row.text(key::SRC_HOST, present(address).unwrap_or(b"")),
    }
    // 0 on the console
    if let Some(port) = schemas::parse_port(bracketed(text, b"[localport: ")?).filter(|port| *port != 0) {
        row.set(key::DST_PORT, port);
        row.set(key::TRANSPORT, Transport::TCP);
    }
    row.text(key::REASON, bracketed(text, b"[Reason: ").unwrap_or(b""));
    Some(())
}

/// `Login failed [user: …] … at HH:MM:SS ZONE Www Mmm d yyyy`. That time is in the zone of the router's display; the
/// header's is the event's.
pub(super) fn login(mnemonic: &[u8], text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let success = mnemonic == b"LOGIN_SUCCESS";
    auth(row, if success { Outcome::Success } else { Outcome::Failure });
    fields(text, row)?;
    if success && row.has(schemas::Field::DstPort) {
        row.set(key::PORT_STATE, PortState::Open);
    }
    Some(())
}

/// `Still timeleft for watching failures is N secs, [user: …] … [ACL: name] at …`: too many failures, the device lets
/// nobody in but those of the list. The end of it names no user.
pub(super) fn quiet(mnemonic: &[u8], text: &[u8], row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Other);
    row.text(key::MESSAGE, text);
    if mnemonic == b"QUIET_MODE_OFF" {
        row.fixed(key::EVENT_ACTION, "lockout ended");
        return Some(());
    }
    row.fixed(key::EVENT_ACTION, "lockout");
    fields(text, row)?;
    row.text(key::RULE_NAME, bracketed(text, b"[ACL: ").unwrap_or(b""));
    Some(())
}

/// `SSH2 Session request from A (tty = N) using … {Succeeded|Failed}`, `User 'U' authentication for SSH2 Session from A …
/// {Succeeded|Failed}`, `SSH2 Session from A (tty = N) for user 'U' using … closed`. Only the second is a login.
pub(super) fn ssh(mnemonic: &[u8], text: &[u8], row: &mut Row<'_>) -> Option<()> {
    row.fixed(key::APP_PROTO, "ssh");
    let outcome = if text.ends_with(b"Succeeded") {
        Some(Outcome::Success)
    } else if text.ends_with(b"Failed") {
        Some(Outcome::Failure)
    } else {
        None
    };
    row.set_opt(key::OUTCOME, outcome);
    if mnemonic.ends_with(b"_USERAUTH") {
        auth(row, outcome.unwrap_or(Outcome::Unknown));
    } else {
        row.set(key::ACTION, if mnemonic.ends_with(b"_CLOSE") { Action::End } else { Action::Start });
    }
    let name = split_once_str(text, b"User '").or_else(|| split_once_str(text, b"user '"));
    if let Some((_, name)) = name {
        row.text(key::USER, &name[..memchr::memchr(b'\'', name)?]);
    }
    // the last: a name may hold the same words
    let at = memchr::memmem::rfind(text, b"from ")?;
    row.set_opt(key::SRC_IP, Ip::parse(Cursor::new(&text[at + 5..]).word()));
    Some(())
}

/// `User U has exited tty session N(A)`, `(exec timer expired, tty N (A)), user U`.
pub(super) fn exit(mnemonic: &[u8], text: &[u8], row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Auth);
    row.set(key::ACTION, Action::End);
    if mnemonic == b"TTY_EXPIRE_TIMER" {
        row.set(key::ACTION, Action::Timeout);
        if let Some((_, name)) = split_once_str(text, b"), user ") {
            row.text(key::USER, name.trim_ascii());
        }
    } else if let Some((before, _)) = split_once_str(text, b" has exited") {
        row.text(key::USER, before.strip_prefix(b"User ")?);
    }
    let (_, session) = split_once_str(text, b"tty ")?;
    in_brackets(session, row)
}

/// `… by U on {vtyN (A)|console}`, after what was done: configuration, privilege, a counter.
pub(super) fn changed(mnemonic: &[u8], text: &[u8], row: &mut Row<'_>) -> Option<()> {
    if mnemonic == b"PRIV_AUTH_FAIL" {
        row.set(key::OUTCOME, Outcome::Failure);
    }
    let at = memchr::memmem::rfind(text, b" by ")?;
    let (what, tail) = (&text[..at], &text[at + 4..]);
    let (name, line) = split_once_str(tail, b" on ").unwrap_or((tail, b""));
    // `by console` names a line
    let name = name.trim_ascii();
    if name == b"console" && line.is_empty() {
        row.extra_fixed("line", name);
    } else {
        row.text(key::USER, name);
    }
    if let Some(target) = what.strip_prefix(b"User ") {
        row.extra_fixed("target_user", target.split(|b| *b == b' ').next()?);
    }
    if let Some(from) = what.strip_prefix(b"Configured from ") {
        row.extra_fixed("configured_from", from);
    }
    row.extra_fixed("line", line.split(|b| matches!(b, b' ' | b'(')).next()?);
    in_brackets(line, row)
}

/// The address in the first brackets.
fn in_brackets(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let open = memchr::memchr(b'(', text)?;
    let inside = text[open + 1..].split(|b| *b == b')').next()?;
    row.set_opt(key::SRC_IP, Ip::parse(inside));
    Some(())
}

/// `User:U  logged command:CMD`.
pub(super) fn command(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let (_, tail) = split_once_str(text, b"User:")?;
    let (name, command) = split_once_str(tail, b"logged command:")?;
    row.text(key::USER, name.trim_ascii());
    row.text(key::PROCESS_COMMAND, command.trim_ascii());
    Some(())
}

/// `user with username: U configured`, `User U locked out on authentication failure`.
pub(super) fn named(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    if let Some((_, tail)) = split_once_str(text, b"username: ") {
        row.text(key::USER, tail.split(|b| *b == b' ').next()?);
        return Some(());
    }
    let mut cursor = Cursor::new(text);
    cursor.expect(b"User ")?;
    let (name, _) = split_once_str(cursor.rest(), b" locked out")?;
    row.text(key::USER, name);
    auth(row, Outcome::Failure);
    row.fixed(key::REASON, "locked out");
    Some(())
}

/// `User 'U' authenticated successfully from A:p …`, `User 'U' failed authentication from A:p …`, `RPC 'R' invoked from A:p
/// via NETCONF user U session N`.
pub(super) fn netconf(mnemonic: &[u8], text: &[u8], row: &mut Row<'_>) -> Option<()> {
    if mnemonic != b"MODEL_RPC_I" {
        auth(row, if mnemonic == b"AUTH_PASSED" { Outcome::Success } else { Outcome::Failure });
        if let Some((_, tail)) = split_once_str(text, b"for netconf over ") {
            row.text(key::AUTH_METHOD, tail.split(|b| matches!(b, b'.' | b' ')).next()?);
        }
    }
    if let Some((_, name)) = split_once_str(text, b"User '") {
        row.text(key::USER, name.split(|b| *b == b'\'').next()?);
    } else if let Some((_, name)) = split_once_str(text, b" user ") {
        row.text(key::USER, name.split(|b| *b == b' ').next()?);
    }
    if let Some((_, command)) = split_once_str(text, b"RPC '") {
        row.text(key::PROCESS_COMMAND, command.split(|b| *b == b'\'').next()?);
    }
    let (_, tail) = split_once_str(text, b" from ")?;
    let (ip, port) = end(Cursor::new(tail).word())?;
    row.set(key::SRC_IP, ip);
    row.set_opt(key::SRC_PORT, schemas::parse_port(port));
    Some(())
}

/// `Authentication {successful|failed} for client (MAC) [with reason (R)] on Interface IF AuditSessionID X [Username: U]`.
/// AUTHMGR tells the same once more, as authorisation.
pub(super) fn port_access(facility: &[u8], text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let outcome = if contains(text, b"uccess") || contains(text, b"succeeded") {
        Some(Outcome::Success)
    } else if contains(text, b"ail") {
        Some(Outcome::Failure)
    } else {
        None
    };
    row.set_opt(key::OUTCOME, outcome);
    if matches!(facility, b"DOT1X" | b"MAB") && outcome.is_some() {
        row.set(key::KIND, EventKind::Auth);
        row.fixed(key::AUTH_METHOD, if facility == b"MAB" { "mab" } else { "dot1x" });
    }
    let value = |name: &[u8], end: &[u8]| {
        let (_, tail) = split_once_str(text, name)?;
        tail.split(|b| end.contains(b)).next()
    };
    if let Some(client) = value(b"client (", b")").filter(|client| *client != b"Unknown MAC") {
        row.text(key::SRC_MAC, client);
    }
    row.text(key::REASON, value(b"with reason (", b")").unwrap_or(b""));
    row.text(key::IN_INTERFACE, value(b"on Interface ", b" ").unwrap_or(b""));
    row.text(key::SESSION_ID, value(b"AuditSessionID ", b" ").unwrap_or(b""));
    row.text(key::USER, value(b"Username: ", b" ").unwrap_or(b""));
    Some(())
}
