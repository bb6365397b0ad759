//! Pass: what was really spoken.
//!
//! A port is a clue, what a sensor read from the bytes is a fact. The strongest evidence names the service: the
//! sensor's application protocol (or fields that only such a protocol has: TLS version, HTTP method, DNS query), a
//! banner, a process, else the port alone, with a confidence that says so. Where a protocol stands on a port that
//! promises another, or away from every home that it has, the row says that in `service_mismatch`.
//!
//! A carrier (TLS, HTTP, QUIC) says little about what runs above it, so on a port that expects it the port names the
//! service: TLS on 993 is `imaps`, HTTP on 5985 `winrm`. An application that is no protocol (`facebook-base`) does not
//! contradict the port; it makes it likelier.

use hashbrown::HashMap;
use schemas::{EventKind, Field, Flag, FlowBatch, Percent, Plaintext, ServiceEvidence, Span, Transport, key};

use crate::ports::PortFacts;
use crate::protocols::{Habit, PROTOCOLS, Protocol, Recognised, recognise};
use crate::{Pass, Tables};

/// See the module's text.
pub const PASS: Pass = Pass {
    name: "service",
    reads: &[
        Field::Kind,
        Field::Transport,
        Field::DstPort,
        Field::ServerPort,
        Field::OrientationConfidence,
        Field::AppProto,
        Field::TlsVersion,
        Field::TlsSni,
        Field::HttpMethod,
        Field::DnsQuery,
        Field::ServerSoftware,
        Field::ClientSoftware,
        Field::ProcessName,
    ],
    writes: &[
        Field::Service,
        Field::ServiceEvidence,
        Field::ServiceConfidence,
        Field::ServiceMismatch,
        Field::ServiceCategory,
        Field::ServicePlaintext,
        Field::ServiceAdmin,
        Field::ServiceAmplifier,
    ],
    run,
};

/// Programs that serve one protocol, under the names that their processes have.
const PROCESSES: &[(&str, &str)] = &[
    ("sshd", "ssh"),
    ("nginx", "http"),
    ("httpd", "http"),
    ("apache2", "http"),
    ("mysqld", "mysql"),
    ("mariadbd", "mysql"),
    ("postgres", "postgresql"),
    ("postgres.exe", "postgresql"),
    ("sqlservr.exe", "mssql"),
    ("mongod", "mongodb"),
    ("redis-server", "redis"),
    ("memcached", "memcached"),
    ("named", "dns"),
    ("unbound", "dns"),
    ("dns.exe", "dns"),
    ("smbd", "smb"),
    ("slapd", "ldap"),
    ("vsftpd", "ftp"),
    ("proftpd", "ftp"),
    ("ntpd", "ntp"),
    ("chronyd", "ntp"),
    ("rsyslogd", "syslog"),
    ("snmpd", "snmp"),
    ("xrdp", "rdp"),
    ("telnetd", "telnet"),
];

/// What is known of a service by its name, as a row gets it.
#[derive(Clone, Copy)]
struct Named {
    service: Span,
    category: Option<Span>,
    plaintext: Option<Plaintext>,
    admin: bool,
    amplifier: bool,
}

/// Per batch: the texts of services already met.
struct View<'t> {
    tables: &'t Tables,
    by_port: Vec<Option<Named>>,
    by_protocol: [Option<Named>; 64],
    mismatches: HashMap<(u8, u16), Span>,
}

fn run(tables: &Tables, batch: &mut FlowBatch) {
    let mut view =
        View { tables, by_port: vec![None; tables.ports.len()], by_protocol: [None; 64], mismatches: HashMap::new() };
    for row in 0..batch.len() {
        match batch.get(row, key::KIND) {
            Some(EventKind::Flow | EventKind::Alert | EventKind::Dns | EventKind::Listener) => {
                one(&mut view, batch, row);
            }
            Some(EventKind::Auth | EventKind::Process | EventKind::Inventory | EventKind::Other) | None => {}
        }
    }
}

