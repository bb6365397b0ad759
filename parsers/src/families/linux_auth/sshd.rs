//! OpenSSH's sentences, and dropbear's.
//!
//! Sources: OpenSSH `auth.c`, `auth-pam.c`, `packet.c`, `sshd.c`; dropbear `svr-auth*.c`. When a failure is logged at all
//! depends on the method: `Failed password` always, `Failed keyboard-interactive` only late, so PAM's own error line
//! counts for that method.

use memchr::memmem;
use schemas::{Action, EventKind, Ip, Outcome, PortState, Row, Transport, key};

use super::{SSH, SSH_LOGIN, after, attempt, bare_name, beside, quoted, set_source, set_ssh, set_user};
use crate::lex::text::{Beginnings, Cursor, contains, decimal, port, rsplit_once, split_once_str};

/// A remote end in a sentence, read from the right.
struct Peer<'a> {
    /// What stands before it.
    before: &'a [u8],
    address: &'a [u8],
    port: Option<u16>,
}

/// Beginnings of sentences that no other program has: to know a line without a tag.
static BEGINNINGS: Beginnings = Beginnings::new(&[
    b"kex_exchange_identification: ",
    b"ssh_exchange_identification: ",
    b"Accepted ",
    b"Failed password for ",
    b"Failed publickey for ",
    b"Failed none for ",
    b"Failed keyboard-interactive",
    b"Invalid user ",
    b"Connection closed by ",
    b"Connection reset by ",
    b"Disconnected from ",
    b"Disconnecting ",
    b"Received disconnect from ",
    b"Did not receive identification string from ",
    b"Bad protocol version identification ",
    b"Postponed ",
    b"Unable to negotiate with ",
    b"Server listening on ",
    b"Timeout before authentication for ",
    b"reverse mapping checking getaddrinfo for ",
    b"Starting session: ",
    b"PAM: ",
    b"refused connect from ",
    b"ROOT LOGIN REFUSED FROM ",
    b"ssh_dispatch_run_fatal: ",
    b"subsystem request for sftp by user ",
    b"input_userauth_request: ",
    b"maximum authentication attempts exceeded for ",
    b"Magic value check failed ",
    b"User child is on pid ",
]);

/// Whether a text begins as one of sshd's sentences. `User NAME … not allowed because …` has the name in between.
pub(super) fn is_sentence(text: &[u8]) -> bool {
    BEGINNINGS.begin(text) || text.starts_with(b"User ") && contains(text, b" not allowed because ")
}

/// Reads a sentence of sshd. `None` if it is not known.
pub(super) fn message(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    match text.first()? {
        b'A' => accepted(text, row).or_else(|| remarks(text, row)),
        b'F' => failed(text, row),
        b'I' | b'i' => invalid_user(text, row),
        b'C' | b'D' => connection(text, row),
        b'R' | b'r' => disconnect(text, row).or_else(|| remarks(text, row)),
        b'U' => user_denied(text, row).or_else(|| remarks(text, row)),
        b'S' => listening(text, row).or_else(|| remarks(text, row)),
        b'P' => pam_error(text, row).or_else(|| remarks(text, row)),
        _ => remarks(text, row),
    }
}

/// `Accepted METHOD for USER from ADDRESS port N ssh2[: KEY FINGERPRINT]`.
fn accepted(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let mut cursor = after(text, b"Accepted ")?;
    if cursor.rest().starts_with(b"key ") {
        // a key that would do: not a login yet
        beside(row, &SSH, Some(Outcome::Success));
        set_ssh(row);
        return Some(());
    }
    let method = cursor.until_str(b" for ")?;
    attempt(row, &SSH_LOGIN, Outcome::Success);
    row.fixed(key::EVENT_ACTION, "ssh_login");
    row.text(key::AUTH_METHOD, method);
    set_ssh(row);
    row.set(key::PORT_STATE, PortState::Open);
    match with_protocol(cursor.rest(), method) {
        Some((peer, suffix)) => {
            set_user(row, peer.before);
            set_peer(row, &peer);
            row.extra_fixed("key", suffix);
        }
        None => set_user(row, cursor.rest()),
    }
    Some(())
}

