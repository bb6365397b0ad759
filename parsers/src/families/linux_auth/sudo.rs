//! sudo, su, login, logind and the programs that manage accounts.

use memchr::memmem;
use schemas::{Action, EventKind, Outcome, Row, key};

use super::{LOGIN, REST, SUDO, attempt, beside, program, quoted, set_source, set_user};
use crate::lex::text::{Cursor, contains, decimal, rsplit_once, split_once, split_once_str};

/// `USER : [WHY ; ]TTY=… ; PWD=… ; USER=TARGET ; COMMAND=…`; the command may hold ` ; `.
pub(super) fn message(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let (name, rest) = split_once_str(text.trim_ascii_start(), b" : ")?;
    if rest.starts_with(b"(command continued)") {
        beside(row, &SUDO, None);
        return Some(());
    }
    let (head, command) = match memmem::find(rest, b"COMMAND=") {
        Some(at) => (&rest[..at], &rest[at + 8..]),
        None => (rest, &b""[..]),
    };
    let mut why: &[u8] = b"";
    for part in head.split(|byte| *byte == b';').map(<[u8]>::trim_ascii).filter(|part| !part.is_empty()) {
        match split_once(part, b'=') {
            Some((b"TTY", value)) => row.extra_fixed("tty", value),
            Some((b"PWD", value)) => row.extra_fixed("pwd", value),
            Some((b"USER", value)) => row.extra_fixed("target_user", value),
            Some((b"GROUP", value)) => row.extra_fixed("target_group", value),
            Some((b"TSID" | b"ENV" | b"HOST" | b"CHROOT", _)) => {}
            Some(_) | None if why.is_empty() => why = part,
            Some(_) | None => {}
        }
    }
    set_user(row, name);
    row.text(key::PROCESS_COMMAND, command);
    if why.is_empty() {
        row.log_source(&SUDO);
        row.set(key::KIND, EventKind::Process);
        row.set(key::OUTCOME, Outcome::Success);
        return Some(());
    }
    // PAM has told of each wrong password; this is their sum
    beside(row, &SUDO, Some(Outcome::Failure));
    row.text(key::REASON, why);
    row.set_opt(key::REPEAT, decimal(Cursor::new(why).word()));
    Some(())
}

/// Everything that is neither sshd nor sudo.
pub(super) fn other_program(app: &[u8], text: &[u8], row: &mut Row<'_>) -> Option<()> {
    match program(app) {
        b"su" => su(text, row),
        b"login" => login(text, row),
        b"systemd-logind" => logind(text, row),
        b"useradd" | b"userdel" | b"usermod" | b"groupadd" | b"groupdel" | b"groupmod" | b"passwd" | b"chfn"
        | b"chsh" | b"gpasswd" => account(text, row),
        b"CRON" | b"cron" | b"crond" => cron(text, row),
        b"chage" => expiry(text, row),
        b"polkitd" | b"polkit-agent-helper-1" => polkit(text, row),
        b"pkexec" => pkexec(text, row),
        b"doas" => doas(text, row),
        b"xinetd" => xinetd(text, row),
        b"rshd" | b"in.rshd" if contains(text, b" as ") => remote_shell(text, row),
        b"in.telnetd" | b"telnetd" | b"rshd" | b"in.rshd" | b"in.rlogind" | b"rlogind" => connect_from(text, row),
        _ => None,
    }
}

/// `U@A as V: cmd='C'`: a command that a host which is trusted by its address had run.
fn remote_shell(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let (who, what) = split_once_str(text, b" as ")?;
    let (remote, address) = rsplit_once(who, b'@')?;
    let (name, command) = split_once_str(what, b": cmd='")?;
    beside(row, &REST, None);
    row.fixed(key::EVENT_ACTION, "rsh");
    set_source(row, address);
    row.text(key::SRC_USER, remote);
    set_user(row, name);
    row.text(key::PROCESS_COMMAND, command.strip_suffix(b"'").unwrap_or(command));
    Some(())
}

