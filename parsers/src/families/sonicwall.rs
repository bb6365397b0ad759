//! SonicWall (SonicOS): `id=firewall sn=… time="…" fw=… pri=… c=… m=537 msg="…" src=A:p:IF[:NAME] dst=…`.
//!
//! The message number says what a line is, `fw_action` what became of the packet; where neither decides, the vendor's
//! fixed text does (`… dropped`, `… login denied`), which is the same for all versions while numbers were added with each.
//! Ends carry address, port, interface and name in one word; of ICMP the port is the type. `sent` is from the source. A
//! packet that was dropped for its flags (713) is the rest of a session and proves nothing. Source: SonicOS Log Events
//! Reference Guide, "Syslog tags".

use schemas::{
    Action, EventKind, Field, Initiator, Ip, LogSource, Outcome, PortState, RejectKind, Row, Transport, key,
};

use crate::lex::endpoint::colon;
use crate::lex::keys::KeyMap;
use crate::lex::kv;
use crate::lex::text::{contains, decimal, present, split_once, split_once_str};
use crate::transport::set_time;
use crate::{Accepts, At, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

static TRAFFIC: LogSource = source("sonicwall.traffic", &["firewall"], &["traffic"]);
static WEB: LogSource = source("sonicwall.web", &["proxy"], &["web"]);
static IPS: LogSource = source("sonicwall.ips", &["ids"], &["ips"]);
static LOGIN: LogSource = source("sonicwall.auth", &["authentication"], &["auth"]);
static EVENT: LogSource = source("sonicwall.event", &[], &["event"]);

const fn source(
    dataset: &'static str,
    categories: &'static [&'static str],
    services: &'static [&'static str],
) -> LogSource {
    LogSource {
        family: "sonicwall",
        vendor: "SonicWall",
        product: "SonicOS",
        dataset,
        categories,
        products: &["sonicwall", "sonicos"],
        services,
    }
}

/// What a key is to us.
#[derive(Clone, Copy)]
enum What {
    /// A column, by its own type.
    To(Field),
    /// A column that only some values fit; anything else becomes an extra.
    Maybe(Field),
    /// Noted, judged at the end.
    Note(Noted),
}

#[derive(Clone, Copy)]
#[repr(usize)]
enum Noted {
    Id,
    Time,
    Message,
    Text,
    Src,
    Dst,
    SrcV6,
    DstV6,
    NatSrc,
    NatDst,
    Proto,
    User,
    Duration,
    Rule,
    Verdict,
    Code,
    Note,
}

const NOTES: usize = Noted::Note as usize + 1;

static KEYS: KeyMap<What, 128> = KeyMap::new(&[
    ("id", What::Note(Noted::Id)),
    ("time", What::Note(Noted::Time)),
    ("m", What::Note(Noted::Message)),
    ("msg", What::Note(Noted::Text)),
    ("src", What::Note(Noted::Src)),
    ("dst", What::Note(Noted::Dst)),
    ("srcV6", What::Note(Noted::SrcV6)),
    ("dstV6", What::Note(Noted::DstV6)),
    ("natSrc", What::Note(Noted::NatSrc)),
    ("natDst", What::Note(Noted::NatDst)),
    ("natSrcV6", What::Maybe(Field::NatSrcIp)),
    ("natDstV6", What::Maybe(Field::NatDstIp)),
    ("proto", What::Note(Noted::Proto)),
    ("usr", What::Note(Noted::User)),
    ("user", What::Note(Noted::User)),
    ("cdur", What::Note(Noted::Duration)),
    ("rule", What::Note(Noted::Rule)),
    ("fw_action", What::Note(Noted::Verdict)),
    ("note", What::Note(Noted::Note)),
    ("fw", What::Maybe(Field::HostIp)),
    ("pri", What::Maybe(Field::Severity)),
    ("srcMac", What::To(Field::SrcMac)),
    ("dstMac", What::To(Field::DstMac)),
    ("srcZone", What::To(Field::SrcZone)),
    ("dstZone", What::To(Field::DstZone)),
    ("sent", What::To(Field::BytesOut)),
    ("out", What::To(Field::BytesOut)),
    ("rcvd", What::To(Field::BytesIn)),
    ("in", What::To(Field::BytesIn)),
    ("spkt", What::To(Field::PacketsOut)),
    ("rpkt", What::To(Field::PacketsIn)),
    ("type", What::Maybe(Field::IcmpType)),
    ("icmpType", What::Maybe(Field::IcmpType)),
    ("code", What::Note(Noted::Code)),
    ("icmpCode", What::Maybe(Field::IcmpCode)),
    ("dstname", What::To(Field::HttpHost)),
    ("arg", What::To(Field::Url)),
    ("result", What::Maybe(Field::HttpStatus)),
    ("agent", What::To(Field::UserAgent)),
    ("sid", What::To(Field::SignatureId)),
    ("ipscat", What::To(Field::SignatureClass)),
    ("appcat", What::To(Field::SignatureClass)),
    ("appName", What::To(Field::AppProto)),
]);

