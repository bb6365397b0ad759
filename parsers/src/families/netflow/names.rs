//! What the collectors call the same things: one table for all of them, since no name means two things.
//!
//! Those of Filebeat stand below `netflow.` (taken off by the look-up) or follow ECS.

use schemas::{Field, key};

use crate::document::{Paths, notes, paths};

notes! {
    Timestamp, Received, Start, End, FirstUptime, LastUptime, Seconds, Type, EventType, Exporter, SamplingRate, Bytes, BytesTotal, InitiatorBytes,
    ResponderBytes, Packets, PacketsTotal, InitiatorPackets, ResponderPackets, Protocol, ProtocolNumber, SrcPort, DstPort, IcmpType, IcmpCode, IcmpBoth,
    Flags, FlagsText, NatSrcIp, NatDstIp, NatSrcPort, NatDstPort, FirewallEvent, FirewallExtended, Forwarding
}

#[rustfmt::skip]
pub(super) static PATHS: Paths<Note, 1024> = {
    use Field::*;
    use self::Note as N;
    paths! {
    // goflow2, version 2 and 1
    "type" Note(N::Type), "Type" Note(N::Type), "time_received_ns" Note(N::Received), "time_received" Note(N::Received), "TimeReceived" Note(N::Received),
    "sequence_num" Leave, "SequenceNum" Leave, "sampling_rate" Note(N::SamplingRate), "SamplingRate" Note(N::SamplingRate),
    "sampler_address" Note(N::Exporter), "SamplerAddress" Note(N::Exporter), "time_flow_start_ns" Note(N::Start), "time_flow_end_ns" Note(N::End),
    "time_flow_start" Note(N::Start), "time_flow_end" Note(N::End), "time_flow_start_ms" Note(N::Start), "time_flow_end_ms" Note(N::End),
    "TimeFlowStart" Note(N::Start), "TimeFlowEnd" Note(N::End), "TimeFlowStartMs" Note(N::Start), "TimeFlowEndMs" Note(N::End),
    "bytes" Note(N::Bytes), "Bytes" Note(N::Bytes), "packets" Note(N::Packets), "Packets" Note(N::Packets),
    "src_addr" Address(key::SRC_IP), "dst_addr" Address(key::DST_IP), "SrcAddr" Address(key::SRC_IP), "DstAddr" Address(key::DST_IP),
    "etype" Leave, "Etype" Leave, "EType" Leave, "proto" Note(N::Protocol), "Proto" Note(N::Protocol), "src_port" Note(N::SrcPort), "dst_port" Note(N::DstPort),
    "SrcPort" Note(N::SrcPort), "DstPort" Note(N::DstPort), "in_if" Field(InInterface), "out_if" Field(OutInterface), "InIf" Field(InInterface), "OutIf" Field(OutInterface),
    "src_mac" Field(SrcMac), "dst_mac" Field(DstMac), "SrcMac" Field(SrcMac), "DstMac" Field(DstMac), "src_vlan" Field(Vlan), "SrcVlan" Field(Vlan), "dst_vlan" Extra,
    "tcp_flags" Note(N::Flags), "TCPFlags" Note(N::Flags), "TcpFlags" Note(N::Flags), "icmp_type" Note(N::IcmpType), "icmp_code" Note(N::IcmpCode),
    "IcmpType" Note(N::IcmpType), "IcmpCode" Note(N::IcmpCode), "forwarding_status" Note(N::Forwarding), "ForwardingStatus" Note(N::Forwarding),
    "src_as" Field(SrcAsn), "dst_as" Field(DstAsn), "SrcAS" Field(SrcAsn), "DstAS" Field(DstAsn), "ip_tos" Extra, "ip_ttl" Extra, "ip_flags" Leave,
    "fragment_id" Leave, "fragment_offset" Leave, "ipv6_flow_label" Leave, "next_hop" Extra, "src_net" Extra, "dst_net" Extra, "bgp_next_hop" Extra,
    // nfdump
    "cnt" Leave, "export_sysid" Extra, "first" Note(N::Start), "last" Note(N::End), "received" Note(N::Received), "in_packets" Note(N::Packets), "in_bytes" Note(N::Bytes),
    "out_packets" Note(N::ResponderPackets), "out_bytes" Note(N::ResponderBytes), "aggr_flows" Extra, "src4_addr" Address(key::SRC_IP), "dst4_addr" Address(key::DST_IP),
    "src6_addr" Address(key::SRC_IP), "dst6_addr" Address(key::DST_IP), "fwd_status" Note(N::Forwarding), "src_tos" Extra, "dst_tos" Leave, "direction" Extra,
    "input_snmp" Field(InInterface), "output_snmp" Field(OutInterface), "src_mask" Leave, "dst_mask" Leave, "ip4_next_hop" Extra, "ip6_next_hop" Extra,
    "ip4_router" Note(N::Exporter), "ip6_router" Note(N::Exporter), "connect_id" Field(SessionId), "event_id" Leave, "event" Note(N::FirewallEvent),
    "xevent_id" Note(N::FirewallExtended), "src4_xlt_ip" Note(N::NatSrcIp), "dst4_xlt_ip" Note(N::NatDstIp), "src6_xlt_ip" Note(N::NatSrcIp), "dst6_xlt_ip" Note(N::NatDstIp),
    "src_xlt_port" Note(N::NatSrcPort), "dst_xlt_port" Note(N::NatDstPort), "user_name" Field(User), "nat_event" Extra, "flowID" Extra, "sampled" Extra, "vlanID" Field(Vlan),
    "in_src_mac" Field(SrcMac), "out_dst_mac" Field(DstMac), "engine_type" Leave, "engine_id" Leave, "in_dst_mac" Leave, "out_src_mac" Leave,
    // pmacct
    "event_type" Note(N::EventType), "writer_id" Leave, "ip_src" Address(key::SRC_IP), "ip_dst" Address(key::DST_IP), "port_src" Note(N::SrcPort), "port_dst" Note(N::DstPort),
    "ip_proto" Note(N::Protocol), "as_src" Field(SrcAsn), "as_dst" Field(DstAsn), "peer_ip_src" Note(N::Exporter), "iface_in" Field(InInterface), "iface_out" Field(OutInterface),
    "timestamp_start" Note(N::Start), "timestamp_end" Note(N::End), "stamp_inserted" Note(N::Received), "stamp_updated" Extra, "timestamp_arrival" Note(N::Received),
    "mac_src" Field(SrcMac), "mac_dst" Field(DstMac), "vlan" Field(Vlan), "flows" Extra, "tos" Extra, "post_nat_ip_src" Note(N::NatSrcIp),
    "post_nat_ip_dst" Note(N::NatDstIp), "post_nat_port_src" Note(N::NatSrcPort), "post_nat_port_dst" Note(N::NatDstPort),
    // names of versions 5 and 9
    "IPV4_SRC_ADDR" Address(key::SRC_IP), "IPV4_DST_ADDR" Address(key::DST_IP), "IPV6_SRC_ADDR" Address(key::SRC_IP), "IPV6_DST_ADDR" Address(key::DST_IP),
    "L4_SRC_PORT" Note(N::SrcPort), "L4_DST_PORT" Note(N::DstPort), "SRC_PORT" Note(N::SrcPort), "DST_PORT" Note(N::DstPort), "PROTOCOL" Note(N::ProtocolNumber),
    "PROTO" Note(N::ProtocolNumber), "IN_BYTES" Note(N::Bytes), "IN_OCTETS" Note(N::Bytes), "IN_PKTS" Note(N::Packets), "IN_PACKETS" Note(N::Packets), "OUT_BYTES" Extra, "OUT_PKTS" Extra,
    "FIRST_SWITCHED" Note(N::FirstUptime), "LAST_SWITCHED" Note(N::LastUptime), "TCP_FLAGS" Note(N::Flags), "INPUT_SNMP" Field(InInterface), "OUTPUT_SNMP" Field(OutInterface),
    "INPUT" Field(InInterface), "OUTPUT" Field(OutInterface), "SRC_AS" Field(SrcAsn), "DST_AS" Field(DstAsn), "IPV4_NEXT_HOP" Extra, "NEXT_HOP" Extra, "SRC_TOS" Extra, "TOS" Extra,
    "SRC_MASK" Leave, "DST_MASK" Leave, "IP_PROTOCOL_VERSION" Leave, "ICMP_TYPE" Note(N::IcmpBoth), "IN_SRC_MAC" Field(SrcMac), "OUT_DST_MAC" Field(DstMac), "SRC_VLAN" Field(Vlan),
    "EXPORTER_IPV4_ADDRESS" Note(N::Exporter), "FORWARDING_STATUS" Note(N::Forwarding), "L7_PROTO_NAME" Field(AppProto), "DIRECTION" Extra,
    // the same in small letters, below `netflow.`: Logstash
    "ipv4_src_addr" Address(key::SRC_IP), "ipv4_dst_addr" Address(key::DST_IP), "ipv6_src_addr" Address(key::SRC_IP), "ipv6_dst_addr" Address(key::DST_IP),
    "l4_src_port" Note(N::SrcPort), "l4_dst_port" Note(N::DstPort), "protocol" Note(N::ProtocolNumber), "in_pkts" Note(N::Packets), "out_pkts" Extra,
    "first_switched" Note(N::FirstUptime), "last_switched" Note(N::LastUptime), "host" Note(N::Exporter), "flow_seq_num" Leave, "flowset_id" Leave, "version" Extra, "@version" Leave,
    "ipv4_next_hop" Extra, "sampling_algorithm" Leave, "flow_records" Leave,
    // names of IPFIX
    "sourceIPv4Address" Address(key::SRC_IP), "destinationIPv4Address" Address(key::DST_IP), "sourceIPv6Address" Address(key::SRC_IP), "destinationIPv6Address" Address(key::DST_IP),
    "sourceTransportPort" Note(N::SrcPort), "destinationTransportPort" Note(N::DstPort), "protocolIdentifier" Note(N::ProtocolNumber), "octetDeltaCount" Note(N::Bytes),
    "packetDeltaCount" Note(N::Packets), "octetTotalCount" Note(N::BytesTotal), "packetTotalCount" Note(N::PacketsTotal), "reverseOctetDeltaCount" Note(N::ResponderBytes),
    "reversePacketDeltaCount" Note(N::ResponderPackets), "reverseOctetTotalCount" Note(N::ResponderBytes), "reversePacketTotalCount" Note(N::ResponderPackets),
    "initiatorOctets" Note(N::InitiatorBytes), "responderOctets" Note(N::ResponderBytes), "initiatorPackets" Note(N::InitiatorPackets), "responderPackets" Note(N::ResponderPackets),
    "flowStartMilliseconds" Note(N::Start), "flowEndMilliseconds" Note(N::End), "flowStartSeconds" Note(N::Start), "flowEndSeconds" Note(N::End),
    "flowStartMicroseconds" Note(N::Start), "flowEndMicroseconds" Note(N::End), "flowStartNanoseconds" Note(N::Start), "flowEndNanoseconds" Note(N::End),
    "flowStartSysUpTime" Note(N::FirstUptime), "flowEndSysUpTime" Note(N::LastUptime), "tcpControlBits" Note(N::Flags), "ingressInterface" Field(InInterface),
    "egressInterface" Field(OutInterface), "icmpTypeCodeIPv4" Note(N::IcmpBoth), "icmpTypeCodeIPv6" Note(N::IcmpBoth), "icmpTypeIPv4" Note(N::IcmpType), "icmpCodeIPv4" Note(N::IcmpCode),
    "icmpTypeIPv6" Note(N::IcmpType), "icmpCodeIPv6" Note(N::IcmpCode), "bgpSourceAsNumber" Field(SrcAsn), "bgpDestinationAsNumber" Field(DstAsn), "flowEndReason" Extra, "flowDirection" Extra,
    "vlanId" Field(Vlan), "sourceMacAddress" Field(SrcMac), "destinationMacAddress" Field(DstMac), "exporterIPv4Address" Note(N::Exporter), "exporterIPv6Address" Note(N::Exporter),
    "postNATSourceIPv4Address" Note(N::NatSrcIp), "postNATDestinationIPv4Address" Note(N::NatDstIp), "postNAPTSourceTransportPort" Note(N::NatSrcPort),
    "postNAPTDestinationTransportPort" Note(N::NatDstPort), "forwardingStatus" Note(N::Forwarding), "firewallEvent" Note(N::FirewallEvent), "userName" Field(User),
    // Filebeat: ECS, and the elements below `netflow.`
    "@timestamp" Note(N::Timestamp), "source.ip" Address(key::SRC_IP), "destination.ip" Address(key::DST_IP), "source.port" Note(N::SrcPort), "destination.port" Note(N::DstPort),
    "source.bytes" Note(N::Bytes), "source.packets" Note(N::Packets), "destination.bytes" Note(N::ResponderBytes), "destination.packets" Note(N::ResponderPackets),
    "source.mac" Field(SrcMac), "destination.mac" Field(DstMac), "network.transport" Note(N::Protocol), "network.iana_number" Note(N::ProtocolNumber), "network.community_id" Field(CommunityId),
    "network.bytes" Note(N::BytesTotal), "network.packets" Note(N::PacketsTotal), "network.direction" Leave, "network.type" Leave, "event.start" Note(N::Start), "event.end" Note(N::End),
    "event.duration" Leave, "event.action" Leave, "event.kind" Leave, "event.category" Leave, "event.type" Leave, "event.created" Leave, "event.dataset" Leave, "event.module" Leave,
    "source.locality" Leave, "destination.locality" Leave, "flow.locality" Leave, "flow.id" Field(SessionId), "related.ip" Leave, "related.hash" Leave, "observer.ip" Note(N::Exporter),
    "input.type" Leave, "agent.name" Leave, "agent.type" Leave, "agent.version" Leave, "agent.id" Leave, "agent.ephemeral_id" Leave, "ecs.version" Leave, "host.name" Leave,
    "exporter.address" Note(N::Exporter), "exporter.source_id" Extra, "exporter.timestamp" Leave, "exporter.uptime_millis" Leave, "exporter.version" Extra,
    "source_ipv4_address" Address(key::SRC_IP), "destination_ipv4_address" Address(key::DST_IP), "source_ipv6_address" Address(key::SRC_IP), "destination_ipv6_address" Address(key::DST_IP),
    "source_transport_port" Note(N::SrcPort), "destination_transport_port" Note(N::DstPort), "protocol_identifier" Note(N::ProtocolNumber), "octet_delta_count" Note(N::Bytes),
    "packet_delta_count" Note(N::Packets), "octet_total_count" Note(N::BytesTotal), "packet_total_count" Note(N::PacketsTotal), "initiator_octets" Note(N::InitiatorBytes),
    "responder_octets" Note(N::ResponderBytes), "initiator_packets" Note(N::InitiatorPackets), "responder_packets" Note(N::ResponderPackets),
    "flow_start_milliseconds" Note(N::Start), "flow_end_milliseconds" Note(N::End), "flow_start_seconds" Note(N::Start), "flow_end_seconds" Note(N::End),
    "flow_start_microseconds" Note(N::Start), "flow_end_microseconds" Note(N::End), "flow_start_nanoseconds" Note(N::Start), "flow_end_nanoseconds" Note(N::End),
    "flow_start_sys_up_time" Note(N::FirstUptime), "flow_end_sys_up_time" Note(N::LastUptime), "tcp_control_bits" Note(N::Flags), "ingress_interface" Field(InInterface),
    "egress_interface" Field(OutInterface), "icmp_type_code_ipv4" Note(N::IcmpBoth), "icmp_type_code_ipv6" Note(N::IcmpBoth), "icmp_type_ipv4" Note(N::IcmpType), "icmp_code_ipv4" Note(N::IcmpCode),
    "icmp_type_ipv6" Note(N::IcmpType), "icmp_code_ipv6" Note(N::IcmpCode), "bgp_source_as_number" Field(SrcAsn), "bgp_destination_as_number" Field(DstAsn), "vlan_id" Field(Vlan),
    "source_mac_address" Field(SrcMac), "destination_mac_address" Field(DstMac), "post_nat_source_ipv4_address" Note(N::NatSrcIp), "post_nat_destination_ipv4_address" Note(N::NatDstIp),
    "post_nat_source_ipv6_address" Note(N::NatSrcIp), "post_nat_destination_ipv6_address" Note(N::NatDstIp), "post_napt_source_transport_port" Note(N::NatSrcPort),
    "post_napt_destination_transport_port" Note(N::NatDstPort), "firewall_event" Note(N::FirewallEvent), "fw_ext_event" Note(N::FirewallExtended), "xlate_src_addr_ipv4" Note(N::NatSrcIp),
    "xlate_dst_addr_ipv4" Note(N::NatDstIp), "xlate_src_port" Note(N::NatSrcPort), "xlate_dst_port" Note(N::NatDstPort), "asa_username" Field(User), "fw_rule" Field(RuleName), "padding_octets" Leave,
    }
};

