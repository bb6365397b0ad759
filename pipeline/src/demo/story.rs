//! The planted incident and the honest noise beside it, minute by minute, and what an engine must make of them.
//!
//! See the table in `generate`. Everything here has its fixed time; only small offsets, ports and names are random.

use super::daily::Desk;
use super::estate::*;
use super::logs::linux::Told as Unix;
use super::logs::windows::{Client, From, Told};
use super::logs::{End, Event, Flow, asa, suricata, zeek};
use super::text::Rng;

/// Something that must be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// A piece of the rule's name: the file's name without its ending contains it.
    pub rule: &'static str,
    /// Values of which at least one must be in the alert's group, in any case of letters.
    pub group: &'static [&'static str],
    /// What it is, for people.
    pub what: &'static str,
}

/// Something that must not be alerted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// A value that no alert's group may hold, in any case of letters.
    pub value: &'static str,
    /// What it is, for people.
    pub what: &'static str,
}

const INTRUDED: &[&str] = &["RDS01.corp.example", "RDS01", "10.30.0.25"];
const INTRUDER: &[&str] = &["192.0.2.66"];
const EITHER: &[&str] = &["RDS01.corp.example", "RDS01", "10.30.0.25", "192.0.2.66", "svc-rds"];

/// What was planted, in the order in which it happens.
pub fn planted() -> Vec<Expectation> {
    vec![
        Expectation { rule: "block_scan", group: INTRUDER, what: "a scan of 112 ports on 24 hosts from outside" },
        Expectation {
            rule: "failed_logins_rdp_spike",
            group: INTRUDED,
            what: "failed logins on RDS01 (Windows) with a spike of connections to 3389 of its address (firewall)",
        },
        Expectation {
            rule: "brute_force_then_success",
            group: EITHER,
            what: "after 240 failed logins one that succeeds",
        },
        Expectation { rule: "new_listener", group: INTRUDED, what: "a program on RDS01 begins to listen on 50505" },
        Expectation {
            rule: "unexpected_outbound",
            group: INTRUDED,
            what: "RDS01, which never calls anyone outside, calls 198.51.100.77:8443 each minute",
        },
    ]
}

/// What looks like an attack and is none.
pub fn quiet() -> Vec<Quiet> {
    let name = |value, what| Quiet { value, what };
    vec![
        name("10.20.0.60", "the authorised scanner"),
        name("SCAN01.corp.example", "the authorised scanner"),
        name("10.20.0.61", "vulnerability management, which logs in everywhere"),
        name("VULN01.corp.example", "vulnerability management, which logs in everywhere"),
        name("10.20.0.50", "the backup server with its regular flows"),
        name("BACKUP01.corp.example", "the backup server with its regular flows"),
        name("10.40.0.1", "the gateway with 60 users behind one address"),
        name("office-nat-01", "the gateway with 60 users behind one address"),
        name(FORGETFUL_DESK, "a workstation whose user forgot the password"),
        name(FORGETFUL_ADDRESS, "a workstation whose user forgot the password"),
        name("e.novak", "the user who forgot the password"),
    ]
}

const FORGETFUL: Host = Host::Workstation(212);
const FORGETFUL_DESK: &str = "WS-1212.corp.example";
const FORGETFUL_ADDRESS: &str = "10.10.3.32";
/// The forgetful user is `e.novak`: the fifth letter, the fourth surname.
const FORGETFUL_USER: User = User::Person(4 + 3 * 20);

/// The ports that both scans try; popular ones and a hundred others.
fn scan_ports() -> impl Iterator<Item = u16> {
    const KNOWN: [u16; 12] = [21, 22, 23, 80, 135, 139, 443, 445, 1433, 3389, 5900, 8080];
    KNOWN.into_iter().chain((0..100).map(|n| 1024 + n * 631))
}

const MINUTE: u64 = 60_000_000;

