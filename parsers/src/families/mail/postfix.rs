//! Postfix, postscreen, and the policy servers that log beside them.
//!
//! `[QUEUE-ID: ][warning: ]SENTENCE`. Where a sentence quotes what the client sent (a header, a command), the end that
//! Postfix itself wrote stands behind it; where the client's text comes last, it stands before.

use memchr::memmem;
use schemas::{Action, EventKind, Initiator, Ip, Outcome, PortState, Row, key};

use super::{POSTFIX, POSTFIX_FLOW, POSTFIX_LOGIN, Peer, peer, set_client, set_relay};
use crate::lex::text::{Beginnings, Cursor, contains, port, rsplit_once, split_once, split_once_str};
use crate::logins::{attempt, beside, set_destination_end, set_service, set_source};

/// Beginnings of sentences without a tag.
static BEGINNINGS: Beginnings = Beginnings::new(&[
    b"NOQUEUE: ",
    b"connect from ",
    b"connect to ",
    b"disconnect from ",
    b"lost connection after ",
    b"timeout after ",
    b"too many errors after ",
    b"improper command pipelining after ",
    b"SSL_accept error from ",
    b"warning: ",
    b"statistics: max ",
    b"Anonymous TLS connection established ",
    b"Trusted TLS connection established ",
    b"Untrusted TLS connection established ",
    b"Verified TLS connection established ",
    b"action=",
    b"whitelisted: ",
    b"Action: ",
    b"prepend Received-SPF: ",
    b"spamd: ",
    b"PREGREET ",
    b"HANGUP after ",
    b"COMMAND ",
    b"CONNECT from [",
    b"PASS ",
    b"DNSBL rank ",
]);

/// What follows a queue's id.
static OF_A_MESSAGE: Beginnings = Beginnings::new(&[
    b"client=",
    b"to=",
    b"from=",
    b"warning: ",
    b"reject: ",
    b"milter-reject: ",
    b"filter: ",
    b"prepend: ",
    b"hold: ",
    b"discard: ",
    b"redirect: ",
    b"host ",
    b"Used TLS for ",
    b"action=",
    b"message-id=",
    b"removed",
    b"lost connection with ",
    b"conversation with ",
]);

/// Whether a text without a tag looks like one of these sentences.
pub(super) fn is_sentence(text: &[u8]) -> bool {
    BEGINNINGS.begin(text) || queue(text).is_some_and(|(_, rest)| OF_A_MESSAGE.begin(rest)) || is_spf_result(text)
}

/// `Pass; identity=…`: what a policy server found.
fn is_spf_result(text: &[u8]) -> bool {
    let head = &text[..text.len().min(12)];
    head.iter().position(|byte| *byte == b';').is_some_and(|at| text[at..].starts_with(b"; identity="))
}

/// A queue's id and what follows it: hexadecimal, or letters and digits where the ids are long. All have a digit.
fn queue(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = text.iter().take(20).position(|byte| *byte == b':')?;
    let id = &text[..length];
    let known = id == b"NOQUEUE"
        || length >= 6 && id.iter().all(u8::is_ascii_alphanumeric) && id.iter().any(u8::is_ascii_digit);
    (known && text[length..].starts_with(b": ")).then(|| (id, &text[length + 2..]))
}

/// Reads a sentence. `None` if it is not known.
pub(super) fn message(app: &[u8], body: &[u8], row: &mut Row<'_>) -> Option<()> {
    row.text(key::MESSAGE, body);
    // `postfix/submission/smtpd`: what stands between is the service's name
    if let Some((rest, b"smtpd")) = rsplit_once(app, b'/')
        && let Some((_, service)) = split_once(rest, b'/')
    {
        row.extra_fixed("service", service);
        match service {
            b"submission" => row.set(key::DST_PORT, 587),
            b"smtps" | b"submissions" => row.set(key::DST_PORT, 465),
            _ => {}
        }
    }
    let mut text = body;
    if let Some((id, rest)) = queue(text) {
        if id != b"NOQUEUE" {
            row.extra_fixed("queue_id", id);
        }
        text = rest;
    }
    let warning = text.starts_with(b"warning: ");
    text = text.strip_prefix(b"warning: ").unwrap_or(text);
    if warning {
        row.fixed(key::LEVEL, "warning");
    }
    if contains(text, b": SASL ") {
        return sasl_failure(text, row);
    }
    if let Some(rest) = text.strip_prefix(b"client=") {
        return client(rest, row);
    }
    if let Some((verb, rest)) = verdict(text) {
        return decided(verb, rest, row);
    }
    beside(row, &POSTFIX, None);
    incoming(text, row).or_else(|| outgoing(text, row)).or_else(|| helpers(text, row)).or(Some(()))
}

