//! The correlator against a twin that looks at all events for every t: obviously right, and slow.
//!
//! Times, keys and thresholds are tiny, so that ties, window edges and episode edges happen all the time. The stream
//! gets the events shuffled within the lateness and cut anywhere; the batch gets them split anyhow.
//!
//! Long because the twin repeats the whole meaning of a correlation in its own words.
#![allow(clippy::unwrap_used)]

use proptest::collection::vec;
use proptest::prelude::*;
use rules::correlate::{Correlator, Settings, Share, alert_id, correlate};
use rules::hit::{EventId, HitBatch, HitParts, ValueRef, values, write_part};
use rules::plan::*;
use schemas::{Alert, AlertId, AlertStatus};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

// ---------------------------------------------------------------- events and their hits

#[derive(Clone, Debug)]
struct Given {
    time_us: i64,
    key: u8,
    leaves: u64,
    /// 0: the event lacks the field.
    user: u8,
    port: u8,
    content: u8,
    /// An event that gives a second hit with other leaves and another user (aliases).
    twice: Option<(u64, u8)>,
}

#[derive(Clone, Debug)]
struct Happened {
    time_us: i64,
    key: u8,
    leaves: u64,
    user: u8,
    port: u8,
    content: u8,
    offset: u64,
}

fn happened(given: &[Given], leaves: usize) -> Vec<Happened> {
    let mask = (1 << leaves) - 1;
    let mut all = Vec::new();
    for (offset, event) in given.iter().enumerate() {
        let first = event.leaves & mask;
        let first = if first == 0 { 1 } else { first };
        let one = Happened {
            time_us: event.time_us,
            key: event.key,
            leaves: first,
            user: event.user,
            port: event.port,
            content: event.content,
            offset: offset as u64,
        };
        if let Some((leaves, user)) = event.twice {
            let others = leaves & mask & !first;
            if others != 0 && user != event.user {
                all.push(Happened { leaves: others, user, ..one.clone() });
            }
        }
        all.push(one);
    }
    all
}

fn uint(number: u8) -> Vec<u8> {
    let mut out = Vec::new();
    if number > 0 {
        ValueRef::Uint(u64::from(number)).write(&mut out);
    }
    out
}

fn key_bytes(key: u8) -> Vec<u8> {
    let mut out = Vec::new();
    ValueRef::Text(&[b'a' + key]).write(&mut out);
    out
}

fn push(batch: &mut HitBatch, hit: &Happened) {
    let source = batch.source_index(&Arc::from("topic")).unwrap();
    let (mut slots, mut inner, mut context) = (Vec::new(), Vec::new(), Vec::new());
    write_part(&uint(hit.port), &mut slots);
    write_part(&uint(hit.user), &mut slots);
    write_part(&uint(hit.user), &mut inner);
    ValueRef::Uint(hit.offset).write(&mut context);
    batch
        .push(HitParts {
            tree: 0,
            leaves: hit.leaves,
            time_us: hit.time_us,
            event: EventId { source, partition: 0, offset: hit.offset, sub: 0 },
            content: u64::from(hit.content),
            key: &key_bytes(hit.key),
            slots: &slots,
            inner: &inner,
            context: &context,
            raw: None,
        })
        .unwrap();
}

fn given() -> impl Strategy<Value = Given> {
    let twice = proptest::option::weighted(0.2, (1u64..8, 0u8..3));
    (0i64..40, 0u8..2, 1u64..8, 0u8..3, 0u8..4, 0u8..3, twice).prop_map(
        |(time_us, key, leaves, user, port, content, twice)| Given { time_us, key, leaves, user, port, content, twice },
    )
}

// ---------------------------------------------------------------- trees

fn condition() -> impl Strategy<Value = Condition> {
    let operator = prop_oneof![
        6 => Just(Operator::Gte), 1 => Just(Operator::Gt), 1 => Just(Operator::Lt),
        1 => Just(Operator::Lte), 1 => Just(Operator::Eq), 1 => Just(Operator::Neq)
    ];
    let comparison =
        (operator, 0u8..5).prop_map(|(operator, number)| Comparison { operator, number: f64::from(number) });
    vec(comparison, 1..=1).prop_map(Condition)
}

