//! The incident generator: the lines of six log streams in the order in which they reach the collector.
//!
//! # The scenario
//!
//! Two hours of a company of 400 workstations, 29 servers, a DMZ of 24 hosts and two branches. Minutes count from
//! the beginning. With more than [`LINES_PER_PERIOD`] lines the two hours follow each other again and again, each with its own
//! incident; with fewer the ordinary traffic gets thinner and the incident stays whole, down to some 12,000 lines.
//!
//! | minutes | planted attack | what shows it |
//! |---|---|---|
//! | 22–33 | 192.0.2.66 tries 112 ports on all 24 hosts of the DMZ | ASA 106023, Built and Teardown of the open ones, Suricata alerts |
//! | 41–54 | it guesses passwords on the Remote Desktop host | ASA: 260 connections to 3389 of 10.30.0.25; Windows 4625 on RDS01, which is known there by name only; Zeek rdp |
//! | 55 | it is in, as `svc-rds` | 4624 of type 3, then 10, and 4672 on RDS01 |
//! | 61–63 | it leaves a program that listens on 50505 | Sysmon 1, 4688, 4697, 5158, 5154 on RDS01; the firewall refuses its own test from outside |
//! | 66–115 | the program reports to 198.51.100.77:8443 each minute, from a server that never called anyone outside | ASA, Zeek, Suricata, 5156, Sysmon 3 |
//!
//! | honest noise, which must not alert | what it does |
//! |---|---|
//! | forgetful users | up to four wrong passwords, then the right one: workstations, a Remote Desktop host inside, SSH |
//! | SCAN01, 10.20.0.60 (role `scanner`) | 112 ports on 24 hosts of the DMZ and a hundred more probes inside, minutes 80–92 |
//! | VULN01, 10.20.0.61 (role `scanner`) | logs in to every server within eight minutes, some of them refuse |
//! | BACKUP01, 10.20.0.50 (role `backup`) | large flows to every server every five minutes, and each minute one to its vault outside |
//! | 10.40.0.1 (role `nat-gateway`) | 60 users behind one address log in all the time, some with wrong passwords |
//! | the internet | refused probes, spread thinly over sources, hosts and ports |
//!
//! Everything else is a working day: browsing, DNS, mail, files, tickets, backups, administrators on their servers.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use super::daily::Daily;
use super::estate::START_US;
use super::logs::Event;
use super::story;
use super::text::Rng;

pub use super::story::{Expectation, Quiet, planted, quiet};

/// Lines of one period of two hours at the usual density; the demo's own size.
pub const LINES_PER_PERIOD: usize = 200_000;
/// Length of a period, microseconds.
pub const PERIOD_US: u64 = 7_200_000_000;

/// Which log a line belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stream {
    /// Cisco ASA, syslog.
    Asa,
    /// FortiGate, syslog.
    FortiGate,
    /// Suricata EVE, JSON.
    Suricata,
    /// Zeek, JSON.
    Zeek,
    /// Windows Security and Sysmon by winlogbeat, JSON.
    Windows,
    /// Linux servers, syslog.
    Linux,
}

impl Stream {
    /// Every stream, in the order of the enum.
    pub const ALL: [Stream; 6] =
        [Stream::Asa, Stream::FortiGate, Stream::Suricata, Stream::Zeek, Stream::Windows, Stream::Linux];

    /// The file that [`write_files`] writes it to.
    pub fn file_name(self) -> &'static str {
        match self {
            Stream::Asa => "asa.log",
            Stream::FortiGate => "fortigate.log",
            Stream::Suricata => "suricata.json",
            Stream::Zeek => "zeek.json",
            Stream::Windows => "windows.json",
            Stream::Linux => "linux.log",
        }
    }

    /// Its name without an ending, for topics.
    pub fn name(self) -> &'static str {
        self.file_name().split('.').next().unwrap_or_default()
    }
}

/// One line and when it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The log it belongs to.
    pub stream: Stream,
    /// The time that stands in the line, microseconds UTC, cut to the format's own resolution.
    pub event_time_us: u64,
    /// When it reaches the collector, microseconds UTC; never runs back from line to line.
    pub arrival_us: u64,
    /// The line, ASCII, without its end.
    pub text: Vec<u8>,
}

