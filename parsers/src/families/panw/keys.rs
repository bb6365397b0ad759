//! The names that facts have where they are named: in the JSON export, in CEF and in LEEF.
//!
//! CEF and LEEF are templates that an administrator pastes in; these are the vendor's own. Of CEF's custom fields the label says what
//! they are. In the firewall's CEF template `in` is what the source sent: its keys are those of the device's view.
//!
//! Source: Strata Logging Service, "Log Forwarding Schema"; PAN-OS CEF configuration guides 7.1 to 10.2; IBM DSM guide, "Palo Alto
//! Networks PA Series".

use schemas::{Row, key};

use super::layout::{Coding, Line, Slot, TYPES, Type};
use crate::lex::cef;
use crate::lex::json::{self, Value};
use crate::lex::keys::KeyMap;
use crate::lex::kv;
use crate::lex::text::unquote;
use crate::{Record, Refusal};

/// Members of the JSON export.
static KEYS: KeyMap<Slot, 256> = KeyMap::new(&[
    ("Subtype", Slot::Subtype),
    ("SubType", Slot::Subtype),
    ("DeviceSN", Slot::Serial),
    ("LogSourceID", Slot::Serial),
    ("TimeReceived", Slot::Received),
    ("LogTime", Slot::Received),
    ("TimeGenerated", Slot::Generated),
    ("EventTime", Slot::Generated),
    ("TimeGeneratedHighResolution", Slot::HighRes),
    ("SourceAddress", Slot::Source),
    ("SourceIP", Slot::Source),
    ("DestinationAddress", Slot::Destination),
    ("DNSResolverIP", Slot::Destination),
    ("NATSource", Slot::NatSource),
    ("NATDestination", Slot::NatDestination),
    ("SourcePort", Slot::SourcePort),
    ("DestinationPort", Slot::DestinationPort),
    ("NATSourcePort", Slot::NatSourcePort),
    ("NATDestinationPort", Slot::NatDestinationPort),
    ("Protocol", Slot::Protocol),
    ("Rule", Slot::Rule),
    ("RuleUUID", Slot::RuleId),
    ("SourceUser", Slot::User),
    ("SourceUserName", Slot::User),
    ("User", Slot::User),
    ("UserName", Slot::User),
    ("DestinationUser", Slot::DestinationUser),
    ("Application", Slot::Application),
    ("VirtualLocation", Slot::VirtualSystem),
    ("VirtualSystem", Slot::VirtualSystem),
    ("FromZone", Slot::SourceZone),
    ("ToZone", Slot::DestinationZone),
    ("InboundInterface", Slot::InInterface),
    ("OutboundInterface", Slot::OutInterface),
    ("SessionID", Slot::Session),
    ("RepeatCount", Slot::Repeat),
    ("Action", Slot::Action),
    ("Bytes", Slot::Bytes),
    ("BytesSent", Slot::BytesSent),
    ("BytesReceived", Slot::BytesReceived),
    ("PacketsTotal", Slot::Packets),
    ("PacketsSent", Slot::PacketsSent),
    ("PacketsReceived", Slot::PacketsReceived),
    ("SessionDuration", Slot::Elapsed),
    ("SessionStartTime", Slot::Start),
    ("SourceDeviceHost", Slot::SourceHost),
    ("SourceDeviceMac", Slot::SourceMac),
    ("DestinationDeviceHost", Slot::DestinationHost),
    ("DestinationDeviceMac", Slot::DestinationMac),
    ("TagName", Slot::Tag),
    ("URLCategory", Slot::Category),
    ("DNSCategory", Slot::Category),
    ("SequenceNo", Slot::Sequence),
    ("SourceLocation", Slot::SourceCountry),
    ("DestinationLocation", Slot::DestinationCountry),
    ("SessionEndReason", Slot::EndReason),
    ("DeviceName", Slot::Device),
    ("LogSourceName", Slot::Device),
    ("ActionSource", Slot::ActionSource),
    ("URL", Slot::Url),
    ("FileName", Slot::Url),
    ("ThreatID", Slot::Threat),
    ("ThreatName", Slot::Threat),
    ("ThreatCategory", Slot::ThreatCategory),
    ("VendorSeverity", Slot::Severity),
    ("Severity", Slot::Severity),
    ("DirectionOfAttack", Slot::Direction),
    ("FileHash", Slot::FileDigest),
    ("UserAgent", Slot::UserAgent),
    ("X-Forwarded-For", Slot::Forwarded),
    ("Referer", Slot::Referer),
    ("HTTPMethod", Slot::Method),
    ("EventName", Slot::EventId),
    ("EventID", Slot::EventId),
    ("EventIDValue", Slot::EventId),
    ("AuthEvent", Slot::EventId),
    ("EventComponent", Slot::Object),
    ("EventDescription", Slot::Description),
    ("Description", Slot::Description),
    ("AuthenticationDescription", Slot::Description),
    ("Stage", Slot::Stage),
    ("AuthMethod", Slot::AuthMethod),
    ("TunnelType", Slot::TunnelType),
    ("SourceRegion", Slot::Region),
    ("EndpointDeviceName", Slot::Machine),
    ("PublicIPv4", Slot::PublicIp),
    ("PublicIPv6", Slot::PublicIp6),
    ("PrivateIPv4", Slot::PrivateIp),
    ("PrivateIPv6", Slot::PrivateIp6),
    ("GlobalProtectClientVersion", Slot::ClientVersion),
    ("EndpointOSType", Slot::ClientSystem),
    ("QuarantineReason", Slot::Reason),
    ("ConnectionError", Slot::Error),
    ("ErrorMessage", Slot::Error),
    ("EventStatus", Slot::Status),
    ("EventResult", Slot::Status),
    ("Portal", Slot::Portal),
    ("Gateway", Slot::Gateway),
    ("DNSQuery", Slot::DnsQuery),
    ("DomainName", Slot::DnsQuery),
    ("RecordType", Slot::DnsType),
    ("TLSVersion", Slot::TlsVersion),
    ("ServerNameIndication", Slot::TlsName),
    ("DataSource", Slot::DataSource),
]);

