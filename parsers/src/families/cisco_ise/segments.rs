//! Messages in several segments: what the earlier ones said, until the last has come.
//!
//! ISE cuts a message wherever a datagram is full, within a value too, and only the first segment has the time and the code. What
//! would be lost line by line is kept, in a table of fixed size: who and from where, when, what the code was, and the pair
//! that was cut. A message whose place another one has taken gives its later segments alone.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use schemas::{EventKind, Ip, Outcome, Row, key};

use super::{CODES, LOGIN, Line, Meaning, NOTES, Noted, REST, Segment, is_of_credentials, octets, pairs};
use crate::{Record, set_time};

/// Messages of which segments are still to come.
const MESSAGES: usize = 64;

/// Longest text that is kept of one message's notes.
const TEXTS_MAX: usize = 1024;

/// Longest pair that is put together.
const PAIR_MAX: usize = 4096;

/// What later segments have from earlier ones.
const KEPT: [Noted; 13] = [
    Noted::UserName,
    Noted::RadiusUser,
    Noted::Admin,
    Noted::Account,
    Noted::Calling,
    Noted::EndpointMac,
    Noted::FramedIp,
    Noted::EndpointIp,
    Noted::RemoteAddress,
    Noted::PortalIp,
    Noted::AdminIp,
    Noted::AccountingSession,
    Noted::Session,
];

/// Texts of [`KEPT`], one behind the other, and where each ends.
#[derive(Clone, Default)]
struct Texts {
    text: Vec<u8>,
    ends: [u16; KEPT.len()],
}

impl Texts {
    fn keep(&mut self, notes: &[&[u8]; NOTES]) {
        self.text.clear();
        self.text.reserve(TEXTS_MAX);
        for (note, end) in KEPT.into_iter().zip(&mut self.ends) {
            let text = notes[note as usize];
            if self.text.len() + text.len() <= TEXTS_MAX {
                self.text.extend_from_slice(text);
            }
            *end = self.text.len() as u16;
        }
    }

    fn each(&self) -> impl Iterator<Item = (Noted, &[u8])> {
        let mut from = 0;
        KEPT.into_iter().zip(self.ends).map(move |(note, end)| {
            let text = &self.text[from..usize::from(end)];
            from = usize::from(end);
            (note, text)
        })
    }
}

/// What is known of a message.
#[derive(Clone, Default)]
struct Message {
    number: u64,
    host: Vec<u8>,
    /// The segment that came last.
    last: u64,
    time_us: Option<i64>,
    /// Empty if nothing is to come any more.
    code: Vec<u8>,
    destination: (Option<Ip>, Option<u16>),
    /// Whether a segment was a login.
    counted: bool,
    texts: Texts,
    /// Room for the next ones.
    spare: Texts,
    /// The beginning of a pair that goes on in the next segment.
    cut: Vec<u8>,
}

/// By number, modulo the table's size.
#[derive(Default)]
pub(super) struct Messages(Vec<Message>);

fn slot(number: u64) -> usize {
    (number % MESSAGES as u64) as usize
}

/// In place of what was there; nothing if it is too long.
fn put(place: &mut Vec<u8>, text: &[u8]) {
    place.clear();
    if text.len() <= TEXTS_MAX {
        place.extend_from_slice(text);
    }
}

impl Messages {
    /// Keeps what the first segment, whose pairs end `text`, has said.
    pub(super) fn begin(&mut self, segment: &Segment<'_>, line: &Line<'_, '_>, text: &[u8], row: &Row<'_>) {
        if self.0.is_empty() {
            self.0.resize(MESSAGES, Message::default());
        }
        let message = &mut self.0[slot(segment.id)];
        (message.number, message.last) = (segment.id, 0);
        put(&mut message.host, line.record.header.host);
        put(&mut message.code, row.get_text(key::EVENT_CODE).unwrap_or_default());
        put(&mut message.cut, pairs::cut(text));
        message.time_us = row.get(key::TIME);
        message.destination = (row.get(key::DST_IP), row.get(key::DST_PORT));
        message.counted = row.get(key::KIND) == Some(EventKind::Auth);
        message.texts.keep(&line.notes);
    }

