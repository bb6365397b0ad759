//! Which addresses are ours where the inventory says nothing.

use schemas::Ip;

use crate::prefix::{Network, PrefixEntry, PrefixTable};

/// What an address is by its number alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// One of ours: private (RFC 1918, RFC 4193), link-local, or in a configured network.
    Own,
    /// Never leaves the host or the link, and is no host's own address: loopback, multicast, broadcast, unspecified.
    Local,
    /// Anywhere else.
    Elsewhere,
}

/// The networks that are ours beside the private ones.
#[derive(Default)]
pub struct OwnNetworks {
    table: PrefixTable,
}

impl OwnNetworks {
    /// From the configured list.
    pub fn new(networks: &[Network]) -> OwnNetworks {
        let entries: Vec<PrefixEntry> = networks
            .iter()
            .map(|network| PrefixEntry { network: *network, from_us: i64::MIN, until_us: i64::MAX, value: 0 })
            .collect();
        OwnNetworks { table: PrefixTable::build(&entries) }
    }

    /// What an address is.
    pub fn place(&self, address: Ip) -> Place {
        match by_number(address) {
            Place::Elsewhere if self.table.value(address, 0).is_some() => Place::Own,
            place => place,
        }
    }
}

/// Source: IANA special-purpose address registries; RFC 1918, 3927, 4193, 4291, 5771. Shared address space
/// (100.64.0.0/10, RFC 6598) is the provider's, not ours, unless it is configured.
fn by_number(address: Ip) -> Place {
    let a = &address.0;
    if address.is_v4() {
        return match (a[12], a[13]) {
            (10, _) | (172, 16..=31) | (192, 168) | (169, 254) => Place::Own,
            (0 | 127 | 224..=239, _) => Place::Local,
            (255, 255) if a[14] == 255 && a[15] == 255 => Place::Local,
            _ => Place::Elsewhere,
        };
    }
    match (a[0], a[1]) {
        (0xfc | 0xfd, _) => Place::Own,
        (0xfe, 0x80..=0xbf) => Place::Own,
        (0xff, _) => Place::Local,
        (0, 0) if address.to_bits() <= 1 => Place::Local,
        _ => Place::Elsewhere,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_ours_and_configured_ones_too() {
        let own = OwnNetworks::new(&[Network::parse("198.51.100.0/24").expect("a network")]);
        for (text, want) in [
            ("10.0.0.1", Place::Own),
            ("172.16.0.1", Place::Own),
            ("172.32.0.1", Place::Elsewhere),
            ("192.168.9.9", Place::Own),
            ("169.254.1.1", Place::Own),
            ("198.51.100.9", Place::Own),
            ("203.0.113.9", Place::Elsewhere),
            ("100.64.0.1", Place::Elsewhere),
            ("127.0.0.1", Place::Local),
            ("255.255.255.255", Place::Local),
            ("224.0.0.251", Place::Local),
            ("::1", Place::Local),
            ("ff02::1", Place::Local),
            ("fe80::1", Place::Own),
            ("fd00::1", Place::Own),
            ("2001:db8::1", Place::Elsewhere),
        ] {
            assert_eq!(own.place(Ip::parse(text.as_bytes()).expect(text)), want, "{text}");
        }
    }
}
