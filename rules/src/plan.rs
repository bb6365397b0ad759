//! What the rules compile to for the correlator: trees of conditions over time, free of YAML and of field names' meaning.
//!
//! A *tree* is one rule that alerts on its own, with all that it refers to. Its leaves are detection rules (the scan
//! decides them, one bit each in a hit), its inner nodes are correlations, its root is the node that alerts. All state
//! of a tree lives under the root's group key, so a tree can be evaluated in one partition; that is why a member that
//! lacks a field of the root's key is refused when rules are compiled, and why a correlation that two roots refer to
//! stands in both trees.
//!
//! A detection rule that alerts by itself is a tree, too: an event count of at least 1 over its one leaf, whose
//! timespan is the time for which repeats are joined into one alert ([`Tree::single`]).

use crate::hit::{LEAVES_MAX, content_hash};
pub use schemas::Level;
use std::fmt;

/// Timespan of a single-event rule that does not choose one: repeats within an hour are one alert.
pub const SINGLE_TIMESPAN_US: i64 = 3_600_000_000;

/// Group key of a single-event rule that does not choose one (`x-portolan.group-by`), in canonical field names. The
/// producer leaves out the fields that the rule's log source never carries, since an event must have all that remain.
pub const SINGLE_GROUP_BY: [&str; 5] = ["src_ip", "dst_ip", "dst_port", "user", "host"];

/// All trees of a rule set. The index of a tree is what hits carry.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The trees, in the order of the rule library.
    pub trees: Vec<Tree>,
}

/// A rule as an alert tells it; one for each rule that alerts.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleText {
    /// Sigma `id`, or the `name` where there is none.
    pub id: String,
    /// Digest of the rule's meaning and of all that it refers to: the first 16 hex digits of the SHA-256 of its text. A changed rule makes other alert ids.
    pub version: String,
    /// Sigma `title`.
    pub title: String,
    /// Sigma `description`: why this matters. May be empty.
    pub description: String,
    /// Sigma `level`.
    pub level: Level,
    /// Sigma `tags` as written, for instance `attack.t1110.001`.
    pub tags: Vec<String>,
    /// Sigma `falsepositives`.
    pub falsepositives: Vec<String>,
    /// Sigma `references`.
    pub references: Vec<String>,
    /// What to look at next, one step each (`x-portolan.next`). May be empty.
    pub next: Vec<String>,
}

impl Default for RuleText {
    fn default() -> RuleText {
        RuleText {
            id: String::new(),
            version: String::new(),
            title: String::new(),
            description: String::new(),
            // What a rule without a level gets: worth a look today.
            level: Level::Medium,
            tags: Vec::new(),
            falsepositives: Vec::new(),
            references: Vec::new(),
            next: Vec::new(),
        }
    }
}

/// One alerting rule with all that it refers to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    /// The root's rule: what the alert is named after.
    pub rule: RuleText,
    /// Fields of the root's group key, in the order of [`crate::hit::HitParts::key`]. Empty: one global group.
    pub group_by: Vec<String>,
    /// For each finer grouping of an inner node, the fields that it has *beyond* [`Tree::group_by`]; [`Node::inner_key`] points here.
    /// A node's fields must contain those of the node that refers to it.
    pub inner_keys: Vec<Vec<String>>,
    /// For each value slot, its fields: one for a plain value, several for tuples. Conditions point here.
    pub slots: Vec<Vec<String>>,
    /// Fields whose values hits bring along for the alert's entities and context: addresses, hosts, users, service, roles, zones.
    pub context: Vec<String>,
    /// The detection rules; leaf i is bit i of a hit's leaves. At most [`LEAVES_MAX`].
    pub leaves: Vec<Leaf>,
    /// The correlations; those referred to come before those that refer to them, so the last one is the root.
    pub nodes: Vec<Node>,
}

/// A detection rule in a tree.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Leaf {
    /// Its `name`, or its `id`: how conditions and people call it.
    pub name: String,
    /// Its title.
    pub title: String,
    /// How a sentence calls many of its events (`x-portolan.counts`), for instance "failed logins"; `None` takes the title.
    pub noun: Option<String>,
}

