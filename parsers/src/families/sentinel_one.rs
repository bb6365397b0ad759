//! SentinelOne: Cloud Funnel (Deep Visibility) events, activities, threats and unified alerts. One JSON object an event.
//!
//! Cloud Funnel's names are flat and dotted. Its source is the end that began, whatever the direction, while `src.process` is
//! the process on the endpoint also where a connection came in. A connection's status tells open from not open, but a failure
//! does not tell closed from filtered; the protocol's name is only what the port promises. Source: SentinelOne, "Cloud Funnel
//! 2.0 event schema" and "Management API": activities, threats, unified alerts.

use schemas::{
    Action, Direction, EventKind, Field, Initiator, LogSource, Outcome, PortState, RejectKind, Row, Transport, key,
};

use crate::detect::Keys;
use crate::document::{self, Notes, Paths, notes, paths};
use crate::lex::dns::record_type;
use crate::lex::json::Value;
use crate::lex::text::{contains, decimal, trim};
use crate::windows::{self, dns_answer};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

pub(super) struct Family;

const fn source(dataset: &'static str, categories: &'static [&'static str]) -> LogSource {
    LogSource {
        family: "sentinel_one",
        vendor: "SentinelOne",
        product: "Singularity",
        dataset,
        categories,
        products: &["sentinelone"],
        services: &["sentinelone"],
    }
}

static NETWORK: LogSource = source("sentinel_one.ip", &["network_connection"]);
static LOGON: LogSource = source("sentinel_one.logins", &["authentication"]);
static NAMES: LogSource = source("sentinel_one.dns", &["dns", "dns_query"]);
static PROCESS: LogSource = source("sentinel_one.process", &["process_creation"]);
static ALERT: LogSource = source("sentinel_one.alert", &[]);
static ACTIVITY: LogSource = source("sentinel_one.activity", &["authentication"]);
static OTHER: LogSource = source("sentinel_one.event", &[]);

notes! {
    Category, EventType, EventTime, Timestamp, Endpoint, SourceIp, SourcePort, TargetIp, TargetPort, Direction, Status, LoginSuccess, LoginUser,
    LoginAccount, LoginDomain, LoginType, LoginReason, EndpointIp, Request, Response, ProcessUser, EffectiveUser, ProcessPath, ProcessName,
    ProcessId, ProcessCommand, ParentPath, ParentCommand, MadePath, MadeName, MadeId, MadeCommand, MadeUser, Indicator, IndicatorClass,
    // activities, threats, alerts
    ActivityType, Created, Description, Secondary, UserName, ByUser, Computer, AgentName, Address, ActingUser, RuleName, DestinationIp,
    DestinationPort, OriginIp, OriginPort, OriginPath, OriginCommand, ThreatName, ThreatClass, ThreatCreated, ThreatIdentified, ThreatUser,
    ThreatComputer, LastUser, ExternalIp, ThreatPath, Detected, AlertName, AlertClass, AssetName, ResourceName, ResourceUser, ActorUser, Severity,
    Confidence, MetaName, AlertPath, AlertCommand, ThreatCommand, MaliciousProcess, ThreatId,
    // agents, groups, alerts of rules
    Updated, AgentComputer, AgentIp, LastLoggedIn, Token, AlertCreated, AlertReported, AlertEvent, AlertDirection,
    AlertLoginOk, AlertLoginUser, AlertLoginDomain, AlertLoginAddress, RuleTitle, RuleSeverity, RuleNumber, AgentTitle, AlertUser, AlertQuery
}

#[rustfmt::skip]
static PATHS: Paths<Note, 512> = {
    use Field::*;
    use self::Note as N;
    paths! {
    "event.category" Note(N::Category), "event.type" Note(N::EventType), "event.time" Note(N::EventTime), "timestamp" Note(N::Timestamp),
    "event.id" Extra, "meta.event.name" Note(N::MetaName), "endpoint.name" Note(N::Endpoint), "endpoint.os" Extra, "endpoint.type" Leave, "agent.uuid" Extra,
    "account.id" Field(Tenant), "site.id" Extra, "site.name" Extra, "group.id" Leave, "trace.id" Leave, "packet.id" Leave, "mgmt.id" Leave,
    "mgmt.url" Leave, "mgmt.osRevision" Leave, "i.version" Leave, "i.scheme" Leave, "dataSource.name" Leave, "dataSource.vendor" Leave,
    "dataSource.category" Leave, "event.repetitionCount" Field(Repeat),
    "src.ip.address" Note(N::SourceIp), "src.port.number" Note(N::SourcePort), "dst.ip.address" Note(N::TargetIp), "dst.port.number" Note(N::TargetPort),
    "event.network.direction" Note(N::Direction), "event.network.connectionStatus" Note(N::Status), "event.network.protocolName" Extra,
    "event.login.loginIsSuccessful" Note(N::LoginSuccess), "event.login.userName" Note(N::LoginUser), "event.login.accountName" Note(N::LoginAccount),
    "event.login.accountDomain" Note(N::LoginDomain), "event.login.type" Note(N::LoginType), "event.login.baseType" Extra,
    "event.login.failureReason" Note(N::LoginReason), "event.login.sessionId" Field(SessionId), "event.login.accountSid" Field(UserId),
    "event.logout.userName" Note(N::LoginUser), "event.logout.accountName" Note(N::LoginAccount), "event.logout.accountDomain" Note(N::LoginDomain),
    "src.endpoint.ip.address" Note(N::EndpointIp), "event.dns.request" Note(N::Request), "event.dns.response" Note(N::Response),
    "src.process.user" Note(N::ProcessUser), "src.process.eUserName" Note(N::EffectiveUser), "src.process.image.path" Note(N::ProcessPath),
    "src.process.name" Note(N::ProcessName), "src.process.pid" Note(N::ProcessId), "src.process.cmdline" Note(N::ProcessCommand),
    "src.process.parent.image.path" Note(N::ParentPath), "src.process.parent.cmdline" Note(N::ParentCommand), "src.process.image.sha256" Extra,
    "src.process.image.sha1" Extra, "src.process.image.md5" Extra,
    "tgt.process.image.path" Note(N::MadePath), "tgt.process.name" Note(N::MadeName), "tgt.process.pid" Note(N::MadeId),
    "tgt.process.cmdline" Note(N::MadeCommand), "tgt.process.user" Note(N::MadeUser), "indicator.name" Note(N::Indicator),
    "indicator.category" Note(N::IndicatorClass), "indicator.description" Field(Message), "url.address" Field(Url), "event.url.action" Extra,
    // activities
    "activityType" Note(N::ActivityType), "createdAt" Note(N::Created), "primaryDescription" Note(N::Description), "secondaryDescription" Note(N::Secondary),
    "accountId" Field(Tenant), "data.username" Note(N::UserName), "data.byUser" Note(N::ByUser), "data.computerName" Note(N::Computer),
    "data.origagentname" Note(N::AgentName), "data.ipAddress" Note(N::Address), "data.sourceprocessusername" Note(N::ActingUser),
    "data.rulename" Note(N::RuleName), "data.ruleName" Note(N::RuleName), "data.dstip" Note(N::DestinationIp), "data.dstport" Note(N::DestinationPort),
    "data.srcip" Note(N::OriginIp), "data.srcport" Note(N::OriginPort), "data.sourceprocessfilepath" Note(N::OriginPath),
    "data.sourceprocesscommandline" Note(N::OriginCommand), "data.threatClassification" Note(N::ThreatClass), "data.severity" Note(N::Severity),
    "data.externalIp" Note(N::ExternalIp), "data.reason" Field(Reason), "data.fullScopeDetails" Leave, "data.fullScopeDetailsPath" Leave,
    "data.confidenceLevel" Note(N::Confidence),
    // threats
    "threatInfo.threatName" Note(N::ThreatName), "threatInfo.classification" Note(N::ThreatClass), "threatInfo.createdAt" Note(N::ThreatCreated),
    "threatInfo.identifiedAt" Note(N::ThreatIdentified), "threatInfo.processUser" Note(N::ThreatUser), "threatInfo.filePath" Note(N::ThreatPath),
    "threatInfo.confidenceLevel" Note(N::Confidence), "threatInfo.threatId" Note(N::ThreatId), "threatInfo.updatedAt" Extra,
    "threatInfo.maliciousProcessArguments" Note(N::ThreatCommand), "threatInfo.originatorProcess" Note(N::MaliciousProcess),
    "agentRealtimeInfo.agentComputerName" Note(N::ThreatComputer), "agentDetectionInfo.agentLastLoggedInUserName" Note(N::LastUser),
    "agentDetectionInfo.agentIpV4" Extra, "agentDetectionInfo.externalIp" Note(N::ExternalIp), "agentDetectionInfo.siteName" Extra,
    // alerts of rules
    "alertInfo.createdAt" Note(N::AlertCreated), "alertInfo.reportedAt" Note(N::AlertReported), "alertInfo.eventType" Note(N::AlertEvent),
    "alertInfo.alertId" Note(N::ThreatId), "alertInfo.srcIp" Note(N::OriginIp), "alertInfo.srcPort" Note(N::OriginPort),
    "alertInfo.dstIp" Note(N::DestinationIp), "alertInfo.dstPort" Note(N::DestinationPort), "alertInfo.netEventDirection" Note(N::AlertDirection),
    "alertInfo.loginIsSuccessful" Note(N::AlertLoginOk), "alertInfo.loginsUserName" Note(N::AlertLoginUser),
    "alertInfo.loginAccountDomain" Note(N::AlertLoginDomain), "alertInfo.srcMachineIp" Note(N::AlertLoginAddress),
    "alertInfo.dnsRequest" Note(N::AlertQuery), "ruleInfo.name" Note(N::RuleTitle), "ruleInfo.severity" Note(N::RuleSeverity),
    "ruleInfo.id" Note(N::RuleNumber), "ruleInfo.description" Field(Message), "agentDetectionInfo.name" Note(N::AgentTitle),
    "sourceProcessInfo.user" Note(N::AlertUser), "sourceProcessInfo.filePath" Note(N::AlertPath), "sourceProcessInfo.commandline" Note(N::AlertCommand),
    "sourceProcessInfo.pid" Note(N::ProcessId), "sourceParentProcessInfo.filePath" Note(N::ParentPath),
    "sourceParentProcessInfo.commandline" Note(N::ParentCommand),
    // agents and groups
    "updatedAt" Note(N::Updated), "computerName" Note(N::AgentComputer), "lastIpToMgmt" Note(N::AgentIp), "externalIp" Note(N::ExternalIp),
    "lastLoggedInUserName" Note(N::LastLoggedIn), "registrationToken" Note(N::Token), "siteId" Extra,
    // unified alerts
    "detectedAt" Note(N::Detected), "name" Note(N::AlertName), "description" Field(Message), "classification" Note(N::AlertClass),
    "severity" Note(N::Severity), "confidenceLevel" Note(N::Confidence), "asset.name" Note(N::AssetName), "rawData.resources.name" Note(N::ResourceName),
    "rawData.resources.owner.name" Note(N::ResourceUser), "rawData.evidences.actor.user.name" Note(N::ActorUser), "id" Extra, "status" Extra,
    "process.file.path" Note(N::AlertPath), "process.cmdLine" Note(N::AlertCommand), "process.username" Note(N::ActorUser),
    }
};

/// What the agent counted and computed, and what the console knows of the agent.
const LEFT: &[&[u8]] = &[
    b"src.process.",
    b"osSrc.process.",
    b"tgt.process.",
    b"agentRealtimeInfo.",
    b"agentDetectionInfo.",
    b"rawData.",
    b"containerInfo.",
    b"ecsInfo.",
    b"networkInterfaces.",
    b"activeDirectory.",
    b"sourceProcessInfo.",
    b"sourceParentProcessInfo.",
    b"targetProcessInfo.",
    b"kubernetesInfo.",
    b"sca:",
];

impl Parser for Family {
    fn name(&self) -> &'static str {
        "sentinel_one"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["sentinelone", "s1", "cloud_funnel"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Objects
    }

    fn detect(&self, record: &Record<'_>, _: &Memory) -> Option<Confidence> {
        let keys = record.keys;
        let funnel = keys.has(Keys::EVENT_CATEGORY.and(Keys::DOTTED_EVENT_TYPE)) && keys.has(Keys::ENDPOINT_NAME);
        let threat = keys.has_any(Keys::THREAT_INFO.and(Keys::AGENT_DETECTION_INFO));
        let activity = keys.has(Keys::ACTIVITY_TYPE.and(Keys::CREATED_AT));
        let alert = keys.has(Keys::DETECTED_AT.and(Keys::ATTACK_SURFACES));
        let agent = keys.has(Keys::COMPUTER_NAME.and(Keys::CREATED_AT)) || keys.has(Keys::REGISTRATION_TOKEN);
        (agent || funnel || threat || activity || alert).then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut event = Event(Notes::default());
        document::read(record, row, &PATHS, LEFT, |note, value, _| event.0.take(note, value))?;
        let notes = &event.0;
        match () {
            _ if notes.has(Note::Category) || notes.has(Note::EventType) => event.funnel(record, row)?,
            _ if notes.has(Note::ActivityType) => event.activity(record, row)?,
            _ if notes.has(Note::AlertCreated) || notes.has(Note::RuleTitle) => event.rule(record, row)?,
            _ if notes.has(Note::ThreatComputer) || notes.has(Note::ThreatCreated) => event.threat(record, row)?,
            _ if notes.has(Note::Detected) => event.alert(record, row)?,
            _ if notes.has(Note::AgentComputer) || notes.has(Note::Token) => event.inventory(record, row)?,
            _ => return Err(record.not_this_family("`event.category`, `activityType`, `threatInfo` or `detectedAt`")),
        }
        Ok(Parsed::Events)
    }
}

struct Event<'a>(Notes<'a, NOTES>);

