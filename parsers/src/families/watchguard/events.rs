//! Lines that are no packet: logins, VPN sessions, leases, findings of the sandbox, the device's own life.

use schemas::{Action, EventKind, Field, Ip, Outcome, Row, key};

use super::{EVENT, IPS, LOGIN, address};
use crate::lex::dhcp;
use crate::lex::text::{contains, rsplit_once, split_once, split_once_str};

/// Concludes a row from an event's sentence.
pub(super) fn event(text: &[u8], row: &mut Row<'_>) {
    row.set(key::KIND, EventKind::Other);
    if !row.has(Field::Message) {
        row.text(key::MESSAGE, text);
    }
    if login(text, row) {
        row.log_source(&LOGIN);
        row.set(key::KIND, EventKind::Auth);
        return;
    }
    if let Some(details) = split_once_str(text, b"Details='").map(|(_, details)| details) {
        threat(text, details, row);
        return;
    }
    if flood(text, row) {
        row.log_source(&IPS);
        row.set(key::KIND, EventKind::Alert);
        row.set(key::ACTION, Action::Alert);
        return;
    }
    row.log_source(&EVENT);
    if let Some(lease) = dhcp::sentence(text) {
        row.set_opt(key::SRC_IP, lease.client);
        row.set_opt(key::DST_IP, lease.server);
        row.text(key::SRC_MAC, lease.mac);
        row.text(key::SRC_HOST, lease.name);
        row.text(key::IN_INTERFACE, lease.via.strip_suffix(b":").unwrap_or(lease.via));
        row.text(key::EVENT_ACTION, lease.message);
    } else if let Some((ends, tunnel)) = text.strip_prefix(b"(").and_then(|rest| split_once(rest, b')'))
        && let Some((local, remote)) = split_once_str(ends, b"<->")
    {
        // the gateways of a tunnel; who began is not said
        row.set_opt(key::SRC_IP, Ip::parse(local));
        row.set_opt(key::DST_IP, Ip::parse(remote));
        let name = tunnel.strip_prefix(b"'").and_then(|rest| split_once(rest, b'\''));
        row.extra_fixed("tunnel", name.map_or(&b""[..], |(name, _)| name));
    } else if let Some(rest) = text.strip_prefix(b"Temporarily blocking host ") {
        let (host, reason) = split_once(rest, b' ').unwrap_or((rest, b""));
        row.set_opt(key::SRC_IP, Ip::parse(host));
        row.set(key::ACTION, Action::Deny);
        let reason = reason.strip_prefix(b"(reason = ").and_then(|reason| reason.strip_suffix(b")"));
        row.text(key::REASON, reason.unwrap_or(b""));
    }
}

/// `SYN flood attack against B from A detected.`, `DDOS from client A detected.` Says whether it was one of them.
fn flood(text: &[u8], row: &mut Row<'_>) -> bool {
    let Some(head) = text.strip_suffix(b".").unwrap_or(text).strip_suffix(b" detected") else { return false };
    if let Some((name, ends)) = split_once_str(head, b" against ") {
        let (target, source) = split_once_str(ends, b" from ").unwrap_or((ends, b""));
        row.set_opt(key::DST_IP, Ip::parse(target));
        row.set_opt(key::SRC_IP, Ip::parse(source));
        row.text(key::SIGNATURE, name);
        return true;
    }
    let Some((name, client)) = split_once_str(head, b" from client ") else { return false };
    row.set_opt(key::SRC_IP, Ip::parse(client));
    row.text(key::SIGNATURE, name);
    true
}

/// `Authentication of TYPE user [U@D] from A was accepted|rejected, WHY`, `TYPE user U@D from A logged in|logged out …`,
/// `TYPE User U@D from A log in attempt was rejected - WHY`. Says whether it was one of them.
fn login(text: &[u8], row: &mut Row<'_>) -> bool {
    let Some((before, after)) = split_once_str(text, b" from ") else { return false };
    let (method, name) = if let Some(rest) = before.strip_prefix(b"Authentication of ") {
        let Some((method, name)) = split_once_str(rest, b" user [") else { return false };
        (method, name.strip_suffix(b"]").unwrap_or(name))
    } else if let Some(name) = before.strip_prefix(b"User ") {
        (&b""[..], name)
    } else {
        let both = [split_once_str(before, b" user "), split_once_str(before, b" User ")];
        let Some(first) = both.into_iter().flatten().min_by_key(|(method, _)| method.len()) else { return false };
        first
    };
    let (end, said) = split_once(after, b' ').unwrap_or((after, b""));
    let Some(ip) = address(end) else { return false };
    let outcome = if said.starts_with(b"was accepted") || said.starts_with(b"logged in") {
        Some(Outcome::Success)
    } else if contains(said, b"rejected") || contains(said, b"failed") {
        Some(Outcome::Failure)
    } else if said.starts_with(b"logged out") {
        None
    } else {
        return false;
    };
    row.set_opt(key::OUTCOME, outcome);
    row.set(key::SRC_IP, ip);
    row.text(key::AUTH_METHOD, method);
    let (user, domain) = rsplit_once(name, b'@').unwrap_or((name, b""));
    if user != b"<missing user name>" {
        row.text(key::USER, user);
    }
    row.text(key::USER_DOMAIN, domain);
    if outcome == Some(Outcome::Failure) {
        let why = split_once_str(said, b" - ").or_else(|| split_once_str(said, b", "));
        row.text(key::REASON, why.map_or(&b""[..], |(_, why)| why.trim_ascii()));
    }
    // the address that a VPN client got
    if let Some((_, virtual_ip)) = split_once_str(said, b"virtual IP is ") {
        row.set_opt(key::NAT_SRC_IP, address(virtual_ip));
    }
    true
}

const DETAILS: &[(&[u8], Field)] = &[
    (b"Policy Name: ", Field::RuleName),
    (b"Source IP: ", Field::SrcIp),
    (b"Source Port: ", Field::SrcPort),
    (b"Destination IP: ", Field::DstIp),
    (b"Destination Port: ", Field::DstPort),
    (b"Host: ", Field::HttpHost),
    (b"Path: ", Field::Url),
];

/// A file's verdict by the sandbox: `APT threat notified. Details='Policy Name: … Reason: … Source IP: …'`.
fn threat(text: &[u8], details: &[u8], row: &mut Row<'_>) {
    let found = text.starts_with(b"APT threat");
    row.log_source(if found { &IPS } else { &EVENT });
    row.set(key::KIND, if found { EventKind::Alert } else { EventKind::Other });
    let details = details.strip_suffix(b"'").unwrap_or(details);
    for (label, field) in DETAILS {
        if let Some((_, value)) = split_once_str(details, label) {
            let value = value.split(|byte| *byte == b' ').next().unwrap_or(value);
            // what does not fit stays in the message
            let _ = row.put(*field, value);
        }
    }
    let reason = split_once_str(details, b"Reason: ")
        .and_then(|(_, rest)| split_once_str(rest, b" Message: ").or_else(|| split_once_str(rest, b" Task_UUID: ")));
    row.text(key::REASON, reason.map_or(&b""[..], |(reason, _)| reason));
    if found {
        row.set(key::ACTION, Action::Alert);
        if let Some((signature, _)) = split_once_str(text, b". Details=") {
            row.text(key::SIGNATURE, signature);
        }
    }
}