/// `NAME[ADDRESS][:PORT]: SASL METHOD authentication failed: WHY[, sasl_username=USER]`. The reason may be the last thing
/// that the server said to the client, in base64: none.
fn sasl_failure(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let peer = peer(text)?;
    let rest = peer.rest.strip_prefix(b": SASL ")?;
    let (method, rest) = split_once_str(rest, b" authentication ")?;
    let (verb, why) = split_once(rest, b':').unwrap_or((rest, b""));
    let (why, user) = match memmem::rfind(why, b", sasl_username=") {
        Some(at) => (&why[..at], &why[at + b", sasl_username=".len()..]),
        None => (why, &b""[..]),
    };
    let why = why.trim_ascii();
    match why {
        // neither says that a password was wrong
        b"Invalid authentication mechanism" => beside(row, &POSTFIX, Some(Outcome::Failure)),
        b"Connection lost to authentication server" => beside(row, &POSTFIX, Some(Outcome::Unknown)),
        _ if verb == b"aborted" => beside(row, &POSTFIX, None),
        _ => attempt(row, &POSTFIX_LOGIN, Outcome::Failure),
    }
    row.fixed(key::EVENT_ACTION, "sasl_login");
    smtp_client(&peer, row);
    row.text(key::AUTH_METHOD, method);
    row.text(key::USER, user);
    // prompts in base64 hold no blank and no small word
    let prompt = why.ends_with(b":") || !why.contains(&b' ') && why.len() >= 8;
    if !prompt {
        row.text(key::REASON, why);
    }
    Some(())
}

/// `NAME[ADDRESS][, sasl_method=METHOD, sasl_username=USER]`.
fn client(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let peer = peer(text)?;
    match memmem::find(peer.rest, b", sasl_username=") {
        Some(at) => {
            attempt(row, &POSTFIX_LOGIN, Outcome::Success);
            row.fixed(key::EVENT_ACTION, "sasl_login");
            let user = &peer.rest[at + b", sasl_username=".len()..];
            let user = split_once_str(user, b", sasl_sender=").map_or(user, |(user, _)| user);
            row.text(key::USER, user);
            if let Some((_, method)) = split_once_str(&peer.rest[..at], b"sasl_method=") {
                row.text(key::AUTH_METHOD, method);
            }
        }
        None => beside(row, &POSTFIX, None),
    }
    smtp_client(&peer, row);
    Some(())
}

/// A client that this server answered.
fn smtp_client(peer: &Peer<'_>, row: &mut Row<'_>) {
    set_client(row, peer);
    set_service(row, "smtp");
    row.set(key::PORT_STATE, PortState::Open);
    row.set(key::INITIATOR, Initiator::Source);
}

/// `reject: `, `filter: ` and so on: the verb and what follows.
fn verdict(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (verb, rest) =
        split_once_str(&text[..text.len().min(16)], b": ").map(|(verb, _)| (verb, &text[verb.len() + 2..]))?;
    let known = matches!(
        verb,
        b"reject"
            | b"milter-reject"
            | b"milter-discard"
            | b"reject_warning"
            | b"filter"
            | b"prepend"
            | b"hold"
            | b"discard"
            | b"redirect"
            | b"warn"
            | b"info"
            | b"bcc"
            | b"replace"
            | b"delete"
            | b"strip"
    );
    known.then_some((verb, rest))
}

/// `VERB: STAGE from NAME[ADDRESS]: CODE TEXT; from=<> to=<> proto= helo=<>`; of a header or body the client's text comes
/// first: `VERB: header TEXT from NAME[ADDRESS]; from=<>…`.
fn decided(verb: &[u8], text: &[u8], row: &mut Row<'_>) -> Option<()> {
    beside(row, &POSTFIX, None);
    row.text(key::EVENT_ACTION, verb);
    let peer = if text.starts_with(b"header ") || text.starts_with(b"body ") {
        quoted_text(text, row)?
    } else {
        let (stage, rest) = split_once_str(text, b" from ")?;
        row.extra_fixed("smtp_stage", stage);
        peer(rest)?
    };
    smtp_client(&peer, row);
    if matches!(verb, b"reject" | b"milter-reject" | b"discard" | b"milter-discard") {
        row.set(key::ACTION, Action::Deny);
    }
    let reply = peer.rest.strip_prefix(b": ").unwrap_or_default();
    let (reply, envelope) = match memmem::find(reply, b"; from=<").or_else(|| memmem::find(reply, b"; proto=")) {
        Some(at) => (&reply[..at], &reply[at..]),
        None => (reply, &b""[..]),
    };
    if let [a, b, c, b' ', why @ ..] = reply
        && [a, b, c].iter().all(|byte| byte.is_ascii_digit())
    {
        row.text(key::STATUS_CODE, &reply[..3]);
        row.text(key::REASON, why);
    }
    addresses(envelope, row);
    Some(())
}

