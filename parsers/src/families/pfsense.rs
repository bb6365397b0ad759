//! pfSense and OPNsense: filterlog, pf's text form, and what else such a firewall logs.
//!
//! `filterlog[pid]: rule,subrule,anchor,tracker,interface,reason,action,direction,version,…`: the columns after the version
//! differ, and IPv6 has the protocol's name before its number, IPv4 the other way round. Ends are found as two addresses
//! that stand together, since rows with extension headers have more columns before them. One row is one packet (a pass is
//! logged when the state is made), the direction is the interface's, and behind a translation addresses are those that pf
//! saw: rows are not to be paired by address.
//!
//! The firewall's other daemons are read in `pfsense/daemons.rs`; OpenVPN, HAProxy, Squid and sshd are families of their
//! own, which get their lines. Source: pfSense, "Raw Filter Log Format"; OPNsense, `filterlog(8)`.

mod daemons;
mod text;

use schemas::{Action, EventKind, Field, Initiator, Ip, LogSource, PortState, RejectKind, Row, Transport, key};

use crate::lex::csv::{self, Column};
use crate::lex::text::contains;
use crate::{Accepts, At, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

static FILTER: LogSource = source("pfsense.filterlog", &["firewall"], &["filterlog"]);

const fn source(
    dataset: &'static str,
    categories: &'static [&'static str],
    services: &'static [&'static str],
) -> LogSource {
    LogSource {
        family: "pfsense",
        vendor: "Netgate",
        product: "pfSense",
        dataset,
        categories,
        products: &["pfsense", "opnsense", "freebsd"],
        services,
    }
}

/// Programs that are families of their own.
static PROGRAMS: &[&dyn Parser] = &[
    &super::openvpn::Family,
    &super::haproxy::Family,
    &super::squid::Family,
    &super::linux_auth::Family,
    &super::snort::Family,
    &super::nginx::Family,
];

/// Most columns that are looked at: IPv4, TCP has 29, extension headers add a few.
const COLUMNS_MAX: usize = 48;

impl Parser for Family {
    fn name(&self) -> &'static str {
        "pfsense"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["opnsense", "filterlog", "pf"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        let app = record.header.app;
        let known = match app {
            b"" => is_filter(record.body) || text::is_packet(record.body),
            b"filterlog" => is_filter(record.body),
            b"pf" | b"pflog" | b"tcpdump" => text::is_packet(record.body),
            b"Firewall" => text::is_application(record.body),
            app => daemons::knows(app, record.body),
        };
        known.then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let body = record.body;
        if record.header.app == b"filterlog" || is_filter(body) {
            filter(record, row)?;
        } else if text::is_packet(body) {
            text::packet(record, row)?;
        } else if text::is_application(body) {
            text::application(record, row)?;
        } else if daemons::knows(record.header.app, body) {
            daemons::event(record, row);
        } else if let Some(program) = PROGRAMS.iter().find(|program| program.detect(record, memory).is_some()) {
            return program.parse(record, memory, row);
        } else {
            return Err(record.not_this_family("`rule,subrule,anchor,tracker,interface,reason,action,in|out,4|6,…`"));
        }
        Ok(Parsed::Events)
    }
}

/// Whether a text begins as a row of filterlog.
#[inline]
fn is_filter(body: &[u8]) -> bool {
    if !body.first().is_some_and(u8::is_ascii_digit) || !body.iter().take(8).any(|byte| *byte == b',') {
        return false;
    }
    let mut columns = csv::columns(body).skip(7);
    let direction = columns.next().is_some_and(|column| matches!(column.value, b"in" | b"out" | b"any"));
    direction && columns.next().is_some_and(|column| matches!(column.value, b"4" | b"6"))
}

