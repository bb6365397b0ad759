//! Wazuh: `alerts.json` and `archives.json` of a manager, and the inventory that its agents send.
//!
//! An alert is a rule that matched an event of an agent. The rule's groups say what sort of event it was: where one line is a
//! login that succeeded or failed, the row is that login and the rule its signature. A rule that counts repeats the last line
//! that it counted; that is a finding, no further attempt. The line stands in `full_log`; `data` has what a decoder found in the line, under names of the
//! decoder's own; which of `srcuser` and `dstuser` logs in differs by decoder, and where both stand one acts for the other.
//! Events of Windows lie in `data.win`. Source: Wazuh documentation, "Alert management", "Ruleset" and "Syscollector".

use schemas::{Action, EventKind, Field, LogSource, Outcome, PortState, RejectKind, Row, key};

use crate::detect::Keys;
use crate::document::{self, Notes, Paths, notes, paths};
use crate::lex::json::Value;
use crate::lex::keys::KeyMap;
use crate::lex::{openssh, syslog};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

pub(super) struct Family;

const fn source(dataset: &'static str, categories: &'static [&'static str]) -> LogSource {
    LogSource {
        family: "wazuh",
        vendor: "Wazuh",
        product: "Wazuh",
        dataset,
        categories,
        products: &["wazuh"],
        services: &["wazuh"],
    }
}

static ALERTS: LogSource = source("wazuh.alerts", &["ids"]);
static LOGINS: LogSource = source("wazuh.alerts", &["authentication"]);
static ARCHIVES: LogSource = source("wazuh.archives", &[]);
static INVENTORY: LogSource = source("wazuh.syscollector", &[]);

notes! {
    Timestamp, AtTimestamp, RuleId, Level, Description, Group, Frequency, AgentId, AgentName, AgentIp, Manager, DeviceName, FullLog,
    SourceIp, SourcePort, TargetIp, TargetPort, SourceUser, TargetUser, User, Protocol, ActionText, Status, SourceName,
    WinUser, WinDomain, WinActor, WinActorDomain, WinIp, WinPort, WinName, WinLogon, WinStatus, WinCode, WinChannel, WinProcess, WinTargetIp,
    WinTargetPort, WinSourceIp, WinSourcePort, WinProtocol,
    // inventory
    LocalIp, LocalPort, State, PortProtocol, PortProcess, PortPid
}

#[rustfmt::skip]
static PATHS: Paths<Note, 256> = {
    use Field::*;
    use self::Note as N;
    paths! {
    "timestamp" Note(N::Timestamp), "@timestamp" Note(N::AtTimestamp), "rule.id" Note(N::RuleId), "rule.level" Note(N::Level),
    "rule.description" Note(N::Description), "rule.groups" Note(N::Group), "rule.frequency" Note(N::Frequency), "rule.details.frequency" Note(N::Frequency),
    "rule.firedtimes" Extra, "rule.mail" Leave, "rule.status" Leave, "rule.filename" Leave, "rule.relative_dirname" Leave,
    "rule.mitre.id" Extra, "rule.mitre.tactic" Extra, "rule.mitre.technique" Extra,
    "agent.id" Note(N::AgentId), "agent.name" Note(N::AgentName), "agent.ip" Note(N::AgentIp), "manager.name" Note(N::Manager),
    "predecoder.hostname" Note(N::DeviceName), "predecoder.program_name" Extra, "predecoder.timestamp" Extra, "decoder.name" Extra,
    "decoder.parent" Leave, "location" Extra, "full_log" Note(N::FullLog), "id" Extra, "previous_output" Leave, "input.type" Leave,
    "cluster.name" Leave, "cluster.node" Extra,
    // what decoders find
    "data.srcip" Note(N::SourceIp), "data.src_ip" Note(N::SourceIp), "data.srcport" Note(N::SourcePort), "data.src_port" Note(N::SourcePort),
    "data.dstip" Note(N::TargetIp), "data.dst_ip" Note(N::TargetIp), "data.dest_ip" Note(N::TargetIp), "data.dstport" Note(N::TargetPort),
    "data.dst_port" Note(N::TargetPort), "data.dest_port" Note(N::TargetPort), "data.srcuser" Note(N::SourceUser), "data.dstuser" Note(N::TargetUser),
    "data.user" Note(N::User), "data.username" Note(N::User), "data.protocol" Note(N::Protocol), "data.proto" Note(N::Protocol),
    "data.action" Note(N::ActionText), "data.status" Note(N::Status), "data.srcname" Note(N::SourceName), "data.url" Field(Url),
    "data.srcmac" Field(SrcMac), "data.dstmac" Field(DstMac), "data.audit.exe" Field(ProcessPath), "data.audit.command" Field(ProcessName),
    "data.audit.pid" Field(ProcessId), "data.audit.success" Extra, "data.command" Extra,
    "data.aws.service.action.portProbeAction.portProbeDetails.remoteIpDetails.ipAddressV4" Note(N::SourceIp),
    "data.aws.service.action.awsApiCallAction.remoteIpDetails.ipAddressV4" Note(N::SourceIp),
    "data.aws.service.action.portProbeAction.portProbeDetails.localPortDetails.port" Note(N::TargetPort),
    "data.aws.sourceIPAddress" Note(N::SourceIp), "data.aws.source_ip_address" Note(N::SourceIp), "data.aws.userIdentity.userName" Note(N::User),
    "data.aws.resource.accessKeyDetails.userName" Note(N::User), "data.office365.ClientIP" Note(N::SourceIp), "data.office365.UserId" Note(N::User),
    // Windows
    "data.win.system.eventID" Note(N::WinCode), "data.win.system.channel" Note(N::WinChannel), "data.win.system.computer" Note(N::DeviceName),
    "data.win.system.message" Leave, "data.win.system.keywords" Leave, "data.win.system.opcode" Leave, "data.win.system.version" Leave,
    "data.win.system.task" Leave, "data.win.system.threadID" Leave, "data.win.system.processID" Leave, "data.win.system.eventRecordID" Leave,
    "data.win.system.systemTime" Extra, "data.win.system.providerGuid" Leave, "data.win.system.providerName" Extra, "data.win.system.severityValue" Extra,
    "data.win.eventdata.targetUserName" Note(N::WinUser), "data.win.eventdata.targetDomainName" Note(N::WinDomain),
    "data.win.eventdata.subjectUserName" Note(N::WinActor), "data.win.eventdata.subjectDomainName" Note(N::WinActorDomain),
    "data.win.eventdata.ipAddress" Note(N::WinIp), "data.win.eventdata.ipPort" Note(N::WinPort), "data.win.eventdata.workstationName" Note(N::WinName),
    "data.win.eventdata.logonType" Note(N::WinLogon), "data.win.eventdata.subStatus" Note(N::WinStatus), "data.win.eventdata.status" Note(N::Status),
    "data.win.eventdata.authenticationPackageName" Field(AuthMethod), "data.win.eventdata.targetUserSid" Field(UserId),
    "data.win.eventdata.image" Note(N::WinProcess), "data.win.eventdata.processName" Note(N::WinProcess), "data.win.eventdata.commandLine" Field(ProcessCommand),
    "data.win.eventdata.parentImage" Field(ParentPath), "data.win.eventdata.user" Note(N::User), "data.win.eventdata.sourceIp" Note(N::WinSourceIp),
    "data.win.eventdata.sourcePort" Note(N::WinSourcePort), "data.win.eventdata.destinationIp" Note(N::WinTargetIp),
    "data.win.eventdata.destinationPort" Note(N::WinTargetPort), "data.win.eventdata.protocol" Note(N::WinProtocol),
    // inventory
    "data.port.local_ip" Note(N::LocalIp), "data.port.local_port" Note(N::LocalPort), "data.port.state" Note(N::State),
    "data.port.protocol" Note(N::PortProtocol), "data.port.process" Note(N::PortProcess), "data.port.pid" Note(N::PortPid),
    "local.ip" Note(N::LocalIp), "local.port" Note(N::LocalPort), "state" Note(N::State), "protocol" Note(N::PortProtocol),
    "process" Note(N::PortProcess), "pid" Note(N::PortPid), "scan_time" Note(N::Timestamp), "agent_id" Note(N::AgentId),
    "remote.ip" Extra, "remote.port" Extra,
    }
};

/// Requirements of standards that a rule serves.
const LEFT: &[&[u8]] = &[
    b"rule.pci_dss",
    b"rule.gpg13",
    b"rule.gdpr",
    b"rule.hipaa",
    b"rule.nist_800_53",
    b"rule.tsc",
    b"rule.details.",
    b"rule.info",
    b"GeoLocation.",
];

/// What a rule's groups say of the event, a bit each.
#[derive(Clone, Copy, Default)]
struct Groups {
    failed: bool,
    succeeded: bool,
    locked: bool,
    /// Several events counted: no new attempt.
    counted: bool,
    firewall: bool,
}

#[derive(Clone, Copy)]
enum Says {
    Failed,
    Counted,
    Succeeded,
    Locked,
    Firewall,
}

static GROUPS: KeyMap<Says, 64> = KeyMap::new(&[
    ("authentication_failed", Says::Failed),
    ("invalid_login", Says::Failed),
    ("login_denied", Says::Failed),
    ("win_authentication_failed", Says::Failed),
    ("authentication_failures", Says::Counted),
    ("authentication_success", Says::Succeeded),
    ("account_locked", Says::Locked),
    ("firewall_drop", Says::Firewall),
    ("firewall_block", Says::Firewall),
]);

impl Groups {
    fn take(&mut self, group: &[u8]) {
        match GROUPS.get(group) {
            Some(Says::Failed) => self.failed = true,
            Some(Says::Counted) => (self.failed, self.counted) = (true, true),
            Some(Says::Succeeded) => self.succeeded = true,
            Some(Says::Locked) => self.locked = true,
            Some(Says::Firewall) => self.firewall = true,
            None => {}
        }
    }
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "wazuh"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["wazuh_alerts", "ossec"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Objects
    }

    fn detect(&self, record: &Record<'_>, _: &Memory) -> Option<Confidence> {
        let keys = record.keys;
        let alert = keys.has(Keys::RULE.and(Keys::AGENT)) && keys.has_any(Keys::MANAGER.and(Keys::DECODER));
        let archive = keys.has(Keys::AGENT.and(Keys::MANAGER)) && keys.has_any(Keys::FULL_LOG.and(Keys::DECODER));
        let ports = keys.has(Keys::SCAN_TIME.and(Keys::LOCAL));
        (alert || archive || ports).then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut event = Event { notes: Notes::default(), groups: Groups::default() };
        document::read(record, row, &PATHS, LEFT, |note, value, row| {
            if let Note::Group = note {
                event.groups.take(value.scalar());
                // The first is the rule's own; the others are those of its file.
                if !row.has(Field::SignatureClass) {
                    document::text(row, key::SIGNATURE_CLASS, value);
                } else {
                    document::extra(row, "rule.groups", value);
                }
            }
            event.notes.take(note, value);
        })?;
        event.conclude(record, row)?;
        Ok(Parsed::Events)
    }
}

struct Event<'a> {
    notes: Notes<'a, NOTES>,
    groups: Groups,
}

