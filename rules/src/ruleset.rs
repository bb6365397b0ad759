//! A loaded set of rules: the plan for the correlator, the program for the scan, and what to tell people.
//!
//! Loading is pure. The caller reads the files and hands over their text; all faults of all of them come back at once,
//! and a set with a fault is not loaded at all, because a missing rule looks like a quiet network.

use std::collections::HashMap;
use std::sync::Arc;

use sha2::Digest;

use crate::compile::link::{Linked, link};
use crate::compile::predicate::{self, Logic};
use crate::compile::program::{Numbering, Program, RuleProgram};
use crate::compile::tree::{self, Built};
use crate::plan::Plan;
use crate::sigma::ast::{Body, Detection, Document, Expr, LogSource, Match, Search};
use crate::sigma::error::{RuleError, RuleWarning};
use crate::sigma::modifiers::{Notes, Placeholders};
use crate::sigma::parse;

/// Rules, ready to scan and to correlate.
#[derive(Debug)]
pub struct RuleSet {
    plan: Plan,
    program: Program,
    rules: Vec<RuleSummary>,
    warnings: Vec<RuleWarning>,
    digest: String,
}

/// A rule as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSummary {
    /// The file that it stands in.
    pub file: Arc<str>,
    /// Its line.
    pub line: u32,
    /// `id`, or empty.
    pub id: String,
    /// `name`, or empty.
    pub name: String,
    /// `title`.
    pub title: String,
    /// `level`.
    pub level: schemas::Level,
    /// `status`, or empty.
    pub status: String,
    /// `tags`.
    pub tags: Vec<String>,
    /// What kind of document it is.
    pub kind: RuleKind,
    /// Its tree in the plan, if it alerts by itself.
    pub tree: Option<u32>,
}

/// The kinds of document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// A detection.
    Detection,
    /// A correlation.
    Correlation,
    /// A filter.
    Filter,
}

impl RuleSet {
    /// Loads rules from files, given as name and text.
    ///
    /// ```
    /// let text = "
    /// title: RDP from anywhere
    /// logsource: {category: firewall}
    /// detection:
    ///     rdp: {dst_port: 3389}
    ///     condition: rdp
    /// ";
    /// let rules = rules::RuleSet::load(&[("rdp.yml", text)]).expect("a valid rule");
    /// assert_eq!(rules.plan().trees.len(), 1);
    ///
    /// let errors = rules::RuleSet::load(&[("rdp.yml", text.replace("dst_port", "dst_prot").as_str())]).expect_err("a misspelt field");
    /// assert!(errors[0].to_string().starts_with("rdp.yml:5:11: `dst_prot`: no field has that name; did you mean `dst_port`?"));
    /// ```
    ///
    /// # Errors
    /// Every fault of every file, sorted by file and place.
    pub fn load<N: AsRef<str>, T: AsRef<str>>(files: &[(N, T)]) -> Result<RuleSet, Vec<RuleError>> {
        RuleSet::load_with(files, &Placeholders::default())
    }

    /// The same, with values for the placeholders of the `expand` modifier.
    ///
    /// # Errors
    /// As [`RuleSet::load`].
    pub fn load_with<N: AsRef<str>, T: AsRef<str>>(
        files: &[(N, T)],
        placeholders: &Placeholders,
    ) -> Result<RuleSet, Vec<RuleError>> {
        let parsed = files
            .iter()
            .map(|(name, text)| parse::parse(&Arc::from(name.as_ref()), text.as_ref(), placeholders))
            .collect();
        let mut linked = link(parsed);
        let mut errors = std::mem::take(&mut linked.errors);
        let mut warnings = std::mem::take(&mut linked.warnings);
        let mut program = Program { context: Program::context(), ..Program::default() };
        let mut numbering = Numbering::default();
        let mut number_of_rule = HashMap::new();
        for (at, document) in linked.documents.iter().enumerate() {
            if let Body::Detection(detection) = &document.body {
                let logic = rule_logic(&linked, at, detection, &mut numbering, &mut errors, &mut warnings);
                let class = program.class(&detection.log_source);
                number_of_rule.insert(at, program.rules.len());
                program.rules.push(RuleProgram { class, logic });
            }
        }
        program.predicates = numbering.finish();
        let mut plan = Plan::default();
        let mut rules = Vec::with_capacity(linked.documents.len());
        for (at, document) in linked.documents.iter().enumerate() {
            let mut own_tree = None;
            if linked.alerts[at] && !linked.out.contains(&at) {
                match tree::build(&linked, at, &mut warnings) {
                    Ok(Built { tree, mut shapes }) => {
                        for leaf in shapes.iter_mut().flat_map(|shape| &mut shape.leaves) {
                            leaf.1 = number_of_rule[&leaf.1];
                        }
                        own_tree = Some(plan.trees.len() as u32);
                        plan.trees.push(tree);
                        program.trees.push(shapes);
                    }
                    Err(faults) => errors.extend(faults),
                }
            }
            rules.push(summary(document, own_tree));
        }
        if !errors.is_empty() {
            errors.sort_by(|a, b| (&a.file, a.at).cmp(&(&b.file, b.at)));
            errors.dedup();
            return Err(errors);
        }
        warnings.sort_by(|a, b| (&a.file, a.at).cmp(&(&b.file, b.at)));
        warnings.dedup();
        Ok(RuleSet { plan, program, rules, warnings, digest: digest(files, placeholders) })
    }

