//! Fortinet FortiGate (FortiOS): `date=… devname="…" logid="0000000013" type="traffic" subtype="forward" srcip=…`.
//!
//! One table maps keys; a few of them mean something only together (time, translation, application, verdict), so they
//! are noted while the line is read and judged at its end: the order of keys is not fixed. The originator of a session is
//! always `src`, pre-NAT. `service` names a port and `transport` is one: neither is evidence of what was spoken.
//!
//! Also read: the CSV form of the same pairs, the CEF form (its own names, the rest with the prefix `FTNTFGT`), the
//! other key style of VoIP and of older relatives (`src_port`, `device_id`), FortiManager's and FortiAnalyzer's own logs.
//!
//! Long because traffic, UTM and event share one table of keys.

use schemas::{
    Action, EventKind, Field, Initiator, Ip, LogSource, Outcome, PortState, RejectKind, Row, Transport, key,
};

use crate::lex::keys::KeyMap;
use crate::lex::text::{contains, decimal, present, split_once};
use crate::lex::{cef, kv, time};
use crate::transport::set_time;
use crate::{Accepts, At, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

static TRAFFIC: LogSource = source("fortinet_fortigate.traffic", &["firewall"], &["traffic"]);
static IPS: LogSource = source("fortinet_fortigate.ips", &["ids"], &["utm", "ips"]);
static DNS: LogSource = source("fortinet_fortigate.dns", &["dns"], &["utm", "dns"]);
static WEB: LogSource = source("fortinet_fortigate.webfilter", &["proxy"], &["utm", "webfilter"]);
static UTM: LogSource = source("fortinet_fortigate.utm", &[], &["utm"]);
static EVENT: LogSource = source("fortinet_fortigate.event", &[], &["event"]);
static LOGIN: LogSource = source("fortinet_fortigate.auth", &["authentication"], &["event"]);

const fn source(
    dataset: &'static str,
    categories: &'static [&'static str],
    services: &'static [&'static str],
) -> LogSource {
    LogSource {
        family: "fortigate",
        vendor: "Fortinet",
        product: "FortiGate",
        dataset,
        categories,
        products: &["fortigate", "fortios", "fortinet"],
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
    /// An end's address, or a name where a proxy logs one.
    Address(Field, Field),
    /// Noted, judged at the end.
    Note(Noted),
}

#[derive(Clone, Copy)]
#[repr(usize)]
enum Noted {
    Type,
    Subtype,
    LogId,
    Action,
    Status,
    EventTime,
    Timestamp,
    Date,
    Time,
    Zone,
    Proto,
    Service,
    App,
    AppId,
    AppCategory,
    UtmAction,
    Duration,
    TranDisposition,
    TransIp,
    TransPort,
    TranIp,
    TranPort,
    RemoteIp,
    LocalIp,
    Ip,
    Ui,
    TunnelType,
    TunnelIp,
    User,
    XauthUser,
    GuessedUser,
    AuthProto,
    TunnelDirection,
    DnsAnswers,
    IcmpType,
    IcmpCode,
    UserFrom,
    Description,
    Count,
}

const NOTES: usize = Noted::Count as usize + 1;

static KEYS: KeyMap<What, 512> = KeyMap::new(&[
    ("type", What::Note(Noted::Type)),
    ("subtype", What::Note(Noted::Subtype)),
    ("logid", What::Note(Noted::LogId)),
    ("log_id", What::Note(Noted::LogId)),
    ("eventtime", What::Note(Noted::EventTime)),
    ("timestamp", What::Note(Noted::Timestamp)),
    ("date", What::Note(Noted::Date)),
    ("time", What::Note(Noted::Time)),
    ("tz", What::Note(Noted::Zone)),
    ("action", What::Note(Noted::Action)),
    ("status", What::Note(Noted::Status)),
    ("utmaction", What::Note(Noted::UtmAction)),
    ("proto", What::Note(Noted::Proto)),
    ("service", What::Note(Noted::Service)),
    ("app", What::Note(Noted::App)),
    ("appid", What::Note(Noted::AppId)),
    ("appcat", What::Note(Noted::AppCategory)),
    ("duration", What::Note(Noted::Duration)),
    ("trandisp", What::Note(Noted::TranDisposition)),
    ("transip", What::Note(Noted::TransIp)),
    ("transport", What::Note(Noted::TransPort)),
    ("tranip", What::Note(Noted::TranIp)),
    ("tranport", What::Note(Noted::TranPort)),
    ("remip", What::Note(Noted::RemoteIp)),
    ("remote_ip", What::Note(Noted::RemoteIp)),
    ("locip", What::Note(Noted::LocalIp)),
    ("ip", What::Note(Noted::Ip)),
    ("ui", What::Note(Noted::Ui)),
    ("userfrom", What::Note(Noted::UserFrom)),
    ("user_from", What::Note(Noted::UserFrom)),
    ("tunneltype", What::Note(Noted::TunnelType)),
    ("tunnelip", What::Note(Noted::TunnelIp)),
    ("user", What::Note(Noted::User)),
    ("unauthuser", What::Note(Noted::GuessedUser)),
    ("dir", What::Note(Noted::TunnelDirection)),
    ("xauthuser", What::Note(Noted::XauthUser)),
    ("ipaddr", What::Note(Noted::DnsAnswers)),
    ("icmptype", What::Note(Noted::IcmpType)),
    ("icmpcode", What::Note(Noted::IcmpCode)),
    ("logdesc", What::Note(Noted::Description)),
    ("desc", What::Note(Noted::Description)),
    ("count", What::Note(Noted::Count)),
    ("srcip", What::Address(Field::SrcIp, Field::SrcHost)),
    ("src", What::Address(Field::SrcIp, Field::SrcHost)),
    ("dstip", What::Address(Field::DstIp, Field::DstHost)),
    ("dst", What::Address(Field::DstIp, Field::DstHost)),
    ("src_ip", What::Address(Field::SrcIp, Field::SrcHost)),
    ("dst_ip", What::Address(Field::DstIp, Field::DstHost)),
    ("srcport", What::To(Field::SrcPort)),
    ("src_port", What::To(Field::SrcPort)),
    ("dstport", What::To(Field::DstPort)),
    ("dst_port", What::To(Field::DstPort)),
    ("remport", What::To(Field::SrcPort)),
    ("remote_port", What::To(Field::SrcPort)),
    ("locport", What::To(Field::DstPort)),
    ("srcmac", What::To(Field::SrcMac)),
    ("dstmac", What::To(Field::DstMac)),
    ("srcname", What::To(Field::SrcHost)),
    ("dstname", What::To(Field::DstHost)),
    ("srcintf", What::To(Field::SrcZone)),
    ("src_int", What::To(Field::SrcZone)),
    ("dstintf", What::To(Field::DstZone)),
    ("dst_int", What::To(Field::DstZone)),
    ("policyid", What::To(Field::RuleId)),
    ("policy_id", What::To(Field::RuleId)),
    ("policyname", What::To(Field::RuleName)),
    ("sessionid", What::To(Field::SessionId)),
    ("session_id", What::To(Field::SessionId)),
    ("sentbyte", What::Maybe(Field::BytesOut)),
    ("rcvdbyte", What::Maybe(Field::BytesIn)),
    ("sentpkt", What::Maybe(Field::PacketsOut)),
    ("rcvdpkt", What::Maybe(Field::PacketsIn)),
    ("vlan", What::Maybe(Field::Vlan)),
    ("devname", What::To(Field::Host)),
    ("level", What::To(Field::Level)),
    ("pri", What::To(Field::Level)),
    ("reason", What::To(Field::Reason)),
    ("msg", What::To(Field::Message)),
    ("hostname", What::To(Field::HttpHost)),
    ("http_host", What::To(Field::HttpHost)),
    ("url", What::To(Field::Url)),
    ("http_url", What::To(Field::Url)),
    ("agent", What::To(Field::UserAgent)),
    ("http_agent", What::To(Field::UserAgent)),
    ("httpmethod", What::To(Field::HttpMethod)),
    ("http_method", What::To(Field::HttpMethod)),
    ("attack", What::To(Field::Signature)),
    ("virus", What::To(Field::Signature)),
    ("attackid", What::To(Field::SignatureId)),
    ("virusid", What::To(Field::SignatureId)),
    ("catdesc", What::To(Field::SignatureClass)),
    ("qname", What::To(Field::DnsQuery)),
    ("qtype", What::To(Field::DnsType)),
    ("rcode", What::To(Field::DnsRcode)),
    ("authproto", What::Note(Noted::AuthProto)),
    ("error_num", What::To(Field::StatusCode)),
]);

/// Names of the CEF form that differ from the pairs' own; those with the prefix `FTNTFGT` are the pairs' own.
static CEF_KEYS: KeyMap<&str, 128> = KeyMap::new(&[
    ("spt", "srcport"),
    ("dpt", "dstport"),
    ("act", "action"),
    ("app", "service"),
    ("out", "sentbyte"),
    ("in", "rcvdbyte"),
    ("externalId", "sessionid"),
    ("dvchost", "devname"),
    ("dvc", "devname"),
    ("duser", "user"),
    ("suser", "user"),
    ("dhost", "hostname"),
    ("request", "url"),
    ("requestMethod", "httpmethod"),
    ("requestClientApplication", "agent"),
    ("cnt", "count"),
    ("smac", "srcmac"),
    ("dmac", "dstmac"),
    ("shost", "srcname"),
    ("sourceTranslatedAddress", "transip"),
    ("sourceTranslatedPort", "transport"),
    ("destinationTranslatedAddress", "tranip"),
    ("destinationTranslatedPort", "tranport"),
    ("deviceInboundInterface", "srcintf"),
    ("deviceOutboundInterface", "dstintf"),
    ("sproc", "ui"),
    ("deviceExternalId", "devid"),
    ("deviceSeverity", "level"),
    ("dcat", "subtype"),
]);

impl Parser for Family {
    fn name(&self) -> &'static str {
        "fortigate"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["fortinet_fortigate", "fortios", "fortinet"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        let body = record.body.trim_ascii_start();
        let head = &body[..body.len().min(400)];
        match head.first()? {
            b'C' | b'0' => {
                let mark = contains(&head[..head.len().min(48)], b"|Fortinet|Forti");
                mark.then_some(Confidence::Certain)
            }
            b'a'..=b'z' if begins_with_key(head) => marks(head),
            _ => None,
        }
    }

    #[inline]
    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let body = record.body;
        let mut line = Line { record, notes: [b""; NOTES] };
        let start = body.trim_ascii_start();
        if start.starts_with(b"CEF:") || start.starts_with(b"0|Fortinet|") {
            line.read_cef(row)?;
        } else {
            line.read_pairs(row)?;
        }
        line.judge(row)?;
        Ok(Parsed::Events)
    }
}