fn expression() -> impl Strategy<Value = Expression> {
    let leaf = prop_oneof![(0u16..2).prop_map(Expression::Member), (1u16..3).prop_map(Expression::AtLeast)];
    leaf.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..3).prop_map(Expression::And),
            vec(inner.clone(), 1..3).prop_map(Expression::Or),
            inner.prop_map(|part| Expression::Not(Box::new(part))),
        ]
    })
}

#[derive(Clone, Debug)]
enum Shape {
    Events(Condition),
    Values(Vec<(u16, Condition)>),
    Metric(Metric, u16, Condition),
    Temporal(Expression),
    Ordered,
}

fn shape() -> impl Strategy<Value = Shape> {
    let metric = prop_oneof![
        Just(Metric::Sum),
        Just(Metric::Mean),
        Just(Metric::Percentile(50.0)),
        Just(Metric::Percentile(90.0))
    ];
    prop_oneof![
        condition().prop_map(Shape::Events),
        vec((0u16..2, condition()), 1..3).prop_map(Shape::Values),
        (metric, 0u16..2, condition()).prop_map(|(metric, slot, condition)| Shape::Metric(metric, slot, condition)),
        Just(Shape::Temporal(Expression::AtLeast(2))),
        expression().prop_map(Shape::Temporal),
        Just(Shape::Ordered),
    ]
}

#[derive(Clone, Debug)]
struct NodeGiven {
    shape: Shape,
    timespan_us: i64,
    finer: bool,
    members: [(bool, u8); 2],
    two: bool,
}

fn node() -> impl Strategy<Value = NodeGiven> {
    let member = (any::<bool>(), 0u8..4);
    (shape(), 1i64..12, any::<bool>(), [member.clone(), member], any::<bool>())
        .prop_map(|(shape, timespan_us, finer, members, two)| NodeGiven { shape, timespan_us, finer, members, two })
}

fn tree() -> impl Strategy<Value = Tree> {
    (1usize..4, vec(node(), 1..4)).prop_map(|(leaves, given)| {
        let mut nodes: Vec<Node> = Vec::new();
        let count = given.len();
        for (index, given) in given.into_iter().enumerate() {
            let finer = given.finer && index + 1 < count;
            let wanted = if given.two || matches!(given.shape, Shape::Temporal(_) | Shape::Ordered) { 2 } else { 1 };
            let members: Vec<Member> = given.members[..wanted]
                .iter()
                .map(|&(is_node, number)| {
                    let fits: Vec<usize> = (0..index).filter(|&at| !finer || nodes[at].inner_key.is_some()).collect();
                    match fits.is_empty() || !is_node {
                        true => Member::Leaf(number % leaves as u8),
                        false => Member::Node(fits[usize::from(number) % fits.len()] as u16),
                    }
                })
                .collect();
            let kind = match given.shape {
                Shape::Events(condition) => NodeKind::EventCount { members, condition },
                Shape::Values(dimensions) => NodeKind::ValueCount {
                    members,
                    dimensions: dimensions.into_iter().map(|(slot, condition)| Dimension { slot, condition }).collect(),
                },
                Shape::Metric(metric, slot, condition) => NodeKind::Metric { members, metric, slot, condition },
                Shape::Temporal(expression) => NodeKind::Temporal { members, expression },
                Shape::Ordered => NodeKind::TemporalOrdered { members },
            };
            let inner_key = finer.then_some(0);
            nodes.push(Node {
                name: format!("n{index}"),
                title: String::new(),
                timespan_us: given.timespan_us,
                inner_key,
                kind,
            });
        }
        Tree {
            rule: RuleText { id: "rule".into(), version: "1".into(), ..RuleText::default() },
            group_by: vec!["dst".into()],
            inner_keys: vec![vec!["user".into()]],
            slots: vec![vec!["port".into()], vec!["user".into()]],
            context: vec!["number".into()],
            leaves: (0..leaves).map(|leaf| Leaf { name: format!("l{leaf}"), ..Leaf::default() }).collect(),
            nodes,
        }
    })
}

// ---------------------------------------------------------------- the twin

#[derive(Clone, Debug)]
struct Input {
    time_us: i64,
    /// Positions in the members.
    members: Vec<usize>,
    /// Canonical bytes by slot of the tree; empty where missing.
    slots: Vec<Vec<u8>>,
    /// Which event it is; holds are none.
    event: Option<u64>,
    order: (u8, u64, u64),
    hold: Option<Held>,
}

