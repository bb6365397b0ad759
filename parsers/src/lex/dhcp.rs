//! The sentences of ISC's DHCP server and of its relatives (KEA's older mode, dhcpcd's logs, firewalls that run it).
//!
//! `DHCPACK on A to MAC (NAME) via IF`, `DHCPREQUEST for A (SERVER) from MAC (NAME) via IF: note`. Who holds which address is
//! what they tell; the address is the client's. Source: `server/dhcp.c`, `server/dhcpv6.c` of ISC DHCP 4.4.

use schemas::Ip;

use super::text::{Cursor, split_once_str};

/// What a line says of a lease. Texts are slices of the line; an empty one is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lease<'a> {
    /// `DHCPACK`, `DHCPDISCOVER`, …
    pub message: &'a [u8],
    /// The address asked for, offered or given.
    pub client: Option<Ip>,
    /// The server that the client asked for.
    pub server: Option<Ip>,
    /// The client's hardware address.
    pub mac: &'a [u8],
    /// The name that the client gives itself.
    pub name: &'a [u8],
    /// The server's interface, or the relay's address.
    pub via: &'a [u8],
    /// What follows a colon: why nothing came of it.
    pub note: &'a [u8],
}

/// Reads a sentence of DHCP for IPv4. `None` if it is none.
pub fn sentence(text: &[u8]) -> Option<Lease<'_>> {
    if !text.starts_with(b"DHCP") {
        return None;
    }
    let mut cursor = Cursor::new(text);
    let mut lease = Lease { message: cursor.take_while(|byte| byte.is_ascii_uppercase()), ..Lease::default() };
    cursor.skip_blanks();
    while !cursor.is_done() {
        let word = cursor.take_while(|byte| byte != b' ');
        cursor.skip_blanks();
        let mut value = || {
            let value = cursor.take_while(|byte| byte != b' ');
            cursor.skip_blanks();
            let name = if cursor.peek() == Some(b'(') {
                cursor.skip(1);
                let name = cursor.until(b')').unwrap_or(b"");
                cursor.skip_blanks();
                name
            } else {
                b""
            };
            (value, name)
        };
        match word {
            b"on" | b"for" | b"of" => {
                let (address, server) = value();
                lease.client = Ip::parse(address.strip_suffix(b":").unwrap_or(address));
                lease.server = Ip::parse(server);
            }
            b"from" | b"to" => {
                let (end, name) = value();
                // an inform has no MAC but the client's address
                match Ip::parse(end) {
                    Some(ip) => lease.client = lease.client.or(Some(ip)),
                    None => lease.mac = end,
                }
                lease.name = name;
            }
            b"via" => {
                let rest = cursor.finish();
                let (via, note) = split_once_str(rest, b": ").unwrap_or((rest, b""));
                lease.via = via.split(|byte| *byte == b' ').next().unwrap_or(via);
                lease.note = note.trim_ascii();
            }
            _ => {}
        }
    }
    (!lease.message.is_empty() && lease.message.len() > 4).then_some(lease)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentences_of_a_lease_are_read() {
        let ip = |text: &str| Ip::parse(text.as_bytes());
        let ack = sentence(b"DHCPACK on 10.0.0.56 to 02:00:00:00:00:01 (ws 7) via eth0");
        assert_eq!(
            ack.map(|lease| (lease.client, lease.mac, lease.name, lease.via)),
            Some((ip("10.0.0.56"), &b"02:00:00:00:00:01"[..], &b"ws 7"[..], &b"eth0"[..]))
        );
        let request = sentence(b"DHCPREQUEST for 10.0.0.56 (10.0.0.1) from 02:00:00:00:00:01 via eth0: wrong network.");
        assert_eq!(
            request.map(|lease| (lease.client, lease.server, lease.note)),
            Some((ip("10.0.0.56"), ip("10.0.0.1"), &b"wrong network."[..]))
        );
        let inform = sentence(b"DHCPINFORM from 10.0.0.57 via eth0").map(|lease| (lease.message, lease.client));
        assert_eq!(inform, Some((&b"DHCPINFORM"[..], ip("10.0.0.57"))));
        assert_eq!(sentence(b"Wrote 3 leases to leases file."), None);
        assert_eq!(sentence(b"DHCP"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in "DHCP[A-Z]{0,4}( (on|for|from|to|via|of)| |\\(|\\)|:|[0-9a-f.]{0,9}){0,12}") {
            let _ = sentence(text.as_bytes());
        }
    }
}
