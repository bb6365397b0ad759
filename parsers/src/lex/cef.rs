//! Extensions of CEF: `key=value` where values hold blanks and no quotes.
//!
//! A value ends where a blank, a key and `=` follow; `\=`, `\\`, `\n` are escapes. Vendors forget to escape, so a word
//! before `=` counts as a key only if it looks like one. Source: ArcSight, Common Event Format, "Extension".

use memchr::memchr;

use super::buffer::with_buffer;

/// Longest key: ArcSight's own are below 40 bytes, vendors' with their prefixes below 60.
const KEY_MAX: usize = 63;

/// One pair of an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair<'a> {
    /// Offset of the key's first byte in the text that was given.
    pub offset: usize,
    /// The key.
    pub key: &'a [u8],
    /// The value, trimmed; escapes not resolved.
    pub value: &'a [u8],
    /// Whether a backslash stands in the value.
    pub escaped: bool,
}

/// The pairs of an extension, from left to right.
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    text: &'a [u8],
    /// Where the next key begins; the text's end if there is none.
    at: usize,
}

/// The pairs of `text`. What stands before the first key is skipped.
pub fn pairs(text: &[u8]) -> Pairs<'_> {
    let at = match key_at(text, 0) {
        Some(_) => 0,
        None => next_key(text, 0),
    };
    Pairs { text, at }
}

/// The vendor's seven header fields between `|`, and the extension. The `CEF:` in front may be lost on the way.
/// `None` if there are fewer bars. `\|` in a field does not end it.
pub fn header(text: &[u8]) -> Option<([&[u8]; 7], &[u8])> {
    let mut fields = [&b""[..]; 7];
    let mut at = 0;
    for field in &mut fields {
        let begin = at;
        loop {
            at += memchr(b'|', text.get(at..)?)?;
            if at == begin || text[at - 1] != b'\\' {
                break;
            }
            at += 1;
        }
        *field = &text[begin..at];
        at += 1;
    }
    Some((fields, &text[at..]))
}

/// Custom fields: `cs1` and its label in `cs1Label`, in any order. The label is the key that the vendor means.
#[derive(Clone, Copy, Debug, Default)]
pub struct Customs<'a>([(&'a [u8], &'a [u8]); 16]);

impl<'a> Customs<'a> {
    /// Keeps a pair that is the value or the label of a custom field, the first of each. `false` if it is of none.
    pub fn take(&mut self, pair: &Pair<'a>) -> bool {
        let base = pair.key.strip_suffix(b"Label");
        let at = match base.unwrap_or(pair.key) {
            [b'c', b's', digit @ b'1'..=b'6'] => usize::from(digit - b'1'),
            [b'c', b'n', digit @ b'1'..=b'4'] => 6 + usize::from(digit - b'1'),
            [b'c', b'6', b'a', digit @ b'1'..=b'4'] => 10 + usize::from(digit - b'1'),
            [b'f', b'l', b'e', b'x', b'S', b't', b'r', b'i', b'n', b'g', digit @ b'1'..=b'2'] => {
                14 + usize::from(digit - b'1')
            }
            _ => return false,
        };
        let (value, label) = &mut self.0[at];
        let place = if base.is_some() { label } else { value };
        if place.is_empty() {
            *place = pair.value;
        }
        true
    }

    /// Label and value of those that have a label.
    pub fn labelled(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.0.into_iter().filter(|(_, label)| !label.is_empty()).map(|(value, label)| (label, value))
    }
}

/// Resolves the escapes of `value`, byte by byte into `push`. An unknown one keeps its backslash.
fn resolve(value: &[u8], mut push: impl FnMut(u8)) {
    let mut bytes = value.iter();
    while let Some(&byte) = bytes.next() {
        match (byte, bytes.as_slice().first()) {
            (b'\\', Some(&next @ (b'=' | b'\\' | b'|'))) => {
                push(next);
                bytes.next();
            }
            (b'\\', Some(b'n' | b'r')) => {
                push(b'\n');
                bytes.next();
            }
            _ => push(byte),
        }
    }
}

