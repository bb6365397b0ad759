//! Prints one JSON value a line for a file of log lines, to judge a family while it is written.
//!
//! usage: parse FAMILY|auto FILE
//!
//! An object for an event, an array where a line holds several (and parts that are refused), `{}` for a header line, `{"reject": "why"}` for a
//! refused one. The product's `parse` command has the same contract and more options.

#![allow(clippy::print_stdout)]

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use parsers::{Format, Parsed, Session, Zone};
use schemas::{FlowBatch, Place, json};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, path] = arguments.as_slice() else {
        eprintln!("usage: parse FAMILY|auto FILE");
        return ExitCode::from(2);
    };
    let Some(format) = Format::from_name(name) else {
        eprintln!("no family `{name}`; there are: {}", Format::names().collect::<Vec<_>>().join(" "));
        return ExitCode::from(2);
    };
    let block = match std::fs::read(path) {
        Ok(bytes) => Arc::new(bytes),
        Err(error) => {
            eprintln!("{path}: {error}");
            return ExitCode::from(3);
        }
    };
    // lines without a year take the one nearest to this: a fixed day, so that two runs agree
    let received_us = 1_767_607_200_000_000;
    let mut session = Session::new(format, Zone::Utc);
    let mut batch = FlowBatch::new(64);
    let mut out = Vec::new();
    let lines = block.strip_suffix(b"\n").unwrap_or(&block).split(|&byte| byte == b'\n');
    for (at, line) in lines.enumerate() {
        batch.reset(block.clone(), Arc::from(path.as_str()), 0);
        let place = Place { offset: at as u64 + 1, received_us };
        match session.parse_line(line, place, &mut batch) {
            Ok(Parsed::Events) if batch.len() == 1 && session.refused().is_empty() => {
                json::write_row(&batch, 0, &mut out)
            }
            Ok(Parsed::Events) => {
                out.push(b'[');
                for row in 0..batch.len() {
                    if row > 0 {
                        out.push(b',');
                    }
                    json::write_row(&batch, row, &mut out);
                }
                for part in session.refused() {
                    out.push(b',');
                    out.extend_from_slice(
                        serde_json::json!({ "reject": part.reject.to_string() }).to_string().as_bytes(),
                    );
                }
                out.push(b']');
            }
            Ok(Parsed::Nothing) => out.extend_from_slice(b"{}"),
            Err(reject) => {
                out.extend_from_slice(serde_json::json!({ "reject": reject.to_string() }).to_string().as_bytes())
            }
        }
        out.push(b'\n');
    }
    match std::io::stdout().write_all(&out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(3),
    }
}
