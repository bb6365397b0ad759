//! What was refused, read back: from `rejects.ndjson`, or from the table `rejects` of a lake.
//!
//! A new version of a device's log breaks thousands of lines at once, and all alike. So refused records are grouped by their
//! shape, which is the line without what differs from line to line; a dozen groups then say what ten thousand lines would.
//! Reading is a stream and the number of groups is bounded: whoever sends the lines decides what stands in them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use serde_json::Value;

use crate::error::Failure;
use crate::sink::lake::{Lake, Table};

/// Groups that are kept apart; records of further ones are counted together.
pub const GROUPS_MAX: usize = 10_000;
/// Records of a group that are kept as examples.
pub const EXAMPLES_MAX: usize = 5;
/// Characters of a shape.
const SHAPE_MAX: usize = 160;

/// A refused record, as its document says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The family that was tried; `auto` if none was recognised.
    pub family: String,
    /// Why, as a sentence.
    pub reason: String,
    /// Byte offset in the record at which the trouble begins.
    pub byte: u64,
    /// Where it lay: topic or file, partition, offset or line number.
    pub place: String,
    /// When it was received, RFC 3339.
    pub received: String,
    /// The record, exactly as it was received.
    pub raw: Vec<u8>,
}

/// Refused records that are alike.
#[derive(Clone, Debug)]
pub struct Group {
    /// The family that was tried.
    pub family: String,
    /// Why, without what was found in the single line.
    pub reason: String,
    /// What the lines have in common.
    pub shape: String,
    /// How many there are.
    pub count: u64,
    /// When the first and the last were received.
    pub received: (String, String),
    /// The first few.
    pub examples: Vec<Refused>,
}

/// All groups, the largest first, and the number of records that came after there were [`GROUPS_MAX`] of them.
#[derive(Debug, Default)]
pub struct Groups {
    /// The groups.
    pub groups: Vec<Group>,
    /// Records of further groups.
    pub others: u64,
}

/// What makes two refused records alike.
pub type Likeness = (String, String, String);

/// The likeness of a record: family, reason and shape.
pub fn likeness(refused: &Refused) -> Likeness {
    (refused.family.clone(), general(&refused.reason), shape(&refused.raw))
}

/// Groups all refused records at `path`.
///
/// # Errors
/// As [`each`].
pub fn group(path: &Path) -> Result<Groups, Failure> {
    let mut known: HashMap<Likeness, usize> = HashMap::new();
    let mut found = Groups::default();
    each(path, &mut |refused| {
        let likeness = likeness(&refused);
        if let Some(at) = known.get(&likeness) {
            let group = &mut found.groups[*at];
            group.count += 1;
            if refused.received < group.received.0 {
                group.received.0.clone_from(&refused.received);
            } else if refused.received > group.received.1 {
                group.received.1.clone_from(&refused.received);
            }
            if group.examples.len() < EXAMPLES_MAX {
                group.examples.push(refused);
            }
        } else if found.groups.len() == GROUPS_MAX {
            found.others += 1;
        } else {
            known.insert(likeness.clone(), found.groups.len());
            let (family, reason, shape) = likeness;
            let received = (refused.received.clone(), refused.received.clone());
            found.groups.push(Group { family, reason, shape, count: 1, received, examples: vec![refused] });
        }
        Ok(())
    })?;
    found
        .groups
        .sort_by(|a, b| (b.count, &a.family, &a.reason, &a.shape).cmp(&(a.count, &b.family, &b.reason, &b.shape)));
    Ok(found)
}

