//! Juniper SRX (Junos): `RT_FLOW_SESSION_CLOSE` and its kin, as structured data of RFC 5424 or as sentences.
//!
//! The tag names the message in both forms; `_LS` behind it means a logical system and changes nothing. Structured data are
//! read by one table of keys, sentences of sessions by position. A session is created before anybody has answered, so only
//! its end is evidence. AppTrack tells the same sessions once more: its rows are of kind `other`, or volumes would double.
//! The translated pair is always written: where there was no translation it equals the original and is kept so.
//!
//! Source: Juniper, "System Log Explorer"; "Understanding SRX Series flow logs".

mod plain;
mod system;

use schemas::{
    Action, EventKind, Field, Initiator, Ip, LogSource, Outcome, PortState, RejectKind, Row, Transport, key,
};

use crate::lex::keys::KeyMap;
use crate::lex::syslog;
use crate::lex::text::{decimal, is_absent};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

static FLOW: LogSource = source("juniper_srx.flow", &["firewall"], &["rt_flow"]);
static IDP: LogSource = source("juniper_srx.idp", &["ids"], &["rt_idp"]);
static SCREEN: LogSource = source("juniper_srx.ids", &["ids"], &["rt_ids"]);
static UTM: LogSource = source("juniper_srx.utm", &["proxy"], &["rt_utm"]);
static LOGIN: LogSource = source("juniper_srx.auth", &["authentication"], &["sshd", "mgd"]);
static REST: LogSource = source("juniper_srx.system", &[], &["junos"]);

const fn source(
    dataset: &'static str,
    categories: &'static [&'static str],
    services: &'static [&'static str],
) -> LogSource {
    LogSource {
        family: "juniper_srx",
        vendor: "Juniper",
        product: "SRX",
        dataset,
        categories,
        products: &["juniper", "junos", "srx"],
        services,
    }
}

/// What a tag tells of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Topic {
    Create,
    Close,
    Deny,
    /// AppTrack's copy of a session.
    Track,
    Attack,
    Screen,
    Content,
    Login,
    LoginFailed,
    Logout,
    Admin,
}

