//! The document, section by section, in the order of `docs/configuration.md`.

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;
use parsers::Format;
use parsers::mapping::Mapping;
use schemas::nearest;

use crate::config::places::{Place, place};
use crate::config::{Config, Form, Geo, Input, Kafka, Lake, Output, SourceOverride, Start, State, Topics, kafka};
use crate::mappings::{self, Mappings, format_of};
use crate::times::{Times, times};
use crate::yaml::{At, Finding, Findings, Section, Value, parse};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// Reads the whole document; where something is wrong it is noted and a default stands in.
pub(super) fn document(path: &Path, text: &str, found: &mut Findings) -> Config {
    let base = path.parent().unwrap_or(Path::new(""));
    let root = parse(text, found);
    let mut section = match root.value {
        Value::Null if found.has_errors() => None,
        Value::Null => Some(At::root(&root).empty()),
        Value::Scalar { .. } | Value::List(_) | Value::Map(_) => At::root(&root).section(found),
    };
    let config = match &mut section {
        Some(section) => sections(section, base, found),
        None => sections_of_nothing(),
    };
    if let Some(section) = section {
        section.finish(found);
    }
    config
}

fn sections(top: &mut Section<'_>, base: &Path, found: &mut Findings) -> Config {
    let kafka =
        top.required("kafka", "{brokers: [broker.example.com:9092]}", found, |at, found| kafka::kafka(at, found, base));
    let mappings: Mappings = top
        .optional("mappings", found, |at, found| at.list(found, |at, found| mapping(&at, found, base)))
        .unwrap_or_default();
    let input = top.required("input", "{topics: [logs]}", found, |at, found| input(at, found, &mappings));
    let topics = top.optional("topics", found, topics);
    let output = top.optional("output", found, output);
    let lake = top.required("lake", "{path: lake}", found, |at, found| lake(at, found, base));
    let mut paths = |key, kind, found: &mut Findings| {
        top.optional(key, found, |at, found| at.list(found, |at, found| place(&at, found, base, kind)))
            .unwrap_or_default()
    };
    let (rules, assets) = (paths("rules", Place::Any, found), paths("assets", Place::File, found));
    let geo = top.optional("geo", found, |at, found| geo(at, found, base));
    let networks = top.optional("networks", found, |at, found| at.list(found, network));
    let state = top.optional("state", found, state);
    let workers = top.optional("workers", found, |at, found| at.integer(found, 1..=1_024));
    let tenant = top.optional("tenant", found, |at, found| at.text(found));
    let defaults = sections_of_nothing();
    let config = Config {
        kafka: kafka.unwrap_or_default(),
        input: input.unwrap_or(defaults.input),
        topics: topics.unwrap_or(defaults.topics),
        output: output.unwrap_or(defaults.output),
        lake: lake.unwrap_or(defaults.lake),
        rules,
        assets,
        mappings,
        geo: geo.unwrap_or_default(),
        networks: networks.unwrap_or_default(),
        state: state.unwrap_or(defaults.state),
        workers: workers.and_then(|n| NonZeroUsize::new(usize::try_from(n).ok()?)).unwrap_or(defaults.workers),
        tenant: tenant.unwrap_or_default(),
        warnings: None,
    };
    no_loop(top, &config, found);
    config
}

/// The defaults, also of what must be given: nothing comes of those, the document is refused.
fn sections_of_nothing() -> Config {
    Config {
        kafka: Kafka::default(),
        input: Input {
            topics: Vec::new(),
            format: Format::Auto,
            start: Start::Earliest,
            times: Times::default(),
            lateness: Duration::from_secs(120),
            idle_after: Duration::from_secs(30),
            sources: Vec::new(),
        },
        topics: Topics {
            hits: "portolan-hits".to_owned(),
            hits_partitions: 8,
            alerts: "portolan-alerts".to_owned(),
            events: None,
        },
        output: Output { alerts: Form::Canonical, events: Form::Ecs },
        lake: Lake { path: "lake".into(), keep_raw: false, epoch: Duration::from_secs(10) },
        rules: Vec::new(),
        assets: Vec::new(),
        mappings: Vec::new(),
        geo: Geo::default(),
        networks: Vec::new(),
        state: State { budget_bytes: 512 << 20 },
        workers: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        tenant: String::new(),
        warnings: None,
    }
}

