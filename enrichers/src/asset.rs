//! Pass: what is known of each end.
//!
//! The source is found by its address; where the log has only a name, by the name; where it has only a hardware
//! address, by that. A name is not asked where there is an address that the inventory doesn't know: the source chooses
//! what it calls itself, and must not become the domain controller by saying so. The destination likewise; its address
//! after translation counts where no machine is known under the dialled one. For a logon, a process, a listener or a host's own alert
//! without a destination it is the host itself: so a failed logon, which knows a name, and a firewall's flow, which
//! knows an address, meet in `dst_asset`.
//!
//! One of our addresses that the inventory doesn't know is named by itself, so that grouping by asset works on the
//! first day. Whether the inventory knew it is seen from the role.
//!
//! Logs repeat addresses: each batch keeps a small direct-mapped memo from address to result, and each asset's texts once.

use schemas::{Criticality, EventKind, Field, FlowBatch, Ip, Span, key};

use crate::assets::{Assets, Record, host_as_name};
use crate::networks::Place;
use crate::prefix::Answer;
use crate::{Pass, Tables};

/// See the module's text.
pub const PASS: Pass = Pass {
    name: "asset",
    reads: &[
        Field::Time,
        Field::Kind,
        Field::SrcIp,
        Field::SrcHost,
        Field::SrcMac,
        Field::DstIp,
        Field::NatDstIp,
        Field::DstHost,
        Field::DstMac,
        Field::HostIp,
        Field::Host,
    ],
    writes: &[
        Field::SrcAsset,
        Field::SrcRole,
        Field::SrcOwner,
        Field::SrcCriticality,
        Field::SrcAssetZone,
        Field::SrcInternal,
        Field::DstAsset,
        Field::DstRole,
        Field::DstOwner,
        Field::DstCriticality,
        Field::DstAssetZone,
        Field::DstInternal,
    ],
    run,
};

/// What a row gets for one end; an empty text is absent.
#[derive(Clone, Copy, Default)]
struct Facts {
    name: Span,
    role: Span,
    owner: Span,
    zone: Span,
    criticality: Option<Criticality>,
    internal: bool,
    /// Whether the inventory knows it.
    listed: bool,
    /// Whether the inventory knows this very machine.
    single: bool,
}

#[derive(Clone, Copy)]
enum Slot {
    Empty,
    /// The same facts at all times; their place in `kept`.
    Fixed(u32),
    /// Depends on the time: a node of the prefix table.
    Timed(u32),
}

const MEMO_SLOTS: usize = 4096;
const HOST_SLOTS: usize = 64;

/// Places in `kept` of what many addresses share: nothing of ours, and nothing that leaves its link.
const ELSEWHERE: u32 = 0;
const LOCAL: u32 = 1;

struct View<'t> {
    tables: &'t Tables,
    memo: Vec<(Ip, Slot)>,
    hosts: [Option<(Span, u32)>; HOST_SLOTS],
    kept: Vec<Facts>,
    /// For each asset 0, or 1 + its place in `kept`.
    places: Vec<u32>,
}

fn run(tables: &Tables, batch: &mut FlowBatch) {
    let mut view = View {
        tables,
        memo: vec![(Ip::default(), Slot::Empty); MEMO_SLOTS],
        hosts: [None; HOST_SLOTS],
        kept: Vec::with_capacity(batch.len() / 8 + 64),
        places: vec![0; tables.assets.len()],
    };
    view.kept.push(Facts { internal: false, ..Facts::default() });
    view.kept.push(Facts { internal: true, ..Facts::default() });
    for row in 0..batch.len() {
        let time_us = batch.get(row, key::TIME).unwrap_or_default();
        if let Some(facts) = source(&mut view, batch, row, time_us) {
            set_source(batch, row, &facts);
        }
        if let Some(facts) = destination(&mut view, batch, row, time_us) {
            set_destination(batch, row, &facts);
        }
    }
}

fn source(view: &mut View<'_>, batch: &mut FlowBatch, row: usize, time_us: i64) -> Option<Facts> {
    if let Some(ip) = batch.get(row, key::SRC_IP) {
        return Some(view.address(batch, ip, time_us));
    }
    if view.tables.assets.is_empty() {
        return None;
    }
    let assets = &view.tables.assets;
    let host = batch.text(row, key::SRC_HOST).and_then(|host| assets.by_host(host, time_us));
    let found = host.or_else(|| batch.text(row, key::SRC_MAC).and_then(|mac| assets.by_mac(mac, time_us)));
    found.map(|asset| view.listed(batch, asset, Ip::default()))
}

