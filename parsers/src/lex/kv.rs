//! `key=value` with quotes, as Fortinet, Sophos, SonicWall, Stormshield and WELF write it.
//!
//! A regular split fails on values with blanks, escaped quotes, glued pairs and quotes that never close, so
//! it is tokenised by hand: one pass, no allocation, values as slices of the line. Repeated keys are given
//! as often as they occur; the family decides which counts (identity fields: the first).

use super::scan;
use super::trail::{At, Leads, Trail};

/// One pair, or a bare word (then `key` is empty and `value` the word).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair<'a> {
    /// Offset of the key's first byte in the text that was given.
    pub offset: usize,
    /// Bytes before `=`, without blanks.
    pub key: &'a [u8],
    /// Without quotes. Escapes are still in it if `escaped`.
    pub value: &'a [u8],
    /// Whether quotes stood around it.
    pub quoted: bool,
    /// Whether a backslash stands in a quoted value ([`unescape`]).
    pub escaped: bool,
    /// Whether its quote never closed: the value goes to the end of the text.
    pub unclosed: bool,
}

impl Pair<'_> {
    /// Offset of the value's first byte in the text that was given.
    pub fn value_offset(&self) -> usize {
        self.offset + self.key.len() + usize::from(!self.key.is_empty()) + usize::from(self.quoted)
    }
}

/// The pairs of a text, from left to right.
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    text: &'a [u8],
    at: usize,
    ends_value: Separator,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Separator {
    Blank,
    Byte(u8),
}

/// Pairs separated by blanks. A `,` or `;` after a closing quote is skipped too.
#[inline]
pub fn pairs(text: &[u8]) -> Pairs<'_> {
    Pairs { text, at: 0, ends_value: Separator::Blank }
}

/// Pairs separated by `separator` (`;`, `,`, tab), where unquoted values may hold blanks.
pub fn pairs_by(text: &[u8], separator: u8) -> Pairs<'_> {
    Pairs { text, at: 0, ends_value: Separator::Byte(separator) }
}

/// What the pairs of a source have looked like, each key with what the family finds of it: of pairs that blanks separate, and of
/// such as another byte does.
#[derive(Debug)]
pub struct PairTrail<M> {
    blank: Trail<(M, Key), ()>,
    other: Trail<(M, Key), ()>,
    /// What separates those of the second.
    separator: u8,
}

impl<M: Default> Default for PairTrail<M> {
    fn default() -> Self {
        PairTrail { blank: Trail::default(), other: Trail::default(), separator: 0 }
    }
}

/// Where a key stands in the bytes before its value, and how long it is.
#[derive(Clone, Copy, Debug, Default)]
struct Key {
    from: u16,
    len: u16,
}

/// Pairs with what a family finds of each key.
pub struct Found<'a, 't, M, F> {
    pairs: Pairs<'a>,
    trail: &'t mut Trail<(M, Key), ()>,
    from: Option<At>,
    find: F,
}

impl<'a> Pairs<'a> {
    /// The same pairs, each with what `find` says of its key. `find` must always say the same of a key, since it is not asked again
    /// where the trail remembers what it said.
    #[inline]
    pub fn by<M: Copy + Default, F: Fn(&[u8]) -> M>(self, trail: &mut PairTrail<M>, find: F) -> Found<'a, '_, M, F> {
        let trail = match self.ends_value {
            Separator::Blank => &mut trail.blank,
            Separator::Byte(separator) => {
                if trail.separator != separator {
                    (trail.other, trail.separator) = (Trail::default(), separator);
                }
                &mut trail.other
            }
        };
        Found { pairs: self, trail, from: Some(At::START), find }
    }
}

