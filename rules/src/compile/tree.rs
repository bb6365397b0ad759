//! Correlations become trees for the correlator and, for the scan, what to read from an event that matched a leaf.
//!
//! A tree is routed by the group key of its root, so each name of that key is followed down to every leaf: at each
//! correlation on the way through its aliases, and into the group-by of the correlation below, until a leaf's log source
//! says which column it is. Each part of a key carries a *label*, one name for the whole tree, because the correlator
//! finds a member's values again by name. Where a name gets lost on the way the rule is refused with the reason.
//!
//! Long because one builder goes down and comes back up: what it found on the way down decides what it builds.

use std::sync::Arc;

use schemas::{Field, FieldType};

use super::link::Linked;
use super::names::{Resolved, Source, resolve, type_words};
use super::shape::{CONTEXT, Extract, Lacking, Shape, align};
use super::words::{condition, expression, how_many, leaf_of, rule_text};
use crate::hit::LEAVES_MAX;
use crate::plan::{Dimension, Expression, Member, Metric, Node, NodeKind, SINGLE_GROUP_BY, SINGLE_TIMESPAN_US, Tree};
use crate::sigma::ast::*;
use crate::sigma::error::{Advice, At, Fault, RuleError, RuleWarning};

/// A tree with its shapes.
#[derive(Debug)]
pub struct Built {
    /// For the correlator.
    pub tree: Tree,
    /// For the scan.
    pub shapes: Vec<Shape>,
}

/// Builds the tree of a document that alerts by itself.
///
/// # Errors
/// Every member that can't be routed, every field that is unknown.
pub fn build<'a>(linked: &'a Linked, root: usize, warnings: &'a mut Vec<RuleWarning>) -> Result<Built, Vec<RuleError>> {
    let document = &linked.documents[root];
    let mut builder = Builder {
        linked,
        tree: Tree::default(),
        shapes: Vec::new(),
        nodes: Vec::new(),
        errors: Vec::new(),
        warnings,
        file: &document.file,
    };
    builder.tree.rule = rule_text(linked, root);
    builder.tree.context = CONTEXT.iter().map(|field| field.name().to_owned()).collect();
    match &document.body {
        Body::Detection(detection) => builder.single(root, detection),
        Body::Correlation(correlation) => {
            let own: Vec<Part> = correlation
                .group_by
                .iter()
                .map(|name| Part { label: builder.label(root, correlation, name), local: name.clone() })
                .collect();
            builder.tree.group_by = own.iter().map(|part| part.label.clone()).collect();
            builder.node(root, correlation, &own);
        }
        Body::Filter(_) => {}
    }
    builder.align(document);
    let Builder { tree, shapes, mut errors, .. } = builder;
    if errors.is_empty()
        && let Err(unfit) = tree.check()
    {
        errors.push(RuleError::new(&document.file, document.at, document.call(), Fault::Plan { what: unfit.what }));
    }
    if errors.is_empty() { Ok(Built { tree, shapes }) } else { Err(errors) }
}

/// A part of a group key: its name in the tree, and its name in the correlation at hand.
#[derive(Clone, Debug)]
struct Part {
    label: String,
    local: Name,
}

struct Builder<'a> {
    linked: &'a Linked,
    tree: Tree,
    /// One shape a leaf until the end, when equal ones are joined.
    shapes: Vec<Shape>,
    /// Correlations that have a node already, with the names that the root's key has in them.
    nodes: Vec<(usize, Vec<String>, u16)>,
    errors: Vec<RuleError>,
    warnings: &'a mut Vec<RuleWarning>,
    file: &'a Arc<str>,
}

impl<'a> Builder<'a> {
    #[cold]
    fn fault(&mut self, at: At, found: &str, fault: Fault) {
        self.errors.push(RuleError::new(self.file, at, found, fault));
    }

    /// Where a value lies that is read from events.
    fn read(&mut self, name: &Name, log_source: &LogSource) -> Option<Source> {
        match resolve(&name.text, log_source) {
            Ok(found) => Some(self.counted(name, found)),
            Err(suggestion) => {
                self.fault(name.at, &name.text, Fault::UnknownField { suggestion });
                None
            }
        }
    }

