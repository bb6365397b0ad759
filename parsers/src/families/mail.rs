//! Mail servers: Postfix with what stands around it (postscreen, policy servers, SpamAssassin), Dovecot, Exim, Sendmail,
//! Courier, Cyrus.
//!
//! One family, since one log holds them all (`mail.log`). Logins are of kind `auth`, one row an attempt or, where a
//! server sums up (`auth failed, 3 attempts`), one row with their number; what the same server tells of the same attempt in
//! another line (Dovecot's `auth-worker`) keeps its outcome and is of kind `other`. A delivery to a relay, or that it could
//! not be reached, is evidence about the relay's port.
//!
//! Sources: postfix `src/smtpd/smtpd.c`, `src/postscreen/*.c`, `src/smtp/smtp_connect.c`; dovecot `src/login-common/client-common.c`,
//! `src/auth/auth-request.c`; exim `src/auths/*`; sendmail `srvrsmtp.c`; courier `authlib`; cyrus `imap/imapd.c`.

mod dovecot;
mod others;
mod postfix;

use schemas::{EventKind, Field, Ip, LogSource, Row, key};

use crate::lex::text::{contains, decimal, port, split_once};
use crate::lex::time;
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

macro_rules! source {
    ($name:ident, $product:literal, $dataset:literal, $categories:expr, $services:expr) => {
        static $name: LogSource = LogSource {
            family: "mail",
            vendor: $product,
            product: $product,
            dataset: $dataset,
            categories: &$categories,
            products: &["linux"],
            services: &$services,
        };
    };
}
source!(POSTFIX_LOGIN, "Postfix", "mail.postfix", ["authentication"], ["postfix"]);
source!(POSTFIX_FLOW, "Postfix", "mail.postfix", ["network_connection"], ["postfix"]);
source!(POSTFIX, "Postfix", "mail.postfix", [], ["postfix"]);
source!(DOVECOT_LOGIN, "Dovecot", "mail.dovecot", ["authentication"], ["dovecot"]);
source!(DOVECOT, "Dovecot", "mail.dovecot", [], ["dovecot"]);
source!(OTHER_LOGIN, "", "mail.other", ["authentication"], ["mail"]);
source!(OTHER, "", "mail.other", [], ["mail"]);

/// Which server writes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Server {
    Postfix,
    Dovecot,
    Exim,
    Sendmail,
    Courier,
    Cyrus,
}

/// The server by the tag of its lines.
fn server_of(app: &[u8]) -> Option<Server> {
    let server = match app {
        b"dovecot" | b"imap-login" | b"pop3-login" | b"managesieve-login" | b"submission-login" | b"auth-worker" => {
            Server::Dovecot
        }
        b"policyd-spf" | b"postgrey" | b"spamd" | b"postscreen" => Server::Postfix,
        b"exim" | b"exim4" => Server::Exim,
        b"sendmail" | b"sm-mta" | b"sm-msp-queue" => Server::Sendmail,
        b"imapd" | b"imapd-ssl" | b"pop3d" | b"pop3d-ssl" | b"imaplogin" | b"pop3login" | b"courierpop3login"
        | b"courierlogger" | b"courieresmtpd" => Server::Courier,
        b"cyrus/imap" | b"cyrus/imaps" | b"cyrus/pop3" | b"cyrus/pop3s" => Server::Cyrus,
        _ if app.starts_with(b"postfix") => Server::Postfix,
        _ if app.starts_with(b"auth-worker(") => Server::Dovecot,
        _ => return None,
    };
    Some(server)
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "mail"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["postfix_dovecot", "postfix", "dovecot", "exim", "sendmail"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        let app = record.header.app;
        if server_of(app).is_some() {
            return Some(Confidence::Certain);
        }
        if record.header.time_us.is_some() && app.is_empty() {
            return exim_line(record.line).map(|_| Confidence::Likely);
        }
        (app.is_empty() && postfix::is_sentence(record.body)).then_some(Confidence::Possible)
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let body = record.body.trim_ascii();
        let app = record.header.app;
        row.text(key::PROCESS_NAME, app);
        row.set_opt(key::PROCESS_ID, decimal(record.header.pid));
        let known = match server_of(app) {
            Some(Server::Postfix) => postfix::message(app, body, row).or_else(|| rest(&POSTFIX, body, row)),
            Some(Server::Dovecot) => dovecot::message(app, body, row).or_else(|| rest(&DOVECOT, body, row)),
            Some(Server::Exim) => others::exim(body, row).or_else(|| rest(&OTHER, body, row)),
            Some(Server::Sendmail) => others::sendmail(body, row).or_else(|| rest(&OTHER, body, row)),
            Some(Server::Courier) => others::courier(body, row).or_else(|| rest(&OTHER, body, row)),
            Some(Server::Cyrus) => others::cyrus(body, row).or_else(|| rest(&OTHER, body, row)),
            None => {
                if let Some(text) = exim_line(record.line) {
                    // what the header took for a host is the authenticator's name
                    record.forget_host(row);
                    row.clear(Field::ProcessName);
                    others::exim(text, row)
                } else if postfix::is_sentence(body) {
                    postfix::message(app, body, row).or_else(|| rest(&POSTFIX, body, row))
                } else {
                    None
                }
            }
        };
        match known {
            Some(()) => Ok(Parsed::Events),
            None => Err(record.not_this_family("a mail server's tag (`postfix/smtpd[1]:`) or one of its sentences")),
        }
    }
}

