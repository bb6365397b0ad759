//! F5 BIG-IP: the network firewall (AFM), the application firewall (ASM), access policies (APM), and the traffic manager's own
//! messages (LTM, `01070638:5: Pool … monitor status down`).
//!
//! AFM and ASM write the same keys in three forms: `key="value",key="value"`, structured data `[F5@12276 …]`, and CEF, where a
//! custom field's label is the key. All go through one table. The other messages begin with eight hexadecimal digits and a
//! level; the digits name the sentence behind them ([`messages`]). `Established` and `Closed` with one `flow_id` are one session.
//!
//! Source: F5, "External Monitoring of BIG-IP Systems: Implementations"; "BIG-IP Log Messages".

mod messages;

use schemas::{
    Action, EventKind, Field, Initiator, Ip, LogSource, Outcome, PortState, RejectKind, Row, Transport, key,
};

use crate::lex::keys::KeyMap;
use crate::lex::text::{contains, decimal, present, rsplit_once};
use crate::lex::{cef, kv, syslog, time};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, set_time};

/// The family.
pub struct Family;

static FIREWALL: LogSource = source("AFM", "f5.afm", &["firewall"], &["afm"]);
static WEB: LogSource = source("ASM", "f5.asm", &["waf"], &["asm"]);
static DNS: LogSource = source("BIG-IP", "f5.dns", &["dns"], &["dns"]);
static ACCESS: LogSource = source("APM", "f5.apm", &["firewall"], &["apm"]);
static LOGIN: LogSource = source("APM", "f5.auth", &["authentication"], &["apm"]);
static REST: LogSource = source("LTM", "f5.ltm", &[], &["ltm"]);

const fn source(
    product: &'static str,
    dataset: &'static str,
    categories: &'static [&'static str],
    services: &'static [&'static str],
) -> LogSource {
    LogSource { family: "f5", vendor: "F5", product, dataset, categories, products: &["f5", "bigip"], services }
}

/// What a key is for.
#[derive(Clone, Copy)]
enum What {
    To(Field),
    /// A column that only some values fit; anything else becomes an extra.
    Maybe(Field),
    /// A port or counter; 0 is none.
    NotZero(Field),
    Note(Noted),
}

#[derive(Clone, Copy)]
#[repr(usize)]
enum Noted {
    Time,
    Action,
    Request,
    Protocol,
    Attack,
    Violations,
    Country,
    Count,
}

const NOTES: usize = Noted::Count as usize;

static KEYS: KeyMap<What, 128> = KeyMap::new(&[
    ("source_ip", What::To(Field::SrcIp)),
    ("source_address", What::To(Field::SrcIp)),
    ("ip_client", What::To(Field::SrcIp)),
    ("dest_ip", What::To(Field::DstIp)),
    ("destination_address", What::To(Field::DstIp)),
    ("source_port", What::NotZero(Field::SrcPort)),
    ("src_port", What::NotZero(Field::SrcPort)),
    ("dest_port", What::NotZero(Field::DstPort)),
    ("ip_protocol", What::Note(Noted::Protocol)),
    ("protocol", What::Note(Noted::Protocol)),
    ("translated_source_ip", What::Maybe(Field::NatSrcIp)),
    ("translated_source_port", What::NotZero(Field::NatSrcPort)),
    ("translated_dest_ip", What::Maybe(Field::NatDstIp)),
    ("translated_dest_port", What::NotZero(Field::NatDstPort)),
    ("hostname", What::To(Field::Host)),
    ("unit_hostname", What::To(Field::Host)),
    ("bigip_mgmt_ip", What::Maybe(Field::HostIp)),
    ("management_ip_address", What::Maybe(Field::HostIp)),
    ("device_address", What::Maybe(Field::HostIp)),
    ("date_time", What::Note(Noted::Time)),
    ("action", What::Note(Noted::Action)),
    ("request_status", What::Note(Noted::Request)),
    ("acl_rule_name", What::To(Field::RuleName)),
    ("policy_name", What::To(Field::RuleName)),
    ("drop_reason", What::To(Field::Reason)),
    ("vlan", What::To(Field::InInterface)),
    ("flow_id", What::To(Field::SessionId)),
    ("session_id", What::To(Field::SessionId)),
    ("errdefs_msgno", What::To(Field::EventCode)),
    ("attack_type", What::Note(Noted::Attack)),
    ("dos_attack_name", What::Note(Noted::Violations)),
    ("violations", What::Note(Noted::Violations)),
    ("sig_ids", What::To(Field::SignatureId)),
    ("method", What::To(Field::HttpMethod)),
    ("uri", What::To(Field::Url)),
    ("http_host", What::To(Field::HttpHost)),
    ("user_agent", What::To(Field::UserAgent)),
    ("response_code", What::NotZero(Field::HttpStatus)),
    ("username", What::To(Field::User)),
    ("source_user", What::To(Field::User)),
    ("severity", What::To(Field::Level)),
    ("geo_location", What::Note(Noted::Country)),
    ("source_geo", What::Note(Noted::Country)),
    ("query_name", What::To(Field::DnsQuery)),
    ("query_type", What::To(Field::DnsType)),
    ("violation_details", What::To(Field::Reason)),
]);