/// Columns of nfdump's CSV, versions 1.7 and 1.6.
#[rustfmt::skip]
pub(super) static COLUMNS: Paths<Note, 128> = {
    use Field::*;
    use self::Note as N;
    paths! {
    "firstSeen" Note(N::Start), "lastSeen" Note(N::End), "duration" Note(N::Seconds), "proto" Note(N::Protocol), "srcAddr" Address(key::SRC_IP), "srcPort" Note(N::SrcPort),
    "dstAddr" Address(key::DST_IP), "dstPort" Note(N::DstPort), "packets" Note(N::Packets), "bytes" Note(N::Bytes), "flows" Extra, "srcAS" Field(SrcAsn), "dstAS" Field(DstAsn),
    "input" Field(InInterface), "output" Field(OutInterface), "flags" Note(N::FlagsText), "srcTos" Extra,
    "ts" Note(N::Start), "te" Note(N::End), "td" Note(N::Seconds), "sa" Address(key::SRC_IP), "da" Address(key::DST_IP), "sp" Note(N::SrcPort), "dp" Note(N::DstPort), "pr" Note(N::Protocol),
    "flg" Note(N::FlagsText), "fwd" Note(N::Forwarding), "stos" Extra, "ipkt" Note(N::Packets), "ibyt" Note(N::Bytes), "opkt" Note(N::ResponderPackets), "obyt" Note(N::ResponderBytes),
    "in" Field(InInterface), "out" Field(OutInterface), "sas" Field(SrcAsn), "das" Field(DstAsn), "ra" Note(N::Exporter), "nh" Extra, "svln" Field(Vlan), "ismc" Field(SrcMac), "odmc" Field(DstMac),
    }
};
