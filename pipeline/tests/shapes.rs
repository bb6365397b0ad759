//! Records that are no lines, end to end: each is one event, whatever the blocks and messages that it comes in, and each event has a
//! place of its own.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use pipeline::load;
use pipeline::source::file::{BLOCK_BYTES, FileSource};
use pipeline::source::{Block, message};
use pipeline::stages::{Engine, Reading, Worker};
use proptest::prelude::*;
use rules::scan::RawSample;
use schemas::key;

fn engine() -> &'static Arc<Engine> {
    static ENGINE: OnceLock<Arc<Engine>> = OnceLock::new();
    ENGINE.get_or_init(|| Arc::new(load::incident(RawSample::None).unwrap()))
}

/// An event: its offset and sub, its record as received, and what was read of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Event {
    offset: u64,
    sub: u16,
    raw: String,
    read: String,
}

/// The events of some blocks, and how many records were refused.
fn events(blocks: impl IntoIterator<Item = Block>) -> (Vec<Event>, usize) {
    let reading = Reading::default();
    let mut session = reading.session();
    let mut worker = Worker::new(engine());
    let (mut events, mut refused) = (Vec::new(), 0);
    for block in blocks {
        let sink = |made: pipeline::stages::Made<'_>| {
            refused += made.rejects.len();
            for row in 0..made.batch.len() {
                let text = |key| String::from_utf8_lossy(made.batch.text(row, key).unwrap_or_default()).into_owned();
                events.push(Event {
                    offset: made.batch.offsets()[row],
                    sub: made.batch.subs()[row],
                    raw: String::from_utf8_lossy(made.batch.raw(row)).into_owned(),
                    read: format!(
                        "{} {:?} {:?} {}",
                        text(key::EVENT_CODE),
                        made.batch.get(row, key::SRC_IP),
                        made.batch.get(row, key::TIME),
                        text(key::USER)
                    ),
                });
            }
            Ok::<(), ()>(())
        };
        worker.work(&block, &reading, &mut session, sink).unwrap();
    }
    (events, refused)
}

fn of_file(path: &Path) -> (Vec<Event>, usize) {
    let mut source = FileSource::open(path, 1_767_607_200_000_000).unwrap();
    let mut blocks = 0;
    let found = events(std::iter::from_fn(|| source.next_block().unwrap()).inspect(|_| blocks += 1));
    let large = fs::metadata(path).unwrap().len() > 2 * BLOCK_BYTES as u64;
    assert!(!large || blocks > 1, "more than one block");
    found
}

/// A failed login of `user{n}` as Splunk's input writes it: 24 lines.
fn login(n: usize) -> String {
    format!(
        "10/11/2026 {:02}:{:02}:{:02} AM\nLogName=Security\nSourceName=Microsoft Windows security auditing.\nEventCode=4625\nEventType=0\n\
         Type=Information\nComputerName=srv1.corp.example\nTaskCategory=Logon\nOpCode=Info\nRecordNumber={n}\nKeywords=Audit Failure\n\
         Message=An account failed to log on.\n\nSubject:\n\tAccount Name:\t\t-\n\nLogon Type:\t\t\t3\n\n\
         Account For Which Logon Failed:\n\tAccount Name:\t\tuser{n}\n\tAccount Domain:\t\tCORP\n\n\
         Network Information:\n\tSource Network Address:\t192.0.2.{}\n",
        1 + n / 3600 % 11,
        n / 60 % 60,
        n % 60,
        n % 250
    )
}

const LOGIN_LINES: u64 = 24;

