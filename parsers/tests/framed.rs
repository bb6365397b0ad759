//! A source gives the same events whatever its framing: fixtures as counted syslog, with NUL, as UTF-16, as indented JSON.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::{Random, fixtures, lines, run};
use parsers::framing::{Framer, Framing, HEAD_BYTES, RECORD_MAX, Records, Unit};
use parsers::{FAMILIES, Format};

/// The records of a source by the framing that its head shows, read in uneven pieces.
fn records(source: &[u8]) -> (Unit, Vec<Vec<u8>>) {
    let framing = Framing::guess(&source[..source.len().min(HEAD_BYTES)]);
    let mut framer = Framer::new(framing, RECORD_MAX);
    let mut out = Records::default();
    source.chunks(977).for_each(|piece| framer.push(piece, &mut out));
    framer.finish(&mut out);
    assert_eq!(framer.damaged(), 0);
    let record = |frame: &parsers::framing::Frame| out.bytes[frame.start..frame.start + frame.len].to_vec();
    (framing.unit, out.frames.iter().map(record).collect())
}

/// Fixture lines that a frame can hold unchanged: without line ends of their own, and as text.
fn clean_lines(family: &str) -> Vec<String> {
    let text = fs::read(fixtures().join(family).join("lines.log")).unwrap();
    let texts = lines(&text).into_iter().filter_map(|line| std::str::from_utf8(line).ok());
    texts.filter(|line| !line.contains(['\0', '\u{feff}']) && line.trim() == *line).map(str::to_owned).collect()
}

/// The bar of streaming: however a source is cut into pieces, it has the same records at the same places; each line of it is in one,
/// and each record is an event, nothing, or refused.
#[test]
fn fixtures_are_the_same_whole_and_in_random_pieces() {
    let mut random = Random(0x5eed_0f9e_3779_b97f);
    for (index, family) in FAMILIES.iter().enumerate() {
        for file in ["lines.log", "rejects.log"] {
            let text = fs::read(fixtures().join(family.name()).join(file)).unwrap();
            let framing = Framing::guess(&text[..text.len().min(HEAD_BYTES)]);
            let cut = |mut length: Box<dyn FnMut() -> usize>| {
                let mut framer = Framer::new(framing, RECORD_MAX);
                let mut out = Records::default();
                let mut rest = &text[..];
                while !rest.is_empty() {
                    let (piece, behind) = rest.split_at(length().clamp(1, rest.len()));
                    framer.push(piece, &mut out);
                    rest = behind;
                }
                framer.finish(&mut out);
                (out.bytes, out.frames, framer.damaged())
            };
            let whole = cut(Box::new(|| usize::MAX));
            for longest in [2, 30, 3_000] {
                let mut random = Random(random.next());
                let pieces = cut(Box::new(move || random.below(longest)));
                assert_eq!(whole, pieces, "{}/{file} in pieces of up to {longest}", family.name());
            }
            if framing.unit == Unit::Line {
                let records: Vec<&[u8]> =
                    whole.1.iter().map(|frame| &whole.0[frame.start..frame.start + frame.len]).collect();
                let is_some = |line: &&[u8]| !line.strip_suffix(b"\r").unwrap_or(line).is_empty();
                let lines: Vec<&[u8]> = lines(&text).into_iter().filter(is_some).collect();
                assert_eq!(records.len(), lines.len(), "{}/{file}", family.name());
                let [framed, plain] =
                    [records, lines].map(|lines| run(Format::Family(index), &lines.join(&b'\n'), 100));
                // a frame has lost the blanks at its end, so that a cut line may be refused one byte before them
                let facts = |outcomes: &[common::Outcome]| -> Vec<_> {
                    outcomes.iter().map(|outcome| outcome.clone().map_err(|reject| reject.family)).collect()
                };
                assert_eq!(facts(&framed), facts(&plain), "{}/{file}", family.name());
                let refused = plain.iter().filter(|outcome| outcome.is_err()).count();
                let expected = if file == "lines.log" { 0 } else { plain.len() };
                assert_eq!(refused, expected, "{}/{file}: {plain:#?}", family.name());
            }
        }
    }
}

#[test]
fn syslog_is_the_same_counted_and_with_nul_and_in_utf_16() {
    let mut seen = 0;
    for (index, family) in FAMILIES.iter().enumerate() {
        let lines = clean_lines(family.name());
        let syslog: Vec<&String> =
            lines.iter().filter(|line| line.starts_with('<') && !line.starts_with("<E")).collect();
        if syslog.is_empty() {
            continue;
        }
        seen += 1;
        let plain: Vec<u8> = syslog.iter().map(|line| line.as_str()).collect::<Vec<_>>().join("\n").into_bytes();
        let counted: String = syslog.iter().map(|line| format!("{} {line}", line.len())).collect();
        let nul: String = syslog.iter().map(|line| format!("{line}\0")).collect();
        let wide: Vec<u8> = [0xfeff]
            .into_iter()
            .chain(String::from_utf8_lossy(&plain).encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        let expected = run(Format::Family(index), &plain, 100);
        for (unit, source) in [(Unit::Counted, counted.into_bytes()), (Unit::Nul, nul.into_bytes()), (Unit::Line, wide)]
        {
            let (found, records) = records(&source);
            assert_eq!(found, unit, "{}", family.name());
            assert_eq!(run(Format::Family(index), &records.join(&b'\n'), 100), expected, "{} {unit:?}", family.name());
        }
    }
    assert!(seen > 10);
}

#[test]
fn json_is_the_same_on_one_line_and_indented() {
    let mut seen = 0;
    for (index, family) in FAMILIES.iter().enumerate() {
        let objects: Vec<serde_json::Value> =
            clean_lines(family.name()).iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
        for object in objects.iter().filter(|object| object.as_object().is_some_and(|members| !members.is_empty())) {
            seen += 1;
            let source = format!("{0}\n{0}\n", serde_json::to_string_pretty(object).unwrap());
            let (unit, records) = records(source.as_bytes());
            assert_eq!((unit, records.len()), (Unit::Json, 2), "{source}");
            // as the record of one message, since a line feed inside would be two lines to `run`
            let indented = records[0].iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }).collect::<Vec<_>>();
            let compact = run(Format::Family(index), object.to_string().as_bytes(), 1);
            // extras may keep a nested member as it is written, and a reject says at which byte
            let rows = |outcome: &common::Outcome| {
                let facts = |row: &String| {
                    let mut row: serde_json::Value = serde_json::from_str(row).unwrap();
                    row.as_object_mut().unwrap().remove("extras");
                    row
                };
                let events = |rows: &[String]| {
                    rows.iter().map(facts).filter(|row| row.get("reject").is_none()).collect::<Vec<_>>()
                };
                outcome.as_ref().map(|(_, rows)| events(rows)).map_err(|reject| reject.family)
            };
            let found = run(Format::Family(index), &indented, 1);
            assert_eq!(rows(&found[0]), rows(&compact[0]), "{}: {object}", family.name());
        }
    }
    assert!(seen > 100);
}
