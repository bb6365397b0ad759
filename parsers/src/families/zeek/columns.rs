//! What becomes of a column: names that mean one thing in every log.
//!
//! Source: `scripts/base/protocols/*/main.zeek` and `scripts/base/frameworks` of Zeek's master of 2026.

use schemas::Field;

use crate::lex::keys::KeyMap;

/// A known column.
#[derive(Clone, Copy)]
pub(super) struct Column {
    pub(super) put: Put,
    /// The log type that only this column has, for JSON without `_path`.
    pub(super) hint: &'static str,
    pub(super) name: &'static str,
}

/// What becomes of it.
#[derive(Clone, Copy)]
pub(super) enum Put {
    /// Into a field, by its type.
    Field(Field),
    /// The first element of a set, into a field.
    First(Field),
    /// Kept for the conclusions.
    Note(Note),
    /// The first element of a set, kept for the conclusions.
    FirstNote(Note),
    /// Into the extras, under its name.
    Extra,
    /// Into the extras unless it is 0.
    NotZero,
    /// Into the extras if it is true.
    IfTrue,
    /// Answers of the name service.
    Answers,
    /// Not kept: passwords, communities, and what other columns say.
    Leave,
    /// No known column.
    Other,
}

pub(super) const OTHER: Column = Column { put: Put::Other, hint: "", name: "" };

/// Columns whose meaning depends on the log.
#[derive(Clone, Copy)]
pub(super) enum Note {
    Path,
    Time,
    OrigPort,
    RespPort,
    Proto,
    Service,
    OrigBytes,
    RespBytes,
    OrigIpBytes,
    RespIpBytes,
    Duration,
    LocalOrig,
    LocalResp,
    History,
    Host,
    HostPort,
    Client,
    Server,
    User,
    Success,
    AuthSuccess,
    Auth,
    Result,
    Status,
    Error,
    Command,
    Argument,
    ReplyCode,
    LastReply,
    Version,
    Name,
    Direction,
    NoticeSrc,
    NoticeDst,
    NoticePort,
    Method,
    Established,
    RequestType,
    IpProto,
    SoftwareType,
    Responses,
    Count,
}

macro_rules! columns {
    ($($name:literal $put:ident $(($what:expr))? $(= $hint:literal)?),+ $(,)?) => {
        &[$(($name, Column { put: Put::$put $(($what))?, hint: concat!("" $(, $hint)?), name: $name })),+]
    };
}

