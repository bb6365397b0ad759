//! Comma-separated records of log lines (PAN-OS, filterlog): RFC 4180 quoting, and braces as a quote.
//!
//! Fields come as slices of the line, one after the other, with their offsets. PAN-OS wraps some lists in
//! `{…}` with bare commas inside: commas in balanced braces are text; where braces don't balance the row
//! stays as it is. `csv-core` was not used: it copies every field out.

use memchr::{memchr, memchr2};

/// One field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column<'a> {
    /// Offset of the value's first byte in the text that was given.
    pub offset: usize,
    /// Without the quotes around. `""` inside is still doubled if `doubled`.
    pub value: &'a [u8],
    /// Whether `""` occurs in it ([`undouble`]).
    pub doubled: bool,
}

/// The fields of one record, from left to right. An empty text has one empty field.
#[derive(Clone, Debug)]
pub struct Columns<'a> {
    text: &'a [u8],
    at: Option<usize>,
    delimiter: u8,
    // once a quote or brace was searched to the end in vain, later ones are plain text: else a line of
    // nothing but openings would be read once per field
    plain: Plain,
}

#[derive(Clone, Copy, Debug, Default)]
struct Plain {
    quotes: bool,
    braces: bool,
}

/// The fields of `text`, separated by `,`.
#[inline]
pub fn columns(text: &[u8]) -> Columns<'_> {
    Columns { text, at: Some(0), delimiter: b',', plain: Plain::default() }
}

/// The fields of `text`, separated by `delimiter`. Braces are text.
pub fn columns_by(text: &[u8], delimiter: u8) -> Columns<'_> {
    Columns { text, at: Some(0), delimiter, plain: Plain { quotes: false, braces: true } }
}

/// Fills `out` with the fields of `text` and says how many there are: the number of columns is the
/// version of such a format. Fields past the end of `out` are counted and dropped.
pub fn split<'a>(text: &'a [u8], out: &mut [Column<'a>]) -> usize {
    let mut count = 0;
    for column in columns(text) {
        if let Some(slot) = out.get_mut(count) {
            *slot = column;
        }
        count += 1;
    }
    count
}

impl Column<'_> {
    /// An empty field, to fill an array with.
    pub const EMPTY: Column<'static> = Column { offset: 0, value: b"", doubled: false };
}

impl<'a> Iterator for Columns<'a> {
    type Item = Column<'a>;

    #[inline]
    fn next(&mut self) -> Option<Column<'a>> {
        let begin = self.at?;
        let text = self.text;
        match text.get(begin) {
            Some(b'"') if !self.plain.quotes => Some(self.quoted(begin)),
            Some(b'{') if !self.plain.braces => Some(self.braced(begin)),
            _ => {
                // short fields are the rule: a plain loop beats the set-up of a SIMD search
                let rest = &text[begin..];
                let length = rest.iter().take(24).position(|&b| b == self.delimiter).or_else(|| {
                    if rest.len() > 24 { memchr(self.delimiter, &rest[24..]).map(|at| at + 24) } else { None }
                });
                Some(self.field(begin, begin + length.unwrap_or(rest.len())))
            }
        }
    }
}

impl<'a> Columns<'a> {
    #[inline]
    fn field(&mut self, begin: usize, end: usize) -> Column<'a> {
        self.at = if end < self.text.len() { Some(end + 1) } else { None };
        Column { offset: begin, value: &self.text[begin..end], doubled: false }
    }

    fn quoted(&mut self, begin: usize) -> Column<'a> {
        let text = self.text;
        let mut at = begin + 1;
        let mut doubled = false;
        while let Some(length) = memchr(b'"', &text[at..]) {
            at += length;
            match text.get(at + 1) {
                Some(b'"') => {
                    doubled = true;
                    at += 2;
                }
                next if next.is_none_or(|byte| *byte == self.delimiter) => {
                    let column = Column { offset: begin + 1, value: &text[begin + 1..at], doubled };
                    self.at = if at + 1 < text.len() { Some(at + 2) } else { None };
                    return column;
                }
                // a stray quote inside: vendors forget to double it
                _ => at += 1,
            }
        }
        self.plain.quotes = true;
        // never closes: an ordinary field that begins with a quote, so that the rest of the row is not lost
        let end = memchr(self.delimiter, &text[begin..]).map_or(text.len(), |length| begin + length);
        self.field(begin, end)
    }

    fn braced(&mut self, begin: usize) -> Column<'a> {
        let text = self.text;
        let (mut at, mut depth) = (begin, 0usize);
        while let Some(length) = memchr2(b'{', b'}', &text[at..]) {
            at += length;
            depth = if text[at] == b'{' { depth + 1 } else { depth - 1 };
            at += 1;
            if depth == 0 {
                let end = memchr(self.delimiter, &text[at..]).map_or(text.len(), |length| at + length);
                return self.field(begin, end);
            }
        }
        self.plain.braces = true;
        let end = memchr(self.delimiter, &text[begin..]).map_or(text.len(), |length| begin + length);
        self.field(begin, end)
    }
}

/// Appends `value` to `into` with `""` as `"`.
pub fn undouble(value: &[u8], into: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(length) = memchr(b'"', &value[at..]) {
        at += length + 1;
        into.extend_from_slice(&value[at - length - 1..at]);
        if value.get(at) == Some(&b'"') {
            at += 1;
        }
    }
    into.extend_from_slice(&value[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: &[&str]) {
        let found: Vec<String> = columns(text.as_bytes()).map(|c| String::from_utf8_lossy(c.value).into()).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn quotes_hold_commas_and_doubled_quotes() {
        check(r#"a,"b,c","d ""e"" f",,g"#, &["a", "b,c", r#"d ""e"" f"#, "", "g"]);
        let mut out = Vec::new();
        undouble(br#"d ""e"" f"#, &mut out);
        assert_eq!(out, br#"d "e" f"#);
    }

    #[test]
    fn balanced_braces_hold_commas_and_others_do_not() {
        check("a,{b,{c}},d", &["a", "{b,{c}}", "d"]);
        check("a,{b,c,d", &["a", "{b", "c", "d"]);
    }

    #[test]
    fn a_quote_that_never_closes_costs_one_field_only() {
        check("a,\"b,c,d", &["a", "\"b", "c", "d"]);
    }

    #[test]
    fn blank_fields_are_data_and_the_end_has_a_field() {
        check(" ,a,", &[" ", "a", ""]);
        check("", &[""]);
    }

    #[test]
    fn columns_are_counted_past_the_end_of_the_array() {
        let mut out = [Column::EMPTY; 2];
        assert_eq!(split(b"a,b,c", &mut out), 3);
        assert_eq!(out[1].value, b"b");
    }

    proptest! {
        #[test]
        fn offsets_point_into_the_text_and_it_ends(text in "[a,\"{} ]{0,60}") {
            let bytes = text.as_bytes();
            let mut count = 0;
            for column in columns(bytes) {
                prop_assert_eq!(&bytes[column.offset..column.offset + column.value.len()], column.value);
                count += 1;
            }
            prop_assert!(count <= bytes.len() + 1);
        }
    }
}
