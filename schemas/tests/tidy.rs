//! The layout laws: what a reviewer would have to remember, checked.
//!
//! Only the standard library, in the leaf crate, so that it is the first test that can run; and text, not syntax,
//! because the laws are about what must not be there at all. Clippy checks some of it too, but an attribute can switch
//! clippy off.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Who may import whom. A new crate needs a row.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("schemas", &[]),
    ("parsers", &["schemas"]),
    ("enrichers", &["schemas"]),
    ("rules", &["schemas"]),
    ("eventlog", &[]),
    ("pipeline", &["schemas", "parsers", "enrichers", "rules", "eventlog"]),
    ("benches", &["schemas", "parsers", "enrichers", "rules", "pipeline"]),
    ("xtask", &[]),
];

/// What only tests may import: example events of a rule are raw lines of a family.
const TESTS_MAY_IMPORT: &[(&str, &str)] = &[("rules", "parsers")];

/// The one test that may hold unsafe code: an allocator that counts cannot be written without.
const UNSAFE_TEST: &str = "parsers/tests/allocations.rs";

/// Crates that are functions over batches: no waiting, no files, no sockets, no clock, no unsafe code.
const PURE: &[&str] = &["schemas", "parsers", "enrichers", "rules", "eventlog"];

const LINES_MAX: usize = 600;

/// Files that were longer when this law came, with their length then. They may shrink, not grow; take a row out when
/// its file is short enough. No row may be added.
const LONG_ALREADY: &[(&str, usize)] = &[("rules/src/sigma/modifiers.rs", 646)];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Files of the repository, as (path relative to the root, text), whose name ends so. Build products are left out.
fn files(under: &str, suffixes: &[&str]) -> Vec<(String, String)> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.join(under)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
            if path.is_dir() {
                if name != "target" && name != ".git" && !name.ends_with("/target") {
                    folders.push(path);
                }
            } else if suffixes.iter().any(|suffix| name.ends_with(suffix)) {
                found.push((name, String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned()));
            }
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<(String, String)> {
    MAY_IMPORT.iter().flat_map(|(krate, _)| files(krate, &[".rs"])).collect()
}

/// Lines of code with their numbers: without comments, and without the test module at the end of a file.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    numbered
        .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Fails with all findings at once.
fn check(law: &str, findings: Vec<String>) {
    assert!(findings.is_empty(), "{law}:\n  {}", findings.join("\n  "));
}

/// The crates that a manifest's section names: `[dependencies]`, `[dev-dependencies]`, …
fn named_in<'a>(manifest: &'a str, section: &str) -> Vec<&'a str> {
    let mut inside = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            inside = header == section || header.ends_with(&format!(".{section}"));
            // `[dependencies.name]` is a section of one.
            names.extend(header.strip_prefix(section).and_then(|rest| rest.strip_prefix('.')));
        } else if inside && !line.starts_with('#') {
            names.extend(line.split(['=', '.', ' ']).next().filter(|name| !name.is_empty()));
        }
    }
    names
}

#[test]
fn crates_import_only_what_lies_below_them() {
    let mut findings = Vec::new();
    let is_ours = |name: &&str| MAY_IMPORT.iter().any(|(ours, _)| ours == name);
    for (krate, allowed) in MAY_IMPORT {
        let manifest = fs::read_to_string(root().join(krate).join("Cargo.toml")).unwrap();
        for section in ["dependencies", "build-dependencies", "dev-dependencies"] {
            for name in named_in(&manifest, section).into_iter().filter(is_ours) {
                let by_a_test = section == "dev-dependencies" && TESTS_MAY_IMPORT.contains(&(*krate, name));
                if !allowed.contains(&name) && name != *krate && !by_a_test {
                    findings.push(format!("{krate} must not import {name}"));
                }
            }
        }
    }
    check("schemas <- {parsers, enrichers, rules} <- pipeline <- benches, and no other way", findings);
}

