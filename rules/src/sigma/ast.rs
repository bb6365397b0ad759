//! What a Sigma document says, with places but without YAML.
//!
//! Modifiers are already applied: an [`Item`] holds what a value must be, not the words that led there, so that the
//! compiler and its slow twin share one meaning of `contains|windash` and differ only in how they evaluate it.

use std::sync::Arc;

use super::error::At;
use super::yaml::Node;

use schemas::Level;

/// One rule document.
#[derive(Clone, Debug)]
pub struct Document {
    /// The file that it stands in.
    pub file: Arc<str>,
    /// Where it begins.
    pub at: At,
    /// Title, id, level and the like.
    pub head: Head,
    /// What it does.
    pub body: Body,
    /// Bytes that are equal for rules of equal meaning: the document without layout and comments.
    pub canonical: Vec<u8>,
}

impl Document {
    /// How references and people call it: its name, else its id, else its title.
    pub fn call(&self) -> &str {
        let head = &self.head;
        head.name.as_deref().or(head.id.as_deref()).unwrap_or(&head.title)
    }
}

/// The three kinds of document.
#[derive(Clone, Debug)]
pub enum Body {
    /// Decides about one event.
    Detection(Detection),
    /// Decides about events over time.
    Correlation(Correlation),
    /// Is AND-ed to detections.
    Filter(Filter),
}

/// What every kind of document may say of itself.
#[derive(Clone, Debug)]
pub struct Head {
    /// `title`.
    pub title: String,
    /// `id`, lower case.
    pub id: Option<String>,
    /// `name`.
    pub name: Option<String>,
    /// `status`.
    pub status: Option<String>,
    /// `description`.
    pub description: String,
    /// `author`.
    pub author: String,
    /// `date`.
    pub date: Option<String>,
    /// `modified`.
    pub modified: Option<String>,
    /// `references`.
    pub references: Vec<String>,
    /// `falsepositives`.
    pub falsepositives: Vec<String>,
    /// `level`.
    pub level: Level,
    /// `tags`.
    pub tags: Vec<String>,
    /// `fields`.
    pub fields: Vec<Name>,
    /// `x-portolan`.
    pub extension: Extension,
}

/// The `x-portolan` block: what Sigma can't say and other tools may ignore.
#[derive(Clone, Debug, Default)]
pub struct Extension {
    /// `version`: the author's own version of the rule.
    pub version: Option<String>,
    /// `counts`: how a sentence calls many of the rule's events.
    pub counts: Option<String>,
    /// `next`: what to look at next.
    pub next: Vec<String>,
    /// `group-by` of a detection that alerts by itself.
    pub group_by: Option<Vec<Name>>,
    /// `timespan` of a detection that alerts by itself: repeats within it are one alert. Microseconds.
    pub timespan_us: Option<i64>,
    /// `fan-out`: further dimensions of a `value_count`, all of which must hold.
    pub fan_out: Vec<(Vec<Name>, Vec<Bound>)>,
    /// Keys that this version knows the names of but leaves to the compiler: `baseline`, `absence`, `ratio`,
    /// `first-seen`, `periodicity`.
    pub temporal: Vec<(String, At, Node)>,
}

/// A name that has to be looked up, with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// The name as written.
    pub text: String,
    /// Where.
    pub at: At,
}

/// A rule's log source; lower case, empty where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LogSource {
    /// `category`.
    pub category: String,
    /// `product`.
    pub product: String,
    /// `service`.
    pub service: String,
}

/// A detection rule's own part.
#[derive(Clone, Debug)]
pub struct Detection {
    /// `logsource`.
    pub log_source: LogSource,
    /// The search identifiers, in the order of the file.
    pub searches: Vec<Search>,
    /// The condition; a list of conditions is their `Or`.
    pub condition: Expr,
    /// `generate` at top level.
    pub generate: bool,
}

/// A search identifier.
#[derive(Clone, Debug)]
pub struct Search {
    /// Its name.
    pub name: String,
    /// Where.
    pub at: At,
    /// What an event must be.
    pub what: Match,
}

/// What an event must be, as a tree over items.
#[derive(Clone, Debug)]
pub enum Match {
    /// All of them.
    All(Vec<Match>),
    /// One of them.
    Any(Vec<Match>),
    /// A field's value.
    Item(Item),
}

/// A condition over search identifiers, by their index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// This identifier.
    Search(usize),
    /// All hold.
    And(Vec<Expr>),
    /// One holds.
    Or(Vec<Expr>),
    /// Does not hold.
    Not(Box<Expr>),
}

/// `field|modifiers: values`.
#[derive(Clone, Debug)]
pub struct Item {
    /// The field; `None` for keywords, which are searched in the raw record.
    pub field: Option<Name>,
    /// The values; each is a list of variants of which one must match.
    pub values: Vec<Vec<Matcher>>,
    /// How the values are joined.
    pub join: Join,
    /// Whether it is turned round (`neq`): the field is there and the rest does not hold.
    pub negated: Negated,
}

/// How the values of an item are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// One value must match.
    Any,
    /// Every value must match.
    All,
}

/// Whether an item is turned round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Negated {
    /// As it stands.
    No,
    /// By `neq`; an absent field does not match.
    Yes,
}

