//! The log types: names, the transport that an analyser reads, and what a connection's state proves.
//!
//! Source of the readings of `conn_state`: `scripts/base/protocols/conn/main.zeek` and the code that sets it.

use schemas::{EventKind, Initiator, LogSource, PortState, Transport};

use crate::lex::scan;

/// A log of Zeek.
pub(super) struct LogType {
    pub(super) name: &'static str,
    pub(super) source: LogSource,
    pub(super) kind: EventKind,
    /// The only transport that the protocol's analyser reads.
    pub(super) transport: Option<Transport>,
    /// The protocol that was recognised, where the log is one of a protocol.
    pub(super) protocol: &'static str,
}

macro_rules! types {
    ($($name:literal $kind:ident $transport:ident $protocol:literal $categories:expr;)+) => {
        static TYPES: &[LogType] = &[$(LogType {
            name: $name,
            source: LogSource {
                family: "zeek",
                vendor: "Zeek",
                product: "Zeek",
                dataset: concat!("zeek.", $name),
                categories: &$categories,
                products: &["zeek"],
                services: &[$name],
            },
            kind: EventKind::$kind,
            transport: types!(@ $transport),
            protocol: $protocol,
        }),+];
    };
    (@ tcp) => { Some(Transport::TCP) };
    (@ udp) => { Some(Transport::UDP) };
    (@ any) => { None };
}

types! {
    "conn" Flow any "" ["network_connection"];
    "dns" Dns any "dns" ["dns"];
    "ssh" Flow tcp "ssh" ["network_connection"];
    "rdp" Flow tcp "rdp" ["network_connection"];
    "ssl" Flow tcp "ssl" ["network_connection"];
    "http" Flow tcp "http" ["proxy", "webserver"];
    "notice" Alert any "" ["ids"];
    "ntlm" Auth tcp "ntlm" ["authentication"];
    "kerberos" Auth any "kerberos" ["authentication"];
    "radius" Auth udp "radius" ["authentication"];
    "smb_files" Flow tcp "smb" ["network_connection"];
    "smb_mapping" Flow tcp "smb" ["network_connection"];
    "smb_cmd" Flow tcp "smb" ["network_connection"];
    "dce_rpc" Flow tcp "dce_rpc" ["network_connection"];
    "ftp" Flow tcp "ftp" ["network_connection"];
    "smtp" Flow tcp "smtp" ["network_connection"];
    "irc" Flow tcp "irc" ["network_connection"];
    "mysql" Flow tcp "mysql" ["network_connection"];
    "postgresql" Flow tcp "postgresql" ["network_connection"];
    "redis" Flow tcp "redis" ["network_connection"];
    "ldap" Flow any "ldap" ["network_connection"];
    "ldap_search" Flow any "ldap" ["network_connection"];
    "rfb" Flow tcp "rfb" ["network_connection"];
    "socks" Flow tcp "socks" ["network_connection"];
    "sip" Flow udp "sip" ["network_connection"];
    "snmp" Flow udp "snmp" ["network_connection"];
    "ntp" Flow udp "ntp" ["network_connection"];
    "syslog" Flow any "syslog" ["network_connection"];
    "dhcp" Other udp "" ["dhcp"];
    "tunnel" Flow any "" ["network_connection"];
    "modbus" Flow tcp "modbus" ["network_connection"];
    "dnp3" Flow tcp "dnp3" ["network_connection"];
    "mqtt_connect" Flow tcp "mqtt" ["network_connection"];
    "quic" Flow udp "quic" ["network_connection"];
    "dpd" Flow any "" ["network_connection"];
    "analyzer" Flow any "" ["network_connection"];
    "weird" Flow any "" [];
    "traceroute" Flow any "" [];
    "signatures" Alert any "" ["ids"];
    "intel" Alert any "" ["ids"];
    "known_services" Listener any "" [];
    "known_hosts" Inventory any "" [];
    "known_certs" Inventory any "" [];
    "known_devices" Inventory any "" [];
    "software" Inventory any "" [];
    "files" Other any "" [];
    "x509" Other any "" [];
    "ocsp" Other any "" [];
    "pe" Other any "" [];
    "stats" Other any "" [];
    "capture_loss" Other any "" [];
    "reporter" Other any "" [];
}

/// Any other log: of a conversation if it has two ends.
pub(super) static OTHER: LogType = LogType {
    name: "other",
    source: LogSource {
        family: "zeek",
        vendor: "Zeek",
        product: "Zeek",
        dataset: "zeek.other",
        categories: &[],
        products: &["zeek"],
        services: &[],
    },
    kind: EventKind::Other,
    transport: None,
    protocol: "",
};

/// The log type of a path; a filter's own name (`conn_internal`) counts as the type that it begins with.
pub(super) fn by_path(path: &[u8]) -> Option<&'static LogType> {
    if path.is_empty() {
        return None;
    }
    let exact = TYPES.iter().find(|known| scan::same(known.name.as_bytes(), path));
    exact.or_else(|| {
        let begins =
            |known: &&LogType| path.strip_prefix(known.name.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'_'));
        TYPES.iter().filter(begins).max_by_key(|known| known.name.len())
    })
}

/// What a connection state proves: its name, the state of the responder's port, and whether the originator began. A state
/// that is doubtful for UDP is concluded in `Event::connection`.
#[rustfmt::skip]
pub(super) const STATES: &[(&str, Option<PortState>, Option<Initiator>)] = &[
    ("S0", Some(PortState::Filtered), Some(Initiator::Source)),
    ("S1", Some(PortState::Open), Some(Initiator::Source)),
    ("SF", Some(PortState::Open), Some(Initiator::Source)),
    ("REJ", Some(PortState::Closed), Some(Initiator::Source)),
    ("S2", Some(PortState::Open), Some(Initiator::Source)),
    ("S3", Some(PortState::Open), Some(Initiator::Source)),
    ("RSTO", Some(PortState::Open), Some(Initiator::Source)),
    ("RSTR", Some(PortState::Open), Some(Initiator::Source)),
    ("RSTOS0", None, Some(Initiator::Source)),
    ("RSTRH", Some(PortState::Open), None),
    ("SH", None, Some(Initiator::Source)),
    ("SHR", Some(PortState::Open), None),
    ("OTH", None, None),
];
