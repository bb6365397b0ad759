//! All hits at once: sorted by key and time, each key run through the steps and told once, as it ended.
//!
//! This is the stream without its waiting: no watermark, no state that outlives its key, and a key whose hits are too
//! few for its rule costs a sort and a count. The alerts are those that the stream ends with.

use super::alert::{Frame, Scene, Telling, build};
use super::bound::may_hold;
use super::event::{Event, Origin, Payload, Rows};
use super::program::Program;
use super::state::{Core, Episode};
use super::step::{self, Outcome, Scratch};
use super::{Counters, Settings};
use crate::hit::{HitBatch, LEAVES_MAX};
use crate::plan::{Plan, Tree, UnfitTree};
use schemas::{Alert, AlertStatus};
use std::sync::Arc;

/// Which keys a call is to look at: those whose hash falls into `part` of `parts`. So that threads share the keys.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// From 0, less than `parts`.
    pub part: u64,
    /// At least 1.
    pub parts: u64,
}

impl Share {
    /// All keys.
    pub const ALL: Share = Share { part: 0, parts: 1 };

    fn has(self, key_hash: u64) -> bool {
        // By the high bits: whoever partitions by the low ones may share within a partition.
        self.parts <= 1 || (u128::from(key_hash) * u128::from(self.parts)) >> 64 == u128::from(self.part)
    }
}

#[derive(Clone, Copy)]
struct Place {
    key_hash: u64,
    time_us: i64,
    batch: u32,
    row: u32,
}

/// The closed alerts of all hits of the share, each in its last revision; `tell` gets them in no particular order.
///
/// # Errors
/// [`UnfitTree`] where the plan cannot be evaluated; nothing was told then.
pub fn correlate(
    plan: &Plan,
    settings: &Settings,
    batches: &[HitBatch],
    share: Share,
    tell: &mut impl FnMut(Alert),
) -> Result<Counters, UnfitTree> {
    plan.check()?;
    let programs: Vec<Program> = plan.trees.iter().map(Program::new).collect();
    let mut run = Run {
        plan,
        settings,
        programs,
        frames: Vec::new(),
        sources: Vec::new(),
        rows: Rows(batches),
        counters: Counters::default(),
    };
    run.frames = plan.trees.iter().map(Frame::new).collect();
    let source_numbers = run.number_sources(batches);
    let mut places = run.places(batches, share);
    places.sort_unstable_by_key(|place| (place.key_hash, place.time_us));
    let mut buffers = Buffers::default();
    for same_hash in places.chunk_by_mut(|one, other| one.key_hash == other.key_hash) {
        run.separate(same_hash, &mut |run, places| run.key(places, &source_numbers, &mut buffers, tell));
    }
    run.counters.lacking = buffers.scratch.lacking;
    Ok(run.counters)
}

#[derive(Default)]
struct Buffers {
    scratch: Scratch,
    group: Vec<Event>,
    ended: Vec<Episode>,
}

struct Run<'a> {
    plan: &'a Plan,
    settings: &'a Settings,
    programs: Vec<Program>,
    frames: Vec<Frame>,
    sources: Vec<Arc<str>>,
    rows: Rows<'a>,
    counters: Counters,
}

