//! Where senders of CEF leave its dictionary: keys of their own, and the two counters that each reads another way.
//!
//! The dictionary's text has `in` as bytes from source to destination; most firewalls write what the source received
//! there. So the counters are directions only for senders whose reading is known, else they stay as they are.

use schemas::{EventKind, Field, Field as F, Ip, Outcome, Row, key};

use crate::generic::Put::{Extra, Maybe, Note, To};
use crate::generic::{Event, Note as N, Put, Value, keys};
use crate::lex::keys::KeyMap;
use crate::lex::text::{contains, split_once};

/// A sender with habits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    CheckPoint,
    Citrix,
    Claroty,
    Cybereason,
    Fortinet,
    Ibm,
    Incapsula,
    PaloAlto,
    SonicWall,
    /// Deep Security: its counters are those of one packet.
    TrendAgent,
    /// Apex Central speaks for the endpoints.
    TrendCentral,
    /// Network Security, once FireEye's: `start` is when it saw the traffic, `rt` when it had judged what was in it.
    Trellix,
    Ubiquiti,
    /// It speaks for the file servers that it watches.
    Varonis,
    Bitdefender,
    /// Others that write `out` for what the source sent.
    Firewall,
    Other,
}

impl Vendor {
    /// By the header's vendor and product.
    pub fn of(vendor: &[u8], product: &[u8]) -> Vendor {
        match vendor {
            b"Check Point" => Vendor::CheckPoint,
            b"Citrix" => Vendor::Citrix,
            b"Claroty" => Vendor::Claroty,
            b"Cybereason" => Vendor::Cybereason,
            b"Fortinet" => Vendor::Fortinet,
            b"IBM" if product == b"IBM i" => Vendor::Ibm,
            b"Incapsula" => Vendor::Incapsula,
            b"Palo Alto Networks" => Vendor::PaloAlto,
            b"SonicWall" => Vendor::SonicWall,
            b"Trend Micro" if contains(product, b"Deep Security") => Vendor::TrendAgent,
            b"Trend Micro" => Vendor::TrendCentral,
            b"Trellix" | b"FireEye" => Vendor::Trellix,
            b"Ubiquiti" => Vendor::Ubiquiti,
            b"Varonis" | b"Varonis Inc." => Vendor::Varonis,
            b"Bitdefender" => Vendor::Bitdefender,
            b"FORCEPOINT" | b"Forcepoint" | b"Zscaler" | b"WatchGuard" | b"Sophos" | b"A10" | b"Barracuda" => {
                Vendor::Firewall
            }
            _ => Vendor::Other,
        }
    }
}

static BYTES: KeyMap<Put, 8> = KeyMap::new(keys! {
    Maybe(F::BytesOut) => "out" "SentBytes";
    Maybe(F::BytesIn) => "in" "ReceivedBytes";
});
static PACKET: KeyMap<Put, 8> = KeyMap::new(keys! { Maybe(F::BytesOut) => "out" "in"; });
static CHECK_POINT: KeyMap<Put, 16> = KeyMap::new(keys! {
    Note(N::HostAddress) => "origin";
    Maybe(F::RuleId) => "rule_uid";
    Maybe(F::InInterface) => "ifname";
    Maybe(F::SrcZone) => "inzone";
    Maybe(F::DstZone) => "outzone";
});
static CLAROTY: KeyMap<Put, 8> =
    KeyMap::new(keys! { To(F::EventCode) => "event_type"; Maybe(F::Message) => "event_description"; });
