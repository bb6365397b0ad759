//! Syslog headers: RFC 3164 and what is really sent, RFC 5424, Cisco's marks, and one header before another.
//!
//! ```text
//! <PRI>[count: ][origin: ][sequence: ][*|.]TIME[ zone][:] [HOST[ :]] [TAG[pid]:] body
//! <PRI>1 TIME HOST APP PROCID MSGID SD body
//! ```
//! A header never causes a reject: what is not there stays empty, and what can't be read is body. The
//! grammar of RFC 3164 was written down after the fact and most senders break it, so this reads by what a
//! token looks like, not by counting fields. A second header is read only where nothing but a relay explains
//! it, because bodies may begin with a time of their own.
//!
//! Long because what may stand where is one grammar.

mod recent;

pub use self::recent::Recent;
use super::scan;
use super::text::{Cursor, decimal};
use super::time::{self, Stamp, TimeContext};

/// Most headers that are taken off one line: device, relay, relay.
pub const HEADERS_MAX: usize = 3;

/// Longest TAG: syslog says 32, Windows agents and Barracuda exceed it.
const TAG_MAX: usize = 64;

/// What Cisco's mark before the time says about the device's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockTrust {
    /// No mark.
    #[default]
    Stated,
    /// `*`: the clock was never set from a trusted source.
    NeverSet,
    /// `.`: it was, but has lost its source.
    Lost,
}

/// What the headers of a line say. Texts are slices of the line; an empty one is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header<'a> {
    /// The innermost time that could be read, µs since 1970 UTC.
    pub time_us: Option<i64>,
    /// Whether that is the same whenever the line was received: the time has a year, and its zone no summer time.
    pub absolute: bool,
    /// The innermost host: a name or an address.
    pub host: &'a [u8],
    /// The next outer host, if there were two headers with different ones.
    pub relay: &'a [u8],
    /// TAG or APP-NAME, without the process number.
    pub app: &'a [u8],
    /// Process number or PROCID.
    pub pid: &'a [u8],
    /// MSGID of RFC 5424.
    pub message_id: &'a [u8],
    /// STRUCTURED-DATA of RFC 5424 with its brackets; see [`parameters`].
    pub structured: &'a [u8],
    /// Facility × 8 + severity.
    pub priority: Option<u8>,
    /// Cisco's sequence number.
    pub sequence: &'a [u8],
    /// Cisco's mark before the time.
    pub clock: ClockTrust,
    /// How many headers were taken off, 0..=3.
    pub headers: u8,
    /// Whether structured data was cut off.
    pub truncated: bool,
}

impl Header<'_> {
    /// The severity of the priority, 0 (emergency) ..= 7 (debug).
    pub fn severity(&self) -> Option<u8> {
        self.priority.map(|priority| priority & 7)
    }
}

/// Takes the headers off a line: what they say, and the offset at which the body begins.
pub fn header<'a>(line: &'a [u8], context: &TimeContext) -> (Header<'a>, usize) {
    let mut header = Header::default();
    let at = header_into(line, context, &mut header);
    (header, at)
}

/// The same into a header that says nothing yet: one that is moved costs as much as one of its tokens.
pub fn header_into<'a>(line: &'a [u8], context: &TimeContext, header: &mut Header<'a>) -> usize {
    let mut at = 0;
    for round in 0..HEADERS_MAX {
        let end = one(line, at, round, header, context);
        if end == at {
            break;
        }
        at = end;
        header.headers += 1;
        if !another_follows(&line[at..], header) {
            break;
        }
    }
    at
}

/// Whether the text after a header is a header again.
#[inline]
fn another_follows(body: &[u8], header: &Header<'_>) -> bool {
    match body.first() {
        Some(b'<') => priority(body).is_some(),
        // an application's own stamp follows its tag; without a tag it is a device's, seen through a relay
        Some(b'0'..=b'9') => {
            header.app.is_empty()
                && (time::iso(body).is_some_and(|(_, length)| leads_to_mark(&body[length..])) || is_counted(body))
        }
        Some(b'A'..=b'Z' | b'*' | b'.') => header.app.is_empty() && time_at(body).is_some(),
        _ => false,
    }
}

/// Whether a router's own header begins with its sequence number: a relay has put its own before it.
#[inline]
fn is_counted(text: &[u8]) -> bool {
    let digits = text.iter().take(20).take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && text[digits..].starts_with(b": ") && cisco_marks(text, &mut Header::default(), false) > 0
}

