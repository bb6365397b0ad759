//! JSON on demand: one pass over the bytes, values as slices of the line, nothing built.
//!
//! A log line is read once, for twenty of its members; a tree would allocate for all of them. Two ways of
//! reading are offered. [`members`] gives the members of one object, nested ones as slices that can be
//! walked in turn. [`walk`] flattens nested *and* dotted keys to the same dotted path, so that
//! `{"source":{"ip":…}}` and `{"source.ip":…}` are one thing to a family. serde_json was measured at a
//! third of the speed for this use; simd-json wants a mutable copy of the line.
//!
//! Lenient where logs are damaged: a document that is cut off gives what was whole ([`Extent::Truncated`]),
//! bytes after the closing brace are left to the caller, `NaN` is a number. Strict where it protects: depth and
//! path length are capped, anything that is no JSON token is an error with its offset.
//!
//! Long because reader, tokens and escapes are one grammar.

mod walk;

use memchr::memchr2;

pub use self::walk::{JsonTrail, Path, walk, walk_by};
use super::buffer::with_buffer;
use super::scan;
use crate::Refusal;
use schemas::RejectKind;

/// Deepest nesting: well above any log (Windows 5, CloudTrail 9), low enough for a fixed stack.
pub const DEPTH_MAX: usize = 64;

/// Longest dotted path in bytes: three times the longest that Elastic's own documents have.
pub const PATH_MAX: usize = 512;

/// A string as it stands between its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a> {
    /// The bytes between the quotes, escapes not resolved.
    pub raw: &'a [u8],
    /// Whether a backslash stands in it. If not, `raw` is the text.
    pub escaped: bool,
}

/// One value; scalars and containers as the bytes that they are written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A string.
    Text(Text<'a>),
    /// A number (also `NaN` and `Infinity`).
    Number(&'a [u8]),
    /// `true`
    True,
    /// `false`
    False,
    /// `null`
    Null,
    /// An object from `{` to `}`; see [`members`].
    Object(&'a [u8]),
    /// An array from `[` to `]`; see [`elements`].
    Array(&'a [u8]),
}

/// A member of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// Offset of the key's first byte in the text that was given.
    pub offset: usize,
    /// The key as it stands between its quotes.
    pub key: &'a [u8],
    /// Its value.
    pub value: Value<'a>,
}

/// How far a document reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// To its closing brace; what follows begins at this offset.
    Whole(usize),
    /// It was cut off; what was whole has been given.
    Truncated,
}

/// What is no JSON, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// Offset in the text that was given.
    pub at: usize,
    /// What is wrong there.
    pub kind: ErrorKind,
}

/// What is wrong with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No object or array begins here, though one was asked for.
    NoContainer,
    /// A quoted key was expected.
    Key,
    /// A colon was expected.
    Colon,
    /// A value was expected.
    Value,
    /// A comma or the closing bracket was expected.
    Comma,
    /// More than [`DEPTH_MAX`] levels.
    TooDeep,
    /// A path longer than [`PATH_MAX`].
    PathTooLong,
    /// Another object follows the one that was read; it begins there, behind blanks and commas.
    Another,
}

/// What a record is refused with that is several objects, so that each is read by itself.
pub const ANOTHER: RejectKind = RejectKind::TooMuch { what: "objects in a record", limit: 1 };

impl From<Error> for Refusal {
    #[cold]
    fn from(error: Error) -> Refusal {
        let expected = match error.kind {
            ErrorKind::NoContainer => {
                return Refusal { at: error.at, kind: RejectKind::NotThisFamily { expected: "a JSON object" } };
            }
            ErrorKind::TooDeep => {
                return Refusal {
                    at: error.at,
                    kind: RejectKind::TooMuch { what: "levels of JSON", limit: DEPTH_MAX },
                };
            }
            ErrorKind::PathTooLong => {
                return Refusal {
                    at: error.at,
                    kind: RejectKind::TooMuch { what: "bytes in a JSON path", limit: PATH_MAX },
                };
            }
            ErrorKind::Another => return Refusal { at: error.at, kind: ANOTHER },
            ErrorKind::Key => "a key in double quotes",
            ErrorKind::Colon => "a colon after the key",
            ErrorKind::Value => "a value",
            ErrorKind::Comma => "a comma or a closing bracket",
        };
        Refusal { at: error.at, kind: RejectKind::bad_value("JSON", b"", expected) }
    }
}

