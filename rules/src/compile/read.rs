//! Text read as a value of another type, and a time taken apart: one reading for the compiler and for the scan.

use crate::sigma::ast::DatePart;

/// The number that a text is: decimal, with an optional sign, fraction and exponent.
pub fn number_in(text: &[u8]) -> Option<f64> {
    if text.len() > 32 || !text.first().is_some_and(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.'))
    {
        return None;
    }
    if text.len() <= 15 && text.iter().all(u8::is_ascii_digit) {
        return Some(text.iter().fold(0u64, |number, digit| number * 10 + u64::from(digit - b'0')) as f64);
    }
    let plain = text.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
    std::str::from_utf8(text).ok().filter(|_| plain)?.parse().ok()
}

/// The truth value that a text is.
pub fn truth_in(text: &[u8]) -> Option<bool> {
    let is = |words: [&str; 3]| words.iter().any(|word| word.as_bytes().eq_ignore_ascii_case(text));
    if is(["true", "1", "yes"]) { Some(true) } else { is(["false", "0", "no"]).then_some(false) }
}

/// The time that a text is, microseconds UTC: RFC 3339; without a zone it is taken for UTC.
pub fn time_us(text: &str) -> Option<i64> {
    match text.parse::<jiff::Timestamp>() {
        Ok(timestamp) => Some(timestamp.as_microsecond()),
        Err(_) => {
            let civil: jiff::civil::DateTime = text.parse().ok()?;
            Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_microsecond())
        }
    }
}

/// A part of a time in UTC; `None` for a time that no calendar has.
pub fn date_part(us: i64, part: DatePart) -> Option<i64> {
    let second = us.div_euclid(1_000_000);
    // Minute and hour need no calendar.
    Some(match part {
        DatePart::Minute => second.div_euclid(60).rem_euclid(60),
        DatePart::Hour => second.div_euclid(3_600).rem_euclid(24),
        DatePart::Day | DatePart::Week | DatePart::Month | DatePart::Year => {
            let date = jiff::Timestamp::from_microsecond(us).ok()?.to_zoned(jiff::tz::TimeZone::UTC).date();
            match part {
                DatePart::Day => date.day().into(),
                DatePart::Week => date.iso_week_date().week().into(),
                DatePart::Month => date.month().into(),
                DatePart::Minute | DatePart::Hour | DatePart::Year => date.year().into(),
            }
        }
    })
}

/// Whether a value lies in one of a few ranges.
pub fn in_ranges(value: i64, ranges: &[(i64, i64)]) -> bool {
    ranges.iter().any(|(low, high)| (*low..=*high).contains(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_time_are_utc_and_weeks_iso() {
        let us = time_us("2020-12-31T23:59:00+01:00").expect("a time");
        let of = |part| date_part(us, part).expect("in the calendar");
        assert_eq!((of(DatePart::Minute), of(DatePart::Hour), of(DatePart::Day)), (59, 22, 31));
        assert_eq!((of(DatePart::Week), of(DatePart::Month), of(DatePart::Year)), (53, 12, 2020));
        assert_eq!(date_part(-1, DatePart::Hour), Some(23));
        assert_eq!(date_part(i64::MAX, DatePart::Day), None);
        assert_eq!(time_us("2021-01-01T00:00:00"), time_us("2021-01-01T00:00:00Z"));
    }

    #[test]
    fn numbers_and_truth_values_are_read_from_text() {
        assert_eq!(number_in(b"04625"), Some(4625.0));
        assert_eq!(number_in(b"-1.5e2"), Some(-150.0));
        assert_eq!(number_in(b"inf"), None);
        assert_eq!(number_in(b"1.2.3"), None);
        assert_eq!((truth_in(b"YES"), truth_in(b"false"), truth_in(b"2")), (Some(true), Some(false), None));
    }
}