/// `Failed METHOD for [invalid user ]USER from ADDRESS port N ssh2[: KEY]`.
fn failed(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let mut cursor = after(text, b"Failed ")?;
    let method = cursor.until_str(b" for ")?;
    let (peer, suffix) = with_protocol(cursor.rest(), method)?;
    // what a client merely offers on the way to its password
    if method == b"none" || method == b"publickey" {
        beside(row, &SSH, Some(Outcome::Failure));
    } else {
        attempt(row, &SSH_LOGIN, Outcome::Failure);
    }
    row.fixed(key::EVENT_ACTION, "ssh_login");
    row.text(key::AUTH_METHOD, method);
    set_ssh(row);
    row.set(key::PORT_STATE, PortState::Open);
    set_peer(row, &peer);
    set_name_with_state(row, peer.before);
    row.extra_fixed("key", suffix);
    Some(())
}

/// `Invalid user USER from ADDRESS [port N]`, `input_userauth_request: invalid user USER`.
fn invalid_user(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let name = [&b"Invalid user "[..], b"Illegal user ", b"invalid user ", b"input_userauth_request: invalid user "]
        .iter()
        .find_map(|beginning| text.strip_prefix(*beginning))?;
    beside(row, &SSH, Some(Outcome::Failure));
    set_ssh(row);
    row.fixed(key::REASON, "unknown user");
    match last_from(name) {
        Some(peer) => {
            set_user(row, peer.before);
            set_peer(row, &peer);
        }
        None => set_user(row, name),
    }
    Some(())
}

/// `Connection from …`, and its ends: `{Connection closed by|Connection reset by|Disconnected from|Disconnecting}
/// [{invalid|illegal|authenticating} user USER |user USER ]ADDRESS[ port N]`.
fn connection(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    if let Some(cursor) = after(text, b"Connection from ") {
        return connection_from(cursor, row);
    }
    if let Some(cursor) = after(text, b"Did not receive identification string from ") {
        return probe(cursor.rest(), row);
    }
    if let Some(name) = text.strip_prefix(b"Disconnecting: Too many authentication failures for ") {
        beside(row, &SSH, Some(Outcome::Failure));
        set_ssh(row);
        row.fixed(key::REASON, "too many authentication failures");
        match last_from(name) {
            Some(peer) => {
                set_user(row, peer.before);
                set_peer(row, &peer);
            }
            None => set_user(row, name),
        }
        return Some(());
    }
    let beginnings: [&[u8]; 5] = [
        b"Connection closed by ",
        b"Connection reset by ",
        b"Disconnected from ",
        b"Disconnecting ",
        b"Connection closed from ",
    ];
    let rest = beginnings.iter().find_map(|beginning| text.strip_prefix(*beginning))?;
    let ending = text.starts_with(b"Disconnecting ");
    // `…: Too many authentication failures`, `…: Change of username or service not allowed: (a,x) -> (b,x)`
    let (rest, reason) = if ending {
        let at = memmem::find(rest, b": Too many ").or_else(|| memmem::find(rest, b": Change of username "));
        at.map_or((rest, &b""[..]), |at| (&rest[..at], &rest[at + 2..]))
    } else {
        (rest, &b""[..])
    };
    let peer = address_at_end(rest)?;
    let state = peer.before.trim_ascii();
    let tried = [&b"authenticating user"[..], b"invalid user", b"illegal user"];
    let name = tried.iter().find_map(|word| state.strip_prefix(*word));
    let outcome = if name.is_some() { Some(Outcome::Failure) } else { None };
    beside(row, &SSH, outcome);
    set_ssh(row);
    set_peer(row, &peer);
    row.text(key::REASON, reason);
    if name.is_none() {
        row.set(key::ACTION, Action::End);
    } else if !state.starts_with(b"authenticating") && reason.is_empty() {
        row.fixed(key::REASON, "unknown user");
    }
    set_user(row, name.or_else(|| state.strip_prefix(b"user ")).unwrap_or_default());
    Some(())
}