impl<'a> Text<'a> {
    /// Hands the text itself to `use_it`, with escapes resolved where there are any. Short texts are resolved on
    /// the stack, longer ones in a [buffer](super::buffer).
    #[inline]
    pub fn with<R>(self, use_it: impl FnOnce(&[u8]) -> R) -> R {
        if !self.escaped {
            return use_it(self.raw);
        }
        if self.raw.len() <= 512 {
            let mut buffer = [0u8; 512];
            let mut length = 0;
            // a resolved text is never longer than its escapes
            resolve(self.raw, |byte| {
                buffer[length] = byte;
                length += 1;
            });
            use_it(&buffer[..length])
        } else {
            with_buffer(|buffer| {
                self.append_to(buffer);
                use_it(buffer)
            })
        }
    }

    /// Appends the text with its escapes resolved. A surrogate without its other half becomes U+FFFD.
    pub fn append_to(self, into: &mut Vec<u8>) {
        if self.escaped { resolve(self.raw, |byte| into.push(byte)) } else { into.extend_from_slice(self.raw) }
    }
}

impl<'a> Value<'a> {
    /// A text that stands elsewhere than in JSON, for families that read both: it has no escapes.
    #[inline]
    pub fn plain(raw: &'a [u8]) -> Value<'a> {
        Value::Text(Text { raw, escaped: false })
    }

    /// The bytes of a scalar: a string's between its quotes (escapes not resolved), a number's, `true`, `false`.
    /// Empty for `null` and containers.
    #[inline]
    pub fn scalar(self) -> &'a [u8] {
        match self {
            Value::Text(text) => text.raw,
            Value::Number(number) => number,
            Value::True => b"true",
            Value::False => b"false",
            Value::Null | Value::Object(_) | Value::Array(_) => b"",
        }
    }

    /// The bytes that it is written with; a string's without its quotes.
    pub fn written(self) -> &'a [u8] {
        match self {
            Value::Object(text) | Value::Array(text) => text,
            Value::Null => b"null",
            other => other.scalar(),
        }
    }

    /// The string, if it is one.
    #[inline]
    pub fn text(self) -> Option<Text<'a>> {
        match self {
            Value::Text(text) => Some(text),
            Value::Number(_) | Value::True | Value::False | Value::Null | Value::Object(_) | Value::Array(_) => None,
        }
    }

    /// Hands a scalar's bytes to `use_it`, a string's with its escapes resolved; see [`Text::with`].
    #[inline]
    pub fn with<R>(self, use_it: impl FnOnce(&[u8]) -> R) -> R {
        match self {
            Value::Text(text) => text.with(use_it),
            other => use_it(other.scalar()),
        }
    }
}

/// A value that is no container, as small as it can be handed around.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scalar<'a> {
    /// The bytes that it is written with; a string's between its quotes, escapes not resolved; of `null` none.
    pub raw: &'a [u8],
    /// What it is.
    pub kind: Kind,
}

/// What a scalar is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string without escapes.
    Text,
    /// A string with escapes.
    Escaped,
    /// A number (also `NaN` and `Infinity`).
    Number,
    /// `true`
    True,
    /// `false`
    False,
    /// `null`
    Null,
}

impl<'a> Scalar<'a> {
    /// `null`
    pub const NULL: Scalar<'static> = Scalar { raw: b"", kind: Kind::Null };

    /// Hands its bytes to `use_it`, a string's with its escapes resolved; see [`Text::with`].
    #[inline(always)]
    pub fn with<R>(self, use_it: impl FnOnce(&[u8]) -> R) -> R {
        match self.kind {
            Kind::Escaped => Text { raw: self.raw, escaped: true }.with(use_it),
            Kind::Text | Kind::Number | Kind::True | Kind::False | Kind::Null => use_it(self.raw),
        }
    }
}

impl<'a> From<Value<'a>> for Scalar<'a> {
    /// Containers become `null`.
    #[inline]
    fn from(value: Value<'a>) -> Scalar<'a> {
        let kind = match value {
            Value::Text(Text { escaped: false, .. }) => Kind::Text,
            Value::Text(Text { escaped: true, .. }) => Kind::Escaped,
            Value::Number(_) => Kind::Number,
            Value::True => Kind::True,
            Value::False => Kind::False,
            Value::Null | Value::Object(_) | Value::Array(_) => Kind::Null,
        };
        Scalar { raw: value.scalar(), kind }
    }
}

// ---- members and elements

/// The members of an object, left to right. Ends early where the document is cut off, see [`Members::extent`].
#[derive(Clone, Debug)]
pub struct Members<'a> {
    text: &'a [u8],
    at: usize,
    state: State,
}

