//! The forms that no other vendor has: pairs with colons and semicolons, pairs between bars, quoted columns, and the times in them.

use crate::lex::text::{Cursor, split_once};
use crate::lex::time::{self, Stamp, TimeContext};

/// Longest key; they hold blanks (`TCP packet out of state`).
const KEY_MAX: usize = 64;

/// Whether a text begins with `key:"`.
pub(super) fn opens(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let length = text.iter().take(KEY_MAX).take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    length > 0 && (text[length..].starts_with(b":\"") || text[length..].starts_with(b"::\""))
}

/// Pairs `key:"value"` and `key: value` between semicolons.
pub(super) fn semicolons(text: &[u8]) -> Semicolons<'_> {
    Semicolons { text, at: 0, closed: true }
}

pub(super) struct Semicolons<'a> {
    text: &'a [u8],
    at: usize,
    /// Whether every quote closed that opened.
    pub(super) closed: bool,
}

impl<'a> Iterator for Semicolons<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.text;
        loop {
            while self.at < text.len() && matches!(text[self.at], b' ' | b';' | b']') {
                self.at += 1;
            }
            let start = self.at;
            let colon = text[start..].iter().take(KEY_MAX).position(|b| matches!(b, b':' | b';'));
            match colon {
                Some(length) if text[start + length] == b':' && length > 0 => {
                    let key = text[start..start + length].trim_ascii();
                    let mut from = start + length + 1;
                    // `key::"value"`
                    while from < text.len() && matches!(text[from], b':' | b' ') {
                        from += 1;
                    }
                    return Some((key, self.value(from)));
                }
                _ if start >= text.len() => return None,
                // no key: on to the next semicolon
                _ => self.at = memchr::memchr(b';', &text[start..]).map_or(text.len(), |length| start + length + 1),
            }
        }
    }
}

impl<'a> Semicolons<'a> {
    /// The value at `from`: in quotes up to the next quote without a backslash before it, else up to a semicolon.
    fn value(&mut self, from: usize) -> &'a [u8] {
        let text = self.text;
        if text.get(from) != Some(&b'"') {
            self.at = memchr::memchr(b';', &text[from..]).map_or(text.len(), |length| from + length);
            return text[from..self.at].trim_ascii();
        }
        let begin = from + 1;
        let mut at = begin;
        while let Some(length) = memchr::memchr2(b'"', b'\\', &text[at..]) {
            at += length;
            if text[at] == b'"' {
                self.at = at + 1;
                return &text[begin..at];
            }
            at = (at + 2).min(text.len());
        }
        self.at = text.len();
        self.closed = false;
        &text[begin..]
    }
}

/// Pairs `key=value` between bars.
pub(super) fn bars(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    text.split(|b| *b == b'|')
        .filter_map(|part| split_once(part, b'='))
        .map(|(name, value)| (name.trim_ascii(), crate::lex::text::unquote(value.trim_ascii())))
}

/// `[D]DMmmYYYY[ hh:mm:ss]`, a date as the old tools write it, and a clock that may stand apart.
fn old_date(date: &[u8], clock: &[u8]) -> Option<Stamp> {
    let digits = date.iter().take(2).take_while(|b| b.is_ascii_digit()).count();
    let (day, rest) = date.split_at(digits);
    let (month, year) = (rest.get(..3)?, rest.get(3..7)?);
    if day.is_empty() || clock.len() < 8 || clock.len() > 15 {
        return None;
    }
    let mut text = [b' '; 32];
    let mut end = 0;
    for part in [month, b" ", day, b" ", year, b" ", clock] {
        text.get_mut(end..end + part.len())?.copy_from_slice(part);
        end += part.len();
    }
    let (stamp, length) = time::bsd(&text[..end])?;
    (length == end).then_some(stamp)
}

/// A time in any of the forms: seconds or milliseconds since 1970, ISO, `5Jan2026 10:00:00`.
pub(super) fn time(text: &[u8], context: &TimeContext) -> Option<i64> {
    if let Some((date, clock)) = split_once(text, b' ')
        && let Some(stamp) = old_date(date, clock.trim_ascii())
    {
        return context.resolve(&stamp);
    }
    time::epoch(text).or_else(|| context.iso(text))
}

/// The name in a certificate's subject, `CN=gw1,O=…`, whatever became of the `=`. A management server's is the same everywhere.
pub(super) fn common_name(subject: &[u8]) -> Option<&[u8]> {
    let rest = match subject {
        [b'C' | b'c', b'N' | b'n', rest @ ..] => rest,
        _ => return None,
    };
    let at = rest.iter().position(|b| !matches!(b, b'\\' | b'=' | b' '))?;
    let name = rest[at..].split(|b| *b == b',').next()?;
    (at > 0 && !name.is_empty() && name != b"cp_mgmt").then_some(name)
}

/// A line of `fw log`: its own words, then pairs.
pub(super) struct Legacy<'a> {
    pub(super) stamp: Option<Stamp>,
    pub(super) action: &'a [u8],
    pub(super) origin: &'a [u8],
    pub(super) interface: &'a [u8],
    pub(super) inbound: bool,
    pub(super) pairs: &'a [u8],
}

