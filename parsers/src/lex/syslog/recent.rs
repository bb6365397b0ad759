//! The headers that a source wrote last: a firewall writes the same one on each line of a second.
//!
//! Only headers before a percent tag (`%ASA-6-302013: …`) are kept. A header's reader looks ahead, to see where a host or a tag
//! ends, but never past the percent sign of such a body; so the same bytes up to that sign are the same header. Where a time
//! needs the time of receipt to be read (one without a year, or in a zone with summer time) the header is read each time.

use super::{ClockTrust, Header, header_into};
use crate::lex::scan;
use crate::lex::text::offset_in;
use crate::lex::time::TimeContext;

/// Headers that are kept: some times the devices behind one relay, whose clocks differ by seconds.
const KEPT: usize = 128;

/// The shortest and the longest header that is kept.
const LENGTH: std::ops::RangeInclusive<usize> = 24..=80;

/// The headers of a source's last lines, each where its bytes say.
#[derive(Clone, Debug)]
pub struct Recent(Box<[Kept; KEPT]>);

/// A header before a percent sign, and what it says beside its host.
#[derive(Clone, Copy, Debug)]
struct Kept {
    text: [u8; *LENGTH.end()],
    /// 0 where there is none.
    length: u8,
    host: (u8, u8),
    priority: Option<u8>,
    clock: ClockTrust,
    time_us: i64,
}

impl Default for Recent {
    fn default() -> Recent {
        let none = Kept {
            text: [0; *LENGTH.end()],
            length: 0,
            host: (0, 0),
            priority: None,
            clock: ClockTrust::Stated,
            time_us: 0,
        };
        Recent(Box::new([none; KEPT]))
    }
}

impl Recent {
    /// The same as [`header_into`] for a header that says nothing yet. `context` is that of the source.
    #[inline(never)]
    pub fn header_into<'a>(&mut self, line: &'a [u8], context: &TimeContext, header: &mut Header<'a>) -> usize {
        // pairs and a tag's number come before any percent sign
        let length = scan::find3(&line[..line.len().min(LENGTH.end() + 1)], 0, b'%', b'=', b'[');
        let Some(slot) = line.get(..length).and_then(slot).filter(|_| line.get(length) == Some(&b'%')) else {
            return header_into(line, context, header);
        };
        let kept = &self.0[slot];
        if usize::from(kept.length) == length && scan::same(&kept.text[..length], &line[..length]) {
            let (from, to) = kept.host;
            header.host = line.get(from.into()..to.into()).unwrap_or_default();
            (header.time_us, header.absolute) = (Some(kept.time_us), true);
            (header.priority, header.clock, header.headers) = (kept.priority, kept.clock, 1);
            return length;
        }
        self.read(line, slot, context, header)
    }

    #[inline(never)]
    fn read<'a>(&mut self, line: &'a [u8], slot: usize, context: &TimeContext, header: &mut Header<'a>) -> usize {
        let end = header_into(line, context, header);
        if let Some((text, [b'%', ..])) = line.split_at_checked(end)
            && let Some(kept) = Kept::new(text, header)
        {
            self.0[slot] = kept;
        }
        end
    }
}

/// Where a header is kept, by its priority, seconds and host. `None` if it is too short or too long.
#[inline(always)]
fn slot(text: &[u8]) -> Option<usize> {
    if !LENGTH.contains(&text.len()) {
        return None;
    }
    let word = |at: usize| Some(u64::from_le_bytes(*text.get(at..)?.first_chunk()?));
    let begin = word(0)? ^ word(16)?.wrapping_mul(3) ^ 0x9e37_79b9_7f4a_7c15;
    let end = word(text.len() - 16)? ^ word(text.len() - 8)?.rotate_left(29) ^ 0xbf58_476d_1ce4_e5b9;
    let product = u128::from(begin) * u128::from(end);
    Some(((product as u64 ^ (product >> 64) as u64) >> (64 - KEPT.ilog2())) as usize)
}

impl Kept {
    /// The header that `text` is, if the same bytes are always the same header.
    fn new(text: &[u8], header: &Header<'_>) -> Option<Kept> {
        let Header { time_us, absolute, host, priority, clock, headers, .. } = *header;
        let alone = Header { time_us, absolute, host, priority, clock, headers, ..Header::default() };
        if !absolute || headers != 1 || *header != alone {
            return None;
        }
        let from = if host.is_empty() { 0 } else { offset_in(text, host)? };
        let mut kept = [0; *LENGTH.end()];
        kept.get_mut(..text.len())?.copy_from_slice(text);
        let host = (from as u8, (from + host.len()) as u8);
        Some(Kept { text: kept, length: text.len() as u8, host, priority, clock, time_us: time_us? })
    }
}
