//! Access logs of web servers and proxies: the common log format, what they add behind it, and URLs.
//!
//! `HOST IDENT USER [dd/Mon/yyyy:hh:mm:ss ±zzzz] "METHOD URI VERSION" STATUS BYTES …`. Users may hold blanks and the request may
//! be any bytes, so the bracket and the quotes are looked for, not counted. Source: CERN httpd; Apache `mod_log_config`.

use schemas::Outcome;

use super::text::{Cursor, decimal, split_once_str};
use super::time::{self, Stamp};

/// The fields of the common log format. Texts are slices of the line; `-` is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access<'a> {
    /// The virtual host that stands before the client in some formats.
    pub vhost: &'a [u8],
    /// The client: address or name.
    pub client: &'a [u8],
    /// Who it says it is.
    pub user: &'a [u8],
    /// When.
    pub stamp: Stamp,
    /// Method, target and version; a request that is none is the target alone.
    pub request: Request<'a>,
    /// The response's status; `None` if there was none (`000`, `-`).
    pub status: Option<u64>,
    /// Octets of the response.
    pub bytes: Option<u64>,
    /// What follows.
    pub rest: &'a [u8],
}

/// A request line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Request<'a> {
    /// `GET`; empty if the line is no request.
    pub method: &'a [u8],
    /// Path or URL.
    pub target: &'a [u8],
    /// `HTTP/1.1`
    pub version: &'a [u8],
}

/// Reads an access line. `None` if it is none.
pub fn access(text: &[u8]) -> Option<Access<'_>> {
    let (head, rest) = split_once_str(text, b" [")?;
    let (stamp, length) = time::clf(rest)?;
    let rest = rest.get(length..)?.strip_prefix(b"] ")?;
    let (request, rest) = quoted(rest)?;
    let mut cursor = Cursor::new(rest.trim_ascii_start());
    let status = cursor.word();
    let bytes = cursor.word();
    if status != b"-" && (status.len() != 3 || decimal(status).is_none()) {
        return None;
    }
    let mut words = Cursor::new(head);
    let first = words.word();
    let mut ahead = words;
    let second = ahead.word();
    let is_address = |word: &[u8]| schemas::Ip::parse(word).is_some();
    let (vhost, client) = if !is_address(first) && is_address(second) {
        words = ahead;
        (first, second)
    } else {
        (&b""[..], first)
    };
    words.word();
    Some(Access {
        vhost,
        client,
        user: present(words.rest()),
        stamp,
        request: request_line(request),
        status: decimal(status).filter(|status| *status > 0),
        bytes: decimal(bytes),
        rest: cursor.rest(),
    })
}

/// The inside of a `"…"` at the start of `text`, and what follows. A backslash hides the quote after it. `None` if it
/// never closes.
pub fn quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let inside = text.strip_prefix(b"\"")?;
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', &inside[at..])?;
        if inside[at] == b'"' {
            return Some((&inside[..at], &inside[at + 1..]));
        }
        at = (at + 2).min(inside.len());
    }
}

/// Referrer and user agent in quotes at the start of `text`, and what follows; what is not there, or `-`, is empty.
pub fn client_words(text: &[u8]) -> ([&[u8]; 2], &[u8]) {
    let (mut words, mut rest) = ([&b""[..]; 2], text);
    for word in &mut words {
        let Some((inside, behind)) = quoted(rest) else { break };
        (*word, rest) = (present(inside), behind.trim_ascii_start());
    }
    (words, rest)
}

/// The parts of a request line.
pub fn request_line(line: &[u8]) -> Request<'_> {
    let line = present(line);
    let method = line.iter().take(32).position(|byte| *byte == b' ').map_or(&b""[..], |at| &line[..at]);
    if method.is_empty() || !method.iter().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_')) {
        return Request { target: line, ..Request::default() };
    }
    let rest = line[method.len()..].trim_ascii();
    match memchr::memrchr(b' ', rest) {
        Some(at) if rest[at + 1..].starts_with(b"HTTP/") => {
            Request { method, target: rest[..at].trim_ascii(), version: &rest[at + 1..] }
        }
        _ => Request { method, target: rest, version: b"" },
    }
}

