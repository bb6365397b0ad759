//! FortiGate: two branch firewalls in UTC+1, traffic, web filter and events as key=value.

use super::{End, Flow};
use crate::demo::estate::{Host, Name, Side, User, ip};
use crate::demo::text::{Ip, Stamp, put};

/// Something that a branch's firewall says.
#[derive(Clone, Copy, Debug)]
pub(in crate::demo) enum Say {
    /// End of a session, or a refusal where the flow was `Refused` by policy (`denied`).
    Traffic { flow: Flow, client: Host, user: Option<User>, denied: bool },
    /// A page that the web filter let through or stopped.
    Web { flow: Flow, site: u16, blocked: bool },
    /// An administrator on the firewall itself.
    Admin { user: User, src: u32, src_port: u16, accepted: bool },
}

const SITES: [&str; 8] = ["www", "cdn", "api", "mail", "static", "update", "img", "news"];

fn branch(address: u32) -> u8 {
    (address >> 8) as u8 & 1
}

fn header(us: u64, branch: u8, log_id: &str, out: &mut Vec<u8>) {
    let (name, serial) =
        if branch == 0 { ("FGT-BR-01", "FG100FTK20001001") } else { ("FGT-BR-02", "FG100FTK20001038") };
    put!(out; "<189>", Stamp::Pairs(us + 3_600_000_000), " devname=\"", name, "\" devid=\"", serial);
    put!(out; "\" eventtime=", us * 1000 + 417, " tz=\"+0100\" logid=\"", log_id, '"');
}

fn ends(flow: &Flow, out: &mut Vec<u8>) {
    let outer = Side::of(flow.dst) == Side::Outside;
    put!(out; " srcip=", Ip(flow.src), " srcport=", flow.src_port, " srcintf=\"lan\" srcintfrole=\"lan\" dstip=");
    put!(out; Ip(flow.dst), " dstport=", flow.dst_port);
    put!(out; if outer { " dstintf=\"wan1\" dstintfrole=\"wan\"" } else { " dstintf=\"vpn-dc\" dstintfrole=\"undefined\"" });
    put!(out; " sessionid=", flow.id, " proto=", if flow.udp { 17u8 } else { 6 });
}

fn service(flow: &Flow, out: &mut Vec<u8>) {
    put!(out; " service=\"");
    match (flow.dst_port, flow.udp) {
        (443, false) => put!(out; "HTTPS"),
        (443, true) => put!(out; "udp/443"),
        (53, _) => put!(out; "DNS"),
        (123, _) => put!(out; "NTP"),
        (445, _) => put!(out; "SMB"),
        (993, _) => put!(out; "IMAPS"),
        (port, true) => put!(out; "udp/", port),
        (port, false) => put!(out; "tcp/", port),
    }
    put!(out; '"');
}

impl Say {
    pub(in crate::demo) fn write(&self, us: u64, salt: u64, out: &mut Vec<u8>) {
        match self {
            Say::Traffic { flow, client, user, denied } => {
                header(us, branch(flow.src), "0000000013", out);
                put!(out; " type=\"traffic\" subtype=\"forward\" level=\"notice\" vd=\"root\"");
                ends(flow, out);
                if *denied {
                    put!(out; " action=\"deny\" policyid=0 policytype=\"policy\"");
                    service(flow, out);
                    put!(out; " trandisp=\"noop\" duration=0 sentbyte=0 rcvdbyte=0 sentpkt=0 rcvdpkt=0");
                    put!(out; " appcat=\"unscanned\" crscore=30 craction=131072 crlevel=\"high\"");
                    return;
                }
                let action = match (flow.udp, flow.end) {
                    (true, _) => "accept",
                    (false, End::Closed) => "close",
                    (false, End::ClientReset) => "client-rst",
                    (false, End::Refused) => "server-rst",
                    (false, End::Silent) => "timeout",
                };
                let outer = Side::of(flow.dst) == Side::Outside;
                put!(out; " action=\"", action, "\" policyid=", if outer { 3u8 } else { 7 });
                put!(out; " policytype=\"policy\" policyname=\"", if outer { "lan-to-internet\"" } else { "lan-to-dc\"" });
                if let Some(user) = user {
                    put!(out; " user=\"", *user, "\" group=\"staff\" authserver=\"FSSO-AD\"");
                }
                service(flow, out);
                if outer {
                    let wan = ip(203, 0, 113, 60 + branch(flow.src));
                    put!(out; " trandisp=\"snat\" transip=", Ip(wan), " transport=", 1024 + (salt % 64_000) as u16);
                } else {
                    put!(out; " trandisp=\"noop\"");
                }
                let (sent, received) = flow.packets();
                put!(out; " duration=", flow.length_us / 1_000_000, " sentbyte=", flow.sent, " rcvdbyte=", flow.received);
                put!(out; " sentpkt=", sent, " rcvdpkt=", received, " appcat=\"unscanned\" srcname=\"", Name(*client), '"');
            }
            Say::Web { flow, site, blocked } => {
                header(us, branch(flow.src), if *blocked { "0316013056" } else { "0317013312" }, out);
                put!(out; " type=\"utm\" subtype=\"webfilter\" eventtype=\"", if *blocked { "ftgd_blk" } else { "ftgd_allow" });
                put!(out; "\" level=\"", if *blocked { "warning" } else { "notice" }, "\" vd=\"root\" policyid=3");
                ends(flow, out);
                put!(out; " service=\"HTTPS\" hostname=\"", SITES[usize::from(site % 8)], '.', site / 8, ".example.net\"");
                put!(out; " profile=\"default\" action=\"", if *blocked { "blocked" } else { "passthrough" });
                put!(out; "\" reqtype=\"direct\" url=\"https://", SITES[usize::from(site % 8)], '.', site / 8);
                put!(out; ".example.net/\" sentbyte=", flow.sent, " rcvdbyte=", flow.received);
                put!(out; " direction=\"outgoing\" msg=\"URL belongs to ");
                put!(out; if *blocked { "a denied" } else { "an allowed" }, " category in policy\" method=\"domain\" cat=");
                put!(out; if *blocked { 61u8 } else { 52 }, " catdesc=\"");
                put!(out; if *blocked { "Phishing" } else { "Information Technology" }, '"');
            }
            Say::Admin { user, src, src_port, accepted } => {
                let (id, level) = if *accepted { ("0100032001", "information") } else { ("0100032002", "alert") };
                header(us, branch(salt as u32), id, out);
                let did = if *accepted { "successful" } else { "failed" };
                put!(out; " type=\"event\" subtype=\"system\" level=\"", level, "\" vd=\"root\" logdesc=\"Admin login ");
                put!(out; did, "\" sn=\"", us / 1_000_000, "\" user=\"", *user, "\" ui=\"https(", Ip(*src));
                put!(out; ")\" method=\"https\" srcip=", Ip(*src), " srcport=", *src_port, " dstip=10.50.0.1");
                put!(out; " action=\"login\" status=\"", if *accepted { "success" } else { "failed" }, '"');
                put!(out; " reason=\"", if *accepted { "none" } else { "passwd_invalid" }, "\" msg=\"Administrator ");
                put!(out; *user, " login ", did, " from https(", Ip(*src), ")\"");
            }
        }
    }
}
