//! UTF-16 in pieces of any size. What stands at their borders (half a unit, half a pair) is kept for the next one.

use super::Coding;

/// Reads UTF-16 in pieces; what is no letter becomes U+FFFD.
#[derive(Default)]
pub(super) struct Utf16 {
    begun: bool,
    /// The first byte of a unit whose second has not come.
    half: Option<u8>,
    /// The first unit of a pair whose second has not come.
    high: Option<u16>,
}

impl Utf16 {
    pub(super) fn decode(&mut self, coding: Coding, piece: &[u8], into: &mut Vec<u8>) {
        for &byte in piece {
            let Some(first) = self.half.take() else {
                self.half = Some(byte);
                continue;
            };
            let unit = if coding == Coding::Utf16Le {
                u16::from_le_bytes([first, byte])
            } else {
                u16::from_be_bytes([first, byte])
            };
            self.unit(unit, into);
        }
    }

    fn unit(&mut self, unit: u16, into: &mut Vec<u8>) {
        let begun = std::mem::replace(&mut self.begun, true);
        let letter = match (self.high.take(), unit) {
            (Some(high), 0xdc00..=0xdfff) => {
                let low = u32::from(unit) - 0xdc00;
                char::from_u32(0x1_0000 + ((u32::from(high) - 0xd800) << 10) + low)
            }
            (high, _) => {
                if high.is_some() {
                    push(char::REPLACEMENT_CHARACTER, into);
                }
                match unit {
                    0xd800..=0xdbff => {
                        self.high = Some(unit);
                        return;
                    }
                    // the byte order mark
                    0xfeff if !begun => return,
                    _ => char::from_u32(u32::from(unit)),
                }
            }
        };
        push(letter.unwrap_or(char::REPLACEMENT_CHARACTER), into);
    }

    pub(super) fn finish(&mut self, into: &mut Vec<u8>) {
        if self.high.take().is_some() || self.half.take().is_some() {
            push(char::REPLACEMENT_CHARACTER, into);
        }
    }
}

fn push(letter: char, into: &mut Vec<u8>) {
    into.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
}
