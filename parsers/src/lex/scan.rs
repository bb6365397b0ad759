//! Searches over short distances: sixteen bytes at a time where the processor surely can, else eight.
//!
//! Keys and values of a log are a few bytes long, so that a call of `memchr` costs more than the search itself. Its SSE2 part
//! needs no call: every x86-64 has SSE2, so the search stands where it is used. Source for the zero-byte test: Warren,
//! Hacker's Delight, section 6-1.

#[cfg(target_arch = "x86_64")]
use memchr::arch::x86_64::sse2::memchr::{Three, Two};
#[cfg(target_arch = "x86_64")]
use memchr::arch::x86_64::sse2::packedpair::Finder;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The high bit of each byte that is 0; above the lowest such byte there may be others by mistake.
#[inline(always)]
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word
}

#[inline(always)]
fn word_at(text: &[u8], at: usize) -> Option<u64> {
    text.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

/// Where the first `a` or `b` stands, from `at` on; the text's length if there is none.
#[inline(always)]
pub fn find2(text: &[u8], at: usize, a: u8, b: u8) -> usize {
    #[cfg(target_arch = "x86_64")]
    if let Some(rest) = text.get(at..).filter(|rest| rest.len() >= 16)
        && let Some(two) = Two::new(a, b)
    {
        return two.find(rest).map_or(text.len(), |found| at + found);
    }
    find2_in_words(text, at, a, b)
}

/// Where a short needle stands. A text of some hundred bytes is searched sooner than a searcher for long ones is made.
#[inline]
pub fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    if needle.len() <= 32
        && let Some(finder) = Finder::new(needle)
        && text.len() >= finder.min_haystack_len()
    {
        return finder.find(text, needle);
    }
    memchr::memmem::find(text, needle)
}

/// Whether one of the places where one of two bytes stands is as `wanted` says. For texts of some hundred bytes and a dozen places.
#[inline(always)]
pub fn any2(text: &[u8], a: u8, b: u8, wanted: impl FnMut(usize) -> bool) -> bool {
    #[cfg(target_arch = "x86_64")]
    if let Some(two) = Two::new(a, b) {
        return two.iter(text).any(wanted);
    }
    memchr::memchr2_iter(a, b, text).any(wanted)
}

/// The same for three bytes.
#[inline(always)]
pub fn find3(text: &[u8], at: usize, a: u8, b: u8, c: u8) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    #[cfg(target_arch = "x86_64")]
    if rest.len() >= 16
        && let Some(three) = Three::new(a, b, c)
    {
        return three.find(rest).map_or(text.len(), |found| at + found);
    }
    let found = rest.iter().position(|&byte| byte == a || byte == b || byte == c);
    found.map_or(text.len(), |found| at + found)
}