/// Hands every refused record at `path` to `take`: `rejects.ndjson` or a file like it, the folder of a batch run, a lake.
///
/// # Errors
/// Nothing there to read, or something else than refused records; what `take` says.
pub fn each(path: &Path, take: &mut dyn FnMut(Refused) -> Result<(), Failure>) -> Result<(), Failure> {
    let lines = path.join("rejects.ndjson");
    if path.is_file() {
        return of_lines(path, take);
    }
    if lines.is_file() {
        return of_lines(&lines, take);
    }
    let root: Option<PathBuf> =
        [path.to_owned(), path.join("lake")].into_iter().find(|root| root.join("rejects/_delta_log").is_dir());
    match root {
        Some(root) => of_lake(&root, take),
        None => Err(Failure::Usage {
            what: format!("no refused records at {}", path.display()),
            advice: "name a file rejects.ndjson, the --out folder of a batch run, or the folder of a lake".into(),
        }),
    }
}

fn of_lines(path: &Path, take: &mut dyn FnMut(Refused) -> Result<(), Failure>) -> Result<(), Failure> {
    let file = File::open(path).map_err(Failure::unreadable("refused records", path))?;
    for (at, line) in (1..).zip(BufReader::new(file).split(b'\n')) {
        let line = line.map_err(Failure::unreadable("refused records", path))?;
        let refused = of_document(&line).ok_or_else(|| {
            let why = format!("line {at} is not the document of a refused record");
            Failure::unreadable("refused records", path)(io::Error::new(io::ErrorKind::InvalidData, why))
        })?;
        take(refused)?;
    }
    Ok(())
}

fn of_document(line: &[u8]) -> Option<Refused> {
    let document: Value = serde_json::from_slice(line).ok()?;
    let text = |name: &str| document[name].as_str().map(str::to_owned);
    let raw = match document["raw_base64"].as_str() {
        Some(coded) => from_base64(coded)?,
        None => text("raw")?.into_bytes(),
    };
    let place = place(&text("source")?, document["partition"].as_i64()?, document["offset"].as_i64()?);
    Some(Refused {
        family: text("family")?,
        reason: text("reason")?,
        byte: document["byte"].as_u64()?,
        place,
        received: text("received")?,
        raw,
    })
}

fn of_lake(root: &Path, take: &mut dyn FnMut(Refused) -> Result<(), Failure>) -> Result<(), Failure> {
    let schema = schemas::arrow::rejects_schema();
    let lake = Lake::open(&root.to_string_lossy(), &[(Table::Rejects, schema)])?;
    lake.read(Table::Rejects, &mut |rows| {
        for row in 0..rows.num_rows() {
            if let Some(refused) = of_row(rows, row) {
                take(refused)?;
            }
        }
        Ok(())
    })
}

fn of_row(rows: &RecordBatch, row: usize) -> Option<Refused> {
    let text = |name: &str| {
        let column = rows.column_by_name(name)?.as_string_opt::<i32>()?;
        column.is_valid(row).then(|| column.value(row).to_owned())
    };
    let long = |name: &str| {
        let column = rows.column_by_name(name)?;
        let long = column.as_primitive_opt::<Int64Type>().map(|column| column.value(row));
        long.or_else(|| column.as_primitive_opt::<Int32Type>().map(|column| i64::from(column.value(row))))
    };
    let received = rows.column_by_name("received")?.as_primitive_opt::<TimestampMicrosecondType>()?.value(row);
    let mut received_text = Vec::new();
    schemas::write::time(received, &mut received_text);
    Some(Refused {
        family: text("family")?,
        reason: text("reason")?,
        byte: u64::try_from(long("byte")?).ok()?,
        place: place(&text("source")?, long("partition")?, long("offset")?),
        received: String::from_utf8(received_text).ok()?,
        raw: match text("raw_base64") {
            Some(coded) => from_base64(&coded)?,
            None => text("raw")?.into_bytes(),
        },
    })
}

fn place(source: &str, partition: i64, offset: i64) -> String {
    if partition == 0 { format!("{source}:{offset}") } else { format!("{source}[{partition}]:{offset}") }
}

/// RFC 4648 section 4; `None` if it is not.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut held, mut bits) = (0_u32, 0);
    for digit in text.trim_end_matches('=').bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = held << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    Some(bytes)
}

