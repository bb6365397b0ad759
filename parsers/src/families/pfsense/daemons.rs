//! What runs on such a firewall beside pf: DHCP, DNS, the web interface, IPsec, sshguard, and its own helpers.
//!
//! Their sentences are fixed by the programs: who got which address, who asked for which name, who logged in. What only
//! tells of the daemon itself is a row with its message.

use schemas::{Action, EventKind, Field, Ip, LogSource, Outcome, Row, Transport, key};

use super::{says, source};
use crate::Record;
use crate::lex::dhcp;
use crate::lex::endpoint;
use crate::lex::text::{Cursor, contains, decimal, split_once, split_once_str};

static DHCP: LogSource = source("pfsense.dhcp", &[], &["dhcp"]);
static DNS: LogSource = source("pfsense.unbound", &["dns"], &["unbound"]);
static LOGIN: LogSource = source("pfsense.auth", &["authentication"], &["webgui"]);
static IPSEC: LogSource = source("pfsense.ipsec", &[], &["ipsec"]);
static OTHER: LogSource = source("pfsense.system", &[], &["system"]);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Daemon {
    Dhcp,
    Unbound,
    Web,
    Ipsec,
    Sshguard,
    Portal,
    Other,
}

/// The programs, and for names that others use too how their lines begin.
fn daemon(app: &[u8], body: &[u8]) -> Option<Daemon> {
    Some(match app {
        b"dhcpd" | b"dhclient" | b"dhcp6c" | b"dhcpd6" | b"dhcrelay" | b"dhcpleases" | b"dhcpleases6" => Daemon::Dhcp,
        b"unbound" => Daemon::Unbound,
        b"php-fpm" | b"php" | b"php-cgi" | b"opnsense" | b"audit" | b"configd.py" if is_web(body) => Daemon::Web,
        b"php-fpm" | b"opnsense" | b"configd.py" => Daemon::Other,
        b"charon" | b"charon-systemd" => Daemon::Ipsec,
        b"sshguard" => Daemon::Sshguard,
        b"logportalauth" => Daemon::Portal,
        b"check_reload_status"
        | b"dpinger"
        | b"rc.gateway_alarm"
        | b"radvd"
        | b"rtsold"
        | b"syslogd"
        | b"miniupnpd"
        | b"lighttpd"
        | b"hostapd"
        | b"ppp"
        | b"l2tps"
        | b"pppoe"
        | b"filterdns"
        | b"apinger"
        | b"vnstatd"
        | b"ntpd"
        | b"pkg"
        | b"pkg-static"
        | b"rc.bootup"
        | b"rc.newwanip"
        | b"rc.filter_configure" => Daemon::Other,
        _ => return None,
    })
}

/// `/index.php: …`, as the interface's scripts begin.
fn is_web(body: &[u8]) -> bool {
    body.starts_with(b"/") && contains(&body[..body.len().min(80)], b".php: ")
        || says(body, &[b"uthentication error for", b"Successful login for", b"user 'root' authenticated"])
}

/// Whether a program's line is read here.
pub(super) fn knows(app: &[u8], body: &[u8]) -> bool {
    daemon(app, body).is_some()
}

pub(super) fn event(record: &Record<'_>, row: &mut Row<'_>) {
    let text = record.body;
    row.text(key::PROCESS_NAME, record.header.app);
    row.set_opt(key::PROCESS_ID, decimal(record.header.pid));
    row.text(key::MESSAGE, text);
    row.set(key::KIND, EventKind::Other);
    match daemon(record.header.app, text) {
        Some(Daemon::Dhcp) => leases(text, row),
        Some(Daemon::Unbound) => names(text, row),
        Some(Daemon::Web) => web(text, row),
        Some(Daemon::Ipsec) => ipsec(text, row),
        Some(Daemon::Portal) => portal(text, row),
        Some(Daemon::Sshguard) => {
            row.log_source(&OTHER);
            // `Attack from "A" on service SSH with danger 10.`, `Blocking "A/32" for 120 secs (…)`
            let quoted = split_once(text, b'"').and_then(|(_, rest)| split_once(rest, b'"'));
            if let Some((address, _)) = quoted {
                row.set_opt(key::SRC_IP, client(address));
            }
            if text.starts_with(b"Blocking ") {
                row.set(key::ACTION, Action::Deny);
            }
        }
        _ => row.log_source(&OTHER),
    }
}