/// A correlation in a tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its `name`, or its `id`.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Length W of its window (t − W, t], in microseconds, more than 0.
    pub timespan_us: i64,
    /// Index into [`Tree::inner_keys`] where this node groups finer than the root; `None` for the root's own grouping. The root has `None`.
    pub inner_key: Option<u16>,
    /// What is counted or looked for, in which members.
    pub kind: NodeKind,
}

/// The correlation types of Sigma, and fan-out in several dimensions as a count of values with more than one condition.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeKind {
    /// Number of events of any member; an event of two members counts once.
    EventCount {
        /// The members.
        members: Vec<Member>,
        /// Condition on the number.
        condition: Condition,
    },
    /// Number of distinct values; with several dimensions all conditions must hold at the same t (at least 100 ports *and* at least 20 hosts).
    ValueCount {
        /// The members.
        members: Vec<Member>,
        /// At least one.
        dimensions: Vec<Dimension>,
    },
    /// Sum, mean or percentile of a number. Events whose slot holds no number are not counted, and a metric says so.
    Metric {
        /// The members.
        members: Vec<Member>,
        /// Which figure.
        metric: Metric,
        /// Index into [`Tree::slots`]; a slot of one field.
        slot: u16,
        /// Condition on the figure. A window without numbers has none and does not hold.
        condition: Condition,
    },
    /// Which members have an event in the window.
    Temporal {
        /// The members.
        members: Vec<Member>,
        /// Condition over them.
        expression: Expression,
    },
    /// One event of each member in the window, in the members' order, times not decreasing.
    TemporalOrdered {
        /// The members, in order.
        members: Vec<Member>,
    },
}

/// What a correlation refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    /// Index into [`Tree::leaves`].
    Leaf(u8),
    /// Index into [`Tree::nodes`], less than the node's own: counts as an event at each t where it holds.
    Node(u16),
}

/// One dimension of a count of values.
#[derive(Clone, Debug, PartialEq)]
pub struct Dimension {
    /// Index into [`Tree::slots`].
    pub slot: u16,
    /// Condition on the number of distinct values.
    pub condition: Condition,
}

/// A figure over the numbers in a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Metric {
    /// Sum.
    Sum,
    /// Arithmetic mean.
    Mean,
    /// Percentile, 0 to 100, linear interpolation between closest ranks; 50 is the median.
    Percentile(f64),
}

/// Comparisons that must all hold. Never empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition(pub Vec<Comparison>);

/// One comparison with a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// The operator.
    pub operator: Operator,
    /// The right side; finite.
    pub number: f64,
}

/// Sigma's comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
    /// Equal.
    Eq,
    /// Not equal.
    Neq,
}

impl Condition {
    /// The condition that a figure is at least `number`.
    pub fn at_least(number: u64) -> Condition {
        Condition(vec![Comparison { operator: Operator::Gte, number: number as f64 }])
    }

    /// Whether a figure meets all comparisons.
    pub fn holds(&self, figure: f64) -> bool {
        self.0.iter().all(|comparison| comparison.holds(figure))
    }

    /// Whether only `gt` and `gte` occur: then a growing figure never stops to meet it.
    pub fn is_monotone(&self) -> bool {
        self.0.iter().all(|comparison| matches!(comparison.operator, Operator::Gt | Operator::Gte))
    }

    /// Whether `lt` or `lte` occurs: then the node is decided on tumbling windows.
    pub fn is_upper_bound(&self) -> bool {
        self.0.iter().any(|comparison| matches!(comparison.operator, Operator::Lt | Operator::Lte))
    }
}

impl Comparison {
    /// Whether a figure meets it.
    pub fn holds(self, figure: f64) -> bool {
        match self.operator {
            Operator::Gt => figure > self.number,
            Operator::Gte => figure >= self.number,
            Operator::Lt => figure < self.number,
            Operator::Lte => figure <= self.number,
            Operator::Eq => figure == self.number,
            Operator::Neq => figure != self.number,
        }
    }
}

