//! The state as bytes, for a checkpoint, and back.
//!
//! Written by hand, because the layout is a promise to the next release: a version stands in front, and within a
//! version nothing moves. Trees are named by rule and version, so a snapshot outlives a change of other rules; the
//! state of rules that are gone or were changed is left behind and counted. Bytes that were not written by
//! [`Correlator::snapshot`] are refused without harm.

use super::Settings;
use super::event::{Event, Evidence, Origin, Payload};
use super::program::Program;
use super::state::{Content, Core, Episode, Instance, Run, Seen, Slot};
use super::stream::{Correlator, Waiting};
use super::voice::Told;
use super::window::{Numbers, Times};
use crate::plan::{Plan, UnfitTree};
use schemas::AlertId;
use std::fmt;
use std::sync::Arc;

const MAGIC: &[u8; 4] = b"PCST";
const VERSION: u8 = 1;

/// Why a snapshot was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DamagedSnapshot {
    /// It does not begin as a snapshot does.
    NotSnapshot,
    /// It was written by another version of the layout.
    Version {
        /// The version found.
        found: u8,
    },
    /// It breaks off, or a number does not fit; `offset` is where.
    Broken {
        /// Byte offset.
        offset: usize,
    },
    /// The plan to restore it for cannot be evaluated.
    Plan(UnfitTree),
}

impl fmt::Display for DamagedSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DamagedSnapshot::NotSnapshot => f.write_str("not a snapshot of correlation state"),
            DamagedSnapshot::Version { found } => {
                write!(f, "snapshot of version {found}, expected {VERSION}; replay from the log instead")
            }
            DamagedSnapshot::Broken { offset } => write!(f, "snapshot is damaged at byte {offset}"),
            DamagedSnapshot::Plan(unfit) => unfit.fmt(f),
        }
    }
}

impl std::error::Error for DamagedSnapshot {}

/// Writes values one after the other. Integers are fixed in width: a snapshot is written often and read rarely.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn u8(&mut self, value: u8) {
        self.0.push(value);
    }
    fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }
    fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }
    fn i64(&mut self, value: i64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }
    fn bytes(&mut self, value: &[u8]) {
        self.u32(value.len() as u32);
        self.0.extend_from_slice(value);
    }
    fn list<T>(&mut self, list: impl ExactSizeIterator<Item = T>, mut each: impl FnMut(&mut Self, T)) {
        self.u32(list.len() as u32);
        list.for_each(|item| each(self, item));
    }
    fn option<T>(&mut self, option: Option<T>, each: impl FnOnce(&mut Self, T)) {
        self.u8(u8::from(option.is_some()));
        if let Some(value) = option {
            each(self, value);
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

type Read<T> = Result<T, DamagedSnapshot>;

impl<'a> Reader<'a> {
    #[cold]
    fn broken(&self) -> DamagedSnapshot {
        DamagedSnapshot::Broken { offset: self.at }
    }
    fn take(&mut self, len: usize) -> Read<&'a [u8]> {
        let Some(taken) = self.at.checked_add(len).and_then(|end| self.bytes.get(self.at..end)) else {
            return Err(self.broken());
        };
        self.at += len;
        Ok(taken)
    }
    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }
    fn u8(&mut self) -> Read<u8> {
        Ok(self.array::<1>()?[0])
    }
    fn u32(&mut self) -> Read<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }
    fn u64(&mut self) -> Read<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }
    fn i64(&mut self) -> Read<i64> {
        Ok(i64::from_le_bytes(self.array()?))
    }
    fn bytes(&mut self) -> Read<&'a [u8]> {
        let len = self.u32()? as usize;
        self.take(len)
    }
    fn text(&mut self) -> Read<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| self.broken())
    }
    fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let len = self.u32()? as usize;
        // Each item takes a byte at least, so a damaged length cannot make us reserve more than the snapshot is long.
        if len > self.bytes.len() - self.at {
            return Err(self.broken());
        }
        let mut list = Vec::new();
        for _ in 0..len {
            list.push(each(self)?);
        }
        Ok(list)
    }
    fn option<T>(&mut self, each: impl FnOnce(&mut Self) -> Read<T>) -> Read<Option<T>> {
        match self.u8()? {
            0 => Ok(None),
            1 => each(self).map(Some),
            _ => Err(self.broken()),
        }
    }
}

