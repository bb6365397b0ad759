//! PAM's modules, whichever program calls them: `pam_unix(sshd:auth): authentication failure; … rhost=… user=…`.
//!
//! For sshd PAM's failure stands beside sshd's own line and is not counted; for programs that write no such line it is.

use memchr::memmem;
use schemas::{Action, EventKind, Outcome, Row, key};

use super::{LOGIN, REST, SSH, attempt, bare_name, beside, program, quoted, set_source, set_ssh, set_user};
use crate::lex::text::{Cursor, contains, decimal, present, split_once, split_once_str};

/// Programs that log a failed attempt in a sentence of their own, once an attempt.
const TELL_THEMSELVES: &[&[u8]] =
    &[b"sshd", b"su", b"su-l", b"login", b"dropbear", b"vsftpd", b"proftpd", b"pure-ftpd", b"dovecot"];

/// Reads a module's text. `None` if it is none.
pub(super) fn message(app: &[u8], text: &[u8], row: &mut Row<'_>) -> Option<()> {
    if let Some(more) = text.strip_prefix(b"PAM ") {
        return more_failures(more, row);
    }
    let (module, service, stage, rest) = match text.strip_prefix(b"(") {
        // `(pam_unix) session opened for user …`
        Some(old) => {
            let (module, rest) = split_once(old, b')')?;
            (module, program(app), stage_of(rest), rest.trim_ascii_start())
        }
        None if text.starts_with(b"pam_") => {
            let (head, rest) = split_once_str(text, b": ")?;
            match split_once(head, b'(') {
                Some((module, inside)) => {
                    let inside = inside.strip_suffix(b")").unwrap_or(inside);
                    let (service, stage) = split_once(inside, b':').unwrap_or((inside, b""));
                    (module, service, stage, rest)
                }
                None => (head, program(app), stage_of(rest), rest),
            }
        }
        // `su(pam_unix)[7]: session opened …`
        None if contains(app, b"(pam_") => {
            let module = split_once(app, b'(')?.1;
            (module.strip_suffix(b")").unwrap_or(module), program(app), stage_of(text), text)
        }
        None => return None,
    };
    if !module.starts_with(b"pam_") {
        return None;
    }
    row.extra_fixed("pam_module", module);
    row.extra_fixed("pam_service", service);
    let ssh = service == b"sshd";
    if ssh {
        set_ssh(row);
    }
    if stage == b"session" || rest.starts_with(b"session ") {
        return session(rest, service, row);
    }
    let own = TELL_THEMSELVES.contains(&service);
    let source = if ssh { &SSH } else { &REST };
    if contains(rest, b"authentication failure;") || rest.starts_with(b"authentication success;") {
        let outcome = if contains(rest, b"authentication success;") { Outcome::Success } else { Outcome::Failure };
        if own || outcome == Outcome::Success {
            beside(row, source, Some(outcome));
        } else {
            attempt(row, &LOGIN, outcome);
        }
        keys(rest, row);
        return Some(());
    }
    if rest.starts_with(b"check pass; user unknown") {
        beside(row, source, Some(Outcome::Failure));
        row.fixed(key::REASON, "unknown user");
        return Some(());
    }
    if let Some(locked) = locked(module, rest) {
        beside(row, source, None);
        row.fixed(key::REASON, "account locked");
        set_user(row, locked);
        return Some(());
    }
    if let Some(received) = rest.strip_prefix(b"received for user ") {
        let (name, why) = split_once_str(received, b": ")?;
        beside(row, source, Some(Outcome::Failure));
        set_user(row, name);
        row.text(key::REASON, why);
        return Some(());
    }
    if let Some(name) = rest.strip_prefix(b"password changed for ") {
        beside(row, source, Some(Outcome::Success));
        row.fixed(key::EVENT_ACTION, "password-changed");
        row.extra_fixed("target_user", name);
        return Some(());
    }
    let outcome = if contains(rest, b"granted access") {
        Some(Outcome::Success)
    } else if contains(rest, b"PAM_AUTH_ERR") || contains(rest, b"access denied") {
        Some(Outcome::Failure)
    } else {
        None
    };
    beside(row, source, outcome);
    if let Some(name) = quoted(rest) {
        set_user(row, name);
    } else if let Some((_, name)) = split_once_str(rest, b"for user ") {
        set_user(row, Cursor::new(name).word());
    }
    Some(())
}

fn stage_of(text: &[u8]) -> &'static [u8] {
    if text.trim_ascii_start().starts_with(b"session ") { b"session" } else { b"auth" }
}

/// `session {opened|closed} for user NAME[(uid=n)][ by [ACTOR](uid=n)]`. Who acts is the user; whom he becomes is the target.
fn session(text: &[u8], service: &[u8], row: &mut Row<'_>) -> Option<()> {
    let mut cursor = Cursor::new(text);
    let opened = cursor.take_if(b"session opened for user ");
    if !opened {
        cursor.expect(b"session closed for user ")?;
    }
    row.log_source(if service == b"sshd" { &SSH } else { &REST });
    row.set(key::KIND, EventKind::Other);
    row.set(key::ACTION, if opened { Action::Start } else { Action::End });
    let rest = cursor.rest();
    let (name, actor) = split_once_str(rest, b" by ").unwrap_or((rest, b""));
    let (name, actor) = (bare_name(name), bare_name(actor));
    if opened {
        row.set(key::OUTCOME, Outcome::Success);
    }
    if actor.is_empty() {
        set_user(row, name);
    } else {
        set_user(row, actor);
        row.extra_fixed("target_user", name);
    }
    Some(())
}

/// `logname=A uid=0 euid=0 tty=ssh ruser=B rhost=HOST  user=NAME`. A remote user may write anything, also further keys:
/// the last `rhost=` is PAM's, and what follows it.
fn keys(text: &[u8], row: &mut Row<'_>) {
    let (before, rest) = match memmem::rfind(text, b"rhost=") {
        Some(at) => (&text[..at], &text[at + 6..]),
        None => (text, &b""[..]),
    };
    let mut cursor = Cursor::new(rest);
    let host = cursor.take_while(|byte| byte != b' ');
    if let Some(host) = present(host) {
        set_source(row, host);
    }
    cursor.skip_blanks();
    if cursor.take_if(b"user=") {
        set_user(row, cursor.finish());
    }
    let value = |name: &[u8]| {
        let at = memmem::find(before, name)? + name.len();
        before[at..].split(|byte| *byte == b' ').next()
    };
    row.text(key::SRC_USER, value(b" ruser=").and_then(present).unwrap_or_default());
    row.extra_fixed("tty", value(b" tty=").unwrap_or_default());
    row.extra_fixed("uid", value(b" uid=").unwrap_or_default());
}

/// `2 more authentication failures; … rhost=… user=…`: a sum at the end, of failures already told.
fn more_failures(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let mut cursor = Cursor::new(text);
    let count = decimal(cursor.word())?;
    cursor.expect(b"more authentication failure")?;
    beside(row, &SSH, Some(Outcome::Failure));
    row.set(key::REPEAT, count);
    keys(cursor.rest(), row);
    Some(())
}

/// The account that was locked.
fn locked<'a>(module: &[u8], text: &'a [u8]) -> Option<&'a [u8]> {
    let rest = match module {
        b"pam_faillock" => text.strip_prefix(b"Consecutive login failures for user ")?,
        b"pam_tally2" | b"pam_tally" => text.strip_prefix(b"user ")?,
        _ => return None,
    };
    Some(Cursor::new(rest).word())
}