#[derive(Clone, Debug)]
struct Held {
    time_us: i64,
    sub: u8,
    begin_us: i64,
    first_us: i64,
    seen_us: i64,
    run_count: u64,
    grown: u64,
    members: Vec<u64>,
    figures: Vec<f64>,
}

struct Twin<'a> {
    tree: &'a Tree,
    hits: Vec<Happened>,
}

impl Twin<'_> {
    fn inputs(&self, node: &Node, sub: Option<u8>) -> Vec<Input> {
        let mut inputs = Vec::new();
        for hit in &self.hits {
            let members: Vec<usize> = node
                .kind
                .members()
                .iter()
                .enumerate()
                .filter(|(_, member)| matches!(member, Member::Leaf(leaf) if hit.leaves >> leaf & 1 == 1))
                .map(|(at, _)| at)
                .collect();
            if members.is_empty() || sub.is_some_and(|sub| sub != hit.user) {
                continue;
            }
            inputs.push(Input {
                time_us: hit.time_us,
                members,
                slots: vec![uint(hit.port), uint(hit.user)],
                event: Some(hit.offset),
                order: (hit.content, hit.offset, hit.leaves),
                hold: None,
            });
        }
        for (at, member) in node.kind.members().iter().enumerate() {
            let Member::Node(inner) = member else { continue };
            for hold in self.holds(usize::from(*inner)) {
                if sub.is_some_and(|sub| sub != hold.sub) {
                    continue;
                }
                inputs.push(Input {
                    time_us: hold.time_us,
                    members: vec![at],
                    slots: vec![Vec::new(), uint(hold.sub)],
                    event: None,
                    order: (0, 0, 0),
                    hold: Some(hold),
                });
            }
        }
        // What lacks all that is counted does not exist for this node.
        match &node.kind {
            NodeKind::ValueCount { dimensions, .. } => {
                inputs.retain(|input| {
                    dimensions.iter().any(|dimension| !input.slots[usize::from(dimension.slot)].is_empty())
                });
            }
            NodeKind::Metric { slot, .. } => inputs.retain(|input| !input.slots[usize::from(*slot)].is_empty()),
            NodeKind::EventCount { .. } | NodeKind::Temporal { .. } | NodeKind::TemporalOrdered { .. } => {}
        }
        inputs.sort_by_key(|input| (input.time_us, input.order));
        inputs
    }

    /// Number of inputs; an event counts once.
    fn count(inputs: &[&Input]) -> u64 {
        let events: BTreeSet<u64> = inputs.iter().filter_map(|input| input.event).collect();
        events.len() as u64 + inputs.iter().filter(|input| input.hold.is_some()).count() as u64
    }

    fn figures(&self, node: &Node, window: &[&Input]) -> Vec<f64> {
        match &node.kind {
            NodeKind::EventCount { .. } => vec![Self::count(window) as f64],
            NodeKind::ValueCount { dimensions, .. } => dimensions
                .iter()
                .map(|dimension| {
                    let slot = usize::from(dimension.slot);
                    let seen: BTreeSet<&[u8]> =
                        window.iter().map(|input| &input.slots[slot][..]).filter(|bytes| !bytes.is_empty()).collect();
                    seen.len() as f64
                })
                .collect(),
            NodeKind::Metric { metric, slot, .. } => {
                let mut once = BTreeSet::new();
                let mut numbers: Vec<f64> = Vec::new();
                for input in window {
                    if input.event.is_some_and(|event| !once.insert(event)) {
                        continue;
                    }
                    match values(&input.slots[usize::from(*slot)]).next() {
                        Some(ValueRef::Uint(number)) => numbers.push(number as f64),
                        _ => panic!("filtered before"),
                    }
                }
                if numbers.is_empty() {
                    return Vec::new();
                }
                numbers.sort_by(f64::total_cmp);
                vec![match metric {
                    Metric::Sum => numbers.iter().sum(),
                    Metric::Mean => numbers.iter().sum::<f64>() / numbers.len() as f64,
                    Metric::Percentile(percent) => {
                        let rank = percent / 100.0 * (numbers.len() - 1) as f64;
                        let (low, high) = (numbers[rank.floor() as usize], numbers[rank.ceil() as usize]);
                        low + (high - low) * rank.fract()
                    }
                }]
            }
            NodeKind::Temporal { .. } | NodeKind::TemporalOrdered { .. } => Vec::new(),
        }
    }

    fn meets(&self, node: &Node, window: &[&Input], figures: &[f64]) -> bool {
        match &node.kind {
            NodeKind::EventCount { condition, .. } | NodeKind::Metric { condition, .. } => {
                figures.first().is_some_and(|figure| condition.holds(*figure))
            }
            NodeKind::ValueCount { dimensions, .. } => {
                dimensions.iter().zip(figures).all(|(dimension, figure)| dimension.condition.holds(*figure))
            }
            NodeKind::Temporal { expression, .. } => {
                let present = window.iter().flat_map(|input| &input.members).fold(0, |bits, member| bits | 1 << member);
                expression.holds(present)
            }
            NodeKind::TemporalOrdered { members } => {
                // The earliest match of each member at or after the one before it.
                let mut from_us = i64::MIN;
                (0..members.len()).all(|member| {
                    let of_member = |input: &&&Input| input.members.contains(&member) && input.time_us >= from_us;
                    match window.iter().filter(of_member).map(|input| input.time_us).min() {
                        Some(time_us) => {
                            from_us = time_us;
                            true
                        }
                        None => false,
                    }
                })
            }
        }
    }

    fn holds(&self, index: usize) -> Vec<Held> {
        let node = &self.tree.nodes[index];
        if node.inner_key.is_none() {
            return self.holds_of(node, None);
        }
        (1..3).flat_map(|sub| self.holds_of(node, Some(sub))).collect()
    }

    fn holds_of(&self, node: &Node, sub: Option<u8>) -> Vec<Held> {
        let inputs = self.inputs(node, sub);
        let span = node.timespan_us;
        let looked_at: BTreeSet<i64> = match node.is_tumbling() {
            false => inputs.iter().map(|input| input.time_us).collect(),
            true => inputs.iter().map(|input| (input.time_us.div_euclid(span) + 1) * span - 1).collect(),
        };
        let mut held: Vec<Held> = Vec::new();
        for t_us in looked_at {
            let within = |from_us: i64| -> Vec<&Input> {
                inputs.iter().filter(|input| input.time_us > from_us && input.time_us <= t_us).collect()
            };
            let window = within(t_us - span);
            let figures = self.figures(node, &window);
            if !self.meets(node, &window, &figures) {
                continue;
            }
            let before = held.last().filter(|last| t_us - last.time_us <= span).cloned();
            let begin_us = before.as_ref().map_or(t_us, |before| before.begin_us);
            let since = within(begin_us - span);
            let at_begin: Vec<&Input> = since.iter().filter(|input| input.time_us <= begin_us).copied().collect();
            let (members, first_us) = match &node.kind {
                NodeKind::Temporal { members, .. } | NodeKind::TemporalOrdered { members } => {
                    let counts = members.iter().enumerate().map(|(at, member)| {
                        let own: Vec<&Input> =
                            since.iter().filter(|input| input.members.contains(&at)).copied().collect();
                        match member {
                            Member::Leaf(_) => (
                                Self::count(&own),
                                own.iter().map(|input| input.time_us).filter(|time| *time <= begin_us).min(),
                            ),
                            Member::Node(_) => {
                                let newest =
                                    own.iter().map(|input| input.time_us).filter(|time| *time <= begin_us).max();
                                let at_newest: Vec<&Held> = own
                                    .iter()
                                    .filter(|input| Some(input.time_us) == newest)
                                    .filter_map(|input| input.hold.as_ref())
                                    .collect();
                                let later = own
                                    .iter()
                                    .filter(|input| input.time_us > begin_us)
                                    .filter_map(|input| input.hold.as_ref());
                                let count = at_newest.iter().map(|hold| hold.run_count).sum::<u64>();
                                (
                                    count + later.map(|hold| hold.grown).sum::<u64>(),
                                    at_newest.iter().map(|hold| hold.first_us).min(),
                                )
                            }
                        }
                    });
                    let (counts, firsts): (Vec<u64>, Vec<Option<i64>>) = counts.unzip();
                    (counts, firsts.into_iter().flatten().min().unwrap_or(begin_us))
                }
                NodeKind::EventCount { .. } | NodeKind::ValueCount { .. } | NodeKind::Metric { .. } => {
                    (Vec::new(), at_begin.iter().map(|input| input.time_us).min().unwrap())
                }
            };
            let run_count = if members.is_empty() { Self::count(&since) } else { members.iter().sum() };
            held.push(Held {
                time_us: t_us,
                sub: sub.unwrap_or(0),
                begin_us,
                first_us,
                seen_us: since.iter().map(|input| input.time_us).max().unwrap_or(t_us),
                run_count,
                grown: run_count - before.map_or(0, |before| before.run_count),
                members,
                figures,
            });
        }
        held
    }

    fn horizons(&self) -> Vec<i64> {
        fn visit(tree: &Tree, node: usize, above_us: i64, out: &mut [i64]) {
            let horizon_us = above_us + tree.nodes[node].timespan_us;
            for member in tree.nodes[node].kind.members() {
                match member {
                    Member::Leaf(leaf) => out[usize::from(*leaf)] = out[usize::from(*leaf)].max(horizon_us),
                    Member::Node(inner) => visit(tree, usize::from(*inner), horizon_us, out),
                }
            }
        }
        let mut out = vec![0; self.tree.leaves.len()];
        visit(self.tree, self.tree.nodes.len() - 1, 0, &mut out);
        out
    }

    fn newest(&self, until_us: i64) -> Vec<(usize, &Happened)> {
        let mut all = Vec::new();
        for leaf in 0..self.tree.leaves.len() {
            let mut own: Vec<&Happened> =
                self.hits.iter().filter(|hit| hit.leaves >> leaf & 1 == 1 && hit.time_us <= until_us).collect();
            own.sort_by_key(|hit| std::cmp::Reverse((hit.time_us, hit.content, hit.offset, hit.leaves)));
            all.extend(own.into_iter().take(3).map(|hit| (leaf, hit)));
        }
        all
    }

    fn alerts(&self, key: u8) -> BTreeMap<AlertId, String> {
        let root = self.tree.nodes.last().unwrap();
        let mut episodes: BTreeMap<i64, Vec<Held>> = BTreeMap::new();
        for hold in self.holds(self.tree.nodes.len() - 1) {
            episodes.entry(hold.begin_us).or_default().push(hold);
        }
        let horizons = self.horizons();
        let mut out = BTreeMap::new();
        for (begin_us, holds) in episodes {
            let last = holds.last().unwrap();
            let mut shown: BTreeSet<(i64, u8, u64)> = BTreeSet::new();
            let place = |hit: &Happened| (hit.time_us, hit.content, hit.offset);
            for (leaf, hit) in self.newest(begin_us) {
                if hit.time_us > begin_us - horizons[leaf] {
                    shown.insert(place(hit));
                }
            }
            let contributes = |&(leaf, hit): &(usize, &Happened)| hit.time_us > begin_us - horizons[leaf];
            let latest: BTreeSet<_> =
                self.newest(last.time_us).into_iter().filter(contributes).map(|(_, hit)| place(hit)).collect();
            shown.extend(latest.into_iter().rev().take(2));
            let inputs = self.inputs(root, None);
            let window: Vec<&Input> = inputs
                .iter()
                .filter(|input| input.time_us > begin_us - root.timespan_us && input.time_us <= begin_us)
                .collect();
            let peak = |at: usize| holds.iter().map(|hold| hold.figures[at]).fold(f64::MIN, f64::max);
            let numbers: Vec<String> = match &root.kind {
                NodeKind::EventCount { .. } => vec![last.run_count.to_string()],
                NodeKind::ValueCount { dimensions, .. } => dimensions
                    .iter()
                    .enumerate()
                    .flat_map(|(at, dimension)| {
                        let seen: BTreeSet<&[u8]> =
                            window.iter().map(|input| &input.slots[usize::from(dimension.slot)][..]).collect();
                        let shown = seen.into_iter().filter(|bytes| !bytes.is_empty()).take(10);
                        let shown: Vec<String> = shown.map(|bytes| values(bytes).next().unwrap().to_string()).collect();
                        [peak(at).to_string(), format!("{shown:?}")]
                    })
                    .collect(),
                NodeKind::Metric { .. } => vec![rounded(holds[0].figures[0]), rounded(peak(0))],
                NodeKind::Temporal { .. } | NodeKind::TemporalOrdered { .. } => {
                    last.members.iter().map(u64::to_string).collect()
                }
            };
            let shown: Vec<(i64, u64)> = shown.into_iter().map(|(time_us, _, offset)| (time_us, offset)).collect();
            out.insert(
                alert_id(self.tree, "", &key_bytes(key), begin_us),
                format!(
                    "{} first {} last {} begin {begin_us} count {} values {numbers:?} evidence {shown:?}",
                    char::from(b'a' + key),
                    last.first_us,
                    last.seen_us,
                    last.run_count
                ),
            );
        }
        out
    }
}

