//! A log's facts, and where each stands in the comma-separated form of each type.
//!
//! Positions count from 1, as the vendor's field lists do. Source: PAN-OS administrator's guides 7.1 to 11.1, "Syslog
//! Field Descriptions".

use schemas::{FieldKind, Key, RejectKind, Row, Span};

use crate::lex::buffer::with_buffer;
use crate::lex::cef;
use crate::lex::csv::{self, Column};
use crate::lex::json;
use crate::lex::keys::KeyMap;
use crate::{Record, Refusal};

/// Types of log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Traffic,
    Threat,
    System,
    Config,
    Authentication,
    GlobalProtect,
    UserId,
    Decryption,
    Dns,
    Tunnel,
    Gtp,
    Sctp,
    HipMatch,
    IpTag,
    Correlation,
    Other,
}

pub(super) static TYPES: KeyMap<Type, 64> = KeyMap::new(&[
    ("TRAFFIC", Type::Traffic),
    ("THREAT", Type::Threat),
    ("SYSTEM", Type::System),
    ("CONFIG", Type::Config),
    ("AUTHENTICATION", Type::Authentication),
    ("AUTH", Type::Authentication),
    ("GLOBALPROTECT", Type::GlobalProtect),
    ("USERID", Type::UserId),
    ("DECRYPTION", Type::Decryption),
    ("DNS", Type::Dns),
    ("URL", Type::Threat),
    ("FILE", Type::Threat),
    ("HIPMATCH", Type::HipMatch),
    ("HIP-MATCH", Type::HipMatch),
    ("CORRELATION", Type::Correlation),
    ("IPTAG", Type::IpTag),
    ("IP-TAG", Type::IpTag),
    ("GTP", Type::Gtp),
    ("SCTP", Type::Sctp),
    // a tunnel's own log says so where the type stands
    ("START", Type::Tunnel),
    ("END", Type::Tunnel),
    ("TUNNEL", Type::Tunnel),
]);

macro_rules! slots {
    ($($name:ident $text:literal),+ $(,)?) => {
        /// What a log may say.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(usize)]
        pub(super) enum Slot { $($name),+ }
        impl Slot {
            /// Its name in messages.
            pub(super) fn name(self) -> &'static str { match self { $(Slot::$name => $text),+ } }
        }
        const SLOTS: usize = [$(Slot::$name),+].len();
    };
}

slots! {
    Subtype "subtype", Serial "serial", Received "receive time", Generated "generated time", HighRes "high resolution timestamp",
    Source "source address", Destination "destination address", NatSource "NAT source", NatDestination "NAT destination",
    SourcePort "source port", DestinationPort "destination port", NatSourcePort "NAT source port",
    NatDestinationPort "NAT destination port", Protocol "protocol", Rule "rule", RuleId "rule UUID", User "source user",
    DestinationUser "destination user", Application "application", VirtualSystem "vsys", SourceZone "source zone",
    DestinationZone "destination zone", InInterface "inbound interface", OutInterface "outbound interface",
    Session "session id", Repeat "repeat count", Flags "flags", Action "action", Bytes "bytes", BytesSent "bytes sent",
    BytesReceived "bytes received", Packets "packets", PacketsSent "packets sent", PacketsReceived "packets received",
    Elapsed "elapsed time", Category "category", Sequence "sequence number", SourceCountry "source country",
    DestinationCountry "destination country", EndReason "session end reason", Device "device name",
    ActionSource "action source", Url "URL or file name", Threat "threat", ThreatCategory "threat category",
    Severity "severity", Direction "direction", FileDigest "file digest", UserAgent "user agent", Forwarded "X-Forwarded-For",
    Referer "referer", Method "HTTP method", EventId "event id", Object "object", Module "module",
    Description "description", Stage "stage", AuthMethod "auth method", TunnelType "tunnel type", Region "source region",
    Machine "machine name", PublicIp "public IP", PublicIp6 "public IPv6", PrivateIp "private IP",
    PrivateIp6 "private IPv6", ClientVersion "client version", ClientSystem "client OS", Reason "reason", Error "error",
    Status "status", Portal "portal", Gateway "gateway", DnsQuery "DNS query", DnsType "DNS type", TlsVersion "TLS version",
    TlsName "server name indication", DataSource "data source", Start "start time", SourceHost "source host name",
    SourceMac "source MAC", DestinationHost "destination host name", DestinationMac "destination MAC", Tag "tag name",
    Timeout "timeout", Evidence "evidence", TunnelId "tunnel id", Imsi "IMSI", Client "client",
}

