//! Random numbers and text for the generator.
//!
//! Own and small: the sequence must stay the same for ever (tests hold its bytes), which no library promises, and
//! `core::fmt` is three times slower than pushing digits, at the million lines a second that the benches want.

/// SplitMix64. Source: Steele, Lea, Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// A generator whose sequence depends on the seed only.
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    /// The next 64 bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number in `0..bound`; the bias of at most 2^-32 is of no account here.
    #[inline]
    pub fn below(&mut self, bound: u32) -> u32 {
        (((self.bits() >> 32) * u64::from(bound)) >> 32) as u32
    }

    /// A number in `low..high`.
    #[inline]
    pub fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low)
    }

    /// A number in `0..bound`, small ones far more often: some hosts and sites are busier than others.
    #[inline]
    pub fn skewed(&mut self, bound: u32) -> u32 {
        let (a, b) = (self.below(bound), self.below(bound));
        (u64::from(a) * u64::from(b) / u64::from(bound)) as u32
    }

    /// True in so many of a thousand cases.
    #[inline]
    pub fn permille(&mut self, share: u32) -> bool {
        self.below(1000) < share
    }

    /// One of a list that is not empty.
    #[inline]
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u32) as usize]
    }
}

/// Spreads the bits of a number over all others.
#[inline]
pub fn mix(number: u64) -> u64 {
    let z = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Something that can be appended to a line.
pub trait Put {
    /// Appends it.
    fn put(self, out: &mut Vec<u8>);
}

/// Appends its parts to a line: strings as they are, numbers in decimal.
macro_rules! put {
    ($out:expr; $($part:expr),+ $(,)?) => {{
        let out: &mut Vec<u8> = $out;
        $( $crate::demo::text::Put::put($part, out); )+
    }};
}
pub(super) use put;

impl Put for &str {
    #[inline]
    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}

impl Put for char {
    #[inline]
    fn put(self, out: &mut Vec<u8>) {
        out.push(self as u8);
    }
}

impl Put for u64 {
    #[inline]
    fn put(self, out: &mut Vec<u8>) {
        let mut digits = [0; 20];
        let (mut at, mut rest) = (20, self);
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        out.extend_from_slice(&digits[at..]);
    }
}

impl Put for u32 {
    #[inline]
    fn put(self, out: &mut Vec<u8>) {
        u64::from(self).put(out);
    }
}

impl Put for u16 {
    #[inline]
    fn put(self, out: &mut Vec<u8>) {
        u64::from(self).put(out);
    }
}

impl Put for u8 {
    #[inline]
    fn put(self, out: &mut Vec<u8>) {
        u64::from(self).put(out);
    }
}

/// A number with leading zeros up to a width.
pub struct Pad(pub u32, pub u32);

impl Put for Pad {
    #[inline]
    fn put(self, out: &mut Vec<u8>) {
        let mut divisor = 10u32.pow(self.0 - 1);
        while divisor > 0 {
            out.push(b'0' + (self.1 / divisor % 10) as u8);
            divisor /= 10;
        }
    }
}

/// A number in lower-case hexadecimal digits, without leading zeros.
pub struct Hex(pub u64);

impl Put for Hex {
    fn put(self, out: &mut Vec<u8>) {
        let digits = (64 - self.0.leading_zeros()).div_ceil(4).max(1);
        (0..digits).rev().for_each(|at| out.push(b"0123456789abcdef"[(self.0 >> (4 * at) & 15) as usize]));
    }
}

/// An IPv4 address.
pub struct Ip(pub u32);

impl Put for Ip {
    #[inline]
    fn put(self, out: &mut Vec<u8>) {
        let [a, b, c, d] = self.0.to_be_bytes();
        for (at, byte) in [a, b, c, d].into_iter().enumerate() {
            if at > 0 {
                out.push(b'.');
            }
            if byte >= 100 {
                out.push(b'0' + byte / 100);
            }
            if byte >= 10 {
                out.push(b'0' + byte / 10 % 10);
            }
            out.push(b'0' + byte % 10);
        }
    }
}

/// Year, month and day in UTC of a time in microseconds since 1970.
fn date(us: u64) -> (u32, u32, u32) {
    let (year, month, day) = schemas::write::civil((us / 86_400_000_000) as i64);
    (year as u32, month.into(), day.into())
}

#[inline]
fn put_clock(us: u64, out: &mut Vec<u8>) {
    let second = (us / 1_000_000 % 86_400) as u32;
    put!(out; Pad(2, second / 3600), ':', Pad(2, second / 60 % 60), ':', Pad(2, second % 60));
}

#[inline]
fn put_date(us: u64, out: &mut Vec<u8>) {
    let (year, month, day) = date(us);
    put!(out; Pad(4, year), '-', Pad(2, month), '-', Pad(2, day));
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// How a log writes a time; the number is microseconds since 1970.
pub enum Stamp {
    /// `2026-11-17T08:00:00.123456`, no zone.
    Micros(u64),
    /// `2026-11-17T08:00:00.123`, no zone.
    Millis(u64),
    /// `2026-11-17 08:00:00.123`.
    BlankMillis(u64),
    /// `Nov 17 08:00:00`.
    Bsd(u64),
    /// `Nov 17 2026 08:00:00`.
    BsdYear(u64),
    /// `date=2026-11-17 time=08:00:00`.
    Pairs(u64),
}

impl Put for Stamp {
    fn put(self, out: &mut Vec<u8>) {
        match self {
            Stamp::Micros(us) => {
                put_date(us, out);
                out.push(b'T');
                put_clock(us, out);
                put!(out; '.', Pad(6, (us % 1_000_000) as u32));
            }
            Stamp::Millis(us) => {
                put_date(us, out);
                out.push(b'T');
                put_clock(us, out);
                put!(out; '.', Pad(3, (us / 1000 % 1000) as u32));
            }
            Stamp::BlankMillis(us) => {
                put_date(us, out);
                out.push(b' ');
                put_clock(us, out);
                put!(out; '.', Pad(3, (us / 1000 % 1000) as u32));
            }
            Stamp::Bsd(us) => {
                let (_, month, day) = date(us);
                put!(out; MONTHS[month as usize - 1], if day < 10 { "  " } else { " " }, day, ' ');
                put_clock(us, out);
            }
            Stamp::BsdYear(us) => {
                let (year, month, day) = date(us);
                put!(out; MONTHS[month as usize - 1], ' ', Pad(2, day), ' ', year, ' ');
                put_clock(us, out);
            }
            Stamp::Pairs(us) => {
                out.extend_from_slice(b"date=");
                put_date(us, out);
                out.extend_from_slice(b" time=");
                put_clock(us, out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(part: impl Put) -> String {
        let mut out = Vec::new();
        part.put(&mut out);
        String::from_utf8(out).expect("the generator writes ASCII")
    }

    #[test]
    fn times_are_written_as_each_log_writes_them() {
        let us = 1_772_323_199_000_456; // 2026-02-28T23:59:59.000456Z
        assert_eq!(text(Stamp::Micros(us)), "2026-02-28T23:59:59.000456");
        assert_eq!(text(Stamp::Millis(us + 1_000_000)), "2026-03-01T00:00:00.000");
        assert_eq!(text(Stamp::BlankMillis(us)), "2026-02-28 23:59:59.000");
        assert_eq!(text(Stamp::Bsd(us + 1_000_000)), "Mar  1 00:00:00");
        assert_eq!(text(Stamp::BsdYear(us)), "Feb 28 2026 23:59:59");
        assert_eq!(text(Stamp::Pairs(us)), "date=2026-02-28 time=23:59:59");
    }

    #[test]
    fn numbers_and_addresses_are_written_in_full() {
        assert_eq!(text(Ip(0xC000_0209)), "192.0.2.9");
        assert_eq!(text(Ip(0x0AFF_640A)), "10.255.100.10");
        assert_eq!(text(u64::MAX), "18446744073709551615");
        assert_eq!(text(0u32), "0");
        assert_eq!(text(Hex(0)), "0");
        assert_eq!(text(Hex(0x1_0F0A)), "10f0a");
        assert_eq!(text(Pad(6, 42)), "000042");
    }
}
