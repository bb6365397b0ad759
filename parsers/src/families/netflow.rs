//! Flow records of routers, switches and firewalls (NetFlow, IPFIX, sFlow) as collectors write them: goflow2, nfdump, pmacct,
//! Filebeat, Logstash, and objects that name the information elements as the protocols do.
//!
//! A record is one direction of a conversation, cut where a timeout of the exporter fell; sFlow's is one sampled packet. The
//! source is who sent, not who began: that is only told by a SYN without ACK (the client's), or by a single answer of RST and ACK (the
//! server's). goflow2 leaves scaling to its reader: counters are multiplied by the sampling rate and the raw ones kept; the others
//! have scaled already. ICMP's type and code stand in the destination port of exporters that have no field of their own. A flow
//! happened when its last packet was seen; Filebeat says itself when it happened.
//!
//! nfdump's CSV is read by its header line, in either of its versions; its text by the shape of each line. Sources: goflow2 `docs/protocols.md`; nfdump
//! `output_ndjson.c`, `output_csv.c`, `output_csv_fast.c`; pmacct's JSON; Filebeat, netflow fields; IANA, IPFIX information
//! elements; RFC 3954, 5103.

mod names;
mod text;

use schemas::{
    Action, EventKind, Field, Initiator, Ip, Key, LogSource, PortState, RejectKind, Row, Transport, key, parse_port,
};

use crate::detect::Keys;
use crate::document::{self, Notes, Put};
use crate::lex::endpoint::host_port;
use crate::lex::json::Value;
use crate::lex::text::decimal;
use crate::lex::time::epoch;
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, Shape, set_time};
use names::{COLUMNS, NOTES, Note, PATHS};

pub(super) struct Family;

const fn source(product: &'static str, dataset: &'static str) -> LogSource {
    LogSource {
        family: "netflow",
        vendor: "",
        product,
        dataset,
        categories: &["network_connection"],
        products: &[],
        services: &["netflow"],
    }
}

static NETFLOW: LogSource = source("NetFlow", "netflow.flow");
static SFLOW: LogSource = source("sFlow", "netflow.sflow");
/// Of a firewall that exports its sessions: NSEL.
static FIREWALL: LogSource =
    LogSource { categories: &["firewall", "network_connection"], ..source("NetFlow", "netflow.nsel") };

/// The columns that nfdump's header line named; none after a `Summary`.
#[derive(Default)]
struct Header {
    columns: Vec<Column>,
    summary: bool,
}

type Column = Option<(Put<Note>, &'static str)>;

const SYN: u64 = 2;
const RST: u64 = 4;
const ACK: u64 = 16;

impl Parser for Family {
    fn name(&self) -> &'static str {
        "netflow"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["ipfix", "sflow", "goflow2", "nfdump", "pmacct", "nsel"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Both
    }

    fn detect(&self, record: &Record<'_>, memory: &Memory) -> Option<Confidence> {
        if record.shape == Shape::Text {
            let header = memory.peek::<Header>();
            let known = header.is_some_and(|header| is_row(record.line, header));
            let known =
                known || is_header(record.line) || text::is_notice(record.line) || text::flow(record.line).is_some();
            return known.then_some(Confidence::Certain);
        }
        let keys = record.keys;
        let beat = keys.has(Keys::NETFLOW.and(Keys::AT_TIMESTAMP)) && !keys.has(Keys::EVENT_TYPE);
        if keys.has_any(Keys::SAMPLER) || beat {
            return Some(Confidence::Certain);
        }
        let wrapped = keys.has_any(Keys::MESSAGE.and(Keys::EVENT).and(Keys::AT_TIMESTAMP));
        keys.has(Keys::FLOW_END).then_some(if wrapped { Confidence::Likely } else { Confidence::Certain })
    }

    fn remembers(&self) -> Option<fn(&[u8]) -> bool> {
        Some(|line| is_header(line) || line.starts_with(b"Summary"))
    }

    fn parse(&self, record: &Record<'_>, memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut notes = Notes::<NOTES>::default();
        match record.shape {
            Shape::Object => {
                let find = |path: &[u8]| {
                    PATHS.get(path).or_else(|| path.strip_prefix(b"netflow.").and_then(|inner| PATHS.get(inner)))
                };
                document::read_by(record, row, find, |note, _, value, _| notes.take(note, value))?;
            }
            Shape::Text if text::is_notice(record.line) => return Ok(Parsed::Nothing),
            Shape::Text => {
                if let Some(parts) = text::flow(record.line) {
                    text::read(record, &parts, &mut notes, row)?;
                    return conclude(record, &notes, row);
                }
                let header: &mut Header = memory.of();
                if is_header(record.line) {
                    *header =
                        Header { columns: record.line.split(|b| *b == b',').map(column).collect(), summary: false };
                    return Ok(Parsed::Nothing);
                }
                if record.line.trim_ascii() == b"Summary" {
                    header.summary = true;
                    return Ok(Parsed::Nothing);
                }
                if header.summary {
                    return Ok(Parsed::Nothing);
                }
                cells(record, header, &mut notes, row)?;
            }
        }
        conclude(record, &notes, row)
    }
}

// ---- CSV

fn is_header(line: &[u8]) -> bool {
    [&b"ts,te,td,"[..], b"firstSeen,", b"cnt,af,firstSeen,"].iter().any(|beginning| line.starts_with(beginning))
}

fn is_row(line: &[u8], header: &Header) -> bool {
    if header.columns.is_empty() {
        return false;
    }
    header.summary && (line == b"Summary" || line.first().is_some_and(u8::is_ascii_alphanumeric))
        || line.first().is_some_and(u8::is_ascii_digit)
            && line.iter().filter(|byte| **byte == b',').count() + 1 == header.columns.len()
        || line.trim_ascii() == b"Summary"
}

fn column(name: &[u8]) -> Column {
    COLUMNS.get(name.trim_ascii())
}

fn cells<'a>(
    record: &Record<'a>,
    header: &Header,
    notes: &mut Notes<'a, NOTES>,
    row: &mut Row<'_>,
) -> Result<(), Refusal> {
    if header.columns.is_empty() {
        return Err(record.not_this_family("a JSON object, nfdump's text, or CSV behind its header line"));
    }
    let cells = || record.line.split(|byte| *byte == b',');
    if cells().count() != header.columns.len() {
        let kind = RejectKind::bad_value("number of values", record.line, "as many as the header line names");
        return Err(Refusal { at: 0, kind });
    }
    for (column, cell) in header.columns.iter().zip(cells()) {
        let value = Value::plain(cell.trim_ascii());
        match *column {
            Some((Put::Note(note), _)) => notes.take(note, value),
            Some((Put::Field(field), _)) => document::set(record, row, field, value)?,
            Some((Put::Address(key), name)) => document::address(record, row, key, name, value)?,
            Some((Put::Extra | Put::IfTrue, name)) if value.scalar() != b"0" => document::extra(row, name, value),
            Some(_) | None => {}
        }
    }
    Ok(())
}

