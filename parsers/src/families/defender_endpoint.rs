//! Microsoft Defender: rows of advanced hunting (Device*, Identity*, Alert*, Email*, Cloud* tables), and alerts and incidents
//! of its APIs.
//!
//! A row comes bare, as an API's result, or inside `properties` of what the streaming API exports. It happened at `Timestamp`;
//! the envelope's `time` is when it was published. `AdditionalFields` is an object in some tables and the text of one in
//! others; both are read alike.
//!
//! A sensor logs its own end as "local": who began is told by the kind of action, see [`network`]. Source: Microsoft,
//! "Advanced hunting schema reference" and "Streaming API"; the alert and incident resources of Defender's APIs.

mod network;

use schemas::{Action, EventKind, Field, LogSource, Outcome, RejectKind, Row, key};

use crate::detect::Keys;
use crate::document::{self, Notes, Paths, Put, notes, paths};
use crate::lex::json::{self, Extent, Value};
use crate::lex::keys::KeyMap;
use crate::lex::text::{decimal, file_name, is_absent};
use crate::windows;
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

pub(super) struct Family;

const fn source(
    dataset: &'static str,
    categories: &'static [&'static str],
    products: &'static [&'static str],
) -> LogSource {
    LogSource {
        family: "defender_endpoint",
        vendor: "Microsoft",
        product: "Defender",
        dataset,
        categories,
        products,
        services: &["defender"],
    }
}

static NETWORK: LogSource = source("defender.network", &["network_connection", "firewall"], &["windows"]);
static LOGON: LogSource = source("defender.logon", &["authentication"], &[]);
static PROCESS: LogSource = source("defender.process", &["process_creation"], &["windows"]);
static ALERT: LogSource = source("defender.alert", &[], &["m365"]);
static NAMES: LogSource = source("defender.identity_query", &["dns"], &[]);
static INVENTORY: LogSource = source("defender.inventory", &[], &[]);
static OTHER: LogSource = source("defender.event", &[], &[]);

notes! {
    Category, Published, Timestamp, ActionType, OtherAction, RemoteIp, RemotePort, RemoteName, LocalIp, LocalPort, Protocol, Additional, Address,
    Port, DestinationAddress, DestinationPort, DestinationName, TargetName, Device, User, UserDomain, Upn, Sid, ObjectId, DisplayName,
    ActorName, ActorDomain, ActorSid, LogonType, LogonId, Path, FileName, CommandLine, ProcessId, ActorPath, ActorFile, ActorCommand, ActorId,
    ActorParent, QueryTarget, QueryType, Title, Severity, AlertCategory, AlertId, Recipient, RequestUser,
    // alerts and incidents of the APIs
    IncidentId, Updated, UpdatedTime, Created, AlertCreated, First, Last, ServiceSource, DetectionSource, ComputerName, ApiTitle, IncidentName,
    ApiSeverity, ApiCategory, AlertTitle, AlertSeverity, AlertsCategory, EntityUser, EntityAddress, EntityUpn, DeviceDns, IncidentUrl
}

