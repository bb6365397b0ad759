//! Palo Alto Networks PAN-OS: comma-separated logs whose positions depend on the type, and the JSON export of the same.
//!
//! ```text
//! 1,2026/01/05 10:00:31,012345678901,TRAFFIC,end,2304,2026/01/05 10:00:31,10.1.1.5,198.51.100.20,…
//! {"LogType":"TRAFFIC","SubType":"end","SourceAddress":"10.1.1.5",…}
//! ```
//! Positions never move between versions: columns are only added at the end, so what is not there is an older version.
//! Both forms fill the same slots (`layout`), and the meaning of a slot is written once, here. The main addresses are
//! those before translation; source is always who began the session, also in a threat that the server sent.

mod keys;
mod layout;
mod text;

use schemas::{Action, EventKind, Initiator, Ip, LogSource, Outcome, PortState, RejectKind, Row, Transport, key};

use self::layout::{Line, Slot, Type};
use crate::lex::text::{contains, decimal, present, rsplit_once};
use crate::lex::time;
use crate::transport::{Shape, set_time};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

static TRAFFIC: LogSource = source("panw.traffic", &["firewall"], &["traffic"]);
static THREAT: LogSource = source("panw.threat", &["ids"], &["threat"]);
static URL: LogSource = source("panw.url", &["proxy"], &["threat", "url"]);
static SYSTEM: LogSource = source("panw.system", &[], &["system"]);
static LOGIN: LogSource = source("panw.auth", &["authentication"], &["system", "auth"]);
static GLOBALPROTECT: LogSource = source("panw.globalprotect", &["authentication"], &["globalprotect"]);
static DNS: LogSource = source("panw.dns", &["dns"], &["dns"]);
static CONFIG: LogSource = source("panw.config", &[], &["config"]);
static TUNNEL: LogSource = source("panw.tunnel", &["firewall"], &["tunnel"]);
static CORRELATION: LogSource = source("panw.correlation", &["ids"], &["correlation"]);
static REST: LogSource = source("panw.other", &[], &[]);

const fn source(
    dataset: &'static str,
    categories: &'static [&'static str],
    services: &'static [&'static str],
) -> LogSource {
    LogSource {
        family: "panw",
        vendor: "Palo Alto Networks",
        product: "PAN-OS",
        dataset,
        categories,
        products: &["paloalto", "panw", "panos"],
        services,
    }
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "panw"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["panos", "pan_os", "paloalto"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Both
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        match record.shape {
            Shape::Text => {
                let known = layout::type_of_csv(record.body).is_some() || keys::is_named(record.body);
                known.then_some(Confidence::Certain)
            }
            // none of the keys that detection knows is one of this export's
            Shape::Object if record.keys == crate::detect::Keys::NONE => {
                let known = contains(record.body, b"\"LogType\"")
                    && [&b"\"TimeGenerated\""[..], b"\"LogSourceID\"", b"\"TimeReceived\""]
                        .iter()
                        .any(|mark| contains(record.body, mark));
                known.then_some(Confidence::Certain)
            }
            Shape::Object => None,
        }
    }

    #[inline]
    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let line = match record.shape {
            Shape::Text if keys::is_named(record.body) => keys::read(record)?,
            Shape::Text => Line::of_csv(record)?,
            Shape::Object => keys::read_json(record, row)?,
        };
        common(&line, record, row);
        match line.kind {
            Type::Traffic => {
                ends(&line, record, row)?;
                traffic(&line, record, row);
            }
            Type::Threat => {
                ends(&line, record, row)?;
                threat(&line, row);
            }
            Type::Decryption => {
                ends(&line, record, row)?;
                row.log_source(&REST);
                row.set(key::KIND, EventKind::Flow);
                row.set_opt(key::ACTION, action(line.get(Slot::Action)));
                line.text(row, key::TLS_VERSION, Slot::TlsVersion);
                line.text(row, key::TLS_SNI, Slot::TlsName);
                line.text(row, key::REASON, Slot::Error);
            }
            Type::System => system(&line, row),
            Type::GlobalProtect => globalprotect(&line, row),
            Type::Authentication => authentication(&line, row),
            Type::UserId => mapping(&line, row),
            Type::Config => config(&line, row),
            Type::Dns => dns(&line, row),
            Type::Tunnel => {
                ends(&line, record, row)?;
                traffic(&line, record, row);
                row.log_source(&TUNNEL);
            }
            Type::Gtp | Type::Sctp => {
                ends(&line, record, row)?;
                row.log_source(&REST);
                row.set(key::KIND, EventKind::Flow);
                row.set_opt(key::ACTION, action(line.get(Slot::Action)));
                line.text(row, key::EVENT_CODE, Slot::EventId);
            }
            Type::Correlation => {
                row.log_source(&CORRELATION);
                row.set(key::KIND, EventKind::Alert);
                row.set(key::ACTION, Action::Alert);
                row.set_opt(key::SRC_IP, address(line.get(Slot::Source)));
                line.text(row, key::SIGNATURE, Slot::Object);
                line.text(row, key::SIGNATURE_ID, Slot::Threat);
                line.text(row, key::SIGNATURE_CLASS, Slot::Category);
                line.text(row, key::LEVEL, Slot::Severity);
            }
            Type::HipMatch | Type::IpTag | Type::Other => {
                row.log_source(&REST);
                row.set(key::KIND, EventKind::Other);
                row.set_opt(key::SRC_IP, address(line.get(Slot::Source)));
                row.set_opt(key::DST_IP, address(line.get(Slot::Destination)));
                line.text(row, key::SRC_HOST, Slot::Machine);
                line.text(row, key::EVENT_CODE, Slot::EventId);
            }
        }
        leftovers(&line, row);
        Ok(Parsed::Events)
    }
}

