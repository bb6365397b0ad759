//! The filtering platform: connections, packets, listeners and binds that the host's own firewall let through or stopped.

use schemas::{Action, Direction, EventKind, Field as Column, Initiator, Ip, PortState, Row, Transport, key};

use super::FILTERING;
use super::accounts::called;
use crate::lex::text::port;
use crate::lex::winevent::{Field, Slot, WinEvent};
use crate::windows::{Fault, process_id, program, put};

/// One end of a connection as the event writes it.
struct End<'a> {
    address: Field<'a>,
    port: Field<'a>,
}

impl<'a> End<'a> {
    fn write(&self, row: &mut Row<'_>, columns: (Column, Column)) -> Result<(), Fault<'a>> {
        match self.address.raw() {
            // Bound to every address: that is no address.
            any @ (b"0.0.0.0" | b"::") => row.extra_fixed("SourceAddress", any),
            _ => put(row, columns.0, self.address)?,
        }
        put(row, columns.1, self.port)
    }

    /// Whether it can only be an end on this host: unset, broadcast, multicast.
    fn is_near(&self) -> bool {
        match Ip::parse(self.address.raw()).map(Ip::to_std) {
            Some(core::net::IpAddr::V4(ip)) => ip.is_unspecified() || ip.is_broadcast() || ip.is_multicast(),
            Some(core::net::IpAddr::V6(ip)) => ip.is_unspecified() || ip.is_multicast(),
            None => false,
        }
    }

    fn is_served(&self) -> bool {
        port(self.port.raw()).is_some_and(|port| port < 49_152)
    }
}

const SOURCE: (Column, Column) = (Column::SrcIp, Column::SrcPort);
const DESTINATION: (Column, Column) = (Column::DstIp, Column::DstPort);

pub(super) fn filtering<'a>(code: u32, event: &mut WinEvent<'a>, row: &mut Row<'_>) -> Result<(), Fault<'a>> {
    row.log_source(&FILTERING);
    let protocol = event.take(Slot::Protocol);
    let transport = Transport::parse(protocol.raw());
    row.set_opt(key::TRANSPORT, transport);
    let path = event.take(Slot::Application);
    program(row, path);
    // NXLog puts the logger's own number where the program's stood; then a thread number is beside it.
    let overwritten = !event.peek(Slot::ThreadId).is_absent() && event.peek(Slot::SystemProcess).is_absent();
    let pid = event.first(&[Slot::ProcessId, Slot::ProcessID]);
    if !overwritten {
        process_id(row, pid);
    }
    row.set(key::ACTION, if matches!(code, 5154 | 5156 | 5158) { Action::Allow } else { Action::Deny });
    let first = End { address: event.take(Slot::SourceAddress), port: event.take(Slot::SourcePort) };
    if matches!(code, 5154 | 5155 | 5158 | 5159) {
        // The only end is the local one.
        if code == 5154 {
            row.set(key::KIND, EventKind::Listener);
            row.set(key::PORT_STATE, PortState::Open);
            called(event, row);
            return first.write(row, DESTINATION);
        }
        row.set(key::KIND, EventKind::Other);
        return first.write(row, SOURCE);
    }
    row.set(key::KIND, EventKind::Flow);
    let second = End { address: event.take(Slot::DestAddress), port: event.take(Slot::DestPort) };
    let direction = event.take(Slot::Direction);
    let inbound = match direction.raw() {
        b"%%14592" | b"Inbound" => true,
        b"%%14593" | b"Outbound" => false,
        _ => event.peek(Slot::LayerName).raw() == b"%%14610",
    };
    if !inbound {
        row.set(key::DIRECTION, Direction::Outbound);
        row.set(key::INITIATOR, Initiator::Source);
        first.write(row, SOURCE)?;
        return second.write(row, DESTINATION);
    }
    row.set(key::DIRECTION, Direction::Inbound);
    // Builds differ in which end they write first: what can only be local decides, then the served port.
    let (near, served) = ((first.is_near(), second.is_near()), (first.is_served(), second.is_served()));
    let sure = near.0 != near.1 || served.0 != served.1;
    let local_first = match (near, served) {
        // A broadcast from a host without an address: in the order of the packet.
        ((true, true), _) => false,
        ((true, false), _) => true,
        ((false, true), _) => false,
        (_, (true, false)) => true,
        (_, (false, true)) => false,
        _ => code != 5152,
    };
    let (near, far) = if local_first { (first, second) } else { (second, first) };
    far.write(row, SOURCE)?;
    near.write(row, DESTINATION)?;
    if sure {
        row.set(key::INITIATOR, Initiator::Source);
        if transport == Some(Transport::TCP) {
            row.set(key::PORT_STATE, if code == 5156 { PortState::Open } else { PortState::Filtered });
        }
    }
    Ok(())
}
