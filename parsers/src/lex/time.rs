//! Times of all formats, to microseconds since 1970 in UTC.
//!
//! Digits are read by hand and civil dates become days by arithmetic: a stamp costs some 10 ns, and there
//! is one on every line. `jiff` is asked only for named zones, where daylight saving makes local times
//! that exist twice (fold) or never (gap): the reading nearest to the time of receipt is taken. The same
//! rule gives a stamp without a year its year. Digits finer than a microsecond are cut off.
//!
//! Long because a format a function is easier to check than a table of formats.

use jiff::tz::{AmbiguousOffset, TimeZone};
use schemas::digits::{DIGIT, ONES, beyond, number};

const SECOND_US: i64 = 1_000_000;
const DAY_US: i64 = 86_400 * SECOND_US;

/// How a source's local times are to be read.
#[derive(Clone, Debug)]
pub enum Zone {
    /// Local times are UTC.
    Utc,
    /// A fixed distance, in seconds east of Greenwich.
    Fixed(i32),
    /// A zone of the IANA data base.
    Named(TimeZone),
}

/// What a line does not say about its own time: when it was received, and its source's zone.
#[derive(Clone, Debug)]
pub struct TimeContext {
    /// When the line was received (or what stands in for it in a replay), µs since 1970 UTC.
    pub received_us: i64,
    /// For stamps without a zone.
    pub zone: Zone,
    /// What this source means by zones' abbreviations, where that is not what [`zone`] says: several zones share `CST`, `IST`
    /// and others. Name, in any case, and seconds east of Greenwich.
    pub zone_names: Vec<(String, i32)>,
}

/// A date and time of day as written, not yet placed in a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// `None` if the stamp has no year.
    pub year: Option<i32>,
    /// 1..=12.
    pub month: u8,
    /// 1..=31; whether the month has it is known only with the year.
    pub day: u8,
    /// 0..=23.
    pub hour: u8,
    /// 0..=59.
    pub minute: u8,
    /// 0..=60; a leap second counts as the first of the next minute.
    pub second: u8,
    /// 0..=999_999.
    pub micro: u32,
}

/// A civil time and the zone that was written with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// What the clock showed.
    pub civil: Civil,
    /// Seconds east of Greenwich; `None` if the stamp does not say.
    pub offset: Option<i32>,
}

/// How far ahead of its receipt a stamp without a year may lie: a week.
const AHEAD_MAX_US: i64 = 7 * DAY_US;

impl TimeContext {
    /// A context whose local times are UTC.
    pub fn utc(received_us: i64) -> TimeContext {
        TimeContext::new(received_us, Zone::Utc)
    }

    /// A context for a source whose local times are in `zone`.
    pub fn new(received_us: i64, zone: Zone) -> TimeContext {
        TimeContext { received_us, zone, zone_names: Vec::new() }
    }

    /// Seconds east of a zone as written after `stamp`. A number says it itself; of a name first what the source was said
    /// to mean by it ([`TimeContext::zone_names`]), then what the source's own zone calls itself at that time (so that `IST` is
    /// Ireland's in Ireland, and the doubled hour of autumn is not doubled), then the table ([`zone`]).
    pub fn zone(&self, stamp: &Stamp, written: &[u8]) -> Option<i32> {
        self.sure_zone(stamp, written).or_else(|| zone(written))
    }