impl<'a> Event<'a> {
    fn funnel(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        // Milliseconds before the text, of which some exports keep the clock only.
        let time = notes.first([Note::EventTime, Note::Timestamp]);
        if time == Value::Null {
            return Err(RejectKind::Missing { what: "event.time" }.into());
        }
        document::time(record, row, "event.time", time)?;
        document::text(row, key::HOST, notes.value(Note::Endpoint));
        document::text(row, key::EVENT_CODE, notes.value(Note::EventType));
        document::text(row, key::EVENT_ACTION, notes.value(Note::EventType));
        match notes.raw(Note::Category) {
            b"ip" => self.connection(record, row)?,
            b"dns" => self.question(row),
            b"logins" | b"login" => self.login(record, row)?,
            b"process" => self.made(row),
            b"indicators" | b"threat_intelligence_indicators" => {
                row.log_source(&ALERT);
                row.set(key::KIND, EventKind::Alert);
                row.set(key::ACTION, Action::Alert);
                document::text(row, key::SIGNATURE, notes.first([Note::Indicator, Note::EventType]));
                document::text(row, key::SIGNATURE_CLASS, notes.value(Note::IndicatorClass));
            }
            _ => row.log_source(&OTHER),
        }
        document::extra(row, "category", notes.value(Note::Category));
        document::extra(row, "meta.event.name", notes.value(Note::MetaName));
        if !row.has(Field::ProcessPath) {
            self.actor(row);
        }
        document::account(row, notes.first([Note::ProcessUser, Note::EffectiveUser]));
        Ok(())
    }

