//! From a field's name in a rule to where its value lies in a batch.
//!
//! A name means a column, a vendor field in `extras`, or a *view*: a name that ECS or a Sigma taxonomy has for something
//! that our table keeps in another form. `event.category` says in words what `kind` says, so a view is the column
//! together with the words that each of its bytes stands for; comparing with them costs what comparing with the column does.

use schemas::{Action, EventKind, Field, FieldType, LogSourceRef, Word};

use crate::sigma::ast::LogSource;

/// Where a value lies.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// A column.
    Field(Field),
    /// A column of words, by other words.
    View(View),
    /// A vendor field without a column, by its name.
    Extra(Box<str>),
    /// The record as it was received: what keywords are searched in.
    Raw,
}

/// Names for what a column of words says in another vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum View {
    /// ECS `event.category` over `kind`. Source: ECS 9.4, allowed values of event.category.
    EventCategory,
    /// ECS `event.kind` over `kind`.
    EventKind,
    /// `blocked` of Sigma's firewall rules over `action`.
    Blocked,
}

impl View {
    /// The column below.
    pub fn field(self) -> Field {
        match self {
            View::EventCategory | View::EventKind => Field::Kind,
            View::Blocked => Field::Action,
        }
    }

    /// The name as rules write it.
    pub fn name(self) -> &'static str {
        match self {
            View::EventCategory => "event.category",
            View::EventKind => "event.kind",
            View::Blocked => "blocked",
        }
    }

    /// The words that a byte of the column stands for; none where the view has no word for it.
    pub fn words(self, byte: u8) -> &'static [&'static str] {
        match self {
            View::EventCategory => EventKind::from_byte(byte).map_or(&[], |kind| match kind {
                EventKind::Flow | EventKind::Dns | EventKind::Listener => &["network"],
                EventKind::Auth => &["authentication"],
                EventKind::Alert => &["intrusion_detection", "network"],
                EventKind::Process => &["process"],
                EventKind::Inventory => &["host"],
                EventKind::Other => &[],
            }),
            View::EventKind => EventKind::from_byte(byte).map_or(&[], |kind| match kind {
                EventKind::Alert => &["alert"],
                EventKind::Inventory => &["asset"],
                EventKind::Flow | EventKind::Auth | EventKind::Dns | EventKind::Listener => &["event"],
                EventKind::Process | EventKind::Other => &["event"],
            }),
            View::Blocked => Action::from_byte(byte).map_or(&[], |action| match action {
                Action::Deny | Action::Drop | Action::Reset => &["true"],
                Action::Allow => &["false"],
                Action::Close | Action::Timeout | Action::Alert | Action::Start | Action::End | Action::Nat => &[],
            }),
        }
    }
}

/// A name that was found, perhaps with another that was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Where the value lies.
    pub source: Source,
    /// A known name that is near, where the name was taken for a vendor field.
    pub near: Option<&'static str>,
}

/// Finds what a name means in a rule of a log source.
///
/// # Errors
/// The nearest known name, if one is near. A name is unknown only where the log source names no vendor's product and no
/// service: otherwise it may be a vendor field.
pub fn resolve(name: &str, log_source: &LogSource) -> Result<Resolved, Option<&'static str>> {
    let found = |source| Ok(Resolved { source, near: None });
    for view in [View::EventCategory, View::EventKind, View::Blocked] {
        if name == view.name() {
            return found(Source::View(view));
        }
    }
    if let Some(extra) = name.strip_prefix("extras.").filter(|extra| !extra.is_empty()) {
        return found(Source::Extra(extra.into()));
    }
    let source =
        LogSourceRef { category: &log_source.category, product: &log_source.product, service: &log_source.service };
    match schemas::resolve(name, &source) {
        Ok(field) => found(Source::Field(field)),
        Err(unknown) if log_source.product.is_empty() && log_source.service.is_empty() => Err(unknown.suggestion),
        Err(unknown) => Ok(Resolved { source: Source::Extra(name.into()), near: unknown.suggestion }),
    }
}

impl Source {
    /// The column, if it has one.
    pub fn field(&self) -> Option<Field> {
        match self {
            Source::Field(field) => Some(*field),
            Source::View(view) => Some(view.field()),
            Source::Extra(_) | Source::Raw => None,
        }
    }

    /// The type of its values.
    pub fn field_type(&self) -> FieldType {
        match self {
            Source::Field(field) => field.field_type(),
            Source::View(view) => view.field().field_type(),
            Source::Extra(_) | Source::Raw => FieldType::Text,
        }
    }

    /// One name for it, whatever the rule called it.
    pub fn canonical(&self) -> String {
        match self {
            Source::Field(field) => field.name().to_owned(),
            Source::View(view) => view.name().to_owned(),
            Source::Extra(name) => format!("extras.{name}"),
            Source::Raw => "raw".to_owned(),
        }
    }
}

/// The words that a byte of a column stands for.
pub fn words_of(source: &Source, byte: u8) -> &'static [&'static str] {
    match source {
        Source::View(view) => view.words(byte),
        Source::Field(field) => match field.field_type() {
            FieldType::Word(words) => words.get(usize::from(byte)).map_or(&[], std::slice::from_ref),
            FieldType::Time | FieldType::Long | FieldType::Ip | FieldType::Port => &[],
            FieldType::Percent | FieldType::Text | FieldType::List => &[],
        },
        Source::Extra(_) | Source::Raw => &[],
    }
}

/// What a type holds, in an author's words.
pub fn type_words(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Time => "a time",
        FieldType::Long => "a number",
        FieldType::Ip => "an IP address",
        FieldType::Port => "a port number",
        FieldType::Percent => "a percentage",
        FieldType::Word(_) => "one of a few words",
        FieldType::Text => "text",
        FieldType::List => "a list of texts",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_column_a_view_or_a_vendor_field() {
        let firewall = LogSource { category: "firewall".into(), ..LogSource::default() };
        let zeek = LogSource { product: "zeek".into(), ..LogSource::default() };
        let of = |name: &str, source: &LogSource| resolve(name, source).map(|found| found.source.canonical());
        assert_eq!(of("destination.port", &firewall), Ok("dst_port".into()));
        assert_eq!(of("event.category", &firewall), Ok("event.category".into()));
        assert_eq!(of("extras.cfgpath", &firewall), Ok("extras.cfgpath".into()));
        assert_eq!(of("dst_prot", &firewall), Err(Some("dst_port")));
        assert_eq!(of("id.orig_h", &zeek), Ok("src_ip".into()));
        assert_eq!(of("endpoint", &zeek), Ok("extras.endpoint".into()));
        assert_eq!(resolve("dst_prot", &zeek).map(|found| found.near), Ok(Some("dst_port")));
    }
}
