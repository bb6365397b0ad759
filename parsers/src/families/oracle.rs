//! Oracle Database: the listener's log, and the audit that the database writes to syslog.
//!
//! ```text
//! 04-MAY-2026 09:12:31 * (CONNECT_DATA=(SERVICE_NAME=orcl)(CID=(PROGRAM=sqlplus)(HOST=ws7)(USER=ann))) *
//!     (ADDRESS=(PROTOCOL=tcp)(HOST=192.0.2.10)(PORT=50111)) * establish * orcl * 0
//! LENGTH: "160" ACTION:[7] "CONNECT" DATABASE USER:[3] "SYS" … RETURNCODE:[4] "1017"
//! ```
//! The listener only hands connections on: it knows where they come from, not whether the login succeeds. The audit knows that, but
//! often not the address. What stands in `CID` is the client's own word (extras). Sources: Oracle, "Net Services Administrator's
//! Guide", "Listener log audit trail"; "Security Guide", "Syslog audit trail".

use schemas::{Action, EventKind, Initiator, LogSource, Outcome, PortState, Row, Transport, key};

use crate::lex::text::{Cursor, contains, decimal, port, split_once, split_once_str};
use crate::logins::{attempt, beside, set_source};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, set_time};

/// The family.
pub struct Family;

const fn source(dataset: &'static str, categories: &'static [&'static str]) -> LogSource {
    LogSource {
        family: "oracle",
        vendor: "Oracle",
        product: "Oracle Database",
        dataset,
        categories,
        products: &["oracle"],
        services: &["oracle"],
    }
}

static CONNECTION: LogSource = source("oracle.listener", &["network_connection"]);
static LISTENER: LogSource = source("oracle.listener", &[]);
static LOGIN: LogSource = source("oracle.audit", &["authentication"]);
static AUDIT: LogSource = source("oracle.audit", &[]);

/// `04-MAY-2026 09:12:31 * …`: the time and what follows it.
fn listener(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let [_, _, b'-', _, _, _, b'-', _, _, _, _, b' ', _, _, b':', _, _, b':', _, _, b' ', b'*', b' ', rest @ ..] = line
    else {
        return None;
    };
    Some((&line[..20], rest))
}

/// The audit's text, wherever it begins.
fn audit(body: &[u8]) -> Option<&[u8]> {
    let head = &body[..body.len().min(80)];
    let at = memchr::memmem::find(head, b"LENGTH")
        .filter(|_| contains(body, b"ACTION") && contains(body, b"DATABASE USER"))?;
    Some(&body[at..])
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "oracle"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["oracle_listener", "oracle_audit"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        if listener(record.line).is_some() {
            return Some(Confidence::Certain);
        }
        let may = matches!(record.body.first(), Some(b'O' | b'L'))
            && (record.body.starts_with(b"Oracle ") || record.body.starts_with(b"LENGTH"));
        may.then(|| audit(record.body)).flatten().map(|_| Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let strange = || {
            record.not_this_family(
                "`DD-MON-YYYY HH:MM:SS * … * CODE` of the listener, or `LENGTH … ACTION …` of the audit",
            )
        };
        if let Some((time, text)) = listener(record.line) {
            record.forget_host(row);
            if let Some(us) = record.time.day_first(time) {
                set_time(row, us);
            }
            row.text(key::MESSAGE, text);
            listened(text, row).ok_or_else(strange)?;
            return Ok(Parsed::Events);
        }
        let text = audit(record.body).ok_or_else(strange)?;
        row.text(key::MESSAGE, text);
        audited(text, row);
        Ok(Parsed::Events)
    }
}

/// What stands in the innermost `(NAME=…)`.
fn inside<'a>(text: &'a [u8], name: &[u8]) -> &'a [u8] {
    split_once_str(text, name)
        .and_then(|(_, rest)| rest.split(|byte| matches!(byte, b'(' | b')')).next())
        .unwrap_or_default()
}

