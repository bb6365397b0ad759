//! The rows of a window as columns, in the form from which they are encoded.
//!
//! Values go from a batch's columns into these once, without Arrow's arrays in between: texts that repeat become codes of a
//! dictionary that lives as long as the window, so that neither sorting nor encoding looks at their bytes again. Values lie
//! dense, one slot a row; a bitmap says which rows have one, and a column that no row has is empty. Of a table whose rows
//! come as Arrow (alerts, refused records: few) the arrays are taken apart the same way.

use std::borrow::Cow;
use std::hash::BuildHasher;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, DictionaryArray};
use arrow_schema::DataType;
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use schemas::arrow::TEXT_MAX;
use schemas::{Column as Values, Field, FlowBatch, Ip, Mask, Span, TextColumn, json, write};

use super::window::WINDOW_ROWS;

/// Rows by which the last batch of a window usually goes beyond it.
const BATCH_ROWS_USUAL: usize = 8_192;

/// Bytes of a dictionary after which it is begun anew with the next window: what is kept is only worth keeping while small.
const DICTIONARY_BYTES_KEPT: usize = 1 << 18;

/// Bytes of a column's texts in a window, as far as 32-bit positions go with the longest extras behind them.
const TEXTS_MAX: usize = 3 << 30;

/// Slots of the memos from spans or short texts to codes: a power of two. A collision only costs a look into the dictionary.
const MEMO: usize = 256;

/// A bitmap that grows at its end.
#[derive(Default)]
pub(super) struct Bits {
    words: Vec<u64>,
    len: usize,
    ones: usize,
}

impl Bits {
    /// Whether a row is set; false past the end.
    #[inline]
    pub(super) fn get(&self, row: usize) -> bool {
        self.words.get(row >> 6).is_some_and(|word| word >> (row & 63) & 1 == 1)
    }

    /// Rows that are set.
    pub(super) fn ones(&self) -> usize {
        self.ones
    }

    fn clear(&mut self) {
        self.words.clear();
        (self.len, self.ones) = (0, 0);
    }

    /// Fills up with zeros to `len`.
    fn pad(&mut self, len: usize) {
        self.words.resize(len.div_ceil(64), 0);
        self.len = len;
    }

    /// Appends `rows` bits; those past the last of `words` are zero.
    fn extend(&mut self, words: &[u64], rows: usize) {
        let shift = self.len & 63;
        self.words.truncate(self.len.div_ceil(64));
        for word in &words[..rows.div_ceil(64)] {
            self.ones += word.count_ones() as usize;
            if shift == 0 {
                self.words.push(*word);
            } else {
                if let Some(last) = self.words.last_mut() {
                    *last |= word << shift;
                }
                self.words.push(word >> (64 - shift));
            }
        }
        self.pad(self.len + rows);
    }
}

/// Texts that repeat: each once, and which one a row has.
pub(super) struct Codes {
    /// One a row; meaningless where the row has none.
    pub(super) codes: Vec<u32>,
    bytes: Vec<u8>,
    /// Where each entry ends in `bytes`.
    ends: Vec<u32>,
    known: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// The codes of short texts that came last, by their bytes.
    recent: Box<[(Short, u32); MEMO]>,
    /// The codes of addresses, by their bits: most are known, and need not be written as text to be found.
    addresses: HashMap<u128, u32>,
}

/// A text of at most 16 bytes as numbers: its first and its last eight bytes (or fewer), which may overlap, and its length.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Short {
    head: u64,
    tail: u64,
    len: u8,
}

impl Short {
    #[inline]
    fn of(text: &[u8]) -> Option<Self> {
        let (head, tail) = match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
            (Some(head), Some(tail)) if text.len() <= 16 => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
            (Some(_), _) | (_, Some(_)) => return None,
            (None, None) => match (text.first_chunk::<4>(), text.last_chunk::<4>()) {
                (Some(head), Some(tail)) => (u32::from_le_bytes(*head).into(), u32::from_le_bytes(*tail).into()),
                _ => (text.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)), 0),
            },
        };
        Some(Self { head, tail, len: text.len() as u8 })
    }

    #[inline]
    fn slot(self) -> usize {
        let mixed = (self.head ^ self.tail.rotate_left(29) ^ u64::from(self.len)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 40) as usize & (MEMO - 1)
    }
}

impl Codes {
    fn new() -> Self {
        Self {
            codes: Vec::new(),
            bytes: Vec::new(),
            ends: Vec::new(),
            known: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            recent: Box::new([(Short::default(), u32::MAX); MEMO]),
            addresses: HashMap::new(),
        }
    }

    /// Number of entries.
    pub(super) fn entries(&self) -> usize {
        self.ends.len()
    }

