//! Events and alerts in the Open Cybersecurity Schema Framework 1.8.
//!
//! Which class an event is follows from its kind: Network Activity 4001, DNS Activity 4003, Authentication 3002, Detection
//! Finding 2004 (what an IDS says), Process Activity 1007, and the base event for the rest and for those that lack
//! what their class demands (an event without either end is no network activity). Ids are numbers with a text twin where the source
//! has its own word. Every field without a home in its class stands under `unmapped`, so that nothing is lost.

mod alert;
mod ids;

use std::sync::LazyLock;

pub use self::alert::write_alert;
use self::ids::Class;
use crate::batch::FlowBatch;
use crate::fields::{Field, FieldType, key};
use crate::json;
use crate::kinds::Ip;
use crate::object::{array, object};
use crate::tree::Tree;
use crate::words::{Direction, EventKind, Outcome, Word};
use crate::write;

/// The version that documents name.
pub const VERSION: &str = "1.8.0";

/// Whether the received line goes into the document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RawData {
    /// Only its place.
    #[default]
    Dropped,
    /// As `raw_data`.
    Kept,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Member {
    /// By its type; times and durations in milliseconds.
    Field(Field),
    /// A text in lower case.
    Lower(Field),
    Uid(Uid),
    Time,
    Uuid,
    Version,
    ProductName,
    Profiles,
    Severity,
    Status,
    StatusText,
    Action,
    Disposition,
    DirectionId,
    ProtocolNumber,
    IpVersion,
    AssignmentKnown,
    TrafficBytes,
    TrafficPackets,
    RcodeId,
    Answers,
    AuthProtocol,
    LogonType,
    LogonTarget,
    LogonTargetIp,
    LogonTargetPort,
    LogonService,
    UserName,
    UserType,
    FindingUid,
    FindingTitle,
    AnalyticName,
    AnalyticType,
    IsAlert,
    ProcessName,
    ActorApp,
    DeviceType,
    Observables,
    RawData,
    Extras,
}

/// The numbers that name the class.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Uid {
    Category,
    Class,
    Activity,
    Type,
}

/// Members that every class has beside its fields.
const COMMON: &[(&str, Member)] = &[
    ("activity_id", Member::Uid(Uid::Activity)),
    ("category_uid", Member::Uid(Uid::Category)),
    ("class_uid", Member::Uid(Uid::Class)),
    ("type_uid", Member::Uid(Uid::Type)),
    ("time", Member::Time),
    ("severity_id", Member::Severity),
    ("metadata.version", Member::Version),
    ("metadata.uid", Member::Uuid),
    ("metadata.product.name", Member::ProductName),
    ("metadata.profiles", Member::Profiles),
    ("status_id", Member::Status),
    ("observables", Member::Observables),
    ("raw_data", Member::RawData),
    ("unmapped.extras", Member::Extras),
];

const NETWORK: &[(&str, Member)] = &[
    ("action_id", Member::Action),
    ("disposition_id", Member::Disposition),
    ("connection_info.direction_id", Member::DirectionId),
    ("connection_info.protocol_num", Member::ProtocolNumber),
    ("connection_info.protocol_ver_id", Member::IpVersion),
    ("is_src_dst_assignment_known", Member::AssignmentKnown),
    ("traffic.bytes", Member::TrafficBytes),
    ("traffic.packets", Member::TrafficPackets),
    ("app_protocol_name", Member::Lower(Field::AppProto)),
];

const DNS: &[(&str, Member)] = &[
    ("action_id", Member::Action),
    ("disposition_id", Member::Disposition),
    ("connection_info.direction_id", Member::DirectionId),
    ("connection_info.protocol_num", Member::ProtocolNumber),
    ("connection_info.protocol_ver_id", Member::IpVersion),
    ("traffic.bytes", Member::TrafficBytes),
    ("traffic.packets", Member::TrafficPackets),
    ("app_protocol_name", Member::Lower(Field::AppProto)),
    ("rcode_id", Member::RcodeId),
    ("answers", Member::Answers),
];

const AUTHENTICATION: &[(&str, Member)] = &[
    ("status", Member::StatusText),
    ("user.name", Member::UserName),
    ("user.type_id", Member::UserType),
    ("auth_protocol_id", Member::AuthProtocol),
    ("logon_type_id", Member::LogonType),
    ("dst_endpoint.hostname", Member::LogonTarget),
    ("dst_endpoint.ip", Member::LogonTargetIp),
    ("dst_endpoint.port", Member::LogonTargetPort),
    ("service.name", Member::LogonService),
];

