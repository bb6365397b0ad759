//! Each unit by examples, and all of them by the law that pieces make no difference.

use proptest::prelude::*;

use super::*;

const UNITS: [Unit; 7] =
    [Unit::Line, Unit::Counted, Unit::Nul, Unit::WindowsText, Unit::WindowsXml, Unit::Json, Unit::Continued];

fn cut(framing: Framing, limit: usize, pieces: &[&[u8]]) -> Vec<(u64, String)> {
    let mut framer = Framer::new(framing, limit);
    let mut out = Records::default();
    pieces.iter().for_each(|piece| framer.push(piece, &mut out));
    framer.finish(&mut out);
    let text = |frame: &Frame| String::from_utf8_lossy(&out.bytes[frame.start..frame.start + frame.len]).into_owned();
    out.frames.iter().map(|frame| (frame.number, text(frame))).collect()
}

/// What the guessed framing makes of a text, and that it is the one that was meant.
fn check(unit: Unit, text: &[u8], expected: &[(u64, &str)]) {
    let framing = Framing::guess(text);
    assert_eq!(framing.unit, unit, "{}", String::from_utf8_lossy(text));
    let expected: Vec<_> = expected.iter().map(|(number, text)| (*number, text.to_string())).collect();
    assert_eq!(cut(framing, 1000, &[text]), expected);
    let bytes: Vec<&[u8]> = text.chunks(1).collect();
    assert_eq!(cut(framing, 1000, &bytes), expected, "byte by byte");
}