/// What [`Generator::next_into`] gives beside the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The log that the line belongs to.
    pub stream: Stream,
    /// See [`Line::event_time_us`].
    pub event_time_us: u64,
    /// See [`Line::arrival_us`].
    pub arrival_us: u64,
}

/// Writes the incident line by line. See the module's text for what is in it.
pub struct Generator {
    daily: Daily,
    queue: Queue,
    // The incident of this period, sorted by arrival; the next stands at `told`.
    story: Vec<Event>,
    told: usize,
    rng: Rng,
    period: u64,
    left: usize,
    // Ordinary traffic up to here is in the queue; each line of it takes `gap_us` of time.
    reached_us: u64,
    gap_us: u64,
}

/// What is still to come, earliest first; of equal times the one that was planned first.
#[derive(Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Reverse<Planned>>,
    planned: u64,
}

impl Queue {
    /// Plans an event.
    pub(super) fn push(&mut self, event: Event) {
        self.planned += 1;
        self.heap.push(Reverse(Planned { key: (event.arrival_us, self.planned), event }));
    }

    /// Events planned so far, those that are gone included.
    pub(super) fn planned(&self) -> u64 {
        self.planned
    }

    fn first_us(&self) -> Option<u64> {
        self.heap.peek().map(|planned| planned.0.key.0)
    }
}

struct Planned {
    key: (u64, u64),
    event: Event,
}

impl PartialEq for Planned {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Planned {}

impl PartialOrd for Planned {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Planned {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

impl Generator {
    /// A generator of exactly `lines` lines that begin at [`START_US`].
    pub fn new(seed: u64, lines: usize) -> Generator {
        let mut rng = Rng::new(seed);
        let story = story::write(&mut rng, START_US);
        let ordinary = lines.min(LINES_PER_PERIOD).saturating_sub(story.len()) as u64;
        Generator {
            daily: Daily::new(rng.bits()),
            queue: Queue::default(),
            story,
            told: 0,
            rng,
            period: 0,
            left: lines,
            reached_us: START_US,
            gap_us: PERIOD_US.checked_div(ordinary).unwrap_or(PERIOD_US).max(1),
        }
    }