impl Parser for Family {
    fn name(&self) -> &'static str {
        "sonicwall"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["sonicos", "sonicwall_firewall"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        let body = record.body;
        if !body.starts_with(b"id=") {
            return None;
        }
        let head = &body[..body.len().min(400)];
        let device = contains(head, b" fw=") && contains(head, b" time=");
        if device && contains(head, b" sn=") {
            return Some(Confidence::Certain);
        }
        (device && contains(head, b" m=") && contains(head, b" c=")).then_some(Confidence::Likely)
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut line = Line { record, notes: [b""; NOTES] };
        line.read(row)?;
        line.judge(row)?;
        Ok(Parsed::Events)
    }
}

struct Line<'a, 'r> {
    record: &'r Record<'a>,
    notes: [&'r [u8]; NOTES],
}

impl<'r> Line<'_, 'r> {
    fn read(&mut self, row: &mut Row<'_>) -> Result<(), Refusal> {
        for pair in kv::pairs(self.record.body) {
            if pair.unclosed && !pair.value.is_empty() {
                return Err(Refusal {
                    at: pair.value_offset().saturating_sub(1),
                    kind: RejectKind::Unclosed { what: "a quoted value" },
                });
            }
            let Some(value) = present(pair.value).filter(|_| !pair.key.is_empty()) else { continue };
            match KEYS.get(pair.key) {
                Some(What::To(field)) if !row.has(field) => row.put(field, value).at(pair.value_offset())?,
                Some(What::Maybe(field)) if !row.has(field) && row.put_if(field, value) => {}
                Some(What::Note(note)) if self.note(note).is_empty() => self.notes[note as usize] = value,
                _ => row.extra(pair.key, value),
            }
        }
        Ok(())
    }

