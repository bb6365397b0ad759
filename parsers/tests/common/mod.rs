//! What the tests over fixtures share: reading a family's folder, and running lines through a session.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parsers::{Format, Parsed, Session, Zone};
use schemas::{FlowBatch, Place, Reject, json};

/// Fixture lines are received on 2026-01-05 at 10:00:00 UTC.
pub const RECEIVED_US: i64 = 1_767_607_200_000_000;

pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The lines of a file, without a line for the end after the last line feed.
pub fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    if bytes.is_empty() {
        Vec::new()
    } else {
        bytes.strip_suffix(b"\n").unwrap_or(bytes).split(|&b| b == b'\n').collect()
    }
}

/// What became of one line: its rows as canonical JSON, and how often a reader must have looked at it once.
pub type Outcome = Result<(Parsed, Vec<String>), Reject>;

/// Runs lines through one session, `per_batch` lines to a batch.
pub fn run(format: Format, text: &[u8], per_batch: usize) -> Vec<Outcome> {
    let block = Arc::new(text.to_vec());
    let mut session = Session::new(format, Zone::Utc);
    let mut batch = FlowBatch::new(8);
    let mut out = Vec::new();
    for (chunk_at, chunk) in lines(&block).chunks(per_batch).enumerate() {
        batch.reset(block.clone(), Arc::from("fixture"), 0);
        let mut verdicts = Vec::new();
        for (at, line) in chunk.iter().enumerate() {
            let before = batch.len();
            let place = Place { offset: (chunk_at * per_batch + at) as u64 + 1, received_us: RECEIVED_US };
            let verdict = session.parse_line(line, place, &mut batch);
            let rows = before..batch.len();
            assert!(
                verdict.is_ok() || rows.is_empty(),
                "a refused line leaves rows: {}",
                String::from_utf8_lossy(line)
            );
            assert!(verdict != Ok(Parsed::Nothing) || rows.is_empty(), "a line of no event leaves rows");
            assert!(verdict != Ok(Parsed::Events) || !rows.is_empty(), "an event without a row");
            verdicts.push((verdict, rows));
        }
        for (verdict, rows) in verdicts {
            let texts = rows.map(|row| {
                let mut text = Vec::new();
                json::write_row_with(&batch, row, json::Options::LINE, &mut text);
                String::from_utf8(text).expect("JSON is UTF-8")
            });
            out.push(verdict.map(|parsed| (parsed, texts.collect())));
        }
    }
    out
}
