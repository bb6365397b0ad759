//! Firepower's own events, `%FTD-1-430003: Key: Value, Key: Value, …`, and the audit lines of its manager.
//!
//! Values hold commas, colons and `=`, so a pair begins only where a *known* key stands after a comma and before a colon.
//! Before FTD 6.3 these events came without a number: it is told from their keys.

use schemas::{Action, EventKind, Ip, Outcome, PortState, RejectKind, Row, Transport, key};

use crate::lex::keys::KeyMap;
use crate::lex::text::{Cursor, decimal, is_absent, rsplit_once, split_once, split_once_str};
use crate::{Parsed, Record, Refusal};

/// What a key's value is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    SrcIp,
    DstIp,
    SrcPort,
    DstPort,
    Protocol,
    IngressInterface,
    EgressInterface,
    IngressZone,
    EgressZone,
    RuleAction,
    RuleName,
    InitiatorBytes,
    ResponderBytes,
    InitiatorPackets,
    ResponderPackets,
    Duration,
    FirstPacket,
    ConnectionId,
    Application,
    Client,
    User,
    Url,
    Host,
    UserAgent,
    HttpResponse,
    DnsQuery,
    DnsType,
    DnsResponse,
    NatSrcIp,
    NatSrcPort,
    NatDstIp,
    NatDstPort,
    Sid,
    Message,
    Classification,
    Priority,
    Inline,
    FileAction,
    File,
    FileHash,
    ThreatName,
    SslVersion,
    SslServer,
    Reason,
    Keep,
}