    fn note(&self, note: Noted) -> &'r [u8] {
        self.notes[note as usize]
    }

    fn judge(&self, row: &mut Row<'_>) -> Result<(), Refusal> {
        let message = self.note(Noted::Message);
        if message.is_empty() || self.note(Noted::Id).is_empty() {
            return Err(self.record.not_this_family("`id=… m=…` among key=value pairs"));
        }
        // its own name; a header's is that of a relay, since SonicOS writes none
        row.text(key::HOST, self.note(Noted::Id));
        row.text(key::RELAY, self.record.header.host);
        row.text(key::EVENT_CODE, message);
        row.text(key::MESSAGE, self.note(Noted::Text));
        row.extra_fixed("note", self.note(Noted::Note));
        self.set_time(row)?;
        self.set_transport(row);
        // of a web line it is the category's number
        match row.get(key::TRANSPORT) {
            Some(Transport::ICMP | Transport::ICMPV6) => row.set_opt(key::ICMP_CODE, decimal(self.note(Noted::Code))),
            _ => row.extra_fixed("code", self.note(Noted::Code)),
        }
        self.set_end(Noted::Src, row)?;
        self.set_end(Noted::Dst, row)?;
        for (note, ip_key, port_key) in
            [(Noted::NatSrc, key::NAT_SRC_IP, key::NAT_SRC_PORT), (Noted::NatDst, key::NAT_DST_IP, key::NAT_DST_PORT)]
        {
            // `IP:PORT`, and in some builds the interface behind them
            let text = self.note(note);
            let two = memchr::memchr_iter(b':', text).nth(1).filter(|_| !text.starts_with(b"["));
            let end = colon(text).or_else(|| colon(&text[..two?]));
            if let Some((ip, port)) = end {
                row.set(ip_key, ip);
                row.set_opt(port_key, port);
            }
        }
        // `Unknown (SSO failed)`, `Unknown (external IP)`: nobody
        let user = self.note(Noted::User);
        if user.starts_with(b"Unknown (") {
            row.extra_fixed("usr", user)
        } else {
            row.text(key::USER, user)
        }
        self.set_rule(row);
        self.conclude(row);
        Ok(())
    }

    fn set_time(&self, row: &mut Row<'_>) -> Result<(), Refusal> {
        let text = self.note(Noted::Time);
        if text.is_empty() {
            return Ok(());
        }
        let Some(us) = self.record.time.iso(text) else {
            return Err(self.record.refuse(text, RejectKind::bad_value("time", text, "YYYY-MM-DD hh:mm:ss[ UTC]")));
        };
        set_time(row, us);
        Ok(())
    }

    /// `tcp/https`, `udp/53`, `icmp`.
    fn set_transport(&self, row: &mut Row<'_>) {
        let text = self.note(Noted::Proto);
        let (transport, service) = split_once(text, b'/').unwrap_or((text, b""));
        match Transport::parse(transport) {
            Some(transport) => {
                row.set(key::TRANSPORT, transport);
                row.extra_fixed("service", service);
            }
            None => row.extra_fixed("proto", text),
        }
    }

    /// `A:p:IF:NAME`, of which each may be missing; an IPv6 address stands in a key of its own.
    fn set_end(&self, which: Noted, row: &mut Row<'_>) -> Result<(), Refusal> {
        let source = matches!(which, Noted::Src);
        let (v6, ip_key, port_key, interface_key, name_key) = if source {
            (Noted::SrcV6, key::SRC_IP, key::SRC_PORT, key::IN_INTERFACE, key::SRC_HOST)
        } else {
            (Noted::DstV6, key::DST_IP, key::DST_PORT, key::OUT_INTERFACE, key::DST_HOST)
        };
        let text = self.note(which);
        let bad = |part: &[u8], expected| self.record.refuse(part, RejectKind::bad_value("src or dst", text, expected));
        let mut parts = text;
        let mut ip = None;
        if let Some(whole) = Ip::parse(text) {
            (ip, parts) = (Some(whole), &b""[..]);
        } else if let Some((inside, rest)) = text.strip_prefix(b"[").and_then(|rest| split_once(rest, b']')) {
            ip = Some(Ip::parse(inside).ok_or_else(|| bad(text, "an address in brackets"))?);
            parts = rest;
        }
        let mut parts = parts.split(|byte| *byte == b':');
        let first = parts.next().unwrap_or(b"");
        if !first.is_empty() {
            ip = Some(Ip::parse(first).ok_or_else(|| bad(text, "IP:PORT:INTERFACE"))?);
        }
        let other = self.note(v6);
        if !other.is_empty() {
            ip = Some(Ip::parse(other).ok_or_else(|| bad(other, "an IPv6 address"))?);
        }
        row.set_opt(ip_key, ip);
        let port = parts.next().unwrap_or(b"");
        if !port.is_empty() {
            let number = schemas::parse_port(port).ok_or_else(|| bad(text, "a port 0..=65535 after the address"))?;
            match row.get(key::TRANSPORT) {
                Some(Transport::ICMP | Transport::ICMPV6) if source && !row.has(Field::IcmpType) => {
                    row.set(key::ICMP_TYPE, u64::from(number));
                }
                Some(Transport::ICMP | Transport::ICMPV6) => {}
                _ => row.set(port_key, number),
            }
        }
        row.text(interface_key, parts.next().unwrap_or(b""));
        row.text(name_key, parts.next().unwrap_or(b""));
        Ok(())
    }

    /// `15 (LAN->WAN)`: number and zones, or a name.
    fn set_rule(&self, row: &mut Row<'_>) {
        let rule = self.note(Noted::Rule);
        row.text(key::RULE_NAME, rule);
        let Some((number, rest)) = split_once(rule.trim_ascii(), b' ') else { return };
        if decimal(number).is_none() {
            return;
        }
        if !row.has(Field::RuleId) {
            row.text(key::RULE_ID, number);
        }
        let zones = rest.strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")"));
        if let Some((from, to)) = zones.and_then(|zones| split_once_str(zones, b"->")) {
            for (zone, name) in [(key::SRC_ZONE, from), (key::DST_ZONE, to)] {
                if !row.has(zone.field) {
                    row.text(zone, name);
                }
            }
        }
    }

    fn conclude(&self, row: &mut Row<'_>) {
        let (message, text) = (self.note(Noted::Message), self.note(Noted::Text));
        let verdict = self.note(Noted::Verdict);
        if !matches!(verdict, b"NA") {
            row.text(key::EVENT_ACTION, verdict);
        }
        if let Some(duration_ms) = decimal(self.note(Noted::Duration)) {
            let us = duration_ms.min(u64::from(u32::MAX)).saturating_mul(1000);
            row.set(key::DURATION, us);
            if let Some(end) = row.get(key::TIME) {
                row.set(key::START, end - us as i64);
            }
        }
        let login = login(message, text);
        if let Some(outcome) = login {
            row.log_source(&LOGIN);
            row.set(key::KIND, EventKind::Auth);
            row.set_opt(key::OUTCOME, outcome);
            if let (Some(Outcome::Failure), Some((_, reason))) = (outcome, split_once_str(text, b"due to ")) {
                row.text(key::REASON, reason);
            }
            return;
        }
        if is_alert(message, row) {
            row.log_source(&IPS);
            row.set(key::KIND, EventKind::Alert);
            row.text(key::SIGNATURE, text);
            let stopped = verdict == b"drop" || contains(text, b"Prevention") || contains(text, b"blocked");
            row.set(key::ACTION, if stopped { Action::Drop } else { Action::Alert });
            return;
        }
        let of_traffic = matches!(message, b"98" | b"537" | b"97" | b"14" | b"36" | b"37" | b"38");
        if !of_traffic && !row.has(Field::Transport) {
            row.log_source(&EVENT);
            row.set(key::KIND, EventKind::Other);
            return;
        }
        row.set(key::KIND, EventKind::Flow);
        row.log_source(if matches!(message, b"97" | b"14") { &WEB } else { &TRAFFIC });
        let action = match message {
            b"98" => Some(Action::Start),
            b"537" => Some(Action::Close),
            b"97" => Some(Action::Allow),
            b"14" => Some(Action::Deny),
            b"1197" => Some(Action::Nat),
            b"36" | b"37" | b"38" => Some(Action::Drop),
            _ => match verdict {
                b"drop" => Some(Action::Drop),
                b"forward" | b"mgmt" | b"allow" => Some(Action::Allow),
                _ if text.ends_with(b"dropped") => Some(Action::Drop),
                _ if text.ends_with(b"denied") => Some(Action::Deny),
                _ => None,
            },
        };
        row.set_opt(key::ACTION, action);
        if matches!(message, b"98" | b"537" | b"97" | b"14") {
            row.set(key::INITIATOR, Initiator::Source);
        }
        row.set_opt(key::PORT_STATE, port_state(message, row));
    }
}

