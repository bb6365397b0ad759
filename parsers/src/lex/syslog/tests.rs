//! Headers as they are seen in the wild, one line a damage.

use super::*;
use proptest::prelude::*;

const T: i64 = 1_767_607_200_000_000; // 2026-01-05T10:00:00Z

/// Host, app, pid, body; the time is that of the constant unless the header has none.
fn check(line: &str, host: &str, app: &str, pid: &str, body: &str) {
    let (header, at) = header(line.as_bytes(), &TimeContext::utc(T));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(
        (text(header.host), text(header.app), text(header.pid), text(&line.as_bytes()[at..])),
        (host.into(), app.into(), pid.into(), body.into()),
        "{line}"
    );
    if let Some(us) = header.time_us {
        assert_eq!(us, T, "{line}");
    }
}

#[test]
fn rfc_3164_and_its_relatives() {
    check("<86>Jan  5 10:00:00 lnx1 sshd[42]: text", "lnx1", "sshd", "42", "text");
    check("Jan 05 10:00:00 lnx1 sudo: text", "lnx1", "sudo", "", "text");
    check("2026-01-05T10:00:00.000000+00:00 lnx1 su(pam_unix)[7]: text", "lnx1", "su(pam_unix)", "7", "text");
    check("Jan  5 10:00:00 sshd[42]: text", "", "sshd", "42", "text");
    check("Jan  5 10:00:00 lnx1 last message repeated 3 times", "lnx1", "", "", "last message repeated 3 times");
    check("<13>Jan  5 10:00:00 lnx1 kernel: [12.5] IN=eth0", "lnx1", "kernel", "", "[12.5] IN=eth0");
    check(
        "<134>Jan  5 10:00:00 fw1 1,2026/01/05 10:00:00,0123,TRAFFIC",
        "fw1",
        "",
        "",
        "1,2026/01/05 10:00:00,0123,TRAFFIC",
    );
    check("<134>Jan  5 10:00:00 fw1 CEF:0|A|B|1|2|n|3|src=192.0.2.1", "fw1", "", "", "CEF:0|A|B|1|2|n|3|src=192.0.2.1");
    check("<134>Jan  5 10:00:00 fw1 CEF: 0|A|B", "fw1", "", "", "CEF: 0|A|B");
    check(
        "<189>date=2026-01-05 time=10:00:00 devname=\"x\"",
        "",
        "",
        "",
        "date=2026-01-05 time=10:00:00 devname=\"x\"",
    );
    check("<30>filterlog[9]: 5,,,1", "", "filterlog", "9", "5,,,1");
    check("sshd[42]: text", "", "sshd", "42", "text");
    check("<14>Jan 05 2026 10:00:00 page.cgi: mgmt: admin", "", "page.cgi", "", "mgmt: admin");
}

