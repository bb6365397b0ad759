//! Windows events as agents write them into text: Snare's columns, Splunk's and QRadar's pairs, a provider's name before the text.
//!
//! ```text
//! MSWinEventLog→1→Security→1234→Mon May 04 09:12:31 2026→4625→Microsoft-Windows-Security-Auditing→…        Snare
//! 05/04/2026 09:12:31 AM¶LogName=Security¶EventCode=4625¶…¶Message=An account failed…                      Splunk, several lines
//! AgentDevice=WindowsLog→AgentLogFile=Security→EventID=4625→…→Message=…                                    QRadar
//! Microsoft-Windows-Security-Auditing: 4625: AUDIT_FAILURE An account failed…                              evtsys
//! ```
//! All of them end in the text for people, which is read then. A text without anything before it names its event by its first sentence.

use super::super::keys::KeyMap;
use super::super::syslog::Header;
use super::super::text::{decimal, split_once};
use super::message::code_of;
use super::{Coding, Field, Slot, WinEvent};

const SNARE: &[u8] = b"MSWinEventLog";

/// Which form a text is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Offset of the mark.
    Snare(usize),
    Splunk,
    Radar,
    Provider,
    Sentence,
}

#[inline]
fn form(header: &Header<'_>, body: &[u8]) -> Option<Form> {
    if body.starts_with(SNARE) {
        return Some(Form::Snare(0));
    }
    if body.starts_with(b"LogName=") || is_splunk_date(body) {
        return Some(Form::Splunk);
    }
    if body.starts_with(b"AgentDevice=") {
        return Some(Form::Radar);
    }
    if header.app.ends_with(b"Security-Auditing") || header.app.ends_with(b"-Sysmon") {
        return Some(Form::Provider);
    }
    if code_of(body).is_some() {
        return Some(Form::Sentence);
    }
    // `host→MSWinEventLog→`
    let tab = memchr::memchr2(b'\t', b'#', &body[..body.len().min(64)])?;
    let after = match &body[tab..] {
        [b'\t', ..] => tab + 1,
        [b'#', b'0', b'1', b'1', ..] => tab + 4,
        _ => return None,
    };
    body[after..].starts_with(SNARE).then_some(Form::Snare(after))
}

/// `05/04/2026 09:12:31 AM` and a line end.
#[inline]
fn is_splunk_date(body: &[u8]) -> bool {
    body.get(2) == Some(&b'/')
        && body.get(5) == Some(&b'/')
        && body.get(10) == Some(&b' ')
        && body.len() > 40
        && body[..body.len().min(64)].windows(9).any(|part| part == b"\nLogName=")
}

/// Whether a text is an event in one of these forms.
#[inline]
pub fn is_event_text(header: &Header<'_>, body: &[u8]) -> bool {
    form(header, body).is_some()
}

/// Reads such a text. Says whether it was one.
pub fn read_text<'a>(
    header: &Header<'a>,
    body: &'a [u8],
    event: &mut WinEvent<'a>,
    mut other: impl FnMut(&[u8], Field<'a>),
) -> bool {
    let plain = |raw: &'a [u8]| Field { raw, coding: Coding::Plain };
    match form(header, body) {
        Some(Form::Snare(at)) => {
            let host = body[..at].trim_ascii_end();
            event.put(Slot::HostName, plain(host.strip_suffix(b"#011").unwrap_or(host)));
            snare(&body[at + SNARE.len()..], event);
        }
        Some(Form::Splunk) => {
            let mut rest = body;
            if let Some((first, after)) = split_once(body, b'\n').filter(|_| is_splunk_date(body)) {
                event.put(Slot::LocalTime, plain(first.trim_ascii()));
                rest = after;
            }
            pairs(rest, b'\n', event, &mut other);
        }
        Some(Form::Radar) => pairs(body, if body.contains(&b'\t') { b'\t' } else { b' ' }, event, &mut other),
        Some(Form::Provider) => {
            event.put(Slot::Provider, plain(header.app));
            let mut rest = body;
            if let Some((code, after)) = split_once(rest, b':').filter(|(code, _)| decimal(code).is_some()) {
                event.put(Slot::EventId, plain(code));
                rest = after.trim_ascii_start();
            } else if let Some(code) = code_of(rest) {
                event.put(Slot::EventId, plain(code.as_bytes()));
            }
            if let Some((word, after)) = split_once(rest, b' ').filter(|(word, _)| word.starts_with(b"AUDIT_")) {
                event.put(Slot::Keywords, plain(word));
                rest = after.trim_ascii_start();
            }
            event.put(Slot::Message, plain(rest));
        }
        Some(Form::Sentence) => {
            event.put(Slot::Provider, plain(b"Microsoft-Windows-Security-Auditing"));
            event.put(Slot::EventId, plain(code_of(body).unwrap_or_default().as_bytes()));
            event.put(Slot::Message, plain(body));
        }
        None => return false,
    }
    true
}

