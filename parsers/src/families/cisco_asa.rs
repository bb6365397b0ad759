//! Cisco ASA and FTD (also PIX, FWSM): `%ASA-6-302013: Built outbound TCP connection …`.
//!
//! The six digits alone identify a message (level and prefix can be changed), so they dispatch, and a cursor reads the
//! fixed sentence behind them. Numbers that are not known here are rows of kind `other` with their text; a known number
//! whose sentence is not the known one is a reject.
//!
//! Which side is which: `inbound` and `outbound` in a Built name the end that began, which is not the order of the text. A
//! Teardown has no direction: its ends stay in textual order, and neither `initiator` nor `direction` is set; `port_state`
//! then speaks of the server's end, which orientation decides.

mod connections;
mod denials;
mod ends;
mod firepower;
mod logins;
mod rest;

use schemas::{EventKind, LogSource, RejectKind, Row, key};

use crate::lex::text::{Cursor, contains};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

static TRAFFIC: LogSource = source("ASA", "cisco_asa.traffic", &["firewall"], &["asa"]);
static LOGIN: LogSource = source("ASA", "cisco_asa.auth", &["authentication"], &["asa", "aaa"]);
static REST: LogSource = source("ASA", "cisco_asa.system", &[], &["asa"]);
static FTD_TRAFFIC: LogSource = source("FTD", "cisco_ftd.traffic", &["firewall"], &["ftd"]);
static FTD_LOGIN: LogSource = source("FTD", "cisco_ftd.auth", &["authentication"], &["ftd", "aaa"]);
static FTD_REST: LogSource = source("FTD", "cisco_ftd.system", &[], &["ftd"]);
static FTD_ALERT: LogSource = source("FTD", "cisco_ftd.intrusion", &["ids"], &["ftd"]);

const fn source(
    product: &'static str,
    dataset: &'static str,
    categories: &'static [&'static str],
    services: &'static [&'static str],
) -> LogSource {
    LogSource { family: "cisco_asa", vendor: "Cisco", product, dataset, categories, products: &["cisco"], services }
}

/// What stands between the percent sign and the colon.
struct Tag<'a> {
    code: &'a [u8],
    number: u32,
    level: u8,
    ftd: bool,
    /// Offset of the text after it.
    text_at: usize,
}

/// `%PREFIX-[suffix-]LEVEL-ID` and a colon or a blank, at the start of `body`.
#[inline]
fn tag(body: &[u8]) -> Option<Tag<'_>> {
    if body.first() != Some(&b'%') {
        return None;
    }
    // nearly every line: `%ASA-6-302013: `
    if let Some([b'%', a, s, d, b'-', level @ b'0'..=b'9', b'-', code @ .., b':', b' ']) = body.get(..15)
        && let (b"ASA", ftd) | (b"FTD", ftd) = (&[*a, *s, *d], *a == b'F')
        && body.get(15) != Some(&b' ')
        && let Some(number) = crate::lex::text::decimal(code)
    {
        return Some(Tag { code, number: number as u32, level: level - b'0', ftd, text_at: 15 });
    }
    // 48: `%FWSM-` and the longest logging class; a tag has no blanks
    let end = body.iter().take(48).position(|&b| b == b':' || b == b' ')?;
    let tag = &body[1..end];
    let at = tag.len().checked_sub(6)?;
    let code = &tag[at..];
    let [.., b'-', level @ b'0'..=b'9', b'-'] = &tag[..at] else { return None };
    let mut number = 0;
    for digit in code {
        if !digit.is_ascii_digit() {
            return None;
        }
        number = number * 10 + u32::from(digit - b'0');
    }
    let ftd = match tag {
        [b'F' | b'f', b'T' | b't', b'D' | b'd', b'-', ..] => true,
        [b'A' | b'a', b'S' | b's', b'A' | b'a', b'-', ..] => false,
        _ if tag.starts_with(b"PIX-") || tag.starts_with(b"FWSM-") => false,
        _ => return None,
    };
    let mut text_at = end + 1;
    while body.get(text_at) == Some(&b' ') {
        text_at += 1;
    }
    Some(Tag { code, number, level: level - b'0', ftd, text_at })
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "cisco_asa"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["cisco_ftd", "asa", "ftd"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        let is_digit = |byte: &u8| byte.is_ascii_digit();
        match record.body.first()? {
            b'%' if matches!(record.body, [_, b'A', b'S', b'A', b'-', level, b'-', a, b, c, d, e, f, b':', b' ', ..]
                if [level, a, b, c, d, e, f].into_iter().all(is_digit)) =>
            {
                Some(Confidence::Certain)
            }
            b'%' => tag(record.body).map(|_| Confidence::Certain),
            b'A'..=b'Z' if firepower::is_untagged(record.body) => Some(Confidence::Likely),
            b'A' if record.body.starts_with(b"AAA user ") => Some(Confidence::Likely),
            _ if firepower::is_audit(record) => Some(Confidence::Possible),
            _ if !record.body.starts_with(b"{") && contains(head(record.body), b"%ASA-") => Some(Confidence::Likely),
            _ => None,
        }
    }

    #[inline]
    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        match tag(record.body) {
            Some(tag) => message(record, record.body, 0, &tag, row),
            None => untagged(record, row),
        }
    }
}

