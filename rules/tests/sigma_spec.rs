//! The decisions that Sigma's specification leaves open or states twice, each as a rule with events.
//!
//! Numbers in the names of sections refer to nothing but this file: each test is one decision, told by its name.
//!
//! Long because there are that many decisions.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use rules::hit::{HitBatch, ValueRef, part, values};
use rules::plan::{NodeKind, Operator};
use rules::scan::{RawSample, ScanStats, Scanner};
use rules::{Placeholders, RuleSet};
use schemas::{Field, FlowBatch, LogSource, Place, key};

static FIREWALL: LogSource = LogSource {
    family: "test",
    vendor: "",
    product: "",
    dataset: "",
    categories: &["firewall"],
    products: &["fortigate"],
    services: &["traffic"],
};

/// When every record is received: 2026-11-21 12:00 UTC.
const NOON_US: i64 = 1_795_262_400_000_000;

/// Events as `field=value field=value`; a name that is no field is a vendor field. The text is the raw record, too.
fn batch(events: &[&str]) -> FlowBatch {
    let mut batch = FlowBatch::new(16);
    let block = Arc::new(events.join("\n").into_bytes());
    batch.reset(Arc::clone(&block), Arc::from("test.log"), 0);
    let mut at = 0;
    for (number, event) in events.iter().enumerate() {
        let line = &block[at..at + event.len()];
        at += event.len() + 1;
        let mut row = batch.begin(Place { offset: number as u64 + 1, received_us: NOON_US }, line);
        row.log_source(&FIREWALL);
        for pair in event.split(' ').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or(("", pair));
            match Field::ALL.iter().find(|field| field.name() == name) {
                Some(Field::Time) => row.set(key::TIME, value.parse::<i64>().unwrap()),
                Some(field) => row.put(*field, value.as_bytes()).unwrap(),
                None if name.is_empty() => {}
                None => row.extra(name.as_bytes(), value.as_bytes()),
            }
        }
        row.commit();
    }
    batch.seal();
    batch
}

fn load(text: &str) -> RuleSet {
    RuleSet::load(&[("rules.yml", text)]).unwrap_or_else(|errors| panic!("{}", lines(&errors)))
}

