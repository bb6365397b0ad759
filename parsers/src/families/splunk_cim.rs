//! JSON in the terms of Splunk's Common Information Model: exports of a search, and what HTTP event collectors are sent.
//!
//! Field names are the model's; which of its data models a record is of is said by its tags, else follows from the fields.
//! `source` and `host` are the log's, not an end's. `src` and `dest` are addresses or names. Add-ons read `bytes_in` and `bytes_out`
//! from either end, so only the sum is taken. Of several values the first counts. A raw line beside the fields (`_raw`) is an
//! envelope if a family knows it.
//!
//! Source: Splunk, "Common Information Model Add-on Manual": Authentication, Network Traffic, Network Resolution, Intrusion
//! Detection, Malware, Web, Endpoint (Ports, Processes), Change.

use schemas::{Direction, EventKind, Field as F, RejectKind, Row, key};

use crate::detect::Keys;
use crate::generic::Put::{Again, Answer, Extra, Leave, Maybe, Note, To};
use crate::generic::{Event, Note as N, Put, Sources, Value, keys, sources, words};
use crate::lex::json::{self, Extent};
use crate::lex::keys::KeyMap;
use crate::lex::text::decimal;
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

static SOURCES: Sources = sources("splunk_cim");

static KEYS: KeyMap<Put, 512> = KeyMap::new(keys! {
    Note(N::Time) => "_time";
    Note(N::Noticed) => "time" "timestamp";
    Note(N::Start) => "start_time";
    Note(N::End) => "end_time";
    Note(N::Seconds) => "duration";
    // an address where both are given
    Note(N::Src) => "src_ip";
    Note(N::Dst) => "dest_ip";
    Maybe(F::SrcPort) => "src_port";
    Maybe(F::DstPort) => "dest_port";
    Again(F::SrcHost) => "src_host" "src_nt_host" "src_dns";
    Again(F::DstHost) => "dest_host" "dest_nt_host" "dest_dns";
    Maybe(F::SrcMac) => "src_mac";
    Maybe(F::DstMac) => "dest_mac";
    Maybe(F::SrcZone) => "src_zone";
    Maybe(F::DstZone) => "dest_zone";
    Maybe(F::InInterface) => "src_interface" "inbound_interface";
    Maybe(F::OutInterface) => "dest_interface" "outbound_interface";
    Note(N::NatSrc) => "src_translated_ip";
    Note(N::NatDst) => "dest_translated_ip";
    Maybe(F::NatSrcPort) => "src_translated_port";
    Maybe(F::NatDstPort) => "dest_translated_port";
    Note(N::Transport) => "transport";
    Maybe(F::AppProto) => "app" "application";
    Note(N::Action) => "action";
    To(F::Reason) => "reason" "failure_reason";
    Note(N::User) => "user";
    Note(N::SrcUser) => "src_user";
    Note(N::DstUserId) => "user_id";
    Note(N::SrcUserId) => "src_user_id";
    Note(N::DstDomain) => "dest_nt_domain" "user_domain";
    Note(N::SrcDomain) => "src_nt_domain" "src_user_domain";
    Maybe(F::AuthMethod) => "authentication_method";
    Maybe(F::SessionId) => "session_id";
    Maybe(F::BytesTotal) => "bytes";
    Maybe(F::PacketsTotal) => "packets";
    Maybe(F::RuleName) => "rule";
    Maybe(F::RuleId) => "rule_id";
    Maybe(F::TcpFlags) => "tcp_flag";
    Maybe(F::Vlan) => "vlan";
    Maybe(F::IcmpType) => "icmp_type";
    Maybe(F::IcmpCode) => "icmp_code";
    Note(N::Severity) => "severity";
    Maybe(F::Severity) => "severity_id";
    Note(N::Category) => "category";
    Again(F::Vendor) => "vendor";
    Again(F::Product) => "product" "vendor_product";
    Note(N::HostAddress) => "dvc";
    Note(N::Host) => "host";
    To(F::DnsQuery) => "query";
    Maybe(F::DnsType) => "record_type" "query_type";
    Maybe(F::DnsRcode) => "reply_code";
    Answer => "answer";
    Maybe(F::HttpMethod) => "http_method";
    Again(F::Url) => "url" "uri_path";
    Maybe(F::HttpHost) => "site" "url_domain";
    Maybe(F::UserAgent) => "http_user_agent";
    Note(N::Process) => "process_path" "process_name";
    Maybe(F::ProcessId) => "process_id";
    Maybe(F::ProcessCommand) => "process";
    Maybe(F::ParentPath) => "parent_process_path" "parent_process_name";
    Maybe(F::ParentCommand) => "parent_process";
    Note(N::Name) => "signature" "name";
    Maybe(F::EventCode) => "signature_id" "event_id" "EventCode";
    To(F::Message) => "message" "body";
    Extra => "source" "sourcetype" "index" "src_category" "dest_category" "user_role" "ids_type" "object" "command" "result";
    // what the search put there
    Leave => "_raw" "_bkt" "_cd" "_indextime" "_serial" "_si" "_sourcetype" "_subsecond" "_eventtype_color" "splunk_server" "splunk_server_group"
        "linecount" "punct" "date_hour" "date_mday" "date_minute" "date_month" "date_second" "date_wday" "date_year" "date_zone" "timestartpos"
        "timeendpos" "eventtype" "preview" "offset" "lastrow" "tag::eventtype" "tag::action" "tag::app" "product_version";
});