    fn actor(&self, row: &mut Row<'_>) {
        let notes = &self.0;
        document::program(row, notes.value(Note::ProcessPath));
        document::text(row, key::PROCESS_NAME, notes.value(Note::ProcessName));
        document::text(row, key::PROCESS_COMMAND, notes.value(Note::ProcessCommand));
        row.set_opt(key::PROCESS_ID, notes.number(Note::ProcessId));
        document::text(row, key::PARENT_PATH, notes.value(Note::ParentPath));
        document::text(row, key::PARENT_COMMAND, notes.value(Note::ParentCommand));
    }

    /// A process that was made, and its maker.
    fn made(&self, row: &mut Row<'_>) {
        let notes = &self.0;
        row.log_source(&PROCESS);
        row.set(key::KIND, EventKind::Process);
        if !notes.has(Note::MadePath) && !notes.has(Note::MadeId) {
            return;
        }
        document::program(row, notes.value(Note::MadePath));
        document::text(row, key::PROCESS_NAME, notes.value(Note::MadeName));
        document::text(row, key::PROCESS_COMMAND, notes.value(Note::MadeCommand));
        row.set_opt(key::PROCESS_ID, notes.number(Note::MadeId));
        document::text(row, key::PARENT_PATH, notes.value(Note::ProcessPath));
        document::text(row, key::PARENT_COMMAND, notes.value(Note::ProcessCommand));
        document::account(row, notes.value(Note::MadeUser));
    }

