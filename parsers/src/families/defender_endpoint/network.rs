//! Network events of a Defender sensor: from "local" and "remote" to source and destination.
//!
//! Which end began is told by the kind of action, by `AdditionalFields.direction`, and once by the packet: an
//! `InboundConnectionAcknowledged` is a SYN-ACK that came in, so that the device may well be the client. What an event proves
//! about a port differs by action, too: an attempt proves nothing, and a failed connection does not tell closed from filtered.

use schemas::{Action, EventKind, Field, Initiator, PortState, Row, Transport, key};

use super::{Event, NETWORK, Note};
use crate::lex::keys::KeyMap;
use crate::{Record, Refusal, document};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Began {
    Device,
    Remote,
    /// By `direction`, else the device.
    Stated,
    /// By the packet's flags and the ports.
    Packet,
    /// The connection was there already.
    Unknown,
    /// Nobody: a port is listened on.
    Listener,
}

#[derive(Clone, Copy)]
struct Reading {
    began: Began,
    proves: Option<PortState>,
    action: Option<Action>,
    app_proto: &'static str,
}

const fn reading(began: Began, proves: Option<PortState>, action: Option<Action>) -> Reading {
    Reading { began, proves, action, app_proto: "" }
}

const fn inspected(app_proto: &'static str) -> Reading {
    Reading { began: Began::Stated, proves: None, action: None, app_proto }
}

static READINGS: KeyMap<Reading, 64> = {
    use Began::*;
    const OPEN: Option<PortState> = Some(PortState::Open);
    const FILTERED: Option<PortState> = Some(PortState::Filtered);
    const START: Option<Action> = Some(Action::Start);
    const DENY: Option<Action> = Some(Action::Deny);
    KeyMap::new(&[
        ("ConnectionSuccess", reading(Device, OPEN, START)),
        ("ConnectionFailed", reading(Device, None, None)),
        ("ConnectionRequest", reading(Device, None, None)),
        ("ConnectionFound", reading(Unknown, None, None)),
        ("ConnectionAttempt", reading(Stated, None, None)),
        ("ConnectionAcknowledged", reading(Packet, OPEN, START)),
        ("InboundConnectionAccepted", reading(Remote, OPEN, START)),
        ("InboundConnectionAttempt", reading(Remote, None, None)),
        ("InboundConnectionAcknowledged", reading(Packet, OPEN, START)),
        ("InboundConnectionBlocked", reading(Remote, FILTERED, DENY)),
        ("ListeningConnectionCreated", reading(Listener, OPEN, None)),
        ("NetworkSignatureInspected", inspected("")),
        ("DnsConnectionInspected", inspected("dns")),
        ("HttpConnectionInspected", inspected("http")),
        ("SslConnectionInspected", inspected("tls")),
        ("SshConnectionInspected", inspected("ssh")),
        ("SmtpConnectionInspected", inspected("smtp")),
        ("FtpConnectionInspected", inspected("ftp")),
        ("IcmpConnectionInspected", inspected("icmp")),
        ("FirewallInboundConnectionBlocked", reading(Remote, FILTERED, DENY)),
        ("FirewallInboundConnectionToAppBlocked", reading(Remote, FILTERED, DENY)),
        ("FirewallOutboundConnectionBlocked", reading(Device, FILTERED, DENY)),
    ])
};

/// A kind of action without the ending of those that sum up many.
fn base(action: &[u8]) -> &[u8] {
    action.strip_suffix(b"AggregatedReport").unwrap_or(action)
}

/// Whether an action is one of the network.
pub(super) fn is_known(action: &[u8]) -> bool {
    READINGS.get(base(action)).is_some()
}

/// Whether it is one of Windows' firewall, which stand among the device's other events.
pub(super) fn is_firewall(action: &[u8]) -> bool {
    action.starts_with(b"Firewall") && is_known(action)
}

/// `TcpV4`, `UdpV6`, `Icmp`.
pub(super) fn transport(text: &[u8]) -> Option<Transport> {
    let stem = text.strip_suffix(b"V4").or_else(|| text.strip_suffix(b"V6")).unwrap_or(text);
    if document::is_blank(stem) { None } else { Transport::parse(stem) }
}

impl<'a> Event<'a> {
    pub(super) fn network(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.notes;
        row.log_source(&NETWORK);
        let action = base(notes.raw(Note::ActionType));
        let reading = READINGS.get(action).unwrap_or(reading(Began::Stated, None, None));
        row.set(key::KIND, EventKind::Flow);
        row.set_opt(key::TRANSPORT, transport(notes.raw(Note::Protocol)));
        if !reading.app_proto.is_empty() {
            row.fixed(key::APP_PROTO, reading.app_proto);
        }
        let remote_began = match reading.began {
            Began::Listener => return self.listener(record, row),
            Began::Device | Began::Unknown => false,
            Began::Remote => true,
            Began::Stated => self.more.inbound == Some(true),
            Began::Packet => self.remote_began(),
        };
        let (local, remote) = if remote_began {
            ((key::DST_IP, Field::DstPort), (key::SRC_IP, Field::SrcPort))
        } else {
            ((key::SRC_IP, Field::SrcPort), (key::DST_IP, Field::DstPort))
        };
        document::address(record, row, local.0, "LocalIP", notes.value(Note::LocalIp))?;
        document::set(record, row, local.1, notes.value(Note::LocalPort))?;
        document::address(record, row, remote.0, "RemoteIP", notes.value(Note::RemoteIp))?;
        document::set(record, row, remote.1, notes.value(Note::RemotePort))?;
        if reading.began != Began::Unknown {
            row.set(key::INITIATOR, Initiator::Source);
        }
        row.set_opt(key::ACTION, reading.action);
        row.set_opt(key::PORT_STATE, reading.proves);
        if row.has(Field::DnsQuery) {
            row.set(key::KIND, EventKind::Dns);
        } else if self.more.threat {
            row.set(key::KIND, EventKind::Alert);
            row.set(key::ACTION, Action::Alert);
        }
        if self.more.passed == Some(true) {
            row.set(key::PORT_STATE, PortState::Open);
        }
        Ok(())
    }

    /// Who began a connection of which a SYN-ACK was seen: its sender is the server, and that is the end with the lower port
    /// of the two; the name of the action only tells the packet's direction.
    fn remote_began(&self) -> bool {
        const SYN_ACK: u64 = 0x12;
        let ports = self.notes.port(Note::LocalPort).zip(self.notes.port(Note::RemotePort));
        match (self.more.inbound, ports) {
            (Some(inbound), _) if self.more.tcp_flags != Some(SYN_ACK) => inbound,
            (_, Some((local, remote))) => remote > local,
            (Some(inbound), None) => inbound,
            (None, None) => false,
        }
    }

    /// The device's own end is what may be called; an address of zeros means any of its own.
    fn listener(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        row.set(key::KIND, EventKind::Listener);
        row.set(key::PORT_STATE, PortState::Open);
        document::address(record, row, key::DST_IP, "LocalIP", self.notes.value(Note::LocalIp))?;
        document::set(record, row, Field::DstPort, self.notes.value(Note::LocalPort))
    }
}
