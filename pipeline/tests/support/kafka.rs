//! Real Apache Kafka brokers for a test: started on free ports, stopped or killed, and gone when the test ends.
//!
//! A broker runs under a small shell that waits on a pipe from this process. However the test ends, by a panic
//! or by SIGKILL, the pipe closes, and the shell stops the broker: nothing is left behind. The port stays the
//! same over a restart, as a client expects it.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};

/// Longest wait for a broker to start, to stop, to make a topic or to take all records. Generous: two seconds
/// are usual, but a test machine may be busy.
const PATIENCE: Duration = Duration::from_secs(90);

/// Starts the broker, then waits for the end of the pipe, then stops it.
const WATCHDOG: &str = r#"
log="$1"; pid="$2"; shift 2
"$@" >>"$log" 2>&1 </dev/null &
broker=$!
echo $broker >"$pid"
cat >/dev/null
kill -TERM $broker 2>/dev/null
( for half_second in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 0.5; done; kill -KILL $broker ) &
killer=$!
wait $broker
kill $killer
"#;

/// One broker that is also its controller.
pub struct Broker {
    libs: String,
    folder: tempfile::TempDir,
    port: u16,
    /// The watching shell; `None` while the broker is down.
    watchdog: Option<Child>,
    /// Starts so far, so that each has its own log.
    starts: usize,
}

impl Broker {
    /// Formats a new broker with the jars of `libs` (`PORTOLAN_KAFKA_LIBS`) and starts it.
    pub fn start(libs: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [port, controller_port] = free_ports();
        let data = folder.path().join("data");
        // A killed broker may not register again before its old session has ended: 9 s by default.
        let properties = format!(
            "process.roles=broker,controller\n\
             node.id=1\n\
             controller.quorum.voters=1@127.0.0.1:{controller_port}\n\
             listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}\n\
             controller.listener.names=CONTROLLER\n\
             inter.broker.listener.name=PLAINTEXT\n\
             log.dirs={}\n\
             offsets.topic.replication.factor=1\n\
             transaction.state.log.replication.factor=1\n\
             transaction.state.log.min.isr=1\n\
             group.initial.rebalance.delay.ms=0\n\
             broker.session.timeout.ms=3000\n\
             broker.heartbeat.interval.ms=500\n\
             auto.create.topics.enable=false\n",
            data.display()
        );
        fs::write(folder.path().join("server.properties"), properties).unwrap();
        let mut broker = Self { libs: libs.to_owned(), folder, port, watchdog: None, starts: 0 };
        broker.format();
        broker.start_again();
        broker
    }

    /// `127.0.0.1:port`, for `bootstrap.servers`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Starts a broker that was stopped or killed, on the same port and data.
    pub fn start_again(&mut self) {
        assert!(self.watchdog.is_none(), "the broker is running");
        self.starts += 1;
        let log = self.log_path();
        let _ = fs::remove_file(self.pid_path());
        let mut shell = Command::new("sh");
        shell.args(["-c", WATCHDOG, "broker"]).arg(&log).arg(self.pid_path()).arg("java");
        shell.args(["-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp"]).arg(format!("{}/*", self.libs));
        shell.arg("kafka.Kafka").arg(self.folder.path().join("server.properties"));
        // A group of its own, so that an interrupt at the terminal reaches the test first and the broker last.
        let shell = shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        self.watchdog = Some(shell.spawn().unwrap());
        wait_until("the broker to start", || {
            let text = fs::read_to_string(&log).unwrap_or_default();
            let gone = self.watchdog.as_mut().unwrap().try_wait().unwrap().is_some();
            assert!(!gone && !text.contains("Exiting Kafka"), "the broker did not start:\n{}", tail(&text));
            text.contains("Kafka Server started")
        });
    }

    /// Stops the broker in order: SIGTERM, and a wait until it has closed its logs.
    pub fn stop(&mut self) {
        self.signal("TERM");
        self.wait_for_the_end();
    }

