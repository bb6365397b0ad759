//! Suricata EVE: one JSON object a line.
//!
//! Addresses stay as the line has them, because the end that Suricata calls the source depends on the event type: the
//! flow's initiator for some, the sender of the packet for others (an alert's source may be the server). What the
//! line knows about who began becomes `initiator`; octets and packets are turned so that `out` is always what the
//! row's source sent.
//!
//! One pass: a constant table says for every dotted path what becomes of it. Values that only mean something together
//! (flags, counters, verdicts) are noted on the way and concluded once the object has ended, since nothing promises an
//! order of members. Left out are what other fields say already (booleans of TCP flags, `age`), copies of the packet
//! (`payload`, `packet`, certificates), secrets (FTP `PASS`, SNMP communities), and the hundreds of counters of `stats`.
//!
//! Long because the table of paths and the conclusions from them are one mapping.

use schemas::{
    Action, EventKind, Field, FieldKind, Initiator, Ip, Key, LogSource, Outcome, PortState, RejectKind, Row, Span,
    Transport, key,
};

use crate::detect::Keys;
use crate::lex::json::{self, Extent, Value};
use crate::lex::keys::KeyMap;
use crate::lex::text::{decimal, hexadecimal};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, set_time};

pub(super) struct Family;

/// What becomes of a path.
#[derive(Clone, Copy)]
enum Put {
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
enum Note {
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
static PATHS: KeyMap<(Put, &'static str), 1024> = {
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

/// Which end of a record `src_ip` is. Source: Suricata's `src/output-json*.c`, master of 2026.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// The flow's initiator.
    Flow,
    /// The sender of the packet.
    Packet,
    /// The asking or the answering end of the name service.
    Names,
    /// No conversation.
    None,
}

struct Type {
    name: &'static str,
    source: LogSource,
    kind: EventKind,
    order: Order,
}

impl Type {
    /// Whether such an event is written by the parser of the protocol of that name, which has seen it spoken.
    fn is_protocol(&self) -> bool {
        let spoken_of = [
            "flow", "alert", "netflow", "drop", "anomaly", "fileinfo", "ftp_data", "arp", "stats", "other", "frame",
            "metadata", "engine",
        ];
        !spoken_of.contains(&self.name)
    }
}

const fn event(
    name: &'static str,
    dataset: &'static str,
    categories: &'static [&'static str],
    kind: EventKind,
    order: Order,
) -> Type {
    let source = LogSource {
        family: "suricata",
        vendor: "OISF",
        product: "Suricata",
        dataset,
        categories,
        products: &["suricata"],
        services: &["eve"],
    };
    Type { name, source, kind, order }
}

macro_rules! types {
    ($($name:literal $categories:expr, $kind:ident $order:ident;)+) => {
        static TYPES: &[Type] = &[$(event($name, concat!("suricata.", $name), &$categories, EventKind::$kind, Order::$order)),+];
    };
}

types! {
    "flow" ["network_connection"], Flow Flow;
    "alert" ["ids"], Alert Packet;
    "dns" ["dns"], Dns Names;
    "tls" ["network_connection"], Flow Flow;
    "http" ["proxy", "webserver"], Flow Flow;
    "ssh" ["network_connection"], Flow Flow;
    "rdp" ["network_connection"], Flow Packet;
    "smb" ["network_connection"], Flow Flow;
    "netflow" ["network_connection"], Flow None;
    "drop" ["firewall"], Flow Packet;
    "anomaly" ["ids"], Flow Packet;
    "fileinfo" ["network_connection"], Flow None;
    "krb5" ["authentication"], Flow Packet;
    "ftp" ["network_connection"], Flow Flow;
    "ftp_data" ["network_connection"], Flow Flow;
    "smtp" ["network_connection"], Flow Flow;
    "ldap" ["network_connection"], Flow Flow;
    "pgsql" ["network_connection"], Flow Flow;
    "dcerpc" ["network_connection"], Flow Flow;
    "pop3" ["network_connection"], Flow Flow;
    "modbus" ["network_connection"], Flow Flow;
    "dnp3" ["network_connection"], Flow Flow;
    "enip" ["network_connection"], Flow Flow;
    "rfb" ["network_connection"], Flow Packet;
    "sip" ["network_connection"], Flow Packet;
    "snmp" ["network_connection"], Flow Packet;
    "ntp" ["network_connection"], Flow Packet;
    "tftp" ["network_connection"], Flow Packet;
    "quic" ["network_connection"], Flow Packet;
    "ike" ["network_connection"], Flow Packet;
    "nfs" ["network_connection"], Flow Packet;
    "mqtt" ["network_connection"], Flow None;
    "websocket" ["network_connection"], Flow Packet;
    "bittorrent_dht" ["network_connection"], Flow Packet;
    "doh2" ["dns"], Dns Flow;
    "ikev2" ["network_connection"], Flow Packet;
    "frame" [], Other None;
    "metadata" [], Other None;
    "engine" [], Other None;
    "mdns" ["dns"], Dns Names;
    "llmnr" ["dns"], Dns Flow;
    "dhcp" ["dhcp"], Other None;
    "arp" [], Other None;
    "stats" [], Other None;
}

/// Any other event type.
static OTHER: Type = event("other", "suricata.other", &[], EventKind::Flow, Order::Packet);

/// Answers that are kept of one response; a hostile one may hold thousands.
const ANSWERS_MAX: usize = 32;

impl Parser for Family {
    fn name(&self) -> &'static str {
        "suricata"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["suricata_eve", "eve"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Objects
    }

