//! No allocation a row: after one pass over a source's lines, a second one asks the allocator for nothing.
//!
//! Counted, not believed: the allocator of this test adds up what each line asks for, on its own thread. Buffers (batch,
//! arena, unescaped lines) have grown in the first pass and are kept. Refused lines may allocate, since their reason
//! does, and so may header lines, which are remembered.

#![allow(unsafe_code, reason = "a global allocator cannot be written without it")]
#![allow(clippy::unwrap_used)]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::sync::Arc;

use common::{RECEIVED_US, fixtures, lines};
use parsers::{FAMILIES, Format, Parsed, Session, Zone};
use schemas::{FlowBatch, Place};

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // A thread that is ending has no counter any more, and parses nothing.
    let _ = ASKED.try_with(|asked| asked.set(asked.get() + 1));
}

struct Counting;

// SAFETY: every call goes to the system's allocator with its arguments unchanged; the counter is a thread-local cell
// without a destructor, so that counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    // SAFETY: the caller keeps the contract of `GlobalAlloc`, which is handed on as it is.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: see above.
        unsafe { System.alloc(layout) }
    }

    // SAFETY: as for `alloc`.
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: see above.
        unsafe { System.dealloc(pointer, layout) }
    }

    // SAFETY: as for `alloc`.
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: see above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The lines that ask the allocator for something although the whole text was read once before, and how often they do.
fn asking(format: Format, text: &[u8]) -> Vec<(usize, u64)> {
    let block = Arc::new(text.to_vec());
    let lines = lines(&block);
    let mut session = Session::new(format, Zone::Utc);
    let mut batch = FlowBatch::new(1024);
    let mut found = Vec::with_capacity(lines.len());
    for pass in 0..2 {
        batch.reset(block.clone(), Arc::from("fixture"), 0);
        for (at, line) in lines.iter().enumerate() {
            let place = Place { offset: at as u64 + 1, received_us: RECEIVED_US };
            let before = ASKED.get();
            // what is refused is kept, also a part of a line
            let parsed = session.parse_line(line, place, &mut batch);
            let taken = parsed == Ok(Parsed::Events) && session.refused().is_empty();
            let asked = ASKED.get() - before;
            if pass == 1 && asked > 0 && taken {
                found.push((at + 1, asked));
            }
        }
    }
    found
}

#[test]
fn the_counter_counts() {
    let before = ASKED.get();
    drop(std::hint::black_box(vec![0u8; 100]));
    assert_eq!(ASKED.get() - before, 1);
}

#[test]
fn no_family_allocates_for_a_row() {
    let mut findings = Vec::new();
    for (index, family) in FAMILIES.iter().enumerate() {
        let text = fs::read(fixtures().join(family.name()).join("lines.log")).unwrap();
        for format in [Format::Family(index), Format::Auto] {
            for (line, times) in asking(format, &text) {
                let name = family.name();
                findings.push(format!("{name}/lines.log, line {line}, as {}: {times} times", format.name()));
            }
        }
    }
    assert!(findings.is_empty(), "allocations in steady state:\n  {}", findings.join("\n  "));
}
