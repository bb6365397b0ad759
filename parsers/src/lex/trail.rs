//! What stands between the values of a record, remembered from line to line.
//!
//! A device writes the same members in the same order: between two values of its lines stand the same bytes, such as
//! `","src_port":`. A trail keeps these bytes with what the reader made of them: where they lead to, and what the table says of
//! that path. The next line is then compared instead of tokenised and looked up: two loads and a comparison for what otherwise
//! takes the search of two quotes, a hash and a name's comparison.
//!
//! A trail changes the time that reading takes, and nothing else. A step is followed only from the step that it was learned
//! after, and what a reader makes of bytes depends on that place and on these bytes alone; so the same bytes mean the same again.
//! The readers have slow twins in the tests.
//!
//! Whoever writes the lines can make a trail useless, but not large: it has a bounded number of steps, and is begun anew where it
//! is full of steps that no longer come.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};

/// Most steps of one trail: some times what the busiest family needs (Windows security events, 700).
const STEPS_MAX: usize = 2_048;

/// Longest bytes of a step; longer ones are read each time.
const BYTES_MAX: usize = 256;

/// Steps that are known to follow one step, beside the one that mostly does.
const NEXT_MAX: usize = 7;

/// Misses of a full trail after which it is begun anew.
const MISSES_MAX: u32 = 1 << 16;

/// What a step leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leads {
    /// To the first byte of a value in quotes, the opening quote being the last of the step.
    Quoted,
    /// To the first byte of a value without quotes.
    Bare,
    /// To the end of the record.
    End,
}

/// The bytes between two values, and what was found of them: a cache line of what following needs.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Step<M> {
    /// Its first bytes, the first being the lowest, and zeros behind them.
    head: [u128; 2],
    /// What the family does with the value.
    meaning: M,
    len: u16,
    /// The step that mostly follows.
    next: u16,
    leads: Leads,
}

/// The rest of a step.
#[derive(Debug)]
struct Side<S> {
    /// Further steps that follow, those that come more often first.
    next: [u16; NEXT_MAX],
    /// The reader's state behind the step.
    state: S,
    /// The bytes behind the head, in the trail's texts.
    more: u32,
}

/// Bytes in a step's head.
const HEAD: usize = 32;

/// The place of a step in its trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At(u16);

impl At {
    /// Before the first step of a line.
    pub const START: At = At(0);
}

/// What one source's lines look like, as far as it has been seen: `M` is what the family does with a value, `S` the reader's state
/// before it.
#[derive(Debug)]
pub struct Trail<M, S> {
    /// The first is the start: of no bytes, and never followed.
    steps: Vec<Step<M>>,
    sides: Vec<Side<S>>,
    texts: Vec<u8>,
    /// Steps by their bytes and state, to learn none twice. Seeded, since who writes the lines writes these.
    known: HashMap<u64, u16>,
    seed: RandomState,
    misses: u32,
}

impl<M: Default, S: Default> Default for Trail<M, S> {
    fn default() -> Self {
        let start = Step { head: [0; 2], meaning: M::default(), len: 0, next: NONE, leads: Leads::End };
        let side = Side { next: [NONE; NEXT_MAX], state: S::default(), more: 0 };
        let (texts, known, seed) = (Vec::new(), HashMap::new(), RandomState::new());
        Trail { steps: vec![start], sides: vec![side], texts, known, seed, misses: 0 }
    }
}

const NONE: u16 = u16::MAX;
const _: () = assert!(STEPS_MAX < NONE as usize);

impl<M: Copy + Default, S: Default> Trail<M, S> {
    /// The step that `text` takes from `at` on, behind the step `from`; and where its bytes end. `None` if none is known.
    /// A value without quotes must begin with a byte for which `is_bare` says so.
    #[inline(always)]
    pub fn follow(&mut self, from: At, text: &[u8], at: usize, is_bare: impl Fn(u8) -> bool) -> Option<(At, usize)> {
        let likeliest = self.steps.get(usize::from(from.0))?.next;
        let rest = text.get(at..)?;
        match self.leads_on(likeliest, rest, &is_bare) {
            Some(len) => Some((At(likeliest), at + len)),
            None => self.follow_others(from, rest, is_bare).map(|(step, len)| (step, at + len)),
        }
    }

    #[inline(never)]
    fn follow_others(&mut self, from: At, rest: &[u8], is_bare: impl Fn(u8) -> bool) -> Option<(At, usize)> {
        let from = usize::from(from.0);
        let others = self.sides.get(from)?.next;
        for (rank, place) in others.into_iter().enumerate() {
            if place == NONE {
                break;
            }
            if let Some(len) = self.leads_on(place, rest, &is_bare) {
                // what comes often moves to the front
                let before = match rank {
                    0 => &mut self.steps.get_mut(from)?.next,
                    _ => &mut self.sides.get_mut(from)?.next[rank - 1],
                };
                let other = std::mem::replace(before, place);
                self.sides.get_mut(from)?.next[rank] = other;
                return Some((At(place), len));
            }
        }
        None
    }

