//! Hits as they come, alerts as soon as they are certain.

use super::alert::Frame;
use super::bound::{may_hold, nearness};
use super::event::{Event, Origin, Payload, Rows};
use super::program::Program;
use super::sleep::{Entry, SLEEPER_MAX, Sleeper};
use super::state::{Core, NEVER};
use super::step::{self, Outcome, Scratch};
use super::voice::{Told, voice};
use super::{Counters, Settings};
use crate::hit::{HitBatch, HitRef, LEAVES_MAX};
use crate::plan::{Plan, UnfitTree};
use hashbrown::{DefaultHashBuilder, HashTable};
use schemas::Alert;
use std::collections::{BTreeMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::Arc;

/// Keys are looked at when the watermark reaches the tick that they are due in; 2^18 µs are a quarter of a second.
const TICK_BITS: u32 = 18;

/// An event that waits for the watermark.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub time_us: i64,
    pub event: Event,
}

/// A group key of a tree, with all that is known of it.
#[derive(Debug)]
pub(super) struct Key {
    pub tree: u32,
    pub bytes: Box<[u8]>,
    pub core: Core,
    /// Above the watermark; in the order of time if `in_order`.
    pub waiting: VecDeque<Waiting>,
    in_order: bool,
    waiting_bytes: usize,
    /// Of the episode in `core`. Boxed, like the next: most keys never have one.
    pub told: Option<Box<Told>>,
    /// Of an episode that was guessed ahead of the watermark.
    pub guessed: Option<Box<Told>>,
    /// When it has to be looked at again.
    pub(super) due_us: i64,
    touched: bool,
    /// Number of waiting events at the last guess that found nothing.
    tried: usize,
    pub(super) size_bytes: usize,
}

/// Joins hits into alerts, in event time.
///
/// Give it hits ([`Correlator::push`]) in any order and say how far event time has come ([`Correlator::advance`]). A
/// watermark w promises that no hit at or before w is to be counted any more: who allows a lateness subtracts it before.
#[derive(Debug)]
pub struct Correlator {
    pub(super) plan: Arc<Plan>,
    pub(super) programs: Vec<Program>,
    pub(super) frames: Vec<Frame>,
    pub(super) settings: Settings,
    pub(super) watermark_us: i64,
    pub(super) keys: Vec<Entry>,
    free: Vec<u32>,
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// Tick to the keys due in it. A map and not a wheel of slots: watermarks may leap by years, and no tick is visited that nobody waits for.
    calendar: BTreeMap<i64, Vec<u32>>,
    pub(super) sources: Vec<Arc<str>>,
    /// For each tree, until when keys that begin anew may have lost what an evicted key knew.
    pub(super) degraded_until_us: Vec<i64>,
    pub(super) counters: Counters,
    scratch: Scratch,
    group: Vec<Event>,
    touched: Vec<u32>,
}

impl Correlator {
    /// A correlator that knows nothing yet.
    ///
    /// # Errors
    /// [`UnfitTree`] where the plan cannot be evaluated.
    pub fn new(plan: Arc<Plan>, settings: Settings) -> Result<Correlator, UnfitTree> {
        plan.check()?;
        Ok(Correlator {
            programs: plan.trees.iter().map(Program::new).collect(),
            frames: plan.trees.iter().map(Frame::new).collect(),
            degraded_until_us: vec![NEVER; plan.trees.len()],
            plan,
            settings,
            watermark_us: NEVER,
            keys: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            calendar: BTreeMap::new(),
            sources: Vec::new(),
            counters: Counters::default(),
            scratch: Scratch::default(),
            group: Vec::new(),
            touched: Vec::new(),
        })
    }

    /// How far event time has come; `i64::MIN` before the first [`Correlator::advance`].
    pub fn watermark_us(&self) -> i64 {
        self.watermark_us
    }

    /// What it has done and holds.
    pub fn counters(&self) -> Counters {
        Counters { lacking: self.scratch.lacking, ..self.counters }
    }

    /// Takes hits, in any order. Alerts that certainly hold already are told now, as open.
    pub fn push(&mut self, hits: &HitBatch, out: &mut Vec<Alert>) {
        self.push_some(hits, hits.iter(), out);
    }

