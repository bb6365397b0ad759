//! Socket addresses as the kernel dumps them.
//!
//! Family in the host's byte order (so it tells the order), port and address in the network's. Source: Linux,
//! `include/uapi/linux/in.h`, `in6.h`, `un.h`; byte 0 of a path may be NUL (abstract).

use std::fmt::Write;

use schemas::{Ip, Row};

use super::value::{Note, Notes};
use crate::lex::text::{Scratch, port, unhex};

/// A decoded address.
pub(super) enum Socket<'a> {
    /// IPv4 or IPv6: address and port.
    Inet(Ip, u16),
    /// A path; an abstract name begins with NUL.
    Unix(&'a [u8]),
}

/// Decodes a dump. `None` for other families, and where it was cut short.
pub(super) fn decode(bytes: &[u8]) -> Option<Socket<'_>> {
    let family = match *bytes.first_chunk::<2>()? {
        [family, 0] | [0, family] => family,
        _ => return None,
    };
    let port = || Some(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?));
    match family {
        1 => {
            let path = &bytes[2..];
            let end = path.iter().skip(1).position(|byte| *byte == 0).map_or(path.len(), |at| at + 1);
            Some(Socket::Unix(&path[..end]))
        }
        2 => Some(Socket::Inet(Ip::v4(*bytes.get(4..)?.first_chunk()?), port()?)),
        10 => Some(Socket::Inet(Ip(*bytes.get(8..)?.first_chunk()?), port()?)),
        _ => None,
    }
}

/// The address and port of a dump in hexadecimal.
pub(super) fn inet(hex: &[u8]) -> Option<(Ip, u16)> {
    let mut bytes = Scratch::default();
    unhex(hex, &mut bytes)?;
    match decode(bytes.bytes())? {
        Socket::Inet(ip, port) => Some((ip, port)),
        Socket::Unix(_) => None,
    }
}

/// The address of a record that does not know which end it is.
pub(super) fn extras(hex: &[u8], notes: &Notes<'_>, row: &mut Row<'_>) {
    let mut bytes = Scratch::default();
    let known = unhex(hex, &mut bytes).and_then(|()| decode(bytes.bytes()));
    match known {
        Some(Socket::Inet(ip, port)) => {
            let mut text = Scratch::default();
            // a scratch takes everything
            let _ = write!(text, "{}", ip.to_std());
            row.extra_fixed("socket_address", text.bytes());
            let mut text = Scratch::default();
            let _ = write!(text, "{port}");
            row.extra_fixed("socket_port", text.bytes());
        }
        Some(Socket::Unix([0, name @ ..])) => row.extra_fixed("socket_abstract_name", name),
        Some(Socket::Unix(path)) => row.extra_fixed("socket_path", path),
        None => row.extra_fixed("saddr", hex),
    }
    row.extra_fixed("socket_family", notes.raw(Note::SocketFamily));
}

/// Address and port of an enriched record, where the dump itself is missing.
pub(super) fn enriched(notes: &Notes<'_>) -> Option<(Ip, u16)> {
    let address = notes.raw(Note::LocalAddress);
    let address = if address.is_empty() { notes.raw(Note::Address) } else { address };
    Some((Ip::parse(address)?, port(notes.raw(Note::LocalPort)).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_gives_address_and_port() {
        for (hex, address, port) in [
            ("020001BBCB0071070000000000000000", "203.0.113.7", 443),
            ("00020016C000020A0000000000000000", "192.0.2.10", 22),
            ("0A0000160000000020010DB800000000000000000000000700000000", "2001:db8::7", 22),
        ] {
            let (ip, found) = inet(hex.as_bytes()).expect("an address");
            assert_eq!((ip.to_std().to_string().as_str(), found), (address, port));
        }
        let Some(Socket::Unix(path)) = decode(b"\x01\0/run/x.sock\0rest") else { panic!() };
        assert_eq!(path, b"/run/x.sock");
        assert!(inet(b"02000").is_none() && inet(b"0200").is_none() && inet(b"1000").is_none());
    }
}
