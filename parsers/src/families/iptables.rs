//! Linux netfilter's LOG target: iptables, nftables, ufw, Shorewall, firewalld, EdgeOS, Proxmox.
//!
//! `PREFIXIN=eth0 OUT= MAC=… SRC=A DST=B LEN=52 … PROTO=TCP SPT=1 DPT=2 … SYN URGP=0`. The kernel does not say what it did
//! with the packet: only the prefix can, which is the operator's text, so an action is set where it has one of the usual
//! words. One line is one packet, not a session. The packet inside an ICMP error (`[SRC=… ]`) goes to extras, lest it
//! overwrite the outer one's ends.

use schemas::{Action, EventKind, Initiator, Ip, LogSource, PortState, RejectKind, Row, Transport, key};

use crate::lex::text::{contains, rsplit_once, split_once, split_once_str, unquote};
use crate::lex::time;
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, set_time};

/// The family.
pub struct Family;

static SOURCE: LogSource = LogSource {
    family: "iptables",
    vendor: "Linux",
    product: "netfilter",
    dataset: "iptables.log",
    categories: &["firewall"],
    products: &["linux"],
    services: &["iptables", "kernel"],
};

impl Parser for Family {
    fn name(&self) -> &'static str {
        "iptables"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["netfilter", "nftables", "ufw", "shorewall", "firewalld", "edgeos"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        let body = record.body;
        if body.first() == Some(&b'{') || !contains(body, b" SRC=") || !contains(body, b" DST=") {
            return None;
        }
        let marked = contains(body, b"IN=") && contains(body, b" PROTO=");
        marked.then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let body = record.body;
        let Some(start) = packet_at(body) else {
            return Err(record.not_this_family("`IN=… SRC=… DST=… PROTO=…`"));
        };
        row.log_source(&SOURCE);
        row.set(key::KIND, EventKind::Flow);
        let action = prefix(record, &body[..start], row);
        let packet = packet(&body[start..], row).map_err(|refusal| Refusal { at: start + refusal.at, ..refusal })?;
        if !packet.both_ends {
            return Err(Refusal { at: start, kind: RejectKind::Missing { what: "SRC= or DST=" } });
        }
        judge(action, &packet, row);
        Ok(Parsed::Events)
    }
}

/// Where `IN=` begins: the first that stands before the packet's source. A prefix may be glued to it.
fn packet_at(body: &[u8]) -> Option<usize> {
    let source = memchr::memmem::find(body, b"SRC=")?;
    memchr::memmem::find(&body[..source], b"IN=")
}

/// Reads the prefix: rule name and action.
fn prefix(record: &Record<'_>, text: &[u8], row: &mut Row<'_>) -> Option<Action> {
    let mut text = text.trim_ascii();
    // `[ 1234.567890]`, the kernel's uptime
    if let [b'[', rest @ ..] = text
        && let Some((inside, after)) = split_once(rest, b']')
        && !inside.is_empty()
        && inside.iter().all(|&b| b.is_ascii_digit() || b == b'.' || b == b' ')
    {
        text = after.trim_ascii_start();
    }
    // Proxmox: `VMID LOGID CHAIN dd/Mmm/yyyy:hh:mm:ss +hhmm VERDICT: `
    if let Some((at, stamp, length)) = dated(text) {
        if let Some(us) = record.time.resolve(&stamp) {
            set_time(row, us);
        }
        row.text(key::RULE_NAME, text[..at].trim_ascii().rsplit(|&b| b == b' ').next().unwrap_or(b""));
        return verdict(&text[at + length..], row);
    }
    // `DENY: IN=…`: what the header took for a program's tag is the prefix
    if text.is_empty() && record.header.app != b"kernel" {
        text = record.header.app;
    }
    // UDM: `[CHAIN-A-10000] DESCR="the rule's text"`
    if let Some((before, description)) = split_once_str(text, b" DESCR=") {
        row.extra_fixed("description", unquote(description.trim_ascii()));
        text = before;
    }
    let name = text.strip_suffix(b":").unwrap_or(text);
    let name = match name {
        [b'[', inner @ .., b']'] => inner,
        name => name,
    };
    row.text(key::RULE_NAME, name);
    verdict(text, row)
}

