//! What is fuzzed: each lexer by itself, the framing, every family, and detection over all of them.
//!
//! Shared by the fuzz binaries and by a test of the stable toolchain that runs fixtures and their mutations through the same
//! functions. Beside not to panic each states what must hold: pieces lie in the text, offsets too, an outcome does not
//! depend on how lines were cut into batches, and what becomes of a line is bounded by its length.

use std::sync::Arc;

use parsers::detect::Keys;
use parsers::framing::{Coding, Framer, Framing, RECORD_MAX, Records, Unit};
use parsers::lex::text::{Cursor, offset_in};
use parsers::lex::winevent::{self, EventTrail, Field, WinEvent};
use parsers::lex::{cef, csv, json, kv, syslog, text, time, xml};
use parsers::{FAMILIES, Format, Parsed, Session, TimeContext, Zone, transport};
use schemas::{EVENTS_PER_RECORD_MAX, FlowBatch, Place};

/// A target: its name, which is that of the binary, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("lex_syslog", lex_syslog),
    ("lex_kv", lex_kv),
    ("lex_csv", lex_csv),
    ("lex_json", lex_json),
    ("lex_trail", lex_trail),
    ("lex_xml", lex_xml),
    ("lex_time", lex_time),
    ("lex_cef", lex_cef),
    ("lex_winevent", lex_winevent),
    ("lex_text", lex_text),
    ("framing", framing),
    ("family", family),
    ("auto", auto),
];

/// Which family `family` reads with; without it the input's first byte says.
pub const FAMILY_VARIABLE: &str = "FUZZ_FAMILY";

/// 2026-01-05T10:00:00Z
const RECEIVED_US: i64 = 1_767_607_200_000_000;

/// Does with an input what the target of that name does.
pub fn run(name: &str, data: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a binary has the name of a target");
    target(data);
}

fn inside(whole: &[u8], part: &[u8]) {
    assert!(part.is_empty() || offset_in(whole, part).is_some(), "a piece of the text itself");
}

fn lex_syslog(data: &[u8]) {
    let context = TimeContext::utc(RECEIVED_US);
    let line = transport::unframe(data);
    inside(data, line);
    let (header, at) = syslog::header(line, &context);
    assert!(at <= line.len());
    [header.host, header.relay, header.app, header.pid, header.message_id, header.structured, header.sequence]
        .into_iter()
        .for_each(|part| inside(line, part));
    let mut plain = Vec::new();
    for (id, name, value) in syslog::parameters(header.structured) {
        [id, name, value].into_iter().for_each(|part| inside(line, part));
        syslog::unescape(value, &mut plain);
    }
    assert!(plain.len() <= data.len());
    if let Some(syslog::Repetition::Of { body, .. }) = syslog::repetition(&line[at..]) {
        inside(line, body);
    }
}

fn lex_kv(data: &[u8]) {
    let mut plain = Vec::new();
    for pairs in [kv::pairs(data), kv::pairs_by(data, b';'), kv::pairs_by(data, b',')] {
        let mut count = 0;
        for pair in pairs {
            inside(data, pair.key);
            inside(data, pair.value);
            plain.clear();
            kv::unescape(pair.value, &mut plain);
            assert!(plain.len() <= pair.value.len());
            count += 1;
        }
        assert!(count <= data.len() + 1);
    }
}

fn lex_csv(data: &[u8]) {
    let mut plain = Vec::new();
    for column in csv::columns(data) {
        inside(data, column.value);
        plain.clear();
        csv::undouble(column.value, &mut plain);
        assert!(plain.len() <= column.value.len());
    }
    let mut columns = [csv::Column::EMPTY; 16];
    assert!(csv::split(data, &mut columns) >= 1 || data.is_empty());
}

fn lex_json(data: &[u8]) {
    let mut plain = Vec::new();
    if let Ok(members) = json::members(data) {
        for member in members.map_while(Result::ok) {
            inside(data, member.key);
            assert!(member.offset <= data.len());
            if let json::Value::Text(text) = member.value {
                plain.clear();
                text.append_to(&mut plain);
                assert!(plain.len() <= text.raw.len());
                assert_eq!(text.with(<[u8]>::to_vec), if text.escaped { plain.clone() } else { text.raw.to_vec() });
            }
        }
    }
    if let Ok(elements) = json::elements(data) {
        for value in elements.map_while(Result::ok) {
            match value {
                json::Value::Text(text) => inside(data, text.raw),
                json::Value::Number(part) | json::Value::Object(part) | json::Value::Array(part) => inside(data, part),
                // their texts are the program's
                json::Value::True | json::Value::False | json::Value::Null => {}
            }
        }
    }
    let mut scalars = 0;
    let extent = json::walk(data, |path, value| {
        scalars += 1;
        assert!(path.len() <= json::PATH_MAX);
        value.with(|_| ());
        Ok::<(), json::Error>(())
    });
    match extent {
        Ok(json::Extent::Whole(end)) => assert!(end <= data.len()),
        Ok(json::Extent::Truncated) => {}
        Err(error) => assert!(error.at <= data.len()),
    }
    assert!(scalars <= data.len());
    assert!(json::end_of(data).is_none_or(|end| end <= data.len()));
    let _ = (Keys::of(data), transport::envelope(data).is_some());
}

