//! What the encoding modifiers make of a text: Base64 at three offsets, dashes of all kinds.

use crate::sigma::ast::{Part, Pattern};
use crate::sigma::pattern::DASHES;

/// Bytes as a pattern.
pub(super) fn ascii(text: Vec<u8>) -> Pattern {
    let mut pattern = Pattern::default();
    pattern.push(Part::Literal(text));
    pattern
}

/// Base64 with padding. Source: RFC 4648, section 4.
pub(super) fn base64(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            text.push(if digit <= chunk.len() { DIGITS[(group >> (18 - 6 * digit)) as usize & 63] } else { b'=' });
        }
    }
    text
}

/// The part of a Base64 text that depends on the value alone, if `offset` bytes stand before it.
pub(super) fn base64_offset(bytes: &[u8], offset: usize) -> Vec<u8> {
    let mut padded = vec![b' '; offset];
    padded.extend_from_slice(bytes);
    let text = base64(&padded);
    let from = [0, 2, 3][offset];
    let to = text.len() - [0, 3, 2][padded.len() % 3];
    text.get(from..to).unwrap_or_default().to_vec()
}

/// A `-`, `/` or Unicode dash that begins a parameter becomes any dash.
pub(super) fn windash(pattern: &Pattern) -> Pattern {
    let mut out = Pattern::default();
    for part in &pattern.0 {
        let text = match part {
            Part::Literal(bytes) => std::str::from_utf8(bytes).ok(),
            Part::Any | Part::One | Part::Dash => None,
        };
        let Some(text) = text else {
            out.push(part.clone());
            continue;
        };
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let mut before = None;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let begins = !before.is_some_and(is_word) && chars.peek().copied().is_some_and(is_word);
            let mut buffer = [0; 4];
            let as_text: &str = c.encode_utf8(&mut buffer);
            if begins && DASHES.contains(&as_text) {
                out.push(Part::Dash);
            } else {
                out.push(Part::Literal(as_text.as_bytes().to_vec()));
            }
            before = Some(c);
        }
    }
    out
}
