//! The value types of columns, and how text becomes one of them.
//!
//! Six ways of storing a value are enough for every field: 8-byte signed (times), 8-byte unsigned
//! (counters), 16-byte addresses, 2-byte ports, single bytes (words, flags, percents) and spans of text.
//! A [`Key`] ties a field to its type at compile time, so that a counter can't be put into an address.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::fmt;
use std::marker::PhantomData;

use crate::batch::Span;
use crate::columns::Columns;
use crate::fields::Field;
use crate::words::Word;

/// An address: IPv6 as it is, IPv4 as its mapped form `::ffff:a.b.c.d`, so that both sort and compare alike.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[repr(transparent)]
pub struct Ip(pub [u8; 16]);

const MAPPED: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

impl Ip {
    /// From the four bytes of an IPv4 address.
    #[inline]
    pub const fn v4(a: [u8; 4]) -> Ip {
        Ip([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a[0], a[1], a[2], a[3]])
    }

    /// Whether it is an IPv4 address (also one that was written in its mapped IPv6 form).
    #[inline]
    pub fn is_v4(self) -> bool {
        self.0[..12] == MAPPED
    }

    /// As the standard library's address, IPv4 where it is one.
    pub fn to_std(self) -> IpAddr {
        if self.is_v4() {
            IpAddr::V4(Ipv4Addr::new(self.0[12], self.0[13], self.0[14], self.0[15]))
        } else {
            IpAddr::V6(Ipv6Addr::from(self.0))
        }
    }

    /// The address as a number, for ranges and prefixes.
    #[inline]
    pub fn to_bits(self) -> u128 {
        u128::from_be_bytes(self.0)
    }

    /// Reads an address: dotted IPv4 (1 to 3 digits a part, no more than 255), IPv6 as RFC 4291 section 2.2
    /// writes it, with or without brackets, an IPv6 zone (`%eth0`) cut off. `None` for anything else.
    pub fn parse(text: &[u8]) -> Option<Ip> {
        match parse_v4(text) {
            Some(ip) => Some(ip),
            None => parse_v6(text),
        }
    }
}

/// One to three digits in each of four parts. The parts' lengths are as good as random, so that none of the branches is by them.
#[inline]
fn parse_v4(text: &[u8]) -> Option<Ip> {
    let length = text.len();
    if !(7..=15).contains(&length) {
        return None;
    }
    let last = u32::from_le_bytes(*text.last_chunk()?);
    let (mut at, mut parts) = (0, [0; 4]);
    for (place, part) in parts.iter_mut().enumerate() {
        let four = match text.get(at..at + 4) {
            Some(four) => u32::from_le_bytes(*four.first_chunk()?),
            // zeros behind the end
            None if at < length => last >> (8 * (at + 4 - length)),
            None => return None,
        };
        let digits = four ^ 0x3030_3030;
        // the high bit of each byte that is more than 9: exact, since no carry leaves a byte
        let others = (((digits & 0x7f7f_7f7f) + 0x7676_7676) | digits) & 0x8080_8080;
        let bits = others.trailing_zeros() & !7;
        if bits == 0 || bits > 24 {
            return None;
        }
        // the last digit to the third byte, and zeros before the first
        let three = digits << (32 - bits) >> 8;
        *part = u8::try_from((three & 0xff) * 100 + (three >> 8 & 0xff) * 10 + (three >> 16)).ok()?;
        at += bits as usize / 8;
        if place < 3 {
            if text.get(at) != Some(&b'.') {
                return None;
            }
            at += 1;
        }
    }
    (at == length).then_some(Ip::v4(parts))
}

fn parse_v6(text: &[u8]) -> Option<Ip> {
    let text = text.strip_prefix(b"[").map_or(text, |rest| rest.strip_suffix(b"]").unwrap_or(rest));
    if text.len() < 2 || text.len() > 45 + 17 || !text.contains(&b':') {
        return None;
    }
    let text = text.split(|byte| *byte == b'%').next()?;
    let address: Ipv6Addr = std::str::from_utf8(text).ok()?.parse().ok()?;
    Some(Ip(address.octets()))
}

impl From<IpAddr> for Ip {
    fn from(address: IpAddr) -> Ip {
        match address {
            IpAddr::V4(v4) => Ip::v4(v4.octets()),
            IpAddr::V6(v6) => Ip(v6.octets()),
        }
    }
}

impl fmt::Display for Ip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_std().fmt(f)
    }
}

impl fmt::Debug for Ip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_std().fmt(f)
    }
}

/// A confidence, 0..=100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u8);

impl Percent {
    /// A percentage; anything above 100 becomes 100.
    pub const fn new(value: u8) -> Percent {
        Percent(if value > 100 { 100 } else { value })
    }
    /// The number, 0..=100.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// How a column stores its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// Microseconds since 1970 in UTC, signed.
    Time,
    /// An unsigned counter, at most `i64::MAX`.
    Long,
    /// An address, see [`Ip`].
    Ip,
    /// A port, 0..=65535.
    Port,
    /// A percentage, 0..=100, in a byte.
    Percent,
    /// A word of a closed vocabulary, in a byte that indexes these texts.
    Word(&'static [&'static str]),
    /// Bytes as they were received, mostly UTF-8.
    Text,
    /// Several texts, separated by line feeds inside the batch; an array in every format that has arrays.
    List,
}