    /// The same for some hits of a batch.
    pub fn push_some<'a>(&mut self, batch: &'a HitBatch, hits: impl Iterator<Item = HitRef<'a>>, out: &mut Vec<Alert>) {
        let numbers: Vec<u32> = batch.sources().iter().map(|name| self.source_number(name)).collect();
        for hit in hits {
            self.take(&hit, &numbers);
        }
        let mut touched = std::mem::take(&mut self.touched);
        for at in touched.drain(..) {
            self.guess(at, out);
        }
        self.touched = touched;
        if self.counters.bytes as usize > self.settings.state_bytes_max {
            self.evict(out);
        }
    }

    /// Event time has come to `watermark_us`: everything up to there is decided. Going back is no effect.
    pub fn advance(&mut self, watermark_us: i64, out: &mut Vec<Alert>) {
        if watermark_us <= self.watermark_us {
            return;
        }
        self.watermark_us = watermark_us;
        let tick = watermark_us >> TICK_BITS;
        let mut again = Vec::new();
        while let Some(entry) = self.calendar.first_entry() {
            let entry_tick = *entry.key();
            if entry_tick > tick {
                break;
            }
            for at in entry.remove() {
                match &self.keys[at as usize] {
                    Entry::Free => {}
                    // An older appointment: the key has another one.
                    entry if entry.due_us() >> TICK_BITS != entry_tick => {}
                    entry if entry.due_us() > watermark_us => again.push(at),
                    Entry::Awake(_) => self.settle(at, watermark_us, out),
                    // It sleeps until its time is over.
                    Entry::Asleep(_) => self.remove(at),
                }
            }
        }
        if !again.is_empty() {
            again.sort_unstable();
            again.dedup();
            self.calendar.entry(tick).or_default().extend(again);
        }
        if self.counters.bytes as usize > self.settings.state_bytes_max {
            self.evict(out);
        }
    }

    /// The input has ended: decides and closes everything.
    pub fn finish(&mut self, out: &mut Vec<Alert>) {
        self.watermark_us = i64::MAX;
        for at in 0..self.keys.len() as u32 {
            match &self.keys[at as usize] {
                Entry::Free => {}
                Entry::Awake(_) => self.settle(at, i64::MAX, out),
                Entry::Asleep(_) => self.remove(at),
            }
        }
        self.calendar.clear();
    }

    fn source_number(&mut self, name: &Arc<str>) -> u32 {
        match self.sources.iter().rposition(|known| known == name) {
            Some(at) => at as u32,
            None => {
                self.sources.push(Arc::clone(name));
                (self.sources.len() - 1) as u32
            }
        }
    }

    fn take(&mut self, hit: &HitRef<'_>, numbers: &[u32]) {
        let tree = hit.tree();
        let time_us = hit.time_us();
        if tree as usize >= self.programs.len() {
            self.counters.unknown_tree += 1;
            return;
        }
        if time_us <= self.watermark_us {
            self.counters.late += 1;
            return;
        }
        self.counters.hits += 1;
        let at = self.find_or_add(tree, hit.key(), time_us);
        let id = hit.event();
        let event = Event {
            leaves: hit.leaves(),
            content: hit.content(),
            origin: Origin {
                source: numbers.get(usize::from(id.source)).copied().unwrap_or(u32::MAX),
                partition: id.partition,
                offset: id.offset,
                sub: id.sub,
            },
            payload: Payload::owned(hit, self.settings.raw_bytes_max),
        };
        let Some(key) = self.wake(at) else {
            return;
        };
        let grown = size_of::<Waiting>() + event.payload.heap_bytes();
        key.size_bytes += grown;
        key.wait(Waiting { time_us, event });
        let was_touched = std::mem::replace(&mut key.touched, true);
        let earlier = time_us < key.due_us;
        self.counters.bytes += grown as u64;
        if !was_touched {
            self.touched.push(at);
        }
        if earlier {
            self.schedule(at, time_us);
        }
    }

    fn find_or_add(&mut self, tree: u32, bytes: &[u8], time_us: i64) -> u32 {
        let hash = self.hasher.hash_one((tree, bytes));
        let keys = &self.keys;
        let is_it = |at: &u32| keys[*at as usize].is_of(tree, bytes);
        if let Some(at) = self.index.find(hash, is_it) {
            return *at;
        }
        let mut core = Core::new(&self.programs[tree as usize]);
        if time_us <= self.degraded_until_us[tree as usize] {
            core.degraded_until_us = self.degraded_until_us[tree as usize];
        }
        let mut key = Key::new(tree, bytes.into(), core);
        key.size_bytes = key.measure();
        self.counters.keys += 1;
        self.counters.bytes += key.size_bytes as u64;
        self.add(key, hash)
    }

    /// Puts a key into the table; it is not there yet.
    fn add(&mut self, key: Box<Key>, hash: u64) -> u32 {
        let at = match self.free.pop() {
            Some(at) => {
                self.keys[at as usize] = Entry::Awake(key);
                at
            }
            None => {
                self.keys.push(Entry::Awake(key));
                (self.keys.len() - 1) as u32
            }
        };
        let (keys, hasher) = (&self.keys, &self.hasher);
        self.index.insert_unique(hash, at, |at| keys[*at as usize].name().map_or(0, |name| hasher.hash_one(name)));
        at
    }

    /// Puts a restored key where new ones go.
    pub(super) fn restore_key(
        &mut self,
        tree: u32,
        bytes: Box<[u8]>,
        core: Core,
        waiting: Vec<Waiting>,
        told: [Option<Told>; 2],
    ) {
        let hash = self.hasher.hash_one((tree, &*bytes));
        let [told, guessed] = told;
        let mut key = Key::new(tree, bytes, core);
        (key.told, key.guessed) = (told.map(Box::new), guessed.map(Box::new));
        waiting.into_iter().for_each(|waiting| key.wait(waiting));
        key.put_in_order();
        key.size_bytes = key.measure();
        self.counters.keys += 1;
        self.counters.bytes += key.size_bytes as u64;
        let due_us = key.next_due_us(&self.programs[tree as usize]);
        let at = self.add(key, hash);
        self.schedule(at, due_us);
        self.lull(at);
    }

    fn schedule(&mut self, at: u32, due_us: i64) {
        if let Entry::Awake(key) = &mut self.keys[at as usize] {
            let known = key.due_us != i64::MAX && key.due_us >> TICK_BITS == due_us >> TICK_BITS;
            key.due_us = due_us;
            if !known && due_us != i64::MAX {
                self.calendar.entry(due_us >> TICK_BITS).or_default().push(at);
            }
        }
    }

    pub(super) fn remove(&mut self, at: u32) {
        let entry = std::mem::replace(&mut self.keys[at as usize], Entry::Free);
        let Some(name) = entry.name() else {
            return;
        };
        let hash = self.hasher.hash_one(name);
        if let Ok(found) = self.index.find_entry(hash, |&other| other == at) {
            found.remove();
        }
        self.counters.keys -= 1;
        self.counters.bytes -= entry.size_bytes() as u64;
        self.free.push(at);
    }

    /// The key, awake; `None` where there is none.
    fn wake(&mut self, at: u32) -> Option<&mut Key> {
        if let Entry::Asleep(sleeper) = &self.keys[at as usize] {
            let program = &self.programs[sleeper.tree() as usize];
            let mut key = Key::new(sleeper.tree(), sleeper.key().into(), sleeper.core(program));
            key.due_us = sleeper.due_us();
            key.size_bytes = key.measure();
            self.counters.bytes += key.size_bytes as u64;
            self.counters.bytes -= sleeper.size_bytes() as u64;
            self.keys[at as usize] = Entry::Awake(key);
        }
        match &mut self.keys[at as usize] {
            Entry::Awake(key) => Some(key),
            Entry::Free | Entry::Asleep(_) => None,
        }
    }

    /// Puts a key to sleep that has nothing to tell and nothing to decide, if that saves memory.
    fn lull(&mut self, at: u32) {
        let Entry::Awake(key) = &self.keys[at as usize] else {
            return;
        };
        let idle = key.waiting.is_empty() && key.told.is_none() && key.guessed.is_none();
        let decided = key.core.episode.is_none() && key.core.next_tick_us == i64::MAX;
        if !(idle && decided && key.size_bytes < SLEEPER_MAX) {
            return;
        }
        let program = &self.programs[key.tree as usize];
        let sleeper = Sleeper::new(key.tree, &key.bytes, key.due_us, nearness(program, &key.core, 0), &key.core);
        self.counters.bytes += sleeper.size_bytes() as u64;
        self.counters.bytes -= key.size_bytes as u64;
        self.keys[at as usize] = Entry::Asleep(sleeper);
    }

    /// Decides all of a key up to the watermark, and makes the next appointment.
    pub(super) fn settle(&mut self, at: u32, watermark_us: i64, out: &mut Vec<Alert>) {
        let mut key = match std::mem::replace(&mut self.keys[at as usize], Entry::Free) {
            Entry::Awake(key) => key,
            other => {
                self.keys[at as usize] = other;
                return;
            }
        };
        let program = &self.programs[key.tree as usize];
        key.put_in_order();
        key.tried = 0;
        let mut voice = voice!(self, out);
        let Key { tree, bytes, core, told, guessed, waiting, waiting_bytes, .. } = &mut *key;
        let tree = *tree as usize;
        let mut heard = |core: &mut Core, outcome: Outcome| {
            if let Some(episode) = outcome.closed {
                voice.close(tree, bytes, &episode, told, guessed);
            }
            if outcome.opened
                && let Some(episode) = &core.episode
            {
                *told = Some(voice.begin(tree, bytes, episode, guessed));
            }
        };
        let group = &mut self.group;
        while let Some(first) = waiting.pop_front_if(|first| first.time_us <= watermark_us) {
            let t_us = first.time_us;
            step::ticks_before(program, core, bytes, t_us, Rows::default(), &mut self.scratch, &mut heard);
            group.push(first.event);
            while let Some(same) = waiting.pop_front_if(|next| next.time_us == t_us) {
                group.push(same.event);
            }
            *waiting_bytes -= group.iter().map(|event| event.payload.heap_bytes()).sum::<usize>();
            step::sort_group(group);
            let outcome = step::step(program, core, bytes, t_us, group, Rows::default(), &mut self.scratch);
            group.clear();
            heard(core, outcome);
        }
        if waiting.is_empty() {
            *waiting = VecDeque::new();
        }
        let after_us = watermark_us.saturating_add(1);
        step::ticks_before(program, core, bytes, after_us, Rows::default(), &mut self.scratch, &mut heard);
        let closed = if watermark_us == i64::MAX {
            step::close(program, core)
        } else {
            step::close_before(program, core, after_us)
        };
        heard(core, Outcome { closed, opened: false });
        if let Some(episode) = &key.core.episode {
            voice.open(tree, &key.bytes, episode, &mut key.told, &mut key.guessed);
        }
        if key.guessed.as_ref().is_some_and(|guessed| guessed.begin_us <= watermark_us) {
            voice.withdraw(tree, &key.bytes, &mut key.guessed);
        }
        key.core.prune(program, watermark_us);
        let due_us = key.next_due_us(program);
        let size_bytes = key.measure();
        let over =
            due_us == i64::MAX || (key.waiting.is_empty() && key.core.episode.is_none() && due_us <= watermark_us);
        self.counters.bytes = self.counters.bytes + size_bytes as u64 - key.size_bytes as u64;
        key.size_bytes = size_bytes;
        key.due_us = i64::MAX;
        self.keys[at as usize] = Entry::Awake(key);
        if over {
            self.remove(at);
        } else {
            self.schedule(at, due_us);
            self.lull(at);
        }
    }

    /// Tells an episode that certainly begins in what waits, if there is one.
    fn guess(&mut self, at: u32, out: &mut Vec<Alert>) {
        let Entry::Awake(key) = &mut self.keys[at as usize] else {
            return;
        };
        key.touched = false;
        let program = &self.programs[key.tree as usize];
        if !program.monotone || key.guessed.is_some() || key.waiting.is_empty() {
            return;
        }
        // A busy key that does not hold is not tried again for each event.
        if key.waiting.len() < key.tried + key.tried / 16 {
            return;
        }
        let goes_on = |last_us: i64| key.newest_waiting_us().saturating_sub(last_us) <= program.root().timespan_us;
        if key.core.episode.as_ref().is_some_and(|episode| goes_on(episode.last_us)) {
            return;
        }
        let mut events = [0u64; LEAVES_MAX];
        for waiting in &key.waiting {
            let mut bits = waiting.event.leaves;
            while bits != 0 {
                events[bits.trailing_zeros() as usize] += 1;
                bits &= bits - 1;
            }
        }
        if !may_hold(program, Some(&key.core), &events) {
            return;
        }
        let mut ahead = key.core.clone();
        key.put_in_order();
        let lacking = self.scratch.lacking;
        let mut found = None;
        let waiting = key.waiting.make_contiguous();
        for simultaneous in waiting.chunk_by(|one, other| one.time_us == other.time_us) {
            let t_us = simultaneous[0].time_us;
            self.group.extend(simultaneous.iter().map(|waiting| waiting.event.clone()));
            step::sort_group(&mut self.group);
            // No ticks: a tree with tumbling windows is not guessed.
            let outcome =
                step::step(program, &mut ahead, &key.bytes, t_us, &self.group, Rows::default(), &mut self.scratch);
            self.group.clear();
            if outcome.opened {
                found = Some(t_us);
                break;
            }
        }
        self.scratch.lacking = lacking;
        key.tried = key.waiting.len();
        if let (Some(begin_us), Some(episode)) = (found, &ahead.episode) {
            let mut voice = voice!(self, out);
            key.guessed = Some(voice.guess(key.tree as usize, &key.bytes, episode, begin_us));
        }
    }
}