/// The elements of an array, left to right.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    text: &'a [u8],
    at: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    First,
    Later,
    Done,
    CutOff,
    Failed,
}

/// The members of the object that `text` begins with (blanks before it are skipped).
///
/// # Errors
/// [`ErrorKind::NoContainer`] if no `{` comes first.
#[inline]
pub fn members(text: &[u8]) -> Result<Members<'_>, Error> {
    let at = blanks(text, 0);
    if text.get(at) != Some(&b'{') {
        return Err(Error { at, kind: ErrorKind::NoContainer });
    }
    Ok(Members { text, at: at + 1, state: State::First })
}

/// The elements of the array that `text` begins with (blanks before it are skipped).
///
/// # Errors
/// [`ErrorKind::NoContainer`] if no `[` comes first.
pub fn elements(text: &[u8]) -> Result<Elements<'_>, Error> {
    let at = blanks(text, 0);
    if text.get(at) != Some(&b'[') {
        return Err(Error { at, kind: ErrorKind::NoContainer });
    }
    Ok(Elements { text, at: at + 1, state: State::First })
}

/// The first member of that key in the object that `text` begins with; a dotted key is not split.
pub fn member<'a>(text: &'a [u8], key: &[u8]) -> Option<Value<'a>> {
    members(text).ok()?.map_while(Result::ok).find(|member| member.key == key).map(|member| member.value)
}

/// Gives the keys of the object that `text` begins with to `wanted`, as long as that says that it wants more; values are skipped.
/// Ends where the document is cut off, or is no JSON.
#[inline(always)]
pub fn keys(text: &[u8], mut wanted: impl FnMut(&[u8]) -> bool) {
    let mut at = blanks(text, 0);
    if text.get(at) != Some(&b'{') {
        return;
    }
    at += 1;
    loop {
        at = blanks(text, at);
        if text.get(at) != Some(&b'"') {
            return;
        }
        let Some((end, _)) = string_end(text, at + 1) else { return };
        let key = &text[at + 1..end];
        at = blanks(text, end + 1);
        if text.get(at) != Some(&b':') {
            return;
        }
        at = blanks(text, at + 1);
        at = match text.get(at) {
            Some(b'"') => match string_end(text, at + 1) {
                Some((end, _)) => end + 1,
                None => return,
            },
            Some(b'{' | b'[') => match container_end(text, at) {
                Ok(Some(end)) => end,
                Ok(None) | Err(_) => return,
            },
            _ => match bare_at(text, at) {
                Ok(Some((_, end))) => end,
                Ok(None) | Err(_) => return,
            },
        };
        if !wanted(key) {
            return;
        }
        at = blanks(text, at);
        if text.get(at) != Some(&b',') {
            return;
        }
        at += 1;
    }
}

/// What [`array_member`] does about a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is the array that is looked for.
    Take,
    /// The next one is looked at.
    Skip,
    /// There is none.
    Stop,
}

/// The first member of an object for which `wanted` says so, from its value on to the end of `text`: unlike [`members`], an
/// array that is cut off is given, too. `wanted` gets the key and the text from the value on.
pub fn array_member<'a>(text: &'a [u8], mut wanted: impl FnMut(&[u8], &'a [u8]) -> Step) -> Option<&'a [u8]> {
    let mut reader = members(text).ok()?;
    while let Some(here) = next_item(text, &mut reader.at, &mut reader.state, b'}').ok()? {
        let (key, value) = key_at(text, here).ok()??;
        match wanted(key, &text[value.min(text.len())..]) {
            Step::Take => return Some(&text[value.min(text.len())..]),
            Step::Skip => (_, reader.at) = value_at(text, value).ok()??,
            Step::Stop => return None,
        }
    }
    None
}

/// Where the next object begins behind one that ends at `from`, after blanks and commas.
#[inline]
pub fn next_object(text: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    if rest.is_empty() {
        return None;
    }
    let at = from + rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b','))?;
    (text[at] == b'{').then_some(at)
}

/// Where the object or array ends that `text` begins with. `None` if it is cut off, too deep, or none.
pub fn end_of(text: &[u8]) -> Option<usize> {
    if matches!(text, [b'{' | b'[', ..]) { container_end(text, 0).ok()? } else { None }
}

impl Members<'_> {
    /// How far the object reached, once the members have been read.
    pub fn extent(&self) -> Extent {
        if self.state == State::Done { Extent::Whole(self.at) } else { Extent::Truncated }
    }
}

