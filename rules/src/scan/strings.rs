//! All tests on one text column, asked together of each distinct text.
//!
//! Whole texts are looked up in a hash table. The longest literal of every other pattern goes into one Aho-Corasick
//! automaton for the column; what it finds is verified, because a pattern is more than its literal. Expressions run
//! last, behind one set that says whether any of them could match. A text that was just seen is not asked again: the
//! answer is kept by content, in a table of fixed size, for columns where asking is dearer than remembering.
//!
//! A regex set for everything was the alternative: simpler, but a literal costs it what an expression costs.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind, MatchKind};
use hashbrown::HashMap;
use schemas::{FlowBatch, Ip, Span};

use crate::compile::predicate::TextTest;
use crate::compile::read::{date_part, in_ranges, number_in, time_us, truth_in};
use crate::hit::content_hash;
use crate::plan::Comparison;
use crate::sigma::ast::{DatePart, Part, Pattern, REGEX_BYTES_MAX};
use crate::sigma::pattern::Fold;

/// Longest text whose answer is kept.
const MEMO_TEXT_MAX: usize = 96;
/// Kept answers; a power of two.
const MEMO_SLOTS: usize = 1 << 10;
/// Longest whole text that is looked up through the stack buffer; longer literals are patterns.
const WHOLE_MAX: usize = 256;

/// The tests of one column.
#[derive(Debug)]
pub struct TextSet {
    whole: HashMap<Box<[u8]>, Vec<Whole>>,
    /// Bit n: some whole text has n bytes (n < 64), or bit 63: one has more.
    whole_lens: u64,
    patterns: Vec<OnePattern>,
    automaton: Option<AhoCorasick>,
    /// For each needle the patterns that have it.
    needles: Vec<Vec<u32>>,
    /// Patterns without a literal.
    bare: Vec<u32>,
    numbers: Vec<(f64, u32)>,
    truths: Vec<(bool, u32)>,
    addresses: Vec<(u128, u128, u32)>,
    compares: Vec<(Comparison, u32)>,
    dates: Vec<OneDate>,
    regexes: Vec<(regex::bytes::Regex, u32)>,
    any_regex: Option<regex::bytes::RegexSet>,
}

#[derive(Debug)]
struct Whole {
    predicate: u32,
    /// The text with its case, where that matters.
    cased: Option<Box<[u8]>>,
}

#[derive(Debug)]
struct OnePattern {
    predicate: u32,
    needle: Needle,
    pattern: Pattern,
    fold: Fold,
}

#[derive(Debug)]
struct OneDate {
    predicate: u32,
    part: DatePart,
    ranges: Vec<(i64, i64)>,
}

/// What it means that the needle of a pattern was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needle {
    /// The pattern fits: it is the needle, anywhere and without case.
    Decides,
    /// It fits if the needle stands at the start.
    AtStart,
    /// It fits if the needle stands at the end.
    AtEnd,
    /// The whole pattern is worth trying.
    Hints,
}

/// Memory of a column's scan between batches: buffers, and the answers kept for the batch at hand.
#[derive(Debug, Default)]
pub struct TextMemory {
    found: Vec<u32>,
    /// For each pattern the turn in which it was decided last.
    decided: Vec<u32>,
    turn: u32,
    slots: Vec<Slot>,
    answers: Vec<u32>,
    batch: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    hash: u64,
    span: Span,
    batch: u32,
    from: u32,
    to: u32,
}

impl TextSet {
    /// Joins the tests of several predicates.
    pub fn new(predicates: &[(u32, &[TextTest])]) -> TextSet {
        let mut set = TextSet {
            whole: HashMap::new(),
            whole_lens: 0,
            patterns: Vec::new(),
            automaton: None,
            needles: Vec::new(),
            bare: Vec::new(),
            numbers: Vec::new(),
            truths: Vec::new(),
            addresses: Vec::new(),
            compares: Vec::new(),
            dates: Vec::new(),
            regexes: Vec::new(),
            any_regex: None,
        };
        let mut needles: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut expressions = Vec::new();
        for (predicate, tests) in predicates {
            for test in *tests {
                set.add(*predicate, test, &mut needles, &mut expressions);
            }
        }
        if !needles.is_empty() {
            let mut list: Vec<(&Vec<u8>, &usize)> = needles.iter().collect();
            list.sort_unstable_by_key(|(_, at)| **at);
            // A full table is the fastest for few needles; for many it would leave the cache.
            let kind = (list.len() <= 64).then_some(AhoCorasickKind::DFA);
            let mut builder = AhoCorasickBuilder::new();
            builder.ascii_case_insensitive(true).match_kind(MatchKind::Standard).kind(kind);
            match builder.build(list.iter().map(|(needle, _)| needle)) {
                Ok(automaton) => set.automaton = Some(automaton),
                // Too many needles for an automaton: each pattern is tried by itself. Slow, and still right.
                Err(_) => {
                    let all = set.needles.drain(..).flatten();
                    set.bare.extend(all);
                }
            }
        }
        if set.regexes.len() > 1 {
            set.any_regex =
                regex::bytes::RegexSetBuilder::new(expressions).size_limit(4 * REGEX_BYTES_MAX).build().ok();
        }
        set
    }

