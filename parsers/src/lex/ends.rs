//! One end of a conversation as it is written in one word: an address, and with it a port or not.
//!
//! `A:p`, `[A]:p`, `A`, and IPv6 with a port but without brackets, where the last group is the port: vendors write all
//! four. A word that is an address as a whole is one; only then its last colon is looked at.

use schemas::{Ip, parse_port};

/// The address, and the port if there is one. `None` if it begins with no address, or a port is no port.
///
/// ```
/// use parsers::lex::ends::ip_port;
/// assert_eq!(ip_port(b"192.0.2.1:443").and_then(|(_, port)| port), Some(443));
/// assert_eq!(ip_port(b"[2001:db8::1]:443").and_then(|(_, port)| port), Some(443));
/// assert_eq!(ip_port(b"2001:db8::1").and_then(|(_, port)| port), None);
/// assert!(ip_port(b"www.example.com:443").is_none());
/// ```
#[inline]
pub fn ip_port(text: &[u8]) -> Option<(Ip, Option<u16>)> {
    if let Some(ip) = Ip::parse(text) {
        return Some((ip, None));
    }
    let at = memchr::memrchr(b':', text)?;
    let ip = Ip::parse(&text[..at])?;
    Some((ip, Some(parse_port(&text[at + 1..])?)))
}

/// The host's name or address and the port behind its last colon. An address in brackets loses them; without a colon,
/// and of an IPv6 address without brackets, the whole text is the host.
///
/// ```
/// use parsers::lex::ends::host_port;
/// assert_eq!(host_port(b"www.example.com:443"), (&b"www.example.com"[..], Some(443)));
/// assert_eq!(host_port(b"[2001:db8::1]:80"), (&b"2001:db8::1"[..], Some(80)));
/// assert_eq!(host_port(b"2001:db8::1"), (&b"2001:db8::1"[..], None));
/// ```
#[inline]
pub fn host_port(text: &[u8]) -> (&[u8], Option<u16>) {
    let (host, port) = match memchr::memrchr(b':', text) {
        Some(at) => match parse_port(&text[at + 1..]) {
            Some(port) => (&text[..at], Some(port)),
            None => (text, None),
        },
        None => (text, None),
    };
    match host {
        [b'[', inner @ .., b']'] => (inner, port),
        host if port.is_some() && host.contains(&b':') => (text, None),
        host => (host, port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_an_address_with_or_without_a_port() {
        for (text, ip, port) in [
            ("192.0.2.1", "192.0.2.1", None),
            ("192.0.2.1:80", "192.0.2.1", Some(80)),
            ("2001:db8::1", "2001:db8::1", None),
            ("[2001:db8::1]", "2001:db8::1", None),
            ("[2001:db8::1]:80", "2001:db8::1", Some(80)),
            // not an address as a whole: nine groups
            ("2001:db8:0:0:0:0:0:1:80", "2001:db8::1", Some(80)),
        ] {
            let found = ip_port(text.as_bytes()).map(|(ip, port)| (ip.to_string(), port));
            assert_eq!(found, Some((ip.to_string(), port)), "{text}");
        }
        for text in ["", ":", ":80", "192.0.2.1:", "192.0.2.1:http", "192.0.2.1:70000", "host:80"] {
            assert_eq!(ip_port(text.as_bytes()), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40)) {
            let _ = (ip_port(&text), host_port(&text));
        }
    }
}
