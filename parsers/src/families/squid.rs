//! Squid's access log: native, `common`, `combined`, and formats of one's own that keep the native order around the result.
//!
//! `1767607200.123   5006 10.0.0.5 TCP_TUNNEL/200 19763 CONNECT www.example.com:443 ann HIER_DIRECT/198.51.100.20 -`. The row is the
//! client's request to an origin server: its address is that of a direct peer or of the URL; a parent proxy is none.
//! A line is found by its result code (`TCP_…/NNN`), so that blanks, a referrer behind or a stamp of another shape
//! before it do no harm. Squid writes at the end of a request: its start is the elapsed time before.
//!
//! Of the port only a tunnel that was established, or an answer that came directly, proves something. A 407 asks for a
//! password and is no verdict. Source: squid-cache.org, "Squid Log Files", "logformat".

use schemas::{Action, EventKind, Field, Initiator, Ip, LogSource, PortState, RejectKind, Row, Transport, key};

use crate::lex::text::{Cursor, decimal, split_once};
use crate::lex::time;
use crate::lex::weblog::{self, present};
use crate::transport::set_time;
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

static SOURCE: LogSource = LogSource {
    family: "squid",
    vendor: "Squid",
    product: "Squid",
    dataset: "squid.access",
    categories: &["proxy"],
    products: &["squid"],
    services: &["access"],
};

/// Most words before the result: a format of one's own has a few more than the native one.
const WORDS_BEFORE_MAX: usize = 12;

impl Parser for Family {
    fn name(&self) -> &'static str {
        "squid"
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        let body = record.body;
        let named = is_squid(record.header.app) || body.starts_with(b"(squid");
        let native = body.get(10) == Some(&b'.') && body[..10].iter().all(u8::is_ascii_digit);
        if named || native {
            return result_at(body).map(|_| Confidence::Certain);
        }
        // `… TCP_MISS:HIER_DIRECT` at the end of the common format
        let last = memchr::memrchr(b' ', body).map_or(&b""[..], |at| &body[at + 1..]);
        let common = matches!(last.first(), Some(b'T' | b'U' | b'N')) && outcome_pair(last).is_some();
        common.then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        row.log_source(&SOURCE);
        row.set(key::KIND, EventKind::Flow);
        row.set(key::INITIATOR, Initiator::Source);
        let body = record.body;
        if let Some((at, length)) = result_at(body) {
            native(record, at, length, row)?;
        } else if let Some(access) = weblog::access(body) {
            common(record, &access, row)?;
        } else {
            return Err(record.not_this_family("`CLIENT TCP_…/STATUS BYTES METHOD URL`, or the common log format"));
        }
        Ok(Parsed::Events)
    }
}

/// `squid`, `(squid-1)`, `squid[7]` as the syslog daemon may leave it.
pub(super) fn is_squid(app: &[u8]) -> bool {
    app.strip_prefix(b"(").unwrap_or(app).starts_with(b"squid")
}

/// Where the word with the result stands, `TCP_MISS/200`, and its length.
fn result_at(body: &[u8]) -> Option<(usize, usize)> {
    let mut cursor = Cursor::new(body);
    for _ in 0..WORDS_BEFORE_MAX {
        let at = cursor.at();
        let word = cursor.word();
        if word.is_empty() {
            return None;
        }
        if let [code @ .., b'/', a, b, c] = word
            && [a, b, c].iter().all(|byte| byte.is_ascii_digit())
            && is_code(code)
        {
            return Some((at, word.len()));
        }
    }
    None
}

/// `TCP_MISS_ABORTED`, `TAG_NONE`, `NONE_NONE`, `UDP_HIT`, `NONE`.
fn is_code(code: &[u8]) -> bool {
    let known = [&b"TCP_"[..], b"UDP_", b"TAG_", b"NONE", b"ERR_"].iter().any(|start| code.starts_with(start));
    known && code.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_')
}

/// `TCP_MISS:HIER_DIRECT`.
fn outcome_pair(word: &[u8]) -> Option<(&[u8], &[u8])> {
    split_once(word, b':')
        .filter(|(code, way)| is_code(code) && way.iter().all(|b| b.is_ascii_uppercase() || *b == b'_'))
}

