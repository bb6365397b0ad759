//! `kafka`: brokers, TLS, SASL, and properties that go to the client library as they are.

use std::path::{Path, PathBuf};

use crate::config::Secret;
use crate::config::places::{Place, place};
use crate::yaml::finding::is_secret_key;
use crate::yaml::{At, Finding, Findings};

/// How to reach the brokers.
#[derive(Clone, Debug, Default)]
pub struct Kafka {
    /// `host:port` of some brokers; the others are learned from them.
    pub brokers: Vec<String>,
    /// The consumer group. Processes of the same group share the partitions.
    pub group: String,
    /// TLS, if the brokers ask for it.
    pub tls: Option<Tls>,
    /// A login, if the brokers ask for one.
    pub sasl: Option<Sasl>,
    /// Further properties of librdkafka, none of which the program sets itself.
    pub properties: Vec<(String, String)>,
}

/// TLS towards the brokers.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Authorities that are believed, PEM; the system's if absent.
    pub ca_file: Option<PathBuf>,
    /// Our certificate, PEM, for brokers that ask for one.
    pub certificate_file: Option<PathBuf>,
    /// Its private key, PEM.
    pub key_file: Option<PathBuf>,
    /// Whether the broker's name must be in its certificate.
    pub verify_hostname: bool,
}

/// A login.
#[derive(Clone, Debug)]
pub struct Sasl {
    /// How it is proved.
    pub mechanism: Mechanism,
    /// The user.
    pub username: String,
    /// The password, from a file or the environment.
    pub password: Secret,
}

/// How a login is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// The password itself; only sensible within TLS.
    Plain,
    /// SCRAM with SHA-256.
    ScramSha256,
    /// SCRAM with SHA-512.
    ScramSha512,
}

