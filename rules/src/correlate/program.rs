//! What the step function wants to know of a tree, worked out once: masks, horizons, projections.
//!
//! A plan says what a rule means; a program says how it is looked up in the hot loop. Kept apart so that the plan stays
//! the small type that the rule compiler fills in.

use crate::hit::{ValueRef, values};
use crate::plan::{Member, Node, NodeKind, Tree};

/// How many event times before an episode's beginning are kept, for each member, to count what led to it: 128 KiB. Where more
/// led to it, the alert's count is too low by those; its condition is not touched.
pub const LOOKBACK_MAX: usize = 16_384;
/// Most distinct values that one count of values keeps, unless its threshold is higher.
pub const VALUES_MAX: usize = 4096;
/// Most numbers that one metric keeps; the oldest leave first and the alert is `degraded`.
pub const NUMBERS_MAX: usize = 65_536;
/// Longest ring of event times, however high the threshold: 128 MiB.
const RING_MAX: usize = 1 << 24;

/// A tree made ready.
#[derive(Debug)]
pub struct Program {
    /// One for each node of the tree, same order.
    pub nodes: Vec<NodeProgram>,
    /// Whether an alert may be sent before the watermark has passed.
    pub monotone: bool,
    /// A key whose newest event is older than this is as if it had never been: the longest sum of timespans from the root to a leaf.
    pub horizon_us: i64,
    /// The same for each leaf: how far before the beginning an event can have contributed.
    pub leaf_horizons_us: Vec<i64>,
    /// How many of the newest events of each leaf are kept as evidence.
    pub evidence_per_leaf: usize,
}

/// A node made ready.
#[derive(Debug)]
pub struct NodeProgram {
    /// Length of the window.
    pub timespan_us: i64,
    /// Decided on windows aligned to the epoch.
    pub tumbling: bool,
    /// Leaves that are members.
    pub leaf_mask: u64,
    /// (leaf bit, position in the members).
    pub leaf_members: Vec<(u32, u32)>,
    /// Members that are nodes.
    pub node_members: Vec<NodeMember>,
    /// Number of members.
    pub members: usize,
    /// Which inner key separates instances.
    pub inner_key: Option<usize>,
    /// Most event times that an instance needs.
    pub ring_max: usize,
    /// What is counted.
    pub kind: NodeKind,
    /// Value slots in the order of the dimensions; the metric's slot alone.
    pub slots: Vec<usize>,
}

/// A node as a member of another: how its key becomes the other's inner key and values.
#[derive(Debug)]
pub struct NodeMember {
    /// The node.
    pub node: usize,
    /// Position in the members.
    pub member: u32,
    /// Projection to the referring node's inner key.
    pub sub: Projection,
    /// For each slot of the referring node, the projection to its values; `None` where the node's key does not have the field.
    pub slots: Vec<Option<Projection>>,
}

/// Positions in the values of (root key, inner key).
#[derive(Debug, Default)]
pub struct Projection(Vec<usize>);

impl Projection {
    fn of(wanted: &[String], key: &[String], inner: &[String]) -> Option<Projection> {
        let position = |field: &String| key.iter().chain(inner).position(|own| own == field);
        wanted.iter().map(position).collect::<Option<Vec<_>>>().map(Projection)
    }

    /// Canonical bytes of the chosen values; empty where one is missing or nothing was chosen.
    pub fn apply(&self, key: &[u8], inner: &[u8]) -> Box<[u8]> {
        let mut out = Vec::new();
        for &position in &self.0 {
            match values(key).chain(values(inner)).nth(position) {
                None | Some(ValueRef::Absent) => return Box::default(),
                Some(value) => value.write(&mut out),
            }
        }
        out.into()
    }
}