/// The captive portal: `[Zone: Z - ]{ACCEPT|FAILURE|LOGOUT|…}: USER, MAC, ADDRESS[, WHY]`. A name may hold commas.
fn portal(text: &[u8], row: &mut Row<'_>) {
    row.log_source(&LOGIN);
    let text = match text.strip_prefix(b"Zone: ").and_then(|rest| split_once_str(rest, b" - ")) {
        Some((zone, rest)) => {
            row.extra_fixed("zone", zone);
            rest
        }
        None => text,
    };
    let Some((word, rest)) = split_once_str(text, b": ") else { return };
    row.text(key::EVENT_ACTION, word);
    // the hardware address: the first part that has five colons
    let is_mac = |part: &&[u8]| part.len() == 17 && part.iter().filter(|byte| **byte == b':').count() == 5;
    let mut from = 0;
    let mac = rest.split(|byte| *byte == b',').find_map(|part| {
        let at = from;
        from += part.len() + 1;
        Some((at, part.trim_ascii())).filter(|(_, part)| is_mac(part))
    });
    let Some((at, mac)) = mac else { return };
    row.set(key::KIND, EventKind::Auth);
    row.text(key::USER, rest[..at].trim_ascii().strip_suffix(b",").unwrap_or_default());
    row.text(key::SRC_MAC, mac);
    let mut after = rest[at..].split(|byte| *byte == b',').skip(1);
    row.set_opt(key::SRC_IP, after.next().and_then(|part| Ip::parse(part.trim_ascii())));
    row.text(key::REASON, after.next().map_or(&b""[..], <[u8]>::trim_ascii));
    match word {
        b"ACCEPT" | b"USER LOGIN" => row.set(key::OUTCOME, Outcome::Success),
        b"FAILURE" | b"ERROR" => row.set(key::OUTCOME, Outcome::Failure),
        b"LOGOUT" | b"DISCONNECT" | b"TIMEOUT" | b"IDLE TIMEOUT" | b"SESSION TIMEOUT" => {
            row.set(key::ACTION, Action::End);
        }
        _ => row.set(key::KIND, EventKind::Other),
    }
}

/// DHCP for both versions. The address is the client's, or the one it gets.
fn leases(text: &[u8], row: &mut Row<'_>) {
    row.log_source(&DHCP);
    row.set(key::TRANSPORT, Transport::UDP);
    row.fixed(key::APP_PROTO, "dhcp");
    if let Some(lease) = dhcp::sentence(text) {
        row.text(key::EVENT_ACTION, lease.message);
        row.set_opt(key::SRC_IP, lease.client);
        row.set_opt(key::DST_IP, lease.server);
        row.text(key::SRC_MAC, lease.mac);
        row.text(key::SRC_HOST, lease.name);
        row.text(key::IN_INTERFACE, lease.via);
        row.text(key::REASON, lease.note);
        return;
    }
    let mut words = Cursor::new(text);
    while !words.is_done() {
        let word = words.word();
        match word {
            b"port" if row.has(Field::SrcIp) && !row.has(Field::SrcPort) => {
                let port = words.take_while(|byte| byte.is_ascii_digit());
                row.set_opt(key::SRC_PORT, schemas::parse_port(port));
            }
            b"duid" => row.extra_fixed("duid", words.word()),
            b"on" if !row.has(Field::InInterface) && row.has(Field::SrcIp) => row.text(key::IN_INTERFACE, words.word()),
            word if !row.has(Field::SrcIp) && word.len() > 2 => row.set_opt(key::SRC_IP, client(word)),
            _ => {}
        }
    }
}

/// An address with a prefix length or a comma behind it.
fn client(word: &[u8]) -> Option<Ip> {
    let word = word.strip_suffix(b",").unwrap_or(word);
    let word = split_once(word, b'/').map_or(word, |(address, _)| address);
    Ip::parse(word)
}

/// `[pid:thread] info: CLIENT NAME. TYPE CLASS[ RCODE SECONDS CACHED SIZE]`.
fn names(text: &[u8], row: &mut Row<'_>) {
    row.log_source(&DNS);
    let Some((_, rest)) = split_once_str(text, b"info: ") else { return };
    let mut words = Cursor::new(rest);
    let Some(ip) = Ip::parse(words.word()) else { return };
    let (name, kind, class) = (words.word(), words.word(), words.word());
    if class.is_empty() {
        return;
    }
    row.set(key::KIND, EventKind::Dns);
    row.set(key::SRC_IP, ip);
    let name = name.strip_suffix(b".").filter(|name| !name.is_empty()).unwrap_or(name);
    row.text(key::DNS_QUERY, name);
    row.text(key::DNS_TYPE, kind);
    let rcode = words.word();
    if rcode.iter().all(u8::is_ascii_uppercase) {
        row.text(key::DNS_RCODE, rcode);
    }
}

