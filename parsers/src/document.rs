//! A JSON record read by a table of paths: what most families whose vendor writes objects have in common.
//!
//! One pass over the record. A constant table says for every dotted path what becomes of it: a field, a note from which the
//! family concludes once the object has ended (nothing promises an order of members), an extra, or nothing. Whatever is not
//! in the table stays as an extra under its own path, so that no vendor's new member is lost.
//!
//! Vendors write "nothing" in many ways and numbers as texts or floats; that is settled here, once. A value that is damaged
//! is refused with its place; one that is sound but no fact of ours (a counter below zero, a name where an address is
//! expected) stays as an extra.

use schemas::{Field, FieldKind, FieldType, Ip, Key, RejectKind, Row, Span, key};

use crate::lex::json::{self, Extent, Value};
use crate::lex::keys::KeyMap;
use crate::lex::text::{decimal, file_name, is_absent};
use crate::{Record, Refusal, set_time};

/// What becomes of a path; `N` lists the members that a family concludes from.
#[derive(Clone, Copy)]
pub enum Put<N> {
    /// Into a field, by its type, unless an earlier member has set it.
    Field(Field),
    /// An address: the first value that is one.
    Address(Key<Ip>),
    /// Kept for the conclusions.
    Note(N),
    /// Into the extras, under its path.
    Extra,
    /// Into the extras if it is `true`.
    IfTrue,
    /// Nothing.
    Leave,
}

/// A family's table of paths. Of each its own text, too, since a member's name in the record may be written with escapes.
pub type Paths<N, const SLOTS: usize> = KeyMap<(Put<N>, &'static str), SLOTS>;

/// Writes a table: `paths! { "actor.id" Field(Field::UserId), "version" Leave }`.
macro_rules! paths {
    ($($path:literal $put:ident $(($what:expr))?),+ $(,)?) => {
        $crate::document::Paths::new(&[$(($path, ($crate::document::Put::$put $(($what))?, $path))),+])
    };
}
pub(crate) use paths;

/// Defines the enum `Note` of the members that a family concludes from, and their number.
macro_rules! notes {
    ($($name:ident),+ $(,)?) => {
        /// Members that are concluded from.
        #[derive(Clone, Copy)]
        pub(super) enum Note { $($name),+ }
        pub(super) const NOTES: usize = [$(Note::$name),+].len();
        impl From<Note> for usize {
            #[inline]
            fn from(note: Note) -> usize {
                note as usize
            }
        }
    };
}
pub(crate) use notes;

/// The notes of one record, a slot each.
pub struct Notes<'a, const N: usize>([Value<'a>; N]);

impl<const N: usize> Default for Notes<'_, N> {
    fn default() -> Self {
        Notes([Value::Null; N])
    }
}

impl<'a, const N: usize> Notes<'a, N> {
    /// Keeps a value; the first that says something stays.
    #[inline]
    pub fn take(&mut self, note: impl Into<usize>, value: Value<'a>) {
        let slot = &mut self.0[note.into()];
        if is_blank(slot.scalar()) {
            *slot = value;
        }
    }

    /// The value; `null` if the record has none, or only a word for nothing.
    #[inline]
    pub fn value(&self, note: impl Into<usize>) -> Value<'a> {
        let value = self.0[note.into()];
        if is_blank(value.scalar()) { Value::Null } else { value }
    }

    /// Its bytes as they stand in the record: right for numbers, addresses and codes, which need no escapes. Empty if the
    /// record says nothing.
    #[inline]
    pub fn raw(&self, note: impl Into<usize>) -> &'a [u8] {
        self.value(note).scalar()
    }

    /// Whether the record says something there.
    #[inline]
    pub fn has(&self, note: impl Into<usize>) -> bool {
        !self.raw(note).is_empty()
    }

    /// The first of several that says something.
    pub fn first(&self, notes: impl IntoIterator<Item = impl Into<usize>>) -> Value<'a> {
        notes.into_iter().map(|note| self.value(note)).find(|value| *value != Value::Null).unwrap_or(Value::Null)
    }

    /// A whole number, as a number or as text.
    pub fn number(&self, note: impl Into<usize>) -> Option<u64> {
        decimal(whole(self.value(note))).filter(|number| *number <= i64::MAX as u64)
    }

    /// A port.
    pub fn port(&self, note: impl Into<usize>) -> Option<u16> {
        schemas::parse_port(whole(self.value(note)))
    }
}

/// Reads a record: fields and extras go to the row at once, notes to `note`. Members under a prefix of `left` that the
/// table does not name are not kept.
///
/// # Errors
/// What is no JSON, an object that never closes, a value that is none of its field's type.
#[inline]
pub fn read<'a, N: Copy, const SLOTS: usize>(
    record: &Record<'a>,
    row: &mut Row<'_>,
    paths: &Paths<N, SLOTS>,
    left: &[&[u8]],
    mut note: impl FnMut(N, Value<'a>, &mut Row<'_>),
) -> Result<(), Refusal> {
    let find = |path: &[u8]| match paths.get(path) {
        None if left.iter().any(|prefix| path.starts_with(prefix)) => Some((Put::Leave, "")),
        found => found,
    };
    read_by(record, row, find, |what, _, value, row| note(what, value, row))
}