/// Members that are concluded from here.
#[derive(Clone, Copy)]
enum Own {
    Src,
    Dest,
    Protocol,
    Direction,
    BytesIn,
    BytesOut,
    PacketsIn,
    PacketsOut,
    State,
    Status,
    Count,
}

static OWN: KeyMap<Own, 32> = KeyMap::new(&[
    ("src", Own::Src),
    ("dest", Own::Dest),
    ("protocol", Own::Protocol),
    ("direction", Own::Direction),
    ("bytes_in", Own::BytesIn),
    ("bytes_out", Own::BytesOut),
    ("packets_in", Own::PacketsIn),
    ("packets_out", Own::PacketsOut),
    ("state", Own::State),
    ("status", Own::Status),
]);

/// Tags of data models, by which a record's kind is known.
static TAGS: KeyMap<EventKind, 32> = KeyMap::new(&[
    ("authentication", EventKind::Auth),
    ("attack", EventKind::Alert),
    ("ids", EventKind::Alert),
    ("malware", EventKind::Alert),
    ("communicate", EventKind::Flow),
    ("web", EventKind::Flow),
    ("proxy", EventKind::Flow),
    ("resolution", EventKind::Dns),
    ("dns", EventKind::Dns),
    ("listening", EventKind::Listener),
    ("process", EventKind::Process),
    ("change", EventKind::Other),
    ("inventory", EventKind::Inventory),
]);

impl Parser for Family {
    fn name(&self) -> &'static str {
        "splunk_cim"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["cim", "splunk"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Objects
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _: &Memory) -> Option<Confidence> {
        let keys = record.keys;
        let searched = keys.has_any(Keys::SPLUNK_TIME.and(Keys::SPLUNK_TYPE));
        let ends = keys.has_any(Keys::DEST.and(Keys::DEST_IP));
        // what a collector is sent has the fields one level down
        match (searched, ends || keys.has(Keys::SPLUNK_TYPE.and(Keys::EVENT))) {
            (true, true) => Some(Confidence::Likely),
            (true, false) => Some(Confidence::Possible),
            // without a mark of the product: the model's own words only
            (false, true) if keys.has(Keys::VENDOR_PRODUCT) => Some(Confidence::Likely),
            _ => None,
        }
    }

    fn parse(&self, record: &Record<'_>, _: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut cim = Cim { own: [Value::default(); Own::Count as usize], tag: None, known: false };
        let mut event = Event::default();
        let extent = json::walk(record.body, |path, value| {
            let prefixes = [&b"event."[..], b"result.", b"fields."];
            let name = prefixes.iter().find_map(|prefix| path.strip_prefix(*prefix)).unwrap_or(path);
            cim.take(record, &mut event, name, Value::json(value), row)
        })?;
        if extent == Extent::Truncated {
            return Err(Refusal { at: record.body.len(), kind: RejectKind::Unclosed { what: "the JSON object" } });
        }
        if !cim.known {
            return Err(record.not_this_family("fields of the Common Information Model"));
        }
        cim.conclude(record, &mut event, row)?;
        Ok(Parsed::Events)
    }
}

struct Cim<'a> {
    own: [Value<'a>; Own::Count as usize],
    tag: Option<EventKind>,
    /// Whether there is any field of the model.
    known: bool,
}

