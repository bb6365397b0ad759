//! The only clock of the workspace.
//!
//! Event time comes from the records and arrival time from the broker or the file; what is left for a clock is how
//! long something took, when an epoch is due, and when a partition has been idle. All of it goes through here, so that
//! a test can see at a glance that no answer depends on it.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The time of day, microseconds UTC. A clock before 1970 reads as 1970.
pub fn now_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}

/// A monotonic instant, for durations and deadlines.
pub fn instant() -> Instant {
    Instant::now()
}