#[inline(never)]
fn find2_in_words(text: &[u8], mut at: usize, a: u8, b: u8) -> usize {
    let (many_a, many_b) = (ONES * u64::from(a), ONES * u64::from(b));
    while let Some(word) = word_at(text, at) {
        let hits = (zeros(word ^ many_a) | zeros(word ^ many_b)) & HIGHS;
        if hits != 0 {
            return at + hits.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let tail = text.get(at..).unwrap_or_default();
    tail.iter().position(|&byte| byte == a || byte == b).map_or(text.len(), |found| at + found)
}

/// Where the first byte stands that is no digit, from `at` on, as far as words go: the last few bytes of a text are not looked at.
#[inline(always)]
pub fn digits_end(text: &[u8], mut at: usize) -> usize {
    while let Some(word) = word_at(text, at) {
        let digits = word ^ (ONES * 0x30);
        // the high bit of each byte that is more than 9; of bytes above the first there may be some too many
        let others = (digits.wrapping_add(ONES * 0x76) | digits) & HIGHS;
        if others != 0 {
            return at + others.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at
}

/// Where the first blank, tab, CR or LF stands, from `at` on; the text's length if there is none.
#[inline]
pub fn find_blank(text: &[u8], mut at: usize) -> usize {
    let is_blank = |byte: u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    // any byte up to the blank
    let hits = |word: u64| word.wrapping_sub(ONES * 0x21) & !word & HIGHS;
    // two words at once: which of them it is in would be guessed wrong
    while let Some(bytes) = text.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        let both = u128::from_le_bytes(*bytes);
        let (first, second) = (hits(both as u64), hits((both >> 64) as u64));
        if first | second == 0 {
            at += 16;
            continue;
        }
        let bits = if first == 0 { 64 + second.trailing_zeros() } else { first.trailing_zeros() };
        at += bits as usize / 8;
        if is_blank(text[at]) {
            return at;
        }
        // another control character
        at += 1;
    }
    while let Some(word) = word_at(text, at) {
        let hits = hits(word);
        if hits == 0 {
            at += 8;
            continue;
        }
        at += hits.trailing_zeros() as usize / 8;
        if is_blank(text[at]) {
            return at;
        }
        // another control character
        at += 1;
    }
    let tail = text.get(at..).unwrap_or_default();
    tail.iter().position(|&byte| is_blank(byte)).map_or(text.len(), |found| at + found)
}

/// Whether two texts are the same: words compared in place, without a call, since names are short.
#[inline(always)]
pub fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let word = |text: &[u8], at: usize| {
        text.get(at..).and_then(|rest| rest.first_chunk()).map(|word| u64::from_le_bytes(*word))
    };
    let half = |text: &[u8], at: usize| {
        text.get(at..).and_then(|rest| rest.first_chunk()).map(|half| u32::from_le_bytes(*half))
    };
    match a.len() {
        length @ 8..=16 => word(a, 0) == word(b, 0) && word(a, length - 8) == word(b, length - 8),
        length @ 4..8 => half(a, 0) == half(b, 0) && half(a, length - 4) == half(b, length - 4),
        length @ 1..4 => a[0] == b[0] && a[length / 2] == b[length / 2] && a[length - 1] == b[length - 1],
        0 => true,
        _ => a == b,
    }
}

/// Copies `from` to the beginning of `to`, without a call where it is short. `None` if there is no room.
#[inline(always)]
pub fn copy(from: &[u8], to: &mut [u8]) -> Option<()> {
    let to = to.get_mut(..from.len())?;
    match from.len() {
        length @ 8..=16 => {
            let (first, last): (&[u8; 8], &[u8; 8]) = (from.first_chunk()?, from.last_chunk()?);
            to[..8].copy_from_slice(first);
            to[length - 8..].copy_from_slice(last);
        }
        length @ 4..8 => {
            let (first, last): (&[u8; 4], &[u8; 4]) = (from.first_chunk()?, from.last_chunk()?);
            to[..4].copy_from_slice(first);
            to[length - 4..].copy_from_slice(last);
        }
        0..4 => to.iter_mut().zip(from).for_each(|(to, from)| *to = *from),
        _ => to.copy_from_slice(from),
    }
    Some(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_finds_what_a_look_at_each_byte_finds(text in proptest::collection::vec(0u8..0x30, 0..70), from in 0usize..72) {
            let slow = |wanted: &dyn Fn(u8) -> bool| {
                let found = text.iter().skip(from).position(|byte| wanted(*byte));
                found.map_or(text.len(), |at| from + at)
            };
            prop_assert_eq!(find2(&text, from, 0, 0x21), slow(&|byte| byte == 0 || byte == 0x21));
            prop_assert_eq!(find2_in_words(&text, from, 0, 0x21), slow(&|byte| byte == 0 || byte == 0x21));
            prop_assert_eq!(find_blank(&text, from), slow(&|byte| b" \t\r\n".contains(&byte)));
        }

        #[test]
        fn texts_are_the_same_if_they_are(a in proptest::collection::vec(0u8..2, 0..40), b in proptest::collection::vec(0u8..2, 0..40)) {
            prop_assert_eq!(same(&a, &b), a == b);
            prop_assert!(same(&a, &a.clone()));
            let mut to = vec![9; b.len()];
            let fits = copy(&a, &mut to).is_some();
            prop_assert_eq!(fits, a.len() <= b.len());
            if fits {
                prop_assert_eq!(&to[..a.len()], &a[..]);
                prop_assert!(to[a.len()..].iter().all(|byte| *byte == 9));
            }
        }
    }
}