impl<'a, M: Copy + Default, F: Fn(&[u8]) -> M> Iterator for Found<'a, '_, M, F> {
    type Item = (Pair<'a>, M);

    #[inline(always)]
    fn next(&mut self) -> Option<(Pair<'a>, M)> {
        let Pairs { text, at, .. } = self.pairs;
        let is_bare = |byte: u8| !matches!(byte, b'"' | b'\'');
        if let Some((step, begin)) = self.from.and_then(|from| self.trail.follow(from, text, at, is_bare)) {
            let ((meaning, key), leads) = self.trail.found(step);
            let offset = at + usize::from(key.from);
            let key = text.get(offset..offset + usize::from(key.len))?;
            self.from = Some(step);
            let pair = match leads {
                Leads::Quoted => {
                    let quote = text[begin - 1];
                    let end = scan::find2(text, begin, quote, b'\\');
                    if text.get(end) == Some(&quote) {
                        self.pairs.at = end + 1;
                        let value = &text[begin..end];
                        Pair { offset, key, value, quoted: true, escaped: false, unclosed: false }
                    } else {
                        self.pairs.quoted(offset, key, begin, quote)
                    }
                }
                Leads::Bare | Leads::End => self.pairs.bare_value(offset, key, begin),
            };
            return Some((pair, meaning));
        }
        let pair = self.pairs.next()?;
        let meaning = (self.find)(pair.key);
        let begin = pair.value_offset();
        self.from = self.from.and_then(|from| {
            let key = Key { from: u16::try_from(pair.offset - at).ok()?, len: u16::try_from(pair.key.len()).ok()? };
            let bytes = text.get(at..begin)?;
            let leads = match bytes {
                [.., b'=', b'"' | b'\''] if pair.quoted => Leads::Quoted,
                [.., b'='] if !pair.quoted && !pair.key.is_empty() => Leads::Bare,
                // a bare word, or blanks around the key
                _ => return None,
            };
            self.trail.learn(from, bytes, leads, (), || (meaning, key))
        });
        Some((pair, meaning))
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Pair<'a>;

    /// Inlined whatever it costs: handed over in memory, a pair costs more than finding it.
    #[inline(always)]
    fn next(&mut self) -> Option<Pair<'a>> {
        let text = self.text;
        let mut at = self.at;
        let separator = match self.ends_value {
            Separator::Blank => b' ',
            Separator::Byte(separator) => separator,
        };
        while let Some(&byte) = text.get(at)
            && (matches!(byte, b' ' | b'\t' | b',' | b';' | b'\r' | b'\n' | 0) || byte == separator)
        {
            at += 1;
        }
        if at >= text.len() {
            self.at = text.len();
            return None;
        }
        let start = at;
        at = scan::find2(text, at, b'=', separator);
        // a quoted bare word, or a stray quote: not a key; the word ends at a blank
        if text.get(at) != Some(&b'=') {
            return Some(self.bare(start, at));
        }
        if at == start {
            return Some(self.keyless(start));
        }
        let key = self.trimmed(&text[start..at]);
        at += 1;
        let pair = match text.get(at) {
            Some(&quote @ (b'"' | b'\'')) => {
                let begin = at + 1;
                let end = scan::find2(text, begin, quote, b'\\');
                if text.get(end) != Some(&quote) {
                    return Some(self.quoted(start, key, begin, quote));
                }
                // `""` inside, as FortiOS doubles it in some builds, would be an empty value and a stray: keep it simple, end here
                self.at = end + 1;
                Pair { offset: start, key, value: &text[begin..end], quoted: true, escaped: false, unclosed: false }
            }
            _ => self.bare_value(start, key, at),
        };
        Some(pair)
    }
}

impl<'a> Pairs<'a> {
    /// The value without quotes that begins at `begin`.
    #[inline(always)]
    fn bare_value(&mut self, start: usize, key: &'a [u8], begin: usize) -> Pair<'a> {
        let end = match self.ends_value {
            Separator::Blank => scan::find_blank(self.text, begin),
            Separator::Byte(separator) => scan::find2(self.text, begin, separator, separator),
        };
        self.at = end;
        let value = self.trimmed(&self.text[begin..end]);
        Pair { offset: start, key, value, quoted: false, escaped: false, unclosed: false }
    }

    /// Where blanks separate, nothing has any around it.
    #[inline]
    fn trimmed<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        match self.ends_value {
            Separator::Blank => text,
            Separator::Byte(_) => text.trim_ascii(),
        }
    }

    #[inline]
    fn ends(&self, byte: u8) -> bool {
        match self.ends_value {
            Separator::Blank => matches!(byte, b' ' | b'\t' | b'\r' | b'\n'),
            Separator::Byte(separator) => byte == separator,
        }
    }

    #[cold]
    fn bare(&mut self, start: usize, end: usize) -> Pair<'a> {
        self.at = end;
        Pair {
            offset: start,
            key: b"",
            value: self.text[start..end].trim_ascii(),
            quoted: false,
            escaped: false,
            unclosed: false,
        }
    }

    /// `=` without a key before it: a bare word, so that the walk goes on.
    #[cold]
    fn keyless(&mut self, start: usize) -> Pair<'a> {
        let mut at = start + 1;
        while self.text.get(at).is_some_and(|&byte| !self.ends(byte)) {
            at += 1;
        }
        self.bare(start, at)
    }

    /// The value after an opening quote, with a backslash in it or without end: up to the next same quote before which stands an even number of backslashes.
    #[inline(never)]
    fn quoted(&mut self, start: usize, key: &'a [u8], begin: usize, quote: u8) -> Pair<'a> {
        let text = self.text;
        let mut at = begin;
        let mut escaped = false;
        while at < text.len() {
            at = scan::find2(text, at, quote, b'\\');
            if at == text.len() {
                break;
            }
            if text[at] == quote {
                self.at = at + 1;
                return Pair { offset: start, key, value: &text[begin..at], quoted: true, escaped, unclosed: false };
            }
            escaped = true;
            at = (at + 2).min(text.len());
            // Windows paths: `path="C:\dir\"` has a backslash before its closing quote. The quote closes if
            // a blank and another `key=` follow, or the text ends.
            if text[at - 1] == quote && closes(&text[at..]) {
                self.at = at;
                return Pair {
                    offset: start,
                    key,
                    value: &text[begin..at - 1],
                    quoted: true,
                    escaped,
                    unclosed: false,
                };
            }
        }
        self.at = text.len();
        Pair { offset: start, key, value: &text[begin..], quoted: true, escaped, unclosed: true }
    }
}

