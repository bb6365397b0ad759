//! Samba: `log.smbd` and the like, syslog, and the JSON of its audit classes.
//!
//! A message has two lines: `[2026/05/04 09:12:31.004217,  2] FILE(FUNCTION)` and, indented, the text. Only the first has a
//! time, so it is remembered for the texts that follow. The audit's line (`Auth: […] user […] … status […]`) and its JSON say
//! everything and count as a login; `check_ntlm_password` tells of the same attempt and stands beside it. Source: samba,
//! `auth/auth_log.c`, `source3/auth/auth.c`, `lib/util/debug.c`.

use schemas::{EventKind, LogSource, Outcome, PortState, RejectKind, Row, Transport, key};

use crate::detect::Keys;
use crate::document::{self, Notes, Paths, notes};
use crate::lex::json::Value;
use crate::lex::text::{contains, decimal, present, split_once, split_once_str};
use crate::lex::time;
use crate::logins::{attempt, beside, end, set_destination_end, set_source};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, Shape, set_time};

/// The family.
pub struct Family;

const fn source(dataset: &'static str, categories: &'static [&'static str]) -> LogSource {
    LogSource {
        family: "samba",
        vendor: "Samba",
        product: "Samba",
        dataset,
        categories,
        products: &["linux", "samba"],
        services: &["samba", "smb"],
    }
}

static LOGIN: LogSource = source("samba.auth", &["authentication"]);
static REST: LogSource = source("samba.log", &[]);

/// The time of the last line that had one.
#[derive(Default)]
struct Last {
    time_us: Option<i64>,
}

notes! {
    Timestamp, Type, Status, Local, Remote, Service, AuthDescription, ClientDomain, ClientAccount, Workstation, MappedDomain, MappedAccount,
    PasswordType, LogonType, EventId, Domain, Account, Sid, SessionId, BecameAccount
}

/// Members of both audit classes, below the member that has the class's name.
#[rustfmt::skip]
static PATHS: Paths<Note, 128> = {
    use self::Note as N;
    document::paths! {
    "timestamp" Note(N::Timestamp), "type" Note(N::Type), "status" Note(N::Status), "localAddress" Note(N::Local), "remoteAddress" Note(N::Remote),
    "serviceDescription" Note(N::Service), "authDescription" Note(N::AuthDescription), "clientDomain" Note(N::ClientDomain),
    "clientAccount" Note(N::ClientAccount), "workstation" Note(N::Workstation), "mappedDomain" Note(N::MappedDomain),
    "mappedAccount" Note(N::MappedAccount), "passwordType" Note(N::PasswordType), "logonType" Note(N::LogonType), "eventId" Note(N::EventId),
    "becameDomain" Extra, "becameAccount" Note(N::BecameAccount), "becameSid" Extra, "netlogonComputer" Extra, "netlogonTrustAccount" Extra,
    "netlogonNegotiateFlags" Leave, "netlogonSecureChannelType" Leave, "netlogonTrustAccountSid" Leave, "duration" Extra, "logonId" Extra,
    "domain" Note(N::Domain), "account" Note(N::Account), "sid" Note(N::Sid), "sessionId" Note(N::SessionId), "authType" Note(N::PasswordType),
    "transportProtection" Extra, "logonServer" Extra, "accountFlags" Leave, "version.major" Leave, "version.minor" Leave,
    }
};

fn is_program(app: &[u8]) -> bool {
    matches!(app, b"smbd" | b"samba" | b"nmbd" | b"winbindd" | b"smbd_audit")
}

/// `[2026/05/04 09:12:31.004217,  2, pid=1] FILE(FUNCTION)`: its time, and its text if the line has one.
fn head(line: &[u8]) -> Option<(time::Stamp, &[u8])> {
    let inside = line.strip_prefix(b"[")?;
    if inside.get(4) != Some(&b'/') {
        return None;
    }
    let (stamp, length) = time::iso(inside)?;
    let rest = inside[length..].strip_prefix(b", ")?;
    split_once(rest, b']').map(|(_, rest)| (stamp, rest))
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "samba"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["smbd"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Both
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        if record.shape == Shape::Object {
            let audited = record.keys.has_any(Keys::SAMBA_AUTHENTICATION.and(Keys::SAMBA_AUTHORIZATION));
            return (audited && record.keys.has(Keys::TIMESTAMP)).then_some(Confidence::Certain);
        }
        if is_program(record.header.app) {
            return (!record.body.starts_with(b"pam_")).then_some(Confidence::Certain);
        }
        match record.line {
            [b'[', _, _, _, _, b'/', _, _, b'/', ..] => head(record.line).map(|_| Confidence::Certain),
            [b' ', b' ', ..] => indented(record.line.trim_ascii_start()).then_some(Confidence::Likely),
            _ => None,
        }
    }

    fn remembers(&self) -> Option<fn(&[u8]) -> bool> {
        Some(|line| matches!(line, [b'[', _, _, _, _, b'/', ..]))
    }

    fn parse(&self, record: &Record<'_>, memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        if record.shape == Shape::Object {
            audit(record, row)?;
            return Ok(Parsed::Events);
        }
        let of_syslog = is_program(record.header.app);
        let line = if of_syslog { record.body } else { record.line };
        let mut text = line;
        if let Some((stamp, rest)) = head(line) {
            let time_us = record.time.resolve(&stamp);
            // by syslog every line has a time of its own
            if !of_syslog {
                memory.of::<Last>().time_us = time_us;
            }
            let Some((_, rest)) = split_once_str(rest, b")").filter(|(_, rest)| !rest.trim_ascii().is_empty()) else {
                return Ok(Parsed::Nothing);
            };
            if let Some(us) = time_us {
                set_time(row, us);
            }
            text = rest;
        } else if !of_syslog {
            if !line.starts_with(b" ") || !indented(line.trim_ascii_start()) {
                return Err(
                    record.not_this_family("`[YYYY/MM/DD HH:MM:SS, N] FILE(FUNCTION)`, or an indented text of Samba's")
                );
            }
            if let Some(us) = memory.peek::<Last>().and_then(|last| last.time_us) {
                set_time(row, us);
            }
        }
        let text = text.trim_ascii();
        row.text(key::PROCESS_NAME, record.header.app);
        row.set_opt(key::PROCESS_ID, decimal(record.header.pid));
        if let Some((_, object)) = split_once_str(text, b"JSON Auth").filter(|_| text.starts_with(b"JSON Auth")) {
            let (_, body) = split_once(object, b' ').unwrap_or((object, b""));
            audit(&Record { body, ..record.clone() }, row)?;
            return Ok(Parsed::Events);
        }
        row.text(key::MESSAGE, text);
        if sentence(record, text, row).is_none() {
            beside(row, &REST, None);
        }
        Ok(Parsed::Events)
    }
}