/// Names of CEF.
static CEF_KEYS: KeyMap<&str, 64> = KeyMap::new(&[
    ("src", "source_ip"),
    ("spt", "source_port"),
    ("dst", "dest_ip"),
    ("dpt", "dest_port"),
    ("proto", "ip_protocol"),
    ("dvchost", "unit_hostname"),
    ("dvc", "management_ip_address"),
    ("rt", "date_time"),
    ("act", "action"),
    ("requestMethod", "method"),
    ("request", "uri"),
    ("requestClientApplication", "user_agent"),
    ("app", "protocol"),
    ("suser", "username"),
    ("http_code", "response_code"),
    ("host", "http_host"),
    ("sourceTranslatedAddress", "translated_source_ip"),
    ("sourceTranslatedPort", "translated_source_port"),
    ("destinationTranslatedAddress", "translated_dest_ip"),
    ("destinationTranslatedPort", "translated_dest_port"),
]);

/// How a line carries its keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Structured,
    Pairs,
    Cef,
    Message,
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "f5"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["f5_bigip", "bigip", "f5_big_ip"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        form(record).map(|_| Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut line = Line { record, notes: [b""; NOTES], customs: cef::Customs::default() };
        match form(record) {
            Some(Form::Structured) => {
                for (_, name, value) in syslog::parameters(record.header.structured) {
                    line.pair(name, value, row)?;
                }
                if record.header.truncated {
                    let at = record.refuse(record.header.structured, RejectKind::Empty).at;
                    return Err(Refusal { at, kind: RejectKind::Unclosed { what: "structured data" } });
                }
                line.judge(row)?;
            }
            Some(Form::Pairs) => {
                line.pairs(row)?;
                line.judge(row)?;
            }
            Some(Form::Cef) => {
                line.cef(row)?;
                line.judge(row)?;
            }
            Some(Form::Message) => messages::message(record, row)?,
            None => return Err(record.not_this_family("BIG-IP's keys, `CEF:0|F5|`, or a message number")),
        }
        Ok(Parsed::Events)
    }
}

/// The pairs behind the tag that some send before them.
fn pairs_of(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"ASM:").unwrap_or(body).trim_ascii()
}

#[inline]
fn form(record: &Record<'_>) -> Option<Form> {
    if record.header.structured.starts_with(b"[F5@") {
        return Some(Form::Structured);
    }
    let body = record.body;
    match body.first()? {
        b'C' | b'P' => contains(&body[..body.len().min(24)], b"0|F5|").then_some(Form::Cef),
        b'0' if body.starts_with(b"0|F5|") => Some(Form::Cef),
        b'A' if body.starts_with(b"ASM:") => Some(Form::Pairs),
        b'a'..=b'z' => {
            let head = &body[..body.len().min(40)];
            let end = head.iter().position(|b| matches!(b, b'=' | b' ' | b':'))?;
            match head[end] {
                b'=' if head.get(end + 1) == Some(&b'"') => {
                    let near = &body[..body.len().min(700)];
                    let ours = KEYS.get(&head[..end]).is_some() || head.starts_with(b"acl_policy");
                    let marked =
                        || contains(near, b"\",bigip_mgmt_ip=\"") || contains(near, b"\",management_ip_address=\"");
                    (ours && (head.starts_with(b"unit_hostname=") || marked())).then_some(Form::Pairs)
                }
                // `notice tmm[1]: 01580002:5: …`
                _ => messages::split(record).map(|_| Form::Message),
            }
        }
        b'0'..=b'9' => messages::split(record).map(|_| Form::Message),
        _ => None,
    }
}

