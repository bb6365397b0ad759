//! Azure flow logs: those of network security groups (versions 1 and 2) and of virtual networks (version 4).
//!
//! A record holds the flows of one network interface in one minute, by rule, each as a tuple of comma-separated values; every
//! tuple becomes a row. Exporters that split the records write one tuple an object, as `flow.0`; that is read, too. The
//! source of a tuple is the end that began, in both directions. Counters are what was counted since the flow's last tuple, so
//! that those of continued (`C`) and ended (`E`) flows add up; where a flow begins or is denied they are empty.
//!
//! Versions 1 and 2 have seconds, a letter for the protocol and a decision of their own; version 4 has milliseconds, the
//! protocol's number, and `D` for denied among the states. Both shapes are told apart by the protocol. A tuple that is damaged
//! is refused alone. Source: Microsoft, "Flow logging for network security groups", "Virtual network flow logs".

use schemas::{
    Action, EventKind, Field, Initiator, Ip, LogSource, PortState, Reject, RejectKind, Row, Transport, key, parse_port,
};

use crate::detect::Keys;
use crate::document;
use crate::lex::json::{self, Value};
use crate::lex::keys::KeyMap;
use crate::lex::text::offset_in;
use crate::lex::time::epoch;
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, set_time};

pub(super) struct Family;

const fn source(product: &'static str, dataset: &'static str, services: &'static [&'static str]) -> LogSource {
    LogSource {
        family: "azure_nsg",
        vendor: "Microsoft",
        product,
        dataset,
        categories: &["firewall", "network_connection"],
        products: &["azure"],
        services,
    }
}

static GROUP: LogSource = source("Network Security Group", "azure.nsgflow", &["nsgflow", "networkwatcher"]);
static NETWORK: LogSource = source("Virtual Network", "azure.vnetflow", &["vnetflow", "networkwatcher"]);

/// Members of the record that go to each of its rows, besides those with a meaning of their own.
const KEPT_MAX: usize = 12;

#[derive(Clone, Copy)]
enum Put {
    Time,
    Mac,
    Operation,
    Category,
    Rule,
    Tuple,
    Flows,
    /// An extra of each row.
    Kept(&'static str),
    Leave,
}

static MEMBERS: KeyMap<Put, 64> = KeyMap::new(&[
    ("time", Put::Time),
    ("macAddress", Put::Mac),
    ("operationName", Put::Operation),
    ("category", Put::Category),
    ("rule", Put::Rule),
    ("flow.0", Put::Tuple),
    ("flowTuple", Put::Tuple),
    ("properties", Put::Flows),
    ("flowRecords", Put::Flows),
    ("resourceId", Put::Kept("resourceId")),
    ("systemId", Put::Kept("systemId")),
    ("flowLogResourceID", Put::Kept("flowLogResourceID")),
    ("targetResourceID", Put::Kept("targetResourceID")),
    ("flowLogGUID", Put::Kept("flowLogGUID")),
    ("aclID", Put::Kept("aclID")),
    // said by the tuple
    ("flow_state", Put::Leave),
    ("version", Put::Leave),
    ("Version", Put::Leave),
    ("flowLogVersion", Put::Leave),
]);

impl Parser for Family {
    fn name(&self) -> &'static str {
        "azure_nsg"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["azure_vnet", "azure_vnet_flow", "azure_nsg_flow", "nsgflow", "vnetflow"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Objects
    }

