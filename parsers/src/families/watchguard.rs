//! WatchGuard Firebox (Fireware): `… SERIAL (2026-01-05T10:00:00) firewall: msg_id="3000-0148" Deny 0-External Firebox 44 tcp …`.
//!
//! A packet's line has its length after the two interfaces, a session's end and a proxy's line have not: whether that
//! token is a number decides how the rest is read. The second stamp is the device's own and in UTC (the first is its
//! local time). A proxy writes `Allow` even where it stripped something: what it did stands in `msg`. Also read: the
//! lines of the Traffic Monitor, and LEEF without its mark, where tabs may have become `#011`.
//!
//! Source: WatchGuard, "Fireware Log Catalog" and "Read a Log Message".

mod events;

use schemas::{Action, EventKind, Field, Initiator, Ip, LogSource, PortState, RejectKind, Row, Transport, key};

use crate::lex::keys::KeyMap;
use crate::lex::text::{Cursor, contains, decimal, present, split_once, split_once_str};
use crate::lex::{kv, time};
use crate::transport::set_time;
use crate::{Accepts, At, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

static TRAFFIC: LogSource = source("watchguard.traffic", &["firewall"], &["traffic"]);
static PROXY: LogSource = source("watchguard.proxy", &["proxy"], &["proxy"]);
static IPS: LogSource = source("watchguard.ips", &["ids"], &["ips"]);
static LOGIN: LogSource = source("watchguard.auth", &["authentication"], &["auth"]);
static EVENT: LogSource = source("watchguard.event", &[], &["event"]);

const fn source(
    dataset: &'static str,
    categories: &'static [&'static str],
    services: &'static [&'static str],
) -> LogSource {
    LogSource {
        family: "watchguard",
        vendor: "WatchGuard",
        product: "Firebox",
        dataset,
        categories,
        products: &["watchguard", "firebox", "fireware"],
        services,
    }
}

/// What a key is to us.
#[derive(Clone, Copy)]
enum What {
    To(Field),
    Maybe(Field),
    MessageId,
    Disposition,
    Flags,
    Seconds,
    Time,
    Info,
}

static KEYS: KeyMap<What, 128> = KeyMap::new(&[
    ("msg_id", What::MessageId),
    ("disp", What::Disposition),
    ("duration", What::Seconds),
    ("devTime", What::Time),
    ("tcp_flag", What::Flags),
    ("tcp_info", What::Info),
    ("type", What::Maybe(Field::IcmpType)),
    ("code", What::Maybe(Field::IcmpCode)),
    ("sent_bytes", What::To(Field::BytesOut)),
    ("ip_len", What::To(Field::BytesOut)),
    ("rcvd_bytes", What::To(Field::BytesIn)),
    ("sent_pkts", What::To(Field::PacketsOut)),
    ("rcvd_pkts", What::To(Field::PacketsIn)),
    ("src_user", What::To(Field::User)),
    ("src_ip_nat", What::Maybe(Field::NatSrcIp)),
    ("srcPostNAT", What::Maybe(Field::NatSrcIp)),
    ("src_port_nat", What::Maybe(Field::NatSrcPort)),
    ("srcPostNATPORT", What::Maybe(Field::NatSrcPort)),
    ("dst_ip_nat", What::Maybe(Field::NatDstIp)),
    ("dstPostNAT", What::Maybe(Field::NatDstIp)),
    ("dst_port_nat", What::Maybe(Field::NatDstPort)),
    ("dstPostNATPORT", What::Maybe(Field::NatDstPort)),
    ("src", What::To(Field::SrcIp)),
    ("dst", What::To(Field::DstIp)),
    ("srcPort", What::To(Field::SrcPort)),
    ("dstPort", What::To(Field::DstPort)),
    ("proto", What::Maybe(Field::Transport)),
    ("in_if", What::To(Field::SrcZone)),
    ("out_if", What::To(Field::DstZone)),
    ("policy", What::To(Field::RuleName)),
    ("app_name", What::To(Field::AppProto)),
    ("signature_name", What::To(Field::Signature)),
    ("virus", What::To(Field::Signature)),
    ("signature_id", What::To(Field::SignatureId)),
    ("signature_cat", What::To(Field::SignatureClass)),
    ("op", What::To(Field::HttpMethod)),
    ("dstname", What::To(Field::HttpHost)),
    ("arg", What::To(Field::Url)),
    ("sni", What::To(Field::TlsSni)),
    ("msg", What::To(Field::Message)),
    ("host_name", What::To(Field::Host)),
    ("sys_name", What::To(Field::Host)),
]);

