//! The entry of the pipeline: lines of one source in, rows of a batch out.
//!
//! A session keeps what outlives a line: the source's format and zone, buffers for unescaped lines, and the families'
//! memories for the few formats whose lines depend on earlier ones. Batches are the caller's: the rows of a line do not
//! depend on which batch it falls into. Detection looks at one line only, for the same reason.

use schemas::{FlowBatch, Place, Reject, RejectKind};

use crate::detect::{Choice, Detector, Keys};
use crate::lex::json;
use crate::lex::text::offset_in;
use crate::lex::time::{TimeContext, Zone};
use crate::transport::{self, Accepts, ENVELOPES_MAX, Record, Shape};
use crate::{FAMILIES, Memory, Parser, Refusal, families};

/// How a source's lines are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Each line by its own shape.
    Auto,
    /// All by one family: its place in [`FAMILIES`].
    Family(usize),
}

impl Format {
    /// The format of that name: `auto`, a family's name, or one of its aliases. `None` if there is none.
    pub fn from_name(name: &str) -> Option<Format> {
        if name.eq_ignore_ascii_case("auto") {
            return Some(Format::Auto);
        }
        families::index_of(name).map(Format::Family)
    }

    /// Every name that [`Format::from_name`] takes, aliases included.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let families =
            FAMILIES.iter().flat_map(|family| std::iter::once(family.name()).chain(family.aliases().iter().copied()));
        std::iter::once("auto").chain(families)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Format::Auto => "auto",
            Format::Family(index) => FAMILIES[index].name(),
        }
    }
}

/// What became of a line that was not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// It is one event or several; they are in the batch.
    Events,
    /// It is understood but no event: a header line, a comment.
    Nothing,
}

/// Reads the lines of one source.
pub struct Session {
    format: Format,
    time: TimeContext,
    memories: Vec<Memory>,
    scratch: [Vec<u8>; ENVELOPES_MAX],
    detector: Detector,
}

impl Session {
    /// A session for a source whose stamps without a zone are in `zone`.
    pub fn new(format: Format, zone: Zone) -> Session {
        Session {
            format,
            time: TimeContext { received_us: 0, zone },
            memories: FAMILIES.iter().map(|_| Memory::default()).collect(),
            scratch: Default::default(),
            detector: Detector::default(),
        }
    }

    /// Parses one line (with or without its line end) and appends its rows to the batch. `line` lies in the batch's
    /// block, else its texts are copied.
    ///
    /// # Errors
    /// A [`Reject`] with the byte offset in `line`; the batch is as it was before.
    pub fn parse_line(&mut self, line: &[u8], place: Place, batch: &mut FlowBatch) -> Result<Parsed, Reject> {
        let Session { format, time, memories, scratch, detector } = self;
        time.received_us = place.received_us;
        let mut record = transport::open(line, time);
        if record.line.trim_ascii().is_empty() {
            return Err(Reject { family: format.name(), offset: 0, kind: RejectKind::Empty });
        }
        let mut run = Run { format: *format, memories, detector, line, place, batch };
        run.record(&mut record, scratch)
    }

    /// What detection has said so far, for `auto`.
    pub fn detector(&self) -> &Detector {
        &self.detector
    }

    /// Whether lines of this source depend on earlier ones, so that it must be read in order from its beginning.
    pub fn depends_on_order(&self) -> bool {
        self.memories.iter().any(Memory::is_used)
    }
}

/// One line on its way.
struct Run<'s> {
    format: Format,
    memories: &'s mut [Memory],
    detector: &'s mut Detector,
    line: &'s [u8],
    place: Place,
    batch: &'s mut FlowBatch,
}