/// As a person reads it: `at least 10`, `more than 3 and less than 9`.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Comparison { operator, number }) in self.0.iter().enumerate() {
            let words = match operator {
                Operator::Gt => "more than",
                Operator::Gte => "at least",
                Operator::Lt => "less than",
                Operator::Lte => "at most",
                Operator::Eq => "exactly",
                Operator::Neq => "other than",
            };
            write!(f, "{}{words} {number}", if index == 0 { "" } else { " and " })?;
        }
        Ok(())
    }
}

/// Condition of a temporal correlation, over which members have an event in the window. Indices are positions in the node's members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// This member has an event in the window.
    Member(u16),
    /// At least so many different members have one; all of them is what Sigma's `temporal` asks without a condition.
    AtLeast(u16),
    /// All hold.
    And(Vec<Expression>),
    /// At least one holds.
    Or(Vec<Expression>),
    /// Does not hold. Decided only when the watermark has passed t.
    Not(Box<Expression>),
}

impl Expression {
    /// Whether it holds, given which members have an event (bit i for member i).
    pub fn holds(&self, present: u64) -> bool {
        match self {
            Expression::Member(index) => present >> index & 1 == 1,
            Expression::AtLeast(count) => present.count_ones() >= u32::from(*count),
            Expression::And(parts) => parts.iter().all(|part| part.holds(present)),
            Expression::Or(parts) => parts.iter().any(|part| part.holds(present)),
            Expression::Not(part) => !part.holds(present),
        }
    }

    /// Whether it has no negation.
    pub fn is_monotone(&self) -> bool {
        match self {
            Expression::Member(_) | Expression::AtLeast(_) => true,
            Expression::And(parts) | Expression::Or(parts) => parts.iter().all(Expression::is_monotone),
            Expression::Not(_) => false,
        }
    }

    fn fits(&self, members: usize) -> bool {
        match self {
            Expression::Member(index) => usize::from(*index) < members,
            Expression::AtLeast(_) => true,
            Expression::And(parts) | Expression::Or(parts) => parts.iter().all(|part| part.fits(members)),
            Expression::Not(part) => part.fits(members),
        }
    }
}

impl NodeKind {
    /// Whether further events can only make it hold, never undo it.
    pub fn is_monotone(&self) -> bool {
        match self {
            NodeKind::EventCount { condition, .. } => condition.is_monotone(),
            NodeKind::ValueCount { dimensions, .. } => {
                dimensions.iter().all(|dimension| dimension.condition.is_monotone())
            }
            // A sum falls with a negative number, a mean and a percentile with any.
            NodeKind::Metric { .. } => false,
            NodeKind::Temporal { expression, .. } => expression.is_monotone(),
            NodeKind::TemporalOrdered { .. } => true,
        }
    }

    /// The members, whatever the kind.
    pub fn members(&self) -> &[Member] {
        match self {
            NodeKind::EventCount { members, .. }
            | NodeKind::ValueCount { members, .. }
            | NodeKind::Metric { members, .. }
            | NodeKind::Temporal { members, .. }
            | NodeKind::TemporalOrdered { members } => members,
        }
    }
}

impl Node {
    /// Whether the node is decided on tumbling windows aligned to the epoch: `lt` or `lte` in its condition.
    pub fn is_tumbling(&self) -> bool {
        match &self.kind {
            NodeKind::EventCount { condition, .. } | NodeKind::Metric { condition, .. } => condition.is_upper_bound(),
            NodeKind::ValueCount { dimensions, .. } => {
                dimensions.iter().any(|dimension| dimension.condition.is_upper_bound())
            }
            NodeKind::Temporal { .. } | NodeKind::TemporalOrdered { .. } => false,
        }
    }
}

/// Why a tree cannot be evaluated. Each is a fault of the code that made the plan, not of a rule's author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfitTree {
    /// The tree's rule.
    pub rule: String,
    /// What is wrong.
    pub what: &'static str,
}

impl fmt::Display for UnfitTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the plan of rule {} cannot be evaluated: {}", self.rule, self.what)
    }
}

impl std::error::Error for UnfitTree {}