    /// What the correlator works with. The index of a tree is what hits carry.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What the scan works with.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// All documents, in the order of the files.
    pub fn rules(&self) -> &[RuleSummary] {
        &self.rules
    }

    /// What is allowed but probably not meant, and which rules are left out because the engine can't run them.
    pub fn lint(&self) -> &[RuleWarning] {
        &self.warnings
    }

    /// SHA-256 of all that was loaded (names, texts, placeholders), as 64 hexadecimal digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

fn summary(document: &Document, tree: Option<u32>) -> RuleSummary {
    let head = &document.head;
    RuleSummary {
        file: Arc::clone(&document.file),
        line: document.at.line,
        id: head.id.clone().unwrap_or_default(),
        name: head.name.clone().unwrap_or_default(),
        title: head.title.clone(),
        level: head.level,
        status: head.status.clone().unwrap_or_default(),
        tags: head.tags.clone(),
        kind: match document.body {
            Body::Detection(_) => RuleKind::Detection,
            Body::Correlation(_) => RuleKind::Correlation,
            Body::Filter(_) => RuleKind::Filter,
        },
        tree,
    }
}

/// A detection's condition over predicates, AND-ed with those of its filters. A filter's fields are read as the rule's
/// log source reads them.
fn rule_logic(
    linked: &Linked,
    at: usize,
    detection: &Detection,
    numbering: &mut Numbering,
    errors: &mut Vec<RuleError>,
    warnings: &mut Vec<RuleWarning>,
) -> Logic {
    let mut parts = Vec::new();
    let mut add = |document: &Document, searches: &[Search], condition: &Expr| {
        let mut notes = Notes::default();
        let logics: Vec<Logic> = searches
            .iter()
            .map(|search| match_logic(&search.what, &detection.log_source, numbering, &mut notes))
            .collect();
        parts.push(expr_logic(condition, &logics));
        let file = &document.file;
        errors.extend(notes.faults.into_iter().map(|(at, found, kind)| RuleError::new(file, at, &found, kind)));
        warnings.extend(notes.advice.into_iter().map(|(at, found, kind)| RuleWarning::new(file, at, &found, kind)));
    };
    add(&linked.documents[at], &detection.searches, &detection.condition);
    for &filter in &linked.filters[at] {
        let document = &linked.documents[filter];
        if let Body::Filter(filter) = &document.body {
            add(document, &filter.searches, &filter.condition);
        }
    }
    Logic::and(parts)
}

fn match_logic(what: &Match, log_source: &LogSource, numbering: &mut Numbering, notes: &mut Notes) -> Logic {
    match what {
        Match::Item(item) => predicate::item(item, log_source, &mut |predicate| numbering.number(predicate), notes),
        Match::All(parts) => {
            Logic::and(parts.iter().map(|part| match_logic(part, log_source, numbering, notes)).collect())
        }
        Match::Any(parts) => {
            Logic::or(parts.iter().map(|part| match_logic(part, log_source, numbering, notes)).collect())
        }
    }
}

fn expr_logic(expr: &Expr, searches: &[Logic]) -> Logic {
    match expr {
        Expr::Search(index) => searches[*index].clone(),
        Expr::And(parts) => Logic::and(parts.iter().map(|part| expr_logic(part, searches)).collect()),
        Expr::Or(parts) => Logic::or(parts.iter().map(|part| expr_logic(part, searches)).collect()),
        Expr::Not(part) => Logic::not(expr_logic(part, searches)),
    }
}

fn digest<N: AsRef<str>, T: AsRef<str>>(files: &[(N, T)], placeholders: &Placeholders) -> String {
    let mut digest = sha2::Sha256::new();
    let mut add = |text: &str| {
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text.as_bytes());
    };
    for (name, text) in files {
        add(name.as_ref());
        add(text.as_ref());
    }
    for (name, values) in placeholders {
        add(name);
        values.iter().for_each(|value| add(value));
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
