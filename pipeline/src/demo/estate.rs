//! The network that the incident takes place in: addresses, hosts, accounts.
//!
//! Documentation addresses stand for the internet (RFC 5737), private ones for the inside; the names end in `example`.
//!
//! | range | what it is |
//! |---|---|
//! | 10.10.0.0/16 | 400 workstations, `WS-1000` to `WS-1399` |
//! | 10.20.0.0/24 | servers: domain controllers, files, databases, applications, backup, scanners, Linux |
//! | 10.30.0.0/24 | DMZ, 24 published hosts at .10 to .33, seen from outside as 203.0.113.10 to .33 |
//! | 10.40.0.1 | the gateway of an office that hides 60 users behind one address |
//! | 10.50.0.0/16 | two branches behind FortiGates |
//! | 192.0.2.0/24 | the rough part of the internet; .66 is the attacker |
//! | 198.51.100.0/24, 203.0.113.128/25 | sites that people use; 198.51.100.77 is the attacker's control server |
//! | 203.0.113.64/26 | visitors of the published web servers |

use super::text::{Put, put};

/// The asset table of this network, in the form that `--assets` takes.
pub const ASSETS_CSV: &str = include_str!("assets.csv");

/// Midnight UTC and eight hours of the day on which the generated two hours begin: 2026-11-17T08:00:00Z, a Tuesday.
pub const START_US: u64 = 1_794_902_400_000_000;

/// An address from its four bytes.
pub const fn ip(a: u8, b: u8, c: u8, d: u8) -> u32 {
    u32::from_be_bytes([a, b, c, d])
}

/// Scans, guesses passwords, gets in.
pub(super) const ATTACKER: u32 = ip(192, 0, 2, 66);
/// Where the intruded server reports to.
pub(super) const CONTROL: u32 = ip(198, 51, 100, 77);
/// The port that it reports to.
pub(super) const CONTROL_PORT: u16 = 8443;
/// The port that the intruder's program listens on.
pub(super) const DOOR_PORT: u16 = 50_505;
/// The gateway with 60 users behind it.
pub(super) const NAT_GATEWAY: u32 = ip(10, 40, 0, 1);
/// Where backups are copied to, outside.
pub(super) const VAULT: u32 = ip(203, 0, 113, 200);

pub(super) const WORKSTATIONS: u16 = 400;
pub(super) const BRANCH_CLIENTS: u16 = 300;
pub(super) const DMZ_HOSTS: u16 = DMZ.len() as u16;
pub(super) const USERS: u16 = (LETTERS.len() * SURNAMES.len()) as u16;

/// Servers inside: name, last byte of the address, whether it runs Windows.
const SERVERS: [(&str, u8, bool); 29] = [
    ("DC01", 10, true),
    ("DC02", 11, true),
    ("FILE01", 20, true),
    ("FILE02", 21, true),
    ("SQL01", 30, true),
    ("SQL02", 31, true),
    ("APP01", 40, true),
    ("APP02", 41, true),
    ("APP03", 42, true),
    ("APP04", 43, true),
    ("APP05", 44, true),
    ("APP06", 45, true),
    ("PRINT01", 46, true),
    ("BACKUP01", 50, true),
    ("SCAN01", 60, false),
    ("VULN01", 61, false),
    ("EXCH01", 70, true),
    ("EXCH02", 71, true),
    ("lnx-db-01", 80, false),
    ("lnx-db-02", 81, false),
    ("lnx-app-01", 82, false),
    ("lnx-app-02", 83, false),
    ("lnx-app-03", 84, false),
    ("lnx-app-04", 85, false),
    ("lnx-git-01", 86, false),
    ("lnx-mon-01", 87, false),
    ("lnx-jump-01", 90, false),
    ("lnx-dns-01", 91, false),
    ("lnx-dns-02", 92, false),
];

/// Hosts of the DMZ, at 10.30.0.10 and up.
const DMZ: [&str; 24] = [
    "WEB01",
    "WEB02",
    "WEB03",
    "WEB04",
    "WEB05",
    "WEB06",
    "WEB07",
    "WEB08",
    "lnx-web-01",
    "lnx-web-02",
    "lnx-web-03",
    "lnx-web-04",
    "lnx-web-05",
    "lnx-web-06",
    "lnx-sftp-01",
    "RDS01",
    "API01",
    "API02",
    "API03",
    "API04",
    "lnx-ns-01",
    "lnx-ns-02",
    "lnx-mx-01",
    "lnx-vpn-01",
];

/// A host of ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Host {
    /// A workstation of the main office, by number.
    Workstation(u16),
    /// A server inside, by its place in the list.
    Server(u8),
    /// A host of the DMZ, by its place in the list.
    Dmz(u8),
    /// A client of a branch, by number.
    Branch(u16),
}

pub(super) const DC01: Host = Host::Server(0);
pub(super) const DC02: Host = Host::Server(1);
pub(super) const FILE01: Host = Host::Server(2);
pub(super) const SQL01: Host = Host::Server(4);
pub(super) const APP01: Host = Host::Server(6);
pub(super) const APP02: Host = Host::Server(7);
pub(super) const BACKUP: Host = Host::Server(13);
pub(super) const SCANNER: Host = Host::Server(14);
pub(super) const VULN: Host = Host::Server(15);
pub(super) const JUMP: Host = Host::Server(26);
/// The Remote Desktop host that the attack is after.
pub(super) const RDS: Host = Host::Dmz(15);