#[rustfmt::skip]
static PATHS: Paths<Note, 512> = {
    use Field::*;
    use self::Note as N;
    paths! {
    "category" Note(N::Category), "time" Note(N::Published), "Timestamp" Note(N::Timestamp), "TimeGenerated" Note(N::Published),
    "ActionType" Note(N::ActionType), "Action" Note(N::OtherAction),
    "tenantId" Field(Tenant), "TenantId" Field(Tenant), "Tenant" Leave, "operationName" Leave, "_TimeReceivedBySvc" Leave,
    "RemoteIP" Note(N::RemoteIp), "RemotePort" Note(N::RemotePort), "RemoteUrl" Field(Url), "LocalIP" Note(N::LocalIp),
    "LocalPort" Note(N::LocalPort), "LocalIPType" Leave, "RemoteIPType" Leave, "Protocol" Note(N::Protocol), "RemoteDeviceName" Note(N::RemoteName),
    "AdditionalFields" Note(N::Additional), "IPAddress" Note(N::Address), "Port" Note(N::Port), "SenderIPv4" Note(N::Address), "SenderIPv6" Note(N::Address),
    "DestinationIPAddress" Note(N::DestinationAddress), "DestinationPort" Note(N::DestinationPort), "DestinationDeviceName" Note(N::DestinationName),
    "TargetDeviceName" Note(N::TargetName), "DeviceName" Note(N::Device), "DeviceId" Extra, "MachineGroup" Extra, "ReportId" Extra,
    "AccountName" Note(N::User), "AccountDomain" Note(N::UserDomain), "AccountUpn" Note(N::Upn), "AccountSid" Note(N::Sid),
    "AccountObjectId" Note(N::ObjectId), "AccountDisplayName" Note(N::DisplayName), "RecipientEmailAddress" Note(N::Recipient),
    "RequestAccountName" Note(N::RequestUser), "InitiatingProcessAccountName" Note(N::ActorName), "InitiatingProcessAccountDomain" Note(N::ActorDomain),
    "InitiatingProcessAccountSid" Note(N::ActorSid), "LogonType" Note(N::LogonType), "LogonId" Note(N::LogonId), "FailureReason" Field(Reason),
    "FolderPath" Note(N::Path), "FileName" Note(N::FileName), "ProcessCommandLine" Note(N::CommandLine), "ProcessId" Note(N::ProcessId),
    "InitiatingProcessFolderPath" Note(N::ActorPath), "InitiatingProcessFileName" Note(N::ActorFile),
    "InitiatingProcessCommandLine" Note(N::ActorCommand), "InitiatingProcessId" Note(N::ActorId), "InitiatingProcessParentFileName" Note(N::ActorParent),
    "QueryTarget" Note(N::QueryTarget), "QueryType" Note(N::QueryType), "Location" Field(SrcCountry), "CountryCode" Field(SrcCountry),
    "UserAgent" Field(UserAgent), "ISP" Field(SrcAsOrg), "Application" Extra, "MD5" Extra, "SHA1" Extra, "SHA256" Extra,
    "Title" Note(N::Title), "Severity" Note(N::Severity), "Category" Note(N::AlertCategory), "AlertId" Note(N::AlertId), "RawEventData" Leave,
    // the APIs' alerts and incidents
    "incidentId" Note(N::IncidentId), "lastUpdateTime" Note(N::Updated), "lastUpdateDateTime" Note(N::UpdatedTime), "createdTime" Note(N::Created),
    "createdDateTime" Note(N::AlertCreated), "alertCreationTime" Note(N::AlertCreated), "firstEventTime" Note(N::First), "lastEventTime" Note(N::Last),
    "firstActivityDateTime" Note(N::First), "lastActivityDateTime" Note(N::Last), "alerts.firstActivity" Note(N::First), "alerts.lastActivity" Note(N::Last),
    "serviceSource" Note(N::ServiceSource), "alerts.serviceSource" Note(N::ServiceSource), "detectionSource" Note(N::DetectionSource),
    "alerts.detectionSource" Note(N::DetectionSource), "computerDnsName" Note(N::ComputerName), "title" Note(N::ApiTitle),
    "incidentName" Note(N::IncidentName), "displayName" Note(N::IncidentName), "incidentWebUrl" Note(N::IncidentUrl),
    "alerts.firstActivityDateTime" Note(N::First), "alerts.lastActivityDateTime" Note(N::Last), "alerts.id" Note(N::AlertId),
    "alerts.evidence.userAccount.accountName" Note(N::EntityUser), "alerts.evidence.userAccount.userPrincipalName" Note(N::EntityUpn),
    "alerts.evidence.deviceDnsName" Note(N::DeviceDns), "alerts.evidence.ipAddress" Note(N::EntityAddress), "severity" Note(N::ApiSeverity), "alerts.severity" Note(N::AlertSeverity), "alerts.title" Note(N::AlertTitle),
    "alerts.category" Note(N::AlertsCategory), "description" Field(Message), "alerts.description" Field(Message), "id" Note(N::AlertId),
    "alerts.alertId" Note(N::AlertId), "relatedUser.userName" Field(User), "relatedUser.domainName" Field(UserDomain),
    "alerts.entities.accountName" Note(N::EntityUser), "alerts.entities.userPrincipalName" Note(N::EntityUpn),
    "evidence.accountName" Note(N::EntityUser), "evidence.userPrincipalName" Note(N::EntityUpn), "evidence.ipAddress" Note(N::EntityAddress),
    "evidence.userAccount.accountName" Note(N::EntityUser), "evidence.userAccount.userPrincipalName" Note(N::EntityUpn),
    "alerts.entities.ipAddress" Note(N::EntityAddress), "alerts.devices.deviceDnsName" Note(N::DeviceDns), "evidence.deviceDnsName" Note(N::DeviceDns),
    }
};

