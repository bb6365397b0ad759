//! Fortinet FortiGate (FortiOS): `date=… devname="…" logid="0000000013" type="traffic" subtype="forward" srcip=…`.
//!
//! One table maps keys; a few of them mean something only together (time, translation, application, verdict), so they
//! are noted while the line is read and judged at its end: the order of keys is not fixed. The originator of a session is
//! always `src`, pre-NAT. `service` names a port and `transport` is one: neither is evidence of what was spoken.
//!
//! Also read: the CSV form of the same pairs, the CEF form (its own names, the rest with the prefix `FTNTFGT`, of some senders
//! `FortinetFortiGate`), the other key style of VoIP and of older relatives (`src_port`, `device_id`), FortiManager's and
//! FortiAnalyzer's own logs.

mod event;
mod keys;
mod traffic;
mod utm;

use std::sync::LazyLock;

use memchr::memmem::Finder;
use schemas::{Field, Ip, LogSource, RejectKind, Row, Transport, key};

use self::keys::{CEF_KEYS, KEYS, NOTES, Noted, What};
use crate::lex::text::{contains, decimal, present, split_once};
use crate::lex::{cef, kv, time};
use crate::transport::set_time;
use crate::{Accepts, At, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

static TRAFFIC: LogSource = source("fortinet_fortigate.traffic", &["firewall"], &["traffic"]);
static IPS: LogSource = source("fortinet_fortigate.ips", &["ids"], &["utm", "ips"]);
static DNS: LogSource = source("fortinet_fortigate.dns", &["dns"], &["utm", "dns"]);
static WEB: LogSource = source("fortinet_fortigate.webfilter", &["proxy"], &["utm", "webfilter"]);
static UTM: LogSource = source("fortinet_fortigate.utm", &[], &["utm"]);
static EVENT: LogSource = source("fortinet_fortigate.event", &[], &["event"]);
static LOGIN: LogSource = source("fortinet_fortigate.auth", &["authentication"], &["event"]);

const fn source(
    dataset: &'static str,
    categories: &'static [&'static str],
    services: &'static [&'static str],
) -> LogSource {
    LogSource {
        family: "fortigate",
        vendor: "Fortinet",
        product: "FortiGate",
        dataset,
        categories,
        products: &["fortigate", "fortios", "fortinet"],
        services,
    }
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "fortigate"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["fortinet_fortigate", "fortios", "fortinet"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        let body = record.body.trim_ascii_start();
        let head = &body[..body.len().min(400)];
        match head.first()? {
            b'C' | b'0' => {
                let mark = contains(&head[..head.len().min(48)], b"|Fortinet|Forti");
                mark.then_some(Confidence::Certain)
            }
            b'a'..=b'z' if begins_with_key(head) => marks(head),
            _ => None,
        }
    }

    #[inline]
    fn parse(&self, record: &Record<'_>, memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let body = record.body;
        let mut line = Line { record, notes: [b""; NOTES] };
        let start = body.trim_ascii_start();
        if start.starts_with(b"CEF:") || start.starts_with(b"0|Fortinet|") {
            line.read_cef(row)?;
        } else {
            line.read_pairs(memory.trail(), row)?;
        }
        line.judge(row)?;
        Ok(Parsed::Events)
    }
}

/// The pairs of a line. The CSV form separates the same pairs by commas.
#[inline]
fn pairs_of(text: &[u8]) -> kv::Pairs<'_> {
    // `date=2026-01-05,`
    let by_comma = text.starts_with(b"date=") && text.iter().find(|byte| matches!(byte, b',' | b' ')) == Some(&b',');
    if by_comma { kv::pairs_by(text, b',') } else { kv::pairs(text) }
}

/// Which of the keys stand in the head that name the device and the log.
#[inline]
fn marks(head: &[u8]) -> Option<Confidence> {
    // as nine of ten lines have them
    static DEVICE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b" devid=\"F"));
    static LOG: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b" logid=\"0"));
    if DEVICE.find(head).is_some() && LOG.find(head).is_some() {
        return Some(Confidence::Certain);
    }
    marks_by_pairs(head)
}