/// Keys of CEF that mean one thing.
static CEF: KeyMap<Slot, 256> = KeyMap::new(&[
    ("rt", Slot::Received),
    ("start", Slot::Generated),
    ("deviceExternalId", Slot::Serial),
    ("src", Slot::Source),
    ("c6a2", Slot::Source),
    ("dst", Slot::Destination),
    ("c6a3", Slot::Destination),
    ("sourceTranslatedAddress", Slot::NatSource),
    ("destinationTranslatedAddress", Slot::NatDestination),
    ("spt", Slot::SourcePort),
    ("dpt", Slot::DestinationPort),
    ("sourceTranslatedPort", Slot::NatSourcePort),
    ("destinationTranslatedPort", Slot::NatDestinationPort),
    ("proto", Slot::Protocol),
    ("act", Slot::Action),
    ("app", Slot::Application),
    ("suser", Slot::User),
    ("suser0", Slot::User),
    ("duser", Slot::DestinationUser),
    ("duser0", Slot::DestinationUser),
    ("deviceInboundInterface", Slot::InInterface),
    ("deviceOutboundInterface", Slot::OutInterface),
    ("cnt", Slot::Repeat),
    ("in", Slot::BytesSent),
    ("out", Slot::BytesReceived),
    ("externalId", Slot::Sequence),
    ("reason", Slot::EndReason),
    ("dvchost", Slot::Device),
    ("request", Slot::Url),
    ("requestMethod", Slot::Method),
    ("requestClientApplication", Slot::UserAgent),
    ("msg", Slot::Description),
    ("fileHash", Slot::FileDigest),
    ("shost", Slot::Machine),
    ("PanOSPacketsSent", Slot::PacketsSent),
    ("PanOSPacketsReceived", Slot::PacketsReceived),
    ("PanOSBytes", Slot::Bytes),
    ("PanOSRuleUUID", Slot::RuleId),
    ("PanOSThreatCategory", Slot::ThreatCategory),
    ("PanOSXforwarderfor", Slot::Forwarded),
    ("PanOSReferer", Slot::Referer),
    ("PanXFFIP", Slot::Forwarded),
    ("PanSrcHostname", Slot::SourceHost),
    ("PanSrcMac", Slot::SourceMac),
    ("PanDstHostname", Slot::DestinationHost),
    ("PanDstMac", Slot::DestinationMac),
    ("PanOSTimeGeneratedHighResolution", Slot::HighRes),
    ("PanOSAuthEventID", Slot::EventId),
    ("PanOSEventStatus", Slot::Status),
    ("PanOSPublicIPv4", Slot::PublicIp),
    ("PanOSPublicIPv6", Slot::PublicIp6),
    ("PanOSPrivateIPv4", Slot::PrivateIp),
    ("PanOSPrivateIPv6", Slot::PrivateIp6),
    ("PanOSSourceUserName", Slot::User),
    ("PanOSEndpointDeviceName", Slot::Machine),
    ("PanOSAuthMethod", Slot::AuthMethod),
    ("PanOSStage", Slot::Stage),
    ("PanOSDeviceName", Slot::Device),
    ("PanOSGlobalProtectClientVersion", Slot::ClientVersion),
    ("PanOSEndpointOSType", Slot::ClientSystem),
    ("PanOSConnectionError", Slot::Error),
    ("PanOSDescription", Slot::Description),
]);