/// Source: Cisco, Secure Firewall Threat Defense Syslog Messages, "Security Event Syslog Messages".
static KEYS: KeyMap<Role, 256> = KeyMap::new(&[
    ("SrcIP", Role::SrcIp),
    ("DstIP", Role::DstIp),
    ("SrcPort", Role::SrcPort),
    ("DstPort", Role::DstPort),
    ("Protocol", Role::Protocol),
    ("IngressInterface", Role::IngressInterface),
    ("EgressInterface", Role::EgressInterface),
    ("IngressZone", Role::IngressZone),
    ("EgressZone", Role::EgressZone),
    ("AccessControlRuleAction", Role::RuleAction),
    ("AccessControlRuleName", Role::RuleName),
    ("AccessControlRuleReason", Role::Reason),
    ("InitiatorBytes", Role::InitiatorBytes),
    ("ResponderBytes", Role::ResponderBytes),
    ("InitiatorPackets", Role::InitiatorPackets),
    ("ResponderPackets", Role::ResponderPackets),
    ("ConnectionDuration", Role::Duration),
    ("FirstPacketSecond", Role::FirstPacket),
    ("ConnectionID", Role::ConnectionId),
    ("ApplicationProtocol", Role::Application),
    ("Client", Role::Client),
    ("User", Role::User),
    ("URL", Role::Url),
    ("URI", Role::Url),
    ("ReferencedHost", Role::Host),
    ("UserAgent", Role::UserAgent),
    ("HTTPResponse", Role::HttpResponse),
    ("DNSQuery", Role::DnsQuery),
    ("DNSRecordType", Role::DnsType),
    ("DNSResponseType", Role::DnsResponse),
    ("NAT_InitiatorIP", Role::NatSrcIp),
    ("NAT_InitiatorPort", Role::NatSrcPort),
    ("NAT_ResponderIP", Role::NatDstIp),
    ("NAT_ResponderPort", Role::NatDstPort),
    ("SID", Role::Sid),
    ("Message", Role::Message),
    ("Classification", Role::Classification),
    ("Priority", Role::Priority),
    ("InlineResult", Role::Inline),
    ("FileAction", Role::FileAction),
    ("FileName", Role::File),
    ("FileSHA256", Role::FileHash),
    ("ThreatName", Role::ThreatName),
    ("SSLVersion", Role::SslVersion),
    ("SSLServerName", Role::SslServer),
    ("ICMPType", Role::Keep),
    ("ICMPCode", Role::Keep),
    ("ACPolicy", Role::Keep),
    ("Prefilter Policy", Role::Keep),
    ("NAPPolicy", Role::Keep),
    ("IntrusionPolicy", Role::Keep),
    ("FilePolicy", Role::Keep),
    ("Endpoint Profile", Role::Keep),
    ("EventPriority", Role::Keep),
    ("DeviceUUID", Role::Keep),
    ("InstanceID", Role::Keep),
    ("IngressVRF", Role::Keep),
    ("EgressVRF", Role::Keep),
    ("WebApplication", Role::Keep),
    ("ClientVersion", Role::Keep),
    ("DNS_TTL", Role::Keep),
    ("DNSSICategory", Role::Keep),
    ("DNS_Sinkhole", Role::Keep),
    ("Sinkhole", Role::Keep),
    ("URLCategory", Role::Keep),
    ("URLReputation", Role::Keep),
    ("URLSICategory", Role::Keep),
    ("IPReputationSICategory", Role::Keep),
    ("SecIntMatchingIP", Role::Keep),
    ("GID", Role::Keep),
    ("Revision", Role::Keep),
    ("NumIOC", Role::Keep),
    ("MPLS_Label", Role::Keep),
    ("VLAN_ID", Role::Keep),
    ("InlineResultReason", Role::Keep),
    ("IPSCount", Role::Keep),
    ("FileCount", Role::Keep),
    ("FileDirection", Role::Keep),
    ("FileType", Role::Keep),
    ("FileSize", Role::Keep),
    ("FileSandboxStatus", Role::Keep),
    ("FileStorageStatus", Role::Keep),
    ("FileStaticAnalysisStatus", Role::Keep),
    ("FileDetectionName", Role::Keep),
    ("SHA_Disposition", Role::Keep),
    ("SperoDisposition", Role::Keep),
    ("ThreatScore", Role::Keep),
    ("ArchiveFileName", Role::Keep),
    ("ArchiveFileStatus", Role::Keep),
    ("ArchiveDepth", Role::Keep),
    ("ArchiveSHA256", Role::Keep),
    ("HTTPReferer", Role::Keep),
    ("HTTP_Hostname", Role::Keep),
    ("HTTP_URI", Role::Keep),
    ("NetBIOSDomain", Role::Keep),
    ("OriginalClientSrcIP", Role::Keep),
    ("SrcEndpointSGT", Role::Keep),
    ("SourceSecurityGroup", Role::Keep),
    ("SourceSecurityGroupTag", Role::Keep),
    ("DestinationSecurityGroup", Role::Keep),
    ("DestinationSecurityGroupTag", Role::Keep),
    ("SecurityGroup", Role::Keep),
    ("SSLPolicy", Role::Keep),
    ("SSLRuleName", Role::Keep),
    ("SSLFlowStatus", Role::Keep),
    ("SSLCipherSuite", Role::Keep),
    ("SSLCertificate", Role::Keep),
    ("SSLExpectedAction", Role::Keep),
    ("SSLActualAction", Role::Keep),
    ("SSLServerCertStatus", Role::Keep),
    ("SSLSessionID", Role::Keep),
    ("SSLTicketID", Role::Keep),
    ("SSLURLCategory", Role::Keep),
    ("SSSLCipherSuite", Role::Keep),
    ("TunnelPrefilterRule", Role::Keep),
    ("Tunnel or Prefilter Rule", Role::Keep),
    ("Context", Role::Keep),
    ("IPCategory", Role::Keep),
    ("Empty", Role::Keep),
]);

/// A pair of the list, from left to right; values go up to the comma before the next known key.
struct Pairs<'a> {
    text: &'a [u8],
    at: usize,
}

