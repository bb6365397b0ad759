//! nginx and Apache httpd: access logs in the common and combined formats, and error logs.
//!
//! An access line is the client's conversation with this host, whose own address it has not: the listener answered,
//! more is not proved. A request that came with a name and was answered by 401 is a failed login; without a name it is
//! the question for one. What stands behind the combined format (a forwarded-for, timings) goes to extras.
//!
//! Error logs are read in `nginx/errors.rs`. Source: nginx, `ngx_http_log_module`; Apache, `mod_log_config`.

mod errors;

use schemas::{Action, EventKind, Initiator, Ip, LogSource, Outcome, Row, key};

use crate::lex::endpoint::host_port;
use crate::lex::time;
use crate::lex::weblog::{self, Access, present};
use crate::transport::set_time;
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

static ACCESS: LogSource = source("", "web server", "nginx.access", &["webserver"], &["nginx", "apache"]);

const fn source(
    vendor: &'static str,
    product: &'static str,
    dataset: &'static str,
    categories: &'static [&'static str],
    products: &'static [&'static str],
) -> LogSource {
    LogSource { family: "nginx", vendor, product, dataset, categories, products, services: &["access", "error"] }
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "nginx"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["apache", "httpd", "access_log", "combined"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        let body = record.body;
        if errors::is_nginx(body) || errors::is_apache(body) {
            return Some(Confidence::Certain);
        }
        // a host, an identity and a user before the bracket; a user with blanks makes it longer
        let head = &body[..body.len().min(160)];
        let open = memchr::memchr(b'[', head)?;
        let stamped = matches!(body.get(open + 1..), Some([b'0'..=b'3', b'0'..=b'9', b'/', _, _, _, b'/', ..]));
        if !stamped || !matches!(body.get(open.checked_sub(1)?), Some(b' ')) {
            return None;
        }
        let close = memchr::memchr(b']', &body[open..]).map(|length| open + length)?;
        body[close..].starts_with(b"] \"").then_some(Confidence::Likely)
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        if errors::is_nginx(record.body) {
            errors::nginx(record, row)?;
        } else if errors::is_apache(record.body) {
            errors::apache(record, row)?;
        } else if let Some(line) = weblog::access(record.body) {
            access(record, &line, row);
        } else {
            return Err(record
                .not_this_family("`HOST - USER [dd/Mon/yyyy:hh:mm:ss ±zzzz] \"METHOD URI VERSION\" STATUS BYTES`"));
        }
        Ok(Parsed::Events)
    }
}

fn set_client(client: &[u8], row: &mut Row<'_>) {
    match Ip::parse(client) {
        Some(ip) => row.set(key::SRC_IP, ip),
        None => row.text(key::SRC_HOST, present(client)),
    }
}

/// Method, target and the host that a target may name.
fn set_request(request: &weblog::Request<'_>, row: &mut Row<'_>) {
    row.text(key::HTTP_METHOD, request.method);
    row.text(key::URL, request.target);
    if !request.method.is_empty() && !request.version.is_empty() {
        row.fixed(key::APP_PROTO, "http");
        row.extra_fixed("version", request.version);
    }
    if !row.has(schemas::Field::HttpHost) {
        row.text(key::HTTP_HOST, weblog::authority(request.target).0);
    }
}

fn access(record: &Record<'_>, line: &Access<'_>, row: &mut Row<'_>) {
    row.log_source(&ACCESS);
    row.set(key::KIND, EventKind::Flow);
    row.set(key::INITIATOR, Initiator::Source);
    set_client(line.client, row);
    if let Some(us) = record.time.resolve(&line.stamp) {
        set_time(row, us);
    }
    let (host, port) = host_port(line.vhost);
    row.text(key::HTTP_HOST, host);
    row.set_opt(key::DST_PORT, port);
    row.text(key::USER, line.user);
    set_request(&line.request, row);
    row.set_opt(key::BYTES_IN, line.bytes);
    row.set_opt(key::HTTP_STATUS, line.status);
    row.set_opt(key::OUTCOME, line.status.and_then(weblog::outcome));
    match line.status {
        Some(401) if !line.user.is_empty() => {
            row.set(key::KIND, EventKind::Auth);
            row.set(key::OUTCOME, Outcome::Failure);
        }
        // 444: nginx closes without an answer
        Some(403 | 429 | 444) => row.set(key::ACTION, Action::Deny),
        Some(_) => row.set(key::ACTION, Action::Allow),
        None => {}
    }
    let ([referrer, agent], mut rest) = weblog::client_words(line.rest.trim_ascii());
    row.extra_fixed("referrer", referrer);
    row.text(key::USER_AGENT, agent);
    // nginx' own `main` format
    if let Some((forwarded, behind)) = weblog::quoted(rest) {
        row.extra_fixed("forwarded_for", present(forwarded));
        rest = behind.trim_ascii_start();
    }
    row.extra_fixed("more", rest);
}

/// A stamp at the start of `text` in the form of nginx' error log.
fn dated(text: &[u8]) -> Option<(time::Stamp, &[u8])> {
    let (stamp, length) = time::iso(text)?;
    Some((stamp, text[length..].trim_ascii_start()))
}