static TAGS: KeyMap<Topic, 128> = KeyMap::new(&[
    ("RT_FLOW_SESSION_CREATE", Topic::Create),
    ("RT_FLOW_SESSION_CLOSE", Topic::Close),
    ("RT_FLOW_SESSION_DENY", Topic::Deny),
    ("APPTRACK_SESSION_CREATE", Topic::Track),
    ("APPTRACK_SESSION_CLOSE", Topic::Track),
    ("APPTRACK_SESSION_VOL_UPDATE", Topic::Track),
    ("APPTRACK_SESSION_ROUTE_UPDATE", Topic::Track),
    ("APPTRACK_SESSION_APP_UPDATE", Topic::Track),
    ("IDP_ATTACK_LOG_EVENT", Topic::Attack),
    ("IDP_APPDDOS_APP_ATTACK_EVENT", Topic::Attack),
    ("IDP_APPDDOS_APP_STATE_EVENT", Topic::Attack),
    ("IDP_SESSION_LOG_EVENT", Topic::Attack),
    ("RT_SCREEN_TCP", Topic::Screen),
    ("RT_SCREEN_UDP", Topic::Screen),
    ("RT_SCREEN_ICMP", Topic::Screen),
    ("RT_SCREEN_IP", Topic::Screen),
    ("RT_SCREEN_TCP_SRC_IP", Topic::Screen),
    ("RT_SCREEN_TCP_DST_IP", Topic::Screen),
    ("RT_SCREEN_UDP_DST_IP", Topic::Screen),
    ("RT_SCREEN_ICMP_DST_IP", Topic::Screen),
    ("RT_SCREEN_SESSION_LIMIT", Topic::Screen),
    ("RT_SCREEN_WHITE_LIST", Topic::Screen),
    ("WEBFILTER_URL_BLOCKED", Topic::Content),
    ("WEBFILTER_URL_PERMITTED", Topic::Content),
    ("WEBFILTER_URL_REDIRECTED", Topic::Content),
    ("AV_VIRUS_DETECTED", Topic::Content),
    ("AV_SCANNER_DROP_FILE", Topic::Content),
    ("AV_HUGE_FILE_DROPPED", Topic::Content),
    ("AV_MANY_MSGS_DROPPED", Topic::Content),
    ("ANTISPAM_SPAM_DETECTED", Topic::Content),
    ("CONTENT_FILTERING_BLOCKED", Topic::Content),
    ("SECINTEL_ACTION_LOG", Topic::Content),
    ("SECINTEL_ERROR_LOG", Topic::Content),
    ("AAMW_ACTION_LOG", Topic::Content),
    ("AAMW_MALWARE_EVENT_LOG", Topic::Content),
    ("AAMW_HOST_INFECTED_EVENT_LOG", Topic::Content),
    ("AAMW_SMTP_ACTION_LOG", Topic::Content),
    ("UI_LOGIN_EVENT", Topic::Login),
    ("LOGIN_INFORMATION", Topic::Login),
    ("SSHD_LOGIN_FAILED", Topic::LoginFailed),
    ("LOGIN_FAILED", Topic::LoginFailed),
    ("LOGIN_PAM_AUTHENTICATION_ERROR", Topic::LoginFailed),
    ("WEB_AUTH_FAIL", Topic::LoginFailed),
    ("WEB_AUTH_SUCCESS", Topic::Login),
    ("FWAUTH_WEBAUTH_FAIL", Topic::LoginFailed),
    ("FWAUTH_WEBAUTH_SUCCESS", Topic::Login),
    ("FWAUTH_FTP_USER_AUTH_FAIL", Topic::LoginFailed),
    ("FWAUTH_FTP_USER_AUTH_ACCEPTED", Topic::Login),
    ("FWAUTH_HTTP_USER_AUTH_FAIL", Topic::LoginFailed),
    ("FWAUTH_HTTP_USER_AUTH_ACCEPTED", Topic::Login),
    ("FWAUTH_TELNET_USER_AUTH_FAIL", Topic::LoginFailed),
    ("FWAUTH_TELNET_USER_AUTH_ACCEPTED", Topic::Login),
    ("UI_LOGOUT_EVENT", Topic::Logout),
    ("UI_AUTH_EVENT", Topic::Admin),
    ("UI_CMDLINE_READ_LINE", Topic::Admin),
    ("UI_JUNOSCRIPT_CMD", Topic::Admin),
    ("UI_NETCONF_CMD", Topic::Admin),
    ("UI_COMMIT", Topic::Admin),
    ("UI_DBASE_LOGIN_EVENT", Topic::Admin),
    ("UI_DBASE_LOGOUT_EVENT", Topic::Admin),
    ("SSHD_LOGIN_ATTEMPTS_THRESHOLD", Topic::Admin),
]);

/// What a key is for.
#[derive(Clone, Copy)]
enum What {
    To(Field),
    /// A column that only some values fit; anything else becomes an extra.
    Maybe(Field),
    /// An address; the unspecified one is none.
    Address(Field),
    Note(Noted),
    Skip,
}

/// What is judged at the end: ports are none where the protocol is ICMP, which may come later.
#[derive(Clone, Copy)]
#[repr(usize)]
enum Noted {
    SourcePort,
    DestinationPort,
    NatSourcePort,
    NatDestinationPort,
    IcmpType,
    Elapsed,
    Application,
    Nested,
    Action,
    Repeat,
    Peer,
    Name,
    Count,
}

const NOTES: usize = Noted::Count as usize;

