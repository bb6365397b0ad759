//! Snort's alerts in all of its own forms, and the text alerts that Suricata writes in the same form.
//!
//! ```text
//! fast    05/04-09:12:40.500000  [**] [1:1000001:2] msg [**] [Classification: x] [Priority: 2] {TCP} a:p -> b:p
//! syslog  snort[812]: [1:1000001:2] msg [Classification: x] [Priority: 2] {TCP} a:p -> b:p
//! full    the same on several lines, with the packet's headers
//! csv     Snort 3 (`, ` between ten columns), Snort 2 (27), pfSense (13 to 15)
//! json    {"seconds":…,"src_ap":"192.0.2.10:51700","rule":"1:1000001:2",…}
//! ```
//! Each form fills the same slots, named as Snort 3 names its fields; what they mean is written once, here. The source is the
//! packet's sender, which may be the server: `initiator` says who began where the line knows it (`dir`, TCP flags).
//! Priority 1 is the worst. An alert proves a packet, no port and no login.
//!
//! Source: snort3 `src/loggers/alert_{fast,full,csv,json}.cc`, `src/log/log_text.cc`; Snort 2 `src/output-plugins`.

mod columns;
mod text;

use schemas::{Action, EventKind, Initiator, Ip, LogSource, RejectKind, Row, Transport, key};

use crate::detect::Keys;
use crate::lex::json::{self, Extent, Value};
use crate::lex::keys::KeyMap;
use crate::lex::text::{decimal, present, rsplit_once};
use crate::lex::time::{Civil, Stamp, epoch};
use crate::transport::{Shape, set_time};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

static SNORT: LogSource = source("Cisco", "Snort", "snort.alert", &["snort"]);
static SURICATA: LogSource = source("OISF", "Suricata", "suricata.fast", &["suricata"]);

const fn source(
    vendor: &'static str,
    product: &'static str,
    dataset: &'static str,
    products: &'static [&'static str],
) -> LogSource {
    LogSource { family: "snort", vendor, product, dataset, categories: &["ids"], products, services: &["alert"] }
}

macro_rules! slots {
    ($($slot:ident = $name:literal),+ $(,)?) => {
        /// What an alert may say, by the names of Snort 3.
        #[derive(Clone, Copy, PartialEq, Eq)]
        #[repr(usize)]
        enum Slot { $($slot),+ }
        const SLOTS: usize = [$(Slot::$slot),+].len();
        static NAMES: KeyMap<Slot, 128> = KeyMap::new(&[$(($name, Slot::$slot)),+]);
    };
}

slots! {
    Action = "action", AppId = "appid", Class = "class", ClientBytes = "client_bytes", ClientPackets = "client_pkts",
    Data = "b64_data", Direction = "dir", Disposition = "disposition", DstAddr = "dst_addr", DstAp = "dst_ap",
    DstPort = "dst_port", EthDst = "eth_dst", EthLen = "eth_len", EthSrc = "eth_src", EthType = "eth_type",
    FlowStart = "flowstart_time", Gid = "gid", IcmpCode = "icmp_code", IcmpId = "icmp_id", IcmpSeq = "icmp_seq",
    IcmpType = "icmp_type", Interface = "iface", IpId = "ip_id", IpLen = "ip_len", Msg = "msg", Mpls = "mpls",
    PacketKind = "pkt_gen", PacketLength = "pkt_len", PacketNumber = "pkt_num", Priority = "priority", Proto = "proto",
    Rev = "rev", Rule = "rule", Seconds = "seconds", ServerBytes = "server_bytes", ServerPackets = "server_pkts",
    Service = "service", Sid = "sid", SrcAddr = "src_addr", SrcAp = "src_ap", SrcPort = "src_port", Target = "target",
    TcpAck = "tcp_ack", TcpFlags = "tcp_flags", TcpLen = "tcp_len", TcpSeq = "tcp_seq", TcpWin = "tcp_win",
    Timestamp = "timestamp", Tos = "tos", Ttl = "ttl", UdpLen = "udp_len", Vlan = "vlan", Xref = "xref",
}