/// Time, device, user: alike in every type.
#[inline]
fn common(line: &Line<'_>, record: &Record<'_>, row: &mut Row<'_>) {
    let us = [Slot::HighRes, Slot::Generated, Slot::Received]
        .into_iter()
        .filter_map(|slot| present(line.get(slot)))
        .find_map(|text| local(line, record, text));
    if let Some(us) = us {
        set_time(row, us);
    }
    if line.has(Slot::Device) {
        line.text(row, key::HOST, Slot::Device);
    }
    line.text(row, key::EVENT_ACTION, Slot::Action);
    line.with(Slot::User, |name| {
        // what a proxy wrote there is no name
        if name.starts_with(b"x-fwd-for:") {
            row.extra_fixed("x_forwarded_for", name[10..].trim_ascii());
            return;
        }
        set_user(row, name);
    });
}

/// A time of the log. Those without a zone are in the device's, which the high-resolution time states.
fn local(line: &Line<'_>, record: &Record<'_>, text: &[u8]) -> Option<i64> {
    match time::iso(text) {
        Some((stamp, length)) if stamp.offset.is_none() && length == text.len() => {
            let zoned = time::iso(line.get(Slot::HighRes)).and_then(|(zoned, _)| zoned.offset);
            record.time.resolve(&time::Stamp { offset: zoned, ..stamp })
        }
        _ => record.time.any(text),
    }
}

/// `DOMAIN\NAME`, in some exports with the backslash doubled, or a name alone.
fn set_user(row: &mut Row<'_>, name: &[u8]) {
    match rsplit_once(name, b'\\') {
        Some((domain, name)) => {
            row.text(key::USER, name);
            row.text(key::USER_DOMAIN, domain.strip_suffix(b"\\").unwrap_or(domain));
        }
        None => row.text(key::USER, name),
    }
}

