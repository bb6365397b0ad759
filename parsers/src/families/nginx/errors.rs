//! Error logs of nginx and Apache: logins that failed, clients that were refused, servers behind that did not answer.
//!
//! `[error] 1200#0: *31 TEXT, client: A, server: S, request: "…", upstream: "http://B:q/", host: "…"`: everything from the request on
//! is the client's own text, so the fields are read from the left, each where the one before ends. Of a server that could
//! not be reached the row is this host's conversation with it, and the client is an extra: no packet went from the one
//! to the other. Source: nginx, `ngx_http_upstream.c`, `ngx_http_auth_basic_module.c`; Apache, `mod_auth_basic.c`.

use schemas::{Action, EventKind, Field, Ip, LogSource, Outcome, PortState, RejectKind, Row, Transport, key};

use super::{dated, set_client, set_request, source};
use crate::lex::endpoint;
use crate::lex::text::{contains, decimal, split_once, split_once_str};
use crate::lex::{time, weblog};
use crate::logins::attempt;
use crate::transport::set_time;
use crate::{Record, Refusal};

static NGINX: LogSource = source("F5", "nginx", "nginx.error", &["webserver"], &["nginx"]);
static NGINX_LOGIN: LogSource = source("F5", "nginx", "nginx.error", &["authentication"], &["nginx"]);
static APACHE: LogSource = source("Apache", "HTTP Server", "apache.error", &["webserver"], &["apache"]);
static APACHE_LOGIN: LogSource = source("Apache", "HTTP Server", "apache.error", &["authentication"], &["apache"]);

/// `[error] 1200#0: `, with the stamp before it or not.
#[inline]
pub(super) fn is_nginx(body: &[u8]) -> bool {
    let text = match body.first() {
        Some(b'0'..=b'9') => match dated(body) {
            Some((_, text)) => text,
            None => return false,
        },
        _ => body,
    };
    level(text).is_some_and(|(_, rest)| {
        let digits = rest.iter().take(12).take_while(|byte| byte.is_ascii_digit()).count();
        digits > 0 && rest.get(digits) == Some(&b'#')
    })
}

/// The word in brackets, and what follows.
fn level(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let inside = text.strip_prefix(b"[")?;
    let length = inside.iter().take(8).take_while(|byte| byte.is_ascii_lowercase()).count();
    let rest = inside.get(length..)?.strip_prefix(b"] ")?;
    (length > 0).then_some((&inside[..length], rest))
}

/// `[Mon Jan 05 10:00:00.000000 2026] [`.
#[inline]
pub(super) fn is_apache(body: &[u8]) -> bool {
    matches!(body, [b'[', b'A'..=b'Z', b'a'..=b'z', b'a'..=b'z', b' ', ..])
        && body.iter().take(48).position(|byte| *byte == b']').is_some_and(|at| body[at..].starts_with(b"] ["))
}

