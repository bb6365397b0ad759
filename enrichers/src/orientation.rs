//! Pass: which end began the conversation.
//!
//! Evidence, strongest first: the log's own word; the ports, weighed against what systems really hand out to clients
//! (not only 49152–65535); the roles that the inventory gives. Roles come after ports, although a role is the surer
//! fact about a machine: servers call workstations, too, and a workstation that accepts a connection is exactly what
//! must not be turned round. Where nothing decides, the order of the log stands, with a low confidence; no rule that
//! counts targets should rest on that.

use schemas::{Action, EventKind, Field, FlowBatch, Initiator, OrientationEvidence, Percent, Transport, key};

use crate::{Pass, Tables};

/// See the module's text.
pub const PASS: Pass = Pass {
    name: "orientation",
    reads: &[
        Field::Kind,
        Field::Initiator,
        Field::Action,
        Field::SrcIp,
        Field::SrcPort,
        Field::DstIp,
        Field::DstPort,
        Field::Transport,
        Field::SrcRole,
        Field::DstRole,
    ],
    writes: &[
        Field::ClientIp,
        Field::ClientPort,
        Field::ServerIp,
        Field::ServerPort,
        Field::OrientationEvidence,
        Field::OrientationConfidence,
    ],
    run,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Verdict {
    client: Initiator,
    evidence: OrientationEvidence,
    confidence: u8,
}

const LOGGED: Verdict = Verdict { client: Initiator::Source, evidence: OrientationEvidence::None, confidence: 20 };

fn run(tables: &Tables, batch: &mut FlowBatch) {
    for row in 0..batch.len() {
        let (src, dst) = (batch.get(row, key::SRC_IP), batch.get(row, key::DST_IP));
        if src.is_none() && dst.is_none() {
            continue;
        }
        let verdict = match batch.get(row, key::KIND) {
            Some(EventKind::Flow | EventKind::Alert | EventKind::Dns) => decide(tables, batch, row),
            // A logon's source is who logs on.
            Some(EventKind::Auth) => {
                Verdict { client: Initiator::Source, evidence: OrientationEvidence::Log, confidence: 90 }
            }
            Some(EventKind::Listener | EventKind::Process | EventKind::Inventory | EventKind::Other) | None => continue,
        };
        let (src_port, dst_port) = match batch.get(row, key::TRANSPORT) {
            // What many records have as ports of ICMP is type and code.
            Some(Transport::ICMP | Transport::ICMPV6) => (None, None),
            Some(Transport(_)) | None => (batch.get(row, key::SRC_PORT), batch.get(row, key::DST_PORT)),
        };
        let (client, client_port, server, server_port) = match verdict.client {
            Initiator::Source => (src, src_port, dst, dst_port),
            Initiator::Destination => (dst, dst_port, src, src_port),
        };
        if let Some(ip) = client {
            batch.set(row, key::CLIENT_IP, ip);
        }
        if let Some(ip) = server {
            batch.set(row, key::SERVER_IP, ip);
        }
        if let Some(port) = client_port {
            batch.set(row, key::CLIENT_PORT, port);
        }
        if let Some(port) = server_port {
            batch.set(row, key::SERVER_PORT, port);
        }
        batch.set(row, key::ORIENTATION_EVIDENCE, verdict.evidence);
        batch.set(row, key::ORIENTATION_CONFIDENCE, Percent::new(verdict.confidence));
    }
}

fn decide(tables: &Tables, batch: &FlowBatch, row: usize) -> Verdict {
    if let Some(client) = batch.get(row, key::INITIATOR) {
        return Verdict { client, evidence: OrientationEvidence::Log, confidence: 95 };
    }
    let transport = batch.get(row, key::TRANSPORT);
    if matches!(transport, Some(Transport::ICMP | Transport::ICMPV6)) {
        return LOGGED;
    }
    let by_ports = match (batch.get(row, key::SRC_PORT), batch.get(row, key::DST_PORT)) {
        (Some(src), Some(dst)) => by_ports(tables, transport.unwrap_or(Transport::TCP), src, dst),
        // One port only is the one that was called: logs leave out a client's port, never a server's.
        (None, Some(_)) => Verdict { client: Initiator::Source, evidence: OrientationEvidence::Port, confidence: 50 },
        (Some(_), None) | (None, None) => LOGGED,
    };
    if by_ports.confidence >= DECIDED {
        return by_ports;
    }
    // A filter refuses what opens a conversation; answers pass, or are refused as strays much more rarely.
    if let Some(Action::Deny | Action::Drop) = batch.get(row, key::ACTION) {
        return Verdict { client: Initiator::Source, evidence: OrientationEvidence::Log, confidence: 60 };
    }
    by_roles(batch, row).unwrap_or(by_ports)
}

/// From here on ports have decided; below it they are a hunch.
const DECIDED: u8 = 45;

fn by_ports(tables: &Tables, transport: Transport, src: u16, dst: u16) -> Verdict {
    let (of_src, of_dst) = (tables.ports.likeness(transport, src), tables.ports.likeness(transport, dst));
    let client = if of_src > of_dst { Initiator::Destination } else { Initiator::Source };
    let confidence = match of_src.abs_diff(of_dst) {
        // Peers that use one port at both ends (NTP, IKE, mDNS, SIP): who sent it has begun, as far as is known.
        0 if src == dst && of_src >= 55 => 50,
        0 => return LOGGED,
        1..=9 => 30,
        10..=29 => 45,
        30..=49 => 65,
        50.. => 80,
    };
    // Turning the log's order round needs more than a hunch.
    if client == Initiator::Destination && confidence < DECIDED {
        return LOGGED;
    }
    Verdict { client, evidence: OrientationEvidence::Port, confidence }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Nature {
    Client,
    Server,
    Unknown,
}

fn by_roles(batch: &FlowBatch, row: usize) -> Option<Verdict> {
    let src = nature(batch.text(row, key::SRC_ROLE));
    let dst = nature(batch.text(row, key::DST_ROLE));
    let client = match (src, dst) {
        (Nature::Client, Nature::Server) => Initiator::Source,
        (Nature::Server, Nature::Client) => Initiator::Destination,
        _ => return None,
    };
    Some(Verdict { client, evidence: OrientationEvidence::Inventory, confidence: 60 })
}

const CLIENT_WORDS: &[&str] = &["workstation", "client", "laptop", "desktop", "kiosk", "phone", "user"];
const SERVER_WORDS: &[&str] = &["server", "controller", "database", "proxy", "gateway", "printer", "nas", "appliance"];

fn nature(role: Option<&[u8]>) -> Nature {
    let Some(role) = role else { return Nature::Unknown };
    let has = |words: &[&str]| {
        words.iter().any(|word| role.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes())))
    };
    match () {
        () if has(SERVER_WORDS) => Nature::Server,
        () if has(CLIENT_WORDS) => Nature::Client,
        () => Nature::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(transport: Transport, src: u16, dst: u16, client: Initiator, at_least: u8) {
        let verdict = by_ports(&Tables::builtin(), transport, src, dst);
        assert_eq!(verdict.client, client, "{src} -> {dst}");
        assert!(verdict.confidence >= at_least, "{src} -> {dst}: {}", verdict.confidence);
    }

    #[test]
    fn a_known_port_against_an_ephemeral_one_is_the_server() {
        check(Transport::TCP, 50122, 3389, Initiator::Source, 80);
        check(Transport::TCP, 3389, 50122, Initiator::Destination, 80);
        check(Transport::TCP, 40001, 445, Initiator::Source, 80);
        check(Transport::UDP, 53, 33012, Initiator::Destination, 80);
        check(Transport::TCP, 1433, 4021, Initiator::Destination, 45);
    }

    #[test]
    fn the_real_ephemeral_ranges_count_not_only_the_registered_one() {
        check(Transport::TCP, 40001, 9999, Initiator::Source, 40);
        check(Transport::TCP, 8123, 35000, Initiator::Destination, 45);
    }

    #[test]
    fn equal_ports_keep_the_order_of_the_log() {
        check(Transport::UDP, 123, 123, Initiator::Source, 50);
        assert_eq!(by_ports(&Tables::builtin(), Transport::TCP, 50101, 50103), LOGGED);
    }
}