fn rounded(number: f64) -> String {
    format!("{:.4}", number)
}

fn by_twin(tree: &Tree, all: &[Happened]) -> BTreeMap<AlertId, String> {
    let mut out = BTreeMap::new();
    for key in 0..2 {
        let hits: Vec<Happened> = all.iter().filter(|hit| hit.key == key).cloned().collect();
        out.extend(Twin { tree, hits }.alerts(key));
    }
    out
}

// ---------------------------------------------------------------- what the correlator said, in the same form

fn described(tree: &Tree, alert: &Alert) -> String {
    let is_metric = matches!(tree.nodes.last().unwrap().kind, NodeKind::Metric { .. });
    let numbers: Vec<String> = alert
        .values
        .iter()
        .map(|(_, value)| match value {
            schemas::AlertValue::Integer(number) if is_metric => rounded(*number as f64),
            schemas::AlertValue::Integer(number) => number.to_string(),
            schemas::AlertValue::Float(number) => rounded(*number),
            schemas::AlertValue::Text(text) => text.clone(),
            schemas::AlertValue::List(list) => format!("{list:?}"),
        })
        .collect();
    let shown: Vec<(i64, u64)> = alert.evidence.iter().map(|evidence| (evidence.time, evidence.offset)).collect();
    format!(
        "{} first {} last {} begin {} count {} values {numbers:?} evidence {shown:?}",
        alert.group[0].1, alert.first_seen, alert.last_seen, alert.triggered_at, alert.count
    )
}