/// What a value must be.
#[derive(Clone, Debug, PartialEq)]
pub enum Matcher {
    /// Text with wildcards, over the whole value.
    Text(Pattern, Case),
    /// A number: compared as a number with numbers and numeric text, else as the text that the rule has.
    Number(Number, String),
    /// A truth value.
    Bool(bool),
    /// The field is absent.
    Null,
    /// The field is there, or is not.
    Exists(bool),
    /// A regular expression, searched for.
    Regex(Regex),
    /// Inside a network.
    Cidr(ipnet::IpNet),
    /// A number in this relation to it.
    Compare(Bound),
    /// A part of a time, in UTC, within these inclusive ranges.
    DatePart(DatePart, Vec<(i64, i64)>),
    /// In this relation to another field of the event.
    FieldRef(Name, Place, Case),
}

/// Text with wildcards.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Pattern(pub Vec<Part>);

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// These bytes.
    Literal(Vec<u8>),
    /// Any number of characters.
    Any,
    /// Exactly one character.
    One,
    /// A dash of any kind: `-`, `/`, U+2013, U+2014, U+2015.
    Dash,
}

/// Whether letters of different case are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Case {
    /// They are; Sigma's default.
    Insensitive,
    /// They are not (`cased`).
    Sensitive,
}

/// Where one text must stand in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// It is the whole.
    Whole,
    /// At the start.
    Start,
    /// At the end.
    End,
    /// Anywhere.
    Inside,
}

/// A regular expression as written, known to compile.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Regex {
    /// Its text.
    pub text: String,
    /// `i`: case-insensitive.
    pub ignore_case: bool,
    /// `m`: `^` and `$` at line ends, too.
    pub multi_line: bool,
    /// `s`: `.` is a line feed, too.
    pub dot_all: bool,
}

impl Regex {
    /// Compiles it: over bytes, linear time, bounded in size.
    ///
    /// # Errors
    /// The engine's own words; look-around and back references are unknown to it.
    pub fn build(&self) -> Result<regex::bytes::Regex, regex::Error> {
        regex::bytes::RegexBuilder::new(&self.text)
            .case_insensitive(self.ignore_case)
            .multi_line(self.multi_line)
            .dot_matches_new_line(self.dot_all)
            .size_limit(REGEX_BYTES_MAX)
            .build()
    }
}

/// Largest compiled regular expression.
pub const REGEX_BYTES_MAX: usize = 4 << 20;

/// A number of a rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number.
    Int(i64),
    /// Another.
    Float(f64),
}

impl Number {
    /// As a float, for comparisons.
    pub fn as_f64(self) -> f64 {
        match self {
            Number::Int(number) => number as f64,
            Number::Float(number) => number,
        }
    }
}

/// One comparison with a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// The operator.
    pub operator: crate::plan::Operator,
    /// The right side.
    pub number: Number,
}

/// Parts of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DatePart {
    /// 0..=59.
    Minute,
    /// 0..=23.
    Hour,
    /// Day of the month, 1..=31.
    Day,
    /// ISO 8601 week, 1..=53.
    Week,
    /// 1..=12.
    Month,
    /// The year.
    Year,
}

/// A correlation rule's own part.
#[derive(Clone, Debug)]
pub struct Correlation {
    /// `type`.
    pub kind: CorrelationKind,
    /// `rules`: ids or names.
    pub rules: Vec<Name>,
    /// `timespan` in microseconds.
    pub timespan_us: i64,
    /// `group-by`.
    pub group_by: Vec<Name>,
    /// `aliases`.
    pub aliases: Vec<Alias>,
    /// `condition` as a map; empty for temporal types without one.
    pub bounds: Vec<Bound>,
    /// `condition.field`, with its place where it stands.
    pub fields: Vec<Name>,
    /// `condition` as text over rule names.
    pub expression: Option<NamedExpr>,
    /// Where the condition stands, else where the correlation does.
    pub condition_at: At,
    /// `generate`, wherever it stands.
    pub generate: bool,
}

/// The types of correlation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CorrelationKind {
    /// `event_count`
    EventCount,
    /// `value_count`
    ValueCount,
    /// `temporal`
    Temporal,
    /// `temporal_ordered`
    TemporalOrdered,
    /// `value_sum`
    ValueSum,
    /// `value_avg`
    ValueAvg,
    /// `value_percentile` and `value_median`, with the percentile
    ValuePercentile(f64),
}

/// A name for different fields of different rules.
#[derive(Clone, Debug)]
pub struct Alias {
    /// The name.
    pub name: Name,
    /// Rule and field.
    pub fields: Vec<(Name, Name)>,
}

/// A condition over names, with their places.
#[derive(Clone, Debug, PartialEq)]
pub enum NamedExpr {
    /// This name.
    Name(Name),
    /// `1 of pattern`; `None` is `them`.
    OneOf(Option<Name>, At),
    /// `all of pattern`.
    AllOf(Option<Name>, At),
    /// All hold.
    And(Vec<NamedExpr>),
    /// One holds.
    Or(Vec<NamedExpr>),
    /// Does not hold.
    Not(Box<NamedExpr>),
}

/// A filter's own part.
#[derive(Clone, Debug)]
pub struct Filter {
    /// `logsource`.
    pub log_source: LogSource,
    /// `filter.rules`; `None` is every rule whose log source contains the filter's.
    pub rules: Option<Vec<Name>>,
    /// The search identifiers; their names are the filter's own and no selector of a rule sees them.
    pub searches: Vec<Search>,
    /// The condition over them.
    pub condition: Expr,
}
