//! VMware Carbon Black: EDR's event forwarder, Carbon Black Cloud's data forwarder, alerts of both, and Cloud's audit log. One
//! JSON object an event.
//!
//! A sensor says "local" and "remote" and whether the connection came in. EDR's server observes the hosts, so it is the host
//! of the log, and the computer is the local end's name; Cloud has no server of the customer's, so there the device is the host.
//! `device_external_ip` is what the device becomes after translation. A row that tells of a listener carries the address of
//! some remote end, too, and comes twice. Source: carbonblack/cb-event-forwarder, "EVENTS.md"; Carbon Black Cloud,
//! "Data Forwarder Data Guide".

use schemas::{
    Action, EventKind, Field, Initiator, Ip, LogSource, Outcome, PortState, RejectKind, Row, Transport, key,
};

use crate::detect::Keys;
use crate::document::{self, Notes, Paths, notes, paths};
use crate::lex::json::Value;
use crate::lex::text::{contains, decimal, split_once};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, set_time};

pub(super) struct Family;

const fn source(dataset: &'static str, categories: &'static [&'static str]) -> LogSource {
    LogSource {
        family: "carbon_black",
        vendor: "VMware",
        product: "Carbon Black",
        dataset,
        categories,
        products: &["carbonblack"],
        services: &["carbonblack"],
    }
}

static NETWORK: LogSource = source("carbon_black.netconn", &["network_connection", "firewall"]);
static PROCESS: LogSource = source("carbon_black.process", &["process_creation"]);
static ALERT: LogSource = source("carbon_black.alert", &[]);
static BINARY: LogSource = source("carbon_black.binary", &[]);
static AUDIT: LogSource = source("carbon_black.audit", &["authentication"]);
static OTHER: LogSource = source("carbon_black.event", &[]);

notes! {
    Type, Timestamp, EventTimestamp, DeviceTimestamp, DetectedTimestamp, FirstTimestamp, CreateTime, BackendTimestamp, EventTime, Server,
    ServerName, Computer, HostName, HostText, DeviceName, ExternalIp, LocalIp, LocalPort, RemoteIp, RemotePort, Ipv4, Port, Protocol, Direction,
    Inbound, Domain, ActionText, SensorAction, User, ProcessPath, Path, Pid, Command, ChildPid, ChildName, ChildCommand, ChildUser, ParentPath,
    ParentName, ParentCommand, Watchlist, WatchlistId, ReportName, Reason, AlertReason, Severity, LoginName, ClientIp, Description, Actor,
    ActorIp, DocHost, ProxyIp, AlertId, Feed, IocType, IocValue, Md5, HostNameText, VulnTime, VulnCount, WatchlistName, ReportId
}

#[rustfmt::skip]
static PATHS: Paths<Note, 256> = {
    use Field::*;
    use self::Note as N;
    paths! {
    "type" Note(N::Type), "event_type" Extra, "timestamp" Note(N::Timestamp), "event_timestamp" Note(N::EventTimestamp),
    "device_timestamp" Note(N::DeviceTimestamp), "detection_timestamp" Note(N::DetectedTimestamp), "first_event_timestamp" Note(N::FirstTimestamp),
    "create_time" Note(N::CreateTime), "created_time" Note(N::CreateTime), "backend_timestamp" Note(N::BackendTimestamp), "eventTime" Note(N::EventTime),
    "event_time" Note(N::EventTime), "cb_server" Note(N::Server), "server_name" Note(N::ServerName), "computer_name" Note(N::Computer),
    "hostname" Note(N::HostName), "host" Note(N::HostText), "device_name" Note(N::DeviceName), "device_external_ip" Note(N::ExternalIp),
    "device_internal_ip" Address(key::HOST_IP), "interface_ip" Extra, "sensor_id" Extra, "device_id" Extra, "org_key" Field(Tenant),
    "local_ip" Note(N::LocalIp), "local_port" Note(N::LocalPort), "remote_ip" Note(N::RemoteIp), "remote_port" Note(N::RemotePort),
    "netconn_local_ip" Note(N::LocalIp), "netconn_local_port" Note(N::LocalPort), "netconn_remote_ip" Note(N::RemoteIp),
    "netconn_remote_port" Note(N::RemotePort), "netconn_local_ipv4" Note(N::LocalIp), "netconn_remote_ipv4" Note(N::RemoteIp), "ipv4" Note(N::Ipv4),
    "port" Note(N::Port), "protocol" Note(N::Protocol), "netconn_protocol" Note(N::Protocol), "direction" Note(N::Direction),
    "netconn_inbound" Note(N::Inbound), "domain" Note(N::Domain), "netconn_domain" Note(N::Domain), "netconn_remote_domain" Note(N::Domain),
    "netconn_proxy_ip" Note(N::ProxyIp), "netconn_proxy_port" Extra, "netconn_proxy_domain" Extra, "proxy" IfTrue,
    "action" Note(N::ActionText), "sensor_action" Note(N::SensorAction), "username" Note(N::User), "process_username" Note(N::User),
    "device_username" Note(N::User), "process_path" Note(N::ProcessPath), "process_name" Note(N::ProcessPath), "path" Note(N::Path), "pid" Note(N::Pid),
    "process_pid" Note(N::Pid), "process_cmdline" Note(N::Command), "command_line" Note(N::Command), "cmdline" Note(N::Command),
    "child_pid" Note(N::ChildPid), "childproc_pid" Note(N::ChildPid), "childproc_name" Note(N::ChildName), "childproc_cmdline" Note(N::ChildCommand),
    "child_command_line" Note(N::ChildCommand), "childproc_username" Note(N::ChildUser), "parent_path" Note(N::ParentPath),
    "parent_name" Note(N::ParentName), "parent_cmdline" Note(N::ParentCommand), "md5" Note(N::Md5), "sha256" Extra,
    "watchlist_name" Note(N::Watchlist), "watchlist_id" Note(N::WatchlistId), "report_name" Note(N::ReportName), "threat_name" Note(N::ReportName),
    "reason" Note(N::Reason), "alert_type" Note(N::AlertReason), "severity" Note(N::Severity), "alert_severity" Note(N::Severity), "id" Note(N::AlertId),
    "host_name" Note(N::HostNameText), "last_sync_ts" Note(N::VulnTime), "vuln_count" Note(N::VulnCount), "watchlists.name" Note(N::WatchlistName),
    "watchlists.id" Extra, "ioc_hit" Note(N::IocValue), "feed_name" Note(N::Feed), "report_id" Note(N::ReportId),
    "ioc_type" Note(N::IocType), "ioc_value" Note(N::IocValue), "ioc_attr.port" Note(N::RemotePort), "ioc_attr.protocol" Note(N::Protocol),
    "ioc_attr.direction" Note(N::Direction), "ioc_attr.remote_ip" Note(N::RemoteIp), "ioc_attr.remote_port" Note(N::RemotePort),
    "ioc_attr.local_ip" Note(N::LocalIp), "ioc_attr.local_port" Note(N::LocalPort),
    "loginName" Note(N::LoginName), "clientIp" Note(N::ClientIp), "description" Note(N::Description), "actor" Note(N::Actor), "actor_ip" Note(N::ActorIp),
    "docs.hostname" Note(N::DocHost), "docs.username" Note(N::User), "docs.path" Note(N::ProcessPath), "docs.process_pid" Note(N::Pid),
    "docs.cmdline" Note(N::Command), "docs.parent_name" Note(N::ParentName), "docs.observed_filename" Extra, "docs.md5" Extra, "docs.process_md5" Extra,
    "target_path" Extra, "target_pid" Extra, "tamper_type" Extra, "tamper" IfTrue, "tamper_sent" IfTrue,
    }
};

/// Links into the console, pictures, and what the vendor computed of a file.
const LEFT: &[&[u8]] = &[b"link_", b"docs.", b"image_file_header", b"icon", b"utf8_", b"highlights", b"watchlists."];

impl Parser for Family {
    fn name(&self) -> &'static str {
        "carbon_black"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["carbonblack", "carbonblack_edr", "carbon_black_cloud", "cb_edr"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Objects
    }

    fn detect(&self, record: &Record<'_>, _: &Memory) -> Option<Confidence> {
        let keys = record.keys;
        let edr = keys.has_any(Keys::CB_SERVER.and(Keys::CB_VERSION));
        let cloud = keys.has(Keys::ORG_KEY) && keys.has_any(Keys::DEVICE_NAME.and(Keys::ACTOR_IP));
        let audit = keys.has(Keys::LOGIN_NAME.and(Keys::ORG_NAME)) || keys.has(Keys::VULN_COUNT.and(Keys::LAST_SYNC));
        if edr || cloud || audit {
            return Some(Confidence::Certain);
        }
        // Old forwarders name neither themselves nor a type.
        let old = keys.has(Keys::EVENT_TIMESTAMP) && keys.has_any(Keys::MD5.and(Keys::FEED_ID));
        old.then_some(Confidence::Likely)
    }

    fn parse(&self, record: &Record<'_>, _: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut event = Event(Notes::default());
        document::read(record, row, &PATHS, LEFT, |note, value, _| event.0.take(note, value))?;
        event.conclude(record, row)?;
        Ok(Parsed::Events)
    }
}

struct Event<'a>(Notes<'a, NOTES>);