/// The two ends of a session, before and after translation.
#[inline]
fn ends(line: &Line<'_>, record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Refusal> {
    for (slot, ip, host) in
        [(Slot::Source, key::SRC_IP, key::SRC_HOST), (Slot::Destination, key::DST_IP, key::DST_HOST)]
    {
        let text = line.get(slot);
        match Ip::parse(text) {
            Some(address) => row.set(ip, address),
            None => line.text(row, host, slot),
        }
    }
    for (slot, port) in [
        (Slot::SourcePort, key::SRC_PORT),
        (Slot::DestinationPort, key::DST_PORT),
        (Slot::NatSourcePort, key::NAT_SRC_PORT),
        (Slot::NatDestinationPort, key::NAT_DST_PORT),
    ] {
        let text = line.get(slot);
        match schemas::parse_port(text) {
            Some(0) if matches!(slot, Slot::NatSourcePort | Slot::NatDestinationPort) => {}
            Some(number) => row.set(port, number),
            None if present(text).is_none() => {}
            None => {
                let kind = RejectKind::bad_value(slot.name(), text, "digits 0..=65535");
                return Err(record.refuse(text, kind));
            }
        }
    }
    row.set_opt(key::NAT_SRC_IP, address(line.get(Slot::NatSource)));
    row.set_opt(key::NAT_DST_IP, address(line.get(Slot::NatDestination)));
    row.set_opt(key::TRANSPORT, Transport::parse(line.get(Slot::Protocol)));
    for (slot, to) in [
        (Slot::Rule, key::RULE_NAME),
        (Slot::RuleId, key::RULE_ID),
        (Slot::SourceZone, key::SRC_ZONE),
        (Slot::DestinationZone, key::DST_ZONE),
        (Slot::InInterface, key::IN_INTERFACE),
        (Slot::OutInterface, key::OUT_INTERFACE),
        (Slot::Session, key::SESSION_ID),
    ] {
        line.text(row, to, slot);
    }
    row.set_opt(key::REPEAT, decimal(line.get(Slot::Repeat)).filter(|count| *count > 1));
    for (slot, to) in [
        (Slot::SourceHost, key::SRC_HOST),
        (Slot::SourceMac, key::SRC_MAC),
        (Slot::DestinationHost, key::DST_HOST),
        (Slot::DestinationMac, key::DST_MAC),
    ] {
        line.text(row, to, slot);
    }
    let app = line.get(Slot::Application);
    match app {
        // what App-ID says of a session in which it saw nothing to tell
        b"incomplete" | b"insufficient-data" | b"not-applicable" | b"unknown-tcp" | b"unknown-udp" | b"unknown-p2p"
        | b"non-syn-tcp" => row.extra_fixed("application", app),
        _ => line.text(row, key::APP_PROTO, Slot::Application),
    }
    if app != b"non-syn-tcp" {
        row.set(key::INITIATOR, Initiator::Source);
    }
    Ok(())
}

fn traffic(line: &Line<'_>, record: &Record<'_>, row: &mut Row<'_>) {
    row.log_source(&TRAFFIC);
    row.set(key::KIND, EventKind::Flow);
    for (sent, received, sum, out, back, total) in [
        (Slot::BytesSent, Slot::BytesReceived, Slot::Bytes, key::BYTES_OUT, key::BYTES_IN, key::BYTES_TOTAL),
        (
            Slot::PacketsSent,
            Slot::PacketsReceived,
            Slot::Packets,
            key::PACKETS_OUT,
            key::PACKETS_IN,
            key::PACKETS_TOTAL,
        ),
    ] {
        match (schemas::parse_u64(line.get(sent)), schemas::parse_u64(line.get(received))) {
            (Some(sent), Some(received)) => {
                row.set(out, sent);
                row.set(back, received);
                // a sum of the firewall's own that is another
                let told = schemas::parse_u64(line.get(sum));
                row.set_opt(total, told.filter(|sum| *sum != sent.saturating_add(received)));
            }
            // old versions have the sum only
            (None, _) | (_, None) => row.set_opt(total, schemas::parse_u64(line.get(sum))),
        }
    }
    let elapsed = decimal(line.get(Slot::Elapsed)).map(|seconds| seconds.min(u64::from(u32::MAX)) * 1_000_000);
    row.set_opt(key::DURATION, elapsed);
    if let Some(start) = present(line.get(Slot::Start)).and_then(|text| local(line, record, text)) {
        row.set(key::START, start);
        let ended = line.get(Slot::Subtype) != b"start";
        row.set_opt(key::END, elapsed.filter(|_| ended).map(|us| start + us as i64));
    }
    let reason = line.get(Slot::EndReason);
    if reason != b"n/a" && reason != b"n-a" {
        row.text(key::REASON, reason);
        row.text(key::CONN_STATE, reason);
    }
    let verdict = match (line.get(Slot::Subtype), line.get(Slot::Action), reason) {
        // let through by the rule, stopped later
        (_, b"allow", b"policy-deny" | b"threat") => {
            row.extra_fixed("policy_action", b"allow");
            Some(Action::Deny)
        }
        (b"start", b"allow", _) => Some(Action::Start),
        (_, word, _) => action(word),
    };
    row.set_opt(key::ACTION, verdict);
    row.set_opt(key::PORT_STATE, port_state(line, row));
}

