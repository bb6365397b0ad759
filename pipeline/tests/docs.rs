//! The pages of docs/ tell the truth: their examples are accepted, and the tables of configuration.md have the keys that the reader
//! knows, no other.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;

use pipeline::config::Config;

const PAGE: &str = include_str!("../../docs/configuration.md");

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in ["assets.csv", "country.mmdb", "asn.mmdb", "password", "ca.pem"] {
        std::fs::write(dir.path().join(name), "x\n").unwrap();
    }
    std::fs::create_dir(dir.path().join("rules")).unwrap();
    dir
}

/// A page's YAML examples.
fn examples(page: &'static str) -> Vec<&'static str> {
    page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn every_example_is_accepted() {
    let dir = folder();
    assert_eq!(examples(PAGE).len(), 2);
    for example in examples(PAGE) {
        if let Err(errors) = Config::load(&dir.path().join("portolan.yaml"), example) {
            panic!("{errors}");
        }
    }
}

#[test]
fn the_example_of_rule_tests_is_accepted() {
    for example in examples(include_str!("../../docs/rule-tests.md")) {
        let test = pipeline::rule_tests::read(Path::new("rule.events.yaml"), example);
        assert_eq!(test.unwrap_or_else(|report| panic!("{report}")).cases.len(), 2);
    }
}

#[test]
fn the_example_of_mappings_is_accepted() {
    let found = examples(include_str!("../../docs/mappings.md"));
    assert_eq!(found.len(), 1);
    pipeline::mappings::read(Path::new("gateway.yaml"), found[0]).unwrap_or_else(|report| panic!("{report}"));
}

#[test]
fn the_configuration_of_the_readme_is_accepted() {
    for example in examples(include_str!("../../README.md")) {
        assert!(Config::load(Path::new("portolan.yaml"), example).is_ok());
    }
}

/// The keys that a section knows, as the reader itself lists them when it meets one that is unknown.
fn known(text: &str, dir: &Path) -> BTreeSet<String> {
    let errors = Config::load(&dir.join("portolan.yaml"), text).expect_err("an unknown key");
    let help = errors
        .0
        .findings()
        .iter()
        .find_map(|finding| finding.help.clone().filter(|help| help.starts_with("known here: ")));
    let help = help.unwrap_or_else(|| panic!("{errors}"));
    help["known here: ".len()..].split(", ").map(str::to_owned).collect()
}

#[test]
fn the_tables_have_exactly_the_keys_of_the_reader() {
    let dir = folder();
    let mut reader = BTreeSet::new();
    for (prefix, text) in [
        ("", "zzzzzzzz: 1"),
        ("kafka.", "kafka: {zzzzzzzz: 1}"),
        ("kafka.tls.", "kafka: {tls: {zzzzzzzz: 1}}"),
        ("kafka.sasl.", "kafka: {sasl: {zzzzzzzz: 1}}"),
        ("input.", "input: {zzzzzzzz: 1}"),
        ("input.sources[].", "input: {sources: [{zzzzzzzz: 1}]}"),
        ("input.plausible.", "input: {plausible: {zzzzzzzz: 1}}"),
        ("input.sources[].plausible.", "input: {sources: [{plausible: {zzzzzzzz: 1}}]}"),
        ("topics.", "topics: {zzzzzzzz: 1}"),
        ("output.", "output: {zzzzzzzz: 1}"),
        ("lake.", "lake: {zzzzzzzz: 1}"),
        ("geo.", "geo: {zzzzzzzz: 1}"),
        ("state.", "state: {zzzzzzzz: 1}"),
    ] {
        reader.extend(known(text, dir.path()).into_iter().map(|key| format!("{prefix}{key}")));
    }
    // Sections have a heading rather than a row.
    for section in ["kafka", "input", "topics", "output", "lake", "geo", "state"] {
        assert!(reader.remove(section), "{section}");
    }
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let page: BTreeSet<String> = rows.map(str::to_owned).collect();
    let missing: Vec<_> = reader.difference(&page).collect();
    let invented: Vec<_> = page.difference(&reader).collect();
    assert!(missing.is_empty() && invented.is_empty(), "not on the page: {missing:?}; not in the reader: {invented:?}");
}
