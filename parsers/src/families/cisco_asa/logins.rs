//! Logins to the device and through it: AAA, management, VPN; sessions and leases that follow; what administrators did.
//!
//! One login yields up to five messages. 605004 and 605005 (management), 113005 and 113015 (failures) and 113039, 716038 (VPN)
//! are the ones to count; all are given as they are, and `event_code` tells them apart.

use schemas::{Action, EventKind, Ip, Outcome, Row, Transport, key};

use super::ends;
use crate::lex::text::{Cursor, decimal, split_once, split_once_str};

/// The messages of this file. `None` if the number is not among them; else whether the sentence was the known one.
pub(super) fn message(number: u32, cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<Option<()>> {
    Some(match number {
        605_004 | 605_005 => management(number, cursor, row),
        611_101..=611_103 => uname(number, cursor, row),
        113_004 | 113_005 | 113_012 | 113_014 | 113_015 => aaa(cursor, row),
        113_006 | 113_021 | 308_001 => refused(number, cursor, row),
        113_008 | 113_009 | 113_011 | 113_003 => transaction(number, cursor, row),
        113_019 => vpn_end(cursor, row),
        716_038 | 716_039 => web_vpn(number, cursor, row),
        113_029..=113_039 | 716_001..=716_037 | 716_040..=716_999 | 722_000..=722_999 => group(number, cursor, row),
        109_005..=109_008 => cut_through(number, cursor, row),
        734_001 => dap(cursor, row),
        750_000..=751_999 => ike(number, cursor, row),
        109_201 | 109_207 | 109_210 | 109_213 => uauth(cursor, row),
        315_011 => ssh_end(cursor, row),
        111_007..=111_010 => administration(number, cursor, row),
        502_101..=502_103 => privilege(number, cursor, row),
        737_001..=737_999 => pool(cursor, row),
        _ => return None,
    })
}

#[inline]
fn auth(row: &mut Row<'_>, outcome: Outcome) {
    row.set(key::KIND, EventKind::Auth);
    row.set(key::OUTCOME, outcome);
}

fn message_text(cursor: &Cursor<'_>, row: &mut Row<'_>) {
    row.text(key::MESSAGE, cursor.rest().trim_ascii());
}

/// `Login {denied|permitted} from A/p to IF:B/SERVICE for user "U"`.
fn management(number: u32, cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    auth(row, if number == 605_005 { Outcome::Success } else { Outcome::Failure });
    cursor.expect(b"Login ")?;
    row.text(key::EVENT_ACTION, cursor.word());
    cursor.until_str(b"from ")?;
    let source = ends::either(cursor)?;
    cursor.expect(b" to ")?;
    let destination = ends::either(cursor)?;
    // `from serial to console`: no network
    if source.address == b"serial" || destination.address == b"console" {
        row.fixed(key::APP_PROTO, "console");
    } else {
        ends::set_source(row, &source);
        ends::set_destination(row, &destination);
        row.set(key::TRANSPORT, Transport::TCP);
        if !destination.port.iter().all(u8::is_ascii_digit) {
            row.text(key::APP_PROTO, destination.port);
        }
    }
    cursor.until_str(b"for user ")?;
    ends::set_user_name(cursor.finish(), row);
    Some(())
}

/// `{Authentication|Authorization} {succeeded|failed|permitted|denied} for user 'U' from A/p to B/q on interface I`: cut-through proxy.
fn cut_through(number: u32, cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    if matches!(number, 109_005 | 109_006) {
        auth(row, if number == 109_005 { Outcome::Success } else { Outcome::Failure });
    } else {
        row.set(key::KIND, EventKind::Flow);
        row.set(key::ACTION, if number == 109_007 { Action::Allow } else { Action::Deny });
    }
    cursor.until_str(b"for user ")?;
    ends::set_user_name(cursor.until_str(b" from ")?, row);
    let source = ends::either(cursor)?;
    cursor.expect(b" to ")?;
    let destination = ends::either(cursor)?;
    ends::set_source(row, &source);
    ends::set_destination(row, &destination);
    if cursor.until_str(b"on interface ").is_some() {
        row.text(key::IN_INTERFACE, cursor.word());
    }
    Some(())
}

/// `User authentication {succeeded|failed}: [IP address: A, ]Uname: U`, `User logged out: Uname: U`.
fn uname(number: u32, cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    auth(row, if number == 611_102 { Outcome::Failure } else { Outcome::Success });
    if number == 611_103 {
        row.set(key::ACTION, Action::End);
    }
    let text = cursor.rest();
    let (before, name) = split_once_str(text, b"Uname:")?;
    if let Some((_, address)) = split_once_str(before, b"IP address:") {
        let address = address.trim_ascii();
        row.set_opt(key::SRC_IP, Ip::parse(address.strip_suffix(b",").unwrap_or(address)));
    }
    ends::set_user_name(name, row);
    Some(())
}

/// `AAA user {authentication|authorization|accounting} {Successful|Rejected} : reason = R : {server = S|local database} : user = U : user IP = A`.
/// Only authentication is a login. The server is the AAA server, not an end of the login.
pub(super) fn aaa(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    if !cursor.take_if(b"AAA user ") {
        // 113014: `AAA authentication server not accessible : server = S : user = U`
        cursor.expect(b"AAA ")?;
        auth(row, Outcome::Unknown);
        fields(cursor.rest(), row);
        row.fixed(key::REASON, "server not accessible");
        return Some(());
    }
    let what = cursor.until_near(b' ')?;
    let verdict = cursor.word();
    let outcome = match verdict.strip_suffix(b":").unwrap_or(verdict) {
        b"Successful" => Outcome::Success,
        b"Rejected" => Outcome::Failure,
        _ => return None,
    };
    row.text(key::EVENT_ACTION, what);
    if what == b"authentication" {
        auth(row, outcome);
    } else {
        row.set(key::KIND, EventKind::Other);
        row.set(key::OUTCOME, outcome);
    }
    fields(cursor.rest(), row);
    Some(())
}

/// ` : name = value : name = value`, separators `:` or `,`, blanks as they come. A name may hold a colon only in an address.
fn fields(text: &[u8], row: &mut Row<'_>) {
    // 16: more parts than any such sentence has, so that colons in a hostile name cost nothing
    let mut rest = text;
    for _ in 0..16 {
        let Some((part, tail)) = split_once_str(rest, b" = ").or_else(|| split_once(rest, b'=')) else { return };
        let name = part.rsplit(|&b| b == b':' || b == b',').next().unwrap_or(b"").trim_ascii();
        let end = next_name(tail).unwrap_or(tail.len());
        let value = tail[..end].trim_ascii();
        match name {
            b"server" => row.extra_fixed("server", value),
            b"reason" => row.text(key::REASON, value),
            b"user" | b"User" => ends::set_user_name(value, row),
            b"user IP" | b"User IP" => row.set_opt(key::SRC_IP, Ip::parse(value)),
            _ => row.extra(name, value),
        }
        rest = &tail[end..];
    }
}

/// Where the separator before the next `name =` begins.
fn next_name(text: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = memchr::memchr2(b':', b',', &text[from..]) {
        let at = from + at;
        let after = text[at + 1..].trim_ascii_start();
        let word = after.iter().take(12).take_while(|b| b.is_ascii_alphabetic() || **b == b' ').count();
        let name = after[..word].trim_ascii();
        let followed = after[word..].first() == Some(&b'=');
        if (followed && !name.is_empty()) || after.starts_with(b"local database") {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// `User U locked out on exceeding N …`, `Attempted console login failed. User U did NOT …`, `Attempted enable failed …`.
fn refused(number: u32, cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    auth(row, Outcome::Failure);
    message_text(cursor, row);
    if number == 308_001 {
        // `… for N tries (from A)`
        if let Some((_, address)) = split_once_str(cursor.rest(), b"(from ") {
            row.set_opt(key::SRC_IP, Ip::parse(address.split(|&b| b == b')').next()?));
        }
        return Some(());
    }
    let mut ahead = *cursor;
    if ahead.take_if(b"User ") || ahead.until_str(b" User ").is_some() || ahead.until_str(b" user ").is_some() {
        ends::set_user_name(ahead.word(), row);
    }
    if number == 113_006 {
        row.fixed(key::REASON, "locked out");
    }
    Some(())
}

/// `AAA transaction status ACCEPT : user = U`, `AAA retrieved default group policy (P) for user = U`: corroboration.
fn transaction(number: u32, cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Other);
    let text = cursor.rest();
    message_text(cursor, row);
    if number == 113_008 {
        row.set(
            key::OUTCOME,
            if memchr::memmem::find(text, b"ACCEPT").is_some() { Outcome::Success } else { Outcome::Failure },
        );
    }
    if let Some((_, name)) = split_once_str(text, b"user = ") {
        ends::set_user_name(name, row);
    } else if let Some((name, policy)) = split_once_str(text, b" is being set to ")
        && let Some((_, name)) = split_once_str(name, b" for user ")
    {
        // 113003: `AAA group policy for user U is being set to P`
        ends::set_user_name(name, row);
        row.extra_fixed("group_policy", policy.trim_ascii());
    }
    Some(())
}

/// `Group = G, Username = U, IP = A, Session disconnected. Session Type: T, Duration: [Nd ]0h:32m:16s, Bytes xmt: n, Bytes rcv: n, Reason: R`.
/// `xmt` is what the device sent to the client.
fn vpn_end(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Flow);
    row.set(key::ACTION, Action::End);
    cursor.expect(b"Group = ")?;
    row.extra_fixed("group", cursor.until_str(b", Username = ")?);
    ends::set_user_name(cursor.until_str(b", IP = ")?, row);
    ends::set_address(row, key::SRC_IP, key::SRC_HOST, cursor.until(b',')?);
    cursor.until_str(b"Session Type: ")?;
    row.extra_fixed("session_type", cursor.until(b',')?);
    cursor.expect(b" Duration: ")?;
    row.set_opt(key::DURATION, vpn_duration(cursor.until(b',')?));
    cursor.expect(b" Bytes xmt: ")?;
    row.set(key::BYTES_IN, decimal(cursor.until(b',')?)?);
    cursor.expect(b" Bytes rcv: ")?;
    row.set(key::BYTES_OUT, cursor.number()?);
    if cursor.until_str(b"Reason: ").is_some() {
        row.text(key::REASON, cursor.finish().trim_ascii());
    }
    Some(())
}

/// `1d 02h:32m:16s` in µs.
fn vpn_duration(text: &[u8]) -> Option<u64> {
    let mut cursor = Cursor::new(text);
    let mut seconds: u64 = 0;
    while !cursor.is_done() {
        let count = cursor.number()?;
        let unit = match cursor.peek()? {
            b'd' => 86_400,
            b'h' => 3600,
            b'm' => 60,
            b's' => 1,
            _ => return None,
        };
        cursor.skip(1);
        seconds = seconds.checked_add(count.checked_mul(unit)?)?;
        if !cursor.take_if(b":") {
            cursor.skip_blanks();
        }
    }
    seconds.checked_mul(1_000_000)
}

/// `Group <G> User <U> IP <A> Authentication: {successful|rejected}, Session Type: T.`, older `Authentication: rejected, group = G user = U , …`.
fn web_vpn(number: u32, cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    auth(row, if number == 716_038 { Outcome::Success } else { Outcome::Failure });
    let text = cursor.rest();
    ends::group_user_ip(text, row);
    if let Some((_, tail)) = split_once_str(text, b"user = ") {
        ends::set_user_name(tail.split(|&b| b == b' ' || b == b',').next()?, row);
    }
    if let Some((_, kind)) = split_once_str(text, b"Session Type: ") {
        row.extra_fixed("session_type", kind.strip_suffix(b".").unwrap_or(kind));
    }
    Some(())
}

/// `Group <G> User <U> IP <A> …`: VPN sessions and tunnels.
fn group(number: u32, cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Other);
    message_text(cursor, row);
    let text = cursor.rest();
    ends::group_user_ip(text, row);
    match number {
        // the parent session is the login's success; tunnels follow it
        113_039 => {
            auth(row, Outcome::Success);
            row.set(key::ACTION, Action::Start);
        }
        716_001 | 722_022 | 722_033 | 722_034 => row.set(key::ACTION, Action::Start),
        716_002 | 722_023 | 722_028 | 722_037 => row.set(key::ACTION, Action::End),
        722_051 => {
            if let Some((_, leased)) = split_once_str(text, b"IPv4 Address <")
                && let Some((address, _)) = split_once(leased, b'>')
            {
                row.set_opt(key::NAT_SRC_IP, Ip::parse(address).filter(|ip| Some(*ip) != row.get(key::SRC_IP)));
            }
        }
        _ => {}
    }
    if let Some((_, reason)) = split_once_str(text, b"reason: ").or_else(|| split_once_str(text, b"Reason: ")) {
        row.text(key::REASON, reason.trim_ascii());
    }
    Some(())
}

/// `DAP: User U, Addr A, Connection C: The following DAP records were selected …`: the login passed its checks.
fn dap(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    auth(row, Outcome::Success);
    message_text(cursor, row);
    cursor.expect(b"DAP: User ")?;
    ends::set_user_name(cursor.until_str(b", Addr ")?, row);
    row.set_opt(key::SRC_IP, Ip::parse(cursor.until(b',')?));
    Some(())
}

/// `Local:L:p Remote:A:q Username:U …`: IKEv2 negotiations, tunnels and leases.
fn ike(number: u32, cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Other);
    message_text(cursor, row);
    ends::local_remote(cursor.rest(), row);
    if row.has(schemas::Field::SrcPort) {
        row.set(key::TRANSPORT, Transport::UDP);
    }
    match number {
        750_006 => row.set(key::ACTION, Action::Start),
        750_007 => row.set(key::ACTION, Action::End),
        751_025 => lease(cursor.rest(), row),
        _ => {}
    }
    if let Some((_, reason)) =
        split_once_str(cursor.rest(), b"ERROR: ").or_else(|| split_once_str(cursor.rest(), b"Reason: "))
    {
        row.text(key::REASON, reason.trim_ascii());
    }
    Some(())
}

