//! The hits message: what is written is read back, and nothing else is read at all.
#![allow(clippy::unwrap_used)]

use proptest::collection::vec;
use proptest::prelude::*;
use rules::hit::{EventId, HitBatch, HitParts, ValueRef, part, values, write_part};
use std::sync::Arc;

#[derive(Debug, Clone)]
struct Given {
    numbers: (u32, u64, i64, u64),
    event: EventId,
    parts: Vec<Vec<u8>>,
    raw: Option<Vec<u8>>,
}

fn given() -> impl Strategy<Value = Given> {
    let event = (0u16..3, any::<i32>(), any::<u64>(), any::<u16>())
        .prop_map(|(source, partition, offset, sub)| EventId { source, partition, offset, sub });
    let numbers = (any::<u32>(), any::<u64>(), any::<i64>(), any::<u64>());
    let parts = vec(vec(any::<u8>(), 0..20), 4..=4);
    (numbers, event, parts, proptest::option::of(vec(any::<u8>(), 0..30)))
        .prop_map(|(numbers, event, parts, raw)| Given { numbers, event, parts, raw })
}

fn batch(given: &[Given]) -> HitBatch {
    let mut batch = HitBatch::new();
    for hit in given {
        let source = batch.source_index(&Arc::from(format!("topic-{}", hit.event.source))).unwrap();
        let (tree, leaves, time_us, content) = hit.numbers;
        let event = EventId { source, ..hit.event };
        let [key, slots, inner, context] = [0, 1, 2, 3].map(|index| &hit.parts[index][..]);
        batch
            .push(HitParts {
                tree,
                leaves,
                time_us,
                event,
                content,
                key,
                slots,
                inner,
                context,
                raw: hit.raw.as_deref(),
            })
            .unwrap();
    }
    batch
}

fn described(batch: &HitBatch) -> Vec<String> {
    batch.iter().map(|hit| format!("{} {:?} {}", hit.source(), hit.parts(), hit.key_hash())).collect()
}

proptest! {
    #[test]
    fn a_message_is_read_back_as_it_was_written(hits in vec(given(), 0..20), plan in any::<u64>()) {
        let written = batch(&hits);
        let (read, read_plan) = HitBatch::decode(&written.encode(written.iter(), plan)).unwrap();
        prop_assert_eq!(read_plan, plan);
        prop_assert_eq!(described(&read), described(&written));
    }

    #[test]
    fn a_cut_message_is_refused(hits in vec(given(), 1..6), cut in any::<proptest::sample::Index>()) {
        let written = batch(&hits);
        let message = written.encode(written.iter(), 1);
        prop_assert!(HitBatch::decode(&message[..cut.index(message.len())]).is_err());
    }

    #[test]
    fn a_damaged_message_never_panics_nor_grows(hits in vec(given(), 0..6), at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
        let written = batch(&hits);
        let mut message = written.encode(written.iter(), 1);
        let at = at.index(message.len());
        message[at] = byte;
        if let Ok((read, _)) = HitBatch::decode(&message) {
            prop_assert!(read.size_bytes() <= message.len() * 16);
        }
    }

    #[test]
    fn any_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = HitBatch::decode(&bytes);
        let _ = values(&bytes).count();
        let _ = part(&bytes, 2);
    }
}

#[test]
fn values_print_as_they_were_and_long_texts_stay_different() {
    let mut bytes = Vec::new();
    ValueRef::address("::ffff:192.0.2.1".parse().unwrap()).write(&mut bytes);
    ValueRef::address("2001:db8::1".parse().unwrap()).write(&mut bytes);
    ValueRef::integer(3389).write(&mut bytes);
    ValueRef::integer(-1).write(&mut bytes);
    ValueRef::Text(b"a\x1b[2Jb").write(&mut bytes);
    ValueRef::Absent.write(&mut bytes);
    let printed: Vec<String> = values(&bytes).map(|value| value.to_string()).collect();
    assert_eq!(printed, ["192.0.2.1", "2001:db8::1", "3389", "-1", "a\\u{1b}[2Jb", "-"]);

    let (mut one, mut other) = (Vec::new(), Vec::new());
    ValueRef::Text(&[b'x'; 10_000]).write(&mut one);
    ValueRef::Text(&[b'x'; 10_001]).write(&mut other);
    assert_ne!(one, other);
    assert!(one.len() < 300);
}

#[test]
fn parts_are_found_by_their_number_and_missing_ones_are_empty() {
    let mut parts = Vec::new();
    write_part(b"first", &mut parts);
    write_part(b"", &mut parts);
    write_part(b"third", &mut parts);
    assert_eq!([0, 1, 2, 3].map(|index| part(&parts, index)), [&b"first"[..], b"", b"third", b""]);
}
