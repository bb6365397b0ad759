//! What can go wrong with a lake: what was tried, where, why it failed, and what to do about it.
//!
//! The libraries below (files, object stores, Parquet, the Delta kernel) wrap each other's errors several
//! layers deep, and their texts speak of their own insides. So the chain of causes is searched once for the
//! few causes that a person can act upon; what remains keeps its own text under [`LakeError::Other`].

use std::error::Error as StdError;
use std::fmt;
use std::io;

use delta_kernel::{KernelError, object_store};

use super::Table;

/// A failure of the lake. Each message says what was tried, where, why not, and the next step.
#[derive(Debug)]
pub enum LakeError {
    /// No room on the device, or the quota is used up.
    DiskFull {
        /// What was tried.
        doing: &'static str,
        /// The file, folder or URL.
        at: String,
    },
    /// The operating system or the object store says no.
    Denied {
        /// What was tried.
        doing: &'static str,
        /// The file, folder or URL.
        at: String,
        /// The refusal in the words of the one who refused.
        why: String,
    },
    /// The store does not answer, or its name does not resolve.
    Unreachable {
        /// What was tried.
        doing: &'static str,
        /// The URL.
        at: String,
        /// The transport's own words.
        why: String,
    },
    /// The root is not a folder and not a URL of a kind that is known.
    BadRoot {
        /// The root as it was given.
        root: String,
        /// What is wrong with it.
        why: String,
    },
    /// The table exists with columns that do not go with ours, or a column has a type that Delta lacks.
    Schema {
        /// Which table.
        table: Table,
        /// Which column.
        column: String,
        /// What was needed.
        expected: String,
        /// What was there.
        found: String,
    },
    /// The table's log cannot be read as Delta.
    Log {
        /// Which table.
        table: Table,
        /// Where it lies.
        at: String,
        /// The kernel's words.
        why: String,
    },
    /// All else, in the words of the library that failed.
    Other {
        /// What was tried.
        doing: &'static str,
        /// The file, folder or URL.
        at: String,
        /// The library's words.
        why: String,
    },
}

impl LakeError {
    /// Others keep claiming the same tasks at the same moment.
    #[cold]
    pub fn contended(table: Table, tasks: &[String]) -> LakeError {
        let why =
            "other processes claim them again and again; do two groups of processes use the same names?".to_owned();
        LakeError::Other { doing: "claim tasks", at: format!("table `{table}`, {}", tasks.join(", ")), why }
    }

    /// The file, folder or URL that it is about.
    pub fn at(&self) -> &str {
        match self {
            LakeError::DiskFull { at, .. }
            | LakeError::Denied { at, .. }
            | LakeError::Unreachable { at, .. }
            | LakeError::Log { at, .. }
            | LakeError::Other { at, .. } => at,
            LakeError::BadRoot { root, .. } => root,
            LakeError::Schema { table, .. } => table.name(),
        }
    }
}

impl fmt::Display for LakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DiskFull { doing, at } => write!(
                f,
                "{doing}: no space left at `{at}`; nothing committed so far is lost: free space there and start again"
            ),
            Self::Denied { doing, at, why } => write!(
                f,
                "{doing}: not allowed at `{at}` ({why}); give this user the right to write there, or choose another folder"
            ),
            Self::Unreachable { doing, at, why } => write!(
                f,
                "{doing}: `{at}` cannot be reached ({why}); check the address, the network and the credentials"
            ),
            Self::BadRoot { root, why } => write!(
                f,
                "the lake's root `{root}` cannot be used: {why}; give a folder, or a URL that begins with file, s3, gs, az or abfss"
            ),
            Self::Schema { table, column, expected, found } => write!(
                f,
                "table `{table}`, column `{column}`: expected {expected}, found {found}; \
                 write to a new root, or move the old table away"
            ),
            Self::Log { table, at, why } => write!(
                f,
                "table `{table}` at `{at}`: its log cannot be read ({why}); check `_delta_log` there, or write to a new root"
            ),
            Self::Other { doing, at, why } => write!(f, "{doing}: `{at}`: {why}"),
        }
    }
}

impl StdError for LakeError {}

/// Why a commit did not happen.
#[derive(Debug)]
pub enum CommitError {
    /// A newer owner has moved these application ids: whoever holds them has lost them. Nothing was committed.
    /// The files of this commit are unreferenced; commit the remaining tasks without the lost ones.
    Conflict {
        /// The application ids whose recorded version is not below the one to be committed, with that version.
        lost: Vec<(String, i64)>,
    },
    /// The store failed. Whether the commit happened is not known where the failure came after the request was
    /// sent: read the application ids back before trying again.
    Lake(LakeError),
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict { lost } => {
                f.write_str("another process has taken over")?;
                for (app_id, version) in lost {
                    write!(f, " `{app_id}` (now at version {version})")?;
                }
                f.write_str("; this process gives them up")
            }
            Self::Lake(error) => error.fmt(f),
        }
    }
}