fn one(view: &mut View<'_>, batch: &mut FlowBatch, row: usize) {
    let tables = view.tables;
    let port = batch.get(row, key::SERVER_PORT).or_else(|| batch.get(row, key::DST_PORT));
    let transport = batch.get(row, key::TRANSPORT).unwrap_or(Transport::TCP);
    let index = port.and_then(|port| tables.ports.index(transport, port));
    let spoken = spoken(batch, row);
    let facts = index.map(|index| tables.ports.row(index));
    match spoken {
        Spoken::Protocol(protocol, evidence, confidence) => {
            let expected = facts.is_some_and(|facts| facts.speaks(protocol));
            let named = match index {
                Some(index) if expected && names_by_port(tables.ports.row(index), protocol) => view.port(batch, index),
                _ => view.protocol(batch, named_protocol(facts, protocol)),
            };
            set(batch, row, &named, evidence, confidence);
            if let Some(port) = port {
                let promised = facts.is_some_and(PortFacts::promises);
                if !expected && (promised || protocol.facts().habit == Habit::Bound) {
                    let text = view.mismatch(batch, protocol, port);
                    batch.set(row, key::SERVICE_MISMATCH, text);
                }
            }
        }
        Spoken::Application => match (index, batch.get(row, key::APP_PROTO)) {
            (Some(index), _) => {
                let named = view.port(batch, index);
                set(batch, row, &named, ServiceEvidence::Port, 60);
            }
            (None, Some(word)) => {
                batch.set(row, key::SERVICE, word);
                batch.set(row, key::SERVICE_EVIDENCE, ServiceEvidence::AppProto);
                batch.set(row, key::SERVICE_CONFIDENCE, Percent::new(70));
            }
            (None, None) => {}
        },
        Spoken::Nothing | Spoken::Unrecognised => {
            let (Some(index), Some(port), Some(facts)) = (index, port, facts) else { return };
            let named = view.port(batch, index);
            let unrecognised = matches!(spoken, Spoken::Unrecognised);
            let sure = by_port_confidence(facts);
            let oriented = batch.get(row, key::ORIENTATION_CONFIDENCE).is_none_or(|sure| sure.get() >= 40);
            let sure = if unrecognised || !oriented { sure / 2 } else { sure };
            set(batch, row, &named, ServiceEvidence::Port, sure);
            if unrecognised && facts.service == "https" {
                let text = view.no_tls(batch, port);
                batch.set(row, key::SERVICE_MISMATCH, text);
            }
        }
    }
}

/// How sure a port alone makes.
fn by_port_confidence(facts: &PortFacts) -> u8 {
    match facts.port {
        _ if facts.is_malware_habit() || facts.width >= 100 => 10,
        0..=1023 => 50,
        1024..=u16::MAX if facts.promises() => 45,
        1024..=u16::MAX => 35,
    }
}

enum Spoken {
    Protocol(Protocol, ServiceEvidence, u8),
    /// The sensor recognised an application.
    Application,
    /// The sensor looked and recognised nothing.
    Unrecognised,
    /// Nobody looked.
    Nothing,
}

fn spoken(batch: &FlowBatch, row: usize) -> Spoken {
    let mut unrecognised = false;
    let mut application = false;
    if let Some(word) = batch.text(row, key::APP_PROTO) {
        match recognise(word) {
            Recognised::Protocol(protocol) => return Spoken::Protocol(protocol, ServiceEvidence::AppProto, 95),
            Recognised::Application => application = true,
            Recognised::Nothing => unrecognised = true,
        }
    }
    let certain = |name| Protocol::named(name).map(|it| Spoken::Protocol(it, ServiceEvidence::AppProto, 95));
    let by_field = if batch.has(row, Field::TlsVersion) || batch.has(row, Field::TlsSni) {
        certain("tls")
    } else if batch.has(row, Field::HttpMethod) {
        certain("http")
    } else if batch.has(row, Field::DnsQuery) {
        certain("dns")
    } else {
        None
    };
    if let Some(spoken) = by_field.or_else(|| by_banner(batch, row)).or_else(|| by_process(batch, row)) {
        return spoken;
    }
    match (application, unrecognised) {
        (true, _) => Spoken::Application,
        (false, true) => Spoken::Unrecognised,
        (false, false) => Spoken::Nothing,
    }
}

fn by_banner(batch: &FlowBatch, row: usize) -> Option<Spoken> {
    let banner = batch.text(row, key::SERVER_SOFTWARE).or_else(|| batch.text(row, key::CLIENT_SOFTWARE))?;
    let name = match banner {
        [b'S', b'S', b'H', b'-', ..] => "ssh",
        [b'R', b'F', b'B', b' ', ..] => "vnc",
        _ => return None,
    };
    Some(Spoken::Protocol(Protocol::named(name)?, ServiceEvidence::Banner, 90))
}

