//! Arrow types to Delta's types, and nothing that Delta lacks.
//!
//! Delta has no unsigned numbers and one precision of time. A column of such a type is refused when the lake
//! is opened, rather than cast here: where a port becomes an INTEGER is the schema's business, once, not the
//! writer's for every row.

use arrow_schema::{DataType as Arrow, Field, Schema, TimeUnit};
use delta_kernel::schema::{DataType as Delta, StructField, StructType};

use super::error::LakeError;
use super::{PARTITION_COLUMN, Table};

/// The table's schema as the log keeps it: the columns, all nullable, then the partition column.
///
/// All nullable, because a NOT NULL column makes the kernel add the `invariants` feature, which not every
/// engine writes, and gains no reader anything.
pub(super) fn delta_schema(table: Table, schema: &Schema) -> Result<StructType, LakeError> {
    let mut fields = Vec::with_capacity(schema.fields().len() + 1);
    for field in data_fields(schema) {
        fields.push(StructField::nullable(field.name().as_str(), delta_type(table, field)?));
    }
    fields.push(StructField::nullable(PARTITION_COLUMN, Delta::DATE));
    StructType::try_new(fields).map_err(|error| LakeError::Schema {
        table,
        column: "*".to_owned(),
        expected: "different names".to_owned(),
        found: error.to_string(),
    })
}

/// The columns that go into the files.
pub(super) fn data_fields(schema: &Schema) -> impl Iterator<Item = &Field> {
    schema.fields().iter().map(AsRef::as_ref).filter(|field: &&Field| field.name() != PARTITION_COLUMN)
}

fn delta_type(table: Table, field: &Field) -> Result<Delta, LakeError> {
    scalar_type(field.data_type()).ok_or_else(|| LakeError::Schema {
        table,
        column: field.name().clone(),
        expected: "a type of the lake's columns (BOOLEAN, INTEGER, LONG, STRING, TIMESTAMP)".to_owned(),
        found: field.data_type().to_string(),
    })
}

fn scalar_type(arrow: &Arrow) -> Option<Delta> {
    match arrow {
        Arrow::Boolean => Some(Delta::BOOLEAN),
        Arrow::Int32 => Some(Delta::INTEGER),
        Arrow::Int64 => Some(Delta::LONG),
        Arrow::Utf8 => Some(Delta::STRING),
        Arrow::Dictionary(_, value) if is_text(value) => Some(Delta::STRING),
        Arrow::Timestamp(TimeUnit::Microsecond, Some(zone)) if zone.as_ref() == "UTC" => Some(Delta::TIMESTAMP),
        _ => None,
    }
}

/// Whether a column of this type is text, in whichever of Arrow's layouts.
pub(super) fn is_text(arrow: &Arrow) -> bool {
    match arrow {
        Arrow::Utf8 => true,
        Arrow::Dictionary(_, value) => is_text(value),
        _ => false,
    }
}