    /// The same for a name that was found. A vendor field without its prefix may be a mistake, and events without it
    /// fall out of the count in silence: the lint says so.
    fn counted(&mut self, name: &Name, found: Resolved) -> Source {
        if matches!(found.source, Source::Extra(_)) && !name.text.starts_with("extras.") {
            let advice = match found.near {
                Some(suggestion) => Advice::VendorFieldNear { suggestion },
                None => Advice::VendorFieldCounted,
            };
            self.warnings.push(RuleWarning::new(self.file, name.at, &name.text, advice));
        }
        found.source
    }

    fn single(&mut self, root: usize, detection: &Detection) {
        let document = &self.linked.documents[root];
        let extension = &document.head.extension;
        let mut key = Vec::new();
        match &extension.group_by {
            Some(names) => {
                for name in names {
                    key.extend(self.read(name, &detection.log_source));
                }
            }
            None => {
                let fields =
                    SINGLE_GROUP_BY.iter().filter_map(|name| Field::ALL.iter().find(|field| field.name() == *name));
                key.extend(fields.map(|field| Source::Field(*field)));
            }
        }
        let rule = std::mem::take(&mut self.tree.rule);
        let context = std::mem::take(&mut self.tree.context);
        let group_by = key.iter().map(Source::canonical).collect();
        let timespan_us = extension.timespan_us.unwrap_or(SINGLE_TIMESPAN_US);
        self.tree = Tree { context, ..Tree::single(rule, leaf_of(document), group_by, timespan_us) };
        self.shapes.push(Shape {
            leaves: vec![(0, root)],
            key: key.into_iter().map(Extract::new).collect(),
            slots: Vec::new(),
            inner: Vec::new(),
            lacking: Lacking::Kept,
        });
    }

    /// The name that a part of a group key has in the tree.
    fn label(&self, at: usize, correlation: &Correlation, name: &Name) -> String {
        if correlation.aliases.iter().any(|alias| alias.name.text == name.text) {
            return name.text.clone();
        }
        let mut label: Option<String> = None;
        let mut same = true;
        self.each_leaf(at, &mut |log_source| {
            let found =
                resolve(&name.text, log_source).map_or_else(|_| name.text.clone(), |found| found.source.canonical());
            same &= label.as_ref().is_none_or(|label| *label == found);
            label = Some(found);
        });
        label.filter(|_| same).unwrap_or_else(|| name.text.clone())
    }

    /// Calls `each` with the log source of every detection below a document.
    fn each_leaf(&self, at: usize, each: &mut impl FnMut(&LogSource)) {
        let mut left = vec![at];
        let mut seen = vec![false; self.linked.documents.len()];
        while let Some(at) = left.pop() {
            if std::mem::replace(&mut seen[at], true) {
                continue;
            }
            match &self.linked.documents[at].body {
                Body::Detection(detection) => each(&detection.log_source),
                Body::Correlation(_) => left.extend(&self.linked.members[at]),
                Body::Filter(_) => {}
            }
        }
    }

    /// Adds a correlation whose group key has these parts, the root's first; gives its number.
    fn node(&mut self, at: usize, correlation: &'a Correlation, own: &[Part]) -> u16 {
        let document = &self.linked.documents[at];
        let outer_file = std::mem::replace(&mut self.file, &document.file);
        for (key, at, _) in &document.head.extension.temporal {
            self.fault(*at, key, Fault::Unsupported { what: "this key of `x-portolan`" });
        }
        for alias in &correlation.aliases {
            for (rule, _) in &alias.fields {
                if !correlation.rules.iter().any(|name| self.same_rule(at, &name.text, &rule.text)) {
                    self.fault(rule.at, &rule.text, Fault::AliasOfStranger);
                }
            }
        }
        let root_parts = self.tree.group_by.len();
        let inner: Vec<String> = own.iter().skip(root_parts).map(|part| part.label.clone()).collect();
        let inner_key = (!inner.is_empty()).then(|| {
            self.tree.inner_keys.push(inner);
            (self.tree.inner_keys.len() - 1) as u16
        });
        let slots = self.slots(at, correlation);
        let mut members = Vec::new();
        for (index, &member) in self.linked.members[at].iter().enumerate() {
            let reference = &correlation.rules[index];
            match &self.linked.documents[member].body {
                Body::Detection(detection) => {
                    if let Some(leaf) = self.leaf(correlation, reference, member, detection, own, inner_key, &slots) {
                        members.push(Member::Leaf(leaf));
                    }
                }
                Body::Correlation(below) => {
                    if let Some(parts) = self.below(correlation, reference, member, below, own) {
                        for (_, names) in &slots {
                            for name in names {
                                let label = self.label(at, correlation, name);
                                if !parts.iter().any(|part| part.label == label) {
                                    self.fault(name.at, &name.text, Fault::ValueOverCorrelation);
                                }
                            }
                        }
                        let bound: Vec<String> = parts.iter().map(|part| part.label.clone()).collect();
                        let known = self.nodes.iter().find(|(at, names, _)| *at == member && *names == bound);
                        let node = match known {
                            Some((_, _, node)) => *node,
                            None => self.node(member, below, &parts),
                        };
                        members.push(Member::Node(node));
                    }
                }
                Body::Filter(_) => {}
            }
        }
        let kind = self.kind(correlation, document, members, &slots);
        self.tree.nodes.push(Node {
            name: document.call().to_owned(),
            title: document.head.title.clone(),
            timespan_us: correlation.timespan_us,
            inner_key,
            kind,
        });
        let number = (self.tree.nodes.len() - 1) as u16;
        self.nodes.push((at, own.iter().map(|part| part.label.clone()).collect(), number));
        self.file = outer_file;
        number
    }

