//! Google Cloud firewall rules logging: as `LogEntry`, or the payload alone.
//!
//! One record a connection, at its first packet, of TCP and UDP only; a connection that is tried again while denied is logged
//! again. The source is the end that began. `instance` is the machine at which the rule was applied, so that the rule's direction tells
//! which end it is. Allowing a first packet proves no open port. Source: Google Cloud, "Firewall Rules Logging", log format.

use schemas::{Action, EventKind, Field, Initiator, LogSource, PortState, Row, key};

use crate::document::{self, Notes, Paths, notes, paths};
use crate::lex::text::rsplit_once;
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, gcp};

pub(super) struct Family;

static RULES: LogSource = LogSource {
    family: "gcp_firewall",
    vendor: "Google",
    product: "Google Cloud VPC",
    dataset: "gcp.firewall",
    categories: &["firewall", "network_connection"],
    products: &["gcp"],
    services: &["firewall"],
};

notes! { Timestamp, Protocol, Disposition, Reference, Direction, Vm, RemoteVm, Country }

#[rustfmt::skip]
static PATHS: Paths<Note, 64> = {
    use Field::*;
    use self::Note as N;
    paths! {
    "timestamp" Note(N::Timestamp), "receiveTimestamp" Leave, "insertId" Extra, "logName" Extra, "resource.type" Leave,
    "connection.src_ip" Address(key::SRC_IP), "connection.dest_ip" Address(key::DST_IP), "connection.src_port" Field(SrcPort),
    "connection.dest_port" Field(DstPort), "connection.protocol" Note(N::Protocol), "disposition" Note(N::Disposition),
    "rule_details.reference" Note(N::Reference), "rule_details.direction" Note(N::Direction), "rule_details.action" Leave,
    "instance.vm_name" Note(N::Vm), "remote_instance.vm_name" Note(N::RemoteVm), "remote_location.country" Note(N::Country),
    }
};

impl Parser for Family {
    fn name(&self) -> &'static str {
        "gcp_firewall"
    }

    fn accepts(&self) -> Accepts {
        Accepts::Objects
    }

    fn detect(&self, record: &Record<'_>, _: &Memory) -> Option<Confidence> {
        gcp::has_member(record, &[b"disposition", b"rule_details"]).then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut notes = Notes::<NOTES>::default();
        let find = |path: &[u8]| PATHS.get(gcp::inner(path));
        document::read_by(record, row, find, |note, _, value, _| notes.take(note, value))?;
        if !row.has(Field::SrcIp) || !row.has(Field::DstIp) || !notes.has(Note::Disposition) {
            return Err(record.not_this_family("a `connection` with both addresses, and a `disposition`"));
        }
        row.log_source(&RULES);
        row.set(key::KIND, EventKind::Flow);
        row.set(key::INITIATOR, Initiator::Source);
        document::time(record, row, "timestamp", notes.value(Note::Timestamp))?;
        gcp::transport(row, notes.value(Note::Protocol));
        document::text(row, key::EVENT_ACTION, notes.value(Note::Disposition));
        match notes.raw(Note::Disposition) {
            b"ALLOWED" => row.set(key::ACTION, Action::Allow),
            b"DENIED" => {
                row.set(key::ACTION, Action::Deny);
                row.set(key::PORT_STATE, PortState::Filtered);
            }
            _ => {}
        }
        // `network:N/firewall:F`; policies have other forms, which stay whole
        let reference = notes.raw(Note::Reference);
        let name = rsplit_once(reference, b'/').and_then(|(_, name)| name.strip_prefix(b"firewall:"));
        row.text(key::RULE_NAME, name.unwrap_or(reference));
        row.text(key::RULE_ID, reference);
        document::extra(row, "direction", notes.value(Note::Direction));
        let inward = match notes.raw(Note::Direction) {
            b"INGRESS" => true,
            b"EGRESS" => false,
            _ => {
                document::extra(row, "instance.vm_name", notes.value(Note::Vm));
                return Ok(Parsed::Events);
            }
        };
        let (here, there, country) = if inward {
            (key::DST_HOST, key::SRC_HOST, key::SRC_COUNTRY)
        } else {
            (key::SRC_HOST, key::DST_HOST, key::DST_COUNTRY)
        };
        document::text(row, here, notes.value(Note::Vm));
        document::text(row, there, notes.value(Note::RemoteVm));
        // three letters, as a rule; the field has two
        let name = notes.raw(Note::Country);
        if name.len() == 2 {
            row.text(country, name)
        } else {
            row.extra_fixed("remote_location.country", name)
        }
        Ok(Parsed::Events)
    }
}
