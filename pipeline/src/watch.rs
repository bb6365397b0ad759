//! A progress display on stderr while a run goes on; nothing where nobody watches.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::Cli;
use crate::clock;
use crate::counts::Progress;
use crate::text::grouped;

/// How often the display changes.
const TICK: Duration = Duration::from_millis(200);

/// A display that is on until it is told to end.
pub struct Watch {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What the length of the bar stands for.
#[derive(Clone, Copy, Debug)]
pub enum Total {
    /// Bytes to read.
    Bytes(u64),
    /// Records to work off.
    Records(u64),
}

impl Watch {
    /// Shows progress until [`Watch::end`]; with --quiet, or where stderr is no terminal, it shows nothing.
    pub fn begin(cli: &Cli, progress: Arc<Progress>, total: Total) -> Watch {
        let ended = Arc::new(AtomicBool::new(false));
        if cli.quiet {
            return Watch { ended, thread: None };
        }
        let until = ended.clone();
        let thread = std::thread::spawn(move || show(&progress, total, &until));
        Watch { ended, thread: Some(thread) }
    }

    /// Takes the display away.
    pub fn end(self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread {
            // A display that died has nothing more to say.
            let _ = thread.join();
        }
    }
}

fn show(progress: &Progress, total: Total, ended: &AtomicBool) {
    let length = match total {
        Total::Bytes(length) | Total::Records(length) => length,
    };
    let bar = ProgressBar::with_draw_target(Some(length.max(1)), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}") {
        bar.set_style(style);
    }
    let began = clock::instant();
    while !ended.load(Ordering::Relaxed) {
        std::thread::sleep(TICK);
        let seen = progress.look();
        bar.set_position(match total {
            Total::Bytes(_) => seen.bytes,
            Total::Records(_) => seen.records,
        });
        let rate = seen.records as f64 / began.elapsed().as_secs_f64().max(0.001);
        let (events, rejects, hits) = (grouped(seen.events), grouped(seen.rejects), grouped(seen.hits));
        bar.set_message(format!("{events} events, {rejects} refused, {hits} hits, {} lines/s", grouped(rate as u64)));
    }
    bar.finish_and_clear();
}
