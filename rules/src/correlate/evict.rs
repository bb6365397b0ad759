//! What leaves when the state is over its budget.
//!
//! The keys farthest from firing go first. So to push out a key that is one event short of its threshold, an attacker
//! has to bring as many other keys just as near, which costs as many events for each. What was lost is not forgotten:
//! for as long as it could matter, new keys of the tree are marked, and their alerts say `degraded`.

use super::bound::nearness;
use super::program::Program;
use super::stream::{Correlator, Key};
use schemas::Alert;

impl Correlator {
    /// Frees a tenth of the budget, the keys farthest from firing first.
    pub(super) fn evict(&mut self, out: &mut Vec<Alert>) {
        let goal = self.settings.state_bytes_max - self.settings.state_bytes_max / 10;
        let near = |key: &Key, program: &Program| match &key.guessed {
            Some(_) => 8,
            None => nearness(program, &key.core, key.waiting.len()),
        };
        let mut bytes_by_nearness = [0usize; 9];
        for key in self.keys.iter().flatten() {
            bytes_by_nearness[near(key, &self.programs[key.tree as usize])] += key.size_bytes;
        }
        let excess = (self.counters.bytes as usize).saturating_sub(goal);
        let mut freed = 0;
        let mut up_to = 0;
        while up_to < 8 && freed + bytes_by_nearness[up_to] < excess {
            freed += bytes_by_nearness[up_to];
            up_to += 1;
        }
        for at in 0..self.keys.len() as u32 {
            let Some(key) = self.keys[at as usize].as_deref() else {
                continue;
            };
            let nearness = near(key, &self.programs[key.tree as usize]);
            let over = self.counters.bytes as usize > goal;
            if nearness < up_to || (nearness == up_to && over) {
                self.drop_key(at, out);
            }
        }
    }

    fn drop_key(&mut self, at: u32, out: &mut Vec<Alert>) {
        let Some(key) = self.keys[at as usize].as_deref_mut() else {
            return;
        };
        let tree = key.tree as usize;
        let newest_us = key.waiting.iter().map(|waiting| waiting.time_us).fold(key.core.newest_us, i64::max);
        let until_us = &mut self.degraded_until_us[tree];
        *until_us = (*until_us).max(newest_us.saturating_add(self.programs[tree].horizon_us));
        self.counters.evicted += 1;
        if key.core.episode.is_none() && key.guessed.is_none() {
            self.remove(at);
            return;
        }
        // What it has to tell is told: all that waits is decided now, and the episode ends here.
        key.core.degraded_until_us = i64::MAX;
        if let Some(episode) = &mut key.core.episode {
            episode.degraded = true;
        }
        self.settle(at, i64::MAX, out);
    }
}
