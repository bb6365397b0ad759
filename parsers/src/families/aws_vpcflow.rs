//! AWS VPC flow logs, and those of transit gateways: text of any custom format, or JSON.
//!
//! A record is one direction of a conversation inside a window of one or ten minutes, seen at one interface. Who
//! began is known only where the window holds the SYN. The fields are the customer's choice and stand in a header line in
//! files; CloudWatch and Firehose send none, and then only orders that AWS itself documents are tried, each checked
//! against the forms of its values, because a number in the wrong column would be a wrong fact.

use std::sync::LazyLock;

use schemas::{
    Action, EventKind, Field, Initiator, Ip, LogSource, PortState, RejectKind, Row, Transport, key, parse_u64,
};

use crate::detect::Keys;
use crate::lex::json::{self, Extent};
use crate::lex::keys::KeyMap;
use crate::lex::text::{is_absent, port};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, Shape, set_time};

pub(super) struct Family;

static SOURCE: LogSource = LogSource {
    family: "aws_vpcflow",
    vendor: "AWS",
    product: "VPC Flow Logs",
    dataset: "aws.vpcflow",
    categories: &["firewall", "network_connection"],
    products: &["aws"],
    services: &["vpcflow"],
};

/// A transit gateway passes packets on: its records have no verdict, but what was lost on the way.
static GATEWAY: LogSource = LogSource {
    family: "aws_vpcflow",
    vendor: "AWS",
    product: "Transit Gateway Flow Logs",
    dataset: "aws.tgwflow",
    categories: &["network_connection"],
    products: &["aws"],
    services: &["tgwflow"],
};

/// Most fields of a format; version 10 has 42, transit gateways add their own.
const FIELDS_MAX: usize = 96;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Put {
    Field(Field),
    SrcIp,
    DstIp,
    PktSrcIp,
    PktDstIp,
    Interface,
    Start,
    End,
    Action,
    Status,
    Flags,
    Direction,
    Extra,
    Leave,
    /// Only a transit gateway's records have it.
    Gateway,
    /// A counter that is zero as a rule.
    Lost,
}