/// `[EPOCH ELAPSED] CLIENT RESULT/STATUS BYTES METHOD URL USER WAY/PEER TYPE ["REFERRER" "AGENT"]`
fn native(record: &Record<'_>, at: usize, length: usize, row: &mut Row<'_>) -> Result<(), Refusal> {
    let body = record.body;
    let before = body[..at].trim_ascii();
    let (head, client) = crate::lex::text::rsplit_once(before, b' ').unwrap_or((b"", before));
    set_client(client, row);
    let mut words = Cursor::new(head);
    let stamp = words.word();
    if let Some(us) = time::epoch(stamp).filter(|_| stamp.len() > 9) {
        set_time(row, us);
        if let Some(elapsed_ms) = decimal(words.word()) {
            let elapsed_us = elapsed_ms.min(u64::from(u32::MAX)).saturating_mul(1000);
            row.set(key::DURATION, elapsed_us);
            row.set(key::START, us - elapsed_us as i64);
        }
    } else if let Some((stamp, _)) = memchr::memchr(b'[', head).and_then(|open| time::clf(&head[open + 1..]))
        && let Some(us) = record.time.resolve(&stamp)
    {
        set_time(row, us);
    }
    let (code, status) = body[at..at + length].split_at(length - 4);
    let mut cursor = Cursor::new(&body[at + length..]);
    cursor.skip_blanks();
    let bytes = cursor.word();
    let Some(bytes) = decimal(bytes) else {
        return Err(record.refuse(bytes, RejectKind::bad_value("bytes", bytes, "digits")));
    };
    row.set(key::BYTES_IN, bytes);
    let method = cursor.word();
    let url = cursor.word();
    if url.is_empty() {
        return Err(Refusal { at: body.len(), kind: RejectKind::Missing { what: "the URL" } });
    }
    let user = cursor.word();
    row.text(key::USER, present(user));
    let way = cursor.word();
    let (way, peer) = split_once(way, b'/').unwrap_or((way, b""));
    let content_type = cursor.word();
    row.extra_fixed("content_type", present(content_type));
    if let Some((referrer, rest)) = weblog::quoted(cursor.rest()) {
        row.extra_fixed("referrer", present(referrer));
        if let Some((agent, _)) = weblog::quoted(rest.trim_ascii_start()) {
            row.text(key::USER_AGENT, present(agent));
        }
    } else {
        row.extra_fixed("more", present(cursor.rest().trim_ascii()));
    }
    conclude(code, decimal(&status[1..]), present(method), url, way, present(peer), row);
    Ok(())
}

fn common(record: &Record<'_>, access: &weblog::Access<'_>, row: &mut Row<'_>) -> Result<(), Refusal> {
    set_client(access.client, row);
    row.text(key::USER, access.user);
    if let Some(us) = record.time.resolve(&access.stamp) {
        set_time(row, us);
    }
    row.set_opt(key::BYTES_IN, access.bytes);
    let ([referrer, agent], rest) = weblog::client_words(access.rest);
    row.extra_fixed("referrer", referrer);
    row.text(key::USER_AGENT, agent);
    let Some((code, way)) = outcome_pair(rest.trim_ascii()) else {
        return Err(record.refuse(rest, RejectKind::Missing { what: "RESULT:WAY at the end" }));
    };
    let request = access.request;
    conclude(code, access.status, request.method, request.target, way, b"", row);
    Ok(())
}

fn set_client(client: &[u8], row: &mut Row<'_>) {
    match Ip::parse(client) {
        Some(ip) => row.set(key::SRC_IP, ip),
        None => row.text(key::SRC_HOST, present(client)),
    }
}

fn conclude(code: &[u8], status: Option<u64>, method: &[u8], url: &[u8], way: &[u8], peer: &[u8], row: &mut Row<'_>) {
    row.text(key::EVENT_ACTION, code);
    let status = status.filter(|status| *status > 0);
    row.set_opt(key::HTTP_STATUS, status);
    row.text(key::HTTP_METHOD, method);
    row.text(key::URL, present(url));
    row.extra_fixed("hierarchy", way);
    let (host, port) = weblog::authority(url);
    row.text(key::HTTP_HOST, host);
    row.set_opt(key::DST_PORT, port);
    if code.starts_with(b"TCP_") {
        row.set(key::TRANSPORT, Transport::TCP);
    } else if code.starts_with(b"UDP_") {
        row.set(key::TRANSPORT, Transport::UDP);
    }
    let direct = matches!(way, b"DIRECT" | b"HIER_DIRECT" | b"ORIGINAL_DST" | b"HIER_ORIGINAL_DST");
    if let Some(ip) = Ip::parse(host) {
        row.set(key::DST_IP, ip);
    } else {
        row.text(key::DST_HOST, host);
        if direct {
            row.set_opt(key::DST_IP, Ip::parse(peer));
        }
    }
    if !direct {
        row.extra_fixed("peer", peer);
    }
    let denied = code.starts_with(b"TCP_DENIED") || code.starts_with(b"UDP_DENIED");
    let action = match status {
        _ if code.starts_with(b"NONE") || code.starts_with(b"TAG_NONE") || code.starts_with(b"UDP_") => None,
        Some(407) => None,
        _ if denied => Some(Action::Deny),
        _ => Some(Action::Allow),
    };
    row.set_opt(key::ACTION, action);
    // an answer of the origin itself: a tunnel that stands, or a status that no gateway makes
    let tunnel = method == b"CONNECT" && status == Some(200);
    let answered = direct && matches!(status, Some(200..=499)) && !denied && method != b"CONNECT";
    let reached = row.has(Field::DstIp) || row.has(Field::DstHost);
    if reached && !denied && action.is_some() && (tunnel || answered) {
        row.set(key::PORT_STATE, PortState::Open);
    }
}
