//! Reads a `RULE.events.yaml`, all mistakes at once.

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use parsers::Format;

use super::template::fill;
use super::{Case, Expected, Line, RuleTest, START_US};
use crate::mappings::format_of;
use crate::times::{Times, times};
use crate::yaml::finding::Report;
use crate::yaml::{At, Finding, Findings, Value, parse};

/// The most lines of one case: enough for any rule, and no way to fill a memory.
const LINES_MAX: u64 = 200_000;
const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// Reads the tests of a rule. `path` names the file in messages.
///
/// # Errors
/// Every mistake of the file.
pub fn read(path: &Path, text: &str) -> Result<RuleTest, Report> {
    let mut found = Findings::default();
    let root = parse(text, &mut found);
    let test = At::root(&root).section(&mut found).map(|mut section| {
        let found = &mut found;
        let format = section.optional("format", found, |at, found| named(&at, found, |name| format_of(name, &[])));
        let times = times(&mut section, found, &Times::default());
        let assets = section.optional("assets", found, |at, found| at.text(found));
        let fire = section
            .required("fire", "[…]", found, |at, found| at.some(found, |at, found| case(at, found, Wanted::Fire)));
        let quiet = section
            .required("quiet", "[…]", found, |at, found| at.some(found, |at, found| case(at, found, Wanted::Quiet)));
        section.finish(found);
        RuleTest {
            format: format.unwrap_or(Format::Auto),
            times,
            assets: assets.unwrap_or_default(),
            cases: fire.into_iter().chain(quiet).flatten().collect(),
        }
    });
    match test {
        Some(test) if !found.has_errors() => Ok(test),
        Some(_) | None => Err(found.in_file(&path.display().to_string(), text)),
    }
}

/// Under which of the two keys a case stands.
#[derive(Clone, Copy)]
enum Wanted {
    Fire,
    Quiet,
}

fn named<T>(at: &At<'_>, found: &mut Findings, read: fn(&str) -> Result<T, String>) -> Option<T> {
    let text = at.text(found)?;
    read(&text).map_err(|help| at.wrong(found, "not known", help)).ok()
}

fn case(at: At<'_>, found: &mut Findings, wanted: Wanted) -> Option<Case> {
    let mut section = at.section(found)?;
    let name = section.required("name", "what it shows", found, |at, found| at.text(found));
    let expected = match wanted {
        Wanted::Quiet => Expected::Quiet,
        Wanted::Fire => {
            let alerts = section.optional("alerts", found, |at, found| at.integer(found, 1..=LINES_MAX));
            alerts.map_or(Expected::Some, Expected::Exactly)
        }
    };
    let mut lines = Lines { lines: Vec::new(), at_us: START_US };
    section.required("lines", "[…]", found, |at, found| at.some(found, |at, found| lines.item(at, found)));
    section.finish(found);
    lines.lines.sort_by_key(|line| line.received_us);
    Some(Case { name: name?, expected, lines: lines.lines })
}

/// The lines of a case, and the time at which the next one comes.
struct Lines {
    lines: Vec<Line>,
    at_us: i64,
}

impl Lines {
    /// A line alone, or a mapping with `line` or `lines`, `at`, `repeat`, `every`.
    fn item(&mut self, at: At<'_>, found: &mut Findings) -> Option<()> {
        if matches!(at.node.value, Value::Scalar { .. }) {
            let text = at.text(found)?;
            self.add(&[(text, at.span())], 1, Duration::ZERO, found);
            return Some(());
        }
        let mut section = at.section(found)?;
        let start = section.optional("at", found, |at, found| at.duration(found, Duration::ZERO..=WEEK));
        let repeat = section.optional("repeat", found, |at, found| at.integer(found, 1..=LINES_MAX)).unwrap_or(1);
        let every = section.optional("every", found, |at, found| at.duration(found, Duration::ZERO..=WEEK));
        let one = section.optional("line", found, |at, found| at.text(found).map(|text| (text, at.span())));
        let many = section.optional("lines", found, |at, found| {
            at.some(found, |at, found| at.text(found).map(|text| (text, at.span())))
        });
        let texts: Vec<(String, Range<usize>)> = one.into_iter().chain(many.into_iter().flatten()).collect();
        if texts.is_empty() {
            at.wrong(found, "no line", "add `line: …` or `lines: […]`");
        }
        section.finish(found);
        if let Some(start) = start {
            self.at_us = START_US.saturating_add(micros(start));
        }
        self.add(&texts, repeat, every.unwrap_or_default(), found);
        Some(())
    }

    fn add(&mut self, texts: &[(String, Range<usize>)], repeat: u64, every: Duration, found: &mut Findings) {
        let first_us = self.at_us;
        for n in 0..i64::try_from(repeat).unwrap_or(i64::MAX) {
            self.at_us = first_us.saturating_add(n.saturating_mul(micros(every)));
            for (text, span) in texts {
                if self.lines.len() as u64 >= LINES_MAX {
                    let title = format!("a case has at most {LINES_MAX} lines");
                    found.note(Finding::error(span.clone(), title, "one too many"));
                    return;
                }
                match fill(text, n, self.at_us) {
                    Ok(text) => self.lines.push(Line { received_us: self.at_us, text }),
                    Err(wrong) => {
                        found.note(Finding::error(span.clone(), "a placeholder of this line is wrong", wrong));
                        return;
                    }
                }
            }
        }
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::finding::Colour;

    const GOOD: &str = "
fire:
  - name: two and one
    alerts: 1
    lines:
      - {repeat: 2, every: 5s, lines: ['a${n}', 'b${n}']}
      - {at: 2s, line: c}
      - d
quiet:
  - {name: nothing much, lines: [x]}
";

    #[test]
    fn lines_are_repeated_timed_and_put_in_order() {
        let test = read(Path::new("r.events.yaml"), GOOD).expect("a good file");
        let lines: Vec<_> = test.cases[0]
            .lines
            .iter()
            .map(|line| (line.text.as_str(), (line.received_us - START_US) / 1_000_000))
            .collect();
        assert_eq!(lines, [("a0", 0), ("b0", 0), ("c", 2), ("d", 2), ("a1", 5), ("b1", 5)]);
        assert_eq!((test.cases[0].expected, test.cases[1].expected), (Expected::Exactly(1), Expected::Quiet));
    }

    #[test]
    fn a_test_without_both_kinds_of_cases_is_refused_with_all_other_mistakes() {
        let text = "fire:\n  - name: a\n    line: x\n    lines: ['${m}', {repeat: 0, line: y}]\n";
        let report = read(Path::new("r.events.yaml"), text).expect_err("mistakes");
        let titles: Vec<&str> = report.findings().iter().map(|finding| finding.title.as_str()).collect();
        assert_eq!(
            titles,
            [
                "`quiet` is missing",
                "unknown key `line`",
                "a placeholder of this line is wrong",
                "`fire[0].lines[1].repeat` is out of range"
            ],
            "{}",
            report.render(Colour::Plain)
        );
    }
}
