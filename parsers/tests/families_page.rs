//! `docs/families.md` says what the families' fixtures show.
//!
//! `BLESS=1 cargo test -p parsers --test families_page` writes it anew. Nothing in it is kept by hand: what a family covers is
//! what its fixtures prove, and a family that loses a message or a field is seen in the page's difference.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use common::{RECEIVED_US, fixtures, lines};
use parsers::transport::{self, Shape};
use parsers::{Accepts, FAMILIES, Parser, TimeContext};
use serde_json::Value;

/// Codes that are told of one dataset before the rest is only counted.
const CODES_MAX: usize = 40;

#[derive(Default)]
struct Dataset {
    events: usize,
    kinds: BTreeSet<String>,
    codes: BTreeSet<String>,
}

struct Shown {
    title: String,
    about: String,
    makers: BTreeSet<String>,
    lines: usize,
    events: usize,
    refused: usize,
    forms: BTreeSet<&'static str>,
    datasets: BTreeMap<String, Dataset>,
    fields: BTreeSet<String>,
}

/// How a line came: its framing, header and shape, by what the transport layer finds.
fn form(line: &[u8], family: &dyn Parser) -> &'static str {
    let time = TimeContext::utc(RECEIVED_US);
    let record = transport::open(line, &time);
    let has_header = record.header.headers > 0 || record.header.priority.is_some();
    match record.shape {
        Shape::Object if has_header => "JSON after a syslog header",
        Shape::Object if family.accepts() == Accepts::Lines => "a line inside JSON",
        Shape::Object if record.body.first() == Some(&b'[') => "JSON array",
        Shape::Object => "JSON object",
        Shape::Text => {
            let body = record.body.trim_ascii_start();
            let is_5424 = !record.header.structured.is_empty() || !record.header.message_id.is_empty();
            if body.starts_with(b"CEF:") {
                "CEF"
            } else if body.starts_with(b"LEEF:") {
                "LEEF"
            } else if body.starts_with(b"<Event") || body.starts_with(b"<?xml") {
                "XML"
            } else if is_5424 {
                "syslog, RFC 5424"
            } else if has_header {
                "syslog, RFC 3164 and its relatives"
            } else {
                "bare line"
            }
        }
    }
}

fn shown(family: &dyn Parser) -> Shown {
    let folder = fixtures().join(family.name());
    let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
    let about = read("ABOUT.md");
    let (title, text) = about.split_once('\n').unwrap();
    // what stands before says where the lines come from
    let text = text.split_once("What they show:").map_or("", |(_, text)| text);
    let raw = fs::read(folder.join("lines.log")).unwrap();
    let mut shown = Shown {
        title: title.trim_start_matches("# ").to_owned(),
        about: text.split("\n\n").next().unwrap().split_whitespace().collect::<Vec<_>>().join(" "),
        makers: BTreeSet::new(),
        lines: lines(&raw).len(),
        events: 0,
        refused: lines(read("rejects.log").as_bytes()).len(),
        forms: lines(&raw).into_iter().map(|line| form(line, family)).collect(),
        datasets: BTreeMap::new(),
        fields: BTreeSet::new(),
    };
    for line in read("expected.ndjson").lines() {
        let outcome: Value = serde_json::from_str(line).unwrap();
        let rows = match outcome {
            Value::Array(rows) => rows,
            one => vec![one],
        };
        for row in rows.iter().filter_map(Value::as_object).filter(|row| !row.is_empty()) {
            shown.events += 1;
            let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            let (vendor, product) = (text("vendor"), text("product"));
            let maker = if vendor == product { vendor } else { format!("{vendor} {product}").trim().to_owned() };
            shown.makers.extend(Some(maker).filter(|maker| !maker.is_empty()));
            shown.fields.extend(row.keys().filter(|key| !COMMON.contains(&key.as_str())).cloned());
            let dataset = shown.datasets.entry(text("dataset")).or_default();
            dataset.events += 1;
            dataset.kinds.insert(text("kind"));
            dataset.codes.extend(Some(text("event_code")).filter(|code| !code.is_empty()));
        }
    }
    shown
}

