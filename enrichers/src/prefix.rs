//! Longest-prefix match from an address to a value that held at a time.
//!
//! Prefixes are nested or disjoint, so they cut the address space into segments, each with one innermost prefix. A
//! lookup is a binary search over the segments' starts, narrowed by the address's first 16 bits; from the innermost
//! prefix a chain leads outwards, in case none of its entries held at that time. A sorted array, not a trie: the table
//! changes once an hour and is read for every new address of a batch. Reconsider if tables change per batch.
//!
//! IPv4 and IPv6 are two tables: `::/0` must not answer for `192.0.2.1`, although a batch stores it mapped.

use schemas::Ip;

/// A network: an address whose host bits are 0, and how many bits of it count (0..=32 or 0..=128).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: Ip,
    length: u8,
}

impl Network {
    /// A network of an address and a prefix length in the address's own family; host bits are cut off.
    /// `None` if the length is more than the family has.
    pub fn new(address: Ip, length: u8) -> Option<Network> {
        let bits = if address.is_v4() { 32 } else { 128 };
        if length > bits {
            return None;
        }
        let keep = bits - length;
        let mask = if keep == 128 { 0 } else { u128::MAX << keep };
        let base = (address.to_bits() & mask).to_be_bytes();
        Some(Network { base: if address.is_v4() { Ip(keep_mapped(base)) } else { Ip(base) }, length })
    }

    /// One address as a network.
    pub fn host(address: Ip) -> Network {
        Network { base: address, length: if address.is_v4() { 32 } else { 128 } }
    }

    /// Whether it is one address only.
    pub fn is_host(self) -> bool {
        self.length == if self.base.is_v4() { 32 } else { 128 }
    }

    /// Whether an address lies in it.
    pub fn contains(self, address: Ip) -> bool {
        address.is_v4() == self.base.is_v4()
            && Network::new(address, self.length).is_some_and(|network| network.base == self.base)
    }

    /// Reads `192.0.2.0/24`, `2001:db8::/32` or a single address.
    pub fn parse(text: &str) -> Option<Network> {
        match text.split_once('/') {
            None => Ip::parse(text.as_bytes()).map(Network::host),
            Some((address, length)) => {
                let length = schemas::parse_u64(length.as_bytes()).and_then(|length| u8::try_from(length).ok())?;
                Network::new(Ip::parse(address.as_bytes())?, length)
            }
        }
    }

    fn first_last(self) -> (u128, u128) {
        let (bits, base) = key(self.base);
        let keep = bits - u32::from(self.length);
        (base, if keep == 128 { u128::MAX } else { base | ((1 << keep) - 1) })
    }
}

fn keep_mapped(mut base: [u8; 16]) -> [u8; 16] {
    base[10] = 0xff;
    base[11] = 0xff;
    base
}

/// Bits of the address's family, and the address as a number in it.
fn key(address: Ip) -> (u32, u128) {
    if address.is_v4() { (32, address.to_bits() & u128::from(u32::MAX)) } else { (128, address.to_bits()) }
}

/// A value of a network for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrefixEntry {
    /// Where it holds.
    pub network: Network,
    /// From when it holds, microseconds UTC; `i64::MIN` for always.
    pub from_us: i64,
    /// Until when, exclusive; `i64::MAX` for ever.
    pub until_us: i64,
    /// The value, mostly an index.
    pub value: u32,
}

impl PrefixEntry {
    fn holds(&self, time_us: i64) -> bool {
        self.from_us <= time_us && time_us < self.until_us
    }

    fn always(&self) -> bool {
        self.from_us == i64::MIN && self.until_us == i64::MAX
    }
}

/// What a table says of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// No prefix covers it at any time.
    Nothing,
    /// The same value at all times.
    Always(u32),
    /// It depends on the time: ask [`PrefixTable::at`] with this node.
    Timed(u32),
}

const NONE: u32 = u32::MAX;

struct Node {
    entries: std::ops::Range<u32>,
    parent: u32,
}

/// The address space of one family, cut where the answer changes. Starts and answers lie apart from the entries, so
/// that a look-up touches two short arrays and nothing else.
#[derive(Default)]
struct Segments<N> {
    starts: Vec<N>,
    answers: Vec<Answer>,
    /// For each value of the first 16 bits the number of starts below it, and all of them at the end.
    index: Vec<u32>,
}