// ---- conclusions

fn conclude(record: &Record<'_>, notes: &Notes<'_, NOTES>, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
    // pmacct's marks of a writer's beginning and end
    if matches!(notes.raw(Note::EventType), b"purge_init" | b"purge_close" | b"log_init" | b"log_close") {
        return Ok(Parsed::Nothing);
    }
    let is_flow =
        row.has(Field::SrcIp) || row.has(Field::DstIp) || notes.has(Note::Bytes) || notes.has(Note::FirewallEvent);
    let is_beat = notes.has(Note::Timestamp);
    if !is_flow && !is_beat {
        return Err(record.not_this_family("an address or a counter under a collector's name"));
    }
    let is_sflow = notes.raw(Note::Type).starts_with(b"SFLOW");
    row.log_source(match () {
        _ if is_sflow => &SFLOW,
        _ if notes.has(Note::FirewallEvent) => &FIREWALL,
        _ => &NETFLOW,
    });
    row.set(key::KIND, EventKind::Flow);
    document::extra(row, "type", notes.value(Note::Type));
    host(row, notes);
    times(record, notes, row)?;
    let sampling = notes.number(Note::SamplingRate).unwrap_or(1);
    counters(record, notes, row, sampling)?;
    transport(notes, row);
    // zero stands for an autonomous system that the exporter does not know
    for (key, field) in [(key::SRC_ASN, Field::SrcAsn), (key::DST_ASN, Field::DstAsn)] {
        if row.get(key) == Some(0) {
            row.clear(field);
        }
    }
    let flags = flags(notes);
    for note in [Note::Flags, Note::FlagsText] {
        if !row.has(Field::TcpFlags) && notes.raw(note).iter().any(|byte| !matches!(byte, b'0' | b'.')) {
            document::text(row, key::TCP_FLAGS, notes.value(note));
        }
    }
    translation(notes, row);
    let denied = firewall(notes, row);
    let dropped = notes.number(Note::Forwarding).is_some_and(|status| status >> 6 == 2 || status == 2);
    if dropped {
        row.set(key::ACTION, Action::Drop);
    }
    document::extra(row, "forwarding_status", notes.value(Note::Forwarding));
    row.set_opt(key::INITIATOR, initiator(row, flags, sampling));
    if denied {
        row.set(key::PORT_STATE, PortState::Filtered);
    }
    Ok(Parsed::Events)
}

