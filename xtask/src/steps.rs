//! The steps of `cargo xtask test`, and the report at the end.
//!
//! The three hundred dependencies of the pipeline are compiled for one profile only, release: clippy and the
//! docs check them in it, the tests of the pipeline link the same artifacts as `cargo run --release`. The benches
//! have no tests, and clippy compiles them; with them in one command cargo would unify other features of serde and
//! compile nearly everything a second time.
//! The decoder of Windows event log files would do the same to half of them: it is linted with all the others, which only checks
//! them, and tested in a crate of its own.
//! The light crates are tested in the dev profile, with overflow checks and debug assertions.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::count::Count;
use crate::needs;

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Formatting, including the files that a macro declares.
    Fmt,
    /// Lints of everything.
    Clippy,
    /// The documentation builds without a warning.
    Docs,
    /// Tests of the crates without input and output, and of this one.
    Light,
    /// Kafka and Python readers.
    Needs,
    /// Tests of the pipeline, with what [`Step::Needs`] has set up.
    Pipeline,
    /// Tests of the reader of Windows event log files, which is not built in unless asked for.
    Evtx,
}

impl Step {
    /// All steps in the order in which they run: what fails fast first.
    pub const ALL: [Self; 7] =
        [Self::Fmt, Self::Light, Self::Clippy, Self::Docs, Self::Needs, Self::Pipeline, Self::Evtx];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Clippy => "clippy",
            Self::Docs => "docs",
            Self::Light => "light",
            Self::Needs => "needs",
            Self::Pipeline => "pipeline",
            Self::Evtx => "evtx",
        }
    }
}

/// What has happened so far.
#[derive(Debug, Default)]
pub struct Report {
    lines: Vec<Line>,
    /// Where the tests find what [`Step::Needs`] has set up.
    variables: Vec<(&'static str, String)>,
}

#[derive(Debug)]
struct Line {
    name: &'static str,
    command: String,
    took: Duration,
    /// The tests in it; a step without tests counts as one.
    count: Count,
    /// Whether it failed in another way than by a test.
    broken: bool,
}

impl Report {
    /// Tests and steps that held.
    pub fn passed(&self) -> usize {
        self.lines.iter().map(|line| line.count.passed).sum()
    }

    /// Tests and steps that did not.
    pub fn failed(&self) -> usize {
        self.lines.iter().map(|line| line.count.failed).sum()
    }

    /// Tests and steps that did not run.
    pub fn skipped(&self) -> usize {
        self.lines.iter().map(|line| line.count.skipped.len()).sum()
    }

