//! What can be wrong with a rule, and what is only odd: where it stands, what was found, what to do about it.
//!
//! Faults and advice are two enums with one shape, [`Finding`], so that a command prints both alike but can't take one
//! for the other. A load collects all faults of all files: an author repairs a library in one round, not in twenty.

use std::fmt;
use std::sync::Arc;

/// A place in a file. Line and column count from 1; the column counts characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At {
    /// Line, from 1; 0 where the place is the file as a whole.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl At {
    /// The same line, so many characters further on.
    pub fn plus(self, characters: usize) -> At {
        At { line: self.line, column: self.column.saturating_add(u32::try_from(characters).unwrap_or(u32::MAX)) }
    }
}

/// Something found in a rule file, with its place and the text that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding<K> {
    /// The file's name as the loader was given it.
    pub file: Arc<str>,
    /// Where in the file.
    pub at: At,
    /// The offending text, at most 80 characters of it. May be empty.
    pub found: String,
    /// What it is.
    pub kind: K,
}

/// Why a rule is refused.
pub type RuleError = Finding<Fault>;
/// What is allowed, but probably not meant.
pub type RuleWarning = Finding<Advice>;

/// `file:line:column: what is wrong; what to do`.
impl<K: fmt::Display> fmt::Display for Finding<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.at.line, self.at.column)?;
        if !self.found.is_empty() {
            write!(f, "`{}`: ", self.found)?;
        }
        self.kind.fmt(f)
    }
}

impl<K: fmt::Display + fmt::Debug> std::error::Error for Finding<K> {}

/// Longest offending text that a finding quotes, in characters.
pub const FOUND_MAX: usize = 80;

impl<K> Finding<K> {
    /// A finding about `found`, of which at most [`FOUND_MAX`] characters are kept.
    #[cold]
    pub fn new(file: &Arc<str>, at: At, found: &str, kind: K) -> Finding<K> {
        let clean = found.chars().map(|c| if c.is_control() { ' ' } else { c });
        let found = match found.chars().count() > FOUND_MAX {
            true => clean.take(FOUND_MAX).chain("…".chars()).collect(),
            false => clean.collect(),
        };
        Finding { file: Arc::clone(file), at, found, kind }
    }
}

