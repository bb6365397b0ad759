//! Files and folders as sources: plain, gzip, zstd, and standard input.
//!
//! Compression is told by the first bytes, not by the name, because logs are renamed more often than re-packed.
//! A compressed file is read as a stream in blocks of a few megabytes, so that a bomb of gigabytes costs the memory of
//! one block; a line longer than [`LINE_MAX`] is cut behind it, so that the parser refuses it, and read over to its end.
//!
//! A record is a line, unless the first bytes show another framing ([`Framing::guess`]): UTF-16, counted syslog, Windows events
//! as text, JSON over several lines. Then a [`Framer`] makes the records, in order, and blocks are made of whole ones all the same.
//! Windows event log files (`.evtx`) are read by their own reader, where it is built in (feature `evtx`).
//! Folders are read in name order, so that a run over the same files is the same run.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use parsers::framing::{Framer, Framing, HEAD_BYTES, RECORD_MAX, Records};

#[cfg(feature = "evtx")]
use super::Damage;
use super::{Block, Received};
#[cfg(feature = "evtx")]
use eventlog::{CHUNK_BYTES, EventLog, Made};
#[cfg(feature = "evtx")]
use schemas::{Reject, RejectKind};

/// Bytes of a block. Large enough that a batch's fixed costs vanish, small enough to stay near the cache.
pub const BLOCK_BYTES: usize = 4 << 20;

/// Longest line that is taken whole, in bytes.
pub const LINE_MAX: usize = RECORD_MAX;

/// Bytes that a framer is given at once.
const PIECE_BYTES: usize = 256 << 10;

/// Something that could not be read.
#[derive(Debug)]
pub struct ReadError {
    /// The file.
    pub path: PathBuf,
    /// What the system says.
    pub error: io::Error,
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot read {}: {}", self.path.display(), self.error)?;
        match self.error.kind() {
            io::ErrorKind::NotFound => write!(f, "; check the path"),
            io::ErrorKind::PermissionDenied => write!(f, "; run as a user who may read it, or change its permissions"),
            io::ErrorKind::Unsupported => write!(f, "; {EVENT_LOG_ADVICE}"),
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                write!(f, "; the compressed file is damaged or was cut; unpack what is left of it by hand")
            }
            _ => Ok(()),
        }
    }
}

/// Lists the files that some paths mean: files as they are, folders with all that is under them, in name order.
/// `-` is standard input. Hidden files and folders inside a folder are left out.
///
/// # Errors
/// A path that doesn't exist or can't be listed.
pub fn list(paths: &[PathBuf]) -> Result<Vec<PathBuf>, ReadError> {
    let mut files = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            files.push(path.clone());
        } else {
            walk(path, &mut files, 0)?;
        }
    }
    Ok(files)
}

/// Deepest nesting of folders that is followed; deeper ones are a loop of links.
const DEPTH_MAX: usize = 64;

fn walk(path: &Path, files: &mut Vec<PathBuf>, depth: usize) -> Result<(), ReadError> {
    let failed = |error| ReadError { path: path.to_owned(), error };
    let kind = std::fs::metadata(path).map_err(failed)?;
    if !kind.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    if depth >= DEPTH_MAX {
        return Err(failed(io::Error::other("folders nested more than 64 deep; is there a loop of links?")));
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        names.push(entry.map_err(failed)?.path());
    }
    names.sort();
    for name in names {
        let hidden = name.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden {
            walk(&name, files, depth + 1)?;
        }
    }
    Ok(())
}

/// An open file as a sequence of blocks of whole lines.
pub struct FileSource {
    path: PathBuf,
    source: Arc<str>,
    reader: Box<dyn Read + Send>,
    received_us: i64,
    rest: Vec<u8>,
    line: u64,
    ended: bool,
    /// Whether what comes next belongs to a line that was cut.
    in_cut_line: bool,
    shape: Shape,
}

/// What a file holds.
enum Shape {
    /// Lines.
    Lines,
    /// Records that are no lines.
    Framed(Framer),
    /// Chunks of a Windows event log.
    #[cfg(feature = "evtx")]
    EventLog(EventLog, Made),
}

/// What to do about a Windows event log file where their reader is not built in.
pub const EVENT_LOG_ADVICE: &str = "build it with `cargo build --release --features evtx`, or export the log as XML on Windows: \
    wevtutil query-events FILE /lf:true /f:XML > FILE.xml";