impl Program {
    /// Makes a tree ready; the tree has passed [`Tree::check`].
    pub fn new(tree: &Tree) -> Program {
        let nodes: Vec<NodeProgram> = tree.nodes.iter().map(|node| NodeProgram::new(tree, node)).collect();
        let mut horizons = vec![0i64; tree.nodes.len()];
        let mut leaf_horizons_us = vec![0i64; tree.leaves.len()];
        // From the root down: who refers to a node comes after it.
        for (index, node) in tree.nodes.iter().enumerate().rev() {
            if index + 1 == tree.nodes.len() {
                horizons[index] = node.timespan_us;
            }
            // Nobody refers to it.
            if horizons[index] == 0 {
                continue;
            }
            for member in node.kind.members() {
                match *member {
                    Member::Leaf(leaf) => {
                        let horizon = &mut leaf_horizons_us[usize::from(leaf)];
                        *horizon = (*horizon).max(horizons[index]);
                    }
                    Member::Node(inner) => {
                        let inner = usize::from(inner);
                        horizons[inner] =
                            horizons[inner].max(horizons[index].saturating_add(tree.nodes[inner].timespan_us));
                    }
                }
            }
        }
        Program {
            monotone: tree.is_monotone(),
            horizon_us: horizons.iter().copied().max().unwrap_or(0),
            leaf_horizons_us,
            evidence_per_leaf: if tree.leaves.len() <= 4 { 3 } else { 1 },
            nodes,
        }
    }

    /// The root, last of the nodes.
    pub fn root(&self) -> &NodeProgram {
        self.nodes.last().expect("a tree without nodes does not pass the check")
    }
}

fn fields_of<'a>(tree: &'a Tree, node: &Node) -> &'a [String] {
    node.inner_key.and_then(|key| tree.inner_keys.get(usize::from(key))).map_or(&[], |fields| fields)
}

impl NodeProgram {
    fn new(tree: &Tree, node: &Node) -> NodeProgram {
        let slots: Vec<usize> = match &node.kind {
            NodeKind::ValueCount { dimensions, .. } => {
                dimensions.iter().map(|dimension| usize::from(dimension.slot)).collect()
            }
            NodeKind::Metric { slot, .. } => vec![usize::from(*slot)],
            NodeKind::EventCount { .. } | NodeKind::Temporal { .. } | NodeKind::TemporalOrdered { .. } => Vec::new(),
        };
        let threshold = match &node.kind {
            NodeKind::EventCount { condition, .. } => ceiling(condition),
            NodeKind::ValueCount { .. }
            | NodeKind::Metric { .. }
            | NodeKind::Temporal { .. }
            | NodeKind::TemporalOrdered { .. } => 0,
        };
        let (mut leaf_members, mut node_members) = (Vec::new(), Vec::new());
        for (position, member) in node.kind.members().iter().enumerate() {
            let position = position as u32;
            match *member {
                Member::Leaf(leaf) => leaf_members.push((u32::from(leaf), position)),
                Member::Node(inner) => {
                    let inner = usize::from(inner);
                    let inner_fields = fields_of(tree, &tree.nodes[inner]);
                    let project = |wanted: &[String]| Projection::of(wanted, &tree.group_by, inner_fields);
                    node_members.push(NodeMember {
                        node: inner,
                        member: position,
                        sub: project(fields_of(tree, node)).unwrap_or_default(),
                        slots: slots.iter().map(|&slot| project(&tree.slots[slot])).collect(),
                    });
                }
            }
        }
        NodeProgram {
            timespan_us: node.timespan_us,
            tumbling: node.is_tumbling(),
            leaf_mask: leaf_members.iter().fold(0, |mask, (leaf, _)| mask | 1 << leaf),
            leaf_members,
            node_members,
            members: node.kind.members().len(),
            inner_key: node.inner_key.map(usize::from),
            ring_max: (threshold + 1).clamp(LOOKBACK_MAX, RING_MAX),
            kind: node.kind.clone(),
            slots,
        }
    }
}

/// The largest number of a condition, as a count.
pub fn ceiling(condition: &crate::plan::Condition) -> usize {
    condition
        .0
        .iter()
        .map(|comparison| comparison.number.clamp(0.0, RING_MAX as f64).ceil() as usize)
        .max()
        .unwrap_or(0)
}
