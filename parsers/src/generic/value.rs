//! A value as it stands in a line of a format without a vendor: its bytes, and how their escapes are resolved.
//!
//! Resolved only when a column takes it, for most values have none and many are never taken.

use crate::lex::buffer::with_buffer;
use crate::lex::text::is_absent;
use crate::lex::{cef, csv, json, kv};

/// How the escapes of a value are resolved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Escapes {
    /// It has none.
    #[default]
    None,
    /// Those of JSON.
    Json,
    /// Those of CEF.
    Cef,
    /// A quote is doubled.
    Doubled,
    /// Quotes and backslashes stand behind a backslash.
    Quoted,
}

/// A value as it stands in the line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Value<'a> {
    /// Its bytes, escapes not resolved.
    pub raw: &'a [u8],
    /// How they are.
    pub escapes: Escapes,
}

impl<'a> Value<'a> {
    /// A value without escapes.
    #[inline]
    pub fn plain(raw: &'a [u8]) -> Value<'a> {
        Value { raw, escapes: Escapes::None }
    }

    /// A scalar of JSON; containers and `null` are empty. JSON writers turn counters into floats: `443.0` is 443.
    #[inline]
    pub fn json(value: json::Value<'a>) -> Value<'a> {
        match value {
            json::Value::Text(text) if text.escaped => Value { raw: text.raw, escapes: Escapes::Json },
            json::Value::Number(number) => Value::plain(number.strip_suffix(b".0").unwrap_or(number)),
            other => Value::plain(other.scalar()),
        }
    }

    /// Hands the text itself to `use_it`.
    #[inline]
    pub fn with<R>(self, use_it: impl FnOnce(&[u8]) -> R) -> R {
        match self.escapes {
            Escapes::None => use_it(self.raw),
            Escapes::Json => json::Text { raw: self.raw, escaped: true }.with(use_it),
            Escapes::Cef => cef::with(self.raw, use_it),
            Escapes::Doubled | Escapes::Quoted => with_buffer(|text| {
                match self.escapes {
                    Escapes::Doubled => csv::undouble(self.raw, text),
                    _ => kv::unescape(self.raw, text),
                }
                use_it(text)
            }),
        }
    }

    /// Whether it says nothing.
    #[inline]
    pub fn is_absent(self) -> bool {
        is_absent(self.raw)
    }
}
