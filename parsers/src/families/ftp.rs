//! FTP servers: vsftpd (its own log and syslog), ProFTPD, Pure-FTPd.
//!
//! ```text
//! Mon May  4 09:12:31 2026 [pid 1] [USER] FAIL LOGIN: Client "::ffff:192.0.2.10"          vsftpd
//! HOST (NAME[192.0.2.10]) - USER u (Login failed): Incorrect password                     ProFTPD
//! (?@192.0.2.10) [WARNING] Authentication failed for user [u]                             Pure-FTPd
//! ```
//! What the server wrote itself stands before the client's name for a user; that is read from the right, up to the server's own
//! words behind it. Of FTP commands that are logged the password is not kept. Sources: vsftpd `logging.c`, ProFTPD
//! `modules/mod_auth.c`, Pure-FTPd `src/ftpd.c`, `src/messages_en.h`.

use memchr::memmem;
use schemas::{Action, LogSource, Outcome, PortState, Row, key};

use crate::lex::text::{Cursor, contains, decimal, port, rsplit_once, split_once, split_once_str};
use crate::logins::{attempt, beside, set_destination_end, set_service, set_source, set_user};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

macro_rules! source {
    ($login:ident, $rest:ident, $product:literal, $dataset:literal) => {
        static $login: LogSource = source($product, $dataset, &["authentication"]);
        static $rest: LogSource = source($product, $dataset, &[]);
    };
}

const fn source(product: &'static str, dataset: &'static str, categories: &'static [&'static str]) -> LogSource {
    LogSource { family: "ftp", vendor: product, product, dataset, categories, products: &["linux"], services: &["ftp"] }
}

source!(VSFTPD_LOGIN, VSFTPD, "vsftpd", "ftp.vsftpd");
source!(PROFTPD_LOGIN, PROFTPD, "ProFTPD", "ftp.proftpd");
source!(PUREFTPD_LOGIN, PUREFTPD, "Pure-FTPd", "ftp.pureftpd");

#[derive(Clone, Copy, PartialEq, Eq)]
enum Server {
    Vsftpd,
    Proftpd,
    Pureftpd,
}

fn server_of(app: &[u8]) -> Option<Server> {
    match app {
        b"vsftpd" => Some(Server::Vsftpd),
        b"proftpd" => Some(Server::Proftpd),
        b"pure-ftpd" | b"pure-ftpd-mysql" | b"pure-ftpd-wrapper" => Some(Server::Pureftpd),
        _ => None,
    }
}

/// vsftpd's own log: the text behind `Mon May  4 09:12:31 2026 `.
fn own_log(line: &[u8]) -> Option<&[u8]> {
    let rest = line.get(24..)?.strip_prefix(b" [pid ")?;
    split_once_str(rest, b"] ").map(|(_, rest)| rest)
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "ftp"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["vsftpd", "proftpd", "pureftpd", "pure_ftpd"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        // a PAM module's text is PAM's, whoever calls it
        let known = match server_of(record.header.app) {
            Some(_) => !record.body.starts_with(b"pam_"),
            None => own_log(record.line).is_some(),
        };
        known.then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let body = record.body.trim_ascii();
        let server = match (server_of(record.header.app), own_log(record.line)) {
            (Some(server), _) => {
                row.text(key::PROCESS_NAME, record.header.app);
                row.set_opt(key::PROCESS_ID, decimal(record.header.pid));
                server
            }
            (None, Some(text)) => {
                record.forget_host(row);
                let number = &record.line[30..];
                row.set_opt(key::PROCESS_ID, decimal(number.split(|byte| *byte == b']').next().unwrap_or_default()));
                row.fixed(key::PROCESS_NAME, "vsftpd");
                return match vsftpd(text.trim_ascii(), row) {
                    Some(()) => Ok(Parsed::Events),
                    None => {
                        Err(record
                            .not_this_family("`[USER] OK LOGIN: Client \"ADDRESS\"` or another of vsftpd's lines"))
                    }
                };
            }
            (None, None) => {
                return Err(record.not_this_family("the tag of an FTP server (`vsftpd[1]:`), or vsftpd's own log"));
            }
        };
        let known = match server {
            Server::Vsftpd => vsftpd(body, row),
            Server::Proftpd => proftpd(body, row),
            Server::Pureftpd => pureftpd(body, row),
        };
        if known.is_none() {
            let source = match server {
                Server::Vsftpd => &VSFTPD,
                Server::Proftpd => &PROFTPD,
                Server::Pureftpd => &PUREFTPD,
            };
            beside(row, source, None);
            row.text(key::MESSAGE, body);
        }
        Ok(Parsed::Events)
    }
}

/// The server answered.
fn answered(row: &mut Row<'_>) {
    set_service(row, "ftp");
    row.set(key::PORT_STATE, PortState::Open);
}

/// Where the server's own words about a login end: the last such words that only an address, and perhaps a reason, follow. A
/// user's name before them may hold the same words.
fn login_at(text: &[u8]) -> Option<usize> {
    let at = memmem::rfind(text, b" LOGIN: Client \"")? + b" LOGIN".len();
    let (_, rest) = split_once(&text[at + b": Client \"".len()..], b'"')?;
    let ends = rest.is_empty() || rest.starts_with(b", \"") && rest.ends_with(b"\"");
    ends.then_some(at)
}

