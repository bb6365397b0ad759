//! Values as text: decimals, times, addresses and JSON strings, appended to a buffer.
//!
//! By hand instead of `std::fmt`, because these run several dozen times a row on the way to every sink; a slow twin
//! from the standard library (or jiff) stands in the tests.

use std::io::Write as _;

use crate::kinds::Ip;

const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut at = 0;
    while at < 100 {
        pairs[at] = [b'0' + (at / 10) as u8, b'0' + (at % 10) as u8];
        at += 1;
    }
    pairs
};

/// Appends a decimal number.
#[inline]
pub fn decimal(mut value: u64, out: &mut Vec<u8>) {
    let mut text = [0u8; 20];
    let mut at = text.len();
    while value >= 100 {
        at -= 2;
        text[at..at + 2].copy_from_slice(&PAIRS[(value % 100) as usize]);
        value /= 100;
    }
    if value >= 10 {
        at -= 2;
        text[at..at + 2].copy_from_slice(&PAIRS[value as usize]);
    } else {
        at -= 1;
        text[at] = b'0' + value as u8;
    }
    out.extend_from_slice(&text[at..]);
}

/// Appends a signed decimal number.
#[inline]
pub fn signed(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    decimal(value.unsigned_abs(), out);
}

/// Year, month and day of a day number counted from 1970. Source: Hinnant, "chrono-Compatible Low-Level Date Algorithms".
#[inline]
pub fn civil(day: i64) -> (i64, u8, u8) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month as u8, day as u8)
}

const DAY_US: i64 = 86_400_000_000;

/// Appends a time of microseconds since 1970 as RFC 3339 in UTC with six decimals: `2026-01-31T23:59:59.000000Z`.
///
/// A year outside 0..=9999, which RFC 3339 can't say, gets a sign and six digits as ISO 8601 has it.
#[inline]
pub fn time(us: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil(us.div_euclid(DAY_US));
    let of_day = us.rem_euclid(DAY_US);
    let (seconds, micros) = (of_day / 1_000_000, of_day % 1_000_000);
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    let mut pair = |at: usize, value: i64| text[at..at + 2].copy_from_slice(&PAIRS[value as usize]);
    pair(5, i64::from(month));
    pair(8, i64::from(day));
    pair(11, seconds / 3_600);
    pair(14, seconds / 60 % 60);
    pair(17, seconds % 60);
    pair(20, micros / 10_000);
    pair(22, micros / 100 % 100);
    pair(24, micros % 100);
    if (0..=9_999).contains(&year) {
        pair(0, year / 100);
        pair(2, year % 100);
        out.extend_from_slice(&text);
    } else {
        out.push(if year < 0 { b'-' } else { b'+' });
        let digits = year.unsigned_abs();
        (0..6).rev().for_each(|at| out.push(b'0' + (digits / 10u64.pow(at) % 10) as u8));
        out.extend_from_slice(&text[4..]);
    }
}

/// Appends an address in its canonical text: dotted IPv4, or IPv6 as RFC 5952 has it.
#[inline]
pub fn ip(ip: Ip, out: &mut Vec<u8>) {
    if ip.is_v4() {
        let mut text = [0u8; 15];
        let mut len = 0;
        for (part, byte) in ip.0[12..].iter().enumerate() {
            if part > 0 {
                text[len] = b'.';
                len += 1;
            }
            let byte = *byte;
            if byte >= 100 {
                text[len] = b'0' + byte / 100;
                len += 1;
            }
            if byte >= 10 {
                text[len..len + 2].copy_from_slice(&PAIRS[usize::from(byte % 100)]);
                len += 2;
            } else {
                text[len] = b'0' + byte;
                len += 1;
            }
        }
        out.extend_from_slice(&text[..len]);
    } else {
        write!(out, "{ip}").expect("a vector takes every write");
    }
}

/// Appends a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD, as `String::from_utf8_lossy` has it.
#[inline]
pub fn json_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    json_inside(text, out);
    out.push(b'"');
}

/// Appends the inside of a JSON string, without quotes.
#[inline]
pub fn json_inside(text: &[u8], out: &mut Vec<u8>) {
    // Without an early end, so that the compiler makes vector code of it: most texts are short and clean.
    let odd = text.iter().fold(false, |odd, &b| odd | (b < 0x20) | (b == b'"') | (b == b'\\') | (b >= 0x7f));
    if !odd {
        out.extend_from_slice(text);
    } else {
        escape(text, out);
    }
}

fn escape(text: &[u8], out: &mut Vec<u8>) {
    for chunk in text.utf8_chunks() {
        for &byte in chunk.valid().as_bytes() {
            match byte {
                b'"' => out.extend_from_slice(b"\\\""),
                b'\\' => out.extend_from_slice(b"\\\\"),
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\r' => out.extend_from_slice(b"\\r"),
                b'\t' => out.extend_from_slice(b"\\t"),
                0..0x20 | 0x7f => {
                    const HEX: &[u8; 16] = b"0123456789abcdef";
                    out.extend_from_slice(b"\\u00");
                    out.extend([HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
                }
                _ => out.push(byte),
            }
        }
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("what is written is UTF-8")
    }

    proptest::proptest! {
        #[test]
        fn numbers_and_addresses_are_written_as_the_standard_library_writes_them(n: u64, i: i64, v4: [u8; 4], bits: u128) {
            proptest::prop_assert_eq!(text(|out| decimal(n, out)), n.to_string());
            proptest::prop_assert_eq!(text(|out| decimal(n >> 57, out)), (n >> 57).to_string());
            proptest::prop_assert_eq!(text(|out| signed(i, out)), i.to_string());
            for address in [Ip::v4(v4), Ip(bits.to_be_bytes())] {
                proptest::prop_assert_eq!(text(|out| ip(address, out)), address.to_string());
            }
        }

        #[test]
        fn a_time_is_written_as_jiff_writes_it(us in -62_167_219_200_000_000i64..253_402_207_200_000_000) {
            let slow = jiff::Timestamp::from_microsecond(us).expect("in range");
            proptest::prop_assert_eq!(text(|out| time(us, out)), format!("{slow:.6}"));
        }

        #[test]
        fn a_json_string_reads_back(bytes in proptest::collection::vec(0u8.., 0..80)) {
            let read: String = serde_json::from_str(&text(|out| json_string(&bytes, out))).expect("valid JSON");
            proptest::prop_assert_eq!(read, String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn times_beyond_four_digits_of_a_year_carry_a_sign() {
        assert_eq!(text(|out| time(0, out)), "1970-01-01T00:00:00.000000Z");
        assert_eq!(text(|out| time(-1, out)), "1969-12-31T23:59:59.999999Z");
        assert_eq!(text(|out| time(i64::MAX, out)), "+294247-01-10T04:00:54.775807Z");
        assert_eq!(text(|out| time(i64::MIN, out)), "-290308-12-21T19:59:05.224192Z");
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(
            text(|out| json_string(b"a\x00\x1b\n\"\\\x7f\xff", out)),
            "\"a\\u0000\\u001b\\n\\\"\\\\\\u007f\u{fffd}\""
        );
    }
}
