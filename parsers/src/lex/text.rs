//! Small byte-text helpers, and the cursor for hand-written message grammars.
//!
//! Everything works on `&[u8]`, since a log line need not be UTF-8. A [`Cursor`] moves only forward and
//! knows its offset, so that a reject can say where the trouble begins. Regular expressions were the
//! alternative; a cursor is ten times faster on the fixed sentences of firewalls and can't backtrack.

use memchr::{memchr, memmem};

use super::scan;

/// Without ASCII blanks (space, tab, CR, LF) at both ends.
#[inline]
pub fn trim(text: &[u8]) -> &[u8] {
    text.trim_ascii()
}

/// Without one pair of `"` or `'` around, if both are there.
#[inline]
pub fn unquote(text: &[u8]) -> &[u8] {
    match text {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
        _ => text,
    }
}

/// The two sides of the first `byte`; `None` if it does not occur.
#[inline]
pub fn split_once(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr(byte, text)?;
    Some((&text[..at], &text[at + 1..]))
}

/// The two sides of the last `byte`; `None` if it does not occur.
#[inline]
pub fn rsplit_once(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memrchr(byte, text)?;
    Some((&text[..at], &text[at + 1..]))
}

/// The two sides of the first `needle`; `None` if it does not occur.
#[inline]
pub fn split_once_str<'a>(text: &'a [u8], needle: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memmem::find(text, needle)?;
    Some((&text[..at], &text[at + needle.len()..]))
}

/// Whether `needle` occurs.
#[inline]
pub fn contains(text: &[u8], needle: &[u8]) -> bool {
    scan::find(text, needle).is_some()
}

/// What devices write for "nothing": empty, `-`, `--`, `N/A`, `(null)`, `null`, `none`-less. `none` and
/// `unknown` are words that some fields mean, so a family decides about them itself.
#[inline]
pub fn is_absent(text: &[u8]) -> bool {
    match text {
        [] | b"-" | b"--" => true,
        [first, ..] if text.len() > 6 || !matches!(first, b'n' | b'N' | b'(') => false,
        _ => {
            text.eq_ignore_ascii_case(b"n/a")
                || text.eq_ignore_ascii_case(b"(null)")
                || text.eq_ignore_ascii_case(b"null")
                || text.eq_ignore_ascii_case(b"(none)")
        }
    }
}

/// The text, or `None` if it is one of the marks for "nothing" ([`is_absent`]).
#[inline(always)]
pub fn present(text: &[u8]) -> Option<&[u8]> {
    // what does not begin like one of them needs no closer look
    match text {
        [] => None,
        [b'-' | b'n' | b'N' | b'(', ..] if is_absent(text) => None,
        _ => Some(text),
    }
}

pub use schemas::{parse_decimal as decimal, parse_port as port};

/// A number in hexadecimal with or without `0x`; `None` for anything else or above 64 bits.
pub fn hexadecimal(text: &[u8]) -> Option<u64> {
    let digits = text.strip_prefix(b"0x").or_else(|| text.strip_prefix(b"0X")).unwrap_or(text);
    if digits.is_empty() || digits.len() > 16 {
        return None;
    }
    let mut value = 0u64;
    for &byte in digits {
        value = value << 4 | u64::from((byte as char).to_digit(16)?);
    }
    Some(value)
}

/// Appends the bytes that an even number of hexadecimal digits stands for; `None` (and nothing of use appended) for
/// anything else, or nothing.
pub fn unhex(text: &[u8], into: &mut Scratch) -> Option<()> {
    if text.is_empty() || !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
    for pair in text.chunks_exact(2) {
        into.push(digit(pair[0])? << 4 | digit(pair[1])?);
    }
    Some(())
}

/// A list of texts that a line may begin with, looked through only where the line's first two bytes are those of one.
///
/// Detection asks every line: of a foreign one this is a look at one bit.
pub struct Beginnings {
    list: &'static [&'static [u8]],
    pairs: [u64; 1024],
}