fn lines<T: ToString>(list: &[T]) -> String {
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Which of the events match a detection of a FortiGate.
fn check(detection: &str, events: &[&str], want: &[bool]) {
    let rules = load(&format!("title: T\nlogsource: {{product: fortigate}}\ndetection:\n{detection}\n"));
    let mut scanner = Scanner::new(Arc::new(rules), RawSample::None);
    let masks = scanner.matches(&batch(events));
    let got: Vec<bool> = (0..events.len()).map(|row| masks[0].get(row)).collect();
    assert_eq!(got, want, "{detection}\n{events:#?}");
}

fn scan(rules: &str, events: &[&str]) -> (Arc<RuleSet>, HitBatch, ScanStats) {
    let rules = Arc::new(load(rules));
    let mut out = HitBatch::new();
    let stats = Scanner::new(Arc::clone(&rules), RawSample::UpTo(10)).scan(&batch(events), &mut out).unwrap();
    (rules, out, stats)
}

/// Hits as `line: tree leaves [key] [slot]…`.
fn shown(hits: &HitBatch, slots: usize) -> Vec<String> {
    let list = |bytes: &[u8]| values(bytes).map(|value| value.to_string()).collect::<Vec<_>>().join(",");
    hits.iter()
        .map(|hit| {
            let slots: String = (0..slots).map(|slot| format!(" [{}]", list(part(hit.slots(), slot)))).collect();
            format!("{}: {} {:b} [{}]{slots}", hit.event().offset, hit.tree(), hit.leaves(), list(hit.key()))
        })
        .collect()
}

fn errors(text: &str) -> String {
    lines(&RuleSet::load(&[("rules.yml", text)]).expect_err("a faulty set"))
}

const LOGINS: &str = "
title: Failed login
name: failed
logsource: {category: firewall}
detection: {sel: {event.outcome: failure}, condition: sel}
---
title: Refused connection
name: refused
logsource: {product: fortigate}
detection: {sel: {action: deny}, condition: sel}
";

#[test]
fn a_question_mark_in_a_url_is_a_wildcard() {
    check("    s: {url: '/a?b=1'}\n    condition: s", &["url=/a?b=1", "url=/aXb=1", "url=/ab=1"], &[true, true, false]);
}

#[test]
fn neq_does_not_match_an_absent_field() {
    check(
        "    s: {user|neq: [bob, eve]}\n    condition: s",
        &["user=ann", "user=BOB", "dst_port=1"],
        &[true, false, false],
    );
    check("    s: {vendor_user|neq: bob}\n    condition: s", &["vendor_user=ann", "dst_port=1"], &[true, false]);
    check("    s: {user: bob}\n    condition: not s", &["user=ann", "user=bob", "dst_port=1"], &[true, false, true]);
}

#[test]
fn an_event_without_a_group_by_field_is_not_counted_and_told() {
    let text = format!(
        "{LOGINS}---\ntitle: C\ncorrelation: {{type: event_count, rules: [failed], group-by: [src_ip, user], timespan: 5m, condition: {{gte: 3}}}}\n"
    );
    let (_, hits, stats) = scan(
        &text,
        &["outcome=failure src_ip=192.0.2.1 user=Ann", "outcome=failure src_ip=192.0.2.1", "outcome=success"],
    );
    // The second rule alerts by itself and matched nothing.
    assert_eq!(shown(&hits, 0), ["1: 1 1 [192.0.2.1,ann]"]);
    assert_eq!((stats.rows, stats.hits, stats.lacking), (3, 1, 1));
}

#[test]
fn a_condition_may_be_a_range_and_its_numbers_fractions() {
    let text = format!(
        "{LOGINS}---\ntitle: C\ncorrelation: {{type: value_avg, rules: [refused], group-by: src_ip, timespan: 5m, condition: {{field: bytes_out, gt: 100, lte: 200.5}}}}\n"
    );
    let rules = load(&text);
    let NodeKind::Metric { condition, .. } = &rules.plan().trees[1].nodes[0].kind else { panic!("a metric") };
    let operators: Vec<(Operator, f64)> = condition.0.iter().map(|one| (one.operator, one.number)).collect();
    assert_eq!(operators, [(Operator::Gt, 100.0), (Operator::Lte, 200.5)]);
}

#[test]
fn an_upper_bound_is_decided_at_window_close_and_advised_of() {
    let text = format!(
        "{LOGINS}---\ntitle: C\ncorrelation: {{type: event_count, rules: [failed], group-by: src_ip, timespan: 5m, condition: {{lt: 3}}}}\n"
    );
    let rules = load(&text);
    let tree = rules.plan().trees.iter().find(|tree| tree.rule.title == "C").unwrap();
    assert!(tree.nodes[0].is_tumbling());
    assert!(lines(rules.lint()).contains("decided when the window closes"));
}

#[test]
fn generate_works_in_both_places_and_one_correlation_is_enough() {
    let one = |place: &str, inside: &str| {
        let text = format!(
            "{LOGINS}---\ntitle: C\n{place}correlation: {{type: event_count, rules: [failed, refused], {inside}group-by: src_ip, timespan: 5m, condition: {{gte: 3}}}}\n"
        );
        load(&text).plan().trees.iter().map(|tree| tree.rule.title.clone()).collect::<Vec<_>>()
    };
    assert_eq!(one("", ""), ["C"]);
    assert_eq!(one("generate: true\n", ""), ["Failed login", "Refused connection", "C"]);
    assert_eq!(one("", "generate: true, "), ["Failed login", "Refused connection", "C"]);
    let two = format!(
        "{LOGINS}---\ntitle: C\ncorrelation: {{type: event_count, rules: [failed], generate: true, timespan: 5m, condition: {{gte: 3}}}}\n---\ntitle: D\ncorrelation: {{type: event_count, rules: [failed], timespan: 5m, condition: {{gte: 3}}}}\n"
    );
    let rules = load(&two);
    assert_eq!(rules.plan().trees.len(), 4);
    assert!(lines(rules.lint()).contains("another doesn't; it will alert"));
}

#[test]
fn a_filter_is_anded_as_written_and_unseen_by_the_rules_selectors() {
    let rule = "
title: R
name: r
logsource: {product: fortigate, category: firewall}
detection: {sel_a: {dst_port: 22}, sel_b: {src_port: 1}, condition: 1 of sel_*}
---
title: F
logsource: {product: fortigate}
filter: {rules: [r], sel_c: {user: admin}, condition: CONDITION}
";
    let events = ["dst_port=22 user=admin", "dst_port=22 user=ann", "dst_port=23 user=admin", "src_port=1"];
    let matched = |condition: &str| {
        let (_, hits, _) = scan(&rule.replace("CONDITION", condition), &events);
        hits.iter().map(|hit| hit.event().offset).collect::<Vec<_>>()
    };
    assert_eq!(matched("not sel_c"), [2, 4]);
    assert_eq!(matched("sel_c"), [1]);
    // A filter for another log source does not apply, and says so.
    let other = load(
        &rule
            .replace("logsource: {product: fortigate}", "logsource: {product: cisco}")
            .replace("CONDITION", "not sel_c"),
    );
    assert!(lines(other.lint()).contains("the filter applies to no rule"));
    assert!(
        errors(&rule.replace("rules: [r]", "rules: [s]").replace("CONDITION", "not sel_c"))
            .contains("no rule has that id or name")
    );
}

#[test]
fn the_median_is_a_type_and_a_percentile_a_key() {
    let of = |kind: &str, more: &str| {
        let text = format!(
            "{LOGINS}---\ntitle: C\ncorrelation: {{type: {kind}, rules: [refused], timespan: 5m, condition: {{field: bytes_out, gte: 1{more}}}}}\n"
        );
        format!("{:?}", load(&text).plan().trees[1].nodes[0].kind)
    };
    assert!(of("value_median", "").contains("Percentile(50.0)"));
    assert!(of("value_percentile", ", percentile: 95").contains("Percentile(95.0)"));
    assert!(of("value_percentile", "").contains("Percentile(50.0)"));
}

#[test]
fn a_regular_expression_is_raw_case_sensitive_and_searched() {
    check(
        r"    s: {user|re: 'a\.b+'}
    condition: s",
        &["user=xa.bbx", "user=xA.bx", "user=axb"],
        &[true, false, false],
    );
    check("    s: {user|re|i: '^A'}\n    condition: s", &["user=ann", "user=jan"], &[true, false]);
}

#[test]
fn keywords_are_searched_in_the_raw_record() {
    check("    s: [failed, 'den*ed']\n    condition: s", &["x=FAILED", "x=denied", "x=ok"], &[true, true, false]);
    check("    s: {'|all': [a=1, b=2]}\n    condition: s", &["a=1 b=2", "a=1"], &[true, false]);
}

#[test]
fn a_capital_m_is_a_month_and_a_small_one_a_minute() {
    let of = |span: &str| {
        let text = format!(
            "{LOGINS}---\ntitle: C\ncorrelation: {{type: event_count, rules: [failed, refused], timespan: {span}, condition: {{gte: 3}}}}\n"
        );
        load(&text).plan().trees[0].nodes[0].timespan_us / 1_000_000
    };
    assert_eq!((of("1m"), of("1M"), of("90s"), of("2w"), of("1y")), (60, 2_629_746, 90, 1_209_600, 31_556_952));
}

#[test]
fn a_mapped_address_is_inside_its_ipv4_network() {
    check(
        "    s: {src_ip|cidr: 192.0.2.0/24}\n    condition: s",
        &["src_ip=::ffff:192.0.2.7", "src_ip=2001:db8::1"],
        &[true, false],
    );
    check(
        "    s: {src_ip|cidr: '::/0'}\n    condition: s",
        &["src_ip=192.0.2.7", "src_ip=2001:db8::1"],
        &[false, true],
    );
    check(
        "    s: {client|cidr: 192.0.2.0/24}\n    condition: s",
        &["client=::ffff:192.0.2.7", "client=x"],
        &[true, false],
    );
}

#[test]
fn exists_asks_for_presence_and_null_for_absence() {
    let events = ["user=ann", "dst_port=1"];
    check("    s: {user|exists: true}\n    condition: s", &events, &[true, false]);
    check("    s: {user|exists: false}\n    condition: s", &events, &[false, true]);
    check("    s: {user: null}\n    condition: s", &events, &[false, true]);
    check("    s: {user: '*'}\n    condition: s", &events, &[true, false]);
    check("    s: {vendor_x: null}\n    condition: s", &["vendor_x=1", "a=b"], &[false, true]);
}

#[test]
fn a_list_of_conditions_is_or_ed() {
    check(
        "    a: {dst_port: 22}\n    b: {user: ann}\n    condition: [a, b]",
        &["dst_port=22", "user=ann", "user=bob"],
        &[true, true, false],
    );
}

#[test]
fn numbers_texts_and_truth_values_meet() {
    check(
        "    s: {event_code: 4625}\n    condition: s",
        &["event_code=4625", "event_code=04625", "event_code=46250"],
        &[true, true, false],
    );
    check("    s: {dst_port: '443'}\n    condition: s", &["dst_port=443", "dst_port=80"], &[true, false]);
    check(
        "    s: {dst_port|startswith: '33'}\n    condition: s",
        &["dst_port=3389", "dst_port=33", "dst_port=133"],
        &[true, true, false],
    );
    check(
        "    s: {blocked: 'false'}\n    condition: s",
        &["action=allow", "action=deny", "action=nat"],
        &[true, false, false],
    );
    check(
        "    s: {src_internal: true}\n    condition: s",
        &["src_internal=true", "src_internal=false"],
        &[true, false],
    );
    check(
        "    s: {action: [forward, accept, '2']}\n    condition: s",
        &["action=allow", "action=drop"],
        &[true, false],
    );
    check(
        "    s: {network.transport: TCP, network.transport|neq: udp}\n    condition: s",
        &["transport=tcp", "transport=17"],
        &[true, false],
    );
}

#[test]
fn ecs_categories_are_read_from_the_kind() {
    check(
        "    s: {event.category: network}\n    condition: s",
        &["kind=flow", "kind=dns", "kind=auth", "kind=alert"],
        &[true, true, false, true],
    );
    check(
        "    s: {event.category: [authentication, process]}\n    condition: s",
        &["kind=auth", "kind=flow"],
        &[true, false],
    );
}

#[test]
fn an_event_that_matches_two_rules_of_a_tree_is_one_hit_with_both_bits() {
    let text = format!(
        "{LOGINS}---\ntitle: C\ncorrelation: {{type: event_count, rules: [failed, refused], group-by: src_ip, timespan: 5m, condition: {{gte: 3}}}}\n"
    );
    let (_, hits, _) = scan(&text, &["outcome=failure action=deny src_ip=192.0.2.1", "action=deny src_ip=192.0.2.2"]);
    assert_eq!(shown(&hits, 0), ["1: 0 11 [192.0.2.1]", "2: 0 10 [192.0.2.2]"]);
}

#[test]
fn leaves_that_give_other_keys_give_hits_of_their_own() {
    let text = format!(
        "{LOGINS}---
title: C
correlation:
    type: value_count
    rules: [failed, refused]
    aliases:
        host: {{failed: src_ip, refused: dst_ip}}
    group-by: [host]
    timespan: 5m
    condition: {{field: [user, dst_port], gte: 3}}
"
    );
    let (rules, hits, _) = scan(
        &text,
        &[
            "outcome=failure action=deny src_ip=192.0.2.1 dst_ip=192.0.2.9 user=Ann dst_port=22",
            "action=deny dst_ip=192.0.2.9",
        ],
    );
    assert_eq!(rules.plan().trees[0].group_by, ["host"]);
    assert_eq!(
        shown(&hits, 1),
        ["1: 0 1 [192.0.2.1] [ann,22]", "1: 0 10 [192.0.2.9] [ann,22]", "2: 0 10 [192.0.2.9] []"]
    );
}

#[test]
fn a_tree_carries_the_root_key_through_inner_correlations() {
    let text = format!(
        "title: Outer
correlation: {{type: temporal, rules: [many, refused], group-by: [source.ip], timespan: 10m}}
---
title: Many
name: many
correlation: {{type: event_count, rules: [failed], group-by: [src_ip, user], timespan: 5m, condition: {{gte: 3}}}}
---{LOGINS}"
    );
    let (rules, hits, _) = scan(&text, &["outcome=failure src_ip=192.0.2.1 user=Ann", "action=deny src_ip=192.0.2.1"]);
    let tree = &rules.plan().trees[0];
    assert_eq!(
        (tree.group_by.as_slice(), tree.inner_keys.as_slice()),
        (&["src_ip".to_owned()][..], &[vec!["user".to_owned()]][..])
    );
    assert_eq!(
        tree.nodes.iter().map(|node| (node.title.as_str(), node.inner_key)).collect::<Vec<_>>(),
        [("Many", Some(0)), ("Outer", None)]
    );
    let inner: Vec<String> = hits
        .iter()
        .map(|hit| values(part(hit.inner(), 0)).map(|value| value.to_string()).collect::<Vec<_>>().join(","))
        .collect();
    assert_eq!(inner, ["ann", ""]);
    assert_eq!(tree.check(), Ok(()));
}

#[test]
fn a_member_that_lacks_the_group_key_is_refused_with_the_reason() {
    let outer = |group: &str, inner: &str| {
        format!(
            "title: O\ncorrelation: {{type: temporal, rules: [many, refused], group-by: [{group}], timespan: 10m}}\n---\ntitle: M\nname: many\ncorrelation: {{type: event_count, rules: [failed], group-by: [{inner}], timespan: 5m, condition: {{gte: 3}}}}\n---{LOGINS}"
        )
    };
    assert!(
        errors(&outer("src_ip", "user"))
            .contains("`many` can't be routed by this group key: it does not group by `src_ip`")
    );
    assert!(
        errors(&outer("src_pi", "src_pi")).contains("no field is called `src_pi`, did you mean `src_ip`?"),
        "{}",
        errors(&outer("src_pi", "src_pi"))
    );
}

#[test]
fn correlations_that_reach_themselves_are_refused() {
    let text = "title: A\nname: a\ncorrelation: {type: temporal, rules: [b], timespan: 1m}\n---\ntitle: B\nname: b\ncorrelation: {type: temporal, rules: [a], timespan: 1m}\n";
    assert!(errors(text).contains("the correlation refers to itself: a -> b -> a"), "{}", errors(text));
}

#[test]
fn references_cross_files_by_id_and_name_and_duplicates_are_refused() {
    let id = "11111111-0000-4000-8000-00000000000A";
    let detection = format!(
        "title: D\nid: {id}\nname: d\nlogsource: {{category: firewall}}\ndetection: {{s: {{dst_port: 1}}, condition: s}}\n"
    );
    let correlation = |rule: &str| {
        format!("title: C\ncorrelation: {{type: event_count, rules: [{rule}], timespan: 1m, condition: {{gte: 2}}}}\n")
    };
    for rule in [id, &id.to_lowercase(), "d"] {
        let rules = RuleSet::load(&[("c.yml", correlation(rule)), ("d.yml", detection.clone())]).unwrap();
        assert_eq!(rules.plan().trees.len(), 1, "{rule}");
    }
    let twice = lines(&RuleSet::load(&[("d.yml", &detection), ("e.yml", &detection)]).unwrap_err());
    assert!(
        twice.starts_with("e.yml:1:1: `11111111-0000-4000-8000-00000000000a`: another rule has this id, at d.yml:1:1"),
        "{twice}"
    );
    let missing = lines(&RuleSet::load(&[("c.yml", correlation("dd")), ("d.yml", detection)]).unwrap_err());
    assert!(missing.contains("c.yml:2:42: `dd`: no rule has that id or name; did you mean `d`?"), "{missing}");
}

#[test]
fn a_rule_left_out_takes_its_correlation_along_without_a_second_fault() {
    let text = format!(
        "{LOGINS}---\ntitle: X\nname: x\nlogsource: {{category: firewall}}\ndetection: {{s: {{user|re: '(?<=a)b'}}, condition: s}}\n---\ntitle: C\ncorrelation: {{type: temporal, rules: [x, failed], timespan: 1m}}\n"
    );
    let rules = load(&text);
    assert_eq!(
        rules.plan().trees.iter().map(|tree| tree.rule.title.as_str()).collect::<Vec<_>>(),
        ["Refused connection"]
    );
    assert!(lines(rules.lint()).contains("the rule is left out"));
}

#[test]
fn a_detection_alone_keeps_its_alert_where_an_event_lacks_a_field_of_its_key() {
    let (rules, hits, stats) = scan(
        "title: T\nlogsource: {category: firewall}\ndetection: {s: {dst_port: 22}, condition: s}\n",
        &["dst_port=22 src_ip=192.0.2.1 time=1795262399000000"],
    );
    assert_eq!(rules.plan().trees[0].group_by, ["src_ip", "dst_ip", "dst_port", "user", "host"]);
    assert_eq!(shown(&hits, 0), ["1: 0 1 [192.0.2.1,-,22,-,-]"]);
    assert_eq!(stats.lacking, 0);
    let hit = hits.get(0);
    assert_eq!((hit.time_us(), hit.source(), hit.raw()), (NOON_US - 1_000_000, "test.log", Some(&b"dst_port=2"[..])));
}

#[test]
fn values_of_different_types_meet_in_one_form() {
    let text = format!(
        "{LOGINS}---
title: C
correlation:
    type: event_count
    rules: [failed, refused]
    aliases:
        host: {{failed: extras.client, refused: src_ip}}
    group-by: [host]
    timespan: 5m
    condition: {{gte: 3}}
"
    );
    let (rules, hits, _) = scan(
        &text,
        &["outcome=failure client=::ffff:192.0.2.1", "action=deny src_ip=192.0.2.1", "outcome=failure client=name"],
    );
    let key = |line| hits.iter().find(|hit| hit.event().offset == line).unwrap().key();
    assert_eq!(key(1), key(2));
    assert_eq!(values(key(3)).next(), Some(ValueRef::Text(b"name")));
    assert!(lines(rules.lint()).contains("fields of different types"));
}

#[test]
fn fan_out_counts_in_several_dimensions() {
    let text = format!(
        "{LOGINS}---
title: C
correlation: {{type: value_count, rules: [refused], group-by: src_ip, timespan: 5m, condition: {{field: dst_port, gte: 100}}}}
x-portolan:
    fan-out:
        - {{field: dst_ip, gte: 20}}
"
    );
    let rules = load(&text);
    let tree = rules.plan().trees.iter().find(|tree| tree.rule.title == "C").unwrap();
    assert_eq!(tree.slots, [["dst_port"], ["dst_ip"]]);
    let NodeKind::ValueCount { dimensions, .. } = &tree.nodes[0].kind else { panic!("a count of values") };
    assert_eq!(
        dimensions.iter().map(|one| one.condition.to_string()).collect::<Vec<_>>(),
        ["at least 100", "at least 20"]
    );
}

#[test]
fn an_unknown_field_is_refused_unless_it_may_be_a_vendors() {
    let rule = |source: &str, field: &str| {
        format!("title: T\nlogsource: {{{source}}}\ndetection: {{s: {{{field}: x}}, condition: s}}\n")
    };
    assert!(errors(&rule("category: firewall", "usr")).contains("no field has that name; did you mean `user`?"));
    assert!(errors(&rule("product: portolan", "usr")).contains("no field has that name; did you mean `user`?"));
    assert!(load(&rule("category: firewall", "extras.usr")).lint().is_empty());
    assert!(
        lines(load(&rule("product: fortigate", "usr")).lint())
            .contains("taken for a vendor field; did you mean `user`?")
    );
}

#[test]
fn an_unknown_field_that_is_grouped_by_or_counted_is_told_at_its_place() {
    let rule = |source: &str, group_by: &str, field: &str| {
        format!(
            "title: D\nname: d\nlogsource: {{{source}}}\ndetection: {{s: {{dst_port: 22}}, condition: s}}\n---\ntitle: C\ncorrelation:\n    type: value_count\n    rules: [d]\n    group-by: [user, {group_by}]\n    timespan: 5m\n    condition: {{field: {field}, gte: 5}}\n"
        )
    };
    let shown = errors(&rule("category: firewall", "scr_ip", "dst_ip"));
    assert!(shown.starts_with("rules.yml:10:22: `scr_ip`: `d` can't be routed by this group key"), "{shown}");
    assert!(shown.contains("no field is called `scr_ip`, did you mean `src_ip`?"), "{shown}");
    let shown = errors(&rule("category: firewall", "src_ip", "dst_pi"));
    assert!(shown.contains("rules.yml:12:24: `dst_pi`: no field has that name; did you mean `dst_ip`?"), "{shown}");

    let lint = |group_by, field| lines(load(&rule("product: fortigate", group_by, field)).lint());
    let said = lint("scr_ip", "usre");
    assert!(said.contains("rules.yml:10:22: `scr_ip`: taken for a vendor field; did you mean `src_ip`?"), "{said}");
    assert!(said.contains("rules.yml:12:24: `usre`: taken for a vendor field; did you mean `user`?"), "{said}");
    let said = lint("policy_bundle_number", "dst_ip");
    assert!(said.starts_with("rules.yml:10:22: `policy_bundle_number`: no field has that name"), "{said}");
    assert!(said.contains("write `extras.NAME` if it is one"), "{said}");
    assert_eq!(lint("extras.policy_bundle_number", "extras.scr_ip"), "");

    let alone = "title: T\nlogsource: {product: fortigate}\ndetection: {s: {dst_port: 22}, condition: s}\nx-portolan: {group-by: [scr_ip]}\n";
    assert!(lines(load(alone).lint()).contains("rules.yml:4:25: `scr_ip`: taken for a vendor field"));
}

#[test]
fn a_value_that_could_never_match_is_advised_against() {
    let rules = load(
        "title: T\nlogsource: {category: firewall}\ndetection: {s: {dst_port: ssh, src_ip: [localhost, 192.0.2.1]}, condition: s}\n",
    );
    let lint = lines(rules.lint());
    assert!(lint.contains("`dst_port` holds a port number") && lint.contains("`src_ip` holds an IP address"), "{lint}");
}

#[test]
fn placeholders_are_given_by_the_caller() {
    let text = "title: T\nlogsource: {category: firewall}\ndetection: {s: {user|expand: '%Admins%'}, condition: s}\n";
    assert!(errors(text).contains("placeholder `%Admins%` has no values"));
    let placeholders = Placeholders::from([("Admins".to_owned(), vec!["root".to_owned(), "adm*".to_owned()])]);
    let rules = RuleSet::load_with(&[("t.yml", text)], &placeholders).unwrap();
    let mut scanner = Scanner::new(Arc::new(rules), RawSample::None);
    assert_eq!(scanner.matches(&batch(&["user=ROOT", "user=admin", "user=ann"]))[0].iter().collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn digests_follow_the_text_and_versions_the_meaning() {
    let one = load(LOGINS);
    let spaced = load(&LOGINS.replace("name: failed", "name:   failed # a comment"));
    let changed = load(&LOGINS.replace("failure", "success"));
    let versions =
        |rules: &RuleSet| rules.plan().trees.iter().map(|tree| tree.rule.version.clone()).collect::<Vec<_>>();
    assert_ne!(one.digest(), spaced.digest());
    assert_eq!(versions(&one), versions(&spaced));
    assert_ne!(versions(&one)[0], versions(&changed)[0]);
    assert_eq!(versions(&one)[1], versions(&changed)[1]);
    assert_eq!((one.digest().len(), versions(&one)[0].len()), (64, 16));
}

#[test]
fn an_untagged_dimension_can_not_hide_a_detection() {
    let matched = |source: &str| {
        let rules =
            load(&format!("title: T\nlogsource: {{{source}}}\ndetection: {{s: {{dst_port: 22}}, condition: s}}\n"));
        Scanner::new(Arc::new(rules), RawSample::None).matches(&batch(&["dst_port=22"]))[0].get(0)
    };
    assert!(matched("category: firewall"));
    assert!(matched("Product: x, category: Firewall"));
    assert!(!matched("category: proxy"));
    assert!(matched("product: portolan"), "events as we normalise them, whoever wrote the log");
    assert!(!matched("product: portolan, category: proxy"));
    assert!(!matched("category: firewall, product: cisco"));
}

#[test]
fn product_portolan_is_every_source_in_canonical_names() {
    let text = "title: A
name: a
logsource: {product: portolan}
detection:
    dialled: {dst_port: 3389}
    condition: dialled
";
    let mut scanner = Scanner::new(Arc::new(load(text)), RawSample::None);
    let mut hits = HitBatch::default();
    let stats: ScanStats = scanner.scan(&batch(&["dst_port=3389", "dst_port=22"]), &mut hits).unwrap();
    assert_eq!(stats.hits, 1, "the events' own product is another");
    let misspelt = RuleSet::load(&[("rules.yml", text.replace("dst_port", "dst_prot"))]).unwrap_err();
    assert!(lines(&misspelt).contains("did you mean `dst_port`?"), "{}", lines(&misspelt));
}

proptest::proptest! {
    #[test]
    fn no_damage_to_a_rule_makes_the_loader_panic(cuts in proptest::collection::vec((0usize..3000, "[a-z:{}\\[\\]|*'\n -]{0,6}"), 1..6)) {
        let mut text = format!("{LOGINS}---
title: Inner
name: inner
correlation: {{type: event_count, rules: [failed, refused], aliases: {{host: {{failed: src_ip, refused: dst_ip}}}}, group-by: [host, user], timespan: 5m, condition: {{gte: 3}}}}
---
title: Outer
correlation: {{type: temporal, rules: [inner, refused], group-by: [user], timespan: 1h, condition: inner and not refused}}
---
title: Filter
logsource: {{category: firewall}}
filter: {{rules: any, sel: {{src_ip|cidr: 10.0.0.0/8, user|re|i: '^svc', time|hour|gte: 20}}, condition: not 1 of sel*}}
");
        for (at, with) in cuts {
            let at = at % text.len();
            if text.is_char_boundary(at) && text.is_char_boundary((at + 3).min(text.len())) {
                text.replace_range(at..(at + 3).min(text.len()), &with);
            }
        }
        if let Ok(rules) = RuleSet::load(&[("damaged.yml", &text)]) {
            let mut scanner = Scanner::new(Arc::new(rules), RawSample::None);
            scanner.scan(&batch(&["outcome=failure action=deny src_ip=192.0.2.1 user=ann"]), &mut HitBatch::new()).unwrap();
        }
    }
}

#[test]
fn the_documentations_rules_load_without_advice() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/sigma.md")).unwrap();
    let blocks: Vec<&str> = text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        assert_eq!(lines(load(block).lint()), "");
    }
}
