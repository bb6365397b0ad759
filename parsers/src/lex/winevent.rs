//! Windows event records in all the shapes that shippers give them: one reading, one set of names.
//!
//! ```text
//! winlogbeat / ECS   {"winlog":{"event_id":…,"event_data":{"IpAddress":…}},"event":{…}}   also dotted, and before 7.0
//! flat               {"EventID":…,"Hostname":…,"IpAddress":…}                            NXLog, Vector, Mordor
//! nested             {"Event":{"System":{…},"EventData":{…}}}, Wazuh's data.win.*
//! rendered           <Event><System>…</System><EventData><Data Name='IpAddress'>…
//! ```
//! It knows what Windows calls its data fields, and nothing of columns or of what an event means: two families do that.
//! One pass over the bytes; a field that is not in [`Slot`] is handed out at once. Measured against a walk by members of
//! nested objects, which reads the innermost three times.
//!
//! Source of the names: the providers' manifests.
//!
//! Long because the list of names is.

use schemas::RejectKind;

use super::json::{self, Extent, Value};
use super::keys::KeyMap;
use super::time::{TimeContext, iso};
use super::xml::{self, Reader, Token};
use crate::Refusal;

macro_rules! slots {
    (system { $($system:ident),+ $(,)? } data { $($data:ident),+ $(,)? }) => {
        /// What of an event has a place of its own: first what the system and the shipper say, then data fields by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "the names are those of the events")]
        pub enum Slot { $($system,)+ $($data),+ }
        const COUNT: usize = [$(Slot::$system,)+ $(Slot::$data),+].len();
        const SYSTEM: usize = [$(Slot::$system),+].len();
        const NAMES: [&str; COUNT] = [$(stringify!($system),)+ $(stringify!($data)),+];
        static DATA: KeyMap<Slot, 512> = KeyMap::new(&[$((stringify!($data), Slot::$data)),+]);
        #[cfg(test)]
        const ALL: [Slot; COUNT] = [$(Slot::$system,)+ $(Slot::$data),+];
    };
}

slots! {
    system {
        Ignored, Provider, Channel, EventId, Computer, HostName, TimeCreated, Timestamp, LocalTime, Outcome, Keywords,
        Action, Severity, Message, SystemAccount, SystemDomain, SystemProcess, ThreadId, EcsUser, EcsUserDomain, EcsSourceIp,
        EcsSourcePort, EcsDestinationIp, EcsDestinationPort, EcsTransport, EcsProgram, EcsProcessId, EcsQuestion, RecordId,
    }
    data {
        SubjectUserSid, SubjectUserName, SubjectDomainName, SubjectLogonId, TargetUserSid, TargetSid, TargetUserName,
        TargetDomainName, TargetLogonId, LogonType, LogonProcessName, AuthenticationPackageName, PackageName, LmPackageName,
        WorkstationName, Workstation, LogonGuid, KeyLength, ProcessId, ProcessID, ProcessName, NewProcessId, NewProcessName,
        ParentProcessName, CommandLine, TokenElevationType, IpAddress, IpPort, Status, SubStatus, FailureReason,
        TargetServerName, AccountName, AccountDomain, LogonID, ClientName, ClientAddress, SessionName, SourceAddress,
        SourcePort, DestAddress, DestPort, Protocol, Direction, Application, FilterRTID, LayerName, LayerRTID, RemoteUserID,
        RemoteMachineID, ServiceName, ServiceSid, TicketOptions, TicketEncryptionType, PreAuthType, TransmittedServices,
        ElevatedToken, ImpersonationLevel, VirtualAccount, RestrictedAdminMode, TargetLinkedLogonId, PrivilegeList, ShareName,
        RelativeTargetName, AccessMask, CallingStationID, ClientIPAddress, ReasonCode, Reason, EventType, UtcTime, Image, User,
        SourceIp, SourceHostname, DestinationIp, DestinationHostname, DestinationPort, Initiated, QueryName, QueryStatus,
        QueryResults, ParentImage, ParentProcessId, ParentCommandLine, ParentUser, ProcessGuid, RuleName, Hashes, Address, Param1,
        Param2, Param3, IPString, ClientIP, Requester, ContextInfo,
        UserName,
    }
}

