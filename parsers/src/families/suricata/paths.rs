//! What becomes of each dotted path of an event: a constant table.
//!
//! Source: Suricata's `src/output-json*.c`, `rust/src/*/log*.rs` and `etc/schema.json`, master of 2026.

use schemas::Field;

use crate::lex::keys::KeyMap;

/// What becomes of a path.
#[derive(Clone, Copy)]
pub(super) enum Put {
    /// Into a field, by its type.
    Field(Field),
    /// Into a field, unless an earlier member has set it.
    First(Field),
    /// Into a field if it is of its type, else into the extras.
    IfValid(Field),
    /// Kept for the conclusions.
    Note(Note),
    /// Into the extras, under its path.
    Extra,
    /// Into the extras if it is `true`.
    IfTrue,
    /// An answer of the name service.
    Answer,
    /// An answer, where Suricata lists them by type only.
    Grouped,
    /// Nothing: see the module's text.
    Leave,
}

/// Members that are concluded from, one slot each.
#[derive(Clone, Copy)]
pub(super) enum Note {
    EventType,
    Timestamp,
    Direction,
    FlowSrcIp,
    FlowSrcPort,
    BytesToServer,
    BytesToClient,
    PacketsToServer,
    PacketsToClient,
    Start,
    End,
    FlagsToServer,
    FlagsToClient,
    Flags,
    FlowAction,
    AlertAction,
    VerdictAction,
    Reject,
    AppProto,
    DnsType,
    RdpType,
    TlsVersion,
    HttpStatus,
    ServerSoftware,
    SmbCommand,
    SmbStatus,
    Credentials,
    Kerberos,
    Krb5Type,
    Krb5Error,
    FtpCommand,
    FtpData,
    FtpCode,
    RfbResult,
    LdapOperation,
    LdapResult,
    SqlState,
    Response,
    Pop3Command,
    Pop3Argument,
    Pop3Success,
    MqttUser,
    MqttReturn,
    Count,
}

macro_rules! paths {
    ($($path:literal $put:ident $(($what:expr))?),+ $(,)?) => {
        &[$(($path, (Put::$put $(($what))?, $path))),+]
    };
}

