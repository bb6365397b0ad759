//! JSON as it is, cut off, damaged, and deep.

use super::*;
use proptest::prelude::*;

fn flat(text: &str) -> (Vec<(String, String)>, Result<Extent, Error>) {
    let mut found = Vec::new();
    let extent = walk(text.as_bytes(), |path, value| {
        value.with(|bytes| {
            found.push((String::from_utf8_lossy(path).into_owned(), String::from_utf8_lossy(bytes).into_owned()))
        });
        Ok::<(), Error>(())
    });
    (found, extent)
}

fn check(text: &str, expected: &[(&str, &str)]) {
    let (found, extent) = flat(text);
    let expected: Vec<_> = expected.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    assert_eq!(found, expected, "{text}");
    assert_eq!(extent, Ok(Extent::Whole(text.len())));
}

#[test]
fn nested_and_dotted_keys_have_the_same_path() {
    let expected = [("source.ip", "192.0.2.1"), ("source.port", "22"), ("ok", "true")];
    check(r#"{"source":{"ip":"192.0.2.1","port":22},"ok":true}"#, &expected);
    check(r#"{"source.ip":"192.0.2.1", "source.port" : 22 ,"ok":true}"#, &expected);
}

#[test]
fn elements_of_arrays_have_the_path_of_the_array() {
    check(
        r#"{"a":["x","y"],"b":[{"c":1},{"c":[2,3]}],"d":[]}"#,
        &[("a", "x"), ("a", "y"), ("b.c", "1"), ("b.c", "2"), ("b.c", "3")],
    );
}

#[test]
fn escapes_are_resolved_when_asked_for() {
    check(r#"{"a":"C:\\dir\t\"x\" \u00e9 \ud83d\ude00 \ud83d \q"}"#, &[("a", "C:\\dir\t\"x\" é 😀 \u{fffd} \\q")]);
}

#[test]
fn a_document_that_is_cut_off_gives_what_was_whole() {
    let (found, extent) = flat(r#"{"a":1,"b":{"c":"whole","d":"cut o"#);
    assert_eq!(found.len(), 2);
    assert_eq!(extent, Ok(Extent::Truncated));
    let mut reader = members(br#"{"a":1,"b":{"c":"whole","d":"cut o"#).unwrap();
    assert_eq!(reader.by_ref().count(), 1);
    assert_eq!(reader.extent(), Extent::Truncated);
}

#[test]
fn what_follows_the_object_is_left_to_the_caller() {
    let text = br#" {"a":1}{"b":2}"#;
    let mut reader = members(text).unwrap();
    assert_eq!(reader.by_ref().count(), 1);
    assert_eq!(reader.extent(), Extent::Whole(8));
}

#[test]
fn no_json_is_an_error_with_its_offset() {
    for (text, at, kind) in [
        ("x", 0, ErrorKind::NoContainer),
        ("{a:1}", 1, ErrorKind::Key),
        (r#"{"a" 1}"#, 5, ErrorKind::Colon),
        (r#"{"a":x}"#, 5, ErrorKind::Value),
        (r#"{"a":1 "b":2}"#, 7, ErrorKind::Comma),
        (r#"{"a":,}"#, 5, ErrorKind::Value),
    ] {
        assert_eq!(flat(text).1, Err(Error { at, kind }), "{text}");
    }
}

#[test]
fn depth_is_capped() {
    let deep = format!("{{\"a\":{}", "[".repeat(100_000));
    assert_eq!(flat(&deep).1.unwrap_err().kind, ErrorKind::TooDeep);
    assert!(members(deep.as_bytes()).unwrap().next().unwrap().is_err());
}

#[test]
fn a_container_can_be_read_in_turn() {
    let Some(Value::Object(inner)) = member(br#"{"a":[1],"b":{"c":2}}"#, b"b") else { panic!() };
    assert_eq!(member(inner, b"c"), Some(Value::Number(b"2")));
    let values: Vec<_> = elements(br#"[1,"x",null]"#).unwrap().map(Result::unwrap).collect();
    assert_eq!(values.len(), 3);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_read_past_the_end(text in "[{}\\[\\]\",:\\\\a1u \\-.]{0,60}") {
        let wrapped = format!("{{{text}");
        let (_, extent) = flat(&wrapped);
        if let Ok(Extent::Whole(end)) = extent { prop_assert!(end <= wrapped.len()); }
        if let Ok(reader) = members(wrapped.as_bytes()) { for _ in reader.take(1000) {} }
    }

    #[test]
    fn strings_read_as_serde_json_reads_them(text in "\\PC{0,70}", pad in "[ a-z]{0,40}") {
        let document = serde_json::json!({ "k": format!("{pad}{text}") }).to_string();
        let (found, _) = flat(&document);
        prop_assert_eq!(&found[0].1, &format!("{pad}{text}"));
    }
}
