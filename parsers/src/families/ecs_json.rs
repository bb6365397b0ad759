//! JSON that follows the Elastic Common Schema already, nested or with dotted names.
//!
//! Whoever wrote it has read the vendor's line; what it says is taken as it is. Of a path that has several values the
//! first counts. What a collector says of itself (`agent`, `input`, `data_stream`) is not kept, nor `related.*` and
//! `event.original`, which say other members again. `client` and `server` are the same ends with their roles resolved,
//! so that they tell who began. Elastic Defend writes ECS of its own accord, so it is no family of its own: what its actions prove
//! of a port, and where it keeps a logon's type and client, is known here.

use schemas::{
    Action, Direction, EventKind, Field, Initiator, Ip, Key, LogSource, Outcome, PortState, RejectKind, Row, Transport,
    key,
};

use crate::detect::Keys;
use crate::generic;
use crate::lex::json::{self, Extent, Value};
use crate::lex::keys::KeyMap;
use crate::lex::text::{decimal, is_absent};
use crate::windows::{self, has_event_keys};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, set_time};

pub(super) struct Family;

const fn source(categories: &'static [&'static str]) -> LogSource {
    LogSource { family: "ecs_json", vendor: "", product: "", dataset: "", categories, products: &[], services: &[] }
}

// Of a product nothing is known beforehand, so that a rule for any product may match.
static NETWORK: LogSource = source(&["firewall", "network_connection", "proxy", "webserver"]);
static AUTHENTICATION: LogSource = source(&["authentication"]);
static INTRUSION: LogSource = source(&["ids", "firewall", "network_connection"]);
static NAMES: LogSource = source(&["dns", "dns_query"]);
static PROCESS: LogSource = source(&["process_creation"]);
static ANY: LogSource = source(&[]);

#[derive(Clone, Copy)]
enum Put {
    /// Into a field, by its type, unless an earlier value has set it.
    Field(Field),
    /// An address: the first value that is one.
    Address(Key<Ip>),
    Time(Field),
    Note(Note),
    Category,
    Type,
    Extra,
    Leave,
}

/// Members that are concluded from, one slot each.
#[derive(Clone, Copy)]
enum Note {
    Timestamp,
    Kind,
    Outcome,
    Duration,
    Action,
    HostName,
    HostHostname,
    ObserverName,
    ObserverHostname,
    SourceAddress,
    DestinationAddress,
    ClientIp,
    ClientPort,
    ServerIp,
    ServerPort,
    Transport,
    Direction,
    RuleName,
    RuleId,
    RuleCategory,
    LogonType,
    LogonAddress,
    Count,
}

macro_rules! paths {
    ($($path:literal $put:ident $(($what:expr))?),+ $(,)?) => { &[$(($path, (Put::$put $(($what))?, $path))),+] };
}