/// The pairs of a line. The CSV form separates the same pairs by commas.
#[inline]
fn pairs_of(text: &[u8]) -> kv::Pairs<'_> {
    let first = text.iter().position(|byte| matches!(byte, b',' | b' ')).map(|at| text[at]);
    let by_comma = first == Some(b',') && text.starts_with(b"date=");
    if by_comma { kv::pairs_by(text, b',') } else { kv::pairs(text) }
}

/// Which of the keys stand in the head that name the device and the log.
fn marks(head: &[u8]) -> Option<Confidence> {
    let (mut device, mut log, mut event, mut domain) = (false, false, false, false);
    for pair in pairs_of(head) {
        match pair.key {
            b"devid" | b"device_id" => device = true,
            b"logid" | b"log_id" => log = true,
            b"type" => event = pair.value == b"event",
            b"vd" => domain = true,
            // Sophos has the same names for other things
            b"timezone" | b"device" | b"device_name" => return None,
            _ => {}
        }
        if device && log {
            return Some(Confidence::Certain);
        }
    }
    (device || log || event && domain).then_some(Confidence::Likely)
}

/// Whether the text begins with a word and `=`.
fn begins_with_key(head: &[u8]) -> bool {
    let word = head.iter().take(24).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    word > 0 && head.get(word) == Some(&b'=')
}

