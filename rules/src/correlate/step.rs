//! One step of one key: all its events of one time go in, the root's episode may close, open or go on.
//!
//! Nodes are visited from the leaves to the root, each with its inputs of this t: hits of member leaves, and holds of
//! member nodes (a correlation counts as an event at each t where it holds). A node without inputs at t is not looked
//! at, unless its tumbling window ends at t. Counting rules:
//!
//! * an event of two members counts once in counts and metrics, for each member in temporal nodes;
//! * a node's count is that of its inputs from the window at the beginning (of which the newest
//!   [`LOOKBACK_MAX`] are counted) to the last hold; of a temporal node, those of its leaves, and
//!   for a member node what that node has counted itself.

use super::event::{Event, Evidence, Rows};
use super::program::{LOOKBACK_MAX, NUMBERS_MAX, NodeProgram, Program, VALUES_MAX, ceiling};
use super::state::{Content, Core, Episode, Instance, NEVER, Seen, Slot};
use super::window::millionths;
use crate::plan::{Dimension, Metric, NodeKind};

/// Values kept in an episode as a sample, per dimension.
pub const VALUES_SHOWN: usize = 10;

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

#[derive(Clone, Copy, Debug)]
struct Input {
    /// Bit for each position in the node's members.
    members: u64,
    from: From,
}

#[derive(Clone, Copy, Debug)]
enum From {
    Event(usize),
    /// Which of the node's member nodes, which of its holds.
    Hold(usize, usize),
}

/// A node (or one of its instances) that holds at the t of the step.
#[derive(Clone, Debug)]
struct Hold {
    sub: Box<[u8]>,
    /// What it counts since its last hold, and in its whole run.
    grown: u64,
    run_count: u64,
    run_first_us: i64,
}

/// What a node's instance may look at.
#[derive(Clone, Copy)]
struct View<'a> {
    key: &'a [u8],
    group: &'a [Event],
    rows: Rows<'a>,
    holds: &'a [Vec<Hold>],
    node: &'a NodeProgram,
}

impl View<'_> {
    /// Calls `use_value` with the canonical bytes of a slot (by position in the node's slots); empty where it is missing.
    fn with_slot<T>(&self, input: &Input, slot: usize, use_value: impl FnOnce(&[u8]) -> T) -> T {
        match input.from {
            From::Event(event) => use_value(self.rows.slot(&self.group[event].payload, self.node.slots[slot])),
            From::Hold(via, hold) => {
                let member = &self.node.node_members[via];
                match &member.slots[slot] {
                    None => use_value(&[]),
                    Some(projection) => use_value(&projection.apply(self.key, &self.holds[member.node][hold].sub)),
                }
            }
        }
    }

    /// Whether an input is the same event as the one before it.
    fn repeats(&self, inputs: &[Input], index: usize) -> bool {
        let Some(before) = index.checked_sub(1) else {
            return false;
        };
        match (inputs[before].from, inputs[index].from) {
            (From::Event(one), From::Event(other)) => self.group[one].is_same(&self.group[other]),
            (From::Event(_) | From::Hold(..), From::Hold(..)) | (From::Hold(..), From::Event(_)) => false,
        }
    }
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

/// Last instant of the window of length `timespan_us`, aligned to the epoch, that `t_us` is in.
pub fn tick_of(t_us: i64, timespan_us: i64) -> i64 {
    let end = (t_us.div_euclid(timespan_us) as i128 + 1) * i128::from(timespan_us) - 1;
    i64::try_from(end).unwrap_or(i64::MAX - 1)
}

impl Instance {
    fn step(
        &mut self,
        t_us: i64,
        inputs: &[Input],
        view: &View<'_>,
        lacking: &mut u64,
        degraded_until_us: &mut i64,
    ) -> Option<Hold> {
        let node = view.node;
        if node.tumbling && self.tick_us == i64::MAX {
            self.tick_us = tick_of(t_us, node.timespan_us);
        }
        let from_us = if node.tumbling { self.tick_us } else { t_us }.saturating_sub(node.timespan_us);
        let mut grown = self.absorb(t_us, from_us, inputs, view, lacking, degraded_until_us);
        if grown > 0 {
            self.newest_us = t_us;
        }
        if node.tumbling {
            self.filled += grown;
            if t_us != self.tick_us {
                return None;
            }
            grown = self.filled;
        }
        // Where all inputs lacked what is counted, there is nothing to look at.
        let holds = grown > 0 && self.meets(node, from_us);
        let hold = if grown > 0 { self.note(t_us, from_us, grown, holds, node) } else { None };
        if node.tumbling {
            (self.tick_us, self.filled) = (i64::MAX, 0);
        }
        hold
    }