/// What a line proves about the port that was called. The first packets of sessions were dropped by 36 and 37 only;
/// other numbers drop what belongs to no session any more.
fn port_state(message: &[u8], row: &Row<'_>) -> Option<PortState> {
    let tcp = row.get(key::TRANSPORT) == Some(Transport::TCP);
    match message {
        b"36" | b"37" => Some(PortState::Filtered),
        b"537" => {
            let (packets, bytes) = (row.get(key::PACKETS_IN)?, row.get(key::BYTES_IN)?);
            if packets == 0 {
                // UDP need not be answered
                return tcp.then_some(PortState::Filtered);
            }
            // more than bare answers: resets and repeated handshakes have no payload
            (bytes > packets.saturating_mul(60)).then_some(PortState::Open)
        }
        _ => None,
    }
}

/// Intrusion prevention, gateway anti-virus and application control.
fn is_alert(message: &[u8], row: &Row<'_>) -> bool {
    matches!(message, b"608" | b"609" | b"789" | b"790" | b"794" | b"795" | b"809" | b"1154" | b"1155")
        || row.has(Field::SignatureId) && row.has(Field::SignatureClass)
}

/// Whether it is somebody's logon, and how it went; a logoff has no outcome. By number where the text says less.
fn login(message: &[u8], text: &[u8]) -> Option<Option<Outcome>> {
    match message {
        b"29" | b"31" => return Some(Some(Outcome::Success)),
        b"30" | b"32" | b"33" => return Some(Some(Outcome::Failure)),
        _ => {}
    }
    if text.starts_with(b"Configuration ") {
        return None;
    }
    if contains(text, b"logged out") {
        return Some(None);
    }
    if !contains(text, b"login") && !contains(text, b"Login") && !contains(text, b"logged in") {
        return None;
    }
    if contains(text, b"denied") || contains(text, b"failed") || contains(text, b"failure") {
        Some(Some(Outcome::Failure))
    } else if contains(text, b"allowed") || contains(text, b"uccess") || contains(text, b"logged in") {
        Some(Some(Outcome::Success))
    } else {
        None
    }
}