    /// The same without the table's reading of names that several parts of the world use for clocks hours apart, unless the
    /// source was said to mean one: for devices whose vendor writes such names everywhere.
    pub fn sure_zone(&self, stamp: &Stamp, written: &[u8]) -> Option<i32> {
        const AMBIGUOUS: [&[u8]; 4] = [b"IST", b"BST", b"CST", b"EST"];
        let is_name =
            written.first().is_some_and(u8::is_ascii_alphabetic) && written.iter().all(u8::is_ascii_alphabetic);
        if is_name {
            let said = self.zone_names.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(written));
            if let Some((_, seconds)) = said {
                return Some(*seconds);
            }
            if let Zone::Named(own) = &self.zone
                && let Some(seconds) = self.named_by_itself(stamp, own, written)
            {
                return Some(seconds);
            }
            if AMBIGUOUS.iter().any(|name| name.eq_ignore_ascii_case(written)) {
                return None;
            }
        }
        zone(written)
    }

    /// The offset that `zone` has at the local time of `stamp` and calls `name`.
    fn named_by_itself(&self, stamp: &Stamp, zone: &TimeZone, name: &[u8]) -> Option<i32> {
        let year = stamp.civil.year.unwrap_or_else(|| year_of(self.received_us));
        let civil = jiff_civil(stamp.civil.us_in_year(year)?)?;
        let (one, other) = match zone.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => (offset, offset),
            AmbiguousOffset::Gap { before, after } | AmbiguousOffset::Fold { before, after } => (before, after),
        };
        [one, other].into_iter().find_map(|offset| {
            let instant = offset.to_timestamp(civil).ok()?;
            let info = zone.to_offset_info(instant);
            let same = info.offset() == offset && info.abbreviation().as_bytes().eq_ignore_ascii_case(name);
            same.then_some(offset.seconds())
        })
    }

    /// The instant of a stamp. `None` if no year makes it a date that exists.
    #[inline]
    pub fn resolve(&self, stamp: &Stamp) -> Option<i64> {
        match stamp.civil.year {
            Some(year) => self.resolve_in_year(stamp, year),
            None => {
                // RFC 3164 section 4.1.2 has no year. A log is read after it was written, sometimes months after, and
                // a device's clock runs ahead by days at most: so the nearest year that is not further ahead than that.
                let latest_us = self.received_us.saturating_add(AHEAD_MAX_US);
                (year_of(self.received_us) - 1..=year_of(latest_us) + 1)
                    .rev()
                    .filter_map(|year| self.resolve_in_year(stamp, year))
                    .find(|us| *us <= latest_us)
            }
        }
    }

    /// Whether [`TimeContext::resolve`] says the same of a stamp whenever its line was received.
    #[inline]
    pub fn is_absolute(&self, stamp: &Stamp) -> bool {
        stamp.civil.year.is_some() && (stamp.offset.is_some() || !matches!(self.zone, Zone::Named(_)))
    }

    fn resolve_in_year(&self, stamp: &Stamp, year: i32) -> Option<i64> {
        let local_us = stamp.civil.us_in_year(year)?;
        let seconds = match (stamp.offset, &self.zone) {
            (Some(offset), _) => offset,
            (None, Zone::Utc) => 0,
            (None, Zone::Fixed(offset)) => *offset,
            (None, Zone::Named(zone)) => return Some(self.in_named_zone(local_us, zone)),
        };
        Some(local_us - i64::from(seconds) * SECOND_US)
    }

    /// Local µs to UTC in a zone with daylight saving.
    fn in_named_zone(&self, local_us: i64, zone: &TimeZone) -> i64 {
        let Some(civil) = jiff_civil(local_us) else { return local_us };
        let at = |seconds: i32| local_us - i64::from(seconds) * SECOND_US;
        match zone.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => at(offset.seconds()),
            AmbiguousOffset::Gap { before, after } | AmbiguousOffset::Fold { before, after } => {
                let (one, other) = (at(before.seconds()), at(after.seconds()));
                if one.abs_diff(self.received_us) <= other.abs_diff(self.received_us) { one } else { other }
            }
        }
    }

    /// A whole text in RFC 3339 or one of its relatives (see [`iso`]).
    pub fn iso(&self, text: &[u8]) -> Option<i64> {
        let (stamp, length) = iso(text)?;
        if length != text.len() {
            return self.with_zone_word(stamp, &text[length..]);
        }
        self.resolve(&stamp)
    }

    /// A whole text in a form of RFC 3164 (see [`bsd`]), with or without a zone after it.
    pub fn bsd(&self, text: &[u8]) -> Option<i64> {
        let (stamp, length) = bsd(text)?;
        if length != text.len() {
            return self.with_zone_word(stamp, &text[length..]);
        }
        self.resolve(&stamp)
    }

    fn with_zone_word(&self, mut stamp: Stamp, tail: &[u8]) -> Option<i64> {
        stamp.offset = Some(self.zone(&stamp, tail.trim_ascii())?);
        self.resolve(&stamp)
    }

    /// A whole text with the day first, `04 May 2026 09:12:31.004 UTC` or `04-MAY-2026 09:12:31`: RFC 5322 and databases.
    pub fn day_first(&self, text: &[u8]) -> Option<i64> {
        let [d1, d2, first @ (b' ' | b'-'), m1, m2, m3, second, rest @ ..] = text else { return None };
        if first != second {
            return None;
        }
        // the same in the order of RFC 3164
        let mut turned = [0u8; 64];
        let length = 7 + rest.len();
        turned.get_mut(7..length)?.copy_from_slice(rest);
        turned[..7].copy_from_slice(&[
            m1.to_ascii_uppercase(),
            m2.to_ascii_lowercase(),
            m3.to_ascii_lowercase(),
            b' ',
            *d1,
            *d2,
            b' ',
        ]);
        self.bsd(&turned[..length])
    }

    /// A whole text in any form of this file, ambiguous ones excepted ([`us_date`]).
    pub fn any(&self, text: &[u8]) -> Option<i64> {
        let text = text.trim_ascii();
        match text {
            [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'-' | b'/', ..] => self.iso(text),
            [b'0'..=b'9', _, b'/', b'A'..=b'Z' | b'a'..=b'z', ..] => {
                let (stamp, length) = clf(text)?;
                if length == text.len() { self.resolve(&stamp) } else { None }
            }
            [b'0'..=b'9', ..] => epoch(text),
            _ => self.bsd(text),
        }
    }
}

