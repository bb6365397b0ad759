//! The configuration of `portolan run`, typed, with every mistake reported at once.
//!
//! [`Config::load`] turns the text into a tree with positions (`crate::yaml`), reads it section by section
//! (`config/read.rs`, one function a section, in the order of `docs/configuration.md`) and refuses it whole if anything
//! is wrong. Nothing is guessed and no unknown key is ignored: a misspelt `latenes` that silently means "the default" costs a night.

mod kafka;
mod places;
mod read;
mod secret;

use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use parsers::Format;

use crate::mappings::Mappings;
use crate::times::Times;
use crate::yaml::{Findings, finding};

pub use kafka::{Kafka, Mechanism, Sasl, Tls};
pub use secret::Secret;

/// Everything that `portolan run` needs to know. Paths are absolute or relative to the process, ready to be opened.
#[derive(Clone, Debug)]
pub struct Config {
    /// How to reach the brokers.
    pub kafka: Kafka,
    /// What is read.
    pub input: Input,
    /// Where hits, alerts and events go.
    pub topics: Topics,
    /// In which form they go there.
    pub output: Output,
    /// The Delta tables.
    pub lake: Lake,
    /// Rule files and folders. Empty means the library that the program brings along.
    pub rules: Vec<PathBuf>,
    /// Asset files, CSV or YAML.
    pub assets: Vec<PathBuf>,
    /// Formats of one's own.
    pub mappings: Mappings,
    /// MaxMind-format databases.
    pub geo: Geo,
    /// Networks that count as internal, besides the private ranges.
    pub networks: Vec<IpNet>,
    /// What the correlator may keep.
    pub state: State,
    /// Threads of stage 1.
    pub workers: NonZeroUsize,
    /// Tenant of all sources that name none of their own; empty if there is just one.
    pub tenant: String,
    /// Things that are allowed but deserve a look; for stderr.
    pub warnings: Option<finding::Report>,
}

/// `input`: which topics are read, and how.
#[derive(Clone, Debug)]
pub struct Input {
    /// Topics with raw records.
    pub topics: Vec<String>,
    /// Family of the records.
    pub format: Format,
    /// Where a new consumer group begins.
    pub start: Start,
    /// How times are read.
    pub times: Times,
    /// How far behind the watermark an event still counts as if it had come in order.
    pub lateness: Duration,
    /// After how long a silent partition no longer holds the watermark back.
    pub idle_after: Duration,
    /// What is different for single topics.
    pub sources: Vec<SourceOverride>,
}

/// What one topic has different from the rest of `input`.
#[derive(Clone, Debug)]
pub struct SourceOverride {
    /// The topic; one of `input.topics`.
    pub topic: String,
    /// Its family, if it has one of its own.
    pub format: Option<Format>,
    /// How its times are read.
    pub times: Times,
    /// Its tenant, if it has one of its own.
    pub tenant: Option<String>,
}

/// Where a consumer group begins that has no offsets yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the oldest record that the broker has.
    Earliest,
    /// With what comes from now on.
    Latest,
}

/// `topics`: what is written.
#[derive(Clone, Debug)]
pub struct Topics {
    /// The hits between the two stages.
    pub hits: String,
    /// Partitions of the hits topic, for when it has to be made.
    pub hits_partitions: u32,
    /// The alerts.
    pub alerts: String,
    /// The enriched events, if they shall go to a topic.
    pub events: Option<String>,
}

/// `output`: forms of what goes to topics.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// Form of the alerts.
    pub alerts: Form,
    /// Form of the events.
    pub events: Form,
}

/// A JSON form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// Portolan's own flat names.
    Canonical,
    /// Elastic Common Schema.
    Ecs,
    /// Open Cybersecurity Schema Framework.
    Ocsf,
}

/// `lake`: the Delta tables.
#[derive(Clone, Debug)]
pub struct Lake {
    /// Their folder.
    pub path: PathBuf,
    /// Whether the raw line is kept with each event.
    pub keep_raw: bool,
    /// How often is committed.
    pub epoch: Duration,
}

/// `geo`: where addresses are.
#[derive(Clone, Debug, Default)]
pub struct Geo {
    /// Database of countries or cities.
    pub country: Option<PathBuf>,
    /// Database of autonomous systems.
    pub asn: Option<PathBuf>,
}

/// `state`: what the correlator may keep.
#[derive(Clone, Copy, Debug)]
pub struct State {
    /// Bytes of the whole process.
    pub budget_bytes: u64,
}

/// Why a configuration was refused: all of its mistakes, shown by `Display` as people want to read them.
#[derive(Clone, Debug)]
pub struct ConfigErrors(pub finding::Report);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for ConfigErrors {}

impl Config {
    /// Reads a configuration. `path` names it in messages, and its folder is where relative paths in it begin.
    ///
    /// # Errors
    /// [`ConfigErrors`] with every mistake: unknown, missing and duplicate keys, wrong types, values out of range, unknown words,
    /// files that don't exist, and values that contradict each other.
    pub fn load(path: &Path, text: &str) -> Result<Config, ConfigErrors> {
        let mut found = Findings::default();
        let config = read::document(path, text, &mut found);
        let refused = found.has_errors();
        let report = (!found.is_empty()).then(|| found.in_file(&path.display().to_string(), text));
        match (report, refused) {
            (Some(report), true) => Err(ConfigErrors(report)),
            (warnings, _) => Ok(Config { warnings, ..config }),
        }
    }
}
