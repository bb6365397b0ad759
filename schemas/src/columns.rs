//! The columns of a batch by how a value is stored, so that a row's value can be had by its field alone.
//!
//! One vector of columns for each storage class and not an enum for each column: a [`crate::Key`] knows its class when it is
//! compiled, so that setting a value is one store.

use crate::batch::{PRESENCE_WORDS, Presence, Span};
use crate::fields::{FIELD_COUNT, Field, columns_of};
use crate::kinds::{Ip, Storage};

/// Columns by storage class.
#[doc(hidden)]
pub struct Columns {
    // arrays, so that a field's column is at a place that is known when the program is compiled
    pub(crate) times: [Vec<i64>; columns_of(Storage::Time)],
    pub(crate) longs: [Vec<u64>; columns_of(Storage::Long)],
    pub(crate) ips: [Vec<Ip>; columns_of(Storage::Ip)],
    pub(crate) ports: [Vec<u16>; columns_of(Storage::Port)],
    pub(crate) bytes: [Vec<u8>; columns_of(Storage::Byte)],
    pub(crate) spans: [Vec<Span>; columns_of(Storage::Span)],
}

impl Columns {
    pub(crate) fn new(capacity: usize) -> Columns {
        fn of<T: Clone + Default, const COLUMNS: usize>(capacity: usize) -> [Vec<T>; COLUMNS] {
            std::array::from_fn(|_| vec![T::default(); capacity])
        }
        Columns {
            times: of(capacity),
            longs: of(capacity),
            ips: of(capacity),
            ports: of(capacity),
            bytes: of(capacity),
            spans: of(capacity),
        }
    }

    pub(crate) fn grow(&mut self, capacity: usize) {
        fn to<T: Clone + Default>(columns: &mut [Vec<T>], capacity: usize) {
            columns.iter_mut().for_each(|column| column.resize(capacity, T::default()));
        }
        to(&mut self.times, capacity);
        to(&mut self.longs, capacity);
        to(&mut self.ips, capacity);
        to(&mut self.ports, capacity);
        to(&mut self.bytes, capacity);
        to(&mut self.spans, capacity);
    }

    /// One row's value of a field becomes another's.
    pub(crate) fn say_again(&mut self, field: Field, from: usize, to: usize) {
        fn copy<T: Copy>(columns: &mut [Vec<T>], slot: usize, from: usize, to: usize) {
            columns[slot][to] = columns[slot][from];
        }
        let slot = field.slot();
        match field.storage() {
            Storage::Time => copy(&mut self.times, slot, from, to),
            Storage::Long => copy(&mut self.longs, slot, from, to),
            Storage::Ip => copy(&mut self.ips, slot, from, to),
            Storage::Port => copy(&mut self.ports, slot, from, to),
            Storage::Byte => copy(&mut self.bytes, slot, from, to),
            Storage::Span => copy(&mut self.spans, slot, from, to),
        }
    }
}

/// The fields whose values are spans, one bit a field.
pub(crate) const TEXTS: Presence = {
    let mut bits = [0; PRESENCE_WORDS];
    let mut at = 0;
    while at < FIELD_COUNT {
        if matches!(Field::ALL[at].storage(), Storage::Span) {
            bits[at / 64] |= 1 << (at % 64);
        }
        at += 1;
    }
    bits
};