impl Civil {
    /// µs since 1970 as if the clock showed UTC. `None` if the month does not have the day.
    #[inline]
    pub fn us_in_year(&self, year: i32) -> Option<i64> {
        if self.day > days_in_month(year, self.month) {
            return None;
        }
        let days = days_from_civil(year, self.month, self.day);
        let seconds = i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second);
        Some(days * DAY_US + seconds * SECOND_US + i64::from(self.micro))
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
#[inline]
pub fn days_from_civil(year: i32, month: u8, day: u8) -> i64 {
    /// Days of a year before a month, in a year without a leap day.
    static BEFORE: [u16; 16] = [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365, 365, 365];
    let past = year - 1;
    let leap_days = past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400);
    let leap_day = i64::from(month > 2 && is_leap(year));
    // 719,162 days from 0001-01-01 on
    i64::from(past) * 365
        + i64::from(leap_days)
        + i64::from(BEFORE[usize::from(month & 15)])
        + leap_day
        + i64::from(day)
        - 719_163
}

#[inline]
fn is_leap(year: i32) -> bool {
    year & 3 == 0 && (year % 25 != 0 || year & 15 == 0)
}

/// Year, month and day of a day number; the inverse of [`days_from_civil`].
pub fn civil_from_days(days: i64) -> (i32, u8, u8) {
    let (year, month, day) = schemas::write::civil(days);
    (year as i32, month, day)
}

fn year_of(us: i64) -> i32 {
    civil_from_days(us.div_euclid(DAY_US)).0
}

#[inline]
fn days_in_month(year: i32, month: u8) -> u8 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn jiff_civil(local_us: i64) -> Option<jiff::civil::DateTime> {
    let (year, month, day) = civil_from_days(local_us.div_euclid(DAY_US));
    let second = local_us.rem_euclid(DAY_US) / SECOND_US;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    jiff::civil::DateTime::new(
        i16::try_from(year).ok()?,
        month as i8,
        day as i8,
        hour as i8,
        minute as i8,
        second as i8,
        0,
    )
    .ok()
}

