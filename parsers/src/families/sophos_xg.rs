//! Sophos Firewall (SFOS, XG) in both of its key styles, and Sophos UTM.
//!
//! `device="SFW" date=… time=… timezone="CEST" … log_type="Firewall" log_component="Firewall Rule" log_subtype="Allowed" …`
//! and, since SFOS 18 "central reporting", `timestamp="…+0100" device_model=… log_version=1 …`: one table has both sets of
//! names. `log_type` and `log_component` say what a line is. UTM is another product with other names
//! (`id="2002" … sub="packetfilter" name="Packet accepted" action="accept" …`) of the same vendor, and is read here, too.
//!
//! Zones come as abbreviations: those that mean several clocks (IST, BST) are read in the source's own zone. Ports of a
//! translation are 0 where there is none. Source: Sophos Firewall, "Syslog guide"; Sophos UTM, "Logging".

mod keys;
mod utm;

use schemas::{
    Action, EventKind, Field, Initiator, Ip, LogSource, Outcome, PortState, RejectKind, Row, Transport, key,
};

use self::keys::{KEYS, NOTES, Noted, What};
use crate::lex::text::{contains, decimal, present};
use crate::lex::{kv, time};
use crate::transport::set_time;
use crate::{Accepts, At, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

static FIREWALL: LogSource = source("sophos_xg.firewall", &["firewall"], &["firewall"]);
static IDP: LogSource = source("sophos_xg.idp", &["ids"], &["idp"]);
static THREAT: LogSource = source("sophos_xg.threat", &["antivirus"], &["antivirus"]);
static MAIL: LogSource = source("sophos_xg.mail", &[], &["antispam"]);
static WEB: LogSource = source("sophos_xg.web", &["proxy"], &["webfilter"]);
static WAF: LogSource = source("sophos_xg.waf", &["webserver"], &["waf"]);
static LOGIN: LogSource = source("sophos_xg.auth", &["authentication"], &["event"]);
static EVENT: LogSource = source("sophos_xg.event", &[], &["event"]);

const fn source(
    dataset: &'static str,
    categories: &'static [&'static str],
    services: &'static [&'static str],
) -> LogSource {
    LogSource {
        family: "sophos_xg",
        vendor: "Sophos",
        product: "Firewall",
        dataset,
        categories,
        products: &["sophos", "sfos", "xg"],
        services,
    }
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "sophos_xg"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["sophos", "sfos", "sophos_utm"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        let body = record.body;
        let head = &body[..body.len().min(400)];
        match body {
            [b'd', b'e', b'v', b'i', b'c', b'e', ..] => {
                let marked = body.starts_with(b"device=\"SFW\"")
                    || body.starts_with(b"device_name=\"") && contains(head, b" log_component=\"");
                marked.then_some(Confidence::Certain)
            }
            [b'd', b'a', b't', b'e', b'=', ..]
            | [b't', b'i', b'm', b'e', b's', b't', b'a', b'm', b'p', b'=', b'"', ..] => {
                contains(head, b" log_component=\"").then_some(Confidence::Certain)
            }
            [b'i', b'd', b'=', b'"', ..] | [_, _, _, _, b':', _, _, b':', _, _, b'-', ..] => {
                utm::is_utm(head).then_some(Confidence::Certain)
            }
            _ => None,
        }
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let (record, us) = utm::without_header(record);
        let mut line = Line { record: &record, notes: [b""; NOTES] };
        line.read(row)?;
        if let Some(us) = us {
            set_time(row, us);
        }
        line.judge(row)?;
        Ok(Parsed::Events)
    }
}

/// Most blanks that are mended in a line: each costs a look at its rest.
const LOST_BLANKS_MAX: usize = 8;

