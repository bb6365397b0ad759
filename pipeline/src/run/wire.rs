//! What stands in a message of the hits topic: the hits of one batch for one hits partition, and how far stage 1 has come.
//!
//! ```text
//!   magic "PHT1" | state u8 | epoch i64 | next offset i64 | watermark i64 | partition i32 | name length u16, name | hits
//! ```
//!
//! One message a batch and hits partition, not one a hit: a hit is some hundred bytes, a message costs as much again, and
//! the watermark must go to every partition anyway. The epoch is the claim under which stage 1 owns the input partition:
//! it lets stage 2 drop what a paused former owner still sends. All numbers are big-endian.

use std::fmt;

/// How an input partition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputState {
    /// Records come; its watermark counts.
    Live,
    /// Nothing has come for a while; the watermark doesn't wait for it.
    Idle,
    /// Nothing will come any more: the end of a draining run.
    Ended,
}

/// A message of the hits topic, its parts borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HitsMessage<'a> {
    /// Input topic.
    pub source: &'a str,
    /// Input partition.
    pub partition: i32,
    /// Number of the claim under which the sender owns that input partition; a higher one has taken over.
    pub epoch: i64,
    /// Offset after the last input record that this message covers.
    pub next_offset: i64,
    /// No earlier event is to come from that input partition, microseconds UTC; `i64::MIN` if none has come yet.
    pub watermark_us: i64,
    /// How the input partition stands.
    pub state: InputState,
    /// The hits as [`rules::hit::HitBatch::encode`] writes them; empty if the batch had none for this hits partition.
    pub hits: &'a [u8],
}

/// Bytes that are no message of the hits topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DamagedMessage;

impl fmt::Display for DamagedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a message of the hits topic; does another program write to it?")
    }
}

impl std::error::Error for DamagedMessage {}

const MAGIC: &[u8; 4] = b"PHT1";

impl<'a> HitsMessage<'a> {
    /// The message's bytes. A name of the source longer than 65,535 bytes can't be: Kafka's limit is 249.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.source.len() + self.hits.len());
        out.extend_from_slice(MAGIC);
        out.push(match self.state {
            InputState::Live => 0,
            InputState::Idle => 1,
            InputState::Ended => 2,
        });
        out.extend_from_slice(&self.epoch.to_be_bytes());
        out.extend_from_slice(&self.next_offset.to_be_bytes());
        out.extend_from_slice(&self.watermark_us.to_be_bytes());
        out.extend_from_slice(&self.partition.to_be_bytes());
        let name = &self.source.as_bytes()[..self.source.len().min(usize::from(u16::MAX))];
        out.extend_from_slice(&(name.len() as u16).to_be_bytes());
        out.extend_from_slice(name);
        out.extend_from_slice(self.hits);
        out
    }

    /// Reads a message back.
    ///
    /// # Errors
    /// [`DamagedMessage`] for bytes that [`HitsMessage::encode`] did not write.
    pub fn decode(bytes: &'a [u8]) -> Result<HitsMessage<'a>, DamagedMessage> {
        fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], DamagedMessage> {
            let (head, rest) = bytes.split_first_chunk::<N>().ok_or(DamagedMessage)?;
            *bytes = rest;
            Ok(*head)
        }
        let mut rest = bytes;
        if &take::<4>(&mut rest)? != MAGIC {
            return Err(DamagedMessage);
        }
        let state = match take::<1>(&mut rest)? {
            [0] => InputState::Live,
            [1] => InputState::Idle,
            [2] => InputState::Ended,
            _ => return Err(DamagedMessage),
        };
        let epoch = i64::from_be_bytes(take(&mut rest)?);
        let next_offset = i64::from_be_bytes(take(&mut rest)?);
        let watermark_us = i64::from_be_bytes(take(&mut rest)?);
        let partition = i32::from_be_bytes(take(&mut rest)?);
        let len = usize::from(u16::from_be_bytes(take(&mut rest)?));
        let (name, hits) = rest.split_at_checked(len).ok_or(DamagedMessage)?;
        let source = std::str::from_utf8(name).map_err(|_| DamagedMessage)?;
        Ok(HitsMessage { source, partition, epoch, next_offset, watermark_us, state, hits })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_message_reads_back_and_damage_is_refused(
            source in "[a-z._-]{0,40}", partition: i32, epoch: i64, next_offset: i64, watermark_us: i64, state in 0..3u8,
            hits: Vec<u8>, noise: Vec<u8>,
        ) {
            let state = [InputState::Live, InputState::Idle, InputState::Ended][usize::from(state)];
            let message = HitsMessage { source: &source, partition, epoch, next_offset, watermark_us, state, hits: &hits };
            let bytes = message.encode();
            prop_assert_eq!(HitsMessage::decode(&bytes).unwrap(), message);
            for cut in 0..bytes.len() - hits.len() {
                prop_assert!(HitsMessage::decode(&bytes[..cut]).is_err());
            }
            let _ = HitsMessage::decode(&noise);
        }
    }
}