    fn detect(&self, record: &Record<'_>, _: &Memory) -> Option<Confidence> {
        let keys = record.keys;
        let named = keys.has(Keys::EVENT_TYPE.and(Keys::TIMESTAMP));
        (named && keys.has_any(Keys::FLOW_ID.and(Keys::SRC_IP).and(Keys::STATS))).then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut event = Event { notes: [Value::Null; Note::Count as usize], answers: Answers::default() };
        let extent = json::walk(record.body, |path, value| event.take(record, path, value, row))?;
        if extent == Extent::Truncated {
            return Err(Refusal { at: record.body.len(), kind: RejectKind::Unclosed { what: "the JSON object" } });
        }
        event.conclude(record, row)?;
        Ok(Parsed::Events)
    }
}

struct Event<'a> {
    notes: [Value<'a>; Note::Count as usize],
    answers: Answers<'a>,
}

struct Answers<'a> {
    values: [Value<'a>; ANSWERS_MAX],
    count: usize,
    grouped: bool,
}

impl Default for Answers<'_> {
    fn default() -> Self {
        Answers { values: [Value::Null; ANSWERS_MAX], count: 0, grouped: false }
    }
}

impl<'a> Answers<'a> {
    /// The full list is preferred to the one by types.
    fn push(&mut self, value: Value<'a>, grouped: bool) {
        if self.grouped != grouped {
            if grouped && self.count > 0 {
                return;
            }
            (self.grouped, self.count) = (grouped, 0);
        }
        if self.count < ANSWERS_MAX && !value.scalar().is_empty() {
            self.values[self.count] = value;
            self.count += 1;
        }
    }
}