/// A field's name with underscores, and what becomes of it.
type Named = (Put, &'static str);

macro_rules! fields {
    ($($name:literal $put:ident $(($what:expr))?),+ $(,)?) => { &[$(($name, (Put::$put $(($what))?, $name))),+] };
}

#[rustfmt::skip]
static FIELDS: KeyMap<Named, 256> = KeyMap::new(fields! {
    "version" Leave, "account_id" Extra, "interface_id" Interface, "srcaddr" SrcIp, "dstaddr" DstIp,
    "srcport" Field(Field::SrcPort), "dstport" Field(Field::DstPort), "protocol" Field(Field::Transport),
    "packets" Field(Field::PacketsOut), "bytes" Field(Field::BytesOut), "start" Start, "end" End, "action" Action, "log_status" Status,
    "vpc_id" Extra, "subnet_id" Extra, "instance_id" Extra, "tcp_flags" Flags, "type" Leave, "pkt_srcaddr" PktSrcIp, "pkt_dstaddr" PktDstIp,
    "region" Extra, "az_id" Extra, "sublocation_type" Extra, "sublocation_id" Extra, "pkt_src_aws_service" Extra, "pkt_dst_aws_service" Extra,
    "flow_direction" Direction, "traffic_path" Extra,
    "ecs_cluster_arn" Extra, "ecs_cluster_name" Extra, "ecs_container_instance_arn" Extra, "ecs_container_instance_id" Extra,
    "ecs_container_id" Extra, "ecs_second_container_id" Extra, "ecs_service_name" Extra, "ecs_task_definition_arn" Extra,
    "ecs_task_arn" Extra, "ecs_task_id" Extra, "reject_reason" Field(Field::Reason), "resource_id" Extra, "encryption_status" Extra,
    "resource_type" Extra, "tgw_id" Gateway, "tgw_attachment_id" Extra, "tgw_src_vpc_account_id" Extra, "tgw_dst_vpc_account_id" Extra,
    "tgw_src_vpc_id" Extra, "tgw_dst_vpc_id" Extra, "tgw_src_subnet_id" Extra, "tgw_dst_subnet_id" Extra, "tgw_src_eni" Extra,
    "tgw_dst_eni" Extra, "tgw_src_az_id" Extra, "tgw_dst_az_id" Extra, "tgw_pair_attachment_id" Extra, "packets_lost_no_route" Lost,
    "packets_lost_blackhole" Lost, "packets_lost_mtu_exceeded" Lost, "packets_lost_ttl_expired" Lost,
});

/// Orders that are tried without a header. The first holds every version's fields appended to version 2's, of which a
/// record has the first 14, 21, 25, 29, 39, 40 ...; the others are the custom formats of AWS's own examples ("Flow log record
/// examples": TCP flag sequence, transit gateway, NAT gateway), and the default one of transit gateways' own flow logs.
const ORDERS: [&str; 5] = [
    "version account_id interface_id srcaddr dstaddr srcport dstport protocol packets bytes start end action log_status \
     vpc_id subnet_id instance_id tcp_flags type pkt_srcaddr pkt_dstaddr region az_id sublocation_type sublocation_id \
     pkt_src_aws_service pkt_dst_aws_service flow_direction traffic_path ecs_cluster_arn ecs_cluster_name \
     ecs_container_instance_arn ecs_container_instance_id ecs_container_id ecs_second_container_id ecs_service_name \
     ecs_task_definition_arn ecs_task_arn ecs_task_id reject_reason resource_id encryption_status",
    "version vpc_id subnet_id instance_id interface_id account_id type srcaddr dstaddr srcport dstport pkt_srcaddr \
     pkt_dstaddr protocol bytes packets start end action tcp_flags log_status",
    "version interface_id account_id vpc_id subnet_id instance_id srcaddr dstaddr srcport dstport protocol tcp_flags type \
     pkt_srcaddr pkt_dstaddr action log_status",
    "instance_id interface_id srcaddr dstaddr pkt_srcaddr pkt_dstaddr",
    "version resource_type account_id tgw_id tgw_attachment_id tgw_src_vpc_account_id tgw_dst_vpc_account_id tgw_src_vpc_id \
     tgw_dst_vpc_id tgw_src_subnet_id tgw_dst_subnet_id tgw_src_eni tgw_dst_eni tgw_src_az_id tgw_dst_az_id \
     tgw_pair_attachment_id srcaddr dstaddr srcport dstport protocol packets bytes start end log_status type \
     packets_lost_no_route packets_lost_blackhole packets_lost_mtu_exceeded packets_lost_ttl_expired tcp_flags region \
     flow_direction pkt_src_aws_service pkt_dst_aws_service",
];
const APPENDED: &[usize] = &[14, 21, 25, 29, 39, 40, 41, 42];

/// The same as fields, all of which are known.
static ORDERED: LazyLock<[Vec<Named>; 5]> = LazyLock::new(|| {
    ORDERS.map(|order| order.split_ascii_whitespace().filter_map(|name| FIELDS.get(name.as_bytes())).collect())
});

/// The fields that a header line named.
#[derive(Default)]
struct Header(Vec<Option<Named>>, Vec<Vec<u8>>);

impl Parser for Family {
    fn name(&self) -> &'static str {
        "aws_vpcflow"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["vpcflow", "tgwflow", "aws_tgwflow"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Both
    }

    fn detect(&self, record: &Record<'_>, memory: &Memory) -> Option<Confidence> {
        let sure = match record.shape {
            Shape::Object => {
                let keys = record.keys;
                keys.has(Keys::ACCOUNT_ID.and(Keys::INTERFACE_ID)) || keys.has(Keys::AWS_ENDS)
            }
            Shape::Text => {
                let line = record.line;
                let known = memory.peek::<Header>().is_some_and(|header| {
                    !header.0.is_empty()
                        && words(line).count() == header.0.len()
                        && has_form(line, header.0.iter().copied())
                });
                known || is_header(line) || guess(line).is_some()
            }
        };
        sure.then_some(Confidence::Certain)
    }

    fn remembers(&self) -> Option<fn(&[u8]) -> bool> {
        Some(is_header)
    }

    fn parse(&self, record: &Record<'_>, memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut flow = Flow::default();
        match record.shape {
            Shape::Object => {
                let extent = json::walk(record.body, |path, value| {
                    let named = field_named(path);
                    value.with(|text| flow.take(record, named, path, whole(text), row))
                })?;
                if extent == Extent::Truncated {
                    let kind = RejectKind::Unclosed { what: "the JSON object" };
                    return Err(Refusal { at: record.body.len(), kind });
                }
            }
            Shape::Text => {
                let line = record.line;
                let header: &mut Header = memory.of();
                if is_header(line) {
                    let names = || words(line).take(FIELDS_MAX);
                    *header = Header(names().map(field_named).collect(), names().map(<[u8]>::to_vec).collect());
                    return Ok(Parsed::Nothing);
                }
                let fits = words(line).count() == header.0.len();
                // a line of another file, whose header has not been seen, may come between
                let other = || !(fits && has_form(line, header.0.iter().copied())) && guess(line).is_some();
                if header.0.is_empty() || begins_like_an_order(line) && other() {
                    let Some(order) = guess(line) else {
                        let expected = "a header line with field names, or a record in an order that AWS documents";
                        return Err(Refusal { at: 0, kind: RejectKind::NotThisFamily { expected } });
                    };
                    for (named, value) in order.iter().zip(words(line)) {
                        flow.take(record, Some(*named), named.1.as_bytes(), value, row)?;
                    }
                } else {
                    if !fits {
                        let expected = "as many values as the header line names";
                        let kind = RejectKind::bad_value("number of values", line, expected);
                        return Err(Refusal { at: 0, kind });
                    }
                    for ((named, name), value) in header.0.iter().zip(&header.1).zip(words(line)) {
                        flow.take(record, *named, name, value, row)?;
                    }
                }
            }
        }
        flow.conclude(record, row)
    }
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty())
}