/// The whole story of one period, sorted by arrival.
pub(super) fn write(rng: &mut Rng, start_us: u64) -> Vec<Event> {
    let mut events = Vec::with_capacity(16_000);
    let mut own = Rng::new(rng.bits());
    let mut desk = Desk { rng: &mut own, queue: &mut |event| events.push(event) };
    scan(&mut desk, start_us + 22 * MINUTE);
    guess(&mut desk, start_us + 41 * MINUTE);
    enter(&mut desk, start_us + 55 * MINUTE);
    settle(&mut desk, start_us + 61 * MINUTE);
    report(&mut desk, start_us + 66 * MINUTE);
    forget(&mut desk, start_us);
    authorised_scan(&mut desk, start_us + 80 * MINUTE);
    vulnerability_logins(&mut desk, start_us + 95 * MINUTE);
    back_up(&mut desk, start_us);
    events.sort_by_key(|event| event.arrival_us);
    events
}

/// Ports that a host of the DMZ publishes.
fn published(host: u8, port: u16) -> bool {
    match port {
        443 => host != 15,
        80 => host < 14,
        22 => host == 14,
        3389 => host == 15,
        _ => false,
    }
}

fn scan(desk: &mut Desk, from_us: u64) {
    let mut us = from_us;
    let mut id = 900_000;
    for (at, port) in scan_ports().enumerate() {
        for host in 0..DMZ_HOSTS as u8 {
            us += u64::from(desk.rng.between(120_000, 360_000));
            id += 1;
            let mut flow = Flow { id, ..Flow::tcp(ATTACKER, 40_000 + at as u16, Host::Dmz(host).ip(), port) };
            if published(host, port) {
                // A connect scan: the client aborts as soon as it is let in.
                flow = Flow { end: End::ClientReset, sent: 0, received: 0, length_us: 90_000, ..flow };
                desk.session(us, flow);
                desk.suricata(us + 6_000_000, suricata::Say::Flow { flow, app: "" });
            } else {
                flow = Flow { end: End::Silent, sent: 0, received: 0, ..flow };
                desk.asa(us, asa::Say::Denied(flow));
                if at % 16 == 1 && host % 8 == 0 {
                    let signature = if port == 1433 { 2 } else { 1 };
                    desk.suricata(us, suricata::Say::Alert { flow, signature, app: "" });
                }
            }
        }
    }
}

const GUESSED: [&str; 8] = ["administrator", "admin", "svc-rds", "backup", "test", "svc-sql", "helpdesk", "scanner"];

fn guess(desk: &mut Desk, from_us: u64) {
    for n in 0..260u32 {
        let us = from_us + u64::from(n) * 3_000_000 + u64::from(desk.rng.below(1_500_000));
        let flow = Flow {
            sent: desk.rng.between(1200, 2400),
            received: desk.rng.between(1500, 3000),
            length_us: desk.rng.between(600_000, 1_900_000),
            id: 910_000 + n,
            ..Flow::tcp(ATTACKER, 20_000 + (n * 37 % 30_000) as u16, RDS.ip(), 3389)
        };
        desk.session(us, flow);
        if n % 2 == 0 {
            let cookie = User::Named(desk.rng.pick(&GUESSED));
            desk.zeek(us + 80_000, zeek::Say::Rdp { flow, cookie });
        }
        if n % 3 == 0 {
            desk.suricata(us + 6_000_000, suricata::Say::Flow { flow, app: "rdp" });
        }
        if n == 40 {
            desk.suricata(us, suricata::Say::Alert { flow, signature: 3, app: "rdp" });
        }
        // With network level authentication a wrong password is a failed logon of type 3. Some connections end before.
        if n % 13 != 0 {
            let name = desk.rng.pick(&GUESSED);
            let user = User::Named(name);
            let from = From { ip: ATTACKER, port: 0, name: Client::Named("DESKTOP-7KQ2M") };
            let unknown = !matches!(name, "administrator" | "svc-rds");
            desk.windows(us + 500_000, RDS, Told::LogonFailed { user, from, kind: 3, unknown });
        }
    }
}

