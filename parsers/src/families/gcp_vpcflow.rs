//! Google Cloud VPC Flow Logs: as `LogEntry`, or the payload alone.
//!
//! A record is one direction of a conversation inside an aggregation interval, as one end's host saw it; both ends' hosts write one,
//! so that traffic inside a network stands twice (`reporter`). Packets are sampled, which is why no record proves that there was
//! none. Nothing tells who began, nor a verdict: those are left to orientation and to the firewall's own log. The time is the
//! entry's `timestamp`, which Google defines as that of the event; first and last packet of the interval, some minutes earlier,
//! are `start` and `end`, and stand in where a payload comes alone. Source: Google Cloud, "About VPC Flow Logs records", and
//! the reference of `LogEntry`.

use schemas::{EventKind, Field, LogSource, RejectKind, Row, key};

use crate::document::{self, Notes, Paths, notes, paths};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, gcp, set_time};

pub(super) struct Family;

static FLOWS: LogSource = LogSource {
    family: "gcp_vpcflow",
    vendor: "Google",
    product: "Google Cloud VPC",
    dataset: "gcp.vpcflow",
    categories: &["network_connection"],
    products: &["gcp"],
    services: &["vpcflow"],
};

notes! { Timestamp, Start, End, Protocol, SrcCountry, DstCountry }

#[rustfmt::skip]
static PATHS: Paths<Note, 128> = {
    use Field::*;
    use self::Note as N;
    paths! {
    "timestamp" Note(N::Timestamp), "receiveTimestamp" Leave, "insertId" Extra, "logName" Extra, "resource.type" Leave,
    "connection.src_ip" Address(key::SRC_IP), "connection.dest_ip" Address(key::DST_IP), "connection.src_port" Field(SrcPort),
    "connection.dest_port" Field(DstPort), "connection.protocol" Note(N::Protocol), "connection.nat_ip" Extra, "connection.nat_port" Extra,
    "bytes_sent" Field(BytesOut), "packets_sent" Field(PacketsOut), "start_time" Note(N::Start), "end_time" Note(N::End), "reporter" Extra,
    "rtt_msec" Extra, "round_trip_time.median_msec" Extra,
    "src_instance.vm_name" Field(SrcHost), "dest_instance.vm_name" Field(DstHost),
    "src_gke_details.pod.pod_name" Field(SrcHost), "dest_gke_details.pod.pod_name" Field(DstHost),
    "src_location.asn" Field(SrcAsn), "dest_location.asn" Field(DstAsn), "src_location.country" Note(N::SrcCountry), "dest_location.country" Note(N::DstCountry),
    }
};

impl Parser for Family {
    fn name(&self) -> &'static str {
        "gcp_vpcflow"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["gcp_vpc_flow"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Objects
    }

    fn detect(&self, record: &Record<'_>, _: &Memory) -> Option<Confidence> {
        gcp::has_member(record, &[b"reporter", b"bytes_sent", b"packets_sent"]).then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut notes = Notes::<NOTES>::default();
        let find = |path: &[u8]| PATHS.get(gcp::inner(path));
        document::read_by(record, row, find, |note, _, value, _| notes.take(note, value))?;
        if !row.has(Field::SrcIp) || !row.has(Field::DstIp) {
            return Err(record.not_this_family("a `connection` with `src_ip` and `dest_ip`"));
        }
        row.log_source(&FLOWS);
        row.set(key::KIND, EventKind::Flow);
        gcp::transport(row, notes.value(Note::Protocol));
        let (start, end) = (instant(record, &notes, Note::Start)?, instant(record, &notes, Note::End)?);
        row.set_opt(key::START, start);
        row.set_opt(key::END, end);
        let lasted = start.zip(end).and_then(|(start, end)| u64::try_from(end.checked_sub(start)?).ok());
        row.set_opt(key::DURATION, lasted);
        let logged = instant(record, &notes, Note::Timestamp)?;
        if let Some(us) = logged.or(end).or(start) {
            set_time(row, us);
        }
        for (note, key, name) in [
            (Note::SrcCountry, key::SRC_COUNTRY, "src_location.country"),
            (Note::DstCountry, key::DST_COUNTRY, "dest_location.country"),
        ] {
            // three letters, as a rule; the field has two
            let country = notes.raw(note);
            if country.len() == 2 { row.text(key, country) } else { row.extra_fixed(name, country) }
        }
        Ok(Parsed::Events)
    }
}

fn instant(record: &Record<'_>, notes: &Notes<'_, NOTES>, note: Note) -> Result<Option<i64>, Refusal> {
    let text = notes.raw(note);
    if text.is_empty() {
        return Ok(None);
    }
    let bad = || record.refuse(text, RejectKind::bad_value("the time", text, "an RFC 3339 time"));
    record.time.iso(text).map(Some).ok_or_else(bad)
}