/// A table of prefixes with times.
#[derive(Default)]
pub struct PrefixTable {
    entries: Vec<PrefixEntry>,
    nodes: Vec<Node>,
    v4: Segments<u32>,
    v6: Segments<u128>,
}

impl PrefixTable {
    /// Builds the table. Where two entries of the same network hold at the same time, the one that began later
    /// counts, and of two that began together the later one of the list.
    pub fn build(list: &[PrefixEntry]) -> PrefixTable {
        let mut entries: Vec<(usize, PrefixEntry)> = list.iter().copied().enumerate().collect();
        entries.sort_by_key(|(at, entry)| {
            let (bits, base) = key(entry.network.base);
            (bits, base, entry.network.length, std::cmp::Reverse((entry.from_us, *at)))
        });
        let entries: Vec<PrefixEntry> = entries.into_iter().map(|(_, entry)| entry).collect();
        let mut table = PrefixTable { entries, ..PrefixTable::default() };
        let mut cuts: [Vec<(u128, u32)>; 2] = Default::default();
        let mut open: Vec<(u128, u32)> = Vec::new();
        let mut family = 32;
        let mut at = 0;
        while at < table.entries.len() {
            let network = table.entries[at].network;
            let end = at + table.entries[at..].iter().take_while(|entry| entry.network == network).count();
            let bits = key(network.base).0;
            if bits != family {
                close(&mut cuts[0], &mut open, None);
                family = bits;
            }
            let cuts = &mut cuts[usize::from(bits != 32)];
            let (first, last) = network.first_last();
            close(cuts, &mut open, Some(first));
            let node = table.nodes.len() as u32;
            let parent = open.last().map_or(NONE, |(_, node)| *node);
            table.nodes.push(Node { entries: at as u32..end as u32, parent });
            cut(cuts, first, node);
            open.push((last, node));
            at = end;
        }
        close(&mut cuts[usize::from(family != 32)], &mut open, None);
        let [v4, v6] = cuts;
        let answer = |node| table.answer(node);
        // what lies behind 255.255.255.255 is no address
        let inside = v4.iter().filter_map(|(start, node)| Some((u32::try_from(*start).ok()?, *node)));
        table.v4 = Segments::new(inside.map(|(start, node)| (start, answer(node))), |start| start >> 16);
        let answer = |node| table.answer(node);
        let v6 = Segments::new(v6.iter().map(|(start, node)| (*start, answer(*node))), |start| (start >> 112) as u32);
        table.v6 = v6;
        table
    }

    fn answer(&self, node: u32) -> Answer {
        if node == NONE {
            return Answer::Nothing;
        }
        let first = &self.entries[self.nodes[node as usize].entries.start as usize];
        if first.always() { Answer::Always(first.value) } else { Answer::Timed(node) }
    }

    /// What is known of an address.
    #[inline]
    pub fn look_up(&self, address: Ip) -> Answer {
        let (bits, number) = key(address);
        if bits == 32 {
            let number = number as u32;
            self.v4.answer(number, number >> 16)
        } else {
            self.v6.answer(number, (number >> 112) as u32)
        }
    }

    /// The value that held at a time, for the node of an [`Answer::Timed`].
    pub fn at(&self, node: u32, time_us: i64) -> Option<u32> {
        let mut node = node;
        while node != NONE {
            let Node { entries, parent } = &self.nodes[node as usize];
            let entries = &self.entries[entries.start as usize..entries.end as usize];
            if let Some(entry) = entries.iter().find(|entry| entry.holds(time_us)) {
                return Some(entry.value);
            }
            node = *parent;
        }
        None
    }

    /// The value of an address at a time.
    pub fn value(&self, address: Ip, time_us: i64) -> Option<u32> {
        match self.look_up(address) {
            Answer::Nothing => None,
            Answer::Always(value) => Some(value),
            Answer::Timed(node) => self.at(node, time_us),
        }
    }
}

/// Closes the open prefixes that end before `next`, or all of them.
fn close(cuts: &mut Vec<(u128, u32)>, open: &mut Vec<(u128, u32)>, next: Option<u128>) {
    while let Some((last, _)) = open.last().copied() {
        if next.is_some_and(|next| next <= last) {
            return;
        }
        open.pop();
        if let Some(after) = last.checked_add(1) {
            cut(cuts, after, open.last().map_or(NONE, |(_, node)| *node));
        }
    }
}

