//! Events and alerts in the Elastic Common Schema 9.4, so that existing dashboards and rules show them as they are.
//!
//! Most members stand in the field table; this file adds what ECS wants beyond it: the categorisation, `related.*`, sums,
//! and values in ECS's own units and spellings (`event.duration` in nanoseconds, hardware addresses with dashes).
//! What ECS has no field for is a keyword under `labels`: our own under their canonical names, the vendor's extras under
//! theirs, with characters that Elasticsearch would read as nesting replaced by `_`.

mod alert;

use std::collections::HashSet;
use std::sync::LazyLock;

pub use self::alert::write_alert;
use crate::batch::FlowBatch;
use crate::fields::{Field, FieldType, key};
use crate::json;
use crate::kinds::Ip;
use crate::object::array;
use crate::tree::Tree;
use crate::words::{Action, EventKind, Outcome, Word};
use crate::write;

/// The version that documents name.
pub const VERSION: &str = "9.4.0";

/// Whether the received line goes into the document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Original {
    /// Only its place.
    #[default]
    Dropped,
    /// As `event.original`.
    Kept,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Member {
    Field(Field),
    /// A field that ECS has as a keyword though it is no text, or that has no place but under `labels`.
    Keyword(Field),
    Version,
    EventKind,
    Category,
    Type,
    Outcome,
    Duration,
    Original,
    ObserverName,
    ObserverIp,
    ObserverType,
    HostName,
    HostIp,
    RuleName,
    RuleId,
    LabelRuleName,
    LabelRuleId,
    SourceAddress,
    DestinationAddress,
    Mac(Field),
    Protocol,
    NetworkType,
    IanaNumber,
    NetworkBytes,
    NetworkPackets,
    Answers,
    ResolvedIp,
    RelatedIp,
    RelatedUser,
    RelatedHosts,
    RecordSource,
    RecordPartition,
    RecordOffset,
    RecordSub,
    /// The extras: written as members of `labels`, last of them.
    Extras,
}

/// Paths that are more than a field's value.
const COMPUTED: &[(&str, Member)] = &[
    ("ecs.version", Member::Version),
    ("event.kind", Member::EventKind),
    ("event.category", Member::Category),
    ("event.type", Member::Type),
    ("event.outcome", Member::Outcome),
    ("event.duration", Member::Duration),
    ("event.original", Member::Original),
    ("observer.name", Member::ObserverName),
    ("observer.ip", Member::ObserverIp),
    ("observer.type", Member::ObserverType),
    ("host.name", Member::HostName),
    ("host.ip", Member::HostIp),
    ("rule.name", Member::RuleName),
    ("rule.id", Member::RuleId),
    ("labels.rule_name", Member::LabelRuleName),
    ("labels.rule_id", Member::LabelRuleId),
    ("source.address", Member::SourceAddress),
    ("destination.address", Member::DestinationAddress),
    ("source.mac", Member::Mac(Field::SrcMac)),
    ("destination.mac", Member::Mac(Field::DstMac)),
    ("network.protocol", Member::Protocol),
    ("network.type", Member::NetworkType),
    ("network.iana_number", Member::IanaNumber),
    ("network.bytes", Member::NetworkBytes),
    ("network.packets", Member::NetworkPackets),
    ("dns.answers", Member::Answers),
    ("dns.resolved_ip", Member::ResolvedIp),
    ("related.ip", Member::RelatedIp),
    ("related.user", Member::RelatedUser),
    ("related.hosts", Member::RelatedHosts),
    ("labels.source", Member::RecordSource),
    ("labels.partition", Member::RecordPartition),
    ("labels.offset", Member::RecordOffset),
    ("labels.sub", Member::RecordSub),
    // `~` sorts after every name, so the extras come last.
    ("labels.~", Member::Extras),
];

/// Fields whose place is taken by a member of [`COMPUTED`].
fn is_computed(field: Field) -> bool {
    field == Field::DnsAnswers || COMPUTED.iter().any(|(path, _)| *path == field.ecs())
}

