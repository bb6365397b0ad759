//! Cisco IOS, IOS-XE and NX-OS: `%SEC-6-IPACCESSLOGP: list ACL denied tcp A(p) -> B(q), 1 packet`.
//!
//! `%FACILITY[-SUB]-SEVERITY-MNEMONIC: text`; facility and mnemonic together name the sentence behind them, so they
//! dispatch and a cursor reads it. IOS-XE puts where in the chassis it was written before the text
//! (`R0/0: fman_fp_image: `). Of access lists, logins and sessions a sentence that is not the known one is a reject, lest a
//! fact be lost unseen; any other message is a row of kind `other` with its text and the ends that it names beyond doubt.
//!
//! Source: Cisco, "System Message Guide" of IOS and IOS-XE; "ACL Syslog Correlation".

mod access;
mod firewall;
mod logins;
mod notices;

use schemas::{EventKind, Ip, LogSource, RejectKind, Row, key};

use crate::lex::keys::KeyMap;
use crate::lex::text::{Cursor, rsplit_once};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

static TRAFFIC: LogSource = source("cisco_ios.traffic", &["firewall"], &["ios", "acl"]);
static LOGIN: LogSource = source("cisco_ios.auth", &["authentication"], &["ios", "aaa"]);
static REST: LogSource = source("cisco_ios.system", &[], &["ios"]);

const fn source(
    dataset: &'static str,
    categories: &'static [&'static str],
    services: &'static [&'static str],
) -> LogSource {
    LogSource {
        family: "cisco_ios",
        vendor: "Cisco",
        product: "IOS",
        dataset,
        categories,
        products: &["cisco"],
        services,
    }
}

/// What the sentence behind a tag is.
#[derive(Clone, Copy)]
enum Sentence {
    Access,
    AccessLost,
    Login,
    Quiet,
    Ssh,
    Exit,
    Changed,
    Command,
    Named,
    Netconf,
    PortAccess,
    LoggingHost,
    RpJoin,
    BadDigest,
    Session,
    Dropped,
    WebLogin,
    Snmp,
    Signature,
    InvalidSpi,
    Duplicate,
}

/// By `FACILITY-MNEMONIC`, without sub-facility; those that any facility may write, by `MNEMONIC`.
static SENTENCES: KeyMap<Sentence, 256> = KeyMap::new(&[
    ("IPACCESSLOGP", Sentence::Access),
    ("IPACCESSLOGDP", Sentence::Access),
    ("IPACCESSLOGNP", Sentence::Access),
    ("IPACCESSLOGRP", Sentence::Access),
    ("IPACCESSLOGS", Sentence::Access),
    ("IPACCESSLOGSP", Sentence::Access),
    ("ACCESSLOGP", Sentence::Access),
    ("ACCESSLOGDP", Sentence::Access),
    ("ACCESSLOGNP", Sentence::Access),
    ("ACCESSLOGRP", Sentence::Access),
    ("ACCESSLOGS", Sentence::Access),
    ("ACCESSLOGSP", Sentence::Access),
    ("IPV6ACCESSLOGP", Sentence::Access),
    ("IPV6ACCESSLOGDP", Sentence::Access),
    ("IPV6ACCESSLOGNP", Sentence::Access),
    ("IPV6ACCESSLOGSP", Sentence::Access),
    ("IPACCESSLOGRL", Sentence::AccessLost),
    ("ACCESSLOGRL", Sentence::AccessLost),
    ("SEC_LOGIN-LOGIN_FAILED", Sentence::Login),
    ("SEC_LOGIN-LOGIN_SUCCESS", Sentence::Login),
    ("SEC_LOGIN-QUIET_MODE_ON", Sentence::Quiet),
    ("SEC_LOGIN-QUIET_MODE_OFF", Sentence::Quiet),
    ("SSH-SSH2_SESSION", Sentence::Ssh),
    ("SSH-SSH2_USERAUTH", Sentence::Ssh),
    ("SSH-SSH2_CLOSE", Sentence::Ssh),
    ("SSH-SSH_SESSION", Sentence::Ssh),
    ("SSH-SSH_USERAUTH", Sentence::Ssh),
    ("SSH-SSH_CLOSE", Sentence::Ssh),
    ("SYS-LOGOUT", Sentence::Exit),
    ("SYS-TTY_EXPIRE_TIMER", Sentence::Exit),
    ("SYS-CONFIG_I", Sentence::Changed),
    ("SYS-PRIV_AUTH_PASS", Sentence::Changed),
    ("SYS-PRIV_AUTH_FAIL", Sentence::Changed),
    ("AAA-USER_RESET", Sentence::Changed),
    ("AAA-USER_LOCKED", Sentence::Named),
    ("AAA-USER_UNLOCKED", Sentence::Changed),
    ("AAA-USERNAME_CONFIGURATION", Sentence::Named),
    ("PARSER-CFGLOG_LOGGEDCMD", Sentence::Command),
    ("DMI-AUTH_PASSED", Sentence::Netconf),
    ("DMI-AUTH_FAILED", Sentence::Netconf),
    ("DMI-AUTHENTICATION_FAILED", Sentence::Netconf),
    ("NDBMAN-MODEL_RPC_I", Sentence::Netconf),
    ("AUTHMGR-START", Sentence::PortAccess),
    ("AUTHMGR-SUCCESS", Sentence::PortAccess),
    ("AUTHMGR-FAIL", Sentence::PortAccess),
    ("AUTHMGR-RESULT", Sentence::PortAccess),
    ("SESSION_MGR-SUCCESS", Sentence::PortAccess),
    ("SESSION_MGR-FAIL", Sentence::PortAccess),
    ("DOT1X-SUCCESS", Sentence::PortAccess),
    ("DOT1X-FAIL", Sentence::PortAccess),
    ("MAB-SUCCESS", Sentence::PortAccess),
    ("MAB-FAIL", Sentence::PortAccess),
    ("SYS-LOGGINGHOST_FAIL", Sentence::LoggingHost),
    ("SYS-LOGGINGHOST_STARTSTOP", Sentence::LoggingHost),
    ("PIM-INVALID_RP_JOIN", Sentence::RpJoin),
    ("TCP-BADAUTH", Sentence::BadDigest),
    ("FW-SESS_AUDIT_TRAIL", Sentence::Session),
    ("FW-SESS_AUDIT_TRAIL_START", Sentence::Session),
    ("FW-DROP_PKT", Sentence::Dropped),
    ("WEBSERVER-LOGIN_PASSED", Sentence::WebLogin),
    ("WEBSERVER-LOGIN_FAILED", Sentence::WebLogin),
    ("SNMP-AUTHFAIL", Sentence::Snmp),
    ("IPS-SIGNATURE", Sentence::Signature),
    ("CRYPTO-RECVD_PKT_INV_SPI", Sentence::InvalidSpi),
    ("IP-DUPADDR", Sentence::Duplicate),
]);

