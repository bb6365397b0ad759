//! The command: reads the command line, sets up the program's own log, runs one command, and turns its end into an exit code.

use std::process::ExitCode;

use clap::Parser;
use pipeline::cli::{Cli, LogFormat};
use pipeline::{commands, out};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    log(&cli);
    match commands::run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            out::say(&failure.to_string());
            ExitCode::from(&failure)
        }
    }
}

/// The program's own log, on stderr. `PORTOLAN_LOG` says more exactly what is wanted than -v can.
fn log(cli: &Cli) {
    let level = match (cli.quiet, cli.verbose) {
        (true, _) | (false, 0) => "warn",
        (false, 1) => "info,delta_kernel=warn,delta_kernel_default_engine=warn",
        (false, _) => "debug",
    };
    let filter = EnvFilter::try_from_env("PORTOLAN_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match cli.log_format {
        LogFormat::Text => log.with_target(false).init(),
        LogFormat::Json => log.json().init(),
    }
}
