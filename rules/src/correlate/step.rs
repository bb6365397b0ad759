//! One step of one key: all its events of one time go in, the root's episode may close, open or go on.
//!
//! Nodes are visited from the leaves to the root, each with its inputs of this t: hits of member leaves, and holds of
//! member nodes (a correlation counts as an event at each t where it holds). A node without inputs at t is not looked
//! at, unless its tumbling window ends at t. Counting rules:
//!
//! * an event of two members counts once in counts and metrics, for each member in temporal nodes;
//! * a node's count is that of its inputs from the window at the beginning (of which the newest
//!   [`super::LOOKBACK_MAX`] are counted) to the last hold; of a temporal node, those of its leaves, and
//!   for a member node what that node has counted itself.

use super::event::{Event, Evidence, Rows};
use super::instance::{From, Hold, Input, View};
use super::program::Program;
use super::state::{Content, Core, Episode, Instance, NEVER, Slot};

/// Buffers that steps share, so that a step allocates nothing.
#[derive(Debug, Default)]
pub struct Scratch {
    inputs: Vec<Input>,
    holds: Vec<Vec<Hold>>,
    grouped: Vec<(Box<[u8]>, Input)>,
    /// Inputs that lacked the value or inner key that their node wants.
    pub lacking: u64,
}

/// What a step did to the root's episode.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The episode before, which could not go on.
    pub closed: Option<Box<Episode>>,
    /// Whether a new one began.
    pub opened: bool,
}

/// Puts the simultaneous events of a key in the order that does not depend on arrival; [`step`] wants them so.
pub fn sort_group(group: &mut [Event]) {
    if group.len() > 1 {
        group.sort_unstable_by(Event::order);
    }
}

/// All tumbling windows that end before `t_us`, then nothing else: what has to happen before a step at `t_us`.
pub fn ticks_before(
    program: &Program,
    core: &mut Core,
    key: &[u8],
    t_us: i64,
    rows: Rows<'_>,
    scratch: &mut Scratch,
    report: &mut impl FnMut(&mut Core, Outcome),
) {
    while core.next_tick_us < t_us {
        let tick_us = core.next_tick_us;
        let outcome = step(program, core, key, tick_us, &[], rows, scratch);
        report(core, outcome);
    }
}

/// Ends the episode if nothing at or after `t_us` can continue it.
pub fn close_before(program: &Program, core: &mut Core, t_us: i64) -> Option<Box<Episode>> {
    let over =
        core.episode.as_ref().is_some_and(|episode| t_us.saturating_sub(episode.last_us) > program.root().timespan_us);
    if !over {
        return None;
    }
    close(program, core)
}

/// Ends the episode.
pub fn close(program: &Program, core: &mut Core) -> Option<Box<Episode>> {
    let mut episode = core.episode.take()?;
    settle(program, &mut episode, &core.recent);
    Some(episode)
}

/// Notes the newest events as those of the last hold, before newer ones that do not hold replace them.
fn settle(program: &Program, episode: &mut Episode, recent: &[(u8, Evidence)]) {
    if !episode.latest.is_empty() {
        return;
    }
    let begin_us = episode.begin_us;
    let mut newest: Vec<&Evidence> = contributing(program, recent, begin_us).collect();
    newest.sort_by(|one, other| order(other, one));
    newest.dedup_by(|one, other| one.event.is_same(&other.event));
    episode.latest = newest.into_iter().take(2).cloned().collect();
}

/// The evidence of an episode that begins at `begin_us`: not what is older than any of its windows, as that may have been forgotten.
fn contributing<'a>(
    program: &'a Program,
    recent: &'a [(u8, Evidence)],
    begin_us: i64,
) -> impl Iterator<Item = &'a Evidence> {
    let contributes = move |(leaf, evidence): &&(u8, Evidence)| {
        let horizon_us = program.leaf_horizons_us.get(usize::from(*leaf)).copied().unwrap_or(0);
        evidence.time_us > begin_us.saturating_sub(horizon_us)
    };
    recent.iter().filter(contributes).map(|(_, evidence)| evidence)
}

