//! Azure Firewall: structured logs (categories `AZFW…`), the older diagnostics whose facts stand in a sentence (`msg`), and
//! both as rows of Log Analytics.
//!
//! The look-up takes `properties.` off, so that one table reads the resource log and the row. Of the sentences
//! (`TCP request from A:p to B:p. Action: Deny. Policy: …`) the parts are told by known names before a colon, since values
//! hold full stops themselves. The source of a rule's log is the end that began; that of an intrusion's may be the server. An
//! application rule decides inside a session that the firewall has accepted, so its denial says nothing about the port. Source:
//! Microsoft, "Azure Firewall monitoring data reference", "Azure Structured Firewall Logs".

use schemas::{
    Action, EventKind, Field, Initiator, Ip, LogSource, PortState, RejectKind, Row, Transport, key, parse_port,
};

use crate::detect::Keys;
use crate::document::{self, Notes, Paths, Put, notes, paths};
use crate::lex::json::{self, Value};
use crate::lex::keys::KeyMap;
use crate::lex::text::{Cursor, decimal, rsplit_once, split_once_str};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

pub(super) struct Family;

const fn source(dataset: &'static str, categories: &'static [&'static str]) -> LogSource {
    LogSource {
        family: "azure_firewall",
        vendor: "Microsoft",
        product: "Azure Firewall",
        dataset,
        categories,
        products: &["azure"],
        services: &["azurefirewall"],
    }
}

/// What a category is about.
struct Log {
    source: LogSource,
    kind: EventKind,
    /// Whether the source is the end that began.
    requests: bool,
    /// Whether a denial is one of the opening packet.
    of_packets: bool,
}

const fn log(
    dataset: &'static str,
    categories: &'static [&'static str],
    kind: EventKind,
    requests: bool,
    of_packets: bool,
) -> Log {
    Log { source: source(dataset, categories), kind, requests, of_packets }
}

static NETWORK: Log =
    log("azure_firewall.network_rule", &["firewall", "network_connection"], EventKind::Flow, true, true);
static APPLICATION: Log =
    log("azure_firewall.application_rule", &["firewall", "proxy", "network_connection"], EventKind::Flow, true, false);
static NAT: Log = log("azure_firewall.nat_rule", &["firewall", "network_connection"], EventKind::Flow, true, false);
static THREAT: Log = log("azure_firewall.threat_intel", &["firewall", "ids"], EventKind::Alert, true, false);
static INTRUSION: Log = log("azure_firewall.idps", &["firewall", "ids"], EventKind::Alert, false, false);
static NAMES: Log = log("azure_firewall.dns", &["dns"], EventKind::Dns, true, false);
static TRACE: Log =
    log("azure_firewall.flow_trace", &["firewall", "network_connection"], EventKind::Flow, false, false);
static OTHER: Log = log("azure_firewall.other", &[], EventKind::Other, false, false);

/// Categories of the structured logs, which are also the tables' names.
static LOGS: KeyMap<&Log, 32> = KeyMap::new(&[
    ("AZFWNetworkRule", &NETWORK),
    ("AZFWApplicationRule", &APPLICATION),
    ("AZFWNatRule", &NAT),
    ("AZFWThreatIntel", &THREAT),
    ("AZFWIdpsSignature", &INTRUSION),
    ("AZFWDnsQuery", &NAMES),
    ("AZFWFqdnResolveFailure", &NAMES),
    ("AZFWInternalFqdnResolutionFailure", &NAMES),
    ("AZFWFatFlow", &TRACE),
    ("AZFWFlowTrace", &TRACE),
]);

notes! { Time, Generated, Category, Table, Msg, Resource, Protocol, Action, SourcePort, DestinationPort, TranslatedIp, TranslatedPort, Fqdn, Flag, Severity, Threat, Duration, QueryName }

