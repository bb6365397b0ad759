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
    split(text, |host| !host.contains(&b':'))
}

/// The same where a port is nearly always written: what stands behind the last colon is the port's, even after an IPv6 address
/// without brackets, unless nothing else could be an address then.
///
/// ```
/// use parsers::lex::endpoint::end;
/// assert_eq!(end(b"192.0.2.10"), (&b"192.0.2.10"[..], None));
/// assert_eq!(end(b"2001:db8::7:1194"), (&b"2001:db8::7"[..], Some(1194)));
/// assert_eq!(end(b"[2001:db8::7]"), (&b"2001:db8::7"[..], None));
/// assert_eq!(end(b"::ffff:192.0.2.10"), (&b"::ffff:192.0.2.10"[..], None));
/// assert_eq!(end(b"::1"), (&b"::1"[..], None));
/// assert_eq!(end(b"host.example.com:99999"), (&b"host.example.com:99999"[..], None));
/// ```
pub fn end(text: &[u8]) -> (&[u8], Option<u16>) {
    split(text.trim_ascii(), |host| !host.contains(&b':') || Ip::parse(host).is_some())
}

/// Host and port at the last colon, if what stands before it may be a host; brackets always may.
fn split(text: &[u8], is_host: impl Fn(&[u8]) -> bool) -> (&[u8], Option<u16>) {
    let is_bracketed = |host: &[u8]| matches!(host, [b'[', .., b']']);
    let parts = rsplit_once(text, b':').filter(|(host, _)| is_bracketed(host) || is_host(host));
    let (host, port) = match parts.and_then(|(host, port)| Some((host, parse_port(port)?))) {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    match host {
        [b'[', inner @ .., b']'] => (inner, port),
        host => (host, port),
    }
}