/// Labels of CEF's custom fields.
static LABELS: KeyMap<Slot, 128> = KeyMap::new(&[
    ("Rule", Slot::Rule),
    ("Virtual System", Slot::VirtualSystem),
    ("VirtualLocation", Slot::VirtualSystem),
    ("Source Zone", Slot::SourceZone),
    ("FromZone", Slot::SourceZone),
    ("Destination Zone", Slot::DestinationZone),
    ("ToZone", Slot::DestinationZone),
    ("URL Category", Slot::Category),
    ("URLCategory", Slot::Category),
    ("SessionID", Slot::Session),
    ("Packets", Slot::Packets),
    ("PacketsTotal", Slot::Packets),
    ("Elapsed time in seconds", Slot::Elapsed),
    ("SessionDuration", Slot::Elapsed),
    ("Total bytes", Slot::Bytes),
    ("Flags", Slot::Flags),
    ("Direction", Slot::Direction),
    ("Module", Slot::Module),
    ("Object", Slot::Object),
    ("ServerProfile", Slot::Object),
    ("Authentication Protocol", Slot::AuthMethod),
    ("AuthPolicy", Slot::Rule),
    ("Before Change Detail", Slot::Object),
    ("ThreatID", Slot::Threat),
    ("Threat Category", Slot::ThreatCategory),
]);

/// Custom fields and, at the same place, their labels.
static CUSTOM: KeyMap<(usize, bool), 64> = KeyMap::new(&[
    ("cs1", (0, false)),
    ("cs2", (1, false)),
    ("cs3", (2, false)),
    ("cs4", (3, false)),
    ("cs5", (4, false)),
    ("cs6", (5, false)),
    ("cn1", (6, false)),
    ("cn2", (7, false)),
    ("cn3", (8, false)),
    ("flexString1", (9, false)),
    ("flexString2", (10, false)),
    ("flexNumber1", (11, false)),
    ("cs1Label", (0, true)),
    ("cs2Label", (1, true)),
    ("cs3Label", (2, true)),
    ("cs4Label", (3, true)),
    ("cs5Label", (4, true)),
    ("cs6Label", (5, true)),
    ("cn1Label", (6, true)),
    ("cn2Label", (7, true)),
    ("cn3Label", (8, true)),
    ("flexString1Label", (9, true)),
    ("flexString2Label", (10, true)),
    ("flexNumber1Label", (11, true)),
]);