#[test]
fn ciscos_headers() {
    check("<166>Jan 05 2026 10:00:00 fw1 : %ASA-6-302013: Built", "fw1", "", "", "%ASA-6-302013: Built");
    check("<166>Jan 05 2026 10:00:00: %ASA-6-302013: Built", "", "", "", "%ASA-6-302013: Built");
    check("<166>:: %ASA-6-302013: Built", "", "", "", "%ASA-6-302013: Built");
    check("<166>%ASA-6-302013: Built", "", "", "", "%ASA-6-302013: Built");
    check("%ASA-6-302013: Built", "", "", "", "%ASA-6-302013: Built");
    check("2026-01-05T10:00:00Z fw1  %FTD-1-430002: A: b", "fw1", "", "", "%FTD-1-430002: A: b");
    check("2026-01-05T10:00:00Z   %FTD-1-430002: A: b", "", "", "", "%FTD-1-430002: A: b");
    check("Jan 05 2026 10:00:00 fw1: %ASA-6-302013: Built", "fw1", "", "", "%ASA-6-302013: Built");
    check("<189>45: r1: 000123: *Jan  5 11:00:00.000 CET: %SYS-5-CONFIG_I: x", "r1", "", "", "%SYS-5-CONFIG_I: x");
    check("<189>45: .Jan  5 10:00:00.000: %SYS-5-CONFIG_I: x", "", "", "", "%SYS-5-CONFIG_I: x");
    check("<189>45: 1w2d: %SYS-5-CONFIG_I: x", "", "", "", "%SYS-5-CONFIG_I: x");
    check("r1: Jan  5 2026 11:00:00.000 CET: %SYS-5-CONFIG_I: x", "r1", "", "", "%SYS-5-CONFIG_I: x");
    check("<189>50: r1: %SYS-5-CONFIG_I: x", "r1", "", "", "%SYS-5-CONFIG_I: x");
    check("<189>: 2026 Jan  5 11:00:00 CET: %SYS-5-CONFIG_I: x", "", "", "", "%SYS-5-CONFIG_I: x");
    check("Jan  5 10:00:01 192.0.2.1 45: Jan  5 10:00:00.000: %SYS-5-X: x", "192.0.2.1", "", "", "%SYS-5-X: x");
    check("Jan  5 10:00:01 192.0.2.1 45: r1: 7: *Jan  5 10:00:00: %SYS-5-X: x", "r1", "", "", "%SYS-5-X: x");
    check("000123: Jan  5 05:00:00 EST: %SYS-5-CONFIG_I: x", "", "", "", "%SYS-5-CONFIG_I: x");
    check("<134>1 1767607200.000000001 mx_1 flows src=192.0.2.1", "mx_1", "", "", "flows src=192.0.2.1");
    let (marks, _) = header(b"<189>45: *Jan  5 11:00:00: %SYS-5-X: x", &TimeContext::utc(T));
    assert_eq!((marks.clock, marks.sequence), (ClockTrust::NeverSet, &b"45"[..]));
}

#[test]
fn a_relays_header_before_the_devices() {
    check("<13>Jan  5 10:00:03 relay1 <166>Jan 05 2026 10:00:00: %ASA-6-1: x", "relay1", "", "", "%ASA-6-1: x");
    check("Jan  5 10:00:03 fw1 : Jan  5 11:00:00 CET: %ASA-6-1: x", "fw1", "", "", "%ASA-6-1: x");
    check("<13>Jan  5 10:00:03 relay1 Jan 05 2026 10:00:00 fw1 : %ASA-6-1: x", "fw1", "", "", "%ASA-6-1: x");
    check("<134><134>Jan  5 10:00:00 h app[1]: x", "h", "app", "1", "x");
    check("<13>Jan  5 10:00:00 h app[1]: 2026-01-06 INFO", "h", "app", "1", "2026-01-06 INFO");
    let (outer, _) = header(b"<13>Jan  5 10:00:03 relay1 Jan 05 2026 10:00:00 fw1 : %ASA-6-1: x", &TimeContext::utc(T));
    assert_eq!((outer.relay, outer.headers), (&b"relay1"[..], 2));
}

#[test]
fn rfc_5424_with_structured_data_and_its_damage() {
    check(
        "<165>1 2026-01-05T10:00:00.000Z h app 7 ID1 [x@1 a=\"b ] \\\" c\"][y d=\"\"] \u{feff}text",
        "h",
        "app",
        "7",
        "text",
    );
    check("<165>1 - - - - - -", "", "", "", "");
    check("<165>1 2026-01-05T10:00:00 h app - - text", "h", "app", "", "text");
    check("<165>1 Jan  5 10:00:00 h app 1 2 - text", "h", "app", "1", "text");
    let line = b"<165>1 2026-01-05T10:00:00Z h a - - [x@1 a=\"1\" b=\"2\" c=\"cut";
    let (cut, at) = header(line, &TimeContext::utc(T));
    assert!(cut.truncated && at == line.len());
    let pairs: Vec<_> = parameters(cut.structured).collect();
    assert_eq!(pairs, [(&b"x@1"[..], &b"a"[..], &b"1"[..]), (b"x@1", b"b", b"2")]);
    let without_id: Vec<_> = parameters(b"[a=\"1\" b=\"2\"]").collect();
    assert_eq!(without_id, [(&b""[..], &b"a"[..], &b"1"[..]), (b"", b"b", b"2")]);
}