impl<'a> Event<'a> {
    #[inline]
    fn take(&mut self, record: &Record<'_>, path: &[u8], value: Value<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let Some((put, name)) = PATHS.get(path) else {
            if !path.starts_with(b"stats.") {
                value.with(|text| row.extra(path, text));
            }
            return Ok(());
        };
        match put {
            Put::Note(note) => self.notes[note as usize] = value,
            Put::Field(field) => set(record, row, field, value)?,
            Put::IfValid(field) => {
                if !value.with(|text| row.put_if(field, text)) {
                    value.with(|text| row.extra_fixed(name, text));
                }
            }
            Put::First(field) if !row.has(field) => set(record, row, field, value)?,
            Put::Extra => value.with(|text| row.extra_fixed(name, text)),
            Put::IfTrue if value == Value::True => row.extra_fixed(name, b"true"),
            Put::Answer => self.answers.push(value, false),
            Put::Grouped => self.answers.push(value, true),
            Put::First(_) | Put::IfTrue | Put::Leave => {}
        }
        Ok(())
    }

    fn note(&self, note: Note) -> &'a [u8] {
        self.notes[note as usize].scalar()
    }

    fn has(&self, note: Note) -> bool {
        !self.note(note).is_empty()
    }

    fn text<K: FieldKind<Stored = Span, Value = Span>>(&self, row: &mut Row<'_>, field: Key<K>, note: Note) {
        self.notes[note as usize].with(|text| row.text(field, text));
    }

    fn number(&self, note: Note) -> Option<u64> {
        decimal(self.note(note)).filter(|number| *number <= i64::MAX as u64)
    }

    /// What follows from the members together.
    fn conclude(&self, record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let name = self.note(Note::EventType);
        if name.is_empty() {
            return Err(record.not_this_family("a member `event_type`"));
        }
        let kind = TYPES.iter().find(|known| known.name.as_bytes() == name).unwrap_or(&OTHER);
        row.log_source(&kind.source);
        row.set(key::KIND, kind.kind);
        self.text(row, key::EVENT_CODE, Note::EventType);
        let stamp = self.note(Note::Timestamp);
        match record.time.any(stamp) {
            Some(us) => set_time(row, us),
            None if stamp.is_empty() || stamp == b"ts-error" => {}
            None => {
                let expected = "a time such as 2026-05-04T09:12:31.004217+0200";
                return Err(record.refuse(stamp, RejectKind::bad_value("timestamp", stamp, expected)));
            }
        }
        if !matches!(self.note(Note::AppProto), b"" | b"failed" | b"unknown") {
            self.text(row, key::APP_PROTO, Note::AppProto);
        } else if kind.is_protocol() {
            row.fixed(key::APP_PROTO, kind.name);
        }
        let initiator = self.initiator(kind.order, row);
        row.set_opt(key::INITIATOR, initiator);
        self.traffic(record, initiator, row);
        self.verdict(kind, row);
        for answer in &self.answers.values[..self.answers.count] {
            answer.with(|text| row.add(key::DNS_ANSWERS, text));
        }
        self.sessions(row);
        if initiator != Some(Initiator::Destination) {
            row.set_opt(key::PORT_STATE, self.port_state(name, row));
        }
        self.login(row);
        Ok(())
    }

    /// Which end began, where the line knows.
    fn initiator(&self, order: Order, row: &Row<'_>) -> Option<Initiator> {
        let (src, dst) = (row.get(key::SRC_PORT), row.get(key::DST_PORT));
        match order {
            Order::None => None,
            Order::Flow if self.has(Note::FlagsToServer) => {
                // A flow picked up in its middle may be turned round: only a SYN of the client proves it.
                let syn = hexadecimal(self.note(Note::FlagsToServer))? & SYN != 0;
                syn.then_some(Initiator::Source)
            }
            Order::Flow => {
                let doubtful = self.has(Note::BytesToServer) && src < Some(1024) && dst >= Some(1024) && src.is_some();
                (!doubtful).then_some(Initiator::Source)
            }
            Order::Names => match self.note(Note::DnsType) {
                b"query" | b"request" => Some(Initiator::Source),
                // Versions 4, 5 and 8 write the packet's order, 6 and 7 the flow's.
                b"answer" | b"response" if is_names_port(src) && !is_names_port(dst) => Some(Initiator::Destination),
                b"answer" | b"response" if is_names_port(dst) && !is_names_port(src) => Some(Initiator::Source),
                _ => None,
            },
            Order::Packet => {
                if self.has(Note::FlowSrcIp) {
                    let same = Ip::parse(self.note(Note::FlowSrcIp)) == row.get(key::SRC_IP)
                        && (!self.has(Note::FlowSrcPort)
                            || decimal(self.note(Note::FlowSrcPort)) == src.map(u64::from));
                    return Some(if same { Initiator::Source } else { Initiator::Destination });
                }
                match (self.note(Note::Direction), self.note(Note::RdpType)) {
                    (b"to_server", _) | (_, b"initial_request" | b"connect_request") => Some(Initiator::Source),
                    (b"to_client", _) | (_, b"initial_response" | b"connect_response") => Some(Initiator::Destination),
                    _ => match served_port(self.note(Note::EventType)) {
                        served if served.is_some() && src == served && dst != served => Some(Initiator::Destination),
                        served if served.is_some() && dst == served && src != served => Some(Initiator::Source),
                        _ => None,
                    },
                }
            }
        }
    }

    /// Octets, packets and times of the flow.
    fn traffic(&self, record: &Record<'_>, initiator: Option<Initiator>, row: &mut Row<'_>) {
        let turned = initiator == Some(Initiator::Destination);
        let pair = |to_server, to_client| if turned { (to_client, to_server) } else { (to_server, to_client) };
        let (out, back) = pair(Note::BytesToServer, Note::BytesToClient);
        row.set_opt(key::BYTES_OUT, self.number(out));
        row.set_opt(key::BYTES_IN, self.number(back));
        let (out, back) = pair(Note::PacketsToServer, Note::PacketsToClient);
        row.set_opt(key::PACKETS_OUT, self.number(out));
        row.set_opt(key::PACKETS_IN, self.number(back));
        let start = record.time.iso(self.note(Note::Start));
        let end = record.time.iso(self.note(Note::End));
        row.set_opt(key::START, start);
        row.set_opt(key::END, end);
        let lasted = start.zip(end).and_then(|(start, end)| u64::try_from(end.checked_sub(start)?).ok());
        row.set_opt(key::DURATION, lasted);
        match (self.note(Note::FlagsToServer), self.note(Note::FlagsToClient)) {
            // `00` on both sides means that the session was not tracked, not that there were no flags.
            (b"00", b"00") => {}
            (b"", b"") if self.note(Note::Flags) == b"00" => {}
            (b"", b"") => self.text(row, key::TCP_FLAGS, Note::Flags),
            (to_server, to_client) if to_server.len() <= 4 && to_client.len() <= 4 => {
                let mut both = [0u8; 9];
                both[..to_server.len()].copy_from_slice(to_server);
                both[to_server.len()] = b'/';
                let length = to_server.len() + 1 + to_client.len();
                both[to_server.len() + 1..length].copy_from_slice(to_client);
                row.text(key::TCP_FLAGS, &both[..length]);
            }
            _ => {}
        }
    }

    /// What Suricata did: `allowed` of an alert only says that the rule did not block, so it is no verdict.
    fn verdict(&self, kind: &Type, row: &mut Row<'_>) {
        let dropped = self.note(Note::VerdictAction) == b"drop" || self.has(Note::Reject);
        let blocked = self.note(Note::AlertAction) == b"blocked";
        match kind.name {
            "alert" => {
                row.set(key::ACTION, if dropped || blocked { Action::Deny } else { Action::Alert });
                self.text(row, key::EVENT_ACTION, Note::AlertAction);
            }
            "drop" => row.set(key::ACTION, Action::Deny),
            _ => {
                if self.note(Note::FlowAction) == b"drop" {
                    row.set(key::ACTION, Action::Deny);
                }
                self.text(row, key::EVENT_ACTION, Note::RdpType);
            }
        }
    }

    fn sessions(&self, row: &mut Row<'_>) {
        if self.note(Note::TlsVersion) != b"UNDETERMINED" {
            self.text(row, key::TLS_VERSION, Note::TlsVersion);
        }
        self.text(row, key::SERVER_SOFTWARE, Note::ServerSoftware);
        row.set_opt(key::HTTP_STATUS, self.number(Note::HttpStatus));
    }

    /// What the event proves about the destination's port, if the destination is the server.
    fn port_state(&self, name: &[u8], row: &Row<'_>) -> Option<PortState> {
        let answered = self.number(Note::PacketsToClient).is_some_and(|packets| packets > 0);
        match name {
            b"flow" => match row.get(key::TRANSPORT)? {
                Transport::TCP => {
                    let to_server = hexadecimal(self.note(Note::FlagsToServer))?;
                    let to_client = hexadecimal(self.note(Note::FlagsToClient))?;
                    match () {
                        _ if to_client & (SYN | ACK) == SYN | ACK => Some(PortState::Open),
                        _ if to_client & RST != 0 && to_client & SYN == 0 && to_server & SYN != 0 => {
                            Some(PortState::Closed)
                        }
                        _ if to_server & SYN != 0 && to_client == 0 && !answered => Some(PortState::Filtered),
                        _ => None,
                    }
                }
                Transport::UDP => answered.then_some(PortState::Open),
                _ => None,
            },
            b"drop" if self.note(Note::Direction) == b"to_server" => Some(PortState::Filtered),
            b"http" => self.has(Note::HttpStatus).then_some(PortState::Open),
            b"tls" => {
                let hello = self.has(Note::TlsVersion) && self.note(Note::TlsVersion) != b"UNDETERMINED";
                (hello || row.has(Field::TlsSubject)).then_some(PortState::Open)
            }
            b"ssh" => self.has(Note::ServerSoftware).then_some(PortState::Open),
            b"dns" => matches!(self.note(Note::DnsType), b"answer" | b"response").then_some(PortState::Open),
            b"smb" => self.has(Note::SmbStatus).then_some(PortState::Open),
            b"ftp" => self.has(Note::FtpCode).then_some(PortState::Open),
            b"ldap" => self.has(Note::LdapResult).then_some(PortState::Open),
            b"pop3" => self.has(Note::Pop3Success).then_some(PortState::Open),
            b"pgsql" | b"dcerpc" | b"modbus" | b"dnp3" => {
                (self.has(Note::Response) || self.has(Note::SqlState)).then_some(PortState::Open)
            }
            _ => None,
        }
    }

    /// Logins that a protocol's own answer decides. Anything less is no login.
    fn login(&self, row: &mut Row<'_>) {
        let outcome = if (self.has(Note::Credentials) || self.has(Note::Kerberos))
            && is_session_setup(self.note(Note::SmbCommand))
        {
            self.text(row, key::USER, Note::Credentials);
            match self.note(Note::SmbStatus) {
                b"STATUS_SUCCESS" => Some(Outcome::Success),
                b"" | b"STATUS_MORE_PROCESSING_REQUIRED" => return,
                _ => Some(Outcome::Failure),
            }
        } else if self.has(Note::Krb5Type) {
            match (self.note(Note::Krb5Type), self.note(Note::Krb5Error)) {
                (b"KRB_AS_REP" | b"KRB_TGS_REP", _) => Some(Outcome::Success),
                // The usual first step of every login.
                (_, b"KDC_ERR_PREAUTH_REQUIRED") => None,
                (b"KRB_ERROR", _) => {
                    self.text(row, key::REASON, Note::Krb5Error);
                    Some(Outcome::Failure)
                }
                _ => None,
            }
        } else if self.has(Note::FtpCommand) {
            match (self.note(Note::FtpCommand), self.note(Note::FtpCode)) {
                (b"USER", _) => {
                    self.text(row, key::USER, Note::FtpData);
                    return;
                }
                (b"PASS", b"230") => Some(Outcome::Success),
                (b"PASS", b"530") => Some(Outcome::Failure),
                (b"PASS", _) => return,
                _ => {
                    self.text(row, key::EVENT_ACTION, Note::FtpCommand);
                    self.notes[Note::FtpData as usize].with(|text| row.extra_fixed("ftp.command_data", text));
                    return;
                }
            }
        } else if self.has(Note::RfbResult) {
            Some(if self.note(Note::RfbResult) == b"OK" { Outcome::Success } else { Outcome::Failure })
        } else if self.note(Note::LdapOperation) == b"bind_request" && self.has(Note::LdapResult) {
            Some(if self.note(Note::LdapResult) == b"success" { Outcome::Success } else { Outcome::Failure })
        } else if matches!(self.note(Note::SqlState), b"28P01" | b"28000") {
            Some(Outcome::Failure)
        } else if self.has(Note::Pop3Command) {
            match self.note(Note::Pop3Command) {
                b"USER" => {
                    self.text(row, key::USER, Note::Pop3Argument);
                    return;
                }
                b"PASS" => match self.note(Note::Pop3Success) {
                    b"true" => Some(Outcome::Success),
                    b"false" => Some(Outcome::Failure),
                    _ => return,
                },
                _ => {
                    self.text(row, key::EVENT_ACTION, Note::Pop3Command);
                    return;
                }
            }
        } else if self.has(Note::MqttUser) || self.has(Note::MqttReturn) {
            self.text(row, key::USER, Note::MqttUser);
            // Source: MQTT 3.1.1, table 3.1: bad user name or password, not authorised.
            match self.note(Note::MqttReturn) {
                b"4" | b"5" => Some(Outcome::Failure),
                b"0" if self.has(Note::MqttUser) => Some(Outcome::Success),
                _ => return,
            }
        } else {
            return;
        };
        row.set(key::KIND, EventKind::Auth);
        row.set_opt(key::OUTCOME, outcome);
    }
}

