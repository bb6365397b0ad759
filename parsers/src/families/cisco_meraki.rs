//! Cisco Meraki (MX, MR, MS): `<134>1 1767607200.123456789 DEVICE flows src=A dst=B protocol=tcp sport=1 dport=2 pattern: …`.
//!
//! The header looks like RFC 5424 but its stamp is seconds since 1970 with nine decimals; `lex::syslog` takes it off. A
//! shipper may have eaten the priority and the version, or a relay put its own header before them: then stamp and device are
//! read here. The word after the device says what the rest is: pairs of keys, then prose after `pattern:`, `request:` or
//! `message:`.
//!
//! Source: Cisco Meraki, "Syslog Event Types and Log Samples".

use schemas::{
    Action, Direction, EventKind, Field, Initiator, Ip, LogSource, Outcome, PortState, RejectKind, Row, Transport, key,
};

use crate::lex::endpoint;
use crate::lex::keys::KeyMap;
use crate::lex::text::{Cursor, present, split_once, split_once_str};
use crate::lex::{kv, time};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, set_time};

/// The family.
pub struct Family;

static FLOWS: LogSource = source("cisco_meraki.flows", &["firewall"], &["firewall"]);
static URLS: LogSource = source("cisco_meraki.urls", &["proxy"], &["urls"]);
static SECURITY: LogSource = source("cisco_meraki.security", &["ids"], &["ids"]);
static AIR: LogSource = source("cisco_meraki.airmarshal", &["ids"], &["airmarshal"]);
static EVENTS: LogSource = source("cisco_meraki.events", &[], &["events"]);
static LOGIN: LogSource = source("cisco_meraki.auth", &["authentication"], &["events"]);

const fn source(
    dataset: &'static str,
    categories: &'static [&'static str],
    services: &'static [&'static str],
) -> LogSource {
    LogSource {
        family: "cisco_meraki",
        vendor: "Cisco",
        product: "Meraki",
        dataset,
        categories,
        products: &["cisco", "meraki"],
        services,
    }
}

/// What the word after the device says that the rest is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Flow,
    FlowStart,
    FlowEnd,
    Url,
    Security,
    Event,
    Air,
}

static KINDS: KeyMap<Kind, 32> = KeyMap::new(&[
    ("flows", Kind::Flow),
    ("firewall", Kind::Flow),
    ("l7_firewall", Kind::Flow),
    ("vpn_firewall", Kind::Flow),
    ("cellular_firewall", Kind::Flow),
    ("bridge_anyconnect_client_vpn_firewall", Kind::Flow),
    ("ip_flow_start", Kind::FlowStart),
    ("ip_flow_end", Kind::FlowEnd),
    ("urls", Kind::Url),
    ("security_event", Kind::Security),
    ("ids-alerts", Kind::Security),
    ("events", Kind::Event),
    ("airmarshal_events", Kind::Air),
]);

/// What a key is for. Which of two kinds of line it stands in decides where it is looked up.
#[derive(Clone, Copy)]
enum What {
    Source,
    Destination,
    To(Field),
    Maybe(Field),
    NatSource,
    NatDestination,
    NatPort,
    Protocol,
    Direction,
    Decision,
    Signature,
    Subtype,
    Peer,
    Server,
}

/// Keys of flows, URLs and security events.
static TRAFFIC_KEYS: KeyMap<What, 64> = KeyMap::new(&[
    ("src", What::Source),
    ("dst", What::Destination),
    ("sport", What::To(Field::SrcPort)),
    ("dport", What::To(Field::DstPort)),
    ("mac", What::To(Field::SrcMac)),
    ("dhost", What::To(Field::DstMac)),
    ("type", What::Maybe(Field::IcmpType)),
    ("code", What::Maybe(Field::IcmpCode)),
    ("protocol", What::Protocol),
    ("translated_src_ip", What::NatSource),
    ("translated_dst_ip", What::NatDestination),
    ("translated_port", What::NatPort),
    ("agent", What::To(Field::UserAgent)),
    ("url", What::To(Field::Url)),
    ("signature", What::Signature),
    ("priority", What::Maybe(Field::Severity)),
    ("direction", What::Direction),
    ("name", What::To(Field::Signature)),
    ("decision", What::Decision),
    ("action", What::Decision),
]);