    fn add(
        &mut self,
        predicate: u32,
        test: &TextTest,
        needles: &mut HashMap<Vec<u8>, usize>,
        expressions: &mut Vec<String>,
    ) {
        match test {
            TextTest::Pattern(pattern, fold) => self.add_pattern(predicate, pattern, *fold, needles),
            TextTest::Number(number, written) => {
                self.numbers.push((number.get(), predicate));
                self.add_whole(predicate, written.as_bytes(), Fold::Ascii);
            }
            TextTest::Bool(value) => self.truths.push((*value, predicate)),
            TextTest::Regex(regex) => {
                // It compiled when the rule was read.
                if let Ok(built) = regex.build() {
                    let flag = |on, flag| if on { flag } else { "" };
                    let flags = [flag(regex.ignore_case, "i"), flag(regex.multi_line, "m"), flag(regex.dot_all, "s")];
                    expressions.push(format!("(?{}:{})", flags.concat(), regex.text));
                    self.regexes.push((built, predicate));
                }
            }
            TextTest::Address(low, high) => self.addresses.push((*low, *high, predicate)),
            TextTest::Compare(operator, number) => {
                self.compares.push((Comparison { operator: *operator, number: number.get() }, predicate));
            }
            TextTest::DatePart(part, ranges) => {
                self.dates.push(OneDate { predicate, part: *part, ranges: ranges.clone() })
            }
        }
    }

    fn add_whole(&mut self, predicate: u32, text: &[u8], fold: Fold) {
        self.whole_lens |= 1 << text.len().min(63);
        let cased = (fold == Fold::None).then(|| text.into());
        self.whole.entry(text.to_ascii_lowercase().into()).or_default().push(Whole { predicate, cased });
    }

    fn add_pattern(&mut self, predicate: u32, pattern: &Pattern, fold: Fold, needles: &mut HashMap<Vec<u8>, usize>) {
        if let (Some(literal), Fold::None | Fold::Ascii) = (pattern.as_literal(), fold)
            && literal.len() <= WHOLE_MAX
        {
            return self.add_whole(predicate, literal, fold);
        }
        let needle = match (pattern.0.as_slice(), fold) {
            ([Part::Any, Part::Literal(_), Part::Any], Fold::Ascii) => Needle::Decides,
            ([Part::Literal(_), Part::Any], Fold::Ascii) => Needle::AtStart,
            ([Part::Any, Part::Literal(_)], Fold::Ascii) => Needle::AtEnd,
            _ => Needle::Hints,
        };
        let number = self.patterns.len() as u32;
        self.patterns.push(OnePattern { predicate, needle, pattern: pattern.clone(), fold });
        let literals = pattern.0.iter().filter_map(|part| match part {
            Part::Literal(text) => Some(text.as_slice()),
            Part::Any | Part::One | Part::Dash => None,
        });
        // Where other letters compare without case, only ASCII is sure to stand in the text as it does here.
        let needle = match fold {
            Fold::None | Fold::Ascii => literals.max_by_key(|text| text.len()),
            Fold::Unicode => {
                literals.flat_map(|text| text.split(|byte| !byte.is_ascii())).max_by_key(|text| text.len())
            }
        };
        match needle.filter(|needle| !needle.is_empty()) {
            Some(needle) => {
                let next = self.needles.len();
                let at = *needles.entry(needle.to_ascii_lowercase()).or_insert(next);
                if at == next {
                    self.needles.push(Vec::new());
                }
                self.needles[at].push(number);
            }
            None => self.bare.push(number),
        }
    }

    /// Whether asking is dear enough that answers are worth keeping.
    fn worth_keeping(&self) -> bool {
        self.automaton.is_some() || !self.bare.is_empty() || !self.regexes.is_empty() || !self.dates.is_empty()
    }

    /// How dear it is, for the order in which columns are asked.
    pub fn rank(&self) -> u32 {
        u32::from(self.automaton.is_some() || !self.bare.is_empty()) + 2 * u32::from(!self.regexes.is_empty())
    }

