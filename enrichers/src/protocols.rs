//! Application protocols that sensors recognise from the bytes, under all the names that they give them.
//!
//! Zeek says `ssl`, Suricata `tls`, PAN-OS `ssl`, FortiGate `SSL_TLSv1.3`: one protocol, one name here. The list
//! holds what has a port of its own or rides on one; an application (`facebook-base`) is not a protocol and is left
//! as the sensor said it.

use hashbrown::HashMap;
use std::sync::LazyLock;

/// Index of a protocol in `PROTOCOLS`, and its bit in a port's set of accepted ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocol(u8);

/// How freely a protocol wanders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    /// It has home ports; anywhere else it is remarkable.
    Bound,
    /// It is met on any port and says little about what runs above it.
    Carrier,
    /// It is met on any port.
    Free,
}

pub(crate) struct ProtocolFacts {
    pub(crate) name: &'static str,
    pub(crate) habit: Habit,
    aliases: &'static [&'static str],
}

const fn row(name: &'static str, habit: Habit, aliases: &'static [&'static str]) -> ProtocolFacts {
    ProtocolFacts { name, habit, aliases }
}

use Habit::{Bound, Carrier, Free};

#[rustfmt::skip]
pub(crate) const PROTOCOLS: &[ProtocolFacts] = &[
    row("http", Carrier, &["http2", "http1", "web-browsing", "http.browser", "http-proxy", "http.segmented.download"]),
    row("tls", Carrier, &["ssl", "https", "ssl_tls", "ssl_tlsv1.0", "ssl_tlsv1.1", "ssl_tlsv1.2", "ssl_tlsv1.3", "https.browser", "openssl"]),
    row("quic", Carrier, &["quic-base", "gquic", "http3"]),
    row("dtls", Carrier, &[]),
    row("websocket", Carrier, &[]),
    row("rpc", Carrier, &["sunrpc", "portmapper", "rpc-base"]),
    row("netbios", Carrier, &["netbios-ns", "netbios-dg", "netbios-ss", "netbios.name.service", "netbios.session.service"]),
    row("ssh", Bound, &["ssh-base", "openssh"]),
    row("rdp", Bound, &["ms-rdp", "t.120", "rdpeudp"]),
    row("smb", Bound, &["smb1", "smb2", "ms-ds-smb", "ms-ds-smb-base", "ms-ds-smbv1", "ms-ds-smbv2", "ms-ds-smbv3", "smb.v1", "smb.v2", "smb.v3", "cifs"]),
    row("telnet", Bound, &[]),
    row("ftp", Bound, &["ftp-base"]),
    row("ftp-data", Free, &[]),
    row("tftp", Bound, &[]),
    row("vnc", Bound, &["rfb", "vnc-base", "vnc-encrypted"]),
    row("winrm", Bound, &["windows-remote-management", "ms-winrm", "wsman"]),
    row("dns", Bound, &["dns-base", "dns_over_tcp"]),
    row("mdns", Free, &["mdns-base"]),
    row("llmnr", Free, &[]),
    row("smtp", Bound, &["smtp-base"]),
    row("imap", Bound, &["imap-base"]),
    row("pop3", Bound, &["pop3-base", "pop"]),
    row("ldap", Bound, &["ldap_tcp", "ldap_udp", "cldap", "ldap-base"]),
    row("kerberos", Bound, &["krb", "krb5", "krb_tcp", "krb_udp"]),
    row("msrpc", Free, &["dcerpc", "dce_rpc", "msrpc-base", "ms-rpc"]),
    row("ntp", Bound, &["ntp-base", "ntp-non-rfc"]),
    row("snmp", Bound, &["snmp-base", "snmpv1", "snmpv2", "snmpv3", "snmp-trap"]),
    row("dhcp", Bound, &["dhcpv4", "dhcpv6", "bootp"]),
    row("syslog", Bound, &[]),
    row("radius", Bound, &[]),
    row("sip", Free, &[]),
    row("stun", Free, &[]),
    row("mysql", Bound, &["mysql-base"]),
    row("postgresql", Bound, &["pgsql", "postgres"]),
    row("mssql", Bound, &["tds", "mssql-db", "mssql-db-base", "mssql-db-encrypted", "ms.sql", "ms-sql"]),
    row("oracle", Bound, &["tns", "oracle-base"]),
    row("mongodb", Bound, &["mongo", "mongodb-base"]),
    row("redis", Bound, &[]),
    row("memcached", Bound, &["memcache"]),
    row("nfs", Bound, &[]),
    row("rsync", Bound, &[]),
    row("irc", Bound, &["irc-base"]),
    row("socks", Bound, &["socks4", "socks5"]),
    row("mqtt", Bound, &["mqtt-base"]),
    row("modbus", Bound, &["modbus-base", "modbus_tcp"]),
    row("dnp3", Bound, &["dnp3_tcp", "dnp3_udp", "dnp3-base"]),
    row("s7comm", Bound, &["siemens-s7", "s7comm-plus"]),
    row("bacnet", Bound, &["bacnet-base"]),
    row("enip", Bound, &["ethernet-ip", "cip", "ethernet-ip-base"]),
    row("ike", Free, &["ikev2", "ipsec-esp-udp", "ike-base"]),
    row("l2tp", Free, &[]),
    row("openvpn", Free, &["open-vpn"]),
    row("teredo", Free, &[]),
    row("bittorrent", Free, &["bittorrent-dht"]),
    row("git", Bound, &["git-base"]),
    row("ajp", Bound, &["ajp13"]),
    row("whois", Bound, &[]),
    row("finger", Bound, &[]),
    row("nntp", Bound, &[]),
    row("xmpp", Bound, &["jabber", "jabber-base"]),
];

const _: () = assert!(PROTOCOLS.len() <= 64, "a port's accepted protocols are a set of 64 bits");

/// What sensors write when they have not recognised anything.
const NOTHING: &[&[u8]] = &[
    b"failed",
    b"unknown",
    b"-",
    b"incomplete",
    b"insufficient-data",
    b"not-applicable",
    b"unknown-tcp",
    b"unknown-udp",
    b"unknown-p2p",
    b"non-syn-tcp",
    b"unscanned",
    b"none",
];

/// What a sensor's word for an application protocol means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognised {
    /// A protocol of the list.
    Protocol(Protocol),
    /// A word that is not in the list: an application, or a protocol that we don't know.
    Application,
    /// The sensor looked and did not recognise it.
    Nothing,
}