// ---- digits

#[inline]
fn digit(text: &[u8], at: usize) -> Option<u8> {
    let value = text.get(at)?.wrapping_sub(b'0');
    if value <= 9 { Some(value) } else { None }
}

#[inline]
fn two(text: &[u8], at: usize) -> Option<u8> {
    Some(digit(text, at)? * 10 + digit(text, at + 1)?)
}

#[inline]
fn four(text: &[u8], at: usize) -> Option<i32> {
    Some(i32::from(two(text, at)?) * 100 + i32::from(two(text, at + 2)?))
}

const fn form(text: &[u8; 8]) -> u64 {
    u64::from_le_bytes(*text)
}

/// Of eight bytes in a form such as `00:00:00` the digits' values, the first byte being the lowest, and 0 for the others. `None` if
/// they are not in that form.
#[inline(always)]
fn values<const FORM: u64>(text: &[u8]) -> Option<u64> {
    const fn most(form: u64) -> u64 {
        let (form, mut most) = (form.to_le_bytes(), [0x7f; 8]);
        let mut at = 0;
        while at < 8 {
            if form[at] == b'0' {
                most[at] = 0x7f - 9;
            }
            at += 1;
        }
        u64::from_le_bytes(most)
    }
    let word = u64::from_le_bytes(*text.first_chunk()?) ^ FORM;
    if beyond(word, const { most(FORM) }) == 0 { Some(word) } else { None }
}

/// Two of these digits as a number.
#[inline(always)]
const fn pair(values: u64, at: u32) -> u8 {
    (values >> (8 * at)) as u8 * 10 + (values >> (8 * at + 8)) as u8
}

/// `hh:mm:ss[.ffffff]` at `at`: hour, minute, second, µs, and where it ends.
#[inline(always)]
fn clock(text: &[u8], at: usize) -> Option<(u8, u8, u8, u32, usize)> {
    let text = text.get(at..)?;
    let (hour, minute, second, micro, length) = clock_of(values::<{ form(b"00:00:00") }>(text)?, text)?;
    Some((hour, minute, second, micro, at + length))
}

/// The same with points between the parts.
fn clock_by_points(text: &[u8], at: usize) -> Option<(u8, u8, u8, u32, usize)> {
    let text = text.get(at..)?;
    let (hour, minute, second, micro, length) = clock_of(values::<{ form(b"00.00.00") }>(text)?, text)?;
    Some((hour, minute, second, micro, at + length))
}

#[inline(always)]
fn clock_of(values: u64, text: &[u8]) -> Option<(u8, u8, u8, u32, usize)> {
    let (hour, minute, second) = (pair(values, 0), pair(values, 3), pair(values, 6));
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (micro, length) = fraction(&text[8..]);
    Some((hour, minute, second, micro, 8 + length))
}

/// `.ffff` or `,ffff`: µs (finer digits cut off) and length; `(0, 0)` if there is none.
#[inline(always)]
fn fraction(text: &[u8]) -> (u32, usize) {
    let [b'.' | b',', digits @ ..] = text else { return (0, 0) };
    let mut bytes = [0; 8];
    match digits.first_chunk() {
        Some(eight) => bytes = *eight,
        None => bytes.iter_mut().zip(digits).for_each(|(byte, digit)| *byte = *digit),
    }
    let word = u64::from_le_bytes(bytes) ^ (ONES * u64::from(b'0'));
    let others = beyond(word, DIGIT);
    let mut count = others.trailing_zeros() as usize / 8;
    if count == 0 {
        return (0, 0);
    }
    // six digits at most, and zeros for those that are not there: eight digits in three multiplications
    let kept = word & ((1 << (8 * count.min(6))) - 1);
    let micro = number(kept) as u32 / 100;
    while digit(digits, count).is_some() {
        count += 1;
    }
    (micro, count + 1)
}