impl<'a> Elements<'a> {
    /// What has not been read: behind the array once it has ended, from the element on that is cut off where it is.
    pub fn rest(&self) -> &'a [u8] {
        &self.text[self.at..]
    }

    /// How far the array reached, once the elements have been read.
    pub fn extent(&self) -> Extent {
        if self.state == State::Done { Extent::Whole(self.at) } else { Extent::Truncated }
    }
}

/// Where the next key or element begins; `None` at the end.
#[inline]
fn next_item(text: &[u8], at: &mut usize, state: &mut State, close: u8) -> Result<Option<usize>, Error> {
    if matches!(state, State::Done | State::CutOff | State::Failed) {
        return Ok(None);
    }
    let mut here = blanks(text, *at);
    if *state == State::Later {
        match text.get(here) {
            Some(b',') => here = blanks(text, here + 1),
            Some(&byte) if byte == close => {}
            Some(_) => {
                *state = State::Failed;
                return Err(Error { at: here, kind: ErrorKind::Comma });
            }
            None => {}
        }
    }
    *at = here;
    match text.get(here) {
        None => {
            *state = State::CutOff;
            Ok(None)
        }
        Some(&byte) if byte == close => {
            // also `{…,}`: a trailing comma is a known damage
            *at += 1;
            *state = State::Done;
            Ok(None)
        }
        Some(_) => {
            *state = State::Later;
            Ok(Some(here))
        }
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Result<Member<'a>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let result = self.step();
        match &result {
            Err(_) => self.state = State::Failed,
            Ok(None) if self.state == State::Later => self.state = State::CutOff,
            Ok(_) => {}
        }
        result.transpose()
    }
}

impl<'a> Members<'a> {
    #[inline]
    fn step(&mut self) -> Result<Option<Member<'a>>, Error> {
        let Some(here) = next_item(self.text, &mut self.at, &mut self.state, b'}')? else { return Ok(None) };
        let Some((key, after)) = key_at(self.text, here)? else { return Ok(None) };
        let Some((value, end)) = value_at(self.text, after)? else { return Ok(None) };
        self.at = end;
        Ok(Some(Member { offset: here + 1, key, value }))
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Value<'a>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let result = self.step();
        match &result {
            Err(_) => self.state = State::Failed,
            Ok(None) if self.state == State::Later => self.state = State::CutOff,
            Ok(_) => {}
        }
        result.transpose()
    }
}

impl<'a> Elements<'a> {
    #[inline]
    fn step(&mut self) -> Result<Option<Value<'a>>, Error> {
        let Some(here) = next_item(self.text, &mut self.at, &mut self.state, b']')? else { return Ok(None) };
        let Some((value, end)) = value_at(self.text, here)? else { return Ok(None) };
        self.at = end;
        Ok(Some(value))
    }
}

// ---- tokens

#[inline]
pub(crate) fn blanks(text: &[u8], mut at: usize) -> usize {
    while let Some(byte @ ..=b' ') = text.get(at)
        && matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
    {
        at += 1;
    }
    at
}

/// The key that begins at `at`, and where its value may begin. `None` if the document ends in it.
#[inline]
fn key_at(text: &[u8], at: usize) -> Result<Option<(&[u8], usize)>, Error> {
    if text[at] != b'"' {
        return Err(Error { at, kind: ErrorKind::Key });
    }
    let Some((end, _)) = string_end(text, at + 1) else { return Ok(None) };
    let colon = blanks(text, end + 1);
    match text.get(colon) {
        Some(b':') => Ok(Some((&text[at + 1..end], blanks(text, colon + 1)))),
        Some(_) => Err(Error { at: colon, kind: ErrorKind::Colon }),
        None => Ok(None),
    }
}

/// The value that begins at `at`, and where it ends. `None` if the document ends in it.
#[inline]
pub(crate) fn value_at(text: &[u8], at: usize) -> Result<Option<(Value<'_>, usize)>, Error> {
    match text.get(at) {
        None => Ok(None),
        Some(b'"') => Ok(string_end(text, at + 1)
            .map(|(end, escaped)| (Value::Text(Text { raw: &text[at + 1..end], escaped }), end + 1))),
        Some(b'{') => Ok(container_end(text, at)?.map(|end| (Value::Object(&text[at..end]), end))),
        Some(b'[') => Ok(container_end(text, at)?.map(|end| (Value::Array(&text[at..end]), end))),
        Some(_) => scalar_at(text, at),
    }
}

/// What numbers and words are made of.
static OF_TOKENS: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        byte += 1;
    }
    table
};

