//! Alerts and refused records as record batches: tables `alerts` and `rejects` of the lake.
//!
//! Members of an alert that are objects or lists are JSON text: engines read them with their JSON functions, and a new
//! member changes no schema. `supersedes` is joined by `,`.

use std::sync::{Arc, LazyLock};

use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_schema::{DataType, Field as Column, Schema, SchemaRef};

use super::timestamp;
use crate::alert::{Alert, AlertId};
use crate::quarantine::RejectRecord;
use crate::words::Word;

/// A column: its name and how it is read; the way of reading gives the type.
struct Member<T: 'static>(&'static str, Read<T>);

enum Read<T: 'static> {
    Text(fn(&T) -> String),
    TextIf(fn(&T) -> Option<String>),
    Json(fn(&T, &mut Vec<u8>)),
    Integer(fn(&T) -> i32),
    Long(fn(&T) -> u64),
    Time(fn(&T) -> i64),
}

const ALERT: &[Member<Alert>] = &[
    Member("alert_id", Read::Text(|a| a.alert_id.to_string())),
    Member("revision", Read::Integer(|a| a.revision as i32)),
    Member("status", Read::Text(|a| a.status.as_str().to_owned())),
    Member("supersedes", Read::TextIf(|a| if_any(join(&a.supersedes)))),
    Member("rule_id", Read::Text(|a| a.rule_id.to_string())),
    Member("rule_version", Read::Text(|a| a.rule_version.to_string())),
    Member("title", Read::Text(|a| a.title.to_string())),
    Member("level", Read::Text(|a| a.level.as_str().to_owned())),
    Member("risk", Read::Integer(|a| i32::from(a.risk))),
    Member("confidence", Read::Integer(|a| i32::from(a.confidence))),
    Member("tenant", Read::TextIf(|a| if_any(a.tenant.to_string()))),
    Member("group", Read::Json(Alert::write_group)),
    Member("first_seen", Read::Time(|a| a.first_seen)),
    Member("last_seen", Read::Time(|a| a.last_seen)),
    Member("triggered_at", Read::Time(|a| a.triggered_at)),
    Member("count", Read::Long(|a| a.count)),
    Member("values", Read::Json(Alert::write_values)),
    Member("entities", Read::Json(Alert::write_entities)),
    Member("attack", Read::Json(Alert::write_attack)),
    Member("state", Read::Text(|a| a.state.as_str().to_owned())),
    Member("evidence", Read::Json(Alert::write_evidence)),
    Member("evidence_total", Read::Long(|a| a.evidence_total)),
    Member("message", Read::Text(|a| a.message.clone())),
    Member("context", Read::Json(Alert::write_context)),
];

const REJECT: &[Member<RejectRecord>] = &[
    Member("received", Read::Time(|r| r.received_us)),
    Member("family", Read::Text(|r| r.reject.family.to_owned())),
    Member("label", Read::Text(|r| r.reject.kind.label().to_owned())),
    Member("reason", Read::Text(|r| r.reject.kind.to_string())),
    Member("byte", Read::Long(|r| r.reject.offset as u64)),
    Member("source", Read::Text(|r| r.source.to_string())),
    Member("partition", Read::Integer(|r| r.partition)),
    Member("offset", Read::Long(|r| r.offset)),
    Member("raw", Read::Text(|r| String::from_utf8_lossy(&r.raw).into_owned())),
    Member("raw_base64", Read::TextIf(RejectRecord::raw_base64)),
];

fn join(ids: &[AlertId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

fn if_any(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn schema_of<T>(members: &[Member<T>]) -> SchemaRef {
    let column = |Member(name, read): &Member<T>| {
        let data_type = match read {
            Read::Text(_) | Read::TextIf(_) | Read::Json(_) => DataType::Utf8,
            Read::Integer(_) => DataType::Int32,
            Read::Long(_) => DataType::Int64,
            Read::Time(_) => timestamp(),
        };
        Column::new(*name, data_type, true)
    };
    Arc::new(Schema::new(members.iter().map(column).collect::<Vec<_>>()))
}

fn convert<T>(members: &[Member<T>], schema: SchemaRef, documents: &[T]) -> RecordBatch {
    let each = documents.iter();
    let array = |Member(_, read): &Member<T>| -> ArrayRef {
        match read {
            Read::Text(read) => Arc::new(StringArray::from_iter_values(each.clone().map(read))),
            Read::TextIf(read) => Arc::new(StringArray::from_iter(each.clone().map(read))),
            Read::Json(write) => Arc::new(StringArray::from_iter_values(each.clone().map(|document| {
                let mut out = Vec::new();
                write(document, &mut out);
                String::from_utf8(out).expect("JSON is UTF-8")
            }))),
            Read::Integer(read) => Arc::new(Int32Array::from_iter_values(each.clone().map(read))),
            Read::Long(read) => Arc::new(Int64Array::from_iter_values(each.clone().map(|it| read(it) as i64))),
            Read::Time(read) => {
                Arc::new(TimestampMicrosecondArray::from_iter_values(each.clone().map(read)).with_timezone("UTC"))
            }
        }
    };
    RecordBatch::try_new(schema, members.iter().map(array).collect()).expect("the columns are built after the schema")
}

/// The columns of table `alerts`: the members of the canonical document.
pub fn alerts_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| schema_of(ALERT));
    Arc::clone(&SCHEMA)
}

/// Converts alerts. The columns are those of [`alerts_schema`].
pub fn alerts_to_record_batch(alerts: &[Alert]) -> RecordBatch {
    convert(ALERT, alerts_schema(), alerts)
}

/// The columns of table `rejects`: the members of a refused record's document.
pub fn rejects_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| schema_of(REJECT));
    Arc::clone(&SCHEMA)
}

/// Converts refused records. The columns are those of [`rejects_schema`].
pub fn rejects_to_record_batch(records: &[RejectRecord]) -> RecordBatch {
    convert(REJECT, rejects_schema(), records)
}
