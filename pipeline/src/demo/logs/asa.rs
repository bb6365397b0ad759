//! Cisco ASA: two firewalls, `fw-edge-1` before the internet and the DMZ, `fw-dc-1` between the inside networks.
//!
//! The endpoints of a Built line stand in the order that the word `inbound` or `outbound` decides, as on the device:
//! the first endpoint is that on the interface of lower security when it is outbound, and the client when inbound.

use super::{End, Flow};
use crate::demo::estate::{Side, User, ip};
use crate::demo::text::{Hex, Ip, Pad, Put, Stamp, put};

/// Something that a firewall says.
#[derive(Clone, Copy, Debug)]
pub(in crate::demo) enum Say {
    /// 302013 or 302015.
    Built(Flow),
    /// 302014 or 302016.
    Teardown(Flow),
    /// 106023, refused by a list.
    Denied(Flow),
    /// 106100, refused by a list that counts.
    DeniedCounted(Flow, u16),
    /// 106015, a packet that belongs to nothing.
    Stray(Flow),
    /// 710003, refused at the firewall itself.
    DeniedHere(Flow),
    /// 605005, an administrator on the firewall.
    Login { user: User, src: u32, src_port: u16 },
    /// 716038 or 716039, remote access by VPN.
    Vpn { user: User, src: u32, accepted: bool },
}

/// What the internet dials for a host of the DMZ.
fn published(address: u32) -> u32 {
    ip(203, 0, 113, address as u8)
}

struct Ends<'a>(&'a Flow, u64, bool);

impl Ends<'_> {
    fn outbound(flow: &Flow) -> bool {
        Side::of(flow.src).level() > Side::of(flow.dst).level()
    }

    fn pair(address: u32, port: u16, out: &mut Vec<u8>) {
        put!(out; Side::of(address).name(), ':', Ip(address), '/', port);
    }
}

impl Put for Ends<'_> {
    fn put(self, out: &mut Vec<u8>) {
        let Ends(flow, salt, mapped) = self;
        let (from, to) = (Side::of(flow.src), Side::of(flow.dst));
        // The pair after translation: many inside addresses behind one outside, one to one for the DMZ.
        let source = match (from, to) {
            (Side::Dmz, Side::Outside) => (published(flow.src), flow.src_port),
            (_, Side::Outside) => (ip(203, 0, 113, 3 + (flow.src & 1) as u8), 1024 + (salt % 64_000) as u16),
            _ => (flow.src, flow.src_port),
        };
        let target = match (from, to) {
            (Side::Outside, Side::Dmz) => (published(flow.dst), flow.dst_port),
            _ => (flow.dst, flow.dst_port),
        };
        let (first, second) = if Ends::outbound(flow) {
            ((flow.dst, flow.dst_port, target), (flow.src, flow.src_port, source))
        } else {
            ((flow.src, flow.src_port, source), (flow.dst, flow.dst_port, target))
        };
        Ends::pair(first.0, first.1, out);
        if mapped {
            put!(out; " (", Ip(first.2.0), '/', first.2.1, ')');
        }
        put!(out; " to ");
        Ends::pair(second.0, second.1, out);
        if mapped {
            put!(out; " (", Ip(second.2.0), '/', second.2.1, ')');
        }
    }
}

fn transport(flow: &Flow) -> &'static str {
    if flow.udp { "udp" } else { "tcp" }
}

fn list(flow: &Flow) -> &'static str {
    match Side::of(flow.src) {
        Side::Outside => "OUTSIDE_IN",
        Side::Dmz => "DMZ_IN",
        Side::Branch => "BRANCH_IN",
        Side::Servers => "SERVERS_IN",
        Side::Inside => "INSIDE_IN",
    }
}

fn header(us: u64, edge: bool, level: u8, id: u32, out: &mut Vec<u8>) {
    let name = if edge { " fw-edge-1 : %ASA-" } else { " fw-dc-1 : %ASA-" };
    put!(out; '<', 160 + u32::from(level), '>', Stamp::BsdYear(us), name, level, '-', id, ": ");
}