/// Hands `value` with its escapes resolved to `use_it`.
pub fn with<R>(value: &[u8], use_it: impl FnOnce(&[u8]) -> R) -> R {
    if memchr(b'\\', value).is_none() {
        return use_it(value);
    }
    with_buffer(|buffer| {
        resolve(value, |byte| buffer.push(byte));
        use_it(buffer)
    })
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Pair<'a>> {
        let begin = self.at;
        let equals = key_at(self.text, begin)?;
        let next = next_key(self.text, equals + 1);
        self.at = next;
        let value = self.text[equals + 1..next].trim_ascii();
        let key = &self.text[begin..equals];
        Some(Pair { offset: begin, key, value, escaped: memchr(b'\\', value).is_some() })
    }
}

/// Where the `=` of the key that begins at `at` stands. `None` if no key begins there.
fn key_at(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let length = rest
        .iter()
        .take(KEY_MAX + 1)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'[' | b']'))
        .count();
    (length > 0 && rest.get(length) == Some(&b'=')).then_some(at + length)
}

/// Where the next key after a blank begins, from `from` on.
fn next_key(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(length) = text.get(at..).and_then(|rest| memchr(b' ', rest)) {
        at += length + 1;
        if key_at(text, at).is_some() {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: &[(&str, &str)]) {
        let found: Vec<_> = pairs(text.as_bytes())
            .map(|pair| {
                assert_eq!(&text.as_bytes()[pair.offset..pair.offset + pair.key.len()], pair.key);
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                (text(pair.key), text(pair.value))
            })
            .collect();
        let want: Vec<_> = want.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        assert_eq!(found, want, "{text}");
    }

    #[test]
    fn values_hold_blanks_and_end_before_the_next_key() {
        check("src=192.0.2.1 msg=two words act=deny", &[("src", "192.0.2.1"), ("msg", "two words"), ("act", "deny")]);
        check("msg=a = b c=d", &[("msg", "a = b"), ("c", "d")]);
        check(r"url=http://x/?a\=1 b=2", &[("url", r"http://x/?a\=1"), ("b", "2")]);
        check("stray a=1 b=", &[("a", "1"), ("b", "")]);
        check("", &[]);
    }

    #[test]
    fn the_header_has_seven_fields() {
        let (fields, extension) = header(br"CEF:0|V|P|1|42|a \| b|5|src=192.0.2.1").expect("a header");
        assert_eq!(fields[5], br"a \| b");
        assert_eq!(extension, b"src=192.0.2.1");
        assert_eq!(header(b"CEF:0|V|P|1|42|a|5"), None);
        assert_eq!(header(b""), None);
    }

    #[test]
    fn a_custom_field_goes_by_its_label() {
        let mut customs = Customs::default();
        let text = b"cn1Label=Depth cs2=one cn1=3 cs2Label=Name cs3=unlabelled cs2=two c6a4=::1 flexString2Label=Note dst=192.0.2.1";
        let others: Vec<_> = pairs(text).filter(|pair| !customs.take(pair)).map(|pair| pair.key).collect();
        assert_eq!(others, [b"dst"]);
        let found: Vec<_> = customs.labelled().collect();
        assert_eq!(found, [(&b"Name"[..], &b"one"[..]), (b"Depth", b"3"), (b"Note", b"")]);
    }

    #[test]
    fn escapes_are_resolved() {
        with(br"a\=b\\c\nd\x", |text| assert_eq!(text, b"a=b\\c\nd\\x"));
        let long = [&b"\\="[..], &b"x".repeat(600)].concat();
        with(&long, |text| assert_eq!(text, &[b"=", &b"x".repeat(600)[..]].concat()[..]));
    }

    proptest::proptest! {
        #[test]
        fn it_ends_and_gives_no_more_pairs_than_bytes(text in "[a= \\\\|]{0,80}") {
            proptest::prop_assert!(pairs(text.as_bytes()).count() <= text.len());
            let _ = header(text.as_bytes());
        }
    }
}
