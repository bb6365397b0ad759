//! Mistakes in a document, and how they are shown: file, line, column, the text underlined, what to do.
//!
//! Values that may be secrets are masked in the quoted source before anything is printed: an error message ends
//! in logs, chats and tickets.

use std::fmt;
use std::io::IsTerminal;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// Whether a finding stops the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The document can't be used.
    Error,
    /// The document is used, but somebody should look.
    Warning,
}

/// One mistake.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Whether it stops the program.
    pub severity: Severity,
    /// Bytes of the text that are wrong.
    pub span: Range<usize>,
    /// What is wrong, one line.
    pub title: String,
    /// The words under the underline.
    pub label: String,
    /// A second place that matters, with its words.
    pub other: Option<(Range<usize>, String)>,
    /// What to do.
    pub help: Option<String>,
}

impl Finding {
    /// An error at a place.
    pub fn error(span: Range<usize>, title: impl Into<String>, label: impl Into<String>) -> Finding {
        let (title, label) = (title.into(), label.into());
        Finding { severity: Severity::Error, span, title, label, other: None, help: None }
    }

    /// A warning at a place.
    pub fn warning(span: Range<usize>, title: impl Into<String>, label: impl Into<String>) -> Finding {
        Finding { severity: Severity::Warning, ..Finding::error(span, title, label) }
    }

    /// Adds what to do.
    pub fn help(self, help: impl Into<String>) -> Finding {
        Finding { help: Some(help.into()), ..self }
    }

    /// Adds a second place.
    pub fn also(self, span: Range<usize>, label: impl Into<String>) -> Finding {
        Finding { other: Some((span, label.into())), ..self }
    }
}

/// All mistakes of one document, in the order in which they were noticed.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
}

impl Findings {
    /// Notes one. At most 1,000 are kept: nobody reads more, and a hostile file can't fill the memory with them.
    pub fn note(&mut self, finding: Finding) {
        if self.list.len() < 1_000 {
            self.list.push(finding);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.list.iter()
    }

    /// Whether one of them stops the program.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Binds them to the file that they speak of, in the order of the text, secrets masked.
    pub fn in_file(mut self, path: &str, text: &str) -> Report {
        self.list.sort_by_key(|finding| finding.span.start);
        Report { path: path.to_owned(), text: masked(text), findings: self }
    }
}

/// The mistakes of a named file; `Display` prints them for people, in colour only if stderr is a terminal.
#[derive(Clone)]
pub struct Report {
    path: String,
    text: String,
    findings: Findings,
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report").field("path", &self.path).field("findings", &self.findings).finish_non_exhaustive()
    }
}

impl Report {
    /// The findings, in the order of the text.
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// The whole report as text.
    pub fn render(&self, colour: Colour) -> String {
        let renderer = match colour {
            Colour::Plain => Renderer::plain(),
            Colour::Styled => Renderer::styled(),
        };
        let mut out = String::new();
        for finding in self.findings.iter() {
            if !out.is_empty() {
                out.push_str("\n\n");
            }
            out.push_str(&renderer.render(&[self.group(finding)]));
        }
        out
    }

    /// One finding as the renderer wants it.
    fn group<'a>(&'a self, finding: &'a Finding) -> Group<'a> {
        let level = match finding.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut snippet = Snippet::source(self.text.as_str())
            .path(self.path.as_str())
            .annotation(AnnotationKind::Primary.span(self.visible(&finding.span)).label(finding.label.as_str()));
        if let Some((span, label)) = &finding.other {
            snippet = snippet.annotation(AnnotationKind::Context.span(self.visible(span)).label(label.as_str()));
        }
        let mut group = level.primary_title(finding.title.as_str()).element(snippet);
        if let Some(help) = &finding.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        group
    }

    /// A span inside the text, at character boundaries, whatever was noted.
    fn visible(&self, span: &Range<usize>) -> Range<usize> {
        let floor = |at: usize| (0..=at.min(self.text.len())).rev().find(|at| self.text.is_char_boundary(*at));
        let (start, end) = (floor(span.start).unwrap_or(0), floor(span.end).unwrap_or(0));
        start..end.max(start)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colour = if std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
            Colour::Styled
        } else {
            Colour::Plain
        };
        f.write_str(&self.render(colour))
    }
}

/// Whether terminal colours are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// No escapes at all.
    Plain,
    /// With escapes.
    Styled,
}

/// Words in a key that say that its value is a secret, unless the key only names where the secret is.
const SECRET_WORDS: [&str; 4] = ["password", "secret", "token", "passwd"];

/// Whether a key's value must never be shown.
pub fn is_secret_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| key.contains(word))
        && !["_file", "_env", ".location", ".url"].iter().any(|tail| key.ends_with(tail))
}

/// The text with the values of secret keys replaced by stars, byte for byte, so that positions stay.
///
/// It works on lines rather than on the tree because it must also work where the tree couldn't be built: all that follows a secret
/// key is masked to the end of its line, and the deeper indented lines after it (a block scalar).
fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut hidden_under: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches([' ', '-']).len();
        hidden_under = hidden_under.filter(|outer| line.trim().is_empty() || indent > *outer);
        let from = match (hidden_under, secret_from(line)) {
            (Some(_), _) => 0,
            (None, Some(from)) => {
                hidden_under = Some(indent);
                from
            }
            (None, None) => line.len(),
        };
        out.push_str(&line[..from]);
        for c in line[from..].chars() {
            if c.is_whitespace() {
                out.push(c);
            } else {
                out.extend(std::iter::repeat_n('*', c.len_utf8()));
            }
        }
    }
    out
}

/// Where the value of a line's first secret key begins.
fn secret_from(line: &str) -> Option<usize> {
    line.match_indices(':').map(|(colon, _)| colon).find_map(|colon| {
        let before = line[..colon].trim_end_matches([' ', '"', '\'']);
        let key = before.rsplit([' ', '{', ',', '"', '\'', '[']).next().unwrap_or("");
        is_secret_key(key).then_some(colon + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_never_reach_the_report() {
        let text = "kafka:\n  sasl: {username: u, password: hunter2}\n  password: |\n    hunter2\n  password_file: /run/p\n  x: 1\n";
        let mut found = Findings::default();
        let at = text.find("password").expect("in the text above");
        found.note(Finding::error(at..at + 8, "unknown key `password`", "not a key of `sasl`"));
        found.note(Finding::error(text.len() - 3..text.len(), "last", "here"));
        let shown = found.in_file("c.yaml", text).render(Colour::Plain);
        assert!(!shown.contains("hunter2"), "{shown}");
        assert_eq!(masked(text).len(), text.len());
        assert!(masked(text).contains("password_file: /run/p\n  x: 1"));
    }

    #[test]
    fn any_span_can_be_shown() {
        for (start, end) in [(0, 0), (0, 99), (99, 100), (1, 2), (2, 1)] {
            let span = start..end;
            let mut found = Findings::default();
            found.note(Finding::error(span, "t", "l"));
            assert!(found.in_file("c.yaml", "aüb\n").render(Colour::Plain).contains("error: t"));
        }
    }
}