const FINDING: &[(&str, Member)] = &[
    ("action_id", Member::Action),
    ("disposition_id", Member::Disposition),
    ("is_alert", Member::IsAlert),
    ("finding_info.uid", Member::FindingUid),
    ("finding_info.title", Member::FindingTitle),
    ("finding_info.analytic.name", Member::AnalyticName),
    ("finding_info.analytic.type_id", Member::AnalyticType),
    ("evidences[].connection_info.direction_id", Member::DirectionId),
    ("evidences[].connection_info.protocol_num", Member::ProtocolNumber),
];

const PROCESS: &[(&str, Member)] = &[
    ("status", Member::StatusText),
    ("process.name", Member::ProcessName),
    ("actor.app_name", Member::ActorApp),
    ("device.type_id", Member::DeviceType),
];

fn computed(class: Class) -> &'static [(&'static str, Member)] {
    match class {
        Class::Network => NETWORK,
        Class::Dns => DNS,
        Class::Authentication => AUTHENTICATION,
        Class::Finding => FINDING,
        Class::Process => PROCESS,
        Class::Base => &[],
    }
}

/// Where a field stands in a class.
fn path(class: Class, field: Field) -> String {
    let path = field.ocsf();
    let begins =
        |prefixes: &[&str]| prefixes.iter().any(|prefix| path == *prefix || path.starts_with(&format!("{prefix}.")));
    let base = begins(&[
        "metadata",
        "device",
        "message",
        "count",
        "duration",
        "start_time",
        "end_time",
        "status_detail",
        "status_code",
    ]);
    let found = match class {
        _ if base => Some(path.to_owned()),
        Class::Network | Class::Dns if begins(&["user", "process"]) => Some(format!("actor.{path}")),
        Class::Network
            if begins(&[
                "src_endpoint",
                "dst_endpoint",
                "connection_info",
                "traffic",
                "firewall_rule",
                "tls",
                "url",
                "action",
            ]) =>
        {
            Some(path.to_owned())
        }
        Class::Dns
            if begins(&[
                "src_endpoint",
                "dst_endpoint",
                "connection_info",
                "traffic",
                "firewall_rule",
                "tls",
                "action",
                "query",
                "rcode",
            ]) =>
        {
            Some(path.to_owned())
        }
        Class::Authentication => match field {
            Field::SessionId => Some("session.uid".to_owned()),
            Field::Service => Some("unmapped.service".to_owned()),
            _ if begins(&["process"]) => Some(format!("actor.{path}")),
            _ if begins(&["src_endpoint", "dst_endpoint", "user", "actor", "auth_protocol"]) => Some(path.to_owned()),
            _ => None,
        },
        Class::Finding if begins(&["src_endpoint", "dst_endpoint", "connection_info", "user", "process"]) => {
            Some(format!("evidences[].{path}"))
        }
        Class::Finding if begins(&["finding_info", "firewall_rule", "action"]) => Some(path.to_owned()),
        Class::Process if begins(&["process"]) => Some(path.to_owned()),
        Class::Process if begins(&["user"]) => Some(format!("actor.{path}")),
        Class::Network | Class::Dns | Class::Finding | Class::Process | Class::Base => None,
    };
    found.unwrap_or_else(|| format!("unmapped.{}", field.name()))
}

fn paths(class: Class) -> Vec<(String, Member)> {
    let special: Vec<(&str, Member)> = COMMON.iter().chain(computed(class)).copied().collect();
    let taken = |path: &str| special.iter().any(|(other, _)| *other == path);
    // Said by a member of its own in every class.
    let said = |field: Field| matches!(field, Field::Time | Field::Outcome | Field::Kind);
    let fields = Field::ALL.iter().filter(|field| !said(**field)).filter_map(|field| {
        let at = path(class, *field);
        let by_member = taken(&at) || (*field == Field::DnsAnswers && class == Class::Dns);
        (!by_member).then_some((at, Member::Field(*field)))
    });
    // What a class says only by an id, or by a name that it may have to invent, keeps its own word.
    let kept = [
        (Field::Action, "unmapped.action"),
        (Field::Direction, "unmapped.direction"),
        (Field::LogonType, "unmapped.logon_type"),
    ];
    let kept = kept.into_iter().filter(|(field, _)| taken(&path(class, *field)));
    let kept = kept.map(|(field, at)| (at.to_owned(), Member::Field(field)));
    let outcome = (class != Class::Authentication && class != Class::Process)
        .then(|| ("unmapped.outcome".to_owned(), Member::Field(Field::Outcome)));
    let kind = ("unmapped.kind".to_owned(), Member::Field(Field::Kind));
    let special = special.iter().map(|(path, member)| ((*path).to_owned(), *member));
    fields.chain(kept).chain(outcome).chain([kind]).chain(special).collect()
}