/// Keys of events.
static EVENT_KEYS: KeyMap<What, 64> = KeyMap::new(&[
    ("type", What::Subtype),
    ("identity", What::To(Field::User)),
    ("client_mac", What::To(Field::SrcMac)),
    ("src", What::To(Field::SrcMac)),
    ("dst", What::To(Field::DstMac)),
    ("ip", What::Maybe(Field::SrcIp)),
    ("client_ip", What::Maybe(Field::SrcIp)),
    ("peer_contact", What::Peer),
    ("server", What::Server),
    ("url", What::To(Field::Url)),
    ("reason", What::To(Field::Reason)),
]);

impl Parser for Family {
    fn name(&self) -> &'static str {
        "cisco_meraki"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["meraki"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        if !record.header.app.is_empty() {
            return None;
        }
        match record.body.first()? {
            b'0'..=b'9' => own_header(record.body).map(|_| Confidence::Certain),
            b'a'..=b'z' => {
                if record.header.host.is_empty() || record.header.time_us.is_none() {
                    return None;
                }
                let (word, _) = first_word(record.body)?;
                KINDS.get(word).map(|_| Confidence::Certain)
            }
            _ => None,
        }
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let body = record.body;
        let text = match own_header(body) {
            Some((us, device, text)) => {
                set_time(row, us);
                if record.header.host != device {
                    row.text(key::RELAY, record.header.host);
                }
                row.text(key::HOST, device);
                row.clear(Field::HostIp);
                text
            }
            None => body,
        };
        let not_ours = || record.not_this_family("`flows`, `urls`, `events` or another Meraki type after the device");
        let (word, rest) = first_word(text).ok_or_else(not_ours)?;
        let kind = KINDS.get(word).ok_or_else(not_ours)?;
        let mut line = Line { record, protocol: None, nat_source: false };
        match kind {
            Kind::Flow | Kind::FlowStart | Kind::FlowEnd => line.flow(kind, word, rest, row)?,
            Kind::Url => line.url(rest, row)?,
            Kind::Security => line.security(rest, row)?,
            Kind::Event => line.event(rest, row)?,
            Kind::Air => line.air(rest, row)?,
        }
        Ok(Parsed::Events)
    }
}

/// `[1 ]1767607200.123456789 DEVICE TYPE …`: µs, device and what follows it. Ten digits, a point, and the types' words make
/// sure that it is no other program's stamp.
#[inline]
fn own_header(body: &[u8]) -> Option<(i64, &[u8], &[u8])> {
    let body = body.strip_prefix(b"1 ").unwrap_or(body);
    if body.get(10) != Some(&b'.') {
        return None;
    }
    let mut cursor = Cursor::new(body);
    let us = time::epoch(cursor.word())?;
    let device = cursor.word();
    let (word, _) = first_word(cursor.rest())?;
    KINDS.get(word)?;
    Some((us, device, cursor.rest()))
}

/// The first word and what follows its blank.
#[inline]
fn first_word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    // 40: the longest type
    let end = text.iter().take(40).position(|b| *b == b' ')?;
    Some((&text[..end], text[end + 1..].trim_ascii_start()))
}

struct Line<'a, 'r> {
    record: &'r Record<'a>,
    protocol: Option<Transport>,
    /// Whether `translated_port` belongs to the source: to that of the addresses which came last.
    nat_source: bool,
}

