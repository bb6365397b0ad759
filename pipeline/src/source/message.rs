//! Cuts one message of a queue into records.
//!
//! A collector that batches puts several lines into one message, and a Windows event as text is several lines. All records of a
//! message have its offset; their events are told apart by `sub`, which goes on from one record to the next
//! ([`crate::stages::Worker::work`]).

use parsers::framing::{Framer, Framing, RECORD_MAX, Records};

use super::Received;

/// Appends a message's bytes to `block`, and its records to `records`.
pub fn take(message: &[u8], offset: u64, received_us: i64, block: &mut Vec<u8>, records: &mut Vec<Received>) {
    let begin = block.len();
    let record = |start, len| Received { start: begin + start, len, offset, received_us };
    match Framing::of_message(message) {
        None => {
            block.extend_from_slice(message);
            records.push(record(0, message.len()));
        }
        Some(Framing::LINES) => {
            // an empty message is a tombstone: there is no record in it
            block.extend_from_slice(message);
            let mut start = 0;
            for end in memchr::memchr_iter(b'\n', message).chain([message.len()]) {
                let line = &message[start..end];
                if !line.is_empty() && line != b"\r" {
                    records.push(record(start, line.len()));
                }
                start = end + 1;
            }
        }
        Some(framing) => {
            let mut framer = Framer::new(framing, RECORD_MAX);
            let mut cut = Records::default();
            framer.push(message, &mut cut);
            framer.finish(&mut cut);
            block.extend_from_slice(&cut.bytes);
            records.extend(cut.frames.iter().map(|frame| record(frame.start, frame.len)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(message: &str) -> Vec<String> {
        let (mut block, mut records) = (b"before".to_vec(), Vec::new());
        take(message.as_bytes(), 7, 1, &mut block, &mut records);
        assert!(records.iter().all(|record| record.offset == 7));
        let text = |record: &Received| &block[record.start..record.start + record.len];
        records.iter().map(|record| String::from_utf8_lossy(text(record)).into_owned()).collect()
    }

    #[test]
    fn lines_and_windows_events_are_told_apart_and_a_tombstone_is_none() {
        assert_eq!(cut(""), [""; 0]);
        assert_eq!(cut("\r\n\n"), [""; 0]);
        assert_eq!(cut("one"), ["one"]);
        assert_eq!(cut("{\"a\":1}\n"), ["{\"a\":1}"]);
        assert_eq!(cut("{\"a\":1\n}"), ["{\"a\":1\n}"]);
        assert_eq!(cut("one\n\r\n\ntwo\r\n"), ["one", "two\r"]);
        assert_eq!(cut("{\"a\":1}\n<13>b"), ["{\"a\":1}", "<13>b"]);
        let event = "05/04/2026 09:12:31 AM\nLogName=Security\nEventCode=4634\nMessage=x\n\n\ty";
        assert_eq!(cut(event), [event]);
        assert_eq!(cut(&format!("{event}\n{event}\n")), [event, event]);
    }
}