impl Beginnings {
    /// Builds the list; meant for a `static`. A text of less than two bytes fails the build.
    pub const fn new(list: &'static [&'static [u8]]) -> Beginnings {
        let mut pairs = [0; 1024];
        let mut at = 0;
        while at < list.len() {
            let pair = (list[at][0] as usize) << 8 | list[at][1] as usize;
            pairs[pair / 64] |= 1 << (pair % 64);
            at += 1;
        }
        Beginnings { list, pairs }
    }

    /// Whether `text` begins with one of them.
    #[inline]
    pub fn begin(&self, text: &[u8]) -> bool {
        let [first, second, ..] = text else { return false };
        let pair = (*first as usize) << 8 | *second as usize;
        self.pairs[pair / 64] >> (pair % 64) & 1 == 1 && self.list.iter().any(|beginning| text.starts_with(beginning))
    }
}

/// Bytes that a text has to be put together in: on the stack as long as they are few.
pub struct Scratch {
    short: [u8; SCRATCH_SHORT],
    length: usize,
    long: Vec<u8>,
}

/// Most bytes of a [`Scratch`] that need no allocation.
const SCRATCH_SHORT: usize = 1024;

impl Default for Scratch {
    fn default() -> Self {
        Scratch { short: [0; SCRATCH_SHORT], length: 0, long: Vec::new() }
    }
}

impl Scratch {
    /// Appends one byte.
    #[inline]
    pub fn push(&mut self, byte: u8) {
        self.extend(&[byte]);
    }

    /// Appends some bytes.
    #[inline]
    pub fn extend(&mut self, bytes: &[u8]) {
        if self.long.is_empty() {
            if let Some(room) = self.short.get_mut(self.length..self.length + bytes.len()) {
                room.copy_from_slice(bytes);
                self.length += bytes.len();
                return;
            }
            self.long.extend_from_slice(&self.short[..self.length]);
        }
        self.long.extend_from_slice(bytes);
    }

    /// What it holds.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        if self.long.is_empty() { &self.short[..self.length] } else { &self.long }
    }

    /// The same, to be changed in place.
    #[inline]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        if self.long.is_empty() { &mut self.short[..self.length] } else { &mut self.long }
    }
}

/// So that numbers and addresses can be written into it.
impl std::fmt::Write for Scratch {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.extend(text.as_bytes());
        Ok(())
    }
}

/// The last part of a path of Windows or Unix.
pub fn file_name(path: &[u8]) -> &[u8] {
    let from = memchr::memrchr2(b'\\', b'/', path).map_or(0, |at| at + 1);
    &path[from..]
}

/// Where `inner` begins in `outer`, in bytes. `None` if it is not a part of it (unescaped text, for one).
#[inline]
pub fn offset_in(outer: &[u8], inner: &[u8]) -> Option<usize> {
    let at = (inner.as_ptr() as usize).checked_sub(outer.as_ptr() as usize)?;
    if at + inner.len() <= outer.len() { Some(at) } else { None }
}