/// From `start` on the innermost prefix is `node`.
fn cut(cuts: &mut Vec<(u128, u32)>, start: u128, node: u32) {
    if cuts.last().is_some_and(|(last, _)| *last == start) {
        cuts.pop();
    }
    cuts.push((start, node));
}

impl<N: Copy + Ord> Segments<N> {
    fn new(cuts: impl Iterator<Item = (N, Answer)>, head: impl Fn(N) -> u32) -> Segments<N> {
        let (starts, answers): (Vec<N>, Vec<Answer>) = cuts.unzip();
        let mut index = Vec::new();
        if !starts.is_empty() {
            let mut at = 0;
            for value in 0..=u32::from(u16::MAX) {
                while starts.get(at).is_some_and(|start| head(*start) < value) {
                    at += 1;
                }
                index.push(at as u32);
            }
            index.push(starts.len() as u32);
        }
        Segments { starts, answers, index }
    }

    #[inline]
    fn answer(&self, number: N, head: u32) -> Answer {
        let [from, to] = match self.index.get(head as usize..) {
            Some([from, to, ..]) => [*from as usize, *to as usize],
            Some(_) | None => return Answer::Nothing,
        };
        let at = from + self.starts[from..to].partition_point(|start| *start <= number);
        match at.checked_sub(1) {
            Some(at) => self.answers[at],
            None => Answer::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Obviously right: look at every entry.
    fn slow(list: &[PrefixEntry], address: Ip, time_us: i64) -> Option<u32> {
        list.iter()
            .enumerate()
            .filter(|(_, entry)| entry.network.contains(address) && entry.holds(time_us))
            .max_by_key(|(at, entry)| (entry.network.length, entry.from_us, *at))
            .map(|(_, entry)| entry.value)
    }

    fn address() -> impl Strategy<Value = Ip> {
        prop_oneof![
            (0u8..4, 0u8..4).prop_map(|(c, d)| Ip::v4([10, 0, c, d])),
            (0u8..4, 0u8..4).prop_map(|(c, d)| {
                let mut bytes = [0; 16];
                (bytes[0], bytes[14], bytes[15]) = (0x20, c, d);
                Ip(bytes)
            }),
            Just(Ip::v4([255, 255, 255, 255])),
            Just(Ip([255; 16])),
        ]
    }

    fn entry() -> impl Strategy<Value = PrefixEntry> {
        let length = prop_oneof![Just(0u8), 20u8..=32, 112u8..=128];
        let from = prop_oneof![2 => Just(i64::MIN), 1 => 0i64..6];
        let until = prop_oneof![2 => Just(i64::MAX), 1 => 0i64..6];
        (address(), length, from, until, 0u32..1000).prop_map(|(ip, length, from_us, until_us, value)| {
            let length = if ip.is_v4() { length.min(32) } else { length };
            let network = Network::new(ip, length).expect("the length fits");
            PrefixEntry { network, from_us, until_us, value }
        })
    }

    proptest! {
        #[test]
        fn the_table_agrees_with_a_look_at_every_entry(
            list in proptest::collection::vec(entry(), 0..24),
            asked in proptest::collection::vec((address(), -1i64..7), 1..40),
        ) {
            let table = PrefixTable::build(&list);
            for (ip, time_us) in asked {
                prop_assert_eq!(table.value(ip, time_us), slow(&list, ip, time_us), "{} at {}", ip, time_us);
            }
        }
    }

    #[test]
    fn a_network_reads_with_and_without_its_length() {
        for (text, inside, outside) in [
            ("192.0.2.7/24", "192.0.2.255", "192.0.3.0"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("2001:db8::/32", "2001:db8::1", "2001:db9::1"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("::/0", "2001:db8::1", "192.0.2.1"),
        ] {
            let network = Network::parse(text).expect(text);
            assert!(network.contains(Ip::parse(inside.as_bytes()).expect(inside)), "{text}");
            assert!(!network.contains(Ip::parse(outside.as_bytes()).expect(outside)), "{text}");
        }
        for text in ["192.0.2.0/33", "192.0.2/24", "host", "", "192.0.2.0/", "2001:db8::/129"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
