//! Measures the others and generates their load.
//!
//! `cargo bench -p benches` measures the families over their fixtures, each stage over the shipped incident, and the whole. Every figure is a rate (lines or
//! bytes a second), so that a later run on the same machine ends with the ratio to this one; machines differ, ratios less.

use rules::scan::RawSample;
use std::path::Path;
use std::sync::Arc;

use pipeline::demo::generate::{generate, write_files};
use pipeline::load;
use pipeline::source::Block;
use pipeline::source::file::FileSource;
use pipeline::stages::Engine;

/// Seed of all loads.
pub const SEED: u64 = 42;

/// The incident's lines as text.
pub fn lines(count: usize) -> Vec<u8> {
    let mut text = Vec::new();
    for line in generate(SEED, count) {
        text.extend_from_slice(&line.text);
        text.push(b'\n');
    }
    text
}

/// Writes the incident into a folder, one file a stream.
pub fn folder(path: &Path, count: usize) {
    write_files(path, SEED, count).expect("the scratch folder can be written");
}

/// A text as the blocks that a file source makes of it.
pub fn blocks(folder: &Path, text: &[u8]) -> Vec<Block> {
    let path = folder.join("lines.log");
    std::fs::write(&path, text).expect("the scratch folder can be written");
    let mut source = FileSource::open(&path, 0).expect("it was just written");
    std::iter::from_fn(|| source.next_block().expect("it is a plain file")).collect()
}

/// Rules and tables of the incident.
pub fn engine() -> Arc<Engine> {
    Arc::new(load::incident(RawSample::None).expect("what ships is right"))
}
