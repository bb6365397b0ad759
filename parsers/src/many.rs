//! Several records in one: arrays, objects one after the other, and objects that only wrap an array of records.
//!
//! Cloud exports and shippers put many records into one: `{"records":[…]}` of Azure, `{"Records":[…]}` of CloudTrail's files,
//! `{"logEvents":[…]}` of a CloudWatch subscription, `{"value":[…]}` and the like of query interfaces, `{…}{…}` of delivery
//! streams that forget the line feed, NDJSON in one message. They are found here and cut into records; the session sends each of
//! them its way, so that a refused one does not lose the others. A family whose own record has such a member (one that is
//! certain of the object) is asked first.
//!
//! What is wrapped is looked for in two ways, since every JSON line passes here: before any family is asked only as far as the
//! wrappers' own members go ([`Search::Beginning`]), and among all members once nobody else wants the object.

use memchr::memchr;

use crate::lex::json::{self, Step};
use crate::lex::keys::KeyMap;
use crate::lex::scan;

/// Longest beginning of an object by which another of the same writer is recognised.
const BEGINNING_MAX: usize = 32;

/// How far a wrapped array is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// Behind members that wrappers are known to have.
    Beginning,
    /// Among all members; an empty array is none then.
    Everywhere,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Holds the records.
    Records,
    /// The same, and no family's own record has such a member.
    OnlyRecords,
    /// What kind of message it is.
    MessageType,
    /// Stands beside them.
    Beside,
}

/// Members of wrappers. Sources: Azure Monitor's resource log schema; CloudTrail's log file format; CloudWatch Logs,
/// "subscription filters"; OData 4.01 (`value`); the query interfaces of Microsoft, Okta, Google and Elastic;
/// OpenTelemetry protocol (`resourceLogs` and what is below).
static ROLES: KeyMap<Role, 128> = KeyMap::new(&[
    ("records", Role::Records),
    ("Records", Role::Records),
    ("logEvents", Role::OnlyRecords),
    ("events", Role::Records),
    ("value", Role::Records),
    ("items", Role::Records),
    ("entries", Role::Records),
    ("results", Role::Records),
    ("Results", Role::Records),
    ("resourceLogs", Role::OnlyRecords),
    ("resource_logs", Role::OnlyRecords),
    ("scopeLogs", Role::OnlyRecords),
    ("scope_logs", Role::OnlyRecords),
    ("instrumentationLibraryLogs", Role::OnlyRecords),
    ("logRecords", Role::OnlyRecords),
    ("log_records", Role::OnlyRecords),
    ("resource", Role::Beside),
    ("scope", Role::Beside),
    ("instrumentationLibrary", Role::Beside),
    ("schemaUrl", Role::Beside),
    ("messageType", Role::MessageType),
    ("owner", Role::Beside),
    ("logGroup", Role::Beside),
    ("logStream", Role::Beside),
    ("subscriptionFilters", Role::Beside),
    ("@odata.context", Role::Beside),
    ("@odata.count", Role::Beside),
    ("@odata.nextLink", Role::Beside),
    ("nextPageToken", Role::Beside),
    ("nextToken", Role::Beside),
    ("kind", Role::Beside),
    ("etag", Role::Beside),
    ("count", Role::Beside),
    ("total", Role::Beside),
    ("Stats", Role::Beside),
    ("Schema", Role::Beside),
    ("invocationId", Role::Beside),
    ("applicationArn", Role::Beside),
]);

/// What an object wraps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrapped<'a> {
    /// From the array's bracket on (what follows it may follow here, too); empty for a message that only tests the connection.
    pub array: &'a [u8],
    /// Whether no family's own record has such an array.
    pub surely: bool,
}

/// The array that an object wraps. `None` if it wraps none.
pub fn wrapped(object: &[u8], search: Search) -> Option<Wrapped<'_>> {
    let (mut is_data, mut surely) = (true, false);
    let array = json::array_member(object, |key, value| match ROLES.get(key) {
        Some(role @ (Role::Records | Role::OnlyRecords)) if holds_records(value, search) => {
            surely = role == Role::OnlyRecords;
            Step::Take
        }
        Some(Role::MessageType) => {
            is_data &= !value.starts_with(b"\"CONTROL_MESSAGE\"");
            Step::Skip
        }
        Some(Role::Beside) => Step::Skip,
        _ if search == Search::Everywhere => Step::Skip,
        _ => Step::Stop,
    })?;
    Some(Wrapped { array: if is_data { array } else { &array[..0] }, surely })
}

/// Whether an array of objects or lines begins here.
fn holds_records(value: &[u8], search: Search) -> bool {
    let Some(inside) = value.strip_prefix(b"[") else { return false };
    match inside.trim_ascii_start().first() {
        Some(b'{' | b'"') => true,
        None | Some(b']') => search == Search::Beginning,
        Some(_) => false,
    }
}

/// Whether other objects follow the one that a body begins with. Exact where they follow at once or on a line of their own;
/// behind a comma or blanks they are seen if they begin with the same key, as objects of one writer do. A look at every
/// closing brace would cost each line of JSON a third of the time in which it is read.
pub fn is_sequence(body: &[u8]) -> bool {
    let start = beginning(body);
    // one search for all that an object can begin with; setting up one for each would cost more than the search
    let letter = start.and_then(|start| start.get(2));
    let begins = |at: usize| {
        body[at] == b'\n'
            || at > 0
                && (body[at - 1] == b'}'
                    || body.get(at + 2) == letter && start.is_some_and(|start| body[at..].starts_with(start)))
    };
    let may = scan::any2(body, b'{', b'\n', begins);
    may && json::end_of(body).is_some_and(|end| json::next_object(body, end).is_some())
}

