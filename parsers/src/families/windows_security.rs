//! Windows events but Sysmon's: Security, Remote Desktop, PowerShell and whatever else a channel holds.
//!
//! Every shape that `lex::winevent` reads. What an event means is decided by its number *and* its provider, since numbers are
//! shared. For a logon the account that logs on is `user` and who asked is `src_user`; for all else the one that acts is
//! `user` and the account acted on stays in the extras. An attempt with explicit credentials (4648), a logoff, a lockout and a
//! privilege are no logins: they are of kind `other`, so that a rule that counts logins by kind and outcome counts each once.
//!
//! Source: the manifests of the providers; MicrosoftDocs, auditing, `event-*.md`.

use schemas::{
    Action, Direction, EventKind, Field as Column, Initiator, Ip, LogSource, Outcome, PortState, RejectKind, Row,
    Transport, key,
};

use crate::lex::text::{contains, decimal, hexadecimal, port, rsplit_once, split_once_str, trim};
use crate::lex::winevent::{Field, Slot, WinEvent};
use crate::transport::{Accepts, Record};
use crate::windows::{
    Fault, account, account_text, bad, common, each_event, is_sysmon, leave, process_id, program, put, text,
};
use crate::{Confidence, Memory, Parsed, Parser, Refusal};

/// The family.
pub struct Family;

const NAME: &str = "windows_security";

macro_rules! source {
    ($name:ident, $dataset:literal, $categories:expr, $services:expr) => {
        static $name: LogSource = LogSource {
            family: NAME,
            vendor: "Microsoft",
            product: "Windows",
            dataset: $dataset,
            categories: $categories,
            products: &["windows"],
            services: $services,
        };
    };
}
source!(SECURITY, "security", &[], &["security"]);
source!(LOGON, "security", &["authentication"], &["security"]);
source!(PROCESS, "security", &["process_creation"], &["security"]);
source!(FILTERING, "security", &["network_connection", "firewall"], &["security"]);
source!(REMOTE, "remote_desktop", &["authentication"], &["terminalservices-localsessionmanager"]);
source!(SMB, "smb_server", &["authentication"], &["smbserver-connectivity"]);
source!(POWERSHELL, "powershell", &[], &["powershell", "powershell-classic"]);
source!(SYSTEM, "system", &[], &["system"]);
source!(OTHER, "other", &[], &[]);

impl Parser for Family {
    fn name(&self) -> &'static str {
        NAME
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["windows_xml", "windows", "winlogbeat"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Both
    }

    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        (is_sysmon(record) == Some(false)).then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        each_event(record, row, |event, row| {
            if event.is_from(b"Sysmon") {
                return Err(RejectKind::NotThisFamily { expected: "an event of another provider than Sysmon" }.into());
            }
            write(event, record, row)
        })
    }
}

/// How the audit went, by keyword: `Audit Success`, `0x8020…`, NXLog's signed number or event type.
fn audit(event: &WinEvent<'_>) -> Option<Outcome> {
    let success = |yes: bool| Some(if yes { Outcome::Success } else { Outcome::Failure });
    match event.peek(Slot::Outcome).raw() {
        b"success" | b"Success" => return success(true),
        b"failure" | b"Failure" => return success(false),
        _ => {}
    }
    for slot in [Slot::Keywords, Slot::EventType] {
        let words = event.peek(slot).raw();
        let bits = match words {
            [b'0', b'x' | b'X', ..] => hexadecimal(words),
            [b'-', digits @ ..] => decimal(digits).map(u64::wrapping_neg),
            _ if contains(words, b"Success") || contains(words, b"SUCCESS") => return success(true),
            _ if contains(words, b"Failure") || contains(words, b"FAILURE") => return success(false),
            _ => decimal(words),
        };
        // Bit 53 is audit success, bit 52 audit failure. Source: winmeta.xml.
        match bits.map(|bits| bits >> 52 & 3) {
            Some(2) => return success(true),
            Some(1) => return success(false),
            _ => {}
        }
    }
    None
}

