//! Alerts as comma-separated values, without a header line: which column is which is told by what stands in them.
//!
//! Snort 3 writes `, ` between its columns and the packet's side of the session in the sixth; Snort 2 and pfSense write
//! generator, signature and revision as three numbers after the time.

use schemas::{RejectKind, Row, key};

use super::{Alert, Slot};
use crate::lex::buffer::with_buffer;
use crate::lex::csv::{self, Column};
use crate::lex::text::decimal;
use crate::{Record, Refusal};

/// Snort 3, the default of `alert_csv`.
const SNORT_3: &[Slot] = &[
    Slot::Timestamp,
    Slot::PacketNumber,
    Slot::Proto,
    Slot::PacketKind,
    Slot::PacketLength,
    Slot::Direction,
    Slot::SrcAp,
    Slot::DstAp,
    Slot::Rule,
    Slot::Action,
];

/// What Snort 2 and pfSense have in common.
const COMMON: &[Slot] = &[
    Slot::Timestamp,
    Slot::Gid,
    Slot::Sid,
    Slot::Rev,
    Slot::Msg,
    Slot::Proto,
    Slot::SrcAddr,
    Slot::SrcPort,
    Slot::DstAddr,
    Slot::DstPort,
];

/// The rest of Snort 2's `default`. Source: the Snort 2 manual, section 2.6.
const SNORT_2: &[Slot] = &[
    Slot::EthSrc,
    Slot::EthDst,
    Slot::EthLen,
    Slot::TcpFlags,
    Slot::TcpSeq,
    Slot::TcpAck,
    Slot::TcpLen,
    Slot::TcpWin,
    Slot::Ttl,
    Slot::Tos,
    Slot::IpId,
    Slot::PacketLength,
    Slot::IpLen,
    Slot::IcmpType,
    Slot::IcmpCode,
    Slot::IcmpId,
    Slot::IcmpSeq,
];

/// The rest of pfSense's: the last two only where it may block.
const PFSENSE: &[Slot] = &[Slot::IpId, Slot::Class, Slot::Priority, Slot::Action, Slot::Disposition];

const COLUMNS_MAX: usize = 32;

/// Whether what follows the time and its comma is an alert's.
pub(super) fn is_alert(rest: &[u8]) -> bool {
    let mut columns = csv::columns(&rest[..rest.len().min(256)]).map(|column| column.value.trim_ascii());
    let mut is_number = || columns.next().is_some_and(|column| decimal(column).is_some());
    if !is_number() {
        return false;
    }
    let (second, third, fourth, fifth) = (columns.next(), columns.next(), columns.next(), columns.next());
    let is_number = |column: Option<&[u8]>| column.is_some_and(|column| decimal(column).is_some());
    match (second, fifth) {
        (Some(_), Some(b"C2S" | b"S2C" | b"UNK" | b"")) => is_number(fourth),
        (Some(_), Some(_)) => is_number(second) && is_number(third),
        _ => false,
    }
}

/// Reads the columns into their slots.
pub(super) fn read<'a>(record: &Record<'a>, alert: &mut Alert<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
    let mut columns = [Column::EMPTY; COLUMNS_MAX];
    let count = csv::split(record.body, &mut columns).min(COLUMNS_MAX);
    let value = |at: usize| unquote_after_blank(columns[at].value);
    let three = count <= SNORT_3.len() + 2 && decimal(value(3)).is_none();
    let layouts: [&[Slot]; 2] = match (three, count) {
        (true, _) => [SNORT_3, &[]],
        (false, 20..) => [COMMON, SNORT_2],
        (false, _) => [COMMON, PFSENSE],
    };
    let needed = layouts[0].len();
    if count < needed {
        return Err(Refusal {
            at: record.body.len(),
            kind: RejectKind::Missing { what: "columns up to the two ends of the packet" },
        });
    }
    for (at, slot) in layouts.into_iter().flatten().enumerate().take_while(|(at, _)| *at < count) {
        if columns[at].doubled {
            if *slot == Slot::Msg {
                with_buffer(|text| {
                    csv::undouble(columns[at].value, text);
                    row.text(key::SIGNATURE, text);
                });
            }
        } else {
            alert.put(*slot, value(at));
        }
    }
    Ok(())
}

/// After `, ` a quoted value still has its quotes: the lexer knows only those at a column's first byte.
fn unquote_after_blank(text: &[u8]) -> &[u8] {
    let trimmed = text.trim_ascii();
    match trimmed {
        [b'"', inside @ .., b'"'] if text.first() == Some(&b' ') => inside,
        _ => trimmed,
    }
}