struct Line<'a, 'r> {
    record: &'r Record<'a>,
    notes: [&'r [u8]; NOTES],
}

impl<'a: 'r, 'r> Line<'a, 'r> {
    fn read_pairs(&mut self, row: &mut Row<'_>) -> Result<(), Refusal> {
        let body = self.record.body;
        for pair in pairs_of(body) {
            if pair.unclosed {
                return Err(Refusal {
                    at: pair.value_offset().saturating_sub(1),
                    kind: RejectKind::Unclosed { what: "a quoted value" },
                });
            }
            self.pair(pair.key, pair.value, pair.value_offset(), row)?;
        }
        Ok(())
    }

    #[cold]
    fn read_cef(&mut self, row: &mut Row<'_>) -> Result<(), Refusal> {
        let body = self.record.body;
        let not_ours = || self.record.not_this_family("`CEF:0|Fortinet|Fortigate|…` with seven header fields");
        let (fields, extension) = cef::header(body).ok_or_else(not_ours)?;
        if !fields[1].eq_ignore_ascii_case(b"Fortinet") {
            return Err(not_ours());
        }
        let base = body.len() - extension.len();
        for pair in cef::pairs(extension) {
            let at = base + pair.offset + pair.key.len() + 1;
            let plain = pair.key.strip_prefix(b"FTNTFGT").or_else(|| pair.key.strip_prefix(b"ad."));
            let value = pair.value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(pair.value);
            match (plain, CEF_KEYS.get(pair.key)) {
                (Some(plain), _) => self.pair(plain, value, at, row)?,
                (None, Some(name)) => self.pair(name.as_bytes(), value, at, row)?,
                // `cat=utm:virus`: type and subtype
                (None, None) if pair.key == b"cat" => {
                    let (kind, subtype) = split_once(value, b':').unwrap_or((value, b""));
                    self.pair(b"type", kind, at, row)?;
                    self.pair(b"subtype", subtype, at, row)?;
                }
                (None, None) => self.pair(pair.key, value, at, row)?,
            }
        }
        if self.note(Noted::LogId).is_empty() {
            self.notes[Noted::LogId as usize] = fields[4];
        }
        Ok(())
    }