/// A line is read the same whatever lines came before.
fn lex_trail(data: &[u8]) {
    let mut objects = json::JsonTrail::default();
    let mut pairs = kv::PairTrail::default();
    for line in data.split(|byte| *byte == b'\n') {
        let (mut found, mut expected) = (Vec::new(), Vec::new());
        let extent = json::walk_by(line, &mut objects, <[u8]>::len, |path, length, value| {
            found.push((path.bytes().to_vec(), length, value));
            Ok::<(), json::Error>(())
        });
        let slowly = json::walk(line, |path, value| {
            expected.push((path.to_vec(), path.len(), value.into()));
            Ok::<(), json::Error>(())
        });
        assert_eq!((extent, found), (slowly, expected));
        for form in [kv::pairs(line), kv::pairs_by(line, b';'), kv::pairs_by(line, b',')] {
            let expected: Vec<_> = form.clone().map(|pair| (pair, pair.key.len())).collect();
            assert_eq!(form.by(&mut pairs, <[u8]>::len).collect::<Vec<_>>(), expected);
        }
    }
}

fn lex_xml(data: &[u8]) {
    let mut tokens = 0;
    for token in xml::Reader::new(data) {
        tokens += 1;
        if let xml::Token::Open { attributes, .. } = token {
            for (name, value) in xml::attributes(attributes) {
                inside(data, name);
                xml::with_text(value, |text| assert!(text.len() <= value.len()));
            }
        }
    }
    assert!(tokens <= data.len() + 1);
}

fn lex_time(data: &[u8]) {
    let mut context = TimeContext::utc(RECEIVED_US);
    for zone in [Zone::Utc, Zone::Fixed(-34_200), zone_of_berlin()] {
        context.zone = zone;
        let _ = (context.any(data), context.iso(data), context.bsd(data));
        for stamp in [time::iso(data), time::bsd(data), time::clf(data)].into_iter().flatten() {
            assert!(stamp.1 <= data.len());
            let _ = (context.resolve(&stamp.0), context.zone(&stamp.0, &data[stamp.1..]));
        }
    }
    let _ = (time::us_date(data).map(|stamp| context.resolve(&stamp)), time::epoch(data), time::zone(data));
}

/// A zone with summer time; made through its name as the pipeline does.
fn zone_of_berlin() -> Zone {
    jiff::tz::TimeZone::get("Europe/Berlin").map_or(Zone::Utc, Zone::Named)
}

fn lex_cef(data: &[u8]) {
    if let Some((fields, rest)) = cef::header(data) {
        fields.into_iter().for_each(|field| inside(data, field));
        inside(data, rest);
    }
    for pair in cef::pairs(data) {
        inside(data, pair.key);
        inside(data, pair.value);
        assert!(pair.offset <= data.len());
        cef::with(pair.value, |text| assert!(text.len() <= pair.value.len()));
    }
}