fn filter(record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Refusal> {
    let mut columns = [Column::EMPTY; COLUMNS_MAX];
    let count = csv::split(record.body, &mut columns).min(COLUMNS_MAX);
    let columns = &columns[..count];
    let [rule, subrule, anchor, tracker, interface, reason, action, direction, version, rest @ ..] = columns else {
        let what = "a column before the IP version";
        return Err(Refusal { at: record.body.len(), kind: RejectKind::Missing { what } });
    };
    if !is_filter(record.body) {
        return Err(record.not_this_family("`rule,subrule,anchor,tracker,interface,reason,action,in|out,4|6,…`"));
    }
    row.log_source(&FILTER);
    row.set(key::KIND, EventKind::Flow);
    // the tracker stays the same when rules are moved
    let tracked = !matches!(tracker.value, b"" | b"0");
    row.text(key::RULE_ID, if tracked { tracker.value } else { rule.value });
    if tracked {
        row.extra_fixed("rule_number", rule.value);
    }
    row.extra_fixed("subrule", subrule.value);
    row.extra_fixed("anchor", anchor.value);
    row.text(key::REASON, reason.value);
    row.text(key::EVENT_ACTION, action.value);
    let verdict = verdict(action.value);
    row.set_opt(key::ACTION, verdict);
    match direction.value {
        b"in" => row.text(key::IN_INTERFACE, interface.value),
        b"out" => row.text(key::OUT_INTERFACE, interface.value),
        _ => row.extra_fixed("interface", interface.value),
    }
    let six = version.value == b"6";
    let at = ends(rest, six).ok_or(Refusal {
        at: rest.first().map_or(record.body.len(), |column| column.offset),
        kind: RejectKind::Missing { what: "the source's or the destination's address" },
    })?;
    let (before, ends) = rest.split_at(at);
    row.put(Field::SrcIp, ends[0].value).at(ends[0].offset)?;
    row.put(Field::DstIp, ends[1].value).at(ends[1].offset)?;
    if let [.., one, other, length] = before {
        // the name is the one that is no number; `Options` and `carp` are names of nothing registered
        let (name, number) =
            if one.value.first().is_some_and(u8::is_ascii_digit) { (other, one) } else { (one, other) };
        let transport = Transport::parse(name.value).or_else(|| Transport::parse(number.value));
        row.set_opt(key::TRANSPORT, transport);
        if Transport::parse(name.value).is_none() {
            row.extra_fixed("protocol", name.value);
        }
        row.put(Field::BytesOut, length.value).at(length.offset)?;
        row.set(key::PACKETS_OUT, 1);
    }
    let names: &[&'static str] = if six { &NAMES_6 } else { &NAMES_4 };
    for (name, column) in names.iter().zip(before) {
        if !matches!(column.value, b"0" | b"0x0" | b"0x00" | b"none") {
            row.extra_fixed(name, column.value);
        }
    }
    let opening = protocol(&ends[2..], row)?;
    let refused = matches!(verdict, Some(Action::Deny | Action::Reset));
    // state-mismatch and the like are what a session left behind
    if refused && opening && reason.value == b"match" {
        row.set(key::PORT_STATE, PortState::Filtered);
    }
    Ok(())
}

/// Columns behind the version: tos, ecn, ttl, id, offset, flags; or class, flow label, hop limit.
const NAMES_4: [&str; 6] = ["tos", "ecn", "ttl", "ip_id", "ip_offset", "ip_flags"];
const NAMES_6: [&str; 3] = ["class", "flow_label", "hop_limit"];

/// pf's words. `match`, `scrub` and the like are no verdicts.
fn verdict(word: &[u8]) -> Option<Action> {
    match word {
        b"pass" => Some(Action::Allow),
        b"block" => Some(Action::Deny),
        b"reject" => Some(Action::Reset),
        b"nat" | b"rdr" | b"binat" => Some(Action::Nat),
        _ => None,
    }
}

/// Where source and destination stand: usually the 20th and 16th column, in any case two addresses together.
fn ends(columns: &[Column<'_>], six: bool) -> Option<usize> {
    let is_end = |at: usize| columns.get(at).is_some_and(|column| Ip::parse(column.value).is_some());
    let usual = if six { 6 } else { 9 };
    if columns.len() > usual + 1 && is_end(usual) && is_end(usual + 1) {
        return Some(usual);
    }
    (3..columns.len()).find(|at| is_end(*at) && is_end(*at + 1))
}

/// The columns of the protocol. Says whether the packet could open a conversation.
fn protocol(columns: &[Column<'_>], row: &mut Row<'_>) -> Result<bool, Refusal> {
    let transport = row.get(key::TRANSPORT);
    match (transport, columns) {
        (Some(Transport::TCP), [source, destination, length, rest @ ..]) => {
            row.put(Field::SrcPort, source.value).at(source.offset)?;
            row.put(Field::DstPort, destination.value).at(destination.offset)?;
            row.extra_fixed("data_length", length.value);
            let flags = rest.first().map_or(&b""[..], |column| column.value);
            row.text(key::TCP_FLAGS, flags);
            for (name, column) in ["seq", "ack", "window", "urg", "options"].into_iter().zip(rest.iter().skip(1)) {
                row.extra_fixed(name, column.value);
            }
            let (syn, ack) = (flags.contains(&b'S'), flags.contains(&b'A'));
            if syn {
                row.set(key::INITIATOR, if ack { Initiator::Destination } else { Initiator::Source });
            }
            Ok(syn && !ack)
        }
        (Some(Transport::UDP), [source, destination, rest @ ..]) => {
            row.put(Field::SrcPort, source.value).at(source.offset)?;
            row.put(Field::DstPort, destination.value).at(destination.offset)?;
            row.extra_fixed("data_length", rest.first().map_or(&b""[..], |column| column.value));
            Ok(true)
        }
        (Some(Transport::ICMP | Transport::ICMPV6), [word, rest @ ..]) => {
            icmp(transport == Some(Transport::ICMP), word, rest, row);
            Ok(false)
        }
        (_, columns) => {
            for (name, column) in ["protocol_1", "protocol_2", "protocol_3", "protocol_4"].into_iter().zip(columns) {
                let value = column.value.strip_prefix(b"datalength=").unwrap_or(column.value);
                row.extra_fixed(name, value);
            }
            Ok(false)
        }
    }
}

/// pfSense: a word and what belongs to it. OPNsense: `datalength=N,type,code,…`.
fn icmp(four: bool, word: &Column<'_>, rest: &[Column<'_>], row: &mut Row<'_>) {
    if let Some(length) = word.value.strip_prefix(b"datalength=") {
        row.extra_fixed("data_length", length);
        if let [kind, code, ..] = rest {
            for (field, column, name) in
                [(Field::IcmpType, kind, "icmp_word"), (Field::IcmpCode, code, "icmp_code_word")]
            {
                if !row.put_if(field, column.value) {
                    row.extra_fixed(name, column.value);
                }
            }
        }
        return;
    }
    row.extra_fixed("icmp_word", word.value);
    let known = ICMP_WORDS.iter().find(|(name, ..)| name.as_bytes() == word.value).filter(|_| four);
    if let Some((_, kind, code)) = known {
        row.set(key::ICMP_TYPE, *kind);
        row.set_opt(key::ICMP_CODE, *code);
    }
    let names: &[&'static str] = match word.value {
        b"request" | b"reply" | b"tstamp" => &["icmp_id", "icmp_seq"],
        b"unreachport" => &["inner_dst", "inner_proto", "inner_dpt"],
        b"unreachproto" => &["inner_dst", "inner_proto"],
        b"needfrag" => &["inner_dst", "mtu"],
        b"tstampreply" => &["icmp_id", "icmp_seq", "otime", "rtime", "ttime"],
        _ => &["text"],
    };
    for (name, column) in names.iter().zip(rest) {
        row.extra_fixed(name, column.value);
    }
}

/// filterlog's words of ICMP for IPv4, with type and, where the word says it, code.
const ICMP_WORDS: &[(&str, u64, Option<u64>)] = &[
    ("request", 8, Some(0)),
    ("reply", 0, Some(0)),
    ("unreachproto", 3, Some(2)),
    ("unreachport", 3, Some(3)),
    ("needfrag", 3, Some(4)),
    ("unreach", 3, None),
    ("redirect", 5, None),
    ("timexceed", 11, None),
    ("paramprob", 12, None),
    ("tstamp", 13, Some(0)),
    ("tstampreply", 14, Some(0)),
    ("maskreply", 18, Some(0)),
];

/// Whether the text has a word, for the fixed sentences of daemons.
fn says(text: &[u8], words: &[&[u8]]) -> bool {
    words.iter().any(|word| contains(text, word))
}