fn head(body: &[u8]) -> &[u8] {
    &body[..body.len().min(200)]
}

/// The text behind a number.
#[inline]
fn message(record: &Record<'_>, body: &[u8], base: usize, tag: &Tag<'_>, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
    let mut cursor = Cursor::new(body);
    cursor.skip(tag.text_at);
    row.text(key::EVENT_CODE, tag.code);
    row.set(key::SEVERITY, u64::from(tag.level));
    let (topic, done) = match tag.number {
        302_013..=302_016 | 302_303..=302_306 | 302_035 | 302_036 => {
            (Topic::Traffic, connections::session(&mut cursor, row))
        }
        302_020 | 302_021 => (Topic::Traffic, connections::icmp(&mut cursor, row)),
        305_009..=305_012 => (Topic::Rest, connections::translation(&mut cursor, row)),
        106_100 | 106_102 | 106_103 => (Topic::Traffic, denials::access_list(&mut cursor, row)),
        106_010 | 106_011 | 106_014 | 106_023 | 305_005 | 305_006 | 305_013 | 313_005 => {
            (Topic::Traffic, denials::source_destination(tag.number, &mut cursor, row))
        }
        430_001..=430_005 => {
            return firepower::event(record, body, tag.text_at, Some(tag.number), row);
        }
        _ => match logins::message(tag.number, &mut cursor, row) {
            Some(done) => (Topic::Login, done),
            None => match denials::message(tag.number, &mut cursor, row) {
                Some(done) => (Topic::Traffic, done),
                None => {
                    rest::message(tag.number, &body[tag.text_at..], row);
                    let is_flow = row.get(key::KIND) == Some(EventKind::Flow);
                    (if is_flow { Topic::Traffic } else { Topic::Rest }, Some(()))
                }
            },
        },
    };
    row.log_source(match (topic, tag.ftd) {
        (Topic::Traffic, false) => &TRAFFIC,
        (Topic::Login, false) => &LOGIN,
        (Topic::Rest, false) => &REST,
        (Topic::Traffic, true) => &FTD_TRAFFIC,
        (Topic::Login, true) => &FTD_LOGIN,
        (Topic::Rest, true) => &FTD_REST,
    });
    match done {
        Some(()) => Ok(Parsed::Events),
        None => Err(not_its_sentence(base + cursor.at(), cursor.rest())),
    }
}

#[derive(Clone, Copy)]
enum Topic {
    Traffic,
    Login,
    Rest,
}

#[cold]
fn not_its_sentence(at: usize, rest: &[u8]) -> Refusal {
    Refusal { at, kind: RejectKind::bad_value("message text", rest, "the sentence of this message number") }
}

/// A body without a percent tag in front: the tag may stand later, old Firepower has none, and its manager audits in prose.
#[cold]
fn untagged(record: &Record<'_>, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
    let body = record.body;
    let mut from = 0;
    while let Some(at) = memchr::memchr(b'%', &head(body)[from..]) {
        let at = from + at;
        if let Some(tag) = tag(&body[at..]) {
            return message(record, &body[at..], at, &tag, row);
        }
        from = at + 1;
    }
    if firepower::is_untagged(body) {
        return firepower::event(record, body, 0, None, row);
    }
    if body.starts_with(b"AAA user ") {
        row.log_source(&LOGIN);
        let mut cursor = Cursor::new(body);
        return match logins::aaa(&mut cursor, row) {
            Some(()) => Ok(Parsed::Events),
            None => Err(not_its_sentence(cursor.at(), cursor.rest())),
        };
    }
    if firepower::is_audit(record) {
        row.log_source(&FTD_REST);
        firepower::audit(record, row);
        return Ok(Parsed::Events);
    }
    Err(record.not_this_family("`%ASA-LEVEL-NUMBER:` or `%FTD-LEVEL-NUMBER:`"))
}
