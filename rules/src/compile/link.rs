//! References between documents: which rules a correlation means, which rules a filter joins, what alerts by itself.
//!
//! All files are read before anything is resolved, so neither the order of documents nor that of files matters. A rule
//! that is left out (faulty, or beyond the engine) takes the correlations that need it with it, without a second fault.

use std::collections::{BTreeSet, HashMap};

use crate::sigma::ast::*;
use crate::sigma::error::{Advice, Fault, RuleError, RuleWarning};
use crate::sigma::parse::Parsed;

/// All documents with their references resolved.
#[derive(Debug, Default)]
pub struct Linked {
    /// The documents, in the order of the files. Members and filters are indices into it.
    pub documents: Vec<Document>,
    /// For each document the documents that it refers to, in the order of `rules`; empty unless it is a correlation.
    pub members: Vec<Vec<usize>>,
    /// For each document the filters that apply to it; empty unless it is a detection.
    pub filters: Vec<Vec<usize>>,
    /// Whether each document alerts by itself.
    pub alerts: Vec<bool>,
    /// Documents that are out because something that they refer to is.
    pub out: BTreeSet<usize>,
    /// Faults of parsing and linking.
    pub errors: Vec<RuleError>,
    /// Advice of parsing and linking.
    pub warnings: Vec<RuleWarning>,
}

/// Joins the files.
pub fn link(files: Vec<Parsed>) -> Linked {
    let mut linked = Linked::default();
    let cut = files.iter().any(|file| file.cut);
    let mut left_out: BTreeSet<String> = BTreeSet::new();
    for file in files {
        linked.documents.extend(file.documents);
        linked.errors.extend(file.errors);
        linked.warnings.extend(file.warnings);
        left_out.extend(file.left_out);
    }
    let names = names(&linked.documents, &mut linked.errors);
    let count = linked.documents.len();
    linked.members = vec![Vec::new(); count];
    linked.filters = vec![Vec::new(); count];
    for at in 0..count {
        let document = &linked.documents[at];
        let Body::Correlation(correlation) = &document.body else { continue };
        for rule in &correlation.rules {
            match names.get(rule.text.as_str()).or_else(|| names.get(rule.text.to_ascii_lowercase().as_str())) {
                Some(&found) if matches!(linked.documents[found].body, Body::Filter(_)) => {
                    let fault = Fault::ReferenceKind { expected: "a detection or a correlation" };
                    linked.errors.push(RuleError::new(&document.file, rule.at, &rule.text, fault));
                    linked.out.insert(at);
                }
                Some(&found) => linked.members[at].push(found),
                None => {
                    linked.out.insert(at);
                    if !cut && !left_out.contains(&rule.text) {
                        let suggestion =
                            schemas::nearest(&rule.text, names.keys().map(String::as_str)).map(str::to_owned);
                        let fault = Fault::UnknownRule { suggestion };
                        linked.errors.push(RuleError::new(&document.file, rule.at, &rule.text, fault));
                    }
                }
            }
        }
    }
    cycles(&mut linked);
    spread_out(&mut linked);
    filters(&mut linked, &names, &left_out, cut);
    alerting(&mut linked);
    linked
}

/// Ids and names to documents; each may stand for one only.
fn names(documents: &[Document], errors: &mut Vec<RuleError>) -> HashMap<String, usize> {
    let mut names: HashMap<String, usize> = HashMap::new();
    for (at, document) in documents.iter().enumerate() {
        let head = &document.head;
        let mut own = vec![(head.id.as_ref(), "id"), (head.name.as_ref(), "name")];
        if head.id.is_none() && head.name.is_none() {
            // An alert is known by its rule; a title must do where there is nothing else.
            own.push((Some(&head.title), "title, and neither id nor name"));
        }
        for (name, what) in own {
            let Some(name) = name else { continue };
            match names.get(name.as_str()) {
                Some(&first) if first != at => {
                    let first = &documents[first];
                    let fault = Fault::DuplicateName { what, file: first.file.clone(), at: first.at };
                    errors.push(RuleError::new(&document.file, document.at, name, fault));
                }
                Some(_) => {}
                None => {
                    names.insert(name.clone(), at);
                }
            }
        }
    }
    names
}

