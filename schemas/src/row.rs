//! Writing the rows of one record.
//!
//! A [`Row`] is a cursor into a batch. What a parser hands it as a slice of the received line is stored as a position,
//! found by comparing addresses with those of the block; anything else (unescaped text, made text) is copied into the
//! batch's arena. So a family's code says only `row.text(key::USER, name)` and can't get it wrong.
//! If a record is refused, all its rows are taken back: dropping a row without [`Row::commit`] leaves no trace. If a part of a
//! record of many events is refused, only that part's are ([`Row::back_to`]), and the part is noted ([`Row::refuse_part`]).

use std::ops::Range;

use crate::batch::{BLOCK_MAX, FlowBatch, LogSource, PRESENCE_WORDS, Place, Presence, SOURCE_SLOTS, SourceEntry, Span};
use crate::digits::{parse_port, parse_u64};
use crate::fields::{Field, FieldType, key};
use crate::kinds::{Ip, Key, Kind, Percent};
use crate::reject::{RefusedPart, Reject, RejectKind};

/// Most events that one record may hold.
pub const EVENTS_PER_RECORD_MAX: usize = 10_000;

/// Events of a message of several records, after which no further record of it is taken: their numbers fit two bytes.
pub const EVENTS_PER_MESSAGE_MAX: usize = (1 << 16) - EVENTS_PER_RECORD_MAX;

/// Most bytes of text that the events of one record may say together, and that may be copied for them: this many for each byte
/// of the record, and [`TEXTS_AT_LEAST`]. What the events of a record share is said by each of them: without a bound, ten
/// thousand of them with a head of a megabyte would be ten gigabytes.
pub const TEXTS_PER_BYTE_MAX: usize = 32;
/// What any record may say, however short it is.
pub const TEXTS_AT_LEAST: usize = 1 << 20;

/// Longest name of a vendor field, several times what vendors write; of a longer one this much is kept, since a name may be said
/// for many values and is sorted by.
pub const EXTRA_NAME_MAX: usize = 512;

/// The row that is being written, and those of the same record before it.
pub struct Row<'b> {
    batch: &'b mut FlowBatch,
    row: usize,
    first: usize,
    present: Presence,
    place: Place,
    line: Span,
    // The block's bytes as a range of addresses, kept here so that a text needs no pointer chase.
    block_from: usize,
    block_len: usize,
    // What to go back to if the record is refused.
    arena_len: usize,
    extras_len: usize,
    refused: Vec<RefusedPart>,
    committed: bool,
    // Bytes of text in the finished rows.
    said: usize,
    // Whether a text was left out, for want of room.
    left_out: bool,
}

/// A place between two events of a record, to go back to.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    row: usize,
    arena_len: usize,
    extras_len: usize,
    refused_len: usize,
    said: usize,
}

/// What several events of a record share; see [`Row::shared`].
#[derive(Clone, Debug)]
pub struct Shared {
    row: usize,
    present: Presence,
    extras: Range<usize>,
}

