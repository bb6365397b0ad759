//! Sigma's text values: wildcards, escapes, and whether a text fits.
//!
//! The matcher is over bytes and goes back to the last star only, so it takes at most pattern × text steps on any input.
//! Letters compare by ASCII case; where the pattern itself has other letters, by the simple case folding of Unicode
//! (one character to one). So `k` does not fit the Kelvin sign, and a search for plain words never decodes characters.

use super::ast::{Case, Part, Pattern};

/// The dashes that `windash` takes for one another.
pub const DASHES: [&str; 5] = ["-", "/", "\u{2013}", "\u{2014}", "\u{2015}"];

/// How letters are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fold {
    /// Byte by byte.
    None,
    /// ASCII letters without case.
    Ascii,
    /// All letters without case.
    Unicode,
}

impl Pattern {
    /// Reads a value of a rule: `*`, `?`, and a backslash that escapes these and itself only.
    pub fn read(text: &str) -> Pattern {
        let mut pattern = Pattern::default();
        let mut escape = false;
        for c in text.chars() {
            match (escape, c) {
                (true, '*' | '?' | '\\') => {
                    pattern.push_char(c);
                    escape = false;
                }
                (true, _) => {
                    pattern.push_char('\\');
                    pattern.push_char(c);
                    escape = false;
                }
                (false, '\\') => escape = true,
                (false, '*') => pattern.push(Part::Any),
                (false, '?') => pattern.push(Part::One),
                (false, _) => pattern.push_char(c),
            }
        }
        if escape {
            pattern.push_char('\\');
        }
        pattern
    }

    /// A text without wildcards.
    pub fn literal(text: &str) -> Pattern {
        Pattern(if text.is_empty() { Vec::new() } else { vec![Part::Literal(text.as_bytes().to_vec())] })
    }

    fn push_char(&mut self, c: char) {
        self.push(Part::Literal(c.encode_utf8(&mut [0; 4]).as_bytes().to_vec()));
    }

    /// Appends a part; neighbouring literals become one, neighbouring stars, too.
    pub fn push(&mut self, part: Part) {
        match (self.0.last_mut(), part) {
            (Some(Part::Literal(last)), Part::Literal(more)) => last.extend_from_slice(&more),
            (Some(Part::Any), Part::Any) => {}
            (_, Part::Literal(empty)) if empty.is_empty() => {}
            (_, part) => self.0.push(part),
        }
    }

