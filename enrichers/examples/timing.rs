//! How many nanoseconds a row each pass costs, on traffic as mixed as a security team's: `cargo run --release -p
//! enrichers --example timing`. The best of several rounds over the same batches, so that noise of the machine
//! counts little.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::sync::Arc;
use std::time::Instant;

use enrichers::{Geo, Options, PASSES, Tables, read_csv};
use schemas::{Action, EventKind, FlowBatch, Initiator, Ip, Outcome, Place, Row, Transport, key};

const ROWS: usize = 8192;
const BATCHES: usize = 12;

/// A small generator with a fixed seed: xorshift.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below
    }
}

fn inside(random: &mut Random) -> Ip {
    // A few hosts talk most, as everywhere.
    let host = if random.next(10) < 7 { random.next(400) } else { random.next(20_000) };
    Ip::v4([10, (host >> 12) as u8, (host >> 6 & 63) as u8, (host & 63) as u8])
}

fn outside(random: &mut Random) -> Ip {
    let host = if random.next(10) < 6 { random.next(300) } else { random.next(60_000) };
    Ip::v4([203, 0, (host >> 8) as u8, host as u8])
}

fn fill(row: &mut Row<'_>, random: &mut Random) {
    const PORTS: [u16; 8] = [443, 53, 80, 445, 3389, 22, 8443, 64001];
    row.set(key::TIME, 1_767_600_000_000_000 + random.next(7_200_000_000) as i64);
    let what = random.next(100);
    let (src, dst) =
        if random.next(3) == 0 { (outside(random), inside(random)) } else { (inside(random), outside(random)) };
    if what < 15 {
        row.set(key::KIND, EventKind::Auth);
        row.set(key::SRC_IP, src);
        row.set(key::OUTCOME, Outcome::Failure);
        row.text(key::HOST, format!("host-{}.corp.example", random.next(30)).as_bytes());
        return;
    }
    row.set(key::KIND, EventKind::Flow);
    row.set(key::SRC_IP, src);
    row.set(key::DST_IP, dst);
    row.set(key::SRC_PORT, 49152 + random.next(16_000) as u16);
    row.set(key::DST_PORT, PORTS[random.next(8)]);
    row.set(key::TRANSPORT, if random.next(4) == 0 { Transport::UDP } else { Transport::TCP });
    row.set(key::ACTION, Action::Allow);
    row.fixed(key::SRC_ZONE, "inside");
    row.fixed(key::DST_ZONE, "outside");
    if what < 75 {
        row.set(key::INITIATOR, Initiator::Source);
    }
    if what < 40 {
        row.fixed(key::APP_PROTO, ["ssl", "dns", "http", "smb"][random.next(4)]);
    }
}

fn main() {
    let mut csv = String::from("address,host,role,zone,criticality,owner\n");
    for host in 0..5000 {
        csv.push_str(&format!(
            "10.{}.{}.{},srv-{host},server,servers,high,team {}\n",
            host >> 12,
            host >> 6 & 63,
            host & 63,
            host % 9
        ));
    }
    csv.push_str("10.0.0.0/8,,workstation,office,low,\n");
    let tables = Tables::new(read_csv(csv.as_bytes()).unwrap(), Geo::none(), &Options::default());
    let mut best = vec![f64::MAX; PASSES.len()];
    for _ in 0..7 {
        let mut spent = vec![0.0; PASSES.len()];
        let mut random = Random(42);
        let mut batch = FlowBatch::new(ROWS);
        for _ in 0..BATCHES {
            batch.reset(Arc::new(Vec::new()), Arc::from("timing"), 0);
            for offset in 0..ROWS {
                let mut row = batch.begin(Place { offset: offset as u64, received_us: 0 }, b"");
                fill(&mut row, &mut random);
                row.commit();
            }
            for (pass, spent) in PASSES.iter().zip(&mut spent) {
                let start = Instant::now();
                (pass.run)(&tables, &mut batch);
                *spent += start.elapsed().as_secs_f64();
            }
        }
        for (best, spent) in best.iter_mut().zip(&spent) {
            *best = best.min(spent * 1e9 / (ROWS * BATCHES) as f64);
        }
    }
    for (pass, best) in PASSES.iter().zip(&best) {
        println!("{:12} {best:6.1} ns/row", pass.name);
    }
    println!("{:12} {:6.1} ns/row", "all", best.iter().sum::<f64>());
}
