//! What SYSTEM logs tell in prose: who logged in, from where, with what success.

use memchr::memmem;
use schemas::Outcome;

use crate::lex::openssh;
use crate::lex::text::{split_once, split_once_str};

/// What a sentence says. Empty texts are absent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told<'a> {
    pub(super) user: &'a [u8],
    pub(super) from: &'a [u8],
    pub(super) reason: &'a [u8],
    pub(super) method: &'a [u8],
    /// The authentication server that was asked: not the client.
    pub(super) server: &'a [u8],
    /// Only where the sentence tells of a logon.
    pub(super) outcome: Option<Outcome>,
    /// Whom the device itself has called, and on which port.
    pub(super) to: &'a [u8],
    pub(super) port: &'a [u8],
}

/// Reads a description.
pub(super) fn read(text: &[u8]) -> Told<'_> {
    let mut told = Told { server: between(text, b"server address '", b"'"), ..Told::default() };
    if let Some(rest) = text.strip_prefix(b"SAML SSO ").unwrap_or(text).strip_prefix(b"authenticated for user ") {
        told.outcome = Some(Outcome::Success);
        told.user = name(rest);
    } else if let Some(rest) = text.strip_prefix(b"failed authentication for user ") {
        told.outcome = Some(Outcome::Failure);
        told.user = name(rest);
        told.reason = reason(text);
    } else if let Some((user, _)) = text.strip_prefix(b"User '").and_then(|rest| split_once_str(rest, b"' failed auth"))
    {
        // `User 'U' failed authentication.  Reason: R From: A.`
        told.outcome = Some(Outcome::Failure);
        told.user = user;
        told.reason = reason(text);
    } else if text.starts_with(b"GlobalProtect ") && memmem::find(text, b" user authentication ").is_some() {
        let failed = memmem::find(text, b" authentication failed").is_some();
        told.outcome = Some(if failed { Outcome::Failure } else { Outcome::Success });
        told.user = trim(between(text, b"User name: ", b","));
        told.reason = trim(between(text, b"Reason: ", b","));
        told.from = trim(between(text, b"Login from: ", b","));
        return told;
    } else if text.starts_with(b"GlobalProtect ") && memmem::find(text, b"User name: ").is_some() {
        // the sessions that follow a logon
        told.user = trim(between(text, b"User name: ", b","));
        told.reason = trim(between(text, b"Reason: ", b","));
        return told;
    } else if let Some(login) = openssh::login(text) {
        told.outcome = Some(if login.accepted { Outcome::Success } else { Outcome::Failure });
        (told.user, told.from, told.method) = (login.user, login.address, login.method);
        return told;
    } else if let Some((user, rest)) =
        text.strip_prefix(b"When authenticating user '").and_then(|rest| split_once_str(rest, b"' from '"))
    {
        told.user = user;
        told.from = split_once(rest, b'\'').map_or(rest, |(address, _)| address);
        return told;
    } else if let Some(rest) = text.strip_prefix(b"client certificate authentication failed from ") {
        told.outcome = Some(Outcome::Failure);
        told.from = trim(word(rest));
        return told;
    } else if let Some((first, second)) = associated(text) {
        // the device comes first, whoever began
        let began = memmem::find(text, b" as responder").is_none();
        let (from, to) = if began { (first, second) } else { (second, first) };
        (told.from, told.to, told.port) = (from.0, to.0, to.1);
        return told;
    } else if let Some((name, rest)) =
        text.strip_prefix(b"User ").and_then(|rest| split_once_str(rest, b" logged in via "))
    {
        told.outcome = Some(Outcome::Success);
        told.user = name;
        told.from = word(split_once_str(rest, b" from ").map_or(&b""[..], |(_, rest)| rest));
        told.method = word(split_once_str(rest, b" using ").map_or(&b""[..], |(_, rest)| rest));
        return told;
    } else if let Some((name, rest)) =
        text.strip_prefix(b"User ").and_then(|rest| split_once_str(rest, b" logged out via "))
    {
        told.user = name;
        told.from = word(split_once_str(rest, b" from ").map_or(&b""[..], |(_, rest)| rest));
        return told;
    } else if let Some(rest) = text.strip_prefix(b"DHCP ").filter(|_| memmem::find(text, b" dhcp server: ").is_some()) {
        // `DHCP RENEW: interface eth0, ip 192.0.2.10 netmask 255.255.255.0 dhcp server: 192.0.2.1`
        told.from = word(split_once_str(rest, b", ip ").map_or(&b""[..], |(_, rest)| rest));
        told.to = word(split_once_str(rest, b" dhcp server: ").map_or(&b""[..], |(_, rest)| rest));
        return told;
    } else if let Some((_, rest)) = split_once_str(text, b" connect to address: ") {
        told.to = word(rest);
        told.port = word(split_once_str(rest, b" port: ").map_or(&b""[..], |(_, rest)| rest));
        return told;
    } else if let Some((_, rest)) = split_once_str(text, b", initiated by ") {
        told.from = trim(word(rest));
        return told;
    } else if let Some(rest) = text.strip_prefix(b"CLOUD ELECTION: ") {
        told.to = word(split_once_str(rest, b" IP: ").map_or(&b""[..], |(_, rest)| rest));
        return told;
    } else {
        // `… job succeeded  for user admin`, `… from version A to B by admin`
        let mark =
            [&b" for user "[..], b" by "].into_iter().find_map(|mark| Some(memmem::rfind(text, mark)? + mark.len()));
        told.user = mark.map(|at| name(&text[at..])).filter(|name| name.len() < 64).unwrap_or_default();
        if mark.is_some_and(|at| text[at..].contains(&b' ')) && !text.contains(&b'\'') {
            // the words go on: no name, but a clause
            told.user = b"";
        }
        return told;
    }
    told.method = between(text, b"auth protocol '", b"'");
    told.from = memmem::rfind(text, b"From: ").map_or(&b""[..], |at| trim(&text[at + 6..]));
    told
}

