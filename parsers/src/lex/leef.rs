//! Log Event Extended Format: a header between bars, then `key=value` between delimiters.
//!
//! ```text
//! LEEF:1.0|Vendor|Product|Version|EventID|key=value<TAB>key=value
//! LEEF:2.0|Vendor|Product|Version|EventID|^|key=value^key=value
//! ```
//! Nothing is escaped. On its way the tab becomes other things: relays write its number, editors blanks. Source: IBM, "Log
//! Event Extended Format (LEEF)", version 2; what is really sent as the format page for transports has it.

use memchr::memmem;

use super::cef;
use super::text::{Cursor, contains, hexadecimal, split_once};

/// What stands between pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delimiter {
    /// This byte.
    Byte(u8),
    /// These bytes, which stand for a tab.
    Word(&'static [u8]),
    /// Two blanks or more.
    Blanks,
    /// One blank, before what looks like a key.
    Blank,
}

/// What a relay or an editor makes of a tab.
const TABS: [&[u8]; 4] = [b"\\t", b"<009>", b"\\0x09", b"#011"];

/// The fields of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// Vendor of the sender.
    pub vendor: &'a [u8],
    /// Its product.
    pub product: &'a [u8],
    /// The product's version.
    pub version: &'a [u8],
    /// The vendor's event number or name.
    pub event: &'a [u8],
    /// What follows the header.
    pub attributes: &'a [u8],
    /// What stands between its pairs.
    pub delimiter: Delimiter,
}

/// One pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair<'a> {
    /// The key, trimmed; empty if a piece has no `=`.
    pub key: &'a [u8],
    /// The value, trimmed.
    pub value: &'a [u8],
}

/// Reads the header of `text`, which begins with the mark or, where a syslog header has swallowed that, with the version.
/// `None` if it is none.
pub fn header(text: &[u8]) -> Option<Header<'_>> {
    let text = text.strip_prefix(b"LEEF:").unwrap_or(text).trim_ascii_start();
    let mut cursor = Cursor::new(text);
    let format = cursor.until(b'|')?.trim_ascii();
    let known = matches!(format, [b'1' | b'2', b'.', b'0'] | [b'1' | b'2']);
    let mut field = || cursor.until(b'|').map(<[u8]>::trim_ascii);
    let (vendor, product, version, event) = (field()?, field()?, field()?, field()?);
    let mut attributes = cursor.rest();
    let mut stated = None;
    if format.first() == Some(&b'2')
        && let Some((field, rest)) = split_once(&attributes[..attributes.len().min(8)], b'|')
        && !field.contains(&b'=')
    {
        stated = delimiter(field);
        attributes = &attributes[attributes.len().min(8) - rest.len()..];
    }
    let delimiter = stated.unwrap_or_else(|| found(attributes));
    known.then_some(Header { vendor, product, version, event, attributes, delimiter })
}

/// The delimiter that a header states: one byte, or its number. `None` for an empty one and what is no delimiter.
fn delimiter(field: &[u8]) -> Option<Delimiter> {
    match field {
        [byte] => Some(Delimiter::Byte(*byte)),
        [b'0', b'x' | b'X', digits @ ..] | [b'x' | b'X', digits @ ..] => {
            let byte = u8::try_from(hexadecimal(digits)?).ok()?;
            Some(Delimiter::Byte(byte))
        }
        b"\\t" => Some(Delimiter::Byte(b'\t')),
        _ => None,
    }
}

/// The delimiter by what occurs in the attributes.
fn found(attributes: &[u8]) -> Delimiter {
    if attributes.contains(&b'\t') {
        return Delimiter::Byte(b'\t');
    }
    match TABS.into_iter().find(|tab| contains(attributes, tab)) {
        Some(tab) => Delimiter::Word(tab),
        None if contains(attributes, b"  ") => Delimiter::Blanks,
        None => Delimiter::Blank,
    }
}

/// The pairs, from left to right.
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    rest: Option<&'a [u8]>,
    delimiter: Delimiter,
    blank: cef::Pairs<'a>,
}

/// The pairs of `attributes`.
pub fn pairs(attributes: &[u8], delimiter: Delimiter) -> Pairs<'_> {
    let blank = cef::pairs(if delimiter == Delimiter::Blank { attributes } else { b"" });
    Pairs { rest: Some(attributes), delimiter, blank }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Pair<'a>> {
        if self.delimiter == Delimiter::Blank {
            return self.blank.next().map(|pair| Pair { key: pair.key, value: pair.value });
        }
        loop {
            let rest = self.rest?;
            let end = match self.delimiter {
                Delimiter::Byte(byte) => memchr::memchr(byte, rest).map(|at| (at, 1)),
                Delimiter::Word(word) => memmem::find(rest, word).map(|at| (at, word.len())),
                Delimiter::Blanks | Delimiter::Blank => memmem::find(rest, b"  ").map(|at| (at, 2)),
            };
            let piece = match end {
                Some((at, length)) => {
                    self.rest = Some(&rest[at + length..]);
                    &rest[..at]
                }
                None => {
                    self.rest = None;
                    rest
                }
            };
            let piece = piece.trim_ascii();
            if !piece.is_empty() {
                let (key, value) = split_once(piece, b'=').unwrap_or((b"", piece));
                return Some(Pair { key: key.trim_ascii(), value: value.trim_ascii() });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str) {
        let header = header(line.as_bytes()).expect("a header");
        let found: Vec<_> = pairs(header.attributes, header.delimiter).map(|pair| (pair.key, pair.value)).collect();
        assert_eq!(found, [(&b"a"[..], &b"1 2"[..]), (b"b", b""), (b"c", b"x=y")], "{line}");
        assert_eq!(header.event, b"E");
    }

    #[test]
    fn the_delimiter_is_what_is_stated_or_what_became_of_a_tab() {
        check("LEEF:1.0|V|P|1|E|a=1 2\tb=\tc=x=y");
        check("LEEF:1.0|V|P|1|E|a=1 2\\tb=\\tc=x=y");
        check("LEEF:1.0|V|P|1|E|a=1 2<009>b=<009>c=x=y");
        check("LEEF:1.0|V|P|1|E|a=1 2#011b=#011c=x=y");
        check("LEEF:1.0|V|P|1|E|a=1 2   b=  c=x=y");
        check("LEEF:1.0|V|P|1|E|a=1 2 b= c=x=y");
        check("LEEF:2.0|V|P|1|E|^|a=1 2^b=^c=x=y");
        check("LEEF:2.0|V|P|1|E|0x5E|a=1 2^b=^c=x=y");
        check("LEEF:2.0|V|P|1|E|x7c|a=1 2|b=|c=x=y");
        check("LEEF:2.0|V|P|1|E||a=1 2\tb=\tc=x=y");
        check("LEEF:2.0|V|P|1|E|a=1 2\tb=\tc=x=y");
        check("1.0|V|P|1|E|a=1 2\tb=\tc=x=y");
    }

    #[test]
    fn fewer_bars_or_another_version_is_no_header() {
        for line in ["LEEF:1.0|V|P|1|E", "LEEF:3.0|V|P|1|E|a=1", "LEEF:", ""] {
            assert_eq!(header(line.as_bytes()), None, "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn it_ends_and_gives_no_more_pairs_than_bytes(text in "[a= \t|^\\\\x0-2.]{0,60}") {
            let line = format!("LEEF:2.0|V|P|1|E|{text}");
            if let Some(header) = header(line.as_bytes()) {
                proptest::prop_assert!(pairs(header.attributes, header.delimiter).count() <= line.len());
            }
        }
    }
}
