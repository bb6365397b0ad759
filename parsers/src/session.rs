//! The entry of the pipeline: lines of one source in, rows of a batch out.
//!
//! ```text
//! line ──headers──▶ record ──┬─ several in one (many.rs) ──▶ each of them a record again
//!                            ├─ an envelope ──▶ the line inside, a record again
//!                            └─ family: the fixed one, or the detected one ──▶ rows
//! ```
//!
//! A session keeps what outlives a line: the source's format and zone, buffers for unescaped lines, and the families'
//! memories for the few formats whose lines depend on earlier ones. Batches are the caller's: the rows of a line do not
//! depend on which batch it falls into. Detection looks at one line only, for the same reason.

use schemas::{FlowBatch, Place, RefusedPart, Reject, RejectKind, Row};

use crate::detect::{Choice, Confidence, Detector, Keys};
use crate::framing::RECORD_MAX;
use crate::lex::json::{self, Value};
use crate::lex::otlp;
use crate::lex::syslog::Recent;
use crate::lex::text::{contains, offset_in};
use crate::lex::time::{TimeContext, Zone};
use crate::many::{self, Many, Piece, Search};
use crate::mapping::Mapping;
use crate::transport::{self, Accepts, ENVELOPES_MAX, Record, Shape};
use crate::{FAMILIES, Memory, Parser, Refusal, families};

/// How near its beginning an object names its resource.
const RESOURCE_WITHIN: usize = 64;

/// How a source's lines are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Each line by its own shape.
    Auto,
    /// All by one family: its place in [`FAMILIES`].
    Family(usize),
    /// All by a configured mapping.
    Mapped(&'static Mapping),
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
            Format::Mapped(mapping) => mapping.name(),
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
    headers: Recent,
    memories: Vec<Memory>,
    scratch: [Vec<u8>; ENVELOPES_MAX],
    detector: Detector,
    refused: Vec<RefusedPart>,
    /// Their places are those behind the last of [`FAMILIES`].
    mappings: Vec<&'static Mapping>,
}

impl Session {
    /// A session for a source whose stamps without a zone are in `zone`.
    pub fn new(format: Format, zone: Zone) -> Session {
        Session {
            format,
            time: TimeContext::new(0, zone),
            headers: Recent::default(),
            memories: FAMILIES.iter().map(|_| Memory::default()).collect(),
            scratch: Default::default(),
            detector: Detector::default(),
            refused: Vec::new(),
            mappings: Vec::new(),
        }
        .with_mappings(match format {
            Format::Mapped(mapping) => vec![mapping],
            Format::Auto | Format::Family(_) => Vec::new(),
        })
    }

    /// The same with mappings whose marks are asked before any family is. A session of one format has no use for them.
    #[must_use]
    pub fn with_mappings(mut self, mappings: Vec<&'static Mapping>) -> Session {
        if self.mappings.is_empty() {
            self.memories.extend(mappings.iter().map(|_| Memory::default()));
            self.detector.know(mappings.iter().map(|mapping| mapping.name()));
            self.mappings = mappings;
        }
        self
    }

    /// Says what this source means by abbreviations of zones; see [`TimeContext::zone_names`].
    pub fn set_zone_names(&mut self, names: Vec<(String, i32)>) {
        self.time.zone_names = names;
        self.headers = Recent::default();
    }

