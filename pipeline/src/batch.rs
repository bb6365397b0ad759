//! A batch run: files in, alerts and a lake out, on all cores, without a broker.
//!
//! ```text
//!   files ──reader──▶ blocks ──┬─ worker ─▶ rows, rejects, hits ─┐
//!                              └─ worker ─▶ rows, rejects, hits ─┴─▶ commit; hits by time ─▶ correlators ─▶ alerts
//! ```
//! Blocks go to whichever worker is free, because a line's rows don't depend on its neighbours. Some formats do (a Zeek
//! file's `#fields` line says what the others mean): from the block with the first such line on, the rest of the file is one
//! job, read in order by one worker.
//!
//! Correlation needs every hit of a key in time order, so it begins when all files are read: a folder of logs has no
//! order that a watermark could lean on. Hits are a tenth of the lines or less, and hold no text of the line; the lines of
//! evidence are read again at the end, by their places.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crossbeam_channel::{Receiver, Sender, bounded};
use parsers::Order;
use rules::hit::HitBatch;
use schemas::alert::Alert;
use schemas::{RejectRecord, key};

use crate::clock;
use crate::correlate;
use crate::counts::{Counts, Progress};
use crate::error::Failure;
use crate::evidence;
use crate::report::Activity;
use crate::sink::lake::{DataFile, Lake, Table, TableWriter};
use crate::source::file::{FileSource, list};
use crate::source::{Block, Received};
use crate::stages::{Engine, Made, Reading, Worker};

/// A batch run.
pub struct Batch {
    /// Rules and tables.
    pub engine: Arc<Engine>,
    /// How every file is read.
    pub reading: Reading,
    /// Files and folders; `-` is standard input.
    pub paths: Vec<PathBuf>,
    /// Where events and refused records go; `None` for no lake.
    pub lake: Option<Arc<Lake>>,
    /// Where refused records go as lines of JSON, too.
    pub rejects: Option<RejectsOut>,
    /// Threads.
    pub workers: usize,
    /// What can be seen meanwhile.
    pub progress: Arc<Progress>,
}

/// What a batch run gives.
pub struct Outcome {
    /// The alerts, last revisions only, in the order of their beginnings.
    pub alerts: Vec<Alert>,
    /// What was counted.
    pub counts: Counts,
    /// When it was.
    pub activity: Activity,
    /// Seconds until all events were in the lake.
    pub read_seconds: f64,
    /// Seconds in all.
    pub seconds: f64,
}

/// One output of refused records for all workers.
pub type RejectsOut = Mutex<Box<dyn Write + Send>>;

enum Job {
    /// A block whose lines don't depend on others.
    Block(Block),
    /// The rest of a file, from this block on, to be read in order.
    Rest(Box<FileSource>, Block),
}

/// What a worker has to show at its end.
struct Share {
    counts: Counts,
    activity: Activity,
    hits: Vec<HitBatch>,
    flows: Vec<DataFile>,
    rejects: Vec<DataFile>,
}