/// `… IPv4 Address=X IPv6 address=Y assigned to session`: the remote end is a client, and has that address inside from now on.
fn lease(text: &[u8], row: &mut Row<'_>) {
    let (local, remote) = (row.get(key::SRC_IP), row.get(key::DST_IP));
    let (local_port, remote_port) = (row.get(key::SRC_PORT), row.get(key::DST_PORT));
    if let (Some(local), Some(remote)) = (local, remote) {
        row.set(key::SRC_IP, remote);
        row.set(key::DST_IP, local);
        row.set_opt(key::SRC_PORT, remote_port);
        row.set_opt(key::DST_PORT, local_port);
    }
    let leased = |name: &[u8]| {
        let (_, address) = split_once_str(text, name)?;
        Ip::parse(address.split(|&b| b == b' ').next()?)
    };
    let some = |ip: &Ip| *ip != Ip::v4([0; 4]) && *ip != Ip([0; 16]);
    let inside = leased(b"IPv4 Address=").filter(some).or_else(|| leased(b"IPv6 address=").filter(some));
    row.set_opt(key::NAT_SRC_IP, inside);
}

/// `UAUTH: Session=0x…, User=U, Assigned IP=A, Succeeded adding entry.`
fn uauth(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Other);
    message_text(cursor, row);
    let text = cursor.rest();
    if let Some((_, tail)) = split_once_str(text, b"Session=") {
        row.text(key::SESSION_ID, tail.split(|&b| b == b',').next()?);
    }
    if let Some((_, tail)) = split_once_str(text, b"User=") {
        ends::set_user_name(tail.split(|&b| b == b',').next()?, row);
    }
    if let Some((_, tail)) = split_once_str(text, b"Assigned IP=") {
        row.set_opt(key::SRC_IP, Ip::parse(tail.split(|&b| b == b',' || b == b' ').next()?));
    }
    Some(())
}

