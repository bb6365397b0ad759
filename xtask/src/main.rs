//! `cargo xtask test`: everything that proves the project, in one command that sets up what it needs.
//!
//! Only the standard library, so that this builds in a second on a fresh machine. Steps run one after another,
//! because each is parallel in itself, and a failed one does not stop the others: one run names all that is
//! wrong. What cannot run for want of a tool is counted and named at the end; with `CI=true` that is a failure.

// A program for a terminal: its output is what it is for.
#![allow(clippy::print_stdout)]

mod count;
mod fuzz;
mod needs;
mod steps;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use steps::{Report, Step};

const USAGE: &str = "usage: cargo xtask test        all steps
       cargo xtask test STEP…  only these: fmt, clippy, docs, light, needs, pipeline, evtx
       cargo xtask needs       set up Kafka and the Python readers, print how to use them
       cargo xtask fuzz [SECONDS] [TARGET…]  fuzz every lexer and family, or these; 300 seconds each";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test", only @ ..] => match steps_named(only) {
            Ok(steps) => test(&steps),
            Err(unknown) => {
                println!("there is no step `{unknown}`\n{USAGE}");
                ExitCode::from(2)
            }
        },
        ["needs"] => needs_alone(),
        ["fuzz", words @ ..] => fuzz::run(&root(), words),
        _ => {
            println!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// The workspace's folder.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("xtask lies in the workspace").to_path_buf()
}

fn steps_named(only: &[&str]) -> Result<Vec<Step>, String> {
    if only.is_empty() {
        return Ok(Step::ALL.to_vec());
    }
    only.iter()
        .map(|name| Step::ALL.into_iter().find(|step| step.name() == *name).ok_or_else(|| (*name).to_owned()))
        .collect()
}

fn test(steps: &[Step]) -> ExitCode {
    let mut report = Report::default();
    for step in steps {
        steps::run(*step, &root(), &mut report);
    }
    report.print();
    let strict = std::env::var("CI").is_ok_and(|value| value == "true");
    if strict && report.skipped() > 0 {
        println!("CI=true: what is skipped counts as failed");
    }
    println!("{} passed, {} failed, {} skipped", report.passed(), report.failed(), report.skipped());
    if report.failed() > 0 || (strict && report.skipped() > 0) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn needs_alone() -> ExitCode {
    let found = needs::set_up(&root());
    for (variable, value) in &found.variables {
        println!("export {variable}={value}");
    }
    for missing in &found.missing {
        println!("# {missing}");
    }
    if found.missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
