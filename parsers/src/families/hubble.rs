//! Cilium Hubble: what its exporter and `hubble observe -o json` write, one packet or application message a line.
//!
//! A record is a packet seen at one place of one node, not a flow: it has no counters, and one packet may be seen at several places.
//! Which end began is told by `is_reply`: the source of a reply is the server. Addresses are those after a service's translation; the
//! service that was called is named beside them. Members that are zero or false are left out by the writer. The older form
//! has no `flow` around it. Source: Cilium, `api/v1/flow/flow.proto`.

use schemas::{Action, EventKind, Field, Initiator, LogSource, PortState, Row, Transport, key};

use crate::detect::Keys;
use crate::document::{self, Notes, Paths, notes, paths};
use crate::lex::json::{self, Value};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

pub(super) struct Family;

const fn source(dataset: &'static str, categories: &'static [&'static str]) -> LogSource {
    LogSource {
        family: "hubble",
        vendor: "Cilium",
        product: "Hubble",
        dataset,
        categories,
        products: &["cilium", "kubernetes"],
        services: &["hubble"],
    }
}

static FLOW: LogSource = source("hubble.flow", &["firewall", "network_connection"]);
static NAMES: LogSource = source("hubble.dns", &["dns"]);
static WEB: LogSource = source("hubble.http", &["proxy", "webserver", "network_connection"]);
static LOST: LogSource = source("hubble.lost_events", &[]);

notes! {
    Time, FlowTime, Node, FlowNode, Verdict, Reason, TcpSrc, TcpDst, UdpSrc, UdpDst, SctpSrc, SctpDst, Icmp4Type, Icmp4Code, Icmp6Type, Icmp6Code,
    Syn, Ack, Fin, Rst, Psh, Urg, IsReply, SrcPod, DstPod, SrcName, DstName, L7Type, DnsQuery, DnsRcode, DnsType, DnsIp, HttpMethod, HttpUrl, HttpCode,
    HttpProtocol, Kafka, Lost, LostSource, Direction
}

#[rustfmt::skip]
static PATHS: Paths<Note, 256> = {
    use Field::*;
    use self::Note as N;
    paths! {
    "time" Note(N::Time), "node_name" Note(N::Node), "uuid" Extra, "verdict" Note(N::Verdict), "drop_reason" Extra, "drop_reason_desc" Note(N::Reason),
    "ethernet.source" Field(SrcMac), "ethernet.destination" Field(DstMac), "IP.source" Address(key::SRC_IP), "IP.destination" Address(key::DST_IP),
    "IP.ipVersion" Leave, "IP.source_xlated" Address(key::NAT_SRC_IP), "IP.encrypted" IfTrue, "Type" Extra, "emitter.name" Leave, "emitter.version" Leave,
    "l4.TCP.source_port" Note(N::TcpSrc), "l4.TCP.destination_port" Note(N::TcpDst), "l4.UDP.source_port" Note(N::UdpSrc),
    "l4.UDP.destination_port" Note(N::UdpDst), "l4.SCTP.source_port" Note(N::SctpSrc), "l4.SCTP.destination_port" Note(N::SctpDst),
    "l4.ICMPv4.type" Note(N::Icmp4Type), "l4.ICMPv4.code" Note(N::Icmp4Code), "l4.ICMPv6.type" Note(N::Icmp6Type), "l4.ICMPv6.code" Note(N::Icmp6Code),
    "l4.TCP.flags.SYN" Note(N::Syn), "l4.TCP.flags.ACK" Note(N::Ack), "l4.TCP.flags.FIN" Note(N::Fin), "l4.TCP.flags.RST" Note(N::Rst),
    "l4.TCP.flags.PSH" Note(N::Psh), "l4.TCP.flags.URG" Note(N::Urg), "l4.TCP.flags.ECE" Leave, "l4.TCP.flags.CWR" Leave, "l4.TCP.flags.NS" Leave,
    "is_reply" Note(N::IsReply), "reply" Note(N::IsReply), "traffic_direction" Note(N::Direction), "trace_observation_point" Extra, "trace_reason" Extra,
    "source.pod_name" Note(N::SrcPod), "destination.pod_name" Note(N::DstPod), "source_names" Note(N::SrcName), "destination_names" Note(N::DstName),
    "event_type.type" Field(EventCode), "event_type.sub_type" Extra, "Summary" Field(Message), "node_labels" Leave, "interface.name" Field(InInterface),
    "egress_denied_by.name" Field(RuleName), "ingress_denied_by.name" Field(RuleName), "egress_allowed_by.name" Field(RuleName), "ingress_allowed_by.name" Field(RuleName),
    "l7.type" Note(N::L7Type), "l7.latency_ns" Extra, "l7.dns.query" Note(N::DnsQuery), "l7.dns.rcode" Note(N::DnsRcode), "l7.dns.qtypes" Note(N::DnsType),
    "l7.dns.ips" Note(N::DnsIp), "l7.dns.rrtypes" Leave, "l7.dns.ttl" Leave, "l7.dns.observation_source" Extra,
    "l7.http.method" Note(N::HttpMethod), "l7.http.url" Note(N::HttpUrl), "l7.http.code" Note(N::HttpCode), "l7.http.protocol" Note(N::HttpProtocol),
    "l7.http.headers.key" Leave, "l7.http.headers.value" Leave, "l7.kafka.api_key" Note(N::Kafka),
    "lost_events.num_events_lost" Note(N::Lost), "lost_events.source" Note(N::LostSource),
    }
};

/// Answers that are kept of one response.
const ANSWERS_MAX: usize = 32;

impl Parser for Family {
    fn name(&self) -> &'static str {
        "hubble"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["cilium", "cilium_hubble"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Objects
    }

    fn detect(&self, record: &Record<'_>, _: &Memory) -> Option<Confidence> {
        let keys = record.keys;
        (keys.has(Keys::NODE_NAME) && keys.has_any(Keys::FLOW.and(Keys::VERDICT))).then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut notes = Notes::<NOTES>::default();
        let mut answers = [Value::Null; ANSWERS_MAX];
        let mut count = 0;
        let find = |path: &[u8]| match path.strip_prefix(b"flow.") {
            Some(b"time") => Some((document::Put::Note(Note::FlowTime), "time")),
            Some(b"node_name") => Some((document::Put::Note(Note::FlowNode), "node_name")),
            Some(inner) => PATHS.get(inner),
            None => PATHS.get(path),
        };
        document::read_by(record, row, find, |note, _, value, _| match note {
            Note::DnsIp => {
                if let Some(slot) = answers.get_mut(count) {
                    *slot = value;
                    count += 1;
                }
            }
            note => notes.take(note, value),
        })?;
        document::time(record, row, "time", notes.first([Note::FlowTime, Note::Time]))?;
        document::text(row, key::HOST, notes.first([Note::Node, Note::FlowNode]));
        if notes.has(Note::Lost) {
            row.log_source(&LOST);
            row.set(key::KIND, EventKind::Other);
            row.fixed(key::EVENT_ACTION, "lost_events");
            document::extra(row, "num_events_lost", notes.value(Note::Lost));
            document::extra(row, "lost_events.source", notes.value(Note::LostSource));
            return Ok(Parsed::Events);
        }
        if !notes.has(Note::Verdict) {
            return Err(record.not_this_family("a `flow` with a `verdict`"));
        }
        row.log_source(&FLOW);
        row.set(key::KIND, EventKind::Flow);
        transport(record, row, &notes)?;
        ends(row, &notes);
        verdict(row, &notes);
        message(row, &notes);
        row.list(key::DNS_ANSWERS, answers[..count].iter().map(|value| value.scalar()));
        Ok(Parsed::Events)
    }
}

/// Ports, or type and code, and TCP's flags.
fn transport(record: &Record<'_>, row: &mut Row<'_>, notes: &Notes<'_, NOTES>) -> Result<(), Refusal> {
    for (transport, src, dst) in [
        (Transport::TCP, Note::TcpSrc, Note::TcpDst),
        (Transport::UDP, Note::UdpSrc, Note::UdpDst),
        (Transport(132), Note::SctpSrc, Note::SctpDst),
    ] {
        if notes.has(src) || notes.has(dst) {
            row.set(key::TRANSPORT, transport);
            document::set(record, row, Field::SrcPort, notes.value(src))?;
            document::set(record, row, Field::DstPort, notes.value(dst))?;
        }
    }
    for (transport, kind, code) in
        [(Transport::ICMP, Note::Icmp4Type, Note::Icmp4Code), (Transport::ICMPV6, Note::Icmp6Type, Note::Icmp6Code)]
    {
        if notes.has(kind) || notes.has(code) {
            row.set(key::TRANSPORT, transport);
            // zero is left out by the writer
            row.set(key::ICMP_TYPE, notes.number(kind).unwrap_or(0));
            row.set(key::ICMP_CODE, notes.number(code).unwrap_or(0));
        }
    }
    if !row.has(Field::Transport) {
        echo_reply(record, row);
    }
    let mut text = [0u8; 24];
    let mut length = 0;
    for (note, name) in [
        (Note::Syn, "SYN"),
        (Note::Ack, "ACK"),
        (Note::Psh, "PSH"),
        (Note::Fin, "FIN"),
        (Note::Rst, "RST"),
        (Note::Urg, "URG"),
    ] {
        if notes.raw(note) == b"true" {
            if length > 0 {
                text[length] = b',';
                length += 1;
            }
            text[length..length + 3].copy_from_slice(name.as_bytes());
            length += 3;
        }
    }
    row.text(key::TCP_FLAGS, &text[..length]);
    Ok(())
}

/// `"ICMPv4":{}` is an echo reply: type and code zero, both left out.
#[cold]
fn echo_reply(record: &Record<'_>, row: &mut Row<'_>) {
    let flow = match json::member(record.body, b"flow") {
        Some(Value::Object(flow)) => flow,
        _ => record.body,
    };
    if let Some(Value::Object(l4)) = json::member(flow, b"l4")
        && json::member(l4, b"ICMPv4").is_some()
    {
        row.set(key::TRANSPORT, Transport::ICMP);
        row.set(key::ICMP_TYPE, 0);
        row.set(key::ICMP_CODE, 0);
    }
}

fn ends(row: &mut Row<'_>, notes: &Notes<'_, NOTES>) {
    document::text(row, key::SRC_HOST, notes.first([Note::SrcPod, Note::SrcName]));
    document::text(row, key::DST_HOST, notes.first([Note::DstPod, Note::DstName]));
    document::extra(row, "traffic_direction", notes.value(Note::Direction));
    let began = match notes.value(Note::IsReply) {
        Value::True => Some(Initiator::Destination),
        Value::False => Some(Initiator::Source),
        // the opening packet says it itself
        _ if notes.raw(Note::Syn) == b"true" && notes.raw(Note::Ack) != b"true" => Some(Initiator::Source),
        _ => None,
    };
    row.set_opt(key::INITIATOR, began);
}

fn verdict(row: &mut Row<'_>, notes: &Notes<'_, NOTES>) {
    let word = notes.raw(Note::Verdict);
    document::text(row, key::EVENT_ACTION, notes.value(Note::Verdict));
    document::text(row, key::REASON, notes.value(Note::Reason));
    let action = match word {
        // would have been dropped, but policy is only audited
        b"FORWARDED" | b"AUDIT" | b"REDIRECTED" => Action::Allow,
        b"DROPPED" => Action::Drop,
        b"TRANSLATED" => Action::Nat,
        _ => return,
    };
    row.set(key::ACTION, action);
    let by_policy = matches!(notes.raw(Note::Reason), b"POLICY_DENIED" | b"POLICY_DENY" | b"AUTH_REQUIRED");
    if action == Action::Drop && by_policy && row.get(key::INITIATOR) != Some(Initiator::Destination) {
        row.set(key::PORT_STATE, PortState::Filtered);
    }
}

/// What an application message says.
fn message(row: &mut Row<'_>, notes: &Notes<'_, NOTES>) {
    document::extra(row, "l7.type", notes.value(Note::L7Type));
    if notes.has(Note::DnsQuery) {
        row.log_source(&NAMES);
        row.set(key::KIND, EventKind::Dns);
        row.fixed(key::APP_PROTO, "dns");
        let name = notes.raw(Note::DnsQuery);
        row.text(key::DNS_QUERY, name.strip_suffix(b".").filter(|name| !name.is_empty()).unwrap_or(name));
        document::text(row, key::DNS_TYPE, notes.value(Note::DnsType));
        if notes.raw(Note::L7Type) == b"RESPONSE" {
            // zero is left out by the writer
            match notes.number(Note::DnsRcode).unwrap_or(0) {
                0 => row.fixed(key::DNS_RCODE, "NOERROR"),
                1 => row.fixed(key::DNS_RCODE, "FORMERR"),
                2 => row.fixed(key::DNS_RCODE, "SERVFAIL"),
                3 => row.fixed(key::DNS_RCODE, "NXDOMAIN"),
                4 => row.fixed(key::DNS_RCODE, "NOTIMP"),
                5 => row.fixed(key::DNS_RCODE, "REFUSED"),
                _ => document::text(row, key::DNS_RCODE, notes.value(Note::DnsRcode)),
            }
        }
    } else if notes.has(Note::HttpMethod) || notes.has(Note::HttpCode) {
        row.log_source(&WEB);
        row.fixed(key::APP_PROTO, "http");
        document::text(row, key::HTTP_METHOD, notes.value(Note::HttpMethod));
        document::text(row, key::URL, notes.value(Note::HttpUrl));
        row.set_opt(key::HTTP_STATUS, notes.number(Note::HttpCode).filter(|code| *code > 0));
        document::extra(row, "l7.http.protocol", notes.value(Note::HttpProtocol));
    } else if notes.has(Note::Kafka) {
        row.fixed(key::APP_PROTO, "kafka");
        document::extra(row, "l7.kafka.api_key", notes.value(Note::Kafka));
    }
}
