//! The fields of a record: which are concluded from, and how their values are written.

use crate::lex::json;
use crate::lex::keys::KeyMap;
use crate::lex::text::{Scratch, unhex};

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// As it is.
    Plain,
    /// Without quotes, so that it is in hexadecimal if it can be.
    Hex,
    /// A JSON string with escapes.
    Json,
}

#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    pub raw: &'a [u8],
    pub coding: Coding,
}

pub(super) const EMPTY: Value<'static> = Value { raw: b"", coding: Coding::Plain };

impl<'a> Value<'a> {
    /// Hands the text to `use_it` unless there is none. Arguments in hexadecimal are separated by NUL: a blank here.
    pub fn with(self, use_it: impl FnOnce(&[u8])) {
        match self.coding {
            _ if self.raw.is_empty() => {}
            Coding::Plain => use_it(self.raw),
            Coding::Json => json::Text { raw: self.raw, escaped: true }.with(use_it),
            Coding::Hex => {
                let mut text = Scratch::default();
                if self.is_encoded() && unhex(self.raw, &mut text).is_some() && needs_encoding(text.bytes()) {
                    let end = text.bytes().iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
                    text.bytes_mut().iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = b' ');
                    use_it(&text.bytes()[..end]);
                } else {
                    use_it(self.raw);
                }
            }
        }
    }

    /// Digits as auditd writes them, which has no small letters.
    fn is_encoded(self) -> bool {
        self.raw.len().is_multiple_of(2) && self.raw.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'))
    }

    pub fn or(self, other: Value<'a>) -> Value<'a> {
        if self.raw.is_empty() { other } else { self }
    }
}

/// Only a text with such a byte is encoded at all. Source: Linux, `kernel/audit.c`, `audit_string_contains_control`.
fn needs_encoding(text: &[u8]) -> bool {
    text.iter().any(|byte| *byte == b'"' || *byte < 0x21 || *byte > 0x7e)
}

/// Fields that are concluded from, one slot each.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Note {
    Pid,
    ParentPid,
    Comm,
    Exe,
    Acct,
    User,
    Id,
    IdName,
    Uid,
    UidName,
    Auid,
    AuidName,
    Session,
    Address,
    HostName,
    Terminal,
    Op,
    Result,
    Exit,
    Syscall,
    SyscallName,
    Arch,
    Saddr,
    Daddr,
    SourcePort,
    DestinationPort,
    Protocol,
    LocalAddress,
    LocalPort,
    RemotePort,
    SocketFamily,
    Src,
    Dst,
    Command,
    Proctitle,
    Count,
}

/// What becomes of a field; any other goes to the extras as it stands.
#[derive(Clone, Copy)]
pub(super) enum Put {
    Note(Note),
    /// Into the extras, decoded.
    Text,
    /// Nothing: numbers that other fields say better, and SELinux contexts of the process.
    Leave,
}

macro_rules! keys {
    ($($name:literal $put:ident $(($note:ident))?),+ $(,)?) => { &[$(($name, Put::$put $((Note::$note))?)),+] };
}

#[rustfmt::skip]
pub(super) static KEYS: KeyMap<Put, 256> = KeyMap::new(keys! {
    "pid" Note(Pid), "ppid" Note(ParentPid), "comm" Note(Comm), "exe" Note(Exe), "acct" Note(Acct), "user" Note(User), "id" Note(Id),
    "ID" Note(IdName), "uid" Note(Uid), "UID" Note(UidName), "auid" Note(Auid), "AUID" Note(AuidName), "ses" Note(Session),
    "addr" Note(Address), "hostname" Note(HostName), "terminal" Note(Terminal), "tty" Note(Terminal), "op" Note(Op),
    "res" Note(Result), "result" Note(Result), "success" Note(Result), "exit" Note(Exit), "syscall" Note(Syscall), "SYSCALL" Note(SyscallName),
    "arch" Note(Arch), "saddr" Note(Saddr), "daddr" Note(Daddr), "sport" Note(SourcePort), "dport" Note(DestinationPort), "proto" Note(Protocol),
    "laddr" Note(LocalAddress), "lport" Note(LocalPort), "rport" Note(RemotePort), "port" Note(LocalPort), "saddr_fam" Note(SocketFamily),
    "src" Note(Src), "dst" Note(Dst), "cmd" Note(Command), "proctitle" Note(Proctitle), "SADDR" Leave,
    "cwd" Text, "name" Text, "data" Text, "path" Text, "vm" Text, "key" Text, "old-chardev" Text, "new-chardev" Text, "grp" Text, "acl" Text,
    "gid" Leave, "euid" Leave, "suid" Leave, "fsuid" Leave, "egid" Leave, "sgid" Leave, "fsgid" Leave, "GID" Leave, "EUID" Leave, "SUID" Leave,
    "FSUID" Leave, "EGID" Leave, "SGID" Leave, "FSGID" Leave, "OUID" Leave, "OGID" Leave, "ARCH" Leave, "subj" Leave, "items" Leave,
    "old" Leave, "new" Leave, "OLD-AUID" Leave,
});

/// The fields of one event.
pub(super) struct Notes<'a> {
    values: [Value<'a>; Note::Count as usize],
    arguments: [Value<'a>; ARGUMENTS_MAX],
    argument_count: usize,
}

/// Arguments of a command line that are kept.
const ARGUMENTS_MAX: usize = 32;

impl Default for Notes<'_> {
    fn default() -> Self {
        Notes { values: [EMPTY; Note::Count as usize], arguments: [EMPTY; ARGUMENTS_MAX], argument_count: 0 }
    }
}

impl<'a> Notes<'a> {
    pub fn set(&mut self, note: Note, value: Value<'a>) {
        self.values[note as usize] = value;
    }

    pub fn get(&self, note: Note) -> Value<'a> {
        self.values[note as usize]
    }

    pub fn has(&self, note: Note) -> bool {
        !self.raw(note).is_empty()
    }

    /// The bytes as they stand: right for numbers and addresses.
    pub fn raw(&self, note: Note) -> &'a [u8] {
        self.get(note).raw
    }

    pub fn argument(&mut self, value: Value<'a>) {
        if let Some(slot) = self.arguments.get_mut(self.argument_count) {
            *slot = value;
            self.argument_count += 1;
        }
    }

    /// The command line: its arguments with blanks between.
    pub fn with_arguments(&self, use_it: impl FnOnce(&[u8])) {
        let mut line = Scratch::default();
        for value in &self.arguments[..self.argument_count] {
            if !line.bytes().is_empty() {
                line.push(b' ');
            }
            value.with(|text| line.extend(text));
        }
        use_it(line.bytes());
    }
}