/// Members of incidents that say the alert's own again, and what the vendor computed of a file.
const LEFT: &[&[u8]] =
    &[b"RawEventData.", b"InitiatingProcessVersionInfo", b"ProcessVersionInfo", b"comments", b"alerts.incidentId"];

/// The table's entry for a column, bare or inside the envelope.
fn find(path: &[u8]) -> Option<(Put<Note>, &'static str)> {
    let (name, inside) = match path.strip_prefix(b"properties.") {
        Some(name) => (name, true),
        None => (path, false),
    };
    if name.starts_with(b"AdditionalFields.") {
        return Some((Put::Note(Note::Additional), ""));
    }
    match PATHS.get(name) {
        // The envelope's `category` names the table; a row's own is that of an alert.
        Some((Put::Note(Note::Category), _)) if inside => Some((Put::Note(Note::AlertCategory), "category")),
        None if LEFT.iter().any(|prefix| name.starts_with(prefix)) => Some((Put::Leave, "")),
        found => found,
    }
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "defender_endpoint"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["defender", "m365_defender", "mde", "advanced_hunting"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Objects
    }

    fn detect(&self, record: &Record<'_>, _: &Memory) -> Option<Confidence> {
        let keys = record.keys;
        if keys.has(Keys::CATEGORY.and(Keys::PROPERTIES)) {
            let category = json::member(record.body, b"category").map_or(&b""[..], Value::scalar);
            return category.starts_with(b"AdvancedHunting-").then_some(Confidence::Certain);
        }
        let row = keys.has(Keys::CAP_TIMESTAMP) && keys.has_any(Keys::ACTION_TYPE.and(Keys::REPORT_ID));
        let alert = keys.has(Keys::INCIDENT_ID) && keys.has_any(Keys::DETECTION_SOURCE.and(Keys::INCIDENT_NAME));
        let incident = keys.has(Keys::INCIDENT_WEB_URL);
        (row || alert || incident).then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut event = Event { notes: Notes::default(), more: Additional::default() };
        document::read_by(record, row, find, |note, path, value, row| match note {
            Note::Additional => event.more.take(path, value, row),
            note => event.notes.take(note, value),
        })?;
        event.conclude(record, row)?;
        Ok(Parsed::Events)
    }
}

/// What `AdditionalFields` says that is concluded from; the rest of it goes to fields and extras at once.
#[derive(Default)]
struct Additional {
    /// `In`: the remote end began.
    inbound: Option<bool>,
    tcp_flags: Option<u64>,
    passed: Option<bool>,
    threat: bool,
}

impl Additional {
    fn take(&mut self, path: &[u8], value: Value<'_>, row: &mut Row<'_>) {
        let name = path.strip_prefix(b"properties.").unwrap_or(path);
        if let Some(name) = name.strip_prefix(b"AdditionalFields.") {
            return self.one(name, value, row);
        }
        value.with(|inside| {
            let walked = json::walk(inside, |path, value| {
                self.one(path, value, row);
                Ok::<(), json::Error>(())
            });
            // cut off by the exporter, or a text of another sort
            if !matches!(walked, Ok(Extent::Whole(_))) && !is_absent(inside) {
                row.extra_fixed("AdditionalFields", inside);
            }
        });
    }