    /// Appends the next line, without an end of line, to `text`; `None` when all lines were written.
    pub fn next_into(&mut self, text: &mut Vec<u8>) -> Option<Mark> {
        self.left = self.left.checked_sub(1)?;
        if self.told == self.story.len() {
            let next_us = START_US + (self.period + 1) * PERIOD_US;
            if self.reached_us >= next_us {
                self.period += 1;
                self.story = story::write(&mut self.rng, next_us);
                self.told = 0;
            }
        }
        // Nothing that is planned later can arrive before `reached_us`.
        let due = |queue: &Queue| queue.first_us().unwrap_or(u64::MAX);
        let planned_us = self.story.get(self.told).map_or(u64::MAX, |event| event.arrival_us);
        while self.reached_us <= due(&self.queue).min(planned_us) {
            let before = self.queue.planned();
            self.daily.happen(self.reached_us, &mut self.queue);
            self.reached_us += (self.queue.planned() - before) * self.gap_us;
        }
        let event = if planned_us <= due(&self.queue) {
            self.told += 1;
            self.story[self.told - 1]
        } else {
            self.queue.heap.pop()?.0.event
        };
        let (stream, event_time_us) = event.write(text);
        Some(Mark { stream, event_time_us, arrival_us: event.arrival_us })
    }
}

impl Iterator for Generator {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let mut text = Vec::with_capacity(700);
        let mark = self.next_into(&mut text)?;
        Some(Line { stream: mark.stream, event_time_us: mark.event_time_us, arrival_us: mark.arrival_us, text })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

/// The incident as `lines` lines in the order of their arrival. Same seed and count, same bytes.
pub fn generate(seed: u64, lines: usize) -> Generator {
    Generator::new(seed, lines)
}

/// Writes the incident into one file per stream, and the asset table as `assets.csv`. Gives lines per stream, in the
/// order of [`Stream::ALL`].
///
/// # Errors
/// What the file system says.
pub fn write_files(folder: &Path, seed: u64, lines: usize) -> std::io::Result<[usize; 6]> {
    std::fs::create_dir_all(folder)?;
    let mut files = Vec::with_capacity(Stream::ALL.len());
    for stream in Stream::ALL {
        files.push(BufWriter::with_capacity(1 << 18, std::fs::File::create(folder.join(stream.file_name()))?));
    }
    let mut counts = [0; 6];
    let mut generator = generate(seed, lines);
    let mut text = Vec::with_capacity(2048);
    while let Some(mark) = generator.next_into(&mut text) {
        text.push(b'\n');
        files[mark.stream as usize].write_all(&text)?;
        counts[mark.stream as usize] += 1;
        text.clear();
    }
    for mut file in files {
        file.flush()?;
    }
    std::fs::write(folder.join("assets.csv"), super::estate::ASSETS_CSV)?;
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{HashMap, HashSet};

    /// FNV-1a over all lines: enough to notice that a byte has changed.
    fn digest(seed: u64, lines: usize) -> u64 {
        let mut generator = generate(seed, lines);
        let (mut text, mut hash) = (Vec::new(), 0xcbf2_9ce4_8422_2325_u64);
        while generator.next_into(&mut text).is_some() {
            text.push(b'\n');
            hash = text.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
            text.clear();
        }
        hash
    }

    fn text(line: &Line) -> &str {
        std::str::from_utf8(&line.text).expect("the generator writes ASCII")
    }

    /// How many lines of a stream hold all of the pieces.
    fn count(lines: &[Line], stream: Stream, pieces: &[&str]) -> usize {
        lines
            .iter()
            .filter(|line| line.stream == stream && pieces.iter().all(|piece| text(line).contains(piece)))
            .count()
    }

    fn between<'t>(text: &'t str, before: &str, after: char) -> Option<&'t str> {
        text.split_once(before)?.1.split(after).next()
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
        assert_eq!(digest(42, 30_000), digest(42, 30_000));
        assert_ne!(digest(42, 30_000), digest(43, 30_000));
        // Alert ids in the documentation and in tests stand on these bytes: a change here must be meant.
        assert_eq!(digest(42, LINES_PER_PERIOD), PINNED, "{:#018x}", digest(42, LINES_PER_PERIOD));
    }

    const PINNED: u64 = 0x56f5_31c2_84d0_2f8e;

    #[test]
    fn it_gives_exactly_the_lines_that_were_asked_for() {
        for lines in [0, 1, 999, 15_000, LINES_PER_PERIOD + 1] {
            assert_eq!(generate(7, lines).count(), lines);
        }
    }

    #[test]
    fn lines_come_in_order_of_arrival_after_their_event_and_within_two_hours() {
        let (mut last_us, mut worst_us) = (0, 0);
        for line in generate(1, LINES_PER_PERIOD) {
            assert!(line.arrival_us >= last_us && line.arrival_us > line.event_time_us, "{}", text(&line));
            last_us = line.arrival_us;
            worst_us = worst_us.max(line.arrival_us - line.event_time_us);
        }
        assert!(last_us.abs_diff(START_US + PERIOD_US) < 120_000_000, "the last line is {last_us}");
        assert!(worst_us < 65_000_000, "a line is {worst_us} µs late");
    }

    #[test]
    fn all_streams_have_their_share() {
        let mut counts = HashMap::new();
        for line in generate(42, LINES_PER_PERIOD) {
            *counts.entry(line.stream).or_insert(0) += 1;
            assert!(line.text.is_ascii() && !line.text.contains(&b'\n'));
        }
        for stream in Stream::ALL {
            assert!(counts[&stream] > LINES_PER_PERIOD / 40, "{stream:?}: {}", counts[&stream]);
        }
    }