/// Whether what follows a quote looks like the next pair: the end, or a blank and `key=`.
fn closes(tail: &[u8]) -> bool {
    let [b' ', tail @ ..] = tail else { return tail.is_empty() };
    // 40 bytes: longer keys don't occur, and the look-ahead stays bounded
    let head = &tail[..tail.len().min(40)];
    match head.iter().position(|&b| !(b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))) {
        Some(at) => at > 0 && head[at] == b'=',
        None => false,
    }
}

/// Appends `value` to `into` with `\"`, `\'` and `\\` resolved; any other backslash stays.
pub fn unescape(value: &[u8], into: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(length) = memchr::memchr(b'\\', &value[at..]) {
        into.extend_from_slice(&value[at..at + length]);
        at += length;
        match value.get(at + 1) {
            Some(&byte @ (b'"' | b'\'' | b'\\')) => {
                into.push(byte);
                at += 2;
            }
            _ => {
                into.push(b'\\');
                at += 1;
            }
        }
    }
    into.extend_from_slice(&value[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: &[(&str, &str)]) {
        let found: Vec<(String, String)> = pairs(text.as_bytes())
            .map(|p| (String::from_utf8_lossy(p.key).into(), String::from_utf8_lossy(p.value).into()))
            .collect();
        let expected: Vec<(String, String)> = expected.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn values_end_at_their_quote_or_at_a_blank() {
        check(
            r#"a=1 b="two words" c='x y' d="" e= f=6"#,
            &[("a", "1"), ("b", "two words"), ("c", "x y"), ("d", ""), ("e", ""), ("f", "6")],
        );
    }

    #[test]
    fn an_escaped_quote_does_not_end_a_value_but_a_trailing_backslash_does_not_hide_the_end() {
        check(r#"a="say \"hi\"" b=2"#, &[("a", r#"say \"hi\""#), ("b", "2")]);
        check(r#"path="C:\dir\" b=2"#, &[("path", r"C:\dir\"), ("b", "2")]);
        check(r#"path="C:\dir\\" b=2"#, &[("path", r"C:\dir\\"), ("b", "2")]);
    }

    #[test]
    fn glued_pairs_after_a_quote_are_two_pairs() {
        check(r#"a="x"b="y",c="z";d=1"#, &[("a", "x"), ("b", "y"), ("c", "z"), ("d", "1")]);
    }

    #[test]
    fn a_quote_that_never_closes_ends_with_the_text_and_says_so() {
        let last = pairs(br#"a=1 msg="cut off"#).last();
        assert!(last.is_some_and(|p| p.unclosed && p.value == b"cut off"));
    }

    #[test]
    fn a_word_without_an_equal_sign_is_bare() {
        check("start a=1 stray b=2", &[("", "start"), ("a", "1"), ("", "stray"), ("b", "2")]);
    }

    #[test]
    fn with_another_separator_values_may_hold_blanks() {
        let found: Vec<&[u8]> = pairs_by(b"a=one two;b=3;c", b';').map(|p| p.value).collect();
        assert_eq!(found, [&b"one two"[..], b"3", b"c"]);
    }

    #[test]
    fn offsets_point_into_the_text() {
        let text = br#"  k="v" key=value"#;
        for pair in pairs(text) {
            assert_eq!(&text[pair.offset..pair.offset + pair.key.len()], pair.key);
            assert_eq!(&text[pair.value_offset()..pair.value_offset() + pair.value.len()], pair.value);
        }
    }

    proptest! {
        #[test]
        fn it_ends_and_gives_no_more_pairs_than_bytes(text in "[a=\"' ,;|\\\\\t]{0,80}") {
            prop_assert!(pairs(text.as_bytes()).count() <= text.len());
            prop_assert!(pairs_by(text.as_bytes(), b';').count() <= text.len());
            prop_assert!(pairs_by(text.as_bytes(), b'|').count() <= text.len());
        }
    }
}
