//! JSON objects of a known shape, written member by member straight into a buffer.
//!
//! For documents such as alerts, whose members are named in code. A tree of values would first allocate what is then
//! written once and dropped, and would let a derive on a Rust type decide a format that others read.

use crate::write;

/// The inside of an object that is being written.
pub struct Object<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

/// Appends an object whose members `fill` writes.
pub fn object(out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
    out.push(b'{');
    fill(&mut Object { out, empty: true });
    out.push(b'}');
}

/// Appends an array of what `each` writes for every item.
pub fn array<T>(out: &mut Vec<u8>, items: impl IntoIterator<Item = T>, mut each: impl FnMut(&mut Vec<u8>, T)) {
    out.push(b'[');
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        each(out, item);
    }
    out.push(b']');
}

impl Object<'_> {
    /// Begins a member; the caller appends exactly one JSON value.
    pub fn member(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        write::json_string(name.as_bytes(), self.out);
        self.out.push(b':');
        self.out
    }

    /// A text.
    pub fn text(&mut self, name: &str, text: impl AsRef<[u8]>) {
        write::json_string(text.as_ref(), self.member(name));
    }

    /// A text, left out where it is empty.
    pub fn text_if(&mut self, name: &str, text: impl AsRef<[u8]>) {
        if !text.as_ref().is_empty() {
            self.text(name, text);
        }
    }

    /// A whole number.
    pub fn number(&mut self, name: &str, number: impl Into<i64>) {
        write::signed(number.into(), self.member(name));
    }

    /// A counter.
    pub fn count(&mut self, name: &str, count: u64) {
        write::decimal(count, self.member(name));
    }

    /// A time of microseconds since 1970, as RFC 3339.
    pub fn time(&mut self, name: &str, us: i64) {
        let out = self.member(name);
        out.push(b'"');
        write::time(us, out);
        out.push(b'"');
    }

    /// True or false.
    pub fn flag(&mut self, name: &str, value: bool) {
        self.member(name).extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// An object.
    pub fn object(&mut self, name: &str, fill: impl FnOnce(&mut Object<'_>)) {
        object(self.member(name), fill);
    }

    /// An array of texts.
    pub fn texts<T: AsRef<[u8]>>(&mut self, name: &str, texts: impl IntoIterator<Item = T>) {
        array(self.member(name), texts, |out, text| write::json_string(text.as_ref(), out));
    }

    /// An array of texts, left out where there are none.
    pub fn texts_if<T: AsRef<[u8]>>(&mut self, name: &str, texts: impl IntoIterator<Item = T>) {
        let mut texts = texts.into_iter().peekable();
        if texts.peek().is_some() {
            self.texts(name, texts);
        }
    }

    /// An array of objects.
    pub fn objects<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut fill: impl FnMut(&mut Object<'_>, T),
    ) {
        array(self.member(name), items, |out, item| object(out, |inside| fill(inside, item)));
    }
}