/// A line of Exim's own log: a time, then an authenticator's failure.
fn exim_line(line: &[u8]) -> Option<&[u8]> {
    if !line.first()?.is_ascii_digit() {
        return None;
    }
    let (_, length) = time::iso(line)?;
    let text = line[length..].trim_ascii_start();
    contains(&text[..text.len().min(64)], b" authenticator failed for ").then_some(text)
}

/// A line of which only the text is known.
fn rest(source: &'static LogSource, text: &[u8], row: &mut Row<'_>) -> Option<()> {
    row.log_source(source);
    row.set(key::KIND, EventKind::Other);
    row.text(key::MESSAGE, text);
    Some(())
}

/// An end as these servers write it: `NAME[ADDRESS]`, `NAME[ADDRESS]:PORT`, `[ADDRESS]:PORT`, `ADDRESS:PORT`.
struct Peer<'a> {
    name: &'a [u8],
    ip: Ip,
    port: Option<u16>,
    /// What follows it.
    rest: &'a [u8],
}

/// The end at the start of a text.
fn peer(text: &[u8]) -> Option<Peer<'_>> {
    let open = text.iter().position(|byte| matches!(byte, b'[' | b' '))?;
    if text[open] == b' ' {
        return None;
    }
    let (inside, rest) = split_once(&text[open + 1..], b']')?;
    // postgrey's networks of one
    let address = split_once(inside, b'/').map_or(inside, |(address, _)| address);
    let ip = Ip::parse(address)?;
    let mut peer = Peer { name: &text[..open], ip, port: None, rest };
    if let Some(after) = rest.strip_prefix(b":") {
        let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if let Some(number) = port(&after[..digits]) {
            peer.port = Some(number);
            peer.rest = &after[digits..];
        }
    }
    Some(peer)
}

/// A name that is none: Postfix writes `unknown` where the address has no name.
fn name_of<'a>(peer: &Peer<'a>) -> &'a [u8] {
    if peer.name == b"unknown" || Ip::parse(peer.name).is_some() { b"" } else { peer.name }
}

fn set_client(row: &mut Row<'_>, peer: &Peer<'_>) {
    row.set(key::SRC_IP, peer.ip);
    row.set_opt(key::SRC_PORT, peer.port);
    row.text(key::SRC_HOST, name_of(peer));
}

fn set_relay(row: &mut Row<'_>, peer: &Peer<'_>) {
    row.set(key::DST_IP, peer.ip);
    row.set_opt(key::DST_PORT, peer.port);
    row.text(key::DST_HOST, name_of(peer));
}
