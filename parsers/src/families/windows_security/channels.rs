//! Other channels than Security: Remote Desktop, WinRM, SMB, the firewall's rules, services, PowerShell, and the rest as it is.

use schemas::{Action, Direction, EventKind, Field as Column, Outcome, PortState, Row, key};

use super::accounts::{actor, address, called, origin};
use super::reasons::failure;
use super::{DATABASE, FIREWALL, OTHER, POWERSHELL, REMOTE, SMB, SYSTEM, WINRM, audit};
use crate::lex::text::{decimal, port, rsplit_once, split_once_str, trim};
use crate::lex::winevent::{Slot, WinEvent};
use crate::windows::{Fault, account, account_text, program, text};

/// Ends of the names of the providers that tell of Remote Desktop.
const REMOTE_DESKTOP: [&[u8]; 3] = [b"LocalSessionManager", b"RemoteConnectionManager", b"RdpCoreTS"];

/// Writes an event that is none of Security's.
pub(super) fn write<'a>(code: u32, event: &mut WinEvent<'a>, row: &mut Row<'_>) -> Result<(), Fault<'a>> {
    if REMOTE_DESKTOP.iter().any(|provider| event.is_from(provider)) {
        remote_desktop(code, event, row);
        return Ok(());
    }
    if event.is_from(b"SMBServer") && matches!(code, 551 | 1006 | 1009) {
        return smb(code, event, row);
    }
    if event.is_from(b"WinRM") {
        win_rm(code, event, row);
        return Ok(());
    }
    if event.peek(Slot::Provider).raw().starts_with(b"MSSQL") && matches!(code, 18_453 | 18_454 | 18_456) {
        database(code, event, row);
        return Ok(());
    }
    let firewall = event.is_from(b"Firewall With Advanced Security") || event.is_from(b"Firewall");
    let source = if event.is_from(b"PowerShell") {
        &POWERSHELL
    } else if firewall {
        &FIREWALL
    } else if event.peek(Slot::Channel).raw() == b"System" {
        &SYSTEM
    } else {
        &OTHER
    };
    row.log_source(source);
    row.set(key::KIND, EventKind::Other);
    row.set_opt(key::OUTCOME, audit(event));
    text(row, key::MESSAGE, event.peek(Slot::Message));
    if firewall {
        // a rule that was added, changed or deleted, and by whom
        let (name, id) = (event.take(Slot::RuleName), event.take(Slot::RuleId));
        text(row, key::RULE_NAME, name);
        text(row, key::RULE_ID, id);
        let who = event.take(Slot::ModifyingUser);
        text(row, key::USER_ID, who);
    }
    if code == 56 && event.is_from(b"TermDD") {
        let client = event.take(Slot::Param2);
        address(row, client);
    }
    if code == 7045 {
        let path = event.take(Slot::ImagePath);
        program(row, path);
    }
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
    Ok(())
}

/// What the channels of Remote Desktop tell. Source: the manifests of the three providers.
fn remote_desktop(code: u32, event: &mut WinEvent<'_>, row: &mut Row<'_>) {
    row.log_source(&REMOTE);
    called(event, row);
    let sessions = event.is_from(b"LocalSessionManager");
    let core = event.is_from(b"RdpCoreTS");
    let result = match code {
        21 | 25 if sessions => Some(Outcome::Success),
        140 if core => Some(Outcome::Failure),
        // It comes before the password where network level authentication is off.
        1149 if !sessions && !core => Some(Outcome::Unknown),
        _ => None,
    };
    row.set(key::KIND, if result.is_some() { EventKind::Auth } else { EventKind::Other });
    row.set_opt(key::OUTCOME, result);
    match code {
        23 | 24 | 39 | 40 if sessions => row.set(key::ACTION, Action::End),
        102 | 103 if core => row.set(key::ACTION, Action::End),
        // the listener, whose port is told elsewhere
        258 if !sessions && !core => row.set(key::ACTION, Action::Start),
        259 if !sessions && !core => row.set(key::ACTION, Action::End),
        139 if core => row.set(key::OUTCOME, Outcome::Failure),
        131 if core => row.set(key::PORT_STATE, PortState::Open),
        _ => {}
    }
    let name = event.first(&[Slot::User, Slot::Param1]);
    account(row, name);
    let domain = event.first(&[Slot::Param2, Slot::AccountDomain]);
    text(row, key::USER_DOMAIN, domain);
    let client = event.first(&[Slot::Address, Slot::Param3, Slot::IPString, Slot::ClientIP, Slot::IpAddress]);
    address(row, client);
    let reason = event.take(Slot::Reason);
    text(row, key::REASON, reason);
}

