//! What is known about each port: the service that usually lives there, and what that means.
//!
//! The facts lie in `data/ports.csv`, in the program. Once read they are an array per transport with one slot a
//! port, 128 KiB each, so that a lookup is one load; a hash table of five hundred rows would cost five times that in
//! the innermost loop. A port is a clue, not a fact: who shows the name shows the confidence, too.

use std::sync::LazyLock;

use hashbrown::HashMap;
use schemas::{Plaintext, Transport, Word, parse_port};

use crate::protocols::Protocol;

/// One port or range of ports of a transport.
#[derive(Clone, Debug)]
pub struct PortFacts {
    /// Service that usually lives there, under the name that the product shows.
    pub service: &'static str,
    /// Category: web, database, remote-access.
    pub category: &'static str,
    /// Whether it speaks clear text.
    pub plaintext: Plaintext,
    /// Whether it gives administrative or data-store control.
    pub admin: bool,
    /// Whether it is a known reflector.
    pub amplifier: bool,
    /// Lowest port of the row.
    pub port: u16,
    /// How many ports the row covers, less one.
    pub width: u16,
    /// Set of protocols that it is right to meet there; empty where nothing is promised.
    speaks: u64,
}

impl PortFacts {
    /// Whether a protocol is at home on this port.
    pub fn speaks(&self, protocol: Protocol) -> bool {
        self.speaks & protocol.bit() != 0
    }

    /// Whether the port promises certain protocols, so that another one there is remarkable.
    pub fn promises(&self) -> bool {
        self.speaks != 0
    }

    /// Whether the row only says that malware was seen to listen there: no evidence of a service.
    pub fn is_malware_habit(&self) -> bool {
        self.category == "malware-associated"
    }
}

/// The port table.
pub struct PortTable {
    rows: Vec<PortFacts>,
    /// For tcp and udp: 0, or 1 + the row of each port.
    slots: [Vec<u16>; 2],
    /// For tcp and udp: how much each port looks like a server's, see [`PortTable::likeness`].
    likeness: [Vec<u8>; 2],
    by_service: HashMap<&'static str, u16>,
}

const DATA: &str = include_str!("../data/ports.csv");

static SHARED: LazyLock<PortTable> = LazyLock::new(|| PortTable::read(DATA));

impl PortTable {
    /// The table of the product.
    pub fn shared() -> &'static PortTable {
        &SHARED
    }

    /// The text that the table was read from, for digests.
    pub fn text() -> &'static str {
        DATA
    }

    fn read(text: &'static str) -> PortTable {
        let mut rows = Vec::new();
        let mut slots = [vec![0u16; 65536], vec![0u16; 65536]];
        let mut spans: Vec<(usize, u16, u16)> = Vec::new();
        for line in text.lines().skip(1) {
            let (facts, transport, lo, hi) = read_row(line).expect("the port table is part of the program, and tested");
            spans.push((transport, lo, hi));
            rows.push(facts);
        }
        // Narrow rows win over wide ones.
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|at| std::cmp::Reverse(spans[*at].2 - spans[*at].1));
        for at in order {
            let (transport, lo, hi) = spans[at];
            for port in lo..=hi {
                slots[transport][usize::from(port)] = at as u16 + 1;
            }
        }
        let mut by_service = HashMap::new();
        for (at, row) in rows.iter().enumerate() {
            by_service.entry(row.service).or_insert(at as u16);
        }
        let likeness = [0, 1].map(|transport: usize| {
            (0..=u16::MAX).map(|port| likeness(port, row_at(&rows, &slots[transport], port))).collect()
        });
        PortTable { rows, slots, likeness, by_service }
    }

    /// Index of a port's row; `None` for a port or transport of which nothing is known.
    #[inline]
    pub fn index(&self, transport: Transport, port: u16) -> Option<u16> {
        self.slots[side(transport)?][usize::from(port)].checked_sub(1)
    }

    /// The facts of an index.
    #[inline]
    pub fn row(&self, index: u16) -> &PortFacts {
        &self.rows[usize::from(index)]
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether the table is empty; never for [`PortTable::shared`].
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The facts of a port.
    pub fn get(&self, transport: Transport, port: u16) -> Option<&PortFacts> {
        self.index(transport, port).map(|index| self.row(index))
    }

    /// The first row of a service, which is its home port.
    pub fn service(&self, name: &str) -> Option<u16> {
        self.by_service.get(name).copied()
    }

    /// How much a port looks like a server's, 0..=100; of two ports the one that is more alike is the server's.
    /// Known services score highest, then system ports, then registered ones; what systems hand out to clients
    /// scores lowest, by how many of them do so: 49152–65535 (Windows, macOS), 32768–60999 (Linux), 10000 and up
    /// (FreeBSD), 1025–5000 (old Windows). Source: the systems' own documentation, RFC 6335.
    #[inline]
    pub fn likeness(&self, transport: Transport, port: u16) -> u8 {
        match side(transport) {
            Some(side) => self.likeness[side][usize::from(port)],
            None => likeness(port, None),
        }
    }
}

