//! Times in a format that a pattern describes, in the letters of Java's `SimpleDateFormat`.
//!
//! LEEF states such a pattern beside its stamp, and a configured mapping may name one. The pattern is walked anew for
//! each stamp: both are some twenty bytes long, and nothing has to be kept between lines. Source: Java SE,
//! `java.text.SimpleDateFormat`, "Date and Time Patterns".

use super::time::{Civil, Stamp, month_of, zone};

/// Reads `text`, the whole of it, as `pattern` says. Letters: `y M d H h m s S a E z Z X`; text in single quotes and any other
/// byte stand for themselves.
pub fn read(pattern: &[u8], text: &[u8]) -> Option<Stamp> {
    let mut civil = Civil { year: None, month: 1, day: 1, hour: 0, minute: 0, second: 0, micro: 0 };
    let (mut offset, mut afternoon) = (None, None);
    let (mut at, mut rest) = (0, text);
    while let Some(&letter) = pattern.get(at) {
        let run = pattern[at..].iter().take_while(|byte| **byte == letter).count();
        at += run;
        match letter {
            b'y' | b'u' => {
                let number = digits(&mut rest, if run == 2 { 2 } else { 4 })?;
                civil.year = Some(if run == 2 { 2000 + number as i32 } else { number as i32 });
            }
            b'M' | b'L' if run >= 3 => {
                civil.month = month_of(rest)?;
                let letters = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
                rest = &rest[letters..];
            }
            b'M' | b'L' => civil.month = digits(&mut rest, 2)? as u8,
            b'd' => civil.day = digits(&mut rest, 2)? as u8,
            b'H' | b'h' => civil.hour = digits(&mut rest, 2)? as u8,
            b'm' => civil.minute = digits(&mut rest, 2)? as u8,
            b's' => civil.second = digits(&mut rest, 2)? as u8,
            b'S' => civil.micro = fraction(&mut rest)?,
            b'a' => {
                let (word, tail) = rest.split_at_checked(2)?;
                afternoon = Some(word.eq_ignore_ascii_case(b"PM"));
                rest = tail;
            }
            b'E' => {
                let letters = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
                rest = rest.get(letters.max(1)..)?;
            }
            b'z' | b'Z' | b'X' => {
                let length = rest.iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
                offset = Some(zone(&rest[..length])?);
                rest = &rest[length..];
            }
            b'\'' if run >= 2 => rest = rest.strip_prefix(b"'")?,
            b'\'' => {
                let length = pattern[at..].iter().position(|byte| *byte == b'\'')?;
                rest = rest.strip_prefix(&pattern[at..at + length])?;
                at += length + 1;
            }
            // Days padded with a blank stand behind two of them.
            b' ' => rest = rest.trim_ascii_start(),
            _ => rest = rest.strip_prefix(&pattern[at - run..at])?,
        }
    }
    match afternoon {
        Some(true) if civil.hour < 12 => civil.hour += 12,
        Some(false) if civil.hour == 12 => civil.hour = 0,
        _ => {}
    }
    let exists = (1..=12).contains(&civil.month)
        && (1..=31).contains(&civil.day)
        && civil.hour < 24
        && civil.minute < 60
        && civil.second <= 60;
    (rest.is_empty() && exists).then_some(Stamp { civil, offset })
}

/// Whether a pattern holds only what [`read`] knows, and enough to tell a day and an hour. Else what is wrong with it.
///
/// # Errors
/// A sentence for people.
pub fn check(pattern: &str) -> Result<(), &'static str> {
    let mut outside = String::new();
    for (at, part) in pattern.split('\'').enumerate() {
        if at % 2 == 0 {
            outside.push_str(part);
        }
    }
    if pattern.matches('\'').count() % 2 == 1 {
        return Err("a quote `'` that never closes");
    }
    if outside.chars().any(|letter| letter.is_ascii_alphabetic() && !"yuMLdHhmsSaEzZX".contains(letter)) {
        return Err(
            "a letter that stands for nothing; known are y M d H h m s S a E z Z X, text goes in single quotes",
        );
    }
    let has = |letters: &str| outside.contains(|letter| letters.contains(letter));
    if has("ML") && has("d") && has("Hh") { Ok(()) } else { Err("no month, day or hour") }
}

/// Up to `most` digits, at least one.
fn digits(rest: &mut &[u8], most: usize) -> Option<u32> {
    let length = rest.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    let (number, tail) = rest.split_at(length);
    *rest = tail;
    (length > 0).then(|| number.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
}

/// Digits of a second's fraction, however many; what is finer than a microsecond is cut off.
fn fraction(rest: &mut &[u8]) -> Option<u32> {
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, tail) = rest.split_at(length);
    *rest = tail;
    let micro = (0..6).fold(0, |sum, at| sum * 10 + number.get(at).map_or(0, |digit| u32::from(digit - b'0')));
    (length > 0).then_some(micro)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TimeContext;

    #[test]
    fn a_pattern_reads_what_it_describes() {
        for (pattern, text) in [
            ("MMM dd yyyy HH:mm:ss", "Jan 05 2026 10:00:00"),
            ("MMM d yyyy HH:mm:ss.SSS z", "Jan  5 2026 11:00:00.000 CET"),
            ("dd/MM/yyyy HH:mm:ss", "05/01/2026 10:00:00"),
            ("MM-dd-yy hh:mm:ss a", "01-05-26 10:00:00 AM"),
            ("yyyy-MM-dd'T'HH:mm:ss.SSSX", "2026-01-05T11:00:00.0+01:00"),
            ("EEE, d MMMM yyyy HH:mm:ss Z", "Mon, 5 January 2026 11:00:00 +0100"),
            ("yyyyMMddHHmmss", "20260105100000"),
        ] {
            let stamp = read(pattern.as_bytes(), text.as_bytes());
            let us = stamp.and_then(|stamp| TimeContext::utc(0).resolve(&stamp));
            assert_eq!(us, Some(1_767_607_200_000_000), "{pattern}: {text}");
            assert_eq!(check(pattern), Ok(()), "{pattern}");
        }
        assert_eq!(read(b"HH:mm", b"25:00"), None);
        assert_eq!(read(b"HH:mm", b"10:00 and more"), None);
        assert!(check("yyyy-MM-ddTHH:mm").is_err() && check("HH:mm").is_err() && check("'d").is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(pattern in "[yMdHhmsSaEzZX' :/]{0,20}", text in "[0-9A-Za-z' :/+]{0,30}") {
            let _ = read(pattern.as_bytes(), text.as_bytes());
            let _ = check(&pattern);
        }
    }
}
