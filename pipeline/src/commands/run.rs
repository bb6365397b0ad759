//! `portolan run`: the configuration becomes settings, and both stages run until they are told to stop.

use crate::evidence::RAW_MAX;
use rules::scan::RawSample;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rdkafka::config::ClientConfig;
use schemas::arrow::RawLine;

use crate::cli::RunArgs;
use crate::config::Config;
use crate::counts::Progress;
use crate::error::Failure;
use crate::load::{self, Sources};
use crate::out::say;
use crate::run::{self, Input, Settings, Until};
use crate::sink::lake::Lake;
use crate::stages::Reading;

/// Runs it.
///
/// # Errors
/// A wrong configuration, rules or assets; brokers, topics or a lake that fail; an interrupt.
pub fn run(args: &RunArgs) -> Result<(), Failure> {
    let text = fs::read_to_string(&args.config).map_err(Failure::unreadable("configuration", &args.config))?;
    let config = Config::load(&args.config, &text).map_err(Failure::Config)?;
    if let Some(warnings) = &config.warnings {
        say(&warnings.to_string());
    }
    let engine = Arc::new(load::engine(&sources(&config), RawSample::UpTo(RAW_MAX))?);
    let until = if args.drain { Until::Drained } else { Until::Stopped };
    let settings = Arc::new(settings(&config, until));
    let raw = if config.lake.keep_raw { RawLine::Kept } else { RawLine::Dropped };
    let lake = Arc::new(Lake::open(&config.lake.path.to_string_lossy(), &load::tables(raw))?);
    let stop = super::stop_on_signal()?;
    let progress = Arc::new(Progress::default());
    run::run(&settings, &engine, &lake, &progress, &stop)?;
    let seen = progress.look();
    if stop.load(Ordering::Relaxed) {
        let state = format!("{} events are committed; the next start goes on from there", seen.committed);
        return Err(Failure::Interrupted { state });
    }
    tracing::info!(events = seen.events, rejects = seen.rejects, alerts = seen.alerts, "drained");
    Ok(())
}

fn sources(config: &Config) -> Sources {
    Sources {
        rules: config.rules.clone(),
        assets: config.assets.clone(),
        country: config.geo.country.clone(),
        asn: config.geo.asn.clone(),
        own_networks: config.networks.iter().filter_map(|net| load::network(*net)).collect(),
        tenant: Arc::from(config.tenant.as_str()),
    }
}

fn settings(config: &Config, until: Until) -> Settings {
    let mut client = ClientConfig::new();
    for (key, value) in config.kafka.client_properties() {
        client.set(key, value);
    }
    let micros = |duration: std::time::Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    Settings {
        client,
        group: config.kafka.group.clone(),
        inputs: config.input.topics.iter().map(|topic| input(config, topic)).collect(),
        start: config.input.start,
        lateness_us: micros(config.input.lateness),
        idle_after: config.input.idle_after,
        hits_topic: config.topics.hits.clone(),
        hits_partitions: i32::try_from(config.topics.hits_partitions).unwrap_or(i32::MAX),
        alerts_topic: config.topics.alerts.clone(),
        alerts_form: config.output.alerts,
        events: config.topics.events.clone().map(|topic| (topic, config.output.events)),
        epoch: config.lake.epoch,
        workers: config.workers.get(),
        until,
        state_budget_bytes: usize::try_from(config.state.budget_bytes).unwrap_or(usize::MAX),
    }
}

/// How a topic is read: what is said of it alone, else what is said of all.
fn input(config: &Config, topic: &str) -> Input {
    let own = config.input.sources.iter().find(|source| source.topic == topic);
    let tenant = own.and_then(|own| own.tenant.as_deref()).unwrap_or(&config.tenant);
    let reading = Reading {
        format: own.and_then(|own| own.format).unwrap_or(config.input.format),
        times: own.map_or(&config.input.times, |own| &own.times).clone(),
        mappings: config.mappings.clone(),
        tenant: Arc::from(tenant),
    };
    Input { topic: topic.to_owned(), reading }
}