    fn detect(&self, record: &Record<'_>, _: &Memory) -> Option<Confidence> {
        let keys = record.keys;
        let ours = keys.has(Keys::MAC_ADDRESS) && keys.has_any(Keys::FLOW_TUPLES.and(Keys::PROPERTIES));
        ours.then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut reader = Reader::default();
        let mut tuples: [Value<'_>; TUPLES_MAX] = [Value::Null; TUPLES_MAX];
        let mut count = 0;
        let mut flows = None;
        let mut members = json::members(record.body)?;
        for member in members.by_ref() {
            let member = member?;
            match MEMBERS.get(member.key) {
                Some(Put::Time) => reader.time = member.value,
                Some(Put::Mac) => reader.mac = member.value,
                Some(Put::Operation) => reader.operation = member.value,
                Some(Put::Category) if reader.operation == Value::Null => reader.operation = member.value,
                Some(Put::Rule) => reader.rule = member.value,
                Some(Put::Flows) => {
                    if let Value::Object(object) = member.value {
                        flows = Some(object);
                    }
                }
                Some(Put::Kept(name)) => reader.keep(name, member.value),
                Some(Put::Category | Put::Leave) => {}
                Some(Put::Tuple) | None if count < TUPLES_MAX && is_tuple(member.key, member.value) => {
                    tuples[count] = member.value;
                    count += 1;
                }
                Some(Put::Tuple) | None => {}
            }
        }
        if members.extent() == json::Extent::Truncated {
            return Err(Refusal { at: record.body.len(), kind: RejectKind::Unclosed { what: "the JSON object" } });
        }
        match (flows, count) {
            (Some(flows), _) => reader.flows(record, flows, row)?,
            (None, 0) => return Err(record.not_this_family("`flowRecords`, `properties` with flows, or `flow.0`")),
            (None, _) => {
                for tuple in &tuples[..count] {
                    reader.one(record, *tuple, row)?;
                }
            }
        }
        match reader.first_refusal {
            _ if reader.written => Ok(Parsed::Events),
            Some(refusal) => Err(refusal),
            // a minute without a flow
            None => Ok(Parsed::Nothing),
        }
    }
}

/// Tuples of an object that was split by an exporter: as a rule one.
const TUPLES_MAX: usize = 32;

fn is_tuple(key: &[u8], value: Value<'_>) -> bool {
    (key.starts_with(b"flow.") || key == b"flowTuple") && matches!(value, Value::Text(_))
}

/// What the rows of a record share.
struct Reader<'a> {
    time: Value<'a>,
    mac: Value<'a>,
    operation: Value<'a>,
    rule: Value<'a>,
    acl: Value<'a>,
    kept: [(&'static str, Value<'a>); KEPT_MAX],
    kept_count: usize,
    written: bool,
    first_refusal: Option<Refusal>,
}

impl Default for Reader<'_> {
    fn default() -> Self {
        Reader {
            time: Value::Null,
            mac: Value::Null,
            operation: Value::Null,
            rule: Value::Null,
            acl: Value::Null,
            kept: [("", Value::Null); KEPT_MAX],
            kept_count: 0,
            written: false,
            first_refusal: None,
        }
    }
}

impl<'a> Reader<'a> {
    fn keep(&mut self, name: &'static str, value: Value<'a>) {
        if let Some(slot) = self.kept.get_mut(self.kept_count) {
            *slot = (name, value);
            self.kept_count += 1;
        }
    }