struct Line<'a, 'r> {
    record: &'r Record<'a>,
    notes: [&'r [u8]; NOTES],
    customs: cef::Customs<'r>,
}

impl<'a: 'r, 'r> Line<'a, 'r> {
    #[inline]
    fn note(&self, note: Noted) -> &'r [u8] {
        self.notes[note as usize]
    }

    fn pairs(&mut self, row: &mut Row<'_>) -> Result<(), Refusal> {
        for pair in kv::pairs(pairs_of(self.record.body)) {
            // the request comes last and is cut where the message is full
            if pair.unclosed && !matches!(pair.key, b"request" | b"response") {
                return Err(self.record.refuse(pair.value, RejectKind::Unclosed { what: "a quoted value" }));
            }
            if !pair.key.is_empty() {
                self.pair(pair.key, pair.value, row)?;
            }
        }
        Ok(())
    }

    fn cef(&mut self, row: &mut Row<'_>) -> Result<(), Refusal> {
        let body = self.record.body;
        let not_ours = || self.record.not_this_family("`CEF:0|F5|…` with seven header fields");
        // `CEF:CEF:0|` and `PSM:CEF:0|` occur
        let start = memchr::memmem::find(&body[..body.len().min(24)], b"0|F5|").ok_or_else(not_ours)?;
        let (fields, extension) = cef::header(&body[start..]).ok_or_else(not_ours)?;
        row.text(key::EVENT_CODE, fields[4]);
        row.text(key::EVENT_ACTION, fields[5]);
        row.extra_fixed("module", fields[2]);
        for pair in cef::pairs(extension) {
            if self.customs.take(&pair) {
                continue;
            }
            let name = CEF_KEYS.get(pair.key).map_or(pair.key, str::as_bytes);
            self.pair(name, pair.value, row)?;
        }
        for (label, value) in self.customs.labelled() {
            self.pair(label, value, row)?;
        }
        Ok(())
    }

    #[inline]
    fn pair(&mut self, name: &'r [u8], value: &'r [u8], row: &mut Row<'_>) -> Result<(), Refusal> {
        let Some(value) = present(value.trim_ascii()).filter(|value| *value != b"N/A") else { return Ok(()) };
        match KEYS.get(name) {
            Some(What::To(field)) if row.has(field) && field != Field::Host => row.extra(name, value),
            Some(What::To(field)) => return row.put(field, value).map_err(|kind| self.record.refuse(value, kind)),
            Some(What::NotZero(_)) if value == b"0" => {}
            Some(What::NotZero(field)) => {
                return row.put(field, value).map_err(|kind| self.record.refuse(value, kind));
            }
            Some(What::Maybe(_)) if matches!(value, b"0.0.0.0" | b"::") => {}
            Some(What::Maybe(field)) => {
                if row.put(field, value).is_err() {
                    row.extra(name, value);
                }
            }
            Some(What::Note(note)) if self.note(note).is_empty() => self.notes[note as usize] = value,
            Some(What::Note(_)) | None => row.extra(name, value),
        }
        Ok(())
    }

    /// What the keys mean together.
    fn judge(&self, row: &mut Row<'_>) -> Result<(), Refusal> {
        if !row.has(Field::SrcIp) && !row.has(Field::DstIp) {
            return Err(Refusal { at: 0, kind: RejectKind::Missing { what: "source and destination" } });
        }
        let stamp = self.note(Noted::Time);
        if let Some(us) = self.record.time.any(stamp).or_else(|| time::epoch(stamp)) {
            set_time(row, us);
        }
        match Transport::parse(self.note(Noted::Protocol)) {
            Some(transport) => row.set(key::TRANSPORT, transport),
            None => row.text(key::APP_PROTO, self.note(Noted::Protocol)),
        }
        let country = self.note(Noted::Country);
        if country.len() == 2 {
            row.text(key::SRC_COUNTRY, country);
        } else {
            row.extra_fixed("geo_location", country);
        }
        row.set(key::INITIATOR, Initiator::Source);
        let request = self.note(Noted::Request);
        let action = self.note(Noted::Action);
        let web = if request.is_empty() { action } else { request };
        if matches!(web, b"blocked" | b"alerted" | b"passed") {
            self.web(web, row);
            return Ok(());
        }
        row.text(key::EVENT_ACTION, action);
        row.set_opt(key::ACTION, verdict(action));
        if row.has(Field::DnsQuery) {
            row.log_source(&DNS);
            row.set(key::KIND, EventKind::Dns);
            return Ok(());
        }
        row.log_source(if row.has(Field::HttpMethod) { &WEB } else { &FIREWALL });
        let attack = self.note(Noted::Violations);
        let is_attack = !attack.is_empty() || self.customs.labelled().any(|(label, _)| label == b"attack_id");
        if is_attack {
            row.set(key::KIND, EventKind::Alert);
            if attack.is_empty() {
                name_by_code(row);
            }
            row.text(key::SIGNATURE, attack);
            row.text(key::SIGNATURE_CLASS, self.note(Noted::Attack));
            return Ok(());
        }
        row.extra_fixed("attack_type", self.note(Noted::Attack));
        row.set(key::KIND, EventKind::Flow);
        let transport = row.get(key::TRANSPORT);
        let stopped = matches!(row.get(key::ACTION), Some(Action::Drop | Action::Reset));
        if stopped && row.has(Field::DstPort) && matches!(transport, Some(Transport::TCP | Transport::UDP)) {
            row.set(key::PORT_STATE, PortState::Filtered);
        }
        Ok(())
    }

    /// A request: the client has spoken to the virtual server, whatever became of it.
    fn web(&self, status: &'r [u8], row: &mut Row<'_>) {
        row.log_source(&WEB);
        let (kind, action) = match status {
            b"blocked" => (EventKind::Alert, Action::Deny),
            b"alerted" => (EventKind::Alert, Action::Alert),
            _ => (EventKind::Flow, Action::Allow),
        };
        row.set(key::KIND, kind);
        row.set(key::ACTION, action);
        row.text(key::EVENT_ACTION, status);
        row.text(key::SIGNATURE_CLASS, self.note(Noted::Attack));
        let violations = self.note(Noted::Violations);
        if violations.is_empty() && kind == EventKind::Alert {
            name_by_code(row);
        } else {
            row.text(key::SIGNATURE, violations);
        }
        if row.has(Field::DstPort) {
            row.set(key::PORT_STATE, PortState::Open);
        }
    }
}

