//! The state of one group key of one tree: an instance of each node, the open episode, the newest events as evidence.
//!
//! Time only moves forward in here. Late events were put in order before they come this far, so nothing is ever undone
//! and the same steps serve a stream, a sorted batch and a guess ahead of the watermark.

use super::event::Evidence;
use super::program::{NodeProgram, Program};
use super::window::{Distinct, Numbers, Times};
use crate::plan::{Metric, NodeKind};
use std::collections::HashMap;

/// A time before all times.
pub const NEVER: i64 = i64::MIN;

/// State of one key.
#[derive(Clone, Debug)]
pub struct Core {
    /// One for each node of the tree.
    pub nodes: Box<[Slot]>,
    /// The newest events of each leaf, oldest first.
    pub recent: Vec<(u8, Evidence)>,
    /// What the root is in the middle of.
    pub episode: Option<Box<Episode>>,
    /// Last instant of the next tumbling window to decide; `i64::MAX` for none.
    pub next_tick_us: i64,
    /// Time of the newest event.
    pub newest_us: i64,
    /// Up to this t, something that could matter may have been lost; [`NEVER`] if nothing was.
    pub degraded_until_us: i64,
}

/// The instances of a node under a key.
#[derive(Clone, Debug)]
pub enum Slot {
    /// The node groups as the root does.
    One(Instance),
    /// The node groups finer: one instance for each inner key.
    Many(HashMap<Box<[u8]>, Instance>),
}

/// One node under one key (and inner key).
#[derive(Clone, Debug)]
pub struct Instance {
    pub content: Content,
    /// Last instant of the tumbling window that is being filled; `i64::MAX` for none.
    pub tick_us: i64,
    /// Events in that window.
    pub filled: u64,
    pub run: Run,
    /// Time of the newest event that counted.
    pub newest_us: i64,
}

/// What is in an instance's window.
#[derive(Clone, Debug)]
pub enum Content {
    Events { times: Times },
    Values { times: Times, dimensions: Box<[Distinct]> },
    Numbers { times: Times, numbers: Box<Numbers> },
    Members { seen: Box<[Seen]> },
    Chain { seen: Box<[Seen]>, starts_us: Box<[i64]> },
}

/// What a temporal node knows of one member.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Newest event.
    pub last_us: i64,
    /// Event times, to count what led to an episode. Only of leaves.
    pub times: Times,
    /// Events behind the newest hold of a member that is a node, and the first of them.
    pub run_count: u64,
    pub run_first_us: i64,
    /// Counted in this episode; and since its last hold.
    pub counted: u64,
    pub since: u64,
}

/// How long an instance has been holding: begins, continues while it holds again within its timespan.
#[derive(Clone, Debug)]
pub struct Run {
    /// First and last t at which it held; [`NEVER`] before the first time.
    pub begin_us: i64,
    pub last_us: i64,
    /// Time of the first and of the last event counted.
    pub first_us: i64,
    pub seen_us: i64,
    /// Events counted up to the last hold; and since.
    pub count: u64,
    pub since: u64,
}

/// What an alert is made of, beyond the root's [`Run`].
#[derive(Clone, Debug)]
pub struct Episode {
    pub begin_us: i64,
    pub last_us: i64,
    pub first_us: i64,
    pub seen_us: i64,
    pub count: u64,
    /// Figures at the beginning and the largest ones, by dimension.
    pub figures: Vec<f64>,
    pub peaks: Vec<f64>,
    /// Counted by member; only of temporal roots.
    pub members: Vec<u64>,
    /// Some of the values at the beginning, by dimension, in the order of their bytes.
    pub values: Vec<Vec<Box<[u8]>>>,
    /// The newest events of each leaf at the beginning.
    pub opening: Vec<Evidence>,
    /// Two of the events at the last hold.
    pub latest: Vec<Evidence>,
    pub degraded: bool,
}

impl Run {
    fn new() -> Run {
        Run { begin_us: NEVER, last_us: NEVER, first_us: NEVER, seen_us: NEVER, count: 0, since: 0 }
    }

    /// Whether a hold at `t_us` continues it.
    pub fn continues(&self, t_us: i64, timespan_us: i64) -> bool {
        self.last_us != NEVER && t_us.saturating_sub(self.last_us) <= timespan_us
    }
}

