//! A refused record as a document: what was wrong, where it lies, and the record itself.
//!
//! The record is kept exactly, so that it can be read again after a fix: as text, and in base64 beside it where the
//! text could not say it (bytes that are not UTF-8).

use std::sync::Arc;

use crate::object::object;
use crate::reject::Reject;

/// A refused record with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectRecord {
    /// Why it was refused.
    pub reject: Reject,
    /// Topic or file.
    pub source: Arc<str>,
    /// Partition of the topic; 0 for a file.
    pub partition: i32,
    /// Kafka offset, or line number from 1.
    pub offset: u64,
    /// When it was received, microseconds UTC.
    pub received_us: i64,
    /// The record as it was received; if only a part of it was refused, that part.
    pub raw: Vec<u8>,
}

impl RejectRecord {
    /// Appends the document, without a line end: `family`, `label` (a word for counting), `reason` (a sentence), `byte`
    /// (where in the record), `source`, `partition`, `offset`, `received`, `raw`, and `raw_base64` if it is not UTF-8.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        object(out, |o| {
            o.text("family", self.reject.family);
            o.text("label", self.reject.kind.label());
            o.text("reason", self.reject.kind.to_string());
            o.count("byte", self.reject.offset as u64);
            o.text("source", &*self.source);
            o.number("partition", self.partition);
            o.count("offset", self.offset);
            o.time("received", self.received_us);
            o.text("raw", &self.raw);
            if let Some(base64) = self.raw_base64() {
                o.text("raw_base64", base64);
            }
        });
    }

    pub(crate) fn raw_base64(&self) -> Option<String> {
        std::str::from_utf8(&self.raw).is_err().then(|| base64(&self.raw))
    }
}

/// RFC 4648 section 4, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RejectKind;

    #[test]
    fn base64_is_that_of_the_standards_own_examples() {
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn a_refused_record_says_why_and_where_and_can_be_read_again() {
        let record = RejectRecord {
            reject: Reject { family: "zeek", offset: 4, kind: RejectKind::Missing { what: "ts" } },
            source: Arc::from("in.log"),
            partition: 0,
            offset: 12,
            received_us: 0,
            raw: b"a\xff".to_vec(),
        };
        let mut out = Vec::new();
        record.write_json(&mut out);
        assert_eq!(
            String::from_utf8(out).expect("UTF-8"),
            concat!(
                r#"{"family":"zeek","label":"missing","reason":"ts is missing; was the line cut, or is it switched "#,
                r#"off in the device's log format?","byte":4,"source":"in.log","partition":0,"offset":12,"#,
                r#""received":"1970-01-01T00:00:00.000000Z","raw":"a"#,
                "\u{fffd}",
                r#"","raw_base64":"Yf8="}"#
            )
        );
    }
}