/// Fields that every event of every family has, or may have.
const COMMON: [&str; 7] = ["time", "time_source", "kind", "family", "vendor", "product", "dataset"];

fn list<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| format!("`{}`", item.as_ref())).collect::<Vec<_>>().join(" ")
}

fn page() -> String {
    let all: Vec<(&dyn Parser, Shown)> = FAMILIES.iter().map(|family| (*family, shown(*family))).collect();
    let total = |count: fn(&Shown) -> usize| all.iter().map(|(_, shown)| count(shown)).sum::<usize>();
    let mut page = format!(
        "# Families\n\n\
         The logs that are understood: {} families, shown by {} lines that give {} events, and {} that must be refused. Generated from \
         `parsers/fixtures` by `BLESS=1 cargo test -p parsers --test families_page`; do not edit by hand.\n\n\
         `--format` takes a family's name or one of its other names; without it each line is told by its shape. How to add one: \
         [adding-a-family.md](adding-a-family.md). What a field means: [fields.md](fields.md). Every family fills `time`, `kind`, \
         `family`, `vendor`, `product` and `dataset`, and keeps under `extras` what it understands and no field is for; of envelopes \
         (Filebeat, Vector, Fluent Bit, syslog-ng, NXLog, Splunk, GELF, …) and relays' headers all are taken off before it reads.\n\n\
         | family | vendor and product | forms | lines | events | refused |\n|---|---|---|---|---|---|\n",
        all.len(),
        total(|shown| shown.lines),
        total(|shown| shown.events),
        total(|shown| shown.refused),
    );
    for (family, shown) in &all {
        let makers = shown.makers.iter().cloned().collect::<Vec<_>>();
        let told = if makers.len() > 6 {
            format!("{}, and {} more", makers[..5].join(", "), makers.len() - 5)
        } else {
            makers.join(", ")
        };
        let forms = shown.forms.iter().copied().collect::<Vec<_>>().join("; ");
        let name = family.name();
        writeln!(
            page,
            "| [`{name}`](#{name}) | {told} | {forms} | {} | {} | {} |",
            shown.lines, shown.events, shown.refused
        )
        .unwrap();
    }
    for (family, shown) in &all {
        writeln!(page, "\n## {}\n\n{}.", family.name(), shown.title.trim_end_matches('.')).unwrap();
        if !family.aliases().is_empty() {
            writeln!(page, "Other names: {}.", list(family.aliases())).unwrap();
        }
        if !shown.about.is_empty() {
            let mut about = shown.about.clone();
            about[..1].make_ascii_uppercase();
            writeln!(page, "\n{about}").unwrap();
        }
        writeln!(page, "\n| dataset | kinds | events | messages (`event_code`) |\n|---|---|---|---|").unwrap();
        for (name, dataset) in &shown.datasets {
            let mut codes = list(dataset.codes.iter().take(CODES_MAX)).replace('|', "\\|");
            if dataset.codes.len() > CODES_MAX {
                write!(codes, " and {} more", dataset.codes.len() - CODES_MAX).unwrap();
            }
            writeln!(page, "| `{name}` | {} | {} | {codes} |", list(&dataset.kinds), dataset.events).unwrap();
        }
        writeln!(page, "\nFields: {}", list(&shown.fields)).unwrap();
    }
    page
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/families.md")
}

#[test]
fn the_page_of_families_is_what_the_fixtures_show() {
    let page = page();
    if std::env::var_os("BLESS").is_some() {
        fs::write(path(), page).unwrap();
        return;
    }
    let written = fs::read_to_string(path()).unwrap_or_default();
    let how = "BLESS=1 cargo test -p parsers --test families_page writes it anew";
    for (at, (page, written)) in page.lines().zip(written.lines()).enumerate() {
        assert_eq!(page, written, "docs/families.md, line {}: {how}", at + 1);
    }
    assert_eq!(page.lines().count(), written.lines().count(), "docs/families.md: {how}");
}