static KEYS: KeyMap<What, 256> = KeyMap::new(&[
    ("source-address", What::Address(Field::SrcIp)),
    ("destination-address", What::Address(Field::DstIp)),
    ("source-port", What::Note(Noted::SourcePort)),
    ("destination-port", What::Note(Noted::DestinationPort)),
    ("nat-source-address", What::Address(Field::NatSrcIp)),
    ("nat-destination-address", What::Address(Field::NatDstIp)),
    ("nat-source-port", What::Note(Noted::NatSourcePort)),
    ("nat-destination-port", What::Note(Noted::NatDestinationPort)),
    ("protocol-id", What::Maybe(Field::Transport)),
    ("protocol-name", What::Maybe(Field::Transport)),
    ("icmp-type", What::Note(Noted::IcmpType)),
    ("policy-name", What::To(Field::RuleName)),
    ("source-zone-name", What::To(Field::SrcZone)),
    ("source-zone", What::To(Field::SrcZone)),
    ("destination-zone-name", What::To(Field::DstZone)),
    ("destination-zone", What::To(Field::DstZone)),
    ("session-id-32", What::To(Field::SessionId)),
    ("session-id", What::To(Field::SessionId)),
    ("packets-from-client", What::Maybe(Field::PacketsOut)),
    ("bytes-from-client", What::Maybe(Field::BytesOut)),
    ("packets-from-server", What::Maybe(Field::PacketsIn)),
    ("bytes-from-server", What::Maybe(Field::BytesIn)),
    ("outbound-bytes", What::Maybe(Field::BytesOut)),
    ("inbound-bytes", What::Maybe(Field::BytesIn)),
    ("outbound-packets", What::Maybe(Field::PacketsOut)),
    ("inbound-packets", What::Maybe(Field::PacketsIn)),
    ("elapsed-time", What::Note(Noted::Elapsed)),
    ("application", What::Note(Noted::Application)),
    ("application-name", What::Note(Noted::Application)),
    ("nested-application", What::Note(Noted::Nested)),
    ("username", What::To(Field::User)),
    ("packet-incoming-interface", What::To(Field::InInterface)),
    ("interface-name", What::To(Field::InInterface)),
    ("source-interface-name", What::To(Field::InInterface)),
    ("destination-interface-name", What::To(Field::OutInterface)),
    ("reason", What::To(Field::Reason)),
    ("attack-name", What::To(Field::Signature)),
    ("malware-info", What::To(Field::Signature)),
    ("feed-name", What::To(Field::Signature)),
    ("name", What::Note(Noted::Name)),
    ("category", What::To(Field::SignatureClass)),
    ("message-type", What::To(Field::SignatureClass)),
    ("threat-severity", What::To(Field::Level)),
    ("action", What::Note(Noted::Action)),
    ("repeat-count", What::Note(Noted::Repeat)),
    ("url", What::To(Field::Url)),
    ("http-host", What::To(Field::HttpHost)),
    ("hostname", What::To(Field::SrcHost)),
    ("message", What::To(Field::Message)),
    ("ssh-connection", What::Note(Noted::Peer)),
    ("command", What::To(Field::ProcessCommand)),
    ("client-ip-str", What::Maybe(Field::SrcIp)),
    ("client-ip", What::Maybe(Field::SrcIp)),
    ("peer-session-id", What::Skip),
    ("peer-source-address", What::Skip),
    ("peer-source-port", What::Skip),
    ("peer-destination-address", What::Skip),
    ("peer-destination-port", What::Skip),
]);

/// `N/A`, `UNKNOWN` and their kin: nothing.
#[inline]
fn known(value: &[u8]) -> Option<&[u8]> {
    let value = value.trim_ascii();
    let nothing = is_absent(value) || matches!(value, b"None" | b"UNKNOWN" | b"NA" | b"NA NA" | b"unknown-user");
    (!nothing).then_some(value)
}

/// A message with its header off.
struct Message<'a> {
    tag: &'a [u8],
    /// Structured data with their brackets; empty if there are none.
    data: &'a [u8],
    text: &'a [u8],
}

/// Upper-case words joined by underscores, as Junos names its messages.
#[inline]
fn is_tag(word: &[u8]) -> bool {
    word.len() >= 5
        && word[0].is_ascii_uppercase()
        && word.contains(&b'_')
        && word.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_')
}

/// Tag, structured data and text, wherever the header's forms have put them.
#[inline]
fn split<'a>(record: &Record<'a>) -> Option<Message<'a>> {
    let header = &record.header;
    if !header.structured.is_empty() && is_tag(header.message_id) {
        return Some(Message { tag: header.message_id, data: header.structured, text: record.body });
    }
    let mut body = record.body;
    // a shipper's file without headers: the process is still there
    if let Some(rest) = body.strip_prefix(b"RT_FLOW: ").or_else(|| body.strip_prefix(b"RT_IDS: ")) {
        body = rest;
    }
    if !body.first().is_some_and(u8::is_ascii_uppercase) {
        return None;
    }
    // 64: longer than any tag
    let end = body.iter().take(64).position(|b| matches!(b, b':' | b' '))?;
    let (tag, rest) = (&body[..end], &body[end + 1..]);
    if !is_tag(tag) {
        return None;
    }
    let rest = rest.trim_ascii_start();
    if rest.first() == Some(&b'[') {
        return Some(Message { tag, data: rest, text: b"" });
    }
    (body[end] == b':').then_some(Message { tag, data: b"", text: rest })
}

