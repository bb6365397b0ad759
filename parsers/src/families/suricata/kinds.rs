//! The event types: what they are to the model, and which end of them Suricata calls the source.

use schemas::{EventKind, LogSource};

/// Which end of a record `src_ip` is. Source: Suricata's `src/output-json*.c`, master of 2026.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// The flow's initiator.
    Flow,
    /// The sender of the packet.
    Packet,
    /// The asking or the answering end of the name service.
    Names,
    /// No conversation.
    None,
}

pub(super) struct Type {
    pub(super) name: &'static str,
    pub(super) source: LogSource,
    pub(super) kind: EventKind,
    pub(super) order: Order,
}

impl Type {
    /// Whether such an event is written by the parser of the protocol of that name, which has seen it spoken.
    pub(super) fn is_protocol(&self) -> bool {
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
        pub(super) static TYPES: &[Type] = &[$(event($name, concat!("suricata.", $name), &$categories, EventKind::$kind, Order::$order)),+];
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
pub(super) static OTHER: Type = event("other", "suricata.other", &[], EventKind::Flow, Order::Packet);