    /// An entry's text.
    #[inline]
    pub(super) fn entry(&self, code: u32) -> &[u8] {
        entry(&self.bytes, &self.ends, code)
    }

    /// The code of a text, which is new or known. Only a new one is looked at for UTF-8, since entries are.
    #[inline]
    fn code_of(&mut self, text: &[u8]) -> u32 {
        let Some(short) = Short::of(text) else { return self.find_or_add(text) };
        let slot = short.slot();
        let (known, code) = self.recent[slot];
        if known == short && code != u32::MAX {
            return code;
        }
        let code = self.find_or_add(text);
        self.recent[slot] = (short, code);
        code
    }

    fn find_or_add(&mut self, text: &[u8]) -> u32 {
        match self.known_code(self.hasher.hash_one(text), text) {
            Some(code) => code,
            None => self.add(&lossy(text)),
        }
    }

    #[inline]
    fn code_of_address(&mut self, ip: Ip) -> u32 {
        let bits = u128::from_ne_bytes(ip.0);
        if let Some(code) = self.addresses.get(&bits) {
            return *code;
        }
        let mut text = Vec::with_capacity(48);
        write::ip(ip, &mut text);
        let code = self.find_or_add(&text);
        self.addresses.insert(bits, code);
        code
    }

    #[inline]
    fn known_code(&self, hash: u64, text: &[u8]) -> Option<u32> {
        self.known.find(hash, |code| entry(&self.bytes, &self.ends, *code) == text).copied()
    }

    #[cold]
    fn add(&mut self, text: &[u8]) -> u32 {
        let hash = self.hasher.hash_one(text);
        if let Some(code) = self.known_code(hash, text) {
            return code;
        }
        let Self { bytes, ends, known, hasher, .. } = self;
        let code = ends.len() as u32;
        bytes.extend_from_slice(text);
        ends.push(bytes.len() as u32);
        known.insert_unique(hash, code, |code| hasher.hash_one(entry(bytes, ends, *code)));
        code
    }

    fn clear(&mut self) {
        self.codes.clear();
        if self.bytes.len() > DICTIONARY_BYTES_KEPT {
            *self = Self { codes: std::mem::take(&mut self.codes), ..Self::new() };
        }
    }
}

#[inline]
fn entry<'b>(bytes: &'b [u8], ends: &[u32], code: u32) -> &'b [u8] {
    let from = if code == 0 { 0 } else { ends[code as usize - 1] };
    &bytes[from as usize..ends[code as usize] as usize]
}

/// Texts that hardly repeat, one after the other.
pub(super) struct Texts {
    bytes: Vec<u8>,
    /// Where each row's text ends; a row without one is empty.
    ends: Vec<u32>,
}

impl Texts {
    #[inline]
    pub(super) fn get(&self, row: usize) -> &[u8] {
        entry(&self.bytes, &self.ends, row as u32)
    }

    /// Writes the texts of the rows of `mask`, which are the window's from `first` on.
    fn extend(&mut self, first: usize, mask: &Mask, mut write: impl FnMut(usize, &mut Vec<u8>)) {
        self.pad(first);
        for row in mask.iter() {
            self.pad(first + row);
            // Only a record of tens of thousands of events that share a text of 64 KiB comes here: better empty than a panic.
            if self.bytes.len() < TEXTS_MAX {
                write(row, &mut self.bytes);
            }
            self.ends.push(self.bytes.len() as u32);
        }
    }

    fn pad(&mut self, rows: usize) {
        fill(&mut self.ends, rows, self.bytes.len() as u32);
    }
}

/// The values of a column.
pub(super) enum Store {
    Codes(Codes),
    Texts(Texts),
    Longs(Vec<i64>),
    Ints(Vec<i32>),
    Bools(Vec<bool>),
}

impl Store {
    /// An empty store for a column of that type. `distinct` are texts whose values hardly repeat.
    ///
    /// The types are those of [`super::types`]; others were refused when the lake was opened.
    pub(super) fn new(data_type: &DataType, distinct: bool) -> Self {
        match data_type {
            DataType::Boolean => Self::Bools(Vec::new()),
            DataType::Int32 => Self::Ints(Vec::new()),
            DataType::Int64 | DataType::Timestamp(_, _) => Self::Longs(Vec::new()),
            _ if distinct => Self::Texts(Texts { bytes: Vec::new(), ends: Vec::new() }),
            _ => Self::Codes(Codes::new()),
        }
    }
}

/// A column of the window.
pub(super) struct Column {
    /// Which rows have a value.
    pub(super) valid: Bits,
    pub(super) values: Store,
}

impl Column {
    pub(super) fn new(values: Store) -> Self {
        Self { valid: Bits::default(), values }
    }

