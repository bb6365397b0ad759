//! Flattening: every scalar of an object under its dotted path.
//!
//! [`walk`] reads token by token. [`walk_by`] gives the same to families that look each path up, and remembers what a source's
//! lines look like: what stands between two values is compared with what stood there before ([`Trail`]); only what is new
//! is read by tokens.

use super::super::scan;
use super::super::trail::{At, Leads, Trail};
use super::{
    DEPTH_MAX, Error, ErrorKind, Extent, Kind, OF_TOKENS, PATH_MAX, Scalar, Text, Value, bare_at, blanks, next_object,
    scalar_at, string_end,
};

/// Gives every scalar below the object that `text` begins with, under its dotted path: nested and dotted keys
/// look the same, elements of an array have the array's path (objects in arrays extend it). Order is the
/// document's; a path that occurs twice is given twice.
///
/// # Errors
/// What `visit` returns, or an [`Error`] if the text is no JSON, exceeds a cap, or goes on with another object.
#[inline]
pub fn walk<'a, E: From<Error>>(
    text: &'a [u8],
    mut visit: impl FnMut(&[u8], Value<'a>) -> Result<(), E>,
) -> Result<Extent, E> {
    let mut reader = Reader::default();
    loop {
        match reader.next(text)? {
            Found::Value(value) => visit(reader.path(text), value)?,
            Found::End => return Ok(whole(text, reader.at)?),
            Found::Truncated => return Ok(Extent::Truncated),
        }
    }
}

/// The end of the object, if none follows it.
#[inline]
fn whole(text: &[u8], end: usize) -> Result<Extent, Error> {
    match next_object(text, end) {
        None => Ok(Extent::Whole(end)),
        Some(at) => Err(Error { at, kind: ErrorKind::Another }),
    }
}

/// The trail of a source's JSON for a family that finds `M` in its table.
pub type JsonTrail<M> = Trail<M, Place>;

/// What [`walk`] gives, each path with what `find` says of it. `find` must always say the same of a path, since it is not asked
/// again where the trail remembers what it said.
///
/// # Errors
/// What `visit` returns, or an [`Error`] if the text is no JSON, exceeds a cap, or goes on with another object.
#[inline(always)]
pub fn walk_by<'a, M: Copy + Default, E: From<Error>>(
    text: &'a [u8],
    trail: &mut JsonTrail<M>,
    find: impl Fn(&[u8]) -> M,
    mut visit: impl FnMut(Path<'_>, M, Scalar<'a>) -> Result<(), E>,
) -> Result<Extent, E> {
    // only made where something is new
    let mut reader = None;
    let mut at = 0;
    let mut from = Some(At::START);
    loop {
        let is_bare = |byte: u8| OF_TOKENS[usize::from(byte)];
        let (path, meaning, value);
        match from.and_then(|from| trail.follow(from, text, at, is_bare)) {
            Some((step, begin)) => {
                let leads;
                (meaning, leads) = trail.found(step);
                path = Path { text, at, place: Some(trail.state(step)), reader: None };
                let end;
                (value, end) = match leads {
                    Leads::Quoted => match string_end(text, begin) {
                        Some((end, escaped)) => {
                            let kind = if escaped { Kind::Escaped } else { Kind::Text };
                            (Scalar { raw: &text[begin..end], kind }, end + 1)
                        }
                        None => return Ok(Extent::Truncated),
                    },
                    Leads::Bare => match bare_at(text, begin)? {
                        Some(found) => found,
                        None => return Ok(Extent::Truncated),
                    },
                    Leads::End => return Ok(whole(text, begin)?),
                };
                (from, at) = (Some(step), end);
            }
            None => {
                let reader = reader.get_or_insert_with(Reader::default);
                let (found, step) = by_tokens(reader, trail, from, text, at, &find)?;
                value = match found {
                    Found::Value(value) => value.into(),
                    Found::End => return Ok(whole(text, reader.at)?),
                    Found::Truncated => return Ok(Extent::Truncated),
                };
                (from, at) = (step, reader.at);
                path = Path { text, at, place: None, reader: Some(reader) };
                meaning = find(reader.path(text));
            }
        }
        visit(path, meaning, value)?;
    }
}

/// The path of a value, looked up when it is asked for.
#[derive(Clone, Copy)]
pub struct Path<'p> {
    text: &'p [u8],
    at: usize,
    place: Option<&'p Place>,
    reader: Option<&'p Reader>,
}

