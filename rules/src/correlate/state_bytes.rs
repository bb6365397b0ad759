//! The state of a key as bytes: for a checkpoint, and for a key that is only waiting for its time to be over.
//!
//! Written by hand, because the layout of a snapshot is a promise to the next release. Numbers are LEB128 and times are
//! differences to a base (a key's times lie close together), because most keys have seen one event and the bytes *are*
//! their memory. Reading builds each part from the program first, so that no bytes can make a state of another shape
//! than the steps rely on.

use super::DamagedSnapshot;
use super::event::{Event, Evidence, Origin, Payload, Rows};
use super::program::Program;
use super::state::{Content, Core, Episode, Instance, NEVER, Run, Seen, Slot};
use super::voice::Told;
use super::window::{Numbers, Times};
use crate::varint;
use schemas::AlertId;

/// Writes values one after the other. `base_us` is what times are told from.
#[derive(Default)]
pub struct Writer {
    pub out: Vec<u8>,
    pub base_us: i64,
}

impl Writer {
    pub fn u8(&mut self, value: u8) {
        self.out.push(value);
    }
    pub fn number(&mut self, value: u64) {
        varint::put(value, &mut self.out);
    }
    pub fn fixed(&mut self, value: u64) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }
    /// 0 and 1 are the ends of time, which mean never.
    pub fn time(&mut self, time_us: i64) {
        match time_us {
            i64::MIN => self.number(0),
            i64::MAX => self.number(1),
            _ => {
                let apart = time_us.wrapping_sub(self.base_us);
                // The farthest differences do not leave room for the two marks.
                match varint::zigzag(apart).checked_add(3) {
                    Some(number) => self.number(number),
                    None => {
                        self.number(2);
                        self.fixed(time_us as u64);
                    }
                }
            }
        }
    }
    pub fn bytes(&mut self, value: &[u8]) {
        self.number(value.len() as u64);
        self.out.extend_from_slice(value);
    }
    pub fn list<T>(&mut self, list: impl ExactSizeIterator<Item = T>, mut each: impl FnMut(&mut Self, T)) {
        self.number(list.len() as u64);
        list.for_each(|item| each(self, item));
    }
    pub fn option<T>(&mut self, option: Option<T>, each: impl FnOnce(&mut Self, T)) {
        self.u8(u8::from(option.is_some()));
        if let Some(value) = option {
            each(self, value);
        }
    }
}

/// Reads them back.
pub struct Reader<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
    pub base_us: i64,
}

pub type Read<T> = Result<T, DamagedSnapshot>;

impl<'a> Reader<'a> {
    #[cold]
    pub fn broken(&self) -> DamagedSnapshot {
        DamagedSnapshot::Broken { offset: self.at }
    }
    pub fn take(&mut self, len: usize) -> Read<&'a [u8]> {
        let Some(taken) = self.at.checked_add(len).and_then(|end| self.bytes.get(self.at..end)) else {
            return Err(self.broken());
        };
        self.at += len;
        Ok(taken)
    }
    pub fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }
    pub fn u8(&mut self) -> Read<u8> {
        Ok(self.array::<1>()?[0])
    }
    pub fn number(&mut self) -> Read<u64> {
        let Some((number, length)) = varint::take(&self.bytes[self.at..]) else { return Err(self.broken()) };
        self.at += length;
        Ok(number)
    }
    pub fn narrow<T: TryFrom<u64>>(&mut self) -> Read<T> {
        let number = self.number()?;
        T::try_from(number).map_err(|_| self.broken())
    }
    pub fn fixed(&mut self) -> Read<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }
    pub fn time(&mut self) -> Read<i64> {
        match self.number()? {
            0 => Ok(i64::MIN),
            1 => Ok(i64::MAX),
            2 => Ok(self.fixed()? as i64),
            number => Ok(self.base_us.wrapping_add(varint::unzigzag(number - 3))),
        }
    }
    pub fn bytes(&mut self) -> Read<&'a [u8]> {
        let len = self.narrow()?;
        self.take(len)
    }
    pub fn text(&mut self) -> Read<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| self.broken())
    }
    pub fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let len: usize = self.narrow()?;
        // Each item takes a byte at least, so a damaged length cannot make us reserve more than the bytes are long.
        if len > self.bytes.len() - self.at {
            return Err(self.broken());
        }
        let mut list = Vec::with_capacity(len.min(64));
        for _ in 0..len {
            list.push(each(self)?);
        }
        Ok(list)
    }
    pub fn option<T>(&mut self, each: impl FnOnce(&mut Self) -> Read<T>) -> Read<Option<T>> {
        match self.u8()? {
            0 => Ok(None),
            1 => each(self).map(Some),
            _ => Err(self.broken()),
        }
    }
}