impl Key {
    /// A key with its state, and no appointment.
    fn new(tree: u32, bytes: Box<[u8]>, core: Core) -> Box<Key> {
        Box::new(Key {
            tree,
            bytes,
            core,
            waiting: VecDeque::new(),
            in_order: true,
            waiting_bytes: 0,
            told: None,
            guessed: None,
            due_us: i64::MAX,
            touched: false,
            tried: 0,
            size_bytes: 0,
        })
    }

    fn wait(&mut self, waiting: Waiting) {
        if self.waiting.capacity() == 0 {
            self.waiting.reserve_exact(1);
        }
        self.in_order &= self.waiting.back().is_none_or(|newest| newest.time_us <= waiting.time_us);
        self.waiting_bytes += waiting.event.payload.heap_bytes();
        self.waiting.push_back(waiting);
    }

    fn put_in_order(&mut self) {
        if !self.in_order {
            self.waiting.make_contiguous().sort_by_key(|waiting| waiting.time_us);
            self.in_order = true;
        }
    }

    fn newest_waiting_us(&self) -> i64 {
        let mut times = self.waiting.iter().map(|waiting| waiting.time_us);
        if self.in_order { times.next_back() } else { times.max() }.unwrap_or(NEVER)
    }

    fn measure(&self) -> usize {
        let waiting = self.waiting_bytes + self.waiting.capacity() * size_of::<Waiting>();
        let told = [&self.told, &self.guessed].into_iter().flatten().count() * size_of::<Told>();
        // 16: the entries of table and calendar.
        size_of::<Key>() + 16 + self.bytes.len() + self.core.heap_bytes() + waiting + told
    }

    /// When there is something to decide again; `i64::MAX` for never. What waits is in order.
    fn next_due_us(&self, program: &Program) -> i64 {
        let waiting_us = self.waiting.front().map_or(i64::MAX, |first| first.time_us);
        let over_us = match &self.core.episode {
            Some(episode) => episode.last_us.saturating_add(program.root().timespan_us),
            // What waits comes first anyway; without this, a key whose state is over would be due at once, again and again.
            None if self.core.newest_us == NEVER || !self.waiting.is_empty() => i64::MAX,
            None => self.core.newest_us.saturating_add(program.horizon_us),
        };
        waiting_us.min(self.core.next_tick_us).min(over_us)
    }
}
