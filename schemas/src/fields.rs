//! The table of fields: one row a field, from which all else is derived. A new field is one row.
//!
//! A row is: variant, key constant, canonical name; type of the column; kinds of event that carry it (`all`, or
//! words of `EventKind`); path in ECS 9.4; path in OCSF 1.8; other names that rules may use, space separated,
//! `name@source` where only rules of that log source (category, product or service) may; and what it means.
//!
//! Columns are found by position within their storage class, counted at compile time, so that a `Key` costs
//! nothing at run time and the table needs no second list.

use crate::kinds::*;
use crate::words::*;

pub use crate::kinds::FieldType;

macro_rules! fields {
    ($($variant:ident $key:ident $name:literal: $kind:ty, $events:literal, $ecs:literal, $ocsf:literal, $aliases:literal, $doc:literal;)+) => {
        /// Every field that an event may have.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Field { $(#[doc = $doc] $variant),+ }

        const STORAGE: &[Storage] = &[$(<$kind as Kind>::STORAGE),+];

        /// `,"name":` of each field, for the JSON writer.
        pub(crate) static JSON_KEYS: [&str; FIELD_COUNT] = [$(concat!(",\"", $name, "\":")),+];

        /// Number of fields.
        pub const FIELD_COUNT: usize = STORAGE.len();
        const _: () = assert!(FIELD_COUNT <= crate::batch::PRESENCE_WORDS * 64, "a bit a field in a row's presence");

        impl Field {
            /// Every field, in the table's order.
            pub const ALL: &'static [Field] = &[$(Field::$variant),+];

            /// Canonical name, flat snake_case.
            pub const fn name(self) -> &'static str { match self { $(Field::$variant => $name),+ } }
            /// Type of its column.
            #[inline]
            pub const fn field_type(self) -> FieldType {
                static FIELD_TYPES: [FieldType; FIELD_COUNT] = [$(<$kind as Kind>::TYPE),+];
                FIELD_TYPES[self as usize]
            }
            /// Kinds of event that carry it: `all`, or words of `EventKind` separated by spaces.
            pub const fn events(self) -> &'static str { match self { $(Field::$variant => $events),+ } }
            /// Path in ECS 9.4.
            pub const fn ecs(self) -> &'static str { match self { $(Field::$variant => $ecs),+ } }
            /// Path in OCSF 1.8; `unmapped.` where it has no home there.
            pub const fn ocsf(self) -> &'static str { match self { $(Field::$variant => $ocsf),+ } }
            /// Other names that rules may use, see the module's text.
            pub const fn aliases(self) -> &'static str { match self { $(Field::$variant => $aliases),+ } }
            /// What it means, one line.
            pub const fn doc(self) -> &'static str { match self { $(Field::$variant => $doc),+ } }
        }

        /// One typed key a field.
        pub mod key {
            use super::*;
            $(#[doc = $doc] pub const $key: Key<$kind> = Key::new(Field::$variant, slot_of(Field::$variant));)+
        }
    };
}

impl Field {
    /// Its place in the table, and its bit in a row's presence.
    #[inline]
    pub const fn index(self) -> usize {
        self as usize
    }

    pub(crate) const fn storage(self) -> Storage {
        STORAGE[self as usize]
    }

    pub(crate) const fn slot(self) -> usize {
        SLOTS[self as usize] as usize
    }
}

const fn slot_of(field: Field) -> usize {
    let (mut at, mut slot) = (0, 0);
    while at < field as usize {
        if STORAGE[at] as u8 == STORAGE[field as usize] as u8 {
            slot += 1;
        }
        at += 1;
    }
    slot
}

const SLOTS: [u8; FIELD_COUNT] = {
    let mut slots = [0; FIELD_COUNT];
    let mut at = 0;
    while at < FIELD_COUNT {
        slots[at] = slot_of(Field::ALL[at]) as u8;
        at += 1;
    }
    slots
};

/// How many columns a storage class has.
pub(crate) const fn columns_of(storage: Storage) -> usize {
    let (mut at, mut count) = (0, 0);
    while at < FIELD_COUNT {
        if STORAGE[at] as u8 == storage as u8 {
            count += 1;
        }
        at += 1;
    }
    count
}

#[rustfmt::skip]
fields! {
    Time TIME "time": Time, "all", "@timestamp", "time", "timestamp UtcTime@network_connection UtcTime@dns_query UtcTime@process_creation ts@zeek",
        "When it happened by the device's own clock, microseconds UTC; the received time if the record names none.";
    Received RECEIVED "received": Time, "all", "event.ingested", "metadata.logged_time", "",
        "When the broker or the reader received the record.";
    TimeSource TIME_SOURCE "time_source": TimeSource, "all", "labels.time_source", "unmapped.time_source", "",
        "Where `time` came from. Absent means the record.";
    Kind KIND "kind": EventKind, "all", "labels.kind", "unmapped.kind", "",
        "What sort of event it is; gives event.category and event.kind in ECS and the class in OCSF.";
    Family FAMILY "family": Text, "all", "event.module", "metadata.log_name", "",
        "The log family that parsed it.";
    Vendor VENDOR "vendor": Text, "all", "observer.vendor", "metadata.product.vendor_name", "",
        "Vendor of the device or program.";
    Product PRODUCT "product": Text, "all", "observer.product", "metadata.product.name", "",
        "Product that wrote the log.";
    Dataset DATASET "dataset": Text, "all", "event.dataset", "metadata.log_source", "",
        "The stream inside the product: traffic, security, conn.";
    Tenant TENANT "tenant": Text, "all", "organization.id", "metadata.tenant_uid", "",
        "Whose network it is, where one installation serves several.";
    Host HOST "host": Text, "all", "host.name", "device.hostname", "Computer@windows ComputerName@windows hostname observer.name",
        "The device that wrote the log, as it stands in the line; never a relay.";
    HostIp HOST_IP "host_ip": Ip, "all", "host.ip", "device.ip", "observer.ip",
        "The device's own address, where the log names it.";
    Relay RELAY "relay": Text, "all", "labels.relay", "metadata.reporter.hostname", "",
        "The last relay that added a header of its own.";
    SrcIp SRC_IP "src_ip": Ip, "flow auth alert dns", "source.ip", "src_endpoint.ip", "SourceIp IpAddress@windows SourceAddress@windows id.orig_h@zeek c-ip client_ip",
        "Address of the end that the log calls the source, before translation.";
    SrcPort SRC_PORT "src_port": Port, "flow auth alert dns", "source.port", "src_endpoint.port", "SourcePort IpPort@windows id.orig_p@zeek",
        "Its port.";
    DstIp DST_IP "dst_ip": Ip, "flow auth alert dns", "destination.ip", "dst_endpoint.ip", "DestinationIp DestAddress@windows id.resp_h@zeek",
        "Address of the end that the log calls the destination, as the source dialled it or as the log has it.";
    DstPort DST_PORT "dst_port": Port, "flow auth alert dns listener", "destination.port", "dst_endpoint.port", "DestinationPort DestPort@windows id.resp_p@zeek",
        "Its port.";
    SrcMac SRC_MAC "src_mac": Text, "flow auth alert", "source.mac", "src_endpoint.mac", "",
        "Hardware address of the source.";
    DstMac DST_MAC "dst_mac": Text, "flow auth alert", "destination.mac", "dst_endpoint.mac", "",
        "Hardware address of the destination.";
    SrcHost SRC_HOST "src_host": Text, "flow auth alert", "source.domain", "src_endpoint.hostname", "SourceHostname WorkstationName@windows Workstation@windows",
        "Name of the source, where the log has one.";
    DstHost DST_HOST "dst_host": Text, "flow auth alert", "destination.domain", "dst_endpoint.hostname", "DestinationHostname TargetServerName@windows",
        "Name of the destination, where the log has one.";
    Transport TRANSPORT "transport": Transport, "flow alert dns listener", "network.transport", "connection_info.protocol_name", "Protocol proto@zeek protocol",
        "IP protocol.";
    AppProto APP_PROTO "app_proto": Text, "flow alert dns", "network.protocol", "app_protocol_name", "service@zeek app",
        "Application protocol as the sensor recognised it from the bytes.";
    Direction DIRECTION "direction": Direction, "flow alert", "network.direction", "connection_info.direction_id", "",
        "Direction as the log states it, seen from the perimeter.";
    Action ACTION "action": Action, "flow alert dns", "labels.action", "disposition_id", "blocked",
        "What the device did, in one vocabulary.";
    EventAction EVENT_ACTION "event_action": Text, "all", "event.action", "action", "Action",
        "The vendor's own word for what happened.";
    Outcome OUTCOME "outcome": Outcome, "auth process other", "event.outcome", "status_id", "",
        "Whether the act succeeded.";
    Reason REASON "reason": Text, "all", "event.reason", "status_detail", "FailureReason@windows",
        "Why, as the log says.";
    StatusCode STATUS_CODE "status_code": Text, "auth other", "error.code", "status_code", "Status@windows",
        "The vendor's failure code.";
    Severity SEVERITY "severity": Long, "all", "event.severity", "unmapped.severity", "",
        "The device's own severity number.";
    Level LEVEL "level": Text, "all", "log.level", "metadata.log_level", "",
        "The device's own severity word.";
    EventCode EVENT_CODE "event_code": Text, "all", "event.code", "metadata.event_code", "EventID EventCode event_id",
        "The vendor's message or event number.";
    User USER "user": Text, "auth flow process other", "user.name", "user.name", "User username TargetUserName@windows user_name",
        "The account concerned: for a logon the account that logs on, else the one that acts.";
    UserDomain USER_DOMAIN "user_domain": Text, "auth process", "user.domain", "user.domain", "TargetDomainName@windows",
        "Its domain.";
    UserId USER_ID "user_id": Text, "auth process", "user.id", "user.uid", "TargetUserSid@windows",
        "Its id.";
    SrcUser SRC_USER "src_user": Text, "auth", "source.user.name", "actor.user.name", "SubjectUserName@windows",
        "Who acts, where that is another account than `user`.";
    SrcUserDomain SRC_USER_DOMAIN "src_user_domain": Text, "auth", "source.user.domain", "actor.user.domain", "SubjectDomainName@windows",
        "The acting account's domain.";
    LogonType LOGON_TYPE "logon_type": Long, "auth", "labels.logon_type", "logon_type_id", "LogonType@windows",
        "Windows logon type number.";
    AuthMethod AUTH_METHOD "auth_method": Text, "auth", "labels.auth_method", "auth_protocol", "AuthenticationPackageName@windows",
        "How it was authenticated: password, publickey, NTLM, Kerberos.";
    SessionId SESSION_ID "session_id": Text, "flow auth", "labels.session_id", "connection_info.uid", "TargetLogonId@windows uid@zeek",
        "The device's own id of the session.";
    BytesOut BYTES_OUT "bytes_out": Long, "flow alert", "source.bytes", "traffic.bytes_out", "orig_bytes@zeek",
        "Octets from source to destination.";
    BytesIn BYTES_IN "bytes_in": Long, "flow alert", "destination.bytes", "traffic.bytes_in", "resp_bytes@zeek",
        "Octets from destination to source.";
    BytesTotal BYTES_TOTAL "bytes_total": Long, "flow alert", "network.bytes", "traffic.bytes", "bytes",
        "Octets in both directions, where the log has only the sum.";
    PacketsOut PACKETS_OUT "packets_out": Long, "flow alert", "source.packets", "traffic.packets_out", "orig_pkts@zeek",
        "Packets from source to destination.";
    PacketsIn PACKETS_IN "packets_in": Long, "flow alert", "destination.packets", "traffic.packets_in", "resp_pkts@zeek",
        "Packets from destination to source.";
    PacketsTotal PACKETS_TOTAL "packets_total": Long, "flow alert", "network.packets", "traffic.packets", "packets",
        "Packets in both directions, where the log has only the sum.";
    Duration DURATION "duration": Long, "flow alert", "event.duration", "duration", "",
        "How long it lasted, microseconds.";
    Start START "start": Time, "flow alert", "event.start", "start_time", "",
        "When the flow began.";
    End END "end": Time, "flow alert", "event.end", "end_time", "",
        "When the flow ended.";
    RuleName RULE_NAME "rule_name": Text, "flow alert", "labels.rule_name", "firewall_rule.name", "",
        "The device's rule or policy that decided.";
    RuleId RULE_ID "rule_id": Text, "flow alert", "labels.rule_id", "firewall_rule.uid", "",
        "Its id.";
    NatSrcIp NAT_SRC_IP "nat_src_ip": Ip, "flow", "source.nat.ip", "src_endpoint.proxy_endpoint.ip", "",
        "The source's other address after translation.";
    NatSrcPort NAT_SRC_PORT "nat_src_port": Port, "flow", "source.nat.port", "src_endpoint.proxy_endpoint.port", "",
        "The source's other port.";
    NatDstIp NAT_DST_IP "nat_dst_ip": Ip, "flow", "destination.nat.ip", "dst_endpoint.proxy_endpoint.ip", "",
        "The destination's other address.";
    NatDstPort NAT_DST_PORT "nat_dst_port": Port, "flow", "destination.nat.port", "dst_endpoint.proxy_endpoint.port", "",
        "The destination's other port.";
    SrcZone SRC_ZONE "src_zone": Text, "flow alert", "observer.ingress.zone", "src_endpoint.zone", "",
        "The device's own zone or interface name on the source's side.";
    DstZone DST_ZONE "dst_zone": Text, "flow alert", "observer.egress.zone", "dst_endpoint.zone", "",
        "The same on the destination's side.";
    InInterface IN_INTERFACE "in_interface": Text, "flow alert", "observer.ingress.interface.name", "src_endpoint.interface_name", "",
        "Interface through which it came in.";
    OutInterface OUT_INTERFACE "out_interface": Text, "flow alert", "observer.egress.interface.name", "dst_endpoint.interface_name", "",
        "Interface through which it went out.";
    ConnState CONN_STATE "conn_state": Text, "flow", "labels.conn_state", "unmapped.conn_state", "network.state",
        "How the connection stands, in the sensor's words.";
    TcpFlags TCP_FLAGS "tcp_flags": Text, "flow", "labels.tcp_flags", "connection_info.flag_history", "network.history history@zeek",
        "TCP flags or their history, in the sensor's notation.";
    IcmpType ICMP_TYPE "icmp_type": Long, "flow alert", "labels.icmp_type", "unmapped.icmp_type", "",
        "ICMP type.";
    IcmpCode ICMP_CODE "icmp_code": Long, "flow alert", "labels.icmp_code", "unmapped.icmp_code", "",
        "ICMP code.";
    PortState PORT_STATE "port_state": PortState, "flow alert listener", "labels.port_state", "unmapped.port_state", "",
        "What the event proves about the destination port.";
    Initiator INITIATOR "initiator": Initiator, "flow alert", "labels.initiator", "unmapped.initiator", "",
        "Which end the log itself says has begun. Absent where it does not say.";
    Signature SIGNATURE "signature": Text, "alert", "rule.name", "finding_info.title", "",
        "What an IDS says it saw.";
    SignatureId SIGNATURE_ID "signature_id": Text, "alert", "rule.id", "finding_info.analytic.uid", "",
        "The IDS's id for it.";
    SignatureClass SIGNATURE_CLASS "signature_class": Text, "alert", "rule.category", "finding_info.analytic.category", "",
        "The IDS's class for it.";
    DnsQuery DNS_QUERY "dns_query": Text, "dns", "dns.question.name", "query.hostname", "query QueryName",
        "The name that was asked for.";
    DnsType DNS_TYPE "dns_type": Text, "dns", "dns.question.type", "query.type", "record_type qtype_name@zeek",
        "The record type that was asked for.";
    DnsRcode DNS_RCODE "dns_rcode": Text, "dns", "dns.response_code", "rcode", "dns.response.code rcode_name@zeek QueryStatus",
        "The answer's response code, by name.";
    DnsAnswers DNS_ANSWERS "dns_answers": List, "dns", "dns.answers.data", "answers.rdata", "answer answers QueryResults",
        "The answers' data.";
    TlsSni TLS_SNI "tls_sni": Text, "flow alert", "tls.client.server_name", "tls.sni", "",
        "The name that the client asked for in TLS.";
    TlsVersion TLS_VERSION "tls_version": Text, "flow alert", "tls.version", "tls.version", "",
        "TLS version as the sensor writes it.";
    TlsSubject TLS_SUBJECT "tls_subject": Text, "flow alert", "tls.server.subject", "tls.certificate.subject", "",
        "Subject of the server's certificate.";
    Ja3 JA3 "ja3": Text, "flow alert", "tls.client.ja3", "tls.ja3_hash.value", "",
        "JA3 hash of the client.";
    HttpHost HTTP_HOST "http_host": Text, "flow alert", "url.domain", "url.hostname", "cs-host",
        "Host of the HTTP request.";
    HttpMethod HTTP_METHOD "http_method": Text, "flow alert", "http.request.method", "unmapped.http_method", "cs-method method@zeek",
        "Its method.";
    Url URL "url": Text, "flow alert", "url.original", "url.url_string", "c-uri uri@zeek",
        "Its URL or path.";
    HttpStatus HTTP_STATUS "http_status": Long, "flow alert", "http.response.status_code", "unmapped.http_status", "sc-status status_code@zeek",
        "Its status.";
    UserAgent USER_AGENT "user_agent": Text, "flow alert", "user_agent.original", "unmapped.user_agent", "c-useragent user_agent@zeek",
        "Its user agent.";
    ClientSoftware CLIENT_SOFTWARE "client_software": Text, "flow auth", "labels.client_software", "unmapped.client_software", "",
        "What the client calls itself: SSH banner, RDP client.";
    ServerSoftware SERVER_SOFTWARE "server_software": Text, "flow auth listener", "labels.server_software", "unmapped.server_software", "",
        "What the server calls itself: SSH banner, HTTP server.";
    ProcessName PROCESS_NAME "process_name": Text, "process flow listener auth", "process.name", "process.name", "ProcessName@windows",
        "Name of the process.";
    ProcessPath PROCESS_PATH "process_path": Text, "process flow listener auth", "process.executable", "process.path", "Image NewProcessName@windows Application@windows",
        "Path of its program.";
    ProcessId PROCESS_ID "process_id": Long, "process flow listener", "process.pid", "process.pid", "ProcessId",
        "Its number.";
    ProcessCommand PROCESS_COMMAND "process_command": Text, "process", "process.command_line", "process.cmd_line", "CommandLine",
        "Its command line.";
    ParentPath PARENT_PATH "parent_path": Text, "process", "process.parent.executable", "process.parent_process.path", "ParentImage ParentProcessName@windows",
        "Path of its parent's program.";
    ParentCommand PARENT_COMMAND "parent_command": Text, "process", "process.parent.command_line", "process.parent_process.cmd_line", "ParentCommandLine",
        "Its parent's command line.";
    CommunityId COMMUNITY_ID "community_id": Text, "flow alert dns", "network.community_id", "connection_info.community_uid", "",
        "Community ID of the flow.";
    Vlan VLAN "vlan": Long, "flow alert", "network.vlan.id", "unmapped.vlan", "",
        "VLAN number.";
    Repeat REPEAT "repeat": Long, "all", "labels.repeat", "count", "",
        "How many times the device says that it happened. Absent means once.";
    Message MESSAGE "message": Text, "all", "message", "message", "",
        "The record's own text for people.";
    ClientIp CLIENT_IP "client_ip": Ip, "flow alert dns auth", "client.ip", "unmapped.client_ip", "",
        "The end that began the conversation, as orientation decided.";
    ClientPort CLIENT_PORT "client_port": Port, "flow alert dns auth", "client.port", "unmapped.client_port", "",
        "Its port.";
    ServerIp SERVER_IP "server_ip": Ip, "flow alert dns auth", "server.ip", "unmapped.server_ip", "",
        "The end that was called.";
    ServerPort SERVER_PORT "server_port": Port, "flow alert dns auth", "server.port", "unmapped.server_port", "",
        "Its port.";
    OrientationEvidence ORIENTATION_EVIDENCE "orientation_evidence": OrientationEvidence, "flow alert dns", "labels.orientation_evidence", "unmapped.orientation_evidence", "",
        "What decided which end is the client.";
    OrientationConfidence ORIENTATION_CONFIDENCE "orientation_confidence": Percent, "flow alert dns", "labels.orientation_confidence", "unmapped.orientation_confidence", "",
        "How sure that is.";
    Service SERVICE "service": Text, "flow alert dns listener", "network.application", "dst_endpoint.svc_name", "",
        "The service that was really spoken, as far as is known.";
    ServiceEvidence SERVICE_EVIDENCE "service_evidence": ServiceEvidence, "flow alert dns listener", "labels.service_evidence", "unmapped.service_evidence", "",
        "The strongest thing that names the service.";
    ServiceConfidence SERVICE_CONFIDENCE "service_confidence": Percent, "flow alert dns listener", "labels.service_confidence", "unmapped.service_confidence", "",
        "How sure that is. A port alone is worth little.";
    ServiceMismatch SERVICE_MISMATCH "service_mismatch": Text, "flow alert", "labels.service_mismatch", "unmapped.service_mismatch", "",
        "What was spoken is not what the port promises: `ssh on 443`.";
    ServiceCategory SERVICE_CATEGORY "service_category": Text, "flow alert dns listener", "labels.service_category", "unmapped.service_category", "",
        "Category from the port table: web, database, remote-access.";
    ServicePlaintext SERVICE_PLAINTEXT "service_plaintext": Plaintext, "flow alert listener", "labels.service_plaintext", "unmapped.service_plaintext", "",
        "Whether the service speaks clear text.";
    ServiceAdmin SERVICE_ADMIN "service_admin": Flag, "flow alert listener", "labels.service_admin", "unmapped.service_admin", "",
        "Whether it gives administrative or data-store control.";
    ServiceAmplifier SERVICE_AMPLIFIER "service_amplifier": Flag, "flow alert listener", "labels.service_amplifier", "unmapped.service_amplifier", "",
        "Whether it is a known reflector.";
    SrcAsset SRC_ASSET "src_asset": Text, "flow auth alert dns", "labels.src_asset", "unmapped.src_asset", "",
        "Asset that the source belonged to at that time.";
    SrcRole SRC_ROLE "src_role": Text, "flow auth alert dns", "labels.src_role", "unmapped.src_role", "",
        "Its role: workstation, server, scanner.";
    SrcOwner SRC_OWNER "src_owner": Text, "flow auth alert dns", "labels.src_owner", "src_endpoint.owner.name", "",
        "Who answers for it.";
    SrcCriticality SRC_CRITICALITY "src_criticality": Criticality, "flow auth alert dns", "labels.src_criticality", "unmapped.src_criticality", "",
        "How much it matters.";
    SrcAssetZone SRC_ASSET_ZONE "src_asset_zone": Text, "flow auth alert dns", "labels.src_asset_zone", "unmapped.src_asset_zone", "",
        "The network zone that the inventory puts it in.";
    SrcInternal SRC_INTERNAL "src_internal": Flag, "flow auth alert dns", "labels.src_internal", "unmapped.src_internal", "",
        "Whether it is one of ours, by inventory or by address range.";
    DstAsset DST_ASSET "dst_asset": Text, "flow auth alert dns", "labels.dst_asset", "unmapped.dst_asset", "",
        "Asset that the destination belonged to; for a logon the host that was logged on to.";
    DstRole DST_ROLE "dst_role": Text, "flow auth alert dns", "labels.dst_role", "unmapped.dst_role", "",
        "Its role.";
    DstOwner DST_OWNER "dst_owner": Text, "flow auth alert dns", "labels.dst_owner", "dst_endpoint.owner.name", "",
        "Who answers for it.";
    DstCriticality DST_CRITICALITY "dst_criticality": Criticality, "flow auth alert dns", "labels.dst_criticality", "unmapped.dst_criticality", "",
        "How much it matters.";
    DstAssetZone DST_ASSET_ZONE "dst_asset_zone": Text, "flow auth alert dns", "labels.dst_asset_zone", "unmapped.dst_asset_zone", "",
        "The network zone that the inventory puts it in.";
    DstInternal DST_INTERNAL "dst_internal": Flag, "flow auth alert dns", "labels.dst_internal", "unmapped.dst_internal", "",
        "Whether it is one of ours.";
    Exposure EXPOSURE "exposure": Exposure, "flow alert", "labels.exposure", "unmapped.exposure", "",
        "From where the server's end was reached, as this event shows it.";
    SrcCountry SRC_COUNTRY "src_country": Text, "flow auth alert", "source.geo.country_iso_code", "src_endpoint.location.country", "",
        "Country of the source, ISO 3166-1.";
    DstCountry DST_COUNTRY "dst_country": Text, "flow auth alert", "destination.geo.country_iso_code", "dst_endpoint.location.country", "",
        "Country of the destination.";
    SrcAsn SRC_ASN "src_asn": Long, "flow auth alert", "source.as.number", "src_endpoint.autonomous_system.number", "",
        "Autonomous system of the source.";
    DstAsn DST_ASN "dst_asn": Long, "flow auth alert", "destination.as.number", "dst_endpoint.autonomous_system.number", "",
        "Autonomous system of the destination.";
    SrcAsOrg SRC_AS_ORG "src_as_org": Text, "flow auth alert", "source.as.organization.name", "src_endpoint.autonomous_system.name", "",
        "Its operator.";
    DstAsOrg DST_AS_ORG "dst_as_org": Text, "flow auth alert", "destination.as.organization.name", "dst_endpoint.autonomous_system.name", "",
        "Its operator.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_and_paths_are_unique() {
        for (what, of) in
            [("name", Field::name as fn(Field) -> &'static str), ("ECS path", Field::ecs), ("OCSF path", Field::ocsf)]
        {
            let mut seen = HashSet::new();
            for field in Field::ALL {
                assert!(seen.insert(of(*field)), "{what} {} stands twice", of(*field));
            }
        }
    }

    #[test]
    fn each_field_has_a_column_of_its_own() {
        let mut seen = HashSet::new();
        for field in Field::ALL {
            assert!(seen.insert((field.storage() as u8, field.slot())));
            assert!(field.slot() < columns_of(field.storage()));
        }
    }

    #[test]
    fn kinds_of_event_are_known_words() {
        for field in Field::ALL {
            for word in field.events().split(' ') {
                assert!(word == "all" || crate::words::EventKind::parse(word.as_bytes()).is_some(), "{word}");
            }
        }
    }
}