/// Only for listeners: the process of a flow is mostly the client's.
fn by_process(batch: &FlowBatch, row: usize) -> Option<Spoken> {
    if batch.get(row, key::KIND) != Some(EventKind::Listener) {
        return None;
    }
    let process = batch.text(row, key::PROCESS_NAME)?;
    let (_, name) = PROCESSES.iter().find(|(of, _)| process.eq_ignore_ascii_case(of.as_bytes()))?;
    Some(Spoken::Protocol(Protocol::named(name)?, ServiceEvidence::Process, 70))
}

/// Whether the port names the service better than a protocol that it expects.
fn names_by_port(facts: &PortFacts, protocol: Protocol) -> bool {
    match protocol.facts().habit {
        Habit::Carrier => {
            !(facts.service == "https" && protocol.name() == "http"
                || facts.service == "http" && protocol.name() == "tls")
        }
        Habit::Bound | Habit::Free => facts.service == protocol.name(),
    }
}

/// TLS on a port of plain HTTP is HTTPS, and anything else is what it is.
fn named_protocol(facts: Option<&PortFacts>, protocol: Protocol) -> Name {
    match facts {
        Some(facts) if facts.service == "http" && facts.speaks(protocol) && protocol.name() == "tls" => Name::Https,
        _ => Name::Protocol(protocol),
    }
}

enum Name {
    Protocol(Protocol),
    Https,
}

impl View<'_> {
    fn port(&mut self, batch: &mut FlowBatch, index: u16) -> Named {
        if let Some(named) = self.by_port[usize::from(index)] {
            return named;
        }
        let facts = self.tables.ports.row(index);
        let named = Named {
            service: batch.keep_fixed(facts.service),
            category: Some(batch.keep_fixed(facts.category)),
            plaintext: Some(facts.plaintext),
            admin: facts.admin,
            amplifier: facts.amplifier,
        };
        self.by_port[usize::from(index)] = Some(named);
        named
    }

    /// The facts of a protocol are those of its home port; a carrier has none but for what its name says.
    fn protocol(&mut self, batch: &mut FlowBatch, name: Name) -> Named {
        let (text, slot) = match &name {
            Name::Protocol(protocol) => (protocol.name(), Some(protocol.index())),
            Name::Https => ("https", None),
        };
        if let Some(named) = slot.and_then(|slot| self.by_protocol[slot]) {
            return named;
        }
        let named = match self.tables.ports.service(text) {
            Some(index) => self.port(batch, index),
            None => Named {
                service: batch.keep_fixed(text),
                category: None,
                plaintext: matches!(text, "tls" | "dtls" | "quic").then_some(Plaintext::No),
                admin: false,
                amplifier: false,
            },
        };
        if let Some(slot) = slot {
            self.by_protocol[slot] = Some(named);
        }
        named
    }

    #[cold]
    fn mismatch(&mut self, batch: &mut FlowBatch, protocol: Protocol, port: u16) -> Span {
        let name = protocol.name();
        *self
            .mismatches
            .entry((protocol.index() as u8, port))
            .or_insert_with(|| batch.keep(format!("{name} on {port}").as_bytes()))
    }

    #[cold]
    fn no_tls(&mut self, batch: &mut FlowBatch, port: u16) -> Span {
        const NO_TLS: u8 = u8::MAX;
        *self.mismatches.entry((NO_TLS, port)).or_insert_with(|| batch.keep(format!("no tls on {port}").as_bytes()))
    }
}

const _: () = assert!(PROTOCOLS.len() < u8::MAX as usize, "255 stands for the absence of TLS");

#[inline]
fn set(batch: &mut FlowBatch, row: usize, named: &Named, evidence: ServiceEvidence, confidence: u8) {
    batch.set(row, key::SERVICE, named.service);
    batch.set(row, key::SERVICE_EVIDENCE, evidence);
    batch.set(row, key::SERVICE_CONFIDENCE, Percent::new(confidence));
    if let Some(category) = named.category {
        batch.set(row, key::SERVICE_CATEGORY, category);
    }
    if let Some(plaintext) = named.plaintext {
        batch.set(row, key::SERVICE_PLAINTEXT, plaintext);
    }
    batch.set(row, key::SERVICE_ADMIN, Flag::from(named.admin));
    batch.set(row, key::SERVICE_AMPLIFIER, Flag::from(named.amplifier));
}