impl Mechanism {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

impl Kafka {
    /// Everything about the connection as librdkafka's properties, for consumers and producers alike. Contains the password:
    /// hand it to the client, never to a log.
    pub fn client_properties(&self) -> Vec<(String, String)> {
        let mut out = vec![("bootstrap.servers".to_owned(), self.brokers.join(","))];
        let mut set = |key: &str, value: String| out.push((key.to_owned(), value));
        let protocol = match (&self.tls, &self.sasl) {
            (None, None) => "plaintext",
            (Some(_), None) => "ssl",
            (None, Some(_)) => "sasl_plaintext",
            (Some(_), Some(_)) => "sasl_ssl",
        };
        set("security.protocol", protocol.to_owned());
        if let Some(tls) = &self.tls {
            let files = [
                ("ssl.ca.location", &tls.ca_file),
                ("ssl.certificate.location", &tls.certificate_file),
                ("ssl.key.location", &tls.key_file),
            ];
            for (key, file) in files {
                if let Some(file) = file {
                    set(key, file.display().to_string());
                }
            }
            let check = if tls.verify_hostname { "https" } else { "none" };
            set("ssl.endpoint.identification.algorithm", check.to_owned());
        }
        if let Some(sasl) = &self.sasl {
            set("sasl.mechanism", sasl.mechanism.name().to_owned());
            set("sasl.username", sasl.username.clone());
            set("sasl.password", sasl.password.reveal().to_owned());
        }
        out.extend(self.properties.iter().cloned());
        out
    }
}

/// Properties that belong to the program, and where their meaning is configured instead.
const OURS: [(&str, &str); 22] = [
    ("bootstrap.servers", "write `kafka.brokers`"),
    ("metadata.broker.list", "write `kafka.brokers`"),
    ("group.id", "write `kafka.group`"),
    ("security.protocol", "write `kafka.tls` and `kafka.sasl`"),
    ("sasl.mechanism", "write `kafka.sasl.mechanism`"),
    ("sasl.mechanisms", "write `kafka.sasl.mechanism`"),
    ("sasl.username", "write `kafka.sasl.username`"),
    ("ssl.ca.location", "write `kafka.tls.ca_file`"),
    ("ssl.certificate.location", "write `kafka.tls.certificate_file`"),
    ("ssl.key.location", "write `kafka.tls.key_file`"),
    ("ssl.endpoint.identification.algorithm", "write `kafka.tls.verify_hostname`"),
    ("auto.offset.reset", "write `input.start`"),
    ("enable.auto.commit", "remove it: offsets are committed when what they cover is safe"),
    ("auto.commit.enable", "remove it: offsets are committed when what they cover is safe"),
    ("enable.auto.offset.store", "remove it: offsets are stored when what they cover is safe"),
    ("enable.idempotence", "remove it: the producer is always idempotent"),
    ("acks", "remove it: every replica in sync must have a message"),
    ("request.required.acks", "remove it: every replica in sync must have a message"),
    ("partitioner", "remove it: keys are placed as the Java client places them"),
    ("enable.partition.eof", "remove it: the program needs it as it is"),
    ("isolation.level", "remove it: only committed messages are read"),
    ("transactional.id", "remove it: the lake's log decides what was committed"),
];

/// Reads the section.
pub fn kafka(at: At<'_>, found: &mut Findings, base: &Path) -> Option<Kafka> {
    let mut section = at.section(found)?;
    let brokers = section.required("brokers", "[broker.example.com:9092]", found, |at, found| at.some(found, broker));
    let group = section.optional("group", found, |at, found| at.text(found));
    let tls = section.optional("tls", found, |at, found| tls(at, found, base));
    let sasl_at = section.get("sasl");
    let sasl = section.optional("sasl", found, |at, found| sasl(at, found, base));
    let properties = section.optional("properties", found, properties);
    if let (Some(at), None, Some(Sasl { mechanism: Mechanism::Plain, .. })) = (sasl_at, &tls, &sasl) {
        found.note(
            Finding::warning(at.span(), "the password goes over the network in clear text", "PLAIN without `tls`")
                .help("add `tls: {}` under `kafka`, or use SCRAM-SHA-512"),
        );
    }
    section.finish(found);
    Some(Kafka {
        brokers: brokers.unwrap_or_default(),
        group: group.unwrap_or_else(|| "portolan".to_owned()),
        tls,
        sasl,
        properties: properties.unwrap_or_default(),
    })
}

/// `host:port`, `[v6]:port`.
fn broker(at: At<'_>, found: &mut Findings) -> Option<String> {
    let text = at.text(found)?;
    let help = match text.rsplit_once(':') {
        _ if text.contains("://") => "write `host:port` without a scheme".to_owned(),
        _ if text.contains(',') => "one broker an item: `[a:9092, b:9092]`".to_owned(),
        Some((host, port)) => match port.parse::<u16>() {
            Ok(1..) if !host.is_empty() && !host.contains(char::is_whitespace) => return Some(text),
            Ok(_) => "the host is missing, or has blanks".to_owned(),
            Err(_) => format!("`{port}` is no port; write `{host}:9092`"),
        },
        None => format!("the port is missing; write `{text}:9092`"),
    };
    at.wrong(found, "not `host:port`", help);
    None
}

fn tls(at: At<'_>, found: &mut Findings, base: &Path) -> Option<Tls> {
    let mut section = at.section(found)?;
    let mut file =
        |key, found: &mut Findings| section.optional(key, found, |at, found| place(&at, found, base, Place::File));
    let ca_file = file("ca_file", found);
    let certificate_file = file("certificate_file", found);
    let key_file = file("key_file", found);
    let verify_hostname = section.optional("verify_hostname", found, |at, found| at.boolean(found)).unwrap_or(true);
    if let (Some(at), None) | (None, Some(at)) = (section.get("certificate_file"), section.get("key_file")) {
        at.wrong(found, "one without the other", "a certificate needs its key: give `certificate_file` and `key_file`");
    }
    section.finish(found);
    Some(Tls { ca_file, certificate_file, key_file, verify_hostname })
}

fn sasl(at: At<'_>, found: &mut Findings, base: &Path) -> Option<Sasl> {
    let words = [Mechanism::Plain, Mechanism::ScramSha256, Mechanism::ScramSha512].map(|it| (it.name(), it));
    let mut section = at.section(found)?;
    let mechanism = section.required("mechanism", "SCRAM-SHA-512", found, |at, found| at.word(found, &words));
    let username = section.required("username", "portolan", found, |at, found| at.text(found));
    let from_file = section.optional("password_file", found, |at, found| password_file(&at, found, base));
    let from_env = section.optional("password_env", found, |at, found| password_env(&at, found));
    match (section.get("password_file"), section.get("password_env")) {
        (Some(_), Some(at)) => at.wrong(found, "two passwords", "keep `password_file` or `password_env`, not both"),
        (None, None) => found.note(
            Finding::error(at.span(), "the login has no password", "in `kafka.sasl`")
                .help("add `password_file: FILE`, or `password_env: NAME` of an environment variable that holds it"),
        ),
        (Some(_), None) | (None, Some(_)) => {}
    }
    section.finish(found);
    Some(Sasl {
        mechanism: mechanism.unwrap_or(Mechanism::Plain),
        username: username.unwrap_or_default(),
        password: from_file.or(from_env).unwrap_or_default(),
    })
}

fn password_file(at: &At<'_>, found: &mut Findings, base: &Path) -> Option<Secret> {
    let path = place(at, found, base, Place::File)?;
    match std::fs::read_to_string(&path).map(|text| Secret::new(&text)) {
        Ok(secret) if !secret.is_empty() => Some(secret),
        Ok(_) => {
            at.wrong(found, "the file is empty", "write the password into it");
            None
        }
        Err(error) => {
            at.wrong(found, format!("can't be read: {error}"), "it must be a text file");
            None
        }
    }
}

fn password_env(at: &At<'_>, found: &mut Findings) -> Option<Secret> {
    let name = at.text(found)?;
    match std::env::var(&name) {
        Ok(value) if !value.is_empty() => Some(Secret::new(&value)),
        Ok(_) | Err(_) => {
            at.wrong(found, "this environment variable is not set", format!("set {name} before the start"));
            None
        }
    }
}

/// Free properties, without those that belong to the program and those that are secrets.
fn properties(at: At<'_>, found: &mut Findings) -> Option<Vec<(String, String)>> {
    let mut out = Vec::new();
    for (key, span, value) in at.texts(found)? {
        let ours = OURS.iter().find(|(name, _)| *name == key).map(|(_, instead)| (*instead).to_owned());
        let secret =
            is_secret_key(&key).then(|| "write `kafka.sasl` with `password_file` or `password_env`".to_owned());
        match ours.or(secret) {
            Some(instead) => {
                let title = format!("the property `{key}` can't be set here");
                found.note(Finding::error(span, title, "belongs to the program").help(instead));
            }
            None => out.push((key, value)),
        }
    }
    Some(out)
}