fn write<'a>(event: &mut WinEvent<'a>, record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Fault<'a>> {
    let code = common(event, record, row)?;
    let provider = event.peek(Slot::Provider);
    if !event.has_data() && !event.peek(Slot::Message).is_absent() {
        event.fill_from_message();
    }
    if event.is_from(b"Security-Auditing") || provider.is_absent() || event.peek(Slot::Channel).raw() == b"Security" {
        security(code, event, row)?;
    } else if REMOTE_DESKTOP.iter().any(|provider| event.is_from(provider)) {
        remote_desktop(code, event, row);
    } else if event.is_from(b"SMBServer") && code == 551 {
        row.log_source(&SMB);
        row.set(key::KIND, EventKind::Auth);
        row.set(key::OUTCOME, Outcome::Failure);
        // Not the account that the system names: that is the server's own.
        let name = event.take(Slot::UserName);
        account(row, name);
        origin(event, row)?;
        called(event, row);
    } else {
        let source = if event.is_from(b"PowerShell") {
            &POWERSHELL
        } else if event.peek(Slot::Channel).raw() == b"System" {
            &SYSTEM
        } else {
            &OTHER
        };
        row.log_source(source);
        row.set(key::KIND, EventKind::Other);
        row.set_opt(key::OUTCOME, audit(event));
        text(row, key::MESSAGE, event.peek(Slot::Message));
        let context = event.peek(Slot::ContextInfo);
        if !context.is_absent() {
            context.with(|context| {
                let user = split_once_str(context, b" User = ").map_or(&b""[..], |(_, rest)| rest);
                account_text(row, trim(user.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default()));
            });
        }
        actor(event, row);
        let peer = event.take(Slot::ClientAddress);
        address(row, peer);
    }
    leave(event, row);
    Ok(())
}

/// Ends of the names of the providers that tell of Remote Desktop.
const REMOTE_DESKTOP: [&[u8]; 3] = [b"LocalSessionManager", b"RemoteConnectionManager", b"RdpCoreTS"];

/// Events of the Kerberos key distribution centre.
const KERBEROS: std::ops::RangeInclusive<u32> = 4768..=4773;

// ---- accounts and ends

/// The account that acts: the subject, else the named user, else whom the system names.
fn actor(event: &mut WinEvent<'_>, row: &mut Row<'_>) {
    let subject = event.peek(Slot::SubjectUserName);
    if !subject.is_absent() {
        let (name, domain, id) =
            (event.take(Slot::SubjectUserName), event.take(Slot::SubjectDomainName), event.take(Slot::SubjectUserSid));
        account(row, name);
        text(row, key::USER_DOMAIN, domain);
        text(row, key::USER_ID, id);
        return;
    }
    let name = event.first(&[
        Slot::User,
        Slot::UserName,
        Slot::AccountName,
        Slot::Requester,
        Slot::EcsUser,
        Slot::SystemAccount,
    ]);
    if !row.has(Column::User) {
        account(row, name);
    }
    if !row.has(Column::UserDomain) {
        text(row, key::USER_DOMAIN, event.first(&[Slot::AccountDomain, Slot::EcsUserDomain, Slot::SystemDomain]));
    }
}

/// The account that a logon is about, and who asked for it.
fn target(event: &mut WinEvent<'_>, row: &mut Row<'_>) {
    let name = event.first(&[Slot::TargetUserName, Slot::AccountName, Slot::EcsUser]);
    if event.code().is_some_and(|code| KERBEROS.contains(&code)) && !name.is_absent() {
        // `user@REALM`
        name.with(|name| account_text(row, rsplit_once(name, b'@').map_or(name, |(name, _)| name)));
    } else {
        account(row, name);
    }
    let domain = event.first(&[Slot::TargetDomainName, Slot::AccountDomain, Slot::EcsUserDomain]);
    text(row, key::USER_DOMAIN, domain);
    let id = event.first(&[Slot::TargetUserSid, Slot::TargetSid]);
    text(row, key::USER_ID, id);
    let subject = event.take(Slot::SubjectUserName);
    text(row, key::SRC_USER, subject);
    let domain = event.take(Slot::SubjectDomainName);
    text(row, key::SRC_USER_DOMAIN, domain);
}

/// The address and port that a logon or request came from. A name in its place is a name; port 0 is none.
fn origin<'a>(event: &mut WinEvent<'a>, row: &mut Row<'_>) -> Result<(), Fault<'a>> {
    let address = event.first(&[Slot::IpAddress, Slot::ClientAddress, Slot::ClientIPAddress, Slot::EcsSourceIp]);
    self::address(row, address);
    let from_port = event.first(&[Slot::IpPort, Slot::EcsSourcePort]);
    if !from_port.is_absent() {
        match port(from_port.raw()) {
            Some(0) => {}
            Some(known) => row.set(key::SRC_PORT, known),
            None => return Err(bad("IpPort", from_port, "digits 0..=65535")),
        }
    }
    let name = event.first(&[Slot::WorkstationName, Slot::Workstation, Slot::ClientName]);
    if !name.is_absent() && !row.has(Column::SrcHost) {
        name.with(|name| row.text(key::SRC_HOST, name.strip_prefix(b"\\\\").unwrap_or(name)));
    }
    Ok(())
}

