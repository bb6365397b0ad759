//! From the errors of the parts to the one that a person sees.

use std::path::{Path, PathBuf};

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rules::hit::{BatchFull, DamagedHits};
use rules::plan::UnfitTree;

use super::Failure;
use crate::run::client::DeliveryError;
use crate::sink::lake::{CommitError, LakeError};
use crate::source::file::ReadError;

impl Failure {
    /// Mistakes in a table, placed in its file.
    pub fn assets(path: &Path, errors: Vec<enrichers::TableError>) -> Failure {
        let placed = |error: &enrichers::TableError| {
            format!("{}:{}:{}: {}", path.display(), error.line, error.column, crate::text::neutral(&error.to_string()))
        };
        Failure::Assets(errors.iter().map(placed).collect())
    }

    /// Kafka can't do what we want of it.
    pub fn kafka(what: impl Into<String>, reason: impl ToString) -> Failure {
        Failure::Kafka { what: what.into(), reason: reason.to_string() }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Failure {
        use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        if matches!(error.error.kind(), UnexpectedEof | InvalidData | InvalidInput) {
            return Failure::Damaged { path: error.path, reason: error.error.to_string() };
        }
        Failure::Unreadable { what: "log file", path: error.path, source: error.error }
    }
}

impl From<LakeError> for Failure {
    fn from(error: LakeError) -> Failure {
        let full = matches!(error, LakeError::DiskFull { .. });
        Failure::Lake { path: PathBuf::from(error.at()), reason: error.to_string(), full }
    }
}

impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Failure {
        match error {
            CommitError::Lake(error) => error.into(),
            CommitError::Conflict { .. } => {
                Failure::Lake { path: PathBuf::new(), reason: error.to_string(), full: false }
            }
        }
    }
}

impl From<KafkaError> for Failure {
    fn from(error: KafkaError) -> Failure {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::OffsetOutOfRange | RDKafkaErrorCode::AutoOffsetReset) => Failure::kafka(
                "reading the next record",
                "it is no longer in its topic: records were deleted before they were read; raise the topic's retention, or begin again with another kafka.group",
            ),
            _ => Failure::kafka("the client", error),
        }
    }
}

impl From<DeliveryError> for Failure {
    fn from(error: DeliveryError) -> Failure {
        Failure::kafka(format!("writing to topic `{}`", error.topic), error.error)
    }
}

impl From<DamagedHits> for Failure {
    fn from(error: DamagedHits) -> Failure {
        Failure::kafka(
            "reading the hits topic",
            format!("{error}; do all processes of this group run the same version?"),
        )
    }
}

impl From<UnfitTree> for Failure {
    fn from(error: UnfitTree) -> Failure {
        Failure::Rules(vec![error.to_string()])
    }
}

impl From<BatchFull> for Failure {
    fn from(error: BatchFull) -> Failure {
        Failure::kafka("collecting hits", error)
    }
}