#[test]
fn each_windows_event_as_text_is_one_event_and_no_block_cuts_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("security.log");
    let count = 2 * BLOCK_BYTES / login(0).len() + 3_000;
    let text: String = (0..count).map(login).collect();
    let with_returns = text.replace('\n', "\r\n");
    let wide =
        [&[0xff, 0xfe][..], &with_returns.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()].concat();
    let packed = zstd::encode_all(with_returns.as_bytes(), 1).unwrap();
    for bytes in [text.as_bytes(), with_returns.as_bytes(), &wide, &packed] {
        fs::write(&path, bytes).unwrap();
        let (found, refused) = of_file(&path);
        assert_eq!((found.len(), refused), (count, 0));
        for (n, event) in found.iter().enumerate() {
            assert_eq!((event.offset, event.sub), (n as u64 * LOGIN_LINES + 1, 0));
            assert!(event.read.ends_with(&format!(" user{n}")) && event.read.starts_with("4625 "), "{event:?}");
            assert!(event.read.contains(&format!("192.0.2.{}", n % 250)), "{event:?}");
        }
    }
}

#[test]
fn what_a_rotated_file_begins_with_costs_only_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("security.log.1");
    let rest: String = login(0).split_inclusive('\n').skip(15).collect();
    fs::write(&path, rest + &login(1) + &login(2)).unwrap();
    let (found, _) = of_file(&path);
    let users: Vec<&str> = found.iter().map(|event| event.read.rsplit(' ').next().unwrap()).collect();
    assert_eq!(users, ["user1", "user2"]);
}

fn xml(n: usize, space: &str) -> String {
    [
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>",
        "<Provider Name='Microsoft-Windows-Security-Auditing'/><EventID>4625</EventID>",
        "<TimeCreated SystemTime='2026-05-04T07:12:31.0042170Z'/><Computer>srv1.corp.example</Computer></System>",
        &format!(
            "<EventData><Data Name='TargetUserName'>user{n}</Data><Data Name='IpAddress'>192.0.2.9</Data></EventData>"
        ),
        "</Event>",
    ]
    .join(space)
}

#[test]
fn each_windows_event_as_xml_is_one_event() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.xml");
    let count = 20_000;
    let exported = "<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\"?>\r\n<Events>".to_owned()
        + &(0..count).map(|n| xml(n, "")).collect::<String>()
        + "</Events>\r\n";
    for text in [
        (0..count).map(|n| xml(n, "") + "\n").collect::<String>(),
        (0..count).map(|n| xml(n, "\r\n  ") + "\r\n").collect::<String>(),
        exported,
    ] {
        fs::write(&path, text).unwrap();
        let (found, refused) = of_file(&path);
        assert_eq!((found.len(), refused), (count, 0));
        assert!(
            found.iter().enumerate().all(|(n, event)| event.read.ends_with(&format!(" user{n}")) && event.sub == 0)
        );
        let places: BTreeSet<u64> = found.iter().map(|event| event.offset).collect();
        assert_eq!(places.len(), count);
    }
}

// ---- messages

/// A block of messages with these offsets.
fn block(messages: &[(u64, String)]) -> Block {
    let (mut bytes, mut records) = (Vec::new(), Vec::new());
    for (offset, text) in messages {
        message::take(text.as_bytes(), *offset, 1_767_607_200_000_000, &mut bytes, &mut records);
    }
    let source = Arc::from("firewall");
    Block { source, partition: 3, bytes: Arc::new(bytes), records, damaged: Vec::new() }
}

