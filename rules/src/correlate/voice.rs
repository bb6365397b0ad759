//! Tells alerts, and keeps the books on what was told: which revision, and which guess was wrong about the beginning.

use super::Counters;
use super::alert::{Frame, Scene, Telling, alert_id, build};
use super::event::Rows;
use super::state::Episode;
use crate::plan::Plan;
use schemas::{Alert, AlertId, AlertStatus};
use std::sync::Arc;

/// What has been told of an episode.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub id: AlertId,
    pub begin_us: i64,
    /// Newest revision told; 0 before the first.
    pub revision: u32,
    /// What the next open revision is to name.
    pub supersedes: Vec<AlertId>,
}

/// The voice of a correlator; a macro, so that the rest of the correlator stays free to be borrowed.
macro_rules! voice {
    ($correlator:expr, $out:expr) => {
        $crate::correlate::voice::Voice {
            plan: &$correlator.plan,
            frames: &$correlator.frames,
            tenant: &$correlator.settings.tenant,
            sources: &$correlator.sources,
            counters: &mut $correlator.counters,
            out: $out,
        }
    };
}
pub(super) use voice;

/// Tells alerts, and keeps the books on what was told.
pub(super) struct Voice<'a> {
    pub plan: &'a Plan,
    pub frames: &'a [Frame],
    pub tenant: &'a Arc<str>,
    pub sources: &'a [Arc<str>],
    pub counters: &'a mut Counters,
    pub out: &'a mut Vec<Alert>,
}

impl Voice<'_> {
    fn tell(&mut self, tree: usize, key: &[u8], episode: &Episode, telling: Telling) {
        let (tree, frame) = (&self.plan.trees[tree], &self.frames[tree]);
        let scene = Scene { tree, frame, tenant: self.tenant, sources: self.sources, rows: Rows::default() };
        self.out.push(build(scene, key, episode, telling));
    }

    pub fn guess(&mut self, tree: usize, key: &[u8], episode: &Episode, begin_us: i64) -> Box<Told> {
        self.counters.opened += 1;
        self.tell(tree, key, episode, Telling { revision: 1, status: AlertStatus::Open, supersedes: Vec::new() });
        let id = alert_id(&self.plan.trees[tree], self.tenant, key, begin_us);
        Box::new(Told { id, begin_us, revision: 1, supersedes: Vec::new() })
    }

    /// An episode has begun for certain: takes over the guess if that was right.
    pub fn begin(&mut self, tree: usize, key: &[u8], episode: &Episode, guessed: &mut Option<Box<Told>>) -> Box<Told> {
        if let Some(right) = guessed.take_if(|guessed| guessed.begin_us == episode.begin_us) {
            return right;
        }
        let id = alert_id(&self.plan.trees[tree], self.tenant, key, episode.begin_us);
        Box::new(Told { id, begin_us: episode.begin_us, revision: 0, supersedes: Vec::new() })
    }

    /// Takes back a guess that turned out to lie inside `episode`.
    fn supersede(
        &mut self,
        tree: usize,
        key: &[u8],
        episode: &Episode,
        told: &mut Told,
        guessed: &mut Option<Box<Told>>,
    ) {
        let inside = |guessed: &mut Box<Told>| guessed.begin_us > told.begin_us && guessed.begin_us <= episode.last_us;
        if let Some(wrong) = guessed.take_if(inside) {
            self.take_back(tree, key, episode, &wrong);
            told.supersedes.push(wrong.id);
        }
    }

    fn take_back(&mut self, tree: usize, key: &[u8], episode: &Episode, wrong: &Told) {
        self.counters.superseded += 1;
        let telling = Telling { revision: wrong.revision + 1, status: AlertStatus::Superseded, supersedes: Vec::new() };
        self.tell(tree, key, episode, telling);
        if let Some(alert) = self.out.last_mut() {
            (alert.alert_id, alert.triggered_at) = (wrong.id, wrong.begin_us);
        }
    }

    /// Tells that an episode is open, unless that is known and nothing is to be added.
    pub fn open(
        &mut self,
        tree: usize,
        key: &[u8],
        episode: &Episode,
        told: &mut Option<Box<Told>>,
        guessed: &mut Option<Box<Told>>,
    ) {
        let Some(told) = told else {
            return;
        };
        self.supersede(tree, key, episode, told, guessed);
        if told.revision > 0 && told.supersedes.is_empty() {
            return;
        }
        self.counters.opened += u64::from(told.revision == 0);
        told.revision += 1;
        let supersedes = std::mem::take(&mut told.supersedes);
        self.tell(tree, key, episode, Telling { revision: told.revision, status: AlertStatus::Open, supersedes });
    }

    /// Tells the end. The last revision names nothing that it supersedes: it is the same however the events arrived.
    pub fn close(
        &mut self,
        tree: usize,
        key: &[u8],
        episode: &Episode,
        told: &mut Option<Box<Told>>,
        guessed: &mut Option<Box<Told>>,
    ) {
        let Some(mut own) = told.take() else {
            return;
        };
        self.supersede(tree, key, episode, &mut own, guessed);
        if !own.supersedes.is_empty() {
            let mut again = Some(own.clone());
            self.open(tree, key, episode, &mut again, guessed);
            own = again.unwrap_or(own);
        }
        self.counters.opened += u64::from(own.revision == 0);
        self.counters.closed += 1;
        let telling = Telling { revision: own.revision + 1, status: AlertStatus::Closed, supersedes: Vec::new() };
        self.tell(tree, key, episode, telling);
    }

    /// A guess that did not come true: only possible where state was lost in between.
    pub fn withdraw(&mut self, tree: usize, key: &[u8], guessed: &mut Option<Box<Told>>) {
        if let Some(wrong) = guessed.take() {
            let episode = Episode {
                begin_us: wrong.begin_us,
                last_us: wrong.begin_us,
                first_us: wrong.begin_us,
                seen_us: wrong.begin_us,
                count: 0,
                figures: Vec::new(),
                peaks: Vec::new(),
                members: Vec::new(),
                values: Vec::new(),
                opening: Vec::new(),
                latest: Vec::new(),
                degraded: true,
            };
            self.take_back(tree, key, &episode, &wrong);
        }
    }
}
