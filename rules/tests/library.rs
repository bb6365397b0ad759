//! The library as a whole: it loads, each rule tells what a person needs, and each has its examples.
//!
//! Whether the examples come true is asked of the whole engine (`portolan rules test`), since a rule that is right about
//! fields which no parser fills is wrong.
#![allow(clippy::unwrap_used)]

use rules::RuleSet;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn library() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for tactic in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("library")).unwrap() {
        files.extend(fs::read_dir(tactic.unwrap().path()).unwrap().map(|file| file.unwrap().path()));
    }
    files.sort();
    files
}

fn is_events(path: &Path) -> bool {
    path.to_string_lossy().ends_with(".events.yaml")
}

fn rule_set() -> RuleSet {
    let files: Vec<(String, String)> = library()
        .into_iter()
        .filter(|path| !is_events(path))
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap()))
        .collect();
    RuleSet::load(&files)
        .unwrap_or_else(|errors| panic!("{}", errors.iter().map(|error| format!("{error}\n")).collect::<String>()))
}

#[test]
fn the_library_loads_as_one_set_without_a_warning() {
    let rules = rule_set();
    assert!(rules.lint().is_empty(), "{:?}", rules.lint());
    rules.plan().check().unwrap();
    assert!(rules.plan().trees.len() >= 12, "{}", rules.plan().trees.len());
}

#[test]
fn each_alerting_rule_says_why_it_matters_what_else_it_could_be_and_what_to_do() {
    for tree in &rule_set().plan().trees {
        let rule = &tree.rule;
        assert!(rule.description.len() > 60, "{}: description", rule.title);
        assert!(!rule.falsepositives.is_empty(), "{}: falsepositives", rule.title);
        assert!(!rule.next.is_empty(), "{}: x-portolan.next", rule.title);
        assert!(rule.tags.iter().any(|tag| tag.starts_with("attack.t1")), "{}: an ATT&CK technique", rule.title);
        assert!(!tree.group_by.is_empty(), "{}: group-by", rule.title);
    }
}

#[test]
fn each_rule_file_has_examples_that_fire_and_that_stay_quiet() {
    let files = library();
    let names: BTreeSet<String> = files.iter().map(|path| path.display().to_string()).collect();
    for path in files.iter().filter(|path| !is_events(path)) {
        let events = path.display().to_string().replace(".yaml", ".events.yaml");
        assert!(names.contains(&events), "{events} is missing");
        let text = fs::read_to_string(&events).unwrap();
        let (fire, quiet) = text.split_once("\nquiet:\n").unwrap_or_else(|| panic!("{events}: no `quiet`"));
        assert!(fire.contains("fire:\n  - name:"), "{events}: nothing fires");
        assert!(quiet.starts_with("  - name:"), "{events}: nothing stays quiet");
    }
    for events in files.iter().filter(|path| is_events(path)) {
        let rule = events.display().to_string().replace(".events.yaml", ".yaml");
        assert!(names.contains(&rule), "{rule} is missing");
    }
}