/// `… from NAME[ADDRESS]; from=<>`: the last such end.
fn quoted_text<'a>(text: &'a [u8], row: &mut Row<'_>) -> Option<Peer<'a>> {
    let end = memmem::rfind(text, b"]; from=<")?;
    let at = memmem::rfind(&text[..end], b" from ")?;
    addresses(&text[end + 1..], row);
    peer(&text[at + 6..])
}

/// `; from=<A> to=<B> proto=ESMTP helo=<C>`.
fn addresses(text: &[u8], row: &mut Row<'_>) {
    for (mark, name) in [(&b"from=<"[..], "mail_from"), (b" to=<", "mail_to"), (b" helo=<", "helo")] {
        if let Some((_, rest)) = split_once_str(text, mark)
            && let Some((value, _)) = split_once(rest, b'>')
        {
            row.extra_fixed(name, value);
        }
    }
}

/// Sentences about a client: `… from NAME[ADDRESS]…`.
fn incoming(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    if text.starts_with(b"header ") || text.starts_with(b"body ") {
        let peer = quoted_text(text, row)?;
        smtp_client(&peer, row);
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"hostname ") {
        let (name, rest) = split_once_str(rest, b" does not resolve to address ")?;
        row.text(key::SRC_HOST, name);
        row.set(key::SRC_IP, first_address(rest)?);
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"statistics: ") {
        let (what, rest) = split_once_str(rest, b" for (")?;
        let (inside, _) = split_once(rest, b')')?;
        row.set(key::SRC_IP, Ip::parse(split_once(inside, b':')?.1)?);
        row.text(key::EVENT_ACTION, what);
        return Some(());
    }
    let marks: [&[u8]; 4] = [b" from ", b"PASS NEW ", b"PASS OLD ", b"DISCONNECT "];
    let (at, mark) = marks.iter().find_map(|mark| Some((memmem::find(text, mark)?, mark.len())))?;
    let from = peer(&text[at + mark..]);
    let from = match from {
        Some(peer) => peer,
        // `read TCP map reply from 127.0.0.1:10030: …`: a server that Postfix asks
        None if contains(text, b" map ") => {
            let word = Cursor::new(&text[at + mark..]).word();
            set_destination_end(row, word.strip_suffix(b":").unwrap_or(word));
            return Some(());
        }
        None => return None,
    };
    smtp_client(&from, row);
    let ended: [&[u8]; 6] =
        [b"disconnect ", b"lost connection ", b"timeout ", b"HANGUP ", b"too many errors ", b"DISCONNECT "];
    if ended.iter().any(|beginning| text.starts_with(beginning)) {
        row.set(key::ACTION, Action::End);
        row.text(key::REASON, if text.starts_with(b"disconnect ") { b"" } else { text[..at].trim_ascii() });
        // `auth=0/1`: accepted and asked for
        if let Some((_, auth)) = split_once_str(from.rest, b" auth=") {
            row.extra_fixed("auth", Cursor::new(auth).word());
        }
    } else if text.starts_with(b"connect ") || text.starts_with(b"CONNECT ") {
        row.set(key::ACTION, Action::Start);
        if let Some(to) = from.rest.strip_prefix(b" to ").and_then(peer) {
            set_relay(row, &to);
        }
    } else if text.starts_with(b"PASS ") {
        row.set(key::ACTION, Action::Allow);
    } else {
        row.text(key::EVENT_ACTION, text[..at].trim_ascii());
    }
    Some(())
}

/// Sentences about a relay that Postfix called.
fn outgoing(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    if text.starts_with(b"to=") {
        return delivery(text, row);
    }
    if let Some(rest) = text.strip_prefix(b"connect to ") {
        let relay = peer(rest)?;
        called(&relay, row);
        let why = relay.rest.strip_prefix(b": ")?;
        row.text(key::REASON, why);
        if why.starts_with(b"Connection refused") {
            row.set(key::PORT_STATE, PortState::Closed);
        } else if why.starts_with(b"Connection timed out") {
            row.set(key::PORT_STATE, PortState::Filtered);
            row.set(key::ACTION, Action::Timeout);
        }
        return Some(());
    }
    let beginnings: [&[u8]; 4] = [b"host ", b"Used TLS for ", b"lost connection with ", b"conversation with "];
    let relay = match beginnings.iter().find_map(|beginning| text.strip_prefix(*beginning)) {
        Some(rest) => rest,
        None => split_once_str(text, b"connection established to ")?.1,
    };
    let relay = peer(relay)?;
    called(&relay, row);
    row.set(key::PORT_STATE, PortState::Open);
    if let Some((_, said)) = split_once_str(relay.rest, b" said: ") {
        row.text(key::REASON, said);
    }
    Some(())
}