    fn one(&mut self, name: &[u8], value: Value<'_>, row: &mut Row<'_>) {
        let text = value.scalar();
        if document::is_blank(text) {
            return;
        }
        match MORE.get(name) {
            Some(More::Text(field)) if !row.has(field) => {
                if let Err(_odd) = value.with(|text| row.put(field, text)) {
                    value.with(|text| row.extra(name, text));
                }
            }
            Some(More::Direction) => self.inbound = Some(text.eq_ignore_ascii_case(b"in")),
            Some(More::Flags) => {
                self.tcp_flags = decimal(text);
                row.text(key::TCP_FLAGS, text);
            }
            Some(More::Passed) => {
                self.passed = Some(text.eq_ignore_ascii_case(b"true"));
                row.extra(name, text);
            }
            Some(More::Threat) => {
                self.threat = true;
                value.with(|text| row.text(key::SIGNATURE, text));
            }
            Some(More::Leave) => {}
            Some(More::Text(_)) | None => value.with(|text| row.extra(name, text)),
        }
    }
}

#[derive(Clone, Copy)]
enum More {
    Text(Field),
    Direction,
    Flags,
    Passed,
    Threat,
    Leave,
}

static MORE: KeyMap<More, 128> = {
    use Field::*;
    KeyMap::new(&[
        ("direction", More::Direction),
        ("Direction", More::Direction),
        ("Tcp Flags", More::Flags),
        ("Source Mac", More::Text(SrcMac)),
        ("Destination Mac", More::Text(DstMac)),
        ("auth_success", More::Passed),
        ("ThreatName", More::Threat),
        ("SignatureName", More::Threat),
        ("uniqueEventsAggregated", More::Text(Repeat)),
        ("Count", More::Text(Repeat)),
        ("client", More::Text(ClientSoftware)),
        ("server", More::Text(ServerSoftware)),
        ("host", More::Text(HttpHost)),
        ("method", More::Text(HttpMethod)),
        ("uri", More::Text(Url)),
        ("status_code", More::Text(HttpStatus)),
        ("user_agent", More::Text(UserAgent)),
        ("server_name", More::Text(TlsSni)),
        ("subject", More::Text(TlsSubject)),
        ("query", More::Text(DnsQuery)),
        ("qtype_name", More::Text(DnsType)),
        ("rcode_name", More::Text(DnsRcode)),
        ("answers", More::Text(DnsAnswers)),
        ("$id", More::Leave),
        ("Packet Size", More::Leave),
    ])
};

struct Event<'a> {
    notes: Notes<'a, NOTES>,
    more: Additional,
}

/// What the look of a row says of its kind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Table {
    Network,
    Logon,
    IdentityLogon,
    IdentityQuery,
    Process,
    Alert,
    Inventory,
    Other,
}

impl<'a> Event<'a> {
    fn conclude(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.notes;
        let table = notes.raw(Note::Category).strip_prefix(b"AdvancedHunting-");
        if table.is_none() && (notes.has(Note::IncidentId) || notes.has(Note::IncidentUrl)) {
            return self.finding(record, row);
        }
        if table.is_none() && !notes.has(Note::Timestamp) {
            return Err(record.not_this_family("a row of advanced hunting, an alert or an incident"));
        }
        let time = notes.first([Note::Timestamp, Note::Published]);
        if time == Value::Null {
            return Err(RejectKind::Missing { what: "Timestamp" }.into());
        }
        document::time(record, row, "Timestamp", time)?;
        document::text(row, key::HOST, notes.value(Note::Device));
        let action = notes.first([Note::ActionType, Note::OtherAction]);
        document::text(row, key::EVENT_CODE, action);
        document::text(row, key::EVENT_ACTION, action);
        if let Some(table) = table {
            row.extra_fixed("table", table);
        }
        let table = self.table(table.unwrap_or_default());
        self.process(table, row);
        match table {
            Table::Network => self.network(record, row)?,
            Table::Logon => self.logon(record, row)?,
            Table::IdentityLogon => self.identity_logon(record, row)?,
            Table::IdentityQuery => self.identity_query(record, row)?,
            Table::Process => {
                row.log_source(&PROCESS);
                row.set(key::KIND, EventKind::Process);
            }
            Table::Alert => self.alert(record, row)?,
            Table::Inventory => {
                row.log_source(&INVENTORY);
                row.set(key::KIND, EventKind::Inventory);
            }
            Table::Other => self.other(record, row)?,
        }
        self.user(table, row);
        Ok(())
    }