#[rustfmt::skip]
pub(super) static COLUMNS: KeyMap<Column, 1024> = {
    use Field::*;
    use self::Note as N;
    KeyMap::new(columns! {
    "_path" Note(N::Path), "_system_name" Field(Host), "_node_name" Extra, "_write_ts" Leave, "_node" Extra,
    "ts" Note(N::Time), "uid" Field(SessionId), "uids" First(SessionId), "conn_uids" First(SessionId),
    "id.orig_h" Field(SrcIp), "id.orig_p" Note(N::OrigPort), "id.resp_h" Field(DstIp), "id.resp_p" Note(N::RespPort),
    "id_orig_h" Field(SrcIp), "id_orig_p" Note(N::OrigPort), "id_resp_h" Field(DstIp), "id_resp_p" Note(N::RespPort),
    "proto" Note(N::Proto), "ip_proto" Note(N::IpProto), "community_id" Field(CommunityId), "vlan" Field(Vlan), "inner_vlan" Extra,
    "orig_l2_addr" Field(SrcMac), "resp_l2_addr" Field(DstMac), "ip_proto_name" Leave, "peer" Extra, "peer_descr" Extra,
    // conn
    "service" FirstNote(N::Service), "duration" Note(N::Duration), "orig_bytes" Note(N::OrigBytes), "resp_bytes" Note(N::RespBytes),
    "conn_state" Field(ConnState) = "conn", "local_orig" Note(N::LocalOrig), "local_resp" Note(N::LocalResp), "missed_bytes" NotZero,
    "history" Note(N::History), "orig_pkts" Field(PacketsOut), "orig_ip_bytes" Note(N::OrigIpBytes), "resp_pkts" Field(PacketsIn),
    "resp_ip_bytes" Note(N::RespIpBytes), "tunnel_parents" Extra, "failed_service" Extra,
    // dns
    "query" Field(DnsQuery), "qtype_name" Field(DnsType) = "dns", "rcode_name" Field(DnsRcode) = "dns", "answers" Answers, "TTLs" Leave,
    "trans_id" Extra, "rtt" Extra, "qclass" Leave, "qclass_name" Leave, "qtype" Leave, "rcode" Leave, "AA" Leave, "TC" Leave, "RD" Leave,
    "RA" Leave, "Z" Leave, "rejected" IfTrue, "opcode" Extra, "opcode_name" Leave,
    // ssh, rdp, ssl, http
    "auth_success" Note(N::AuthSuccess) = "ssh", "auth_attempts" Extra = "ssh", "client" Note(N::Client), "server" Note(N::Server),
    "version" Note(N::Version), "direction" Note(N::Direction), "cipher_alg" Leave, "mac_alg" Leave, "compression_alg" Leave, "kex_alg" Leave = "ssh",
    "host_key_alg" Leave, "host_key" Extra, "host_key_fingerprint" Extra, "cookie" Extra, "result" Note(N::Result),
    "security_protocol" Extra = "rdp", "client_channels" Extra, "keyboard_layout" Extra, "client_build" Field(ClientSoftware), "client_name" Field(SrcHost),
    "client_dig_product_id" Extra, "desktop_width" Leave, "desktop_height" Leave, "requested_color_depth" Leave, "cert_type" Extra, "cert_count" NotZero,
    "cert_permanent" Leave, "encryption_level" Extra, "encryption_method" Extra,
    "server_name" Field(TlsSni) = "ssl", "cipher" Extra, "curve" Extra, "resumed" IfTrue, "established" Note(N::Established), "last_alert" Extra,
    "next_protocol" Extra, "ssl_history" Extra = "ssl", "subject" Extra, "issuer" Extra, "ja3" Field(Ja3), "ja3s" Extra, "validation_status" Extra,
    "cert_chain_fuids" Leave = "ssl", "client_cert_chain_fuids" Leave, "cert_chain_fps" Leave = "ssl", "client_cert_chain_fps" Leave, "sni_matches_cert" Extra,
    "method" Note(N::Method), "host" Note(N::Host), "uri" Field(Url), "status_code" Field(HttpStatus), "status_msg" Extra, "user_agent" Field(UserAgent),
    "trans_depth" Leave, "referrer" Extra, "origin" Extra, "request_body_len" Extra, "response_body_len" Extra = "http", "info_code" Leave,
    "info_msg" Leave, "tags" Leave, "username" Note(N::User), "password" Leave, "proxied" Extra,
    "orig_fuids" Leave, "orig_filenames" Extra, "orig_mime_types" Extra, "resp_fuids" Leave, "resp_filenames" Extra, "resp_mime_types" Extra,
    // logins
    "hostname" Field(SrcHost), "domainname" Field(UserDomain) = "ntlm", "server_nb_computer_name" Extra = "ntlm", "server_dns_computer_name" Field(DstHost) = "ntlm",
    "server_tree_name" Extra = "ntlm", "success" Note(N::Success), "request_type" Note(N::RequestType) = "kerberos", "error_msg" Note(N::Error), "from" Extra, "till" Leave,
    "forwardable" Leave = "kerberos", "renewable" Leave, "client_cert_subject" Extra, "server_cert_subject" Extra, "client_cert_fuid" Leave, "server_cert_fuid" Leave,
    "user" Note(N::User), "command" Note(N::Command), "arg" Note(N::Argument), "reply_code" Note(N::ReplyCode), "reply_msg" Field(Reason),
    "mime_type" Extra, "file_size" Extra, "data_channel.passive" Leave, "data_channel.orig_h" Leave, "data_channel.resp_h" Extra, "data_channel.resp_p" Extra = "ftp",
    "cmd.name" Note(N::Command) = "redis", "cmd.key" Leave = "redis", "cmd.value" Leave = "redis", "cmd.raw" Leave = "redis", "reply.value" Extra,
    "cmd" Note(N::Command) = "mysql", "database" Extra = "postgresql", "application_name" Extra = "postgresql", "rows" Extra, "mac" Field(SrcMac), "framed_addr" Extra = "radius", "tunnel_client" Extra = "radius", "connect_info" Extra = "radius", "ttl" Leave,
    "message_id" Extra, "diagnostic_message" Field(Reason), "object" Note(N::User), "argument" Leave, "authentication_method" Field(AuthMethod) = "rfb",
    "auth" Note(N::Auth), "share_flag" Leave, "desktop_name" Extra, "width" Leave, "height" Leave, "client_major_version" Leave = "rfb",
    "client_minor_version" Leave, "server_major_version" Leave, "server_minor_version" Leave,
    "status" Note(N::Status), "request.host" Extra, "request.name" Extra, "request_p" Extra = "socks", "bound.host" Extra, "bound_p" Extra = "socks",
    "helo" Extra = "smtp", "call_id" Extra = "sip", "request_from" Extra = "sip", "request_to" Extra = "sip", "response_from" Extra = "sip", "response_to" Extra = "sip", "request_path" Leave = "sip", "response_path" Leave = "sip", "seq" Extra = "sip", "hashAlgorithm" Extra = "ocsp", "certStatus" Extra = "ocsp", "certificate.version" Extra = "x509", "value" Extra, "mailfrom" Extra = "smtp", "rcptto" Extra = "smtp", "last_reply" Note(N::LastReply), "to" Extra, "cc" Leave, "date" Leave, "msg_id" Extra,
    "x_originating_ip" Extra, "first_received" Leave, "second_received" Leave, "tls" IfTrue, "is_webmail" Leave, "fuids" Leave,
    // files and services
    "action" Field(EventAction), "path" Extra, "share_type" Extra = "smb_mapping", "native_file_system" Extra = "smb_mapping", "operation" Field(EventAction) = "dce_rpc",
    "endpoint" Extra = "dce_rpc", "named_pipe" Extra = "dce_rpc", "size" Extra, "prev_name" Extra, "fuid" Extra,
    "client_addr" Field(SrcIp) = "dhcp", "server_addr" Field(DstIp) = "dhcp", "host_name" Field(SrcHost), "client_fqdn" Extra, "domain" Extra, "requested_addr" Extra = "dhcp",
    "assigned_addr" Extra = "dhcp", "lease_time" Extra, "client_message" Extra, "server_message" Extra, "msg_types" Extra = "dhcp",
    "note" Field(Signature) = "notice", "msg" Field(Message), "sub" Extra, "src" Note(N::NoticeSrc), "dst" Note(N::NoticeDst), "p" Note(N::NoticePort), "n" Extra,
    "actions" Extra, "suppress_for" Leave, "email_dest" Leave, "dropped" IfTrue, "file_mime_type" Extra, "file_desc" Extra,
    "remote_location.country_code" Field(SrcCountry), "remote_location.region" Leave, "remote_location.city" Extra, "remote_location.latitude" Leave, "remote_location.longitude" Leave,
    "name" Note(N::Name), "addl" Extra, "notice" IfTrue, "source" Extra,
    "software_type" Note(N::SoftwareType) = "software", "host_p" Note(N::HostPort), "unparsed_version" Extra, "version.major" Extra, "version.minor" Extra,
    "version.minor2" Leave, "version.minor3" Leave, "version.addl" Leave, "port_num" Note(N::HostPort) = "known_services", "port_proto" Note(N::Proto) = "known_services",
    "seen.indicator" Field(Signature) = "intel", "seen.indicator_type" Field(SignatureClass) = "intel", "seen.where" Extra, "seen.node" Leave, "matched" Extra, "sources" Extra,
    "tx_hosts" First(SrcIp) = "files", "rx_hosts" First(DstIp) = "files",
    "sig_id" Field(SignatureId) = "signatures", "event_msg" Field(Message) = "signatures", "src_addr" Field(SrcIp), "src_port" Note(N::OrigPort),
    "dst_addr" Field(DstIp), "dst_port" Note(N::RespPort), "sub_msg" Extra, "sig_count" Extra, "host_count" Extra,
    "facility" Extra = "syslog", "severity" Field(Level) = "syslog", "message" Field(Message), "community" Leave = "snmp", "get_requests" Extra = "snmp",
    "get_responses" Note(N::Responses), "set_requests" Extra, "tunnel_type" Extra = "tunnel", "analyzer" Extra = "dpd", "failure_reason" Field(Reason), "analyzer_name" Extra = "analyzer",
    "analyzer_kind" Extra, "percent_lost" Extra = "capture_loss", "acks" Extra, "gaps" Extra, "ts_delta" Extra, "mode" Extra, "stratum" Extra = "ntp",
    "poll" Leave, "precision" Leave, "root_delay" Leave, "root_disp" Leave, "ref_id" Leave, "ref_time" Leave, "org_time" Leave, "rec_time" Leave, "xmt_time" Leave, "num_exts" Leave,
    })
};