/// The number or word that begins at `at`, and where it ends. `None` if the document ends in it.
#[inline(never)]
fn scalar_at(text: &[u8], at: usize) -> Result<Option<(Value<'_>, usize)>, Error> {
    let mut end = at;
    while let Some(byte) = text.get(end)
        && OF_TOKENS[*byte as usize]
    {
        end += 1;
    }
    if end == text.len() {
        // `12` may be the beginning of `123`: not whole
        return Ok(None);
    }
    let token = &text[at..end];
    let value = match token {
        [b'0'..=b'9' | b'-' | b'+', ..] | b"NaN" | b"nan" | b"Infinity" => Value::Number(token),
        b"true" => Value::True,
        b"false" => Value::False,
        b"null" => Value::Null,
        _ => return Err(Error { at, kind: ErrorKind::Value }),
    };
    Ok(Some((value, end)))
}

/// The scalar without quotes that begins at `at`, and where it ends. `None` if the document ends in it.
#[inline(always)]
fn bare_at(text: &[u8], at: usize) -> Result<Option<(Scalar<'_>, usize)>, Error> {
    // most are whole numbers
    let end = scan::digits_end(text, at);
    if end > at
        && let Some(next) = text.get(end)
        && !OF_TOKENS[usize::from(*next)]
    {
        return Ok(Some((Scalar { raw: &text[at..end], kind: Kind::Number }, end)));
    }
    Ok(scalar_at(text, at)?.map(|(value, end)| (value.into(), end)))
}

/// The closing quote of the string whose first byte is at `at`, and whether a backslash stands before it.
#[inline(always)]
fn string_end(text: &[u8], at: usize) -> Option<(usize, bool)> {
    let end = scan::find2(text, at, b'"', b'\\');
    match text.get(end) {
        Some(b'"') => Some((end, false)),
        Some(_) => escaped_string_end(text, end + 2),
        None => None,
    }
}

#[inline(never)]
fn escaped_string_end(text: &[u8], mut at: usize) -> Option<(usize, bool)> {
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some((at, true));
        }
        at += 2;
    }
}

/// Where the container that opens at `at` ends, after its bracket. `None` if the document ends in it. Kinds of
/// brackets are not matched here: reading the container finds that out.
fn container_end(text: &[u8], at: usize) -> Result<Option<usize>, Error> {
    let mut depth = 0usize;
    let mut here = at;
    while let Some(&byte) = text.get(here) {
        here += 1;
        match byte {
            b'"' => match string_end(text, here) {
                Some((end, _)) => here = end + 1,
                None => return Ok(None),
            },
            b'{' | b'[' => {
                depth += 1;
                if depth >= DEPTH_MAX {
                    return Err(Error { at: here - 1, kind: ErrorKind::TooDeep });
                }
            }
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Ok(Some(here));
                }
            }
            _ => {}
        }
    }
    Ok(None)
}

// ---- escapes

/// Resolves the escapes of RFC 8259 section 7, byte by byte into `push`. An unknown one keeps its backslash.
fn resolve(raw: &[u8], mut push: impl FnMut(u8)) {
    let mut at = 0;
    while at < raw.len() {
        if raw[at] != b'\\' {
            push(raw[at]);
            at += 1;
            continue;
        }
        let plain = match raw.get(at + 1) {
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'r') => b'\r',
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(&byte @ (b'"' | b'\\' | b'/')) => byte,
            Some(b'u') => {
                let (letter, length) = unicode(&raw[at..]);
                match letter {
                    Some(letter) => letter.encode_utf8(&mut [0; 4]).bytes().for_each(&mut push),
                    None => raw[at..at + length].iter().copied().for_each(&mut push),
                }
                at += length;
                continue;
            }
            Some(_) | None => {
                push(b'\\');
                at += 1;
                continue;
            }
        };
        push(plain);
        at += 2;
    }
}

/// `\uXXXX` at the start of `raw`, with its other half if it is a surrogate: the letter, and how many bytes it took.
/// `None` if it is not four hexadecimal digits.
fn unicode(raw: &[u8]) -> (Option<char>, usize) {
    let Some(high) = hex4(raw) else { return (None, 2) };
    if (0xd800..0xdc00).contains(&high)
        && let Some(low @ 0xdc00..0xe000) = hex4(&raw[6..])
    {
        let letter = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        return (char::from_u32(letter), 12);
    }
    (Some(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER)), 6)
}

fn hex4(raw: &[u8]) -> Option<u32> {
    let digits = raw.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |value, &byte| Some(value << 4 | (byte as char).to_digit(16)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