fn paths() -> Vec<(String, Member)> {
    let fields = Field::ALL.iter().filter(|field| !is_computed(**field)).map(|field| {
        let keyword = field.ecs().starts_with("labels.") || *field == Field::Vlan;
        (field.ecs().to_owned(), if keyword { Member::Keyword(*field) } else { Member::Field(*field) })
    });
    fields.chain(COMPUTED.iter().map(|(path, member)| ((*path).to_owned(), *member))).collect()
}

/// Appends a row as an ECS document, without a line end.
pub fn write_row(batch: &FlowBatch, row: usize, original: Original, out: &mut Vec<u8>) {
    static TREE: LazyLock<Tree<Member>> = LazyLock::new(|| Tree::new(paths()));
    let event = Event::new(batch, row, original);
    TREE.write(out, |member| event.has(*member), |member, out| event.write(*member, out));
}

struct Event<'b> {
    batch: &'b FlowBatch,
    row: usize,
    original: Original,
    kind: EventKind,
    action: Option<Action>,
    /// Whether the log is the host's own and not that of a device that watches others.
    of_host: bool,
}

impl<'b> Event<'b> {
    fn new(batch: &'b FlowBatch, row: usize, original: Original) -> Event<'b> {
        let kind = batch.get(row, key::KIND).unwrap_or(EventKind::Other);
        let of_host = batch.log_source(row).is_some_and(|source| {
            let product = |name| source.products.contains(&name);
            product("windows") || (product("linux") || product("macos")) && !source.categories.contains(&"firewall")
        });
        Event { batch, row, original, kind, action: batch.get(row, key::ACTION), of_host }
    }

    fn has_field(&self, field: Field) -> bool {
        self.batch.has(self.row, field)
    }

    fn has(&self, member: Member) -> bool {
        match member {
            Member::Field(field) | Member::Keyword(field) | Member::Mac(field) => self.has_field(field),
            Member::Version | Member::EventKind | Member::Type | Member::RecordSource => true,
            Member::RecordPartition | Member::RecordOffset => true,
            Member::RecordSub => self.batch.subs()[self.row] > 0,
            Member::Category => !self.category().is_empty(),
            Member::Outcome => self.outcome().is_some(),
            Member::Duration => self.has_field(Field::Duration),
            Member::Original => self.original == Original::Kept,
            Member::ObserverName => !self.of_host && self.has_field(Field::Host),
            Member::ObserverIp => !self.of_host && self.has_field(Field::HostIp),
            Member::ObserverType => self.observer_type().is_some(),
            Member::HostName => self.of_host && self.has_field(Field::Host),
            Member::HostIp => self.of_host && self.has_field(Field::HostIp),
            Member::RuleName => self.has_field(Field::Signature) || self.has_field(Field::RuleName),
            Member::RuleId => self.has_field(Field::SignatureId) || self.has_field(Field::RuleId),
            // Beside a signature the device's own rule has no place in `rule`.
            Member::LabelRuleName => self.has_field(Field::Signature) && self.has_field(Field::RuleName),
            Member::LabelRuleId => self.has_field(Field::SignatureId) && self.has_field(Field::RuleId),
            Member::SourceAddress => self.has_field(Field::SrcIp) || self.has_field(Field::SrcHost),
            Member::DestinationAddress => self.has_field(Field::DstIp) || self.has_field(Field::DstHost),
            Member::Protocol => self.has_field(Field::AppProto),
            Member::NetworkType => self.has_field(Field::SrcIp) || self.has_field(Field::DstIp),
            Member::IanaNumber => self.has_field(Field::Transport),
            Member::NetworkBytes => self.total([Field::BytesTotal, Field::BytesIn, Field::BytesOut]),
            Member::NetworkPackets => self.total([Field::PacketsTotal, Field::PacketsIn, Field::PacketsOut]),
            Member::Answers => self.has_field(Field::DnsAnswers),
            Member::ResolvedIp => self.resolved().next().is_some(),
            Member::RelatedIp => self.related_ips().next().is_some(),
            Member::RelatedUser => self.related([Field::User, Field::SrcUser]).next().is_some(),
            Member::RelatedHosts => self.related([Field::Host, Field::SrcHost, Field::DstHost]).next().is_some(),
            Member::Extras => self.batch.extras(self.row).len() > 0,
        }
    }

    fn write(&self, member: Member, out: &mut Vec<u8>) {
        let (batch, row) = (self.batch, self.row);
        let texts = |out: &mut Vec<u8>, texts: &[&str]| {
            array(out, texts, |out, text| write::json_string(text.as_bytes(), out));
        };
        match member {
            Member::Field(field) => json::write_value(batch, row, field, out),
            Member::Keyword(field) => keyword(batch, row, field, out),
            Member::Version => write::json_string(VERSION.as_bytes(), out),
            Member::EventKind => {
                write::json_string(if self.kind == EventKind::Alert { b"alert" } else { b"event" }, out)
            }
            Member::Category => texts(out, self.category()),
            Member::Type => texts(out, self.types()),
            Member::Outcome => write::json_string(self.outcome().unwrap_or(Outcome::Unknown).as_str().as_bytes(), out),
            Member::Duration => write::decimal(
                batch.get(row, key::DURATION).unwrap_or(0).saturating_mul(1_000).min(i64::MAX as u64),
                out,
            ),
            Member::Original => write::json_string(batch.raw(row), out),
            Member::ObserverName | Member::HostName => json::write_value(batch, row, Field::Host, out),
            Member::ObserverIp | Member::HostIp => {
                array(out, [Field::HostIp], |out, field| json::write_value(batch, row, field, out));
            }
            Member::ObserverType => write::json_string(self.observer_type().unwrap_or("").as_bytes(), out),
            Member::RuleName => self.first(&[Field::Signature, Field::RuleName], out),
            Member::RuleId => self.first(&[Field::SignatureId, Field::RuleId], out),
            Member::LabelRuleName => json::write_value(batch, row, Field::RuleName, out),
            Member::LabelRuleId => json::write_value(batch, row, Field::RuleId, out),
            Member::SourceAddress => self.first(&[Field::SrcIp, Field::SrcHost], out),
            Member::DestinationAddress => self.first(&[Field::DstIp, Field::DstHost], out),
            Member::Mac(field) => mac(batch, row, field, out),
            Member::Protocol => {
                let start = out.len();
                json::write_value(batch, row, Field::AppProto, out);
                out[start..].make_ascii_lowercase();
            }
            Member::NetworkType => {
                let ip = batch.get(row, key::SRC_IP).or_else(|| batch.get(row, key::DST_IP));
                write::json_string(if ip.is_some_and(Ip::is_v4) { b"ipv4" } else { b"ipv6" }, out);
            }
            Member::IanaNumber => {
                out.push(b'"');
                write::decimal(u64::from(batch.get(row, key::TRANSPORT).map_or(0, Word::byte)), out);
                out.push(b'"');
            }
            Member::NetworkBytes => {
                json::write_total(self.batch, self.row, [key::BYTES_TOTAL, key::BYTES_IN, key::BYTES_OUT], out)
            }
            Member::NetworkPackets => {
                json::write_total(self.batch, self.row, [key::PACKETS_TOTAL, key::PACKETS_IN, key::PACKETS_OUT], out)
            }
            Member::Answers => array(out, self.answers(), |out, answer| {
                out.extend_from_slice(b"{\"data\":");
                write::json_string(answer, out);
                out.push(b'}');
            }),
            Member::ResolvedIp => array(out, self.resolved(), address),
            Member::RelatedIp => array(out, self.related_ips(), address),
            Member::RelatedUser => {
                array(out, self.related([Field::User, Field::SrcUser]), |out, text| write::json_string(text, out));
            }
            Member::RelatedHosts => {
                let hosts = self.related([Field::Host, Field::SrcHost, Field::DstHost]);
                array(out, hosts, |out, text| write::json_string(text, out));
            }
            Member::RecordSource => write::json_string(batch.source().as_bytes(), out),
            Member::RecordPartition => quoted(out, |out| write::signed(i64::from(batch.partition()), out)),
            Member::RecordOffset => quoted(out, |out| write::decimal(batch.offsets()[row], out)),
            Member::RecordSub => quoted(out, |out| write::decimal(u64::from(batch.subs()[row]), out)),
            Member::Extras => self.extras(out),
        }
    }

    /// Source of this and the next two: ECS 9.4, "Categorization fields", and its page of expected types.
    fn category(&self) -> &'static [&'static str] {
        match self.kind {
            EventKind::Flow | EventKind::Dns | EventKind::Listener => &["network"],
            EventKind::Auth => &["authentication"],
            EventKind::Alert => &["intrusion_detection", "network"],
            EventKind::Process => &["process"],
            EventKind::Inventory => &["host"],
            EventKind::Other => &[],
        }
    }

