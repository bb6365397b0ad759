//! Every event as OCSF has what its class requires, with the right arithmetic of ids.
#![allow(clippy::unwrap_used)]

mod common;

use schemas::ocsf::{self, RawData};
use serde_json::Value;

/// Required attributes of every class, and of each; one of those joined by `|` is enough. Source: OCSF 1.8.0.
const BASE: &str =
    "activity_id category_uid class_uid type_uid severity_id time metadata.version metadata.product.name";
const CLASSES: &[(u64, &str)] = &[
    (0, ""),
    (4001, "src_endpoint|dst_endpoint connection_info.direction_id"),
    (4003, "src_endpoint|dst_endpoint connection_info.direction_id"),
    (3002, "user.name service|dst_endpoint"),
    (2004, "finding_info.uid finding_info.title finding_info.analytic.type_id"),
    (1007, "process.name actor device"),
];

fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |value, name| value.get(name))
}

fn check(document: &Value) {
    let number =
        |path: &str| at(document, path).and_then(Value::as_u64).unwrap_or_else(|| panic!("{path}: {document}"));
    let class = number("class_uid");
    assert_eq!(number("category_uid"), class / 1_000);
    assert_eq!(number("type_uid"), class * 100 + number("activity_id"));
    assert!(number("time") > 1_600_000_000_000 && number("time") < 2_000_000_000_000, "milliseconds");
    let own = CLASSES.iter().find(|(uid, _)| *uid == class).unwrap_or_else(|| panic!("class {class}")).1;
    for wanted in BASE.split_ascii_whitespace().chain(own.split_ascii_whitespace()) {
        assert!(wanted.split('|').any(|path| at(document, path).is_some()), "{class} lacks {wanted}: {document}");
    }
    assert_eq!(at(document, "metadata.version").unwrap(), "1.8.0");
    for end in ["src_endpoint", "dst_endpoint"].iter().filter_map(|end| document.get(end)) {
        let named = ["ip", "uid", "name", "hostname", "svc_name", "interface_name", "domain"];
        let weak = document["class_uid"] == 3002 || named.iter().any(|name| end.get(name).is_some());
        assert!(weak || end.as_object().unwrap().keys().all(|key| !named.contains(&key.as_str())), "{end}");
    }
    for observable in document["observables"].as_array().into_iter().flatten() {
        assert!(observable["type_id"].is_u64() && observable["name"].is_string());
        let path = observable["name"].as_str().unwrap().replace("[0]", ".0");
        let found = path.split('.').try_fold(document, |value, name| match name.parse::<usize>() {
            Ok(index) => value.get(index),
            Err(_) => value.get(name),
        });
        if class != 3002 {
            assert_eq!(found, observable.get("value"), "{path}: {document}");
        }
    }
}

#[test]
fn every_document_has_what_its_class_requires() {
    let batch = common::rows();
    let mut classes = std::collections::BTreeSet::new();
    for row in 0..batch.len() {
        let mut out = Vec::new();
        ocsf::write_row(&batch, row, RawData::Kept, &mut out);
        let document: Value = serde_json::from_slice(&out).unwrap();
        check(&document);
        classes.insert(document["class_uid"].as_u64().unwrap());
        assert_eq!(document["raw_data"], "the line");
        assert_eq!(document["unmapped"]["extras"]["vendor.field"], "one");
    }
    assert_eq!(classes.into_iter().collect::<Vec<_>>(), [0, 1007, 2004, 3002, 4001, 4003]);
}

#[test]
fn nothing_of_a_row_is_lost() {
    let batch = common::rows();
    for row in 0..batch.len() {
        let mut out = Vec::new();
        ocsf::write_row(&batch, row, RawData::Dropped, &mut out);
        let text = String::from_utf8(out).unwrap();
        for field in batch.fields(row) {
            if let schemas::Column::Text(column) = batch.any_column(field) {
                let mut value = Vec::new();
                schemas::write::json_inside(column.get(row), &mut value);
                let value = String::from_utf8(value).unwrap();
                let kept = text.contains(&value) || text.contains(&value.to_ascii_lowercase());
                assert!(kept || field == schemas::Field::DnsRcode, "{} of {text}", field.name());
            }
        }
    }
}