/// An object up to the end of its first key.
fn beginning(body: &[u8]) -> Option<&[u8]> {
    let head = &body[..body.len().min(BEGINNING_MAX)];
    let opened = memchr(b'"', head)?;
    let closed = memchr(b'"', &head[opened + 1..])? + opened + 2;
    Some(&head[..closed])
}

/// Longest such line, blanks around it not counted.
pub const PUNCTUATION_MAX: usize = 4;

/// Whether a line is only the brackets and commas between the elements of an export that has each on a line of its own.
pub fn is_punctuation(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    line.len() <= PUNCTUATION_MAX
        && line.iter().all(|byte| matches!(byte, b'[' | b']' | b',' | b'}' | b' '))
        && line.iter().any(|byte| matches!(byte, b'[' | b']' | b','))
        && line != b"},"
}

/// Records inside one, left to right: the elements of an array, or objects one after the other.
pub struct Many<'a> {
    text: &'a [u8],
    at: usize,
    elements: Option<json::Elements<'a>>,
    /// Nothing more can be read.
    done: bool,
}

/// A piece of a record of many.
pub enum Piece<'a> {
    /// A record.
    One(json::Value<'a>, &'a [u8]),
    /// From here on it is no JSON; the offset and the error of where it ends to be.
    Broken(&'a [u8], json::Error),
    /// From here on it is cut off.
    CutOff(&'a [u8]),
}

impl<'a> Many<'a> {
    /// The elements of the array that `text` begins with, or the objects that follow each other in it.
    pub fn new(text: &'a [u8]) -> Many<'a> {
        Many { text, at: 0, elements: json::elements(text).ok(), done: text.is_empty() }
    }

    /// What has not been read yet.
    pub fn rest(&self) -> &'a [u8] {
        match &self.elements {
            Some(elements) => elements.rest(),
            None => &self.text[self.at..],
        }
    }
}

impl<'a> Iterator for Many<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        if self.done {
            return None;
        }
        if let Some(elements) = &mut self.elements {
            return match elements.next() {
                Some(Ok(value)) => Some(Piece::One(value, value.written())),
                Some(Err(error)) => {
                    self.done = true;
                    Some(Piece::Broken(&self.text[error.at.min(self.text.len())..], error))
                }
                None => {
                    self.done = true;
                    let rest = elements.rest();
                    let cut = elements.extent() == json::Extent::Truncated && !rest.trim_ascii().is_empty();
                    cut.then_some(Piece::CutOff(rest))
                }
            };
        }
        // What follows the last object, and is none, is left to lie as it is behind a single one.
        let Some(at) = json::next_object(self.text, self.at) else {
            self.done = true;
            return None;
        };
        let object = &self.text[at..];
        match json::end_of(object) {
            Some(length) => {
                self.at = at + length;
                Some(Piece::One(json::Value::Object(&object[..length]), &object[..length]))
            }
            None => {
                self.done = true;
                Some(Piece::CutOff(object))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapped_array_is_found_behind_what_wrappers_have_beside_it() {
        type Found = Option<&'static [u8]>;
        let cases: [(&[u8], Found, Found); 9] = [
            (br#"{"records":[{"a":1}]}"#, Some(br#"[{"a":1}]}"#), Some(br#"[{"a":1}]}"#)),
            (br#"{"owner":"1","logEvents":[ {}]}"#, Some(b"[ {}]}"), Some(b"[ {}]}")),
            (br#"{"status":"ok","value":[{}]}"#, None, Some(b"[{}]}")),
            (br#"{"messageType":"CONTROL_MESSAGE","logEvents":[{}]}"#, Some(b""), Some(b"")),
            (br#"{"messageType":"DATA_MESSAGE","logEvents":["x"]}"#, Some(br#"["x"]}"#), Some(br#"["x"]}"#)),
            (br#"{"records":["#, Some(b"["), None),
            (br#"{"value":[1,2]}"#, None, None),
            (br#"{"value":{"records":[]}}"#, None, None),
            (br#"{"records":"#, None, None),
        ];
        for (object, beginning, everywhere) in cases {
            let text = String::from_utf8_lossy(object);
            assert_eq!(wrapped(object, Search::Beginning).map(|found| found.array), beginning, "{text}");
            assert_eq!(wrapped(object, Search::Everywhere).map(|found| found.array), everywhere, "{text}");
        }
    }

    #[test]
    fn objects_that_follow_each_other_are_seen_and_those_inside_are_not() {
        for yes in [
            r#"{"a":1}{"b":2}"#,
            r#"{"a":1},{"a":2}"#,
            r#"{"a":1}, {"a":2}"#,
            r#"{"a":1} {"a":2}"#,
            "{\"a\":1}\n{\"b\":2}",
            r#"{"a":{"c":1}}{"b":"#,
        ] {
            assert!(is_sequence(yes.as_bytes()), "{yes}");
        }
        for no in [
            r#"{"a":[{"a":1},{"a":2}]}"#,
            r#"{"a":"}{"}"#,
            r#"{"a":1}"#,
            "{\"a\":1}\n",
            r#"{"a":1}, garbage {"#,
            "{",
            "{}",
            r#"{"a":"#,
        ] {
            assert!(!is_sequence(no.as_bytes()), "{no}");
        }
    }

    #[test]
    fn lines_of_brackets_alone_are_punctuation() {
        for yes in ["[", "]", " ],", ",", "]}", "[]", "},]"] {
            assert!(is_punctuation(yes.as_bytes()), "{yes}");
        }
        for no in ["", "{", "}", "},", "a", "[{", "[1]"] {
            assert!(!is_punctuation(no.as_bytes()), "{no}");
        }
    }
}