static FORTINET: KeyMap<Put, 128> = KeyMap::new(keys! {
    To(F::EventCode) => "logid";
    Note(N::Time) => "eventtime";
    Note(N::Action) => "action";
    Note(N::Seconds) => "duration";
    Note(N::User) => "unauthuser" "user";
    Maybe(F::PacketsOut) => "sentpkt";
    Maybe(F::PacketsIn) => "rcvdpkt";
    Maybe(F::RuleId) => "policyid";
    Maybe(F::RuleName) => "policyname";
    Maybe(F::Level) => "level";
    Maybe(F::Signature) => "attack" "virus";
    Maybe(F::SignatureId) => "attackid" "virusid";
    Maybe(F::DnsQuery) => "qname";
    Maybe(F::DnsType) => "qtype";
    Maybe(F::HttpHost) => "hostname";
    Maybe(F::AuthMethod) => "authproto";
});
/// The user interface of an administrator is an address, or a word.
const FORTINET_UI: Put = Maybe(F::SrcIp);
static INCAPSULA: KeyMap<Put, 16> = KeyMap::new(keys! {
    To(F::SrcPort) => "cpt";
    Note(N::Dst) => "sip";
    Maybe(F::DstPort) => "spt";
    Maybe(F::TlsVersion) => "ver";
    Maybe(F::HttpHost) => "sourceServiceName";
    Maybe(F::HttpStatus) => "cn1";
});
static PALO_ALTO: KeyMap<Put, 128> = KeyMap::new(keys! {
    Maybe(F::BytesTotal) => "PanOSBytes";
    Maybe(F::PacketsTotal) => "PanOSPackets";
    Maybe(F::PacketsOut) => "PanOSPacketsSent";
    Maybe(F::PacketsIn) => "PanOSPacketsReceived";
    Note(N::Seconds) => "PanOSTotalTimeElapsed" "PanOSSessionDuration";
    Maybe(F::SrcZone) => "PanOSFromZone" "PanOSSourceZone";
    Maybe(F::DstZone) => "PanOSToZone" "PanOSDestinationZone";
    Maybe(F::RuleId) => "PanOSRuleUUID";
    Maybe(F::RuleName) => "PanOSRule";
    Maybe(F::Signature) => "PanOSThreatID" "PanOSThreatName";
    Maybe(F::SignatureClass) => "PanOSThreatCategory";
    Note(N::Host) => "PanOSDeviceName";
    Note(N::User) => "PanOSAuthenticatedUserName" "PanOSSourceUserName";
    Note(N::Src) => "PanOSPublicIPv4";
    Maybe(F::SrcHost) => "PanOSEndpointDeviceName";
    Note(N::NatSrc) => "PanOSNATSource";
    Note(N::NatDst) => "PanOSNATDestination";
    Maybe(F::AuthMethod) => "PanOSAuthMethod";
    Note(N::Outcome) => "PanOSEventStatus";
    Maybe(F::HttpMethod) => "PanOSHTTPMethod";
    Maybe(F::DnsQuery) => "PanOSDNSQuery";
});
static SONICWALL: KeyMap<Put, 16> = KeyMap::new(keys! {
    Note(N::User) => "susr";
    Maybe(F::NatSrcPort) => "snpt";
    Maybe(F::NatDstPort) => "dnpt";
    Note(N::Action) => "fw_action";
    // a number of the device's own, and no protocol
    Extra => "app";
});
static UBIQUITI: KeyMap<Put, 32> = KeyMap::new(keys! {
    Note(N::Time) => "UNIFIutcTime";
    Maybe(F::RuleName) => "UNIFIpolicyName";
    Note(N::Direction) => "UNIFIdirection";
    Maybe(F::Signature) => "UNIFIipsSignature";
    Maybe(F::SignatureId) => "UNIFIipsSignatureId";
    Note(N::HostAddress) => "UNIFIdeviceIp";
    Note(N::Host) => "UNIFIhost";
    Note(N::Category) => "UNIFIcategory";
});
static BITDEFENDER: KeyMap<Put, 16> = KeyMap::new(keys! {
    Note(N::Time) => "BitdefenderGZDetectionTime";
    Maybe(F::Signature) => "BitdefenderGZMalwareName" "BitdefenderGZDetectionName";
    Note(N::Action) => "BitdefenderGZMainAction";
});
/// Its template's words: acting object, file server or domain, the device that it acted from; `suser` is a mail's sender.
static VARONIS: KeyMap<Put, 16> = KeyMap::new(keys! {
    Note(N::User) => "duser";
    Note(N::Host) => "dhost";
    To(F::SrcHost) => "dvchost";
    Note(N::Src) => "dvc";
    Extra => "suser";
});
static IBM: KeyMap<Put, 4> = KeyMap::new(keys! { Note(N::Host) => "shost"; });

