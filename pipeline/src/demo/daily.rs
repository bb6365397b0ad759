//! The ordinary working day: what people, servers and the internet do all the time.
//!
//! One call makes one thing happen, which is told of by one to eight records of several devices. How often each thing
//! happens decides the shares of the streams: about 49 % ASA, 15 % Suricata, 13 % Windows, 11 % FortiGate, 8 % Zeek, 4 % Linux.

use super::estate::*;
use super::generate::Queue;
use super::logs::windows::{Client, From, Told};
use super::logs::{End, Event, Flow, What, asa, fortigate, linux, suricata, windows, zeek};
use super::text::Rng;

const SVCHOST: &str = r"\\device\\harddiskvolume3\\windows\\system32\\svchost.exe";
const CHROME: &str = r"C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe";
const OUTLOOK: &str = r"C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE";
const EXPLORER: &str = r"C:\\Windows\\explorer.exe";
const POPULAR_PORTS: [u16; 16] =
    [23, 22, 445, 80, 8080, 8443, 1433, 6379, 5900, 3306, 11211, 9200, 5432, 5555, 8888, 2323];

/// Plans events with the delays that their devices have.
pub(super) struct Desk<'q> {
    pub(super) rng: &'q mut Rng,
    pub(super) queue: &'q mut dyn FnMut(Event),
}

impl Desk<'_> {
    /// A firewall's record: it leaves at once.
    pub(super) fn asa(&mut self, us: u64, say: asa::Say) {
        self.plan(us, 150_000, What::Asa(say));
    }

    pub(super) fn fortigate(&mut self, us: u64, say: fortigate::Say) {
        self.plan(us, 400_000, What::FortiGate(say));
    }

    pub(super) fn suricata(&mut self, us: u64, say: suricata::Say) {
        self.plan(us, 700_000, What::Suricata(say));
    }

    /// Zeek writes a connection when it is over, with the time of its first packet.
    pub(super) fn conn(&mut self, us: u64, flow: Flow, service: &'static str) {
        self.plan_after(us, u64::from(flow.length_us), 900_000, What::Zeek(zeek::Say::Conn { flow, service }));
    }

    pub(super) fn zeek(&mut self, us: u64, say: zeek::Say) {
        self.plan(us, 1_500_000, What::Zeek(say));
    }

    /// winlogbeat sends in bundles, up to three seconds late.
    pub(super) fn windows(&mut self, us: u64, host: Host, told: Told) {
        self.plan(us, 3_000_000, What::Windows(windows::Say { host, told }));
    }

    pub(super) fn linux(&mut self, us: u64, host: Host, pid: u32, told: linux::Told) {
        self.plan(us, 250_000, What::Linux(linux::Say { host, pid, told }));
    }

    /// Built and Teardown of a connection through a firewall.
    pub(super) fn session(&mut self, us: u64, flow: Flow) {
        self.asa(us, asa::Say::Built(flow));
        self.asa(us + u64::from(flow.length_us) + 1000, asa::Say::Teardown(flow));
    }

    fn plan(&mut self, us: u64, delay_us: u32, what: What) {
        self.plan_after(us, 0, delay_us, what);
    }

    fn plan_after(&mut self, us: u64, at_least_us: u64, delay_us: u32, what: What) {
        let arrival_us = us + at_least_us + 2000 + u64::from(self.rng.below(delay_us));
        let salt = self.rng.bits();
        (self.queue)(Event { arrival_us, time_us: us, salt, what });
    }
}

/// The working day.
pub(super) struct Daily {
    rng: Rng,
    connections: u32,
}

impl Daily {
    pub(super) fn new(seed: u64) -> Daily {
        Daily { rng: Rng::new(seed), connections: 1_000_000 }
    }