/// Appends a row as an OCSF event, without a line end.
pub fn write_row(batch: &FlowBatch, row: usize, raw_data: RawData, out: &mut Vec<u8>) {
    static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| Class::ALL.iter().map(|class| Form::new(*class)).collect());
    let class = class_of(batch, row);
    if let Some(form) = FORMS.iter().find(|form| form.class == class) {
        let event = Event { batch, row, raw_data, class, kind: kind_of(batch, row), observed: &form.observed };
        form.tree.write(out, |member| event.has(*member), |member, out| event.write(*member, out));
    }
}

/// What is known of a class before any row: made once.
struct Form {
    class: Class,
    tree: Tree<Member>,
    /// Fields that are observables: with OCSF's type of each, and the path at which its value stands.
    observed: Vec<(Field, u8, String)>,
}

impl Form {
    fn new(class: Class) -> Form {
        const OBSERVED: [(Field, u8); 7] = [
            (Field::SrcIp, 2),
            (Field::DstIp, 2),
            (Field::SrcHost, 1),
            (Field::DstHost, 1),
            (Field::Host, 1),
            (Field::User, 4),
            (Field::SrcUser, 4),
        ];
        let named = OBSERVED.map(|(field, type_id)| (field, type_id, path(class, field).replace("[]", "[0]")));
        Form { class, tree: Tree::new(paths(class)), observed: named.to_vec() }
    }
}

fn kind_of(batch: &FlowBatch, row: usize) -> EventKind {
    batch.get(row, key::KIND).unwrap_or(EventKind::Other)
}

fn class_of(batch: &FlowBatch, row: usize) -> Class {
    let has = |field| batch.has(row, field);
    let end = [Field::SrcIp, Field::DstIp, Field::SrcHost, Field::DstHost].into_iter().any(has);
    match kind_of(batch, row) {
        EventKind::Flow | EventKind::Listener if end => Class::Network,
        EventKind::Dns if end => Class::Dns,
        EventKind::Auth => Class::Authentication,
        EventKind::Alert => Class::Finding,
        EventKind::Process => Class::Process,
        EventKind::Flow | EventKind::Listener | EventKind::Dns | EventKind::Inventory | EventKind::Other => Class::Base,
    }
}

struct Event<'b> {
    batch: &'b FlowBatch,
    row: usize,
    raw_data: RawData,
    class: Class,
    kind: EventKind,
    observed: &'b [(Field, u8, String)],
}

impl<'b> Event<'b> {
    fn has_field(&self, field: Field) -> bool {
        self.batch.has(self.row, field)
    }

    fn any(&self, fields: &[Field]) -> bool {
        fields.iter().any(|field| self.has_field(*field))
    }

    fn has(&self, member: Member) -> bool {
        match member {
            Member::Field(field) | Member::Lower(field) => self.has_field(field),
            Member::Uid(_) | Member::Time | Member::Uuid | Member::Version | Member::ProductName => true,
            Member::Severity | Member::DirectionId | Member::UserName | Member::IsAlert => true,
            Member::FindingUid | Member::FindingTitle | Member::AnalyticName | Member::AnalyticType => true,
            Member::ProcessName | Member::DeviceType => true,
            Member::Profiles => !self.profiles().is_empty(),
            Member::Status => self.status() != 0,
            Member::StatusText => self.has_field(Field::Outcome),
            Member::Action | Member::Disposition => self.has_field(Field::Action),
            Member::ProtocolNumber => self.has_field(Field::Transport),
            Member::IpVersion => self.any(&[Field::SrcIp, Field::DstIp]),
            // Said only where it is known that it is not known.
            Member::AssignmentKnown => !self.any(&[Field::Initiator, Field::ClientIp]),
            Member::TrafficBytes => self.any(&[Field::BytesTotal, Field::BytesIn, Field::BytesOut]),
            Member::TrafficPackets => self.any(&[Field::PacketsTotal, Field::PacketsIn, Field::PacketsOut]),
            Member::RcodeId => self.has_field(Field::DnsRcode),
            Member::Answers => self.has_field(Field::DnsAnswers),
            Member::AuthProtocol => self.has_field(Field::AuthMethod),
            Member::LogonType => self.has_field(Field::LogonType),
            Member::LogonTarget => self.any(&[Field::DstHost, Field::Host]),
            Member::LogonTargetIp => self.any(&[Field::DstIp, Field::HostIp]),
            Member::LogonTargetPort => self.has_field(Field::DstPort),
            // The class demands a service or a destination.
            Member::LogonService => {
                self.any(&[Field::Service, Field::AppProto])
                    || !self.any(&[Field::DstHost, Field::Host, Field::DstIp, Field::HostIp, Field::DstPort])
            }
            Member::UserType => !self.has_field(Field::User),
            Member::ActorApp => !self.any(&[Field::User, Field::UserDomain, Field::UserId]),
            Member::Observables => self.observables().next().is_some(),
            Member::RawData => self.raw_data == RawData::Kept,
            Member::Extras => self.batch.extras(self.row).len() > 0,
        }
    }