impl Correlator {
    /// The whole state as bytes. Restored under the same plan, it goes on as if nothing had been.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.0.extend_from_slice(MAGIC);
        out.u8(VERSION);
        out.i64(self.watermark_us);
        out.list(self.plan.trees.iter().zip(&self.degraded_until_us), |out, (tree, until_us)| {
            out.bytes(tree.rule.id.as_bytes());
            out.bytes(tree.rule.version.as_bytes());
            out.i64(*until_us);
        });
        out.list(self.sources.iter(), |out, source| out.bytes(source.as_bytes()));
        let keys: Vec<_> = self.keys.iter().flatten().collect();
        out.list(keys.iter(), |out, key| {
            out.u32(key.tree);
            out.bytes(&key.bytes);
            // So that the state of a rule that is gone can be passed over.
            let length_at = out.0.len();
            out.u32(0);
            write_core(out, &key.core);
            out.list(key.waiting.iter(), |out, waiting| {
                out.i64(waiting.time_us);
                write_event(out, &waiting.event);
            });
            out.option(key.told.as_deref(), write_told);
            out.option(key.guessed.as_deref(), write_told);
            let length = (out.0.len() - length_at - 4) as u32;
            out.0[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
        });
        out.0
    }

    /// A correlator with the state of a snapshot, and how many keys were left behind because their rule is gone or was changed.
    ///
    /// # Errors
    /// [`DamagedSnapshot`] for anything but the bytes of [`Correlator::snapshot`], or where the plan cannot be evaluated.
    pub fn restore(plan: Arc<Plan>, settings: Settings, snapshot: &[u8]) -> Result<(Correlator, u64), DamagedSnapshot> {
        let mut own = Correlator::new(Arc::clone(&plan), settings).map_err(DamagedSnapshot::Plan)?;
        let mut reader = Reader { bytes: snapshot, at: 0 };
        if reader.take(4).map_err(|_| DamagedSnapshot::NotSnapshot)? != MAGIC {
            return Err(DamagedSnapshot::NotSnapshot);
        }
        match reader.u8()? {
            VERSION => {}
            found => return Err(DamagedSnapshot::Version { found }),
        }
        own.watermark_us = reader.i64()?;
        let trees = reader.list(|reader| {
            let (id, version) = (reader.text()?, reader.text()?);
            let until_us = reader.i64()?;
            let now = plan.trees.iter().position(|tree| tree.rule.id == id && tree.rule.version == version);
            Ok((now, until_us))
        })?;
        for (now, until_us) in &trees {
            if let Some(now) = now {
                own.degraded_until_us[*now] = *until_us;
            }
        }
        own.sources = reader.list(|reader| Ok(Arc::from(reader.text()?)))?;
        let mut left_behind = 0;
        let keys = reader.u32()?;
        for _ in 0..keys {
            let tree = reader.u32()? as usize;
            let bytes = reader.bytes()?;
            let state = reader.bytes()?;
            let Some((now, _)) = trees.get(tree) else {
                return Err(reader.broken());
            };
            let Some(now) = *now else {
                left_behind += 1;
                continue;
            };
            let mut inner = Reader { bytes: &snapshot[..reader.at], at: reader.at - state.len() };
            let program = &own.programs[now];
            let core = read_core(&mut inner, program)?;
            let waiting = inner.list(|reader| Ok(Waiting { time_us: reader.i64()?, event: read_event(reader)? }))?;
            let told = [inner.option(read_told)?, inner.option(read_told)?];
            if inner.at != reader.at {
                return Err(inner.broken());
            }
            own.restore_key(now as u32, bytes.into(), core, waiting, told);
        }
        if reader.at != snapshot.len() {
            return Err(reader.broken());
        }
        Ok((own, left_behind))
    }
}

fn write_told(out: &mut Writer, told: &Told) {
    out.0.extend_from_slice(&told.id.0);
    out.i64(told.begin_us);
    out.u32(told.revision);
    out.list(told.supersedes.iter(), |out, id| out.0.extend_from_slice(&id.0));
}

fn read_told(reader: &mut Reader<'_>) -> Read<Told> {
    Ok(Told {
        id: AlertId(reader.array()?),
        begin_us: reader.i64()?,
        revision: reader.u32()?,
        supersedes: reader.list(|reader| Ok(AlertId(reader.array()?)))?,
    })
}

