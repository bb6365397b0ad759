//! Zeek: conn, ssh and rdp as streaming JSON with `_path` and times in ISO 8601, which are those of the first packet.

use super::{End, Flow};
use crate::demo::estate::{Side, User};
use crate::demo::text::{Ip, Pad, Put, Stamp, mix, put};

/// Something that a sensor of the inside networks says.
#[derive(Clone, Copy, Debug)]
pub(in crate::demo) enum Say {
    /// A finished connection; `service` is what was confirmed, empty if nothing was.
    Conn { flow: Flow, service: &'static str },
    /// An SSH session and how it ended.
    Ssh { flow: Flow, accepted: bool, attempts: u8 },
    /// The negotiation of a Remote Desktop session. It never tells whether the login went well.
    Rdp { flow: Flow, cookie: User },
}

struct Uid(u64);

impl Put for Uid {
    fn put(self, out: &mut Vec<u8>) {
        out.push(b'C');
        let mut rest = mix(self.0);
        for _ in 0..11 {
            out.push(b"abcdefghijkmnopqrstuvwxyzABCDEFGHIJKLMNPQRSTUVWXYZ123456789abcdef"[(rest & 63) as usize]);
            rest >>= 5;
        }
    }
}

fn head(us: u64, flow: &Flow, path: &str, out: &mut Vec<u8>) {
    put!(out; "{\"_path\":\"", path, "\",\"ts\":\"", Stamp::Micros(us), "Z\",\"uid\":\"", Uid(u64::from(flow.id) + 91));
    put!(out; "\",\"id.orig_h\":\"", Ip(flow.src), "\",\"id.orig_p\":", flow.src_port, ",\"id.resp_h\":\"");
    put!(out; Ip(flow.dst), "\",\"id.resp_p\":", flow.dst_port);
}

impl Say {
    pub(in crate::demo) fn write(&self, us: u64, salt: u64, out: &mut Vec<u8>) {
        match self {
            Say::Conn { flow, service } => {
                head(us, flow, "conn", out);
                put!(out; ",\"proto\":\"", if flow.udp { "udp\"" } else { "tcp\"" });
                if !service.is_empty() {
                    put!(out; ",\"service\":\"", *service, '"');
                }
                let (state, history) = match (flow.udp, flow.end) {
                    (true, End::Silent) => ("S0", "D"),
                    (true, _) => ("SF", "Dd"),
                    (false, End::Silent) => ("S0", "S"),
                    (false, End::Refused) => ("REJ", "Sr"),
                    (false, End::ClientReset) => ("RSTO", "ShADadR"),
                    (false, End::Closed) => ("SF", if salt & 1 == 0 { "ShADadFf" } else { "ShADadfF" }),
                };
                let (sent, received) = flow.packets();
                if !(flow.udp && matches!(flow.end, End::Silent)) {
                    put!(out; ",\"duration\":", flow.length_us / 1_000_000, '.', Pad(6, flow.length_us % 1_000_000));
                    put!(out; ",\"orig_bytes\":", flow.sent, ",\"resp_bytes\":", flow.received);
                }
                let local = |address| if Side::of(address) == Side::Outside { "false" } else { "true" };
                put!(out; ",\"conn_state\":\"", state, "\",\"local_orig\":", local(flow.src), ",\"local_resp\":");
                put!(out; local(flow.dst), ",\"missed_bytes\":0,\"history\":\"", history, "\",\"orig_pkts\":", sent);
                put!(out; ",\"orig_ip_bytes\":", flow.sent + 40 * sent, ",\"resp_pkts\":", received);
                put!(out; ",\"resp_ip_bytes\":", flow.received + 40 * received, '}');
            }
            Say::Ssh { flow, accepted, attempts } => {
                head(us, flow, "ssh", out);
                put!(out; ",\"version\":2,\"auth_success\":", if *accepted { "true" } else { "false" });
                put!(out; ",\"auth_attempts\":", *attempts, ",\"client\":\"SSH-2.0-OpenSSH_9.6\"");
                put!(out; ",\"server\":\"SSH-2.0-OpenSSH_9.2p1\",\"cipher_alg\":\"chacha20-poly1305@openssh.com\"}");
            }
            Say::Rdp { flow, cookie } => {
                head(us, flow, "rdp", out);
                let from = out.len() + ",\"cookie\":\"".len();
                put!(out; ",\"cookie\":\"", *cookie);
                // The protocol has room for nine letters.
                out.truncate(out.len().min(from + 9));
                put!(out; "\",\"result\":\"encrypted\",\"security_protocol\":\"HYBRID\",\"cert_count\":0}");
            }
        }
    }
}
