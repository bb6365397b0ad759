//! From the names that rules and files use to fields: canonical, Sigma's taxonomy of the log source, ECS.

use std::fmt;

use crate::fields::Field;

/// The log source that a rule speaks of; empty where it says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogSourceRef<'a> {
    /// `category` of the rule.
    pub category: &'a str,
    /// `product` of the rule.
    pub product: &'a str,
    /// `service` of the rule.
    pub service: &'a str,
}

impl LogSourceRef<'_> {
    /// Whether an alias that is bound to `scope` may be used: one of the three is that word.
    fn has(&self, scope: &str) -> bool {
        [self.category, self.product, self.service].iter().any(|word| word.eq_ignore_ascii_case(scope))
    }
}

/// A name that no field has, with the nearest one that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    /// The name.
    pub name: String,
    /// The nearest known name, if one is near.
    pub suggestion: Option<&'static str>,
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no field is called `{}`", self.name)?;
        match self.suggestion {
            Some(suggestion) => write!(f, "; did you mean `{suggestion}`?"),
            None => write!(f, "; see the field reference, or write `extras.{}` for a vendor field", self.name),
        }
    }
}

/// Finds the field that a name means in a rule of that log source.
///
/// Tried in this order: canonical name, alias bound to the log source, ECS path, free alias. So a vendor's meaning
/// of a word (`service` in Zeek) is taken only where the rule says that it speaks of that vendor.
///
/// # Errors
/// [`UnknownName`] with a suggestion.
pub fn resolve(name: &str, source: &LogSourceRef<'_>) -> Result<Field, UnknownName> {
    let bound = |field: &&Field| {
        aliases(**field).any(|(alias, scope)| alias == name && scope.is_some_and(|scope| source.has(scope)))
    };
    let free = |field: &&Field| aliases(**field).any(|(alias, scope)| alias == name && scope.is_none());
    let all = || Field::ALL.iter();
    if let Some(field) = all().find(bound) {
        return Ok(*field);
    }
    if let Some(field) = all()
        .find(|field| field.name() == name)
        .or_else(|| all().find(|field| field.ecs() == name))
        .or_else(|| all().find(free))
    {
        return Ok(*field);
    }
    let known = all().flat_map(|field| {
        let words =
            aliases(*field).filter(|(_, scope)| scope.is_none_or(|scope| source.has(scope))).map(|(alias, _)| alias);
        [field.name(), field.ecs()].into_iter().chain(words)
    });
    Err(UnknownName { name: name.to_owned(), suggestion: nearest(name, known) })
}

/// A field's other names with the log source that each is bound to.
fn aliases(field: Field) -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    field.aliases().split_ascii_whitespace().map(|word| match word.split_once('@') {
        Some((alias, scope)) => (alias, Some(scope)),
        None => (word, None),
    })
}

/// The known word that is nearest to `word`, if it is near: at most a third of its letters differ.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let bound = (word.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .map(|other| (distance(word, other, bound), other))
        .filter(|(far, _)| *far <= bound)
        .min_by_key(|(far, _)| *far)
        .map(|(_, other)| other)
}

/// Edit distance without regard to ASCII case, two letters in the wrong order being one mistake; anything above `bound` is some
/// number above it.
fn distance(a: &str, b: &str, bound: usize) -> usize {
    if a.len().abs_diff(b.len()) > bound * 4 || a.len() > 256 {
        return bound + 1;
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let same = |i: usize, j: usize| a[i].eq_ignore_ascii_case(&b[j]);
    let (mut above, mut row) = (Vec::new(), (0..=b.len()).collect::<Vec<usize>>());
    for i in 0..a.len() {
        let mut next = vec![i + 1];
        for j in 0..b.len() {
            let mut far = (row[j] + usize::from(!same(i, j))).min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && same(i, j - 1) && same(i - 1, j) {
                far = far.min(above[j - 1] + 1);
            }
            next.push(far);
        }
        above = std::mem::replace(&mut row, next);
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_what_its_log_source_means_by_it() {
        let windows = LogSourceRef { product: "windows", service: "security", ..Default::default() };
        assert_eq!(resolve("TargetUserName", &windows), Ok(Field::User));
        assert_eq!(resolve("IpAddress", &windows), Ok(Field::SrcIp));
        assert_eq!(resolve("destination.port", &windows), Ok(Field::DstPort));
        assert_eq!(resolve("dst_port", &LogSourceRef::default()), Ok(Field::DstPort));
        assert_eq!(resolve("service", &LogSourceRef::default()), Ok(Field::Service));
        assert_eq!(resolve("service", &LogSourceRef { product: "zeek", ..Default::default() }), Ok(Field::AppProto));
        assert!(resolve("TargetUserName", &LogSourceRef::default()).is_err());
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let unknown = resolve("dst_prot", &LogSourceRef::default()).expect_err("no such field");
        assert_eq!(unknown.to_string(), "no field is called `dst_prot`; did you mean `dst_port`?");
        for (swapped, meant) in [("kidn", "kind"), ("usre", "user"), ("scr_ip", "src_ip"), ("dst_pi", "dst_ip")] {
            assert_eq!(nearest(swapped, Field::ALL.iter().map(|field| field.name())), Some(meant));
        }
        assert_eq!(resolve("zzzzzzzz", &LogSourceRef::default()).expect_err("no such field").suggestion, None);
    }
}
