//! Conditions as mask algebra: a rule's logic over the masks of predicates, for all rows of a batch at once.
//!
//! Evaluated with bounds. Before the dear predicates are asked, the *upper* bound of a rule takes each unknown one for
//! true where that helps the rule: rows outside it can't match whatever the answers, so nobody asks for them. With
//! every predicate known, the upper bound is the answer. One function serves both, which keeps them from differing.

use schemas::Mask;

use crate::compile::predicate::Logic;

/// Which bound is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Rows that may match.
    Upper,
    /// Rows that match in any case.
    Lower,
}

impl Side {
    fn other(self) -> Side {
        match self {
            Side::Upper => Side::Lower,
            Side::Lower => Side::Upper,
        }
    }
}

/// The answers so far: one mask a predicate, meaningful where it is known.
#[derive(Debug, Default)]
pub struct Answers {
    /// The masks.
    pub masks: Vec<Mask>,
    /// Whether a predicate has been answered for this batch.
    pub known: Vec<bool>,
}

/// Masks that are free to be used, so that no batch allocates any.
#[derive(Debug, Default)]
pub struct Pool {
    free: Vec<Mask>,
}

impl Pool {
    /// A mask without a row.
    pub fn none(&mut self, rows: usize) -> Mask {
        let mut mask = self.free.pop().unwrap_or_default();
        mask.reset(rows);
        mask
    }

    /// A copy.
    pub fn copy(&mut self, of: &Mask) -> Mask {
        let mut mask = self.free.pop().unwrap_or_default();
        mask.clone_from(of);
        mask
    }

    /// Gives a mask back.
    pub fn give(&mut self, mask: Mask) {
        self.free.push(mask);
    }
}

/// The rows of `within` that meet a condition, or may.
pub fn bound(logic: &Logic, answers: &Answers, within: &Mask, side: Side, pool: &mut Pool) -> Mask {
    match logic {
        Logic::True => pool.copy(within),
        Logic::False => pool.none(within.rows()),
        Logic::Test(test) => {
            let test = *test as usize;
            match (answers.known[test], side) {
                (true, _) => {
                    let mut mask = pool.copy(within);
                    mask.and(&answers.masks[test]);
                    mask
                }
                (false, Side::Upper) => pool.copy(within),
                (false, Side::Lower) => pool.none(within.rows()),
            }
        }
        Logic::And(parts) => {
            let mut mask = pool.copy(within);
            for part in parts {
                let next = bound(part, answers, &mask, side, pool);
                pool.give(std::mem::replace(&mut mask, next));
                if mask.is_empty() {
                    break;
                }
            }
            mask
        }
        Logic::Or(parts) => {
            let mut mask = pool.none(within.rows());
            let mut rest = pool.copy(within);
            for part in parts {
                let next = bound(part, answers, &rest, side, pool);
                mask.or(&next);
                rest.and_not(&next);
                pool.give(next);
                if rest.is_empty() {
                    break;
                }
            }
            pool.give(rest);
            mask
        }
        Logic::Not(part) => {
            let inner = bound(part, answers, within, side.other(), pool);
            let mut mask = pool.copy(within);
            mask.and_not(&inner);
            pool.give(inner);
            mask
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_answers_widen_the_upper_bound_and_narrow_the_lower() {
        let row = |rows: &[usize]| {
            let mut mask = Mask::none(4);
            rows.iter().for_each(|row| mask.set(*row));
            mask
        };
        let answers = Answers { masks: vec![row(&[0, 1]), row(&[])], known: vec![true, false] };
        let logic = Logic::And(vec![Logic::Test(0), Logic::Not(Box::new(Logic::Test(1)))]);
        let of = |side| bound(&logic, &answers, &Mask::all(4), side, &mut Pool::default());
        assert_eq!(of(Side::Upper), row(&[0, 1]));
        assert_eq!(of(Side::Lower), row(&[]));
        let either = Logic::Or(vec![Logic::Test(0), Logic::Test(1)]);
        let of = |side| bound(&either, &answers, &Mask::all(4), side, &mut Pool::default());
        assert_eq!((of(Side::Upper), of(Side::Lower)), (Mask::all(4), row(&[0, 1])));
    }
}