#[rustfmt::skip]
pub(super) static PATHS: KeyMap<(Put, &'static str), 1024> = {
    use Field::*;
    use self::Note as N;
    KeyMap::new(paths! {
    "timestamp" Note(N::Timestamp), "event_type" Note(N::EventType), "flow_id" Field(SessionId), "in_iface" Field(InInterface),
    "src_ip" Field(SrcIp), "src_port" Field(SrcPort), "dest_ip" Field(DstIp), "dest_port" Field(DstPort), "proto" IfValid(Transport),
    "vlan" First(Vlan), "icmp_type" Field(IcmpType), "icmp_code" Field(IcmpCode), "response_icmp_type" Extra, "response_icmp_code" Extra,
    "app_proto" Note(N::AppProto), "app_proto_ts" Extra, "app_proto_tc" Extra, "app_proto_orig" Extra, "app_proto_expected" Extra,
    "community_id" Field(CommunityId), "host" Field(Host), "direction" Note(N::Direction), "tx_id" Extra, "parent_id" Extra,
    "ip_v" Leave, "pcap_cnt" Leave, "pkt_src" Leave, "stream" Leave, "payload" Leave, "packet" Leave, "packet_info.linktype" Leave,
    "payload_printable" Extra, "sensor_id" Extra, "xff" Extra,
    "ether.src_mac" Field(SrcMac), "ether.dest_mac" Field(DstMac), "ether.src_macs" First(SrcMac), "ether.dest_macs" First(DstMac),
    // alerts and drops
    "alert.action" Note(N::AlertAction), "alert.signature" Field(Signature), "alert.signature_id" Field(SignatureId),
    "alert.category" Field(SignatureClass), "alert.severity" Field(Severity), "alert.gid" Extra, "alert.rev" Extra,
    "alert.metadata.signature_severity" First(Level), "alert.xff" Extra, "alert.rule" Leave, "alert.references" Extra,
    "alert.metadata.mitre_technique_id" Extra, "alert.metadata.mitre_tactic_id" Extra, "alert.tenant_id" Field(Tenant),
    "verdict.action" Note(N::VerdictAction), "verdict.reject" Note(N::Reject), "verdict.reject_target" Extra, "verdict.reject-target" Extra,
    "drop.reason" Field(Reason), "drop.len" Extra, "drop.ttl" Extra, "drop.tos" Leave, "drop.ipid" Leave, "drop.tcpseq" Leave,
    "drop.tcpack" Leave, "drop.tcpwin" Leave, "drop.tcpres" Leave, "drop.tcpurgp" Leave, "drop.udplen" Leave,
    "drop.syn" Leave, "drop.ack" Leave, "drop.psh" Leave, "drop.rst" Leave, "drop.urg" Leave, "drop.fin" Leave,
    "anomaly.event" Field(EventAction), "anomaly.type" Extra, "anomaly.layer" Extra, "anomaly.app_proto" First(AppProto), "anomaly.code" Extra,
    // flows
    "flow.src_ip" Note(N::FlowSrcIp), "flow.src_port" Note(N::FlowSrcPort), "flow.dest_ip" Leave, "flow.dest_port" Leave,
    "flow.bytes_toserver" Note(N::BytesToServer), "flow.bytes_toclient" Note(N::BytesToClient),
    "flow.pkts_toserver" Note(N::PacketsToServer), "flow.pkts_toclient" Note(N::PacketsToClient),
    "flow.start" Note(N::Start), "flow.end" Note(N::End), "flow.age" Leave, "flow.state" Field(ConnState), "flow.reason" Field(Reason),
    "flow.alerted" IfTrue, "flow.action" Note(N::FlowAction), "flow.bypass" Extra, "flow.emergency" IfTrue, "flow.wrong_thread" IfTrue,
    "flow.elephant" IfTrue, "flow.exception_policy" Extra, "flow.tx_cnt" Extra,
    "netflow.bytes" Field(BytesOut), "netflow.pkts" Field(PacketsOut), "netflow.start" Note(N::Start), "netflow.end" Note(N::End),
    "netflow.age" Leave, "netflow.min_ttl" Extra, "netflow.max_ttl" Extra, "netflow.tx_cnt" Extra,
    "tcp.tcp_flags" Note(N::Flags), "tcp.tcp_flags_ts" Note(N::FlagsToServer), "tcp.tcp_flags_tc" Note(N::FlagsToClient), "tcp.state" Extra,
    "tcp.syn" Leave, "tcp.fin" Leave, "tcp.rst" Leave, "tcp.psh" Leave, "tcp.ack" Leave, "tcp.urg" Leave, "tcp.ecn" Leave, "tcp.cwr" Leave,
    "tcp.ts_gap" IfTrue, "tcp.tc_gap" IfTrue, "tcp.ts_max_regions" Leave, "tcp.tc_max_regions" Leave,
    // names
    "dns.type" Note(N::DnsType), "dns.rrname" First(DnsQuery), "dns.rrtype" First(DnsType), "dns.queries.rrname" First(DnsQuery),
    "dns.queries.rrtype" First(DnsType), "dns.query.rrname" First(DnsQuery), "dns.query.rrtype" First(DnsType), "dns.query.type" Note(N::DnsType),
    "dns.answer.rrname" First(DnsQuery), "dns.answer.rrtype" First(DnsType), "dns.answer.type" Note(N::DnsType),
    "dns.rcode" Field(DnsRcode), "dns.answer.rcode" First(DnsRcode), "dns.rdata" Answer, "dns.answers.rdata" Answer,
    "dns.grouped.A" Grouped, "dns.grouped.AAAA" Grouped, "dns.grouped.CNAME" Grouped, "dns.grouped.NS" Grouped, "dns.grouped.MX" Grouped,
    "dns.grouped.TXT" Grouped, "dns.grouped.PTR" Grouped, "dns.id" Extra, "dns.tx_id" Leave, "dns.version" Leave, "dns.flags" Leave,
    "dns.qr" Leave, "dns.aa" Leave, "dns.tc" Leave, "dns.rd" Leave, "dns.ra" Leave, "dns.z" Leave, "dns.opcode" Leave, "dns.ttl" Leave,
    "dns.answers.rrname" Leave, "dns.answers.rrtype" Leave, "dns.answers.ttl" Leave, "dns.query.id" Leave, "dns.query.tx_id" Leave, "dns.query.opcode" Leave,
    "dns.authorities.rrname" Leave, "dns.authorities.rrtype" Leave, "dns.authorities.ttl" Leave,
    "dns.additionals.rrname" Leave, "dns.additionals.rrtype" Leave, "dns.additionals.ttl" Leave,
    "mdns.type" Note(N::DnsType), "mdns.queries.rrname" First(DnsQuery), "mdns.queries.rrtype" First(DnsType), "mdns.rrname" First(DnsQuery),
    "llmnr.type" Note(N::DnsType), "llmnr.queries.rrname" First(DnsQuery), "llmnr.queries.rrtype" First(DnsType), "llmnr.rrname" First(DnsQuery),
    // sessions
    "http.hostname" Field(HttpHost), "http.url" Field(Url), "http.http_user_agent" Field(UserAgent), "http.http_method" Field(HttpMethod),
    "http.status" Note(N::HttpStatus), "http.length" Extra, "http.protocol" Extra, "http.http_content_type" Extra, "http.http_refer" Extra,
    "http.redirect" Extra, "http.xff" Extra, "http.http_port" Extra,
    "tls.sni" Field(TlsSni), "tls.version" Note(N::TlsVersion), "tls.subject" Field(TlsSubject), "tls.issuerdn" Extra, "tls.serial" Extra,
    "tls.fingerprint" Extra, "tls.notbefore" Extra, "tls.notafter" Extra, "tls.session_resumed" IfTrue, "tls.from_proto" Extra,
    "tls.ja3.hash" Field(Ja3), "tls.ja3.string" Leave, "tls.ja3s.hash" Extra, "tls.ja3s.string" Leave, "tls.ja4" Extra,
    "tls.certificate" Leave, "tls.chain" Leave, "tls.subjectaltname" Extra,
    "ssh.client.software_version" Field(ClientSoftware), "ssh.server.software_version" Note(N::ServerSoftware),
    "ssh.client.proto_version" Leave, "ssh.server.proto_version" Leave, "ssh.client.hassh.hash" Extra, "ssh.server.hassh.hash" Extra,
    "ssh.client.hassh.string" Leave, "ssh.server.hassh.string" Leave,
    "rdp.event_type" Note(N::RdpType), "rdp.cookie" Extra, "rdp.reason" Field(Reason), "rdp.protocol" Extra, "rdp.tx_id" Leave,
    "rdp.client.client_name" Extra, "rdp.client.version" Field(ClientSoftware), "rdp.client.build" Extra, "rdp.x509_serials" Extra,
    // logins
    "smb.command" Note(N::SmbCommand), "smb.status" Note(N::SmbStatus), "smb.status_code" Field(StatusCode),
    "smb.ntlmssp.user" Note(N::Credentials), "smb.ntlmssp.domain" Field(UserDomain), "smb.ntlmssp.host" Extra,
    "smb.kerberos.realm" Field(UserDomain), "smb.kerberos.snames" Note(N::Kerberos), "smb.dialect" Extra, "smb.session_id" Extra, "smb.share" Extra, "smb.filename" Extra,
    "smb.named_pipe" Extra, "smb.tree_id" Leave, "smb.id" Leave,
    "krb5.msg_type" Note(N::Krb5Type), "krb5.error_code" Note(N::Krb5Error), "krb5.cname" Field(User), "krb5.realm" Field(UserDomain),
    "krb5.sname" Extra, "krb5.encryption" Extra, "krb5.weak_encryption" IfTrue, "krb5.failed_request" Extra,
    "ftp.command" Note(N::FtpCommand), "ftp.command_data" Note(N::FtpData), "ftp.completion_code" Note(N::FtpCode), "ftp.reply" Extra,
    "ftp.dynamic_port" Extra, "ftp.mode" Extra, "ftp.reply_received" Leave,
    "rfb.authentication.security_result" Note(N::RfbResult), "rfb.server_security_failure_reason" Field(Reason),
    "ldap.request.operation" Note(N::LdapOperation), "ldap.request.bind_request.name" First(User),
    "ldap.responses.bind_response.result_code" Note(N::LdapResult), "ldap.responses.bind_response.message" First(Reason),
    "pgsql.request.startup_parameters.user" Field(User), "pgsql.response.code" Note(N::SqlState), "pgsql.response.message" First(Reason),
    "pgsql.request.password" Leave, "pgsql.request.password_message" Leave, "pgsql.request.sasl_authentication_mechanism" Extra,
    "pgsql.response.severity_non_localizable" Note(N::Response), "pgsql.response.authentication_ok" Note(N::Response),
    "pop3.request.command" Note(N::Pop3Command), "pop3.request.args" Note(N::Pop3Argument), "pop3.response.success" Note(N::Pop3Success),
    "pop3.response.status" Extra, "pop3.response.header" Extra, "pop3.response.data" Leave,
    "mqtt.connect.username" Note(N::MqttUser), "mqtt.connect.password" Leave, "mqtt.connect.client_id" Extra,
    "mqtt.connack.return_code" Note(N::MqttReturn),
    "snmp.usm" Field(User), "snmp.pdu_type" Extra, "snmp.version" Extra, "snmp.vars" Leave,
    "smtp.helo" Extra, "smtp.mail_from" Extra, "smtp.rcpt_to" Extra, "email.subject" Extra, "email.attachment" Extra, "email.status" Leave,
    "dcerpc.response" Note(N::Response), "dcerpc.request" Extra, "modbus.response.raw" Note(N::Response), "dnp3.response.type" Note(N::Response),
    "nfs.status" Note(N::Response), "tftp.packet" Extra, "tftp.file" Extra, "tftp.mode" Leave,
    "sip.method" Field(EventAction), "sip.uri" Extra, "sip.code" Field(StatusCode), "sip.reason" Extra, "sip.version" Leave,
    "quic.sni" Field(TlsSni), "quic.version" Field(TlsVersion), "quic.ua" Field(UserAgent), "quic.ja3.hash" Field(Ja3), "quic.ja4" Extra,
    "websocket.payload_base64" Leave, "websocket.payload_printable" Leave, "ftp_data.filename" Extra, "ftp_data.command" Field(EventAction),
    "arp.src_ip" First(SrcIp), "arp.dest_ip" First(DstIp), "arp.src_mac" First(SrcMac), "arp.dest_mac" First(DstMac), "arp.opcode" Field(EventAction),
    "snmp.community" Leave, "fileinfo.filename" Extra, "fileinfo.sha256" Extra, "fileinfo.md5" Extra, "fileinfo.sha1" Extra,
    "fileinfo.size" Extra, "fileinfo.state" Extra, "fileinfo.magic" Extra, "fileinfo.gaps" IfTrue, "fileinfo.stored" IfTrue, "fileinfo.tx_id" Leave,
    "dhcp.client_mac" Field(SrcMac), "dhcp.hostname" Field(SrcHost), "dhcp.assigned_ip" Extra, "dhcp.dhcp_type" Field(EventAction),
    "dhcp.type" Extra, "dhcp.lease_time" Extra, "dhcp.requested_ip" Extra,
    "stats.capture.kernel_packets" Extra, "stats.capture.kernel_drops" Extra, "stats.uptime" Extra,
    })
};
