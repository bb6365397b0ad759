//! Which fields exist, what each means and how it is stored.
//!
//! One table (`fields.rs`) lists every field once; columns, accessors, names, Arrow schema and JSON
//! writers are derived from it. An event of any log family is one row of a [`FlowBatch`], a block of
//! typed columns that borrows its text from the received bytes, so that parsing copies nothing.
//!
//! This crate knows no vendor, no rule and no file. Its types are not serialised as they are: formats
//! are written field by field in `json`, `ecs` and `ocsf`, so that a refactoring can't change a format.

pub mod alert;
pub mod arrow;
mod batch;
mod columns;
pub mod digits;
pub mod ecs;
mod fields;
mod followers;
pub mod json;
mod kinds;
mod mask;
mod names;
pub mod object;
pub mod ocsf;
mod quarantine;
mod reject;
mod row;
mod tree;
mod words;
pub mod write;

pub use alert::{Alert, AlertId, AlertValue, Attack, Entity, EntityKind, Evidence};
pub use batch::{Column, Extra, FlowBatch, LogSource, Place, Plausible, Span, TextColumn};
pub use digits::{parse_decimal, parse_port, parse_u64};
pub use fields::{FIELD_COUNT, Field, FieldType, key};
pub use kinds::{Ip, Key, Kind as FieldKind, Percent};
pub use mask::Mask;
pub use names::{LogSourceRef, UnknownName, nearest, resolve};
pub use quarantine::RejectRecord;
pub use reject::{RefusedPart, Reject, RejectKind};
pub use row::{
    EVENTS_PER_MESSAGE_MAX, EVENTS_PER_RECORD_MAX, Position, Row, Shared, TEXTS_AT_LEAST, TEXTS_PER_BYTE_MAX,
};
pub use words::*;