impl Seen {
    fn new() -> Seen {
        Seen { last_us: NEVER, times: Times::default(), run_count: 0, run_first_us: NEVER, counted: 0, since: 0 }
    }
}

impl Instance {
    /// Nothing seen.
    pub fn new(node: &NodeProgram) -> Instance {
        let seen = || (0..node.members).map(|_| Seen::new()).collect();
        let times = Times::default;
        let content = match &node.kind {
            NodeKind::EventCount { .. } => Content::Events { times: times() },
            NodeKind::ValueCount { dimensions, .. } => {
                Content::Values { times: times(), dimensions: dimensions.iter().map(|_| Distinct::default()).collect() }
            }
            NodeKind::Metric { metric, .. } => Content::Numbers {
                times: times(),
                numbers: Box::new(match metric {
                    Metric::Sum | Metric::Mean => Numbers::default(),
                    Metric::Percentile(_) => Numbers::with_order(),
                }),
            },
            NodeKind::Temporal { .. } => Content::Members { seen: seen() },
            NodeKind::TemporalOrdered { .. } => {
                Content::Chain { seen: seen(), starts_us: (0..node.members).map(|_| NEVER).collect() }
            }
        };
        Instance { content, tick_us: i64::MAX, filled: 0, run: Run::new(), newest_us: NEVER }
    }

    fn heap_bytes(&self) -> usize {
        let times = |times: &Times| times.0.capacity() * 8;
        let seen = |seen: &[Seen]| seen.iter().map(|seen| size_of::<Seen>() + times_bytes(&seen.times)).sum::<usize>();
        match &self.content {
            Content::Events { times: own } => times(own),
            Content::Values { times: own, dimensions } => {
                times(own) + dimensions.iter().map(|values| size_of::<Distinct>() + values.heap_bytes()).sum::<usize>()
            }
            Content::Numbers { times: own, numbers } => {
                times(own) + numbers.len() * if numbers.is_ordered() { 48 } else { 32 }
            }
            Content::Members { seen: own } => seen(own),
            Content::Chain { seen: own, starts_us } => seen(own) + starts_us.len() * 8,
        }
    }
}

fn times_bytes(times: &Times) -> usize {
    times.0.capacity() * 8
}

impl Core {
    /// State of a key of which nothing is known.
    pub fn new(program: &Program) -> Core {
        let slot = |node: &NodeProgram| match node.inner_key {
            None => Slot::One(Instance::new(node)),
            Some(_) => Slot::Many(HashMap::new()),
        };
        Core {
            nodes: program.nodes.iter().map(slot).collect(),
            recent: Vec::new(),
            episode: None,
            next_tick_us: i64::MAX,
            newest_us: NEVER,
            degraded_until_us: NEVER,
        }
    }

    /// Bytes of memory behind it, nearly.
    pub fn heap_bytes(&self) -> usize {
        let slot = |slot: &Slot| {
            size_of::<Slot>()
                + match slot {
                    Slot::One(instance) => instance.heap_bytes(),
                    Slot::Many(instances) => instances
                        .iter()
                        .map(|(key, instance)| key.len() + 24 + size_of::<Instance>() + instance.heap_bytes())
                        .sum(),
                }
        };
        let evidence = |evidence: &Evidence| size_of::<Evidence>() + evidence.event.payload.heap_bytes();
        let episode = self.episode.as_ref().map_or(0, |episode| {
            size_of::<Episode>() + episode.opening.iter().chain(&episode.latest).map(evidence).sum::<usize>() + 200
        });
        let recent = self.recent.capacity() * size_of::<(u8, Evidence)>();
        let payloads: usize = self.recent.iter().map(|(_, evidence)| evidence.event.payload.heap_bytes()).sum();
        self.nodes.iter().map(slot).sum::<usize>() + recent + payloads + episode
    }

    /// Forgets instances that can no longer matter to anything after `wm_us`.
    pub fn prune(&mut self, program: &Program, wm_us: i64) {
        let from_us = wm_us.saturating_sub(program.horizon_us);
        for slot in &mut self.nodes {
            if let Slot::Many(instances) = slot {
                instances.retain(|_, instance| instance.newest_us > from_us || instance.run.last_us > from_us);
            }
        }
    }
}