/// `Connection from ADDRESS port N on LOCAL port M [rdomain "…"]`: the surest line about the own end.
fn connection_from(mut cursor: Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    beside(row, &SSH, None);
    set_ssh(row);
    set_source(row, cursor.word());
    if cursor.take_if(b"port ") {
        row.set_opt(key::SRC_PORT, port(cursor.word()));
    }
    if cursor.take_if(b"on ") {
        row.set_opt(key::DST_IP, Ip::parse(cursor.word()));
        cursor.expect(b"port ")?;
        row.set_opt(key::DST_PORT, port(cursor.word()));
    }
    row.set(key::PORT_STATE, PortState::Open);
    row.set(key::ACTION, Action::Start);
    Some(())
}

/// `Received disconnect from ADDRESS[ port N]:[ ]CODE: TEXT`, `refused connect from NAME (ADDRESS)`.
fn disconnect(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    if let Some(rest) = text.strip_prefix(b"refused connect from ") {
        let (name, address) = rsplit_once(rest.strip_suffix(b")")?, b'(')?;
        beside(row, &SSH, None);
        set_ssh(row);
        row.set(key::ACTION, Action::Deny);
        row.set_opt(key::SRC_IP, Ip::parse(address));
        row.text(key::SRC_HOST, name.trim_ascii());
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"ROOT LOGIN REFUSED FROM ") {
        attempt(row, &SSH_LOGIN, Outcome::Failure);
        set_ssh(row);
        row.fixed(key::USER, "root");
        row.fixed(key::REASON, "root login refused");
        set_peer(row, &address_at_end(rest)?);
        return Some(());
    }
    let mut cursor = after(text, b"Received disconnect from ")?;
    let address = cursor.take_while(|byte| byte != b' ' && byte != b'\t');
    let address = address.strip_suffix(b":").unwrap_or(address);
    cursor.skip_blanks();
    let source_port = if cursor.take_if(b"port ") { cursor.number() } else { None };
    cursor.take_if(b":");
    cursor.skip_blanks();
    let code = cursor.take_while(|byte| byte.is_ascii_digit());
    cursor.take_if(b":");
    let reason = cursor.finish().trim_ascii();
    let refused = reason.ends_with(b"Auth fail") || reason.ends_with(b"Auth cancel");
    beside(row, &SSH, refused.then_some(Outcome::Failure));
    set_ssh(row);
    set_source(row, address);
    row.set_opt(key::SRC_PORT, source_port.and_then(|number| u16::try_from(number).ok()));
    row.text(key::STATUS_CODE, code);
    row.text(key::REASON, reason);
    row.set(key::ACTION, Action::End);
    Some(())
}

/// `User USER from ADDRESS not allowed because …`, `User USER not allowed because account is locked`.
fn user_denied(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    if let Some(cursor) = after(text, b"Unable to negotiate with ") {
        let (peer, reason) = split_once_str(cursor.rest(), b": ")?;
        beside(row, &SSH, None);
        set_ssh(row);
        set_peer(row, &address_at_end(peer)?);
        row.set(key::PORT_STATE, PortState::Open);
        row.text(key::REASON, reason);
        return Some(());
    }
    let rest = text.strip_prefix(b"User ")?;
    let at = memmem::rfind(rest, b" not allowed because ")?;
    beside(row, &SSH, Some(Outcome::Failure));
    set_ssh(row);
    row.text(key::REASON, rest[at + b" not allowed because ".len()..].trim_ascii());
    match last_from(&rest[..at]) {
        Some(peer) => {
            set_user(row, peer.before);
            set_peer(row, &peer);
        }
        None => set_user(row, &rest[..at]),
    }
    Some(())
}