/// The order of evidence: time, then what it says.
pub fn order(one: &Evidence, other: &Evidence) -> std::cmp::Ordering {
    one.time_us.cmp(&other.time_us).then_with(|| one.event.order(&other.event))
}

/// One step. `group`: all events of the key at `t_us`, in their order ([`sort_group`]); empty for the end of a tumbling window.
/// Steps of a key come with increasing `t_us`, after [`ticks_before`].
pub fn step(
    program: &Program,
    core: &mut Core,
    key: &[u8],
    t_us: i64,
    group: &[Event],
    rows: Rows<'_>,
    scratch: &mut Scratch,
) -> Outcome {
    let closed = close_before(program, core, t_us);
    scratch.holds.resize_with(program.nodes.len(), Vec::new);
    let Scratch { inputs, holds, grouped, lacking } = scratch;
    let mut next_tick_us = i64::MAX;
    for (index, node) in program.nodes.iter().enumerate() {
        let (below, own) = holds.split_at_mut(index);
        let own = &mut own[0];
        own.clear();
        let view = View { key, group, rows, holds: below, node };
        collect(&view, inputs);
        match &mut core.nodes[index] {
            Slot::One(instance) => {
                if !inputs.is_empty() || instance.tick_us == t_us {
                    own.extend(instance.step(t_us, inputs, &view, lacking, &mut core.degraded_until_us));
                }
                next_tick_us = next_tick_us.min(instance.tick_us);
            }
            Slot::Many(instances) => {
                separate(&view, inputs, grouped, lacking);
                let mut rest = &grouped[..];
                while let Some((sub, _)) = rest.first() {
                    let same = rest.iter().take_while(|(other, _)| other == sub).count();
                    inputs.clear();
                    inputs.extend(rest[..same].iter().map(|(_, input)| *input));
                    if !instances.contains_key(sub) {
                        instances.insert(sub.clone(), Instance::new(node));
                    }
                    if let Some(instance) = instances.get_mut(sub) {
                        own.extend(
                            instance
                                .step(t_us, inputs, &view, lacking, &mut core.degraded_until_us)
                                .map(|hold| Hold { sub: sub.clone(), ..hold }),
                        );
                    }
                    rest = &rest[same..];
                }
                if node.tumbling {
                    for (sub, instance) in instances.iter_mut() {
                        if instance.tick_us == t_us {
                            own.extend(
                                instance
                                    .step(t_us, &[], &view, lacking, &mut core.degraded_until_us)
                                    .map(|hold| Hold { sub: sub.clone(), ..hold }),
                            );
                        }
                        next_tick_us = next_tick_us.min(instance.tick_us);
                    }
                }
            }
        }
    }
    core.next_tick_us = next_tick_us;
    if !group.is_empty() {
        core.newest_us = t_us;
    }
    let holds_now = holds.last().is_some_and(|root| !root.is_empty());
    if !holds_now {
        if let Some(episode) = &mut core.episode {
            settle(program, episode, &core.recent);
        }
        remember(core, program, t_us, group);
        return Outcome { closed, opened: false };
    }
    remember(core, program, t_us, group);
    let opened = note_hold(program, core, t_us);
    Outcome { closed, opened }
}

/// Inputs of a node at this t: hits of its leaves in their order, then holds of its member nodes.
fn collect(view: &View<'_>, inputs: &mut Vec<Input>) {
    inputs.clear();
    let node = view.node;
    for (index, event) in view.group.iter().enumerate() {
        if event.leaves & node.leaf_mask != 0 {
            let positions = |(leaf, position): &(u32, u32)| (event.leaves >> leaf & 1) << position;
            let members = node.leaf_members.iter().map(positions).fold(0, |members, bit| members | bit);
            inputs.push(Input { members, from: From::Event(index) });
        }
    }
    for (via, member) in node.node_members.iter().enumerate() {
        let members = 1 << member.member;
        inputs.extend((0..view.holds[member.node].len()).map(|hold| Input { members, from: From::Hold(via, hold) }));
    }
}