    /// Kills the broker: SIGKILL, as a crash of the machine would.
    pub fn kill(&mut self) {
        self.signal("KILL");
        self.wait_for_the_end();
    }

    /// A client of this broker.
    pub fn client(&self) -> Client {
        Client::of(&self.address())
    }

    fn format(&self) {
        let mut tool = Command::new("java");
        tool.arg("-cp").arg(format!("{}/*", self.libs)).args(["kafka.tools.StorageTool", "format"]);
        // The cluster's id: any 16 bytes in base64.
        tool.args(["-t", "cG9ydG9sYW4tdGVzdC1pZA", "-c"]).arg(self.folder.path().join("server.properties"));
        let output = tool.output().unwrap();
        assert!(output.status.success(), "format: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join(format!("broker-{}.log", self.starts))
    }

    fn pid_path(&self) -> PathBuf {
        self.folder.path().join("broker.pid")
    }

    fn signal(&self, name: &str) {
        assert!(self.watchdog.is_some(), "the broker is not running");
        let pid = read(&self.pid_path());
        assert!(Command::new("kill").args([&format!("-{name}"), pid.trim()]).status().unwrap().success());
    }

    fn wait_for_the_end(&mut self) {
        let mut watchdog = self.watchdog.take().unwrap();
        // The end of the pipe: the shell takes its part, and reaps the broker.
        drop(watchdog.stdin.take());
        wait_until("the broker to end", || watchdog.try_wait().unwrap().is_some());
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(mut watchdog) = self.watchdog.take() {
            // The data goes with the folder: no need to close it in order.
            if let Ok(pid) = fs::read_to_string(self.pid_path()) {
                let _ = Command::new("kill").args(["-KILL", pid.trim()]).status();
            }
            drop(watchdog.stdin.take());
            let _ = watchdog.wait();
        }
    }
}

/// What tests do with topics, of a real broker or a mock one.
pub struct Client {
    config: ClientConfig,
}

impl Client {
    /// A client of the broker at an address.
    pub fn of(address: &str) -> Client {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", address);
        Client { config }
    }

    /// A client configuration with the address and nothing else.
    pub fn config(&self) -> ClientConfig {
        self.config.clone()
    }

    /// Makes a topic.
    pub fn make_topic(&self, name: &str, partitions: i32) {
        let admin: AdminClient<DefaultClientContext> = self.config().create().unwrap();
        let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
        let made = block_on(admin.create_topics([&topic], &options)).unwrap();
        for result in made {
            result.unwrap();
        }
        wait_until("the topic to be known", || {
            let seen = admin.inner().fetch_metadata(Some(name), Duration::from_secs(5));
            seen.is_ok_and(|seen| {
                let partitions_led = |topic: &rdkafka::metadata::MetadataTopic| {
                    topic.partitions().iter().filter(|partition| partition.leader() >= 0).count()
                };
                seen.topics().iter().any(|topic| i32::try_from(partitions_led(topic)).unwrap() == partitions)
            })
        });
    }

    /// Sends lines without a key to one partition, and waits until all are acknowledged.
    pub fn produce_to<'a>(&self, topic: &str, partition: i32, lines: impl IntoIterator<Item = &'a [u8]>) {
        let producer = self.producer();
        for line in lines {
            send(&producer, || BaseRecord::<(), [u8]>::to(topic).partition(partition).payload(line));
        }
        producer.flush(PATIENCE).unwrap();
    }

