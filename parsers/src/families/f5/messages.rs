//! BIG-IP's own messages: `[LEVEL PROCESS[pid]: ]01070638:5: text`. Eight hexadecimal digits name the sentence.
//!
//! Those of access policies begin with `PROFILE:PARTITION:SESSION: `. What is not mapped is a row of kind `other` with its text.

use schemas::{Action, EventKind, Outcome, RejectKind, Row, Transport, key};

use super::{ACCESS, REST, account, address, login, number};
use crate::lex::endpoint;
use crate::lex::text::{Cursor, present, rsplit_once, split_once, split_once_str};
use crate::{Record, Refusal};

/// A message with number and level taken off.
pub(super) struct Message<'a> {
    process: &'a [u8],
    code: &'a [u8],
    level: u8,
    text: &'a [u8],
}

/// Process, number and level, if the body is such a message.
#[inline]
pub(super) fn split<'a>(record: &Record<'a>) -> Option<Message<'a>> {
    let mut body = record.body;
    let mut process = record.header.app;
    // a level's word stands where a tag would: `notice tmm[16021]: …`
    if body.first().is_some_and(u8::is_ascii_lowercase) {
        const LEVELS: [&[u8]; 9] =
            [b"notice ", b"warning ", b"err ", b"error ", b"info ", b"debug ", b"crit ", b"alert ", b"emerg "];
        let level = LEVELS.into_iter().find(|level| body.starts_with(level))?;
        let rest = &body[level.len()..];
        // 40: the longest process with its number
        let end = rest.iter().take(40).position(|b| *b == b':')?;
        process = rest[..end].split(|b| *b == b'[').next()?;
        body = rest[end + 1..].trim_ascii_start();
    }
    let [.., b':', level @ b'0'..=b'7', b':'] = body.get(..11)? else { return None };
    let (code, text) = (&body[..8], &body[11..]);
    let coded = code.iter().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
    coded.then_some(Message { process, code, level: level - b'0', text: text.trim_ascii() })
}

/// Reads a message.
pub(super) fn message(record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Refusal> {
    let Some(message) = split(record) else { return Err(record.not_this_family("`NUMBER:LEVEL: text`")) };
    let Message { process, code, level, text } = message;
    row.log_source(&REST);
    row.set(key::KIND, EventKind::Other);
    row.text(key::EVENT_CODE, code);
    row.set(key::SEVERITY, u64::from(level));
    row.text(key::PROCESS_NAME, process);
    row.text(key::MESSAGE, text);
    let done = match code {
        b"01580002" => acl(text, row),
        b"01070638" | b"01070727" | b"01070640" | b"01070728" => monitor(text, row),
        [b'0', b'1', b'4', b'9', ..] => session(code, text, row).or(Some(())),
        b"01070417" | b"01420002" => audit(text, row).or(Some(())),
        _ => Some(()),
    };
    match done {
        Some(()) => Ok(()),
        None => Err(record.refuse(text, RejectKind::bad_value("message text", text, "the sentence of this number"))),
    }
}

/// `PROFILE:PARTITION:SESSION: `, and what follows.
fn policy<'a>(text: &'a [u8], row: &mut Row<'_>) -> Option<&'a [u8]> {
    let (head, rest) = split_once_str(text, b": ")?;
    let (profile, session) = rsplit_once(head, b':')?;
    row.text(key::SESSION_ID, session);
    row.extra_fixed("profile", profile);
    Some(rest)
}

/// `PROFILE:PARTITION:SESSION: allow ACL: NAME:n packet: tcp A:p -> B:q`.
fn acl(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    row.log_source(&ACCESS);
    row.set(key::KIND, EventKind::Flow);
    let rest = policy(text, row)?;
    let (action, rest) = split_once_str(rest, b" ACL: ")?;
    row.text(key::EVENT_ACTION, action);
    row.set(
        key::ACTION,
        match action {
            b"allow" | b"continue" => Action::Allow,
            b"reject" => Action::Reset,
            b"discard" => Action::Drop,
            b"deny" => Action::Deny,
            _ => return None,
        },
    );
    let (rule, packet) = split_once_str(rest, b" packet: ")?;
    let (name, entry) = rsplit_once(rule, b':').unwrap_or((rule, b""));
    row.text(key::RULE_NAME, name);
    row.text(key::RULE_ID, entry);
    let mut words = Cursor::new(packet);
    row.set_opt(key::TRANSPORT, Transport::parse(words.word()));
    let (ip, port) = endpoint::colon(words.word())?;
    row.set(key::SRC_IP, ip);
    row.set_opt(key::SRC_PORT, port);
    words.expect(b"-> ")?;
    let (ip, port) = endpoint::colon(words.word())?;
    row.set(key::DST_IP, ip);
    row.set_opt(key::DST_PORT, port);
    Some(())
}

/// `Pool /Common/p member /Common/B:q monitor status down. [ … ]`, `Node /Common/N address B monitor status up. …`: how a monitor
/// finds a service. It is a hint, not evidence: not every monitor opens the port.
fn monitor(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let (what, status) = split_once_str(text, b" monitor status ")?;
    let status = status.split(|b| matches!(b, b'.' | b' ')).next()?;
    row.text(key::EVENT_ACTION, status);
    if let Some((_, detail)) = split_once_str(text, b"[ ") {
        row.text(key::REASON, detail.split(|b| *b == b']').next()?.trim_ascii());
    }
    let mut words = Cursor::new(what);
    if words.take_if(b"Pool ") {
        row.extra_fixed("pool", words.word());
        words.expect(b"member ")?;
        member(words.word(), row);
    } else {
        words.expect(b"Node ")?;
        row.extra_fixed("node", words.word());
        if words.take_if(b"address ") {
            row.set_opt(key::DST_IP, address(words.word()));
        }
    }
    Some(())
}

/// `/Common/10.0.0.9:80`, `/Common/web1:80`, `/Common/2001:db8::9.80`.
fn member(name: &[u8], row: &mut Row<'_>) {
    let name = rsplit_once(name, b'/').map_or(name, |(_, name)| name);
    let found =
        if name.iter().filter(|b| **b == b':').count() > 1 { endpoint::dot(name) } else { endpoint::colon(name) };
    if let Some((ip, port)) = found {
        row.set(key::DST_IP, ip);
        row.set_opt(key::DST_PORT, port);
    } else if let Some((host, port)) = rsplit_once(name, b':') {
        row.text(key::DST_HOST, host);
        row.set_opt(key::DST_PORT, schemas::parse_port(port));
    }
}

/// The word or quoted text after `name`.
fn after<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (_, tail) = split_once_str(text, name)?;
    match tail.strip_prefix(b"'") {
        Some(quoted) => quoted.split(|b| *b == b'\'').next(),
        None => tail.split(|b| matches!(b, b' ' | b',')).next(),
    }
}

