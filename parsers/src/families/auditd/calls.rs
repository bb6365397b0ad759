//! System calls about the network: which call a number is, and what its result proves.
//!
//! Numbers differ by architecture. Source: Linux, `arch/x86/entry/syscalls/syscall_64.tbl`, `syscall_32.tbl`,
//! `include/uapi/asm-generic/unistd.h`; errors from `include/uapi/asm-generic/errno.h`.

use schemas::{Action, EventKind, Field, Initiator, Outcome, PortState, Row, key};

use super::sockaddr::{enriched, extras, inet};
use super::value::{Note, Notes};
use super::{CONNECTION, REST};
use crate::lex::text::decimal;

/// A call about sockets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Connect,
    Accept,
    Bind,
    Listen,
}

/// Which call it is, by its name where the record is enriched, else by architecture and number.
fn call_of(notes: &Notes<'_>) -> Option<Call> {
    for name in [notes.raw(Note::SyscallName), notes.raw(Note::Syscall)] {
        match name {
            b"connect" => return Some(Call::Connect),
            b"accept" | b"accept4" => return Some(Call::Accept),
            b"bind" => return Some(Call::Bind),
            b"listen" => return Some(Call::Listen),
            _ => {}
        }
    }
    let number = decimal(notes.raw(Note::Syscall))?;
    let arch = notes.raw(Note::Arch);
    let arch = arch.strip_prefix(b"0x").unwrap_or(arch);
    let [connect, accept, accept4, bind, listen] = match arch {
        b"c000003e" => [42, 43, 288, 49, 50],
        b"c00000b7" => [203, 202, 242, 200, 201],
        b"40000003" => [362, u64::MAX, 364, 361, 363],
        _ => return None,
    };
    match number {
        _ if number == connect => Some(Call::Connect),
        _ if number == accept || number == accept4 => Some(Call::Accept),
        _ if number == bind => Some(Call::Bind),
        _ if number == listen => Some(Call::Listen),
        _ => None,
    }
}

/// The result of a call, as its negative number or name.
fn error(exit: &[u8]) -> Option<&'static str> {
    let name = match exit {
        b"-13" | b"EACCES" => "EACCES",
        b"-98" | b"EADDRINUSE" => "EADDRINUSE",
        b"-101" | b"ENETUNREACH" => "ENETUNREACH",
        b"-104" | b"ECONNRESET" => "ECONNRESET",
        b"-110" | b"ETIMEDOUT" => "ETIMEDOUT",
        b"-111" | b"ECONNREFUSED" => "ECONNREFUSED",
        b"-113" | b"EHOSTUNREACH" => "EHOSTUNREACH",
        b"-115" | b"EINPROGRESS" => "EINPROGRESS",
        _ => return None,
    };
    Some(name)
}

/// Writes what a network call says. Who the peer is only an event with its address joined to it knows.
pub(super) fn call(notes: &Notes<'_>, row: &mut Row<'_>) {
    let Some(call) = call_of(notes) else {
        row.extra_fixed("syscall_name", notes.raw(Note::SyscallName));
        return;
    };
    let name: &[u8] = match call {
        Call::Connect => b"connect",
        Call::Accept => b"accept",
        Call::Bind => b"bind",
        Call::Listen => b"listen",
    };
    row.extra_fixed("syscall_name", name);
    let error = error(notes.raw(Note::Exit));
    if let Some(error) = error {
        row.fixed(key::REASON, error);
    }
}

/// The ends of a call whose address stands in the same event.
pub(super) fn joined(notes: &Notes<'_>, row: &mut Row<'_>) {
    let Some(call) = call_of(notes) else { return };
    let Some((ip, port)) = inet(notes.raw(Note::Saddr)).or_else(|| enriched(notes)) else { return };
    // of a conversation the ports tell how it went
    row.clear(Field::Outcome);
    let succeeded = matches!(notes.raw(Note::Result), b"yes" | b"1");
    match call {
        Call::Connect => {
            row.log_source(&CONNECTION);
            row.set(key::KIND, EventKind::Flow);
            row.set(key::DST_IP, ip);
            row.set(key::DST_PORT, port);
            row.set(key::INITIATOR, Initiator::Source);
            match error(notes.raw(Note::Exit)) {
                Some("ECONNREFUSED") => row.set(key::PORT_STATE, PortState::Closed),
                Some("ETIMEDOUT") => row.set(key::PORT_STATE, PortState::Filtered),
                _ if succeeded => row.set(key::ACTION, Action::Start),
                _ => {}
            }
        }
        Call::Accept if succeeded => {
            row.log_source(&CONNECTION);
            row.set(key::KIND, EventKind::Flow);
            row.set(key::SRC_IP, ip);
            row.set(key::SRC_PORT, port);
            row.set(key::INITIATOR, Initiator::Source);
            row.set(key::ACTION, Action::Start);
        }
        // which port it is that a program listens on is only sure once it listens
        Call::Accept | Call::Bind | Call::Listen => {
            row.log_source(&REST);
            row.set(key::OUTCOME, if succeeded { Outcome::Success } else { Outcome::Failure });
            extras(notes.raw(Note::Saddr), notes, row);
        }
    }
}