/// Without what does not change the meaning.
#[inline]
fn topic(tag: &[u8]) -> Option<Topic> {
    let tag = tag.strip_suffix(b"_LS").unwrap_or(tag);
    let tag = tag.strip_suffix(b"_MT").unwrap_or(tag);
    TAGS.get(tag)
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "juniper_srx"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["junos", "srx"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        if record.header.structured.starts_with(b"[junos@") {
            return Some(Confidence::Certain);
        }
        let message = split(record)?;
        if topic(message.tag).is_some() || message.data.starts_with(b"[junos@") {
            return Some(Confidence::Certain);
        }
        let app = record.header.app;
        let first = message.tag.split(|b| *b == b'_').next()?;
        // `l2ald[1]: L2ALD_…`: a daemon's messages begin with its name, those of mgd with `UI`
        let daemon = first.eq_ignore_ascii_case(app) || app == b"mgd" && first == b"UI";
        daemon.then_some(Confidence::Likely)
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let Some(message) = split(record) else {
            return match system::process(record, row) {
                Some(()) => Ok(Parsed::Events),
                None => Err(record.not_this_family("a Junos tag (`RT_FLOW_SESSION_CLOSE`) or a process of Junos")),
            };
        };
        row.text(key::EVENT_CODE, message.tag);
        let topic = topic(message.tag);
        if record.header.truncated || !message.data.is_empty() && !message.data.trim_ascii_end().ends_with(b"]") {
            let at = record.refuse(message.data, RejectKind::Empty).at;
            return Err(Refusal { at, kind: RejectKind::Unclosed { what: "structured data" } });
        }
        if message.data.is_empty() {
            let done = match topic {
                Some(Topic::Create | Topic::Close | Topic::Deny | Topic::Track) => plain::session(message.text, row),
                Some(Topic::Screen) => plain::screen(message.text, row),
                Some(Topic::Attack) => plain::attack(message.text, row),
                Some(Topic::Content) => plain::content(message.text, row),
                Some(topic) => system::sentence(topic, message.text, row),
                None => {
                    row.text(key::MESSAGE, message.text.trim_ascii());
                    Some(())
                }
            };
            if done.is_none() {
                let kind = RejectKind::bad_value("message text", message.text, "the sentence of this tag");
                return Err(record.refuse(message.text, kind));
            }
            judge(topic, row);
            return Ok(Parsed::Events);
        }
        let mut notes: [&[u8]; NOTES] = [b""; NOTES];
        for (_, name, value) in syslog::parameters(message.data) {
            pair(record, name, value, &mut notes, row)?;
        }
        ports(&notes, row);
        let app = known(notes[Noted::Nested as usize]).or_else(|| known(notes[Noted::Application as usize]));
        row.text(key::APP_PROTO, app.unwrap_or(b""));
        if let Some(seconds) = decimal(notes[Noted::Elapsed as usize]) {
            let ended = matches!(topic, Some(Topic::Close | Topic::Track));
            elapsed(seconds, ended, row);
        }
        // of a virus; elsewhere anything may have a name
        let name = notes[Noted::Name as usize];
        if topic == Some(Topic::Content) && !row.has(Field::Signature) {
            row.text(key::SIGNATURE, name);
        } else {
            row.extra_fixed("name", name);
        }
        let action = notes[Noted::Action as usize];
        row.text(key::EVENT_ACTION, action);
        row.set_opt(key::ACTION, verdict(action));
        // how often it was seen beside the first time
        if let Some(more @ 1..) = decimal(notes[Noted::Repeat as usize]) {
            row.set(key::REPEAT, more.saturating_add(1).min(i64::MAX as u64));
        }
        system::connection(notes[Noted::Peer as usize], row);
        let needs_ends = matches!(topic, Some(Topic::Create | Topic::Close | Topic::Deny | Topic::Track));
        if needs_ends && (!row.has(Field::SrcIp) || !row.has(Field::DstIp)) {
            return Err(
                record.refuse(message.data, RejectKind::Missing { what: "source-address or destination-address" })
            );
        }
        judge(topic, row);
        Ok(Parsed::Events)
    }
}