#[test]
fn a_body_that_begins_with_a_time_is_no_header_of_an_application() {
    check("1767607200.123    42 192.0.2.1 TCP_MISS/200", "", "", "", "1767607200.123    42 192.0.2.1 TCP_MISS/200");
    check("{\"a\":1}", "", "", "", "{\"a\":1}");
    check("just words: and more", "", "", "", "just words: and more");
    check("2026/01/05 10:00:00 [error] 1200#0: *31 text", "", "", "", "[error] 1200#0: *31 text");
}

#[test]
fn repetitions_are_recognised() {
    assert_eq!(
        repetition(b"message repeated 3 times: [ Failed password]"),
        Some(Repetition::Of { times: 3, body: b"Failed password" })
    );
    assert_eq!(repetition(b"last message repeated 5 times"), Some(Repetition::OfLast { times: 5 }));
    assert_eq!(repetition(b"message repeated x times"), None);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_and_the_body_is_the_lines_end(line in "(<[0-9]{0,4}>)?[0-9A-Z1: \\[\\]%.*-]{0,30}(Jan  5 10:00:00|2026-01-05T10:00:00Z| |: )?[a-z0-9: \\[\\]%\"<>-]{0,40}") {
        let (header, at) = header(line.as_bytes(), &TimeContext::utc(T));
        prop_assert!(at <= line.len());
        let _ = parameters(header.structured).count();
    }

    #[test]
    fn not_even_arbitrary_bytes(line in proptest::collection::vec(any::<u8>(), 0..100)) {
        let (header, _) = header(&line, &TimeContext::utc(T));
        let _ = parameters(header.structured).count();
    }
}

proptest! {
    #[test]
    fn a_header_that_came_before_says_what_it_says_when_it_is_read(
        pieces in proptest::collection::vec((0usize..8, 0usize..9, 0usize..10, 0usize..6), 1..40),
        named: bool,
    ) {
        const BEFORE: [&str; 8] = ["<166>", "<166>1 ", "", "<189>17: ", "<166>: ", "17: ", "<6>r1: 5: ", "<14>Jan  5 2026 10:00:00 relay "];
        const TIMES: [&str; 9] = [
            "Jan 05 2026 08:59:59", "Jan  5 08:59:59", "2026-01-05T08:59:59Z", "*Jan  5 2026 08:59:59.123", "",
            "Jan 05 2026 08:59:59 CET", "2026-10-25T02:30:00", "2026-01-05T08:59:59.5+01:00", "Jan 05 2026 08:59:59:",
        ];
        const HOSTS: [&str; 10] =
            [": ", " fw-1 : ", " fw-1: ", " 192.0.2.1 ", " fw-2 asa: ", " ", " fw%1 ", " 9: ", " fw-1 asa[12]: ", " fw-1 - - - "];
        const BODIES: [&str; 6] =
            ["%ASA-6-302013: Built", "%ASA-6-1: x", "%", "SEC-6: %ASA-6-302013: Built", "% 5: <14>x", "%ASA: 17: %X"];
        let zone = if named { time::Zone::Named(jiff::tz::TimeZone::get("Europe/Berlin").expect("a zone of the data base")) } else { time::Zone::Utc };
        let mut context = TimeContext::new(1_767_607_200_000_000, zone);
        let mut recent = Recent::default();
        for (before, time, host, body) in pieces {
            context.received_us += 40 * 86_400_000_000;
            let line = [BEFORE[before], TIMES[time], HOSTS[host], BODIES[body]].concat();
            for line in [line.as_bytes(), line.trim_end_matches('%').as_bytes()] {
                let mut seen = Header::default();
                let end = recent.header_into(line, &context, &mut seen);
                proptest::prop_assert_eq!((seen, end), header(line, &context), "{}", String::from_utf8_lossy(line));
            }
        }
    }
}

#[test]
fn the_headers_of_a_second_are_kept_and_those_of_the_next_take_their_place() {
    let context = TimeContext::utc(0);
    let mut recent = Recent::default();
    for second in 0..30 {
        for host in 0..20 {
            let line = format!("<166>Jan 05 2026 08:59:{second:02} fw-{host} : %ASA-6-302013: Built");
            for _ in 0..2 {
                let mut seen = Header::default();
                let end = recent.header_into(line.as_bytes(), &context, &mut seen);
                assert_eq!((seen, end), header(line.as_bytes(), &context), "{line}");
            }
        }
    }
}
