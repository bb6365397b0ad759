//! Mapping files: formats of one's own as YAML, read with every mistake told at its place (`docs/mappings.md`).
//!
//! What a mapping can say is the parsers' ([`parsers::mapping`]); here a document becomes one. A name is looked for among the mappings
//! before the families, so that a format of one's own is asked for like any other.

use std::fs;
use std::path::Path;

use parsers::Format;
use parsers::mapping::{Form, Mapping, Mark, Spec, Target, check_time_format};
use schemas::{EventKind, nearest};

use crate::config::ConfigErrors;
use crate::error::Failure;
use crate::yaml::finding::Report;
use crate::yaml::{At, Finding, Findings, Section, parse};

/// The mappings of a run.
pub type Mappings = Vec<&'static Mapping>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Json,
    Csv,
    Pairs,
}

const SHAPES: &[(&str, Shape)] = &[("json", Shape::Json), ("csv", Shape::Csv), ("kv", Shape::Pairs)];

const KINDS: &[(&str, EventKind)] = &[
    ("flow", EventKind::Flow),
    ("auth", EventKind::Auth),
    ("alert", EventKind::Alert),
    ("dns", EventKind::Dns),
    ("listener", EventKind::Listener),
    ("process", EventKind::Process),
    ("inventory", EventKind::Inventory),
    ("other", EventKind::Other),
];

/// Reads a mapping file.
///
/// # Errors
/// The file can't be read, or the mistakes in it.
pub fn load(path: &Path) -> Result<&'static Mapping, Failure> {
    let text = fs::read_to_string(path).map_err(Failure::unreadable("mapping", path))?;
    read(path, &text).map_err(|report| Failure::Config(ConfigErrors(report)))
}

/// A format by its name: a mapping's, `auto`, a family's, or an alias of one.
///
/// # Errors
/// What to write instead.
pub fn format_of(name: &str, mappings: &[&'static Mapping]) -> Result<Format, String> {
    if let Some(mapping) = mappings.iter().find(|mapping| parsers::Parser::name(**mapping) == name) {
        return Ok(Format::Mapped(mapping));
    }
    let mapped = mappings.iter().map(|mapping| parsers::Parser::name(*mapping));
    Format::from_name(name).ok_or_else(|| match nearest(name, mapped.chain(Format::names())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it may be {}", Format::names().collect::<Vec<_>>().join(", ")),
    })
}

/// Reads the text of a mapping file. `path` names it in messages.
///
/// # Errors
/// Every mistake of the document.
pub fn read(path: &Path, text: &str) -> Result<&'static Mapping, Report> {
    let mut found = Findings::default();
    let root = parse(text, &mut found);
    let spec = At::root(&root).section(&mut found).and_then(|mut section| {
        let spec = document(&mut section, &mut found);
        section.finish(&mut found);
        spec
    });
    match spec {
        Some(spec) if !found.has_errors() => Ok(Mapping::leak(spec)),
        _ => {
            if !found.has_errors() {
                found.note(Finding::error(0..0, "this is no mapping", "the file begins here"));
            }
            Err(found.in_file(&path.display().to_string(), text))
        }
    }
}

