//! A streaming run: input topics → stage 1 → hits topic → stage 2 → alerts topic, and all of it in the lake.
//!
//! One process runs both stages; more processes of the same group share the partitions of the input topics and of the hits
//! topic, and that is the whole of scaling out. Every thread is a member of its group with a client of its own, so that
//! nothing has to be agreed between them but what the lake's log says.

pub mod client;
mod inputs;
mod settings;
mod stage1;
mod stage2;
mod tasks;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use schemas::alert::Alert;

pub use settings::{Input, Settings, Until};

use crate::counts::Progress;
use crate::error::Failure;
use crate::sink::lake::Lake;
use crate::source::kafka::TopicPartition;
use crate::stages::Engine;
use stage1::Stage1;
use stage2::Stage2;

/// How long the brokers may take to answer at the start.
const PREFLIGHT_WAIT: Duration = Duration::from_secs(15);

/// Runs both stages until `stop` is set, or until a draining run has come to its end.
///
/// # Errors
/// The brokers can't be reached, an input topic does not exist, or a broker, a topic or the lake fails for good while it runs.
/// Then all threads have ended, and what was not committed is left to the next run.
pub fn run(
    settings: &Arc<Settings>,
    engine: &Arc<Engine>,
    lake: &Arc<Lake>,
    progress: &Arc<Progress>,
    stop: &Arc<AtomicBool>,
) -> Result<(), Failure> {
    run_with(settings, engine, lake, progress, stop, &|_| ())
}

/// The same, with a look at every alert as it is sent.
///
/// # Errors
/// As [`run`].
pub fn run_with(
    settings: &Arc<Settings>,
    engine: &Arc<Engine>,
    lake: &Arc<Lake>,
    progress: &Arc<Progress>,
    stop: &Arc<AtomicBool>,
    told: &dyn Fn(&[Alert]),
) -> Result<(), Failure> {
    let (input_partitions, hits_partitions) = preflight(settings)?;
    let stage1_stop = AtomicBool::new(false);
    let first_error = std::sync::Mutex::new(None);
    let failed = |error: Failure| {
        let mut first = first_error.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        first.get_or_insert(error);
        stop.store(true, Ordering::Relaxed);
        stage1_stop.store(true, Ordering::Relaxed);
    };
    std::thread::scope(|scope| {
        for _ in 0..settings.workers.max(1) {
            scope.spawn(|| {
                let done = Stage1::new(settings, engine, lake, progress, hits_partitions)
                    .and_then(|mut stage| stage.run(&[stop.as_ref(), &stage1_stop]));
                done.unwrap_or_else(failed);
            });
        }
        let done = Stage2::new(settings, engine, lake, progress, &input_partitions)
            .and_then(|mut stage| stage.run(stop, told));
        done.unwrap_or_else(failed);
        // Stage 2 ends by itself only when everything has been drained.
        stage1_stop.store(true, Ordering::Relaxed);
    });
    match first_error.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// Looks whether the brokers answer and the topics are there; makes the hits topic if it is missing.
fn preflight(settings: &Settings) -> Result<(Arc<[TopicPartition]>, i32), Failure> {
    let brokers = settings.client.get("bootstrap.servers").unwrap_or_default().to_owned();
    let client: BaseConsumer = settings.client.clone().set("group.id", &settings.group).create()?;
    let metadata = client.fetch_metadata(None, PREFLIGHT_WAIT).map_err(|error| Failure::BrokerDown {
        brokers: brokers.split(',').map(str::to_owned).collect(),
        reason: error.to_string(),
    })?;
    let partitions = |name: &str| {
        let topic = metadata.topics().iter().find(|topic| topic.name() == name && topic.error().is_none());
        topic.map(|topic| topic.partitions().len() as i32).filter(|count| *count > 0)
    };
    let missing = |topic: &str| {
        let known = metadata.topics().iter().map(|topic| topic.name().to_owned());
        Failure::TopicMissing { topic: topic.to_owned(), known: known.filter(|name| !name.starts_with("__")).collect() }
    };
    let mut all = Vec::new();
    for input in settings.inputs.iter() {
        let count = partitions(&input.topic).ok_or_else(|| missing(&input.topic))?;
        all.extend((0..count).map(|partition| TopicPartition { topic: input.topic.clone(), partition }));
    }
    let hits = match partitions(&settings.hits_topic) {
        Some(count) => count,
        None => {
            make_topic(settings, &settings.hits_topic, settings.hits_partitions)?;
            settings.hits_partitions
        }
    };
    if let Some((topic, _)) = &settings.events {
        partitions(topic).ok_or_else(|| missing(topic))?;
    }
    partitions(&settings.alerts_topic).ok_or_else(|| missing(&settings.alerts_topic))?;
    Ok((all.into(), hits))
}

/// Makes a topic with the brokers' own replication factor.
fn make_topic(settings: &Settings, name: &str, partitions: i32) -> Result<(), Failure> {
    let admin: AdminClient<DefaultClientContext> = settings.client.create()?;
    let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(-1));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::kafka("starting the admin client", error))?;
    let made = runtime
        .block_on(admin.create_topics([&topic], &AdminOptions::new().operation_timeout(Some(PREFLIGHT_WAIT))))?;
    for result in made {
        match result {
            Ok(_) | Err((_, rdkafka::types::RDKafkaErrorCode::TopicAlreadyExists)) => {
                tracing::info!(topic = name, partitions, "made the hits topic");
            }
            Err((topic, code)) => return Err(Failure::kafka(format!("making topic `{topic}`"), code)),
        }
    }
    Ok(())
}