#[test]
fn lines_are_lines() {
    check(Unit::Line, b"one\r\n\r\n\nfour\nlast", &[(1, "one"), (4, "four"), (5, "last")]);
    check(Unit::Line, b"{\"a\":1}\n{\"a\":2}\n", &[(1, "{\"a\":1}"), (2, "{\"a\":2}")]);
    check(Unit::Line, b"{\"a\":1,\n{\"a\":2}\n", &[(1, "{\"a\":1,"), (2, "{\"a\":2}")]);
    check(Unit::Line, b"[{\"a\":1},{\"a\":2}]\n[]\n", &[(1, "[{\"a\":1},{\"a\":2}]"), (2, "[]")]);
    for text in [&b"1700000000.123 x\ny"[..], b"000123: %SYS-5-X: y\n", b"2026-01-05 <x\n", b"12 x\n", b"0 <1>x\n"] {
        assert_eq!(Framing::guess(text), Framing::LINES, "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn a_count_says_how_long_a_message_is() {
    check(Unit::Counted, b"8 <13>a b\n7 <13>c\nd\n\n\n7 <13>e f", &[(1, "<13>a b"), (2, "<13>c\nd"), (3, "<13>e f")]);
    check(Unit::Counted, b"5 <13>a5 <13>b5 <13>c", &[(1, "<13>a"), (2, "<13>b"), (3, "<13>c")]);
}

#[test]
fn after_a_wrong_count_the_next_line_is_right_again() {
    let text = b"5 <13>a more\n5 <13>b0 <13>c\n9999999 <13>d\n5x\n5 <13>e";
    let expected = ["<13>a", " more", "<13>b", "0 <13>c", "9999999 <13>d", "5x", "<13>e"];
    check(Unit::Counted, text, &std::array::from_fn::<_, 7, _>(|at| (at as u64 + 1, expected[at])));
    let mut framer = Framer::new(Framing::guess(text), 1000);
    let mut out = Records::default();
    framer.push(text, &mut out);
    framer.finish(&mut out);
    assert_eq!(framer.damaged(), 4);
}

#[test]
fn a_nul_ends_a_message_where_no_line_feed_does() {
    check(Unit::Nul, b"<13>a\0<13>b\0", &[(1, "<13>a"), (2, "<13>b")]);
    check(Unit::Line, b"<13>a\0b\n<13>c\n", &[(1, "<13>a\0b"), (2, "<13>c")]);
}

#[test]
fn a_windows_event_reaches_to_the_next_date() {
    let text = b"05/04/2026 09:12:31 AM\r\nLogName=Security\r\nEventCode=4625\r\nMessage=An account failed.\r\n\r\nSubject:\r\n\tSecurity ID:\t\tS-1-0-0\r\n05/04/2026 09:12:32 PM\r\nLogName=System\r\n";
    check(
        Unit::WindowsText,
        text,
        &[
            (
                1,
                "05/04/2026 09:12:31 AM\r\nLogName=Security\r\nEventCode=4625\r\nMessage=An account failed.\r\n\r\nSubject:\r\n\tSecurity ID:\t\tS-1-0-0",
            ),
            (8, "05/04/2026 09:12:32 PM\r\nLogName=System"),
        ],
    );
    check(
        Unit::WindowsText,
        b"\n20260504091231.000000\nCategory=2\nEventCode=1\n20260504091232.000000\nCategory=3",
        &[(2, "20260504091231.000000\nCategory=2\nEventCode=1"), (5, "20260504091232.000000\nCategory=3")],
    );
}

#[test]
fn lines_before_the_first_windows_event_stand_for_themselves() {
    check(
        Unit::WindowsText,
        b"\tAccount Name:\t\tjdoe\none more\n05/04/2026 09:12:31 AM\nLogName=Security\nEventCode=4634\n",
        &[
            (1, "\tAccount Name:\t\tjdoe"),
            (2, "one more"),
            (3, "05/04/2026 09:12:31 AM\nLogName=Security\nEventCode=4634"),
        ],
    );
    check(
        Unit::WindowsText,
        b"LogName=Security\nEventCode=4634\nMessage=x\n\n\ty\nLogName=System\r\nEventCode=7045\n",
        &[(1, "LogName=Security\nEventCode=4634\nMessage=x\n\n\ty"), (6, "LogName=System\r\nEventCode=7045")],
    );
    check(
        Unit::Line,
        b"LogName=Security EventCode=4634\nLogName=Security EventCode=4625\n",
        &[(1, "LogName=Security EventCode=4634"), (2, "LogName=Security EventCode=4625")],
    );
}

#[test]
fn a_windows_event_as_xml_is_a_record_whatever_its_lines() {
    let event = "<Event xmlns='x'>\r\n  <System>\n    <EventID>1</EventID>\n  </System>\n</Event>";
    check(Unit::WindowsXml, format!("{event}\n{event}").as_bytes(), &[(1, event), (6, event)]);
    let one = "<Event xmlns='x'><EventData><Data>a &gt; b</Data></EventData></Event>";
    check(
        Unit::WindowsXml,
        format!("<?xml version=\"1.0\"?>\n<Events>{one}{one}</Events>").as_bytes(),
        &[(2, one), (3, one)],
    );
    check(
        Unit::WindowsXml,
        format!("- <Event>\n- <System />\n  </Event>\n-- <no event\n<13>a line\n- {one}\n<Event>\ncut off").as_bytes(),
        &[
            (1, "<Event>\n- <System />\n  </Event>"),
            (4, "-- <no event"),
            (5, "<13>a line"),
            (6, one),
            (7, "<Event>\ncut off"),
        ],
    );
    check(Unit::Line, format!("{one}\n{one}\n").as_bytes(), &[(1, one), (2, one)]);
}

#[test]
fn json_over_several_lines_is_one_record_a_value() {
    check(
        Unit::Json,
        b"{\n  \"a\": \"} \\\" {\",\n  \"b\": [1, {}]\n}\n{\n  \"a\": 2\n} {\"a\":3}\n",
        &[(1, "{\n  \"a\": \"} \\\" {\",\n  \"b\": [1, {}]\n}"), (5, "{\n  \"a\": 2\n}"), (7, "{\"a\":3}")],
    );
    check(
        Unit::Json,
        b"[\n  {\n    \"a\": 1\n  },\n  {\"a\": 2}\n]\nno JSON\n",
        &[(2, "{\n    \"a\": 1\n  }"), (5, "{\"a\": 2}"), (7, "no JSON")],
    );
}

#[test]
fn a_message_is_cut_where_it_is_several_records() {
    let unit = |message: &[u8]| Framing::of_message(message).map(|framing| framing.unit);
    for one in
        [&b"{\n  \"a\": 1\n}\n{\n  \"a\": 2\n}"[..], b"{\"a\": \"} \\\" {\"\n, \"b\": 2}", b"[{\"a\":1}\n,{\"a\":2}]"]
    {
        assert_eq!(unit(one), None, "{}", String::from_utf8_lossy(one));
    }
    for lines in [&b""[..], b"<13>a line\n", b"{\"a\":1}\n"] {
        assert_eq!(unit(lines), Some(Unit::Line), "{}", String::from_utf8_lossy(lines));
    }
    assert_eq!(unit(b"<13>a\n<13>b"), Some(Unit::Line));
    assert_eq!(unit(b"{\"a\":\"\\\"}{\"}\n{\"a\":2}\n"), Some(Unit::Line));
    assert_eq!(unit(b"]}\n{}"), Some(Unit::Line));
    assert_eq!(unit(b"5 <13>a5 <13>b"), Some(Unit::Counted));
    assert_eq!(unit(b"05/04/2026 09:12:31 AM\nLogName=Security\nEventCode=1"), Some(Unit::WindowsText));
    assert_eq!(unit(b"<Event>\n<System/>\n</Event>"), Some(Unit::WindowsXml));
    assert_eq!(unit(b"\xff\xfea\0"), Some(Unit::Line));
}

#[test]
fn a_torn_value_costs_only_itself() {
    check(
        Unit::Json,
        b"{\n  \"a\": 1,\n  \"b\": \"cut off\n{\n  \"a\": 2\n}",
        &[(1, "{\n  \"a\": 1,\n  \"b\": \"cut off"), (4, "{\n  \"a\": 2\n}")],
    );
}

#[test]
fn a_line_that_begins_with_a_blank_goes_on() {
    let framing = Framing { coding: Coding::Bytes, unit: Unit::Continued };
    let text = b"one\n  goes on\n\n\ttoo\ntwo\n";
    let expected = [(1, "one\n  goes on\n\n\ttoo".to_string()), (5, "two".to_string())];
    assert_eq!(cut(framing, 1000, &[text]), expected);
}

#[test]
fn utf_16_is_read_with_its_byte_order_mark() {
    let text = "date=2026-01-05 user=\"Zoë 😀\"\r\nsecond\n";
    for (mark, bytes) in [
        ([0xff, 0xfe], text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()),
        ([0xfe, 0xff], text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>()),
    ] {
        let file = [&mark[..], &bytes].concat();
        check(Unit::Line, &file, &[(1, "date=2026-01-05 user=\"Zoë 😀\""), (2, "second")]);
    }
    let torn = [0xff, 0xfe, b'a', 0, 0x3d, 0xd8, b'b', 0, 0x3d, 0xd8, b'c'];
    check(Unit::Line, &torn, &[(1, "a\u{fffd}b\u{fffd}")]);
}

#[test]
fn a_record_over_the_limit_is_cut_and_the_next_is_whole() {
    for (unit, text) in [
        (Unit::Line, "x".repeat(50) + "\nnext"),
        (Unit::Nul, "x".repeat(50) + "\0next"),
        (Unit::Counted, "50 ".to_string() + &"x".repeat(50) + "\n4 next"),
        (Unit::Continued, "x\n".to_string() + &" xx\n".repeat(30) + "next"),
        (Unit::WindowsXml, "<Event>".to_string() + &"<Data/>\n".repeat(20) + "</Event>\nnext"),
        (Unit::Json, "{\"x\":[".to_string() + &"1,\n".repeat(20) + "0]}\nnext"),
    ] {
        let found = cut(Framing { coding: Coding::Bytes, unit }, 20, &[text.as_bytes()]);
        let lengths: Vec<usize> = found.iter().map(|(_, text)| text.len()).collect();
        assert!(lengths[0] > 20 || unit == Unit::Counted, "{unit:?} {lengths:?}");
        assert!(lengths.iter().all(|length| *length <= 21), "{unit:?} {lengths:?}");
        assert_eq!(found.last().map(|(_, text)| text.as_str()), Some("next"), "{unit:?}");
    }
}

proptest! {
    #[test]
    fn pieces_make_no_difference(
        text in "([0-9]{1,2} <13>|[{}\\[\\]\",\\\\a \n\r\0]|05/04/2026 09:12:31 AM\n|LogName=x\n|<Event>|</Event>|<Event |<Events>|- <|\\\\\"|\u{feff}|é){0,60}",
        cuts in proptest::collection::vec(0usize..400, 0..12),
        unit in 0usize..7,
        coding in 0usize..3,
        limit in 1usize..40,
    ) {
        let framing = Framing { unit: UNITS[unit], coding: [Coding::Bytes, Coding::Utf16Le, Coding::Utf16Be][coding] };
        let text = text.as_bytes();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).chain([0, text.len()]).collect();
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
        let whole = cut(framing, limit, &[text]);
        prop_assert_eq!(&cut(framing, limit, &pieces), &whole);
        prop_assert!(whole.windows(2).all(|pair| pair[0].0 < pair[1].0), "numbers rise");
        prop_assert!(whole.iter().all(|(_, record)| coding > 0 || record.len() <= 3 * (limit + 1)));
    }

    #[test]
    fn lines_are_what_splitting_gives(text in "[ab\r\n]{0,80}") {
        let expected: Vec<(u64, String)> = text
            .split('\n')
            .enumerate()
            .map(|(at, line)| (at as u64 + 1, line.trim_ascii_end().to_string()))
            .filter(|(_, line)| !line.trim_ascii().is_empty())
            .collect();
        prop_assert_eq!(cut(Framing::LINES, 1000, &[text.as_bytes()]), expected);
    }
}
