//! CrowdStrike Falcon: telemetry of Falcon Data Replicator (with its secondary files), and events of the streaming API.
//!
//! Telemetry is flat and all its values are texts; older forms end names in `_decimal`. An event happened on the host at
//! `ContextTimeStamp`; `timestamp` is when it arrived in the cloud. A sensor says "local" and "remote"; which end began is told
//! by the event's name. `aip` is the address from which the sensor reached the cloud, so what the host becomes after
//! translation, never an end of its own. Source: CrowdStrike, "Events Data Dictionary" and "Falcon Data Replicator".
//!
//! Long because the table of members, that of events and the conclusions from both are one mapping.

mod streaming;

use schemas::{Action, EventKind, Field, Initiator, Ip, LogSource, Outcome, PortState, RejectKind, Row, key};

use crate::detect::Keys;
use crate::document::{self, Notes, Paths, Put, notes, paths};
use crate::lex::dns::record_type;
use crate::lex::json::{self, Value};
use crate::lex::keys::KeyMap;
use crate::lex::text::{decimal, hexadecimal};
use crate::windows::dns_result;
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

pub(super) struct Family;

const fn source(dataset: &'static str, categories: &'static [&'static str]) -> LogSource {
    LogSource {
        family: "crowdstrike",
        vendor: "CrowdStrike",
        product: "Falcon",
        dataset,
        categories,
        products: &["crowdstrike"],
        services: &["falcon"],
    }
}

static NETWORK: LogSource = source("crowdstrike.network", &["network_connection", "firewall"]);
static LOGON: LogSource = source("crowdstrike.logon", &["authentication"]);
static NAMES: LogSource = source("crowdstrike.dns", &["dns", "dns_query"]);
static PROCESS: LogSource = source("crowdstrike.process", &["process_creation"]);
static ALERT: LogSource = source("crowdstrike.detection", &[]);
static AUDIT: LogSource = source("crowdstrike.audit", &["authentication"]);
static OTHER: LogSource = source("crowdstrike.event", &[]);

notes! {
    Name, EventType, ContextTime, Arrival, RowTime, Created, Utc, Stated, LocalAgentTime, ModifiedTime, Host, HostName, Aip, Local4, Local6,
    LocalPort, Remote4, Remote6, RemotePort, Protocol, Direction, LocalAddress, RemoteAddress, User, Domain, Principal, Sid, LogonType, Status,
    SubStatus, ClientName, Query, QueryType, QueryStatus, Answers4, Answers6, AnswersName, Image, Command, ParentImage, ParentCommand,
    ParentBase, RawProcess, RuleAction, RuleName, RuleId, Monitor, Matches,
    // the streaming API
    UserId, UserIp, Operation, Success, DetectName, NewName, Severity, SeverityName, Tactic, Technique, LocalIp, FilePath, FileName,
    SourceAccount, SourceDomain, SourceIp, SourceHost, EndpointIp, Started, Ended, Pid
}

#[rustfmt::skip]
static PATHS: Paths<Note, 512> = {
    use Field::*;
    use self::Note as N;
    paths! {
    "event_simpleName" Note(N::Name), "name" Extra, "event_platform" Extra, "aid" Extra, "cid" Field(Tenant), "id" Extra,
    "ContextTimeStamp" Note(N::ContextTime), "timestamp" Note(N::Arrival), "_time" Note(N::RowTime), "Time" Note(N::RowTime),
    "AgentLocalTime" Note(N::LocalAgentTime), "modified_time" Note(N::ModifiedTime), "scores.modified_time" Note(N::ModifiedTime),
    "ComputerName" Note(N::Host), "Hostname" Note(N::Host), "HostName" Note(N::Host), "HostnameField" Note(N::Host), "aip" Note(N::Aip),
    "LocalAddressIP4" Note(N::Local4), "LocalAddressIP6" Note(N::Local6), "LocalPort" Note(N::LocalPort), "LPort" Note(N::LocalPort),
    "RemoteAddressIP4" Note(N::Remote4), "RemoteAddressIP6" Note(N::Remote6), "RemotePort" Note(N::RemotePort), "RPort" Note(N::RemotePort),
    "RemoteAddressString" Leave, "Protocol" Note(N::Protocol), "ConnectionDirection" Note(N::Direction), "ConnectionFlags" Extra,
    "MAC" Field(SrcMac), "MACAddress" Field(SrcMac), "PhysicalAddress" Field(SrcMac),
    "UserName" Note(N::User), "LogonDomain" Note(N::Domain), "UserPrincipal" Note(N::Principal), "UserSid" Note(N::Sid), "LogonType" Note(N::LogonType),
    "AuthenticationPackage" Field(AuthMethod), "AuthenticationId" Extra, "Status" Note(N::Status), "SubStatus" Note(N::SubStatus),
    "ClientComputerName" Note(N::ClientName), "DomainName" Note(N::Query), "RequestType" Note(N::QueryType), "QueryStatus" Note(N::QueryStatus),
    "IP4Records" Note(N::Answers4), "IP6Records" Note(N::Answers6), "CNAMERecords" Note(N::AnswersName), "FirstIP4Record" Leave, "FirstIP6Record" Leave,
    "RespondingDnsServer" Address(key::DST_IP),
    "ImageFileName" Note(N::Image), "CommandLine" Note(N::Command), "ParentImageFileName" Note(N::ParentImage), "ParentBaseFileName" Note(N::ParentBase),
    "ParentCommandLine" Note(N::ParentCommand), "RawProcessId" Note(N::RawProcess), "ContextBaseFileName" Field(ProcessName), "OriginatingURL" Field(Url),
    "RuleAction" Note(N::RuleAction), "RuleName" Note(N::RuleName), "RuleId" Note(N::RuleId), "FirewallRuleId" Note(N::RuleId), "PolicyName" Extra,
    "ConfigBuild" Leave, "ConfigStateHash" Leave, "Entitlements" Leave, "EffectiveTransmissionClass" Leave, "EventOrigin" Leave,
    // the streaming API
    "metadata.eventType" Note(N::EventType), "metadata.eventCreationTime" Note(N::Created), "metadata.customerIDString" Field(Tenant),
    "metadata.offset" Extra, "metadata.version" Leave, "UTCTimestamp" Note(N::Utc), "Timestamp" Note(N::Stated), "UserId" Note(N::UserId),
    "UserIp" Note(N::UserIp), "OperationName" Note(N::Operation), "Success" Note(N::Success), "DetectName" Note(N::DetectName), "Name" Note(N::NewName),
    "DetectDescription" Field(Message), "Description" Field(Message), "Severity" Note(N::Severity), "SeverityName" Note(N::SeverityName),
    "Tactic" Note(N::Tactic), "Technique" Note(N::Technique), "LocalIP" Note(N::LocalIp), "FilePath" Note(N::FilePath), "FileName" Note(N::FileName),
    "MachineDomain" Extra, "DetectId" Extra, "CompositeId" Extra, "IncidentID" Extra, "FalconHostLink" Extra, "PatternDispositionDescription" Extra,
    "NetworkAccesses.LocalAddress" Note(N::LocalAddress), "NetworkAccesses.LocalPort" Note(N::LocalPort), "NetworkAccesses.RemotePort" Note(N::RemotePort),
    "NetworkAccesses.RemoteAddress" Note(N::RemoteAddress), "NetworkAccesses.Protocol" Note(N::Protocol),
    "NetworkAccesses.ConnectionDirection" Note(N::Direction), "NetworkAccesses.AccessType" Leave, "NetworkAccesses.IsIPV6" Leave,
    "NetworkAccesses.AccessTimestamp" Leave, "LocalAddress" Note(N::LocalAddress), "RemoteAddress" Note(N::RemoteAddress),
    "SourceAccountName" Note(N::SourceAccount), "SourceAccountDomain" Note(N::SourceDomain), "SourceEndpointIpAddress" Note(N::SourceIp),
    "SourceEndpointHostName" Note(N::SourceHost), "EndpointIp" Note(N::EndpointIp), "EndpointName" Note(N::SourceHost),
    "ProcessStartTime" Note(N::Started), "ProcessEndTime" Note(N::Ended), "StartTime" Note(N::Started), "EndTime" Note(N::Ended),
    "IncidentStartTime" Note(N::Started), "IncidentEndTime" Note(N::Ended), "StartTimestamp" Note(N::Started), "EndTimestamp" Note(N::Ended),
    "SessionId" Field(SessionId), "PID" Note(N::Pid), "ProcessId" Note(N::Pid), "MatchCount" Note(N::Matches), "Flags.Monitor" Note(N::Monitor),
    "Flags.Log" Leave, "Flags.Audit" Leave,
    }
};

/// Twins of members with several values, dispositions one by one, and what the older forms write twice.
const LEFT: &[&[u8]] = &[b"__mv_", b"PatternDispositionFlags.", b"assessments."];

/// The table's entry for a member in any form: `LocalPort`, `LocalPort_decimal`, `event.LocalPort`.
fn find(path: &[u8]) -> Option<(Put<Note>, &'static str)> {
    if let Some(found) = PATHS.get(path) {
        return Some(found);
    }
    let bare = path.strip_prefix(b"event.").unwrap_or(path);
    let bare = bare.strip_prefix(b"properties.").unwrap_or(bare);
    if bare.ends_with(b"_readable") || LEFT.iter().any(|prefix| bare.starts_with(prefix)) {
        return Some((Put::Leave, ""));
    }
    PATHS.get(bare.strip_suffix(b"_decimal").unwrap_or(bare))
}

/// What an event of the telemetry is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Connect,
    Accept,
    Listen,
    Close,
    Bind,
    Firewall,
    Question,
    Logon,
    Refused,
    LockedOut,
    Logoff,
    Process,
    Ended,
    Alert,
    Inventory,
    Other,
}