const _: () = assert!(COUNT <= 128, "a bit a slot");

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Plain,
    Json,
    Xml,
}

/// A value as it stands in the record; empty if the record has none.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    raw: &'a [u8],
    coding: Coding,
}

const EMPTY: Field<'static> = Field { raw: b"", coding: Coding::Plain };

impl<'a> Field<'a> {
    fn of_json(value: Value<'a>) -> Field<'a> {
        match value {
            Value::Text(text) => {
                Field { raw: text.raw, coding: if text.escaped { Coding::Json } else { Coding::Plain } }
            }
            other => Field { raw: other.scalar(), coding: Coding::Plain },
        }
    }

    fn of_xml(raw: &'a [u8]) -> Field<'a> {
        Field { raw, coding: Coding::Xml }
    }

    /// Hands the text to `use_it`, escapes and entities resolved. Without any, it is a slice of the record.
    #[inline]
    pub fn with<R>(self, use_it: impl FnOnce(&[u8]) -> R) -> R {
        match self.coding {
            Coding::Plain => use_it(self.raw),
            Coding::Json => json::Text { raw: self.raw, escaped: true }.with(use_it),
            Coding::Xml => xml::with_text(self.raw, use_it),
        }
    }

    /// The bytes as they stand in the record: right for numbers, addresses, names and codes, which need no escapes.
    #[inline]
    pub fn raw(self) -> &'a [u8] {
        self.raw
    }

    /// Whether the event says nothing here: empty, `-`, or a blank.
    #[inline]
    pub fn is_absent(self) -> bool {
        matches!(self.raw, b"" | b"-" | b" ")
    }

    /// This field, or another where it says nothing.
    #[inline]
    pub fn or(self, other: impl FnOnce() -> Field<'a>) -> Field<'a> {
        if self.is_absent() { other() } else { self }
    }
}

/// One event with its fields in their places.
///
/// It is filled in place and never moved: copying two kilobytes an event cost more than reading ten fields.
pub struct WinEvent<'a> {
    raw: [&'a [u8]; COUNT],
    /// Fields that are there and have not been taken.
    open: u128,
    /// Fields with escapes of JSON in them, and such as stand in XML.
    json: u128,
    xml: u128,
}

impl Default for WinEvent<'_> {
    #[inline]
    fn default() -> Self {
        WinEvent { raw: [b""; COUNT], open: 0, json: 0, xml: 0 }
    }
}

#[inline]
const fn bit(slot: Slot) -> u128 {
    1 << slot as u32
}

impl<'a> WinEvent<'a> {
    /// A field; it counts as used and does not come again in [`WinEvent::rest`].
    #[inline]
    pub fn take(&mut self, slot: Slot) -> Field<'a> {
        self.open &= !bit(slot);
        self.peek(slot)
    }