#[rustfmt::skip]
static PATHS: KeyMap<(Put, &'static str), 512> = {
    use Field::*;
    use self::Note as N;
    KeyMap::new(paths! {
    "@timestamp" Note(N::Timestamp), "message" Field(Message), "event.kind" Note(N::Kind), "event.category" Category, "event.type" Type,
    "event.outcome" Note(N::Outcome), "event.action" Note(N::Action), "event.code" Field(EventCode), "event.reason" Field(Reason),
    "event.severity" Field(Severity), "event.dataset" Field(Dataset), "event.duration" Note(N::Duration), "event.start" Time(Start),
    "event.end" Time(End), "event.original" Leave, "event.ingested" Leave, "event.created" Leave, "event.agent_id_status" Leave,
    "event.timezone" Leave, "event.module" Extra, "event.provider" Extra, "event.id" Extra,
    "log.level" Field(Level), "log.offset" Leave, "log.file.path" Leave, "error.code" Field(StatusCode), "organization.id" Field(Tenant),
    "host.name" Note(N::HostName), "host.hostname" Note(N::HostHostname), "host.ip" Address(key::HOST_IP), "host.mac" Leave, "host.architecture" Leave,
    "host.containerized" Leave, "host.id" Extra,
    "observer.name" Note(N::ObserverName), "observer.hostname" Note(N::ObserverHostname), "observer.ip" Address(key::HOST_IP), "observer.vendor" Field(Vendor),
    "observer.product" Field(Product), "observer.type" Extra, "observer.ingress.zone" Field(SrcZone), "observer.egress.zone" Field(DstZone),
    "observer.ingress.interface.name" Field(InInterface), "observer.egress.interface.name" Field(OutInterface),
    "source.ip" Address(key::SRC_IP), "source.port" Field(SrcPort), "source.address" Note(N::SourceAddress), "source.mac" Field(SrcMac), "source.domain" Field(SrcHost),
    "source.bytes" Field(BytesOut), "source.packets" Field(PacketsOut), "source.nat.ip" Address(key::NAT_SRC_IP), "source.nat.port" Field(NatSrcPort),
    "source.geo.country_iso_code" Field(SrcCountry), "source.as.number" Field(SrcAsn), "source.as.organization.name" Field(SrcAsOrg),
    "source.user.name" Field(SrcUser), "source.user.domain" Field(SrcUserDomain),
    "destination.ip" Address(key::DST_IP), "destination.port" Field(DstPort), "destination.address" Note(N::DestinationAddress), "destination.mac" Field(DstMac),
    "destination.domain" Field(DstHost), "destination.bytes" Field(BytesIn), "destination.packets" Field(PacketsIn), "destination.nat.ip" Address(key::NAT_DST_IP),
    "destination.nat.port" Field(NatDstPort), "destination.geo.country_iso_code" Field(DstCountry), "destination.as.number" Field(DstAsn),
    "destination.as.organization.name" Field(DstAsOrg),
    "client.ip" Note(N::ClientIp), "client.port" Note(N::ClientPort), "server.ip" Note(N::ServerIp), "server.port" Note(N::ServerPort),
    "client.bytes" Leave, "server.bytes" Leave, "client.packets" Leave, "server.packets" Leave, "client.address" Leave, "server.address" Leave,
    "network.transport" Note(N::Transport), "network.iana_number" Note(N::Transport), "network.protocol" Field(AppProto), "network.application" Extra,
    "network.type" Leave, "network.direction" Note(N::Direction), "network.bytes" Field(BytesTotal), "network.packets" Field(PacketsTotal),
    "network.community_id" Field(CommunityId), "network.vlan.id" Field(Vlan),
    "user.name" Field(User), "user.domain" Field(UserDomain), "user.id" Field(UserId), "user_agent.original" Field(UserAgent),
    "rule.name" Note(N::RuleName), "rule.id" Note(N::RuleId), "rule.category" Note(N::RuleCategory),
    "url.domain" Field(HttpHost), "url.original" Field(Url), "url.full" Field(Url), "url.path" Extra, "http.request.method" Field(HttpMethod),
    "http.response.status_code" Field(HttpStatus),
    "dns.question.name" Field(DnsQuery), "dns.question.type" Field(DnsType), "dns.response_code" Field(DnsRcode), "dns.resolved_ip" Leave,
    "dns.answers.data" Field(DnsAnswers), "dns.answers.name" Leave, "dns.answers.type" Leave, "dns.answers.class" Leave, "dns.answers.ttl" Leave,
    "tls.client.server_name" Field(TlsSni), "tls.version" Field(TlsVersion), "tls.server.subject" Field(TlsSubject), "tls.client.ja3" Field(Ja3),
    "process.name" Field(ProcessName), "process.executable" Field(ProcessPath), "process.pid" Field(ProcessId), "process.command_line" Field(ProcessCommand),
    "process.Ext.session_info.logon_type" Note(N::LogonType), "process.Ext.session_info.client_address" Note(N::LogonAddress),
    "process.Ext.session_info.authentication_package" Field(AuthMethod),
    "process.parent.executable" Field(ParentPath), "process.parent.command_line" Field(ParentCommand),
    })
};

/// Objects that are not kept: the collector's word about itself, and what other members say.
const LEFT: &[&[u8]] =
    &[b"agent.", b"elastic_agent.", b"input.", b"data_stream.", b"ecs.", b"@metadata.", b"related.", b"host.os."];

impl Parser for Family {
    fn name(&self) -> &'static str {
        "ecs_json"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["ecs", "elastic_endpoint", "elastic_defend"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Objects
    }

    fn detect(&self, record: &Record<'_>, _: &Memory) -> Option<Confidence> {
        let keys = record.keys;
        let ends = Keys::SOURCE.and(Keys::DESTINATION).and(Keys::SOURCE_IP).and(Keys::NETWORK);
        let said = Keys::EVENT_KIND.and(Keys::EVENT_CATEGORY);
        if keys.has(Keys::AT_TIMESTAMP) && (keys.has(Keys::EVENT) && keys.has_any(ends) || keys.has_any(said)) {
            // Beats write Windows' own events as ECS, and flow records
            let other = has_event_keys(keys) || keys.has(Keys::NETFLOW);
            return Some(if other { Confidence::Likely } else { Confidence::Certain });
        }
        // A shipper's envelope is ECS, too: what it wraps is worth as much.
        let likely =
            keys.has_any(Keys::ECS.and(Keys::ECS_VERSION).and(said)) || keys.has(Keys::AT_TIMESTAMP.and(Keys::EVENT));
        if likely {
            return Some(if keys.has(Keys::MESSAGE) { Confidence::Possible } else { Confidence::Likely });
        }
        (keys.has(Keys::EVENT) && keys.has_any(ends)).then_some(Confidence::Possible)
    }