/// What stands between the percent sign and the colon.
struct Tag<'a> {
    facility: &'a [u8],
    mnemonic: &'a [u8],
    level: u8,
    /// Offset of the text after it.
    text_at: usize,
}

/// Longest tag: facilities and mnemonics are below 40 bytes each.
const TAG_MAX: usize = 96;

/// `%FACILITY[-SUB…]-SEVERITY-MNEMONIC:` at the start of `body`. Six digits in the mnemonic's place are a firewall's.
#[inline]
fn tag(body: &[u8]) -> Option<Tag<'_>> {
    if body.first() != Some(&b'%') {
        return None;
    }
    let end = body.iter().take(TAG_MAX).position(|&b| matches!(b, b':' | b' '))?;
    let (rest, mnemonic) = rsplit_once(&body[1..end], b'-')?;
    let (facility, level) = rsplit_once(rest, b'-')?;
    let [level @ b'0'..=b'7'] = level else { return None };
    let word = |text: &[u8]| {
        // a plus: TACACS's facility
        text.first().is_some_and(u8::is_ascii_uppercase)
            && text.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'_' | b'+'))
    };
    let facility = facility.split(|b| *b == b'-').next()?;
    if body[end] != b':' || !word(facility) || !word(mnemonic) {
        return None;
    }
    let blanks = body[end + 1..].iter().take_while(|b| **b == b' ').count();
    Some(Tag { facility, mnemonic, level: level - b'0', text_at: end + 1 + blanks })
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "cisco_ios"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["ios", "ios_xe"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        tag(record.body).map(|_| Confidence::Certain)
    }

    #[inline]
    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        match tag(record.body) {
            Some(tag) => message(record.body, &tag, row),
            None => Err(record.not_this_family("`%FACILITY-SEVERITY-MNEMONIC:`")),
        }
    }
}

/// What is known about a tag's sentence.
#[inline]
fn sentence(tag: &Tag<'_>) -> Option<Sentence> {
    let mut name = [0u8; TAG_MAX];
    let at = tag.facility.len();
    let end = at + 1 + tag.mnemonic.len();
    let slot = name.get_mut(..end)?;
    slot[..at].copy_from_slice(tag.facility);
    slot[at] = b'-';
    slot[at + 1..].copy_from_slice(tag.mnemonic);
    SENTENCES.get(&name[..end]).or_else(|| SENTENCES.get(tag.mnemonic))
}