    /// Puts the inputs into the window; the number of events among them that count.
    fn absorb(
        &mut self,
        t_us: i64,
        from_us: i64,
        inputs: &[Input],
        view: &View<'_>,
        lacking: &mut u64,
        degraded_until_us: &mut i64,
    ) -> u64 {
        let node = view.node;
        let distinct = || (0..inputs.len()).filter(|&index| !view.repeats(inputs, index));
        match &mut self.content {
            Content::Events { times } => {
                let grown = distinct().count() as u64;
                times.add(t_us, grown, from_us, node.ring_max);
                grown
            }
            Content::Values { times, dimensions } => {
                let NodeKind::ValueCount { dimensions: wanted, .. } = &node.kind else {
                    return 0;
                };
                dimensions.iter_mut().for_each(|values| values.expire(from_us));
                let mut grown = 0;
                let mut counted = false;
                for (index, input) in inputs.iter().enumerate() {
                    let repeats = view.repeats(inputs, index) && counted;
                    let mut has_value = false;
                    for (slot, (values, Dimension { condition, .. })) in dimensions.iter_mut().zip(wanted).enumerate() {
                        view.with_slot(input, slot, |bytes| {
                            if !bytes.is_empty() {
                                has_value = true;
                                values.see(bytes, t_us, VALUES_MAX.max(ceiling(condition) + 1));
                            }
                        });
                    }
                    match (has_value, repeats) {
                        (true, false) => grown += 1,
                        (true, true) => {}
                        (false, _) => *lacking += 1,
                    }
                    counted = has_value || repeats;
                }
                times.add(t_us, grown, from_us, node.ring_max);
                grown
            }
            Content::Numbers { times, numbers } => {
                numbers.expire(from_us);
                let mut grown = 0;
                let mut counted = false;
                for (index, input) in inputs.iter().enumerate() {
                    if view.repeats(inputs, index) && counted {
                        continue;
                    }
                    let number = view.with_slot(input, 0, millionths);
                    match number {
                        Some(number) => {
                            numbers.add(t_us, number, NUMBERS_MAX);
                            grown += 1;
                        }
                        None => *lacking += 1,
                    }
                    counted = number.is_some();
                }
                if numbers.dropped_us.is_some_and(|dropped_us| dropped_us > from_us) {
                    *degraded_until_us = (*degraded_until_us).max(t_us);
                }
                times.add(t_us, grown, from_us, node.ring_max);
                grown
            }
            Content::Members { seen } => absorb_members(seen, t_us, from_us, inputs, view),
            Content::Chain { seen, starts_us } => {
                let grown = absorb_members(seen, t_us, from_us, inputs, view);
                let present = inputs.iter().fold(0u64, |present, input| present | input.members);
                // In the members' order, so that a chain may pass through several events of this time.
                for member in 0..starts_us.len() {
                    if present >> member & 1 == 1 {
                        let start_us = match member {
                            0 => t_us,
                            _ => starts_us[member - 1],
                        };
                        starts_us[member] = starts_us[member].max(start_us);
                    }
                }
                grown
            }
        }
    }

    /// Whether the condition holds for the window after `from_us`.
    fn meets(&self, node: &NodeProgram, from_us: i64) -> bool {
        match (&self.content, &node.kind) {
            (Content::Chain { starts_us, .. }, _) => starts_us.last().is_some_and(|&start_us| start_us > from_us),
            (Content::Members { seen }, NodeKind::Temporal { expression, .. }) => {
                expression.holds(present(seen, from_us))
            }
            (Content::Events { times }, NodeKind::EventCount { condition, .. }) => condition.holds(times.len() as f64),
            (Content::Values { dimensions, .. }, NodeKind::ValueCount { dimensions: wanted, .. }) => {
                dimensions.iter().zip(wanted).all(|(values, wanted)| wanted.condition.holds(values.len() as f64))
            }
            (Content::Numbers { .. }, NodeKind::Metric { condition, .. }) => {
                self.metric(node).is_some_and(|figure| condition.holds(figure))
            }
            (
                Content::Members { .. } | Content::Events { .. } | Content::Values { .. } | Content::Numbers { .. },
                _,
            ) => {
                unreachable!("an instance is made from its node's kind")
            }
        }
    }

    fn metric(&self, node: &NodeProgram) -> Option<f64> {
        match (&self.content, &node.kind) {
            (Content::Numbers { numbers, .. }, NodeKind::Metric { metric, .. }) => match metric {
                Metric::Sum => numbers.sum(),
                Metric::Mean => numbers.mean(),
                Metric::Percentile(percent) => numbers.percentile(*percent),
            },
            _ => None,
        }
    }

    /// Figures of the window, one for each dimension; none of temporal nodes.
    fn figures(&self, node: &NodeProgram) -> Vec<f64> {
        match &self.content {
            Content::Events { times } => vec![times.len() as f64],
            Content::Values { dimensions, .. } => dimensions.iter().map(|values| values.len() as f64).collect(),
            Content::Numbers { .. } => self.metric(node).into_iter().collect(),
            Content::Members { .. } | Content::Chain { .. } => Vec::new(),
        }
    }