/// One pair of structured data.
#[inline]
fn pair<'r>(
    record: &Record<'_>,
    name: &'r [u8],
    value: &'r [u8],
    notes: &mut [&'r [u8]; NOTES],
    row: &mut Row<'_>,
) -> Result<(), Refusal> {
    let Some(value) = known(value) else { return Ok(()) };
    match KEYS.get(name) {
        // who logs in is told by name or by address
        Some(What::To(Field::SrcHost)) if !row.has(Field::SrcIp) && row.put_if(Field::SrcIp, value) => {}
        Some(What::To(field)) if row.has(field) => row.extra(name, value),
        Some(What::To(field)) => return row.put(field, value).map_err(|kind| record.refuse(value, kind)),
        Some(What::Maybe(field)) if row.has(field) || !row.put_if(field, value) => row.extra(name, value),
        Some(What::Maybe(_)) => {}
        Some(What::Address(_)) if matches!(value, b"0.0.0.0" | b"::") => {}
        Some(What::Address(field)) => return row.put(field, value).map_err(|kind| record.refuse(value, kind)),
        Some(What::Note(note)) => notes[note as usize] = value,
        Some(What::Skip) => {}
        None => row.extra(name, value),
    }
    Ok(())
}

/// Ports, of ICMP none: there the numbers are its id and sequence.
fn ports(notes: &[&[u8]; NOTES], row: &mut Row<'_>) {
    let note = |note: Noted| notes[note as usize];
    if is_icmp(row) {
        row.set_opt(key::ICMP_TYPE, decimal(note(Noted::IcmpType)));
        row.extra_fixed("icmp_sequence", note(Noted::SourcePort));
        row.extra_fixed("icmp_id", note(Noted::DestinationPort));
        return;
    }
    row.set_opt(key::SRC_PORT, schemas::parse_port(note(Noted::SourcePort)));
    row.set_opt(key::DST_PORT, schemas::parse_port(note(Noted::DestinationPort)));
    if row.has(Field::NatSrcIp) {
        row.set_opt(key::NAT_SRC_PORT, schemas::parse_port(note(Noted::NatSourcePort)).filter(|port| *port != 0));
    }
    if row.has(Field::NatDstIp) {
        row.set_opt(key::NAT_DST_PORT, schemas::parse_port(note(Noted::NatDestinationPort)).filter(|port| *port != 0));
    }
}

fn is_icmp(row: &Row<'_>) -> bool {
    matches!(row.get(key::TRANSPORT), Some(Transport::ICMP | Transport::ICMPV6))
}

/// How long it lasted, and of what has ended also when it began: the line is written at the end.
fn elapsed(seconds: u64, ended: bool, row: &mut Row<'_>) {
    // 2³² seconds: no session lasts a century
    let us = seconds.min(u64::from(u32::MAX)) * 1_000_000;
    row.set(key::DURATION, us);
    if let (true, Some(end)) = (ended, row.get(key::TIME)) {
        row.set(key::START, end - us as i64);
    }
}

fn verdict(word: &[u8]) -> Option<Action> {
    Some(match word {
        b"drop" | b"DROP" | b"DROP_PACKET" | b"Drop" => Action::Drop,
        b"CLOSE" | b"CLOSE_CLIENT" | b"CLOSE_SERVER" => Action::Reset,
        b"BLOCK" | b"BLOCKED" | b"block" | b"blocked" | b"reject" | b"REJECT" => Action::Deny,
        b"PERMIT" | b"PERMITTED" | b"permit" | b"permitted" => Action::Allow,
        b"" => return None,
        _ => Action::Alert,
    })
}