    /// `{"flows":[{"rule","flows":[{"mac","flowTuples"}]}]}`, or `{"flows":[{"aclID","flowGroups":[{"rule","flowTuples"}]}]}`.
    /// Names may stand behind the lists that they are about.
    fn flows(&mut self, record: &Record<'a>, object: &'a [u8], row: &mut Row<'_>) -> Result<(), Refusal> {
        let Some(list) = array(object, b"flows") else {
            return Err(record.refuse(object, RejectKind::Missing { what: "flows" }));
        };
        for outer in objects(list) {
            let outer = outer.map_err(|error| record.refuse_json(list, error))?;
            self.rule = json::member(outer, b"rule").unwrap_or(Value::Null);
            self.acl = json::member(outer, b"aclID").unwrap_or(Value::Null);
            let Some(groups) = array(outer, b"flows").or_else(|| array(outer, b"flowGroups")) else {
                let refusal = record.refuse(outer, RejectKind::Missing { what: "flows or flowGroups" });
                self.refuse(refusal, outer, row);
                continue;
            };
            for inner in objects(groups) {
                let inner = inner.map_err(|error| record.refuse_json(groups, error))?;
                for (name, slot) in [(&b"rule"[..], &mut self.rule), (b"mac", &mut self.mac)] {
                    if let Some(value) = json::member(inner, name) {
                        *slot = value;
                    }
                }
                let Some(tuples) = array(inner, b"flowTuples") else { continue };
                for tuple in json::elements(tuples)? {
                    let tuple = tuple.map_err(|error| record.refuse_json(tuples, error))?;
                    if !self.one(record, tuple, row)? {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// One tuple: its row, or its refusal. Gives whether there is room for more.
    fn one(&mut self, record: &Record<'a>, tuple: Value<'a>, row: &mut Row<'_>) -> Result<bool, Refusal> {
        let room = row.room();
        let full = room.is_err();
        let from = row.position();
        let at = offset_in(record.body, tuple.written()).unwrap_or(0);
        let result = match room {
            Ok(()) => self.row(record, tuple, row),
            Err(kind) => Err(Refusal { at, kind }),
        };
        match result {
            Ok(()) => {
                self.written = true;
                row.another()?;
            }
            Err(refusal) => {
                if !full {
                    row.back_to(from);
                }
                let part = if full { &record.body[at..] } else { tuple.written() };
                self.refuse(refusal, part, row);
            }
        }
        Ok(!full)
    }

    #[cold]
    fn refuse(&mut self, refusal: Refusal, part: &[u8], row: &mut Row<'_>) {
        self.first_refusal.get_or_insert(refusal.clone());
        row.refuse_part(Reject { family: "azure_nsg", offset: refusal.at, kind: refusal.kind }, part);
    }

    fn row(&self, record: &Record<'a>, tuple: Value<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let Value::Text(text) = tuple else {
            return Err(record.refuse(tuple.written(), RejectKind::bad_value("flowTuples", b"", "a text")));
        };
        record.stamp(row);
        let mut parts = text.raw.split(|byte| *byte == b',');
        let mut next =
            |what: &'static str| parts.next().ok_or_else(|| record.refuse(text.raw, RejectKind::Missing { what }));
        let time = next("the tuple's time")?;
        let us = epoch(time).ok_or_else(|| bad(record, "time", time, "seconds or milliseconds since 1970"))?;
        set_time(row, us);
        for (key, what) in [(key::SRC_IP, "source address"), (key::DST_IP, "destination address")] {
            let text = next(what)?;
            row.set(key, Ip::parse(text).ok_or_else(|| bad(record, what, text, "an IPv4 or IPv6 address"))?);
        }
        for (key, what) in [(key::SRC_PORT, "source port"), (key::DST_PORT, "destination port")] {
            let text = next(what)?;
            row.set(key, parse_port(text).ok_or_else(|| bad(record, what, text, "digits 0..=65535"))?);
        }
        let protocol = next("protocol")?;
        let transport = match protocol {
            b"T" => Some(Transport::TCP),
            b"U" => Some(Transport::UDP),
            number => Transport::parse(number).filter(|_| number.iter().all(u8::is_ascii_digit)),
        };
        let transport = transport.ok_or_else(|| bad(record, "protocol", protocol, "T, U, or a number 0..=255"))?;
        row.set(key::TRANSPORT, transport);
        let direction = next("direction")?;
        let inbound = match direction {
            b"I" => true,
            b"O" => false,
            other => return Err(bad(record, "direction", other, "I or O")),
        };
        let is_group = matches!(protocol, b"T" | b"U");
        row.log_source(if is_group { &GROUP } else { &NETWORK });
        let (state, denied) = if is_group {
            let denied = match next("decision")? {
                b"A" => false,
                b"D" => true,
                other => return Err(bad(record, "decision", other, "A or D")),
            };
            // version 1 ends here
            (parts.next().unwrap_or_default(), denied)
        } else {
            let state = next("flow state")?;
            let encryption = next("encryption")?;
            row.extra_fixed("encryption", encryption);
            (state, state == b"D")
        };
        let word = match state {
            b"B" | b"D" | b"" if denied => "deny",
            b"B" => "begin",
            b"C" => "continue",
            b"E" => "end",
            b"" => "",
            other => return Err(bad(record, "flow state", other, "B, C, E or D")),
        };
        row.text(key::CONN_STATE, state);
        if !word.is_empty() {
            row.fixed(key::EVENT_ACTION, word);
        }
        for field in [Field::PacketsOut, Field::BytesOut, Field::PacketsIn, Field::BytesIn] {
            let text = parts.next().unwrap_or_default();
            row.put(field, text).map_err(|kind| record.refuse(text, kind))?;
        }
        row.set(key::KIND, EventKind::Flow);
        row.set(key::ACTION, if denied { Action::Deny } else { Action::Allow });
        row.set(key::INITIATOR, Initiator::Source);
        row.set_opt(key::PORT_STATE, if denied { Some(PortState::Filtered) } else { answered(row, transport) });
        row.extra_fixed("direction", if inbound { b"inbound" } else { b"outbound" });
        document::text(row, if inbound { key::DST_MAC } else { key::SRC_MAC }, self.mac);
        let named = |value: Value<'a>| if value.scalar() == b"unspecified" { Value::Null } else { value };
        document::text(row, key::RULE_NAME, named(self.rule));
        document::text(row, key::EVENT_CODE, self.operation);
        document::extra(row, "aclID", named(self.acl));
        for (name, value) in &self.kept[..self.kept_count] {
            document::extra(row, name, *value);
        }
        document::extra(row, "log_time", self.time);
        Ok(())
    }
}

/// Whether the destination answered as a service. Of TCP an answer may be a reset, which has no more than headers.
fn answered(row: &Row<'_>, transport: Transport) -> Option<PortState> {
    const HEADERS_MAX: u64 = 60;
    let packets = row.get(key::PACKETS_IN).filter(|packets| *packets > 0)?;
    let bytes = row.get(key::BYTES_IN)?;
    let open = match transport {
        Transport::TCP => bytes / packets > HEADERS_MAX,
        Transport::UDP => true,
        _ => false,
    };
    open.then_some(PortState::Open)
}

#[cold]
fn bad(record: &Record<'_>, what: &'static str, found: &[u8], expected: &'static str) -> Refusal {
    record.refuse(found, RejectKind::bad_value(what, found, expected))
}

fn array<'a>(object: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    match json::member(object, name) {
        Some(Value::Array(list)) => Some(list),
        _ => None,
    }
}

/// The objects of an array; what is none is passed over.
fn objects(list: &[u8]) -> impl Iterator<Item = Result<&[u8], json::Error>> {
    json::elements(list).into_iter().flatten().filter_map(|element| match element {
        Ok(Value::Object(object)) => Some(Ok(object)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    })
}