#[inline(never)]
fn marks_by_pairs(head: &[u8]) -> Option<Confidence> {
    let (mut device, mut log, mut event, mut domain) = (false, false, false, false);
    for pair in pairs_of(head) {
        match pair.key {
            b"devid" | b"device_id" => device = true,
            b"logid" | b"log_id" => log = true,
            b"type" => event = pair.value == b"event",
            b"vd" => domain = true,
            // Sophos has the same names for other things
            b"timezone" | b"device" | b"device_name" => return None,
            _ => {}
        }
        if device && log {
            return Some(Confidence::Certain);
        }
    }
    (device || log || event && domain).then_some(Confidence::Likely)
}

/// Whether the text begins with a word and `=`.
fn begins_with_key(head: &[u8]) -> bool {
    let word = head.iter().take(24).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    word > 0 && head.get(word) == Some(&b'=')
}

struct Line<'a, 'r> {
    record: &'r Record<'a>,
    notes: [&'r [u8]; NOTES],
}

impl<'a: 'r, 'r> Line<'a, 'r> {
    fn read_pairs(
        &mut self,
        trail: &mut kv::PairTrail<Option<&'static What>>,
        row: &mut Row<'_>,
    ) -> Result<(), Refusal> {
        let body = self.record.body;
        for (pair, what) in pairs_of(body).by(trail, |key| KEYS.find(key)) {
            if pair.unclosed {
                return Err(Refusal {
                    at: pair.value_offset().saturating_sub(1),
                    kind: RejectKind::Unclosed { what: "a quoted value" },
                });
            }
            self.put(what, pair.key, pair.value, || pair.value_offset(), row)?;
        }
        Ok(())
    }

    #[cold]
    fn read_cef(&mut self, row: &mut Row<'_>) -> Result<(), Refusal> {
        let body = self.record.body;
        let not_ours = || self.record.not_this_family("`CEF:0|Fortinet|Fortigate|…` with seven header fields");
        let (fields, extension) = cef::header(body).ok_or_else(not_ours)?;
        if !fields[1].eq_ignore_ascii_case(b"Fortinet") {
            return Err(not_ours());
        }
        let base = body.len() - extension.len();
        for pair in cef::pairs(extension) {
            let at = base + pair.offset + pair.key.len() + 1;
            let plain = CEF_PREFIXES.iter().find_map(|prefix| pair.key.strip_prefix(*prefix));
            let value = pair.value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(pair.value);
            match (plain, CEF_KEYS.get(pair.key)) {
                (None, Some(name)) if pair.escaped => match KEYS.get(name.as_bytes()) {
                    Some(What::To(field)) => cef::with(value, |text| row.put(field, text)).at(at)?,
                    _ => self.pair(name.as_bytes(), value, at, row)?,
                },
                (Some(plain), _) => self.pair(plain, value, at, row)?,
                (None, Some(name)) => self.pair(name.as_bytes(), value, at, row)?,
                // `cat=utm:virus`: type and subtype
                (None, None) if pair.key == b"cat" => {
                    let (kind, subtype) = split_once(value, b':').unwrap_or((value, b""));
                    self.pair(b"type", kind, at, row)?;
                    self.pair(b"subtype", subtype, at, row)?;
                }
                (None, None) => self.pair(pair.key, value, at, row)?,
            }
        }
        if self.note(Noted::LogId).is_empty() {
            self.notes[Noted::LogId as usize] = fields[4];
        }
        Ok(())
    }

    fn pair(&mut self, name: &'r [u8], value: &'r [u8], at: usize, row: &mut Row<'_>) -> Result<(), Refusal> {
        self.put(KEYS.find(name), name, value, || at, row)
    }