    fn peak_in_place(&self, node: &NodeProgram, peaks: &mut [f64]) {
        let figure = |dimension: usize| match &self.content {
            Content::Events { times } => Some(times.len() as f64),
            Content::Values { dimensions, .. } => dimensions.get(dimension).map(|values| values.len() as f64),
            Content::Numbers { .. } => self.metric(node),
            Content::Members { .. } | Content::Chain { .. } => None,
        };
        for (dimension, peak) in peaks.iter_mut().enumerate() {
            *peak = figure(dimension).map_or(*peak, |figure| figure.max(*peak));
        }
    }

    /// Notes whether the node holds in its run, and counts.
    fn note(&mut self, t_us: i64, from_us: i64, grown: u64, holds: bool, node: &NodeProgram) -> Option<Hold> {
        let continues = self.run.continues(t_us, node.timespan_us);
        let newest_us = self.newest_us;
        if !holds {
            if continues {
                self.run.since += grown;
            }
            return None;
        }
        let before = if continues { self.run.count } else { 0 };
        let first_us;
        let count = match &mut self.content {
            Content::Members { seen } | Content::Chain { seen, .. } => {
                first_us = if continues { self.run.first_us } else { first_of(seen, from_us, t_us) };
                for member in seen.iter_mut() {
                    if continues {
                        member.counted += member.since;
                    } else if member.last_us <= from_us {
                        member.counted = 0;
                    } else if member.times.len() > 0 {
                        member.counted = member.times.after(from_us) as u64;
                    } else {
                        member.counted = member.run_count;
                    }
                    member.since = 0;
                }
                seen.iter().map(|member| member.counted).sum()
            }
            Content::Events { times } | Content::Values { times, .. } | Content::Numbers { times, .. } => {
                first_us = if continues { self.run.first_us } else { times.first().unwrap_or(t_us) };
                match (continues, node.tumbling) {
                    (true, _) => self.run.count + self.run.since + grown,
                    (false, true) => grown,
                    (false, false) => times.len() as u64,
                }
            }
        };
        let run = &mut self.run;
        if !continues {
            run.begin_us = t_us;
        }
        run.first_us = first_us;
        run.count = count;
        run.since = 0;
        run.last_us = t_us;
        run.seen_us = newest_us;
        Some(Hold { sub: Box::default(), grown: count - before, run_count: count, run_first_us: first_us })
    }
}

fn present(seen: &[Seen], from_us: i64) -> u64 {
    seen.iter().enumerate().fold(0, |present, (member, seen)| present | u64::from(seen.last_us > from_us) << member)
}

fn first_of(seen: &mut [Seen], from_us: i64, t_us: i64) -> i64 {
    let first = |member: &mut Seen| {
        member.times.expire(from_us);
        match member.times.first() {
            Some(first_us) => Some(first_us),
            None => (member.last_us > from_us).then_some(member.run_first_us),
        }
    };
    seen.iter_mut().filter_map(first).min().unwrap_or(t_us)
}

/// Notes which members have an event at this t. `since` grows with what they count.
fn absorb_members(seen: &mut [Seen], t_us: i64, from_us: i64, inputs: &[Input], view: &View<'_>) -> u64 {
    let mut total = 0;
    for (position, member) in seen.iter_mut().enumerate() {
        let (mut events, mut grown, mut run_count) = (0u64, 0u64, 0u64);
        let mut run_first_us = i64::MAX;
        let mut before: Option<usize> = None;
        for (index, input) in inputs.iter().enumerate() {
            if input.members >> position & 1 == 0 {
                continue;
            }
            match input.from {
                From::Event(_) => {
                    let repeats = before.is_some_and(|before| before + 1 == index) && view.repeats(inputs, index);
                    events += u64::from(!repeats);
                    before = Some(index);
                }
                From::Hold(via, hold) => {
                    let hold = &view.holds[view.node.node_members[via].node][hold];
                    grown += hold.grown;
                    run_count += hold.run_count;
                    run_first_us = run_first_us.min(hold.run_first_us);
                }
            }
        }
        if events == 0 && run_count == 0 {
            continue;
        }
        member.last_us = t_us;
        if events > 0 {
            member.times.add(t_us, events, from_us, LOOKBACK_MAX);
        } else {
            (member.run_count, member.run_first_us) = (run_count, run_first_us);
        }
        member.since += events + grown;
        total += events + grown;
    }
    total
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

impl Instance {
    fn values_shown(&self) -> Vec<Vec<Box<[u8]>>> {
        let Content::Values { dimensions, .. } = &self.content else {
            return Vec::new();
        };
        let smallest = |values: &super::window::Distinct| {
            let mut shown: Vec<&[u8]> = values.newest_first().map(|(bytes, _)| bytes).collect();
            if shown.len() > VALUES_SHOWN {
                shown.select_nth_unstable(VALUES_SHOWN);
                shown.truncate(VALUES_SHOWN);
            }
            shown.sort_unstable();
            shown.into_iter().map(Box::from).collect()
        };
        dimensions.iter().map(smallest).collect()
    }
}