    fn table(&self, name: &[u8]) -> Table {
        let action = self.notes.raw(Note::ActionType);
        match name {
            b"DeviceNetworkEvents" => Table::Network,
            b"DeviceLogonEvents" => Table::Logon,
            b"IdentityLogonEvents" => Table::IdentityLogon,
            b"IdentityQueryEvents" => Table::IdentityQuery,
            b"DeviceProcessEvents" | b"CloudProcessEvents" => Table::Process,
            b"AlertInfo" | b"AlertEvidence" => Table::Alert,
            b"DeviceInfo" | b"DeviceNetworkInfo" | b"DeviceFileCertificateInfo" | b"IdentityInfo" => Table::Inventory,
            name if name.starts_with(b"DeviceTvm") || name.starts_with(b"ExposureGraph") => Table::Inventory,
            b"" if network::is_known(action) && self.notes.has(Note::RemoteIp) | self.notes.has(Note::LocalPort) => {
                Table::Network
            }
            b"" if action.starts_with(b"Logon") && self.notes.has(Note::Address) => Table::IdentityLogon,
            b"" if action.starts_with(b"Logon") => Table::Logon,
            b"" if action == b"ProcessCreated" => Table::Process,
            b"" if self.notes.has(Note::AlertId) => Table::Alert,
            _ if network::is_firewall(action) => Table::Network,
            _ => Table::Other,
        }
    }

    /// The process that acted; of a table of processes the one that was made, and the one that acted is its parent.
    fn process(&self, table: Table, row: &mut Row<'_>) {
        let notes = &self.notes;
        if table == Table::Process {
            document::text(row, key::PROCESS_PATH, notes.value(Note::Path));
            let name = notes.value(Note::FileName);
            name.with(|name| row.text(key::PROCESS_NAME, file_name(name)));
            document::text(row, key::PROCESS_COMMAND, notes.value(Note::CommandLine));
            row.set_opt(key::PROCESS_ID, notes.number(Note::ProcessId));
            document::text(row, key::PARENT_PATH, notes.first([Note::ActorPath, Note::ActorFile]));
            document::text(row, key::PARENT_COMMAND, notes.value(Note::ActorCommand));
            return;
        }
        document::program(row, notes.value(Note::ActorPath));
        document::text(row, key::PROCESS_NAME, notes.value(Note::ActorFile));
        document::text(row, key::PROCESS_COMMAND, notes.value(Note::ActorCommand));
        row.set_opt(key::PROCESS_ID, notes.number(Note::ActorId));
        document::text(row, key::PARENT_PATH, notes.value(Note::ActorParent));
        for (note, name) in [
            (Note::Path, "FolderPath"),
            (Note::FileName, "FileName"),
            (Note::CommandLine, "ProcessCommandLine"),
            (Note::ProcessId, "ProcessId"),
        ] {
            document::extra(row, name, notes.value(note));
        }
    }

