//! What writing, refusing and sealing rows means, seen from outside.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use schemas::{
    Action, EventKind, Field, FlowBatch, Ip, LogSource, Mask, Place, RefusedPart, Reject, RejectKind, TimeSource, key,
};

static SOURCE: LogSource = LogSource {
    family: "test",
    vendor: "Example",
    product: "Box",
    dataset: "t",
    categories: &["firewall"],
    products: &[],
    services: &[],
};

fn batch(text: &str) -> FlowBatch {
    let mut batch = FlowBatch::new(2);
    batch.reset(Arc::new(text.as_bytes().to_vec()), Arc::from("file.log"), 0);
    batch
}

fn place(offset: u64) -> Place {
    Place { offset, received_us: 1_000 + offset as i64 }
}

#[test]
fn text_of_the_line_is_kept_by_position_and_other_text_by_copy() {
    let mut batch = batch("user=alice port=443");
    let block = batch.block().clone();
    let mut row = batch.begin(place(1), &block);
    row.text(key::USER, &block[5..10]);
    row.text(key::MESSAGE, b"made here");
    row.put(Field::DstPort, &block[16..19]).unwrap();
    row.set(key::SRC_IP, Ip::v4([192, 0, 2, 1]));
    row.log_source(&SOURCE);
    assert_eq!(row.commit(), 1);
    assert_eq!(batch.text(0, key::USER), Some(&b"alice"[..]));
    assert!(std::ptr::eq(batch.text(0, key::USER).unwrap().as_ptr(), block[5..].as_ptr()));
    assert_eq!(batch.text(0, key::MESSAGE), Some(&b"made here"[..]));
    assert_eq!(batch.get(0, key::DST_PORT), Some(443));
    assert_eq!(batch.text(0, key::VENDOR), Some(&b"Example"[..]));
    assert_eq!(batch.raw(0), &block[..]);
    assert_eq!(batch.get(0, key::TIME), Some(1_001), "no time of its own: the received one");
    assert_eq!(batch.get(0, key::KIND), Some(EventKind::Other));
}

#[test]
fn events_of_records_in_one_message_are_numbered_through() {
    let mut batch = batch("one two three");
    let block = batch.block().clone();
    let write = |batch: &mut FlowBatch, line: std::ops::Range<usize>, events: usize, before: u16| {
        let first = batch.len();
        let mut row = batch.begin(place(7), &block[line]);
        for _ in 1..events {
            row.set(key::BYTES_OUT, 1);
            row.another().unwrap();
        }
        row.set(key::BYTES_OUT, 1);
        row.commit();
        batch.follow(first, before);
    };
    write(&mut batch, 0..3, 1, 0);
    write(&mut batch, 4..7, 2, 1);
    write(&mut batch, 8..13, 2, 3);
    batch.seal();
    assert_eq!(batch.subs(), [0, 1, 2, 3, 4]);
    let inside: Vec<u16> = (0..5).map(|row| batch.sub_in_record(row)).collect();
    assert_eq!(inside, [0, 0, 1, 0, 1]);
    assert_eq!(batch.firsts().iter().collect::<Vec<_>>(), [0, 1, 3]);
}

#[test]
fn a_refused_record_leaves_no_trace_even_of_its_first_events() {
    let mut batch = batch("abc");
    let block = batch.block().clone();
    batch.begin(place(1), &block).commit();
    let mut row = batch.begin(place(2), &block);
    row.fixed(key::SERVICE, "ssh");
    row.extra(b"k", b"v");
    row.another().unwrap();
    row.log_source(&SOURCE);
    drop(row);
    assert_eq!(batch.len(), 1);
    let mut row = batch.begin(place(3), &block);
    row.fixed(key::SERVICE, "ssh");
    row.log_source(&SOURCE);
    row.commit();
    assert_eq!(batch.text(1, key::SERVICE), Some(&b"ssh"[..]));
    assert_eq!(batch.text(1, key::FAMILY), Some(&b"test"[..]));
    assert_eq!(batch.extras(1).count(), 0);
}

#[test]
fn a_record_of_many_events_gives_rows_of_one_place_and_the_batch_grows() {
    let mut batch = batch("xyz");
    let block = batch.block().clone();
    let mut row = batch.begin(place(7), &block);
    for port in 0..200 {
        row.set(key::DST_PORT, port);
        row.another().unwrap();
    }
    assert_eq!(row.commit(), 201);
    assert_eq!(batch.offsets(), vec![7; 201]);
    assert_eq!(batch.subs()[200], 200);
    assert_eq!(batch.get(199, key::DST_PORT), Some(199));
    assert_eq!(batch.get(200, key::DST_PORT), None, "a later event starts empty");
}

