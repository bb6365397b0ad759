//! Linux and Unix logins: sshd, PAM, sudo, su, doas, login, logind, polkit, user administration, xinetd, dropbear, as syslog writes them.
//!
//! One attempt leaves up to four lines (`Invalid user`, `pam_unix … failure`, `Failed password`, `Connection closed by
//! invalid user`). The one that is written once per attempt is of kind `auth`; the others keep their outcome and their
//! fields but are of kind `other`, so that counting logins counts attempts. A key or a method that a client merely
//! tries (`Failed publickey`, `Failed none`) is such an other line, too.
//!
//! A user's name in these texts is chosen by the attacker: sentences are read from their right end, where the program
//! itself wrote the address.

mod pam;
mod sshd;
mod sudo;

use schemas::{EventKind, LogSource, Row, key};

use crate::lex::syslog::{Repetition, repetition};
use crate::lex::text::{Cursor, decimal, rsplit_once, split_once, split_once_str};
use crate::logins::{attempt, beside, set_service, set_source, set_user};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

pub(super) static SSH_LOGIN: LogSource = source("linux_auth.sshd", &["authentication"], &["sshd", "auth"]);
pub(super) static SSH: LogSource = source("linux_auth.sshd", &[], &["sshd", "auth"]);
pub(super) static LOGIN: LogSource = source("linux_auth.login", &["authentication"], &["auth", "pam"]);
pub(super) static SUDO: LogSource = source("linux_auth.sudo", &[], &["sudo", "auth"]);
pub(super) static REST: LogSource = source("linux_auth.other", &[], &["auth", "syslog"]);

const fn source(
    dataset: &'static str,
    categories: &'static [&'static str],
    services: &'static [&'static str],
) -> LogSource {
    LogSource {
        family: "linux_auth",
        vendor: "Linux",
        product: "Linux",
        dataset,
        categories,
        products: &["linux"],
        services,
    }
}

/// Programs whose lines are this family's, by the tag without `(pam_unix)`, path and `@` suffix.
const PROGRAMS: &[&[u8]] = &[
    b"sshd",
    b"sshd-session",
    b"sshd-auth",
    b"in.sshd",
    b"dropbear",
    b"sudo",
    b"su",
    b"login",
    b"systemd-logind",
    b"CRON",
    b"cron",
    b"crond",
    b"useradd",
    b"userdel",
    b"usermod",
    b"groupadd",
    b"groupdel",
    b"groupmod",
    b"passwd",
    b"chpasswd",
    b"chfn",
    b"chsh",
    b"gpasswd",
    b"pkexec",
    b"polkitd",
    b"gdm-password",
    b"gdm",
    b"lightdm",
    b"doas",
    b"chage",
    b"newusers",
    b"vipw",
    b"polkit-agent-helper-1",
    b"xinetd",
    b"telnetd",
    b"in.telnetd",
    b"in.rshd",
    b"rshd",
    b"rlogind",
    b"in.rlogind",
];

/// `sshd` of `/usr/sbin/sshd`, `su` of `su(pam_unix)`, `sshd` of `sshd@3`.
fn program(app: &[u8]) -> &[u8] {
    let app = rsplit_once(app, b'/').map_or(app, |(_, name)| name);
    app.split(|byte| matches!(byte, b'(' | b'@' | b'[' | b']')).next().unwrap_or(app)
}