/// The last revisions; checks on the way that revisions grow and that nothing is told after its end.
fn last_revisions(tree: &Tree, alerts: &[Alert]) -> BTreeMap<AlertId, String> {
    let mut last: BTreeMap<AlertId, &Alert> = BTreeMap::new();
    for alert in alerts {
        if let Some(before) = last.insert(alert.alert_id, alert) {
            assert!(before.revision < alert.revision, "revision does not grow: {alert:?}");
            assert_eq!(before.status, AlertStatus::Open, "told after its end: {alert:?}");
        }
    }
    let mut out = BTreeMap::new();
    for alert in last.values() {
        match alert.status {
            AlertStatus::Closed => {
                out.insert(alert.alert_id, described(tree, alert));
            }
            AlertStatus::Superseded => {
                let named = alerts.iter().any(|other| other.supersedes.contains(&alert.alert_id));
                assert!(named, "superseded by nobody: {alert:?}");
            }
            AlertStatus::Open => panic!("never closed: {alert:?}"),
        }
    }
    out
}

fn by_batch(tree: &Tree, all: &[Happened], batches: usize, parts: u64) -> BTreeMap<AlertId, String> {
    let mut split = vec![HitBatch::new(); batches];
    for (at, hit) in all.iter().enumerate() {
        push(&mut split[at % batches], hit);
    }
    let plan = Plan { trees: vec![tree.clone()] };
    let mut alerts = Vec::new();
    for part in 0..parts {
        correlate(&plan, &Settings::default(), &split, Share { part, parts }, &mut |alert| alerts.push(alert)).unwrap();
    }
    last_revisions(tree, &alerts)
}