    #[inline]
    fn pair(&mut self, name: &'r [u8], value: &'r [u8], at: usize, row: &mut Row<'_>) -> Result<(), Refusal> {
        let Some(value) = present(value) else { return Ok(()) };
        let Some(what) = KEYS.get(name) else {
            row.extra(name, value);
            return Ok(());
        };
        match what {
            // identity: the first of several counts
            What::To(field) if row.has(field) && field != Field::Host => {
                row.extra(name, value);
                Ok(())
            }
            What::To(field) => row.put(field, value).at(at),
            What::Maybe(field) => {
                if !row.put_if(field, value) {
                    row.extra(name, value);
                }
                Ok(())
            }
            What::Address(ip, host) => {
                if row.has(ip) || !row.put_if(ip, value) {
                    if !row.has(host) && value.first().is_some_and(u8::is_ascii_alphanumeric) {
                        return row.put(host, value).at(at);
                    }
                    row.extra(name, value);
                }
                Ok(())
            }
            What::Note(note) => {
                let slot = &mut self.notes[note as usize];
                let better_zone = matches!(note, Noted::Zone) && matches!(value.first(), Some(b'+' | b'-'));
                if slot.is_empty() || better_zone {
                    *slot = value;
                } else if *slot != value {
                    row.extra(name, value);
                }
                Ok(())
            }
        }
    }

