//! JSON that follows the Open Cybersecurity Schema Framework already, nested or with dotted names (Security Lake's Parquet).
//!
//! The class says what an event is; ids and their captions say the same twice, and either may be missing. `src_endpoint` is
//! who began by the schema's word, but many producers can't know: only what a record states about it is taken for
//! evidence. Of a finding the ends stand in its evidence. What the schema says again elsewhere (`observables`), what a
//! pipeline added and the raw record are not kept. Versions 1.0-rc to 1.8 are alike in what is read here.
//!
//! Source: `ocsf/ocsf-schema`, tag 1.8.0: `events/`, `objects/`, `profiles/`, `dictionary.json`.

use schemas::{
    Action, Direction, EventKind, Field as F, Initiator, Outcome, PortState, RejectKind, Row, Transport, key,
};

use crate::detect::Keys;
use crate::generic::Put::{Again, Answer, Extra, Leave, Maybe, To};
use crate::generic::{Event, Note as N, Put, Sources, Value, keys, sources, words};
use crate::lex::json::{self, Extent};
use crate::lex::keys::KeyMap;
use crate::lex::text::decimal;
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

static SOURCES: Sources = sources("ocsf_json");

const fn note(note: N) -> Put {
    Put::Note(note)
}

static PATHS: KeyMap<Put, 512> = KeyMap::new(keys! {
    note(N::Time) => "time";
    note(N::Noticed) => "time_dt";
    note(N::Start) => "start_time" "start_time_dt";
    note(N::End) => "end_time" "end_time_dt";
    note(N::Milliseconds) => "duration";
    To(F::Message) => "message";
    Maybe(F::StatusCode) => "status_code";
    Maybe(F::Reason) => "status_detail";
    Maybe(F::Severity) => "severity_id";
    Maybe(F::Level) => "severity";
    Maybe(F::Repeat) => "count";
    Again(F::Vendor) => "metadata.product.vendor_name";
    Again(F::Product) => "metadata.product.name";
    Again(F::Dataset) => "metadata.log_name" "metadata.log_source";
    Again(F::EventCode) => "metadata.event_code";
    Again(F::Tenant) => "metadata.tenant_uid";
    note(N::Host) => "device.hostname";
    note(N::HostAddress) => "device.ip";
    note(N::Src) => "src_endpoint.ip" "evidences.src_endpoint.ip";
    note(N::Dst) => "dst_endpoint.ip" "evidences.dst_endpoint.ip";
    Again(F::SrcPort) => "src_endpoint.port" "evidences.src_endpoint.port";
    Again(F::DstPort) => "dst_endpoint.port" "evidences.dst_endpoint.port";
    Again(F::SrcHost) => "src_endpoint.hostname" "src_endpoint.name" "src_endpoint.domain" "evidences.src_endpoint.hostname";
    Again(F::DstHost) => "dst_endpoint.hostname" "dst_endpoint.name" "dst_endpoint.domain" "evidences.dst_endpoint.hostname";
    Again(F::SrcMac) => "src_endpoint.mac";
    Again(F::DstMac) => "dst_endpoint.mac";
    Again(F::SrcZone) => "src_endpoint.zone";
    Again(F::DstZone) => "dst_endpoint.zone";
    Again(F::InInterface) => "src_endpoint.interface_name";
    Again(F::OutInterface) => "dst_endpoint.interface_name";
    Again(F::SrcAsn) => "src_endpoint.autonomous_system.number";
    Again(F::SrcAsOrg) => "src_endpoint.autonomous_system.name";
    Again(F::DstAsn) => "dst_endpoint.autonomous_system.number";
    Again(F::DstAsOrg) => "dst_endpoint.autonomous_system.name";
    Again(F::SrcCountry) => "src_endpoint.location.country";
    Again(F::DstCountry) => "dst_endpoint.location.country";
    note(N::NatSrc) => "src_endpoint.proxy_endpoint.ip";
    note(N::NatDst) => "dst_endpoint.proxy_endpoint.ip";
    Again(F::NatSrcPort) => "src_endpoint.proxy_endpoint.port";
    Again(F::NatDstPort) => "dst_endpoint.proxy_endpoint.port";
    Again(F::TcpFlags) => "connection_info.flag_history" "connection_info.tcp_flags";
    Again(F::SessionId) => "connection_info.uid" "session.uid" "connection_info.session.uid" "actor.session.uid";
    Again(F::CommunityId) => "connection_info.community_uid";
    Maybe(F::BytesTotal) => "traffic.bytes";
    Maybe(F::BytesIn) => "traffic.bytes_in";
    Maybe(F::BytesOut) => "traffic.bytes_out";
    Maybe(F::PacketsTotal) => "traffic.packets";
    Maybe(F::PacketsIn) => "traffic.packets_in";
    Maybe(F::PacketsOut) => "traffic.packets_out";
    Maybe(F::AppProto) => "app_protocol_name";
    Maybe(F::TlsSni) => "tls.sni";
    Maybe(F::TlsVersion) => "tls.version";
    Maybe(F::TlsSubject) => "tls.certificate.subject";
    Maybe(F::Ja3) => "tls.ja3_hash.value";
    Maybe(F::HttpMethod) => "http_request.http_method";
    Again(F::HttpHost) => "http_request.url.hostname" "url.hostname";
    Again(F::Url) => "http_request.url.url_string" "http_request.url.text" "url.url_string" "http_request.url.path";
    Maybe(F::UserAgent) => "http_request.user_agent";
    Maybe(F::HttpStatus) => "http_response.code";
    To(F::DnsQuery) => "query.hostname";
    Again(F::DnsType) => "query.type";
    Again(F::DnsRcode) => "rcode" "rcode_id";
    Answer => "answers.rdata";
    note(N::DstUser) => "user.name";
    note(N::DstDomain) => "user.domain";
    note(N::DstUserId) => "user.uid";
    note(N::SrcUser) => "actor.user.name";
    note(N::SrcDomain) => "actor.user.domain";
    note(N::SrcUserId) => "actor.user.uid";
    Again(F::LogonType) => "logon_type_id";
    Again(F::AuthMethod) => "auth_protocol" "auth_type";
    Again(F::ProcessName) => "process.name" "actor.process.name" "evidences.process.name";
    Again(F::ProcessPath) => "process.file.path" "process.path" "actor.process.file.path" "evidences.process.file.path";
    Again(F::ProcessId) => "process.pid" "actor.process.pid" "evidences.process.pid";
    Again(F::ProcessCommand) => "process.cmd_line" "actor.process.cmd_line";
    Again(F::ParentPath) => "process.parent_process.file.path" "process.parent_process.path";
    Again(F::ParentCommand) => "process.parent_process.cmd_line";
    Again(F::RuleName) => "firewall_rule.name" "policy.name";
    Again(F::RuleId) => "firewall_rule.uid" "policy.uid";
    Again(F::Signature) => "finding_info.title" "finding.title";
    Again(F::SignatureId) => "finding_info.analytic.uid";
    Again(F::SignatureClass) => "finding_info.analytic.category" "finding_info.types" "finding.types";
    Again(F::EventAction) => "api.operation";
    // ids of one event or finding
    Extra => "metadata.uid" "finding_info.uid" "finding.uid" "metadata.correlation_uid";
    // captions of what their numbers say
    Leave => "category_uid" "category_name" "type_name" "raw_data" "auth_protocol_id" "logon_type" "metadata.log_level";
});

