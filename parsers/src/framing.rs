//! From bytes in pieces to records: the step before the first header is read.
//!
//! ```text
//! pieces ──UTF-16?──▶ bytes ──unit──▶ records with their numbers
//! ```
//! A line is a record almost always, and then the caller cuts at line feeds himself, in parallel. A [`Framer`] is for what that
//! would tear apart: counted syslog streams (RFC 6587), messages that end with NUL, UTF-16 files, Windows events as text, JSON
//! over several lines, lines that go on on the next one. It reads in order, takes pieces of any size and gives the same records
//! whatever they are. It holds one record at most, and of that no more than its limit: a longer one is cut one byte behind the
//! limit and read over to its end, so that whoever parses it sees that it is too long ([`RECORD_MAX`]).
//!
//! Sources: RFC 6587 sections 3.4.1 and 3.4.2, RFC 5425; Splunk's `WinEventLog` and WMI inputs.

mod guess;
mod utf16;

use memchr::{memchr, memchr2, memchr3};

use guess::{COUNT_DIGITS, EVENT_ENDS, begins_event, is_log_name, is_surrounding, is_tag};
use utf16::Utf16;

/// Longest record that is parsed, in bytes; [`crate::Session`] refuses a longer one.
pub const RECORD_MAX: usize = 16 << 20;

/// How much of a source [`Framing::guess`] wants to see, in bytes.
pub const HEAD_BYTES: usize = 4096;

/// How letters are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// As they are; UTF-8 as a rule.
    Bytes,
    /// UTF-16, the low byte first.
    Utf16Le,
    /// UTF-16, the high byte first.
    Utf16Be,
}

/// What ends a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A line feed.
    Line,
    /// The number of bytes that stands before it: `LEN SP MSG`. Where that fails, a line feed.
    Counted,
    /// A NUL byte.
    Nul,
    /// The next date that stands alone on a line, or the next `LogName=`: Windows events as Splunk's inputs write them. What comes
    /// before the first, as where a file was rotated, is read by lines.
    WindowsText,
    /// `</Event>`: Windows events as XML, several lines each or all in one. What is no event between them is read by lines,
    /// and what surrounds them (`<Events>`, `<?xml … ?>`) is left out.
    WindowsXml,
    /// The closing bracket of a JSON value. An array gives its elements; what is no JSON between them is read by lines.
    Json,
    /// A line that does not begin with a blank.
    Continued,
}

/// How a source is cut into records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    /// How its letters are coded.
    pub coding: Coding,
    /// What ends a record of it.
    pub unit: Unit,
}

/// Where a record lies in [`Records::bytes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Where it begins.
    pub start: usize,
    /// Its length in bytes.
    pub len: usize,
    /// The number of its first line, from 1; of units that are no lines, its own. Each is greater than that before.
    pub number: u64,
}

/// Records that are whole, to be taken over and emptied by the caller whenever he likes.
#[derive(Clone, Debug, Default)]
pub struct Records {
    /// Their bytes, one after the other.
    pub bytes: Vec<u8>,
    /// Where each lies.
    pub frames: Vec<Frame>,
}

/// Cuts one source into records. See the module.
pub struct Framer {
    framing: Framing,
    limit: usize,
    utf16: Utf16,
    /// What has been read of the open record, cut behind the limit.
    record: Vec<u8>,
    /// What has been read of the open line, for units of several lines; of XML, of the open tag.
    line: Vec<u8>,
    /// The number of the line that is being read, and of the first one of the open record.
    here: u64,
    first: u64,
    last: u64,
    state: State,
    damaged: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between two records.
    Between,
    /// In the count of a counted one.
    Count,
    /// In its message, of which so many bytes are to come.
    Message(usize),
    /// In a record that a line feed ends.
    Line,
    /// In a JSON value: depth, in a string, behind a backslash.
    Json(u32, bool, bool),
    /// In a tag of XML that is no event's.
    Tag,
    /// In an event as XML.
    Event,
}

impl Framer {
    /// For a source of which nothing has been read. `limit` is the longest record in bytes, [`RECORD_MAX`] as a rule.
    pub fn new(framing: Framing, limit: usize) -> Framer {
        Framer {
            framing,
            limit,
            utf16: Utf16::default(),
            record: Vec::new(),
            line: Vec::new(),
            here: 1,
            first: 1,
            last: 0,
            state: State::Between,
            damaged: 0,
        }
    }

    /// Takes the next piece; what is whole by now goes behind `out`.
    pub fn push(&mut self, piece: &[u8], out: &mut Records) {
        if self.framing.coding == Coding::Bytes {
            return self.take(piece, out);
        }
        crate::lex::buffer::with_buffer(|text| {
            self.utf16.decode(self.framing.coding, piece, text);
            self.take(text, out);
        });
    }

    /// Says that nothing more comes; what is open is a record.
    pub fn finish(&mut self, out: &mut Records) {
        if self.framing.coding != Coding::Bytes {
            let mut text = Vec::new();
            self.utf16.finish(&mut text);
            self.take(&text, out);
        }
        match (self.framing.unit, self.state) {
            (Unit::WindowsText | Unit::Continued, _) => {
                self.end_line(out);
                self.end(out);
            }
            (_, State::Message(_) | State::Json(..) | State::Count | State::Tag | State::Event) => {
                self.damaged += 1;
                self.end(out);
            }
            _ => self.end(out),
        }
    }

