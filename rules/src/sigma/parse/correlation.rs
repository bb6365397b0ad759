//! The `correlation` and `x-portolan` parts of a document.

use super::{Reader, operator};
use crate::plan::Operator;
use crate::sigma::ast::*;
use crate::sigma::condition;
use crate::sigma::error::{Advice, Fault};
use crate::sigma::yaml::{Entry, Map, Meaning, Node, Value};

const KEYS: [&str; 8] = ["type", "rules", "group-by", "timespan", "timeframe", "condition", "aliases", "generate"];
const TYPES: [(&str, CorrelationKind); 8] = [
    ("event_count", CorrelationKind::EventCount),
    ("value_count", CorrelationKind::ValueCount),
    ("temporal", CorrelationKind::Temporal),
    ("temporal_ordered", CorrelationKind::TemporalOrdered),
    ("value_sum", CorrelationKind::ValueSum),
    ("value_avg", CorrelationKind::ValueAvg),
    ("value_percentile", CorrelationKind::ValuePercentile(50.0)),
    ("value_median", CorrelationKind::ValuePercentile(50.0)),
];

const EXTENSION_KEYS: [&str; 11] = [
    "version",
    "counts",
    "next",
    "group-by",
    "timespan",
    "fan-out",
    "baseline",
    "absence",
    "ratio",
    "first-seen",
    "periodicity",
];