    fn connection(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        row.log_source(&NETWORK);
        // `TCPV4`, `UDPV6`: the agent's own name of the event is the only word on the transport.
        let stem = notes.raw(Note::MetaName);
        let stem = stem.strip_suffix(b"V4").or_else(|| stem.strip_suffix(b"V6"));
        row.set_opt(key::TRANSPORT, stem.and_then(Transport::parse));
        if notes.raw(Note::EventType) == b"IP Listen" {
            row.set(key::KIND, EventKind::Listener);
            row.set(key::PORT_STATE, PortState::Open);
            let (ip, port) = if notes.has(Note::TargetPort) {
                (Note::TargetIp, Note::TargetPort)
            } else {
                (Note::SourceIp, Note::SourcePort)
            };
            document::address(record, row, key::DST_IP, "src.ip.address", notes.value(ip))?;
            return document::set(record, row, Field::DstPort, notes.value(port));
        }
        row.set(key::KIND, EventKind::Flow);
        document::address(record, row, key::SRC_IP, "src.ip.address", notes.value(Note::SourceIp))?;
        document::set(record, row, Field::SrcPort, notes.value(Note::SourcePort))?;
        document::address(record, row, key::DST_IP, "dst.ip.address", notes.value(Note::TargetIp))?;
        document::set(record, row, Field::DstPort, notes.value(Note::TargetPort))?;
        row.set(key::INITIATOR, Initiator::Source);
        row.set_opt(
            key::DIRECTION,
            match notes.raw(Note::Direction) {
                b"INCOMING" => Some(Direction::Inbound),
                b"OUTGOING" => Some(Direction::Outbound),
                _ => None,
            },
        );
        if notes.raw(Note::Status) == b"SUCCESS" {
            row.set(key::ACTION, Action::Start);
            row.set(key::PORT_STATE, PortState::Open);
        }
        document::extra(row, "event.network.connectionStatus", notes.value(Note::Status));
        Ok(())
    }