const LATENESS_US: i64 = 6;

#[derive(Clone, Copy, PartialEq)]
enum Restarts {
    None,
    Some,
}

/// Arrival order: by time plus a delay of less than the lateness.
fn arriving(mut all: Vec<Happened>, delays: &[u8]) -> Vec<Happened> {
    let delay = |hit: &Happened| i64::from(delays[hit.offset as usize % delays.len()]) % LATENESS_US;
    all.sort_by_key(|hit| hit.time_us + delay(hit));
    all
}

fn by_stream(tree: &Tree, arriving: &[Happened], cuts: &[u8], restarts: Restarts) -> Vec<Alert> {
    let restarts = restarts == Restarts::Some;
    let plan = Arc::new(Plan { trees: vec![tree.clone()] });
    let mut correlator = Correlator::new(Arc::clone(&plan), Settings::default()).unwrap();
    let mut out = Vec::new();
    let mut newest_us = i64::MIN / 2;
    let mut batch = HitBatch::new();
    for (at, hit) in arriving.iter().enumerate() {
        push(&mut batch, hit);
        newest_us = newest_us.max(hit.time_us);
        let cut = cuts[at % cuts.len()];
        if cut & 1 == 1 {
            correlator.push(&batch, &mut out);
            batch.clear();
        }
        if cut & 3 == 3 {
            correlator.advance(newest_us - LATENESS_US, &mut out);
        }
        if cut & 4 == 4 && restarts {
            let bytes = correlator.snapshot();
            correlator = Correlator::restore(Arc::clone(&plan), Settings::default(), &bytes).unwrap().0;
        }
    }
    correlator.push(&batch, &mut out);
    correlator.finish(&mut out);
    assert_eq!(correlator.counters().late, 0, "delays stay below the lateness");
    assert_eq!((correlator.counters().keys, correlator.counters().bytes), (0, 0), "state is left over");
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn a_batch_says_what_the_twin_says(tree in tree(), given in vec(given(), 0..25), batches in 1usize..4, parts in 1u64..4) {
        tree.check().unwrap();
        let all = happened(&given, tree.leaves.len());
        prop_assert_eq!(by_batch(&tree, &all, batches, parts), by_twin(&tree, &all));
    }

    #[test]
    fn a_stream_ends_with_what_the_batch_says(
        tree in tree(), given in vec(given(), 0..25), delays in vec(any::<u8>(), 1..10), cuts in vec(any::<u8>(), 1..10),
    ) {
        let all = happened(&given, tree.leaves.len());
        let told = by_stream(&tree, &arriving(all.clone(), &delays), &cuts, Restarts::None);
        prop_assert_eq!(last_revisions(&tree, &told), by_batch(&tree, &all, 1, 1));
    }

    #[test]
    fn a_restart_from_a_snapshot_changes_nothing(
        tree in tree(), given in vec(given(), 0..25), delays in vec(any::<u8>(), 1..10), cuts in vec(any::<u8>(), 1..10),
    ) {
        let arriving = arriving(happened(&given, tree.leaves.len()), &delays);
        let without = by_stream(&tree, &arriving, &cuts, Restarts::None);
        let with = by_stream(&tree, &arriving, &cuts, Restarts::Some);
        let sorted = |alerts: Vec<Alert>| {
            let mut all: Vec<String> = alerts.iter().map(|alert| format!("{alert:?}")).collect();
            all.sort();
            all
        };
        prop_assert_eq!(sorted(with), sorted(without));
    }

    #[test]
    fn a_damaged_snapshot_never_panics(
        tree in tree(), given in vec(given(), 1..25), at in any::<proptest::sample::Index>(), byte in any::<u8>(),
    ) {
        let plan = Arc::new(Plan { trees: vec![tree.clone()] });
        let mut correlator = Correlator::new(Arc::clone(&plan), Settings::default()).unwrap();
        let mut batch = HitBatch::new();
        happened(&given, tree.leaves.len()).iter().for_each(|hit| push(&mut batch, hit));
        let mut out = Vec::new();
        correlator.push(&batch, &mut out);
        correlator.advance(20, &mut out);
        let mut bytes = correlator.snapshot();
        let at = at.index(bytes.len());
        prop_assert!(Correlator::restore(Arc::clone(&plan), Settings::default(), &bytes[..at]).is_err());
        bytes[at] = byte;
        let _ = Correlator::restore(plan, Settings::default(), &bytes);
    }
}