impl Run<'_> {
    /// For each batch, its source indices as numbers of the run.
    fn number_sources(&mut self, batches: &[HitBatch]) -> Vec<Vec<u32>> {
        let mut number = |name: &Arc<str>| match self.sources.iter().position(|known| known == name) {
            Some(at) => at as u32,
            None => {
                self.sources.push(Arc::clone(name));
                (self.sources.len() - 1) as u32
            }
        };
        batches.iter().map(|batch| batch.sources().iter().map(&mut number).collect()).collect()
    }

    fn places(&mut self, batches: &[HitBatch], share: Share) -> Vec<Place> {
        let mut places =
            Vec::with_capacity(batches.iter().map(HitBatch::len).sum::<usize>() / share.parts.max(1) as usize);
        for (batch, hits) in batches.iter().enumerate() {
            for (row, hit) in hits.iter().enumerate() {
                if !share.has(hit.key_hash()) {
                    continue;
                }
                if hit.tree() as usize >= self.plan.trees.len() {
                    self.counters.unknown_tree += 1;
                    continue;
                }
                places.push(Place {
                    key_hash: hit.key_hash(),
                    time_us: hit.time_us(),
                    batch: batch as u32,
                    row: row as u32,
                });
            }
        }
        self.counters.hits = places.len() as u64;
        places
    }

    /// Keys that share a hash (by chance, or by somebody's will) are told apart.
    fn separate(&mut self, places: &mut [Place], each: &mut impl FnMut(&mut Self, &[Place])) {
        let rows = self.rows;
        let key = |place: &Place| {
            let hit = rows.0[place.batch as usize].get(place.row as usize);
            (hit.tree(), hit.key())
        };
        if places.windows(2).any(|pair| key(&pair[0]) != key(&pair[1])) {
            places.sort_by(|one, other| key(one).cmp(&key(other)).then(one.time_us.cmp(&other.time_us)));
        }
        for own in places.chunk_by(|one, other| key(one) == key(other)) {
            each(self, own);
        }
    }

    /// One key, its places in the order of time.
    fn key(
        &mut self,
        places: &[Place],
        source_numbers: &[Vec<u32>],
        buffers: &mut Buffers,
        tell: &mut impl FnMut(Alert),
    ) {
        let Some(first) = places.first() else {
            return;
        };
        let first = self.rows.0[first.batch as usize].get(first.row as usize);
        let (tree_index, key) = (first.tree() as usize, first.key());
        let (tree, program) = (&self.plan.trees[tree_index], &self.programs[tree_index]);
        self.counters.keys += 1;
        if !self.could_hold(program, places) {
            return;
        }
        let mut core = Core::new(program);
        let Buffers { scratch, group, ended } = buffers;
        let mut note = |_: &mut Core, outcome: Outcome| ended.extend(outcome.closed.map(|episode| *episode));
        for simultaneous in places.chunk_by(|one, other| one.time_us == other.time_us) {
            let t_us = simultaneous[0].time_us;
            step::ticks_before(program, &mut core, key, t_us, self.rows, scratch, &mut note);
            group.clear();
            group.extend(simultaneous.iter().map(|place| self.event(place, source_numbers)));
            step::sort_group(group);
            let outcome = step::step(program, &mut core, key, t_us, group, self.rows, scratch);
            note(&mut core, outcome);
        }
        step::ticks_before(program, &mut core, key, i64::MAX, self.rows, scratch, &mut note);
        ended.extend(step::close(program, &mut core).map(|episode| *episode));
        for episode in ended.drain(..) {
            self.counters.opened += 1;
            self.counters.closed += 1;
            tell(self.alert(tree, tree_index, key, &episode));
        }
    }

    fn alert(&self, tree: &Tree, tree_index: usize, key: &[u8], episode: &Episode) -> Alert {
        let telling = Telling { revision: 1, status: AlertStatus::Closed, supersedes: Vec::new() };
        let (frame, tenant) = (&self.frames[tree_index], &self.settings.tenant);
        build(Scene { tree, frame, tenant, sources: &self.sources, rows: self.rows }, key, episode, telling)
    }

    fn could_hold(&self, program: &Program, places: &[Place]) -> bool {
        let mut events = [0u64; LEAVES_MAX];
        let leaves = program.leaf_horizons_us.len();
        if leaves == 1 {
            events[0] = places.len() as u64;
        } else {
            for place in places {
                let mut bits = self.rows.0[place.batch as usize].get(place.row as usize).leaves();
                while bits != 0 {
                    events[bits.trailing_zeros() as usize] += 1;
                    bits &= bits - 1;
                }
            }
        }
        may_hold(program, None, &events)
    }

    fn event(&self, place: &Place, source_numbers: &[Vec<u32>]) -> Event {
        let hit = self.rows.0[place.batch as usize].get(place.row as usize);
        let id = hit.event();
        let source = source_numbers[place.batch as usize].get(usize::from(id.source)).copied().unwrap_or(u32::MAX);
        Event {
            leaves: hit.leaves(),
            content: hit.content(),
            origin: Origin { source, partition: id.partition, offset: id.offset, sub: id.sub },
            payload: if hit.is_bare() { Payload::Empty } else { Payload::Row { batch: place.batch, row: place.row } },
        }
    }
}