    /// `www.example.com`, or `type:  28 www.example.com`; answers as Windows joins them.
    fn question(&self, row: &mut Row<'_>) {
        let notes = &self.0;
        row.log_source(&NAMES);
        row.set(key::KIND, EventKind::Dns);
        let request = notes.raw(Note::Request);
        let name = match request.strip_prefix(b"type:").map(trim) {
            Some(typed) => {
                let digits = typed.iter().take_while(|byte| byte.is_ascii_digit()).count();
                if let Some(name) = decimal(&typed[..digits]).and_then(record_type) {
                    row.fixed(key::DNS_TYPE, name);
                }
                trim(&typed[digits..])
            }
            None => request,
        };
        row.text(key::DNS_QUERY, name);
        for answer in notes.raw(Note::Response).split(|byte| *byte == b';').filter_map(dns_answer) {
            row.add(key::DNS_ANSWERS, answer);
        }
    }

    fn login(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        row.log_source(&LOGON);
        row.set(key::KIND, EventKind::Auth);
        document::account(row, notes.first([Note::LoginUser, Note::LoginAccount]));
        if !row.has(Field::UserDomain) {
            document::text(row, key::USER_DOMAIN, notes.value(Note::LoginDomain));
        }
        document::address(record, row, key::SRC_IP, "src.endpoint.ip.address", notes.value(Note::EndpointIp))?;
        document::text(row, key::REASON, notes.value(Note::LoginReason));
        match windows::logon_type(notes.raw(Note::LoginType)) {
            Some(number) => row.set(key::LOGON_TYPE, number),
            None => document::extra(row, "event.login.type", notes.value(Note::LoginType)),
        }
        if notes.raw(Note::EventType) == b"Logout" {
            row.set(key::ACTION, Action::End);
        }
        row.set_opt(
            key::OUTCOME,
            match notes.raw(Note::LoginSuccess) {
                b"true" => Some(Outcome::Success),
                b"false" => Some(Outcome::Failure),
                // A session that has ended did so.
                _ if notes.raw(Note::EventType) == b"Logout" => Some(Outcome::Success),
                _ => None,
            },
        );
        Ok(())
    }