fn destination(view: &mut View<'_>, batch: &mut FlowBatch, row: usize, time_us: i64) -> Option<Facts> {
    if let Some(ip) = batch.get(row, key::DST_IP) {
        let facts = view.address(batch, ip, time_us);
        return match batch.get(row, key::NAT_DST_IP) {
            Some(real) if !facts.single && real != ip => Some(translated(view, batch, real, time_us, facts)),
            Some(_) | None => Some(facts),
        };
    }
    if batch.has(row, Field::DstHost) {
        return view.host(batch, batch.get(row, key::DST_HOST)?, time_us);
    }
    match batch.get(row, key::KIND)? {
        EventKind::Auth | EventKind::Process | EventKind::Listener | EventKind::Alert => {
            let by_address = batch.get(row, key::HOST_IP).map(|ip| view.address(batch, ip, time_us));
            if by_address.is_some_and(|facts| facts.listed) {
                return by_address;
            }
            let by_name = batch.get(row, key::HOST).and_then(|host| view.host(batch, host, time_us));
            match by_name {
                // Unknown both ways: the address is what other logs know, too.
                Some(name) if !name.listed => by_address.filter(|facts| !facts.name.is_empty()).or(by_name),
                Some(_) => by_name,
                None => by_address,
            }
        }
        EventKind::Flow | EventKind::Dns | EventKind::Inventory | EventKind::Other => {
            let mac = batch.text(row, key::DST_MAC)?;
            let asset = view.tables.assets.by_mac(mac, time_us)?;
            Some(view.listed(batch, asset, Ip::default()))
        }
    }
}

/// No machine is known under the dialled address, but the log says where it led: if that is one of ours, it is the
/// destination. So a published address leads to the server behind it.
fn translated(view: &mut View<'_>, batch: &mut FlowBatch, real: Ip, time_us: i64, dialled: Facts) -> Facts {
    let facts = view.address(batch, real, time_us);
    if facts.single || facts.listed && !dialled.listed || facts.internal && !dialled.internal { facts } else { dialled }
}

impl View<'_> {
    fn address(&mut self, batch: &mut FlowBatch, ip: Ip, time_us: i64) -> Facts {
        let at = slot(ip);
        let (known, state) = self.memo[at];
        let state = match state {
            Slot::Fixed(_) | Slot::Timed(_) if known == ip => state,
            Slot::Empty | Slot::Fixed(_) | Slot::Timed(_) => self.learn(batch, ip, at),
        };
        match state {
            Slot::Fixed(place) => self.kept[place as usize],
            Slot::Timed(node) => match self.tables.assets.at(node, time_us) {
                Some(asset) => self.listed(batch, asset, ip),
                None => {
                    let place = self.unlisted(batch, ip);
                    self.kept[place as usize]
                }
            },
            Slot::Empty => Facts::default(),
        }
    }

    #[inline(never)]
    fn learn(&mut self, batch: &mut FlowBatch, ip: Ip, at: usize) -> Slot {
        let state = match self.tables.assets.look_up(ip) {
            Answer::Always(asset) => Slot::Fixed(self.keep(batch, asset, ip)),
            Answer::Timed(node) => Slot::Timed(node),
            Answer::Nothing => Slot::Fixed(self.unlisted(batch, ip)),
        };
        self.memo[at] = (ip, state);
        state
    }

    fn listed(&mut self, batch: &mut FlowBatch, asset: u32, ip: Ip) -> Facts {
        let place = self.keep(batch, asset, ip);
        self.kept[place as usize]
    }

    /// The facts of an asset as texts of this batch, kept once; what a network's row lends has the address as its name.
    fn keep(&mut self, batch: &mut FlowBatch, asset: u32, ip: Ip) -> u32 {
        let place = match self.places[asset as usize] {
            0 => self.keep_asset(batch, asset),
            known => known - 1,
        };
        let facts = self.kept[place as usize];
        if !facts.name.is_empty() || ip == Ip::default() {
            return place;
        }
        self.kept.push(Facts { name: keep_address(batch, ip), ..facts });
        self.kept.len() as u32 - 1
    }

    fn keep_asset(&mut self, batch: &mut FlowBatch, asset: u32) -> u32 {
        let (record, texts) = self.tables.assets.record(asset);
        let all = batch.keep(texts);
        let mut at = 0;
        let [name, role, owner, zone] = record.lengths.map(|length| {
            let part = all.part(at, usize::from(length));
            at += usize::from(length);
            part
        });
        let Record { criticality, internal, single, .. } = record;
        self.kept.push(Facts { name, role, owner, zone, criticality, internal, listed: true, single });
        self.places[asset as usize] = self.kept.len() as u32;
        self.kept.len() as u32 - 1
    }

    /// What an address is that the inventory doesn't know.
    fn unlisted(&mut self, batch: &mut FlowBatch, ip: Ip) -> u32 {
        match self.tables.own.place(ip) {
            Place::Elsewhere => ELSEWHERE,
            Place::Local => LOCAL,
            Place::Own => {
                let name = keep_address(batch, ip);
                self.kept.push(Facts { name, internal: true, ..Facts::default() });
                self.kept.len() as u32 - 1
            }
        }
    }

    /// A host of ours by its name; `None` for a text that is no name.
    fn host(&mut self, batch: &mut FlowBatch, host: Span, time_us: i64) -> Option<Facts> {
        let text = batch.text_of(host);
        if (text.first().is_some_and(u8::is_ascii_digit) || text.contains(&b':'))
            && let Some(ip) = Ip::parse(text)
        {
            let facts = self.address(batch, ip, time_us);
            if !facts.name.is_empty() {
                return Some(facts);
            }
            // the device names itself by an address that is not known to be ours: it is, for it sends us its log
        }
        let text = batch.text_of(host);
        let at = text.iter().fold(text.len(), |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(*byte)));
        let at = (at ^ at >> 8) % HOST_SLOTS;
        if let Some((known, place)) = self.hosts[at]
            && batch.text_of(known) == text
        {
            return Some(self.kept[place as usize]);
        }
        let assets: &Assets = &self.tables.assets;
        let place = match assets.by_host(text, time_us) {
            Some(asset) => self.keep(batch, asset, Ip::default()),
            None => {
                let mut buffer = [0; 253];
                let name = host_as_name(text, &mut buffer).map(|name| batch.keep(name))?;
                self.kept.push(Facts { name, internal: true, ..Facts::default() });
                self.kept.len() as u32 - 1
            }
        };
        if !assets.names_change() {
            self.hosts[at] = Some((host, place));
        }
        Some(self.kept[place as usize])
    }
}