    /// How often a count was wrong, a JSON value torn, or the end came too early.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    fn take(&mut self, piece: &[u8], out: &mut Records) {
        match self.framing.unit {
            Unit::Line => self.until(b'\n', piece, out),
            Unit::Nul => self.until(0, piece, out),
            Unit::WindowsText | Unit::Continued => self.lines(piece, out),
            Unit::Counted => self.counted(piece, out),
            Unit::Json => self.json(piece, out),
            Unit::WindowsXml => self.xml(piece, out),
        }
    }

    /// Appends to the open record, up to one byte more than the limit.
    fn add(&mut self, bytes: &[u8]) {
        let room = (self.limit + 1).saturating_sub(self.record.len());
        self.record.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Ends the open record. One of blanks is none.
    fn end(&mut self, out: &mut Records) {
        self.state = State::Between;
        // one that was cut must be seen to be too long
        let text = if self.record.len() > self.limit { &self.record } else { self.record.trim_ascii_end() };
        if !text.trim_ascii().is_empty() || text.len() > self.limit {
            let number = self.first.max(self.last + 1);
            self.last = number;
            out.frames.push(Frame { start: out.bytes.len(), len: text.len(), number });
            out.bytes.extend_from_slice(text);
        }
        self.record.clear();
        self.first = self.here;
    }

    fn until(&mut self, end: u8, mut piece: &[u8], out: &mut Records) {
        while let Some(at) = memchr(end, piece) {
            self.add(&piece[..at]);
            self.here += 1;
            self.end(out);
            piece = &piece[at + 1..];
        }
        self.add(piece);
    }

    // ---- several lines

    fn lines(&mut self, mut piece: &[u8], out: &mut Records) {
        while let Some(at) = memchr(b'\n', piece) {
            self.add_to_line(&piece[..at]);
            self.end_line(out);
            self.here += 1;
            piece = &piece[at + 1..];
        }
        self.add_to_line(piece);
    }

    fn add_to_line(&mut self, bytes: &[u8]) {
        let room = (self.limit + 1).saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn end_line(&mut self, out: &mut Records) {
        let begins = match self.framing.unit {
            // a date and the `LogName=` behind it begin one event
            Unit::WindowsText if begins_event(&self.record) => begins_event(&self.line),
            Unit::WindowsText => begins_event(&self.line) || is_log_name(&self.line) || !windows_event(&self.record),
            _ => !matches!(self.line.first(), None | Some(b' ' | b'\t' | b'\r')),
        };
        if begins || self.record.is_empty() {
            self.end(out);
        } else {
            self.add(b"\n");
        }
        let line = std::mem::take(&mut self.line);
        self.add(&line);
        self.line = line;
        self.line.clear();
    }

    // ---- RFC 6587

    fn counted(&mut self, mut piece: &[u8], out: &mut Records) {
        while let Some(&byte) = piece.first() {
            match self.state {
                // some senders write a line feed that they did not count
                State::Between if matches!(byte, b'\n' | b'\r') => piece = &piece[1..],
                State::Between => {
                    let counts = matches!(byte, b'1'..=b'9');
                    self.state = if counts { State::Count } else { State::Line };
                    self.damaged += u64::from(!counts);
                }
                State::Count if byte.is_ascii_digit() && self.record.len() < COUNT_DIGITS => {
                    self.add(&piece[..1]);
                    piece = &piece[1..];
                }
                State::Count => {
                    let count = crate::lex::text::decimal(&self.record).and_then(|count| usize::try_from(count).ok());
                    match count.filter(|count| byte == b' ' && *count <= self.limit) {
                        Some(count) => {
                            self.record.clear();
                            self.state = State::Message(count);
                            piece = &piece[1..];
                        }
                        None => {
                            self.damaged += 1;
                            self.state = State::Line;
                        }
                    }
                }
                State::Message(left) => {
                    let length = left.min(piece.len());
                    self.add(&piece[..length]);
                    piece = &piece[length..];
                    self.state = State::Message(left - length);
                    if left == length {
                        self.here += 1;
                        self.end(out);
                    }
                }
                State::Line | State::Json(..) | State::Tag | State::Event => piece = self.rest_of_line(piece, out),
            }
        }
    }

    // ---- XML

    fn xml(&mut self, mut piece: &[u8], out: &mut Records) {
        while let Some(&byte) = piece.first() {
            match self.state {
                State::Between => {
                    if byte.is_ascii_whitespace() {
                        self.here += u64::from(byte == b'\n');
                        piece = &piece[1..];
                    } else {
                        self.first = self.here;
                        self.state = if byte == b'<' { State::Tag } else { State::Line };
                    }
                }
                State::Tag | State::Event => {
                    let end = memchr2(b'>', b'\n', piece);
                    let part = &piece[..end.map_or(piece.len(), |at| at + 1)];
                    piece = &piece[part.len()..];
                    self.add(part);
                    self.add_to_tag(part);
                    match end.map(|_| part[part.len() - 1]) {
                        Some(b'\n') => {
                            self.here += 1;
                            if self.state == State::Tag
                                && !is_surrounding(&self.record)
                                && !is_tag(&self.record, b"<Event")
                            {
                                // what began like a tag was a line
                                self.line.clear();
                                self.end(out);
                            }
                        }
                        Some(_) => self.end_tag(out),
                        None => {}
                    }
                }
                // the viewer writes `- ` before what can be folded
                State::Line if matches!(self.record.trim_ascii_end(), b"" | b"-") && byte != b'\n' => {
                    if byte == b'<' {
                        self.record.clear();
                        self.state = State::Tag;
                    } else {
                        self.add(&piece[..1]);
                        piece = &piece[1..];
                    }
                }
                State::Line | State::Count | State::Message(_) | State::Json(..) => {
                    piece = self.rest_of_line(piece, out)
                }
            }
        }
    }

    /// Keeps the last bytes of what is open, as many as a mark has, of pieces of any size.
    fn add_to_tag(&mut self, part: &[u8]) {
        let keep = EVENT_ENDS.len();
        let part = &part[part.len().saturating_sub(keep)..];
        let drop = (self.line.len() + part.len()).saturating_sub(keep);
        self.line.drain(..drop.min(self.line.len()));
        self.line.extend_from_slice(part);
    }

    /// A `>`: of an event's beginning, of its end, or of something else.
    fn end_tag(&mut self, out: &mut Records) {
        if self.state == State::Event {
            if self.line == EVENT_ENDS {
                self.line.clear();
                self.end(out);
            }
            return;
        }
        if is_tag(&self.record, b"<Event") {
            self.state = State::Event;
        } else if is_surrounding(&self.record) {
            self.line.clear();
            self.record.clear();
            self.state = State::Between;
        } else {
            self.line.clear();
            self.state = State::Line;
        }
    }

    /// Takes the rest of a line, or as much of it as has come; gives what follows.
    fn rest_of_line<'p>(&mut self, piece: &'p [u8], out: &mut Records) -> &'p [u8] {
        let end = memchr(b'\n', piece);
        self.add(&piece[..end.unwrap_or(piece.len())]);
        let Some(at) = end else { return b"" };
        self.here += 1;
        self.end(out);
        &piece[at + 1..]
    }

    // ---- JSON

    fn json(&mut self, mut piece: &[u8], out: &mut Records) {
        while let Some(&byte) = piece.first() {
            match self.state {
                State::Between => match byte {
                    b'{' => {
                        self.first = self.here;
                        self.state = State::Json(0, false, false);
                    }
                    b' ' | b'\t' | b'\r' | b'\n' | b',' | b'[' | b']' => {
                        self.here += u64::from(byte == b'\n');
                        piece = &piece[1..];
                    }
                    _ => {
                        self.first = self.here;
                        self.state = State::Line;
                    }
                },
                State::Json(depth, quoted, escaped) => {
                    let (length, state) = json_step(piece, depth, quoted, escaped);
                    self.add(&piece[..length]);
                    let last = piece[length - 1];
                    self.here += u64::from(last == b'\n');
                    piece = &piece[length..];
                    self.state = state;
                    match state {
                        State::Json(0, ..) => self.end(out),
                        // a line feed in a string is none of JSON: the value was cut off here
                        State::Json(_, true, false) if last == b'\n' => {
                            self.damaged += 1;
                            self.end(out);
                        }
                        _ => {}
                    }
                }
                State::Line | State::Count | State::Message(_) | State::Tag | State::Event => {
                    piece = self.rest_of_line(piece, out)
                }
            }
        }
    }
}

