//! All rules as one plan for the scan: distinct predicates, each rule's logic over them, and what to read from a hit.
//!
//! Equal predicates of different rules get one number, so a thousand rules that ask for `EventID: 4625` ask once a batch.
//! Rules are kept by *class*, the distinct log sources they name: a batch decides for a class, not for each rule, whether
//! any of its rows could matter.

use std::collections::HashMap;

use schemas::FieldType;

use super::names::Source;
use super::predicate::{Logic, Predicate, Test};
use super::shape::{CONTEXT, Extract, Shape};
use crate::sigma::ast::LogSource;

/// What a batch is scanned with.
#[derive(Debug, Default)]
pub struct Program {
    /// The distinct predicates.
    pub predicates: Vec<Predicate>,
    /// The detection rules.
    pub rules: Vec<RuleProgram>,
    /// The distinct log sources of rules.
    pub classes: Vec<LogSource>,
    /// One for each tree of the plan; leaves refer to `rules`.
    pub trees: Vec<Vec<Shape>>,
    /// What every hit brings along.
    pub context: Vec<Extract>,
}

/// A detection rule.
#[derive(Debug)]
pub struct RuleProgram {
    /// Its log source, by its place in [`Program::classes`].
    pub class: u32,
    /// Its condition with its filters.
    pub logic: Logic,
}

/// How a predicate is evaluated, cheapest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    /// By comparing a column of fixed-size values, or by its presence: for all rows at once.
    Column,
    /// By something a row: only for rows that may still matter.
    Row,
}

impl Predicate {
    /// How it is evaluated.
    pub fn cost(&self) -> Cost {
        match self.test {
            Test::Present | Test::Numbers(_) | Test::Addresses(_) | Test::Words(_) => Cost::Column,
            Test::Text(_) | Test::DatePart(..) | Test::FieldRef(..) => Cost::Row,
        }
    }

    /// Whether its values are elements of a list.
    pub fn over_list(&self) -> bool {
        matches!(self.source.field_type(), FieldType::List)
    }
}

/// Gives equal predicates one number.
#[derive(Debug, Default)]
pub struct Numbering {
    numbers: HashMap<Predicate, u32>,
    predicates: Vec<Predicate>,
}

impl Numbering {
    /// The number of a predicate.
    pub fn number(&mut self, predicate: Predicate) -> u32 {
        *self.numbers.entry(predicate).or_insert_with_key(|predicate| {
            self.predicates.push(predicate.clone());
            (self.predicates.len() - 1) as u32
        })
    }

    /// The predicates by number.
    pub fn finish(self) -> Vec<Predicate> {
        self.predicates
    }
}

impl Program {
    /// The place of a log source among the classes.
    pub fn class(&mut self, log_source: &LogSource) -> u32 {
        let at = self.classes.iter().position(|known| known == log_source).unwrap_or_else(|| {
            self.classes.push(log_source.clone());
            self.classes.len() - 1
        });
        at as u32
    }

    /// What every hit brings along.
    pub fn context() -> Vec<Extract> {
        CONTEXT.iter().map(|field| Extract::new(Source::Field(*field))).collect()
    }
}