impl<'b> Row<'b> {
    #[inline(always)]
    pub(crate) fn begin(batch: &'b mut FlowBatch, place: Place, line: &[u8]) -> Row<'b> {
        const RECEIVED: Presence = {
            let mut present = [0; PRESENCE_WORDS];
            present[Field::Received.index() >> 6] = 1 << (Field::Received.index() & 63);
            present
        };
        batch.reserve_row();
        let (arena_len, extras_len) = (batch.arena.len(), batch.extras.len());
        let (block_from, block_len) = (batch.block.as_ptr() as usize, batch.block.len());
        let row = batch.rows;
        batch.columns.times[key::RECEIVED.slot][row] = place.received_us;
        let start = (line.as_ptr() as usize).wrapping_sub(block_from);
        let inside = start < block_len && start + line.len() <= block_len;
        // made where it stays: one that is moved costs as much as some of its fields
        Row {
            line: if inside { Span::block(start, line.len()) } else { batch.keep_some(line) },
            batch,
            row,
            first: row,
            present: RECEIVED,
            place,
            block_from,
            block_len,
            arena_len,
            extras_len,
            refused: Vec::new(),
            committed: false,
            said: 0,
            left_out: false,
        }
    }

    /// Sets a value of a fixed size.
    #[inline]
    pub fn set<K: Kind>(&mut self, key: Key<K>, value: K::Value) {
        K::columns_mut(&mut self.batch.columns)[key.slot][self.row] = K::store(value);
        self.mark(key.field);
    }

    /// Sets a value if there is one.
    #[inline]
    pub fn set_opt<K: Kind>(&mut self, key: Key<K>, value: Option<K::Value>) {
        if let Some(value) = value {
            self.set(key, value);
        }
    }

    /// Sets a text, without a copy where it lies in the received block. An empty text is absent.
    #[inline]
    pub fn text<K: Kind<Stored = Span, Value = Span>>(&mut self, key: Key<K>, text: &[u8]) {
        if !text.is_empty() {
            let span = self.span(text);
            self.set(key, span);
        }
    }

    /// Sets a text that is part of the program.
    #[inline]
    pub fn fixed<K: Kind<Stored = Span, Value = Span>>(&mut self, key: Key<K>, text: &'static str) {
        let span = self.batch.keep_fixed(text);
        self.set(key, span);
    }

    /// Sets a list from its elements; line feeds inside an element become blanks. No element is absent.
    pub fn list<K: Kind<Stored = Span, Value = Span>, T: AsRef<[u8]>>(
        &mut self,
        key: Key<K>,
        elements: impl IntoIterator<Item = T>,
    ) {
        let start = self.batch.arena.len();
        for element in elements {
            if !self.has_room_for(element.as_ref().len() + 1) {
                break;
            }
            if self.batch.arena.len() > start {
                self.batch.arena.push(b'\n');
            }
            self.batch.arena.extend(element.as_ref().iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }));
        }
        let len = self.batch.arena.len() - start;
        if len > 0 {
            self.set(key, Span::arena(start, len));
        }
    }

    /// Adds one element to a list; line feeds inside it become blanks. An empty one is left out.
    pub fn add<K: Kind<Stored = Span, Value = Span>>(&mut self, key: Key<K>, element: &[u8]) {
        if element.is_empty() {
            return;
        }
        let end = self.batch.arena.len();
        let start = match self.get(key) {
            None => end,
            Some(known) if end > 0 && known.end_in_arena() == end => end - known.len(),
            // something else was kept since, or the list lies in the block
            Some(known) => {
                if !self.has_room_for(known.len()) {
                    return;
                }
                for at in 0..known.len() {
                    let byte = self.batch.text_of(known)[at];
                    self.batch.arena.push(byte);
                }
                end
            }
        };
        if !self.has_room_for(element.len() + 1) {
            return;
        }
        let arena = &mut self.batch.arena;
        if arena.len() > start {
            arena.push(b'\n');
        }
        arena.extend(element.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }));
        let len = arena.len() - start;
        self.set(key, Span::arena(start, len));
    }

    /// Sets a field from its text, by the field's type. An empty text is absent.
    ///
    /// # Errors
    /// [`RejectKind::BadValue`] with the field's canonical name if the text is not a value of its type. Times are not
    /// read here: their formats are the parsers' business.
    #[inline]
    pub fn put(&mut self, field: Field, text: &[u8]) -> Result<(), RejectKind> {
        self.try_put(field, text).map_err(|expected| RejectKind::bad_value(field.name(), text, expected))
    }

    /// Sets a field from its text if that is a value of the field's type; says whether. For fields that a device fills with
    /// other things, too: no reject has to be made to find out.
    #[inline]
    pub fn put_if(&mut self, field: Field, text: &[u8]) -> bool {
        self.try_put(field, text).is_ok()
    }

    /// The same, or what was expected.
    fn try_put(&mut self, field: Field, text: &[u8]) -> Result<(), &'static str> {
        if text.is_empty() {
            return Ok(());
        }
        let slot = field.slot();
        let columns = &mut self.batch.columns;
        match field.field_type() {
            FieldType::Time => return Err("a time, set by the family"),
            FieldType::Long => match parse_u64(text) {
                Some(value) => columns.longs[slot][self.row] = value,
                None => return Err("digits 0..=9223372036854775807"),
            },
            FieldType::Ip => match Ip::parse(text) {
                Some(value) => columns.ips[slot][self.row] = value,
                None => return Err("an IPv4 or IPv6 address"),
            },
            FieldType::Port => match parse_port(text) {
                Some(value) => columns.ports[slot][self.row] = value,
                None => return Err("digits 0..=65535"),
            },
            FieldType::Percent => match parse_u64(text).filter(|value| *value <= 100) {
                Some(value) => columns.bytes[slot][self.row] = Percent::new(value as u8).get(),
                None => return Err("digits 0..=100"),
            },
            FieldType::Word(words) => {
                let byte = if field == Field::Transport {
                    crate::Transport::parse(text).map(|transport| transport.0)
                } else {
                    words.iter().position(|word| word.as_bytes().eq_ignore_ascii_case(text)).map(|at| at as u8)
                };
                match byte {
                    Some(byte) => columns.bytes[slot][self.row] = byte,
                    None => return Err("a word of this field, see the field reference"),
                }
            }
            FieldType::Text | FieldType::List => {
                let span = self.span(text);
                self.batch.columns.spans[slot][self.row] = span;
            }
        }
        self.mark(field);
        Ok(())
    }

    /// Keeps a vendor field that has no column. An empty value is absent.
    #[inline]
    pub fn extra(&mut self, name: &[u8], value: &[u8]) {
        if !value.is_empty() {
            let name = if name.len() > EXTRA_NAME_MAX { &name[..EXTRA_NAME_MAX] } else { name };
            let pair = (self.span(name), self.span(value));
            self.batch.extras.push(pair);
        }
    }

    /// The same with a name that is part of the program.
    #[inline]
    pub fn extra_fixed(&mut self, name: &'static str, value: &[u8]) {
        if !value.is_empty() {
            let pair = (self.batch.keep_fixed(name), self.span(value));
            self.batch.extras.push(pair);
        }
    }

    /// Says which log this is; sets family, vendor, product and dataset, too.
    #[inline]
    pub fn log_source(&mut self, source: &'static LogSource) {
        // by the address, since a batch of many families has many
        let slot = (source as *const LogSource as usize >> 4) % SOURCE_SLOTS;
        let known = usize::from(self.batch.source_slots[slot]);
        let at = match self.batch.sources.get(known) {
            Some(entry) if std::ptr::eq(entry.source, source) => known,
            _ => self.find_log_source(source, slot),
        };
        let names = self.batch.sources[at].names;
        self.batch.log_sources[self.row] = at as u16 + 1;
        let [family, vendor, product, dataset] = names;
        self.set_named(key::FAMILY, family);
        self.set_named(key::VENDOR, vendor);
        self.set_named(key::PRODUCT, product);
        self.set_named(key::DATASET, dataset);
    }

    #[inline(always)]
    fn set_named<K: Kind<Stored = Span, Value = Span>>(&mut self, key: Key<K>, name: Span) {
        if !name.is_empty() {
            self.set(key, name);
        }
    }

    #[inline(never)]
    fn find_log_source(&mut self, source: &'static LogSource, slot: usize) -> usize {
        let at = match self.batch.sources.iter().position(|entry| std::ptr::eq(entry.source, source)) {
            Some(at) => at,
            None => self.new_log_source(source),
        };
        self.batch.source_slots[slot] = at as u16;
        at
    }

    #[cold]
    fn new_log_source(&mut self, source: &'static LogSource) -> usize {
        let names =
            [source.family, source.vendor, source.product, source.dataset].map(|name| self.batch.keep(name.as_bytes()));
        // A refused record takes back its arena: these texts must outlive it.
        self.arena_len = self.arena_len.max(self.batch.arena.len());
        self.batch.sources.push(SourceEntry { source, names });
        self.batch.sources.len() - 1
    }

    /// Whether the row has a field.
    #[inline]
    pub fn has(&self, field: Field) -> bool {
        self.present[field.index() >> 6] >> (field.index() & 63) & 1 == 1
    }

    /// The value that was set, of a fixed size.
    #[inline]
    pub fn get<K: Kind>(&self, key: Key<K>) -> Option<K::Value> {
        self.has(key.field).then(|| K::load(K::columns(&self.batch.columns)[key.slot][self.row]))
    }

    /// The text that was set.
    pub fn get_text<K: Kind<Stored = Span, Value = Span>>(&self, key: Key<K>) -> Option<&[u8]> {
        self.get(key).map(|span| self.batch.text_of(span))
    }

    /// Takes a field back.
    #[inline]
    pub fn clear(&mut self, field: Field) {
        self.present[field.index() >> 6] &= !(1 << (field.index() & 63));
    }

    /// Text that was built by hand becomes part of the batch; use the span with [`Row::set`].
    pub fn keep(&mut self, text: &[u8]) -> Span {
        self.copy(text)
    }

    /// All that this row says so far, to be said again by further events of the record: what a record says of all its events is
    /// read once, however many they are.
    pub fn shared(&self) -> Shared {
        let extras = self.batch.extras_from(self.row)..self.batch.extras.len();
        Shared { row: self.row, present: self.present, extras }
    }

    /// Says again what is shared. It is taken from the row that said it first, so that none of it may have been overwritten there.
    pub fn say_again(&mut self, shared: &Shared) {
        let columns = &mut self.batch.columns;
        for (at, word) in shared.present.iter().enumerate() {
            let mut rest = *word;
            while rest != 0 {
                let field = Field::ALL[at * 64 + rest.trailing_zeros() as usize];
                rest &= rest - 1;
                columns.say_again(field, shared.row, self.row);
            }
            self.present[at] |= word;
        }
        self.batch.log_sources[self.row] = self.batch.log_sources[shared.row];
        self.batch.extras.extend_from_within(shared.extras.clone());
    }

    /// Ends this row and begins another event of the same record, empty but for its place. Where this row was begun so and
    /// nothing was written, nothing happens.
    ///
    /// # Errors
    /// [`RejectKind::TooMuch`] beyond ten thousand events, or what they may say together.
    pub fn another(&mut self) -> Result<(), RejectKind> {
        if self.row > self.first && self.is_blank() {
            return Ok(());
        }
        if self.row - self.first + 1 >= EVENTS_PER_RECORD_MAX {
            return Err(too_many_events());
        }
        if self.said > self.said_max() {
            return Err(self.too_much_text());
        }
        self.finish_row();
        self.said += self.batch.text_bytes(self.row);
        self.batch.reserve_row();
        self.row += 1;
        self.present = [0; PRESENCE_WORDS];
        self.set(key::RECEIVED, self.place.received_us);
        Ok(())
    }

    /// The place before this row, of which nothing has been written yet.
    #[inline]
    pub fn position(&self) -> Position {
        Position {
            row: self.row,
            arena_len: self.batch.arena.len(),
            extras_len: self.batch.extras.len(),
            refused_len: self.refused.len(),
            said: self.said,
        }
    }

    /// Takes back all that was written of this record since then: events, their texts, and refused parts.
    #[cold]
    pub fn back_to(&mut self, position: Position) {
        self.row = position.row;
        self.said = position.said;
        self.left_out = false;
        self.take_back(position);
        self.present = [0; PRESENCE_WORDS];
        self.set(key::RECEIVED, self.place.received_us);
    }

    /// Whether the record may have a further event or refused part.
    ///
    /// # Errors
    /// [`RejectKind::TooMuch`] if it has as many as it may.
    pub fn room(&self) -> Result<(), RejectKind> {
        let parts = self.row - self.first + self.refused.len();
        let full = parts + 1 >= EVENTS_PER_RECORD_MAX;
        match full {
            true => Err(too_many_events()),
            false if self.said > self.said_max() => Err(self.too_much_text()),
            false => Ok(()),
        }
    }

    /// Whether a text was left out since together they are many times as long as the record; then the event is not to stay. See
    /// [`Row::too_much_text`].
    #[inline]
    pub fn left_out(&self) -> bool {
        self.left_out
    }

    /// Notes a part of the record that is refused while others are events. `reject` has the offset in the record's body: who
    /// knows where that lies in the received line makes it one of the line ([`Row::refused_since`]).
    #[cold]
    pub fn refuse_part(&mut self, reject: Reject, part: &[u8]) {
        self.refused.push(RefusedPart { reject, raw: part.to_vec() });
    }

    /// Whether a part was refused.
    #[inline]
    pub fn has_refused(&self) -> bool {
        !self.refused.is_empty()
    }

    /// The parts that were refused since then.
    pub fn refused_since(&mut self, position: Position) -> &mut [RefusedPart] {
        &mut self.refused[position.refused_len..]
    }

    /// The parts that were refused, taken out of the row.
    pub fn take_refused(&mut self) -> Vec<RefusedPart> {
        std::mem::take(&mut self.refused)
    }

    /// Ends a record whose last event may have been followed by [`Row::another`]: a row of which nothing was written is no
    /// event. Gives how many there were; the row takes no more.
    pub fn end(&mut self) -> usize {
        if self.row == self.first || !self.is_blank() {
            return self.keep_rows();
        }
        self.committed = true;
        self.row - self.first
    }

    fn is_blank(&self) -> bool {
        let mut blank = [0; PRESENCE_WORDS];
        blank[Field::Received.index() >> 6] |= 1 << (Field::Received.index() & 63);
        self.present == blank
    }

    /// Ends the record: its rows are part of the batch. Gives how many they were.
    ///
    /// A row without a time takes the received time, flagged; one without a kind is `other`.
    pub fn commit(mut self) -> usize {
        self.keep_rows()
    }

    fn keep_rows(&mut self) -> usize {
        self.finish_row();
        self.committed = true;
        self.row - self.first + 1
    }

    fn finish_row(&mut self) {
        match self.get(key::TIME) {
            None => {
                self.set(key::TIME, self.place.received_us);
                self.set(key::TIME_SOURCE, crate::TimeSource::Received);
            }
            Some(time) => {
                let believed = self.batch.plausible;
                let latest = self.place.received_us.saturating_add(believed.ahead_us);
                if time < believed.earliest_us || time > latest {
                    self.set(key::TIME_SOURCE, crate::TimeSource::Implausible);
                }
            }
        }
        if !self.has(Field::Kind) {
            self.set(key::KIND, crate::words::EventKind::Other);
        }
        if !self.has(Field::Family) {
            self.batch.log_sources[self.row] = 0;
        }
        let row = self.row;
        self.batch.present[row] = self.present;
        self.batch.offsets[row] = self.place.offset;
        self.batch.subs[row] = (row - self.first) as u16;
        self.batch.lines[row] = self.line;
        self.batch.extras_end[row] = self.batch.extras.len() as u32;
        self.batch.rows = row + 1;
    }

    #[inline]
    fn mark(&mut self, field: Field) {
        self.present[field.index() >> 6] |= 1 << (field.index() & 63);
    }

    #[inline]
    fn span(&mut self, text: &[u8]) -> Span {
        let start = (text.as_ptr() as usize).wrapping_sub(self.block_from);
        if start < self.block_len && start + text.len() <= self.block_len {
            Span::block(start, text.len())
        } else {
            self.copy(text)
        }
    }

    fn copy(&mut self, text: &[u8]) -> Span {
        if self.has_room_for(text.len()) { self.batch.keep(text) } else { Span::default() }
    }

    /// The most bytes of text that the record's events may say.
    fn said_max(&self) -> usize {
        self.line.len().saturating_mul(TEXTS_PER_BYTE_MAX).saturating_add(TEXTS_AT_LEAST)
    }

    /// Whether the texts that are copied for this record may grow by as much; if not, it is remembered.
    #[inline]
    fn has_room_for(&mut self, more: usize) -> bool {
        let len = self.batch.arena.len();
        // what one event copies beyond the bound is for `room` to find, which then keeps the events before it
        let most = self.said_max().saturating_add(self.line.len() * 4);
        let has_room = len.saturating_sub(self.arena_len) + more <= most && len + more <= BLOCK_MAX;
        self.left_out |= !has_room;
        has_room
    }

    /// Why an event is refused of which a text was left out.
    #[cold]
    pub fn too_much_text(&self) -> RejectKind {
        RejectKind::TooMuch { what: "bytes of text in the events of one record", limit: self.said_max() }
    }
}

#[cold]
fn too_many_events() -> RejectKind {
    RejectKind::TooMuch { what: "events in one record", limit: EVENTS_PER_RECORD_MAX }
}

impl Row<'_> {
    fn take_back(&mut self, to: Position) {
        self.batch.rows = to.row;
        self.batch.extras.truncate(to.extras_len);
        self.refused.truncate(to.refused_len);
        // The names of log sources outlive the record that brought them.
        let kept = to.arena_len.max(self.arena_len);
        self.batch.arena.truncate(kept);
        // Static texts kept since may lie in what was cut off.
        self.batch.fixed.iter_mut().for_each(|entry| {
            if entry.1.end_in_arena() > kept {
                entry.0 = 0;
            }
        });
    }
}

impl Drop for Row<'_> {
    fn drop(&mut self) {
        if !self.committed {
            let Row { first: row, arena_len, extras_len, .. } = *self;
            self.take_back(Position { row, arena_len, extras_len, refused_len: 0, said: 0 });
        }
    }
}