impl Batch {
    /// Runs it.
    ///
    /// # Errors
    /// A file that can't be read, or a lake or output that can't be written. What was read before is not committed.
    pub fn run(self) -> Result<Outcome, Failure> {
        let began = clock::instant();
        let files = list(&self.paths)?;
        let workers = self.workers.max(1);
        let (jobs, taken) = bounded::<Job>(workers * 2);
        let mut shares = Vec::with_capacity(workers);
        let read = std::thread::scope(|scope| {
            let handles: Vec<_> = (0..workers).map(|_| scope.spawn(|| self.work(&taken))).collect();
            let read = self.read(&files, jobs);
            for handle in handles {
                shares.push(handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            read
        });
        drop(taken);
        let (mut counts, mut activity) = (Counts::default(), Activity::default());
        let (mut hits, mut flows, mut rejects) = (Vec::new(), Vec::new(), Vec::new());
        for share in shares {
            let share = share?;
            counts.merge(&share.counts);
            activity.merge(&share.activity);
            hits.extend(share.hits);
            flows.extend(share.flows);
            rejects.extend(share.rejects);
        }
        read?;
        if let Some(out) = &self.rejects {
            let mut out = out.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            out.flush().map_err(Failure::unwritable("refused records", Path::new("rejects.ndjson")))?;
        }
        if let Some(lake) = &self.lake {
            lake.commit(Table::Rejects, &rejects, &[], &[])?;
            lake.commit(Table::Flows, &flows, &[], &[])?;
        }
        let read_seconds = began.elapsed().as_secs_f64();
        let mut alerts = correlate::all(&self.engine, &hits, workers);
        evidence::resolve(&mut alerts, &files)?;
        if let Some(lake) = &self.lake {
            let mut writer = lake.writer(Table::Alerts);
            if !alerts.is_empty() {
                writer.write(&schemas::arrow::alerts_to_record_batch(&alerts))?;
            }
            lake.commit(Table::Alerts, &writer.finish()?, &[], &[])?;
        }
        self.progress.alerts(alerts.len() as u64);
        Ok(Outcome { alerts, counts, activity, read_seconds, seconds: began.elapsed().as_secs_f64() })
    }

    /// Reads the files in order and hands out the work.
    fn read(&self, files: &[PathBuf], jobs: Sender<Job>) -> Result<(), Failure> {
        let now_us = clock::now_us();
        let order = Order::of(self.reading.format);
        for path in files {
            let mut source = FileSource::open(path, now_us)?;
            while let Some(block) = source.next_block()? {
                self.progress.read(block.bytes.len() as u64);
                let line = |record: &Received| &block.bytes[record.start..record.start + record.len];
                let ordered = block.records.iter().any(|record| order.begins(line(record)));
                // Sending fails once all workers have gone: then one of them says why.
                if ordered {
                    if jobs.send(Job::Rest(Box::new(source), block)).is_err() {
                        return Ok(());
                    }
                    break;
                }
                if jobs.send(Job::Block(block)).is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn work(&self, jobs: &Receiver<Job>) -> Result<Share, Failure> {
        let mut sink = Sink {
            batch: self,
            share: Share {
                counts: Counts::default(),
                activity: Activity::default(),
                hits: Vec::new(),
                flows: Vec::new(),
                rejects: Vec::new(),
            },
            flows: self.lake.as_ref().map(|lake| lake.writer(Table::Flows)),
            rejects: self.lake.as_ref().map(|lake| lake.writer(Table::Rejects)),
        };
        let mut worker = Worker::new(&self.engine);
        for job in jobs {
            // A new session for each job: what comes out must not depend on which worker took what before.
            let mut session = self.engine.session(&self.reading);
            match job {
                Job::Block(block) => worker.work(&block, &self.reading, &mut session, |made| sink.take(made))?,
                Job::Rest(mut source, first) => {
                    let mut next = Some(first);
                    while let Some(block) = next {
                        worker.work(&block, &self.reading, &mut session, |made| sink.take(made))?;
                        next = source.next_block()?;
                        self.progress.read(next.as_ref().map_or(0, |block| block.bytes.len() as u64));
                    }
                }
            }
        }
        if let Some(writer) = &mut sink.flows {
            sink.share.flows = writer.finish()?;
        }
        if let Some(writer) = &mut sink.rejects {
            sink.share.rejects = writer.finish()?;
        }
        Ok(sink.share)
    }
}

struct Sink<'a> {
    batch: &'a Batch,
    share: Share,
    flows: Option<TableWriter>,
    rejects: Option<TableWriter>,
}

impl Sink<'_> {
    fn take(&mut self, made: Made<'_>) -> Result<(), Failure> {
        self.share.counts.add(&made);
        self.share.activity.add(made.batch.column(key::TIME));
        self.batch.progress.made(&made);
        if !made.hits.is_empty() {
            self.share.hits.push(std::mem::take(made.hits));
        }
        if let Some(writer) = &mut self.flows
            && !made.batch.is_empty()
        {
            writer.write_events(made.batch)?;
        }
        if made.rejects.is_empty() {
            return Ok(());
        }
        if let Some(writer) = &mut self.rejects {
            writer.write(&schemas::arrow::rejects_to_record_batch(made.rejects))?;
        }
        match &self.batch.rejects {
            Some(out) => write_rejects(made.rejects, out),
            None => Ok(()),
        }
    }
}

fn write_rejects(rejects: &[RejectRecord], out: &RejectsOut) -> Result<(), Failure> {
    let mut text = Vec::with_capacity(rejects.len() * 512);
    for reject in rejects {
        reject.write_json(&mut text);
        text.push(b'\n');
    }
    let mut out = out.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    out.write_all(&text).map_err(Failure::unwritable("refused records", Path::new("rejects.ndjson")))
}