/// Snare's columns after the mark. Source: Snare for Windows, *Event log format*.
fn snare<'a>(text: &'a [u8], event: &mut WinEvent<'a>) {
    const COLUMNS: [Slot; 13] = [
        Slot::Ignored,
        Slot::Channel,
        Slot::Ignored,
        Slot::LocalTime,
        Slot::EventId,
        Slot::Provider,
        Slot::SystemAccount,
        Slot::Ignored,
        Slot::Keywords,
        Slot::Computer,
        Slot::Action,
        Slot::Ignored,
        Slot::Message,
    ];
    let separator: &[u8] = match text {
        [b'#', b'0', b'1', b'1', ..] => b"#011",
        [first, ..] => std::slice::from_ref(first),
        [] => return,
    };
    let mut rest = &text[separator.len()..];
    for slot in COLUMNS {
        let length = if slot == Slot::Message { None } else { memchr::memmem::find(rest, separator) };
        let mut value = &rest[..length.unwrap_or(rest.len())];
        if slot == Slot::Message {
            // the checksum or counter at the end
            let last =
                memchr::memmem::rfind(value, separator).filter(|at| decimal(&value[at + separator.len()..]).is_some());
            value = &value[..last.unwrap_or(value.len())];
        }
        let value = value.trim_ascii();
        if slot != Slot::Ignored && value != b"N/A" {
            event.put(slot, Field { raw: value, coding: Coding::Plain });
        }
        match length {
            Some(length) => rest = &rest[length + separator.len()..],
            None => return,
        }
    }
}

/// Keys of Splunk's and QRadar's pairs.
static KEYS: KeyMap<Slot, 64> = KeyMap::new(&[
    ("LogName", Slot::Channel),
    ("AgentLogFile", Slot::Channel),
    ("SourceName", Slot::Provider),
    ("Source", Slot::Provider),
    ("EventCode", Slot::EventId),
    ("EventID", Slot::EventId),
    ("EventIDCode", Slot::EventId),
    ("ComputerName", Slot::Computer),
    ("OriginatingComputer", Slot::HostName),
    ("Computer", Slot::Computer),
    ("TaskCategory", Slot::Action),
    ("EventType", Slot::Ignored),
    ("Type", Slot::Severity),
    ("RecordNumber", Slot::RecordId),
    ("Keywords", Slot::Keywords),
    ("User", Slot::SystemAccount),
    ("Domain", Slot::SystemDomain),
    ("TimeGenerated", Slot::TimeCreated),
    ("Message", Slot::Message),
    ("OpCode", Slot::Ignored),
    ("Opcode", Slot::Ignored),
    ("Sid", Slot::Ignored),
    ("SidType", Slot::Ignored),
    ("AgentDevice", Slot::Ignored),
    ("PluginVersion", Slot::Ignored),
    ("EventCategory", Slot::Ignored),
    ("TimeWritten", Slot::Ignored),
    ("Level", Slot::Ignored),
    ("Task", Slot::Ignored),
]);

/// `key=value` up to the message, which is the rest.
fn pairs<'a>(text: &'a [u8], separator: u8, event: &mut WinEvent<'a>, other: &mut impl FnMut(&[u8], Field<'a>)) {
    let mut rest = text;
    while let Some((key, after)) = split_once(rest, b'=') {
        let key = key.trim_ascii();
        let slot = KEYS.get(key);
        if slot == Some(Slot::Message) {
            event.put(Slot::Message, Field { raw: after.trim_ascii(), coding: Coding::Plain });
            return;
        }
        let length = memchr::memchr(separator, after).unwrap_or(after.len());
        let field = Field { raw: after[..length].trim_ascii(), coding: Coding::Plain };
        match slot {
            Some(slot) => event.put(slot, field),
            None => other(key, field),
        }
        rest = after.get(length + 1..).unwrap_or_default();
    }
}