impl<'a> Event<'a> {
    fn conclude(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.notes;
        let named = notes.has(Note::AgentName) || notes.has(Note::AgentId);
        if !named || !(notes.has(Note::RuleId) || notes.has(Note::FullLog) || notes.has(Note::LocalPort)) {
            return Err(record.not_this_family("`agent` with `rule`, `full_log` or `local.port`"));
        }
        let time = notes.first([Note::Timestamp, Note::AtTimestamp]);
        if time == Value::Null {
            return Err(RejectKind::Missing { what: "timestamp" }.into());
        }
        // The inventory writes `2026/01/04 09:12:31`.
        document::time(record, row, "timestamp", time)?;
        self.host(row);
        if notes.has(Note::LocalPort) {
            return self.port(record, row);
        }
        self.ends(record, row)?;
        self.accounts(row);
        self.original(record, row);
        document::text(row, key::MESSAGE, notes.value(Note::FullLog));
        document::text(row, key::EVENT_CODE, notes.value(Note::RuleId));
        document::extra(row, "data.win.system.eventID", notes.value(Note::WinCode));
        document::extra(row, "data.win.system.channel", notes.value(Note::WinChannel));
        document::program(row, notes.value(Note::WinProcess));
        document::text(row, key::EVENT_ACTION, notes.value(Note::ActionText));
        if !notes.has(Note::RuleId) {
            row.log_source(&ARCHIVES);
            return Ok(());
        }
        self.rule(record, row)
    }