/// Members that are concluded from here.
#[derive(Clone, Copy)]
enum Own {
    Class,
    ClassName,
    Type,
    Activity,
    ActivityName,
    StatusId,
    Status,
    ActionId,
    Action,
    DispositionId,
    Disposition,
    DirectionId,
    Direction,
    ProtocolNumber,
    ProtocolName,
    InitiatorId,
    Assigned,
    State,
    EmailAddress,
    DeviceName,
    Count,
}

static OWN: KeyMap<Own, 64> = KeyMap::new(&[
    ("class_uid", Own::Class),
    ("class_name", Own::ClassName),
    ("type_uid", Own::Type),
    ("activity_id", Own::Activity),
    ("activity_name", Own::ActivityName),
    ("status_id", Own::StatusId),
    ("status", Own::Status),
    ("action_id", Own::ActionId),
    ("action", Own::Action),
    ("disposition_id", Own::DispositionId),
    ("disposition", Own::Disposition),
    ("connection_info.direction_id", Own::DirectionId),
    ("connection_info.direction", Own::Direction),
    ("connection_info.protocol_num", Own::ProtocolNumber),
    ("connection_info.protocol_name", Own::ProtocolName),
    ("initiator_id", Own::InitiatorId),
    ("is_src_dst_assignment_known", Own::Assigned),
    ("state", Own::State),
    ("user.email_addr", Own::EmailAddress),
    ("device.name", Own::DeviceName),
]);