pub fn write_told(out: &mut Writer, told: &Told) {
    out.out.extend_from_slice(&told.id.0);
    out.time(told.begin_us);
    out.number(u64::from(told.revision));
    out.list(told.supersedes.iter(), |out, id| out.out.extend_from_slice(&id.0));
}

pub fn read_told(reader: &mut Reader<'_>) -> Read<Told> {
    Ok(Told {
        id: AlertId(reader.array()?),
        begin_us: reader.time()?,
        revision: reader.narrow()?,
        supersedes: reader.list(|reader| Ok(AlertId(reader.array()?)))?,
    })
}

fn write_head(out: &mut Writer, event: &Event) {
    out.number(event.leaves);
    out.fixed(event.content);
    out.number(u64::from(event.origin.source));
    out.number(u64::from(event.origin.partition as u32));
    out.number(event.origin.offset);
    out.number(u64::from(event.origin.sub));
}

fn read_head(reader: &mut Reader<'_>) -> Read<Event> {
    let (leaves, content) = (reader.number()?, reader.fixed()?);
    let origin = Origin {
        source: reader.narrow()?,
        partition: reader.narrow::<u32>()? as i32,
        offset: reader.number()?,
        sub: reader.narrow()?,
    };
    Ok(Event { leaves, content, origin, payload: Payload::Empty })
}

pub fn write_event(out: &mut Writer, event: &Event) {
    write_head(out, event);
    let bytes: &[u8] = match &event.payload {
        Payload::Owned(bytes) => bytes,
        // A stream's events own their bytes.
        Payload::Empty | Payload::Row { .. } => &[],
    };
    out.bytes(bytes);
}

pub fn read_event(reader: &mut Reader<'_>) -> Read<Event> {
    let head = read_head(reader)?;
    let bytes = reader.bytes()?;
    let payload = if bytes.is_empty() { Payload::Empty } else { Payload::Owned(bytes.into()) };
    Ok(Event { payload, ..head })
}

/// Evidence needs no more than what an alert tells: its values and inner keys have done their work.
fn write_evidence(out: &mut Writer, evidence: &Evidence) {
    out.time(evidence.time_us);
    write_head(out, &evidence.event);
    let parts = Rows::default().parts(&evidence.event.payload);
    out.bytes(parts.context);
    out.option(parts.raw, Writer::bytes);
}

fn read_evidence(reader: &mut Reader<'_>) -> Read<Evidence> {
    let time_us = reader.time()?;
    let head = read_head(reader)?;
    let context = reader.bytes()?;
    let payload = Payload::from_parts(&[], &[], context, reader.option(Reader::bytes)?);
    Ok(Evidence { time_us, event: Event { payload, ..head } })
}

pub fn write_core(out: &mut Writer, core: &Core) {
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
    [core.next_tick_us, core.newest_us, core.degraded_until_us].into_iter().for_each(|time_us| out.time(time_us));
}

