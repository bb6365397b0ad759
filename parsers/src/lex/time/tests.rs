//! Times of each format, and what is none.

use super::*;
use proptest::prelude::*;

/// 2026-01-05T10:00:00Z
const T: i64 = 1_767_607_200_000_000;

fn utc() -> TimeContext {
    TimeContext::utc(T)
}

#[test]
fn every_written_form_of_one_instant_is_that_instant() {
    for text in [
        "2026-01-05T10:00:00Z",
        "2026-01-05 10:00:00",
        "2026-01-05T11:00:00+01:00",
        "2026-01-05T11:00:00.000+0100",
        "2026-01-05t10:00:00z",
        "2026/01/05 10:00:00",
        "2026-01-05T04:30:00-0530",
        "2026-01-05 11:00:00 +01:00",
        "2026-01-05 10:00:00 UTC",
        "Jan  5 10:00:00",
        "Jan 05 10:00:00",
        "Jan 5 10:00:00",
        "January 5 10:00:00",
        "2026-01-05-10.00.00.000000",
        "Jan 05 2026 10:00:00",
        "Jan  5 10:00:00 2026",
        "Mon Jan  5 10:00:00 2026",
        "Jan  5 2026 11:00:00 CET",
        "Jan 05 10:00:00 UTC",
        "Jan 5 11:00:00 UTC+1",
        "05/Jan/2026:11:00:00 +0100",
        "1767607200",
        "1767607200.000",
        "1767607200000",
        "1767607200000000",
        "1767607200000000000",
    ] {
        assert_eq!(utc().any(text.as_bytes()), Some(T), "{text}");
    }
}

#[test]
fn digits_finer_than_a_microsecond_are_cut_off() {
    assert_eq!(utc().iso(b"2026-01-05T10:00:00.123456999Z"), Some(T + 123_456));
    assert_eq!(utc().iso(b"2026-01-05T10:00:00,5Z"), Some(T + 500_000));
    assert_eq!(epoch(b"1767607200.0000019"), Some(T + 1));
    assert_eq!(epoch(b"1767607200123456789"), Some(T + 123_456));
}

#[test]
fn a_stamp_without_a_year_takes_the_one_nearest_to_receipt() {
    let new_year = TimeContext::utc(utc().iso(b"2026-01-01T00:30:00Z").unwrap());
    assert_eq!(new_year.bsd(b"Dec 31 23:59:59"), utc().iso(b"2025-12-31T23:59:59Z"));
    let new_years_eve = TimeContext::utc(utc().iso(b"2025-12-31T23:00:00Z").unwrap());
    assert_eq!(new_years_eve.bsd(b"Jan  1 00:10:00"), utc().iso(b"2026-01-01T00:10:00Z"));
    let read_in_autumn = TimeContext::utc(utc().iso(b"2026-11-21T00:00:00Z").unwrap());
    assert_eq!(
        read_in_autumn.bsd(b"Jan  5 09:00:00"),
        utc().iso(b"2026-01-05T09:00:00Z"),
        "an old log is no log of next year"
    );
    assert_eq!(utc().bsd(b"Feb 29 10:00:00"), None, "no leap year in 2025..=2027");
}

#[test]
fn a_doubled_or_missing_hour_is_read_nearest_to_receipt() {
    let berlin = |received: &[u8]| of("Europe/Berlin", received);
    assert_eq!(berlin(b"2026-10-25T00:31:00Z").iso(b"2026-10-25 02:30:00"), utc().iso(b"2026-10-25T00:30:00Z"));
    assert_eq!(berlin(b"2026-10-25T01:31:00Z").iso(b"2026-10-25 02:30:00"), utc().iso(b"2026-10-25T01:30:00Z"));
    assert_eq!(berlin(b"2026-03-29T00:31:00Z").iso(b"2026-03-29 02:30:00"), utc().iso(b"2026-03-29T00:30:00Z"));
    assert_eq!(berlin(b"2026-07-01T00:00:00Z").bsd(b"Jul  1 12:00:00"), utc().iso(b"2026-07-01T10:00:00Z"));
}

fn of(zone: &str, received: &[u8]) -> TimeContext {
    TimeContext::new(utc().iso(received).unwrap(), Zone::Named(TimeZone::get(zone).unwrap()))
}

#[test]
fn a_zones_name_means_what_its_own_clocks_say() {
    let at = |text: &[u8]| utc().iso(text);
    // the doubled hour is told apart by the name, whatever was received when
    let berlin = of("Europe/Berlin", b"2026-10-25T09:00:00Z");
    assert_eq!(berlin.bsd(b"Oct 25 2026 02:30:00 CEST"), at(b"2026-10-25T00:30:00Z"));
    assert_eq!(berlin.bsd(b"Oct 25 2026 02:30:00 CET"), at(b"2026-10-25T01:30:00Z"));
    assert_eq!(berlin.bsd(b"Oct 25 02:30:00 CET"), at(b"2026-10-25T01:30:00Z"));
    for (zone, text, expected) in [
        ("Asia/Kolkata", &b"2026-07-01 10:00:00 IST"[..], &b"2026-07-01T04:30:00Z"[..]),
        ("Europe/Dublin", b"2026-07-01 10:00:00 IST", b"2026-07-01T09:00:00Z"),
        ("Asia/Jerusalem", b"2026-01-05 10:00:00 IST", b"2026-01-05T08:00:00Z"),
        ("Asia/Shanghai", b"2026-07-01 10:00:00 CST", b"2026-07-01T02:00:00Z"),
        ("America/Chicago", b"2026-01-05 10:00:00 CST", b"2026-01-05T16:00:00Z"),
        // another zone's name is not ours to read: the table says
        ("Europe/Berlin", b"2026-01-05 10:00:00 EST", b"2026-01-05T15:00:00Z"),
    ] {
        assert_eq!(of(zone, b"2026-07-01T00:00:00Z").iso(text), at(expected), "{zone}");
    }
}

