//! ISE's pairs: `Key=Value, Key=Value,` with blanks in keys, and commas, `=` and braces in values.
//!
//! A value ends at a comma that a blank and another `key=` follow, or the end; `\,` never ends it. A value in braces ends
//! where they close.

use crate::lex::text::split_once;

/// Longest key with its blanks.
const KEY_MAX: usize = 64;

/// The pairs of a text.
pub(super) fn of(text: &[u8]) -> Pairs<'_> {
    Pairs { text, at: 0 }
}

pub(super) struct Pairs<'a> {
    text: &'a [u8],
    at: usize,
}

/// Whether a key begins at `at`: where its `=` stands.
fn key_at(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let length = rest.iter().take(KEY_MAX).position(|b| matches!(b, b'=' | b',' | b'{' | b'\\'))?;
    (length > 0 && rest[length] == b'=').then_some(at + length)
}

/// Where the value that begins at `from` ends: at a comma, or the text's end.
fn value_end(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(length) = memchr::memchr(b',', &text[at..]) {
        let comma = at + length;
        let escaped = text[from..comma].iter().rev().take_while(|b| **b == b'\\').count() % 2 == 1;
        let mut after = comma + 1;
        while after < text.len() && matches!(text[after], b' ' | b',') && after < comma + 8 {
            after += 1;
        }
        let separated = after > comma + 1 && key_at(text, after).is_some();
        if !escaped && (separated || after == text.len()) {
            return comma;
        }
        at = comma + 1;
    }
    text.len()
}

/// Where the brace that opens at `from` closes.
fn closing(text: &[u8], from: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in text[from..].iter().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(from + at);
                }
            }
            _ => {}
        }
    }
    None
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.text;
        loop {
            while self.at < text.len() && matches!(text[self.at], b' ' | b',') {
                self.at += 1;
            }
            if self.at >= text.len() {
                return None;
            }
            let Some(equals) = key_at(text, self.at) else {
                // no pair: the rest of a value of the segment before, or a stray word
                self.at = value_end(text, self.at) + 1;
                continue;
            };
            let key = text[self.at..equals].trim_ascii();
            let from = equals + 1;
            let end = match text.get(from) {
                Some(b'{') => closing(text, from).map_or(text.len(), |at| at + 1),
                _ => value_end(text, from),
            };
            self.at = end;
            return Some((key, &text[from..end]));
        }
    }
}

/// The sentence before the pairs, and the pairs.
pub(super) fn text(rest: &[u8]) -> (&[u8], &[u8]) {
    let end = value_end(rest, 0);
    (rest[..end].trim_ascii(), &rest[end..])
}

/// What goes on in the next segment: a pair, or the beginning of its key, that no comma ends.
pub(super) fn cut(text: &[u8]) -> &[u8] {
    let mut pairs = of(text);
    let mut from = 0;
    loop {
        let begin = pairs.at;
        if pairs.next().is_none() {
            break;
        }
        let ended = text.get(pairs.at) == Some(&b',');
        from = if ended { pairs.at + 1 } else { begin };
    }
    let rest = &text[from..];
    let blank = rest.iter().take_while(|byte| matches!(byte, b' ' | b',')).count();
    &rest[blank..]
}

/// The rest of a value that the segment before has begun, and what follows it.
pub(super) fn lead(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(value_end(text, 0))
}

/// The pairs of an alarm, separated by `; `.
pub(super) fn alarm(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    text.split(|b| *b == b';').filter_map(|part| split_once(part.trim_ascii(), b'='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, want: &[(&str, &str)]) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let found: Vec<_> = of(input.as_bytes()).map(|(key, value)| (text(key), text(value))).collect();
        let want: Vec<_> = want.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        assert_eq!(found, want, "{input}");
    }

    #[test]
    fn values_end_before_the_next_key() {
        check("A=1, B C=2,", &[("A", "1"), ("B C", "2")]);
        check(r"A=x\, y=2\,, B=3", &[("A", r"x\, y=2\,"), ("B", "3")]);
        check("A=1,2,3, or 4, B=5", &[("A", "1,2,3, or 4"), ("B", "5")]);
        check("A={x=1, y=2; {z=3}}, B=4", &[("A", "{x=1, y=2; {z=3}}"), ("B", "4")]);
        check("A={x=1, y", &[("A", "{x=1, y")]);
        check("A=1, , B=2,  C =3", &[("A", "1"), ("B", "2"), ("C", "3")]);
        check("tail of a value, A=1", &[("A", "1")]);
        check("", &[]);
    }

    #[test]
    fn what_no_comma_ends_goes_on_in_the_next_segment() {
        let cut = |text: &'static str| String::from_utf8_lossy(cut(text.as_bytes())).into_owned();
        assert_eq!(cut("Class: Text, A=1, B=2,"), "");
        assert_eq!(cut("A=1, B=2"), "B=2");
        assert_eq!(cut("A=1, B=2, "), "");
        assert_eq!(cut(r"A=1, B=2\, C\,"), r"B=2\, C\,");
        assert_eq!(cut("A=1, B={x=1, y"), "B={x=1, y");
        assert_eq!(cut("Failu"), "Failu");
        assert_eq!(lead(b"wo, C=3, D=4"), (&b"wo"[..], &b", C=3, D=4"[..]));
        assert_eq!(lead(b", C=3"), (&b""[..], &b", C=3"[..]));
    }

    proptest::proptest! {
        #[test]
        fn it_ends_and_gives_no_more_pairs_than_bytes(text in "[a=, ;{}\\\\]{0,80}") {
            proptest::prop_assert!(of(text.as_bytes()).count() <= text.len());
        }
    }
}