/// The key that begins at `at`, if a known one does: what it is, its length.
#[inline]
fn key_at(text: &[u8], at: usize) -> Option<(Role, usize)> {
    let head = &text[at..];
    // 32: the longest known key
    let length = head.iter().take(32).position(|&b| matches!(b, b':' | b','))?;
    if head[length] != b':' {
        return None;
    }
    Some((KEYS.get(&head[..length])?, length))
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (Role, &'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.text;
        while self.at < text.len() && matches!(text[self.at], b' ' | b',') {
            self.at += 1;
        }
        let (role, length) = key_at(text, self.at)?;
        let written = &text[self.at..self.at + length];
        let begin = self.at + length + 1;
        let mut from = begin;
        let mut end = text.len();
        while let Some(comma) = memchr::memchr(b',', &text[from..]) {
            let comma = from + comma;
            let after = comma + 1 + usize::from(text.get(comma + 1) == Some(&b' '));
            if after < text.len() && key_at(text, after).is_some() {
                end = comma;
                break;
            }
            from = comma + 1;
        }
        self.at = end;
        let value = text[begin..end].trim_ascii();
        Some((role, written, value.strip_suffix(b",").unwrap_or(value)))
    }
}

/// Whether a body is such a list without a tag before it.
pub(super) fn is_untagged(body: &[u8]) -> bool {
    let mut pairs = Pairs { text: body, at: 0 };
    pairs.next().is_some() && pairs.next().is_some()
}

/// The event behind a tag (430001–430005), or without one.
pub(super) fn event(
    record: &Record<'_>,
    body: &[u8],
    at: usize,
    number: Option<u32>,
    row: &mut Row<'_>,
) -> Result<Parsed, Refusal> {
    let mut pairs = Pairs { text: body, at };
    let mut seen = Seen::default();
    for (role, written, value) in pairs.by_ref() {
        seen.note(role);
        if !is_absent(value) {
            one(record, role, written, value, &mut seen, row)?;
        }
    }
    if !seen.any {
        return Err(Refusal { at, kind: RejectKind::Missing { what: "`Key: Value` pairs of a Firepower event" } });
    }
    let number = number.unwrap_or_else(|| {
        let (number, code) = seen.number();
        row.fixed(key::EVENT_CODE, code);
        number
    });
    row.log_source(if number == 430_001 { &super::FTD_ALERT } else { &super::FTD_TRAFFIC });
    finish(number, &seen, row);
    Ok(Parsed::Events)
}

/// What the pairs together say.
#[derive(Default)]
struct Seen {
    any: bool,
    verdict: Option<Action>,
    zone: bool,
    duration: bool,
    file: bool,
    hash: bool,
    message: bool,
    responder_packets: Option<u64>,
    responder_bytes: u64,
}

impl Seen {
    fn note(&mut self, role: Role) {
        self.any = true;
        match role {
            Role::IngressZone | Role::RuleAction => self.zone = true,
            Role::Duration => self.duration = true,
            Role::FileAction => self.file = true,
            Role::FileHash => self.hash = true,
            Role::Message | Role::Sid => self.message = true,
            _ => {}
        }
    }

    /// The number that an event without one would have.
    fn number(&self) -> (u32, &'static str) {
        match self {
            Seen { file: true, hash: true, .. } => (430_005, "430005"),
            Seen { file: true, .. } => (430_004, "430004"),
            Seen { duration: true, .. } => (430_003, "430003"),
            Seen { zone: true, .. } => (430_002, "430002"),
            _ => (430_001, "430001"),
        }
    }
}