/// Slots without a column, under these names in the extras.
pub(super) const EXTRAS: &[(&str, Slot)] = &[
    ("subtype", Slot::Subtype),
    ("serial", Slot::Serial),
    ("sequence_number", Slot::Sequence),
    ("vsys", Slot::VirtualSystem),
    ("flags", Slot::Flags),
    ("destination_user", Slot::DestinationUser),
    ("source_country", Slot::SourceCountry),
    ("destination_country", Slot::DestinationCountry),
    ("category", Slot::Category),
    ("action_source", Slot::ActionSource),
    ("direction", Slot::Direction),
    ("file_digest", Slot::FileDigest),
    ("x_forwarded_for", Slot::Forwarded),
    ("referer", Slot::Referer),
    ("object", Slot::Object),
    ("module", Slot::Module),
    ("stage", Slot::Stage),
    ("tunnel_type", Slot::TunnelType),
    ("source_region", Slot::Region),
    ("client_os", Slot::ClientSystem),
    ("portal", Slot::Portal),
    ("gateway", Slot::Gateway),
    ("data_source", Slot::DataSource),
    ("tag_name", Slot::Tag),
    ("timeout", Slot::Timeout),
    ("evidence", Slot::Evidence),
    ("tunnel_id", Slot::TunnelId),
    ("imsi", Slot::Imsi),
    ("client", Slot::Client),
];

type Positions = &'static [(usize, Slot)];

const SESSION: Positions = &[
    (8, Slot::Source),
    (9, Slot::Destination),
    (10, Slot::NatSource),
    (11, Slot::NatDestination),
    (12, Slot::Rule),
    (13, Slot::User),
    (14, Slot::DestinationUser),
    (15, Slot::Application),
    (16, Slot::VirtualSystem),
    (17, Slot::SourceZone),
    (18, Slot::DestinationZone),
    (19, Slot::InInterface),
    (20, Slot::OutInterface),
    (23, Slot::Session),
    (24, Slot::Repeat),
    (25, Slot::SourcePort),
    (26, Slot::DestinationPort),
    (27, Slot::NatSourcePort),
    (28, Slot::NatDestinationPort),
    (29, Slot::Flags),
    (30, Slot::Protocol),
    (31, Slot::Action),
];

const TRAFFIC: Positions = &[
    (32, Slot::Bytes),
    (33, Slot::BytesSent),
    (34, Slot::BytesReceived),
    (35, Slot::Packets),
    (36, Slot::Start),
    (37, Slot::Elapsed),
    (38, Slot::Category),
    (40, Slot::Sequence),
    (42, Slot::SourceCountry),
    (43, Slot::DestinationCountry),
    (45, Slot::PacketsSent),
    (46, Slot::PacketsReceived),
    (47, Slot::EndReason),
    (53, Slot::Device),
    (54, Slot::ActionSource),
    (66, Slot::RuleId),
    (76, Slot::Forwarded),
    (83, Slot::SourceHost),
    (84, Slot::SourceMac),
    (91, Slot::DestinationHost),
    (92, Slot::DestinationMac),
    (103, Slot::HighRes),
];