    /// Makes one thing happen at about this time, never before it.
    pub(super) fn happen(&mut self, us: u64, queue: &mut Queue) {
        self.connections += 1 + self.rng.below(3);
        let us = us + u64::from(self.rng.below(200_000));
        let id = self.connections;
        let mut desk = Desk { rng: &mut self.rng, queue: &mut |event| queue.push(event) };
        match desk.rng.below(1000) {
            0..265 => browse(&mut desk, us, id),
            265..375 => inside(&mut desk, us, id),
            375..445 => visit(&mut desk, us, id),
            445..505 => radiation(&mut desk, us, id),
            505..740 => branch(&mut desk, us, id),
            740..832 => resolve(&mut desk, us, id),
            832..893 => logon(&mut desk, us),
            893..921 => host_records(&mut desk, us, id),
            921..937 => administer(&mut desk, us, id),
            937..950 => behind_gateway(&mut desk, us),
            950..975 => shell(&mut desk, us, id),
            _ => machine_room(&mut desk, us, id),
        }
    }
}

fn site_address(site: u16) -> u32 {
    // Even sites live in one range, odd ones in the other; the control server's address is nobody's site.
    let n = (u32::from(site) * 37 % 126) as u8;
    if site & 1 == 0 { ip(198, 51, 100, 100 + n) } else { ip(203, 0, 113, 128 + n % 64) }
}

fn client_port(rng: &mut Rng) -> u16 {
    rng.between(49_152, 65_535) as u16
}

fn size(rng: &mut Rng, most: u32) -> u32 {
    200 + rng.skewed(most)
}

fn workstation(rng: &mut Rng) -> Host {
    Host::Workstation(rng.below(u32::from(WORKSTATIONS)) as u16)
}

/// The person who sits at a workstation.
fn owner(host: Host) -> User {
    match host {
        Host::Workstation(n) => User::Person(n * 7 % USERS),
        Host::Branch(n) => User::Person((n * 11 + 3) % USERS),
        Host::Server(_) | Host::Dmz(_) => User::Named("SYSTEM"),
    }
}

fn browse(desk: &mut Desk, us: u64, id: u32) {
    let rng = &mut *desk.rng;
    let host = workstation(rng);
    let site = rng.skewed(480) as u16;
    let udp = rng.permille(120);
    let length_us = rng.skewed(40_000_000) + 20_000;
    let end = match rng.below(100) {
        0..3 => End::Silent,
        3..9 => End::ClientReset,
        _ => End::Closed,
    };
    let mut flow = Flow {
        udp,
        end: if udp { End::Closed } else { end },
        sent: size(rng, 8_000),
        received: size(rng, 300_000),
        length_us,
        id,
        ..Flow::tcp(host.ip(), client_port(rng), site_address(site), 443)
    };
    if end == End::Silent && !udp {
        (flow.sent, flow.received, flow.length_us) = (0, 0, 30_000_000);
    }
    desk.session(us, flow);
    let answered = end != End::Silent || udp;
    if desk.rng.permille(200) {
        desk.conn(us, flow, if answered && !udp { "ssl" } else { "" });
    }
    if answered && !udp && desk.rng.permille(180) {
        let ja3 = desk.rng.below(30) as u16;
        desk.suricata(us + 60_000, suricata::Say::Tls { flow, site: Some(site), ja3 });
    }
    if desk.rng.permille(140) {
        let app = if udp {
            "quic"
        } else if answered {
            "tls"
        } else {
            ""
        };
        desk.suricata(us + u64::from(flow.length_us) + 5_000_000, suricata::Say::Flow { flow, app });
    }
    if desk.rng.permille(60) {
        let pid = desk.rng.between(4000, 20_000);
        let (user, address) = (owner(host), flow.dst);
        desk.windows(us, host, Told::SysmonDns { user, path: CHROME, site, address, pid });
        desk.windows(us + 30_000, host, Told::SysmonNetwork { flow, user, path: CHROME, pid });
    }
}

