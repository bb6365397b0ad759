//! The alert: what a correlation found, with all that a person needs to judge it.
//!
//! The names of its members in JSON are stable and stand in [`Alert::write_json`]; the forms for Elastic and for OCSF
//! are `ecs::write_alert` and `ocsf::write_alert`. One alert is one episode of one rule for one group; the same id
//! comes again with a higher revision as the episode goes on, and the last revision counts.

use std::fmt;
use std::sync::Arc;

use crate::object::{Object, array, object};
use crate::words::{AlertState, AlertStatus, Level, Word};
use crate::write;

/// Identity of an alert: a 128-bit hash of the rule, the tenant, the group and the beginning of the episode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AlertId(pub [u8; 16]);

impl fmt::Display for AlertId {
    /// 32 lower-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A number or text that explains an alert.
#[derive(Clone, Debug, PartialEq)]
pub enum AlertValue {
    /// A whole number: a count, a threshold, microseconds.
    Integer(i64),
    /// A ratio, a percentile.
    Float(f64),
    /// A text.
    Text(String),
    /// Several texts: the distinct values that were counted.
    List(Vec<String>),
}

impl AlertValue {
    /// Appends it as a JSON value; a float that JSON can't say is `null`.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            AlertValue::Integer(value) => write::signed(*value, out),
            AlertValue::Float(value) if value.is_finite() => out.extend_from_slice(format!("{value:?}").as_bytes()),
            AlertValue::Float(_) => out.extend_from_slice(b"null"),
            AlertValue::Text(value) => write::json_string(value.as_bytes(), out),
            AlertValue::List(values) => array(out, values, |out, value| write::json_string(value.as_bytes(), out)),
        }
    }
}

/// What an entity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntityKind {
    /// An address.
    Ip,
    /// A host, by name.
    Host,
    /// An account.
    User,
    /// A port.
    Port,
    /// A service.
    Service,
    /// A process.
    Process,
    /// A domain name.
    Domain,
    /// Anything else.
    Other,
}

impl EntityKind {
    /// Its word in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            EntityKind::Ip => "ip",
            EntityKind::Host => "host",
            EntityKind::User => "user",
            EntityKind::Port => "port",
            EntityKind::Service => "service",
            EntityKind::Process => "process",
            EntityKind::Domain => "domain",
            EntityKind::Other => "other",
        }
    }

    /// What the value of a canonical field is.
    pub fn of_field(name: &str) -> EntityKind {
        match name {
            "host" | "relay" => EntityKind::Host,
            "user" | "src_user" => EntityKind::User,
            "service" | "app_proto" => EntityKind::Service,
            "dns_query" | "http_host" | "tls_sni" => EntityKind::Domain,
            "process_name" | "process_path" => EntityKind::Process,
            _ if name.ends_with("_ip") => EntityKind::Ip,
            _ if name.ends_with("_port") => EntityKind::Port,
            _ if name.ends_with("_host") || name.ends_with("_asset") => EntityKind::Host,
            _ => EntityKind::Other,
        }
    }
}

/// A thing that an alert speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// What it is.
    pub kind: EntityKind,
    /// Canonical field, or vendor field, whose value it is.
    pub field: String,
    /// The value.
    pub value: String,
    /// What the inventory says of it: role, criticality, zone, owner.
    pub detail: Vec<(String, String)>,
}

/// A tactic and technique of MITRE ATT&CK; what is not known is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attack {
    /// `TA0006`.
    pub tactic_id: String,
    /// `Credential Access`.
    pub tactic: String,
    /// `T1110` or, with its sub-technique, `T1110.003`.
    pub technique_id: String,
    /// `Brute Force` or `Brute Force: Password Spraying`.
    pub technique: String,
}

impl Attack {
    /// Id and name of the technique, and of the sub-technique if it is one.
    pub fn technique_parts(&self) -> ((&str, &str), Option<(&str, &str)>) {
        let Some((parent, _)) = self.technique_id.split_once('.') else {
            return ((&self.technique_id, &self.technique), None);
        };
        let (name, sub) = self.technique.split_once(": ").unwrap_or(("", &self.technique));
        ((parent, name), Some((&self.technique_id, sub)))
    }
}

/// A record on which an alert stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Topic or file.
    pub source: Arc<str>,
    /// Partition of the topic; 0 for a file.
    pub partition: i32,
    /// Kafka offset, or line number from 1.
    pub offset: u64,
    /// Which event of the record, 0 unless it held several.
    pub sub: u16,
    /// The event's time, microseconds UTC.
    pub time: i64,
    /// The record as it was received, where it is still at hand.
    pub raw: Option<Vec<u8>>,
}

