//! One batch against all rules: predicates to masks, masks to rules, rules to hits.
//!
//! ```text
//!  log sources ─▶ classes alive ─▶ rules alive
//!  columns     ─▶ cheap predicates, all rows at once ──────────────┐
//!  texts       ─▶ dear predicates, only rows that may still match ─┴▶ masks ─▶ conditions ─▶ hits
//! ```
//!
//! Column at a time and not row at a time: a predicate is asked once a batch whoever needs it, its loop has nothing else
//! in it, and a rule whose log source is not in the batch costs one test. Before a text column is read, the rules that
//! ask it say which rows could still matter to them (`logic::bound`); usually few can.
//!
//! The answer is the same as asking each rule of each event alone; `tests/scan_twin.rs` does that.

use std::sync::Arc;

use schemas::{Column, Field, FieldType, FlowBatch, LogSource, Mask};

use crate::RuleSet;
use crate::compile::names::Source;
use crate::compile::predicate::{Predicate, Test};
use crate::compile::program::{Cost, Program};
use crate::compile::read::{date_part, in_ranges};
use crate::hit::{BatchFull, HitBatch};
use crate::sigma::ast::{Case, LogSource as RuleSource, Place};
use crate::sigma::pattern::{Fold, literal_len};

mod emit;
mod logic;
mod ranges;
mod strings;
mod values;

pub use emit::RawSample;

use logic::{Answers, Pool, Side, bound};
use ranges::{DIRECT_MAX, Index, Table};
use strings::{TextMemory, TextSet};

/// Scans batches. One for each thread; it keeps memory between batches, never answers.
#[derive(Debug)]
pub struct Scanner {
    rules: Arc<RuleSet>,
    columns: Vec<ColumnAsk>,
    rows: Vec<RowAsk>,
    /// For each rule, which of `rows` it asks, as indices.
    asks: Vec<Vec<u32>>,
    raw: RawSample,
    memory: Memory,
    lacking: Vec<u64>,
}

/// What is kept between batches to be reused.
#[derive(Debug, Default)]
struct Memory {
    answers: Answers,
    pool: Pool,
    /// For each class the rows of its log source; empty masks for classes that are not in the batch.
    classes: Vec<Mask>,
    /// For each rule its answer.
    rules: Vec<Mask>,
    /// For each rule whether it may still match some row.
    alive: Vec<bool>,
    wanted: Vec<bool>,
    texts: Vec<TextMemory>,
    buffers: emit::Buffers,
    text: Vec<u8>,
    other: Vec<u8>,
}

/// The cheap predicates of one column.
#[derive(Debug)]
struct ColumnAsk {
    field: Field,
    predicates: Vec<u32>,
    how: How,
}

#[derive(Debug)]
enum How {
    Present,
    Direct,
    Numbers(Index<i64>),
    Addresses(Index<u128>),
    Table(Table),
}

/// Predicates that are asked row by row, all of one column together.
#[derive(Debug)]
struct RowAsk {
    source: Source,
    predicates: Vec<u32>,
    set: Option<TextSet>,
}

/// What a scan did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScanStats {
    /// Rows scanned.
    pub rows: u64,
    /// Hits written.
    pub hits: u64,
    /// Times that a row matched but lacks a field of the group key, and so is not counted.
    pub lacking: u64,
}

impl Scanner {
    /// Prepares to scan with a rule set.
    pub fn new(rules: Arc<RuleSet>, raw: RawSample) -> Scanner {
        let program = rules.program();
        let (columns, rows) = asks(program);
        let mut asked_by = vec![None; program.predicates.len()];
        for (ask, row) in rows.iter().enumerate() {
            row.predicates.iter().for_each(|predicate| asked_by[*predicate as usize] = Some(ask as u32));
        }
        let asks = program
            .rules
            .iter()
            .map(|rule| {
                let mut asks = Vec::new();
                rule.logic.tests(&mut |test| asks.extend(asked_by[test as usize]));
                asks.sort_unstable();
                asks.dedup();
                asks
            })
            .collect();
        let memory = Memory {
            answers: Answers {
                masks: vec![Mask::default(); program.predicates.len()],
                known: vec![false; program.predicates.len()],
            },
            classes: vec![Mask::default(); program.classes.len()],
            rules: vec![Mask::default(); program.rules.len()],
            alive: vec![false; program.rules.len()],
            wanted: vec![false; program.predicates.len()],
            texts: rows.iter().map(|_| TextMemory::default()).collect(),
            ..Memory::default()
        };
        let lacking = vec![0; program.trees.len()];
        Scanner { columns, rows, asks, raw, memory, lacking, rules }
    }

