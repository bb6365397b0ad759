//! An address with a port after it, in the ways that devices join them.
//!
//! A colon also stands inside IPv6 addresses, and not every device puts those in brackets: which reading is meant, only the
//! family knows, so there is a function for each.

use schemas::{Ip, parse_port};

use super::text::rsplit_once;

/// `A:p` and `[A]:p` where a port is always written: what follows the last colon is the port, even after an IPv6 address
/// without brackets. `A` alone if it can't be read so.
///
/// ```
/// use parsers::lex::endpoint::colon;
/// use schemas::Ip;
/// let six = Ip::parse(b"2001:db8::1").unwrap();
/// assert_eq!(colon(b"192.0.2.1:80"), Some((Ip::v4([192, 0, 2, 1]), Some(80))));
/// assert_eq!(colon(b"[2001:db8::1]:80"), Some((six, Some(80))));
/// assert_eq!(colon(b"2001:db8::1:80"), Some((six, Some(80))));
/// assert_eq!(colon(b"192.0.2.1"), Some((Ip::v4([192, 0, 2, 1]), None)));
/// assert_eq!(colon(b"host:80"), None);
/// ```
pub fn colon(token: &[u8]) -> Option<(Ip, Option<u16>)> {
    if let Some((address, port)) = rsplit_once(token, b':')
        && let (Some(ip), Some(port)) = (Ip::parse(address), parse_port(port))
    {
        return Some((ip, Some(port)));
    }
    Some((Ip::parse(token)?, None))
}

/// `A/p`; an IPv6 address has no slash. `A` alone without one.
///
/// ```
/// use parsers::lex::endpoint::slash;
/// use schemas::Ip;
/// assert_eq!(slash(b"192.0.2.1/80"), Some((Ip::v4([192, 0, 2, 1]), Some(80))));
/// assert_eq!(slash(b"192.0.2.1"), Some((Ip::v4([192, 0, 2, 1]), None)));
/// assert_eq!(slash(b"192.0.2.1/x"), None);
/// ```
pub fn slash(token: &[u8]) -> Option<(Ip, Option<u16>)> {
    match rsplit_once(token, b'/') {
        Some((address, port)) => Some((Ip::parse(address)?, Some(parse_port(port)?))),
        None => Some((Ip::parse(token)?, None)),
    }
}

/// `A.p`, as tcpdump and pf's tools write it: five numbers are an IPv4 address and a port, and a dot behind an IPv6 address is
/// followed by one. `A` alone without.
///
/// ```
/// use parsers::lex::endpoint::dot;
/// use schemas::Ip;
/// assert_eq!(dot(b"192.0.2.1.80"), Some((Ip::v4([192, 0, 2, 1]), Some(80))));
/// assert_eq!(dot(b"192.0.2.1"), Some((Ip::v4([192, 0, 2, 1]), None)));
/// assert_eq!(dot(b"2001:db8::1.443").and_then(|(_, port)| port), Some(443));
/// assert_eq!(dot(b"192.0.2"), None);
/// ```
pub fn dot(token: &[u8]) -> Option<(Ip, Option<u16>)> {
    if let Some(ip) = Ip::parse(token) {
        return Some((ip, None));
    }
    let (address, port) = rsplit_once(token, b'.')?;
    Some((Ip::parse(address)?, Some(parse_port(port)?)))
}

/// A host's name or address and the port behind its last colon. An address in brackets loses them; without a port, and of
/// an IPv6 address without brackets, the whole text is the host.
///
/// ```
/// use parsers::lex::endpoint::host_port;
/// assert_eq!(host_port(b"www.example.com:443"), (&b"www.example.com"[..], Some(443)));
/// assert_eq!(host_port(b"[2001:db8::1]:80"), (&b"2001:db8::1"[..], Some(80)));
/// assert_eq!(host_port(b"2001:db8::1"), (&b"2001:db8::1"[..], None));
/// ```
pub fn host_port(text: &[u8]) -> (&[u8], Option<u16>) {
    let (host, port) = match rsplit_once(text, b':') {
        Some((host, port)) => match parse_port(port) {
            Some(port) => (host, Some(port)),
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
