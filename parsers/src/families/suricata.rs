//! Suricata EVE: one JSON object a line.
//!
//! Addresses stay as the line has them, because the end that Suricata calls the source depends on the event type: the
//! flow's initiator for some, the sender of the packet for others (an alert's source may be the server). What the
//! line knows about who began becomes `initiator`; octets and packets are turned so that `out` is always what the
//! row's source sent.
//!
//! One pass: a constant table says for every dotted path what becomes of it. Values that only mean something together
//! (flags, counters, verdicts) are noted on the way and concluded once the object has ended, since nothing promises an
//! order of members. Left out are what other fields say already (booleans of TCP flags, `age`), copies of the packet
//! (`payload`, `packet`, certificates), secrets (FTP `PASS`, SNMP communities), and the hundreds of counters of `stats`.

mod conclude;
mod kinds;
mod paths;

use schemas::{Field, FieldKind, Key, RejectKind, Row, Span};

use self::paths::{Note, PATHS, Put};
use crate::detect::Keys;
use crate::lex::few::Few;
use crate::lex::json::{self, Extent, JsonTrail, Kind, Path, Scalar};
use crate::lex::text::decimal;
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

pub(super) struct Family;

/// Answers that are kept of one response; a hostile one may hold thousands.
const ANSWERS_MAX: usize = 32;

impl Parser for Family {
    fn name(&self) -> &'static str {
        "suricata"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["suricata_eve", "eve"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Objects
    }

    fn sees_sequences(&self) -> bool {
        true
    }

    fn detect(&self, record: &Record<'_>, _: &Memory) -> Option<Confidence> {
        let keys = record.keys;
        let named = keys.has(Keys::EVENT_TYPE.and(Keys::TIMESTAMP));
        (named && keys.has_any(Keys::FLOW_ID.and(Keys::SRC_IP).and(Keys::STATS))).then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let trail: &mut JsonTrail<Option<&'static (Put, &'static str)>> = memory.trail();
        let mut event = Event { notes: [Scalar::NULL; Note::Count as usize], noted: 0, answers: Answers::default() };
        let extent = json::walk_by(
            record.body,
            trail,
            |path| PATHS.find(path),
            |path, put, value| event.take(record, path, put, value, row),
        )?;
        if extent == Extent::Truncated {
            return Err(Refusal { at: record.body.len(), kind: RejectKind::Unclosed { what: "the JSON object" } });
        }
        event.conclude(record, row)?;
        Ok(Parsed::Events)
    }
}

struct Event<'a> {
    notes: [Scalar<'a>; Note::Count as usize],
    /// A bit for each that the line has: most event types have few, and whole parts of the conclusion need not be gone through.
    noted: u64,
    answers: Answers<'a>,
}

#[derive(Default)]
struct Answers<'a> {
    values: Few<Scalar<'a>, ANSWERS_MAX>,
    grouped: bool,
}

impl<'a> Answers<'a> {
    /// The full list is preferred to the one by types.
    fn push(&mut self, value: Scalar<'a>, grouped: bool) {
        if self.grouped != grouped {
            if grouped && !self.values.get().is_empty() {
                return;
            }
            self.grouped = grouped;
            self.values.clear();
        }
        if !value.raw.is_empty() {
            self.values.push(value);
        }
    }
}

impl<'a> Event<'a> {
    #[inline(always)]
    fn take(
        &mut self,
        record: &Record<'_>,
        path: Path<'_>,
        put: Option<&'static (Put, &'static str)>,
        value: Scalar<'a>,
        row: &mut Row<'_>,
    ) -> Result<(), Refusal> {
        let Some(&(put, name)) = put else {
            if !path.bytes().starts_with(b"stats.") {
                value.with(|text| row.extra(path.bytes(), text));
            }
            return Ok(());
        };
        match put {
            Put::Note(note) => {
                self.notes[note as usize] = value;
                self.noted |= 1 << note as u32;
            }
            Put::Field(field) => set(record, row, field, value)?,
            Put::IfValid(field) => {
                if !value.with(|text| row.put_if(field, text)) {
                    value.with(|text| row.extra_fixed(name, text));
                }
            }
            Put::First(field) if !row.has(field) => set(record, row, field, value)?,
            Put::Extra => value.with(|text| row.extra_fixed(name, text)),
            Put::IfTrue if value.kind == Kind::True => row.extra_fixed(name, b"true"),
            Put::Answer => self.answers.push(value, false),
            Put::Grouped => self.answers.push(value, true),
            Put::First(_) | Put::IfTrue | Put::Leave => {}
        }
        Ok(())
    }

    fn note(&self, note: Note) -> &'a [u8] {
        self.notes[note as usize].raw
    }

    fn has_any(&self, notes: u64) -> bool {
        self.noted & notes != 0
    }

    fn has(&self, note: Note) -> bool {
        !self.note(note).is_empty()
    }

    fn text<K: FieldKind<Stored = Span, Value = Span>>(&self, row: &mut Row<'_>, field: Key<K>, note: Note) {
        self.notes[note as usize].with(|text| row.text(field, text));
    }

    fn number(&self, note: Note) -> Option<u64> {
        decimal(self.note(note)).filter(|number| *number <= i64::MAX as u64)
    }
}

#[inline(always)]
fn set(record: &Record<'_>, row: &mut Row<'_>, field: Field, value: Scalar<'_>) -> Result<(), Refusal> {
    match value.with(|text| row.put(field, text)) {
        Ok(()) => Ok(()),
        Err(kind) => Err(record.refuse(value.raw, kind)),
    }
}