static EVENTS: KeyMap<What, 128> = {
    use What::*;
    KeyMap::new(&[
        ("NetworkConnectIP4", Connect),
        ("NetworkConnectIP6", Connect),
        ("NetworkConnectIP4Blocked", Connect),
        ("NetworkConnectIP6Blocked", Connect),
        ("NetworkReceiveAcceptIP4", Accept),
        ("NetworkReceiveAcceptIP6", Accept),
        ("NetworkListenIP4", Listen),
        ("NetworkListenIP6", Listen),
        ("NetworkCloseIP4", Close),
        ("NetworkCloseIP6", Close),
        ("RawBindIP4", Bind),
        ("RawBindIP6", Bind),
        ("FirewallRuleIP4Matched", Firewall),
        ("FirewallRuleIP6Matched", Firewall),
        ("DnsRequest", Question),
        ("UserLogon", Logon),
        ("SsoUserLogon", Logon),
        ("UserLogonFailed", Refused),
        ("UserLogonFailed2", Refused),
        ("ActiveDirectoryAuthenticationFailure", Refused),
        ("ActiveDirectoryAccountLocked", LockedOut),
        ("UserLogoff", Logoff),
        ("ProcessRollup2", Process),
        ("SyntheticProcessRollup2", Process),
        ("EndOfProcess", Ended),
        ("TerminateProcess", Ended),
        ("CriticalFileModified", Alert),
        ("LocalIpAddressIP4", Inventory),
        ("LocalIpAddressIP6", Inventory),
        ("LocalIpAddressRemovedIP4", Inventory),
        ("LocalIpAddressRemovedIP6", Inventory),
        ("NeighborListIP4", Inventory),
        ("NeighborListIP6", Inventory),
        ("AgentOnline", Inventory),
        ("HostInfo", Inventory),
        ("OsVersionInfo", Inventory),
        ("SystemCapacity", Inventory),
    ])
};