impl<'a> Cim<'a> {
    #[inline]
    fn take(
        &mut self,
        record: &Record<'_>,
        event: &mut Event<'a>,
        name: &[u8],
        value: Value<'a>,
        row: &mut Row<'_>,
    ) -> Result<(), Refusal> {
        if name == b"tag" || name == b"tag::eventtype" {
            // the more telling of several: `network` stands beside each of its kinds
            self.tag = TAGS.get(value.raw).or(self.tag);
            self.known |= self.tag.is_some();
            value.with(|text| row.extra_fixed("tag", text));
            return Ok(());
        }
        if let Some(own) = OWN.get(name) {
            self.known = true;
            let slot = &mut self.own[own as usize];
            match slot.is_absent() {
                true => *slot = value,
                false => value.with(|text| row.extra(name, text)),
            }
            return Ok(());
        }
        let put = KEYS.get(name).unwrap_or(Extra);
        self.known |=
            matches!(name, b"action" | b"user" | b"src_ip" | b"dest_ip" | b"query" | b"signature" | b"dest_port");
        event.take(record, put, name, value, row)
    }

    fn own(&self, own: Own) -> Value<'a> {
        self.own[own as usize]
    }

    fn conclude(&self, record: &Record<'_>, event: &mut Event<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        for (own, to) in [(Own::Src, N::Src), (Own::Dest, N::Dst)] {
            let (value, known) = (self.own(own), event.note(to).raw);
            if known.is_empty() {
                event.set_note(to, value);
            } else if value.raw != known && !value.is_absent() {
                let host = if to == N::Src { key::SRC_HOST } else { key::DST_HOST };
                if !row.has(host.field) {
                    value.with(|text| row.text(host, text));
                }
            }
        }
        self.sums(row);
        // `protocol` is of the network layer in this model, where a sender has the other word, too
        if event.note(N::Transport).raw.is_empty() {
            event.set_note(N::Transport, self.own(Own::Protocol));
        } else {
            self.own(Own::Protocol).with(|text| row.extra_fixed("protocol", text));
        }
        let direction = self.own(Own::Direction);
        match words::direction(direction.raw).filter(|_| direction.raw.len() > 1) {
            Some(found @ (Direction::Inbound | Direction::Outbound | Direction::Internal | Direction::External)) => {
                row.set(key::DIRECTION, found)
            }
            None => direction.with(|text| row.extra_fixed("direction", text)),
        }
        event.kind = self.kind(event, row);
        // of an endpoint's own doings `dest` is the endpoint
        if matches!(event.kind, Some(EventKind::Process | EventKind::Listener)) && event.note(N::Host).raw.is_empty() {
            event.set_note(N::Host, event.note(N::Dst));
            if event.kind == Some(EventKind::Process) {
                event.set_note(N::Dst, Value::default());
            }
        }
        let status = self.own(Own::Status);
        match decimal(status.raw) {
            Some(code) if event.kind == Some(EventKind::Flow) => row.set(key::HTTP_STATUS, code),
            _ if status.is_absent() => {}
            _ => event.take(record, Note(N::Outcome), b"status", status, row)?,
        }
        self.own(Own::State).with(|text| row.text(key::CONN_STATE, text));
        // of a logon the outcome is its action
        if event.kind == Some(EventKind::Auth) && event.note(N::Outcome).raw.is_empty() {
            event.set_note(N::Outcome, event.note(N::Action));
        }
        event.conclude(record, row, &SOURCES)?;
        Ok(())
    }

    /// Counters by direction have no fixed reading; their sum has.
    fn sums(&self, row: &mut Row<'_>) {
        let sums = [
            (Own::BytesIn, "bytes_in", Own::BytesOut, "bytes_out", key::BYTES_TOTAL),
            (Own::PacketsIn, "packets_in", Own::PacketsOut, "packets_out", key::PACKETS_TOTAL),
        ];
        for (inward, in_name, outward, out_name, total) in sums {
            let (inward, outward) = (self.own(inward), self.own(outward));
            if !row.has(total.field)
                && let (Some(one), Some(other)) = (decimal(inward.raw), decimal(outward.raw))
            {
                row.set(total, one.saturating_add(other));
            }
            inward.with(|text| row.extra_fixed(in_name, text));
            outward.with(|text| row.extra_fixed(out_name, text));
        }
    }

    fn kind(&self, event: &Event<'_>, row: &Row<'_>) -> Option<EventKind> {
        if self.own(Own::State).raw.eq_ignore_ascii_case(b"listening") {
            return Some(EventKind::Listener);
        }
        let ended = matches!(event.note(N::Action).raw, b"success" | b"failure" | b"error" | b"pending");
        let person = !event.note(N::User).raw.is_empty();
        let called = !event.note(N::Dst).raw.is_empty();
        let process = row.has(F::ProcessCommand) && row.has(F::ProcessId) && !called;
        match self.tag {
            Some(tag) => Some(tag),
            None if ended && person && row.has(F::AppProto) => Some(EventKind::Auth),
            None if process => Some(EventKind::Process),
            None => None,
        }
    }
}