/// `[[USER] ]WORDS: Client "ADDRESS"[, "TEXT"…]`.
fn vsftpd(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let at = login_at(text).or_else(|| memmem::find(text, b": Client \""))?;
    let (head, rest) = (&text[..at], &text[at + b": Client \"".len()..]);
    let (address, rest) = split_once(rest, b'"')?;
    let (user, words) = match head.strip_prefix(b"[") {
        Some(rest) => {
            let at = memmem::rfind(rest, b"] ")?;
            (&rest[..at], &rest[at + 2..])
        }
        None => (&b""[..], head),
    };
    let detail = rest.strip_prefix(b", ").unwrap_or_default();
    let said = detail.strip_prefix(b"\"").and_then(|detail| detail.strip_suffix(b"\"")).unwrap_or(detail);
    match words {
        b"OK LOGIN" => attempt(row, &VSFTPD_LOGIN, Outcome::Success),
        b"FAIL LOGIN" => {
            attempt(row, &VSFTPD_LOGIN, Outcome::Failure);
            row.text(key::REASON, said);
        }
        b"CONNECT" => {
            beside(row, &VSFTPD, None);
            let refused = contains(said, b"refused");
            row.set(key::ACTION, if refused { Action::Deny } else { Action::Start });
            row.text(key::REASON, said);
        }
        _ => {
            let outcome = match words {
                _ if words.starts_with(b"OK ") => Some(Outcome::Success),
                _ if words.starts_with(b"FAIL ") => Some(Outcome::Failure),
                _ => None,
            };
            beside(row, &VSFTPD, outcome);
            if !said.starts_with(b"PASS") {
                row.extra_fixed("detail", said);
            }
        }
    }
    if !said.starts_with(b"PASS") {
        row.text(key::MESSAGE, text);
    }
    row.text(key::EVENT_ACTION, words);
    set_user(row, user);
    set_source(row, address);
    answered(row);
    Some(())
}

/// `HOST (NAME[ADDRESS])[ -|:] TEXT`.
fn proftpd(body: &[u8], row: &mut Row<'_>) -> Option<()> {
    let (server, rest) = split_once_str(body, b" (")?;
    let (peer, text) = split_once_str(rest, b"])")?;
    let (name, address) = rsplit_once(peer, b'[')?;
    let start = text.iter().position(|byte| !matches!(byte, b' ' | b'-' | b':')).unwrap_or(text.len());
    let text = &text[start..];
    let address = address.trim_ascii();
    if name != address {
        set_source(row, name);
    }
    set_source(row, address);
    row.extra_fixed("server", server);
    answered(row);
    row.text(key::MESSAGE, text);
    if let Some(rest) = text.strip_prefix(b"USER ") {
        let refused =
            [&b" (Login failed): "[..], b" (Login failed)", b": no such user found", b": Limit access denies"];
        if let Some((at, mark)) = refused.iter().find_map(|mark| Some((memmem::rfind(rest, mark)?, *mark))) {
            attempt(row, &PROFTPD_LOGIN, Outcome::Failure);
            set_user(row, &rest[..at]);
            let why = &rest[at + mark.len()..];
            if contains(mark, b"no such user") {
                row.fixed(key::REASON, "unknown user");
                // `… from NAME [ADDRESS] to LOCAL:21`
                if let Some((_, local)) = split_once_str(why, b" to ") {
                    set_destination_end(row, local);
                }
            } else if why.starts_with(b"No such user found") {
                row.fixed(key::REASON, "unknown user");
            } else {
                row.text(key::REASON, why);
            }
            return Some(());
        }
        let at = memmem::rfind(rest, b": Login successful")?;
        attempt(row, &PROFTPD_LOGIN, Outcome::Success);
        set_user(row, &rest[..at]);
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"SECURITY VIOLATION: ") {
        attempt(row, &PROFTPD_LOGIN, Outcome::Failure);
        row.text(key::REASON, rest);
        // `root login attempted`, `USER u …`
        let name = rest.strip_prefix(b"USER ").unwrap_or(rest);
        set_user(row, Cursor::new(name).word());
        return Some(());
    }
    let failed = text.starts_with(b"Maximum login attempts");
    beside(row, &PROFTPD, failed.then_some(Outcome::Failure));
    if failed {
        row.text(key::REASON, text);
    } else if text.starts_with(b"FTP session opened") {
        row.set(key::ACTION, Action::Start);
    } else if text.starts_with(b"FTP session closed") {
        row.set(key::ACTION, Action::End);
    }
    Some(())
}

/// `(USER@ADDRESS) [LEVEL] TEXT`; `?` is nobody yet.
fn pureftpd(body: &[u8], row: &mut Row<'_>) -> Option<()> {
    let rest = body.strip_prefix(b"(")?;
    let (who, rest) = split_once_str(rest, b") [")?;
    let (level, text) = split_once_str(rest, b"] ")?;
    let (user, address) = rsplit_once(who, b'@')?;
    set_source(row, address);
    if user != b"?" {
        set_user(row, user);
    }
    row.text(key::LEVEL, level);
    row.text(key::MESSAGE, text);
    answered(row);
    if let Some(rest) = text.strip_prefix(b"Authentication failed for user [") {
        attempt(row, &PUREFTPD_LOGIN, Outcome::Failure);
        set_user(row, rest.strip_suffix(b"]").unwrap_or(rest));
    } else if let Some(name) = text.strip_suffix(b" is now logged in") {
        attempt(row, &PUREFTPD_LOGIN, Outcome::Success);
        set_user(row, name);
    } else {
        beside(row, &PUREFTPD, None);
        if text.starts_with(b"New connection from ") {
            row.set(key::ACTION, Action::Start);
        } else if text.starts_with(b"Logout") || text.starts_with(b"Timeout") {
            row.set(key::ACTION, Action::End);
        }
    }
    if let Some((_, number)) = split_once_str(text, b" port ") {
        row.set_opt(key::SRC_PORT, port(Cursor::new(number).word()));
    }
    Some(())
}