/// The servers that run Windows and write to winlogbeat.
pub(super) const WINDOWS_SERVERS: [Host; 15] = [
    Host::Server(0),
    Host::Server(1),
    Host::Server(2),
    Host::Server(3),
    Host::Server(4),
    Host::Server(5),
    Host::Server(6),
    Host::Server(7),
    Host::Server(8),
    Host::Server(9),
    Host::Server(10),
    Host::Server(11),
    Host::Server(12),
    Host::Server(16),
    Host::Server(17),
];

/// The servers that run Linux and write to syslog.
pub(super) const LINUX_SERVERS: [Host; 16] = [
    Host::Server(18),
    Host::Server(19),
    Host::Server(20),
    Host::Server(21),
    Host::Server(22),
    Host::Server(23),
    Host::Server(24),
    Host::Server(25),
    Host::Server(26),
    Host::Dmz(8),
    Host::Dmz(9),
    Host::Dmz(10),
    Host::Dmz(11),
    Host::Dmz(12),
    Host::Dmz(13),
    Host::Dmz(14),
];

pub(super) const SERVER_COUNT: u8 = SERVERS.len() as u8;

impl Host {
    /// Its own address.
    pub(super) fn ip(self) -> u32 {
        match self {
            Host::Workstation(n) => ip(10, 10, 1 + (n / 100) as u8, 20 + (n % 100) as u8),
            Host::Server(n) => ip(10, 20, 0, SERVERS[usize::from(n)].1),
            Host::Dmz(n) => ip(10, 30, 0, 10 + n),
            Host::Branch(n) => ip(10, 50, (n / 150) as u8, 20 + (n % 150) as u8),
        }
    }

    /// A number of its own, for record numbers and the like.
    pub(super) fn number(self) -> u32 {
        match self {
            Host::Workstation(n) => u32::from(n),
            Host::Server(n) => 1000 + u32::from(n),
            Host::Dmz(n) => 2000 + u32::from(n),
            Host::Branch(n) => 3000 + u32::from(n),
        }
    }

    /// Whether the log agent of Linux speaks for it.
    pub(super) fn is_linux(self) -> bool {
        LINUX_SERVERS.contains(&self)
    }
}

/// A host's short name.
pub(super) struct Name(pub Host);

impl Put for Name {
    fn put(self, out: &mut Vec<u8>) {
        match self.0 {
            Host::Workstation(n) => put!(out; "WS-", 1000 + n),
            Host::Server(n) => put!(out; SERVERS[usize::from(n)].0),
            Host::Dmz(n) => put!(out; DMZ[usize::from(n)]),
            Host::Branch(n) => put!(out; "BR-", 2000 + n),
        }
    }
}

/// A host's whole name, as Windows writes it.
pub(super) struct FullName(pub Host);

impl Put for FullName {
    fn put(self, out: &mut Vec<u8>) {
        put!(out; Name(self.0), ".corp.example");
    }
}

const LETTERS: [char; 20] =
    ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'r', 's', 't', 'v'];
const SURNAMES: [&str; 16] = [
    "meier", "smith", "garcia", "novak", "rossi", "kim", "okafor", "dubois", "larsen", "tanaka", "silva", "haddad",
    "kowalski", "nguyen", "moreau", "byrne",
];

/// An account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum User {
    /// Someone who works here.
    Person(u16),
    /// An administrator's second account.
    Admin(u8),
    /// An account with a fixed name.
    Named(&'static str),
    /// A computer's own account, `NAME$`.
    Machine(Host),
}

impl Put for User {
    fn put(self, out: &mut Vec<u8>) {
        match self {
            User::Person(n) => {
                let n = usize::from(n % USERS);
                put!(out; LETTERS[n % LETTERS.len()], '.', SURNAMES[n / LETTERS.len()]);
            }
            User::Admin(n) => put!(out; "adm-", SURNAMES[usize::from(n) % SURNAMES.len()]),
            User::Named(name) => put!(out; name),
            User::Machine(host) => put!(out; Name(host), '$'),
        }
    }
}

impl User {
    /// The last part of its SID.
    pub(super) fn rid(self) -> u32 {
        match self {
            User::Person(n) => 1200 + u32::from(n),
            User::Admin(n) => 1100 + u32::from(n),
            User::Named("root") => 0,
            User::Named(name) => 1600 + name.bytes().map(u32::from).sum::<u32>() % 300,
            User::Machine(host) => 4000 + host.number(),
        }
    }
}

/// Where a piece of network belongs, in the firewall's words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Outside,
    Dmz,
    Branch,
    Servers,
    Inside,
}

impl Side {
    pub(super) fn of(address: u32) -> Side {
        match address.to_be_bytes() {
            [10, 10, ..] => Side::Inside,
            [10, 20, ..] => Side::Servers,
            [10, 30, ..] => Side::Dmz,
            [10, 40 | 50, ..] => Side::Branch,
            _ => Side::Outside,
        }
    }

    /// The interface's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Side::Outside => "outside",
            Side::Dmz => "dmz",
            Side::Branch => "branch",
            Side::Servers => "servers",
            Side::Inside => "inside",
        }
    }

    /// The interface's security level: a connection to a lower one is `outbound`.
    pub(super) fn level(self) -> u8 {
        match self {
            Side::Outside => 0,
            Side::Dmz => 40,
            Side::Branch => 60,
            Side::Servers => 80,
            Side::Inside => 100,
        }
    }
}
