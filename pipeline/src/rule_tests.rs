//! `RULE.events.yaml`: raw lines that must raise a rule's alert, and raw lines that must not.
//!
//! The lines go through the whole engine (parse, enrich with the assets given beside them, scan, correlate), because a rule
//! that is right about fields which no parser fills is wrong. They are written as the devices write them; `${n}` and `${time …}`
//! make a hundred of one line, so that a scan of a block of addresses is three lines to read and not two thousand.
//!
//! ```yaml
//! assets: |                        # optional, a table as for --assets
//!   address,host,role,zone,criticality
//!   10.20.0.30,SQL01,database,servers,high
//! format: auto                     # optional, for all lines
//! fire:
//!   - name: twelve guesses in a minute, then a success
//!     alerts: 1                    # optional; without it at least one
//!     lines:
//!       - repeat: 12               # n is 0 to 11
//!         every: 5s
//!         line: '${time %b %e %H:%M:%S} web01 sshd[${n+100}]: Failed password for root from 192.0.2.66 port ${n+40000} ssh2'
//!       - at: 2m                   # from the beginning of the case; without it right after what stands before
//!         line: '${time %b %e %H:%M:%S} web01 sshd[200]: Accepted password for root from 192.0.2.66 port 50000 ssh2'
//! quiet:
//!   - name: a forgetful user
//!     lines: ['${time %b %e %H:%M:%S} web01 sshd[300]: Failed password for anna from 10.1.1.7 port 50001 ssh2']
//! ```

mod read;
mod template;

use parsers::Format;

use crate::times::Times;

pub use read::read;

/// When every case begins: a Tuesday morning, 2026-11-17T08:00:00Z. A test must not depend on the day on which it runs.
pub const START_US: i64 = 1_794_902_400_000_000;

/// The tests of one rule file.
#[derive(Clone, Debug)]
pub struct RuleTest {
    /// Family of the lines.
    pub format: Format,
    /// How their times are read.
    pub times: Times,
    /// An asset table, CSV with a header. May be empty.
    pub assets: String,
    /// The cases, those that must fire first.
    pub cases: Vec<Case>,
}

/// Lines with what must come of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// How many alerts of the rule there must be.
    pub expected: Expected,
    /// The lines, in the order in which they are received.
    pub lines: Vec<Line>,
}

/// How many alerts a case must give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// None.
    Quiet,
    /// At least one.
    Some,
    /// So many.
    Exactly(u64),
}

/// One raw line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When it is received, microseconds UTC.
    pub received_us: i64,
    /// The line itself.
    pub text: String,
}

impl Expected {
    /// Whether so many alerts are right.
    pub fn is_met_by(self, alerts: u64) -> bool {
        match self {
            Expected::Quiet => alerts == 0,
            Expected::Some => alerts > 0,
            Expected::Exactly(count) => alerts == count,
        }
    }

    /// In words.
    pub fn words(self) -> String {
        match self {
            Expected::Quiet => "no alert".to_owned(),
            Expected::Some => "an alert".to_owned(),
            Expected::Exactly(1) => "one alert".to_owned(),
            Expected::Exactly(count) => format!("{count} alerts"),
        }
    }
}
