//! Whether a key could hold at all, from counts alone: the cheap question before the exact one.
//!
//! Most keys of most rules never come near their condition. A sorted batch skips them without building any state, a
//! stream does not try to guess ahead of the watermark, and eviction drops those first that are farthest from firing.

use super::program::{NodeProgram, Program, ceiling};
use super::state::{Content, Core, Instance, NEVER, Slot};
use crate::plan::{Condition, NodeKind};

/// Whether the root could hold at some t, where `events[leaf]` more events come to the state. Never wrong in saying no.
pub fn may_hold(program: &Program, core: Option<&Core>, events: &[u64]) -> bool {
    node_may_hold(program, program.nodes.len() - 1, core, events)
}

fn node_may_hold(program: &Program, index: usize, core: Option<&Core>, events: &[u64]) -> bool {
    let node = &program.nodes[index];
    let inner = |member_node: usize| node_may_hold(program, member_node, core, events);
    let instance = match core.map(|core| &core.nodes[index]) {
        None => None,
        Some(Slot::One(instance)) => Some(instance),
        // Several instances: not worth a closer look.
        Some(Slot::Many(_)) => return true,
    };
    if !node.kind.is_monotone() {
        return true;
    }
    let arriving: u64 = node.leaf_members.iter().map(|(leaf, _)| events[*leaf as usize]).sum();
    let unbounded = || node.node_members.iter().any(|member| inner(member.node));
    let reaches =
        |condition: &Condition, there: usize| unbounded() || condition.holds((arriving + there as u64) as f64);
    match &node.kind {
        NodeKind::EventCount { condition, .. } => {
            let there = match instance.map(|instance| &instance.content) {
                Some(Content::Events { times }) => times.len(),
                Some(_) | None => 0,
            };
            reaches(condition, there)
        }
        NodeKind::ValueCount { dimensions, .. } => dimensions.iter().enumerate().all(|(at, dimension)| {
            let there = match instance.map(|instance| &instance.content) {
                Some(Content::Values { dimensions, .. }) => dimensions.get(at).map_or(0, super::window::Distinct::len),
                Some(_) | None => 0,
            };
            reaches(&dimension.condition, there)
        }),
        NodeKind::Metric { .. } => true,
        NodeKind::Temporal { expression, .. } => expression.holds(members_possible(node, instance, events, inner)),
        NodeKind::TemporalOrdered { .. } => {
            members_possible(node, instance, events, inner).count_ones() as usize == node.members
        }
    }
}

fn members_possible(
    node: &NodeProgram,
    instance: Option<&Instance>,
    events: &[u64],
    inner: impl Fn(usize) -> bool,
) -> u64 {
    let known = match instance.map(|instance| &instance.content) {
        Some(Content::Members { seen } | Content::Chain { seen, .. }) => {
            seen.iter().enumerate().fold(0u64, |known, (at, seen)| known | u64::from(seen.last_us != NEVER) << at)
        }
        Some(_) | None => 0,
    };
    let leaves =
        node.leaf_members.iter().fold(0u64, |bits, (leaf, at)| bits | u64::from(events[*leaf as usize] > 0) << at);
    let nodes =
        node.node_members.iter().fold(0u64, |bits, member| bits | u64::from(inner(member.node)) << member.member);
    known | leaves | nodes
}

/// How near the root is to holding, 0 (far) to 7; 8 with an open episode.
pub fn nearness(program: &Program, core: &Core, waiting: usize) -> usize {
    if core.episode.is_some() {
        return 8;
    }
    let part = |have: usize, want: usize| (have * 8 / want.max(1)).min(7);
    let of = |instance: &Instance, node: &NodeProgram| match (&instance.content, &node.kind) {
        (Content::Events { times }, NodeKind::EventCount { condition, .. }) => {
            part(times.len() + waiting, ceiling(condition))
        }
        (Content::Values { dimensions, .. }, NodeKind::ValueCount { dimensions: wanted, .. }) => dimensions
            .iter()
            .zip(wanted)
            .map(|(values, wanted)| part(values.len() + waiting, ceiling(&wanted.condition)))
            .min()
            .unwrap_or(0),
        (Content::Members { seen } | Content::Chain { seen, .. }, _) => {
            part(seen.iter().filter(|seen| seen.last_us != NEVER).count(), node.members)
        }
        (Content::Numbers { .. } | Content::Events { .. } | Content::Values { .. }, _) => 0,
    };
    // Of a tree, the nearest node: a temporal root says little until its members hold.
    let slots = core.nodes.iter().zip(&program.nodes).enumerate();
    slots
        .map(|(index, (slot, node))| {
            let near = match slot {
                Slot::One(instance) => of(instance, node),
                Slot::Many(instances) => instances.values().map(|instance| of(instance, node)).max().unwrap_or(0),
            };
            // Members alone are half of the way.
            if index + 1 == program.nodes.len() { near } else { near / 2 }
        })
        .max()
        .unwrap_or(0)
}
