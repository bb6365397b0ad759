//! Where records come from: blocks of received bytes with the place of each record in them.
//!
//! A source copies what it receives into one block and says where each record begins and ends. All later stages
//! borrow from that block; nothing else is copied on the way to the sink.

pub mod file;
pub mod kafka;
pub mod message;

use std::sync::Arc;

use schemas::Reject;

/// One received record inside a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Where it begins in the block.
    pub start: usize,
    /// Its length in bytes, without the line end.
    pub len: usize,
    /// Kafka offset, or line number from 1; the byte position in a Windows event log file.
    pub offset: u64,
    /// When it was received, microseconds UTC: the broker's time stamp, or the file's date.
    pub received_us: i64,
}

/// A block of received bytes from one place.
#[derive(Clone, Debug)]
pub struct Block {
    /// Topic, or path of a file.
    pub source: Arc<str>,
    /// Partition of the topic; 0 for a file.
    pub partition: i32,
    /// The bytes.
    pub bytes: Arc<Vec<u8>>,
    /// The records in them, in order.
    pub records: Vec<Received>,
    /// What the source could make no records of.
    pub damaged: Vec<Damage>,
}

/// A part of a source that is damaged, so that no record can be made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// What is wrong with it.
    pub reject: Reject,
    /// Where it begins, as [`Received::offset`].
    pub offset: u64,
    /// When it was received, microseconds UTC.
    pub received_us: i64,
    /// Its bytes, or its first ones.
    pub raw: Vec<u8>,
}