pub fn read_core(reader: &mut Reader<'_>, program: &Program) -> Read<Core> {
    // From the program, so that each slot has the shape that the steps rely on, whatever the bytes say.
    let mut core = Core::new(program);
    if reader.narrow::<usize>()? != core.nodes.len() {
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
    (core.next_tick_us, core.newest_us, core.degraded_until_us) = (reader.time()?, reader.time()?, reader.time()?);
    Ok(core)
}

fn write_times(out: &mut Writer, times: &Times) {
    out.list(times.0.iter(), |out, time_us| out.time(*time_us));
}

fn read_times(reader: &mut Reader<'_>) -> Read<Times> {
    Ok(Times(reader.list(Reader::time)?.into()))
}

fn write_seen(out: &mut Writer, seen: &[Seen]) {
    for member in seen {
        out.time(member.last_us);
        write_times(out, &member.times);
        out.number(member.run_count);
        out.time(member.run_first_us);
        out.number(member.counted);
        out.number(member.since);
    }
}

fn read_seen(reader: &mut Reader<'_>, seen: &mut [Seen]) -> Read<()> {
    for member in seen {
        *member = Seen {
            last_us: reader.time()?,
            times: read_times(reader)?,
            run_count: reader.number()?,
            run_first_us: reader.time()?,
            counted: reader.number()?,
            since: reader.number()?,
        };
    }
    Ok(())
}

fn write_numbers(out: &mut Writer, numbers: &Numbers) {
    out.list(numbers.iter(), |out, (time_us, number)| {
        out.time(time_us);
        out.out.extend_from_slice(&number.to_le_bytes());
    });
    out.option(numbers.dropped_us, Writer::time);
}

fn read_numbers(reader: &mut Reader<'_>, numbers: &mut Numbers) -> Read<()> {
    for (time_us, number) in reader.list(|reader| Ok((reader.time()?, i128::from_le_bytes(reader.array()?))))? {
        // Far from where a sum could overflow; larger ones we never wrote.
        if number.unsigned_abs() > 1 << 96 {
            return Err(reader.broken());
        }
        numbers.add(time_us, number, usize::MAX);
    }
    numbers.dropped_us = reader.option(Reader::time)?;
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
                    out.time(*last_us);
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
            starts_us.iter().for_each(|start_us| out.time(*start_us));
        }
    }
    out.time(instance.tick_us);
    out.number(instance.filled);
    out.time(instance.newest_us);
    let Run { begin_us, last_us, first_us, seen_us, count, since } = instance.run;
    out.time(last_us);
    if last_us != NEVER {
        [begin_us, first_us, seen_us].into_iter().for_each(|time_us| out.time(time_us));
        out.number(count);
        out.number(since);
    }
}

fn read_instance(reader: &mut Reader<'_>, instance: &mut Instance) -> Read<()> {
    match &mut instance.content {
        Content::Events { times } => *times = read_times(reader)?,
        Content::Values { times, dimensions } => {
            *times = read_times(reader)?;
            for values in dimensions {
                for (bytes, last_us) in reader.list(|reader| Ok((reader.bytes()?, reader.time()?)))? {
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
                *start_us = reader.time()?;
            }
        }
    }
    (instance.tick_us, instance.filled) = (reader.time()?, reader.number()?);
    instance.newest_us = reader.time()?;
    let last_us = reader.time()?;
    if last_us != NEVER {
        instance.run = Run {
            last_us,
            begin_us: reader.time()?,
            first_us: reader.time()?,
            seen_us: reader.time()?,
            count: reader.number()?,
            since: reader.number()?,
        };
    }
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
    [begin_us, last_us, first_us, seen_us].into_iter().for_each(|time_us| out.time(*time_us));
    out.number(*count);
    out.list(figures.iter(), |out, figure| out.fixed(figure.to_bits()));
    out.list(peaks.iter(), |out, peak| out.fixed(peak.to_bits()));
    out.list(members.iter(), |out, member| out.number(*member));
    out.list(values.iter(), |out, values| out.list(values.iter(), |out, value| out.bytes(value)));
    out.list(opening.iter(), write_evidence);
    out.list(latest.iter(), write_evidence);
    out.u8(u8::from(*degraded));
}

fn read_episode(reader: &mut Reader<'_>) -> Read<Episode> {
    let float = |reader: &mut Reader<'_>| Ok(f64::from_bits(reader.fixed()?));
    Ok(Episode {
        begin_us: reader.time()?,
        last_us: reader.time()?,
        first_us: reader.time()?,
        seen_us: reader.time()?,
        count: reader.number()?,
        figures: reader.list(float)?,
        peaks: reader.list(float)?,
        members: reader.list(Reader::number)?,
        values: reader.list(|reader| reader.list(|reader| Ok(reader.bytes()?.into())))?,
        opening: reader.list(read_evidence)?,
        latest: reader.list(read_evidence)?,
        degraded: reader.u8()? != 0,
    })
}
