//! The state as bytes, for a checkpoint, and back.
//!
//! Written by hand, because the layout is a promise to the next release: a version stands in front, and within a
//! version nothing moves. Trees are named by rule and version, so a snapshot outlives a change of other rules; the
//! state of rules that are gone or were changed is left behind and counted. Bytes that were not written by
//! [`Correlator::snapshot`] are refused without harm.

use super::Settings;
use super::sleep::Entry;
use super::state_bytes::{Reader, Writer, read_core, read_event, read_told, write_core, write_event, write_told};
use super::stream::{Correlator, Waiting};
use crate::plan::{Plan, UnfitTree};
use std::fmt;
use std::sync::Arc;

const MAGIC: &[u8; 4] = b"PCST";
const VERSION: u8 = 1;

/// Why a snapshot was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DamagedSnapshot {
    /// It does not begin as a snapshot does.
    NotSnapshot,
    /// It was written by another version of the layout.
    Version {
        /// The version found.
        found: u8,
    },
    /// It breaks off, or a number does not fit; `offset` is where.
    Broken {
        /// Byte offset.
        offset: usize,
    },
    /// The plan to restore it for cannot be evaluated.
    Plan(UnfitTree),
}

impl fmt::Display for DamagedSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DamagedSnapshot::NotSnapshot => f.write_str("not a snapshot of correlation state"),
            DamagedSnapshot::Version { found } => {
                write!(f, "snapshot of version {found}, expected {VERSION}; replay from the log instead")
            }
            DamagedSnapshot::Broken { offset } => write!(f, "snapshot is damaged at byte {offset}"),
            DamagedSnapshot::Plan(unfit) => unfit.fmt(f),
        }
    }
}

impl std::error::Error for DamagedSnapshot {}

impl Correlator {
    /// The whole state as bytes. Restored under the same plan, it goes on as if nothing had been.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.out.extend_from_slice(MAGIC);
        out.u8(VERSION);
        out.time(self.watermark_us);
        out.list(self.plan.trees.iter().zip(&self.degraded_until_us), |out, (tree, until_us)| {
            out.bytes(tree.rule.id.as_bytes());
            out.bytes(tree.rule.version.as_bytes());
            out.time(*until_us);
        });
        out.list(self.sources.iter(), |out, source| out.bytes(source.as_bytes()));
        let keys: Vec<(&Entry, (u32, &[u8]))> =
            self.keys.iter().filter_map(|entry| entry.name().map(|name| (entry, name))).collect();
        let mut state = Writer::default();
        out.list(keys.iter(), |out, (entry, (tree, key))| {
            out.number(u64::from(*tree));
            out.bytes(key);
            // The state's length before it, so that the state of a rule that is gone can be passed over.
            state.out.clear();
            match entry {
                Entry::Free => {}
                Entry::Awake(key) => {
                    state.base_us = key.core.newest_us;
                    state.fixed(state.base_us as u64);
                    write_core(&mut state, &key.core);
                    state.list(key.waiting.iter(), |out, waiting| {
                        out.time(waiting.time_us);
                        write_event(out, &waiting.event);
                    });
                    state.option(key.told.as_deref(), write_told);
                    state.option(key.guessed.as_deref(), write_told);
                }
                Entry::Asleep(sleeper) => {
                    state.fixed(sleeper.newest_us() as u64);
                    state.out.extend_from_slice(sleeper.core_bytes());
                    // Nothing waits, nothing was told, nothing was guessed.
                    state.out.extend_from_slice(&[0, 0, 0]);
                }
            }
            out.bytes(&state.out);
        });
        out.out
    }

    /// A correlator with the state of a snapshot, and how many keys were left behind because their rule is gone or was changed.
    ///
    /// # Errors
    /// [`DamagedSnapshot`] for anything but the bytes of [`Correlator::snapshot`], or where the plan cannot be evaluated.
    pub fn restore(plan: Arc<Plan>, settings: Settings, snapshot: &[u8]) -> Result<(Correlator, u64), DamagedSnapshot> {
        let mut own = Correlator::new(Arc::clone(&plan), settings).map_err(DamagedSnapshot::Plan)?;
        let mut reader = Reader { bytes: snapshot, at: 0, base_us: 0 };
        if reader.take(4).map_err(|_| DamagedSnapshot::NotSnapshot)? != MAGIC {
            return Err(DamagedSnapshot::NotSnapshot);
        }
        match reader.u8()? {
            VERSION => {}
            found => return Err(DamagedSnapshot::Version { found }),
        }
        own.watermark_us = reader.time()?;
        let trees = reader.list(|reader| {
            let (id, version) = (reader.text()?, reader.text()?);
            let until_us = reader.time()?;
            let now = plan.trees.iter().position(|tree| tree.rule.id == id && tree.rule.version == version);
            Ok((now, until_us))
        })?;
        for (now, until_us) in &trees {
            if let Some(now) = now {
                own.degraded_until_us[*now] = *until_us;
            }
        }
        own.sources = reader.list(|reader| Ok(Arc::from(reader.text()?)))?;
        let mut left_behind = 0;
        let keys = reader.number()?;
        for _ in 0..keys {
            let tree: usize = reader.narrow()?;
            let bytes = reader.bytes()?;
            let state = reader.bytes()?;
            let Some((now, _)) = trees.get(tree) else {
                return Err(reader.broken());
            };
            let Some(now) = *now else {
                left_behind += 1;
                continue;
            };
            let mut inner = Reader { bytes: &snapshot[..reader.at], at: reader.at - state.len(), base_us: 0 };
            inner.base_us = inner.fixed()? as i64;
            let program = &own.programs[now];
            let core = read_core(&mut inner, program)?;
            let waiting = inner.list(|reader| Ok(Waiting { time_us: reader.time()?, event: read_event(reader)? }))?;
            let told = [inner.option(read_told)?, inner.option(read_told)?];
            if inner.at != reader.at {
                return Err(inner.broken());
            }
            own.restore_key(now as u32, bytes.into(), core, waiting, told);
        }
        if reader.at != snapshot.len() {
            return Err(reader.broken());
        }
        Ok((own, left_behind))
    }
}