    /// Of a logon and an alert the account concerned, else the one that acted.
    fn user(&self, table: Table, row: &mut Row<'_>) {
        let notes = &self.notes;
        let own = notes.has(Note::User) || notes.has(Note::Upn);
        if own {
            document::text(row, key::USER, notes.first([Note::User, Note::Upn]));
            document::text(row, key::USER_DOMAIN, notes.value(Note::UserDomain));
            document::text(row, key::USER_ID, notes.first([Note::Sid, Note::ObjectId]));
            if notes.has(Note::User) {
                document::extra(row, "AccountUpn", notes.value(Note::Upn));
            }
        }
        let actor = if notes.has(Note::ActorName) { Note::ActorName } else { Note::RequestUser };
        match (own, table) {
            (true, Table::Logon) => {
                document::text(row, key::SRC_USER, notes.value(actor));
                document::text(row, key::SRC_USER_DOMAIN, notes.value(Note::ActorDomain));
            }
            (true, _) => document::extra(row, "InitiatingProcessAccountName", notes.value(actor)),
            (false, Table::Logon | Table::IdentityLogon | Table::Alert) => {
                document::text(row, key::USER, notes.value(Note::DisplayName));
            }
            (false, _) => {
                document::text(row, key::USER, notes.first([actor, Note::DisplayName, Note::Recipient]));
                document::text(row, key::USER_DOMAIN, notes.value(Note::ActorDomain));
                document::text(row, key::USER_ID, notes.first([Note::ActorSid, Note::ObjectId]));
            }
        }
    }

    /// The remote end asks to be let in.
    fn logon(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.notes;
        row.log_source(&LOGON);
        row.set(key::KIND, EventKind::Auth);
        document::address(record, row, key::SRC_IP, "RemoteIP", notes.value(Note::RemoteIp))?;
        document::set(record, row, Field::SrcPort, notes.value(Note::RemotePort))?;
        document::address(record, row, key::DST_IP, "LocalIP", notes.value(Note::LocalIp))?;
        document::text(row, key::SRC_HOST, notes.value(Note::RemoteName));
        document::text(row, key::AUTH_METHOD, notes.value(Note::Protocol));
        document::text(row, key::SESSION_ID, notes.value(Note::LogonId));
        self.outcome(row);
        match windows::logon_type(notes.raw(Note::LogonType)) {
            Some(number) => row.set(key::LOGON_TYPE, number),
            None => document::extra(row, "LogonType", notes.value(Note::LogonType)),
        }
        Ok(())
    }

    fn outcome(&self, row: &mut Row<'_>) {
        row.set(
            key::OUTCOME,
            match self.notes.raw(Note::ActionType) {
                b"LogonSuccess" => Outcome::Success,
                b"LogonFailed" => Outcome::Failure,
                _ => Outcome::Unknown,
            },
        );
    }

    /// The ends as the sensor on a domain controller, or a cloud service, saw them.
    fn identity_ends(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.notes;
        document::address(record, row, key::SRC_IP, "IPAddress", notes.value(Note::Address))?;
        document::set(record, row, Field::SrcPort, notes.value(Note::Port))?;
        document::text(row, key::SRC_HOST, notes.value(Note::Device));
        let name = "DestinationIPAddress";
        document::address(record, row, key::DST_IP, name, notes.value(Note::DestinationAddress))?;
        document::set(record, row, Field::DstPort, notes.value(Note::DestinationPort))?;
        document::text(row, key::DST_HOST, notes.value(Note::DestinationName));
        document::extra(row, "TargetDeviceName", notes.value(Note::TargetName));
        Ok(())
    }

    fn identity_logon(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.notes;
        row.log_source(&LOGON);
        row.set(key::KIND, EventKind::Auth);
        self.identity_ends(record, row)?;
        document::text(row, key::AUTH_METHOD, notes.value(Note::Protocol));
        document::extra(row, "LogonType", notes.value(Note::LogonType));
        self.outcome(row);
        self.leave_ends(record, row)
    }

    fn identity_query(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.notes;
        row.log_source(&NAMES);
        self.identity_ends(record, row)?;
        let protocol = notes.value(Note::Protocol);
        document::text(row, key::APP_PROTO, protocol);
        if protocol.scalar().eq_ignore_ascii_case(b"dns") {
            row.set(key::KIND, EventKind::Dns);
            document::text(row, key::DNS_QUERY, notes.value(Note::QueryTarget));
            document::text(row, key::DNS_TYPE, notes.value(Note::QueryType));
        } else {
            document::extra(row, "QueryTarget", notes.value(Note::QueryTarget));
            document::extra(row, "QueryType", notes.value(Note::QueryType));
        }
        self.leave_ends(record, row)
    }

