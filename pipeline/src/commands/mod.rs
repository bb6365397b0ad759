//! The commands: each turns typed arguments into a run, and its result into something to read.

mod batch;
mod demo;
pub mod parse;
mod rejects;
mod rules;
mod run;
mod validate;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use schemas::Plausible;

use crate::cli::{Cli, Command, TimeArgs};
use crate::error::Failure;
use crate::mappings::{self, Mappings, format_of};
use crate::out::Out;
use crate::stages::Reading;
use crate::times::{Times, believed, zone_of};

/// Runs the command that the command line names.
///
/// # Errors
/// The [`Failure`] that decides message and exit code.
pub fn run(cli: &Cli) -> Result<(), Failure> {
    match &cli.command {
        Command::Demo(args) => demo::run(cli, args),
        Command::Batch(args) => batch::run(cli, args),
        Command::Run(args) => run::run(args),
        Command::Parse(args) => {
            let reading = reading(&args.format, &args.times, "", &args.mapping)?;
            parse::run(&args.file, &reading, args.output, &mut Out::stdout())
        }
        Command::Rejects(args) => rejects::run(args),
        Command::Validate(args) => validate::run(args),
        Command::Rules(command) => rules::run(cli, command),
    }
}

/// How lines are read, by the words of the command line.
fn reading(format: &str, times: &TimeArgs, tenant: &str, mappings: &[PathBuf]) -> Result<Reading, Failure> {
    let wrong =
        |option: &str, word: &str, advice| Failure::Usage { what: format!("{option} `{word}` is not known"), advice };
    let mappings: Mappings = mappings.iter().map(|path| mappings::load(path)).collect::<Result<_, _>>()?;
    Ok(Reading {
        format: format_of(format, &mappings).map_err(|advice| wrong("--format", format, advice))?,
        times: Times {
            zone: zone_of(&times.zone).map_err(|advice| wrong("--zone", &times.zone, advice))?,
            zone_names: times.zone_name.clone(),
            plausible: believed(Plausible::default(), times.earliest, times.ahead),
        },
        mappings,
        tenant: Arc::from(tenant),
    })
}

/// A flag that the first interrupt or termination signal sets. A second one ends the process at once.
fn stop_on_signal() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let set = stop.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Usage {
        what: format!("no signal handler: {error}"),
        advice: "check the limits of this user".into(),
    })?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            wait_for_signal().await;
            set.store(true, Ordering::Relaxed);
            wait_for_signal().await;
            std::process::exit(i32::from(crate::error::INTERRUPTED));
        });
    });
    Ok(stop)
}

async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