fn write_event(out: &mut Writer, event: &Event) {
    out.u64(event.leaves);
    out.u64(event.content);
    out.u32(event.origin.source);
    out.u32(event.origin.partition as u32);
    out.u64(event.origin.offset);
    out.u32(u32::from(event.origin.sub));
    let bytes: &[u8] = match &event.payload {
        Payload::Owned(bytes) => bytes,
        // A stream's events own their bytes.
        Payload::Empty | Payload::Row { .. } => &[],
    };
    out.bytes(bytes);
}

fn read_event(reader: &mut Reader<'_>) -> Read<Event> {
    let (leaves, content) = (reader.u64()?, reader.u64()?);
    let (source, partition, offset) = (reader.u32()?, reader.u32()? as i32, reader.u64()?);
    let sub = u16::try_from(reader.u32()?).map_err(|_| reader.broken())?;
    let bytes = reader.bytes()?;
    let payload = if bytes.is_empty() { Payload::Empty } else { Payload::Owned(bytes.into()) };
    Ok(Event { leaves, content, origin: Origin { source, partition, offset, sub }, payload })
}

fn write_evidence(out: &mut Writer, evidence: &Evidence) {
    out.i64(evidence.time_us);
    write_event(out, &evidence.event);
}

fn read_evidence(reader: &mut Reader<'_>) -> Read<Evidence> {
    Ok(Evidence { time_us: reader.i64()?, event: read_event(reader)? })
}

fn write_core(out: &mut Writer, core: &Core) {
    out.list(core.nodes.iter(), |out, slot| match slot {
        Slot::One(instance) => write_instance(out, instance),
        Slot::Many(instances) => out.list(instances.iter(), |out, (sub, instance)| {
            out.bytes(sub);
            write_instance(out, instance);
        }),
    });
    out.list(core.recent.iter(), |out, (leaf, evidence)| {
        out.u8(*leaf);
        write_evidence(out, evidence);
    });
    out.option(core.episode.as_deref(), write_episode);
    [core.next_tick_us, core.newest_us, core.degraded_until_us].into_iter().for_each(|time_us| out.i64(time_us));
}

fn read_core(reader: &mut Reader<'_>, program: &Program) -> Read<Core> {
    // From the program, so that each slot has the shape that the steps rely on, whatever the bytes say.
    let mut core = Core::new(program);
    if reader.u32()? as usize != core.nodes.len() {
        return Err(reader.broken());
    }
    for (slot, node) in core.nodes.iter_mut().zip(&program.nodes) {
        match slot {
            Slot::One(instance) => read_instance(reader, instance)?,
            Slot::Many(instances) => {
                let read = reader.list(|reader| {
                    let sub: Box<[u8]> = reader.bytes()?.into();
                    let mut instance = Instance::new(node);
                    read_instance(reader, &mut instance)?;
                    Ok((sub, instance))
                })?;
                instances.extend(read);
            }
        }
    }
    core.recent = reader.list(|reader| Ok((reader.u8()?, read_evidence(reader)?)))?;
    core.episode = reader.option(read_episode)?.map(Box::new);
    (core.next_tick_us, core.newest_us, core.degraded_until_us) = (reader.i64()?, reader.i64()?, reader.i64()?);
    Ok(core)
}

fn write_times(out: &mut Writer, times: &Times) {
    out.list(times.0.iter(), |out, time_us| out.i64(*time_us));
}

fn read_times(reader: &mut Reader<'_>) -> Read<Times> {
    Ok(Times(reader.list(Reader::i64)?.into()))
}

fn write_seen(out: &mut Writer, seen: &[Seen]) {
    for member in seen {
        out.i64(member.last_us);
        write_times(out, &member.times);
        out.u64(member.run_count);
        out.i64(member.run_first_us);
        out.u64(member.counted);
        out.u64(member.since);
    }
}

fn read_seen(reader: &mut Reader<'_>, seen: &mut [Seen]) -> Read<()> {
    for member in seen {
        *member = Seen {
            last_us: reader.i64()?,
            times: read_times(reader)?,
            run_count: reader.u64()?,
            run_first_us: reader.i64()?,
            counted: reader.u64()?,
            since: reader.u64()?,
        };
    }
    Ok(())
}

fn write_numbers(out: &mut Writer, numbers: &Numbers) {
    out.list(numbers.iter(), |out, (time_us, number)| {
        out.i64(time_us);
        out.0.extend_from_slice(&number.to_le_bytes());
    });
    out.option(numbers.dropped_us, Writer::i64);
}