fn document(section: &mut Section<'_>, found: &mut Findings) -> Option<Spec> {
    let name = section.required("name", "our_gateway", found, name);
    let shape = section.required("shape", "json", found, |at, found| at.word(found, SHAPES));
    let delimiter = section.optional("delimiter", found, delimiter);
    let columns = section.optional("columns", found, columns);
    let fields = section.required("fields", "{src_ip: client}", found, |at, found| {
        fields(&at, found, columns.as_deref().filter(|_| shape == Some(Shape::Csv)))
    });
    let fields = fields.unwrap_or_default();
    let constants = section.optional("constants", found, |at, found| constants(&at, found, &fields));
    let words = section.optional("words", found, |at, found| words(&at, found, &fields));
    let time_format = section.optional("time_format", found, |at, found| {
        let text = at.text(found)?;
        if let Err(what) = check_time_format(&text) {
            at.wrong(found, what, "write it as `yyyy-MM-dd HH:mm:ss`");
        } else if !fields.iter().any(|(target, _)| matches!(target.name(), "time" | "start" | "end")) {
            at.wrong(found, "no field is a time", "map `time` to the key that holds it, or leave this out");
        }
        Some(text)
    });
    let kind = section.optional("kind", found, |at, found| at.word(found, KINDS));
    let mark = section.optional("detect", found, |at, found| mark(&at, found, shape));
    let form = match shape? {
        Shape::Json => {
            for key in ["delimiter", "columns"] {
                if let Some(at) = section.get(key) {
                    at.wrong(found, "objects have none", "remove it, or write `shape: csv`");
                }
            }
            Form::Json
        }
        Shape::Csv => {
            if columns.is_none() && section.get("columns").is_none() {
                section.required("columns", "[time, client, server]", found, columns_missing);
            }
            Form::Csv { delimiter: delimiter.unwrap_or(b','), columns: columns.unwrap_or_default() }
        }
        Shape::Pairs => {
            if let Some(at) = section.get("columns") {
                at.wrong(found, "pairs have keys, not columns", "remove it, or write `shape: csv`");
            }
            Form::KeyValue { separator: delimiter }
        }
    };
    Some(Spec {
        name: name?,
        form,
        fields,
        constants: constants.unwrap_or_default(),
        words: words.unwrap_or_default(),
        time_format,
        kind,
        mark,
    })
}

/// Stands for the columns where there are none: the section notes that they are missing.
fn columns_missing(_: At<'_>, _: &mut Findings) -> Option<()> {
    None
}

fn name(at: At<'_>, found: &mut Findings) -> Option<String> {
    let text = at.text(found)?;
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !text.chars().all(legal) || text.len() > 40 {
        at.wrong(found, "not a name for a format", "up to 40 small letters, digits and `_`");
    } else if Format::from_name(&text).is_some() {
        at.wrong(found, "a family has this name", format!("call it `our_{text}`"));
    } else {
        return Some(text);
    }
    None
}

fn delimiter(at: At<'_>, found: &mut Findings) -> Option<u8> {
    let text = at.text(found)?;
    match text.as_bytes() {
        b"tab" | b"\\t" => Some(b'\t'),
        [byte @ 0x20..=0x7e] if !byte.is_ascii_alphanumeric() && *byte != b'"' => Some(*byte),
        _ => {
            at.wrong(found, "not a delimiter", "one sign, as `\";\"`, or `tab`");
            None
        }
    }
}

fn columns(at: At<'_>, found: &mut Findings) -> Option<Vec<String>> {
    let mut seen: Vec<String> = Vec::new();
    at.some(found, |at, found| {
        let name = at.text(found)?;
        if seen.contains(&name) {
            at.wrong(found, "a column has this name already", "each needs a name of its own");
        }
        seen.push(name.clone());
        Some(name)
    })
}

/// A field by its name; what is none is noted where it stands.
fn target(name: &str, span: std::ops::Range<usize>, found: &mut Findings) -> Option<Target> {
    let target = Target::of(name);
    if target.is_none() {
        let help = match nearest(name, Target::names()) {
            Some(near) => format!("did you mean `{near}`? docs/fields.md has all of them"),
            None => "docs/fields.md has all of them".to_owned(),
        };
        found
            .note(Finding::error(span, format!("`{name}` is no field that a log can set"), "unknown field").help(help));
    }
    target
}

fn fields(at: &At<'_>, found: &mut Findings, columns: Option<&[String]>) -> Option<Vec<(Target, String)>> {
    let mut out = Vec::new();
    for (name, span, at) in at.entries(found)? {
        let (target, key) = (target(&name, span, found), at.text(found));
        if let (Some(key), Some(columns)) = (&key, columns)
            && !columns.contains(key)
        {
            let help = match nearest(key, columns.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the columns are {}", columns.join(", ")),
            };
            at.wrong(found, "no column has this name", help);
        }
        out.extend(target.zip(key));
    }
    if out.is_empty() && !found.has_errors() {
        at.wrong(found, "no field is mapped", "write `field: key` lines under it");
    }
    Some(out)
}