/// `Z`, `+hh:mm`, `+hhmm`, `+hh` at the start: seconds east and length.
#[inline(always)]
fn numeric_offset(text: &[u8]) -> Option<(i32, usize)> {
    let sign = match text.first()? {
        b'Z' | b'z' if !text.get(1).is_some_and(u8::is_ascii_alphanumeric) => return Some((0, 1)),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = i32::from(two(text, 1)?);
    let (minutes, length) = if text.get(3) == Some(&b':') {
        (two(text, 4)?, 6)
    } else if let Some(minutes) = two(text, 3) {
        (minutes, 5)
    } else {
        (0, 3)
    };
    if hours > 18 || minutes > 59 || text.get(length).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    Some((sign * (hours * 3600 + i32::from(minutes) * 60), length))
}

// ---- formats

/// RFC 3339 and its relatives at the start of `text`: `T`, a space or `-` (then dots in the clock) between, `-` or `/` in the date,
/// fraction of any length after `.` or `,`, zone as `Z`, `+hh:mm`, `+hhmm`, `+hh`, after one space, or none.
/// Gives the stamp and its length.
#[inline(always)]
pub fn iso(text: &[u8]) -> Option<(Stamp, usize)> {
    if text.len() < 19 {
        return None;
    }
    if !matches!(text[10], b'T' | b't' | b' ' | b'_' | b'-') {
        return None;
    }
    let (year, month, day) = date(text)?;
    // IBM i and Db2 write `2026-01-05-10.00.00.123456`
    let (hour, minute, second, micro, mut end) =
        if text[10] == b'-' { clock_by_points(text, 11)? } else { clock(text, 11)? };
    let mut offset = None;
    let tail = &text[end..];
    if let Some((seconds, length)) = numeric_offset(tail) {
        (offset, end) = (Some(seconds), end + length);
    } else if let [b' ', b'+' | b'-', ..] = tail
        && let Some((seconds, length)) = numeric_offset(&tail[1..])
        && length >= 5
    {
        (offset, end) = (Some(seconds), end + 1 + length);
    }
    Some((Stamp { civil: Civil { year: Some(year), month, day, hour, minute, second, micro }, offset }, end))
}

/// `2026-01-05` or `2026/01/05` at the start: year, month, day.
#[inline(always)]
fn date(text: &[u8]) -> Option<(i32, u8, u8)> {
    let values = match text.get(4)? {
        b'-' => values::<{ form(b"0000-00-") }>(text)?,
        _ => values::<{ form(b"0000/00/") }>(text)?,
    };
    let year = i32::from(pair(values, 0)) * 100 + i32::from(pair(values, 2));
    let (month, day) = (pair(values, 5), two(text, 8)?);
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some((year, month, day))
}

/// A date and a clock as [`iso`] reads them, each a whole text of its own.
pub fn date_and_clock(date: &[u8], clock: &[u8]) -> Option<Stamp> {
    if date.len() == 10 && clock.len() == 8 {
        let (hour, minute, second, micro, _) = self::clock(clock, 0)?;
        let (year, month, day) = self::date(date)?;
        return Some(Stamp {
            civil: Civil { year: Some(year), month, day, hour, minute, second, micro },
            offset: None,
        });
    }
    let mut text = [b' '; 48];
    let total = date.len() + 1 + clock.len();
    text.get_mut(..date.len())?.copy_from_slice(date);
    text.get_mut(date.len() + 1..total)?.copy_from_slice(clock);
    let (stamp, length) = iso(&text[..total])?;
    (length == total).then_some(stamp)
}

/// RFC 3164 and what is really sent, at the start of `text`: an optional weekday, the month's name, the
/// day padded or not, the year before or after the clock or not at all, a fraction. Gives the stamp and
/// its length. A zone's name after it is the caller's business ([`zone`]).
#[inline]
pub fn bsd(text: &[u8]) -> Option<(Stamp, usize)> {
    if text.len() < 14 {
        return None;
    }
    let mut at = 0;
    if month_of(text).is_none() {
        if !weekday(text) {
            return None;
        }
        at = 3;
        if text[at] == b',' {
            at += 1;
        }
        if text[at] != b' ' {
            return None;
        }
        at += 1;
    }
    let month = month_of(text.get(at..)?)?;
    at += 3;
    if text.get(at) != Some(&b' ') {
        at += rest_of_month(&text[at..], month)?;
    }
    at += 1;
    if text.get(at) == Some(&b' ') {
        at += 1;
    }
    let mut day = digit(text, at)?;
    at += 1;
    if let Some(second_digit) = digit(text, at) {
        day = day * 10 + second_digit;
        at += 1;
    }
    if !(1..=31).contains(&day) {
        return None;
    }
    if text.get(at) == Some(&b',') {
        at += 1;
    }
    if text.get(at) != Some(&b' ') {
        return None;
    }
    at += 1;
    let mut year = None;
    if text.get(at + 4) == Some(&b' ') {
        year = Some(four(text, at)?);
        at += 5;
    }
    let (hour, minute, second, micro, mut end) = clock(text, at)?;
    if year.is_none()
        && text.get(end) == Some(&b' ')
        && let Some(value @ 1970..=2199) = four(text, end + 1)
        && !text.get(end + 5).is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'/' | b'_'))
    {
        (year, end) = (Some(value), end + 5);
    }
    let mut offset = None;
    if let Some((seconds, length)) = numeric_offset(&text[end..]) {
        (offset, end) = (Some(seconds), end + length);
    }
    Some((Stamp { civil: Civil { year, month, day, hour, minute, second, micro }, offset }, end))
}