fn dated(text: &[u8]) -> Option<(usize, time::Stamp, usize)> {
    let slash = memchr::memchr(b'/', text)?;
    let at = slash.checked_sub(2)?;
    time::clf(&text[at..]).map(|(stamp, length)| (at, stamp, length))
}

/// The last of the usual words in a prefix. ufw's `AUDIT` and EdgeOS's `RET` decide nothing.
fn verdict(text: &[u8], row: &mut Row<'_>) -> Option<Action> {
    // EdgeOS, UniFi: `[CHAIN-RULE-A]`, newer `[CHAIN-A-RULE]`
    let numbered = text.strip_suffix(b"]").and_then(|text| rsplit_once(text, b'-'));
    let newer = numbered.filter(|(_, number)| !number.is_empty() && number.iter().all(u8::is_ascii_digit));
    let letter_at = newer.map_or(text.len().checked_sub(2), |(before, _)| before.len().checked_sub(1));
    if let (Some(at), true) = (letter_at, text.ends_with(b"]"))
        && at > 0
        && text[at - 1] == b'-'
    {
        let letter = text[at];
        let action = match letter {
            b'A' => Some(Action::Allow),
            b'D' => Some(Action::Drop),
            b'R' => Some(Action::Reset),
            _ => None,
        };
        if action.is_some() {
            row.text(key::EVENT_ACTION, &text[at..=at]);
            return action;
        }
    }
    let mut found = None;
    for word in text.split(|b| !b.is_ascii_alphanumeric()) {
        let action = match word.len() {
            4 if word.eq_ignore_ascii_case(b"DROP") => Action::Drop,
            4 if word.eq_ignore_ascii_case(b"DENY") => Action::Deny,
            5 if word.eq_ignore_ascii_case(b"BLOCK") => Action::Deny,
            5 if word.eq_ignore_ascii_case(b"ALLOW") => Action::Allow,
            6 if word.eq_ignore_ascii_case(b"REJECT") => Action::Reset,
            6 if word.eq_ignore_ascii_case(b"ACCEPT") => Action::Allow,
            6 if word.eq_ignore_ascii_case(b"DENIED") => Action::Deny,
            6 if word.eq_ignore_ascii_case(b"PERMIT") => Action::Allow,
            7 if word.eq_ignore_ascii_case(b"DROPPED") => Action::Drop,
            7 if word.eq_ignore_ascii_case(b"BLOCKED") => Action::Deny,
            7 if word.eq_ignore_ascii_case(b"ALLOWED") => Action::Allow,
            8 if word.eq_ignore_ascii_case(b"REJECTED") => Action::Reset,
            8 if word.eq_ignore_ascii_case(b"ACCEPTED") => Action::Allow,
            _ => continue,
        };
        found = Some((action, word));
    }
    let (action, word) = found?;
    row.text(key::EVENT_ACTION, word);
    Some(action)
}

/// What decides on the evidence.
#[derive(Default)]
struct Packet {
    both_ends: bool,
    tcp: bool,
    udp: bool,
    syn: bool,
    ack: bool,
}