    /// Whether two names of a correlation mean the same rule.
    fn same_rule(&self, at: usize, one: &str, other: &str) -> bool {
        let of = |name: &str| {
            self.linked.members[at].iter().find(|member| {
                let head = &self.linked.documents[**member].head;
                head.name.as_deref() == Some(name) || head.id.as_deref() == Some(name.to_ascii_lowercase().as_str())
            })
        };
        one == other || of(one).is_some_and(|found| of(other) == Some(found))
    }

    /// The slots of a correlation, with the fields that they are made of.
    fn slots(&mut self, at: usize, correlation: &Correlation) -> Vec<(u16, Vec<Name>)> {
        let fan_out = self.linked.documents[at].head.extension.fan_out.iter().map(|(fields, _)| fields.clone());
        let lists = std::iter::once(correlation.fields.clone()).chain(fan_out).filter(|fields| !fields.is_empty());
        let lists: Vec<Vec<Name>> = lists.collect();
        let mut slots = Vec::new();
        for names in lists {
            let labels = names.iter().map(|name| self.label(at, correlation, name)).collect();
            self.tree.slots.push(labels);
            slots.push(((self.tree.slots.len() - 1) as u16, names));
        }
        slots
    }

    /// The name that a name of a correlation has in one of its members.
    fn in_member(
        &mut self,
        correlation: &'a Correlation,
        reference: &Name,
        member: usize,
        local: &Name,
    ) -> Option<Name> {
        let Some(alias) = correlation.aliases.iter().find(|alias| alias.name.text == local.text) else {
            return Some(local.clone());
        };
        let head = &self.linked.documents[member].head;
        let is_it = |rule: &str| {
            rule == reference.text
                || head.name.as_deref() == Some(rule)
                || head.id.as_deref() == Some(rule.to_ascii_lowercase().as_str())
        };
        let found = alias.fields.iter().find(|(rule, _)| is_it(&rule.text)).map(|(_, field)| field.clone());
        if found.is_none() {
            self.fault(alias.name.at, &alias.name.text, Fault::AliasWithoutRule { rule: reference.text.clone() });
        }
        found
    }

    /// The parts of the group key of a correlation that is a member of another: all of the other's, then its own.
    fn below(
        &mut self,
        correlation: &'a Correlation,
        reference: &Name,
        member: usize,
        below: &'a Correlation,
        own: &[Part],
    ) -> Option<Vec<Part>> {
        let mut parts = Vec::with_capacity(below.group_by.len());
        for part in own {
            let local = self.in_member(correlation, reference, member, &part.local)?;
            let found = below.group_by.iter().find(|name| self.same_field(member, below, &local, name));
            match found {
                Some(name) => parts.push(Part { label: part.label.clone(), local: name.clone() }),
                None => {
                    let reason = format!("it does not group by `{}`", local.text);
                    let fault = Fault::NoGroupField { member: reference.text.clone(), reason };
                    self.fault(reference.at, &reference.text, fault);
                    return None;
                }
            }
        }
        for name in &below.group_by {
            if !parts.iter().any(|part| part.local.text == name.text) {
                let mut label = self.label(member, below, name);
                while parts.iter().any(|part| part.label == label) {
                    label.push('\'');
                }
                parts.push(Part { label, local: name.clone() });
            }
        }
        Some(parts)
    }