/// `Server listening on ADDRESS port N.`, `Starting session: WHAT for USER from ADDRESS port N id 0`.
fn listening(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    if let Some(mut cursor) = after(text, b"Server listening on ") {
        let address = cursor.word();
        cursor.expect(b"port ")?;
        let number = cursor.number()?;
        row.log_source(&SSH);
        row.set(key::KIND, EventKind::Listener);
        row.set(key::TRANSPORT, Transport::TCP);
        row.set(key::DST_PORT, u16::try_from(number).ok()?);
        row.set(key::PORT_STATE, PortState::Open);
        row.extra_fixed("listen_address", address);
        row.set_opt(
            key::HOST_IP,
            Ip::parse(address).filter(|ip| !ip.to_std().is_unspecified() && !ip.to_std().is_loopback()),
        );
        return Some(());
    }
    let cursor = after(text, b"Starting session: ")?;
    let rest = cursor.rest();
    let rest = memmem::rfind(rest, b" id ").map_or(rest, |at| &rest[..at]);
    let peer = last_from(rest)?;
    beside(row, &SSH, None);
    set_ssh(row);
    set_peer(row, &peer);
    row.set(key::ACTION, Action::Start);
    if let Some(at) = memmem::rfind(peer.before, b" for ") {
        set_user(row, &peer.before[at + 5..]);
        row.extra_fixed("session_type", &peer.before[..at]);
    }
    Some(())
}

/// `PAM: TEXT for [illegal user ]USER from HOST[ via LOCAL]`.
fn pam_error(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let rest = text.strip_prefix(b"PAM: ")?;
    let (reason, rest) = split_once_str(rest, b" for ")?;
    let at = memmem::rfind(rest, b" from ")?;
    attempt(row, &SSH_LOGIN, Outcome::Failure);
    row.fixed(key::EVENT_ACTION, "ssh_login");
    set_ssh(row);
    row.fixed(key::AUTH_METHOD, "pam");
    row.text(key::REASON, reason);
    let host = &rest[at + 6..];
    let (host, local) = split_once_str(host, b" via ").unwrap_or((host, b""));
    set_source(row, host);
    row.set_opt(key::DST_IP, Ip::parse(local.trim_ascii()));
    set_name_with_state(row, &rest[..at]);
    Some(())
}

/// Sentences of which the remote end is all that matters: somebody knocked.
fn probe(rest: &[u8], row: &mut Row<'_>) -> Option<()> {
    let peer = address_at_end(rest)?;
    beside(row, &SSH, None);
    set_ssh(row);
    set_peer(row, &peer);
    row.set(key::PORT_STATE, PortState::Open);
    Some(())
}