    fn write(&self, member: Member, out: &mut Vec<u8>) {
        let (batch, row) = (self.batch, self.row);
        let number = |number: u64, out: &mut Vec<u8>| write::decimal(number, out);
        let text = |text: &[u8], out: &mut Vec<u8>| write::json_string(text, out);
        match member {
            Member::Field(field) => self.value(field, out),
            Member::Lower(field) => {
                let start = out.len();
                json::write_value(batch, row, field, out);
                out[start..].make_ascii_lowercase();
            }
            Member::Uid(uid) => {
                let class = self.class.uid();
                let activity = self.class.activity(self.kind, batch, row);
                number(
                    match uid {
                        Uid::Category => class / 1_000,
                        Uid::Class => class,
                        Uid::Activity => activity,
                        Uid::Type => class * 100 + activity,
                    },
                    out,
                );
            }
            Member::Time => milliseconds(batch.get(row, key::TIME).unwrap_or(0), out),
            Member::Uuid | Member::FindingUid => self.uuid(out),
            Member::Version => text(VERSION.as_bytes(), out),
            Member::ProductName => text(batch.text(row, key::PRODUCT).unwrap_or(b"unknown"), out),
            Member::Profiles => array(out, self.profiles(), |out, profile| text(profile.as_bytes(), out)),
            Member::Severity => number(ids::severity(self.kind, batch, row), out),
            Member::Status => number(self.status(), out),
            Member::StatusText => json::write_value(batch, row, Field::Outcome, out),
            Member::Action => number(ids::action(batch.get(row, key::ACTION)), out),
            Member::Disposition => number(ids::disposition(batch.get(row, key::ACTION)), out),
            Member::DirectionId => number(
                match batch.get(row, key::DIRECTION) {
                    None => 0,
                    Some(Direction::Inbound) => 1,
                    Some(Direction::Outbound) => 2,
                    Some(Direction::Internal) => 3,
                    Some(Direction::External) => 99,
                },
                out,
            ),
            Member::ProtocolNumber => number(u64::from(batch.get(row, key::TRANSPORT).map_or(0, Word::byte)), out),
            Member::IpVersion => {
                let ip = batch.get(row, key::SRC_IP).or_else(|| batch.get(row, key::DST_IP));
                number(if ip.is_some_and(Ip::is_v4) { 4 } else { 6 }, out);
            }
            Member::AssignmentKnown => out.extend_from_slice(b"false"),
            Member::TrafficBytes => {
                json::write_total(self.batch, self.row, [key::BYTES_TOTAL, key::BYTES_IN, key::BYTES_OUT], out)
            }
            Member::TrafficPackets => {
                json::write_total(self.batch, self.row, [key::PACKETS_TOTAL, key::PACKETS_IN, key::PACKETS_OUT], out)
            }
            Member::RcodeId => number(ids::rcode(batch.text(row, key::DNS_RCODE).unwrap_or_default()), out),
            Member::Answers => {
                let answers = batch.text(row, key::DNS_ANSWERS).unwrap_or_default().split(|byte| *byte == b'\n');
                array(out, answers, |out, answer| object(out, |o| o.text("rdata", answer)));
            }
            Member::AuthProtocol => {
                number(ids::auth_protocol(batch.text(row, key::AUTH_METHOD).unwrap_or_default()), out)
            }
            Member::LogonType => number(ids::logon_type(batch.get(row, key::LOGON_TYPE).unwrap_or(0)), out),
            Member::LogonTarget => self.first(&[Field::DstHost, Field::Host], out),
            Member::LogonTargetIp => self.first(&[Field::DstIp, Field::HostIp], out),
            Member::LogonTargetPort => json::write_value(batch, row, Field::DstPort, out),
            Member::LogonService if self.any(&[Field::Service, Field::AppProto]) => {
                self.first(&[Field::Service, Field::AppProto], out);
            }
            Member::LogonService => text(batch.text(row, key::PRODUCT).unwrap_or(b"unknown"), out),
            Member::UserName => text(batch.text(row, key::USER).unwrap_or(b"unknown"), out),
            Member::UserType | Member::DeviceType => number(0, out),
            Member::FindingTitle if self.any(&[Field::Signature, Field::Message]) => {
                self.first(&[Field::Signature, Field::Message], out);
            }
            Member::AnalyticName if self.any(&[Field::Signature, Field::SignatureId]) => {
                self.first(&[Field::Signature, Field::SignatureId], out);
            }
            Member::FindingTitle | Member::AnalyticName => {
                text(batch.text(row, key::PRODUCT).unwrap_or(b"unknown"), out)
            }
            Member::AnalyticType => number(1, out),
            Member::IsAlert => out.extend_from_slice(b"true"),
            Member::ProcessName => {
                let path = || batch.text(row, key::PROCESS_PATH);
                let last = |path: &'b [u8]| path.rsplit(|byte| matches!(byte, b'/' | b'\\')).next();
                text(batch.text(row, key::PROCESS_NAME).or_else(|| path().and_then(last)).unwrap_or(b"unknown"), out);
            }
            Member::ActorApp => text(batch.text(row, key::PRODUCT).unwrap_or(b"unknown"), out),
            Member::Observables => array(out, self.observables(), |out, (field, type_id, name)| {
                object(out, |o| {
                    o.text("name", name);
                    o.number("type_id", *type_id);
                    json::write_value(batch, row, *field, o.member("value"));
                });
            }),
            Member::RawData => text(batch.raw(row), out),
            Member::Extras => json::write_extras(batch, row, out),
        }
    }