/// What has no column, under its own name. Left out are the packet's bytes and counters that only the packet's
/// reassembly needs.
const EXTRAS: &[(&str, Slot)] = &[
    ("disposition", Slot::Disposition),
    ("eth_type", Slot::EthType),
    ("gid", Slot::Gid),
    ("icmp_id", Slot::IcmpId),
    ("icmp_seq", Slot::IcmpSeq),
    ("ip_id", Slot::IpId),
    ("pkt_gen", Slot::PacketKind),
    ("pkt_num", Slot::PacketNumber),
    ("rev", Slot::Rev),
    ("target", Slot::Target),
    ("tos", Slot::Tos),
    ("ttl", Slot::Ttl),
    ("xref", Slot::Xref),
];

/// One alert. Empty slots are absent.
struct Alert<'a> {
    slots: [&'a [u8]; SLOTS],
    /// Suricata's text form: ports are printed for every protocol, of ICMP its type and code.
    suricata: bool,
}

impl<'a> Alert<'a> {
    fn new() -> Alert<'a> {
        Alert { slots: [b""; SLOTS], suricata: false }
    }

    #[inline]
    fn get(&self, slot: Slot) -> &'a [u8] {
        self.slots[slot as usize]
    }

    /// The first of several counts.
    #[inline]
    fn put(&mut self, slot: Slot, value: &'a [u8]) {
        let place = &mut self.slots[slot as usize];
        if place.is_empty() {
            *place = value;
        }
    }
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "snort"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["snort_fast", "snort_json", "snort_csv", "alert_fast", "alert_json", "alert_csv"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Both
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        match record.shape {
            Shape::Text => form(record.body).map(|_| Confidence::Certain),
            Shape::Object if record.keys.has_any(Keys::SRC_AP.and(Keys::PKT_GEN)) => Some(Confidence::Certain),
            Shape::Object if record.keys.has(Keys::GID.and(Keys::SID).and(Keys::TIMESTAMP)) => Some(Confidence::Likely),
            Shape::Object => None,
        }
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut alert = Alert::new();
        if record.shape == Shape::Object {
            read_json(record, &mut alert, row)?;
        } else {
            match form(record.body) {
                Some(Form::Line) => text::read_line(record, &mut alert)?,
                Some(Form::Block) => text::read_block(record, &mut alert)?,
                Some(Form::Columns) => columns::read(record, &mut alert, row)?,
                None => {
                    let expected = "`MM/DD-hh:mm:ss`, `[gid:sid:rev]` or a JSON alert at the start";
                    return Err(record.not_this_family(expected));
                }
            }
        }
        write(&alert, record, row)?;
        Ok(Parsed::Events)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Line,
    Block,
    Columns,
}

/// Which text form a body is in, by its first bytes.
#[inline]
fn form(body: &[u8]) -> Option<Form> {
    match body {
        [b'0'..=b'9', b'0'..=b'9', b'/', b'0'..=b'9', ..] => {
            let (_, length) = stamp(body)?;
            let rest = body[length..].trim_ascii_start();
            match rest.first()? {
                b'[' => Some(Form::Line),
                b',' => columns::is_alert(&rest[1..]).then_some(Form::Columns),
                _ => None,
            }
        }
        [b'[', b'*', b'*', b']', b' ', b'[', b'0'..=b'9', ..] => {
            Some(if body.contains(&b'\n') { Form::Block } else { Form::Line })
        }
        [b'[', b'0'..=b'9', ..] => text::rule_id(body).map(|_| Form::Line),
        _ => None,
    }
}