/// Kind, verdict and evidence by what the tag tells of.
fn judge(topic: Option<Topic>, row: &mut Row<'_>) {
    let flow = |row: &mut Row<'_>, kind| {
        row.log_source(&FLOW);
        row.set(key::KIND, kind);
        row.set(key::INITIATOR, Initiator::Source);
    };
    match topic {
        Some(Topic::Create) => {
            flow(row, EventKind::Flow);
            row.set(key::ACTION, Action::Allow);
        }
        Some(Topic::Close) => {
            flow(row, EventKind::Flow);
            let (action, state) = close(row);
            row.set(key::ACTION, action);
            row.set_opt(key::PORT_STATE, state);
        }
        Some(Topic::Deny) => {
            flow(row, EventKind::Flow);
            let rejected =
                row.get_text(key::REASON).is_some_and(|reason| memchr::memmem::find(reason, b"eject").is_some());
            row.set(key::ACTION, if rejected { Action::Reset } else { Action::Deny });
            if has_port(row) {
                row.set(key::PORT_STATE, PortState::Filtered);
            }
        }
        Some(Topic::Track) => flow(row, EventKind::Other),
        Some(topic @ (Topic::Attack | Topic::Screen | Topic::Content)) => {
            row.log_source(match topic {
                Topic::Attack => &IDP,
                Topic::Screen => &SCREEN,
                _ => &UTM,
            });
            row.set(key::KIND, EventKind::Alert);
            if topic == Topic::Screen && !row.has(Field::Transport) {
                let tag = row.get_text(key::EVENT_CODE).unwrap_or(b"");
                let protocol = tag.split(|b| *b == b'_').nth(2).unwrap_or(b"");
                // `RT_SCREEN_IP` is of all, and a limit of none
                let transport = if protocol == b"IP" { None } else { Transport::parse(protocol) };
                row.set_opt(key::TRANSPORT, transport);
            }
            if !row.has(Field::Action) {
                let tag = row.get_text(key::EVENT_CODE).unwrap_or(b"");
                let word = |word: &[u8]| memchr::memmem::find(tag, word).is_some();
                let action = if word(b"BLOCKED") || word(b"DROP") {
                    Action::Deny
                } else if word(b"PERMITTED") {
                    Action::Allow
                } else {
                    Action::Alert
                };
                row.set(key::ACTION, action);
            }
        }
        Some(Topic::Login | Topic::LoginFailed) => {
            row.log_source(&LOGIN);
            row.set(key::KIND, EventKind::Auth);
            row.set(key::OUTCOME, if topic == Some(Topic::Login) { Outcome::Success } else { Outcome::Failure });
        }
        Some(Topic::Logout) => {
            row.log_source(&LOGIN);
            row.set(key::KIND, EventKind::Auth);
            row.set(key::OUTCOME, Outcome::Success);
            row.set(key::ACTION, Action::End);
        }
        Some(Topic::Admin) | None => {
            row.log_source(&REST);
            row.set(key::KIND, EventKind::Other);
        }
    }
}

fn has_port(row: &Row<'_>) -> bool {
    row.has(Field::DstPort) && matches!(row.get(key::TRANSPORT), Some(Transport::TCP | Transport::UDP))
}

/// What the reason of an end says, and what it proves about the port that was called. The set of reasons is open.
fn close(row: &Row<'_>) -> (Action, Option<PortState>) {
    let reason = row.get_text(key::REASON).unwrap_or(b"");
    let is = |word: &str| reason.eq_ignore_ascii_case(word.as_bytes());
    let tcp = row.get(key::TRANSPORT) == Some(Transport::TCP);
    let (sent, answered) = (row.get(key::PACKETS_OUT), row.get(key::PACKETS_IN));
    let (action, state) = if is("TCP FIN") {
        (Action::Close, Some(PortState::Open))
    } else if is("TCP RST") || is("TCP SERVER RST") {
        let state = match (answered, sent) {
            (Some(1), Some(0..=2)) => Some(PortState::Closed),
            (Some(1..), _) => Some(PortState::Open),
            _ => None,
        };
        (Action::Reset, state)
    } else if is("TCP CLIENT RST") {
        (Action::Reset, answered.filter(|packets| *packets >= 1).map(|_| PortState::Open))
    } else if is("idle Timeout") || is("age out") || is("aged out") {
        let state = match answered {
            Some(0) if tcp => Some(PortState::Filtered),
            Some(1..) => Some(PortState::Open),
            _ => None,
        };
        (Action::Timeout, state)
    } else if is("response received") {
        (Action::Close, Some(PortState::Open))
    } else if is("ICMP error") {
        (Action::Close, (!tcp).then_some(PortState::Closed))
    } else {
        (Action::Close, None)
    };
    (action, state.filter(|_| has_port(row)))
}

/// An address and a port of a sentence into a pair of columns.
fn set_end(row: &mut Row<'_>, end: (Ip, Option<u16>), source: bool) {
    let (ip, port) = end;
    if source {
        row.set(key::SRC_IP, ip);
        row.set_opt(key::SRC_PORT, port);
    } else {
        row.set(key::DST_IP, ip);
        row.set_opt(key::DST_PORT, port);
    }
}