/// Whether a percent tag comes within the reach of a host name.
fn leads_to_mark(text: &[u8]) -> bool {
    text.iter().take(80).any(|&byte| byte == b'%')
}

/// Reads one header at `at` into `header`; gives where it ends, `at` itself if there is none.
fn one<'a>(line: &'a [u8], at: usize, round: usize, header: &mut Header<'a>, context: &TimeContext) -> usize {
    let mut here = at;
    while line.get(here) == Some(&b' ') {
        here += 1;
    }
    let mut with_priority = false;
    // twice: a relay may put its own before the device's
    for _ in 0..2 {
        if let Some((value, length)) = priority(&line[here..]) {
            header.priority = value.or(header.priority);
            here += length;
            with_priority = true;
            while line.get(here) == Some(&b' ') {
                here += 1;
            }
        }
    }
    // `<189>: 2026 Jan  5 10:00:00 CET: %…`, as NX-OS writes it
    if with_priority && matches!(&line[here..], [b':', b' ', b'0'..=b'9', ..]) {
        here += 2;
    }
    if with_priority
        && line[here..].starts_with(b"1 ")
        && let Some(end) = rfc5424(line, here + 2, header, context)
    {
        return end;
    }
    // `<189>date=2026-01-05`: pairs have no header
    if with_priority && is_pair(&line[here..]) {
        return here;
    }
    let marks = cisco_marks(&line[here..], header, with_priority);
    let after_marks = here + marks;
    match time_at(&line[after_marks..]) {
        Some(found) => after_time(line, after_marks, found, header, context),
        None if with_priority || round > 0 || marks > 0 => without_time(line, after_marks, header),
        None => bare_tag(line, at, header),
    }
}

/// Whether a text begins with a key and `=`.
#[inline]
fn is_pair(text: &[u8]) -> bool {
    let key = text.iter().take(TAG_MAX).take_while(|byte| byte.is_ascii_alphabetic()).count();
    key > 0 && text.get(key) == Some(&b'=')
}

/// `<N>` with the damage that occurs: zeros before it, blanks inside. The value is `None` above 191.
#[inline]
fn priority(text: &[u8]) -> Option<(Option<u8>, usize)> {
    if text.first() != Some(&b'<') {
        return None;
    }
    // one to three digits, as nearly every line has them
    if let Some(length) = (2..=4).find(|&at| text.get(at) == Some(&b'>'))
        && let Some(value) = decimal(&text[1..length])
    {
        return Some((u8::try_from(value).ok().filter(|&value| value <= 191), length + 1));
    }
    let close = text.iter().take(8).position(|&b| b == b'>')?;
    let digits = text[1..close].trim_ascii();
    let value = decimal(digits)?;
    Some((u8::try_from(value).ok().filter(|&value| value <= 191), close + 1))
}

struct Time {
    stamp: Stamp,
    length: usize,
    clock: ClockTrust,
}

/// A time at the start of `text`, with Cisco's mark before it.
#[inline]
fn time_at(text: &[u8]) -> Option<Time> {
    let (clock, skip) = match text.first()? {
        b'*' => (ClockTrust::NeverSet, 1),
        b'.' => (ClockTrust::Lost, 1),
        _ => (ClockTrust::Stated, 0),
    };
    let (stamp, length) = match text.get(skip)? {
        b'0'..=b'9' => time::iso(&text[skip..]).or_else(|| time::year_first(&text[skip..]))?,
        b'A'..=b'Z' => time::bsd(&text[skip..])?,
        _ => return None,
    };
    // a stamp is a token of its own: blank, colon or the end follows
    match text.get(skip + length) {
        None | Some(b' ' | b':' | b'\t') => Some(Time { stamp, length: skip + length, clock }),
        Some(_) => None,
    }
}

/// Host and tag after a time; gives where the body begins.
#[inline]
fn after_time<'a>(line: &'a [u8], at: usize, mut found: Time, header: &mut Header<'a>, context: &TimeContext) -> usize {
    let mut cursor = Cursor::new(line);
    cursor.skip(at + found.length);
    header.clock = found.clock;
    zone_word(&mut cursor, &mut found.stamp, context);
    if let Some(us) = context.resolve(&found.stamp) {
        header.time_us = Some(us);
        header.absolute = context.is_absolute(&found.stamp);
    }
    cursor.take_if(b":");
    cursor.skip_blanks();
    // `Jan 05 2026 10:00:00: %ASA-…`, `… : %ASA-…`
    if cursor.take_if(b":") {
        cursor.skip_blanks();
    }
    host_and_tag(line, cursor.at(), header)
}