/// `SSH session from A on interface I for user "U" {terminated normally|disconnected by SSH server, reason: "R" (0xNN)}`.
fn ssh_end(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Other);
    row.set(key::ACTION, Action::End);
    row.fixed(key::APP_PROTO, "ssh");
    message_text(cursor, row);
    cursor.until_str(b"session from ")?;
    row.set_opt(key::SRC_IP, Ip::parse(cursor.until_near(b' ')?));
    cursor.until_str(b"interface ")?;
    row.text(key::IN_INTERFACE, cursor.until_near(b' ')?);
    cursor.until_str(b"for user \"")?;
    ends::set_user_name(cursor.until(b'"')?, row);
    if cursor.until_str(b"reason: \"").is_some() {
        row.text(key::REASON, cursor.until(b'"')?);
    }
    Some(())
}

/// `User 'U' executed the 'CMD' command.`, `User 'U' executed cmd: CMD`, `User 'U', running 'APP' from IP A, executed 'CMD'`,
/// `Begin configuration: A reading from …`.
fn administration(number: u32, cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Other);
    message_text(cursor, row);
    if number == 111_007 {
        cursor.until_str(b"configuration: ")?;
        row.set_opt(key::SRC_IP, Ip::parse(cursor.word()));
        return Some(());
    }
    cursor.expect(b"User '")?;
    ends::set_user_name(cursor.until(b'\'')?, row);
    if cursor.take_if(b", running '") {
        row.text(key::PROCESS_NAME, cursor.until(b'\'')?);
        cursor.until_str(b"from IP ")?;
        row.set_opt(key::SRC_IP, Ip::parse(cursor.until(b',')?));
        cursor.until_str(b"executed ")?;
    } else if !cursor.take_if(b" executed cmd: ") {
        cursor.expect(b" executed the ")?;
    }
    let command = cursor.finish().trim_ascii();
    let command = command.strip_suffix(b" command.").unwrap_or(command);
    row.text(key::PROCESS_COMMAND, crate::lex::text::unquote(command));
    Some(())
}

/// `User priv level changed: Uname: U From: 1 To: 15`, `New user added to local dbase: Uname: U Priv: 1 Encpass: …`.
fn privilege(number: u32, cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Other);
    // 502101 and 502102 print the password's hash: no message for them
    if number == 502_103 {
        message_text(cursor, row);
    }
    cursor.until_str(b"Uname: ")?;
    ends::set_user_name(cursor.word(), row);
    if cursor.take_if(b"From: ") {
        row.extra_fixed("privilege_before", cursor.word());
        cursor.expect(b"To: ")?;
        row.extra_fixed("privilege", cursor.word());
    }
    Some(())
}

/// `IPAA: … address A …`: addresses of the VPN pool.
fn pool(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Other);
    message_text(cursor, row);
    let mut from = *cursor;
    while from.until_str(b"address ").is_some() {
        let address = from.rest().split(|&b| b == b' ' || b == b',').next()?;
        if let Some(ip) = Ip::parse(address.strip_suffix(b".").unwrap_or(address)) {
            row.set(key::SRC_IP, ip);
            break;
        }
    }
    Some(())
}