/// A reason without what was found in the line: the text between back quotes.
fn general(reason: &str) -> String {
    let parts: Vec<&str> = reason.split('`').collect();
    if parts.len() < 3 {
        return reason.to_owned();
    }
    // only the first and the last quote are the sentence's own; what lies between is the line's
    format!("{}`…`{}", parts[0], parts[parts.len() - 1])
}

/// A line without what differs from line to line: words with a digit in them become `#`, values behind `=` and in quotes `*`.
pub fn shape(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(&line[..line.len().min(16 * SHAPE_MAX)]);
    let mut shape = String::with_capacity(SHAPE_MAX + 8);
    let mut rest = line.trim();
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        if shape.chars().count() >= SHAPE_MAX {
            shape.push('…');
            break;
        }
        let (token, part) = if first == '"' && matches!(before, '=' | ':') {
            let end = rest[1..].find('"').map_or(rest.len(), |at| at + 2);
            (end, "\"*\"")
        } else if is_word(first) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let word = &rest[..end];
            let value = before == '=' || word.bytes().any(|byte| byte.is_ascii_digit());
            (
                end,
                if before == '=' {
                    "*"
                } else if value {
                    "#"
                } else {
                    word
                },
            )
        } else {
            let end = first.len_utf8();
            (end, &rest[..end])
        };
        shape.push_str(part);
        before = part.chars().next_back().unwrap_or(' ');
        rest = &rest[token..];
    }
    shape
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '\\' | '@' | '%' | '+')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_differ_in_numbers_names_and_times_have_one_shape() {
        let alike = [
            [
                "<134>Jan  5 09:00:01 fw01 id=firewall sn=0017C5 src=192.0.2.7:50123:X1 user=\"alice b\" note=\"x\"",
                "<134>Jan  5 11:12:59 fw02 id=firewall sn=99 src=198.51.100.9:1:X2 user=\"bob\" note=\"longer text\"",
            ],
            [r#"{"ts":1767607200.1,"uid":"CxA","n":{"a":"b"}}"#, r#"{"ts":1,"uid":"Other","n":{"a":"c d"}}"#],
        ];
        for [one, other] in alike {
            assert_eq!(shape(one.as_bytes()), shape(other.as_bytes()));
        }
        assert_eq!(
            shape(b"<134>Jan  5 09:00:01 fw01 id=firewall msg=\"a\" src=192.0.2.7"),
            "<#>Jan  # #:#:# # id=* msg=\"*\" src=*"
        );
        assert_ne!(shape(b"%ASA-6-302013: Built"), shape(b"%ASA-6-302013: Teardown"));
    }

    #[test]
    fn a_reason_is_told_without_what_was_found() {
        assert_eq!(general("srcport is `70000`, expected digits"), "srcport is `…`, expected digits");
        assert_eq!(general("x is `a`b`, expected y"), "x is `…`, expected y");
        assert_eq!(general("ts is missing"), "ts is missing");
    }

    proptest::proptest! {
        #[test]
        fn any_line_has_a_short_shape(line in proptest::collection::vec(0u8.., 0..600)) {
            proptest::prop_assert!(shape(&line).chars().count() <= 16 * SHAPE_MAX);
        }

        #[test]
        fn base64_is_read_as_it_is_written(bytes in proptest::collection::vec(0u8.., 0..50)) {
            let reject = schemas::Reject { family: "f", offset: 0, kind: schemas::RejectKind::Empty };
            let raw = [&bytes[..], b"\xff"].concat();
            let record = schemas::RejectRecord { reject, source: "s".into(), partition: 0, offset: 1, received_us: 0, raw: raw.clone() };
            let mut out = Vec::new();
            record.write_json(&mut out);
            proptest::prop_assert_eq!(of_document(&out).map(|refused| refused.raw), Some(raw));
        }
    }
}