fn enter(desk: &mut Desk, us: u64) {
    let flow = Flow {
        sent: 910_000,
        received: 8_400_000,
        length_us: 58_000_000,
        id: 920_001,
        ..Flow::tcp(ATTACKER, 51_514, RDS.ip(), 3389)
    };
    let user = User::Named("svc-rds");
    let from = From { ip: ATTACKER, port: 0, name: Client::Named("DESKTOP-7KQ2M") };
    desk.session(us, flow);
    desk.zeek(us + 80_000, zeek::Say::Rdp { flow, cookie: user });
    desk.windows(us + 900_000, DC01, Told::Ntlm { user, client: from.name, accepted: true });
    desk.windows(us + 1_000_000, RDS, Told::Permitted { flow, program: TERM_SERVICE, pid: 1132 });
    desk.windows(us + 1_200_000, RDS, Told::Logon { user, from, kind: 3 });
    desk.windows(us + 1_900_000, RDS, Told::Logon { user, from, kind: 10 });
    desk.windows(us + 1_910_000, RDS, Told::Privileges { user });
    desk.windows(
        us + 9_000_000,
        RDS,
        Told::SysmonProcess {
            user,
            path: POWERSHELL,
            parent: r"C:\\Windows\\explorer.exe",
            command: "powershell.exe -NoProfile -ExecutionPolicy Bypass",
            pid: 6120,
        },
    );
}

const TERM_SERVICE: &str = r"\\device\\harddiskvolume3\\windows\\system32\\svchost.exe";
const POWERSHELL: &str = r"C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe";
const IMPLANT: &str = r"C:\\ProgramData\\Printing\\spoolhlp.exe";
const IMPLANT_DEVICE: &str = r"\\device\\harddiskvolume3\\programdata\\printing\\spoolhlp.exe";
const IMPLANT_PID: u32 = 7344;

fn settle(desk: &mut Desk, us: u64) {
    let user = User::Named("svc-rds");
    desk.windows(us, RDS, Told::ServiceInstalled { user, name: "SpoolHelper", path: IMPLANT });
    let started = us + 4_000_000;
    let (path, command) = (IMPLANT, r"C:\\ProgramData\\Printing\\spoolhlp.exe -l 50505");
    desk.windows(started, RDS, Told::SysmonProcess { user, path, parent: POWERSHELL, command, pid: IMPLANT_PID });
    desk.windows(started + 5_000, RDS, Told::Process { user, path, parent: POWERSHELL, command });
    let (port, program, pid) = (DOOR_PORT, IMPLANT_DEVICE, IMPLANT_PID);
    desk.windows(started + 300_000, RDS, Told::Bind { port, program, pid });
    desk.windows(started + 301_000, RDS, Told::Listen { port, program, pid });
    // The intruder looks whether the new door can be reached; the firewall does not let it.
    for n in 0..3u16 {
        let flow = Flow { end: End::Silent, id: 930_000, ..Flow::tcp(ATTACKER, 41_200 + n, RDS.ip(), DOOR_PORT) };
        desk.asa(us + 60_000_000 + u64::from(n) * 1_000_000, asa::Say::Denied(flow));
    }
}

fn report(desk: &mut Desk, from_us: u64) {
    for n in 0..50u32 {
        let us = from_us + u64::from(n) * MINUTE + u64::from(desk.rng.below(3_000_000));
        let flow = Flow {
            sent: desk.rng.between(700, 900),
            received: desk.rng.between(400, 500),
            length_us: desk.rng.between(300_000, 700_000),
            id: 940_000 + n,
            ..Flow::tcp(RDS.ip(), desk.rng.between(49_152, 65_535) as u16, CONTROL, CONTROL_PORT)
        };
        desk.session(us, flow);
        desk.conn(us, flow, "ssl");
        desk.suricata(us + 70_000, suricata::Say::Tls { flow, site: None, ja3: 977 });
        desk.suricata(us + 6_000_000, suricata::Say::Flow { flow, app: "tls" });
        desk.windows(us, RDS, Told::Permitted { flow, program: IMPLANT_DEVICE, pid: IMPLANT_PID });
        let user = User::Named("svc-rds");
        desk.windows(us + 40_000, RDS, Told::SysmonNetwork { flow, user, path: IMPLANT, pid: IMPLANT_PID });
    }
}