/// Keys of LEEF.
static LEEF: KeyMap<Slot, 128> = KeyMap::new(&[
    ("ReceiveTime", Slot::Received),
    ("devTime", Slot::Generated),
    ("SerialNumber", Slot::Serial),
    ("Subtype", Slot::Subtype),
    ("src", Slot::Source),
    ("dst", Slot::Destination),
    ("srcPostNAT", Slot::NatSource),
    ("dstPostNAT", Slot::NatDestination),
    ("RuleName", Slot::Rule),
    ("usrName", Slot::User),
    ("SourceUser", Slot::User),
    ("DestinationUser", Slot::DestinationUser),
    ("Application", Slot::Application),
    ("app", Slot::Application),
    ("VirtualSystem", Slot::VirtualSystem),
    ("SourceZone", Slot::SourceZone),
    ("DestinationZone", Slot::DestinationZone),
    ("IngressInterface", Slot::InInterface),
    ("EgressInterface", Slot::OutInterface),
    ("SessionID", Slot::Session),
    ("RepeatCount", Slot::Repeat),
    ("srcPort", Slot::SourcePort),
    ("dstPort", Slot::DestinationPort),
    ("srcPostNATPort", Slot::NatSourcePort),
    ("dstPostNATPort", Slot::NatDestinationPort),
    ("Flags", Slot::Flags),
    ("proto", Slot::Protocol),
    ("action", Slot::Action),
    ("totalBytes", Slot::Bytes),
    ("srcBytes", Slot::BytesSent),
    ("dstBytes", Slot::BytesReceived),
    ("totalPackets", Slot::Packets),
    ("srcPackets", Slot::PacketsSent),
    ("dstPackets", Slot::PacketsReceived),
    ("StartTime", Slot::Start),
    ("ElapsedTime", Slot::Elapsed),
    ("URLCategory", Slot::Category),
    ("sequence", Slot::Sequence),
    ("SourceLocation", Slot::SourceCountry),
    ("DestinationLocation", Slot::DestinationCountry),
    ("SessionEndReason", Slot::EndReason),
    ("DeviceName", Slot::Device),
    ("ActionSource", Slot::ActionSource),
    ("Miscellaneous", Slot::Url),
    ("ThreatID", Slot::Threat),
    ("ThreatCategory", Slot::ThreatCategory),
    ("Severity", Slot::Severity),
    ("Direction", Slot::Direction),
    ("FileDigest", Slot::FileDigest),
    ("userAgent", Slot::UserAgent),
    ("identSrc", Slot::Forwarded),
    ("Referer", Slot::Referer),
    ("TunnelType", Slot::TunnelType),
    ("Module", Slot::Module),
    ("Filename", Slot::Object),
    ("msg", Slot::Description),
    ("EventID", Slot::EventId),
    ("Result", Slot::Status),
    ("ConfigurationPath", Slot::Description),
    ("client", Slot::Client),
]);

/// Reads the JSON export. Members without a slot are extras; lists of answers are set at once.
pub(super) fn read_json<'r>(record: &Record<'r>, row: &mut Row<'_>) -> Result<Line<'r>, Refusal> {
    let mut line = Line::new(Type::Other, Coding::Json);
    let mut known = false;
    for member in json::members(record.body)? {
        let member = member?;
        let (raw, escaped) = match member.value {
            Value::Text(text) => (text.raw, text.escaped),
            Value::Array(array) if member.key == b"DNSResponse" => {
                let answers = json::elements(array).into_iter().flatten().map_while(Result::ok);
                row.list(key::DNS_ANSWERS, answers.map(Value::scalar).filter(|answer| !answer.is_empty()));
                continue;
            }
            value => (value.scalar(), false),
        };
        if raw.is_empty() {
            continue;
        }
        match (member.key, KEYS.get(member.key)) {
            (b"LogType", _) => {
                known = true;
                line.kind = TYPES.get(raw).unwrap_or(Type::Other);
            }
            // 0 is none
            (b"ThreatID", Some(_)) if raw == b"0" => {}
            (_, Some(slot)) => line.put(slot, raw, escaped),
            // columns of zeros and dashes that nobody asked for
            (_, None) if matches!(raw, b"0" | b"false" | b"N/A") => {}
            (name, None) => member.value.with(|value| row.extra(name, value)),
        }
    }
    if known { Ok(line) } else { Err(record.not_this_family("a JSON object with `LogType`")) }
}