    /// Parses one line (with or without its line end) and appends its rows to the batch. `line` lies in the batch's
    /// block, else its texts are copied.
    ///
    /// A line may hold many records. Those that are refused while others are events are told by
    /// [`Session::refused`]; if none is an event the line is refused whole, with the first trouble.
    ///
    /// # Errors
    /// A [`Reject`] with the byte offset in `line`; the batch is as it was before.
    pub fn parse_line(&mut self, line: &[u8], place: Place, batch: &mut FlowBatch) -> Result<Parsed, Reject> {
        let Session { format, time, headers, memories, scratch, detector, refused, mappings } = self;
        refused.clear();
        if line.len() > RECORD_MAX {
            let kind = RejectKind::TooMuch { what: "bytes in a record", limit: RECORD_MAX };
            return Err(Reject { family: format.name(), offset: RECORD_MAX, kind });
        }
        time.received_us = place.received_us;
        let mut record = Record::closed(line, time);
        record.open(|line, header| headers.header_into(line, time, header));
        // a line without blanks around it that is longer than a few brackets needs no closer look
        let bare = [record.line.first(), record.line.last()].iter().all(|byte| byte.is_some_and(u8::is_ascii_graphic));
        if !bare || record.line.len() <= many::PUNCTUATION_MAX {
            if record.line.trim_ascii().is_empty() {
                return Err(Reject { family: format.name(), offset: 0, kind: RejectKind::Empty });
            }
            if many::is_punctuation(record.line) {
                return Ok(Parsed::Nothing);
            }
        }
        let mut row = batch.begin(place, line);
        let mut run = Run { format: *format, memories, detector, line, row: &mut row, mappings };
        let parsed = run.record(&mut record, scratch)?;
        if parsed == Parsed::Events {
            if row.has_refused() {
                refused.append(&mut row.take_refused());
            }
            row.end();
        }
        Ok(parsed)
    }

    /// Parts of the last line that were refused while others of it are events, in the line's order.
    pub fn refused(&self) -> &[RefusedPart] {
        &self.refused
    }

    /// The same, taken out of the session.
    pub fn take_refused(&mut self) -> impl Iterator<Item = RefusedPart> + '_ {
        self.refused.drain(..)
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

/// From which line on a source must be read in order, told before it is read.
///
/// Lines that come before such a one don't depend on each other, so that many threads may share them.
pub struct Order(Vec<fn(&[u8]) -> bool>);

impl Order {
    /// For sources of that format.
    pub fn of(format: Format) -> Order {
        let families = match format {
            Format::Auto => FAMILIES,
            Format::Family(index) => &FAMILIES[index..=index],
            Format::Mapped(_) => &[],
        };
        Order(families.iter().filter_map(|family| family.remembers()).collect())
    }

    /// Whether later lines may be read by what this one says.
    pub fn begins(&self, line: &[u8]) -> bool {
        let line = transport::unframe(line);
        self.0.iter().any(|remembers| remembers(line))
    }
}

/// One line on its way. Whatever is refused leaves nothing in the row.
struct Run<'s, 'b> {
    format: Format,
    memories: &'s mut [Memory],
    detector: &'s mut Detector,
    line: &'s [u8],
    row: &'s mut Row<'b>,
    mappings: &'s [&'static Mapping],
}

impl Run<'_, '_> {
    fn record(&mut self, record: &mut Record<'_>, scratch: &mut [Vec<u8>]) -> Result<Parsed, Reject> {
        if record.shape == Shape::Object && record.body.first() == Some(&b'[') {
            return self.each(record, record.body, scratch);
        }
        let result = match self.format {
            Format::Auto => self.auto(record, scratch),
            Format::Family(index) => self.fixed(index, record, scratch),
            Format::Mapped(_) => self.fixed(FAMILIES.len(), record, scratch),
        };
        match result {
            Err(reject) if record.shape == Shape::Object && reject.kind == json::ANOTHER => {
                self.each(record, record.body, scratch)
            }
            result => result,
        }
    }

    /// The refusal of a record of several objects. `knows` says whether the family that reads it sees that itself.
    #[inline]
    fn only_one(&self, record: &Record<'_>, knows: bool) -> Result<(), Reject> {
        if record.shape == Shape::Object && !knows && many::is_sequence(record.body) {
            return Err(self.reject_part(record, record.body, Refusal { at: 0, kind: json::ANOTHER }));
        }
        Ok(())
    }