    /// Does with a pair what the table says of its key.
    #[inline(always)]
    fn put(
        &mut self,
        what: Option<&'static What>,
        name: &'r [u8],
        value: &'r [u8],
        at: impl Fn() -> usize,
        row: &mut Row<'_>,
    ) -> Result<(), Refusal> {
        let Some(value) = present(value) else { return Ok(()) };
        let Some(what) = what else {
            row.extra(name, value);
            return Ok(());
        };
        match *what {
            // identity: the first of several counts
            What::To(field) if row.has(field) && field != Field::Host => {
                row.extra(name, value);
                Ok(())
            }
            What::To(field) => row.put(field, value).or_else(|kind| Err(kind).at(at())),
            What::Maybe(field) => {
                if !row.put_if(field, value) {
                    row.extra(name, value);
                }
                Ok(())
            }
            What::Address(ip, host) => {
                if row.has(ip) || !row.put_if(ip, value) {
                    if !row.has(host) && value.first().is_some_and(u8::is_ascii_alphanumeric) {
                        return row.put(host, value).or_else(|kind| Err(kind).at(at()));
                    }
                    row.extra(name, value);
                }
                Ok(())
            }
            What::Note(note) => {
                let slot = &mut self.notes[note as usize];
                let better_zone = matches!(note, Noted::Zone) && matches!(value.first(), Some(b'+' | b'-'));
                if slot.is_empty() || better_zone {
                    *slot = value;
                } else if *slot != value {
                    row.extra(name, value);
                }
                Ok(())
            }
        }
    }

    #[inline]
    fn note(&self, note: Noted) -> &'r [u8] {
        self.notes[note as usize]
    }

    /// What the noted keys mean together.
    fn judge(&mut self, row: &mut Row<'_>) -> Result<(), Refusal> {
        let (kind, log_id) = (self.note(Noted::Type), self.note(Noted::LogId));
        if kind.is_empty() && log_id.is_empty() {
            return Err(self.record.not_this_family("`type=` or `logid=` among key=value pairs"));
        }
        row.text(key::EVENT_CODE, log_id);
        row.text(key::EVENT_ACTION, self.note(Noted::Action));
        self.set_time(row);
        self.set_transport(row);
        self.set_user(row);
        row.extra_fixed("subtype", self.note(Noted::Subtype));
        match (kind, log_id) {
            (b"traffic", _) => self.traffic(row),
            (b"event" | b"appevent", _) => self.event(row),
            (b"utm", _) => self.utm(row),
            (profile, _) if PROFILES.contains(&profile) => self.utm(row),
            (b"", [b'0', b'0', ..]) => self.traffic(row),
            (b"", [b'0', b'2'..=b'9', ..] | [b'1', b'0'..=b'9', ..]) => self.utm(row),
            _ => self.event(row),
        }
        for (name, note) in LEFTOVERS {
            row.extra_fixed(name, self.note(*note));
        }
        Ok(())
    }

    #[inline]
    fn set_time(&self, row: &mut Row<'_>) {
        let event = time::epoch(self.note(Noted::EventTime)).filter(|us| *us > 0);
        let zoned = if self.note(Noted::Zone).is_empty() { None } else { self.local_time() };
        let us = match (event, zoned) {
            // They differ by seconds, or by hours where the zone is a wrong one; by more, the counter is broken.
            (Some(event), Some(zoned)) if event.abs_diff(zoned) > ZONES_APART_US => Some(zoned),
            (Some(event), _) => Some(event),
            (None, zoned) => time::epoch(self.note(Noted::Timestamp)).or(zoned).or_else(|| self.local_time()),
        };
        if let Some(us) = us {
            set_time(row, us);
        }
    }

    fn local_time(&self) -> Option<i64> {
        let (date, clock) = (self.note(Noted::Date), self.note(Noted::Time));
        let mut stamp = time::date_and_clock(date, clock)?;
        stamp.offset = stamp.offset.or_else(|| self.record.time.zone(&stamp, self.note(Noted::Zone)));
        self.record.time.resolve(&stamp)
    }

    /// The surest of the names: of the session, of IPsec's own login, and what the device guesses from elsewhere (its
    /// source stays in `unauthusersource`).
    #[inline]
    fn set_user(&self, row: &mut Row<'_>) {
        let mut labels = ["user", "xauthuser", "unauthuser"];
        let mut names = [Noted::User, Noted::XauthUser, Noted::GuessedUser].map(|note| self.note(note));
        // a gateway's peer is called by its address before it says who it is
        if !names[1].is_empty() && Ip::parse(names[0]).is_some() {
            names.swap(0, 1);
            labels.swap(0, 1);
        }
        let Some(first) = names.iter().position(|name| !name.is_empty()) else { return };
        // of a certificate's login the rest of its subject follows: `ann,cn=ann`
        let name = split_once(names[first], b',').filter(|(_, rest)| rest.starts_with(b"cn="));
        row.text(key::USER, name.map_or(names[first], |(name, _)| name));
        for (name, value) in labels.into_iter().zip(names).skip(first + 1) {
            row.extra_fixed(name, value);
        }
    }

    /// The protocol's number, and for ICMP its type and code.
    #[inline]
    fn set_transport(&self, row: &mut Row<'_>) {
        let proto = self.note(Noted::Proto);
        let Some(transport) = Transport::parse(proto) else {
            row.extra_fixed("proto", proto);
            return;
        };
        row.set(key::TRANSPORT, transport);
        if matches!(transport, Transport::ICMP | Transport::ICMPV6) {
            // `icmp/8/0`, `icmp6/128/0`
            let mut parts = self.note(Noted::Service).split(|byte| *byte == b'/').skip(1);
            row.set_opt(key::ICMP_TYPE, parts.next().and_then(decimal).or_else(|| hex(self.note(Noted::IcmpType))));
            row.set_opt(key::ICMP_CODE, parts.next().and_then(decimal).or_else(|| hex(self.note(Noted::IcmpCode))));
        }
    }

    /// The application that was recognised from the bytes: only where application control ran, else `app` repeats the port.
    #[inline]
    fn set_app(&self, row: &mut Row<'_>) {
        let app = self.note(Noted::App);
        let ran = !self.note(Noted::AppId).is_empty();
        let known = !matches!(app, b"unscanned" | b"unknown");
        if ran && known {
            row.text(key::APP_PROTO, app);
        } else {
            row.extra_fixed("app", app);
        }
    }
}