/// Longest word that is looked at; no sensor has a longer name.
const WORD_MAX: usize = 48;

type Words = HashMap<&'static [u8], Recognised>;

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let mut words = Words::new();
    for (at, facts) in PROTOCOLS.iter().enumerate() {
        let meaning = Recognised::Protocol(Protocol(at as u8));
        words.insert(facts.name.as_bytes(), meaning);
        for alias in facts.aliases {
            words.insert(alias.as_bytes(), meaning);
        }
    }
    for word in NOTHING {
        words.insert(word, Recognised::Nothing);
    }
    words
});

impl Protocol {
    pub(crate) fn facts(self) -> &'static ProtocolFacts {
        &PROTOCOLS[usize::from(self.0)]
    }

    /// Its place in the list.
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }

    /// Its bit in a set of protocols.
    pub(crate) fn bit(self) -> u64 {
        1 << self.0
    }

    /// The protocol of a name in the list.
    pub fn named(name: &str) -> Option<Protocol> {
        let at = PROTOCOLS.iter().position(|facts| facts.name == name)?;
        Some(Protocol(at as u8))
    }

    /// The name that the product shows.
    pub fn name(self) -> &'static str {
        self.facts().name
    }
}

/// Reads a sensor's word, in any case. Of several (`smb,gssapi,ntlm`, Zeek) the first known one counts; one with a
/// leading minus is an analyser that gave up (Zeek) and does not.
pub fn recognise(word: &[u8]) -> Recognised {
    if !word.contains(&b',') {
        return recognise_one(word);
    }
    let mut result = Recognised::Nothing;
    for part in word.split(|byte| *byte == b',') {
        match recognise_one(part) {
            found @ Recognised::Protocol(_) => return found,
            Recognised::Application => result = Recognised::Application,
            Recognised::Nothing => {}
        }
    }
    result
}

fn recognise_one(word: &[u8]) -> Recognised {
    if word.is_empty() || word[0] == b'-' {
        return Recognised::Nothing;
    }
    if word.len() > WORD_MAX {
        return Recognised::Application;
    }
    let mut lower = [0; WORD_MAX];
    let lower = &mut lower[..word.len()];
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    WORDS.get(&*lower).copied().unwrap_or(Recognised::Application)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn check(word: &str, want: Option<&str>) {
        let found = match recognise(word.as_bytes()) {
            Recognised::Protocol(protocol) => Some(protocol.name()),
            Recognised::Application | Recognised::Nothing => None,
        };
        assert_eq!(found, want, "{word}");
    }

    #[test]
    fn every_sensors_word_means_the_same_protocol() {
        check("ssl", Some("tls"));
        check("SSL_TLSv1.3", Some("tls"));
        check("ms-rdp", Some("rdp"));
        check("smb,gssapi,ntlm", Some("smb"));
        check("gssapi,smb", Some("smb"));
        check("-ssl", None);
        check("facebook-base", None);
        assert_eq!(recognise(b"failed"), Recognised::Nothing);
        assert_eq!(recognise(&[b'x'; 1000]), Recognised::Application);
    }

    #[test]
    fn no_word_stands_for_two_protocols() {
        let mut seen = HashSet::new();
        for facts in PROTOCOLS {
            for word in facts.aliases.iter().chain([&facts.name]) {
                assert!(seen.insert(*word), "{word} stands twice");
                assert_eq!(*word, word.to_ascii_lowercase(), "words are compared in lower case");
            }
        }
    }
}