    /// How many bytes a step has, if these are what stands there.
    #[inline(always)]
    fn leads_on(&self, place: u16, rest: &[u8], is_bare: impl Fn(u8) -> bool) -> Option<usize> {
        let step = self.steps.get(usize::from(place))?;
        let len = usize::from(step.len);
        let same = match rest.first_chunk() {
            Some(bytes) => {
                let [first, second] = halves(bytes);
                (first ^ step.head[0]) & MASKS[len.min(16)] == 0
                    && (len <= 16
                        || (second ^ step.head[1]) & MASKS[len.min(HEAD) - 16] == 0
                            && (len <= HEAD || self.has_more(place, rest)))
            }
            None => step.stands_at(rest),
        };
        if !same {
            return None;
        }
        match step.leads {
            Leads::Quoted | Leads::End => Some(len),
            Leads::Bare => rest.get(len).is_some_and(|byte| is_bare(*byte)).then_some(len),
        }
    }

    #[cold]
    #[inline(never)]
    fn has_more(&self, place: u16, rest: &[u8]) -> bool {
        let place = usize::from(place);
        let (Some(step), Some(side)) = (self.steps.get(place), self.sides.get(place)) else { return false };
        let more = usize::from(step.len) - HEAD;
        let from = side.more as usize;
        rest.get(HEAD..HEAD + more).is_some_and(|rest| self.texts.get(from..from + more) == Some(rest))
    }

    /// What the value means that a step leads to, and how it begins.
    #[inline(always)]
    pub fn found(&self, at: At) -> (M, Leads) {
        let step = &self.steps[usize::from(at.0)];
        (step.meaning, step.leads)
    }

    /// The reader's state behind a step that was followed or learned.
    #[inline(always)]
    pub fn state(&self, at: At) -> &S {
        &self.sides[usize::from(at.0)].state
    }

    /// Keeps what a reader made of `bytes` behind the step `from`: the meaning that `find` gives, and the state. `None` if there is
    /// no room for it. Allocates only for bytes that it has not seen.
    #[inline(never)]
    pub fn learn<R: Hash>(
        &mut self,
        from: At,
        bytes: &[u8],
        leads: Leads,
        state: R,
        find: impl FnOnce() -> M,
    ) -> Option<At>
    where
        S: PartialEq<R> + From<R>,
    {
        if bytes.len() > BYTES_MAX {
            return None;
        }
        let head = head_of(bytes);
        let hash = self.seed.hash_one((bytes, leads, &state));
        let known = self.known.get(&hash).copied().filter(|place| {
            let at = usize::from(*place);
            self.steps.get(at).zip(self.sides.get(at)).is_some_and(|(step, side)| {
                (step.head, usize::from(step.len), step.leads) == (head, bytes.len(), leads)
                    && side.state == state
                    && (bytes.len() <= HEAD || self.has_more(*place, bytes))
            })
        });
        let place = match known {
            Some(place) => place,
            None if self.steps.len() < STEPS_MAX => {
                let place = self.steps.len() as u16;
                let more = self.texts.len() as u32;
                self.texts.extend_from_slice(bytes.get(HEAD..).unwrap_or_default());
                self.steps.push(Step { head, meaning: find(), len: bytes.len() as u16, next: NONE, leads });
                self.sides.push(Side { next: [NONE; NEXT_MAX], state: state.into(), more });
                self.known.insert(hash, place);
                place
            }
            None => {
                self.misses += 1;
                if self.misses >= MISSES_MAX {
                    *self = Trail::default();
                }
                return None;
            }
        };
        let from = usize::from(from.0);
        let (step, side) = (self.steps.get_mut(from)?, self.sides.get_mut(from)?);
        if step.next == NONE || step.next == place {
            step.next = place;
        } else {
            let slot = side.next.iter().position(|known| *known == NONE || *known == place).unwrap_or(NEXT_MAX - 1);
            side.next[slot] = place;
        }
        Some(At(place))
    }
}

impl<M> Step<M> {
    /// Whether its bytes are what stands in the last bytes of a text.
    #[inline(never)]
    fn stands_at(&self, rest: &[u8]) -> bool {
        let len = usize::from(self.len);
        let Some(rest) = rest.get(..len) else { return false };
        let [first, second] = self.head.map(u128::to_le_bytes);
        let bytes = first.iter().chain(&second);
        len <= HEAD && rest.iter().zip(bytes).all(|(rest, byte)| rest == byte)
    }
}

/// The bytes that a text begins with; zeros behind its end.
fn head_of(text: &[u8]) -> [u128; 2] {
    let mut bytes = [0; HEAD];
    bytes.iter_mut().zip(text).for_each(|(byte, known)| *byte = *known);
    halves(&bytes)
}