fn slot(ip: Ip) -> usize {
    let bits = ip.to_bits();
    let folded = (bits as u64) ^ (bits >> 64) as u64;
    (folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52) as usize % MEMO_SLOTS
}

/// The address in its canonical text, without the formatter where it is IPv4: this runs for every new address.
fn keep_address(batch: &mut FlowBatch, ip: Ip) -> Span {
    if !ip.is_v4() {
        return batch.keep(ip.to_string().as_bytes());
    }
    let mut text = [0u8; 15];
    let mut len = 0;
    for (at, part) in ip.0[12..].iter().enumerate() {
        if at > 0 {
            text[len] = b'.';
            len += 1;
        }
        for (unit, least) in [(100, 100), (10, 10), (1, 0)] {
            if *part >= least {
                text[len] = b'0' + part / unit % 10;
                len += 1;
            }
        }
    }
    batch.keep(&text[..len])
}

#[inline]
fn set_source(batch: &mut FlowBatch, row: usize, facts: &Facts) {
    batch.set(row, key::SRC_INTERNAL, facts.internal.into());
    if !facts.name.is_empty() {
        batch.set(row, key::SRC_ASSET, facts.name);
    }
    if !facts.listed {
        return;
    }
    if !facts.role.is_empty() {
        batch.set(row, key::SRC_ROLE, facts.role);
    }
    if !facts.owner.is_empty() {
        batch.set(row, key::SRC_OWNER, facts.owner);
    }
    if !facts.zone.is_empty() {
        batch.set(row, key::SRC_ASSET_ZONE, facts.zone);
    }
    if let Some(criticality) = facts.criticality {
        batch.set(row, key::SRC_CRITICALITY, criticality);
    }
}

#[inline]
fn set_destination(batch: &mut FlowBatch, row: usize, facts: &Facts) {
    batch.set(row, key::DST_INTERNAL, facts.internal.into());
    if !facts.name.is_empty() {
        batch.set(row, key::DST_ASSET, facts.name);
    }
    if !facts.listed {
        return;
    }
    if !facts.role.is_empty() {
        batch.set(row, key::DST_ROLE, facts.role);
    }
    if !facts.owner.is_empty() {
        batch.set(row, key::DST_OWNER, facts.owner);
    }
    if !facts.zone.is_empty() {
        batch.set(row, key::DST_ASSET_ZONE, facts.zone);
    }
    if let Some(criticality) = facts.criticality {
        batch.set(row, key::DST_CRITICALITY, criticality);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn an_address_is_named_by_its_canonical_text() {
        let mut batch = FlowBatch::new(1);
        batch.reset(Arc::new(Vec::new()), Arc::from("test"), 0);
        for text in ["0.0.0.0", "10.0.0.5", "192.168.100.10", "255.255.255.255", "1.20.203.9", "fd00::5"] {
            let span = keep_address(&mut batch, Ip::parse(text.as_bytes()).expect(text));
            assert_eq!(batch.text_of(span), text.as_bytes());
        }
    }
}