impl Run<'_> {
    fn record(&mut self, record: &mut Record<'_>, scratch: &mut [Vec<u8>]) -> Result<Parsed, Reject> {
        match self.format {
            Format::Auto => self.auto(record, scratch),
            Format::Family(index) => self.fixed(index, record, scratch),
        }
    }

    fn fixed(&mut self, index: usize, record: &Record<'_>, scratch: &mut [Vec<u8>]) -> Result<Parsed, Reject> {
        let family = FAMILIES[index];
        match (record.shape, family.accepts()) {
            (Shape::Text, Accepts::Lines | Accepts::Both) => self.parse(index, record),
            (Shape::Text, Accepts::Objects) => {
                Err(self.reject(family.name(), record, record.not_this_family("a JSON object")))
            }
            (Shape::Object, Accepts::Lines) => {
                match self.unwrap(record, scratch, |run, inner, scratch| Some(run.fixed(index, inner, scratch))) {
                    Some(result) => result,
                    None => Err(self.reject(
                        family.name(),
                        record,
                        record.not_this_family("a line of text, or JSON with the line in `message`"),
                    )),
                }
            }
            (Shape::Object, Accepts::Both) => {
                // what is certainly the family's own needs no search for a line inside
                let keyed = Record { keys: Keys::of(first_object(record.body)), ..record.clone() };
                if family.detect(&keyed, &self.memories[index]) == Some(crate::Confidence::Certain) {
                    return self.parse(index, record);
                }
                let inner = self.unwrap(record, scratch, |run, inner, scratch| {
                    let known = inner.shape == Shape::Object || family.detect(inner, &run.memories[index]).is_some();
                    known.then(|| run.fixed(index, inner, scratch))
                });
                inner.unwrap_or_else(|| self.parse(index, record))
            }
            (Shape::Object, Accepts::Objects) => match self.parse(index, record) {
                Err(reject) if matches!(reject.kind, RejectKind::NotThisFamily { .. }) => {
                    let inner = self.unwrap(record, scratch, |run, inner, scratch| {
                        (inner.shape == Shape::Object).then(|| run.fixed(index, inner, scratch))
                    });
                    inner.unwrap_or(Err(reject))
                }
                result => result,
            },
        }
    }

    fn auto(&mut self, record: &mut Record<'_>, scratch: &mut [Vec<u8>]) -> Result<Parsed, Reject> {
        if record.shape == Shape::Object {
            record.keys = Keys::of(first_object(record.body));
        }
        let choice = self.detector.choose(record, self.memories);
        let sure = choice.is_some_and(|(_, confidence)| confidence == crate::Confidence::Certain);
        if record.shape == Shape::Object && !sure {
            // what a shipper wraps is worth more than the shipper's own members
            let inner = self.unwrap(record, scratch, |run, inner, scratch| {
                let mut inner = inner.clone();
                if inner.shape == Shape::Object {
                    inner.keys = Keys::of(first_object(inner.body));
                }
                let sure_of = |choice: Option<Choice>| choice.map(|(_, confidence)| confidence);
                let inside = sure_of(run.detector.choose(&inner, run.memories));
                let known = inner.shape == Shape::Object || inside.is_some() && inside >= sure_of(choice);
                (known && (inner.shape == Shape::Text || choice.is_none())).then(|| run.auto(&mut inner, scratch))
            });
            if let Some(result) = inner {
                return result;
            }
        }
        self.detector.count(choice);
        let Some((index, _)) = choice else {
            return Err(self.reject("auto", record, record.not_this_family("a line of a known family")));
        };
        let first = self.parse(index, record);
        match first {
            Err(refused) if !sure => {
                // the next family that would take it: the surest was wrong about this line
                let others = FAMILIES.iter().enumerate().filter(|(other, _)| *other != index);
                let next = others
                    .filter_map(|(other, family)| family.detect(record, &self.memories[other]).map(|_| other))
                    .next();
                match next {
                    Some(other) => self.parse(other, record).or(Err(refused)),
                    None => Err(refused),
                }
            }
            result => result,
        }
    }

    /// Opens the envelope that a JSON record is, if it is one, and hands what is inside to `then`. `None` if it is
    /// none, or `then` does not want it.
    fn unwrap(
        &mut self,
        record: &Record<'_>,
        scratch: &mut [Vec<u8>],
        then: impl FnOnce(&mut Self, &Record<'_>, &mut [Vec<u8>]) -> Option<Result<Parsed, Reject>>,
    ) -> Option<Result<Parsed, Reject>> {
        let (mine, rest) = scratch.split_first_mut()?;
        let envelope = transport::envelope(record.body)?;
        let mut inner = envelope.open(mine, record.time);
        // an outer syslog header knows more than nothing
        let header = &mut inner.header;
        header.time_us = header.time_us.or(record.header.time_us);
        if header.host.is_empty() {
            header.host = record.header.host;
        }
        if inner.line.trim_ascii().is_empty() {
            return None;
        }
        then(self, &inner, rest)
    }

    /// Has one family write the rows of a record; of an array, those of each element.
    fn parse(&mut self, index: usize, record: &Record<'_>) -> Result<Parsed, Reject> {
        let family = FAMILIES[index];
        let memory = &mut self.memories[index];
        let result = if record.shape == Shape::Object && record.body.first() == Some(&b'[') {
            parse_array(family, memory, record, self.place, self.line, self.batch)
        } else {
            let mut row = self.batch.begin(self.place, self.line);
            record.stamp(&mut row);
            let parsed = family.parse(record, memory, &mut row);
            if parsed == Ok(Parsed::Events) {
                row.commit();
            }
            parsed
        };
        result.map_err(|refusal| self.reject(family.name(), record, refusal))
    }

    #[cold]
    fn reject(&self, family: &'static str, record: &Record<'_>, refusal: Refusal) -> Reject {
        // a line out of an envelope that had to be unescaped lies elsewhere: then the offset is that of the line inside
        let base = offset_in(self.line, record.body).or_else(|| offset_in(record.line, record.body)).unwrap_or(0);
        Reject { family, offset: (base + refusal.at).min(self.line.len()), kind: refusal.kind }
    }
}

fn first_object(body: &[u8]) -> &[u8] {
    match body.first() {
        Some(b'[') => body[1..].trim_ascii_start(),
        _ => body,
    }
}

fn parse_array(
    family: &dyn Parser,
    memory: &mut Memory,
    record: &Record<'_>,
    place: Place,
    line: &[u8],
    batch: &mut FlowBatch,
) -> Result<Parsed, Refusal> {
    let mut row = batch.begin(place, line);
    let mut written = false;
    let mut elements = json::elements(record.body)?;
    for element in elements.by_ref() {
        let json::Value::Object(body) = element? else {
            return Err(record.not_this_family("an array of JSON objects"));
        };
        let at = offset_in(record.body, body).unwrap_or(0);
        let one = Record { body, keys: Keys::NONE, ..record.clone() };
        if written {
            row.another()?;
        }
        one.stamp(&mut row);
        match family.parse(&one, memory, &mut row) {
            // an array has no header lines: what holds no event is a row of kind `other`
            Ok(Parsed::Events | Parsed::Nothing) => written = true,
            Err(refusal) => return Err(Refusal { at: at + refusal.at, kind: refusal.kind }),
        }
    }
    if !written {
        return Ok(Parsed::Nothing);
    }
    row.commit();
    Ok(Parsed::Events)
}
