//! Windows event log files (`.evtx`): chunks of bytes in, events as XML out.
//!
//! ```text
//! head, 4 KiB │ chunk, 64 KiB │ chunk │ …      a chunk: head, then records of binary XML, with names and templates of its own
//! ```
//! Each record is rendered as the one `<Event>` that Windows itself shows for it, so that the families read it like any other
//! Windows event. Chunks stand for themselves and are read in the order in which they lie in the file, so it may be packed, or
//! come through a pipe, and costs the memory of a chunk and its events.
//!
//! A record's place is its byte position in the (unpacked) file. Its number, which the event keeps, would not do: numbers
//! repeat once a log was cleared or several were merged, and what is damaged may have none.
//!
//! Damage costs what is damaged: a record, or a chunk whose head can't be read. It is told with its place and its bytes, and the
//! next one is read. A log that was copied while Windows wrote to it says so in its head; the checksums of its chunks are then
//! out of date and not looked at.
//!
//! This is a crate of its own because the decoder brings twenty others, with settings that would have half of the pipeline's
//! dependencies compiled again: so it is tested alone, and only who asks for the pipeline's feature `evtx` links it.
//!
//! Source: Microsoft, MS-EVEN6 section 2.2 (binary XML); Joachim Metz, "Windows XML Event Log (EVTX)" (head and chunks).

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use evtx::err::EvtxError;
use evtx::{EvtxChunk, EvtxChunkData, ParserSettings};

/// Bytes of a file's head.
pub const HEAD_BYTES: usize = 4096;
/// Bytes of a chunk.
pub const CHUNK_BYTES: usize = 64 << 10;

/// Bytes of a chunk's head.
const CHUNK_HEAD_BYTES: usize = 512;
/// Bytes of a record's head: mark, length, number, time.
const RECORD_HEAD_BYTES: usize = 24;
/// What a record begins with.
const RECORD_MARK: &[u8] = b"**\0\0";
/// Where the head's flags are, and the one that says that the log was in use.
const FLAGS: usize = 120;
const IN_USE: u8 = 1;

/// An event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Where it begins in [`Made::text`].
    pub start: usize,
    /// Its length in bytes.
    pub len: usize,
    /// Where its record begins in the file; each is greater than that before.
    pub at: u64,
}

/// A part of the file that can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where it begins in the file.
    pub at: u64,
    /// The part.
    pub what: &'static str,
    /// What is wrong with it.
    pub why: String,
    /// The bytes of a record, the head of a chunk.
    pub raw: Vec<u8>,
}

/// What has been read, to be taken over and emptied by the caller whenever he likes.
#[derive(Clone, Debug, Default)]
pub struct Made {
    /// The events, one after the other.
    pub text: Vec<u8>,
    /// Where each lies.
    pub events: Vec<Event>,
    /// What could not be read.
    pub damaged: Vec<Damage>,
}

/// A file that is read chunk by chunk.
pub struct EventLog {
    settings: Arc<ParserSettings>,
    /// Where the next chunk begins.
    at: u64,
    in_use: bool,
}

impl EventLog {
    /// Whether a file begins so.
    pub fn is_one(head: &[u8]) -> bool {
        head.starts_with(b"ElfFile\0")
    }

    /// A file that begins with `head`: [`HEAD_BYTES`] of it, or all.
    pub fn new(head: &[u8], made: &mut Made) -> EventLog {
        if head.len() < HEAD_BYTES {
            made.damage(0, "head of the file", "the file ends in it", head);
        }
        EventLog {
            settings: Arc::new(ParserSettings::new().indent(false)),
            at: head.len() as u64,
            in_use: head.get(FLAGS).is_some_and(|flags| flags & IN_USE != 0),
        }
    }

