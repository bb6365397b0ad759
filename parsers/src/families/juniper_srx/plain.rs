//! The sentences of sessions, screens, attacks and content filters.
//!
//! `session closed REASON: A/p->B/q [0xTAG] SERVICE NA/np->NB/nq [0xTAG] [TYPE] RULE [TYPE] RULE PROTO POLICY SZONE DZONE ID
//! C(cb) S(sb) ELAPSED [APP NESTED USER(ROLES) IF ENCRYPTED …]`; `created` has neither counters nor reason, `denied` no
//! translation. Types of translation are of two words (`source rule`), and releases put more words at the end.

use schemas::{Field, Ip, Row, Transport, key};

use super::{elapsed, is_icmp, known, set_end, verdict};
use crate::lex::text::{Cursor, decimal, split_once, split_once_str};
use crate::lex::{endpoint, kv};

/// Words between blanks, `source rule` and its kin being one.
struct Words<'a>(Cursor<'a>);

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.0.rest();
        for pair in [&b"source rule "[..], b"destination rule ", b"static rule "] {
            if rest.starts_with(pair) {
                self.0.skip(pair.len());
                return Some(pair.trim_ascii_end());
            }
        }
        let word = self.0.word();
        (!word.is_empty()).then_some(word)
    }

    /// The same, without the connection's tag before it.
    fn next_untagged(&mut self) -> Option<&'a [u8]> {
        match self.next()? {
            word if word.starts_with(b"0x") => self.next(),
            word => Some(word),
        }
    }
}

/// `A/p->B/q`.
type Pair = ((Ip, Option<u16>), (Ip, Option<u16>));

fn pair(word: &[u8]) -> Option<Pair> {
    let (from, to) = split_once_str(word, b"->")?;
    Some((endpoint::slash(from)?, endpoint::slash(to)?))
}

/// `session {created|closed REASON:|denied} …`, after `Lsys NAME: ` in a logical system.
pub(super) fn session(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let at = memchr::memmem::find(text, b"ession ")?;
    let mut cursor = Cursor::new(&text[at + 7..]);
    let phase = cursor.word();
    let (closed, denied) = (phase == b"closed", phase == b"denied");
    if !closed && !denied && phase != b"created" && phase != b"volume" && phase != b"route" {
        return None;
    }
    let arrow = memchr::memmem::find(cursor.rest(), b"->")?;
    let before = memchr::memrchr(b' ', &cursor.rest()[..arrow]).map_or(0, |at| at + 1);
    let reason = cursor.rest()[..before].trim_ascii_end();
    row.text(key::REASON, known(reason.strip_suffix(b":").unwrap_or(reason)).unwrap_or(b""));
    cursor.skip(before);
    let mut words = Words(cursor);
    let (source, destination) = pair(words.next()?)?;
    let service = words.next_untagged()?;
    row.extra_fixed("service-name", known(service).unwrap_or(b""));
    if denied {
        return refused(&mut words, source, destination, row);
    }
    let (nat_source, nat_destination) = pair(words.next()?)?;
    let rules = [words.next_untagged()?, words.next()?];
    // without types the protocol follows the two rules, with them two words later
    let mut protocol = words.next()?;
    if decimal(protocol).is_none() {
        row.extra_fixed("src-nat-rule-name", known(rules[1]).unwrap_or(b""));
        row.extra_fixed("dst-nat-rule-name", known(words.next()?).unwrap_or(b""));
        protocol = words.next()?;
    } else {
        row.extra_fixed("src-nat-rule-name", known(rules[0]).unwrap_or(b""));
        row.extra_fixed("dst-nat-rule-name", known(rules[1]).unwrap_or(b""));
    }
    decimal(protocol)?;
    row.set(key::TRANSPORT, Transport::parse(protocol)?);
    ends(source, destination, row);
    row.set(key::NAT_SRC_IP, nat_source.0);
    row.set(key::NAT_DST_IP, nat_destination.0);
    if !is_icmp(row) {
        row.set_opt(key::NAT_SRC_PORT, nat_source.1);
        row.set_opt(key::NAT_DST_PORT, nat_destination.1);
    }
    policy(&mut words, row)?;
    row.text(key::SESSION_ID, words.next()?);
    if !closed {
        user(words.next().unwrap_or(b""), row);
        row.text(key::IN_INTERFACE, words.next().and_then(known).unwrap_or(b""));
        let (app, nested) = (words.next(), words.next());
        row.text(key::APP_PROTO, nested.and_then(known).or_else(|| app.and_then(known)).unwrap_or(b""));
        return Some(());
    }
    let (packets, bytes) = counters(words.next()?)?;
    row.set(key::PACKETS_OUT, packets);
    row.set(key::BYTES_OUT, bytes);
    let (packets, bytes) = counters(words.next()?)?;
    row.set(key::PACKETS_IN, packets);
    row.set(key::BYTES_IN, bytes);
    elapsed(decimal(words.next()?)?, true, row);
    let (app, nested) = (words.next(), words.next());
    row.text(key::APP_PROTO, nested.and_then(known).or_else(|| app.and_then(known)).unwrap_or(b""));
    user(words.next().unwrap_or(b""), row);
    row.text(key::IN_INTERFACE, words.next().and_then(known).unwrap_or(b""));
    Some(())
}