#[test]
fn every_crate_of_the_workspace_has_its_row_of_imports() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let members = manifest.lines().find_map(|line| line.strip_prefix("members = [")).unwrap();
    let members: BTreeSet<&str> = members.split('"').skip(1).step_by(2).collect();
    let rows: BTreeSet<&str> = MAY_IMPORT.iter().map(|(krate, _)| *krate).collect();
    assert_eq!(members, rows);
}

#[test]
fn versions_stand_in_the_workspace_table_only() {
    let mut findings = Vec::new();
    for (krate, _) in MAY_IMPORT {
        let manifest = fs::read_to_string(root().join(krate).join("Cargo.toml")).unwrap();
        let mut inside = false;
        for line in manifest.lines() {
            if line.starts_with('[') {
                inside = line.contains("dependencies");
            } else if inside && line.contains('=') && !line.starts_with('#') && !line.contains("workspace = true") {
                findings.push(format!("{krate}/Cargo.toml: {line}"));
            }
        }
    }
    check("a dependency is `name.workspace = true`", findings);
}

#[test]
fn every_dependency_has_its_reason_above_it() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let lines: Vec<&str> = manifest.lines().collect();
    let begin = lines.iter().position(|line| *line == "[workspace.dependencies]").unwrap();
    let mut findings = Vec::new();
    for at in begin + 1..lines.len() {
        let line = lines[at];
        if line.starts_with('[') {
            break;
        }
        let is_ours = line.contains("path = ");
        if line.contains(" = ") && !line.starts_with('#') && !is_ours && !lines[at - 1].starts_with("# ") {
            findings.push(line.to_owned());
        }
    }
    check("what it does and why not ourselves, in a comment on the line above", findings);
}

#[test]
fn every_module_says_what_it_is() {
    let silent = sources().into_iter().filter(|(_, text)| !text.trim_start().starts_with("//! "));
    check("the first line is `//! …`", silent.map(|(path, _)| path).collect());
}

#[test]
fn no_file_is_long_without_a_reason() {
    let mut findings = Vec::new();
    for (path, text) in sources() {
        let lines = text.lines().count();
        let already = LONG_ALREADY.iter().find(|(long, _)| *long == path).map_or(LINES_MAX, |(_, lines)| *lines);
        if lines > already && !text.lines().any(|line| line.starts_with("//! Long because ")) {
            findings.push(format!("{path}: {lines} lines, {already} at most: split it by idea, or say why not"));
        }
    }
    check("a file has one concept, or a line `//! Long because …`", findings);
}

#[test]
fn only_pipeline_knows_files_sockets_waiting_and_time() {
    let banned = ["tokio", "async fn", ".await", "std::fs", "std::net", "std::process", "std::thread", "::now()"];
    let mut findings = Vec::new();
    for krate in PURE {
        for (path, text) in files(&format!("{krate}/src"), &[".rs"]) {
            for (number, line) in code(&text) {
                for word in banned.iter().filter(|word| line.contains(**word)) {
                    findings.push(format!("{path}:{number}: {word}"));
                }
            }
        }
    }
    check("what comes from outside is an argument; for addresses as values there is core::net", findings);
}

#[test]
fn the_clock_is_read_in_one_file() {
    let mut findings = Vec::new();
    for (path, text) in files("pipeline/src", &[".rs"]) {
        if path != "pipeline/src/clock.rs" {
            let reads = code(&text).filter(|(_, line)| line.contains("::now()"));
            findings.extend(reads.map(|(number, line)| format!("{path}:{number}: {}", line.trim())));
        }
    }
    check("only pipeline/src/clock.rs says `now()`", findings);
}