fn one(
    record: &Record<'_>,
    role: Role,
    written: &[u8],
    value: &[u8],
    seen: &mut Seen,
    row: &mut Row<'_>,
) -> Result<(), Refusal> {
    let place = |kind| record.refuse(value, kind);
    match role {
        Role::SrcIp => match Ip::parse(value) {
            Some(ip) => row.set(key::SRC_IP, ip),
            None => return Err(place(RejectKind::bad_value("SrcIP", value, "an address"))),
        },
        Role::DstIp => match Ip::parse(value) {
            Some(ip) => row.set(key::DST_IP, ip),
            None => return Err(place(RejectKind::bad_value("DstIP", value, "an address"))),
        },
        // out of range in anonymised exports: the rest of the event is still worth its row
        Role::SrcPort => match schemas::parse_port(value) {
            Some(port) => row.set(key::SRC_PORT, port),
            None => row.extra(written, value),
        },
        Role::DstPort => match schemas::parse_port(value) {
            Some(port) => row.set(key::DST_PORT, port),
            None => row.extra(written, value),
        },
        Role::Protocol => row.set_opt(key::TRANSPORT, Transport::parse(value)),
        Role::IngressInterface => row.text(key::IN_INTERFACE, value),
        Role::EgressInterface => row.text(key::OUT_INTERFACE, value),
        Role::IngressZone => row.text(key::SRC_ZONE, value),
        Role::EgressZone => row.text(key::DST_ZONE, value),
        Role::RuleAction => {
            row.text(key::EVENT_ACTION, value);
            seen.verdict = verdict(value);
        }
        Role::RuleName => row.text(key::RULE_NAME, value),
        Role::Reason => row.text(key::REASON, value),
        Role::InitiatorBytes => row.set_opt(key::BYTES_OUT, schemas::parse_u64(value)),
        Role::ResponderBytes => {
            let bytes = schemas::parse_u64(value);
            row.set_opt(key::BYTES_IN, bytes);
            seen.responder_bytes = bytes.unwrap_or(0);
        }
        Role::InitiatorPackets => row.set_opt(key::PACKETS_OUT, schemas::parse_u64(value)),
        Role::ResponderPackets => {
            seen.responder_packets = schemas::parse_u64(value);
            row.set_opt(key::PACKETS_IN, seen.responder_packets);
        }
        Role::Duration => row.set_opt(key::DURATION, decimal(value).and_then(|seconds| seconds.checked_mul(1_000_000))),
        Role::FirstPacket => row.set_opt(key::START, record.time.iso(value)),
        Role::ConnectionId => row.text(key::SESSION_ID, value),
        Role::Application => row.text(key::APP_PROTO, value),
        Role::Client => row.text(key::CLIENT_SOFTWARE, value),
        Role::User => user(value, row),
        Role::Url => row.text(key::URL, value),
        Role::Host => row.text(key::HTTP_HOST, value),
        Role::UserAgent => row.text(key::USER_AGENT, value),
        Role::HttpResponse => row.set_opt(key::HTTP_STATUS, schemas::parse_u64(value)),
        Role::DnsQuery => row.text(key::DNS_QUERY, value),
        Role::DnsType => row.text(key::DNS_TYPE, value),
        Role::DnsResponse => row.text(key::DNS_RCODE, value),
        Role::NatSrcIp => row.set_opt(key::NAT_SRC_IP, Ip::parse(value)),
        Role::NatSrcPort => row.set_opt(key::NAT_SRC_PORT, schemas::parse_port(value)),
        Role::NatDstIp => row.set_opt(key::NAT_DST_IP, Ip::parse(value)),
        Role::NatDstPort => row.set_opt(key::NAT_DST_PORT, schemas::parse_port(value)),
        Role::Sid => row.text(key::SIGNATURE_ID, value),
        Role::Message => row.text(key::SIGNATURE, value),
        Role::Classification => row.text(key::SIGNATURE_CLASS, value),
        Role::Priority => row.extra(written, value),
        Role::Inline => {
            seen.verdict = match value {
                b"Block" | b"Dropped" | b"Drop" | b"Reject" | b"Blocked" => Some(Action::Drop),
                _ => seen.verdict,
            };
            row.extra(written, value);
        }
        Role::FileAction => row.text(key::EVENT_ACTION, value),
        Role::ThreatName => row.text(key::SIGNATURE, value),
        Role::SslVersion => row.text(key::TLS_VERSION, value),
        Role::SslServer => row.text(key::TLS_SNI, value),
        Role::File | Role::FileHash | Role::Keep => row.extra(written, value),
    }
    Ok(())
}