/// An alert. See the fields of the canonical document in [`Alert::write_json`].
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Identity of the episode.
    pub alert_id: AlertId,
    /// Which telling of it this is, from 1.
    pub revision: u32,
    /// Whether the episode goes on.
    pub status: AlertStatus,
    /// Earlier alerts that this one takes the place of, because a late event changed how the episode began.
    pub supersedes: Vec<AlertId>,
    /// Id of the rule.
    pub rule_id: Arc<str>,
    /// Version of the rule: its own, or a digest of its text.
    pub rule_version: Arc<str>,
    /// Title of the rule.
    pub title: Arc<str>,
    /// Level of the rule.
    pub level: Level,
    /// 0..=100: level, raised or lowered by what is known of the entities.
    pub risk: u8,
    /// 0..=100: how sure the rule's statement is.
    pub confidence: u8,
    /// Whose network it is; empty where there is only one.
    pub tenant: Arc<str>,
    /// Group-by field and its value, in the rule's order.
    pub group: Vec<(String, String)>,
    /// Time of the first event in it, microseconds UTC.
    pub first_seen: i64,
    /// Time of the last event in it.
    pub last_seen: i64,
    /// The time at which the condition first held.
    pub triggered_at: i64,
    /// Events in it.
    pub count: u64,
    /// The numbers that met the condition, and the values that were counted.
    pub values: Vec<(String, AlertValue)>,
    /// The things that it speaks of.
    pub entities: Vec<Entity>,
    /// What ATT&CK calls it.
    pub attack: Arc<[Attack]>,
    /// Whether anything could have been lost that belongs to it.
    pub state: AlertState,
    /// A bounded sample of the records on which it stands.
    pub evidence: Vec<Evidence>,
    /// How many there are in all.
    pub evidence_total: u64,
    /// One sentence for people.
    pub message: String,
    /// What else helps to judge it: condition, false positives, expectations, scanners, change windows.
    pub context: Vec<(String, AlertValue)>,
}

impl Alert {
    /// Appends the canonical document, without a line end. Every member is always there; an empty one is `""`, `[]`, `{}`.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        object(out, |o| {
            o.text("alert_id", self.alert_id.to_string());
            o.number("revision", self.revision);
            o.text("status", self.status.as_str());
            o.texts("supersedes", self.supersedes.iter().map(AlertId::to_string));
            o.text("rule_id", &*self.rule_id);
            o.text("rule_version", &*self.rule_version);
            o.text("title", &*self.title);
            o.text("level", self.level.as_str());
            o.number("risk", self.risk);
            o.number("confidence", self.confidence);
            o.text("tenant", &*self.tenant);
            self.write_group(o.member("group"));
            o.time("first_seen", self.first_seen);
            o.time("last_seen", self.last_seen);
            o.time("triggered_at", self.triggered_at);
            o.count("count", self.count);
            self.write_values(o.member("values"));
            self.write_entities(o.member("entities"));
            self.write_attack(o.member("attack"));
            o.text("state", self.state.as_str());
            self.write_evidence(o.member("evidence"));
            o.count("evidence_total", self.evidence_total);
            o.text("message", &self.message);
            self.write_context(o.member("context"));
        });
    }

    pub(crate) fn write_group(&self, out: &mut Vec<u8>) {
        object(out, |o| self.group.iter().for_each(|(field, value)| o.text(field, value)));
    }

    pub(crate) fn write_values(&self, out: &mut Vec<u8>) {
        object(out, |o| write_named(o, &self.values));
    }

    pub(crate) fn write_context(&self, out: &mut Vec<u8>) {
        object(out, |o| write_named(o, &self.context));
    }

    pub(crate) fn write_entities(&self, out: &mut Vec<u8>) {
        array(out, &self.entities, |out, entity| object(out, |o| write_entity(o, entity)));
    }

    pub(crate) fn write_evidence(&self, out: &mut Vec<u8>) {
        array(out, &self.evidence, |out, evidence| object(out, |o| write_evidence(o, evidence)));
    }

    pub(crate) fn write_attack(&self, out: &mut Vec<u8>) {
        array(out, self.attack.iter(), |out, attack| {
            object(out, |o| {
                o.text("tactic_id", &attack.tactic_id);
                o.text("tactic", &attack.tactic);
                o.text("technique_id", &attack.technique_id);
                o.text("technique", &attack.technique);
            });
        });
    }

    /// The value of a group-by field, or else of the first entity of that field.
    pub fn value_of(&self, field: &str) -> Option<&str> {
        let group = self.group.iter().find(|(name, _)| name == field).map(|(_, value)| value);
        let entity = || self.entities.iter().find(|entity| entity.field == field).map(|entity| &entity.value);
        group.or_else(entity).map(String::as_str)
    }
}

fn write_named(o: &mut Object<'_>, values: &[(String, AlertValue)]) {
    values.iter().for_each(|(name, value)| value.write_json(o.member(name)));
}

fn write_entity(o: &mut Object<'_>, entity: &Entity) {
    o.text("kind", entity.kind.as_str());
    o.text("field", &entity.field);
    o.text("value", &entity.value);
    entity.detail.iter().for_each(|(name, value)| o.text(name, value));
}

fn write_evidence(o: &mut Object<'_>, evidence: &Evidence) {
    o.text("source", &*evidence.source);
    o.number("partition", evidence.partition);
    o.count("offset", evidence.offset);
    if evidence.sub > 0 {
        o.number("sub", evidence.sub);
    }
    o.time("time", evidence.time);
    if let Some(raw) = &evidence.raw {
        o.text("raw", raw);
    }
}