    /// A field, left where it is.
    #[inline]
    pub fn peek(&self, slot: Slot) -> Field<'a> {
        self.field(slot as usize)
    }

    #[inline]
    fn field(&self, at: usize) -> Field<'a> {
        let coding = match (self.json >> at & 1, self.xml >> at & 1) {
            (1, _) => Coding::Json,
            (_, 1) => Coding::Xml,
            _ => Coding::Plain,
        };
        Field { raw: self.raw[at], coding }
    }

    /// Takes a field away, as if it had not been there.
    pub fn remove(&mut self, slot: Slot) -> Field<'a> {
        let field = self.take(slot);
        self.raw[slot as usize] = b"";
        field
    }

    /// The first of several fields that says something; that one counts as used.
    #[inline]
    pub fn first(&mut self, slots: &[Slot]) -> Field<'a> {
        match slots.iter().find(|slot| !self.peek(**slot).is_absent()) {
            Some(slot) => self.take(*slot),
            None => EMPTY,
        }
    }

    /// The data fields that nobody has taken, with their names.
    pub fn rest(&self) -> impl Iterator<Item = (&'static str, Field<'a>)> + '_ {
        let mut open = self.open >> SYSTEM << SYSTEM;
        std::iter::from_fn(move || {
            while open != 0 {
                let at = open.trailing_zeros() as usize;
                open &= open - 1;
                let field = self.field(at);
                if !field.is_absent() {
                    return Some((NAMES[at], field));
                }
            }
            None
        })
    }

    /// Whether it has any data field, those excepted that NXLog writes of the record itself under a data field's name.
    pub fn has_data(&self) -> bool {
        const RECORD: u128 = bit(Slot::EventType) | bit(Slot::AccountName) | bit(Slot::ProcessID);
        (self.open & !RECORD) >> SYSTEM != 0
    }

    /// Reads data fields out of the English text for people, for shippers that send nothing else: lines `Label: value`,
    /// where a label that occurs twice is the subject's first and the target's then. Fields that are there stay.
    pub fn fill_from_message(&mut self) {
        let message = self.peek(Slot::Message);
        // In JSON line ends and tabs are escapes, and tabs stand between a label and its value.
        let mut rest = message.raw;
        while !rest.is_empty() {
            let (line, mut tab) = piece(&mut rest);
            let Some(colon) = memchr::memchr(b':', line) else { continue };
            let Some(slots) = LABELS.get(line[..colon].trim_ascii()) else { continue };
            let mut value = line[colon + 1..].trim_ascii();
            while value.is_empty() && tab && !rest.is_empty() {
                let (next, more) = piece(&mut rest);
                (value, tab) = (next.trim_ascii(), more);
            }
            let slot = slots.iter().find(|slot| self.open & bit(**slot) == 0);
            if let Some(slot) = slot {
                self.put(*slot, Field { raw: if value.is_empty() { b"-" } else { value }, coding: message.coding });
            }
        }
    }

    /// The event's number. Several exist in more than one provider.
    pub fn code(&self) -> Option<u32> {
        let text = self.peek(Slot::EventId).raw();
        u32::try_from(super::text::decimal(text)?).ok()
    }

    /// Whether it is an event of this provider, by the end of its name; by the channel's where no provider is named.
    #[inline]
    pub fn is_from(&self, provider: &[u8]) -> bool {
        match self.peek(Slot::Provider).raw() {
            b"" => {
                let channel = self.peek(Slot::Channel).raw();
                channel.split(|byte| *byte == b'/').next().unwrap_or(channel).ends_with(provider)
            }
            name => name.ends_with(provider),
        }
    }

    /// When it was logged: a stamp with a zone before one without, the system's before the shipper's.
    pub fn time(&self, context: &TimeContext) -> Option<i64> {
        let stamps = [Slot::TimeCreated, Slot::LocalTime, Slot::Timestamp].map(|slot| self.peek(slot).raw());
        for stamp in stamps {
            if iso(stamp).is_some_and(|(stamp, _)| stamp.offset.is_some()) {
                return context.iso(stamp);
            }
        }
        stamps.into_iter().filter(|stamp| !stamp.is_empty()).find_map(|stamp| context.any(stamp))
    }

    #[inline]
    fn put(&mut self, slot: Slot, field: Field<'a>) {
        if self.open & bit(slot) == 0 && !field.raw.is_empty() {
            self.raw[slot as usize] = field.raw;
            self.open |= bit(slot);
            match field.coding {
                Coding::Plain => {}
                Coding::Json => self.json |= bit(slot),
                Coding::Xml => self.xml |= bit(slot),
            }
        }
    }
}

// ---- JSON