    /// The rules.
    pub fn rules(&self) -> &Arc<RuleSet> {
        &self.rules
    }

    /// For each tree, how many matched rows so far lacked a field of its group key.
    pub fn lacking(&self) -> &[u64] {
        &self.lacking
    }

    /// Scans a sealed batch and appends its hits to `out`.
    ///
    /// # Errors
    /// [`BatchFull`] if `out` has no room: some of the batch's hits are in it then. Hand over one that is well below its
    /// 4 GiB ([`HitBatch::size_bytes`]) and it can't happen.
    pub fn scan(&mut self, batch: &FlowBatch, out: &mut HitBatch) -> Result<ScanStats, BatchFull> {
        self.matches(batch);
        let mut stats = ScanStats { rows: batch.len() as u64, ..ScanStats::default() };
        let program = self.rules.program();
        let source = out.source_index(batch.source())?;
        let Memory { rules, alive, pool, buffers, .. } = &mut self.memory;
        buffers.next_batch();
        for (tree, shapes) in program.trees.iter().enumerate() {
            for shape in shapes {
                if !shape.leaves.iter().any(|(_, rule)| alive[*rule]) {
                    continue;
                }
                let mut any = pool.none(batch.len());
                shape.leaves.iter().for_each(|(_, rule)| any.or(&rules[*rule]));
                let mut target = emit::Target { tree: tree as u32, out, source, raw: self.raw };
                let emitted = emit::emit(batch, shape, rules, &program.context, &mut target, buffers, &any);
                pool.give(any);
                let emitted = emitted?;
                stats.hits += emitted.hits;
                stats.lacking += emitted.lacking;
                self.lacking[tree] += emitted.lacking;
            }
        }
        Ok(stats)
    }

    /// For each detection rule, in the order of the files, the rows that match it.
    pub fn matches(&mut self, batch: &FlowBatch) -> &[Mask] {
        assert!(batch.is_sealed(), "a batch is scanned after it is sealed");
        self.begin(batch);
        self.ask_columns(batch);
        for ask in 0..self.rows.len() {
            self.ask_rows(batch, ask);
        }
        let program = self.rules.program();
        let Memory { answers, pool, classes, rules, alive, .. } = &mut self.memory;
        for (number, rule) in program.rules.iter().enumerate() {
            if alive[number] {
                let answer = bound(&rule.logic, answers, &classes[rule.class as usize], Side::Upper, pool);
                alive[number] = !answer.is_empty();
                pool.give(std::mem::replace(&mut rules[number], answer));
            } else {
                rules[number].reset(batch.len());
            }
        }
        &self.memory.rules
    }

    /// Finds out which rules and predicates the batch has any use for.
    fn begin(&mut self, batch: &FlowBatch) {
        let program = self.rules.program();
        let Memory { answers, classes, alive, wanted, .. } = &mut self.memory;
        for (class, mask) in program.classes.iter().zip(classes.iter_mut()) {
            rows_of_class(batch, class, mask);
        }
        wanted.fill(false);
        answers.known.fill(false);
        for (number, rule) in program.rules.iter().enumerate() {
            alive[number] = !classes[rule.class as usize].is_empty();
            if alive[number] {
                rule.logic.tests(&mut |test| wanted[test as usize] = true);
            }
        }
        for memory in &mut self.memory.texts {
            memory.next_batch();
        }
    }

    fn ask_columns(&mut self, batch: &FlowBatch) {
        let program = self.rules.program();
        let Memory { answers: Answers { masks, known }, wanted, .. } = &mut self.memory;
        for ask in &self.columns {
            if !ask.predicates.iter().any(|predicate| wanted[*predicate as usize]) {
                continue;
            }
            let present = batch.mask(ask.field);
            if let How::Present | How::Direct = ask.how {
                for &predicate in ask.predicates.iter().filter(|predicate| wanted[**predicate as usize]) {
                    direct(batch, &program.predicates[predicate as usize], present, &mut masks[predicate as usize]);
                    known[predicate as usize] = true;
                }
                continue;
            }
            for &predicate in &ask.predicates {
                masks[predicate as usize].reset(batch.len());
                known[predicate as usize] = true;
            }
            match (&ask.how, batch.any_column(ask.field)) {
                (How::Addresses(index), Column::Ip(column)) => {
                    ranges::spread(column, present, masks, |ip| index.get(ip.to_bits()));
                }
                (How::Numbers(index), Column::Long(column)) => {
                    ranges::spread(column, present, masks, |number| index.get(number as i64));
                }
                (How::Numbers(index), Column::Time(column)) => {
                    ranges::spread(column, present, masks, |number| index.get(number));
                }
                (How::Numbers(index), Column::Port(column)) => {
                    ranges::spread(column, present, masks, |number| index.get(number.into()));
                }
                (How::Table(table), Column::Port(column)) => {
                    ranges::spread(column, present, masks, |number| table.get(number.into()));
                }
                (How::Table(table), Column::Percent(column) | Column::Word(column, _)) => {
                    ranges::spread(column, present, masks, |byte| table.get(byte.into()));
                }
                (How::Numbers(_) | How::Addresses(_) | How::Table(_) | How::Present | How::Direct, _) => {}
            }
        }
    }

