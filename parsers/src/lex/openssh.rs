//! The one sentence in which OpenSSH tells how a login ended, as other products repeat it in their own messages:
//! `{Accepted|Failed} METHOD for [invalid user ]USER from ADDRESS port PORT …`.
//!
//! The name is chosen by the client and may hold the same words, so address and port are read from the right end.

use super::text::{Cursor, split_once_str};

/// What the sentence says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Login<'a> {
    /// Whether it was let in.
    pub accepted: bool,
    /// `password`, `publickey`, `keyboard-interactive/pam`, …
    pub method: &'a [u8],
    /// The account.
    pub user: &'a [u8],
    /// Whether the account does not exist.
    pub invalid: bool,
    /// The client's address or name.
    pub address: &'a [u8],
    /// The client's port.
    pub port: Option<u16>,
}

/// Reads the sentence. `None` for any other text.
pub fn login(text: &[u8]) -> Option<Login<'_>> {
    let mut cursor = Cursor::new(text);
    let accepted = cursor.take_if(b"Accepted ");
    if !accepted {
        cursor.expect(b"Failed ")?;
    }
    let (method, rest) = split_once_str(cursor.rest(), b" for ")?;
    let port_at = memchr::memmem::rfind(rest, b" port ")?;
    let from_at = memchr::memmem::rfind(&rest[..port_at], b" from ")?;
    let user = rest[..from_at].strip_prefix(b"invalid user ");
    Some(Login {
        accepted,
        method,
        user: user.unwrap_or(&rest[..from_at]),
        invalid: user.is_some(),
        address: &rest[from_at + 6..port_at],
        port: schemas::parse_port(Cursor::new(&rest[port_at + 6..]).word()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_holds_the_words_of_the_sentence_is_still_a_name() {
        let text = b"Failed password for invalid user x from 10.9.9.9 port 1 from 198.51.100.66 port 36661 ssh2";
        let login = login(text).expect("the sentence");
        assert_eq!((login.user, login.address), (&b"x from 10.9.9.9 port 1"[..], &b"198.51.100.66"[..]));
        assert!(!login.accepted && login.invalid && login.port == Some(36661));
        assert_eq!(super::login(b"Connection closed by 192.0.2.1 port 1"), None);
    }
}