/// A workstation uses a server: files, mail, an application, a ticket.
fn inside(desk: &mut Desk, us: u64, id: u32) {
    let rng = &mut *desk.rng;
    let host = workstation(rng);
    let (server, port, service) = match rng.below(100) {
        0..35 => (rng.pick(&[FILE01, Host::Server(3)]), 445, "gssapi,smb,ntlm"),
        35..60 => (rng.pick(&[DC01, DC02]), 88, "krb_tcp"),
        60..75 => (rng.pick(&[Host::Server(16), Host::Server(17)]), 443, "ssl"),
        75..90 => (Host::Server(6 + rng.below(6) as u8), 443, "ssl"),
        90..96 => (Host::Server(12), 9100, ""),
        _ => (Host::Server(24), 443, "ssl"),
    };
    let flow = Flow {
        sent: size(rng, 60_000),
        received: size(rng, 400_000),
        length_us: rng.skewed(30_000_000) + 5_000,
        id,
        ..Flow::tcp(host.ip(), client_port(rng), server.ip(), port)
    };
    desk.session(us, flow);
    if desk.rng.permille(300) {
        desk.conn(us, flow, service);
    }
    if desk.rng.permille(60) && WINDOWS_SERVERS.contains(&server) {
        desk.windows(us, server, Told::Permitted { flow, program: "System", pid: 4 });
    }
}

/// Someone outside looks at a published web server.
fn visit(desk: &mut Desk, us: u64, id: u32) {
    let rng = &mut *desk.rng;
    let web = Host::Dmz(rng.pick(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 17, 18, 19]));
    let visitor = ip(203, 0, 113, 64 + rng.below(63) as u8);
    let flow = Flow {
        sent: size(rng, 4_000),
        received: size(rng, 200_000),
        length_us: rng.skewed(20_000_000) + 30_000,
        id,
        end: if rng.permille(50) { End::ClientReset } else { End::Closed },
        ..Flow::tcp(visitor, rng.between(1024, 65_000) as u16, web.ip(), 443)
    };
    desk.session(us, flow);
    if desk.rng.permille(350) {
        desk.suricata(us + u64::from(flow.length_us) + 5_000_000, suricata::Say::Flow { flow, app: "tls" });
    }
    if desk.rng.permille(120) {
        let (site, ja3) = (480 + u16::from(web.ip() as u8), desk.rng.below(60) as u16);
        desk.suricata(us + 50_000, suricata::Say::Tls { flow, site: Some(site), ja3 });
    }
}

/// Someone who is not the attacker knocks at a port that is not there.
fn radiation(desk: &mut Desk, us: u64, id: u32) {
    let rng = &mut *desk.rng;
    let mut source = ip(192, 0, 2, 1 + rng.below(253) as u8);
    if source == ATTACKER {
        source = ip(192, 0, 2, 254);
    }
    let target = Host::Dmz(rng.below(u32::from(DMZ_HOSTS)) as u8).ip();
    let port = if rng.permille(780) { rng.pick(&POPULAR_PORTS) } else { rng.between(1024, 65_000) as u16 };
    let flow = Flow {
        end: End::Silent,
        sent: 0,
        received: 0,
        id,
        ..Flow::tcp(source, rng.between(1024, 65_000) as u16, target, port)
    };
    match rng.below(100) {
        0..78 => desk.asa(us, asa::Say::Denied(flow)),
        78..88 => {
            let hits = 1 + rng.below(3) as u16;
            desk.asa(us, asa::Say::DeniedCounted(flow, hits));
        }
        88..94 => {
            let stray = Flow { src_port: 443, dst: ip(203, 0, 113, 3), dst_port: client_port(rng), ..flow };
            let stray = Flow { src: site_address(rng.skewed(480) as u16), ..stray };
            desk.asa(us, asa::Say::Stray(stray));
        }
        94..97 => desk.asa(us, asa::Say::DeniedHere(Flow { dst: ip(203, 0, 113, 2), dst_port: 22, ..flow })),
        _ => desk.suricata(us, suricata::Say::Alert { flow, signature: 0, app: "" }),
    }
}