#[rustfmt::skip]
static PATHS: Paths<Note, 128> = {
    use Field::*;
    use self::Note as N;
    paths! {
    "time" Note(N::Time), "TimeGenerated" Note(N::Generated), "category" Note(N::Category), "Category" Note(N::Category), "Type" Note(N::Table),
    "msg" Note(N::Msg), "msg_s" Note(N::Msg), "resourceId" Note(N::Resource), "ResourceId" Note(N::Resource), "_ResourceId" Note(N::Resource),
    "operationName" Leave, "OperationName" Leave, "location" Extra, "ResourceGuid" Leave, "SourceSystem" Leave, "TenantId" Field(Tenant),
    "Protocol" Note(N::Protocol), "SourceIp" Address(key::SRC_IP), "SourcePort" Note(N::SourcePort), "DestinationIp" Address(key::DST_IP),
    "DestinationPort" Note(N::DestinationPort), "TranslatedIp" Note(N::TranslatedIp), "TranslatedPort" Note(N::TranslatedPort), "Action" Note(N::Action), "ActionReason" Field(Reason),
    "Policy" Extra, "RuleCollectionGroup" Extra, "RuleCollection" Extra, "Rule" Field(RuleName), "IsDefaultRule" IfTrue,
    "Fqdn" Note(N::Fqdn), "TargetUrl" Field(Url), "WebCategory" Extra, "IsTlsInspected" IfTrue, "IsExplicitProxyRequest" IfTrue,
    "ThreatDescription" Note(N::Threat), "SignatureId" Field(SignatureId), "Description" Field(Signature), "Severity" Note(N::Severity),
    "QueryId" Extra, "QueryType" Field(DnsType), "QueryClass" Extra, "QueryName" Note(N::QueryName), "RequestSize" Field(BytesOut), "ResponseSize" Field(BytesIn),
    "DnssecOkBit" Leave, "EDNS0BufferSize" Leave, "ResponseCode" Field(DnsRcode), "ResponseFlags" Extra, "RequestDurationSecs" Note(N::Duration),
    "ErrorNumber" Extra, "ErrorMessage" Field(Reason), "Error" Field(Reason), "ServerIp" Extra, "ServerPort" Extra, "FlowRate" Extra, "Flag" Note(N::Flag),
    }
};

/// Parts of a sentence, by the name before the colon.
#[derive(Clone, Copy)]
enum Part {
    Field(Field),
    Extra(&'static str),
    Action,
    Threat,
    Signature,
    Category,
    /// Says that the default action was taken.
    Default,
}

static PARTS: KeyMap<Part, 32> = KeyMap::new(&[
    ("Action", Part::Action),
    ("Policy", Part::Extra("Policy")),
    ("Rule Collection Group", Part::Extra("RuleCollectionGroup")),
    ("Rule Collection", Part::Extra("RuleCollection")),
    ("Rule", Part::Field(Field::RuleName)),
    ("Reason", Part::Field(Field::Reason)),
    ("Url", Part::Field(Field::Url)),
    ("Web Category", Part::Extra("WebCategory")),
    ("ThreatIntel", Part::Threat),
    ("Signature", Part::Signature),
    ("IDS", Part::Field(Field::Signature)),
    ("Priority", Part::Field(Field::Severity)),
    ("Classification", Part::Category),
    ("No rule matched", Part::Default),
    ("Proceeding with default action", Part::Default),
]);

impl Parser for Family {
    fn name(&self) -> &'static str {
        "azure_firewall"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["azfw"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Objects
    }

