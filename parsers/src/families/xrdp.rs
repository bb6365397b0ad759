//! xrdp and its session manager: `xrdp.log`, `xrdp-sesman.log`, syslog.
//!
//! `[20260504-09:12:31] [INFO ] AUTHFAIL: user=U ip=::ffff:192.0.2.10 time=1777885951`. The user writes his name himself, so the
//! address is the last one. A login counts where the session manager refuses it (`AUTHFAIL`) or makes or finds the session.
//! Sources: neutrinolabs/xrdp, `sesman/*.c`, `libxrdp`, `common/log.c`, `common/os_calls.c`.

use memchr::memmem;
use schemas::{Action, EventKind, LogSource, Outcome, PortState, Row, Transport, key};

use crate::lex::text::{Cursor, contains, decimal, port, split_once, split_once_str};
use crate::lex::time::{self, Civil, Stamp};
use crate::logins::{attempt, beside, end, set_service, set_source, set_user};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, set_time};

/// The family.
pub struct Family;

const fn source(categories: &'static [&'static str]) -> LogSource {
    LogSource {
        family: "xrdp",
        vendor: "xrdp",
        product: "xrdp",
        dataset: "xrdp.log",
        categories,
        products: &["linux"],
        services: &["xrdp"],
    }
}

static LOGIN: LogSource = source(&["authentication"]);
static REST: LogSource = source(&[]);

impl Parser for Family {
    fn name(&self) -> &'static str {
        "xrdp"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["xrdp_sesman", "sesman"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        if record.header.app.starts_with(b"xrdp") {
            return (!record.body.starts_with(b"pam_")).then_some(Confidence::Certain);
        }
        // `[20260504-09:12:31] [`: nobody else writes its date so
        let own = matches!(
            record.line,
            [b'[', b'2', _, _, _, _, _, _, _, b'-', _, _, b':', _, _, b':', _, _, b']', b' ', b'[', ..]
        );
        if own {
            return Some(Confidence::Certain);
        }
        let newer = matches!(record.line, [b'[', b'2', _, _, _, b'-', _, _, b'-', _, _, b'T', ..])
            && contains(&record.line[..record.line.len().min(40)], b"] [INFO ] ");
        newer.then_some(Confidence::Possible)
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let of_syslog = record.header.app.starts_with(b"xrdp");
        row.text(key::PROCESS_NAME, record.header.app);
        row.set_opt(key::PROCESS_ID, decimal(record.header.pid));
        let mut text = record.body.trim_ascii();
        let (own, rest) = bracketed(text).unwrap_or((b"", text));
        let stamp = stamp(own);
        if let Some(stamp) = &stamp {
            text = rest;
            if let Some(us) = record.time.resolve(stamp) {
                set_time(row, us);
            }
        } else if !of_syslog {
            return Err(record.not_this_family("`[YYYYMMDD-HH:MM:SS] [LEVEL] TEXT`, or xrdp's tag"));
        }
        if let Some((level, rest)) = bracketed(text) {
            row.text(key::LEVEL, level.trim_ascii());
            text = rest;
        }
        row.text(key::MESSAGE, text);
        if message(text, of_syslog && record.header.time_us.is_none() || stamp.is_none(), row).is_none() {
            beside(row, &REST, None);
        }
        Ok(Parsed::Events)
    }
}

/// `[INSIDE] REST`.
fn bracketed(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (inside, rest) = split_once(text.strip_prefix(b"[")?, b']')?;
    Some((inside, rest.trim_ascii_start()))
}

/// `20260504-09:12:31`, or ISO 8601 as newer versions write it.
fn stamp(text: &[u8]) -> Option<Stamp> {
    if let [_, _, _, _, _, _, _, _, b'-', _, _, b':', _, _, b':', _, _] = text {
        let number = |from: usize, to: usize| decimal(&text[from..to]);
        let small = |from: usize| number(from, from + 2).and_then(|number| u8::try_from(number).ok());
        let civil = Civil {
            year: Some(i32::try_from(number(0, 4)?).ok()?),
            month: small(4).filter(|month| (1..=12).contains(month))?,
            day: small(6).filter(|day| (1..=31).contains(day))?,
            hour: small(9).filter(|hour| *hour < 24)?,
            minute: small(12).filter(|minute| *minute < 60)?,
            second: small(15).filter(|second| *second <= 60)?,
            micro: 0,
        };
        return Some(Stamp { civil, offset: None });
    }
    time::iso(text).filter(|(_, length)| *length == text.len()).map(|(stamp, _)| stamp)
}