/// The form of [`bsd`] with the year before the month, as Cisco's NX-OS writes it: `2026 Jan  5 10:00:00.000`.
pub fn year_first(text: &[u8]) -> Option<(Stamp, usize)> {
    if text.get(4) != Some(&b' ') {
        return None;
    }
    let year = four(text, 0)?;
    let (mut stamp, length) = bsd(&text[5..])?;
    if stamp.civil.year.is_some() {
        return None;
    }
    stamp.civil.year = Some(year);
    Some((stamp, length + 5))
}

/// The web servers' common log format, `05/Jan/2026:10:00:00 +0100`: stamp and length. Either of `:` and a
/// space may stand before the clock.
pub fn clf(text: &[u8]) -> Option<(Stamp, usize)> {
    let day = two(text, 0)?;
    let month = month_of(text.get(3..)?)?;
    if text.get(2) != Some(&b'/')
        || text.get(6) != Some(&b'/')
        || !matches!(text.get(11), Some(b':' | b' '))
        || !(1..=31).contains(&day)
    {
        return None;
    }
    let year = Some(four(text, 7)?);
    let (hour, minute, second, micro, mut end) = clock(text, 12)?;
    let mut offset = None;
    if text.get(end) == Some(&b' ')
        && let Some((seconds, length)) = numeric_offset(&text[end + 1..])
    {
        (offset, end) = (Some(seconds), end + 1 + length);
    }
    Some((Stamp { civil: Civil { year, month, day, hour, minute, second, micro }, offset }, end))
}