pub(super) fn nginx(record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Refusal> {
    let mut text = record.body;
    if let Some((stamp, rest)) = dated(text) {
        if let Some(us) = record.time.resolve(&stamp) {
            set_time(row, us);
        }
        text = rest;
    }
    let Some((level, rest)) = level(text) else {
        return Err(record.not_this_family("`[LEVEL] PID#TID: …`"));
    };
    row.log_source(&NGINX);
    row.set(key::KIND, EventKind::Other);
    row.text(key::LEVEL, level);
    let (process, mut text) = split_once_str(rest, b": ").unwrap_or((rest, b""));
    row.set_opt(key::PROCESS_ID, split_once(process, b'#').and_then(|(pid, _)| decimal(pid)));
    // `*31 `: the connection's number
    if let Some((number, rest)) = text.strip_prefix(b"*").and_then(|rest| split_once(rest, b' ')) {
        row.text(key::SESSION_ID, number);
        text = rest;
    }
    // behind the name's closing quote
    let begin = if text.starts_with(b"user \"") {
        text[6..].iter().position(|byte| *byte == b'"').map_or(0, |at| at + 6)
    } else {
        0
    };
    let (message, tail) = match split_once_str(&text[begin..], b", client: ") {
        Some((before, tail)) => (&text[..begin + before.len()], tail),
        None => (text, &b""[..]),
    };
    row.text(key::MESSAGE, message);
    let said = Said::of(tail);
    said.put(row);
    let upstream = said.upstream;
    if contains(message, b"while connecting to upstream") || contains(message, b"upstream timed out") {
        row.extra_fixed("client", said.client);
        unreached(message, upstream, row);
        return Ok(());
    }
    set_client(said.client, row);
    row.extra_fixed("upstream", upstream);
    let denied = contains(message, b"access forbidden by rule") || message.starts_with(b"limiting ");
    if let Some((user, why)) = refused(message) {
        attempt(row, &NGINX_LOGIN, Outcome::Failure);
        row.text(key::USER, user);
        row.text(key::REASON, why);
        row.fixed(key::AUTH_METHOD, "basic");
    } else if denied && !said.client.is_empty() {
        row.set(key::KIND, EventKind::Flow);
        row.set(key::ACTION, Action::Deny);
    }
    Ok(())
}

/// The name and what was wrong with it: `user "u" was not found in "/p"`, `user "u": password mismatch`,
/// `PAM: user 'u' - not authenticated: why`.
fn refused(message: &[u8]) -> Option<(&[u8], &[u8])> {
    if let Some(rest) = message.strip_prefix(b"PAM: user '") {
        let (user, why) = split_once_str(rest, b"' - not authenticated")?;
        return Some((user, why.strip_prefix(b": ").unwrap_or(why)));
    }
    let (user, why) = split_once(message.strip_prefix(b"user \"")?, b'"')?;
    let why = why.strip_prefix(b":").unwrap_or(why).trim_ascii();
    let known = why.starts_with(b"was not found in") || why.starts_with(b"password mismatch");
    known.then_some((user, why))
}

/// What stands behind an error's text: `A, server: S, request: "R", upstream: "U", host: "H", referrer: "X"`.
#[derive(Default)]
struct Said<'a> {
    client: &'a [u8],
    server: &'a [u8],
    request: &'a [u8],
    upstream: &'a [u8],
    host: &'a [u8],
    referrer: &'a [u8],
}