const SYN: u64 = 0x02;
const RST: u64 = 0x04;
const ACK: u64 = 0x10;

/// The port at which a protocol is served: Suricata writes its events in the packet's order, so the end there is the server.
fn served_port(event_type: &[u8]) -> Option<u16> {
    Some(match event_type {
        b"krb5" => 88,
        b"rdp" => 3389,
        b"rfb" => 5900,
        b"snmp" => 161,
        b"sip" => 5060,
        b"nfs" => 2049,
        b"quic" => 443,
        b"tftp" => 69,
        b"ntp" => 123,
        b"ike" | b"ikev2" => 500,
        _ => return None,
    })
}

fn is_names_port(port: Option<u16>) -> bool {
    matches!(port, Some(53 | 5353 | 5355 | 853))
}

fn is_session_setup(command: &[u8]) -> bool {
    matches!(command, b"SMB2_COMMAND_SESSION_SETUP" | b"SMB1_COMMAND_SESSION_SETUP_ANDX")
}

#[inline]
fn set(record: &Record<'_>, row: &mut Row<'_>, field: Field, value: Value<'_>) -> Result<(), Refusal> {
    match value.with(|text| row.put(field, text)) {
        Ok(()) => Ok(()),
        Err(kind) => Err(record.refuse(value.scalar(), kind)),
    }
}