/// `MM/DD-hh:mm:ss.ffffff`; with the year `MM/DD/YY-` (Snort 2), `YY/MM/DD-` (Snort 3) or `MM/DD/YYYY-` (Suricata). Gives the stamp
/// and its length.
fn stamp(text: &[u8]) -> Option<(Stamp, usize)> {
    let two = |at: usize| decimal(text.get(at..at + 2)?).map(|number| number as u8);
    let (first, second) = (two(0)?, two(3)?);
    let (month, day, year, at) = match (text.get(2)?, text.get(5)?) {
        (b'/', b'-') => (first, second, None, 6),
        (b'/', b'/') if text.get(8) == Some(&b'-') => {
            let third = two(6)?;
            // a year of two digits stands first or last; Snort 3 is younger than any that could be a month
            let year_first = first > 12;
            let (month, day, year) = if year_first { (second, third, first) } else { (first, second, third) };
            (month, day, Some(2000 + i32::from(year)), 9)
        }
        (b'/', b'/') if text.get(10) == Some(&b'-') => {
            (first, second, Some(i32::try_from(decimal(text.get(6..10)?)?).ok()?), 11)
        }
        _ => return None,
    };
    let (hour, minute, seconds) = (two(at)?, two(at + 3)?, two(at + 6)?);
    let colons = text.get(at + 2) == Some(&b':') && text.get(at + 5) == Some(&b':');
    if !colons || !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || seconds > 60 {
        return None;
    }
    let mut end = at + 8;
    let mut micro = 0;
    if text.get(end) == Some(&b'.') {
        let digits = text[end + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        for place in 0..6 {
            let digit = if place < digits { text[end + 1 + place] - b'0' } else { 0 };
            micro = micro * 10 + u32::from(digit);
        }
        end += 1 + digits;
    }
    Some((Stamp { civil: Civil { year, month, day, hour, minute, second: seconds, micro }, offset: None }, end))
}

fn read_json<'a>(record: &Record<'a>, alert: &mut Alert<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
    let mut members = json::members(record.body)?;
    for member in members.by_ref() {
        let member = member?;
        match (NAMES.get(member.key), member.value) {
            // texts with escapes are set at once, slots hold parts of the line
            (Some(Slot::Msg), Value::Text(text)) if text.escaped => text.with(|msg| row.text(key::SIGNATURE, msg)),
            (Some(Slot::Class), Value::Text(text)) if text.escaped => {
                text.with(|class| row.text(key::SIGNATURE_CLASS, class));
            }
            (Some(slot), value) => alert.put(slot, value.scalar()),
            (None, value) => value.with(|text| row.extra(member.key, text)),
        }
    }
    if members.extent() == Extent::Truncated {
        return Err(Refusal { at: record.body.len(), kind: RejectKind::Unclosed { what: "the JSON object" } });
    }
    Ok(())
}

/// What the slots mean together.
fn write<'a>(alert: &Alert<'a>, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
    let (gid, sid, rev) = rule(alert);
    if sid.is_empty() && alert.get(Slot::Msg).is_empty() {
        return Err(record.not_this_family("an alert's rule (`gid:sid:rev`, `sid`) or `msg`"));
    }
    let suricata = alert.suricata || record.header.app.starts_with(b"suricata");
    row.log_source(if suricata { &SURICATA } else { &SNORT });
    row.set(key::KIND, EventKind::Alert);
    time(alert, record, row)?;
    row.text(key::SIGNATURE, alert.get(Slot::Msg));
    row.text(key::SIGNATURE_ID, sid);
    let mut code = [0u8; 40];
    row.text(key::EVENT_CODE, join(&mut code, [gid, sid, rev]));
    let class = present(alert.get(Slot::Class)).filter(|class| *class != b"none");
    row.text(key::SIGNATURE_CLASS, class.unwrap_or_default());
    row.set_opt(key::SEVERITY, decimal(alert.get(Slot::Priority)));
    ends(alert, suricata, record, row)?;
    initiator(alert, row);
    traffic(alert, row);
    verdict(alert, row);
    row.text(key::IN_INTERFACE, alert.get(Slot::Interface));
    if !matches!(alert.get(Slot::Service), b"unknown") {
        row.text(key::APP_PROTO, alert.get(Slot::Service));
    }
    if alert.get(Slot::Service).is_empty() {
        row.text(key::APP_PROTO, alert.get(Slot::AppId));
    }
    row.text(key::SRC_MAC, alert.get(Slot::EthSrc));
    row.text(key::DST_MAC, alert.get(Slot::EthDst));
    row.set_opt(key::VLAN, decimal(alert.get(Slot::Vlan)).filter(|vlan| *vlan > 0));
    for (name, slot) in EXTRAS {
        row.extra_fixed(name, alert.get(*slot));
    }
    Ok(())
}