    /// The family of a place: one of the list, or a mapping behind it.
    #[inline]
    fn family(&self, index: usize) -> &'static dyn Parser {
        match FAMILIES.get(index) {
            Some(family) => *family,
            None => self.mappings[index - FAMILIES.len()],
        }
    }

    /// The mapping whose mark a record has, else what detection says.
    #[inline]
    fn choose(&mut self, record: &Record<'_>) -> Option<Choice> {
        let marked = |mapping: &&'static Mapping| mapping.detect(record, &Memory::default()).is_some();
        match self.mappings.iter().position(marked) {
            Some(at) => Some((FAMILIES.len() + at, Confidence::Certain)),
            None => self.detector.choose(record, self.memories),
        }
    }

    fn fixed(&mut self, index: usize, record: &Record<'_>, scratch: &mut [Vec<u8>]) -> Result<Parsed, Reject> {
        if record.shape == Shape::Text {
            return self.unwrapped(index, record, scratch);
        }
        self.only_one(record, false)?;
        let family = self.family(index);
        if let Some(wrapped) = many::wrapped(record.body, Search::Beginning) {
            let own = || {
                let keyed = Record { keys: Keys::of(record.body), ..record.clone() };
                family.detect(&keyed, &self.memories[index]) == Some(Confidence::Certain)
            };
            if wrapped.surely || !own() {
                return self.each(record, wrapped.array, scratch);
            }
        }
        match self.unwrapped(index, record, scratch) {
            Err(reject) if matches!(reject.kind, RejectKind::NotThisFamily { .. }) => {
                let wrapped = many::wrapped(record.body, Search::Everywhere);
                wrapped.map_or(Err(reject), |wrapped| self.each(record, wrapped.array, scratch))
            }
            result => result,
        }
    }

    fn unwrapped(&mut self, index: usize, record: &Record<'_>, scratch: &mut [Vec<u8>]) -> Result<Parsed, Reject> {
        let family = self.family(index);
        match (record.shape, family.accepts()) {
            (Shape::Text, Accepts::Lines | Accepts::Both) => self.parse(index, record),
            (Shape::Text, Accepts::Objects) => {
                Err(self.reject(family.name(), record, record.not_this_family("a JSON object")))
            }
            (Shape::Object, Accepts::Lines) => {
                match self.unwrap(record, scratch, |run, inner, scratch| Some(run.record(inner, scratch))) {
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
                let keyed = Record { keys: Keys::of(record.body), ..record.clone() };
                if family.detect(&keyed, &self.memories[index]) == Some(Confidence::Certain) {
                    return self.parse(index, record);
                }
                let inner = self.unwrap(record, scratch, |run, inner, scratch| {
                    let known = inner.shape == Shape::Object || family.detect(inner, &run.memories[index]).is_some();
                    known.then(|| run.record(inner, scratch))
                });
                inner.unwrap_or_else(|| self.parse(index, record))
            }
            (Shape::Object, Accepts::Objects) => match self.parse(index, record) {
                Err(reject) if matches!(reject.kind, RejectKind::NotThisFamily { .. }) => {
                    if let Some(inner) = transport::nested(record)
                        && let Ok(parsed) = self.parse(index, &inner)
                    {
                        return Ok(parsed);
                    }
                    let inner = self.unwrap(record, scratch, |run, inner, scratch| {
                        (inner.shape == Shape::Object).then(|| run.record(inner, scratch))
                    });
                    inner.unwrap_or(Err(reject))
                }
                result => result,
            },
        }
    }

    fn auto(&mut self, record: &mut Record<'_>, scratch: &mut [Vec<u8>]) -> Result<Parsed, Reject> {
        if record.shape == Shape::Object {
            record.keys = Keys::of(record.body);
        }
        let choice = self.choose(record);
        let sure = choice.is_some_and(|(_, confidence)| confidence == Confidence::Certain);
        self.only_one(record, sure && choice.is_some_and(|(index, _)| self.family(index).sees_sequences()))?;
        let mut refused = None;
        if record.shape == Shape::Object && !sure {
            // one that is cut off in the array has no keys
            if (record.keys.has_any(Keys::WRAPPERS) || record.keys == Keys::NONE)
                && let Some(wrapped) = many::wrapped(record.body, Search::Beginning)
                    .or_else(|| many::wrapped(record.body, Search::Everywhere))
            {
                match self.each(record, wrapped.array, scratch) {
                    Err(reject) => refused = Some(reject),
                    Ok(Parsed::Nothing) if choice.is_some() => {}
                    result => return result,
                }
            }
            if record.keys.has_any(Keys::HIT.and(Keys::SPLUNK_TYPE))
                && let Some(mut inner) = transport::nested(record)
            {
                inner.keys = Keys::of(inner.body);
                let inside = self.choose(&inner);
                let other = inside.map(|(index, _)| index) != choice.map(|(index, _)| index);
                if other && inside.is_some_and(|(_, confidence)| confidence >= Confidence::Likely) {
                    return self.record(&mut inner, scratch);
                }
            }
            // what a shipper wraps is worth more than the shipper's own members
            let inner = self.unwrap(record, scratch, |run, inner, scratch| {
                let mut inner = inner.clone();
                if inner.shape == Shape::Object {
                    inner.keys = Keys::of(first_object(inner.body));
                }
                let sure_of = |choice: Option<Choice>| choice.map(|(_, confidence)| confidence);
                let inside = sure_of(run.choose(&inner));
                let known = inner.shape == Shape::Object || inside.is_some() && inside >= sure_of(choice);
                (known && (inner.shape == Shape::Text || choice.is_none())).then(|| run.record(&mut inner, scratch))
            });
            if let Some(result) = inner {
                return result;
            }
        }
        let Some((index, _)) = choice else {
            self.detector.count(choice);
            let unknown = || self.reject("auto", record, record.not_this_family("a line of a known family"));
            return Err(refused.unwrap_or_else(unknown));
        };
        let first = self.parse(index, record);
        if !first.as_ref().is_err_and(|reject| reject.kind == json::ANOTHER) {
            self.detector.count(choice);
        }
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
        then: impl FnOnce(&mut Self, &mut Record<'_>, &mut [Vec<u8>]) -> Option<Result<Parsed, Reject>>,
    ) -> Option<Result<Parsed, Reject>> {
        let (mine, rest) = scratch.split_first_mut()?;
        let envelope = transport::envelope(record.body)?;
        let mut inner = envelope.open(mine, record.time);
        inherit(&mut inner, record);
        if inner.line.trim_ascii().is_empty() {
            return None;
        }
        then(self, &mut inner, rest)
    }

    /// Sends each record of many its way. A refused one is noted and the others stay; if there is no event and a record is
    /// refused, all are. Records in records cost a buffer each level, so that nesting is bounded.
    fn each<'a>(&mut self, record: &Record<'a>, text: &'a [u8], scratch: &mut [Vec<u8>]) -> Result<Parsed, Reject> {
        let surrounded = surrounded(record, text);
        let record = surrounded.as_ref().unwrap_or(record);
        let before = self.row.position();
        let mut many = Many::new(text);
        let mut first: Option<Reject> = None;
        let mut written = false;
        loop {
            let rest = many.rest();
            let Some(piece) = many.next() else { break };
            let from = self.row.position();
            let room = self.row.room();
            let full = room.is_err();
            let (result, part) = match (room, piece) {
                (Err(kind), _) => (Err(self.reject_part(record, rest, Refusal { at: 0, kind })), rest),
                (Ok(()), Piece::One(value, part)) => (self.one(record, value, scratch), part),
                (Ok(()), Piece::Broken(part, error)) => {
                    let kind = Refusal::from(error).kind;
                    (Err(self.reject_part(record, part, Refusal { at: 0, kind })), part)
                }
                (Ok(()), Piece::CutOff(part)) => {
                    let kind = RejectKind::Unclosed { what: "a record of several" };
                    (Err(self.reject_part(record, part, Refusal { at: part.len(), kind })), part)
                }
            };
            match result {
                Ok(Parsed::Events) => {
                    written = true;
                    // Where there is no room for another it is the next piece that is told so.
                    let _ = self.row.another();
                }
                Ok(Parsed::Nothing) => {}
                Err(reject) => {
                    if !full {
                        self.row.back_to(from);
                    }
                    self.row.refuse_part(reject.clone(), part);
                    first.get_or_insert(reject);
                }
            }
            if full {
                break;
            }
        }
        match first {
            _ if written => Ok(Parsed::Events),
            Some(reject) => {
                self.row.back_to(before);
                Err(reject)
            }
            None => Ok(Parsed::Nothing),
        }
    }

    /// One record of many: an object, or a line as text.
    fn one<'a>(&mut self, record: &Record<'a>, value: Value<'a>, scratch: &mut [Vec<u8>]) -> Result<Parsed, Reject> {
        let Some((mine, rest)) = scratch.split_first_mut() else {
            let kind = RejectKind::TooMuch { what: "levels of records in records", limit: ENVELOPES_MAX };
            return Err(self.reject_part(record, value.written(), Refusal { at: 0, kind }));
        };
        match value {
            Value::Object(body) => self.record(&mut Record { body, keys: Keys::NONE, ..record.clone() }, rest),
            Value::Text(text) => {
                let line = if text.escaped {
                    mine.clear();
                    text.append_to(mine);
                    &mine[..]
                } else {
                    text.raw
                };
                let mut inner = transport::open(line, record.time);
                inherit(&mut inner, record);
                self.record(&mut inner, rest)
            }
            other => {
                let refusal = record.not_this_family("an object, or a line as text, in an array");
                Err(self.reject_part(record, other.written(), refusal))
            }
        }
    }

    /// Has one family write the rows of a record.
    fn parse(&mut self, index: usize, record: &Record<'_>) -> Result<Parsed, Reject> {
        let family = self.family(index);
        let from = self.row.position();
        record.stamp(self.row);
        match family.parse(record, &mut self.memories[index], self.row) {
            Ok(Parsed::Events) if self.row.left_out() => {
                self.row.back_to(from);
                Err(self.reject(family.name(), record, self.row.too_much_text().into()))
            }
            Ok(Parsed::Events) => {
                let base = if self.row.has_refused() { self.base(record) } else { 0 };
                for part in self.row.refused_since(from) {
                    part.reject.offset = (base + part.reject.offset).min(self.line.len());
                }
                Ok(Parsed::Events)
            }
            Ok(Parsed::Nothing) => {
                self.row.back_to(from);
                Ok(Parsed::Nothing)
            }
            Err(refusal) => {
                self.row.back_to(from);
                Err(self.reject(family.name(), record, refusal))
            }
        }
    }

    /// Where the record's body begins in the received line. A line out of an envelope that had to be unescaped lies elsewhere:
    /// then it is the offset in the line inside.
    fn base(&self, record: &Record<'_>) -> usize {
        offset_in(self.line, record.body).or_else(|| offset_in(record.line, record.body)).unwrap_or(0)
    }

    /// The refusal of a part of a record that no family has seen.
    #[cold]
    fn reject_part<'a>(&self, record: &Record<'a>, part: &'a [u8], refusal: Refusal) -> Reject {
        self.reject(self.format.name(), &Record { body: part, ..record.clone() }, refusal)
    }

    #[cold]
    fn reject(&self, family: &'static str, record: &Record<'_>, refusal: Refusal) -> Reject {
        Reject { family, offset: self.base(record).wrapping_add(refusal.at).min(self.line.len()), kind: refusal.kind }
    }
}

fn first_object(body: &[u8]) -> &[u8] {
    match body.first() {
        Some(b'[') => body[1..].trim_ascii_start(),
        _ => body,
    }
}

/// A wrapper that says something about what it wraps: OpenTelemetry's resource. What it names is the records' host and program
/// where they name none.
fn surrounded<'a>(record: &Record<'a>, text: &'a [u8]) -> Option<Record<'a>> {
    let head = &record.body[..record.body.len().min(RESOURCE_WITHIN)];
    if std::ptr::eq(text, record.body) || !contains(head, b"\"resource\"") {
        return None;
    }
    let resource = otlp::resource(record.body);
    let mut outer = Record { around: resource.attributes, ..record.clone() };
    outer.header.host = if resource.host.is_empty() { outer.header.host } else { resource.host };
    outer.header.app = if resource.service.is_empty() { outer.header.app } else { resource.service };
    Some(outer)
}

/// What an outer header says counts where the inner one says nothing.
fn inherit<'a>(inner: &mut Record<'a>, outer: &Record<'a>) {
    let header = &mut inner.header;
    header.time_us = header.time_us.or(outer.header.time_us);
    if header.host.is_empty() {
        header.host = outer.header.host;
    }
}