impl<'p> Path<'p> {
    /// Its bytes; a slice of the record where it is a key of the outermost object.
    pub fn bytes(self) -> &'p [u8] {
        match self.place {
            None => self.reader.map_or(b"", |reader| reader.path(self.text)),
            Some(Place { key: Some((from, to)), .. }) => {
                self.text.get(self.at + usize::from(*from)..self.at + usize::from(*to)).unwrap_or_default()
            }
            Some(place) => &place.path,
        }
    }
}

/// Reads on where the trail does not lead, and shows it the way. `from` is `None` where it is lost.
#[inline(never)]
fn by_tokens<'a, M: Copy + Default>(
    reader: &mut Reader,
    trail: &mut JsonTrail<M>,
    from: Option<At>,
    text: &'a [u8],
    at: usize,
    find: impl Fn(&[u8]) -> M,
) -> Result<(Found<'a>, Option<At>), Error> {
    if let Some(from) = from
        && from != At::START
    {
        reader.resume(trail.state(from), at);
    }
    let found = reader.next(text)?;
    let leads = match found {
        Found::Value(Value::Text(_)) => Leads::Quoted,
        Found::Value(_) => Leads::Bare,
        Found::End => Leads::End,
        Found::Truncated => return Ok((found, None)),
    };
    let until = if leads == Leads::End { reader.at } else { reader.value };
    let step = from.and_then(|from| {
        trail.learn(from, &text[at..until], leads, reader.place(text, at), || find(reader.path(text)))
    });
    Ok((found, step))
}

/// Where a reader stands before a value.
#[derive(Debug, Default)]
pub struct Place {
    /// The value's dotted path.
    path: Box<[u8]>,
    /// Where the key stands in the bytes before the value, if it is the whole path.
    key: Option<(u16, u16)>,
    /// The open containers, as the reader has them.
    stack: Box<[u16]>,
}

/// The same, as a reader has it.
#[derive(Hash)]
struct Here<'r> {
    path: &'r [u8],
    key: Option<(u16, u16)>,
    stack: &'r [u16],
}

impl PartialEq<Here<'_>> for Place {
    fn eq(&self, here: &Here<'_>) -> bool {
        (&*self.path, self.key, &*self.stack) == (here.path, here.key, here.stack)
    }
}

impl From<Here<'_>> for Place {
    fn from(here: Here<'_>) -> Place {
        Place { path: here.path.into(), key: here.key, stack: here.stack.into() }
    }
}

/// What a reader comes to.
enum Found<'a> {
    Value(Value<'a>),
    End,
    Truncated,
}

/// Reads an object token by token.
struct Reader {
    at: usize,
    /// Where the last value's first byte stands.
    value: usize,
    /// Where the last key stands, and how much of the path is the last value's: 0 if its path is the key.
    key: (usize, usize),
    length: usize,
    path: [u8; PATH_MAX],
    /// Of each open container the path's length inside it, and a bit that says that it is an array.
    stack: [u16; DEPTH_MAX],
    depth: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the document.
    Outside,
    /// Behind an opening bracket.
    Opened,
    /// Behind a value, or a closing bracket.
    Later,
}

impl Default for Reader {
    #[inline]
    fn default() -> Self {
        let (path, stack) = ([0; PATH_MAX], [0; DEPTH_MAX]);
        Reader { at: 0, value: 0, key: (0, 0), length: 0, path, stack, depth: 0, state: State::Outside }
    }
}

impl Reader {
    /// The path of the value that was read last.
    #[inline(always)]
    fn path<'r>(&'r self, text: &'r [u8]) -> &'r [u8] {
        if self.length == 0 { &text[self.key.0..self.key.1] } else { &self.path[..self.length] }
    }

    /// The place before the value that was read last, whose bytes begin at `at`.
    fn place<'r>(&'r self, text: &'r [u8], at: usize) -> Here<'r> {
        let offset = |here: usize| u16::try_from(here.checked_sub(at)?).ok();
        let key = if self.length == 0 { offset(self.key.0).zip(offset(self.key.1)) } else { None };
        Here { path: self.path(text), key, stack: &self.stack[..=self.depth] }
    }