    /// Columns that no row of this table has by its schema, but that exporters fill.
    fn leave_ends(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.notes;
        document::address(record, row, key::SRC_IP, "LocalIP", notes.value(Note::LocalIp))?;
        document::address(record, row, key::DST_IP, "RemoteIP", notes.value(Note::RemoteIp))
    }

    fn alert(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.notes;
        row.log_source(&ALERT);
        row.set(key::KIND, EventKind::Alert);
        row.set(key::ACTION, Action::Alert);
        document::text(row, key::SIGNATURE, notes.value(Note::Title));
        document::text(row, key::SIGNATURE_CLASS, notes.value(Note::AlertCategory));
        document::text(row, key::LEVEL, notes.value(Note::Severity));
        document::extra(row, "AlertId", notes.value(Note::AlertId));
        self.leave_ends(record, row)?;
        document::set(record, row, Field::SrcPort, notes.value(Note::LocalPort))?;
        document::set(record, row, Field::DstPort, notes.value(Note::RemotePort))
    }

    fn other(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.notes;
        if self.more.threat || notes.raw(Note::ActionType).starts_with(b"AntivirusDetection") {
            row.log_source(&ALERT);
            row.set(key::KIND, EventKind::Alert);
            row.set(key::ACTION, Action::Alert);
        } else {
            row.log_source(&OTHER);
        }
        document::address(record, row, key::SRC_IP, "IPAddress", notes.value(Note::Address))?;
        self.leave_ends(record, row)?;
        document::set(record, row, Field::SrcPort, notes.value(Note::LocalPort))?;
        document::set(record, row, Field::DstPort, notes.value(Note::RemotePort))?;
        row.set_opt(key::TRANSPORT, network::transport(notes.raw(Note::Protocol)));
        Ok(())
    }

    /// An alert or an incident of an API. It is written by a service about devices; the service is who logs.
    fn finding(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.notes;
        row.log_source(&ALERT);
        row.set(key::KIND, EventKind::Alert);
        row.set(key::ACTION, Action::Alert);
        let alert = [Note::AlertCreated, Note::Updated, Note::UpdatedTime, Note::Created];
        let incident = [Note::Updated, Note::UpdatedTime, Note::Created, Note::AlertCreated];
        let is_incident = notes.has(Note::IncidentName);
        let time = notes.first(if is_incident { incident } else { alert });
        if time == Value::Null {
            return Err(RejectKind::Missing { what: "lastUpdateTime or alertCreationTime" }.into());
        }
        document::time(record, row, "lastUpdateTime", time)?;
        row.set_opt(key::START, record.time.any(notes.raw(Note::First)));
        row.set_opt(key::END, record.time.any(notes.raw(Note::Last)));
        let host = [Note::ComputerName, Note::ServiceSource, Note::DetectionSource];
        document::text(row, key::HOST, notes.first(host));
        document::text(row, key::DST_HOST, notes.value(Note::DeviceDns));
        document::extra(row, "detectionSource", notes.value(Note::DetectionSource));
        document::extra(row, "incidentId", notes.value(Note::IncidentId));
        document::extra(row, "alertId", notes.value(Note::AlertId));
        let title = notes.first([Note::AlertTitle, Note::ApiTitle, Note::IncidentName]);
        document::text(row, key::SIGNATURE, title);
        let class = notes.first([Note::AlertsCategory, Note::ApiCategory, Note::Category]);
        document::text(row, key::SIGNATURE_CLASS, class);
        document::text(row, key::EVENT_ACTION, class);
        document::text(row, key::LEVEL, notes.first([Note::AlertSeverity, Note::ApiSeverity]));
        if !row.has(Field::User) {
            document::text(row, key::USER, notes.first([Note::EntityUser, Note::EntityUpn]));
        }
        document::address(record, row, key::SRC_IP, "ipAddress", notes.value(Note::EntityAddress))
    }
}