fn called(relay: &Peer<'_>, row: &mut Row<'_>) {
    row.log_source(&POSTFIX_FLOW);
    row.set(key::KIND, EventKind::Flow);
    set_relay(row, relay);
    set_service(row, "smtp");
    row.set(key::INITIATOR, Initiator::Source);
}

/// `to=<A>, [orig_to=<B>, ]relay=NAME[ADDRESS]:PORT, delay=…, dsn=2.0.0, status=sent (TEXT)`.
fn delivery(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let (_, rest) = split_once_str(text, b", relay=")?;
    let (relay, rest) = split_once_str(rest, b", ")?;
    match peer(relay) {
        Some(relay) => {
            called(&relay, row);
            row.set(key::PORT_STATE, PortState::Open);
        }
        // `relay=127.0.0.1:2525`; `none` and `local` are no ends
        None if relay.contains(&b':') => {
            row.log_source(&POSTFIX_FLOW);
            row.set(key::KIND, EventKind::Flow);
            set_destination_end(row, relay);
            row.set(key::PORT_STATE, PortState::Open);
            row.set(key::INITIATOR, Initiator::Source);
        }
        None => {}
    }
    let (to, _) = split_once(text, b',')?;
    row.extra_fixed("mail_to", to[3..].strip_prefix(b"<").and_then(|to| to.strip_suffix(b">")).unwrap_or(&to[3..]));
    let (_, status) = split_once_str(rest, b"status=")?;
    let (status, why) = split_once_str(status, b" (").unwrap_or((status, b""));
    row.text(key::EVENT_ACTION, status);
    if status != b"sent" {
        row.text(key::REASON, why.strip_suffix(b")").unwrap_or(why));
    }
    if let Some((_, dsn)) = split_once_str(rest, b"dsn=") {
        row.text(key::STATUS_CODE, dsn.split(|byte| *byte == b',').next().unwrap_or_default());
    }
    Some(())
}

/// Policy servers and SpamAssassin.
fn helpers(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    // SPF: the address stands behind texts that hold names only
    if let Some((before, rest)) = split_once_str(text, b"client-ip=") {
        let (address, _) = split_once(rest, b';')?;
        row.set(key::SRC_IP, Ip::parse(address)?);
        let found = split_once_str(before, b"Received-SPF: ").map_or(before, |(_, found)| found);
        let found = found.split(|byte| matches!(byte, b' ' | b';')).next().unwrap_or_default();
        row.text(key::EVENT_ACTION, found);
        return Some(());
    }
    // postgrey
    if let Some(rest) = text.strip_prefix(b"action=") {
        let (_, address) = split_once_str(text, b"client_address=")?;
        row.set(key::SRC_IP, first_address(address)?);
        row.text(key::EVENT_ACTION, rest.split(|byte| *byte == b',').next().unwrap_or_default());
        if let Some((_, reason)) = split_once_str(text, b"reason=") {
            row.text(key::REASON, reason.split(|byte| *byte == b',').next().unwrap_or_default());
        }
        row.set(key::ACTION, if rest.starts_with(b"pass") { Action::Allow } else { Action::Deny });
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"whitelisted: ") {
        set_client(row, &peer(rest)?);
        return Some(());
    }
    let spam = text.strip_prefix(b"spamd: ")?;
    if let Some(rest) = spam.strip_prefix(b"connection from ") {
        // `NAME [ADDRESS]:PORT to port 783, fd 5`
        let (name, rest) = split_once(rest, b' ')?;
        let from = peer(rest)?;
        set_client(row, &from);
        row.text(key::SRC_HOST, name);
        row.set(key::PORT_STATE, PortState::Open);
        row.set(key::ACTION, Action::Start);
        if let Some(rest) = from.rest.strip_prefix(b" to port ") {
            row.set_opt(key::DST_PORT, port(rest.split(|byte| *byte == b',').next().unwrap_or_default()));
        }
        return Some(());
    }
    for pair in spam.split(|byte| matches!(byte, b',' | b' ')) {
        match split_once(pair, b'=') {
            Some((b"raddr", address)) => set_source(row, address),
            Some((b"rport", number)) => row.set_opt(key::SRC_PORT, port(number)),
            Some((b"user", name)) => row.text(key::USER, name),
            _ => {}
        }
    }
    row.has(schemas::Field::SrcIp).then_some(())
}

/// The address at the start of a text, whatever follows it.
fn first_address(text: &[u8]) -> Option<Ip> {
    let length = text.iter().take_while(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':')).count();
    let address = &text[..length];
    Ip::parse(address).or_else(|| Ip::parse(address.strip_suffix(b":")?))
}