/// `1/5/2026 10:00:00 AM`, month first, as Windows writes it in English: a whole text. Only a family that knows
/// its format has this order may call it.
pub fn us_date(text: &[u8]) -> Option<Stamp> {
    let (month, rest) = one_or_two(text)?;
    let (day, rest) = one_or_two(rest.strip_prefix(b"/")?)?;
    let rest = rest.strip_prefix(b"/")?;
    let year = Some(four(rest, 0)?);
    let rest = rest.get(4..)?.strip_prefix(b" ")?;
    let (mut hour, rest) = one_or_two(rest)?;
    let rest = rest.strip_prefix(b":")?;
    let (minute, rest) = (two(rest, 0)?, rest.get(2..)?);
    let rest = rest.strip_prefix(b":")?;
    let (second, rest) = (two(rest, 0)?, rest.get(2..)?);
    let (micro, length) = fraction(rest);
    match rest[length..].trim_ascii() {
        b"" => {}
        b"AM" | b"am" if hour == 12 => hour = 0,
        b"AM" | b"am" => {}
        b"PM" | b"pm" if hour == 12 => {}
        b"PM" | b"pm" => hour += 12,
        _ => return None,
    }
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(Stamp { civil: Civil { year, month, day, hour, minute, second, micro }, offset: None })
}

fn one_or_two(text: &[u8]) -> Option<(u8, &[u8])> {
    match (digit(text, 0)?, digit(text, 1)) {
        (tens, Some(ones)) => Some((tens * 10 + ones, &text[2..])),
        (ones, None) => Some((ones, &text[1..])),
    }
}

/// A count since 1970 in s, ms, µs or ns, told apart by size (below 1e11, 1e14, 1e17, above), with or
/// without a fraction or an exponent (`1.7676072e9`): a whole text. Negative counts are not times of log lines.
#[inline]
pub fn epoch(text: &[u8]) -> Option<i64> {
    let (whole, decimals) = match text.iter().position(|&b| b == b'.') {
        Some(at) => (&text[..at], &text[at..]),
        None => (text, &b""[..]),
    };
    let Some(value) = super::text::decimal(whole) else { return exponential(text) };
    let (micro, length) = fraction(decimals);
    if length != decimals.len() {
        return exponential(text);
    }
    let us = match value {
        0..=99_999_999_999 => value * 1_000_000 + u64::from(micro),
        100_000_000_000..=99_999_999_999_999 => value * 1000 + u64::from(micro / 1000),
        100_000_000_000_000..=99_999_999_999_999_999 => value,
        _ => value / 1000,
    };
    i64::try_from(us).ok()
}

/// A count with an exponent, written out: by digits, since a binary fraction would not keep microseconds.
#[cold]
fn exponential(text: &[u8]) -> Option<i64> {
    let at = text.iter().position(|byte| matches!(byte, b'e' | b'E'))?;
    let (mantissa, exponent) = (&text[..at], &text[at + 1..]);
    let exponent = usize::try_from(super::text::decimal(exponent.strip_prefix(b"+").unwrap_or(exponent))?).ok()?;
    let (whole, decimals) = match mantissa.iter().position(|&byte| byte == b'.') {
        Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
        None => (mantissa, &b""[..]),
    };
    // 20 digits hold every count that fits; a fraction of 9 is finer than is kept
    let mut plain = [b'0'; 30];
    let point = whole.len() + exponent;
    if whole.is_empty() || point > 20 || !whole.iter().chain(decimals).all(u8::is_ascii_digit) {
        return None;
    }
    for (to, from) in plain.iter_mut().zip(whole.iter().chain(decimals)) {
        *to = *from;
    }
    plain.copy_within(point..29, point + 1);
    plain[point] = b'.';
    epoch(&plain)
}

/// Seconds east of a zone as written after a stamp: `Z`, `+0100`, `UTC`, `UTC+1`, `GMT+02:00`, `CET`.
/// `None` for a name that is not in the table; the ambiguous ones (`CST`, `IST`, `BST`) have the reading of
/// most devices' menus there, which [`TimeContext::zone`] can be told to be another.
pub fn zone(text: &[u8]) -> Option<i32> {
    if let Some((seconds, length)) = numeric_offset(text) {
        return if length == text.len() { Some(seconds) } else { None };
    }
    let letters = text.iter().position(|b| !b.is_ascii_alphabetic()).unwrap_or(text.len());
    let (name, tail) = text.split_at(letters);
    let minutes = ZONES.iter().find(|(word, _)| word.as_bytes().eq_ignore_ascii_case(name))?.1;
    if tail.is_empty() {
        return Some(minutes * 60);
    }
    if minutes != 0 {
        return None;
    }
    // `UTC+1`, `GMT-3`: one digit is hours too
    if let [sign @ (b'+' | b'-'), hour @ b'0'..=b'9'] = tail {
        let seconds = i32::from(hour - b'0') * 3600;
        return Some(if *sign == b'-' { -seconds } else { seconds });
    }
    zone(tail)
}