    fn parse(&self, record: &Record<'_>, _: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut event = Event { notes: [Value::Null; Note::Count as usize], categories: 0, types: 0, more: false };
        let extent = json::walk(record.body, |path, value| event.take(record, path, value, row))?;
        if extent == Extent::Truncated {
            return Err(Refusal { at: record.body.len(), kind: RejectKind::Unclosed { what: "the JSON object" } });
        }
        event.conclude(record, row)?;
        Ok(Parsed::Events)
    }
}

/// Values of `event.category`, a bit each.
const CATEGORIES: &[&str] =
    &["authentication", "intrusion_detection", "network", "process", "host", "malware", "threat"];
/// Values of `event.type`, a bit each.
const TYPES: &[&str] = &["allowed", "denied", "start", "end", "connection"];

const AUTHENTICATION_BIT: u8 = 1;
const INTRUSION_BITS: u8 = 1 << 1 | 1 << 5 | 1 << 6;
const NETWORK_BIT: u8 = 1 << 2;
const PROCESS_BIT: u8 = 1 << 3;
const ALLOWED: u8 = 1;
const DENIED: u8 = 1 << 1;
const START: u8 = 1 << 2;
const END: u8 = 1 << 3;
const CONNECTION: u8 = 1 << 4;

struct Event<'a> {
    notes: [Value<'a>; Note::Count as usize],
    categories: u8,
    types: u8,
    /// Whether there was any known member.
    more: bool,
}

fn bit(words: &[&str], word: &[u8]) -> Option<u8> {
    words.iter().position(|known| known.as_bytes() == word).map(|at| 1 << at)
}

/// JSON writers turn numbers into floats: `443.0`.
fn whole(value: Value<'_>) -> &[u8] {
    let text = value.scalar();
    match value {
        Value::Number(_) => text.strip_suffix(b".0").unwrap_or(text),
        _ => text,
    }
}

