//! A batch of events as an Arrow record batch, for the lake and for engines that take Arrow.
//!
//! Only types that Delta Lake has: times TIMESTAMP (microseconds, UTC), counters LONG, ports and percentages INTEGER,
//! flags BOOLEAN, all else STRING: addresses in their canonical text, lists joined by `,`, the extras as one JSON object
//! and provenance as `source`, `partition`, `offset`, `sub`. The columns are the same for every batch, in the table's order.
//!
//! Two layouts of STRING are used. Words, and texts that enrichers and families set to a kept span again and again, are
//! dictionary arrays: an index a row, whose text is copied once a batch. Texts that lie in the received line are plain
//! arrays, because telling equal texts apart would cost more than copying them. A Parquet file has the same columns
//! either way, if the writer leaves out the Arrow schema. Views into the received block would save the copy but be
//! validated value by value, which costs more than one check of a whole column.

mod columns;
mod documents;

use std::sync::{Arc, LazyLock};

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, Field as Column, Schema, SchemaRef, TimeUnit};

pub use self::columns::TEXT_MAX;
pub use self::documents::{alerts_schema, alerts_to_record_batch, rejects_schema, rejects_to_record_batch};
use crate::batch::FlowBatch;
use crate::fields::{Field, FieldType};

/// Whether the received line goes into the lake, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RawLine {
    /// Only its place, by which it can be found in the topic or file while that lasts.
    #[default]
    Dropped,
    /// As column `raw`, in the first row of each record; bytes that are not UTF-8 become U+FFFD.
    Kept,
}

/// The columns of table `flows`.
pub fn flows_schema(raw: RawLine) -> SchemaRef {
    static SCHEMAS: LazyLock<[SchemaRef; 2]> = LazyLock::new(|| [RawLine::Dropped, RawLine::Kept].map(build_schema));
    Arc::clone(&SCHEMAS[raw as usize])
}

fn build_schema(raw: RawLine) -> SchemaRef {
    let mut columns: Vec<Column> =
        Field::ALL.iter().map(|field| Column::new(field.name(), data_type(*field), true)).collect();
    columns.push(Column::new("extras", DataType::Utf8, true));
    columns.push(Column::new("source", dictionary(), true));
    columns.push(Column::new("partition", DataType::Int32, true));
    columns.push(Column::new("offset", DataType::Int64, true));
    columns.push(Column::new("sub", DataType::Int32, true));
    if raw == RawLine::Kept {
        columns.push(Column::new("raw", DataType::Utf8, true));
    }
    Arc::new(Schema::new(columns))
}

fn dictionary() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC")))
}

/// The Arrow type of a field's column.
fn data_type(field: Field) -> DataType {
    match field.field_type() {
        FieldType::Time => timestamp(),
        FieldType::Long => DataType::Int64,
        FieldType::Port | FieldType::Percent => DataType::Int32,
        kind @ FieldType::Word(_) => {
            if kind.is_flag() {
                DataType::Boolean
            } else {
                dictionary()
            }
        }
        FieldType::Text if is_kept(field) => dictionary(),
        FieldType::Ip | FieldType::Text | FieldType::List => DataType::Utf8,
    }
}

/// Whether a field's texts are mostly set from a few kept spans, rather than found in the line.
fn is_kept(field: Field) -> bool {
    use Field::*;
    matches!(
        field,
        Family
            | Vendor
            | Product
            | Dataset
            | Tenant
            | AuthMethod
            | Service
            | ServiceMismatch
            | ServiceCategory
            | SrcAsset
            | SrcRole
            | SrcOwner
            | SrcAssetZone
            | SrcCountry
            | SrcAsOrg
            | DstAsset
            | DstRole
            | DstOwner
            | DstAssetZone
            | DstCountry
            | DstAsOrg
    )
}

/// Converts a sealed batch. The columns are those of [`flows_schema`].
///
/// A column that no row has costs a reference count. A text longer than [`TEXT_MAX`] is cut.
pub fn to_record_batch(batch: &FlowBatch, raw: RawLine) -> RecordBatch {
    let schema = flows_schema(raw);
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for (field, column) in Field::ALL.iter().zip(schema.fields()) {
        arrays.push(columns::of_field(batch, *field, column.data_type()));
    }
    arrays.push(columns::extras(batch));
    arrays.push(columns::constant(batch.source(), batch.len()));
    arrays.push(columns::integers(std::iter::repeat_n(batch.partition(), batch.len())));
    arrays.push(columns::longs(batch.offsets()));
    arrays.push(columns::integers(batch.subs().iter().map(|sub| i32::from(*sub))));
    if raw == RawLine::Kept {
        arrays.push(columns::raw(batch));
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.len()));
    RecordBatch::try_new_with_options(schema, arrays, &options).expect("the columns are built after the schema")
}