    /// Asks a column row by row, for the rows that some rule still needs.
    fn ask_rows(&mut self, batch: &FlowBatch, number: usize) {
        let program = self.rules.program();
        let ask = &self.rows[number];
        let Memory { answers, pool, classes, alive, texts, text, other, .. } = &mut self.memory;
        let mut needed = pool.none(batch.len());
        for (rule, asks) in self.asks.iter().enumerate() {
            if !alive[rule] || asks.binary_search(&(number as u32)).is_err() {
                continue;
            }
            let rule_program = &program.rules[rule];
            let may = bound(&rule_program.logic, answers, &classes[rule_program.class as usize], Side::Upper, pool);
            if may.is_empty() {
                alive[rule] = false;
            }
            needed.or(&may);
            pool.give(may);
        }
        if let Some(field) = ask.source.field() {
            needed.and(batch.mask(field));
        }
        for &predicate in &ask.predicates {
            answers.masks[predicate as usize].reset(batch.len());
            answers.known[predicate as usize] = true;
        }
        let masks = &mut answers.masks;
        match &ask.set {
            Some(set) => ask_texts(batch, &ask.source, set, &needed, &mut texts[number], text, masks),
            None => {
                for &predicate in &ask.predicates {
                    let mask = &mut masks[predicate as usize];
                    odd(batch, &program.predicates[predicate as usize], &needed, mask, text, other);
                }
            }
        }
        pool.give(needed);
    }
}

/// Sorts the predicates by how they are asked.
fn asks(program: &Program) -> (Vec<ColumnAsk>, Vec<RowAsk>) {
    let numbered = || program.predicates.iter().enumerate().map(|(number, predicate)| (number as u32, predicate));
    let mut columns = Vec::new();
    for &field in Field::ALL {
        let of_field =
            |predicate: &Predicate| predicate.cost() == Cost::Column && predicate.source.field() == Some(field);
        let present: Vec<u32> = numbered()
            .filter(|(_, predicate)| of_field(predicate) && predicate.test == Test::Present)
            .map(|(number, _)| number)
            .collect();
        if !present.is_empty() {
            columns.push(ColumnAsk { field, predicates: present, how: How::Present });
        }
        let tests: Vec<(u32, &Predicate)> =
            numbered().filter(|(_, predicate)| of_field(predicate) && predicate.test != Test::Present).collect();
        if !tests.is_empty() {
            let predicates = tests.iter().map(|(number, _)| *number).collect();
            columns.push(ColumnAsk { field, predicates, how: how(field, &tests) });
        }
    }
    let mut sources: Vec<&Source> = numbered()
        .filter(|(_, predicate)| predicate.cost() == Cost::Row)
        .map(|(_, predicate)| &predicate.source)
        .collect();
    sources.sort_unstable();
    sources.dedup();
    let mut rows = Vec::new();
    for source in sources {
        let of_source =
            || numbered().filter(|(_, predicate)| predicate.cost() == Cost::Row && predicate.source == *source);
        let mut texts = Vec::new();
        for (number, predicate) in of_source() {
            match &predicate.test {
                Test::Text(tests) => texts.push((number, tests.as_slice())),
                Test::DatePart(..) | Test::FieldRef(..) => {
                    rows.push(RowAsk { source: source.clone(), predicates: vec![number], set: None });
                }
                Test::Present | Test::Numbers(_) | Test::Addresses(_) | Test::Words(_) => {}
            }
        }
        if !texts.is_empty() {
            let predicates = texts.iter().map(|(number, _)| *number).collect();
            rows.push(RowAsk { source: source.clone(), predicates, set: Some(TextSet::new(&texts)) });
        }
    }
    // Cheapest first: each answer can spare the next column rows. Raw records are the longest texts.
    rows.sort_by_key(|ask| {
        (ask.source == Source::Raw, ask.set.as_ref().map_or(0, TextSet::rank), matches!(ask.source, Source::Extra(_)))
    });
    (columns, rows)
}