/// `CET`, `UTC+1` after a time, if it is a zone of the table and ends like one: at a colon, or before a percent tag
/// or host. A host called `EST` is less likely than a router in New York.
#[inline]
fn zone_word(cursor: &mut Cursor<'_>, stamp: &mut Stamp, context: &TimeContext) {
    if stamp.offset.is_some() || cursor.peek() != Some(b' ') {
        return;
    }
    let mut ahead = *cursor;
    ahead.skip(1);
    if !ahead.peek().is_some_and(|b| b.is_ascii_uppercase() || b == b'+' || b == b'-') {
        return;
    }
    let word = ahead.take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'+' || b == b'-');
    // 2..=9: `UT` to `UTC+05:30` without its colon
    if !(2..=9).contains(&word.len()) || !matches!(ahead.peek(), Some(b' ' | b':')) {
        return;
    }
    if let Some(offset) = context.zone(stamp, word) {
        stamp.offset = Some(offset);
        *cursor = ahead;
    }
}

/// `[HOST[ :]] [TAG[pid]:]` at `at`; gives where the body begins.
#[inline]
fn host_and_tag<'a>(line: &'a [u8], at: usize, header: &mut Header<'a>) -> usize {
    let text = &line[at..];
    if text.first() == Some(&b'%') || is_counted(text) {
        return at;
    }
    let word = tag_name(text);
    // a name that a blank ends is no tag
    let is_tag = word.is_some_and(|length| text[length] != b' ');
    if is_tag && let Some(length) = tag(text, header) {
        // `fw1: %ASA-…`: what stands before a percent tag is the device, not a program
        if header.pid.is_empty() && text.get(length) == Some(&b'%') {
            let host = std::mem::take(&mut header.app);
            set_host(host, header);
        }
        return at + length;
    }
    let length = word.filter(|_| !is_tag).unwrap_or_else(|| scan::find2(text, 0, b' ', b' '));
    let host = &text[..length];
    if !is_host(host) {
        return at;
    }
    set_host(host, header);
    let mut cursor = Cursor::new(line);
    cursor.skip(at + length);
    cursor.skip_blanks();
    // `fw1 : %ASA-…`
    if cursor.take_if(b":") {
        cursor.skip_blanks();
        return cursor.at();
    }
    let after_host = cursor.at();
    if is_counted(&line[after_host..]) {
        return after_host;
    }
    match tag(&line[after_host..], header) {
        Some(length) => after_host + length,
        None => after_host,
    }
}

/// The byte is part of a host's name or address.
const OF_HOST: u8 = 1;
/// The byte ends a tag's name.
const ENDS_TAG: u8 = 2;

/// What a byte may be: looked up, since a header has some fifty of them.
static CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        if byte.is_ascii_alphanumeric()
            || matches!(byte, b'.' | b'-' | b'_' | b':' | b'/' | b'%' | b'@' | b'(' | b')' | b'[' | b']')
            || byte >= 0x80
        {
            table[at] |= OF_HOST;
        }
        if matches!(byte, b':' | b'[' | b' ' | b'=' | b',' | b'"' | b'|' | b'\t' | b'<' | b'{' | b'%') {
            table[at] |= ENDS_TAG;
        }
        at += 1;
    }
    table
};

/// Host names and addresses: no quotes, no `=`, no commas; these are bodies.
#[inline]
fn is_host(word: &[u8]) -> bool {
    !word.is_empty()
        && word.len() <= 255
        && word.iter().all(|&b| CLASS[b as usize] & OF_HOST != 0)
        && word.first() != Some(&b'%')
        // brackets are an IPv6 address's; `[error]` begins a text
        && (word.first() != Some(&b'[') || word.contains(&b':'))
}

#[inline]
fn set_host<'a>(host: &'a [u8], header: &mut Header<'a>) {
    let host = host.strip_suffix(b":").unwrap_or(host);
    if !header.host.is_empty() && header.host != host {
        header.relay = header.host;
    }
    header.host = host;
}

/// How long a tag's name would be.
#[inline]
fn tag_name(text: &[u8]) -> Option<usize> {
    text.iter().take(TAG_MAX + 1).position(|&b| CLASS[b as usize] & ENDS_TAG != 0)
}

