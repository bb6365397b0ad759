//! Pass: from where the service at the server's end was reached, as this event shows it.
//!
//! Inside and outside come from the asset pass. Zones come from the inventory, and where it doesn't name both, from
//! the device. Between two outside addresses the device's own direction decides, if it says one: the sensor stands at
//! a perimeter whose networks nobody has configured.

use schemas::{Direction, EventKind, Exposure, Field, Flag, FlowBatch, Initiator, key};

use crate::{Pass, Tables};

/// See the module's text.
pub const PASS: Pass = Pass {
    name: "exposure",
    reads: &[
        Field::Kind,
        Field::SrcIp,
        Field::DstIp,
        Field::ClientIp,
        Field::SrcInternal,
        Field::DstInternal,
        Field::SrcAssetZone,
        Field::DstAssetZone,
        Field::SrcZone,
        Field::DstZone,
        Field::Direction,
    ],
    writes: &[Field::Exposure],
    run,
};

fn run(_: &Tables, batch: &mut FlowBatch) {
    for row in 0..batch.len() {
        if !matches!(batch.get(row, key::KIND), Some(EventKind::Flow | EventKind::Alert)) {
            continue;
        }
        let (Some(src), Some(dst)) = (batch.get(row, key::SRC_INTERNAL), batch.get(row, key::DST_INTERNAL)) else {
            continue;
        };
        let turned = batch.get(row, key::CLIENT_IP) != batch.get(row, key::SRC_IP);
        let client = if turned { Initiator::Destination } else { Initiator::Source };
        let exposure = match (client, src, dst) {
            (_, Flag::True, Flag::True) => within(batch, row),
            (_, Flag::False, Flag::False) => outside(batch, row),
            (Initiator::Source, Flag::False, Flag::True) | (Initiator::Destination, Flag::True, Flag::False) => {
                Some(Exposure::Internet)
            }
            (Initiator::Source, Flag::True, Flag::False) | (Initiator::Destination, Flag::False, Flag::True) => {
                Some(Exposure::Outbound)
            }
        };
        if let Some(exposure) = exposure {
            batch.set(row, key::EXPOSURE, exposure);
        }
    }
}

/// Both ends are ours. `None` where nobody names the zones.
fn within(batch: &FlowBatch, row: usize) -> Option<Exposure> {
    let same = |a: &[u8], b: &[u8]| if a.eq_ignore_ascii_case(b) { Exposure::SameZone } else { Exposure::CrossZone };
    if let (Some(a), Some(b)) = (batch.text(row, key::SRC_ASSET_ZONE), batch.text(row, key::DST_ASSET_ZONE)) {
        return Some(same(a, b));
    }
    Some(same(batch.text(row, key::SRC_ZONE)?, batch.text(row, key::DST_ZONE)?))
}

/// Neither end is known to be ours.
fn outside(batch: &FlowBatch, row: usize) -> Option<Exposure> {
    match batch.get(row, key::DIRECTION)? {
        Direction::Inbound => Some(Exposure::Internet),
        Direction::Outbound => Some(Exposure::Outbound),
        Direction::Internal | Direction::External => None,
    }
}
