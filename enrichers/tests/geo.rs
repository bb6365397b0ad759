//! Geo and ASN from databases that the test writes itself, in MaxMind's format.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use enrichers::{Geo, Options, Tables, enrich};
use schemas::{EventKind, Field, FlowBatch, Ip, Place, key};

/// A value of the format. Source: MaxMind DB File Format Specification 2.0, "Data Field Format".
enum Data<'a> {
    Text(&'a str),
    U16(u16),
    U32(u32),
    U64(u64),
    Map(&'a [(&'a str, Data<'a>)]),
    Array,
}

fn write(data: &Data<'_>, out: &mut Vec<u8>) {
    let control = |kind: u8, size: usize, out: &mut Vec<u8>| {
        let size = u8::try_from(size).unwrap();
        let (kind, extended) = if kind > 7 { (0, Some(kind - 7)) } else { (kind, None) };
        out.push(kind << 5 | size.min(29));
        out.extend(extended);
        if size >= 29 {
            out.push(size - 29);
        }
    };
    match data {
        Data::Text(text) => {
            control(2, text.len(), out);
            out.extend_from_slice(text.as_bytes());
        }
        Data::U16(value) => {
            control(5, 2, out);
            out.extend(value.to_be_bytes());
        }
        Data::U32(value) => {
            control(6, 4, out);
            out.extend(value.to_be_bytes());
        }
        Data::U64(value) => {
            control(9, 8, out);
            out.extend(value.to_be_bytes());
        }
        Data::Map(members) => {
            control(7, members.len(), out);
            for (name, value) in *members {
                write(&Data::Text(name), out);
                write(value, out);
            }
        }
        Data::Array => control(11, 0, out),
    }
}

/// A database of IPv4 networks: a tree of 24-bit records, its data, its metadata.
fn database(networks: &[([u8; 4], u32, Data<'_>)]) -> Vec<u8> {
    #[derive(Clone, Copy)]
    enum Record {
        Nothing,
        Node(usize),
        Data(usize),
    }
    let mut nodes = vec![[Record::Nothing; 2]];
    let mut data = Vec::new();
    for (address, length, value) in networks {
        let bits = u32::from_be_bytes(*address);
        let offset = data.len();
        write(value, &mut data);
        let mut node = 0;
        for depth in 0..*length {
            let side = (bits >> (31 - depth) & 1) as usize;
            if depth + 1 == *length {
                nodes[node][side] = Record::Data(offset);
                break;
            }
            node = match nodes[node][side] {
                Record::Node(next) => next,
                Record::Nothing | Record::Data(_) => {
                    nodes.push([Record::Nothing; 2]);
                    nodes[node][side] = Record::Node(nodes.len() - 1);
                    nodes.len() - 1
                }
            };
        }
    }
    let mut out = Vec::new();
    for record in nodes.iter().flatten() {
        let value = match record {
            Record::Nothing => nodes.len(),
            Record::Node(node) => *node,
            Record::Data(offset) => nodes.len() + 16 + offset,
        };
        out.extend_from_slice(&(value as u32).to_be_bytes()[1..]);
    }
    out.extend_from_slice(&[0; 16]);
    out.extend_from_slice(&data);
    out.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
    let metadata = [
        ("binary_format_major_version", Data::U16(2)),
        ("binary_format_minor_version", Data::U16(0)),
        ("build_epoch", Data::U64(1_767_600_000)),
        ("database_type", Data::Text("Test")),
        ("description", Data::Map(&[])),
        ("ip_version", Data::U16(4)),
        ("languages", Data::Array),
        ("node_count", Data::U32(nodes.len() as u32)),
        ("record_size", Data::U16(24)),
    ];
    write(&Data::Map(&metadata), &mut out);
    out
}

fn tables() -> Tables {
    let country = |code| [("country", code)];
    let nl = [("iso_code", Data::Text("NL"))];
    let jp = [("iso_code", Data::Text("JP"))];
    let (nl, jp) = (country(Data::Map(&nl)), country(Data::Map(&jp)));
    let countries = database(&[([192, 0, 2, 0], 24, Data::Map(&nl)), ([198, 51, 100, 0], 25, Data::Map(&jp))]);
    let asn = [
        ("autonomous_system_number", Data::U32(64_500)),
        ("autonomous_system_organization", Data::Text("Example Networks")),
    ];
    let asns = database(&[([192, 0, 2, 0], 24, Data::Map(&asn))]);
    Tables::new(Vec::new(), Geo::open(Some(countries), Some(asns)).unwrap(), &Options::default())
}

fn enriched(tables: &Tables, ends: &[([u8; 4], [u8; 4])]) -> FlowBatch {
    let mut batch = FlowBatch::new(8);
    batch.reset(Arc::new(Vec::new()), Arc::from("test"), 0);
    for (src, dst) in ends {
        let mut row = batch.begin(Place { offset: 1, received_us: 0 }, b"");
        row.set(key::KIND, EventKind::Flow);
        row.set(key::SRC_IP, Ip::v4(*src));
        row.set(key::DST_IP, Ip::v4(*dst));
        row.commit();
    }
    enrich(tables, &mut batch);
    batch
}

#[test]
fn the_ends_that_are_not_ours_get_a_country_and_a_network() {
    let batch = enriched(
        &tables(),
        &[([10, 0, 0, 1], [192, 0, 2, 9]), ([198, 51, 100, 7], [10, 0, 0, 1]), ([198, 51, 100, 200], [192, 0, 2, 9])],
    );
    assert_eq!(batch.text(0, key::DST_COUNTRY), Some(&b"NL"[..]));
    assert_eq!(batch.get(0, key::DST_ASN), Some(64_500));
    assert_eq!(batch.text(0, key::DST_AS_ORG), Some(&b"Example Networks"[..]));
    assert!(!batch.has(0, Field::SrcCountry), "ours are not looked up");
    assert_eq!(batch.text(1, key::SRC_COUNTRY), Some(&b"JP"[..]));
    assert!(!batch.has(1, Field::SrcAsn));
    assert!(!batch.has(2, Field::SrcCountry), "outside the network's 25 bits");
    assert_eq!(batch.text(2, key::DST_COUNTRY), Some(&b"NL"[..]));
}

#[test]
fn another_database_is_another_digest() {
    assert_ne!(tables().digest(), Tables::builtin().digest());
    assert_eq!(tables().digest(), tables().digest());
}

#[test]
fn what_is_no_database_is_told_at_the_start() {
    let error = Geo::open(Some(b"not a database".to_vec()), None).err().unwrap();
    assert!(error.to_string().starts_with("the country database can't be read: "), "{error}");
}

#[test]
fn a_damaged_database_gives_nothing_and_no_panic() {
    let country = [("iso_code", Data::Text("NL"))];
    let country = [("country", Data::Map(&country))];
    let whole = database(&[([192, 0, 2, 0], 24, Data::Map(&country))]);
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0xff;
        if let Ok(geo) = Geo::open(Some(damaged), None) {
            enriched(&Tables::new(Vec::new(), geo, &Options::default()), &[([10, 0, 0, 1], [192, 0, 2, 9])]);
        }
    }
}
