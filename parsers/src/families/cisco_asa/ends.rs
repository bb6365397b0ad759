//! How ASA writes an end of a conversation: `IF:ADDR/PORT(identity)`, with a name where an address may stand.
//!
//! Interface names may hold `-`, `_`, `/`, `.` and blanks but no colon; an IPv6 address holds colons but no slash. So
//! the interface goes up to the first colon and the port begins after the last slash.

use schemas::{FieldKind, Ip, Key, Row, Span, key};

use crate::lex::text::{Cursor, contains, present, rsplit_once};

/// One end as it is written; empty parts are absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct End<'a> {
    pub(super) interface: &'a [u8],
    pub(super) address: &'a [u8],
    pub(super) port: &'a [u8],
    pub(super) identity: &'a [u8],
}

/// `IF:ADDR[/PORT]`, the interface always there.
#[inline]
pub(super) fn end<'a>(cursor: &mut Cursor<'a>) -> Option<End<'a>> {
    let interface = cursor.until_near(b':')?;
    let mut end = bare(cursor)?;
    end.interface = interface;
    Some(end)
}

/// `ADDR[/PORT]`.
#[inline]
pub(super) fn bare<'a>(cursor: &mut Cursor<'a>) -> Option<End<'a>> {
    let token = cursor.until_any(b' ', b'(', b',');
    if token.is_empty() {
        return None;
    }
    Some(split(token))
}

/// `[IF:]ADDR[/PORT]`: with an interface if what stands before the first colon can't be a part of an address.
pub(super) fn either<'a>(cursor: &mut Cursor<'a>) -> Option<End<'a>> {
    if cursor.rest().starts_with(b"NP Identity Ifc:") {
        return end(cursor);
    }
    let mut ahead = *cursor;
    let plain = bare(&mut ahead)?;
    if memchr::memchr(b':', plain.address).is_none() || Ip::parse(plain.address).is_some() {
        *cursor = ahead;
        return Some(plain);
    }
    end(cursor)
}

#[inline]
fn split(token: &[u8]) -> End<'_> {
    match rsplit_port(token) {
        Some((address, port)) => End { address, port, ..End::default() },
        None => End { address: token, ..End::default() },
    }
}

/// At the last slash, which is a few digits from the end: nearer than a search is set up.
#[inline]
fn rsplit_port(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().rposition(|byte| *byte == b'/')?;
    Some((&text[..at], &text[at + 1..]))
}

/// `(…)` up to its own closing bracket, with or without a blank before it; without the brackets.
#[inline]
pub(super) fn brackets<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let skip = match cursor.rest() {
        [b'(', ..] => 1,
        [b' ', b'(', ..] => 2,
        _ => return None,
    };
    let inside = &cursor.rest()[skip..];
    let mut depth = 0usize;
    for (at, &byte) in inside.iter().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 0 => {
                cursor.skip(skip + at + 1);
                return Some(&inside[..at]);
            }
            b')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// `(M/N)`: the other address of the end before it.
#[inline]
pub(super) fn mapped<'a>(cursor: &mut Cursor<'a>) -> Option<(&'a [u8], &'a [u8])> {
    let mut ahead = *cursor;
    ahead.expect(b" (")?;
    let inside = ahead.until_near(b')')?;
    let pair = rsplit_port(inside)?;
    *cursor = ahead;
    Some(pair)
}

/// The user that an identity names: `LOCAL\user`, `user@dom, 12:Tag`, `(LOCAL\user, 5)`; none for `12:Tag`, `12`, `*****`.
/// Gives domain and user.
pub(super) fn user(identity: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut text = identity.trim_ascii();
    while let [b'(', inner @ .., b')'] = text {
        text = inner;
    }
    let text = text.split(|&b| b == b',').next()?.trim_ascii();
    if text.is_empty() || text.iter().all(|&b| b == b'*') {
        return None;
    }
    if let Some((domain, user)) = rsplit_once(text, b'\\') {
        let domain = domain.split(|&b| b == b'\\').next()?;
        return Some((domain, user)).filter(|(_, user)| !user.is_empty());
    }
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    if digits > 0 && (digits == text.len() || text[digits] == b':') {
        return None;
    }
    match rsplit_once(text, b'@') {
        Some((user, domain)) if !user.is_empty() => Some((domain, user)),
        _ => Some((b"", text)),
    }
}

