//! Reads the raw lines of alerts' evidence again, by their places in the files.
//!
//! Only lines that some alert names are read: files without any are not opened. A line that is no longer where it was
//! stays absent, the place is still told.

use std::collections::HashMap;
use std::path::PathBuf;

use schemas::alert::Alert;

use crate::clock;
use crate::source::file::{FileSource, ReadError};

/// Longest sample of a line that an alert carries, in bytes; hits of a streaming run are cut at the same length.
pub const RAW_MAX: usize = 2_048;

/// Fills in the raw lines of all evidence that has none yet.
///
/// # Errors
/// A file that could be read a moment ago can't be read any more.
pub fn resolve(alerts: &mut [Alert], files: &[PathBuf]) -> Result<(), ReadError> {
    let mut wanted: HashMap<String, Vec<u64>> = HashMap::new();
    for evidence in alerts.iter().flat_map(|alert| &alert.evidence).filter(|evidence| evidence.raw.is_none()) {
        wanted.entry(evidence.source.to_string()).or_default().push(evidence.offset);
    }
    let mut found: HashMap<(String, u64), Vec<u8>> = HashMap::new();
    for path in files {
        let name = path.to_string_lossy().into_owned();
        let Some(mut lines) = wanted.remove(&name).filter(|_| path.as_os_str() != "-") else { continue };
        lines.sort_unstable();
        lines.dedup();
        let mut lines = lines.into_iter().peekable();
        let mut source = FileSource::open(path, clock::now_us())?;
        while lines.peek().is_some() {
            let Some(block) = source.next_block()? else { break };
            for record in &block.records {
                if lines.peek() == Some(&record.offset) {
                    lines.next();
                    let raw = &block.bytes[record.start..record.start + record.len.min(RAW_MAX)];
                    found.insert((name.clone(), record.offset), raw.to_vec());
                }
            }
        }
    }
    for evidence in alerts.iter_mut().flat_map(|alert| &mut alert.evidence).filter(|evidence| evidence.raw.is_none()) {
        evidence.raw = found.get(&(evidence.source.to_string(), evidence.offset)).cloned();
    }
    Ok(())
}
