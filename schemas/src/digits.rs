//! Decimal numbers, eight digits at once.
//!
//! Ports and counters have one to seven digits, and how many is as good as random: a loop over them is guessed wrong at its end
//! every other time, which costs more than all of its additions. Source of the multiplications: W. Muła, "SIMD-ized parsing of
//! numbers", in its form for a word.

/// A one in each byte.
pub const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = ONES << 7;

/// Reads a number of ASCII digits only: no sign, no blanks. `None` for anything else, or above `u64::MAX`.
///
/// ```
/// assert_eq!(schemas::parse_decimal(b"0443"), Some(443));
/// assert_eq!(schemas::parse_decimal(b"18446744073709551615"), Some(u64::MAX));
/// assert_eq!(schemas::parse_decimal(b"18446744073709551616"), None);
/// assert_eq!(schemas::parse_decimal(b"-1"), None);
/// ```
#[inline]
pub fn parse_decimal(text: &[u8]) -> Option<u64> {
    let len = text.len();
    let word = match text {
        [first, .., last] if len < 4 => {
            u64::from(*first) | u64::from(text[len / 2]) << (8 * (len / 2)) | u64::from(*last) << (8 * (len - 1))
        }
        [digit] => u64::from(*digit),
        [] => return None,
        _ if len <= 8 => {
            let (first, last): (&[u8; 4], &[u8; 4]) = (text.first_chunk()?, text.last_chunk()?);
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (8 * (len - 4))
        }
        _ => return long(text),
    };
    // the last digit to the highest byte, and zeros before the first
    let up = 8 * (8 - len);
    let digits = word << up ^ (ONES * 0x30) << up;
    is_digits(digits).then(|| number(digits))
}

/// Up to twenty digits.
#[inline(never)]
fn long(text: &[u8]) -> Option<u64> {
    if text.len() > 20 {
        return None;
    }
    let (head, tail) = text.split_last_chunk::<8>()?;
    let digits = u64::from_le_bytes(*tail) ^ (ONES * 0x30);
    let tail = is_digits(digits).then(|| number(digits))?;
    parse_decimal(head)?.checked_mul(100_000_000)?.checked_add(tail)
}

/// The high bit of each byte that is more than its byte of `most` allows: `0x7f` less what it may be. Exact, since no carry
/// leaves a byte.
#[inline(always)]
pub const fn beyond(word: u64, most: u64) -> u64 {
    (((word & !HIGHS) + most) | word) & HIGHS
}

/// What [`beyond`] is told for digits.
pub const DIGIT: u64 = ONES * (0x7f - 9);

/// Whether each byte is at most 9.
#[inline(always)]
const fn is_digits(word: u64) -> bool {
    beyond(word, DIGIT) == 0
}

/// The number of eight digits' values, the first being the lowest byte.
#[inline(always)]
pub const fn number(digits: u64) -> u64 {
    let pairs = digits * 10 + (digits >> 8);
    let low = (pairs & 0xff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let high = (pairs >> 16 & 0xff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    low.wrapping_add(high) >> 32
}

/// Reads a decimal port: ASCII digits only, 0..=65535, no sign, no blanks. Source: RFC 9293, section 3.1.
///
/// ```
/// assert_eq!(schemas::parse_port(b"443"), Some(443));
/// assert_eq!(schemas::parse_port(b"+80"), None);
/// assert_eq!(schemas::parse_port(b"65536"), None);
/// ```
#[inline]
pub fn parse_port(text: &[u8]) -> Option<u16> {
    if text.len() > 5 { None } else { u16::try_from(parse_decimal(text)?).ok() }
}

/// Reads a decimal counter: ASCII digits only, at most `i64::MAX`, because the lake's integers are signed.
#[inline]
pub fn parse_u64(text: &[u8]) -> Option<u64> {
    if text.len() > 19 { None } else { parse_decimal(text).filter(|value| *value <= i64::MAX as u64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn numbers_are_read_as_the_standard_library_reads_them(text in "[0-9]{0,22}|[0-9]{0,9}[+./:\\- a\u{80}][0-9]{0,9}", value: u64) {
            let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let expected = if plain && text.len() <= 20 { text.parse().ok() } else { None };
            proptest::prop_assert_eq!(parse_decimal(text.as_bytes()), expected);
            proptest::prop_assert_eq!(parse_decimal(value.to_string().as_bytes()), Some(value));
        }
    }
}