/// The exporter: an address, with Filebeat also its port.
fn host(row: &mut Row<'_>, notes: &Notes<'_, NOTES>) {
    let text = notes.raw(Note::Exporter);
    if text.is_empty() {
        return;
    }
    let (address, _) = match Ip::parse(text) {
        Some(_) => (text, None),
        None => host_port(text),
    };
    let ip = Ip::parse(address);
    row.text(key::HOST, address);
    row.set_opt(key::HOST_IP, ip);
}

/// A time in any form: RFC 3339, nfdump's local time, a count since 1970. Zero is none.
fn instant(record: &Record<'_>, notes: &Notes<'_, NOTES>, note: Note) -> Result<Option<i64>, Refusal> {
    let text = document::whole(notes.value(note));
    if text.is_empty() || text.iter().all(|byte| matches!(byte, b'0' | b'.')) {
        return Ok(None);
    }
    let read = if text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') {
        epoch(text)
    } else {
        record.time.iso(text)
    };
    let bad = || record.refuse(text, RejectKind::bad_value("the time", text, "a time, or a count since 1970"));
    read.map(Some).ok_or_else(bad)
}

fn times(record: &Record<'_>, notes: &Notes<'_, NOTES>, row: &mut Row<'_>) -> Result<(), Refusal> {
    let start = instant(record, notes, dated(notes, Note::FirstUptime, Note::Start))?;
    let end = instant(record, notes, dated(notes, Note::LastUptime, Note::End))?;
    row.set_opt(key::START, start);
    row.set_opt(key::END, end);
    let lasted = start.zip(end).and_then(|(start, end)| u64::try_from(end.checked_sub(start)?).ok());
    row.set_opt(key::DURATION, stated(notes).or(lasted).or_else(|| uptime(notes)));
    let happened = match instant(record, notes, Note::Timestamp)? {
        Some(us) => Some(us),
        None => match end.or(start) {
            Some(us) => Some(us),
            None => instant(record, notes, Note::Received)?,
        },
    };
    if let Some(us) = happened {
        set_time(row, us);
    }
    Ok(())
}

/// Logstash has made dates of the times since the exporter was started.
fn dated(notes: &Notes<'_, NOTES>, uptime: Note, other: Note) -> Note {
    if notes.raw(uptime).contains(&b'-') { uptime } else { other }
}

/// Milliseconds since the exporter was started, in which versions 5 and 9 count. What may be seconds since 1970 is neither.
fn uptime(notes: &Notes<'_, NOTES>) -> Option<u64> {
    const EPOCHS: u64 = 1_000_000_000;
    let (first, last) = (notes.number(Note::FirstUptime)?, notes.number(Note::LastUptime)?);
    if last >= EPOCHS && !notes.has(Note::Timestamp) {
        return None;
    }
    last.checked_sub(first)?.checked_mul(1000)
}

/// nfdump's CSV has the duration in seconds with a fraction.
fn stated(notes: &Notes<'_, NOTES>) -> Option<u64> {
    let text = notes.raw(Note::Seconds);
    let (whole, fraction) =
        text.iter().position(|byte| *byte == b'.').map_or((text, &b"0"[..]), |at| (&text[..at], &text[at + 1..]));
    let digits = decimal(fraction)?;
    let scale = 10u64.checked_pow(u32::try_from(6usize.checked_sub(fraction.len())?).ok()?)?;
    decimal(whole)?.checked_mul(1_000_000)?.checked_add(digits * scale)
}

fn counters(record: &Record<'_>, notes: &Notes<'_, NOTES>, row: &mut Row<'_>, sampling: u64) -> Result<(), Refusal> {
    for (notes_of, field, raw_name) in [
        ([Note::Bytes, Note::BytesTotal, Note::InitiatorBytes], Field::BytesOut, "bytes_sampled"),
        ([Note::Packets, Note::PacketsTotal, Note::InitiatorPackets], Field::PacketsOut, "packets_sampled"),
    ] {
        let value = notes.first(notes_of);
        match decimal(document::whole(value)) {
            Some(count) if sampling > 1 => {
                let scaled = count.saturating_mul(sampling).min(i64::MAX as u64);
                row.set(if field == Field::BytesOut { key::BYTES_OUT } else { key::PACKETS_OUT }, scaled);
                row.extra_fixed(raw_name, document::whole(value));
            }
            _ => document::set(record, row, field, value)?,
        }
    }
    document::set(record, row, Field::BytesIn, notes.value(Note::ResponderBytes))?;
    document::set(record, row, Field::PacketsIn, notes.value(Note::ResponderPackets))?;
    if sampling > 1 {
        document::extra(row, "sampling_rate", notes.value(Note::SamplingRate));
    }
    Ok(())
}

