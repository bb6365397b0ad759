//! Single messages that name ends: logins to the device's pages, SNMP's communities, signatures, IPsec, duplicate addresses.

use schemas::{Action, EventKind, Ip, Outcome, PortState, Row, Transport, key};

use super::end;
use crate::lex::text::{Cursor, decimal, split_once_str};

/// `Login {Successful|Un-Successful} from host A [by user 'U' ]using crypto cipher 'C'`, the chassis' place before it.
pub(super) fn web_login(mnemonic: &[u8], text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let success = mnemonic == b"LOGIN_PASSED";
    row.set(key::KIND, EventKind::Auth);
    row.set(key::OUTCOME, if success { Outcome::Success } else { Outcome::Failure });
    let at = memchr::memmem::find(text, b" from host ")?;
    let mut cursor = Cursor::new(&text[at + b" from host ".len()..]);
    row.set_opt(key::SRC_IP, Ip::parse(cursor.word()));
    if success {
        row.set(key::PORT_STATE, PortState::Open);
    }
    let (_, name) = split_once_str(cursor.rest(), b"by user '")?;
    let end = memchr::memmem::rfind(name, b"' using ").or_else(|| memchr::memrchr(b'\'', name))?;
    row.text(key::USER, &name[..end]);
    Some(())
}

/// `Authentication failure for SNMP req from host A`: a community that is not this device's.
pub(super) fn snmp(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Auth);
    row.set(key::OUTCOME, Outcome::Failure);
    row.fixed(key::APP_PROTO, "snmp");
    origin(text, row)
}

/// `Sig:2004 Subsig:0 Sev:25 NAME [A:p -> B:q] VRF:NONE RiskRating:25`.
pub(super) fn signature(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Alert);
    row.set(key::ACTION, Action::Alert);
    let mut cursor = Cursor::new(text);
    cursor.until_str(b"Sig:")?;
    row.text(key::SIGNATURE_ID, cursor.word());
    cursor.until_str(b"Sev:")?;
    cursor.word();
    row.text(key::SIGNATURE, cursor.until_str(b" [")?);
    let (source, port) = end(cursor.word())?;
    row.set(key::SRC_IP, source);
    row.set_opt(key::SRC_PORT, schemas::parse_port(port).filter(|port| *port != 0));
    cursor.expect(b"-> ")?;
    let (destination, port) = end(cursor.until(b']')?)?;
    row.set(key::DST_IP, destination);
    row.set_opt(key::DST_PORT, schemas::parse_port(port).filter(|port| *port != 0));
    Some(())
}

/// `… for destaddr=B, prot=50, spi=0x1, srcaddr=A, input interface=IF`.
pub(super) fn invalid_spi(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    row.set(key::ACTION, Action::Drop);
    let value = |name: &[u8]| {
        let (_, rest) = split_once_str(text, name)?;
        rest.split(|byte| *byte == b',').next().map(<[u8]>::trim_ascii)
    };
    row.set_opt(key::DST_IP, value(b"destaddr=").and_then(Ip::parse));
    row.set_opt(key::SRC_IP, value(b"srcaddr=").and_then(Ip::parse));
    row.set_opt(key::TRANSPORT, value(b"prot=").filter(|text| decimal(text).is_some()).and_then(Transport::parse));
    row.text(key::IN_INTERFACE, value(b"input interface=").unwrap_or_default());
    Some(())
}

/// `Duplicate address A on IF, sourced by MAC`.
pub(super) fn duplicate(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Alert);
    row.set(key::ACTION, Action::Alert);
    let mut cursor = Cursor::new(text);
    cursor.until_str(b"Duplicate address ")?;
    row.set_opt(key::SRC_IP, Ip::parse(cursor.word()));
    cursor.expect(b"on ")?;
    row.text(key::IN_INTERFACE, cursor.until(b',')?);
    cursor.expect(b" sourced by ")?;
    row.text(key::SRC_MAC, cursor.word());
    Some(())
}

/// `… from [host ]A`: who sent what a message is about. The last one, since names stand before it.
pub(super) fn origin(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let at = memchr::memmem::rfind(text, b" from ")?;
    let mut cursor = Cursor::new(&text[at + b" from ".len()..]);
    cursor.take_if(b"host ");
    let word = cursor.word();
    let word = word.strip_suffix(b",").or_else(|| word.strip_suffix(b".")).unwrap_or(word);
    let (ip, port) = end(word)?;
    row.set(key::SRC_IP, ip);
    row.set_opt(key::SRC_PORT, schemas::parse_port(port).filter(|port| *port != 0));
    Some(())
}