impl<'a> Said<'a> {
    fn of(tail: &'a [u8]) -> Said<'a> {
        let (client, mut rest) = split_once_str(tail, b", ").unwrap_or((tail, b""));
        let mut said = Said { client, ..Said::default() };
        while let Some((name, value)) = split_once_str(rest, b": ") {
            let slot = match name {
                b"server" => &mut said.server,
                b"request" => &mut said.request,
                b"upstream" => &mut said.upstream,
                b"host" => &mut said.host,
                b"referrer" => &mut said.referrer,
                _ => break,
            };
            let (value, behind) = weblog::quoted(value).unwrap_or_else(|| {
                // a name, or a value that was cut
                let end = memchr::memmem::find(value, b", ").unwrap_or(value.len());
                (&value[..end], &value[end..])
            });
            *slot = value;
            let Some(behind) = behind.strip_prefix(b", ") else { break };
            rest = behind;
        }
        said
    }

    fn put(&self, row: &mut Row<'_>) {
        row.extra_fixed("server", self.server);
        row.text(key::HTTP_HOST, self.host);
        set_request(&weblog::request_line(self.request), row);
        row.extra_fixed("referrer", self.referrer);
    }
}

/// What became of a conversation with a server behind, by the system's error number.
fn unreached(message: &[u8], upstream: &[u8], row: &mut Row<'_>) {
    row.set(key::KIND, EventKind::Flow);
    // that was the client's
    row.clear(Field::AppProto);
    row.extra_fixed("upstream", upstream);
    let (host, port) = weblog::authority(upstream);
    if host.is_empty() || contains(upstream, b"://unix:") {
        return;
    }
    match Ip::parse(host) {
        Some(ip) => row.set(key::DST_IP, ip),
        None => row.text(key::DST_HOST, host),
    }
    row.set_opt(key::DST_PORT, port);
    row.set(key::TRANSPORT, Transport::TCP);
    let connecting = contains(message, b"while connecting to upstream");
    // `connect() failed (111: Connection refused)`
    let inside = memchr::memchr_iter(b'(', message)
        .map(|at| &message[at + 1..])
        .find(|rest| rest.first().is_some_and(u8::is_ascii_digit))
        .and_then(|rest| split_once(rest, b')'))
        .map_or(&b""[..], |(inside, _)| inside);
    let number = split_once(inside, b':').map_or(&b""[..], |(number, _)| number);
    let state = match number {
        b"111" => Some(PortState::Closed),
        b"110" | b"113" if connecting => Some(PortState::Filtered),
        _ => None,
    };
    row.set_opt(key::PORT_STATE, state);
    match number {
        b"111" => row.set(key::ACTION, Action::Reset),
        b"110" => row.set(key::ACTION, Action::Timeout),
        _ => {}
    }
    row.text(key::REASON, inside);
}

/// `[STAMP] [MODULE:LEVEL] [pid N:tid M] [client A:p] AH01617: TEXT`; before 2.4 `[STAMP] [LEVEL] [client A] TEXT`.
pub(super) fn apache(record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Refusal> {
    let mut rest = record.body;
    let mut bracket = || {
        let (inside, behind) = split_once(rest.strip_prefix(b"[")?, b']')?;
        rest = behind.trim_ascii_start();
        Some(inside)
    };
    let stamp = bracket().unwrap_or(b"");
    let Some((parsed, _)) = time::bsd(stamp) else {
        return Err(record.refuse(stamp, RejectKind::bad_value("time", stamp, "Www Mmm dd hh:mm:ss.ffffff YYYY")));
    };
    if let Some(us) = record.time.resolve(&parsed) {
        set_time(row, us);
    }
    row.log_source(&APACHE);
    row.set(key::KIND, EventKind::Other);
    let level = bracket().unwrap_or(b"");
    let (module, word) = split_once(level, b':').unwrap_or((b"", level));
    row.extra_fixed("module", module);
    row.text(key::LEVEL, word);
    while let Some(inside) = bracket() {
        if let Some(process) = inside.strip_prefix(b"pid ") {
            row.set_opt(key::PROCESS_ID, process.split(|byte| *byte == b':').next().and_then(decimal));
        } else if let Some(client) = inside.strip_prefix(b"client ") {
            // 2.4 writes the port even behind an IPv6 address without brackets; older ones write none
            let end = if module.is_empty() { Ip::parse(client).map(|ip| (ip, None)) } else { endpoint::colon(client) };
            match end {
                Some((ip, port)) => {
                    row.set(key::SRC_IP, ip);
                    row.set_opt(key::SRC_PORT, port);
                }
                None => row.text(key::SRC_HOST, client),
            }
        } else {
            row.extra_fixed("more", inside);
        }
    }
    let mut text = rest;
    if let Some((code, behind)) = split_once_str(text, b": ")
        .filter(|(code, _)| code.len() == 7 && code.starts_with(b"AH") && code[2..].iter().all(u8::is_ascii_digit))
    {
        row.text(key::EVENT_CODE, code);
        text = behind;
    }
    row.text(key::MESSAGE, text);
    if let Some((user, why)) = refused_by_apache(text) {
        attempt(row, &APACHE_LOGIN, Outcome::Failure);
        row.text(key::USER, user);
        row.text(key::REASON, why);
    } else if text.starts_with(b"client denied by server configuration") {
        row.set(key::KIND, EventKind::Flow);
        row.set(key::ACTION, Action::Deny);
        row.text(key::URL, split_once_str(text, b": ").map_or(&b""[..], |(_, path)| path));
    }
    Ok(())
}

/// `user U: authentication failure for "/p": Password Mismatch`, `user U not found: /p`, of digest logins with the name in
/// quotes.
fn refused_by_apache(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = text.strip_prefix(b"user ")?;
    let marks: [&[u8]; 4] = [b": authentication failure for ", b" not found", b": password mismatch", b" in realm "];
    let at = marks.iter().filter_map(|mark| memchr::memmem::find(rest, mark)).min()?;
    let (user, why) = rest.split_at(at);
    let user = user.strip_prefix(b"`").unwrap_or(user);
    let user = user.strip_suffix(b"'").unwrap_or(user);
    let why = why.strip_prefix(b":").unwrap_or(why).trim_ascii();
    Some((
        user,
        crate::lex::text::rsplit_once(why, b':')
            .map_or(why, |(before, last)| if before.ends_with(b"\"") { last.trim_ascii() } else { why }),
    ))
}