/// Classes by name, where only captions were exported.
static CLASSES: KeyMap<u64, 64> = KeyMap::new(&[
    ("Process Activity", 1007),
    ("Security Finding", 2001),
    ("Vulnerability Finding", 2002),
    ("Compliance Finding", 2003),
    ("Detection Finding", 2004),
    ("Incident Finding", 2005),
    ("Data Security Finding", 2006),
    ("Authentication", 3002),
    ("Network Activity", 4001),
    ("HTTP Activity", 4002),
    ("DNS Activity", 4003),
    ("DHCP Activity", 4004),
    ("RDP Activity", 4005),
    ("SMB Activity", 4006),
    ("SSH Activity", 4007),
    ("FTP Activity", 4008),
    ("Email Activity", 4009),
    ("Network File Activity", 4010),
    ("NTP Activity", 4013),
    ("Tunnel Activity", 4014),
    ("Network Connection Query", 5012),
    ("API Activity", 6003),
]);

/// Captions of activities that are concluded from.
const ACTIVITIES: &[(&str, u64)] = &[
    ("Open", 1),
    ("Close", 2),
    ("Reset", 3),
    ("Fail", 4),
    ("Refuse", 5),
    ("Traffic", 6),
    ("Listen", 7),
    ("Logon", 1),
    ("Logoff", 2),
];

/// Objects that are not kept.
const LEFT: &[&[u8]] =
    &[b"observables.", b"enrichments.", b"metadata.product.", b"metadata.", b"device.os.", b"unmapped.raw"];

impl Parser for Family {
    fn name(&self) -> &'static str {
        "ocsf_json"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["ocsf"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Objects
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _: &Memory) -> Option<Confidence> {
        let keys = record.keys;
        if !keys.has(Keys::CLASS_UID) {
            return None;
        }
        let sure = keys.has_any(Keys::METADATA.and(Keys::CATEGORY_UID));
        Some(if sure { Confidence::Certain } else { Confidence::Likely })
    }

    fn parse(&self, record: &Record<'_>, _: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut event = Event::default();
        let mut own = [Value::default(); Own::Count as usize];
        let extent = json::walk(record.body, |path, value| {
            let value = Value::json(value);
            if let Some(slot) = OWN.get(path) {
                let slot = &mut own[slot as usize];
                if slot.is_absent() {
                    *slot = value;
                }
                return Ok(());
            }
            let left = || LEFT.iter().any(|prefix| path.starts_with(prefix));
            let put = PATHS.get(path).unwrap_or_else(|| if left() { Leave } else { Extra });
            event.take(record, put, path, value, row)
        })?;
        if extent == Extent::Truncated {
            return Err(Refusal { at: record.body.len(), kind: RejectKind::Unclosed { what: "the JSON object" } });
        }
        Said { own }.conclude(record, event, row)?;
        Ok(Parsed::Events)
    }
}