/// What remains: limits, damaged beginnings, names that don't resolve.
fn remarks(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    if let Some(at) = memmem::rfind(text, b" authentication attempts exceeded for ") {
        let rest = &text[at + b" authentication attempts exceeded for ".len()..];
        beside(row, &SSH, Some(Outcome::Failure));
        set_ssh(row);
        row.fixed(key::REASON, "too many authentication failures");
        let (peer, _) = with_protocol(rest, b"")?;
        set_peer(row, &peer);
        set_name_with_state(row, peer.before);
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"Timeout before authentication for ") {
        if let Some(mut cursor) = after(rest, b"connection from ") {
            beside(row, &SSH, None);
            set_ssh(row);
            set_source(row, cursor.word());
            cursor.expect(b"to ")?;
            let local = cursor.word();
            row.set_opt(key::DST_IP, Ip::parse(local.strip_suffix(b",").unwrap_or(local)));
            return Some(());
        }
        return probe(rest, row);
    }
    if text.starts_with(b"Bad protocol version identification ") || text.starts_with(b"Magic value check failed ") {
        return probe(&text[memmem::rfind(text, b" from ")? + 6..], row);
    }
    if let Some(rest) = text.strip_prefix(b"reverse mapping checking getaddrinfo for ") {
        let (name, rest) = split_once_str(rest, b" [")?;
        let (address, _) = split_once_str(rest, b"]")?;
        beside(row, &SSH, None);
        set_ssh(row);
        row.set_opt(key::SRC_IP, Ip::parse(address));
        row.text(key::SRC_HOST, name);
        return Some(());
    }
    if let Some(mut cursor) = after(text, b"Address ") {
        let address = Ip::parse(cursor.word())?;
        cursor.expect(b"maps to ")?;
        beside(row, &SSH, None);
        set_ssh(row);
        row.set(key::SRC_IP, address);
        return Some(());
    }
    if let Some(mut cursor) = after(text, b"Postponed ") {
        let method = cursor.until_str(b" for ")?;
        let (peer, _) = with_protocol(cursor.rest(), method)?;
        beside(row, &SSH, None);
        row.text(key::AUTH_METHOD, method);
        set_ssh(row);
        set_peer(row, &peer);
        set_name_with_state(row, peer.before);
        return Some(());
    }
    if let Some(mut cursor) = after(text, b"Partial ") {
        let method = cursor.until_str(b" for ")?;
        let (peer, _) = with_protocol(cursor.rest(), method)?;
        attempt(row, &SSH_LOGIN, Outcome::Unknown);
        row.text(key::AUTH_METHOD, method);
        set_ssh(row);
        set_peer(row, &peer);
        set_name_with_state(row, peer.before);
        return Some(());
    }
    if text.starts_with(b"User child is on pid ") {
        beside(row, &SSH, None);
        return Some(());
    }
    if let Some(name) = text.strip_prefix(b"subsystem request for sftp by user ") {
        beside(row, &SSH, None);
        set_ssh(row);
        set_user(row, name);
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"drop connection #") {
        let (_, rest) = split_once_str(rest, b" from [")?;
        let (address, rest) = split_once_str(rest, b"]:")?;
        beside(row, &SSH, None);
        set_ssh(row);
        row.set(key::ACTION, Action::Drop);
        row.set_opt(key::SRC_IP, Ip::parse(address));
        let mut cursor = Cursor::new(rest);
        row.set_opt(key::SRC_PORT, port(cursor.word()));
        if cursor.take_if(b"on [") {
            row.set_opt(key::DST_IP, Ip::parse(cursor.until_str(b"]:")?));
            row.set_opt(key::DST_PORT, port(cursor.word()));
        }
        row.text(key::REASON, cursor.finish());
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"srclimit_penalise: ") {
        beside(row, &SSH, None);
        set_ssh(row);
        row.set(key::ACTION, Action::Deny);
        let network = rest.split(|byte| *byte == b' ').find(|word| word.contains(&b'/'))?;
        row.set_opt(key::SRC_IP, network.split(|byte| *byte == b'/').next().and_then(Ip::parse));
        return Some(());
    }
    // the peer's first bytes were no SSH; its address stands in another line of the same process
    if text.starts_with(b"kex_exchange_identification: ") || text.starts_with(b"ssh_exchange_identification: ") {
        beside(row, &SSH, None);
        set_ssh(row);
        row.set(key::PORT_STATE, PortState::Open);
        row.text(key::REASON, split_once_str(text, b": ").map_or(text, |(_, why)| why));
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"Authentication refused: ") {
        beside(row, &SSH, None);
        row.text(key::REASON, rest);
        return Some(());
    }
    if let Some(name) = text.strip_prefix(b"Could not get shadow information for ") {
        beside(row, &SSH, None);
        set_user(row, name);
        return Some(());
    }
    // `ssh_dispatch_run_fatal: Connection from ADDRESS port N: …`, `banner exchange: Connection from ADDRESS port N: …`
    let at = memmem::find(text, b": Connection from ")?;
    let (peer, reason) = split_once_str(&text[at + b": Connection from ".len()..], b": ")?;
    beside(row, &SSH, None);
    set_ssh(row);
    set_peer(row, &address_at_end(peer)?);
    row.set(key::PORT_STATE, PortState::Open);
    row.text(key::REASON, reason);
    Some(())
}

/// dropbear: `{Bad|bad} password attempt for 'USER' from ADDRESS:PORT`, `Password auth succeeded for 'USER' from …`.
pub(super) fn dropbear(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let lower =
        |beginning: &[u8]| text.len() >= beginning.len() && text[..beginning.len()].eq_ignore_ascii_case(beginning);
    let failure = lower(b"bad password attempt for ") || lower(b"login attempt for nonexistent user");
    let success = contains(text, b" auth succeeded for ");
    if failure {
        attempt(row, &SSH_LOGIN, Outcome::Failure);
    } else if success {
        attempt(row, &SSH_LOGIN, Outcome::Success);
    } else if lower(b"exit before auth") || lower(b"child connection from ") {
        beside(row, &SSH, None);
    } else {
        return None;
    }
    set_ssh(row);
    row.fixed(key::EVENT_ACTION, "ssh_login");
    let method = if text.starts_with(b"Pubkey") { "publickey" } else { "password" };
    if failure || success {
        row.fixed(key::AUTH_METHOD, method);
    }
    set_user(row, quoted(text).unwrap_or_default());
    let at = memmem::rfind(text, b"from ")?;
    let end = text[at + 5..].iter().position(|byte| matches!(byte, b' ' | b'>' | b')')).unwrap_or(text.len() - at - 5);
    let address = text[at + 5..at + 5 + end].strip_prefix(b"<").unwrap_or(&text[at + 5..at + 5 + end]);
    if let Some((address, number)) = rsplit_once(address, b':') {
        set_source(row, address);
        row.set_opt(key::SRC_PORT, port(number));
    }
    Some(())
}