/// `TAG: `, `TAG[pid]: `, `TAG[pid] ` at the start of `text`: sets app and pid, gives where the body begins.
#[inline]
fn tag<'a>(text: &'a [u8], header: &mut Header<'a>) -> Option<usize> {
    let name_length = tag_name(text)?;
    let name = &text[..name_length];
    if name.is_empty() {
        return None;
    }
    let (pid, end) = match text[name_length] {
        b':' => (&b""[..], name_length + 1),
        b'[' => {
            let inside = &text[name_length + 1..];
            let close = inside.iter().take(TAG_MAX).position(|&b| b == b']')?;
            let end = name_length + 1 + close + 1;
            match text.get(end) {
                Some(b':') => (&inside[..close], end + 1),
                // `su[123] text`: only with a number, else `[` begins a message
                Some(b' ') if !inside[..close].is_empty() && inside[..close].iter().all(u8::is_ascii_digit) => {
                    (&inside[..close], end)
                }
                _ => return None,
            }
        }
        _ => return None,
    };
    match text.get(end) {
        None | Some(b' ' | b'\t' | b'%') => {}
        // `kernel:[123.4]`, `tag:{…}`; but an address or a path goes on with letters or digits
        Some(b'[' | b'{') => {}
        Some(_) => return None,
    }
    // `CEF: 0|…` and `LEEF: 1.0|…` are bodies, not tags
    if name == b"CEF" || name == b"LEEF" {
        return None;
    }
    header.app = name;
    header.pid = pid;
    let mut cursor = Cursor::new(text);
    cursor.skip(end);
    cursor.skip_blanks();
    Some(cursor.at())
}

/// A header with a priority but no time: damage (`<166>:: %ASA-…`), or a tag at once.
fn without_time<'a>(line: &'a [u8], at: usize, header: &mut Header<'a>) -> usize {
    let mut here = at;
    while let Some(b':' | b' ') = line.get(here) {
        here += 1;
    }
    let text = &line[here..];
    match tag(text, header) {
        Some(length) => here + length,
        None => {
            // `<166>fw1 %ASA-…` and `<166>fw1 : %ASA-…`
            let word = text.iter().take(TAG_MAX).position(|&b| b == b' ').map_or(&b""[..], |length| &text[..length]);
            let mut cursor = Cursor::new(text);
            cursor.skip(word.len());
            cursor.skip_blanks();
            if cursor.take_if(b":") {
                cursor.skip_blanks();
            }
            if !word.is_empty() && is_host(word) && cursor.peek() == Some(b'%') {
                set_host(word, header);
                return here + cursor.at();
            }
            here
        }
    }
}

/// A line that begins with its tag: `sshd[123]: …`. Without a number in brackets it could be anything.
fn bare_tag<'a>(line: &'a [u8], at: usize, header: &mut Header<'a>) -> usize {
    let mut probe = *header;
    match tag(&line[at..], &mut probe) {
        Some(length) if !probe.pid.is_empty() && probe.pid.iter().all(u8::is_ascii_digit) => {
            *header = probe;
            at + length
        }
        _ => at,
    }
}

/// `[count]: [origin: ][sequence]: ` before a time or percent tag, as IOS writes it; gives its length.
#[inline]
fn cisco_marks<'a>(text: &'a [u8], header: &mut Header<'a>, with_priority: bool) -> usize {
    // a word that a blank ends and no colon, such as a month: no mark
    if let [_, second, third, b' ', ..] = text
        && *second != b':'
        && *third != b':'
    {
        return 0;
    }
    marks(text, header, with_priority)
}

fn marks<'a>(text: &'a [u8], header: &mut Header<'a>, with_priority: bool) -> usize {
    let mut cursor = Cursor::new(text);
    let mut origin: &[u8] = b"";
    let mut sequence: &[u8] = b"";
    // count, origin, sequence: three at most
    for _ in 0..3 {
        let mut ahead = cursor;
        let word = ahead.take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
        if word.is_empty() || word.len() > TAG_MAX || !ahead.take_if(b": ") || uptime(cursor.rest()).is_some() {
            break;
        }
        ahead.skip_blanks();
        let digits = word.iter().all(u8::is_ascii_digit);
        if digits {
            sequence = word;
        } else if origin.is_empty()
            && if with_priority || !sequence.is_empty() {
                marks_follow(ahead.rest())
            } else {
                dates_a_mark(ahead.rest())
            }
        {
            origin = word;
        } else {
            break;
        }
        cursor = ahead;
    }
    if cursor.at() == 0 {
        return 0;
    }
    let rest = cursor.rest();
    if !(rest.first() == Some(&b'%') || time_at(rest).is_some() || uptime(rest).is_some()) {
        return 0;
    }
    header.sequence = sequence;
    if !origin.is_empty() {
        set_host(origin, header);
    }
    // `1w2d: %SYS-…`: there is no time in such a line
    cursor.at() + uptime(rest).unwrap_or(0)
}