/// Paths of what is no data field, in all shapes. What only the shipper is interested in is `Ignored`.
static PATHS: KeyMap<Slot, 256> = KeyMap::new(&[
    ("winlog.event_id", Slot::EventId),
    ("event_id", Slot::EventId),
    ("EventID", Slot::EventId),
    ("EventCode", Slot::EventId),
    ("event.code", Slot::EventId),
    ("Event.System.EventID", Slot::EventId),
    ("System.EventID", Slot::EventId),
    ("data.win.system.eventID", Slot::EventId),
    ("winlog.provider_name", Slot::Provider),
    ("winlog.event_data.provider_name", Slot::Provider),
    ("event.provider", Slot::Provider),
    ("provider_name", Slot::Provider),
    ("source_name", Slot::Provider),
    ("SourceName", Slot::Provider),
    ("ProviderName", Slot::Provider),
    ("Provider_Name", Slot::Provider),
    ("Event.System.Provider.Name", Slot::Provider),
    ("data.win.system.providerName", Slot::Provider),
    ("winlog.channel", Slot::Channel),
    ("log_name", Slot::Channel),
    ("channel", Slot::Channel),
    ("Channel", Slot::Channel),
    ("LogName", Slot::Channel),
    ("Event.System.Channel", Slot::Channel),
    ("data.win.system.channel", Slot::Channel),
    ("winlog.computer_name", Slot::Computer),
    ("computer_name", Slot::Computer),
    ("ComputerName", Slot::Computer),
    ("Computer", Slot::Computer),
    ("computer", Slot::Computer),
    ("Hostname", Slot::Computer),
    ("Event.System.Computer", Slot::Computer),
    ("data.win.system.computer", Slot::Computer),
    ("host.name", Slot::HostName),
    ("host.hostname", Slot::HostName),
    ("winlog.time_created", Slot::TimeCreated),
    ("TimeCreated", Slot::TimeCreated),
    ("time_created", Slot::TimeCreated),
    ("TimeGenerated", Slot::TimeCreated),
    ("Event.System.TimeCreated.SystemTime", Slot::TimeCreated),
    ("data.win.system.systemTime", Slot::TimeCreated),
    ("EventTime", Slot::LocalTime),
    ("@timestamp", Slot::Timestamp),
    ("event.outcome", Slot::Outcome),
    ("winlog.outcome", Slot::Outcome),
    ("winlog.keywords", Slot::Keywords),
    ("keywords", Slot::Keywords),
    ("Keywords", Slot::Keywords),
    ("Event.System.Keywords", Slot::Keywords),
    ("data.win.system.keywords", Slot::Keywords),
    ("event.action", Slot::Action),
    ("winlog.task", Slot::Action),
    ("task", Slot::Action),
    ("Category", Slot::Action),
    ("log.level", Slot::Severity),
    ("winlog.level", Slot::Severity),
    ("level", Slot::Severity),
    ("Severity", Slot::Severity),
    ("message", Slot::Message),
    ("Message", Slot::Message),
    ("data.win.system.message", Slot::Message),
    ("winlog.user.name", Slot::SystemAccount),
    ("winlog.user.domain", Slot::SystemDomain),
    ("Domain", Slot::SystemDomain),
    ("ExecutionProcessID", Slot::SystemProcess),
    ("ThreadID", Slot::ThreadId),
    ("user.name", Slot::EcsUser),
    ("user.domain", Slot::EcsUserDomain),
    ("source.ip", Slot::EcsSourceIp),
    ("source.port", Slot::EcsSourcePort),
    ("destination.ip", Slot::EcsDestinationIp),
    ("destination.port", Slot::EcsDestinationPort),
    ("network.transport", Slot::EcsTransport),
    ("process.executable", Slot::EcsProgram),
    ("process.pid", Slot::EcsProcessId),
    ("dns.question.name", Slot::EcsQuestion),
    ("winlog.record_id", Slot::RecordId),
    ("record_number", Slot::RecordId),
    ("RecordNumber", Slot::RecordId),
    ("host", Slot::Ignored),
    ("port", Slot::Ignored),
    ("tags", Slot::Ignored),
    ("type", Slot::Ignored),
    ("@version", Slot::Ignored),
    ("Version", Slot::Ignored),
    ("Task", Slot::Ignored),
    ("Level", Slot::Ignored),
    ("Opcode", Slot::Ignored),
    ("OpcodeValue", Slot::Ignored),
    ("EventTypeOrignal", Slot::Ignored),
    ("SeverityValue", Slot::Ignored),
    ("SourceModuleName", Slot::Ignored),
    ("SourceModuleType", Slot::Ignored),
    ("EventReceivedTime", Slot::Ignored),
    ("ProviderGuid", Slot::Ignored),
    ("ActivityID", Slot::Ignored),
    ("UserID", Slot::Ignored),
    ("AccountType", Slot::Ignored),
]);

