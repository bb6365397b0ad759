//! The modifiers of the specification's section on values, each with the answer that it gives.

use super::*;
use crate::sigma::yaml;
use std::sync::Arc;

/// `field|chain: value` as text: the matchers, or the first fault.
fn check(text: &str, want: &str) {
    let placeholders = Placeholders::from([("Servers".to_owned(), vec!["srv1".to_owned(), "srv2*".to_owned()])]);
    let (documents, errors) = yaml::documents(&Arc::from("f.yml"), text);
    assert!(errors.is_empty(), "{errors:?}");
    let Value::Map(map) = &documents[0].value else { panic!("a map") };
    let entry = &map.entries[0];
    let mut notes = Notes::default();
    let item = item(&entry.key, entry.at, &entry.value, &placeholders, &mut notes);
    let got = match notes.faults.first() {
        Some((at, found, fault)) => format!("{}: `{found}`: {fault}", at.column),
        None => {
            let values: Vec<String> =
                item.values.iter().map(|variants| variants.iter().map(show).collect::<Vec<_>>().join(" or ")).collect();
            let join = if item.join == Join::All { " AND " } else { " OR " };
            let not = if item.negated == Negated::Yes { "NOT " } else { "" };
            format!("{not}{}", values.join(join))
        }
    };
    assert_eq!(got, want, "{text}");
}

fn show(matcher: &Matcher) -> String {
    match matcher {
        Matcher::Text(pattern, case) => {
            let parts = pattern.0.iter().map(|part| match part {
                Part::Literal(bytes) => match std::str::from_utf8(bytes) {
                    Ok(text) => text.escape_debug().to_string(),
                    Err(_) => format!("{bytes:x?}"),
                },
                Part::Any => "<*>".to_owned(),
                Part::One => "<?>".to_owned(),
                Part::Dash => "<->".to_owned(),
            });
            let case = if *case == Case::Sensitive { "!" } else { "" };
            format!("{case}'{}'", parts.collect::<String>())
        }
        Matcher::Number(number, text) => format!("{number:?} {text}"),
        Matcher::Regex(regex) => {
            let flags = [(regex.ignore_case, "i"), (regex.multi_line, "m"), (regex.dot_all, "s")];
            format!("/{}/{}", regex.text, flags.iter().filter(|(on, _)| *on).map(|(_, flag)| *flag).collect::<String>())
        }
        Matcher::Cidr(network) => network.to_string(),
        Matcher::Compare(bound) => format!("{:?} {:?}", bound.operator, bound.number),
        Matcher::DatePart(part, ranges) => format!("{part:?} {ranges:?}"),
        Matcher::FieldRef(name, place, case) => format!("={} {place:?} {case:?}", name.text),
        Matcher::Bool(_) | Matcher::Null | Matcher::Exists(_) => format!("{matcher:?}"),
    }
}

#[test]
fn affixes_add_stars_where_there_are_none() {
    check("f|contains: x", "'<*>x<*>'");
    check("f|contains: '*x'", "'<*>x<*>'");
    check("f|startswith: [x, y]", "'x<*>' OR 'y<*>'");
    check("f|endswith: x", "'<*>x'");
    check("f|contains|all: [x, y]", "'<*>x<*>' AND '<*>y<*>'");
    check("f|all|contains: [x, y]", "'<*>x<*>' AND '<*>y<*>'");
    check("f|contains: 4444", "'<*>4444<*>'");
    check("f|cased|contains: X", "!'<*>X<*>'");
}

#[test]
fn plain_values_keep_their_type() {
    check("f: 4625", "Int(4625) 4625");
    check("f: '4625'", "'4625'");
    check("f: 1.5", "Float(1.5) 1.5");
    check("f: true", "Bool(true)");
    check("f: 'true'", "'true'");
    check("f: null", "Null");
    check("f:", "Null");
    check("f: []", "Null");
    check("f: '*'", "'<*>'");
    check(
        "f: [a, null]",
        "8: `null`: null can't be an element of a list; write a selection of its own and join it in the condition",
    );
}

#[test]
fn base64_offset_depends_on_bytes_and_cuts_both_ends() {
    check("f|base64: foo", "'Zm9v'");
    check("f|base64offset|contains: foo", "'<*>Zm9v<*>' or '<*>Zvb<*>' or '<*>mb2<*>'");
    check("f|base64offset: /bin/bash", "'L2Jpbi9iYXNo' or '9iaW4vYmFza' or 'vYmluL2Jhc2'");
    check("f|wide|base64offset: ping", "'cABpAG4AZw' or 'AAaQBuAGcA' or 'wAGkAbgBnA'");
    // Two bytes, one character: the modulo must count bytes.
    check("f|base64offset: ä", "'w6' or 'Ok' or 'Dp'");
    check(
        "f|base64: a*",
        "11: `a*`: modifier `base64` can't encode a wildcard; put it before `contains`, or escape with `\\`",
    );
    check(
        "f|contains|base64: a",
        "20: `a`: modifier `base64` can't encode a wildcard; put it before `contains`, or escape with `\\`",
    );
}

#[test]
fn utf16_encodes_the_text_between_the_wildcards() {
    check("f|wide: cmd", "'c\\0m\\0d\\0'");
    check("f|utf16le: cmd", "'c\\0m\\0d\\0'");
    check("f|utf16be: cmd", "'\\0c\\0m\\0d'");
    check("f|utf16: c", "'[ff, fe, 63, 0]'");
    check("f|wide: a*b", "'a\\0<*>b\\0'");
}