/// Whether a time comes next and a percent tag right after it: without a priority before it, `NAME: ` is a router's origin
/// only then.
fn dates_a_mark(text: &[u8]) -> bool {
    let Some(time) = time_at(text) else { return false };
    // 12: a zone's name, colon and blank
    let after = &text[time.length..];
    memchr::memmem::find(&after[..after.len().min(12)], b": %").is_some()
}

fn marks_follow(text: &[u8]) -> bool {
    let digits = text.iter().take(20).take_while(|b| b.is_ascii_digit()).count();
    (digits > 0 && text[digits..].starts_with(b": "))
        || text.first() == Some(&b'%')
        || time_at(text).is_some()
        || uptime(text).is_some()
}

/// `1w2d: ` or `00:01:12: ` before a percent tag; gives its length.
fn uptime(text: &[u8]) -> Option<usize> {
    let length = text
        .iter()
        .take(20)
        .take_while(|b| b.is_ascii_digit() || matches!(b, b'y' | b'w' | b'd' | b'h' | b':'))
        .count();
    if length < 4 || text[..length].last() != Some(&b':') || !text[0].is_ascii_digit() {
        return None;
    }
    text[length..].starts_with(b" %").then_some(length + 1)
}

// ---- RFC 5424

/// The header after `<PRI>1 `; gives where the body begins, `None` if it is no RFC 5424.
fn rfc5424<'a>(line: &'a [u8], at: usize, header: &mut Header<'a>, context: &TimeContext) -> Option<usize> {
    let mut cursor = Cursor::new(line);
    cursor.skip(at);
    match cursor.peek()? {
        b'-' => {
            cursor.expect(b"- ")?;
        }
        b'A'..=b'Z' => {
            let (stamp, length) = time::bsd(cursor.rest())?;
            header.time_us = context.resolve(&stamp).or(header.time_us);
            cursor.skip(length);
            cursor.expect(b" ")?;
        }
        b'0'..=b'9' => {
            if let Some((stamp, length)) = time::iso(cursor.rest()) {
                header.time_us = context.resolve(&stamp).or(header.time_us);
                cursor.skip(length);
                cursor.expect(b" ")?;
            } else {
                return epoch_header(line, at, header);
            }
        }
        _ => return None,
    }
    let host = nil(cursor.word());
    if !host.is_empty() {
        set_host(host, header);
    }
    header.app = nil(cursor.word());
    // PROCID, MSGID: one of them is missing where a sender writes one dash too few
    let mut fields: [&[u8]; 2] = [b"", b""];
    for field in &mut fields {
        if cursor.peek() == Some(b'[') || matches!(cursor.rest(), [b'%', ..]) {
            break;
        }
        *field = nil(cursor.word());
    }
    [header.pid, header.message_id] = fields;
    match cursor.peek() {
        Some(b'[') => {
            let (length, whole) = structured_end(cursor.rest());
            header.structured = &cursor.rest()[..length];
            header.truncated |= !whole;
            cursor.skip(length);
        }
        Some(b'-') if matches!(cursor.rest(), [b'-'] | [b'-', b' ', ..]) => cursor.skip(1),
        _ => {}
    }
    cursor.take_if(b" ");
    cursor.take_if(b"\xef\xbb\xbf");
    Some(cursor.at())
}

/// `<134>1 1767607200.123456789 DEVICE …`, Meraki's own: looks like RFC 5424 but is not.
fn epoch_header<'a>(line: &'a [u8], at: usize, header: &mut Header<'a>) -> Option<usize> {
    let mut cursor = Cursor::new(line);
    cursor.skip(at);
    header.time_us = Some(time::epoch(cursor.word())?);
    let host = cursor.word();
    set_host(host, header);
    Some(cursor.at())
}

#[inline]
fn nil(word: &[u8]) -> &[u8] {
    if word == b"-" { b"" } else { word }
}