    /// Goes on behind the value at a place.
    fn resume(&mut self, place: &Place, at: usize) {
        (self.at, self.state) = (at, State::Later);
        self.depth = place.stack.len() - 1;
        self.stack[..place.stack.len()].copy_from_slice(&place.stack);
        // of a path that is a key the containers need nothing
        self.path[..place.path.len().min(PATH_MAX)].copy_from_slice(&place.path[..place.path.len().min(PATH_MAX)]);
    }

    /// The next scalar.
    #[inline(always)]
    fn next<'a>(&mut self, text: &'a [u8]) -> Result<Found<'a>, Error> {
        let mut at = self.at;
        if self.state == State::Outside {
            at = blanks(text, at);
            if text.get(at) != Some(&b'{') {
                return Err(Error { at, kind: ErrorKind::NoContainer });
            }
            at += 1;
            self.state = State::Opened;
        }
        // one function and no iterator on purpose: what an item's key and value are need not be put together to be told
        loop {
            let container = self.stack[self.depth];
            let prefix = (container & !ARRAY) as usize;
            let in_object = container & ARRAY == 0;
            let close = if in_object { b'}' } else { b']' };
            at = blanks(text, at);
            let Some(mut byte) = text.get(at).copied() else { return Ok(Found::Truncated) };
            if self.state == State::Later && byte != close {
                if byte != b',' {
                    return Err(Error { at, kind: ErrorKind::Comma });
                }
                // also `{…,}`: a trailing comma is a known damage
                at = blanks(text, at + 1);
                match text.get(at) {
                    Some(next) => byte = *next,
                    None => return Ok(Found::Truncated),
                }
            }
            self.state = State::Later;
            if byte == close {
                at += 1;
                if self.depth == 0 {
                    self.at = at;
                    return Ok(Found::End);
                }
                self.depth -= 1;
                continue;
            }
            let here = at;
            self.key = (at, at);
            if in_object {
                if byte != b'"' {
                    return Err(Error { at, kind: ErrorKind::Key });
                }
                let Some((end, _)) = string_end(text, at + 1) else { return Ok(Found::Truncated) };
                self.key = (at + 1, end);
                at = blanks(text, end + 1);
                match text.get(at) {
                    Some(b':') => at = blanks(text, at + 1),
                    Some(_) => return Err(Error { at, kind: ErrorKind::Colon }),
                    None => return Ok(Found::Truncated),
                }
                match text.get(at) {
                    Some(next) => byte = *next,
                    None => return Ok(Found::Truncated),
                }
            }
            let key = &text[self.key.0..self.key.1];
            let opens = matches!(byte, b'{' | b'[');
            // a scalar at the top has its key as its path: no copy
            self.length = if prefix == 0 && !opens && key.len() <= PATH_MAX {
                0
            } else {
                extend_path(&mut self.path, prefix, key).ok_or(Error { at: here, kind: ErrorKind::PathTooLong })?
            };
            if opens {
                self.depth += 1;
                if self.depth == DEPTH_MAX {
                    return Err(Error { at, kind: ErrorKind::TooDeep });
                }
                self.stack[self.depth] = self.length as u16 | if byte == b'{' { 0 } else { ARRAY };
                at += 1;
                self.state = State::Opened;
                continue;
            }
            let value = if byte == b'"' {
                let Some((end, escaped)) = string_end(text, at + 1) else { return Ok(Found::Truncated) };
                let raw = &text[at + 1..end];
                (self.value, self.at) = (at + 1, end + 1);
                Value::Text(Text { raw, escaped })
            } else {
                let Some((value, end)) = scalar_at(text, at)? else { return Ok(Found::Truncated) };
                (self.value, self.at) = (at, end);
                value
            };
            return Ok(Found::Value(value));
        }
    }
}

const ARRAY: u16 = 1 << 15;
const _: () = assert!(PATH_MAX < ARRAY as usize);

/// Writes `key` behind the first `prefix` bytes of the path. Gives the new length; `None` if it is too long. An element of
/// an array has no key and the path of the array.
#[inline(always)]
fn extend_path(path: &mut [u8; PATH_MAX], prefix: usize, key: &[u8]) -> Option<usize> {
    if key.is_empty() && prefix > 0 {
        return Some(prefix);
    }
    let dot = usize::from(prefix > 0);
    let length = prefix + dot + key.len();
    let room = path.get_mut(prefix..length)?;
    if dot == 1 {
        room[0] = b'.';
    }
    scan::copy(key, &mut room[dot..])?;
    Some(length)
}
