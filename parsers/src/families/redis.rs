//! Redis and Valkey: the server's log.
//!
//! `1234:M 04 May 2026 09:12:31.004 * TEXT`. Refused passwords are not written to it; clients are, at debug level, and those
//! that speak another protocol. Entries of `ACL LOG` that a collector writes with this head are read as refused logins.
//! Source: redis `src/server.c`, `src/networking.c`, `src/acl.c`.

use schemas::{Action, EventKind, LogSource, Outcome, PortState, Row, Transport, key};

use crate::lex::text::{Cursor, contains, decimal, port, split_once, split_once_str};
use crate::logins::{attempt, beside, end, set_service, set_source};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, set_time};

/// The family.
pub struct Family;

const fn source(categories: &'static [&'static str]) -> LogSource {
    LogSource {
        family: "redis",
        vendor: "Redis",
        product: "Redis",
        dataset: "redis.log",
        categories,
        products: &["redis", "linux"],
        services: &["redis"],
    }
}

static LOGIN: LogSource = source(&["authentication"]);
static REST: LogSource = source(&[]);

/// Process number, role, time, mark and text.
fn parts(line: &[u8]) -> Option<[&[u8]; 5]> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = line.get(digits..)?;
    // master, replica, child, sentinel
    let [b':', role @ (b'M' | b'S' | b'C' | b'X'), b' ', rest @ ..] = rest else { return None };
    // `04 May 2026 09:12:31.004`
    let (time, rest) = rest.split_at_checked(24)?;
    let [b' ', mark @ (b'.' | b'-' | b'*' | b'#'), b' ', text @ ..] = rest else { return None };
    (digits > 0).then(|| [&line[..digits], std::slice::from_ref(role), time, std::slice::from_ref(mark), text])
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["valkey"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        if matches!(record.header.app, b"redis" | b"redis-server" | b"valkey-server") {
            return Some(Confidence::Certain);
        }
        parts(record.line).map(|_| Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let of_syslog = matches!(record.header.app, b"redis" | b"redis-server" | b"valkey-server");
        set_service(row, "redis");
        let text = match parts(if of_syslog { record.body } else { record.line }) {
            Some([pid, role, time, mark, text]) => {
                if !of_syslog {
                    record.forget_host(row);
                }
                if let Some(us) = record.time.day_first(time) {
                    set_time(row, us);
                }
                row.set_opt(key::PROCESS_ID, decimal(pid));
                row.extra_fixed("role", role);
                row.fixed(
                    key::LEVEL,
                    match mark {
                        b"." => "debug",
                        b"-" => "verbose",
                        b"*" => "notice",
                        _ => "warning",
                    },
                );
                text
            }
            None if of_syslog => record.body,
            None => return Err(record.not_this_family("`PID:ROLE DD Mon YYYY HH:MM:SS.mmm * TEXT`")),
        };
        let text = text.trim_ascii();
        row.text(key::MESSAGE, text);
        if message(text, row).is_none() {
            beside(row, &REST, None);
        }
        Ok(Parsed::Events)
    }
}

fn client(text: &[u8], row: &mut Row<'_>) {
    let (address, number) = end(text);
    set_source(row, address);
    row.set_opt(key::SRC_PORT, number);
    row.set(key::PORT_STATE, PortState::Open);
}

/// Reads a text. `None` if it says nothing about a login or an end.
fn message(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    if let Some(rest) = text.strip_prefix(b"Accepted ") {
        beside(row, &REST, None);
        row.set(key::ACTION, Action::Start);
        client(Cursor::new(rest).word(), row);
        return Some(());
    }
    if text.starts_with(b"Possible SECURITY ATTACK detected.") {
        beside(row, &REST, None);
        row.set(key::ACTION, Action::Deny);
        row.fixed(key::REASON, "another protocol");
        if let Some((_, rest)) = split_once_str(text, b"Connection from ") {
            client(Cursor::new(rest).word(), row);
        }
        return Some(());
    }
    // `reason auth … username "U" … client-info "id=3 addr=192.0.2.10:50111 laddr=… "`
    if let Some((_, info)) = split_once_str(text, b"client-info \"") {
        let refused = contains(text, b"reason auth") || contains(text, b"\"reason\" \"auth\"");
        if refused {
            attempt(row, &LOGIN, Outcome::Failure);
        } else {
            beside(row, &REST, Some(Outcome::Failure));
        }
        for word in info.split(|byte| *byte == b' ') {
            match split_once(word, b'=') {
                Some((b"addr", address)) => client(address, row),
                Some((b"laddr", address)) => crate::logins::set_destination_end(row, address),
                _ => {}
            }
        }
        if let Some((_, name)) = split_once_str(text, b"username ") {
            let name = name.strip_prefix(b"\"").unwrap_or(name);
            row.text(key::USER, name.split(|byte| matches!(byte, b'"' | b' ')).next().unwrap_or_default());
        }
        return Some(());
    }
    let (_, number) = text.starts_with(b"Running mode=").then(|| split_once_str(text, b"port=")).flatten()?;
    row.log_source(&REST);
    row.set(key::KIND, EventKind::Listener);
    row.set(key::TRANSPORT, Transport::TCP);
    row.set(key::DST_PORT, port(number.split(|byte| matches!(byte, b'.' | b',')).next()?).filter(|port| *port > 0)?);
    row.set(key::PORT_STATE, PortState::Open);
    Some(())
}