#[test]
fn unsafe_code_is_in_pipeline_only_and_proves_itself() {
    let mut findings = Vec::new();
    for (path, text) in sources() {
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in code(&text) {
            if !(line.contains("unsafe {") || line.contains("unsafe fn") || line.contains("unsafe impl"))
                || line.contains('"')
            {
                continue;
            }
            let above = &lines[number.saturating_sub(6)..number];
            let may = path.starts_with("pipeline/") || path == UNSAFE_TEST;
            if !may || !above.iter().any(|line| line.contains("SAFETY:")) {
                findings.push(format!("{path}:{number}"));
            }
        }
    }
    check("no unsafe code outside pipeline and the counting allocator, and there a `SAFETY:` proof above it", findings);
}

#[test]
fn no_test_is_switched_off_or_expects_a_panic() {
    let mut findings = Vec::new();
    for (path, text) in sources() {
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.starts_with("#[ignore") || line.starts_with("#[should_panic") {
                findings.push(format!("{path}:{}: {line}", at + 1));
            }
        }
    }
    check("a test runs, and says what holds", findings);
}

/// Names in the list of a macro call: `families! { a, b }`.
fn listed(text: &str, call: &str) -> BTreeSet<String> {
    let list = text.split(&format!("\n{call} {{")).nth(1).and_then(|rest| rest.split('}').next()).unwrap_or_default();
    let without_comments = list.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>();
    let names = without_comments.iter().flat_map(|line| line.split(',')).map(str::trim).filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

#[test]
fn a_family_is_a_file_a_word_and_fixtures_with_refused_lines() {
    let root = root();
    let list = fs::read_to_string(root.join("parsers/src/families/mod.rs")).unwrap();
    let families = listed(&list, "families!");
    let mut findings = Vec::new();
    for family in &families {
        let file = format!("parsers/src/families/{family}");
        if !root.join(format!("{file}.rs")).exists() && !root.join(format!("{file}/mod.rs")).exists() {
            findings.push(format!("{family}: no {file}.rs"));
        }
        for name in ["ABOUT.md", "lines.log", "expected.ndjson", "rejects.log", "rejects.expected.txt"] {
            let path = root.join(format!("parsers/fixtures/{family}/{name}"));
            if fs::metadata(&path).map_or(0, |facts| facts.len()) == 0 {
                findings.push(format!("{family}: parsers/fixtures/{family}/{name} is missing or empty"));
            }
        }
    }
    for entry in fs::read_dir(root.join("parsers/fixtures")).into_iter().flatten() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !families.contains(&name) && !name.ends_with(".md") {
            findings.push(format!("parsers/fixtures/{name}: not in the list of families"));
        }
    }
    check("a family is complete", findings);
}

#[test]
fn a_rule_has_events_and_events_have_a_rule() {
    let paths: BTreeSet<String> =
        files("rules/library", &[".yaml", ".yml"]).into_iter().map(|(path, _)| path).collect();
    let mut findings = Vec::new();
    for path in &paths {
        let partner = match path.strip_suffix(".events.yaml") {
            Some(rule) => format!("{rule}.yaml"),
            None => format!("{}.events.yaml", path.trim_end_matches(".yaml")),
        };
        if !paths.contains(&partner) {
            findings.push(format!("{path}: no {partner} beside it"));
        }
    }
    check("a rule and the events that must and must not fire", findings);
}

#[test]
fn nothing_speaks_of_the_machine_that_it_was_written_on() {
    // In two parts, so that this file does not find itself.
    let places = [concat!("/wo", "rk/"), concat!("/root", "/."), concat!("/root", "/work"), concat!("/Users", "/")];
    let kinds = [".rs", ".md", ".toml", ".sh", ".yml", ".py", ".xml", ".ci/run"];
    let mut findings = Vec::new();
    for (path, text) in files("", &kinds) {
        // Fixtures and libraries of rules hold paths of the systems that they describe.
        if path.contains("/fixtures/") || path.starts_with("rules/library/") {
            continue;
        }
        for (at, line) in text.lines().enumerate() {
            if places.iter().any(|place| line.contains(place)) {
                findings.push(format!("{path}:{}: {}", at + 1, line.trim()));
            }
        }
    }
    check("no path of a machine", findings);
}