/// Sets the source from an address, an address with a port, or a name.
fn address(row: &mut Row<'_>, written: Field<'_>) {
    let raw = written.raw();
    if written.is_absent() || matches!(raw, b"LOCAL" | b"Unknown") {
        return;
    }
    if let Some(ip) = Ip::parse(raw) {
        row.set(key::SRC_IP, ip);
    } else if let Some((ip, from_port)) = rsplit_once(raw, b':')
        && let Some(ip) = Ip::parse(ip)
    {
        row.set(key::SRC_IP, ip);
        row.set_opt(key::SRC_PORT, port(from_port));
    } else {
        text(row, key::SRC_HOST, written);
    }
}

/// The host that wrote the event is the one that was called.
fn called(event: &WinEvent<'_>, row: &mut Row<'_>) {
    text(row, key::DST_HOST, event.peek(Slot::Computer).or(|| event.peek(Slot::HostName)));
}

// ---- Security

fn security<'a>(code: u32, event: &mut WinEvent<'a>, row: &mut Row<'_>) -> Result<(), Fault<'a>> {
    let outcome = audit(event);
    match code {
        4624 | 4625 => {
            let accepted = code == 4624;
            logon(row, if accepted { Outcome::Success } else { Outcome::Failure });
            target(event, row);
            origin(event, row)?;
            called(event, row);
            let kind = event.take(Slot::LogonType);
            put(row, Column::LogonType, kind)?;
            let method = event.take(Slot::AuthenticationPackageName);
            text(row, key::AUTH_METHOD, method);
            let session = event.take(Slot::TargetLogonId);
            text(row, key::SESSION_ID, session);
            let path = event.take(Slot::ProcessName);
            program(row, path);
            if !accepted {
                failure(event, row);
            }
        }
        4768..=4773 | 4776 | 4777 => {
            let status = event.peek(Slot::Status);
            let result = match number(status.raw()) {
                Some(0) => Some(Outcome::Success),
                Some(_) => Some(Outcome::Failure),
                None if code == 4770 => Some(Outcome::Success),
                None => outcome,
            };
            logon(row, result.unwrap_or(Outcome::Unknown));
            target(event, row);
            if code < 4776 {
                called(event, row);
                row.fixed(key::AUTH_METHOD, "Kerberos");
            } else {
                row.fixed(key::AUTH_METHOD, "NTLM");
            }
            origin(event, row)?;
            if result == Some(Outcome::Failure) {
                failure(event, row);
            }
        }
        4778 | 4825 | 6272..=6274 => {
            logon(
                row,
                match code {
                    4778 | 6272 => Outcome::Success,
                    6274 => Outcome::Unknown,
                    _ => Outcome::Failure,
                },
            );
            origin(event, row)?;
            called(event, row);
            actor(event, row);
            if code >= 6272 {
                let station = event.take(Slot::CallingStationID);
                row.set_opt(key::SRC_IP, Ip::parse(station.raw()));
                if !row.has(Column::SrcIp) {
                    text(row, key::SRC_MAC, station);
                }
                let reason = event.take(Slot::Reason);
                text(row, key::REASON, reason);
                let status = event.take(Slot::ReasonCode);
                text(row, key::STATUS_CODE, status);
            }
        }
        // Not logins, but about an account that is not the one that acts.
        4634 | 4647 | 4648 | 4649 | 4740 | 4767 | 4779 | 4964 => {
            row.log_source(&LOGON);
            row.set(key::KIND, EventKind::Other);
            row.set_opt(key::OUTCOME, outcome);
            if matches!(code, 4634 | 4647 | 4779) {
                row.set(key::ACTION, Action::End);
            }
            if code == 4740 {
                // The caller's name stands where a domain is expected.
                let caller = event.remove(Slot::TargetDomainName);
                text(row, key::SRC_HOST, caller);
                row.fixed(key::REASON, "account_locked");
            }
            target(event, row);
            if code == 4648 {
                let server = event.take(Slot::TargetServerName);
                if server.raw() != b"localhost" {
                    text(row, key::DST_HOST, server);
                }
            }
            origin(event, row)?;
            let kind = event.take(Slot::LogonType);
            put(row, Column::LogonType, kind)?;
            let session = event.take(Slot::TargetLogonId);
            text(row, key::SESSION_ID, session);
            let (path, pid) = (event.take(Slot::ProcessName), event.take(Slot::ProcessId));
            program(row, path);
            process_id(row, pid);
        }
        4688 => {
            row.log_source(&PROCESS);
            row.set(key::KIND, EventKind::Process);
            row.set(key::ACTION, Action::Start);
            row.set_opt(key::OUTCOME, outcome);
            actor(event, row);
            let path = event.first(&[Slot::NewProcessName, Slot::EcsProgram]);
            program(row, path);
            let pid = event.take(Slot::NewProcessId);
            process_id(row, pid);
            let (command, parent) = (event.take(Slot::CommandLine), event.take(Slot::ParentProcessName));
            text(row, key::PROCESS_COMMAND, command);
            text(row, key::PARENT_PATH, parent);
        }
        5152..=5159 => return filtering(code, event, row),
        _ => {
            row.log_source(&SECURITY);
            row.set(key::KIND, EventKind::Other);
            row.set_opt(key::OUTCOME, outcome);
            actor(event, row);
            if matches!(code, 5140 | 5145) {
                called(event, row);
            }
            origin(event, row)?;
            let (path, pid) = (event.take(Slot::ProcessName), event.take(Slot::ProcessId));
            program(row, path);
            process_id(row, pid);
        }
    }
    Ok(())
}

