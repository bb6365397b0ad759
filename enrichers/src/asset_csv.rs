//! Asset tables as CSV: a header, columns in any order, `,` `;` tab or `|` between cells.
//!
//! The cells are split by `csv-core`; what it does not give is the place of a cell, which an error needs. It is
//! counted here from the bytes that each cell took.

use csv_core::{ReadFieldResult, ReaderBuilder};

use crate::assets::{AssetColumn, AssetRow, Cell, TableError, TableErrorKind, check_row};

struct RawCell {
    text: String,
    line: usize,
    at: usize,
}

/// Reads an asset table.
///
/// # Errors
/// Everything that is wrong in it, in the order of the file.
pub fn read_csv(bytes: &[u8]) -> Result<Vec<AssetRow>, Vec<TableError>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Err(error) = std::str::from_utf8(bytes) {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        return Err(vec![TableError::new(line, 1, "", TableErrorKind::NotUtf8)]);
    }
    let mut errors = Vec::new();
    let mut records = records(bytes).into_iter().filter(|record| !is_blank(record));
    let Some(header) = records.next() else {
        return Err(vec![TableError::new(1, 1, "", TableErrorKind::NoHeader)]);
    };
    let columns = read_header(&header, &mut errors);
    let mut rows = Vec::new();
    for record in records {
        let mut cells = Vec::with_capacity(record.len());
        for (at, cell) in record.iter().enumerate() {
            match columns.get(at) {
                Some(Some(column)) => {
                    cells.push(Cell { column: *column, text: &cell.text, line: cell.line, at: cell.at });
                }
                Some(None) => {}
                None if cell.text.trim().is_empty() => {}
                None => errors.push(TableError::new(cell.line, cell.at, &cell.text, TableErrorKind::TooManyCells)),
            }
        }
        rows.extend(check_row(record[0].line, &cells, &mut errors));
    }
    if errors.is_empty() { Ok(rows) } else { Err(errors) }
}

fn is_blank(record: &[RawCell]) -> bool {
    let first = record.first().map_or("", |cell| cell.text.trim());
    first.starts_with('#') || record.iter().all(|cell| cell.text.trim().is_empty())
}

fn read_header(header: &[RawCell], errors: &mut Vec<TableError>) -> Vec<Option<AssetColumn>> {
    let mut columns = Vec::new();
    for cell in header {
        let column = match AssetColumn::parse(cell.text.trim()) {
            Ok(column) => Some(column),
            Err(suggestion) => {
                let error = TableError::new(cell.line, cell.at, cell.text.trim(), TableErrorKind::UnknownColumn);
                errors.push(error.suggest(suggestion));
                None
            }
        };
        if column.is_some() && columns.contains(&column) {
            errors.push(TableError::new(cell.line, cell.at, cell.text.trim(), TableErrorKind::ColumnTwice));
        }
        columns.push(column);
    }
    let keys = [AssetColumn::Address, AssetColumn::Host, AssetColumn::Mac];
    if errors.is_empty() && !keys.iter().any(|key| columns.contains(&Some(*key))) {
        errors.push(TableError::new(1, 1, "", TableErrorKind::NoHeader));
    }
    columns
}