    /// The summary, with all that needs attention.
    pub fn print(&self) {
        println!("\n=== summary {}", "=".repeat(60));
        for line in &self.lines {
            let verdict = match (line.count.failed, line.count.skipped.len()) {
                (0, 0) => "ok",
                (0, _) => "SKIPPED",
                (_, _) => "FAILED",
            };
            let seconds = line.took.as_secs_f64();
            let (passed, failed, skipped) = (line.count.passed, line.count.failed, line.count.skipped.len());
            println!(
                "{:10} {verdict:8} {seconds:7.1} s  {passed} passed, {failed} failed, {skipped} skipped",
                line.name
            );
        }
        for line in &self.lines {
            for why in &line.count.skipped {
                println!("SKIPPED in {}: {why}", line.name);
            }
            if line.broken {
                println!("FAILED: {} (see above): {}", line.name, line.command);
            }
        }
    }
}

/// Runs one step and adds what came of it.
pub fn run(step: Step, root: &Path, report: &mut Report) {
    println!("\n=== {} {}", step.name(), "=".repeat(70 - step.name().len()));
    let cargo = |arguments: &str| command(root, "cargo", arguments);
    match step {
        Step::Fmt => {
            whole(step, cargo("fmt --all -- --check"), report);
            whole(step, families(root), report);
        }
        Step::Clippy => {
            whole(
                step,
                cargo("clippy --release --workspace --all-targets --features pipeline/evtx -- -D warnings"),
                report,
            );
        }
        Step::Docs => {
            let mut docs = cargo("doc --release --workspace --no-deps --features pipeline/evtx");
            docs.env("RUSTDOCFLAGS", "-D warnings");
            whole(step, docs, report);
        }
        Step::Light => {
            tests(step, cargo("test --no-fail-fast -p schemas -p parsers -p enrichers -p rules -p xtask"), report);
        }
        Step::Needs => {
            let started = Instant::now();
            let found = needs::set_up(root);
            for (variable, value) in &found.variables {
                println!("{variable}={value}");
            }
            let count = Count { passed: found.variables.len(), failed: 0, skipped: found.missing };
            report.variables = found.variables;
            report.lines.push(line(step, "needs", started, count));
        }
        Step::Pipeline => {
            let mut pipeline = cargo("test --release --no-fail-fast -p pipeline");
            pipeline.envs(report.variables.iter().map(|(variable, value)| (variable, value)));
            tests(step, pipeline, report);
        }
        Step::Evtx => {
            tests(step, cargo("test --release --no-fail-fast -p eventlog"), report);
        }
    }
}

fn command(root: &Path, program: &str, arguments: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root).args(arguments.split(' ').filter(|word| !word.is_empty()));
    command
}

/// `cargo fmt` does not follow modules that a macro declares, as the families of the parsers are.
fn families(root: &Path) -> Command {
    let mut rustfmt = command(root, "rustfmt", "--edition 2024 --check");
    let folder = root.join("parsers/src/families");
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    rustfmt.args(files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")));
    rustfmt
}

/// Runs a command that holds or does not hold as a whole.
fn whole(step: Step, mut command: Command, report: &mut Report) {
    let started = Instant::now();
    let ran = execute(&mut command, &mut |_| {});
    let mut count = Count::default();
    if ran {
        count.passed = 1
    } else {
        count.failed = 1
    }
    let mut line = line(step, &shown(&command), started, count);
    line.broken = !ran;
    report.lines.push(line);
}

/// Runs a command that prints results of tests.
fn tests(step: Step, mut command: Command, report: &mut Report) {
    let started = Instant::now();
    let mut count = Count::default();
    let ran = execute(&mut command, &mut |text| count.read(text));
    let mut count = count.finish();
    // It did not compile, or crashed, or hung up: no test says so itself.
    let broken = !ran && count.failed == 0;
    count.failed += usize::from(broken);
    let mut line = line(step, &shown(&command), started, count);
    line.broken = !ran;
    report.lines.push(line);
}

fn line(step: Step, command: &str, started: Instant, count: Count) -> Line {
    Line { name: step.name(), command: command.to_owned(), took: started.elapsed(), count, broken: false }
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Runs a command, shows both of its outputs as they come, hands over each line, and says whether it succeeded.
fn execute(command: &mut Command, each: &mut dyn FnMut(&str)) -> bool {
    println!("$ {}", shown(command));
    let mut child = match command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => {
            println!("cannot be run: {error}");
            return false;
        }
    };
    let (lines, received) = channel();
    let readers = [
        child.stdout.take().map(|output| forward(output, lines.clone())),
        child.stderr.take().map(|output| forward(output, lines)),
    ];
    for text in received {
        println!("{text}");
        each(&text);
    }
    for reader in readers.into_iter().flatten() {
        // A reader that panicked has lost lines; then the status alone decides.
        let _ = reader.join();
    }
    child.wait().is_ok_and(|status| status.success())
}

fn forward(output: impl Read + Send + 'static, lines: Sender<String>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut bytes = Vec::new();
        while output.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
            if lines.send(String::from_utf8_lossy(&bytes).trim_end().to_owned()).is_err() {
                return;
            }
            bytes.clear();
        }
    })
}