/// What a Windows event log file begins with.
const EVENT_LOG: &[u8] = b"ElfFile\0";

impl Shape {
    /// Tells by a file's first bytes.
    fn of(head: &[u8]) -> io::Result<Shape> {
        if head.starts_with(EVENT_LOG) {
            return Shape::event_log(head);
        }
        match Framing::guess(head) {
            Framing::LINES => Ok(Shape::Lines),
            framing => Ok(Shape::Framed(Framer::new(framing, LINE_MAX))),
        }
    }

    #[cfg(feature = "evtx")]
    fn event_log(head: &[u8]) -> io::Result<Shape> {
        let mut made = Made::default();
        let log = EventLog::new(head, &mut made);
        Ok(Shape::EventLog(log, made))
    }

    #[cfg(not(feature = "evtx"))]
    fn event_log(_: &[u8]) -> io::Result<Shape> {
        let why = "it is a Windows event log file (.evtx), and this portolan was built without their reader";
        Err(io::Error::new(io::ErrorKind::Unsupported, why))
    }
}

impl FileSource {
    /// Opens a file, or standard input for `-`.
    ///
    /// `now_us` is the time of day: it is the received time of standard input, and of files that have no date.
    ///
    /// # Errors
    /// The file can't be opened or its head can't be read.
    pub fn open(path: &Path, now_us: i64) -> Result<FileSource, ReadError> {
        let failed = |error| ReadError { path: path.to_owned(), error };
        let (mut raw, received_us): (Box<dyn Read + Send>, i64) = if path.as_os_str() == "-" {
            (Box::new(io::stdin()), now_us)
        } else {
            let file = File::open(path).map_err(failed)?;
            let modified = file.metadata().and_then(|data| data.modified()).ok();
            let date = modified
                .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
                .map_or(now_us, |since| since.as_micros() as i64);
            (Box::new(file), date)
        };
        let mut head = [0; 4];
        let mut filled = 0;
        while filled < head.len() {
            match raw.read(&mut head[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        let head = head[..filled].to_vec();
        let whole: Box<dyn Read + Send> = Box::new(io::Cursor::new(head.clone()).chain(raw));
        let reader: Box<dyn Read + Send> = match head.as_slice() {
            [0x1f, 0x8b, ..] => {
                Box::new(flate2::read::MultiGzDecoder::new(io::BufReader::with_capacity(1 << 18, whole)))
            }
            [0x28, 0xb5, 0x2f, 0xfd] => Box::new(zstd::stream::read::Decoder::new(whole).map_err(failed)?),
            _ => whole,
        };
        let mut reader = reader;
        let mut rest = Vec::new();
        read_some(&mut reader, &mut rest, HEAD_BYTES).map_err(failed)?;
        let shape = Shape::of(&rest).map_err(failed)?;
        Ok(FileSource {
            path: path.to_owned(),
            source: Arc::from(path.to_string_lossy()),
            reader,
            received_us,
            rest,
            line: 0,
            ended: false,
            in_cut_line: false,
            shape,
        })
    }

    /// The file's name as it stands in provenance.
    pub fn source(&self) -> &Arc<str> {
        &self.source
    }

    /// Whether each record is a line, so that empty lines are missing numbers.
    pub fn has_lines(&self) -> bool {
        matches!(self.shape, Shape::Lines)
    }

    /// The next block of whole records; `None` at the end.
    ///
    /// # Errors
    /// What the system or the unpacker says. What was read before it has been given.
    pub fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        if self.in_cut_line {
            self.skip_cut_line()?;
        }
        if self.ended {
            return Ok(None);
        }
        match self.shape {
            Shape::Lines => self.next_lines(),
            Shape::Framed(_) => self.next_framed(),
            #[cfg(feature = "evtx")]
            Shape::EventLog(..) => self.next_chunks(),
        }
    }

    fn next_lines(&mut self) -> Result<Option<Block>, ReadError> {
        let mut bytes = std::mem::take(&mut self.rest);
        bytes.reserve(BLOCK_BYTES.saturating_sub(bytes.len()));
        let mut searched = 0;
        let mut last_end = None;
        loop {
            let from = bytes.len();
            let want = BLOCK_BYTES.max(from + BLOCK_BYTES / 4) - from;
            let read = self.read_more(&mut bytes, want)?;
            last_end = memchr::memrchr(b'\n', &bytes[searched..]).map(|at| searched + at + 1).or(last_end);
            searched = bytes.len();
            if read == 0 {
                self.ended = true;
                break;
            }
            if bytes.len() >= BLOCK_BYTES && last_end.is_some() {
                break;
            }
            if last_end.is_none() && bytes.len() > LINE_MAX {
                last_end = Some(LINE_MAX + 1);
                self.in_cut_line = true;
                break;
            }
        }
        if !self.ended {
            let cut = last_end.unwrap_or(bytes.len());
            self.rest = bytes[cut..].to_vec();
            bytes.truncate(cut);
        }
        if bytes.is_empty() {
            return Ok(None);
        }
        let records = lines(&bytes, &mut self.line, self.received_us);
        Ok(Some(self.block(bytes, records)))
    }

    /// The next block of records that are no lines.
    fn next_framed(&mut self) -> Result<Option<Block>, ReadError> {
        let mut made = Records::default();
        let mut piece = std::mem::take(&mut self.rest);
        while !self.ended && made.bytes.len() < BLOCK_BYTES {
            self.ended = piece.is_empty() && self.read_more(&mut piece, PIECE_BYTES)? == 0;
            let Shape::Framed(framer) = &mut self.shape else { break };
            framer.push(&piece, &mut made);
            if self.ended {
                framer.finish(&mut made);
            }
            piece.clear();
        }
        let received_us = self.received_us;
        let records = made.frames.iter().map(|frame| Received {
            start: frame.start,
            len: frame.len,
            offset: frame.number,
            received_us,
        });
        let records: Vec<Received> = records.collect();
        Ok((!records.is_empty()).then(|| self.block(made.bytes, records)))
    }

    /// The next block of events of a Windows event log.
    #[cfg(feature = "evtx")]
    fn next_chunks(&mut self) -> Result<Option<Block>, ReadError> {
        let mut piece = std::mem::take(&mut self.rest);
        piece.clear();
        while !self.ended {
            self.ended = self.read_more(&mut piece, CHUNK_BYTES)? == 0;
            let Shape::EventLog(log, made) = &mut self.shape else { break };
            if !self.ended {
                piece = log.chunk(piece, made);
            }
            if made.text.len() >= BLOCK_BYTES {
                break;
            }
        }
        let Shape::EventLog(_, made) = &mut self.shape else { return Ok(None) };
        let made = std::mem::take(made);
        let received_us = self.received_us;
        let records = made.events.iter().map(|event| Received {
            start: event.start,
            len: event.len,
            offset: event.at,
            received_us,
        });
        let damaged = made.damaged.into_iter().map(|part| Damage {
            reject: Reject { family: "evtx", offset: 0, kind: RejectKind::damaged(part.what, part.why.as_bytes()) },
            offset: part.at,
            received_us,
            raw: part.raw,
        });
        let (records, damaged): (Vec<Received>, Vec<Damage>) = (records.collect(), damaged.collect());
        let any = !records.is_empty() || !damaged.is_empty();
        Ok(any.then(|| Block { damaged, ..self.block(made.text, records) }))
    }

    fn block(&self, bytes: Vec<u8>, records: Vec<Received>) -> Block {
        let bytes = Arc::new(bytes);
        Block { source: self.source.clone(), partition: 0, bytes, records, damaged: Vec::new() }
    }

    /// Reads over the rest of a line that was cut.
    fn skip_cut_line(&mut self) -> Result<(), ReadError> {
        let mut piece = std::mem::take(&mut self.rest);
        loop {
            if let Some(end) = memchr::memchr(b'\n', &piece) {
                self.rest = piece.split_off(end + 1);
                break;
            }
            piece.clear();
            if self.read_more(&mut piece, PIECE_BYTES)? == 0 {
                self.ended = true;
                break;
            }
        }
        self.in_cut_line = false;
        Ok(())
    }

    fn read_more(&mut self, bytes: &mut Vec<u8>, want: usize) -> Result<usize, ReadError> {
        read_some(&mut self.reader, bytes, want).map_err(|error| ReadError { path: self.path.clone(), error })
    }
}

/// Reads until `want` bytes are there or nothing more comes; gives how many came.
fn read_some(reader: &mut dyn Read, bytes: &mut Vec<u8>, want: usize) -> io::Result<usize> {
    reader.take(want as u64).read_to_end(bytes)
}

/// The lines of a block; empty lines (a lone carriage return, too) hold no record, but are counted as lines.
fn lines(bytes: &[u8], line: &mut u64, received_us: i64) -> Vec<Received> {
    let mut records = Vec::with_capacity(bytes.len() / 256);
    let mut start = 0;
    let mut take = |start: usize, end: usize| {
        *line += 1;
        let len = end - start;
        if len > 0 && !(len == 1 && bytes[start] == b'\r') {
            records.push(Received { start, len, offset: *line, received_us });
        }
    };
    for end in memchr::memchr_iter(b'\n', bytes) {
        take(start, end);
        start = end + 1;
    }
    if start < bytes.len() {
        take(start, bytes.len());
    }
    records
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read_all(path: &Path) -> Vec<(u64, Vec<u8>)> {
        let mut source = FileSource::open(path, 0).unwrap();
        let mut all = Vec::new();
        while let Some(block) = source.next_block().unwrap() {
            all.extend(block.records.iter().map(|r| (r.offset, block.bytes[r.start..r.start + r.len].to_vec())));
        }
        all
    }

    #[test]
    fn a_file_gives_the_same_lines_plain_gzip_and_zstd_whatever_the_blocks() {
        let folder = tempfile::tempdir().unwrap();
        let mut text = Vec::new();
        for n in 0..60_000 {
            writeln!(text, "line {n} {}", "x".repeat(n % 300)).unwrap();
        }
        text.extend_from_slice(b"\n\r\nlast without an end");
        let plain = folder.path().join("a.log");
        std::fs::write(&plain, &text).unwrap();
        let gzip = folder.path().join("b.anything");
        let mut packer = flate2::write::GzEncoder::new(File::create(&gzip).unwrap(), flate2::Compression::fast());
        packer.write_all(&text).unwrap();
        packer.finish().unwrap();
        let zst = folder.path().join("c");
        std::fs::write(&zst, zstd::encode_all(&text[..], 1).unwrap()).unwrap();
        let want = read_all(&plain);
        assert_eq!(want.len(), 60_001);
        assert_eq!(want.last().unwrap(), &(60_003, b"last without an end".to_vec()));
        assert_eq!(want[59_999].0, 60_000);
        assert_eq!(read_all(&gzip), want);
        assert_eq!(read_all(&zst), want);
    }

    #[test]
    fn an_endless_line_is_cut_and_not_collected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long");
        std::fs::write(&path, vec![b'x'; 2 * LINE_MAX + 10]).unwrap();
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"\nnext\n").unwrap();
        let lines: Vec<(u64, usize)> = read_all(&path).into_iter().map(|(number, line)| (number, line.len())).collect();
        assert_eq!(lines, [(1, LINE_MAX + 1), (2, 4)]);
    }