impl<'a> Event<'a> {
    fn conclude(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        let kind = notes.raw(Note::Type);
        document::extra(row, "md5", notes.value(Note::Md5));
        let audit = notes.has(Note::LoginName) || notes.has(Note::ActorIp);
        // Old forwarders name no type: what they write is a hit, or tells of a binary.
        let hit = [Note::WatchlistId, Note::Watchlist, Note::Feed].into_iter().any(|note| notes.has(note));
        let vulnerable = notes.has(Note::VulnCount) && notes.has(Note::VulnTime);
        let binary = notes.has(Note::Md5) && notes.has(Note::EventTimestamp);
        if kind.is_empty() && !hit && !binary && !audit && !vulnerable {
            return Err(record.not_this_family("a member `type`, a hit of a watchlist or feed, or a login's name"));
        }
        self.time(record, row)?;
        let host = [Note::Server, Note::ServerName, Note::DeviceName, Note::Computer, Note::DocHost, Note::HostName];
        let host = notes.first(host.into_iter().chain([Note::HostNameText]));
        host.with(|name| {
            // `DOMAIN\HOST` is how a device of a domain is called.
            let name = name.rsplit(|byte| *byte == b'\\').next().unwrap_or(name);
            row.text(key::HOST, name);
        });
        document::text(row, key::EVENT_CODE, notes.value(Note::Type));
        document::text(row, key::EVENT_ACTION, notes.value(Note::Type));
        document::account(row, notes.value(Note::User));
        let word = kind.rsplit(|byte| *byte == b'.').next().unwrap_or(kind);
        match word {
            _ if audit => self.audit(record, row)?,
            b"netconn" | b"netconn2" | b"netconn_proxy" => self.connection(record, row)?,
            b"procstart" | b"childproc" | b"procend" | b"process" if !is_hit(kind) => self.process(word, row),
            _ if is_hit(kind) || kind.is_empty() && hit => self.alert(record, row)?,
            _ if vulnerable => {
                row.log_source(&BINARY);
                row.set(key::KIND, EventKind::Inventory);
                document::extra(row, "vuln_count", notes.value(Note::VulnCount));
                document::extra(row, "severity", notes.value(Note::Severity));
            }
            _ if kind.starts_with(b"binary") || word == b"module" || kind.is_empty() => {
                row.log_source(&BINARY);
                row.set(key::KIND, EventKind::Inventory);
                self.actor(row);
            }
            _ => {
                row.log_source(&OTHER);
                self.actor(row);
                document::extra(row, "path", notes.value(Note::Path));
                document::extra(row, "action", notes.value(Note::ActionText));
                self.verdict(row);
            }
        }
        if !row.has(Field::SrcHost) && !row.has(Field::DstHost) && notes.has(Note::Server) {
            document::text(row, key::SRC_HOST, notes.first([Note::Computer, Note::HostName]));
        }
        let translated = if self.inbound() { key::NAT_DST_IP } else { key::NAT_SRC_IP };
        document::address(record, row, translated, "device_external_ip", notes.value(Note::ExternalIp))
    }

