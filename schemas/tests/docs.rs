//! `docs/fields.md` says what the field table says.
//!
//! `BLESS=1 cargo test -p schemas --test docs` writes it anew.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use schemas::{Field, FieldType};

fn type_of(field: Field) -> String {
    match field.field_type() {
        FieldType::Time => "time".into(),
        FieldType::Long => "counter".into(),
        FieldType::Ip => "address".into(),
        FieldType::Port => "port".into(),
        FieldType::Percent => "percentage".into(),
        kind @ FieldType::Word(_) if kind.is_flag() => "flag".into(),
        FieldType::Word(words) if words.len() > 16 => "IP protocol".into(),
        FieldType::Word(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" "),
        FieldType::Text => "text".into(),
        FieldType::List => "list".into(),
    }
}

fn aliases(field: Field) -> String {
    let alias = |alias: &str| match alias.split_once('@') {
        Some((name, source)) => format!("`{name}` ({source})"),
        None => format!("`{alias}`"),
    };
    field.aliases().split_ascii_whitespace().map(alias).collect::<Vec<_>>().join(", ")
}

fn page() -> String {
    let mut page = String::from(
        "# Fields\n\n\
         Every field that an event may have. Generated from `schemas/src/fields.rs`; do not edit by hand.\n\n\
         An event has only the fields that its line states and that the enrichers could fill; nothing else is there. What a \
         vendor says beyond them is kept under `extras` by the vendor's own name (`extras.NAME` in a rule).\n\n\
         Rules may use the name, the ECS path, or one of the other names; those with a log source in brackets only in a \
         rule of that log source (category, product or service).\n\n\
         | type | in JSON | in the lake |\n|---|---|---|\n\
         | time | RFC 3339 in UTC, six decimals | TIMESTAMP |\n\
         | counter | number | LONG |\n\
         | address | canonical text | STRING |\n\
         | port, percentage | number | INTEGER |\n\
         | flag | `true`, `false` | BOOLEAN |\n\
         | IP protocol, a word of those listed | text | STRING |\n\
         | text | text; bytes that are not UTF-8 become U+FFFD | STRING, cut at 64 KiB |\n\
         | list | array of texts | STRING, joined by commas |\n\n\
         Beside them every row has `extras` (an object; in the lake its JSON), and its provenance: `source` (topic or file), \
         `partition`, `offset` (or line number), `sub` (which event of the record, where it held several).\n\n\
         | name | type | kinds of event | meaning | ECS | OCSF | other names |\n|---|---|---|---|---|---|---|\n",
    );
    for field in Field::ALL {
        writeln!(
            page,
            "| `{}` | {} | {} | {} | `{}` | `{}` | {} |",
            field.name(),
            type_of(*field),
            field.events(),
            field.doc().replace('|', "\\|"),
            field.ecs(),
            field.ocsf(),
            aliases(*field)
        )
        .unwrap();
    }
    page.push_str(
        "\nIn ECS, `labels.*` are keywords: numbers and flags are text there. In OCSF the path is that of the network classes; \
         what another class has no attribute for stands under `unmapped` by its canonical name.\n",
    );
    page
}

#[test]
fn the_field_reference_is_that_of_the_table() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/fields.md");
    let page = page();
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &page).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == page, "docs/fields.md is stale; BLESS=1 cargo test -p schemas --test docs writes it anew");
}
