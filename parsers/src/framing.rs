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

use memchr::{memchr, memchr3};

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
    /// The next date that stands alone on a line: Windows events as Splunk's inputs write them.
    WindowsText,
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

impl Framing {
    /// Lines of bytes: what needs no [`Framer`].
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
    let Some(end) = memchr(b'\n', text) else { return Unit::Line };
    let (line, rest) = (text[..end].trim_ascii_end(), text[end + 1..].trim_ascii_start());
    if begins_event(line) && rest.split(|byte| *byte == b'\n').next().is_some_and(is_assignment) {
        return Unit::WindowsText;
    }
    let open = match (line.first(), line.last()) {
        (Some(b'{'), Some(b'{' | b',')) => matches!(rest.first(), Some(b'"' | b'}')),
        (Some(b'['), Some(b'[' | b',' | b'{')) => matches!(rest.first(), Some(b'{' | b'"' | b'}')),
        (Some(b'{'), Some(b'[')) => true,
        _ => false,
    };
    if open { Unit::Json } else { Unit::Line }
}

/// `LEN SP <`: with less, an epoch, a sequence number or a date would be taken for a count.
fn is_counted(head: &[u8]) -> bool {
    let digits = head.iter().take(COUNT_DIGITS + 1).take_while(|byte| byte.is_ascii_digit()).count();
    (1..=COUNT_DIGITS).contains(&digits) && head[0] != b'0' && head[digits..].starts_with(b" <")
}

/// Most digits of a count; the limit of the record's length bounds it further.
const COUNT_DIGITS: usize = 7;

/// `05/04/2026 09:12:31 AM`, or WMI's `20260504091231.000000`, alone on a line.
fn begins_event(line: &[u8]) -> bool {
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
    /// What has been read of the open line, for units of several lines.
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
            (_, State::Message(_) | State::Json(..) | State::Count) => {
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
            Unit::WindowsText => begins_event(&self.line),
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
                State::Line | State::Json(..) => {
                    let end = memchr(b'\n', piece);
                    self.add(&piece[..end.unwrap_or(piece.len())]);
                    piece = end.map_or(b"", |at| &piece[at + 1..]);
                    if end.is_some() {
                        self.here += 1;
                        self.end(out);
                    }
                }
            }
        }
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
                State::Line | State::Count | State::Message(_) => {
                    let end = memchr(b'\n', piece);
                    self.add(&piece[..end.unwrap_or(piece.len())]);
                    piece = end.map_or(b"", |at| &piece[at + 1..]);
                    if end.is_some() {
                        self.here += 1;
                        self.end(out);
                    }
                }
            }
        }
    }
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
        (b'}' | b']', false) => State::Json(depth - 1, false, false),
        _ => State::Json(depth, quoted, false),
    };
    (at + 1, state)
}

// ---- UTF-16

/// Reads UTF-16 in pieces; what is no letter becomes U+FFFD.
#[derive(Default)]
struct Utf16 {
    begun: bool,
    /// The first byte of a unit whose second has not come.
    half: Option<u8>,
    /// The first unit of a pair whose second has not come.
    high: Option<u16>,
}

impl Utf16 {
    fn decode(&mut self, coding: Coding, piece: &[u8], into: &mut Vec<u8>) {
        for &byte in piece {
            let Some(first) = self.half.take() else {
                self.half = Some(byte);
                continue;
            };
            let unit = if coding == Coding::Utf16Le {
                u16::from_le_bytes([first, byte])
            } else {
                u16::from_be_bytes([first, byte])
            };
            self.unit(unit, into);
        }
    }

    fn unit(&mut self, unit: u16, into: &mut Vec<u8>) {
        let begun = std::mem::replace(&mut self.begun, true);
        let letter = match (self.high.take(), unit) {
            (Some(high), 0xdc00..=0xdfff) => {
                let low = u32::from(unit) - 0xdc00;
                char::from_u32(0x1_0000 + ((u32::from(high) - 0xd800) << 10) + low)
            }
            (high, _) => {
                if high.is_some() {
                    push(char::REPLACEMENT_CHARACTER, into);
                }
                match unit {
                    0xd800..=0xdbff => {
                        self.high = Some(unit);
                        return;
                    }
                    // the byte order mark
                    0xfeff if !begun => return,
                    _ => char::from_u32(u32::from(unit)),
                }
            }
        };
        push(letter.unwrap_or(char::REPLACEMENT_CHARACTER), into);
    }

    fn finish(&mut self, into: &mut Vec<u8>) {
        if self.high.take().is_some() || self.half.take().is_some() {
            push(char::REPLACEMENT_CHARACTER, into);
        }
    }
}

fn push(letter: char, into: &mut Vec<u8>) {
    into.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests;