const THREAT: Positions = &[
    (32, Slot::Url),
    (33, Slot::Threat),
    (34, Slot::Category),
    (35, Slot::Severity),
    (36, Slot::Direction),
    (37, Slot::Sequence),
    (39, Slot::SourceCountry),
    (40, Slot::DestinationCountry),
    (44, Slot::FileDigest),
    (47, Slot::UserAgent),
    (49, Slot::Forwarded),
    (50, Slot::Referer),
    (60, Slot::Device),
    (64, Slot::Method),
    (70, Slot::ThreatCategory),
    (77, Slot::RuleId),
    (87, Slot::SourceHost),
    (88, Slot::SourceMac),
    (95, Slot::DestinationHost),
    (96, Slot::DestinationMac),
    (108, Slot::HighRes),
];

/// Tunnel inspection: the session's columns, then its own.
const TUNNEL: Positions = &[
    (32, Slot::Severity),
    (33, Slot::Sequence),
    (35, Slot::SourceCountry),
    (36, Slot::DestinationCountry),
    (42, Slot::Device),
    (43, Slot::TunnelId),
    (47, Slot::TunnelType),
    (48, Slot::Bytes),
    (49, Slot::BytesSent),
    (50, Slot::BytesReceived),
    (51, Slot::Packets),
    (52, Slot::PacketsSent),
    (53, Slot::PacketsReceived),
    (60, Slot::EndReason),
    (61, Slot::ActionSource),
    (62, Slot::Start),
    (63, Slot::Elapsed),
    (67, Slot::RuleId),
];

/// Mobile networks' tunnels: what is wrong or passed in one.
const GTP: Positions = &[
    (8, Slot::Source),
    (9, Slot::Destination),
    (12, Slot::Rule),
    (15, Slot::Application),
    (16, Slot::VirtualSystem),
    (17, Slot::SourceZone),
    (18, Slot::DestinationZone),
    (19, Slot::InInterface),
    (20, Slot::OutInterface),
    (23, Slot::Session),
    (25, Slot::SourcePort),
    (26, Slot::DestinationPort),
    (30, Slot::Protocol),
    (31, Slot::Action),
    (32, Slot::EventId),
    (33, Slot::Imsi),
];

const SCTP: Positions = &[
    (8, Slot::Source),
    (9, Slot::Destination),
    (12, Slot::Rule),
    (16, Slot::VirtualSystem),
    (17, Slot::SourceZone),
    (18, Slot::DestinationZone),
    (19, Slot::InInterface),
    (20, Slot::OutInterface),
    (23, Slot::Session),
    (24, Slot::Repeat),
    (25, Slot::SourcePort),
    (26, Slot::DestinationPort),
    (30, Slot::Protocol),
    (31, Slot::Action),
    (37, Slot::Device),
    (38, Slot::Sequence),
];

const IP_TAG: Positions = &[
    (8, Slot::VirtualSystem),
    (9, Slot::Source),
    (10, Slot::Tag),
    (11, Slot::EventId),
    (12, Slot::Repeat),
    (13, Slot::Timeout),
    (14, Slot::DataSource),
    (17, Slot::Sequence),
    (24, Slot::Device),
    (26, Slot::HighRes),
];

const CORRELATION: Positions = &[
    (8, Slot::Source),
    (9, Slot::User),
    (10, Slot::VirtualSystem),
    (11, Slot::Category),
    (12, Slot::Severity),
    (18, Slot::Device),
    (20, Slot::Object),
    (21, Slot::Threat),
    (22, Slot::Evidence),
];

/// Its further columns differ by version; these are where no version has moved them.
const DECRYPTION: Positions = &[(37, Slot::RuleId), (40, Slot::TlsVersion), (73, Slot::HighRes), (97, Slot::Device)];

const SYSTEM: Positions = &[
    (8, Slot::VirtualSystem),
    (9, Slot::EventId),
    (10, Slot::Object),
    (13, Slot::Module),
    (14, Slot::Severity),
    (15, Slot::Description),
    (16, Slot::Sequence),
    (23, Slot::Device),
    (26, Slot::HighRes),
];

const CONFIG: Positions = &[
    (8, Slot::Source),
    (9, Slot::VirtualSystem),
    (10, Slot::EventId),
    (11, Slot::User),
    (12, Slot::Client),
    (13, Slot::Status),
    (14, Slot::Description),
    (15, Slot::Sequence),
    (22, Slot::Device),
    (26, Slot::HighRes),
];