/// Wrong passwords by people who belong here.
fn forget(desk: &mut Desk, start_us: u64) {
    let user = FORGETFUL_USER;
    let from = From { ip: FORGETFUL.ip(), port: 0, name: Client::Host(FORGETFUL) };
    let console = From { ip: 0, ..from };
    // At the own desk: four times wrong, told of by the workstation and by the domain controller.
    let us = start_us + 31 * MINUTE;
    for n in 0..4 {
        let us = us + n * 7_000_000;
        desk.windows(us, FORGETFUL, Told::LogonFailed { user, from: console, kind: 2, unknown: false });
        desk.windows(us, DC01, Told::Ticket { user, client: from.ip, port: 50_700, accepted: false });
    }
    let us = us + 40_000_000;
    desk.windows(us, DC01, Told::Ticket { user, client: from.ip, port: 50_711, accepted: true });
    desk.windows(us + 50_000, FORGETFUL, Told::Logon { user, from: console, kind: 2 });
    // The same at a Remote Desktop host inside: three failures, three connections, then it works.
    let us = start_us + 48 * MINUTE;
    for n in 0..4u16 {
        let us = us + u64::from(n) * 15_000_000;
        let flow = Flow {
            length_us: 1_400_000,
            id: 950_000 + u32::from(n),
            ..Flow::tcp(from.ip, 50_800 + n, APP02.ip(), 3389)
        };
        desk.session(us, flow);
        desk.zeek(us + 90_000, zeek::Say::Rdp { flow, cookie: user });
        if n < 3 {
            desk.windows(us + 700_000, APP02, Told::LogonFailed { user, from, kind: 3, unknown: false });
        } else {
            desk.windows(us + 700_000, APP02, Told::Logon { user, from, kind: 3 });
            desk.windows(us + 1_100_000, APP02, Told::Logon { user, from, kind: 10 });
        }
    }
    // And with SSH, through the jump host.
    let us = start_us + 71 * MINUTE;
    let (src, port) = (FORGETFUL.ip(), 50_901);
    for n in 0..2 {
        desk.linux(us + n * 6_000_000, JUMP, 18_233, Unix::PamFailed { user, src });
        desk.linux(us + n * 6_000_000 + 1_900_000, JUMP, 18_233, Unix::Failed { user, src, port });
    }
    let us = us + 15_000_000;
    desk.linux(us, JUMP, 18_233, Unix::Accepted { user, src, port, key: false });
    desk.linux(us + 20_000, JUMP, 18_233, Unix::Session { user, program: "sshd", open: true });
    let flow = Flow { length_us: 30_000_000, id: 951_000, ..Flow::tcp(src, port, JUMP.ip(), 22) };
    desk.session(us - 14_000_000, flow);
    desk.zeek(us, zeek::Say::Ssh { flow, accepted: true, attempts: 3 });
    // People at home mistype, too.
    for n in 0..6u16 {
        let us = start_us + (9 + 17 * u64::from(n)) * MINUTE;
        let (user, src) = (User::Person(30 + n), ip(203, 0, 113, 70 + n as u8));
        desk.asa(us, asa::Say::Vpn { user, src, accepted: false });
        desk.asa(us + 11_000_000, asa::Say::Vpn { user, src, accepted: true });
    }
    let admin = asa::Say::Login { user: User::Admin(1), src: ip(10, 10, 1, 21), src_port: 50_222 };
    desk.asa(start_us + 14 * MINUTE, admin);
}

fn authorised_scan(desk: &mut Desk, from_us: u64) {
    let mut us = from_us;
    let mut id = 960_000;
    for (at, port) in scan_ports().enumerate() {
        for host in 0..DMZ_HOSTS as u8 {
            us += u64::from(desk.rng.between(120_000, 360_000));
            id += 1;
            let flow = Flow { id, ..Flow::tcp(SCANNER.ip(), 33_000 + at as u16, Host::Dmz(host).ip(), port) };
            if published(host, port) {
                desk.session(us, Flow { end: End::ClientReset, sent: 0, received: 0, length_us: 60_000, ..flow });
            } else {
                desk.asa(us, asa::Say::Denied(Flow { end: End::Silent, ..flow }));
            }
        }
        // Inside its own network no firewall is in the way: Zeek sees refusals.
        let target = Host::Server((at % usize::from(SERVER_COUNT)) as u8);
        let flow = Flow {
            end: End::Refused,
            sent: 0,
            received: 0,
            length_us: 400,
            id: id + 50_000,
            ..Flow::tcp(SCANNER.ip(), 34_000 + at as u16, target.ip(), port)
        };
        desk.conn(us, flow, "");
    }
}