impl Parser for Family {
    fn name(&self) -> &'static str {
        "watchguard"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["firebox", "fireware"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        let body = record.body;
        let head = &body[..body.len().min(120)];
        match body {
            // `(2026-01-05T`, with the serial number before it or not; `msg_id="`
            [b'(', b'0'..=b'9', ..] | [b'm', b's', b'g', b'_', b'i', b'd', b'=', b'"', ..] => {
                contains(head, b"msg_id=\"").then_some(Confidence::Certain)
            }
            [b'0'..=b'9' | b'A'..=b'Z', ..] => {
                let blank = body.iter().take(24).position(|byte| *byte == b' ');
                let stamped = blank.is_some_and(|at| matches!(body[at + 1..], [b'(', b'0'..=b'9', ..]));
                if stamped && contains(head, b" msg_id=\"") || body.starts_with(b"1.0|WatchGuard|") {
                    return Some(Confidence::Certain);
                }
                let monitored = matches!(record.header.host, b"Allow" | b"Deny")
                    || body.starts_with(b"Allow ")
                    || body.starts_with(b"Deny ");
                (monitored && contains(body, b" proc_id=\"")).then_some(Confidence::Certain)
            }
            _ => None,
        }
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut line = Line::default();
        let body = record.body;
        let export = body.strip_prefix(b"LEEF:").unwrap_or(body);
        if let Some(rest) = export.strip_prefix(b"1.0|WatchGuard|") {
            line.export(record, rest, row)?;
        } else if matches!(record.header.host, b"Allow" | b"Deny") {
            row.clear(Field::Host);
            line.monitor(record, record.header.host, body, row)?;
        } else if let Some((word @ (b"Allow" | b"Deny"), rest)) = split_once(body, b' ') {
            line.monitor(record, word, rest, row)?;
        } else {
            line.syslog(record, row)?;
        }
        line.conclude(row);
        Ok(Parsed::Events)
    }
}

#[derive(Default)]
struct Line<'a> {
    message_id: &'a [u8],
    disposition: &'a [u8],
    flags: &'a [u8],
    /// What stands between the fixed words and the pairs, or an event's text.
    text: &'a [u8],
}

impl<'a> Line<'a> {
    /// `[SERIAL ][(STAMP) ]PROGRAM[pid]: msg_id="…" …`
    fn syslog(&mut self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let Some((before, rest)) = split_once_str(record.body, b"msg_id=\"") else {
            return Err(record.not_this_family("`msg_id=\"…\"`"));
        };
        let Some((message_id, rest)) = split_once(rest, b'"') else {
            return Err(record.refuse(rest, RejectKind::Unclosed { what: "msg_id" }));
        };
        self.message_id = message_id;
        let mut program = before.trim_ascii();
        if let Some((serial, behind)) = split_once(before, b'(') {
            row.extra_fixed("serial", serial.trim_ascii());
            let (stamp, behind) = split_once(behind, b')').unwrap_or((b"", behind));
            if let Some((mut stamp, _)) = time::iso(stamp) {
                stamp.offset = stamp.offset.or(Some(0));
                if let Some(us) = record.time.resolve(&stamp) {
                    set_time(row, us);
                }
            }
            program = behind.trim_ascii();
        }
        let program = if program.is_empty() { record.header.app } else { program };
        let name = program.split(|byte| matches!(byte, b'[' | b':')).next().unwrap_or(program);
        row.text(key::PROCESS_NAME, name);
        let rest = rest.trim_ascii();
        match split_once(rest, b' ') {
            Some((word @ (b"Allow" | b"Deny"), rest)) => {
                self.disposition = word;
                self.packet(record, rest, row)
            }
            _ => {
                self.text = rest;
                Ok(())
            }
        }
    }