    /// What happened in the console, or on an agent as the console tells it. Types have numbers; the same is said in words.
    fn activity(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        const LOGGED_IN: &[u8] = b"27";
        const FAILED_TO_LOG_IN: &[u8] = b"133";
        const LOGGED_OUT: &[u8] = b"33";
        let notes = &self.0;
        let number = notes.raw(Note::ActivityType);
        let said = notes.raw(Note::Description);
        if !notes.has(Note::Created) {
            return Err(RejectKind::Missing { what: "createdAt" }.into());
        }
        document::time(record, row, "createdAt", notes.value(Note::Created))?;
        row.log_source(&ACTIVITY);
        document::text(row, key::EVENT_CODE, notes.value(Note::ActivityType));
        document::text(row, key::MESSAGE, notes.value(Note::Description));
        document::extra(row, "secondaryDescription", notes.value(Note::Secondary));
        document::text(row, key::HOST, notes.first([Note::Computer, Note::AgentName]));
        document::account(row, notes.value(Note::ActingUser));
        let user = notes.first([Note::UserName, Note::ByUser]);
        if user.scalar() != b"unknown" {
            document::account(row, user);
        }
        document::address(record, row, key::SRC_IP, "data.ipAddress", notes.value(Note::Address))?;
        document::extra(row, "data.externalIp", notes.value(Note::ExternalIp));
        let failed = number == FAILED_TO_LOG_IN || contains(said, b"failed to log in");
        if failed || number == LOGGED_IN || contains(said, b"logged in to the management console") {
            row.set(key::KIND, EventKind::Auth);
            row.set(key::OUTCOME, if failed { Outcome::Failure } else { Outcome::Success });
        } else if number == LOGGED_OUT || contains(said, b"logged out of the management console") {
            row.set(key::KIND, EventKind::Auth);
            row.set(key::ACTION, Action::End);
        } else if notes.has(Note::RuleName) || said.starts_with(b"Threat ") {
            row.set(key::KIND, EventKind::Alert);
            row.set(key::ACTION, Action::Alert);
            document::text(row, key::SIGNATURE, notes.first([Note::RuleName, Note::Description]));
            document::text(row, key::SIGNATURE_CLASS, notes.value(Note::ThreatClass));
            document::text(row, key::LEVEL, notes.first([Note::Severity, Note::Confidence]));
            document::program(row, notes.value(Note::OriginPath));
            document::text(row, key::PROCESS_COMMAND, notes.value(Note::OriginCommand));
            self.ends(record, row)?;
        }
        Ok(())
    }

    /// Ends of an alert, where the event behind it had any: a port of zero says that it had none.
    fn ends(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        document::address(record, row, key::SRC_IP, "data.srcip", notes.value(Note::OriginIp))?;
        document::address(record, row, key::DST_IP, "data.dstip", notes.value(Note::DestinationIp))?;
        for (note, field) in [(Note::OriginPort, Field::SrcPort), (Note::DestinationPort, Field::DstPort)] {
            if notes.raw(note) != b"0" {
                document::set(record, row, field, notes.value(note))?;
            }
        }
        Ok(())
    }

    fn threat(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        row.log_source(&ALERT);
        row.set(key::KIND, EventKind::Alert);
        row.set(key::ACTION, Action::Alert);
        let time = notes.first([Note::ThreatIdentified, Note::ThreatCreated]);
        document::time(record, row, "threatInfo.identifiedAt", time)?;
        document::text(row, key::HOST, notes.value(Note::ThreatComputer));
        document::account(row, notes.value(Note::ThreatUser));
        if notes.raw(Note::LastUser) != b"unknown" {
            document::account(row, notes.value(Note::LastUser));
        }
        document::text(row, key::SIGNATURE, notes.value(Note::ThreatName));
        document::text(row, key::SIGNATURE_CLASS, notes.value(Note::ThreatClass));
        document::text(row, key::LEVEL, notes.value(Note::Confidence));
        document::extra(row, "threatId", notes.value(Note::ThreatId));
        document::extra(row, "externalIp", notes.value(Note::ExternalIp));
        document::program(row, notes.value(Note::ThreatPath));
        document::text(row, key::PROCESS_COMMAND, notes.value(Note::ThreatCommand));
        document::text(row, key::PARENT_PATH, notes.value(Note::MaliciousProcess));
        Ok(())
    }

