//! `portolan parse`: each line of a file as JSON, one value a line, in order.
//!
//! An object for an event, an array where a line holds several (those of its parts that were refused come last), `{"reject":
//! "why"}` for what is refused, `{}` for a line that is understood but holds no event. So line n of the output always belongs to line n of the input;
//! where records are no lines, to the n-th record.

use std::path::Path;

use parsers::Parsed;
use schemas::{FlowBatch, Place, Reject};

use crate::cli::ParseOutput;
use crate::clock;
use crate::config::Form;
use crate::error::Failure;
use crate::forms;
use crate::out::{Out, Reader};
use crate::source::file::FileSource;
use crate::stages::Reading;

/// Runs it over one file (`-` is standard input) onto `out`.
///
/// # Errors
/// The file can't be read or `out` can't be written.
pub fn run(path: &Path, reading: &Reading, form: ParseOutput, out: &mut Out) -> Result<(), Failure> {
    let mut source = FileSource::open(path, clock::now_us())?;
    let mut session = reading.session();
    let mut batch = FlowBatch::new(16);
    batch.set_plausible(reading.times.plausible);
    let lines = source.has_lines();
    let mut line_number = 0;
    let mut text = Vec::new();
    while let Some(block) = source.next_block()? {
        let mut damaged = block.damaged.iter().peekable();
        for record in &block.records {
            text.clear();
            // Empty lines are no records, but they are lines.
            for _ in line_number + 1..if lines { record.offset } else { 0 } {
                text.extend_from_slice(b"{\"reject\":\"the line is empty\"}\n");
            }
            line_number = record.offset;
            while let Some(part) = damaged.next_if(|part| part.offset < record.offset) {
                write_refusal(&part.reject, &mut text);
                text.push(b'\n');
            }
            batch.reset(block.bytes.clone(), block.source.clone(), 0);
            let place = Place { offset: record.offset, received_us: record.received_us };
            let line = &block.bytes[record.start..record.start + record.len];
            match session.parse_line(line, place, &mut batch) {
                Ok(Parsed::Nothing) => text.extend_from_slice(b"{}"),
                Ok(Parsed::Events) if batch.len() == 1 && session.refused().is_empty() => {
                    write_row(form, &batch, 0, &mut text)
                }
                Ok(Parsed::Events) => {
                    for row in 0..batch.len() {
                        text.push(if row == 0 { b'[' } else { b',' });
                        write_row(form, &batch, row, &mut text);
                    }
                    for part in session.refused() {
                        text.push(b',');
                        write_refusal(&part.reject, &mut text);
                    }
                    text.push(b']');
                }
                Err(reject) => write_refusal(&reject, &mut text),
            }
            text.push(b'\n');
            if out.write(&text)? == Reader::Gone {
                return Ok(());
            }
        }
        text.clear();
        for part in damaged {
            write_refusal(&part.reject, &mut text);
            text.push(b'\n');
        }
        if out.write(&text)? == Reader::Gone {
            return Ok(());
        }
    }
    out.flush().map(drop)
}

fn write_refusal(reject: &Reject, out: &mut Vec<u8>) {
    out.extend_from_slice(serde_json::json!({"reject": reject.to_string()}).to_string().as_bytes());
}

fn write_row(form: ParseOutput, batch: &FlowBatch, row: usize, out: &mut Vec<u8>) {
    match form {
        ParseOutput::Ndjson => schemas::json::write_row_with(batch, row, schemas::json::Options::LINE, out),
        ParseOutput::Ecs => forms::event(Form::Ecs, batch, row, out),
        ParseOutput::Ocsf => forms::event(Form::Ocsf, batch, row, out),
    }
}
