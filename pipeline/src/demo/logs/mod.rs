//! What devices say, and each device's way of saying it.
//!
//! An [`Event`] is a small value; its text is made when its turn to arrive has come. So the queue of what is still to
//! come holds no text, and the details that nobody plans (a connection's port after translation, a ticket's options)
//! come from the event's own random `salt`, whatever else happens at the same time.

use super::generate::Stream;

pub(super) mod asa;
pub(super) mod fortigate;
pub(super) mod linux;
pub(super) mod suricata;
pub(super) mod windows;
pub(super) mod zeek;

/// One conversation, as all sensors on its way see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow {
    pub(super) src: u32,
    pub(super) src_port: u16,
    pub(super) dst: u32,
    pub(super) dst_port: u16,
    pub(super) udp: bool,
    pub(super) end: End,
    /// Octets from the client and from the server.
    pub(super) sent: u32,
    pub(super) received: u32,
    /// How long it lasts.
    pub(super) length_us: u32,
    /// Its number, the same in all records of one device.
    pub(super) id: u32,
}

/// How a conversation ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// In peace.
    Closed,
    /// The client aborted after data.
    ClientReset,
    /// The server refused at once.
    Refused,
    /// Nobody answered.
    Silent,
}

impl Flow {
    /// A TCP conversation that goes well; the rest is set with the struct's own syntax.
    pub(super) fn tcp(src: u32, src_port: u16, dst: u32, dst_port: u16) -> Flow {
        Flow {
            src,
            src_port,
            dst,
            dst_port,
            udp: false,
            end: End::Closed,
            sent: 1400,
            received: 5200,
            length_us: 400_000,
            id: 0,
        }
    }

    /// Packets from the client and from the server, as the octets and the end make likely.
    pub(super) fn packets(&self) -> (u32, u32) {
        match self.end {
            End::Silent => (if self.udp { 1 } else { 3 }, 0),
            End::Refused => (1, 1),
            End::Closed | End::ClientReset if self.udp => (1 + self.sent / 900, 1 + self.received / 1200),
            End::Closed | End::ClientReset => (5 + self.sent / 900, 4 + self.received / 1300),
        }
    }
}

/// One record that a device writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    /// When it reaches the collector.
    pub(super) arrival_us: u64,
    /// The time that stands in it, before it is cut to the format's resolution.
    pub(super) time_us: u64,
    pub(super) salt: u64,
    pub(super) what: What,
}

/// Who says what.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    Asa(asa::Say),
    FortiGate(fortigate::Say),
    Suricata(suricata::Say),
    Zeek(zeek::Say),
    Windows(windows::Say),
    Linux(linux::Say),
}

impl Event {
    /// Appends its line, without an end of line. Gives its stream and the time that stands in it.
    pub(super) fn write(&self, out: &mut Vec<u8>) -> (Stream, u64) {
        let (us, salt) = (self.time_us, self.salt);
        match &self.what {
            What::Asa(say) => {
                say.write(us, salt, out);
                (Stream::Asa, us / 1_000_000 * 1_000_000)
            }
            What::FortiGate(say) => {
                say.write(us, salt, out);
                (Stream::FortiGate, us)
            }
            What::Suricata(say) => {
                say.write(us, salt, out);
                (Stream::Suricata, us)
            }
            What::Zeek(say) => {
                say.write(us, salt, out);
                (Stream::Zeek, us)
            }
            What::Windows(say) => {
                say.write(us, salt, out);
                (Stream::Windows, us / 1000 * 1000)
            }
            What::Linux(say) => {
                say.write(us, salt, out);
                (Stream::Linux, if linux::precise(say.host) { us } else { us / 1_000_000 * 1_000_000 })
            }
        }
    }
}
