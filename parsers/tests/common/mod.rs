//! What the tests over fixtures share: reading a family's folder, and running lines through a session.

#![allow(dead_code, clippy::unwrap_used, reason = "each test uses its part")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parsers::{FAMILIES, Format, Parsed, Session, Zone};
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

/// What became of one line: its rows as canonical JSON, behind them the refused parts of a line of many records.
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
            let refused: Vec<_> = session.take_refused().collect();
            assert!(verdict == Ok(Parsed::Events) || refused.is_empty(), "a refused part without an event");
            verdicts.push((verdict, rows, refused));
        }
        for (verdict, rows, refused) in verdicts {
            let refused = refused.iter().map(|part| {
                serde_json::json!({ "reject": part.reject.to_string(), "raw": String::from_utf8_lossy(&part.raw) })
                    .to_string()
            });
            let texts = rows.map(|row| {
                let mut text = Vec::new();
                json::write_row_with(&batch, row, json::Options::LINE, &mut text);
                String::from_utf8(text).expect("JSON is UTF-8")
            });
            out.push(verdict.map(|parsed| (parsed, texts.chain(refused).collect())));
        }
    }
    out
}

/// A small generator, so that a failure comes back with its seed: xorshift64*. Source: Vigna, 2016.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

pub const SPICE: &[&[u8]] = &[
    b"\0",
    b"\xff\xfe",
    b"\x1b[2J",
    b"\"",
    b"\\",
    b"\\u0000",
    b"%",
    b"<",
    b">",
    b"{",
    b"}",
    b"[",
    b"]",
    b"(",
    b")",
    b":",
    b"/",
    b"=",
    b",",
    b" ",
    b"99999999999999999999",
    b"-1",
    b"\xe2\x80\x9c",
    b"<999>",
    b"%ASA-6-302013: ",
    b"{\"message\":",
    b"'",
    b"&#x110000;",
    b"\t",
    b"\r",
];

/// The line with one to four pieces cut out, doubled or spiced.
pub fn mutate(line: &[u8], random: &mut Random) -> Vec<u8> {
    let mut line = line.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(line.len() + 1);
        let end = (at + random.below(12)).min(line.len());
        match random.below(6) {
            0 => line.truncate(at),
            1 => drop(line.drain(at..end)),
            2 => drop(line.splice(at..end, SPICE[random.below(SPICE.len())].iter().copied())),
            3 => drop(line.splice(at..at, SPICE[random.below(SPICE.len())].iter().copied())),
            4 if at < line.len() => line[at] ^= 1 << random.below(8),
            _ => drop(line.splice(at..at, line[at..end].to_vec())),
        }
    }
    line.retain(|&byte| byte != b'\n');
    line
}

/// Every fixture line of every family, refused ones too.
pub fn fixture_lines() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for family in FAMILIES {
        for file in ["lines.log", "rejects.log"] {
            let text = fs::read(fixtures().join(family.name()).join(file)).unwrap();
            all.extend(lines(&text).into_iter().map(<[u8]>::to_vec));
        }
    }
    all
}