/// `(to TARGET) USER on TTY`, `FAILED SU (to TARGET) USER on TTY`, `BAD SU USER to TARGET on TTY`,
/// `{Successful|FAILED} su for TARGET by USER`, `{+|-} TTY USER:TARGET`.
fn su(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let failed = text.starts_with(b"FAILED") || text.starts_with(b"BAD SU ");
    let (name, target, counted) = if let Some((_, rest)) = split_once_str(text, b"(to ") {
        let (target, rest) = split_once_str(rest, b") ")?;
        (split_once_str(rest, b" on ").map_or(rest, |(name, _)| name), target, true)
    } else if let Some(rest) = text.strip_prefix(b"BAD SU ") {
        let (name, rest) = split_once_str(rest, b" to ")?;
        (name, split_once_str(rest, b" on ").map_or(rest, |(target, _)| target), true)
    } else if let Some((_, rest)) = split_once_str(text, b"su for ") {
        let (target, name) = split_once_str(rest, b" by ")?;
        (name, target, true)
    } else {
        // told by another line already
        let mut cursor = Cursor::new(text);
        cursor.expect(b"+ ").or_else(|| cursor.expect(b"- "))?;
        cursor.word();
        let (name, target) = split_once(cursor.finish(), b':')?;
        (name, target, false)
    };
    match (counted, failed) {
        (true, true) => attempt(row, &LOGIN, Outcome::Failure),
        (true, false) => attempt(row, &LOGIN, Outcome::Success),
        (false, _) => beside(row, &REST, None),
    }
    row.fixed(key::EVENT_ACTION, "su");
    set_user(row, name);
    row.extra_fixed("target_user", target);
    Some(())
}

/// `FAILED LOGIN (N) on 'TTY' [from 'HOST' ]FOR 'USER', WHY`, `LOGIN ON TTY BY USER[ FROM HOST]`, `ROOT LOGIN ON TTY`.
fn login(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    if text.starts_with(b"FAILED LOGIN") {
        attempt(row, &LOGIN, Outcome::Failure);
        let at = memmem::find(text, b" FOR ")? + 5;
        let name = text[at..].split(|byte| *byte == b',').next().unwrap_or_default();
        set_user(row, quoted(name).unwrap_or(name));
        if let Some((_, host)) = split_once_str(text, b" FROM ").or_else(|| split_once_str(text, b" from '")) {
            set_source(row, host.split(|byte| matches!(byte, b' ' | b'\'')).next().unwrap_or_default());
        }
        return Some(());
    }
    let (rest, root) = match text.strip_prefix(b"ROOT LOGIN ") {
        Some(rest) => (rest, true),
        None => (text.strip_prefix(b"LOGIN ON ")?, false),
    };
    attempt(row, &LOGIN, Outcome::Success);
    let (rest, host) = split_once_str(rest, b" FROM ").unwrap_or((rest, b""));
    if !host.is_empty() {
        set_source(row, host);
    }
    if root {
        row.fixed(key::USER, "root");
    } else if let Some((_, name)) = split_once_str(rest, b" BY ") {
        set_user(row, name);
    }
    Some(())
}

/// `New session 12 of user alice.`, `Removed session 12.`, `Session 12 logged out. …`.
fn logind(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let mut cursor = Cursor::new(text);
    let opened = cursor.take_if(b"New session ");
    if !opened && !cursor.take_if(b"Removed session ") && !cursor.take_if(b"Session ") {
        return None;
    }
    beside(row, &REST, None);
    row.set(key::ACTION, if opened { Action::Start } else { Action::End });
    let session = cursor.word();
    row.text(key::SESSION_ID, session.strip_suffix(b".").unwrap_or(session));
    if cursor.take_if(b"of user ") {
        let name = cursor.word();
        let name = name.strip_suffix(b".").unwrap_or(name);
        set_user(row, name.strip_prefix(b"'").and_then(|name| name.strip_suffix(b"'")).unwrap_or(name));
    }
    Some(())
}

/// `new user: name=x, UID=1001, …`, `add 'x' to group 'sudo'`, `changed user 'x' information`, `password for 'x' changed by 'y'`.
fn account(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let done =
        [&b"new user"[..], b"new group", b"group added", b"add '", b"delete user", b"removed group", b"changed user"];
    let known = done.iter().any(|beginning| text.starts_with(beginning));
    beside(row, &REST, known.then_some(Outcome::Success));
    match split_once(text, b':') {
        Some((action, _)) if text.contains(&b'=') => row.text(key::EVENT_ACTION, action),
        _ => {}
    }
    if text.starts_with(b"new user") {
        let name = split_once_str(text, b"name=").map_or(&b""[..], |(_, rest)| rest);
        set_user(row, name.split(|byte| *byte == b',').next().unwrap_or_default());
    } else {
        set_user(row, quoted(text).unwrap_or_default());
    }
    Some(())
}

/// `(USER) CMD (COMMAND)`.
fn cron(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let (name, rest) = split_once_str(text.strip_prefix(b"(")?, b") ")?;
    let command = rest.strip_prefix(b"CMD (")?;
    row.log_source(&REST);
    row.set(key::KIND, EventKind::Process);
    set_user(row, name);
    row.text(key::PROCESS_COMMAND, command.strip_suffix(b")").unwrap_or(command).trim_ascii());
    Some(())
}

/// `changed password expiry for USER`.
fn expiry(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let (action, name) = split_once_str(text, b" for ")?;
    beside(row, &REST, Some(Outcome::Success));
    row.text(key::EVENT_ACTION, action);
    set_user(row, name);
    Some(())
}

