//! Suricata EVE JSON: one sensor before the DMZ and on the way out, 7.x records.

use super::{End, Flow};
use crate::demo::text::{Hex, Ip, Put, Stamp, mix, put};

/// Something that the IDS says.
#[derive(Clone, Copy, Debug)]
pub(in crate::demo) enum Say {
    /// End of a flow; `app` is what was recognised, empty if nothing was.
    Flow { flow: Flow, app: &'static str },
    /// A TLS handshake; no site for a client that names none.
    Tls { flow: Flow, site: Option<u16>, ja3: u16 },
    /// A question to a resolver.
    Query { flow: Flow, site: u16 },
    /// Its answer; no address is NXDOMAIN.
    Answer { flow: Flow, site: u16, address: Option<u32> },
    /// A signature that matched, by its place in the list.
    Alert { flow: Flow, signature: u8, app: &'static str },
    /// The two banners of an SSH session.
    Ssh { flow: Flow },
}

/// Signature id, revision, text, class, severity.
const SIGNATURES: [(u32, u8, &str, &str, u8); 5] = [
    (2_402_000, 71, "ET DROP Dshield Block Listed Source group 1", "Misc Attack", 2),
    (2_001_219, 20, "ET SCAN Potential SSH Scan", "Attempted Information Leak", 2),
    (2_010_935, 3, "ET SCAN Suspicious inbound to MSSQL port 1433", "Potentially Bad Traffic", 2),
    (2_023_997, 2, "ET SCAN Behavioral Unusually fast Terminal Server Traffic Inbound", "Misc activity", 3),
    (2_024_364, 4, "ET SCAN Possible Nmap User-Agent Observed", "Web Application Attack", 1),
];
const NAMES: [&str; 10] = ["www", "cdn", "api", "login", "mail", "static", "update", "telemetry", "img", "sso"];
const ZONES: [&str; 6] =
    ["example.com", "example.net", "example.org", "shop.example.com", "cloud.example.net", "news.example.org"];

/// The name of a site by its number.
pub(in crate::demo) struct Site(pub u16);

impl Put for Site {
    fn put(self, out: &mut Vec<u8>) {
        let n = usize::from(self.0);
        put!(out; NAMES[n % 10], (n / 60) as u32, '.', ZONES[n / 10 % 6]);
    }
}

fn head(us: u64, flow: &Flow, kind: &str, out: &mut Vec<u8>) {
    put!(out; "{\"timestamp\":\"", Stamp::Micros(us), "+0000\",\"flow_id\":", mix(u64::from(flow.id)) >> 12);
    put!(out; ",\"in_iface\":\"ens5\",\"event_type\":\"", kind, "\",\"src_ip\":\"", Ip(flow.src), "\",\"src_port\":");
    put!(out; flow.src_port, ",\"dest_ip\":\"", Ip(flow.dst), "\",\"dest_port\":", flow.dst_port, ",\"proto\":\"");
    put!(out; if flow.udp { "UDP\"" } else { "TCP\"" });
}

fn counters(flow: &Flow, out: &mut Vec<u8>) {
    let (sent, received) = flow.packets();
    put!(out; "\"pkts_toserver\":", sent, ",\"pkts_toclient\":", received, ",\"bytes_toserver\":");
    put!(out; flow.sent + sent * 54, ",\"bytes_toclient\":", flow.received + received * 54);
}

impl Say {
    pub(in crate::demo) fn write(&self, us: u64, salt: u64, out: &mut Vec<u8>) {
        match self {
            Say::Flow { flow, app } => {
                head(us, flow, "flow", out);
                if !app.is_empty() {
                    put!(out; ",\"app_proto\":\"", *app, '"');
                }
                put!(out; ",\"flow\":{");
                counters(flow, out);
                // A flow is told of when it has been silent for a while.
                let end = us - 5_000_000;
                let both = !matches!(flow.end, End::Silent);
                put!(out; ",\"start\":\"", Stamp::Micros(end - u64::from(flow.length_us)), "+0000\",\"end\":\"");
                put!(out; Stamp::Micros(end), "+0000\",\"age\":", flow.length_us / 1_000_000, ",\"state\":\"");
                put!(out; match (both, flow.udp) {
                    (false, _) => "new",
                    (true, true) => "established",
                    (true, false) => "closed",
                });
                put!(out; "\",\"reason\":\"timeout\",\"alerted\":false}");
                if !flow.udp {
                    put!(out; match flow.end {
                        End::Silent => ",\"tcp\":{\"tcp_flags\":\"02\",\"tcp_flags_ts\":\"02\",\"tcp_flags_tc\":\"00\",\"syn\":true,\"state\":\"syn_sent\"}",
                        End::Refused => ",\"tcp\":{\"tcp_flags\":\"16\",\"tcp_flags_ts\":\"02\",\"tcp_flags_tc\":\"14\",\"syn\":true,\"rst\":true,\"ack\":true,\"state\":\"closed\"}",
                        End::ClientReset => ",\"tcp\":{\"tcp_flags\":\"1e\",\"tcp_flags_ts\":\"1e\",\"tcp_flags_tc\":\"1a\",\"syn\":true,\"rst\":true,\"psh\":true,\"ack\":true,\"state\":\"closed\"}",
                        End::Closed => ",\"tcp\":{\"tcp_flags\":\"1b\",\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"1b\",\"syn\":true,\"fin\":true,\"psh\":true,\"ack\":true,\"state\":\"closed\"}",
                    });
                }
                put!(out; '}');
            }
            Say::Tls { flow, site, ja3 } => {
                head(us, flow, "tls", out);
                put!(out; ",\"tls\":{");
                if let Some(site) = site {
                    put!(out; "\"sni\":\"", Site(*site), "\",");
                }
                let hash = |n: u64, out: &mut Vec<u8>| {
                    put!(out; Hex(mix(n) | 1 << 63), Hex(mix(n + 7) | 1 << 63));
                };
                put!(out; "\"version\":\"", if site.is_some() { "TLS 1.3" } else { "TLS 1.2" }, "\",\"ja3\":{\"hash\":\"");
                hash(u64::from(*ja3), out);
                put!(out; "\"},\"ja3s\":{\"hash\":\"");
                hash(u64::from(flow.dst), out);
                put!(out; "\"}}}");
            }
            Say::Query { flow, site } => {
                head(us, flow, "dns", out);
                put!(out; ",\"dns\":{\"type\":\"query\",\"id\":", flow.id & 0xffff, ",\"rrname\":\"", Site(*site));
                put!(out; "\",\"rrtype\":\"A\",\"tx_id\":0,\"opcode\":0}}");
            }
            Say::Answer { flow, site, address } => {
                head(us, flow, "dns", out);
                put!(out; ",\"dns\":{\"version\":2,\"type\":\"answer\",\"id\":", flow.id & 0xffff, ",\"flags\":\"");
                put!(out; if address.is_some() { "8180" } else { "8183" });
                put!(out; "\",\"qr\":true,\"rd\":true,\"ra\":true,\"opcode\":0,\"rrname\":\"", Site(*site));
                put!(out; "\",\"rrtype\":\"A\",\"rcode\":\"");
                match address {
                    Some(address) => {
                        put!(out; "NOERROR\",\"answers\":[{\"rrname\":\"", Site(*site), "\",\"rrtype\":\"A\",\"ttl\":");
                        put!(out; 5 + salt % 3600, ",\"rdata\":\"", Ip(*address), "\"}],\"grouped\":{\"A\":[\"");
                        put!(out; Ip(*address), "\"]}}}");
                    }
                    None => put!(out; "NXDOMAIN\"}}"),
                }
            }
            Say::Alert { flow, signature, app } => {
                let (id, revision, text, class, severity) = SIGNATURES[usize::from(*signature) % SIGNATURES.len()];
                head(us, flow, "alert", out);
                put!(out; ",\"pkt_src\":\"wire/pcap\",\"alert\":{\"action\":\"allowed\",\"gid\":1,\"signature_id\":", id);
                put!(out; ",\"rev\":", revision, ",\"signature\":\"", text, "\",\"category\":\"", class);
                put!(out; "\",\"severity\":", severity, '}');
                if !app.is_empty() {
                    put!(out; ",\"app_proto\":\"", *app, '"');
                }
                put!(out; ",\"direction\":\"to_server\",\"flow\":{");
                counters(flow, out);
                put!(out; ",\"start\":\"", Stamp::Micros(us - 200_000), "+0000\",\"src_ip\":\"", Ip(flow.src));
                put!(out; "\",\"dest_ip\":\"", Ip(flow.dst), "\",\"src_port\":", flow.src_port, ",\"dest_port\":");
                put!(out; flow.dst_port, "}}");
            }
            Say::Ssh { flow } => {
                head(us, flow, "ssh", out);
                put!(out; ",\"ssh\":{\"client\":{\"proto_version\":\"2.0\",\"software_version\":\"OpenSSH_9.6\"}");
                put!(out; ",\"server\":{\"proto_version\":\"2.0\",\"software_version\":\"OpenSSH_9.2p1\"}}}");
            }
        }
    }
}