impl FieldType {
    /// Whether it is the word list of [`crate::Flag`], which formats with booleans write as such.
    pub fn is_flag(self) -> bool {
        matches!(self, FieldType::Word(["false", "true"]))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
#[doc(hidden)]
pub enum Storage {
    Time,
    Long,
    Ip,
    Port,
    Byte,
    Span,
}

/// A type of column: its Rust value and where a batch keeps it.
pub trait Kind: 'static {
    /// What [`Key`]s of this kind get and set.
    type Value: Copy;
    /// What a column holds.
    type Stored: Copy + Default;
    /// The type as data.
    const TYPE: FieldType;
    #[doc(hidden)]
    const STORAGE: Storage;
    #[doc(hidden)]
    fn store(value: Self::Value) -> Self::Stored;
    #[doc(hidden)]
    fn load(stored: Self::Stored) -> Self::Value;
    #[doc(hidden)]
    fn columns(columns: &Columns) -> &[Vec<Self::Stored>];
    #[doc(hidden)]
    fn columns_mut(columns: &mut Columns) -> &mut [Vec<Self::Stored>];
}

/// Marks a column of times.
pub enum Time {}
/// Marks a column of counters.
pub enum Long {}
/// Marks a column of ports.
pub enum Port {}
/// Marks a column of texts.
pub enum Text {}
/// Marks a column of lists of texts.
pub enum List {}

macro_rules! kind {
    ($kind:ty, $value:ty, $stored:ty, $type:expr, $storage:ident, $columns:ident, $store:expr, $load:expr) => {
        impl Kind for $kind {
            type Value = $value;
            type Stored = $stored;
            const TYPE: FieldType = $type;
            const STORAGE: Storage = Storage::$storage;
            #[inline]
            fn store(value: $value) -> $stored {
                $store(value)
            }
            #[inline]
            fn load(stored: $stored) -> $value {
                $load(stored)
            }
            #[inline]
            fn columns(columns: &Columns) -> &[Vec<$stored>] {
                &columns.$columns
            }
            #[inline]
            fn columns_mut(columns: &mut Columns) -> &mut [Vec<$stored>] {
                &mut columns.$columns
            }
        }
    };
}

fn same<T>(value: T) -> T {
    value
}

kind!(Time, i64, i64, FieldType::Time, Time, times, same, same);
kind!(Long, u64, u64, FieldType::Long, Long, longs, same, same);
kind!(Ip, Ip, Ip, FieldType::Ip, Ip, ips, same, same);
kind!(Port, u16, u16, FieldType::Port, Port, ports, same, same);
kind!(Percent, Percent, u8, FieldType::Percent, Byte, bytes, Percent::get, Percent::new);
kind!(Text, Span, Span, FieldType::Text, Span, spans, same, same);
kind!(List, Span, Span, FieldType::List, Span, spans, same, same);

impl<W: Word> Kind for W {
    type Value = W;
    type Stored = u8;
    const TYPE: FieldType = FieldType::Word(W::WORDS);
    const STORAGE: Storage = Storage::Byte;
    #[inline]
    fn store(value: W) -> u8 {
        value.byte()
    }
    #[inline]
    fn load(stored: u8) -> W {
        W::from_byte(stored).expect("a stored byte comes from a word")
    }
    #[inline]
    fn columns(columns: &Columns) -> &[Vec<u8>] {
        &columns.bytes
    }
    #[inline]
    fn columns_mut(columns: &mut Columns) -> &mut [Vec<u8>] {
        &mut columns.bytes
    }
}

/// A field together with the type of its column, known at compile time.
pub struct Key<K> {
    /// The field.
    pub field: Field,
    pub(crate) slot: usize,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Key<K> {
    pub(crate) const fn new(field: Field, slot: usize) -> Key<K> {
        Key { field, slot, kind: PhantomData }
    }
}

impl<K> Clone for Key<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Key<K> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_in_every_usual_form() {
        for (text, want) in [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
        ] {
            assert_eq!(Ip::parse(text.as_bytes()).map(|ip| ip.to_string()).as_deref(), Some(want));
        }
        for text in ["", "1.2.3", "1.2.3.256", "1.2.3.4.5", "1..2.3", "host", "1.2.3.4 ", "12345"] {
            assert_eq!(Ip::parse(text.as_bytes()), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_address_reads_back(bits: u128, v4: [u8; 4]) {
            let six = Ip(bits.to_be_bytes());
            proptest::prop_assert_eq!(Ip::parse(six.to_string().as_bytes()), Some(six));
            let four = Ip::v4(v4);
            proptest::prop_assert_eq!(Ip::parse(four.to_string().as_bytes()), Some(four));
        }
    }
}