fn verdict(word: &[u8]) -> Option<Action> {
    Some(match word {
        b"Allow" | b"Trust" | b"Fastpath" | b"Monitor" => Action::Allow,
        b"Block with reset" | b"Interactive Block with reset" => Action::Reset,
        _ if memchr::memmem::find(word, b"Bypass").is_some() => Action::Allow,
        _ if memchr::memmem::find(word, b"Block").is_some() => Action::Deny,
        _ => return None,
    })
}

/// The user that the address is mapped to. These words are not users.
fn user(value: &[u8], row: &mut Row<'_>) {
    const NOBODY: [&[u8]; 4] = [b"No Authentication Required", b"Not Found", b"Unknown", b"Special Identities"];
    if NOBODY.iter().any(|nobody| value.starts_with(nobody)) {
        return;
    }
    super::ends::set_user_name(value, row);
}

fn finish(number: u32, seen: &Seen, row: &mut Row<'_>) {
    let blocked = matches!(seen.verdict, Some(Action::Deny | Action::Reset | Action::Drop));
    match number {
        430_001 => {
            row.set(key::KIND, EventKind::Alert);
            row.set(key::ACTION, seen.verdict.filter(|_| blocked).unwrap_or(Action::Alert));
        }
        430_002 | 430_003 => {
            row.set(key::KIND, EventKind::Flow);
            row.set_opt(key::ACTION, seen.verdict);
            let state = match (blocked, seen.responder_packets) {
                (true, _) => Some(PortState::Filtered),
                // at the end only: at the start nobody can have answered
                (false, Some(0)) if number == 430_003 => Some(PortState::Filtered),
                (false, Some(2..)) if number == 430_003 && seen.responder_bytes > 0 => Some(PortState::Open),
                (false, _) => None,
            };
            if row.has(schemas::Field::DstPort) {
                row.set_opt(key::PORT_STATE, state);
            }
        }
        _ => {
            row.set(key::KIND, if number == 430_005 { EventKind::Alert } else { EventKind::Other });
            let action = match row.get_text(key::EVENT_ACTION) {
                Some(word) if word.starts_with(b"Malware Block") || word.starts_with(b"Block") => Action::Deny,
                Some(_) | None => Action::Alert,
            };
            row.set(key::ACTION, action);
        }
    }
}

/// Whether a line is one of the manager's audit: `HOST: USER@ADDRESS, Page, What` after a program's tag.
pub(super) fn is_audit(record: &Record<'_>) -> bool {
    audit_parts(record).is_some()
}

fn audit_parts<'a>(record: &Record<'a>) -> Option<(&'a [u8], &'a [u8], &'a [u8])> {
    if record.header.app.is_empty() || !record.header.pid.is_empty() {
        return None;
    }
    let mut cursor = Cursor::new(record.body);
    let host = cursor.take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    cursor.expect(b": ")?;
    let (who, what) = split_once_str(cursor.rest(), b", ")?;
    let (user, _) = rsplit_once(who, b'@')?;
    let plain = !host.is_empty() && !user.is_empty() && user.len() <= 64 && !user.contains(&b' ');
    plain.then_some((host, who, what))
}

/// `HOST: USER@ADDRESS, Page > Page, What was done`.
pub(super) fn audit(record: &Record<'_>, row: &mut Row<'_>) {
    let Some((host, who, what)) = audit_parts(record) else { return };
    row.set(key::KIND, EventKind::Other);
    row.text(key::HOST, host);
    row.text(key::PROCESS_NAME, record.header.app);
    if let Some((user, address)) = rsplit_once(who, b'@') {
        row.text(key::USER, user);
        row.set_opt(key::SRC_IP, Ip::parse(address));
    }
    let what = what.trim_ascii();
    row.text(key::MESSAGE, what);
    if let Some((b"Login", result)) = split_once(what, b',') {
        let success = memchr::memmem::find(result, b"Success").is_some();
        row.set(key::KIND, EventKind::Auth);
        row.set(key::OUTCOME, if success { Outcome::Success } else { Outcome::Failure });
    }
}
