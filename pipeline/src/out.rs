//! The one way to stdout and to stderr.
//!
//! stdout is data: it is locked once, buffered, and a reader that goes away (`| head`) ends the program quietly rather than with an
//! error. Everything else is said on stderr.

use std::io::{self, BufWriter, StdoutLock, Write};
use std::path::PathBuf;

use crate::error::Failure;

/// stdout, locked and buffered.
#[derive(Debug)]
pub struct Out {
    inner: BufWriter<StdoutLock<'static>>,
}

/// Whether anybody still reads what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Go on.
    There,
    /// The reader closed the pipe: stop without an error.
    Gone,
}

impl Out {
    /// Locks stdout until dropped.
    pub fn stdout() -> Out {
        Out { inner: BufWriter::with_capacity(1 << 16, io::stdout().lock()) }
    }

    /// Writes bytes.
    ///
    /// # Errors
    /// [`Failure::Unwritable`] if stdout can't be written for another reason than that its reader left.
    pub fn write(&mut self, bytes: &[u8]) -> Result<Reader, Failure> {
        reader(self.inner.write_all(bytes))
    }

    /// Writes a text and a line end.
    ///
    /// # Errors
    /// As [`Out::write`].
    pub fn line(&mut self, text: &str) -> Result<Reader, Failure> {
        self.write(text.as_bytes())?;
        self.write(b"\n")
    }

    /// Sends what is buffered.
    ///
    /// # Errors
    /// As [`Out::write`].
    pub fn flush(&mut self) -> Result<Reader, Failure> {
        reader(self.inner.flush())
    }
}

fn reader(result: io::Result<()>) -> Result<Reader, Failure> {
    match result {
        Ok(()) => Ok(Reader::There),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(source) => Err(Failure::Unwritable { what: "output", path: PathBuf::from("stdout"), source }),
    }
}

/// Says something to the person on stderr. If even that can't be written there is nobody to tell.
pub fn say(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = writeln!(stderr, "{text}");
}