/// An address and a port.
type End<'a> = (&'a [u8], &'a [u8]);

/// The ends of `IKE … SA: A[500]-B[500] …`.
fn associated(text: &[u8]) -> Option<(End<'_>, End<'_>)> {
    let text = text.strip_prefix(b"IKE")?;
    let (_, ends) = split_once_str(text, b" SA: ")?;
    let (first, rest) = split_once(ends, b'[')?;
    let (port, rest) = split_once_str(rest, b"]-")?;
    let (second, rest) = split_once(rest, b'[')?;
    let (other, _) = split_once(rest, b']')?;
    Some(((first, port), (second, other)))
}

/// `'ann'` or `ann`.
fn name(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii();
    match text.strip_prefix(b"'") {
        Some(rest) => rest.split(|byte| *byte == b'\'').next().unwrap_or_default(),
        None => trim(word(text)),
    }
}

/// Up to the sentence's end: its full stop before a blank, or what comes next.
fn reason(text: &[u8]) -> &[u8] {
    let rest = split_once_str(text, b"Reason: ").map_or(&b""[..], |(_, rest)| rest);
    let ends = [&b" auth profile "[..], b" From: "];
    let end = ends.iter().filter_map(|mark| memmem::find(rest, mark)).min().unwrap_or(rest.len());
    trim(&rest[..end])
}

fn between<'a>(text: &'a [u8], from: &[u8], to: &[u8]) -> &'a [u8] {
    let Some((_, rest)) = split_once_str(text, from) else { return b"" };
    memmem::find(rest, to).map_or(rest, |at| &rest[..at])
}

fn word(text: &[u8]) -> &[u8] {
    text.trim_ascii_start().split(|byte| matches!(byte, b' ' | b',')).next().unwrap_or_default()
}