/// Texts of Samba's that are known without their first line.
fn indented(text: &[u8]) -> bool {
    let beginnings: [&[u8]; 5] = [
        b"check_ntlm_password:",
        b"Auth: [",
        b"Successful AuthZ: [",
        b"JSON Authentication: {",
        b"JSON Authorization: {",
    ];
    beginnings.iter().any(|beginning| text.starts_with(beginning))
}

/// Reads a text. `None` if it says nothing about a login.
fn sentence(record: &Record<'_>, text: &[u8], row: &mut Row<'_>) -> Option<()> {
    if let Some(rest) = text.strip_prefix(b"check_ntlm_password:") {
        // `Authentication for user [U] -> [U] FAILED with error STATUS, authoritative=1`, `authentication for user [U] -> … succeeded`
        let (_, rest) = split_once_str(rest, b"uthentication for user [")?;
        let failed = memchr::memmem::rfind(rest, b" FAILED with error ");
        let head = failed.map_or(rest, |at| &rest[..at]);
        beside(row, &REST, Some(if failed.is_some() { Outcome::Failure } else { Outcome::Success }));
        row.text(key::USER, split_once_str(head, b"] ->")?.0);
        if let Some(at) = failed {
            let status = rest[at + b" FAILED with error ".len()..].split(|byte| *byte == b',').next()?;
            status_of(status, row);
        }
        return Some(());
    }
    let (login, rest) = match text.strip_prefix(b"Auth: [") {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix(b"Successful AuthZ: [")?),
    };
    // `SERVICE] user [DOM]\[u] at [TIME] with [METHOD] status [STATUS] workstation [WS] remote host [END] … local host [END]`
    let (service, rest) = split_once_str(rest, b"] user [")?;
    let (domain, rest) = split_once_str(rest, b"]\\[")?;
    let at = if login { memchr::memmem::rfind(rest, b"] at [") } else { memchr::memmem::find(rest, b"] [") }?;
    let (account, rest) = (&rest[..at], &rest[at + 1..]);
    let field = |name: &[u8]| {
        split_once_str(rest, name).and_then(|(_, rest)| split_once(rest, b']')).map_or(&b""[..], |(value, _)| value)
    };
    let status = field(b" status [");
    if login {
        attempt(row, &LOGIN, outcome_of(status));
    } else {
        beside(row, &REST, Some(Outcome::Success));
    }
    if let Some(us) = moment(record, field(b" at [")) {
        set_time(row, us);
    }
    row.text(key::USER, present(account).unwrap_or_default());
    row.text(key::USER_DOMAIN, present(domain).unwrap_or_default());
    row.text(key::AUTH_METHOD, field(b" with ["));
    row.text(key::SRC_HOST, present(field(b" workstation [")).unwrap_or_default());
    let remote = field(if login { b" remote host [" } else { b" Remote host [" });
    ends(remote, field(b" local host ["), row);
    service_of(service.split(|byte| *byte == b',').next().unwrap_or_default(), row);
    if login {
        status_of(status, row);
    }
    Some(())
}

