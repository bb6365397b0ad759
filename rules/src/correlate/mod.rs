//! Joins hits over event time into alerts.
//!
//! The exact meaning, which a stream, a batch and the brute-force twin of the tests all reproduce:
//!
//! * The window at t of a key is its matching events in (t − W, t]. It is looked at for each distinct t at which the key
//!   has a matching event; simultaneous events have no order.
//! * An episode begins at the first t where the root's condition holds and goes on while it holds again within W. It is
//!   one alert, whose id is a hash of rule, version, tenant, key and that first t.
//! * `lt` and `lte` are decided on windows aligned to the epoch, when they have passed.
//!
//! How it stays simple: everything final is decided *in the order of time*, when the watermark has passed. Events above
//! the watermark wait with their key; so a late event costs nothing, undoes nothing, and needs no second way through
//! the code. So that an alert need not wait for the watermark, a key whose rule only ever begins to hold as events
//! arrive is *guessed ahead*: its state is copied and run over what waits, and what opens there is sent at once. The
//! guess can only be wrong in when the episode began, and then the alert says which one it supersedes. The rejected
//! alternative, windows that are corrected at each late event, is quadratic for a busy key under shuffled input.

mod alert;
mod attack;
mod batch;
mod bound;
mod event;
mod evict;
mod instance;
mod program;
mod sleep;
mod snapshot;
mod state;
mod state_bytes;
mod step;
mod stream;
mod voice;
mod window;

pub use alert::{EVIDENCE_MAX, alert_id, span};
pub use batch::{Share, correlate};
pub use program::{LOOKBACK_MAX, VALUES_MAX};
pub use snapshot::DamagedSnapshot;
pub use stream::Correlator;

use std::sync::Arc;

/// What a correlator is told by the configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whose network it is; part of each alert's id. Empty where there is only one.
    pub tenant: Arc<str>,
    /// Most bytes of state. What is beyond is evicted, the keys farthest from firing first.
    pub state_bytes_max: usize,
    /// Most bytes of a raw record that are kept as evidence.
    pub raw_bytes_max: usize,
}

impl Default for Settings {
    /// No tenant, 1 GiB of state, 2 KiB of each raw record.
    fn default() -> Settings {
        Settings { tenant: Arc::from(""), state_bytes_max: 1 << 30, raw_bytes_max: 2048 }
    }
}

/// What a correlator has done and holds; for metrics and summaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Hits taken.
    pub hits: u64,
    /// Hits refused because the watermark had passed them.
    pub late: u64,
    /// Hits refused because the plan has no such tree.
    pub unknown_tree: u64,
    /// Hits that lacked a value or inner key that a node wants; that node did not count them.
    pub lacking: u64,
    /// Keys held (in a batch: seen).
    pub keys: u64,
    /// Bytes of state held, nearly.
    pub bytes: u64,
    /// Keys evicted because the state was over its budget.
    pub evicted: u64,
    /// Episodes told for the first time.
    pub opened: u64,
    /// Episodes told for the last time.
    pub closed: u64,
    /// Alerts taken back because the episode had begun earlier.
    pub superseded: u64,
}
