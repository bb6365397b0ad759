//! The parts of a tree that are taken over from a document as they are: texts, conditions, expressions, versions.

use schemas::Level;

use super::link::Linked;
use crate::plan::{Comparison, Condition, Expression, Leaf, Operator, RuleText};
use crate::sigma::ast::*;

/// A detection as a leaf.
pub fn leaf_of(document: &Document) -> Leaf {
    Leaf {
        name: document.call().to_owned(),
        title: document.head.title.clone(),
        noun: document.head.extension.counts.clone(),
    }
}

/// Sigma's comparisons as the correlator's.
pub fn condition(bounds: &[Bound]) -> Condition {
    Condition(
        bounds.iter().map(|bound| Comparison { operator: bound.operator, number: bound.number.as_f64() }).collect(),
    )
}

/// A number of different rules as an expression.
pub fn how_many(bound: Bound) -> Expression {
    let at_least = |number: f64| Expression::AtLeast(number.clamp(0.0, 65_535.0) as u16);
    let number = bound.number.as_f64();
    let above = number.floor() + 1.0;
    let not = |expression| Expression::Not(Box::new(expression));
    match bound.operator {
        Operator::Gte => at_least(number.ceil()),
        Operator::Gt => at_least(above),
        Operator::Lt => not(at_least(number.ceil())),
        Operator::Lte => not(at_least(above)),
        // A fraction is no number of rules.
        Operator::Eq if number.fract() != 0.0 => Expression::Or(Vec::new()),
        Operator::Eq => Expression::And(vec![at_least(number), not(at_least(above))]),
        Operator::Neq if number.fract() != 0.0 => Expression::And(Vec::new()),
        Operator::Neq => Expression::Or(vec![at_least(above), not(at_least(number))]),
    }
}

/// A condition over the names of rules as one over members.
pub fn expression(named: &NamedExpr, correlation: &Correlation) -> Expression {
    let all = |parts: &[NamedExpr]| parts.iter().map(|part| expression(part, correlation)).collect();
    match named {
        NamedExpr::Name(name) => {
            let index = correlation.rules.iter().position(|rule| rule.text == name.text).unwrap_or(0);
            Expression::Member(index as u16)
        }
        NamedExpr::And(parts) => Expression::And(all(parts)),
        NamedExpr::Or(parts) => Expression::Or(all(parts)),
        NamedExpr::Not(part) => Expression::Not(Box::new(expression(part, correlation))),
        // The parser refuses selectors here.
        NamedExpr::OneOf(..) | NamedExpr::AllOf(..) => Expression::AtLeast(1),
    }
}

/// What an alert tells of its rule.
pub fn rule_text(linked: &Linked, root: usize) -> RuleText {
    let document = &linked.documents[root];
    let head = &document.head;
    RuleText {
        id: head.id.as_deref().unwrap_or_else(|| document.call()).to_owned(),
        version: version(linked, root),
        title: head.title.clone(),
        description: head.description.clone(),
        level: level(head.level),
        tags: head.tags.clone(),
        falsepositives: head.falsepositives.clone(),
        references: head.references.clone(),
        next: head.extension.next.clone(),
    }
}

/// The head of the digest of a rule and of all that it refers to, filters included.
fn version(linked: &Linked, root: usize) -> String {
    use sha2::Digest;
    let mut digest = sha2::Sha256::new();
    let mut seen = vec![false; linked.documents.len()];
    let mut left = vec![root];
    while let Some(at) = left.pop() {
        if std::mem::replace(&mut seen[at], true) {
            continue;
        }
        digest.update(&linked.documents[at].canonical);
        left.extend(linked.members[at].iter().rev().chain(&linked.filters[at]));
    }
    digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn level(level: Level) -> crate::plan::Level {
    match level {
        Level::Informational => crate::plan::Level::Informational,
        Level::Low => crate::plan::Level::Low,
        Level::Medium => crate::plan::Level::Medium,
        Level::High => crate::plan::Level::High,
        Level::Critical => crate::plan::Level::Critical,
    }
}