/// A piece of a message: its text, how many events it holds, and whether it is refused.
fn piece(kind: u8, n: usize) -> (String, usize, bool) {
    let refused = format!(
        "<164>Nov 17 2026 08:00:07 fw1 : %ASA-4-106023: Deny tcp src outside:192.0.2.{}/40123 dst dmz:10.30.0.12/3389 by access-group \"in\"",
        n % 250
    );
    let record = |n: usize| {
        format!(
            "{{\"eventVersion\":\"1.08\",\"eventTime\":\"2026-05-04T07:12:31Z\",\"eventSource\":\"signin.amazonaws.com\",\"eventName\":\"ConsoleLogin\",\"awsRegion\":\"eu-central-1\",\"sourceIPAddress\":\"192.0.2.{}\",\"userIdentity\":{{\"type\":\"IAMUser\",\"userName\":\"user{n}\"}},\"responseElements\":{{\"ConsoleLogin\":\"Failure\"}}}}",
            n % 250
        )
    };
    match kind % 5 {
        0 => (refused, 1, false),
        1 => (record(n), 1, false),
        2 => (format!("{{\"Records\":[{},{},{}]}}", record(n), record(n + 1), record(n + 2)), 3, false),
        3 => (String::new(), 0, false),
        _ => ("what is this".to_owned(), 0, true),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn each_event_of_a_message_has_a_place_of_its_own_and_is_what_it_is_alone(
        kinds in proptest::collection::vec(proptest::collection::vec(0u8..5, 1..12), 1..8),
        cut in 0usize..8,
    ) {
        let pieces: Vec<Vec<(String, usize, bool)>> = kinds
            .iter()
            .map(|kinds| kinds.iter().enumerate().map(|(n, kind)| piece(*kind, n)).collect())
            .collect();
        let messages: Vec<(u64, String)> = pieces
            .iter()
            .enumerate()
            .map(|(at, pieces)| {
                let lines: Vec<&str> = pieces.iter().map(|(line, ..)| line.as_str()).collect();
                (100 + at as u64, lines.join("\n"))
            })
            .collect();
        let (found, refused) = events([block(&messages)]);
        let all = pieces.iter().flatten();
        prop_assert_eq!(refused, all.clone().filter(|(_, _, refused)| *refused).count());
        prop_assert_eq!(found.len(), all.map(|(_, events, _)| events).sum::<usize>());

        // numbered through, message by message
        for (offset, _) in &messages {
            let subs: Vec<u16> = found.iter().filter(|event| event.offset == *offset).map(|event| event.sub).collect();
            prop_assert_eq!(&subs, &(0..subs.len() as u16).collect::<Vec<_>>());
        }
        // the same in other blocks
        let cut = cut.min(messages.len());
        let again = events([block(&messages[..cut]), block(&messages[cut..])]);
        prop_assert_eq!(&again, &(found.clone(), refused));
        // and, but for the place, as lines of a file
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let lines: Vec<&str> = messages.iter().map(|(_, text)| text.as_str()).collect();
        fs::write(&path, lines.join("\n")).unwrap();
        let of_lines = |events: &[Event]| events.iter().map(|event| (event.raw.clone(), event.read.clone())).collect::<Vec<_>>();
        prop_assert_eq!(of_lines(&of_file(&path).0), of_lines(&found));
    }
}

#[test]
fn a_windows_event_as_text_is_one_message_and_several_are_several_events() {
    let (found, refused) =
        events([block(&[(1, login(1)), (2, login(2) + &login(3)), (3, login(4).replace('\n', "\r\n"))])]);
    let places: Vec<(u64, u16)> = found.iter().map(|event| (event.offset, event.sub)).collect();
    assert_eq!((places, refused), (vec![(1, 0), (2, 0), (2, 1), (3, 0)], 0));
    assert!(found.iter().enumerate().all(|(n, event)| event.read.ends_with(&format!(" user{}", n + 1))));
}

#[test]
fn a_message_of_more_events_than_can_be_numbered_is_refused_from_there_on() {
    let line = piece(0, 1).0;
    let count = schemas::EVENTS_PER_MESSAGE_MAX + 5;
    let text = vec![line.as_str(); count].join("\n");
    let (found, refused) = events([block(&[(9, text), (10, line.clone())])]);
    assert_eq!((found.len(), refused), (schemas::EVENTS_PER_MESSAGE_MAX + 2, 4));
    assert_eq!(found.last().map(|event| (event.offset, event.sub)), Some((10, 0)));
    let places: BTreeSet<(u64, u16)> = found.iter().map(|event| (event.offset, event.sub)).collect();
    assert_eq!(places.len(), found.len());
}