fn constants(at: &At<'_>, found: &mut Findings, fields: &[(Target, String)]) -> Option<Vec<(Target, String)>> {
    let mut out = Vec::new();
    for (name, span, at) in at.entries(found)? {
        let (Some(target), Some(text)) = (target(&name, span, found), at.text(found)) else { continue };
        if let Some((_, key)) = fields.iter().find(|(other, _)| *other == target) {
            at.wrong(found, format!("`fields` takes it from `{key}`"), "leave one of the two out");
        } else if let Err(expected) = target.check(&text) {
            at.wrong(found, format!("not a value of this field: {expected}"), "write one, or leave it out");
        } else if let Err(words) = target.takes(&text) {
            at.wrong(found, "not a word of this field", format!("it may be {}", words.join(", ")));
        }
        out.push((target, text));
    }
    Some(out)
}

type Words = Vec<(Target, Vec<(String, String)>)>;

fn words(at: &At<'_>, found: &mut Findings, fields: &[(Target, String)]) -> Option<Words> {
    let mut out = Vec::new();
    for (name, span, at) in at.entries(found)? {
        let Some(target) = target(&name, span.clone(), found) else { continue };
        if !fields.iter().any(|(other, _)| *other == target) {
            let title = format!("`{name}` is not mapped");
            found.note(Finding::error(span, title, "no key for it").help("name its key under `fields`"));
        }
        let mut meanings = Vec::new();
        for (word, _, at) in at.entries(found).unwrap_or_default() {
            let Some(meaning) = at.text(found) else { continue };
            if let Err(known) = target.takes(&meaning) {
                let help = match nearest(&meaning, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`? It may be {}", known.join(", ")),
                    None => format!("it may be {}", known.join(", ")),
                };
                at.wrong(found, "not a word of this field", help);
            }
            meanings.push((word, meaning));
        }
        out.push((target, meanings));
    }
    Some(out)
}

fn mark(at: &At<'_>, found: &mut Findings, shape: Option<Shape>) -> Option<Mark> {
    let mut section = at.section(found)?;
    let starts = section.optional("starts", found, |at, found| at.text(found)).map(Mark::Starts);
    let contains = section.optional("contains", found, |at, found| at.text(found)).map(Mark::Contains);
    let keys = section.optional("keys", found, |at, found| at.some(found, |at, found| at.text(found))).map(Mark::Keys);
    section.finish(found);
    match (starts, contains, keys) {
        (Some(_), None, None) | (None, Some(_), None) if shape == Some(Shape::Json) => {
            at.wrong(found, "objects are known by their members", "write `keys: [one, two]`");
            None
        }
        (None, None, Some(_)) if shape.is_some_and(|shape| shape != Shape::Json) => {
            at.wrong(found, "lines of text have no members", "write `starts: …` or `contains: …`");
            None
        }
        (Some(mark), None, None) | (None, Some(mark), None) | (None, None, Some(mark)) => Some(mark),
        _ => {
            if !found.has_errors() {
                at.wrong(found, "one mark is needed", "write one of `starts`, `contains`, `keys`");
            }
            None
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        read(Path::new("gateway.yaml"), text).unwrap_err().render(crate::yaml::finding::Colour::Plain)
    }

    #[test]
    fn a_file_that_is_fine_is_a_format_of_its_name() {
        let text = "name: our_gateway\nshape: csv\ndelimiter: tab\ncolumns: [at, from, to]\nfields: {time: at, src_ip: from, dst_ip: to}\n\
            constants: {vendor: Example, transport: tcp}\ndetect: {contains: gw}\n";
        let mapping = read(Path::new("gateway.yaml"), text).unwrap();
        assert_eq!(format_of("our_gateway", &[mapping]), Ok(Format::Mapped(mapping)));
        assert_eq!(format_of("auto", &[mapping]), Ok(Format::Auto));
        assert_eq!(format_of("our_gatway", &[mapping]), Err("did you mean `our_gateway`?".to_owned()));
    }

    #[test]
    fn every_mistake_is_told_at_its_place() {
        let text = "\
name: CEF
shape: csv
delimiter: ab
columns: [at, from, from]
fields:
  time: when
  scr_ip: from
  received: at
constants: {dst_port: ssh, vendor: 1}
words:
  action: {N: denied}
time_format: yyyy-MM-ddTHH:mm
kind: flows
detect: {keys: [a]}
colums: []
";
        insta::assert_snapshot!(told(text), @r#"
        error: `name`: not a name for a format
         --> gateway.yaml:1:7
          |
        1 | name: CEF
          |       ^^^ not a name for a format
          |
          = help: up to 40 small letters, digits and `_`

        error: `delimiter`: not a delimiter
         --> gateway.yaml:3:12
          |
        3 | delimiter: ab
          |            ^^ not a delimiter
          |
          = help: one sign, as `";"`, or `tab`

        error: `columns[2]`: a column has this name already
         --> gateway.yaml:4:21
          |
        4 | columns: [at, from, from]
          |                     ^^^^ a column has this name already
          |
          = help: each needs a name of its own

        error: `fields.time`: no column has this name
         --> gateway.yaml:6:9
          |
        6 |   time: when
          |         ^^^^ no column has this name
          |
          = help: the columns are at, from, from

        error: `scr_ip` is no field that a log can set
         --> gateway.yaml:7:3
          |
        7 |   scr_ip: from
          |   ^^^^^^ unknown field
          |
          = help: did you mean `src_ip`? docs/fields.md has all of them

        error: `received` is no field that a log can set
         --> gateway.yaml:8:3
          |
        8 |   received: at
          |   ^^^^^^^^ unknown field
          |
          = help: docs/fields.md has all of them

        error: `constants.dst_port`: not a value of this field: a port, 0 to 65535
         --> gateway.yaml:9:23
          |
        9 | constants: {dst_port: ssh, vendor: 1}
          |                       ^^^ not a value of this field: a port, 0 to 65535
          |
          = help: write one, or leave it out

        error: `action` is not mapped
          --> gateway.yaml:11:3
           |
        11 |   action: {N: denied}
           |   ^^^^^^ no key for it
           |
           = help: name its key under `fields`

        error: `words.action.N`: not a word of this field
          --> gateway.yaml:11:15
           |
        11 |   action: {N: denied}
           |               ^^^^^^ not a word of this field
           |
           = help: it may be allow, deny, drop, reset, close, timeout, alert, start, end, nat

        error: `time_format`: a letter that stands for nothing; known are y M d H h m s S a E z Z X, text goes in single quotes
          --> gateway.yaml:12:14
           |
        12 | time_format: yyyy-MM-ddTHH:mm
           |              ^^^^^^^^^^^^^^^^ a letter that stands for nothing; known are y M d H h m s S a E z Z X, text goes in single quotes
           |
           = help: write it as `yyyy-MM-dd HH:mm:ss`

        error: `kind` does not know the word `flows`
          --> gateway.yaml:13:7
           |
        13 | kind: flows
           |       ^^^^^ unknown word
           |
           = help: did you mean `flow`? It may be `flow`, `auth`, `alert`, `dns`, `listener`, `process`, `inventory`, `other`

        error: `detect`: lines of text have no members
          --> gateway.yaml:14:9
           |
        14 | detect: {keys: [a]}
           |         ^ lines of text have no members
           |
           = help: write `starts: …` or `contains: …`

        error: unknown key `colums`
          --> gateway.yaml:15:1
           |
        15 | colums: []
           | ^^^^^^ not a key of the top level
           |
           = help: known here: name, shape, delimiter, columns, fields, constants, words, time_format, kind, detect
        "#);
    }

    #[test]
    fn what_is_missing_is_told() {
        insta::assert_snapshot!(told("shape: csv\nfields: {}\n"), @r"
        error: `name` is missing
         --> gateway.yaml:1:1
          |
        1 | shape: csv
          | ^ the file begins here
          |
          = help: add `name: our_gateway`

        error: `columns` is missing
         --> gateway.yaml:1:1
          |
        1 | shape: csv
          | ^ the file begins here
          |
          = help: add `columns: [time, client, server]`

        error: `fields`: no field is mapped
         --> gateway.yaml:2:9
          |
        2 | fields: {}
          |         ^ no field is mapped
          |
          = help: write `field: key` lines under it
        ");
    }
}
