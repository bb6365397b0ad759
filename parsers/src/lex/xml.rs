//! A pull reader for rendered Windows event XML: tags, attributes, text, as slices of the line.
//!
//! Event XML is machine-made, so this is no validating parser: no namespaces, no document types, no entity
//! definitions, which is also what makes it safe. `quick-xml` was the alternative; it copies into a buffer of its
//! own and checks what the event log never gets wrong.

use memchr::{memchr, memmem};

use super::buffer::with_buffer;

/// What comes next in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// `<Name a='b'>`
    Open {
        /// The tag's name, without a namespace prefix.
        name: &'a [u8],
        /// What stands between the name and `>`; see [`attributes`].
        attributes: &'a [u8],
    },
    /// `<Name a='b'/>`
    Empty {
        /// The tag's name, without a namespace prefix.
        name: &'a [u8],
        /// What stands between the name and `/>`; see [`attributes`].
        attributes: &'a [u8],
    },
    /// `</Name>`
    Close {
        /// The tag's name, without a namespace prefix.
        name: &'a [u8],
    },
    /// Text between tags, entities not resolved ([`with_text`]). Blank text is not given.
    Text(&'a [u8]),
    /// What stands in a `<![CDATA[…]]>`, literally.
    Literal(&'a [u8]),
}

/// Reads a document from left to right. Ends early where it is cut off or no XML, see [`Reader::is_cut_off`].
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    cut_off: bool,
}

impl<'a> Reader<'a> {
    /// Begins at the start of `text`.
    pub fn new(text: &'a [u8]) -> Reader<'a> {
        Reader { text, at: 0, cut_off: false }
    }

    /// Bytes read so far.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Whether the text ended inside a tag.
    pub fn is_cut_off(&self) -> bool {
        self.cut_off
    }

    fn cut(&mut self) -> Option<Token<'a>> {
        self.cut_off = true;
        self.at = self.text.len();
        None
    }

    /// The text up to `end`, which is skipped too, from an offset after the current one.
    fn up_to(&mut self, skip: usize, end: &[u8]) -> Option<&'a [u8]> {
        let from = self.at + skip;
        let length = memmem::find(self.text.get(from..)?, end)?;
        self.at = from + length + end.len();
        Some(&self.text[from..from + length])
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Token<'a>;

    #[inline]
    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let rest = &self.text[self.at..];
            match rest {
                [] => return None,
                [b'<', b'!', b'[', b'C', b'D', b'A', b'T', b'A', b'[', ..] => {
                    return match self.up_to(9, b"]]>") {
                        Some(text) => Some(Token::Literal(text)),
                        None => self.cut(),
                    };
                }
                [b'<', b'!', b'-', b'-', ..] => {
                    if self.up_to(4, b"-->").is_none() {
                        return self.cut();
                    }
                }
                [b'<', b'?' | b'!', ..] => {
                    if self.up_to(2, b">").is_none() {
                        return self.cut();
                    }
                }
                [b'<', b'/', ..] => {
                    return match self.up_to(2, b">") {
                        Some(name) => Some(Token::Close { name: local(name.trim_ascii()) }),
                        None => self.cut(),
                    };
                }
                [b'<', ..] => {
                    let Some(length) = tag_end(&rest[1..]) else { return self.cut() };
                    let tag = &rest[1..1 + length];
                    self.at += length + 2;
                    let (tag, empty) = match tag {
                        [tag @ .., b'/'] => (tag, true),
                        tag => (tag, false),
                    };
                    let name_length = tag.iter().position(|b| b.is_ascii_whitespace()).unwrap_or(tag.len());
                    let (name, attributes) = tag.split_at(name_length);
                    let name = local(name);
                    return Some(if empty {
                        Token::Empty { name, attributes }
                    } else {
                        Token::Open { name, attributes }
                    });
                }
                _ => {
                    let length = memchr(b'<', rest).unwrap_or(rest.len());
                    self.at += length;
                    if !rest[..length].trim_ascii().is_empty() {
                        return Some(Token::Text(&rest[..length]));
                    }
                }
            }
        }
    }
}

/// Offset of the `>` that ends a tag, quotes respected.
#[inline]
fn tag_end(text: &[u8]) -> Option<usize> {
    let mut quote = 0u8;
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            b'>' if quote == 0 => return Some(at),
            b'"' | b'\'' if quote == 0 => quote = byte,
            _ if byte == quote => quote = 0,
            _ => {}
        }
    }
    None
}