/// `PROTO(ICMPTYPE) POLICY SZONE DZONE APP NESTED USER(ROLES) IF ENCRYPTED [REASON] …`.
fn refused(
    words: &mut Words<'_>,
    source: (Ip, Option<u16>),
    destination: (Ip, Option<u16>),
    row: &mut Row<'_>,
) -> Option<()> {
    let (protocol, kind) = split_once(words.next()?, b'(')?;
    row.set(key::TRANSPORT, Transport::parse(protocol)?);
    ends(source, destination, row);
    if is_icmp(row) {
        row.set_opt(key::ICMP_TYPE, kind.strip_suffix(b")").and_then(decimal));
    }
    policy(words, row)?;
    let (app, nested) = (words.next(), words.next());
    row.text(key::APP_PROTO, nested.and_then(known).or_else(|| app.and_then(known)).unwrap_or(b""));
    user(words.next().unwrap_or(b""), row);
    row.text(key::IN_INTERFACE, words.next().and_then(known).unwrap_or(b""));
    let _encrypted = words.next();
    // words up to the next number or `N/A`
    let tail = words.0.rest();
    let mut end = 0;
    for word in tail.split(|b| *b == b' ') {
        if word.is_empty() || decimal(word).is_some() || known(word).is_none() {
            break;
        }
        end += word.len() + 1;
    }
    row.text(key::REASON, tail[..end.min(tail.len())].trim_ascii());
    Some(())
}

/// Of ICMP the numbers are no ports.
fn ends(source: (Ip, Option<u16>), destination: (Ip, Option<u16>), row: &mut Row<'_>) {
    let icmp = is_icmp(row);
    set_end(row, (source.0, source.1.filter(|_| !icmp)), true);
    set_end(row, (destination.0, destination.1.filter(|_| !icmp)), false);
}

fn policy(words: &mut Words<'_>, row: &mut Row<'_>) -> Option<()> {
    row.text(key::RULE_NAME, words.next()?);
    row.text(key::SRC_ZONE, words.next()?);
    row.text(key::DST_ZONE, words.next()?);
    Some(())
}

/// `n(m)`: packets and bytes.
fn counters(word: &[u8]) -> Option<(u64, u64)> {
    let (packets, bytes) = split_once(word, b'(')?;
    Some((schemas::parse_u64(packets)?, schemas::parse_u64(bytes.strip_suffix(b")")?)?))
}

/// `user(roles)`.
fn user(word: &[u8], row: &mut Row<'_>) {
    let (name, roles) = split_once(word, b'(').unwrap_or((word, b""));
    row.text(key::USER, known(name).unwrap_or(b""));
    row.extra_fixed("roles", known(roles.strip_suffix(b")").unwrap_or(roles)).unwrap_or(b""));
}

/// `TCP sweep! source: A:p, destination: B:q, zone name: Z, interface name: I, action: drop`; some have one end only.
pub(super) fn screen(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let at = memchr::memmem::find(text, b"! ")? + 1;
    row.text(key::SIGNATURE, text[..at].trim_ascii());
    let mut any = false;
    for part in text[at..].split(|b| *b == b',') {
        let Some((name, value)) = split_once_str(part, b": ") else { continue };
        let (name, value) = (name.trim_ascii(), value.trim_ascii());
        match name {
            b"source" | b"source IP" | b"destination" | b"destination IP" => {
                set_end(row, endpoint::colon(value)?, name.starts_with(b"s"));
                any = true;
            }
            b"protocol-id" => row.set_opt(key::TRANSPORT, Transport::parse(value)),
            b"zone name" => row.text(key::SRC_ZONE, value),
            b"interface name" => row.text(key::IN_INTERFACE, value),
            b"action" => {
                row.text(key::EVENT_ACTION, value);
                row.set_opt(key::ACTION, verdict(value));
            }
            _ => row.extra(name, value),
        }
    }
    any.then_some(())
}