/// Generator, signature and revision: together or one by one.
fn rule<'a>(alert: &Alert<'a>) -> (&'a [u8], &'a [u8], &'a [u8]) {
    let mut parts = alert.get(Slot::Rule).split(|byte| *byte == b':');
    let mut or = |slot| match alert.get(slot) {
        b"" => parts.next().unwrap_or_default(),
        value => {
            parts.next();
            value
        }
    };
    (or(Slot::Gid), or(Slot::Sid), or(Slot::Rev))
}

/// `1:1000001:2`, as far as the parts are there and fit.
fn join<'b>(into: &'b mut [u8; 40], parts: [&[u8]; 3]) -> &'b [u8] {
    let mut length = 0;
    for (at, part) in parts.into_iter().filter(|part| !part.is_empty()).enumerate() {
        let end = length + usize::from(at > 0) + part.len();
        if end > into.len() {
            return b"";
        }
        if at > 0 {
            into[length] = b':';
        }
        into[end - part.len()..end].copy_from_slice(part);
        length = end;
    }
    &into[..length]
}

/// `seconds` knows year and zone, the stamp the fraction.
fn time(alert: &Alert<'_>, record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Refusal> {
    let text = alert.get(Slot::Timestamp).trim_ascii();
    let written = stamp(text).filter(|(_, length)| *length == text.len()).map(|(stamp, _)| stamp);
    if written.is_none() && !text.is_empty() {
        let kind = RejectKind::bad_value("timestamp", text, "MM/DD-hh:mm:ss.ffffff");
        return Err(record.refuse(text, kind));
    }
    let seconds = epoch(alert.get(Slot::Seconds)).filter(|us| *us > 0);
    let us = match (seconds, written) {
        (Some(us), Some(stamp)) => Some(us + i64::from(stamp.civil.micro)),
        (Some(us), None) => Some(us),
        (None, stamp) => stamp.and_then(|stamp| record.time.resolve(&stamp)),
    };
    if let Some(us) = us {
        set_time(row, us);
    }
    Ok(())
}

/// Protocol, addresses and ports.
fn ends(alert: &Alert<'_>, suricata: bool, record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Refusal> {
    let name = alert.get(Slot::Proto);
    // `PROTO:255`: a portscan has no packet of its own
    let number = name.strip_prefix(b"PROTO:").map(|digits| digits.strip_prefix(b"0").unwrap_or(digits));
    let transport = Transport::parse(number.unwrap_or(name)).filter(|transport| transport.0 != 255);
    row.set_opt(key::TRANSPORT, transport);
    let with_ports = matches!(transport, Some(Transport::TCP | Transport::UDP | Transport(132)));
    let icmp = matches!(transport, Some(Transport::ICMP | Transport::ICMPV6));
    let pairs = [
        (Slot::SrcAddr, Slot::SrcAp, Slot::SrcPort, key::SRC_IP, key::SRC_PORT, key::ICMP_TYPE),
        (Slot::DstAddr, Slot::DstAp, Slot::DstPort, key::DST_IP, key::DST_PORT, key::ICMP_CODE),
    ];
    for (address, both, port, ip, to, of_icmp) in pairs {
        let (joined, digits) = address_and_port(alert.get(both), with_ports || suricata);
        let written = match alert.get(address) {
            b"" => joined,
            alone => alone,
        };
        match Ip::parse(written) {
            Some(found) => row.set(ip, found),
            None if written.is_empty() => {}
            None => return Err(record.refuse(written, RejectKind::bad_value("address", written, "an IP address"))),
        }
        let digits = match alert.get(port) {
            b"" => digits,
            alone => alone,
        };
        match schemas::parse_port(digits) {
            Some(number) if icmp && suricata => row.set(of_icmp, u64::from(number)),
            Some(number) if with_ports && number > 0 => row.set(to, number),
            Some(_) => {}
            None if digits.is_empty() => {}
            None => return Err(record.refuse(digits, RejectKind::bad_value("port", digits, "digits 0..=65535"))),
        }
    }
    if icmp {
        row.set_opt(key::ICMP_TYPE, decimal(alert.get(Slot::IcmpType)));
        row.set_opt(key::ICMP_CODE, decimal(alert.get(Slot::IcmpCode)));
    }
    Ok(())
}