struct Line<'a, 'r> {
    record: &'r Record<'a>,
    notes: [&'r [u8]; NOTES],
}

impl<'r> Line<'_, 'r> {
    fn read(&mut self, row: &mut Row<'_>) -> Result<(), Refusal> {
        let body = self.record.body;
        let (mut from, mut lost) = (0, 0);
        'text: loop {
            for pair in kv::pairs(&body[from..]) {
                let at = from + pair.value_offset();
                // the line was cut: in a text the beginning tells enough, of what a line is it does not
                if pair.unclosed && !pair.value.is_empty() {
                    if matches!(KEYS.get(pair.key), Some(What::Note(_))) {
                        let kind = RejectKind::Unclosed { what: "a quoted value" };
                        return Err(Refusal { at: at.saturating_sub(1), kind });
                    }
                    row.extra_fixed("truncated", pair.key);
                }
                let value = pair.value.trim_ascii();
                let Some(value) = present(value).filter(|_| !pair.key.is_empty()) else { continue };
                // `dst_port=0srczonetype="VPN"`: a blank was lost after a number
                if let Some(digits) = glued(pair.value, pair.quoted).filter(|_| lost < LOST_BLANKS_MAX) {
                    lost += 1;
                    self.pair(pair.key, &pair.value[..digits], at, row)?;
                    from = at + digits;
                    continue 'text;
                }
                self.pair(pair.key, value, at, row)?;
            }
            return Ok(());
        }
    }

    fn pair(&mut self, name: &'r [u8], value: &'r [u8], at: usize, row: &mut Row<'_>) -> Result<(), Refusal> {
        match KEYS.get(name) {
            Some(What::To(field)) if !row.has(field) => row.put(field, value).at(at)?,
            Some(What::Maybe(field)) if !row.has(field) && row.put_if(field, value) => {}
            Some(What::Note(note)) if self.note(note).is_empty() => self.notes[note as usize] = value,
            // `user_name` and `name` repeat one another
            Some(What::Note(note)) if self.note(note) == value => {}
            _ => row.extra(name, value),
        }
        Ok(())
    }

    fn note(&self, note: Noted) -> &'r [u8] {
        self.notes[note as usize]
    }

    fn judge(&self, row: &mut Row<'_>) -> Result<(), Refusal> {
        if !self.note(Noted::Subsystem).is_empty() && !self.note(Noted::Id).is_empty() {
            utm::judge(self, row);
            return Ok(());
        }
        let (kind, component) = (self.note(Noted::Type), self.note(Noted::Component));
        if kind.is_empty() || self.note(Noted::LogId).is_empty() {
            return Err(self.record.not_this_family("`log_type=` and `log_id=`, or UTM's `id=` and `sub=`"));
        }
        let log_id = self.note(Noted::LogId);
        row.text(key::EVENT_CODE, &log_id[log_id.len().saturating_sub(5)..]);
        row.extra_fixed("log_id", log_id);
        row.extra_fixed("log_component", component);
        row.text(key::EVENT_ACTION, self.note(Noted::Subtype));
        row.extra_fixed("status", self.note(Noted::Status));
        self.set_host(row);
        self.set_time(row)?;
        self.set_transport(row);
        self.set_translation(row);
        if let Some(seconds) = decimal(self.note(Noted::Duration)) {
            row.set(key::DURATION, seconds.min(u64::from(u32::MAX)) * 1_000_000);
        }
        // of health lines it is a share of the processor
        let user = self.note(Noted::User);
        if row.has(Field::User) || kind == b"System Health" {
            row.extra_fixed("user", user);
        } else {
            row.text(key::USER, user);
        }
        match kind {
            b"Firewall" => self.firewall(row),
            b"IDP" | b"ATP" => self.attack(row),
            b"Anti-Virus" | b"Sandbox" => self.threat(row),
            b"Anti-Spam" => self.mail(row),
            b"Content Filtering" => self.web(row),
            b"WAF" => waf(row),
            b"Event" => self.event(row),
            _ => {
                row.log_source(&EVENT);
                row.set(key::KIND, EventKind::Other);
            }
        }
        Ok(())
    }

    fn set_host(&self, row: &mut Row<'_>) {
        if !row.has(Field::Host) {
            row.text(key::HOST, self.note(Noted::Device));
        } else {
            row.extra_fixed("device_name", self.note(Noted::Device));
        }
    }

    fn set_time(&self, row: &mut Row<'_>) -> Result<(), Refusal> {
        let (date, clock) = (self.note(Noted::Date), self.note(Noted::Time));
        let stamp = self.note(Noted::Timestamp);
        let us = if date.is_empty() {
            match stamp {
                b"" => return Ok(()),
                stamp => self.record.time.any(stamp),
            }
        } else {
            let mut text = [b' '; 32];
            let total = date.len() + 1 + clock.len();
            if total > text.len() {
                None
            } else {
                text[..date.len()].copy_from_slice(date);
                text[date.len() + 1..total].copy_from_slice(clock);
                let zone = self.note(Noted::Zone);
                time::iso(&text[..total]).filter(|(_, length)| *length == total).and_then(|(mut stamp, _)| {
                    stamp.offset = stamp.offset.or_else(|| self.record.time.sure_zone(&stamp, zone));
                    if stamp.offset.is_none() {
                        row.extra_fixed("timezone", zone);
                    }
                    self.record.time.resolve(&stamp)
                })
            }
        };
        let Some(us) = us else {
            let part = if date.is_empty() { stamp } else { date };
            return Err(self
                .record
                .refuse(part, RejectKind::bad_value("date and time", part, "YYYY-MM-DD and hh:mm:ss")));
        };
        set_time(row, us);
        Ok(())
    }

    fn set_transport(&self, row: &mut Row<'_>) {
        let text = self.note(Noted::Protocol);
        match Transport::parse(text) {
            // `protocol="0"` of a fragment: not known
            Some(Transport(0)) | None => row.extra_fixed("protocol", text),
            Some(transport) => row.set(key::TRANSPORT, transport),
        }
    }

    /// Ends after translation: empty, or port 0, where there is none.
    fn set_translation(&self, row: &mut Row<'_>) {
        let some = |port: &u16| *port != 0;
        row.set_opt(key::NAT_SRC_IP, Ip::parse(self.note(Noted::NatSrc)));
        row.set_opt(key::NAT_SRC_PORT, schemas::parse_port(self.note(Noted::NatSrcPort)).filter(some));
        row.set_opt(key::NAT_DST_IP, Ip::parse(self.note(Noted::NatDst)));
        row.set_opt(key::NAT_DST_PORT, schemas::parse_port(self.note(Noted::NatDstPort)).filter(some));
    }

    fn verdict(&self) -> Option<Action> {
        match self.note(Noted::Subtype) {
            b"Allowed" | b"Warned" | b"Clean" => Some(Action::Allow),
            b"Denied" => Some(Action::Deny),
            b"Drop" => Some(Action::Drop),
            b"Detect" | b"Alert" => Some(Action::Alert),
            _ => match self.note(Noted::Status) {
                b"Allow" => Some(Action::Allow),
                b"Deny" => Some(Action::Deny),
                _ => None,
            },
        }
    }

    /// Sessions and packets. A refusal by a rule shows that the port is filtered; what belonged to no session
    /// (`Invalid Traffic`), fragments and ICMP errors show nothing.
    fn firewall(&self, row: &mut Row<'_>) {
        let component = self.note(Noted::Component);
        let attack = matches!(component, b"DoS Attack" | b"IP Spoof");
        row.log_source(&FIREWALL);
        row.set(key::KIND, if attack { EventKind::Alert } else { EventKind::Flow });
        if attack {
            row.text(key::SIGNATURE, component);
        }
        let event = self.note(Noted::ConnectionEvent);
        row.text(key::CONN_STATE, event);
        let verdict = self.verdict();
        let action = match (verdict, event) {
            (Some(Action::Allow), b"Start") => Some(Action::Start),
            (Some(Action::Allow), b"Stop") => Some(Action::Close),
            (verdict, _) => verdict,
        };
        row.set_opt(key::ACTION, action);
        let by_rule =
            matches!(component, b"Firewall Rule" | b"Appliance Access" | b"Heartbeat" | b"SSL VPN" | b"IPSec");
        if by_rule {
            row.set(key::INITIATOR, Initiator::Source);
        }
        let transport = row.get(key::TRANSPORT);
        let has_ports = matches!(transport, Some(Transport::TCP | Transport::UDP));
        let state = match action {
            Some(Action::Deny) if by_rule && has_ports => Some(PortState::Filtered),
            Some(Action::Close) => {
                let (packets, bytes) = (row.get(key::PACKETS_IN), row.get(key::BYTES_IN));
                match (packets, bytes) {
                    (Some(0), Some(0)) if transport == Some(Transport::TCP) => Some(PortState::Filtered),
                    // more than bare answers: resets and handshakes have no payload
                    (Some(packets), Some(bytes)) if packets > 0 && has_ports && bytes > packets.saturating_mul(60) => {
                        Some(PortState::Open)
                    }
                    _ => None,
                }
            }
            _ => None,
        };
        row.set_opt(key::PORT_STATE, state);
        if let (Some(Action::Close), Some(end), Some(us)) = (action, row.get(key::TIME), row.get(key::DURATION)) {
            row.set(key::START, end - us as i64);
        }
    }

    fn attack(&self, row: &mut Row<'_>) {
        row.log_source(&IDP);
        row.set(key::KIND, EventKind::Alert);
        row.set_opt(key::ACTION, self.verdict());
        self.leave_files(row);
    }

    fn threat(&self, row: &mut Row<'_>) {
        row.log_source(&THREAT);
        let harmless = matches!(self.note(Noted::Subtype), b"Allowed" | b"Clean" | b"Pending");
        row.set(key::KIND, if harmless { EventKind::Other } else { EventKind::Alert });
        row.set_opt(key::ACTION, self.verdict());
        let from = self.note(Noted::Source);
        if self.note(Noted::Type) == b"Sandbox" && self.note(Noted::Component) == b"Web" {
            // whence the file was fetched
            match Ip::parse(from) {
                Some(ip) => row.set(key::DST_IP, ip),
                None => row.text(key::DST_HOST, from),
            }
            row.extra_fixed("destination", self.note(Noted::Destination));
        } else {
            self.leave_files(row);
        }
    }

    fn leave_files(&self, row: &mut Row<'_>) {
        row.extra_fixed("source", self.note(Noted::Source));
        row.extra_fixed("destination", self.note(Noted::Destination));
    }

    /// Mail that passed or was stopped; spam is a finding.
    fn mail(&self, row: &mut Row<'_>) {
        row.log_source(&MAIL);
        let harmless = matches!(self.note(Noted::Subtype), b"Allowed" | b"Clean" | b"SPX");
        row.set(key::KIND, if harmless { EventKind::Flow } else { EventKind::Alert });
        if !harmless {
            row.text(key::SIGNATURE, self.note(Noted::Subtype));
        }
        let done = self.note(Noted::SpamAction);
        row.extra_fixed("spamaction", done);
        let action = match done {
            _ if done.eq_ignore_ascii_case(b"DROP") => Some(Action::Drop),
            _ if done.eq_ignore_ascii_case(b"REJECT") || done.eq_ignore_ascii_case(b"TMPREJECT") => Some(Action::Deny),
            b"Accept" | b"QUEUED" | b"WARN" | b"Prefix Subject" => Some(Action::Allow),
            _ => None,
        };
        row.set_opt(key::ACTION, action);
    }

    fn web(&self, row: &mut Row<'_>) {
        row.log_source(&WEB);
        row.set(key::KIND, EventKind::Flow);
        row.set(key::INITIATOR, Initiator::Source);
        row.set_opt(key::ACTION, self.verdict());
        self.leave_files(row);
    }

    /// The device's own life: logins, administration, tunnels.
    fn event(&self, row: &mut Row<'_>) {
        let message = row.get_text(key::MESSAGE).unwrap_or_default();
        let leaves = contains(message, b"logged out") || contains(message, b"logged off");
        let logs_in = contains(message, b"login") || contains(message, b"logged in");
        let of_login =
            self.note(Noted::Subtype) == b"Authentication" || self.note(Noted::Subtype) == b"Admin" && logs_in;
        if !of_login {
            row.log_source(&EVENT);
            row.set(key::KIND, EventKind::Other);
            return;
        }
        row.log_source(&LOGIN);
        row.set(key::KIND, EventKind::Auth);
        let outcome = match self.note(Noted::Status) {
            b"Successful" | b"Success" => Some(Outcome::Success),
            b"Failed" => Some(Outcome::Failure),
            _ if leaves => None,
            _ => Some(Outcome::Unknown),
        };
        row.set_opt(key::OUTCOME, outcome);
        if leaves {
            row.set(key::ACTION, Action::End);
        }
    }
}

/// A request to a web server behind the firewall.
fn waf(row: &mut Row<'_>) {
    row.log_source(&WAF);
    row.set(key::KIND, EventKind::Flow);
    row.set(key::INITIATOR, Initiator::Source);
    // it refuses with 403 and says why
    let refused = row.get(key::HTTP_STATUS) == Some(403) && row.has(Field::Reason);
    row.set(key::ACTION, if refused { Action::Deny } else { Action::Allow });
}

/// How many digits stand before another `key=` in an unquoted value.
fn glued(value: &[u8], quoted: bool) -> Option<usize> {
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_glued = !quoted
        && digits > 0
        && value.get(digits).is_some_and(u8::is_ascii_lowercase)
        && value[digits..]
            .iter()
            .take(40)
            .position(|byte| !byte.is_ascii_lowercase() && *byte != b'_')
            .is_some_and(|length| value[digits + length] == b'=');
    is_glued.then_some(digits)
}