/// What a key means from this sender; the key may be shorter for it. `None`: as the dictionary has it.
#[inline]
pub fn own(vendor: Vendor, key: &[u8]) -> (&[u8], Option<Put>) {
    let or_bytes = |put: Option<Put>| put.or_else(|| BYTES.get(key));
    match vendor {
        Vendor::Other | Vendor::Citrix | Vendor::Cybereason | Vendor::TrendCentral | Vendor::Trellix => (key, None),
        Vendor::Firewall => (key, BYTES.get(key)),
        Vendor::CheckPoint => (key, or_bytes(CHECK_POINT.get(key))),
        Vendor::Claroty => (key, CLAROTY.get(key)),
        Vendor::Fortinet => {
            let plain =
                [&b"FTNTFGT"[..], b"FortinetFortiGate", b"ad."].into_iter().find_map(|with| key.strip_prefix(with));
            match plain {
                Some(plain) => (plain, Some(FORTINET.get(plain).unwrap_or(Put::Extra))),
                // `app` is the name of a port and no evidence of what was spoken
                None if key == b"app" => (key, Some(Put::Extra)),
                None if key == b"sproc" => (key, Some(FORTINET_UI)),
                None => (key, BYTES.get(key)),
            }
        }
        Vendor::Ibm => (key, IBM.get(key)),
        Vendor::Incapsula => (key, INCAPSULA.get(key)),
        Vendor::PaloAlto => (key, or_bytes(PALO_ALTO.get(key))),
        Vendor::SonicWall => (key, or_bytes(SONICWALL.get(key))),
        Vendor::TrendAgent => (key, PACKET.get(key)),
        Vendor::Ubiquiti => (key, or_bytes(UBIQUITI.get(key))),
        Vendor::Varonis => (key, VARONIS.get(key)),
        Vendor::Bitdefender => (key, BITDEFENDER.get(key)),
    }
}

/// What a label without a value is: SonicWall writes four values under the names of labels.
pub fn label_alone(vendor: Vendor, number: u8) -> Option<Put> {
    match (vendor, number) {
        (Vendor::SonicWall, 1) => Some(Put::Note(N::NatSrc)),
        (Vendor::SonicWall, 2) => Some(Put::Note(N::NatDst)),
        (Vendor::SonicWall, 3) => Some(Put::Maybe(Field::SrcZone)),
        (Vendor::SonicWall, 4) => Some(Put::Maybe(Field::DstZone)),
        _ => None,
    }
}

/// What needs more than one key of a sender.
pub fn settle<'a>(vendor: Vendor, event: &mut Event<'a>, row: &mut Row<'_>) {
    match vendor {
        // The event is about an endpoint, which a central server reports: where no source is, the endpoint is what the
        // dictionary calls a destination.
        Vendor::TrendCentral | Vendor::Cybereason => {
            let alone = event.note(N::Src).raw.is_empty();
            let named = !event.note(N::Host).raw.is_empty();
            let about = match row.get(key::DST_HOST) {
                Some(name) if alone => Some(name),
                _ if named => None,
                _ => row.get(key::SRC_HOST),
            };
            if let Some(name) = about {
                event.set_note(N::Host, Value::default());
                row.set(key::HOST, name);
                row.clear(Field::HostIp);
            }
            if vendor == Vendor::TrendCentral {
                central(event, row);
            }
        }
        Vendor::Trellix if !event.note(N::Start).raw.is_empty() => event.set_note(N::Time, event.note(N::Start)),
        Vendor::PaloAlto
            if matches!(row.get_text(key::EVENT_CODE), Some(b"AUTH" | b"AUTHENTICATION" | b"GLOBALPROTECT")) =>
        {
            event.kind = Some(EventKind::Auth);
        }
        // an entry of the audit journal: an object that was not for this user, a wrong password
        Vendor::Ibm if matches!(event.note(N::Name).raw, b"T-AF" | b"T-PW") => {
            let is_login = event.note(N::Name).raw == b"T-PW";
            event.kind = Some(if is_login { EventKind::Auth } else { EventKind::Other });
            event.outcome = Some(Outcome::Failure);
            event.note(N::Name).with(|name| row.text(key::EVENT_CODE, name));
        }
        // the journal or history is the signature, the message's id the name
        Vendor::Ibm if row.get_text(key::EVENT_CODE).is_some_and(|code| code.starts_with(b"QSYS-")) => {
            event.note(N::Name).with(|name| row.text(key::EVENT_CODE, name));
        }
        _ => {}
    }
}