/// Sessions of access policies: where they come from, who logs in, and how they end.
fn session(code: &[u8], text: &[u8], row: &mut Row<'_>) -> Option<()> {
    row.log_source(&ACCESS);
    let rest = policy(text, row)?;
    match code {
        // `New session from client IP A (ST=…/CC=…/C=…) at VIP B Listener L (Reputation=…)`
        b"01490500" => {
            row.set(key::ACTION, Action::Start);
            row.set_opt(key::SRC_IP, after(rest, b"client IP ").and_then(address));
            row.set_opt(key::DST_IP, after(rest, b"at VIP ").and_then(address));
            row.extra_fixed("listener", after(rest, b"Listener ").unwrap_or(b""));
        }
        // `Username 'U'`
        b"01490010" => {
            let (domain, user) = account(after(rest, b"Username ")?);
            row.text(key::USER, user);
            row.text(key::USER_DOMAIN, domain);
        }
        // `AD agent: Auth (logon attempt:0): authenticate with 'U' {successful|failed}`
        b"01490017" | b"01490019" => {
            let (domain, user) = account(after(rest, b"authenticate with ")?);
            let success = rest.ends_with(b"successful");
            login(row, if success { Outcome::Success } else { Outcome::Failure });
            row.text(key::USER, user);
            row.text(key::USER_DOMAIN, domain);
            row.text(key::AUTH_METHOD, rest.split(|b| *b == b' ').next()?);
        }
        // `Access policy result: R`
        b"01490102" => {
            let (_, result) = split_once_str(rest, b"result: ")?;
            row.text(key::EVENT_ACTION, result);
            let denied = result == b"Logon_Deny";
            row.set(key::OUTCOME, if denied { Outcome::Failure } else { Outcome::Success });
        }
        // `Session deleted due to R.`
        b"01490502" | b"01490501" => {
            row.set(key::ACTION, Action::End);
            let (_, reason) = split_once_str(rest, b"due to ")?;
            row.text(key::REASON, reason.strip_suffix(b".").unwrap_or(reason));
        }
        // `Session statistics - bytes in: n, bytes out: m`; `in` is what the client sent
        b"01490521" => {
            row.set_opt(key::BYTES_OUT, after(rest, b"bytes in: ").and_then(number));
            row.set_opt(key::BYTES_IN, after(rest, b"bytes out: ").and_then(number));
        }
        _ => {}
    }
    Some(())
}

/// `AUDIT - user U - RAW: httpd(…): user=U(U) … host=A attempts=1 …`, `… User=U tty=… host=A failed to login after 1 attempts …`,
/// `AUDIT - pid=n user=U folder=/ module=(tmos)# status=[Command OK] cmd_data=C`.
fn audit(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let name = after(text, b"User=").or_else(|| after(text, b"user=")).or_else(|| after(text, b"user "))?;
    row.text(key::USER, name.split(|b| *b == b'(').next()?);
    row.set_opt(key::SRC_IP, after(text, b"host=").and_then(address));
    if let Some((_, command)) = split_once_str(text, b"cmd_data=") {
        row.text(key::PROCESS_COMMAND, command);
        return Some(());
    }
    let raw = split_once_str(text, b"RAW: ").map_or(text, |(_, raw)| raw);
    let program = split_once(raw, b'(').map_or(&b""[..], |(program, _)| program);
    if split_once_str(raw, b" failed to login").is_some() {
        login(row, Outcome::Failure);
        row.text(key::AUTH_METHOD, present(program)?);
    } else if split_once_str(raw, b" attempts=").is_some() {
        // an `end=` is written where it logs out
        if split_once_str(raw, b" end=").is_some() {
            row.set(key::ACTION, Action::End);
        } else {
            login(row, Outcome::Success);
        }
        row.text(key::AUTH_METHOD, present(program)?);
    }
    Some(())
}