    fn types(&self) -> &'static [&'static str] {
        match (self.kind, self.action) {
            (EventKind::Flow, Some(Action::Deny | Action::Drop | Action::Reset)) => &["connection", "denied"],
            (EventKind::Flow, Some(Action::Allow)) => &["connection", "allowed"],
            (EventKind::Flow, Some(Action::Start)) => &["connection", "start", "allowed"],
            (EventKind::Flow, Some(Action::End | Action::Close | Action::Timeout)) => &["connection", "end", "allowed"],
            (EventKind::Flow, Some(Action::Alert | Action::Nat) | None) => &["connection"],
            (EventKind::Dns, _) => &["protocol", "info"],
            (EventKind::Alert, Some(Action::Deny | Action::Drop | Action::Reset)) => &["info", "denied"],
            (EventKind::Alert, Some(Action::Allow)) => &["info", "allowed"],
            (EventKind::Auth | EventKind::Process, Some(Action::End | Action::Close | Action::Timeout)) => &["end"],
            (EventKind::Auth | EventKind::Process, _) => &["start"],
            (EventKind::Alert | EventKind::Listener | EventKind::Inventory | EventKind::Other, _) => &["info"],
        }
    }

    fn outcome(&self) -> Option<Outcome> {
        let stated = self.batch.get(self.row, key::OUTCOME);
        stated
            .or_else(|| match (self.kind, self.action?) {
                (EventKind::Flow, Action::Deny | Action::Drop | Action::Reset) => Some(Outcome::Failure),
                (EventKind::Flow, Action::Allow | Action::Start | Action::End | Action::Close | Action::Timeout) => {
                    Some(Outcome::Success)
                }
                _ => None,
            })
            .or_else(|| {
                let code = self.batch.text(self.row, key::DNS_RCODE).filter(|_| self.kind == EventKind::Dns)?;
                Some(if code.eq_ignore_ascii_case(b"NOERROR") { Outcome::Success } else { Outcome::Failure })
            })
    }

    fn observer_type(&self) -> Option<&'static str> {
        let categories = self.batch.log_source(self.row).filter(|_| !self.of_host)?.categories;
        ["firewall", "ids", "proxy"].into_iter().find(|known| categories.contains(known))
    }

    fn first(&self, fields: &[Field], out: &mut Vec<u8>) {
        json::write_first(self.batch, self.row, fields, out);
    }

    /// Whether a total is known: stated, or the sum of both directions.
    fn total(&self, [total, back, out]: [Field; 3]) -> bool {
        self.has_field(total) || self.has_field(back) || self.has_field(out)
    }

    fn answers(&self) -> impl Iterator<Item = &'b [u8]> + use<'b> {
        let answers = self.batch.text(self.row, key::DNS_ANSWERS).unwrap_or_default();
        answers.split(|byte| *byte == b'\n').filter(|answer| !answer.is_empty())
    }

    fn resolved(&self) -> impl Iterator<Item = Ip> + use<'b> {
        self.answers().filter_map(Ip::parse)
    }

    /// Every address of the event, once.
    fn related_ips(&self) -> impl Iterator<Item = Ip> + use<'b> {
        let keys = [key::SRC_IP, key::DST_IP, key::NAT_SRC_IP, key::NAT_DST_IP, key::HOST_IP];
        let all = keys.map(|key| self.batch.get(self.row, key));
        (0..all.len()).filter_map(move |at| all[at].filter(|ip| !all[..at].contains(&Some(*ip))))
    }

    fn related<const N: usize>(&self, fields: [Field; N]) -> impl Iterator<Item = &'b [u8]> + use<'b, N> {
        let all = fields.map(|field| match self.batch.any_column(field) {
            crate::Column::Text(column) if self.has_field(field) => Some(column.get(self.row)),
            _ => None,
        });
        (0..N).filter_map(move |at| all[at].filter(|text| !all[..at].contains(&Some(*text))))
    }

    /// The extras as further members of the labels: the key that the tree has written is taken back.
    fn extras(&self, out: &mut Vec<u8>) {
        out.truncate(out.len() - "\"~\":".len());
        let mut first = true;
        json::each_extra(self.batch, self.row, label_byte, |name, values| {
            if !first {
                out.push(b',');
            }
            first = false;
            out.push(b'"');
            let start = out.len();
            write::json_inside(name, out);
            out[start..].iter_mut().for_each(|byte| *byte = label_byte(*byte));
            if is_own_label(&out[start..]) || out.len() == start {
                out.splice(start..start, *b"vendor_");
            }
            out.extend_from_slice(b"\":");
            json::write_extra_values(values, out);
        });
    }
}