fn how(field: Field, tests: &[(u32, &Predicate)]) -> How {
    if tests.len() <= DIRECT_MAX {
        return How::Direct;
    }
    let mut numbers: Vec<(u32, &[(i64, i64)])> = Vec::new();
    let mut addresses: Vec<(u32, &[(u128, u128)])> = Vec::new();
    let mut words: Vec<(u32, &[u64; 4])> = Vec::new();
    for (number, predicate) in tests {
        match &predicate.test {
            Test::Numbers(ranges) => numbers.push((*number, ranges)),
            Test::Addresses(ranges) => addresses.push((*number, ranges)),
            Test::Words(bits) => words.push((*number, bits)),
            Test::Present | Test::DatePart(..) | Test::Text(_) | Test::FieldRef(..) => {}
        }
    }
    match field.field_type() {
        FieldType::Ip => How::Addresses(Index::new(&addresses)),
        FieldType::Word(_) => How::Table(Table::of_bytes(&words)),
        FieldType::Port => match Table::of(Index::new(&numbers), 1 << 16) {
            Some(table) => How::Table(table),
            None => How::Numbers(Index::new(&numbers)),
        },
        FieldType::Percent => match Table::of(Index::new(&numbers), 1 << 8) {
            Some(table) => How::Table(table),
            None => How::Direct,
        },
        FieldType::Long | FieldType::Time => How::Numbers(Index::new(&numbers)),
        FieldType::Text | FieldType::List => How::Direct,
    }
}

/// The rows whose log source does not contradict the rule's. A key that either side leaves out fits anything, so that an
/// untagged dimension can't hide a detection.
fn rows_of_class(batch: &FlowBatch, class: &RuleSource, mask: &mut Mask) {
    mask.reset(batch.len());
    let fits = |wanted: &str, tags: &[&str]| {
        wanted.is_empty() || tags.is_empty() || tags.iter().any(|tag| tag.eq_ignore_ascii_case(wanted))
    };
    let agrees = |source: &LogSource| {
        fits(&class.category, source.categories)
            && fits(&class.product, source.products)
            && fits(&class.service, source.services)
    };
    let ids = batch.log_source_ids();
    let sources = batch.log_sources();
    // Rows without a log source fit every rule.
    let mut agreeing = vec![true; sources.len() + 1];
    for (at, source) in sources.enumerate() {
        agreeing[at + 1] = agrees(source);
    }
    if agreeing[1..].iter().all(|agrees| *agrees) {
        mask.not();
    } else if agreeing[1..].iter().any(|agrees| *agrees) || ids.contains(&0) {
        for (bits, rows) in mask.words_mut().iter_mut().zip(ids.chunks(64)) {
            for (at, id) in rows.iter().enumerate() {
                *bits |= u64::from(agreeing[usize::from(*id)]) << at;
            }
        }
    }
}