    /// Sends lines without a key, one partition after another, and waits until all are acknowledged.
    pub fn produce<'a>(&self, topic: &str, partitions: i32, lines: impl IntoIterator<Item = &'a [u8]>) {
        let producer = self.producer();
        for (line, partition) in lines.into_iter().zip((0..partitions).cycle()) {
            send(&producer, || BaseRecord::<(), [u8]>::to(topic).partition(partition).payload(line));
        }
        producer.flush(PATIENCE).unwrap();
    }

    /// All committed records of a topic up to its present end, each with its partition, in partition and offset order.
    pub fn read_all(&self, topic: &str) -> Vec<Record> {
        let mut config = self.config();
        let consumer: BaseConsumer = config
            .set("group.id", "reader-of-the-tests")
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
            .set("isolation.level", "read_committed")
            .set("enable.partition.eof", "true")
            .create()
            .unwrap();
        let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).unwrap();
        let mut assignment = TopicPartitionList::new();
        let mut open = 0;
        for partition in metadata.topics()[0].partitions() {
            assignment.add_partition_offset(topic, partition.id(), Offset::Beginning).unwrap();
            open += 1;
        }
        consumer.assign(&assignment).unwrap();
        let mut records = Vec::new();
        let begun = Instant::now();
        while open > 0 {
            assert!(begun.elapsed() < PATIENCE, "`{topic}` is not read to its end after {PATIENCE:?}");
            match consumer.poll(Duration::from_millis(200)) {
                None => {}
                Some(Err(KafkaError::PartitionEOF(_))) => open -= 1,
                Some(Err(error)) => panic!("reading `{topic}`: {error}"),
                Some(Ok(message)) => records.push(Record {
                    partition: message.partition(),
                    offset: message.offset(),
                    key: message.key().map(<[u8]>::to_vec),
                    value: message.payload().unwrap_or_default().to_vec(),
                }),
            }
        }
        records.sort_by_key(|record| (record.partition, record.offset));
        records
    }

    /// Offsets that a group has committed on a topic; -1 where it has none.
    pub fn committed(&self, group: &str, topic: &str, partitions: i32) -> Vec<i64> {
        let consumer: BaseConsumer = self.config().set("group.id", group).create().unwrap();
        let mut asked = TopicPartitionList::new();
        for partition in 0..partitions {
            asked.add_partition(topic, partition);
        }
        let begun = Instant::now();
        let committed = loop {
            match consumer.committed_offsets(asked.clone(), PATIENCE) {
                Ok(committed) => break committed,
                // The group's partition of offsets is being made, or loaded after a restart: asked again, as Kafka says.
                Err(KafkaError::MetadataFetch(
                    RDKafkaErrorCode::NotCoordinator
                    | RDKafkaErrorCode::CoordinatorNotAvailable
                    | RDKafkaErrorCode::CoordinatorLoadInProgress,
                )) if begun.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(100)),
                Err(error) => panic!("the offsets of `{group}`: {error}"),
            }
        };
        committed.elements().iter().map(|element| element.offset().to_raw().unwrap_or(-1).max(-1)).collect()
    }

    fn producer(&self) -> ThreadedProducer<rdkafka::producer::DefaultProducerContext> {
        self.config()
            .set("enable.idempotence", "true")
            .set("compression.codec", "lz4")
            .set("linger.ms", "20")
            .create()
            .unwrap()
    }
}

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub partition: i32,
    pub offset: i64,
    pub key: Option<Vec<u8>>,
    pub value: Vec<u8>,
}

/// Sends one record, waiting where the client's queue is full.
fn send<'a>(
    producer: &ThreadedProducer<rdkafka::producer::DefaultProducerContext>,
    record: impl Fn() -> BaseRecord<'a, (), [u8]>,
) {
    let begun = Instant::now();
    loop {
        match producer.send(record()) {
            Ok(()) => return,
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) if begun.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err((error, _)) => panic!("{error}"),
        }
    }
}

/// Two ports that nobody listens on at this moment.
fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.each_ref().map(|listener| listener.local_addr().unwrap().port())
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "still waiting for {what} after {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn read(path: &Path) -> String {
    let mut text = String::new();
    fs::File::open(path).unwrap().read_to_string(&mut text).unwrap();
    text
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}