fn logon(row: &mut Row<'_>, outcome: Outcome) {
    row.log_source(&LOGON);
    row.set(key::KIND, EventKind::Auth);
    row.set(key::OUTCOME, outcome);
}

/// A status as a number: hexadecimal in either case, or a signed decimal of 32 bits.
fn number(status: &[u8]) -> Option<u32> {
    match status {
        [b'0', b'x' | b'X', ..] => hexadecimal(status).map(|status| status as u32),
        [b'-', digits @ ..] => decimal(digits).map(|digits| (digits as u32).wrapping_neg()),
        digits => decimal(digits).and_then(|digits| u32::try_from(digits).ok()),
    }
}

/// Why a logon failed: the sub-status if there is one, it is the finer of the two.
fn failure(event: &mut WinEvent<'_>, row: &mut Row<'_>) {
    let sub = event.peek(Slot::SubStatus);
    let finer = number(sub.raw()).is_some_and(|status| status != 0);
    let status = event.take(if finer { Slot::SubStatus } else { Slot::Status });
    text(row, key::STATUS_CODE, status);
    match number(status.raw()).and_then(reason) {
        Some(word) => row.fixed(key::REASON, word),
        None => {
            let words = event.take(Slot::FailureReason);
            text(row, key::REASON, words);
        }
    }
}

/// NTSTATUS and Kerberos results in words. Sources: [MS-ERREF] 2.3.1, RFC 4120 section 7.5.9.
fn reason(status: u32) -> Option<&'static str> {
    Some(match status {
        0xC000_0064 | 0x6 => "unknown_user",
        0xC000_006A | 0x18 => "bad_password",
        0xC000_006D => "bad_credentials",
        0xC000_006C | 0xC000_0413 | 0xC => "policy",
        0xC000_006E => "restriction",
        0xC000_006F => "time_restriction",
        0xC000_0070 => "workstation_restriction",
        0xC000_0071 | 0x17 => "password_expired",
        0xC000_0072 => "account_disabled",
        0xC000_0193 | 0x1 => "account_expired",
        0xC000_0224 => "must_change",
        0xC000_0234 => "account_locked",
        0xC000_015B => "not_granted",
        0xC000_0133 | 0x25 => "clock_skew",
        0xC000_018C | 0xC000_018D => "trust",
        0xC000_009A | 0xC000_00DC | 0xC000_0192 | 0xC000_005E => "system",
        0xC000_0380 | 0xC000_0381 | 0xC000_0388 | 0x10 => "smartcard",
        0x12 => "account_revoked",
        0x19 => "preauth_required",
        0x7 => "unknown_service",
        0xE => "encryption_type",
        0x20 => "ticket_expired",
        0x22 => "replay",
        _ => return None,
    })
}

// ---- the filtering platform

/// One end of a connection as the event writes it.
struct End<'a> {
    address: Field<'a>,
    port: Field<'a>,
}

