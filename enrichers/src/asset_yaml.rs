//! Asset tables as YAML: a list of maps with the same keys as the CSV's columns, at the root or under `assets`.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use crate::assets::{AssetColumn, AssetRow, Cell, TableError, TableErrorKind, check_row};

/// Reads an asset table.
///
/// # Errors
/// Everything that is wrong in it, in the order of the file; if it is not YAML, only that.
pub fn read_yaml(text: &str) -> Result<Vec<AssetRow>, Vec<TableError>> {
    let document: Document = serde_saphyr::from_str(text).map_err(|error| {
        let (line, column) = error.location().map_or((1, 1), |place| (place.line() as usize, place.column() as usize));
        let why = error.without_snippet().to_string();
        vec![TableError::new(line, column, "", TableErrorKind::BadDocument { why })]
    })?;
    let mut errors = Vec::new();
    let mut rows = Vec::new();
    for item in &document.0 {
        let mut cells: Vec<Cell<'_>> = Vec::new();
        for (key, value) in &item.0 {
            let (line, at) = place(key);
            match AssetColumn::parse(&key.value) {
                Ok(column) if cells.iter().any(|cell| cell.column == column) => {
                    errors.push(TableError::new(line, at, &key.value, TableErrorKind::ColumnTwice));
                }
                Ok(column) => {
                    let (line, at) = place(value);
                    cells.push(Cell { column, text: &value.value.0, line, at });
                }
                Err(suggestion) => {
                    let error = TableError::new(line, at, &key.value, TableErrorKind::UnknownColumn);
                    errors.push(error.suggest(suggestion));
                }
            }
        }
        let line = item.0.first().map_or(1, |(key, _)| place(key).0);
        rows.extend(check_row(line, &cells, &mut errors));
    }
    if errors.is_empty() { Ok(rows) } else { Err(errors) }
}

fn place<T>(spanned: &Spanned<T>) -> (usize, usize) {
    (spanned.referenced.line() as usize, spanned.referenced.column() as usize)
}

struct Document(Vec<Item>);
struct Item(Vec<(Spanned<String>, Spanned<Scalar>)>);
/// A value as text; a list becomes its elements with blanks between, as `tags` needs it.
struct Scalar(String);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Root;
        impl<'de> Visitor<'de> for Root {
            type Value = Document;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of assets, or a map with the list under `assets`")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Document, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Document(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
                let mut items = None;
                while let Some(key) = map.next_key::<String>()? {
                    if key == "assets" {
                        items = Some(map.next_value::<Vec<Item>>()?);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                items.map(Document).ok_or_else(|| serde::de::Error::missing_field("assets"))
            }
            fn visit_unit<E>(self) -> Result<Document, E> {
                Ok(Document(Vec::new()))
            }
        }
        deserializer.deserialize_any(Root)
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Item;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an asset: a map with `address`, `host`, `role` and so on")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Item(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyScalar;
        impl<'de> Visitor<'de> for AnyScalar {
            type Value = Scalar;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a text, or a list of texts")
            }
            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }
            fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }
            fn visit_unit<E>(self) -> Result<Scalar, E> {
                Ok(Scalar(String::new()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar, A::Error> {
                let mut text = String::new();
                while let Some(element) = list.next_element::<String>()? {
                    text.push_str(if text.is_empty() { "" } else { " " });
                    text.push_str(&element);
                }
                Ok(Scalar(text))
            }
        }
        deserializer.deserialize_any(AnyScalar)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_keys_as_in_csv_at_the_root_or_under_assets() {
        let list = "- address: 10.0.0.5\n  host: RDP-01\n  role: server\n  tags: [prod, rdp]\n";
        let rows = read_yaml(list).expect("a right table");
        assert_eq!(rows[0].asset.name.as_deref(), Some("rdp-01"));
        assert_eq!(rows[0].asset.tags, ["prod", "rdp"]);
        let under = format!("assets:\n{}", list.replace("- ", "  - ").replace("\n  ", "\n    "));
        assert_eq!(read_yaml(&under).expect("a right table")[0].asset, rows[0].asset);
        assert_eq!(read_yaml("").expect("an empty table"), []);
    }

    #[test]
    fn every_error_is_told_at_once_with_its_place_and_a_suggestion() {
        let text = "- address: 10.0.0.256\n  criticality: hgh\n- hosst: a\n  mac: 02:00:00:00:00:01\n- role: server\n";
        let told: Vec<String> = read_yaml(text)
            .expect_err("it is full of errors")
            .iter()
            .map(|error| format!("{}:{}: {error}", error.line, error.column))
            .collect();
        assert_eq!(
            told,
            [
                "1:12: address is `10.0.0.256`, expected an address or a CIDR network, as 10.0.0.5 or 10.0.0.0/24",
                "2:16: criticality is `hgh`, expected low, medium, high or critical; did you mean `high`?",
                "3:3: no column is called `hosst`; did you mean `host`?",
                "5:9: the row has neither address nor host nor mac, so nothing finds it",
            ]
        );
    }

    #[test]
    fn what_is_not_yaml_is_told_with_its_line() {
        let errors = read_yaml("- address: [\n").expect_err("not YAML");
        assert!(matches!(errors[0].kind, TableErrorKind::BadDocument { .. }), "{errors:?}");
        let errors = read_yaml("- just text\n").expect_err("not an asset");
        assert_eq!(errors[0].line, 1);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[-a-z: \\[\\]{}\"'\n0-9&*!|>]{0,60}") {
            let _ = read_yaml(&text);
        }
    }
}
