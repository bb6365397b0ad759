//! IBM's Log Event Extended Format, versions 1 and 2, from any vendor: `LEEF:1.0|Vendor|Product|Version|EventID|key=value…`.
//!
//! The table holds the predefined attributes and, where they don't collide, what CyberArk, Forcepoint and WatchGuard add.
//! CyberArk says how a logon ended by its event's number alone, and of a brokered session names both ends inside one value.
//!
//! Source: IBM, "Predefined LEEF event attributes"; CyberArk, "Vault Audit Action Codes".

use schemas::{EventKind, Field as F, Outcome, Row, key};

use crate::generic::Put::{Extra, Leave, Maybe, Note, To};
use crate::generic::{Event, Note as N, Put, Sources, Value, keys, sources};
use crate::lex::keys::KeyMap;
use crate::lex::text::{Cursor, split_once_str};
use crate::lex::{kv, leef};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

static SOURCES: Sources = sources("leef");

static KEYS: KeyMap<Put, 256> = KeyMap::new(keys! {
    Note(N::Src) => "src";
    Note(N::Dst) => "dst";
    To(F::SrcPort) => "srcPort" "src_port";
    To(F::DstPort) => "dstPort" "dst_port";
    Note(N::NatSrc) => "srcPostNAT";
    Note(N::NatDst) => "dstPostNAT";
    Maybe(F::NatSrcPort) => "srcPostNATPort" "srcPostNATPORT";
    Maybe(F::NatDstPort) => "dstPostNATPort" "dstPostNATPORT";
    To(F::SrcMac) => "srcMAC" "identMAC";
    To(F::DstMac) => "dstMAC";
    To(F::SrcHost) => "shost" "srcHostName" "identHostName" "identHostname";
    To(F::DstHost) => "dstHostName" "dstname";
    Note(N::Transport) => "proto";
    To(F::AppProto) => "app" "service";
    Note(N::Direction) => "direction";
    Maybe(F::BytesOut) => "srcBytes" "sent_bytes" "bytesOut";
    Maybe(F::BytesIn) => "dstBytes" "rcvd_bytes" "bytesIn";
    Maybe(F::BytesTotal) => "totalBytes";
    Maybe(F::PacketsOut) => "srcPackets";
    Maybe(F::PacketsIn) => "dstPackets";
    Maybe(F::PacketsTotal) => "totalPackets";
    Note(N::Seconds) => "duration";
    Note(N::User) => "usrName";
    Note(N::SrcUser) => "src_user" "accountName" "SourceUser" "suser";
    Note(N::DstUser) => "duser" "TargetUser" "dst_user";
    Note(N::DstDomain) => "domain" "realm";
    Note(N::Severity) => "sev" "severity" "level";
    Note(N::Category) => "cat";
    Note(N::Name) => "EventMessage" "eventName" "description";
    Note(N::Action) => "action" "Action" "disp";
    Note(N::Outcome) => "outcome" "result";
    To(F::Reason) => "reason" "Reason";
    To(F::Message) => "msg" "message";
    To(F::RuleName) => "policy" "ruleName";
    Maybe(F::RuleId) => "ruleId" "RuleID";
    To(F::Url) => "url" "request";
    Maybe(F::HttpMethod) => "op" "method";
    Maybe(F::UserAgent) => "userAgent" "UserAgent";
    Maybe(F::TcpFlags) => "tcp_flag" "tcpFlags";
    Maybe(F::SessionId) => "externalId";
    Maybe(F::InInterface) => "in_if";
    Maybe(F::OutInterface) => "out_if";
    Maybe(F::SrcZone) => "srcZone" "SourceZone";
    Maybe(F::DstZone) => "dstZone" "DestinationZone";
    Note(N::Host) => "sender" "sys_name" "dvchost" "devName";
    Note(N::HostAddress) => "dvc";
    Note(N::Time) => "devTime";
    Note(N::TimeFormat) => "devTimeFormat";
    Note(N::Process) => "processName" "sproc";
    Maybe(F::Repeat) => "count" "cnt" "eventCnt";
    // said again, or spoken to the console's own screens
    Leave => "calLanguage" "calCountryOrRegion";
    Extra => "role" "resource" "srcPreNAT" "dstPreNAT" "srcPreNATPort" "dstPreNATPort" "identSrc" "identNetBios" "identGrpName" "vSrc"
        "vSrcName" "groupID" "identSecondlp";
});