#[test]
fn a_refused_part_of_a_record_leaves_its_other_events() {
    let mut batch = batch("abcdef");
    let block = batch.block().clone();
    let mut row = batch.begin(place(7), &block);
    row.fixed(key::SERVICE, "ssh");
    row.extra(b"kept", b"1");
    row.another().unwrap();
    let between = row.position();
    row.log_source(&SOURCE);
    row.fixed(key::APP_PROTO, "https");
    row.extra(b"lost", b"2");
    row.another().unwrap();
    row.set(key::DST_PORT, 1);
    row.back_to(between);
    let reject = Reject { family: "test", offset: 3, kind: RejectKind::Empty };
    row.refuse_part(reject.clone(), b"def");
    row.log_source(&SOURCE);
    row.fixed(key::APP_PROTO, "https");
    row.another().unwrap();
    row.another().unwrap();
    let refused = row.take_refused();
    assert_eq!(row.end(), 2, "a row that was only begun is no event");
    drop(row);
    assert_eq!((batch.len(), batch.subs()), (2, &[0, 1][..]));
    assert_eq!(batch.text(0, key::SERVICE), Some(&b"ssh"[..]));
    assert_eq!(batch.text(1, key::APP_PROTO), Some(&b"https"[..]));
    assert_eq!(batch.text(1, key::FAMILY), Some(&b"test"[..]));
    assert_eq!((batch.extras(0).count(), batch.extras(1).count()), (1, 0));
    assert_eq!(batch.get(1, key::DST_PORT), None);
    assert_eq!(refused, [RefusedPart { reject, raw: b"def".to_vec() }]);
}

#[test]
fn sealing_makes_the_mask_of_each_field() {
    let mut batch = batch("");
    for offset in 0..200 {
        let mut row = batch.begin(place(offset), b"");
        if offset % 3 == 0 {
            row.set(key::ACTION, Action::Deny);
        }
        row.commit();
    }
    batch.seal();
    let want: Vec<usize> = (0..200).filter(|row| row % 3 == 0).collect();
    assert_eq!(batch.mask(Field::Action).iter().collect::<Vec<_>>(), want);
    assert_eq!(batch.mask(Field::Time), &Mask::all(200));
    assert!(batch.mask(*Field::ALL.last().unwrap()).is_empty());
}

#[test]
fn an_implausible_time_is_kept_flagged_and_not_correlated_by() {
    let mut batch = batch("");
    let received_us = 1_767_225_600_000_000;
    for time in [received_us, 0, received_us + 40 * 86_400_000_000] {
        let mut row = batch.begin(Place { offset: 1, received_us }, b"");
        row.set(key::TIME, time);
        row.commit();
    }
    batch.seal();
    assert_eq!(batch.column(key::TIME), [received_us, 0, received_us + 40 * 86_400_000_000]);
    assert_eq!(batch.correlation_times(), [received_us; 3]);
    assert_eq!(batch.get(0, key::TIME_SOURCE), None);
    assert_eq!(batch.get(1, key::TIME_SOURCE), Some(TimeSource::Implausible));
}

#[test]
fn a_list_grows_by_elements_wherever_its_text_lies() {
    let block = Arc::new(b"one,two".to_vec());
    let mut batch = FlowBatch::new(1);
    batch.reset(block.clone(), Arc::from("file"), 0);
    let mut row = batch.begin(Place { offset: 1, received_us: 0 }, &block);
    row.put(Field::DnsAnswers, &block[..3]).expect("any text is a list of one");
    row.add(key::DNS_ANSWERS, b"two\nlines");
    row.add(key::DNS_ANSWERS, b"");
    row.add(key::DNS_ANSWERS, b"three");
    let between = row.keep(b"kept between");
    row.set(key::USER, between);
    row.add(key::DNS_ANSWERS, b"four");
    row.commit();
    assert_eq!(batch.text(0, key::DNS_ANSWERS), Some(&b"one\ntwo lines\nthree\nfour"[..]));
    assert_eq!(batch.text(0, key::USER), Some(&b"kept between"[..]));
}

#[test]
fn a_text_of_another_type_is_left_without_a_reject() {
    let block = Arc::new(b"x".to_vec());
    let mut batch = FlowBatch::new(1);
    batch.reset(block.clone(), Arc::from("file"), 0);
    let mut row = batch.begin(Place { offset: 1, received_us: 0 }, &block);
    assert!(!row.put_if(Field::SrcIp, b"www.example.com") && !row.has(Field::SrcIp));
    assert!(row.put_if(Field::SrcIp, b"192.0.2.7") && row.has(Field::SrcIp));
}