    #[inline]
    fn note(&self, note: Noted) -> &'r [u8] {
        self.notes[note as usize]
    }

    /// What the noted keys mean together.
    fn judge(&mut self, row: &mut Row<'_>) -> Result<(), Refusal> {
        let (kind, log_id) = (self.note(Noted::Type), self.note(Noted::LogId));
        if kind.is_empty() && log_id.is_empty() {
            return Err(self.record.not_this_family("`type=` or `logid=` among key=value pairs"));
        }
        row.text(key::EVENT_CODE, log_id);
        row.text(key::EVENT_ACTION, self.note(Noted::Action));
        self.set_time(row);
        self.set_transport(row);
        self.set_user(row);
        row.extra_fixed("subtype", self.note(Noted::Subtype));
        match (kind, log_id) {
            (b"traffic", _) => self.traffic(row),
            (b"event" | b"appevent", _) => self.event(row),
            (b"utm" | b"dns" | b"ips" | b"virus" | b"webfilter" | b"app-ctrl" | b"dlp" | b"anomaly" | b"attack", _) => {
                self.utm(row);
            }
            (b"", [b'0', b'0', ..]) => self.traffic(row),
            (b"", [b'0', b'2'..=b'9', ..] | [b'1', b'0'..=b'9', ..]) => self.utm(row),
            _ => self.event(row),
        }
        for (name, note) in LEFTOVERS {
            row.extra_fixed(name, self.note(*note));
        }
        Ok(())
    }

    #[inline]
    fn set_time(&self, row: &mut Row<'_>) {
        let event = time::epoch(self.note(Noted::EventTime)).filter(|us| *us > 0);
        let zoned = if self.note(Noted::Zone).is_empty() { None } else { self.local_time() };
        let us = match (event, zoned) {
            // They differ by seconds, or by hours where the zone is a wrong one; by more, the counter is broken.
            (Some(event), Some(zoned)) if event.abs_diff(zoned) > ZONES_APART_US => Some(zoned),
            (Some(event), _) => Some(event),
            (None, zoned) => time::epoch(self.note(Noted::Timestamp)).or(zoned).or_else(|| self.local_time()),
        };
        if let Some(us) = us {
            set_time(row, us);
        }
    }

    fn local_time(&self) -> Option<i64> {
        let (date, clock) = (self.note(Noted::Date), self.note(Noted::Time));
        let mut text = [b' '; 48];
        let total = date.len() + 1 + clock.len();
        if date.is_empty() || total > text.len() {
            return None;
        }
        text[..date.len()].copy_from_slice(date);
        text[date.len() + 1..total].copy_from_slice(clock);
        let (mut stamp, length) = time::iso(&text[..total])?;
        if length != total {
            return None;
        }
        stamp.offset = stamp.offset.or_else(|| self.record.time.zone(&stamp, self.note(Noted::Zone)));
        self.record.time.resolve(&stamp)
    }

    /// The surest of the names: of the session, of IPsec's own login, and what the device guesses from elsewhere (its
    /// source stays in `unauthusersource`).
    #[inline]
    fn set_user(&self, row: &mut Row<'_>) {
        let names = [Noted::User, Noted::XauthUser, Noted::GuessedUser].map(|note| self.note(note));
        let Some(first) = names.iter().position(|name| !name.is_empty()) else { return };
        // of a certificate's login the rest of its subject follows: `ann,cn=ann`
        let name = split_once(names[first], b',').filter(|(_, rest)| rest.starts_with(b"cn="));
        row.text(key::USER, name.map_or(names[first], |(name, _)| name));
        for (name, value) in ["user", "xauthuser", "unauthuser"].into_iter().zip(names).skip(first + 1) {
            row.extra_fixed(name, value);
        }
    }

    /// The protocol's number, and for ICMP its type and code.
    #[inline]
    fn set_transport(&self, row: &mut Row<'_>) {
        let proto = self.note(Noted::Proto);
        let Some(transport) = Transport::parse(proto) else {
            row.extra_fixed("proto", proto);
            return;
        };
        row.set(key::TRANSPORT, transport);
        if matches!(transport, Transport::ICMP | Transport::ICMPV6) {
            // `icmp/8/0`, `icmp6/128/0`
            let mut parts = self.note(Noted::Service).split(|byte| *byte == b'/').skip(1);
            row.set_opt(key::ICMP_TYPE, parts.next().and_then(decimal).or_else(|| hex(self.note(Noted::IcmpType))));
            row.set_opt(key::ICMP_CODE, parts.next().and_then(decimal).or_else(|| hex(self.note(Noted::IcmpCode))));
        }
    }

    /// The application that was recognised from the bytes: only where application control ran, else `app` repeats the port.
    #[inline]
    fn set_app(&self, row: &mut Row<'_>) {
        let app = self.note(Noted::App);
        let ran = !self.note(Noted::AppId).is_empty();
        let known = !matches!(app, b"unscanned" | b"unknown");
        if ran && known {
            row.text(key::APP_PROTO, app);
        } else {
            row.extra_fixed("app", app);
        }
    }

    /// Sessions. `src` is who began.
    fn traffic(&self, row: &mut Row<'_>) {
        row.log_source(&TRAFFIC);
        row.set(key::KIND, EventKind::Flow);
        row.set(key::INITIATOR, Initiator::Source);
        self.set_app(row);
        row.extra_fixed("appcat", self.note(Noted::AppCategory));
        let word = match self.note(Noted::Action) {
            // before FortiOS 5.0
            b"" => self.note(Noted::Status),
            word => word,
        };
        row.text(key::CONN_STATE, word);
        if let Some(seconds) = decimal(self.note(Noted::Duration)) {
            let us = seconds.min(u64::from(u32::MAX)) * 1_000_000;
            row.set(key::DURATION, us);
            if let (Some(end), false) = (row.get(key::TIME), word == b"start") {
                row.set(key::START, end - us as i64);
            }
        }
        self.translation(row);
        let stopped = is_stopped(self.note(Noted::UtmAction));
        let action = match word {
            _ if stopped => Some(Action::Deny),
            b"accept" => Some(Action::Allow),
            b"close" | b"client-rst" | b"server-rst" => Some(Action::Close),
            b"timeout" => Some(Action::Timeout),
            b"deny" | b"blocked" | b"violation" => Some(Action::Deny),
            b"start" => Some(Action::Start),
            _ => None,
        };
        row.set_opt(key::ACTION, action);
        row.set_opt(key::PORT_STATE, port_state(word, row));
    }

    /// The addresses after translation, unless the log says that there was none.
    fn translation(&self, row: &mut Row<'_>) {
        let disposition = self.note(Noted::TranDisposition);
        row.extra_fixed("trandisp", disposition);
        if disposition == b"noop" {
            return;
        }
        row.set_opt(key::NAT_SRC_IP, address(self.note(Noted::TransIp)));
        row.set_opt(key::NAT_SRC_PORT, schemas::parse_port(self.note(Noted::TransPort)));
        row.set_opt(key::NAT_DST_IP, address(self.note(Noted::TranIp)));
        row.set_opt(key::NAT_DST_PORT, schemas::parse_port(self.note(Noted::TranPort)));
    }

    /// What a security profile saw. Never a flow: the session has a line of its own.
    #[inline(never)]
    fn utm(&self, row: &mut Row<'_>) {
        let subtype = match self.note(Noted::Subtype) {
            b"" => self.note(Noted::Type),
            subtype => subtype,
        };
        let (source, kind) = match subtype {
            b"dns" => (&DNS, EventKind::Dns),
            b"ips" | b"anomaly" | b"virus" | b"attack" => (&IPS, EventKind::Alert),
            b"webfilter" => (&WEB, EventKind::Alert),
            _ => (&UTM, EventKind::Alert),
        };
        row.log_source(source);
        row.set(key::KIND, kind);
        // of an anomaly the destination is one sample, and of a proxy's log the ends are those of the session, too
        row.set(key::INITIATOR, Initiator::Source);
        self.set_app(row);
        if !row.has(Field::SignatureClass) {
            let class = self.note(Noted::AppCategory);
            row.text(key::SIGNATURE_CLASS, if class.is_empty() { subtype } else { class });
        } else {
            row.extra_fixed("appcat", self.note(Noted::AppCategory));
        }
        if subtype == b"app-ctrl" && !row.has(Field::Signature) {
            row.text(key::SIGNATURE, self.note(Noted::App));
            row.text(key::SIGNATURE_ID, self.note(Noted::AppId));
        }
        let answers = self.note(Noted::DnsAnswers);
        if !answers.is_empty() {
            let each = answers.split(|byte| matches!(byte, b',' | b' ')).filter(|part| !part.is_empty());
            row.list(key::DNS_ANSWERS, each);
        }
        row.set_opt(key::REPEAT, decimal(self.note(Noted::Count)).filter(|count| *count > 0));
        let action = match self.note(Noted::Action) {
            word if is_stopped(word) => Some(match word {
                b"dropped" | b"drop" | b"drop_session" => Action::Drop,
                b"reset" | b"reset_client" | b"reset_server" => Action::Reset,
                _ => Action::Deny,
            }),
            b"detected" | b"monitored" | b"monitor" | b"analytics" => Some(Action::Alert),
            b"pass" | b"passthrough" | b"pass_session" | b"permit" | b"allowed" | b"exempt" => Some(Action::Allow),
            _ => None,
        };
        row.set_opt(key::ACTION, action);
    }

    /// The device's own life: logins, tunnels, settings.
    #[inline(never)]
    fn event(&self, row: &mut Row<'_>) {
        let remote = address(self.note(Noted::RemoteIp))
            .or_else(|| in_parentheses(self.note(Noted::Ui)))
            .or_else(|| in_parentheses(self.note(Noted::UserFrom)))
            .or_else(|| address(self.note(Noted::Ip)));
        let local = address(self.note(Noted::LocalIp));
        // of a tunnel to another gateway this device began
        let (remote, local) = if self.note(Noted::TunnelDirection) == b"outbound" && local.is_some() {
            turn_ports(row);
            (local, remote)
        } else {
            (remote, local)
        };
        if !row.has(Field::SrcIp) {
            row.set_opt(key::SRC_IP, remote);
        }
        if !row.has(Field::DstIp) {
            row.set_opt(key::DST_IP, local);
        }
        // the address that a VPN client got
        row.set_opt(key::NAT_SRC_IP, address(self.note(Noted::TunnelIp)));
        if let Some(seconds) = decimal(self.note(Noted::Duration)) {
            row.set(key::DURATION, seconds.min(u64::from(u32::MAX)) * 1_000_000);
        }
        row.set_opt(key::REPEAT, decimal(self.note(Noted::Count)).filter(|count| *count > 0));
        row.text(key::CONN_STATE, self.note(Noted::Status));
        match self.login() {
            Some(outcome) => {
                row.log_source(&LOGIN);
                row.set(key::KIND, EventKind::Auth);
                row.set_opt(key::OUTCOME, outcome);
                row.text(key::AUTH_METHOD, self.method());
            }
            None => {
                row.log_source(&EVENT);
                row.set(key::KIND, EventKind::Other);
                let mapped =
                    matches!(self.note(Noted::Action), b"FSSO-logon" | b"FSSO-logoff" | b"auth-logon" | b"auth-logout");
                row.set_opt(key::OUTCOME, mapped.then_some(Outcome::Success));
            }
        }
        if !row.has(Field::Message) {
            row.text(key::MESSAGE, self.note(Noted::Description));
        } else {
            row.extra_fixed("logdesc", self.note(Noted::Description));
        }
    }

    /// Whether it is somebody's logon (or logoff, then without an outcome). A mapping of a name to an address that
    /// was learned elsewhere (FSSO, `auth-logon`) is none, nor is a tunnel between two gateways.
    fn login(&self) -> Option<Option<Outcome>> {
        let status = match self.note(Noted::Status) {
            b"success" | b"successful" => Some(Outcome::Success),
            b"failed" | b"failure" | b"deny" | b"denied" => Some(Outcome::Failure),
            _ => None,
        };
        match (self.note(Noted::Subtype), self.note(Noted::Action)) {
            (_, b"login") => Some(Some(status.unwrap_or(Outcome::Unknown))),
            (_, b"logout") => Some(None),
            (b"user", b"authentication") => Some(Some(status.unwrap_or(Outcome::Unknown))),
            (b"vpn", b"ssl-login-fail") => Some(Some(Outcome::Failure)),
            (b"vpn", b"tunnel-up") if self.note(Noted::TunnelType).starts_with(b"ssl") => Some(Some(Outcome::Success)),
            (b"vpn", b"tunnel-down") if self.note(Noted::TunnelType).starts_with(b"ssl") => Some(None),
            _ => {
                let text = self.note(Noted::Description);
                if text.starts_with(b"User login/logout successful") {
                    Some(Some(Outcome::Success))
                } else if text.starts_with(b"User login") && contains(text, b"failed") {
                    Some(Some(Outcome::Failure))
                } else {
                    None
                }
            }
        }
    }

    /// `ssh` of `ssh(192.0.2.7)`, `HTTPS` of `HTTPS(10.1.1.6)`.
    fn method(&self) -> &'r [u8] {
        let text = match self.note(Noted::AuthProto) {
            b"" => self.note(Noted::Ui),
            protocol => protocol,
        };
        text.split(|byte| *byte == b'(').next().unwrap_or(text)
    }
}