/// Sets the user that an identity names, if it names one and none is set.
pub(super) fn set_user(identity: &[u8], row: &mut Row<'_>) {
    if row.has(schemas::Field::User) {
        return;
    }
    if let Some((domain, user)) = user(identity) {
        row.text(key::USER, user);
        row.text(key::USER_DOMAIN, domain);
    }
}

/// A user name as a field of a sentence: with its domain, quotes and brackets off; hidden and empty ones are none.
pub(super) fn set_user_name(name: &[u8], row: &mut Row<'_>) {
    let name = name.trim_ascii();
    let name = match name {
        [b'<', inner @ .., b'>'] | [b'\'', inner @ .., b'\''] | [b'"', inner @ .., b'"'] => inner,
        _ => name,
    };
    if name.is_empty() || name.iter().all(|&b| b == b'*') {
        return;
    }
    match rsplit_once(name, b'\\') {
        Some((domain, user)) if !user.is_empty() => {
            row.text(key::USER, user);
            row.text(key::USER_DOMAIN, domain);
        }
        _ => row.text(key::USER, name),
    }
}

/// Puts an address in its column, or a name in that for names.
#[inline]
pub(super) fn set_address<T>(row: &mut Row<'_>, ip: Key<Ip>, name: Key<T>, address: &[u8])
where
    T: FieldKind<Stored = Span, Value = Span>,
{
    match Ip::parse(address) {
        Some(value) => row.set(ip, value),
        None => row.text(name, present(address).unwrap_or(b"")),
    }
}

/// Sets the source's columns.
#[inline]
pub(super) fn set_source(row: &mut Row<'_>, end: &End<'_>) {
    set_address(row, key::SRC_IP, key::SRC_HOST, end.address);
    row.set_opt(key::SRC_PORT, schemas::parse_port(end.port));
    row.text(key::SRC_ZONE, end.interface);
}

/// Sets the destination's columns; a service's name stands for its port.
#[inline]
pub(super) fn set_destination(row: &mut Row<'_>, end: &End<'_>) {
    set_address(row, key::DST_IP, key::DST_HOST, end.address);
    row.set_opt(key::DST_PORT, port(end.port));
    row.text(key::DST_ZONE, end.interface);
}

/// A port by number or by the name that ASA prints for it.
#[inline]
pub(super) fn port(text: &[u8]) -> Option<u16> {
    schemas::parse_port(text).or_else(|| named_port(text))
}

/// Names that ASA prints in place of port numbers. Source: Cisco, ASA command reference, "Addresses, Protocols, and Ports".
fn named_port(name: &[u8]) -> Option<u16> {
    Some(match name {
        b"ssh" => 22,
        b"telnet" => 23,
        b"https" => 443,
        b"http" | b"www" => 80,
        b"domain" => 53,
        b"ftp" => 21,
        b"ftp-data" => 20,
        b"smtp" => 25,
        b"snmp" => 161,
        b"snmptrap" => 162,
        b"ntp" => 123,
        b"tftp" => 69,
        b"syslog" => 514,
        b"isakmp" => 500,
        b"netbios-ns" => 137,
        b"netbios-dgm" => 138,
        b"netbios-ssn" => 139,
        b"bootps" => 67,
        b"bootpc" => 68,
        b"sunrpc" => 111,
        b"ldap" => 389,
        b"ldaps" => 636,
        b"imap4" => 143,
        b"pop3" => 110,
        b"sqlnet" => 1521,
        b"citrix-ica" => 1494,
        b"sip" => 5060,
        b"radius" => 1645,
        b"radius-acct" => 1646,
        b"tacacs" => 49,
        b"kerberos" => 750,
        b"pptp" => 1723,
        b"lpd" => 515,
        b"whois" => 43,
        b"finger" => 79,
        b"ident" => 113,
        b"nntp" => 119,
        b"bgp" => 179,
        b"irc" => 194,
        b"rsh" => 514,
        b"rip" => 520,
        b"pcanywhere-data" => 5631,
        b"pcanywhere-status" => 5632,
        b"cifs" => 3020,
        b"nfs" => 2049,
        b"aol" => 5190,
        b"echo" => 7,
        b"discard" => 9,
        b"daytime" => 13,
        b"time" => 37,
        b"nameserver" => 42,
        b"gopher" => 70,
        b"hostname" => 101,
        b"pop2" => 109,
        b"login" => 513,
        b"exec" => 512,
        b"cmd" => 514,
        b"uucp" => 540,
        b"klogin" => 543,
        b"kshell" => 544,
        b"h323" => 1720,
        b"ctiqbe" => 2748,
        _ => return None,
    })
}

/// `Group <G> User <U> IP <A> …` or the same without brackets, anywhere in a sentence: group, user, source.
pub(super) fn group_user_ip(text: &[u8], row: &mut Row<'_>) {
    let mut cursor = Cursor::new(text);
    if cursor.until_str(b"Group <").is_some() {
        if let Some(group) = cursor.until(b'>') {
            row.extra_fixed("group", group);
        }
        if cursor.until_str(b"User <").is_some()
            && let Some(name) = cursor.until(b'>')
        {
            set_user_name(name, row);
        }
        if cursor.until_str(b"IP <").is_some()
            && let Some(address) = cursor.until(b'>')
        {
            row.set_opt(key::SRC_IP, Ip::parse(address));
        }
        return;
    }
    if cursor.take_if(b"Group ") && !cursor.rest().starts_with(b"=") {
        if let Some(group) = cursor.until_str(b" User ") {
            row.extra_fixed("group", group);
            if let Some(name) = cursor.until_str(b" IP ") {
                set_user_name(name, row);
                row.set_opt(key::SRC_IP, Ip::parse(cursor.word()));
            }
        }
        return;
    }
    // `WebVPN session for client user U, IP A has been created.`
    if contains(text, b" user ")
        && cursor.until_str(b" user ").is_some()
        && let Some(name) = cursor.until_str(b", IP ")
    {
        let address = cursor.word();
        if let Some(ip) = Ip::parse(address.strip_suffix(b",").unwrap_or(address)) {
            row.set(key::SRC_IP, ip);
            set_user_name(name, row);
        }
    }
}

/// `Local:L:p Remote:A:q Username:U …`, as the IKEv2 messages begin: ends in textual order, no direction said.
pub(super) fn local_remote(text: &[u8], row: &mut Row<'_>) {
    let mut cursor = Cursor::new(text);
    if !cursor.take_if(b"Local:") {
        return;
    }
    let Some((local, port)) = rsplit_once(cursor.word(), b':') else { return };
    if !cursor.take_if(b"Remote:") {
        return;
    }
    let Some((remote, remote_port)) = rsplit_once(cursor.word(), b':') else { return };
    set_source(row, &End { address: local, port, ..End::default() });
    set_destination(row, &End { address: remote, port: remote_port, ..End::default() });
    if cursor.take_if(b"Username:") {
        let name = cursor.word();
        if !name.eq_ignore_ascii_case(b"Unknown") {
            set_user_name(name, row);
        }
    }
}

/// `… from [IF:]A[/p] to [IF:]B[/q]` in a message that is not mapped, if both are addresses beyond doubt.
pub(super) fn from_to(text: &[u8], row: &mut Row<'_>) {
    let mut cursor = Cursor::new(text);
    if cursor.until_str(b" from ").is_none() {
        return;
    }
    let Some(source) = either(&mut cursor) else { return };
    brackets(&mut cursor);
    if !cursor.take_if(b" to ") {
        return;
    }
    let Some(mut destination) = either(&mut cursor) else { return };
    destination.address = destination.address.strip_suffix(b".").unwrap_or(destination.address);
    destination.port = destination.port.strip_suffix(b";").unwrap_or(destination.port);
    if Ip::parse(source.address).is_some() && Ip::parse(destination.address).is_some() {
        set_source(row, &source);
        set_destination(row, &destination);
    }
}