    fn detect(&self, record: &Record<'_>, _: &Memory) -> Option<Confidence> {
        let keys = record.keys;
        let category = if keys.has(Keys::CATEGORY.and(Keys::PROPERTIES)) {
            &b"category"[..]
        } else if keys.has(Keys::TABLE_RESOURCE) {
            b"Type"
        } else {
            return None;
        };
        let category = json::member(record.body, category).map_or(&b""[..], Value::scalar);
        let ours = category.starts_with(b"AZFW") || category.starts_with(b"AzureFirewall");
        ours.then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut notes = Notes::<NOTES>::default();
        let find = |path: &[u8]| match path.strip_prefix(b"properties.") {
            // beside the record's own
            Some(b"Category") => Some((Put::Field(Field::SignatureClass), "Category")),
            Some(inner) => PATHS.get(inner),
            None => PATHS.get(path),
        };
        document::read_by(record, row, find, |note, _, value, _| notes.take(note, value))?;
        let named = notes.raw(Note::Category);
        let named = if named.starts_with(b"A") { notes.value(Note::Category) } else { notes.value(Note::Table) };
        let name = named.scalar();
        if !name.starts_with(b"AZFW") && !name.starts_with(b"AzureFirewall") {
            return Err(record.not_this_family("a `category` that begins with AZFW or AzureFirewall"));
        }
        document::time(record, row, "time", notes.first([Note::Time, Note::Generated]))?;
        document::text(row, key::EVENT_CODE, named);
        if let Some((_, firewall)) = rsplit_once(notes.raw(Note::Resource), b'/') {
            row.text(key::HOST, firewall);
        }
        document::extra(row, "resourceId", notes.value(Note::Resource));
        if notes.has(Note::Msg) {
            let msg = notes.value(Note::Msg);
            document::text(row, key::MESSAGE, msg);
            let expected = "a sentence such as `TCP request from A:p to B:p. Action: Deny`";
            let log = msg.with(|text| sentence(text.trim_ascii(), row));
            let log =
                log.ok_or_else(|| record.refuse(msg.scalar(), RejectKind::bad_value("msg", msg.scalar(), expected)))?;
            conclude(row, log);
            return Ok(Parsed::Events);
        }
        let log = LOGS.get(name).unwrap_or(&OTHER);
        structured(record, row, &notes, log.kind == EventKind::Dns)?;
        conclude(row, log);
        Ok(Parsed::Events)
    }
}

/// What the members of a structured log mean together.
fn structured(record: &Record<'_>, row: &mut Row<'_>, notes: &Notes<'_, NOTES>, is_names: bool) -> Result<(), Refusal> {
    protocol(row, notes.raw(Note::Protocol));
    for (note, field) in [(Note::SourcePort, Field::SrcPort), (Note::DestinationPort, Field::DstPort)] {
        document::set(record, row, field, notes.value(note))?;
    }
    document::address(record, row, key::NAT_DST_IP, "TranslatedIp", notes.value(Note::TranslatedIp))?;
    document::set(record, row, Field::NatDstPort, notes.value(Note::TranslatedPort))?;
    if is_names {
        notes.value(Note::Fqdn).with(|name| query(row, name));
    } else {
        document::text(row, key::DST_HOST, notes.value(Note::Fqdn));
    }
    document::text(row, key::TCP_FLAGS, notes.value(Note::Flag));
    document::text(row, key::SIGNATURE, notes.value(Note::Threat));
    document::set(record, row, Field::Severity, notes.value(Note::Severity))?;
    query(row, notes.raw(Note::QueryName));
    row.set_opt(key::DURATION, seconds(notes.raw(Note::Duration)));
    let action = notes.raw(Note::Action);
    verdict(row, action);
    if row.has(Field::NatDstIp) && !row.has(Field::Action) {
        row.set(key::ACTION, Action::Nat);
    }
    Ok(())
}

fn conclude(row: &mut Row<'_>, log: &'static Log) {
    row.log_source(&log.source);
    row.set(key::KIND, log.kind);
    if log.requests && row.has(Field::SrcIp) {
        row.set(key::INITIATOR, Initiator::Source);
    }
    if log.of_packets && matches!(row.get(key::ACTION), Some(Action::Deny | Action::Drop)) {
        row.set(key::PORT_STATE, PortState::Filtered);
    }
    if log.kind == EventKind::Alert && !row.has(Field::Action) {
        row.set(key::ACTION, Action::Alert);
    }
}

fn verdict(row: &mut Row<'_>, word: &[u8]) {
    row.text(key::EVENT_ACTION, word);
    const WORDS: [(&[u8], Action); 6] = [
        (b"allow", Action::Allow),
        (b"deny", Action::Deny),
        (b"drop", Action::Drop),
        (b"alert", Action::Alert),
        (b"dnat", Action::Nat),
        (b"reset", Action::Reset),
    ];
    row.set_opt(
        key::ACTION,
        WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, action)| *action),
    );
}