#[inline]
fn local(name: &[u8]) -> &[u8] {
    match memchr(b':', name) {
        Some(at) => &name[at + 1..],
        None => name,
    }
}

/// The attributes of a tag: name, and value between its quotes with entities not resolved.
#[inline]
pub fn attributes(text: &[u8]) -> Attributes<'_> {
    Attributes { text }
}

/// See [`attributes`].
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    text: &'a [u8],
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a [u8], &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let text = self.text.trim_ascii_start();
        let equals = memchr(b'=', text)?;
        let value = text[equals + 1..].trim_ascii_start();
        let (&quote @ (b'"' | b'\''), value) = value.split_first()? else { return None };
        let length = memchr(quote, value)?;
        self.text = &value[length + 1..];
        Some((text[..equals].trim_ascii(), &value[..length]))
    }
}

/// The value of one attribute.
#[inline]
pub fn attribute<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    attributes(text).find(|(found, _)| *found == name).map(|(_, value)| value)
}

/// Hands a text to `use_it` with the five predefined entities and numeric ones resolved. Copied only if there is one.
#[inline]
pub fn with_text<R>(raw: &[u8], use_it: impl FnOnce(&[u8]) -> R) -> R {
    match memchr(b'&', raw) {
        None => use_it(raw),
        Some(_) => with_buffer(|text| {
            resolve(raw, text);
            use_it(text)
        }),
    }
}

/// A text with entities resolved; an unknown one stays as it is.
#[cold]
fn resolve(raw: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while at < raw.len() {
        if raw[at] == b'&'
            // 10 bytes hold every entity that is known: `&#x10FFFF;`
            && let Some(length) = raw[at..raw.len().min(at + 11)].iter().position(|&b| b == b';')
            && let Some(letter) = entity(&raw[at + 1..at + length])
        {
            out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            at += length + 1;
        } else {
            out.push(raw[at]);
            at += 1;
        }
    }
}

fn entity(name: &[u8]) -> Option<char> {
    Some(match name {
        b"lt" => '<',
        b"gt" => '>',
        b"amp" => '&',
        b"quot" => '"',
        b"apos" => '\'',
        [b'#', b'x' | b'X', digits @ ..] => char::from_u32(u32::try_from(super::text::hexadecimal(digits)?).ok()?)?,
        [b'#', digits @ ..] => char::from_u32(u32::try_from(super::text::decimal(digits)?).ok()?)?,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tags_attributes_and_text_come_in_order() {
        let text = br#"<?xml version="1.0"?><e:Event xmlns='x'><!-- c --><Data Name="A">x &amp; y</Data> <B c='>'/><![CDATA[<raw>]]></e:Event>"#;
        let tokens: Vec<Token<'_>> = Reader::new(text).collect();
        assert_eq!(
            tokens,
            [
                Token::Open { name: b"Event", attributes: b" xmlns='x'" },
                Token::Open { name: b"Data", attributes: b" Name=\"A\"" },
                Token::Text(b"x &amp; y"),
                Token::Close { name: b"Data" },
                Token::Empty { name: b"B", attributes: b" c='>'" },
                Token::Literal(b"<raw>"),
                Token::Close { name: b"Event" },
            ]
        );
        assert_eq!(attribute(b" a='1' Name=\"A b\"", b"Name"), Some(&b"A b"[..]));
    }

    #[test]
    fn entities_are_resolved_and_unknown_ones_stay() {
        with_text(b"a &lt;&#65;&#x42;&bogus; &", |text| assert_eq!(text, b"a <AB&bogus; &"));
    }

    #[test]
    fn a_document_that_is_cut_off_says_so() {
        let mut reader = Reader::new(b"<a><b c='d");
        assert_eq!(reader.by_ref().count(), 1);
        assert!(reader.is_cut_off());
    }

    proptest! {
        #[test]
        fn it_always_ends(text in "[<>/!a\\[\\]='\"&;? -]{0,60}") {
            prop_assert!(Reader::new(text.as_bytes()).count() <= text.len());
            prop_assert!(attributes(text.as_bytes()).count() <= text.len());
            with_text(text.as_bytes(), |_| ());
        }
    }
}