/// The protocol, ports, and ICMP's type and code.
fn transport(notes: &Notes<'_, NOTES>, row: &mut Row<'_>) {
    let named = notes.first([Note::ProtocolNumber, Note::Protocol]);
    let transport = Transport::parse(document::whole(named));
    row.set_opt(key::TRANSPORT, transport);
    if transport.is_none() {
        document::extra(row, "protocol", named);
    }
    let (src, dst) = (notes.port(Note::SrcPort), notes.port(Note::DstPort));
    let is_icmp = matches!(transport, Some(Transport::ICMP | Transport::ICMPV6));
    if !is_icmp {
        row.set_opt(key::SRC_PORT, src);
        row.set_opt(key::DST_PORT, dst);
        return;
    }
    // without a field of their own they stand in the destination port
    let in_port = dst.filter(|both| src == Some(0) && *both >= 256).map(u64::from);
    let joined = notes.number(Note::IcmpBoth).filter(|both| *both < 65_536).or(in_port);
    match (notes.number(Note::IcmpType), joined) {
        (Some(kind), _) => {
            row.set(key::ICMP_TYPE, kind);
            row.set_opt(key::ICMP_CODE, notes.number(Note::IcmpCode));
        }
        (None, Some(both)) => {
            row.set(key::ICMP_TYPE, both >> 8);
            row.set(key::ICMP_CODE, both & 0xff);
            return;
        }
        (None, None) => {}
    }
    // where they are neither type nor zero the exporter has a meaning of its own
    row.set_opt(key::SRC_PORT, src);
    row.set_opt(key::DST_PORT, dst);
}

/// TCP's flags as a number: decimal, or nfdump's letters.
fn flags(notes: &Notes<'_, NOTES>) -> Option<u64> {
    if let Some(number) = notes.number(Note::Flags) {
        return Some(number);
    }
    const LETTERS: [(u8, u64); 8] =
        [(b'F', 1), (b'S', 2), (b'R', 4), (b'P', 8), (b'A', 16), (b'U', 32), (b'E', 64), (b'C', 128)];
    let text = notes.first([Note::FlagsText, Note::Flags]).scalar();
    if !matches!(text.len(), 6 | 8) {
        return None;
    }
    text.iter().try_fold(0, |flags, byte| match byte {
        b'.' => Some(flags),
        letter => LETTERS.iter().find(|(known, _)| known == letter).map(|(_, bit)| flags | bit),
    })
}

fn initiator(row: &Row<'_>, flags: Option<u64>, sampling: u64) -> Option<Initiator> {
    if row.get(key::TRANSPORT) != Some(Transport::TCP) {
        return None;
    }
    let flags = flags?;
    if flags & SYN != 0 && flags & ACK == 0 {
        return Some(Initiator::Source);
    }
    let lone_reset = flags == RST | ACK && row.get(key::PACKETS_OUT) == Some(1) && sampling <= 1;
    lone_reset.then_some(Initiator::Destination)
}

fn translation(notes: &Notes<'_, NOTES>, row: &mut Row<'_>) {
    let unset = |key: Key<Ip>, note: Note, row: &mut Row<'_>| {
        if let Some(ip) = Ip::parse(notes.raw(note)).filter(|ip| !matches!(ip.to_bits(), 0) && !is_zero_v4(*ip)) {
            row.set(key, ip);
        }
    };
    unset(key::NAT_SRC_IP, Note::NatSrcIp, row);
    unset(key::NAT_DST_IP, Note::NatDstIp, row);
    row.set_opt(key::NAT_SRC_PORT, parse_port(notes.raw(Note::NatSrcPort)).filter(|port| *port > 0));
    row.set_opt(key::NAT_DST_PORT, parse_port(notes.raw(Note::NatDstPort)).filter(|port| *port > 0));
}

fn is_zero_v4(ip: Ip) -> bool {
    ip == Ip::v4([0, 0, 0, 0])
}

/// What a firewall says that it did (IPFIX element 233). Gives whether it refused an opening packet.
fn firewall(notes: &Notes<'_, NOTES>, row: &mut Row<'_>) -> bool {
    let (action, word) = match notes.raw(Note::FirewallEvent) {
        b"" | b"0" | b"IGNORE" => return false,
        b"1" | b"CREATE" => (Action::Start, "created"),
        b"2" | b"DELETE" => (Action::End, "deleted"),
        b"3" | b"DENIED" => (Action::Deny, "denied"),
        b"4" | b"ALERT" => (Action::Alert, "alert"),
        _ => {
            document::extra(row, "firewall_event", notes.value(Note::FirewallEvent));
            return false;
        }
    };
    row.set(key::ACTION, action);
    row.fixed(key::EVENT_ACTION, word);
    document::text(row, key::EVENT_CODE, notes.value(Note::FirewallExtended));
    // 1004: the first packet was no SYN, which says nothing about the port
    action == Action::Deny && notes.raw(Note::FirewallExtended) != b"1004"
}