    /// Whether two names mean the same in every detection below a correlation.
    fn same_field(&self, at: usize, correlation: &Correlation, one: &Name, other: &Name) -> bool {
        if one.text == other.text {
            return true;
        }
        let aliased = |name: &Name| correlation.aliases.iter().any(|alias| alias.name.text == name.text);
        if aliased(one) || aliased(other) {
            return false;
        }
        let mut same = true;
        self.each_leaf(at, &mut |log_source| {
            let of = |name: &Name| resolve(&name.text, log_source).map(|found| found.source);
            same &= matches!((of(one), of(other)), (Ok(one), Ok(other)) if one == other);
        });
        same
    }

    #[expect(clippy::too_many_arguments, reason = "each is a different thing that a leaf is made from")]
    fn leaf(
        &mut self,
        correlation: &'a Correlation,
        reference: &Name,
        member: usize,
        detection: &Detection,
        own: &[Part],
        inner_key: Option<u16>,
        slots: &[(u16, Vec<Name>)],
    ) -> Option<u8> {
        let mut sources = Vec::with_capacity(own.len());
        for part in own {
            let local = self.in_member(correlation, reference, member, &part.local)?;
            match self.routed(&local, &detection.log_source, &part.label) {
                Ok(found) => sources.push(self.counted(&local, found)),
                Err(reason) => {
                    let fault = Fault::NoGroupField { member: reference.text.clone(), reason };
                    self.fault(local.at, &local.text, fault);
                    return None;
                }
            }
        }
        let inner: Vec<Extract> = sources.split_off(self.tree.group_by.len()).into_iter().map(Extract::new).collect();
        let key: Vec<Extract> = sources.into_iter().map(Extract::new).collect();
        let mut wanted =
            Shape { leaves: Vec::new(), key, slots: Vec::new(), inner: Vec::new(), lacking: Lacking::Dropped };
        if let Some(inner_key) = inner_key {
            put(&mut wanted.inner, usize::from(inner_key), inner);
        }
        for (slot, names) in slots {
            let mut extracts = Vec::with_capacity(names.len());
            for name in names {
                let local = self.in_member(correlation, reference, member, name)?;
                extracts.push(Extract::new(self.read(&local, &detection.log_source)?));
            }
            if let CorrelationKind::ValueSum | CorrelationKind::ValueAvg | CorrelationKind::ValuePercentile(_) =
                correlation.kind
                && let Some(extract) = extracts.first()
                && matches!(
                    extract.source.field_type(),
                    FieldType::Ip | FieldType::Word(_) | FieldType::Time | FieldType::List
                )
            {
                let field = extract.source.field().map_or("raw", Field::name);
                let expected = type_words(extract.source.field_type());
                self.fault(names[0].at, &names[0].text, Fault::FieldType { field, expected });
            }
            put(&mut wanted.slots, usize::from(*slot), extracts);
        }
        // The same detection under another correlation is the same leaf, unless it is read differently there.
        for (leaf, shape) in self.shapes.iter_mut().enumerate() {
            if shape.leaves[0].1 == member
                && shape.key == wanted.key
                && fits(&shape.inner, &wanted.inner)
                && fits(&shape.slots, &wanted.slots)
            {
                fill(&mut shape.inner, wanted.inner);
                fill(&mut shape.slots, wanted.slots);
                return u8::try_from(leaf).ok();
            }
        }
        if self.shapes.len() >= LEAVES_MAX {
            self.fault(reference.at, &reference.text, Fault::TooManyLeaves { limit: LEAVES_MAX });
            return None;
        }
        let leaf = self.shapes.len() as u8;
        wanted.leaves.push((leaf, member));
        self.shapes.push(wanted);
        self.tree.leaves.push(leaf_of(&self.linked.documents[member]));
        Some(leaf)
    }

    /// Where a part of the group key lies in a leaf's events.
    fn routed(&self, name: &Name, log_source: &LogSource, label: &str) -> Result<Resolved, String> {
        match resolve(&name.text, log_source) {
            Ok(found) => {
                // A vendor field is fine if it is one everywhere; a known field that is unknown here is a mistake.
                let known = Field::ALL.iter().any(|field| field.name() == label);
                match (&found.source, known) {
                    (Source::Extra(_), true) if !name.text.starts_with("extras.") => {
                        Err(format!("its log source has no field `{}`", name.text))
                    }
                    _ => Ok(found),
                }
            }
            Err(suggestion) => Err(match suggestion {
                Some(suggestion) => format!("no field is called `{}`, did you mean `{suggestion}`?", name.text),
                None => format!("no field is called `{}`", name.text),
            }),
        }
    }

