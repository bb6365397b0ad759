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