/// Inputs by inner key, in their order within each.
fn separate(view: &View<'_>, inputs: &[Input], grouped: &mut Vec<(Box<[u8]>, Input)>, lacking: &mut u64) {
    grouped.clear();
    let Some(inner_key) = view.node.inner_key else {
        return;
    };
    for input in inputs {
        let sub: Box<[u8]> = match input.from {
            From::Event(event) => view.rows.inner(&view.group[event].payload, inner_key).into(),
            From::Hold(via, hold) => {
                let member = &view.node.node_members[via];
                member.sub.apply(view.key, &view.holds[member.node][hold].sub)
            }
        };
        if sub.is_empty() {
            *lacking += 1;
        } else {
            grouped.push((sub, *input));
        }
    }
    grouped.sort_by(|(one, _), (other, _)| one.cmp(other));
}

/// Adds the group to the newest events of its leaves.
fn remember(core: &mut Core, program: &Program, t_us: i64, group: &[Event]) {
    let kept = program.evidence_per_leaf;
    // Only the newest of a large group can stay; of each leaf, though.
    let tail = if program.leaf_horizons_us.len() == 1 { group.len().saturating_sub(kept + 1) } else { 0 };
    for event in &group[tail..] {
        let mut leaves = event.leaves;
        while leaves != 0 {
            let leaf = leaves.trailing_zeros() as u8;
            leaves &= leaves - 1;
            let of_leaf = |entry: &(u8, Evidence)| entry.0 == leaf;
            if core.recent.iter().rev().find(|entry| of_leaf(entry)).is_some_and(|(_, last)| last.event.is_same(event))
            {
                continue;
            }
            let evidence = Evidence { time_us: t_us, event: event.clone() };
            if core.recent.iter().filter(|entry| of_leaf(entry)).count() >= kept {
                if let Some(oldest) = core.recent.iter().position(of_leaf) {
                    core.recent.remove(oldest);
                }
            } else if core.recent.capacity() == 0 {
                core.recent.reserve_exact(1);
            }
            core.recent.push((leaf, evidence));
        }
    }
}

/// The root holds at `t_us`: begins or continues the episode. Whether it began.
fn note_hold(program: &Program, core: &mut Core, t_us: i64) -> bool {
    let node = program.root();
    let Some(Slot::One(root)) = core.nodes.last() else {
        return false;
    };
    let run = &root.run;
    let members = |episode: &mut Vec<u64>| match &root.content {
        Content::Members { seen } | Content::Chain { seen, .. } => {
            episode.clear();
            episode.extend(seen.iter().map(|member| member.counted));
        }
        Content::Events { .. } | Content::Values { .. } | Content::Numbers { .. } => {}
    };
    if let Some(episode) = &mut core.episode {
        (episode.last_us, episode.seen_us, episode.count) = (t_us, run.seen_us, run.count);
        root.peak_in_place(node, &mut episode.peaks);
        members(&mut episode.members);
        episode.latest.clear();
        episode.degraded |= t_us <= core.degraded_until_us;
        return false;
    }
    let mut episode = Box::new(Episode {
        begin_us: t_us,
        last_us: t_us,
        first_us: run.first_us,
        seen_us: run.seen_us,
        count: run.count,
        figures: root.figures(node),
        peaks: root.figures(node),
        members: Vec::new(),
        values: root.values_shown(),
        opening: contributing(program, &core.recent, t_us).cloned().collect(),
        latest: Vec::new(),
        degraded: t_us <= core.degraded_until_us,
    });
    members(&mut episode.members);
    debug_assert!(episode.begin_us != NEVER);
    core.episode = Some(episode);
    true
}