    /// A field's value; OCSF has times and durations in milliseconds.
    fn value(&self, field: Field, out: &mut Vec<u8>) {
        match (field.field_type(), self.batch.any_column(field)) {
            (FieldType::Time, crate::Column::Time(times)) => milliseconds(times[self.row], out),
            _ if field == Field::Duration => {
                write::decimal(self.batch.get(self.row, key::DURATION).unwrap_or(0) / 1_000, out);
            }
            _ => json::write_value(self.batch, self.row, field, out),
        }
    }

    /// Where the record lies names the event: the same after a replay.
    fn uuid(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        write::json_inside(self.batch.source().as_bytes(), out);
        for number in [i64::from(self.batch.partition()), self.batch.offsets()[self.row] as i64] {
            out.push(b'/');
            write::signed(number, out);
        }
        if self.batch.subs()[self.row] > 0 {
            out.push(b'/');
            write::decimal(u64::from(self.batch.subs()[self.row]), out);
        }
        out.push(b'"');
    }

    fn profiles(&self) -> &'static [&'static str] {
        let host = self.any(&[Field::Host, Field::HostIp, Field::User, Field::ProcessName, Field::ProcessPath]);
        let control = matches!(self.class, Class::Network | Class::Dns | Class::Finding)
            && self.any(&[Field::Action, Field::EventAction, Field::RuleName, Field::RuleId]);
        match (host, control) {
            (false, false) => &[],
            (true, false) => &["host"],
            (false, true) => &["security_control"],
            (true, true) => &["host", "security_control"],
        }
    }

    /// Success and failure of the activity; a finding's status is an analyst's business and begins as new.
    fn status(&self) -> u64 {
        if self.class == Class::Finding {
            return 1;
        }
        match self.batch.get(self.row, key::OUTCOME) {
            Some(Outcome::Success) => 1,
            Some(Outcome::Failure) => 2,
            Some(Outcome::Unknown) | None => match ids::action(self.batch.get(self.row, key::ACTION)) {
                allowed @ 1 => allowed,
                denied @ 2 => denied,
                _ => 0,
            },
        }
    }

    fn first(&self, fields: &[Field], out: &mut Vec<u8>) {
        json::write_first(self.batch, self.row, fields, out);
    }

    /// Addresses, names and accounts that one searches for.
    fn observables(&self) -> impl Iterator<Item = &'b (Field, u8, String)> + '_ {
        self.observed.iter().filter(|(field, _, _)| self.has_field(*field))
    }
}

fn milliseconds(us: i64, out: &mut Vec<u8>) {
    write::signed(us.div_euclid(1_000), out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_of_any_class_is_a_member_and_an_object_at_once() {
        for class in Class::ALL {
            assert_eq!(Tree::collisions(&paths(*class)), Vec::<String>::new(), "{class:?}");
        }
    }
}