#[test]
fn windash_varies_only_the_dash_that_begins_a_parameter() {
    check("f|contains|windash: ' -param-name'", "'<*> <->param-name<*>'");
    check("f|windash|contains: '-f'", "'<*><->f<*>'");
    check("f|windash: '/c'", "'<->c'");
    check("f|windash: 'a-b'", "'a-b'");
    check("f|windash: '\u{2014}q'", "'<->q'");
}

#[test]
fn re_takes_its_text_raw_and_must_be_first() {
    check(r"f|re: '\d+\\x'", r"/\d+\\x/");
    check("f|re|i|m|s: '^a'", "/^a/ims");
    check("f|re|all: ['a', 'b']", "/a/ AND /b/");
    check("f|contains|re: a", "12: `re`: modifier `re` must be the first one: its text is taken as it is");
    check(
        "f|re|startswith: a",
        "6: `startswith`: modifier `startswith` can't follow `re`: anchor the expression with `^` or `$`",
    );
    check("f|i: a", "3: `i`: modifier `i, m, s` must follow `re`");
    check(
        "f|re: '(?=a)'",
        "7: `(?=a)`: the engine runs in linear time and has no such construct: look-around, including look-ahead and look-behind, is not supported",
    );
    check("f|re: '['", "7: `[`: not a regular expression: unclosed character class");
}

#[test]
fn cidr_is_strict_and_unmaps() {
    check("f|cidr: [10.0.0.0/8, '2001:db8::/32']", "10.0.0.0/8 OR 2001:db8::/32");
    check("f|cidr: 10.0.0.1/8", "9: `10.0.0.1/8`: host bits are set; did you mean `10.0.0.0/8`?");
    check("f|cidr: '::ffff:192.0.2.0/120'", "192.0.2.0/24");
    check("f|cidr: 192.0.2.7", "192.0.2.7/32");
    check("f|cidr: ten", "9: `ten`: modifier `cidr` needs a network: `192.0.2.0/24` or `2001:db8::/32`");
}

#[test]
fn comparisons_and_parts_of_times_take_numbers() {
    check("f|gt: 5", "Gt Int(5)");
    check("f|lte: '2.5'", "Lte Float(2.5)");
    check("f|gte: x", "8: `x`: modifier `lt, lte, gt, gte` needs a number");
    check("f|hour: [1, 2]", "Hour [(1, 1)] OR Hour [(2, 2)]");
    check("f|hour|gte: 20", "Hour [(20, 9223372036854775807)]");
    check("f|hour: 24", "9: `24`: a hour is 0 to 23");
    check("f|week: 53", "Week [(53, 53)]");
    check("f|neq|minute: 0", "NOT Minute [(0, 0)]");
}

#[test]
fn exists_fieldref_and_neq() {
    check("f|exists: true", "Exists(true)");
    check("f|exists: 'no'", "Exists(false)");
    check("f|exists: 3", "11: `3`: modifier `exists` needs `true` or `false`");
    check("f|exists|all: true", "3: `exists`: modifier `exists` must stand alone");
    check("f|fieldref: g", "=g Whole Insensitive");
    check("f|fieldref|endswith|neq|cased: g", "NOT =g End Sensitive");
    check("f|neq: [a, b]", "NOT 'a' OR 'b'");
    check("f|contains|neq: a", "NOT '<*>a<*>'");
}

#[test]
fn expand_replaces_placeholders_and_refuses_unknown_ones() {
    check("f|expand: '%Servers%'", "'srv1' or 'srv2<*>'");
    check("f|contains|expand: 'on %Servers%!'", "'<*>on srv1!<*>' or '<*>on srv2<*>!<*>'");
    check(r"f|expand: '100\%'", "'100%'");
    check(
        "f|expand: '%Nobody%'",
        "11: `%Nobody%`: placeholder `%Nobody%` has no values; add it to the placeholders, or escape with `\\%`",
    );
    check("f: '%Servers%'", "'%Servers%'");
}

#[test]
fn keywords_are_searched_for_anywhere() {
    check("'|all': [error, 'a*b']", "'<*>error<*>' AND '<*>a<*>b<*>'");
    check("'|re': 'a.b'", "/a.b/");
    check("'|startswith': a", "3: `startswith`: modifier `startswith` needs a field name before it");
}

#[test]
fn an_unknown_modifier_is_answered_with_the_nearest() {
    check("f|contain: x", "3: `contain`: no such modifier; did you mean `contains`?");
    check("f|StartsWith: x", "3: `StartsWith`: no such modifier; did you mean `startswith`?");
}

#[test]
fn bounds_become_ranges_of_whole_numbers() {
    let of = |operator, number| ranges(Bound { operator, number });
    assert_eq!(of(Operator::Gt, Number::Float(2.5)), [(3, i64::MAX)]);
    assert_eq!(of(Operator::Lt, Number::Float(2.5)), [(i64::MIN, 2)]);
    assert_eq!(of(Operator::Lt, Number::Int(2)), [(i64::MIN, 1)]);
    assert_eq!(of(Operator::Eq, Number::Float(2.5)), []);
    assert_eq!(of(Operator::Neq, Number::Int(0)), [(i64::MIN, -1), (1, i64::MAX)]);
    assert_eq!(of(Operator::Gt, Number::Int(i64::MAX)), []);
}