impl Tree {
    /// The tree of a detection rule that alerts by itself.
    pub fn single(rule: RuleText, leaf: Leaf, group_by: Vec<String>, timespan_us: i64) -> Tree {
        let node = Node {
            name: leaf.name.clone(),
            title: leaf.title.clone(),
            timespan_us,
            inner_key: None,
            kind: NodeKind::EventCount { members: vec![Member::Leaf(0)], condition: Condition::at_least(1) },
        };
        Tree { rule, group_by, leaves: vec![leaf], nodes: vec![node], ..Tree::default() }
    }

    /// Whether the whole tree only ever begins to hold as events arrive, so that it may alert before the watermark has passed.
    pub fn is_monotone(&self) -> bool {
        self.nodes.iter().all(|node| node.kind.is_monotone())
    }

    /// Whether the inner fields of node `inner` contain those of node `outer`.
    fn groups_finer(&self, inner: u16, outer: usize) -> bool {
        let fields = |node: usize| {
            let key = self.nodes.get(node).and_then(|node| node.inner_key);
            key.and_then(|key| self.inner_keys.get(usize::from(key))).map_or(&[][..], |fields| fields)
        };
        fields(outer).iter().all(|field| fields(usize::from(inner)).contains(field))
    }

    /// Checks what the correlator relies on.
    ///
    /// # Errors
    /// [`UnfitTree`] with the first thing that is wrong.
    pub fn check(&self) -> Result<(), UnfitTree> {
        let unfit = |what| Err(UnfitTree { rule: self.rule.id.clone(), what });
        let Some(root) = self.nodes.last() else {
            return unfit("it has no node");
        };
        if root.inner_key.is_some() {
            return unfit("its root has an inner key");
        }
        if self.leaves.is_empty() || self.leaves.len() > LEAVES_MAX || self.nodes.len() > LEAVES_MAX {
            return unfit("it has no leaf, or more than 64 leaves or nodes");
        }
        for (index, node) in self.nodes.iter().enumerate() {
            let members = node.kind.members();
            if node.timespan_us <= 0 {
                return unfit("a timespan is not positive");
            }
            if members.is_empty() || members.len() > LEAVES_MAX {
                return unfit("a node has no member or more than 64");
            }
            if node.inner_key.is_some_and(|key| usize::from(key) >= self.inner_keys.len()) {
                return unfit("an inner key does not exist");
            }
            for member in members {
                match *member {
                    Member::Leaf(leaf) if usize::from(leaf) >= self.leaves.len() => {
                        return unfit("a leaf does not exist");
                    }
                    Member::Node(inner) if usize::from(inner) >= index => {
                        return unfit("a node refers to itself or to a later one");
                    }
                    Member::Node(inner) if !self.groups_finer(inner, index) => {
                        return unfit("a node lacks a field that the node referring to it groups by");
                    }
                    Member::Leaf(_) | Member::Node(_) => {}
                }
            }
            let slots = match &node.kind {
                NodeKind::ValueCount { dimensions, .. } if dimensions.is_empty() => {
                    return unfit("a count of values has no dimension");
                }
                NodeKind::ValueCount { dimensions, .. } => dimensions.iter().map(|dimension| dimension.slot).collect(),
                NodeKind::Metric { slot, .. } => vec![*slot],
                NodeKind::Temporal { expression, .. } if !expression.fits(members.len()) => {
                    return unfit("an expression names a member that does not exist");
                }
                NodeKind::EventCount { .. } | NodeKind::Temporal { .. } | NodeKind::TemporalOrdered { .. } => {
                    Vec::new()
                }
            };
            if slots.iter().any(|slot| usize::from(*slot) >= self.slots.len()) {
                return unfit("a value slot does not exist");
            }
        }
        Ok(())
    }
}

impl Plan {
    /// A hash of all rule ids and versions in order: two processes whose plans agree on it mean the same by a tree's number.
    pub fn digest64(&self) -> u64 {
        self.trees.iter().fold(0, |digest, tree| {
            content_hash(tree.rule.id.as_bytes())
                ^ content_hash(tree.rule.version.as_bytes()).rotate_left(17)
                ^ digest.rotate_left(1)
        })
    }

    /// Checks every tree.
    ///
    /// # Errors
    /// [`UnfitTree`] of the first tree that is unfit.
    pub fn check(&self) -> Result<(), UnfitTree> {
        self.trees.iter().try_for_each(Tree::check)
    }
}
