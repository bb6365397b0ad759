//! Parquet's encodings of values: the few that the lake's columns need, each straight from a slice into bytes.
//!
//! Source: apache/parquet-format, Encodings.md. The tests have the parquet crate read back what is written here.

/// Values of a block of DELTA_BINARY_PACKED, and of a miniblock in it: what Parquet's own writers use for both widths of
/// numbers.
const BLOCK: usize = 128;
const MINIBLOCK: usize = 32;

/// Shortest run of equal codes that is worth leaving a run of packed ones for.
const RUN_MIN: usize = 8;

/// ULEB128.
#[inline]
fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[inline]
fn zigzag(value: i64, out: &mut Vec<u8>) {
    varint((value << 1 ^ value >> 63) as u64, out);
}

/// Bits that a number up to `max` takes.
#[inline]
pub(super) fn width_of(max: u32) -> u32 {
    u32::BITS - max.leading_zeros()
}

/// Appends values of `width` bits each, least significant bit first, filled up to whole bytes.
#[inline]
fn pack(values: impl Iterator<Item = u64>, width: u32, out: &mut Vec<u8>) {
    if width <= 32 {
        let (mut held, mut bits) = (0_u64, 0);
        for value in values {
            held |= value << bits;
            bits += width;
            if bits >= 32 {
                out.extend_from_slice(&(held as u32).to_le_bytes());
                held >>= 32;
                bits -= 32;
            }
        }
        out.extend_from_slice(&held.to_le_bytes()[..bits.div_ceil(8) as usize]);
    } else {
        let (mut held, mut bits) = (0_u128, 0);
        for value in values {
            held |= u128::from(value) << bits;
            bits += width;
            if bits >= 64 {
                out.extend_from_slice(&(held as u64).to_le_bytes());
                held >>= 64;
                bits -= 64;
            }
        }
        out.extend_from_slice(&held.to_le_bytes()[..bits.div_ceil(8) as usize]);
    }
}

/// RLE / bit-packing hybrid of codes that take at most `width` bits, without a length before it.
pub(super) fn hybrid(codes: &[u32], width: u32, out: &mut Vec<u8>) {
    let value_bytes = width.div_ceil(8) as usize;
    let (mut packed_from, mut at) = (0, 0);
    let packed = |codes: &[u32], out: &mut Vec<u8>| {
        if codes.is_empty() {
            return;
        }
        let groups = codes.len().div_ceil(8);
        varint((groups as u64) << 1 | 1, out);
        let filling = std::iter::repeat_n(0, groups * 8 - codes.len());
        pack(codes.iter().map(|code| u64::from(*code)).chain(filling), width, out);
    };
    while at < codes.len() {
        let code = codes[at];
        let run = codes[at..].iter().take_while(|other| **other == code).count();
        if run >= RUN_MIN {
            packed(&codes[packed_from..at], out);
            varint((run as u64) << 1, out);
            out.extend_from_slice(&code.to_le_bytes()[..value_bytes]);
            at += run;
            packed_from = at;
        } else {
            // packed values go in groups of eight, so a run can only begin where a group ends
            at += 8;
        }
    }
    packed(&codes[packed_from.min(codes.len())..], out);
}

/// The same for levels of one bit, from a bitmap of `count` bits.
pub(super) fn hybrid_bits(words: &[u64], count: usize, out: &mut Vec<u8>) {
    const RUN_BYTES_MIN: usize = 4;
    let bytes = count.div_ceil(8);
    let byte = |at: usize| (words[at / 8] >> (at % 8 * 8)) as u8;
    let (mut packed_from, mut at) = (0, 0);
    let packed = |from: usize, to: usize, out: &mut Vec<u8>| {
        if from < to {
            varint(((to - from) as u64) << 1 | 1, out);
            out.extend((from..to).map(byte));
        }
    };
    while at < bytes {
        let first = byte(at);
        let run = match first {
            0x00 | 0xff => (at..bytes).take_while(|other| byte(*other) == first).count(),
            _ => 0,
        };
        if run >= RUN_BYTES_MIN {
            packed(packed_from, at, out);
            let values = (run * 8).min(count - at * 8);
            varint((values as u64) << 1, out);
            out.push(first & 1);
            at += run;
            packed_from = at;
        } else {
            at += run.max(1);
        }
    }
    packed(packed_from, bytes, out);
}

/// One run of `count` equal levels of one bit.
pub(super) fn one_run(count: usize, level: u8, out: &mut Vec<u8>) {
    varint((count as u64) << 1, out);
    out.push(level);
}

/// DELTA_BINARY_PACKED of 64-bit numbers.
pub(super) fn delta_longs(values: &[i64], out: &mut Vec<u8>) {
    delta(values, i64::wrapping_sub, out);
}

/// DELTA_BINARY_PACKED of 32-bit numbers: their differences wrap at 32 bits.
pub(super) fn delta_ints(values: &[i32], out: &mut Vec<u8>) {
    delta(values, |next, last| i64::from(next.wrapping_sub(last)), out);
}

#[inline]
fn delta<T: Copy + Into<i64>>(values: &[T], difference: impl Fn(T, T) -> i64, out: &mut Vec<u8>) {
    varint(BLOCK as u64, out);
    varint((BLOCK / MINIBLOCK) as u64, out);
    varint(values.len() as u64, out);
    let Some((first, rest)) = values.split_first() else {
        out.push(0);
        return;
    };
    zigzag((*first).into(), out);
    let mut last = *first;
    let mut deltas = [0_i64; BLOCK];
    for block in rest.chunks(BLOCK) {
        let mut min = i64::MAX;
        for (slot, value) in deltas.iter_mut().zip(block) {
            *slot = difference(*value, last);
            min = min.min(*slot);
            last = *value;
        }
        zigzag(min, out);
        let above = |delta: &i64| delta.wrapping_sub(min) as u64;
        let miniblocks = deltas[..block.len()].chunks(MINIBLOCK);
        let widths_at = out.len();
        out.extend_from_slice(&[0; BLOCK / MINIBLOCK]);
        for (at, miniblock) in miniblocks.enumerate() {
            let width = u64::BITS - miniblock.iter().fold(0, |bits, delta| bits | above(delta)).leading_zeros();
            out[widths_at + at] = width as u8;
            let filling = std::iter::repeat_n(0, MINIBLOCK - miniblock.len());
            pack(miniblock.iter().map(above).chain(filling), width, out);
        }
    }
}

/// PLAIN of one text: its length, then its bytes.
#[inline]
pub(super) fn plain_text(text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(text.len() as u32).to_le_bytes());
    out.extend_from_slice(text);
}

/// PLAIN of booleans: one bit each.
pub(super) fn plain_bools(values: impl Iterator<Item = bool>, out: &mut Vec<u8>) {
    pack(values.map(u64::from), 1, out);
}