/// The text up to the next line end or tab, escaped or not, and whether it is an escaped tab; both are taken off.
fn piece<'a>(rest: &mut &'a [u8]) -> (&'a [u8], bool) {
    let text = *rest;
    let mut from = 0;
    while let Some(at) = memchr::memchr2(b'\n', b'\\', &text[from..]).map(|at| from + at) {
        if text[at] == b'\n' {
            *rest = &text[at + 1..];
            return (&text[..at], false);
        }
        match text.get(at + 1) {
            Some(b'n' | b'r' | b't') => {
                *rest = &text[at + 2..];
                return (&text[..at], text[at + 1] == b't');
            }
            // Another escape belongs to the text: `CORP\\jdoe`.
            _ => from = (at + 2).min(text.len()),
        }
    }
    *rest = b"";
    (text, false)
}

/// Labels of the text for people, and the fields that their first and second occurrence are.
static LABELS: KeyMap<&[Slot], 64> = KeyMap::new(&[
    ("Security ID", &[Slot::SubjectUserSid, Slot::TargetUserSid]),
    ("Account Name", &[Slot::SubjectUserName, Slot::TargetUserName]),
    ("Account Domain", &[Slot::SubjectDomainName, Slot::TargetDomainName]),
    ("Logon ID", &[Slot::SubjectLogonId, Slot::TargetLogonId]),
    ("User Name", &[Slot::AccountName]),
    ("Domain", &[Slot::AccountDomain]),
    ("Logon Type", &[Slot::LogonType]),
    ("Status", &[Slot::Status]),
    ("Sub Status", &[Slot::SubStatus]),
    ("Failure Reason", &[Slot::FailureReason]),
    ("Workstation Name", &[Slot::WorkstationName]),
    ("Source Network Address", &[Slot::IpAddress]),
    ("Network Address", &[Slot::IpAddress]),
    ("Client Address", &[Slot::ClientAddress]),
    ("Caller IP", &[Slot::ClientAddress]),
    ("Source Port", &[Slot::IpPort]),
    ("Client Port", &[Slot::IpPort]),
    ("Authentication Package", &[Slot::AuthenticationPackageName]),
    ("New Process Name", &[Slot::NewProcessName]),
    ("Process Command Line", &[Slot::CommandLine]),
]);

/// The name of a data field, where the path is that of one; `None` where it is not.
#[inline]
fn data_name(path: &[u8]) -> Option<&[u8]> {
    match path {
        [b'w', b'i', b'n', b'l', b'o', b'g', b'.', rest @ ..] => {
            if let Some(name) = rest.strip_prefix(b"event_data.") {
                return Some(name);
            }
            rest.starts_with(b"user_data.").then(|| last(rest))
        }
        [b'e', ..] => path.strip_prefix(b"event_data."),
        [b'u', ..] => path.starts_with(b"user_data.").then(|| last(path)),
        [b'E', ..] => path.strip_prefix(b"EventData.").or_else(|| path.strip_prefix(b"Event.EventData.")),
        [b'd', ..] => path.strip_prefix(b"data.win.eventdata."),
        _ => None,
    }
}

fn last(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'.').next().unwrap_or(path)
}

/// Wazuh writes the first letter of a name small.
fn capital(name: &[u8]) -> Option<Slot> {
    let mut copy = [0u8; 64];
    let copy = copy.get_mut(..name.len())?;
    copy.copy_from_slice(name);
    copy.first_mut()?.make_ascii_uppercase();
    DATA.get(copy)
}