fn threat(line: &Line<'_>, row: &mut Row<'_>) {
    let url = line.get(Slot::Subtype) == b"url";
    row.log_source(if url { &URL } else { &THREAT });
    row.set(key::KIND, EventKind::Alert);
    row.set_opt(key::ACTION, action(line.get(Slot::Action)));
    line.with(Slot::Threat, |threat| {
        // `Name(12345)`; a URL log has only `(9999)`
        let (name, id) = match threat.strip_suffix(b")").and_then(|rest| rsplit_once(rest, b'(')) {
            Some((name, id)) if decimal(id).is_some() => (name.trim_ascii(), id),
            _ => (threat, &b""[..]),
        };
        row.text(key::SIGNATURE, name);
        row.text(key::SIGNATURE_ID, id);
        row.text(key::EVENT_CODE, id);
    });
    let class = if line.has(Slot::ThreatCategory) && !url { Slot::ThreatCategory } else { Slot::Category };
    line.text(row, key::SIGNATURE_CLASS, class);
    line.text(row, key::LEVEL, Slot::Severity);
    line.text(row, key::URL, Slot::Url);
    line.with(Slot::Url, |text| {
        let host = text.split(|byte| matches!(byte, b'/' | b':' | b'?')).next().unwrap_or_default();
        if url && host.contains(&b'.') {
            row.text(key::HTTP_HOST, host);
        }
    });
    line.text(row, key::USER_AGENT, Slot::UserAgent);
    if line.get(Slot::Method) != b"unknown" {
        line.text(row, key::HTTP_METHOD, Slot::Method);
    }
}

/// The device's own life; logins are told in prose.
fn system(line: &Line<'_>, row: &mut Row<'_>) {
    line.text(row, key::EVENT_CODE, Slot::EventId);
    line.text(row, key::LEVEL, Slot::Severity);
    line.text(row, key::MESSAGE, Slot::Description);
    let told = line.with_value(Slot::Description, |prose| {
        let told = text::read(prose);
        set_user(row, told.user);
        row.text(key::REASON, told.reason);
        match Ip::parse(told.from) {
            Some(ip) => row.set(key::SRC_IP, ip),
            None => row.text(key::SRC_HOST, present(told.from).unwrap_or_default()),
        }
        match Ip::parse(told.to) {
            Some(ip) => row.set(key::DST_IP, ip),
            None => row.text(key::DST_HOST, told.to),
        }
        row.set_opt(key::DST_PORT, schemas::parse_port(told.port));
        row.text(key::AUTH_METHOD, told.method);
        row.extra_fixed("server_address", told.server);
        told.outcome
    });
    match told.flatten() {
        Some(outcome) => {
            row.log_source(&LOGIN);
            row.set(key::KIND, EventKind::Auth);
            row.set(key::OUTCOME, outcome);
        }
        None => {
            row.log_source(&SYSTEM);
            row.set(key::KIND, EventKind::Other);
        }
    }
}