    /// On the device before in the cloud. Cloud writes `2026-01-04 09:12:31.0042170 +0000 UTC`.
    fn time(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        let times = [
            Note::DeviceTimestamp,
            Note::Timestamp,
            Note::EventTimestamp,
            Note::DetectedTimestamp,
            Note::FirstTimestamp,
            Note::CreateTime,
            Note::EventTime,
            Note::BackendTimestamp,
            Note::VulnTime,
        ];
        let value = notes.first(times);
        if value == Value::Null {
            return Err(RejectKind::Missing { what: "timestamp or device_timestamp" }.into());
        }
        let doubled = value.scalar().strip_suffix(b" UTC").and_then(|text| record.time.iso(text));
        match doubled {
            Some(us) => set_time(row, us),
            None => document::time(record, row, "timestamp", value)?,
        }
        Ok(())
    }

    /// The process that acted.
    fn actor(&self, row: &mut Row<'_>) {
        let notes = &self.0;
        document::program(row, notes.value(Note::ProcessPath));
        document::text(row, key::PROCESS_COMMAND, notes.value(Note::Command));
        row.set_opt(key::PROCESS_ID, notes.number(Note::Pid));
        document::text(row, key::PARENT_PATH, notes.first([Note::ParentPath, Note::ParentName]));
        document::text(row, key::PARENT_COMMAND, notes.value(Note::ParentCommand));
    }