/// Reads a JSON object of any shape. Data fields without a slot are given to `other` with their names.
///
/// # Errors
/// What is no JSON, with its offset; an object that never closes, since what an event means may lie in what is missing.
#[inline]
pub fn read_json<'a>(
    body: &'a [u8],
    event: &mut WinEvent<'a>,
    mut other: impl FnMut(&[u8], Field<'a>),
) -> Result<(), Refusal> {
    // Top-level keys are data in the flat shape only; which shape it is, is asked when it matters.
    let mut flat = None;
    let extent = json::walk(body, |path, value| {
        if let Some(name) = data_name(path) {
            let slot = DATA.get(name).or_else(|| if path[0] == b'd' { capital(name) } else { None });
            let slot = slot.or_else(|| PATHS.get(path));
            match slot {
                Some(slot) => event.put(slot, Field::of_json(value)),
                None => other(name, Field::of_json(value)),
            }
        } else if let Some(slot) = PATHS.get(path) {
            event.put(slot, Field::of_json(value));
        } else if !path.contains(&b'.') || path.starts_with(b"winlog.") {
            let is_flat = *flat.get_or_insert_with(|| !super::text::contains(body, b"\"winlog"));
            match DATA.get(path) {
                Some(slot) => event.put(slot, Field::of_json(value)),
                None if is_flat => other(path, Field::of_json(value)),
                None => {}
            }
        }
        Ok::<(), json::Error>(())
    })?;
    match extent {
        Extent::Whole(_) => Ok(()),
        Extent::Truncated => Err(unclosed(body, "the JSON object")),
    }
}

#[cold]
fn unclosed(body: &[u8], what: &'static str) -> Refusal {
    Refusal { at: body.len(), kind: RejectKind::Unclosed { what } }
}

// ---- XML

/// Reads the next event of a rendered document; says whether there was one.
///
/// # Errors
/// An event that never closes.
pub fn read_xml<'a>(
    body: &'a [u8],
    reader: &mut Reader<'a>,
    event: &mut WinEvent<'a>,
    mut other: impl FnMut(&[u8], Field<'a>),
) -> Result<bool, Refusal> {
    if !reader.any(|token| matches!(token, Token::Open { name: b"Event", .. })) {
        return Ok(false);
    }
    // The element that text belongs to, and the name of the data field.
    let (mut inside, mut name) = (&b""[..], &b""[..]);
    let mut part = Part::System;
    let mut nameless = 0;
    for token in reader.by_ref() {
        match token {
            Token::Open { name: b"EventData", .. } => part = Part::EventData,
            Token::Open { name: b"UserData", .. } => part = Part::UserData,
            Token::Open { name: b"RenderingInfo", .. } => part = Part::Rendering,
            Token::Close { name: b"Event" } => return Ok(true),
            Token::Open { name: element, attributes } | Token::Empty { name: element, attributes } => {
                (inside, name) = (element, b"");
                match (part, element) {
                    (Part::System, b"Provider") => {
                        event.put(
                            Slot::Provider,
                            Field::of_xml(xml::attribute(attributes, b"Name").unwrap_or_default()),
                        );
                    }
                    (Part::System, b"TimeCreated") => {
                        let stamp = xml::attribute(attributes, b"SystemTime").unwrap_or_default();
                        event.put(Slot::TimeCreated, Field::of_xml(stamp));
                    }
                    (Part::EventData, b"Data") => match xml::attribute(attributes, b"Name") {
                        Some(known) => name = known,
                        None => {
                            name = nameless_data(event.code(), nameless).unwrap_or_default();
                            nameless += 1;
                        }
                    },
                    (Part::UserData, _) => name = element,
                    (Part::System | Part::EventData | Part::Rendering, _) => {}
                }
            }
            Token::Text(text) | Token::Literal(text) => {
                let literal = matches!(token, Token::Literal(_));
                let field = Field { raw: text, coding: if literal { Coding::Plain } else { Coding::Xml } };
                if !name.is_empty() {
                    match DATA.get(name) {
                        Some(slot) => event.put(slot, field),
                        None => other(name, field),
                    }
                } else if part == Part::System
                    && let Some(slot) = system_element(inside)
                {
                    event.put(slot, field);
                } else if part == Part::Rendering {
                    match inside {
                        b"Message" => event.put(Slot::Message, field),
                        b"Task" => event.put(Slot::Action, field),
                        _ => {}
                    }
                }
            }
            Token::Close { .. } => (inside, name) = (b"", b""),
        }
    }
    Err(unclosed(body, "<Event>"))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    System,
    EventData,
    UserData,
    Rendering,
}

fn system_element(name: &[u8]) -> Option<Slot> {
    Some(match name {
        b"EventID" => Slot::EventId,
        b"Channel" => Slot::Channel,
        b"Computer" => Slot::Computer,
        b"Keywords" => Slot::Keywords,
        b"EventRecordID" => Slot::RecordId,
        _ => return None,
    })
}