impl<'a: 'r, 'r> Line<'a, 'r> {
    #[cold]
    fn bad(&self, what: &'static str, value: &[u8], expected: &'static str) -> Refusal {
        self.record.refuse(value, RejectKind::bad_value(what, value, expected))
    }

    #[cold]
    fn missing(&self, what: &'static str) -> Refusal {
        Refusal { at: self.record.body.len(), kind: RejectKind::Missing { what } }
    }

    /// One pair of a flow, URL or security event.
    fn pair(&mut self, pair: &kv::Pair<'r>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let Some(value) = present(pair.value) else { return Ok(()) };
        let Some(what) = TRAFFIC_KEYS.get(pair.key) else {
            if pair.key.is_empty() {
                return Ok(());
            }
            row.extra(pair.key, value);
            return Ok(());
        };
        match what {
            What::Source => {
                let (ip, port) = address(value).ok_or_else(|| self.bad("src", value, "an address"))?;
                row.set(key::SRC_IP, ip);
                row.set_opt(key::SRC_PORT, port.filter(|port| *port != 0));
            }
            What::Destination => {
                let (ip, port) = address(value).ok_or_else(|| self.bad("dst", value, "an address"))?;
                row.set(key::DST_IP, ip);
                row.set_opt(key::DST_PORT, port.filter(|port| *port != 0));
            }
            What::To(field) => return row.put(field, value).map_err(|kind| self.record.refuse(value, kind)),
            What::Maybe(field) => {
                if !row.put_if(field, value) {
                    row.extra(pair.key, value);
                }
            }
            What::NatSource => {
                row.set_opt(key::NAT_SRC_IP, Ip::parse(value));
                self.nat_source = true;
            }
            What::NatDestination => {
                row.set_opt(key::NAT_DST_IP, Ip::parse(value));
                self.nat_source = false;
            }
            What::NatPort if self.nat_source => row.set_opt(key::NAT_SRC_PORT, schemas::parse_port(value)),
            What::NatPort => row.set_opt(key::NAT_DST_PORT, schemas::parse_port(value)),
            What::Protocol => {
                // `tcp/ip`
                let name = value.split(|b| *b == b'/').next().unwrap_or(value);
                self.protocol = Transport::parse(name);
                match self.protocol {
                    Some(transport) => row.set(key::TRANSPORT, transport),
                    None => row.extra(pair.key, value),
                }
            }
            What::Direction => match value {
                b"ingress" => row.set(key::DIRECTION, Direction::Inbound),
                b"egress" => row.set(key::DIRECTION, Direction::Outbound),
                _ => row.extra(pair.key, value),
            },
            What::Decision => {
                row.text(key::EVENT_ACTION, value);
                row.set_opt(key::ACTION, verdict(value));
            }
            What::Signature => row.text(key::SIGNATURE_ID, value),
            What::Subtype | What::Peer | What::Server => row.extra(pair.key, value),
        }
        Ok(())
    }

    fn pairs(&mut self, text: &'r [u8], row: &mut Row<'_>) -> Result<(), Refusal> {
        for pair in kv::pairs(text) {
            if pair.unclosed {
                return Err(self.record.refuse(pair.value, RejectKind::Unclosed { what: "a quoted value" }));
            }
            self.pair(&pair, row)?;
        }
        Ok(())
    }

    /// `[allow|deny ]src=A dst=B [mac=M] protocol=P [sport= dport=|type=] [pattern: RULE]`, and the beginning and end of a flow,
    /// which have neither bytes nor a verdict.
    fn flow(&mut self, kind: Kind, word: &'r [u8], rest: &'r [u8], row: &mut Row<'_>) -> Result<(), Refusal> {
        row.log_source(&FLOWS);
        row.set(key::KIND, EventKind::Flow);
        row.set(key::INITIATOR, Initiator::Source);
        row.extra_fixed("type", word);
        let (pairs, pattern) = split_once_str(rest, b"pattern: ").unwrap_or((rest, b""));
        let (pairs, first) = match first_word(pairs) {
            Some((first, after)) if verdict(first).is_some() => (after, first),
            _ => (pairs, &b""[..]),
        };
        self.pairs(pairs, row)?;
        if !row.has(Field::SrcIp) || !row.has(Field::DstIp) {
            return Err(self.missing("src= or dst="));
        }
        // `allow (dst 10.0.0.0/8)`, `deny all`; `0 …` and `1 …` are said to mean allow and deny, but by nobody who must know
        let pattern = pattern.trim_ascii();
        let (spoken, rule) = split_once(pattern, b' ').unwrap_or((pattern, b""));
        let verdict_word = if first.is_empty() { spoken } else { first };
        let action = verdict(verdict_word);
        if action.is_some() {
            row.text(key::EVENT_ACTION, verdict_word);
        }
        row.text(key::RULE_NAME, if first.is_empty() && action.is_some() { rule.trim_ascii() } else { pattern });
        let action = match kind {
            Kind::FlowStart => Some(Action::Start),
            Kind::FlowEnd => Some(Action::End),
            _ => action,
        };
        row.set_opt(key::ACTION, action);
        if action == Some(Action::Deny) && matches!(self.protocol, Some(Transport::TCP | Transport::UDP)) {
            row.set(key::PORT_STATE, PortState::Filtered);
        }
        Ok(())
    }

    /// `src=A:p dst=B:q mac=M [agent='…'] request: METHOD URL`; of TLS the method is `UNKNOWN`.
    fn url(&mut self, rest: &'r [u8], row: &mut Row<'_>) -> Result<(), Refusal> {
        row.log_source(&URLS);
        row.set(key::KIND, EventKind::Flow);
        row.set(key::INITIATOR, Initiator::Source);
        let (pairs, request) =
            split_once_str(rest, b"request: ").ok_or_else(|| self.missing("`request: METHOD URL`"))?;
        self.pairs(pairs, row)?;
        if !row.has(Field::SrcIp) || !row.has(Field::DstIp) {
            return Err(self.missing("src= or dst="));
        }
        let mut request = Cursor::new(request.trim_ascii());
        let method = request.word();
        if method != b"UNKNOWN" {
            row.text(key::HTTP_METHOD, method);
        }
        row.text(key::URL, request.finish());
        if row.has(Field::DstPort) {
            row.set(key::PORT_STATE, PortState::Open);
        }
        Ok(())
    }

    /// `ids_alerted signature=G:S:R priority=n timestamp=T dhost=M direction=D protocol=tcp/ip src=A:p dst=B:q [decision=…] message: T`
    /// and what the file filter saw. The packet's source is named, not who began.
    fn security(&mut self, rest: &'r [u8], row: &mut Row<'_>) -> Result<(), Refusal> {
        row.log_source(&SECURITY);
        row.set(key::KIND, EventKind::Alert);
        row.set(key::ACTION, Action::Alert);
        let (pairs, message) = split_once_str(rest, b"message: ").unwrap_or((rest, b""));
        if let Some((subtype, _)) = first_word(pairs).filter(|(word, _)| !word.contains(&b'=')) {
            row.extra_fixed("type", subtype);
        }
        self.pairs(pairs, row)?;
        row.text(key::SIGNATURE, message.trim_ascii());
        if !row.has(Field::SignatureId) && !row.has(Field::SrcIp) && !contains_hash(pairs) {
            return Err(self.missing("signature=, src= or sha256="));
        }
        Ok(())
    }

    /// `type=… ssid='…' bssid='M' src='M' dst='M' …`: what the radio heard. Its ends are hardware addresses.
    fn air(&mut self, rest: &'r [u8], row: &mut Row<'_>) -> Result<(), Refusal> {
        row.log_source(&AIR);
        row.set(key::KIND, EventKind::Alert);
        row.set(key::ACTION, Action::Alert);
        let subtype = self.event_pairs(rest, row)?;
        if subtype.is_empty() {
            return Err(self.missing("type="));
        }
        row.text(key::SIGNATURE, subtype);
        Ok(())
    }

    /// The pairs of an event; gives its type.
    fn event_pairs(&mut self, text: &'r [u8], row: &mut Row<'_>) -> Result<&'r [u8], Refusal> {
        let mut subtype: &[u8] = b"";
        let mut text = text;
        // `type= rogue_ssid_detected`
        if let Some(after) = text.strip_prefix(b"type= ") {
            let (word, rest) = split_once(after, b' ').unwrap_or((after, b""));
            if memchr::memchr(b'=', word).is_none() {
                (subtype, text) = (word, rest);
            }
        }
        for pair in kv::pairs(text) {
            let Some(value) = present(pair.value).filter(|_| !pair.key.is_empty()) else { continue };
            match EVENT_KEYS.get(pair.key) {
                Some(What::Subtype) => subtype = value,
                Some(What::To(field)) => row.put(field, value).map_err(|kind| self.record.refuse(value, kind))?,
                Some(What::Maybe(field)) if row.put_if(field, value) => {}
                Some(What::Peer | What::Server) => {
                    if let Some((ip, port)) = endpoint::colon(value) {
                        row.set(key::DST_IP, ip);
                        row.set_opt(key::DST_PORT, port);
                    } else {
                        row.extra(pair.key, value);
                    }
                }
                Some(_) | None => row.extra(pair.key, value),
            }
        }
        row.text(key::EVENT_ACTION, subtype);
        Ok(subtype)
    }

    /// `type=… key='v' …`, or prose.
    fn event(&mut self, rest: &'r [u8], row: &mut Row<'_>) -> Result<(), Refusal> {
        row.log_source(&EVENTS);
        row.set(key::KIND, EventKind::Other);
        if !rest.starts_with(b"type=") {
            self.prose(rest, row)?;
            return Ok(());
        }
        // `msg= 'text'`, with a blank before the quote
        let (pairs, message) = split_once_str(rest, b" msg=").unwrap_or((rest, b""));
        let subtype = self.event_pairs(pairs, row)?;
        let message = message.trim_ascii();
        let message = message.strip_prefix(b"'").unwrap_or(message);
        let message = message.strip_suffix(b"'").unwrap_or(message).trim_ascii();
        row.text(key::MESSAGE, message);
        match subtype {
            b"anyconnect_vpn_auth_success" | b"anyconnect_vpn_auth_failure" => {
                login(row, subtype.ends_with(b"success"));
                client_vpn(message, row);
            }
            _ if subtype.starts_with(b"anyconnect_vpn_") => {
                client_vpn(message, row);
                let closed = memchr::memmem::find(message, b"onnection closed").is_some();
                row.set_opt(key::ACTION, closed.then_some(Action::Close));
            }
            b"8021x_eap_success" | b"8021x_auth" => login(row, true),
            b"8021x_eap_failure" => login(row, false),
            b"splash_auth" => login(row, true),
            // the key of the network is no user's login
            b"wpa_auth" => row.set(key::OUTCOME, Outcome::Success),
            _ => {}
        }
        Ok(())
    }

    /// `client_vpn_connect user id 'U' local ip X connected from A`, `dhcp lease of ip X from mx mac M for client mac M …`,
    /// `content_filtering_block url='…' server='A:p' client_mac='M'`, `Site-to-Site VPN: …` and others.
    fn prose(&mut self, text: &'r [u8], row: &mut Row<'_>) -> Result<(), Refusal> {
        row.text(key::MESSAGE, text.trim_ascii());
        let Some((word, rest)) = first_word(text) else { return Ok(()) };
        match word {
            b"content_filtering_block" => {
                self.event_pairs(rest, row)?;
                row.set(key::KIND, EventKind::Flow);
                row.set(key::ACTION, Action::Deny);
                row.text(key::EVENT_ACTION, word);
            }
            b"dhcp" => lease(rest, row),
            _ if word.starts_with(b"client_vpn_") || word.starts_with(b"anyconnect_vpn_") => {
                // of AnyConnect the answer to the login has a line of its own
                if word == b"client_vpn_connect" {
                    login(row, true);
                }
                row.text(key::EVENT_ACTION, word);
                let ended = word.ends_with(b"disconnect");
                row.set(key::ACTION, if ended { Action::End } else { Action::Start });
                if let Some((_, name)) = split_once_str(rest, b"user id '") {
                    row.text(key::USER, name.split(|b| *b == b'\'').next().unwrap_or(b""));
                }
                // inside the tunnel the user has this address
                row.set_opt(key::NAT_SRC_IP, address_after(rest, b"local ip "));
                row.set_opt(key::SRC_IP, address_after(rest, b"connected from "));
            }
            _ => {}
        }
        Ok(())
    }
}