#[inline(always)]
fn halves(bytes: &[u8; HEAD]) -> [u128; 2] {
    let half = |at: usize| bytes[at..].first_chunk().map_or(0, |half| u128::from_le_bytes(*half));
    [half(0), half(16)]
}

/// Ones in as many of the lowest bytes.
static MASKS: [u128; 17] = {
    let mut masks = [0; 17];
    let mut bytes = 1;
    while bytes <= 16 {
        masks[bytes] = u128::MAX >> (8 * (16 - bytes));
        bytes += 1;
    }
    masks
};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::{json, kv};
    use proptest::prelude::*;

    type Seen = Vec<(Vec<u8>, Vec<u8>, String)>;

    fn by_tokens(text: &[u8]) -> (Seen, Result<json::Extent, json::Error>) {
        let mut seen = Vec::new();
        let extent = json::walk(text, |path, value| {
            let kind = format!("{:?}", json::Scalar::from(value).kind);
            seen.push((path.to_vec(), value.scalar().to_vec(), kind));
            Ok::<(), json::Error>(())
        });
        (seen, extent)
    }

    fn by_trail(text: &[u8], trail: &mut json::JsonTrail<usize>) -> (Seen, Result<json::Extent, json::Error>) {
        let mut seen = Vec::new();
        let extent = json::walk_by(text, trail, <[u8]>::len, |path, meaning, value| {
            assert_eq!(path.bytes().len(), meaning);
            seen.push((path.bytes().to_vec(), value.raw.to_vec(), format!("{:?}", value.kind)));
            Ok::<(), json::Error>(())
        });
        (seen, extent)
    }

    /// Documents of few names and many shapes, so that what one has taught is often half right for the next.
    fn value() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            "[0-9]{1,12}".boxed(),
            "-?[0-9]{1,3}\\.[0-9]{1,2}".boxed(),
            Just("true".to_owned()).boxed(),
            Just("null".to_owned()).boxed(),
            "[a-c \\\\,:{}]{0,3}".prop_map(|text| format!("{:?}", text)).boxed(),
            "[a-z]{30,40}".prop_map(|text| format!("\"{text}\"")).boxed(),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(("[ab]{1,2}|[a-c]{40}|\\.", "[ ]{0,1}", inner.clone()), 0..4).prop_map(
                    |members| {
                        let members: Vec<_> =
                            members.iter().map(|(key, gap, value)| format!("\"{key}\"{gap}:{gap}{value}")).collect();
                        format!("{{{}}}", members.join(","))
                    }
                ),
                prop::collection::vec(inner, 0..4).prop_map(|values| format!("[{}]", values.join(", "))),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_was_seen_changes_nothing_of_what_json_says(
            values in prop::collection::vec((value(), 0usize..200, prop::bool::weighted(0.3), any::<u8>()), 1..12)
        ) {
            let mut trail = json::JsonTrail::default();
            for (value, at, damaged, byte) in values {
                let mut text = format!("{{\"a\":{value},\"b\":1}}").into_bytes();
                if damaged {
                    let at = at % text.len();
                    if byte & 1 == 0 { text.truncate(at) } else { text[at] = byte }
                }
                for _ in 0..2 {
                    prop_assert_eq!(by_trail(&text, &mut trail), by_tokens(&text), "{}", String::from_utf8_lossy(&text));
                }
            }
        }

        #[test]
        fn what_was_seen_changes_nothing_of_what_pairs_say(
            lines in prop::collection::vec(("(([ab]{1,3}|[a-c]{40}|) ?=?([a-c]{0,3}|\"[a-c =\\\\]{0,4}\"?|'[ab]*')[ ,;]{0,2}){0,8}", any::<bool>()), 1..12)
        ) {
            let mut trail = kv::PairTrail::default();
            for (line, by_comma) in lines {
                let text = line.as_bytes();
                let pairs = || if by_comma { kv::pairs_by(text, b',') } else { kv::pairs(text) };
                for _ in 0..2 {
                    let seen: Vec<_> = pairs().by(&mut trail, <[u8]>::len).collect();
                    let expected: Vec<_> = pairs().map(|pair| (pair, pair.key.len())).collect();
                    prop_assert_eq!(seen, expected, "{}", line);
                }
            }
        }
    }

    #[test]
    fn a_trail_stays_small_and_is_begun_anew() {
        let mut trail = json::JsonTrail::default();
        for number in 0..200_000 {
            let text = format!("{{\"k{number}\":{number},\"b\":\"x\"}}");
            assert_eq!(by_trail(text.as_bytes(), &mut trail), by_tokens(text.as_bytes()));
        }
        assert!(trail.steps.len() <= super::STEPS_MAX);
        let text = br#"{"usual":1,"b":"x"}"#;
        for _ in 0..100_000 {
            let _ = by_trail(text, &mut trail);
        }
        assert_eq!(by_trail(text, &mut trail), by_tokens(text));
    }
}