impl Reader<'_> {
    pub(super) fn correlation(&mut self, map: &Map, entry: &Entry) -> Option<Correlation> {
        let body = self.map(&entry.value, "`correlation`")?;
        self.unknown_keys(body, &KEYS);
        let generate = self.bool(map, "generate").unwrap_or(false) | self.bool(body, "generate").unwrap_or(false);
        let kind = self.kind(body, entry);
        let timespan = body.entry("timespan").or_else(|| body.entry("timeframe"));
        let timespan_us = match timespan {
            Some(timespan) => self.timespan(&timespan.value),
            None => {
                self.fault(entry.at, "", Fault::Missing { key: "timespan", of: "a correlation" });
                None
            }
        };
        let mut rules = body.get("rules").map_or_else(Vec::new, |node| self.names(node));
        let group_by = body.get("group-by").map_or_else(Vec::new, |node| self.names(node));
        let aliases = body.get("aliases").map_or_else(Vec::new, |node| self.aliases(node));
        let mut read = Condition::default();
        let condition = body.entry("condition");
        match condition.map(|condition| &condition.value) {
            None => {}
            Some(node) if node.text().is_some() => self.expression(node, kind, &mut rules, body, &mut read),
            Some(node) => self.bounds(node, kind, &mut read),
        }
        let condition_at = condition.map_or(entry.at, |condition| condition.value.at);
        if rules.is_empty() {
            self.fault(entry.at, "", Fault::Missing { key: "rules", of: "a correlation" });
        }
        let kind = kind?;
        let temporal = matches!(kind, CorrelationKind::Temporal | CorrelationKind::TemporalOrdered);
        if !temporal {
            if condition.is_none() {
                self.fault(entry.at, "", Fault::Missing { key: "condition", of: "a counting correlation" });
            } else if read.bounds.is_empty() {
                self.fault(
                    condition_at,
                    "",
                    Fault::Missing { key: "gte", of: "a condition (or gt, lte, lt, eq, neq)" },
                );
            }
        }
        let type_name = TYPES.iter().find(|(_, known)| same_type(*known, kind)).map_or("value", |(name, _)| *name);
        match kind {
            CorrelationKind::EventCount | CorrelationKind::Temporal | CorrelationKind::TemporalOrdered => {
                if let Some(name) = read.fields.first() {
                    self.fault(
                        name.at,
                        &name.text,
                        Fault::Unsupported { what: "a field in the condition of this type" },
                    );
                }
            }
            CorrelationKind::ValueCount if read.fields.is_empty() => {
                self.fault(condition_at, "", Fault::ConditionField { type_name });
            }
            CorrelationKind::ValueCount => {}
            CorrelationKind::ValueSum | CorrelationKind::ValueAvg | CorrelationKind::ValuePercentile(_) => {
                if read.fields.len() != 1 {
                    self.fault(condition_at, "", Fault::ConditionField { type_name });
                }
            }
        }
        let kind = match (kind, read.percentile) {
            (CorrelationKind::ValuePercentile(_), Some(percentile)) => CorrelationKind::ValuePercentile(percentile),
            (CorrelationKind::ValuePercentile(_), None) => {
                if body.get("type").and_then(Node::text) == Some("value_percentile") {
                    self.notes.advise(condition_at, "", Advice::PercentileDefault);
                }
                kind
            }
            (_, Some(_)) => {
                self.fault(condition_at, "percentile", Fault::UnknownKey { suggestion: None });
                kind
            }
            (_, None) => kind,
        };
        if !temporal && read.bounds.iter().any(|bound| matches!(bound.operator, Operator::Lt | Operator::Lte)) {
            self.notes.advise(condition_at, "", Advice::UpperBound);
        }
        Some(Correlation {
            kind,
            rules,
            timespan_us: timespan_us?,
            group_by,
            aliases,
            bounds: read.bounds,
            fields: read.fields,
            expression: read.expression,
            condition_at,
            generate,
        })
    }

    fn kind(&mut self, body: &Map, entry: &Entry) -> Option<CorrelationKind> {
        let Some(node) = body.get("type") else {
            self.fault(entry.at, "", Fault::Missing { key: "type", of: "a correlation" });
            return None;
        };
        let word = self.text(node, "a type of correlation")?;
        let kind = TYPES.iter().find(|(name, _)| *name == word).map(|(_, kind)| *kind);
        if kind.is_none() {
            let suggestion = schemas::nearest(&word, TYPES.iter().map(|(name, _)| *name)).map(str::to_owned);
            let expected = "event_count, value_count, temporal, temporal_ordered, value_sum, value_avg, value_percentile or value_median";
            self.fault(node.at, &word, Fault::NotOneOf { expected, suggestion });
        }
        kind
    }

    /// A whole number and a unit, in microseconds. `M` is a month of 30.4 days, `m` a minute.
    fn timespan(&mut self, node: &Node) -> Option<i64> {
        let text = node.excerpt();
        let seconds = |text: &str| {
            let unit = match text.chars().last()? {
                's' => 1,
                'm' => 60,
                'h' => 3_600,
                'd' => 86_400,
                'w' => 604_800,
                'M' => 2_629_746,
                'y' => 31_556_952,
                _ => return None,
            };
            let digits = &text[..text.len() - 1];
            let number: i64 = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
            number.checked_mul(unit)?.checked_mul(1_000_000).filter(|us| *us > 0 && *us < i64::MAX / 4)
        };
        let us = seconds(text);
        if us.is_none() {
            self.fault(node.at, text, Fault::BadTimespan);
        }
        us
    }

    fn aliases(&mut self, node: &Node) -> Vec<Alias> {
        let Some(map) = self.map(node, "`aliases`") else { return Vec::new() };
        let mut aliases = Vec::with_capacity(map.entries.len());
        for entry in &map.entries {
            let Some(fields) = self.map(&entry.value, "an alias") else { continue };
            let mut pairs = Vec::with_capacity(fields.entries.len());
            for field in &fields.entries {
                if let Some(name) = self.name(&field.value) {
                    pairs.push((Name { text: field.key.clone(), at: field.at }, name));
                }
            }
            aliases.push(Alias { name: Name { text: entry.key.clone(), at: entry.at }, fields: pairs });
        }
        aliases
    }

    fn expression(
        &mut self,
        node: &Node,
        kind: Option<CorrelationKind>,
        rules: &mut Vec<Name>,
        body: &Map,
        read: &mut Condition,
    ) {
        if kind.is_some_and(|kind| !matches!(kind, CorrelationKind::Temporal)) {
            self.fault(
                node.at,
                node.excerpt(),
                Fault::WrongType { expected: "a map like `{gte: 10}`; only `temporal` takes a text" },
            );
            return;
        }
        match condition::parse(node.excerpt(), node.text_at, node.at) {
            Ok(expr) => {
                let mut used = Vec::new();
                self.used(&expr, &mut used);
                if body.get("rules").is_none() {
                    rules.clone_from(&used);
                } else {
                    for name in &used {
                        if !rules.iter().any(|rule| rule.text == name.text) {
                            let suggestion = schemas::nearest(&name.text, rules.iter().map(|rule| rule.text.as_str()))
                                .map(str::to_owned);
                            self.fault(name.at, &name.text, Fault::UnknownRule { suggestion });
                        }
                    }
                    for rule in rules.iter() {
                        if !used.iter().any(|name| name.text == rule.text) {
                            self.fault(rule.at, &rule.text, Fault::ExpressionWithoutRule { rule: rule.text.clone() });
                        }
                    }
                }
                read.expression = Some(expr);
            }
            Err((at, found, fault)) => self.fault(at, &found, fault),
        }
    }

    /// The names in an expression, each once. Selectors have no meaning here.
    fn used(&mut self, expr: &NamedExpr, names: &mut Vec<Name>) {
        match expr {
            NamedExpr::Name(name) => {
                if !names.iter().any(|known| known.text == name.text) {
                    names.push(name.clone());
                }
            }
            NamedExpr::OneOf(_, at) | NamedExpr::AllOf(_, at) => {
                self.fault(
                    *at,
                    "of",
                    Fault::Condition { expected: "the names of rules, joined by `and`, `or`, `not`" },
                );
            }
            NamedExpr::And(parts) | NamedExpr::Or(parts) => parts.iter().for_each(|part| self.used(part, names)),
            NamedExpr::Not(part) => self.used(part, names),
        }
    }

    fn bounds(&mut self, node: &Node, kind: Option<CorrelationKind>, read: &mut Condition) {
        let Some(map) = self.map(node, "the condition") else { return };
        self.unknown_keys(map, &["gt", "gte", "lt", "lte", "eq", "neq", "field", "percentile"]);
        read.fields = map.get("field").map_or_else(Vec::new, |node| self.names(node));
        read.bounds = self.comparisons(map);
        if let Some(node) = map.get("percentile") {
            match number(node).map(Number::as_f64) {
                Some(percentile) if (0.0..=100.0).contains(&percentile) => read.percentile = Some(percentile),
                Some(_) | None => {
                    self.fault(node.at, node.excerpt(), Fault::OutOfRange { part: "percentile", low: 0, high: 100 });
                }
            }
        }
        if kind.is_some_and(|kind| matches!(kind, CorrelationKind::TemporalOrdered)) && !read.bounds.is_empty() {
            self.fault(
                node.at,
                "",
                Fault::Unsupported { what: "a number of rules in `temporal_ordered`: all of them are needed, so it" },
            );
        }
    }

    fn comparisons(&mut self, map: &Map) -> Vec<Bound> {
        let mut bounds = Vec::new();
        for entry in &map.entries {
            let Some(operator) = operator(&entry.key) else { continue };
            match number(&entry.value) {
                Some(number) => bounds.push(Bound { operator, number }),
                None => self.fault(entry.value.at, entry.value.excerpt(), Fault::WrongType { expected: "a number" }),
            }
        }
        bounds
    }

    pub(super) fn extension(&mut self, node: &Node, correlation: bool) -> Extension {
        let Some(map) = self.map(node, "`x-portolan`") else { return Extension::default() };
        self.unknown_keys(map, &EXTENSION_KEYS);
        let mut extension = Extension {
            version: self.optional_text(map, "version"),
            counts: self.optional_text(map, "counts"),
            next: self.texts(map, "next"),
            ..Extension::default()
        };
        for key in ["group-by", "timespan"] {
            if let (true, Some(entry)) = (correlation, map.entry(key)) {
                let what = "this in the `x-portolan` of a correlation, which has its own,";
                self.fault(entry.at, key, Fault::Unsupported { what });
            }
        }
        extension.group_by = map.get("group-by").map(|node| self.names(node));
        extension.timespan_us = map.get("timespan").and_then(|node| self.timespan(node));
        if let Some(node) = map.get("fan-out") {
            let nodes = match &node.value {
                Value::List(nodes) => nodes.as_slice(),
                Value::Null | Value::Scalar(_) | Value::Map(_) => std::slice::from_ref(node),
            };
            for node in nodes {
                let Some(dimension) = self.map(node, "a dimension of `fan-out`") else { continue };
                self.unknown_keys(dimension, &["gt", "gte", "lt", "lte", "eq", "neq", "field"]);
                let fields = dimension.get("field").map_or_else(Vec::new, |node| self.names(node));
                let bounds = self.comparisons(dimension);
                if fields.is_empty() || bounds.is_empty() {
                    self.fault(node.at, "", Fault::Missing { key: "field", of: "a dimension (and gte or the like)" });
                }
                extension.fan_out.push((fields, bounds));
            }
        }
        for key in ["baseline", "absence", "ratio", "first-seen", "periodicity"] {
            if let Some(entry) = map.entry(key) {
                extension.temporal.push((entry.key.clone(), entry.at, entry.value.clone()));
            }
        }
        extension
    }
}

#[derive(Default)]
struct Condition {
    bounds: Vec<Bound>,
    fields: Vec<Name>,
    percentile: Option<f64>,
    expression: Option<NamedExpr>,
}

fn same_type(a: CorrelationKind, b: CorrelationKind) -> bool {
    std::mem::discriminant(&a) == std::mem::discriminant(&b)
}

fn number(node: &Node) -> Option<Number> {
    match &node.value {
        Value::Scalar(scalar) => match scalar.meaning {
            Meaning::Int(number) => Some(Number::Int(number)),
            Meaning::Float(number) => Some(Number::Float(number)),
            Meaning::Bool(_) | Meaning::Text => None,
        },
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}