/// A label's name holds no dot, which would nest, and nothing that has to be escaped in JSON.
fn label_byte(byte: u8) -> u8 {
    match byte {
        b'.' | b'"' | b'\\' | b'*' | b' ' | b',' | b'#' | 0..0x20 | 0x7f => b'_',
        other => other,
    }
}

/// Whether a label of that name is one of ours.
fn is_own_label(name: &[u8]) -> bool {
    static OWN: LazyLock<HashSet<&'static [u8]>> = LazyLock::new(|| {
        let ours = Field::ALL.iter().map(|field| field.ecs()).chain(COMPUTED.iter().map(|(path, _)| *path));
        ours.filter_map(|path| path.strip_prefix("labels.")).map(str::as_bytes).collect()
    });
    OWN.contains(name)
}

fn quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}

fn address(out: &mut Vec<u8>, ip: Ip) {
    quoted(out, |out| write::ip(ip, out));
}

/// A value as a keyword: numbers and flags in quotes.
fn keyword(batch: &FlowBatch, row: usize, field: Field, out: &mut Vec<u8>) {
    let kind = field.field_type();
    match kind {
        FieldType::Long | FieldType::Port | FieldType::Percent => {
            quoted(out, |out| json::write_value(batch, row, field, out));
        }
        FieldType::Word(_) if kind.is_flag() => quoted(out, |out| json::write_value(batch, row, field, out)),
        FieldType::Word(_) | FieldType::Text | FieldType::List | FieldType::Ip | FieldType::Time => {
            json::write_value(batch, row, field, out);
        }
    }
}

/// A hardware address in ECS's spelling: upper-case pairs with dashes (RFC 7042). Any other text as it is.
fn mac(batch: &FlowBatch, row: usize, field: Field, out: &mut Vec<u8>) {
    let crate::Column::Text(column) = batch.any_column(field) else { return };
    let text = column.get(row);
    let digits = || text.iter().filter(|byte| !matches!(byte, b':' | b'-' | b'.'));
    if digits().count() != 12 || !digits().all(u8::is_ascii_hexdigit) {
        return write::json_string(text, out);
    }
    quoted(out, |out| {
        for (at, digit) in digits().enumerate() {
            if at > 0 && at % 2 == 0 {
                out.push(b'-');
            }
            out.push(digit.to_ascii_uppercase());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_is_a_member_and_an_object_at_once() {
        assert_eq!(Tree::collisions(&paths()), Vec::<String>::new());
    }
}