/// `Operator of unix-session:1 {FAILED to authenticate|successfully authenticated as unix-user:TARGET} to gain … authorization
/// for action ACTION for unix-process:1:2 [COMMAND] (owned by unix-user:USER)`.
fn polkit(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let rest = text.strip_prefix(b"Operator of ")?;
    let (session, rest) = split_once(rest, b' ')?;
    let failed = rest.starts_with(b"FAILED to authenticate");
    if !failed && !rest.starts_with(b"successfully authenticated") {
        return None;
    }
    attempt(row, &LOGIN, if failed { Outcome::Failure } else { Outcome::Success });
    row.text(key::SESSION_ID, split_once(session, b':').map_or(session, |(_, id)| id));
    if let Some((_, target)) = split_once_str(rest, b" as unix-user:") {
        row.extra_fixed("target_user", Cursor::new(target).word());
    }
    if let Some((_, action)) = split_once_str(rest, b" for action ") {
        row.text(key::EVENT_ACTION, Cursor::new(action).word());
    }
    // the command is the caller's; the owner stands last
    if let Some(at) = memmem::rfind(rest, b"(owned by unix-user:") {
        set_user(
            row,
            rest[at + b"(owned by unix-user:".len()..].split(|byte| *byte == b')').next().unwrap_or_default(),
        );
    }
    Some(())
}

/// `USER: {Executing command|Error executing command as another user: WHY} [USER=root] [TTY=…] [CWD=…] [COMMAND=…]`.
fn pkexec(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let (name, rest) = split_once_str(text, b": ")?;
    let (head, fields) = split_once_str(rest, b" [USER=")?;
    if head == b"Executing command" {
        row.log_source(&SUDO);
        row.set(key::KIND, EventKind::Process);
        row.set(key::OUTCOME, Outcome::Success);
    } else {
        beside(row, &SUDO, Some(Outcome::Failure));
        row.text(key::REASON, split_once_str(head, b": ").map_or(head, |(_, why)| why));
    }
    set_user(row, name);
    row.extra_fixed("target_user", split_once(fields, b']')?.0);
    if let Some((_, command)) = split_once_str(fields, b" [COMMAND=") {
        row.text(key::PROCESS_COMMAND, command.strip_suffix(b"]").unwrap_or(command));
    }
    Some(())
}

/// `USER ran command COMMAND as TARGET from DIRECTORY`, `failed command for USER: …`, `failed auth for USER`.
fn doas(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    if let Some(name) = text.strip_prefix(b"failed auth for ") {
        attempt(row, &LOGIN, Outcome::Failure);
        set_user(row, name);
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"failed command for ") {
        let (name, command) = split_once_str(rest, b": ")?;
        beside(row, &SUDO, Some(Outcome::Failure));
        set_user(row, name);
        row.text(key::PROCESS_COMMAND, command);
        return Some(());
    }
    let (name, rest) = split_once_str(text, b" ran command ")?;
    let (command, rest) = rest.split_at(memmem::rfind(rest, b" as ")?);
    row.log_source(&SUDO);
    row.set(key::KIND, EventKind::Process);
    row.set(key::OUTCOME, Outcome::Success);
    set_user(row, name);
    row.text(key::PROCESS_COMMAND, command);
    row.extra_fixed("target_user", Cursor::new(&rest[4..]).word());
    Some(())
}

/// `START: SERVICE pid=1 from=ADDRESS`, `FAIL: SERVICE WHY from=ADDRESS`, `EXIT: SERVICE status=0 pid=1 duration=2(sec)`.
fn xinetd(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let (what, rest) = split_once_str(text, b": ")?;
    let action = match what {
        b"START" => Action::Start,
        b"FAIL" => Action::Deny,
        b"EXIT" => Action::End,
        _ => return None,
    };
    beside(row, &REST, None);
    row.set(key::ACTION, action);
    let mut cursor = Cursor::new(rest);
    row.extra_fixed("service", cursor.word());
    if action == Action::Deny {
        row.text(key::REASON, cursor.word());
    }
    if let Some((_, address)) = split_once_str(rest, b"from=") {
        set_source(row, Cursor::new(address).word());
    }
    Some(())
}

/// `connect from NAME (ADDRESS)`, `connect from ADDRESS`: TCP wrappers.
fn connect_from(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let rest = text.strip_prefix(b"connect from ")?;
    beside(row, &REST, None);
    row.set(key::ACTION, Action::Start);
    match split_once_str(rest, b" (") {
        Some((name, address)) => {
            set_source(row, name);
            set_source(row, address.strip_suffix(b")").unwrap_or(address));
        }
        None => set_source(row, rest),
    }
    Some(())
}