/// Whether what has been read of a record began as an event of Windows as text.
fn windows_event(record: &[u8]) -> bool {
    let first = &record[..memchr(b'\n', record).unwrap_or(record.len())];
    is_log_name(first) || begins_event(first)
}

/// Reads on in a JSON value up to and with the next byte that matters (or a line feed, which is counted).
fn json_step(piece: &[u8], depth: u32, quoted: bool, escaped: bool) -> (usize, State) {
    if escaped {
        return (1, State::Json(depth, true, false));
    }
    let at = if quoted {
        memchr3(b'"', b'\\', b'\n', piece)
    } else {
        piece.iter().position(|byte| matches!(byte, b'"' | b'{' | b'[' | b'}' | b']' | b'\n'))
    };
    let Some(at) = at else { return (piece.len(), State::Json(depth, quoted, false)) };
    let state = match (piece[at], quoted) {
        (b'"', _) => State::Json(depth, !quoted, false),
        (b'\\', _) => State::Json(depth, true, true),
        (b'{' | b'[', false) => State::Json(depth.saturating_add(1), false, false),
        (b'}' | b']', false) => State::Json(depth.saturating_sub(1), false, false),
        _ => State::Json(depth, quoted, false),
    };
    (at + 1, state)
}

#[cfg(test)]
mod tests;