/// A transport, or an application's protocol: those are spoken over TCP here.
fn protocol(row: &mut Row<'_>, name: &[u8]) {
    if let Some(transport) = Transport::parse(name) {
        row.set(key::TRANSPORT, transport);
        return;
    }
    for known in ["http", "https", "mssql"] {
        if known.as_bytes().eq_ignore_ascii_case(name) {
            row.set(key::TRANSPORT, Transport::TCP);
            row.fixed(key::APP_PROTO, known);
            return;
        }
    }
    row.extra_fixed("Protocol", name);
}

fn query(row: &mut Row<'_>, name: &[u8]) {
    row.text(key::DNS_QUERY, name.strip_suffix(b".").filter(|name| !name.is_empty()).unwrap_or(name));
}

/// `0.002846368` or `0.002846368s` in microseconds.
fn seconds(text: &[u8]) -> Option<u64> {
    let text = text.strip_suffix(b"s").unwrap_or(text);
    let (whole, fraction) = text.iter().position(|byte| *byte == b'.').map_or((text, &b""[..]), |at| text.split_at(at));
    let mut micros = 0;
    for at in 1..=6 {
        let digit = fraction.get(at).copied().unwrap_or(b'0');
        micros = micros * 10 + u64::from(digit.is_ascii_digit().then(|| digit - b'0')?);
    }
    decimal(whole)?.checked_mul(1_000_000)?.checked_add(micros)
}

// ---- sentences

