//! Keys that only wait for their time to be over: a hundred bytes instead of a thousand.
//!
//! Most keys of most rules see an event or two and are never heard of again, so their memory is the memory of the whole.
//! When nothing of a key waits and nothing of it is to be decided, its state is folded into one run of bytes; the next
//! event of the key unfolds it, and at its end it is dropped as it is.

use super::program::Program;
use super::state::Core;
use super::state_bytes::{Reader, Writer, read_core, write_core};
use super::stream::Key;

/// A state larger than this stays as it is: folding and unfolding it would cost more than it saves.
pub const SLEEPER_MAX: usize = 4096;

/// A place in the table of keys.
#[derive(Debug)]
pub enum Entry {
    /// No key.
    Free,
    /// A key with its state.
    Awake(Box<Key>),
    /// A key with its state folded.
    Asleep(Sleeper),
}

/// `due_us` (8 bytes), nearness (1), newest event's time (8), tree, length of the key, key, core.
#[derive(Debug)]
pub struct Sleeper(Box<[u8]>);

impl Sleeper {
    /// Folds a key.
    pub fn new(tree: u32, key: &[u8], due_us: i64, nearness: usize, core: &Core) -> Sleeper {
        let mut writer = Writer { out: Vec::with_capacity(128), base_us: core.newest_us };
        writer.fixed(due_us as u64);
        writer.u8(nearness as u8);
        writer.fixed(core.newest_us as u64);
        writer.number(u64::from(tree));
        writer.bytes(key);
        write_core(&mut writer, core);
        Sleeper(writer.out.into())
    }

    /// When its time is over.
    pub fn due_us(&self) -> i64 {
        self.time_at(0)
    }

    /// Time of its newest event.
    pub fn newest_us(&self) -> i64 {
        self.time_at(9)
    }

    /// How near it was to firing.
    pub fn nearness(&self) -> usize {
        usize::from(self.0[8])
    }

    fn time_at(&self, at: usize) -> i64 {
        self.0[at..].first_chunk().map_or(i64::MAX, |bytes| i64::from_le_bytes(*bytes))
    }

    fn head(&self) -> (u32, &[u8], Reader<'_>) {
        let mut reader = Reader { bytes: &self.0, at: 17, base_us: self.newest_us() };
        let tree = reader.narrow().expect("written by new");
        let key = reader.bytes().expect("written by new");
        (tree, key, reader)
    }

    /// Its tree.
    pub fn tree(&self) -> u32 {
        self.head().0
    }

    /// Its key.
    pub fn key(&self) -> &[u8] {
        self.head().1
    }

    /// Its core as [`write_core`] wrote it, told from [`Sleeper::newest_us`].
    pub fn core_bytes(&self) -> &[u8] {
        let (_, _, reader) = self.head();
        &self.0[reader.at..]
    }

    /// Unfolds its core.
    pub fn core(&self, program: &Program) -> Core {
        let (_, _, mut reader) = self.head();
        read_core(&mut reader, program).expect("written by new, for the same program")
    }

    /// Bytes of memory that it takes, with its places in table, index and calendar.
    pub fn size_bytes(&self) -> usize {
        self.0.len() + size_of::<Entry>() + 16
    }
}

impl Entry {
    /// Tree and key.
    pub fn name(&self) -> Option<(u32, &[u8])> {
        match self {
            Entry::Free => None,
            Entry::Awake(key) => Some((key.tree, &key.bytes)),
            Entry::Asleep(sleeper) => {
                let (tree, key, _) = sleeper.head();
                Some((tree, key))
            }
        }
    }

    /// Whether it is this key.
    pub fn is_of(&self, tree: u32, key: &[u8]) -> bool {
        self.name() == Some((tree, key))
    }

    /// When it is to be looked at; `i64::MAX` for never.
    pub fn due_us(&self) -> i64 {
        match self {
            Entry::Free => i64::MAX,
            Entry::Awake(key) => key.due_us,
            Entry::Asleep(sleeper) => sleeper.due_us(),
        }
    }

    /// Bytes of memory that it takes.
    pub fn size_bytes(&self) -> usize {
        match self {
            Entry::Free => 0,
            Entry::Awake(key) => key.size_bytes,
            Entry::Asleep(sleeper) => sleeper.size_bytes(),
        }
    }
}