/// A field by its name with hyphens or underscores.
fn field_named(name: &[u8]) -> Option<Named> {
    let mut plain = [0u8; 40];
    let plain = plain.get_mut(..name.len())?;
    plain.iter_mut().zip(name).for_each(|(to, from)| *to = if *from == b'-' { b'_' } else { *from });
    FIELDS.get(plain)
}

/// Whether every word is the name of a field, the addresses among them.
fn is_header(line: &[u8]) -> bool {
    let first = words(line).next().is_some_and(|word| word[0].is_ascii_lowercase());
    first
        && words(line).any(|word| matches!(word, b"srcaddr" | b"pkt-srcaddr" | b"pkt_srcaddr"))
        && words(line).filter(|word| field_named(word).is_none()).count() <= 2
}

/// The documented order that a line without a header is in.
fn guess(line: &[u8]) -> Option<&'static [Named]> {
    if !begins_like_an_order(line) {
        return None;
    }
    let count = words(line).count();
    let order = ORDERED.iter().enumerate().find(|(at, order)| {
        let fits = if *at == 0 { APPENDED.contains(&count) } else { order.len() == count };
        fits && has_form(line, order.iter().copied().map(Some))
    })?;
    Some(order.1)
}

/// With a version, or an instance.
fn begins_like_an_order(line: &[u8]) -> bool {
    matches!(line, [b'1'..=b'9', b' ', ..] | [b'1', b'0'..=b'9', b' ', ..] | [b'-', b' ', ..] | [b'i', b'-', ..])
}

/// Whether the values have the forms of those fields.
fn has_form(line: &[u8], fields: impl Iterator<Item = Option<Named>>) -> bool {
    let mut addresses = 0;
    let all = words(line).zip(fields).all(|(value, named)| {
        let absent = is_absent(value);
        match named {
            Some((Put::SrcIp | Put::DstIp | Put::PktSrcIp | Put::PktDstIp, _)) => {
                addresses += 1;
                absent || Ip::parse(value).is_some()
            }
            Some((Put::Start | Put::End, _)) => value.len() == 10 && parse_u64(value).is_some(),
            Some((Put::Action, _)) => absent || matches!(value, b"ACCEPT" | b"REJECT" | b"NODATA" | b"SKIPDATA"),
            Some((Put::Status, _)) => matches!(value, b"OK" | b"NODATA" | b"SKIPDATA"),
            Some((Put::Interface, _)) => absent || value.starts_with(b"eni-"),
            Some((Put::Field(Field::SrcPort | Field::DstPort), _)) => absent || port(value).is_some(),
            Some((Put::Field(Field::Transport | Field::PacketsOut | Field::BytesOut), _)) => {
                absent || parse_u64(value).is_some()
            }
            Some(_) | None => true,
        }
    });
    all && addresses >= 2
}

/// JSON writers turn numbers into floats: `6.0`.
fn whole(text: &[u8]) -> &[u8] {
    text.strip_suffix(b".0").filter(|number| number.iter().all(u8::is_ascii_digit)).unwrap_or(text)
}

/// What is concluded from once the record has been read.
#[derive(Default)]
struct Flow {
    src: Option<Ip>,
    dst: Option<Ip>,
    pkt_src: Option<Ip>,
    pkt_dst: Option<Ip>,
    start_us: Option<i64>,
    end_us: Option<i64>,
    flags: Option<u64>,
    egress: bool,
    status: Status,
    interface: Option<schemas::Span>,
    gateway: bool,
}

#[derive(Default, PartialEq, Eq)]
enum Status {
    #[default]
    Ok,
    NoData,
    SkipData,
}