    /// The predicates that hold for a text of the batch, some perhaps twice.
    #[inline]
    pub fn ask_span<'m>(&self, batch: &FlowBatch, span: Span, memory: &'m mut TextMemory) -> &'m [u32] {
        let text = batch.text_of(span);
        if text.len() > MEMO_TEXT_MAX || !self.worth_keeping() {
            return self.ask(text, memory);
        }
        let hash = content_hash(text);
        let at = hash as usize & (MEMO_SLOTS - 1);
        if let Some(slot) = memory.slots.get(at)
            && slot.batch == memory.batch
            && slot.hash == hash
            && batch.text_of(slot.span) == text
        {
            return &memory.answers[slot.from as usize..slot.to as usize];
        }
        self.ask(text, memory);
        if memory.slots.is_empty() {
            memory.slots = vec![Slot::default(); MEMO_SLOTS];
        }
        let TextMemory { found, slots, answers, batch, .. } = memory;
        let from = answers.len() as u32;
        answers.extend_from_slice(found);
        slots[at] = Slot { hash, span, batch: *batch, from, to: answers.len() as u32 };
        &memory.found
    }

    /// The predicates that hold for a text.
    #[inline]
    pub fn ask<'m>(&self, text: &[u8], memory: &'m mut TextMemory) -> &'m [u32] {
        memory.found.clear();
        self.ask_more(text, memory);
        &memory.found
    }

    /// The predicates that hold for some element of a list.
    pub fn ask_list<'m>(&self, list: &[u8], memory: &'m mut TextMemory) -> &'m [u32] {
        memory.found.clear();
        list.split(|byte| *byte == b'\n').for_each(|element| self.ask_more(element, memory));
        &memory.found
    }

    fn ask_more(&self, text: &[u8], memory: &mut TextMemory) {
        let TextMemory { found, decided, turn, .. } = memory;
        if decided.len() < self.patterns.len() || *turn == u32::MAX {
            decided.clear();
            decided.resize(self.patterns.len(), 0);
            *turn = 0;
        }
        *turn += 1;
        let turn = *turn;
        if self.whole_lens >> text.len().min(63) & 1 == 1 && text.len() <= WHOLE_MAX {
            let mut buffer = [0u8; WHOLE_MAX];
            let lower = &mut buffer[..text.len()];
            lower.copy_from_slice(text);
            lower.make_ascii_lowercase();
            for whole in self.whole.get(&*lower).into_iter().flatten() {
                if whole.cased.as_deref().is_none_or(|cased| cased == text) {
                    found.push(whole.predicate);
                }
            }
        }
        if let Some(automaton) = &self.automaton {
            for hit in automaton.find_overlapping_iter(text) {
                for &number in &self.needles[hit.pattern().as_usize()] {
                    // A needle may stand in a text many times; a pattern is decided once.
                    let decided = &mut decided[number as usize];
                    if *decided == turn {
                        continue;
                    }
                    let pattern = &self.patterns[number as usize];
                    let fits = match pattern.needle {
                        Needle::Decides => true,
                        Needle::AtStart => hit.start() == 0,
                        Needle::AtEnd => hit.end() == text.len(),
                        Needle::Hints => {
                            *decided = turn;
                            pattern.pattern.matches(text, pattern.fold)
                        }
                    };
                    if fits {
                        *decided = turn;
                        found.push(pattern.predicate);
                    }
                }
            }
        }
        for &number in &self.bare {
            let pattern = &self.patterns[number as usize];
            if pattern.pattern.matches(text, pattern.fold) {
                found.push(pattern.predicate);
            }
        }
        self.ask_values(text, found);
        if !self.regexes.is_empty() && self.any_regex.as_ref().is_none_or(|any| any.is_match(text)) {
            found.extend(self.regexes.iter().filter(|(regex, _)| regex.is_match(text)).map(|(_, predicate)| predicate));
        }
    }

    /// Tests that read the text as a value of another type.
    fn ask_values(&self, text: &[u8], found: &mut Vec<u32>) {
        if !(self.numbers.is_empty() && self.compares.is_empty())
            && let Some(number) = number_in(text)
        {
            found.extend(self.numbers.iter().filter(|(wanted, _)| *wanted == number).map(|(_, predicate)| predicate));
            found.extend(
                self.compares.iter().filter(|(compare, _)| compare.holds(number)).map(|(_, predicate)| predicate),
            );
        }
        if !self.truths.is_empty()
            && let Some(truth) = truth_in(text)
        {
            found.extend(self.truths.iter().filter(|(wanted, _)| *wanted == truth).map(|(_, predicate)| predicate));
        }
        if !self.addresses.is_empty()
            && let Some(address) = Ip::parse(text).map(Ip::to_bits)
        {
            let holds = |(low, high, _): &&(u128, u128, u32)| (*low..=*high).contains(&address);
            found.extend(self.addresses.iter().filter(holds).map(|(_, _, predicate)| predicate));
        }
        if !self.dates.is_empty()
            && let Some(us) = std::str::from_utf8(text).ok().and_then(time_us)
        {
            for OneDate { predicate, part, ranges } in &self.dates {
                if date_part(us, *part).is_some_and(|value| in_ranges(value, ranges)) {
                    found.push(*predicate);
                }
            }
        }
    }
}

impl TextMemory {
    /// Forgets the answers of the last batch.
    pub fn next_batch(&mut self) {
        self.answers.clear();
        self.batch = self.batch.wrapping_add(1);
        if self.batch == 0 {
            self.slots.clear();
            self.batch = 1;
        }
    }
}