/// Apex Central. `suser` is where an infection came from, but for Predictive Machine Learning who is logged on. `dst` is the
/// endpoint's address, `dhost` its name, or `shost` where nobody else is told of: then it is no destination.
fn central<'a>(event: &mut Event<'a>, row: &mut Row<'_>) {
    let code = row.get_text(key::EVENT_CODE).unwrap_or_default();
    let learned = code.starts_with(b"PML:");
    if learned || code.starts_with(b"AV:") {
        event.kind = Some(EventKind::Alert);
    }
    let (user, other) = if learned { (N::SrcUser, N::DstUser) } else { (N::DstUser, N::SrcUser) };
    if !event.note(user).raw.is_empty() {
        event.note(other).with(|text| row.extra_fixed(if learned { "process_owner" } else { "suser" }, text));
        event.set_note(N::User, event.note(user));
        event.set_note(user, Value::default());
        event.set_note(other, Value::default());
    }
    let own = event.note(N::Dst);
    let both = row.has(Field::SrcHost) && row.has(Field::DstHost);
    let address = Ip::parse(own.raw).filter(|ip| !ip.to_std().is_unspecified());
    if event.note(N::Src).raw.is_empty() && !both && address.is_some() {
        event.set_note(N::Src, own);
        event.set_note(N::Dst, Value::default());
        if let Some(name) = row.get(key::DST_HOST) {
            row.set(key::SRC_HOST, name);
            row.clear(Field::DstHost);
        }
        row.set_opt(key::HOST_IP, address);
    }
    console_logon(event, row);
}

/// Logons to managed products have their facts in the message: `… has logged on. Detail Information :UserName:U,IP address:A,…`.
fn console_logon(event: &mut Event<'_>, row: &mut Row<'_>) {
    let Some(message) = row.get(key::MESSAGE) else { return };
    let Some(text) = row.get_text(key::MESSAGE) else { return };
    let find = |name: &[u8]| {
        let from = memchr::memmem::find(text, name)? + name.len();
        let length = text[from..].iter().position(|byte| *byte == b',')?;
        Some((from, length))
    };
    let Some((user, length)) = find(b"Detail Information :UserName:") else { return };
    let name = match &text[..user] {
        before if contains(before, b" logged on") => &b"Managed Product Logon"[..],
        before if contains(before, b" logged off") => b"Managed Product Logoff",
        _ => return,
    };
    let source = find(b",IP address:").and_then(|(from, length)| Ip::parse(&text[from..from + length]));
    // `DOMAIN\user`
    let domain = text[user..user + length].iter().rposition(|byte| *byte == b'\\');
    event.kind = Some(EventKind::Auth);
    event.outcome = name.ends_with(b"on").then_some(Outcome::Success);
    // that of both names the wrong one, too
    event.set_note(N::Name, Value::plain(name));
    // the product's own machine
    row.clear(Field::SrcHost);
    row.set_opt(key::SRC_IP, source);
    if let Some(at) = domain {
        row.set(key::USER_DOMAIN, message.part(user, at));
    }
    let skipped = domain.map_or(0, |at| at + 1);
    row.set(key::USER, message.part(user + skipped, length - skipped));
}

/// The name in Check Point's `originsicname`: `CN=gateway,O=…`, escaped or not.
pub fn check_point_host(value: &[u8]) -> Option<&[u8]> {
    let rest = value.strip_prefix(b"CN")?;
    let rest = rest.trim_ascii_start();
    let at = rest.iter().position(|byte| !matches!(byte, b'\\' | b'='))?;
    let name = split_once(&rest[at..], b',').map_or(&rest[at..], |(name, _)| name);
    (at > 0 && !name.is_empty()).then_some(name)
}
