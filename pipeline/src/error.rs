//! What ends the program, what it tells a person, and the exit code.
//!
//! One enum for the whole program, because a person sees one message: what failed, where, why, and what to do. The
//! variants carry values; the sentences are made once, in `Display`. A bad record is never one of these: it goes to quarantine.

mod from;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use schemas::nearest;

use crate::config::ConfigErrors;
use crate::text::neutral;

/// Exit code: all is well.
pub const FINE: u8 = 0;
/// Exit code: it ran and found a failure (a failing rule test, the demo's check, alerts where `--fail-on` asks for it).
pub const FOUND: u8 = 1;
/// Exit code: the command line, the configuration, the rules or the assets are wrong.
pub const USAGE: u8 = 2;
/// Exit code: a file, a disk or a broker does not do what it should.
pub const TROUBLE: u8 = 3;
/// Exit code: stopped by a signal.
pub const INTERRUPTED: u8 = 130;

/// Why the program ends before its work is done, or after it with bad news.
#[derive(Debug)]
pub enum Failure {
    /// The command line asks for something impossible.
    Usage {
        /// What is wrong.
        what: String,
        /// What to do.
        advice: String,
    },
    /// The configuration has mistakes.
    Config(ConfigErrors),
    /// Rule files have mistakes; each text is one, already placed in its file.
    Rules(Vec<String>),
    /// An asset, network or geo file has mistakes; each text is one, already placed in its file.
    Assets(Vec<String>),
    /// Something can't be read.
    Unreadable {
        /// Log file, rule folder, configuration, …
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something can't be written. A full disk has words of its own.
    Unwritable {
        /// Alerts, summary, …
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A compressed or binary input file is damaged.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What its decoder said.
        reason: String,
    },
    /// No broker answers.
    BrokerDown {
        /// The configured brokers.
        brokers: Vec<String>,
        /// What the client library said last.
        reason: String,
    },
    /// A broker answers, and refuses us.
    BrokerRefused {
        /// The configured brokers.
        brokers: Vec<String>,
        /// What it said: a failed login, a certificate, a missing permission.
        reason: String,
    },
    /// A topic does not exist.
    TopicMissing {
        /// Its name.
        topic: String,
        /// The topics that exist.
        known: Vec<String>,
    },
    /// Anything else that Kafka refuses.
    Kafka {
        /// What was tried.
        what: String,
        /// What the client library said.
        reason: String,
    },
    /// The lake can't be read or written. A full disk has words of its own.
    Lake {
        /// Its folder.
        path: PathBuf,
        /// What went wrong.
        reason: String,
        /// Whether the disk is full.
        full: bool,
    },
    /// It ran, and what it found is a failure.
    Found {
        /// What.
        what: String,
    },
    /// Stopped by a signal.
    Interrupted {
        /// What is safe, and how to go on.
        state: String,
    },
}

impl Failure {
    /// A [`Failure::Unreadable`].
    pub fn unreadable(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Failure {
        move |source| Failure::Unreadable { what, path: path.to_owned(), source }
    }

    /// A [`Failure::Unwritable`].
    pub fn unwritable(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Failure {
        move |source| Failure::Unwritable { what, path: path.to_owned(), source }
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Failure::Found { .. } => FOUND,
            Failure::Usage { .. } | Failure::Config(_) | Failure::Rules(_) | Failure::Assets(_) => USAGE,
            Failure::Unreadable { .. }
            | Failure::Unwritable { .. }
            | Failure::Damaged { .. }
            | Failure::BrokerDown { .. }
            | Failure::BrokerRefused { .. }
            | Failure::TopicMissing { .. }
            | Failure::Kafka { .. }
            | Failure::Lake { .. } => TROUBLE,
            Failure::Interrupted { .. } => INTERRUPTED,
        }
    }
}

impl From<&Failure> for ExitCode {
    fn from(failure: &Failure) -> ExitCode {
        ExitCode::from(failure.code())
    }
}

impl std::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage { what, advice } => told(f, what, &[("what to do", advice)]),
            Failure::Config(errors) => {
                let count = errors.0.findings().len();
                write!(
                    f,
                    "{errors}\n\n{}",
                    counted(count, "mistake in the configuration", "mistakes in the configuration")
                )
            }
            Failure::Rules(errors) => listed(f, errors, "mistake in the rules", "mistakes in the rules"),
            Failure::Assets(errors) => listed(f, errors, "mistake in the assets", "mistakes in the assets"),
            Failure::Unreadable { what, path, source } => told(
                f,
                &format!("the {what} can't be read"),
                &[("where", &shown(path)), ("why", &source.to_string()), ("what to do", read_advice(source))],
            ),
            Failure::Unwritable { what, path, source } => told(
                f,
                &format!("the {what} can't be written"),
                &[("where", &shown(path)), ("why", &source.to_string()), ("what to do", write_advice(source))],
            ),
            Failure::Damaged { path, reason } => told(
                f,
                "the file is damaged",
                &[
                    ("where", &shown(path)),
                    ("why", reason),
                    ("what to do", "check that it was copied whole; what was read before the damage was not kept"),
                ],
            ),
            Failure::BrokerDown { brokers, reason } => told(
                f,
                "no Kafka broker answers",
                &[
                    ("where", &brokers.join(", ")),
                    ("why", reason),
                    (
                        "what to do",
                        "check that the broker runs, that host and port in `kafka.brokers` are right, and that TLS is on at both ends or at none",
                    ),
                ],
            ),
            Failure::BrokerRefused { brokers, reason } => told(
                f,
                "the Kafka broker refuses us",
                &[
                    ("where", &brokers.join(", ")),
                    ("why", reason),
                    (
                        "what to do",
                        "check `kafka.sasl`, `kafka.tls`, and the permissions of that user for the topics and the group",
                    ),
                ],
            ),
            Failure::TopicMissing { topic, known } => {
                let advice = match nearest(topic, known.iter().map(String::as_str)) {
                    Some(near) => format!(
                        "did you mean `{near}`? Otherwise create the topic, or correct its name in the configuration"
                    ),
                    None => "create the topic, or correct its name in the configuration".to_owned(),
                };
                let exist = if known.is_empty() { "no topic that we may see".to_owned() } else { some(known) };
                told(
                    f,
                    &format!("the topic `{topic}` does not exist"),
                    &[("the broker has", &exist), ("what to do", &advice)],
                )
            }
            Failure::Kafka { what, reason } => told(
                f,
                &format!("Kafka: {what} failed"),
                &[
                    ("why", reason),
                    ("what to do", "what was acknowledged is safe; start again once the broker is well"),
                ],
            ),
            Failure::Lake { path, reason, full } => {
                let advice = if *full {
                    DISK_FULL
                } else {
                    "check the folder, its permissions and its disk; commits are atomic, so what was committed is whole"
                };
                told(
                    f,
                    if *full { "the disk is full" } else { "the lake can't be used" },
                    &[("where", &shown(path)), ("why", reason), ("what to do", advice)],
                )
            }
            Failure::Found { what } => f.write_str(&neutral(what)),
            Failure::Interrupted { state } => told(f, "interrupted", &[("state", state)]),
        }
    }
}