    fn kind(
        &mut self,
        correlation: &Correlation,
        document: &Document,
        members: Vec<Member>,
        slots: &[(u16, Vec<Name>)],
    ) -> NodeKind {
        let condition = condition(&correlation.bounds);
        let fan_out = &document.head.extension.fan_out;
        if let (Some((names, _)), false) = (fan_out.first(), matches!(correlation.kind, CorrelationKind::ValueCount)) {
            let at = names.first().map_or(correlation.condition_at, |name| name.at);
            self.fault(at, "fan-out", Fault::Unsupported { what: "`fan-out` outside `value_count`" });
        }
        let slot = slots.first().map_or(0, |(slot, _)| *slot);
        match correlation.kind {
            CorrelationKind::EventCount => NodeKind::EventCount { members, condition },
            CorrelationKind::ValueCount => {
                let conditions =
                    std::iter::once(condition).chain(fan_out.iter().map(|(_, bounds)| super::words::condition(bounds)));
                let dimensions = slots.iter().zip(conditions);
                let dimensions =
                    dimensions.map(|((slot, _), condition)| Dimension { slot: *slot, condition }).collect();
                NodeKind::ValueCount { members, dimensions }
            }
            CorrelationKind::ValueSum => NodeKind::Metric { members, metric: Metric::Sum, slot, condition },
            CorrelationKind::ValueAvg => NodeKind::Metric { members, metric: Metric::Mean, slot, condition },
            CorrelationKind::ValuePercentile(percentile) => {
                NodeKind::Metric { members, metric: Metric::Percentile(percentile), slot, condition }
            }
            CorrelationKind::TemporalOrdered => NodeKind::TemporalOrdered { members },
            CorrelationKind::Temporal => {
                let expression = match &correlation.expression {
                    Some(named) => expression(named, correlation),
                    None if correlation.bounds.is_empty() => Expression::AtLeast(members.len() as u16),
                    None => Expression::And(correlation.bounds.iter().map(|bound| how_many(*bound)).collect()),
                };
                NodeKind::Temporal { members, expression }
            }
        }
    }

    /// Brings each part of a key into one form over all leaves, then joins the leaves that are read alike.
    fn align(&mut self, document: &Document) {
        let mut mixed = false;
        for part in 0..self.tree.group_by.len() {
            mixed |= align(self.shapes.iter_mut().filter_map(|shape| shape.key.get_mut(part)));
        }
        let slots = self.tree.slots.len();
        let inner_keys = self.tree.inner_keys.len();
        for shape in &mut self.shapes {
            shape.slots.resize(slots, None);
            shape.inner.resize(inner_keys, None);
        }
        for slot in 0..slots {
            for part in 0..self.tree.slots[slot].len() {
                align(self.shapes.iter_mut().filter_map(|shape| shape.slots[slot].as_mut()?.get_mut(part)));
            }
        }
        for key in 0..inner_keys {
            for part in 0..self.tree.inner_keys[key].len() {
                mixed |= align(self.shapes.iter_mut().filter_map(|shape| shape.inner[key].as_mut()?.get_mut(part)));
            }
        }
        if mixed {
            self.warnings.push(RuleWarning::new(&document.file, document.at, document.call(), Advice::MixedTypes));
        }
        let mut joined: Vec<Shape> = Vec::new();
        for shape in std::mem::take(&mut self.shapes) {
            let alike =
                |known: &&mut Shape| known.key == shape.key && known.slots == shape.slots && known.inner == shape.inner;
            match joined.iter_mut().find(alike) {
                Some(known) => known.leaves.extend(shape.leaves),
                None => joined.push(shape),
            }
        }
        self.shapes = joined;
    }
}

fn put<T>(list: &mut Vec<Option<T>>, at: usize, value: T) {
    if list.len() <= at {
        list.resize_with(at + 1, || None);
    }
    list[at] = Some(value);
}

/// Whether two lists agree where both have something.
fn fits<T: PartialEq>(one: &[Option<T>], other: &[Option<T>]) -> bool {
    one.iter().zip(other).all(|pair| match pair {
        (Some(one), Some(other)) => one == other,
        (None, _) | (_, None) => true,
    })
}

fn fill<T>(list: &mut Vec<Option<T>>, more: Vec<Option<T>>) {
    for (at, value) in more.into_iter().enumerate() {
        if let Some(value) = value {
            put(list, at, value);
        }
    }
}