/// Remote access. The public address is who came; the private one is what he got.
fn globalprotect(line: &Line<'_>, row: &mut Row<'_>) {
    row.log_source(&GLOBALPROTECT);
    let public = address(line.get(Slot::PublicIp)).or_else(|| address(line.get(Slot::PublicIp6)));
    row.set_opt(key::SRC_IP, public);
    let private = address(line.get(Slot::PrivateIp)).or_else(|| address(line.get(Slot::PrivateIp6)));
    row.set_opt(key::NAT_SRC_IP, private);
    line.text(row, key::SRC_HOST, Slot::Machine);
    line.text(row, key::EVENT_CODE, Slot::EventId);
    line.text(row, key::AUTH_METHOD, Slot::AuthMethod);
    line.text(row, key::REASON, if line.has(Slot::Error) { Slot::Error } else { Slot::Reason });
    line.text(row, key::MESSAGE, Slot::Description);
    line.text(row, key::CLIENT_SOFTWARE, Slot::ClientVersion);
    row.set_opt(key::REPEAT, decimal(line.get(Slot::Repeat)).filter(|count| *count > 1));
    let outcome = match line.get(Slot::Status) {
        b"success" => Some(Outcome::Success),
        b"failure" => Some(Outcome::Failure),
        _ => None,
    };
    let login = line.get(Slot::Stage) == b"login" || line.get(Slot::EventId).ends_with(b"-auth");
    row.set(key::KIND, if login { EventKind::Auth } else { EventKind::Other });
    if login {
        row.set_opt(key::OUTCOME, outcome);
    } else {
        line.text(row, key::CONN_STATE, Slot::Status);
    }
}

/// Logins through the device's own portal.
fn authentication(line: &Line<'_>, row: &mut Row<'_>) {
    row.log_source(&LOGIN);
    row.set(key::KIND, EventKind::Auth);
    row.set_opt(key::SRC_IP, address(line.get(Slot::Source)));
    line.text(row, key::MESSAGE, Slot::Description);
    line.text(row, key::REASON, Slot::EventId);
    line.text(row, key::RULE_NAME, Slot::Rule);
    line.text(row, key::AUTH_METHOD, Slot::AuthMethod);
    row.set_opt(key::REPEAT, decimal(line.get(Slot::Repeat)).filter(|count| *count > 1));
    let says = |words: &[&[u8]]| {
        let event = line.get(Slot::EventId);
        words.iter().any(|word| {
            event.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
                || line.get(Slot::Subtype).eq_ignore_ascii_case(word)
        })
    };
    let outcome = if says(&[b"fail", b"deny", b"denied", b"reject", b"timeout"]) {
        Outcome::Failure
    } else if says(&[b"success", b"allow", b"authenticated"]) {
        Outcome::Success
    } else {
        Outcome::Unknown
    };
    row.set(key::OUTCOME, outcome);
}

/// A name that was learned for an address elsewhere: no logon here.
fn mapping(line: &Line<'_>, row: &mut Row<'_>) {
    row.log_source(&REST);
    row.set(key::KIND, EventKind::Other);
    row.set_opt(key::SRC_IP, address(line.get(Slot::Source)));
    row.set_opt(key::SRC_PORT, schemas::parse_port(line.get(Slot::SourcePort)));
    row.set_opt(key::DST_PORT, schemas::parse_port(line.get(Slot::DestinationPort)));
    line.text(row, key::EVENT_ACTION, Slot::Subtype);
    if line.get(Slot::Subtype) == b"login" {
        row.set(key::OUTCOME, Outcome::Success);
    }
}

/// An administrator's change.
fn config(line: &Line<'_>, row: &mut Row<'_>) {
    row.log_source(&CONFIG);
    row.set(key::KIND, EventKind::Other);
    row.set_opt(key::SRC_IP, address(line.get(Slot::Source)));
    line.text(row, key::EVENT_ACTION, Slot::EventId);
    line.text(row, key::MESSAGE, Slot::Description);
    row.set_opt(
        key::OUTCOME,
        match line.get(Slot::Status) {
            b"Succeeded" | b"succeeded" | b"Submitted" => Some(Outcome::Success),
            b"Failed" | b"failed" | b"Unauthorized" => Some(Outcome::Failure),
            _ => None,
        },
    );
}