    #[test]
    fn records_that_are_no_lines_are_whole_plain_and_packed() {
        let folder = tempfile::tempdir().unwrap();
        let event = "05/04/2026 09:12:31 AM\r\nLogName=Security\r\nMessage=An account failed.\r\n\r\nSubject:\r\n";
        let text = event.repeat(60_000);
        let wide = [&[0xff, 0xfe][..], &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()].concat();
        for (name, bytes) in [("plain", text.clone().into_bytes()), ("utf-16", wide)] {
            let path = folder.path().join(name);
            std::fs::write(&path, zstd::encode_all(&bytes[..], 1).unwrap()).unwrap();
            let records = read_all(&path);
            assert_eq!(records.len(), 60_000, "{name}");
            assert!(records.iter().enumerate().all(|(at, (number, _))| *number == at as u64 * 5 + 1), "{name}");
            assert!(records.iter().all(|(_, record)| record == event.trim_end().as_bytes()), "{name}");
        }
    }

    #[test]
    fn a_missing_file_says_which_and_what_to_do() {
        let error = list(&[PathBuf::from("/nonexistent/x.log")]).unwrap_err();
        assert!(error.to_string().starts_with("cannot read /nonexistent/x.log: "), "{error}");
        assert!(error.to_string().ends_with("check the path"), "{error}");
    }
}