    /// Of a process that was made, itself and its maker.
    fn process(&self, word: &[u8], row: &mut Row<'_>) {
        let notes = &self.0;
        row.log_source(&PROCESS);
        row.set(key::KIND, EventKind::Process);
        let child = if word == b"childproc" { notes.value(Note::Path) } else { notes.value(Note::ChildName) };
        if child == Value::Null {
            self.actor(row);
        } else {
            document::program(row, child);
            document::text(row, key::PROCESS_COMMAND, notes.value(Note::ChildCommand));
            row.set_opt(key::PROCESS_ID, notes.number(Note::ChildPid));
            document::text(row, key::PARENT_PATH, notes.value(Note::ProcessPath));
            document::text(row, key::PARENT_COMMAND, notes.value(Note::Command));
            if notes.has(Note::ChildUser) {
                row.clear(Field::User);
                row.clear(Field::UserDomain);
                document::account(row, notes.value(Note::ChildUser));
            }
        }
        if word == b"procend" {
            row.set(key::ACTION, Action::End);
        }
        self.verdict(row);
    }

    /// What the sensor did about it, where it did more than to look on.
    fn verdict(&self, row: &mut Row<'_>) {
        let notes = &self.0;
        let action = notes.raw(Note::SensorAction);
        document::extra(row, "sensor_action", notes.value(Note::SensorAction));
        if is_refusal(action) {
            row.set(key::OUTCOME, Outcome::Failure);
        }
    }

    fn connection(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        row.log_source(&NETWORK);
        self.actor(row);
        document::extra(row, "action", notes.value(Note::ActionText));
        let flags = notes.raw(Note::ActionText);
        if contains(flags, b"ACTION_CONNECTION_LISTEN") {
            return self.listener(record, row);
        }
        row.set(key::KIND, EventKind::Flow);
        self.ends(record, row)?;
        row.set(key::INITIATOR, Initiator::Source);
        let sensor = notes.raw(Note::SensorAction);
        document::extra(row, "sensor_action", notes.value(Note::SensorAction));
        if is_refusal(sensor) {
            row.set(key::ACTION, Action::Deny);
            row.set(key::PORT_STATE, PortState::Filtered);
        } else if contains(flags, b"ACTION_CONNECTION_ESTABLISHED") {
            row.set(key::ACTION, Action::Start);
            row.set(key::PORT_STATE, PortState::Open);
        } else if contains(flags, b"ACTION_CONNECTION_CLOSE") {
            row.set(key::ACTION, Action::End);
        }
        document::extra(row, "netconn_proxy_ip", notes.value(Note::ProxyIp));
        Ok(())
    }

    /// Only the local end counts: some remote address stands there, too.
    fn listener(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        row.set(key::KIND, EventKind::Listener);
        row.set(key::PORT_STATE, PortState::Open);
        row.set_opt(key::TRANSPORT, transport(notes.raw(Note::Protocol)));
        document::extra(row, "remote_ip", notes.value(Note::RemoteIp));
        document::extra(row, "remote_port", notes.value(Note::RemotePort));
        document::address(record, row, key::DST_IP, "local_ip", notes.value(Note::LocalIp))?;
        document::set(record, row, Field::DstPort, notes.value(Note::LocalPort))
    }

    fn inbound(&self) -> bool {
        self.0.raw(Note::Direction).eq_ignore_ascii_case(b"inbound")
            || self.0.raw(Note::Inbound).eq_ignore_ascii_case(b"true")
    }

    fn ends(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        row.set_opt(key::TRANSPORT, transport(notes.raw(Note::Protocol)));
        let (local, remote) = if self.inbound() {
            ((key::DST_IP, Field::DstPort, key::DST_HOST), (key::SRC_IP, Field::SrcPort, key::SRC_HOST))
        } else {
            ((key::SRC_IP, Field::SrcPort, key::SRC_HOST), (key::DST_IP, Field::DstPort, key::DST_HOST))
        };
        document::address(record, row, local.0, "local_ip", notes.value(Note::LocalIp))?;
        document::set(record, row, local.1, notes.value(Note::LocalPort))?;
        document::text(row, local.2, notes.first([Note::Computer, Note::HostName]));
        let value = notes.first([Note::RemoteIp, Note::Ipv4]);
        match integer_address(value.scalar()) {
            Some(ip) => row.set(remote.0, ip),
            None => document::address(record, row, remote.0, "remote_ip", value)?,
        }
        document::set(record, row, remote.1, notes.first([Note::RemotePort, Note::Port]))?;
        document::text(row, remote.2, notes.value(Note::Domain));
        Ok(())
    }

