//! How far each input partition has come, as one hits partition has heard it: duplicates, fences and the watermark.

use std::collections::BTreeMap;

use super::wire::{HitsMessage, InputState};
use crate::source::kafka::TopicPartition;

/// What one hits partition knows of one input partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Input {
    epoch: i64,
    next_offset: i64,
    watermark_us: i64,
    state: InputState,
}

/// All input partitions of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    known: BTreeMap<(String, i32), Option<Input>>,
}

impl Inputs {
    /// None of these partitions has been heard of yet.
    pub fn new(partitions: &[TopicPartition]) -> Inputs {
        Inputs { known: partitions.iter().map(|place| ((place.topic.clone(), place.partition), None)).collect() }
    }

    /// Takes note of a message. Gives the first input offset whose hits are new, or `None` if the message comes from an owner
    /// who has been overtaken or says nothing new.
    ///
    /// Stage 1 works a partition off in order and sends the same again after a crash, so everything below the highest
    /// offset heard is a repetition. A higher epoch means a new owner, who begins at the committed offset: what the old one
    /// sends after that is dropped, because the new one sends it, too.
    pub fn take(&mut self, message: &HitsMessage<'_>) -> Option<i64> {
        let entry = self.known.entry((message.source.to_owned(), message.partition)).or_default();
        let new = Input {
            epoch: message.epoch,
            next_offset: message.next_offset,
            watermark_us: message.watermark_us,
            state: message.state,
        };
        let Some(known) = entry else {
            *entry = Some(new);
            return Some(0);
        };
        if message.epoch < known.epoch {
            return None;
        }
        let seen = known.next_offset;
        known.epoch = message.epoch;
        if message.next_offset < seen {
            return None;
        }
        known.next_offset = message.next_offset;
        known.watermark_us = known.watermark_us.max(message.watermark_us);
        known.state = message.state;
        Some(seen)
    }

    /// No earlier event is to come, microseconds UTC. `None` while an input partition that is not idle has said nothing yet,
    /// or while all are idle.
    pub fn watermark_us(&self) -> Option<i64> {
        let mut lowest = None;
        for input in self.known.values() {
            match input {
                None => return None,
                Some(input) => match input.state {
                    InputState::Live => {
                        lowest = Some(lowest.map_or(input.watermark_us, |low: i64| low.min(input.watermark_us)))
                    }
                    InputState::Idle | InputState::Ended => {}
                },
            }
        }
        lowest.filter(|watermark_us| *watermark_us != i64::MIN)
    }

    /// Whether nothing will come any more.
    pub fn all_ended(&self) -> bool {
        self.known.values().all(|input| input.is_some_and(|input| input.state == InputState::Ended))
    }

    /// The bytes of it, self-delimiting.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let heard: Vec<_> = self.known.iter().filter_map(|(place, input)| input.map(|input| (place, input))).collect();
        out.extend_from_slice(&(heard.len() as u32).to_be_bytes());
        for ((topic, partition), input) in heard {
            let message = HitsMessage {
                source: topic,
                partition: *partition,
                epoch: input.epoch,
                next_offset: input.next_offset,
                watermark_us: input.watermark_us,
                state: input.state,
                hits: &[],
            };
            let bytes = message.encode();
            out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
            out.extend_from_slice(&bytes);
        }
        out
    }

    /// Takes over what a snapshot knows; gives the bytes after it. `None` if they are no snapshot.
    pub fn restore<'a>(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let (count, mut rest) = bytes.split_first_chunk::<4>()?;
        for _ in 0..u32::from_be_bytes(*count) {
            let (len, after) = rest.split_first_chunk::<4>()?;
            let (message, after) = after.split_at_checked(u32::from_be_bytes(*len) as usize)?;
            self.take(&HitsMessage::decode(message).ok()?);
            rest = after;
        }
        Some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(count: i32) -> Vec<TopicPartition> {
        (0..count).map(|partition| TopicPartition { topic: "in".into(), partition }).collect()
    }

    fn message(
        partition: i32,
        epoch: i64,
        next_offset: i64,
        watermark_us: i64,
        state: InputState,
    ) -> HitsMessage<'static> {
        HitsMessage { source: "in", partition, epoch, next_offset, watermark_us, state, hits: &[] }
    }

    #[test]
    fn the_slowest_input_that_is_not_idle_decides_and_an_unheard_one_holds_back() {
        use InputState::{Ended, Idle, Live};
        let mut inputs = Inputs::new(&places(3));
        inputs.take(&message(0, 1, 10, 500, Live));
        inputs.take(&message(1, 1, 10, 300, Live));
        assert_eq!(inputs.watermark_us(), None, "partition 2 may hold old events");
        inputs.take(&message(2, 1, 0, i64::MIN, Idle));
        assert_eq!(inputs.watermark_us(), Some(300));
        inputs.take(&message(1, 1, 11, 300, Ended));
        assert_eq!(inputs.watermark_us(), Some(500));
        assert!(!inputs.all_ended());
    }

    #[test]
    fn repetitions_and_overtaken_owners_are_told_apart() {
        let mut inputs = Inputs::new(&places(1));
        assert_eq!(inputs.take(&message(0, 1, 10, 1, InputState::Live)), Some(0));
        assert_eq!(inputs.take(&message(0, 2, 6, 1, InputState::Live)), None, "the new owner repeats");
        assert_eq!(inputs.take(&message(0, 2, 14, 2, InputState::Live)), Some(10), "and goes on");
        assert_eq!(inputs.take(&message(0, 1, 99, 9, InputState::Live)), None, "the old one is not heard any more");
        let mut again = Inputs::new(&places(1));
        let bytes = inputs.snapshot();
        assert_eq!(again.restore(&bytes), Some(&[][..]));
        assert_eq!(again, inputs);
    }
}