fn side(transport: Transport) -> Option<usize> {
    match transport {
        Transport::TCP => Some(0),
        Transport::UDP => Some(1),
        Transport(_) => None,
    }
}

fn row_at<'t>(rows: &'t [PortFacts], slots: &[u16], port: u16) -> Option<&'t PortFacts> {
    rows.get(usize::from(slots[usize::from(port)].checked_sub(1)?))
}

fn likeness(port: u16, row: Option<&PortFacts>) -> u8 {
    // A row that covers a hundred ports (NodePort, traceroute) names none of them well enough.
    let known = row.filter(|row| !row.is_malware_habit() && row.width < 100);
    match (known, port) {
        (_, 0) => 0,
        (Some(_), 1..=1023) => 100,
        (Some(row), 1024..=32767) if row.promises() => 85,
        (Some(_), 1024..=32767) => 75,
        (Some(_), 32768..=49151) => 55,
        (Some(_), 49152..=u16::MAX) => 25,
        (None, 1..=1023) => 70,
        (None, 1024) => 45,
        (None, 1025..=5000) => 38,
        (None, 5001..=9999) => 42,
        (None, 10000..=32767) => 34,
        (None, 32768..=49151) => 14,
        (None, 49152..=60999) => 8,
        (None, 61000..=u16::MAX) => 10,
    }
}

fn read_row(line: &'static str) -> Option<(PortFacts, usize, u16, u16)> {
    let mut cells = line.split(',');
    let mut next = || cells.next();
    let transport = side(Transport::parse(next()?.as_bytes())?)?;
    let lo = parse_port(next()?.as_bytes())?;
    let hi = parse_port(next()?.as_bytes())?;
    let (service, category) = (next()?, next()?);
    let plaintext = Plaintext::parse(next()?.as_bytes())?;
    let (admin, amplifier) = (next()? == "yes", next()? == "yes");
    let mut speaks = 0;
    for name in next()?.split_ascii_whitespace() {
        speaks |= Protocol::named(name)?.bit();
    }
    Some((
        PortFacts { service, category, plaintext, admin, amplifier, port: lo, width: hi - lo, speaks },
        transport,
        lo,
        hi,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_reads() {
        for (at, line) in DATA.lines().enumerate().skip(1) {
            assert!(read_row(line).is_some(), "line {}: {line}", at + 1);
        }
        assert!(PortTable::shared().len() > 500);
    }

    #[test]
    fn a_narrow_row_wins_over_a_wide_one_and_agrees_with_a_scan_of_the_rows() {
        let table = PortTable::shared();
        let rows: Vec<_> = DATA.lines().skip(1).filter_map(read_row).collect();
        for (side, transport) in [Transport::TCP, Transport::UDP].into_iter().enumerate() {
            for port in 0..=u16::MAX {
                let slow = rows
                    .iter()
                    .filter(|(_, of, lo, hi)| *of == side && (*lo..=*hi).contains(&port))
                    .min_by_key(|(_, _, lo, hi)| hi - lo)
                    .map(|(facts, ..)| facts.service);
                assert_eq!(table.get(transport, port).map(|facts| facts.service), slow, "{port}");
            }
        }
    }

    #[test]
    fn a_known_service_looks_more_like_a_server_than_any_port_that_systems_hand_out() {
        let table = PortTable::shared();
        for known in [22, 53, 443, 445, 3389, 5432, 8443] {
            for client in [1025, 4999, 10001, 32768, 40001, 49153, 60999, 65535] {
                assert!(
                    table.likeness(Transport::TCP, known) > table.likeness(Transport::TCP, client),
                    "{known} {client}"
                );
            }
        }
    }

    #[test]
    fn the_facts_of_well_known_ports_are_the_expected_ones() {
        let rdp = PortTable::shared().get(Transport::TCP, 3389).expect("3389 is known");
        assert_eq!((rdp.service, rdp.category, rdp.admin), ("rdp", "remote-access", true));
        let dns = PortTable::shared().get(Transport::UDP, 53).expect("53 is known");
        assert_eq!((dns.service, dns.amplifier, dns.plaintext), ("dns", true, Plaintext::Yes));
        assert!(PortTable::shared().get(Transport::ICMP, 8).is_none());
    }
}
