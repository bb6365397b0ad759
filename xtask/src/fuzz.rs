//! `cargo xtask fuzz`: every fuzz target for a while, each family as a target of its own, begun from its fixtures.
//!
//! No step of the tests: it needs the nightly toolchain and cargo-fuzz, and all targets take hours. What was found interesting stays
//! in `target/fuzz-corpus`, so that the next run goes on from there. Without a sanitizer, which makes it several times faster:
//! there is no `unsafe` in the parsers, and overflow checks and assertions are on.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

/// How long each target runs if nobody says.
const SECONDS: u64 = 300;
/// Longest input. Lines are shorter as a rule; several of them fit.
const INPUT_MAX: usize = 8192;

/// Runs the targets that the words name: seconds, then names of lexers and families; all if there is none.
pub fn run(root: &Path, words: &[&str]) -> ExitCode {
    let (seconds, only) = match words.split_first() {
        Some((first, rest)) if first.parse::<u64>().is_ok() => (first.parse().unwrap_or(SECONDS), rest),
        _ => (SECONDS, words),
    };
    let families = names(&root.join("parsers/fixtures"));
    let all: Vec<String> = targets(root).into_iter().chain(families.iter().cloned()).collect();
    if let Some(unknown) = only.iter().find(|word| !all.iter().any(|name| name == *word)) {
        println!("no target `{unknown}`; there are: {}", all.join(" "));
        return ExitCode::from(2);
    }
    let mut failed = Vec::new();
    for name in all.iter().filter(|name| only.is_empty() || only.contains(&name.as_str())) {
        let is_family = families.contains(name);
        let seeds = root.join("target/fuzz-seeds").join(name);
        let corpus = root.join("target/fuzz-corpus").join(name);
        let own = if is_family { std::slice::from_ref(name) } else { &families[..] };
        if let Err(error) = fs::create_dir_all(&corpus).and_then(|()| plant(root, own, &seeds)) {
            println!("{}: {error}", seeds.display());
            return ExitCode::FAILURE;
        }
        let mut fuzz = Command::new("cargo");
        fuzz.current_dir(root.join("parsers")).env("CARGO_TARGET_DIR", root.join("target/fuzz"));
        fuzz.args(["+nightly", "fuzz", "run", "--sanitizer", "none", if is_family { "family" } else { name }]);
        fuzz.args([&corpus, &seeds]).arg("--").arg(format!("-max_total_time={seconds}"));
        fuzz.arg(format!("-max_len={INPUT_MAX}")).args(["-timeout=20", "-report_slow_units=2", "-print_final_stats=1"]);
        if is_family {
            fuzz.env("FUZZ_FAMILY", name);
        }
        println!("\n=== {name}");
        if !fuzz.status().is_ok_and(|status| status.success()) {
            failed.push(name.as_str());
        }
    }
    println!("\nfailed: {}", if failed.is_empty() { "none".into() } else { failed.join(" ") });
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The fuzz binaries, but for that of the families.
fn targets(root: &Path) -> Vec<String> {
    let manifest = fs::read_to_string(root.join("parsers/fuzz/Cargo.toml")).unwrap_or_default();
    let bins = manifest.split("[[bin]]\nname = \"").skip(1).filter_map(|rest| rest.split('"').next());
    bins.filter(|name| *name != "family").map(str::to_owned).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// Writes each fixture line of those families into a file of its own, and every three together into another.
fn plant(root: &Path, families: &[String], folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    for family in families {
        for file in ["lines.log", "rejects.log"] {
            let text = fs::read(root.join("parsers/fixtures").join(family).join(file))?;
            let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').filter(|line| line.len() < INPUT_MAX).collect();
            let seeds = lines.iter().map(|line| line.to_vec()).chain(lines.chunks(3).map(|three| three.join(&b'\n')));
            for (at, seed) in seeds.enumerate() {
                fs::write(folder.join(format!("{family}-{file}-{at}")), &seed[..seed.len().min(INPUT_MAX)])?;
            }
        }
    }
    Ok(())
}