/// Length of the structured data at the start of `text`, and whether its last bracket closes. Typographic quotes
/// (Juniper) count as quotes.
fn structured_end(text: &[u8]) -> (usize, bool) {
    let mut at = 0;
    let mut quoted = false;
    while at < text.len() {
        match text[at] {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            0xe2 if matches!(text.get(at..at + 3), Some(b"\xe2\x80\x9c" | b"\xe2\x80\x9d")) => {
                quoted = text[at + 2] == 0x9c;
                at += 2;
            }
            b']' if !quoted && text.get(at + 1) != Some(&b'[') => return (at + 1, true),
            _ => {}
        }
        at += 1;
    }
    (text.len(), false)
}

/// The parameters of structured data: element id, name, value (escapes not resolved, see [`unescape`]). Elements that
/// were cut off give the pairs that are whole.
pub fn parameters(structured: &[u8]) -> Parameters<'_> {
    Parameters { text: structured, at: 0, id: b"" }
}

/// See [`parameters`].
#[derive(Clone, Debug)]
pub struct Parameters<'a> {
    text: &'a [u8],
    at: usize,
    id: &'a [u8],
}

impl<'a> Iterator for Parameters<'a> {
    type Item = (&'a [u8], &'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let mut cursor = Cursor::new(self.text);
        cursor.skip(self.at);
        loop {
            cursor.skip_blanks();
            match cursor.peek()? {
                b'[' => {
                    cursor.skip(1);
                    let mut ahead = cursor;
                    let id = ahead.take_while(|b| !matches!(b, b' ' | b']' | b'='));
                    // newer Junos leaves the element's id out
                    if ahead.peek() == Some(b'=') {
                        self.id = b"";
                    } else {
                        self.id = id;
                        cursor = ahead;
                    }
                }
                b']' => cursor.skip(1),
                _ => {
                    let name = cursor.until(b'=')?;
                    // typographic quotes may be two closing ones
                    let close: &[u8] = if matches!(cursor.rest(), [0xe2, 0x80, 0x9c | 0x9d, ..]) {
                        cursor.skip(3);
                        b"\xe2\x80\x9d"
                    } else {
                        cursor.expect(b"\"")?;
                        b"\""
                    };
                    let rest = cursor.rest();
                    let length = value_end(rest, close)?;
                    cursor.skip(length + close.len());
                    self.at = cursor.at();
                    return Some((self.id, name, &rest[..length]));
                }
            }
        }
    }
}

fn value_end(text: &[u8], close: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < text.len() {
        if text[at] == b'\\' {
            at += 1;
        } else if text[at..].starts_with(close) {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// Appends a parameter's value with `\"`, `\\` and `\]` resolved; any other backslash stays. Source: RFC 5424, 6.3.3.
pub fn unescape(value: &[u8], into: &mut Vec<u8>) {
    let mut at = 0;
    while at < value.len() {
        if value[at] == b'\\' && matches!(value.get(at + 1), Some(b'"' | b'\\' | b']')) {
            at += 1;
        }
        into.push(value[at]);
        at += 1;
    }
}

// ---- repetition

/// What a line says about being a repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repetition<'a> {
    /// `message repeated N times: [ the line itself]`
    Of {
        /// How many times.
        times: u64,
        /// The line itself.
        body: &'a [u8],
    },
    /// `last message repeated N times`
    OfLast {
        /// How many times.
        times: u64,
    },
}

/// Recognises a repetition in a body; `None` for any other.
#[inline]
pub fn repetition(body: &[u8]) -> Option<Repetition<'_>> {
    if !matches!(body.first(), Some(b'm' | b'l' | b'M' | b'L' | b'-')) {
        return None;
    }
    let mut cursor = Cursor::new(body);
    if cursor.take_if(b"message repeated ") {
        let times = cursor.number()?;
        cursor.expect(b" times: [")?;
        let inner = cursor.finish().trim_ascii();
        let inner = inner.strip_suffix(b"]").unwrap_or(inner);
        return Some(Repetition::Of { times, body: inner.trim_ascii() });
    }
    cursor.take_if(b"--- ");
    cursor.expect(b"last message repeated ").or_else(|| cursor.expect(b"Last message repeated "))?;
    let times = cursor.number()?;
    cursor.expect(b" time")?;
    Some(Repetition::OfLast { times })
}

#[cfg(test)]
mod tests;
