//! Whose event it is, from where, and to which host.

use core::net::IpAddr;

use schemas::{Field as Column, Ip, Row, key};

use crate::lex::text::{hexadecimal, port, rsplit_once};
use crate::lex::winevent::{Field, Slot, WinEvent};
use crate::windows::{Fault, account, account_text, bad, text};

/// Events of the Kerberos key distribution centre.
const KERBEROS: std::ops::RangeInclusive<u32> = 4768..=4773;

/// The account that acts: the subject, else the named user, else whom the system names.
pub(super) fn actor(event: &mut WinEvent<'_>, row: &mut Row<'_>) {
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
pub(super) fn target(event: &mut WinEvent<'_>, row: &mut Row<'_>) {
    let name = event.first(&[Slot::TargetUserName, Slot::AccountName, Slot::UserName, Slot::EcsUser]);
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

/// The address and port that a logon or request came from, the port as the event has it: 0 where it knows none. A name in the address's place is a
/// name.
pub(super) fn origin<'a>(event: &mut WinEvent<'a>, row: &mut Row<'_>) -> Result<(), Fault<'a>> {
    let address = event.first(&[Slot::IpAddress, Slot::ClientAddress, Slot::EcsSourceIp, Slot::SourceAddress]);
    self::address(row, address);
    let from_port = event.first(&[Slot::IpPort, Slot::EcsSourcePort, Slot::SourcePort]);
    if !from_port.is_absent() {
        match port(from_port.raw()) {
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
pub(super) fn address(row: &mut Row<'_>, written: Field<'_>) {
    let raw = written.raw();
    if written.is_absent() || matches!(raw, b"LOCAL" | b"Unknown") {
        return;
    }
    // a sentence ends with it
    let raw = raw.strip_suffix(b".").unwrap_or(raw);
    if let Some((ip, from_port)) = socket(raw) {
        row.set(key::SRC_IP, ip);
        row.set_opt(key::SRC_PORT, from_port);
    } else if let Some(ip) = Ip::parse(raw) {
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
pub(super) fn called(event: &WinEvent<'_>, row: &mut Row<'_>) {
    text(row, key::DST_HOST, event.peek(Slot::Computer).or(|| event.peek(Slot::HostName)));
}

/// The family, port and address of a socket in hexadecimal, as SMB logs its peer: `0200C1F6C000020A…`, IPv6 from `1700` on.
fn socket(text: &[u8]) -> Option<(Ip, Option<u16>)> {
    if text.len() < 16 || !text.len().is_multiple_of(2) || text.len() > 64 || !text.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut bytes = [0u8; 32];
    for (at, pair) in text.chunks_exact(2).enumerate() {
        bytes[at] = u8::try_from(hexadecimal(pair)?).ok()?;
    }
    let from_port = u16::from_be_bytes([bytes[2], bytes[3]]);
    let ip = match (bytes[0], bytes[1]) {
        (2, 0) => IpAddr::from([bytes[4], bytes[5], bytes[6], bytes[7]]),
        // after the flow label
        (23, 0) if text.len() >= 48 => {
            let mut address = [0u8; 16];
            address.copy_from_slice(&bytes[8..24]);
            IpAddr::from(address)
        }
        _ => return None,
    };
    Some((Ip::from(ip), Some(from_port)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_read_from_its_socket() {
        let read = |text: &[u8]| socket(text).map(|(ip, from)| (ip.to_std().to_string(), from));
        assert_eq!(read(b"0200C1F6C000020A0000000000000000"), Some(("192.0.2.10".into(), Some(49_654))));
        assert_eq!(
            read(b"1700C1F60000000020010DB800000000000000000000001000000000"),
            Some(("2001:db8::10".into(), Some(49_654)))
        );
        assert_eq!(read(b"fe80::1"), None);
        assert_eq!(read(b"0300C1F6C000020A"), None);
    }
}