impl<'a> End<'a> {
    fn write(&self, row: &mut Row<'_>, columns: (Column, Column)) -> Result<(), Fault<'a>> {
        match self.address.raw() {
            // Bound to every address: that is no address.
            any @ (b"0.0.0.0" | b"::") => row.extra_fixed("SourceAddress", any),
            _ => put(row, columns.0, self.address)?,
        }
        put(row, columns.1, self.port)
    }

    /// Whether it can only be an end on this host: unset, broadcast, multicast.
    fn is_near(&self) -> bool {
        match Ip::parse(self.address.raw()).map(Ip::to_std) {
            Some(core::net::IpAddr::V4(ip)) => ip.is_unspecified() || ip.is_broadcast() || ip.is_multicast(),
            Some(core::net::IpAddr::V6(ip)) => ip.is_unspecified() || ip.is_multicast(),
            None => false,
        }
    }

    fn is_served(&self) -> bool {
        port(self.port.raw()).is_some_and(|port| port < 49_152)
    }
}

const SOURCE: (Column, Column) = (Column::SrcIp, Column::SrcPort);
const DESTINATION: (Column, Column) = (Column::DstIp, Column::DstPort);

fn filtering<'a>(code: u32, event: &mut WinEvent<'a>, row: &mut Row<'_>) -> Result<(), Fault<'a>> {
    row.log_source(&FILTERING);
    let protocol = event.take(Slot::Protocol);
    let transport = Transport::parse(protocol.raw());
    row.set_opt(key::TRANSPORT, transport);
    let path = event.take(Slot::Application);
    program(row, path);
    // NXLog puts the logger's own number where the program's stood; then a thread number is beside it.
    let overwritten = !event.peek(Slot::ThreadId).is_absent() && event.peek(Slot::SystemProcess).is_absent();
    let pid = event.first(&[Slot::ProcessId, Slot::ProcessID]);
    if !overwritten {
        process_id(row, pid);
    }
    row.set(key::ACTION, if matches!(code, 5154 | 5156 | 5158) { Action::Allow } else { Action::Deny });
    let first = End { address: event.take(Slot::SourceAddress), port: event.take(Slot::SourcePort) };
    if matches!(code, 5154 | 5155 | 5158 | 5159) {
        // The only end is the local one.
        if code == 5154 {
            row.set(key::KIND, EventKind::Listener);
            row.set(key::PORT_STATE, PortState::Open);
            called(event, row);
            return first.write(row, DESTINATION);
        }
        row.set(key::KIND, EventKind::Other);
        return first.write(row, SOURCE);
    }
    row.set(key::KIND, EventKind::Flow);
    let second = End { address: event.take(Slot::DestAddress), port: event.take(Slot::DestPort) };
    let direction = event.take(Slot::Direction);
    let inbound = match direction.raw() {
        b"%%14592" | b"Inbound" => true,
        b"%%14593" | b"Outbound" => false,
        _ => event.peek(Slot::LayerName).raw() == b"%%14610",
    };
    if !inbound {
        row.set(key::DIRECTION, Direction::Outbound);
        row.set(key::INITIATOR, Initiator::Source);
        first.write(row, SOURCE)?;
        return second.write(row, DESTINATION);
    }
    row.set(key::DIRECTION, Direction::Inbound);
    // Builds differ in which end they write first: what can only be local decides, then the served port.
    let sure = first.is_near() != second.is_near() || first.is_served() != second.is_served();
    let local_first = if first.is_near() && second.is_near() {
        // A broadcast from a host without an address: in the order of the packet.
        false
    } else if first.is_near() != second.is_near() {
        first.is_near()
    } else if first.is_served() != second.is_served() {
        first.is_served()
    } else {
        code != 5152
    };
    let (near, far) = if local_first { (first, second) } else { (second, first) };
    far.write(row, SOURCE)?;
    near.write(row, DESTINATION)?;
    if sure {
        row.set(key::INITIATOR, Initiator::Source);
        if transport == Some(Transport::TCP) {
            row.set(key::PORT_STATE, if code == 5156 { PortState::Open } else { PortState::Filtered });
        }
    }
    Ok(())
}

// ---- Remote Desktop

fn remote_desktop(code: u32, event: &mut WinEvent<'_>, row: &mut Row<'_>) {
    row.log_source(&REMOTE);
    called(event, row);
    let result = if event.is_from(b"LocalSessionManager") {
        matches!(code, 21 | 25).then_some(Outcome::Success)
    } else if event.is_from(b"RdpCoreTS") {
        (code == 140).then_some(Outcome::Failure)
    } else {
        // 1149 comes before the password where network level authentication is off.
        (code == 1149).then_some(Outcome::Unknown)
    };
    row.set(key::KIND, if result.is_some() { EventKind::Auth } else { EventKind::Other });
    row.set_opt(key::OUTCOME, result);
    let name = event.first(&[Slot::User, Slot::Param1]);
    account(row, name);
    let domain = event.take(Slot::Param2);
    text(row, key::USER_DOMAIN, domain);
    let client = event.first(&[Slot::Address, Slot::Param3, Slot::IPString, Slot::ClientIP]);
    address(row, client);
    if code == 131 && event.is_from(b"RdpCoreTS") {
        row.set(key::PORT_STATE, PortState::Open);
    }
}