/// The separator that the first line has most of.
fn delimiter(bytes: &[u8]) -> u8 {
    let first = bytes.split(|byte| *byte == b'\n').find(|line| !line.is_empty() && line[0] != b'#').unwrap_or_default();
    let count = |wanted: &u8| first.iter().filter(|byte| *byte == wanted).count();
    [b'|', b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

fn records(bytes: &[u8]) -> Vec<Vec<RawCell>> {
    let mut reader = ReaderBuilder::new().delimiter(delimiter(bytes)).build();
    let (mut at, mut line, mut line_start) = (0, 1, 0);
    let mut records = Vec::new();
    let mut record: Vec<RawCell> = Vec::new();
    let mut text: Vec<u8> = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        if text.is_empty() && record.is_empty() {
            // The reader skips line ends before a record: so that a cell's place is right, they are skipped here.
            while let Some(byte @ (b'\n' | b'\r')) = bytes.get(at) {
                at += 1;
                if *byte == b'\n' {
                    (line, line_start) = (line + 1, at);
                }
            }
        }
        let (cell_line, cell_at) = (line, column(&bytes[line_start..at]));
        let result = loop {
            let (result, read, wrote) = reader.read_field(&bytes[at..], &mut buffer);
            text.extend_from_slice(&buffer[..wrote]);
            for (offset, byte) in bytes[at..at + read].iter().enumerate() {
                if *byte == b'\n' {
                    (line, line_start) = (line + 1, at + offset + 1);
                }
            }
            at += read;
            match result {
                ReadFieldResult::OutputFull => continue,
                ReadFieldResult::InputEmpty if at < bytes.len() => continue,
                ReadFieldResult::InputEmpty => {
                    // The end of the input ends the last cell; asked once more with nothing, the reader says so.
                    continue_at_end(&mut reader, &mut text);
                    break ReadFieldResult::End;
                }
                result => break result,
            }
        };
        let ended = matches!(result, ReadFieldResult::End);
        if !ended || !text.is_empty() || !record.is_empty() {
            let cell = String::from_utf8_lossy(&text).into_owned();
            record.push(RawCell { text: cell, line: cell_line, at: cell_at });
            text.clear();
        }
        if ended || matches!(result, ReadFieldResult::Field { record_end: true }) {
            if !record.is_empty() {
                records.push(std::mem::take(&mut record));
            }
            if ended {
                return records;
            }
        }
    }
}

fn continue_at_end(reader: &mut csv_core::Reader, text: &mut Vec<u8>) {
    let mut buffer = [0; 1024];
    while let (ReadFieldResult::OutputFull, _, wrote) = reader.read_field(&[], &mut buffer) {
        text.extend_from_slice(&buffer[..wrote]);
    }
}

fn column(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Criticality;

    #[test]
    fn columns_come_in_any_order_and_under_usual_names() {
        let rows = read_csv(b"Role;IP Address;Hostname;criticality\nserver;10.0.0.5;RDP-01;High\n\n;10.1.0.0/16;;\n");
        let rows = rows.expect("a right table");
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].asset.name.as_deref(), Some("rdp-01"));
        assert_eq!(rows[0].asset.role.as_deref(), Some("server"));
        assert_eq!(rows[0].asset.criticality, Some(Criticality::High));
        assert_eq!((rows[1].line, rows[1].asset.role.as_deref()), (4, None));
    }

    #[test]
    fn every_error_is_told_at_once_with_its_place_and_a_suggestion() {
        let text = "address,host,critcality,valid_from,mac\n\
                    10.0.0.5/33,a,hgh,2026-02-30,02:00\n\
                    ,,high,,\n\
                    10.0.0.6,\"two\nlines\",high,2026-01-01,,x\n";
        let told: Vec<String> = read_csv(text.as_bytes())
            .expect_err("it is full of errors")
            .iter()
            .map(|error| format!("{}:{}: {error}", error.line, error.column))
            .collect();
        assert_eq!(
            told,
            [
                "1:14: no column is called `critcality`; did you mean `criticality`?",
                "2:1: address is `10.0.0.5/33`, expected an address or a CIDR network, as 10.0.0.5 or 10.0.0.0/24",
                "2:19: valid_from is `2026-02-30`, expected a date or RFC 3339 with its offset, as 2026-01-31 or 2026-01-31T08:00:00Z",
                "2:30: mac is `02:00`, expected six bytes in hex, as 02:00:00:00:00:01",
                "3:1: the row has neither address nor host nor mac, so nothing finds it",
                "5:25: `x` lies beyond the last column of the header",
                "4:10: host is `two\nlines`, expected a host name of at most 253 bytes without blanks",
            ]
        );
    }

    #[test]
    fn a_file_without_a_header_or_in_another_encoding_says_so() {
        for (bytes, want) in [
            (&b""[..], "the table has no header line with at least `address`, `host` or `mac`"),
            (b"role,zone\nserver,dmz\n", "the table has no header line with at least `address`, `host` or `mac`"),
            (b"host\nm\xfcller\n", "the text is not UTF-8; save it as UTF-8"),
        ] {
            assert_eq!(read_csv(bytes).expect_err("an error")[0].to_string(), want);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic_or_loop(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let _ = read_csv(&bytes);
        }

        #[test]
        fn quoted_text_of_any_shape_comes_back(cells in proptest::collection::vec("[a-z,;\"\n ]{0,1500}", 1..4)) {
            let line: Vec<String> = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
            let header = vec!["x"; cells.len()].join(",");
            let found = records(format!("{header},\n{},\n", line.join(",")).as_bytes());
            let found: Vec<&str> = found[1].iter().map(|cell| cell.text.as_str()).take(cells.len()).collect();
            proptest::prop_assert_eq!(found, cells);
        }
    }
}
