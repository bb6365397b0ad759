//! Lines from hell: none makes a parser panic, loop, or answer differently when the input is cut differently.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::{Random, fixture_lines, fixtures, lines, mutate, run};
use parsers::{FAMILIES, Format};

#[test]
fn ten_thousand_mutations_are_each_an_event_or_a_reject_whatever_the_splitting() {
    let originals = fixture_lines();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mutated: Vec<Vec<u8>> =
        (0..10_000).map(|_| mutate(&originals[random.below(originals.len())], &mut random)).collect();
    let text = mutated.join(&b'\n');
    let formats = (0..FAMILIES.len()).map(Format::Family).chain([Format::Auto]);
    for format in formats {
        let whole = run(format, &text, usize::MAX);
        assert_eq!(whole.len(), mutated.len(), "one outcome a line");
        let split = run(format, &text, 7);
        for (at, (whole, split)) in whole.iter().zip(&split).enumerate() {
            assert_eq!(whole, split, "{} line {at}: {}", format.name(), String::from_utf8_lossy(&mutated[at]));
            if let Err(reject) = whole {
                assert!(
                    reject.offset <= mutated[at].len(),
                    "{} line {at}: offset {} of {}",
                    format.name(),
                    reject.offset,
                    mutated[at].len()
                );
            }
        }
    }
}

#[test]
fn long_and_deep_lines_end_in_bounded_time() {
    let mut text: Vec<Vec<u8>> = vec![
        vec![b'a'; 1 << 20],
        vec![0; 1 << 20],
        vec![b'['; 1 << 20],
        vec![b'"'; 1 << 20],
        b"{\"a\":".repeat(1 << 17),
        b"{\"a\":[".repeat(1 << 17),
        b"\\\"".repeat(1 << 19),
        b"<134>".repeat(1 << 17),
        b"a=\"".repeat(1 << 18),
        b"a=b ".repeat(1 << 18),
        b"<a b='".repeat(1 << 17),
        b"<a>".repeat(1 << 18),
        b"\"x,".repeat(1 << 18),
        b"{,".repeat(1 << 19),
        b", User: ".repeat(1 << 17),
        b"%ASA-6-302013: Built ".repeat(1 << 15),
        [&b"{\"message\":\""[..], &b"\\\\".repeat(1 << 19), b"\"}"].concat(),
        [&b"<165>1 2026-01-05T10:00:00Z h a p m ["[..], &b"x y=\"z\" ".repeat(1 << 17)].concat(),
    ];
    let ended_by_none = |line: &[u8]| {
        // the beginning of a true line, with a tail that never ends
        let half = &line[..line.len() / 2];
        [
            [half, &b"(".repeat(1 << 14)].concat(),
            [half, &b" from a to b ".repeat(1 << 11)].concat(),
            [half, &b",\"".repeat(1 << 13)].concat(),
            [half, &b"=\\".repeat(1 << 13)].concat(),
        ]
    };
    text.extend(fixture_lines().iter().step_by(97).flat_map(|line| ended_by_none(line)));
    for format in (0..FAMILIES.len()).map(Format::Family).chain([Format::Auto]) {
        let mut text = text.clone();
        if let Format::Family(index) = format {
            let own = fs::read(fixtures().join(FAMILIES[index].name()).join("lines.log")).unwrap();
            text.extend(lines(&own).iter().step_by(2).flat_map(|line| ended_by_none(line)));
        }
        text.iter_mut().for_each(|line| line.retain(|&byte| byte != b'\n'));
        assert_eq!(run(format, &text.join(&b'\n'), usize::MAX).len(), text.len(), "{}", format.name());
    }
}

#[test]
fn an_envelope_gives_what_the_line_inside_gives() {
    for (index, family) in FAMILIES.iter().enumerate() {
        if family.accepts() != parsers::Accepts::Lines {
            continue;
        }
        let text = fs::read(fixtures().join(family.name()).join("lines.log")).unwrap();
        let plain = run(Format::Family(index), &text, 1000);
        let wrapped: Vec<String> = lines(&text)
            .iter()
            .filter_map(|line| std::str::from_utf8(line).ok())
            .map(|line| {
                if line.starts_with('{') {
                    line.to_string()
                } else {
                    serde_json::json!({ "message": line, "tags": [] }).to_string()
                }
            })
            .collect();
        let wrapped = run(Format::Family(index), wrapped.join("\n").as_bytes(), 1000);
        for (at, (plain, wrapped)) in plain.iter().zip(&wrapped).enumerate() {
            assert_eq!(plain.as_ref().ok(), wrapped.as_ref().ok(), "{} line {}", family.name(), at + 1);
        }
    }
}
