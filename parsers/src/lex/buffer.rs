//! Buffers for texts that have to be resolved before they can be used, kept from line to line.
//!
//! An escaped value is the exception on a line but the rule in a log, so that it must not cost an allocation each time.
//! The buffers are a thread's own: no lexer or family has to carry one through its calls. They hold nothing between two uses.

use std::cell::RefCell;

/// Largest buffer that is kept, in bytes.
const KEPT_MAX: usize = 1 << 20;

thread_local! {
    static FREE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Hands an empty buffer to `use_it`. Uses may be nested.
pub fn with_buffer<R>(use_it: impl FnOnce(&mut Vec<u8>) -> R) -> R {
    let mut buffer = FREE.with_borrow_mut(Vec::pop).unwrap_or_default();
    let result = use_it(&mut buffer);
    if buffer.capacity() <= KEPT_MAX {
        buffer.clear();
        FREE.with_borrow_mut(|free| free.push(buffer));
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_empty_and_nested_ones_are_two() {
        with_buffer(|outer| {
            outer.extend_from_slice(b"outer");
            with_buffer(|inner| {
                assert!(inner.is_empty());
                inner.push(b'x');
            });
            assert_eq!(outer, b"outer");
        });
        with_buffer(|buffer| assert!(buffer.is_empty()));
    }
}