fn input(at: At<'_>, found: &mut Findings, mappings: &[&'static Mapping]) -> Option<Input> {
    let defaults = sections_of_nothing().input;
    let starts = [("earliest", Start::Earliest), ("latest", Start::Latest)];
    let mut section = at.section(found)?;
    let topics = section.required("topics", "[logs]", found, |at, found| at.some(found, topic)).unwrap_or_default();
    let format = section.optional("format", found, |at, found| format(at, found, mappings));
    let start = section.optional("start", found, |at, found| at.word(found, &starts));
    let times = times(&mut section, found, &defaults.times);
    let lateness = section.optional("lateness", found, |at, found| at.duration(found, Duration::ZERO..=DAY));
    let idle_after = section.optional("idle_after", found, |at, found| at.duration(found, SECOND..=HOUR));
    let sources = section.optional("sources", found, |at, found| {
        let mut seen = Vec::new();
        at.list(found, |at, found| source(at, found, &topics, &mut seen, mappings, &times))
    });
    section.finish(found);
    Some(Input {
        topics,
        format: format.unwrap_or(defaults.format),
        start: start.unwrap_or(defaults.start),
        times,
        lateness: lateness.unwrap_or(defaults.lateness),
        idle_after: idle_after.unwrap_or(defaults.idle_after),
        sources: sources.unwrap_or_default(),
    })
}

fn source(
    at: At<'_>,
    found: &mut Findings,
    topics: &[String],
    seen: &mut Vec<String>,
    mappings: &[&'static Mapping],
    base: &Times,
) -> Option<SourceOverride> {
    let mut section = at.section(found)?;
    let topic = section.required("topic", "logs", found, |at, found| {
        let name = topic(at.clone(), found)?;
        if !topics.contains(&name) {
            let help = match nearest(&name, topics.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add `{name}` to `input.topics`"),
            };
            at.wrong(found, "not one of `input.topics`", help);
        } else if seen.contains(&name) {
            at.wrong(found, "this topic has an entry already", "join the two entries");
        }
        seen.push(name.clone());
        Some(name)
    });
    let format = section.optional("format", found, |at, found| format(at, found, mappings));
    let times = times(&mut section, found, base);
    let tenant = section.optional("tenant", found, |at, found| at.text(found));
    section.finish(found);
    Some(SourceOverride { topic: topic?, format, times, tenant })
}

fn topics(at: At<'_>, found: &mut Findings) -> Option<Topics> {
    let defaults = sections_of_nothing().topics;
    let mut section = at.section(found)?;
    let hits = section.optional("hits", found, topic);
    let partitions = section.optional("hits_partitions", found, |at, found| at.integer(found, 1..=1_024));
    let alerts = section.optional("alerts", found, topic);
    let events = section.optional("events", found, topic);
    section.finish(found);
    Some(Topics {
        hits: hits.unwrap_or(defaults.hits),
        hits_partitions: partitions.and_then(|n| u32::try_from(n).ok()).unwrap_or(defaults.hits_partitions),
        alerts: alerts.unwrap_or(defaults.alerts),
        events,
    })
}

fn output(at: At<'_>, found: &mut Findings) -> Option<Output> {
    let defaults = sections_of_nothing().output;
    let forms = [("canonical", Form::Canonical), ("ecs", Form::Ecs), ("ocsf", Form::Ocsf)];
    let mut section = at.section(found)?;
    let alerts = section.optional("alerts", found, |at, found| at.word(found, &forms));
    let events = section.optional("events", found, |at, found| at.word(found, &forms));
    section.finish(found);
    Some(Output { alerts: alerts.unwrap_or(defaults.alerts), events: events.unwrap_or(defaults.events) })
}

fn lake(at: At<'_>, found: &mut Findings, base: &Path) -> Option<Lake> {
    let defaults = sections_of_nothing().lake;
    let mut section = at.section(found)?;
    let path = section.required("path", "lake", found, |at, found| place(&at, found, base, Place::FolderToBe));
    let keep_raw = section.optional("keep_raw", found, |at, found| at.boolean(found));
    let epoch = section.optional("epoch", found, |at, found| at.duration(found, SECOND..=HOUR));
    section.finish(found);
    Some(Lake {
        path: path.unwrap_or(defaults.path),
        keep_raw: keep_raw.unwrap_or(defaults.keep_raw),
        epoch: epoch.unwrap_or(defaults.epoch),
    })
}

fn geo(at: At<'_>, found: &mut Findings, base: &Path) -> Option<Geo> {
    let mut section = at.section(found)?;
    let country = section.optional("country", found, |at, found| place(&at, found, base, Place::File));
    let asn = section.optional("asn", found, |at, found| place(&at, found, base, Place::File));
    section.finish(found);
    Some(Geo { country, asn })
}

fn state(at: At<'_>, found: &mut Findings) -> Option<State> {
    let mut section = at.section(found)?;
    let budget = section.optional("budget", found, |at, found| at.size(found, 16 << 20..=1 << 40));
    section.finish(found);
    Some(State { budget_bytes: budget.unwrap_or(512 << 20) })
}

/// A topic's name. Source: Kafka's `Topic.validate`: 1 to 249 of `[a-zA-Z0-9._-]`, not `.` and not `..`.
fn topic(at: At<'_>, found: &mut Findings) -> Option<String> {
    let text = at.text(found)?;
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let help = match text.chars().find(|c| !legal(*c)) {
        Some(c) => format!("{c:?} is not allowed: use letters, digits, `.`, `_` and `-`"),
        None if text.len() > 249 => "at most 249 letters".to_owned(),
        None if matches!(&*text, "." | "..") => "it can't be `.` or `..`".to_owned(),
        None => return Some(text),
    };
    at.wrong(found, "not a name that Kafka allows for a topic", help);
    None
}

fn format(at: At<'_>, found: &mut Findings, mappings: &[&'static Mapping]) -> Option<Format> {
    let text = at.text(found)?;
    format_of(&text, mappings).map_err(|help| at.wrong(found, "no such family", help)).ok()
}