/// `[sshd] TEXT`, `[sshd]: TEXT`: a tag as some forwarders write it.
fn bracketed(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, rest) = split_once(body.strip_prefix(b"[")?, b']')?;
    let rest = rest.strip_prefix(b":").unwrap_or(rest).strip_prefix(b" ")?;
    PROGRAMS.contains(&name).then_some((name, rest))
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "linux_auth"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["sshd", "pam", "auth_log"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        let app = record.header.app;
        // Junos' programs of the same names begin with a tag: `LOGIN_FAILED: …`
        let tag = record.body.iter().take(40).take_while(|byte| matches!(byte, b'A'..=b'Z' | b'_')).count();
        if record.header.structured.starts_with(b"[junos@") || record.body[..tag].contains(&b'_') {
            return None;
        }
        if !app.is_empty() {
            let known = PROGRAMS.contains(&program(app)) || record.body.starts_with(b"pam_");
            return known.then_some(Confidence::Certain);
        }
        if record.body.starts_with(b"polkitd(") || bracketed(record.body).is_some() {
            return Some(Confidence::Certain);
        }
        let text = text_of(record.body);
        let known = sshd::is_sentence(text)
            || text.starts_with(b"pam_")
            || text.starts_with(b"PAM ")
            || repetition(text).is_some();
        known.then_some(Confidence::Possible)
    }

    #[inline]
    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let header = &record.header;
        let mut body = record.body.trim_ascii();
        let mut app = header.app;
        // `polkitd(authority=local): …` is a tag that the header's reading does not take for one
        if app.is_empty()
            && body.starts_with(b"polkitd(")
            && let Some((_, rest)) = split_once_str(body, b"): ")
        {
            (app, body) = (b"polkitd", rest);
        } else if app.is_empty()
            && let Some(found) = bracketed(body)
        {
            (app, body) = found;
        }
        match repetition(body) {
            Some(Repetition::Of { times, body: inner }) => {
                row.set(key::REPEAT, times);
                body = inner;
            }
            Some(Repetition::OfLast { times }) => {
                // of a line that may lie in another batch
                row.set(key::REPEAT, times);
                rest(body, row);
                return Ok(Parsed::Events);
            }
            None => {}
        }
        row.text(key::PROCESS_NAME, program(app));
        row.set_opt(key::PROCESS_ID, decimal(header.pid));
        let text = text_of(body);
        let known = match program(app) {
            b"sshd" | b"sshd-session" | b"sshd-auth" | b"in.sshd" => {
                sshd::message(text, row).or_else(|| pam::message(app, text, row))
            }
            b"dropbear" => sshd::dropbear(text, row),
            b"sudo" => pam::message(app, text, row).or_else(|| sudo::message(body, row)),
            b"" => sshd::message(text, row).or_else(|| pam::message(b"", text, row)),
            _ => pam::message(app, text, row).or_else(|| sudo::other_program(app, text, row)),
        };
        if known.is_none() {
            if app.is_empty() {
                return Err(record.not_this_family("a program's tag (`sshd[42]:`) or one of its sentences"));
            }
            rest(text, row);
        } else {
            row.text(key::MESSAGE, body);
        }
        Ok(Parsed::Events)
    }
}

/// The sentence without what is put before it (`[ID 800047 auth.info]`, `error:`) and after it (`[preauth]`).
fn text_of(body: &[u8]) -> &[u8] {
    let mut text = body.trim_ascii();
    if text.starts_with(b"[ID ")
        && let Some((_, rest)) = split_once_str(text, b"] ")
    {
        text = rest;
    }
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| text.strip_prefix(*prefix)) {
        text = rest.trim_ascii_start();
    }
    text.strip_suffix(b"[preauth]").unwrap_or(text).trim_ascii()
}

const PREFIXES: &[&[u8]] =
    &[b"error: ", b"fatal: ", b"debug1: ", b"debug2: ", b"debug3: ", b"info: ", b"main: sshd: ", b"pam: "];

/// A line of which only the text is known.
fn rest(text: &[u8], row: &mut Row<'_>) {
    row.log_source(&REST);
    row.set(key::KIND, EventKind::Other);
    row.text(key::MESSAGE, text);
}

// ---- what the programs share

/// `NAME(uid=1000)`, `NAME by …`: the name.
fn bare_name(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == b'(').next().unwrap_or(text).trim_ascii()
}

/// The sentence's connection is one of SSH.
fn set_ssh(row: &mut Row<'_>) {
    set_service(row, "ssh");
}

/// What stands between `'` and the next one.
fn quoted(text: &[u8]) -> Option<&[u8]> {
    let (_, rest) = split_once(text, b'\'')?;
    split_once(rest, b'\'').map(|(name, _)| name)
}

/// A cursor that has read `literal`.
fn after<'a>(text: &'a [u8], literal: &[u8]) -> Option<Cursor<'a>> {
    let mut cursor = Cursor::new(text);
    cursor.expect(literal)?;
    Some(cursor)
}