/// `CONNECT_DATA[ * ADDRESS] * EVENT[ * SERVICE] * CODE`.
fn listened(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let mut parts = [&b""[..]; 5];
    let mut count = 0;
    let mut rest = Some(text);
    while let Some(text) = rest {
        let (part, more) = split_once_str(text, b" * ").map_or((text, None), |(part, more)| (part, Some(more)));
        *parts.get_mut(count)? = part.trim_ascii();
        count += 1;
        rest = more;
    }
    let code = parts[count.checked_sub(1)?];
    decimal(code)?;
    let failed = code != b"0";
    if failed {
        row.text(key::STATUS_CODE, code);
    }
    for (name, extra) in [
        (&b"(PROGRAM="[..], "client_program"),
        (b"(USER=", "client_user"),
        (b"(SERVICE_NAME=", "service_name"),
        (b"(SID=", "sid"),
    ] {
        row.extra_fixed(extra, inside(parts[0], name));
    }
    let address = parts[1];
    if !address.starts_with(b"(ADDRESS=") {
        beside(row, &LISTENER, Some(if failed { Outcome::Failure } else { Outcome::Success }));
        row.text(key::EVENT_ACTION, parts[usize::from(parts[0].starts_with(b"("))]);
        return Some(());
    }
    row.log_source(&CONNECTION);
    row.set(key::KIND, EventKind::Flow);
    row.text(key::EVENT_ACTION, parts[2]);
    row.set(key::ACTION, if failed { Action::Deny } else { Action::Start });
    row.set(key::INITIATOR, Initiator::Source);
    row.fixed(key::APP_PROTO, "oracle-tns");
    set_source(row, inside(address, b"(HOST="));
    row.set_opt(key::SRC_PORT, port(inside(address, b"(PORT=")));
    if inside(address, b"(PROTOCOL=").starts_with(b"tcp") {
        row.set(key::TRANSPORT, Transport::TCP);
        row.set(key::PORT_STATE, PortState::Open);
    }
    Some(())
}

/// `NAME:[LENGTH] "VALUE" NAME:[LENGTH] "VALUE" …`; some versions write `NAME :[LENGTH] 'VALUE'`.
fn audited(text: &[u8], row: &mut Row<'_>) {
    let mut cursor = Cursor::new(text);
    let (mut action, mut code): (&[u8], &[u8]) = (b"", b"");
    while let Some(name) = cursor.until(b':') {
        let name = name.trim_ascii();
        if cursor.take_if(b"[") && cursor.until(b']').is_none() {
            break;
        }
        cursor.skip_blanks();
        let Some(quote @ (b'"' | b'\'')) = cursor.peek() else { continue };
        cursor.skip(1);
        let Some(value) = cursor.until(quote) else { break };
        match name {
            b"ACTION" => action = value,
            b"RETURNCODE" | b"STATUS" => code = value,
            b"DATABASE USER" | b"USERID" => row.text(key::USER, value),
            b"CLIENT USER" => row.extra_fixed("client_user", value),
            b"CLIENT TERMINAL" => row.extra_fixed("terminal", value),
            b"USERHOST" => set_source(row, value),
            b"PRIVILEGE" => row.extra_fixed("privilege", value),
            b"SESSIONID" => row.text(key::SESSION_ID, value),
            // `Authenticated by: DATABASE; Client address: (ADDRESS=(PROTOCOL=tcp)(HOST=192.0.2.10)(PORT=50111))`
            b"COMMENT$TEXT" if contains(value, b"(HOST=") => {
                set_source(row, inside(value, b"(HOST="));
                row.set_opt(key::SRC_PORT, port(inside(value, b"(PORT=")));
            }
            _ => {}
        }
    }
    let outcome = match code {
        b"" => Outcome::Unknown,
        b"0" => Outcome::Success,
        _ => Outcome::Failure,
    };
    // 100 is a logon
    if matches!(action, b"CONNECT" | b"100" | b"LOGON") {
        attempt(row, &LOGIN, outcome);
    } else {
        beside(row, &AUDIT, Some(outcome));
    }
    row.text(key::EVENT_ACTION, action);
    if outcome == Outcome::Failure {
        row.text(key::STATUS_CODE, code);
    }
    match split_once(code, b'-').map_or(code, |(_, number)| number) {
        b"1017" => row.fixed(key::REASON, "bad name or password"),
        b"28000" => row.fixed(key::REASON, "account locked"),
        b"28001" => row.fixed(key::REASON, "password expired"),
        _ => {}
    }
}