/// `[5Jan2026 ]10:00:00 [numbers] ACTION ORIGIN {>|<}IF key: value; key: value`.
pub(super) fn legacy(text: &[u8]) -> Option<Legacy<'_>> {
    // a clock or a day and a month: a look at two bytes spares all other lines the search
    let dated = matches!(
        text,
        [_, _, b':', _, _, b':', ..] | [_, b'A'..=b'S', b'a'..=b'u', ..] | [_, _, b'A'..=b'S', b'a'..=b'u', ..]
    );
    if !dated {
        return None;
    }
    let head = &text[..text.len().min(160)];
    let at = head.windows(2).position(|pair| matches!(pair, [b' ', b'>' | b'<']))?;
    let mut words = Cursor::new(&head[..at]);
    let first = words.word();
    let (date, clock) = if first.contains(&b':') { (&b""[..], first) } else { (first, words.word()) };
    if clock.len() != 8 || clock[2] != b':' || clock[5] != b':' {
        return None;
    }
    let (mut action, mut origin) = (&b""[..], &b""[..]);
    while !words.is_done() {
        (action, origin) = (origin, words.word());
    }
    if action.is_empty() || !action.iter().all(u8::is_ascii_alphabetic) {
        return None;
    }
    let mut rest = Cursor::new(&text[at + 2..]);
    rest.skip_blanks();
    let interface = rest.word();
    Some(Legacy {
        stamp: old_date(date, clock),
        action,
        origin,
        interface,
        inbound: text[at + 1] == b'>',
        pairs: rest.rest(),
    })
}

/// Columns of the log viewer's export, by place.
const COLUMNS: [&[u8]; 20] = [
    b"number",
    b"",
    b"",
    b"ifname",
    b"origin",
    b"type",
    b"action",
    b"service",
    b"s_port",
    b"src",
    b"dst",
    b"proto",
    b"rule",
    b"rule_name",
    b"current_rule",
    b"user",
    b"",
    b"product",
    b"",
    b"",
];

/// A row of that export.
pub(super) struct Columns<'a> {
    pub(super) stamp: Option<Stamp>,
    pub(super) information: &'a [u8],
    values: [&'a [u8]; COLUMNS.len()],
}

impl<'a> Columns<'a> {
    /// The columns that are keys elsewhere.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&'static [u8], &'a [u8])> + use<'_, 'a> {
        COLUMNS.iter().zip(self.values).filter(|(name, _)| !name.is_empty()).map(|(name, value)| (*name, value))
    }
}

/// `"number" "date" "time" "interface" …`. `None` if date and time are not where they belong.
pub(super) fn columns(text: &[u8]) -> Option<Columns<'_>> {
    let mut values = [&b""[..]; COLUMNS.len()];
    let mut cursor = Cursor::new(text);
    let mut count = 0;
    for value in &mut values {
        if cursor.expect(b"\"").is_none() {
            break;
        }
        *value = cursor.until(b'"')?;
        cursor.skip_blanks();
        count += 1;
        // the third is the time: what has none is something else, and most quoted lines are
        if count == 3 {
            old_date(values_at(text, 1)?, value)?;
        }
    }
    if count < 17 {
        return None;
    }
    Some(Columns { stamp: old_date(values[1], values[2]), information: values[16], values })
}

/// The quoted column of that number.
fn values_at(text: &[u8], wanted: usize) -> Option<&[u8]> {
    text.split(|b| *b == b'"').nth(wanted * 2 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, want: &[(&str, &str)]) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let found: Vec<_> = semicolons(input.as_bytes()).map(|(key, value)| (text(key), text(value))).collect();
        let want: Vec<_> = want.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        assert_eq!(found, want, "{input}");
    }

    #[test]
    fn pairs_end_at_their_quote_or_semicolon() {
        check(r#"a:"1"; b::"x; y \"z\" \]"; c:"" ]"#, &[("a", "1"), ("b", r#"x; y \"z\" \]"#), ("c", "")]);
        check(
            "src: 10.0.0.1; TCP packet out of state: First packet; rule: 5",
            &[("src", "10.0.0.1"), ("TCP packet out of state", "First packet"), ("rule", "5")],
        );
        check("stray; a:\"1\"", &[("a", "1")]);
        check("", &[]);
    }

    #[test]
    fn old_dates_are_read() {
        let context = TimeContext::utc(0);
        for text in ["5Jan2026 10:00:00", "05Jan2026 10:00:00", "1767607200", "1767607200000", "2026-01-05T10:00:00Z"] {
            assert_eq!(time(text.as_bytes(), &context), Some(1_767_607_200_000_000), "{text}");
        }
        assert_eq!(time(b"yesterday", &context), None);
    }

    #[test]
    fn a_certificate_names_its_gateway() {
        assert_eq!(common_name(br"CN\=gw1,O\=mgmt"), Some(&b"gw1"[..]));
        assert_eq!(common_name(b"CN=gw1,O=mgmt"), Some(&b"gw1"[..]));
        assert_eq!(common_name(b"cn=cp_mgmt,o=x"), None);
    }

    proptest::proptest! {
        #[test]
        fn it_ends_and_gives_no_more_pairs_than_bytes(text in "[a:; \"\\\\\\]]{0,80}") {
            proptest::prop_assert!(semicolons(text.as_bytes()).count() <= text.len());
        }
    }
}
