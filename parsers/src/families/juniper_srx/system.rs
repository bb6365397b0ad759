//! Junos itself: logins, administrators, and lines of its processes that have no tag.
//!
//! One login by SSH leaves a line of OpenSSH, `UI_AUTH_EVENT` and `UI_LOGIN_EVENT`. The one that is a login here is the last,
//! which all ways of access have; the others keep what they say but are of kind `other`.

use schemas::{EventKind, Ip, Outcome, Row, key};

use super::{LOGIN, REST, Topic};
use crate::Record;
use crate::lex::openssh;
use crate::lex::text::{Cursor, present, split_once, split_once_str};

/// `A p B q`, as OpenSSH hands it to programs.
pub(super) fn connection(text: &[u8], row: &mut Row<'_>) {
    let mut words = Cursor::new(text);
    if let Some(ip) = Ip::parse(words.word()) {
        row.set(key::SRC_IP, ip);
        row.set_opt(key::SRC_PORT, schemas::parse_port(words.word()));
        row.set_opt(key::DST_IP, Ip::parse(words.word()));
        row.set_opt(key::DST_PORT, schemas::parse_port(words.word()));
        row.fixed(key::APP_PROTO, "ssh");
    }
}

/// The value in quotes, or the word without them, after `name`.
fn after<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (_, tail) = split_once_str(text, name)?;
    match tail.strip_prefix(b"'") {
        Some(quoted) => quoted.split(|b| *b == b'\'').next(),
        None => tail.split(|b| matches!(b, b' ' | b',')).next(),
    }
}

/// `User 'U' login, class 'C' [pid], ssh-connection 'A p B q', client-mode 'cli'`, `Login failed for user 'U' from host 'A'`, …
pub(super) fn sentence(topic: Topic, text: &[u8], row: &mut Row<'_>) -> Option<()> {
    row.text(key::MESSAGE, text.trim_ascii());
    let name = after(text, b"User ").or_else(|| after(text, b"user ")).and_then(present);
    row.text(key::USER, name.unwrap_or(b""));
    if let Some(host) = after(text, b"from host ").and_then(present) {
        match Ip::parse(host) {
            Some(ip) => row.set(key::SRC_IP, ip),
            None => row.text(key::SRC_HOST, host),
        }
    }
    connection(after(text, b"ssh-connection ").unwrap_or(b""), row);
    row.extra_fixed("class", after(text, b"class ").unwrap_or(b""));
    row.extra_fixed("client_mode", after(text, b"client-mode ").unwrap_or(b""));
    if topic == Topic::Admin {
        // a command goes to the last quote: it may hold others
        if let Some((_, command)) = split_once_str(text, b"command '") {
            row.text(key::PROCESS_COMMAND, &command[..memchr::memrchr(b'\'', command)?]);
        }
        return Some(());
    }
    name.map(|_| ())
}

/// `sshd[1]: Failed password for U from A port p ssh2`, `rshd[1]: U@A as R: cmd='C'`, `/usr/sbin/cron[1]: …`: a line of a
/// process without a tag. `None` if no process is named.
pub(super) fn process(record: &Record<'_>, row: &mut Row<'_>) -> Option<()> {
    let header = &record.header;
    if header.app.is_empty() || header.pid.is_empty() {
        return None;
    }
    let text = record.body.trim_ascii();
    row.log_source(&REST);
    row.set(key::KIND, EventKind::Other);
    row.text(key::PROCESS_NAME, header.app);
    row.text(key::MESSAGE, text);
    if let Some(login) = openssh::login(text) {
        row.log_source(&LOGIN);
        row.set(key::OUTCOME, if login.accepted { Outcome::Success } else { Outcome::Failure });
        row.text(key::USER, login.user);
        row.text(key::AUTH_METHOD, login.method);
        row.set_opt(key::SRC_IP, Ip::parse(login.address));
        row.set_opt(key::SRC_PORT, login.port);
        row.fixed(key::APP_PROTO, "ssh");
    } else if header.app == b"rshd"
        && let Some((who, command)) = split_once_str(text, b" as ")
        && let Some((_, address)) = split_once(who, b'@')
    {
        row.set_opt(key::SRC_IP, Ip::parse(address));
        let (user, command) = split_once_str(command, b": cmd='").unwrap_or((command, b""));
        row.text(key::USER, user);
        row.text(key::PROCESS_COMMAND, command.strip_suffix(b"'").unwrap_or(command));
    }
    Some(())
}
