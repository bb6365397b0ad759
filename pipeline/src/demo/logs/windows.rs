//! Windows: Security and Sysmon events as winlogbeat 8 ships them, ECS fields beside `winlog.event_data`.
//!
//! A host stands with its name only, as in life: which address it has is the inventory's knowledge. An inbound 5156
//! has the local end as its source, as Windows writes it.

use super::Flow;
use crate::demo::estate::{FullName, Host, Name, User};
use crate::demo::text::{Hex, Ip, Put, Stamp, mix, put};

/// Something that a Windows host says.
#[derive(Clone, Copy, Debug)]
pub(in crate::demo) struct Say {
    pub(in crate::demo) host: Host,
    pub(in crate::demo) told: Told,
}

/// Where a logon came from.
#[derive(Clone, Copy, Debug)]
pub(in crate::demo) struct From {
    /// The address; 0 is the console.
    pub(in crate::demo) ip: u32,
    /// The port; 0 is not known.
    pub(in crate::demo) port: u16,
    /// The name that the client gives itself.
    pub(in crate::demo) name: Client,
}

/// The name that a client gives itself.
#[derive(Clone, Copy, Debug)]
pub(in crate::demo) enum Client {
    Host(Host),
    Named(&'static str),
}

impl Put for Client {
    fn put(self, out: &mut Vec<u8>) {
        match self {
            Client::Host(host) => put!(out; Name(host)),
            Client::Named(name) => put!(out; name),
        }
    }
}

/// What it says.
#[derive(Clone, Copy, Debug)]
pub(in crate::demo) enum Told {
    /// 4624.
    Logon { user: User, from: From, kind: u8 },
    /// 4625; an unknown account or a wrong password.
    LogonFailed { user: User, from: From, kind: u8, unknown: bool },
    /// 4634.
    Logoff { user: User, kind: u8 },
    /// 4672.
    Privileges { user: User },
    /// 4768, a domain controller's ticket for a user; 4771 where the password was wrong.
    Ticket { user: User, client: u32, port: u16, accepted: bool },
    /// 4769.
    ServiceTicket { user: User, client: u32, port: u16, service: Host },
    /// 4776.
    Ntlm { user: User, client: Client, accepted: bool },
    /// 4688.
    Process { user: User, path: &'static str, parent: &'static str, command: &'static str },
    /// 4697.
    ServiceInstalled { user: User, name: &'static str, path: &'static str },
    /// 5140.
    Share { user: User, from: From, share: &'static str },
    /// 5154, a program began to listen.
    Listen { port: u16, program: &'static str, pid: u32 },
    /// 5158, a program bound a local port.
    Bind { port: u16, program: &'static str, pid: u32 },
    /// 5156; inbound if the flow ends here.
    Permitted { flow: Flow, program: &'static str, pid: u32 },
    /// Sysmon 1.
    SysmonProcess { user: User, path: &'static str, parent: &'static str, command: &'static str, pid: u32 },
    /// Sysmon 3.
    SysmonNetwork { flow: Flow, user: User, path: &'static str, pid: u32 },
    /// Sysmon 22.
    SysmonDns { user: User, path: &'static str, site: u16, address: u32, pid: u32 },
}

const SID: &str = "S-1-5-21-3457937927-2839227994-823803824-";

/// One record: its head with the ECS fields of every event, then what is special, then its end.
struct Record<'a> {
    out: &'a mut Vec<u8>,
    host: Host,
    us: u64,
    salt: u64,
}

/// The fields that every record has.
struct Head {
    code: u16,
    action: &'static str,
    category: &'static str,
    kind: &'static str,
    accepted: bool,
}

impl Record<'_> {
    fn begin(&mut self, head: &Head) {
        let (us, sysmon) = (self.us, head.code < 256);
        put!(self.out; "{\"@timestamp\":\"", Stamp::Millis(us), "Z\",\"agent\":{\"type\":\"winlogbeat\",\"version\":\"8.17.1\"}");
        put!(self.out; ",\"event\":{\"action\":\"", head.action, "\",\"category\":[\"", head.category, "\"],\"code\":\"");
        put!(self.out; head.code, "\",\"created\":\"", Stamp::Millis(us + 400_000 + self.salt % 900_000), "Z\",\"kind\":\"event\"");
        if !sysmon {
            put!(self.out; ",\"outcome\":\"", if head.accepted { "success" } else { "failure" }, '"');
        }
        put!(self.out; ",\"provider\":\"", if sysmon { SYSMON } else { SECURITY }, "\",\"type\":[\"", head.kind, "\"]}");
        put!(self.out; ",\"host\":{\"name\":\"", FullName(self.host), "\"}");
    }

    fn source(&mut self, from: &From) {
        if from.ip != 0 {
            put!(self.out; ",\"source\":{\"domain\":\"", from.name, "\",\"ip\":\"", Ip(from.ip), '"');
            if from.port != 0 {
                put!(self.out; ",\"port\":", from.port);
            }
            put!(self.out; '}');
        }
    }

    fn user(&mut self, user: User) {
        put!(self.out; ",\"user\":{\"domain\":\"CORP\",\"id\":\"", SID, user.rid(), "\",\"name\":\"", user, "\"}");
    }

    fn data(&mut self, code: u16) {
        let channel = if code < 256 { "Microsoft-Windows-Sysmon/Operational" } else { "Security" };
        put!(self.out; ",\"winlog\":{\"channel\":\"", channel, "\",\"computer_name\":\"", FullName(self.host));
        put!(self.out; "\",\"event_data\":{");
    }

    fn end(&mut self, head: &Head, task: &str) {
        put!(self.out; "},\"event_id\":\"", head.code, '"');
        let (provider, version) = match head.code {
            0..256 => (SYSMON, 5u8),
            4624 => (SECURITY, 2),
            5156 => (SECURITY, 1),
            _ => (SECURITY, 0),
        };
        if head.code >= 256 {
            put!(self.out; ",\"keywords\":[\"Audit ", if head.accepted { "Success" } else { "Failure" }, "\"]");
        }
        // Record numbers grow with time on each host.
        let record = (self.us / 1000 % 1_000_000_000) + u64::from(self.host.number()) * 1000;
        put!(self.out; ",\"opcode\":\"Info\",\"provider_name\":\"", provider, "\",\"record_id\":", record);
        put!(self.out; ",\"task\":\"", task, "\",\"version\":", version, "}}");
    }
}

const SECURITY: &str = "Microsoft-Windows-Security-Auditing";
const SYSMON: &str = "Microsoft-Windows-Sysmon";

fn address(ip: u32, out: &mut Vec<u8>) {
    if ip == 0 {
        out.push(b'-');
    } else {
        Ip(ip).put(out);
    }
}

fn guid(seed: u64, out: &mut Vec<u8>) {
    let (a, b) = (mix(seed) | 0x1000_1000_1000_1000, mix(seed + 1) | 0x1000_1000_1000_1000);
    put!(out; '{', Hex(a >> 32), '-', Hex(a >> 16 & 0xffff), '-', Hex(a & 0xffff), '-', Hex(b >> 48), '-');
    put!(out; Hex(b & 0xffff_ffff_ffff | 0x1000_0000_0000), '}');
}

fn file_name(path: &str) -> &str {
    path.rsplit('\\').next().unwrap_or(path)
}

impl Say {
    pub(in crate::demo) fn write(&self, us: u64, salt: u64, out: &mut Vec<u8>) {
        let mut to = Record { out, host: self.host, us, salt };
        match self.told {
            Told::Logon { user, from, kind } => logon(&mut to, user, from, kind),
            Told::LogonFailed { user, from, kind, unknown } => logon_failed(&mut to, user, from, kind, unknown),
            Told::Logoff { user, kind } => {
                let head =
                    Head { code: 4634, action: "logged-out", category: "authentication", kind: "end", accepted: true };
                to.begin(&head);
                to.user(user);
                to.data(4634);
                put!(to.out; "\"LogonType\":\"", kind, "\",\"TargetDomainName\":\"CORP\",\"TargetLogonId\":\"0x");
                put!(to.out; Hex(salt & 0x7fff_ffff), "\",\"TargetUserName\":\"", user, "\",\"TargetUserSid\":\"", SID);
                put!(to.out; user.rid(), '"');
                to.end(&head, "Logoff");
            }
            Told::Privileges { user } => {
                let head =
                    Head { code: 4672, action: "logged-in-special", category: "iam", kind: "admin", accepted: true };
                to.begin(&head);
                to.user(user);
                to.data(4672);
                put!(to.out; "\"PrivilegeList\":\"SeSecurityPrivilege\\n\\t\\t\\tSeBackupPrivilege\\n\\t\\t\\tSeDebugPrivilege\"");
                subject(&mut to, user);
                to.end(&head, "Special Logon");
            }
            Told::Ticket { user, client, port, accepted } => ticket(&mut to, user, client, port, accepted),
            Told::ServiceTicket { user, client, port, service } => {
                let head = Head {
                    code: 4769,
                    action: "kerberos-service-ticket-requested",
                    category: "authentication",
                    kind: "start",
                    accepted: true,
                };
                to.begin(&head);
                put!(to.out; ",\"source\":{\"ip\":\"", Ip(client), "\",\"port\":", port, '}');
                put!(to.out; ",\"user\":{\"domain\":\"CORP.EXAMPLE\",\"name\":\"", user, "\"}");
                to.data(4769);
                put!(to.out; "\"IpAddress\":\"::ffff:", Ip(client), "\",\"IpPort\":\"", port, "\",\"ServiceName\":\"");
                put!(to.out; Name(service), "$\",\"ServiceSid\":\"", SID, 4000 + service.number(), "\",\"Status\":\"0x0\"");
                put!(to.out; ",\"TargetDomainName\":\"CORP.EXAMPLE\",\"TargetUserName\":\"", user, "@CORP.EXAMPLE\"");
                put!(to.out; ",\"TicketEncryptionType\":\"0x12\",\"TicketOptions\":\"0x40810000\",\"TransmittedServices\":\"-\"");
                to.end(&head, "Kerberos Service Ticket Operations");
            }
            Told::Ntlm { user, client, accepted } => {
                let head = Head {
                    code: 4776,
                    action: "credential-validated",
                    category: "authentication",
                    kind: "start",
                    accepted,
                };
                to.begin(&head);
                put!(to.out; ",\"user\":{\"name\":\"", user, "\"}");
                to.data(4776);
                put!(to.out; "\"PackageName\":\"MICROSOFT_AUTHENTICATION_PACKAGE_V1_0\",\"Status\":\"");
                put!(to.out; if accepted { "0x0" } else { "0xc000006a" }, "\",\"TargetUserName\":\"", user);
                put!(to.out; "\",\"Workstation\":\"", client, '"');
                to.end(&head, "Credential Validation");
            }
            Told::Process { user, path, parent, command } => {
                let head =
                    Head { code: 4688, action: "created-process", category: "process", kind: "start", accepted: true };
                to.begin(&head);
                put!(to.out; ",\"process\":{\"command_line\":\"", command, "\",\"executable\":\"", path, "\",\"name\":\"");
                put!(to.out; file_name(path), "\",\"parent\":{\"executable\":\"", parent, "\"}}");
                to.user(user);
                to.data(4688);
                put!(to.out; "\"CommandLine\":\"", command, "\",\"NewProcessId\":\"0x", Hex(salt & 0xffff | 0x400));
                put!(to.out; "\",\"NewProcessName\":\"", path, "\",\"ParentProcessName\":\"", parent, "\",\"ProcessId\":\"0x");
                put!(to.out; Hex(salt >> 16 & 0xffff | 0x400), '"');
                subject(&mut to, user);
                put!(to.out; ",\"TokenElevationType\":\"%%1936\"");
                to.end(&head, "Process Creation");
            }
            Told::ServiceInstalled { user, name, path } => {
                let head = Head {
                    code: 4697,
                    action: "service-installed",
                    category: "configuration",
                    kind: "change",
                    accepted: true,
                };
                to.begin(&head);
                to.user(user);
                to.data(4697);
                put!(to.out; "\"ServiceAccount\":\"LocalSystem\",\"ServiceFileName\":\"", path, "\",\"ServiceName\":\"", name);
                put!(to.out; "\",\"ServiceStartType\":\"2\",\"ServiceType\":\"0x10\"");
                subject(&mut to, user);
                to.end(&head, "Security System Extension");
            }
            Told::Share { user, from, share } => {
                let head = Head {
                    code: 5140,
                    action: "network-share-object-accessed",
                    category: "network",
                    kind: "access",
                    accepted: true,
                };
                to.begin(&head);
                to.source(&from);
                to.user(user);
                to.data(5140);
                put!(to.out; "\"AccessList\":\"%%4416\\n\\t\\t\\t\\t\",\"AccessMask\":\"0x1\",\"IpAddress\":\"", Ip(from.ip));
                put!(to.out; "\",\"IpPort\":\"", from.port, "\",\"ObjectType\":\"File\",\"ShareName\":\"\\\\\\\\*\\\\", share, '"');
                subject(&mut to, user);
                to.end(&head, "File Share");
            }
            Told::Listen { port, program, pid } => {
                let head = platform(5154, "windows-firewall-listen-permitted");
                to.begin(&head);
                to.data(5154);
                put!(to.out; "\"Application\":\"", program, "\",\"FilterRTID\":\"0\",\"LayerName\":\"%%14609\",\"LayerRTID\":\"40\"");
                put!(to.out; ",\"ProcessId\":\"", pid, "\",\"Protocol\":\"6\",\"SourceAddress\":\"0.0.0.0\",\"SourcePort\":\"");
                put!(to.out; port, '"');
                to.end(&head, "Filtering Platform Connection");
            }
            Told::Bind { port, program, pid } => {
                let head = platform(5158, "windows-firewall-local-bind-permitted");
                to.begin(&head);
                to.data(5158);
                put!(to.out; "\"Application\":\"", program, "\",\"FilterRTID\":\"0\",\"LayerName\":\"%%14608\",\"LayerRTID\":\"36\"");
                put!(to.out; ",\"ProcessId\":\"", pid, "\",\"Protocol\":\"6\",\"SourceAddress\":\"0.0.0.0\",\"SourcePort\":\"");
                put!(to.out; port, '"');
                to.end(&head, "Filtering Platform Connection");
            }
            Told::Permitted { flow, program, pid } => permitted(&mut to, &flow, program, pid),
            Told::SysmonProcess { user, path, parent, command, pid } => {
                let head = Head {
                    code: 1,
                    action: "Process Create (rule: ProcessCreate)",
                    category: "process",
                    kind: "start",
                    accepted: true,
                };
                to.begin(&head);
                put!(to.out; ",\"process\":{\"command_line\":\"", command, "\",\"executable\":\"", path, "\",\"name\":\"");
                put!(to.out; file_name(path), "\",\"parent\":{\"executable\":\"", parent, "\",\"pid\":", 640 + (salt & 0xfff));
                put!(to.out; "},\"pid\":", pid, '}');
                to.user(user);
                to.data(1);
                put!(to.out; "\"CommandLine\":\"", command, "\",\"Image\":\"", path, "\",\"IntegrityLevel\":\"High\"");
                put!(to.out; ",\"ParentImage\":\"", parent, "\",\"ParentProcessId\":\"", 640 + (salt & 0xfff), "\",\"ProcessGuid\":\"");
                guid(u64::from(pid), to.out);
                put!(to.out; "\",\"ProcessId\":\"", pid, "\",\"User\":\"CORP\\\\", user, "\",\"UtcTime\":\"", Stamp::BlankMillis(us), '"');
                to.end(&head, "Process Create (rule: ProcessCreate)");
            }
            Told::SysmonNetwork { flow, user, path, pid } => sysmon_network(&mut to, &flow, user, path, pid),
            Told::SysmonDns { user, path, site, address, pid } => {
                let head = Head {
                    code: 22,
                    action: "Dns query (rule: DnsQuery)",
                    category: "network",
                    kind: "connection",
                    accepted: true,
                };
                to.begin(&head);
                let name = super::suricata::Site(site);
                put!(to.out; ",\"dns\":{\"question\":{\"name\":\"", name, "\"},\"resolved_ip\":[\"", Ip(address), "\"]}");
                put!(to.out; ",\"process\":{\"executable\":\"", path, "\",\"name\":\"", file_name(path), "\",\"pid\":", pid, '}');
                to.user(user);
                to.data(22);
                put!(to.out; "\"Image\":\"", path, "\",\"ProcessGuid\":\"");
                guid(u64::from(pid), to.out);
                put!(to.out; "\",\"ProcessId\":\"", pid, "\",\"QueryName\":\"", super::suricata::Site(site));
                put!(to.out; "\",\"QueryResults\":\"::ffff:", Ip(address), ";\",\"QueryStatus\":\"0\",\"User\":\"CORP\\\\", user);
                put!(to.out; "\",\"UtcTime\":\"", Stamp::BlankMillis(us), '"');
                to.end(&head, "Dns query (rule: DnsQuery)");
            }
        }
    }
}

fn platform(code: u16, action: &'static str) -> Head {
    Head { code, action, category: "network", kind: "allowed", accepted: true }
}

fn subject(to: &mut Record, user: User) {
    put!(to.out; ",\"SubjectDomainName\":\"CORP\",\"SubjectLogonId\":\"0x", Hex(to.salt & 0x7fff_ffff));
    put!(to.out; "\",\"SubjectUserName\":\"", user, "\",\"SubjectUserSid\":\"", SID, user.rid(), '"');
}

fn logon(to: &mut Record, user: User, from: From, kind: u8) {
    let head = Head { code: 4624, action: "logged-in", category: "authentication", kind: "start", accepted: true };
    to.begin(&head);
    to.source(&from);
    let service = kind == 5;
    let (domain, sid) = if service { ("NT AUTHORITY", "S-1-5-18") } else { ("CORP", SID) };
    put!(to.out; ",\"user\":{\"domain\":\"", domain, "\",\"id\":\"", sid);
    if !service {
        put!(to.out; user.rid());
    }
    put!(to.out; "\",\"name\":\"", user, "\"}");
    to.data(4624);
    let (process, package) = match kind {
        3 if to.salt & 1 == 0 => ("Kerberos", "Kerberos"),
        3 => ("NtLmSsp ", "NTLM"),
        5 => ("Advapi  ", "Negotiate"),
        _ => ("User32 ", "Negotiate"),
    };
    put!(to.out; "\"AuthenticationPackageName\":\"", package, "\",\"ElevatedToken\":\"%%1843\",\"ImpersonationLevel\":\"%%1833\",\"IpAddress\":\"");
    address(from.ip, to.out);
    put!(to.out; "\",\"IpPort\":\"", from.port, "\",\"LogonProcessName\":\"", process, "\",\"LogonType\":\"", kind);
    put!(to.out; "\",\"ProcessId\":\"0x0\",\"ProcessName\":\"-\",\"SubjectDomainName\":\"-\",\"SubjectLogonId\":\"0x0\",\"SubjectUserName\":\"-\"");
    put!(to.out; ",\"SubjectUserSid\":\"S-1-0-0\",\"TargetDomainName\":\"", domain, "\",\"TargetLogonId\":\"0x");
    put!(to.out; Hex(to.salt >> 8 & 0x7fff_ffff), "\",\"TargetUserName\":\"", user, "\",\"TargetUserSid\":\"", sid);
    if !service {
        put!(to.out; user.rid());
    }
    put!(to.out; "\",\"WorkstationName\":\"");
    if service {
        put!(to.out; "-\"");
    } else {
        put!(to.out; from.name, '"');
    }
    to.end(&head, "Logon");
}

fn logon_failed(to: &mut Record, user: User, from: From, kind: u8, unknown: bool) {
    let head = Head { code: 4625, action: "logon-failed", category: "authentication", kind: "start", accepted: false };
    to.begin(&head);
    to.source(&from);
    put!(to.out; ",\"user\":{\"domain\":\"CORP\",\"id\":\"S-1-0-0\",\"name\":\"", user, "\"}");
    to.data(4625);
    put!(to.out; "\"AuthenticationPackageName\":\"NTLM\",\"FailureReason\":\"%%2313\",\"IpAddress\":\"");
    address(from.ip, to.out);
    put!(to.out; "\",\"IpPort\":\"", from.port, "\",\"KeyLength\":\"0\",\"LogonProcessName\":\"NtLmSsp \",\"LogonType\":\"", kind);
    put!(to.out; "\",\"ProcessId\":\"0x0\",\"ProcessName\":\"-\",\"Status\":\"0xc000006d\",\"SubStatus\":\"");
    put!(to.out; if unknown { "0xc0000064" } else { "0xc000006a" });
    put!(to.out; "\",\"SubjectDomainName\":\"-\",\"SubjectLogonId\":\"0x0\",\"SubjectUserName\":\"-\",\"SubjectUserSid\":\"S-1-0-0\"");
    put!(to.out; ",\"TargetDomainName\":\"CORP\",\"TargetUserName\":\"", user, "\",\"TargetUserSid\":\"S-1-0-0\",\"WorkstationName\":\"");
    put!(to.out; from.name, '"');
    to.end(&head, "Logon");
}

fn ticket(to: &mut Record, user: User, client: u32, port: u16, accepted: bool) {
    let code = if accepted { 4768 } else { 4771 };
    let action = if accepted { "kerberos-authentication-ticket-requested" } else { "kerberos-preauth-failed" };
    let head = Head { code, action, category: "authentication", kind: "start", accepted };
    to.begin(&head);
    put!(to.out; ",\"source\":{\"ip\":\"", Ip(client), "\",\"port\":", port, '}');
    to.user(user);
    to.data(code);
    put!(to.out; "\"IpAddress\":\"::ffff:", Ip(client), "\",\"IpPort\":\"", port, "\",\"PreAuthType\":\"2\",\"ServiceName\":\"");
    if accepted {
        put!(to.out; "krbtgt\",\"ServiceSid\":\"", SID, "502\",\"Status\":\"0x0\",\"TargetDomainName\":\"CORP\",\"TargetSid\":\"");
        put!(to.out; SID, user.rid(), "\",\"TargetUserName\":\"", user, "\",\"TicketEncryptionType\":\"0x12\"");
    } else {
        put!(to.out; "krbtgt/CORP\",\"Status\":\"0x18\",\"TargetSid\":\"", SID, user.rid(), "\",\"TargetUserName\":\"", user, '"');
    }
    put!(to.out; ",\"TicketOptions\":\"0x40810010\"");
    to.end(&head, "Kerberos Authentication Service");
}

fn permitted(to: &mut Record, flow: &Flow, program: &str, pid: u32) {
    let inbound = flow.dst == to.host.ip();
    let head = platform(5156, "windows-firewall-connection");
    to.begin(&head);
    let (near, far) = if inbound {
        ((flow.dst, flow.dst_port), (flow.src, flow.src_port))
    } else {
        ((flow.src, flow.src_port), (flow.dst, flow.dst_port))
    };
    to.data(5156);
    put!(to.out; "\"Application\":\"", program, "\",\"DestAddress\":\"", Ip(far.0), "\",\"DestPort\":\"", far.1);
    put!(to.out; "\",\"Direction\":\"", if inbound { "%%14592" } else { "%%14593" }, "\",\"FilterRTID\":\"", 65_000 + to.salt % 9000);
    put!(to.out; "\",\"LayerName\":\"", if inbound { "%%14610" } else { "%%14611" }, "\",\"LayerRTID\":\"");
    put!(to.out; if inbound { "44" } else { "48" }, "\",\"ProcessID\":\"", pid, "\",\"Protocol\":\"", if flow.udp { "17" } else { "6" });
    put!(to.out; "\",\"RemoteMachineID\":\"S-1-0-0\",\"RemoteUserID\":\"S-1-0-0\",\"SourceAddress\":\"", Ip(near.0));
    put!(to.out; "\",\"SourcePort\":\"", near.1, '"');
    to.end(&head, "Filtering Platform Connection");
}

fn sysmon_network(to: &mut Record, flow: &Flow, user: User, path: &str, pid: u32) {
    let head = Head {
        code: 3,
        action: "Network connection detected (rule: NetworkConnect)",
        category: "network",
        kind: "connection",
        accepted: true,
    };
    let out_going = flow.src == to.host.ip();
    to.begin(&head);
    put!(to.out; ",\"destination\":{\"ip\":\"", Ip(flow.dst), "\",\"port\":", flow.dst_port, "},\"network\":{\"direction\":\"");
    put!(to.out; if out_going { "egress" } else { "ingress" }, "\",\"transport\":\"", if flow.udp { "udp" } else { "tcp" });
    put!(to.out; "\",\"type\":\"ipv4\"},\"process\":{\"executable\":\"", path, "\",\"name\":\"", file_name(path), "\",\"pid\":", pid);
    put!(to.out; "},\"source\":{\"ip\":\"", Ip(flow.src), "\",\"port\":", flow.src_port, '}');
    to.user(user);
    to.data(3);
    put!(to.out; "\"DestinationHostname\":\"-\",\"DestinationIp\":\"", Ip(flow.dst), "\",\"DestinationIsIpv6\":\"false\",\"DestinationPort\":\"");
    put!(to.out; flow.dst_port, "\",\"DestinationPortName\":\"-\",\"Image\":\"", path, "\",\"Initiated\":\"", if out_going { "true" } else { "false" });
    put!(to.out; "\",\"ProcessGuid\":\"");
    guid(u64::from(pid), to.out);
    put!(to.out; "\",\"ProcessId\":\"", pid, "\",\"Protocol\":\"", if flow.udp { "udp" } else { "tcp" }, "\",\"SourceHostname\":\"");
    put!(to.out; FullName(to.host), "\",\"SourceIp\":\"", Ip(flow.src), "\",\"SourceIsIpv6\":\"false\",\"SourcePort\":\"", flow.src_port);
    put!(to.out; "\",\"SourcePortName\":\"-\",\"User\":\"CORP\\\\", user, "\",\"UtcTime\":\"", Stamp::BlankMillis(to.us), '"');
    to.end(&head, "Network connection detected (rule: NetworkConnect)");
}