/// Answers one cheap predicate.
fn direct(batch: &FlowBatch, predicate: &Predicate, present: &Mask, out: &mut Mask) {
    let Some(field) = predicate.source.field() else { return };
    match (&predicate.test, batch.any_column(field)) {
        (Test::Present, _) => out.clone_from(present),
        (Test::Numbers(ranges), Column::Port(column)) => match ranges.as_slice() {
            [(low, high)] => {
                let (low, high) = (*low as u16, *high as u16);
                ranges::compare(column, present, out, |port| port >= low && port <= high);
            }
            ranges => ranges::compare(column, present, out, |port| holds(ranges, port.into())),
        },
        (Test::Numbers(ranges), Column::Long(column)) => {
            ranges::compare(column, present, out, |number| holds(ranges, number as i64));
        }
        (Test::Numbers(ranges), Column::Time(column)) => {
            ranges::compare(column, present, out, |number| holds(ranges, number));
        }
        (Test::Numbers(ranges), Column::Percent(column)) => {
            ranges::compare(column, present, out, |number| holds(ranges, number.into()));
        }
        (Test::Addresses(ranges), Column::Ip(column)) => match ranges.as_slice() {
            [(low, high)] => {
                let (low, high) = (*low, *high);
                ranges::compare(column, present, out, |ip| {
                    let bits = ip.to_bits();
                    bits >= low && bits <= high
                });
            }
            ranges => ranges::compare(column, present, out, |ip| holds(ranges, ip.to_bits())),
        },
        (Test::Words(bits), Column::Word(column, _)) => {
            let bits = *bits;
            ranges::compare(column, present, out, |byte| bits[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1);
        }
        // A predicate is made for the type of its column.
        (Test::Numbers(_) | Test::Addresses(_) | Test::Words(_), _) => out.reset(batch.len()),
        (Test::DatePart(..) | Test::Text(_) | Test::FieldRef(..), _) => out.reset(batch.len()),
    }
}

/// Whether a value lies in one of the ranges, which are sorted and apart.
#[inline]
fn holds<T: Copy + Ord>(ranges: &[(T, T)], value: T) -> bool {
    let after = ranges.partition_point(|(low, _)| *low <= value);
    after > 0 && ranges[after - 1].1 >= value
}

fn ask_texts(
    batch: &FlowBatch,
    source: &Source,
    set: &TextSet,
    needed: &Mask,
    memory: &mut TextMemory,
    buffer: &mut Vec<u8>,
    masks: &mut [Mask],
) {
    let mut mark = |found: &[u32], row: usize| found.iter().for_each(|predicate| masks[*predicate as usize].set(row));
    match source.field().map(|field| batch.any_column(field)) {
        Some(Column::Text(column)) => {
            for row in needed.iter() {
                mark(set.ask_span(batch, column.span(row), memory), row);
            }
        }
        Some(Column::List(column)) => {
            for row in needed.iter() {
                mark(set.ask_list(column.get(row), memory), row);
            }
        }
        None if *source == Source::Raw => {
            // The events of one record follow each other and have one text.
            let mut last: Option<(*const u8, usize)> = None;
            let mut found: Vec<u32> = Vec::new();
            for row in needed.iter() {
                let text = batch.raw(row);
                let place = Some((text.as_ptr(), text.len()));
                if place != last {
                    found.clear();
                    found.extend_from_slice(set.ask(text, memory));
                    last = place;
                }
                mark(&found, row);
            }
        }
        None => {
            let Source::Extra(name) = source else { return };
            for row in needed.iter() {
                if let Some(text) = batch.extra(row, name.as_bytes()) {
                    mark(set.ask(text, memory), row);
                }
            }
        }
        // A value of another type by its text: patterns over addresses and numbers.
        Some(
            Column::Time(_) | Column::Long(_) | Column::Ip(_) | Column::Port(_) | Column::Percent(_) | Column::Word(..),
        ) => {
            for row in needed.iter() {
                buffer.clear();
                if values::text(batch, row, source, buffer) {
                    mark(set.ask(buffer, memory), row);
                }
            }
        }
    }
}

/// Predicates that have a loop of their own: parts of times, and comparisons with another field.
fn odd(
    batch: &FlowBatch,
    predicate: &Predicate,
    needed: &Mask,
    out: &mut Mask,
    text: &mut Vec<u8>,
    other: &mut Vec<u8>,
) {
    match &predicate.test {
        Test::DatePart(part, ranges) => {
            let Some(Column::Time(times)) = predicate.source.field().map(|field| batch.any_column(field)) else {
                return;
            };
            for row in needed.iter() {
                if date_part(times[row], *part).is_some_and(|value| in_ranges(value, ranges)) {
                    out.set(row);
                }
            }
        }
        Test::FieldRef(reference, place, case) => {
            for row in needed.iter() {
                text.clear();
                other.clear();
                if values::text(batch, row, &predicate.source, text)
                    && values::text(batch, row, reference, other)
                    && stands(text, other, *place, *case)
                {
                    out.set(row);
                }
            }
        }
        Test::Present | Test::Numbers(_) | Test::Addresses(_) | Test::Words(_) | Test::Text(_) => {}
    }
}

/// Whether one text stands in another at that place.
fn stands(text: &[u8], other: &[u8], place: Place, case: Case) -> bool {
    let fold = match case {
        Case::Sensitive => Fold::None,
        Case::Insensitive if other.is_ascii() => Fold::Ascii,
        Case::Insensitive => Fold::Unicode,
    };
    match place {
        Place::Whole => literal_len(other, text, fold) == Some(text.len()),
        Place::Start => literal_len(other, text, fold).is_some(),
        Place::End => (0..=text.len()).any(|at| literal_len(other, &text[at..], fold) == Some(text.len() - at)),
        Place::Inside => (0..=text.len()).any(|at| literal_len(other, &text[at..], fold).is_some()),
    }
}