fn contains_hash(text: &[u8]) -> bool {
    memchr::memmem::find(text, b"sha256=").is_some()
}

/// `A` of flows, `A:p` of the others.
fn address(value: &[u8]) -> Option<(Ip, Option<u16>)> {
    // eight groups, or brackets: else an IPv6 address without a port
    let colons = memchr::memchr_iter(b':', value).count();
    if colons > 1 && colons < 8 && value.first() != Some(&b'[') {
        return Ip::parse(value).map(|ip| (ip, None));
    }
    endpoint::colon(value)
}

fn verdict(word: &[u8]) -> Option<Action> {
    match word {
        b"allow" | b"allowed" => Some(Action::Allow),
        b"deny" | b"denied" | b"block" | b"blocked" => Some(Action::Deny),
        _ => None,
    }
}

fn login(row: &mut Row<'_>, success: bool) {
    row.log_source(&LOGIN);
    row.set(key::KIND, EventKind::Auth);
    row.set(key::OUTCOME, if success { Outcome::Success } else { Outcome::Failure });
}

/// `[RADIUS[n] ]Server IP=S Server port=s … Peer IP=A Peer port=p [User=U|User[U]]: TEXT`. Behind `RADIUS` the server is the
/// one that was asked, not the one that was dialled.
fn client_vpn(text: &[u8], row: &mut Row<'_>) {
    let value = |name: &[u8], ends: &[u8]| {
        let (_, tail) = split_once_str(text, name)?;
        tail.split(|b| ends.contains(b)).next()
    };
    row.set_opt(key::SRC_IP, value(b"Peer IP=", b" :").and_then(Ip::parse));
    row.set_opt(key::SRC_PORT, value(b"Peer port=", b" :").and_then(schemas::parse_port));
    if let Some(name) = value(b"User=", b":").or_else(|| value(b"User[", b"]")) {
        row.text(key::USER, name.trim_ascii());
    }
    let server = (value(b"Server IP=", b" "), value(b"Server port=", b" "));
    if text.starts_with(b"RADIUS") {
        row.extra_fixed("server", server.0.unwrap_or(b""));
        row.fixed(key::AUTH_METHOD, "RADIUS");
    } else {
        row.set_opt(key::DST_IP, server.0.and_then(Ip::parse));
        row.set_opt(key::DST_PORT, server.1.and_then(schemas::parse_port));
        row.set_opt(key::TRANSPORT, value(b"Prot[", b"]").and_then(Transport::parse));
    }
    if let Some(id) = value(b"conn_id[", b"]").or_else(|| value(b"Sess-ID[", b"]")) {
        row.text(key::SESSION_ID, id);
    }
}

/// `lease of ip X from mx mac M for client mac M [from router R …]`, `no offers for mac M`: who has an address.
fn lease(text: &[u8], row: &mut Row<'_>) {
    let word_after = |name: &[u8]| {
        let (_, tail) = split_once_str(text, name)?;
        tail.split(|b| *b == b' ').next()
    };
    row.fixed(key::EVENT_ACTION, if text.starts_with(b"lease") { "dhcp lease" } else { "dhcp no offers" });
    row.set_opt(key::SRC_IP, address_after(text, b"of ip "));
    row.text(key::SRC_MAC, word_after(b"client mac ").or_else(|| word_after(b"for mac ")).unwrap_or(b""));
    if let Some(name) = word_after(b"hostname ") {
        row.text(key::SRC_HOST, crate::lex::text::unquote(name));
    }
}

fn address_after(text: &[u8], name: &[u8]) -> Option<Ip> {
    let (_, tail) = split_once_str(text, name)?;
    Ip::parse(tail.split(|b| matches!(b, b' ' | b',')).next()?)
}
