//! One instance of a node: takes its inputs of one t into its window, looks whether the condition holds, counts.

use super::event::{Event, Rows};
use super::program::{LOOKBACK_MAX, NUMBERS_MAX, NodeProgram, VALUES_MAX, ceiling};
use super::state::{Content, Instance, Seen};
use super::window::{Distinct, millionths};
use crate::plan::{Dimension, Metric, NodeKind};

/// Values kept in an episode as a sample, per dimension.
pub const VALUES_SHOWN: usize = 10;

#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// Bit for each position in the node's members.
    pub members: u64,
    pub from: From,
}

#[derive(Clone, Copy, Debug)]
pub enum From {
    Event(usize),
    /// Which of the node's member nodes, which of its holds.
    Hold(usize, usize),
}

/// A node (or one of its instances) that holds at the t of the step.
#[derive(Clone, Debug)]
pub struct Hold {
    pub sub: Box<[u8]>,
    /// What it counts since its last hold, and in its whole run.
    pub grown: u64,
    pub run_count: u64,
    pub run_first_us: i64,
}

/// What a node's instance may look at.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub key: &'a [u8],
    pub group: &'a [Event],
    pub rows: Rows<'a>,
    pub holds: &'a [Vec<Hold>],
    pub node: &'a NodeProgram,
}

impl View<'_> {
    /// Calls `use_value` with the canonical bytes of a slot (by position in the node's slots); empty where it is missing.
    pub fn with_slot<T>(&self, input: &Input, slot: usize, use_value: impl FnOnce(&[u8]) -> T) -> T {
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

/// Last instant of the window of length `timespan_us`, aligned to the epoch, that `t_us` is in.
pub fn tick_of(t_us: i64, timespan_us: i64) -> i64 {
    let end = (t_us.div_euclid(timespan_us) as i128 + 1) * i128::from(timespan_us) - 1;
    i64::try_from(end).unwrap_or(i64::MAX - 1)
}

impl Instance {
    pub fn step(
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
    pub fn figures(&self, node: &NodeProgram) -> Vec<f64> {
        match &self.content {
            Content::Events { times } => vec![times.len() as f64],
            Content::Values { dimensions, .. } => dimensions.iter().map(|values| values.len() as f64).collect(),
            Content::Numbers { .. } => self.metric(node).into_iter().collect(),
            Content::Members { .. } | Content::Chain { .. } => Vec::new(),
        }
    }

    pub fn peak_in_place(&self, node: &NodeProgram, peaks: &mut [f64]) {
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

impl Instance {
    pub fn values_shown(&self) -> Vec<Vec<Box<[u8]>>> {
        let Content::Values { dimensions, .. } = &self.content else {
            return Vec::new();
        };
        let smallest = |values: &Distinct| {
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