    #[test]
    fn every_step_of_the_attack_is_there_with_its_numbers() {
        let lines: Vec<Line> = generate(42, LINES_PER_PERIOD).collect();
        let mut tried: HashMap<&str, HashSet<&str>> = HashMap::new();
        for line in lines.iter().filter(|line| line.stream == Stream::Asa) {
            if let Some(pair) =
                between(text(line), "src outside:192.0.2.66/", ' ').and(between(text(line), " dst dmz:", ' '))
            {
                let (host, port) = pair.split_once('/').expect("address/port");
                tried.entry(host).or_default().insert(port);
            }
        }
        assert!(tried.len() >= 20 && tried.values().all(|ports| ports.len() >= 100), "scan: {tried:?}");
        let rdp = count(&lines, Stream::Asa, &["Built inbound TCP", "outside:192.0.2.66/", "to dmz:10.30.0.25/3389"]);
        assert!(rdp >= 250, "spike: {rdp}");
        let failed =
            |line: &&Line| text(line).contains("\"code\":\"4625\"") && text(line).contains("RDS01.corp.example");
        let failures: Vec<&Line> = lines.iter().filter(failed).collect();
        assert!(
            failures.len() >= 230 && failures.iter().all(|line| !text(line).contains("10.30.0.25")),
            "by name only"
        );
        let event = |code: u16, also: &[&str]| {
            let code = format!("\"code\":\"{code}\"");
            count(&lines, Stream::Windows, &[&[code.as_str(), "RDS01.corp.example"], also].concat())
        };
        assert_eq!(event(4624, &["\"LogonType\":\"10\"", "192.0.2.66", "svc-rds"]), 1, "success");
        assert_eq!(event(5154, &["\"SourcePort\":\"50505\""]), 1, "listener");
        assert_eq!(event(5156, &["198.51.100.77", "%%14593"]), 50, "reports on the host");
        let out = count(&lines, Stream::Asa, &["Built outbound", "outside:198.51.100.77/8443", "dmz:10.30.0.25/"]);
        assert_eq!(out, 50, "reports at the firewall");
        assert_eq!(count(&lines, Stream::Zeek, &["198.51.100.77", "\"service\":\"ssl\""]), 50, "reports in Zeek");
        let earlier = lines.iter().take_while(|line| !text(line).contains("198.51.100.77"));
        assert_eq!(
            earlier.filter(|line| text(line).contains("to dmz:10.30.0.25/") && text(line).contains("outbound")).count(),
            0
        );
    }

    #[test]
    fn the_honest_noise_is_there_too() {
        let lines: Vec<Line> = generate(42, LINES_PER_PERIOD).collect();
        assert!(count(&lines, Stream::Asa, &["src servers:10.20.0.60/", "dst dmz:"]) > 2400, "the authorised scanner");
        assert!(count(&lines, Stream::Zeek, &["\"id.orig_h\":\"10.20.0.50\""]) > 600, "the backup server");
        assert!(count(&lines, Stream::Windows, &["svc-vuln"]) > 40, "vulnerability management on Windows");
        assert!(count(&lines, Stream::Linux, &["svc-vuln"]) > 20, "vulnerability management on Linux");
        assert!(count(&lines, Stream::Windows, &["e.novak", "\"code\":\"4625\""]) >= 7, "the forgetful user");
        let gateway = lines.iter().filter(|line| text(line).contains("\"IpAddress\":\"10.40.0.1\""));
        let users: HashSet<_> = gateway.filter_map(|line| between(text(line), "\"TargetUserName\":\"", '"')).collect();
        assert!(users.len() > 40, "{} users behind the gateway", users.len());
        let mut probes: HashMap<String, usize> = HashMap::new();
        for line in &lines {
            if let Some(source) = between(text(line), "Deny tcp src outside:", '/') {
                *probes.entry(source.to_owned()).or_default() += 1;
            }
        }
        probes.remove("192.0.2.66");
        assert!(probes.len() > 200 && probes.values().all(|count| *count < 120), "radiation is spread thinly");
    }

    #[test]
    fn no_line_of_the_incident_is_lost_when_traffic_is_thin() {
        let events = |lines| {
            let mut generator = generate(42, lines);
            let mut seen = 0;
            let mut text = Vec::new();
            while generator.next_into(&mut text).is_some() {
                seen += usize::from(text.windows(13).any(|piece| piece == b"198.51.100.77"));
                text.clear();
            }
            seen
        };
        assert_eq!(events(20_000), events(LINES_PER_PERIOD));
    }
}
