//! Whole, damaged and cut files, written by the tests themselves.
#![allow(clippy::unwrap_used)]

mod support;

use eventlog::{CHUNK_BYTES, EventLog, HEAD_BYTES, Made};
use proptest::prelude::*;
use support::{CHUNK, HEAD, chunk, file};

/// Where the first record of the first chunk lies.
const FIRST: usize = HEAD + 512;

fn read(bytes: &[u8]) -> Made {
    let mut made = Made::default();
    let (head, rest) = bytes.split_at(bytes.len().min(HEAD_BYTES));
    let mut log = EventLog::new(head, &mut made);
    let mut room = Vec::new();
    for chunk in rest.chunks(CHUNK_BYTES) {
        room.extend_from_slice(chunk);
        room = log.chunk(room, &mut made);
        assert!(room.is_empty());
    }
    made
}

/// The places of the records, and of what is damaged, with what is said of it.
fn places(bytes: &[u8]) -> (Vec<u64>, Vec<(u64, String)>) {
    let made = read(bytes);
    let damaged = made.damaged.iter().map(|part| (part.at, format!("{}: {}", part.what, part.why)));
    (made.events.iter().map(|event| event.at).collect(), damaged.collect())
}

#[test]
fn a_record_is_the_event_that_windows_shows() {
    let made = read(&file(&[chunk(7..8)]));
    assert_eq!((made.events.len(), made.damaged.len()), (1, 0));
    assert_eq!(
        std::str::from_utf8(&made.text).unwrap(),
        "<Event xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\"><System>\
         <Provider Name=\"Microsoft-Windows-Security-Auditing\"></Provider><EventID>4625</EventID>\
         <Keywords>0x8010000000000000</Keywords><TimeCreated SystemTime=\"2026-05-04T07:12:07.004217Z\"></TimeCreated>\
         <EventRecordID>7</EventRecordID><Channel>Security</Channel><Computer>srv1.corp.example</Computer></System>\
         <EventData><Data Name=\"TargetUserName\">j&lt;doe&gt;</Data><Data Name=\"TargetDomainName\">CORP</Data>\
         <Data Name=\"Status\">0xc000006d</Data><Data Name=\"SubStatus\">0xc000006a</Data><Data Name=\"LogonType\">3</Data>\
         <Data Name=\"IpAddress\">192.0.2.7</Data><Data Name=\"IpPort\">50111</Data></EventData></Event>"
    );
}

#[test]
fn damage_costs_what_is_damaged_and_is_told_with_its_place() {
    let whole = file(&[chunk(1..11)]);
    let (records, none) = places(&whole);
    assert_eq!((records.len(), records[0], none.len()), (10, FIRST as u64, 0));
    assert!(records.windows(2).all(|pair| pair[0] < pair[1]));

    // a token that there is none of, in the third record: that one, and the checksum
    let mut bytes = whole.clone();
    bytes[records[2] as usize + 24 + 4] = 0x3f;
    let (left, damaged) = places(&bytes);
    assert_eq!(left, [&records[..2], &records[3..]].concat());
    assert_eq!(damaged.len(), 2, "{damaged:?}");
    assert!(damaged[0].0 == HEAD as u64 && damaged[0].1.contains("checksum"), "{damaged:?}");
    assert!(damaged[1].0 == records[2] && damaged[1].1.contains("0x3f"), "{damaged:?}");

    // the mark of a record is gone
    let mut bytes = whole.clone();
    bytes[records[4] as usize] = 0;
    let (left, damaged) = places(&bytes);
    assert_eq!(left, [&records[..4], &records[5..]].concat());
    assert_eq!(damaged[1].0, records[4], "{damaged:?}");

    // a log that was in use says so, and its checksums are not asked
    let mut bytes = whole.clone();
    bytes[120] = 1;
    bytes[HEAD + 52] ^= 1;
    let (left, damaged) = places(&bytes);
    assert_eq!((left.len(), damaged), (10, Vec::new()));

    // cut in the middle of the sixth record
    let (left, damaged) = places(&whole[..records[5] as usize + 40]);
    assert_eq!(left, records[..5]);
    assert_eq!(damaged.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [HEAD as u64, records[5]], "{damaged:?}");

    // cut in the head
    assert_eq!(places(&whole[..100]).1.len(), 1);
}

#[test]
fn room_that_is_not_used_yet_is_no_damage() {
    let (records, damaged) = places(&file(&[chunk(1..3), vec![0; CHUNK], chunk(3..5)]));
    assert_eq!((records.len(), damaged.len()), (4, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_damage_is_read_over(
        changes in proptest::collection::vec((0usize..CHUNK + HEAD, any::<u8>()), 1..20),
        length in 8usize..HEAD + 2 * CHUNK,
    ) {
        let mut bytes = file(&[chunk(1..30), chunk(30..32)]);
        for (at, value) in changes {
            // most of a chunk is empty: records and heads are what is worth changing
            let at = if at >= FIRST { FIRST + at % 30_000 } else { at.max(8) };
            bytes[at] = value;
        }
        bytes.truncate(length);
        let (records, damaged) = places(&bytes);
        prop_assert!(records.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(damaged.iter().all(|(at, _)| *at <= bytes.len() as u64));
    }
}