/// What the resolver in the cloud was asked and answered.
fn dns(line: &Line<'_>, row: &mut Row<'_>) {
    row.log_source(&DNS);
    row.set(key::KIND, EventKind::Dns);
    row.set(key::INITIATOR, Initiator::Source);
    row.set_opt(key::SRC_IP, address(line.get(Slot::Source)));
    row.set_opt(key::DST_IP, address(line.get(Slot::Destination)));
    row.set_opt(key::ACTION, action(line.get(Slot::Action)));
    line.text(row, key::SRC_ZONE, Slot::SourceZone);
    line.text(row, key::DNS_QUERY, Slot::DnsQuery);
    line.text(row, key::DNS_TYPE, Slot::DnsType);
    line.text(row, key::SIGNATURE_CLASS, Slot::Category);
}

/// Slots that have no column, under the vendor's names.
fn leftovers(line: &Line<'_>, row: &mut Row<'_>) {
    for (name, slot) in layout::EXTRAS {
        line.with(*slot, |value| row.extra_fixed(name, value));
    }
}

/// An address; the unspecified one is absent.
fn address(text: &[u8]) -> Option<Ip> {
    if text == b"0.0.0.0" || text == b"::" { None } else { Ip::parse(text) }
}

/// The vendor's words for a verdict, with `-`, a blank or nothing between their parts, in any case.
fn action(word: &[u8]) -> Option<Action> {
    let mut lower = [0u8; 24];
    let lower = lower.get_mut(..word.len())?;
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    match &*lower {
        b"allow" | b"allowed" => Some(Action::Allow),
        b"alert" | b"continue" | b"override" | b"syncookie-sent" => Some(Action::Alert),
        [b'd', b'r', b'o', b'p', ..] | b"random-drop" | b"discard" => Some(Action::Drop),
        [b'r', b'e', b's', b'e', b't', ..] => Some(Action::Reset),
        [b'd', b'e', b'n', b'y', ..] | [b'b', b'l', b'o', b'c', b'k', ..] | b"sinkhole" | b"override-lockout" => {
            Some(Action::Deny)
        }
        _ => None,
    }
}

/// What the end of a session proves about the port that was called.
fn port_state(line: &Line<'_>, row: &Row<'_>) -> Option<PortState> {
    let answered = row.get(key::PACKETS_IN);
    let tcp = row.get(key::TRANSPORT) == Some(Transport::TCP);
    let udp = row.get(key::TRANSPORT) == Some(Transport::UDP);
    let app = line.get(Slot::Application);
    if matches!(line.get(Slot::Subtype), b"drop" | b"deny") || matches!(row.get(key::ACTION), Some(Action::Drop)) {
        return Some(PortState::Filtered);
    }
    if app == b"non-syn-tcp" || line.get(Slot::Subtype) == b"start" {
        return None;
    }
    match line.get(Slot::EndReason) {
        b"tcp-fin" | b"tcp-reuse" | b"decoder" => Some(PortState::Open),
        b"threat" => Some(PortState::Open),
        reason if reason.starts_with(b"decrypt-") => Some(PortState::Open),
        b"tcp-rst-from-server" if app == b"incomplete" && answered? <= 1 => Some(PortState::Closed),
        b"tcp-rst-from-server" if app != b"incomplete" => Some(PortState::Open),
        b"tcp-rst-from-client" if answered? > 0 => Some(PortState::Open),
        b"policy-deny" if answered? == 0 => Some(PortState::Filtered),
        b"aged-out" if tcp && answered? == 0 => Some(PortState::Filtered),
        b"aged-out" if (tcp || udp) && answered? > 0 => Some(PortState::Open),
        _ => None,
    }
}