/// The names of data fields by their order, for events that lost their names. Source: the manifests of
/// Microsoft-Windows-Security-Auditing, version 0 of each event.
fn nameless_data(code: Option<u32>, at: usize) -> Option<&'static [u8]> {
    const SUBJECT: &str = "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId ";
    const PLATFORM: &str = "ProcessID Application Direction SourceAddress SourcePort DestAddress DestPort Protocol FilterRTID LayerName LayerRTID";
    const LOCAL: &str = "ProcessId Application SourceAddress SourcePort Protocol FilterRTID LayerName LayerRTID";
    let (with_subject, names) = match code? {
        4624 => (
            true,
            "TargetUserSid TargetUserName TargetDomainName TargetLogonId LogonType LogonProcessName AuthenticationPackageName WorkstationName LogonGuid TransmittedServices LmPackageName KeyLength ProcessId ProcessName IpAddress IpPort",
        ),
        4625 => (
            true,
            "TargetUserSid TargetUserName TargetDomainName Status FailureReason SubStatus LogonType LogonProcessName AuthenticationPackageName WorkstationName TransmittedServices LmPackageName KeyLength ProcessId ProcessName IpAddress IpPort",
        ),
        4634 => (false, "TargetUserSid TargetUserName TargetDomainName TargetLogonId LogonType"),
        4647 => (false, "TargetUserSid TargetUserName TargetDomainName TargetLogonId"),
        4648 => (
            true,
            "LogonGuid TargetUserName TargetDomainName TargetLogonGuid TargetServerName TargetInfo ProcessId ProcessName IpAddress IpPort",
        ),
        4672 => (true, "PrivilegeList"),
        4688 => (true, "NewProcessId NewProcessName TokenElevationType ProcessId CommandLine"),
        4740 | 4767 => (false, "TargetUserName TargetDomainName TargetSid SubjectUserSid SubjectUserName"),
        4768 => (
            false,
            "TargetUserName TargetDomainName TargetSid ServiceName ServiceSid TicketOptions Status TicketEncryptionType PreAuthType IpAddress IpPort",
        ),
        4769 => (
            false,
            "TargetUserName TargetDomainName ServiceName ServiceSid TicketOptions TicketEncryptionType IpAddress IpPort Status",
        ),
        4771 => (false, "TargetUserName TargetSid ServiceName TicketOptions Status PreAuthType IpAddress IpPort"),
        4776 => (false, "PackageName TargetUserName Workstation Status"),
        4778 | 4779 => (false, "AccountName AccountDomain LogonID SessionName ClientName ClientAddress"),
        4825 => (false, "AccountName AccountDomain LogonID ClientAddress"),
        5140 => (true, "IpAddress IpPort ShareName"),
        5152 | 5156 | 5157 => (false, PLATFORM),
        5154 | 5155 | 5158 | 5159 => (false, LOCAL),
        _ => return None,
    };
    let subject = if with_subject { SUBJECT } else { "" };
    subject.split(' ').filter(|name| !name.is_empty()).chain(names.split(' ')).nth(at).map(str::as_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(event: &WinEvent<'_>, slot: Slot) -> String {
        event.peek(slot).with(|text| String::from_utf8_lossy(text).into_owned())
    }

    #[test]
    fn all_json_shapes_give_the_same_fields() {
        for body in [
            r#"{"@timestamp":"2026-05-04T07:12:31Z","winlog":{"event_id":"4625","computer_name":"srv1.example.org","event_data":{"IpAddress":"192.0.2.10"}}}"#,
            r#"{"winlog.event_id":4625,"winlog.computer_name":"srv1.example.org","winlog.event_data.IpAddress":"192.0.2.10","@timestamp":"2026-05-04T07:12:31Z"}"#,
            r#"{"event_id":4625,"computer_name":"srv1.example.org","event_data":{"IpAddress":"192.0.2.10"},"@timestamp":"2026-05-04T07:12:31Z"}"#,
            r#"{"EventID":4625,"Hostname":"srv1.example.org","IpAddress":"192.0.2.10","EventTime":"2026-05-04 09:12:31","@timestamp":"2026-05-04T07:12:31Z"}"#,
            r#"{"Event":{"System":{"EventID":4625,"Computer":"srv1.example.org","TimeCreated":{"SystemTime":"2026-05-04T07:12:31.0000000Z"}},"EventData":{"IpAddress":"192.0.2.10"}}}"#,
            r#"{"data":{"win":{"system":{"eventID":"4625","computer":"srv1.example.org","systemTime":"2026-05-04T07:12:31.0000000Z"},"eventdata":{"ipAddress":"192.0.2.10"}}}}"#,
        ] {
            let mut event = WinEvent::default();
            read_json(body.as_bytes(), &mut event, |_, _| ()).expect("JSON");
            assert_eq!(event.code(), Some(4625), "{body}");
            assert_eq!(field(&event, Slot::Computer), "srv1.example.org", "{body}");
            assert_eq!(field(&event, Slot::IpAddress), "192.0.2.10", "{body}");
            assert_eq!(event.time(&TimeContext::utc(0)), Some(1_777_878_751_000_000), "{body}");
        }
    }

    #[test]
    fn rendered_events_are_read_by_name_by_order_and_from_user_data() {
        let text = b"<Events><Event xmlns='x'><System><Provider Name='P'/><EventID Qualifiers=''>4776</EventID></System><EventData><Data>NTLM</Data><Data/><Data Name='Status'>0x0</Data></EventData></Event>\
<Event><System><EventID>21</EventID></System><UserData><EventXML xmlns='y'><User>CORP\\a&amp;b</User><SessionID>2</SessionID></EventXML></UserData></Event></Events>";
        let mut reader = Reader::new(text);
        let mut others = Vec::new();
        let mut first = WinEvent::default();
        assert!(read_xml(text, &mut reader, &mut first, |_, _| ()).expect("whole"));
        assert_eq!(
            (field(&first, Slot::PackageName), field(&first, Slot::TargetUserName)),
            ("NTLM".into(), String::new())
        );
        assert_eq!((field(&first, Slot::Status), field(&first, Slot::Provider)), ("0x0".into(), "P".into()));
        let mut second = WinEvent::default();
        assert!(read_xml(text, &mut reader, &mut second, |name, _| others.push(name.to_vec())).expect("whole"));
        assert_eq!(field(&second, Slot::User), "CORP\\a&b");
        assert_eq!(others, [b"SessionID"]);
        assert!(!read_xml(text, &mut reader, &mut WinEvent::default(), |_, _| ()).expect("whole"));
    }

    #[test]
    fn the_text_for_people_is_read_where_there_is_nothing_else() {
        let body = br#"{"EventID":4625,"Message":"An account failed.\r\n\r\nSubject:\r\n\tAccount Name:\t\t-\r\n\tAccount Domain:\t-\r\n\r\nAccount For Which Logon Failed:\r\n\tAccount Name:\t\tjdoe\r\n\tAccount Domain:\t\tEXAMPLE\r\n\tSource Network Address:\t192.0.2.10\r\n"}"#;
        let mut event = WinEvent::default();
        read_json(body, &mut event, |_, _| ()).expect("JSON");
        assert!(!event.has_data());
        event.fill_from_message();
        assert_eq!(field(&event, Slot::SubjectUserName), "-");
        assert_eq!(
            (field(&event, Slot::TargetUserName), field(&event, Slot::TargetDomainName)),
            ("jdoe".into(), "EXAMPLE".into())
        );
        assert_eq!(field(&event, Slot::IpAddress), "192.0.2.10");
    }

    #[test]
    fn what_nobody_takes_remains() {
        let mut event = WinEvent::default();
        read_json(br#"{"EventID":1,"Image":"x","User":"-","RuleName":"y"}"#, &mut event, |_, _| ()).expect("JSON");
        assert_eq!(event.take(Slot::Image).raw(), b"x");
        let rest: Vec<_> = event.rest().map(|(name, _)| name).collect();
        assert_eq!(rest, ["RuleName"]);
        assert!(ALL.iter().enumerate().all(|(at, slot)| *slot as usize == at));
    }
}