    /// What a customer's rule found in an event, with that event's facts. One that came in was begun by the other end, and
    /// `srcIp` is that end.
    fn rule(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        row.log_source(&ALERT);
        row.set(key::KIND, EventKind::Alert);
        row.set(key::ACTION, Action::Alert);
        let time = notes.first([Note::AlertCreated, Note::AlertReported]);
        document::time(record, row, "alertInfo.createdAt", time)?;
        document::text(row, key::HOST, notes.first([Note::AgentTitle, Note::ThreatComputer]));
        document::text(row, key::EVENT_CODE, notes.value(Note::AlertEvent));
        document::text(row, key::EVENT_ACTION, notes.value(Note::AlertEvent));
        document::account(row, notes.first([Note::AlertLoginUser, Note::AlertUser]));
        if notes.has(Note::AlertLoginUser) {
            document::text(row, key::USER_DOMAIN, notes.value(Note::AlertLoginDomain));
            document::address(
                record,
                row,
                key::SRC_IP,
                "alertInfo.srcMachineIp",
                notes.value(Note::AlertLoginAddress),
            )?;
        }
        row.set_opt(
            key::OUTCOME,
            match notes.raw(Note::AlertLoginOk) {
                b"true" => Some(Outcome::Success),
                b"false" => Some(Outcome::Failure),
                _ => None,
            },
        );
        document::text(row, key::SIGNATURE, notes.value(Note::RuleTitle));
        document::text(row, key::SIGNATURE_ID, notes.value(Note::RuleNumber));
        document::text(row, key::LEVEL, notes.value(Note::RuleSeverity));
        document::text(row, key::DNS_QUERY, notes.value(Note::AlertQuery));
        document::extra(row, "alertId", notes.value(Note::ThreatId));
        document::extra(row, "alertInfo.netEventDirection", notes.value(Note::AlertDirection));
        document::program(row, notes.value(Note::AlertPath));
        document::text(row, key::PROCESS_COMMAND, notes.value(Note::AlertCommand));
        row.set_opt(key::PROCESS_ID, notes.number(Note::ProcessId));
        document::text(row, key::PARENT_PATH, notes.value(Note::ParentPath));
        document::text(row, key::PARENT_COMMAND, notes.value(Note::ParentCommand));
        self.ends(record, row)
    }

    /// What the console knows of an agent or a group of agents.
    fn inventory(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        row.log_source(&OTHER);
        row.set(key::KIND, EventKind::Inventory);
        document::time(record, row, "updatedAt", notes.first([Note::Updated, Note::Created]))?;
        document::text(row, key::HOST, notes.value(Note::AgentComputer));
        document::address(record, row, key::HOST_IP, "lastIpToMgmt", notes.value(Note::AgentIp))?;
        document::account(row, notes.value(Note::LastLoggedIn));
        document::extra(row, "externalIp", notes.value(Note::ExternalIp));
        document::extra(row, "name", notes.value(Note::AlertName));
        Ok(())
    }

    /// A unified alert. Assets and resources without a name are called `Unknown`.
    fn alert(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.0;
        row.log_source(&ALERT);
        row.set(key::KIND, EventKind::Alert);
        row.set(key::ACTION, Action::Alert);
        document::time(record, row, "detectedAt", notes.value(Note::Detected))?;
        let asset = [Note::AssetName, Note::ResourceName].map(|note| notes.value(note));
        if let Some(name) = asset.into_iter().find(|name| !matches!(name.scalar(), b"" | b"Unknown" | b"UNKNOWN")) {
            document::text(row, key::HOST, name);
        }
        document::account(row, notes.first([Note::ActorUser, Note::ResourceUser]));
        document::text(row, key::SIGNATURE, notes.value(Note::AlertName));
        document::text(row, key::SIGNATURE_CLASS, notes.value(Note::AlertClass));
        document::text(row, key::LEVEL, notes.first([Note::Severity, Note::Confidence]));
        document::program(row, notes.value(Note::AlertPath));
        document::text(row, key::PROCESS_COMMAND, notes.value(Note::AlertCommand));
        Ok(())
    }
}
