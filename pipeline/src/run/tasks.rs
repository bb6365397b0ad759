//! Who owns what, and how far it has come: the tasks in the lake's log.
//!
//! A task is a partition of a stage. In the table that its stage writes it has a `txn` number, which only grows, and one
//! domain entry. Claiming a task is a commit that raises the number and names the new owner; from then on every commit of the
//! old owner is refused, because its number is no longer the next.

use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::clock;
use crate::sink::lake::{CommitError, Lake, LakeError, Table};
use crate::source::kafka::TopicPartition;

/// A task that this process has claimed.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Its name in the log.
    pub name: String,
    /// The number under which it was claimed: the fence.
    pub epoch: i64,
    /// The number of its last commit by this owner.
    pub txn: i64,
    /// What its last commit recorded; null for a task that never was.
    pub state: Value,
}

impl Claim {
    /// Whether `offset` is beyond what has been committed.
    pub fn committed(&self, offset: i64) -> bool {
        self.state["offset"].as_i64() != Some(offset)
    }

    /// The newest event time that has been committed.
    pub fn newest_us(&self) -> i64 {
        self.state["newest_us"].as_i64().unwrap_or(i64::MIN)
    }
}

/// The name of a task in the log.
pub fn app_id(group: &str, stage: &str, place: &TopicPartition) -> String {
    format!("portolan.{group}.{stage}.{}.{}", place.topic, place.partition)
}

/// This process, as it signs its claims: the process number and when it began.
pub fn owner() -> &'static str {
    static OWNER: OnceLock<String> = OnceLock::new();
    OWNER.get_or_init(|| format!("{}-{}", std::process::id(), clock::now_us()))
}

/// How often a claim is tried again when others commit at the same moment.
const TRIES: usize = 50;

/// Claims tasks, all in one commit, and reads what their last owners recorded.
///
/// # Errors
/// The lake's store fails, or others claim the same tasks again and again.
pub fn claim(lake: &Lake, table: Table, names: &[String]) -> Result<Vec<Claim>, LakeError> {
    let mut last = None;
    for _ in 0..TRIES {
        let mut claims = Vec::with_capacity(names.len());
        for name in names {
            let epoch = lake.read_txn(table, name)?.unwrap_or(0) + 1;
            let state = match lake.read_domain(table, name)? {
                Some(text) => serde_json::from_str(&text).unwrap_or(Value::Null),
                None => Value::Null,
            };
            claims.push(Claim { name: name.clone(), epoch, txn: epoch, state });
        }
        if claims.is_empty() {
            return Ok(claims);
        }
        let txns: Vec<(String, i64)> = claims.iter().map(|claim| (claim.name.clone(), claim.epoch)).collect();
        let domains: Vec<(String, String)> = claims
            .iter()
            .map(|claim| {
                let mut state = if claim.state.is_object() { claim.state.clone() } else { json!({}) };
                state["owner"] = json!(owner());
                (claim.name.clone(), state.to_string())
            })
            .collect();
        match lake.commit(table, &[], &txns, &domains) {
            Ok(_) => return Ok(claims),
            Err(CommitError::Conflict { lost }) => last = Some(lost),
            Err(CommitError::Lake(error)) => return Err(error),
        }
    }
    Err(LakeError::contended(table, &last.unwrap_or_default().into_iter().map(|(name, _)| name).collect::<Vec<_>>()))
}