/// Whether a request succeeded, by its status: 4xx and 5xx are failures. `None` for what is no status.
pub fn outcome(status: u64) -> Option<Outcome> {
    match status {
        100..=399 => Some(Outcome::Success),
        400..=599 => Some(Outcome::Failure),
        _ => None,
    }
}

/// Host and port of a URL, or of `host:port`; the scheme's own port where none is written. An empty host if it has none.
///
/// ```
/// use parsers::lex::weblog::authority;
/// assert_eq!(authority(b"http://user@www.example.com:8080/a?b"), (&b"www.example.com"[..], Some(8080)));
/// assert_eq!(authority(b"https://[2001:db8::1]/"), (&b"2001:db8::1"[..], Some(443)));
/// assert_eq!(authority(b"/index.html"), (&b""[..], None));
/// ```
pub fn authority(url: &[u8]) -> (&[u8], Option<u16>) {
    let (scheme, rest) = split_once_str(url, b"://").filter(|(scheme, _)| scheme.len() <= 10).unwrap_or((b"", url));
    if scheme.is_empty() && rest.contains(&b'/') {
        return (b"", None);
    }
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
    let whole = &rest[..end];
    let whole = memchr::memrchr(b'@', whole).map_or(whole, |at| &whole[at + 1..]);
    let (host, port) = super::endpoint::host_port(whole);
    let known = match scheme {
        b"http" | b"ws" => Some(80),
        b"https" | b"wss" => Some(443),
        b"ftp" => Some(21),
        _ => None,
    };
    if scheme.is_empty() && port.is_none() {
        return (b"", None);
    }
    (host, port.or(known))
}

/// A field that is not `-`.
#[inline]
pub fn present(text: &[u8]) -> &[u8] {
    if text == b"-" { b"" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_log_format_is_read_with_what_is_before_and_behind() {
        let line =
            access(b"192.0.2.1 - ann lee [05/Jan/2026:10:00:00 +0100] \"GET /a\\\"b HTTP/1.1\" 200 12 \"-\" \"x\"");
        let line = line.expect("an access line");
        assert_eq!(
            (line.client, line.user, line.status, line.bytes),
            (&b"192.0.2.1"[..], &b"ann lee"[..], Some(200), Some(12))
        );
        assert_eq!(
            (line.request.method, line.request.target, line.rest),
            (&b"GET"[..], &b"/a\\\"b"[..], &b"\"-\" \"x\""[..])
        );
        let line = access(b"www.example.com:443 2001:db8::1 - - [05/Jan/2026:10:00:00 +0000] \"\\x16\\x03\" 400 -")
            .expect("an access line");
        assert_eq!((line.vhost, line.client, line.user), (&b"www.example.com:443"[..], &b"2001:db8::1"[..], &b""[..]));
        assert_eq!((line.request.target, line.bytes, line.rest), (&b"\\x16\\x03"[..], None, &b""[..]));
        assert_eq!(access(b"192.0.2.1 - - [05/Jan/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 20 1"), None);
        assert_eq!(access(b"192.0.2.1 - - [05/Jan/2026:10:00:00 +0000] \"GET / HTT"), None);
    }

    #[test]
    fn a_url_has_a_host_and_a_port() {
        for (url, host, port) in [
            ("www.example.com:443", "www.example.com", Some(443)),
            ("http://example.com", "example.com", Some(80)),
            ("ftp://example.com/x:1", "example.com", Some(21)),
            ("192.0.2.1:80", "192.0.2.1", Some(80)),
            ("cache_object://localhost/info", "", None),
            ("error:invalid-request", "", None),
            ("*", "", None),
            ("", "", None),
        ] {
            assert_eq!(authority(url.as_bytes()), (host.as_bytes(), port), "{url}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in "[a1 \\[\\]\"\\\\:/@-]{0,20}( \\[05/Jan/2026:10:00:00 \\+0000\\] )?\"?[A-Z /]{0,20}\"?( 200 1)?") {
            let _ = (access(text.as_bytes()), authority(text.as_bytes()), request_line(text.as_bytes()));
        }
    }
}