/// `IDP: at TIME, SIG Attack log <A/p->B/q> for TCP protocol and service S application P by rule 9 of rulebase IPS in policy X.
/// attack: [id=…,] repeat=0, action=DROP, threat-severity=HIGH, name=N, NAT <…>, …, username=U, roles=R and misc-message M`.
pub(super) fn attack(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let mut cursor = Cursor::new(text);
    cursor.until(b'<')?;
    let (source, destination) = pair(cursor.until_str(b"> ")?)?;
    set_end(row, source, true);
    set_end(row, destination, false);
    if cursor.take_if(b"for ") {
        row.set_opt(key::TRANSPORT, Transport::parse(cursor.word()));
    }
    let (before, tail) = split_once_str(cursor.rest(), b"attack: ")?;
    if let Some((_, app)) = split_once_str(before, b" application ") {
        row.text(key::APP_PROTO, known(app.split(|b| *b == b' ').next()?).unwrap_or(b""));
    }
    if let Some((_, policy)) = split_once_str(before, b" in policy ") {
        let policy = policy.trim_ascii();
        row.text(key::RULE_NAME, policy.strip_suffix(b".").unwrap_or(policy));
    }
    for part in tail.split(|b| *b == b',') {
        let Some((name, value)) = split_once(part.trim_ascii(), b'=') else { continue };
        let Some(value) = known(value.split(|b| *b == b' ').next()?) else { continue };
        match name {
            b"name" => row.text(key::SIGNATURE, value),
            b"threat-severity" => row.text(key::LEVEL, value),
            b"username" => row.text(key::USER, value),
            b"action" => {
                row.text(key::EVENT_ACTION, value);
                row.set_opt(key::ACTION, verdict(value));
            }
            b"repeat" => row.set_opt(key::REPEAT, decimal(value).filter(|more| *more > 0).map(|more| more + 1)),
            b"time-elapsed" | b"inpackets" | b"outpackets" => {}
            b"inbytes" => row.set_opt(key::BYTES_IN, schemas::parse_u64(value)),
            b"outbytes" => row.set_opt(key::BYTES_OUT, schemas::parse_u64(value)),
            _ => row.extra(name, value),
        }
    }
    Some(())
}

/// `WebFilter: ACTION="URL Blocked" A(p)->B(q) CATEGORY="C" REASON="R" PROFILE="P" URL=U OBJ=O USERNAME=N ROLES=R`; other
/// filters' sentences remain text.
pub(super) fn content(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    row.text(key::MESSAGE, text.trim_ascii());
    for pair in kv::pairs(text) {
        let Some(value) = known(pair.value) else { continue };
        match pair.key {
            b"" => {
                let Some((from, to)) = split_once_str(value, b")->") else { continue };
                for (end, source) in [(from, true), (to.strip_suffix(b")")?, false)] {
                    let (address, port) = split_once(end, b'(')?;
                    set_end(row, (Ip::parse(address)?, schemas::parse_port(port)), source);
                }
            }
            b"ACTION" => row.text(key::EVENT_ACTION, value),
            b"CATEGORY" => row.text(key::SIGNATURE_CLASS, value),
            b"REASON" => row.text(key::REASON, value),
            b"URL" => row.text(key::URL, value),
            b"USERNAME" => row.text(key::USER, value),
            _ => row.extra(pair.key, value),
        }
    }
    // `AntiVirus: Virus detected: from A:p to B:q …`
    if !row.has(Field::SrcIp)
        && let Some((_, tail)) = split_once_str(text, b" from ")
    {
        let mut cursor = Cursor::new(tail);
        if let Some(from) = endpoint::colon(cursor.word())
            && cursor.take_if(b"to ")
            && let Some(to) = endpoint::colon(cursor.word())
        {
            set_end(row, from, true);
            set_end(row, to, false);
        }
    }
    Some(())
}