impl Flow {
    fn take(
        &mut self,
        record: &Record<'_>,
        named: Option<Named>,
        name: &[u8],
        value: &[u8],
        row: &mut Row<'_>,
    ) -> Result<(), Refusal> {
        if is_absent(value) {
            return Ok(());
        }
        let Some((put, name)) = named else {
            row.extra(name, value);
            return Ok(());
        };
        let bad = |expected| record.refuse(value, RejectKind::bad_value(name, value, expected));
        let ip = || Ip::parse(value).ok_or_else(|| bad("an IPv4 or IPv6 address"));
        let seconds = || parse_u64(value).filter(|s| *s < 1 << 36).map(|s| s as i64 * 1_000_000);
        match put {
            Put::Field(field) => row.put(field, value).map_err(|kind| record.refuse(value, kind))?,
            Put::SrcIp => self.src = Some(ip()?),
            Put::DstIp => self.dst = Some(ip()?),
            Put::PktSrcIp => self.pkt_src = Some(ip()?),
            Put::PktDstIp => self.pkt_dst = Some(ip()?),
            Put::Start => self.start_us = Some(seconds().ok_or_else(|| bad("seconds since 1970"))?),
            Put::End => self.end_us = Some(seconds().ok_or_else(|| bad("seconds since 1970"))?),
            Put::Action => {
                row.text(key::EVENT_ACTION, value);
                match value {
                    b"ACCEPT" => row.set(key::ACTION, Action::Allow),
                    b"REJECT" => row.set(key::ACTION, Action::Deny),
                    _ => {}
                }
            }
            Put::Status => {
                self.status = match value {
                    b"NODATA" => Status::NoData,
                    b"SKIPDATA" => Status::SkipData,
                    _ => Status::Ok,
                }
            }
            Put::Flags => {
                self.flags = parse_u64(value);
                row.text(key::TCP_FLAGS, value);
            }
            Put::Direction => {
                self.egress = value == b"egress";
                row.extra_fixed(name, value);
            }
            Put::Interface => self.interface = Some(row.keep(value)),
            Put::Extra => row.extra_fixed(name, value),
            Put::Gateway => {
                self.gateway = true;
                row.extra_fixed(name, value);
            }
            Put::Lost if value == b"0" => {}
            Put::Lost => row.extra_fixed(name, value),
            Put::Leave => {}
        }
        Ok(())
    }

    fn conclude(self, record: &Record<'_>, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        row.log_source(if self.gateway { &GATEWAY } else { &SOURCE });
        // The window's end is nearest to when the record was written.
        if let Some(us) = self.end_us.or(self.start_us) {
            set_time(row, us);
        }
        row.set_opt(key::START, self.start_us);
        row.set_opt(key::END, self.end_us);
        let lasted = self.start_us.zip(self.end_us).and_then(|(start, end)| u64::try_from(end - start).ok());
        row.set_opt(key::DURATION, lasted);
        row.set_opt(if self.egress { key::OUT_INTERFACE } else { key::IN_INTERFACE }, self.interface);
        let (src, dst) = (self.pkt_src.or(self.src), self.pkt_dst.or(self.dst));
        let (Some(src), Some(dst)) = (src, dst) else {
            return match self.status {
                Status::NoData => Ok(Parsed::Nothing),
                Status::SkipData => {
                    // Records were lost: worth an event, though of no conversation.
                    row.set(key::KIND, EventKind::Other);
                    row.fixed(key::EVENT_ACTION, "SKIPDATA");
                    Ok(Parsed::Events)
                }
                Status::Ok => Err(record.not_this_family("the addresses of both ends")),
            };
        };
        row.set(key::KIND, EventKind::Flow);
        row.set(key::SRC_IP, src);
        row.set(key::DST_IP, dst);
        // The interface's own address, where the packet's is another: behind a gateway or a balancer.
        row.set_opt(key::NAT_SRC_IP, self.src.filter(|ip| *ip != src));
        row.set_opt(key::NAT_DST_IP, self.dst.filter(|ip| *ip != dst));
        let tcp = row.get(key::TRANSPORT).is_none_or(|transport| transport == Transport::TCP);
        let initiator = self
            .flags
            .filter(|flags| tcp && flags & SYN != 0)
            .map(|flags| if flags & ACK == 0 { Initiator::Source } else { Initiator::Destination });
        row.set_opt(key::INITIATOR, initiator);
        if row.get(key::ACTION) == Some(Action::Deny) && initiator != Some(Initiator::Destination) {
            row.set(key::PORT_STATE, PortState::Filtered);
        }
        Ok(Parsed::Events)
    }
}

const SYN: u64 = 2;
const ACK: u64 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_a_documented_order_is_known() {
        for (names, fields) in ORDERS.iter().zip(&*ORDERED) {
            assert!(names.split_ascii_whitespace().eq(fields.iter().map(|(_, name)| *name)), "{names}");
        }
    }
}