/// A mapping file. Its own mistakes are of another file: `validate` shows them all.
fn mapping(at: &At<'_>, found: &mut Findings, base: &Path) -> Option<&'static Mapping> {
    let path = place(at, found, base, Place::File)?;
    let text = std::fs::read_to_string(&path)
        .map_err(|error| at.wrong(found, format!("can't be read: {error}"), "it must be UTF-8 text"))
        .ok()?;
    mappings::read(&path, &text)
        .map_err(|report| {
            let count = report.findings().len();
            let mistakes = if count == 1 { "a mistake" } else { "mistakes" };
            let help = format!("`portolan validate --mapping {}` shows them", path.display());
            at.wrong(found, format!("{count} {mistakes} in this mapping"), help);
        })
        .ok()
}

/// A network. One with bits after its prefix is more often a typing mistake than a wish.
fn network(at: At<'_>, found: &mut Findings) -> Option<IpNet> {
    let text = at.text(found)?;
    match text.parse::<IpNet>() {
        Ok(net) if net.trunc() == net => return Some(net),
        Ok(net) => at.wrong(found, "bits are set after the prefix", format!("did you mean `{}`?", net.trunc())),
        Err(_) => {
            let help = match text.parse::<std::net::IpAddr>() {
                Ok(address) => format!("add the prefix: `{}`", IpNet::from(address)),
                Err(_) => "write address/prefix, as `10.0.0.0/8` or `2001:db8::/32`".to_owned(),
            };
            at.wrong(found, "not a network", help);
        }
    }
    None
}

/// A topic that is both read and written would feed the program with its own words, for ever.
fn no_loop(top: &mut Section<'_>, config: &Config, found: &mut Findings) {
    let written = [Some(&config.topics.hits), Some(&config.topics.alerts), config.topics.events.as_ref()];
    let at = top.get("topics").or_else(|| top.get("input")).map(|at| at.span()).unwrap_or(0..0);
    for (index, name) in written.iter().enumerate() {
        let Some(name) = name else { continue };
        if config.input.topics.contains(name) {
            let title = format!("the topic `{name}` is read and written");
            found.note(Finding::error(at.clone(), title, "names it again").help("give the output a name of its own"));
        }
        if written[..index].contains(&Some(*name)) {
            let title = format!("the topic `{name}` is written for two purposes");
            found.note(Finding::error(at.clone(), title, "twice in here").help("give each its own topic"));
        }
    }
}