/// The pairs and flags from `IN=` on.
fn packet(text: &[u8], row: &mut Row<'_>) -> Result<Packet, Refusal> {
    let mut packet = Packet::default();
    let (mut source, mut destination) = (false, false);
    let mut flags: Option<(usize, usize)> = None;
    let mut at = 0;
    while at < text.len() {
        if text[at] == b' ' {
            at += 1;
            continue;
        }
        if text[at] == b'[' {
            let end = memchr::memchr(b']', &text[at..]).map_or(text.len(), |length| at + length);
            inner(&text[at + 1..end], row);
            at = end + 1;
            continue;
        }
        let end = memchr::memchr(b' ', &text[at..]).map_or(text.len(), |length| at + length);
        let token = &text[at..end];
        let Some((name, value)) = split_once(token, b'=') else {
            match token {
                b"SYN" | b"ACK" | b"FIN" | b"RST" | b"PSH" | b"URG" | b"ECE" | b"CWR" => {
                    flags = Some((flags.map_or(at, |(from, _)| from), end));
                    packet.syn |= token == b"SYN";
                    packet.ack |= token == b"ACK";
                }
                // `FRAG:185`, the fragment's offset
                _ => match split_once(token, b':') {
                    Some((name, value)) => row.extra(name, value),
                    None => row.extra(token, b"1"),
                },
            }
            at = end;
            continue;
        };
        let bad =
            |what, expected| Refusal { at: at + name.len() + 1, kind: RejectKind::bad_value(what, value, expected) };
        match name {
            _ if value.is_empty() => {}
            b"IN" => row.text(key::IN_INTERFACE, value),
            b"OUT" => row.text(key::OUT_INTERFACE, value),
            b"MAC" => mac(value, row),
            b"SRC" => {
                row.set(key::SRC_IP, Ip::parse(value).ok_or_else(|| bad("SRC", "an address"))?);
                source = true;
            }
            b"DST" => {
                row.set(key::DST_IP, Ip::parse(value).ok_or_else(|| bad("DST", "an address"))?);
                destination = true;
            }
            // UDP repeats LEN for its own header: the first is the packet's
            b"LEN" if row.has(schemas::Field::BytesOut) => {}
            b"LEN" => {
                row.set_opt(key::BYTES_OUT, schemas::parse_u64(value));
                row.set(key::PACKETS_OUT, 1);
            }
            b"PROTO" => {
                let transport = Transport::parse(value);
                packet.tcp = transport == Some(Transport::TCP);
                packet.udp = transport == Some(Transport::UDP);
                row.set_opt(key::TRANSPORT, transport);
            }
            b"SPT" => row.set(key::SRC_PORT, schemas::parse_port(value).ok_or_else(|| bad("SPT", "digits 0..=65535"))?),
            b"DPT" => row.set(key::DST_PORT, schemas::parse_port(value).ok_or_else(|| bad("DPT", "digits 0..=65535"))?),
            b"TYPE" => row.set_opt(key::ICMP_TYPE, schemas::parse_u64(value)),
            b"CODE" => row.set_opt(key::ICMP_CODE, schemas::parse_u64(value)),
            _ => row.extra(name, value),
        }
        at = end;
    }
    if let Some((from, to)) = flags {
        row.text(key::TCP_FLAGS, &text[from..to]);
    }
    packet.both_ends = source && destination;
    Ok(packet)
}

/// Destination (6 bytes), source (6 bytes), type; longer in tunnels.
fn mac(value: &[u8], row: &mut Row<'_>) {
    if value.len() >= 35 && value[17] == b':' {
        row.text(key::DST_MAC, &value[..17]);
        row.text(key::SRC_MAC, &value[18..35]);
    } else {
        row.extra(b"MAC", value);
    }
}

/// The packet that an ICMP error is about.
fn inner(text: &[u8], row: &mut Row<'_>) {
    for token in text.split(|&b| b == b' ') {
        if let Some((name, value)) = split_once(token, b'=') {
            let name = match name {
                b"SRC" => "inner_src",
                b"DST" => "inner_dst",
                b"PROTO" => "inner_proto",
                b"SPT" => "inner_spt",
                b"DPT" => "inner_dpt",
                _ => continue,
            };
            row.extra_fixed(name, value);
        }
    }
}

/// Who began, as the TCP flags say, and what a refusal proves.
fn judge(action: Option<Action>, packet: &Packet, row: &mut Row<'_>) {
    row.set_opt(key::ACTION, action);
    let opening = packet.tcp && packet.syn && !packet.ack;
    if opening {
        row.set(key::INITIATOR, Initiator::Source);
    } else if packet.tcp && packet.syn {
        row.set(key::INITIATOR, Initiator::Destination);
    }
    // a refused packet without SYN is a left-over of a session, which says nothing about a port
    let refused = matches!(action, Some(Action::Drop | Action::Deny | Action::Reset));
    if refused && (opening || packet.udp) {
        row.set(key::PORT_STATE, PortState::Filtered);
    }
}
