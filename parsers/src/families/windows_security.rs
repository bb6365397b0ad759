//! Windows events but Sysmon's: Security, Remote Desktop, PowerShell and whatever else a channel holds.
//!
//! Every shape that `lex::winevent` reads. What an event means is decided by its number *and* its provider, since numbers are
//! shared. For a logon the account that logs on is `user` and who asked is `src_user`; for all else the one that acts is
//! `user` and the account acted on stays in the extras. An attempt with explicit credentials (4648), a logoff, a lockout and a
//! privilege are no logins: they are of kind `other`, so that a rule that counts logins by kind and outcome counts each once.
//!
//! Source: the manifests of the providers; MicrosoftDocs, auditing, `event-*.md`.

mod accounts;
mod channels;
mod filtering;
mod reasons;

use schemas::{Action, EventKind, Field as Column, Ip, LogSource, Outcome, RejectKind, Row, key};

use self::accounts::{actor, called, origin, target};
use self::filtering::filtering;
use self::reasons::{failure, number};
use crate::lex::text::{contains, decimal, hexadecimal};
use crate::lex::winevent::{Slot, WinEvent};
use crate::transport::{Accepts, Record};
use crate::windows::{Fault, common, each_event, is_sysmon, leave, process_id, program, put, text};
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
source!(WINRM, "winrm", &["authentication"], &["winrm"]);
source!(FIREWALL, "firewall", &[], &["firewall-as"]);
source!(DATABASE, "application", &["authentication"], &["application"]);
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

    fn sees_sequences(&self) -> bool {
        true
    }

    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        (is_sysmon(record) == Some(false)).then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        each_event(record, memory, row, |event, row| {
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
    let is_security = event.is_from(b"Security-Auditing")
        || event.peek(Slot::Provider).is_absent()
        || event.peek(Slot::Channel).raw() == b"Security";
    if is_security {
        security(modern(code, event), event, row)?;
    } else {
        channels::write(code, event, row)?;
    }
    leave(event, row);
    Ok(())
}

/// The number that an event of Windows XP and 2003 has had since. Source: Microsoft, *Security audit events*: most are 4096 apart.
fn modern(code: u32, event: &WinEvent<'_>) -> u32 {
    if code >= 1100 || event.peek(Slot::Provider).raw() != b"Security" {
        return code;
    }
    match code {
        540 => 4624,
        529..=539 if code != 538 => 4625,
        681 => 4776,
        512..=698 => code + 4096,
        _ => code,
    }
}

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
            called(event, row);
            actor(event, row);
            if code < 6272 {
                origin(event, row)?;
            } else {
                // who asks stands at the calling station; client is the switch or gateway that passed it on
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
        4634 | 4647 | 4648 | 4649 | 4740 | 4767 | 4779 | 4800..=4803 | 4964 => {
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
