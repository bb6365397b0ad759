//! The functions that are fuzzed, on the stable toolchain: fixtures and mutations of them, so that a target that no longer
//! holds is seen without a fuzzer.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "../fuzz/targets.rs"]
#[allow(unreachable_pub, reason = "a fuzz binary uses it as its own")]
mod targets;

use std::fs;
use std::path::Path;

use common::{Random, fixture_lines, mutate};
use parsers::{FAMILIES, Format};

#[test]
fn every_target_has_its_binary() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/Cargo.toml")).unwrap();
    let bins: Vec<&str> =
        manifest.split("[[bin]]\nname = \"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let targets: Vec<&str> = targets::TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(bins, targets, "fuzz/Cargo.toml on the left, TARGETS in fuzz/targets.rs on the right");
}

#[test]
fn every_target_holds_on_fixtures_and_their_mutations() {
    let lines = fixture_lines();
    let mut random = Random(0x1234_5678_9abc_def1);
    for (name, _) in targets::TARGETS {
        for input in [&b""[..], b"[ false]", b"[null,true]"] {
            targets::run(name, input);
        }
        for at in 0..600 {
            let line = &lines[random.below(lines.len())];
            let line = if at % 3 == 0 { line.clone() } else { mutate(line, &mut random) };
            let from = if at % 5 == 0 { random.below(line.len() + 1) } else { 0 };
            targets::run(name, &line[from..]);
        }
    }
}

#[test]
fn every_family_holds_on_several_lines_of_its_own_and_of_others() {
    let all = fixture_lines();
    let mut random = Random(0x0dd0_2026_0105_1000);
    for (index, family) in FAMILIES.iter().enumerate() {
        let own = fs::read(common::fixtures().join(family.name()).join("lines.log")).unwrap();
        let own = common::lines(&own);
        for _ in 0..8 {
            let text: Vec<Vec<u8>> = (0..10)
                .map(|at| match at % 4 {
                    0 => all[random.below(all.len())].clone(),
                    1 => mutate(own[random.below(own.len())], &mut random),
                    _ => own[random.below(own.len())].to_vec(),
                })
                .collect();
            targets::lines(Format::Family(index), &text.join(&b'\n'));
            targets::lines(Format::Auto, &text.join(&b'\n'));
        }
    }
}