/// In CEF the signature's place has what was seen.
fn name_by_code(row: &mut Row<'_>) {
    let code = row.get(key::EVENT_CODE);
    row.set_opt(key::SIGNATURE, code);
}

fn verdict(word: &[u8]) -> Option<Action> {
    Some(match word {
        b"Accept" | b"Accept decisively" | b"accept" | b"accept-decisively" | b"Allow" => Action::Allow,
        b"Drop" | b"drop" | b"Packet Dropped" => Action::Drop,
        b"Reject" | b"reject" => Action::Reset,
        b"Established" => Action::Start,
        b"Closed" => Action::Close,
        b"" | b"None" => return None,
        _ => Action::Alert,
    })
}

/// The account after a domain and a backslash.
fn account(name: &[u8]) -> (&[u8], &[u8]) {
    match rsplit_once(name, b'\\') {
        Some((domain, user)) if !user.is_empty() => (domain.strip_suffix(b"\\").unwrap_or(domain), user),
        _ => (b"", name),
    }
}

fn login(row: &mut Row<'_>, outcome: Outcome) {
    row.log_source(&LOGIN);
    row.set(key::KIND, EventKind::Auth);
    row.set(key::OUTCOME, outcome);
}

/// A number of the sentence, if it is one.
fn number(text: &[u8]) -> Option<u64> {
    decimal(text.split(|b| !b.is_ascii_digit()).next()?)
}

/// An address of the sentence, if it is one.
fn address(text: &[u8]) -> Option<Ip> {
    Ip::parse(text.split(|b| matches!(b, b' ' | b',' | b')')).next()?)
}