/// The same with a look-up of the family's own, for vendors who write one member under several names. What `find` does not
/// know becomes an extra; `note` is told the path, too.
///
/// # Errors
/// See [`read`].
pub fn read_by<'a, N: Copy>(
    record: &Record<'a>,
    row: &mut Row<'_>,
    find: impl Fn(&[u8]) -> Option<(Put<N>, &'static str)>,
    mut note: impl FnMut(N, &[u8], Value<'a>, &mut Row<'_>),
) -> Result<(), Refusal> {
    let extent = json::walk(record.body, |path, value| {
        let Some((put, name)) = find(path) else {
            if !is_blank(value.scalar()) {
                value.with(|text| row.extra(path, text));
            }
            return Ok(());
        };
        match put {
            Put::Note(what) => note(what, path, value, row),
            Put::Field(field) => return set(record, row, field, value),
            Put::Address(key) => return address(record, row, key, name, value),
            Put::Extra => extra(row, name, value),
            Put::IfTrue => {
                if value.scalar().eq_ignore_ascii_case(b"true") {
                    row.extra_fixed(name, b"true");
                }
            }
            Put::Leave => {}
        }
        Ok::<(), Refusal>(())
    })?;
    match extent {
        Extent::Whole(_) => Ok(()),
        Extent::Truncated => {
            Err(Refusal { at: record.body.len(), kind: RejectKind::Unclosed { what: "the JSON object" } })
        }
    }
}

/// Sets a field from a value, by the field's type, unless it is set.
///
/// # Errors
/// A value that is none of the field's type. A counter that is a negative number or a fraction becomes an extra.
#[inline]
pub fn set(record: &Record<'_>, row: &mut Row<'_>, field: Field, value: Value<'_>) -> Result<(), Refusal> {
    let text = whole(value);
    if is_blank(text) || row.has(field) {
        return Ok(());
    }
    if field.field_type() == FieldType::Long && matches!(value, Value::Number(_)) {
        if !row.put_if(field, text) {
            row.extra_fixed(field.name(), text);
        }
        return Ok(());
    }
    let result = match value {
        Value::Text(text) => text.with(|text| row.put(field, text)),
        _ => row.put(field, text),
    };
    result.map_err(|kind| record.refuse(value.scalar(), kind))
}

/// Sets an address from a value, unless it is set.
///
/// # Errors
/// A text of digits and dots, or of hexadecimal digits and colons, that is no address. Any other word becomes an extra of
/// that name: some vendors write a name there.
pub fn address(
    record: &Record<'_>,
    row: &mut Row<'_>,
    key: Key<Ip>,
    name: &'static str,
    value: Value<'_>,
) -> Result<(), Refusal> {
    let text = value.scalar();
    if is_blank(text) || row.has(key.field) {
        return Ok(());
    }
    match Ip::parse(text) {
        Some(ip) => row.set(key, ip),
        None if is_like_an_address(text) => {
            let kind = RejectKind::bad_value(name, text, "an IPv4 or IPv6 address");
            return Err(record.refuse(text, kind));
        }
        None => extra(row, name, value),
    }
    Ok(())
}

/// Sets the event time from a value.
///
/// # Errors
/// A text that is no time.
pub fn time(record: &Record<'_>, row: &mut Row<'_>, name: &'static str, value: Value<'_>) -> Result<(), Refusal> {
    let text = value.scalar();
    if is_blank(text) {
        return Ok(());
    }
    match value.with(|text| record.time.any(text)) {
        Some(us) => {
            set_time(row, us);
            Ok(())
        }
        None => {
            let expected = "an RFC 3339 time, or a count since 1970";
            Err(record.refuse(text, RejectKind::bad_value(name, text, expected)))
        }
    }
}

/// Sets a text, unless the record says nothing there.
#[inline]
pub fn text<K: FieldKind<Stored = Span, Value = Span>>(row: &mut Row<'_>, key: Key<K>, value: Value<'_>) {
    if !is_blank(value.scalar()) {
        value.with(|text| row.text(key, text));
    }
}

/// Keeps an extra, unless the record says nothing there.
#[inline]
pub fn extra(row: &mut Row<'_>, name: &'static str, value: Value<'_>) {
    if !is_blank(value.scalar()) {
        value.with(|text| row.extra_fixed(name, text));
    }
}

/// Sets the user, and the domain of `DOMAIN\name`, unless a user is set.
pub fn account(row: &mut Row<'_>, value: Value<'_>) {
    if !is_blank(value.scalar()) && !row.has(Field::User) {
        value.with(|text| crate::windows::account_text(row, text));
    }
}

/// Sets path and name of the process.
pub fn program(row: &mut Row<'_>, value: Value<'_>) {
    if !is_blank(value.scalar()) {
        value.with(|path| {
            row.text(key::PROCESS_PATH, path);
            row.text(key::PROCESS_NAME, file_name(path));
        });
    }
}

/// A number without the `.0` that some JSON writers put behind whole ones; of anything else its bytes.
#[inline]
pub fn whole(value: Value<'_>) -> &[u8] {
    let text = value.scalar();
    match value {
        Value::Number(_) => text.strip_suffix(b".0").unwrap_or(text),
        _ => text,
    }
}

/// What vendors of JSON write for nothing.
#[inline]
pub fn is_blank(text: &[u8]) -> bool {
    is_absent(text) || text == b"<null>"
}

fn is_like_an_address(text: &[u8]) -> bool {
    let dotted = text.contains(&b'.') && text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    let colons =
        text.contains(&b':') && text.iter().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'));
    dotted || colons
}