fn lex_winevent(data: &[u8]) {
    let context = TimeContext::utc(RECEIVED_US);
    let mut event = WinEvent::default();
    let _ = winevent::read_json(data, &mut EventTrail::default(), &mut event, |_, field: Field<'_>| field.with(|_| ()));
    told(&mut event, &context);
    let mut reader = xml::Reader::new(data);
    for _ in 0..=data.len() {
        let mut event = WinEvent::default();
        match winevent::read_xml(data, &mut reader, &mut event, |_, field| field.with(|_| ())) {
            Ok(true) => told(&mut event, &context),
            Ok(false) | Err(_) => break,
        }
    }
}

fn told(event: &mut WinEvent<'_>, context: &TimeContext) {
    event.fill_from_message();
    let _ = (event.code(), event.has_data(), event.time(context), event.is_from(b"Sysmon"));
    event.rest().for_each(|(_, field)| field.with(|_| ()));
}

fn lex_text(data: &[u8]) {
    let _ = (text::decimal(data), text::port(data), text::hexadecimal(data), text::is_absent(data));
    inside(data, text::unquote(data));
    let mut cursor = Cursor::new(data);
    let mut last = 0;
    while !cursor.is_done() {
        match data[cursor.at()] % 5 {
            0 => drop(cursor.word()),
            1 => drop(cursor.number()),
            2 => drop(cursor.until(b' ')),
            3 => drop(cursor.until_str(b": ")),
            _ => drop(cursor.take_while(|byte| byte > b'a')),
        }
        assert!(cursor.at() >= last && cursor.at() <= data.len(), "only forward");
        if cursor.at() == last {
            cursor.skip(1);
        }
        last = cursor.at();
    }
}

/// The first three bytes say how: unit and coding, limit, and how long the pieces are.
fn framing(data: &[u8]) {
    let [how, limit, step, text @ ..] = data else { return };
    let unit = [Unit::Line, Unit::Counted, Unit::Nul, Unit::WindowsText, Unit::Json, Unit::Continued, Unit::WindowsXml]
        [usize::from(how % 7)];
    let coding = [Coding::Bytes, Coding::Utf16Le, Coding::Utf16Be][usize::from(how / 7 % 3)];
    let _ = Framing::guess(text);
    let limit = usize::from(*limit) + 1;
    let cut = |step: usize| {
        let mut framer = Framer::new(Framing { coding, unit }, limit);
        let mut out = Records::default();
        text.chunks(step.max(1)).for_each(|piece| framer.push(piece, &mut out));
        framer.finish(&mut out);
        (out.bytes, out.frames, framer.damaged())
    };
    let (bytes, frames, damaged) = cut(text.len());
    assert!(bytes.len() <= text.len() * 3 + 3, "UTF-16 may take three bytes for two");
    assert!(frames.iter().all(|frame| frame.len <= limit + 1 && frame.start + frame.len <= bytes.len()));
    assert!(frames.windows(2).all(|two| two[0].number < two[1].number));
    assert_eq!(cut(usize::from(*step)), (bytes, frames, damaged));
}

fn family(data: &[u8]) {
    match std::env::var(FAMILY_VARIABLE) {
        Ok(name) => lines(Format::from_name(&name).expect("FUZZ_FAMILY is a family's name"), data),
        Err(_) => {
            let [first, text @ ..] = data else { return };
            lines(Format::Family(usize::from(*first) % FAMILIES.len()), text);
        }
    }
}

fn auto(data: &[u8]) {
    lines(Format::Auto, data);
}

/// What becomes of a line of `length` bytes. Each event may say what the line says of all, so that the bounds are those of one
/// event; how much all may say together is [`schemas::TEXTS_PER_BYTE_MAX`]'s, tested with longer lines than a fuzzer writes.
fn bounded(length: usize, events: usize, kept: usize, written: usize) {
    assert!(events <= EVENTS_PER_RECORD_MAX && events <= length / 2 + 1, "{events} events of {length} bytes");
    let each = events.max(1);
    assert!(kept <= each * (length * 64 + 4096), "{kept} bytes are kept of {length}");
    // six for one that is escaped, and a few fields that say the same
    assert!(written <= each * (length * 48 + 8192), "{written} bytes are written of {length}");
}

/// Reads lines as one source does, and again each in a batch of its own: it must come to the same.
pub fn lines(format: Format, text: &[u8]) {
    assert!(text.len() < RECORD_MAX);
    let block = Arc::new(text.to_vec());
    let read = |per_batch: usize| {
        let mut session = Session::new(format, Zone::Utc);
        let mut batch = FlowBatch::new(16);
        let mut out = Vec::new();
        let lines: Vec<&[u8]> = block.split(|byte| *byte == b'\n').collect();
        for (at, chunk) in lines.chunks(per_batch).enumerate() {
            batch.reset(Arc::clone(&block), Arc::from("fuzz"), 0);
            for (offset, line) in (at * per_batch + 1..).zip(chunk) {
                let (before, kept) = (batch.len(), batch.kept_bytes());
                let place = Place { offset: offset as u64, received_us: RECEIVED_US };
                let outcome = session.parse_line(line, place, &mut batch);
                match &outcome {
                    Ok(Parsed::Events) => assert!(batch.len() > before, "an event has a row"),
                    Ok(Parsed::Nothing) => assert_eq!(batch.len(), before, "no event, no row"),
                    Err(reject) => {
                        assert_eq!(batch.len(), before, "what is refused leaves nothing");
                        assert!(reject.offset <= line.len(), "an offset in the line");
                    }
                }
                let mut rows = Vec::new();
                (before..batch.len()).for_each(|row| schemas::json::write_row(&batch, row, &mut rows));
                let refused: Vec<_> = session.take_refused().collect();
                bounded(line.len(), batch.len() - before, batch.kept_bytes() - kept, rows.len());
                let parts: usize = refused.iter().map(|part| part.raw.len()).sum();
                assert!(parts <= line.len() * 2, "refused parts of a line are parts of it: {parts}");
                out.push((outcome, rows, refused));
            }
            batch.seal();
        }
        out
    };
    assert_eq!(read(usize::MAX), read(1), "the cut into batches makes no difference");
}