fn trim(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii();
    text.strip_suffix(b".").unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, user: &str, from: &str, outcome: Option<Outcome>) {
        let told = read(text.as_bytes());
        assert_eq!(
            (String::from_utf8_lossy(told.user), String::from_utf8_lossy(told.from), told.outcome),
            (user.into(), from.into(), outcome),
            "{text}"
        );
    }

    #[test]
    fn logins_are_told_in_several_sentences() {
        check(
            "authenticated for user 'ann'.   auth profile 'P', From: 192.0.2.7.",
            "ann",
            "192.0.2.7",
            Some(Outcome::Success),
        );
        check(
            "failed authentication for user 'bob'. Reason: Invalid username/password. auth profile 'P', server address '10.9.0.1', From: 192.0.2.8.",
            "bob",
            "192.0.2.8",
            Some(Outcome::Failure),
        );
        check("User ann logged in via Web from 192.0.2.7 using https", "ann", "192.0.2.7", Some(Outcome::Success));
        check("User ann logged out via CLI from 192.0.2.7", "ann", "192.0.2.7", None);
        check("Failed password for ann from 192.0.2.7 port 22 ssh2", "ann", "192.0.2.7", Some(Outcome::Failure));
        check(
            "GlobalProtect gateway user authentication failed. Login from: 192.0.2.7, User name: ann, Reason: x, y",
            "ann",
            "192.0.2.7",
            Some(Outcome::Failure),
        );
        check(
            "Failed password for x from 10.9.9.9 port 1 from 192.0.2.7 port 22 ssh2",
            "x from 10.9.9.9 port 1",
            "192.0.2.7",
            Some(Outcome::Failure),
        );
        check(
            "Accepted keyboard-interactive/pam for ann from 192.0.2.7 port 22 ssh2",
            "ann",
            "192.0.2.7",
            Some(Outcome::Success),
        );
        check(
            "User 'ann' failed authentication.  Reason: Invalid username/password From: 192.0.2.7.",
            "ann",
            "192.0.2.7",
            Some(Outcome::Failure),
        );
        check(
            "SAML SSO authenticated for user 'ann@example.com'. auth profile 'saml', From: 192.0.2.7.",
            "ann@example.com",
            "192.0.2.7",
            Some(Outcome::Success),
        );
        check(
            "When authenticating user 'ann' from '192.0.2.7', a less secure authentication method PAP is used.",
            "ann",
            "192.0.2.7",
            None,
        );
        check("client certificate authentication failed from 192.0.2.7.", "", "192.0.2.7", Some(Outcome::Failure));
        check("GlobalProtect gateway user logout succeeded. User name: ann, Reason: client logout.", "ann", "", None);
        check("Content update job succeeded  for user admin", "admin", "", None);
        check("Content package upgraded from version 1 to 2 by admin", "admin", "", None);
        check("Connection closed by the remote peer", "", "", None);
    }

    #[test]
    fn the_device_tells_whom_it_called_itself() {
        let told = read(b"DHCP RENEW: interface eth0, ip 192.0.2.10 netmask 255.255.255.0 dhcp server: 192.0.2.1");
        assert_eq!((told.from, told.to), (&b"192.0.2.10"[..], &b"192.0.2.1"[..]));
        let told = read(b"Successfully connect to address: 198.51.100.9 port: 3978, conn id: x");
        assert_eq!((told.to, told.port), (&b"198.51.100.9"[..], &b"3978"[..]));
        let told =
            read(b"Connection to Update server: updates.example.com completed successfully, initiated by 192.0.2.10");
        assert_eq!(told.from, b"192.0.2.10");
        let told = read(b"IKE phase-1 negotiation is failed as initiator, main mode. Failed SA: 192.0.2.1[500]-198.51.100.9[4500] cookie:a:b.");
        assert_eq!((told.from, told.to, told.port), (&b"192.0.2.1"[..], &b"198.51.100.9"[..], &b"4500"[..]));
        let told = read(b"IKEv2 IKE SA negotiation is succeeded as responder, non-rekey. Established SA: 192.0.2.1[500]-198.51.100.9[500] SPI:a");
        assert_eq!((told.from, told.to), (&b"198.51.100.9"[..], &b"192.0.2.1"[..]));
        let told = read(b"CLOUD ELECTION: list.example.com IP: 198.51.100.9 was elected, measured alive test 1.");
        assert_eq!(told.to, b"198.51.100.9");
    }

    #[test]
    fn the_reason_ends_where_the_sentence_does() {
        let told = read(
            b"failed authentication for user 'x'.  Reason: Internal error, e.g. no route. auth profile 'P', From: .",
        );
        assert_eq!((told.reason, told.from), (&b"Internal error, e.g. no route"[..], &b""[..]));
    }
}