/// `192.0.2.10:51700`, `2001:db8::10:51700` (without brackets: cut at the last colon), or an address alone.
fn address_and_port(text: &[u8], with_ports: bool) -> (&[u8], &[u8]) {
    let is_v4 = text.contains(&b'.') && !text.starts_with(b":");
    match rsplit_once(text, b':') {
        Some((address, port)) if (is_v4 || with_ports || port == b"0") && Ip::parse(address).is_some() => {
            (address, port)
        }
        _ => (text, b""),
    }
}

/// Who began: the packet's side of the session, else the TCP flags.
fn initiator(alert: &Alert<'_>, row: &mut Row<'_>) {
    let flags = alert.get(Slot::TcpFlags);
    row.text(key::TCP_FLAGS, flags);
    let syn = flags.len() == 8 && flags[6] == b'S';
    let who = match alert.get(Slot::Direction) {
        b"C2S" => Some(Initiator::Source),
        b"S2C" => Some(Initiator::Destination),
        _ if syn => Some(if flags[3] == b'A' { Initiator::Destination } else { Initiator::Source }),
        _ => None,
    };
    row.set_opt(key::INITIATOR, who);
}

/// Octets and packets: those of the flow where they are logged, else the packet's own.
fn traffic(alert: &Alert<'_>, row: &mut Row<'_>) {
    let number = |slot| decimal(alert.get(slot)).filter(|number| *number <= i64::MAX as u64);
    let client = (number(Slot::ClientBytes), number(Slot::ClientPackets));
    let server = (number(Slot::ServerBytes), number(Slot::ServerPackets));
    if client.0.is_some() || server.0.is_some() {
        let (out, back) = if alert.get(Slot::Direction) == b"S2C" { (server, client) } else { (client, server) };
        row.set_opt(key::BYTES_OUT, out.0);
        row.set_opt(key::PACKETS_OUT, out.1);
        row.set_opt(key::BYTES_IN, back.0);
        row.set_opt(key::PACKETS_IN, back.1);
        return;
    }
    if let Some(length) = number(Slot::PacketLength).filter(|length| *length > 0) {
        row.set(key::BYTES_OUT, length);
        // a rebuilt stream is no packet
        if matches!(alert.get(Slot::PacketKind), b"raw" | b"") {
            row.set(key::PACKETS_OUT, 1);
        }
    }
}

/// What became of the packet. That it was let through is no verdict of the rule: it is an alert.
fn verdict(alert: &Alert<'_>, row: &mut Row<'_>) {
    let word = alert.get(Slot::Action);
    row.text(key::EVENT_ACTION, word);
    let of = |word: &[u8]| {
        let is = |known: &[&[u8]]| known.iter().any(|known| known.eq_ignore_ascii_case(word));
        match () {
            _ if is(&[b"drop", b"dropped"]) => Some(Action::Drop),
            _ if is(&[b"block", b"blocked"]) => Some(Action::Deny),
            _ if is(&[b"reset", b"reject"]) => Some(Action::Reset),
            _ => None,
        }
    };
    let action = of(word).or_else(|| of(present(alert.get(Slot::Disposition)).unwrap_or_default()));
    row.set(key::ACTION, action.unwrap_or(Action::Alert));
}