fn set_peer(row: &mut Row<'_>, peer: &Peer<'_>) {
    set_source(row, peer.address);
    row.set_opt(key::SRC_PORT, peer.port);
}

/// `[invalid user |illegal user ]USER`.
fn set_name_with_state(row: &mut Row<'_>, text: &[u8]) {
    let unknown = text.strip_prefix(b"invalid user").or_else(|| text.strip_prefix(b"illegal user"));
    // `invalid user` with no name behind it is a name that is empty; `invalid userx` is a name
    match unknown.filter(|rest| rest.is_empty() || rest.starts_with(b" ")) {
        Some(name) => {
            row.fixed(key::REASON, "unknown user");
            set_user(row, name);
        }
        None => set_user(row, bare_name(text)),
    }
}

/// `NAME from ADDRESS port N ssh2[: SUFFIX]`. Of several ends the last one is the program's: what stands before it is
/// the name. Only behind a host's key can the client write again (its own user and host), so there the first counts.
fn with_protocol<'a>(text: &'a [u8], method: &[u8]) -> Option<(Peer<'a>, &'a [u8])> {
    let mut best = None;
    let mut from = 0;
    while let Some(at) = memmem::find(&text[from..], b" from ") {
        let at = from + at;
        from = at + 1;
        if let Some((address, number, suffix)) = one_end(&text[at + 6..]) {
            best = Some((Peer { before: &text[..at], address, port: Some(number) }, suffix));
            if method == b"hostbased" {
                break;
            }
        }
    }
    if best.is_none() && text.starts_with(b"from ") {
        let (address, number, suffix) = one_end(&text[5..])?;
        return Some((Peer { before: b"", address, port: Some(number) }, suffix));
    }
    // cut off before its end
    best.or_else(|| Some((last_from(text)?, &b""[..])))
}

/// `ADDRESS port N ssh2`, then the end or `: SUFFIX`.
fn one_end(text: &[u8]) -> Option<(&[u8], u16, &[u8])> {
    let mut cursor = Cursor::new(text);
    let address = cursor.word();
    cursor.expect(b"port ")?;
    let number = port(cursor.word())?;
    cursor.expect(b"ssh")?;
    cursor.number()?;
    match cursor.rest() {
        [] => Some((address, number, b"")),
        [b':', suffix @ ..] => Some((address, number, suffix.trim_ascii())),
        _ => None,
    }
}

/// `NAME from ADDRESS[ port N]` at the end of a text.
fn last_from(text: &[u8]) -> Option<Peer<'_>> {
    let (at, skip) = match memmem::rfind(text, b" from ") {
        Some(at) => (at, 6),
        None => (0, text.starts_with(b"from ").then_some(5)?),
    };
    let mut peer = address_at_end(&text[at + skip..])?;
    if !peer.before.is_empty() {
        return None;
    }
    peer.before = &text[..at];
    Some(peer)
}

/// `… ADDRESS[ port N]` at the end of a text.
fn address_at_end(text: &[u8]) -> Option<Peer<'_>> {
    let text = text.trim_ascii();
    let (text, number) = match memmem::rfind(text, b" port ") {
        Some(at) if decimal(text[at + 6..].trim_ascii()).is_some() => (&text[..at], port(text[at + 6..].trim_ascii())),
        _ => (text, None),
    };
    let (before, address) = rsplit_once(text, b' ').unwrap_or((b"", text));
    (!address.is_empty()).then_some(Peer { before, address, port: number })
}