const DISK_FULL: &str = "make room and start again: nothing that was committed is lost, and what was not is read again";

/// `error: …` with one indented line for each thing to say. What comes from outside is made harmless.
fn told(f: &mut fmt::Formatter<'_>, what: &str, rest: &[(&str, &str)]) -> fmt::Result {
    write!(f, "error: {}", neutral(what))?;
    let width = rest.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 1;
    rest.iter().try_for_each(|(name, text)| write!(f, "\n  {:<width$} {}", format!("{name}:"), neutral(text)))
}

fn listed(f: &mut fmt::Formatter<'_>, errors: &[String], one: &str, many: &str) -> fmt::Result {
    errors.iter().try_for_each(|error| write!(f, "{error}\n\n"))?;
    f.write_str(&counted(errors.len(), one, many))
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Some names of a list that may be long.
fn some(names: &[String]) -> String {
    let shown = names.iter().take(10).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > 10 { format!("{shown} and {} more", names.len() - 10) } else { shown }
}

fn read_advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "check the path; relative ones begin where the command was started",
        io::ErrorKind::PermissionDenied => "let this user read it, or run as one who may",
        io::ErrorKind::IsADirectory => "name a file in this folder",
        io::ErrorKind::InvalidData => "it must be UTF-8 text",
        io::ErrorKind::Unsupported => crate::source::file::EVENT_LOG_ADVICE,
        _ => "check the file and its disk",
    }
}

fn write_advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => DISK_FULL,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "name a folder that this user may write to"
        }
        io::ErrorKind::NotFound => "make the folder first, or check the path",
        _ => "check the folder and its disk",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_says_what_where_why_and_what_to_do_and_has_its_code() {
        let disk = Failure::unwritable("summary", Path::new("out/summary.json"))(io::ErrorKind::StorageFull.into());
        let file = Failure::unreadable("log file", Path::new("a.log"))(io::ErrorKind::PermissionDenied.into());
        let brokers = vec!["broker.example.com:9092".to_owned()];
        let down = Failure::BrokerDown { brokers, reason: "connection refused".into() };
        let topic = Failure::TopicMissing { topic: "firewal".into(), known: vec!["firewall".into(), "dns".into()] };
        for (failure, code) in [(&disk, 3), (&file, 3), (&down, 3), (&topic, 3)] {
            assert_eq!(failure.code(), code, "{failure}");
        }
        let all = [disk, file, down, topic].map(|failure| failure.to_string()).join("\n");
        insta::assert_snapshot!(all, @r"
        error: the summary can't be written
          where:      out/summary.json
          why:        no storage space
          what to do: make room and start again: nothing that was committed is lost, and what was not is read again
        error: the log file can't be read
          where:      a.log
          why:        permission denied
          what to do: let this user read it, or run as one who may
        error: no Kafka broker answers
          where:      broker.example.com:9092
          why:        connection refused
          what to do: check that the broker runs, that host and port in `kafka.brokers` are right, and that TLS is on at both ends or at none
        error: the topic `firewal` does not exist
          the broker has: firewall, dns
          what to do:     did you mean `firewall`? Otherwise create the topic, or correct its name in the configuration
        ");
    }

    #[test]
    fn what_the_outside_says_cannot_steer_the_terminal() {
        let failure = Failure::Damaged { path: "a\u{1b}[2Jb".into(), reason: "x\u{7}".into() };
        assert!(failure.to_string().chars().all(|c| c == '\n' || !c.is_control()));
    }
}