/// A client of a branch, seen by its FortiGate only.
fn branch(desk: &mut Desk, us: u64, id: u32) {
    let rng = &mut *desk.rng;
    let client = Host::Branch(rng.below(u32::from(BRANCH_CLIENTS)) as u16);
    let site = rng.skewed(480) as u16;
    let (dst, dst_port, udp) = match rng.below(100) {
        0..58 => (site_address(site), 443, false),
        58..66 => (site_address(site), 443, true),
        66..76 => (Host::Server(27).ip(), 53, true),
        76..86 => (FILE01.ip(), 445, false),
        86..92 => (Host::Server(16).ip(), 443, false),
        92..96 => (site_address(7), 123, true),
        _ => (site_address(site), 993, false),
    };
    let mut flow = Flow {
        udp,
        sent: size(rng, 9_000),
        received: size(rng, 200_000),
        length_us: if udp { 180_000_000 } else { rng.skewed(90_000_000) },
        id: id & 0xff_ffff,
        end: match rng.below(100) {
            0..5 => End::ClientReset,
            5..7 => End::Silent,
            _ => End::Closed,
        },
        ..Flow::tcp(client.ip(), client_port(rng), dst, dst_port)
    };
    if flow.end == End::Silent {
        (flow.sent, flow.received, flow.length_us) = (180, 0, 20_000_000);
    }
    let user = rng.permille(300).then_some(owner(client));
    if rng.permille(2) {
        let accepted = !rng.permille(80);
        let src = workstation(rng).ip();
        let admin = User::Admin(rng.below(4) as u8);
        let src_port = client_port(rng);
        desk.fortigate(us, fortigate::Say::Admin { user: admin, src, src_port, accepted });
    } else if rng.permille(30) {
        let refused = Flow { dst_port: rng.pick(&[25, 465, 6881, 5060]), dst: site_address(site), udp: false, ..flow };
        desk.fortigate(us, fortigate::Say::Traffic { flow: refused, client, user: None, denied: true });
    } else if dst_port == 443 && !udp && rng.permille(180) {
        let blocked = rng.permille(20);
        desk.fortigate(us, fortigate::Say::Web { flow, site, blocked });
    } else {
        desk.fortigate(us, fortigate::Say::Traffic { flow, client, user, denied: false });
    }
}

/// A question to a resolver and its answer.
fn resolve(desk: &mut Desk, us: u64, id: u32) {
    let rng = &mut *desk.rng;
    let resolver = Host::Server(27 + rng.below(2) as u8);
    let site = rng.skewed(480) as u16;
    let flow = Flow {
        udp: true,
        sent: 40,
        received: 120,
        length_us: 20_000,
        id,
        ..Flow::tcp(workstation(rng).ip(), client_port(rng), resolver.ip(), 53)
    };
    let address = (!rng.permille(60)).then_some(site_address(site));
    desk.suricata(us, suricata::Say::Query { flow, site });
    desk.suricata(us + 18_000, suricata::Say::Answer { flow, site, address });
    if desk.rng.permille(200) {
        desk.conn(us, flow, "dns");
    }
}

