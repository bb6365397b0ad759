//! Ubiquiti UniFi Network's SIEM export, which is CEF: `CEF:0|Ubiquiti|UniFi Network|9.0|201|Threat Detected and Blocked|7|…`.
//!
//! The dictionary's keys name the ends, keys with the prefix `UNIFI` the rest; older versions have neither an action nor a
//! policy. `UNIFIutcTime` is the event's time. The kernel lines of gateways (USG, EdgeOS, UDM) are netfilter's
//! and are read by that family. Source: Ubiquiti, "UniFi System Logs & SIEM Integration".

use schemas::{Action, Direction, EventKind, Field, Initiator, LogSource, PortState, RejectKind, Row, Transport, key};

use crate::lex::cef;
use crate::lex::keys::KeyMap;
use crate::lex::text::{contains, present};
use crate::transport::set_time;
use crate::{Accepts, At, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

static FIREWALL: LogSource = source("ubiquiti.firewall", &["firewall"], &["firewall"]);
static THREAT: LogSource = source("ubiquiti.threat", &["ids"], &["ips"]);
static EVENT: LogSource = source("ubiquiti.event", &[], &["event"]);

const fn source(
    dataset: &'static str,
    categories: &'static [&'static str],
    services: &'static [&'static str],
) -> LogSource {
    LogSource {
        family: "ubiquiti",
        vendor: "Ubiquiti",
        product: "UniFi Network",
        dataset,
        categories,
        products: &["ubiquiti", "unifi"],
        services,
    }
}

/// What a key is to us.
#[derive(Clone, Copy)]
enum What {
    To(Field),
    Maybe(Field),
    Time,
    Action,
    Direction,
    Category,
}

static KEYS: KeyMap<What, 128> = KeyMap::new(&[
    ("src", What::Maybe(Field::SrcIp)),
    ("spt", What::To(Field::SrcPort)),
    ("dst", What::Maybe(Field::DstIp)),
    ("dpt", What::To(Field::DstPort)),
    ("proto", What::Maybe(Field::Transport)),
    ("app", What::To(Field::AppProto)),
    ("act", What::Action),
    ("msg", What::To(Field::Message)),
    ("smac", What::To(Field::SrcMac)),
    ("dmac", What::To(Field::DstMac)),
    ("shost", What::To(Field::SrcHost)),
    ("dhost", What::To(Field::DstHost)),
    ("deviceInboundInterface", What::To(Field::InInterface)),
    ("deviceOutboundInterface", What::To(Field::OutInterface)),
    ("in", What::Maybe(Field::BytesIn)),
    ("out", What::Maybe(Field::BytesOut)),
    ("suser", What::To(Field::User)),
    ("UNIFIadmin", What::To(Field::User)),
    ("UNIFIcategory", What::Category),
    ("UNIFIpolicyName", What::To(Field::RuleName)),
    ("UNIFIipsSignature", What::To(Field::Signature)),
    ("UNIFIipsSignatureId", What::To(Field::SignatureId)),
    ("UNIFIhost", What::To(Field::Host)),
    ("UNIFIdeviceIp", What::Maybe(Field::HostIp)),
    ("UNIFIclientIp", What::Maybe(Field::SrcIp)),
    ("UNIFIclientMac", What::To(Field::SrcMac)),
    ("UNIFIclientHostname", What::To(Field::SrcHost)),
    ("UNIFIutcTime", What::Time),
    ("UNIFIdirection", What::Direction),
]);

impl Parser for Family {
    fn name(&self) -> &'static str {
        "ubiquiti"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["unifi"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        record.body.starts_with(b"CEF:0|Ubiquiti|").then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let body = record.body;
        let Some((fields, extension)) = cef::header(body).filter(|(fields, _)| fields[1] == b"Ubiquiti") else {
            return Err(record.not_this_family("`CEF:0|Ubiquiti|…` with seven header fields"));
        };
        let [_, _, product, version, id, name, severity] = fields;
        row.text(key::EVENT_CODE, id);
        row.text(key::EVENT_ACTION, name);
        row.set_opt(key::SEVERITY, schemas::parse_u64(severity.trim_ascii()));
        row.extra_fixed("product", product);
        row.extra_fixed("version", version);
        let base = body.len() - extension.len();
        let (mut action, mut direction, mut category) = (&b""[..], &b""[..], &b""[..]);
        for pair in cef::pairs(extension) {
            let at = base + pair.offset + pair.key.len() + 1;
            let Some(value) = present(pair.value) else { continue };
            match KEYS.get(pair.key) {
                // the line's own host is better than the relay's
                Some(What::To(field)) if field == Field::Host || !row.has(field) => row.put(field, value).at(at)?,
                Some(What::Maybe(field)) if row.put(field, value).is_ok() => {}
                Some(What::Time) => match record.time.iso(value) {
                    Some(us) => set_time(row, us),
                    None => {
                        let kind = RejectKind::bad_value("UNIFIutcTime", value, "a time in RFC 3339");
                        return Err(Refusal { at, kind });
                    }
                },
                Some(What::Action) => action = value,
                Some(What::Direction) => direction = value,
                Some(What::Category) => category = value,
                _ => row.extra(pair.key, value),
            }
        }
        let threat = id == b"201" || row.has(Field::Signature);
        if threat {
            row.text(key::SIGNATURE_CLASS, category);
        } else {
            row.extra_fixed("category", category);
        }
        conclude(threat, name, action, direction, row);
        Ok(Parsed::Events)
    }
}

fn conclude(threat: bool, name: &[u8], act: &[u8], direction: &[u8], row: &mut Row<'_>) {
    row.set_opt(
        key::DIRECTION,
        match direction {
            b"incoming" => Some(Direction::Inbound),
            b"outgoing" => Some(Direction::Outbound),
            _ => None,
        },
    );
    row.extra_fixed("act", act);
    let blocked = act.starts_with(b"block") || act.starts_with(b"drop") || contains(name, b"Blocked");
    if threat {
        row.log_source(&THREAT);
        row.set(key::KIND, EventKind::Alert);
        if !row.has(Field::Signature) {
            row.text(key::SIGNATURE, name);
        }
        row.set(key::ACTION, if blocked { Action::Deny } else { Action::Alert });
        return;
    }
    let flow = row.has(Field::SrcIp) && row.has(Field::DstIp) && row.has(Field::Transport);
    if !flow {
        row.log_source(&EVENT);
        row.set(key::KIND, EventKind::Other);
        return;
    }
    row.log_source(&FIREWALL);
    row.set(key::KIND, EventKind::Flow);
    row.set(key::INITIATOR, Initiator::Source);
    if blocked {
        row.set(key::ACTION, Action::Deny);
        if matches!(row.get(key::TRANSPORT), Some(Transport::TCP | Transport::UDP)) {
            row.set(key::PORT_STATE, PortState::Filtered);
        }
    } else if act.starts_with(b"allow") || act.starts_with(b"accept") {
        row.set(key::ACTION, Action::Allow);
    }
}