/// What CEF and LEEF of a firewall begin with.
#[inline]
pub(super) fn is_named(body: &[u8]) -> bool {
    let rest = match body {
        [b'C', b'E', b'F', b':', b'0' | b'1', b'|', rest @ ..] => rest,
        [b'L', b'E', b'E', b'F', b':', b'1' | b'2', b'.', b'0', b'|', rest @ ..] => rest,
        _ => return false,
    };
    rest.strip_prefix(b"Palo Alto Networks|").is_some_and(|product| product.starts_with(b"PAN-OS"))
}

/// Reads either.
pub(super) fn read<'r>(record: &Record<'r>) -> Result<Line<'r>, Refusal> {
    if record.body.starts_with(b"C") { read_cef(record) } else { read_leef(record) }
}

fn read_cef<'r>(record: &Record<'r>) -> Result<Line<'r>, Refusal> {
    let expected = "`CEF:0|Palo Alto Networks|PAN-OS|…` with seven header fields, one of them the type";
    let Some((fields, extension)) = cef::header(record.body) else { return Err(record.not_this_family(expected)) };
    // the vendor's templates have the subtype first, some administrators' the type
    let (kind, subtype) = match (TYPES.get(fields[5]), TYPES.get(fields[4])) {
        (Some(kind), _) => (kind, fields[4]),
        (None, Some(kind)) => (kind, fields[5]),
        (None, None) => return Err(record.not_this_family(expected)),
    };
    let mut line = Line::new(kind, Coding::Cef);
    line.put(Slot::Subtype, subtype, false);
    let mut custom = [(&b""[..], &b""[..]); 12];
    for mut pair in cef::pairs(extension) {
        // the templates of SYSTEM and URL put quotes around
        pair.value = unquote(pair.value);
        if let Some(slot) = CEF.get(pair.key) {
            line.put(slot, pair.value, pair.escaped);
        } else if let Some((at, is_label)) = CUSTOM.get(pair.key) {
            let place = if is_label { &mut custom[at].0 } else { &mut custom[at].1 };
            *place = pair.value;
        } else if pair.key == b"cat" {
            let slot = match kind {
                Type::Threat => Slot::Threat,
                Type::Traffic => Slot::ActionSource,
                _ => Slot::EventId,
            };
            line.put(slot, pair.value, pair.escaped);
        }
    }
    for (label, value) in custom {
        if let Some(slot) = LABELS.get(label) {
            line.put(slot, value, value.contains(&b'\\'));
        }
    }
    Ok(line)
}

fn read_leef<'r>(record: &Record<'r>) -> Result<Line<'r>, Refusal> {
    let body = record.body;
    let expected = "`LEEF:1.0|Palo Alto Networks|PAN-OS…|version|event|` and pairs with `cat` or `Type`";
    // five bars in 1.0; 2.0 has the delimiter behind a sixth
    let bars = if body.starts_with(b"LEEF:2") { 6 } else { 5 };
    let Some(end) = memchr::memchr_iter(b'|', body).nth(bars - 1) else { return Err(record.not_this_family(expected)) };
    let rest = &body[end + 1..];
    let separator = if rest.contains(&b'\t') { b'\t' } else { b'|' };
    let mut kind = None;
    let mut line = Line::new(Type::Other, Coding::Cef);
    for pair in kv::pairs_by(rest, separator) {
        if matches!(pair.key, b"cat" | b"Type") {
            kind = kind.or_else(|| TYPES.get(pair.value));
        } else if let Some(slot) = LEEF.get(pair.key) {
            line.put(slot, pair.value, false);
        }
    }
    line.kind = kind.ok_or_else(|| record.not_this_family(expected))?;
    Ok(line)
}
