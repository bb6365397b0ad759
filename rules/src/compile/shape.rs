//! What the scan reads from a matched event: its group key, its values, its context, each in the form that its tree wants.

use schemas::{Field, FieldType};

use super::names::Source;

/// Columns whose values a hit brings along for the alert's entities and its context.
pub const CONTEXT: [Field; 29] = [
    Field::SrcIp,
    Field::SrcPort,
    Field::SrcHost,
    Field::SrcAsset,
    Field::SrcRole,
    Field::SrcOwner,
    Field::SrcCriticality,
    Field::SrcAssetZone,
    Field::DstIp,
    Field::DstPort,
    Field::DstHost,
    Field::DstAsset,
    Field::DstRole,
    Field::DstOwner,
    Field::DstCriticality,
    Field::DstAssetZone,
    Field::User,
    Field::SrcUser,
    Field::Host,
    Field::HostIp,
    Field::Service,
    Field::ServiceConfidence,
    Field::ServiceMismatch,
    Field::OrientationConfidence,
    Field::Exposure,
    Field::Signature,
    Field::DnsQuery,
    Field::ProcessPath,
    Field::SrcCountry,
];

/// What the scan reads from an event that matched some leaves of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The leaves: bit and document.
    pub leaves: Vec<(u8, usize)>,
    /// One source for each part of the group key.
    pub key: Vec<Extract>,
    /// For each value slot its sources; `None` where the leaves have no part in it.
    pub slots: Vec<Option<Vec<Extract>>>,
    /// The same for each inner key.
    pub inner: Vec<Option<Vec<Extract>>>,
    /// What becomes of an event that lacks a part of the key.
    pub lacking: Lacking,
}

/// What becomes of an event that lacks a part of its group key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lacking {
    /// It is not counted: unrelated events must not meet in a group of those that lack a field.
    Dropped,
    /// It keeps its alert, with that part absent: a detection alone counts nothing that could be falsified.
    Kept,
}

/// A value to be read from an event, and the form that the tree wants it in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extract {
    /// Where it lies.
    pub source: Source,
    /// The form.
    pub form: Form,
}

/// The form of a value, so that values of different logs meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As its column has it.
    Own,
    /// Text without case: users and hosts.
    Folded,
    /// An address where the text is one, because another leaf has an address here.
    Address,
    /// A number where the text is one, because another leaf has a number here.
    Number,
}

/// Chooses forms for one part over all leaves; tells whether their types differ.
pub fn align<'s>(extracts: impl Iterator<Item = &'s mut Extract>) -> bool {
    let mut extracts: Vec<&mut Extract> = extracts.collect();
    let has = |wanted: fn(FieldType) -> bool| extracts.iter().any(|extract| wanted(extract.source.field_type()));
    let address = has(|kind| matches!(kind, FieldType::Ip));
    let number = has(|kind| matches!(kind, FieldType::Long | FieldType::Port | FieldType::Percent));
    let text = has(|kind| matches!(kind, FieldType::Text | FieldType::List));
    for extract in &mut extracts {
        if matches!(extract.source.field_type(), FieldType::Text | FieldType::List) {
            if address {
                extract.form = Form::Address;
            } else if number {
                extract.form = Form::Number;
            }
        }
    }
    usize::from(address) + usize::from(number) + usize::from(text) > 1
}

impl Extract {
    /// In the form that suits its column.
    pub fn new(source: Source) -> Extract {
        let folded = matches!(
            source.field(),
            Some(
                Field::User
                    | Field::UserDomain
                    | Field::SrcUser
                    | Field::SrcUserDomain
                    | Field::Host
                    | Field::SrcHost
                    | Field::DstHost
                    | Field::HttpHost
                    | Field::DnsQuery
                    | Field::TlsSni
                    | Field::SrcMac
                    | Field::DstMac
            )
        );
        Extract { source, form: if folded { Form::Folded } else { Form::Own } }
    }
}