/// The farthest that two zones lie apart: UTC-12 and UTC+14.
const ZONES_APART_US: u64 = 26 * 3_600 * 1_000_000;

/// What was noted and has no column of its own.
const LEFTOVERS: &[(&str, Noted)] = &[
    ("service", Noted::Service),
    ("utmaction", Noted::UtmAction),
    ("ui", Noted::Ui),
    ("tunneltype", Noted::TunnelType),
    ("userfrom", Noted::UserFrom),
    ("dir", Noted::TunnelDirection),
];

/// Words that say that it did not pass.
fn is_stopped(word: &[u8]) -> bool {
    matches!(
        word,
        b"block"
            | b"blocked"
            | b"deny"
            | b"denied"
            | b"drop"
            | b"dropped"
            | b"drop_session"
            | b"reset"
            | b"reset_client"
            | b"reset_server"
            | b"clear_session"
    )
}

/// What the end of a session proves about the port that was called.
fn port_state(word: &[u8], row: &Row<'_>) -> Option<PortState> {
    let answered = row.get(key::PACKETS_IN);
    let bytes_in = row.get(key::BYTES_IN);
    let tcp = row.get(key::TRANSPORT) == Some(Transport::TCP);
    let udp = row.get(key::TRANSPORT) == Some(Transport::UDP);
    match word {
        b"deny" => Some(PortState::Filtered),
        b"ip-conn" => Some(PortState::Filtered),
        b"accept" if udp && answered.is_some_and(|packets| packets > 0) => Some(PortState::Open),
        b"close" if answered? >= 2 => Some(PortState::Open),
        b"timeout" if tcp && answered.or(bytes_in)? == 0 => Some(PortState::Filtered),
        b"timeout" if tcp && bytes_in? > 60 => Some(PortState::Open),
        b"client-rst" if answered? >= 1 => Some(PortState::Open),
        b"server-rst" => {
            let refused = answered? <= 1 && row.get(key::PACKETS_OUT)? <= 2 && bytes_in? <= 60;
            if refused { Some(PortState::Closed) } else { (bytes_in? > 60).then_some(PortState::Open) }
        }
        _ => None,
    }
}

/// An address; the unspecified one is absent.
fn address(text: &[u8]) -> Option<Ip> {
    if text == b"0.0.0.0" || text == b"::" { None } else { Ip::parse(text) }
}

/// `remport` was read as the source's and `locport` as the destination's.
fn turn_ports(row: &mut Row<'_>) {
    let (remote, local) = (row.get(key::SRC_PORT), row.get(key::DST_PORT));
    row.clear(Field::SrcPort);
    row.clear(Field::DstPort);
    row.set_opt(key::SRC_PORT, local);
    row.set_opt(key::DST_PORT, remote);
}

/// `ssh(192.0.2.7)`, `GUI(192.0.2.7)`.
fn in_parentheses(text: &[u8]) -> Option<Ip> {
    let (_, inner) = split_once(text, b'(')?;
    Ip::parse(inner.strip_suffix(b")")?)
}

/// `0x08` or `8`.
fn hex(text: &[u8]) -> Option<u64> {
    if text.starts_with(b"0x") { crate::lex::text::hexadecimal(text) } else { decimal(text) }
}