#[test]
fn a_zones_name_can_be_said_to_mean_another() {
    let mut context = utc();
    context.zone_names.push(("EST".into(), 10 * 3600));
    assert_eq!(context.bsd(b"Jan  5 20:00:00 est"), Some(T));
    assert_eq!(context.bsd(b"Jan  5 2026 11:00:00 CET"), Some(T));
    assert_eq!(context.iso(b"2026-01-05 11:00:00 +01:00"), Some(T), "a number says it itself");
}

#[test]
fn an_epoch_is_exact_to_the_microsecond_in_every_unit() {
    let us = T + 123_456;
    for text in [
        "1767607200.123456",
        "1767607200.1234569",
        "1767607200123.456",
        "1767607200123456",
        "1767607200123456.9",
        "1767607200123456789",
        "1.767607200123456e9",
        "1.767607200123456789E+18",
        "17676072001234567e2",
    ] {
        assert_eq!(utc().any(text.as_bytes()), Some(us), "{text}");
    }
    for text in ["1e999999999999", "1.5e-3", "e9", ".5e9", "1e", "1.2.3e4", "99999999999999999999e1", "1e21"] {
        assert_eq!(epoch(text.as_bytes()), None, "{text}");
    }
    assert_eq!(epoch(b"0"), Some(0), "read as it is; that it is implausible is said of the row");
}

#[test]
fn what_is_no_time_is_none() {
    for text in [
        "",
        "Jan",
        "2026-13-05T10:00:00Z",
        "2026-02-30T10:00:00Z",
        "2026-01-05T25:00:00Z",
        "99999999999999999999999",
        "1.2.3.4",
        "Foo  5 10:00:00",
        "-5",
    ] {
        assert_eq!(utc().any(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn windows_dates_have_the_month_first() {
    assert_eq!(utc().resolve(&us_date(b"1/5/2026 10:00:00 AM").unwrap()), Some(T));
    assert_eq!(utc().resolve(&us_date(b"01/05/2026 12:00:00 AM").unwrap()), Some(T - 10 * 3600 * SECOND_US));
}

proptest! {
    #[test]
    fn days_and_dates_are_inverse(days in -700_000i64..700_000) {
        let (year, month, day) = civil_from_days(days);
        prop_assert_eq!(days_from_civil(year, month, day), days);
    }

    #[test]
    fn no_bytes_make_it_panic(text in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = utc().any(&text);
        let _ = (iso(&text), bsd(&text), clf(&text), us_date(&text), epoch(&text), zone(&text));
    }

    #[test]
    fn near_misses_do_not_panic(text in "[0-9A-Za-z:/., +\\-]{0,40}") {
        let _ = utc().any(text.as_bytes());
        let _ = (iso(text.as_bytes()), bsd(text.as_bytes()), clf(text.as_bytes()), us_date(text.as_bytes()));
    }

    /// The twin asks the zone's own transitions for every instant that shows this time on the wall.
    #[test]
    fn a_local_time_is_read_as_an_instant_that_shows_it(us in 1_735_689_600_000_000i64..1_798_761_600_000_000, ahead in -3i64..3, zone in 0usize..4) {
        let name = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"][zone];
        let zone = TimeZone::get(name).unwrap();
        let minute = us - us.rem_euclid(60_000_000);
        let shown = |us: i64| jiff::Timestamp::from_microsecond(us).unwrap().to_zoned(zone.clone()).datetime();
        let text = shown(minute).strftime("%Y-%m-%d %H:%M:%S").to_string();
        let context = TimeContext::new(minute + ahead * 1_800_000_000, Zone::Named(zone.clone()));
        let read = context.iso(text.as_bytes()).unwrap();
        prop_assert_eq!(shown(read), shown(minute), "{} {}", name, text);
        // of two instants an hour or half apart, the one nearer to receipt
        for other in [minute - 3_600_000_000, minute + 3_600_000_000, minute - 1_800_000_000, minute + 1_800_000_000, minute] {
            if shown(other) == shown(minute) {
                prop_assert!(read.abs_diff(context.received_us) <= other.abs_diff(context.received_us));
            }
        }
    }

    #[test]
    fn written_and_read_again_is_the_same(us in 0i64..4_102_444_800_000_000) {
        let (year, month, day) = civil_from_days(us.div_euclid(DAY_US));
        let s = us.rem_euclid(DAY_US) / SECOND_US;
        let text = format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:06}Z", s / 3600, s / 60 % 60, s % 60, us % SECOND_US);
        prop_assert_eq!(utc().iso(text.as_bytes()), Some(us));
    }
}