/// Reads a sentence; `None` if it has none of the known shapes.
fn sentence(text: &[u8], row: &mut Row<'_>) -> Option<&'static Log> {
    if let Some(request) = text.strip_prefix(b"DNS Request: ") {
        return name_request(request, row);
    }
    if let Some(error) = text.strip_prefix(b"Error: ") {
        // of the proxy itself: `2 host. A: read udp A:p->B:p: i/o timeout`
        row.text(key::REASON, error);
        return Some(&NAMES);
    }
    let mut cursor = Cursor::new(text);
    let spoken = cursor.until_near(b' ')?;
    if cursor.take_if(b"Type=") {
        row.set(key::ICMP_TYPE, cursor.number()?);
        cursor.skip_blanks();
    }
    cursor.expect(b"request from ")?;
    let from = cursor.until_str(b" to ")?;
    end(row, from, key::SRC_IP, Field::SrcPort, Field::SrcHost)?;
    let to = cursor.word();
    end(row, to.strip_suffix(b".").unwrap_or(to), key::DST_IP, Field::DstPort, Field::DstHost)?;
    protocol(row, spoken);
    let mut log = if row.has(Field::AppProto) { &APPLICATION } else { &NETWORK };
    if cursor.take_if(b"was DNAT'ed to ") {
        let to = cursor.word();
        let (ip, port) = split_port(to.strip_suffix(b".").unwrap_or(to));
        row.set(key::NAT_DST_IP, Ip::parse(ip)?);
        row.set_opt(key::NAT_DST_PORT, parse_port(port));
        row.set(key::ACTION, Action::Nat);
        log = &NAT;
    }
    each_part(cursor.rest(), |part, value| match part {
        Part::Field(field) => {
            if !row.put_if(field, value) {
                row.extra_fixed(field.name(), value);
            }
        }
        Part::Extra(name) => row.extra_fixed(name, value),
        Part::Action => verdict(row, value),
        Part::Category => row.text(key::SIGNATURE_CLASS, value),
        Part::Threat => {
            row.text(key::SIGNATURE, value);
            log = &THREAT;
        }
        Part::Signature => {
            row.text(key::SIGNATURE_ID, value);
            log = &INTRUSION;
        }
        Part::Default => row.fixed(key::REASON, "no rule matched"),
    });
    Some(log)
}

/// `A:p`, `A`, `A:` (ICMP), or a name with a port.
fn end(row: &mut Row<'_>, text: &[u8], address: schemas::Key<Ip>, port: Field, host: Field) -> Option<()> {
    let (name, number) = split_port(text);
    match Ip::parse(name) {
        Some(ip) => row.set(address, ip),
        None if host == Field::DstHost && !name.is_empty() => {
            row.put_if(host, name);
        }
        None => return None,
    }
    row.put_if(port, number).then_some(())
}

fn split_port(text: &[u8]) -> (&[u8], &[u8]) {
    if Ip::parse(text).is_some() {
        return (text, b"");
    }
    let (name, port) = rsplit_once(text, b':').unwrap_or((text, b""));
    (name.strip_prefix(b"[").and_then(|inner| inner.strip_suffix(b"]")).unwrap_or(name), port)
}

/// Hands over each `Name: value` of a text whose parts are separated by full stops; a piece without a known name belongs to
/// the value before it.
fn each_part(text: &[u8], mut take: impl FnMut(Part, &[u8])) {
    let mut open: Option<(Part, usize)> = None;
    let mut at = 0;
    let mut last_end = 0;
    loop {
        let piece_end = split_once_str(&text[at..], b". ").map_or(text.len(), |(piece, _)| at + piece.len());
        let piece = &text[at..piece_end];
        let skipped = piece.len() - piece.trim_ascii_start().len();
        let piece = piece.trim_ascii();
        let (name, value_at) = match split_once_str(piece, b": ") {
            Some((name, _)) => (name, at + skipped + name.len() + 2),
            None => (piece.strip_suffix(b".").unwrap_or(piece), piece_end),
        };
        if let Some(part) = PARTS.get(name) {
            if let Some((before, from)) = open {
                take(before, clean(&text[from.min(last_end)..last_end]));
            }
            open = Some((part, value_at));
        }
        last_end = piece_end;
        if piece_end == text.len() {
            break;
        }
        at = piece_end + 2;
    }
    if let Some((part, from)) = open {
        take(part, clean(&text[from.min(last_end)..last_end]));
    }
}

fn clean(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii();
    value.strip_suffix(b".").unwrap_or(value)
}

/// `A:p - ID TYPE CLASS NAME. udp SIZE DO BUFFER RCODE FLAGS SIZE SECONDSs`.
fn name_request(text: &[u8], row: &mut Row<'_>) -> Option<&'static Log> {
    let mut cursor = Cursor::new(text);
    end(row, cursor.word(), key::SRC_IP, Field::SrcPort, Field::SrcHost)?;
    cursor.expect(b"- ")?;
    row.extra_fixed("QueryId", cursor.word());
    row.text(key::DNS_TYPE, cursor.word());
    row.extra_fixed("QueryClass", cursor.word());
    query(row, cursor.word());
    protocol(row, cursor.word());
    row.put_if(Field::BytesOut, cursor.word()).then_some(())?;
    let (_dnssec, _buffer) = (cursor.word(), cursor.word());
    row.text(key::DNS_RCODE, cursor.word());
    row.extra_fixed("ResponseFlags", cursor.word());
    row.put_if(Field::BytesIn, cursor.word()).then_some(())?;
    row.set_opt(key::DURATION, seconds(cursor.word()));
    Some(&NAMES)
}