const AUTHENTICATION: Positions = &[
    (8, Slot::VirtualSystem),
    (9, Slot::Source),
    (10, Slot::User),
    (12, Slot::Object),
    (13, Slot::Rule),
    (14, Slot::Repeat),
    (19, Slot::Description),
    (21, Slot::EventId),
    (23, Slot::Sequence),
    (30, Slot::Device),
    (32, Slot::AuthMethod),
    (34, Slot::HighRes),
];

const GLOBALPROTECT: Positions = &[
    (8, Slot::VirtualSystem),
    (9, Slot::EventId),
    (10, Slot::Stage),
    (11, Slot::AuthMethod),
    (12, Slot::TunnelType),
    (13, Slot::User),
    (14, Slot::Region),
    (15, Slot::Machine),
    (16, Slot::PublicIp),
    (17, Slot::PublicIp6),
    (18, Slot::PrivateIp),
    (19, Slot::PrivateIp6),
    (22, Slot::ClientVersion),
    (23, Slot::ClientSystem),
    (25, Slot::Repeat),
    (26, Slot::Reason),
    (27, Slot::Error),
    (28, Slot::Description),
    (29, Slot::Status),
    (34, Slot::Portal),
    (35, Slot::Sequence),
    (37, Slot::HighRes),
    (42, Slot::Gateway),
    (48, Slot::Device),
];

const USER_ID: Positions = &[
    (8, Slot::VirtualSystem),
    (9, Slot::Source),
    (10, Slot::User),
    (12, Slot::EventId),
    (15, Slot::SourcePort),
    (16, Slot::DestinationPort),
    (17, Slot::DataSource),
    (19, Slot::Sequence),
    (26, Slot::Device),
    (34, Slot::HighRes),
];

const HIP_MATCH: Positions = &[
    (8, Slot::User),
    (9, Slot::VirtualSystem),
    (10, Slot::Machine),
    (11, Slot::ClientSystem),
    (12, Slot::Source),
    (13, Slot::Object),
    (14, Slot::Repeat),
    (18, Slot::Sequence),
    (25, Slot::Device),
    (30, Slot::SourceMac),
    (31, Slot::HighRes),
];

/// More than the widest type of the newest version has.
const COLUMNS_MAX: usize = 132;

/// One log with its slots filled.
pub(super) struct Line<'r> {
    pub(super) kind: Type,
    slots: [&'r [u8]; SLOTS],
    /// Slots whose text is not what stands in the line: a JSON escape, a doubled quote.
    coded: [bool; SLOTS],
    coding: Coding,
}

/// How a text that has to be resolved is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Columns,
    Json,
    Cef,
}

/// The type of a line in the comma-separated form, if it is one: the fourth column names it.
#[inline]
pub(super) fn type_of_csv(body: &[u8]) -> Option<Type> {
    // three short columns come before it; the first may hold the rest of a header
    let head = &body[..body.len().min(160)];
    let mut commas = memchr::memchr_iter(b',', head);
    let (_, _, third) = (commas.next()?, commas.next()?, commas.next()?);
    let fourth = commas.next()?;
    TYPES.get(&head[third + 1..fourth])
}