fn on_edge(flow: &Flow) -> bool {
    let outer = |address| matches!(Side::of(address), Side::Outside | Side::Dmz);
    outer(flow.src) || outer(flow.dst)
}

impl Say {
    pub(in crate::demo) fn write(&self, us: u64, salt: u64, out: &mut Vec<u8>) {
        match self {
            Say::Built(flow) => {
                header(us, on_edge(flow), 6, if flow.udp { 302_015 } else { 302_013 }, out);
                let way = if Ends::outbound(flow) { "outbound " } else { "inbound " };
                let name = if flow.udp { "UDP" } else { "TCP" };
                put!(out; "Built ", way, name, " connection ", flow.id, " for ", Ends(flow, salt, true));
            }
            Say::Teardown(flow) => {
                header(us, on_edge(flow), 6, if flow.udp { 302_016 } else { 302_014 }, out);
                let second = flow.length_us / 1_000_000;
                let name = if flow.udp { "UDP" } else { "TCP" };
                put!(out; "Teardown ", name, " connection ", flow.id, " for ", Ends(flow, salt, false));
                put!(out; " duration ", second / 3600, ':', Pad(2, second / 60 % 60), ':', Pad(2, second % 60));
                put!(out; " bytes ", flow.sent + flow.received);
                if !flow.udp {
                    // I and O are sides of the firewall, not roles.
                    let client_inside = Ends::outbound(flow);
                    put!(out; match (flow.end, client_inside) {
                        (End::Closed, _) => " TCP FINs",
                        (End::Silent, _) => " SYN Timeout",
                        (End::ClientReset, true) | (End::Refused, false) => " TCP Reset-I",
                        (End::ClientReset, false) | (End::Refused, true) => " TCP Reset-O",
                    });
                }
            }
            Say::Denied(flow) => {
                header(us, on_edge(flow), 4, 106_023, out);
                put!(out; "Deny ", transport(flow), " src ", Side::of(flow.src).name(), ':', Ip(flow.src), '/', flow.src_port);
                put!(out; " dst ", Side::of(flow.dst).name(), ':', Ip(flow.dst), '/', flow.dst_port);
                put!(out; " by access-group \"", list(flow), "\" [0x0, 0x0]");
            }
            Say::DeniedCounted(flow, hits) => {
                header(us, on_edge(flow), 6, 106_100, out);
                put!(out; "access-list ", list(flow), " denied ", transport(flow), ' ', Side::of(flow.src).name(), '/');
                put!(out; Ip(flow.src), '(', flow.src_port, ") -> ", Side::of(flow.dst).name(), '/', Ip(flow.dst), '(');
                put!(out; flow.dst_port, ") hit-cnt ", *hits);
                put!(out; if *hits == 1 { " first hit" } else { " 300-second interval" });
                put!(out; " [0xe2bf0f6c, 0x", Hex(salt & 0xffff_ffff), ']');
            }
            Say::Stray(flow) => {
                header(us, true, 6, 106_015, out);
                let flags = ["RST", "FIN ACK", "ACK", "RST ACK"][(salt & 3) as usize];
                put!(out; "Deny TCP (no connection) from ", Ip(flow.src), '/', flow.src_port, " to ", Ip(flow.dst), '/');
                put!(out; flow.dst_port, " flags ", flags, "  on interface outside");
            }
            Say::DeniedHere(flow) => {
                header(us, true, 3, 710_003, out);
                put!(out; "TCP access denied by ACL from ", Ip(flow.src), '/', flow.src_port, " to outside:");
                put!(out; Ip(flow.dst), '/', flow.dst_port);
            }
            Say::Login { user, src, src_port } => {
                header(us, true, 6, 605_005, out);
                put!(out; "Login permitted from ", Ip(*src), '/', *src_port, " to inside:10.0.0.1/ssh for user \"");
                put!(out; *user, '"');
            }
            Say::Vpn { user, src, accepted } => {
                header(us, true, 6, if *accepted { 716_038 } else { 716_039 }, out);
                put!(out; "Group <staff> User <", *user, "> IP <", Ip(*src), "> Authentication: ");
                put!(out; if *accepted { "successful" } else { "rejected" }, ", Session Type: WebVPN.");
            }
        }
    }
}