fn what(name: &[u8]) -> What {
    match EVENTS.get(name) {
        Some(what) => what,
        None if name.starts_with(b"Suspicious") || name.starts_with(b"Ransomware") => What::Alert,
        None => What::Other,
    }
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "crowdstrike"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["crowdstrike_fdr", "crowdstrike_falcon", "falcon"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Objects
    }

    fn detect(&self, record: &Record<'_>, _: &Memory) -> Option<Confidence> {
        let keys = record.keys;
        if keys.has(Keys::EVENT_SIMPLE_NAME) || keys.has(Keys::AID.and(Keys::CID)) || keys.has(Keys::CID.and(Keys::AIP))
        {
            return Some(Confidence::Certain);
        }
        if !keys.has(Keys::METADATA.and(Keys::EVENT)) || keys.has_any(Keys::CLASS_UID.and(Keys::AT_TIMESTAMP)) {
            return None;
        }
        let Some(Value::Object(metadata)) = json::member(record.body, b"metadata") else { return None };
        json::member(metadata, b"eventType").map(|_| Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut event = Event(Notes::default());
        document::read_by(record, row, find, |note, _, value, _| event.0.take(note, value))?;
        if event.0.has(Note::EventType) {
            event.streamed(record, row)?;
        } else {
            event.telemetry(record, row)?;
        }
        Ok(Parsed::Events)
    }
}

struct Event<'a>(Notes<'a, NOTES>);