/// `Mon, 04 May 2026 09:12:31.004217 UTC`: RFC 5322's order with a fraction.
fn moment(record: &Record<'_>, text: &[u8]) -> Option<i64> {
    record.time.day_first(split_once_str(text, b", ")?.1)
}

fn outcome_of(status: &[u8]) -> Outcome {
    match status {
        b"" => Outcome::Unknown,
        b"NT_STATUS_OK" => Outcome::Success,
        _ => Outcome::Failure,
    }
}

fn status_of(status: &[u8], row: &mut Row<'_>) {
    if status == b"NT_STATUS_OK" {
        return;
    }
    row.text(key::STATUS_CODE, status);
    let reason = match status {
        b"NT_STATUS_WRONG_PASSWORD" => "wrong password",
        b"NT_STATUS_NO_SUCH_USER" => "unknown user",
        b"NT_STATUS_ACCOUNT_LOCKED_OUT" => "account locked",
        b"NT_STATUS_ACCOUNT_DISABLED" => "account disabled",
        b"NT_STATUS_ACCOUNT_EXPIRED" => "account expired",
        b"NT_STATUS_PASSWORD_EXPIRED" => "password expired",
        b"NT_STATUS_PASSWORD_MUST_CHANGE" => "password must change",
        b"NT_STATUS_INVALID_LOGON_HOURS" => "outside logon hours",
        b"NT_STATUS_INVALID_WORKSTATION" => "workstation not allowed",
        b"NT_STATUS_LOGON_FAILURE" => "bad name or password",
        _ => return,
    };
    row.fixed(key::REASON, reason);
}

/// `ipv4:192.0.2.10:50111`; `unix:` is the host itself.
fn ends(remote: &[u8], local: &[u8], row: &mut Row<'_>) {
    let bare = |text| {
        let (family, rest) = split_once(text, b':')?;
        family.starts_with(b"ipv").then_some(rest)
    };
    if let Some(remote) = bare(remote) {
        let (address, number) = end(remote);
        set_source(row, address);
        row.set_opt(key::SRC_PORT, number);
        row.set(key::TRANSPORT, Transport::TCP);
        row.set(key::PORT_STATE, PortState::Open);
    }
    if let Some(local) = bare(local) {
        set_destination_end(row, local);
    }
}

fn service_of(service: &[u8], row: &mut Row<'_>) {
    row.extra_fixed("service", service);
    match service {
        b"SMB" | b"SMB2" => row.fixed(key::APP_PROTO, "smb"),
        b"LDAP" => row.fixed(key::APP_PROTO, "ldap"),
        b"Kerberos KDC" => row.fixed(key::APP_PROTO, "kerberos"),
        b"DCE/RPC" => row.fixed(key::APP_PROTO, "dcerpc"),
        _ => {}
    }
}

/// The audit's JSON: `{"timestamp":…,"type":"Authentication","Authentication":{…}}`.
fn audit(record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Refusal> {
    let mut notes: Notes<'_, NOTES> = Notes::default();
    document::read_by(
        record,
        row,
        |path| {
            let path =
                path.strip_prefix(b"Authentication.").or_else(|| path.strip_prefix(b"Authorization.")).unwrap_or(path);
            PATHS.get(path)
        },
        |note, _, value, _| notes.take(note, value),
    )?;
    let kind = notes.raw(Note::Type);
    if kind != b"Authentication" && kind != b"Authorization" {
        return Err(RejectKind::Missing { what: "type Authentication or Authorization" }.into());
    }
    document::time(record, row, "timestamp", notes.value(Note::Timestamp))?;
    let status = notes.raw(Note::Status);
    if kind == b"Authentication" {
        attempt(row, &LOGIN, outcome_of(status));
        status_of(status, row);
    } else {
        beside(row, &REST, Some(Outcome::Success));
    }
    row.text(key::EVENT_ACTION, kind);
    document::text(row, key::EVENT_CODE, notes.value(Note::EventId));
    document::text(
        row,
        key::USER,
        notes.first([Note::ClientAccount, Note::MappedAccount, Note::Account, Note::BecameAccount]),
    );
    document::text(row, key::USER_DOMAIN, notes.first([Note::ClientDomain, Note::MappedDomain, Note::Domain]));
    document::text(row, key::USER_ID, notes.value(Note::Sid));
    document::text(row, key::SESSION_ID, notes.value(Note::SessionId));
    document::text(row, key::AUTH_METHOD, notes.value(Note::PasswordType));
    document::text(row, key::SRC_HOST, notes.value(Note::Workstation));
    document::extra(row, "authDescription", notes.value(Note::AuthDescription));
    if let Value::Number(number) = notes.value(Note::LogonType) {
        row.set_opt(key::LOGON_TYPE, decimal(number));
    }
    ends(notes.raw(Note::Remote), notes.raw(Note::Local), row);
    notes.value(Note::Service).with(|service| {
        if !contains(service, b"\n") {
            service_of(service, row);
        }
    });
    if !row.has(schemas::Field::Kind) {
        row.set(key::KIND, EventKind::Other);
    }
    Ok(())
}