/// The faults that make a rule, a file or a set of rules unusable.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is said in words by Display, its fields by their names")]
pub enum Fault {
    Yaml { message: String },
    TooLarge { what: &'static str, limit: usize },
    DuplicateKey { first: At },
    NotAMap { what: &'static str },
    WrongType { expected: &'static str },
    Empty { what: &'static str },
    TooLong { what: &'static str, limit: usize },
    Missing { key: &'static str, of: &'static str },
    UnknownKind,
    UnknownAction,
    UnknownKey { suggestion: Option<String> },
    NotOneOf { expected: &'static str, suggestion: Option<String> },
    NoPredecessor,
    DuplicateName { what: &'static str, file: Arc<str>, at: At },
    NullInList,
    Condition { expected: &'static str },
    ConditionPipe,
    ConditionTooDeep,
    UnknownIdentifier { suggestion: Option<String> },
    EmptySelector,
    BadQuantifier,
    Timeframe,
    UnknownModifier { suggestion: Option<String> },
    ModifierOrder { modifier: &'static str, rule: &'static str },
    ModifierValue { modifier: &'static str, expected: &'static str },
    ModifierNeedsField { modifier: &'static str },
    Wildcard { modifier: &'static str },
    HostBits { network: String },
    OutOfRange { part: &'static str, low: i64, high: i64 },
    Regex { message: String },
    LookAround { message: String },
    Placeholder { name: String },
    UnknownField { suggestion: Option<&'static str> },
    FieldType { field: &'static str, expected: &'static str },
    BadTimespan,
    UnknownRule { suggestion: Option<String> },
    ReferenceKind { expected: &'static str },
    Cycle { path: String },
    AliasWithoutRule { rule: String },
    AliasOfStranger,
    ExpressionWithoutRule { rule: String },
    ConditionField { type_name: &'static str },
    NoGroupField { member: String, reason: String },
    ValueOverCorrelation,
    Unsupported { what: &'static str },
    TooManyLeaves { limit: usize },
    Plan { what: &'static str },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Yaml { message } => write!(f, "not valid YAML: {message}"),
            Fault::TooLarge { what, limit } => {
                write!(f, "more than {limit} {what}; split the file, or is it an alias bomb?")
            }
            Fault::DuplicateKey { first } => {
                write!(
                    f,
                    "this key stands twice, first in line {}; one of the two would be lost, join them in a list",
                    first.line
                )
            }
            Fault::NotAMap { what } => write!(f, "{what} must be a map of keys and values"),
            Fault::WrongType { expected } => write!(f, "expected {expected}"),
            Fault::Empty { what } => write!(f, "{what} is empty"),
            Fault::TooLong { what, limit } => write!(f, "{what} is longer than {limit} characters"),
            Fault::Missing { key, of } => write!(f, "`{key}` is missing; {of} must have it"),
            Fault::UnknownKind => f.write_str("a document must have one of `detection`, `correlation` or `filter`"),
            Fault::UnknownAction => f.write_str("no such action; expected `global`, `reset` or `repeat`"),
            Fault::UnknownKey { suggestion } => suggest(f, "no such key here", suggestion.as_deref()),
            Fault::NotOneOf { expected, suggestion } => {
                write!(f, "expected {expected}")?;
                suggest(f, "", suggestion.as_deref())
            }
            Fault::NoPredecessor => f.write_str("`action: repeat` has no rule before it in this file to repeat"),
            Fault::DuplicateName { what, file, at } => {
                write!(
                    f,
                    "another rule has this {what}, at {file}:{}:{}; references would be ambiguous",
                    at.line, at.column
                )
            }
            Fault::NullInList => f.write_str(
                "null can't be an element of a list; write a selection of its own and join it in the condition",
            ),
            Fault::Condition { expected } => write!(f, "the condition has something else here; expected {expected}"),
            Fault::ConditionPipe => {
                f.write_str("aggregations after `|` are no longer part of Sigma; write a correlation rule")
            }
            Fault::ConditionTooDeep => f.write_str("the condition is nested too deeply or too long"),
            Fault::UnknownIdentifier { suggestion } => {
                suggest(f, "no search identifier of this rule has that name", suggestion.as_deref())
            }
            Fault::EmptySelector => f.write_str("no search identifier fits this pattern, so it could never hold"),
            Fault::BadQuantifier => f.write_str("expected `1 of`, `any of` or `all of`"),
            Fault::Timeframe => {
                f.write_str("`timeframe` is no longer part of a detection; write a correlation with `timespan`")
            }
            Fault::UnknownModifier { suggestion } => suggest(f, "no such modifier", suggestion.as_deref()),
            Fault::ModifierOrder { modifier, rule } => write!(f, "modifier `{modifier}` {rule}"),
            Fault::ModifierValue { modifier, expected } => write!(f, "modifier `{modifier}` needs {expected}"),
            Fault::ModifierNeedsField { modifier } => write!(f, "modifier `{modifier}` needs a field name before it"),
            Fault::Wildcard { modifier } => {
                write!(
                    f,
                    "modifier `{modifier}` can't encode a wildcard; put it before `contains`, or escape with `\\`"
                )
            }
            Fault::HostBits { network } => write!(f, "host bits are set; did you mean `{network}`?"),
            Fault::OutOfRange { part, low, high } => write!(f, "a {part} is {low} to {high}"),
            Fault::Regex { message } => write!(f, "not a regular expression: {message}"),
            Fault::LookAround { message } => {
                write!(f, "the engine runs in linear time and has no such construct: {message}")
            }
            Fault::Placeholder { name } => {
                write!(f, "placeholder `%{name}%` has no values; add it to the placeholders, or escape with `\\%`")
            }
            Fault::UnknownField { suggestion } => {
                suggest(f, "no field has that name", *suggestion)?;
                f.write_str("; a vendor field is written `extras.NAME`")
            }
            Fault::FieldType { field, expected } => {
                write!(f, "field `{field}` holds {expected}, so this could never match")
            }
            Fault::BadTimespan => f.write_str("expected a whole number and one of s, m, h, d, w, M (month), y: `90m`"),
            Fault::UnknownRule { suggestion } => suggest(f, "no rule has that id or name", suggestion.as_deref()),
            Fault::ReferenceKind { expected } => write!(f, "refers to the wrong kind of document; expected {expected}"),
            Fault::Cycle { path } => write!(f, "the correlation refers to itself: {path}"),
            Fault::AliasWithoutRule { rule } => write!(f, "the alias has no field for rule `{rule}`"),
            Fault::AliasOfStranger => f.write_str("the alias names a rule that the correlation doesn't refer to"),
            Fault::ExpressionWithoutRule { rule } => {
                write!(
                    f,
                    "`rules` lists `{rule}`, which the condition doesn't use; list exactly the names in the condition"
                )
            }
            Fault::ConditionField { type_name } => write!(f, "a `{type_name}` condition needs `field`"),
            Fault::NoGroupField { member, reason } => {
                write!(f, "`{member}` can't be routed by this group key: {reason}; see `aliases`")
            }
            Fault::ValueOverCorrelation => {
                f.write_str("values are read from events, not from correlations; refer to the detection rules instead")
            }
            Fault::Unsupported { what } => write!(f, "{what} is not supported"),
            Fault::TooManyLeaves { limit } => write!(f, "the correlation refers to more than {limit} rules"),
            Fault::Plan { what } => write!(f, "the correlation can't be evaluated: {what}"),
        }
    }
}

fn suggest(f: &mut fmt::Formatter<'_>, what: &str, suggestion: Option<&str>) -> fmt::Result {
    f.write_str(what)?;
    match suggestion {
        Some(suggestion) => write!(f, "; did you mean `{suggestion}`?"),
        None => Ok(()),
    }
}

/// What a lint says. A rule with advice still works as written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is said in words by Display, its fields by their names")]
pub enum Advice {
    BadId,
    BadDate,
    AllOnSingle,
    EmptyList,
    EmptyText,
    UnusedIdentifier,
    AllOfThem,
    FilterWithoutNot,
    VendorFieldNear { suggestion: &'static str },
    VendorFieldCounted,
    NeverMatches { field: &'static str, expected: &'static str },
    GenerateConflict,
    PercentileDefault,
    UpperBound,
    Unsupported { why: String },
    FilterMatchesNone,
    MixedTypes,
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Advice::BadId => f.write_str("not a UUID; other tools want one"),
            Advice::BadDate => f.write_str("not a date as YYYY-MM-DD"),
            Advice::AllOnSingle => f.write_str("`all` says nothing on a single value"),
            Advice::EmptyList => f.write_str("an empty list means that the field is null; write `null`"),
            Advice::EmptyText => f.write_str("an empty value is kept as an absent one; write `null` to find it"),
            Advice::UnusedIdentifier => f.write_str("the condition doesn't use this search identifier"),
            Advice::AllOfThem => f.write_str("`all of them` changes its meaning with each new identifier; name them"),
            Advice::FilterWithoutNot => f.write_str(
                "a filter is AND-ed as written, so this one keeps only what it describes; did you mean `not …`?",
            ),
            Advice::VendorFieldNear { suggestion } => {
                write!(f, "taken for a vendor field; did you mean `{suggestion}`?")
            }
            Advice::VendorFieldCounted => f.write_str(
                "no field has that name, so it is taken for a vendor field, and events without it do not count; write `extras.NAME` if it is one",
            ),
            Advice::NeverMatches { field, expected } => write!(f, "never matches: `{field}` holds {expected}"),
            Advice::GenerateConflict => f.write_str(
                "one correlation lets this rule alert by itself (`generate: true`), another doesn't; it will alert",
            ),
            Advice::PercentileDefault => f.write_str("no `percentile` given; 50, the median, is taken"),
            Advice::UpperBound => {
                f.write_str("decided when the window closes, and only for groups with at least one event in it")
            }
            Advice::Unsupported { why } => write!(f, "the rule is left out: {why}"),
            Advice::FilterMatchesNone => f.write_str("the filter applies to no rule"),
            Advice::MixedTypes => {
                f.write_str("the rules give this part of the group key from fields of different types")
            }
        }
    }
}