impl StdError for CommitError {}

impl From<LakeError> for CommitError {
    fn from(error: LakeError) -> Self {
        Self::Lake(error)
    }
}

/// What `object_store` calls a folder of this machine.
const LOCAL_STORE: &str = "LocalFileSystem";

/// What an error comes down to, whoever wrapped it.
enum Cause {
    Full,
    Denied(String),
    Unreachable(String),
    Unknown,
}

/// Makes a [`LakeError`] of an `io::Error`.
#[cold]
pub(super) fn of_io(doing: &'static str, at: impl Into<String>, error: &io::Error) -> LakeError {
    build(doing, at.into(), cause_of_io(error), error.to_string())
}

/// Makes a [`LakeError`] of any error with a chain of sources.
#[cold]
pub(super) fn of_any(doing: &'static str, at: impl Into<String>, error: &(dyn StdError + 'static)) -> LakeError {
    build(doing, at.into(), cause_of(error), text_of(error))
}

/// Makes a [`LakeError`] of the kernel's error. What is neither the store's nor the system's fault is the log's.
#[cold]
pub(super) fn of_kernel(doing: &'static str, table: Table, at: impl Into<String>, error: &KernelError) -> LakeError {
    let at = at.into();
    let cause = cause_of(error);
    match cause {
        Cause::Unknown => LakeError::Log { table, at, why: format!("{doing}: {}", text_of(error)) },
        Cause::Full | Cause::Denied(_) | Cause::Unreachable(_) => build(doing, at, cause, text_of(error)),
    }
}

fn build(doing: &'static str, at: String, cause: Cause, why: String) -> LakeError {
    match cause {
        Cause::Full => LakeError::DiskFull { doing, at },
        Cause::Denied(why) => LakeError::Denied { doing, at, why },
        Cause::Unreachable(why) => LakeError::Unreachable { doing, at, why },
        Cause::Unknown => LakeError::Other { doing, at, why },
    }
}

fn cause_of(error: &(dyn StdError + 'static)) -> Cause {
    let mut next = Some(error);
    while let Some(error) = next {
        let cause = if let Some(error) = error.downcast_ref::<io::Error>() {
            cause_of_io(error)
        } else if let Some(error) = error.downcast_ref::<KernelError>() {
            // Two variants are transparent: their own source is left out of the chain.
            match error {
                KernelError::IOError(error) => cause_of_io(error),
                KernelError::Backtraced { source, .. } => cause_of(source.as_ref()),
                KernelError::ObjectStore(error) => cause_of(error),
                _ => Cause::Unknown,
            }
        } else if let Some(error) = error.downcast_ref::<object_store::Error>() {
            match error {
                object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                    Cause::Denied(error.to_string())
                }
                // A bucket's client reports all that it could not do as generic, after its own tries.
                object_store::Error::Generic { store, .. } if *store != LOCAL_STORE => {
                    match error.source().map_or(Cause::Unknown, cause_of) {
                        Cause::Unknown => Cause::Unreachable(text_of(error)),
                        known => known,
                    }
                }
                _ => Cause::Unknown,
            }
        } else {
            Cause::Unknown
        };
        match cause {
            Cause::Unknown => next = error.source(),
            Cause::Full | Cause::Denied(_) | Cause::Unreachable(_) => return cause,
        }
    }
    Cause::Unknown
}

fn cause_of_io(error: &io::Error) -> Cause {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => Cause::Full,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Cause::Denied(error.to_string()),
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::TimedOut => Cause::Unreachable(error.to_string()),
        _ => match error.get_ref() {
            Some(inner) => cause_of(inner),
            None => Cause::Unknown,
        },
    }
}

/// The texts of the whole chain, without repeating one that already contains the next.
fn text_of(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        next = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_recognised_through_the_layers_that_wrap_it() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let wrapped = object_store::Error::Generic { store: LOCAL_STORE, source: Box::new(full) };
        let error = of_kernel("commit", Table::Flows, "/lake/flows", &KernelError::from(wrapped));
        assert_eq!(
            error.to_string(),
            "commit: no space left at `/lake/flows`; nothing committed so far is lost: free space there and start again"
        );
    }

    #[test]
    fn a_refusal_keeps_the_words_of_the_one_who_refused() {
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        let error = of_io("create the folder", "/lake", &denied);
        assert_eq!(
            error.to_string(),
            "create the folder: not allowed at `/lake` (permission denied); \
             give this user the right to write there, or choose another folder"
        );
    }

    #[test]
    fn an_address_where_nobody_listens_is_unreachable() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let wrapped = object_store::Error::Generic { store: "S3", source: Box::new(refused) };
        assert!(matches!(of_any("write", "s3://bucket/lake", &wrapped), LakeError::Unreachable { .. }));
    }
}