    /// Reads the next chunk, of which only the last may be shorter than [`CHUNK_BYTES`]; what it holds goes behind `made`. Gives
    /// the room for the next one.
    pub fn chunk(&mut self, mut chunk: Vec<u8>, made: &mut Made) -> Vec<u8> {
        let at = self.at;
        self.at += chunk.len() as u64;
        let whole = chunk.len() == CHUNK_BYTES;
        if !whole {
            made.damage(at, "chunk", "the file ends in it", &chunk[..chunk.len().min(CHUNK_HEAD_BYTES)]);
            chunk.resize(CHUNK_BYTES, 0);
        }
        // files are made longer before they are filled
        if chunk.iter().all(|byte| *byte == 0) {
            return emptied(chunk);
        }
        // The decoder has bounds of its own and is not known to panic, but these files come from machines of attackers.
        let read = catch_unwind(AssertUnwindSafe(|| self.open(at, chunk, whole, made)));
        read.unwrap_or_else(|_| {
            made.damage(at, "chunk", "its decoder gave up", &[]);
            Vec::new()
        })
    }

    fn open(&self, at: u64, chunk: Vec<u8>, whole: bool, made: &mut Made) -> Vec<u8> {
        let head = chunk[..CHUNK_HEAD_BYTES].to_vec();
        let mut data = match EvtxChunkData::new(chunk, false) {
            Ok(data) => data,
            Err(error) => {
                made.damage(at, "chunk", &cause(&error), &head);
                return Vec::new();
            }
        };
        if whole && !self.in_use && !data.validate_checksum() {
            made.damage(at, "chunk", "its checksum is wrong; its records are read as they are", &head);
        }
        match data.parse(self.settings.clone()) {
            Ok(mut chunk) => records(at, &mut chunk, made),
            Err(error) => made.damage(at, "chunk", &cause(&error), &head),
        }
        emptied(data.data)
    }
}

fn emptied(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.clear();
    bytes
}

fn records(at: u64, chunk: &mut EvtxChunk<'_>, made: &mut Made) {
    let bytes = chunk.data;
    let mut from = CHUNK_HEAD_BYTES;
    for record in chunk.iter() {
        let rendered = match record {
            Ok(record) => {
                let begin = (record.binxml_offset as usize).saturating_sub(RECORD_HEAD_BYTES);
                record.into_xml_bytes().map(|record| (begin, record.data)).map_err(|error| (begin, error))
            }
            Err(error) => Err((place(&error, bytes, from), error)),
        };
        let begin = match rendered {
            Ok((begin, text)) => {
                made.event(at + begin as u64, &text);
                begin
            }
            Err((begin, error)) => {
                made.damage(at + begin as u64, "record", &cause(&error), &bytes[begin..begin + length(bytes, begin)]);
                begin
            }
        };
        from = from.max(begin + RECORD_HEAD_BYTES);
    }
}

impl Made {
    fn event(&mut self, at: u64, document: &[u8]) {
        // `<?xml … ?>` begins a document, and this is one event of many
        let event = match memchr::memmem::find(document, b"?>") {
            Some(end) if document.starts_with(b"<?xml") => &document[end + 2..],
            _ => document,
        };
        let event = event.trim_ascii();
        self.events.push(Event { start: self.text.len(), len: event.len(), at });
        self.text.extend_from_slice(event);
    }

    #[cold]
    fn damage(&mut self, at: u64, what: &'static str, why: &str, raw: &[u8]) {
        self.damaged.push(Damage { at, what, why: why.to_owned(), raw: raw.to_vec() });
    }
}

/// The innermost of what an error says.
fn cause(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// Where a record that can't be read begins in its chunk: the error says so, or names its number, which is looked for behind
/// those that have been read.
fn place(error: &EvtxError, chunk: &[u8], from: usize) -> usize {
    let at = match error {
        EvtxError::FailedToReadRecordAt { offset, .. } => *offset as usize,
        EvtxError::FailedToParseRecord { record_id, .. } => {
            let rest = chunk.get(from..).unwrap_or_default();
            let is_it = |at: &usize| rest[*at..].get(8..16) == Some(&record_id.to_le_bytes());
            memchr::memmem::find_iter(rest, RECORD_MARK).find(is_it).map_or(from, |at| from + at)
        }
        _ => from,
    };
    at.min(chunk.len())
}

/// The length of the record that begins there, as it says itself, within the chunk.
fn length(chunk: &[u8], at: usize) -> usize {
    let rest = &chunk[at..];
    let said = rest.get(4..8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes) as usize;
    said.clamp(RECORD_HEAD_BYTES, CHUNK_BYTES).min(rest.len())
}