impl Parser for Family {
    fn name(&self) -> &'static str {
        "leef"
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _: &Memory) -> Option<Confidence> {
        let marked = match record.body {
            [b'L', b'E', b'E', b'F', b':', ..] => true,
            // the mark has the shape of a tag
            [b'1' | b'2', b'.', b'0', b'|', ..] => record.header.app == b"LEEF",
            _ => false,
        };
        marked.then_some(Confidence::Likely)
    }

    fn parse(&self, record: &Record<'_>, _: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let expected = "`LEEF:1.0|` or `LEEF:2.0|` with its header fields";
        let marked = record.body.starts_with(b"LEEF:") || record.header.app == b"LEEF";
        let header = leef::header(record.body).filter(|_| marked).ok_or_else(|| record.not_this_family(expected))?;
        row.text(key::VENDOR, header.vendor);
        row.text(key::PRODUCT, header.product);
        row.text(key::EVENT_CODE, header.event);
        let mut event = Event::default();
        let of_vault = header.vendor == b"Cyber-Ark" || header.vendor == b"CyberArk";
        for pair in leef::pairs(header.attributes, header.delimiter) {
            let value = Value::plain(pair.value);
            let put = match pair.key {
                b"" => {
                    row.extra_fixed("text", pair.value);
                    continue;
                }
                b"isLoginEvent" if pair.value.eq_ignore_ascii_case(b"true") => {
                    event.kind = Some(EventKind::Auth);
                    continue;
                }
                b"isLogoutEvent" if pair.value.eq_ignore_ascii_case(b"true") => {
                    event.kind = Some(EventKind::Auth);
                    event.logoff = true;
                    continue;
                }
                // an address or a name
                b"shost" if of_vault => Note(N::Src),
                b"dhost" => Note(N::Dst),
                b"ExtraDetails" if matches!(header.event, b"300" | b"302") && of_vault => {
                    details(record, &mut event, pair.value, row)?;
                    continue;
                }
                name => KEYS.get(name).unwrap_or(Extra),
            };
            event.take(record, put, pair.key, value, row)?;
        }
        if of_vault {
            vault(header.event, &mut event);
        }
        if header.vendor == b"WatchGuard" && !row.has(F::SrcIp) && event.note(N::Src).raw.is_empty() {
            lease(header.attributes, &mut event, row);
        }
        event.conclude(record, row, &SOURCES)?;
        Ok(Parsed::Events)
    }
}

/// How CyberArk's Vault says by numbers what happened.
fn vault(code: &[u8], event: &mut Event<'_>) {
    match code {
        b"7" => (event.kind, event.outcome) = (Some(EventKind::Auth), Some(Outcome::Success)),
        b"4" => (event.kind, event.outcome) = (Some(EventKind::Auth), Some(Outcome::Failure)),
        b"8" => (event.kind, event.logoff) = (Some(EventKind::Auth), true),
        // a session through the gateway; the rest is about safes and passwords, whatever addresses stand beside
        b"300" | b"302" => {}
        _ => event.kind = Some(EventKind::Other),
    }
}

/// WatchGuard's DHCP server puts the client into the sentence: `DHCPREQUEST for ADDRESS from MAC (NAME) via INTERFACE`.
fn lease<'a>(attributes: &'a [u8], event: &mut Event<'a>, row: &mut Row<'_>) {
    let Some((_, sentence)) = split_once_str(attributes, b"msg=DHCPREQUEST for ") else { return };
    let mut words = Cursor::new(sentence);
    event.set_note(N::Src, Value::plain(words.word()));
    if words.take_if(b"from ") {
        row.text(key::SRC_MAC, words.word());
    }
}

/// Of a session that the Vault's gateway brokers: who sits at which end.
fn details<'a>(record: &Record<'_>, event: &mut Event<'a>, text: &'a [u8], row: &mut Row<'_>) -> Result<(), Refusal> {
    for pair in kv::pairs_by(text, b';') {
        let value = Value::plain(pair.value);
        match pair.key {
            b"SrcHost" if !value.is_absent() => {
                // what stood there is the gateway
                let gateway = event.note(N::Src);
                event.set_note(N::Src, value);
                if gateway.raw != value.raw {
                    row.extra_fixed("gateway", gateway.raw);
                }
            }
            b"DstHost" if !value.is_absent() => event.set_note(N::Dst, value),
            b"Protocol" => event.take(record, To(F::AppProto), pair.key, value, row)?,
            b"SessionID" => event.take(record, To(F::SessionId), pair.key, value, row)?,
            b"User" => {}
            name => row.extra(name, value.raw),
        }
    }
    Ok(())
}