impl<'a> Event<'a> {
    fn telemetry(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        let named = notes.has(Note::Name);
        if !named && !row.has(Field::Tenant) {
            return Err(record.not_this_family("`event_simpleName`, `cid` or `metadata.eventType`"));
        }
        let times =
            [Note::ContextTime, Note::Arrival, Note::Utc, Note::RowTime, Note::LocalAgentTime, Note::ModifiedTime];
        let time = notes.first(times);
        if time == Value::Null && named {
            return Err(RejectKind::Missing { what: "ContextTimeStamp or timestamp" }.into());
        }
        // A row of a secondary file may have none.
        set_time(record, row, "ContextTimeStamp", time)?;
        document::text(row, key::HOST, notes.value(Note::Host));
        document::text(row, key::EVENT_CODE, notes.value(Note::Name));
        document::text(row, key::EVENT_ACTION, notes.value(Note::Name));
        let what = if named { what(notes.raw(Note::Name)) } else { What::Inventory };
        self.account(row);
        self.process(what, row);
        match what {
            What::Connect | What::Accept | What::Close | What::Bind | What::Firewall => self.flow(what, record, row)?,
            What::Listen => self.listener(record, row)?,
            What::Question => self.question(row),
            What::Logon | What::Refused | What::LockedOut | What::Logoff => self.logon(what, record, row)?,
            What::Process | What::Ended => {
                row.log_source(&PROCESS);
                row.set(key::KIND, EventKind::Process);
                if what == What::Ended {
                    row.set(key::ACTION, Action::End);
                }
            }
            What::Alert => {
                row.log_source(&ALERT);
                row.set(key::KIND, EventKind::Alert);
                row.set(key::ACTION, Action::Alert);
                document::text(row, key::SIGNATURE, notes.value(Note::Name));
                self.names(row);
            }
            What::Inventory => {
                row.log_source(&OTHER);
                row.set(key::KIND, EventKind::Inventory);
                self.own_address(record, row)?;
            }
            What::Other => {
                row.log_source(&OTHER);
                document::text(row, key::RULE_NAME, notes.value(Note::RuleName));
                document::text(row, key::RULE_ID, notes.value(Note::RuleId));
                document::text(row, key::STATUS_CODE, notes.first([Note::SubStatus, Note::Status]));
            }
        }
        self.outcome(what, row);
        // The address that the host has after translation; of a table's row there may be several.
        let translated = if what == What::Accept && !self.is_answer() { key::NAT_DST_IP } else { key::NAT_SRC_IP };
        document::address(record, row, translated, "aip", notes.value(Note::Aip))
    }

    /// Telemetry tells what has been done: an event of the host has succeeded unless it says otherwise. Of what two ends did
    /// to each other it says nothing.
    fn outcome(&self, what: What, row: &mut Row<'_>) {
        let notes = &self.0;
        let name = notes.raw(Note::Name);
        let silent = matches!(
            what,
            What::Connect | What::Accept | What::Listen | What::Close | What::Bind | What::Firewall | What::Question
        );
        if silent || name.is_empty() {
            return;
        }
        let failed = matches!(what, What::Refused | What::LockedOut)
            || name.ends_with(b"Failed")
            || name.ends_with(b"Failure")
            || name == b"ErrorEvent";
        row.set(key::OUTCOME, if failed { Outcome::Failure } else { Outcome::Success });
    }

    fn account(&self, row: &mut Row<'_>) {
        let notes = &self.0;
        document::account(row, notes.first([Note::User, Note::Principal]));
        if notes.has(Note::User) {
            document::extra(row, "UserPrincipal", notes.value(Note::Principal));
        }
        if !row.has(Field::UserDomain) {
            document::text(row, key::USER_DOMAIN, notes.value(Note::Domain));
        }
        document::text(row, key::USER_ID, notes.value(Note::Sid));
    }

