//! Detection says the same whatever it saw before, since no line is certainly of two families.
//!
//! The hint of [`Detector::choose`] is exact only because of that, so both are held here: the marks on every fixture line,
//! and the hint against the plain search on lines in any order, damaged ones among them.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::sync::Arc;

use common::{RECEIVED_US, Random, fixture_lines, fixtures, lines, mutate, run};
use parsers::detect::{Detector, Keys};
use parsers::transport::{self, Shape};
use parsers::{Confidence, FAMILIES, Format, Memory, Order, Record, Session, TimeContext, Zone};
use schemas::{FlowBatch, Place};

/// Hands the record of a line to `then`, and after it the records inside, as far as it is an envelope.
fn each_record(line: &[u8], time: &TimeContext, then: &mut dyn FnMut(&Record<'_>)) {
    let mut line = line.to_vec();
    for _ in 0..transport::ENVELOPES_MAX {
        let mut record = transport::open(&line, time);
        if record.shape == Shape::Object {
            let from = usize::from(record.body.first() == Some(&b'['));
            record.keys = Keys::of(record.body[from..].trim_ascii_start());
        }
        then(&record);
        let Some(envelope) = transport::envelope(record.body).filter(|_| record.shape == Shape::Object) else { return };
        let mut inside = Vec::new();
        envelope.append_to(&mut inside);
        line = inside;
    }
}

fn certain(record: &Record<'_>, memories: &[Memory]) -> Vec<&'static str> {
    let sure = |at: &usize| FAMILIES[*at].detect(record, &memories[*at]) == Some(Confidence::Certain);
    (0..FAMILIES.len()).filter(sure).map(|at| FAMILIES[at].name()).collect()
}

#[test]
fn no_line_is_certainly_of_two_families() {
    let time = TimeContext::utc(RECEIVED_US);
    let mut findings = Vec::new();
    for (index, family) in FAMILIES.iter().enumerate() {
        let text = fs::read(fixtures().join(family.name()).join("lines.log")).unwrap();
        // the family remembers its header lines, as it does in a session; the others have not seen any
        let mut memories: Vec<Memory> = FAMILIES.iter().map(|_| Memory::default()).collect();
        let block = Arc::new(text);
        let mut batch = FlowBatch::new(64);
        batch.reset(block.clone(), Arc::from("fixture"), 0);
        for (at, line) in lines(&block).into_iter().enumerate() {
            each_record(line, &time, &mut |record| {
                let sure = certain(record, &memories);
                if sure.len() > 1 {
                    findings.push(format!("{}/lines.log, line {}: {}", family.name(), at + 1, sure.join(", ")));
                }
            });
            let record = transport::open(line, &time);
            let place = Place { offset: at as u64 + 1, received_us: RECEIVED_US };
            let _ = family.parse(&record, &mut memories[index], &mut batch.begin(place, line));
        }
    }
    assert!(findings.is_empty(), "`Certain` is for marks that no other family has:\n  {}", findings.join("\n  "));
}

#[test]
fn what_was_seen_before_does_not_change_what_a_line_is() {
    let time = TimeContext::utc(RECEIVED_US);
    let originals = fixture_lines();
    let mut random = Random(0x51ed_270b_0a1f_9d3c);
    let memories: Vec<Memory> = FAMILIES.iter().map(|_| Memory::default()).collect();
    let mut detector = Detector::default();
    let mut findings = Vec::new();
    for at in 0..20_000 {
        let line = &originals[random.below(originals.len())];
        let line = if at % 2 == 0 { mutate(line, &mut random) } else { line.clone() };
        each_record(&line, &time, &mut |record| {
            let (quick, plain) = (detector.choose(record, &memories), Detector::search(record, &memories));
            if quick != plain {
                let sure = certain(record, &memories).join(", ");
                findings.push(format!("certainly {sure}: {}", String::from_utf8_lossy(&line)));
            }
        });
    }
    findings.sort();
    findings.dedup();
    assert!(findings.is_empty(), "{} lines:\n  {}", findings.len(), findings[..findings.len().min(20)].join("\n  "));
}

#[test]
fn a_source_may_be_cut_anywhere_before_the_first_line_that_later_ones_are_read_by() {
    for (index, family) in FAMILIES.iter().enumerate() {
        let text = fs::read(fixtures().join(family.name()).join("lines.log")).unwrap();
        for format in [Format::Family(index), Format::Auto] {
            let whole = run(format, &text, usize::MAX);
            let lines = lines(&text);
            let order = Order::of(format);
            let begins = lines.iter().position(|line| order.begins(line)).unwrap_or(lines.len());
            let mut cut: Vec<_> = lines[..begins].iter().flat_map(|line| run(format, line, 1)).collect();
            // what follows has the memory of a session that begins with that line
            cut.extend(run(format, &lines[begins..].join(&b'\n'), usize::MAX));
            for ((line, whole), cut) in lines.iter().zip(&whole).zip(&cut) {
                assert_eq!(whole, cut, "{}: {}", format.name(), String::from_utf8_lossy(line));
            }
        }
    }
}

#[test]
fn a_line_gives_the_same_rows_alone_and_among_others() {
    let mut all = Vec::new();
    for (index, family) in FAMILIES.iter().enumerate() {
        let text = fs::read(fixtures().join(family.name()).join("lines.log")).unwrap();
        // families that read by what an earlier line said are not line by line
        let mut session = Session::new(Format::Family(index), Zone::Utc);
        let block = Arc::new(text);
        let mut batch = FlowBatch::new(64);
        batch.reset(block.clone(), Arc::from("fixture"), 0);
        for (at, line) in lines(&block).into_iter().enumerate() {
            let _ = session.parse_line(line, Place { offset: at as u64 + 1, received_us: RECEIVED_US }, &mut batch);
        }
        if !session.depends_on_order() {
            all.extend(lines(&block).into_iter().map(<[u8]>::to_vec));
        }
    }
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for at in (1..all.len()).rev() {
        all.swap(at, random.below(at + 1));
    }
    let together = run(Format::Auto, &all.join(&b'\n'), 13);
    for (line, outcome) in all.iter().zip(&together) {
        assert_eq!(&run(Format::Auto, line, 1)[0], outcome, "{}", String::from_utf8_lossy(line));
    }
}