    /// `SRC_IF DST_IF [LEN] PROTO [HLEN TTL] A B [sport dport] … (POLICY)`
    fn packet(&mut self, record: &Record<'a>, text: &'a [u8], row: &mut Row<'_>) -> Result<(), Refusal> {
        let mut cursor = Cursor::new(text);
        row.text(key::SRC_ZONE, cursor.word());
        row.text(key::DST_ZONE, cursor.word());
        let mut word = cursor.word();
        let length = decimal(word);
        if length.is_some() {
            word = cursor.word();
        }
        match Transport::parse(word) {
            Some(transport) => row.set(key::TRANSPORT, transport),
            None => row.extra_fixed("proto", word),
        }
        if let Some(length) = length {
            row.set(key::BYTES_OUT, length);
            row.set(key::PACKETS_OUT, 1);
            // header length, time to live
            cursor.word();
            row.extra_fixed("ttl", cursor.word());
        }
        for field in [Field::SrcIp, Field::DstIp] {
            let word = cursor.word();
            row.put(field, word).map_err(|kind| record.refuse(word, kind))?;
        }
        let icmp = matches!(row.get(key::TRANSPORT), Some(Transport::ICMP | Transport::ICMPV6));
        let fields = if icmp { [Field::IcmpType, Field::IcmpCode] } else { [Field::SrcPort, Field::DstPort] };
        for field in fields {
            if cursor.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                let word = cursor.word();
                row.put(field, word).map_err(|kind| record.refuse(word, kind))?;
            }
        }
        // `offset 8 S 3062474382 win 32`
        if cursor.take_if(b"offset ") {
            cursor.word();
            self.flags = cursor.word();
            cursor.word();
            cursor.take_if(b"win ");
            cursor.word();
        }
        let mut rest = cursor.rest().trim_ascii();
        if let Some(at) = policy_at(rest) {
            row.text(key::RULE_NAME, &rest[at + 1..rest.len() - 1]);
            rest = rest[..at].trim_ascii();
        }
        self.pairs(record, rest, row)
    }

    /// `A B SERVICE/PROTO [sport dport] SRC_IF DST_IF TEXT [LEN TTL] (POLICY) k="v" …`
    fn monitor(
        &mut self,
        record: &Record<'a>,
        disposition: &'a [u8],
        text: &'a [u8],
        row: &mut Row<'_>,
    ) -> Result<(), Refusal> {
        self.disposition = disposition;
        let mut cursor = Cursor::new(text);
        for field in [Field::SrcIp, Field::DstIp] {
            let word = cursor.word();
            row.put(field, word).map_err(|kind| record.refuse(word, kind))?;
        }
        let service = cursor.word();
        let Some((service, transport)) = crate::lex::text::rsplit_once(service, b'/') else {
            return Err(record.refuse(service, RejectKind::Missing { what: "SERVICE/PROTO" }));
        };
        row.set_opt(key::TRANSPORT, Transport::parse(transport));
        row.extra_fixed("service", service);
        for field in [Field::SrcPort, Field::DstPort] {
            let mut ahead = cursor;
            let word = ahead.word();
            if decimal(word).is_some() {
                row.put(field, word).map_err(|kind| record.refuse(word, kind))?;
                cursor = ahead;
            }
        }
        row.text(key::SRC_ZONE, cursor.word());
        row.text(key::DST_ZONE, cursor.word());
        let rest = cursor.rest();
        let (before, rest) = split_once(rest, b'(').unwrap_or((rest, b""));
        let (policy, rest) = split_once(rest, b')').unwrap_or((rest, b""));
        row.text(key::RULE_NAME, policy);
        self.pairs(record, rest, row)?;
        self.text = b"";
        // `Denied 60 63`: words, then length and time to live
        let mut from_end = before.trim_ascii().rsplit(|byte| *byte == b' ').map(decimal);
        if let (Some(Some(_)), Some(Some(length)), false) = (from_end.next(), from_end.next(), row.has(Field::BytesOut))
        {
            row.set(key::BYTES_OUT, length);
            row.set(key::PACKETS_OUT, 1);
        }
        let words = before.iter().position(u8::is_ascii_digit).map_or(before, |at| &before[..at]).trim_ascii();
        if !matches!(words, b"Allowed" | b"Denied") {
            row.text(key::REASON, words);
        }
        Ok(())
    }

    fn pairs(&mut self, record: &Record<'a>, text: &'a [u8], row: &mut Row<'_>) -> Result<(), Refusal> {
        let base = crate::lex::text::offset_in(record.body, text).unwrap_or(0);
        let mut first = None;
        for pair in kv::pairs(text) {
            if pair.key.is_empty() {
                continue;
            }
            first = first.or(Some(pair.offset));
            if pair.unclosed && !pair.value.is_empty() {
                let kind = RejectKind::Unclosed { what: "a quoted value" };
                return Err(Refusal { at: base + pair.value_offset().saturating_sub(1), kind });
            }
            self.pair(pair.key, pair.value, base + pair.value_offset(), record, row)?;
        }
        self.text = text[..first.unwrap_or(text.len())].trim_ascii();
        Ok(())
    }

    fn pair(
        &mut self,
        name: &'a [u8],
        value: &'a [u8],
        at: usize,
        record: &Record<'_>,
        row: &mut Row<'_>,
    ) -> Result<(), Refusal> {
        let Some(value) = present(value) else { return Ok(()) };
        match KEYS.get(name) {
            Some(What::To(field)) if !row.has(field) => row.put(field, value).at(at)?,
            Some(What::Maybe(field)) if !row.has(field) && row.put_if(field, value) => {}
            Some(What::MessageId) => self.message_id = value,
            Some(What::Disposition) => self.disposition = value,
            Some(What::Flags) => self.flags = value,
            // `offset 10 S 2982213793 win 2105`
            Some(What::Info) => self.flags = value.split(|byte| *byte == b' ').nth(2).unwrap_or(b""),
            Some(What::Seconds) => match decimal(value) {
                Some(seconds) => row.set(key::DURATION, seconds.min(u64::from(u32::MAX)) * 1_000_000),
                None => row.extra(name, value),
            },
            Some(What::Time) => match record.time.bsd(value) {
                Some(us) => set_time(row, us),
                None => row.extra(name, value),
            },
            _ => row.extra(name, value),
        }
        Ok(())
    }

    /// `XTM|VERSION|ID|k=v<TAB>k=v`, a tab perhaps written as `#011`.
    fn export(&mut self, record: &Record<'a>, text: &'a [u8], row: &mut Row<'_>) -> Result<(), Refusal> {
        let mut fields = text.splitn(4, |byte| *byte == b'|');
        let (Some(_product), Some(version), Some(id), Some(rest)) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(record.refuse(text, RejectKind::Missing { what: "a field of LEEF's header" }));
        };
        row.extra_fixed("version", version);
        self.message_id = id;
        let mut rest = rest;
        while !rest.is_empty() {
            // a lone `#` is text
            let ends = |at: &usize| rest[*at] == b'\t' || rest[*at..].starts_with(b"#011");
            let (pair, behind) = match memchr::memchr2_iter(b'\t', b'#', rest).find(ends) {
                Some(at) if rest[at] == b'\t' => (&rest[..at], &rest[at + 1..]),
                Some(at) => (&rest[..at], &rest[at + 4..]),
                None => (rest, &b""[..]),
            };
            if let Some((name, value)) = split_once(pair, b'=') {
                let at = crate::lex::text::offset_in(record.body, value).unwrap_or(0);
                self.pair(name, value, at, record, row)?;
            }
            rest = behind;
        }
        // of an event the message is all there is
        if self.disposition.is_empty()
            && let Some((_, message)) = split_once_str(text, b"msg=")
        {
            self.text = message;
        }
        Ok(())
    }

    fn conclude(&self, row: &mut Row<'_>) {
        row.text(key::EVENT_CODE, self.message_id);
        if self.disposition.is_empty() || !row.has(Field::SrcIp) {
            events::event(self.text, row);
            return;
        }
        self.traffic(row);
    }

    fn traffic(&self, row: &mut Row<'_>) {
        row.text(key::TCP_FLAGS, self.flags);
        if !row.has(Field::Message) || !self.text.is_empty() {
            row.text(key::REASON, self.text);
        }
        let is = |number: &[u8]| {
            let digits = self.message_id.iter().filter(|byte| **byte != b'-');
            digits.eq(number.iter())
        };
        let (ended, intrusion) = (is(b"30000151") || is(b"30000176"), is(b"30000150"));
        let proxied = !self.message_id.starts_with(b"3000");
        let kind = if intrusion || row.has(Field::Signature) { EventKind::Alert } else { EventKind::Flow };
        row.log_source(match kind {
            EventKind::Alert => &IPS,
            _ if proxied => &PROXY,
            _ => &TRAFFIC,
        });
        row.set(key::KIND, kind);
        // what a proxy did stands before the colon of its message: `ProxyDeny: HTTP Request categories`
        let message = row.get_text(key::MESSAGE).unwrap_or_default();
        let by_proxy = PROXY_WORDS
            .iter()
            .find(|(word, _)| message.strip_prefix(word.as_bytes()).is_some_and(|rest| rest.first() == Some(&b':')));
        match by_proxy {
            Some((word, _)) => row.fixed(key::EVENT_ACTION, word),
            None => row.text(key::EVENT_ACTION, self.disposition),
        }
        let denied = self.disposition == b"Deny";
        let action = match by_proxy {
            Some((_, Some(action))) => *action,
            _ if denied => Action::Deny,
            _ if kind == EventKind::Alert => Action::Alert,
            _ if ended => Action::Close,
            _ => Action::Allow,
        };
        row.set(key::ACTION, action);
        let transport = row.get(key::TRANSPORT);
        let opens = match transport {
            Some(Transport::TCP) => self.flags == b"S",
            Some(Transport::UDP) => true,
            _ => false,
        };
        if ended || opens || proxied {
            row.set(key::INITIATOR, Initiator::Source);
        }
        if ended {
            if let (Some(end), Some(us)) = (row.get(key::TIME), row.get(key::DURATION)) {
                row.set(key::START, end - us as i64);
            }
            row.set_opt(key::PORT_STATE, answered(row));
        } else if denied && opens && !proxied {
            row.set(key::PORT_STATE, PortState::Filtered);
        }
    }
}