/// Reads a text from left to right and knows where it is.
///
/// Every method that fails leaves the cursor where it was.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Begins at the start of `text`.
    #[inline]
    pub fn new(text: &'a [u8]) -> Cursor<'a> {
        Cursor { text, at: 0 }
    }

    /// Bytes read so far: the offset of the next byte in the text given to [`Cursor::new`].
    #[inline]
    pub fn at(&self) -> usize {
        self.at
    }

    /// What has not been read yet.
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        &self.text[self.at..]
    }

    /// Whether everything was read.
    #[inline]
    pub fn is_done(&self) -> bool {
        self.at == self.text.len()
    }

    /// The next byte, without reading it.
    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Skips `count` bytes, or all that remain.
    #[inline]
    pub fn skip(&mut self, count: usize) {
        self.at = (self.at + count).min(self.text.len());
    }

    /// Skips blanks (space and tab).
    #[inline]
    pub fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Reads `literal` if it comes next.
    #[inline]
    pub fn expect(&mut self, literal: &[u8]) -> Option<()> {
        if self.rest().starts_with(literal) {
            self.at += literal.len();
            Some(())
        } else {
            None
        }
    }

    /// Reads `literal` if it comes next; says whether it did.
    #[inline]
    pub fn take_if(&mut self, literal: &[u8]) -> bool {
        self.expect(literal).is_some()
    }

    /// Reads up to `byte`, and `byte` itself, which is not returned.
    #[inline]
    pub fn until(&mut self, byte: u8) -> Option<&'a [u8]> {
        let rest = self.rest();
        let length = memchr(byte, rest)?;
        self.at += length + 1;
        Some(&rest[..length])
    }

    /// Like [`Cursor::until`] for words that are short as a rule: no call.
    #[inline]
    pub fn until_near(&mut self, byte: u8) -> Option<&'a [u8]> {
        let from = self.at;
        let end = scan::find2(self.text, from, byte, byte);
        let word = self.text.get(from..end).filter(|_| end < self.text.len())?;
        self.at = end + 1;
        Some(word)
    }

    /// Reads up to the first of three bytes, or to the end; may be empty.
    #[inline]
    pub fn until_any(&mut self, a: u8, b: u8, c: u8) -> &'a [u8] {
        let from = self.at;
        self.at = scan::find3(self.text, from, a, b, c);
        &self.text[from..self.at]
    }

    /// Reads up to `literal`, and `literal` itself, which is not returned.
    #[inline]
    pub fn until_str(&mut self, literal: &[u8]) -> Option<&'a [u8]> {
        let rest = self.rest();
        let length = scan::find(rest, literal)?;
        self.at += length + literal.len();
        Some(&rest[..length])
    }

    /// Reads as long as `wanted` holds; may be empty.
    #[inline]
    pub fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().position(|&b| !wanted(b)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// Reads up to a blank or the end, and skips the blanks that follow. Empty at the end.
    #[inline]
    pub fn word(&mut self) -> &'a [u8] {
        let word = self.take_while(|b| b != b' ' && b != b'\t');
        self.skip_blanks();
        word
    }

    /// Reads ASCII digits as a number. `None` if there are none or they don't fit.
    #[inline]
    pub fn number(&mut self) -> Option<u64> {
        let before = self.at;
        let value = decimal(self.take_while(|b| b.is_ascii_digit()));
        if value.is_none() {
            self.at = before;
        }
        value
    }

    /// All that remains.
    #[inline]
    pub fn finish(&mut self) -> &'a [u8] {
        let rest = self.rest();
        self.at = self.text.len();
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_that_fails_stays_where_it_was() {
        let mut cursor = Cursor::new(b"Built inbound");
        assert_eq!(cursor.expect(b"Teardown "), None);
        assert_eq!(cursor.until(b'!'), None);
        assert_eq!(cursor.number(), None);
        assert_eq!(cursor.at(), 0);
        assert_eq!(cursor.until(b' '), Some(&b"Built"[..]));
        assert_eq!((cursor.at(), cursor.rest()), (6, &b"inbound"[..]));
    }

    #[test]
    fn decimals_have_digits_only_and_fit() {
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(decimal(b"18446744073709551616"), None);
        assert_eq!(decimal(b"+1"), None);
        assert_eq!(decimal(b""), None);
        assert_eq!(port(b"65535"), Some(65535));
        assert_eq!(port(b"65536"), None);
        assert_eq!(hexadecimal(b"0xc000006d"), Some(0xc000006d));
    }

    #[test]
    fn a_list_of_beginnings_finds_each_and_nothing_else() {
        static LIST: Beginnings = Beginnings::new(&[b"TLS: ", b"TLS Error: ", b"VERIFY "]);
        assert!(LIST.begin(b"TLS Error: x") && LIST.begin(b"VERIFY OK"));
        assert!(!LIST.begin(b"TLSv1") && !LIST.begin(b"T") && !LIST.begin(b"") && !LIST.begin(b"xVERIFY "));
    }

    #[test]
    fn a_scratch_holds_short_and_long_texts() {
        let mut scratch = Scratch::default();
        (0..3000).for_each(|number| scratch.push(number as u8));
        assert!(
            scratch.bytes().iter().enumerate().all(|(at, byte)| *byte == at as u8) && scratch.bytes().len() == 3000
        );
        let mut scratch = Scratch::default();
        assert_eq!(unhex(b"2F6a00", &mut scratch), Some(()));
        assert_eq!(scratch.bytes(), b"/j\0");
        assert_eq!(unhex(b"2F6", &mut scratch), None);
        assert_eq!(unhex(b"2G", &mut scratch), None);
    }

    #[test]
    fn an_offset_is_that_of_the_part_in_the_whole() {
        let line = b"key=value";
        assert_eq!(offset_in(line, &line[4..]), Some(4));
        assert_eq!(offset_in(&line[4..], line), None);
    }
}