    /// The agent's host; of what the manager itself received by syslog, the device that the line names.
    fn host(&self, row: &mut Row<'_>) {
        let notes = &self.notes;
        let device = notes.value(Note::DeviceName);
        if notes.raw(Note::AgentId) == b"000" && device != Value::Null {
            document::text(row, key::HOST, device);
            document::text(row, key::RELAY, notes.value(Note::AgentName));
        } else {
            document::text(row, key::HOST, notes.first([Note::AgentName, Note::AgentId]));
            document::extra(row, "hostname", device);
            // An agent may have registered with the word `any`.
            row.set_opt(key::HOST_IP, schemas::Ip::parse(notes.raw(Note::AgentIp)));
        }
        document::extra(row, "agent.id", notes.value(Note::AgentId));
        document::extra(row, "manager.name", notes.value(Note::Manager));
    }

    fn ends(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.notes;
        let source = notes.first([Note::SourceIp, Note::WinIp, Note::WinSourceIp]);
        document::address(record, row, key::SRC_IP, "data.srcip", source)?;
        let port = notes.first([Note::SourcePort, Note::WinPort, Note::WinSourcePort]);
        if port.scalar() != b"0" {
            document::set(record, row, Field::SrcPort, port)?;
        }
        let target = notes.first([Note::TargetIp, Note::WinTargetIp]);
        document::address(record, row, key::DST_IP, "data.dstip", target)?;
        document::set(record, row, Field::DstPort, notes.first([Note::TargetPort, Note::WinTargetPort]))?;
        document::text(row, key::SRC_HOST, notes.first([Note::SourceName, Note::WinName]));
        let protocol = notes.first([Note::Protocol, Note::WinProtocol]);
        match schemas::Transport::parse(protocol.scalar()) {
            Some(transport) if protocol != Value::Null => row.set(key::TRANSPORT, transport),
            // Of a web server it is the method.
            _ => document::extra(row, "data.protocol", protocol),
        }
        Ok(())
    }