/// Abbreviation and minutes east.
const ZONES: &[(&str, i32)] = &[
    ("UTC", 0),
    ("GMT", 0),
    ("UT", 0),
    ("WET", 0),
    ("WEST", 60),
    ("BST", 60),
    ("CET", 60),
    ("MEZ", 60),
    ("CEST", 120),
    ("CEDT", 120),
    ("MESZ", 120),
    ("EET", 120),
    ("SAST", 120),
    ("EEST", 180),
    ("EEDT", 180),
    ("MSK", 180),
    ("TRT", 180),
    ("GST", 240),
    ("PKT", 300),
    ("IST", 330),
    ("ICT", 420),
    ("WIB", 420),
    ("HKT", 480),
    ("SGT", 480),
    ("AWST", 480),
    ("JST", 540),
    ("KST", 540),
    ("ACST", 570),
    ("AEST", 600),
    ("ACDT", 630),
    ("AEDT", 660),
    ("NZST", 720),
    ("NZDT", 780),
    ("NST", -210),
    ("ADT", -180),
    ("BRT", -180),
    ("ART", -180),
    ("AST", -240),
    ("EDT", -240),
    ("EST", -300),
    ("CDT", -300),
    ("CST", -360),
    ("MDT", -360),
    ("MST", -420),
    ("PDT", -420),
    ("PST", -480),
    ("AKDT", -480),
    ("AKST", -540),
    ("HST", -600),
];

#[inline]
/// 1..=12 by the first three letters of a month's English name.
pub(super) fn month_of(text: &[u8]) -> Option<u8> {
    let [a, b, c, ..] = text else { return None };
    Some(match [a | 0x20, b | 0x20, c | 0x20] {
        [b'j', b'a', b'n'] => 1,
        [b'f', b'e', b'b'] => 2,
        [b'm', b'a', b'r'] => 3,
        [b'a', b'p', b'r'] => 4,
        [b'm', b'a', b'y'] => 5,
        [b'j', b'u', b'n'] => 6,
        [b'j', b'u', b'l'] => 7,
        [b'a', b'u', b'g'] => 8,
        [b's', b'e', b'p'] => 9,
        [b'o', b'c', b't'] => 10,
        [b'n', b'o', b'v'] => 11,
        [b'd', b'e', b'c'] => 12,
        _ => return None,
    })
}

/// Of a month's name that is written out, how many letters follow the first three.
#[cold]
fn rest_of_month(text: &[u8], month: u8) -> Option<usize> {
    const RESTS: [&str; 12] = ["uary", "ruary", "ch", "il", "", "e", "y", "ust", "tember", "ober", "ember", "ember"];
    let rest = RESTS[usize::from(month) - 1];
    let written = text.get(..rest.len())?.eq_ignore_ascii_case(rest.as_bytes());
    (written && text.get(rest.len()) == Some(&b' ')).then_some(rest.len())
}

fn weekday(text: &[u8]) -> bool {
    matches!(
        text,
        [b'M', b'o', b'n', ..]
            | [b'T', b'u', b'e', ..]
            | [b'W', b'e', b'd', ..]
            | [b'T', b'h', b'u', ..]
            | [b'F', b'r', b'i', ..]
            | [b'S', b'a', b't', ..]
            | [b'S', b'u', b'n', ..]
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
