//! Correlates the hits of a batch run, on all cores.

use std::sync::Mutex;

use rules::correlate::{Share, correlate};
use rules::hit::HitBatch;
use schemas::alert::Alert;

use crate::stages::Engine;

/// The alerts of all hits, last revisions only, in the order of their beginnings.
///
/// Keys are dealt out over `workers` threads; what a key's alerts are depends on its hits alone.
pub fn all(engine: &Engine, hits: &[HitBatch], workers: usize) -> Vec<Alert> {
    let told = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for index in 0..workers {
            let told = &told;
            scope.spawn(move || {
                let mut mine = Vec::new();
                let share = Share { part: index as u64, parts: workers as u64 };
                let fit = correlate(&engine.plan, &engine.correlation, hits, share, &mut |alert| mine.push(alert));
                fit.expect("the plan was checked when the engine was made");
                told.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).append(&mut mine);
            });
        }
    });
    let mut alerts = told.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    alerts.sort_by_key(|alert| (alert.triggered_at, alert.alert_id));
    alerts
}