/// The text behind a tag.
#[inline]
fn message(body: &[u8], tag: &Tag<'_>, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
    row.text(key::EVENT_CODE, tag.mnemonic);
    row.set(key::SEVERITY, u64::from(tag.level));
    row.extra_fixed("facility", tag.facility);
    let mut cursor = Cursor::new(body);
    cursor.skip(tag.text_at);
    let text = cursor.rest().trim_ascii();
    let (source, done) = match sentence(tag) {
        Some(Sentence::Access) => (&TRAFFIC, access::list(tag.mnemonic, &mut cursor, row)),
        Some(Sentence::AccessLost) => (&REST, access::lost(&mut cursor, row)),
        Some(Sentence::Session) => (&TRAFFIC, firewall::session(&mut cursor, row)),
        Some(Sentence::Dropped) => (&TRAFFIC, firewall::dropped(&mut cursor, row)),
        Some(Sentence::BadDigest) => (&TRAFFIC, firewall::bad_digest(&mut cursor, row)),
        Some(Sentence::Login) => (&LOGIN, logins::login(tag.mnemonic, text, row)),
        Some(Sentence::Quiet) => (&REST, logins::quiet(tag.mnemonic, text, row)),
        Some(known @ (Sentence::Signature | Sentence::InvalidSpi | Sentence::Duplicate)) => {
            (&TRAFFIC, rest(known, tag, text, row))
        }
        Some(known) => (&LOGIN, rest(known, tag, text, row)),
        None => {
            other(text, row);
            notices::origin(text, row);
            (&REST, Some(()))
        }
    };
    row.log_source(source);
    match done {
        Some(()) => Ok(Parsed::Events),
        None => Err(not_its_sentence(cursor.at(), cursor.rest())),
    }
}

/// The sentences that differ between releases: what is not understood in them remains as text.
fn rest(known: Sentence, tag: &Tag<'_>, text: &[u8], row: &mut Row<'_>) -> Option<()> {
    row.text(key::MESSAGE, text);
    row.set(key::KIND, EventKind::Other);
    match known {
        Sentence::Ssh => logins::ssh(tag.mnemonic, text, row),
        Sentence::Exit => logins::exit(tag.mnemonic, text, row),
        Sentence::Changed => logins::changed(tag.mnemonic, text, row),
        Sentence::Command => logins::command(text, row),
        Sentence::Named => logins::named(text, row),
        Sentence::Netconf => logins::netconf(tag.mnemonic, text, row),
        Sentence::PortAccess => logins::port_access(tag.facility, text, row),
        Sentence::LoggingHost => logging_host(text, row),
        Sentence::RpJoin => rp_join(text, row),
        Sentence::WebLogin => notices::web_login(tag.mnemonic, text, row),
        Sentence::Snmp => notices::snmp(text, row),
        Sentence::Signature => notices::signature(text, row),
        Sentence::InvalidSpi => notices::invalid_spi(text, row),
        Sentence::Duplicate => notices::duplicate(text, row),
        _ => None,
    };
    Some(())
}

#[cold]
fn not_its_sentence(at: usize, rest: &[u8]) -> Refusal {
    Refusal { at, kind: RejectKind::bad_value("message text", rest, "the sentence of this message") }
}

/// A message that is not mapped: its text.
fn other(text: &[u8], row: &mut Row<'_>) {
    row.set(key::KIND, EventKind::Other);
    row.text(key::MESSAGE, text);
}

/// `Logging to host A port P {failed|started - reconnection}`.
fn logging_host(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let mut cursor = Cursor::new(text);
    cursor.until_str(b"Logging to host ")?;
    row.set(key::DST_IP, Ip::parse(cursor.word())?);
    if cursor.take_if(b"port ") {
        row.set_opt(key::DST_PORT, schemas::parse_port(cursor.word()));
    }
    if cursor.rest().starts_with(b"failed") {
        row.set(key::OUTCOME, schemas::Outcome::Failure);
    }
    Some(())
}

/// `Received (S, G) Join from A for invalid RP B`.
fn rp_join(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let mut cursor = Cursor::new(text);
    cursor.until_str(b"Received (")?;
    row.extra_fixed("multicast_group", cursor.until(b')')?);
    cursor.until_str(b"from ")?;
    row.set(key::SRC_IP, Ip::parse(cursor.word())?);
    cursor.until_str(b"RP ")?;
    row.set(key::DST_IP, Ip::parse(cursor.word())?);
    Some(())
}

/// `A(p)`, `A:p`, `[A]:p` or `A`: the address, and the port's text, empty if there is none.
fn end(token: &[u8]) -> Option<(Ip, &[u8])> {
    if let Some(open) = memchr::memchr(b'(', token) {
        let port = token[open + 1..].split(|b| *b == b')').next()?;
        return Some((Ip::parse(&token[..open])?, port));
    }
    if let Some(ip) = Ip::parse(token) {
        return Some((ip, b""));
    }
    let (address, port) = rsplit_once(token, b':')?;
    Some((Ip::parse(address)?, port))
}
