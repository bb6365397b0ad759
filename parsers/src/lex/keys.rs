//! A constant table from a vendor's key to what a family does with it.
//!
//! Built while compiling: an open-addressed table of indexes over a plain list, so that a family is
//! mostly data and a look-up costs one hash and, as a rule, one comparison. A perfect hash would save
//! that comparison's retry for a build script; a `match` on byte strings compares key after key.

/// From names to values of `T`. `SLOTS` is a power of two, at least twice the number of names.
///
/// ```
/// use parsers::lex::keys::KeyMap;
/// static PORTS: KeyMap<u16, 8> = KeyMap::new(&[("ssh", 22), ("https", 443)]);
/// assert_eq!(PORTS.get(b"https"), Some(443));
/// assert_eq!(PORTS.get(b"HTTPS"), None);
/// ```
pub struct KeyMap<T: 'static, const SLOTS: usize> {
    entries: &'static [(&'static str, T)],
    slots: [u16; SLOTS],
}

impl<T: Copy + 'static, const SLOTS: usize> KeyMap<T, SLOTS> {
    /// Builds the table; meant for a `static`. A name that occurs twice, or too few slots, fail the build.
    pub const fn new(entries: &'static [(&'static str, T)]) -> KeyMap<T, SLOTS> {
        assert!(SLOTS.is_power_of_two(), "SLOTS is a power of two");
        assert!(
            entries.len() * 2 <= SLOTS && entries.len() < u16::MAX as usize,
            "SLOTS is at least twice the number of names"
        );
        let mut slots = [0u16; SLOTS];
        let mut index = 0;
        while index < entries.len() {
            let name = entries[index].0.as_bytes();
            let mut slot = hash(name) as usize & (SLOTS - 1);
            while slots[slot] != 0 {
                assert!(!same(entries[slots[slot] as usize - 1].0.as_bytes(), name), "a name occurs twice");
                slot = (slot + 1) & (SLOTS - 1);
            }
            slots[slot] = index as u16 + 1;
            index += 1;
        }
        KeyMap { entries, slots }
    }

    /// The value of `key`, which is compared byte by byte.
    #[inline]
    pub fn get(&self, key: &[u8]) -> Option<T> {
        self.find(key).copied()
    }

    /// The same where it lies in the table.
    #[inline]
    pub fn find(&self, key: &[u8]) -> Option<&'static T> {
        let mut slot = hash(key) as usize & (SLOTS - 1);
        loop {
            let index = self.slots[slot];
            if index == 0 {
                return None;
            }
            let (name, value) = &self.entries[index as usize - 1];
            if super::scan::same(name.as_bytes(), key) {
                return Some(value);
            }
            slot = (slot + 1) & (SLOTS - 1);
        }
    }

    /// The list that the table was made from.
    pub fn entries(&self) -> &'static [(&'static str, T)] {
        self.entries
    }
}

const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// Length, first, middle and last eight bytes, folded by multiplication. Keys are the table's, not an attacker's, so a seed
/// would buy nothing: a chain is at most as long as the list.
#[inline]
const fn hash(key: &[u8]) -> u64 {
    let length = key.len();
    let mut state = length as u64;
    if length >= 8 {
        state = fold(state, word(key, 0) ^ word(key, (length - 8) / 2).rotate_left(21));
        state = fold(state, word(key, length - 8));
    } else if length >= 4 {
        state = fold(state, half(key, 0) | half(key, length - 4) << 32);
    } else if length > 0 {
        state = fold(state, key[0] as u64 | (key[length / 2] as u64) << 8 | (key[length - 1] as u64) << 16);
    }
    state ^ state >> 29
}

#[inline]
const fn fold(state: u64, word: u64) -> u64 {
    let product = (state ^ word) as u128 * MIX as u128;
    product as u64 ^ (product >> 64) as u64
}

#[inline(always)]
const fn half(key: &[u8], at: usize) -> u64 {
    let (_, from) = key.split_at(at);
    match from.first_chunk() {
        Some(four) => u32::from_le_bytes(*four) as u64,
        // Callers leave four bytes.
        None => 0,
    }
}

#[inline(always)]
const fn word(key: &[u8], at: usize) -> u64 {
    let (_, from) = key.split_at(at);
    match from.first_chunk() {
        Some(eight) => u64::from_le_bytes(*eight),
        // Callers leave eight bytes.
        None => 0,
    }
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    static MAP: KeyMap<u8, 32> = KeyMap::new(&[
        ("", 0),
        ("a", 1),
        ("ab", 2),
        ("srcip", 3),
        ("dstip", 4),
        ("srcport", 5),
        ("winlog.event_data.TargetUserName", 6),
        ("winlog.event_data.TargetUserSid", 7),
        ("12345678", 8),
        ("123456789", 9),
    ]);

    #[test]
    fn every_name_is_found_and_nothing_else() {
        for (name, value) in MAP.entries() {
            assert_eq!(MAP.get(name.as_bytes()), Some(*value), "{name}");
        }
        for other in ["b", "abc", "SRCIP", "winlog.event_data.TargetUserNam", "1234567"] {
            assert_eq!(MAP.get(other.as_bytes()), None, "{other}");
        }
    }
}