    fn alert(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        row.log_source(&ALERT);
        row.set(key::KIND, EventKind::Alert);
        let refused = is_refusal(notes.raw(Note::SensorAction));
        row.set(key::ACTION, if refused { Action::Deny } else { Action::Alert });
        document::extra(row, "sensor_action", notes.value(Note::SensorAction));
        document::text(
            row,
            key::SIGNATURE,
            notes.first([
                Note::Watchlist,
                Note::ReportName,
                Note::ReportId,
                Note::WatchlistName,
                Note::Reason,
                Note::Type,
            ]),
        );
        document::text(row, key::SIGNATURE_ID, notes.value(Note::WatchlistId));
        document::text(row, key::SIGNATURE_CLASS, notes.first([Note::AlertReason, Note::Feed]));
        document::text(row, key::REASON, notes.value(Note::Reason));
        document::extra(row, "id", notes.value(Note::AlertId));
        document::set(record, row, Field::Severity, notes.value(Note::Severity))?;
        self.actor(row);
        self.ends(record, row)?;
        // An indicator that is an address is the remote end.
        if notes.raw(Note::IocType).starts_with(b"ipv") && !row.has(Field::DstIp) && !self.inbound() {
            document::address(record, row, key::DST_IP, "ioc_value", notes.value(Note::IocValue))?;
        } else if notes.raw(Note::IocType).starts_with(b"ipv") && !row.has(Field::SrcIp) && self.inbound() {
            document::address(record, row, key::SRC_IP, "ioc_value", notes.value(Note::IocValue))?;
        }
        document::extra(row, "ioc_value", notes.value(Note::IocValue));
        document::text(row, key::SRC_HOST, notes.value(Note::DocHost));
        Ok(())
    }

    /// What somebody did in Cloud's console.
    fn audit(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        row.log_source(&AUDIT);
        document::address(record, row, key::SRC_IP, "clientIp", notes.first([Note::ClientIp, Note::ActorIp]))?;
        document::account(row, notes.first([Note::LoginName, Note::Actor]));
        let text = notes.value(Note::Description);
        document::text(row, key::MESSAGE, text);
        let (kind, outcome) = match text.scalar() {
            text if text.starts_with(b"Logged in") => (EventKind::Auth, Some(Outcome::Success)),
            text if text.starts_with(b"Log in failed") || text.starts_with(b"Login failed") => {
                (EventKind::Auth, Some(Outcome::Failure))
            }
            _ => (EventKind::Other, None),
        };
        row.set(key::KIND, kind);
        row.set_opt(key::OUTCOME, outcome);
        Ok(())
    }
}

/// Types that tell of a finding: a watchlist's or a feed's hit, and the classes of Cloud's alerts.
fn is_hit(kind: &[u8]) -> bool {
    kind.starts_with(b"alert.")
        || kind.starts_with(b"watchlist.")
        || kind.starts_with(b"feed.")
        || matches!(
            kind,
            b"CB_ANALYTICS"
                | b"WATCHLIST"
                | b"DEVICE_CONTROL"
                | b"CONTAINER_RUNTIME"
                | b"HOST_BASED_FIREWALL"
                | b"INTRUSION_DETECTION_SYSTEM"
        )
}

fn is_refusal(sensor_action: &[u8]) -> bool {
    let word = sensor_action.strip_prefix(b"ACTION_").unwrap_or(sensor_action);
    matches!(word, b"BLOCK" | b"DENY" | b"TERMINATE" | b"BREAK")
}

/// `6`, `PROTO_TCP`.
fn transport(text: &[u8]) -> Option<Transport> {
    let word = text.strip_prefix(b"PROTO_").unwrap_or(text);
    if word.is_empty() { None } else { Transport::parse(word) }
}

/// Old forwarders write an IPv4 address as a number, signed or not, the first part highest.
fn integer_address(text: &[u8]) -> Option<Ip> {
    let (negative, digits) = match split_once(text, b'-') {
        Some((b"", digits)) => (true, digits),
        _ => (false, text),
    };
    let value = u32::try_from(decimal(digits)?).ok()?;
    let value = if negative { value.wrapping_neg() } else { value };
    Some(Ip::v4(value.to_be_bytes()))
}