    /// The text, if it has no wildcard.
    pub fn as_literal(&self) -> Option<&[u8]> {
        match self.0.as_slice() {
            [] => Some(b""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// With a star before it, unless one is there.
    pub fn open_start(mut self) -> Pattern {
        if self.0.first() != Some(&Part::Any) {
            self.0.insert(0, Part::Any);
        }
        self
    }

    /// With a star after it, unless one is there.
    pub fn open_end(mut self) -> Pattern {
        self.push(Part::Any);
        self
    }

    /// How its letters are to be compared.
    pub fn fold(&self, case: Case) -> Fold {
        let wide = |part: &Part| match part {
            Part::Literal(text) => !text.is_ascii() && std::str::from_utf8(text).is_ok(),
            Part::Any | Part::One | Part::Dash => false,
        };
        match case {
            Case::Sensitive => Fold::None,
            Case::Insensitive if self.0.iter().any(wide) => Fold::Unicode,
            Case::Insensitive => Fold::Ascii,
        }
    }

    /// Whether the whole text fits.
    pub fn matches(&self, text: &[u8], fold: Fold) -> bool {
        let parts = &self.0;
        let (mut part, mut at, mut star) = (0, 0, None);
        loop {
            let step = match parts.get(part) {
                None if at == text.len() => return true,
                None => None,
                Some(Part::Any) => {
                    star = Some((part + 1, at));
                    part += 1;
                    if part == parts.len() {
                        return true;
                    }
                    continue;
                }
                Some(Part::Literal(literal)) => literal_len(literal, &text[at..], fold),
                Some(Part::One) => (at < text.len()).then(|| char_len(&text[at..])),
                Some(Part::Dash) => dash_len(&text[at..]),
            };
            match (step, star) {
                (Some(len), _) => {
                    at += len;
                    part += 1;
                }
                (None, Some((after, from))) if from < text.len() => {
                    let from = from + char_len(&text[from..]);
                    star = Some((after, from));
                    (part, at) = (after, from);
                }
                (None, _) => return false,
            }
        }
    }
}

/// Bytes of the first character; a byte that is not UTF-8 counts as one.
#[inline]
fn char_len(text: &[u8]) -> usize {
    let len = match text.first() {
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        Some(_) | None => return 1,
    };
    match text.get(..len) {
        Some(head) if std::str::from_utf8(head).is_ok() => len,
        Some(_) | None => 1,
    }
}

fn dash_len(text: &[u8]) -> Option<usize> {
    DASHES.iter().find(|dash| text.starts_with(dash.as_bytes())).map(|dash| dash.len())
}

/// How many bytes of the text a literal takes at its start, if it fits there.
#[inline]
pub fn literal_len(literal: &[u8], text: &[u8], fold: Fold) -> Option<usize> {
    match fold {
        Fold::None => text.starts_with(literal).then_some(literal.len()),
        Fold::Ascii => text.get(..literal.len()).filter(|head| head.eq_ignore_ascii_case(literal)).map(<[u8]>::len),
        Fold::Unicode => {
            let Ok(literal) = std::str::from_utf8(literal) else {
                return literal_len(literal, text, Fold::Ascii);
            };
            let mut at = 0;
            for want in literal.chars() {
                let rest = &text[at..];
                let len = char_len(rest);
                let got = std::str::from_utf8(rest.get(..len)?).ok()?.chars().next()?;
                if fold_char(want) != fold_char(got) {
                    return None;
                }
                at += len;
            }
            Some(at)
        }
    }
}

/// The simple case folding of a character: by way of its upper case, so that final and medial sigma meet. An ASCII letter
/// meets only its own two cases, so that a search for plain words may look at bytes alone.
pub fn fold_char(c: char) -> char {
    fn single(mut chars: impl Iterator<Item = char>, or: char) -> char {
        match (chars.next(), chars.next()) {
            (Some(only), None) => only,
            (_, _) => or,
        }
    }
    let folded = single(single(c.to_uppercase(), c).to_lowercase(), c);
    if folded.is_ascii() && !c.is_ascii() { c } else { folded }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, text: &str, want: bool) {
        let pattern = Pattern::read(pattern);
        assert_eq!(pattern.matches(text.as_bytes(), pattern.fold(Case::Insensitive)), want, "{pattern:?} {text}");
    }

    #[test]
    fn a_backslash_escapes_wildcards_and_itself_only() {
        check(r"C:\Windows", r"c:\windows", true);
        check(r"\\", r"\", true);
        check(r"a\*b", "a*b", true);
        check(r"a\*b", "axb", false);
        check(r"a\?b", "a?b", true);
        check(r"\\*", r"\anything", true);
        check(r"\\\*", r"\*", true);
        check(r"\\\*", r"\x", false);
        check(r"\\\\server", r"\\server", true);
        check(r"\\\server", r"\\server", true);
        check(r"\\server", r"\server", true);
        check(r"\server", r"\server", true);
        check("end\\", "end\\", true);
    }

    #[test]
    fn a_star_is_any_text_and_a_question_mark_one_character() {
        check("*", "", true);
        check("a*c", "abc", true);
        check("a*c", "ac", true);
        check("a*c", "acd", false);
        check("*a*b*", "xxaYYbzz", true);
        check("?", "ä", true);
        check("??", "ä", false);
        check("/search?q=*", "/searchXq=1", true);
        check("/search?q=*", "/search?q=1", true);
        check("", "", true);
        check("", "x", false);
    }

    #[test]
    fn letters_of_other_alphabets_compare_without_case_too() {
        check("*ÄPFEL*", "saure äpfel.", true);
        check("ΣΊΣΥΦΟΣ", "σίσυφος", true);
        let pattern = Pattern::read("ÄB");
        assert!(!pattern.matches("äb".as_bytes(), pattern.fold(Case::Sensitive)));
    }

    #[test]
    fn hostile_patterns_take_bounded_time() {
        let pattern = Pattern::read(&("*a".repeat(200) + "b"));
        assert!(!pattern.matches("a".repeat(20_000).as_bytes(), Fold::Ascii));
    }

    #[test]
    fn bytes_that_are_not_utf8_count_as_one_character_each() {
        assert!(Pattern::read("a?b").matches(b"a\xffb", Fold::Ascii));
        assert!(Pattern::read("*b").matches(b"\xf0\x9fb", Fold::Ascii));
    }
}
