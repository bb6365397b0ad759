//! By which marks a source's framing is told, from its first bytes, and where records of Windows events begin and end.

use memchr::{memchr, memmem};

use super::utf16::Utf16;
use super::{Coding, Framing, HEAD_BYTES, State, Unit, json_step};

impl Framing {
    /// Lines of bytes: what needs no [`super::Framer`].
    pub const LINES: Framing = Framing { coding: Coding::Bytes, unit: Unit::Line };

    /// Tells by the first bytes of a source ([`HEAD_BYTES`] of them, or all). What shows no mark of another is lines;
    /// [`Unit::Continued`] has no mark and has to be asked for.
    pub fn guess(head: &[u8]) -> Framing {
        let coding = match head {
            [0xff, 0xfe, ..] => Coding::Utf16Le,
            [0xfe, 0xff, ..] => Coding::Utf16Be,
            _ => return Framing { coding: Coding::Bytes, unit: unit_of(head) },
        };
        let mut text = Vec::with_capacity(head.len());
        let mut decoder = Utf16::default();
        decoder.decode(coding, head, &mut text);
        Framing { coding, unit: unit_of(&text) }
    }

    /// How one message of a queue is cut. `None` where it is one record whatever line feeds are in it: a JSON value that does not
    /// end on its first line. Collectors that batch put a line feed between records.
    pub fn of_message(message: &[u8]) -> Option<Framing> {
        let head = &message[..message.len().min(HEAD_BYTES)];
        if matches!(message, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) || is_counted(message) {
            return Some(Framing::guess(head));
        }
        let text = message.trim_ascii_end();
        let Some(end) = memchr(b'\n', text) else { return Some(Framing::LINES) };
        match Framing::guess(head) {
            Framing { unit: Unit::Json, .. } => None,
            Framing::LINES if matches!(text.first(), Some(b'{' | b'[')) && !is_whole_json(&text[..end]) => None,
            framing => Some(framing),
        }
    }
}

/// Whether every bracket of a line of JSON is closed on it.
fn is_whole_json(line: &[u8]) -> bool {
    let (mut rest, mut depth, mut quoted, mut escaped) = (line, 0u32, false, false);
    while !rest.is_empty() {
        let (length, next) = json_step(rest, depth, quoted, escaped);
        rest = &rest[length..];
        let State::Json(now, in_text, behind_backslash) = next else { return false };
        (depth, quoted, escaped) = (now, in_text, behind_backslash);
    }
    depth == 0 && !quoted
}

fn unit_of(head: &[u8]) -> Unit {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    if is_counted(head) {
        return Unit::Counted;
    }
    // a NUL inside a line is damage; where there is no line feed at all, it ends the messages
    if memchr(b'\n', head).is_none()
        && let Some(at) = memchr(0, head)
        && matches!(head.get(at + 1), None | Some(b'<'))
    {
        return Unit::Nul;
    }
    let text = head.trim_ascii_start();
    if is_xml_of_several_lines(text) {
        return Unit::WindowsXml;
    }
    let Some(end) = memchr(b'\n', text) else { return Unit::Line };
    if has_windows_text(text) {
        return Unit::WindowsText;
    }
    let (line, rest) = (text[..end].trim_ascii_end(), text[end + 1..].trim_ascii_start());
    let open = match (line.first(), line.last()) {
        (Some(b'{'), Some(b'{' | b',')) => matches!(rest.first(), Some(b'"' | b'}')),
        (Some(b'['), Some(b'[' | b',' | b'{')) => matches!(rest.first(), Some(b'{' | b'"' | b'}')),
        (Some(b'{'), Some(b'[')) => true,
        _ => false,
    };
    if open { Unit::Json } else { Unit::Line }
}

/// Whether some line begins an event of Windows, and the next one that is not blank says something of it. The first lines of a
/// file may belong to an event that began in the file before.
fn has_windows_text(text: &[u8]) -> bool {
    let mut lines =
        text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()).peekable();
    while let Some(line) = lines.next() {
        if (begins_event(line) || is_log_name(line)) && lines.peek().is_some_and(|next| is_assignment(next)) {
            return true;
        }
    }
    false
}

/// Whether the first event goes on on the next line, or there is a root around all of them.
fn is_xml_of_several_lines(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"- ").unwrap_or(text);
    if !text.starts_with(b"<") {
        return false;
    }
    let document = match memmem::find(text, b"?>") {
        Some(end) if text.starts_with(b"<?xml") => text[end + 2..].trim_ascii_start(),
        _ => text,
    };
    let document = document.strip_prefix(b"- ").unwrap_or(document);
    if is_tag(document, b"<Events") {
        return true;
    }
    let line = &document[..memchr(b'\n', document).unwrap_or(document.len())];
    is_tag(document, b"<Event") && line.len() < document.len() && memmem::find(line, EVENT_ENDS).is_none()
}

/// Whether it begins what surrounds events as XML.
pub(super) fn is_surrounding(text: &[u8]) -> bool {
    is_tag(text, b"<Events") || [&b"</Events"[..], b"<?", b"<!"].iter().any(|mark| text.starts_with(mark))
}

/// Whether it begins with that tag, and not with one whose name is longer.
pub(super) fn is_tag(text: &[u8], tag: &[u8]) -> bool {
    text.strip_prefix(tag).is_some_and(|rest| matches!(rest.first(), Some(b'>' | b' ' | b'\t' | b'\r' | b'\n')))
}

/// `LogName=Security` alone on a line: the first name of an event as text. Not all inputs write its date before it.
pub(super) fn is_log_name(line: &[u8]) -> bool {
    line.strip_prefix(b"LogName=").is_some_and(|name| memchr(b'=', name).is_none())
}

/// What ends an event as XML.
pub(super) const EVENT_ENDS: &[u8] = b"</Event>";

/// `LEN SP <`: with less, an epoch, a sequence number or a date would be taken for a count.
fn is_counted(head: &[u8]) -> bool {
    let digits = head.iter().take(COUNT_DIGITS + 1).take_while(|byte| byte.is_ascii_digit()).count();
    (1..=COUNT_DIGITS).contains(&digits) && head[0] != b'0' && head[digits..].starts_with(b" <")
}

/// Most digits of a count; the limit of the record's length bounds it further.
pub(super) const COUNT_DIGITS: usize = 7;

/// `05/04/2026 09:12:31 AM`, or WMI's `20260504091231.000000`, alone on a line.
pub(super) fn begins_event(line: &[u8]) -> bool {
    let like = |line: &[u8], shape: &[u8]| {
        line.len() == shape.len()
            && line
                .iter()
                .zip(shape)
                .all(|(byte, form)| if *form == b'9' { byte.is_ascii_digit() } else { byte == form })
    };
    let line = line.trim_ascii_end();
    match line {
        [date @ .., b'A' | b'P', b'M'] => like(date, b"99/99/9999 99:99:99 "),
        _ => like(line, b"99999999999999.999999"),
    }
}

fn is_assignment(line: &[u8]) -> bool {
    memchr(b'=', line)
        .is_some_and(|at| at > 0 && line[..at].iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_'))
}