    /// What the line itself says more than its decoder found: sshd's method, and all of it where there is no `data`.
    fn original(&self, record: &Record<'a>, row: &mut Row<'_>) {
        self.notes.value(Note::FullLog).with(|line| {
            let (header, at) = syslog::header(line, record.time);
            if !header.app.starts_with(b"sshd") {
                return;
            }
            let Some(login) = openssh::login(&line[at..]) else { return };
            row.text(key::AUTH_METHOD, login.method);
            if login.invalid {
                row.fixed(key::REASON, "unknown user");
            }
            if !row.has(Field::User) {
                row.text(key::USER, login.user);
            }
            if row.has(Field::SrcIp) {
                return;
            }
            match schemas::Ip::parse(login.address) {
                Some(ip) => row.set(key::SRC_IP, ip),
                None => row.text(key::SRC_HOST, login.address),
            }
            row.set_opt(key::SRC_PORT, login.port);
        });
    }

    /// Of a login the account that logs in, and who asked for it; of anything else the account that acts.
    fn accounts(&self, row: &mut Row<'_>) {
        let notes = &self.notes;
        let login = self.groups.failed || self.groups.succeeded || self.groups.locked;
        let target = notes.first([Note::WinUser, Note::TargetUser]);
        let actor = notes.first([Note::WinActor, Note::SourceUser]);
        let windows = notes.has(Note::WinUser) || notes.has(Note::WinActor);
        if login {
            document::account(row, target);
            if target != Value::Null {
                document::text(row, key::SRC_USER, actor);
                document::text(row, key::SRC_USER_DOMAIN, notes.value(Note::WinActorDomain));
            }
        }
        document::account(row, actor);
        document::account(row, notes.value(Note::User));
        if !row.has(Field::User) {
            document::account(row, target);
        } else if !login {
            document::extra(row, "target_user", target);
        }
        if windows && row.has(Field::User) && !row.has(Field::UserDomain) {
            let domain = if login && target != Value::Null { Note::WinDomain } else { Note::WinActorDomain };
            document::text(row, key::USER_DOMAIN, notes.value(domain));
        }
        row.set_opt(key::LOGON_TYPE, notes.number(Note::WinLogon));
        document::text(row, key::STATUS_CODE, notes.first([Note::WinStatus, Note::Status]));
    }