/// Reads a sentence. `None` if it says nothing about a login or an end.
fn message(text: &[u8], without_time: bool, row: &mut Row<'_>) -> Option<()> {
    if let Some(rest) = text.strip_prefix(b"AUTHFAIL: user=") {
        let at = memmem::rfind(rest, b" ip=")?;
        attempt(row, &LOGIN, Outcome::Failure);
        set_user(row, &rest[..at]);
        let mut cursor = Cursor::new(&rest[at + 4..]);
        set_source(row, cursor.word());
        if cursor.take_if(b"time=") && without_time && !row.has(schemas::Field::Time) {
            row.set_opt(key::TIME, time::epoch(cursor.word()));
        }
        answered(row);
        return Some(());
    }
    if let Some((what, rest)) = split_once_str(text, b" session")
        && let Some(what) = what.strip_prefix(b"++ ")
    {
        match what {
            b"created" | b"reconnected" => attempt(row, &LOGIN, Outcome::Success),
            b"terminated" => beside(row, &REST, None),
            _ => return None,
        }
        row.set(key::ACTION, if what == b"terminated" { Action::End } else { Action::Start });
        row.text(key::EVENT_ACTION, what);
        let (_, fields) = split_once_str(rest, b"username ")?;
        // `USER, [display :10.0, session_pid 1, ]ip ADDRESS:PORT - socket: 12`
        let at = memmem::rfind(fields, b", ip ")?;
        let name = split_once_str(&fields[..at], b", display ").map_or(&fields[..at], |(name, _)| name);
        set_user(row, name);
        if let Some((_, pid)) = split_once_str(&fields[..at], b"session_pid ") {
            row.extra_fixed("session_pid", pid.split(|byte| *byte == b',').next().unwrap_or_default());
        }
        let (address, number) = end(Cursor::new(&fields[at + 5..]).word());
        set_source(row, address);
        row.set_opt(key::SRC_PORT, number);
        answered(row);
        return Some(());
    }
    for (beginning, outcome) in [
        (&b"login failed for user "[..], Outcome::Failure),
        (b"Username or password error for user: ", Outcome::Failure),
        (b"Access permitted for user: ", Outcome::Success),
        (b"Access denied for user: ", Outcome::Failure),
        (b"login successful for user ", Outcome::Success),
    ] {
        if let Some(rest) = text.strip_prefix(beginning) {
            beside(row, &REST, Some(outcome));
            set_user(row, split_once_str(rest, b" on display").map_or(rest, |(name, _)| name));
            return Some(());
        }
    }
    if let Some((_, rest)) = split_once_str(text, b" connection received from ")
        .or_else(|| split_once_str(text, b" connection accepted from AF_INET "))
        .or_else(|| split_once_str(text, b" connection accepted from AF_INET6 "))
    {
        beside(row, &REST, None);
        row.set(key::ACTION, Action::Start);
        let mut cursor = Cursor::new(rest);
        set_source(row, cursor.word());
        if cursor.take_if(b"port ") {
            row.set_opt(key::SRC_PORT, port(cursor.word()));
        }
        answered(row);
        return Some(());
    }
    let rest = text.strip_prefix(b"listening to port ")?;
    let mut cursor = Cursor::new(rest);
    row.log_source(&REST);
    row.set(key::KIND, EventKind::Listener);
    row.set(key::TRANSPORT, Transport::TCP);
    row.set_opt(key::DST_PORT, port(cursor.word()));
    row.set(key::PORT_STATE, PortState::Open);
    if cursor.take_if(b"on ") {
        row.extra_fixed("listen_address", cursor.word());
    }
    Some(())
}

fn answered(row: &mut Row<'_>) {
    set_service(row, "rdp");
    row.set(key::PORT_STATE, PortState::Open);
}