    /// Falcon's own process ids are no process numbers; `RawProcessId` is.
    fn process(&self, what: What, row: &mut Row<'_>) {
        let notes = &self.0;
        document::program(row, notes.value(Note::Image));
        document::text(row, key::PROCESS_COMMAND, notes.value(Note::Command));
        document::text(row, key::PARENT_PATH, notes.first([Note::ParentImage, Note::ParentBase]));
        document::text(row, key::PARENT_COMMAND, notes.value(Note::ParentCommand));
        let id = if matches!(what, What::Logoff | What::Logon) { None } else { notes.number(Note::RawProcess) };
        row.set_opt(key::PROCESS_ID, id);
    }

    fn local(&self) -> Value<'a> {
        self.0.first([Note::Local4, Note::Local6, Note::LocalAddress])
    }

    fn remote(&self) -> Value<'a> {
        self.0.first([Note::Remote4, Note::Remote6, Note::RemoteAddress])
    }

    /// Sets the ends, the remote one as the source if it began.
    fn ends(&self, remote_began: bool, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        let (local, remote) = if remote_began {
            ((key::DST_IP, Field::DstPort), (key::SRC_IP, Field::SrcPort))
        } else {
            ((key::SRC_IP, Field::SrcPort), (key::DST_IP, Field::DstPort))
        };
        document::address(record, row, local.0, "LocalAddressIP4", self.local())?;
        document::set(record, row, local.1, notes.value(Note::LocalPort))?;
        document::address(record, row, remote.0, "RemoteAddressIP4", self.remote())?;
        document::set(record, row, remote.1, notes.value(Note::RemotePort))?;
        document::set(record, row, Field::Transport, notes.value(Note::Protocol))
    }

    /// An attempt proves nothing about the port; what the host accepted proves that its own is open.
    fn flow(&self, what: What, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        row.log_source(&NETWORK);
        row.set(key::KIND, EventKind::Flow);
        let inbound = notes.raw(Note::Direction) == b"1";
        let remote_began = match what {
            What::Accept => !self.is_answer(),
            // The name is what the sensor saw; on some platforms the direction of a call to connect is wrong.
            What::Connect => false,
            _ => inbound,
        };
        self.ends(remote_began, record, row)?;
        match what {
            What::Accept if !remote_began => {}
            What::Accept => {
                row.set(key::INITIATOR, Initiator::Source);
                row.set(key::ACTION, Action::Start);
                row.set(key::PORT_STATE, PortState::Open);
            }
            What::Connect => {
                row.set(key::INITIATOR, Initiator::Source);
                if notes.raw(Note::Name).ends_with(b"Blocked") {
                    row.set(key::ACTION, Action::Deny);
                    row.set(key::PORT_STATE, PortState::Filtered);
                }
            }
            What::Close => row.set(key::ACTION, Action::End),
            What::Firewall => {
                row.set(key::INITIATOR, Initiator::Source);
                self.firewall(row);
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether what a host "accepted" is a datagram that answers its own: it came from a server's port to one of no service.
    fn is_answer(&self) -> bool {
        let notes = &self.0;
        let ports = notes.port(Note::LocalPort).zip(notes.port(Note::RemotePort));
        notes.raw(Note::Protocol) == b"17" && ports.is_some_and(|(local, remote)| remote < 1024 && local >= 1024)
    }

    fn listener(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        row.log_source(&NETWORK);
        row.set(key::KIND, EventKind::Listener);
        row.set(key::PORT_STATE, PortState::Open);
        document::address(record, row, key::DST_IP, "LocalAddressIP4", self.local())?;
        document::set(record, row, Field::DstPort, self.0.value(Note::LocalPort))?;
        document::set(record, row, Field::Transport, self.0.value(Note::Protocol))
    }

    fn own_address(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        document::address(record, row, key::SRC_IP, "LocalAddressIP4", self.local())?;
        let own = row.get(key::SRC_IP);
        row.set_opt(key::HOST_IP, own);
        Ok(())
    }

    fn names(&self, row: &mut Row<'_>) {
        let notes = &self.0;
        document::text(row, key::DNS_QUERY, notes.value(Note::Query));
        match decimal(notes.raw(Note::QueryType)).and_then(record_type) {
            Some(name) => row.fixed(key::DNS_TYPE, name),
            None => document::text(row, key::DNS_TYPE, notes.value(Note::QueryType)),
        }
    }

    fn question(&self, row: &mut Row<'_>) {
        let notes = &self.0;
        row.log_source(&NAMES);
        row.set(key::KIND, EventKind::Dns);
        self.names(row);
        match dns_result(notes.raw(Note::QueryStatus)) {
            Some(name) => row.fixed(key::DNS_RCODE, name),
            None => document::text(row, key::DNS_RCODE, notes.value(Note::QueryStatus)),
        }
        // `192.0.2.1;192.0.2.2;`
        for note in [Note::AnswersName, Note::Answers4, Note::Answers6] {
            for answer in notes.raw(note).split(|byte| *byte == b';') {
                row.add(key::DNS_ANSWERS, answer.trim_ascii());
            }
        }
        row.set_opt(key::SRC_IP, Ip::parse(self.local().scalar()));
    }

    fn logon(&self, what: What, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        row.log_source(&LOGON);
        row.set(key::KIND, EventKind::Auth);
        document::address(record, row, key::SRC_IP, "RemoteAddressIP4", self.remote())?;
        document::text(row, key::SRC_HOST, notes.value(Note::ClientName));
        document::set(record, row, Field::LogonType, notes.value(Note::LogonType))?;
        if what == What::Logoff {
            row.set(key::ACTION, Action::End);
        }
        if what == What::LockedOut {
            row.fixed(key::REASON, "account locked out");
        }
        let reason = [Note::SubStatus, Note::Status].into_iter().find_map(|note| reason(number(notes.raw(note))?));
        if let Some(reason) = reason {
            row.fixed(key::REASON, reason);
        }
        document::text(row, key::STATUS_CODE, notes.first([Note::SubStatus, Note::Status]));
        Ok(())
    }

    /// What the host firewall did. A rule that only monitors would have blocked.
    fn firewall(&self, row: &mut Row<'_>) {
        let notes = &self.0;
        document::text(row, key::RULE_NAME, notes.value(Note::RuleName));
        document::text(row, key::RULE_ID, notes.value(Note::RuleId));
        row.set_opt(key::REPEAT, notes.number(Note::Matches));
        let monitored = notes.raw(Note::Monitor).eq_ignore_ascii_case(b"true");
        match notes.raw(Note::RuleAction) {
            _ if monitored => row.set(key::ACTION, Action::Alert),
            b"1" => row.set(key::ACTION, Action::Allow),
            b"2" => {
                row.set(key::ACTION, Action::Deny);
                row.set(key::PORT_STATE, PortState::Filtered);
            }
            _ => {}
        }
    }
}

/// A time of any of Falcon's kinds; eighteen digits are the count of 100 ns since 1601 that Windows uses.
fn set_time(record: &Record<'_>, row: &mut Row<'_>, name: &'static str, value: Value<'_>) -> Result<(), Refusal> {
    match filetime(value.scalar()) {
        Some(us) => {
            crate::set_time(row, us);
            Ok(())
        }
        None => document::time(record, row, name, value),
    }
}

/// µs since 1970 of a count of 100 ns since 1601.
fn filetime(text: &[u8]) -> Option<i64> {
    const EPOCH_1601_US: i64 = 11_644_473_600_000_000;
    if text.len() != 18 {
        return None;
    }
    i64::try_from(decimal(text)? / 10).ok()?.checked_sub(EPOCH_1601_US)
}

/// A status in decimal or hexadecimal.
fn number(text: &[u8]) -> Option<u64> {
    if text.starts_with(b"0x") { hexadecimal(text) } else { decimal(text) }
}

/// Why a logon was refused. Source: ntstatus.h; 9 is what macOS writes for a wrong password.
fn reason(status: u64) -> Option<&'static str> {
    Some(match status {
        0xc000_0064 => "user does not exist",
        0xc000_006a | 9 => "wrong password",
        0xc000_006d => "bad user name or password",
        0xc000_006e => "account restriction",
        0xc000_006f => "outside logon hours",
        0xc000_0070 => "workstation not allowed",
        0xc000_0071 => "password expired",
        0xc000_0072 => "account disabled",
        0xc000_0133 => "clocks differ too much",
        0xc000_015b => "logon type not granted",
        0xc000_0193 => "account expired",
        0xc000_0224 => "password must change",
        0xc000_0234 => "account locked out",
        _ => return None,
    })
}