fn vulnerability_logins(desk: &mut Desk, from_us: u64) {
    let user = User::Named("svc-vuln");
    let from = From { ip: VULN.ip(), port: 0, name: Client::Named("VULN01") };
    let mut us = from_us;
    for (at, host) in WINDOWS_SERVERS.into_iter().chain([BACKUP, RDS]).enumerate() {
        us += u64::from(desk.rng.between(8_000_000, 14_000_000));
        let from = From { port: 40_100 + at as u16, ..from };
        let flow =
            Flow { length_us: 3_000_000, id: 970_000 + at as u32, ..Flow::tcp(from.ip, from.port, host.ip(), 445) };
        desk.conn(us, flow, "gssapi,smb,ntlm");
        // Two hosts have not yet been told of the account.
        if at % 7 == 5 {
            desk.windows(us, host, Told::LogonFailed { user, from, kind: 3, unknown: false });
            continue;
        }
        desk.windows(us, host, Told::Logon { user, from, kind: 3 });
        desk.windows(us + 10_000, host, Told::Privileges { user });
        desk.windows(us + 2_800_000, host, Told::Logoff { user, kind: 3 });
    }
    for (at, host) in LINUX_SERVERS.into_iter().enumerate() {
        us += u64::from(desk.rng.between(8_000_000, 14_000_000));
        let (src, port, pid) = (VULN.ip(), 42_100 + at as u16, 21_000 + at as u32);
        let flow = Flow { length_us: 4_000_000, id: 971_000 + at as u32, ..Flow::tcp(src, port, host.ip(), 22) };
        desk.conn(us, flow, "ssh");
        if at == 11 {
            desk.linux(us, host, pid, Unix::Failed { user, src, port });
            continue;
        }
        desk.linux(us, host, pid, Unix::Accepted { user, src, port, key: true });
        desk.linux(us + 4_000_000, host, pid, Unix::Disconnected { user, src, port });
    }
}

/// Every five minutes one flow to each server; each minute one to the vault outside.
fn back_up(desk: &mut Desk, start_us: u64) {
    for round in 0..24u32 {
        for server in 0..SERVER_COUNT {
            let host = Host::Server(server);
            if matches!(host, BACKUP | SCANNER | VULN) {
                continue;
            }
            let us = start_us
                + u64::from(round) * 5 * MINUTE
                + u64::from(server) * 7_000_000
                + u64::from(desk.rng.below(400_000));
            let flow = Flow {
                sent: 40_000,
                received: desk.rng.between(20_000_000, 60_000_000),
                length_us: desk.rng.between(9_000_000, 20_000_000),
                id: 980_000 + round * 100 + u32::from(server),
                ..Flow::tcp(BACKUP.ip(), 49_200 + u16::from(server), host.ip(), if host.is_linux() { 22 } else { 445 })
            };
            desk.conn(us, flow, if host.is_linux() { "ssh" } else { "gssapi,smb" });
        }
    }
    for minute in 0..120u32 {
        let us = start_us + u64::from(minute) * MINUTE + u64::from(desk.rng.below(2_000_000));
        let flow = Flow {
            sent: desk.rng.between(30_000_000, 50_000_000),
            received: 90_000,
            length_us: desk.rng.between(20_000_000, 40_000_000),
            id: 990_000 + minute,
            ..Flow::tcp(BACKUP.ip(), desk.rng.between(49_152, 65_535) as u16, VAULT, 443)
        };
        desk.session(us, flow);
        desk.conn(us, flow, "ssl");
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::Put;
    use super::*;

    #[test]
    fn the_forgetful_user_is_who_the_list_of_quiet_ones_names() {
        let mut text = Vec::new();
        FORGETFUL_USER.put(&mut text);
        assert_eq!(text, b"e.novak");
        text.clear();
        FullName(FORGETFUL).put(&mut text);
        assert_eq!(text, FORGETFUL_DESK.as_bytes());
        text.clear();
        super::super::text::Ip(FORGETFUL.ip()).put(&mut text);
        assert_eq!(text, FORGETFUL_ADDRESS.as_bytes());
    }
}