/// What a record says of itself by the schema's numbers.
struct Said<'a> {
    own: [Value<'a>; Own::Count as usize],
}

impl<'a> Said<'a> {
    fn text(&self, own: Own) -> &'a [u8] {
        self.own[own as usize].raw
    }

    fn number(&self, own: Own) -> Option<u64> {
        decimal(self.text(own))
    }

    fn class(&self) -> Option<u64> {
        let by_type = || self.number(Own::Type).map(|id| id / 100);
        self.number(Own::Class).or_else(by_type).or_else(|| CLASSES.get(self.text(Own::ClassName)))
    }

    fn conclude(&self, record: &Record<'_>, mut event: Event<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let Some(class) = self.class() else {
            return Err(record.not_this_family("a class of the Open Cybersecurity Schema Framework"));
        };
        let kind = self.kind(class, &event, row);
        event.kind = Some(kind);
        event.logoff = class == 3002 && self.activity() == Some(2);
        event.outcome = self.outcome(class);
        for (own, to) in [(Own::EmailAddress, N::DstUser), (Own::DeviceName, N::Host)] {
            if event.note(to).raw.is_empty() {
                event.set_note(to, self.own[own as usize]);
            }
        }
        // one account, named once
        if event.note(N::DstUser).raw.is_empty() && event.note(N::DstUserId).raw == event.note(N::SrcUserId).raw {
            event.set_note(N::DstUser, event.note(N::SrcUser));
        }
        if event.note(N::Time).raw == b"0" {
            event.set_note(N::Time, Value::default());
        }
        let named = self.own[Own::ActivityName as usize];
        if !row.has(F::EventAction) {
            named.with(|text| row.text(key::EVENT_ACTION, text));
        } else {
            named.with(|text| row.extra_fixed("activity_name", text));
        }
        let class_name = self.own[Own::ClassName as usize];
        class_name.with(|text| row.extra_fixed("class_name", text));
        if let (EventKind::Flow | EventKind::Dns | EventKind::Alert | EventKind::Listener, false) =
            (kind, self.text(Own::Status).is_empty())
        {
            self.own[Own::Status as usize].with(|text| row.extra_fixed("status", text));
        }
        self.network(row);
        event.conclude(record, row, &SOURCES)?;
        self.judged(kind, class, row);
        Ok(())
    }

    /// The activity's number. Where its caption names another one, the record says nothing.
    fn activity(&self) -> Option<u64> {
        let name = self.text(Own::ActivityName);
        let by_name = ACTIVITIES.iter().find(|(known, _)| known.as_bytes() == name).map(|(_, number)| *number);
        let by_type = || self.number(Own::Type).map(|id| id % 100);
        let number = self.number(Own::Activity).or_else(by_type);
        match (number, by_name) {
            (Some(number), Some(named)) if number != named => None,
            (number, named) => number.or(named),
        }
    }

    fn kind(&self, class: u64, event: &Event<'_>, row: &Row<'_>) -> EventKind {
        let ends = !event.note(N::Src).raw.is_empty() && !event.note(N::Dst).raw.is_empty();
        match class {
            3002 => EventKind::Auth,
            2002 | 2003 => EventKind::Other,
            2001..=2999 => EventKind::Alert,
            4003 => EventKind::Dns,
            4001 if self.activity() == Some(7) => EventKind::Listener,
            4009 if !ends => EventKind::Other,
            4000..=4999 if row.has(F::DnsQuery) => EventKind::Dns,
            4000..=4999 => EventKind::Flow,
            1007 => EventKind::Process,
            5012 if self.text(Own::State).eq_ignore_ascii_case(b"listening") => EventKind::Listener,
            5000..=5999 => EventKind::Inventory,
            _ => EventKind::Other,
        }
    }

    /// How an act ended. What `status_id` numbers is another thing for findings, and for traffic it is no outcome.
    fn outcome(&self, class: u64) -> Option<Outcome> {
        match (class / 1000, self.number(Own::StatusId)) {
            (2 | 4 | 5, _) => None,
            (_, Some(1)) => Some(Outcome::Success),
            (_, Some(2)) => Some(Outcome::Failure),
            _ => match self.text(Own::Status) {
                text if text.eq_ignore_ascii_case(b"success") => Some(Outcome::Success),
                text if text.eq_ignore_ascii_case(b"failure") => Some(Outcome::Failure),
                _ => None,
            },
        }
    }

    fn network(&self, row: &mut Row<'_>) {
        let transport =
            [Own::ProtocolNumber, Own::ProtocolName].into_iter().find_map(|own| Transport::parse(self.text(own)));
        row.set_opt(key::TRANSPORT, transport);
        row.set_opt(
            key::DIRECTION,
            match self.number(Own::DirectionId) {
                Some(1) => Some(Direction::Inbound),
                Some(2) => Some(Direction::Outbound),
                Some(3) => Some(Direction::Internal),
                _ => words::direction(self.text(Own::Direction)).filter(|_| !self.text(Own::Direction).is_empty()),
            },
        );
        row.set_opt(
            key::INITIATOR,
            match (self.number(Own::InitiatorId), self.text(Own::Assigned)) {
                (Some(2), _) => Some(Initiator::Destination),
                (Some(1), _) | (None, b"true") => Some(Initiator::Source),
                _ => None,
            },
        );
    }

    /// What a device decided, by number or caption.
    fn verdict(&self) -> Option<Action> {
        let disposed = match self.number(Own::DispositionId) {
            Some(1) => Some(Action::Allow),
            Some(2 | 25) => Some(Action::Deny),
            Some(6) => Some(Action::Drop),
            Some(15 | 17 | 19) => Some(Action::Alert),
            Some(21) => Some(Action::Reset),
            _ => words::action(self.text(Own::Disposition)),
        };
        let acted = || match self.number(Own::ActionId) {
            Some(1) => Some(Action::Allow),
            Some(2) => Some(Action::Deny),
            Some(3) => Some(Action::Alert),
            _ => words::action(self.text(Own::Action)),
        };
        disposed.or_else(acted)
    }

    fn judged(&self, kind: EventKind, class: u64, row: &mut Row<'_>) {
        if !matches!(kind, EventKind::Flow | EventKind::Dns | EventKind::Alert) {
            return;
        }
        let verdict = self.verdict();
        let denied = matches!(verdict, Some(Action::Deny | Action::Drop | Action::Reset));
        // Classes of one application number other things than connections.
        let activity = self.activity().filter(|_| matches!(class, 4001 | 4007));
        let action = match (verdict, activity) {
            (Some(_), _) if denied => verdict,
            (_, Some(1)) => Some(Action::Start),
            (_, Some(2)) => Some(Action::Close),
            (_, Some(3 | 5)) => Some(Action::Reset),
            (_, _) => verdict.or((kind == EventKind::Alert).then_some(Action::Alert)),
        };
        row.clear(F::Action);
        row.set_opt(key::ACTION, action);
        if kind != EventKind::Flow || row.get(key::INITIATOR) == Some(Initiator::Destination) {
            return;
        }
        let answered = row.get(key::BYTES_IN).is_some_and(|bytes| bytes > 0);
        let state = match activity {
            _ if matches!(verdict, Some(Action::Deny | Action::Drop)) => Some(PortState::Filtered),
            Some(1) => Some(PortState::Open),
            Some(2 | 6) if answered => Some(PortState::Open),
            Some(5) => Some(PortState::Closed),
            _ => None,
        };
        row.set_opt(key::PORT_STATE, state);
    }
}
