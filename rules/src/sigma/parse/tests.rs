//! Documents: what they say, and all that is wrong with them at once.

use super::*;

fn read(text: &str) -> Parsed {
    parse(&Arc::from("f.yml"), text, &Placeholders::default())
}

fn errors(text: &str) -> Vec<String> {
    read(text).errors.iter().map(ToString::to_string).collect()
}

fn fine(text: &str) -> Vec<Document> {
    let parsed = read(text);
    assert_eq!(parsed.errors.iter().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
    parsed.documents
}

#[test]
fn all_faults_of_a_file_are_told_at_once_with_their_places() {
    let text = "title: A
level: hight
logsource:
    categry: firewall
detection:
    sel:
        dst_port|contians: 3389
        dst_ip|cidr: 10.0.0.1/8
    condition: sel and slection
---
title: B
correlation:
    type: event_cuont
    rules: [a]
    timespan: 1h30m
    groupby: [x]
";
    assert_eq!(
        errors(text),
        [
            "f.yml:2:8: `hight`: expected informational, low, medium, high or critical; did you mean `high`?",
            "f.yml:4:5: `category` is missing; a log source without product and service must have it",
            "f.yml:7:18: `contians`: no such modifier; did you mean `contains`?",
            "f.yml:8:22: `10.0.0.1/8`: host bits are set; did you mean `10.0.0.0/8`?",
            "f.yml:9:24: `slection`: no search identifier of this rule has that name",
            "f.yml:16:5: `groupby`: no such key here; did you mean `group-by`?",
            "f.yml:13:11: `event_cuont`: expected event_count, value_count, temporal, temporal_ordered, value_sum, value_avg, value_percentile or value_median; did you mean `event_count`?",
            "f.yml:15:15: `1h30m`: expected a whole number and one of s, m, h, d, w, M (month), y: `90m`",
        ]
    );
}

#[test]
fn each_shape_of_a_search_has_its_meaning() {
    let documents = fine(
        "title: A
logsource: {category: firewall}
detection:
    map: {a: 1, b: 2}
    maps:
        - {a: 1}
        - {b: 2}
    words: [x, y]
    word: x
    mixed:
        - x
        - {a: 1}
    '|all': ignored
    all_words:
        '|all': [x, y]
    condition: 1 of them
",
    );
    let Body::Detection(detection) = &documents[0].body else { panic!("a detection") };
    let shapes: Vec<String> = detection
        .searches
        .iter()
        .map(|search| match &search.what {
            Match::All(items) => format!("all {}", items.len()),
            Match::Any(items) => format!("any {}", items.len()),
            Match::Item(item) => format!("item {:?} {}", item.join, item.values.len()),
        })
        .collect();
    assert_eq!(shapes, ["all 2", "any 2", "item Any 2", "item Any 1", "any 2", "item Any 1", "all 1"]);
}

#[test]
fn actions_of_older_rule_sets_build_rules_from_a_template() {
    let documents = fine(
        "action: global
title: A
logsource: {product: windows}
level: high
---
logsource: {service: security}
detection: {sel: {EventID: 1}, condition: sel}
---
action: repeat
title: B
detection: {sel: {EventID: 2}}
---
action: reset
---
title: C
logsource: {product: linux}
detection: {sel: {a: 1}, condition: sel}
",
    );
    let heads: Vec<_> = documents.iter().map(|d| (d.head.title.as_str(), d.head.level)).collect();
    assert_eq!(heads, [("A", Level::High), ("B", Level::High), ("C", Level::Medium)]);
    let Body::Detection(detection) = &documents[1].body else { panic!("a detection") };
    assert_eq!(detection.log_source.service, "security");
    assert_eq!(
        errors("action: rpeat\ntitle: x\n")[0],
        "f.yml:1:9: `rpeat`: no such action; expected `global`, `reset` or `repeat`"
    );
}

#[test]
fn a_correlation_takes_generate_in_both_places_and_an_expression_names_its_rules() {
    let documents = fine(
        "title: A
generate: true
correlation: {type: temporal, timespan: 2M, group-by: user, condition: (a or b) and not c}
---
title: B
correlation: {type: value_percentile, rules: [x], timespan: 5m, generate: true, condition: {field: bytes, percentile: 95, gt: 10, lte: 20.5}}
",
    );
    let Body::Correlation(a) = &documents[0].body else { panic!("a correlation") };
    assert!(a.generate);
    assert_eq!(a.timespan_us, 2 * 2_629_746_000_000);
    assert_eq!(a.rules.iter().map(|rule| rule.text.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    let Body::Correlation(b) = &documents[1].body else { panic!("a correlation") };
    assert!(b.generate);
    assert_eq!(b.kind, CorrelationKind::ValuePercentile(95.0));
    assert_eq!(b.bounds.len(), 2);
}

#[test]
fn a_correlation_without_what_it_needs_is_refused() {
    let check = |text: &str, want: &str| {
        let errors = errors(&format!("title: A\ncorrelation: {text}\n"));
        assert!(errors.iter().any(|error| error.contains(want)), "{text}: {errors:?}");
    };
    check("{type: event_count, rules: [a], timespan: 5m}", "`condition` is missing");
    check("{type: event_count, rules: [a], condition: {gte: 1}}", "`timespan` is missing");
    check(
        "{type: value_count, rules: [a], timespan: 5m, condition: {gte: 1}}",
        "a `value_count` condition needs `field`",
    );
    check("{type: event_count, rules: [a], timespan: 0m, condition: {gte: 1}}", "expected a whole number");
    check("{type: event_count, timespan: 5m, condition: {gte: 1}}", "`rules` is missing");
    check("{type: temporal, rules: [a, b], timespan: 5m, condition: a}", "list exactly the names in the condition");
    check("{type: temporal, rules: [a], timespan: 5m, condition: a and b}", "no rule has that id or name");
}

#[test]
fn a_filter_that_keeps_what_it_describes_is_advised_against() {
    let parsed = read(
        "title: F
logsource: {category: firewall}
filter:
    rules: any
    sel: {user: admin}
    condition: sel
",
    );
    assert!(parsed.errors.is_empty());
    assert!(parsed.warnings[0].to_string().starts_with("f.yml:6:16: `sel`: a filter is AND-ed as written"));
}

#[test]
fn a_rule_that_the_engine_cant_run_is_left_out_and_told() {
    let parsed = read(
        "title: A
name: a
logsource: {category: firewall}
detection: {sel: {user|re: '(?!x)y'}, condition: sel}
",
    );
    assert!(parsed.errors.is_empty());
    assert!(parsed.documents.is_empty());
    assert_eq!(parsed.left_out, ["a", "A"]);
    assert!(parsed.warnings[0].to_string().contains("the rule is left out"));
}

#[test]
fn x_portolan_knows_its_keys() {
    let text = "title: A
logsource: {category: firewall}
x-portolan: {count: x, version: 2, group-by: [src_ip], timespan: 10m}
detection: {sel: {a: 1}, condition: sel}
";
    assert_eq!(errors(text), ["f.yml:3:14: `count`: no such key here; did you mean `counts`?"]);
    let documents = fine(&text.replace("count: x", "counts: things"));
    let extension = &documents[0].head.extension;
    assert_eq!(extension.version.as_deref(), Some("2"));
    assert_eq!(extension.timespan_us, Some(600_000_000));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "[ a-z:\\-\\[\\]{}'\"|&*<\n!#%@?~0-9.]{0,200}") {
        read(&text);
    }
}