impl<'r> Line<'r> {
    /// A log of which nothing is known yet.
    pub(super) fn new(kind: Type, coding: Coding) -> Line<'r> {
        Line { kind, slots: [b""; SLOTS], coded: [false; SLOTS], coding }
    }

    /// Fills a slot, unless it is filled.
    #[inline]
    pub(super) fn put(&mut self, slot: Slot, value: &'r [u8], coded: bool) {
        if self.slots[slot as usize].is_empty() {
            self.slots[slot as usize] = value;
            self.coded[slot as usize] = coded;
        }
    }

    /// Reads the comma-separated form.
    pub(super) fn of_csv(record: &Record<'r>) -> Result<Line<'r>, Refusal> {
        let body = record.body;
        let Some(kind) = type_of_csv(body) else {
            return Err(record.not_this_family("`,TYPE,` (TRAFFIC, THREAT, SYSTEM, …) as the fourth column"));
        };
        let mut columns = [Column::EMPTY; COLUMNS_MAX];
        let count = csv::split(body, &mut columns).min(COLUMNS_MAX);
        let columns = &columns[..count];
        if columns.len() < 8 {
            return Err(Refusal {
                at: body.len(),
                kind: RejectKind::Missing { what: "the columns after the generated time" },
            });
        }
        let mut line = Line::new(kind, Coding::Columns);
        line.take(columns, &[(2, Slot::Received), (3, Slot::Serial), (5, Slot::Subtype), (7, Slot::Generated)]);
        match kind {
            Type::Traffic => {
                line.take(columns, SESSION);
                line.take(columns, TRAFFIC);
            }
            Type::Threat => {
                line.take(columns, SESSION);
                line.take(columns, THREAT);
            }
            Type::Decryption => {
                line.take(columns, SESSION);
                line.take(columns, DECRYPTION);
            }
            Type::System => line.take(columns, SYSTEM),
            Type::Config => line.take(columns, CONFIG),
            Type::Authentication => line.take(columns, AUTHENTICATION),
            Type::GlobalProtect => line.take(columns, GLOBALPROTECT),
            Type::UserId => line.take(columns, USER_ID),
            Type::HipMatch => line.take(columns, HIP_MATCH),
            Type::IpTag => line.take(columns, IP_TAG),
            Type::Correlation => line.take(columns, CORRELATION),
            Type::Tunnel => {
                line.take(columns, SESSION);
                line.take(columns, TUNNEL);
            }
            Type::Gtp => line.take(columns, GTP),
            Type::Sctp => line.take(columns, SCTP),
            Type::Dns | Type::Other => {}
        }
        if matches!(kind, Type::Traffic | Type::Threat | Type::Tunnel) && columns.len() < 31 {
            return Err(Refusal { at: body.len(), kind: RejectKind::Missing { what: "the action (column 31)" } });
        }
        Ok(line)
    }

    #[inline]
    fn take(&mut self, columns: &[Column<'r>], positions: Positions) {
        for (position, slot) in positions {
            let Some(column) = columns.get(position - 1) else { break };
            self.slots[*slot as usize] = column.value;
            self.coded[*slot as usize] = column.doubled;
        }
    }

    /// A slot as it stands in the line; empty where it is absent.
    #[inline]
    pub(super) fn get(&self, slot: Slot) -> &'r [u8] {
        self.slots[slot as usize]
    }

    /// Whether a slot says anything.
    #[inline]
    pub(super) fn has(&self, slot: Slot) -> bool {
        crate::lex::text::present(self.get(slot)).is_some()
    }

    /// Hands a slot's text to `use_it`, if there is one.
    #[inline]
    pub(super) fn with(&self, slot: Slot, use_it: impl FnOnce(&[u8])) {
        self.with_value(slot, use_it);
    }

    /// Hands a slot's text to `use_it`, if there is one, and gives back what that gave.
    #[inline]
    pub(super) fn with_value<R>(&self, slot: Slot, use_it: impl FnOnce(&[u8]) -> R) -> Option<R> {
        let raw = crate::lex::text::present(self.get(slot))?;
        if !self.coded[slot as usize] {
            return Some(use_it(raw));
        }
        if self.coding == Coding::Json {
            return Some(json::Text { raw, escaped: true }.with(use_it));
        }
        if self.coding == Coding::Cef {
            return Some(cef::with(raw, use_it));
        }
        Some(with_buffer(|text| {
            csv::undouble(raw, text);
            use_it(text)
        }))
    }

    /// Sets a text column from a slot.
    #[inline]
    pub(super) fn text<K: FieldKind<Stored = Span, Value = Span>>(&self, row: &mut Row<'_>, to: Key<K>, slot: Slot) {
        self.with(slot, |text| row.text(to, text));
    }
}