fn read_numbers(reader: &mut Reader<'_>, numbers: &mut Numbers) -> Read<()> {
    for (time_us, number) in reader.list(|reader| Ok((reader.i64()?, i128::from_le_bytes(reader.array()?))))? {
        // Far from where a sum could overflow; larger ones we never wrote.
        if number.unsigned_abs() > 1 << 96 {
            return Err(reader.broken());
        }
        numbers.add(time_us, number, usize::MAX);
    }
    numbers.dropped_us = reader.option(Reader::i64)?;
    Ok(())
}

fn write_instance(out: &mut Writer, instance: &Instance) {
    match &instance.content {
        Content::Events { times } => write_times(out, times),
        Content::Values { times, dimensions } => {
            write_times(out, times);
            for values in dimensions {
                let values: Vec<_> = values.newest_first().collect();
                out.list(values.iter().rev(), |out, (bytes, last_us)| {
                    out.bytes(bytes);
                    out.i64(*last_us);
                });
            }
        }
        Content::Numbers { times, numbers } => {
            write_times(out, times);
            write_numbers(out, numbers);
        }
        Content::Members { seen } => write_seen(out, seen),
        Content::Chain { seen, starts_us } => {
            write_seen(out, seen);
            starts_us.iter().for_each(|start_us| out.i64(*start_us));
        }
    }
    out.i64(instance.tick_us);
    out.u64(instance.filled);
    let Run { begin_us, last_us, first_us, seen_us, count, since } = instance.run;
    [begin_us, last_us, first_us, seen_us].into_iter().for_each(|time_us| out.i64(time_us));
    out.u64(count);
    out.u64(since);
    out.i64(instance.newest_us);
}

fn read_instance(reader: &mut Reader<'_>, instance: &mut Instance) -> Read<()> {
    match &mut instance.content {
        Content::Events { times } => *times = read_times(reader)?,
        Content::Values { times, dimensions } => {
            *times = read_times(reader)?;
            for values in dimensions {
                for (bytes, last_us) in reader.list(|reader| Ok((reader.bytes()?, reader.i64()?)))? {
                    values.see(bytes, last_us, usize::MAX);
                }
            }
        }
        Content::Numbers { times, numbers } => {
            *times = read_times(reader)?;
            read_numbers(reader, numbers)?;
        }
        Content::Members { seen } => read_seen(reader, seen)?,
        Content::Chain { seen, starts_us } => {
            read_seen(reader, seen)?;
            for start_us in starts_us {
                *start_us = reader.i64()?;
            }
        }
    }
    (instance.tick_us, instance.filled) = (reader.i64()?, reader.u64()?);
    instance.run = Run {
        begin_us: reader.i64()?,
        last_us: reader.i64()?,
        first_us: reader.i64()?,
        seen_us: reader.i64()?,
        count: reader.u64()?,
        since: reader.u64()?,
    };
    instance.newest_us = reader.i64()?;
    Ok(())
}

fn write_episode(out: &mut Writer, episode: &Episode) {
    let Episode {
        begin_us,
        last_us,
        first_us,
        seen_us,
        count,
        figures,
        peaks,
        members,
        values,
        opening,
        latest,
        degraded,
    } = episode;
    [begin_us, last_us, first_us, seen_us].into_iter().for_each(|time_us| out.i64(*time_us));
    out.u64(*count);
    out.list(figures.iter(), |out, figure| out.u64(figure.to_bits()));
    out.list(peaks.iter(), |out, peak| out.u64(peak.to_bits()));
    out.list(members.iter(), |out, member| out.u64(*member));
    out.list(values.iter(), |out, values| out.list(values.iter(), |out, value| out.bytes(value)));
    out.list(opening.iter(), write_evidence);
    out.list(latest.iter(), write_evidence);
    out.u8(u8::from(*degraded));
}

fn read_episode(reader: &mut Reader<'_>) -> Read<Episode> {
    let float = |reader: &mut Reader<'_>| Ok(f64::from_bits(reader.u64()?));
    Ok(Episode {
        begin_us: reader.i64()?,
        last_us: reader.i64()?,
        first_us: reader.i64()?,
        seen_us: reader.i64()?,
        count: reader.u64()?,
        figures: reader.list(float)?,
        peaks: reader.list(float)?,
        members: reader.list(Reader::u64)?,
        values: reader.list(|reader| reader.list(|reader| Ok(reader.bytes()?.into())))?,
        opening: reader.list(read_evidence)?,
        latest: reader.list(read_evidence)?,
        degraded: reader.u8()? != 0,
    })
}