/// Someone logs on to a server over the network, as Windows tells of it.
fn logon(desk: &mut Desk, us: u64) {
    let rng = &mut *desk.rng;
    let host = workstation(rng);
    let user = owner(host);
    let server = rng.pick(&[FILE01, Host::Server(3), DC01, DC02, APP01, Host::Server(12), Host::Server(16)]);
    let from = From { ip: host.ip(), port: client_port(rng), name: Client::Host(host) };
    match rng.below(100) {
        0..30 => {
            let dc = rng.pick(&[DC01, DC02]);
            desk.windows(us, dc, Told::Ticket { user, client: from.ip, port: from.port, accepted: true });
            desk.windows(
                us + 8_000,
                dc,
                Told::ServiceTicket { user, client: from.ip, port: from.port + 1, service: server },
            );
            desk.windows(us + 20_000, server, Told::Logon { user, from, kind: 3 });
        }
        30..55 => {
            desk.windows(us, server, Told::Logon { user, from, kind: 3 });
            let later = us + 1_000_000 + u64::from(desk.rng.skewed(90_000_000));
            desk.windows(later, server, Told::Logoff { user, kind: 3 });
        }
        55..70 => {
            desk.windows(us, FILE01, Told::Logon { user, from, kind: 3 });
            let share = desk.rng.pick(&["projects", "home", "finance", "IPC$"]);
            desk.windows(us + 15_000, FILE01, Told::Share { user, from, share });
        }
        70..85 => {
            let none = From { ip: 0, port: 0, name: Client::Host(server) };
            desk.windows(us, server, Told::Logon { user: User::Named("SYSTEM"), from: none, kind: 5 });
        }
        85..92 => {
            let dc = rng.pick(&[DC01, DC02]);
            let client = Client::Host(host);
            desk.windows(us, dc, Told::Ntlm { user, client, accepted: true });
        }
        92..99 => {
            let dc = rng.pick(&[DC01, DC02]);
            let user = User::Machine(host);
            desk.windows(us, dc, Told::Ticket { user, client: from.ip, port: from.port, accepted: true });
        }
        // One wrong password, then the right one: it happens to everybody.
        _ => {
            desk.windows(
                us,
                host,
                Told::LogonFailed { user, from: From { ip: 0, port: 0, ..from }, kind: 7, unknown: false },
            );
            let console = From { ip: 0, port: 0, ..from };
            desk.windows(us + 6_000_000, host, Told::Logon { user, from: console, kind: 7 });
        }
    }
}

/// Processes and local firewalls.
fn host_records(desk: &mut Desk, us: u64, id: u32) {
    let rng = &mut *desk.rng;
    let host = workstation(rng);
    let user = owner(host);
    let pid = rng.between(3000, 22_000);
    match rng.below(100) {
        0..40 => {
            let told =
                Told::SysmonProcess { user, path: OUTLOOK, parent: EXPLORER, command: "OUTLOOK.EXE /recycle", pid };
            desk.windows(us, host, told);
        }
        40..60 => {
            let server = rng.pick(&WINDOWS_SERVERS);
            let told = Told::Process {
                user: User::Machine(server),
                path: r"C:\\Windows\\System32\\svchost.exe",
                parent: r"C:\\Windows\\System32\\services.exe",
                command: r"C:\\Windows\\System32\\svchost.exe -k netsvcs -p",
            };
            desk.windows(us, server, told);
        }
        _ => {
            let server = rng.pick(&WINDOWS_SERVERS);
            let resolver = Host::Server(27 + rng.below(2) as u8);
            let flow = Flow { udp: true, id, ..Flow::tcp(server.ip(), client_port(rng), resolver.ip(), 53) };
            desk.windows(us, server, Told::Permitted { flow, program: SVCHOST, pid: 1480 });
        }
    }
}

/// An administrator works on a server: Remote Desktop from a workstation, or SSH through the jump host.
fn administer(desk: &mut Desk, us: u64, id: u32) {
    let rng = &mut *desk.rng;
    let admin = User::Admin(rng.below(8) as u8);
    let host = Host::Workstation(rng.below(8) as u16);
    let server = rng.pick(&[APP01, APP02, Host::Server(8), Host::Server(9), SQL01]);
    let flow = Flow {
        sent: size(rng, 90_000),
        received: size(rng, 900_000),
        length_us: rng.between(5_000_000, 55_000_000),
        id,
        ..Flow::tcp(host.ip(), client_port(rng), server.ip(), 3389)
    };
    let from = From { ip: flow.src, port: 0, name: Client::Host(host) };
    desk.session(us, flow);
    desk.zeek(us + 100_000, zeek::Say::Rdp { flow, cookie: admin });
    desk.windows(
        us + 2_000_000,
        server,
        Told::Logon { user: admin, from: From { port: flow.src_port, ..from }, kind: 3 },
    );
    desk.windows(us + 2_400_000, server, Told::Logon { user: admin, from, kind: 10 });
    desk.windows(us + 2_410_000, server, Told::Privileges { user: admin });
    desk.windows(us + u64::from(flow.length_us), server, Told::Logoff { user: admin, kind: 10 });
}