impl<'a> Event<'a> {
    #[inline]
    fn take(&mut self, record: &Record<'_>, path: &[u8], value: Value<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let Some((put, name)) = PATHS.get(path) else {
            if !LEFT.iter().any(|prefix| path.starts_with(prefix)) {
                value.with(|text| row.extra(path, text));
            }
            return Ok(());
        };
        self.more |= !matches!(put, Put::Leave | Put::Extra) && name != "message";
        match put {
            Put::Note(note) => {
                let slot = &mut self.notes[note as usize];
                if slot.scalar().is_empty() {
                    *slot = value;
                }
            }
            Put::Field(Field::DnsAnswers) => generic::answer(row, generic::Value::json(value)),
            Put::Field(field) if !row.has(field) => field_of(record, row, field, value)?,
            Put::Address(field) if !row.has(field.field) && !is_unknown(value.scalar()) => {
                match Ip::parse(value.scalar()) {
                    Some(ip) => row.set(field, ip),
                    None => {
                        let kind = RejectKind::bad_value(name, value.scalar(), "an IPv4 or IPv6 address");
                        return Err(record.refuse(value.scalar(), kind));
                    }
                }
            }
            Put::Time(field) => {
                if let Some(us) = record.time.any(value.scalar()) {
                    row.set(if field == Field::Start { key::START } else { key::END }, us);
                }
            }
            Put::Category => match bit(CATEGORIES, value.scalar()) {
                Some(bit) => self.categories |= bit,
                None => value.with(|text| row.extra_fixed(name, text)),
            },
            Put::Type => match bit(TYPES, value.scalar()) {
                Some(bit) => self.types |= bit,
                None => value.with(|text| row.extra_fixed(name, text)),
            },
            Put::Extra => value.with(|text| row.extra_fixed(name, text)),
            Put::Field(_) | Put::Address(_) | Put::Leave => {}
        }
        Ok(())
    }

    fn note(&self, note: Note) -> &'a [u8] {
        self.notes[note as usize].scalar()
    }

    fn first(&self, notes: &[Note]) -> Value<'a> {
        let found = notes.iter().find(|note| !is_unknown(self.note(**note)));
        found.map_or(Value::Null, |note| self.notes[*note as usize])
    }

    fn conclude(&self, record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Refusal> {
        if !self.more {
            return Err(record.not_this_family("members of the Elastic Common Schema"));
        }
        let stamp = self.note(Note::Timestamp);
        match record.time.any(stamp) {
            Some(us) => set_time(row, us),
            None if stamp.is_empty() => {}
            None => {
                let kind = RejectKind::bad_value("@timestamp", stamp, "an RFC 3339 time, or milliseconds since 1970");
                return Err(record.refuse(stamp, kind));
            }
        }
        // Who observes others names the log; a host's own log has no observer.
        let host = [Note::ObserverName, Note::ObserverHostname, Note::HostName, Note::HostHostname];
        self.first(&host).with(|text| row.text(key::HOST, text));
        self.ends(record, row)?;
        let kind = self.kind(row);
        row.set(key::KIND, kind);
        row.log_source(match kind {
            EventKind::Flow | EventKind::Listener => &NETWORK,
            EventKind::Auth => &AUTHENTICATION,
            EventKind::Alert => &INTRUSION,
            EventKind::Dns => &NAMES,
            EventKind::Process => &PROCESS,
            EventKind::Inventory | EventKind::Other => &ANY,
        });
        self.network(row);
        self.judged(kind, row);
        let nanoseconds = decimal(whole(self.notes[Note::Duration as usize]));
        row.set_opt(key::DURATION, nanoseconds.map(|ns| ns / 1_000));
        let rule = [
            (Note::RuleName, key::SIGNATURE, key::RULE_NAME),
            (Note::RuleId, key::SIGNATURE_ID, key::RULE_ID),
            (Note::RuleCategory, key::SIGNATURE_CLASS, key::SIGNATURE_CLASS),
        ];
        for (note, of_alert, of_device) in rule {
            let field = if kind == EventKind::Alert { of_alert } else { of_device };
            self.notes[note as usize].with(|text| row.text(field, text));
        }
        Ok(())
    }

    /// Addresses of both ends where only their other names are given, and which of them began.
    fn ends(&self, record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Refusal> {
        for (field, name, note) in [
            (Field::SrcIp, key::SRC_HOST, Note::SourceAddress),
            (Field::SrcIp, key::SRC_HOST, Note::LogonAddress),
            (Field::DstIp, key::DST_HOST, Note::DestinationAddress),
        ] {
            let text = self.note(note);
            if is_unknown(text) || row.has(field) {
                continue;
            }
            match Ip::parse(text) {
                Some(_) => row.put(field, text).map_err(|kind| record.refuse(text, kind))?,
                None if !row.has(name.field) => self.notes[note as usize].with(|text| row.text(name, text)),
                None => {}
            }
        }
        let client = Ip::parse(self.note(Note::ClientIp));
        let server = Ip::parse(self.note(Note::ServerIp));
        if row.get(key::SRC_IP).is_none() && row.get(key::DST_IP) != client {
            row.set_opt(key::SRC_IP, client);
            row.set_opt(key::SRC_PORT, port(self.notes[Note::ClientPort as usize]));
        }
        if row.get(key::DST_IP).is_none() && row.get(key::SRC_IP) != server {
            row.set_opt(key::DST_IP, server);
            row.set_opt(key::DST_PORT, port(self.notes[Note::ServerPort as usize]));
        }
        let (src, dst) = (row.get(key::SRC_IP), row.get(key::DST_IP));
        // The same address at both ends tells nothing.
        if let Some(client) = client.filter(|_| src != dst && dst.is_some()) {
            row.set_opt(
                key::INITIATOR,
                match () {
                    _ if src == Some(client) => Some(Initiator::Source),
                    _ if dst == Some(client) => Some(Initiator::Destination),
                    _ => None,
                },
            );
        }
        Ok(())
    }

    fn kind(&self, row: &Row<'_>) -> EventKind {
        let alert = matches!(self.note(Note::Kind), b"alert" | b"signal");
        let conversation = row.has(Field::SrcIp) && row.has(Field::DstIp);
        match self.categories {
            bits if bits & AUTHENTICATION_BIT != 0 => EventKind::Auth,
            bits if alert || bits & INTRUSION_BITS != 0 => EventKind::Alert,
            bits if bits & NETWORK_BIT != 0 || bits == 0 && conversation => {
                if row.has(Field::DnsQuery) {
                    EventKind::Dns
                } else {
                    EventKind::Flow
                }
            }
            bits if bits & PROCESS_BIT != 0 => EventKind::Process,
            _ if self.note(Note::Kind) == b"asset" => EventKind::Inventory,
            _ => EventKind::Other,
        }
    }

    fn network(&self, row: &mut Row<'_>) {
        let transport = whole(self.notes[Note::Transport as usize]);
        row.set_opt(key::TRANSPORT, Some(transport).filter(|text| !is_unknown(text)).and_then(Transport::parse));
        row.set_opt(
            key::DIRECTION,
            match self.note(Note::Direction) {
                b"inbound" | b"ingress" => Some(Direction::Inbound),
                b"outbound" | b"egress" => Some(Direction::Outbound),
                b"internal" => Some(Direction::Internal),
                b"external" => Some(Direction::External),
                _ => None,
            },
        );
    }

    /// What was done, and whether it succeeded: only by what the document declares.
    fn judged(&self, kind: EventKind, row: &mut Row<'_>) {
        let word = self.note(Note::Action);
        self.notes[Note::Action as usize].with(|text| row.text(key::EVENT_ACTION, text));
        let is = |words: &[&str]| words.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(word));
        let action = match self.types {
            types if types & DENIED != 0 && types & ALLOWED == 0 => Some(Action::Deny),
            _ if kind != EventKind::Flow && kind != EventKind::Alert => None,
            _ if is(&["drop", "dropped"]) => Some(Action::Drop),
            _ if is(&["deny", "denied", "block", "blocked", "reject", "rejected", "refuse", "refused"]) => {
                Some(Action::Deny)
            }
            types if types & END != 0 => Some(Action::End),
            types if types & START != 0 => Some(Action::Start),
            types if types & ALLOWED != 0 && types & DENIED == 0 => Some(Action::Allow),
            _ if is(&["allow", "allowed", "accept", "accepted", "permit", "permitted", "pass"]) => Some(Action::Allow),
            _ if kind == EventKind::Alert => Some(Action::Alert),
            _ => None,
        };
        let action = match kind {
            EventKind::Auth | EventKind::Process => {
                (self.types & END != 0 && self.types & START == 0).then_some(Action::End)
            }
            _ => action,
        };
        row.set_opt(key::ACTION, action);
        if kind == EventKind::Auth {
            row.set_opt(key::LOGON_TYPE, windows::logon_type(self.note(Note::LogonType)));
        }
        row.set_opt(
            key::OUTCOME,
            match self.note(Note::Outcome) {
                b"success" => Some(Outcome::Success),
                b"failure" => Some(Outcome::Failure),
                b"unknown" => Some(Outcome::Unknown),
                _ => None,
            },
        );
        if kind != EventKind::Flow || row.get(key::INITIATOR) == Some(Initiator::Destination) {
            return;
        }
        let answered = row.get(key::BYTES_IN).is_some_and(|bytes| bytes > 0);
        match action {
            Some(Action::Deny | Action::Drop) => row.set(key::PORT_STATE, PortState::Filtered),
            // Elastic's own sensor saw the program take it; an attempt proves nothing.
            _ if word == b"connection_accepted" => row.set(key::PORT_STATE, PortState::Open),
            Some(Action::Start) if self.types & CONNECTION != 0 && answered => {
                row.set(key::PORT_STATE, PortState::Open)
            }
            _ => {}
        }
    }
}

/// Words that pipelines write for nothing in addresses, names and ports.
fn is_unknown(text: &[u8]) -> bool {
    is_absent(text) || text.eq_ignore_ascii_case(b"unknown")
}

fn port(value: Value<'_>) -> Option<u16> {
    crate::lex::text::port(whole(value))
}

fn field_of(record: &Record<'_>, row: &mut Row<'_>, field: Field, value: Value<'_>) -> Result<(), Refusal> {
    let text = whole(value);
    let numeric = matches!(field.field_type(), schemas::FieldType::Port | schemas::FieldType::Long);
    if is_absent(text) || numeric && is_unknown(text) {
        return Ok(());
    }
    // Counters may be signed or fractions, ports beyond their range: no fact of ours, but no damage to the others.
    if numeric && matches!(value, Value::Number(_)) {
        if !row.put_if(field, text) {
            row.extra_fixed(field.ecs(), text);
        }
        return Ok(());
    }
    let result = match value {
        Value::Text(text) => text.with(|text| row.put(field, text)),
        _ => row.put(field, text),
    };
    result.map_err(|kind| record.refuse(text, kind))
}
