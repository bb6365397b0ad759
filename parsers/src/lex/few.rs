//! A short list of what most records have none of.

/// At most `N` values; what comes beyond is dropped. The room is made for the first of them.
#[derive(Clone, Debug)]
pub struct Few<T, const N: usize> {
    values: Option<[T; N]>,
    count: usize,
}

impl<T, const N: usize> Default for Few<T, N> {
    #[inline(always)]
    fn default() -> Self {
        Few { values: None, count: 0 }
    }
}

impl<T: Copy, const N: usize> Few<T, N> {
    /// Appends a value, if there is room.
    pub fn push(&mut self, value: T) {
        let values = self.values.get_or_insert([value; N]);
        if let Some(slot) = values.get_mut(self.count) {
            *slot = value;
            self.count += 1;
        }
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.count = 0;
    }

    /// Those that were appended.
    pub fn get(&self) -> &[T] {
        self.values.as_ref().map_or(&[], |values| &values[..self.count])
    }
}