/// One of the many users behind the office's gateway.
fn behind_gateway(desk: &mut Desk, us: u64) {
    let rng = &mut *desk.rng;
    let user = User::Person(200 + rng.below(60) as u16);
    let server = rng.pick(&[FILE01, Host::Server(3), APP01, Host::Server(16)]);
    let from = From { ip: NAT_GATEWAY, port: client_port(rng), name: Client::Named("OFFICE-PC") };
    if rng.permille(40) {
        desk.windows(us, server, Told::LogonFailed { user, from, kind: 3, unknown: false });
    }
    desk.windows(us + 9_000_000, server, Told::Logon { user, from, kind: 3 });
    if desk.rng.permille(300) {
        let dc = desk.rng.pick(&[DC01, DC02]);
        desk.windows(us + 9_000_000, dc, Told::Ticket { user, client: NAT_GATEWAY, port: from.port, accepted: true });
    }
}

/// A login to a Linux server through the jump host, and what is done there.
fn shell(desk: &mut Desk, us: u64, id: u32) {
    let rng = &mut *desk.rng;
    let server = rng.pick(&LINUX_SERVERS);
    let user = User::Person(rng.below(24) as u16);
    let pid = rng.between(900, 60_000);
    if rng.permille(450) {
        desk.linux(us, server, pid, linux::Told::Session { user: User::Named("root"), program: "CRON", open: true });
        desk.linux(
            us + 500_000,
            server,
            pid,
            linux::Told::Session { user: User::Named("root"), program: "CRON", open: false },
        );
        return;
    }
    let (src, port) = if server == JUMP {
        (workstation(rng).ip(), client_port(rng))
    } else {
        (JUMP.ip(), rng.between(32_768, 60_999) as u16)
    };
    let flow = Flow { length_us: rng.between(2_000_000, 55_000_000), id, ..Flow::tcp(src, port, server.ip(), 22) };
    let key = rng.permille(800);
    let command = rng.below(6) as u8;
    if rng.permille(30) {
        desk.linux(us, server, pid, linux::Told::Failed { user, src, port });
    }
    let us = us + 3_000_000;
    desk.linux(us, server, pid, linux::Told::Accepted { user, src, port, key });
    desk.linux(us + 10_000, server, pid, linux::Told::Session { user, program: "sshd", open: true });
    desk.linux(us + 20_000, server, 712, linux::Told::Logind { user });
    if desk.rng.permille(500) {
        desk.linux(us + 1_500_000, server, pid, linux::Told::Sudo { user, command });
    }
    desk.linux(us + u64::from(flow.length_us), server, pid, linux::Told::Disconnected { user, src, port });
    desk.zeek(us, zeek::Say::Ssh { flow, accepted: true, attempts: 1 });
    desk.conn(us, flow, "ssh");
    desk.suricata(us + 40_000, suricata::Say::Ssh { flow });
}

/// Servers among themselves: applications and their data bases, monitoring, mail, time.
fn machine_room(desk: &mut Desk, us: u64, id: u32) {
    let rng = &mut *desk.rng;
    let app = Host::Server(6 + rng.below(6) as u8);
    let unix = Host::Server(20 + rng.below(4) as u8);
    let (from, to, port, service) = match rng.below(100) {
        0..40 => (app, SQL01, 1433, "tds"),
        40..65 => (unix, Host::Server(18), 5432, "postgresql,ssl"),
        65..90 => (Host::Server(25), rng.pick(&WINDOWS_SERVERS), 10_050, "ssl"),
        _ => (Host::Dmz(22), Host::Server(16), 25, "smtp,ssl"),
    };
    let flow = Flow {
        sent: size(rng, 5_000),
        received: size(rng, 50_000),
        length_us: rng.skewed(8_000_000) + 2_000,
        id,
        ..Flow::tcp(from.ip(), client_port(rng), to.ip(), port)
    };
    if Side::of(flow.src) != Side::of(flow.dst) {
        desk.session(us, flow);
    }
    desk.conn(us, flow, service);
}