/// What security profiles are called where the type says no `utm`, as before FortiOS 5.4 and for names.
const PROFILES: &[&[u8]] = &[
    b"dns",
    b"ips",
    b"virus",
    b"webfilter",
    b"app-ctrl",
    b"dlp",
    b"anomaly",
    b"attack",
    b"emailfilter",
    b"spamfilter",
    b"voip",
    b"waf",
    b"ssh",
    b"ssl",
    b"cifs",
    b"file-filter",
    b"icap",
    b"gtp",
];

/// The farthest that two zones lie apart: UTC-12 and UTC+14.
const ZONES_APART_US: u64 = 26 * 3_600 * 1_000_000;

/// What stands before a key of FortiOS that CEF has no name for.
const CEF_PREFIXES: [&[u8]; 3] = [b"FTNTFGT", b"FortinetFortiGate", b"ad."];

/// What was noted and has no column of its own.
const LEFTOVERS: &[(&str, Noted)] = &[
    ("service", Noted::Service),
    ("utmaction", Noted::UtmAction),
    ("ui", Noted::Ui),
    ("tunneltype", Noted::TunnelType),
    ("userfrom", Noted::UserFrom),
    ("dir", Noted::TunnelDirection),
];

/// Words that say that it did not pass.
fn is_stopped(word: &[u8]) -> bool {
    matches!(
        word,
        b"block"
            | b"blocked"
            | b"deny"
            | b"denied"
            | b"drop"
            | b"dropped"
            | b"drop_session"
            | b"reset"
            | b"reset_client"
            | b"reset_server"
            | b"clear_session"
    )
}

/// An address; the unspecified one is absent.
fn address(text: &[u8]) -> Option<Ip> {
    if text == b"0.0.0.0" || text == b"::" { None } else { Ip::parse(text) }
}

/// `0x08` or `8`.
fn hex(text: &[u8]) -> Option<u64> {
    if text.starts_with(b"0x") { crate::lex::text::hexadecimal(text) } else { decimal(text) }
}