/// A session that was refused, or a share.
fn smb<'a>(code: u32, event: &mut WinEvent<'a>, row: &mut Row<'_>) -> Result<(), Fault<'a>> {
    row.log_source(&SMB);
    row.set(key::KIND, if code == 551 { EventKind::Auth } else { EventKind::Other });
    row.set(key::OUTCOME, Outcome::Failure);
    // Not the account that the system names: that is the server's own.
    let name = event.take(Slot::UserName);
    account(row, name);
    origin(event, row)?;
    // `\\192.0.2.10`
    if let Some(ip) = row.get_text(key::SRC_HOST).and_then(schemas::Ip::parse) {
        row.set(key::SRC_IP, ip);
        row.clear(Column::SrcHost);
    }
    called(event, row);
    if code == 551 {
        failure(event, row);
    }
    Ok(())
}

/// Remote management. A session that was created on the server (91) goes with a logon of its own, so it is no login here.
fn win_rm(code: u32, event: &mut WinEvent<'_>, row: &mut Row<'_>) {
    row.log_source(&WINRM);
    let refused = matches!(code, 161 | 162);
    row.set(key::KIND, if refused || code == 169 { EventKind::Auth } else { EventKind::Other });
    let outcome = match code {
        161 | 162 | 142 => Some(Outcome::Failure),
        91 | 169 => Some(Outcome::Success),
        _ => None,
    };
    row.set_opt(key::OUTCOME, outcome);
    match code {
        91 => {
            row.set(key::DIRECTION, Direction::Inbound);
            called(event, row);
        }
        6 => {
            // `http://host:5985/wsman`: this host is the client
            row.set(key::DIRECTION, Direction::Outbound);
            let connection = event.take(Slot::Connection);
            connection.with(|url| {
                let rest = split_once_str(url, b"://").map_or(url, |(_, rest)| rest);
                let authority = rest.split(|byte| matches!(byte, b'/' | b'?')).next().unwrap_or_default();
                match rsplit_once(authority, b':').filter(|(_, number)| decimal(number).is_some()) {
                    Some((name, number)) => {
                        row.text(key::DST_HOST, name);
                        row.set_opt(key::DST_PORT, port(number));
                    }
                    None => row.text(key::DST_HOST, authority),
                }
                row.text(key::URL, url);
            });
        }
        _ => {}
    }
    let name = event.take(Slot::Username);
    account(row, name);
    let reason = event.take(Slot::AuthFailureMessage);
    text(row, key::REASON, reason);
    let status = event.take(Slot::ErrorCode);
    text(row, key::STATUS_CODE, status);
    text(row, key::MESSAGE, event.peek(Slot::Message));
    actor(event, row);
}

/// SQL Server's logins, told in a sentence: `Login failed for user 'sa'. Reason: … [CLIENT: 192.0.2.10]`.
fn database(code: u32, event: &mut WinEvent<'_>, row: &mut Row<'_>) {
    row.log_source(&DATABASE);
    row.set(key::KIND, EventKind::Auth);
    row.set(key::OUTCOME, if code == 18_456 { Outcome::Failure } else { Outcome::Success });
    called(event, row);
    text(row, key::MESSAGE, event.peek(Slot::Message));
    let (name, reason, client) =
        (event.take(Slot::TargetUserName), event.take(Slot::Reason), event.take(Slot::ClientAddress));
    account(row, name);
    reason.with(|reason| {
        let reason = trim(reason);
        row.text(key::REASON, trim(reason.strip_prefix(b"Reason:").unwrap_or(reason)));
    });
    client.with(|text| set_client(text, row));
    event.peek(Slot::Message).with(|message| {
        let between = |from: &[u8], to: &[u8]| {
            let rest = split_once_str(message, from).map_or(&b""[..], |(_, rest)| rest);
            split_once_str(rest, to).map_or(&b""[..], |(inside, _)| inside)
        };
        if !row.has(Column::User) {
            account_text(row, between(b"user '", b"'"));
        }
        if !row.has(Column::Reason) {
            row.text(key::REASON, trim(between(b"Reason: ", b"[CLIENT")));
        }
        if !row.has(Column::SrcIp) {
            set_client(between(b"[CLIENT: ", b"]"), row);
        }
    });
}

/// `[CLIENT: 192.0.2.10]`, `192.0.2.10`, `<local machine>`.
fn set_client(text: &[u8], row: &mut Row<'_>) {
    let text = trim(text);
    let text = text.strip_prefix(b"[CLIENT: ").unwrap_or(text);
    let text = text.strip_suffix(b"]").unwrap_or(text);
    row.set_opt(key::SRC_IP, schemas::Ip::parse(text));
}