/// Refuses correlations that reach themselves. Depth first, without recursion: a chain may be as long as the rule set.
fn cycles(linked: &mut Linked) {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        No,
        Open,
        Done,
    }
    let mut seen = vec![Seen::No; linked.documents.len()];
    for start in 0..linked.documents.len() {
        if seen[start] != Seen::No {
            continue;
        }
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        seen[start] = Seen::Open;
        while let Some((at, next)) = path.last_mut() {
            let Some(&member) = linked.members[*at].get(*next) else {
                seen[*at] = Seen::Done;
                path.pop();
                continue;
            };
            *next += 1;
            match seen[member] {
                Seen::Done => {}
                Seen::No => {
                    seen[member] = Seen::Open;
                    path.push((member, 0));
                }
                Seen::Open => {
                    let from = path.iter().position(|(at, _)| *at == member).unwrap_or(0);
                    let calls: Vec<&str> = path[from..].iter().map(|(at, _)| linked.documents[*at].call()).collect();
                    let document = &linked.documents[member];
                    let fault = Fault::Cycle { path: format!("{} -> {}", calls.join(" -> "), document.call()) };
                    linked.errors.push(RuleError::new(&document.file, document.at, document.call(), fault));
                    linked.out.extend(path[from..].iter().map(|(at, _)| *at));
                }
            }
        }
    }
}

/// What refers to something that is out is out, too.
fn spread_out(linked: &mut Linked) {
    loop {
        let more: Vec<usize> = (0..linked.documents.len())
            .filter(|at| {
                !linked.out.contains(at) && linked.members[*at].iter().any(|member| linked.out.contains(member))
            })
            .collect();
        if more.is_empty() {
            return;
        }
        linked.out.extend(more);
    }
}

fn filters(linked: &mut Linked, names: &HashMap<String, usize>, left_out: &BTreeSet<String>, cut: bool) {
    for at in 0..linked.documents.len() {
        let document = &linked.documents[at];
        let Body::Filter(filter) = &document.body else { continue };
        let mut chosen = Vec::new();
        match &filter.rules {
            None => chosen.extend(0..linked.documents.len()),
            Some(rules) => {
                for rule in rules {
                    match names.get(rule.text.as_str()).or_else(|| names.get(rule.text.to_ascii_lowercase().as_str())) {
                        Some(&found) if matches!(linked.documents[found].body, Body::Detection(_)) => {
                            chosen.push(found)
                        }
                        Some(_) => {
                            let fault =
                                Fault::ReferenceKind { expected: "a detection: filters never apply to correlations" };
                            linked.errors.push(RuleError::new(&document.file, rule.at, &rule.text, fault));
                        }
                        None if cut || left_out.contains(&rule.text) => {}
                        None => {
                            let suggestion =
                                schemas::nearest(&rule.text, names.keys().map(String::as_str)).map(str::to_owned);
                            let fault = Fault::UnknownRule { suggestion };
                            linked.errors.push(RuleError::new(&document.file, rule.at, &rule.text, fault));
                        }
                    }
                }
            }
        }
        chosen.retain(|rule| match &linked.documents[*rule].body {
            Body::Detection(detection) => contains(&detection.log_source, &filter.log_source),
            Body::Correlation(_) | Body::Filter(_) => false,
        });
        if chosen.is_empty() {
            let warning = RuleWarning::new(&document.file, document.at, document.call(), Advice::FilterMatchesNone);
            linked.warnings.push(warning);
        }
        for rule in chosen {
            linked.filters[rule].push(at);
        }
    }
}

/// Whether a rule's log source has every key that a filter's names, with the same value.
fn contains(rule: &LogSource, filter: &LogSource) -> bool {
    let has = |rule: &str, filter: &str| filter.is_empty() || rule == filter;
    has(&rule.category, &filter.category) && has(&rule.product, &filter.product) && has(&rule.service, &filter.service)
}

/// A rule alerts by itself if nothing refers to it, or something that does says `generate: true`.
fn alerting(linked: &mut Linked) {
    let count = linked.documents.len();
    let (mut referred, mut generated, mut silenced) = (vec![false; count], vec![false; count], vec![false; count]);
    for (at, document) in linked.documents.iter().enumerate() {
        let Body::Correlation(correlation) = &document.body else { continue };
        for &member in &linked.members[at] {
            referred[member] = true;
            generated[member] |= correlation.generate;
            silenced[member] |= !correlation.generate;
        }
    }
    for (at, document) in linked.documents.iter().enumerate() {
        let own = match &document.body {
            Body::Detection(detection) => detection.generate,
            Body::Correlation(_) => false,
            Body::Filter(_) => {
                linked.alerts.push(false);
                continue;
            }
        };
        if generated[at] && silenced[at] {
            let warning = RuleWarning::new(&document.file, document.at, document.call(), Advice::GenerateConflict);
            linked.warnings.push(warning);
        }
        linked.alerts.push(!referred[at] || generated[at] || own);
    }
}