    /// Bytes of its texts that are not codes.
    pub(super) fn text_bytes(&self) -> usize {
        match &self.values {
            Store::Texts(texts) => texts.bytes.len(),
            Store::Codes(codes) => codes.bytes.len(),
            Store::Longs(_) | Store::Ints(_) | Store::Bools(_) => 0,
        }
    }

    /// Makes it empty, keeping its memory.
    pub(super) fn clear(&mut self) {
        self.valid.clear();
        match &mut self.values {
            Store::Codes(codes) => codes.clear(),
            Store::Texts(texts) => {
                texts.bytes.clear();
                texts.ends.clear();
            }
            Store::Longs(values) => values.clear(),
            Store::Ints(values) => values.clear(),
            Store::Bools(values) => values.clear(),
        }
    }

    fn mark(&mut self, first: usize, mask: &Mask) {
        self.valid.pad(first);
        self.valid.extend(mask.words(), mask.rows());
    }

    /// Appends a field of a sealed batch whose rows are the window's from `first` on.
    pub(super) fn field(&mut self, first: usize, batch: &FlowBatch, field: Field) {
        let mask = batch.mask(field);
        if mask.is_empty() {
            return;
        }
        self.mark(first, mask);
        match (&mut self.values, batch.any_column(field)) {
            (Store::Longs(values), Values::Time(times)) => append(values, first, times.iter().copied()),
            (Store::Longs(values), Values::Long(longs)) => append(values, first, longs.iter().map(|long| *long as i64)),
            (Store::Ints(values), Values::Port(ports)) => {
                append(values, first, ports.iter().map(|port| i32::from(*port)))
            }
            (Store::Ints(values), Values::Percent(bytes)) => {
                append(values, first, bytes.iter().map(|byte| i32::from(*byte)));
            }
            (Store::Bools(values), Values::Word(bytes, _)) => {
                append(values, first, bytes.iter().map(|byte| *byte == 1))
            }
            (Store::Codes(codes), Values::Word(bytes, words)) => codes.words(first, mask, bytes, words),
            (Store::Codes(codes), Values::Text(column)) => codes.texts(first, mask, column),
            (Store::Codes(codes), Values::Ip(ips)) => {
                codes.each(first, mask, |codes, row| codes.code_of_address(ips[row]));
            }
            (Store::Codes(codes), Values::List(column)) => {
                codes.each(first, mask, |codes, row| codes.code_of(&comma_separated(column.get(row))))
            }
            (Store::Texts(texts), Values::Ip(ips)) => texts.extend(first, mask, |row, out| write::ip(ips[row], out)),
            (Store::Texts(texts), Values::Text(column)) => {
                texts.extend(first, mask, |row, out| out.extend_from_slice(&lossy(column.get(row))));
            }
            (Store::Texts(texts), Values::List(column)) => {
                texts.extend(first, mask, |row, out| out.extend_from_slice(&lossy(&comma_separated(column.get(row)))));
            }
            (Store::Texts(_) | Store::Codes(_) | Store::Longs(_) | Store::Ints(_) | Store::Bools(_), _) => {
                unreachable!("the table's schema is made from the field table: {field:?}")
            }
        }
    }

    /// Appends texts of the rows of `mask`; they are UTF-8.
    pub(super) fn texts(&mut self, first: usize, mask: &Mask, write: impl FnMut(usize, &mut Vec<u8>)) {
        if mask.is_empty() {
            return;
        }
        self.mark(first, mask);
        if let Store::Texts(texts) = &mut self.values {
            texts.extend(first, mask, write);
        }
    }

    /// Appends one text for `rows` rows.
    pub(super) fn constant(&mut self, first: usize, rows: usize, text: &str) {
        self.mark(first, &Mask::all(rows));
        if let Store::Codes(codes) = &mut self.values {
            let code = codes.code_of(text.as_bytes());
            append(&mut codes.codes, first, std::iter::repeat_n(code, rows));
        }
    }

    /// Appends numbers, one for each row.
    pub(super) fn numbers(&mut self, first: usize, numbers: impl ExactSizeIterator<Item = i64>) {
        self.mark(first, &Mask::all(numbers.len()));
        match &mut self.values {
            Store::Longs(values) => append(values, first, numbers),
            Store::Ints(values) => append(values, first, numbers.map(|number| number as i32)),
            Store::Codes(_) | Store::Texts(_) | Store::Bools(_) => {}
        }
    }

