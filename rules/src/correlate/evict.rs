//! What leaves when the state is over its budget.
//!
//! The keys farthest from firing go first. So to push out a key that is one event short of its threshold, an attacker
//! has to bring as many other keys just as near, which costs as many events for each. What was lost is not forgotten:
//! for as long as it could matter, new keys of the tree are marked, and their alerts say `degraded`.

use super::bound::nearness;
use super::program::Program;
use super::sleep::Entry;
use super::stream::Correlator;
use schemas::Alert;

impl Correlator {
    /// Frees a tenth of the budget, the keys farthest from firing first.
    pub(super) fn evict(&mut self, out: &mut Vec<Alert>) {
        let goal = self.settings.state_bytes_max - self.settings.state_bytes_max / 10;
        let near = |entry: &Entry, programs: &[Program]| match entry {
            Entry::Free => 0,
            Entry::Asleep(sleeper) => sleeper.nearness().min(8),
            Entry::Awake(key) if key.guessed.is_some() => 8,
            Entry::Awake(key) => nearness(&programs[key.tree as usize], &key.core, key.waiting.len()),
        };
        let mut bytes_by_nearness = [0usize; 9];
        for entry in &self.keys {
            bytes_by_nearness[near(entry, &self.programs)] += entry.size_bytes();
        }
        let excess = (self.counters.bytes as usize).saturating_sub(goal);
        let mut freed = 0;
        let mut up_to = 0;
        while up_to < 8 && freed + bytes_by_nearness[up_to] < excess {
            freed += bytes_by_nearness[up_to];
            up_to += 1;
        }
        for at in 0..self.keys.len() as u32 {
            if matches!(self.keys[at as usize], Entry::Free) {
                continue;
            }
            let nearness = near(&self.keys[at as usize], &self.programs);
            let over = self.counters.bytes as usize > goal;
            if nearness < up_to || (nearness == up_to && over) {
                self.drop_key(at, out);
            }
        }
    }

    fn drop_key(&mut self, at: u32, out: &mut Vec<Alert>) {
        let (tree, newest_us, tells) = match &self.keys[at as usize] {
            Entry::Free => return,
            Entry::Asleep(sleeper) => (sleeper.tree() as usize, sleeper.newest_us(), false),
            Entry::Awake(key) => {
                let times = key.waiting.iter().map(|waiting| waiting.time_us);
                let tells = key.core.episode.is_some() || key.guessed.is_some();
                (key.tree as usize, times.fold(key.core.newest_us, i64::max), tells)
            }
        };
        let until_us = &mut self.degraded_until_us[tree];
        *until_us = (*until_us).max(newest_us.saturating_add(self.programs[tree].horizon_us));
        self.counters.evicted += 1;
        let Entry::Awake(key) = &mut self.keys[at as usize] else {
            return self.remove(at);
        };
        if !tells {
            return self.remove(at);
        }
        // What it has to tell is told: all that waits is decided now, and the episode ends here.
        key.core.degraded_until_us = i64::MAX;
        if let Some(episode) = &mut key.core.episode {
            episode.degraded = true;
        }
        self.settle(at, i64::MAX, out);
    }
}