    /// The rule that matched, and what its groups make of the event.
    fn rule(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.notes;
        document::text(row, key::SIGNATURE, notes.value(Note::Description));
        document::text(row, key::SIGNATURE_ID, notes.value(Note::RuleId));
        document::set(record, row, Field::Severity, notes.value(Note::Level))?;
        match notes.number(Note::Level) {
            Some(12..) => row.fixed(key::LEVEL, "high"),
            Some(7..=11) => row.fixed(key::LEVEL, "medium"),
            Some(3..=6) => row.fixed(key::LEVEL, "low"),
            Some(0..=2) | None => {}
        }
        let groups = self.groups;
        // A rule may stand in groups of both; then its own word, that it failed, counts.
        let outcome = match () {
            _ if groups.failed || groups.locked => Some(Outcome::Failure),
            _ if groups.succeeded => Some(Outcome::Success),
            _ => None,
        };
        row.set_opt(key::OUTCOME, outcome);
        if groups.locked {
            row.fixed(key::REASON, "account locked out");
        }
        let counted = groups.counted || notes.has(Note::Frequency);
        if outcome.is_some() && !counted {
            row.log_source(&LOGINS);
            row.set(key::KIND, EventKind::Auth);
            return Ok(());
        }
        row.log_source(&ALERTS);
        row.set(key::KIND, EventKind::Alert);
        row.set(key::ACTION, if groups.firewall && !counted { Action::Drop } else { Action::Alert });
        if groups.firewall && !counted {
            row.set(key::PORT_STATE, PortState::Filtered);
        }
        document::extra(row, "rule.frequency", notes.value(Note::Frequency));
        Ok(())
    }

    /// One open port of a host's inventory.
    fn port(&self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let notes = &self.notes;
        row.log_source(&INVENTORY);
        let listens = matches!(notes.raw(Note::State), b"listening" | b"");
        row.set(key::KIND, if listens { EventKind::Listener } else { EventKind::Inventory });
        document::address(record, row, key::DST_IP, "local.ip", notes.value(Note::LocalIp))?;
        document::set(record, row, Field::DstPort, notes.value(Note::LocalPort))?;
        row.set_opt(key::TRANSPORT, schemas::Transport::parse(notes.raw(Note::PortProtocol)));
        document::text(row, key::PROCESS_NAME, notes.value(Note::PortProcess));
        row.set_opt(key::PROCESS_ID, notes.number(Note::PortPid).filter(|pid| *pid > 0));
        if listens {
            row.set(key::PORT_STATE, PortState::Open);
        }
        document::extra(row, "state", notes.value(Note::State));
        Ok(())
    }
}