/// What a proxy did, and the verdict where that is one.
const PROXY_WORDS: &[(&str, Option<Action>)] = &[
    ("ProxyDrop", Some(Action::Drop)),
    ("ProxyDeny", Some(Action::Deny)),
    ("ProxyBlock", Some(Action::Deny)),
    ("ProxyStrip", None),
    ("ProxyReplace", None),
];

/// What a session's end proves about the port: more than bare answers came back, or nothing.
fn answered(row: &Row<'_>) -> Option<PortState> {
    let transport = row.get(key::TRANSPORT).filter(|it| matches!(*it, Transport::TCP | Transport::UDP))?;
    let bytes = row.get(key::BYTES_IN)?;
    if bytes == 0 {
        return (transport == Transport::TCP).then_some(PortState::Filtered);
    }
    let bare = row.get(key::PACKETS_IN).unwrap_or(1).saturating_mul(60);
    (bytes > bare).then_some(PortState::Open)
}

/// Where the policy's parenthesis at the end opens; names may hold some of their own.
fn policy_at(text: &[u8]) -> Option<usize> {
    if text.last() != Some(&b')') {
        return None;
    }
    let mut depth = 0usize;
    for (at, byte) in text.iter().enumerate().rev() {
        match byte {
            b')' => depth += 1,
            b'(' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// An address that is the whole word, or its beginning up to a comma or full stop.
fn address(word: &[u8]) -> Option<Ip> {
    Ip::parse(word).or_else(|| {
        let word = word.strip_suffix(b",").or_else(|| word.strip_suffix(b"."))?;
        Ip::parse(word)
    })
}