    /// Appends an Arrow array of the column's type.
    pub(super) fn array(&mut self, first: usize, array: &dyn Array) {
        let mask = mask_of(array);
        if mask.is_empty() {
            return;
        }
        self.mark(first, &mask);
        match &mut self.values {
            Store::Longs(values) => match array.data_type() {
                DataType::Timestamp(_, _) => {
                    append(values, first, array.as_primitive::<TimestampMicrosecondType>().values().iter().copied());
                }
                _ => append(values, first, array.as_primitive::<Int64Type>().values().iter().copied()),
            },
            Store::Ints(values) => append(values, first, array.as_primitive::<Int32Type>().values().iter().copied()),
            Store::Bools(values) => append(values, first, array.as_boolean().values().iter()),
            Store::Texts(texts) => with_texts(array, |text_of| {
                texts.extend(first, &mask, |row, out| out.extend_from_slice(text_of(row).as_bytes()));
            }),
            Store::Codes(codes) => with_texts(array, |text_of| {
                codes.each(first, &mask, |codes, row| codes.code_of(text_of(row).as_bytes()));
            }),
        }
    }
}

fn with_texts<'a>(array: &'a dyn Array, take: impl FnOnce(&dyn Fn(usize) -> &'a str)) {
    match array.as_any().downcast_ref::<DictionaryArray<Int32Type>>() {
        Some(array) => {
            let values = array.values().as_string::<i32>();
            take(&|row| values.value(array.keys().value(row) as usize));
        }
        None => {
            let values = array.as_string::<i32>();
            take(&|row| values.value(row));
        }
    }
}

fn mask_of(array: &dyn Array) -> Mask {
    let mut mask = Mask::none(array.len());
    (0..array.len()).filter(|row| array.is_valid(*row)).for_each(|row| mask.set(row));
    mask
}

/// Appends to a dense column, after filling it up with zeros to `first`.
#[inline]
fn append<T: Clone + Default>(values: &mut Vec<T>, first: usize, more: impl Iterator<Item = T>) {
    fill(values, first, T::default());
    values.extend(more);
}

/// Fills up to `len`. A column is given a whole window's room at once: growing step by step would copy it as often.
#[inline]
fn fill<T: Clone>(values: &mut Vec<T>, len: usize, value: T) {
    if values.capacity() == 0 {
        values.reserve(WINDOW_ROWS + BATCH_ROWS_USUAL);
    }
    values.resize(len, value);
}

impl Codes {
    /// Sets the code of each row of `mask`.
    #[inline]
    fn each(&mut self, first: usize, mask: &Mask, mut code_of: impl FnMut(&mut Self, usize) -> u32) {
        fill(&mut self.codes, first + mask.rows(), 0);
        for row in mask.iter() {
            let code = code_of(self, row);
            self.codes[first + row] = code;
        }
    }

    fn words(&mut self, first: usize, mask: &Mask, bytes: &[u8], words: &'static [&'static str]) {
        let mut code_of = [u32::MAX; 256];
        self.each(first, mask, |codes, row| {
            let byte = usize::from(bytes[row]);
            if code_of[byte] == u32::MAX {
                code_of[byte] = codes.code_of(words[byte].as_bytes());
            }
            code_of[byte]
        });
    }

    /// Most texts that repeat were kept once a batch, so that their spans are the same.
    fn texts(&mut self, first: usize, mask: &Mask, column: TextColumn<'_>) {
        let mut memo = [(Span::default(), u32::MAX); MEMO];
        self.each(first, mask, |codes, row| {
            let span = column.span(row);
            let slot = &mut memo[span.hash() & (MEMO - 1)];
            if slot.1 == u32::MAX || slot.0 != span {
                *slot = (span, codes.code_of(column.get(row)));
            }
            slot.1
        });
    }
}

/// A text as the lake has it: cut at [`TEXT_MAX`], what is not UTF-8 replaced.
#[inline]
fn lossy(text: &[u8]) -> Cow<'_, [u8]> {
    let text = &text[..text.len().min(TEXT_MAX)];
    if text.is_ascii() || std::str::from_utf8(text).is_ok() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(String::from_utf8_lossy(text).into_owned().into_bytes())
}

fn comma_separated(list: &[u8]) -> Vec<u8> {
    list.iter().map(|byte| if *byte == b'\n' { b',' } else { *byte }).collect()
}

/// The rows of a batch that have extras.
pub(super) fn with_extras(batch: &FlowBatch) -> Mask {
    let mut mask = Mask::none(batch.len());
    (0..batch.len()).filter(|row| batch.extras(*row).len() > 0).for_each(|row| mask.set(row));
    mask
}

/// Writes a row's extras as a JSON object.
pub(super) fn extras(batch: &FlowBatch, row: usize, out: &mut Vec<u8>) {
    json::write_extras(batch, row, out);
}

/// Writes a row's received line.
pub(super) fn raw(batch: &FlowBatch, row: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&lossy(batch.raw(row)));
}