    /// A segment that goes on: pairs, of which the first may be the rest of a value.
    pub(super) fn go_on(&mut self, record: &Record<'_>, segment: &Segment<'_>, text: &[u8], row: &mut Row<'_>) {
        let is_known = |message: &&mut Message| {
            message.number == segment.id && message.host == record.header.host && !message.code.is_empty()
        };
        let place = self.0.get_mut(slot(segment.id)).filter(is_known);
        let mut message = place.map(std::mem::take).unwrap_or_default();
        let (mut cut, mut next) = (std::mem::take(&mut message.cut), std::mem::take(&mut message.spare));
        let mut rest = text;
        let mut is_open = false;
        if !cut.is_empty() && segment.number == message.last + 1 {
            let (head, tail) = pairs::lead(text);
            if cut.len() + head.len() <= PAIR_MAX {
                cut.extend_from_slice(head);
                is_open = tail.is_empty();
                rest = tail;
            }
        } else {
            cut.clear();
        }
        let mut line = Line { record, notes: [b""; NOTES] };
        line.pairs(&cut, row);
        line.pairs(rest, row);
        for (note, text) in message.texts.each() {
            let place = &mut line.notes[note as usize];
            if place.is_empty() {
                *place = text;
            }
        }
        if let Some(us) = message.time_us {
            set_time(row, us);
        }
        row.set_opt(key::DST_IP, message.destination.0);
        row.set_opt(key::DST_PORT, message.destination.1);
        conclude(&line, segment.number, &message.code, row);
        let shows = CODES.get(&message.code) == Some(Meaning::Incomplete);
        if shows && !message.counted && is_of_credentials(line.note(Noted::FailureReason)) {
            row.log_source(&LOGIN);
            row.set(key::KIND, EventKind::Auth);
            row.set(key::OUTCOME, Outcome::Failure);
            row.text(key::EVENT_CODE, &message.code);
            message.counted = true;
        }
        if message.code.is_empty() {
            return;
        }
        next.keep(&line.notes);
        message.spare = std::mem::replace(&mut message.texts, next);
        if !is_open {
            put(&mut cut, pairs::cut(rest));
        }
        message.cut = cut;
        message.last = segment.number;
        if segment.number + 1 == segment.total {
            message.code.clear();
        }
        self.0[slot(segment.id)] = message;
    }
}

/// What a segment says by itself; its message is counted with the first one.
fn conclude(line: &Line<'_, '_>, number: u64, code: &[u8], row: &mut Row<'_>) {
    row.log_source(&REST);
    row.set(key::KIND, EventKind::Other);
    let mut digits = [0u8; 3];
    let mut at = digits.len();
    let mut left = number;
    while at > 0 {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    row.extra_fixed("segment", &digits[at..]);
    row.extra_fixed("message_code", code);
    line.names(false, row);
    row.set_opt(key::BYTES_OUT, octets(line.note(Noted::InputOctets), line.note(Noted::InputGigawords)));
    row.set_opt(key::BYTES_IN, octets(line.note(Noted::OutputOctets), line.note(Noted::OutputGigawords)));
    let reason = line.note(Noted::FailureReason);
    row.text(key::REASON, if reason.is_empty() { line.note(Noted::TerminateCause) } else { reason });
    let outcome = match line.note(Noted::Status) {
        b"AuthenticationPassed" => Some(Outcome::Success),
        b"AuthenticationFailed" => Some(Outcome::Failure),
        _ => None,
    };
    row.set_opt(key::OUTCOME, outcome);
}

/// Whether a line has the first of several segments: `0000083423 3 0 2026-…`.
pub(super) fn begins(line: &[u8]) -> bool {
    static FIRST: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b" 0 "));
    FIRST.find_iter(line).any(|at| {
        let before = &line[..at];
        let total = before.iter().rev().take(4).take_while(|byte| byte.is_ascii_digit()).count();
        let (before, total) = before.split_at(before.len() - total);
        let id = before.strip_suffix(b" ").and_then(|before| before.last_chunk::<10>());
        !matches!(total, b"" | b"1") && id.is_some_and(|id| id.iter().all(u8::is_ascii_digit))
    })
}

#[cfg(test)]
mod tests {
    use super::begins;

    #[test]
    fn a_first_segment_of_several_is_seen_wherever_it_stands() {
        assert!(begins(
            b"<181>Jan  5 10:00:35 ise1 CISE_Guest 0000038759 2 0 2026-01-05 10:00:35.030 +00:00 1 5400 NOTICE A: b"
        ));
        assert!(begins(b"0000038759 12 0  2026-01-05 10:00:35.030 +00:00 1 5400 NOTICE A: b"));
        assert!(begins(br#"{"message":"CISE_Guest 0000038759 2 0 2026-01-05 10:00:35 +00:00"}"#));
        assert!(!begins(b"<181>Jan  5 10:00:35 ise1 CISE_Guest 0000038759 1 0 2026-01-05 10:00:35.030 +00:00"));
        assert!(!begins(b"<181>Jan  5 10:00:35 ise1 CISE_Guest 0000038759 2 1 Step=11001"));
        assert!(!begins(b"a 0 b 0 "));
    }
}