/// `/index.php: Successful login for user 'admin' from: A (Local Database)`, `… webConfigurator authentication error for
/// user 'x' from: A`, OPNsense's `Web GUI authentication error for 'x' from A`, `… logged out for user 'admin' from: A`.
fn web(text: &[u8], row: &mut Row<'_>) {
    let (outcome, after) = if let Some((_, after)) = split_once_str(text, b"uccessful login for ") {
        (Some(Outcome::Success), after)
    } else if let Some((_, after)) = split_once_str(text, b"uthentication error for ") {
        (Some(Outcome::Failure), after)
    } else if let Some((_, after)) =
        split_once_str(text, b"logged out for ").or_else(|| split_once_str(text, b"timed out for "))
    {
        (None, after)
    } else {
        row.log_source(&OTHER);
        return;
    };
    row.log_source(&LOGIN);
    row.set(key::KIND, EventKind::Auth);
    row.set_opt(key::OUTCOME, outcome);
    // the name is the visitor's own text: the address is looked for from its right end
    let Some(at) = memchr::memmem::rfind(after, b" from") else { return };
    let (name, rest) = after.split_at(at);
    let name = name.strip_prefix(b"user ").unwrap_or(name);
    row.text(key::USER, crate::lex::text::unquote(name));
    let rest = rest[b" from".len()..].trim_ascii_start();
    let rest = rest.strip_prefix(b":").unwrap_or(rest).trim_ascii_start();
    let (address, rest) = split_once(rest, b' ').unwrap_or((rest, b""));
    row.set_opt(key::SRC_IP, client(address));
    let method = rest.strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")"));
    row.text(key::AUTH_METHOD, method.unwrap_or(b""));
}

/// strongSwan: `NN[NET] <con1|7> sending packet: from A[500] to B[500] (80 bytes)`,
/// `IKE_SA con1[7] established between A[id]...B[id]`, `EAP method EAP_MSCHAPV2 failed for peer x`.
fn ipsec(text: &[u8], row: &mut Row<'_>) {
    row.log_source(&IPSEC);
    let text = match split_once(text, b'>') {
        Some((head, rest)) if head.contains(&b'<') => {
            let (_, connection) = split_once(head, b'<').unwrap_or((b"", head));
            let (name, id) = split_once(connection, b'|').unwrap_or((connection, b""));
            row.extra_fixed("connection", name);
            row.text(key::SESSION_ID, id);
            rest.trim_ascii_start()
        }
        _ => split_once(text, b' ').filter(|(head, _)| head.ends_with(b"]")).map_or(text, |(_, rest)| rest),
    };
    let packet = text.strip_prefix(b"sending packet: from ").or_else(|| text.strip_prefix(b"received packet: from "));
    if let Some((from, rest)) = packet.and_then(|rest| split_once_str(rest, b" to ")) {
        let (to, size) = split_once(rest, b' ').unwrap_or((rest, b""));
        for (end, ip_key, port_key) in [(from, key::SRC_IP, key::SRC_PORT), (to, key::DST_IP, key::DST_PORT)] {
            if let Some((ip, port)) = bracketed(end) {
                row.set(ip_key, ip);
                row.set_opt(port_key, port);
            }
        }
        row.set(key::TRANSPORT, Transport::UDP);
        let bytes =
            size.strip_prefix(b"(").and_then(|rest| split_once(rest, b' ')).and_then(|(bytes, _)| decimal(bytes));
        row.set_opt(key::BYTES_OUT, bytes);
        row.set(key::KIND, EventKind::Flow);
    } else if let Some((_, ends)) = split_once_str(text, b" established between ") {
        if let Some((local, remote)) = split_once_str(ends, b"...") {
            row.set_opt(key::SRC_IP, bracketed(local).map(|(ip, _)| ip));
            row.set_opt(key::DST_IP, bracketed(remote).map(|(ip, _)| ip));
        }
    } else if let Some((method, peer)) =
        text.strip_prefix(b"EAP method ").and_then(|rest| split_once_str(rest, b" failed for peer "))
    {
        row.set(key::KIND, EventKind::Auth);
        row.set(key::OUTCOME, Outcome::Failure);
        row.text(key::AUTH_METHOD, method);
        row.text(key::USER, peer);
    }
}

/// `A[500]`, or `A[identity]`.
fn bracketed(text: &[u8]) -> Option<(Ip, Option<u16>)> {
    let (address, rest) = split_once(text, b'[')?;
    let inside = split_once(rest, b']').map_or(rest, |(inside, _)| inside);
    endpoint::colon(address).map(|(ip, _)| (ip, schemas::parse_port(inside)))
}
